/* What tries of this process have taught about a migration. */
#include "run/run_int.h"

const char *
run_verb(const Run *r)
{
    if (!r->deploy)
        return "deploy";
    return r->deploy->again ? r->deploy->again : r->deploy->verb;
}

Learned *
run_learned(Run *r, const MigrationPlan *mp)
{
    const char *name = mp->migration->name;
    if (mp->undoes)
        name = str_fmt(r->arena, "undo %s", name);
    if (!r->learned.arena)
        map_init(&r->learned, r->arena);
    Learned *l = map_get(&r->learned, str_of(name));
    if (!l) {
        l = arena_new(r->arena, Learned);
        map_put(&r->learned, str_of(name), l);
    }
    return l;
}
