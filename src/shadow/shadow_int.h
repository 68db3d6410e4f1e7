/* What the files of this room share; no other room includes it. */
#pragma once

#include "shadow/cluster.h"

#include <sys/types.h>

#define PG_MAJOR_MIN 13
#define PG_MAJOR_MAX 18
#define SOCKET_PORT 5432

/* ---- binaries.c ---------------------------------------------------------------------------- */

/* cluster_find_binaries without asking the program for its version when the folder's name tells
 * the major: ret->version may be NULL. */
MUST_CHECK bool binaries_find(Arena *a, const char *bindir, int major, PgBinaries *ret, Err *err);

/* The command that installs a server on this system; major 0 = any. NULL: unknown system. */
const char *binaries_install_command(Arena *a, int major);

/* ---- npm.c --------------------------------------------------------------------------------- */

/* The folder of the server's programs in the package @embedded-postgres/PLATFORM of the project that the
 * working folder lies in, links mended; NULL = it has none. */
const char *npm_server_folder(Arena *a);

/* ---- user.c -------------------------------------------------------------------------------- */

/* The operating system's user that a server runs as. */
typedef struct ServerUser {
    uid_t uid;
    gid_t gid;
    const char *name;
    bool drop; /* we are root and have to become this user */
} ServerUser;

/* For a new cluster: ourselves, or as root the first of "postgres" and "nobody". */
MUST_CHECK bool user_for_new(Arena *a, ServerUser *ret, Err *err);

/* For an existing data folder: its owner. ERR_EMBEDDED when we may not act as that user. */
MUST_CHECK bool user_of_data(Arena *a, const char *data, ServerUser *ret, Err *err);

/* Whether the user can go into the folder; tried with the user's own rights in a child process,
 * so that access lists and the modes of all parents count. */
bool user_can_enter(const ServerUser *user, const char *folder);

/* Make `path` a folder that belongs to the user alone (0700). False with errno when it exists, or
 * when the file system keeps neither owners nor modes; nothing is left then. */
bool user_mkdir(const ServerUser *user, const char *path);

/* Whether `path` is a folder (no link) that belongs to the user alone. */
bool user_owns_folder(const ServerUser *user, const char *path);

/* Our home folder: $HOME, else the one of the password file, NULL = none. */
const char *user_home(Arena *a);

/* Become the user for good: groups first, then gid and uid. False with errno. */
bool user_become(const ServerUser *user);

/* ---- fence.c ------------------------------------------------------------------------------- */

/* From here on this process and its children write below `folder` only (and in /dev/shm), read the
 * system's folders and the program's own only, execute `program` (a full path) only, and make no
 * TCP connection. False where the kernel cannot hold that (Linux before 5.13, or switched off): it
 * goes on without a fence then. Network and signals need Linux 6.7 and 6.12. */
bool fence_self(const char *folder, const char *program);

/* The version of the kernel's Landlock, 0 = none. */
int fence_version(void);

/* ---- spawn.c ------------------------------------------------------------------------------- */

typedef struct SpawnRequest {
    const char *const *argv; /* argv[0] is the full path: postgres finds its files by it */
    const ServerUser *user;  /* NULL = stay who we are */
    const char *log_path;    /* output is appended, the file made 0600 by the user */
    int keep_fd;             /* inherited by the program (its locks too), -1 = none */
    int death_signal;        /* sent to it when this process dies, 0 = none */
    const char *fence; /* all that it may write to, where the kernel can hold it; NULL = no fence */
    bool detach;       /* not our child: it outlives us and is never our zombie */
} SpawnRequest;

/* Start a program in a session of its own, with a minimal environment (no secret of ours gets
 * into a server that lives for hours) and no open file but the named ones.
 * errors: ERR_EMBEDDED with the failing step. */
MUST_CHECK bool spawn_start(Arena *a, const SpawnRequest *request, pid_t *ret_pid, Err *err);

/* Wait for a child that is not detached. After timeout_ms or on a caught signal it is killed.
 * ret_status: exit status or 128 + signal. errors: ERR_EMBEDDED, ERR_INTERRUPTED. */
MUST_CHECK bool spawn_wait(pid_t pid, int64_t timeout_ms, int *ret_status, Err *err);

/* The last lines of a log from byte `from` on, at most `max` bytes, for an error's detail. */
char *log_tail(Arena *a, const char *path, int64_t from, size_t max);
int64_t log_size(const char *path);

/* ---- lock.c -------------------------------------------------------------------------------- */

/* Open and lock a lock file within timeout_ms (0 = one try), exclusively or shared; it goes with
 * the file descriptor, also into programs that inherit it. *ret_fd is -1 when another process
 * holds it. errors: ERR_EMBEDDED (not to be opened), ERR_INTERRUPTED. */
MUST_CHECK bool lock_take(const char *path, bool shared, int64_t timeout_ms, int *ret_fd, Err *err);

/* Whether some process holds the lock exclusively. */
bool lock_is_held(const char *path);

/* ---- probe.c ------------------------------------------------------------------------------- */

typedef enum ProbeState {
    PROBE_READY,       /* accepts connections (also when it wants a password or is full) */
    PROBE_STARTING,    /* 57P..: starting, recovering or stopping */
    PROBE_NO_SOCKET,   /* nobody listens there */
    PROBE_NO_DATABASE, /* 3D000 */
    PROBE_REFUSED,     /* another error: see message */
    PROBE_SILENT,      /* no answer in time */
} ProbeState;

typedef struct ProbeResult {
    ProbeState state;
    bool logged_in; /* false when ready: it wants a password or has no free connection */
    char sqlstate[6];
    char message[256];
    char value[64]; /* first column of the last row */
} ProbeResult;

/* Log in as role postgres over the unix socket and run one statement (NULL = none). The few bytes
 * of PostgreSQL's protocol 3.0 that this needs are written here, so that the room needs base/
 * alone and no library is loaded for a look. */
void probe(const char *socket_dir, int port, const char *database, const char *sql,
           int64_t timeout_ms, ProbeResult *ret);

/* ---- home.c -------------------------------------------------------------------------------- */

/* <root>/pg<major>/ {data/, server.log, aramid-cluster.json, ...}: one cluster on disk. */
typedef struct ClusterHome {
    const char *root; /* ".../.aramid": several majors may lie side by side */
    const char *dir;  /* <root>/pg<major>, or tests<major> */
    const char *data;
    const char *log_path;
    const char *marker_path;
    const char *server_lock;     /* held by the server's processes as long as one lives */
    const char *supervisor_lock; /* held by the supervisor */
    const char *used_path;       /* touched by each cluster_ensure */
    const char *boot_path;       /* for tests: since which start of the machine its server runs */
    int major;                   /* of data/PG_VERSION */
    /* from the marker */
    const char *project, *version, *created_at, *database, *socket_dir;
} ClusterHome;

/* What folders of clusters are called, before the major. */
const char *home_prefix(const ClusterOptions *options);

/* The lock that orders everything done to the clusters of one root. */
const char *home_root_lock(Arena *a, const char *root);

/* Find the project's cluster. ret->dir is NULL when there is none.
 * errors: ERR_EMBEDDED: a data folder without our marker, or of another user. */
MUST_CHECK bool home_find(Arena *a, const ClusterOptions *options, const char *project,
                          ClusterHome *ret, Err *err);

/* Fill the paths of <root>/<name>. */
void home_paths(Arena *a, const char *root, const char *name, ClusterHome *ret);

/* Choose and make the root for a new cluster that the user can own.
 * errors: ERR_EMBEDDED with what is wrong with each candidate. */
MUST_CHECK bool home_make_root(Arena *a, const ClusterOptions *options, const char *project,
                               const ServerUser *user, const char **ret_root, Err *err);

/* Write the marker file of a home (marker.c). errors: ERR_EMBEDDED. */
MUST_CHECK bool marker_save(const ClusterHome *home, Err *err);

/* A text of a marker file that marker_save wrote, NULL = none (marker.c; no general JSON). */
const char *marker_value(Arena *a, Str text, const char *key);

/* The project's folder without links. errors: ERR_EMBEDDED when it is no folder. */
MUST_CHECK bool home_project(Arena *a, const ClusterOptions *options, const char **ret, Err *err);

/* Name of the project's database: its folder's name in [a-z0-9_], at most 63 bytes. */
char *home_database_name(Arena *a, const char *project);

/* The folder for the sockets of the cluster in `home_dir`: the same name after each start. */
char *socket_folder_name(Arena *a, const char *home_dir);

/* A short folder that belongs to the user alone, for sockets: `preferred` when that is possible,
 * else a new name, in /tmp, $TMPDIR or /var/tmp. */
MUST_CHECK bool socket_folder(Arena *a, const ServerUser *user, const char *preferred,
                              const char **ret, Err *err);

/* We can write to `dir` (NULL = no folder), and a socket's name (107 bytes) fits below it. */
bool holds_sockets(const char *dir);

/* ---- initdb.c ------------------------------------------------------------------------------ */

typedef struct InitdbRequest {
    const PgBinaries *binaries;
    const ServerUser *user;
    const char *dir; /* belongs to the user; gets data/ and initdb.log */
    bool throwaway;  /* small WAL segments, none of our settings */
    bool for_tests;  /* nothing of it has to survive a power cut */
    bool synced;     /* what initdb wrote survives a power cut when it is done */
    int keep_fd;     /* a lock that an orphaned initdb keeps until it is gone */
} InitdbRequest;

/* Make a data folder. errors: ERR_EMBEDDED with the end of initdb's output, ERR_INTERRUPTED. */
MUST_CHECK bool initdb_run(Arena *a, const InitdbRequest *request, Err *err);
/* Our settings at the end of dir/data/postgresql.conf; initdb_run has done it where it is no throwaway. */
MUST_CHECK bool initdb_settings(Arena *a, const char *dir, bool for_tests, Err *err);

/* ---- tree.c -------------------------------------------------------------------------------- */

/* Copy the folder `from` (files and folders, nothing else) to the new folder `to`, owned by the
 * user. errors: ERR_IO; what was copied stays. */
MUST_CHECK bool tree_copy(const char *from, const char *to, const ServerUser *user, Err *err);

/* ---- server.c ------------------------------------------------------------------------------ */

typedef enum ServerState {
    SERVER_GONE,
    SERVER_RUNNING,
    SERVER_HELD, /* no postmaster to be seen, but a process still holds the server's lock */
} ServerState;

typedef struct ServerStatus {
    ServerState state;
    pid_t pid;
    int port;
    const char *socket_dir; /* NULL = it has not said yet */
    bool settled;           /* it has reported "ready" */
} ServerStatus;

void server_status(Arena *a, const ClusterHome *home, ServerStatus *ret);

/* Start the server of a cluster whose state is SERVER_GONE; does not wait until it is ready. The
 * caller holds the root's lock. home->socket_dir may change (the caller saves the marker). */
MUST_CHECK bool server_start(Arena *a, const PgBinaries *binaries, const ServerUser *user,
                             ClusterHome *home, pid_t *ret_pid, Err *err);

/* Stop it: fast, after timeout_ms immediately; waits until no process of it is left. */
MUST_CHECK bool server_stop(Arena *a, const ClusterHome *home, int64_t timeout_ms, Err *err);

/* ---- template.c ---------------------------------------------------------------------------- */

/* "pg15-<hash>": everything that decides what initdb makes. Its name below cluster_cache_folder. */
char *cluster_template_name(Arena *a, const PgBinaries *b, const ServerUser *user);

/* Copy the template to `data`; it is made where there is none. False: that is not possible here, nothing is
 * left. */
bool cluster_use_template(Arena *a, const PgBinaries *b, const ServerUser *user, const char *data);
