#include "backup/input.h"

#include "backup/age.h"
#include "backup/tools.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PIECE = 256 * 1024, TICK_MS = 100 };

/* Layers, each reading from the one before: the file's bytes, decrypted, decompressed, as SQL. The
 * first piece of a layer tells what the next one is; until it is asked for it waits in `first`. */
typedef struct Layer {
    bool (*next)(BackupInput *in, Str *ret, Err *err);
    Str first;
} Layer;

enum { RAW, CLEAR, OPEN, SQL, LAYERS };

struct BackupInput {
    Arena *arena;
    const BackupInputOptions *options;
    int fd;
    int64_t size, position, started, ticked;
    HashState *hash;
    const char *sha256;
    BackupFormat format;
    Layer layers[LAYERS];
    bool ended;

    char *piece;
    AgeReader *age;

    ZSTD_DCtx *zstd;
    char *opened; /* a piece of it */
    ZSTD_inBuffer packed;
    bool frame_open; /* the end of the compressed data was not seen yet */
    bool has_more;   /* the last piece was full */

    Child child;
    ChildOptions child_options;
    Str feed;
    bool fed;
    char *restored;
};

static bool
broken(const BackupInput *in, const char *why, Err *err)
{
    ARENA_LOCAL(a);
    const char *path = in->options->path;
    err_set(err, ERR_BACKUP_BROKEN, "the backup \"%s\" %s",
            str_printable(a, str_of(fs_basename(path)), false), why);
    return err_at(err, path, 0, 0);
}

static bool
next_of(BackupInput *in, int layer, Str *ret, Err *err)
{
    Layer *l = &in->layers[layer];
    if (l->first.n) {
        *ret = l->first;
        l->first.n = 0;
        return true;
    }
    return l->next(in, ret, err);
}

/* ---- the file ------------------------------------------------------------------------------- */

static bool
raw_next(BackupInput *in, Str *ret, Err *err)
{
    const BackupInputOptions *o = in->options;
    int64_t now = clock_ms();
    if (o->tick && now - in->ticked >= TICK_MS) {
        in->ticked = now;
        if (!o->tick(o->tick_arg, now - in->started))
            return err_set(err, ERR_INTERRUPTED, "interrupted while a backup was read");
    }
    if (o->timeout_ms && now - in->started > o->timeout_ms)
        return err_set(err, ERR_TIMEOUT, "reading \"%s\" took longer than %lld s", o->path,
                       (long long)(o->timeout_ms / 1000));
    ssize_t n;
    do
        n = read(in->fd, in->piece, PIECE);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        err_set(err, ERR_IO, "cannot read \"%s\": %s", o->path, strerror(errno));
        return err_at(err, o->path, 0, 0);
    }
    *ret = (Str){in->piece, (size_t)n};
    hash_sha256_add(in->hash, *ret);
    in->position += n;
    return true;
}

/* ---- decrypted ------------------------------------------------------------------------------ */

static bool
age_source(void *arg, Str *ret, Err *err)
{
    return next_of(arg, RAW, ret, err);
}

static bool
clear_next(BackupInput *in, Str *ret, Err *err)
{
    return in->age ? age_read(in->age, ret, err) : next_of(in, RAW, ret, err);
}

/* ---- decompressed --------------------------------------------------------------------------- */

static bool
unpack_next(BackupInput *in, Str *ret, Err *err)
{
    ZSTD_outBuffer out = {in->opened, PIECE, 0};
    while (out.pos == 0) {
        if (in->packed.pos == in->packed.size && !in->has_more) {
            Str s;
            if (!next_of(in, CLEAR, &s, err))
                return false;
            if (!s.n)
                break;
            in->packed = (ZSTD_inBuffer){s.p, s.n, 0};
        }
        size_t before = in->packed.pos, left = ZSTD_decompressStream(in->zstd, &out, &in->packed);
        if (ZSTD_isError(left)) {
            broken(in, "is damaged: it cannot be decompressed", err);
            return err_detail(err, "%s", ZSTD_getErrorName(left));
        }
        in->has_more = out.pos == out.size;
        if (out.pos || in->packed.pos > before) /* without a step `left` is about a next frame */
            in->frame_open = left != 0;
    }
    *ret = (Str){in->opened, out.pos};
    return out.pos || !in->frame_open || broken(in, "is cut off", err);
}

static bool
open_next(BackupInput *in, Str *ret, Err *err)
{
    return in->zstd ? unpack_next(in, ret, err) : next_of(in, CLEAR, ret, err);
}

/* ---- as SQL --------------------------------------------------------------------------------- */

static bool
end_restore(BackupInput *in, Err *err)
{
    ChildResult result;
    for (Str s = {"", 1}; s.n;) /* what pg_restore did not want to read */
        if (!next_of(in, OPEN, &s, err))
            return false;
    if (!child_finish(&in->child, &result, err))
        return false;
    if (result.status == 0 && !result.timed_out)
        return true;
    broken(in, "cannot be read by pg_restore", err);
    return err_detail(err, "%s", str_printable(in->arena, str_trim(result.out), true));
}

static bool
restore_next(BackupInput *in, Str *ret, Err *err)
{
    for (;;) {
        if (!in->feed.n && !in->fed) {
            if (!next_of(in, OPEN, &in->feed, err))
                return false;
            if (!in->feed.n) {
                in->fed = true;
                child_end_input(&in->child);
            }
        }
        size_t before = in->feed.n, n;
        if (!child_exchange(&in->child, &in->feed, in->restored, PIECE, &n, err))
            return false;
        if (n) {
            *ret = (Str){in->restored, n};
            return true;
        }
        if (in->feed.n == before) {
            *ret = STR("");
            return end_restore(in, err);
        }
    }
}

static bool
sql_next(BackupInput *in, Str *ret, Err *err)
{
    return in->format == BACKUP_CUSTOM ? restore_next(in, ret, err) : next_of(in, OPEN, ret, err);
}

static bool
start_restore(BackupInput *in, Err *err)
{
    PgProgram tool;
    if (!backup_find_tool(in->arena, "pg_restore", in->options->bindir, 0, &tool, err))
        return false;
    const char **argv = arena_array(in->arena, const char *, 5);
    argv[0] = tool.path;
    argv[1] = "-Fc";
    argv[2] = "-f";
    argv[3] = "-";
    in->child_options = (ChildOptions){.argv = argv,
                                       .trace = in->options->trace,
                                       .in = CHILD_PIPE,
                                       .out = CHILD_PIPE,
                                       .messages = CHILD_KEEP,
                                       .timeout_ms = in->options->timeout_ms,
                                       .tick = in->options->tick,
                                       .tick_arg = in->options->tick_arg};
    in->restored = arena_alloc(in->arena, PIECE);
    in->format = BACKUP_CUSTOM;
    return child_start(in->arena, &in->child_options, &in->child, err);
}

/* ---- the input ------------------------------------------------------------------------------ */

static bool
open_file(BackupInput *in, Err *err)
{
    const char *path = in->options->path;
    struct stat st;
    in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in->fd >= 0 && fstat(in->fd, &st) == 0) {
        in->size = st.st_size;
        posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        if (S_ISREG(st.st_mode))
            return true;
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    }
    err_set(err, ERR_IO, "cannot read \"%s\": %s", path, strerror(errno));
    return err_at(err, path, 0, 0);
}

static bool
detect(BackupInput *in, Err *err)
{
    static const Str age = STR(AGE_MAGIC), zstd = STR("\x28\xB5\x2F\xFD"), custom = STR("PGDMP");
    const BackupInputOptions *o = in->options;
    Str *first = &in->layers[RAW].first;
    if (!raw_next(in, first, err))
        return false;
    if (str_starts(*first, age) &&
        !age_reader_make(in->arena, o->identity, o->file_key, age_source, in, &in->age, err)) {
        if (err->code == ERR_BACKUP_BROKEN || err->code == ERR_CONFIG)
            err_at(err, o->path, 0, 0);
        return false;
    }
    first = &in->layers[CLEAR].first;
    if (!clear_next(in, first, err))
        return false;
    if (str_starts(*first, zstd)) {
        in->format = BACKUP_ZSTD;
        in->zstd = ZSTD_createDCtx();
        in->opened = arena_alloc(in->arena, PIECE);
        in->frame_open = true;
    }
    first = &in->layers[OPEN].first;
    return open_next(in, first, err) && (!str_starts(*first, custom) || start_restore(in, err));
}

bool
backup_input_open(Arena *a, const BackupInputOptions *options, BackupInput **ret, Err *err)
{
    BackupInput *in = arena_new(a, BackupInput);
    *in = (BackupInput){.arena = a, .options = options, .fd = -1, .started = clock_ms()};
    in->layers[RAW].next = raw_next;
    in->layers[CLEAR].next = clear_next;
    in->layers[OPEN].next = open_next;
    in->layers[SQL].next = sql_next;
    in->child.in = in->child.out = in->child.messages = -1;
    in->hash = hash_sha256_begin(a);
    in->piece = arena_alloc(a, PIECE);
    if (open_file(in, err) && detect(in, err)) {
        *ret = in;
        return true;
    }
    backup_input_close(in);
    return false;
}

bool
backup_input_next(BackupInput *in, Str *ret, Err *err)
{
    *ret = STR("");
    if (in->ended)
        return true;
    if (!next_of(in, SQL, ret, err))
        return false;
    in->ended = !ret->n;
    return true;
}

bool
backup_input_is_encrypted(const BackupInput *in)
{
    return in->age != NULL;
}

BackupFormat
backup_input_format(const BackupInput *in)
{
    return in->format;
}

int64_t
backup_input_size(const BackupInput *in)
{
    return in->size;
}

int64_t
backup_input_position(const BackupInput *in)
{
    return in->position;
}

const char *
backup_input_sha256(BackupInput *in)
{
    if (!in->sha256)
        in->sha256 = hash_sha256_end(in->arena, in->hash);
    return in->sha256;
}

void
backup_input_close(BackupInput *in)
{
    if (!in)
        return;
    child_end(&in->child);
    age_reader_free(in->age);
    ZSTD_freeDCtx(in->zstd);
    if (in->fd >= 0)
        close(in->fd);
    in->fd = -1;
}
