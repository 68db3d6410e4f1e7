/* Code that stands on something that changes: PostgreSQL refuses to alter a column that a view, a
 * rule or a policy uses, and to drop what anything uses. Such code is dropped before and made again
 * afterwards. */
#include "diff/diff_int.h"

typedef struct Remake {
    Differ *d;
    CatObjects *needs; /* of `from` */
    Map going;         /* ids of what is dropped or made anew */
    Map lost;          /* of them: those that do not come back, and the change that drops them */
    Map dropped;       /* ids of objects that have a drop already */
    Map retyped;       /* columns of enums that are made anew */
} Remake;

static bool
is_code(CatKind kind)
{
    return cat_kind(kind)->is_code;
}

/* Also what holds expressions. */
static bool
can_remake(const CatObject *o)
{
    if (o->id.kind == CAT_CONSTRAINT) {
        const CatConstraint *k = (const CatConstraint *)o;
        return k->expr && !k->is_inherited;
    }
    return is_code(o->id.kind) || o->id.kind == CAT_INDEX;
}

/* A domain's check, whose domain is made again itself. */
static bool
goes_with_domain(const Remake *r, const CatRef *id)
{
    const CatRef domain = {CAT_DOMAIN, id->schema, id->name, NULL};
    return id->kind == CAT_CONSTRAINT && map_has(&r->dropped, ref_key(r->d->arena, &domain));
}

static bool
is_going(const Remake *r, const CatRef *id)
{
    return map_has(&r->going, ref_key(r->d->arena, id));
}

static void
go(Remake *r, const CatRef *id, Change *by)
{
    map_put(&r->going, ref_key(r->d->arena, id), by);
}

static void
lose(Remake *r, const CatRef *id, Change *by)
{
    go(r, id, by);
    map_put(&r->lost, ref_key(r->d->arena, id), by);
}

/* Constants of an enum that is made anew keep its old type. */
static bool
is_retyped(const Remake *r, const CatRef *id)
{
    return map_has(&r->retyped, ref_key(r->d->arena, id));
}

static bool
column_goes(const ColumnChange *c)
{
    return c->op == COLUMN_DROP || c->op == COLUMN_RECREATE ||
           (c->op == COLUMN_ALTER && c->fields & COLUMN_TYPE);
}

static bool
index_mentions(const CatIndex *i, const char *name)
{
    vec_each (const CatKey, k, &i->keys)
        if (cat_same_text(k->column, name) || catalog_mentions(k->expr, name))
            return true;
    return cat_has_text(&i->include, name) || catalog_mentions(i->predicate, name);
}

static bool
text_mentions(const Remake *r, const CatObject *o, const CatRef *column)
{
    const char *name = column->sub;
    bool is_lost = r->d->prisma_kinds && map_has(&r->lost, ref_key(r->d->arena, column));
    switch ((int)o->id.kind) {
    case CAT_INDEX:
        return is_lost ? index_mentions((const CatIndex *)o, name)
                       : is_retyped(r, column) &&
                             catalog_mentions(((const CatIndex *)o)->predicate, name);
    case CAT_CONSTRAINT:
        return (is_lost || is_retyped(r, column)) &&
               catalog_mentions(((const CatConstraint *)o)->expr, name);
    case CAT_POLICY:
        return catalog_mentions(((const CatPolicy *)o)->using_expr, name) ||
               catalog_mentions(((const CatPolicy *)o)->check_expr, name);
    case CAT_TRIGGER: {
        const char *text = ((const CatTrigger *)o)->definition;
        return text && (strstr(text, " OF ") || strstr(text, " WHEN (")) &&
               catalog_mentions(text, name);
    }
    case CAT_RULE:
        return catalog_mentions(((const CatRule *)o)->definition, name);
    default:
        return false;
    }
}

/* Code of a table names its own columns in its text only: whether one of `columns` is in it. */
static Change *
own_text_mentions(const Remake *r, const CatObject *o, const Map *columns)
{
    const char *table = o->id.kind == CAT_INDEX ? ((const CatIndex *)o)->table : o->id.name;
    const CatRelation *t = catalog_relation(r->d->from, o->id.schema, table);
    if (!t || map_has(&r->lost, ref_key(r->d->arena, &t->id)))
        return NULL; /* it goes with its table */
    cat_each (CatColumn, column, &t->columns) {
        Change *found = map_get(columns, ref_key(r->d->arena, &column->id));
        if (found && text_mentions(r, o, &column->id))
            return found;
    }
    return NULL;
}

/* What makes a key go that a query uses: PostgreSQL makes it anew with the type of any of its columns, and a
 * partition's with that of its table. */
static Change *
key_goes(const Remake *r, const CatConstraint *key, const Map *ids)
{
    Change *found = map_get(ids, ref_key(r->d->arena, &key->id));
    const CatRelation *t = catalog_relation(r->d->from, key->id.schema, key->id.name);
    if (!t || found)
        return found;
    cat_each (CatColumn, column, &t->columns)
        if (key_has(key, column->id.sub) &&
            (found = map_get(ids, ref_key(r->d->arena, &column->id))))
            return found;
    const CatConstraint *above = key_above(r->d->from, key);
    return above ? key_goes(r, above, ids) : NULL;
}

/* What makes an object that it uses go, or one that is lost; NULL where nothing does. */
static Change *
stands_on(const Remake *r, const CatObject *o, const Map *ids)
{
    Change *found;
    vec_each (const CatRef, need, &o->needs) {
        const CatConstraint *key =
            need->kind == CAT_CONSTRAINT ? catalog_find(r->d->from, *need) : NULL;
        if ((found = key ? key_goes(r, key, ids) : map_get(ids, ref_key(r->d->arena, need))))
            return found;
    }
    /* Parts go with their relation, functions' signatures with their types. */
    vec_each (CatObject *, need, &r->needs[o->ordinal])
        if (is_code((*need)->id.kind) && (found = map_get(ids, ref_key(r->d->arena, &(*need)->id))))
            return found;
    return cat_kind(o->id.kind)->is_part ? own_text_mentions(r, o, ids) : NULL;
}

/* Its type made room for another one: what names that has to be made again. */
static bool
is_of_old_type(const Differ *d, const ColumnChange *k)
{
    static const CatKind types[] = {CAT_ENUM, CAT_DOMAIN, CAT_COMPOSITE};
    for (size_t i = 0; k->op == COLUMN_ALTER && k->from->type.schema && i < COUNT(types); i++)
        if (type_made_room(d, &(CatRef){types[i], k->from->type.schema, k->from->type.name, NULL}))
            return true;
    return false;
}

/* Children have the column from their parent, and what happens to it. */
static void
children_go(Remake *r, const ColumnChange *k, Change *by, const CatRelation *parent)
{
    if (by->kind != CAT_TABLE)
        return;
    cat_each (CatRelation, t, &r->d->from->tables) {
        const CatColumn *column =
            catalog_is_child(t, &parent->id) ? catalog_column(t, k->from->id.sub) : NULL;
        if (!column || map_has(&r->going, ref_key(r->d->arena, &column->id)))
            continue;
        (k->op == COLUMN_DROP && column->is_inherited ? lose : go)(r, &column->id, by);
        children_go(r, k, by, t);
    }
}

/* Whether what groups by the old key can group by the new one, which has no column more. */
static bool
key_comes_back(const Differ *d, const Change *c)
{
    if (!c->add_key || !catalog_find(d->to, c->drop_key->id))
        return false;
    vec_each (const char *, column, &c->add_key->columns)
        if (!cat_has_text(&c->drop_key->columns, *column))
            return false;
    return true;
}

static void
find_going(Remake *r)
{
    const Differ *d = r->d;
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if (c->op == CHANGE_DROP) {
            bool comes_back = catalog_find(d->to, c->from->id);
            (comes_back ? go : lose)(r, &c->from->id, c);
            map_put(&r->dropped, ref_key(d->arena, &c->from->id), r);
            /* Made anew under its name: what uses its columns has to let go of them. */
            if (c->kind == CAT_TABLE)
                cat_each (CatColumn, column, &((const CatRelation *)c->from)->columns) {
                    if (!catalog_find(d->to, column->id))
                        lose(r, &column->id, c);
                    else
                        go(r, &column->id, c);
                }
        }
        if (c->drop_key)
            (key_comes_back(d, c) ? go : lose)(r, &c->drop_key->id, c);
        if (change_makes_room(d, c))
            go(r, &c->from->id, c);
        if (c->kind == CAT_ENUM && c->is_rebuilt) {
            go(r, &c->from->id, c);
            vec_each (const CatColumn *, column, &c->retype) {
                go(r, &(*column)->id, c);
                map_put(&r->retyped, ref_key(d->arena, &(*column)->id), r);
            }
        }
        vec_each (const ColumnChange, k, &c->columns)
            if (k->from && c->op == CHANGE_ALTER && column_goes(k)) {
                children_go(r, k, c, (const CatRelation *)c->from);
                (k->op == COLUMN_DROP ? lose : go)(r, &k->from->id, c);
                if (is_of_old_type(d, k))
                    map_put(&r->retyped, ref_key(d->arena, &k->from->id), r);
            }
    }
}

/* What is kept as it was is made again from the old side. */
static const CatObject *
counterpart(const Differ *d, const CatObject *o)
{
    return d->prisma_kinds ? o : catalog_find(d->to, o->id);
}

static bool
is_created(const Differ *d, const CatRef *id)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_CREATE && cat_ref_cmp(&(*c)->to->id, id) == 0)
            return true;
    return false;
}

static void
remake(Remake *r, const CatObject *o)
{
    Differ *d = r->d;
    const CatObject *to = counterpart(d, o);
    Change *lost = d->prisma_kinds ? stands_on(r, o, &r->lost) : NULL;
    if (lost && is_code(o->id.kind)) {
        lose(r, &o->id, lost);
        effect_add(d, lost, FINDING_DIFF_STILL_USED, &o->id);
        return;
    }
    if (lost) /* an index or a check goes with its column */
        to = NULL;
    go(r, &o->id, stands_on(r, o, &r->going));
    map_put(&d->remade, ref_key(d->arena, &o->id), r);
    if (map_put(&r->dropped, ref_key(d->arena, &o->id), r))
        return;
    /* A change of its own becomes part of it. */
    size_t kept = 0;
    vec_each (Change *, c, &d->diff->changes)
        if (!((*c)->op == CHANGE_ALTER && (*c)->from == o))
            d->diff->changes.v[kept++] = *c;
    d->diff->changes.n = kept;
    /* A partition's index goes with that of its table. */
    const CatIndex *index = o->id.kind == CAT_INDEX ? (const CatIndex *)o : NULL;
    Change *drop =
        index && index->parent.name ? NULL : change_add(d, CHANGE_DROP, o, NULL, RANK_DROP_CODE);
    if (drop && (to || lost))
        effect_add(d, drop, to ? FINDING_DIFF_CASCADES : FINDING_DIFF_GOES_TOO, &o->id);
    if (to && index && !(index->parent.name && is_created(d, &index->id)))
        index_create(d, catalog_relation(d->from, o->id.schema, index->table),
                     (const CatIndex *)to);
    else if (to && !index)
        change_create(d, to);
}

void
diff_remade(Differ *d)
{
    Remake r = {.d = d, .needs = catalog_needs(d->arena, d->from)};
    map_init(&r.going, d->arena);
    map_init(&r.lost, d->arena);
    map_init(&r.dropped, d->arena);
    map_init(&r.retyped, d->arena);
    find_going(&r);
    for (bool found = r.going.n > 0; found;) {
        found = false;
        vec_each (CatObject *, at, &d->from->objects) {
            const CatObject *o = *at;
            if (!can_remake(o) || is_going(&r, &o->id) || goes_with_domain(&r, &o->id) ||
                !stands_on(&r, o, &r.going))
                continue;
            remake(&r, o);
            found = true;
        }
    }
    /* Functions that go anyway, go before what their bodies use. */
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_DROP && (*c)->kind == CAT_FUNCTION &&
            stands_on(&r, (*c)->from, &r.going))
            (*c)->rank[0] = RANK_DROP_CODE;
}
