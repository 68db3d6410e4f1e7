/* Rules of one model or view: its keys, indexes and columns, as PostgreSQL takes them. */
#include "psl/validate_int.h"

enum { NAME_LIMIT = 63 }; /* bytes of a PostgreSQL identifier */

/* -- Without a datasource Prisma assumes a database that can do little -- */

static void
bare_field(Ctx *c, PslModelField *f)
{
    const char *what = f->arity == PSL_LIST                                      ? "a list"
                       : f->kind == PSL_FIELD_SCALAR && f->scalar == PSL_DECIMAL ? "a Decimal"
                                                                                 : NULL;
    if (what) {
        Finding *d = v_field_error(c, FINDING_DATASOURCE_MISSING, f, f->ast->span,
                                   "%s needs a datasource block that says the provider", what);
        v_hint(c, d, "add: datasource db { provider = \"postgresql\" }");
    }
    const PslModel *m = f->model;
    bool is_id = m->id && m->id->nfields == 1 && m->id->fields[0].field == f;
    if (f->dflt.kind == PSL_DEFAULT_AUTOINCREMENT && !is_id)
        v_field_error(c, FINDING_DATASOURCE_MISSING, f, f->ast->span,
                      "autoincrement() on a field that is not the id needs a datasource block");
}

static void
bare_model(Ctx *c, PslModel *m)
{
    for (size_t i = 0; i < m->nfields; i++) {
        if (m->fields[i].kind != PSL_FIELD_RELATION && m->fields[i].kind != PSL_FIELD_UNKNOWN)
            bare_field(c, &m->fields[i]);
    }
    if (m->id && m->id->is_mapped)
        v_model_error(c, FINDING_DATASOURCE_MISSING, m, m->decl->head,
                      "the name of a primary key needs a datasource block");
    for (size_t i = 0; i < m->keys.n; i++) {
        const PslKey *key = m->keys.v[i];
        if (key->type > PSL_INDEX_BTREE)
            v_model_error(c, FINDING_DATASOURCE_MISSING, m, key->attr->span,
                          "%s indexes need a datasource block", psl_index_type_name(key->type));
    }
}

/* -- Keys -- */

static bool
is_strict(const PslKey *key)
{
    for (size_t i = 0; i < key->nfields; i++) {
        const PslModelField *f = key->fields[i].field;
        if (f->arity == PSL_OPTIONAL || f->kind == PSL_FIELD_UNSUPPORTED)
            return false;
    }
    return true;
}

/* A client finds a row by a key whose fields are all required. */
static void
check_criterion(Ctx *c, PslModel *m)
{
    if (m->is_ignored || (m->id && is_strict(m->id)))
        return;
    bool has_loose = m->id != NULL;
    for (size_t i = 0; i < m->keys.n; i++) {
        if (m->keys.v[i]->kind != PSL_KEY_UNIQUE)
            continue;
        if (is_strict(m->keys.v[i]))
            return;
        has_loose = true;
    }
    const char *word = psl_decl_word(m->decl->kind);
    m->is_keyless = true;
    Finding *d =
        v_model_error(c, FINDING_KEY_MISSING, m, m->decl->head,
                      "the %s \"" STR_FMT "\" has no key of required fields", word, Q(m->name));
    if (has_loose)
        v_note(c, d, "keys with optional or Unsupported fields do not count");
    v_hint(c, d, "add @id or @unique to a field, or @@id([...]) or @@unique([...]) to the %s",
           word);
}

static void
check_name_length(Ctx *c, PslModel *m, const PslAttr *attr, Str name)
{
    if (name.n > NAME_LIMIT)
        v_model_error(c, FINDING_NAME_LONG, m, attr->span,
                      "a name in PostgreSQL has at most 63 bytes, this one has %zu", name.n);
}

static void
check_clustered(Ctx *c, const PslKey *key)
{
    if (key->clustered)
        v_model_error(c, FINDING_CLUSTERED_UNSUPPORTED, key->model, key->clustered->span,
                      "PostgreSQL does not keep tables in the order of an index");
}

static void
check_id(Ctx *c, PslModel *m)
{
    PslKey *id = m->id;
    check_clustered(c, id);
    if (m->is_view) {
        Finding *d = v_dialect(c, P6 | P7, FINDING_VIEW_ID, model_file(m), id->attr->span,
                               "Prisma 6 and 7 take no primary key in a view");
        v_hint(c, d, "use @unique");
        return;
    }
    if (c->has_datasource)
        check_name_length(c, m, id->attr, id->name);
    if (id->nfields == 0)
        v_model_error(c, FINDING_KEY_EMPTY, m, id->attr->span, "@@id names no fields");
    for (size_t i = 0; i < id->nfields; i++) {
        if (id->fields[i].sort != PSL_SORT_NONE || id->fields[i].has_length) {
            v_model_error(c, FINDING_ID_ARGUMENT, m, id->attr->span,
                          "a primary key in PostgreSQL has no %s",
                          id->fields[i].has_length ? "length" : "sort order");
            break;
        }
    }
}

static void
check_view_index(Ctx *c, PslKey *key)
{
    PslModel *m = key->model;
    bool has_args = false;
    check_clustered(c, key);
    for (size_t i = 0; i < key->nfields; i++) {
        const PslKeyField *kf = &key->fields[i];
        has_args |= kf->sort != PSL_SORT_NONE || kf->ops || kf->raw_ops.p || kf->has_length;
    }
    const char *wrong = key->kind != PSL_KEY_UNIQUE ? "indexes"
                        : key->is_mapped            ? "names of constraints"
                        : has_args                  ? "arguments of key fields"
                                                    : NULL;
    if (wrong)
        v_dialect(c, P6 | P7, FINDING_VIEW_INDEX, model_file(m), key->attr->span,
                  "Prisma 6 and 7 take no %s in a view", wrong);
}

/* PostgreSQL cannot compare XML. */
static void
check_xml(Ctx *c, PslKey *key)
{
    for (size_t i = 0; i < key->nfields; i++) {
        PslModelField *f = key->fields[i].field;
        if (f->native != PSL_NATIVE_XML)
            continue;
        v_field_error(c, FINDING_INDEX_XML, f, f->ast->span,
                      "PostgreSQL cannot index the type Xml");
        break;
    }
}

static void
check_index(Ctx *c, PslKey *key)
{
    PslModel *m = key->model;
    bool has_ops = false, has_sort = false, has_length = false;
    check_clustered(c, key);
    for (size_t i = 0; i < key->nfields; i++) {
        has_ops |= key->fields[i].ops || key->fields[i].raw_ops.p;
        has_sort |= key->fields[i].sort != PSL_SORT_NONE;
        has_length |= key->fields[i].has_length;
    }
    if (key->is_mapped && c->has_datasource)
        check_name_length(c, m, key->attr, key->name);
    if (has_length)
        v_model_error(c, FINDING_INDEX_LENGTH, m, key->attr->span,
                      "PostgreSQL indexes whole values: \"length\" is not available");
    if (key->type == PSL_INDEX_HASH && has_sort)
        v_model_error(c, FINDING_INDEX_SORT, m, key->attr->span, "a Hash index has no sort order");
    if (key->kind != PSL_KEY_INDEX && has_ops)
        v_model_error(c, FINDING_OPCLASS_UNIQUE, m, key->attr->span,
                      "operator classes belong to @@index only");
    if (!c->r->datasource || c->is_foreign)
        return;
    check_xml(c, key);
    v_opclass_check(c, key);
    if (key->type == PSL_INDEX_SPGIST && key->nfields != 1)
        v_model_error(c, FINDING_INDEX_COLUMNS, m, key->attr->span,
                      "an SpGist index has one column");
    /* Prisma lets this pass, CREATE INDEX does not. */
    if (key->type == PSL_INDEX_HASH && key->nfields > 1)
        v_warn(c, FINDING_INDEX_COLUMNS, model_file(m), key->attr->span,
               "PostgreSQL refuses a Hash index of several columns");
}

/* -- Schemas -- */

static void
check_schema(Ctx *c, const PslDecl *decl, Str schema)
{
    const PslDatasource *ds = c->r->datasource;
    const PslAttr *attr = psl_attr(decl->attrs, "schema");
    if (!c->has_datasource && schema.n) {
        v_error(c, FINDING_DATASOURCE_MISSING, decl->file, attr->span,
                "@@schema needs a datasource block that lists the schemas");
        return;
    }
    if (!ds || !ds->is_postgres)
        return;
    if (!schema.p) {
        if (!ds->schemas_prop || attr)
            return;
        Finding *d = v_error(c, FINDING_SCHEMA_MISSING, decl->file, decl->head,
                             "the %s \"" STR_FMT "\" does not say its schema",
                             psl_decl_word(decl->kind), Q(decl->name));
        if (ds->nschemas)
            v_hint(c, d, "add @@schema(\"" STR_FMT "\")", Q(ds->schemas[0]));
        return;
    }
    Nearest near;
    v_near_init(c, &near, schema);
    for (size_t i = 0; i < ds->nschemas; i++) {
        if (str_eq(ds->schemas[i], schema))
            return;
        v_near_try(&near, ds->schemas[i]);
    }
    Finding *d = v_error(c, FINDING_SCHEMA_UNKNOWN, decl->file, attr->span,
                         "the datasource does not list the schema \"" STR_FMT "\"", Q(schema));
    if (v_near_found(&near))
        v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
    else
        v_hint(c, d, "add it to the datasource: schemas = [\"" STR_FMT "\"]", Q(schema));
}

/* -- All of it -- */

static void
check_fields(Ctx *c, PslModel *m)
{
    for (size_t i = 0; i < m->nfields; i++) {
        PslModelField *f = &m->fields[i];
        if (f->is_broken)
            continue;
        if (f->kind == PSL_FIELD_SCALAR && !c->is_foreign)
            v_native_check(c, f);
        if (f->kind == PSL_FIELD_SCALAR)
            v_default_literal_check(c, f);
        if (f->kind == PSL_FIELD_UNSUPPORTED && c->r->datasource && !c->is_foreign)
            v_unsupported_check(c, f);
        /* Prisma lets this pass, PostgreSQL cuts the name. */
        if (f->kind != PSL_FIELD_RELATION && f->column.n > NAME_LIMIT)
            v_warn(c, FINDING_NAME_LONG, model_file(m), f->ast->span,
                   "PostgreSQL cuts names of columns to 63 bytes");
    }
}

static void
check_keys(Ctx *c, PslModel *m)
{
    if (m->id)
        check_id(c, m);
    for (size_t i = 0; i < m->keys.n; i++) {
        if (m->is_view)
            check_view_index(c, m->keys.v[i]);
        else
            check_index(c, m->keys.v[i]);
    }
}

static void
check_view(Ctx *c, PslModel *m)
{
    if (!v_has_preview(c, "views")) {
        Finding *d = v_error(c, FINDING_VIEW_PREVIEW, model_file(m), m->decl->head,
                             "views are a preview feature of Prisma");
        v_hint(c, d, "add to the generator: previewFeatures = [\"views\"]");
    }
    if (c->prisma == 5)
        check_criterion(c, m);
}

void
v_check_models(Ctx *c)
{
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        bool was_broken = m->is_broken;
        check_fields(c, m);
        if (m->is_view)
            check_view(c, m);
        if (!was_broken && !m->is_view)
            check_criterion(c, m);
        if (!was_broken)
            check_keys(c, m);
        if (!c->has_datasource)
            bare_model(c, m);
        if (!m->is_partial)
            check_schema(c, m->decl, m->schema);
        if (m->table.n > NAME_LIMIT)
            v_warn(c, FINDING_NAME_LONG, model_file(m), m->decl->head,
                   "PostgreSQL cuts names of tables to 63 bytes");
    }
    for (size_t i = 0; i < c->r->nenums; i++) {
        if (!c->r->enums[i]->is_partial)
            check_schema(c, c->r->enums[i]->decl, c->r->enums[i]->schema);
    }
}
