/* What the files of this room share; no other room includes it. */
#pragma once

#include "plan/plan.h"
#include "replay/replay.h"
#include "shadow/cluster.h"

/* What replays have shown, on disk (cache.c). */
typedef struct ReplayCache {
    const char *dir;     /* NULL = there is none, and all of these do nothing */
    const char **prefix; /* hashes: of no script, of the first, of the first two, ... */
    const char *catalog; /* path of the result */
    const char *also;    /* of ReplayOptions.also; NULL = none */
    const char *boot;    /* which start of the machine this is */
} ReplayCache;

/* A replay under way. */
typedef struct Work {
    Arena *arena; /* of the result */
    const ReplayOptions *options;
    const ReplayCache *cache; /* or NULL */
    Db *db;
    ReplayTurn turn; /* instead of scripts; or NULL */
    void *turn_arg;
    bool is_private;  /* a throwaway cluster: stubs may be made */
    bool has_path;    /* a schema was made for the search_path */
    bool is_supabase; /* its schema for extensions is on the path, where no other path is said */
    Replay *ret;
    /* Libraries that scripts need the server to be started with, as they were seen. */
    VEC(const char *) libraries;
    bool locks_more;      /* a transaction takes more locks than usual */
    bool starts_anew;     /* the server lacked a library or room for locks: from the beginning */
    const char *unloaded; /* one that no server here starts with */
} Work;

/* ---- reset.c ------------------------------------------------------------------------------- */

/* Settings, role and user as they were when the session began. */
MUST_CHECK bool replay_reset(Work *w, Err *err);

/* ---- run.c --------------------------------------------------------------------------------- */

/* Run one script. errors: as replay_scripts. */
MUST_CHECK bool replay_run(Work *w, const ReplayScript *script, Err *err);

/* ---- stub.c -------------------------------------------------------------------------------- */

/* Make what statement number `failed` of the script did not find. True: try again; the text of the
 * script may be another one now (owned by `script`), statements kept their places. */
bool stub_missing(Work *w, Arena *script, MigrationPlan *mp, size_t failed, const DbOutcome *o);

/* A library that the server is to be started with; whether it is a new one. */
bool stub_add_library(Work *w, const char *name);

/* ---- stand_in.c ---------------------------------------------------------------------------- */

/* Statements that make what stands in for a platform's schema or an extension's objects; NULL = we
 * have none. */
const char *stand_in_schema(Str name);
const char *stand_in_extension(Str name);

/* ---- cache.c ------------------------------------------------------------------------------- */

void cache_open(ReplayCache *c, Arena *a, const ReplayOptions *options, const ReplayScript *scripts,
                size_t n, const char *server);

/* The result of all scripts; `ret` is changed only when it is there. */
bool cache_read(const ReplayCache *c, Arena *a, Replay *ret);
void cache_write(const ReplayCache *c, const Replay *r);
/* The same of what is read beside it. */
void cache_write_also(const ReplayCache *c, const Replay *r);

/* A data folder that has run the first `n` scripts. */
typedef struct CacheData {
    size_t n;
    TempSaved saved;
} CacheData;

/* The best one behind `at`, where all begins with {.n = scripts + 1}; its stubs go to `ret`. false: there is none. */
bool cache_find_data(const ReplayCache *c, Arena *a, CacheData *at, Replay *ret);

/* Keep the data of a cluster that ran all `n` scripts; stops the cluster. */
void cache_save_data(const ReplayCache *c, TempCluster *cluster, size_t n, const Replay *r);

/* ---- own_url.c ----------------------------------------------------------------------------- */

#define SHADOW_SCHEMA "aramid_shadow"

/* Make sure that nobody loses anything, and mark the database as in use.
 * errors: ERR_SHADOW: not empty, read-only, in use by another replay. */
MUST_CHECK bool own_url_claim(Work *w, Err *err);

/* Leave it as it was claimed. */
MUST_CHECK bool own_url_empty(Work *w, Err *err);
