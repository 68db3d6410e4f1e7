/* Names that meet in the database or in the generated client. */
#include "psl/validate_int.h"

/* A declaration that was not refused as the second one of its name. */
static bool
counts(const Ctx *c, const PslModel *m)
{
    return psl_model(c->r, m->name) == m;
}

/* A name in its name space, valid until `b` is used again. */
static Str
scoped(Buf *b, Str scope, Str name)
{
    buf_clear(b);
    buf_add(b, scope);
    buf_addc(b, '\0');
    buf_add(b, name);
    return buf_str(b);
}

/* Enter a key that is to stay; returns the previous value or NULL. */
static void *
enter(Map *map, Str key, void *value)
{
    return map_put(map, map_has(map, key) ? key : str_copy(map->arena, key), value);
}

static void
count_up(Map *map, Str key)
{
    enter(map, key, (void *)((uintptr_t)map_get(map, key) + 1));
}

/* -- Tables and enum types -- */

static void
check_tables(Ctx *c, Buf *b, bool *ret_clashes)
{
    Map tables;
    map_init(&tables, c->scratch);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        if (!counts(c, m))
            continue;
        PslModel *other = enter(&tables, scoped(b, m->schema, m->table), m);
        if (!other)
            continue;
        ret_clashes[m->index] = ret_clashes[other->index] = true;
        PslModel *at = psl_attr(m->decl->attrs, "map") ? m : other;
        const PslAttr *attr = psl_attr(at->decl->attrs, "map");
        Finding *d =
            v_error(c, FINDING_TABLE_DUPLICATE, model_file(at), attr ? attr->span : at->decl->head,
                    "\"" STR_FMT "\" and \"" STR_FMT "\" stand for the same table \"" STR_FMT "\"",
                    Q(other->name), Q(m->name), Q(m->table));
        v_hint(c, d, "choose another name in @@map");
    }
}

static void
check_enum_types(Ctx *c, Buf *b)
{
    Map types;
    map_init(&types, c->scratch);
    for (size_t i = 0; i < c->r->nenums; i++) {
        PslEnum *e = c->r->enums[i];
        if (psl_enum(c->r, e->name) != e)
            continue;
        PslEnum *other = enter(&types, scoped(b, e->schema, e->db_name), e);
        if (other)
            v_error(c, FINDING_ENUM_TYPE_DUPLICATE, e->decl->file, e->decl->head,
                    "the enums \"" STR_FMT "\" and \"" STR_FMT "\" stand for the same type",
                    Q(other->name), Q(e->name));
    }
}

/* -- Constraints: indexes share one name space per schema, constraints one per table -- */

typedef struct Names {
    Ctx *c;
    Buf *b;
    const bool *skipped; /* by model: another one has the same table, all names would clash */
    Map global;          /* schema, name -> count */
    Map local;           /* model, name -> count */
} Names;

static Str
global_key(Names *n, const PslKey *key)
{
    return scoped(n->b, key->model->schema, key->name);
}

static Str
local_key(Names *n, const PslModel *m, Str name)
{
    return scoped(n->b, (Str){(const char *)&m->index, sizeof m->index}, name);
}

static void
count_key(Names *n, const PslKey *key)
{
    if (key->nfields == 0 || key->is_broken || n->skipped[key->model->index])
        return;
    count_up(&n->global, global_key(n, key));
    count_up(&n->local, local_key(n, key->model, key->name));
}

static void
taken(Ctx *c, const PslFile *file, PslSpan at, Str name)
{
    Finding *d = v_error(c, FINDING_CONSTRAINT_DUPLICATE, file, at,
                         "the name \"" STR_FMT "\" of a constraint or index is taken", Q(name));
    v_hint(c, d, "choose another one with the argument \"map\"");
}

static void
check_key_name(Names *n, const PslKey *key)
{
    Ctx *c = n->c;
    if (key->nfields == 0 || key->is_broken || n->skipped[key->model->index])
        return;
    bool is_taken = (uintptr_t)map_get(&n->global, global_key(n, key)) > 1;
    if (!is_taken && key->kind == PSL_KEY_ID)
        is_taken = (uintptr_t)map_get(&n->local, local_key(n, key->model, key->name)) > 1;
    if (is_taken)
        taken(c, model_file(key->model), key->attr->span, key->name);
}

static void
check_constraints(Ctx *c, Buf *b, const bool *skipped)
{
    Names n = {.c = c, .b = b, .skipped = skipped};
    map_init(&n.global, c->scratch);
    map_init(&n.local, c->scratch);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        if (m->id && counts(c, m))
            count_key(&n, m->id);
        for (size_t k = 0; k < m->keys.n && counts(c, m); k++)
            count_key(&n, m->keys.v[k]);
    }
    for (size_t i = 0; i < c->r->nrelations; i++) {
        const PslRelation *r = c->r->relations[i];
        if (r->forward && r->kind != PSL_MANY_TO_MANY)
            count_up(&n.local, local_key(&n, r->from, r->constraint));
    }
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        if (m->is_view || !counts(c, m))
            continue;
        if (m->id)
            check_key_name(&n, m->id);
        for (size_t k = 0; k < m->keys.n; k++)
            check_key_name(&n, m->keys.v[k]);
    }
    for (size_t i = 0; i < c->r->nrelations; i++) {
        const PslRelation *r = c->r->relations[i];
        if (!r->forward || r->kind == PSL_MANY_TO_MANY || r->is_broken || r->fields.n == 0)
            continue;
        if ((uintptr_t)map_get(&n.local, local_key(&n, r->from, r->constraint)) > 1)
            taken(c, model_file(r->from), r->forward->ast->span, r->constraint);
    }
}

/* -- The generated client: keys of several fields are properties beside the fields -- */

static Str
joined_names(Buf *b, const PslKey *key)
{
    buf_clear(b);
    for (size_t i = 0; i < key->nfields; i++) {
        if (i)
            buf_addc(b, '_');
        buf_add(b, key->fields[i].field->name);
    }
    return buf_str(b);
}

static void
check_joined_name(Ctx *c, Buf *b, PslKey *key)
{
    if (key->nfields < 2)
        return;
    Str name = joined_names(b, key);
    const PslModelField *f = psl_model_field(key->model, name);
    if (!f || f->kind == PSL_FIELD_RELATION)
        return;
    const char *shown = key->kind == PSL_KEY_ID ? "@@id" : "@@unique";
    Finding *d =
        v_error(c, FINDING_CLIENT_NAME_TAKEN, model_file(key->model), key->attr->span,
                "%s is called \"" STR_FMT "\" in the client, as is a field", shown, Q(name));
    v_hint(c, d, "rename the field");
}

static void
check_client_name(Ctx *c, Map *names, PslKey *key)
{
    PslModel *m = key->model;
    if (key->client_name.n == 0)
        return;
    if ((uintptr_t)map_get(names, key->client_name) > 1)
        v_error(c, FINDING_CLIENT_NAME_TAKEN, model_file(m), key->attr->span,
                "the name \"" STR_FMT "\" is used by another key of the model",
                Q(key->client_name));
    if (psl_model_field(m, key->client_name))
        v_error(c, FINDING_CLIENT_NAME_TAKEN, model_file(m), m->decl->head,
                "the name \"" STR_FMT "\" of a key is the name of a field", Q(key->client_name));
}

static void
check_client_names(Ctx *c, Buf *b, PslModel *m)
{
    Map names;
    map_init(&names, c->scratch);
    PslKey *id = m->is_view ? NULL : m->id;
    if (id && id->client_name.n)
        count_up(&names, id->client_name);
    for (size_t i = 0; i < m->keys.n; i++) {
        if (m->keys.v[i]->client_name.n)
            count_up(&names, m->keys.v[i]->client_name);
    }
    if (id) {
        check_joined_name(c, b, id);
        check_client_name(c, &names, id);
    }
    for (size_t i = 0; i < m->keys.n; i++) {
        if (m->keys.v[i]->kind != PSL_KEY_UNIQUE)
            continue;
        check_joined_name(c, b, m->keys.v[i]);
        check_client_name(c, &names, m->keys.v[i]);
    }
}

void
v_check_names(Ctx *c)
{
    Buf b;
    buf_init(&b, c->scratch);
    bool *clashes = arena_array(c->scratch, bool, c->r->nmodels);
    check_tables(c, &b, clashes);
    check_enum_types(c, &b);
    if (c->r->datasource && !c->is_foreign)
        check_constraints(c, &b, clashes);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        if (counts(c, c->r->models[i]))
            check_client_names(c, &b, c->r->models[i]);
    }
}
