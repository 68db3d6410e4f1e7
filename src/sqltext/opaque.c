#include "sqltext/sqltext_int.h"

/* What the words tell of a statement that has no tree: newer syntax, mostly. Locks are those of
 * the form that is known; a table that an unknown ALTER TABLE names is taken to be locked most
 * strongly. */

/* Each REFERENCES p in the rest is a foreign key, which locks the other table. */
static void
add_references(SqlWords w, SqlStmt *s)
{
    while (!sql_words_end(&w)) {
        if (sql_words_accept(&w, "references"))
            sql_lock_add(w.arena, s, sql_words_name(&w), SQL_LOCK_SHARE_ROW_EXCLUSIVE, true);
        else
            sql_words_next(&w);
    }
}

/* Step behind the next comma outside of parentheses; false at the end. */
static bool
next_item(SqlWords *w)
{
    while (!sql_words_end(w)) {
        if (w->tok.c == ',') {
            sql_words_next(w);
            return true;
        }
        sql_words_skip(w);
    }
    return false;
}

/* ADD [COLUMN] c, ADD CONSTRAINT c, DROP [COLUMN] c, DROP CONSTRAINT c */
static void
alter_item(SqlWords *w, SqlStmt *s)
{
    static const char *const unnamed[] = {"primary", "unique",  "check",
                                          "foreign", "exclude", "not"};
    SqlObject object = {.effect = SQL_CREATES, .kind = SQL_OBJ_COLUMN, .name = s->table};
    if (sql_words_accept(w, "drop"))
        object.effect = SQL_DROPS;
    else if (!sql_words_accept(w, "add"))
        return;
    for (size_t i = 0; i < COUNT(unnamed); i++)
        if (sql_words_at(w, unnamed[i]))
            return;
    if (sql_words_accept(w, "constraint"))
        object.kind = SQL_OBJ_CONSTRAINT;
    else
        sql_words_accept(w, "column");
    object.if_exists = sql_words_accept_if_exists(w);
    object.sub = sql_words_name(w).name;
    sql_object_add(w->arena, s, &object);
}

/* RENAME TO y; RENAME [COLUMN] a TO b, RENAME CONSTRAINT a TO b of a relation. */
static void
read_rename(SqlWords *w, SqlStmt *s, SqlObjectKind kind, SqlName name)
{
    SqlObject away = {.effect = SQL_RENAMES_AWAY, .kind = kind, .name = name};
    away.if_exists = s->if_exists;
    if (!sql_words_accept(w, "rename") || sql_words_at(w, "value") || sql_words_at(w, "attribute"))
        return;
    if (!sql_words_at(w, "to")) {
        away.kind = SQL_OBJ_COLUMN;
        if (sql_words_accept(w, "constraint"))
            away.kind = SQL_OBJ_CONSTRAINT;
        else
            sql_words_accept(w, "column");
        away.sub = sql_words_name(w).name;
    }
    if (!sql_words_accept(w, "to"))
        return;
    const char *to = sql_words_name(w).name;
    SqlObject comes = away;
    comes.effect = SQL_CREATES;
    if (away.sub)
        comes.sub = to;
    else
        comes.name.name = to;
    sql_object_add(w->arena, s, &away);
    sql_object_add(w->arena, s, &comes);
}

static void
read_alter_table(SqlWords *w, SqlStmt *s)
{
    if (s->kind == SQL_DETACH_PARTITION) {
        SqlLockMode mode =
            s->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_ACCESS_EXCLUSIVE;
        sql_lock_add(w->arena, s, s->parent, mode, true);
        sql_lock_add(w->arena, s, s->table, SQL_LOCK_ACCESS_EXCLUSIVE, true);
        return;
    }
    sql_lock_add(w->arena, s, s->table, SQL_LOCK_ACCESS_EXCLUSIVE, true);
    add_references(*w, s);
    sql_words_accept_if_exists(w);
    sql_words_accept(w, "only");
    sql_words_name(w);
    if (w->tok.c == '*')
        sql_words_next(w);
    read_rename(w, s, SQL_OBJ_TABLE, s->table);
    do {
        alter_item(w, s);
    } while (next_item(w));
}

static void
read_alter(SqlWords *w, SqlStmt *s)
{
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    if (s->kind == SQL_ALTER_TABLE || s->kind == SQL_DETACH_PARTITION ||
        (s->kind == SQL_RENAME && *s->table.name)) {
        read_alter_table(w, s);
        return;
    }
    sql_words_accept_if_exists(w);
    if (type->kind == SQL_OBJ_POLICY || type->kind == SQL_OBJ_TRIGGER) {
        sql_words_name(w);
        if (sql_words_accept(w, "on"))
            sql_lock_add(w->arena, s, sql_words_name(w), SQL_LOCK_ACCESS_EXCLUSIVE, true);
        return;
    }
    SqlName name = sql_words_name(w);
    if (type->is_relation)
        sql_lock_add(w->arena, s, name,
                     type->kind == SQL_OBJ_INDEX ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE
                                                 : SQL_LOCK_ACCESS_EXCLUSIVE,
                     false);
    sql_words_skip_parens(w);
    if (type->kind != SQL_OBJ_OTHER)
        read_rename(w, s, type->kind, name);
}

static void
create_table(SqlWords *w, SqlStmt *s)
{
    add_references(*w, s);
    if (!sql_words_accept(w, "partition") || !sql_words_accept(w, "of"))
        return;
    sql_lock_add(w->arena, s, sql_words_name(w), SQL_LOCK_ACCESS_EXCLUSIVE, true);
}

static void
read_create(SqlWords *w, SqlStmt *s)
{
    bool unique, replace;
    sql_words_skip_modifiers(w, &unique, &replace);
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    SqlObject object = {.effect = SQL_CREATES, .kind = type->kind, .if_exists = s->if_exists};
    if (type->kind == SQL_OBJ_INDEX) {
        SqlLockMode mode = s->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_SHARE;
        sql_lock_add(w->arena, s, s->table, mode, true);
        object.name = s->index;
        object.sub = s->table.name;
        sql_object_add(w->arena, s, &object);
        return;
    }
    sql_words_accept_if_exists(w);
    object.name = sql_words_name(w);
    if (type->kind == SQL_OBJ_TRIGGER || type->kind == SQL_OBJ_POLICY) {
        SqlLockMode mode = type->kind == SQL_OBJ_TRIGGER ? SQL_LOCK_SHARE_ROW_EXCLUSIVE
                                                         : SQL_LOCK_ACCESS_EXCLUSIVE;
        object.sub = object.name.name;
        while (!sql_words_end(w) && !sql_words_at(w, "on"))
            sql_words_next(w);
        sql_words_next(w);
        object.name = sql_words_name(w);
        sql_lock_add(w->arena, s, object.name, mode, true);
    }
    sql_object_add(w->arena, s, &object);
    if (type->kind == SQL_OBJ_TABLE)
        create_table(w, s);
}

static void
read_drop(SqlWords *w, SqlStmt *s)
{
    const SqlObjectType *type = sql_words_type(w);
    if (!type)
        return;
    sql_words_accept(w, "concurrently");
    sql_words_accept_if_exists(w);
    do {
        SqlObject object = {.effect = SQL_DROPS, .kind = type->kind, .if_exists = s->if_exists};
        object.name = sql_words_name(w);
        if (type->kind == SQL_OBJ_TRIGGER || type->kind == SQL_OBJ_POLICY) {
            object.sub = object.name.name;
            sql_words_accept(w, "on");
            object.name = sql_words_name(w);
            sql_lock_add(w->arena, s, object.name, SQL_LOCK_ACCESS_EXCLUSIVE, true);
        }
        if (type->is_relation)
            sql_lock_add(w->arena, s, object.name,
                         s->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE
                                          : SQL_LOCK_ACCESS_EXCLUSIVE,
                         str_is(str_of(type->words), "TABLE"));
        sql_object_add(w->arena, s, &object);
    } while (next_item(w));
}

static void
read_reindex(SqlWords *w, SqlStmt *s)
{
    SqlLockMode mode = s->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_SHARE;
    sql_lock_add(w->arena, s, s->table, mode, true);
    mode = s->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_ACCESS_EXCLUSIVE;
    sql_lock_add(w->arena, s, s->index, mode, false);
}

/* The table that a data statement names first; `word` is what stands before it. */
static void
read_target(SqlWords *w, SqlStmt *s, const char *word, SqlLockMode mode)
{
    if (word && !sql_words_accept(w, word))
        return;
    sql_words_accept(w, "only");
    sql_lock_add(w->arena, s, sql_words_name(w), mode, true);
}

/* A common table expression may change rows: its parenthesis begins with the verb. */
static void
read_with(SqlWords *w, SqlStmt *s)
{
    bool opened = false;
    for (; !sql_words_end(w); sql_words_next(w)) {
        if (opened && (sql_words_at(w, "insert") || sql_words_at(w, "update") ||
                       sql_words_at(w, "delete") || sql_words_at(w, "merge")))
            s->is_dml = true;
        opened = w->tok.c == '(';
    }
}

void
sql_words_read(Arena *a, Str text, SqlStmt *stmt)
{
    SqlWords w = sql_words(a, text, stmt);
    if (sql_words_accept(&w, "alter")) {
        read_alter(&w, stmt);
    } else if (sql_words_accept(&w, "create")) {
        read_create(&w, stmt);
    } else if (sql_words_accept(&w, "drop")) {
        read_drop(&w, stmt);
    } else if (sql_words_accept(&w, "reindex")) {
        read_reindex(&w, stmt);
    } else if (sql_words_accept(&w, "truncate")) {
        sql_words_accept(&w, "table");
        do {
            read_target(&w, stmt, NULL, SQL_LOCK_ACCESS_EXCLUSIVE);
        } while (next_item(&w));
    } else if (sql_words_accept(&w, "insert") || sql_words_accept(&w, "merge")) {
        read_target(&w, stmt, "into", SQL_LOCK_ROW_EXCLUSIVE);
    } else if (sql_words_accept(&w, "delete")) {
        read_target(&w, stmt, "from", SQL_LOCK_ROW_EXCLUSIVE);
    } else if (sql_words_accept(&w, "update")) {
        read_target(&w, stmt, NULL, SQL_LOCK_ROW_EXCLUSIVE);
    } else if (sql_words_accept(&w, "copy")) {
        read_target(&w, stmt, NULL, stmt->is_dml ? SQL_LOCK_ROW_EXCLUSIVE : SQL_LOCK_ACCESS_SHARE);
    } else if (sql_words_at(&w, "cluster") || sql_words_at(&w, "repack")) {
        sql_lock_add(a, stmt, stmt->table, SQL_LOCK_ACCESS_EXCLUSIVE, true);
    } else if (sql_words_at(&w, "with")) {
        read_with(&w, stmt);
    }
}
