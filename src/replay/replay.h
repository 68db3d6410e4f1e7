/* Scripts -> the catalog that they make, on a server of our own.
 *
 * The migrations of a history, a schema.prisma rendered from empty and a file of SQL are all lists
 * of scripts: this one function runs them as a deploy would (transactions, statements outside of
 * them, fresh settings for each script) and reads what is there then. Two catalogs that came
 * through here with the same options are printed by the same server and compare text by text.
 *
 * What the server does not have and the scripts only refer to is put there as a stub, and named:
 * roles, platforms' schemas (Supabase's auth, storage, ...), extensions. Never on a server that is
 * not ours. */
#pragma once

#include "config/config.h"
#include "introspect/introspect.h"

typedef struct ReplayScript {
    const char *name; /* of the migration, as errors say it */
    const char *path; /* of its file, as shown to people; NULL = there is none */
    Str sql;
} ReplayScript;
typedef VEC(ReplayScript) ReplayScripts;

typedef struct ReplayOptions {
    const char *bindir;      /* CFG_EMBEDDED_BIN or NULL */
    int major;               /* preferred; 0 = any, then the newest */
    const DbUrl *shadow_url; /* run there; NULL = in a throwaway cluster */
    const char *shadow_origin;
    const DbInfo *not_there;             /* the database that is looked at; NULL = none */
    const char *cache_dir;               /* cluster_cache_folder(); NULL = without a cache */
    const IntrospectOptions *introspect; /* NULL = all */
    const IntrospectOptions *also; /* read, too, for the cache: somebody will ask for it; or NULL */
    /* Of the database that it will be compared with, where there is one: */
    const char *search_path;   /* as SHOW prints it; NULL = the server's default */
    const CatName *extensions; /* made where scripts rely on them without making them */
    size_t nextensions;
    DbTick tick; /* stops waits; may be NULL */
    void *tick_arg;
    Trace *trace; /* may be NULL */
} ReplayOptions;

/* What Supabase gives its roles, and what it installs beforehand: without a database to look at. */
#define REPLAY_SUPABASE_PATH "\"$user\", public, extensions"
extern const CatName replay_supabase[2];

typedef enum ReplayStubKind {
    REPLAY_ROLE,
    REPLAY_SCHEMA, /* of a platform, with the few objects that migrations refer to */
    REPLAY_PUBLICATION,
    REPLAY_EXTENSION, /* registered under its name, with a stand-in for its objects or empty */
} ReplayStubKind;

typedef struct ReplayStub {
    ReplayStubKind kind;
    const char *name;
} ReplayStub;

typedef struct Replay {
    Catalog *catalog; /* finished; without the schemas that are stubs */
    int version_num;  /* of the server: 150018 */
    int major;
    const char *user; /* who ran the scripts, and owns what they make unless they say otherwise */
    bool is_other_major; /* than the preferred one */
    bool is_cached;      /* nothing was run */
    size_t scripts_run;  /* the others were taken from the cache */
    VEC(ReplayStub) stubs;
    VEC(const char *) preloads; /* libraries that the private server was started with */
} Replay;

/* Run the scripts in order, beginning with an empty database, and read the result.
 *
 * a       owns the result
 * errors  ERR_REPLAY: a script failed (migration, place, statement, SQLSTATE, what is missing);
 *         ERR_MIGRATION_FILE as plan_migration has it; ERR_NO_POSTGRES, ERR_EMBEDDED: no server;
 *         ERR_SHADOW: the server of shadow_url must not be used; those of db_open and introspect
 * cost    0.2 s for the server, about 5 ms for each migration of usual size */
MUST_CHECK bool replay_scripts(Arena *a, const ReplayScript *scripts, size_t n,
                               const ReplayOptions *options, Replay *ret, Err *err);

/* A server of our own that somebody works on: scripts run and read in turns. Nothing of it is kept. */
typedef struct Work ReplayServer;
typedef bool (*ReplayTurn)(void *arg, ReplayServer *server, Err *err);

/* Call `turn` with an empty one. Where a script needs a library that the server was not started with,
 * turn fails and is called once more, with a server that has it: it begins anew then.
 * errors: those of replay_scripts and of turn */
MUST_CHECK bool replay_with(Arena *a, const ReplayOptions *options, ReplayTurn turn, void *arg,
                            Replay *ret, Err *err);
MUST_CHECK bool replay_server_run(ReplayServer *server, const ReplayScript *script, Err *err);
MUST_CHECK bool replay_server_read(ReplayServer *server, Arena *a, Catalog **ret, Err *err);

/* What is in the schemas that stand in for a platform's, by now; finished, and empty where there are none. */
MUST_CHECK bool replay_server_read_stubs(ReplayServer *server, Arena *a, Catalog **ret, Err *err);

/* What a table holds, in whatever order; or where a sequence is (count 0). */
typedef struct ReplayRows {
    const char *name; /* "schema.table" */
    int64_t count;
    const char *hash;
} ReplayRows;
typedef VEC(ReplayRows) ReplayRowsVec;
MUST_CHECK bool replay_server_rows(ReplayServer *server, Arena *a, ReplayRowsVec *ret, Err *err);

/* The same of each column of the tables that have rows: its values, each with the key of its row. */
typedef struct ReplayColumn {
    const char *schema, *table, *column, *hash;
    int64_t count;
} ReplayColumn;
typedef VEC(ReplayColumn) ReplayColumnVec;
MUST_CHECK bool replay_server_columns(ReplayServer *server, Arena *a, ReplayColumnVec *ret,
                                      Err *err);

/* "role", "schema", "publication", "extension". */
const char *replay_stub_name(ReplayStubKind kind);
