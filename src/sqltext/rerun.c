/* Whether a script may be run again and again, and which names it mentions. Both are told by its words, so
 * that syntax of newer servers is no reason to guess. */
#include "sqltext/sqltext_int.h"

typedef struct Reading {
    Arena *arena;
    const SqlScript *script;
    Map gone; /* what its statements so far have dropped if it was there: "VIEW name" */
} Reading;

static bool
is_any(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* Kinds that hold no rows of their own: what drops one loses code only. */
static const char *const code[] = {"FUNCTION", "PROCEDURE",         "ROUTINE",  "AGGREGATE",
                                   "VIEW",     "MATERIALIZED VIEW", "TRIGGER",  "POLICY",
                                   "RULE",     "EVENT TRIGGER",     "OPERATOR", "CAST",
                                   NULL};

static const char *
type_words(SqlWords *w)
{
    const SqlObjectType *t = sql_words_type(w);
    if (!t)
        return "";
    return strcmp(t->words, "CONSTRAINT TRIGGER") == 0 ? "TRIGGER" : t->words;
}

/* "TRIGGER name ON table": what is dropped and made anew. Steps behind the name. */
static Str
key_of(Reading *r, const char *type, SqlWords *w)
{
    static const char *const of_table[] = {"TRIGGER", "POLICY", "RULE", NULL};
    SqlName name = sql_words_name(w), table = {"", ""};
    SqlWords rest = *w;
    if (is_any(type, of_table)) {
        while (!sql_words_end(&rest) && !sql_words_accept(&rest, "on"))
            sql_words_skip(&rest);
        if (strcmp(type, "RULE") == 0) /* ON SELECT TO table; ON table of a DROP */
            for (SqlWords to = rest; !sql_words_end(&to); sql_words_skip(&to))
                if (sql_words_accept(&to, "to")) {
                    rest = to;
                    break;
                }
        table = sql_words_name(&rest);
    }
    return str_of(str_fmt(r->arena, "%s %s.%s ON %s.%s", type, name.schema, name.name, table.schema,
                          table.name));
}

static bool
drop_reruns(Reading *r, SqlWords *w)
{
    const char *type = type_words(w);
    if (!is_any(type, code) || !sql_words_accept_if_exists(w))
        return false;
    do {
        map_put(&r->gone, key_of(r, type, w), r);
        sql_words_skip_parens(w);
        if (w->tok.c != ',')
            return true;
        sql_words_next(w);
    } while (!sql_words_end(w));
    return true;
}

static bool
create_reruns(Reading *r, const SqlStmt *stmt, SqlWords *w)
{
    static const char *const keeps[] = {"SCHEMA", "EXTENSION", NULL};
    bool unique, replace;
    sql_words_skip_modifiers(w, &unique, &replace);
    const char *type = type_words(w);
    if (replace)
        return true;
    if (sql_words_accept_if_exists(w))
        return is_any(type, keeps);
    if (strcmp(type, "INDEX") == 0) /* of a view that is made anew, with which the old one went */
        return map_has(&r->gone, str_of(str_fmt(r->arena, "MATERIALIZED VIEW %s.%s ON .",
                                                stmt->table.schema, stmt->table.name)));
    return is_any(type, code) && map_has(&r->gone, key_of(r, type, w));
}

/* One action of ALTER: what sets a state that may be set already. */
static bool
action_reruns(SqlWords *w)
{
    static const char *const states[] = {"owner",    "reset",     "enable",   "disable",
                                         "force",    "no",        "security", "stable",
                                         "volatile", "immutable", "parallel", "leakproof"};
    if (sql_words_accept(w, "set"))
        return !sql_words_at(w, "schema") && !sql_words_at(w, "data");
    for (size_t i = 0; i < COUNT(states); i++)
        if (sql_words_accept(w, states[i]))
            return true;
    return false;
}

static bool
alter_reruns(SqlWords *w)
{
    static const char *const data[] = {"COLUMN", "CONSTRAINT", "SYSTEM", "DATABASE", "", NULL};
    const char *type = type_words(w);
    if (strcmp(type, "DEFAULT PRIVILEGES") == 0)
        return true;
    if (is_any(type, data))
        return false;
    sql_words_accept_if_exists(w);
    sql_words_accept(w, "only");
    sql_words_name(w);
    sql_words_skip_parens(w);
    for (;;) {
        if (!action_reruns(w))
            return false;
        while (!sql_words_end(w) && w->tok.c != ',')
            sql_words_skip(w);
        /* Behind a comma of a list of values there is no action: "SET search_path = a, b". */
        if (sql_words_end(w) || strcmp(type, "TABLE") != 0)
            return true;
        sql_words_next(w);
    }
}

static bool
reruns(Reading *r, const SqlStmt *stmt)
{
    static const char *const always[] = {"grant", "revoke", "comment", "security",
                                         "set",   "reset",  "refresh", "notify",
                                         "begin", "start",  "commit"};
    SqlWords w = sql_words(r->arena, r->script->text, stmt);
    if (sql_words_accept(&w, "create"))
        return create_reruns(r, stmt, &w);
    if (sql_words_accept(&w, "drop"))
        return drop_reruns(r, &w);
    if (sql_words_accept(&w, "alter"))
        return alter_reruns(&w);
    for (size_t i = 0; i < COUNT(always); i++)
        if (sql_words_at(&w, always[i]))
            return true;
    return false;
}

/* $1, outside of strings. */
static bool
has_parameter(const SqlScript *script, const SqlStmt *stmt)
{
    SqlLexer lex = {.text = str_slice(script->text, 0, stmt->off + stmt->len), .pos = stmt->off};
    SqlTok tok;
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED;
         sql_lex_next(&lex, &tok))
        if (tok.kind == SQL_TOK_NUMBER && lex.text.p[tok.off] == '$')
            return true;
    return false;
}

static bool
is_query(const SqlStmt *s)
{
    return s->kind == SQL_SELECT || s->kind == SQL_INSERT || s->kind == SQL_UPDATE ||
           s->kind == SQL_DELETE || s->kind == SQL_MERGE;
}

SqlRerun
sql_rerun(Arena *a, const SqlScript *script, size_t *ret_stmt)
{
    Reading r = {.arena = a, .script = script};
    SqlStmt stmt;
    bool queries = script->stmts.n > 0, asks = false, fails = false;
    map_init(&r.gone, a);
    *ret_stmt = 0;
    for (size_t i = 0; i < script->stmts.n; i++) {
        const SqlStmt *s = sql_stmt(script, i, &stmt);
        queries = queries && is_query(s);
        asks = asks || (s->kind == SQL_SELECT && script->stmts.n == 1) ||
               (is_query(s) && has_parameter(script, s));
        if (!fails && !reruns(&r, s)) {
            fails = true;
            *ret_stmt = i;
        }
    }
    return queries && asks ? SQL_RERUN_QUERY : fails ? SQL_RERUN_NO : SQL_RERUN_YES;
}

bool
sql_drops_code(const SqlScript *script)
{
    SqlStmt stmt;
    for (size_t i = 0; i < script->stmts.n; i++)
        if (sql_stmt(script, i, &stmt)->kind == SQL_DROP)
            return true;
    return false;
}

/* ---- names ------------------------------------------------------------------------------------ */

/* A body is looked into where the server does so when it makes the function: of language SQL. */
static bool
has_sql_body(Arena *a, const SqlScript *script, const SqlStmt *stmt)
{
    SqlWords w = sql_words(a, script->text, stmt);
    for (; !sql_words_end(&w); sql_words_next(&w))
        if (sql_words_accept(&w, "language"))
            return sql_words_at(&w, "sql");
    return false;
}

static Str
inside(Str text, const SqlTok *tok)
{
    Str s = str_slice(text, tok->off, tok->off + tok->len);
    size_t n = 1;
    if (s.n && s.p[0] == '$') {
        while (n < s.n && s.p[n] != '$')
            n++;
        n++;
    }
    return s.n >= 2 * n ? str_slice(s, n, s.n - n) : STR("");
}

static void
add_mentions(Arena *a, Str text, size_t from, bool into_strings, Map *ret)
{
    SqlLexer lex = {.text = text, .pos = from};
    SqlTok tok;
    const char *before = "", *schema = ""; /* the name in front, and that which a dot follows */
    for (sql_lex_next(&lex, &tok); tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED;
         sql_lex_next(&lex, &tok)) {
        if (tok.kind == SQL_TOK_STRING && into_strings)
            add_mentions(a, inside(text, &tok), 0, false, ret);
        if (tok.c == '.') {
            schema = before;
            continue;
        }
        const char *name = sql_tok_name(a, text, &tok);
        if (*name)
            map_put(ret, str_of(str_fmt(a, "%s.%s", schema, name)), ret);
        before = name;
        schema = "";
    }
}

void
sql_mentions(Arena *a, const SqlScript *script, Map *ret)
{
    SqlStmt stmt;
    map_init(ret, a);
    for (size_t i = 0; i < script->stmts.n; i++) {
        const SqlStmt *s = sql_stmt(script, i, &stmt);
        add_mentions(a, str_slice(script->text, 0, s->off + s->len), s->off,
                     has_sql_body(a, script, s), ret);
    }
}

bool
sql_is_mentioned(Arena *a, const Map *mentions, SqlName name)
{
    const char *schema = name.schema[0] ? name.schema : "public";
    return map_has(mentions, str_of(str_fmt(a, ".%s", name.name))) ||
           map_has(mentions, str_of(str_fmt(a, "%s.%s", schema, name.name)));
}
