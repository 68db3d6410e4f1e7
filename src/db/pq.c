#include "db/pq.h"

#include "base/library.h"

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
    static const LibrarySymbol symbols[] = {
#define X(name) LIBRARY_SYMBOL(PqApi, name),
        PQ_FUNCTIONS(X)
#undef X
    };
    static const Library pq = {
        {"libpq.so.5"}, "PostgreSQL's client library", "libpq5", symbols, COUNT(symbols)};
    return library_load(&pq, ret, err);
}
