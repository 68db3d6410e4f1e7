/* Where advisory locks exclude nobody: PGlite has one session for all its clients, so each is granted
 * what another holds. It serves one machine, and there a lock on a file does the same. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"
#include "run/session_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static const char *
lease_path(const Session *s)
{
    const char *dir = os_env("TMPDIR");
    Str server = str_of(s->place.system ? s->place.system : db_info(s->db)->host);
    return fs_join(
        s->arena, dir && dir[0] == '/' ? dir : "/tmp",
        str_fmt(s->arena, "aramid-pglite-%.16s.lock", hash_sha256_hex(s->arena, server)));
}

static int
lease_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* another user's */
}

/* Poll until it is ours, or the time for another run is over. */
bool
lease_take(Session *s, const RunSink *sink, Err *err)
{
    if (!db_info(s->db)->is_shared || s->lease)
        return true;
    const char *path = lease_path(s);
    int64_t started = clock_ms(), budget = config_ms(s->config, CFG_WAIT_RUNNER);
    int64_t tell_at = started + 300;
    FD_LOCAL fd = lease_open(path);
    if (fd < 0) {
        err_set(err, ERR_RUNNER_ACTIVE, "the lock of this server cannot be taken: \"%s\": %s", path,
                strerror(errno));
        return err_hint(err, "its advisory locks exclude nobody; let TMPDIR name a folder that can "
                             "be written");
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int64_t waited = clock_ms() - started;
        if (waited >= budget) {
            err_set(err, ERR_RUNNER_ACTIVE, "another migration run is at work on this PGlite");
            err_detail(err, "it holds the file \"%s\"", path);
            return err_hint(err, "run the same command again later, or wait longer with --wait 2h");
        }
        if (clock_ms() >= tell_at) {
            RunEvent e = {.kind = RUN_WAITING, .level = RUN_INFO, .ms = waited};
            e.text = "waiting for another migration run on this PGlite";
            sink->event(sink->arg, &e);
            tell_at = clock_ms() + 5000;
        }
        if (!db_pause(s->tick, s->tick_arg, 100))
            return err_set(err, ERR_INTERRUPTED, "waiting for the lock was interrupted");
    }
    s->lease = fd + 1;
    fd = -1;
    return true;
}

void
lease_drop(Session *s)
{
    if (s->lease)
        close(s->lease - 1);
    s->lease = 0;
}
