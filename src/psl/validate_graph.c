/* Rules of relations that look at more than one of them: ambiguous ones, cycles of actions. */
#include "psl/validate_relations.h"

/* -- Ambiguity -- */

typedef struct Fields {
    VEC(PslModelField *) v;
} Fields;

static Str
pair_key(Arena *scratch, const PslModelField *f)
{
    Buf b;
    Str name = v_relation_name_of(scratch, f);
    buf_init(&b, scratch);
    buf_fmt(&b, "%u %u ", f->model->index, f->target->index);
    buf_add(&b, name);
    return buf_finish(&b);
}

static void
report_group(Ctx *c, const Fields *group)
{
    const PslModelField *f = group->v.v[0];
    bool is_named = f->written->name.n > 0, is_self = f->model == f->target;
    size_t n = group->v.n;
    if (n < 2 || (is_self && is_named && n == 2))
        return;
    for (size_t i = 0; i < n; i++) {
        PslRelation *r = group->v.v[i]->relation;
        if (r)
            r->is_broken = r->is_ambiguous = true;
    }
    if (f->model->is_broken)
        return;
    PslFieldList list = {group->v.v, n};
    Finding *d = v_error(c, FINDING_RELATION_AMBIGUOUS, model_file(f->model), f->ast->span,
                         "it is not clear to which relation each of the fields %s of \"" STR_FMT
                         "\" belongs",
                         v_field_names(c, list, ", "), Q(f->model->name));
    if (is_self && n == 2)
        v_hint(c, d,
               "if they are the two sides of one relation, add @relation(\"...\") with the "
               "same name to both");
    else if (is_named)
        v_hint(c, d, "give each relation a name of its own: a name joins two fields");
    else
        v_hint(c, d,
               "add @relation(\"...\") to both fields of each relation, with a name of its "
               "own");
}

void
v_check_ambiguity(Ctx *c)
{
    ARENA_LOCAL(scratch);
    Map groups;
    map_init(&groups, scratch);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++) {
            PslModelField *f = &m->fields[k];
            if (f->kind != PSL_FIELD_RELATION)
                continue;
            Str key = pair_key(scratch, f);
            Fields *group = map_get(&groups, key);
            if (!group) {
                group = arena_new(scratch, Fields);
                map_put(&groups, key, group);
            }
            *vec_add(scratch, &group->v) = f;
        }
    }
    for (size_t i = 0; i < groups.n; i++)
        report_group(c, groups.entries[i].value);
}

/* -- Cycles --
 *
 * An action that changes rows runs along a relation, from the referenced model to the referencing
 * one. From each relation that does, no relation of a model with itself and no way back may be
 * reachable. Models that can reach each other form a component (Tarjan); whether a component
 * leads to a self relation follows from the ones behind it. */

typedef struct Node {
    VEC(uint32_t) out;
    uint32_t order, low, component;
    bool on_stack;
    bool meets_self; /* a self relation can be reached */
} Node;

typedef struct Frame {
    uint32_t node;
    size_t next;
} Frame;

typedef struct Graph {
    Ctx *c;
    Node *nodes;
    VEC(uint32_t) stack;
    VEC(Frame) frames;
    uint32_t orders, components;
} Graph;

static bool
triggers(const PslRelation *r)
{
    return !(r->on_delete == PSL_NO_ACTION || r->on_delete == PSL_RESTRICT) ||
           !(r->on_update == PSL_NO_ACTION || r->on_update == PSL_RESTRICT);
}

static bool
is_edge(const PslRelation *r)
{
    return r->kind != PSL_MANY_TO_MANY && r->forward && r->back && !r->is_broken && triggers(r);
}

static void
open_node(Graph *g, uint32_t id)
{
    Node *n = &g->nodes[id];
    n->order = n->low = ++g->orders;
    n->on_stack = true;
    *vec_add(g->c->scratch, &g->stack) = id;
    *vec_add(g->c->scratch, &g->frames) = (Frame){id, 0};
}

static void
close_node(Graph *g, uint32_t id)
{
    Node *n = &g->nodes[id];
    if (n->low == n->order) {
        size_t first = g->stack.n;
        bool meets_self = false;
        g->components++;
        do
            meets_self |= g->nodes[g->stack.v[--first]].meets_self;
        while (g->stack.v[first] != id);
        for (size_t i = first; i < g->stack.n; i++) {
            Node *member = &g->nodes[g->stack.v[i]];
            member->on_stack = false;
            member->component = g->components;
            member->meets_self = meets_self;
        }
        g->stack.n = first;
    }
    g->frames.n--;
    if (g->frames.n) {
        Node *parent = &g->nodes[g->frames.v[g->frames.n - 1].node];
        if (n->low < parent->low)
            parent->low = n->low;
        parent->meets_self |= n->meets_self;
    }
}

static void
walk(Graph *g, uint32_t root)
{
    open_node(g, root);
    while (g->frames.n) {
        Frame *frame = &g->frames.v[g->frames.n - 1];
        Node *n = &g->nodes[frame->node];
        if (frame->next == n->out.n) {
            close_node(g, frame->node);
            continue;
        }
        uint32_t to = n->out.v[frame->next++];
        Node *t = &g->nodes[to];
        if (!t->order) {
            open_node(g, to);
        } else {
            if (t->on_stack && t->order < n->low)
                n->low = t->order;
            n->meets_self |= t->meets_self;
        }
    }
}

void
v_check_cycles(Ctx *c)
{
    if (!c->r->datasource || c->r->datasource->relation_mode != PSL_MODE_PRISMA)
        return;
    Graph g = {.c = c, .nodes = arena_array(c->scratch, Node, c->r->nmodels)};
    for (size_t i = 0; i < c->r->nrelations; i++) {
        const PslRelation *r = c->r->relations[i];
        if (!is_edge(r))
            continue;
        if (r->is_self)
            g.nodes[r->from->index].meets_self = true;
        else
            *vec_add(c->scratch, &g.nodes[r->from->index].out) = r->to->index;
    }
    for (uint32_t i = 0; i < c->r->nmodels; i++) {
        if (!g.nodes[i].order)
            walk(&g, i);
    }
    for (size_t i = 0; i < c->r->nrelations; i++) {
        const PslRelation *r = c->r->relations[i];
        if (!is_edge(r))
            continue;
        const Node *from = &g.nodes[r->from->index], *to = &g.nodes[r->to->index];
        if (!r->is_self && from->component != to->component && !to->meets_self)
            continue;
        Finding *d = v_error(c, FINDING_ACTION_CYCLE, model_file(r->from), r->forward->ast->span,
                             "the actions of the relation \"" STR_FMT
                             "\" run in a circle: relationMode = \"prisma\" cannot carry them out",
                             Q(r->forward->name));
        v_note(c, d, "they are onDelete: %s and onUpdate: %s", psl_action_name(r->on_delete),
               psl_action_name(r->on_update));
        v_hint(c, d, "write onDelete: Restrict, onUpdate: Restrict on one relation of the circle");
    }
}
