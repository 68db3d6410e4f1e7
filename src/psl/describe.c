/* What `aramid schema` prints: the schema as it was understood. */
#include "psl/lex.h"
#include "psl/psl_validate.h"

static const char *
arity_suffix(PslArity arity)
{
    return arity == PSL_LIST ? "[]" : arity == PSL_OPTIONAL ? "?" : "";
}

static Str
default_text(const PslModelField *f)
{
    const PslExpr *value = f->dflt.attr ? psl_arg_value(f->dflt.attr->args, "value", 0) : NULL;
    return value ? psl_text(f->model->decl->file, value->span) : (Str){"", 0};
}

static const char *
key_word(PslKeyKind kind)
{
    static const char *const words[] = {
        [PSL_KEY_ID] = "id",
        [PSL_KEY_UNIQUE] = "unique",
        [PSL_KEY_INDEX] = "index",
        [PSL_KEY_FULLTEXT] = "fulltext",
    };
    return words[kind];
}

static const char *
relation_word(PslRelationKind kind)
{
    static const char *const words[] = {
        [PSL_ONE_TO_ONE] = "one-to-one",
        [PSL_ONE_TO_MANY] = "one-to-many",
        [PSL_MANY_TO_MANY] = "many-to-many",
    };
    return words[kind];
}

/* All keys of a model, the id first. */
static const PslKey *
key_at(const PslModel *m, size_t i)
{
    if (m->id)
        return i == 0 ? m->id : m->keys.v[i - 1];
    return m->keys.v[i];
}

static size_t
key_count(const PslModel *m)
{
    return m->keys.n + (m->id != NULL);
}

/* -- Text -- */

static void
add_fields(Buf *b, const PslFieldList *list)
{
    for (size_t i = 0; i < list->n; i++)
        buf_fmt(b, "%s%.*s", i ? ", " : "", STR_ARG(list->v[i]->name));
}

static void
add_note(Buf *b, const char *note)
{
    if (b->n)
        buf_addz(b, ", ");
    buf_addz(b, note);
}

static void
add_relation_note(Buf *b, const PslModelField *f)
{
    const PslRelation *r = f->relation;
    add_note(b, relation_word(r->kind));
    const PslModelField *other = r->forward == f ? r->back : r->forward;
    if (other)
        buf_fmt(b, " with %.*s.%.*s", STR_ARG(other->model->name), STR_ARG(other->name));
    if (r->kind == PSL_MANY_TO_MANY) {
        buf_fmt(b, " through table \"%.*s\"", STR_ARG(r->constraint));
    } else if (r->forward == f) {
        buf_addz(b, " by ");
        add_fields(b, &r->fields);
        buf_addz(b, " -> ");
        add_fields(b, &r->references);
        buf_fmt(b, ", on delete %s", psl_action_name(r->on_delete));
    }
}

/* The kinds of keys that each field carries itself, as bits. */
static uint8_t *
keys_of_fields(Arena *a, const PslModel *m)
{
    uint8_t *ret = arena_array(a, uint8_t, m->nfields);
    for (size_t i = 0; i < key_count(m); i++) {
        const PslKey *key = key_at(m, i);
        if (key->source)
            ret[key->source->ast->index] |= (uint8_t)(1u << key->kind);
    }
    return ret;
}

/* What is to be told about a field, behind its name and type. */
static Str
field_notes(Arena *a, const PslModelField *f, unsigned keys)
{
    Buf b;
    buf_init(&b, a);
    if (!str_eq(f->column, f->name))
        buf_fmt(&b, "column \"%.*s\"", STR_ARG(f->column));
    if (f->native_attr) {
        Str native = psl_text(f->model->decl->file, f->native_attr->span);
        add_note(&b, str_dup(a, str_slice(native, 1, native.n)));
    }
    for (PslKeyKind kind = PSL_KEY_ID; kind <= PSL_KEY_FULLTEXT; kind++) {
        if (keys & (1u << kind))
            add_note(&b, key_word(kind));
    }
    if (default_text(f).n)
        add_note(&b, str_fmt(a, "default %.*s", STR_ARG(default_text(f))));
    if (f->is_updated_at)
        add_note(&b, "set on every update");
    if (f->relation)
        add_relation_note(&b, f);
    if (f->is_ignored)
        add_note(&b, "ignored");
    if (f->kind == PSL_FIELD_UNKNOWN)
        add_note(&b, "unknown type");
    return buf_str(&b);
}

static Str
field_type(Arena *a, const PslModelField *f)
{
    const PslType *type = &f->ast->type;
    return str_of(str_fmt(a, type->is_unsupported ? "Unsupported(\"%.*s\")%s" : "%.*s%s",
                          STR_ARG(type->name), arity_suffix(f->arity)));
}

static void
describe_key(Buf *b, const PslKey *key)
{
    buf_fmt(b, "  %s (", key_word(key->kind));
    for (size_t i = 0; i < key->nfields; i++) {
        const PslKeyField *f = &key->fields[i];
        buf_fmt(b, "%s%.*s%s", i ? ", " : "", STR_ARG(f->field ? f->field->name : STR("?")),
                f->sort == PSL_SORT_DESC ? " desc" : "");
    }
    buf_fmt(b, ") named \"%.*s\"", STR_ARG(key->name));
    if (key->type != PSL_INDEX_DEFAULT)
        buf_fmt(b, " using %s", psl_index_type_name(key->type));
    if (key->where)
        buf_fmt(b, " where %.*s", STR_ARG(psl_text(key->model->decl->file, key->where->span)));
    buf_addc(b, '\n');
}

static void
describe_model(Arena *a, Buf *b, const PslModel *m)
{
    buf_fmt(b, "%s %.*s: %s \"%.*s%s%.*s\"%s\n", m->is_view ? "view" : "model", STR_ARG(m->name),
            m->is_view ? "view" : "table", STR_ARG(m->schema), m->schema.n ? "." : "",
            STR_ARG(m->table), m->is_ignored ? ", ignored" : "");
    const uint8_t *keys = keys_of_fields(a, m);
    size_t names = 0, types = 0;
    for (size_t i = 0; i < m->nfields; i++) {
        size_t name = lex_columns(m->fields[i].name);
        size_t type = lex_columns(field_type(a, &m->fields[i]));
        names = name > names ? name : names;
        types = type > types ? type : types;
    }
    for (size_t i = 0; i < m->nfields; i++) {
        const PslModelField *f = &m->fields[i];
        Str type = field_type(a, f), notes = field_notes(a, f, keys[i]);
        buf_addz(b, "  ");
        buf_add(b, f->name);
        buf_addn(b, ' ', names - lex_columns(f->name) + 2);
        buf_add(b, type);
        if (notes.n)
            buf_addn(b, ' ', types - lex_columns(type) + 2);
        buf_add(b, notes);
        buf_addc(b, '\n');
    }
    for (size_t i = 0; i < key_count(m); i++) {
        if (!key_at(m, i)->source)
            describe_key(b, key_at(m, i));
    }
}

static void
describe_enum(Buf *b, const PslEnum *e)
{
    buf_fmt(b, "enum %.*s: type \"%.*s%s%.*s\"\n", STR_ARG(e->name), STR_ARG(e->schema),
            e->schema.n ? "." : "", STR_ARG(e->db_name));
    for (size_t i = 0; i < e->nvalues; i++) {
        const PslEnumValue *v = &e->values[i];
        buf_fmt(b, "  %.*s", STR_ARG(v->name));
        if (!str_eq(v->name, v->db_name))
            buf_fmt(b, "  label \"%.*s\"", STR_ARG(v->db_name));
        buf_addc(b, '\n');
    }
}

Str
psl_describe(Arena *a, const PslResolved *r)
{
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%zu model%s, %zu enum%s, %zu relation%s\n", r->nmodels, str_plural(r->nmodels),
            r->nenums, str_plural(r->nenums), r->nrelations, str_plural(r->nrelations));
    for (size_t i = 0; i < r->nmodels; i++) {
        buf_addc(&b, '\n');
        describe_model(scratch, &b, r->models[i]);
    }
    for (size_t i = 0; i < r->nenums; i++) {
        buf_addc(&b, '\n');
        describe_enum(&b, r->enums[i]);
    }
    return buf_str(&b);
}

/* -- JSON (docs/schema/schema.json): every name is always there, null where there is nothing -- */

static void
json_optional(JsonWriter *w, const char *key, Str value)
{
    if (value.n)
        jw_str(w, key, value);
    else
        jw_null(w, key);
}

static void
json_fields(JsonWriter *w, const char *key, const PslFieldList *list)
{
    jw_array(w, key);
    for (size_t i = 0; i < list->n; i++)
        jw_str(w, NULL, list->v[i]->name);
    jw_end(w);
}

static const char *
field_kind_word(PslFieldKind kind)
{
    static const char *const words[] = {
        [PSL_FIELD_UNKNOWN] = "unknown",   [PSL_FIELD_SCALAR] = "scalar",
        [PSL_FIELD_ENUM] = "enum",         [PSL_FIELD_UNSUPPORTED] = "unsupported",
        [PSL_FIELD_RELATION] = "relation", [PSL_FIELD_COMPOSITE] = "composite",
    };
    return words[kind];
}

static const char *
arity_word(PslArity arity)
{
    return arity == PSL_LIST ? "list" : arity == PSL_OPTIONAL ? "optional" : "required";
}

static void
json_field(JsonWriter *w, const PslModelField *f)
{
    const PslFile *file = f->model->decl->file;
    jw_object(w, NULL);
    jw_str(w, "name", f->name);
    jw_strz(w, "kind", field_kind_word(f->kind));
    jw_str(w, "type", f->ast->type.name);
    jw_strz(w, "arity", arity_word(f->arity));
    json_optional(w, "column", f->kind == PSL_FIELD_RELATION ? STR("") : f->column);
    json_optional(w, "nativeType", f->native_attr ? psl_text(file, f->native_attr->span) : STR(""));
    json_optional(w, "default", default_text(f));
    jw_bool(w, "updatedAt", f->is_updated_at);
    jw_bool(w, "ignored", f->is_ignored);
    json_optional(w, "documentation", f->ast->doc);
    jw_end(w);
}

static const char *
sort_word(PslSort sort)
{
    return sort == PSL_SORT_ASC ? "asc" : sort == PSL_SORT_DESC ? "desc" : NULL;
}

static void
json_key(JsonWriter *w, const PslKey *key)
{
    jw_object(w, NULL);
    jw_strz(w, "kind", key_word(key->kind));
    jw_str(w, "name", key->name);
    jw_array(w, "fields");
    for (size_t i = 0; i < key->nfields; i++) {
        const PslKeyField *f = &key->fields[i];
        if (!f->field)
            continue;
        jw_object(w, NULL);
        jw_str(w, "name", f->field->name);
        jw_strz(w, "sort", sort_word(f->sort));
        json_optional(w, "operatorClass", f->ops ? str_of(f->ops->sql) : f->raw_ops);
        jw_end(w);
    }
    jw_end(w);
    jw_strz(w, "type", key->type != PSL_INDEX_DEFAULT ? psl_index_type_name(key->type) : NULL);
    json_optional(w, "where",
                  key->where ? psl_text(key->model->decl->file, key->where->span) : STR(""));
    jw_end(w);
}

static void
json_place(JsonWriter *w, const PslDecl *decl, StrCursor *at)
{
    str_cursor_to(at, decl->file->source->text, decl->span.off);
    jw_strz(w, "path", decl->file->source->path);
    jw_int(w, "line", at->line);
}

static void
json_model(JsonWriter *w, const PslModel *m, StrCursor *at)
{
    jw_object(w, NULL);
    jw_str(w, "name", m->name);
    jw_strz(w, "kind", m->is_view ? "view" : "model");
    jw_str(w, "table", m->table);
    json_optional(w, "schema", m->schema);
    jw_bool(w, "ignored", m->is_ignored);
    json_optional(w, "documentation", m->decl->doc);
    json_place(w, m->decl, at);
    jw_array(w, "fields");
    for (size_t i = 0; i < m->nfields; i++)
        json_field(w, &m->fields[i]);
    jw_end(w);
    jw_array(w, "keys");
    for (size_t i = 0; i < key_count(m); i++)
        json_key(w, key_at(m, i));
    jw_end(w);
    jw_end(w);
}

static void
json_enum(JsonWriter *w, const PslEnum *e, StrCursor *at)
{
    jw_object(w, NULL);
    jw_str(w, "name", e->name);
    jw_str(w, "type", e->db_name);
    json_optional(w, "schema", e->schema);
    json_optional(w, "documentation", e->decl->doc);
    json_place(w, e->decl, at);
    jw_array(w, "values");
    for (size_t i = 0; i < e->nvalues; i++) {
        jw_object(w, NULL);
        jw_str(w, "name", e->values[i].name);
        jw_str(w, "label", e->values[i].db_name);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void
json_side(JsonWriter *w, const char *key, const PslModelField *f)
{
    if (!f) {
        jw_null(w, key);
        return;
    }
    jw_object(w, key);
    jw_str(w, "model", f->model->name);
    jw_str(w, "field", f->name);
    jw_end(w);
}

static const char *
action_text(PslAction action)
{
    return action == PSL_ACTION_NONE ? NULL : psl_action_name(action);
}

static void
json_relation(JsonWriter *w, const PslRelation *r)
{
    bool is_join = r->kind == PSL_MANY_TO_MANY;
    jw_object(w, NULL);
    jw_str(w, "name", r->name);
    jw_strz(w, "kind", relation_word(r->kind));
    json_side(w, "from", r->forward);
    json_side(w, "to", r->back);
    json_optional(w, "constraint", is_join ? STR("") : r->constraint);
    json_optional(w, "joinTable", is_join ? r->constraint : STR(""));
    json_fields(w, "fields", &r->fields);
    json_fields(w, "references", &r->references);
    jw_strz(w, "onDelete", is_join ? NULL : action_text(r->on_delete));
    jw_strz(w, "onUpdate", is_join ? NULL : action_text(r->on_update));
    jw_end(w);
}

void
psl_describe_json(JsonWriter *w, const PslResolved *r)
{
    StrCursor at = {0};
    if (r->datasource) {
        jw_object(w, "datasource");
        jw_str(w, "name", r->datasource->name);
        jw_str(w, "provider", r->datasource->provider);
        jw_end(w);
    } else {
        jw_null(w, "datasource");
    }
    jw_array(w, "models");
    for (size_t i = 0; i < r->nmodels; i++)
        json_model(w, r->models[i], &at);
    jw_end(w);
    jw_array(w, "enums");
    for (size_t i = 0; i < r->nenums; i++)
        json_enum(w, r->enums[i], &at);
    jw_end(w);
    jw_array(w, "relations");
    for (size_t i = 0; i < r->nrelations; i++)
        json_relation(w, r->relations[i]);
    jw_end(w);
}
