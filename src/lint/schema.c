/* The schema behind each statement. */
#include "lint/lint_int.h"

#include <string.h>

static Str
key_of(Arena *a, const char *schema, const char *name)
{
    return str_of(str_fmt(a, "%s.%s", schema, name));
}

void *
lint_lookup(const LintSchema *s, const Map *map, SqlName name)
{
    ARENA_LOCAL(scratch);
    return map_get(map, key_of(scratch, *name.schema ? name.schema : s->usual, name.name));
}

void
lint_remember(const LintSchema *s, Map *map, const char *schema, const char *name, void *value)
{
    map_put(map, key_of(s->arena, schema ? schema : s->usual, name), value);
}

CatRelation *
lint_relation(const LintSchema *s, SqlName name)
{
    return *name.name ? lint_lookup(s, &s->relations, name) : NULL;
}

LintIndexAt *
lint_index(const LintSchema *s, SqlName name)
{
    return *name.name ? lint_lookup(s, &s->indexes, name) : NULL;
}

void
lint_remember_index(LintSchema *s, CatRelation *t, CatIndex *index)
{
    LintIndexAt *at = arena_new(s->arena, LintIndexAt);
    *at = (LintIndexAt){t, index};
    lint_remember(s, &s->indexes, index->id.schema, index->id.name, at);
}

/* ---- from a catalog ----------------------------------------------------------------------------- */

/* Parts are changed here, and the catalog is somebody else's. */
#define COPY_PARTS(arena, list, T)                                                                 \
    do {                                                                                           \
        __typeof__(list) parts = (list);                                                           \
        (list).v = NULL, (list).n = (list).cap = 0;                                                \
        for (size_t i = 0; i < parts.n; i++) {                                                     \
            T *part = arena_new(arena, T);                                                         \
            *part = *parts.v[i];                                                                   \
            *vec_add(arena, &(list)) = part;                                                       \
        }                                                                                          \
    } while (0)

static void
take_relation(LintSchema *s, const CatRelation *from)
{
    Arena *a = s->arena;
    CatRelation *t = arena_new(a, CatRelation);
    *t = *from;
    COPY_PARTS(a, t->columns, CatColumn);
    COPY_PARTS(a, t->constraints, CatConstraint);
    COPY_PARTS(a, t->indexes, CatIndex);
    lint_remember(s, &s->relations, t->id.schema, t->id.name, t);
    cat_each (CatIndex, index, &t->indexes)
        lint_remember_index(s, t, index);
    if (t->id.kind == CAT_TABLE)
        *vec_add(a, &s->catalog->tables) = t;
    else
        *vec_add(a, &s->catalog->views) = t;
}

static void
take_catalog(LintSchema *s, const Catalog *before)
{
    s->catalog->count = before->count;
    cat_each (CatRelation, t, &before->tables)
        take_relation(s, t);
    cat_each (CatRelation, v, &before->views)
        take_relation(s, v);
    cat_each (CatEnum, from, &before->enums) {
        CatEnum *e = arena_new(s->arena, CatEnum);
        *e = *from;
        e->labels = (CatTexts){0};
        vec_each (const char *const, label, &from->labels)
            *vec_add(s->arena, &e->labels) = *label;
        lint_remember(s, &s->enums, e->id.schema, e->id.name, e);
    }
    cat_each (CatDomain, d, &before->domains)
        lint_remember(s, &s->domains, d->id.schema, d->id.name, d);
    cat_each (CatFunction, f, &before->functions) {
        bool is_steady = str_contains(str_of(f->definition), STR("IMMUTABLE")) ||
                         str_contains(str_of(f->definition), STR("STABLE"));
        map_put(&s->steady, str_of(f->id.name), is_steady ? s : NULL);
    }
}

void
lint_schema_init(LintSchema *s, Arena *a, const char *usual, const Catalog *before)
{
    *s = (LintSchema){.arena = a, .usual = usual, .catalog = catalog_new(a)};
    map_init(&s->relations, a);
    map_init(&s->indexes, a);
    map_init(&s->enums, a);
    map_init(&s->domains, a);
    map_init(&s->steady, a);
    if (before)
        take_catalog(s, before);
}

/* ---- looking ------------------------------------------------------------------------------------- */

bool
lint_is_proven_not_null(const CatRelation *t, const char *column)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_CHECK && !k->is_not_valid && !k->is_not_enforced &&
            cat_has_text(&k->set_columns, column))
            return true;
    return false;
}

void
lint_each_key_to(const LintSchema *s, const CatRelation *to, LintKeyFn *fn, void *arg)
{
    cat_each (CatRelation, t, &s->catalog->tables) {
        cat_each (CatConstraint, k, &t->constraints)
            if (k->type == CAT_FOREIGN_KEY && cat_same_text(k->ref_table.name, to->id.name) &&
                cat_same_text(k->ref_table.schema, to->id.schema))
                fn(arg, t, k);
    }
}

const char *
lint_constraint_name(Arena *a, const SqlAction *x)
{
    if (*x->name)
        return x->name;
    if (*x->index)
        return x->index;
    const char *first = x->columns.n ? x->columns.v[0] : "";
    const char *ending = x->constraint == 'p'   ? "pkey"
                         : x->constraint == 'u' ? "key"
                         : x->constraint == 'x' ? "excl"
                         : x->constraint == 'f' ? "fkey"
                                                : "check";
    if (x->constraint == 'p' || !*first)
        return str_fmt(a, "%s_%s", x->on.name, ending);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, x->on.name);
    vec_each (const char *const, column, &x->columns)
        buf_fmt(&b, "_%s", *column);
    buf_fmt(&b, "_%s", ending);
    return b.p;
}
