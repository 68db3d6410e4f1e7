/* Constants in default expressions, as a server prints them. */
#include "bridge/pull_int.h"

#include <ctype.h>
#include <strings.h>

bool
pull_is_word(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || (unsigned char)ch >= 0x80;
}

static void
skip_space(PullReader *r)
{
    while (r->at < r->s.n && isspace((unsigned char)r->s.p[r->at]))
        r->at++;
}

bool
pull_take(PullReader *r, const char *text)
{
    skip_space(r);
    size_t n = strlen(text);
    if (r->s.n - r->at < n || strncasecmp(r->s.p + r->at, text, n) != 0)
        return false;
    r->at += n;
    return true;
}

static bool
read_string(PullReader *r, Str *ret)
{
    Buf b;
    buf_init(&b, r->a);
    bool escapes = r->at < r->s.n && (r->s.p[r->at] == 'E' || r->s.p[r->at] == 'e') &&
                   r->at + 1 < r->s.n && r->s.p[r->at + 1] == '\'';
    r->at += escapes ? 1 : 0;
    if (!pull_take(r, "'"))
        return false;
    for (; r->at < r->s.n; r->at++) {
        char ch = r->s.p[r->at];
        if (ch == '\'' && !(r->at + 1 < r->s.n && r->s.p[r->at + 1] == '\'')) {
            r->at++;
            *ret = buf_finish(&b);
            return true;
        }
        if (ch == '\'') {
            r->at++;
        } else if (ch == '\\' && escapes) {
            if (r->at + 1 >= r->s.n || r->s.p[r->at + 1] != '\\')
                return false;
            r->at++;
        }
        buf_addc(&b, r->s.p[r->at]);
    }
    return false;
}

/* The name of a type behind `::`. */
static bool
read_cast(PullReader *r)
{
    size_t before = r->at;
    bool quoted = false;
    skip_space(r);
    for (; r->at < r->s.n; r->at++) {
        char ch = r->s.p[r->at];
        if (ch == '"')
            quoted = !quoted;
        else if (ch == '(' && !quoted) {
            while (r->at < r->s.n && r->s.p[r->at] != ')')
                r->at++;
        } else if (ch == '[' && !quoted) {
            if (r->at + 1 >= r->s.n || r->s.p[r->at + 1] != ']')
                return false;
            r->at++;
        } else if (!quoted && !pull_is_word(ch) && ch != '.' && ch != ' ') {
            break;
        }
    }
    return r->at > before;
}

static bool
read_elements(PullReader *r, PullValue *ret)
{
    VEC(PullValue) all = {0};
    ret->kind = VALUE_ARRAY;
    while (!pull_take(r, "]")) {
        if (all.n && !pull_take(r, ","))
            return false;
        if (!pull_read_value(r, vec_add(r->a, &all)))
            return false;
    }
    ret->v = all.v;
    ret->n = all.n;
    return true;
}

static bool
read_primary(PullReader *r, PullValue *ret)
{
    skip_space(r);
    if (r->at >= r->s.n)
        return false;
    char ch = r->s.p[r->at];
    if (pull_take(r, "("))
        return pull_read_value(r, ret) && pull_take(r, ")");
    if (pull_take(r, "ARRAY["))
        return read_elements(r, ret);
    ret->kind = VALUE_STRING;
    if (ch == '\'' || ((ch == 'E' || ch == 'e') && r->at + 1 < r->s.n && r->s.p[r->at + 1] == '\''))
        return read_string(r, &ret->text);
    ret->kind = VALUE_WORD;
    size_t from = r->at;
    if (ch == '-')
        r->at++;
    while (r->at < r->s.n && (pull_is_word(r->s.p[r->at]) || r->s.p[r->at] == '.'))
        r->at++;
    ret->text = str_slice(r->s, from, r->at);
    return r->at > from;
}

bool
pull_read_value(PullReader *r, PullValue *ret)
{
    bool ok = r->depth++ < 32 && read_primary(r, ret);
    while (ok && pull_take(r, "::"))
        ok = read_cast(r);
    r->depth--;
    return ok;
}

bool
pull_read_array(Arena *a, Str s, PullValue *ret)
{
    VEC(PullValue) all = {0};
    if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}')
        return false;
    size_t i = 1, end = s.n - 1;
    while (i < end) {
        Buf b;
        buf_init(&b, a);
        bool quoted = s.p[i] == '"';
        for (i += quoted ? 1 : 0; i < end && s.p[i] != (quoted ? '"' : ','); i++) {
            if (s.p[i] == '{' && !quoted)
                return false;
            if (s.p[i] == '\\' && i + 1 < end)
                i++;
            buf_addc(&b, s.p[i]);
        }
        i += quoted ? 1 : 0;
        PullValue *v = vec_add(a, &all);
        *v = (PullValue){.kind = VALUE_STRING, .text = buf_finish(&b)};
        if (!quoted && str_ieq(v->text, STR("null")))
            return false;
        if (i < end && s.p[i] != ',')
            return false;
        i++;
    }
    *ret = (PullValue){.kind = VALUE_ARRAY, .v = all.v, .n = all.n};
    return true;
}
