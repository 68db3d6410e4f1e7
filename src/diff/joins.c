/* Tables of implicit many-to-many relations, under renamed models. */
#include "diff/diff_int.h"

typedef struct Join {
    const CatRelation *table;
    CatRef a, b; /* the tables that its columns A and B lead to */
} Join;

typedef VEC(Join) Joins;

static bool
read_join(const CatRelation *t, Join *ret)
{
    *ret = (Join){.table = t};
    if (*t->id.name != '_' || t->columns.n != 2)
        return false;
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_FOREIGN_KEY && k->columns.n == 1) {
            CatRef *side = strcmp(k->columns.v[0], "A") == 0   ? &ret->a
                           : strcmp(k->columns.v[0], "B") == 0 ? &ret->b
                                                               : NULL;
            if (side)
                *side = (CatRef){CAT_TABLE, k->ref_table.schema, k->ref_table.name, NULL};
        }
    return ret->a.name && ret->b.name;
}

static Joins
joins_of(const Wishes *w, const Catalog *c)
{
    Joins all = {0};
    Join join;
    cat_each (CatRelation, t, &c->tables)
        if (read_join(t, &join))
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

/* A model takes its relations' tables along, and where the alphabet turns, A and B change their
 * meaning: so the columns change places, not the rows' meaning. */
void
wishes_follow_joins(Wishes *w)
{
    Joins from = joins_of(w, w->from), to = joins_of(w, w->to);
    vec_each (const Join, y, &to) {
        const Join *x = NULL;
        bool crossed;
        const CatRef old = wish_part_was(w, y->table->id);
        vec_each (const Join, j, &from)
            if (wish_same(&j->table->id, (CatRef){CAT_TABLE, old.schema, old.name, NULL}))
                x = j;
        if (!x && (x = find_joined(w, &from, y)))
            *vec_add(w->arena, &w->all) = (Wish){.old = x->table->id, .now = y->table->id};
        if (!x || !joins_same(w, x, y, &crossed) || !crossed)
            continue;
        for (int i = 0; i < 2; i++) {
            const CatRef *was = &x->table->id, *now = &y->table->id;
            const Wish swap = {
                .old = {CAT_COLUMN, was->schema, was->name, i ? "B" : "A"},
                .now = {CAT_COLUMN, now->schema, now->name, i ? "A" : "B"},
            };
            if (!wish_from(w, swap.old))
                *vec_add(w->arena, &w->all) = swap;
        }
    }
}
