#include "db/pq.h"

#include <dlfcn.h>
#include <errno.h>

/* libpq keeps a copy of each query, to show the line of an error, for which nobody here asks it. It does
 * without where there is no memory for one, so that long ones find none: a library that the program
 * loads meets the program's functions before libc's. */
enum { QUERY_COPY_MAX = 1024 * 1024 };

__attribute__((visibility("default"))) char *
strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = n > QUERY_COPY_MAX ? NULL : mem_alloc(n);
    if (copy)
        return memcpy(copy, s, n);
    errno = ENOMEM;
    return NULL;
}

bool
pq_load(PqApi *ret, Err *err)
{
    void *lib = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
    if (!lib) {
        err_set(err, ERR_CONFIG, "PostgreSQL's client library libpq.so.5 was not found");
        err_detail(err, "%s", dlerror());
        return err_hint(err, "install it: sudo apt-get install libpq5");
    }
    const struct {
        const char *name;
        size_t offset;
    } table[] = {
#define X(name) {#name, offsetof(PqApi, name)},
        PQ_FUNCTIONS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        void *sym = dlsym(lib, table[i].name);
        if (!sym) {
            err_set(err, ERR_CONFIG, "libpq.so.5 has no function %s", table[i].name);
            return err_hint(err, "install a libpq of PostgreSQL 13 or newer");
        }
        memcpy((char *)ret + table[i].offset, &sym, sizeof sym);
    }
    return true;
}
