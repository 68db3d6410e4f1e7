/* Lock files: flock(2), because such a lock is inherited by a started program and vanishes with
 * the last process that holds it, however that died, in whatever pid name space it ran. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

static int
lock_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd;
}

bool
lock_take(const char *path, bool shared, int64_t timeout_ms, int *ret_fd, Err *err)
{
    FD_LOCAL fd = lock_open(path);
    if (fd < 0)
        return err_set(err, ERR_EMBEDDED, "cannot open the lock file \"%s\": %s", path,
                       strerror(errno));
    *ret_fd = -1;
    int64_t deadline = clock_ms() + timeout_ms;
    while (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set(err, ERR_EMBEDDED, "cannot lock \"%s\": %s", path, strerror(errno));
        if (timeout_ms && os_signal_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for \"%s\"", path);
        if (clock_ms() >= deadline)
            return true;
        clock_sleep_ms(10);
    }
    *ret_fd = fd;
    fd = -1;
    return true;
}

bool
lock_is_held(const char *path)
{
    FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}
