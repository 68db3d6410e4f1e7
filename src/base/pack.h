/* A tree of values in a form of our own, for caches that only the same Aramid reads back: what base/jw
 * writes after jw_init_packed(). Lengths stand before texts, so that nothing is escaped and nothing
 * copied. It walks the text once and builds no tree.
 *
 *     PackReader r; pack_init(&r, text);
 *     pack_object(&r);
 *     for (Str key; pack_key(&r, &key);)
 *         if (str_is(key, "name")) name = pack_str(&r);
 *         else if (str_is(key, "list")) for (pack_array(&r); pack_item(&r);) ... pack_str(&r) ...
 *         else r.is_bad = true;
 *     if (!pack_done(&r)) ... damaged
 *
 * Each value must be read. Errors are sticky: after the first one every call gives zero and ends its
 * loop, so that one check at the end is enough. Strings end with a NUL and point into the text.
 *
 *     value = text | "i" digits ";" | "t" | "f" | "n" | "{" (text value)* "}" | "[" value* "]"
 *     text  = length ":" bytes NUL */
#pragma once

#include "base/str.h"

typedef struct PackReader {
    Str text;
    size_t at;
    bool is_bad;
    int depth;
} PackReader;

void pack_init(PackReader *r, Str text);
void pack_object(PackReader *r);            /* expects an object */
bool pack_key(PackReader *r, Str *ret_key); /* next key, false at its end (which is consumed) */
void pack_array(PackReader *r);             /* expects an array */
bool pack_item(PackReader *r); /* whether another value follows, false at the end (consumed) */
Str pack_str(PackReader *r);
int64_t pack_int(PackReader *r);
bool pack_bool(PackReader *r);
bool pack_null(PackReader *r); /* whether a null stands here (then it is consumed) */
bool pack_done(PackReader *r); /* all was read without an error */
