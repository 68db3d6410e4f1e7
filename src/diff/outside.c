/* What was not read and stands on what changes: nobody can drop it here and make it again. */
#include "diff/diff_int.h"

/* A change that something outside may stand in the way of. */
typedef struct Gone {
    Change *change;
    CatRef at;         /* what it is about */
    CatHold from;      /* what holds at least so much is in the way */
    const CatType *to; /* of a column that gets another type */
} Gone;

typedef struct Outside {
    Differ *d;
    Map gone; /* ids -> Gone */
} Outside;

static void
go(Outside *o, const CatRef *id, Gone gone)
{
    Str key = ref_key(o->d->arena, id);
    const Gone *old = map_get(&o->gone, key);
    if (old && old->from <= gone.from)
        return;
    Gone *copy = arena_new(o->d->arena, Gone);
    *copy = gone;
    copy->at = *id;
    map_put(&o->gone, key, copy);
}

/* A sequence that goes with its column. */
static void
go_owned(Outside *o, Change *c, const CatColumn *column)
{
    const CatSequence *s = map_get(&o->d->owned_from, ref_key(o->d->arena, &column->id));
    if (s && !catalog_find(o->d->to, s->id))
        go(o, &s->id, (Gone){.change = c});
}

/* Children have what happens to a column of their parent. */
static void
go_column(Outside *o, Change *c, const CatRelation *of, const ColumnChange *k)
{
    const CatColumn *column = of ? catalog_column(of, k->from->id.sub) : NULL;
    if (!column || of->id.kind == CAT_VIEW)
        return;
    bool stays = k->op == COLUMN_ALTER;
    go(o, &column->id,
       (Gone){.change = c,
              .from = stays ? CAT_HOLDS_KEY : CAT_HOLDS,
              .to = stays ? &k->to->type : NULL});
    if (!stays)
        go_owned(o, c, column);
    if (of->id.kind == CAT_TABLE)
        cat_each (CatRelation, t, &o->d->from->tables)
            if (catalog_is_child(t, &of->id))
                go_column(o, c, t, k);
}

static void
go_attribute(Outside *o, Change *c, const ColumnChange *k)
{
    const bool stays = k->op == COLUMN_ALTER;
    if (k->from)
        go(o, &k->from->id, (Gone){.change = c, .from = stays ? CAT_HOLDS_CODE : CAT_HOLDS});
    if (!stays || k->fields & COLUMN_TYPE)
        go(o, &c->from->id, (Gone){.change = c, .from = stays ? CAT_HOLDS_QUERY : CAT_HOLDS_TYPED});
}

static void
find_altered(Outside *o, Change *c)
{
    vec_each (const ColumnChange, k, &c->columns) {
        if (c->kind == CAT_COMPOSITE) {
            go_attribute(o, c, k);
            continue;
        }
        if (k->from && (k->op == COLUMN_DROP || k->op == COLUMN_RECREATE ||
                        (k->op == COLUMN_ALTER && k->fields & COLUMN_TYPE)))
            go_column(o, c, (const CatRelation *)c->from, k);
        if (k->op == COLUMN_ALTER && k->fields & COLUMN_IDENTITY && !k->to->identity)
            go_owned(o, c, k->from);
    }
    if (c->kind == CAT_TABLE && change_touches_rows(c))
        go(o, &c->from->id, (Gone){.change = c, .from = CAT_HOLDS_ROWS});
    if (c->drop_key)
        go(o, &c->drop_key->id, (Gone){.change = c});
}

/* PostgreSQL looks for rows that violate more than they did, and not inside of values. */
static void
find_checked(Outside *o, Change *c)
{
    const CatObject *now = c->to;
    const CatRef domain = {CAT_DOMAIN, now->id.schema, now->id.name, NULL};
    bool is_check = c->op == CHANGE_CREATE && c->kind == CAT_CONSTRAINT;
    bool is_required = c->op == CHANGE_ALTER && c->kind == CAT_DOMAIN &&
                       ((const CatDomain *)now)->is_not_null &&
                       cat_has_text(&c->fields, "is_not_null");
    if ((is_check || is_required) && catalog_find(o->d->from, domain))
        go(o, &domain, (Gone){.change = c, .from = CAT_HOLDS_LISTS});
}

static void
find_gone(Outside *o)
{
    vec_each (Change *, at, &o->d->diff->changes) {
        Change *c = *at;
        if (c->op == CHANGE_DROP || change_makes_room(o->d, c) ||
            (c->kind == CAT_ENUM && c->is_rebuilt))
            go(o, &c->from->id, (Gone){.change = c});
        if (c->op == CHANGE_DROP && c->kind == CAT_TABLE)
            cat_each (CatColumn, column, &((const CatRelation *)c->from)->columns)
                go_owned(o, c, column);
        if (c->op == CHANGE_ALTER && c->from && !c->is_aside)
            find_altered(o, c);
        if (c->to)
            find_checked(o, c);
        if (c->kind == CAT_ENUM && c->is_rebuilt)
            vec_each (const CatColumn *, column, &c->retype)
                go(o, &(*column)->id, (Gone){.change = c, .from = CAT_HOLDS_CODE});
    }
}

/* ---- who stands on it ------------------------------------------------------------------------- */

/* The relation or type whose part this is. */
static const Gone *
whole_gone(const Outside *o, const CatRef *part)
{
    static const CatKind wholes[] = {CAT_TABLE, CAT_VIEW, CAT_MATVIEW, CAT_COMPOSITE,
                                     CAT_FOREIGN_TABLE};
    const Gone *gone = NULL;
    for (size_t i = 0; part->sub && !gone && i < COUNT(wholes); i++) {
        const CatRef whole = {wholes[i], part->schema, part->name, NULL};
        gone = map_get(&o->gone, ref_key(o->d->arena, &whole));
    }
    return gone && gone->from == CAT_HOLDS ? gone : NULL;
}

/* Types that PostgreSQL compares with one another: a foreign key between them stays. */
static int
family(const CatType *t)
{
    static const char *const names[][4] = {{"int2", "int4", "int8", "numeric"},
                                           {"text", "varchar", "bpchar", "name"},
                                           {"date", "timestamp", "timestamptz", NULL},
                                           {"float4", "float8", NULL, NULL}};
    for (int i = 0; !t->schema && i < (int)COUNT(names); i++)
        for (size_t k = 0; k < COUNT(names[0]) && names[i][k]; k++)
            if (strcmp(names[i][k], t->name) == 0)
                return i + 1;
    return 0;
}

static bool
stays_in_family(const Outside *o, const Gone *gone)
{
    const CatColumn *column = catalog_find(o->d->from, gone->at);
    if (!column || !gone->to || column->type.is_array != gone->to->is_array)
        return false;
    bool same = cat_same_text(column->type.schema, gone->to->schema) &&
                strcmp(column->type.name, gone->to->name) == 0;
    return same || (family(gone->to) && family(gone->to) == family(&column->type));
}

static bool
is_in_the_way(const Outside *o, const Gone *gone, const CatDependent *user)
{
    if (!gone || user->hold < gone->from)
        return false;
    return user->hold != CAT_HOLDS_KEY || gone->from != CAT_HOLDS_KEY || !stays_in_family(o, gone);
}

/* What makes a key go that code uses, beside its own change; foreign keys are asked about its columns. */
static const Gone *
key_gone(const Outside *o, const CatConstraint *key)
{
    const CatRelation *t = catalog_relation(o->d->from, key->id.schema, key->id.name);
    const CatConstraint *above = key_above(o->d->from, key);
    const Gone *gone = map_get(&o->gone, ref_key(o->d->arena, &key->id));
    if (t)
        cat_each (CatColumn, column, &t->columns)
            if (!gone && key_has(key, column->id.sub))
                gone = map_get(&o->gone, ref_key(o->d->arena, &column->id));
    return gone || !above ? gone : key_gone(o, above);
}

void
diff_outside(Differ *d)
{
    if (!d->from->dependents.n)
        return;
    Outside o = {.d = d};
    map_init(&o.gone, d->arena);
    find_gone(&o);
    vec_each (const CatDependent, user, &d->from->dependents) {
        const Gone *found = NULL;
        vec_each (const CatRef, on, &user->on) {
            const CatConstraint *key = on->kind == CAT_CONSTRAINT && user->hold != CAT_HOLDS_KEY
                                           ? catalog_find(d->from, *on)
                                           : NULL;
            const Gone *gone = key ? key_gone(&o, key) : map_get(&o.gone, ref_key(d->arena, on));
            if (!is_in_the_way(&o, gone, user))
                gone = whole_gone(&o, on);
            if (!found && is_in_the_way(&o, gone, user))
                found = gone;
        }
        if (found)
            effect_add(d, found->change, FINDING_DIFF_USED_OUTSIDE, &found->at)->dependent = user;
    }
}
