/* What holds an expression and stays where it is lets go of what its expression calls, while that is dropped
 * and made again: defaults are dropped and set again, generated columns come back with their table's change. */
#include "diff/diff_int.h"

typedef struct LetGo {
    Differ *d;
    Map dropped; /* ids of what a change drops */
    Map early;   /* those of them that go before, or while, tables are altered */
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
calls_early(const LetGo *l, const CatColumn *column)
{
    vec_each (const CatRef, need, &column->needs) {
        if (!map_has(&l->early, ref_key(l->d->arena, need)))
            continue;
        if (need->kind == CAT_FUNCTION)
            return true;
        const CatSequence *s = catalog_find(l->d->from, *need);
        bool is_owner = cat_same_text(s->owner_table.schema, column->id.schema) &&
                        cat_same_text(s->owner_table.name, column->id.name) &&
                        cat_same_text(s->owner_column, column->id.sub);
        if (!is_owner && !column->is_inherited) /* these go along */
            return true;
    }
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

/* PostgreSQL renames no constraint of a typed table. */
static bool
renames_constraint(const LetGo *l, const CatRelation *t)
{
    const Change *own = altered(l, &t->id);
    if (own && own->rename_key_from)
        return true;
    if (own)
        vec_each (const ColumnChange, k, &own->columns)
            if (k->fields & COLUMN_NOT_NULL &&
                not_null_is_renamed(k->from->not_null_name, k->to->not_null_name))
                return true;
    vec_each (Change *, c, &l->d->diff->changes)
        if ((*c)->op == CHANGE_RENAME && (*c)->kind == CAT_CONSTRAINT &&
            cat_same_text((*c)->to->id.schema, t->id.schema) &&
            strcmp((*c)->to->id.name, t->id.name) == 0)
            return true;
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
    if (d->prisma_kinds || (!x->of_type.name && !y->of_type.name) ||
        (is_same && !(of && of->columns.n) && !renames_constraint(l, x)))
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

/* With these of its parents only; NULL where that are all. */
static CatRelation *
with_parents(Differ *d, const CatRelation *t, CatNames kept)
{
    CatRelation *between = table_between(d->arena, t);
    between->inherits = kept;
    return kept.n == t->inherits.n ? NULL : between;
}

static void
let_parents_go(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (d->prisma_kinds)
        return;
    CatNames kept = table_parents_kept(d, x, y);
    CatRelation *left = with_parents(d, x, kept), *joined = with_parents(d, y, kept);
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
        if (!calls_early(l, column) &&
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

static bool
drops_column(const Change *table, const char *column)
{
    if (table)
        vec_each (const ColumnChange, k, &table->columns)
            if (k->op != COLUMN_ALTER && k->from && strcmp(k->from->id.sub, column) == 0)
                return true;
    return false;
}

/* Sequences that go with their column or its table; not one that is handed over first. */
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
        if (!table.name || map_has(&kept, ref_key(d->arena, &s->id)))
            continue;
        Change *drop = map_get(&l->dropped, ref_key(d->arena, &table));
        Change *alter = altered(l, &table);
        if (drop) {
            map_put(&l->dropped, ref_key(d->arena, &s->id), drop);
        } else if (drops_column(alter, s->owner_column)) {
            map_put(&l->dropped, ref_key(d->arena, &s->id), alter);
            map_put(&l->early, ref_key(d->arena, &s->id), alter);
        }
    }
}

void
diff_let_go(Differ *d)
{
    LetGo l = {.d = d};
    map_init(&l.dropped, d->arena);
    map_init(&l.altered, d->arena);
    map_init(&l.early, d->arena);
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if ((c->kind == CAT_ENUM && c->is_rebuilt) || change_makes_room(d, c))
            map_put(&l.dropped, ref_key(d->arena, &c->from->id), c);
        if (c->op == CHANGE_DROP)
            map_put(&l.dropped, ref_key(d->arena, &c->from->id), c);
        if (c->op == CHANGE_DROP && c->kind == CAT_FUNCTION)
            map_put(&l.early, ref_key(d->arena, &c->from->id), c);
        if (c->op == CHANGE_ALTER &&
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
