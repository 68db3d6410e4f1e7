#include "config/config.h"

static const char mask[] = "****";

typedef struct Redactor {
    Str text;
    Buf out;
    bool keeps_columns; /* a star for each byte, so that what stands behind stays in its place */
} Redactor;

static void
hide_span(Redactor *r, size_t from, size_t to)
{
    if (r->keeps_columns)
        buf_addn(&r->out, '*', to - from);
    else
        buf_addz(&r->out, mask);
}

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool
is_word(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether `token` (lower case) stands at `i`; its length or 0. */
static size_t
token_at(Str s, size_t i, const char *token)
{
    size_t n = 0;
    for (; token[n]; n++)
        if (i + n >= s.n || lower(s.p[i + n]) != token[n])
            return 0;
    return n;
}

/* ---- secrets that are known ----------------------------------------------------------------- */

static int
hex_value(char c)
{
    c = lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of `secret` at `i` where each byte may be plain or %XX and, when `quoted`, quotes and
 * backslashes may be doubled or escaped. 0 = it is not there. */
static size_t
secret_at(Str s, size_t i, const char *secret, bool quoted)
{
    size_t at = i;
    for (const char *c = secret; *c; c++) {
        bool special = quoted && strchr("'\"\\", *c) != NULL;
        if (special && at + 1 < s.n && s.p[at + 1] == *c && (s.p[at] == '\\' || s.p[at] == *c))
            at += 2;
        else if (at < s.n && s.p[at] == *c)
            at++;
        else if (at + 2 < s.n && s.p[at] == '%' && hex_value(s.p[at + 1]) >= 0 &&
                 hex_value(s.p[at + 2]) >= 0 &&
                 (char)(hex_value(s.p[at + 1]) * 16 + hex_value(s.p[at + 2])) == *c)
            at += 3;
        else
            return 0;
    }
    return at - i;
}

/* Whether a secret may begin with this byte; logs are long and secrets rare. */
static bool
may_begin(char c, const char *const *secrets, size_t count)
{
    if (c == '%' || c == '\\' || c == '\'' || c == '"')
        return true;
    for (size_t k = 0; k < count; k++)
        if (secrets[k] && secrets[k][0] == c)
            return true;
    return false;
}

Str
url_hide(Arena *a, Str text, const char *const *secrets, size_t count)
{
    Buf out;
    buf_init(&out, a);
    for (size_t i = 0; i < text.n;) {
        size_t plain = i;
        while (plain < text.n && !may_begin(text.p[plain], secrets, count))
            plain++;
        buf_add(&out, str_slice(text, i, plain));
        i = plain;
        if (i == text.n)
            break;
        size_t longest = 0;
        for (size_t k = 0; k < count; k++) {
            for (int quoted = 0; quoted < 2 && secrets[k]; quoted++) {
                size_t n = secret_at(text, i, secrets[k], quoted);
                longest = n > longest ? n : longest;
            }
        }
        if (longest)
            buf_addz(&out, mask);
        else
            buf_addc(&out, text.p[i]);
        i += longest ? longest : 1;
    }
    return buf_str(&out);
}

/* ---- scheme://user:secret@ ------------------------------------------------------------------ */

static bool
ends_url(char c)
{
    return is_space(c) || strchr("\"'`<>", c) != NULL;
}

/* Whether the text is a port and what follows one: "5432", "5432/db". */
static bool
is_port(Str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    return i == s.n || strchr("/?,)].;%", s.p[i]) != NULL;
}

/* Hide the password of the URL whose "://" ends at `i`: all between the first ":" and the last "@".
 * A password may hold any character, so that too much is hidden rather than too little. Returns
 * where to go on. */
static size_t
hide_url(Redactor *r, size_t i, bool encoded)
{
    Str s = r->text;
    size_t end = i, colon = 0, colon_n = 0, at = 0;
    bool has_at = false, in_user = true;
    for (; end < s.n && !ends_url(s.p[end]); end++) {
        size_t n = s.p[end] == ':' ? 1 : encoded ? token_at(s, end, "%3a") : 0;
        if (n && in_user)
            colon = end, colon_n = n;
        if (n || strchr("/?#", s.p[end]) || (encoded && token_at(s, end, "%2f")))
            in_user = false;
        if (s.p[end] == '@' || (encoded && token_at(s, end, "%40")))
            at = end, has_at = true;
    }
    if (!colon_n || (has_at && at < colon))
        return i;
    size_t secret = colon + colon_n;
    if (!has_at && s.p[i] == '[') /* an IPv6 address */
        return i;
    Str rest = str_slice(s, secret, end);
    if (is_port(rest) && (!has_at || str_icontains(rest, STR("password="))))
        return i;  /* password= in the query is found by its name */
    if (!has_at) { /* a URL that was cut, or a quote in the password */
        at = end;
        for (size_t k = end; k < s.n && !is_space(s.p[k]); k++)
            at = s.p[k] == '@' ? k : at;
    }
    buf_add(&r->out, str_slice(s, i, secret));
    hide_span(r, secret, at);
    return at;
}

/* ---- password=secret, "password": "secret", PASSWORD 'secret' -------------------------------- */

/* End of the quoted text whose opening quote is at `i`; the closing quote is not included. */
static size_t
quoted_end(Str s, size_t i)
{
    char quote = s.p[i++];
    for (; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == quote && i + 1 < s.n && s.p[i + 1] == quote)
            i++;
        else if (s.p[i] == quote)
            return i;
    }
    return s.n;
}

static size_t
skip_spaces(Str s, size_t i)
{
    while (i < s.n && is_space(s.p[i]))
        i++;
    return i;
}

/* Whether a value begins with two quotes, and is not an empty one. */
static bool
is_doubled(Str s, size_t v)
{
    return v + 2 < s.n && s.p[v] == '\'' && s.p[v + 1] == '\'' && !is_space(s.p[v + 2]) &&
           !strchr("';,)", s.p[v + 2]);
}

/* Hide the value that follows the word "password", which ends at `i`; returns where to go on. */
static size_t
hide_value(Redactor *r, size_t i)
{
    Str s = r->text;
    size_t v = i;
    if (v < s.n && (s.p[v] == '"' || s.p[v] == '\''))
        v++; /* the name was quoted */
    if (v + 1 < s.n && s.p[v] == '\\' && s.p[v + 1] == '"')
        v += 2;
    v = skip_spaces(s, v);
    bool assigned = false, bare = false;
    size_t n = token_at(s, v, "%3d");
    if (n || (v < s.n && (s.p[v] == '=' || s.p[v] == ':'))) {
        bare = n || s.p[v] == '=';
        assigned = true;
        v = skip_spaces(s, v + (n ? n : 1));
    }
    if (!assigned && v == i)
        return i;
    if (v + 1 < s.n && lower(s.p[v]) == 'e' && s.p[v + 1] == '\'')
        v++;
    if (v + 1 < s.n && s.p[v] == '\\' && s.p[v + 1] == '"')
        v++;                /* JSON inside JSON */
    if (is_doubled(s, v)) { /* inside a text of SQL */
        const char *close = memmem(s.p + v + 2, s.n - v - 2, "''", 2);
        size_t end = close ? (size_t)(close - s.p) : s.n;
        buf_add(&r->out, str_slice(s, i, v + 2));
        hide_span(r, v + 2, end);
        return end;
    }
    if (v < s.n && (s.p[v] == '\'' || s.p[v] == '"')) {
        size_t end = quoted_end(s, v);
        buf_add(&r->out, str_slice(s, i, v + 1));
        hide_span(r, v + 1, end);
        return end;
    }
    if (v + 1 < s.n && s.p[v] == '$' && s.p[v + 1] == '$') {
        const char *close = memmem(s.p + v + 2, s.n - v - 2, "$$", 2);
        size_t end = close ? (size_t)(close - s.p) : s.n;
        buf_add(&r->out, str_slice(s, i, v + 2));
        hide_span(r, v + 2, end);
        return end;
    }
    if (!bare)
        return i;
    size_t end = v;
    while (end < s.n && !is_space(s.p[end]) && !strchr("&;\"'`<>", s.p[end]) &&
           !(n && token_at(s, end, "%26")))
        end += s.p[end] == '\\' && end + 1 < s.n ? 2 : 1;
    if (end == v)
        return i;
    buf_add(&r->out, str_slice(s, i, v));
    hide_span(r, v, end);
    return end;
}

/* Whether "://", "%3a%2f%2f" or a word for a password may begin here. */
static inline bool
may_begin_token(Str s, size_t i)
{
    char c = s.p[i];
    if (c != ':' && c != '%' && (c | 32) != 'p')
        return false;
    char next = i + 1 < s.n ? s.p[i + 1] : 0, third = i + 2 < s.n ? s.p[i + 2] : 0;
    return (c == ':' && next == '/') || (c == '%' && next == '3') ||
           (lower(c) == 'p' && lower(next) == 'a' && lower(third) == 's');
}

static char *
redact(Arena *a, Str text, bool keeps_columns)
{
    Redactor r = {.text = text, .keeps_columns = keeps_columns};
    buf_init(&r.out, a);
    static const char *const words[] = {"password", "passwd", "passphrase"};
    for (size_t i = 0; i < r.text.n;) {
        size_t run = i;
        while (run < r.text.n && !may_begin_token(r.text, run))
            run++;
        buf_add(&r.out, str_slice(r.text, i, run));
        i = run;
        if (i == r.text.n)
            break;
        size_t plain = token_at(r.text, i, "://"), n = plain;
        if (!n)
            n = token_at(r.text, i, "%3a%2f%2f");
        if (n) {
            buf_add(&r.out, str_slice(r.text, i, i + n));
            i = hide_url(&r, i + n, !plain);
            continue;
        }
        for (size_t w = 0; w < COUNT(words) && !n; w++)
            n = token_at(r.text, i, words[w]);
        if (n && (i + n == r.text.n || !is_word(r.text.p[i + n]))) {
            buf_add(&r.out, str_slice(r.text, i, i + n));
            i = hide_value(&r, i + n);
            continue;
        }
        buf_addc(&r.out, r.text.p[i++]);
    }
    return r.out.p;
}

char *
url_redact(Arena *a, Str text, const char *const *secrets, size_t count)
{
    return redact(a, count ? url_hide(a, text, secrets, count) : text, false);
}

char *
url_mask(Arena *a, Str text)
{
    return redact(a, text, true);
}
