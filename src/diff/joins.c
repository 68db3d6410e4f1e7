/* Tables of implicit many-to-many relations, under renamed models. */
#include "diff/diff_int.h"

typedef struct Join {
    const CatRelation *table;
    CatRef a, b; /* the tables that its columns A and B lead to; no name: not known */
    const CatJoin *said;
} Join;

typedef VEC(Join) Joins;

static void
read_keys(const CatRelation *t, Join *ret)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_FOREIGN_KEY && k->columns.n == 1) {
            CatRef *side = strcmp(k->columns.v[0], "A") == 0   ? &ret->a
                           : strcmp(k->columns.v[0], "B") == 0 ? &ret->b
                                                               : NULL;
            if (side)
                *side = (CatRef){CAT_TABLE, k->ref_table.schema, k->ref_table.name, NULL};
        }
}

/* "_XToY", where both are tables: Prisma's own name for it, as long as models are called like them. */
static void
read_name(const Catalog *c, const CatRelation *t, Join *ret)
{
    const char *name = t->id.name + 1;
    for (const char *to = strstr(name, "To"); to; to = strstr(to + 1, "To")) {
        const CatRelation *a = NULL, *b = NULL;
        cat_each (CatRelation, x, &c->tables) {
            if (strcmp(x->id.schema, t->id.schema) != 0)
                continue;
            if (str_is((Str){name, (size_t)(to - name)}, x->id.name))
                a = x;
            if (strcmp(to + 2, x->id.name) == 0)
                b = x;
        }
        if (a && b) {
            ret->a = a->id;
            ret->b = b->id;
        }
    }
}

static bool
read_join(const Catalog *c, const CatRelation *t, const CatJoins *said, Join *ret)
{
    *ret = (Join){.table = t};
    if (*t->id.name != '_' || t->columns.n != 2 || !catalog_column(t, "A") ||
        !catalog_column(t, "B"))
        return false;
    for (size_t i = 0; said && i < said->n; i++)
        if (wish_same(&said->v[i].table, t->id))
            ret->said = &said->v[i];
    read_keys(t, ret);
    if (ret->a.name && ret->b.name)
        return true;
    ret->a = ret->b = (CatRef){0};
    if (ret->said) {
        ret->a = ret->said->a;
        ret->b = ret->said->b;
    } else {
        read_name(c, t, ret);
    }
    return true;
}

static Joins
joins_of(const Wishes *w, const Catalog *c, const CatJoins *said)
{
    Joins all = {0};
    Join join;
    cat_each (CatRelation, t, &c->tables)
        if (read_join(c, t, said, &join))
            *vec_add(w->arena, &all) = join;
    return all;
}

static CatRef
whole_now(const Wishes *w, CatRef old)
{
    const Wish *x = wish_from(w, old);
    return x ? x->now : old;
}

/* Whether both join the same tables; and whether A and B have changed places. */
static bool
joins_same(const Wishes *w, const Join *x, const Join *y, bool *crossed)
{
    *crossed = false;
    if (!x->a.name || !y->a.name)
        return false;
    CatRef a = whole_now(w, x->a), b = whole_now(w, x->b);
    *crossed = wish_same(&y->a, b) && wish_same(&y->b, a) && !wish_same(&a, b);
    return *crossed || (wish_same(&y->a, a) && wish_same(&y->b, b));
}

/* The old table of one that comes with renamed models; NULL where there is none, or a choice. */
static const Join *
find_joined(const Wishes *w, const Joins *from, const Join *y)
{
    const Join *only = NULL;
    bool crossed;
    vec_each (const Join, x, from) {
        bool renamed = wish_from(w, x->a) || wish_from(w, x->b);
        if (!renamed || !wish_goes(w, x->table->id) || !joins_same(w, x, y, &crossed))
            continue;
        if (only)
            return NULL;
        only = x;
    }
    return only;
}

/* Without keys a table that keeps its name does not tell what its columns are: whether its name, or the
 * old names of its models, would have them the other way round. */
static bool
looks_crossed(const Wishes *w, const Join *x, const Join *y)
{
    if (x->a.name || !y->said || wish_same(&y->a, y->b))
        return false;
    const char *name = y->table->id.name + 1, *to = strstr(name, "To");
    if (to && (str_is((Str){name, (size_t)(to - name)}, y->said->b_model) ||
               strcmp(to + 2, y->said->a_model) == 0))
        return true;
    const CatRef was_a = wish_part_was(w, y->a), was_b = wish_part_was(w, y->b);
    bool renamed = wish_to(w, y->a) || wish_to(w, y->b);
    return renamed && strcmp(was_a.name, was_b.name) > 0;
}

/* A model takes its relations' tables along, and where the alphabet turns, A and B change their
 * meaning: so the columns change places, not the rows' meaning. */
void
wishes_follow_joins(Wishes *w, const DiffWishes *in)
{
    Joins from = joins_of(w, w->from, in->from_joins), to = joins_of(w, w->to, in->to_joins);
    vec_each (const Join, y, &to) {
        const Join *x = NULL;
        bool crossed;
        const CatRef old = wish_part_was(w, y->table->id);
        vec_each (const Join, j, &from)
            if (wish_same(&j->table->id, (CatRef){CAT_TABLE, old.schema, old.name, NULL}))
                x = j;
        if (!x && (x = find_joined(w, &from, y)))
            *vec_add(w->arena, &w->all) = (Wish){.old = x->table->id, .now = y->table->id};
        if (!x)
            continue;
        const CatRef *was = &x->table->id, *now = &y->table->id;
        bool told = wish_from(w, (CatRef){CAT_COLUMN, was->schema, was->name, "A"});
        if (in->unsure && !told && looks_crossed(w, x, y))
            *vec_add(w->arena, in->unsure) = y->table->id;
        if (!joins_same(w, x, y, &crossed) || !crossed)
            continue;
        for (int i = 0; i < 2; i++) {
            const Wish swap = {
                .old = {CAT_COLUMN, was->schema, was->name, i ? "B" : "A"},
                .now = {CAT_COLUMN, now->schema, now->name, i ? "A" : "B"},
            };
            if (!wish_from(w, swap.old))
                *vec_add(w->arena, &w->all) = swap;
        }
    }
}
