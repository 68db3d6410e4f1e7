/* JSON writer: structure is checked by the caller's nesting, text is always valid UTF-8 JSON
 * (invalid bytes become U+FFFD).
 *
 *     JsonWriter w; jw_init(&w, a, true);
 *     jw_object(&w, NULL);
 *       jw_str(&w, "name", STR("x")); jw_int(&w, "n", 3);
 *       jw_array(&w, "list"); jw_str(&w, NULL, s); jw_end(&w);
 *     jw_end(&w);
 *     Str out = buf_str(&w.out);
 *
 * `key` is NULL inside arrays and for the root value. jw_init_packed() writes the same tree in the form
 * of base/pack.h, for caches; texts are then kept as they are. */
#pragma once

#include "base/str.h"

typedef struct JsonWriter {
    Buf out;
    bool pretty, is_packed;
    int depth;
    bool first;
    char stack[64];
} JsonWriter;

void jw_init(JsonWriter *w, Arena *a, bool pretty);
void jw_init_packed(JsonWriter *w, Arena *a);
void jw_object(JsonWriter *w, const char *key);
void jw_array(JsonWriter *w, const char *key);
void jw_end(JsonWriter *w); /* of the innermost object or array */
void jw_str(JsonWriter *w, const char *key, Str value);
void jw_strz(JsonWriter *w, const char *key, const char *value); /* NULL writes null */
void jw_int(JsonWriter *w, const char *key, int64_t value);
void jw_bool(JsonWriter *w, const char *key, bool value);
void jw_null(JsonWriter *w, const char *key);
void jw_raw(JsonWriter *w, const char *key, Str json); /* a value that is JSON already */
