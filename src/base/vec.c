/* How arrays grow. */
#include "base/vec.h"

void *
vec_grow(Arena *a, void *v, size_t *cap, size_t size)
{
    size_t bigger = *cap ? *cap * 2 : 8;
    v = arena_grow(a, v, *cap * size, bigger * size);
    *cap = bigger;
    return v;
}
