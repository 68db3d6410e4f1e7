/* One bounded HTTP request: the only room that knows libcurl (loaded on first use).
 *
 * HTTP and HTTPS only, certificates are verified, redirects are answers like any other, a proxy of
 * the environment (HTTPS_PROXY, NO_PROXY and the like, as curl has them) is used. The URL may be a
 * secret: errors name scheme and host only. */
#pragma once

#include "base/err.h"
#include "base/trace.h"

/* Called while waiting, several times a second; false ends the request (ERR_INTERRUPTED). */
typedef bool (*HttpTick)(void *arg, int64_t elapsed_ms);

typedef struct HttpRequest {
    const char *method; /* NULL = POST with a body, else GET */
    const char *url;
    const char *const *headers; /* "Name: value", ends with NULL; or NULL */
    Str body;
    int64_t timeout_ms; /* of the whole request, name resolution included; at least 1 */
    const char *roots;  /* file with root certificates, NULL = the library's own */
    size_t keep;        /* bytes of the answer that are kept */
    HttpTick tick;      /* may be NULL */
    void *tick_arg;
    Trace *trace; /* may be NULL; gets scheme and host, never the rest of the URL */
} HttpRequest;

typedef struct HttpAnswer {
    int status;             /* 200 */
    Str body;               /* its first bytes */
    bool is_cut;            /* there was more */
    const char *location;   /* where it redirects to, without query; NULL = nowhere */
    int64_t retry_after_ms; /* what the server asked for, -1 = nothing */
    int64_t ms;
} HttpAnswer;

/* Send it and wait for the answer, whatever its status is.
 * errors: ERR_CONFIG (no libcurl), ERR_URL, ERR_HTTP (no answer: the reason), ERR_TIMEOUT, ERR_INTERRUPTED.
 * cost: the first call of a process loads the library, some milliseconds */
MUST_CHECK bool http_request(Arena *a, const HttpRequest *r, HttpAnswer *ret, Err *err);

/* Whether asking again soon may help: no answer (0), 408, 425, 429, 5xx but 501. */
bool http_may_retry(int status);

/* "https://hooks.example.com": what may be shown of a URL. */
const char *http_shown(Arena *a, const char *url);
