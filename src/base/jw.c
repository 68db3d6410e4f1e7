/* Writing JSON. */
#include "base/jw.h"

#include "base/invariant.h"

#include <inttypes.h>

void
jw_init(JsonWriter *w, Arena *a, bool pretty)
{
    *w = (JsonWriter){.pretty = pretty, .first = true};
    buf_init(&w->out, a);
}

void
jw_init_packed(JsonWriter *w, Arena *a)
{
    jw_init(w, a, false);
    w->is_packed = true;
}

static void
newline(JsonWriter *w)
{
    if (w->pretty) {
        buf_addc(&w->out, '\n');
        buf_addn(&w->out, ' ', (size_t)w->depth * 2);
    }
}

static void
text(JsonWriter *w, Str s)
{
    static const char hex[] = "0123456789abcdef";
    if (w->is_packed) {
        buf_fmt(&w->out, "%zu:", s.n);
        buf_add(&w->out, s);
        buf_addc(&w->out, '\0');
        return;
    }
    buf_addc(&w->out, '"');
    for (size_t i = 0; i < s.n;) {
        size_t plain = i;
        while (plain < s.n && s.p[plain] >= 0x20 && s.p[plain] < 0x7f && s.p[plain] != '"' &&
               s.p[plain] != '\\')
            plain++;
        buf_add(&w->out, str_slice(s, i, plain));
        i = plain;
        if (i == s.n)
            break;
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80) {
            Str rest = str_slice(s, i, s.n);
            size_t ok = 1;
            while (ok < rest.n && ok < 4 && ((unsigned char)rest.p[ok] & 0xc0) == 0x80)
                ok++;
            Str one = str_slice(rest, 0, ok);
            if (str_utf8_invalid_at(one) == one.n) {
                buf_add(&w->out, one);
                i += ok;
            } else {
                buf_addz(&w->out, "\xef\xbf\xbd");
                i++;
            }
            continue;
        }
        if (c == '"' || c == '\\')
            buf_addc(&w->out, '\\'), buf_addc(&w->out, (char)c);
        else if (c == '\n')
            buf_addz(&w->out, "\\n");
        else if (c == '\t')
            buf_addz(&w->out, "\\t");
        else if (c == '\r')
            buf_addz(&w->out, "\\r");
        else if (c < 0x20 || c == 0x7f) {
            buf_addz(&w->out, "\\u00");
            buf_addc(&w->out, hex[c >> 4]);
            buf_addc(&w->out, hex[c & 15]);
        } else
            buf_addc(&w->out, (char)c);
        i++;
    }
    buf_addc(&w->out, '"');
}

static void
begin_value(JsonWriter *w, const char *key)
{
    if (w->depth > 0 && !w->is_packed) {
        if (!w->first)
            buf_addc(&w->out, ',');
        newline(w);
    }
    w->first = false;
    if (key) {
        text(w, str_of(key));
        buf_addz(&w->out, w->is_packed ? "" : w->pretty ? ": " : ":");
    }
}

static void
open_with(JsonWriter *w, const char *key, char c)
{
    begin_value(w, key);
    buf_addc(&w->out, c);
    INVARIANT(w->depth < (int)sizeof w->stack, "JSON that nests too deep");
    w->stack[w->depth++] = c == '{' ? '}' : ']';
    w->first = true;
}

void
jw_object(JsonWriter *w, const char *key)
{
    open_with(w, key, '{');
}

void
jw_array(JsonWriter *w, const char *key)
{
    open_with(w, key, '[');
}

void
jw_end(JsonWriter *w)
{
    INVARIANT(w->depth > 0, "an end of JSON without its beginning");
    char c = w->stack[--w->depth];
    if (!w->first)
        newline(w);
    buf_addc(&w->out, c);
    w->first = false;
    if (w->depth == 0 && w->pretty)
        buf_addc(&w->out, '\n');
}

void
jw_str(JsonWriter *w, const char *key, Str value)
{
    begin_value(w, key);
    text(w, value);
}

void
jw_strz(JsonWriter *w, const char *key, const char *value)
{
    if (value)
        jw_str(w, key, str_of(value));
    else
        jw_null(w, key);
}

void
jw_int(JsonWriter *w, const char *key, int64_t value)
{
    begin_value(w, key);
    buf_fmt(&w->out, w->is_packed ? "i%" PRId64 ";" : "%" PRId64, value);
}

void
jw_bool(JsonWriter *w, const char *key, bool value)
{
    begin_value(w, key);
    buf_addz(&w->out, w->is_packed ? (value ? "t" : "f") : value ? "true" : "false");
}

void
jw_raw(JsonWriter *w, const char *key, Str json)
{
    INVARIANT(!w->is_packed, "JSON inside a packed tree");
    begin_value(w, key);
    buf_add(&w->out, str_trim(json));
}

void
jw_null(JsonWriter *w, const char *key)
{
    begin_value(w, key);
    buf_addz(&w->out, w->is_packed ? "n" : "null");
}
