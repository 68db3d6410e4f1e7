/* What the files of url share; nobody outside this folder includes it. */
#pragma once

#include "config/config.h"

/* One URL while it is read. `text` is the URL as given: positions in errors count from there. */
typedef struct UrlReader {
    Arena *a;
    const char *origin;
    Str text;
    bool has_at; /* "user@" or "user:password@" was there */
    DbUrl *url;
    Err *err;
} UrlReader;

/* Fill r->err with ERR_URL: "connection URL is invalid: <what>" and, when `at` is not NULL, the
 * position of `at` (which points into r->text). Never quotes the URL. Returns false. */
__attribute__((format(printf, 3, 4))) bool url_fail(const UrlReader *r, const char *at,
                                                    const char *what, ...);

/* The same, with the hint which characters need an escape. */
bool url_fail_escape(const UrlReader *r, const char *at, const char *what);

/* Decode percent escapes (and "+" as a space when `plus`); errors: ERR_URL at the bad escape. */
MUST_CHECK bool url_decode(const UrlReader *r, Str s, bool plus, const char **ret);

/* Add `z` with percent escapes for all ASCII but letters, digits, "-._~" and those of `also`. */
void url_encode(Buf *b, const char *z, const char *also);

/* Parse "h1:1,[::1]:2,%2Frun"; `escaped` = percent escapes are still in it. */
MUST_CHECK bool url_hosts_parse(const UrlReader *r, Str list, bool escaped);

/* Parse the query (without "?") into the keywords of libpq: what each parameter means and how
 * Prisma's TLS parameters become libpq's is decided here. */
MUST_CHECK bool url_params_parse(const UrlReader *r, Str query);
