/* What replays have shown, on disk: below <cache>/replay/
 *
 *     <key>             a catalog, for a list of scripts (all of them) and what is read of it
 *     <prefix>-<boot>/       the data folder of a server that has run such a list, and "stubs": what was
 *                            put there for want of the real thing
 *     <prefix>-<boot>.next/  another one, which the next replay takes away and goes on with
 *
 * The first is made where many scripts were run, and copied: whatever is edited behind it, it is there. What
 * a replay has at its end is left for the next one, which mostly is longer by one script: a data folder is
 * thousands of files, and moving it costs nothing.
 *
 * Keys are chains of hashes over the server's program and the scripts in order, so nothing in here
 * is ever out of date; what is not used is removed by age. Data folders are not synced and count
 * only until the machine starts anew. Whatever is damaged, missing or cannot be written is done
 * without. */
#include "replay/replay_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/jw.h"
#include "base/os.h"
#include "base/pack.h"
#include "shadow/cluster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAGIC "aramid-replay 3 "

enum {
    HASH_LEN = 64,
    KEY_LEN = 40,
    MAX_FILE = 256 * 1024 * 1024,
    KEEP_CATALOGS = 200,
    KEEP_BYTES = 200 * 1024 * 1024,
    KEEP_DATA = 4,
    KEEP_BUSY = 3 * KEEP_DATA, /* those that others may be copying at this moment */
    BUSY_S = 60,
    SAVE_AFTER = 8, /* scripts: running fewer of them again costs less than copying the data */
};

static void
add_patterns(HashState *h, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash_sha256_add(h, (Str){list[i], strlen(list[i]) + 1});
    hash_sha256_add(h, STR("\n"));
}

static char *
short_hex(Arena *a, HashState *h)
{
    unsigned char raw[32];
    char *hex = arena_alloc(a, KEY_LEN + 1);
    hash_sha256_raw(h, raw);
    for (size_t i = 0; i < KEY_LEN; i++)
        hex[i] = "0123456789abcdef"[raw[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return hex;
}

/* Each prefix's hash: that of the one before it and of the next script. */
static void
make_chain(ReplayCache *c, Arena *a, const ReplayOptions *o, const ReplayScript *scripts, size_t n,
           const char *server)
{
    c->prefix = arena_array(a, const char *, n + 1);
    for (size_t i = 0; i <= n; i++) {
        HashState *h = hash_sha256_begin(a);
        if (i == 0) {
            hash_sha256_add(h, STR(MAGIC ARAMID_VERSION "\n"));
            hash_sha256_add(h, str_of(server));
            add_patterns(h, &o->search_path, o->search_path ? 1 : 0);
            for (size_t k = 0; k < o->nextensions; k++) {
                const char *const pair[] = {o->extensions[k].name, o->extensions[k].schema};
                add_patterns(h, pair, 2);
            }
        } else {
            hash_sha256_add(h, str_of(c->prefix[i - 1]));
            hash_sha256_add(h, scripts[i - 1].sql);
        }
        c->prefix[i] = short_hex(a, h);
    }
}

static const char *
catalog_path(Arena *a, const ReplayCache *c, size_t n, const IntrospectOptions *what)
{
    HashState *h = hash_sha256_begin(a);
    hash_sha256_add(h, str_of(c->prefix[n]));
    add_patterns(h, what->schemas, what->nschemas);
    add_patterns(h, what->except, what->nexcept);
    return fs_join(a, c->dir, short_hex(a, h));
}

void
cache_open(ReplayCache *c, Arena *a, const ReplayOptions *options, const ReplayScript *scripts,
           size_t n, const char *server)
{
    Err ignored;
    static const IntrospectOptions all = {0};
    const char *dir = options->cache_dir;
    const IntrospectOptions *what = options->introspect ? options->introspect : &all;
    *c = (ReplayCache){0};
    if (!dir || !fs_mkdirs(fs_join(a, dir, "replay"), 0755, &ignored))
        return;
    make_chain(c, a, options, scripts, n, server);
    Str tag = str_of(os_self_tag(a));
    c->dir = fs_join(a, dir, "replay");
    c->catalog = catalog_path(a, c, n, what);
    if (options->also)
        c->also = catalog_path(a, c, n, options->also);
    c->boot = str_dup(a, str_cut(&tag, '/'));
}

/* ---- files --------------------------------------------------------------------------------- */

static Str
pack_replay(Arena *a, const Replay *r, bool with_catalog)
{
    JsonWriter w;
    jw_init_packed(&w, a);
    jw_object(&w, NULL);
    jw_int(&w, "version", r->version_num);
    jw_array(&w, "stubs");
    vec_each (const ReplayStub, s, &r->stubs) {
        jw_object(&w, NULL);
        jw_int(&w, "kind", s->kind);
        jw_strz(&w, "name", s->name);
        jw_end(&w);
    }
    jw_end(&w);
    jw_array(&w, "preloads");
    vec_each (const char *, library, &r->preloads)
        jw_strz(&w, NULL, *library);
    jw_end(&w);
    if (with_catalog)
        jw_str(&w, "catalog", catalog_store(a, r->catalog));
    jw_end(&w);
    return buf_str(&w.out);
}

static bool
unpack(Arena *a, Str text, Replay *ret)
{
    Err ignored;
    PackReader r;
    pack_init(&r, text);
    pack_object(&r);
    for (Str key; pack_key(&r, &key);) {
        if (str_is(key, "version"))
            ret->version_num = (int)pack_int(&r);
        else if (str_is(key, "preloads"))
            for (pack_array(&r); pack_item(&r);)
                *vec_add(a, &ret->preloads) = pack_str(&r).p;
        else if (str_is(key, "stubs"))
            for (pack_array(&r); pack_item(&r);) {
                ReplayStub *s = vec_add(a, &ret->stubs);
                pack_object(&r);
                for (Str k; pack_key(&r, &k);) {
                    if (str_is(k, "kind"))
                        s->kind = (ReplayStubKind)pack_int(&r);
                    else if (str_is(k, "name"))
                        s->name = pack_str(&r).p;
                    else
                        r.is_bad = true;
                }
                if (!s->name || s->kind < 0 || s->kind > REPLAY_EXTENSION)
                    return false;
            }
        else if (!str_is(key, "catalog") || !catalog_read(a, pack_str(&r), &ret->catalog, &ignored))
            r.is_bad = true;
    }
    ret->major = ret->version_num / 10000;
    return pack_done(&r);
}

/* A hash in a line of its own, and what it is of. The catalog may be missing. */
static bool
write_file(Arena *a, const char *path, const Replay *r, bool with_catalog)
{
    Err ignored;
    Str packed = pack_replay(a, r, with_catalog);
    Buf file;
    buf_init(&file, a);
    buf_fmt(&file, MAGIC "%s\n", hash_sha256_hex(a, packed));
    buf_add(&file, packed);
    return fs_write(path, buf_str(&file), 0600, &ignored);
}

static bool
read_file(Arena *a, const char *path, Replay *ret)
{
    Err ignored;
    Str text;
    Replay r = {.major = ret->major, .is_other_major = ret->is_other_major};
    if (fs_kind(path) != FS_FILE || !fs_read(a, path, MAX_FILE, &text, &ignored) ||
        !str_starts(text, STR(MAGIC)))
        return false;
    Str hash = str_cut(&text, '\n');
    if (!text.p || !str_is(str_slice(hash, sizeof MAGIC - 1, hash.n), hash_sha256_hex(a, text)))
        return false;
    if (!unpack(a, text, &r))
        return false;
    utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW); /* it is in use */
    *ret = r;
    return true;
}

/* ---- keeping it small ---------------------------------------------------------------------- */

typedef struct Kept {
    const char *path;
    int64_t time_ns, size;
    bool is_folder;
} Kept;

static int
newest_first(const void *x, const void *y)
{
    const Kept *a = x, *b = y;
    return a->time_ns == b->time_ns ? strcmp(a->path, b->path) : a->time_ns < b->time_ns ? 1 : -1;
}

/* Whoever copies a folder sees by its name that it was not removed meanwhile. */
static void
remove_kept(Arena *a, const Kept *k)
{
    Err ignored;
    const char *gone = k->is_folder ? str_fmt(a, "%s.gone", k->path) : k->path;
    if (!k->is_folder || rename(k->path, gone) == 0)
        (void)!fs_remove(gone, &ignored);
}

static void
remove_oldest(Arena *a, const ReplayCache *c)
{
    Err ignored;
    FsEntryVec entries = {0};
    VEC(Kept) kept = {0};
    if (!fs_list(a, c->dir, &entries, &ignored))
        return;
    vec_each (const FsEntry, e, &entries) {
        struct stat st;
        const char *path = fs_join(a, c->dir, e->name);
        if (lstat(path, &st) == 0)
            *vec_add(a, &kept) =
                (Kept){path, st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
                       st.st_size, S_ISDIR(st.st_mode)};
    }
    if (kept.n)
        qsort(kept.v, kept.n, sizeof *kept.v, newest_first);
    int64_t bytes = 0, busy_since = clock_wall_us() * 1000 - BUSY_S * INT64_C(1000000000);
    int files = 0, folders = 0;
    vec_each (const Kept, k, &kept) {
        bool is_of_now = !k->is_folder || str_contains(str_of(k->path), str_of(c->boot));
        bytes += k->is_folder ? 0 : k->size;
        int most = k->time_ns > busy_since ? KEEP_BUSY : KEEP_DATA;
        if (k->is_folder ? ++folders > most || !is_of_now
                         : ++files > KEEP_CATALOGS || bytes > KEEP_BYTES)
            remove_kept(a, k);
    }
}

/* ---- what replay.c asks -------------------------------------------------------------------- */

bool
cache_read(const ReplayCache *c, Arena *a, Replay *ret)
{
    return c->dir && read_file(a, c->catalog, ret) && ret->catalog;
}

void
cache_write(const ReplayCache *c, const Replay *r)
{
    ARENA_LOCAL(a);
    if (c->dir && write_file(a, c->catalog, r, true))
        remove_oldest(a, c);
}

void
cache_write_also(const ReplayCache *c, const Replay *r)
{
    ARENA_LOCAL(a);
    (void)write_file(a, c->also, r, true);
}

static const char *
data_folder(const ReplayCache *c, Arena *a, size_t n, bool next)
{
    return str_fmt(a, "%s/%s-%s%s", c->dir, c->prefix[n], c->boot, next ? ".next" : "");
}

static const char *
stubs_file(Arena *a, const char *folder)
{
    return fs_join(a, folder, "stubs");
}

bool
cache_find_data(const ReplayCache *c, Arena *a, CacheData *at, Replay *ret)
{
    /* Of each number of scripts the one that is taken, then the one that is copied. */
    for (size_t i = c->dir ? 2 * at->n + at->saved.takes : 0; i-- > 2;) {
        const char *dir = data_folder(c, a, i / 2, i % 2);
        if (fs_kind(dir) != FS_DIR || !read_file(a, stubs_file(a, dir), ret))
            continue;
        utimensat(AT_FDCWD, dir, NULL, AT_SYMLINK_NOFOLLOW);
        *at = (CacheData){.n = i / 2, .saved = {.dir = dir, .takes = i % 2}};
        return true;
    }
    return false;
}

void
cache_save_data(const ReplayCache *c, TempCluster *cluster, size_t n, const Replay *r)
{
    ARENA_LOCAL(a);
    Err ignored;
    if (!c->dir || n < SAVE_AFTER)
        return;
    const char *base = data_folder(c, a, n, false), *next = data_folder(c, a, n, true);
    if (!temp_cluster_save(a, cluster, next, &ignored))
        return;
    if (r->scripts_run >= SAVE_AFTER && temp_cluster_copy_saved(a, next, base, &ignored))
        (void)!write_file(a, stubs_file(a, base), r, false);
    (void)!write_file(a, stubs_file(a, next), r, false); /* now it may be taken */
    remove_oldest(a, c);
}
