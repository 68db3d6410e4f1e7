/* How arrays grow. */
#include "base/vec.h"

enum { DOUBLES_BELOW = 1024 * 1024 }; /* bytes; behind that unused room is worth more than moves */

void *
vec_grow(Arena *a, void *v, size_t *cap, size_t size)
{
    size_t bigger = !*cap ? 8 : *cap * size < DOUBLES_BELOW ? *cap * 2 : *cap + *cap / 4;
    v = arena_grow(a, v, *cap * size, bigger * size);
    *cap = bigger;
    return v;
}
