/* A map from texts to pointers: open addressing, grows by doubling. */
#include "base/map.h"

static uint64_t
hash_of(Str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h;
}

void
map_init(Map *m, Arena *a)
{
    *m = (Map){.arena = a};
}

static MapEntry *
find(const Map *m, Str key, uint64_t hash, size_t *slot)
{
    if (!m->nslots)
        return NULL;
    size_t i = (size_t)hash & (m->nslots - 1);
    for (; m->slots[i]; i = (i + 1) & (m->nslots - 1)) {
        MapEntry *e = &m->entries[m->slots[i] - 1];
        if (e->hash == hash && str_eq(e->key, key))
            return e;
    }
    if (slot)
        *slot = i;
    return NULL;
}

static void
rehash(Map *m, size_t nslots)
{
    m->nslots = nslots;
    m->slots = arena_array(m->arena, uint32_t, m->nslots);
    for (size_t e = 0; e < m->n; e++) {
        size_t i = (size_t)m->entries[e].hash & (m->nslots - 1);
        while (m->slots[i])
            i = (i + 1) & (m->nslots - 1);
        m->slots[i] = (uint32_t)e + 1;
    }
}

void
map_reserve(Map *m, size_t n)
{
    size_t nslots = 2;
    if (n <= m->cap)
        return;
    m->entries =
        arena_grow(m->arena, m->entries, m->cap * sizeof *m->entries, n * sizeof *m->entries);
    m->cap = n;
    while (nslots < 2 * n)
        nslots *= 2;
    if (nslots > m->nslots)
        rehash(m, nslots);
}

void *
map_get(const Map *m, Str key)
{
    const MapEntry *e = find(m, key, hash_of(key), NULL);
    return e ? e->value : NULL;
}

bool
map_has(const Map *m, Str key)
{
    return find(m, key, hash_of(key), NULL) != NULL;
}

void *
map_put(Map *m, Str key, void *value)
{
    uint64_t hash = hash_of(key);
    size_t slot = 0;
    MapEntry *e = find(m, key, hash, &slot);
    if (e) {
        void *old = e->value;
        e->value = value;
        return old;
    }
    if ((m->n + 1) * 2 > m->nslots) {
        rehash(m, m->nslots ? m->nslots * 2 : 16);
        find(m, key, hash, &slot);
    }
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 8;
        m->entries = arena_grow(m->arena, m->entries, m->cap * sizeof *e, cap * sizeof *e);
        m->cap = cap;
    }
    m->entries[m->n++] = (MapEntry){key, value, hash};
    m->slots[slot] = (uint32_t)m->n;
    return NULL;
}
