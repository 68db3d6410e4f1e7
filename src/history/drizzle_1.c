/* Drizzle's layout since 1.0: folders with migration.sql and snapshot.json, and a table that knows them
 * by name; that of older versions is brought to the same form. Seen in runs of drizzle-kit
 * 1.0.0-rc.5. */
#include "base/fs.h"
#include "history/drizzle_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* ---- the folder --------------------------------------------------------------------------- */

static bool
is_migration(Arena *a, const char *dir, const FsEntry *e, const char *with)
{
    return e->kind == FS_DIR && fs_exists(fs_join(a, dir, fs_join(a, e->name, with)));
}

static bool
drizzle_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Err ignored;
    if (fs_exists(fs_join(a, dir, "meta/_journal.json")) || !fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list)
        if (is_migration(a, dir, e, "migration.sql"))
            return is_migration(a, dir, e, "snapshot.json");
    return false;
}

static int
by_name(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    return history_name_cmp(a->name, b->name);
}

static bool
drizzle_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        if (e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql")))
            layout_note_stray(ret, e->name,
                              "it is not in a folder of its own as migration.sql, so it is never "
                              "run");
        if (!is_migration(a, dir, e, "migration.sql"))
            continue;
        if (!layout_check_name(a, e->name, "folder", 0, shown, err))
            return false;
        /* Drizzle sends NaN as the time, which the server refuses. */
        Str stamp = {e->name, 14};
        if (layout_digits(e->name).n < 14 || !layout_stamp_us(stamp)) {
            err_set(err, ERR_MIGRATION_FILE,
                    "the migration folder \"%s\" does not begin with a timestamp", e->name);
            err_at(err, shown, 0, 0);
            return err_hint(err, "14 digits, as in 20261130174500_name; drizzle-kit cannot apply "
                                 "it, either");
        }
        Migration *m = vec_add(a, &ret->files);
        m->name = e->name;
        m->key = str_fmt(a, "%lld", (long long)(layout_stamp_us(stamp) / 1000));
        m->cut = drizzle_cut;
        if (!layout_read(a, dir, fs_join(a, e->name, "migration.sql"), ret, m, err))
            return false;
    }
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_name);
    return true;
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
drizzle_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint, name text,"
                " applied_at timestamp with time zone DEFAULT now())");
}

/* One row at least, which tells whether the table has the columns of 1.0. */
static void
drizzle_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT t.id, t.hash, t.created_at, pg_catalog.to_jsonb(t)"
                " OPERATOR(pg_catalog.->>) 'name', pg_catalog.encode(pg_catalog.timestamptz_send("
                "(pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'applied_at')"
                "::pg_catalog.timestamptz), 'hex'), c.n");
    layout_add_from(b, at, "name,applied_at");
    buf_addz(b, " ORDER BY t.id");
}

/* Where a row has no name: the one migration of its second, the one of its hash where there are
 * several or none. */
static const Migration *
find_old(const History *h, Str hash, Str when)
{
    long long ms = 0;
    const Migration *of_time = NULL, *of_hash = NULL;
    int same_time = 0;
    bool has_time = when.p && str_to_int(when, INT64_MIN, INT64_MAX, &ms);
    vec_each (const Migration, m, &h->files) {
        long long own = strtoll(m->key, NULL, 10);
        bool fits = has_time && own == ms - ms % 1000;
        same_time += fits;
        of_time = fits ? m : of_time;
        of_hash = str_is(hash, m->checksum) && (fits || !of_hash) ? m : of_hash;
    }
    return same_time == 1 ? of_time : of_hash;
}

static bool
drizzle_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 6, err))
        return false;
    h->rows.n = 0;
    h->is_outdated = rows->rows && !str_is(db_cell(rows, 0, 5), "2");
    for (int i = 0; i < rows->rows; i++) {
        Str id = db_cell(rows, i, 0), hash = db_cell(rows, i, 1), name = db_cell(rows, i, 3);
        if (!id.p)
            continue; /* an empty ledger */
        const Migration *m = name.p ? NULL : find_old(h, hash, db_cell(rows, i, 2));
        LedgerRow *row = vec_add(a, &h->rows);
        *row = layout_row(id, hash,
                          name.p ? name.p
                          : m    ? m->name
                                 : drizzle_unknown(a, hash, db_cell(rows, i, 2)));
        row->migration = m;
        if (!name.p && str_is(db_cell(rows, i, 5), "2"))
            row->lacks = "its name, as drizzle-kit 0.x wrote it: 1.0 runs the migration again";
        h->is_outdated = h->is_outdated || m;
        Str applied = db_cell(rows, i, 4);
        if (applied.p)
            row->started_us = row->finished_us = db_time_us(applied);
    }
    return true;
}

/* What drizzle-kit 1.0 does with an older table. Rows that 0.x added to a newer one have no name,
 * either: drizzle-kit would run their migrations again. */
static void
drizzle_add_upgrade(Buf *b, const LedgerName *at, const History *h)
{
    buf_addz(b, "ALTER TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " ADD COLUMN IF NOT EXISTS \"name\" text, ADD COLUMN IF NOT EXISTS \"applied_at\""
                " timestamp with time zone DEFAULT now();");
    vec_each (const LedgerRow, r, &h->rows) {
        if (!r->migration)
            continue;
        buf_addz(b, "UPDATE ");
        layout_add_table(b, at);
        buf_addz(b, " SET name = ");
        sql_add_literal(b, str_of(r->name));
        buf_fmt(b, ", applied_at = NULL WHERE id OPERATOR(pg_catalog.=) %s AND name IS NULL;",
                r->id);
    }
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool once)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (hash, created_at, name) VALUES (");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, ", %s::pg_catalog.int8", row->migration->key);
    if (once) {
        buf_addz(b, " OPERATOR(pg_catalog.*) ");
        layout_add_one(b, &history_drizzle_1, at, row);
    }
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->name));
    buf_addc(b, ')');
}

static void
drizzle_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, true);
}

static void
drizzle_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, false);
}

static void
drizzle_add_corrected(Buf *b, const LedgerName *at, const char *id, const LedgerRow *row)
{
    layout_add_update(b, at);
    buf_addz(b, "hash = ");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, ", created_at = COALESCE(created_at, %s::pg_catalog.int8), name = ",
            row->migration->key);
    sql_add_literal(b, str_of(row->name));
    layout_add_where(b, "id", id);
}

static void
drizzle_add_once(Buf *b, const LedgerName *at, const History *h)
{
    layout_add_once(b, at, "name");
    bool first = true;
    vec_each (const Entry, e, &h->entries) {
        if (!e->file || e->state == ENTRY_APPLIED)
            continue;
        buf_addz(b, first ? "" : ",");
        sql_add_literal(b, str_of(e->name));
        first = false;
    }
    buf_addz(b, "]::pg_catalog.text[])");
}

static void
drizzle_add_written(Buf *b, const LedgerRow *row)
{
    layout_add_equal(b, "hash", row->checksum);
}

static void
drizzle_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "name", row->name);
}

const HistoryLayout history_drizzle_1 = {
    .name = "drizzle-1",
    .ledger = {.tool = "Drizzle",
               .schema = "drizzle",
               .may_move = true,
               .table = "__drizzle_migrations",
               .columns = "id,hash,created_at,name,applied_at"},
    .recognise = drizzle_recognise,
    .list = drizzle_list,
    .checksum_matches = drizzle_checksum_matches,
    .add_create = drizzle_add_create,
    .add_select = drizzle_add_select,
    .read_rows = drizzle_read_rows,
    .add_upgrade = drizzle_add_upgrade,
    .add_applied = drizzle_add_applied,
    .add_resolved = drizzle_add_resolved,
    .add_written = drizzle_add_written,
    .add_once = drizzle_add_once,
    .add_corrected = drizzle_add_corrected,
    .add_removed = layout_add_removed,
    .add_where = drizzle_add_where,
};

bool
history_is_drizzle(const HistoryLayout *l)
{
    return l == &history_drizzle || l == &history_drizzle_1;
}
