/* The catalogs between which the dump's two comparisons run. */
#include "backup/native_int.h"

/* The schema of a new database: public, as initdb makes it. */
Catalog *
native_new_database(Arena *a, const char *owner)
{
    Catalog *c = catalog_new(a);
    CatSchema *public = catalog_add(c, CAT_SCHEMA, NULL, "public");
    public->owner = owner;
    catalog_finish(c);
    return c;
}

static bool
is_kept(const Map *keys, const Catalog *c, const CatRelation *t)
{
    ARENA_LOCAL(scratch);
    for (; t; t = t->partition_of.name
                      ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
                      : NULL)
        if (map_has(keys, str_of(str_fmt(scratch, "%s%c%s", t->id.schema, 1, t->id.name))))
            return true;
    return false;
}

/* A table as it is while its rows come in. Checks stay: they are part of CREATE TABLE. */
static CatRelation *
bare_table(Arena *a, const CatRelation *t, bool keeps_key)
{
    CatRelation *bare = arena_new(a, CatRelation);
    *bare = *t;
    memset(&bare->constraints, 0, sizeof bare->constraints);
    memset(&bare->indexes, 0, sizeof bare->indexes);
    memset(&bare->triggers, 0, sizeof bare->triggers);
    memset(&bare->rules, 0, sizeof bare->rules);
    memset(&bare->policies, 0, sizeof bare->policies);
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_CHECK && !k->is_not_valid) || (keeps_key && k->type == CAT_PRIMARY_KEY))
            *vec_add(a, &bare->constraints) = k;
    memset(&bare->columns, 0, sizeof bare->columns);
    cat_each (CatColumn, k, &t->columns) {
        CatColumn *column = arena_new(a, CatColumn);
        *column = *k;
        if (k->is_not_null_unchecked) /* rows may have NULL */
            column->is_not_null = column->is_not_null_unchecked = false;
        *vec_add(a, &bare->columns) = column;
    }
    bare->is_rls = bare->is_rls_forced = false;
    bare->replica_index = bare->cluster_index = NULL;
    bare->replica_identity = 0;
    return bare;
}

static bool
is_behind_data(CatKind kind)
{
    return kind == CAT_STATISTICS || kind == CAT_PUBLICATION || kind == CAT_PUBLISHED ||
           kind == CAT_DEFAULT_ACL;
}

/* The catalog without what would act on what the dump's last statements do. */
Catalog *
native_before_end(Arena *a, const Catalog *full)
{
    Catalog *c = catalog_new(a);
    Catalog copy = *full;
    copy.arena = a;
    copy.index = c->index;
    memset(&copy.objects, 0, sizeof copy.objects);
    memset(&copy.defined, 0, sizeof copy.defined);
    *c = copy;
    cat_each (CatDefined, o, &full->defined)
        if (o->id.kind != CAT_EVENT_TRIGGER)
            *vec_add(a, &c->defined) = o;
    catalog_finish(c);
    return c;
}

/* The catalog without what comes behind the data. */
Catalog *
native_before_data(Arena *a, const Catalog *full, const Map *keys)
{
    Catalog *c = catalog_new(a);
    Catalog copy = *full;
    copy.arena = a;
    copy.index = c->index;
    memset(&copy.objects, 0, sizeof copy.objects);
    memset(&copy.tables, 0, sizeof copy.tables);
    memset(&copy.views, 0, sizeof copy.views);
    memset(&copy.defined, 0, sizeof copy.defined);
    *c = copy;
    cat_each (CatDefined, o, &full->defined)
        if (!is_behind_data(o->id.kind))
            *vec_add(a, &c->defined) = o;
    cat_each (CatRelation, t, &full->tables)
        *vec_add(a, &c->tables) = bare_table(a, t, is_kept(keys, full, t));
    cat_each (CatRelation, v, &full->views)
        *vec_add(a, &c->views) = bare_table(a, v, false);
    catalog_finish(c);
    return c;
}
