#include "sqltext/sqltext_int.h"

#include <string.h>

SqlWords
sql_words(Arena *a, Str text, const SqlStmt *stmt)
{
    SqlWords w = {.arena = a, .text = str_slice(text, 0, stmt->off + stmt->len)};
    w.lex = (SqlLexer){.text = w.text, .pos = stmt->off};
    sql_lex_next(&w.lex, &w.tok);
    return w;
}

void
sql_words_next(SqlWords *w)
{
    sql_lex_next(&w->lex, &w->tok);
}

bool
sql_words_at(const SqlWords *w, const char *word)
{
    return sql_tok_is(w->text, &w->tok, word);
}

bool
sql_words_end(const SqlWords *w)
{
    return w->tok.kind == SQL_TOK_END || w->tok.kind == SQL_TOK_UNCLOSED;
}

bool
sql_words_accept(SqlWords *w, const char *word)
{
    if (!sql_words_at(w, word))
        return false;
    sql_words_next(w);
    return true;
}

bool
sql_words_accept_if_exists(SqlWords *w)
{
    SqlWords back = *w;
    if (sql_words_accept(w, "if")) {
        sql_words_accept(w, "not");
        if (sql_words_accept(w, "exists"))
            return true;
    }
    *w = back;
    return false;
}

static bool
at_name(const SqlWords *w)
{
    return w->tok.kind == SQL_TOK_WORD || w->tok.kind == SQL_TOK_IDENT ||
           w->tok.kind == SQL_TOK_UIDENT;
}

SqlName
sql_words_name(SqlWords *w)
{
    SqlName name = {"", ""};
    while (at_name(w)) {
        name.schema = name.name;
        name.name = sql_tok_name(w->arena, w->text, &w->tok);
        sql_words_next(w);
        if (w->tok.c != '.')
            break;
        sql_words_next(w);
    }
    return name;
}

void
sql_words_skip_parens(SqlWords *w)
{
    size_t depth = 0;
    do {
        if (w->tok.c == '(')
            depth++;
        else if (w->tok.c == ')' && depth > 0)
            depth--;
        else if (depth == 0)
            return;
        sql_words_next(w);
    } while (depth > 0 && !sql_words_end(w));
}

void
sql_words_skip(SqlWords *w)
{
    if (w->tok.c == '(')
        sql_words_skip_parens(w);
    else
        sql_words_next(w);
}

/* Longer names before their beginnings. */
static const SqlObjectType object_types[] = {
    {"TABLE", SQL_OBJ_TABLE, true},
    {"INDEX", SQL_OBJ_INDEX, true},
    {"MATERIALIZED VIEW", SQL_OBJ_VIEW, true},
    {"VIEW", SQL_OBJ_VIEW, true},
    {"FOREIGN TABLE", SQL_OBJ_TABLE, true},
    {"SEQUENCE", SQL_OBJ_SEQUENCE, true},
    {"TYPE", SQL_OBJ_TYPE, false},
    {"DOMAIN", SQL_OBJ_TYPE, false},
    {"FUNCTION", SQL_OBJ_FUNCTION, false},
    {"PROCEDURE", SQL_OBJ_FUNCTION, false},
    {"ROUTINE", SQL_OBJ_FUNCTION, false},
    {"AGGREGATE", SQL_OBJ_FUNCTION, false},
    {"SCHEMA", SQL_OBJ_SCHEMA, false},
    {"EXTENSION", SQL_OBJ_EXTENSION, false},
    {"EVENT TRIGGER", SQL_OBJ_OTHER, false},
    {"TRIGGER", SQL_OBJ_TRIGGER, false},
    {"POLICY", SQL_OBJ_POLICY, false},
    {"RULE", SQL_OBJ_OTHER, false},
    {"COLUMN", SQL_OBJ_COLUMN, false},
    {"CONSTRAINT TRIGGER", SQL_OBJ_TRIGGER, false},
    {"CONSTRAINT", SQL_OBJ_CONSTRAINT, false},
    {"DATABASE", SQL_OBJ_OTHER, false},
    {"TABLESPACE", SQL_OBJ_OTHER, false},
    {"SUBSCRIPTION", SQL_OBJ_OTHER, false},
    {"PUBLICATION", SQL_OBJ_OTHER, false},
    {"SYSTEM", SQL_OBJ_OTHER, false},
    {"ROLE", SQL_OBJ_OTHER, false},
    {"USER MAPPING", SQL_OBJ_OTHER, false},
    {"USER", SQL_OBJ_OTHER, false},
    {"GROUP", SQL_OBJ_OTHER, false},
    {"OWNED", SQL_OBJ_OTHER, false},
    {"SERVER", SQL_OBJ_OTHER, false},
    {"FOREIGN DATA WRAPPER", SQL_OBJ_OTHER, false},
    {"STATISTICS", SQL_OBJ_OTHER, false},
    {"COLLATION", SQL_OBJ_OTHER, false},
    {"CONVERSION", SQL_OBJ_OTHER, false},
    {"DEFAULT CONVERSION", SQL_OBJ_OTHER, false},
    {"CAST", SQL_OBJ_OTHER, false},
    {"OPERATOR CLASS", SQL_OBJ_OTHER, false},
    {"OPERATOR FAMILY", SQL_OBJ_OTHER, false},
    {"OPERATOR", SQL_OBJ_OTHER, false},
    {"TEXT SEARCH CONFIGURATION", SQL_OBJ_OTHER, false},
    {"TEXT SEARCH DICTIONARY", SQL_OBJ_OTHER, false},
    {"TEXT SEARCH PARSER", SQL_OBJ_OTHER, false},
    {"TEXT SEARCH TEMPLATE", SQL_OBJ_OTHER, false},
    {"ACCESS METHOD", SQL_OBJ_OTHER, false},
    {"LANGUAGE", SQL_OBJ_OTHER, false},
    {"TRANSFORM", SQL_OBJ_OTHER, false},
    {"DEFAULT PRIVILEGES", SQL_OBJ_OTHER, false},
    {"LARGE OBJECT", SQL_OBJ_OTHER, false},
};

static bool
accept_phrase(SqlWords *w, const char *phrase)
{
    SqlWords back = *w;
    Str rest = str_of(phrase);
    while (rest.p) {
        Str word = str_cut(&rest, ' ');
        Str here = str_slice(w->text, w->tok.off, w->tok.off + w->tok.len);
        if (w->tok.kind != SQL_TOK_WORD || !str_ieq(here, word)) {
            *w = back;
            return false;
        }
        sql_words_next(w);
    }
    return true;
}

const SqlObjectType *
sql_words_type(SqlWords *w)
{
    for (size_t i = 0; i < COUNT(object_types); i++)
        if (accept_phrase(w, object_types[i].words))
            return &object_types[i];
    return NULL;
}

void
sql_words_skip_modifiers(SqlWords *w, bool *ret_unique, bool *ret_replace)
{
    static const char *const others[] = {"temp",  "temporary", "unlogged",   "global",
                                         "local", "trusted",   "procedural", "recursive"};
    *ret_unique = *ret_replace = false;
    for (;;) {
        bool found = false;
        if (accept_phrase(w, "or replace"))
            *ret_replace = found = true;
        else if (sql_words_accept(w, "unique"))
            *ret_unique = found = true;
        for (size_t i = 0; !found && i < COUNT(others); i++)
            found = sql_words_accept(w, others[i]);
        if (!found)
            return;
    }
}

/* So that a statement about thousands of relations takes no quadratic time. */
enum { LOOK_BACK = 256 };

void
sql_lock_add(Arena *a, SqlStmt *stmt, SqlName rel, SqlLockMode mode, bool kind_table)
{
    if (!*rel.name)
        return;
    size_t first = stmt->locks.n > LOOK_BACK ? stmt->locks.n - LOOK_BACK : 0;
    for (size_t i = first; i < stmt->locks.n; i++) {
        SqlLock *lock = &stmt->locks.v[i];
        if (strcmp(lock->rel.name, rel.name) == 0 && strcmp(lock->rel.schema, rel.schema) == 0) {
            if (lock->mode < mode)
                lock->mode = mode;
            return;
        }
    }
    *vec_add(a, &stmt->locks) = (SqlLock){rel, mode, kind_table};
}

void
sql_object_add(Arena *a, SqlStmt *stmt, const SqlObject *object)
{
    if (!*object->name.name)
        return;
    SqlObject *added = vec_add(a, &stmt->objects);
    *added = *object;
    if (!added->sub)
        added->sub = "";
}
