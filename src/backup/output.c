#include "backup/output.h"
#include "backup/set.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/invariant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>
#include <zstd.h>

enum { PACKED = 256 * 1024, LEVEL = 3 };

#define PART ".part"

struct BackupOutput {
    Arena *arena;
    const char *path, *temporary;
    int fd; /* locked, so that nobody takes the file for a left one */
    bool ended, published;
    int64_t bytes;
    HashState *hash;
    ZSTD_CCtx *zstd;
    char *packed;
    AgeWriter *age;
    unsigned char key[BACKUP_FILE_KEY];
};

static bool
fail(const BackupOutput *o, const char *what, Err *err)
{
    int e = errno;
    err_set(err, ERR_IO, "cannot %s \"%s\": %s", what, o->path, strerror(e));
    err_at(err, o->path, 0, 0);
    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
        err_hint(err, "make room, or let backup.dir name a folder on a larger disk");
    return false;
}

/* The last layer: the file. */
static bool
put(void *arg, Str bytes, Err *err)
{
    BackupOutput *o = arg;
    hash_sha256_add(o->hash, bytes);
    while (bytes.n) {
        ssize_t n = write(o->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(o, "write", err);
        o->bytes += n;
        bytes = str_slice(bytes, (size_t)n, bytes.n);
    }
    return true;
}

static bool
put_clear(BackupOutput *o, Str bytes, Err *err)
{
    return o->age ? age_write(o->age, bytes, err) : put(o, bytes, err);
}

static bool
pack(BackupOutput *o, Str bytes, ZSTD_EndDirective mode, Err *err)
{
    ZSTD_inBuffer in = {bytes.p, bytes.n, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {o->packed, PACKED, 0};
        left = ZSTD_compressStream2(o->zstd, &out, &in, mode);
        if (ZSTD_isError(left))
            return err_set(err, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
        if (!put_clear(o, (Str){o->packed, out.pos}, err))
            return false;
    } while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
    return true;
}

bool
backup_output_open(Arena *a, const char *path, bool packs, const char *const *recipients, size_t n,
                   BackupOutput **ret, Err *err)
{
    BackupOutput *o = arena_new(a, BackupOutput);
    *o = (BackupOutput){.arena = a, .path = path, .hash = hash_sha256_begin(a)};
    o->temporary = fs_join(a, fs_dirname(a, path),
                           str_fmt(a, ".%s-%ld" PART, fs_basename(path), (long)getpid()));
    o->fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (o->fd < 0)
        return fail(o, "create", err);
    flock(o->fd, LOCK_EX | LOCK_NB);
    *ret = o;
    if (packs) {
        o->zstd = ZSTD_createCCtx();
        o->packed = arena_alloc(a, PACKED);
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_nbWorkers, 1); /* beside reading and writing */
    }
    if (n && !age_writer_make(a, recipients, n, (AgeOut){put, o}, o->key, &o->age, err)) {
        backup_output_cleanup(ret);
        *ret = NULL;
        return false;
    }
    return true;
}

bool
backup_output_write(BackupOutput *o, Str bytes, Err *err)
{
    INVARIANT(!o->ended, "bytes behind a backup's end");
    return o->zstd ? pack(o, bytes, ZSTD_e_continue, err) : put_clear(o, bytes, err);
}

bool
backup_output_end(BackupOutput *o, BackupFile *ret, Err *err)
{
    INVARIANT(!o->ended, "a second end of a backup");
    if ((o->zstd && !pack(o, STR(""), ZSTD_e_end, err)) || (o->age && !age_write_end(o->age, err)))
        return false;
    if (fsync(o->fd) != 0)
        return fail(o, "write", err);
    o->ended = true;
    *ret = (BackupFile){.name = fs_basename(o->path),
                        .bytes = o->bytes,
                        .sha256 = hash_sha256_end(o->arena, o->hash)};
    return true;
}

bool
backup_output_publish(BackupOutput *o, Err *err)
{
    INVARIANT(o->ended && !o->published, "a backup that counts before its end");
    if (renameat2(AT_FDCWD, o->temporary, AT_FDCWD, o->path, RENAME_NOREPLACE) != 0) {
        /* Some file systems cannot do it in one step. */
        if (errno != EINVAL && errno != ENOSYS)
            return fail(o, "rename to", err);
        if (link(o->temporary, o->path) != 0 || unlink(o->temporary) != 0)
            return fail(o, "rename to", err);
    }
    o->published = true;
    FD_LOCAL dir = open(fs_dirname(o->arena, o->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && fsync(dir) == 0)
        return true;
    fail(o, "keep", err);
    unlink(o->path);
    return false;
}

const char *
backup_output_temporary(const BackupOutput *o)
{
    return o->temporary;
}

const unsigned char *
backup_output_key(const BackupOutput *o)
{
    return o->age ? o->key : NULL;
}

void
backup_output_cleanup(BackupOutput **output)
{
    BackupOutput *o = *output;
    if (!o)
        return;
    if (!o->published && o->fd >= 0)
        unlink(o->temporary);
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
    ZSTD_freeCCtx(o->zstd);
    o->zstd = NULL;
    age_writer_free(o->age);
    o->age = NULL;
    explicit_bzero(o->key, sizeof o->key);
}

void
backup_sweep(Arena *a, const char *dir)
{
    Err ignored;
    FsEntryVec list;
    if (!fs_list(a, dir, &list, &ignored))
        return;
    vec_each (const FsEntry, e, &list) {
        if (e->kind != FS_FILE || e->is_link || e->name[0] != '.' ||
            !str_ends(str_of(e->name), STR(PART)))
            continue;
        const char *path = fs_join(a, dir, e->name);
        FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlink(path);
    }
}
