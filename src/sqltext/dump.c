/* Statements of dumps: one after another from a stream, and what a restore must know of each. */
#include "sqltext/sqltext_int.h"

static void
add_role(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    /* PUBLIC and CURRENT_USER, SESSION_USER are no roles of a server. */
    bool is_word = w->tok.kind == SQL_TOK_WORD &&
                   (sql_words_at(w, "public") || sql_words_at(w, "current_user") ||
                    sql_words_at(w, "session_user") || sql_words_at(w, "current_role"));
    const char *name = sql_words_name(w).name;
    if (name[0] && !is_word)
        *vec_add(a, &ret->roles) = name;
}

static void
add_roles(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    do {
        sql_words_next(w); /* TO, FROM, ROLE; a comma */
        sql_words_accept(w, "group");
        add_role(a, ret, w);
    } while (w->tok.c == ',');
}

/* Move to the next of these words outside of parentheses; false: there is none. */
static bool
find_word(SqlWords *w, const char *one, const char *other)
{
    while (!sql_words_end(w)) {
        if (w->tok.c == '(') {
            sql_words_skip_parens(w);
            continue;
        }
        if (sql_words_at(w, one) || (other && sql_words_at(w, other)))
            return true;
        sql_words_next(w);
    }
    return false;
}

static void
read_privileges(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    ret->kind = SQL_DUMP_PRIVILEGES;
    while (find_word(w, "to", "from"))
        add_roles(a, ret, w);
}

static const char *
name_text(Arena *a, SqlWords *w)
{
    Buf b;
    buf_init(&b, a);
    SqlName n = sql_words_name(w);
    if (n.name[0] && n.schema && n.schema[0])
        sql_add_name(&b, n.schema, n.name);
    else if (n.name[0])
        sql_add_ident(&b, n.name);
    return buf_finish(&b).p;
}

const char *
sql_dump_name(Arena *a, Str text)
{
    SqlWords w = sql_words(a, text, &(SqlStmt){.len = text.n});
    return name_text(a, &w);
}

/* ALTER TABLE x ADD CONSTRAINT y FOREIGN KEY (...) REFERENCES z; ALTER TABLE x ATTACH PARTITION z */
static void
read_alter_table(Arena *a, SqlDumpStmt *ret, SqlWords w)
{
    sql_words_accept_if_exists(&w);
    sql_words_accept(&w, "only");
    const char *table = name_text(a, &w);
    if (sql_words_accept(&w, "attach")) {
        sql_words_accept(&w, "partition");
        *ret = (SqlDumpStmt){SQL_DUMP_ATTACH, "", .table = name_text(a, &w), .other = table};
    } else if (sql_words_accept(&w, "add") && find_word(&w, "references", NULL)) {
        sql_words_next(&w);
        *ret = (SqlDumpStmt){SQL_DUMP_FOREIGN_KEY, "", .table = table, .other = name_text(a, &w)};
    }
}

static void
read_alter(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    if (sql_words_accept(w, "table")) {
        read_alter_table(a, ret, *w);
        if (ret->table)
            return;
    }
    if (sql_words_accept(w, "database")) {
        ret->kind = SQL_DUMP_DATABASE;
        return;
    }
    if (sql_words_accept(w, "default")) {
        if (find_word(w, "role", "user"))
            add_roles(a, ret, w);
        read_privileges(a, ret, w);
        return;
    }
    while (find_word(w, "owner", NULL)) {
        sql_words_next(w);
        if (sql_words_at(w, "to")) {
            ret->kind = SQL_DUMP_OWNER;
            add_roles(a, ret, w);
        }
    }
}

static void
read_create(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    if (sql_words_accept(w, "database")) {
        ret->kind = SQL_DUMP_DATABASE;
    } else if (sql_words_accept(w, "role") || sql_words_accept(w, "user")) {
        ret->kind = sql_words_at(w, "mapping") ? SQL_DUMP_OTHER : SQL_DUMP_ROLE;
    } else if (sql_words_accept(w, "extension")) {
        sql_words_accept_if_exists(w);
        ret->kind = SQL_DUMP_EXTENSION;
        ret->name = sql_words_name(w).name;
    } else if (sql_words_accept(w, "schema")) {
        sql_words_accept_if_exists(w);
        ret->kind = SQL_DUMP_SCHEMA;
        ret->name = sql_words_name(w).name;
        if (sql_words_at(w, "authorization"))
            add_roles(a, ret, w);
    } else if (sql_words_accept(w, "policy")) {
        ret->kind = SQL_DUMP_POLICY;
        if (find_word(w, "to", NULL))
            add_roles(a, ret, w);
    }
}

/* SELECT pg_catalog.set_config('search_path', '', false) */
static void
read_select(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    if (strcmp(sql_words_name(w).name, "set_config") != 0 || w->tok.c != '(')
        return;
    sql_words_next(w);
    if (w->tok.kind != SQL_TOK_STRING || w->tok.len < 2)
        return;
    ret->kind = SQL_DUMP_SETTING;
    ret->name = str_dup(a, str_slice(w->text, w->tok.off + 1, w->tok.off + w->tok.len - 1));
}

static void
read_set(Arena *a, SqlDumpStmt *ret, SqlWords *w)
{
    sql_words_accept(w, "local");
    if (sql_words_accept(w, "session") && sql_words_at(w, "authorization")) {
        ret->kind = SQL_DUMP_OWNER;
        sql_words_next(w);
        if (w->tok.kind == SQL_TOK_STRING && w->tok.len > 2)
            *vec_add(a, &ret->roles) =
                str_dup(a, str_slice(w->text, w->tok.off + 1, w->tok.off + w->tok.len - 1));
        else if (!sql_words_at(w, "default"))
            add_role(a, ret, w);
        return;
    }
    ret->kind = SQL_DUMP_SETTING;
    SqlName name = sql_words_name(w);
    ret->name = name.schema[0] ? str_fmt(a, "%s.%s", name.schema, name.name) : name.name;
}

SqlDumpStmt
sql_dump_statement(Arena *a, Str text)
{
    SqlDumpStmt ret = {.name = ""};
    SqlWords w = sql_words(a, text, &(SqlStmt){.len = text.n});
    if (sql_words_accept(&w, "alter")) {
        read_alter(a, &ret, &w);
    } else if (sql_words_accept(&w, "create")) {
        read_create(a, &ret, &w);
    } else if (sql_words_accept(&w, "drop")) {
        ret.kind = sql_words_at(&w, "database") ? SQL_DUMP_DATABASE : SQL_DUMP_OTHER;
    } else if (sql_words_accept(&w, "grant") || sql_words_accept(&w, "revoke")) {
        read_privileges(a, &ret, &w);
    } else if (sql_words_accept(&w, "comment")) {
        sql_words_accept(&w, "on");
        if (sql_words_at(&w, "extension"))
            ret.kind = SQL_DUMP_EXTENSION_COMMENT;
    } else if (sql_words_accept(&w, "set")) {
        read_set(a, &ret, &w);
    } else if (sql_words_accept(&w, "select")) {
        read_select(a, &ret, &w);
    } else if (sql_words_at(&w, "begin") || sql_words_at(&w, "commit") || sql_words_at(&w, "end") ||
               sql_words_at(&w, "start")) {
        ret.kind = SQL_DUMP_TRANSACTION;
    } else if (sql_words_accept(&w, "refresh")) {
        sql_words_accept(&w, "materialized");
        sql_words_accept(&w, "view");
        ret.kind = SQL_DUMP_REFRESH;
        ret.name = sql_words_name(&w).name;
    } else if (sql_words_at(&w, "rollback") || sql_words_at(&w, "abort")) {
        ret.kind = SQL_DUMP_ROLLBACK;
    }
    return ret;
}
