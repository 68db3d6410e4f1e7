/* The catalog as JSON and as what caches hold. */
#include "catalog/catalog_int.h"

#include "base/jw.h"

#include <stdlib.h>

typedef struct Writer {
    JsonWriter jw;
    Arena *scratch;
    const CatRules *rules;
} Writer;

static void
put_texts(JsonWriter *w, const char *key, CatTexts texts)
{
    if (!texts.n)
        return;
    jw_array(w, key);
    for (size_t i = 0; i < texts.n; i++)
        jw_strz(w, NULL, texts.v[i]);
    jw_end(w);
}

/* ["schema", "name"] or ["name"] */
static void
put_name(JsonWriter *w, const char *key, const CatName *name)
{
    if (!name->name)
        return;
    jw_array(w, key);
    if (name->schema)
        jw_strz(w, NULL, name->schema);
    jw_strz(w, NULL, name->name);
    jw_end(w);
}

static void
put_text(JsonWriter *w, const char *key, const char *text)
{
    if (text)
        jw_strz(w, key, text);
}

static void
put_flag(JsonWriter *w, const char *key, bool yes)
{
    if (yes)
        jw_bool(w, key, yes);
}

static void
put_keys(JsonWriter *w, const char *key, const CatKeys *keys)
{
    if (!keys->n)
        return;
    jw_array(w, key);
    vec_each (CatKey, k, keys) {
        jw_object(w, NULL);
        put_text(w, "column", k->column);
        put_text(w, "expr", k->expr);
        put_name(w, "collation", &k->collation);
        put_name(w, "opclass", &k->opclass);
        put_text(w, "opclass_args", k->opclass_args);
        put_text(w, "op", k->op);
        put_flag(w, "is_desc", k->is_desc);
        put_flag(w, "is_nulls_reversed", k->is_nulls_reversed);
        jw_end(w);
    }
    jw_end(w);
}

static void
put_grants(JsonWriter *w, const char *key, CatGrants grants)
{
    if (!grants.n)
        return;
    jw_array(w, key);
    for (size_t i = 0; i < grants.n; i++) {
        jw_array(w, NULL);
        jw_strz(w, NULL, grants.v[i].role);
        jw_strz(w, NULL, grants.v[i].privileges);
        jw_end(w);
    }
    jw_end(w);
}

/* ["table", "schema", "name", "sub"], "" for NULL */
static void
put_refs(JsonWriter *w, const char *key, const CatRefs *refs)
{
    if (!refs->n)
        return;
    jw_array(w, key);
    vec_each (CatRef, r, refs) {
        jw_array(w, NULL);
        jw_strz(w, NULL, cat_kind_name(r->kind));
        jw_strz(w, NULL, r->schema ? r->schema : "");
        jw_strz(w, NULL, r->name);
        if (r->sub)
            jw_strz(w, NULL, r->sub);
        jw_end(w);
    }
    jw_end(w);
}

static void
put_field(Writer *w, const Field *f, const CatObject *o)
{
    JsonWriter *j = &w->jw;
    const void *p = field_at(o, f);
    if (!cat_field_counts(f, o, w->rules))
        return;
    switch (f->type) {
    case FIELD_TEXT: {
        const char *text = *(const char *const *)p;
        put_text(j, f->name, f->is_role ? cat_role_of(w->rules, text) : text);
        break;
    }
    case FIELD_BOOL:
        put_flag(j, f->name, *(const bool *)p);
        break;
    case FIELD_CHAR:
        if (*(const char *)p)
            jw_str(j, f->name, (Str){p, 1});
        break;
    case FIELD_INT:
        jw_int(j, f->name, *(const int64_t *)p);
        break;
    case FIELD_ENUM:
        if (*(const int *)p)
            jw_strz(j, f->name, f->words[*(const int *)p]);
        break;
    case FIELD_NAME:
        put_name(j, f->name, p);
        break;
    case FIELD_TYPE:
        put_text(j, f->name, ((const CatType *)p)->text);
        break;
    case FIELD_TEXTS: {
        CatTexts texts = *(const CatTexts *)p;
        put_texts(j, f->name, f->is_role ? cat_roles_of(w->scratch, w->rules, texts) : texts);
        break;
    }
    case FIELD_NAMES: {
        const CatNames *names = p;
        if (!names->n)
            break;
        jw_array(j, f->name);
        vec_each (CatName, name, names)
            put_name(j, NULL, name);
        jw_end(j);
        break;
    }
    case FIELD_KEYS:
        put_keys(j, f->name, p);
        break;
    case FIELD_GRANTS:
        put_grants(j, f->name, cat_grants_of(w->scratch, w->rules, *(const CatGrants *)p));
        break;
    case FIELD_REFS:
        put_refs(j, f->name, p);
        break;
    }
}

static int
by_sub(const void *x, const void *y)
{
    CatObject *p, *q;
    memcpy(&p, x, sizeof p);
    memcpy(&q, y, sizeof q);
    return cat_text_cmp(p->id.sub, q->id.sub);
}

static void put_object(Writer *w, const CatObject *o, bool is_part);

static void
put_parts(Writer *w, const CatObject *o, const ListInfo *info)
{
    ObjectList list = *list_at(o, info);
    if (!list.n)
        return;
    /* The columns of a view stand as its query says. */
    if (info->kind == CAT_COLUMN && w->rules && w->rules->ignore_column_order &&
        (o->id.kind == CAT_TABLE || o->id.kind == CAT_COMPOSITE)) {
        void *copy = arena_alloc(w->scratch, list.n * sizeof o);
        memcpy(copy, list.v, list.n * sizeof o);
        qsort(copy, list.n, sizeof o, by_sub);
        list.v = copy;
    }
    jw_array(&w->jw, info->key);
    for (size_t i = 0; i < list.n; i++)
        put_object(w, list_get(&list, i), true);
    jw_end(&w->jw);
}

static void
put_object(Writer *w, const CatObject *o, bool is_part)
{
    const KindInfo *kind = cat_kind_info(o->id.kind);
    jw_object(&w->jw, NULL);
    if (is_part) {
        jw_strz(&w->jw, "name", o->id.sub ? o->id.sub : o->id.name);
    } else {
        put_text(&w->jw, "schema", o->id.schema);
        jw_strz(&w->jw, "name", o->id.name);
        put_text(&w->jw, "sub", o->id.sub);
    }
    for (size_t i = 0; i < kind->nfields; i++)
        put_field(w, &kind->fields[i], o);
    for (size_t i = 0; i < cat_nhead_fields; i++)
        put_field(w, &cat_head_fields[i], o);
    for (const ListInfo *info = cat_part_lists(o->id.kind); info->key; info++)
        put_parts(w, o, info);
    jw_end(&w->jw);
}

static void
put_dependents(JsonWriter *w, const CatDependents *list)
{
    jw_array(w, "dependents");
    vec_each (const CatDependent, user, list) {
        jw_object(w, NULL);
        jw_strz(w, "what", user->what);
        jw_strz(w, "name", user->name);
        put_text(w, "schema", user->schema);
        put_text(w, "extension", user->extension);
        put_text(w, "remedy", user->remedy);
        jw_strz(w, "hold", cat_holds[user->hold]);
        put_refs(w, "on", &user->on);
        jw_end(w);
    }
    jw_end(w);
}

static void
put_catalog(Writer *w, const Catalog *c)
{
    jw_object(&w->jw, NULL);
    jw_int(&w->jw, "format", CAT_FORMAT);
    for (const ListInfo *info = cat_lists; info->key; info++) {
        const ObjectList *list = list_at(c, info);
        bool any = false;
        for (size_t i = 0; i < list->n; i++) {
            const CatObject *o = list_get(list, i);
            if (o->id.kind != info->kind) /* views and materialized views share a list */
                continue;
            if (!any)
                jw_array(&w->jw, info->key);
            any = true;
            put_object(w, o, false);
        }
        if (any)
            jw_end(&w->jw);
    }
    if (!w->rules && c->others.n) {
        jw_array(&w->jw, "others");
        vec_each (const CatOther, other, &c->others) {
            jw_array(&w->jw, NULL);
            jw_strz(&w->jw, NULL, other->what);
            jw_strz(&w->jw, NULL, other->schema ? other->schema : "");
            jw_strz(&w->jw, NULL, other->name);
            jw_end(&w->jw);
        }
        jw_end(&w->jw);
    }
    if (!w->rules && c->dependents.n)
        put_dependents(&w->jw, &c->dependents);
    jw_end(&w->jw);
}

Str
catalog_json(Arena *a, const Catalog *c, const CatRules *rules, bool pretty)
{
    ARENA_LOCAL(scratch);
    Writer w = {.scratch = scratch, .rules = rules};
    jw_init(&w.jw, a, pretty);
    put_catalog(&w, c);
    return buf_str(&w.jw.out);
}

Str
catalog_store(Arena *a, const Catalog *c)
{
    ARENA_LOCAL(scratch);
    Writer w = {.scratch = scratch};
    jw_init_packed(&w.jw, a);
    put_catalog(&w, c);
    return buf_str(&w.jw.out);
}
