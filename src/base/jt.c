/* JSON as a tree: jansson parses, JavaScript's rules write. */
#include "base/jt.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading -------------------------------------------------------------------------------- */

static bool
take(Arena *a, json_t *from, int depth, JsonTree *ret)
{
    *ret = (JsonTree){.kind = JT_NULL};
    if (depth > JT_DEPTH)
        return false;
    switch (json_typeof(from)) {
    case JSON_STRING:
        ret->kind = JT_STRING;
        ret->text = str_copy(a, (Str){json_string_value(from), json_string_length(from)});
        return true;
    case JSON_INTEGER:
    case JSON_REAL:
        ret->kind = JT_NUMBER;
        ret->number = json_number_value(from);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        ret->kind = JT_BOOL;
        ret->truth = json_is_true(from);
        return true;
    case JSON_NULL:
        return true;
    case JSON_ARRAY:
        ret->kind = JT_ARRAY;
        ret->items = arena_array(a, JsonTree, json_array_size(from) + 1);
        for (; ret->n < json_array_size(from); ret->n++)
            if (!take(a, json_array_get(from, ret->n), depth + 1, &ret->items[ret->n]))
                return false;
        return true;
    case JSON_OBJECT:
        break;
    }
    ret->kind = JT_OBJECT;
    ret->items = arena_array(a, JsonTree, json_object_size(from) + 1);
    ret->keys = arena_array(a, Str, json_object_size(from) + 1);
    for (void *i = json_object_iter(from); i; i = json_object_iter_next(from, i), ret->n++) {
        ret->keys[ret->n] = str_copy(a, str_of(json_object_iter_key(i)));
        if (!take(a, json_object_iter_value(i), depth + 1, &ret->items[ret->n]))
            return false;
    }
    return true;
}

bool
jt_parse(Arena *a, Str text, JsonTree *ret, JtError *error)
{
    json_error_t e;
    *ret = (JsonTree){.kind = JT_NULL};
    *error = (JtError){.line = 1, .column = 1, .why = "a NUL byte"};
    if (memchr(text.p, 0, text.n)) /* jansson would end there */
        return false;
    json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &e);
    if (!root) {
        *error = (JtError){.line = e.line > 0 ? e.line : 1,
                           .column = e.column > 0 ? e.column : 1,
                           .why = str_dupz(a, e.text)};
        return false;
    }
    bool ok = take(a, root, 0, ret);
    json_decref(root);
    if (!ok)
        *error = (JtError){.line = 1, .column = 1, .why = "it is nested too deeply"};
    return ok;
}

const JsonTree *
jt_get(const JsonTree *t, const char *key)
{
    if (!t || t->kind != JT_OBJECT)
        return NULL;
    for (size_t i = 0; i < t->n; i++)
        if (str_is(t->keys[i], key))
            return &t->items[i];
    return NULL;
}

const char *
jt_text(const JsonTree *t, const char *key)
{
    const JsonTree *value = jt_get(t, key);
    return value && value->kind == JT_STRING ? value->text.p : NULL;
}

void
jt_add_member(Arena *a, JsonTree *object, const char *key, JsonTree value)
{
    JsonTree old = *object;
    object->kind = JT_OBJECT;
    object->items = arena_array(a, JsonTree, old.n + 1);
    object->keys = arena_array(a, Str, old.n + 1);
    for (size_t i = 0; i < old.n; i++) {
        object->items[i] = old.items[i];
        object->keys[i] = old.keys[i];
    }
    object->items[old.n] = value;
    object->keys[old.n] = str_of(key);
    object->n = old.n + 1;
}

/* ---- order ---------------------------------------------------------------------------------- */

int
jt_cmp_text(Str a, Str b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
    unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
    /* Code points beyond U+FFFF are surrogates there, which come before U+E000 to U+FFFF. */
    if (x >= 0xf0 && (y == 0xee || y == 0xef))
        return -1;
    if (y >= 0xf0 && (x == 0xee || x == 0xef))
        return 1;
    return x < y ? -1 : 1;
}

/* A key that JavaScript takes for an array index: it comes before all others, by its number. */
static bool
is_index(Str key, long long *ret)
{
    return key.n && key.n <= 10 && (key.p[0] != '0' || key.n == 1) && key.p[0] != '-' &&
           key.p[0] != '+' && str_to_int(key, 0, 4294967294LL, ret);
}

static int
cmp_keys(Str a, Str b)
{
    long long x = 0, y = 0;
    bool has_x = is_index(a, &x), has_y = is_index(b, &y);
    if (has_x && has_y)
        return x < y ? -1 : x > y;
    return has_x != has_y ? (has_x ? -1 : 1) : jt_cmp_text(a, b);
}

typedef struct Member {
    Str key;
    JsonTree value;
} Member;

static int
by_key(const void *a, const void *b)
{
    return cmp_keys(((const Member *)a)->key, ((const Member *)b)->key);
}

void
jt_sort(Arena *a, JsonTree *t)
{
    for (size_t i = 0; i < t->n; i++)
        jt_sort(a, &t->items[i]);
    if (t->kind != JT_OBJECT || !t->n)
        return;
    Member *list = arena_array(a, Member, t->n);
    for (size_t i = 0; i < t->n; i++)
        list[i] = (Member){t->keys[i], t->items[i]};
    qsort(list, t->n, sizeof *list, by_key);
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (str_is(list[i].key, "__proto__")) /* is set there, not added */
            continue;
        t->keys[n] = list[i].key;
        t->items[n++] = list[i].value;
    }
    t->n = n;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Number.prototype.toString: the shortest digits that read back, plain from 1e-6 to 1e21. */
static void
add_number(Buf *b, double x)
{
    char text[40], digits[40];
    if (x == 0) { /* also -0 */
        buf_addc(b, '0');
        return;
    }
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(x));
        if (strtod(text, NULL) == fabs(x))
            break;
    }
    const char *e = strchr(text, 'e');
    int n = 0, exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = 0;
    if (x < 0)
        buf_addc(b, '-');
    int point = exponent + 1; /* digits before it */
    if (point > 21 || point < -5) {
        buf_addc(b, digits[0]);
        if (n > 1)
            buf_fmt(b, ".%s", digits + 1);
        buf_fmt(b, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
    } else if (point <= 0) {
        buf_addz(b, "0.");
        buf_addn(b, '0', (size_t)-point);
        buf_addz(b, digits);
    } else if (n <= point) {
        buf_addz(b, digits);
        buf_addn(b, '0', (size_t)(point - n));
    } else {
        buf_add(b, (Str){digits, (size_t)point});
        buf_fmt(b, ".%s", digits + point);
    }
}

static void
add_string(Buf *b, Str s)
{
    static const char plain[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *at = c ? strchr(plain, c) : NULL;
        if (at)
            buf_fmt(b, "\\%c", letters[at - plain]);
        else if (c < 0x20)
            buf_fmt(b, "\\u%04x", c);
        else
            buf_addc(b, (char)c);
    }
    buf_addc(b, '"');
}

static void
add_break(Buf *b, int indent, int depth)
{
    if (!indent)
        return;
    buf_addc(b, '\n');
    buf_addn(b, ' ', (size_t)(indent * depth));
}

static void
add_value(Buf *b, const JsonTree *t, int indent, int depth)
{
    bool is_object = t->kind == JT_OBJECT;
    switch (t->kind) {
    case JT_NULL:
        buf_addz(b, "null");
        return;
    case JT_BOOL:
        buf_addz(b, t->truth ? "true" : "false");
        return;
    case JT_NUMBER:
        add_number(b, t->number);
        return;
    case JT_STRING:
        add_string(b, t->text);
        return;
    case JT_ARRAY:
    case JT_OBJECT:
        break;
    }
    buf_addc(b, is_object ? '{' : '[');
    for (size_t i = 0; i < t->n; i++) {
        if (i)
            buf_addc(b, ',');
        add_break(b, indent, depth + 1);
        if (is_object) {
            add_string(b, t->keys[i]);
            buf_addz(b, indent ? ": " : ":");
        }
        add_value(b, &t->items[i], indent, depth + 1);
    }
    if (t->n)
        add_break(b, indent, depth);
    buf_addc(b, is_object ? '}' : ']');
}

void
jt_write(Buf *b, const JsonTree *t, int indent)
{
    add_value(b, t, indent, 0);
}
