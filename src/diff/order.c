/* The order: by rank, with everything before it that it needs. */
#include "diff/diff_int.h"

#include "base/invariant.h"

#include <stdlib.h>

typedef VEC(Change *) Changes;

static bool
is_type(CatKind kind)
{
    return kind == CAT_ENUM || kind == CAT_DOMAIN || kind == CAT_COMPOSITE;
}

/* What has to be as it will be before something new uses it. */
static bool
is_altered_first(CatKind kind)
{
    return is_type(kind) || kind == CAT_PUBLICATION;
}

typedef struct Order {
    Differ *d;
    Map created, dropped; /* changes by the id of their object */
    Map altered;          /* tables */
    Map altered_first;
    Map names;          /* what drops or gives up a name, by schema and name */
    CatObjects *needs;  /* of `to` */
    CatObjects *needed; /* of `from` */
    CatObjects *users;  /* of `from`: who needs it */
    Changes out;
} Order;

static int
by_rank(const void *x, const void *y)
{
    const Change *p = *(Change *const *)x, *q = *(Change *const *)y;
    for (size_t i = 0; i < 4; i++)
        if (p->rank[i] != q->rank[i])
            return p->rank[i] < q->rank[i] ? -1 : 1;
    return 0;
}

/* A unique index may hold what a new primary key on the same columns takes over: Prisma drops it
 * only then. */
static void
delay_unique_indexes(Differ *d)
{
    vec_each (Change *, at, &d->diff->changes) {
        Change *drop = *at;
        if (drop->op != CHANGE_DROP || drop->kind != CAT_INDEX)
            continue;
        const CatIndex *index = (const CatIndex *)drop->from;
        vec_each (Change *, alter, &d->diff->changes) {
            const Change *c = *alter;
            if (c->op != CHANGE_ALTER || c->kind != CAT_TABLE || !c->add_key || c->drop_key ||
                !index->is_unique || strcmp(c->from->id.name, index->table) != 0 ||
                strcmp(c->from->id.schema, index->id.schema) != 0 ||
                c->add_key->columns.n != index->keys.n)
                continue;
            bool same = true;
            for (size_t i = 0; i < index->keys.n; i++) {
                same = same && cat_same_text(index->keys.v[i].column, c->add_key->columns.v[i]);
                vec_each (const ColumnChange, k, &c->columns)
                    if ((k->op == COLUMN_DROP || k->op == COLUMN_RECREATE) &&
                        cat_same_text(k->from->id.sub, index->keys.v[i].column))
                        same = false;
            }
            if (!same)
                continue;
            memcpy(drop->rank, c->rank, sizeof drop->rank);
            drop->rank[3] = c->rank[3] + 1;
        }
    }
}

static void
put(Arena *a, Map *map, const CatRef *id, Change *c)
{
    Str key = ref_key(a, id);
    if (!map_has(map, key))
        map_put(map, key, c);
}

static bool
shares_names(CatKind kind)
{
    return cat_kind(kind)->named == CAT_NAMED_SHARED;
}

static CatName
index_name(const CatConstraint *k)
{
    bool has_index = k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE || k->type == CAT_EXCLUDE;
    return has_index ? (CatName){k->id.schema, k->id.sub} : (CatName){0};
}

/* The name in that space that a change other than a drop gives up, and the one that it takes; or none. */
static CatName
name_given(const Change *c)
{
    if (c->op == CHANGE_RENAME && c->kind == CAT_CONSTRAINT)
        return index_name((const CatConstraint *)c->from);
    if (c->op == CHANGE_RENAME && shares_names(c->kind))
        return (CatName){c->from->id.schema, c->from->id.name};
    const CatConstraint *key = c->rename_key_from ? c->rename_key_from : c->drop_key;
    return key ? index_name(key) : (CatName){0};
}

static CatName
name_taken(const Change *c)
{
    if ((c->op == CHANGE_RENAME || c->op == CHANGE_CREATE) && c->kind == CAT_CONSTRAINT)
        return index_name((const CatConstraint *)c->to);
    if ((c->op == CHANGE_RENAME || c->op == CHANGE_CREATE) && shares_names(c->kind))
        return (CatName){c->to->id.schema, c->to->id.name};
    const CatConstraint *key = c->rename_key_to ? c->rename_key_to : c->add_key;
    return key ? index_name(key) : (CatName){0};
}

/* What an object takes of that name space beside its own name: indexes of a table, the multiranges of a range. */
static CatNames
other_names(Arena *a, const CatObject *o)
{
    CatNames names = {0};
    if (o->id.kind == CAT_RANGE && ((const CatDefined *)o)->multirange.name)
        *vec_add(a, &names) = ((const CatDefined *)o)->multirange;
    if (o->id.kind != CAT_TABLE)
        return names;
    const CatRelation *t = (const void *)o;
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE || k->type == CAT_EXCLUDE)
            *vec_add(a, &names) = (CatName){k->id.schema, k->id.sub};
    cat_each (CatIndex, i, &t->indexes)
        *vec_add(a, &names) = (CatName){i->id.schema, i->id.name};
    return names;
}

/* The name of a sequence is free when the column that owns it is gone. */
static void
add_owned_names(Order *o)
{
    const Differ *d = o->d;
    cat_each (CatSequence, s, &d->from->sequences) {
        const CatRef table = {CAT_TABLE, s->owner_table.schema, s->owner_table.name, NULL};
        Change *c = s->owner_column ? map_get(&o->dropped, ref_key(d->arena, &table)) : NULL;
        bool goes = c && c->op == CHANGE_DROP;
        if (c)
            vec_each (const ColumnChange, k, &c->columns)
                goes = goes || ((k->op == COLUMN_DROP || k->op == COLUMN_RECREATE) &&
                                strcmp(k->from->id.sub, s->owner_column) == 0);
        if (goes)
            map_put(&o->names, name_key(d->arena, s->id.schema, s->id.name), c);
    }
}

static void
prepare(Order *o)
{
    Differ *d = o->d;
    map_init(&o->created, d->arena);
    map_init(&o->dropped, d->arena);
    map_init(&o->names, d->arena);
    map_init(&o->altered, d->arena);
    map_init(&o->altered_first, d->arena);
    o->needs = catalog_needs(d->arena, d->to);
    o->needed = catalog_needs(d->arena, d->from);
    o->users = arena_array(d->arena, CatObjects, d->from->count);
    vec_each (CatObject *, user, &d->from->objects)
        vec_each (CatObject *, need, &o->needed[(*user)->ordinal])
            *vec_add(d->arena, &o->users[(*need)->ordinal]) = *user;
    vec_each (Change *, c, &d->diff->changes) {
        if ((*c)->op == CHANGE_CREATE)
            put(d->arena, &o->created, &(*c)->to->id, *c);
        if ((*c)->add_key)
            put(d->arena, &o->created, &(*c)->add_key->id, *c);
        if ((*c)->op == CHANGE_ALTER && (*c)->kind == CAT_TABLE && !(*c)->is_aside)
            put(d->arena, &o->altered, &(*c)->to->id, *c);
        if ((*c)->op == CHANGE_ALTER && is_altered_first((*c)->kind) && !(*c)->is_aside)
            put(d->arena, &o->altered_first, &(*c)->to->id, *c);
        if ((*c)->op == CHANGE_DROP || ((*c)->op == CHANGE_ALTER && (*c)->from))
            put(d->arena, &o->dropped, &(*c)->from->id, *c);
        CatName given = name_given(*c);
        if ((*c)->op == CHANGE_DROP && shares_names((*c)->kind))
            given = (CatName){(*c)->from->id.schema, (*c)->from->id.name};
        if (given.name)
            map_put(&o->names, name_key(d->arena, given.schema, given.name), *c);
        if ((*c)->op != CHANGE_DROP)
            continue;
        CatNames names = other_names(d->arena, (*c)->from);
        vec_each (const CatName, name, &names)
            map_put(&o->names, name_key(d->arena, name->schema, name->name), *c);
    }
    add_owned_names(o);
}

static void emit(Order *o, Change *c);

static void
emit_creation(Order *o, const CatRef *id)
{
    Change *c = map_get(&o->created, ref_key(o->d->arena, id));
    if (!c) /* a label or an attribute more */
        c = map_get(&o->altered_first, ref_key(o->d->arena, id));
    if (!c && id->kind == CAT_SEQUENCE) { /* of a serial column: it comes with the table */
        const CatSequence *s = (const CatSequence *)catalog_find(o->d->to, *id);
        const CatRef table = {CAT_TABLE, s ? s->owner_table.schema : NULL,
                              s ? s->owner_table.name : NULL, NULL};
        c = table.name ? map_get(&o->created, ref_key(o->d->arena, &table)) : NULL;
    }
    if (c)
        emit(o, c);
}

/* Parents before their children, which get what changes there. */
static void
emit_parents(Order *o, const Change *c)
{
    if (c->kind != CAT_TABLE || c->op == CHANGE_INDEX_STATE)
        return;
    vec_each (CatObject *, need, &o->needs[c->to->ordinal]) {
        Change *parent = map_get(&o->altered, ref_key(o->d->arena, &(*need)->id));
        if (parent && (*need)->id.kind == CAT_TABLE)
            emit(o, parent);
    }
}

/* Objects of `to` that came from the other side (code that is made again) have needs there. */
static bool
is_of(const Catalog *c, const CatObject *o)
{
    const CatObject *found = catalog_find(c, o->id);
    return found == o;
}

/* What a child has itself and from its parent can be dropped when the parent's is gone. */
static void
emit_parents_drop(Order *o, const CatObject *constraint)
{
    const CatRef *id = &constraint->id;
    const CatRelation *table = catalog_relation(o->d->from, id->schema, id->name);
    if (!table)
        return;
    vec_each (const CatName, parent, &table->inherits) {
        const CatRef same = {CAT_CONSTRAINT, parent->schema, parent->name, id->sub};
        Change *first = map_get(&o->dropped, ref_key(o->d->arena, &same));
        if (first && first->op == CHANGE_DROP)
            emit(o, first);
    }
}

/* Indexes that exchange their names: one that cannot be renamed yet makes room first. */
static void
make_room(Order *o, Change *giver)
{
    Arena *a = o->d->arena;
    CatName given = name_given(giver);
    bool is_index =
        giver->rename_key_from || giver->kind == CAT_INDEX || giver->kind == CAT_CONSTRAINT;
    if (giver->is_done || !given.name || !is_index)
        return;
    const CatRef was = {CAT_INDEX, given.schema, given.name, NULL};
    const CatRef now = {CAT_INDEX, given.schema, name_free(o->d, &was), NULL};
    CatIndex *index = arena_new(a, CatIndex);
    index->id = was;
    index->table =
        giver->kind == CAT_INDEX ? ((const CatIndex *)giver->from)->table : giver->from->id.name;
    Change *c = arena_new(a, Change);
    *c = (Change){.op = CHANGE_RENAME,
                  .kind = CAT_INDEX,
                  .from = (const CatObject *)index,
                  .to = catalog_called(a, (const CatObject *)index, now),
                  .is_placed = true,
                  .is_done = true};
    *vec_add(a, &o->out) = c;
    *vec_add(a, &o->d->diff->changes) = c;
    const CatObject *from =
        giver->rename_key_from ? (const CatObject *)giver->rename_key_from : giver->from;
    CatRef id = from->id;
    if (id.sub)
        id.sub = now.name;
    else
        id.name = now.name;
    from = catalog_called(a, from, id);
    if (giver->rename_key_from)
        giver->rename_key_from = (const CatConstraint *)from;
    else
        giver->from = from;
}

/* Functions that go say the types of their arguments, under the names that these have until now. */
static void
emit_functions(Order *o, const CatObject *type)
{
    if (type)
        vec_each (CatObject *, user, &o->users[type->ordinal]) {
            Change *drop = map_get(&o->dropped, ref_key(o->d->arena, &(*user)->id));
            if (drop && drop->op == CHANGE_DROP && drop->kind == CAT_FUNCTION)
                emit(o, drop);
        }
}

static void
emit_needs(Order *o, const Change *c)
{
    Differ *d = o->d;
    if (c->op == CHANGE_DROP && c->kind == CAT_CONSTRAINT)
        emit_parents_drop(o, c->from);
    CatName taken = name_taken(c);
    Change *giver =
        taken.name ? map_get(&o->names, name_key(d->arena, taken.schema, taken.name)) : NULL;
    bool is_in_order = giver && giver->rank[0] == RANK_RENAME && c->rank[0] == RANK_RENAME;
    /* What goes under its new name is the same object; not one that is renamed itself. */
    bool is_same = giver && c->op == CHANGE_RENAME && giver->from &&
                   (giver->op != CHANGE_RENAME || c->rank[0] == RANK_RENAME) &&
                   cat_ref_cmp(&giver->from->id, &c->to->id) == 0;
    if (giver && giver != c && !is_in_order && !is_same) {
        emit(o, giver);
        make_room(o, giver);
    }
    if (c->to && c->op != CHANGE_RENAME) {
        if (is_of(d->to, c->to)) {
            vec_each (CatObject *, need, &o->needs[c->to->ordinal])
                emit_creation(o, &(*need)->id);
            emit_parents(o, c);
        } else {
            if (is_of(d->from, c->to))
                vec_each (CatObject *, need, &o->needed[c->to->ordinal])
                    emit_creation(o, &(*need)->id);
            vec_each (const CatRef, need, &c->to->needs)
                emit_creation(o, need);
        }
        if (c->op == CHANGE_CREATE) {
            CatNames names = other_names(d->arena, c->to);
            vec_each (const CatName, name, &names) {
                Change *old = map_get(&o->names, name_key(d->arena, name->schema, name->name));
                if (old)
                    emit(o, old);
            }
        }
        if (c->op == CHANGE_CREATE) {
            Change *old = map_get(&o->dropped, ref_key(d->arena, &c->to->id));
            if (old && old->op == CHANGE_DROP)
                emit(o, old);
        }
    }
    if (c->op == CHANGE_RENAME && is_type(c->kind))
        emit_functions(o, catalog_find(d->from, c->to->id));
    bool is_table = c->op == CHANGE_ALTER && c->kind == CAT_TABLE;
    bool is_free = is_table && c->is_aside && !c->columns.n; /* of parents or its type */
    if ((c->op != CHANGE_DROP && !c->is_rebuilt && !is_table) || is_free ||
        !is_of(d->from, c->from))
        return;
    vec_each (CatObject *, user, &o->users[c->from->ordinal]) {
        Change *first = map_get(&o->dropped, ref_key(d->arena, &(*user)->id));
        if (!first || first == c)
            continue;
        /* A table waits for its parts, which would go with their columns; a type that is made anew, and
         * what lets go of its columns, for code only. */
        bool is_drop = first->op == CHANGE_DROP, for_code = c->is_rebuilt || c->is_aside;
        if (!is_drop && cat_kind(first->kind)->is_part)
            continue; /* what is said about a part, its state */
        /* A child that is made anew may be partitioned by a column that goes. */
        if (is_table && is_drop && first->kind == CAT_TABLE &&
            catalog_is_child((const CatRelation *)first->from, &c->from->id))
            emit(o, first);
        if (is_table && !c->is_aside ? is_drop && cat_kind(first->kind)->is_part
                                     : !for_code || (is_drop && first->kind != CAT_TABLE))
            emit(o, first);
    }
}

static void
emit(Order *o, Change *c)
{
    if (c->is_placed)
        return; /* done, or a loop */
    c->is_placed = true;
    emit_needs(o, c);
    *vec_add(o->d->arena, &o->out) = c;
    c->is_done = true;
}

void
diff_order(Differ *d)
{
    delay_unique_indexes(d);
    Changes *all = (Changes *)&d->diff->changes;
    if (!all->n)
        return;
    qsort(all->v, all->n, sizeof *all->v, by_rank);
    if (d->compat)
        return;
    Order o = {.d = d};
    prepare(&o);
    for (size_t i = 0, n = all->n; i < n; i++) /* make_room adds to them */
        emit(&o, all->v[i]);
    INVARIANT(o.out.n == all->n, "an order that lost or doubled a change");
    memcpy(all->v, o.out.v, all->n * sizeof *all->v);
}
