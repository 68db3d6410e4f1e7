#include "http/curl.h"

#include <dlfcn.h>
#include <stddef.h>

/* Debian has two builds of one interface, which differ in their TLS library. */
static void *
open_library(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *lib = NULL;
    for (size_t i = 0; !lib && i < COUNT(names); i++)
        lib = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
    return lib;
}

bool
curl_load(CurlApi *ret, Err *err)
{
    static const struct {
        const char *name;
        size_t offset;
    } table[] = {
#define X(name) {#name, offsetof(CurlApi, name)},
        CURL_FUNCTIONS(X)
#undef X
    };
    void *lib = open_library();
    if (!lib) {
        err_set(err, ERR_CONFIG, "the library libcurl.so.4, for HTTP, was not found");
        return err_hint(err, "install it: sudo apt-get install libcurl4");
    }
    for (size_t i = 0; i < COUNT(table); i++) {
        void *sym = dlsym(lib, table[i].name);
        if (!sym)
            return err_set(err, ERR_CONFIG, "libcurl has no function %s", table[i].name);
        memcpy((char *)ret + table[i].offset, &sym, sizeof sym);
    }
    return true;
}
