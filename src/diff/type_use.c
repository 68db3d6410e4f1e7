/* Where types are used, and which of them make room for another one. */
#include "diff/diff_int.h"

static bool
is_of(const CatType *t, const CatRef *id)
{
    return cat_same_text(t->schema, id->schema) && strcmp(t->name, id->name) == 0;
}

bool
type_is_rebuilt(const Differ *d, const CatType *t)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->is_rebuilt && cat_same_text((*c)->from->id.schema, t->schema) &&
            strcmp((*c)->from->id.name, t->name) == 0)
            return true;
    return false;
}

bool
type_is_used(const Catalog *c, const CatRef *type)
{
    vec_each (CatObject *, o, &c->objects)
        if ((*o)->id.kind == CAT_COLUMN &&
            cat_same_text(((const CatColumn *)*o)->type.schema, type->schema) &&
            strcmp(((const CatColumn *)*o)->type.name, type->name) == 0)
            return true;
    return false;
}

bool
type_is_stored(const Catalog *c, const CatRef *id)
{
    vec_each (CatObject *, at, &c->objects) {
        if ((*at)->id.kind != CAT_COLUMN || !is_of(&((const CatColumn *)*at)->type, id))
            continue;
        const CatRelation *r = catalog_relation(c, (*at)->id.schema, (*at)->id.name);
        const CatRef composite = {CAT_COMPOSITE, (*at)->id.schema, (*at)->id.name, NULL};
        if (r ? r->id.kind != CAT_VIEW : type_is_stored(c, &composite))
            return true;
    }
    cat_each (CatDomain, domain, &c->domains)
        if (is_of(&domain->type, id) && type_is_stored(c, &domain->id))
            return true;
    return false;
}

const CatType *
type_behind_domains(const Catalog *c, const CatType *t)
{
    const CatDomain *domain;
    while (t->schema && !t->is_array &&
           (domain = catalog_find(c, (CatRef){CAT_DOMAIN, t->schema, t->name, NULL})))
        t = &domain->type;
    return t;
}

const CatObject *
type_made_room(const Differ *d, const CatRef *id)
{
    vec_each (const CatRename, x, &d->diff->renamed)
        if (x->from.kind == id->kind && !x->from.sub && strcmp(x->to, id->name) == 0 &&
            cat_same_text(x->from.schema, id->schema) && !catalog_find(d->to, *id))
            return catalog_find(d->to, x->from);
    return NULL;
}

const CatObject *
type_that_made_room(const Differ *d, const CatRef *id)
{
    vec_each (const CatRename, x, &d->diff->renamed)
        if (cat_ref_cmp(&x->from, id) == 0) {
            const CatRef old = {id->kind, id->schema, x->to, NULL};
            const CatObject *to = type_made_room(d, &old);
            return to ? catalog_find(d->from, old) : NULL;
        }
    return NULL;
}
