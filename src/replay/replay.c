#include "replay/replay_int.h"

enum { CONNECT_MS = 10000, OPERATION_MS = 120000 };

static void
close_db(Db **db)
{
    db_close(*db);
}

static void
close_cluster(TempCluster **c)
{
    temp_cluster_close(*c);
}

/* The server: of the preferred major version, or the newest there is. */
static bool
find_server(Arena *a, const ReplayOptions *o, int *ret_major, const char **ret_id, Err *err)
{
    if (temp_cluster_server(a, o->bindir, o->major, ret_major, ret_id, err))
        return true;
    return o->major && err->code == ERR_NO_POSTGRES &&
           temp_cluster_server(a, o->bindir, 0, ret_major, ret_id, err);
}

/* Read what is there, but for the schemas that only stand in for a platform's. */
static bool
read_catalog(Work *w, const IntrospectOptions *what, Catalog **ret, Err *err)
{
    ARENA_LOCAL(a);
    IntrospectOptions o = what ? *what : (IntrospectOptions){0};
    VEC(const char *) except = {0};
    for (size_t i = 0; i < o.nexcept; i++)
        *vec_add(a, &except) = o.except[i];
    *vec_add(a, &except) = SHADOW_SCHEMA;
    vec_each (const ReplayStub, s, &w->ret->stubs)
        if (s->kind == REPLAY_SCHEMA)
            *vec_add(a, &except) = s->name;
    o.except = except.v;
    o.nexcept = except.n;
    return introspect(w->arena, w->db, &o, ret, err);
}

static bool
read_result(Work *w, Err *err)
{
    if (!read_catalog(w, w->options->introspect, &w->ret->catalog, err))
        return false;
    if (!w->cache || !w->cache->also)
        return true;
    Replay also = *w->ret;
    if (!read_catalog(w, w->options->also, &also.catalog, err))
        return false;
    cache_write_also(w->cache, &also);
    return true;
}

static bool
run_scripts(Work *w, const ReplayScript *scripts, size_t done, size_t n, Err *err)
{
    if (w->turn)
        return w->turn(w->turn_arg, w, err);
    for (size_t i = done; i < n; i++, w->ret->scripts_run++)
        if (!replay_run(w, &scripts[i], err))
            return false;
    return read_result(w, err);
}

/* Run the scripts behind the first `done` ones on the server at `url`. */
static bool
run_all(Work *w, const ReplayScript *scripts, size_t done, size_t n, const DbUrl *url,
        const char *origin, Err *err)
{
    const ReplayOptions *o = w->options;
    DbOptions how = {.url = url,
                     .url_origin = origin,
                     .application = "aramid replay",
                     .trace = o->trace,
                     .connect_ms = CONNECT_MS,
                     .operation_ms = OPERATION_MS,
                     .tick = o->tick,
                     .tick_arg = o->tick_arg};
    ARENA_LOCAL(a);
    Db *db __attribute__((cleanup(close_db))) = NULL;
    if (!db_open(a, &how, &db, err))
        return false;
    w->db = db;
    w->ret->version_num = db_info(db)->version;
    w->ret->major = w->ret->version_num / 10000;
    w->ret->user = str_dupz(w->arena, db_info(db)->user);
    if (w->is_private)
        return run_scripts(w, scripts, done, n, err);
    if (!own_url_claim(w, err))
        return false;
    bool ok = run_scripts(w, scripts, done, n, err);
    Err second;
    if (db_is_open(db) && !own_url_empty(w, ok ? err : &second))
        return false; /* it is marked, and will be emptied the next time */
    return ok;
}

/* Room for the locks of a schema of 5,000 tables, made in one transaction, costs a server 0.1 s at its start. */
static const char *const *
server_settings(Arena *a, const Work *w)
{
    VEC(const char *) all = {0};
    const char *const *libraries =
        cluster_preload_settings(a, w->libraries.v, w->libraries.n, "postgres");
    if (!w->locks_more)
        *vec_add(a, &all) = "max_locks_per_transaction=512";
    for (; libraries && *libraries; libraries++)
        *vec_add(a, &all) = *libraries;
    *vec_add(a, &all) = NULL;
    return all.v;
}

/* A server that has the libraries which scripts were seen to need; where none starts with the last of
 * them, one without it. */
static bool
open_private(Work *w, Arena *a, const TempSaved *saved, int major, TempCluster **ret, Err *err)
{
    const char *bindir = w->options->bindir;
    for (;;) {
        const char *const *settings = server_settings(a, w);
        if (saved ? temp_cluster_open_saved(a, bindir, major, saved, settings, ret, err)
                  : temp_cluster_open(a, bindir, major, settings, ret, err))
            return true;
        if (saved || err->code != ERR_EMBEDDED || !w->libraries.n)
            return false;
        w->unloaded = w->libraries.v[--w->libraries.n];
    }
}

/* One that has run the most of the scripts, whose number is *done. What another process takes away in the
 * meantime, or what is damaged, is passed over. */
static bool
open_server(Work *w, Arena *a, const ReplayCache *cache, int major, size_t *done, TempCluster **ret,
            Err *err)
{
    CacheData at = {.n = *done + 1};
    while (cache_find_data(cache, w->arena, &at, w->ret)) {
        vec_each (const char *, library, &w->ret->preloads)
            (void)stub_add_library(w, *library);
        *done = at.n;
        if (open_private(w, a, &at.saved, major, ret, err))
            return true;
        if (err->code == ERR_INTERRUPTED)
            return false;
    }
    *done = 0;
    w->ret->stubs.n = 0;
    return open_private(w, a, NULL, major, ret, err);
}

static bool
run_on_private(Work *w, const ReplayCache *cache, const ReplayScript *scripts, size_t n, int major,
               Err *err)
{
    ARENA_LOCAL(a);
    TempCluster *c __attribute__((cleanup(close_cluster))) = NULL;
    Replay *ret = w->ret;
    DbUrl url;
    size_t done = n;
    if (!open_server(w, a, cache, major, &done, &c, err))
        return false;
    ret->preloads.n = 0;
    vec_each (const char *, library, &w->libraries)
        *vec_add(w->arena, &ret->preloads) = *library;
    w->has_path = w->starts_anew = false;
    ret->scripts_run = 0;
    if (!url_parse(a, temp_cluster_url(c), "the private server", &url, err) ||
        !run_all(w, scripts, done, n, &url, "the private server", err))
        return false;
    cache_write(cache, ret);
    cache_save_data(cache, c, n, ret);
    return true;
}

bool
replay_scripts(Arena *a, const ReplayScript *scripts, size_t n, const ReplayOptions *options,
               Replay *ret, Err *err)
{
    ARENA_LOCAL(scratch);
    Work w = {.arena = a, .options = options, .is_private = true, .ret = ret};
    ReplayCache cache;
    const char *server;
    int major;
    *ret = (Replay){0};
    if (options->shadow_url) {
        w.is_private = false;
        bool ok = run_all(&w, scripts, 0, n, options->shadow_url, options->shadow_origin, err);
        ret->is_other_major = options->major && ret->major && options->major != ret->major;
        return ok;
    }
    if (!find_server(scratch, options, &major, &server, err))
        return false;
    *ret = (Replay){.is_other_major = options->major && options->major != major};
    cache_open(&cache, scratch, options, scripts, n, server);
    w.cache = &cache;
    if (cache_read(&cache, a, ret)) {
        ret->is_cached = true;
        ret->user = "postgres";
        return true;
    }
    /* Each round more knows one more library. */
    bool ok;
    do
        ok = run_on_private(&w, &cache, scripts, n, major, err);
    while (!ok && w.starts_anew);
    return ok;
}

bool
replay_with(Arena *a, const ReplayOptions *options, ReplayTurn turn, void *arg, Replay *ret,
            Err *err)
{
    ARENA_LOCAL(scratch);
    ReplayOptions own = *options;
    own.cache_dir = NULL;
    Work w = {
        .arena = a, .options = &own, .is_private = true, .ret = ret, .turn = turn, .turn_arg = arg};
    *ret = (Replay){0};
    if (own.shadow_url) {
        w.is_private = false;
        return run_all(&w, NULL, 0, 0, own.shadow_url, own.shadow_origin, err);
    }
    ReplayCache cache;
    const char *server;
    int major;
    if (!find_server(scratch, &own, &major, &server, err))
        return false;
    *ret = (Replay){.is_other_major = own.major && own.major != major};
    cache_open(&cache, scratch, &own, NULL, 0, server);
    bool ok;
    do
        ok = run_on_private(&w, &cache, NULL, 0, major, err);
    while (!ok && w.starts_anew);
    return ok;
}

bool
replay_server_run(ReplayServer *server, const ReplayScript *script, Err *err)
{
    return replay_run(server, script, err);
}

bool
replay_server_read(ReplayServer *server, Arena *a, Catalog **ret, Err *err)
{
    Arena *own = server->arena;
    server->arena = a;
    bool ok = read_result(server, err);
    server->arena = own;
    *ret = server->ret->catalog;
    return ok;
}

bool
replay_server_read_stubs(ReplayServer *server, Arena *a, Catalog **ret, Err *err)
{
    VEC(const char *) names = {0};
    vec_each (const ReplayStub, s, &server->ret->stubs)
        if (s->kind == REPLAY_SCHEMA)
            *vec_add(a, &names) = s->name;
    const IntrospectOptions what = {.schemas = names.v, .nschemas = names.n};
    if (names.n)
        return introspect(a, server->db, &what, ret, err);
    *ret = catalog_new(a);
    catalog_finish(*ret);
    return true;
}
