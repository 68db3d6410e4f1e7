/* The server process of a persistent cluster: is it there, start it, stop it. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_KEEP_BYTES (1024 * 1024)
#define STOP_IMMEDIATE_MS 10000

/* Lines of postmaster.pid (PostgreSQL's src/include/utils/pidfile.h), counted from 0. */
enum { PID_LINE = 0, PORT_LINE = 3, SOCKET_LINE = 4, STATUS_LINE = 7, PID_LINES };

/* Whether the live process `pid` is the server of this data folder: a postmaster works in it. */
static bool
is_our_postmaster(Arena *a, pid_t pid, const char *data)
{
    struct stat cwd, dir;
    if (pid <= 1 || (kill(pid, 0) != 0 && errno != EPERM) || stat(data, &dir) != 0)
        return false;
    if (stat(str_fmt(a, "/proc/%ld/cwd", (long)pid), &cwd) == 0)
        return cwd.st_dev == dir.st_dev && cwd.st_ino == dir.st_ino;
    /* A zombie has no folder any more; without /proc the pid is all that we know. */
    return !fs_exists("/proc/self/stat");
}

void
server_status(Arena *a, const ClusterHome *home, ServerStatus *ret)
{
    Err ignored;
    Str text;
    *ret = (ServerStatus){.state = SERVER_GONE, .port = SOCKET_PORT};
    if (fs_read(a, fs_join(a, home->data, "postmaster.pid"), 64 * 1024, &text, &ignored)) {
        Str lines[PID_LINES] = {0};
        Str rest = text;
        for (int i = 0; i < PID_LINES && rest.p; i++)
            lines[i] = str_trim(str_cut(&rest, '\n'));
        long long pid, port;
        if (str_to_int(lines[PID_LINE], 2, INT32_MAX, &pid) &&
            is_our_postmaster(a, (pid_t)pid, home->data)) {
            ret->state = SERVER_RUNNING;
            ret->pid = (pid_t)pid;
            if (str_to_int(lines[PORT_LINE], 1, 65535, &port))
                ret->port = (int)port;
            if (lines[SOCKET_LINE].n && lines[SOCKET_LINE].p[0] == '/')
                ret->socket_dir = str_dup(a, lines[SOCKET_LINE]);
            ret->settled = str_is(lines[STATUS_LINE], "ready");
            return;
        }
    }
    if (lock_is_held(home->server_lock))
        ret->state = SERVER_HELD;
}

/* What a killed server left. PostgreSQL copes with the files of a dead process, but not with a pid
 * that another process or a zombie has now. The caller knows that nothing of the server lives. */
static void
remove_leftovers(Arena *a, const ClusterHome *home)
{
    const char *const files[] = {
        fs_join(a, home->data, "postmaster.pid"),
        str_fmt(a, "%s/.s.PGSQL.%d", home->socket_dir, SOCKET_PORT),
        str_fmt(a, "%s/.s.PGSQL.%d.lock", home->socket_dir, SOCKET_PORT),
    };
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(files[i]);
}

/* A folder that no other server listens in (that of a copied project may). */
static bool
prepare_socket(Arena *a, const ServerUser *user, ClusterHome *home, Err *err)
{
    ProbeResult other;
    const char *dir;
    if (!socket_folder(a, user, home->socket_dir, &dir, err))
        return false;
    probe(dir, SOCKET_PORT, "postgres", NULL, 1000, &other);
    if (other.state != PROBE_NO_SOCKET && !socket_folder(a, user, NULL, &dir, err))
        return false;
    home->socket_dir = dir;
    return true;
}

bool
server_start(Arena *a, const PgBinaries *binaries, const ServerUser *user, ClusterHome *home,
             pid_t *ret_pid, Err *err)
{
    FD_LOCAL lock = -1;
    if (!prepare_socket(a, user, home, err) ||
        !lock_take(home->server_lock, false, 2000, &lock, err))
        return false;
    if (lock < 0) {
        err_set(err, ERR_EMBEDDED, "another process holds the embedded database");
        return err_detail(err, "lock file: %s", home->server_lock);
    }
    remove_leftovers(a, home);
    if (log_size(home->log_path) > LOG_KEEP_BYTES)
        (void)!rename(home->log_path, str_fmt(a, "%s.old", home->log_path));
    const char *const argv[] = {fs_join(a, binaries->bindir, "postgres"),
                                "-D",
                                home->data,
                                "-k",
                                home->socket_dir,
                                "-h",
                                "",
                                "-p",
                                str_fmt(a, "%d", SOCKET_PORT),
                                "-c",
                                "logging_collector=off",
                                NULL};
    SpawnRequest spawn = {
        .argv = argv, .user = user, .log_path = home->log_path, .keep_fd = lock, .detach = true};
    return spawn_start(a, &spawn, ret_pid, err);
}

/* Poll until nothing of the server is left. */
static bool
wait_until_gone(const ClusterHome *home, int64_t timeout_ms)
{
    for (int64_t deadline = clock_ms() + timeout_ms;; clock_sleep_ms(10)) {
        ARENA_LOCAL(a);
        ServerStatus status;
        server_status(a, home, &status);
        if (status.state == SERVER_GONE)
            return true;
        if (clock_ms() >= deadline)
            return false;
    }
}

/* Signal and wait until nothing of the server is left. */
static bool
end_processes(Arena *a, const ClusterHome *home, int64_t timeout_ms, Err *err)
{
    static const int signals[] = {SIGINT, SIGQUIT}; /* fast, immediate */
    ServerStatus status;
    for (size_t i = 0; i < COUNT(signals); i++) {
        server_status(a, home, &status);
        if (status.state == SERVER_GONE)
            return true;
        if (status.state == SERVER_RUNNING && kill(status.pid, signals[i]) != 0 && errno != ESRCH) {
            err_set(err, ERR_EMBEDDED, "cannot stop the embedded database: %s", strerror(errno));
            return err_detail(err, "process %ld, data: %s", (long)status.pid, home->data);
        }
        if (wait_until_gone(home, i == 0 ? timeout_ms : STOP_IMMEDIATE_MS))
            return true;
    }
    err_set(err, ERR_EMBEDDED, "the embedded database does not stop");
    if (status.state == SERVER_HELD)
        err_detail(err,
                   "it runs in another container, or a process that it started still runs; "
                   "lock file: %s",
                   home->server_lock);
    else
        err_detail(err, "process %ld, data: %s", (long)status.pid, home->data);
    return false;
}

bool
server_stop(Arena *a, const ClusterHome *home, int64_t timeout_ms, Err *err)
{
    if (!end_processes(a, home, timeout_ms, err))
        return false;
    rmdir(home->socket_dir); /* no litter in /tmp; the next start makes it again */
    return true;
}
