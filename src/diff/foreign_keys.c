/* Foreign keys, after it is known which keys they stand on. */
#include "diff/diff_int.h"

#include <stdlib.h>

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
        !cat_same_texts(&x->columns, &y->columns) ||
        !cat_same_texts(&x->ref_columns, &y->ref_columns) || columns_retyped(table, &x->columns) ||
        x->on_delete != y->on_delete || x->on_update != y->on_update)
        return false;
    return d->prisma_kinds || constraint_stays(d, x, y);
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

static bool
is_or_descends(const Differ *d, const CatRelation *t, const CatRef *from)
{
    if (cat_ref_cmp(&t->id, from) == 0 || catalog_is_child(t, from))
        return true;
    vec_each (const CatName, parent, &t->inherits) {
        const CatRelation *p = catalog_relation(d->from, parent->schema, parent->name);
        if (p && is_or_descends(d, p, from))
            return true;
    }
    return false;
}

/* The table that it refers to, and those that have that as a partition, whose keys go with theirs. */
static CatNames
targets_of(const Differ *d, const CatConstraint *fk)
{
    CatNames targets = {0};
    for (CatName at = fk->ref_table; at.name;) {
        *vec_add(d->arena, &targets) = at;
        const CatRelation *t = catalog_relation(d->from, at.schema, at.name);
        at = t ? t->partition_of : (CatName){0};
    }
    return targets;
}

static bool
has_name(const CatNames *names, const char *schema, const char *name)
{
    vec_each (const CatName, n, names)
        if (strcmp(n->name, name) == 0 && cat_same_text(n->schema, schema))
            return true;
    return false;
}

/* PostgreSQL builds a key anew, and forgets who refers to it, when a column that it includes gets another type. */
static bool
key_is_rebuilt(const Differ *d, const Change *table, const CatConstraint *fk)
{
    const CatRelation *t = catalog_relation(d->from, fk->ref_table.schema, fk->ref_table.name);
    if (!t || !is_or_descends(d, t, &table->from->id))
        return false;
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) &&
            same_members(&k->columns, &fk->ref_columns) && columns_retyped(table, &k->include))
            return true;
    return false;
}

/* Whether the foreign key stands on a key of its target that is dropped, so that it has to go, too.
 */
static bool
loses_its_key(const Differ *d, const CatConstraint *fk)
{
    const CatNames targets = targets_of(d, fk);
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        const CatTexts *columns = NULL;
        CatTexts of_index = {0};
        if (c->op == CHANGE_ALTER && c->kind == CAT_TABLE && key_is_rebuilt(d, c, fk))
            return true;
        const char *table = !c->from               ? NULL
                            : c->kind == CAT_INDEX ? ((const CatIndex *)c->from)->table
                                                   : c->from->id.name;
        if (!table || !has_name(&targets, c->from->id.schema, table))
            continue;
        if (c->op == CHANGE_DROP && c->kind == CAT_TABLE)
            return true;
        if (c->kind == CAT_TABLE && c->drop_key) {
            columns = &c->drop_key->columns;
        } else if (c->op == CHANGE_DROP && c->kind == CAT_CONSTRAINT) {
            columns = &((const CatConstraint *)c->from)->columns;
        } else if (c->op == CHANGE_DROP && c->kind == CAT_INDEX &&
                   ((const CatIndex *)c->from)->is_unique) {
            vec_each (const CatKey, key, &((const CatIndex *)c->from)->keys)
                *vec_add(d->arena, &of_index) = key->column ? key->column : "";
            columns = &of_index;
        }
        if (c->op == CHANGE_ALTER && c->kind == CAT_TABLE && columns_recreated(c, &fk->ref_columns))
            return true;
        if (columns && same_members(columns, &fk->ref_columns))
            return true;
    }
    return false;
}

/* Both sides of it get a new enum, one after the other. */
static bool
uses_rebuilt(const Differ *d, const CatRelation *table, const CatConstraint *fk)
{
    vec_each (const char *, name, &fk->columns) {
        const CatColumn *column = catalog_column(table, *name);
        if (column && type_is_rebuilt(d, &column->type))
            return true;
    }
    return false;
}

static int
key_by_ordinal(const void *x, const void *y)
{
    const CatConstraint *p = *(CatConstraint *const *)x, *q = *(CatConstraint *const *)y;
    return (p->ordinal > q->ordinal) - (p->ordinal < q->ordinal);
}

ForeignKeys
foreign_keys_of(Differ *d, const CatRelation *r)
{
    ForeignKeys all = {0};
    cat_each (CatConstraint, k, &r->constraints)
        if (k->type == CAT_FOREIGN_KEY && !k->is_inherited)
            *vec_add(d->arena, &all) = k;
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, key_by_ordinal);
    return all;
}

/* The number of its other side, to->n when it has none; the same name first. */
static size_t
match_foreign_key(const Differ *d, const Change *table, const CatConstraint *x,
                  const ForeignKeys *to, const bool *taken, bool by_name)
{
    size_t k = 0;
    while (k < to->n && (taken[k] || (by_name && strcmp(x->id.sub, to->v[k]->id.sub) != 0) ||
                         !foreign_key_matches(d, table, x, to->v[k])))
        k++;
    return k;
}

/* A second foreign key of the same columns, or one that is no relation. */
static bool
is_left_alone_key(const Differ *d, const CatConstraint *x, const ForeignKeys *to, const bool *taken)
{
    if (!d->in_words)
        return false;
    for (size_t k = 0; k < to->n; k++)
        if (taken[k] && cat_same_text(x->ref_table.name, to->v[k]->ref_table.name) &&
            cat_same_text(x->ref_table.schema, to->v[k]->ref_table.schema) &&
            cat_same_texts(&x->columns, &to->v[k]->columns) &&
            cat_same_texts(&x->ref_columns, &to->v[k]->ref_columns))
            return true;
    return !words_know_relation(d, x);
}

void
foreign_keys_compare(Differ *d, const Change *table, const CatRelation *x, const CatRelation *y)
{
    ForeignKeys from = foreign_keys_of(d, x), to = foreign_keys_of(d, y);
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
        bool is_anew = !d->compat && uses_rebuilt(d, x, from.v[i]);
        bool stays = k < to.n && (d->compat || !loses_its_key(d, from.v[i])) && !is_anew;
        if (!stays) {
            constraint_drop(d, from.v[i]);
            if (is_anew)
                d->diff->changes.v[d->diff->changes.n - 1]->rank[0] = RANK_DROP_CODE;
            if (k < to.n)
                taken[k] = false;
        } else {
            if (strcmp(from.v[i]->id.sub, to.v[k]->id.sub) != 0 && !join)
                change_add(d, CHANGE_RENAME, from.v[i], to.v[k], RANK_RENAME_FOREIGN_KEY);
            part_alter(d, from.v[i], to.v[k]);
        }
    }
    for (size_t k = 0; k < to.n; k++) /* the language has no words for PERIOD */
        if (!taken[k] && !(d->in_words && to.v[k]->is_without_overlaps))
            constraint_add(d, to.v[k]);
}
