#include "replay/replay_int.h"

#include "shadow/cluster.h"

enum { CONNECT_MS = 10000, OPERATION_MS = 120000 };

const char *
replay_stub_name(ReplayStubKind kind)
{
    static const char *const names[] = {"role", "schema", "publication", "extension"};
    return names[kind];
}

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

/* The preferred major version, or the newest there is. */
static bool
open_cluster(Arena *a, const ReplayOptions *o, TempCluster **ret, Err *err)
{
    if (temp_cluster_open(a, o->bindir, o->major, ret, err))
        return true;
    return o->major && err->code == ERR_NO_POSTGRES && temp_cluster_open(a, o->bindir, 0, ret, err);
}

static bool
run_all(Work *w, const ReplayScript *scripts, size_t n, const DbUrl *url, const char *origin,
        Err *err)
{
    const ReplayOptions *o = w->options;
    DbOptions how = {.url = url,
                     .url_origin = origin,
                     .application = "aramid replay",
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
    w->ret->is_other_major = o->major && o->major != w->ret->major;
    for (size_t i = 0; i < n; i++, w->ret->scripts_run++)
        if (!replay_run(w, &scripts[i], err))
            return false;
    return introspect(w->arena, db, o->introspect, &w->ret->catalog, err);
}

bool
replay_scripts(Arena *a, const ReplayScript *scripts, size_t n, const ReplayOptions *options,
               Replay *ret, Err *err)
{
    *ret = (Replay){0};
    Work w = {.arena = a, .options = options, .is_private = true, .ret = ret};
    TempCluster *c __attribute__((cleanup(close_cluster))) = NULL;
    DbUrl url;
    return open_cluster(a, options, &c, err) &&
           url_parse(a, temp_cluster_url(c), "the private server", &url, err) &&
           run_all(&w, scripts, n, &url, "the private server", err);
}
