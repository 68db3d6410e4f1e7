/* What holds an expression and stays where it is lets go of what its expression calls, while that is dropped
 * and made again: defaults are dropped and set again, generated columns come back with their table's change. */
#include "diff/diff_int.h"

typedef struct LetGo {
    Differ *d;
    Map dropped; /* ids of what a change drops */
    Map altered; /* changes of tables, domains and composite types, by id */
} LetGo;

static bool
calls_dropped(const LetGo *l, const CatRefs *needs)
{
    vec_each (const CatRef, need, needs)
        if (need->kind != CAT_COLUMN && map_has(&l->dropped, ref_key(l->d->arena, need)))
            return true;
    return false;
}

static bool
calls_dropped_function(const LetGo *l, const CatRefs *needs)
{
    vec_each (const CatRef, need, needs)
        if (need->kind == CAT_FUNCTION && map_has(&l->dropped, ref_key(l->d->arena, need)))
            return true;
    return false;
}

static Change *
altered(const LetGo *l, const CatRef *id)
{
    return map_get(&l->altered, ref_key(l->d->arena, id));
}

static Change *
aside(Differ *d, const void *from, const void *to, Rank rank)
{
    Change *c = change_add(d, CHANGE_ALTER, from, to, rank);
    c->is_aside = true;
    return c;
}

static const CatColumn *
without_default(Arena *a, const CatColumn *column)
{
    CatColumn *plain = arena_new(a, CatColumn);
    *plain = *column;
    plain->default_expr = NULL;
    return plain;
}

/* A table as it is while it has let go: it needs nothing that comes. */
static CatRelation *
table_between(Arena *a, const CatRelation *t)
{
    CatRelation *between = arena_new(a, CatRelation);
    *between = *t;
    between->needs = (CatRefs){0};
    return between;
}

/* Whether the table's own change sets it, or the column does not stay. */
static bool
is_set_anyway(const Change *c, const CatColumn *column)
{
    if (c)
        vec_each (const ColumnChange, k, &c->columns)
            if (k->from && strcmp(k->from->id.sub, column->id.sub) == 0)
                return k->op != COLUMN_ALTER || k->fields & COLUMN_DEFAULT;
    return false;
}

/* A table of a composite type that changes, or that it leaves, is none of it in between. */
static void
let_type_go(LetGo *l, const CatRelation *x, const CatRelation *y)
{
    Differ *d = l->d;
    const CatRef type = {CAT_COMPOSITE, x->of_type.schema, x->of_type.name, NULL};
    bool is_same = cat_same_text(x->of_type.schema, y->of_type.schema) &&
                   cat_same_text(x->of_type.name, y->of_type.name);
    const Change *of = x->of_type.name ? altered(l, &type) : NULL;
    if (d->prisma_kinds || (is_same && !(of && of->columns.n)))
        return;
    if (x->of_type.name) {
        CatRelation *free = table_between(d->arena, x);
        free->of_type = (CatName){0};
        aside(d, x, free, RANK_DROP_CODE);
    }
    if (y->of_type.name) {
        CatRelation *free = table_between(d->arena, y);
        free->of_type = (CatName){0};
        aside(d, free, y, RANK_ALTER_OTHER);
    }
}

/* Only the parents that the other side has, too; NULL where that are all. */
static CatRelation *
with_common_parents(Differ *d, const CatRelation *t, const CatRelation *other)
{
    CatRelation *between = table_between(d->arena, t);
    between->inherits = (CatNames){0};
    vec_each (CatName, parent, &t->inherits)
        if (catalog_is_child(other, &(CatRef){CAT_TABLE, parent->schema, parent->name, NULL}))
            *vec_add(d->arena, &between->inherits) = *parent;
    return between->inherits.n == t->inherits.n ? NULL : between;
}

static void
let_parents_go(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (d->prisma_kinds)
        return;
    CatRelation *left = with_common_parents(d, x, y), *joined = with_common_parents(d, y, x);
    if (left)
        aside(d, x, left, RANK_DROP_CODE);
    if (joined)
        aside(d, joined, y, RANK_ATTACH);
}

static void
let_table_go(LetGo *l, const CatRelation *x, const CatRelation *y)
{
    Differ *d = l->d;
    const Change *own = altered(l, &x->id);
    Change *before = NULL, *after = NULL;
    const CatRelation *between = table_between(d->arena, x);
    if (own)
        vec_each (const ColumnChange, k, &own->columns)
            if (k->is_let_go) {
                before = before ? before : aside(d, x, between, RANK_DROP_CODE);
                *vec_add(d->arena, &before->columns) =
                    (ColumnChange){.op = COLUMN_DROP, .from = k->from};
            }
    let_type_go(l, x, y);
    let_parents_go(d, x, y);
    cat_each (CatColumn, column, &x->columns) {
        const CatColumn *to = d->prisma_kinds ? column : catalog_column(y, column->id.sub);
        if (column->generated || !column->default_expr || !calls_dropped(l, &column->needs))
            continue;
        if (!calls_dropped_function(l, &column->needs) &&
            (!to || is_set_anyway(own, column) || type_is_rebuilt(d, &column->type)))
            continue; /* the table is altered before sequences and types go */
        const CatColumn *plain = without_default(d->arena, column);
        before = before ? before : aside(d, x, between, RANK_DROP_CODE);
        *vec_add(d->arena, &before->columns) = (ColumnChange){
            .op = COLUMN_ALTER, .from = column, .to = plain, .fields = COLUMN_DEFAULT};
        if (!to || !to->default_expr || is_set_anyway(own, column))
            continue;
        after = after ? after : aside(d, table_between(d->arena, y), y, RANK_ALTER_OTHER);
        *vec_add(d->arena, &after->columns) =
            (ColumnChange){.op = COLUMN_ALTER, .from = plain, .to = to, .fields = COLUMN_DEFAULT};
    }
}

static void
alter_default(Differ *d, Change *domain)
{
    *vec_add(d->arena, &domain->fields) = "default_expr";
}

static void
let_domain_go(LetGo *l, const CatDomain *x, const CatDomain *y)
{
    Differ *d = l->d;
    if (!x->default_expr || !calls_dropped(l, &x->needs))
        return;
    CatDomain *plain = arena_new(d->arena, CatDomain);
    *plain = *x;
    plain->default_expr = NULL;
    plain->needs = (CatRefs){0};
    alter_default(d, aside(d, x, plain, RANK_DROP_CODE));
    const Change *own = altered(l, &x->id);
    if (!y->default_expr || (own && cat_has_text(&own->fields, "default_expr")))
        return;
    CatDomain *between = arena_new(d->arena, CatDomain);
    *between = *y;
    between->default_expr = NULL;
    alter_default(d, aside(d, between, y, RANK_ALTER_OTHER));
}

static bool
goes(const LetGo *l, const CatRef *id)
{
    return map_has(&l->dropped, ref_key(l->d->arena, id));
}

/* Sequences that go with the table of their column; not one that is handed over first. */
static void
sequences_go(LetGo *l)
{
    Differ *d = l->d;
    Map kept;
    map_init(&kept, d->arena);
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->kind == CAT_SEQUENCE && (*c)->from)
            map_put(&kept, ref_key(d->arena, &(*c)->from->id), *c);
    cat_each (CatSequence, s, &d->from->sequences) {
        const CatRef table = {CAT_TABLE, s->owner_table.schema, s->owner_table.name, NULL};
        Change *drop = table.name ? map_get(&l->dropped, ref_key(d->arena, &table)) : NULL;
        if (drop && !map_has(&kept, ref_key(d->arena, &s->id)))
            map_put(&l->dropped, ref_key(d->arena, &s->id), drop);
    }
}

void
diff_let_go(Differ *d)
{
    LetGo l = {.d = d};
    map_init(&l.dropped, d->arena);
    map_init(&l.altered, d->arena);
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if ((c->kind == CAT_ENUM && c->is_rebuilt) || change_makes_room(d, c))
            map_put(&l.dropped, ref_key(d->arena, &c->from->id), c);
        if (c->op == CHANGE_DROP)
            map_put(&l.dropped, ref_key(d->arena, &c->from->id), c);
        else if (c->op == CHANGE_ALTER &&
                 (c->kind == CAT_TABLE || c->kind == CAT_DOMAIN || c->kind == CAT_COMPOSITE))
            map_put(&l.altered, ref_key(d->arena, &c->to->id), c);
    }
    sequences_go(&l);
    vec_each (Pair, p, &d->tables)
        if (p->from && p->to && !goes(&l, &p->from->id))
            let_table_go(&l, p->from, p->to);
    cat_each (CatDomain, x, &d->from->domains) {
        const CatDomain *y = d->prisma_kinds ? x : catalog_find(d->to, x->id);
        if (y && !goes(&l, &x->id))
            let_domain_go(&l, x, y);
    }
}
