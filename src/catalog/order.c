/* The order in which objects can be created.
 *
 * Nodes are all objects but columns, which come with their relation or type. The strongly connected
 * components of "needs" (Tarjan, without recursion: chains may be long) are put into an order that
 * respects what is needed, the canonically first of those that are ready at each step. */
#include "catalog/catalog_int.h"

typedef VEC(uint32_t) Ids;

typedef struct Graph {
    Arena *arena;
    const Catalog *catalog;
    CatObjects nodes; /* canonical order */
    Ids *needs;       /* of each node */
    uint32_t *number; /* node of each object, by ordinal */
} Graph;

/* ---- edges --------------------------------------------------------------------------------- */

static uint32_t
node_of(const Graph *g, const CatObject *o)
{
    return g->number[o->ordinal];
}

static void
edge(Graph *g, uint32_t from, CatRef id)
{
    if (id.kind == CAT_COLUMN) {
        CatRelation *r = catalog_relation(g->catalog, id.schema, id.name);
        id = r ? r->id : (CatRef){CAT_COMPOSITE, id.schema, id.name, NULL};
    }
    const CatObject *o = catalog_find(g->catalog, id);
    if (o && node_of(g, o) != from)
        *vec_add(g->arena, &g->needs[from]) = node_of(g, o);
}

static void
edge_relation(Graph *g, uint32_t from, const char *schema, const char *name)
{
    const CatRelation *r = name ? catalog_relation(g->catalog, schema, name) : NULL;
    if (r)
        edge(g, from, r->id);
}

/* A type of the catalog; also a relation's row type. */
static void
edge_type(Graph *g, uint32_t from, const CatType *t)
{
    if (!t->schema)
        return;
    static const CatKind types[] = {CAT_ENUM, CAT_DOMAIN, CAT_COMPOSITE, CAT_RANGE, CAT_BASE};
    for (size_t i = 0; i < COUNT(types); i++)
        edge(g, from, (CatRef){types[i], t->schema, t->name, NULL});
    edge_relation(g, from, t->schema, t->name);
}

static void
edge_collation(Graph *g, uint32_t from, const CatName *collation)
{
    if (collation->name)
        edge(g, from, (CatRef){CAT_COLLATION, collation->schema, collation->name, NULL});
}

static bool
same_set(const CatTexts *x, const CatTexts *y)
{
    if (x->n != y->n)
        return false;
    for (size_t i = 0; i < x->n; i++) {
        bool found = false;
        for (size_t k = 0; k < y->n; k++)
            found = found || cat_same_text(x->v[i], y->v[k]);
        if (!found)
            return false;
    }
    return true;
}

/* A foreign key needs what makes the columns that it refers to unique. */
static void
edge_key(Graph *g, uint32_t from, const CatConstraint *fk)
{
    const CatRelation *r = catalog_relation(g->catalog, fk->ref_table.schema, fk->ref_table.name);
    if (!r)
        return;
    edge(g, from, r->id);
    cat_each (CatConstraint, k, &r->constraints)
        if ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) &&
            same_set(&k->columns, &fk->ref_columns))
            edge(g, from, k->id);
    cat_each (CatIndex, i, &r->indexes) {
        ARENA_LOCAL(scratch);
        CatTexts columns = {0};
        vec_each (CatKey, key, &i->keys)
            *vec_add(scratch, &columns) = key->column;
        if (i->is_unique && same_set(&columns, &fk->ref_columns))
            edge(g, from, i->id);
    }
}

static void
edges_of_relation(Graph *g, uint32_t from, const CatRelation *r)
{
    edge_relation(g, from, r->partition_of.schema, r->partition_of.name);
    vec_each (const CatName, parent, &r->inherits)
        edge_relation(g, from, parent->schema, parent->name);
    if (r->access_method)
        edge(g, from, (CatRef){CAT_ACCESS_METHOD, NULL, r->access_method, NULL});
    if (r->of_type.name)
        edge(g, from, (CatRef){CAT_COMPOSITE, r->of_type.schema, r->of_type.name, NULL});
}

/* What the fields of an object say that it needs, beside `needs`. */
static void
edges_of(Graph *g, const CatObject *o)
{
    const void *p = o;
    uint32_t from = node_of(g, o);
    if (o->id.schema)
        edge(g, from, (CatRef){CAT_SCHEMA, NULL, o->id.schema, NULL});
    vec_each (const CatRef, need, &o->needs)
        edge(g, from, *need);
    switch (o->id.kind) {
    case CAT_EXTENSION:
        edge(g, from, (CatRef){CAT_SCHEMA, NULL, ((const CatExtension *)p)->in_schema, NULL});
        break;
    case CAT_DOMAIN:
        edge_type(g, from, &((const CatDomain *)p)->type);
        edge_collation(g, from, &((const CatDomain *)p)->collation);
        break;
    case CAT_SEQUENCE: {
        /* The table's default uses the sequence; an identity column makes its own. */
        const CatSequence *s = p;
        if (s->is_identity) {
            edge_relation(g, from, s->owner_table.schema, s->owner_table.name);
        } else if (s->owner_table.name) {
            const CatRelation *r =
                catalog_relation(g->catalog, s->owner_table.schema, s->owner_table.name);
            if (r)
                edge(g, g->number[r->ordinal], o->id);
        }
        break;
    }
    case CAT_TABLE:
    case CAT_VIEW:
    case CAT_MATVIEW:
        edges_of_relation(g, from, p);
        break;
    case CAT_COLUMN:
        edge_type(g, from, &((const CatColumn *)p)->type);
        edge_collation(g, from, &((const CatColumn *)p)->collation);
        break;
    case CAT_INDEX: {
        const CatIndex *i = p;
        edge_relation(g, from, o->id.schema, i->table);
        if (i->method)
            edge(g, from, (CatRef){CAT_ACCESS_METHOD, NULL, i->method, NULL});
        vec_each (const CatKey, key, &i->keys)
            edge_collation(g, from, &key->collation);
        const CatIndex *parent =
            i->parent.name ? catalog_find(g->catalog, (CatRef){CAT_INDEX, i->parent.schema,
                                                               i->parent.name, NULL})
                           : NULL;
        if (parent && !parent->is_only) /* that one comes behind, and takes it in */
            edge(g, from, parent->id);
        break;
    }
    case CAT_CONSTRAINT: {
        const CatConstraint *k = p;
        edge_relation(g, from, o->id.schema, o->id.name);
        edge(g, from, (CatRef){CAT_DOMAIN, o->id.schema, o->id.name, NULL});
        if (k->type == CAT_FOREIGN_KEY)
            edge_key(g, from, k);
        break;
    }
    case CAT_TRIGGER: {
        const CatName *f = &((const CatTrigger *)p)->function;
        edge_relation(g, from, o->id.schema, o->id.name);
        edge(g, from, (CatRef){CAT_FUNCTION, f->schema, f->name, NULL});
        const CatRelation *t = catalog_relation(g->catalog, o->id.schema, o->id.name);
        if (((const CatTrigger *)p)->is_inherited && t)
            edge(g, from,
                 (CatRef){CAT_TRIGGER, t->partition_of.schema, t->partition_of.name, o->id.sub});
        break;
    }
    case CAT_RULE:
    case CAT_POLICY:
        edge_relation(g, from, o->id.schema, o->id.name);
        break;
    default:
        break;
    }
}

static void
build(Graph *g)
{
    const CatObjects *all = &g->catalog->objects;
    g->number = arena_array(g->arena, uint32_t, g->catalog->count);
    for (size_t i = 0; i < all->n; i++) {
        if (all->v[i]->id.kind != CAT_COLUMN)
            *vec_add(g->arena, &g->nodes) = all->v[i];
        /* Columns follow their relation or type. */
        g->number[all->v[i]->ordinal] = (uint32_t)g->nodes.n - 1;
    }
    g->needs = arena_array(g->arena, Ids, g->nodes.n);
    for (size_t i = 0; i < all->n; i++)
        edges_of(g, all->v[i]);
}

/* ---- components ---------------------------------------------------------------------------- */

enum { UNSEEN = 0 };

typedef struct Frame {
    uint32_t node;
    size_t next; /* edge to look at */
} Frame;

typedef struct Tarjan {
    uint32_t *index, *low; /* from 1 */
    uint32_t *component;   /* of each node, from 1; 0 = still open */
    Ids open;
    VEC(Frame) frames;
    uint32_t counter, components;
} Tarjan;

static void
enter(Graph *g, Tarjan *t, uint32_t node)
{
    t->index[node] = t->low[node] = ++t->counter;
    *vec_add(g->arena, &t->open) = node;
    *vec_add(g->arena, &t->frames) = (Frame){node, 0};
}

static void
leave(Tarjan *t)
{
    uint32_t node = t->frames.v[--t->frames.n].node;
    if (t->frames.n) {
        uint32_t up = t->frames.v[t->frames.n - 1].node;
        if (t->low[node] < t->low[up])
            t->low[up] = t->low[node];
    }
    if (t->low[node] != t->index[node])
        return;
    t->components++;
    uint32_t member;
    do {
        member = t->open.v[--t->open.n];
        t->component[member] = t->components;
    } while (member != node);
}

static void
visit(Graph *g, Tarjan *t, uint32_t root)
{
    enter(g, t, root);
    while (t->frames.n) {
        Frame *f = &t->frames.v[t->frames.n - 1];
        if (f->next == g->needs[f->node].n) {
            leave(t);
            continue;
        }
        uint32_t node = f->node, need = g->needs[node].v[f->next++];
        if (t->index[need] == UNSEEN)
            enter(g, t, need);
        else if (!t->component[need] && t->index[need] < t->low[node])
            t->low[node] = t->index[need];
    }
}

/* ---- order --------------------------------------------------------------------------------- */

/* A heap of node numbers: the smallest first. */
static void
push(Arena *a, Ids *heap, uint32_t value)
{
    *vec_add(a, heap) = value;
    for (size_t i = heap->n - 1; i && heap->v[(i - 1) / 2] > value; i = (i - 1) / 2) {
        heap->v[i] = heap->v[(i - 1) / 2];
        heap->v[(i - 1) / 2] = value;
    }
}

static uint32_t
pop(Ids *heap)
{
    uint32_t top = heap->v[0], value = heap->v[--heap->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < heap->n && heap->v[child + 1] < heap->v[child])
            child++;
        if (child >= heap->n || heap->v[child] >= value)
            break;
        heap->v[i] = heap->v[child];
        i = child;
    }
    heap->v[i] = value;
    return top;
}

CatObjects
catalog_order(Arena *a, const Catalog *c, CatCycles *ret_cycles)
{
    ARENA_LOCAL(scratch);
    Graph g = {.arena = scratch, .catalog = c};
    build(&g);
    uint32_t n = (uint32_t)g.nodes.n;
    Tarjan t = {.index = arena_array(scratch, uint32_t, n),
                .low = arena_array(scratch, uint32_t, n),
                .component = arena_array(scratch, uint32_t, n)};
    for (uint32_t i = 0; i < n; i++)
        if (t.index[i] == UNSEEN)
            visit(&g, &t, i);

    /* Members of each component in canonical order; a component goes by its first member. */
    Ids *members = arena_array(scratch, Ids, t.components + 1);
    Ids *users = arena_array(scratch, Ids, t.components + 1);
    uint32_t *waits = arena_array(scratch, uint32_t, t.components + 1);
    for (uint32_t i = 0; i < n; i++)
        *vec_add(scratch, &members[t.component[i]]) = i;
    for (uint32_t i = 0; i < n; i++)
        vec_each (uint32_t, need, &g.needs[i])
            if (t.component[*need] != t.component[i]) {
                *vec_add(scratch, &users[t.component[*need]]) = t.component[i];
                waits[t.component[i]]++;
            }

    Ids ready = {0};
    for (uint32_t k = 1; k <= t.components; k++)
        if (!waits[k])
            push(scratch, &ready, members[k].v[0]);
    CatObjects order = {0};
    if (ret_cycles)
        *ret_cycles = (CatCycles){0};
    while (ready.n) {
        uint32_t k = t.component[pop(&ready)];
        CatObjects *cycle = members[k].n > 1 && ret_cycles ? vec_add(a, ret_cycles) : NULL;
        vec_each (uint32_t, member, &members[k]) {
            *vec_add(a, &order) = g.nodes.v[*member];
            if (cycle)
                *vec_add(a, cycle) = g.nodes.v[*member];
        }
        vec_each (uint32_t, user, &users[k])
            if (--waits[*user] == 0)
                push(scratch, &ready, members[*user].v[0]);
    }
    return order;
}

CatObjects *
catalog_needs(Arena *a, const Catalog *c)
{
    ARENA_LOCAL(scratch);
    Graph g = {.arena = scratch, .catalog = c};
    build(&g);
    CatObjects *needs = arena_array(a, CatObjects, c->count);
    for (size_t i = 0; i < g.nodes.n; i++)
        vec_each (uint32_t, need, &g.needs[i])
            *vec_add(a, &needs[g.nodes.v[i]->ordinal]) = g.nodes.v[*need];
    return needs;
}
