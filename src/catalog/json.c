/* The catalog as JSON and back, and the fingerprint over that text. */
#include "catalog/catalog_int.h"

#include "base/hash.h"
#include "base/jr.h"
#include "base/jw.h"

#include <stdlib.h>

/* Raise it when the meaning of a field changes: older caches are then not read. */
enum { FORMAT = 1 };

/* ---- writing ------------------------------------------------------------------------------- */

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

Str
catalog_json(Arena *a, const Catalog *c, const CatRules *rules, bool pretty)
{
    ARENA_LOCAL(scratch);
    Writer w = {.scratch = scratch, .rules = rules};
    jw_init(&w.jw, a, pretty);
    jw_object(&w.jw, NULL);
    jw_int(&w.jw, "format", FORMAT);
    for (const ListInfo *info = cat_lists; info->key; info++) {
        const ObjectList *list = list_at(c, info);
        bool any = false;
        for (size_t i = 0; i < list->n; i++) {
            const CatObject *o = list_get(list, i);
            if (o->id.kind != info->kind) /* views and materialized views share a list */
                continue;
            if (!any)
                jw_array(&w.jw, info->key);
            any = true;
            put_object(&w, o, false);
        }
        if (any)
            jw_end(&w.jw);
    }
    if (!rules && c->others.n) {
        jw_array(&w.jw, "others");
        vec_each (const CatOther, other, &c->others) {
            jw_array(&w.jw, NULL);
            jw_strz(&w.jw, NULL, other->what);
            jw_strz(&w.jw, NULL, other->schema ? other->schema : "");
            jw_strz(&w.jw, NULL, other->name);
            jw_end(&w.jw);
        }
        jw_end(&w.jw);
    }
    jw_end(&w.jw);
    return buf_str(&w.jw.out);
}

char *
catalog_fingerprint(Arena *a, const Catalog *c, const CatRules *rules)
{
    static const CatRules everything;
    ARENA_LOCAL(scratch);
    return hash_sha256_hex(a, catalog_json(scratch, c, rules ? rules : &everything, false));
}

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct Reader {
    JsonReader jr;
    Catalog *catalog;
} Reader;

/* "" is NULL. */
static const char *
get_text(JsonReader *j)
{
    Str s = jr_str(j);
    return s.n ? s.p : NULL;
}

static void
get_texts(Reader *r, CatTexts *ret)
{
    for (jr_array(&r->jr); jr_item(&r->jr);)
        *vec_add(r->catalog->arena, ret) = jr_str(&r->jr).p;
}

static CatName
get_name(JsonReader *j)
{
    CatName name = {0};
    for (jr_array(j); jr_item(j);)
        name = (CatName){name.name, jr_str(j).p};
    return name;
}

static void
get_keys(Reader *r, CatKeys *ret)
{
    JsonReader *j = &r->jr;
    for (jr_array(j); jr_item(j);) {
        CatKey *k = vec_add(r->catalog->arena, ret);
        jr_object(j);
        for (Str key; jr_key(j, &key);) {
            if (str_is(key, "column"))
                k->column = get_text(j);
            else if (str_is(key, "expr"))
                k->expr = get_text(j);
            else if (str_is(key, "collation"))
                k->collation = get_name(j);
            else if (str_is(key, "opclass"))
                k->opclass = get_name(j);
            else if (str_is(key, "opclass_args"))
                k->opclass_args = get_text(j);
            else if (str_is(key, "op"))
                k->op = get_text(j);
            else if (str_is(key, "is_desc"))
                k->is_desc = jr_bool(j);
            else if (str_is(key, "is_nulls_reversed"))
                k->is_nulls_reversed = jr_bool(j);
            else
                j->is_bad = true;
        }
    }
}

/* Up to 4 texts of an array, "" for those that are missing. */
static void
get_tuple(JsonReader *j, const char *ret[4])
{
    size_t n = 0;
    for (jr_array(j); jr_item(j);) {
        Str s = jr_str(j);
        if (n < 4)
            ret[n++] = s.p;
    }
    for (; n < 4; n++)
        ret[n] = NULL;
}

static void
get_grants(Reader *r, CatGrants *ret)
{
    JsonReader *j = &r->jr;
    for (jr_array(j); jr_item(j);) {
        CatGrant *grant = vec_add(r->catalog->arena, ret);
        jr_array(j);
        for (int i = 0; jr_item(j); i++) {
            if (i == 0 && jr_null(j))
                continue; /* PUBLIC */
            *(i == 0 ? &grant->role : &grant->privileges) = jr_str(j).p;
        }
    }
}

static void
get_refs(Reader *r, CatRefs *ret)
{
    JsonReader *j = &r->jr;
    for (jr_array(j); jr_item(j);) {
        const char *part[4];
        get_tuple(j, part);
        CatKind kind = 0;
        while (part[0] && kind < CAT_KIND_COUNT && strcmp(cat_kind_name(kind), part[0]) != 0)
            kind++;
        if (kind == CAT_KIND_COUNT || !part[2])
            j->is_bad = true;
        else
            *vec_add(r->catalog->arena, ret) =
                (CatRef){kind, part[1] && part[1][0] ? part[1] : NULL, part[2], part[3]};
    }
}

static int
get_word(JsonReader *j, const char *const *words)
{
    Str s = jr_str(j);
    for (int i = 0; words[i]; i++)
        if (str_is(s, words[i]))
            return i;
    j->is_bad = true;
    return 0;
}

static void
get_field(Reader *r, const Field *f, CatObject *o)
{
    JsonReader *j = &r->jr;
    Arena *a = r->catalog->arena;
    void *p = (char *)o + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        *(const char **)p = jr_str(j).p;
        break;
    case FIELD_BOOL:
        *(bool *)p = jr_bool(j);
        break;
    case FIELD_CHAR: {
        Str s = jr_str(j);
        *(char *)p = s.n ? s.p[0] : '\0';
        break;
    }
    case FIELD_INT:
        *(int64_t *)p = jr_int(j);
        break;
    case FIELD_ENUM:
        *(int *)p = get_word(j, f->words);
        break;
    case FIELD_NAME:
        *(CatName *)p = get_name(j);
        break;
    case FIELD_TYPE:
        *(CatType *)p = catalog_type(a, jr_str(j));
        break;
    case FIELD_TEXTS:
        get_texts(r, p);
        break;
    case FIELD_NAMES: {
        CatNames *names = p;
        for (jr_array(j); jr_item(j);)
            *vec_add(a, names) = get_name(j);
        break;
    }
    case FIELD_KEYS:
        get_keys(r, p);
        break;
    case FIELD_GRANTS:
        get_grants(r, p);
        break;
    case FIELD_REFS:
        get_refs(r, p);
        break;
    }
}

static const Field *
field_named(const Field *fields, size_t n, Str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(key, fields[i].name))
            return &fields[i];
    return NULL;
}

static void get_objects(Reader *r, const ListInfo *info, CatObject *of);

/* One object, whose first members say its name. */
static void
get_object(Reader *r, CatKind kind, CatObject *of)
{
    JsonReader *j = &r->jr;
    const KindInfo *info = cat_kind_info(kind);
    const char *schema = NULL;
    CatObject *o = NULL;
    jr_object(j);
    for (Str key; jr_key(j, &key);) {
        if (!o && str_is(key, "schema")) {
            schema = jr_str(j).p;
            continue;
        }
        if (!o && str_is(key, "name")) {
            const char *name = jr_str(j).p;
            o = of ? catalog_add_to(r->catalog, of, kind, name)
                   : catalog_add(r->catalog, kind, schema, name);
            continue;
        }
        if (!o) {
            j->is_bad = true;
            return;
        }
        if (!of && str_is(key, "sub")) {
            o->id.sub = jr_str(j).p;
            continue;
        }
        const Field *f = field_named(info->fields, info->nfields, key);
        if (!f)
            f = field_named(cat_head_fields, cat_nhead_fields, key);
        const ListInfo *parts = cat_part_lists(kind);
        while (!f && parts->key && !str_is(key, parts->key))
            parts++;
        if (f)
            get_field(r, f, o);
        else if (parts->key)
            get_objects(r, parts, o);
        else
            j->is_bad = true;
    }
    if (!o)
        j->is_bad = true;
}

static void
get_objects(Reader *r, const ListInfo *info, CatObject *of)
{
    for (jr_array(&r->jr); jr_item(&r->jr);)
        get_object(r, info->kind, of);
}

static void
get_others(Reader *r)
{
    for (jr_array(&r->jr); jr_item(&r->jr);) {
        const char *part[4];
        get_tuple(&r->jr, part);
        *vec_add(r->catalog->arena, &r->catalog->others) =
            (CatOther){part[0], part[1] && part[1][0] ? part[1] : NULL, part[2]};
    }
}

bool
catalog_read(Arena *a, Str json, Catalog **ret, Err *err)
{
    Reader r = {.catalog = catalog_new(a)};
    JsonReader *j = &r.jr;
    int64_t format = 0;
    jr_init(j, a, json);
    jr_object(j);
    for (Str key; jr_key(j, &key);) {
        const ListInfo *info = cat_lists;
        while (info->key && !str_is(key, info->key))
            info++;
        if (str_is(key, "format"))
            format = jr_int(j);
        else if (str_is(key, "others"))
            get_others(&r);
        else if (info->key && format == FORMAT)
            get_objects(&r, info, NULL);
        else
            j->is_bad = true;
    }
    if (!jr_done(j) || format != FORMAT)
        return err_set(err, ERR_INTERNAL, "a stored catalog is damaged or of another version");
    catalog_finish(r.catalog);
    *ret = r.catalog;
    return true;
}
