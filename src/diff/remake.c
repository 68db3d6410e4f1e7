/* Code that stands on something that changes: PostgreSQL refuses to alter a column that a view, a
 * rule or a policy uses, and to drop what anything uses. Such code is dropped before and made again
 * afterwards. */
#include "diff/diff_int.h"

typedef struct Remake {
    Differ *d;
    CatObjects *needs; /* of `from` */
    Map going;         /* ids of what is dropped or made anew */
    Map dropped;       /* ids of objects that have a drop already */
    Map retyped;       /* columns of enums that are made anew */
} Remake;

static bool
is_code(CatKind kind)
{
    return cat_kind(kind)->is_code;
}

/* Also what holds expressions. */
static bool
can_remake(const CatObject *o)
{
    if (o->id.kind == CAT_CONSTRAINT) {
        const CatConstraint *k = (const CatConstraint *)o;
        return k->expr && !k->is_inherited;
    }
    return is_code(o->id.kind) || o->id.kind == CAT_INDEX;
}

static bool
is_going(const Remake *r, const CatRef *id)
{
    return map_has(&r->going, ref_key(r->d->arena, id));
}

static void
go(Remake *r, const CatRef *id)
{
    map_put(&r->going, ref_key(r->d->arena, id), r);
}

/* Constants of an enum that is made anew keep its old type. */
static bool
is_retyped(const Remake *r, const CatRef *id)
{
    return map_has(&r->retyped, ref_key(r->d->arena, id));
}

static bool
column_goes(const ColumnChange *c)
{
    return c->op == COLUMN_DROP || c->op == COLUMN_RECREATE ||
           (c->op == COLUMN_ALTER && c->fields & COLUMN_TYPE);
}

/* Code of a table names its own columns in its text only. */
static bool
own_text_mentions(const Remake *r, const CatObject *o)
{
    const char *table = o->id.kind == CAT_INDEX ? ((const CatIndex *)o)->table : o->id.name;
    const CatRelation *t = catalog_relation(r->d->from, o->id.schema, table);
    if (!t)
        return false;
    cat_each (CatColumn, column, &t->columns) {
        if (!is_going(r, &column->id))
            continue;
        const char *name = column->id.sub;
        if (o->id.kind == CAT_INDEX || o->id.kind == CAT_CONSTRAINT) {
            const char *expr = o->id.kind == CAT_INDEX ? ((const CatIndex *)o)->predicate
                                                       : ((const CatConstraint *)o)->expr;
            if (is_retyped(r, &column->id) && catalog_mentions(expr, name))
                return true;
            continue;
        }
        if (o->id.kind == CAT_POLICY) {
            const CatPolicy *p = (const CatPolicy *)o;
            if (catalog_mentions(p->using_expr, name) || catalog_mentions(p->check_expr, name))
                return true;
        } else if (o->id.kind == CAT_TRIGGER) {
            const char *text = ((const CatTrigger *)o)->definition;
            if ((strstr(text, " OF ") || strstr(text, " WHEN (")) && catalog_mentions(text, name))
                return true;
        } else if (o->id.kind == CAT_RULE &&
                   catalog_mentions(((const CatRule *)o)->definition, name)) {
            return true;
        }
    }
    return false;
}

static bool
stands_on_going(const Remake *r, const CatObject *o)
{
    vec_each (const CatRef, need, &o->needs)
        if (is_going(r, need))
            return true;
    /* Parts go with their relation, functions' signatures with their types. */
    vec_each (CatObject *, need, &r->needs[o->ordinal])
        if (is_code((*need)->id.kind) && is_going(r, &(*need)->id))
            return true;
    return cat_kind(o->id.kind)->is_part && own_text_mentions(r, o);
}

static void
find_going(Remake *r)
{
    vec_each (Change *, at, &r->d->diff->changes) {
        const Change *c = *at;
        if (c->op == CHANGE_DROP) {
            go(r, &c->from->id);
            map_put(&r->dropped, ref_key(r->d->arena, &c->from->id), r);
            /* Made anew under its name: what uses its columns has to let go of them. */
            if (c->kind == CAT_TABLE && catalog_find(r->d->to, c->from->id))
                cat_each (CatColumn, column, &((const CatRelation *)c->from)->columns)
                    go(r, &column->id);
        }
        if (c->kind == CAT_ENUM && c->is_rebuilt) {
            go(r, &c->from->id);
            vec_each (const CatColumn *, column, &c->retype) {
                go(r, &(*column)->id);
                map_put(&r->retyped, ref_key(r->d->arena, &(*column)->id), r);
            }
        }
        vec_each (const ColumnChange, k, &c->columns)
            if (k->from && c->kind == CAT_TABLE && column_goes(k))
                go(r, &k->from->id);
    }
}

/* What is kept as it was is made again from the old side. */
static const CatObject *
counterpart(const Differ *d, const CatObject *o)
{
    return d->prisma_kinds ? o : catalog_find(d->to, o->id);
}

static void
remake(Remake *r, const CatObject *o)
{
    Differ *d = r->d;
    const CatObject *to = counterpart(d, o);
    go(r, &o->id);
    map_put(&d->remade, ref_key(d->arena, &o->id), r);
    if (map_put(&r->dropped, ref_key(d->arena, &o->id), r))
        return;
    /* A change of its own becomes part of it. */
    size_t kept = 0;
    vec_each (Change *, c, &d->diff->changes)
        if (!((*c)->op == CHANGE_ALTER && (*c)->from == o))
            d->diff->changes.v[kept++] = *c;
    d->diff->changes.n = kept;
    Change *drop = change_add(d, CHANGE_DROP, o, NULL, RANK_DROP_CODE);
    if (!to)
        return;
    effect_add(d, drop, FINDING_DIFF_CASCADES, &o->id);
    change_create(d, to);
}

void
diff_remade(Differ *d)
{
    Remake r = {.d = d, .needs = catalog_needs(d->arena, d->from)};
    map_init(&r.going, d->arena);
    map_init(&r.dropped, d->arena);
    map_init(&r.retyped, d->arena);
    find_going(&r);
    for (bool found = r.going.n > 0; found;) {
        found = false;
        vec_each (CatObject *, at, &d->from->objects) {
            const CatObject *o = *at;
            if (!can_remake(o) || is_going(&r, &o->id) || !stands_on_going(&r, o))
                continue;
            remake(&r, o);
            found = true;
        }
    }
}
