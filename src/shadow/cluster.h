/* Private PostgreSQL clusters: the project's persistent embedded database, and throwaway ones.
 *
 * Only clusters that Aramid made are ever started, stopped or removed: each carries a marker file
 * (aramid-cluster.json) in its data folder's parent. Servers listen on a unix socket only. Works
 * as root (the server then runs as user postgres or nobody) and as any ordinary user. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef struct PgBinaries {
    const char *bindir;  /* folder with postgres, initdb, pg_ctl (npm's builds have only those) */
    int major;           /* 13 to 18 */
    const char *version; /* "15.18" */
} PgBinaries;

/* Find server binaries: `bindir` when given, else pg_config --bindir, /usr/lib/postgresql/N/bin,
 * /usr/pgsql-N/bin, Homebrew's folders, PATH. `major` 0 = the newest of 13 to 18, else that one.
 * errors: ERR_NO_POSTGRES; the hint is the exact install command for this system. */
MUST_CHECK bool cluster_find_binaries(Arena *a, const char *bindir, int major, PgBinaries *ret,
                                      Err *err);

/* A program of PostgreSQL's client package. */
typedef struct PgProgram {
    const char
        *path; /* the real one, not Debian's wrapper, which chooses by the machine's clusters */
    int major; /* 0: it could not be asked */
    const char *version; /* "15.20" */
    const char *why;     /* it could not */
} PgProgram;
typedef VEC(PgProgram) PgProgramVec;

/* Every program of this name ("pg_dump", "psql") here: in `bindir` only when that is
 * given, else in the folders of packages and PATH. cost: each is asked for its version. */
PgProgramVec cluster_programs(Arena *a, const char *name, const char *bindir);

/* The command that installs them on this system; major 0 = any. NULL: unknown system. */
const char *cluster_client_command(Arena *a, int major);

typedef struct ClusterOptions {
    const char *project_dir; /* absolute */
    const char *data_dir;    /* CFG_EMBEDDED_DIR: folder that holds or gets pg<major>/data, or such
                                a data folder of ours; NULL: decide (see below) */
    const char *bindir;      /* CFG_EMBEDDED_BIN or NULL */
    bool
        for_tests; /* another cluster beside it, whose data a power cut may cost: then it is made anew */
    int64_t idle_ms;      /* supervisor stops the server after this idle time; 0 = never */
    const char *self_exe; /* path of this program: the supervisor is "<self> db supervise" */
} ClusterOptions;

typedef struct ClusterInfo {
    const char *data_dir;   /* ".../data" */
    const char *socket_dir; /* 0700 folder in /tmp */
    int port;               /* of the socket's name, always 5432 */
    const char *user;       /* superuser role "postgres" */
    const char *database;   /* named after the project folder, made on first start */
    int major;
    bool running;
    bool created;        /* initdb ran in this call */
    bool started;        /* the server was started by this call */
    long postmaster_pid; /* 0 = not running */
    const char *log_path;
} ClusterInfo;

/* Make (initdb) and start the project's cluster as needed and wait until it accepts connections
 * (at most 60 s). Also makes the project's database when it is missing, and starts the supervisor
 * when idle_ms and self_exe are given: "<self_exe> db supervise --project DIR --data-dir DIR
 * --idle MS". Both processes are detached and get no environment variable that may be secret.
 * The data lies in <project>/.aramid/pg<major>/ (for_tests: tests<major>/) when the server's user can reach and own it, else
 * under /var/lib/aramid/<hash of the project's path>/ with a pointer file in .aramid/. Two
 * processes may call this at once: a lock file orders them.
 * Survives kill -9 of server or supervisor: stale pid files and sockets are recognised by the dead
 * pid and replaced.
 * errors: ERR_NO_POSTGRES; ERR_EMBEDDED: data of another major version (hint: the two ways out),
 * folder not writable, no marker (not ours), initdb or start failed (detail: the log's end);
 * ERR_INTERRUPTED.
 * cost: about 5 ms when the server runs, 0.1 s to start it, 1 to 3 s the first time. */
MUST_CHECK bool cluster_ensure(Arena *a, const ClusterOptions *options, ClusterInfo *ret, Err *err);

/* What is there, without starting anything. ret->data_dir is NULL when there is no cluster. */
MUST_CHECK bool cluster_inspect(Arena *a, const ClusterOptions *options, ClusterInfo *ret,
                                Err *err);

/* Stop the project's server (fast shutdown, waits up to timeout_ms, then immediate). */
MUST_CHECK bool cluster_stop(Arena *a, const ClusterOptions *options, int64_t timeout_ms,
                             bool *ret_was_running, Err *err);

/* Stop the project's server and delete its cluster with all data: the folder that cluster_inspect
 * names, nothing else. *ret_removed is false when there was none.
 * errors: ERR_EMBEDDED (in use, not ours, cannot be deleted), ERR_INTERRUPTED. */
MUST_CHECK bool cluster_remove(Arena *a, const ClusterOptions *options, int64_t timeout_ms,
                               bool *ret_removed, Err *err);

/* Body of the hidden command `db supervise`: polls the server's connections and stops it when
 * nobody was connected and cluster_ensure was not called for idle_ms; ends with the server, or at
 * once when another supervisor is at work. Returns the exit status. */
int cluster_supervise(const ClusterOptions *options);

typedef struct TempCluster TempCluster;
/* A throwaway cluster (fsync off) that dies with this process, also by kill -9. It is a copy of a
 * template that is kept in $XDG_CACHE_HOME/aramid, ~/.cache/aramid or /var/cache/aramid.
 * settings  beside ours, such as libraries that extensions must be loaded with: "name=value", ended
 *           by NULL; NULL = none; kept
 * errors    ERR_NO_POSTGRES, ERR_EMBEDDED, ERR_INTERRUPTED.
 * cost      0.1 to 0.3 s with a template, 1 to 2 s without; 30 MB in /tmp. */
MUST_CHECK bool temp_cluster_open(Arena *a, const char *bindir, int major,
                                  const char *const *settings, TempCluster **ret, Err *err);

/* What another one left. */
typedef struct TempSaved {
    const char *dir; /* that temp_cluster_save made */
    bool takes;      /* the data is moved out of it, and nothing stays; else it is copied */
} TempSaved;

/* The same with that data. Of several that take it one gets it.
 * errors    also ERR_EMBEDDED: it is gone, or is of no use */
MUST_CHECK bool temp_cluster_open_saved(Arena *a, const char *bindir, int major,
                                        const TempSaved *saved, const char *const *settings,
                                        TempCluster **ret, Err *err);
/* Copy such a folder to a new one. errors: ERR_IO, nothing is left then */
MUST_CHECK bool temp_cluster_copy_saved(Arena *a, const char *from, const char *to, Err *err);

/* Extensions that only a server makes which was started with their library; ends with NULL. */
extern const char *const cluster_preloads[];
/* What a server is started with so that it has these libraries, for temp_cluster_open. Jobs that
 * are in its data do not run.
 *
 * libraries  kept; none of them: NULL is returned
 * database   where pg_cron lives; kept
 * returns    owned by `a` */
const char *const *cluster_preload_settings(Arena *a, const char *const *libraries, size_t n,
                                            const char *database);

/* Stop the server in good order and put its data into the new folder `to`; a folder that is there
 * already stays. The cluster is of no use afterwards but still to be closed. The data is not synced:
 * whoever uses it must know that the machine has not been started anew since.
 * errors: ERR_EMBEDDED, ERR_IO; nothing is left then. */
MUST_CHECK bool temp_cluster_save(Arena *a, TempCluster *c, const char *to, Err *err);
const char *temp_cluster_url(const TempCluster *c); /* postgresql://postgres@/postgres?host=... */
int temp_cluster_major(const TempCluster *c);
void temp_cluster_close(TempCluster *c); /* NULL is fine */

/* Folders of throwaway clusters whose process is gone; those that are in use are locked and stay. Making a
 * cluster removes them, too. errors: ERR_EMBEDDED, there is no user for a server */
typedef VEC(const char *) TempFolders;
MUST_CHECK bool temp_clusters_left(Arena *a, bool removes, TempFolders *ret, Err *err);

/* The cache of this user ($XDG_CACHE_HOME/aramid, ~/.cache/aramid, as root /var/cache/aramid), made
 * when it is missing; nobody else can write to it. NULL = there is none. */
const char *cluster_cache_folder(Arena *a);

/* The server that temp_cluster_open would start: its major version, and a text that changes with its
 * program and its user. errors: ERR_NO_POSTGRES, ERR_EMBEDDED. cost: 1 ms; a process with `bindir`. */
MUST_CHECK bool temp_cluster_server(Arena *a, const char *bindir, int major, int *ret_major,
                                    const char **ret_id, Err *err);
