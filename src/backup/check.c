#include "backup/check.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TELL_MS = 200, PIECE = 256 * 1024 };

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

/* Rows of one table may stand in several places (pg_dump --load-via-partition-root): in manifests of
 * old, too. */
void
backup_add_table(Arena *a, BackupTableVec *tables, Map *places, const BackupTable *t)
{
    uintptr_t place = (uintptr_t)map_get(places, str_of(t->name));
    if (!place) {
        BackupTable *fresh = vec_add(a, tables);
        *fresh = (BackupTable){.name = str_dupz(a, t->name), .columns = str_dupz(a, t->columns)};
        place = tables->n;
        map_put(places, str_of(fresh->name), (void *)place);
    }
    BackupTable *sum = &tables->v[place - 1];
    sum->rows += t->rows;
    sum->bytes += t->bytes;
    dump_sum_add(&sum->sum, t->sum);
}

bool
backup_same_file(const BackupFile *said, int64_t bytes, const char *sha256)
{
    return bytes == said->bytes && strcmp(sha256, said->sha256) == 0;
}

bool
backup_file_changed(const BackupFile *file, Err *err)
{
    return err_set(err, ERR_BACKUP_BROKEN,
                   "\"%s\" is damaged: it is not the file that was written (SHA-256 differs)",
                   file->name);
}

bool
backup_compare(const BackupManifest *m, const BackupContents *c, Err *err)
{
    ARENA_LOCAL(a);
    *err = (Err){0};
    if (!backup_same_file(&m->data, c->bytes, c->sha256))
        return backup_file_changed(&m->data, err);
    Map found, places;
    BackupTableVec said = {0};
    map_init(&found, a);
    map_init(&places, a);
    map_reserve(&found, c->tables.n);
    vec_each (BackupTable, t, &c->tables)
        map_put(&found, str_of(backup_name_text(a, t->name)), t);
    vec_each (const BackupTable, t, &m->tables) {
        BackupTable named = *t;
        named.name = backup_name_text(a, t->name);
        backup_add_table(a, &said, &places, &named);
    }
    vec_each (const BackupTable, t, &said) {
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
    if (c->tables.n != said.n)
        return err_set(err, ERR_BACKUP_BROKEN, "the backup holds %zu tables, its manifest says %zu",
                       c->tables.n, said.n);
    if (c->totals.large_objects != m->large_objects ||
        !dump_sum_eq(c->totals.large_sum, m->large_sum))
        return err_set(err, ERR_BACKUP_BROKEN,
                       "the large objects of the backup are not those of its manifest");
    return true;
}
