/* JSON reader: jansson behind the counterpart of base/jw. The text is parsed at once; the reader then
 * walks what it says.
 *
 *     JsonReader r; jr_init(&r, a, text);
 *     jr_object(&r);
 *     for (Str key; jr_key(&r, &key);)
 *         if (str_is(key, "name")) name = jr_str(&r);
 *         else if (str_is(key, "list")) for (jr_array(&r); jr_item(&r);) ... jr_str(&r) ...
 *     if (!jr_done(&r)) ... r.line and r.why tell where and why, or the values are not as expected
 *
 * A value that is not read is skipped. Errors are sticky: after the first one every call gives zero and
 * ends its loop, so that one check at the end is enough; jr_done() must be called, it frees. Strings
 * are NUL-terminated copies in the arena. A NUL in a string, bytes that are no UTF-8 and numbers beyond
 * int64_t are errors; of a key that stands twice the last value counts. Files that are edited in place
 * are read by project/json.c. */
#pragma once

#include "base/str.h"

enum { JR_DEPTH = 64 }; /* of what is walked into */

typedef struct JsonReader {
    Arena *arena;
    bool is_bad;
    int line, column;            /* of a text that is no JSON, from 1; else 0 */
    const char *why;             /* what is wrong there */
    struct json_t *root, *value; /* value: the next one to read, NULL: none */
    int depth;
    struct {
        struct json_t *in;
        void *member; /* of an object: the next one */
        size_t index; /* of an array: the next one */
    } level[JR_DEPTH];
} JsonReader;

void jr_init(JsonReader *r, Arena *a, Str text);
void jr_object(JsonReader *r);            /* expects an object */
bool jr_key(JsonReader *r, Str *ret_key); /* next key, false behind the last */
void jr_array(JsonReader *r);             /* expects an array */
bool jr_item(JsonReader *r);              /* whether another value follows */
Str jr_str(JsonReader *r);
int64_t jr_int(JsonReader *r);
bool jr_bool(JsonReader *r);
bool jr_null(JsonReader *r);            /* whether a null stands here (then it is consumed) */
bool jr_is_object(const JsonReader *r); /* whether an object stands here */
bool jr_is_str(const JsonReader *r);
void jr_skip(JsonReader *r); /* any value */
bool jr_done(JsonReader *r); /* free; whether all was read without an error */
