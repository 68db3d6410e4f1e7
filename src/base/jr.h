/* JSON reader: the counterpart of base/jw for texts that Aramid wrote itself (caches). It walks the
 * text once and builds no tree.
 *
 *     JsonReader r; jr_init(&r, a, text);
 *     jr_object(&r);
 *     for (Str key; jr_key(&r, &key);)
 *         if (str_is(key, "name")) name = jr_str(&r);
 *         else if (str_is(key, "list")) for (jr_array(&r); jr_item(&r);) ... jr_str(&r) ...
 *         else jr_skip(&r);
 *     if (!jr_done(&r)) ... damaged
 *
 * Each value must be read or skipped. Errors are sticky: after the first one every call gives zero
 * and ends its loop, so that one check at the end is enough. Strings are NUL-terminated copies in
 * the arena. Files of people are read by config/. */
#pragma once

#include "base/str.h"

typedef struct JsonReader {
    Arena *arena;
    Str text;
    size_t at;
    bool is_bad;
    bool is_first; /* of the object or array that was just opened */
    int depth;
} JsonReader;

void jr_init(JsonReader *r, Arena *a, Str text);
void jr_object(JsonReader *r);            /* expects { */
bool jr_key(JsonReader *r, Str *ret_key); /* next key, false at } (which is consumed) */
void jr_array(JsonReader *r);             /* expects [ */
bool jr_item(JsonReader *r);              /* whether another value follows, false at ] (consumed) */
Str jr_str(JsonReader *r);
int64_t jr_int(JsonReader *r);
bool jr_bool(JsonReader *r);
bool jr_null(JsonReader *r); /* whether a null stands here (then it is consumed) */
void jr_skip(JsonReader *r); /* any value */
bool jr_done(JsonReader *r); /* all was read without an error */
