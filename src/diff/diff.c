/* The comparison as a whole. */
#include "diff/diff_int.h"

#include "base/invariant.h"

#include <stdlib.h>

static void
find_owned(Differ *d, Map *map, const Catalog *c)
{
    map_init(map, d->arena);
    cat_each (CatSequence, s, &c->sequences) {
        CatRef id = {CAT_COLUMN, s->owner_table.schema, s->owner_table.name, s->owner_column};
        if (s->owner_column)
            map_put(map, ref_key(d->arena, &id), s);
    }
}

static int
by_ordinal(const void *x, const void *y)
{
    const CatRelation *p = *(CatRelation *const *)x, *q = *(CatRelation *const *)y;
    return (p->ordinal > q->ordinal) - (p->ordinal < q->ordinal);
}

typedef VEC(const CatRelation *) Relations;

static Relations
tables_in_order(Arena *a, const Catalog *c)
{
    Relations all = {0};
    cat_each (CatRelation, r, &c->tables)
        *vec_add(a, &all) = r;
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, by_ordinal);
    return all;
}

/* https://postgis.net/docs/using_raster_dataman.html: Prisma leaves them alone. */
static bool
is_left_alone(const Differ *d, const CatRelation *r)
{
    static const char *const names[] = {"spatial_ref_sys", "geometry_columns", "geography_columns",
                                        "raster_columns", "raster_overviews"};
    for (size_t i = 0; d->prisma_kinds && i < COUNT(names); i++)
        if (str_ieq(str_of(r->id.name), str_of(names[i])))
            return true;
    return false;
}

/* What the language has no words for, and the other side does not have. */
static bool
is_unknown(const Differ *d, const CatRelation *r, const Catalog *other)
{
    return d->in_words && !words_know_table(r) &&
           !catalog_relation(other, r->id.schema, r->id.name);
}

static void
pair_tables(Differ *d)
{
    map_init(&d->pair_of, d->arena);
    Relations from = tables_in_order(d->arena, d->from), to = tables_in_order(d->arena, d->to);
    vec_each (const CatRelation *, r, &from) {
        if (is_left_alone(d, *r) || is_unknown(d, *r, d->to))
            continue;
        *vec_add(d->arena, &d->tables) = (Pair){.from = *r};
        map_put(&d->pair_of, name_key(d->arena, (*r)->id.schema, (*r)->id.name),
                (void *)(uintptr_t)d->tables.n);
    }
    vec_each (const CatRelation *, r, &to) {
        if (is_left_alone(d, *r) || is_unknown(d, *r, d->from))
            continue;
        uintptr_t i =
            (uintptr_t)map_get(&d->pair_of, name_key(d->arena, (*r)->id.schema, (*r)->id.name));
        if (i)
            d->tables.v[i - 1].to = *r;
        else
            *vec_add(d->arena, &d->tables) = (Pair){.to = *r};
    }
}

/* What an object of `to` was before, also where that made room under another name. */
static const CatObject *
find_before(const Differ *d, CatRef id)
{
    vec_each (const CatRename, x, &d->diff->renamed)
        if (cat_ref_cmp(&x->from, &id) == 0)
            return catalog_find(d->from, (CatRef){id.kind, id.schema, x->to, NULL});
    return catalog_find(d->from, id);
}

/* What is dropped and made again is nobody's wish: its owner and its privileges stay. */
static void
keep_access(Differ *d)
{
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if (c->op == CHANGE_CREATE || c->is_rebuilt)
            c->kept = find_before(d, c->to->id);
    }
}

Diff *
diff_catalogs(Arena *a, const DiffSide *from, const DiffSide *to, const DiffOptions *options)
{
    INVARIANT(from->catalog && to->catalog, "a side without a catalog");
    Diff *diff = arena_new(a, Diff);
    *diff = (Diff){.arena = a, .from = *from, .to = *to};
    if (options)
        diff->options = *options;
    Differ d = {.arena = a,
                .diff = diff,
                .from = from->catalog,
                .to = to->catalog,
                .options = &diff->options,
                .compat = diff->options.prisma_compat,
                .prisma_kinds = diff->options.prisma_compat || diff->options.prisma_kinds};
    if (diff->options.rules)
        d.rules = *diff->options.rules;
    d.in_words = d.prisma_kinds && !d.compat && !diff->options.from_is_written;
    diff_renames(&d);
    diff_partitions(&d);
    diff_not_nulls(&d);
    map_init(&d.remade, a);
    map_init(&d.gone, a);
    map_init(&d.index_names, a);
    map_init(&d.recreated, a);
    find_owned(&d, &d.owned_from, d.from);
    find_owned(&d, &d.owned_to, d.to);
    pair_tables(&d);
    diff_enums(&d);
    diff_schemas(&d);
    diff_extensions(&d);
    if (!d.prisma_kinds) {
        diff_domains(&d);
        diff_composites(&d);
        diff_plain(&d);
        diff_shells(&d);
        diff_views(&d);
    }
    diff_tables(&d);
    if (!d.compat) {
        diff_sequences(&d);
        diff_remade(&d);
        diff_code(&d);
        diff_let_go(&d);
        if (!d.prisma_kinds)
            constraints_tell_children(&d);
        diff_used(&d);
    }
    if (!d.compat)
        diff_refuse(&d);
    if (!d.compat)
        diff_outside(&d);
    if (d.rules.ignore_grants && !d.compat)
        keep_access(&d);
    diff_effects(&d);
    diff_order(&d);
    return diff;
}
