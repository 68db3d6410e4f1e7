/* Attributes: which may stand where, with which arguments, and what the simple ones say. */
#include "psl/validate_int.h"

/* -- Attributes of one thing: unknown and doubled ones -- */

static AttrId
attr_id_of(Str name, unsigned where)
{
    AttrId id = 0;
    while (id < ATTR_COUNT &&
           !((psl_attr_specs[id].where & where) && str_is(name, psl_attr_specs[id].name)))
        id++;
    return id;
}

static void
unknown_attr(Ctx *c, const PslFile *file, const PslAttr *attr, unsigned where)
{
    const char *at = where & (ON_MODEL | ON_ENUM) ? "@@" : "@";
    Finding *d = v_error(c, FINDING_ATTRIBUTE_UNKNOWN, file, attr->span,
                         "there is no attribute %s" STR_FMT " here", at, Q(attr->name));
    Nearest near;
    v_near_init(c, &near, attr->name);
    for (AttrId id = 0; id < ATTR_COUNT; id++) {
        if (psl_attr_specs[id].where & where)
            v_near_try(&near, str_of(psl_attr_specs[id].name));
    }
    if (v_near_found(&near))
        v_hint(c, d, "did you mean %s" STR_FMT "?", at, Q(near.best));
}

static void
sort_out(Ctx *c, const PslFile *file, PslAttrs attrs, unsigned where, AttrSet *ret)
{
    *ret = (AttrSet){0};
    size_t count[ATTR_COUNT] = {0}, natives = 0;
    for (size_t i = 0; i < attrs.n; i++) {
        const PslAttr *attr = &attrs.v[i];
        if ((where & ON_NATIVE) && memchr(attr->name.p, '.', attr->name.n)) {
            ret->native = attr;
            if (++natives > 1) {
                v_error(c, FINDING_ATTRIBUTE_DUPLICATE, file, attr->span,
                        "a field has one native type, this one has more");
                ret->is_broken = true;
            }
            if (memchr(attr->name.p, '-', attr->name.n))
                v_error(c, FINDING_NAME_HYPHEN, file, attr->span,
                        "the name of a native type cannot contain a hyphen");
            continue;
        }
        AttrId id = attr_id_of(attr->name, where);
        if (id == ATTR_COUNT ||
            (c->prisma == 5 && (id == ATTR_SHARD_KEY || id == ATTR_M_SHARD_KEY))) {
            unknown_attr(c, file, attr, where);
            ret->is_broken = true;
            continue;
        }
        if (++count[id] == 1)
            ret->first[id] = attr;
    }
    for (size_t i = 0; i < attrs.n; i++) {
        AttrId id = attr_id_of(attrs.v[i].name, where);
        if (id == ATTR_COUNT || count[id] < 2 || (psl_attr_specs[id].form & ARG_REPEATS))
            continue;
        v_error(c, FINDING_ATTRIBUTE_DUPLICATE, file, attrs.v[i].span,
                "%s can only be written once", psl_attr_specs[id].shown);
        ret->first[id] = NULL;
        ret->is_broken = true;
    }
}

/* -- Fields -- */

/* Two fields in one column. A field whose name is the column of another one collides with it even
 * when it is mapped to a third column further down: Prisma refuses that as well. */
static void
map_field(Ctx *c, PslModelField *f, const PslAttr *attr, Map *columns)
{
    Args args;
    Str name;
    PslModel *m = f->model;
    if (!v_args_read(c, model_file(m), attr, ATTR_MAP, &args) ||
        !v_args_string(c, &args, 0, &name)) {
        f->is_broken = true;
        return;
    }
    f->column = name;
    const PslModelField *other = map_put(columns, name, f);
    const PslModelField *named = psl_model_field(m, name);
    if (!other && named && named != f && named->kind != PSL_FIELD_RELATION &&
        named->kind != PSL_FIELD_UNKNOWN &&
        (named->ast->index > f->ast->index || str_eq(named->column, name)))
        other = named;
    if (!other)
        return;
    Finding *d =
        v_field_error(c, FINDING_COLUMN_DUPLICATE, f, f->ast->span,
                      "the fields \"" STR_FMT "\" and \"" STR_FMT "\" stand for the same column",
                      Q(other->name), Q(f->name));
    v_hint(c, d, "choose another name in @map");
    m->is_broken = true;
}

static void
scalar_field_attrs(Ctx *c, PslModelField *f, Map *columns)
{
    const PslFile *file = model_file(f->model);
    AttrSet set;
    Args args;
    unsigned where = ON_SCALAR | (f->kind == PSL_FIELD_SCALAR ? ON_NATIVE : 0);
    sort_out(c, file, f->ast->attrs, where, &set);
    if (set.is_broken)
        f->is_broken = f->model->is_broken = true; /* it may have been the key */
    if (set.first[ATTR_MAP])
        map_field(c, f, set.first[ATTR_MAP], columns);
    if (set.first[ATTR_IGNORE] &&
        v_args_read(c, file, set.first[ATTR_IGNORE], ATTR_IGNORE, &args)) {
        f->is_ignored = true;
        if (f->kind == PSL_FIELD_UNSUPPORTED)
            v_field_error(c, FINDING_IGNORE_UNSUPPORTED, f, args.attr->span,
                          "a field of type Unsupported is ignored anyway");
    }
    if (set.first[ATTR_RELATION]) {
        f->model->is_broken = true; /* a relation field is missing */
        v_field_error(c, FINDING_RELATION_SCALAR, f, set.first[ATTR_RELATION]->span,
                      "@relation belongs to a field whose type is a model");
    }
    if (set.first[ATTR_UPDATED_AT] &&
        v_args_read(c, file, set.first[ATTR_UPDATED_AT], ATTR_UPDATED_AT, &args)) {
        f->is_updated_at = true;
        if (f->kind != PSL_FIELD_SCALAR || f->scalar != PSL_DATETIME || f->arity == PSL_LIST)
            v_field_error(c, FINDING_UPDATED_AT_TYPE, f, args.attr->span,
                          "@updatedAt belongs to a single field of type DateTime");
    }
    if (set.first[ATTR_DEFAULT])
        v_check_default(c, f, set.first[ATTR_DEFAULT]);
    if (set.first[ATTR_SHARD_KEY])
        v_field_error(c, FINDING_SHARD_KEY, f, set.first[ATTR_SHARD_KEY]->span,
                      "PostgreSQL has no shard keys");
    f->native_attr = set.native;
    v_keys_of_field(c, f, &set);
}

static void
relation_field_attrs(Ctx *c, PslModelField *f)
{
    static const AttrId refused[] = {ATTR_ID, ATTR_DEFAULT, ATTR_MAP, ATTR_UNIQUE};
    const PslFile *file = model_file(f->model);
    AttrSet set;
    Args args;
    sort_out(c, file, f->ast->attrs, ON_RELATION, &set);
    if (set.is_broken)
        f->is_broken = true;
    if (set.first[ATTR_RELATION])
        v_relation_attr(c, f, set.first[ATTR_RELATION]);
    f->is_ignored =
        set.first[ATTR_IGNORE] && v_args_read(c, file, set.first[ATTR_IGNORE], ATTR_IGNORE, &args);
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (!set.first[refused[i]])
            continue;
        Finding *d =
            v_field_error(c, FINDING_RELATION_FIELD_ATTRIBUTE, f, set.first[refused[i]]->span,
                          "%s does not go with a relation field", psl_attr_specs[refused[i]].shown);
        if (f->written->fields.n)
            v_hint(c, d, "put it on %s", v_field_names(c, f->written->fields, ", "));
    }
}

/* -- Declarations -- */

static void
read_schema_attr(Ctx *c, const PslFile *file, const PslAttr *attr, Str *ret)
{
    Args args;
    if (!v_args_read(c, file, attr, ATTR_M_SCHEMA, &args) || !v_args_string(c, &args, 0, ret))
        return;
    if (c->prisma == 5 && !v_has_preview(c, "multiSchema"))
        v_error(c, FINDING_SCHEMA_PREVIEW, file, attr->span,
                "Prisma 5 knows @@schema as a preview feature only");
}

static void
model_attrs(Ctx *c, PslModel *m)
{
    const PslFile *file = model_file(m);
    AttrSet set;
    Args args;
    sort_out(c, file, m->decl->attrs, ON_MODEL, &set);
    m->is_broken |= set.is_broken;
    if (set.first[ATTR_M_IGNORE])
        m->is_ignored = v_args_read(c, file, set.first[ATTR_M_IGNORE], ATTR_M_IGNORE, &args);
    if (set.first[ATTR_M_MAP] && v_args_read(c, file, set.first[ATTR_M_MAP], ATTR_M_MAP, &args))
        (void)v_args_string(c, &args, 0, &m->table);
    if (set.first[ATTR_M_SCHEMA])
        read_schema_attr(c, file, set.first[ATTR_M_SCHEMA], &m->schema);
    if (set.first[ATTR_M_SHARD_KEY])
        v_error(c, FINDING_SHARD_KEY, file, set.first[ATTR_M_SHARD_KEY]->span,
                "PostgreSQL has no shard keys");
    Map columns;
    ArenaMark mark = arena_mark(c->scratch);
    map_init(&columns, c->scratch);
    for (size_t i = 0; i < m->nfields; i++) {
        PslModelField *f = &m->fields[i];
        bool is_column = f->kind == PSL_FIELD_SCALAR || f->kind == PSL_FIELD_ENUM ||
                         f->kind == PSL_FIELD_UNSUPPORTED;
        if (!is_column)
            continue;
        scalar_field_attrs(c, f, &columns);
        if (f->is_ignored && m->is_ignored)
            v_field_error(c, FINDING_IGNORE_TWICE, f, f->ast->span,
                          "the %s is ignored as a whole: its fields need no @ignore",
                          psl_decl_word(m->decl->kind));
    }
    arena_reset(c->scratch, mark);
    v_keys_of_model(c, m, &set);
}

static void
enum_attrs(Ctx *c, PslEnum *e)
{
    const PslFile *file = e->decl->file;
    AttrSet set;
    Args args;
    Map labels;
    map_init(&labels, c->scratch);
    for (size_t i = 0; i < e->nvalues; i++) {
        PslEnumValue *v = &e->values[i];
        sort_out(c, file, v->ast->attrs, ON_ENUM_VALUE, &set);
        if (set.first[ATTR_MAP] && v_args_read(c, file, set.first[ATTR_MAP], ATTR_MAP, &args))
            (void)v_args_string(c, &args, 0, &v->db_name);
        /* Prisma lets this pass, CREATE TYPE does not. */
        if (map_put(&labels, v->db_name, v) && map_get(&e->by_name, v->name) == v)
            v_warn(c, FINDING_ENUM_LABEL_DUPLICATE, file, v->ast->span,
                   "PostgreSQL refuses the label \"" STR_FMT "\" twice in an enum", Q(v->db_name));
    }
    sort_out(c, file, e->decl->attrs, ON_ENUM, &set);
    if (set.first[ATTR_M_MAP] && v_args_read(c, file, set.first[ATTR_M_MAP], ATTR_M_MAP, &args))
        (void)v_args_string(c, &args, 0, &e->db_name);
    if (set.first[ATTR_M_SCHEMA])
        read_schema_attr(c, file, set.first[ATTR_M_SCHEMA], &e->schema);
}

/* The fields of relations come first: messages about keys quote their `fields`. */
void
v_check_attrs(Ctx *c)
{
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++) {
            if (m->fields[k].kind == PSL_FIELD_RELATION)
                relation_field_attrs(c, &m->fields[k]);
        }
    }
    for (size_t i = 0; i < c->r->nmodels; i++)
        model_attrs(c, c->r->models[i]);
    for (size_t i = 0; i < c->r->nenums; i++)
        enum_attrs(c, c->r->enums[i]);
}
