#include "base/jr.h"

enum { MAX_DEPTH = 64 };

void
jr_init(JsonReader *r, Arena *a, Str text)
{
    *r = (JsonReader){.arena = a, .text = text};
}

static bool
bad(JsonReader *r)
{
    r->is_bad = true;
    r->at = r->text.n;
    return false;
}

/* The next byte that is not white space, 0 at the end. */
static char
peek(JsonReader *r)
{
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
    }
    return 0;
}

static bool
expect(JsonReader *r, char c)
{
    if (peek(r) != c)
        return bad(r);
    r->at++;
    return true;
}

static void
open_level(JsonReader *r, char c)
{
    if (!expect(r, c))
        return;
    if (++r->depth > MAX_DEPTH)
        bad(r);
    r->is_first = true;
}

/* Step to the next member; false at `close`. */
static bool
next(JsonReader *r, char close)
{
    bool first = r->is_first;
    r->is_first = false;
    if (r->is_bad)
        return false;
    if (peek(r) == close) {
        r->at++;
        r->depth--;
        return false;
    }
    return first || expect(r, ',');
}

void
jr_object(JsonReader *r)
{
    open_level(r, '{');
}

void
jr_array(JsonReader *r)
{
    open_level(r, '[');
}

bool
jr_item(JsonReader *r)
{
    return next(r, ']');
}

bool
jr_key(JsonReader *r, Str *ret_key)
{
    if (!next(r, '}'))
        return false;
    *ret_key = jr_str(r);
    return expect(r, ':');
}

static int
hex4(JsonReader *r)
{
    int value = 0;
    if (r->text.n - r->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = r->text.p[r->at++];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void
add_utf8(Buf *b, int c)
{
    if (c < 0x80)
        buf_addc(b, (char)c);
    else if (c < 0x800) {
        buf_addc(b, (char)(0xC0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    } else {
        if (c < 0x10000)
            buf_addc(b, (char)(0xE0 | c >> 12));
        else {
            buf_addc(b, (char)(0xF0 | c >> 18));
            buf_addc(b, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_addc(b, (char)(0x80 | (c & 0x3F)));
    }
}

/* Behind the backslash. */
static bool
escape(JsonReader *r, Buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->text.n)
        return false;
    char c = r->text.p[r->at++];
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        buf_addc(b, to[simple - from]);
        return true;
    }
    if (c != 'u')
        return false;
    int high = hex4(r);
    if (high >= 0xD800 && high < 0xDC00) {
        if (r->text.n - r->at < 2 || memcmp(r->text.p + r->at, "\\u", 2) != 0)
            return false;
        r->at += 2;
        int low = hex4(r);
        if (low < 0xDC00 || low > 0xDFFF)
            return false;
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    } else if (high >= 0xDC00 && high <= 0xDFFF)
        return false;
    if (high <= 0) /* no text of ours holds a NUL */
        return false;
    add_utf8(b, high);
    return true;
}

Str
jr_str(JsonReader *r)
{
    if (!expect(r, '"'))
        return STR("");
    const char *start = r->text.p + r->at;
    size_t left = r->text.n - r->at, n = 0;
    while (n < left && start[n] != '"' && start[n] != '\\' && (unsigned char)start[n] >= 0x20)
        n++;
    Str head = {start, n};
    r->at += n;
    if (n < left && start[n] == '"') {
        r->at++;
        return (Str){str_dup(r->arena, head), n};
    }
    Buf b;
    buf_init(&b, r->arena);
    buf_add(&b, head);
    while (r->at < r->text.n) {
        char c = r->text.p[r->at++];
        if (c == '"')
            return buf_str(&b);
        if ((unsigned char)c < 0x20 || (c == '\\' && !escape(r, &b)))
            break;
        if (c != '\\')
            buf_addc(&b, c);
    }
    bad(r);
    return STR("");
}

/* The bytes of a number or word. */
static Str
word(JsonReader *r)
{
    peek(r);
    size_t from = r->at;
    while (r->at < r->text.n && r->text.p[r->at] > ' ' && !strchr(",]}:\"[{", r->text.p[r->at]))
        r->at++;
    return str_slice(r->text, from, r->at);
}

int64_t
jr_int(JsonReader *r)
{
    long long value = 0;
    if (!str_to_int(word(r), INT64_MIN, INT64_MAX, &value))
        bad(r);
    return value;
}

bool
jr_bool(JsonReader *r)
{
    Str w = word(r);
    bool yes = str_is(w, "true");
    return yes || str_is(w, "false") ? yes : bad(r);
}

bool
jr_null(JsonReader *r)
{
    if (peek(r) != 'n')
        return false;
    return str_is(word(r), "null") || bad(r);
}

void
jr_skip(JsonReader *r)
{
    Str key;
    switch (peek(r)) {
    case '{':
        for (jr_object(r); jr_key(r, &key);)
            jr_skip(r);
        break;
    case '[':
        for (jr_array(r); jr_item(r);)
            jr_skip(r);
        break;
    case '"':
        jr_str(r);
        break;
    default:
        if (word(r).n == 0)
            bad(r);
    }
}

bool
jr_done(JsonReader *r)
{
    return peek(r) == 0 && r->at == r->text.n && r->depth == 0 && !r->is_bad;
}
