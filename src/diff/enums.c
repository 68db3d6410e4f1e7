/* Enums: values are added in place; where one goes away the type is made anew. */
#include "diff/diff_int.h"

#include <stdlib.h>

/* Whether the labels that both have stand in the same order. */
static bool
same_order(const CatTexts *x, const CatTexts *y)
{
    size_t k = 0;
    vec_each (const char *, label, y) {
        if (!cat_has_text(x, *label))
            continue;
        while (k < x->n && !cat_has_text(y, x->v[k]))
            k++;
        if (k == x->n || strcmp(x->v[k++], *label) != 0)
            return false;
    }
    return true;
}

bool
enum_is_made_anew(const Differ *d, const CatEnum *x, const CatEnum *y)
{
    vec_each (const char *, label, &x->labels)
        if (!cat_has_text(&y->labels, *label))
            return true;
    /* The order of values in a database is nothing that Prisma's language is asked about. */
    bool counts = !d->compat && (!d->prisma_kinds || d->options->from_is_written);
    return counts && !same_order(&x->labels, &y->labels);
}

static bool
is_of(const CatColumn *c, const CatEnum *e, bool any_schema)
{
    return c->type.schema && strcmp(c->type.name, e->id.name) == 0 &&
           (any_schema || strcmp(c->type.schema, e->id.schema) == 0);
}

static bool
has_default(const Differ *d, const CatRefs *any, const CatColumn *c)
{
    return c->default_expr || (d->compat && refs_have(any, &c->id));
}

static void
add_default(Differ *d, Change *c, const CatColumn *from, const CatColumn *to)
{
    if ((d->compat || !from->generated) && has_default(d, d->diff->from.any_default, from) &&
        is_of(from, (const CatEnum *)c->from, d->compat))
        *vec_add(d->arena, &c->defaults) = (EnumUse){from, to};
}

static int
by_name(const void *x, const void *y)
{
    return strcmp((*(CatColumn *const *)x)->id.sub, (*(CatColumn *const *)y)->id.sub);
}

/* The column changes with that of a parent. */
static bool
is_given(const Differ *d, const CatRelation *t, const CatColumn *column)
{
    return column->is_inherited || (!d->prisma_kinds && column_given(d->from, t, column->id.sub));
}

/* Prisma walks the columns of both sides by name, those of dropped tables before. */
static void
add_uses(Differ *d, Change *c)
{
    const CatEnum *next = (const CatEnum *)c->to;
    vec_each (Pair, p, &d->tables)
        if (!p->to)
            cat_each (CatColumn, column, &p->from->columns)
                add_default(d, c, column, NULL);
    vec_each (Pair, p, &d->tables) {
        if (!p->from || !p->to)
            continue;
        CatColumns sorted = {0};
        cat_each (CatColumn, column, &p->from->columns)
            *vec_add(d->arena, &sorted) = column;
        if (sorted.n)
            qsort(sorted.v, sorted.n, sizeof *sorted.v, by_name);
        vec_each (CatColumn *, column, &sorted)
            if (!catalog_column(p->to, (*column)->id.sub))
                add_default(d, c, *column, NULL);
        vec_each (CatColumn *, column, &sorted) {
            const CatColumn *to = catalog_column(p->to, (*column)->id.sub);
            if (to)
                add_default(d, c, *column,
                            is_of(to, next, d->compat) && to->default_expr ? to : NULL);
        }
    }
    /* Prisma converts also the columns of tables that are not there yet. */
    CatColumns retype = {0};
    vec_each (Pair, p, &d->tables) {
        if (!p->to || (!p->from && !d->compat))
            continue;
        cat_each (CatColumn, column, &p->to->columns) {
            const CatColumn *from = p->from ? catalog_column(p->from, column->id.sub) : NULL;
            if (is_of(column, next, false) &&
                (d->compat || (from && is_of(from, (const CatEnum *)c->from, false) &&
                               !is_given(d, p->from, from) && !from->generated)))
                *vec_add(d->arena, &retype) = column;
        }
    }
    /* In the order of the new side's tables. */
    while (retype.n) {
        size_t least = 0;
        for (size_t i = 1; i < retype.n; i++)
            if (retype.v[i]->ordinal < retype.v[least]->ordinal)
                least = i;
        *vec_add(d->arena, &c->retype) = retype.v[least];
        for (size_t i = least; i + 1 < retype.n; i++)
            retype.v[i] = retype.v[i + 1];
        retype.n--;
    }
}

/* Columns that are dropped, or get another type, have the old one until then. */
static bool
is_used_longer(const Differ *d, const Change *c)
{
    vec_each (Pair, p, &d->tables) {
        if (!p->from)
            continue;
        cat_each (CatColumn, column, &p->from->columns) {
            const CatColumn *to = p->to ? catalog_column(p->to, column->id.sub) : NULL;
            if (is_of(column, (const CatEnum *)c->from, false) &&
                !(to && is_of(to, (const CatEnum *)c->to, false)))
                return true;
        }
    }
    cat_each (CatComposite, t, &d->from->composites)
        cat_each (CatColumn, column, &t->columns)
            if (is_of(column, (const CatEnum *)c->from, false))
                return true;
    return false;
}

static void
drop_old_type_later(Differ *d, Change *c)
{
    CatEnum *old = arena_new(d->arena, CatEnum);
    *old = *(const CatEnum *)c->from;
    old->id.name = catalog_name_with(d->arena, c->to->id.name, "_old");
    c->keeps_old_type = true;
    change_add(d, CHANGE_DROP, old, NULL, RANK_DROP_FUNCTION);
}

/* Between databases types that hold it change with it. In Prisma's language domains and composite types stay as they
 * are, and so would need the old type for ever. */
static void
tell_still_used(Differ *d, Change *c)
{
    const CatEnum *e = (const CatEnum *)c->from;
    cat_each (CatDomain, domain, &d->from->domains)
        if (cat_same_text(domain->type.schema, e->id.schema) &&
            strcmp(domain->type.name, e->id.name) == 0)
            effect_add(d, c, FINDING_DIFF_STILL_USED, &domain->id);
    cat_each (CatComposite, t, &d->from->composites)
        cat_each (CatColumn, column, &t->columns)
            if (is_of(column, e, false)) {
                effect_add(d, c, FINDING_DIFF_STILL_USED, &t->id);
                break;
            }
}

static void
compare(Differ *d, const CatEnum *from, const CatEnum *to)
{
    CatTexts added = {0};
    vec_each (const char *, label, &to->labels)
        if (!cat_has_text(&from->labels, *label))
            *vec_add(d->arena, &added) = *label;
    bool is_anew = enum_is_made_anew(d, from, to);
    if (!added.n && !is_anew) {
        part_alter(d, from, to);
        return;
    }
    Change *c = change_alter(d, from, to);
    c->labels = added;
    c->is_rebuilt = is_anew;
    if (!c->is_rebuilt)
        return;
    add_uses(d, c);
    if (!d->compat && is_used_longer(d, c))
        drop_old_type_later(d, c);
    if (!d->compat && d->prisma_kinds)
        tell_still_used(d, c);
}

void
diff_enums(Differ *d)
{
    cat_each (CatEnum, from, &d->from->enums) {
        CatEnum *to = catalog_find(d->to, from->id);
        if (to)
            compare(d, from, to);
        else
            change_drop(d, from);
    }
    cat_each (CatEnum, to, &d->to->enums)
        if (!catalog_find(d->from, to->id))
            change_create(d, to);
}
