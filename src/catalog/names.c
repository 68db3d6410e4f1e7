/* Names in expressions, and a catalog under new names, as ALTER ... RENAME would leave it. */
#include "catalog/catalog_int.h"

typedef struct Renaming {
    Arena *arena;
    const Catalog *from;
    const CatRenames *list;
} Renaming;

static const CatRename *
rename_of(const Renaming *r, CatRef id)
{
    vec_each (const CatRename, x, r->list)
        if (cat_ref_cmp(&x->from, &id) == 0)
            return x;
    return NULL;
}

static const char *
new_name(const Renaming *r, CatRef id)
{
    const CatRename *x = rename_of(r, id);
    return x ? x->to : NULL;
}

/* Where a relation or type of a certain kind is then, and what it is called. */
static CatName
named_now(const Renaming *r, CatKind kind, CatName name)
{
    const CatRename *x =
        name.name ? rename_of(r, (CatRef){kind, name.schema, name.name, NULL}) : NULL;
    return x ? (CatName){x->schema ? x->schema : name.schema, x->to} : name;
}

static CatName
relation_now(const Renaming *r, CatName name)
{
    return named_now(r, CAT_TABLE, name);
}

/* What a part belongs to: domains and composite types have parts too, and share the tables' name space. */
static CatName
whole_now(const Renaming *r, CatName name)
{
    static const CatKind types[] = {CAT_DOMAIN, CAT_COMPOSITE};
    for (size_t i = 0; name.name && i < 2; i++) {
        const CatRename *x = rename_of(r, (CatRef){types[i], name.schema, name.name, NULL});
        if (x)
            return (CatName){x->schema ? x->schema : name.schema, x->to};
    }
    return relation_now(r, name);
}

static const char *
column_now(const Renaming *r, const char *schema, const char *table, const char *column)
{
    const char *to =
        table && column ? new_name(r, (CatRef){CAT_COLUMN, schema, table, column}) : NULL;
    return to ? to : column;
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

void
cat_add_ident(Buf *b, const char *name)
{
    bool plain = (*name >= 'a' && *name <= 'z') || *name == '_';
    for (const char *p = name; *p; p++)
        plain = plain && is_word(*p) && !(*p >= 'A' && *p <= 'Z') && (unsigned char)*p < 0x80;
    if (!plain)
        buf_addc(b, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            buf_addc(b, '"');
        buf_addc(b, *p);
    }
    if (!plain)
        buf_addc(b, '"');
}

/* The end of a quoted piece that begins at p. */
static const char *
quoted_end(const char *p)
{
    char quote = *p++;
    while (*p && !(*p == quote && p[1] != quote))
        p += *p == quote ? 2 : 1;
    return *p ? p + 1 : p;
}

/* The piece of an expression that begins at p; `name` holds it when it is an identifier. */
static const char *
next_piece(const char *p, Buf *name)
{
    const char *end = p + 1;
    buf_clear(name);
    if (*p == '\'' || *p == '"')
        end = quoted_end(p);
    else if (is_word(*p))
        while (is_word(*end))
            end++;
    if (*p == '"')
        for (const char *q = p + 1; q + 1 < end; q += *q == '"' ? 2 : 1)
            buf_addc(name, *q);
    else if (is_word(*p))
        buf_add(name, (Str){p, (size_t)(end - p)});
    return end;
}

bool
catalog_mentions(const char *expr, const char *name)
{
    if (!expr)
        return false;
    ARENA_LOCAL(scratch);
    Buf word;
    buf_init(&word, scratch);
    for (const char *p = expr; *p;) {
        p = next_piece(p, &word);
        if (word.n && strcmp(word.p, name) == 0)
            return true;
    }
    return false;
}

/* An expression over a table's own columns: names that are columns, not functions or types. */
static const char *
expr_now(const Renaming *r, const CatRef *of, const char *expr)
{
    if (!expr)
        return NULL;
    Buf b, name;
    buf_init(&b, r->arena);
    buf_init(&name, r->arena);
    for (const char *p = expr, *end; *p; p = end) {
        end = next_piece(p, &name);
        bool is_type = p > expr && p[-1] == ':';
        const char *to = name.n && *end != '(' && !is_type
                             ? new_name(r, (CatRef){CAT_COLUMN, of->schema, of->name, name.p})
                             : NULL;
        if (to)
            cat_add_ident(&b, to);
        else
            buf_add(&b, (Str){p, (size_t)(end - p)});
    }
    return b.p;
}

static CatType
type_now(const Renaming *r, CatType t)
{
    if (!t.schema || !t.name)
        return t;
    const CatName was = {t.schema, t.name};
    static const CatKind types[] = {CAT_ENUM, CAT_DOMAIN, CAT_COMPOSITE};
    CatName now = was;
    for (size_t i = 0; i < 3 && now.name == was.name; i++)
        now = named_now(r, types[i], was);
    return now.name == was.name ? t
                                : catalog_type_named(r->arena, now.schema, now.name, t.is_array);
}

/* 'OLD'::"Role" of an enum. */
static const char *
default_now(const Renaming *r, const CatType *type, const char *expr)
{
    if (!expr || !type->schema || *expr != '\'')
        return expr;
    const char *end = quoted_end(expr);
    Buf b, label;
    buf_init(&b, r->arena);
    buf_init(&label, r->arena);
    for (const char *q = expr + 1; q + 1 < end; q += *q == '\'' ? 2 : 1)
        buf_addc(&label, *q);
    const char *to =
        new_name(r, (CatRef){CAT_ENUM, type->schema, type->name, label.p ? label.p : ""});
    buf_addc(&b, '\'');
    for (const char *q = to ? to : label.p ? label.p : ""; *q; q++) {
        if (*q == '\'')
            buf_addc(&b, '\'');
        buf_addc(&b, *q);
    }
    buf_addc(&b, '\'');
    CatType now = type_now(r, *type);
    if (now.text != type->text && strncmp(end, "::", 2) == 0)
        buf_fmt(&b, "::%s", now.text);
    else
        buf_addz(&b, end);
    return b.p;
}

static const char *
nextval_of(Arena *a, const CatRef *sequence)
{
    Buf name, b;
    buf_init(&name, a);
    buf_init(&b, a);
    cat_add_ident(&name, sequence->schema);
    buf_addc(&name, '.');
    cat_add_ident(&name, sequence->name);
    buf_addz(&b, "nextval('");
    for (const char *p = name.p; *p; p++) {
        if (*p == '\'')
            buf_addc(&b, '\'');
        buf_addc(&b, *p);
    }
    buf_addz(&b, "'::regclass)");
    return b.p;
}

/* A default that draws from a sequence. */
static const char *
nextval_now(const Renaming *r, const char *expr)
{
    if (!expr || strncmp(expr, "nextval(", 8) != 0)
        return expr;
    vec_each (const CatRename, x, r->list) {
        CatRef to = {CAT_SEQUENCE, x->schema ? x->schema : x->from.schema, x->to, NULL};
        if (x->from.kind == CAT_SEQUENCE && strcmp(nextval_of(r->arena, &x->from), expr) == 0)
            return nextval_of(r->arena, &to);
    }
    return expr;
}

static CatTexts
columns_now(const Renaming *r, const char *schema, const char *table, CatTexts list)
{
    CatTexts out = {0};
    vec_each (const char *, column, &list)
        *vec_add(r->arena, &out) = column_now(r, schema, table, *column);
    return out;
}

static CatKeys
keys_now(const Renaming *r, const CatRef *of, CatKeys keys)
{
    CatKeys out = {0};
    vec_each (CatKey, key, &keys) {
        CatKey *k = vec_add(r->arena, &out);
        *k = *key;
        k->column = column_now(r, of->schema, of->name, key->column);
        k->expr = expr_now(r, of, key->expr);
    }
    return out;
}

static void
id_now(const Renaming *r, CatRef *id)
{
    const CatRename *x = rename_of(r, *id);
    if (x && id->kind == CAT_COLUMN)
        id->sub = x->to;
    else if (x)
        *id = (CatRef){id->kind, x->schema ? x->schema : id->schema, x->to, id->sub};
    if (cat_kind(id->kind)->named == CAT_NAMED_WHOLE) {
        CatName whole = whole_now(r, (CatName){id->schema, id->name});
        id->schema = whole.schema;
        id->name = whole.name;
    }
}

static void
fields_now(const Renaming *r, void *copy, const CatRef *was)
{
    switch (was->kind) {
    case CAT_ENUM: {
        CatEnum *e = copy;
        CatTexts labels = {0};
        vec_each (const char *, label, &e->labels) {
            const char *to = new_name(r, (CatRef){CAT_ENUM, was->schema, was->name, *label});
            *vec_add(r->arena, &labels) = to ? to : *label;
        }
        e->labels = labels;
        break;
    }
    case CAT_DOMAIN: {
        CatDomain *domain = copy;
        domain->type = type_now(r, domain->type);
        break;
    }
    case CAT_SEQUENCE: {
        CatSequence *s = copy;
        s->owner_column =
            column_now(r, s->owner_table.schema, s->owner_table.name, s->owner_column);
        s->owner_table = relation_now(r, s->owner_table);
        break;
    }
    case CAT_TABLE: {
        CatRelation *t = copy;
        t->partition_key = expr_now(r, was, t->partition_key);
        t->partition_of = relation_now(r, t->partition_of);
        t->of_type = named_now(r, CAT_COMPOSITE, t->of_type);
        CatNames parents = {0};
        vec_each (CatName, parent, &t->inherits)
            *vec_add(r->arena, &parents) = relation_now(r, *parent);
        t->inherits = parents;
        break;
    }
    case CAT_COLUMN: {
        CatColumn *c = copy;
        c->default_expr = c->generated ? expr_now(r, was, c->default_expr)
                                       : nextval_now(r, default_now(r, &c->type, c->default_expr));
        c->type = type_now(r, c->type);
        break;
    }
    case CAT_INDEX: {
        CatIndex *i = copy;
        const CatRef of = {CAT_TABLE, was->schema, i->table, NULL};
        i->keys = keys_now(r, &of, i->keys);
        i->include = columns_now(r, of.schema, of.name, i->include);
        i->predicate = expr_now(r, &of, i->predicate);
        CatName table = relation_now(r, (CatName){of.schema, of.name});
        i->id.schema = table.schema; /* it goes where its table goes */
        i->table = table.name;
        break;
    }
    case CAT_CONSTRAINT: {
        CatConstraint *k = copy;
        k->columns = columns_now(r, was->schema, was->name, k->columns);
        k->include = columns_now(r, was->schema, was->name, k->include);
        k->set_columns = columns_now(r, was->schema, was->name, k->set_columns);
        k->keys = keys_now(r, was, k->keys);
        k->expr = expr_now(r, was, k->expr);
        k->ref_columns = columns_now(r, k->ref_table.schema, k->ref_table.name, k->ref_columns);
        k->ref_table = relation_now(r, k->ref_table);
        break;
    }
    case CAT_POLICY: {
        CatPolicy *p = copy;
        p->using_expr = expr_now(r, was, p->using_expr);
        p->check_expr = expr_now(r, was, p->check_expr);
        break;
    }
    default:
        break;
    }
}

static void
copy_list(const Renaming *r, Catalog *c, void *container, const void *from, const ListInfo *info)
{
    const ObjectList *list = list_at(from, info);
    ObjectList *out = list_at(container, info);
    *out = (ObjectList){0};
    for (size_t i = 0; i < list->n; i++) {
        const CatObject *o = list_get(list, i);
        size_t size = cat_kind_info(o->id.kind)->size;
        CatObject *copy = arena_alloc(r->arena, size);
        memcpy(copy, o, size);
        id_now(r, &copy->id);
        fields_now(r, copy, &o->id);
        copy->needs = catalog_refs_renamed(r->arena, &o->needs, r->list);
        if (out->n == out->cap)
            out->v = vec_grow(r->arena, out->v, &out->cap, sizeof copy);
        memcpy((char *)out->v + out->n++ * sizeof copy, &copy, sizeof copy);
        for (const ListInfo *part = cat_part_lists(o->id.kind); part->key; part++)
            copy_list(r, c, copy, o, part);
    }
}

CatRefs
catalog_refs_renamed(Arena *a, const CatRefs *refs, const CatRenames *renames)
{
    Renaming r = {.arena = a, .list = renames};
    CatRefs out = {0};
    vec_each (const CatRef, ref, refs) {
        CatRef *copy = vec_add(a, &out);
        *copy = *ref;
        id_now(&r, copy);
    }
    return out;
}

CatRenames
catalog_renames_back(Arena *a, const CatRenames *renames)
{
    Renaming r = {.arena = a, .list = renames};
    CatRenames back = {0};
    vec_each (const CatRename, x, renames) {
        CatRef now = x->from;
        const CatKind whole = now.kind == CAT_COLUMN ? CAT_TABLE : now.kind;
        const CatName of = named_now(&r, whole, (CatName){now.schema, now.name});
        now.schema = of.schema;
        now.name = of.name;
        if (now.sub)
            now.sub = x->to;
        *vec_add(a, &back) = (CatRename){now, now.sub ? x->from.sub : x->from.name,
                                         x->schema ? x->from.schema : NULL};
    }
    return back;
}

CatObject *
catalog_called(Arena *a, const CatObject *o, CatRef id)
{
    size_t size = cat_kind_info(o->id.kind)->size;
    CatObject *copy = arena_alloc(a, size);
    memcpy(copy, o, size);
    copy->id = id;
    return copy;
}

Catalog *
catalog_renamed(Arena *a, const Catalog *c, const CatRenames *renames)
{
    Renaming r = {.arena = a, .from = c, .list = renames};
    Catalog *out = catalog_new(a);
    out->count = c->count;
    out->others.v = c->others.v;
    out->others.n = c->others.n;
    vec_each (const CatDependent, from, &c->dependents) {
        CatDependent *copy = vec_add(a, &out->dependents);
        *copy = *from;
        copy->on = catalog_refs_renamed(a, &from->on, renames);
    }
    for (const ListInfo *info = cat_lists; info->key; info++)
        if (cat_list_is_first(info))
            copy_list(&r, out, out, c, info);
    catalog_finish(out);
    return out;
}

/* One name up to a dot or blank: "in quotes", or as it is. */
const char *
cat_cut_name(Arena *a, Str *rest)
{
    Buf b;
    buf_init(&b, a);
    size_t i = 0;
    if (rest->n && rest->p[0] == '"') {
        for (i = 1; i < rest->n; i++) {
            if (rest->p[i] == '"' && (i + 1 >= rest->n || rest->p[i + 1] != '"'))
                break;
            i += rest->p[i] == '"';
            buf_addc(&b, rest->p[i]);
        }
        i += i < rest->n;
    } else {
        for (; i < rest->n && rest->p[i] != '.' && rest->p[i] != ' '; i++)
            buf_addc(&b, rest->p[i]);
    }
    *rest = str_slice(*rest, i, rest->n);
    return b.n ? b.p : NULL;
}

/* NAME [. NAME] [. NAME], with what stands behind a blank left over. */
size_t
cat_cut_path(Arena *a, Str *rest, const char **parts, size_t max)
{
    size_t n = 0;
    for (;;) {
        const char *name = cat_cut_name(a, rest);
        if (!name || n == max)
            return 0;
        parts[n++] = name;
        if (!rest->n || rest->p[0] != '.')
            break;
        *rest = str_slice(*rest, 1, rest->n);
    }
    if (rest->n && rest->p[0] != ' ')
        return 0;
    *rest = str_trim(*rest);
    return n;
}
