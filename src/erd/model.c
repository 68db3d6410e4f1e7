/* A catalog as tables and joins. */
#include "erd/erd_int.h"

#include "base/map.h"

#include <stdlib.h>

static Str
key_of(Arena *a, const char *schema, const char *name)
{
    return str_of(str_fmt(a, "%s\n%s", schema ? schema : "", name));
}

static bool
is_in_key(const CatRelation *t, const char *column, CatConstraintType type)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == type && cat_has_text(&k->columns, column))
            return true;
    return false;
}

static bool
is_nullable(const CatRelation *t, const CatColumn *c)
{
    return !c->is_not_null && !is_in_key(t, c->id.sub, CAT_PRIMARY_KEY);
}

/* As people say it: what SQL's standard says with many words. */
static const char *
short_type(Arena *a, const CatType *of)
{
    const char *type = of->text;
    static const char *const words[][2] = {{"character varying", "varchar"},
                                           {"character", "char"},
                                           {"double precision", "float8"},
                                           {" without time zone", ""}};
    const char *zone = strstr(type, " with time zone");
    if (of->schema && of->name) /* not of PostgreSQL's own: its name, without the schema */
        return str_fmt(a, "%s%s%s%s%s", of->name, of->args ? "(" : "", of->args ? of->args : "",
                       of->args ? ")" : "", of->is_array ? "[]" : "");
    Buf b;
    buf_init(&b, a);
    if (zone) { /* timestamp(3) with time zone */
        size_t word = strcspn(type, "( ");
        buf_fmt(&b, "%.*stz%.*s%s", (int)word, type, (int)((size_t)(zone - type) - word),
                type + word, zone + strlen(" with time zone"));
        return b.p;
    }
    for (size_t i = 0; i < COUNT(words); i++) {
        const char *at = strstr(type, words[i][0]);
        if (!at)
            continue;
        buf_fmt(&b, "%.*s%s%s", (int)(at - type), type, words[i][1], at + strlen(words[i][0]));
        return b.p;
    }
    return type;
}

static void
add_column(Erd *e, ErdBox *box, const CatRelation *t, const CatColumn *c)
{
    *vec_add(e->arena, &box->rows) =
        (ErdRow){.name = c->id.sub,
                 .type = short_type(e->arena, &c->type),
                 .is_key = is_in_key(t, c->id.sub, CAT_PRIMARY_KEY),
                 .is_foreign = is_in_key(t, c->id.sub, CAT_FOREIGN_KEY),
                 .is_nullable = is_nullable(t, c)};
}

static bool
holds(const CatTexts *some, const CatTexts *all)
{
    vec_each (const char *, text, some)
        if (!cat_has_text(all, *text))
            return false;
    return some->n > 0;
}

/* At most one row for each of the other table: a key or unique index lies within its columns. */
static bool
is_single(const CatRelation *t, const CatConstraint *fk)
{
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) &&
            holds(&k->columns, &fk->columns))
            return true;
    cat_each (CatIndex, i, &t->indexes) {
        bool within = i->is_unique && !i->predicate && i->keys.n;
        vec_each (const CatKey, k, &i->keys)
            within = within && k->column && cat_has_text(&fk->columns, k->column);
        if (within)
            return true;
    }
    return false;
}

static int
row_of(const ErdBox *box, const char *column)
{
    for (size_t i = 0; i < box->rows.n; i++)
        if (!box->rows.v[i].is_part && strcmp(box->rows.v[i].name, column) == 0)
            return (int)i;
    return -1;
}

/* Rows of joins, from their columns: again whenever rows have gone. */
void
erd_find_rows(Erd *e)
{
    vec_each (ErdJoin, j, &e->joins) {
        j->from_row = j->from_columns.n ? row_of(&e->boxes.v[j->from], j->from_columns.v[0]) : -1;
        j->to_row = j->to_columns.n ? row_of(&e->boxes.v[j->to], j->to_columns.v[0]) : -1;
    }
}

static void
add_join(Erd *e, const Map *boxes, size_t from, const CatRelation *t, const CatConstraint *k)
{
    const void *at = map_get(boxes, key_of(e->arena, k->ref_table.schema, k->ref_table.name));
    if (k->type != CAT_FOREIGN_KEY || !at)
        return;
    vec_each (ErdJoin, j, &e->joins) /* of the other side, which has it, too */
        if (j->from == from && strcmp(j->name, k->id.sub) == 0)
            return;
    *vec_add(e->arena, &e->joins) = (ErdJoin){.name = k->id.sub,
                                              .from = from,
                                              .to = (uintptr_t)at - 1,
                                              .from_columns = {k->columns.v, k->columns.n, 0},
                                              .to_columns = {k->ref_columns.v, k->ref_columns.n, 0},
                                              .is_single = is_single(t, k)};
}

static int
by_name(const void *x, const void *y)
{
    const CatRelation *p = *(const CatRelation *const *)x, *q = *(const CatRelation *const *)y;
    return cat_ref_cmp(&p->id, &q->id);
}

static const CatColumn *
column_of(const CatRelation *t, const char *name)
{
    return t ? catalog_column(t, name) : NULL;
}

/* Both sides of a table in one list: the old columns that are gone stand behind the new ones. */
static void
add_table(Erd *e, const CatRelation *t, const CatRelation *old)
{
    ErdBox *box = vec_add(e->arena, &e->boxes);
    *box = (ErdBox){.schema = t->id.schema, .name = t->id.name, .comment = t->comment};
    cat_each (CatColumn, c, &t->columns)
        add_column(e, box, t, c);
    if (old)
        cat_each (CatColumn, c, &old->columns)
            if (!column_of(t, c->id.sub))
                add_column(e, box, old, c);
}

void
erd_add_tables(Erd *e, const Catalog *c, const Catalog *old)
{
    VEC(const CatRelation *) all = {0};
    Map boxes;
    map_init(&boxes, e->arena);
    cat_each (CatRelation, t, &c->tables)
        if (!t->partition_of.name)
            *vec_add(e->arena, &all) = t;
    if (old)
        cat_each (CatRelation, t, &old->tables)
            if (!t->partition_of.name && !catalog_find(c, t->id))
                *vec_add(e->arena, &all) = t;
    if (all.n)
        qsort(all.v, all.n, sizeof(*all.v), by_name);
    vec_each (const CatRelation *, t, &all) {
        const CatRelation *was = old ? catalog_find(old, (*t)->id) : NULL;
        add_table(e, *t, was == *t ? NULL : was);
        map_put(&boxes, key_of(e->arena, (*t)->id.schema, (*t)->id.name), (void *)e->boxes.n);
    }
    for (size_t i = 0; i < all.n; i++) {
        const CatRelation *t = all.v[i], *was = old ? catalog_find(old, t->id) : NULL;
        cat_each (CatConstraint, k, &t->constraints)
            add_join(e, &boxes, i, t, k);
        if (was)
            cat_each (CatConstraint, k, &was->constraints)
                add_join(e, &boxes, i, was, k);
    }
}

Erd *
erd_of_catalog(Arena *a, const Catalog *c)
{
    Erd *e = arena_new(a, Erd);
    e->arena = a;
    erd_add_tables(e, c, NULL);
    erd_find_rows(e);
    return e;
}
