#include "sqltext/lex.h"

#include <string.h>

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static char
at(const SqlLexer *lex, size_t pos)
{
    return pos < lex->text.n ? lex->text.p[pos] : '\0';
}

static void
skip_line(SqlLexer *lex)
{
    while (lex->pos < lex->text.n && !is_newline(lex->text.p[lex->pos]))
        lex->pos++;
}

/* Skip a comment that may hold others; false when it has no end. */
static bool
skip_block_comment(SqlLexer *lex)
{
    size_t depth = 1;
    lex->pos += 2;
    while (depth > 0) {
        const char *p = lex->text.p + lex->pos;
        if (lex->pos >= lex->text.n)
            return false;
        if (p[0] == '*' && at(lex, lex->pos + 1) == '/')
            depth--, lex->pos += 2;
        else if (p[0] == '/' && at(lex, lex->pos + 1) == '*')
            depth++, lex->pos += 2;
        else
            lex->pos++;
    }
    return true;
}

/* Move behind the closing `quote`; doubled quotes (and, with `escapes`, \x) belong to the text. */
static bool
skip_quoted(SqlLexer *lex, char quote, bool escapes)
{
    while (lex->pos < lex->text.n) {
        if (!escapes) {
            const char *from = lex->text.p + lex->pos;
            const char *hit = memchr(from, quote, lex->text.n - lex->pos);
            lex->pos = hit ? (size_t)(hit - lex->text.p) : lex->text.n - 1;
        }
        char c = lex->text.p[lex->pos++];
        if (c == '\\' && escapes && lex->pos < lex->text.n)
            lex->pos++;
        else if (c == quote && at(lex, lex->pos) != quote)
            return true;
        else if (c == quote)
            lex->pos++;
    }
    return false;
}

/* A string goes on in a next pair of quotes when a line end lies between. The part behind the
 * line end keeps the rules of the first, so E'a' <newline> '\'' is one string. */
static bool
goes_on(SqlLexer *lex)
{
    SqlLexer look = {.text = lex->text, .pos = lex->pos};
    bool newline = false;
    while (look.pos < look.text.n) {
        char c = look.text.p[look.pos];
        if (is_space(c)) {
            newline = newline || is_newline(c);
            look.pos++;
        } else if (c == '-' && at(&look, look.pos + 1) == '-') {
            skip_line(&look);
        } else {
            break;
        }
    }
    if (!newline || at(&look, look.pos) != '\'')
        return false;
    lex->pos = look.pos + 1;
    return true;
}

static void
unclosed(SqlTok *tok, const char *what)
{
    tok->kind = SQL_TOK_UNCLOSED;
    tok->what = what;
}

/* pos is behind the opening quote. */
static void
lex_string(SqlLexer *lex, SqlTok *tok, bool escapes)
{
    tok->kind = SQL_TOK_STRING;
    do {
        if (!skip_quoted(lex, '\'', escapes)) {
            unclosed(tok, "quoted string");
            return;
        }
    } while (escapes && goes_on(lex));
}

static void
lex_ident(SqlLexer *lex, SqlTok *tok, SqlTokKind kind)
{
    tok->kind = kind;
    if (!skip_quoted(lex, '"', false))
        unclosed(tok, "quoted identifier");
}

/* pos is at a dollar sign: $1, $tag$...$tag$, or a lone character. */
static void
lex_dollar(SqlLexer *lex, SqlTok *tok)
{
    size_t p = lex->pos + 1;
    if (is_digit(at(lex, p))) {
        while (is_digit(at(lex, p)))
            p++;
        tok->kind = SQL_TOK_NUMBER;
        lex->pos = p;
        return;
    }
    if (is_word_start(at(lex, p)))
        while (is_word_start(at(lex, p)) || is_digit(at(lex, p)))
            p++;
    if (at(lex, p) != '$') {
        tok->kind = SQL_TOK_CHAR;
        tok->c = '$';
        lex->pos++;
        return;
    }
    Str tag = str_slice(lex->text, lex->pos, p + 1);
    Str rest = str_slice(lex->text, p + 1, lex->text.n);
    const char *hit = rest.n ? memmem(rest.p, rest.n, tag.p, tag.n) : NULL;
    tok->kind = SQL_TOK_STRING;
    if (!hit) {
        unclosed(tok, "dollar-quoted string");
        lex->pos = lex->text.n;
        return;
    }
    lex->pos = (size_t)(hit - lex->text.p) + tag.n;
}

/* Skip white space and comments; false when a comment has no end. */
static bool
skip_blank(SqlLexer *lex, SqlTok *tok)
{
    while (lex->pos < lex->text.n) {
        char c = lex->text.p[lex->pos];
        if (is_space(c)) {
            lex->pos++;
        } else if (c == '-' && at(lex, lex->pos + 1) == '-') {
            size_t from = lex->pos;
            skip_line(lex);
            if (lex->comment)
                lex->comment(lex->comment_arg, from, lex->pos);
        } else if (c == '/' && at(lex, lex->pos + 1) == '*') {
            tok->off = lex->pos;
            if (!skip_block_comment(lex))
                return false;
        } else {
            break;
        }
    }
    return true;
}

static void
lex_token(SqlLexer *lex, SqlTok *tok)
{
    char c = lex->text.p[lex->pos], next = at(lex, lex->pos + 1);
    if (c == '\'') {
        lex->pos++;
        lex_string(lex, tok, false);
    } else if ((c == 'e' || c == 'E') && next == '\'') {
        lex->pos += 2;
        lex_string(lex, tok, true);
    } else if (c == '"') {
        lex->pos++;
        lex_ident(lex, tok, SQL_TOK_IDENT);
    } else if ((c == 'u' || c == 'U') && next == '&' && at(lex, lex->pos + 2) == '"') {
        lex->pos += 3;
        lex_ident(lex, tok, SQL_TOK_UIDENT);
    } else if ((c == 'u' || c == 'U') && next == '&' && at(lex, lex->pos + 2) == '\'') {
        lex->pos += 3;
        lex_string(lex, tok, false);
    } else if (next == '\'' && strchr("bBxXnN", c)) {
        lex->pos += 2;
        lex_string(lex, tok, false);
    } else if (c == '$') {
        lex_dollar(lex, tok);
    } else if (is_word_start(c)) {
        tok->kind = SQL_TOK_WORD;
        while (is_word_start(c) || is_digit(c) || c == '$')
            c = at(lex, ++lex->pos);
    } else if (is_digit(c)) {
        tok->kind = SQL_TOK_NUMBER;
        while (is_word_start(c) || is_digit(c) || c == '.')
            c = at(lex, ++lex->pos);
    } else {
        tok->kind = SQL_TOK_CHAR;
        tok->c = c;
        lex->pos++;
    }
}

void
sql_lex_next(SqlLexer *lex, SqlTok *ret)
{
    *ret = (SqlTok){.kind = SQL_TOK_END, .what = ""};
    if (!skip_blank(lex, ret)) {
        unclosed(ret, "comment");
        ret->len = lex->pos - ret->off;
        return;
    }
    ret->off = lex->pos;
    if (lex->pos >= lex->text.n)
        return;
    lex_token(lex, ret);
    ret->len = lex->pos - ret->off;
}

bool
sql_tok_is(Str text, const SqlTok *tok, const char *word)
{
    return tok->kind == SQL_TOK_WORD &&
           str_ieq(str_slice(text, tok->off, tok->off + tok->len), str_of(word));
}

enum { NAME_MAX_BYTES = 63 };

/* Cut `name` as the server does, never inside a character. */
static void
cut_name(char *name)
{
    size_t n = strlen(name);
    if (n <= NAME_MAX_BYTES)
        return;
    n = NAME_MAX_BYTES;
    while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80)
        n--;
    name[n] = '\0';
}

/* A copy of `inner` in which each doubled `quote` is one. */
static char *
undouble(Arena *a, Str inner, char quote)
{
    char *copy = arena_alloc(a, inner.n + 1), *to = copy;
    for (size_t i = 0; i < inner.n; i++) {
        *to++ = inner.p[i];
        if (inner.p[i] == quote)
            i++;
    }
    *to = '\0';
    return copy;
}

const char *
sql_tok_name(Arena *a, Str text, const SqlTok *tok)
{
    char *name;
    if (tok->kind == SQL_TOK_WORD) {
        name = str_dup(a, str_slice(text, tok->off, tok->off + tok->len));
        for (char *p = name; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p + 32);
    } else if (tok->kind == SQL_TOK_IDENT) {
        name = undouble(a, str_slice(text, tok->off + 1, tok->off + tok->len - 1), '"');
    } else {
        return "";
    }
    cut_name(name);
    return name;
}
