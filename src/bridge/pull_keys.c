/* Primary keys, uniques and indexes as attributes. */
#include "bridge/pull_int.h"

#include <ctype.h>
#include <stdlib.h>

const char *
pull_default_name(Arena *a, const char *table, const CatTexts *columns, const char *suffix)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, table);
    for (size_t i = 0; columns && i < columns->n; i++)
        buf_fmt(&b, "_%s", columns->v[i]);
    return catalog_name_with(a, b.p, suffix);
}

static const char *
default_key_name(PullCtx *c, const PullKey *k)
{
    static const char *const suffixes[] = {[PSL_KEY_UNIQUE] = "_key", [PSL_KEY_INDEX] = "_idx"};
    if (k->kind == PSL_KEY_ID)
        return pull_default_name(c->a, k->index->table, NULL, "_pkey");
    CatTexts columns = {0};
    vec_each (const CatKey, key, &k->index->keys)
        *vec_add(c->a, &columns) = key->column;
    return pull_default_name(c->a, k->index->table, &columns, suffixes[k->kind]);
}

static const char *
field_name(const PullModel *m, const char *column)
{
    vec_each (const PullField, f, &m->fields)
        if (strcmp(f->column->id.sub, column) == 0)
            return f->name;
    return column; /* of an old key: it is gone, and so is the key */
}

static const char *
method_name(const char *method)
{
    static const char *const names[][2] = {
        {"hash", "Hash"}, {"gist", "Gist"}, {"gin", "Gin"}, {"spgist", "SpGist"}, {"brin", "Brin"},
    };
    for (size_t i = 0; method && i < COUNT(names); i++)
        if (strcmp(method, names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

/* Prisma wants to hear the default classes that btree_gin and btree_gist bring (psl/opclasses.c):
 * https://www.postgresql.org/docs/current/btree-gin.html, .../btree-gist.html */
static const char *
class_of_extension(PullCtx *c, const char *method, const CatType *t)
{
    static const char *const types[][2] = {
        /* and what gist calls it where that is not its name; "": nothing to be named */
        {"int2", NULL},        {"int4", NULL},    {"int8", NULL},      {"float4", NULL},
        {"float8", NULL},      {"numeric", NULL}, {"money", "cash"},   {"oid", NULL},
        {"date", NULL},        {"time", NULL},    {"timetz", NULL},    {"timestamp", NULL},
        {"timestamptz", NULL}, {"text", ""},      {"varchar", "text"}, {"bpchar", NULL},
        {"bytea", NULL},       {"bit", NULL},     {"varbit", "vbit"},  {"inet", NULL},
        {"uuid", NULL},        {"bool", NULL},
    };
    bool gin = cat_same_text(method, "gin"), gist = cat_same_text(method, "gist");
    if (!(gin || gist) || t->is_array)
        return NULL;
    /* To Prisma "char" is a Char. */
    if (!t->schema && strcmp(t->name, "char") == 0)
        return gin ? "bpchar_ops" : NULL;
    if (catalog_find(c->catalog, (CatRef){CAT_ENUM, t->schema, t->name, NULL}))
        return gin ? "enum_ops" : "gist_enum_ops";
    for (size_t i = 0; !t->schema && i < COUNT(types); i++)
        if (strcmp(types[i][0], t->name) == 0) {
            const char *name = gist && types[i][1] ? types[i][1] : t->name;
            return *name ? str_fmt(c->a, gin ? "%s_ops" : "gist_%s_ops", name) : NULL;
        }
    return NULL;
}

static void
add_key_args(PullCtx *c, Buf *b, const PullModel *m, const PullKey *k, const CatKey *key)
{
    size_t start = b->n;
    const char *name = key->opclass.name;
    vec_each (const PullField, f, &m->fields)
        if (!name && !f->unsupported && strcmp(f->column->id.sub, key->column) == 0)
            name = class_of_extension(c, k->index->method, &f->column->type);
    if (k->kind == PSL_KEY_INDEX && name) {
        const PslOpClass *ops = key->opclass.name ? psl_opclass_of_sql(str_of(name)) : NULL;
        buf_addz(b, "(ops: ");
        if (ops) {
            buf_addz(b, ops->name);
        } else {
            buf_addz(b, "raw(");
            pull_add_string(b, str_of(name));
            buf_addc(b, ')');
        }
    }
    if (key->is_desc)
        buf_addz(b, b->n > start ? ", sort: Desc" : "(sort: Desc");
    if (b->n > start)
        buf_addc(b, ')');
}

/* The arguments behind the name of the attribute; `with_name` false: what two keys of different
 * names have in common. */
static void
add_args(PullCtx *c, Buf *b, const PullModel *m, const PullKey *k, bool with_name)
{
    size_t start = b->n;
    const char *method = method_name(k->index->method);
    if (!k->field) {
        buf_addc(b, '[');
        vec_each (const CatKey, key, &k->index->keys) {
            if (key != k->index->keys.v)
                buf_addz(b, ", ");
            buf_addz(b, field_name(m, key->column));
            add_key_args(c, b, m, k, key);
        }
        buf_addc(b, ']');
    }
    if (k->old && k->old->client_name.n) {
        buf_addz(b, b->n > start ? ", name: " : "name: ");
        pull_add_string(b, k->old->client_name);
    }
    if (with_name && strcmp(k->name, default_key_name(c, k)) != 0) {
        buf_addz(b, b->n > start ? ", map: " : "map: ");
        pull_add_string(b, str_of(k->name));
    }
    if (k->field && k->index->keys.v[0].is_desc)
        buf_addz(b, b->n > start ? ", sort: Desc" : "sort: Desc");
    if (method)
        buf_fmt(b, "%stype: %s", b->n > start ? ", " : "", method);
    if (k->index->predicate) {
        const char *p = k->index->predicate;
        buf_addz(b, b->n > start ? ", where: raw(" : "where: raw(");
        pull_add_string(b, *p == '(' ? str_of(p) : str_of(str_fmt(c->a, "(%s)", p)));
        buf_addc(b, ')');
    }
}

const char *
pull_key_text(PullCtx *c, const PullModel *m, const PullKey *k)
{
    static const char *const names[] = {
        [PSL_KEY_ID] = "id", [PSL_KEY_UNIQUE] = "unique", [PSL_KEY_INDEX] = "index"};
    Buf b;
    buf_init(&b, c->a);
    buf_fmt(&b, "%s%s(", k->field ? "@" : "@@", names[k->kind]);
    size_t start = b.n;
    add_args(c, &b, m, k, true);
    if (b.n == start) {
        b.p[--b.n] = 0;
        return b.p;
    }
    buf_addc(&b, ')');
    return b.p;
}

/* A predicate without what says the same in another way. */
static const char *
squeezed(PullCtx *c, const char *expr)
{
    Buf b;
    buf_init(&b, c->a);
    for (const char *p = expr; *p; p++) {
        if (p[0] == ':' && p[1] == ':') {
            for (p += 2; isalnum((unsigned char)*p) || *p == '_' || *p == '.' || *p == '"'; p++)
                ;
            p--;
        } else if (p[0] == '!' && p[1] == '=') {
            buf_addz(&b, "<>");
            p++;
        } else if (!strchr("()\" \n", *p)) {
            buf_addc(&b, (char)tolower((unsigned char)*p));
        }
    }
    return b.p;
}

/* The operator class that an index of this type has anyway:
 * https://www.postgresql.org/docs/current/indexes-opclass.html */
static bool
is_default_class(const char *method, const char *name)
{
    static const char *const defaults[][2] = {{"gin", "array_ops"},
                                              {"gin", "jsonb_ops"},
                                              {"spgist", "text_ops"},
                                              {"spgist", "inet_ops"},
                                              {"brin", "inet_inclusion_ops"}};
    for (size_t i = 0; i < COUNT(defaults); i++)
        if (strcmp(method, defaults[i][0]) == 0 && strcmp(name, defaults[i][1]) == 0)
            return true;
    return strcmp(method, "brin") == 0 && strcmp(name, "inet_minmax_ops") != 0 &&
           str_ends(str_of(name), STR("_minmax_ops"));
}

/* The keys of an index without the operator classes that go without saying. */
static void
leave_out_defaults(PullCtx *c, CatIndex *index)
{
    CatKeys keys = {0};
    vec_each (const CatKey, key, &index->keys) {
        CatKey *copy = vec_add(c->a, &keys);
        *copy = *key;
        if (index->method && key->opclass.name &&
            is_default_class(index->method, key->opclass.name))
            copy->opclass = (CatName){0};
    }
    index->keys = keys;
}

static bool
is_same(PullCtx *c, const PullModel *m, const PullKey *x, const PullKey *y)
{
    const char *p = x->index->predicate, *q = y->index->predicate;
    if (x->kind != y->kind || !p != !q || (p && strcmp(squeezed(c, p), squeezed(c, q)) != 0))
        return false;
    CatIndex plain[2] = {*x->index, *y->index};
    PullKey sides[2] = {*x, *y};
    Buf texts[2];
    for (int i = 0; i < 2; i++) {
        plain[i].predicate = NULL;
        leave_out_defaults(c, &plain[i]);
        sides[i].index = &plain[i];
        sides[i].field = NULL;
        sides[i].old = NULL;
        buf_init(&texts[i], c->a);
        add_args(c, &texts[i], m, &sides[i], false);
    }
    return str_eq(buf_str(&texts[0]), buf_str(&texts[1]));
}

/* ---- collecting ---------------------------------------------------------------------------- */

static CatIndex *
index_of(Arena *a, const CatConstraint *k)
{
    CatIndex *index = arena_new(a, CatIndex);
    *index = (CatIndex){.table = k->id.name, .is_unique = true};
    index->id = (CatRef){CAT_INDEX, k->id.schema, k->id.sub, NULL};
    for (size_t i = 0; i < k->columns.n; i++)
        vec_add(a, &index->keys)->column = k->columns.v[i];
    return index;
}

static bool
has_expression(const CatIndex *index)
{
    vec_each (const CatKey, key, &index->keys)
        if (key->expr)
            return true;
    return false;
}

static int
by_name(const void *x, const void *y)
{
    const PullKey *p = x, *q = y;
    if (p->kind != q->kind)
        return p->kind < q->kind ? -1 : 1;
    return strcmp(p->name, q->name);
}

bool
pull_is_unsayable(const PullCtx *c, const CatRef *table, const char *key)
{
    CatRef id = {CAT_INDEX, table->schema, table->name, key};
    vec_each (const CatRef, x, c->unsayable)
        if (cat_ref_cmp(x, &id) == 0)
            return true;
    return false;
}

static void
collect(PullCtx *c, const CatRelation *t, PullKeys *ret)
{
    /* WITHOUT OVERLAPS is no uniqueness of these columns: Prisma leaves such a key out, too. */
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) && !k->is_without_overlaps)
            *vec_add(c->a, ret) =
                (PullKey){.kind = k->type == CAT_UNIQUE ? PSL_KEY_UNIQUE : PSL_KEY_ID,
                          .name = k->id.sub,
                          .index = index_of(c->a, k)};
    cat_each (CatIndex, i, &t->indexes)
        if (!has_expression(i))
            *vec_add(c->a, ret) = (PullKey){.kind = i->is_unique ? PSL_KEY_UNIQUE : PSL_KEY_INDEX,
                                            .name = i->id.name,
                                            .index = i,
                                            .is_left_out = i->predicate && !c->has_partial};
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    vec_each (PullKey, k, ret)
        k->is_left_out = k->is_left_out || pull_is_unsayable(c, &t->id, k->name);
}

/* The old key of a bridged one. */
static const PslKey *
written(const PslModel *m, const PullKey *k)
{
    if (k->kind == PSL_KEY_ID)
        return m->id;
    vec_each (PslKey *, old, &m->keys)
        if ((*old)->kind == k->kind && str_is((*old)->name, k->name))
            return *old;
    return NULL;
}

/* An index and a key that say the same, by name first. */
static void
pair_keys(PullCtx *c, PullModel *m)
{
    for (int pass = 0; pass < 2; pass++)
        vec_each (PullKey, x, &m->keys)
            vec_each (PullKey, y, &m->old_keys) {
                if (x->old || !y->old || x->is_left_out ||
                    (pass == 0 && strcmp(x->name, y->name) != 0) || !is_same(c, m, x, y))
                    continue;
                bool taken = false;
                vec_each (const PullKey, z, &m->keys)
                    taken = taken || z->old == y->old;
                if (!taken)
                    x->old = y->old;
            }
}

/* Where each key is written: keys of one column at their field, as long as it has none yet. */
static void
place_keys(PullModel *m)
{
    vec_each (PullKey, k, &m->keys) {
        if (k->is_left_out || k->kind == PSL_KEY_INDEX || k->index->keys.n != 1)
            continue;
        PullField *f = pull_field(m, k->index->keys.v[0].column);
        if (!f || (k->old && !k->old->source))
            continue;
        bool taken = false;
        vec_each (const PullKey, other, &m->keys)
            taken = taken || (other != k && other->kind == k->kind &&
                              (other->field == f || (!k->old && other->old && other->old->source &&
                                                     f->old == other->old->source)));
        if (taken)
            continue;
        k->field = f;
    }
}

static bool
is_identifier(PullModel *m, const PullKey *k)
{
    if (k->kind == PSL_KEY_INDEX || k->index->predicate || k->is_left_out)
        return false;
    vec_each (const CatKey, key, &k->index->keys) {
        const PullField *f = pull_field(m, key->column);
        if (!f || *f->arity || f->unsupported)
            return false;
    }
    return true;
}

/* A key of several fields is a property of the client, beside those of the fields. */
static void
free_joined_names(PullCtx *c, PullModel *m)
{
    vec_each (const PullKey, k, &m->keys) {
        if (k->kind == PSL_KEY_INDEX || k->index->keys.n < 2)
            continue;
        Buf b;
        buf_init(&b, c->a);
        vec_each (const CatKey, key, &k->index->keys)
            buf_fmt(&b, "%s%s", b.n ? "_" : "", field_name(m, key->column));
        vec_each (PullField, f, &m->fields)
            if (!f->old && strcmp(f->name, b.p) == 0)
                f->name = pull_free_name(c, m, str_fmt(c->a, "%s_field", f->name));
    }
}

void
pull_keys(PullCtx *c, PullModel *m)
{
    collect(c, m->table, &m->keys);
    free_joined_names(c, m);
    vec_each (PullField, f, &m->fields)
        pull_fill_field(c, c->catalog, f->column, f);
    if (m->old_table)
        collect(c, m->old_table, &m->old_keys);
    vec_each (PullKey, k, &m->old_keys)
        k->old = written(m->old, k);
    pair_keys(c, m);
    place_keys(m);
    vec_each (PullKey, k, &m->keys)
        if (k->field)
            k->field->parts[k->kind == PSL_KEY_ID ? PART_ID : PART_UNIQUE] = pull_key_text(c, m, k);
    m->has_id = m->table->id.kind != CAT_TABLE;
    vec_each (const PullKey, k, &m->keys)
        m->has_id = m->has_id || is_identifier(m, k);
    m->is_ignored = !m->has_id || (m->old && m->old->is_ignored);
}
