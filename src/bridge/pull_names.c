/* What there is, and what it is called. */
#include "bridge/pull_int.h"

#include <ctype.h>
#include <stdlib.h>

Str
pull_key(PullCtx *c, const char *schema, const char *name)
{
    Buf b;
    buf_init(&b, c->a);
    buf_addz(&b, schema ? schema : c->schema);
    buf_addc(&b, '\0');
    buf_addz(&b, name);
    return buf_finish(&b);
}

PullModel *
pull_model(PullCtx *c, const char *schema, const char *name)
{
    return map_get(&c->models_by_table, pull_key(c, schema, name));
}

PullField *
pull_field(PullModel *m, const char *column)
{
    vec_each (PullField, f, &m->fields)
        if (strcmp(f->column->id.sub, column) == 0)
            return f;
    return NULL;
}

/* ---- names --------------------------------------------------------------------------------- */

/* Every character that the language refuses as an underscore. */
static Str
replaced(PullCtx *c, const char *name)
{
    Buf b;
    buf_init(&b, c->a);
    for (const char *p = name; *p; p++)
        if (isalnum((unsigned char)*p) && (unsigned char)*p < 0x80)
            buf_addc(&b, *p);
        else if (((unsigned char)*p & 0xc0) != 0x80)
            buf_addc(&b, '_');
    return buf_finish(&b);
}

/* Without what no name begins with; may be empty. */
static const char *
clean(PullCtx *c, const char *name)
{
    Str s = replaced(c, name);
    const char *p = s.p;
    while (*p && !isalpha((unsigned char)*p))
        p++;
    return p;
}

static const char *
numbered(PullCtx *c, const char *name, const Map *taken)
{
    const char *wish = name;
    for (unsigned i = 2; map_has(taken, str_of(wish)); i++)
        wish = str_fmt(c->a, "%s_%u", name, i);
    return wish;
}

const char *
pull_free_name(PullCtx *c, const PullModel *m, const char *wish)
{
    Map taken;
    map_init(&taken, c->a);
    vec_each (const PullField, f, &m->fields)
        map_put(&taken, str_of(f->name), &taken);
    vec_each (const PullField, f, &m->relations)
        map_put(&taken, str_of(f->name), &taken);
    return numbered(c, wish, &taken);
}

/* ---- models and enums ---------------------------------------------------------------------- */

static const CatConstraint *
foreign_key_of(const CatRelation *t, const char *column)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_FOREIGN_KEY && k->columns.n == 1 && strcmp(k->columns.v[0], column) == 0)
            return k;
    return NULL;
}

static bool
is_pair(const CatTexts *columns)
{
    return columns->n == 2 && strcmp(columns->v[0], "A") == 0 && strcmp(columns->v[1], "B") == 0;
}

static bool
has_join_keys(const CatRelation *t)
{
    bool pair = false, single = false;
    cat_each (CatConstraint, k, &t->constraints)
        pair =
            pair || ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) && is_pair(&k->columns));
    cat_each (CatIndex, i, &t->indexes) {
        if (i->is_unique && i->keys.n == 2 && i->keys.v[0].column && i->keys.v[1].column)
            pair = pair || is_pair(&(CatTexts){
                               (const char *[]){i->keys.v[0].column, i->keys.v[1].column}, 2, 2});
        if (!i->is_unique && i->keys.n == 1 && i->keys.v[0].column)
            single = single || strcmp(i->keys.v[0].column, "B") == 0;
    }
    return pair && single;
}

/* The table behind an implicit many-to-many relation. */
bool
pull_is_join_table(PullCtx *c, const CatRelation *t)
{
    if (t->id.name[0] != '_' || t->columns.n != 2 || !catalog_column(t, "A") ||
        !catalog_column(t, "B") || !has_join_keys(t))
        return false;
    for (size_t i = 0; i < c->old->nrelations && c->keeps; i++) {
        const PslRelation *r = c->old->relations[i];
        if (r->kind == PSL_MANY_TO_MANY && str_is(r->constraint, t->id.name))
            return true;
    }
    const CatConstraint *x = foreign_key_of(t, "A"), *y = foreign_key_of(t, "B");
    return x && y && t->constraints.n <= 3 && strcmp(x->ref_table.name, y->ref_table.name) <= 0 &&
           strcmp(clean(c, x->ref_table.name), clean(c, y->ref_table.name)) <= 0 &&
           catalog_relation(c->catalog, x->ref_table.schema, x->ref_table.name) &&
           catalog_relation(c->catalog, y->ref_table.schema, y->ref_table.name);
}

static void
find_old(PullCtx *c, Map *models, Map *enums)
{
    map_init(models, c->a);
    map_init(enums, c->a);
    for (size_t i = 0; i < c->old->nmodels && c->keeps; i++) {
        PslModel *m = c->old->models[i];
        const char *schema = m->schema.n ? str_dup(c->a, m->schema) : NULL;
        map_put(models, pull_key(c, schema, str_dup(c->a, m->table)), m);
    }
    for (size_t i = 0; i < c->old->nenums && c->keeps; i++) {
        PslEnum *e = c->old->enums[i];
        const char *schema = e->schema.n ? str_dup(c->a, e->schema) : NULL;
        map_put(enums, pull_key(c, schema, str_dup(c->a, e->db_name)), e);
    }
}

static void
add_models(PullCtx *c, const Map *old)
{
    for (int views = 0; views <= (c->has_views ? 1 : 0); views++) {
        CatRelation **at = views ? c->catalog->views.v : c->catalog->tables.v;
        size_t n = views ? c->catalog->views.n : c->catalog->tables.n;
        for (size_t i = 0; i < n; i++) {
            const CatRelation *t = at[i];
            if (t->id.kind == CAT_MATVIEW || t->partition_of.name ||
                (!views && pull_is_join_table(c, t)))
                continue;
            PullModel *m = arena_new(c->a, PullModel);
            Str key = pull_key(c, t->id.schema, t->id.name);
            *m = (PullModel){.table = t, .old = map_get(old, key)};
            if (m->old && m->old->is_view != (views == 1))
                m->old = NULL;
            if (m->old)
                m->old_table = catalog_relation(c->old_bridge.catalog, t->id.schema, t->id.name);
            *vec_add(c->a, &c->models) = m;
            map_put(&c->models_by_table, key, m);
        }
    }
}

static bool
is_used_by_prisma(Str name)
{
    return psl_scalar_of(name, NULL) || psl_is_reserved(name);
}

/* A name of one word for a model or an enum. */
static const char *
first_name(PullCtx *c, const char *name, bool *ret_reserved)
{
    const char *wish = clean(c, name);
    *ret_reserved = is_used_by_prisma(str_of(wish));
    return *ret_reserved ? str_fmt(c->a, "Renamed%s", wish) : wish;
}

static const char *
longer_name(PullCtx *c, const CatRef *id)
{
    return clean(c, str_fmt(c->a, "%s_" STR_FMT, id->schema, STR_ARG(replaced(c, id->name))));
}

static void
count_up(Map *map, const char *name)
{
    map_put(map, str_of(name), (void *)((uintptr_t)map_get(map, str_of(name)) + 1));
}

/* Names of old models stay; of the others that want the same, each gets its schema in front. */
static void
name_models(PullCtx *c)
{
    Map wishes, taken;
    map_init(&wishes, c->a);
    map_init(&taken, c->a);
    vec_each (PullModel *, m, &c->models) {
        (*m)->plain_name = first_name(c, (*m)->table->id.name, &(*m)->is_renamed_reserved);
        (*m)->name = (*m)->old ? str_dup(c->a, (*m)->old->name) : (*m)->plain_name;
        (*m)->is_renamed_reserved = (*m)->is_renamed_reserved && !(*m)->old;
        count_up(&wishes, (*m)->name);
        if ((*m)->old)
            map_put(&taken, str_of((*m)->name), *m);
    }
    vec_each (PullEnum *, e, &c->enums) {
        (*e)->name = first_name(c, (*e)->type->id.name, &(*e)->is_renamed_reserved);
        if ((*e)->old) {
            (*e)->name = str_dup(c->a, (*e)->old->name);
            (*e)->is_renamed_reserved = false;
        }
        count_up(&wishes, (*e)->name);
        if ((*e)->old)
            map_put(&taken, str_of((*e)->name), *e);
    }
    vec_each (PullModel *, m, &c->models) {
        if ((*m)->old)
            continue;
        if (!*(*m)->name || (uintptr_t)map_get(&wishes, str_of((*m)->name)) > 1) {
            (*m)->name = longer_name(c, &(*m)->table->id);
            (*m)->is_duplicate = true;
            (*m)->is_renamed_reserved = false;
        }
        (*m)->name = numbered(c, *(*m)->name ? (*m)->name : "model", &taken);
        map_put(&taken, str_of((*m)->name), *m);
    }
    vec_each (PullModel *, m, &c->models) {
        if (!*(*m)->plain_name)
            (*m)->plain_name = (*m)->name;
        map_put(&c->models_by_name, str_of((*m)->name), *m);
    }
    vec_each (PullEnum *, e, &c->enums) {
        if ((*e)->old)
            continue;
        if (!*(*e)->name || (uintptr_t)map_get(&wishes, str_of((*e)->name)) > 1) {
            (*e)->name = longer_name(c, &(*e)->type->id);
            (*e)->is_duplicate = true;
            (*e)->is_renamed_reserved = false;
        }
        (*e)->name = numbered(c, *(*e)->name ? (*e)->name : "enum", &taken);
        map_put(&taken, str_of((*e)->name), *e);
    }
}

/* ---- fields and values --------------------------------------------------------------------- */

static const PslModelField *
old_field(const PslModel *m, const char *column)
{
    for (size_t i = 0; m && i < m->nfields; i++)
        if (m->fields[i].kind != PSL_FIELD_RELATION && str_is(m->fields[i].column, column))
            return &m->fields[i];
    return NULL;
}

static void
name_fields(PullCtx *c, PullModel *m)
{
    Map taken;
    map_init(&taken, c->a);
    for (size_t i = 0; m->old && i < m->old->nfields; i++)
        map_put(&taken, m->old->fields[i].name, m);
    cat_each (CatColumn, k, &m->table->columns) {
        const PslModelField *old = old_field(m->old, k->id.sub);
        *vec_add(c->a, &m->fields) = (PullField){
            .column = k, .old = old, .name = old ? str_dup(c->a, old->name) : clean(c, k->id.sub)};
    }
    /* Who is called so in the database comes before who is only called alike. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < m->fields.n; i++) {
            PullField *f = &m->fields.v[i];
            bool plain = strcmp(f->name, f->column->id.sub) == 0;
            if (f->old || plain != (pass == 0))
                continue;
            if (!*f->name)
                f->name = str_fmt(c->a, "column_%zu", i + 1);
            f->name = numbered(c, f->name, &taken);
            map_put(&taken, str_of(f->name), m);
        }
}

static void
name_values(PullCtx *c, PullEnum *e)
{
    Map taken;
    map_init(&taken, c->a);
    for (size_t i = 0; e->old && i < e->old->nvalues; i++)
        map_put(&taken, e->old->values[i].name, e);
    vec_each (const char *, label, &e->type->labels)
        *vec_add(c->a, &e->values) = NULL;
    for (size_t i = 0; i < e->values.n; i++)
        for (size_t k = 0; e->old && k < e->old->nvalues; k++)
            if (str_is(e->old->values[k].db_name, e->type->labels.v[i]))
                e->values.v[i] = str_dup(c->a, e->old->values[k].name);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < e->values.n; i++) {
            const char *label = e->type->labels.v[i], *name = clean(c, label);
            if (e->values.v[i] || (strcmp(name, label) == 0) != (pass == 0))
                continue;
            if (!*name)
                name = *label ? str_fmt(c->a, "value_%zu", i + 1) : "EMPTY_ENUM_VALUE";
            e->values.v[i] = numbered(c, name, &taken);
            map_put(&taken, str_of(e->values.v[i]), e);
        }
}

void
pull_collect(PullCtx *c)
{
    Map models, enums;
    find_old(c, &models, &enums);
    map_init(&c->models_by_table, c->a);
    map_init(&c->enums_by_type, c->a);
    map_init(&c->models_by_name, c->a);
    add_models(c, &models);
    cat_each (CatEnum, t, &c->catalog->enums) {
        PullEnum *e = arena_new(c->a, PullEnum);
        Str key = pull_key(c, t->id.schema, t->id.name);
        *e = (PullEnum){.type = t, .old = map_get(&enums, key)};
        *vec_add(c->a, &c->enums) = e;
        map_put(&c->enums_by_type, key, e);
    }
    name_models(c);
    vec_each (PullEnum *, e, &c->enums)
        name_values(c, *e);
    vec_each (PullModel *, m, &c->models)
        name_fields(c, *m);
}
