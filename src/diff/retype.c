/* Types that PostgreSQL cannot change while rows hold values of them: a domain's type, the middle of a composite
 * type, values of an enum inside of either. The old one makes room for the new one under another name, as a rename,
 * and goes when the last column has left it; columns are cast. */
#include "diff/diff_int.h"

typedef struct Retype {
    Differ *d;
    const Catalog *after;
    CatRenames *applied;
    Map going; /* types by schema and name */
} Retype;

static bool
is_of(const CatType *t, const CatRef *id)
{
    return cat_same_text(t->schema, id->schema) && strcmp(t->name, id->name) == 0;
}

static bool
is_going(const Retype *r, const CatType *t)
{
    return t->schema && map_has(&r->going, name_key(r->d->arena, t->schema, t->name));
}

static bool
make_room(Retype *r, const CatObject *x)
{
    Differ *d = r->d;
    if (map_put(&r->going, name_key(d->arena, x->id.schema, x->id.name), r))
        return false;
    *vec_add(d->arena, r->applied) = (CatRename){x->id, name_free(d, &x->id), NULL};
    return true;
}

static bool
domain_is_used(const Catalog *c, const CatRef *id)
{
    cat_each (CatDomain, domain, &c->domains)
        if (is_of(&domain->type, id))
            return true;
    return type_is_used(c, id);
}

/* Whether an enum lies in a domain that is used, or a composite type that rows hold. Columns of the enum itself are converted by
 * its own change. */
static bool
is_held(const Catalog *c, const CatRef *id)
{
    cat_each (CatDomain, domain, &c->domains)
        if (is_of(&domain->type, id) && domain_is_used(c, &domain->id))
            return true;
    cat_each (CatComposite, t, &c->composites)
        cat_each (CatColumn, column, &t->columns)
            if (is_of(&column->type, id) && type_is_stored(c, &t->id))
                return true;
    return false;
}

/* PostgreSQL looks through the rows then, but not into lists and composite values: it refuses. */
static bool
domain_asks_more(const Differ *d, const CatDomain *x, const CatDomain *y)
{
    if (y->is_not_null && !x->is_not_null)
        return true;
    cat_each (CatConstraint, k, &y->constraints) {
        const CatConstraint *was = domain_check(x, k->id.sub);
        if (!k->is_not_valid && !(was && constraint_stays(d, was, k) && !was->is_not_valid))
            return true;
    }
    return false;
}

/* Whether rows hold it inside of lists or composite values. */
static bool
is_contained(const Catalog *c, const CatRef *id)
{
    vec_each (CatObject *, at, &c->objects) {
        const CatColumn *column = (const CatColumn *)*at;
        if ((*at)->id.kind != CAT_COLUMN || !is_of(&column->type, id))
            continue;
        const CatRelation *r = catalog_relation(c, column->id.schema, column->id.name);
        const CatRef composite = {CAT_COMPOSITE, column->id.schema, column->id.name, NULL};
        if (r ? r->id.kind != CAT_VIEW && (column->type.is_array || type_is_stored(c, &r->id))
              : type_is_stored(c, &composite))
            return true;
    }
    cat_each (CatDomain, domain, &c->domains)
        if (is_of(&domain->type, id) &&
            (domain->type.is_array ? type_is_stored(c, &domain->id) : is_contained(c, &domain->id)))
            return true;
    return false;
}

static bool
composite_goes(const Retype *r, const CatComposite *x, const CatComposite *y)
{
    size_t place = 0;
    cat_each (CatColumn, from, &x->columns) {
        const CatColumn *to = composite_attribute(y, from->id.sub);
        if (!to)
            continue; /* ALTER TYPE drops it, and adds at the end */
        if (to != y->columns.v[place++] || is_going(r, &from->type) ||
            !catalog_type_same(&from->type, &to->type) ||
            !cat_same_text(from->collation.name, to->collation.name))
            return true;
    }
    return false;
}

/* Whether an expression makes values of it, which holds them in the type's old form: PostgreSQL refuses to alter it.
 * Casts and the like, which are only defined over it, do not mind. */
static bool
is_in_expressions(const Catalog *c, const CatRef *id)
{
    vec_each (CatObject *, at, &c->objects)
        if (!cat_kind((*at)->id.kind)->is_defined && refs_have(&(*at)->needs, id))
            return true;
    return false;
}

void
types_make_room(Differ *d, const Catalog *after, CatRenames *applied)
{
    Retype r = {.d = d, .after = after, .applied = applied};
    map_init(&r.going, d->arena);
    cat_each (CatEnum, y, &d->to->enums) {
        const CatEnum *x = catalog_find(after, y->id);
        if (x && enum_is_made_anew(d, x, y) && is_held(after, &x->id))
            make_room(&r, (const CatObject *)x);
    }
    for (bool found = true; found;) {
        found = false;
        cat_each (CatDomain, y, &d->to->domains) {
            const CatDomain *x = catalog_find(after, y->id);
            if (x && (((is_going(&r, &x->type) || !domain_stays(d, x, y)) &&
                       domain_is_used(after, &x->id)) ||
                      (domain_asks_more(d, x, y) && is_contained(after, &x->id))))
                found = make_room(&r, (const CatObject *)x) || found;
        }
        cat_each (CatComposite, y, &d->to->composites) {
            const CatComposite *x = catalog_find(after, y->id);
            if (x && composite_goes(&r, x, y) &&
                (type_is_stored(after, &x->id) || is_in_expressions(after, &x->id)))
                found = make_room(&r, (const CatObject *)x) || found;
        }
    }
}
