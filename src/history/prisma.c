/* Prisma's layout: folders with a migration.sql each, and the table _prisma_migrations
 * (after prisma-engines: schema-engine/connectors/schema-connector/src/checksum.rs,
 * migrations_directory.rs, sql-schema-connector/src/sql_migration_persistence.rs). */
#include "base/fs.h"
#include "base/hash.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 255 }; /* migration_name VARCHAR(255) */

/* ---- the folder --------------------------------------------------------------------------- */

static bool
prisma_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *folder = fs_join(a, dir, e->name);
        if (e->kind == FS_DIR && fs_exists(fs_join(a, folder, "migration.sql")))
            return !fs_exists(fs_join(a, folder, "snapshot.json")); /* Drizzle's */
    }
    return false;
}

/* provider = "postgresql" of migration_lock.toml; the file may be absent. */
static bool
check_lock_file(Arena *a, const char *dir, const char *shown, Err *err)
{
    const char *path = fs_join(a, dir, "migration_lock.toml");
    if (!fs_exists(path))
        return true;
    Str text;
    if (!fs_read(a, path, 1 << 20, &text, err))
        return false;
    int line_number = 0;
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        line_number++;
        if (!str_starts(line, STR("provider")))
            continue;
        Str value = line;
        str_cut(&value, '"');
        value = value.p ? str_cut(&value, '"') : STR("");
        if (str_is(value, "postgresql") || str_is(value, "postgres"))
            return true;
        err_set(err, ERR_PROVIDER, "these migrations are for \"%s\", not for PostgreSQL",
                str_printable(a, value, false));
        err_at(err, fs_join(a, shown, "migration_lock.toml"), line_number, 1);
        return err_hint(err,
                        "Aramid deploys to PostgreSQL only; start a new history after a change "
                        "of provider");
    }
    return true;
}

static int
by_name(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    return history_name_cmp(a->name, b->name);
}

static bool
is_ascii(const char *s)
{
    while (*s && (unsigned char)*s < 0x80)
        s++;
    return !*s;
}

static void
note_odd_names(History *h)
{
    FindingList *l = &h->findings;
    for (size_t i = 0; i < h->files.n; i++) {
        const Migration *m = &h->files.v[i];
        const char *before = i ? h->files.v[i - 1].name : NULL;
        Str stamp = layout_digits(m->name);
        if (stamp.n == 0) {
            finding_add(l, FINDING_HISTORY_NO_TIMESTAMP,
                        "does not begin with a timestamp: its place in the order is by name only")
                ->object = m->name;
        } else if (before && str_eq(stamp, layout_digits(before))) {
            bool is_clear = is_ascii(before) && is_ascii(m->name);
            Finding *f = finding_add(
                l, is_clear ? FINDING_HISTORY_SAME_TIMESTAMP : FINDING_HISTORY_ORDER,
                "has the same timestamp as \"%s\"; their names decide the order%s", before,
                is_clear ? "" : ", and Prisma may order letters outside ASCII otherwise");
            f->object = m->name;
            f->fix = is_clear ? NULL : "give one of them another timestamp before it is applied";
        }
        if (before && str_ieq(str_of(before), str_of(m->name)))
            finding_add(l, FINDING_HISTORY_CASE,
                        "differs from \"%s\" in upper and lower case only: on macOS and Windows "
                        "one of them is lost",
                        before)
                ->object = m->name;
    }
}

/* SQL that nobody will run; `folder` NULL: beside the migrations' folders. */
static void
note_stray(Arena *a, History *h, const char *folder, const FsEntryVec *list)
{
    vec_each (FsEntry, e, list) {
        Str name = str_of(e->name);
        if (e->kind != FS_FILE || !str_ends(name, STR(".sql")))
            continue;
        if (!folder)
            layout_note_stray(
                h, e->name,
                "it is not in a folder of its own as migration.sql, so it is never run");
        else if (!str_is(name, "migration.sql") && !str_is(name, "down.sql"))
            layout_note_stray(h, fs_join(a, folder, e->name),
                              "only migration.sql is run of a migration's folder");
    }
}

static bool
prisma_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    FsEntryVec list;
    if (!check_lock_file(a, dir, shown, err) || !fs_list(a, dir, &list, err))
        return false;
    note_stray(a, ret, NULL, &list);
    vec_each (FsEntry, e, &list) {
        if (e->kind != FS_DIR)
            continue;
        if (!layout_check_name(a, e->name, "folder", NAME_MAX_BYTES, shown, err))
            return false;
        Migration *m = vec_add(a, &ret->files);
        m->name = e->name;
        if (!layout_read(a, dir, fs_join(a, e->name, "migration.sql"), ret, m, err))
            return false;
    }
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_name);
    note_odd_names(ret);
    return true;
}

static void
prisma_look(Arena *a, const char *dir, History *h)
{
    FsEntryVec inside;
    Err ignored; /* told when the file is read */
    vec_each (const Migration, m, &h->files)
        if (fs_list(a, fs_join(a, dir, m->name), &inside, &ignored))
            note_stray(a, h, m->name, &inside);
}

/* ---- checksums ---------------------------------------------------------------------------- */

static Str
with_line_ends(Arena *a, Str text, const char *eol)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
            i++;
        if (text.p[i] == '\n')
            buf_addz(&b, eol);
        else
            buf_addc(&b, text.p[i]);
    }
    return buf_str(&b);
}

/* An old Prisma wrote each byte of the hash without its leading zero. */
static char *
unpadded(Arena *a, const char *hex)
{
    Buf b;
    buf_init(&b, a);
    for (; hex[0] && hex[1]; hex += 2) {
        if (hex[0] != '0')
            buf_addc(&b, hex[0]);
        buf_addc(&b, hex[1]);
    }
    return b.p;
}

static bool
hash_equals(Arena *a, const char *recorded, const char *hex)
{
    return strcmp(recorded, strlen(recorded) == 64 ? hex : unpadded(a, hex)) == 0;
}

static bool
prisma_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    ARENA_LOCAL(scratch);
    Str text;
    Err ignored; /* a file that changes meanwhile is another one than was applied */
    return hash_equals(a, recorded, m->checksum) ||
           (migration_text(scratch, m, &text, &ignored) &&
            (hash_equals(a, recorded, hash_sha256_hex(a, with_line_ends(scratch, text, "\n"))) ||
             hash_equals(a, recorded, hash_sha256_hex(a, with_line_ends(scratch, text, "\r\n")))));
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
prisma_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (\n"
                "    id                      VARCHAR(36) PRIMARY KEY NOT NULL,\n"
                "    checksum                VARCHAR(64) NOT NULL,\n"
                "    finished_at             TIMESTAMPTZ,\n"
                "    migration_name          VARCHAR(255) NOT NULL,\n"
                "    logs                    TEXT,\n"
                "    rolled_back_at          TIMESTAMPTZ,\n"
                "    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),\n"
                "    applied_steps_count     INTEGER NOT NULL DEFAULT 0\n"
                ")");
}

static void
prisma_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT id, checksum, migration_name, logs");
    layout_add_epoch(b, "started_at");
    layout_add_epoch(b, "finished_at");
    layout_add_epoch(b, "rolled_back_at");
    buf_addz(b, ", applied_steps_count FROM ");
    layout_add_table(b, at);
}

static int64_t
number(Str s)
{
    long long v = 0;
    str_to_int(s, INT64_MIN, INT64_MAX, &v);
    return v;
}

static int
by_start(const void *x, const void *y)
{
    const LedgerRow *a = x, *b = y;
    return a->started_us != b->started_us
               ? (a->started_us > b->started_us) - (a->started_us < b->started_us)
               : strcmp(a->name, b->name);
}

static bool
prisma_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    LedgerRowVec *ret = &h->rows;
    if (!layout_check_columns(rows, 8, err))
        return false;
    ret->n = 0;
    for (int i = 0; i < rows->rows; i++) {
        Str logs = db_cell(rows, i, 3);
        *vec_add(a, ret) = (LedgerRow){
            .id = db_cell(rows, i, 0).p,
            .checksum = db_cell(rows, i, 1).p,
            .name = db_cell(rows, i, 2).p,
            .logs = logs.p ? logs.p : "",
            .started_us = db_time_us(db_cell(rows, i, 4)),
            .finished_us = db_time_us(db_cell(rows, i, 5)),
            .rolled_back_us = db_time_us(db_cell(rows, i, 6)),
            .steps = (int)number(db_cell(rows, i, 7)),
        };
    }
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, by_start);
    return true;
}

static void
add_where_live_name(Buf *b, const char *name)
{
    buf_addz(b, " WHERE migration_name OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(name));
    buf_addz(b, " AND rolled_back_at IS NULL");
}

static void
prisma_add_is_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "SELECT EXISTS (SELECT 1 FROM ");
    layout_add_table(b, at);
    add_where_live_name(b, row->name);
    buf_addz(b, " AND finished_at IS NOT NULL)");
}

static void
prisma_add_is_kept(Buf *b, const LedgerName *at, const LedgerRow *row, bool finished)
{
    buf_addz(b, "SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND"
                " pg_catalog.bool_and(id OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(row->id));
    buf_addz(b, " AND checksum OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, " AND finished_at IS %sNULL) FROM ", finished ? "NOT " : "");
    layout_add_table(b, at);
    add_where_live_name(b, row->name);
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool finished)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (id, checksum, finished_at, migration_name, started_at, applied_steps_count) "
                "VALUES (");
    sql_add_literal(b, str_of(row->id));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ", ");
    if (finished) {
        buf_addz(b, "GREATEST(");
        layout_add_now(b);
        buf_addz(b, ", ");
        layout_add_time(b, row->started_us);
        buf_addz(b, ")");
    } else
        buf_addz(b, "NULL");
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", ");
    layout_add_time(b, row->started_us);
    buf_fmt(b, ", %d OPERATOR(pg_catalog.*) ", finished);
    layout_add_one(b, &history_prisma, at, row);
    buf_addc(b, ')');
}

static void
prisma_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, true);
}

static void
prisma_add_begun(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, false);
}

static void
add_where_id(Buf *b, const char *id)
{
    buf_addz(b, " WHERE id OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(id));
}

static void
prisma_add_finished(Buf *b, const LedgerName *at, const char *id, const char *checksum)
{
    buf_addz(b, "UPDATE ");
    layout_add_table(b, at);
    buf_addz(b, " SET applied_steps_count = 1, logs = NULL, finished_at = GREATEST(");
    layout_add_now(b);
    buf_addz(b, ", started_at), checksum = ");
    sql_add_literal(b, str_of(checksum));
    add_where_id(b, id);
}

static void
prisma_add_logs(Buf *b, const LedgerName *at, const char *id, Str logs)
{
    buf_addz(b, "UPDATE ");
    layout_add_table(b, at);
    buf_addz(b, " SET logs = ");
    sql_add_literal(b, logs);
    add_where_id(b, id);
}

static void
prisma_add_forgotten(Buf *b, const LedgerName *at, const char *id)
{
    buf_addz(b, "DELETE FROM ");
    layout_add_table(b, at);
    add_where_id(b, id);
    buf_addz(b, " AND finished_at IS NULL");
}

static void
prisma_add_rolled_back(Buf *b, const LedgerName *at, const char *name)
{
    buf_addz(b, "UPDATE ");
    layout_add_table(b, at);
    buf_addz(b, " SET rolled_back_at = ");
    layout_add_now(b);
    add_where_live_name(b, name);
    buf_addz(b, " AND finished_at IS NULL");
}

static void
prisma_add_corrected(Buf *b, const LedgerName *at, const char *id, const LedgerRow *row)
{
    layout_add_update(b, at);
    buf_addz(b, "checksum = ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ", migration_name = ");
    sql_add_literal(b, str_of(row->name));
    layout_add_where(b, "id", id);
}

static void
prisma_add_reopened(Buf *b, const LedgerName *at, const char *id)
{
    buf_addz(b, "UPDATE ");
    layout_add_table(b, at);
    buf_addz(b, " SET finished_at = NULL, logs = 'Aramid is rolling this migration back; the next "
                "aramid deploy or aramid rollback goes on'");
    add_where_id(b, id);
}

/* As `prisma migrate resolve --applied` leaves it: both times equal, logs '', no step counted. */
static void
prisma_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (id, checksum, finished_at, migration_name, logs, started_at, "
                "applied_steps_count) VALUES (");
    sql_add_literal(b, str_of(row->id));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ", ");
    layout_add_time(b, row->started_us);
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", '', ");
    layout_add_time(b, row->started_us);
    buf_addz(b, ", 0)");
}

static HistoryNew
prisma_new(Arena *a, const History *h, const char *stamp, const char *slug)
{
    (void)h;
    const char *name = str_fmt(a, "%s_%s", stamp, slug);
    return (HistoryNew){fs_join(a, name, "migration.sql"), name, fs_join(a, name, "down.sql")};
}

/* Its place is that of the last one. */
static HistoryNew
prisma_squashed(Arena *a, const Migration *last)
{
    Str digits = layout_digits(last->name);
    if (!digits.n)
        return (HistoryNew){0};
    const char *name = str_fmt(a, "%.*s_squashed", (int)digits.n, digits.p);
    return (HistoryNew){fs_join(a, name, "migration.sql"), name, NULL};
}

static void
prisma_add_where(Buf *b, const LedgerRow *row)
{
    add_where_live_name(b, row->name);
}

const HistoryLayout history_prisma = {
    .name = "prisma",
    .ledger = {.tool = "Prisma",
               .table = "_prisma_migrations",
               .columns = "checksum,finished_at,migration_name,rolled_back_at,applied_steps_count",
               .is_prismas = true,
               .failed = "finished_at IS NULL AND rolled_back_at IS NULL",
               .fix = "aramid status tells what happened; then aramid deploy, or aramid resolve"},
    .lock_key = 72707369,
    .lock_off = "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK",
    .recognise = prisma_recognise,
    .list = prisma_list,
    .look = prisma_look,
    .new_one = prisma_new,
    .squashed = prisma_squashed,
    .lock_file = "migration_lock.toml",
    .lock_file_text = "# Please do not edit this file manually\n"
                      "# It should be added in your version-control system (e.g., Git)\n"
                      "provider = \"postgresql\"\n",
    .checksum_matches = prisma_checksum_matches,
    .add_create = prisma_add_create,
    .add_select = prisma_add_select,
    .read_rows = prisma_read_rows,
    .add_applied = prisma_add_applied,
    .add_resolved = prisma_add_resolved,
    .add_is_applied = prisma_add_is_applied,
    .add_is_kept = prisma_add_is_kept,
    .add_corrected = prisma_add_corrected,
    .add_removed = layout_add_removed,
    .add_where = prisma_add_where,
    .add_begun = prisma_add_begun,
    .add_finished = prisma_add_finished,
    .add_logs = prisma_add_logs,
    .add_forgotten = prisma_add_forgotten,
    .add_rolled_back = prisma_add_rolled_back,
    .add_reopened = prisma_add_reopened,
};
