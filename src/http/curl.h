/* Internal to http/: libcurl's functions, loaded at run time, or linked in. */
#pragma once

#include "base/err.h"

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION /* older libraries know only the older option */
#include <curl/curl.h>

#define CURL_FUNCTIONS(X)                                                                          \
    X(curl_global_init)                                                                            \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

typedef struct CurlApi {
#define X(name) __typeof__(name) *name;
    CURL_FUNCTIONS(X)
#undef X
} CurlApi;

/* errors: ERR_CONFIG: no library, or one without a function */
MUST_CHECK bool curl_load(CurlApi *ret, Err *err);
