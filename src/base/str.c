/* Views of text, building text, and what of it may go to a terminal. */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool
str_ieq(Str a, Str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool
str_starts(Str s, Str prefix)
{
    return s.n >= prefix.n && str_eq((Str){s.p, prefix.n}, prefix);
}

bool
str_ends(Str s, Str suffix)
{
    return s.n >= suffix.n && str_eq((Str){s.p + s.n - suffix.n, suffix.n}, suffix);
}

bool
str_contains(Str s, Str needle)
{
    return needle.n == 0 || (s.n && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

bool
str_icontains(Str s, Str needle)
{
    if (!needle.n)
        return true;
    unsigned char first = (unsigned char)needle.p[0], other = first;
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z'))
        other = first ^ 0x20;
    for (size_t i = 0; i + needle.n <= s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c == first || c == other) && str_ieq((Str){s.p + i, needle.n}, needle))
            return true;
    }
    return false;
}

int
str_cmp(Str a, Str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str
str_trim(Str s)
{
    while (s.n && is_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

Str
str_cut(Str *rest, char sep)
{
    const char *hit = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    Str part = *rest;
    if (!hit) {
        *rest = (Str){NULL, 0};
        return part;
    }
    part.n = (size_t)(hit - rest->p);
    *rest = (Str){hit + 1, rest->n - part.n - 1};
    return part;
}

char *
str_dup(Arena *a, Str s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

char *
str_dupz(Arena *a, const char *z)
{
    return z ? str_dup(a, str_of(z)) : NULL;
}

Str
str_copy(Arena *a, Str s)
{
    return (Str){str_dup(a, s), s.n};
}

char *
str_vfmt(Arena *a, const char *fmt, va_list ap)
{
    char near[256]; /* most texts fit */
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(near, sizeof near, fmt, ap);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *p = arena_alloc(a, size);
    if (n < 0)
        p[0] = 0;
    else if (size <= sizeof near)
        memcpy(p, near, size);
    else
        vsnprintf(p, size, fmt, again);
    va_end(again);
    return p;
}

char *
str_fmt(Arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = str_vfmt(a, fmt, ap);
    va_end(ap);
    return p;
}

char *
str_count(Arena *a, int64_t n, const char *word)
{
    return str_fmt(a, "%lld %s%s", (long long)n, word, str_plural(n));
}

char *
str_bytes(Arena *a, int64_t n)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
    if (n < 1000)
        return str_fmt(a, "%lld byte%s", (long long)n, str_plural(n));
    double value = (double)n;
    int unit = -1;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    return str_fmt(a, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

bool
str_to_int(Str s, long long min, long long max, long long *ret)
{
    char tmp[32];
    if (s.n == 0 || s.n >= sizeof tmp)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (i == 0 && s.n > 1 && s.p[i] == '-')))
            return false;
    memcpy(tmp, s.p, s.n);
    tmp[s.n] = 0;
    errno = 0;
    long long v = strtoll(tmp, NULL, 10);
    if (errno || v < min || v > max)
        return false;
    *ret = v;
    return true;
}

/* Length of the valid UTF-8 sequence at p (n bytes left), 0 when invalid; *cp its code point. */
static size_t
utf8_decode(const unsigned char *p, size_t n, uint32_t *cp)
{
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    size_t len;
    uint32_t c, min;
    if ((p[0] & 0xe0) == 0xc0)
        len = 2, c = p[0] & 0x1f, min = 0x80;
    else if ((p[0] & 0xf0) == 0xe0)
        len = 3, c = p[0] & 0x0f, min = 0x800;
    else if ((p[0] & 0xf8) == 0xf0)
        len = 4, c = p[0] & 0x07, min = 0x10000;
    else
        return 0;
    if (n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return len;
}

size_t
str_utf8_invalid_at(Str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t cp;
        size_t len = utf8_decode(p + i, s.n - i, &cp);
        if (!len)
            return i;
        i += len;
    }
    return s.n;
}

size_t
str_utf8_len(Str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return count;
}

size_t
str_utf8_offset(Str s, size_t index)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && index-- == 0)
            break;
    return i;
}

void
str_line_col(Str s, size_t off, int *ret_line, int *ret_col)
{
    int line = 1;
    size_t start = 0;
    if (off > s.n)
        off = s.n;
    for (size_t i = 0; i < off; i++)
        if (s.p[i] == '\n' || (s.p[i] == '\r' && !(i + 1 < s.n && s.p[i + 1] == '\n')))
            line++, start = i + 1;
    *ret_line = line;
    *ret_col = (int)str_utf8_len(str_slice(s, start, off)) + 1;
}

void
str_cursor_to(StrCursor *c, Str text, size_t off)
{
    if (off > text.n)
        off = text.n;
    if (c->text.p != text.p || c->text.n != text.n || c->line == 0 || off < c->off)
        *c = (StrCursor){text, 0, 1, 1};
    const char *p = text.p;
    for (; c->off < off; c->off++) {
        char ch = p[c->off];
        bool is_crlf = ch == '\r' && c->off + 1 < text.n && p[c->off + 1] == '\n';
        if (ch == '\n' || (ch == '\r' && !is_crlf))
            c->line++, c->column = 1;
        else if (c->off + 1 >= text.n || ((unsigned char)p[c->off + 1] & 0xc0) != 0x80)
            c->column++;
    }
}

Str
str_line_at(Str s, size_t off)
{
    if (off > s.n)
        off = s.n;
    size_t from = off, to = off;
    while (from > 0 && s.p[from - 1] != '\n' && s.p[from - 1] != '\r')
        from--;
    while (to < s.n && s.p[to] != '\n' && s.p[to] != '\r')
        to++;
    return str_slice(s, from, to);
}

size_t
str_distance(Str a, Str b, size_t max)
{
    enum { MAX = 64 };
    if (a.n > MAX || b.n > MAX || (a.n > b.n ? a.n - b.n : b.n - a.n) > max)
        return max + 1;
    size_t rows[3][MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        const size_t *above = rows[(i - 1) % 3], *twice = rows[(i + 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            size_t best = above[j - 1] + (x != y);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            bool swapped =
                i > 1 && j > 1 && x == lower(b.p[j - 2]) && y == lower(a.p[i - 2]) && x != y;
            row[j] = swapped && twice[j - 2] + 1 < best ? twice[j - 2] + 1 : best;
        }
    }
    size_t n = rows[a.n % 3][b.n];
    return n > max ? max + 1 : n;
}

static bool
is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

char *
str_printable(Arena *a, Str s, bool multiline)
{
    Buf b;
    buf_init(&b, a);
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        size_t len = utf8_decode(p + i, s.n - i, &cp);
        if (!len) {
            buf_fmt(&b, "\\x%02x", (unsigned)p[i++]);
            continue;
        }
        if (multiline && cp == '\r' && i + 1 < s.n && p[i + 1] == '\n')
            ;
        else if (!is_hidden(cp) || (multiline && (cp == '\n' || cp == '\t')))
            buf_add(&b, str_slice(s, i, i + len));
        else if (cp < 0x100)
            buf_fmt(&b, "\\x%02x", (unsigned)cp);
        else
            buf_fmt(&b, "\\u{%x}", (unsigned)cp);
        i += len;
    }
    return b.p;
}

const char *
str_shell(Arena *a, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";
    const char *shown = str_printable(a, str_of(word), false);
    if (*shown && !shown[strspn(shown, plain)])
        return shown;
    Buf b;
    buf_init(&b, a);
    buf_addc(&b, '\'');
    for (const char *p = shown; *p; p++)
        if (*p == '\'')
            buf_addz(&b, "'\\''");
        else
            buf_addc(&b, *p);
    buf_addc(&b, '\'');
    return b.p;
}

void
buf_init(Buf *b, Arena *a)
{
    *b = (Buf){.arena = a, .p = arena_alloc(a, 64), .cap = 64};
}

Str
buf_finish(Buf *b)
{
    b->p = arena_grow(b->arena, b->p, b->cap, b->n + 1);
    b->cap = b->n + 1;
    return buf_str(b);
}

void
buf_clear(Buf *b)
{
    b->n = 0;
    b->p[0] = 0;
}

static void
buf_reserve(Buf *b, size_t more)
{
    if (b->cap - b->n > more)
        return;
    size_t bigger = b->cap < 1024 * 1024 ? b->cap * 2 : b->cap + b->cap / 4;
    size_t cap = bigger > b->n + more + 1 ? bigger : b->n + more + 1;
    b->p = arena_grow(b->arena, b->p, b->cap, cap);
    b->cap = cap;
}

void
buf_room(Buf *b, size_t more)
{
    if (b->cap - b->n > more)
        return;
    b->p = arena_grow(b->arena, b->p, b->cap, b->n + more + 1);
    b->cap = b->n + more + 1;
}

void
buf_add(Buf *b, Str s)
{
    if (!s.n)
        return;
    buf_reserve(b, s.n);
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = 0;
}

void
buf_addz(Buf *b, const char *z)
{
    buf_add(b, str_of(z));
}

void
buf_addc(Buf *b, char c)
{
    buf_reserve(b, 1);
    b->p[b->n++] = c;
    b->p[b->n] = 0;
}

void
buf_addn(Buf *b, char c, size_t count)
{
    buf_reserve(b, count);
    memset(b->p + b->n, c, count);
    b->n += count;
    b->p[b->n] = 0;
}

void
buf_fmt(Buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
    if (n >= 0 && (size_t)n >= b->cap - b->n) {
        buf_reserve(b, (size_t)n);
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    va_end(ap);
    if (n > 0)
        b->n += (size_t)n;
}
