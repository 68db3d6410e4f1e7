/* The project's persistent cluster. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TIMEOUT_MS 60000
#define READY_TIMEOUT_MS 60000
#define PROBE_TIMEOUT_MS 5000
#define HELD_TIMEOUT_MS 15000
#define RESTART_TIMEOUT_MS 30000

static void
info_from_home(Arena *a, const ClusterHome *home, ClusterInfo *ret)
{
    ServerStatus status;
    server_status(a, home, &status);
    ret->data_dir = home->data;
    ret->log_path = home->log_path;
    ret->socket_dir = status.socket_dir ? status.socket_dir : home->socket_dir;
    ret->port = status.port;
    ret->user = "postgres";
    ret->database = home->database;
    ret->major = home->major;
    ret->running = status.state == SERVER_RUNNING;
    ret->postmaster_pid = status.pid;
}

/* ---- a new cluster ------------------------------------------------------------------------- */

/* Those for tests are copies of one folder; copies have one system identifier, which the project's own cluster
 * shares with no other. */
static bool
fill_data(Arena *a, const InitdbRequest *request, Err *err)
{
    return request->for_tests && cluster_use_template(a, request->binaries, request->user,
                                                      fs_join(a, request->dir, "data"))
               ? initdb_settings(a, request->dir, true, err)
               : initdb_run(a, request, err);
}

/* Everything is made under another name; the rename is the moment when the cluster exists. */
static bool
fill_new_home(Arena *a, const InitdbRequest *request, ClusterHome *home, Err *err)
{
    const char *dir = request->dir;
    if (!user_mkdir(request->user, dir))
        return err_set(err, ERR_EMBEDDED, "cannot create the folder \"%s\": %s", dir,
                       strerror(errno));
    if (!fill_data(a, request, err))
        return false;
    ClusterHome made = *home;
    made.marker_path = fs_join(a, dir, fs_basename(home->marker_path));
    if (!marker_save(&made, err))
        return false;
    if (rename(dir, home->dir) != 0)
        return err_set(err, ERR_EMBEDDED, "cannot create the folder \"%s\": %s", home->dir,
                       strerror(errno));
    FD_LOCAL parent = open(home->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        fsync(parent);
    return true;
}

static bool
make_cluster(Arena *a, const ClusterOptions *options, const char *project, const char *root,
             int lock, ClusterHome *home, Err *err)
{
    PgBinaries b;
    ServerUser user;
    Err ignored;
    if (!cluster_find_binaries(a, options->bindir, 0, &b, err) || !user_for_new(a, &user, err))
        return false;
    home_paths(a, root, str_fmt(a, "%s%d", home_prefix(options), b.major), home);
    home->major = b.major;
    home->project = project;
    home->version = b.version;
    home->created_at = clock_iso(a, clock_wall_us());
    home->database = home_database_name(a, project);
    home->socket_dir = socket_folder_name(a, home->dir);
    /* Left by a killed process (whose initdb is gone: it held the lock), or a home of ours whose
     * data folder was removed: home_find has refused everything else. */
    const char *unfinished = str_fmt(a, "%s.aramid-unfinished", home->dir);
    if (!fs_remove(unfinished, err) || !fs_remove(home->dir, err)) {
        err->code = ERR_EMBEDDED;
        return false;
    }
    const InitdbRequest request = {.binaries = &b,
                                   .user = &user,
                                   .dir = unfinished,
                                   .for_tests = options->for_tests,
                                   .synced = !options->for_tests,
                                   .keep_fd = lock};
    if (fill_new_home(a, &request, home, err))
        return true;
    (void)!fs_remove(unfinished, &ignored);
    return false;
}

/* ---- its server ---------------------------------------------------------------------------- */

static bool
other_major(Arena *a, const ClusterOptions *options, const ClusterHome *home, Err *err)
{
    Err ignored;
    PgBinaries b;
    err_set(err, ERR_EMBEDDED, "the embedded database was made by PostgreSQL %d", home->major);
    if (cluster_find_binaries(a, options->bindir, 0, &b, &ignored))
        err_detail(err, "data: %s; found: PostgreSQL %s in %s", home->data, b.version, b.bindir);
    else
        err_detail(err, "data: %s; %s", home->data, ignored.primary);
    const char *command = binaries_install_command(a, home->major);
    if (options->bindir && options->bindir[0])
        err_hint(err, "either let ARAMID_PG_BINDIR name the folder of PostgreSQL %d, or unset it",
                 home->major);
    else if (command)
        err_hint(err, "either install that version: %s", command);
    else
        err_hint(err, "either install PostgreSQL %d", home->major);
    err_hint(err, "or begin with an empty database: aramid db remove");
    return err_hint(err,
                    "to keep the data, dump it first with version %d installed: "
                    "pg_dump -h %s -p %d -U postgres %s > dump.sql",
                    home->major, home->socket_dir, SOCKET_PORT, home->database);
}

static bool
start_failed(Arena *a, const ClusterHome *home, int64_t log_from, Err *err)
{
    err_set(err, ERR_EMBEDDED, "the embedded database did not start");
    err_detail(err, "the end of %s:", home->log_path);
    err_detail(err, "%s", log_tail(a, home->log_path, log_from, 2000));
    return err_hint(err, "data: %s; the server's reason is in the log above", home->data);
}

static bool
held_elsewhere(const ClusterHome *home, Err *err)
{
    err_set(err, ERR_EMBEDDED, "the embedded database is in use by a process that cannot be seen");
    err_detail(err, "its server runs in another container, or left a process behind; lock file: %s",
               home->server_lock);
    return err_hint(err, "stop it there, or find the process: fuser \"%s\"", home->server_lock);
}

typedef struct Starter {
    const ClusterOptions *options;
    const ServerUser *user;
    ClusterHome *home;
    pid_t pid;        /* of the server that we started, 0 = not yet */
    int64_t log_from; /* size of the log before that */
    int64_t deadline;
    int64_t held_since; /* 0 = not held */
    int64_t lost_since; /* ready without a socket since, 0 = not */
} Starter;

static bool
start_once(Arena *a, Starter *s, Err *err)
{
    PgBinaries b;
    Err reason;
    if (!binaries_find(a, s->options->bindir, s->home->major, &b, &reason))
        return other_major(a, s->options, s->home, err);
    const char *socket_dir = s->home->socket_dir;
    s->log_from = log_size(s->home->log_path);
    if (!server_start(a, &b, s->user, s->home, &s->pid, err))
        return false;
    if (log_size(s->home->log_path) < s->log_from)
        s->log_from = 0; /* the log was rotated */
    return strcmp(socket_dir, s->home->socket_dir) == 0 || marker_save(s->home, err);
}

static bool
create_database(const ClusterHome *home, const char *socket_dir, int port, Err *err)
{
    ARENA_LOCAL(a);
    ProbeResult r;
    probe(socket_dir, port, "postgres", str_fmt(a, "CREATE DATABASE \"%s\"", home->database),
          READY_TIMEOUT_MS, &r);
    if (r.state == PROBE_READY || strcmp(r.sqlstate, "42P04") == 0)
        return true;
    err_set(err, ERR_EMBEDDED, "the database \"%s\" could not be made", home->database);
    return err_detail(err, "%s: %s", home->data, r.message[0] ? r.message : "no answer in time");
}

/* The server has a process: look whether it answers. *ret_ready tells; false is an error. */
static bool
ask_server(Arena *a, Starter *s, const ServerStatus *status, bool *ret_ready, Err *err)
{
    const char *dir = status->socket_dir ? status->socket_dir : s->home->socket_dir;
    ProbeResult r;
    probe(dir, status->port, s->home->database, NULL, PROBE_TIMEOUT_MS, &r);
    if (r.state != PROBE_NO_SOCKET)
        s->lost_since = 0;
    switch (r.state) {
    case PROBE_READY:
        *ret_ready = true;
        return true;
    case PROBE_NO_DATABASE:
        return create_database(s->home, dir, status->port, err);
    case PROBE_REFUSED:
        err_set(err, ERR_EMBEDDED, "the embedded database refuses connections: %s", r.message);
        return err_detail(err, "data: %s, SQLSTATE %s", s->home->data, r.sqlstate);
    case PROBE_NO_SOCKET:
        /* It says "ready" but nobody can reach it: its socket was cleaned away. Not at the first
         * look, for it may be stopping or have closed the socket just now. */
        if (!status->settled)
            return true;
        if (!s->lost_since)
            s->lost_since = clock_ms();
        return clock_ms() - s->lost_since < 100 || server_stop(a, s->home, RESTART_TIMEOUT_MS, err);
    case PROBE_STARTING:
    case PROBE_SILENT:
        return true;
    }
    return true;
}

static bool
too_late(Arena *a, const Starter *s, Err *err)
{
    err_set(err, ERR_EMBEDDED, "the embedded database is not ready after %d s",
            READY_TIMEOUT_MS / 1000);
    err_detail(err, "the end of %s:", s->home->log_path);
    err_detail(err, "%s", log_tail(a, s->home->log_path, s->log_from, 1500));
    return err_hint(err, "it may be recovering from a crash: it goes on in the background; try "
                         "again later");
}

/* Bring the server to the point where it accepts connections to the project's database. Between
 * two looks it may start, recover, stop or die: each look decides anew what to do. */
static bool
make_ready(Arena *a, Starter *s, bool *ret_started, Err *err)
{
    s->deadline = clock_ms() + READY_TIMEOUT_MS;
    for (int64_t pause = 5;; pause = pause < 100 ? pause * 3 / 2 : pause) {
        ServerStatus status;
        bool ready = false;
        server_status(a, s->home, &status);
        if (status.state != SERVER_HELD)
            s->held_since = 0;
        else if (!s->held_since)
            s->held_since = clock_ms();
        if (status.state == SERVER_GONE) {
            if (!s->pid && !start_once(a, s, err))
                return false;
            /* Where no lock is inherited (NFS) a young server is only known by its pid. A process
             * without a folder is dead. */
            if (*ret_started && !fs_exists(str_fmt(a, "/proc/%ld/cwd", (long)s->pid)))
                return start_failed(a, s->home, s->log_from, err);
            *ret_started = true;
        } else if (status.state == SERVER_HELD) {
            if (clock_ms() - s->held_since > HELD_TIMEOUT_MS)
                return held_elsewhere(s->home, err);
        } else if (!ask_server(a, s, &status, &ready, err)) {
            return false;
        } else if (ready) {
            return true;
        }
        if (os_signal_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted while the database was starting");
        if (clock_ms() > s->deadline)
            return too_late(a, s, err);
        clock_sleep_ms(pause);
    }
}

/* ---- the supervisor ------------------------------------------------------------------------ */

/* Note that the server is wanted, and see that a supervisor runs. Without one the server merely
 * runs on, so no failure here is worth an error. */
static void
watch(Arena *a, const ClusterOptions *options, const char *project, const ClusterHome *home)
{
    Err ignored;
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    FD_LOCAL used = open(home->used_path, flags, 0600);
    if (used < 0 && errno == EACCES && unlink(home->used_path) == 0) /* root made it */
        used = open(home->used_path, flags, 0600);
    if (used >= 0)
        futimens(used, NULL);
    if (options->idle_ms <= 0 || !options->self_exe || lock_is_held(home->supervisor_lock))
        return;
    const char *argv[16];
    int n = 0;
    argv[n++] = fs_absolute(a, options->self_exe);
    argv[n++] = "db";
    argv[n++] = "supervise";
    argv[n++] = "--project";
    argv[n++] = project;
    argv[n++] = "--data-dir";
    argv[n++] = home->data;
    argv[n++] = "--idle";
    argv[n++] = str_fmt(a, "%lld", (long long)options->idle_ms);
    argv[n] = NULL;
    SpawnRequest spawn = {.argv = argv, .log_path = home->log_path, .keep_fd = -1, .detach = true};
    pid_t pid;
    (void)!spawn_start(a, &spawn, &pid, &ignored);
}

/* What ran without fsync when the machine went down is not trusted: *home is none afterwards. */
static bool
discard_damaged(Arena *a, ClusterHome *home, Err *err)
{
    Err ignored;
    Str boot, now = str_of(os_self_tag(a));
    ServerStatus status;
    now = str_cut(&now, '/');
    server_status(a, home, &status);
    if (status.state != SERVER_GONE)
        return true;
    bool is_of_now = fs_read(a, home->boot_path, 64, &boot, &ignored) && str_eq(boot, now);
    if (is_of_now || !fs_exists(fs_join(a, home->data, "postmaster.pid")))
        return true;
    if (!fs_remove(home->dir, err)) {
        err->code = ERR_EMBEDDED;
        return false;
    }
    *home = (ClusterHome){0};
    return true;
}

static bool
note_boot(Arena *a, const ClusterHome *home, Err *err)
{
    Str now = str_of(os_self_tag(a));
    return fs_write(home->boot_path, str_cut(&now, '/'), 0644, err);
}

/* ---- public -------------------------------------------------------------------------------- */

/* Take the lock of the root in which the cluster is or will be, and look what is there. */
static bool
lock_home(Arena *a, const ClusterOptions *options, const char *project, const char **ret_root,
          ClusterHome *ret, int *ret_lock, Err *err)
{
    ServerUser user;
    if (!home_find(a, options, project, ret, err))
        return false;
    for (int tries = 0; tries < 3; tries++) {
        FD_LOCAL lock = -1;
        const char *root = ret->root;
        if (!ret->dir && (!user_for_new(a, &user, err) ||
                          !home_make_root(a, options, project, &user, &root, err)))
            return false;
        if (!lock_take(home_root_lock(a, root), false, LOCK_TIMEOUT_MS, &lock, err))
            return false;
        if (lock < 0) {
            err_set(err, ERR_EMBEDDED,
                    "another process has been setting up the embedded database "
                    "for %d s",
                    LOCK_TIMEOUT_MS / 1000);
            return err_detail(err, "lock file: %s", home_root_lock(a, root));
        }
        if (!home_find(a, options, project, ret, err))
            return false;
        if (!ret->dir || strcmp(ret->root, root) == 0) {
            *ret_root = root;
            *ret_lock = lock;
            lock = -1;
            return true;
        }
    }
    return err_set(err, ERR_EMBEDDED, "the place of the embedded database keeps changing");
}

bool
cluster_ensure(Arena *a, const ClusterOptions *options, ClusterInfo *ret, Err *err)
{
    const char *project, *root = NULL;
    ClusterHome home;
    ServerUser user;
    FD_LOCAL lock = -1;
    ClusterInfo info = {0};
    if (!home_project(a, options, &project, err) ||
        !lock_home(a, options, project, &root, &home, &lock, err))
        return false;
    if (home.dir && options->for_tests && !discard_damaged(a, &home, err))
        return false;
    if (!home.dir) {
        if (!make_cluster(a, options, project, root, lock, &home, err))
            return false;
        info.created = true;
    }
    if (!user_of_data(a, home.data, &user, err) ||
        (options->for_tests && !note_boot(a, &home, err)))
        return false;
    if (strcmp(home.project, project) != 0) { /* the project was moved or copied */
        home.project = project;
        home.socket_dir = socket_folder_name(a, home.dir);
        if (!marker_save(&home, err))
            return false;
    }
    Starter starter = {.options = options, .user = &user, .home = &home};
    if (!make_ready(a, &starter, &info.started, err))
        return false;
    watch(a, options, project, &home);
    info_from_home(a, &home, &info);
    *ret = info;
    return true;
}

bool
cluster_inspect(Arena *a, const ClusterOptions *options, ClusterInfo *ret, Err *err)
{
    const char *project;
    ClusterHome home;
    ClusterInfo info = {0};
    if (!home_project(a, options, &project, err) || !home_find(a, options, project, &home, err))
        return false;
    if (home.dir)
        info_from_home(a, &home, &info);
    *ret = info;
    return true;
}

/* Find the cluster, lock its root and stop its server. *ret_dir is NULL when there is none. */
static bool
stop_locked(Arena *a, const ClusterOptions *options, int64_t timeout_ms, ClusterHome *home,
            int *ret_lock, bool *ret_was_running, Err *err)
{
    const char *project;
    ServerStatus status;
    if (!home_project(a, options, &project, err) || !home_find(a, options, project, home, err))
        return false;
    *ret_was_running = false;
    if (!home->dir)
        return true;
    if (!lock_take(home_root_lock(a, home->root), false, LOCK_TIMEOUT_MS, ret_lock, err))
        return false;
    if (*ret_lock < 0)
        return err_set(err, ERR_EMBEDDED, "another process is starting the embedded database");
    server_status(a, home, &status);
    *ret_was_running = status.state != SERVER_GONE;
    return server_stop(a, home, timeout_ms, err);
}

bool
cluster_stop(Arena *a, const ClusterOptions *options, int64_t timeout_ms, bool *ret_was_running,
             Err *err)
{
    ClusterHome home;
    FD_LOCAL lock = -1;
    return stop_locked(a, options, timeout_ms, &home, &lock, ret_was_running, err);
}

bool
cluster_remove(Arena *a, const ClusterOptions *options, int64_t timeout_ms, bool *ret_removed,
               Err *err)
{
    ClusterHome home;
    FD_LOCAL lock = -1;
    bool was_running;
    *ret_removed = false;
    if (!stop_locked(a, options, timeout_ms, &home, &lock, &was_running, err))
        return false;
    if (!home.dir)
        return true;
    if (!fs_remove(home.dir, err)) {
        err->code = ERR_EMBEDDED;
        return false;
    }
    *ret_removed = true;
    /* A root outside of the project has no other purpose; with another cluster in it it stays. */
    bool given = options->data_dir && options->data_dir[0];
    if (!given && strcmp(fs_basename(home.root), ".aramid") != 0) {
        unlink(home_root_lock(a, home.root));
        rmdir(home.root);
    }
    return true;
}
