#include "sqltext/sqltext.h"

#include "base/invariant.h"
#include "sqltext/lex.h"

#include <stdio.h>
#include <string.h>

/* How far the words CREATE [OR REPLACE] FUNCTION | PROCEDURE have been seen. */
typedef enum RoutineHead {
    HEAD_START,
    HEAD_CREATE,
    HEAD_OR,
    HEAD_REPLACE,
    HEAD_ROUTINE,
    HEAD_NONE,
} RoutineHead;

typedef struct Splitter {
    Arena *arena;
    const char *path;
    Str text;
    SqlScript *script;
    Err *err;

    /* Line and column of the byte at `seen`. */
    size_t seen;
    int line, column;

    /* The statement that is being read; `tokens` 0 = none yet. */
    size_t tokens, off, end;
    size_t parens, begins;
    RoutineHead head;
    bool is_copy;
    SqlTok prev;
} Splitter;

/* Each byte is looked at once in a whole script: places are asked for in rising order. */
static void
place_at(Splitter *s, size_t off)
{
    for (; s->seen < off; s->seen++) {
        char c = s->text.p[s->seen];
        bool crlf = c == '\r' && s->seen + 1 < s->text.n && s->text.p[s->seen + 1] == '\n';
        if (c == '\n' || (c == '\r' && !crlf))
            s->line++, s->column = 1;
        else if (((unsigned char)c & 0xc0) != 0x80)
            s->column++;
    }
}

__attribute__((format(printf, 3, 4))) static bool
refuse(Splitter *s, size_t off, const char *fmt, ...)
{
    char primary[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(primary, sizeof primary, fmt, ap);
    va_end(ap);
    place_at(s, off);
    err_set(s->err, ERR_MIGRATION_FILE, "%s", primary);
    s->err->statement = (int)s->script->stmts.n + 1;
    return err_at(s->err, s->path, s->line, s->column);
}

static bool
refuse_meta_command(Splitter *s, const SqlTok *backslash)
{
    size_t from = backslash->off + 1, to = from;
    while (to < s->text.n && to - from < 30 && ((s->text.p[to] | 32) >= 'a') &&
           ((s->text.p[to] | 32) <= 'z'))
        to++;
    Str name = str_slice(s->text, from, to);
    refuse(s, backslash->off, "\"\\" STR_FMT "\" is a command of psql, not SQL", STR_ARG(name));
    err_detail(s->err, "A backslash outside of quotes can only be understood by psql; "
                       "no server accepts it.");
    if (str_is(name, "restrict") || str_is(name, "unrestrict"))
        return err_hint(s->err, "Remove the line: pg_dump writes it for psql only.");
    if (str_is(name, "i") || str_is(name, "ir") || str_is(name, "include"))
        return err_hint(s->err, "Copy the contents of that file to this place.");
    if (str_is(name, "copy"))
        return err_hint(s->err, "Write the rows as INSERT, or load them with psql "
                                "outside of the migration.");
    return err_hint(s->err, "Remove the command; what it did must be written as SQL.");
}

static bool
refuse_copy(Splitter *s)
{
    refuse(s, s->off, "COPY ... FROM STDIN cannot be part of a migration");
    err_detail(s->err, "The rows behind such a statement are not SQL: only psql can send them.");
    return err_hint(s->err, "Write the rows as INSERT (pg_dump --inserts), or load them with "
                            "\\copy in psql outside of the migration.");
}

static bool
refuse_unclosed(Splitter *s, const SqlTok *tok)
{
    refuse(s, tok->off, "unterminated %s", tok->what);
    return err_hint(s->err, "Close the %s that begins here.", tok->what);
}

static bool
check_bytes(const char *path, Str raw, Str text, Err *err)
{
    int line, column;
    const unsigned char *p = (const unsigned char *)raw.p;
    if (raw.n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
        err_set(err, ERR_MIGRATION_FILE, "file is UTF-16, not UTF-8");
        err_hint(err, "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 %s", path ? path : "FILE");
        return err_at(err, path, 1, 1);
    }
    const char *nul = text.n ? memchr(text.p, '\0', text.n) : NULL;
    if (nul) {
        err_set(err, ERR_MIGRATION_FILE, "file holds a NUL byte");
        err_detail(err, "PostgreSQL's SQL text ends at a NUL byte, so the rest would be lost.");
        err_hint(err, "Save the file as UTF-8 text (NUL bytes between letters mean UTF-16).");
        str_line_col(text, (size_t)(nul - text.p), &line, &column);
        return err_at(err, path, line, column);
    }
    size_t bad = str_utf8_invalid_at(text);
    if (bad < text.n) {
        err_set(err, ERR_MIGRATION_FILE, "file is not valid UTF-8");
        err_detail(err, "The byte 0x%02x does not belong to a UTF-8 character.",
                   (unsigned)(unsigned char)text.p[bad]);
        err_hint(err, "Save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 %s", path ? path : "FILE");
        str_line_col(text, bad, &line, &column);
        return err_at(err, path, line, column);
    }
    return true;
}

static void
track_head(Splitter *s, const SqlTok *tok)
{
    switch (s->head) {
    case HEAD_START:
        s->head = sql_tok_is(s->text, tok, "create") ? HEAD_CREATE : HEAD_NONE;
        return;
    case HEAD_OR:
        s->head = sql_tok_is(s->text, tok, "replace") ? HEAD_REPLACE : HEAD_NONE;
        return;
    case HEAD_CREATE:
    case HEAD_REPLACE:
        if (sql_tok_is(s->text, tok, "function") || sql_tok_is(s->text, tok, "procedure"))
            s->head = HEAD_ROUTINE;
        else if (s->head == HEAD_CREATE && sql_tok_is(s->text, tok, "or"))
            s->head = HEAD_OR;
        else
            s->head = HEAD_NONE;
        return;
    case HEAD_ROUTINE:
    case HEAD_NONE:
        return;
    }
}

/* In the body BEGIN ATOMIC ... END of a routine semicolons do not end the statement; CASE has an
 * END too. Behind AS or a dot these words are names. */
static void
track_body(Splitter *s, const SqlTok *tok)
{
    if (s->begins == 0) {
        if (sql_tok_is(s->text, tok, "atomic") && sql_tok_is(s->text, &s->prev, "begin"))
            s->begins = 1;
    } else if (sql_tok_is(s->text, &s->prev, "as") || s->prev.c == '.') {
        return;
    } else if (sql_tok_is(s->text, tok, "case")) {
        s->begins++;
    } else if (sql_tok_is(s->text, tok, "end")) {
        s->begins--;
    }
}

static void
finish_statement(Splitter *s, size_t behind)
{
    if (s->tokens > 0) {
        place_at(s, s->off);
        *vec_add(s->arena, &s->script->stmts) = (SqlSpan){
            .off = (uint32_t)s->off,
            .len = (uint32_t)(s->end - s->off),
            .end = (uint32_t)behind,
            .line = (uint32_t)s->line,
            .column = (uint32_t)s->column,
        };
    }
    s->tokens = s->parens = s->begins = 0;
    s->head = HEAD_START;
    s->is_copy = false;
    s->prev = (SqlTok){0};
}

static bool
take_word(Splitter *s, const SqlTok *tok)
{
    if (s->tokens == 0)
        s->is_copy = sql_tok_is(s->text, tok, "copy");
    if (s->parens > 0)
        return true;
    if (s->is_copy && sql_tok_is(s->text, &s->prev, "from") &&
        (sql_tok_is(s->text, tok, "stdin") || sql_tok_is(s->text, tok, "stdout")))
        return refuse_copy(s);
    if (s->head == HEAD_ROUTINE)
        track_body(s, tok);
    else
        track_head(s, tok);
    return true;
}

static bool
take_token(Splitter *s, const SqlTok *tok)
{
    if (tok->kind == SQL_TOK_UNCLOSED)
        return refuse_unclosed(s, tok);
    if (tok->c == '\\')
        return refuse_meta_command(s, tok);
    if (tok->c == ';' && s->parens == 0 && s->begins == 0) {
        finish_statement(s, tok->off + 1);
        return true;
    }
    if (s->tokens == 0)
        s->off = tok->off;
    if (tok->kind == SQL_TOK_WORD && !take_word(s, tok))
        return false;
    if (tok->c == '(')
        s->parens++;
    else if (tok->c == ')' && s->parens > 0)
        s->parens--;
    s->tokens++;
    s->end = tok->off + tok->len;
    s->prev = *tok;
    return true;
}

bool
sql_split(Arena *a, const char *path, Str text, SqlScript *ret, Err *err)
{
    size_t bom = str_starts(text, STR(SQL_BOM)) ? strlen(SQL_BOM) : 0;
    INVARIANT(text.n < UINT32_MAX, "a script of 4 GB");
    *ret = (SqlScript){.text = str_slice(text, bom, text.n), .bom = bom};
    if (!check_bytes(path, text, ret->text, err))
        return false;
    Splitter s = {.arena = a,
                  .path = path,
                  .text = ret->text,
                  .script = ret,
                  .err = err,
                  .line = 1,
                  .column = 1};
    SqlLexer lex = {.text = ret->text};
    SqlTok tok;
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END; sql_lex_next(&lex, &tok))
        if (!take_token(&s, &tok))
            return false;
    finish_statement(&s, ret->text.n);
    return true;
}

bool
sql_find_backslash(Str text, size_t from, size_t *ret_off)
{
    SqlLexer lex = {.text = text, .pos = from};
    SqlTok tok;
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED;
         sql_lex_next(&lex, &tok)) {
        char c = text.p[tok.off];
        if (tok.kind != SQL_TOK_STRING || (c != '\'' && c != 'n' && c != 'N') ||
            !memchr(text.p + tok.off, '\\', tok.len))
            continue;
        *ret_off = tok.off;
        return true;
    }
    return false;
}

const SqlStmt *
sql_stmt(const SqlScript *script, size_t i, SqlStmt *ret)
{
    const SqlSpan *s = &script->stmts.v[i];
    *ret = script->forms.n ? script->forms.v[s->form]
                           : (SqlStmt){.isolation = "",
                                       .index = {"", ""},
                                       .table = {"", ""},
                                       .parent = {"", ""},
                                       .tag = ""};
    ret->off = s->off;
    ret->len = s->len;
    ret->end = s->end;
    ret->line = (int)s->line;
    ret->column = (int)s->column;
    return ret;
}

bool
sql_next_statement(Str text, bool is_last, size_t *ret_off, size_t *ret_len, size_t *ret_end)
{
    Splitter s = {.text = text};
    SqlLexer lex = {.text = text};
    SqlTok tok;
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END; sql_lex_next(&lex, &tok)) {
        bool ends = tok.c == ';' && s.parens == 0 && s.begins == 0;
        if (tok.kind == SQL_TOK_UNCLOSED || (ends && !s.tokens)) {
            if (tok.kind != SQL_TOK_UNCLOSED)
                continue;
            *ret_len = text.n - tok.off;
            return false;
        }
        if (ends)
            break;
        if (s.tokens++ == 0)
            s.off = tok.off;
        if (tok.kind == SQL_TOK_WORD && s.parens == 0) {
            if (s.head == HEAD_ROUTINE)
                track_body(&s, &tok);
            else
                track_head(&s, &tok);
        }
        s.parens += tok.c == '(';
        s.parens -= tok.c == ')' && s.parens > 0;
        s.end = tok.off + tok.len;
        s.prev = tok;
    }
    *ret_off = s.off;
    *ret_len = s.end - s.off;
    *ret_end = tok.kind == SQL_TOK_END ? text.n : tok.off + 1;
    return s.tokens && (is_last || tok.kind != SQL_TOK_END);
}
