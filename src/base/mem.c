/* Arenas: chunks that grow, poisoned where nothing lies. */
#include "base/mem_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_ASAN 1
#endif
#endif
#ifdef MEM_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_POISON(p, n) __asan_poison_memory_region((p), (n))
#define MEM_UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define MEM_REDZONE 16
#else
#define MEM_POISON(p, n) ((void)0)
#define MEM_UNPOISON(p, n) ((void)0)
#define MEM_REDZONE 0
#endif

enum { CHUNK_MIN = 16 * 1024, CHUNK_MAX = 1024 * 1024, ALIGN = 16 };

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *prev;
    size_t size; /* bytes in data */
    size_t used;
    size_t clean; /* from here on all of it is zero */
    _Alignas(ALIGN) unsigned char data[];
};

struct Arena {
    Chunk *top;
    size_t depth; /* chunks */
    size_t bytes;
    size_t next_size;
};

/* cli/ has a better one. */
__attribute__((weak)) void
mem_exhausted(size_t size)
{
    fprintf(stderr, "out of memory (%zu bytes wanted)\n", size);
    abort();
}

void *
mem_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        mem_exhausted(size);
    return p;
}

void
mem_free(void *p)
{
    free(p);
}

Arena *
arena_make(void)
{
    Arena *a = mem_alloc(sizeof *a);
    *a = (Arena){.next_size = CHUNK_MIN};
    return a;
}

static void
chunk_pop(Arena *a)
{
    Chunk *c = a->top;
    a->top = c->prev;
    a->depth--;
    a->bytes -= c->size;
    MEM_UNPOISON(c->data, c->size);
    free(c);
}

void
arena_free(Arena *a)
{
    if (!a)
        return;
    while (a->top)
        chunk_pop(a);
    free(a);
}

void
arena_cleanup(Arena **a)
{
    arena_free(*a);
}

static size_t
round_up(size_t size)
{
    if (size > SIZE_MAX / 2)
        mem_exhausted(size);
    return (size + MEM_REDZONE + ALIGN - 1) / ALIGN * ALIGN;
}

/* A large chunk comes zeroed from the system, which gives a page only when it is written to. */
static void
chunk_push(Arena *a, size_t need)
{
    size_t size = a->next_size > need ? a->next_size : need;
    bool large = size >= CHUNK_MAX;
    Chunk *c = large ? calloc(1, sizeof *c + size) : mem_alloc(sizeof *c + size);
    if (!c)
        mem_exhausted(size);
    c->prev = a->top;
    c->size = size;
    c->used = 0;
    c->clean = large ? 0 : size;
    MEM_POISON(c->data, size);
    a->top = c;
    a->depth++;
    a->bytes += size;
    if (a->next_size < CHUNK_MAX)
        a->next_size *= 2;
}

void *
arena_alloc(Arena *a, size_t size)
{
    size_t need = round_up(size ? size : 1);
    if (!a->top || a->top->size - a->top->used < need)
        chunk_push(a, need);
    Chunk *c = a->top;
    unsigned char *p = c->data + c->used;
    size_t wanted = size ? size : 1, dirty = c->clean > c->used ? c->clean - c->used : 0;
    c->used += need;
    c->clean = c->clean > c->used ? c->clean : c->used;
    MEM_UNPOISON(p, wanted);
    memset(p, 0, wanted < dirty ? wanted : dirty);
    return p;
}

/* A large block that has a chunk to itself: the system moves pages, where it must, without a second
 * copy beside the first. */
static void *
chunk_stretch(Arena *a, size_t old_size, size_t new_size)
{
    Chunk *c = a->top;
    size_t size = round_up(new_size);
    MEM_UNPOISON(c->data, c->size);
    a->bytes += size - c->size;
    c = realloc(c, sizeof *c + size);
    if (!c)
        mem_exhausted(size);
    c->size = c->used = c->clean = size;
    a->top = c;
    memset(c->data + old_size, 0, size - old_size);
    MEM_POISON(c->data + new_size, size - new_size);
    return c->data;
}

void *
arena_grow(Arena *a, void *p, size_t old_size, size_t new_size)
{
    Chunk *c = a->top;
    if (p && c && (unsigned char *)p + round_up(old_size) == c->data + c->used && new_size > 0) {
        size_t start = (size_t)((unsigned char *)p - c->data);
        if (c->size - start >= round_up(new_size)) {
            c->used = start + round_up(new_size);
            c->clean = c->clean > c->used ? c->clean : c->used;
            MEM_UNPOISON(p, new_size);
            if (new_size > old_size)
                memset((unsigned char *)p + old_size, 0, new_size - old_size);
            return p;
        }
        if (start == 0 && new_size >= CHUNK_MAX)
            return chunk_stretch(a, old_size, new_size);
    }
    void *q = arena_alloc(a, new_size);
    if (p && old_size)
        memcpy(q, p, old_size < new_size ? old_size : new_size);
    return q;
}

ArenaMark
arena_mark(const Arena *a)
{
    return (ArenaMark){a->depth, a->top ? a->top->used : 0};
}

void
arena_reset(Arena *a, ArenaMark m)
{
    /* The first chunk stays, but for one made for something long: whoever resets to an empty arena goes
     * on to fill it. */
    while (a->depth > m.depth && (a->depth > 1 || a->top->size >= CHUNK_MAX))
        chunk_pop(a);
    if (a->top) {
        MEM_POISON(a->top->data + m.used, a->top->used - m.used);
        a->top->used = m.used;
    }
}

size_t
arena_bytes(const Arena *a)
{
    return a->bytes;
}
