/* Objects of rare kinds, where being dropped and made again by their fields (code.c) is not enough: types
 * that need their functions and the other way round, and what columns stand on. */
#include "diff/diff_int.h"

static bool
needs(const CatObject *o, const CatRef *id)
{
    return refs_have(&o->needs, id);
}

/* The shell that a type and its functions need; NULL: it has none. */
static const CatObject *
shell_of(const Catalog *c, const CatObject *type)
{
    vec_each (const CatRef, need, &type->needs)
        if (need->kind == CAT_SHELL)
            return catalog_find(c, *need);
    return NULL;
}

static bool
is_type(const Change *c)
{
    return c->op == CHANGE_DROP && (c->kind == CAT_BASE || c->kind == CAT_RANGE);
}

/* A type that is made again takes its functions along: they, too, are made again, from a new shell. */
void
diff_shells(Differ *d)
{
    for (size_t i = 0, n = d->diff->changes.n; i < n; i++) {
        const Change *c = d->diff->changes.v[i];
        const CatObject *shell = is_type(c) ? shell_of(d->from, c->from) : NULL;
        const CatObject *again = shell ? catalog_find(d->to, shell->id) : NULL;
        if (again) {
            change_drop(d, shell);
            change_create(d, again);
        }
    }
}

static void
take_functions_along(Differ *d, const Change *type)
{
    const CatObject *shell = shell_of(d->from, type->from);
    if (!shell)
        return;
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if (c->op == CHANGE_DROP && c->kind == CAT_FUNCTION && needs(type->from, &c->from->id) &&
            needs(c->from, &shell->id))
            c->goes_along = true;
    }
}

/* ---- what columns stand on ---------------------------------------------------------------------- */

typedef struct Used {
    Differ *d;
    const CatDefined *object;
    CatTexts names;
} Used;

static bool
is_name(const CatName *name, const char *schema, const char *of)
{
    return name->name && of && strcmp(name->name, of) == 0 && cat_same_text(name->schema, schema);
}

static bool
is_used(const Used *u, const CatType *type, const CatName *collation)
{
    const CatName own = {u->object->id.schema, u->object->id.name};
    if (u->object->id.kind == CAT_COLLATION)
        return is_name(collation, own.schema, own.name);
    return is_name(&own, type->schema, type->name) ||
           is_name(&u->object->multirange, type->schema, type->name);
}

/* Whether the change leaves nothing of what the column was. */
static bool
is_left(const Change *c, const CatColumn *column)
{
    if (c)
        vec_each (const ColumnChange, k, &c->columns)
            if (k->from && strcmp(k->from->id.sub, column->id.sub) == 0)
                return k->op != COLUMN_ALTER || k->fields & COLUMN_TYPE;
    return false;
}

static const Change *
change_of(const Differ *d, const CatObject *from, ChangeOp op)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == op && (*c)->from == from && !(*c)->is_aside)
            return *c;
    return NULL;
}

static void
find_columns(Used *u, const CatObject *of, const CatColumns *columns)
{
    cat_each (CatColumn, column, columns)
        if (is_used(u, &column->type, &column->collation) && !change_of(u->d, of, CHANGE_DROP) &&
            !is_left(change_of(u->d, of, CHANGE_ALTER), column))
            *vec_add(u->d->arena, &u->names) = cat_ref_text(u->d->arena, &column->id);
}

static void
find_users(Used *u)
{
    const Catalog *c = u->d->from;
    cat_each (CatRelation, t, &c->tables)
        if (u->object->id.kind != CAT_ACCESS_METHOD)
            find_columns(u, (const CatObject *)t, &t->columns);
        else if (cat_same_text(t->access_method, u->object->id.name) &&
                 !change_of(u->d, (const CatObject *)t, CHANGE_DROP))
            *vec_add(u->d->arena, &u->names) = cat_ref_text(u->d->arena, &t->id);
    if (u->object->id.kind == CAT_ACCESS_METHOD)
        return;
    cat_each (CatComposite, t, &c->composites)
        find_columns(u, (const CatObject *)t, &t->columns);
    cat_each (CatDomain, t, &c->domains)
        if (is_used(u, &t->type, &t->collation) &&
            !change_of(u->d, (const CatObject *)t, CHANGE_DROP))
            *vec_add(u->d->arena, &u->names) = cat_ref_text(u->d->arena, &t->id);
}

void
diff_used(Differ *d)
{
    for (size_t i = 0; i < d->diff->changes.n; i++) {
        Change *c = d->diff->changes.v[i];
        if (is_type(c))
            take_functions_along(d, c);
        if (!is_type(c) &&
            !(c->op == CHANGE_DROP && (c->kind == CAT_COLLATION || c->kind == CAT_ACCESS_METHOD)))
            continue;
        Used u = {d, (const CatDefined *)c->from, {0}};
        find_users(&u);
        if (u.names.n)
            effect_add(d, c, FINDING_DIFF_STANDS_ON, &c->from->id)->names = u.names;
    }
}
