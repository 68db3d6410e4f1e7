/* Domains and composite types. */
#include "render/render_int.h"

static void
create_domain(Render *r, const CatDomain *d)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "CREATE DOMAIN %s AS ", name_text(r, &d->id));
    put_type(r, &b, &d->type);
    put_collation(r, &b, &d->collation);
    if (d->default_expr)
        buf_fmt(&b, " DEFAULT %s", d->default_expr);
    if (d->is_not_null) {
        put_not_null_name(r, &b, d->not_null_name);
        buf_addz(&b, " NOT NULL");
    }
    cat_each (CatConstraint, k, &d->constraints) {
        if (catalog_check_is_apart(k))
            continue;
        buf_addz(&b, " CONSTRAINT ");
        put_ident(r, &b, k->id.sub);
        buf_addc(&b, ' ');
        put_constraint(r, &b, k);
    }
    statement_buf(r, &b);
    render_attributes(r, NULL, (const CatObject *)d);
    cat_each (CatConstraint, k, &d->constraints)
        if (!catalog_check_is_apart(k))
            render_attributes(r, NULL, (const CatObject *)k);
}

static void
alter_not_null(Render *r, const CatDomain *from, const CatDomain *to)
{
    const char *name = name_text(r, &to->id);
    if (from->is_not_null && !to->is_not_null)
        statement(r, "ALTER DOMAIN %s DROP NOT NULL", name);
    else if (to->is_not_null && !from->is_not_null && to->not_null_name)
        statement(r, "ALTER DOMAIN %s ADD CONSTRAINT %s NOT NULL", name,
                  ident_text(r, to->not_null_name));
    else if (to->is_not_null && !from->is_not_null)
        statement(r, "ALTER DOMAIN %s SET NOT NULL", name);
    else if (cat_has_text(&r->step->change->fields, "not_null_name"))
        statement(r, "ALTER DOMAIN %s RENAME CONSTRAINT %s TO %s", name,
                  ident_text(r, not_null_name(r, &from->id, from->not_null_name)),
                  ident_text(r, not_null_name(r, &to->id, to->not_null_name)));
}

void
render_domain(Render *r, const Change *c)
{
    if (c->op == CHANGE_CREATE) {
        create_domain(r, (const CatDomain *)c->to);
        return;
    }
    const char *name = name_text(r, &c->from->id);
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP DOMAIN %s", name);
        return;
    }
    const CatDomain *d = (const CatDomain *)c->to;
    if (c->op == CHANGE_RENAME) {
        statement(r, "ALTER DOMAIN %s RENAME TO %s", name, ident_text(r, d->id.name));
        return;
    }
    if (cat_has_text(&c->fields, "default_expr")) {
        if (d->default_expr)
            statement(r, "ALTER DOMAIN %s SET DEFAULT %s", name, d->default_expr);
        else
            statement(r, "ALTER DOMAIN %s DROP DEFAULT", name);
    }
    alter_not_null(r, (const CatDomain *)c->from, d);
    render_attributes(r, c->from, c->to);
}

static void
put_attribute(Render *r, Buf *b, const CatColumn *column)
{
    put_ident(r, b, column->id.sub);
    buf_addc(b, ' ');
    put_type(r, b, &column->type);
    put_collation(r, b, &column->collation);
}

/* The function that makes new values of a composite type from old ones. */
static const char *
conversion(Render *r, const CatComposite *to)
{
    const CatRef id = {CAT_FUNCTION, to->id.schema,
                       catalog_name_with(r->arena, to->id.name, "_convert"), NULL};
    return name_text(r, &id);
}

/* Attribute by attribute; those that the old type does not have are NULL. A function's columns become
 * those of its type as by an assignment, which refuses what is too long where a cast would cut it. */
static void
put_conversion(Render *r, Buf *b, const Change *c)
{
    const char *comma = "";
    buf_addz(b, "SELECT ");
    vec_each (const ColumnChange, k, &c->columns) {
        if (k->op == COLUMN_DROP)
            continue;
        buf_addz(b, comma);
        comma = ", ";
        const char *type = k->to->type.text;
        if (k->op != COLUMN_ALTER) {
            buf_fmt(b, "NULL::%s", type);
            continue;
        }
        const char *of = str_fmt(r->arena, "($1).%s", ident_text(r, k->from->id.sub));
        switch (k->cast_using) {
        case USING_NOTHING:
            buf_addz(b, of);
            break;
        case USING_CAST:
            buf_fmt(b, "%s::%s", of, type);
            break;
        case USING_INTEGER:
            buf_fmt(b, "%s::integer%s::%s", of, k->from->type.is_array ? "[]" : "", type);
            break;
        case USING_TEXT:
            buf_fmt(b, "%s::text%s::%s", of, k->from->type.is_array ? "[]" : "", type);
            break;
        case USING_ARRAY:
            buf_fmt(b, "CASE WHEN %s IS NOT NULL THEN ARRAY[%s] END::%s", of, of, type);
            break;
        case USING_FIRST:
            buf_fmt(b, "(%s)[1]::%s", of, type);
            break;
        }
    }
    if (!*comma) { /* a row without attributes */
        buf_addz(b, "ROW()::");
        sql_add_name(b, c->to->id.schema, c->to->id.name);
    }
}

static void
create_conversion(Render *r, const Change *c)
{
    const char *old = name_text(r, &c->room->id), *now = name_text(r, &c->to->id);
    Buf body, literal;
    buf_init(&body, r->arena);
    buf_init(&literal, r->arena);
    put_conversion(r, &body, c);
    sql_add_literal(&literal, buf_str(&body));
    const char *function = conversion(r, (const CatComposite *)c->to);
    statement(r, "CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE sql STABLE STRICT AS %s", function,
              old, now, str_dup(r->arena, str_trim(buf_str(&literal))));
    statement(r, "CREATE CAST (%s AS %s) WITH FUNCTION %s(%s) AS ASSIGNMENT", old, now, function,
              old);
}

static void
drop_conversion(Render *r, const CatComposite *old, const CatComposite *now)
{
    statement(r, "DROP CAST (%s AS %s)", name_text(r, &old->id), name_text(r, &now->id));
    statement(r, "DROP FUNCTION %s(%s)", conversion(r, now), name_text(r, &old->id));
}

void
render_composite(Render *r, const Change *c)
{
    const CatComposite *t = (const CatComposite *)(c->to ? c->to : c->from);
    const char *name = name_text(r, &t->id);
    Buf b;
    buf_init(&b, r->arena);
    if (c->op == CHANGE_RENAME) {
        statement(r, "ALTER TYPE %s RENAME TO %s", name_text(r, &c->from->id),
                  ident_text(r, t->id.name));
        return;
    }
    if (c->op == CHANGE_DROP) {
        if (c->room)
            drop_conversion(r, t, (const CatComposite *)c->room);
        statement(r, "DROP TYPE %s", name);
        return;
    }
    if (c->op == CHANGE_CREATE) {
        buf_fmt(&b, "CREATE TYPE %s AS (", name);
        cat_each (CatColumn, column, &t->columns) {
            if (column != t->columns.v[0])
                buf_addz(&b, ", ");
            put_attribute(r, &b, column);
        }
        buf_addc(&b, ')');
        statement_buf(r, &b);
        render_attributes(r, NULL, c->to);
        cat_each (CatColumn, column, &t->columns)
            render_attributes(r, NULL, (const CatObject *)column);
        if (c->room)
            create_conversion(r, c);
        return;
    }
    vec_each (const ColumnChange, k, &c->columns) {
        buf_clear(&b);
        if (k->op == COLUMN_DROP) {
            statement(r, "ALTER TYPE %s DROP ATTRIBUTE %s", name, ident_text(r, k->from->id.sub));
            continue;
        }
        if (k->op == COLUMN_ADD) {
            put_attribute(r, &b, k->to);
            statement(r, "ALTER TYPE %s ADD ATTRIBUTE %s", name, b.p);
        } else if (k->op == COLUMN_RECREATE) {
            put_attribute(r, &b, k->to);
            statement(r, "ALTER TYPE %s DROP ATTRIBUTE %s, ADD ATTRIBUTE %s", name,
                      ident_text(r, k->from->id.sub), b.p);
            render_attributes(r, NULL, (const CatObject *)k->to);
            continue;
        } else if (k->fields & COLUMN_TYPE) {
            put_type(r, &b, &k->to->type);
            put_collation(r, &b, &k->to->collation);
            statement(r, "ALTER TYPE %s ALTER ATTRIBUTE %s TYPE %s", name,
                      ident_text(r, k->to->id.sub), b.p);
        }
        render_attributes(r, (const CatObject *)k->from, (const CatObject *)k->to);
    }
    render_attributes(r, c->from, c->to);
}
