/* Indexes: which of one side is which of the other, and what becomes of it. */
#include "diff/diff_int.h"

#include <stdlib.h>

/* Operator classes that are the default of their method, as far as Prisma's language names them. */
static bool
is_default_opclass(const char *method, const char *name)
{
    if (strcmp(name, "inet_ops") == 0)
        return method && strcmp(method, "spgist") == 0;
    if (strcmp(name, "inet_minmax_ops") == 0)
        return false;
    Str s = str_of(name);
    return str_ends(s, STR("_minmax_ops")) || strcmp(name, "inet_inclusion_ops") == 0 ||
           strcmp(name, "jsonb_ops") == 0 || strcmp(name, "array_ops") == 0 ||
           strcmp(name, "text_ops") == 0;
}

static bool
same_opclass(const char *method, const CatKey *x, const CatKey *y)
{
    const char *p = x->opclass.name, *q = y->opclass.name;
    if (!p || !q)
        return cat_same_text(p, q) || is_default_opclass(method, p ? p : q);
    return strcmp(p, q) == 0;
}

static bool
same_keys(const Differ *d, const CatIndex *x, const CatIndex *y)
{
    bool any_opclass = d->in_words && x->is_unique; /* @@unique does not name them */
    for (size_t i = 0; x->keys.n == y->keys.n && i < x->keys.n; i++) {
        const CatKey *p = &x->keys.v[i], *q = &y->keys.v[i];
        if (!cat_same_text(p->column, q->column) || p->is_desc != q->is_desc ||
            !(any_opclass || same_opclass(x->method, p, q)))
            return false;
    }
    return x->keys.n == y->keys.n;
}

/* Whether only the names differ. */
static bool
index_matches(const Differ *d, const CatIndex *x, const CatIndex *y)
{
    const char *p = d->in_words ? words_method(x->method) : x->method;
    const char *q = d->in_words ? words_method(y->method) : y->method;
    if (x->is_unique != y->is_unique || !cat_same_text(p, q) ||
        !cat_same_text(x->predicate, y->predicate) || !same_keys(d, x, y))
        return false;
    if (d->compat || d->in_words)
        return true;
    CatIndex same = *x;
    same.keys = y->keys;             /* compared */
    same.statistics = y->statistics; /* altered */
    if (x->parent.name && y->parent.name) {
        const char *now =
            map_get(&d->index_names, name_key(d->arena, x->parent.schema, x->parent.name));
        if (now)
            same.parent.name = now;
    }
    for (size_t i = 0; i < x->keys.n; i++) {
        const CatKey *from = &x->keys.v[i], *to = &y->keys.v[i];
        if (from->is_nulls_reversed != to->is_nulls_reversed ||
            !cat_same_text(from->expr, to->expr) ||
            !cat_same_text(from->collation.name, to->collation.name) ||
            !cat_same_text(from->opclass_args, to->opclass_args))
            return false;
    }
    return part_same(d, &same, y);
}

typedef struct IndexPair {
    const CatIndex *from, *to;
    const CatConstraint *constraint; /* `from` stands for it */
} IndexPair;

typedef VEC(IndexPair) IndexPairs;

static int
pair_by_ordinal(const void *x, const void *y)
{
    const IndexPair *p = x, *q = y;
    unsigned a = (p->from ? p->from : p->to)->ordinal, b = (q->from ? q->from : q->to)->ordinal;
    return (a > b) - (a < b);
}

/* To Prisma a unique constraint is a unique index. */
static const CatIndex *
index_of_constraint(Arena *a, const CatConstraint *k)
{
    CatIndex *index = arena_new(a, CatIndex);
    index->id = (CatRef){CAT_INDEX, k->id.schema, k->id.sub, NULL};
    index->ordinal = k->ordinal;
    index->table = k->id.name;
    index->is_unique = true;
    index->is_nulls_not_distinct = k->is_nulls_not_distinct;
    for (size_t i = 0; i < k->columns.n; i++)
        vec_add(a, &index->keys)->column = k->columns.v[i];
    return index;
}

static bool
has_expression(const CatIndex *x)
{
    vec_each (const CatKey, k, &x->keys)
        if (k->expr)
            return true;
    return false;
}

/* With two operator classes, say. */
static bool
has_column_twice(const CatIndex *x)
{
    for (size_t i = 0; i < x->keys.n; i++)
        for (size_t k = 0; k < i; k++)
            if (cat_same_text(x->keys.v[i].column, x->keys.v[k].column))
                return true;
    return false;
}

/* What the schema has no words for stays as it is. */
static bool
is_left_alone(const Differ *d, const CatIndex *x)
{
    return d->in_words && (has_expression(x) || has_column_twice(x) ||
                           (x->predicate && !d->options->partial_indexes));
}

/* Whether an index made by hand is the one that the schema means, said more narrowly: partial, or
 * over an expression of the same columns. */
static bool
is_narrower(const CatIndex *x, const CatIndex *y)
{
    if (x->is_unique != y->is_unique || x->keys.n < y->keys.n)
        return false;
    for (size_t i = 0; i < y->keys.n; i++)
        if (!y->keys.v[i].column || !(cat_same_text(x->keys.v[i].column, y->keys.v[i].column) ||
                                      catalog_mentions(x->keys.v[i].expr, y->keys.v[i].column)))
            return false;
    return true;
}

/* An index that is left alone may have the name of one of the schema: it is that one, or has to go. */
static void
settle_left_alone(Differ *d, const CatRelation *r, IndexPairs *to)
{
    cat_each (CatIndex, x, &r->indexes)
        for (size_t i = 0; is_left_alone(d, x) && i < to->n; i++) {
            if (strcmp(x->id.name, to->v[i].to->id.name) != 0)
                continue;
            if (is_narrower(x, to->v[i].to)) {
                memmove(to->v + i, to->v + i + 1, (to->n - i - 1) * sizeof *to->v);
                to->n--;
            } else {
                change_drop(d, x);
            }
            break;
        }
}

/* WITHOUT OVERLAPS, unless the other side has such a key in its words. */
static bool
is_span_left_alone(const Differ *d, const CatConstraint *k, bool is_from)
{
    const CatRelation *other =
        catalog_relation(is_from ? d->to : d->from, k->id.schema, k->id.name);
    if (!d->in_words || !k->is_without_overlaps || !other)
        return false;
    cat_each (CatIndex, i, &other->indexes)
        if (strcmp(i->id.name, k->id.sub) == 0)
            return false;
    cat_each (CatConstraint, x, &other->constraints)
        if (x->type == CAT_UNIQUE && strcmp(x->id.sub, k->id.sub) == 0)
            return false;
    return true;
}

static IndexPairs
indexes_of(Differ *d, const CatRelation *r, bool is_from)
{
    IndexPairs all = {0};
    cat_each (CatIndex, i, &r->indexes)
        if (!is_left_alone(d, i))
            *vec_add(d->arena, &all) = is_from ? (IndexPair){.from = i} : (IndexPair){.to = i};
    if (d->in_words || (is_from && d->prisma_kinds))
        cat_each (CatConstraint, k, &r->constraints)
            if (k->type == CAT_UNIQUE && !is_span_left_alone(d, k, is_from)) {
                const CatIndex *i = index_of_constraint(d->arena, k);
                *vec_add(d->arena, &all) =
                    is_from ? (IndexPair){.from = i, .constraint = k} : (IndexPair){.to = i};
            }
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, pair_by_ordinal);
    return all;
}

/* Find the other side of each index of `from`; those of `to` without one are left in `to`. */
static void
match_indexes(Differ *d, IndexPairs *from, IndexPairs *to)
{
    bool *taken = arena_array(d->arena, bool, to->n + 1);
    /* The same name first: of two alike, none is renamed without need. */
    for (int pass = d->compat ? 1 : 0; pass < 2; pass++)
        vec_each (IndexPair, x, from)
            for (size_t i = 0; !x->to && i < to->n; i++) {
                const CatIndex *y = to->v[i].to;
                if ((taken[i] && !d->compat) || !index_matches(d, x->from, y) ||
                    (pass == 0 && strcmp(x->from->id.name, y->id.name) != 0))
                    continue;
                x->to = y;
                taken[i] = true;
            }
    if (d->compat) /* any match will do */
        for (size_t i = 0; i < to->n; i++)
            vec_each (IndexPair, x, from)
                taken[i] = taken[i] || index_matches(d, x->from, to->v[i].to);
    size_t kept = 0;
    for (size_t i = 0; i < to->n; i++)
        if (!taken[i])
            to->v[kept++] = to->v[i];
    to->n = kept;
}

static bool
index_uses(const CatIndex *i, const char *column, bool compat)
{
    vec_each (const CatKey, key, &i->keys)
        if (cat_same_text(key->column, column) || catalog_mentions(key->expr, column))
            return true;
    vec_each (const char *, name, &i->include)
        if (strcmp(*name, column) == 0)
            return true;
    return !compat && catalog_mentions(i->predicate, column);
}

static bool
uses_recreated(const Change *c, const CatIndex *i, bool compat)
{
    vec_each (const ColumnChange, k, &c->columns)
        if (k->op == COLUMN_RECREATE && index_uses(i, k->to->id.sub, compat))
            return true;
    return false;
}

/* Where the type of a column changes, PostgreSQL makes the indexes of partitions anew under names
 * of its own choice. */
static bool
loses_names(const Differ *d, const Change *c, const CatRelation *table, const CatIndex *i)
{
    if (d->prisma_kinds || !table->partition_key)
        return false;
    vec_each (const ColumnChange, k, &c->columns)
        if (k->op == COLUMN_ALTER && k->fields & COLUMN_TYPE &&
            index_uses(i, k->from->id.sub, false))
            return true;
    cat_each (CatColumn, column, &table->columns)
        if (type_is_rebuilt(d, &column->type) && index_uses(i, column->id.sub, false))
            return true;
    return false;
}

/* Indexes of partitions go with that of their table. */
static bool
is_dropped(const Differ *d, const CatName *index)
{
    return map_has(&d->gone, name_key(d->arena, index->schema, index->name));
}

/* What an index has that is not on all partitions comes to it when it is there. */
static void
attach_indexes(Differ *d, const CatIndex *of, const CatRelation *t)
{
    cat_each (CatIndex, i, &t->indexes)
        if (cat_same_text(i->parent.name, of->id.name) &&
            cat_same_text(i->parent.schema, of->id.schema)) {
            Change *c = change_add(d, CHANGE_ATTACH, NULL, i, RANK_RENAME_INDEX);
            c->rank[1] = UINT32_MAX;
        }
}

/* Made when all partitions are there: where one joins later it gets an index of its own. */
static void
create_behind(Differ *d, const CatIndex *i, Change *c)
{
    c->rank[0] = RANK_RENAME_INDEX;
    size_t n = d->diff->changes.n;
    cat_each (CatRelation, t, &d->to->tables)
        attach_indexes(d, i, t);
    for (size_t k = 0; k < n; k++)
        if (d->diff->changes.v[k]->op == CHANGE_ATTACH &&
            catalog_find(d->from, d->diff->changes.v[k]->to->id))
            attach_indexes(d, i, (const CatRelation *)d->diff->changes.v[k]->to);
}

static bool
is_made_behind(const Differ *d, const CatName *index)
{
    const CatIndex *i =
        index->name ? catalog_find(d->to, (CatRef){CAT_INDEX, index->schema, index->name, NULL})
                    : NULL;
    return i && i->is_only && (!catalog_find(d->from, i->id) || is_dropped(d, index));
}

/* Whether a partition joins an index's table, which would make it one there. */
static bool
is_joined(const Differ *d, const CatRelation *table)
{
    vec_each (Change *, c, &d->diff->changes) {
        const CatRelation *t = (const CatRelation *)(*c)->to;
        if ((*c)->op == CHANGE_ATTACH && (*c)->kind == CAT_TABLE &&
            cat_same_text(t->partition_of.name, table->id.name) &&
            cat_same_text(t->partition_of.schema, table->id.schema))
            return true;
    }
    cat_each (CatRelation, t, &d->to->tables)
        if (cat_same_text(t->partition_of.name, table->id.name) &&
            cat_same_text(t->partition_of.schema, table->id.schema) &&
            !catalog_find(d->from, t->id))
            return true;
    return false;
}

Change *
index_create(Differ *d, const CatRelation *from, const CatIndex *i)
{
    Change *c = change_create(d, i);
    const CatRelation *to = catalog_relation(d->to, i->id.schema, i->table);
    c->rank[1] = from != NULL;
    c->rank[2] = from ? from->ordinal : to->ordinal;
    c->rank[3] = i->ordinal;
    c->is_attached = from && i->parent.name && !is_made_behind(d, &i->parent);
    if (i->is_only && !d->prisma_kinds)
        create_behind(d, i, c);
    return c;
}

/* Renaming one of several alike is unstable: Prisma does not. */
static bool
is_singular(const IndexPairs *all, const IndexPair *x)
{
    size_t alike = 0;
    vec_each (IndexPair, y, all) {
        bool same = x->from->keys.n == y->from->keys.n && x->from->is_unique == y->from->is_unique;
        for (size_t i = 0; same && i < x->from->keys.n; i++)
            same = cat_same_text(x->from->keys.v[i].column, y->from->keys.v[i].column);
        alike += same;
    }
    return alike == 1;
}

static void
rename_index(Differ *d, const CatIndex *from, const CatIndex *to)
{
    change_add(d, CHANGE_RENAME, from, to, RANK_RENAME_INDEX);
    map_put(&d->index_names, name_key(d->arena, from->id.schema, from->id.name),
            (void *)(uintptr_t)to->id.name);
}

static void
make_anew(Differ *d, const CatRelation *table, const IndexPair *p)
{
    map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
    change_drop(d, p->from);
    index_create(d, table, p->to);
}

void
indexes_compare(Differ *d, Change *table, const CatRelation *x, const CatRelation *y)
{
    IndexPairs from = indexes_of(d, x, true), to = indexes_of(d, y, false);
    match_indexes(d, &from, &to);
    settle_left_alone(d, x, &to);
    bool is_join = d->in_words && words_is_join(x, y);
    vec_each (IndexPair, p, &from) {
        if (is_join && !p->to && words_is_pair(p->from))
            continue;
        if (p->from->parent.name && (!p->to || is_dropped(d, &p->from->parent))) {
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
            if (p->to)
                index_create(d, x, p->to);
            continue;
        }
        if (!p->to) {
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
            if (p->constraint && !d->compat)
                change_drop(d, p->constraint);
            else
                change_drop(d, p->from);
            continue;
        }
        if (d->compat && !is_singular(&from, p))
            continue;
        bool goes = uses_recreated(table, p->to, d->compat);
        if (goes)
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
        if (goes)
            index_create(d, x, p->to)->is_after_recreate = true;
        else if (loses_names(d, table, x, p->from) ||
                 (p->to->is_only && !d->prisma_kinds && is_joined(d, y)))
            make_anew(d, x, p);
        else if (strcmp(p->from->id.name, p->to->id.name) != 0)
            rename_index(d, p->from, p->to);
        if (!goes && !is_dropped(d, &(CatName){p->from->id.schema, p->from->id.name}))
            part_alter(d, p->from, p->to);
    }
    vec_each (IndexPair, p, &to)
        if (!(is_join && words_is_pair(p->to)))
            index_create(d, x, p->to);
}
