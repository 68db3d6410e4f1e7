/* Views, and what is compared by its fields (`plain` in kinds.def): functions, and the code that
 * belongs to tables and views. */
#include "diff/diff_int.h"

/* What PostgreSQL changes in place. CREATE OR REPLACE cannot change what is returned, the names of
 * arguments or drop defaults. */
static bool
can_alter(const CatObject *to, const CatTexts *fields)
{
    static const char *const usual[] = {"comment", "enabled", "owner",   "grants",
                                        "options", "secrets", "setting", "multirange_comment"};
    CatKind kind = to->id.kind;
    if (kind == CAT_FUNCTION)
        return !cat_has_text(fields, "is_procedure") && !cat_has_text(fields, "arguments") &&
               !cat_has_text(fields, "returns");
    if (cat_has_text(fields, "setting") && !((const CatDefined *)to)->setting)
        return false;
    size_t known = 0;
    for (size_t i = 0; i < COUNT(usual); i++)
        known += cat_has_text(fields, usual[i]);
    return known == fields->n;
}

static const CatTrigger *
inherited(const CatObject *o)
{
    const CatTrigger *t = o && o->id.kind == CAT_TRIGGER ? (const CatTrigger *)o : NULL;
    return t && t->is_inherited ? t : NULL;
}

/* The state of a partition's trigger, which is its table's where nothing else is said; false where it has none. */
static bool
trigger_state(const Catalog *c, CatRef id, char *ret)
{
    const CatRelation *t = catalog_relation(c, id.schema, id.name);
    const CatTrigger *trigger = catalog_find(c, id);
    if (trigger) {
        *ret = trigger->enabled;
        return true;
    }
    return t && t->partition_of.name &&
           trigger_state(
               c, (CatRef){CAT_TRIGGER, t->partition_of.schema, t->partition_of.name, id.sub}, ret);
}

/* x of a partition: its own state goes. y NULL. */
static void
forget_state(Differ *d, const CatTrigger *x)
{
    CatTrigger *now = arena_new(d->arena, CatTrigger);
    *now = *x;
    if (!trigger_state(d->to, x->id, &now->enabled) || now->enabled == x->enabled)
        return;
    Change *c = change_alter(d, x, now);
    *vec_add(d->arena, &c->fields) = "enabled";
}

/* One of them is NULL where the other side does not have it. */
static void
compare(Differ *d, const CatObject *x, const CatObject *y)
{
    const CatObject *o = x ? x : y;
    CatTexts fields = {0};
    if (x && y)
        fields = catalog_changes(d->arena, x, y, &d->rules);
    if ((x && y && !fields.n) || map_has(&d->remade, ref_key(d->arena, &o->id)))
        return;
    if (inherited(x) && !y) {
        forget_state(d, inherited(x));
        return;
    }
    if (fields.n && can_alter(y, &fields)) {
        change_alter(d, x, y)->fields = fields;
        return;
    }
    if (x)
        change_drop(d, x);
    if (y)
        change_create(d, y);
}

/* x NULL: all of them are new. */
static void
compare_parts(Differ *d, const CatRelation *x, const CatRelation *y, CatKind kind)
{
    const CatObject *p;
    for (size_t i = 0; x && (p = catalog_part(x, kind, i)); i++)
        compare(d, p, catalog_find(d->to, p->id));
    for (size_t i = 0; (p = catalog_part(y, kind, i)); i++)
        if (!x || !catalog_find(d->from, p->id))
            compare(d, NULL, p);
}

/* Default privileges are privileges. */
static bool
is_plain(const Differ *d, const CatObject *o)
{
    const CatKindInfo *kind = cat_kind(o->id.kind);
    return kind->is_plain && !kind->is_part &&
           !(o->id.kind == CAT_DEFAULT_ACL && d->rules.ignore_grants);
}

void
diff_plain(Differ *d)
{
    vec_each (CatObject *, y, &d->to->objects)
        if (is_plain(d, *y))
            compare(d, catalog_find(d->from, (*y)->id), *y);
    vec_each (CatObject *, x, &d->from->objects)
        if (is_plain(d, *x) && !catalog_find(d->to, (*x)->id))
            compare(d, *x, NULL);
}

/* ---- views --------------------------------------------------------------------------------- */

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

static unsigned
view_field(const char *name)
{
    static const struct {
        const char *name;
        unsigned field;
    } fields[] = {{"comment", COLUMN_COMMENT},      {"grants", COLUMN_GRANTS},
                  {"default_expr", COLUMN_DEFAULT}, {"statistics", COLUMN_STORAGE},
                  {"options", COLUMN_STORAGE},      {"storage", COLUMN_STORAGE},
                  {"compression", COLUMN_STORAGE}};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].field;
    return 0;
}

static void
alter_view(Differ *d, const CatRelation *x, const CatRelation *y)
{
    CatRules rules = d->rules;
    rules.ignore_column_order = true;
    CatTexts fields = catalog_changes(d->arena, x, y, &rules);
    bool query = cat_has_text(&fields, "query");
    if ((x->id.kind == CAT_MATVIEW && query) || !has_same_columns(x, y)) {
        change_drop(d, x);
        change_create(d, y);
        return;
    }
    Change *c = change_alter(d, x, y);
    c->fields = fields;
    cat_each (CatColumn, to, &y->columns) {
        const CatColumn *from = catalog_column(x, to->id.sub);
        ColumnChange k = {.op = COLUMN_ALTER, .from = from, .to = to};
        CatTexts changes = {0};
        if (from)
            changes = catalog_changes(d->arena, from, to, &d->rules);
        vec_each (const char *, name, &changes)
            k.fields |= view_field(*name);
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
            change_create(d, y);
    }
    cat_each (CatRelation, x, &d->from->views)
        if (!catalog_find(d->to, x->id))
            change_drop(d, x);
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

/* The code on a relation. x NULL: it is new, or was dropped before. */
static void
diff_parts(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (x && relation_goes(d, x))
        x = NULL;
    if (!y)
        return; /* goes with it */
    for (CatKind kind = 0; kind < CAT_KIND_COUNT; kind++)
        if (cat_kind(kind)->is_part && cat_kind(kind)->is_plain)
            compare_parts(d, x, y, kind);
    if (y->id.kind != CAT_MATVIEW)
        return;
    compare_parts(d, x, y, CAT_INDEX);
    index_state_compare(d, x, y);
}

/* What happens to a trigger of a partitioned table happens to those of all partitions. */
static void
keep_states(Differ *d, const CatRef *trigger)
{
    const CatRef parent = {CAT_TABLE, trigger->schema, trigger->name, NULL};
    cat_each (CatRelation, t, &d->to->tables) {
        if (!t->partition_of.name || !catalog_is_child(t, &parent))
            continue;
        const CatRef id = {CAT_TRIGGER, t->id.schema, t->id.name, trigger->sub};
        const CatTrigger *own = catalog_find(d->to, id);
        bool is_told = false;
        vec_each (Change *, c, &d->diff->changes)
            is_told = is_told || ((*c)->to && cat_ref_cmp(&(*c)->to->id, &id) == 0);
        if (own && own->is_inherited && !is_told)
            change_create(d, own);
        keep_states(d, &id);
    }
}

/* How many tables there are above a partition. */
static uint32_t
depth(const Catalog *c, const CatRef *trigger)
{
    const CatRelation *t = catalog_relation(c, trigger->schema, trigger->name);
    return t && t->partition_of.name ? 1 + depth(c, &(CatRef){CAT_TABLE, t->partition_of.schema,
                                                              t->partition_of.name, NULL})
                                     : 0;
}

static void
keep_partition_states(Differ *d)
{
    size_t n = d->diff->changes.n;
    for (size_t i = 0; i < n; i++) {
        const Change *c = d->diff->changes.v[i];
        if (c->kind == CAT_TRIGGER && c->to &&
            (c->op == CHANGE_CREATE || cat_has_text(&c->fields, "enabled")))
            keep_states(d, &c->to->id);
    }
    vec_each (Change *, c, &d->diff->changes)
        if (inherited((*c)->to)) { /* behind its table's */
            (*c)->rank[0] = RANK_ALTER_OTHER;
            (*c)->rank[1] = UINT32_MAX;
            (*c)->rank[2] = depth(d->to, &(*c)->to->id);
        }
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
    keep_partition_states(d);
}
