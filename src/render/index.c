/* Indexes, and constraints but for primary keys. */
#include "render/render_int.h"

static bool
has_partitions(const Catalog *c, const CatIndex *i)
{
    vec_each (CatObject *, o, &c->objects)
        if ((*o)->id.kind == CAT_INDEX) {
            const CatName *parent = &((const CatIndex *)*o)->parent;
            if (cat_same_text(parent->name, i->id.name) &&
                cat_same_text(parent->schema, i->id.schema))
                return true;
        }
    return false;
}

void
put_index_keys(Render *r, Buf *b, const CatIndex *i)
{
    if (i->method) {
        buf_addz(b, " USING ");
        for (const char *p = i->method; *p; p++)
            buf_addc(b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
        buf_addc(b, ' ');
    }
    buf_addc(b, '(');
    put_keys(r, b, &i->keys);
    buf_addc(b, ')');
    if (i->include.n) {
        buf_addz(b, " INCLUDE (");
        put_columns(r, b, &i->include, ", ");
        buf_addc(b, ')');
    }
    if (i->is_nulls_not_distinct)
        buf_addz(b, " NULLS NOT DISTINCT");
    put_options(r, b, &i->options);
    if (i->tablespace) {
        buf_addz(b, " TABLESPACE ");
        put_ident(r, b, i->tablespace);
    }
    if (i->predicate)
        buf_fmt(b, " WHERE %s", i->predicate);
}

static void
put_index(Render *r, Buf *b, const CatIndex *i)
{
    const Catalog *c = r->diff->to.catalog;
    const CatRelation *t = catalog_relation(c, i->id.schema, i->table);
    buf_fmt(b, "CREATE %sINDEX ", i->is_unique ? "UNIQUE " : "");
    put_ident(r, b, i->id.name);
    buf_addz(b, " ON ");
    /* Partitions bring indexes of their own, under their own names. */
    if (i->is_only || (t && t->partition_key && has_partitions(c, i)))
        buf_addz(b, "ONLY ");
    put_name(r, b, i->id.schema, i->table);
    put_index_keys(r, b, i);
}

static void
attach_index(Render *r, const CatIndex *i)
{
    Buf b, name;
    buf_init(&b, r->arena);
    buf_init(&name, r->arena);
    put_name(r, &name, i->parent.schema, i->parent.name);
    put_name(r, &b, i->id.schema, i->id.name);
    statement(r, "ALTER INDEX %s ATTACH PARTITION %s", name.p, b.p);
}

static void
create_index(Render *r, const CatIndex *i, bool is_attached)
{
    Buf b;
    buf_init(&b, r->arena);
    put_index(r, &b, i);
    statement_buf(r, &b);
    if (is_attached)
        attach_index(r, i);
}

/* Targets of columns: those of `y`, and the usual one for what only `x` has. */
static void
set_statistics(Render *r, const CatIndex *x, const CatIndex *y)
{
    vec_each (const char *const, one, &y->statistics) {
        Str value = str_of(*one), column = str_cut(&value, '=');
        if (!x || !cat_has_text(&x->statistics, *one))
            statement(r, "ALTER INDEX %s ALTER COLUMN " STR_FMT " SET STATISTICS " STR_FMT,
                      name_text(r, &y->id), STR_ARG(column), STR_ARG(value));
    }
    for (size_t i = 0; x && i < x->statistics.n; i++) {
        Str value = str_of(x->statistics.v[i]), column = str_cut(&value, '=');
        bool stays = false;
        vec_each (const char *const, one, &y->statistics)
            stays = stays || (str_starts(str_of(*one), column) && (*one)[column.n] == '=');
        if (!stays)
            statement(r, "ALTER INDEX %s ALTER COLUMN " STR_FMT " SET STATISTICS -1",
                      name_text(r, &y->id), STR_ARG(column));
    }
}

void
render_index(Render *r, const Change *c)
{
    Buf b;
    buf_init(&b, r->arena);
    switch (c->op) {
    case CHANGE_CREATE:
        create_index(r, (const CatIndex *)c->to, c->is_attached);
        set_statistics(r, NULL, (const CatIndex *)c->to);
        render_attributes(r, NULL, c->to);
        break;
    case CHANGE_DROP:
        put_name(r, &b, c->from->id.schema, c->from->id.name);
        statement(r, "DROP INDEX %s", b.p);
        break;
    case CHANGE_ALTER:
        set_statistics(r, (const CatIndex *)c->from, (const CatIndex *)c->to);
        render_attributes(r, c->from, c->to);
        break;
    case CHANGE_RENAME:
        put_name(r, &b, c->from->id.schema, c->from->id.name);
        buf_addz(&b, " RENAME TO ");
        put_ident(r, &b, c->to->id.name);
        statement(r, "ALTER INDEX %s", b.p);
        break;
    case CHANGE_ATTACH:
        attach_index(r, (const CatIndex *)c->to);
        break;
    case CHANGE_INDEX_STATE:
        break; /* of relations */
    }
}

void
render_constraint(Render *r, const Change *c)
{
    const CatConstraint *k = (const CatConstraint *)(c->to ? c->to : c->from);
    const CatRef domain = {CAT_DOMAIN, k->id.schema, k->id.name, NULL};
    bool is_fk = k->type == CAT_FOREIGN_KEY;
    bool is_domain =
        catalog_find(r->diff->to.catalog, domain) || catalog_find(r->diff->from.catalog, domain);
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, is_domain ? "ALTER DOMAIN " : "ALTER TABLE ");
    put_name(r, &b, k->id.schema, k->id.name);
    switch (c->op) {
    case CHANGE_CREATE:
        r->step->title = is_fk ? "AddForeignKey" : "AddConstraint";
        buf_addz(&b, " ADD CONSTRAINT ");
        put_ident(r, &b, k->id.sub);
        buf_addc(&b, ' ');
        put_constraint(r, &b, k);
        break;
    case CHANGE_DROP:
        r->step->title = is_fk ? "DropForeignKey" : "DropConstraint";
        buf_addz(&b, " DROP CONSTRAINT ");
        put_ident(r, &b, k->id.sub);
        break;
    case CHANGE_RENAME:
        r->step->title = is_fk ? "RenameForeignKey" : "RenameConstraint";
        buf_addz(&b, " RENAME CONSTRAINT ");
        put_ident(r, &b, c->from->id.sub);
        buf_addz(&b, " TO ");
        put_ident(r, &b, k->id.sub);
        break;
    case CHANGE_ALTER:
        if (cat_has_text(&c->fields, "is_not_valid")) {
            buf_addz(&b, " VALIDATE CONSTRAINT ");
            put_ident(r, &b, k->id.sub);
            statement_buf(r, &b);
        }
        render_attributes(r, c->from, c->to);
        return;
    case CHANGE_ATTACH:
    case CHANGE_INDEX_STATE:
        break; /* of relations */
    }
    statement_buf(r, &b);
    if (c->op == CHANGE_CREATE)
        render_attributes(r, NULL, c->to);
}
