/* Typed growable arrays in an arena.
 *
 *     typedef VEC(Thing) ThingVec;
 *     ThingVec v = {0};
 *     *vec_add(a, &v) = (Thing){...};          pointer to a new zeroed element
 *     vec_each(Thing, t, &v) { ... }           t is a Thing pointer
 *
 * Elements may move when the vector grows: keep indexes, not pointers, across vec_add. */
#pragma once

#include "base/mem.h"

#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n, cap;                                                                             \
    }

/* Grow the array `v` of `cap` elements of `size` bytes so that at least one more fits. */
void *vec_grow(Arena *a, void *v, size_t *cap, size_t size);

#define vec_add(a, vec)                                                                            \
    ((vec)->n == (vec)->cap                                                                        \
         ? (void)((vec)->v = vec_grow((a), (vec)->v, &(vec)->cap, sizeof *(vec)->v))               \
         : (void)0,                                                                                \
     &(vec)->v[(vec)->n++])

#define vec_each(T, it, vec)                                                                       \
    for (__typeof__(T) *it = (vec)->v, *it##_end = (vec)->n ? (vec)->v + (vec)->n : it;            \
         it != it##_end; it++)

/* Turn the order of the elements around. */
#define vec_reverse(vec)                                                                           \
    for (size_t vec_low = 0, vec_high = (vec)->n; vec_low + 1 < vec_high; vec_low++) {             \
        __typeof__(*(vec)->v) vec_swap = (vec)->v[vec_low];                                        \
        (vec)->v[vec_low] = (vec)->v[--vec_high];                                                  \
        (vec)->v[vec_high] = vec_swap;                                                             \
    }
