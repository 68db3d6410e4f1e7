/* @id, @unique, @@id, @@unique, @@index, @@fulltext: their fields and arguments. */
#include "psl/validate_fields.h"

/* -- Lists of fields -- */

static const PslExpr *
named_arg(const PslExpr *call, const char *name)
{
    for (size_t i = 0; i < call->args.n; i++) {
        if (str_is(call->args.v[i].name, name) && call->args.v[i].value.kind != PSL_MISSING)
            return &call->args.v[i].value;
    }
    return NULL;
}

static PslSort
read_sort(Ctx *c, PslModel *m, const PslExpr *e)
{
    if (!v_expr_is(c, model_file(m), e, PSL_CONSTANT))
        m->is_broken = true;
    else if (str_is(e->text, "Asc"))
        return PSL_SORT_ASC;
    else if (str_is(e->text, "Desc"))
        return PSL_SORT_DESC;
    else
        v_model_error(c, FINDING_SORT_UNKNOWN, m, e->span,
                      "the sort order is Asc or Desc, not " STR_FMT, Q(e->text));
    return PSL_SORT_NONE;
}

static void
read_length(Ctx *c, PslModel *m, const PslExpr *e, PslKeyField *ret)
{
    int64_t length;
    if (!v_expr_is(c, model_file(m), e, PSL_NUMBER))
        m->is_broken = true;
    else if (v_literal_integer(e->text, &length))
        v_model_error(c, FINDING_VALUE_KIND, m, e->span, "a whole number belongs here");
    else
        ret->has_length = length >= 0;
}

static void
read_ops(Ctx *c, PslModel *m, const PslExpr *e, PslKeyField *ret)
{
    if (e->kind == PSL_CONSTANT) {
        ret->ops = v_opclass_of(e->text);
        if (ret->ops)
            return;
        Finding *d = v_model_error(c, FINDING_OPCLASS_UNKNOWN, m, e->span,
                                   "there is no operator class " STR_FMT, Q(e->text));
        Nearest near;
        v_near_init(c, &near, e->text);
        v_opclass_nearest(&near);
        if (v_near_found(&near))
            v_hint(c, d, "did you mean " STR_FMT "?", Q(near.best));
        else
            v_hint(c, d, "for any class that the database has: ops: raw(\"class_name\")");
    } else if (e->kind == PSL_FUNCTION && str_is(e->text, "raw") && e->args.n == 1 &&
               e->args.v[0].value.kind == PSL_STRING) {
        ret->raw_ops = e->args.v[0].value.text;
    } else {
        Finding *d = v_model_error(c, FINDING_OPCLASS_FORM, m, e->span,
                                   "an operator class is a name or raw(\"...\")");
        v_hint(c, d, "write ops: JsonbPathOps, or ops: raw(\"jsonb_path_ops\")");
    }
}

/* Arguments behind a field: others than these three are let pass, as Prisma does. */
static void
read_field_args(Ctx *c, PslModel *m, const PslExpr *call, PslKeyField *ret)
{
    const PslExpr *sort = named_arg(call, "sort");
    const PslExpr *length = named_arg(call, "length");
    const PslExpr *ops = named_arg(call, "ops");
    if (sort)
        ret->sort = read_sort(c, m, sort);
    if (length)
        read_length(c, m, length, ret);
    if (ops)
        read_ops(c, m, ops, ret);
}

/* `String userId`: the name is there, but as the type of a field. That was reported. */
static bool
is_swapped(const FieldPick *pick, Str name)
{
    for (size_t i = 0; i < pick->of->nfields && pick->of->is_broken; i++) {
        const PslModelField *f = &pick->of->fields[i];
        if (f->kind == PSL_FIELD_UNKNOWN && str_eq(f->ast->type.name, name))
            return true;
    }
    return false;
}

static void
unknown_field(Ctx *c, const FieldPick *pick, const PslExpr *e)
{
    if (pick->of->is_partial || (c->near_left && is_swapped(pick, e->text)))
        return;
    Finding *d = v_error(c, FINDING_FIELD_UNKNOWN, pick->file, e->span,
                         "the %s \"" STR_FMT "\" has no field \"" STR_FMT "\"",
                         psl_decl_word(pick->of->decl->kind), Q(pick->of->name), Q(e->text));
    Nearest near;
    v_near_init(c, &near, e->text);
    for (size_t i = 0; i < pick->of->nfields && v_near_open(&near); i++)
        v_near_try(&near, pick->of->fields[i].name);
    if (v_near_found(&near))
        v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
}

static void
relation_in_list(Ctx *c, const FieldPick *pick, const PslExpr *e, const PslModelField *f)
{
    Finding *d =
        v_error(c, FINDING_FIELD_NOT_SCALAR, pick->file, e->span,
                "\"" STR_FMT "\" is a relation field: it has no column of its own", Q(f->name));
    if (f->written->fields.n)
        v_hint(c, d, "name its columns: %s", v_field_names(c, f->written->fields, ", "));
}

bool
v_fields_pick(Ctx *c, FieldPick *pick, const PslExpr *e)
{
    PslArg space;
    PslArgs elements = v_expr_elements(e, &space);
    uint32_t mark = mark_next(c);
    bool ok = true;
    pick->v = arena_array(c->a, PslKeyField, elements.n);
    for (size_t i = 0; i < elements.n; i++) {
        const PslExpr *element = &elements.v[i].value;
        if (!(pick->with_args && element->kind == PSL_FUNCTION) &&
            !v_expr_is(c, pick->file, element, PSL_CONSTANT)) {
            ok = false;
            continue;
        }
        PslKeyField kf = {.field = psl_model_field(pick->of, element->text)};
        if (element->kind == PSL_FUNCTION)
            read_field_args(c, pick->of, element, &kf);
        if (!kf.field) {
            unknown_field(c, pick, element);
            ok = false;
        } else if (kf.field->kind == PSL_FIELD_RELATION) {
            relation_in_list(c, pick, element, kf.field);
            ok = false;
        } else if (kf.field->kind == PSL_FIELD_UNKNOWN || kf.field->kind == PSL_FIELD_COMPOSITE) {
            ok = false;
        } else if (kf.field->mark == mark) {
            v_error(c, FINDING_FIELD_REPEATED, pick->file, element->span,
                    "the field \"" STR_FMT "\" is listed twice", Q(kf.field->name));
            ok = false;
        } else {
            kf.field->mark = mark;
            pick->v[pick->n++] = kf;
        }
    }
    if (!ok)
        pick->n = 0;
    return ok;
}

/* -- Names by default, as PostgreSQL itself would choose them, cut at a whole character -- */

static Str
cut_and_add(Buf *b, const char *suffix)
{
    enum { LIMIT = 63 };
    size_t max = LIMIT - strlen(suffix);
    if (b->n > max) {
        size_t n = max;
        while (n > 0 && ((unsigned char)b->p[n] & 0xc0) == 0x80)
            n--;
        b->n = n;
    }
    buf_addz(b, suffix);
    return buf_finish(b);
}

static Str
name_primary_key(Arena *a, Str table)
{
    Buf b;
    buf_init(&b, a);
    buf_add(&b, table);
    return cut_and_add(&b, "_pkey");
}

Str
v_name_with_columns(Arena *a, Str table, const PslKeyField *fields, size_t n, const char *suffix)
{
    enum { ENOUGH = 64 };
    Buf b;
    buf_init(&b, a);
    buf_add(&b, table);
    buf_addc(&b, '_');
    for (size_t i = 0; i < n && b.n < ENOUGH; i++) {
        if (i)
            buf_addc(&b, '_');
        buf_add(&b, fields[i].field->column);
    }
    return cut_and_add(&b, suffix);
}

/* -- Keys -- */

static const char *
key_suffix(PslKeyKind kind)
{
    return kind == PSL_KEY_UNIQUE ? "_key" : "_idx";
}

static void
set_name(Ctx *c, PslKey *key, Args *args, unsigned map_index)
{
    Str map;
    if (v_args_name(c, args, map_index, &map)) {
        key->name = map;
        key->is_mapped = true;
    } else if (!key->is_mapped) {
        key->name = key->kind == PSL_KEY_ID
                        ? name_primary_key(c->a, key->model->table)
                        : v_name_with_columns(c->a, key->model->table, key->fields, key->nfields,
                                              key_suffix(key->kind));
    }
}

static PslKey *
new_key(Ctx *c, PslModel *m, PslKeyKind kind, const PslAttr *attr)
{
    PslKey *key = arena_new(c->a, PslKey);
    *key = (PslKey){.kind = kind, .attr = attr, .model = m};
    if (kind != PSL_KEY_ID)
        *vec_add(c->a, &m->keys) = key;
    return key;
}

static void
take_id(Ctx *c, PslModel *m, PslKey *key)
{
    if (!m->id) {
        m->id = key;
        return;
    }
    Finding *d = v_model_error(c, FINDING_ID_SECOND, m, m->decl->head,
                               "the %s \"" STR_FMT "\" has more than one primary key",
                               psl_decl_word(m->decl->kind), Q(m->name));
    v_hint(c, d, "for a key of several fields: @@id([a, b])");
}

void
v_keys_of_field(Ctx *c, PslModelField *f, const AttrSet *set)
{
    enum { MAP, SORT, LENGTH, CLUSTERED, WHERE };
    static const AttrId ids[] = {ATTR_ID, ATTR_UNIQUE};
    PslModel *m = f->model;
    for (size_t i = 0; i < 2; i++) {
        const PslAttr *attr = set->first[ids[i]];
        Args args;
        if (!attr)
            continue;
        if (!v_args_read(c, model_file(m), attr, ids[i], &args)) {
            m->is_broken = true;
            continue;
        }
        PslKey *key = new_key(c, m, ids[i] == ATTR_ID ? PSL_KEY_ID : PSL_KEY_UNIQUE, attr);
        key->source = f;
        key->fields = arena_new(c->a, PslKeyField);
        key->fields[0].field = f;
        key->nfields = 1;
        if (args.v[SORT])
            key->fields[0].sort = read_sort(c, m, &args.v[SORT]->value);
        if (args.v[LENGTH]) {
            read_length(c, m, &args.v[LENGTH]->value, &key->fields[0]);
            key->fields[0].has_length = true;
        }
        set_name(c, key, &args, MAP);
        key->clustered = args.v[CLUSTERED];
        if (ids[i] == ATTR_UNIQUE && args.v[WHERE])
            v_where_check(c, key, args.v[WHERE]);
        key->is_broken = args.is_broken;
        if (ids[i] == ATTR_ID)
            take_id(c, m, key);
        m->is_broken |= args.is_broken;
    }
}

/* `name` of @@id and @@unique becomes a property of the generated client. */
static void
read_client_name(Ctx *c, PslKey *key, Args *args, unsigned index)
{
    Str name;
    if (!v_args_name(c, args, index, &name))
        return;
    key->client_name = name;
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        if (ch == '_' || (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
            (ch >= 'A' && ch <= 'Z'))
            continue;
        Finding *d = v_model_error(c, FINDING_CLIENT_NAME, key->model, args->v[index]->span,
                                   "the name of a key consists of letters, digits and _ only");
        v_hint(c, d, "for the name in the database use \"map\"");
        return;
    }
}

static void
model_id(Ctx *c, PslModel *m, const PslAttr *attr)
{
    enum { FIELDS, MAP, NAME, CLUSTERED };
    Args args;
    FieldPick pick = {.of = m, .file = model_file(m), .with_args = true};
    if (!v_args_read(c, pick.file, attr, ATTR_M_ID, &args) ||
        !v_fields_pick(c, &pick, &args.v[FIELDS]->value)) {
        m->is_broken = true;
        return;
    }
    PslKey *key = new_key(c, m, PSL_KEY_ID, attr);
    key->fields = pick.v;
    key->nfields = pick.n;
    for (size_t i = 0; i < pick.n && !m->is_ignored; i++) {
        if (pick.v[i].field->arity == PSL_REQUIRED)
            continue;
        v_model_error(c, FINDING_ID_OPTIONAL, m, attr->span,
                      "the primary key needs required fields, but \"" STR_FMT "\" is %s",
                      Q(pick.v[i].field->name),
                      pick.v[i].field->arity == PSL_LIST ? "a list" : "optional");
        break;
    }
    set_name(c, key, &args, MAP);
    read_client_name(c, key, &args, NAME);
    key->clustered = args.v[CLUSTERED];
    take_id(c, m, key);
    m->is_broken |= args.is_broken;
}

static void
read_index_type(Ctx *c, PslKey *key, Args *args, unsigned index)
{
    Str name;
    if (!v_args_constant(c, args, index, &name))
        return;
    for (PslIndexType t = PSL_INDEX_BTREE; t <= PSL_INDEX_BRIN; t++) {
        if (str_is(name, psl_index_type_name(t)))
            key->type = t;
    }
    if (key->type != PSL_INDEX_DEFAULT)
        return;
    Finding *d = v_model_error(c, FINDING_INDEX_TYPE_UNKNOWN, key->model, args->v[index]->span,
                               "there is no index type " STR_FMT, Q(name));
    v_hint(c, d, "one of BTree, Hash, Gist, Gin, SpGist, Brin");
}

static void
index_args(Ctx *c, PslKey *key, Args *args)
{
    enum { FIELDS, NAME, MAP, CLUSTERED, WHERE, TYPE };
    Str name;
    if (key->kind == PSL_KEY_UNIQUE) {
        read_client_name(c, key, args, NAME);
    } else if (v_args_name(c, args, NAME, &name)) {
        key->name = name;
        key->is_mapped = true;
        if (args->v[MAP])
            v_model_error(c, FINDING_INDEX_NAME_AND_MAP, key->model, args->v[NAME]->span,
                          "\"name\" of @@index is the old form of \"map\": both are too many");
    }
    set_name(c, key, args, MAP);
    key->clustered = args->v[CLUSTERED];
    if (args->v[WHERE])
        v_where_check(c, key, args->v[WHERE]);
    if (key->kind == PSL_KEY_INDEX)
        read_index_type(c, key, args, TYPE);
}

static void
model_key(Ctx *c, PslModel *m, const PslAttr *attr, AttrId id, PslKeyKind kind)
{
    Args args;
    FieldPick pick = {.of = m, .file = model_file(m), .with_args = true};
    if (!v_args_read(c, pick.file, attr, id, &args)) {
        m->is_broken = true;
        return;
    }
    size_t before = c->r->errors;
    bool ok = v_fields_pick(c, &pick, &args.v[0]->value);
    PslKey *key = new_key(c, m, kind, attr);
    key->fields = pick.v;
    key->nfields = pick.n;
    if (kind == PSL_KEY_FULLTEXT) {
        Finding *d = v_model_error(c, FINDING_FULLTEXT_UNSUPPORTED, m, attr->span,
                                   "@@fulltext is not available with PostgreSQL");
        v_hint(c, d, "index a tsvector column: @@index([x], type: Gin)");
        set_name(c, key, &args, 1);
    } else {
        index_args(c, key, &args);
    }
    if (ok && pick.n == 0)
        v_model_error(c, FINDING_KEY_EMPTY, m, attr->span, "%s names no fields",
                      psl_attr_specs[id].shown);
    key->is_broken = args.is_broken || !ok || c->r->errors > before;
    m->is_broken |= key->is_broken;
}

void
v_keys_of_model(Ctx *c, PslModel *m, const AttrSet *set)
{
    static const struct {
        AttrId id;
        PslKeyKind kind;
    } order[] = {
        {ATTR_M_INDEX, PSL_KEY_INDEX},
        {ATTR_M_UNIQUE, PSL_KEY_UNIQUE},
        {ATTR_M_FULLTEXT, PSL_KEY_FULLTEXT},
    };
    if (m->id && !m->is_ignored && m->id->fields[0].field->arity != PSL_REQUIRED)
        v_model_error(c, FINDING_ID_OPTIONAL, m, m->id->attr->span,
                      "the primary key needs a required field, but \"" STR_FMT "\" is %s",
                      Q(m->id->source->name),
                      m->id->source->arity == PSL_LIST ? "a list" : "optional");
    if (set->first[ATTR_M_ID])
        model_id(c, m, set->first[ATTR_M_ID]);
    for (size_t i = 0; i < COUNT(order); i++) {
        for (size_t k = 0; set->first[order[i].id] && k < m->decl->attrs.n; k++) {
            const PslAttr *attr = &m->decl->attrs.v[k];
            if (str_is(attr->name, psl_attr_specs[order[i].id].name))
                model_key(c, m, attr, order[i].id, order[i].kind);
        }
    }
}
