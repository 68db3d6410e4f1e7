#include "psl/lex.h"
#include "psl/unicode.h"

static inline bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
is_alnum(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

uint32_t
lex_code_point(Str t, size_t at, size_t *ret_n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)t.p[at];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
    *ret_n = 1;
    if (n == 1)
        return c;
    if (n == 0 || c > 0xf4 || t.n - at < n)
        return 0xfffd;
    uint32_t cp = c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)t.p[at + i];
        if ((next & 0xc0) != 0x80)
            return 0xfffd;
        cp = cp << 6 | (next & 0x3f);
    }
    if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0xfffd;
    *ret_n = n;
    return cp;
}

size_t
lex_space(Str t, size_t at)
{
    while (at < t.n) {
        char c = t.p[at];
        size_t n = 1;
        if (c != ' ' && c != '\t' && (!(c & 0x80) || !unicode_is_space(lex_code_point(t, at, &n))))
            break;
        at += n;
    }
    return at;
}

size_t
lex_newline(Str t, size_t at)
{
    if (at < t.n && t.p[at] == '\n')
        return at + 1;
    if (at < t.n && t.p[at] == '\r')
        return at + 1 < t.n && t.p[at + 1] == '\n' ? at + 2 : at + 1;
    return at;
}

size_t
lex_line(Str t, size_t at)
{
    while (at < t.n && t.p[at] != '\n' && t.p[at] != '\r')
        at++;
    return at;
}

size_t
lex_name(Str t, size_t at)
{
    size_t start = at;
    while (at < t.n) {
        char c = t.p[at];
        size_t n = 1;
        if (c & 0x80 ? !unicode_is_letter(lex_code_point(t, at, &n))
                     : !is_alnum(c) && (at == start || (c != '_' && c != '-')))
            break;
        at += n;
    }
    return at;
}

size_t
lex_path(Str t, size_t at)
{
    size_t end = lex_name(t, at);
    if (end == at)
        return at;
    while (end < t.n && t.p[end] == '.')
        end = lex_name(t, end + 1);
    return end;
}

static size_t
digits(Str t, size_t at)
{
    while (at < t.n && is_digit(t.p[at]))
        at++;
    return at;
}

size_t
lex_number(Str t, size_t at)
{
    size_t start = at + (at < t.n && t.p[at] == '-');
    size_t end = digits(t, start);
    if (end == start)
        return at;
    if (end < t.n && t.p[end] == '.') {
        size_t fraction = digits(t, end + 1);
        if (fraction > end + 1)
            return fraction;
    }
    return end;
}

size_t
lex_string(Str t, size_t at, size_t *ret_bad)
{
    if (at >= t.n || t.p[at] != '"')
        return at;
    size_t end = at + 1;
    while (end < t.n && t.p[end] != '"') {
        if (t.p[end] == '\\' && end + 1 < t.n)
            end++; /* whatever follows is part of the escape, line ends included */
        else if ((unsigned char)t.p[end] < 0x20)
            break;
        end++;
    }
    if (end < t.n && t.p[end] == '"')
        return end + 1;
    if (ret_bad)
        *ret_bad = end;
    return at;
}

/* Four hexadecimal digits at `at`, or -1. */
static int
hex4(Str s, size_t at)
{
    if (s.n < 4 || at > s.n - 4)
        return -1;
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = s.p[i];
        if (!is_digit(c) && ((c | 32) < 'a' || (c | 32) > 'f'))
            return -1;
        value = value * 16 + (is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
}

static void
put_utf8(Buf *b, uint32_t cp)
{
    if (cp < 0x80) {
        buf_addc(b, (char)cp);
        return;
    }
    int more = cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    buf_addc(b, (char)(lead[more] | cp >> (6 * more)));
    while (more--)
        buf_addc(b, (char)(0x80 | (cp >> (6 * more) & 0x3f)));
}

/* Decode the escape at `at` (its backslash); returns its length and sets *ret_ok. Two \u escapes
 * may stand for one character beyond U+FFFF, as in JSON. */
static size_t
unescape(Buf *b, Str s, size_t at, bool *ret_ok)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = at + 1 < s.n ? s.p[at + 1] : '\0';
    const char *plain = c ? strchr(from, c) : NULL;
    *ret_ok = true;
    if (plain) {
        buf_addc(b, to[plain - from]);
        return 2;
    }
    int high = c == 'u' ? hex4(s, at + 2) : -1;
    if (high >= 0 && (high & 0xf800) != 0xd800) {
        put_utf8(b, (uint32_t)high);
        return 6;
    }
    if (high >= 0 && high < 0xdc00 && at + 8 <= s.n && s.p[at + 6] == '\\' && s.p[at + 7] == 'u') {
        int low = hex4(s, at + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            put_utf8(b, 0x10000 + ((uint32_t)(high & 0x3ff) << 10) + (uint32_t)(low & 0x3ff));
            return 12;
        }
    }
    *ret_ok = false;
    if (high >= 0)
        return 6;
    size_t n = 1;
    if (at + 1 < s.n)
        lex_code_point(s, at + 1, &n);
    return at + 1 < s.n ? 1 + n : 1;
}

Str
lex_unescape(Arena *a, Str content, size_t *ret_bad, size_t *ret_bad_len)
{
    *ret_bad_len = 0;
    if (content.n == 0 || !memchr(content.p, '\\', content.n))
        return content;
    Buf b;
    buf_init(&b, a);
    for (size_t at = 0; at < content.n;) {
        const char *slash = memchr(content.p + at, '\\', content.n - at);
        size_t to = slash ? (size_t)(slash - content.p) : content.n;
        buf_add(&b, str_slice(content, at, to));
        at = to;
        if (!slash)
            break;
        bool ok;
        size_t n = unescape(&b, content, at, &ok);
        if (!ok && !*ret_bad_len) {
            *ret_bad = at;
            *ret_bad_len = n;
        }
        at += n;
    }
    return buf_str(&b);
}

bool
lex_comment_line(Str comment, size_t *at, Str *ret)
{
    Str inside = str_slice(comment, 2, comment.n - 2);
    while (*at < inside.n) {
        size_t end = lex_line(inside, *at);
        Str line = str_trim(str_slice(inside, *at, end));
        *at = lex_newline(inside, end);
        if (line.n && line.p[0] == '*')
            line = str_trim(str_slice(line, 1, line.n));
        *ret = line;
        if (line.n)
            return true;
    }
    return false;
}

size_t
lex_columns(Str text)
{
    size_t columns = 0;
    for (size_t at = 0, n; at < text.n; at += n) {
        n = 1;
        columns += text.p[at] & 0x80 ? unicode_columns(lex_code_point(text, at, &n)) : 1;
    }
    return columns;
}
