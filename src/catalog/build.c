/* Making a catalog, its canonical order, looking things up. */
#include "catalog/catalog_int.h"

#include "sqltext/sqltext.h"

#include "base/invariant.h"

#include <stdlib.h>

Catalog *
catalog_new(Arena *a)
{
    Catalog *c = arena_new(a, Catalog);
    c->arena = a;
    map_init(&c->index, a);
    return c;
}

static void *
add(Catalog *c, void *container, const ListInfo *lists, CatRef id)
{
    while (lists->key && lists->kind != id.kind)
        lists++;
    INVARIANT(lists->key, "an object of a kind that its container has no list for");
    ObjectList *list = list_at(container, lists);
    CatObject *o = arena_alloc(c->arena, cat_kind_info(id.kind)->size);
    o->id = id;
    o->ordinal = c->count++;
    if (list->n == list->cap)
        list->v = vec_grow(c->arena, list->v, &list->cap, sizeof o);
    memcpy((char *)list->v + list->n++ * sizeof o, &o, sizeof o);
    return o;
}

void *
catalog_add(Catalog *c, CatKind kind, const char *schema, const char *name)
{
    return add(c, c, cat_lists, (CatRef){kind, schema, name, NULL});
}

void *
catalog_add_to(Catalog *c, void *of, CatKind kind, const char *name)
{
    const CatRef *parent = &((CatObject *)of)->id;
    CatRef id = {kind, parent->schema, parent->name, name};
    if (kind == CAT_INDEX)
        id = (CatRef){kind, parent->schema, name, NULL};
    CatObject *o = add(c, of, cat_part_lists(parent->kind), id);
    if (kind == CAT_INDEX)
        ((CatIndex *)(void *)o)->table = parent->name;
    return o;
}

/* ---- canonical order ----------------------------------------------------------------------- */

int
cat_text_cmp(const char *x, const char *y)
{
    if (!x || !y)
        return (x != NULL) - (y != NULL);
    return strcmp(x, y);
}

bool
cat_same_text(const char *x, const char *y)
{
    return cat_text_cmp(x, y) == 0;
}

bool
cat_same_texts(const CatTexts *x, const CatTexts *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++)
        if (!cat_same_text(x->v[i], y->v[i]))
            return false;
    return x->n == y->n;
}

bool
cat_has_text(const CatTexts *list, const char *text)
{
    vec_each (const char *, s, list)
        if (strcmp(*s, text) == 0)
            return true;
    return false;
}

int
cat_ref_cmp(const CatRef *x, const CatRef *y)
{
    int d = (int)x->kind - (int)y->kind;
    if (!d)
        d = cat_text_cmp(x->schema, y->schema);
    if (!d)
        d = cat_text_cmp(x->name, y->name);
    return d ? d : cat_text_cmp(x->sub, y->sub);
}

static int
by_text(const void *x, const void *y)
{
    return cat_text_cmp(*(const char *const *)x, *(const char *const *)y);
}

static int
by_role(const void *x, const void *y)
{
    return cat_text_cmp(((const CatGrant *)x)->role, ((const CatGrant *)y)->role);
}

static int
by_ref(const void *x, const void *y)
{
    return cat_ref_cmp(x, y);
}

static int
by_other(const void *x, const void *y)
{
    const CatOther *p = x, *q = y;
    int d = cat_text_cmp(p->what, q->what);
    if (!d)
        d = cat_text_cmp(p->schema, q->schema);
    return d ? d : cat_text_cmp(p->name, q->name);
}

static int
by_dependent(const void *x, const void *y)
{
    const CatDependent *p = x, *q = y;
    int d = cat_text_cmp(p->name, q->name);
    return d ? d : cat_text_cmp(p->what, q->what);
}

/* Those of one name stay in the order in which they were added. */
static int
by_id(const void *x, const void *y)
{
    CatObject *p, *q;
    memcpy(&p, x, sizeof p);
    memcpy(&q, y, sizeof q);
    int d = cat_ref_cmp(&p->id, &q->id);
    return d ? d : (p->ordinal > q->ordinal) - (p->ordinal < q->ordinal);
}

static void
sort(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    if (n > 1)
        qsort(v, n, size, cmp);
}

void
cat_texts_sort(CatTexts *list)
{
    sort(list->v, list->n, sizeof *list->v, by_text);
}

void
cat_grants_sort(CatGrants *list)
{
    sort(list->v, list->n, sizeof *list->v, by_role);
}

static void
refs_sort(CatRefs *list)
{
    sort(list->v, list->n, sizeof *list->v, by_ref);
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (!kept || cat_ref_cmp(&list->v[kept - 1], &list->v[i]) != 0)
            list->v[kept++] = list->v[i];
    list->n = kept;
}

static Str
key_of(Buf *b, const CatRef *id)
{
    buf_clear(b);
    buf_addc(b, (char)('A' + (int)id->kind));
    const char *const parts[] = {id->schema, id->name, id->sub};
    for (size_t i = 0; i < 3; i++) {
        buf_addc(b, '\0');
        buf_addz(b, parts[i] ? parts[i] : "");
    }
    return buf_str(b);
}

static void
put_index(Catalog *c, Buf *b, const CatRef *id, CatObject *o)
{
    Str key = key_of(b, id);
    if (!map_has(&c->index, key))
        map_put(&c->index, str_copy(c->arena, key), o);
}

static void
finish_object(Catalog *c, Buf *b, CatObject *o)
{
    cat_grants_sort(&o->grants);
    refs_sort(&o->needs);
    const KindInfo *kind = cat_kind_info(o->id.kind);
    for (size_t i = 0; i < kind->nfields; i++)
        if (kind->fields[i].is_set)
            cat_texts_sort((CatTexts *)((uintptr_t)o + kind->fields[i].offset));
    *vec_add(c->arena, &c->objects) = o;
    put_index(c, b, &o->id, o);
    if (o->id.kind == CAT_RANGE) {
        const CatName *multirange = &((const CatDefined *)(const void *)o)->multirange;
        if (multirange->name)
            put_index(c, b, &(CatRef){CAT_RANGE, multirange->schema, multirange->name, NULL}, o);
    }
    for (const ListInfo *info = cat_part_lists(o->id.kind); info->key; info++) {
        ObjectList *list = list_at(o, info);
        if (info->kind != CAT_COLUMN)
            sort(list->v, list->n, sizeof o, by_id);
        for (size_t i = 0; i < list->n; i++)
            finish_object(c, b, list_get(list, i));
    }
}

void
catalog_finish(Catalog *c)
{
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, scratch);
    sort(c->others.v, c->others.n, sizeof *c->others.v, by_other);
    sort(c->dependents.v, c->dependents.n, sizeof *c->dependents.v, by_dependent);
    vec_each (CatDependent, user, &c->dependents)
        refs_sort(&user->on);
    for (const ListInfo *info = cat_lists; info->key; info++) {
        if (!cat_list_is_first(info))
            continue;
        ObjectList *list = list_at(c, info);
        sort(list->v, list->n, sizeof(CatObject *), by_id);
        for (size_t i = 0; i < list->n; i++)
            finish_object(c, &b, list_get(list, i));
    }
}

Catalog *
catalog_replaced(Arena *a, const Catalog *c, CatRelation *const *tables, size_t n)
{
    Catalog *out = catalog_new(a);
    out->count = c->count;
    out->others.v = c->others.v;
    out->others.n = c->others.n;
    for (const ListInfo *info = cat_lists; info->key; info++) {
        const ObjectList *from = list_at(c, info);
        for (size_t i = 0; cat_list_is_first(info) && i < from->n; i++)
            *vec_add(a, (CatObjects *)list_at(out, info)) = list_get(from, i);
    }
    cat_each (CatRelation, t, &out->tables)
        for (size_t i = 0; i < n; i++)
            if (cat_ref_cmp(&t->id, &tables[i]->id) == 0)
                *t_at = tables[i];
    for (size_t i = 0; i < n; i++)
        cat_each (CatConstraint, k, &tables[i]->constraints)
            out->count = k->ordinal >= out->count ? k->ordinal + 1 : out->count;
    catalog_finish(out);
    return out;
}

static void
finish_again(Catalog *c)
{
    c->objects.n = 0;
    map_init(&c->index, c->arena);
    catalog_finish(c);
}

/* Whether any of a list went, or of its objects' parts. */
static bool
keep_in(ObjectList *list, bool (*is_out)(const void *arg, const CatObject *o), const void *arg)
{
    size_t kept = 0, had = list->n;
    bool any = false;
    for (size_t i = 0; i < had; i++) {
        CatObject *o = list_get(list, i);
        if (is_out(arg, o))
            continue;
        memcpy((char *)list->v + kept++ * sizeof o, &o, sizeof o);
        for (const ListInfo *part = cat_part_lists(o->id.kind); part->key; part++)
            any = keep_in(list_at(o, part), is_out, arg) || any;
    }
    list->n = kept;
    return any || kept < had;
}

void
catalog_leave_out_objects(Catalog *c, bool (*is_out)(const void *arg, const CatObject *o),
                          const void *arg)
{
    bool any = false;
    for (const ListInfo *info = cat_lists; info->key; info++)
        if (cat_list_is_first(info))
            any = keep_in(list_at(c, info), is_out, arg) || any;
    if (any)
        finish_again(c);
}

void
catalog_leave_out_defined(Catalog *c, bool (*is_out)(const void *arg, const CatDefined *o),
                          const void *arg, bool with_others)
{
    size_t kept = 0;
    cat_each (CatDefined, o, &c->defined)
        if (!is_out(arg, o))
            c->defined.v[kept++] = o;
        else if (with_others)
            *vec_add(c->arena, &c->others) = (CatOther){
                cat_kind_name(o->id.kind), o->id.schema,
                o->id.sub ? str_fmt(c->arena, "%s %s", o->id.name, o->id.sub) : o->id.name};
    if (kept == c->defined.n)
        return;
    c->defined.n = kept;
    finish_again(c);
}

void
catalog_leave_out_triggers(Catalog *c, bool (*is_out)(const CatTrigger *trigger))
{
    bool any = false;
    cat_each (CatRelation, t, &c->tables) {
        size_t kept = 0;
        cat_each (CatTrigger, g, &t->triggers)
            if (!is_out(g))
                t->triggers.v[kept++] = g;
        any = any || kept < t->triggers.n;
        t->triggers.n = kept;
    }
    if (any)
        finish_again(c);
}

/* Statistics, places in publications. */
static bool
stands_on_table(const CatDefined *o, const CatNames *tables)
{
    vec_each (const CatRef, need, &o->needs)
        vec_each (const CatName, t, tables)
            if ((need->kind == CAT_TABLE || need->kind == CAT_COLUMN) &&
                cat_same_text(need->schema, t->schema) && cat_same_text(need->name, t->name))
                return true;
    return false;
}

void
catalog_leave_out(Catalog *c, bool (*is_out)(const void *arg, const CatRelation *table),
                  const void *arg)
{
    size_t tables = 0, sequences = 0;
    ARENA_LOCAL(scratch);
    CatNames out = {0};
    cat_each (CatRelation, t, &c->tables)
        if (is_out(arg, t))
            *vec_add(scratch, &out) = (CatName){t->id.schema, t->id.name};
        else
            c->tables.v[tables++] = t;
    if (!out.n)
        return;
    cat_each (CatSequence, s, &c->sequences) {
        bool goes = false;
        vec_each (const CatName, t, &out)
            goes = goes || (s->owner_column && cat_same_text(s->owner_table.schema, t->schema) &&
                            cat_same_text(s->owner_table.name, t->name));
        if (!goes)
            c->sequences.v[sequences++] = s;
    }
    c->tables.n = tables;
    c->sequences.n = sequences;
    size_t defined = 0;
    cat_each (CatDefined, o, &c->defined)
        if (!stands_on_table(o, &out))
            c->defined.v[defined++] = o;
    c->defined.n = defined;
    finish_again(c);
}

/* ---- looking up ---------------------------------------------------------------------------- */

/* The same as key_of, for the usual lengths of names without asking for memory; .p NULL: longer. */
static Str
short_key(char *space, size_t size, const CatRef *id)
{
    const char *const parts[] = {id->schema, id->name, id->sub};
    size_t n = 0;
    space[n++] = (char)('A' + (int)id->kind);
    for (size_t i = 0; i < 3; i++) {
        size_t length = parts[i] ? strlen(parts[i]) : 0;
        if (n + 1 + length > size)
            return (Str){0};
        space[n++] = '\0';
        memcpy(space + n, length ? parts[i] : "", length);
        n += length;
    }
    return (Str){space, n};
}

void *
catalog_find(const Catalog *c, CatRef id)
{
    char space[256];
    Str key = short_key(space, sizeof space, &id);
    if (key.p)
        return map_get(&c->index, key);
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, scratch);
    return map_get(&c->index, key_of(&b, &id));
}

CatRelation *
catalog_relation(const Catalog *c, const char *schema, const char *name)
{
    static const CatKind relations[] = {CAT_TABLE, CAT_VIEW, CAT_MATVIEW};
    for (size_t i = 0; i < 3; i++) {
        CatRelation *r = catalog_find(c, (CatRef){relations[i], schema, name, NULL});
        if (r)
            return r;
    }
    return NULL;
}

CatColumn *
catalog_column(const CatRelation *r, const char *name)
{
    cat_each (CatColumn, column, &r->columns)
        if (strcmp(column->id.sub, name) == 0)
            return column;
    return NULL;
}

CatObject *
catalog_part(const void *of, CatKind kind, size_t i)
{
    const ListInfo *info = cat_part_lists(((const CatObject *)of)->id.kind);
    while (info->key && info->kind != kind)
        info++;
    const ObjectList *list = info->key ? list_at(of, info) : NULL;
    return list && i < list->n ? list_get(list, i) : NULL;
}

bool
catalog_is_child(const CatRelation *t, const CatRef *parent)
{
    if (cat_same_text(t->partition_of.name, parent->name) &&
        cat_same_text(t->partition_of.schema, parent->schema))
        return true;
    vec_each (const CatName, name, &t->inherits)
        if (strcmp(name->name, parent->name) == 0 && cat_same_text(name->schema, parent->schema))
            return true;
    return false;
}

bool
catalog_comes_attached(const CatConstraint *k)
{
    return k->is_inherited && (k->type == CAT_EXCLUDE || k->is_without_overlaps) &&
           k->type != CAT_FOREIGN_KEY;
}

bool
catalog_check_is_apart(const CatConstraint *k)
{
    vec_each (const CatRef, need, &k->needs)
        if (need->kind == CAT_FUNCTION)
            return true;
    return k->is_not_valid;
}

char *
cat_ref_text(Arena *a, const CatRef *id)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, cat_kind_name(id->kind));
    buf_addc(&b, ' ');
    if (cat_kind(id->kind)->named == CAT_NAMED_WHOLE) {
        sql_add_ident(&b, id->sub);
        buf_addz(&b, " of ");
    }
    if (id->schema) {
        sql_add_ident(&b, id->schema);
        buf_addc(&b, '.');
    }
    sql_add_ident(&b, id->name);
    if (id->kind == CAT_FUNCTION)
        buf_fmt(&b, "(%s)", id->sub ? id->sub : "");
    else if (id->kind == CAT_ENUM && id->sub) {
        buf_addc(&b, '.');
        sql_add_ident(&b, id->sub);
    }
    return b.p;
}
