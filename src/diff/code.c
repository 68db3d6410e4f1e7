/* Functions and views, and the code that belongs to tables and views: triggers, rules, policies. */
#include "diff/diff_int.h"

/* CREATE OR REPLACE cannot change what is returned, the names of arguments or drop defaults. */
static bool
is_replaceable(const CatTexts *fields)
{
    return !cat_has_text(fields, "is_procedure") && !cat_has_text(fields, "arguments") &&
           !cat_has_text(fields, "returns");
}

void
diff_functions(Differ *d)
{
    cat_each (CatFunction, y, &d->to->functions) {
        const CatFunction *x = catalog_find(d->from, y->id);
        CatTexts fields = {0};
        if (x)
            fields = catalog_changes(d->arena, x, y, &d->rules);
        if (x && !fields.n)
            continue;
        if (x && is_replaceable(&fields)) {
            change_add(d, CHANGE_ALTER, x, y, RANK_CREATE_FUNCTION)->fields = fields;
            continue;
        }
        if (x)
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_FUNCTION);
        change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_FUNCTION);
    }
    cat_each (CatFunction, x, &d->from->functions)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_FUNCTION);
}

/* CREATE OR REPLACE VIEW may only add columns at the end. */
static bool
has_same_columns(const CatRelation *x, const CatRelation *y)
{
    if (x->columns.n > y->columns.n)
        return false;
    for (size_t i = 0; i < x->columns.n; i++) {
        const CatColumn *p = x->columns.v[i], *q = y->columns.v[i];
        if (strcmp(p->id.sub, q->id.sub) != 0 || !catalog_type_same(&p->type, &q->type) ||
            !cat_same_text(p->collation.name, q->collation.name))
            return false;
    }
    return true;
}

static void
alter_view(Differ *d, const CatRelation *x, const CatRelation *y)
{
    CatRules rules = d->rules;
    rules.ignore_column_order = true;
    CatTexts fields = catalog_changes(d->arena, x, y, &rules);
    bool query = cat_has_text(&fields, "query");
    if ((x->id.kind == CAT_MATVIEW && query) || !has_same_columns(x, y)) {
        change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_CODE);
        change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_VIEW);
        return;
    }
    Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_CREATE_VIEW);
    c->fields = fields;
    cat_each (CatColumn, to, &y->columns) {
        const CatColumn *from = catalog_column(x, to->id.sub);
        ColumnChange k = {.op = COLUMN_ALTER, .from = from, .to = to};
        CatTexts changes = {0};
        if (from)
            changes = catalog_changes(d->arena, from, to, &d->rules);
        vec_each (const char *, name, &changes)
            k.fields |= strcmp(*name, "comment") == 0        ? (unsigned)COLUMN_COMMENT
                        : strcmp(*name, "grants") == 0       ? (unsigned)COLUMN_GRANTS
                        : strcmp(*name, "default_expr") == 0 ? (unsigned)COLUMN_DEFAULT
                                                             : 0;
        if (k.fields)
            *vec_add(d->arena, &c->columns) = k;
    }
    if (!c->fields.n && !c->columns.n)
        d->diff->changes.n--;
}

void
diff_views(Differ *d)
{
    cat_each (CatRelation, y, &d->to->views) {
        const CatRelation *x = catalog_find(d->from, y->id);
        if (x)
            alter_view(d, x, y);
        else
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_VIEW);
    }
    cat_each (CatRelation, x, &d->from->views)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_CODE);
}

/* Whether the relation itself is dropped, or dropped and made again. */
static bool
relation_goes(const Differ *d, const CatRelation *x)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_DROP && (*c)->from == (const CatObject *)x)
            return true;
    return false;
}

static Rank
rank_of_part(CatKind kind)
{
    return kind == CAT_RULE      ? RANK_CREATE_RULE
           : kind == CAT_TRIGGER ? RANK_CREATE_TRIGGER
           : kind == CAT_POLICY  ? RANK_CREATE_POLICY
                                 : RANK_CREATE_INDEX;
}

static void
diff_part(Differ *d, const CatObject *x, const CatObject *y)
{
    CatTexts fields = {0};
    if (x && y)
        fields = catalog_changes(d->arena, x, y, &d->rules);
    if (x && y && !fields.n)
        return;
    const CatObject *o = x ? x : y;
    if (map_has(&d->remade, ref_key(d->arena, &o->id)))
        return;
    bool by_comment = fields.n == 1 && strcmp(fields.v[0], "comment") == 0;
    bool by_state = fields.n == 1 && strcmp(fields.v[0], "enabled") == 0;
    if (by_comment || by_state) {
        change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_OTHER)->fields = fields;
        return;
    }
    if (x)
        change_add(d, CHANGE_DROP, x, NULL,
                   o->id.kind == CAT_INDEX ? RANK_DROP_INDEX : RANK_DROP_CODE);
    if (y)
        change_add(d, CHANGE_CREATE, NULL, y, rank_of_part(o->id.kind));
}

#define DIFF_PARTS(T, list)                                                                        \
    do {                                                                                           \
        if (x)                                                                                     \
            cat_each (T, p, &x->list)                                                              \
                diff_part(d, (CatObject *)p, catalog_find(d->to, p->id));                          \
        if (y)                                                                                     \
            cat_each (T, q, &y->list)                                                              \
                if (!x || !catalog_find(d->from, q->id))                                           \
                    diff_part(d, NULL, (CatObject *)q);                                            \
    } while (0)

/* The code on a relation. x NULL: it is new, or was dropped before. */
static void
diff_parts(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (x && relation_goes(d, x))
        x = NULL;
    if (!y)
        return; /* goes with it */
    DIFF_PARTS(CatTrigger, triggers);
    DIFF_PARTS(CatRule, rules);
    DIFF_PARTS(CatPolicy, policies);
    if (y->id.kind != CAT_MATVIEW)
        return;
    DIFF_PARTS(CatIndex, indexes);
    index_state_compare(d, x, y);
}

void
diff_code(Differ *d)
{
    if (d->prisma_kinds)
        return;
    vec_each (Pair, p, &d->tables)
        diff_parts(d, p->from, p->to);
    cat_each (CatRelation, y, &d->to->views)
        diff_parts(d, catalog_find(d->from, y->id), y);
}
