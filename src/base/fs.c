/* Files, folders and paths. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void
fs_close_cleanup(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static FsKind
kind_of(const struct stat *st)
{
    return S_ISREG(st->st_mode) ? FS_FILE : S_ISDIR(st->st_mode) ? FS_DIR : FS_OTHER;
}

FsKind
fs_kind(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? kind_of(&st) : FS_MISSING;
}

bool
fs_same(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

bool
fs_exists(const char *path)
{
    return fs_kind(path) != FS_MISSING;
}

static bool
fail(Err *err, const char *what, const char *path)
{
    int e = errno;
    err_set(err, ERR_IO, "cannot %s \"%s\": %s", what, path, strerror(e));
    return err_at(err, path, 0, 0);
}

bool
fs_append(Buf *b, const char *path, size_t max_bytes, Err *err)
{
    FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return fail(err, "read", path);
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return fail(err, "read", path);
    }
    if (max_bytes && (size_t)st.st_size > max_bytes) {
        err_set(err, ERR_IO, "\"%s\" is too large: %lld bytes, at most %zu are read", path,
                (long long)st.st_size, max_bytes);
        return err_at(err, path, 0, 0);
    }
    size_t size = (size_t)st.st_size, n = 0;
    do {
        if (n >= size) /* /proc says 0, or the file grew while we read */
            buf_room(b, size < 4096 ? 4096 : 2 * size);
        else
            buf_room(b, size - n);
        ssize_t got = read(fd, b->p + b->n, b->cap - b->n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, "read", path);
        if (got == 0)
            break;
        n += (size_t)got;
        b->n += (size_t)got;
    } while (n != size || !size);
    b->p[b->n] = 0;
    return true;
}

bool
fs_read(Arena *a, const char *path, size_t max_bytes, Str *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    if (!fs_append(&b, path, max_bytes, err))
        return false;
    *ret = buf_finish(&b);
    return true;
}

int64_t
fs_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

bool
fs_read_if_there(Arena *a, const char *path, bool *ret_there, Str *ret, Err *err)
{
    *ret_there = true;
    if (fs_read(a, path, 0, ret, err))
        return true;
    struct stat st; /* a dangling link is no file; a circle of links is none either, but an error */
    *ret_there = stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
    return !*ret_there;
}

static int
by_name(const void *pa, const void *pb)
{
    const FsEntry *a = pa, *b = pb;
    return strcmp(a->name, b->name);
}

static void
closedir_cleanup(DIR **d)
{
    if (*d)
        closedir(*d);
}

bool
fs_list(Arena *a, const char *path, FsEntryVec *ret, Err *err)
{
    __attribute__((cleanup(closedir_cleanup))) DIR *d = opendir(path);
    if (!d)
        return fail(err, "open folder", path);
    FsEntryVec list = {0};
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (!e)
            break;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        FsEntry *entry = vec_add(a, &list);
        *entry = (FsEntry){.name = str_dupz(a, e->d_name), .is_link = e->d_type == DT_LNK};
        if (e->d_type == DT_REG || e->d_type == DT_DIR) {
            entry->kind = e->d_type == DT_REG ? FS_FILE : FS_DIR;
        } else {
            struct stat st;
            entry->kind = fstatat(dirfd(d), e->d_name, &st, 0) == 0 ? kind_of(&st) : FS_MISSING;
        }
    }
    if (errno)
        return fail(err, "read folder", path);
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_name);
    *ret = list;
    return true;
}

static bool
write_all(int fd, Str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text = str_slice(text, (size_t)n, text.n);
    }
    return true;
}

bool
fs_write(const char *path, Str text, unsigned mode, Err *err)
{
    ARENA_LOCAL(a);
    const char *tmp = str_fmt(a, "%s.tmp-%ld", path, (long)getpid());
    FD_LOCAL fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return fail(err, "create", tmp);
    if (!write_all(fd, text) || fsync(fd) != 0 || rename(tmp, path) != 0) {
        fail(err, "write", path);
        unlink(tmp);
        return false;
    }
    FD_LOCAL dir = open(fs_dirname(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0)
        fsync(dir);
    return true;
}

bool
fs_add(const char *path, Str text, Err *err)
{
    FD_LOCAL fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return (fd >= 0 && write_all(fd, text)) || fail(err, "write", path);
}

/* Devices and pipes are written to and stay what they are. */
static bool
write_through(const char *path, Str text, Err *err)
{
    FD_LOCAL fd = open(path, O_WRONLY | O_CLOEXEC);
    return (fd >= 0 && write_all(fd, text)) || fail(err, "write", path);
}

bool
fs_replace(const char *path, Str text, Err *err)
{
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return write_through(path, text, err);
    char *target = realpath(path, NULL);
    if (!target && errno != ENOENT)
        return fail(err, "write", path);
    struct stat st = {.st_mode = 0644, .st_uid = geteuid(), .st_gid = getegid()};
    bool ok = (!target || stat(target, &st) == 0 || fail(err, "write", path)) &&
              fs_write(target ? target : path, text, st.st_mode & 07777, err);
    if (ok && st.st_uid != geteuid() && chown(target, st.st_uid, st.st_gid) != 0)
        ok = fail(err, "give back to its owner", path);
    if (ok && chmod(target ? target : path, st.st_mode & 07777) != 0)
        ok = fail(err, "set the mode of", path);
    free(target);
    return ok;
}

bool
fs_mkdirs(const char *path, unsigned mode, Err *err)
{
    ARENA_LOCAL(a);
    char *p = str_dupz(a, path);
    for (char *s = p + 1; *s; s++) {
        if (*s != '/')
            continue;
        *s = 0;
        if (mkdir(p, mode) != 0 && errno != EEXIST && !fs_exists(p))
            return fail(err, "create folder", p);
        *s = '/';
    }
    if (mkdir(p, mode) != 0 && (errno != EEXIST || fs_kind(p) != FS_DIR))
        return fail(err, "create folder", p);
    return true;
}

static bool
remove_at(int dirfd_, const char *name)
{
    if (unlinkat(dirfd_, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    int fd = openat(dirfd_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    __attribute__((cleanup(closedir_cleanup))) DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return false;
    }
    for (const struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            !remove_at(fd, e->d_name))
            return false;
    return unlinkat(dirfd_, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool
fs_remove(const char *path, Err *err)
{
    return remove_at(AT_FDCWD, path) || fail(err, "remove", path);
}

char *
fs_join(Arena *a, const char *dir, const char *name)
{
    if (name[0] == '/' || !dir[0] || strcmp(dir, ".") == 0)
        return str_dupz(a, name);
    if (!name[0])
        return str_dupz(a, dir);
    size_t d = strlen(dir), n = strlen(name), slash = dir[d - 1] != '/';
    char *p = arena_alloc(a, d + slash + n + 1);
    memcpy(p, dir, d);
    p[d] = '/';
    memcpy(p + d + slash, name, n + 1);
    return p;
}

char *
fs_dirname(Arena *a, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n ? str_dup(a, (Str){path, n}) : str_dupz(a, ".");
}

const char *
fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *
fs_below(const char *dir, const char *path)
{
    size_t n = strlen(dir);
    while (n && dir[n - 1] == '/')
        n--;
    return strncmp(path, dir, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : path;
}

char *
fs_absolute(Arena *a, const char *path)
{
    char *cwd = NULL;
    if (path[0] != '/') {
        cwd = getcwd(NULL, 0);
        path = str_fmt(a, "%s/%s", cwd ? cwd : "", path);
        free(cwd);
    }
    Buf out;
    buf_init(&out, a);
    for (Str rest = str_of(path); rest.p;) {
        Str part = str_cut(&rest, '/');
        if (part.n == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..")) {
            while (out.n && out.p[--out.n] != '/')
                ;
            out.p[out.n] = 0;
            continue;
        }
        buf_addc(&out, '/');
        buf_add(&out, part);
    }
    if (!out.n)
        buf_addc(&out, '/');
    return out.p;
}
