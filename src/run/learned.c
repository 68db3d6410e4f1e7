/* What tries of this process have taught about a migration. */
#include "run/run_int.h"

Learned *
run_learned(Run *r, const char *name)
{
    if (!r->learned.arena)
        map_init(&r->learned, r->arena);
    Learned *l = map_get(&r->learned, str_of(name));
    if (!l) {
        l = arena_new(r->arena, Learned);
        map_put(&r->learned, str_of(name), l);
    }
    return l;
}
