/* Tables that leave a partitioned table or join one. Meanwhile they stand alone, and that is what is compared: both
 * catalogs are replaced by themselves at that time. */
#include "diff/diff_int.h"

typedef VEC(CatRelation *) Alone;

bool
diff_is_detach(const Change *c)
{
    if (c->kind != CAT_TABLE || c->op != CHANGE_ALTER)
        return false;
    const CatRelation *from = (const CatRelation *)c->from, *to = (const CatRelation *)c->to;
    return from->partition_of.name && !to->partition_of.name;
}

static const CatRelation *
parent_of(const Catalog *c, const CatRelation *t)
{
    return t->partition_of.name ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
                                : NULL;
}

/* Since 17 partitions have the identity of their table, and only while they are some. */
static void
stand_alone_columns(Arena *a, const CatRelation *parent, const CatRelation *t, CatRelation *ret)
{
    memset(&ret->columns, 0, sizeof ret->columns);
    cat_each (CatColumn, column, &t->columns) {
        CatColumn *own = arena_new(a, CatColumn);
        *own = *column;
        own->is_inherited = own->is_not_null_inherited = false;
        const CatColumn *of = parent ? catalog_column(parent, column->id.sub) : NULL;
        if (of && of->identity == own->identity)
            own->identity = CAT_NO_IDENTITY;
        *vec_add(a, &ret->columns) = own;
    }
}

/* Foreign keys of the tables above are not listed for partitions, which keep them when they leave. */
static void
add_keys_from_above(Arena *a, const Catalog *c, const CatRelation *t, CatRelation *ret,
                    unsigned *ordinal)
{
    for (const CatRelation *p = parent_of(c, t); p; p = parent_of(c, p))
        cat_each (CatConstraint, k, &p->constraints) {
            if (k->type != CAT_FOREIGN_KEY)
                continue;
            CatConstraint *own = arena_new(a, CatConstraint);
            *own = *k;
            own->id.schema = t->id.schema;
            own->id.name = t->id.name;
            own->comment = NULL;
            own->ordinal = (*ordinal)++;
            *vec_add(a, &ret->constraints) = own;
        }
}

/* ordinal: of what the table has more when it leaves; NULL: it joins. */
static CatRelation *
stand_alone(Arena *a, const Catalog *c, const CatRelation *t, unsigned *ordinal)
{
    CatRelation *ret = arena_new(a, CatRelation);
    *ret = *t;
    ret->partition_of = (CatName){0};
    ret->partition_bound = NULL;
    stand_alone_columns(a, parent_of(c, t), t, ret);
    memset(&ret->constraints, 0, sizeof ret->constraints);
    cat_each (CatConstraint, k, &t->constraints) {
        CatConstraint *own = arena_new(a, CatConstraint);
        if (!ordinal && catalog_comes_attached(k))
            continue;
        *own = *k;
        own->is_inherited = false;
        *vec_add(a, &ret->constraints) = own;
    }
    if (ordinal)
        add_keys_from_above(a, c, t, ret, ordinal);
    memset(&ret->indexes, 0, sizeof ret->indexes);
    cat_each (CatIndex, i, &t->indexes) {
        CatIndex *own = arena_new(a, CatIndex);
        *own = *i;
        own->parent = (CatName){0};
        *vec_add(a, &ret->indexes) = own;
    }
    if (!ordinal)
        return ret;
    memset(&ret->triggers, 0, sizeof ret->triggers); /* those of its table go */
    cat_each (CatTrigger, g, &t->triggers)
        if (!g->is_inherited)
            *vec_add(a, &ret->triggers) = g;
    return ret;
}

/* A table that is made anew is dropped and attached as a whole. */
static bool
moves(const Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (!x || !y || !cat_same_text(x->partition_key, y->partition_key))
        return false;
    bool stays = cat_same_text(x->partition_of.schema, y->partition_of.schema) &&
                 cat_same_text(x->partition_of.name, y->partition_of.name) &&
                 cat_same_text(x->partition_bound, y->partition_bound);
    return !stays || column_expression_goes_above(d, &x->partition_of);
}

static void
replace(Differ *d, DiffSide *side, const Catalog **catalog, const Alone *tables)
{
    if (tables->n)
        *catalog = side->catalog =
            catalog_replaced(d->arena, *catalog, (CatRelation *const *)tables->v, tables->n);
}

void
diff_partitions(Differ *d)
{
    Alone left = {0}, joining = {0};
    unsigned ordinal = d->from->count;
    if (d->prisma_kinds)
        return;
    cat_each (CatRelation, x, &d->from->tables) {
        if (!x->partition_of.name || !moves(d, x, catalog_find(d->to, x->id)))
            continue;
        CatRelation *alone = stand_alone(d->arena, d->from, x, &ordinal);
        CatRelation *between = arena_new(d->arena, CatRelation);
        *between = *alone;
        between->needs = (CatRefs){0};
        change_add(d, CHANGE_ALTER, x, between, RANK_DROP_CODE)->is_aside = true;
        *vec_add(d->arena, &left) = alone;
    }
    cat_each (CatRelation, y, &d->to->tables) {
        if (!y->partition_of.name || !moves(d, catalog_find(d->from, y->id), y))
            continue;
        change_add(d, CHANGE_ATTACH, NULL, y, RANK_ATTACH);
        constraints_name_attached(d, y);
        *vec_add(d->arena, &joining) = stand_alone(d->arena, d->to, y, NULL);
    }
    replace(d, &d->diff->from, &d->from, &left);
    replace(d, &d->diff->to, &d->to, &joining);
}
