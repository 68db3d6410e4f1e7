/* Tables with their columns, keys, indexes and constraints. */
#include "diff/diff_int.h"

#include <stdlib.h>

static bool
same_texts(const CatTexts *x, const CatTexts *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++)
        if (strcmp(x->v[i], y->v[i]) != 0)
            return false;
    return x->n == y->n;
}

static bool
same_members(const CatTexts *x, const CatTexts *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++) {
        size_t k = 0;
        while (k < y->n && strcmp(x->v[i], y->v[k]) != 0)
            k++;
        if (k == y->n)
            return false;
    }
    return x->n == y->n;
}

/* Fields that differ, without those that have a change of their own. */
static bool
is_same(const Differ *d, const void *x, const void *y)
{
    CatRules rules = {.ignore_owners = true, .ignore_grants = true, .ignore_comments = true};
    return catalog_changes(d->arena, x, y, &rules).n == 0;
}

void
part_alter(Differ *d, const void *x, const void *y)
{
    if (d->prisma_kinds)
        return;
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    if (fields.n)
        change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_OTHER)->fields = fields;
}

bool
constraint_stays(const Differ *d, const CatConstraint *x, const CatConstraint *y)
{
    CatConstraint valid = *x;
    if (!y->is_not_valid)
        valid.is_not_valid = false;
    return is_same(d, &valid, y);
}

/* ---- columns ------------------------------------------------------------------------------- */

static int
column_by_name(const void *x, const void *y)
{
    const ColumnChange *p = x, *q = y;
    return strcmp((p->to ? p->to : p->from)->id.sub, (q->to ? q->to : q->from)->id.sub);
}

static int
column_by_place(const void *x, const void *y)
{
    const ColumnChange *p = x, *q = y;
    return (p->from->ordinal > q->from->ordinal) - (p->from->ordinal < q->from->ordinal);
}

static void
sort_tail(Change *c, size_t first, int (*cmp)(const void *, const void *))
{
    if (c->columns.n > first + 1)
        qsort(c->columns.v + first, c->columns.n - first, sizeof *c->columns.v, cmp);
}

/* A column that got another type has the storage of that type. */
static const CatColumn *
retyped(Arena *a, const CatColumn *column)
{
    CatColumn *copy = arena_new(a, CatColumn);
    *copy = *column;
    copy->storage = copy->compression = 0;
    return copy;
}

/* What a child decides about a column that its parent has; the rest comes from there. */
static void
keep_own(Arena *a, ColumnChange *k)
{
    unsigned own = COLUMN_DEFAULT | COLUMN_STORAGE | COLUMN_COMMENT | COLUMN_GRANTS;
    if (k->fields & COLUMN_TYPE) {
        k->from = retyped(a, k->from);
        if (k->to->storage || k->to->compression)
            k->fields |= COLUMN_STORAGE;
    }
    k->op = COLUMN_ALTER;
    k->cast_using = USING_NOTHING;
    k->is_default_in_the_way = false;
    k->fields &= own | COLUMN_NULLABLE;
    if (k->to->generated || k->to->identity)
        k->fields &= ~(unsigned)COLUMN_DEFAULT;
}

/* What a child has other than its parent where the column came to it from there just now. */
static void
own_new_column(Differ *d, Change *c, const CatRelation *from, const CatRelation *to,
               const CatColumn *y)
{
    const CatColumn *x = catalog_column(from, y->id.sub), *of = NULL;
    const CatRelation *parent;
    ColumnChange change;
    if (x &&
        (!x->is_inherited || !column_compare(d, x, y, &change) || change.op != COLUMN_RECREATE))
        return;
    vec_each (const CatName, n, &to->inherits)
        if (!of && (parent = catalog_relation(d->to, n->schema, n->name)))
            of = catalog_column(parent, y->id.sub);
    if (to->partition_of.name &&
        (parent = catalog_relation(d->to, to->partition_of.schema, to->partition_of.name)))
        of = catalog_column(parent, y->id.sub);
    if (!of)
        return;
    CatColumn *given = arena_new(d->arena, CatColumn);
    *given = (CatColumn){.id = y->id,
                         .ordinal = y->ordinal,
                         .type = of->type,
                         .collation = of->collation,
                         .default_expr = of->default_expr,
                         .generated = of->generated,
                         .is_not_null = of->is_not_null,
                         .is_inherited = true};
    if (!column_compare(d, given, y, &change))
        return;
    keep_own(d->arena, &change);
    if (change.fields)
        *vec_add(d->arena, &c->columns) = change;
}

/* Dropped and added columns by name, then those that change in their order, as Prisma has them. */
static void
compare_columns(Differ *d, Change *c, const CatColumns *from, const CatColumns *to,
                const CatRelation *from_table, const CatRelation *to_table)
{
    cat_each (CatColumn, x, from)
        if (!catalog_column(to_table, x->id.sub) && !x->is_inherited)
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_DROP, .from = x};
    sort_tail(c, 0, column_by_name);
    size_t first = c->columns.n;
    cat_each (CatColumn, y, to)
        if (!catalog_column(from_table, y->id.sub) && !y->is_inherited)
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_ADD, .to = y};
    /* New columns stand in the order of the schema where that shows. */
    sort_tail(c, first, column_by_name);
    first = c->columns.n;
    cat_each (CatColumn, x, from) {
        const CatColumn *y = catalog_column(to_table, x->id.sub);
        ColumnChange change;
        bool is_new = !d->prisma_kinds && type_is_rebuilt(d, &x->type);
        if (!y || !column_compare(d, is_new ? retyped(d->arena, x) : x, y, &change))
            continue;
        if (x->is_inherited && y->is_inherited) {
            if (change.op == COLUMN_RECREATE)
                continue; /* see below */
            keep_own(d->arena, &change);
        }
        if (change.fields)
            *vec_add(d->arena, &c->columns) = change;
    }
    sort_tail(c, first, column_by_place);
    cat_each (CatColumn, y, to)
        if (y->is_inherited)
            own_new_column(d, c, from_table, to_table, y);
}

static const ColumnChange *
change_of(const Change *c, const char *column)
{
    vec_each (const ColumnChange, k, &c->columns)
        if (k->from && strcmp(k->from->id.sub, column) == 0)
            return k;
    return NULL;
}

static bool
uses_changed(const Change *c, const CatColumn *generated)
{
    vec_each (const ColumnChange, k, &c->columns)
        if (k->op != COLUMN_ADD && (k->op != COLUMN_ALTER || k->fields & COLUMN_TYPE) &&
            catalog_mentions(generated->default_expr, k->from->id.sub))
            return true;
    return false;
}

/* PostgreSQL does not change the type of a column that a generated one uses: its values are made
 * again. */
static void
recreate_generated(Differ *d, Change *c, const CatRelation *from, const CatRelation *to)
{
    cat_each (CatColumn, x, &from->columns) {
        const CatColumn *y = d->prisma_kinds ? x : catalog_column(to, x->id.sub);
        if (!x->generated || !y || !y->generated || x->is_inherited || !uses_changed(c, x))
            continue;
        size_t i = 0;
        while (i < c->columns.n && c->columns.v[i].from != x)
            i++;
        if (i == c->columns.n)
            vec_add(d->arena, &c->columns);
        c->columns.v[i] =
            (ColumnChange){.op = COLUMN_RECREATE, .from = x, .to = y, .fields = COLUMN_TYPE};
    }
}

static bool
type_changed(const Change *c, const char *column)
{
    const ColumnChange *k = change_of(c, column);
    return k && k->fields & COLUMN_TYPE;
}

/* ---- primary keys -------------------------------------------------------------------------- */

static const CatConstraint *
primary_key(const CatRelation *r)
{
    cat_each (CatConstraint, k, &r->constraints)
        if (k->type == CAT_PRIMARY_KEY)
            return k;
    return NULL;
}

static bool
any_type_changed(const Change *c, const CatTexts *columns)
{
    vec_each (const char *, name, columns)
        if (type_changed(c, *name))
            return true;
    return false;
}

static bool
any_recreated(const Change *c, const CatTexts *columns)
{
    vec_each (const char *, name, columns) {
        const ColumnChange *k = change_of(c, *name);
        if (k && k->op == COLUMN_RECREATE)
            return true;
    }
    return false;
}

static void
compare_primary_keys(Differ *d, Change *c, const CatRelation *x, const CatRelation *y)
{
    const CatConstraint *from = primary_key(x), *to = primary_key(y);
    if ((to && to->is_inherited) || (d->in_words && !from != !to && words_is_join(x, y)))
        return;
    if (from && from->is_inherited && cat_same_text(x->partition_of.name, y->partition_of.name))
        from = NULL; /* goes with that of its table */
    bool changed =
        from && to &&
        (!same_texts(&from->columns, &to->columns) || any_recreated(c, &from->include) ||
         any_type_changed(c, &from->columns) || (!d->prisma_kinds && !is_same(d, from, to)));
    if (from && (!to || changed))
        c->drop_key = from;
    if (to && (!from || changed))
        c->add_key = to;
    if (from && to && strcmp(from->id.sub, to->id.sub) != 0 && !(changed && !d->compat)) {
        c->rename_key_from = from;
        c->rename_key_to = to;
    }
}

/* ---- indexes ------------------------------------------------------------------------------- */

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
    same.keys = y->keys; /* compared */
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
    return is_same(d, &same, y);
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

/* What the schema has no words for stays as it is. */
static bool
is_left_alone(const Differ *d, const CatIndex *x)
{
    return d->in_words && (has_expression(x) || (x->predicate && !d->options->partial_indexes));
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
            if (k->type == CAT_UNIQUE) {
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

static Change *
create_index(Differ *d, const CatRelation *from, const CatIndex *i)
{
    Change *c = change_add(d, CHANGE_CREATE, NULL, i, RANK_CREATE_INDEX);
    const CatRelation *to = catalog_relation(d->to, i->id.schema, i->table);
    c->rank[1] = from != NULL;
    c->rank[2] = from ? from->ordinal : to->ordinal;
    c->rank[3] = i->ordinal;
    c->is_attached = from && i->parent.name;
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

/* Indexes of partitions go with that of their table. */
static bool
is_dropped(const Differ *d, const CatName *index)
{
    return map_has(&d->gone, name_key(d->arena, index->schema, index->name));
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
    change_add(d, CHANGE_DROP, p->from, NULL, RANK_DROP_INDEX);
    create_index(d, table, p->to);
}

static void
compare_indexes(Differ *d, Change *table, const CatRelation *x, const CatRelation *y)
{
    IndexPairs from = indexes_of(d, x, true), to = indexes_of(d, y, false);
    match_indexes(d, &from, &to);
    bool is_join = d->in_words && words_is_join(x, y);
    vec_each (IndexPair, p, &from) {
        if (is_join && !p->to && words_is_pair(p->from))
            continue;
        if (p->from->parent.name && (!p->to || is_dropped(d, &p->from->parent))) {
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
            if (p->to)
                create_index(d, x, p->to);
            continue;
        }
        if (!p->to) {
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
            if (p->constraint && !d->compat)
                change_add(d, CHANGE_DROP, p->constraint, NULL, RANK_DROP_CONSTRAINT);
            else
                change_add(d, CHANGE_DROP, p->from, NULL, RANK_DROP_INDEX);
            continue;
        }
        if (d->compat && !is_singular(&from, p))
            continue;
        bool goes = uses_recreated(table, p->to, d->compat);
        if (goes)
            map_put(&d->gone, name_key(d->arena, p->from->id.schema, p->from->id.name), d);
        if (goes)
            create_index(d, x, p->to)->is_after_recreate = true;
        else if (loses_names(d, table, x, p->from))
            make_anew(d, x, p);
        else if (strcmp(p->from->id.name, p->to->id.name) != 0)
            rename_index(d, p->from, p->to);
        if (!goes && !is_dropped(d, &(CatName){p->from->id.schema, p->from->id.name}))
            part_alter(d, p->from, p->to);
    }
    vec_each (IndexPair, p, &to)
        if (!(is_join && words_is_pair(p->to)))
            create_index(d, x, p->to);
}

/* ---- foreign keys -------------------------------------------------------------------------- */

static bool
is_join_table(const CatRelation *r)
{
    return r->columns.n == 2 && catalog_column(r, "A") && catalog_column(r, "B");
}

static bool
foreign_key_matches(const Differ *d, const Change *table, const CatConstraint *x,
                    const CatConstraint *y)
{
    if (!cat_same_text(x->ref_table.name, y->ref_table.name) ||
        !same_texts(&x->columns, &y->columns) || !same_texts(&x->ref_columns, &y->ref_columns) ||
        any_type_changed(table, &x->columns) || x->on_delete != y->on_delete ||
        x->on_update != y->on_update)
        return false;
    return d->prisma_kinds || constraint_stays(d, x, y);
}

static void
drop_constraint(Differ *d, const CatConstraint *k)
{
    change_add(d, CHANGE_DROP, k, NULL,
               k->type == CAT_FOREIGN_KEY ? RANK_DROP_FOREIGN_KEY : RANK_DROP_CONSTRAINT);
}

static void
add_constraint(Differ *d, const CatConstraint *k)
{
    change_add(d, CHANGE_CREATE, NULL, k,
               k->type == CAT_FOREIGN_KEY ? RANK_ADD_FOREIGN_KEY : RANK_ADD_CONSTRAINT);
}

/* Whether the foreign key stands on a key of its target that is dropped, so that it has to go, too.
 */
static bool
loses_its_key(const Differ *d, const CatConstraint *fk)
{
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        const CatTexts *columns = NULL;
        CatTexts of_index = {0};
        if (!c->from || !cat_same_text(c->from->id.schema, fk->ref_table.schema))
            continue;
        if (c->op == CHANGE_DROP && c->kind == CAT_TABLE &&
            strcmp(c->from->id.name, fk->ref_table.name) == 0)
            return true;
        if (c->kind == CAT_TABLE && c->drop_key) {
            columns = &c->drop_key->columns;
            if (strcmp(c->from->id.name, fk->ref_table.name) != 0)
                continue;
        } else if (c->op == CHANGE_DROP && c->kind == CAT_CONSTRAINT &&
                   strcmp(c->from->id.name, fk->ref_table.name) == 0) {
            columns = &((const CatConstraint *)c->from)->columns;
        } else if (c->op == CHANGE_DROP && c->kind == CAT_INDEX &&
                   strcmp(((const CatIndex *)c->from)->table, fk->ref_table.name) == 0 &&
                   ((const CatIndex *)c->from)->is_unique) {
            vec_each (const CatKey, key, &((const CatIndex *)c->from)->keys)
                *vec_add(d->arena, &of_index) = key->column ? key->column : "";
            columns = &of_index;
        }
        if (columns && same_members(columns, &fk->ref_columns))
            return true;
    }
    return false;
}

typedef VEC(const CatConstraint *) Keys;

static int
key_by_ordinal(const void *x, const void *y)
{
    const CatConstraint *p = *(CatConstraint *const *)x, *q = *(CatConstraint *const *)y;
    return (p->ordinal > q->ordinal) - (p->ordinal < q->ordinal);
}

static Keys
foreign_keys(Differ *d, const CatRelation *r)
{
    Keys all = {0};
    cat_each (CatConstraint, k, &r->constraints)
        if (k->type == CAT_FOREIGN_KEY && !k->is_inherited)
            *vec_add(d->arena, &all) = k;
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, key_by_ordinal);
    return all;
}

/* The number of its other side, to->n when it has none; the same name first. */
static size_t
match_foreign_key(const Differ *d, const Change *table, const CatConstraint *x, const Keys *to,
                  const bool *taken, bool by_name)
{
    size_t k = 0;
    while (k < to->n && (taken[k] || (by_name && strcmp(x->id.sub, to->v[k]->id.sub) != 0) ||
                         !foreign_key_matches(d, table, x, to->v[k])))
        k++;
    return k;
}

/* A second foreign key of the same columns, or one that is no relation. */
static bool
is_left_alone_key(const Differ *d, const CatConstraint *x, const Keys *to, const bool *taken)
{
    if (!d->in_words)
        return false;
    for (size_t k = 0; k < to->n; k++)
        if (taken[k] && cat_same_text(x->ref_table.name, to->v[k]->ref_table.name) &&
            cat_same_text(x->ref_table.schema, to->v[k]->ref_table.schema) &&
            same_texts(&x->columns, &to->v[k]->columns) &&
            same_texts(&x->ref_columns, &to->v[k]->ref_columns))
            return true;
    return !words_know_relation(d, x);
}

static void
compare_foreign_keys(Differ *d, const Change *table, const CatRelation *x, const CatRelation *y)
{
    Keys from = foreign_keys(d, x), to = foreign_keys(d, y);
    bool *taken = arena_array(d->arena, bool, to.n + 1);
    size_t *match = arena_array(d->arena, size_t, from.n + 1); /* + 1; 0: not looked for */
    bool join = is_join_table(x) && is_join_table(y) && d->prisma_kinds;
    /* Of several alike each stays under its own name. */
    for (int pass = 0; d->in_words && pass < 2; pass++)
        for (size_t i = 0; i < from.n; i++) {
            size_t k =
                match[i] ? to.n : match_foreign_key(d, table, from.v[i], &to, taken, pass == 0);
            if (k < to.n) {
                taken[k] = true;
                match[i] = k + 1;
            }
        }
    for (size_t i = 0; i < from.n; i++) {
        size_t k = match[i] ? match[i] - 1 : to.n;
        if (!match[i])
            k = match_foreign_key(d, table, from.v[i], &to, taken, true);
        if (k == to.n)
            k = match_foreign_key(d, table, from.v[i], &to, taken, false);
        if (k < to.n)
            taken[k] = true;
        else if (is_left_alone_key(d, from.v[i], &to, taken))
            continue;
        bool stays = k < to.n && (d->compat || !loses_its_key(d, from.v[i]));
        if (!stays) {
            drop_constraint(d, from.v[i]);
            if (k < to.n)
                taken[k] = false;
        } else {
            if (strcmp(from.v[i]->id.sub, to.v[k]->id.sub) != 0 && !join)
                change_add(d, CHANGE_RENAME, from.v[i], to.v[k], RANK_RENAME_FOREIGN_KEY);
            part_alter(d, from.v[i], to.v[k]);
        }
    }
    for (size_t k = 0; k < to.n; k++)
        if (!taken[k])
            add_constraint(d, to.v[k]);
}

/* ---- other constraints --------------------------------------------------------------------- */

static bool
is_plain_constraint(const CatConstraint *k)
{
    return k->type != CAT_PRIMARY_KEY && k->type != CAT_FOREIGN_KEY && !k->is_inherited;
}

/* A new partition is made with what it will have in common with its table, then attached. */
static bool
is_own_constraint(const CatRelation *r, const CatConstraint *k)
{
    CatConstraint own = *k;
    own.is_inherited = own.is_inherited && !r->partition_of.name;
    return is_plain_constraint(&own);
}

static const CatConstraint *
constraint_named(const CatConstraints *all, const char *name)
{
    cat_each (CatConstraint, k, all)
        if (strcmp(k->id.sub, name) == 0)
            return k;
    return NULL;
}

/* Unchanged but for its name, which is not taken on the other side. */
static const CatConstraint *
constraint_renamed(const Differ *d, const CatConstraint *x, const CatConstraints *from,
                   const CatConstraints *to)
{
    cat_each (CatConstraint, y, to)
        if (is_plain_constraint(y) && !constraint_named(from, y->id.sub) && is_same(d, x, y))
            return y;
    return NULL;
}

static bool
constraint_uses_recreated(const Change *table, const CatConstraint *k)
{
    vec_each (const ColumnChange, c, &table->columns) {
        if (c->op != COLUMN_RECREATE)
            continue;
        vec_each (const char *, name, &k->columns)
            if (strcmp(*name, c->to->id.sub) == 0)
                return true;
        vec_each (const CatKey, key, &k->keys)
            if (cat_same_text(key->column, c->to->id.sub) ||
                catalog_mentions(key->expr, c->to->id.sub))
                return true;
        if (catalog_mentions(k->expr, c->to->id.sub))
            return true;
    }
    return false;
}

static void
compare_constraints(Differ *d, const Change *table, const CatConstraints *from,
                    const CatConstraints *to)
{
    Map renamed;
    map_init(&renamed, d->arena);
    cat_each (CatConstraint, x, from) {
        if (!is_plain_constraint(x))
            continue;
        const CatConstraint *y = constraint_named(to, x->id.sub);
        if (y && is_plain_constraint(y) && constraint_stays(d, x, y)) {
            if (constraint_uses_recreated(table, y))
                add_constraint(d, y);
            else
                part_alter(d, x, y);
            continue;
        }
        const CatConstraint *other = y ? NULL : constraint_renamed(d, x, from, to);
        if (other && constraint_uses_recreated(table, other))
            continue; /* went with its column */
        if (other && !map_has(&renamed, str_of(other->id.sub))) {
            map_put(&renamed, str_of(other->id.sub), (void *)(uintptr_t)other);
            change_add(d, CHANGE_RENAME, x, other, RANK_RENAME_FOREIGN_KEY);
            part_alter(d, x, other);
            continue;
        }
        drop_constraint(d, x);
    }
    cat_each (CatConstraint, y, to) {
        const CatConstraint *x = constraint_named(from, y->id.sub);
        if (is_plain_constraint(y) && !map_has(&renamed, str_of(y->id.sub)) &&
            !(x && is_plain_constraint(x) && constraint_stays(d, x, y)))
            add_constraint(d, y);
    }
}

/* What a child has of its own about a constraint that its parent has: a comment, and rows that were
 * checked where the parent's were not. */
static void
compare_inherited(Differ *d, const CatRelation *from, const CatRelation *to)
{
    static const CatConstraints none;
    cat_each (CatConstraint, y, &to->constraints) {
        const CatConstraint *x = constraint_named(from ? &from->constraints : &none, y->id.sub);
        if (!y->is_inherited)
            continue;
        /* A comment goes with the parent's constraint, when that is made anew. */
        const char *comment = x && constraint_stays(d, x, y) ? x->comment : NULL;
        if (!cat_same_text(comment, y->comment)) {
            CatConstraint *plain = arena_new(d->arena, CatConstraint);
            *plain = x ? *x : *y;
            plain->comment = comment;
            Change *c = change_add(d, CHANGE_ALTER, plain, y, RANK_ALTER_OTHER);
            *vec_add(d->arena, &c->fields) = "comment";
        }
        if (y->is_not_valid || (x && is_same(d, x, y)))
            continue;
        vec_each (const CatName, name, &to->inherits) {
            const CatRelation *parent = catalog_relation(d->to, name->schema, name->name);
            const CatConstraint *k =
                parent ? constraint_named(&parent->constraints, y->id.sub) : NULL;
            if (!k || !k->is_not_valid)
                continue;
            Change *c = change_add(d, CHANGE_ALTER, k, y, RANK_ALTER_OTHER);
            *vec_add(d->arena, &c->fields) = "is_not_valid";
        }
    }
}

/* ---- tables -------------------------------------------------------------------------------- */

static void
create_table(Differ *d, const CatRelation *r)
{
    change_add(d, CHANGE_CREATE, NULL, r, RANK_CREATE_TABLE);
    Keys keys = foreign_keys(d, r);
    vec_each (const CatConstraint *, k, &keys)
        add_constraint(d, *k);
    cat_each (CatConstraint, k, &r->constraints)
        if (is_own_constraint(r, k))
            add_constraint(d, k);
    cat_each (CatIndex, i, &r->indexes)
        create_index(d, NULL, i);
    if (r->partition_of.name)
        change_add(d, CHANGE_ALTER, NULL, r, RANK_ATTACH)->attaches = true;
}

static void
drop_table(Differ *d, const CatRelation *r)
{
    change_add(d, CHANGE_DROP, r, NULL, RANK_DROP_TABLE);
    Keys keys = foreign_keys(d, r);
    vec_each (const CatConstraint *, k, &keys)
        drop_constraint(d, *k);
}

static bool
is_empty_change(const Change *c)
{
    return !c->columns.n && !c->fields.n && !c->drop_key && !c->add_key && !c->rename_key_from;
}

/* A table that cannot become the other one: how it is partitioned, or of which type. Partitions go
 * with their table. */
static bool
is_other_table(const Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (d->prisma_kinds)
        return false;
    if (!cat_same_text(x->partition_key, y->partition_key) ||
        !cat_same_text(x->of_type.name, y->of_type.name))
        return true;
    if (!x->partition_of.name)
        return false;
    const CatRelation *from =
        catalog_relation(d->from, x->partition_of.schema, x->partition_of.name);
    const CatRelation *to = catalog_relation(d->to, x->partition_of.schema, x->partition_of.name);
    return from && to && is_other_table(d, from, to);
}

/* ---- what names an index ------------------------------------------------------------------- */

static bool
is_made(const Differ *d, const CatRelation *r, const char *index)
{
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        const char *name = NULL;
        if (c->op == CHANGE_CREATE && c->kind == CAT_INDEX)
            name = c->to->id.name;
        else if (c->op == CHANGE_CREATE && c->kind == CAT_CONSTRAINT &&
                 strcmp(c->to->id.name, r->id.name) == 0)
            name = c->to->id.sub;
        else if (c->add_key && c->to == (const CatObject *)r)
            name = c->add_key->id.sub;
        if (index && cat_same_text(name, index) && cat_same_text(c->to->id.schema, r->id.schema))
            return true;
    }
    return false;
}

static bool
names_index(const CatRelation *r)
{
    return r->replica_identity == 'i' || r->cluster_index;
}

void
diff_index_state(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (!names_index(y))
        return;
    if (x && x->replica_identity == y->replica_identity &&
        cat_same_text(x->replica_index, y->replica_index) &&
        cat_same_text(x->cluster_index, y->cluster_index) && !is_made(d, y, y->replica_index) &&
        !is_made(d, y, y->cluster_index))
        return;
    change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_OTHER)->is_index_state = true;
}

/* Without the fields that diff_index_state compares. */
static void
leave_index_state(CatTexts *fields, const CatRelation *y)
{
    size_t kept = 0;
    vec_each (const char *, name, fields)
        if (!(y->replica_identity == 'i' && strncmp(*name, "replica_", 8) == 0) &&
            !(y->cluster_index && strcmp(*name, "cluster_index") == 0))
            fields->v[kept++] = *name;
    fields->n = kept;
}

static void
alter_table(Differ *d, const CatRelation *x, const CatRelation *y)
{
    Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_TABLE);
    size_t at = d->diff->changes.n - 1;
    compare_columns(d, c, &x->columns, &y->columns, x, y);
    if (!d->compat)
        recreate_generated(d, c, x, y);
    compare_primary_keys(d, c, x, y);
    if (!d->prisma_kinds)
        c->fields = catalog_changes(d->arena, x, y, &d->rules);
    /* The order of columns cannot be changed; it is the last field. */
    if (c->fields.n && strcmp(c->fields.v[c->fields.n - 1], "column_order") == 0)
        c->fields.n--;
    leave_index_state(&c->fields, y);
    compare_indexes(d, c, x, y);
    if (!d->prisma_kinds)
        compare_constraints(d, c, &x->constraints, &y->constraints);
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
    if (d->prisma_kinds)
        return;
    compare_inherited(d, stays, p->to);
    diff_index_state(d, stays, p->to);
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
        if ((*c)->op == CHANGE_ALTER && (*c)->kind == CAT_TABLE && (*c)->from &&
            !(*c)->is_index_state)
            map_put(&altered, ref_key(d->arena, &(*c)->from->id), *c);
    vec_each (Pair, p, &d->tables) {
        if (!p->from || !p->to || is_other_table(d, p->from, p->to))
            continue;
        const Change *c = map_get(&altered, ref_key(d->arena, &p->from->id));
        compare_foreign_keys(d, c ? c : &none, p->from, p->to);
    }
    find_recreated(d);
}
