#include "backup/crypto.h"

#include <dlfcn.h>

bool
crypto_load(CryptoApi *ret, Err *err)
{
    void *lib = dlopen("libcrypto.so.3", RTLD_LAZY | RTLD_LOCAL);
    if (!lib) {
        err_set(err, ERR_CONFIG, "encrypted backups need OpenSSL's libcrypto.so.3");
        err_detail(err, "%s", dlerror());
        return err_hint(err, "install it: sudo apt-get install libssl3");
    }
    const struct {
        const char *name;
        size_t offset;
    } table[] = {
#define X(name) {#name, offsetof(CryptoApi, name)},
        CRYPTO_FUNCTIONS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        void *sym = dlsym(lib, table[i].name);
        if (!sym)
            return err_set(err, ERR_CONFIG, "libcrypto.so.3 has no function %s", table[i].name);
        memcpy((char *)ret + table[i].offset, &sym, sizeof sym);
    }
    return true;
}
