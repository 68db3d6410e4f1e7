/* node-pg-migrate's layout: programs and .sql files in one folder, and a table of names. Its SQL is run,
 * its programs are not. Seen in runs of node-pg-migrate 9.0.0, whose rules for names and marks are these. */
#include "base/fs.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 255 }; /* name varchar(255) */

/* ---- the folder --------------------------------------------------------------------------- */

/* ^\s*--[\s-]*WORD\s+migration, in any case */
static bool
is_mark(Str line, const char *word)
{
    Str rest = str_trim(line);
    if (!str_starts(rest, STR("--")))
        return false;
    while (rest.n && strchr(" \t\f\v-", rest.p[0]))
        rest = str_slice(rest, 1, rest.n);
    Str first = {rest.p, strcspn(rest.p, " \t\f\v\r\n")};
    if (first.n >= rest.n || !str_ieq(first, str_of(word)))
        return false;
    rest = str_trim(str_slice(rest, first.n, rest.n));
    return rest.n >= 9 && str_ieq((Str){rest.p, 9}, STR("migration"));
}

/* Where the first line with the mark begins; `none` when there is none. */
static size_t
mark_at(Str text, const char *word, size_t none)
{
    Str rest = str_slice(text, str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0, text.n);
    while (rest.p) {
        size_t at = (size_t)(rest.p - text.p);
        if (is_mark(str_cut(&rest, '\n'), word))
            return at;
    }
    return none;
}

static bool
is_program(const char *name)
{
    static const char *const ends[] = {".js", ".ts", ".cjs", ".mjs", ".cts", ".mts"};
    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(str_of(name), str_of(ends[i])))
            return true;
    return false;
}

static bool
is_sql(const char *name)
{
    return str_ends(str_of(name), STR(".sql"));
}

static bool
node_pg_migrate_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Str text;
    Err ignored;
    /* "-- Up migration" is also what people write above their SQL, for Supabase's CLI. */
    bool only_programs = history_supabase.recognise(a, dir);
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list) {
        bool program = is_program(e->name);
        if (only_programs && !program)
            continue;
        if (e->kind != FS_FILE || !layout_digits(e->name).n || (!program && !is_sql(e->name)) ||
            !fs_read(a, fs_join(a, dir, e->name), 0, &text, &ignored))
            continue;
        if (program ? str_contains(text, STR("pgm")) : mark_at(text, "up", text.n) != text.n)
            return true;
    }
    return false;
}

/* Migration.cut: the part for the way there; of other lines only their ends stay. */
static bool
cut_up(const Migration *m, char *text, size_t *n, Err *err)
{
    (void)m;
    (void)err;
    size_t up = mark_at((Str){text, *n}, "up", *n), down = mark_at((Str){text, *n}, "down", *n);
    if (up == *n)
        return true;
    for (size_t i = 0; i < up; i++)
        text[i] = text[i] == '\n' ? '\n' : ' ';
    if (down > up)
        *n = down;
    return true;
}

static bool
node_pg_migrate_cut_up(const Migration *m, Str text, Str *ret, int *ret_line, Err *err)
{
    (void)m;
    (void)err;
    int column;
    size_t down = mark_at(text, "down", text.n);
    *ret = str_slice(text, down, text.n);
    str_line_col(text, down, ret_line, &column);
    return true;
}

/* The number in front: 17 digits are a time, in milliseconds. */
static int64_t
number_of(const char *name)
{
    Str digits = layout_digits(name);
    long long v = INT64_MAX, ms = 0;
    if (digits.n == 17 && str_to_int(str_slice(digits, 14, 17), 0, 999, &ms))
        return layout_stamp_us(str_slice(digits, 0, 14)) / 1000 + ms;
    str_to_int(digits, 0, INT64_MAX, &v);
    return v;
}

static int
by_number(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    int64_t x = number_of(a->name), y = number_of(b->name);
    return x != y ? (x > y) - (x < y) : history_name_cmp(a->name, b->name);
}

static const char *
why_unfit(Str text, const char *file)
{
    if (is_program(file))
        return "it is a program, which needs Node.js";
    if (str_ends(str_of(file), STR(".down.sql")))
        return "node-pg-migrate takes a .down.sql for a migration of its own, which is the way "
               "back";
    if (mark_at(text, "down", text.n) != text.n && mark_at(text, "up", text.n) == text.n)
        return "it has \"-- Down Migration\" but no \"-- Up Migration\": node-pg-migrate runs the "
               "way "
               "back together with the way there";
    return NULL;
}

static bool
node_pg_migrate_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        if (e->kind != FS_FILE || e->name[0] == '.' || (!is_sql(e->name) && !is_program(e->name)))
            continue;
        if (!layout_digits(e->name).n) {
            layout_note_stray(ret, e->name,
                              "its name does not begin with a number: Aramid passes over it, and "
                              "node-pg-migrate stops at it");
            continue;
        }
        Str stem = {e->name, (size_t)(strrchr(e->name, '.') - e->name)};
        Migration m = {.name = str_dup(a, stem), .cut = is_sql(e->name) ? cut_up : NULL};
        m.key = m.name;
        if (!layout_check_name(a, m.name, "file", NAME_MAX_BYTES, shown, err))
            return false;
        ARENA_LOCAL(scratch);
        Str text = {0};
        Err ignored;
        layout_place(a, dir, shown, e->name, &m);
        if (is_sql(e->name) && !fs_read(scratch, m.source, MIGRATION_MAX, &text, &ignored))
            text = STR(""); /* told below */
        m.unfit = why_unfit(text.p ? text : STR(""), e->name);
        m.unfit_fix = "npx node-pg-migrate up";
        if (!history_read_file(a, scratch, ret, &m, &text, err))
            return false;
        *vec_add(a, &ret->files) = m;
    }
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_number);
    return layout_check_versions(a, ret, err);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
node_pg_migrate_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)");
}

static void
node_pg_migrate_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT id, name");
    layout_add_epoch(b, "run_on::pg_catalog.timestamptz");
    buf_addz(b, " FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY run_on, id");
}

static bool
node_pg_migrate_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 3, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        LedgerRow row = layout_row(db_cell(rows, i, 0), STR(""), db_cell(rows, i, 1).p);
        row.started_us = row.finished_us = db_time_us(db_cell(rows, i, 2));
        *vec_add(a, &h->rows) = row;
    }
    return true;
}

static void
node_pg_migrate_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (name, run_on) VALUES (");
    sql_add_literal(b, str_of(row->migration->name));
    buf_addz(b, ", pg_catalog.now())");
}

static void
node_pg_migrate_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (name, run_on) VALUES (pg_catalog.repeat(");
    sql_add_literal(b, str_of(row->migration->name));
    buf_addz(b, ", ");
    layout_add_one(b, &history_node_pg_migrate, at, row);
    buf_addz(b, "), pg_catalog.now())");
}

static void
node_pg_migrate_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "name", row->migration->name);
}

const HistoryLayout history_node_pg_migrate = {
    .name = "node-pg-migrate",
    .ledger = {.tool = "node-pg-migrate",
               .may_move = true,
               .table = "pgmigrations",
               .columns = "id,name,run_on"},
    .lock_key = 7241865325823964,
    .late = "older than what is applied already, to be applied now; node-pg-migrate itself then "
            "stops at "
            "every run without --no-check-order",
    .new_command = "npx node-pg-migrate create NAME -j sql",
    .recognise = node_pg_migrate_recognise,
    .list = node_pg_migrate_list,
    .cut_up = node_pg_migrate_cut_up,
    .checksum_matches = layout_checksum_unknown,
    .add_create = node_pg_migrate_add_create,
    .add_select = node_pg_migrate_add_select,
    .read_rows = node_pg_migrate_read_rows,
    .add_applied = node_pg_migrate_add_applied,
    .add_resolved = node_pg_migrate_add_resolved,
    .add_removed = layout_add_removed,
    .add_where = node_pg_migrate_add_where,
};
