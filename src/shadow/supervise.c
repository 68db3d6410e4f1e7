/* The supervisor: a small process that stops the server when nobody has used it for a while. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_MIN_MS 250
#define POLL_MAX_MS 5000
#define PROBE_TIMEOUT_MS 5000
#define STOP_TIMEOUT_MS 60000
#define LOCK_TIMEOUT_MS 500 /* longer than cluster_ensure's look whether the lock is held */

static const char count_clients[] =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()";

/* Whether somebody is connected; also when the server cannot be asked (full, password, busy). */
static bool
has_clients(const ServerStatus *status, const ClusterHome *home)
{
    ProbeResult r;
    const char *dir = status->socket_dir ? status->socket_dir : home->socket_dir;
    probe(dir, status->port, "postgres", count_clients, PROBE_TIMEOUT_MS, &r);
    return r.state != PROBE_READY || !r.logged_in || strcmp(r.value, "0") != 0;
}

/* When cluster_ensure was last called, as a number that changes. */
static int64_t
last_used(const ClusterHome *home)
{
    struct stat st;
    if (stat(home->used_path, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

typedef struct Watch {
    const ClusterHome *home;
    int64_t idle_ms;
    int64_t idle_since;
    int64_t used;
} Watch;

/* One look. True: the server is gone or idle for long enough. */
static bool
is_over(Arena *a, Watch *w)
{
    ServerStatus status;
    server_status(a, w->home, &status);
    if (status.state == SERVER_GONE)
        return true;
    int64_t used = last_used(w->home);
    if (used != w->used || status.state == SERVER_HELD || has_clients(&status, w->home)) {
        w->used = used;
        w->idle_since = clock_ms();
    }
    return clock_ms() - w->idle_since >= w->idle_ms;
}

/* Look again under the lock that cluster_ensure holds while it brings a server up and looks for a
 * supervisor: nobody is told "ready" by a server that we stop, nor relies on us when we go. */
static bool
finish(Watch *w, int *supervisor_lock)
{
    ARENA_LOCAL(a);
    Err ignored;
    FD_LOCAL lock = -1;
    if (!lock_take(home_root_lock(a, w->home->root), false, 0, &lock, &ignored))
        return fs_kind(w->home->root) != FS_DIR; /* the project was removed */
    if (lock < 0 || !is_over(a, w) || !server_stop(a, w->home, STOP_TIMEOUT_MS, &ignored))
        return false;
    close(*supervisor_lock);
    *supervisor_lock = -1;
    return true;
}

int
cluster_supervise(const ClusterOptions *options)
{
    ARENA_LOCAL(a);
    Err err;
    const char *project;
    ClusterHome home;
    FD_LOCAL lock = -1;
    if (options->idle_ms <= 0 || !home_project(a, options, &project, &err) ||
        !home_find(a, options, project, &home, &err) || !home.dir ||
        !lock_take(home.supervisor_lock, false, LOCK_TIMEOUT_MS, &lock, &err))
        return EXIT_FAILURE;
    if (lock < 0)
        return EXIT_SUCCESS; /* another one is at work */
    Watch w = {.home = &home,
               .idle_ms = options->idle_ms,
               .idle_since = clock_ms(),
               .used = last_used(&home)};
    int64_t pause = options->idle_ms / 4;
    pause = pause < POLL_MIN_MS ? POLL_MIN_MS : pause > POLL_MAX_MS ? POLL_MAX_MS : pause;
    for (;;) {
        clock_sleep_ms(pause);
        ArenaMark mark = arena_mark(a);
        bool over = os_signal_pending() || (is_over(a, &w) && finish(&w, &lock));
        arena_reset(a, mark);
        if (over)
            return EXIT_SUCCESS;
    }
}
