/* Between the files of this room.
 *
 * head.c reads the leading words of every statement: they say what kind it is and how it stands
 * towards transactions. The body (locks, objects, rows) is read from the parse tree by tree*.c,
 * or from the words by words.c where there is no tree. parse.c is the only file that calls
 * libpg_query. */
#pragma once

#include "base/library.h"
#include "base/map.h"
#include "sqltext/actions.h"
#include "sqltext/lex.h"

/* A reader of words: `tok` is the current token, the text ends with the statement. */
typedef struct SqlWords {
    Arena *arena;
    Str text;
    SqlLexer lex;
    SqlTok tok;
} SqlWords;

/* Begin at the first token of a statement. */
SqlWords sql_words(Arena *a, Str text, const SqlStmt *stmt);
void sql_words_next(SqlWords *w);
bool sql_words_at(const SqlWords *w, const char *word); /* the current token is this keyword */
bool sql_words_end(const SqlWords *w);                  /* no token is left */
bool sql_words_accept(SqlWords *w, const char *word);   /* step over it when it is there */
bool sql_words_accept_if_exists(SqlWords *w);           /* IF EXISTS, IF NOT EXISTS */
SqlName sql_words_name(SqlWords *w);                    /* [db.][schema.]name, "" when none */
void sql_words_skip_parens(SqlWords *w);                /* step over ( ... ) when it is there */
void sql_words_skip(SqlWords *w); /* a token, or a pair of parentheses with what is in it */

/* What an object type of CREATE, ALTER, DROP, COMMENT ON is called. */
typedef struct SqlObjectType {
    const char *words; /* "MATERIALIZED VIEW" */
    SqlObjectKind kind;
    bool is_relation; /* has a lock of its own */
} SqlObjectType;

/* Step over the words of an object type; NULL when there is none that is known. */
const SqlObjectType *sql_words_type(SqlWords *w);

/* Step over what may stand between CREATE and the object type. */
void sql_words_skip_modifiers(SqlWords *w, bool *ret_unique, bool *ret_replace);

/* Fill kind, tx, tag, names and flags from the leading words. */
void sql_head_read(Arena *a, Str text, SqlStmt *stmt);

/* Fill locks, objects and is_dml of a statement without a tree from its words. */
void sql_words_read(Arena *a, Str text, SqlStmt *stmt);

/* Fill locks, objects and is_dml from the tree. */
struct PgQuery__Node;
void sql_tree_read(Arena *a, const struct PgQuery__Node *node, SqlStmt *stmt);

/* The same of what it does. */
void sql_actions_read(Arena *a, const struct PgQuery__Node *node, const SqlStmt *stmt,
                      SqlActionVec *ret);

/* The parts of sql_tree_read that fill whole files. */
bool sql_tree_read_rows(Arena *a, const struct PgQuery__Node *node, SqlStmt *stmt);
bool sql_tree_read_alter(Arena *a, const struct PgQuery__Node *node, SqlStmt *stmt);

/* Add a lock; a second one on the same relation (among the last few hundred) keeps the stronger
 * mode. Empty names are not added. */
void sql_lock_add(Arena *a, SqlStmt *stmt, SqlName rel, SqlLockMode mode, bool kind_table);
void sql_object_add(Arena *a, SqlStmt *stmt, const SqlObject *object);

/* Bytes and statements that one call of the parser takes. */
enum { SQL_PARSE_BYTES = 256 * 1024, SQL_PARSE_STMT_BYTES = 1024 * 1024 };

/* The forms of a script's statements, each once. */
typedef struct SqlForms {
    Arena *arena;
    SqlScript *script;
    Map known; /* a form's bytes: its number + 1 */
} SqlForms;

/* The number of a statement's form; a new one is copied into the arena. */
uint32_t sql_form_of(SqlForms *f, Arena *scratch, const SqlStmt *stmt);

/* libpg_query for the time of one sql_classify. */
typedef struct SqlParser {
    bool is_there; /* else it is not installed */
    LibraryFn parse, free_result, unpack, split, free_split;
    bool brief;            /* only whether it parses */
    Arena *lasting;        /* of the actions */
    SqlActionVec *actions; /* of `batch`, statement by statement; NULL = nobody asks */
    const SqlStmt *batch;
} SqlParser;

bool sql_parser_open(SqlParser *ret);

/* Parse `n` statements of a text that stand behind each other in one call, and read each one's tree into
 * it. False, with nothing changed, when they do not all parse. */
MUST_CHECK bool sql_parser_read(const SqlParser *parser, Arena *a, Str text, SqlStmt *stmts,
                                size_t n);

/* Whether libpg_query could be loaded; for tests. */
bool sql_parser_available(void);
