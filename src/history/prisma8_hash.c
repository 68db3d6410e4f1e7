/* The hashes of Prisma 8 (rc.13 of its packages): contract/src/hashing.ts, migration/src/hash.ts. */
#include "base/hash.h"
#include "history/prisma8_int.h"

#include <stdlib.h>

/* canonicalizeJson, and its SHA-256. */
static const char *
hash_of(Arena *a, const JsonTree *t)
{
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, scratch);
    jt_write(&b, t, 0);
    return hash_sha256_hex(a, buf_str(&b));
}

static JsonTree
string_of(const char *text)
{
    return (JsonTree){.kind = JT_STRING, .text = str_of(text)};
}

/* A copy that may be changed. */
static JsonTree
copy(Arena *a, const JsonTree *t)
{
    JsonTree c = *t;
    if (!t->n)
        return c;
    c.items = arena_array(a, JsonTree, t->n);
    for (size_t i = 0; i < t->n; i++)
        c.items[i] = copy(a, &t->items[i]);
    if (t->keys) {
        c.keys = arena_array(a, Str, t->n);
        memcpy(c.keys, t->keys, t->n * sizeof *t->keys);
    }
    return c;
}

static void
take_out(JsonTree *t, const char *key)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->kind == JT_OBJECT && str_is(t->keys[i], key))
            continue;
        t->items[n] = t->items[i];
        t->keys[n++] = t->keys[i];
    }
    t->n = n;
}

const char *
p8_migration_hash(Arena *a, const JsonTree *manifest, const JsonTree *ops)
{
    ARENA_LOCAL(scratch);
    JsonTree m = copy(scratch, manifest), o = copy(scratch, ops);
    take_out(&m, "migrationHash");
    jt_sort(scratch, &m);
    jt_sort(scratch, &o);
    JsonTree parts[] = {string_of(hash_of(scratch, &m)), string_of(hash_of(scratch, &o))};
    return hash_of(a, &(JsonTree){.kind = JT_ARRAY, .n = 2, .items = parts});
}

/* ---- contracts ------------------------------------------------------------------------------ */

enum { PATH_MAX_KEYS = JT_DEPTH + 2 };

typedef struct Path {
    Str keys[PATH_MAX_KEYS];
    size_t n;
} Path;

static bool
is_key(const Path *p, size_t i, const char *key)
{
    return i < p->n && str_is(p->keys[i], key);
}

/* Where false, [] and {} stay: they say something there. */
static bool
stays(const Path *p)
{
    size_t n = p->n;
    if (is_key(p, n - 1, "nullable") || (n == 2 && is_key(p, 1, "namespaces")))
        return true;
    if (n < 4 || !is_key(p, 1, "namespaces") || !is_key(p, 3, "entries"))
        return false;
    if (n == 4)
        return true;
    if (!is_key(p, 4, "table"))
        return false;
    if (n <= 6)
        return true;
    if (n == 7)
        return is_key(p, 6, "uniques") || is_key(p, 6, "indexes") || is_key(p, 6, "foreignKeys");
    if (n == 8)
        return is_key(p, 6, "indexes") && is_key(p, 7, "unique");
    return n >= 10 && is_key(p, 6, "columns") && is_key(p, 8, "default") && is_key(p, 9, "value");
}

static bool
says_nothing(Str key, const JsonTree *value, const Path *p)
{
    if (str_is(key, "_generated"))
        return true;
    if (str_is(key, "generated") && value->kind == JT_BOOL && !value->truth)
        return true;
    if ((str_is(key, "onDelete") || str_is(key, "onUpdate")) && value->kind == JT_STRING &&
        str_is(value->text, "noAction"))
        return true;
    bool is_default = (value->kind == JT_BOOL && !value->truth) ||
                      ((value->kind == JT_ARRAY || value->kind == JT_OBJECT) && !value->n);
    return is_default && !stays(p);
}

/* Items of an array have the path of the array. */
static void
omit(JsonTree *t, Path *p)
{
    size_t n = 0;
    if (t->kind == JT_ARRAY)
        for (size_t i = 0; i < t->n; i++)
            omit(&t->items[i], p);
    if (t->kind != JT_OBJECT)
        return;
    for (size_t i = 0; i < t->n; i++) {
        p->keys[p->n++] = t->keys[i];
        if (!says_nothing(t->keys[i], &t->items[i], p)) {
            omit(&t->items[i], p);
            t->keys[n] = t->keys[i];
            t->items[n++] = t->items[i];
        }
        p->n--;
    }
    t->n = n;
}

static Str
name_of(const JsonTree *t)
{
    const char *name = jt_text(t, "name");
    return str_of(name ? name : "");
}

/* By name; those of one name keep their order. */
static void
sort_by_name(JsonTree *list)
{
    for (size_t i = 1; i < list->n; i++) {
        JsonTree one = list->items[i];
        size_t to = i;
        for (; to && jt_cmp_text(name_of(&list->items[to - 1]), name_of(&one)) > 0; to--)
            list->items[to] = list->items[to - 1];
        list->items[to] = one;
    }
}

static void
sort_tables(const JsonTree *tables)
{
    static const char *const lists[] = {"checks", "indexes", "uniques"};
    for (size_t i = 0; tables && i < tables->n; i++)
        for (size_t k = 0; k < COUNT(lists); k++) {
            JsonTree *list = (JsonTree *)(uintptr_t)jt_get(&tables->items[i], lists[k]);
            if (list && list->kind == JT_ARRAY)
                sort_by_name(list);
        }
}

static void
add_empty(Arena *a, JsonTree *t, const char *key)
{
    jt_add_member(a, t, key, (JsonTree){.kind = JT_OBJECT});
}

/* A contract of which all but the storage is empty. */
const char *
p8_storage_hash(Arena *a, const JsonTree *contract)
{
    ARENA_LOCAL(s);
    const JsonTree *found = jt_get(contract, "storage");
    const char *family = jt_text(contract, "targetFamily"), *target = jt_text(contract, "target");
    if (!found || found->kind != JT_OBJECT || !family || !target)
        return NULL;
    JsonTree storage = copy(s, found), whole = {.kind = JT_OBJECT}, domain = {.kind = JT_OBJECT};
    take_out(&storage, "storageHash");
    const JsonTree *spaces = jt_get(&storage, "namespaces");
    for (size_t i = 0; spaces && i < spaces->n; i++)
        take_out(&spaces->items[i], "kind");
    Path path = {.keys = {STR("storage")}, .n = 1};
    omit(&storage, &path);
    spaces = jt_get(&storage, "namespaces");
    for (size_t i = 0; spaces && i < spaces->n; i++)
        sort_tables(jt_get(jt_get(&spaces->items[i], "entries"), "table"));
    jt_sort(s, &storage);
    add_empty(s, &domain, "namespaces");
    jt_add_member(s, &whole, "schemaVersion", string_of("1"));
    jt_add_member(s, &whole, "targetFamily", string_of(family));
    jt_add_member(s, &whole, "target", string_of(target));
    jt_add_member(s, &whole, "profileHash", string_of(""));
    add_empty(s, &whole, "roots");
    jt_add_member(s, &whole, "domain", domain);
    if (storage.n)
        jt_add_member(s, &whole, "storage", storage);
    add_empty(s, &whole, "capabilities");
    add_empty(s, &whole, "extensions");
    add_empty(s, &whole, "meta");
    Buf b;
    buf_init(&b, s);
    jt_write(&b, &whole, 2);
    return hash_sha256_hex(a, buf_str(&b));
}
