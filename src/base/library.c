#include "base/library.h"

#ifdef ARAMID_LINKED
#include <nss.h>
#include <openssl/crypto.h>
#else
#include <dlfcn.h>
#endif

const char *
library_linkage(void)
{
    return ARAMID_LINKAGE;
}

#ifdef ARAMID_LINKED

void
library_begin(void)
{
#ifdef ARAMID_STATIC
    static const char *const databases[][2] = {
        {"hosts", "files dns"}, {"passwd", "files"}, {"group", "files"}, {"services", "files"}};
    for (size_t i = 0; i < COUNT(databases); i++)
        __nss_configure_lookup(databases[i][0], databases[i][1]);
#endif
}

/* Symbols are there, or the program would not have been linked. openssl.cnf may name modules, which
 * belong to the machine's OpenSSL and not to the one linked in: it is not read. */
bool
library_load(const Library *lib, void *table, Err *err)
{
    if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
        return err_set(err, ERR_CONFIG, "OpenSSL cannot be set up for %s", lib->what);
    for (size_t i = 0; i < lib->n_symbols; i++)
        memcpy((char *)table + lib->symbols[i].offset, &lib->symbols[i].linked,
               sizeof lib->symbols[i].linked);
    return true;
}

#else

void
library_begin(void)
{
}

bool
library_load(const Library *lib, void *table, Err *err)
{
    void *handle = NULL;
    for (size_t i = 0; !handle && i < COUNT(lib->names) && lib->names[i]; i++)
        handle = dlopen(lib->names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        err_set(err, ERR_CONFIG, "%s %s was not found", lib->what, lib->names[0]);
        err_detail(err, "%s", dlerror());
        return err_hint(err, "install it: sudo apt-get install %s", lib->package);
    }
    for (size_t i = 0; i < lib->n_symbols; i++) {
        void *symbol = dlsym(handle, lib->symbols[i].name);
        if (!symbol) {
            err_set(err, ERR_CONFIG, "%s has no function %s", lib->names[0], lib->symbols[i].name);
            return err_hint(err, "install a newer %s", lib->package);
        }
        memcpy((char *)table + lib->symbols[i].offset, &symbol, sizeof symbol);
    }
    return true;
}

#endif
