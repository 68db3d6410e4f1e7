/* Relations: what @relation says, and which two fields belong together. */
#include "psl/validate_fields.h"

/* -- @relation -- */

static PslAction
read_action(Ctx *c, PslModelField *f, Args *args, unsigned index)
{
    Str name;
    if (!v_args_constant(c, args, index, &name))
        return PSL_ACTION_NONE;
    Nearest near;
    v_near_init(c, &near, name);
    for (PslAction action = PSL_CASCADE; action <= PSL_SET_DEFAULT; action++) {
        if (str_is(name, psl_action_name(action)))
            return action;
        v_near_try(&near, str_of(psl_action_name(action)));
    }
    Finding *d = v_field_error(c, FINDING_ACTION_UNKNOWN, f, args->v[index]->span,
                               "there is no referential action " STR_FMT, Q(name));
    if (v_near_found(&near))
        v_hint(c, d, "did you mean " STR_FMT "?", Q(near.best));
    else
        v_hint(c, d, "one of Cascade, Restrict, NoAction, SetNull, SetDefault");
    return PSL_ACTION_NONE;
}

static PslFieldList
read_fields(Ctx *c, PslModelField *f, PslModel *of, const PslArg *arg)
{
    FieldPick pick = {.of = of, .file = model_file(f->model)};
    if (!v_fields_pick(c, &pick, &arg->value)) {
        /* Not only this field: a field that is missing there may be the cause. */
        f->is_broken = of->is_broken = true;
    }
    PslFieldList list = {arena_array(c->a, PslModelField *, pick.n), pick.n};
    for (size_t i = 0; i < pick.n; i++)
        list.v[i] = pick.v[i].field;
    return list;
}

void
v_relation_attr(Ctx *c, PslModelField *f, const PslAttr *attr)
{
    enum { NAME, FIELDS, REFERENCES, ON_DELETE, ON_UPDATE, MAP };
    Args args;
    Str name;
    if (!v_args_read(c, model_file(f->model), attr, ATTR_RELATION, &args)) {
        f->is_broken = true;
        return;
    }
    PslRelationAttr *written = arena_new(c->a, PslRelationAttr);
    f->written = written;
    written->attr = attr;
    if (args.v[FIELDS]) {
        written->has_fields = true;
        written->fields = read_fields(c, f, f->model, args.v[FIELDS]);
    }
    if (args.v[REFERENCES]) {
        written->has_references = true;
        written->references = read_fields(c, f, f->target, args.v[REFERENCES]);
    }
    if (v_args_name(c, &args, NAME, &name))
        written->name = name;
    if (v_args_name(c, &args, MAP, &name))
        written->map = name;
    written->on_delete = read_action(c, f, &args, ON_DELETE);
    written->on_update = read_action(c, f, &args, ON_UPDATE);
    f->is_broken |= args.is_broken;
}

/* -- Pairs -- */

/* The fields of one model that point to one model with one relation name, in order. */
typedef struct Group {
    PslModelField *v[3]; /* more are counted only */
    size_t n;
} Group;

static Str
group_key(Arena *a, const PslModel *from, const PslModel *to, Str name)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%u %u ", from->index, to->index);
    buf_add(&b, name);
    return buf_finish(&b);
}

static Group *
group_of(const Map *groups, const PslModel *from, const PslModel *to, Str name)
{
    Arena *a = groups->arena;
    ArenaMark mark = arena_mark(a);
    Group *g = map_get(groups, group_key(a, from, to, name));
    arena_reset(a, mark);
    return g;
}

bool
v_relations_broken_between(const Ctx *c, const PslModel *from, const PslModel *to)
{
    ArenaMark mark = arena_mark(c->a);
    bool found = map_has(&c->broken_pairs, group_key(c->a, from, to, STR("")));
    arena_reset(c->a, mark);
    return found;
}

static void
collect_groups(Ctx *c, Map *groups)
{
    map_init(groups, c->scratch);
    map_init(&c->broken_pairs, c->a);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++) {
            PslModelField *f = &m->fields[k];
            if (f->kind != PSL_FIELD_RELATION)
                continue;
            if (f->is_broken)
                map_put(&c->broken_pairs, group_key(c->a, m, f->target, STR("")), f);
            Group *g = group_of(groups, m, f->target, f->written->name);
            if (!g) {
                g = arena_new(c->scratch, Group);
                map_put(groups, group_key(c->scratch, m, f->target, f->written->name), g);
            }
            if (g->n < 3)
                g->v[g->n] = f;
            g->n++;
        }
    }
}

static PslModelField *
opposite_of(const Map *groups, const PslModelField *f)
{
    Group *g = group_of(groups, f->target, f->model, f->written->name);
    if (!g)
        return NULL;
    for (size_t i = 0; i < g->n && i < 3; i++) {
        if (g->v[i] != f)
            return g->v[i];
    }
    return NULL;
}

static int
compare_sides(const PslModelField *x, const PslModelField *y)
{
    int order = str_cmp(x->model->name, y->model->name);
    return order ? order : str_cmp(x->name, y->name);
}

/* True when `f` is the side from which a relation of two single fields is described: the one that
 * is required, or has `fields` (when both have: the first in the text), or comes first by name. */
static bool
is_forward_one_to_one(const PslModelField *f, const PslModelField *opposite)
{
    if (f->arity == PSL_REQUIRED && opposite->arity == PSL_OPTIONAL)
        return true;
    if (f->arity == PSL_OPTIONAL && opposite->arity == PSL_REQUIRED)
        return false;
    if (f->arity == PSL_OPTIONAL && f->written->has_fields && opposite->written->has_fields)
        return !opposite->relation;
    if (f->arity == PSL_OPTIONAL && (f->written->has_fields || opposite->written->has_fields))
        return f->written->has_fields;
    return compare_sides(f, opposite) <= 0;
}

static bool
same_fields(const PslKey *key, PslFieldList fields)
{
    if (key->nfields != fields.n)
        return false;
    for (size_t i = 0; i < fields.n; i++) {
        if (key->fields[i].field != fields.v[i])
            return false;
    }
    return true;
}

static bool
has_unique(const PslModel *m, PslFieldList fields)
{
    for (size_t i = 0; i < m->keys.n; i++) {
        if (m->keys.v[i]->kind == PSL_KEY_UNIQUE && same_fields(m->keys.v[i], fields))
            return true;
    }
    return false;
}

Str
v_relation_name_of(Arena *a, const PslModelField *f)
{
    if (f->written->name.n)
        return f->written->name;
    bool in_order = str_cmp(f->model->name, f->target->name) < 0;
    Str x = in_order ? f->model->name : f->target->name;
    Str y = in_order ? f->target->name : f->model->name;
    Buf b;
    buf_init(&b, a);
    buf_add(&b, x);
    buf_addz(&b, "To");
    buf_add(&b, y);
    return buf_finish(&b);
}

static bool
any_required(PslFieldList fields)
{
    for (size_t i = 0; i < fields.n; i++) {
        if (fields.v[i]->arity == PSL_REQUIRED)
            return true;
    }
    return false;
}

static Str
foreign_key_name(Ctx *c, const PslRelation *r)
{
    PslKeyField *columns = arena_array(c->a, PslKeyField, r->fields.n);
    for (size_t i = 0; i < r->fields.n; i++)
        columns[i].field = r->fields.v[i];
    return v_name_with_columns(c->a, r->from->table, columns, r->fields.n, "_fkey");
}

/* What follows from the two sides. */
static void
complete(Ctx *c, PslRelation *r, PslModelField *first)
{
    r->from = r->forward ? r->forward->model : first->target;
    r->to = r->forward ? r->forward->target : first->model;
    r->is_self = r->from == r->to;
    r->name = v_relation_name_of(c->a, first);
    r->is_named = first->written->name.n > 0;
    r->is_broken = r->from->is_broken || r->to->is_broken ||
                   (r->forward && r->forward->is_broken) || (r->back && r->back->is_broken);
    if (r->kind == PSL_MANY_TO_MANY) {
        Buf b;
        buf_init(&b, c->a);
        buf_addc(&b, '_');
        buf_add(&b, r->name);
        r->constraint = buf_finish(&b);
        return;
    }
    if (!r->forward)
        return;
    r->fields = r->forward->written->fields;
    r->references = r->forward->written->references;
    r->on_delete = r->forward->written->on_delete;
    r->on_update = r->forward->written->on_update;
    bool required = any_required(r->fields) || r->forward->arity == PSL_REQUIRED;
    if (r->on_delete == PSL_ACTION_NONE)
        r->on_delete = required ? PSL_RESTRICT : PSL_SET_NULL;
    if (r->on_update == PSL_ACTION_NONE)
        r->on_update = PSL_CASCADE;
    r->constraint = r->forward->written->map.n ? r->forward->written->map : foreign_key_name(c, r);
}

static void
infer(Ctx *c, const Map *groups, PslModelField *f)
{
    PslModelField *opposite = opposite_of(groups, f);
    PslRelation r = {.kind = PSL_ONE_TO_MANY, .forward = f, .back = opposite};
    if (f->arity == PSL_LIST && opposite && opposite->arity == PSL_LIST) {
        r.kind = PSL_MANY_TO_MANY;
        if (compare_sides(f, opposite) > 0)
            return;
    } else if (f->arity == PSL_LIST && opposite) {
        return;
    } else if (f->arity == PSL_LIST) {
        r.forward = NULL;
        r.back = f;
    } else if (opposite && opposite->arity != PSL_LIST) {
        r.kind = PSL_ONE_TO_ONE;
        if (!is_forward_one_to_one(f, opposite))
            return;
    } else if (!opposite && f->written->has_fields && has_unique(f->model, f->written->fields)) {
        r.kind = PSL_ONE_TO_ONE;
    }
    PslRelation *relation = arena_new(c->a, PslRelation);
    *relation = r;
    complete(c, relation, f);
    f->relation = relation;
    if (opposite)
        opposite->relation = relation;
    c->r->relations[c->r->nrelations++] = relation;
}

void
v_relations_infer(Ctx *c)
{
    Map groups;
    size_t n = 0;
    collect_groups(c, &groups);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        for (size_t k = 0; k < c->r->models[i]->nfields; k++)
            n += c->r->models[i]->fields[k].kind == PSL_FIELD_RELATION;
    }
    c->r->relations = arena_array(c->a, PslRelation *, n);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++) {
            PslModelField *f = &m->fields[k];
            if (f->kind == PSL_FIELD_RELATION)
                infer(c, &groups, f);
        }
    }
}
