/* Rules about tables and columns. */
#include "lint/lint_int.h"

#include <string.h>

static void
judge_column(Lint *l, CatRelation *t, const SqlAction *x)
{
    const char *column = lint_ident(l, x->name), *table = lint_shown(l, t);
    if (strcmp(catalog_type(l->arena, str_of(x->type)).text, "json") == 0)
        lint_say(l, FINDING_LINT_JSON_COLUMN, NULL, "jsonb", "column %s is of type json", column);
    if (x->is_in_create || !lint_is_old(l, t))
        return;
    if (x->if_exists)
        lint_say(l, FINDING_LINT_NO_OP_LOCKS, t, NULL,
                 "%s may have a column %s of another shape: it is left as it is", table, column);
    const char *why = x->is_serial || x->is_identity ? "it counts"
                      : x->is_generated              ? "it is generated and stored"
                      : x->expr.is_there             ? "its default differs from row to row"
                                                     : "its type checks each value";
    if (l->did.rewrites)
        lint_say_work(l, FINDING_LINT_ADD_COLUMN_REWRITES, t, NULL,
                      "%s is written anew for column %s, because %s: readers and writers wait",
                      table, column, why);
    bool has_value =
        x->expr.is_there ? !x->expr.is_null : x->is_serial || x->is_identity || x->is_generated;
    if (x->is_not_null && !has_value)
        lint_say_rows(
            l, FINDING_LINT_ADD_COLUMN_REQUIRED, t, NULL,
            "column %s must have a value and nothing gives one: it fails as soon as %s has a "
            "row",
            column, table);
}

static void
judge_type(Lint *l, CatRelation *t, const SqlAction *x)
{
    const CatColumn *c = catalog_column(t, x->name);
    if (!c || !lint_is_old(l, t))
        return;
    CatType now = catalog_type(l->arena, str_of(x->type));
    const char *table = lint_shown(l, t), *column = lint_ident(l, x->name);
    const char *was = str_printable(l->arena, str_of(c->type.text), false);
    const char *to = str_printable(l->arena, str_of(now.text), false);
    if (l->did.rewrites)
        lint_say_work(l, FINDING_LINT_CHANGE_TYPE_REWRITE, t, NULL,
                      "column %s from %s to %s writes %s anew: readers and writers wait", column,
                      was, to, table);
    else if (l->did.builds)
        lint_say_work(l, FINDING_LINT_CHANGE_TYPE_REBUILDS, t, NULL,
                      "column %s from %s to %s builds indexes of %s anew: readers and writers wait",
                      column, was, to, table);
}

static void
judge_drop_column(Lint *l, CatRelation *t, const SqlAction *x)
{
    const CatColumn *c = catalog_column(t, x->name);
    if (!lint_is_old(l, t) || !lint_is_old(l, c))
        return;
    lint_say_rows(l, FINDING_LINT_DROP_COLUMN, t, NULL, "column %s of %s goes with what is in it",
                  lint_ident(l, x->name), lint_shown(l, t));
}

static void
judge_nullability(Lint *l, CatRelation *t, const SqlAction *x)
{
    const CatColumn *c = catalog_column(t, x->name);
    const char *column = lint_ident(l, x->name), *table = lint_shown(l, t);
    if (!lint_is_old(l, t) || (c && !lint_is_old(l, c)))
        return;
    if (x->kind == SQL_ACT_DROP_NOT_NULL && c && c->is_not_null)
        lint_say(l, FINDING_LINT_DROP_NOT_NULL, t, NULL, "column %s of %s may be NULL from here on",
                 column, table);
    if (x->kind == SQL_ACT_DROP_DEFAULT && c && c->is_not_null && c->default_expr)
        lint_say(l, FINDING_LINT_DROP_DEFAULT, t, NULL,
                 "column %s of %s must have a value and loses its default", column, table);
    if (x->kind == SQL_ACT_SET_NOT_NULL && l->did.scans)
        lint_say_work(l, FINDING_LINT_SET_NOT_NULL_SCAN, t, NULL,
                      "all rows of %s are read for NULLs in column %s: readers and writers wait",
                      table, column);
}

static void
lock_parents(Lint *l, const CatRelation *t, const SqlAction *x)
{
    vec_each (const LintEffect, e, l->effects)
        if (e->table != t && e->mode == SQL_LOCK_ACCESS_EXCLUSIVE && !x->is_cascade)
            lint_say(l, FINDING_LINT_DROP_LOCKS_PARENT, e->table, NULL,
                     "%s is locked, too, because a foreign key leads there",
                     lint_shown(l, e->table));
}

static void
judge_drop_table(Lint *l, CatRelation *t, const SqlAction *x)
{
    if (!lint_is_old(l, t))
        return;
    lint_say_rows(l, FINDING_LINT_DROP_TABLE, t, NULL, "%s goes with its rows", lint_shown(l, t));
    lock_parents(l, t, x);
}

static void
judge_rename(Lint *l, const SqlAction *x)
{
    CatRelation *t = lint_relation(&l->schema, x->on);
    bool is_view = t && t->id.kind != CAT_TABLE;
    if (x->object == SQL_OBJ_COLUMN && lint_is_old(l, t) &&
        lint_is_old(l, catalog_column(t, x->name)))
        lint_say(l, FINDING_LINT_RENAME_COLUMN, t, NULL,
                 "column %s of %s is called %s from here on: code that runs now fails",
                 lint_ident(l, x->name), lint_shown(l, t), lint_ident(l, x->to));
    else if ((x->object == SQL_OBJ_TABLE || x->object == SQL_OBJ_VIEW) && lint_is_old(l, t))
        lint_say(l, FINDING_LINT_RENAME_TABLE, t, NULL,
                 "%s %s %s from here on: code that runs now fails", lint_shown(l, t),
                 x->kind == SQL_ACT_SET_SCHEMA ? "is in schema"
                 : is_view                     ? "(a view) is called"
                                               : "is called",
                 lint_ident(l, x->to));
}

void
lint_judge_tables(Lint *l, const SqlAction *x)
{
    CatRelation *t = lint_relation(&l->schema, x->on);
    if (x->kind == SQL_ACT_RENAME || x->kind == SQL_ACT_SET_SCHEMA)
        judge_rename(l, x);
    if (!t)
        return;
    switch (x->kind) {
    case SQL_ACT_COLUMN:
        judge_column(l, t, x);
        return;
    case SQL_ACT_TYPE:
        judge_type(l, t, x);
        return;
    case SQL_ACT_DROP_COLUMN:
        judge_drop_column(l, t, x);
        lock_parents(l, t, x);
        return;
    case SQL_ACT_DROP_CONSTRAINT:
        lock_parents(l, t, x);
        return;
    case SQL_ACT_SET_NOT_NULL:
    case SQL_ACT_DROP_NOT_NULL:
    case SQL_ACT_DROP_DEFAULT:
        judge_nullability(l, t, x);
        return;
    case SQL_ACT_DROP:
        if (x->object == SQL_OBJ_TABLE)
            judge_drop_table(l, t, x);
        return;
    case SQL_ACT_REWRITE:
        if (lint_is_old(l, t))
            lint_say_work(l, FINDING_LINT_REWRITE_TABLE, t, NULL,
                          "%s writes %s anew: readers and writers wait", x->name, lint_shown(l, t));
        return;
    default:
        return;
    }
}
