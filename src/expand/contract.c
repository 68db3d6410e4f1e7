/* The second migration: what nobody uses any more goes. */
#include "expand/expand_int.h"

static bool
gone(const ExpandChange *change, const char *what, Err *err)
{
    err_set(err, ERR_IMPOSSIBLE, "the migrations make no %s (any more) that \"%s\" could take away",
            what, change->name);
    return err_hint(err, "look at: aramid state");
}

/* New rows get what the old column gave them, where it can be said. */
static void
add_default(const Expansion *x, Buf *b)
{
    if (x->kind == EXPAND_RENAME_COLUMN && x->column->default_expr)
        buf_fmt(b, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", x->where,
                expand_ident(x->arena, x->made.v[0].name), x->column->default_expr);
}

static bool
write_column(const Catalog *c, const Expansion *x, Str proof, Buf *b, ExpandScript *ret, Err *err)
{
    Arena *a = x->arena;
    const ExpandChange *change = &ret->change;
    const char *column = expand_ident(a, change->column);
    if (change->kind == EXPAND_NOT_NULL) {
        expand_add_not_null(x, b, change->column, proof);
        expand_add_sync_gone(x, b);
        return true;
    }
    const char *user = expand_user(a, c, x, true);
    if (user) {
        err_set(err, ERR_STILL_USED, "column \"%s\" of \"%s\" is still used by %s", change->column,
                change->table, user);
        return err_hint(err, "change or drop that in a migration first, then the same again");
    }
    if (proof.n)
        expand_add_proof(b, proof);
    if (change->kind != EXPAND_DROP_COLUMN)
        expand_add_sync_gone(x, b);
    add_default(x, b);
    buf_fmt(b, "ALTER TABLE %s DROP COLUMN %s;\n", x->where, column);
    if (change->kind != EXPAND_RENAME_COLUMN && x->column->default_expr)
        *vec_add(a, &ret->notes) = str_fmt(a,
                                           "the old column's default (%s) is not taken over: set "
                                           "one yourself, if there is to be one",
                                           x->column->default_expr);
    return true;
}

bool
expand_contract(Arena *a, const Catalog *c, const ExpandChange *change, Str proof,
                ExpandScript *ret, Err *err)
{
    Buf b, where;
    buf_init(&b, a);
    buf_init(&where, a);
    *ret = (ExpandScript){.change = *change};
    buf_fmt(&b, "-- aramid:contract %s\n", change->name);
    sql_add_name(&where, change->schema, change->table);
    const CatRelation *t = catalog_relation(c, change->schema, change->table);
    if (change->kind == EXPAND_RENAME_TABLE) {
        if (!t || t->id.kind != CAT_VIEW)
            return gone(change, "view", err);
        buf_fmt(&b, "DROP VIEW %s;\n", where.p);
        ret->sql = buf_str(&b);
        return true;
    }
    Expansion x = {.arena = a,
                   .kind = change->kind,
                   .table = t,
                   .where = where.p,
                   .alone = expand_ident(a, change->table),
                   .function = expand_function(
                       a, change->table, change->made.n ? change->made.v[0] : change->column)};
    x.column = t ? catalog_column(t, change->column) : NULL;
    if (!x.column)
        return gone(change, "column", err);
    vec_each (const char *, m, &change->made)
        *vec_add(a, &x.made) = (ExpandColumn){.name = *m};
    if (!write_column(c, &x, proof, &b, ret, err))
        return false;
    ret->sql = buf_str(&b);
    return true;
}
