/* Calls that may block for ever, with a deadline: name resolution (libpq resolves synchronously,
 * outside its connect_timeout) and PQcancel. Internal to db/. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef VEC(const char *) AddressVec;

typedef enum ResolveEnd {
    RESOLVE_OK,
    RESOLVE_UNKNOWN, /* no such name */
    RESOLVE_AGAIN,   /* the resolver failed this time */
    RESOLVE_TIMEOUT,
} ResolveEnd;

/* Numeric addresses of `host`, in the order in which they should be tried. `reason` is the
 * resolver's text. */
ResolveEnd resolve_host(Arena *a, const char *host, int64_t timeout_ms, AddressVec *ret,
                        const char **reason);

/* Run fn(arg) in a thread of its own and wait at most timeout_ms. True: it ended, arg is the
 * caller's again. False: it goes on alone and calls free_arg(arg) when it ends. */
bool run_with_deadline(void (*fn)(void *), void *arg, void (*free_arg)(void *), int64_t timeout_ms);

/* Whether a host is an address, so that nothing is to be looked up. */
bool db_is_numeric(const char *host);
