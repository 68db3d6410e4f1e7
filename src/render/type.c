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
    if (d->is_not_null)
        buf_addz(&b, " NOT NULL");
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
    if (cat_has_text(&c->fields, "is_not_null"))
        statement(r, "ALTER DOMAIN %s %s NOT NULL", name, d->is_not_null ? "SET" : "DROP");
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

void
render_composite(Render *r, const Change *c)
{
    const CatComposite *t = (const CatComposite *)(c->to ? c->to : c->from);
    const char *name = name_text(r, &t->id);
    Buf b;
    buf_init(&b, r->arena);
    if (c->op == CHANGE_DROP) {
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
