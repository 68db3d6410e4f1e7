#include "backup/check.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TELL_MS = 200, PIECE = 256 * 1024 };

typedef struct Counter {
    Arena *arena;
    BackupTableVec *tables;
} Counter;

static bool
count_table(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    Counter *c = arg;
    if (e->kind == DUMP_COPY_END)
        *vec_add(c->arena, c->tables) = (BackupTable){.name = str_dup(c->arena, e->table),
                                                      .columns = str_dup(c->arena, e->columns),
                                                      .rows = e->rows,
                                                      .bytes = e->bytes,
                                                      .sum = e->sum};
    return true;
}

static bool
broken(const char *path, const char *why, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_BACKUP_BROKEN, "the backup \"%s\" %s",
            str_printable(a, str_of(fs_basename(path)), false), why);
    return err_at(err, path, 0, 0);
}

bool
backup_read_back(Arena *a, const BackupInputOptions *options, BackupTell tell, void *tell_arg,
                 BackupContents *ret, Err *err)
{
    *ret = (BackupContents){0};
    int64_t started = clock_ms(), told = started;
    Counter counter = {a, &ret->tables};
    DumpReader *reader = dump_reader_make(a, count_table, &counter);
    BACKUP_INPUT_LOCAL in = NULL;
    if (!backup_input_open(a, options, &in, err))
        return false;
    for (Str piece;;) {
        if (!backup_input_next(in, &piece, err))
            return false;
        if (!piece.n)
            break;
        if (!dump_read(reader, piece, err))
            return false;
        int64_t now = clock_ms();
        if (!tell || now - told < TELL_MS)
            continue;
        told = now;
        tell(tell_arg, &(BackupProgress){.reads_back = true,
                                         .bytes = backup_input_position(in),
                                         .all_bytes = backup_input_size(in),
                                         .tables = dump_read_totals(reader)->tables});
    }
    if (!dump_read_end(reader, &ret->totals, err))
        return false;
    ret->bytes = backup_input_position(in);
    ret->sha256 = backup_input_sha256(in);
    ret->ms = clock_ms() - started;
    return ret->totals.whole || broken(options->path, "is not whole: its end is missing", err);
}

bool
backup_read_bytes(Arena *a, const BackupInputOptions *o, BackupFile *ret, Err *err)
{
    *ret = (BackupFile){.name = fs_basename(o->path)};
    FD_LOCAL fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    HashState *h = hash_sha256_begin(a);
    char *piece = arena_alloc(a, PIECE);
    int64_t started = clock_ms(), ticked = started;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) {
        int64_t now = clock_ms();
        if (o->tick && now - ticked >= TELL_MS) {
            ticked = now;
            if (!o->tick(o->tick_arg, now - started))
                return err_set(err, ERR_INTERRUPTED, "interrupted while a backup was read");
        }
        do
            n = read(fd, piece, PIECE);
        while (n < 0 && errno == EINTR);
        if (n > 0) {
            hash_sha256_add(h, (Str){piece, (size_t)n});
            ret->bytes += n;
        }
    }
    if (n < 0) {
        err_set(err, ERR_IO, "cannot read \"%s\": %s", o->path, strerror(errno));
        return err_at(err, o->path, 0, 0);
    }
    ret->sha256 = hash_sha256_end(a, h);
    return true;
}

/* ---- against the manifest ------------------------------------------------------------------- */

static void
differs(Arena *a, const char *table, const char *what, Err *err)
{
    if (!err->code)
        err_set(err, ERR_BACKUP_BROKEN, "the backup does not hold what its manifest says");
    err_detail(err, "table %s: %s", str_printable(a, str_of(table), false), what);
}

bool
backup_compare(const BackupManifest *m, const BackupContents *c, Err *err)
{
    ARENA_LOCAL(a);
    *err = (Err){0};
    Map found;
    map_init(&found, a);
    map_reserve(&found, c->tables.n);
    vec_each (BackupTable, t, &c->tables)
        map_put(&found, str_of(t->name), t);
    vec_each (const BackupTable, t, &m->tables) {
        const BackupTable *f = map_get(&found, str_of(t->name));
        if (!f)
            differs(a, t->name, "it is missing", err);
        else if (f->rows != t->rows)
            differs(a, t->name,
                    str_fmt(a, "%lld rows instead of %lld", (long long)f->rows, (long long)t->rows),
                    err);
        else if (!dump_sum_eq(f->sum, t->sum))
            differs(a, t->name, "its rows are others", err);
    }
    if (err->code)
        return false;
    if (c->tables.n != m->tables.n)
        return err_set(err, ERR_BACKUP_BROKEN, "the backup holds %zu tables, its manifest says %zu",
                       c->tables.n, m->tables.n);
    if (c->totals.large_objects != m->large_objects ||
        !dump_sum_eq(c->totals.large_sum, m->large_sum))
        return err_set(err, ERR_BACKUP_BROKEN,
                       "the large objects of the backup are not those of its manifest");
    return true;
}
