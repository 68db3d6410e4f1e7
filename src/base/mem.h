/* Memory: explicit arenas.
 *
 * An Arena hands out zeroed memory that lives until the arena is freed or reset to an earlier
 * mark; single objects are never released. Every function that returns memory takes the arena
 * that will own the result as its first parameter. Running out of memory ends the process (mem_exhausted):
 * a command line program cannot do better, so callers never check for NULL.
 *
 *     ARENA_LOCAL(a);                  freed when the block is left
 *     Thing *t = arena_new(a, Thing);
 *     ArenaMark m = arena_mark(a); ... arena_reset(a, m);
 *
 * Under AddressSanitizer released space is poisoned. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called when no memory is left; does not return. A program may define its own in place of this one,
 * which says so and aborts; it must not allocate. */
_Noreturn void mem_exhausted(size_t size);

typedef struct Arena Arena;
typedef struct ArenaMark {
    size_t depth, used;
} ArenaMark;

/* Create an empty arena; free it with arena_free (NULL is accepted). */
Arena *arena_make(void);
void arena_free(Arena *a);

/* Return `size` zeroed bytes aligned for any type. size 0 gives a valid unique pointer. */
void *arena_alloc(Arena *a, size_t size);

/* Return a copy of `old_size` bytes of `p` in a block of `new_size` bytes (zero-filled tail).
 * Grows in place when `p` was the arena's last allocation and there is room, or `p` is large: then no
 * second copy exists meanwhile. */
void *arena_grow(Arena *a, void *p, size_t old_size, size_t new_size);

/* Remember the fill level; arena_reset releases all that was allocated since. */
ArenaMark arena_mark(const Arena *a);
void arena_reset(Arena *a, ArenaMark m);

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

void arena_cleanup(Arena **a);
#define ARENA_LOCAL(name)                                                                          \
    __attribute__((cleanup(arena_cleanup))) Arena *name##_owner = arena_make();                    \
    Arena *const name = name##_owner

/* malloc family that ends the process when memory is out; only for foreign lifetimes. */
void *mem_alloc(size_t size);
void mem_free(void *p);
