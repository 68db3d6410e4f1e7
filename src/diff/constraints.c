/* Constraints that are neither primary nor foreign keys, and those that children have from parents. */
#include "diff/diff_int.h"

bool
constraint_stays(const Differ *d, const CatConstraint *x, const CatConstraint *y)
{
    CatConstraint valid = *x;
    if (!y->is_not_valid)
        valid.is_not_valid = false;
    return part_same(d, &valid, y);
}

void
constraint_drop(Differ *d, const CatConstraint *k)
{
    change_add(d, CHANGE_DROP, k, NULL,
               k->type == CAT_FOREIGN_KEY ? RANK_DROP_FOREIGN_KEY : RANK_DROP_CONSTRAINT);
}

void
constraint_add(Differ *d, const CatConstraint *k)
{
    change_add(d, CHANGE_CREATE, NULL, k,
               k->type == CAT_FOREIGN_KEY ? RANK_ADD_FOREIGN_KEY : RANK_ADD_CONSTRAINT);
}

static bool
is_plain_constraint(const CatConstraint *k)
{
    return k->type != CAT_PRIMARY_KEY && k->type != CAT_FOREIGN_KEY && !k->is_inherited;
}

/* A new partition is made with what it will have in common with its table, then attached. */
bool
constraint_is_own(const CatRelation *r, const CatConstraint *k)
{
    CatConstraint own = *k;
    own.is_inherited = own.is_inherited && !r->partition_of.name;
    return is_plain_constraint(&own) && !catalog_comes_attached(k);
}

/* As PostgreSQL calls it. */
static const char *
usual_name(Arena *a, const CatConstraint *k)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, k->id.name);
    if (k->type != CAT_PRIMARY_KEY) {
        vec_each (const char *, name, &k->columns)
            buf_fmt(&b, "_%s", *name);
        vec_each (const CatKey, key, &k->keys)
            buf_fmt(&b, "_%s", key->column ? key->column : "expr");
    }
    return catalog_name_with(a, b.p,
                             k->type == CAT_PRIMARY_KEY ? "_pkey"
                             : k->type == CAT_EXCLUDE   ? "_excl"
                                                        : "_key");
}

void
constraints_name_attached(Differ *d, const CatRelation *t)
{
    cat_each (CatConstraint, k, &t->constraints) {
        CatRef made = k->id;
        made.sub = usual_name(d->arena, k);
        if (catalog_comes_attached(k) && strcmp(made.sub, k->id.sub) != 0)
            change_add(d, CHANGE_RENAME, catalog_called(d->arena, (const CatObject *)k, made), k,
                       RANK_RENAME_INDEX);
    }
}

static const CatConstraint *
constraint_named(const CatConstraints *all, const char *name)
{
    cat_each (CatConstraint, k, all)
        if (strcmp(k->id.sub, name) == 0)
            return k;
    return NULL;
}

/* Whether a child has a check of that name as its own: RENAME would take it along, or meet it. */
static bool
children_own(const Differ *d, const CatRef *parent, const char *name)
{
    cat_each (CatRelation, t, &d->from->tables) {
        if (!catalog_is_child(t, parent))
            continue;
        const CatConstraint *k = constraint_named(&t->constraints, name);
        if ((k && k->type == CAT_CHECK && !k->is_inherited) || children_own(d, &t->id, name))
            return true;
    }
    return false;
}

/* Unchanged but for its name, which is not taken on the other side. */
static const CatConstraint *
constraint_renamed(const Differ *d, const CatConstraint *x, const CatConstraints *from,
                   const CatConstraints *to)
{
    const CatRef table = {CAT_TABLE, x->id.schema, x->id.name, NULL};
    bool is_check = x->type == CAT_CHECK;
    if (is_check && children_own(d, &table, x->id.sub))
        return NULL;
    cat_each (CatConstraint, y, to)
        if (is_plain_constraint(y) && !constraint_named(from, y->id.sub) && part_same(d, x, y) &&
            !(is_check && children_own(d, &table, y->id.sub)))
            return y;
    return NULL;
}

static bool
constraint_uses_recreated(const Change *table, const CatConstraint *k)
{
    vec_each (const ColumnChange, c, &table->columns) {
        if (c->op != COLUMN_RECREATE)
            continue;
        vec_each (const char *, name, &k->columns)
            if (strcmp(*name, c->to->id.sub) == 0)
                return true;
        vec_each (const CatKey, key, &k->keys)
            if (cat_same_text(key->column, c->to->id.sub) ||
                catalog_mentions(key->expr, c->to->id.sub))
                return true;
        if (catalog_mentions(k->expr, c->to->id.sub))
            return true;
    }
    return false;
}

/* Whether a parent has it on both sides. */
static bool
parent_keeps(const Differ *d, const CatConstraint *k)
{
    const CatRelation *t = catalog_relation(d->to, k->id.schema, k->id.name);
    if (t)
        vec_each (const CatName, parent, &t->inherits) {
            const CatRef id = {CAT_CONSTRAINT, parent->schema, parent->name, k->id.sub};
            if (catalog_find(d->from, id) && catalog_find(d->to, id))
                return true;
        }
    return false;
}

/* The child's own beside its parent's: no statement makes it the parent's alone. Where the parent's is new, the own goes
 * before it comes. */
static bool
is_merged(const Differ *d, const CatConstraint *x, const CatConstraint *y)
{
    CatConstraint own = *y;
    own.is_inherited = false;
    return y->is_inherited && constraint_stays(d, x, &own) && parent_keeps(d, y);
}

void
constraints_compare(Differ *d, const Change *table, const CatConstraints *from,
                    const CatConstraints *to)
{
    Map renamed;
    map_init(&renamed, d->arena);
    cat_each (CatConstraint, x, from) {
        if (!is_plain_constraint(x))
            continue;
        const CatConstraint *y = constraint_named(to, x->id.sub);
        if (y && is_plain_constraint(y) && constraint_stays(d, x, y)) {
            if (constraint_uses_recreated(table, y))
                constraint_add(d, y);
            else
                part_alter(d, x, y);
            continue;
        }
        if (y && is_merged(d, x, y))
            continue;
        const CatConstraint *other = y ? NULL : constraint_renamed(d, x, from, to);
        if (other && constraint_uses_recreated(table, other))
            continue; /* went with its column */
        if (other && !map_has(&renamed, str_of(other->id.sub))) {
            map_put(&renamed, str_of(other->id.sub), (void *)(uintptr_t)other);
            change_add(d, CHANGE_RENAME, x, other, RANK_RENAME_FOREIGN_KEY);
            part_alter(d, x, other);
            continue;
        }
        constraint_drop(d, x);
    }
    cat_each (CatConstraint, y, to) {
        const CatConstraint *x = constraint_named(from, y->id.sub);
        if (is_plain_constraint(y) && !map_has(&renamed, str_of(y->id.sub)) &&
            !(x && is_plain_constraint(x) && constraint_stays(d, x, y)))
            constraint_add(d, y);
    }
}

/* x: what has the comments that are there; NULL: none. */
static void
alter_comments(Differ *d, const CatConstraint *x, const CatConstraint *y)
{
    CatConstraint *plain = arena_new(d->arena, CatConstraint);
    *plain = *y;
    plain->comment = x ? x->comment : NULL;
    plain->index_comment = x ? x->index_comment : NULL;
    bool has_other = !cat_same_text(plain->comment, y->comment);
    bool has_other_index = !cat_same_text(plain->index_comment, y->index_comment);
    if (!has_other && !has_other_index)
        return;
    Change *c = change_alter(d, plain, y);
    if (has_other)
        *vec_add(d->arena, &c->fields) = "comment";
    if (has_other_index)
        *vec_add(d->arena, &c->fields) = "index_comment";
}

static void
tell_children(Differ *d, const Map *told, const CatRef *parent, const char *name)
{
    cat_each (CatRelation, t, &d->to->tables) {
        const CatConstraint *k =
            catalog_is_child(t, parent) ? constraint_named(&t->constraints, name) : NULL;
        if (!k)
            continue;
        if (k->is_inherited && !map_has(told, ref_key(d->arena, &k->id)))
            alter_comments(d, NULL, k);
        tell_children(d, told, &t->id, name);
    }
}

/* PostgreSQL makes checks over a column that gets another type anew, and keeps comments of the table's own only. */
static void
tell_of_retyped(Differ *d, const Map *told, const Change *table)
{
    const CatRelation *t = (const CatRelation *)table->to;
    vec_each (const ColumnChange, k, &table->columns) {
        if (k->op != COLUMN_ALTER || !(k->fields & COLUMN_TYPE))
            continue;
        cat_each (CatConstraint, check, &t->constraints)
            if (check->type == CAT_CHECK && catalog_mentions(check->expr, k->to->id.sub))
                tell_children(d, told, &t->id, check->id.sub);
    }
}

void
constraints_tell_children(Differ *d)
{
    Map told;
    map_init(&told, d->arena);
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->kind == CAT_CONSTRAINT && (*c)->op == CHANGE_ALTER)
            map_put(&told, ref_key(d->arena, &(*c)->to->id), d);
    size_t n = d->diff->changes.n;
    for (size_t i = 0; i < n; i++) {
        const Change *c = d->diff->changes.v[i];
        const CatRef table = {CAT_TABLE, c->to ? c->to->id.schema : NULL,
                              c->to ? c->to->id.name : NULL, NULL};
        if (c->kind == CAT_CONSTRAINT && c->op == CHANGE_CREATE)
            tell_children(d, &told, &table, c->to->id.sub);
        if (c->kind == CAT_TABLE && c->op == CHANGE_ALTER)
            tell_of_retyped(d, &told, c);
    }
}

/* Whether a table above makes keys, whose partitions' then have names of the server's choice. */
static bool
makes_keys_above(const Differ *d, const CatRelation *t)
{
    for (; t && t->partition_of.name;
         t = catalog_relation(d->to, t->partition_of.schema, t->partition_of.name))
        vec_each (Change *, at, &d->diff->changes) {
            const Change *c = *at;
            bool is_key = (c->op == CHANGE_CREATE && c->kind == CAT_CONSTRAINT) ||
                          (c->kind == CAT_TABLE && c->add_key);
            if (is_key && c->to && cat_same_text(c->to->id.schema, t->partition_of.schema) &&
                strcmp(c->to->id.name, t->partition_of.name) == 0)
                return true;
        }
    return false;
}

/* A partition's key that is its table's, too, and has a name of its own. */
static void
rename_inherited_keys(Differ *d, const CatRelation *from, const CatRelation *to)
{
    cat_each (CatConstraint, y, &to->constraints) {
        if (!y->is_inherited || y->type == CAT_CHECK || !from ||
            constraint_named(&from->constraints, y->id.sub))
            continue;
        cat_each (CatConstraint, x, &from->constraints)
            if (x->is_inherited && !constraint_named(&to->constraints, x->id.sub) &&
                part_same(d, x, y) && !makes_keys_above(d, to)) {
                change_add(d, CHANGE_RENAME, x, y, RANK_RENAME_FOREIGN_KEY);
                break;
            }
    }
}

/* What a child has of its own about a constraint that its parent has: a comment, and rows that were
 * checked where the parent's were not. */
void
constraints_compare_inherited(Differ *d, const CatRelation *from, const CatRelation *to)
{
    static const CatConstraints none;
    rename_inherited_keys(d, from, to);
    cat_each (CatConstraint, y, &to->constraints) {
        const CatConstraint *x = constraint_named(from ? &from->constraints : &none, y->id.sub);
        if (!y->is_inherited)
            continue;
        /* A comment goes with the parent's constraint, when that is made anew. */
        bool stays = x && (constraint_stays(d, x, y) || is_merged(d, x, y));
        alter_comments(d, stays ? x : NULL, y);
        if (y->is_not_valid || (x && part_same(d, x, y)))
            continue;
        vec_each (const CatName, name, &to->inherits) {
            const CatRelation *parent = catalog_relation(d->to, name->schema, name->name);
            const CatConstraint *k =
                parent ? constraint_named(&parent->constraints, y->id.sub) : NULL;
            if (!k || !k->is_not_valid)
                continue;
            Change *c = change_alter(d, k, y);
            *vec_add(d->arena, &c->fields) = "is_not_valid";
        }
    }
}
