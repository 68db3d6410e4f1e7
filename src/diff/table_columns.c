/* The columns of a table that stays: their changes in the order of Prisma's engine, and what other
 * parts of the table ask about them. */
#include "diff/diff_int.h"

#include <stdlib.h>

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
keep_own(Arena *a, ColumnChange *k, bool has_identity)
{
    unsigned own = (has_identity ? COLUMN_IDENTITY : 0) | COLUMN_DEFAULT | COLUMN_STORAGE |
                   COLUMN_COMMENT | COLUMN_GRANTS | COLUMN_EXPRESSION | COLUMN_NOT_NULL |
                   COLUMN_VALIDATED;
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

/* Parent number i of a table, from 0; false behind the last. */
static bool
parent_at(const Catalog *c, const CatRelation *t, size_t i, const CatRelation **ret)
{
    bool is_partition = t->partition_of.name != NULL;
    if (i >= t->inherits.n + is_partition)
        return false;
    const CatName *name = i < t->inherits.n ? &t->inherits.v[i] : &t->partition_of;
    *ret = catalog_relation(c, name->schema, name->name);
    return true;
}

/* A column as the first parent that has it gives it; NULL where none does. */
const CatColumn *
column_given(const Catalog *c, const CatRelation *t, const char *name)
{
    const CatRelation *parent;
    const CatColumn *found = NULL;
    for (size_t i = 0; !found && parent_at(c, t, i, &parent); i++)
        found = parent ? catalog_column(parent, name) : NULL;
    return found;
}

bool
column_expression_goes_above(const Differ *d, const CatName *table)
{
    const CatRelation *x = catalog_relation(d->from, table->schema, table->name);
    const CatRelation *y = catalog_relation(d->to, table->schema, table->name);
    if (x && y)
        cat_each (CatColumn, column, &x->columns) {
            if (!column->generated)
                continue;
            const CatColumn *now = catalog_column(y, column->id.sub);
            const CatColumn *of = column_given(d->from, x, column->id.sub);
            if (now && !now->generated && of && of->generated)
                return true;
        }
    return false;
}

/* Also where the table has the column itself, too. */
static bool
is_given(const Catalog *c, const CatRelation *t, const CatColumn *column)
{
    return column->is_inherited || column_given(c, t, column->id.sub);
}

/* Since 17 partitions have the identity of their table. */
static bool
is_own_identity(const Catalog *c, const CatRelation *t, const CatColumn *column)
{
    const CatColumn *given = column_given(c, t, column->id.sub);
    return column->identity && !(given && given->identity == column->identity);
}

static bool
has_parents(const CatRelation *t)
{
    return t->inherits.n || t->partition_of.name;
}

/* Whether parents leave a column with other than the wanted NOT NULL: it comes to children, and goes from
 * them, with their parent's, also where they have their own. */
static bool
parents_leave_other(const Differ *d, const CatRelation *t, const char *name, bool wanted)
{
    const Catalog *sides[] = {d->from, d->to};
    for (int side = 0; side < 2; side++) {
        const CatRelation *parent, *own = catalog_relation(sides[side], t->id.schema, t->id.name);
        for (size_t i = 0; own && parent_at(sides[side], own, i, &parent); i++) {
            if (!parent)
                continue;
            const CatRelation *was = catalog_relation(d->from, parent->id.schema, parent->id.name);
            const CatRelation *is = catalog_relation(d->to, parent->id.schema, parent->id.name);
            const CatColumn *x = was ? catalog_column(was, name) : NULL;
            const CatColumn *y = is ? catalog_column(is, name) : NULL;
            if (!x || !y)
                continue;
            bool was_given = x->is_not_null && !x->is_not_null_no_inherit;
            bool is_not_null = y->is_not_null && !y->is_not_null_no_inherit;
            bool is_set = was_given != is_not_null || parents_leave_other(d, is, name, is_not_null);
            if (is_set ? is_not_null != wanted : parents_leave_other(d, is, name, wanted))
                return true;
        }
    }
    return false;
}

/* A column that a child has itself, too, is there before its parent's comes. */
static void
add_before(Differ *d, const CatRelation *from, const CatColumn *y)
{
    CatRelation *between = arena_new(d->arena, CatRelation);
    *between = *from;
    between->needs = (CatRefs){0};
    CatColumn *plain = arena_new(d->arena, CatColumn);
    *plain = (CatColumn){.id = y->id, .type = y->type, .collation = y->collation};
    if (y->generated) {
        plain->generated = y->generated;
        plain->default_expr = y->default_expr;
    }
    Change *c = change_add(d, CHANGE_ALTER, from, between, RANK_ALTER_TYPE);
    c->is_aside = true;
    *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_ADD, .to = plain};
}

/* A generated column over one that comes, too: then it is the parent's alone. */
static bool
stands_on_new(const CatRelation *from, const CatRelation *to, const CatColumn *y)
{
    cat_each (CatColumn, column, &to->columns)
        if (y->generated && !catalog_column(from, column->id.sub) &&
            catalog_mentions(y->default_expr, column->id.sub))
            return true;
    return false;
}

/* What a child has other than its parent where the column came to it from there just now. */
static void
own_new_column(Differ *d, Change *c, const CatRelation *from, const CatRelation *to,
               const CatColumn *y)
{
    const CatColumn *x = catalog_column(from, y->id.sub);
    ColumnChange change;
    if (x && (!is_given(d->from, from, x) || !column_compare(d, x, y, &change) ||
              change.op != COLUMN_RECREATE))
        return;
    const CatColumn *of = column_given(d->to, to, y->id.sub);
    if (!of)
        return;
    bool is_own = !x && !y->is_inherited && !to->partition_of.name && !stands_on_new(from, to, y);
    if (is_own)
        add_before(d, from, y);
    CatColumn *given = arena_new(d->arena, CatColumn);
    *given = (CatColumn){.id = y->id,
                         .ordinal = y->ordinal,
                         .type = of->type,
                         .collation = of->collation,
                         .default_expr = is_own && !y->generated ? NULL : of->default_expr,
                         .generated = of->generated,
                         .is_not_null = of->is_not_null && !is_own,
                         .is_inherited = true};
    if (!column_compare(d, given, y, &change))
        return;
    keep_own(d->arena, &change, false);
    if (change.fields)
        *vec_add(d->arena, &c->columns) = change;
}

/* Dropped and added columns by name, then those that change in their order, as Prisma has them. */
void
columns_compare(Differ *d, Change *c, const CatRelation *from, const CatRelation *to)
{
    cat_each (CatColumn, x, &from->columns)
        if (!catalog_column(to, x->id.sub) && !x->is_inherited)
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_DROP, .from = x};
    sort_tail(c, 0, column_by_name);
    size_t first = c->columns.n;
    cat_each (CatColumn, y, &to->columns)
        if (!catalog_column(from, y->id.sub) && !is_given(d->to, to, y))
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_ADD, .to = y};
    /* New columns stand in the order of the schema where that shows, those of a type in its order. */
    if (!to->of_type.name)
        sort_tail(c, first, column_by_name);
    first = c->columns.n;
    cat_each (CatColumn, x, &from->columns) {
        const CatColumn *y = catalog_column(to, x->id.sub);
        ColumnChange change;
        bool is_new = !d->prisma_kinds && type_is_rebuilt(d, &x->type);
        if (!y)
            continue;
        bool differs = column_compare(d, is_new ? retyped(d->arena, x) : x, y, &change);
        if (!d->prisma_kinds && (has_parents(from) || has_parents(to)) &&
            parents_leave_other(d, to, x->id.sub, y->is_not_null)) {
            change.fields |= COLUMN_NULLABLE;
            differs = true;
        }
        if (!differs)
            continue;
        if (is_given(d->from, from, x) && is_given(d->to, to, y)) {
            if (change.op == COLUMN_RECREATE)
                continue; /* see below */
            keep_own(d->arena, &change,
                     is_own_identity(d->from, from, x) || is_own_identity(d->to, to, y));
        }
        if (change.fields)
            *vec_add(d->arena, &c->columns) = change;
    }
    sort_tail(c, first, column_by_place);
    cat_each (CatColumn, y, &to->columns)
        if (is_given(d->to, to, y))
            own_new_column(d, c, from, to, y);
}

static const ColumnChange *
column_change(const Change *c, const char *column)
{
    vec_each (const ColumnChange, k, &c->columns)
        if (k->from && strcmp(k->from->id.sub, column) == 0)
            return k;
    return NULL;
}

/* What is dropped, or another type of the same name, before the table is altered. */
static bool
is_gone_before(const Differ *d, const CatRef *need)
{
    vec_each (Change *, c, &d->diff->changes)
        if (((*c)->op == CHANGE_DROP || (*c)->is_rebuilt) && (*c)->from &&
            cat_ref_cmp(&(*c)->from->id, need) == 0)
            return true;
    return false;
}

static bool
uses_gone(const Differ *d, const CatRelation *from, const CatColumn *generated)
{
    vec_each (const CatRef, need, &generated->needs)
        if (is_gone_before(d, need))
            return true;
    cat_each (CatColumn, column, &from->columns)
        if (type_is_rebuilt(d, &column->type) &&
            (column == generated || catalog_mentions(generated->default_expr, column->id.sub)))
            return true;
    return false;
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

/* Whether a new expression of a virtual column uses what comes or changes with it. */
static bool
is_set_on_changed(const Change *c, const CatColumn *x, const CatColumn *y)
{
    const ColumnChange *own = column_change(c, x->id.sub);
    if (!own || own->op != COLUMN_ALTER || !(own->fields & COLUMN_EXPRESSION))
        return false;
    vec_each (const ColumnChange, k, &c->columns)
        if ((k->op != COLUMN_ALTER || k->fields & COLUMN_TYPE) && k->to &&
            catalog_mentions(y->default_expr, k->to->id.sub))
            return true;
    return false;
}

/* A column that gets another type with that of a parent, which changes before. */
static bool
uses_given(const Differ *d, const CatRelation *from, const CatRelation *to,
           const CatColumn *generated)
{
    cat_each (CatColumn, column, &from->columns) {
        const CatColumn *y = catalog_column(to, column->id.sub);
        if (!d->prisma_kinds && y && !catalog_type_same(&column->type, &y->type) &&
            is_given(d->from, from, column) && is_given(d->to, to, y) &&
            catalog_mentions(generated->default_expr, column->id.sub))
            return true;
    }
    return false;
}

/* PostgreSQL does not change the type of a column that a generated one uses: its values are made
 * again. */
void
columns_recreate_generated(Differ *d, Change *c, const CatRelation *from, const CatRelation *to)
{
    cat_each (CatColumn, x, &from->columns) {
        const CatColumn *y = d->prisma_kinds ? x : catalog_column(to, x->id.sub);
        if (!x->generated || x->is_inherited)
            continue;
        bool is_gone = uses_gone(d, from, x) || uses_given(d, from, to, x);
        if (!is_gone && !uses_changed(c, x) && !(y && is_set_on_changed(c, x, y)))
            continue;
        size_t i = 0;
        while (i < c->columns.n && c->columns.v[i].from != x)
            i++;
        if (!y || !y->generated) {
            if (i < c->columns.n && c->columns.v[i].op != COLUMN_ALTER)
                c->columns.v[i].is_let_go = is_gone;
            continue;
        }
        if (i == c->columns.n)
            vec_add(d->arena, &c->columns);
        c->columns.v[i] = (ColumnChange){
            .op = COLUMN_RECREATE, .from = x, .to = y, .fields = COLUMN_TYPE, .is_let_go = is_gone};
    }
}

static bool
type_changed(const Change *c, const char *column)
{
    const ColumnChange *k = column_change(c, column);
    return k && k->fields & COLUMN_TYPE;
}

bool
columns_retyped(const Change *c, const CatTexts *columns)
{
    vec_each (const char *, name, columns)
        if (type_changed(c, *name))
            return true;
    return false;
}

bool
columns_recreated(const Change *c, const CatTexts *columns)
{
    vec_each (const char *, name, columns) {
        const ColumnChange *k = column_change(c, *name);
        if (k && k->op == COLUMN_RECREATE)
            return true;
    }
    return false;
}
