/* What administrators make in a database beside the migrations. */
#include "flow/managed.h"

static bool
is_stand_in(const Replay *made, const CatDefined *o)
{
    if (o->id.kind == CAT_PUBLICATION || o->id.kind == CAT_PUBLISHED)
        vec_each (const ReplayStub, s, &made->stubs)
            if (s->kind == REPLAY_PUBLICATION && strcmp(s->name, o->id.name) == 0)
                return true;
    return false;
}

static bool
is_of_roles(const CatDefined *o)
{
    return o->id.kind == CAT_USER_MAPPING || o->id.kind == CAT_DEFAULT_ACL;
}

static bool
is_made(const Replay *made, CatRef id)
{
    return catalog_find(made->catalog, id);
}

/* Whether it stands on a server that no migration makes. */
static bool
is_foreign(const Replay *made, const CatDefined *o)
{
    vec_each (const CatRef, need, &o->needs)
        if (need->kind == CAT_SERVER && !is_made(made, *need))
            return true;
    return false;
}

static bool
is_theirs(const void *arg, const CatDefined *o)
{
    const Replay *made = arg;
    if (is_stand_in(made, o) || is_of_roles(o))
        return true;
    if (is_made(made, o->id))
        return false;
    if (o->id.kind == CAT_PUBLISHED)
        return !is_made(made, (CatRef){CAT_PUBLICATION, NULL, o->id.name, NULL});
    return !o->id.schema || (o->id.kind == CAT_FOREIGN_TABLE && is_foreign(made, o));
}

static bool
is_nobodys(const void *arg, const CatDefined *o)
{
    return is_stand_in(arg, o) || is_of_roles(o);
}

void
managed_defined(Catalog *live, const Replay *made)
{
    catalog_leave_out_defined(live, is_theirs, made, true);
    catalog_leave_out_defined(made->catalog, is_nobodys, made, false);
}
