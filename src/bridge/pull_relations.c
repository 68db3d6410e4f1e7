/* Foreign keys and join tables as relation fields. */
#include "bridge/pull_int.h"

#include <stdlib.h>

typedef struct Relation {
    const CatConstraint *fk; /* or a join table */
    const CatRelation *join;
    PullModel *from, *to; /* of a join table: of A and B */
    const PslRelation *old;
    bool is_crossed; /* a join table whose A is the old relation's B */
} Relation;

typedef VEC(Relation) Relations;

static bool
same_columns(const PslFieldList *fields, const CatTexts *columns)
{
    bool same = fields->n == columns->n;
    for (size_t i = 0; same && i < fields->n; i++)
        same = str_is(fields->v[i]->column, columns->v[i]);
    return same;
}

static const PslRelation *
find_old(const PullModel *from, const PullModel *to, const CatConstraint *fk)
{
    for (size_t i = 0; from->old && to->old && i < from->old->nfields; i++) {
        const PslModelField *f = &from->old->fields[i];
        const PslRelation *r = f->kind == PSL_FIELD_RELATION ? f->relation : NULL;
        if (r && r->kind != PSL_MANY_TO_MANY && r->forward == f && r->back && r->to == to->old &&
            same_columns(&r->fields, &fk->columns) &&
            same_columns(&r->references, &fk->ref_columns))
            return r;
    }
    return NULL;
}

static bool
same_texts(const CatTexts *x, const CatTexts *y)
{
    bool same = x->n == y->n;
    for (size_t i = 0; same && i < x->n; i++)
        same = strcmp(x->v[i], y->v[i]) == 0;
    return same;
}

/* The language has no word for a second foreign key of the same columns. */
static bool
is_repeated(const Relations *all, size_t first, const Relation *r)
{
    for (size_t i = first; i < all->n; i++) {
        Relation *x = &all->v[i];
        if (x->to != r->to || !same_texts(&x->fk->columns, &r->fk->columns) ||
            !same_texts(&x->fk->ref_columns, &r->fk->ref_columns))
            continue;
        if (r->old && str_is(r->old->constraint, r->fk->id.sub))
            x->fk = r->fk;
        return true;
    }
    return false;
}

static bool
same_types(PullModel *from, PullModel *to, const CatConstraint *fk)
{
    for (size_t i = 0; i < fk->columns.n; i++) {
        const PullField *x = pull_field(from, fk->columns.v[i]);
        const PullField *y = pull_field(to, fk->ref_columns.v[i]);
        if (!x || !y || strcmp(x->type, y->type) != 0)
            return false;
    }
    return true;
}

static void
collect(PullCtx *c, PullModel *from, Relations *ret)
{
    size_t first = ret->n;
    cat_each (CatConstraint, fk, &from->table->constraints) {
        if (fk->type != CAT_FOREIGN_KEY)
            continue;
        PullModel *to = pull_model(c, fk->ref_table.schema, fk->ref_table.name);
        const char *why = fk->is_without_overlaps     ? "PERIOD refers to spans, not to one row"
                          : !to                       ? "the table is not in the schema"
                          : !same_types(from, to, fk) ? "the types of the columns differ"
                                                      : NULL;
        if (why) {
            pull_find(c, FINDING_PULL_FOREIGN_KEY,
                      str_fmt(c->a, "Model: \"%s\", constraint: \"%s\" to \"%s\".\"%s\": %s",
                              from->name, fk->id.sub, fk->ref_table.schema, fk->ref_table.name,
                              why));
            continue;
        }
        Relation r = {.fk = fk, .from = from, .to = to, .old = find_old(from, to, fk)};
        if (!is_repeated(ret, first, &r))
            *vec_add(c->a, ret) = r;
    }
}

static PullModel *
joined(PullCtx *c, const CatRelation *t, const char *column)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_FOREIGN_KEY && strcmp(k->columns.v[0], column) == 0)
            return pull_model(c, k->ref_table.schema, k->ref_table.name);
    return NULL;
}

static void
collect_join(PullCtx *c, const CatRelation *t, Relations *ret)
{
    Relation r = {.join = t, .from = joined(c, t, "A"), .to = joined(c, t, "B")};
    for (size_t i = 0; c->keeps && i < c->old->nrelations; i++) {
        const PslRelation *old = c->old->relations[i];
        if (old->kind != PSL_MANY_TO_MANY || !str_is(old->constraint, t->id.name) || !r.from ||
            !r.to)
            continue;
        bool crossed = old->from == r.to->old && old->to == r.from->old && r.from != r.to;
        if (crossed || (old->from == r.from->old && old->to == r.to->old)) {
            r.old = old;
            r.is_crossed = crossed;
        }
    }
    /* A is the model whose name comes first: Prisma Client would take each for the other. */
    if (r.from && r.to && r.from != r.to && strcmp(r.from->name, r.to->name) > 0)
        pull_find(c, FINDING_PULL_JOIN_SIDES,
                  str_fmt(c->a, "Table: \"%s\", column A leads to \"%s\", B to \"%s\"", t->id.name,
                          r.from->name, r.to->name));
    if (r.from && r.to)
        *vec_add(c->a, ret) = r;
}

/* ---- texts --------------------------------------------------------------------------------- */

static const char *
action_name(CatAction action)
{
    static const char *const names[] = {"NoAction", "Restrict", "Cascade", "SetNull", "SetDefault"};
    return names[action];
}

static const char *
old_action_name(PslAction action)
{
    return action ? psl_action_name(action) : "NoAction";
}

typedef struct Words {
    const char *name, *fields, *references, *on_delete, *on_update, *map;
} Words;

static const char *
relation_text(PullCtx *c, const Words *w)
{
    Buf b;
    buf_init(&b, c->a);
    buf_addz(&b, "@relation(");
    size_t start = b.n;
    if (w->name)
        pull_add_string(&b, str_of(w->name));
    const char *const texts[][2] = {{"fields", w->fields},
                                    {"references", w->references},
                                    {"onDelete", w->on_delete},
                                    {"onUpdate", w->on_update}};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i][1])
            buf_fmt(&b, "%s%s: %s", b.n > start ? ", " : "", texts[i][0], texts[i][1]);
    if (w->map) {
        buf_addz(&b, ", map: ");
        pull_add_string(&b, str_of(w->map));
    }
    buf_addc(&b, ')');
    return b.n == start + 1 ? NULL : b.p;
}

static const char *
field_list(PullCtx *c, PullModel *m, const CatTexts *columns)
{
    Buf b;
    buf_init(&b, c->a);
    vec_each (const char *, column, columns)
        buf_fmt(&b, "%s%s", b.n ? ", " : "[", pull_field(m, *column)->name);
    buf_addc(&b, ']');
    return b.p;
}

/* The actions that are not those by default, and the name. */
static Words
words_of(PullCtx *c, const Relation *r, const char *name, bool is_optional, const char *on_delete,
         const char *on_update, const char *constraint)
{
    Words w = {.name = name,
               .fields = field_list(c, r->from, &r->fk->columns),
               .references = field_list(c, r->to, &r->fk->ref_columns)};
    if (strcmp(on_delete, is_optional ? "SetNull" : "Restrict") != 0)
        w.on_delete = on_delete;
    if (strcmp(on_update, "Cascade") != 0)
        w.on_update = on_update;
    const char *usual = pull_default_name(c->a, r->from->table->id.name, &r->fk->columns, "_fkey");
    if (strcmp(constraint, usual) != 0)
        w.map = constraint;
    return w;
}

/* ---- fields -------------------------------------------------------------------------------- */

static bool
is_optional(const Relation *r)
{
    vec_each (const char *, column, &r->fk->columns)
        if (*pull_field(r->from, *column)->arity)
            return true;
    return false;
}

/* Whether a row of the other side has one row at most, in a way that the language sees. */
static bool
is_one_to_one(const Relation *r, const PullKeys *keys)
{
    vec_each (const PullKey, k, keys) {
        bool same = k->kind != PSL_KEY_INDEX && !k->is_left_out && !k->index->predicate &&
                    k->index->keys.n == r->fk->columns.n;
        for (size_t i = 0; same && i < r->fk->columns.n; i++)
            same = strcmp(k->index->keys.v[i].column, r->fk->columns.v[i]) == 0;
        if (same)
            return true;
    }
    return false;
}

static bool
was_optional(const PslRelation *old)
{
    for (size_t i = 0; i < old->fields.n; i++)
        if (old->fields.v[i]->arity != PSL_REQUIRED)
            return true;
    return false;
}

static PullField *
add_field(PullCtx *c, PullModel *m, const char *wish, const PslModelField *old, const char *type,
          const char *arity)
{
    const char *name = old ? str_dup(c->a, old->name) : pull_free_name(c, m, wish);
    PullField *f = vec_add(c->a, &m->relations);
    *f = (PullField){.name = name, .old = old, .type = type, .arity = arity};
    return f;
}

static void
add_inline(PullCtx *c, const Relation *r, bool ambiguous)
{
    const char *from = r->from->plain_name, *to = r->to->plain_name, *name = NULL;
    const char *wishes[2] = {to, from};
    bool self = r->from == r->to, optional = is_optional(r);
    bool single = is_one_to_one(r, &r->from->keys);
    if (ambiguous) {
        Buf b;
        buf_init(&b, c->a);
        buf_addz(&b, from);
        vec_each (const char *, column, &r->fk->columns)
            buf_fmt(&b, "_%s", pull_field(r->from, *column)->name);
        buf_fmt(&b, "To%s", to);
        name = b.p;
        wishes[0] = str_fmt(c->a, "%s_%s", to, name);
        wishes[1] = str_fmt(c->a, "%s_%s", from, name);
    } else if (self) {
        name = str_fmt(c->a, "%sTo%s", from, to);
    }
    if (self)
        wishes[1] = str_fmt(c->a, "other_%s", wishes[1]);
    const PslRelation *old = r->old;
    const PslModelField *forward = old ? old->forward : NULL, *back = old ? old->back : NULL;
    if (old) {
        name = old->is_named ? str_dup(c->a, old->name) : NULL;
        /* Who says less than the columns do, does so still as long as they are the same. */
        if (forward->arity == PSL_OPTIONAL && !was_optional(old))
            optional = true;
        if (back->arity == PSL_LIST && is_one_to_one(r, &r->from->old_keys))
            single = false;
    }
    Words w = words_of(c, r, name, optional, action_name(r->fk->on_delete),
                       action_name(r->fk->on_update), r->fk->id.sub);
    const char *text = relation_text(c, &w);
    if (old) {
        bool was = forward->arity != PSL_REQUIRED;
        Words before = words_of(c, r, name, was, old_action_name(old->on_delete),
                                old_action_name(old->on_update), str_dup(c->a, old->constraint));
        /* Words for what is so by default are no difference. */
        if (was == optional && strcmp(text, relation_text(c, &before)) == 0)
            text = NULL;
    }
    PullField *f = add_field(c, r->from, wishes[0], forward, r->to->name, optional ? "?" : "");
    f->parts[PART_RELATION] = text;
    f = add_field(c, r->to, wishes[1], back, r->from->name, single ? "?" : "[]");
    if (!old)
        f->parts[PART_RELATION] = relation_text(c, &(Words){.name = name});
}

static void
add_many(PullCtx *c, const Relation *r, bool ambiguous)
{
    const char *from = r->from->plain_name, *to = r->to->plain_name, *name = r->join->id.name + 1;
    const char *wishes[2] = {to, from};
    if (ambiguous) {
        wishes[0] = str_fmt(c->a, "%s_%s", to, name);
        wishes[1] = str_fmt(c->a, "%s_%s", from, name);
    }
    if (r->from == r->to) {
        wishes[0] = str_fmt(c->a, "%s_A", wishes[0]);
        wishes[1] = str_fmt(c->a, "%s_B", wishes[1]);
    }
    bool is_default = strcmp(name, str_fmt(c->a, "%sTo%s", r->from->name, r->to->name)) == 0;
    bool says_name = !is_default || ambiguous || r->from == r->to;
    const PslRelation *old = r->old;
    const PslModelField *sides[2] = {NULL, NULL};
    if (old) {
        sides[r->is_crossed] = old->forward;
        sides[!r->is_crossed] = old->back;
    }
    PullField *f = add_field(c, r->from, wishes[0], sides[0], r->to->name, "[]");
    if (!old && says_name)
        f->parts[PART_RELATION] = relation_text(c, &(Words){.name = name});
    f = add_field(c, r->to, wishes[1], sides[1], r->from->name, "[]");
    if (!old && says_name)
        f->parts[PART_RELATION] = relation_text(c, &(Words){.name = name});
}

static PullModel *
model_called(const PullCtx *c, const char *name)
{
    return map_get(&c->models_by_name, str_of(name));
}

/* Relations that no foreign key shows: as they were, where both models are still there. */
static void
keep_emulated(PullCtx *c)
{
    static const char *const arities[] = {
        [PSL_REQUIRED] = "", [PSL_OPTIONAL] = "?", [PSL_LIST] = "[]"};
    vec_each (PullModel *, m, &c->models) {
        const PslModel *old = (*m)->old;
        for (size_t k = 0; old && k < old->nfields; k++) {
            const PslModelField *f = &old->fields[k];
            if (f->kind != PSL_FIELD_RELATION ||
                !(c->is_emulated || old->is_view || f->target->is_view))
                continue;
            const char *target = str_dup(c->a, f->target->name);
            const PullModel *to = model_called(c, target);
            if (to && to->old == f->target)
                add_field(c, *m, NULL, f, target, arities[f->arity]);
        }
    }
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool
is_taken(const PullModel *m, const char *name)
{
    vec_each (const PullField, f, &m->fields)
        if (strcmp(f->name, name) == 0)
            return true;
    return false;
}

static Str
pair_key(PullCtx *c, const Relation *r)
{
    const char *x = r->from->name, *y = r->to->name;
    bool swap = strcmp(x, y) > 0;
    return str_of(str_fmt(c->a, "%s %s", swap ? y : x, swap ? x : y));
}

static void
ignore_fields(PullCtx *c)
{
    vec_each (PullModel *, m, &c->models)
        vec_each (PullField, f, &(*m)->relations)
            if (!(*m)->is_ignored && model_called(c, f->type)->is_ignored)
                f->parts[PART_IGNORE] = "@ignore";
}

void
pull_relations(PullCtx *c)
{
    Relations all = {0};
    Map pairs;
    map_init(&pairs, c->a);
    for (size_t i = 0; i < c->models.n && !c->is_emulated; i++)
        collect(c, c->models.v[i], &all);
    cat_each (CatRelation, t, &c->catalog->tables)
        if (!c->is_emulated && pull_is_join_table(c, t))
            collect_join(c, t, &all);
    vec_each (Relation, r, &all) {
        Str key = pair_key(c, r);
        map_put(&pairs, key, (void *)((uintptr_t)map_get(&pairs, key) + 1));
    }
    /* Names that stay are taken before new ones are chosen. */
    for (int pass = 0; pass < 2; pass++)
        vec_each (Relation, r, &all) {
            bool ambiguous = (uintptr_t)map_get(&pairs, pair_key(c, r)) > 1 ||
                             is_taken(r->from, r->to->plain_name) ||
                             is_taken(r->to, r->from->plain_name);
            if (!r->old != (pass == 1))
                continue;
            if (r->fk)
                add_inline(c, r, ambiguous);
            else
                add_many(c, r, ambiguous);
        }
    keep_emulated(c);
    ignore_fields(c);
}
