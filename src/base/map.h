/* A string-keyed hash map in an arena: find by name, remember insertion order.
 *
 * Keys are views that must outlive the map; values are pointers or small integers. Nothing is
 * removed. Walk `entries` (insertion order), never the hash. */
#pragma once

#include "base/str.h"

typedef struct MapEntry {
    Str key;
    void *value;
    uint64_t hash;
} MapEntry;

typedef struct Map {
    Arena *arena;
    MapEntry *entries;
    size_t n, cap;
    uint32_t *slots; /* index + 1 into entries, 0 = free */
    size_t nslots;
} Map;

void map_init(Map *m, Arena *a);

/* Make room for `n` keys at once: growing leaves the smaller tables behind in the arena. */
void map_reserve(Map *m, size_t n);

/* The value of `key`, or NULL. */
void *map_get(const Map *m, Str key);
bool map_has(const Map *m, Str key);

/* Set `key` to `value`; returns the previous value or NULL. */
void *map_put(Map *m, Str key, void *value);
