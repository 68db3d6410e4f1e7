/* Throwaway clusters: a copy of a cached data folder and a server that dies with us. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEMP_PREFIX "aramid-tmp-"
#define READY_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS 5000
#define SWEEP_AGE_S 10

struct TempCluster {
    ServerUser user;
    const char *dir; /* holds data/, the socket, the log and the file "alive" */
    const char *url;
    const char *const *settings; /* beside ours; NULL = none */
    int major;
    pid_t pid;
    int alive; /* lock that we and the server hold: who can take it may remove the folder */
};

/* ---- folders ------------------------------------------------------------------------------- */

/* The folders of runs that were killed, found or removed. Young ones may be in the making. */
static void
sweep(Arena *a, const char *root, const ServerUser *user, bool removes, TempFolders *ret)
{
    Err ignored;
    FsEntryVec entries = {0};
    if (!fs_list(a, root, &entries, &ignored))
        return;
    vec_each (FsEntry, e, &entries) {
        struct stat st;
        const char *dir = fs_join(a, root, e->name), *alive = fs_join(a, dir, "alive");
        if (!str_starts(str_of(e->name), STR(TEMP_PREFIX)) || !user_owns_folder(user, dir) ||
            stat(dir, &st) != 0 || st.st_mtime > clock_wall_us() / 1000000 - SWEEP_AGE_S)
            continue;
        FD_LOCAL lock = -1;
        if (!lock_take(alive, false, 0, &lock, &ignored) || lock < 0)
            continue;
        if (!removes || fs_remove(dir, &ignored))
            *vec_add(a, ret) = dir;
    }
}

/* Where they may lie: below $TMPDIR, if the server's user can go there: making a cluster is making a
 * thousand files, which a caller may like to have in memory. */
typedef struct TempRoots {
    const char *v[3];
} TempRoots;

static TempRoots
temp_roots(void)
{
    return (TempRoots){{os_env("TMPDIR"), "/tmp", "/var/tmp"}};
}

bool
temp_clusters_left(Arena *a, bool removes, TempFolders *ret, Err *err)
{
    ServerUser user;
    const TempRoots roots = temp_roots();
    if (!user_for_new(a, &user, err))
        return false;
    for (size_t i = 0; i < COUNT(roots.v); i++)
        if (roots.v[i] && (!i || !roots.v[0] || strcmp(roots.v[i], roots.v[0]) != 0))
            sweep(a, roots.v[i], &user, removes, ret);
    return true;
}

/* Data that is moved out of `taken` moves fastest within its file system. */
static void
prefer_same_device(TempRoots *roots, const char *taken)
{
    struct stat there, st;
    if (stat(taken, &there) != 0)
        return;
    for (size_t i = 1; i < COUNT(roots->v); i++)
        if ((!roots->v[0] || stat(roots->v[0], &st) != 0 || st.st_dev != there.st_dev) &&
            stat(roots->v[i], &st) == 0 && st.st_dev == there.st_dev) {
            const char *first = roots->v[0];
            roots->v[0] = roots->v[i];
            roots->v[i] = first;
        }
}

static bool
make_folder(Arena *a, const ServerUser *user, const TempSaved *saved, TempCluster *c, Err *err)
{
    TempRoots roots = temp_roots();
    if (saved && saved->takes)
        prefer_same_device(&roots, saved->dir);
    TempFolders swept = {0};
    unsigned long long name;
    os_random(&name, sizeof name);
    int why = 0;
    for (size_t i = 0; i < COUNT(roots.v) && !c->dir; i++) {
        if (!holds_sockets(roots.v[i]) || !user_can_enter(user, roots.v[i]))
            continue;
        sweep(a, roots.v[i], user, true, &swept);
        const char *dir = str_fmt(a, "%s/" TEMP_PREFIX "%012llx", roots.v[i], name >> 16);
        if (user_mkdir(user, dir))
            c->dir = dir;
        else
            why = errno;
    }
    if (c->dir)
        return lock_take(fs_join(a, c->dir, "alive"), false, 0, &c->alive, err);
    err_set(err, ERR_EMBEDDED, "there is no folder for a throwaway database%s%s", why ? ": " : "",
            why ? strerror(why) : "");
    return err_detail(err, "none can be made in $TMPDIR, /tmp or /var/tmp");
}

/* ---- what another one left ----------------------------------------------------------------- */

/* Copy a saved folder that nobody moves away, to remove it, in the meantime. */
static bool
copy_saved(Arena *a, const ServerUser *user, const char *saved, const char *data)
{
    Err ignored;
    struct stat before, after;
    return stat(saved, &before) == 0 && user_owns_folder(user, saved) &&
           tree_copy(fs_join(a, saved, "data"), data, user, &ignored) && stat(saved, &after) == 0 &&
           before.st_dev == after.st_dev && before.st_ino == after.st_ino;
}

/* The name decides who gets it: whoever can give it another one. */
static bool
take_saved(Arena *a, const ServerUser *user, const char *saved, const char *data)
{
    Err ignored;
    unsigned long long name;
    os_random(&name, sizeof name);
    const char *mine = str_fmt(a, "%s.%012llx", saved, name >> 16);
    if (!user_owns_folder(user, saved) || rename(saved, mine) != 0)
        return false;
    const char *from = fs_join(a, mine, "data");
    bool ok = rename(from, data) == 0 || tree_copy(from, data, user, &ignored);
    (void)!fs_remove(mine, &ignored);
    return ok;
}

static bool
use_saved(Arena *a, const ServerUser *user, const TempSaved *saved, const char *data)
{
    return saved->takes ? take_saved(a, user, saved->dir, data)
                        : copy_saved(a, user, saved->dir, data);
}

/* ---- the server ---------------------------------------------------------------------------- */

static bool
start(Arena *a, const PgBinaries *b, const ServerUser *user, TempCluster *c, Err *err)
{
    static const char *const settings[] = {
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "autovacuum=off",
        "wal_level=minimal",
        "wal_recycle=off", /* what is kept of it is copied */
        "wal_init_zero=off",
        "min_wal_size=2MB",
        "max_wal_senders=0",
        "shared_buffers=32MB",
        "max_connections=16",
        "jit=off",
        /* A schema of 5,000 tables is made in one transaction. */
        "max_locks_per_transaction=8192",
        "timezone=UTC",
        "logging_collector=off",
    };
    const char *argv[60];
    size_t n = 0;
    argv[n++] = fs_join(a, b->bindir, "postgres");
    argv[n++] = "-D";
    argv[n++] = fs_join(a, c->dir, "data");
    argv[n++] = "-k";
    argv[n++] = c->dir;
    argv[n++] = "-h";
    argv[n++] = "";
    argv[n++] = "-p";
    argv[n++] = str_fmt(a, "%d", SOCKET_PORT);
    for (size_t i = 0; i < COUNT(settings); i++) {
        argv[n++] = "-c";
        argv[n++] = settings[i];
    }
    for (const char *const *more = c->settings; more && *more && n + 2 < 60; more++) {
        argv[n++] = "-c";
        argv[n++] = *more;
    }
    argv[n] = NULL;
    const SpawnRequest spawn = {.argv = argv,
                                .user = user,
                                .log_path = fs_join(a, c->dir, "server.log"),
                                .keep_fd = c->alive,
                                .fence = c->dir,
                                .death_signal = SIGQUIT};
    return spawn_start(a, &spawn, &c->pid, err);
}

static bool
wait_until_ready(Arena *a, TempCluster *c, Err *err)
{
    const char *log = fs_join(a, c->dir, "server.log");
    int64_t deadline = clock_ms() + READY_TIMEOUT_MS;
    for (;; clock_sleep_ms(5)) {
        ProbeResult r;
        probe(c->dir, SOCKET_PORT, "postgres", NULL, READY_TIMEOUT_MS, &r);
        if (r.state == PROBE_READY)
            return true;
        if (waitpid(c->pid, NULL, WNOHANG) == c->pid) {
            c->pid = 0;
            err_set(err, ERR_EMBEDDED, "the throwaway database did not start");
            return err_detail(err, "%s", log_tail(a, log, 0, 2000));
        }
        if (os_signal_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted while the database was starting");
        if (clock_ms() > deadline) {
            err_set(err, ERR_EMBEDDED, "the throwaway database is not ready after %d s",
                    READY_TIMEOUT_MS / 1000);
            return err_detail(err, "%s", log_tail(a, log, 0, 2000));
        }
    }
}

static bool
run(Arena *a, const PgBinaries *b, TempCluster *c, Err *err)
{
    return start(a, b, &c->user, c, err) && wait_until_ready(a, c, err);
}

static bool
has_libraries(const TempCluster *c)
{
    for (const char *const *s = c->settings; s && *s; s++)
        if (str_starts(str_of(*s), STR("shared_preload_libraries")))
            return true;
    return false;
}

/* The server ended at once: the template may be damaged. Once more without it, and then it goes. */
static bool
run_anew(Arena *a, const PgBinaries *b, const InitdbRequest *request, const char *data,
         TempCluster *c, Err *err)
{
    Err ignored;
    if (!fs_remove(data, &ignored) || !initdb_run(a, request, err) || !run(a, b, c, err))
        return false;
    const char *cache = cluster_cache_folder(a);
    if (cache)
        (void)!fs_remove(fs_join(a, cache, cluster_template_name(a, b, &c->user)), &ignored);
    return true;
}

static bool
open_in(Arena *a, const PgBinaries *b, const TempSaved *saved, TempCluster *c, Err *err)
{
    const ServerUser *user = &c->user;
    const char *data = fs_join(a, c->dir, "data");
    if (saved && !use_saved(a, user, saved, data))
        return err_set(err, ERR_EMBEDDED, "the data in \"%s\" cannot be used", saved->dir);
    bool copied = saved || cluster_use_template(a, b, user, data);
    if (os_signal_pending())
        return err_set(err, ERR_INTERRUPTED, "interrupted while the database was starting");
    InitdbRequest request = {
        .binaries = b, .user = user, .dir = c->dir, .throwaway = true, .keep_fd = c->alive};
    if (!copied && !initdb_run(a, &request, err))
        return false;
    if (run(a, b, c, err))
        return true;
    bool has_ended = err->code == ERR_EMBEDDED && c->pid == 0;
    return copied && !saved && !has_libraries(c) && has_ended &&
           run_anew(a, b, &request, data, c, err);
}

typedef struct TempRequest {
    const char *bindir;
    int major;
    const TempSaved *saved;      /* NULL = a new one */
    const char *const *settings; /* NULL = none */
} TempRequest;

static bool
open_cluster(Arena *a, const TempRequest *r, TempCluster **ret, Err *err)
{
    PgBinaries b;
    TempCluster *c = arena_new(a, TempCluster);
    c->alive = -1;
    c->settings = r->settings;
    if (!binaries_find(a, r->bindir, r->major, &b, err) || !user_for_new(a, &c->user, err))
        return false;
    c->major = b.major;
    if (!make_folder(a, &c->user, r->saved, c, err) || !open_in(a, &b, r->saved, c, err)) {
        temp_cluster_close(c);
        return false;
    }
    c->url = str_fmt(a, "postgresql://postgres@/postgres?host=%s&port=%d", c->dir, SOCKET_PORT);
    *ret = c;
    return true;
}

bool
temp_cluster_open_saved(Arena *a, const char *bindir, int major, const TempSaved *saved,
                        const char *const *settings, TempCluster **ret, Err *err)
{
    const TempRequest r = {.bindir = bindir, .major = major, .saved = saved, .settings = settings};
    return open_cluster(a, &r, ret, err);
}

bool
temp_cluster_open(Arena *a, const char *bindir, int major, const char *const *settings,
                  TempCluster **ret, Err *err)
{
    const TempRequest r = {.bindir = bindir, .major = major, .settings = settings};
    return open_cluster(a, &r, ret, err);
}

bool
temp_cluster_server(Arena *a, const char *bindir, int major, int *ret_major, const char **ret_id,
                    Err *err)
{
    PgBinaries b;
    ServerUser user;
    if (!binaries_find(a, bindir, major, &b, err) || !user_for_new(a, &user, err))
        return false;
    *ret_major = b.major;
    *ret_id = cluster_template_name(a, &b, &user);
    return true;
}

/* Stop the server with `sig` and wait; after the deadline it is killed. Whether it ended well. */
static bool
stop(TempCluster *c, int sig)
{
    int status = -1;
    int64_t deadline = clock_ms() + STOP_TIMEOUT_MS;
    if (c->pid <= 0)
        return false;
    kill(c->pid, sig);
    while (waitpid(c->pid, &status, WNOHANG) == 0) {
        if (clock_ms() > deadline)
            kill(c->pid, SIGKILL);
        clock_sleep_ms(2);
    }
    c->pid = 0;
    return status == 0;
}

/* Put data into a folder that has its name only when it is whole. */
static bool
save(Arena *a, const ServerUser *user, const char *data, bool moves, const char *to, Err *err)
{
    Err ignored;
    unsigned long long name;
    os_random(&name, sizeof name);
    const char *unfinished = str_fmt(a, "%s.%012llx", to, name >> 16);
    const char *into = fs_join(a, unfinished, "data");
    if (user_mkdir(user, unfinished) &&
        ((moves && rename(data, into) == 0) || tree_copy(data, into, user, &ignored)) &&
        rename(unfinished, to) == 0)
        return true;
    (void)!fs_remove(unfinished, &ignored);
    return err_set(err, ERR_IO, "cannot make the folder \"%s\"", to);
}

bool
temp_cluster_save(Arena *a, TempCluster *c, const char *to, Err *err)
{
    if (!stop(c, SIGINT))
        return err_set(err, ERR_EMBEDDED, "the throwaway database did not stop in good order");
    return save(a, &c->user, fs_join(a, c->dir, "data"), true, to, err);
}

bool
temp_cluster_copy_saved(Arena *a, const char *from, const char *to, Err *err)
{
    ServerUser user;
    return user_for_new(a, &user, err) && save(a, &user, fs_join(a, from, "data"), false, to, err);
}

const char *
temp_cluster_url(const TempCluster *c)
{
    return c->url;
}

int
temp_cluster_major(const TempCluster *c)
{
    return c->major;
}

void
temp_cluster_close(TempCluster *c)
{
    Err ignored;
    if (!c)
        return;
    stop(c, SIGQUIT);
    if (c->dir)
        (void)!fs_remove(c->dir, &ignored);
    fs_close_cleanup(&c->alive);
    *c = (TempCluster){.alive = -1};
}
