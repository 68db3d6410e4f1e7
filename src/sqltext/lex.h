/* The tokens of PostgreSQL's lexer, as far as splitting and leading words need them.
 *
 * White space and comments are skipped; operators come one character at a time. Positions are
 * offsets into the text, nothing is copied. The rules are those of psql's and the server's lexers
 * (src/fe_utils/psqlscan.l, src/backend/parser/scan.l) with standard_conforming_strings on. */
#pragma once

#include "sqltext/sqltext.h"

typedef enum SqlTokKind {
    SQL_TOK_END,
    SQL_TOK_WORD,     /* unquoted identifier or keyword */
    SQL_TOK_IDENT,    /* "..." */
    SQL_TOK_UIDENT,   /* U&"..." */
    SQL_TOK_STRING,   /* '...' with any prefix, or dollar-quoted */
    SQL_TOK_NUMBER,   /* also $1 */
    SQL_TOK_CHAR,     /* one character, see `c` */
    SQL_TOK_UNCLOSED, /* quote or comment without its end; `what` names it */
} SqlTokKind;

typedef struct SqlTok {
    SqlTokKind kind;
    char c; /* of SQL_TOK_CHAR, else 0 */
    size_t off, len;
    const char *what;
} SqlTok;

typedef struct SqlLexer {
    Str text;
    size_t pos;
    /* Told each comment of one line, without the line's end; may be NULL. */
    void (*comment)(void *arg, size_t from, size_t to);
    void *comment_arg;
} SqlLexer;

/* Move to the next token; at the end (and behind an unclosed quote) the kind stays. */
void sql_lex_next(SqlLexer *lex, SqlTok *ret);

/* Whether a token is the keyword `word` (lower case), in any case of letters. */
bool sql_tok_is(Str text, const SqlTok *tok, const char *word);

/* The name of a WORD or IDENT token as the server would store it: unquoted, folded, cut to 63
 * bytes at a character. "" for other tokens, also for U&"...". */
const char *sql_tok_name(Arena *a, Str text, const SqlTok *tok);
