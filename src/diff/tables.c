/* Tables with their columns, keys, indexes and constraints. */
#include "diff/diff_int.h"

#include <stdlib.h>

static void
create_table(Differ *d, const CatRelation *r)
{
    change_create(d, r);
    ForeignKeys keys = foreign_keys_of(d, r);
    vec_each (const CatConstraint *, k, &keys)
        constraint_add(d, *k);
    cat_each (CatConstraint, k, &r->constraints)
        if (constraint_is_own(r, k))
            constraint_add(d, k);
    cat_each (CatIndex, i, &r->indexes)
        index_create(d, NULL, i);
    if (r->partition_of.name) {
        change_add(d, CHANGE_ATTACH, NULL, r, RANK_ATTACH);
        constraints_name_attached(d, r);
    }
}

static void
drop_table(Differ *d, const CatRelation *r)
{
    change_drop(d, r);
    ForeignKeys keys = foreign_keys_of(d, r);
    vec_each (const CatConstraint *, k, &keys)
        constraint_drop(d, *k);
}

static bool
is_empty_change(const Change *c)
{
    return !c->columns.n && !c->fields.n && !c->drop_key && !c->add_key && !c->rename_key_from;
}

/* A table that cannot become the other one: how it is partitioned. Partitions go with their table. */
static bool
is_other_table(const Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (d->prisma_kinds)
        return false;
    if (!cat_same_text(x->partition_key, y->partition_key))
        return true;
    if (!x->partition_of.name)
        return false;
    const CatRelation *from =
        catalog_relation(d->from, x->partition_of.schema, x->partition_of.name);
    const CatRelation *to = catalog_relation(d->to, x->partition_of.schema, x->partition_of.name);
    return from && to && is_other_table(d, from, to);
}

static size_t
parent_at(const CatNames *parents, size_t from, const CatName *parent)
{
    while (from < parents->n && !(strcmp(parents->v[from].name, parent->name) == 0 &&
                                  cat_same_text(parents->v[from].schema, parent->schema)))
        from++;
    return from;
}

CatNames
table_parents_kept(Differ *d, const CatRelation *x, const CatRelation *y)
{
    CatNames kept = {0};
    size_t at = 0;
    vec_each (CatName, parent, &y->inherits) {
        at = parent_at(&x->inherits, at, parent);
        if (at++ == x->inherits.n || column_expression_goes_above(d, parent))
            break;
        *vec_add(d->arena, &kept) = *parent;
    }
    return kept;
}

static bool
constraint_is_given(const Catalog *c, const CatRelation *t, const char *name)
{
    vec_each (const CatName, parent, &t->inherits) {
        const CatRelation *p = catalog_relation(c, parent->schema, parent->name);
        if (p && catalog_find(c, (CatRef){CAT_CONSTRAINT, p->id.schema, p->id.name, name}))
            return true;
    }
    return false;
}

/* A table while it inherits only from parents that it keeps: it leaves the others before, and inherits from new ones
 * afterwards, and has all of its columns and constraints itself meanwhile. */
static const CatRelation *
alone(const Differ *d, const Catalog *c, const CatRelation *t, CatNames kept)
{
    if (d->prisma_kinds || kept.n == t->inherits.n)
        return t;
    CatRelation *copy = arena_new(d->arena, CatRelation);
    *copy = *t;
    copy->inherits = kept;
    memset(&copy->columns, 0, sizeof copy->columns);
    memset(&copy->constraints, 0, sizeof copy->constraints);
    cat_each (CatColumn, column, &t->columns) {
        CatColumn *own = arena_new(d->arena, CatColumn);
        *own = *column;
        own->is_inherited = column->is_inherited && column_given(c, copy, column->id.sub);
        *vec_add(d->arena, &copy->columns) =
            own->is_inherited == column->is_inherited ? column : own;
    }
    cat_each (CatConstraint, k, &t->constraints) {
        CatConstraint *own = arena_new(d->arena, CatConstraint);
        *own = *k;
        own->is_inherited = k->is_inherited && constraint_is_given(c, copy, k->id.sub);
        *vec_add(d->arena, &copy->constraints) = own->is_inherited == k->is_inherited ? k : own;
    }
    return copy;
}

static void
alter_table(Differ *d, const CatRelation *x, const CatRelation *y)
{
    Change *c = change_alter(d, x, y);
    size_t at = d->diff->changes.n - 1;
    CatNames kept = table_parents_kept(d, x, y);
    const CatRelation *p = alone(d, d->from, x, kept), *q = alone(d, d->to, y, kept);
    columns_compare(d, c, p, q);
    if (!d->compat)
        columns_recreate_generated(d, c, p, q);
    primary_key_compare(d, c, x, y);
    if (!d->prisma_kinds)
        c->fields = catalog_changes(d->arena, x, y, &d->rules);
    /* The order of columns cannot be changed; it is the last field. */
    if (c->fields.n && strcmp(c->fields.v[c->fields.n - 1], "column_order") == 0)
        c->fields.n--;
    index_state_leave(&c->fields, y);
    indexes_compare(d, c, x, y);
    if (!d->prisma_kinds)
        constraints_compare(d, c, &p->constraints, &q->constraints);
    if (!is_empty_change(c))
        return;
    for (size_t i = at; i + 1 < d->diff->changes.n; i++)
        d->diff->changes.v[i] = d->diff->changes.v[i + 1];
    d->diff->changes.n--;
}

static void
compare_pair(Differ *d, const Pair *p)
{
    const CatRelation *stays = p->from; /* what the new table was before */
    if (!p->to) {
        drop_table(d, p->from);
        return;
    }
    if (p->from && is_other_table(d, p->from, p->to)) {
        drop_table(d, p->from);
        stays = NULL;
    }
    if (stays)
        alter_table(d, stays, p->to);
    else
        create_table(d, p->to);
    if (d->prisma_kinds && stays && !d->compat)
        index_state_keep(d, stays, p->to);
    if (d->prisma_kinds)
        return;
    constraints_compare_inherited(d, stays, p->to);
    index_state_compare(d, stays, p->to);
}

/* Of how many tables it is a partition of a partition: what happens to them is known before. */
static size_t
partition_depth(const Differ *d, const Pair *p)
{
    size_t depth = 0;
    const CatRelation *r = p->from;
    while (r && r->partition_of.name && depth < d->tables.n) {
        r = catalog_relation(d->from, r->partition_of.schema, r->partition_of.name);
        depth++;
    }
    return depth;
}

static void
find_recreated(Differ *d)
{
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        if (c->kind != CAT_TABLE)
            continue;
        vec_each (const ColumnChange, k, &c->columns)
            if (k->op == COLUMN_RECREATE)
                map_put(&d->recreated, ref_key(d->arena, &k->from->id), d);
        if (c->op == CHANGE_DROP)
            cat_each (CatColumn, column, &((const CatRelation *)c->from)->columns)
                map_put(&d->recreated, ref_key(d->arena, &column->id), d);
    }
}

void
diff_tables(Differ *d)
{
    static const Change none;
    size_t done = 0;
    for (size_t depth = 0; done < d->tables.n; depth++)
        vec_each (Pair, p, &d->tables)
            if (partition_depth(d, p) == depth) {
                compare_pair(d, p);
                done++;
            }
    /* After the keys that they stand on are known. */
    Map altered;
    map_init(&altered, d->arena);
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_ALTER && (*c)->kind == CAT_TABLE)
            map_put(&altered, ref_key(d->arena, &(*c)->from->id), *c);
    vec_each (Pair, p, &d->tables) {
        if (!p->from || !p->to || is_other_table(d, p->from, p->to))
            continue;
        const Change *c = map_get(&altered, ref_key(d->arena, &p->from->id));
        foreign_keys_compare(d, c ? c : &none, p->from, p->to);
    }
    find_recreated(d);
}
