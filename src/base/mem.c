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
    _Alignas(ALIGN) unsigned char data[];
};

struct Arena {
    Chunk *top;
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

static void
chunk_push(Arena *a, size_t need)
{
    size_t size = a->next_size > need ? a->next_size : need;
    Chunk *c = mem_alloc(sizeof *c + size);
    c->prev = a->top;
    c->size = size;
    c->used = 0;
    MEM_POISON(c->data, size);
    a->top = c;
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
    unsigned char *p = a->top->data + a->top->used;
    a->top->used += need;
    MEM_UNPOISON(p, size ? size : 1);
    memset(p, 0, size ? size : 1);
    return p;
}

void *
arena_grow(Arena *a, void *p, size_t old_size, size_t new_size)
{
    Chunk *c = a->top;
    if (p && c && (unsigned char *)p + round_up(old_size) == c->data + c->used && new_size > 0) {
        size_t start = (size_t)((unsigned char *)p - c->data);
        if (c->size - start >= round_up(new_size)) {
            c->used = start + round_up(new_size);
            MEM_UNPOISON(p, new_size);
            if (new_size > old_size)
                memset((unsigned char *)p + old_size, 0, new_size - old_size);
            return p;
        }
    }
    void *q = arena_alloc(a, new_size);
    if (p && old_size)
        memcpy(q, p, old_size < new_size ? old_size : new_size);
    return q;
}

ArenaMark
arena_mark(const Arena *a)
{
    return (ArenaMark){a->top, a->top ? a->top->used : 0};
}

void
arena_reset(Arena *a, ArenaMark m)
{
    /* The first chunk stays: whoever resets to an empty arena goes on to fill it. */
    while (a->top && a->top != m.chunk && a->top->prev)
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
