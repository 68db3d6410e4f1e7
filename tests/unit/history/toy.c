/* A layout for the tests, and the example of CONTRIBUTING.md. Its files are named by a journal, one
 * line each, "<milliseconds> <name>"; its ledger lies in a schema of its own (a line "ledger <schema>
 * <table>" gives it other names), knows no names, only what a file hashes to and the milliseconds,
 * and has no row before a migration is at its end. The tool takes no lock. */
#include "base/fs.h"
#include "base/hash.h"
#include "history/history.h"
#include "sqltext/sqltext.h"
#include "toy.h"

static bool
toy_recognise(Arena *a, const char *dir)
{
    return fs_exists(fs_join(a, dir, "toy.journal"));
}

static bool
toy_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    Str journal;
    if (!fs_read(a, fs_join(a, dir, "toy.journal"), 1 << 20, &journal, err))
        return false;
    for (Str rest = journal; rest.p;) {
        Str name = str_trim(str_cut(&rest, '\n')), when = str_cut(&name, ' ');
        if (!name.n)
            continue;
        if (str_is(when, "ledger")) {
            ret->ledger.schema = str_dup(a, str_cut(&name, ' '));
            ret->ledger.table = str_dup(a, name);
            continue;
        }
        Migration *m = vec_add(a, &ret->files);
        m->name = str_dup(a, name);
        m->key = str_dup(a, when);
        m->path = fs_join(a, shown, str_fmt(a, "%s.sql", m->name));
        m->source = fs_join(a, dir, str_fmt(a, "%s.sql", m->name));
        Str text;
        if (!history_read_file(a, a, ret, m, &text, err))
            return false;
        m->checksum = hash_sha256_hex(a, text.p ? text : STR(""));
    }
    return true;
}

static bool
toy_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

static void
add_table(Buf *b, const LedgerName *at)
{
    sql_add_name(b, at->schema, at->table);
}

static void
toy_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    add_table(b, at);
    buf_addz(b, " (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint NOT NULL)");
}

static void
toy_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT id, hash, created_at FROM ");
    add_table(b, at);
    buf_addz(b, " ORDER BY id");
}

static const char *
name_of(Arena *a, const History *h, const char *hash, const char *when)
{
    vec_each (const Migration, m, &h->files)
        if (strcmp(m->key, when) == 0)
            return m->name;
    return str_fmt(a, "%.12s of %s", hash, when);
}

static bool
toy_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (rows->cols != 3)
        return err_set(err, ERR_INTERNAL, "the ledger query gave %d columns", rows->cols);
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        const char *hash = db_cell(rows, i, 1).p, *when = db_cell(rows, i, 2).p;
        long long ms = 0;
        str_to_int(str_of(when), 0, INT64_MAX / 1000, &ms);
        *vec_add(a, &h->rows) = (LedgerRow){.id = db_cell(rows, i, 0).p,
                                            .checksum = hash,
                                            .name = name_of(a, h, hash, when),
                                            .logs = "",
                                            .started_us = ms * 1000,
                                            .finished_us = ms * 1000,
                                            .steps = 1};
    }
    return true;
}

static void
toy_add_is_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "SELECT EXISTS (SELECT 1 FROM ");
    add_table(b, at);
    buf_fmt(b, " WHERE created_at OPERATOR(pg_catalog.=) %s)", row->migration->key);
}

static void
toy_add_is_kept(Buf *b, const LedgerName *at, const LedgerRow *row, bool finished)
{
    (void)finished;
    buf_addz(b, "SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 FROM ");
    add_table(b, at);
    buf_fmt(b, " WHERE created_at OPERATOR(pg_catalog.=) %s AND hash OPERATOR(pg_catalog.=) ",
            row->migration->key);
    sql_add_literal(b, str_of(row->checksum));
}

static void
toy_add_where(Buf *b, const LedgerRow *row)
{
    buf_fmt(b, " WHERE created_at OPERATOR(pg_catalog.=) %s", row->migration->key);
}

static void
toy_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    add_table(b, at);
    buf_addz(b, " (hash, created_at) VALUES (");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, ", %s)", row->migration->key);
}

static void
toy_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    add_table(b, at);
    buf_addz(b, " (hash, created_at) VALUES (");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, ", %s OPERATOR(pg_catalog./) CASE WHEN (", row->migration->key);
    toy_add_is_applied(b, at, row);
    buf_addz(b, ") THEN 0 ELSE 1 END)");
}

const HistoryLayout history_toy = {
    .name = "toy",
    .ledger = {.tool = "Toy",
               .schema = "toy",
               .may_move = true,
               .table = "toy_migrations",
               .columns = "id,hash,created_at"},
    .recognise = toy_recognise,
    .list = toy_list,
    .checksum_matches = toy_checksum_matches,
    .add_create = toy_add_create,
    .add_select = toy_add_select,
    .read_rows = toy_read_rows,
    .add_applied = toy_add_applied,
    .add_resolved = toy_add_resolved,
    .add_is_applied = toy_add_is_applied,
    .add_is_kept = toy_add_is_kept,
    .add_where = toy_add_where,
};
