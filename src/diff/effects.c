/* What a person should know before a change is made: the conditions of Prisma's checker
 * (sql_destructive_change_checker), and more. */
#include "diff/diff_int.h"

static bool
has_default(const CatColumn *c)
{
    return c->default_expr || c->identity || c->generated;
}

static void
find_added(Differ *d, Change *c, const ColumnChange *k)
{
    if (!k->to->is_not_null || k->to->type.is_array || has_default(k->to))
        return;
    if (refs_have(d->diff->to.any_default, &k->to->id))
        return;
    effect_add(d, c,
               refs_have(d->diff->to.client_default, &k->to->id) ? FINDING_DIFF_ADD_REQUIRED_CLIENT
                                                                 : FINDING_DIFF_ADD_REQUIRED,
               &k->to->id);
}

static void
find_recreated(Differ *d, Change *c, const ColumnChange *k)
{
    bool required = k->to->is_not_null && !k->to->type.is_array;
    if (k->to->generated == CAT_VIRTUAL && k->from->generated)
        return; /* nothing is stored */
    if (k->from->generated && k->to->generated)
        effect_add(d, c, FINDING_DIFF_REWRITE, &k->to->id);
    else if (!required || has_default(k->to))
        effect_add(d, c, FINDING_DIFF_RECREATE_COLUMN, &k->to->id);
    else if (k->from->is_not_null || k->from->type.is_array)
        effect_add(d, c, FINDING_DIFF_RECREATE_REQUIRED, &k->to->id);
    else
        effect_add(d, c, FINDING_DIFF_ADD_REQUIRED, &k->to->id);
}

/* Types whose values stay as they are on disk:
 * https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES */
static bool
keeps_rows(const CatType *x, const CatType *y)
{
    if (x->is_array != y->is_array)
        return false;
    bool to_text = strcmp(y->name, "text") == 0 || (strcmp(y->name, "varchar") == 0 && !y->args);
    if (to_text && (strcmp(x->name, "varchar") == 0 || strcmp(x->name, "text") == 0))
        return true;
    return strcmp(x->name, y->name) == 0 && !y->args && strcmp(x->name, "bpchar") != 0;
}

/* Whether a cast reads one side as of the session's TimeZone: between the two kinds of point in time,
 * and from or to a part of one. */
static bool
needs_zone(const CatType *x, const CatType *y)
{
    const char *const zoned[] = {"timestamptz", "timetz"};
    const char *const plain[] = {"timestamp", "time", "date"};
    bool x_zoned = false, y_zoned = false, x_plain = false, y_plain = false;
    for (size_t i = 0; i < COUNT(zoned); i++) {
        x_zoned = x_zoned || strcmp(x->name, zoned[i]) == 0;
        y_zoned = y_zoned || strcmp(y->name, zoned[i]) == 0;
    }
    for (size_t i = 0; i < COUNT(plain); i++) {
        x_plain = x_plain || strcmp(x->name, plain[i]) == 0;
        y_plain = y_plain || strcmp(y->name, plain[i]) == 0;
    }
    if (x->schema || y->schema || strcmp(x->name, "timetz") == 0)
        return false; /* timetz has its own zone, and time keeps what it shows */
    return (x_zoned && (y_plain || strcmp(y->name, "timetz") == 0)) || (x_plain && y_zoned);
}

static void
find_altered(Differ *d, Change *c, const ColumnChange *k)
{
    bool was_list = k->from->type.is_array, is_list = k->to->type.is_array;
    if (k->fields & COLUMN_NULLABLE && k->to->is_not_null && !k->from->is_not_null && !is_list &&
        !was_list)
        effect_add(d, c, FINDING_DIFF_MADE_REQUIRED, &k->to->id);
    if (!was_list && is_list)
        effect_add(d, c, FINDING_DIFF_SCALAR_TO_LIST, &k->to->id);
    if (!(k->fields & COLUMN_TYPE))
        return;
    if (k->cast == CAST_RISKY) {
        DiffEffect *n = effect_add(d, c, FINDING_DIFF_RISKY_CAST, &k->to->id);
        n->from_type = &k->from->type;
        n->to_type = &k->to->type;
    }
    if (!keeps_rows(&k->from->type, &k->to->type))
        effect_add(d, c, FINDING_DIFF_REWRITE, &k->to->id);
    if (needs_zone(&k->from->type, &k->to->type)) {
        DiffEffect *n = effect_add(d, c, FINDING_DIFF_TIME_ZONE, &k->to->id);
        n->from_type = &k->from->type;
        n->to_type = &k->to->type;
    }
}

static void
looks_renamed(Differ *d, Change *c, const CatRef *was, const CatTexts *like)
{
    if (like->n)
        effect_add(d, c, FINDING_DIFF_LOOKS_RENAMED, was)->names = *like;
}

/* A column that goes and some of the same type that come. */
static void
find_renames(Differ *d, Change *c)
{
    vec_each (const ColumnChange, x, &c->columns) {
        if (x->op != COLUMN_DROP)
            continue;
        CatTexts like = {0};
        vec_each (const ColumnChange, y, &c->columns)
            if (y->op == COLUMN_ADD && catalog_type_same(&x->from->type, &y->to->type))
                *vec_add(d->arena, &like) = y->to->id.sub;
        looks_renamed(d, c, &x->from->id, &like);
    }
}

static void
find_table(Differ *d, Change *c)
{
    if (c->drop_key)
        effect_add(d, c, FINDING_DIFF_DROP_PRIMARY_KEY, &c->from->id);
    vec_each (const ColumnChange, k, &c->columns) {
        switch (k->op) {
        case COLUMN_DROP:
            effect_add(d, c, FINDING_DIFF_DROP_COLUMN, &k->from->id);
            break;
        case COLUMN_ADD:
            find_added(d, c, k);
            break;
        case COLUMN_RECREATE:
            find_recreated(d, c, k);
            break;
        case COLUMN_ALTER:
            find_altered(d, c, k);
            break;
        }
    }
    find_renames(d, c);
}

static void
find_enum(Differ *d, Change *c)
{
    const CatEnum *x = (const CatEnum *)c->from, *y = (const CatEnum *)c->to;
    if (!x) { /* the old one made room */
        x = (const CatEnum *)type_that_made_room(d, &y->id);
        if (!x)
            return;
    } else if (!c->is_rebuilt) {
        if (c->labels.n)
            effect_add(d, c, FINDING_DIFF_ENUM_COMMIT, &y->id)->names = c->labels;
        return;
    }
    CatTexts removed = {0};
    vec_each (const char *, label, &x->labels) {
        if (!cat_has_text(&y->labels, *label))
            *vec_add(d->arena, &removed) = *label;
    }
    if (removed.n)
        effect_add(d, c, FINDING_DIFF_ENUM_VALUES_REMOVED, &y->id)->names = removed;
    if (c->from && removed.n == 1 && c->labels.n == 1)
        effect_add(d, c, FINDING_DIFF_LOOKS_RENAMED,
                   &(CatRef){CAT_ENUM, x->id.schema, x->id.name, removed.v[0]})
            ->names = c->labels;
}

/* An enum that goes, and new ones of the same values. */
static void
find_dropped_enum(Differ *d, Change *drop)
{
    CatTexts like = {0};
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_CREATE && (*c)->kind == CAT_ENUM &&
            cat_same_texts(&((const CatEnum *)drop->from)->labels,
                           &((const CatEnum *)(*c)->to)->labels))
            *vec_add(d->arena, &like) = (*c)->to->id.name;
    looks_renamed(d, drop, &drop->from->id, &like);
}

/* Its values go with an attribute, in the rows of all tables. */
static void
find_composite(Differ *d, Change *c)
{
    const CatObject *x = c->room ? c->room : c->from, *y = c->to;
    if (!type_is_stored(d->from, &x->id))
        return;
    vec_each (const ColumnChange, k, &c->columns) {
        const CatRef at = {CAT_COLUMN, y->id.schema, y->id.name, k->from ? k->from->id.sub : NULL};
        if (k->op == COLUMN_DROP || k->op == COLUMN_RECREATE)
            effect_add(d, c, FINDING_DIFF_DROP_DATA, &at);
        if (k->op != COLUMN_ALTER || k->cast != CAST_RISKY || !c->room)
            continue;
        DiffEffect *e = effect_add(d, c, FINDING_DIFF_RISKY_CAST, &at);
        e->from_type = &k->from->type;
        e->to_type = &k->to->type;
    }
}

static void
find_index(Differ *d, Change *c, const Map *new_tables)
{
    const CatIndex *i = (const CatIndex *)c->to;
    if (!i->is_unique || c->is_after_recreate ||
        map_has(new_tables, name_key(d->arena, i->id.schema, i->table)))
        return;
    DiffEffect *n =
        effect_add(d, c, FINDING_DIFF_UNIQUE, &(CatRef){CAT_TABLE, i->id.schema, i->table, NULL});
    vec_each (const CatKey, k, &i->keys)
        *vec_add(d->arena, &n->names) = k->column ? k->column : k->expr;
}

static void
find_constraint(Differ *d, Change *c, const Map *new_tables)
{
    const CatConstraint *k = (const CatConstraint *)c->to;
    if (k->is_not_valid || k->is_not_enforced ||
        map_has(new_tables, name_key(d->arena, k->id.schema, k->id.name)))
        return;
    if (k->type == CAT_FOREIGN_KEY)
        effect_add(d, c, FINDING_DIFF_FOREIGN_KEY_ROWS, &k->id);
    else if (k->type == CAT_CHECK || k->type == CAT_EXCLUDE || k->is_without_overlaps)
        effect_add(d, c, FINDING_DIFF_CHECK_ROWS, &k->id);
    else
        effect_add(d, c, FINDING_DIFF_UNIQUE, &(CatRef){CAT_TABLE, k->id.schema, k->id.name, NULL})
            ->names = k->columns;
}

static void
find_dropped_table(Differ *d, Change *c)
{
    effect_add(d, c, FINDING_DIFF_DROP_TABLE, &c->from->id);
    const CatRelation *x = (const CatRelation *)c->from;
    CatTexts like = {0};
    vec_each (Pair, p, &d->tables) {
        bool same = !p->from && p->to->columns.n == x->columns.n;
        for (size_t i = 0; same && i < x->columns.n; i++) {
            const CatColumn *y = catalog_column(p->to, x->columns.v[i]->id.sub);
            same = y && catalog_type_same(&x->columns.v[i]->type, &y->type);
        }
        if (same)
            *vec_add(d->arena, &like) = p->to->id.name;
    }
    looks_renamed(d, c, &x->id, &like);
}

void
diff_effects(Differ *d)
{
    Map new_tables;
    map_init(&new_tables, d->arena);
    vec_each (Pair, p, &d->tables)
        if (!p->from)
            map_put(&new_tables, name_key(d->arena, p->to->id.schema, p->to->id.name), d);
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if (c->is_aside)
            continue;
        if (c->op == CHANGE_ALTER && c->kind == CAT_TABLE)
            find_table(d, c);
        else if (c->kind == CAT_ENUM && (c->op == CHANGE_ALTER || c->op == CHANGE_CREATE))
            find_enum(d, c);
        else if (c->kind == CAT_COMPOSITE &&
                 (c->op == CHANGE_ALTER || (c->op == CHANGE_CREATE && c->room)))
            find_composite(d, c);
        else if (c->op == CHANGE_DROP && c->kind == CAT_ENUM)
            find_dropped_enum(d, c);
        else if (c->op == CHANGE_DROP && c->kind == CAT_TABLE)
            find_dropped_table(d, c);
        else if (c->op == CHANGE_CREATE && c->kind == CAT_INDEX)
            find_index(d, c, &new_tables);
        else if (c->op == CHANGE_CREATE && c->kind == CAT_CONSTRAINT)
            find_constraint(d, c, &new_tables);
        else if (c->op == CHANGE_DROP && (c->kind == CAT_MATVIEW || c->kind == CAT_SEQUENCE) &&
                 !c->effects.n)
            effect_add(d, c, FINDING_DIFF_DROP_DATA, &c->from->id);
    }
}
