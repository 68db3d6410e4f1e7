/* Text that fits into less, for texts made part of the program. */
#include "base/pack.h"

enum { MAX_DEPTH = 64 };

void
pack_init(PackReader *r, Str text)
{
    *r = (PackReader){.text = text};
}

static bool
bad(PackReader *r)
{
    r->is_bad = true;
    r->at = r->text.n;
    return false;
}

static char
peek(const PackReader *r)
{
    return r->at < r->text.n && !r->is_bad ? r->text.p[r->at] : 0;
}

static bool
take(PackReader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static void
open_level(PackReader *r, char c)
{
    if (!take(r, c) || ++r->depth > MAX_DEPTH)
        bad(r);
}

/* Whether a member follows; false at `close`. */
static bool
next(PackReader *r, char close)
{
    if (r->is_bad)
        return false;
    if (!take(r, close))
        return r->at < r->text.n || bad(r);
    r->depth--;
    return false;
}

void
pack_object(PackReader *r)
{
    open_level(r, '{');
}

void
pack_array(PackReader *r)
{
    open_level(r, '[');
}

bool
pack_item(PackReader *r)
{
    return next(r, ']');
}

bool
pack_key(PackReader *r, Str *ret_key)
{
    if (!next(r, '}'))
        return false;
    *ret_key = pack_str(r);
    return !r->is_bad;
}

Str
pack_str(PackReader *r)
{
    size_t n = 0, from = r->at;
    for (; peek(r) >= '0' && peek(r) <= '9' && n <= r->text.n; r->at++)
        n = n * 10 + (size_t)(peek(r) - '0');
    bool has_length = r->at > from;
    if (!has_length || !take(r, ':') || n >= r->text.n - r->at || r->text.p[r->at + n]) {
        bad(r);
        return STR("");
    }
    Str s = {r->text.p + r->at, n};
    r->at += n + 1;
    return s;
}

int64_t
pack_int(PackReader *r)
{
    long long value = 0;
    const char *from = r->text.p + r->at;
    enum { LONGEST = 24 };
    size_t left = r->text.n - r->at < LONGEST ? r->text.n - r->at : LONGEST;
    const char *end = take(r, 'i') ? memchr(from, ';', left) : NULL;
    if (!end ||
        !str_to_int((Str){from + 1, (size_t)(end - from) - 1}, INT64_MIN, INT64_MAX, &value))
        bad(r);
    else
        r->at = (size_t)(end - r->text.p) + 1;
    return value;
}

bool
pack_bool(PackReader *r)
{
    return take(r, 't') || (!take(r, 'f') && bad(r));
}

bool
pack_null(PackReader *r)
{
    return take(r, 'n');
}

bool
pack_done(PackReader *r)
{
    return r->at == r->text.n && r->depth == 0 && !r->is_bad;
}
