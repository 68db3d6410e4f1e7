/* What in the database uses a column, and so stands in the way of leaving it. */
#include "expand/expand_int.h"

static bool
has_ref(const CatRefs *refs, const CatColumn *column)
{
    vec_each (const CatRef, r, refs)
        if (r->kind == CAT_COLUMN && cat_same_text(r->schema, column->id.schema) &&
            strcmp(r->name, column->id.name) == 0 && cat_same_text(r->sub, column->id.sub))
            return true;
    return false;
}

static const char *
constraint_user(Arena *a, const CatConstraint *k, const char *column)
{
    static const char *const kinds[] = {"check constraint", "primary key", "unique constraint",
                                        "exclusion constraint", "foreign key"};
    bool uses = cat_has_text(&k->columns, column) || catalog_mentions(k->expr, column);
    for (size_t i = 0; i < k->keys.n && !uses; i++)
        uses = cat_same_text(k->keys.v[i].column, column) ||
               catalog_mentions(k->keys.v[i].expr, column);
    return uses ? str_fmt(a, "%s \"%s\"", kinds[k->type], k->id.sub) : NULL;
}

/* Of the table itself. Indexes are made again, or go with the column. */
static const char *
own_user(Arena *a, const Expansion *x, bool gone)
{
    const char *column = x->column->id.sub;
    cat_each (CatConstraint, k, &x->table->constraints) {
        bool goes = gone && k->type != CAT_PRIMARY_KEY;
        const char *user = goes ? NULL : constraint_user(a, k, column);
        if (user)
            return user;
    }
    cat_each (CatIndex, i, &x->table->indexes)
        if (!gone && (catalog_mentions(i->predicate, column)))
            return str_fmt(a, "the condition of index \"%s\"", i->id.name);
    cat_each (CatIndex, i, &x->table->indexes)
        vec_each (const CatKey, k, &i->keys)
            if (!gone && catalog_mentions(k->expr, column))
                return str_fmt(a, "an expression of index \"%s\"", i->id.name);
    cat_each (CatColumn, c, &x->table->columns)
        if (c->generated && catalog_mentions(c->default_expr, column))
            return str_fmt(a, "generated column \"%s\"", c->id.sub);
    cat_each (CatPolicy, p, &x->table->policies)
        if (catalog_mentions(p->using_expr, column) || catalog_mentions(p->check_expr, column))
            return str_fmt(a, "policy \"%s\"", p->id.sub);
    if (catalog_mentions(x->table->partition_key, column))
        return "the partition key";
    return NULL;
}

/* Foreign keys of others lead to it. */
static const char *
referrer(Arena *a, const Catalog *c, const Expansion *x)
{
    const CatRef *id = &x->table->id;
    cat_each (CatRelation, t, &c->tables)
        cat_each (CatConstraint, k, &t->constraints)
            if (k->type == CAT_FOREIGN_KEY && k->ref_table.name &&
                strcmp(k->ref_table.name, id->name) == 0 &&
                cat_same_text(k->ref_table.schema, id->schema) &&
                cat_has_text(&k->ref_columns, x->column->id.sub))
                return str_fmt(a, "foreign key \"%s\" of table \"%s\"", k->id.sub, t->id.name);
    return NULL;
}

const char *
expand_user(Arena *a, const Catalog *c, const Expansion *x, bool gone)
{
    const char *user = own_user(a, x, gone);
    if (!user)
        user = referrer(a, c, x);
    vec_each (CatObject *, o, &c->objects) {
        bool is_own = (*o)->id.kind == CAT_COLUMN || (*o)->id.kind == CAT_INDEX ||
                      (*o)->id.kind == CAT_CONSTRAINT;
        bool is_ours =
            (*o)->id.kind == CAT_TRIGGER && (*o)->id.sub && strcmp((*o)->id.sub, x->function) == 0;
        if (!user && !is_own && !is_ours && has_ref(&(*o)->needs, x->column))
            user = cat_ref_text(a, &(*o)->id);
    }
    vec_each (const CatDependent, d, &c->dependents)
        if (!user && has_ref(&d->on, x->column))
            user = str_fmt(a, "%s %s", d->what, d->name);
    return user;
}
