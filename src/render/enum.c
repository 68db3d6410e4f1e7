/* Enums, and what of them stands in columns. */
#include "render/render_int.h"

static void
put_labels(Render *r, Buf *b, const CatTexts *labels)
{
    for (size_t i = 0; i < labels->n; i++) {
        if (i)
            buf_addz(b, ", ");
        put_label(r, b, labels->v[i]);
    }
}

/* The label behind which, on the new side, an added one stands: NULL when it is the last. */
static const char *
place_of(const CatEnum *to, const CatTexts *added, const char *label)
{
    size_t i = 0;
    while (strcmp(to->labels.v[i], label) != 0)
        i++;
    /* Those added later find their place by themselves. */
    for (i++; i < to->labels.n; i++) {
        bool is_added = false;
        vec_each (const char *, other, added)
            is_added = is_added || strcmp(*other, to->labels.v[i]) == 0;
        if (!is_added)
            return to->labels.v[i];
    }
    return NULL;
}

static void
add_values(Render *r, const Change *c, const char *name)
{
    static const char *const warning =
        "-- This migration adds more than one value to an enum.\n"
        "-- With PostgreSQL versions 11 and earlier, this is not possible\n"
        "-- in a single migration. This can be worked around by creating\n"
        "-- multiple migrations, each migration adding only one value to\n"
        "-- the enum.\n\n\n";
    for (size_t i = 0; i < c->labels.n; i++) {
        Buf b;
        buf_init(&b, r->arena);
        buf_fmt(&b, "%sALTER TYPE %s ADD VALUE ", i == 0 && c->labels.n > 1 ? warning : "", name);
        put_label(r, &b, c->labels.v[i]);
        const char *before =
            r->compat ? NULL : place_of((const CatEnum *)c->to, &c->labels, c->labels.v[i]);
        if (before) {
            buf_addz(&b, " BEFORE ");
            put_label(r, &b, before);
        }
        statement_buf(r, &b);
    }
}

static void
alter_column(Render *r, const CatColumn *column, const char *what)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "ALTER TABLE ");
    put_name(r, &b, column->id.schema, column->id.name);
    buf_addz(&b, " ALTER COLUMN ");
    put_ident(r, &b, column->id.sub);
    buf_fmt(&b, " %s", what);
    statement_buf(r, &b);
}

static void
rebuild(Render *r, const Change *c, const char *name)
{
    const CatEnum *to = (const CatEnum *)c->to;
    const char *new_plain = r->compat ? str_fmt(r->arena, "%s_new", to->id.name)
                                      : catalog_name_with(r->arena, to->id.name, "_new");
    const char *old_plain = r->compat ? str_fmt(r->arena, "%s_old", to->id.name)
                                      : catalog_name_with(r->arena, to->id.name, "_old");
    Buf new_name, old_name, old_ident, plain, b;
    buf_init(&new_name, r->arena);
    buf_init(&old_name, r->arena);
    buf_init(&old_ident, r->arena);
    buf_init(&plain, r->arena);
    buf_init(&b, r->arena);
    put_name(r, &new_name, to->id.schema, new_plain);
    put_name(r, &old_name, to->id.schema, old_plain);
    put_ident(r, &old_ident, old_plain);
    put_ident(r, &plain, to->id.name);
    /* Prisma's own transaction would end the one that the whole script runs in. */
    if (r->compat)
        statement(r, "BEGIN");
    buf_fmt(&b, "CREATE TYPE %s AS ENUM (", new_name.p);
    put_labels(r, &b, &to->labels);
    buf_addc(&b, ')');
    statement_buf(r, &b);
    vec_each (const EnumUse, use, &c->defaults)
        alter_column(r, use->from, "DROP DEFAULT");
    vec_each (const CatColumn *, column, &c->retype) {
        const char *brackets = (*column)->type.is_array ? "[]" : "";
        Buf ident;
        buf_init(&ident, r->arena);
        put_ident(r, &ident, (*column)->id.sub);
        /* In between the old type may be a list where the new one is none, or the other way. */
        alter_column(r, *column,
                     str_fmt(r->arena, "TYPE %s%s USING (%s::text%s::%s%s)", new_name.p, brackets,
                             ident.p, r->compat ? "" : brackets, new_name.p, brackets));
    }
    statement(r, "ALTER TYPE %s RENAME TO %s", name, old_ident.p);
    statement(r, "ALTER TYPE %s RENAME TO %s", new_name.p, plain.p);
    if (r->compat && !r->diff->options.from_is_written)
        statement(r, "DROP TYPE \"%s\".%s", to->id.schema, old_ident.p);
    else if (!c->keeps_old_type)
        statement(r, "DROP TYPE %s", old_name.p);
    vec_each (const EnumUse, use, &c->defaults)
        if (use->to && use->to->default_expr)
            alter_column(r, use->to, str_fmt(r->arena, "SET DEFAULT %s", use->to->default_expr));
    if (r->compat)
        statement(r, "COMMIT");
}

void
render_enum(Render *r, const Change *c)
{
    const CatEnum *e = (const CatEnum *)(c->to ? c->to : c->from);
    Buf name, b;
    buf_init(&name, r->arena);
    buf_init(&b, r->arena);
    put_name(r, &name, e->id.schema, e->id.name);
    switch (c->op) {
    case CHANGE_CREATE:
        buf_fmt(&b, "CREATE TYPE %s AS ENUM (", name.p);
        put_labels(r, &b, &e->labels);
        buf_addc(&b, ')');
        statement_buf(r, &b);
        render_attributes(r, NULL, c->to);
        break;
    case CHANGE_DROP:
        statement(r, "DROP TYPE %s", name.p);
        break;
    case CHANGE_ALTER:
        if (c->is_rebuilt)
            rebuild(r, c, name.p);
        else
            add_values(r, c, name.p);
        if (!r->diff->options.prisma_kinds)
            render_attributes(r, c->is_rebuilt ? NULL : c->from, c->to);
        else if (c->is_rebuilt) /* the language has no comments for it */
            render_attributes(r, NULL, c->from);
        break;
    case CHANGE_RENAME:
        if (c->old_name) {
            buf_fmt(&b, "ALTER TYPE %s RENAME VALUE ", name.p);
            put_label(r, &b, c->old_name);
            buf_addz(&b, " TO ");
            put_label(r, &b, c->fields.v[0]);
        } else {
            buf_addz(&b, "ALTER TYPE ");
            put_name(r, &b, c->from->id.schema, c->from->id.name);
            bool moves = strcmp(c->from->id.name, e->id.name) == 0;
            buf_addz(&b, moves ? " SET SCHEMA " : " RENAME TO ");
            put_ident(r, &b, moves ? e->id.schema : e->id.name);
        }
        statement_buf(r, &b);
        break;
    case CHANGE_ATTACH:
    case CHANGE_INDEX_STATE:
        break; /* of relations */
    }
}
