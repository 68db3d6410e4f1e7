/* A stored catalog read back. */
#include "catalog/catalog_int.h"

#include "base/pack.h"

typedef struct Reader {
    PackReader pack;
    Catalog *catalog;
} Reader;

/* "" is NULL. */
static const char *
get_text(PackReader *j)
{
    Str s = pack_str(j);
    return s.n ? s.p : NULL;
}

static void
get_texts(Reader *r, CatTexts *ret)
{
    for (pack_array(&r->pack); pack_item(&r->pack);)
        *vec_add(r->catalog->arena, ret) = pack_str(&r->pack).p;
}

static CatName
get_name(PackReader *j)
{
    CatName name = {0};
    for (pack_array(j); pack_item(j);)
        name = (CatName){name.name, pack_str(j).p};
    return name;
}

static void
get_keys(Reader *r, CatKeys *ret)
{
    PackReader *j = &r->pack;
    for (pack_array(j); pack_item(j);) {
        CatKey *k = vec_add(r->catalog->arena, ret);
        pack_object(j);
        for (Str key; pack_key(j, &key);) {
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
                k->is_desc = pack_bool(j);
            else if (str_is(key, "is_nulls_reversed"))
                k->is_nulls_reversed = pack_bool(j);
            else
                j->is_bad = true;
        }
    }
}

/* Up to 4 texts of an array, "" for those that are missing. */
static void
get_tuple(PackReader *j, const char *ret[4])
{
    size_t n = 0;
    for (pack_array(j); pack_item(j);) {
        Str s = pack_str(j);
        if (n < 4)
            ret[n++] = s.p;
    }
    for (; n < 4; n++)
        ret[n] = NULL;
}

static void
get_grants(Reader *r, CatGrants *ret)
{
    PackReader *j = &r->pack;
    for (pack_array(j); pack_item(j);) {
        CatGrant *grant = vec_add(r->catalog->arena, ret);
        pack_array(j);
        for (int i = 0; pack_item(j); i++) {
            if (i == 0 && pack_null(j))
                continue; /* PUBLIC */
            *(i == 0 ? &grant->role : &grant->privileges) = pack_str(j).p;
        }
    }
}

static void
get_refs(Reader *r, CatRefs *ret)
{
    PackReader *j = &r->pack;
    for (pack_array(j); pack_item(j);) {
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
get_word(PackReader *j, const char *const *words)
{
    Str s = pack_str(j);
    for (int i = 0; words[i]; i++)
        if (str_is(s, words[i]))
            return i;
    j->is_bad = true;
    return 0;
}

static void
get_field(Reader *r, const Field *f, CatObject *o)
{
    PackReader *j = &r->pack;
    Arena *a = r->catalog->arena;
    void *p = (char *)o + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        *(const char **)p = pack_str(j).p;
        break;
    case FIELD_BOOL:
        *(bool *)p = pack_bool(j);
        break;
    case FIELD_CHAR: {
        Str s = pack_str(j);
        *(char *)p = s.n ? s.p[0] : '\0';
        break;
    }
    case FIELD_INT:
        *(int64_t *)p = pack_int(j);
        break;
    case FIELD_ENUM:
        *(int *)p = get_word(j, f->words);
        break;
    case FIELD_NAME:
        *(CatName *)p = get_name(j);
        break;
    case FIELD_TYPE:
        *(CatType *)p = catalog_type(a, pack_str(j));
        break;
    case FIELD_TEXTS:
        get_texts(r, p);
        break;
    case FIELD_NAMES: {
        CatNames *names = p;
        for (pack_array(j); pack_item(j);)
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
    PackReader *j = &r->pack;
    const KindInfo *info = cat_kind_info(kind);
    const char *schema = NULL;
    CatObject *o = NULL;
    pack_object(j);
    for (Str key; pack_key(j, &key);) {
        if (!o && str_is(key, "schema")) {
            schema = pack_str(j).p;
            continue;
        }
        if (!o && str_is(key, "name")) {
            const char *name = pack_str(j).p;
            o = of ? catalog_add_to(r->catalog, of, kind, name)
                   : catalog_add(r->catalog, kind, schema, name);
            continue;
        }
        if (!o) {
            j->is_bad = true;
            return;
        }
        if (!of && str_is(key, "sub")) {
            o->id.sub = pack_str(j).p;
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
    for (pack_array(&r->pack); pack_item(&r->pack);)
        get_object(r, info->kind, of);
}

static void
get_others(Reader *r)
{
    for (pack_array(&r->pack); pack_item(&r->pack);) {
        const char *part[4];
        get_tuple(&r->pack, part);
        *vec_add(r->catalog->arena, &r->catalog->others) =
            (CatOther){part[0], part[1] && part[1][0] ? part[1] : NULL, part[2]};
    }
}

static void
get_dependents(Reader *r)
{
    PackReader *j = &r->pack;
    for (pack_array(j); pack_item(j);) {
        CatDependent *user = vec_add(r->catalog->arena, &r->catalog->dependents);
        pack_object(j);
        for (Str key; pack_key(j, &key);) {
            if (str_is(key, "what"))
                user->what = get_text(j);
            else if (str_is(key, "name"))
                user->name = get_text(j);
            else if (str_is(key, "schema"))
                user->schema = get_text(j);
            else if (str_is(key, "extension"))
                user->extension = get_text(j);
            else if (str_is(key, "remedy"))
                user->remedy = get_text(j);
            else if (str_is(key, "hold"))
                user->hold = (CatHold)get_word(j, cat_holds);
            else if (str_is(key, "on"))
                get_refs(r, &user->on);
            else
                j->is_bad = true;
        }
        if (!user->what || !user->name)
            j->is_bad = true;
    }
}

bool
catalog_read(Arena *a, Str stored, Catalog **ret, Err *err)
{
    Reader r = {.catalog = catalog_new(a)};
    PackReader *j = &r.pack;
    int64_t format = 0;
    pack_init(j, stored);
    pack_object(j);
    for (Str key; pack_key(j, &key);) {
        const ListInfo *info = cat_lists;
        while (info->key && !str_is(key, info->key))
            info++;
        if (str_is(key, "format"))
            format = pack_int(j);
        else if (str_is(key, "others"))
            get_others(&r);
        else if (str_is(key, "dependents"))
            get_dependents(&r);
        else if (info->key && format == CAT_FORMAT)
            get_objects(&r, info, NULL);
        else
            j->is_bad = true;
    }
    if (!pack_done(j) || format != CAT_FORMAT)
        return err_set(err, ERR_INTERNAL, "a stored catalog is damaged or of another version");
    catalog_finish(r.catalog);
    *ret = r.catalog;
    return true;
}
