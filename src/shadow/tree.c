/* Copying a data folder: what "cp -a" does, for files and folders only. */
#include "shadow/shadow_int.h"

#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
give_away(int fd, mode_t mode, const ServerUser *user)
{
    return (!user->drop || fchown(fd, user->uid, user->gid) == 0) && fchmod(fd, mode & 0777) == 0;
}

static bool
copy_bytes(int in, int out)
{
    for (;;) { /* in the kernel, or shared blocks where the file system can */
        ssize_t n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            break;
    }
    if (errno != EXDEV && errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP &&
        errno != EPERM)
        return false;
    char block[64 * 1024];
    for (;;) {
        ssize_t n = read(in, block, sizeof block);
        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        for (ssize_t done = 0, w; done < n; done += w)
            if ((w = write(out, block + done, (size_t)(n - done))) < 0)
                return false;
        if (n < 0)
            return false;
    }
}

static bool
copy_file(int from_dir, int to_dir, const char *name, const ServerUser *user)
{
    FD_LOCAL in = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    FD_LOCAL out = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat st;
    return in >= 0 && out >= 0 && fstat(in, &st) == 0 && copy_bytes(in, out) &&
           give_away(out, st.st_mode, user);
}

static void
closedir_cleanup(DIR **d)
{
    if (*d)
        closedir(*d);
}

static bool
copy_folder(int from_dir, const char *from, int to_dir, const char *to, const ServerUser *user)
{
    int in = openat(from_dir, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    __attribute__((cleanup(closedir_cleanup))) DIR *d = in >= 0 ? fdopendir(in) : NULL;
    if (!d) {
        if (in >= 0)
            close(in);
        return false;
    }
    if (mkdirat(to_dir, to, 0700) != 0)
        return false;
    FD_LOCAL out = openat(to_dir, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (out < 0 || fstat(in, &st) != 0)
        return false;
    for (const struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        struct stat item;
        if (fstatat(in, e->d_name, &item, AT_SYMLINK_NOFOLLOW) != 0)
            return false;
        bool ok = S_ISDIR(item.st_mode)   ? copy_folder(in, e->d_name, out, e->d_name, user)
                  : S_ISREG(item.st_mode) ? copy_file(in, out, e->d_name, user)
                                          : (errno = EINVAL, false);
        if (!ok)
            return false;
    }
    return give_away(out, st.st_mode, user);
}

bool
tree_copy(const char *from, const char *to, const ServerUser *user, Err *err)
{
    return copy_folder(AT_FDCWD, from, AT_FDCWD, to, user) ||
           err_set(err, ERR_IO, "cannot copy \"%s\" to \"%s\": %s", from, to, strerror(errno));
}
