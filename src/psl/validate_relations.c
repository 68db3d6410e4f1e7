/* Rules of relations. Where a rule concerns both sides, the error stands at one of them and names
 * the other. */
#include "psl/validate_relations.h"

#include "psl/plural.h"

#include <stdlib.h>

/* -- Words -- */

static Finding *
side_error(Ctx *c, FindingId id, const PslModelField *f, const char *message)
{
    return v_error(c, id, model_file(f->model), f->ast->span,
                   "the relation field \"" STR_FMT "\" of \"" STR_FMT "\" %s", Q(f->name),
                   Q(f->model->name), message);
}

static Finding *
both_error(Ctx *c, FindingId id, const PslModelField *f, const PslModelField *other,
           const char *message)
{
    return v_error(c, id, model_file(f->model), f->ast->span,
                   "the relation fields \"" STR_FMT "." STR_FMT "\" and \"" STR_FMT "." STR_FMT
                   "\" %s",
                   Q(f->model->name), Q(f->name), Q(other->model->name), Q(other->name), message);
}

/* " @relation("name")" for a text to insert, or "" */
static const char *
relation_argument(Ctx *c, const PslRelation *r)
{
    return r->is_named ? str_fmt(c->a, " @relation(\"" STR_FMT "\")", Q(r->name)) : "";
}

/* A name for a relation field that points to `m`. */
static const char *
field_name_for(Ctx *c, const PslModel *m, bool is_list)
{
    Str name = plural_camel(c->a, v_quote(m->name));
    return str_dup(c->a, is_list ? plural_of(c->a, name) : name);
}

/* -- Keys of a model, looked up by their fields -- */

static int
compare_numbers(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The words of a signature: the model, whether the order counts, the fields. */
enum { HEAD = 2 };

/* Complete a signature whose `n` fields are filled in. */
static Str
signature(uint32_t *words, const PslModel *m, size_t n, bool in_order)
{
    words[0] = m->index;
    words[1] = in_order;
    if (!in_order && n > 1)
        qsort(words + HEAD, n, sizeof *words, compare_numbers);
    return (Str){(const char *)words, (HEAD + n) * sizeof *words};
}

static void
add_criterion(Ctx *c, PslModel *m, const PslKey *key, bool in_order)
{
    uint32_t *words = arena_array(c->scratch, uint32_t, HEAD + key->nfields);
    for (size_t i = 0; i < key->nfields; i++)
        words[HEAD + i] = key->fields[i].field->ast->index;
    map_put(&c->criteria, signature(words, m, key->nfields, in_order), m);
}

static void
collect_criteria(Ctx *c)
{
    map_init(&c->criteria, c->scratch);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k <= m->keys.n; k++) {
            const PslKey *key = k < m->keys.n ? m->keys.v[k] : m->id;
            if (!key || (key->kind != PSL_KEY_ID && key->kind != PSL_KEY_UNIQUE))
                continue;
            add_criterion(c, m, key, false);
            if (key->nfields > 1)
                add_criterion(c, m, key, true);
        }
    }
}

/* True when the fields are exactly those of the id or of a unique key, in that order or in any. */
static bool
has_criterion(Ctx *c, PslModel *m, PslFieldList fields, bool in_order)
{
    ArenaMark mark = arena_mark(c->scratch);
    uint32_t *words = arena_array(c->scratch, uint32_t, HEAD + fields.n);
    for (size_t i = 0; i < fields.n; i++)
        words[HEAD + i] = fields.v[i]->ast->index;
    bool found = map_has(&c->criteria, signature(words, m, fields.n, in_order && fields.n > 1));
    arena_reset(c->scratch, mark);
    return found;
}

/* -- 1-1 and 1-n: the side with the columns -- */

static void
check_references(Ctx *c, const PslRelation *r)
{
    const PslModelField *f = r->forward;
    if (r->references.n == 0 || r->to->is_keyless)
        return;
    const char *names = v_field_names(c, r->references, ", ");
    if (!has_criterion(c, r->to, r->references, false)) {
        Finding *d =
            side_error(c, FINDING_RELATION_REFERENCES, f, "references fields that are no key");
        if (r->references.n == 1)
            v_hint(c, d, "add @unique to \"" STR_FMT "\" in \"" STR_FMT "\"",
                   Q(r->references.v[0]->name), Q(r->to->name));
        else
            v_hint(c, d, "add @@unique([%s]) to \"" STR_FMT "\"", names, Q(r->to->name));
    } else if (!c->has_datasource && !has_criterion(c, r->to, r->references, true)) {
        side_error(c, FINDING_DATASOURCE_MISSING, f,
                   "references a key in another order: that needs a datasource block");
    }
}

static bool
same_type(const PslModelField *x, const PslModelField *y)
{
    if (x->kind != y->kind)
        return false;
    if (x->kind == PSL_FIELD_SCALAR)
        return x->scalar == y->scalar;
    if (x->kind == PSL_FIELD_ENUM)
        return x->enum_ == y->enum_;
    return str_eq(x->ast->type.name, y->ast->type.name);
}

static void
check_columns(Ctx *c, const PslRelation *r)
{
    const PslModelField *f = r->forward;
    if (f->written->has_fields && f->written->has_references && r->fields.n != r->references.n) {
        side_error(c, FINDING_RELATION_LENGTH, f,
                   "lists a different number of fields in \"fields\" and \"references\"");
    }
    for (size_t i = 0; i < r->fields.n && i < r->references.n; i++) {
        const PslModelField *x = r->fields.v[i], *y = r->references.v[i];
        if (same_type(x, y))
            continue;
        Finding *d = v_error(c, FINDING_RELATION_TYPE, model_file(f->model), f->ast->span,
                             "the fields \"" STR_FMT "." STR_FMT "\" and \"" STR_FMT "." STR_FMT
                             "\" of a relation have different types",
                             Q(x->model->name), Q(x->name), Q(y->model->name), Q(y->name));
        v_note(c, d, "one is " STR_FMT ", the other " STR_FMT, Q(x->ast->type.name),
               Q(y->ast->type.name));
    }
    bool has_keys = !c->r->datasource || c->r->datasource->relation_mode != PSL_MODE_PRISMA;
    for (size_t i = 0; i < r->fields.n && i < r->references.n && has_keys; i++) {
        const PslModelField *x = r->fields.v[i], *y = r->references.v[i];
        if (!same_type(x, y) || (x->arity == PSL_LIST) == (y->arity == PSL_LIST))
            continue;
        Finding *d = v_warn(c, FINDING_RELATION_LIST, model_file(f->model), f->ast->span,
                            "the relation field \"" STR_FMT "\" pairs a list with a single value: "
                            "PostgreSQL refuses such a foreign key",
                            Q(f->name));
        v_note(c, d, "\"" STR_FMT "." STR_FMT "\" is %s, \"" STR_FMT "." STR_FMT "\" is %s",
               Q(x->model->name), Q(x->name), x->arity == PSL_LIST ? "a list" : "none",
               Q(y->model->name), Q(y->name), y->arity == PSL_LIST ? "a list" : "none");
        v_hint(c, d, "use a column without [], or a many-to-many relation");
    }
    for (size_t i = 0; i < r->fields.n && f->arity == PSL_REQUIRED; i++) {
        if (r->fields.v[i]->arity != PSL_OPTIONAL)
            continue;
        Finding *d =
            side_error(c, FINDING_RELATION_ARITY, f, "is required, but one of its columns is not");
        v_hint(c, d, "write " STR_FMT "?, or remove the ? of \"" STR_FMT "\"", Q(f->ast->type.name),
               Q(r->fields.v[i]->name));
        break;
    }
}

static void
check_set_null(Ctx *c, const PslRelation *r)
{
    const PslModelField *f = r->forward;
    bool sets_null = f->written->on_delete == PSL_SET_NULL || f->written->on_update == PSL_SET_NULL;
    if (!sets_null || !f->written->has_fields)
        return;
    bool is_required = r->fields.n == 0;
    for (size_t i = 0; i < r->fields.n; i++)
        is_required |= r->fields.v[i]->arity == PSL_REQUIRED;
    if (!is_required)
        return;
    bool is_error = !c->has_datasource ||
                    (c->r->datasource && c->r->datasource->relation_mode == PSL_MODE_PRISMA);
    Finding *d =
        is_error
            ? side_error(c, FINDING_ACTION_SET_NULL, f, "sets columns to null that are required")
            : v_warn(c, FINDING_ACTION_SET_NULL, model_file(f->model), f->ast->span,
                     "the relation field \"" STR_FMT "\" sets columns to null that are "
                     "required: such a change will fail",
                     Q(f->name));
    v_hint(c, d, "make the columns optional, or choose another action");
}

/* Errors in other fields, in keys or in attributes do not hide that a field is missing; fields that
 * could not be read or have no type may be the one. */
static bool
may_be_there(const Ctx *c, const PslRelation *r, const PslModelField *f)
{
    if (r->is_ambiguous || f->is_broken || f->model->is_partial || f->target->is_partial ||
        v_relations_broken_between(c, f->target, f->model))
        return true;
    for (size_t i = 0; i < f->target->nfields; i++) {
        if (f->target->fields[i].kind == PSL_FIELD_UNKNOWN)
            return true;
    }
    return false;
}

static void
missing_opposite(Ctx *c, const PslRelation *r)
{
    const PslModelField *f = r->forward ? r->forward : r->back;
    if (may_be_there(c, r, f))
        return;
    Finding *d =
        v_error(c, FINDING_RELATION_MISSING_OPPOSITE, model_file(f->model), f->ast->span,
                "the relation field \"" STR_FMT "\" has no opposite field in \"" STR_FMT "\"",
                Q(f->name), Q(f->target->name));
    bool is_list = r->forward && r->kind == PSL_ONE_TO_MANY;
    const char *name = field_name_for(c, f->model, is_list);
    if (r->forward) {
        v_hint(c, d, "add to \"" STR_FMT "\": %s " STR_FMT "%s%s", Q(f->target->name), name,
               Q(f->model->name), is_list ? "[]" : "?", relation_argument(c, r));
        return;
    }
    v_hint(c, d,
           "add to \"" STR_FMT "\": %s " STR_FMT " @relation(%s%s%sfields: [...], references: "
           "[...])",
           Q(f->target->name), name, Q(f->model->name), r->is_named ? "\"" : "",
           r->is_named ? str_dup(c->a, v_quote(r->name)) : "", r->is_named ? "\", " : "");
}

static void
check_one_to_many(Ctx *c, const PslRelation *r)
{
    PslModelField *f = r->forward, *b = r->back;
    if (!f || !b)
        return;
    if (f->written->fields.n == 0 || f->written->references.n == 0) {
        Finding *d = side_error(c, FINDING_RELATION_INCOMPLETE, f,
                                f->written->fields.n ? "does not say what it references"
                                : f->written->references.n
                                    ? "does not say its columns"
                                    : "says neither its columns nor what they reference");
        v_hint(c, d, "write @relation(fields: [...], references: [...]), or run: aramid format");
    }
    if (b->written->fields.n || b->written->references.n)
        side_error(c, FINDING_RELATION_WRONG_SIDE, b,
                   "is the list side: \"fields\" and \"references\" belong to the other one");
    if (b->written->on_delete || b->written->on_update)
        side_error(c, FINDING_RELATION_WRONG_SIDE, b,
                   "is the list side: referential actions belong to the other one");
}

static void
check_one_to_one(Ctx *c, const PslRelation *r)
{
    PslModelField *f = r->forward, *b = r->back;
    size_t before = c->r->errors;
    if (!b) {
        /* missing_opposite() has told it. */
    } else if (f->written->fields.n == 0 && b->written->fields.n == 0) {
        Finding *d = both_error(c, FINDING_RELATION_INCOMPLETE, f, b,
                                "say on neither side what their columns are");
        v_hint(c, d, "write @relation(fields: [...], references: [...]) on one of them");
    } else if (f->written->references.n == 0 && b->written->references.n == 0) {
        Finding *d = both_error(c, FINDING_RELATION_INCOMPLETE, f, b,
                                "say on neither side what they reference");
        v_hint(c, d, "write @relation(fields: [...], references: [...]) on one of them");
    } else if ((f->written->fields.n && b->written->fields.n) ||
               (f->written->references.n && b->written->references.n)) {
        both_error(c, FINDING_RELATION_BOTH_SIDES, f, b,
                   "both list \"fields\" or \"references\": one side is enough");
    }
    if (b && (b->written->on_delete || b->written->on_update)) {
        if (f->written->on_delete || f->written->on_update)
            both_error(c, FINDING_RELATION_BOTH_SIDES, b, f,
                       "both have referential actions: one side is enough");
        else
            side_error(c, FINDING_RELATION_WRONG_SIDE, b,
                       "has referential actions that belong to the other side");
    }
    if (f->written->has_fields && !has_criterion(c, r->from, r->fields, true)) {
        Finding *d = side_error(c, FINDING_RELATION_NOT_UNIQUE, f,
                                "is one of a one-to-one relation: its columns must be unique");
        if (r->fields.n == 1)
            v_hint(c, d, "add @unique to \"" STR_FMT "\", or make the other side a list",
                   Q(r->fields.v[0]->name));
        else
            v_hint(c, d, "add @@unique([%s]), or make the other side a list",
                   v_field_names(c, r->fields, ", "));
    }
    if (!b || c->r->errors > before)
        return;
    if (f->written->fields.n && b->written->references.n) {
        both_error(c, FINDING_RELATION_MIXED, f, b,
                   "share \"fields\" and \"references\": both belong to one side");
    } else if (f->written->references.n && b->written->fields.n) {
        side_error(c, FINDING_RELATION_MIXED, f,
                   "has \"references\", but \"fields\" stand on the other side");
    } else if (b->arity == PSL_REQUIRED) {
        Finding *d = side_error(c, FINDING_RELATION_REQUIRED, b,
                                "is required, which a database cannot enforce on this side");
        v_hint(c, d, "write " STR_FMT "?", Q(b->ast->type.name));
    } else if (f->arity == PSL_REQUIRED && (b->written->has_fields || b->written->has_references)) {
        side_error(c, FINDING_RELATION_WRONG_SIDE, b,
                   "lists \"fields\" or \"references\", which belong to the required side");
    }
}

/* -- n-m -- */

static void
check_many_to_many(Ctx *c, const PslRelation *r)
{
    PslModelField *sides[] = {r->forward, r->back};
    if (r->forward->written->has_fields || r->back->written->has_fields) {
        Finding *d = both_error(c, FINDING_RELATION_MANY_FIELDS, r->forward, r->back,
                                "are a many-to-many relation: they have no columns of their own");
        v_hint(c, d, "remove \"fields\" and \"references\", or write the join table as a model");
        return;
    }
    if (r->from->is_view || r->to->is_view) {
        both_error(c, FINDING_RELATION_MANY_VIEW, r->forward, r->back,
                   "are a many-to-many relation, which views cannot have");
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const PslModelField *f = sides[i];
        if (f->target->is_keyless)
            continue;
        if (!f->target->id || f->target->id->nfields != 1) {
            Finding *d = side_error(c, FINDING_RELATION_MANY_ID, f,
                                    "points to a model without an id of one field");
            v_hint(c, d,
                   "add @id to a field of \"" STR_FMT "\", or write the join table as a model",
                   Q(f->target->name));
        } else if (f->written->has_references) {
            side_error(c, FINDING_RELATION_MANY_REFERENCES, f,
                       "is one of a many-to-many relation: it has no \"references\"");
        }
        if (f->written->on_delete || f->written->on_update)
            side_error(c, FINDING_RELATION_MANY_ACTIONS, f,
                       "is one of a many-to-many relation: it has no referential actions");
    }
}

/* -- Single fields -- */

static bool
starts_key(const PslKey *key, PslFieldList fields)
{
    if (key->nfields < fields.n)
        return false;
    for (size_t i = 0; i < fields.n; i++) {
        if (key->fields[i].field != fields.v[i])
            return false;
    }
    return true;
}

static void
check_missing_index(Ctx *c, const PslModelField *f)
{
    const PslModel *m = f->model;
    bool found = m->id && starts_key(m->id, f->written->fields);
    for (size_t i = 0; i < m->keys.n && !found; i++)
        found = starts_key(m->keys.v[i], f->written->fields);
    if (found)
        return;
    Finding *d = v_warn(c, FINDING_RELATION_INDEX, model_file(m), f->ast->span,
                        "the columns of \"" STR_FMT "\" have no index", Q(f->name));
    v_note(c, d, "with relationMode = \"prisma\" there is no foreign key, and queries are slow");
    v_hint(c, d, "add @@index([%s])", v_field_names(c, f->written->fields, ", "));
}

static void
check_relation_field(Ctx *c, PslModelField *f)
{
    const PslDatasource *ds = c->r->datasource;
    bool emulated = ds && ds->relation_mode == PSL_MODE_PRISMA;
    const PslAction actions[] = {f->written->on_delete, f->written->on_update};
    if (f->target->is_ignored && !f->is_ignored && !f->model->is_ignored) {
        Finding *d = side_error(c, FINDING_IGNORE_RELATION, f, "points to a model that is ignored");
        v_hint(c, d, "add @ignore to the field");
    }
    for (size_t i = 0; i < 2 && emulated; i++) {
        if (actions[i] != PSL_NO_ACTION && actions[i] != PSL_SET_DEFAULT)
            continue;
        Finding *d = side_error(c, FINDING_ACTION_EMULATED, f,
                                "has an action that relationMode = \"prisma\" does not have");
        v_hint(c, d, "choose Cascade, Restrict or SetNull");
    }
    if (f->written->map.n && !c->has_datasource)
        side_error(c, FINDING_DATASOURCE_MISSING, f,
                   "names its foreign key: that needs a datasource block");
    if (f->written->map.n > 63 && c->has_datasource)
        v_error(c, FINDING_NAME_LONG, model_file(f->model), f->ast->span,
                "a name in PostgreSQL has at most 63 bytes, this one has %zu", f->written->map.n);
    if (emulated && f->written->has_fields)
        check_missing_index(c, f);
}

static void
check_relation(Ctx *c, PslRelation *r)
{
    if (r->kind == PSL_MANY_TO_MANY) {
        check_many_to_many(c, r);
        return;
    }
    if (r->forward) {
        check_references(c, r);
        check_columns(c, r);
        check_set_null(c, r);
    }
    if (r->kind == PSL_ONE_TO_ONE)
        check_one_to_one(c, r);
    else
        check_one_to_many(c, r);
}

void
v_check_relations(Ctx *c)
{
    v_check_ambiguity(c);
    collect_criteria(c);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++) {
            PslModelField *f = &m->fields[k];
            if (f->kind == PSL_FIELD_RELATION && !f->is_broken && !m->is_partial)
                check_relation_field(c, f);
        }
    }
    for (size_t i = 0; i < c->r->nrelations; i++) {
        PslRelation *r = c->r->relations[i];
        if (!r->forward || !r->back)
            missing_opposite(c, r);
        if (!r->is_broken)
            check_relation(c, r);
    }
    v_check_cycles(c);
}
