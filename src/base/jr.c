/* Reading JSON. */
#include "base/jr.h"

#include <jansson.h>

static bool
bad(JsonReader *r)
{
    r->is_bad = true;
    r->value = NULL;
    return false;
}

void
jr_init(JsonReader *r, Arena *a, Str text)
{
    json_error_t e;
    *r = (JsonReader){.arena = a, .line = 1, .column = 1, .why = "a NUL byte"};
    if (memchr(text.p, 0, text.n)) { /* jansson would end there */
        bad(r);
        return;
    }
    r->root = r->value = json_loadb(text.p, text.n, JSON_DECODE_ANY, &e);
    r->why = r->root ? NULL : str_dupz(a, e.text);
    r->line = r->root ? 0 : e.line > 0 ? e.line : 1;
    r->column = r->root ? 0 : e.column > 0 ? e.column : 1;
    r->is_bad = !r->root;
}

/* The value that stands here, if it is of this kind. */
static json_t *
take(JsonReader *r, bool is_kind)
{
    json_t *value = r->value;
    r->value = NULL;
    if (value && is_kind)
        return value;
    bad(r);
    return NULL;
}

static void
open_level(JsonReader *r, json_t *in)
{
    if (!in)
        return;
    if (r->depth == JR_DEPTH) {
        bad(r);
        return;
    }
    r->level[r->depth].in = in;
    r->level[r->depth].index = 0;
    r->level[r->depth++].member = json_is_object(in) ? json_object_iter(in) : NULL;
}

void
jr_object(JsonReader *r)
{
    open_level(r, take(r, json_is_object(r->value)));
}

void
jr_array(JsonReader *r)
{
    open_level(r, take(r, json_is_array(r->value)));
}

bool
jr_item(JsonReader *r)
{
    if (r->is_bad)
        return false;
    r->value = json_array_get(r->level[r->depth - 1].in, r->level[r->depth - 1].index++);
    r->depth -= !r->value;
    return r->value != NULL;
}

bool
jr_key(JsonReader *r, Str *ret_key)
{
    if (r->is_bad)
        return false;
    json_t *in = r->level[r->depth - 1].in;
    void *member = r->level[r->depth - 1].member;
    if (!member) {
        r->depth--;
        return false;
    }
    const char *key = json_object_iter_key(member);
    *ret_key = str_of(str_dupz(r->arena, key));
    r->value = json_object_iter_value(member);
    r->level[r->depth - 1].member = json_object_iter_next(in, member);
    return true;
}

Str
jr_str(JsonReader *r)
{
    const json_t *value = take(r, json_is_string(r->value));
    if (!value)
        return STR("");
    Str s = {json_string_value(value), json_string_length(value)};
    return (Str){str_dup(r->arena, s), s.n};
}

int64_t
jr_int(JsonReader *r)
{
    return json_integer_value(take(r, json_is_integer(r->value)));
}

bool
jr_bool(JsonReader *r)
{
    const json_t *value = take(r, json_is_boolean(r->value));
    return json_is_true(value);
}

bool
jr_null(JsonReader *r)
{
    return json_is_null(r->value) && take(r, true);
}

bool
jr_is_object(const JsonReader *r)
{
    return json_is_object(r->value);
}

bool
jr_is_str(const JsonReader *r)
{
    return json_is_string(r->value);
}

void
jr_skip(JsonReader *r)
{
    take(r, true);
}

bool
jr_done(JsonReader *r)
{
    bool ok = !r->is_bad && r->depth == 0 && !r->value;
    json_decref(r->root);
    r->root = r->value = NULL;
    r->is_bad = true;
    return ok;
}
