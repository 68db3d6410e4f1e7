/* Models, enums and relations as tables, types, keys, indexes and foreign keys. */
#include "bridge/bridge_int.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 63 };

typedef struct Ctx {
    Arena *arena;
    const PslResolved *psl;
    const char *schema; /* default */
    Bridge out;
    CatRelation **tables; /* by index of the model */
} Ctx;

static const char *
text(Ctx *c, Str s)
{
    return str_dup(c->arena, s);
}

static const char *
schema_of(Ctx *c, Str schema)
{
    return schema.n ? text(c, schema) : c->schema;
}

/* ---- types --------------------------------------------------------------------------------- */

/* https://www.prisma.io/docs/orm/overview/databases/postgresql#type-mapping-between-postgresql-and-prisma-schema */
static const char *const scalar_types[PSL_SCALAR_COUNT] = {
    [PSL_INT] = "INTEGER",
    [PSL_BIGINT] = "BIGINT",
    [PSL_FLOAT] = "DOUBLE PRECISION",
    [PSL_DECIMAL] = "DECIMAL(65,30)",
    [PSL_BOOLEAN] = "BOOLEAN",
    [PSL_TEXT] = "TEXT",
    [PSL_DATETIME] = "TIMESTAMP(3)",
    [PSL_JSON] = "JSONB",
    [PSL_BYTES] = "BYTEA",
};

/* The column's type as Prisma writes it, without []; not of enums. */
static const char *
sql_type(Ctx *c, const PslModelField *f)
{
    if (f->kind == PSL_FIELD_UNSUPPORTED)
        return text(c, f->ast->type.name);
    if (f->native == PSL_NATIVE_NONE)
        return scalar_types[f->scalar];
    if (f->native == PSL_NATIVE_DOUBLE)
        return "DOUBLE PRECISION";
    Buf b;
    buf_init(&b, c->arena);
    for (const char *p = psl_native_info(f->native)->name; *p; p++)
        buf_addc(&b, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    if (f->native_nargs == 1)
        buf_fmt(&b, "(%u)", f->native_args[0]);
    else if (f->native_nargs == 2)
        buf_fmt(&b, "(%u,%u)", f->native_args[0], f->native_args[1]);
    return b.p;
}

static void
set_type(Ctx *c, CatColumn *column, const PslModelField *f, bool is_list)
{
    const char *brackets = is_list ? "[]" : "";
    const char *sql;
    if (f->kind == PSL_FIELD_ENUM) {
        const char *schema = schema_of(c, f->enum_->schema);
        column->type = catalog_type_named(c->arena, schema, text(c, f->enum_->db_name), is_list);
        sql = strcmp(schema, c->schema) == 0
                  ? str_fmt(c->arena, "\"" STR_FMT "\"%s", STR_ARG(f->enum_->db_name), brackets)
                  : str_fmt(c->arena, "\"%s\".\"" STR_FMT "\"%s", schema,
                            STR_ARG(f->enum_->db_name), brackets);
    } else {
        const char *plain = sql_type(c, f);
        sql = str_fmt(c->arena, "%s%s", plain, brackets);
        column->type = catalog_type(c->arena, str_of(sql));
        /* Texts that say less, or other than the canonical form does. */
        if (f->kind == PSL_FIELD_UNSUPPORTED)
            column->type.text = sql;
        else if (f->native == PSL_NATIVE_CHAR && !f->native_nargs)
            column->type.text = is_list ? "character[]" : "character";
        else if (f->native == PSL_NATIVE_BIT && !f->native_nargs)
            column->type.text = is_list ? "bit[]" : "bit";
    }
    column->default_expr = bridge_default(c->arena, f, sql);
}

/* ---- columns ------------------------------------------------------------------------------- */

static size_t
cut(Str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void
add_sequence(Ctx *c, CatRelation *t, CatColumn *column)
{
    const char *name = catalog_serial_name(c->arena, t->id.name, column->id.sub);
    CatSequence *s = catalog_add(c->out.catalog, CAT_SEQUENCE, t->id.schema, name);
    catalog_sequence_init(s, column->type);
    s->owner_table = (CatName){t->id.schema, t->id.name};
    s->owner_column = column->id.sub;
    Buf qualified, b;
    buf_init(&qualified, c->arena);
    cat_add_ident(&qualified, t->id.schema);
    buf_addc(&qualified, '.');
    cat_add_ident(&qualified, name);
    buf_init(&b, c->arena);
    buf_addz(&b, "nextval(");
    bridge_add_literal(&b, buf_str(&qualified));
    buf_addz(&b, "::regclass)");
    column->default_expr = b.p;
}

static void
add_column(Ctx *c, CatRelation *t, const PslModelField *f)
{
    CatColumn *column = catalog_add_to(c->out.catalog, t, CAT_COLUMN, text(c, f->column));
    set_type(c, column, f, f->arity == PSL_LIST);
    column->is_not_null = f->arity == PSL_REQUIRED;
    bridge_rename(c->arena, &c->out, f->ast->doc, column->id);
    switch (f->dflt.kind) {
    case PSL_DEFAULT_AUTOINCREMENT:
        add_sequence(c, t, column);
        break;
    case PSL_DEFAULT_DBGENERATED:
        if (!column->default_expr)
            *vec_add(c->arena, &c->out.any_default) = column->id;
        break;
    case PSL_DEFAULT_UUID:
    case PSL_DEFAULT_CUID:
    case PSL_DEFAULT_ULID:
    case PSL_DEFAULT_NANOID:
        *vec_add(c->arena, &c->out.client_default) = column->id;
        break;
    default:
        break;
    }
}

/* ---- keys and indexes ---------------------------------------------------------------------- */

static void
add_primary_key(Ctx *c, CatRelation *t, const PslKey *k)
{
    CatConstraint *pk = catalog_add_to(c->out.catalog, t, CAT_CONSTRAINT, text(c, k->name));
    pk->type = CAT_PRIMARY_KEY;
    for (size_t i = 0; i < k->nfields; i++)
        *vec_add(c->arena, &pk->columns) = text(c, k->fields[i].field->column);
}

static const char *
method_of(PslIndexType type)
{
    static const char *const methods[] = {
        [PSL_INDEX_HASH] = "hash",     [PSL_INDEX_GIST] = "gist", [PSL_INDEX_GIN] = "gin",
        [PSL_INDEX_SPGIST] = "spgist", [PSL_INDEX_BRIN] = "brin",
    };
    return type <= PSL_INDEX_BTREE ? NULL : methods[type];
}

static void
add_index(Ctx *c, CatRelation *t, const PslKey *k)
{
    CatIndex *index = catalog_add_to(c->out.catalog, t, CAT_INDEX, text(c, k->name));
    index->is_unique = k->kind == PSL_KEY_UNIQUE;
    index->method = method_of(k->type);
    index->predicate = bridge_predicate(c->arena, k->model, k->where);
    for (size_t i = 0; i < k->nfields; i++) {
        const PslKeyField *f = &k->fields[i];
        CatKey *key = vec_add(c->arena, &index->keys);
        key->column = text(c, f->field->column);
        key->is_desc = f->sort == PSL_SORT_DESC;
        if (f->ops)
            key->opclass.name = f->ops->sql;
        else if (f->raw_ops.n)
            key->opclass.name = text(c, f->raw_ops);
    }
}

static void
add_table(Ctx *c, const PslModel *m)
{
    CatRelation *t =
        catalog_add(c->out.catalog, CAT_TABLE, schema_of(c, m->schema), text(c, m->table));
    c->tables[m->index] = t;
    bridge_rename(c->arena, &c->out, m->decl->doc, t->id);
    for (size_t i = 0; i < m->nfields; i++) {
        const PslModelField *f = &m->fields[i];
        if (f->kind == PSL_FIELD_SCALAR || f->kind == PSL_FIELD_ENUM ||
            f->kind == PSL_FIELD_UNSUPPORTED)
            add_column(c, t, f);
    }
    if (m->id)
        add_primary_key(c, t, m->id);
    vec_each (PslKey *, k, &m->keys)
        add_index(c, t, *k);
}

/* ---- relations ----------------------------------------------------------------------------- */

static CatAction
action_of(PslAction action)
{
    switch (action) {
    case PSL_CASCADE:
        return CAT_CASCADE;
    case PSL_RESTRICT:
        return CAT_RESTRICT;
    case PSL_SET_NULL:
        return CAT_SET_NULL;
    case PSL_SET_DEFAULT:
        return CAT_SET_DEFAULT;
    default:
        return CAT_NO_ACTION;
    }
}

static void
add_foreign_key(Ctx *c, const PslRelation *r)
{
    CatConstraint *fk = catalog_add_to(c->out.catalog, c->tables[r->from->index], CAT_CONSTRAINT,
                                       text(c, r->constraint));
    const CatRef *to = &c->tables[r->to->index]->id;
    fk->type = CAT_FOREIGN_KEY;
    fk->ref_table = (CatName){to->schema, to->name};
    fk->on_delete = action_of(r->on_delete);
    fk->on_update = action_of(r->on_update);
    for (size_t i = 0; i < r->fields.n; i++)
        *vec_add(c->arena, &fk->columns) = text(c, r->fields.v[i]->column);
    for (size_t i = 0; i < r->references.n; i++)
        *vec_add(c->arena, &fk->ref_columns) = text(c, r->references.v[i]->column);
}

/* At most `max` characters of a name: Prisma counts characters here, and bytes in the rest. */
static Str
first_chars(Str s, size_t max)
{
    return str_slice(s, 0, str_utf8_offset(s, max));
}

static void
add_join_column(Ctx *c, CatRelation *t, const char *name, const PslModel *m)
{
    CatColumn *column = catalog_add_to(c->out.catalog, t, CAT_COLUMN, name);
    set_type(c, column, m->id->fields[0].field, false);
    column->default_expr = NULL;
    column->is_not_null = true;
}

static void
add_join_foreign_key(Ctx *c, CatRelation *t, const char *column, const PslModel *m, size_t max)
{
    Str name = str_of(t->id.name);
    CatConstraint *fk = catalog_add_to(
        c->out.catalog, t, CAT_CONSTRAINT,
        str_fmt(c->arena, STR_FMT "_%s_fkey", STR_ARG(str_slice(name, 0, cut(name, max))), column));
    const CatRef *to = &c->tables[m->index]->id;
    fk->type = CAT_FOREIGN_KEY;
    *vec_add(c->arena, &fk->columns) = column;
    fk->ref_table = (CatName){to->schema, to->name};
    *vec_add(c->arena, &fk->ref_columns) = text(c, m->id->fields[0].field->column);
    fk->on_delete = fk->on_update = CAT_CASCADE;
}

static bool
has_model(const Ctx *c, const char *schema, Str table)
{
    for (size_t i = 0; i < c->psl->nmodels; i++)
        if (c->tables[i] && strcmp(c->tables[i]->id.schema, schema) == 0 &&
            str_is(table, c->tables[i]->id.name))
            return true;
    return false;
}

/* The table behind an implicit many-to-many relation. One that a model is mapped onto, to give it
 * more columns, is the model's. (Prisma 7.10 makes the relation's, and leaves those columns out.) */
static void
add_join_table(Ctx *c, const PslRelation *r)
{
    const char *schema = c->tables[r->from->index]->id.schema;
    Str name = first_chars(r->constraint, NAME_MAX_BYTES);
    if (has_model(c, schema, name))
        return;
    CatRelation *t = catalog_add(c->out.catalog, CAT_TABLE, schema, text(c, name));
    add_join_column(c, t, "A", r->from);
    add_join_column(c, t, "B", r->to);
    *vec_add(c->arena, &c->out.joins) = (CatJoin){.table = t->id,
                                                  .a = c->tables[r->from->index]->id,
                                                  .b = c->tables[r->to->index]->id,
                                                  .a_model = text(c, r->from->name),
                                                  .b_model = text(c, r->to->name)};
    CatConstraint *pk = catalog_add_to(
        c->out.catalog, t, CAT_CONSTRAINT,
        str_fmt(c->arena, STR_FMT "_AB_pkey", STR_ARG(first_chars(name, NAME_MAX_BYTES - 8))));
    pk->type = CAT_PRIMARY_KEY;
    *vec_add(c->arena, &pk->columns) = "A";
    *vec_add(c->arena, &pk->columns) = "B";
    CatIndex *index = catalog_add_to(
        c->out.catalog, t, CAT_INDEX,
        str_fmt(c->arena, STR_FMT "_B_index", STR_ARG(first_chars(name, NAME_MAX_BYTES - 8))));
    vec_add(c->arena, &index->keys)->column = "B";
    if (c->psl->datasource && c->psl->datasource->relation_mode == PSL_MODE_PRISMA)
        return;
    size_t max = NAME_MAX_BYTES - strlen("_A_fkey");
    add_join_foreign_key(c, t, "A", r->from, max);
    add_join_foreign_key(c, t, "B", r->to, max);
}

static int
by_forward(const void *x, const void *y)
{
    const PslRelation *p = *(PslRelation *const *)x, *q = *(PslRelation *const *)y;
    if (p->from->index != q->from->index)
        return p->from->index < q->from->index ? -1 : 1;
    return (p->forward > q->forward) - (p->forward < q->forward);
}

static void
add_relations(Ctx *c)
{
    VEC(PslRelation *) all = {0};
    for (size_t i = 0; i < c->psl->nrelations; i++) {
        PslRelation *r = c->psl->relations[i];
        if (r->forward && r->from && r->to && !r->from->is_view && !r->to->is_view)
            *vec_add(c->arena, &all) = r;
    }
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, by_forward);
    bool uses_keys = !c->psl->datasource || c->psl->datasource->relation_mode != PSL_MODE_PRISMA;
    vec_each (PslRelation *, r, &all)
        if (uses_keys && (*r)->kind != PSL_MANY_TO_MANY)
            add_foreign_key(c, *r);
    vec_each (PslRelation *, r, &all)
        if ((*r)->kind == PSL_MANY_TO_MANY)
            add_join_table(c, *r);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool
is_used(const PslResolved *psl, Str schema, bool is_default)
{
    for (size_t i = 0; i < psl->nmodels; i++) {
        const PslModel *m = psl->models[i];
        if (!m->is_view && (str_eq(m->schema, schema) || (is_default && !m->schema.n)))
            return true;
    }
    for (size_t i = 0; i < psl->nenums; i++)
        if (str_eq(psl->enums[i]->schema, schema) || (is_default && !psl->enums[i]->schema.n))
            return true;
    return false;
}

static void
add_schemas(Ctx *c)
{
    const PslDatasource *ds = c->psl->datasource;
    bool has_default = false;
    for (size_t i = 0; ds && i < ds->nschemas; i++) {
        bool is_default = str_is(ds->schemas[i], c->schema);
        has_default = has_default || is_default;
        const char *name = text(c, ds->schemas[i]);
        if (is_used(c->psl, ds->schemas[i], is_default))
            catalog_add(c->out.catalog, CAT_SCHEMA, NULL, name);
        else
            *vec_add(c->arena, &c->out.unused_schemas) = (CatRef){CAT_SCHEMA, NULL, name, NULL};
    }
    if (!has_default && is_used(c->psl, str_of(c->schema), true))
        catalog_add(c->out.catalog, CAT_SCHEMA, NULL, c->schema);
}

static void
add_extensions(Ctx *c)
{
    const PslDatasource *ds = c->psl->datasource;
    for (size_t i = 0; ds && i < ds->nextensions; i++) {
        const PslExtension *e = &ds->extensions[i];
        CatExtension *x = catalog_add(c->out.catalog, CAT_EXTENSION, NULL,
                                      text(c, e->db_name.n ? e->db_name : e->name));
        x->in_schema = e->schema.n ? text(c, e->schema) : NULL;
        x->version = e->version.n ? text(c, e->version) : NULL;
    }
}

static void
add_enums(Ctx *c)
{
    for (size_t i = 0; i < c->psl->nenums; i++) {
        const PslEnum *e = c->psl->enums[i];
        CatEnum *x =
            catalog_add(c->out.catalog, CAT_ENUM, schema_of(c, e->schema), text(c, e->db_name));
        bridge_rename(c->arena, &c->out, e->decl->doc, x->id);
        for (size_t k = 0; k < e->nvalues; k++) {
            const char *label = text(c, e->values[k].db_name);
            *vec_add(c->arena, &x->labels) = label;
            bridge_rename(c->arena, &c->out, e->values[k].ast->doc,
                          (CatRef){CAT_ENUM, x->id.schema, x->id.name, label});
        }
    }
}

Bridge
bridge_catalog(Arena *a, const PslResolved *schema, const BridgeOptions *opts)
{
    Ctx c = {.arena = a,
             .psl = schema,
             .schema = opts && opts->schema ? opts->schema : "public",
             .out = {.catalog = catalog_new(a)},
             .tables = arena_array(a, CatRelation *, schema->nmodels)};
    add_schemas(&c);
    add_extensions(&c);
    add_enums(&c);
    for (size_t i = 0; i < schema->nmodels; i++)
        if (!schema->models[i]->is_view)
            add_table(&c, schema->models[i]);
    add_relations(&c);
    catalog_finish(c.out.catalog);
    return c.out;
}
