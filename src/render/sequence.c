/* Sequences. */
#include "render/render_int.h"

static void
own_sequence(Render *r, const CatSequence *s)
{
    if (!s->owner_column) {
        statement(r, "ALTER SEQUENCE %s OWNED BY NONE", name_text(r, &s->id));
        return;
    }
    Buf b;
    buf_init(&b, r->arena);
    put_name(r, &b, s->owner_table.schema, s->owner_table.name);
    buf_addc(&b, '.');
    put_ident(r, &b, s->owner_column);
    statement(r, "ALTER SEQUENCE %s OWNED BY %s", name_text(r, &s->id), b.p);
}

const char *
behind_rows(Render *r, const CatSequence *s)
{
    const CatRef *t = &(CatRef){CAT_TABLE, s->owner_table.schema, s->owner_table.name, NULL};
    const CatRef column = {CAT_COLUMN, t->schema, t->name, s->owner_column};
    const CatColumn *from = catalog_find(r->diff->from.catalog, column);
    if (!from || from->type.is_array || strncmp(from->type.name, "int", 3) != 0)
        return NULL;
    bool up = s->increment > 0;
    Buf name;
    buf_init(&name, r->arena);
    put_label(r, &name, name_text(r, &s->id));
    return str_fmt(
        r->arena,
        "SELECT setval(%s, COALESCE((SELECT %s(%s(%s) %s %lld, %lld) FROM %s), %lld), false)",
        name.p, up ? "GREATEST" : "LEAST", up ? "MAX" : "MIN", ident_text(r, s->owner_column),
        up ? "+" : "-", (long long)(up ? s->increment : -s->increment), (long long)s->start,
        name_text(r, t), (long long)s->start);
}

/* With a new owner of the table goes what the old one had of the sequence. */
static CatGrants
grants_moved(Render *r, const CatSequence *x, const char *owner)
{
    CatGrants moved = {0};
    vec_each (const CatGrant, g, &x->grants)
        *vec_add(r->arena, &moved) =
            (CatGrant){cat_same_text(g->role, x->owner) ? owner : g->role, g->privileges};
    return moved;
}

void
render_sequence(Render *r, const Change *c)
{
    const CatSequence *s = (const CatSequence *)(c->to ? c->to : c->from);
    CatSequence usual = *s;
    Buf b;
    buf_init(&b, r->arena);
    catalog_sequence_init(&usual, s->type);
    usual.is_cycle = false;
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP SEQUENCE %s", name_text(r, &s->id));
        return;
    }
    if (c->op == CHANGE_RENAME) {
        statement(r, "ALTER SEQUENCE %s RENAME TO %s", name_text(r, &c->from->id),
                  ident_text(r, s->id.name));
        return;
    }
    if (c->op == CHANGE_CREATE) {
        buf_fmt(&b, "CREATE %sSEQUENCE %s", s->is_unlogged ? "UNLOGGED " : "",
                name_text(r, &s->id));
        if (strcmp(s->type.name, "int8") != 0) {
            buf_addz(&b, " AS ");
            put_type(r, &b, &s->type);
        }
        catalog_sequence_usual(&usual, s);
        put_sequence_options(&b, s, &usual);
        statement_buf(r, &b);
        render_attributes(r, NULL, c->to);
        return;
    }
    if (!c->from) {
        own_sequence(r, s);
        const char *start = behind_rows(r, s);
        if (start)
            statement(r, "%s", start);
        return;
    }
    const CatSequence *x = (const CatSequence *)c->from;
    CatSequence then = *x; /* what AS changes by itself */
    buf_fmt(&b, "ALTER SEQUENCE %s", name_text(r, &x->id));
    size_t head = b.n;
    if (cat_has_text(&c->fields, "type")) {
        CatSequence was = *x;
        buf_addz(&b, " AS ");
        put_type(r, &b, &s->type);
        catalog_sequence_init(&was, x->type);
        if (x->max == was.max)
            then.max = usual.max;
    }
    if (strcmp(x->id.name, s->id.name) == 0)
        put_sequence_options(&b, s, &then);
    if (b.n > head)
        statement_buf(r, &b);
    if (cat_has_text(&c->fields, "is_unlogged"))
        statement(r, "ALTER SEQUENCE %s SET %s", name_text(r, &s->id),
                  s->is_unlogged ? "UNLOGGED" : "LOGGED");
    /* A sequence is like the table that it belongs to, and so it is when it leaves it. */
    bool moves =
        cat_has_text(&c->fields, "owner_table") || cat_has_text(&c->fields, "owner_column");
    if (moves && x->owner_column)
        statement(r, "ALTER SEQUENCE %s OWNED BY NONE", name_text(r, &s->id));
    CatSequence left = *x;
    const CatRelation *t =
        catalog_relation(r->diff->to.catalog, x->owner_table.schema, x->owner_table.name);
    if (moves && x->owner_column && t) {
        left.owner = t->owner;
        if (!r->diff->options.rules || !r->diff->options.rules->ignore_owners)
            left.grants = grants_moved(r, x, t->owner);
        if (t->is_unlogged != s->is_unlogged && !cat_has_text(&c->fields, "is_unlogged"))
            statement(r, "ALTER SEQUENCE %s SET %s", name_text(r, &s->id),
                      s->is_unlogged ? "UNLOGGED" : "LOGGED");
    }
    if (!r->diff->options.prisma_kinds)
        render_attributes(r, (const CatObject *)&left, c->to);
    if (moves && s->owner_column)
        own_sequence(r, s);
    /* Counting the other way it would meet the values that it gave. */
    const char *start = (x->increment > 0) != (s->increment > 0) ? behind_rows(r, s) : NULL;
    if (start)
        statement(r, "%s", start);
}
