/* Scripts that are run beside a history: aramid.scripts says which text of each was run last. */
#include "base/hash.h"
#include "history/layout_int.h"
#include "history/scripts.h"
#include "sqltext/sqltext.h"

static const HistoryLayout history_scripts, history_supabase_seeds;

static const Script *
script_of(const Migration *m)
{
    return m->own;
}

static History
history_of(Arena *a, const HistoryLayout *l)
{
    History h = {
        .layout = l, .ledger = {.schema = l->ledger.schema, .table = l->ledger.table}, .dir = ""};
    findings_init(&h.findings, a, NULL);
    return h;
}

History
scripts_new(Arena *a)
{
    return history_of(a, &history_scripts);
}

History
scripts_new_supabase(Arena *a)
{
    return history_of(a, &history_supabase_seeds);
}

static Migration *
add(Arena *a, History *h, const Script *s, const char *name)
{
    Migration *m = vec_add(a, &h->files);
    Script *own = arena_new(a, Script);
    *own = *s;
    *m = (Migration){.name = name, .path = name, .own = own};
    return m;
}

void
scripts_add_text(Arena *a, History *h, const Script *s, const char *name, Str text)
{
    Migration *m = add(a, h, s, name);
    m->has_file = true;
    m->bytes = text.n;
    m->text = text;
    m->source = m->path;
    m->sha256 = m->checksum = hash_sha256_hex(a, text);
    history_compare(a, h);
}

bool
scripts_add_file(Arena *a, History *h, const Script *s, const char *path, const char *shown,
                 Err *err)
{
    ARENA_LOCAL(scratch);
    Str text;
    Migration *m = add(a, h, s, shown);
    m->source = path;
    if (!history_read_file(a, scratch, h, m, &text, err))
        return false;
    if (!m->has_file) {
        err_set(err, ERR_IO, "there is no file \"%s\"", shown);
        return err_at(err, shown, 0, 0);
    }
    m->checksum = m->sha256;
    history_compare(a, h);
    return true;
}

static void
scripts_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (kind text NOT NULL, name text NOT NULL, checksum text NOT NULL,"
                " run_id text NOT NULL, started_at timestamptz NOT NULL,"
                " finished_at timestamptz NOT NULL, applied_by text NOT NULL DEFAULT CURRENT_USER,"
                " tool_version text NOT NULL, PRIMARY KEY (kind, name));COMMENT ON TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " IS 'Aramid: scripts that were run beside the migrations, and with which text'");
}

static void
scripts_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT kind, name, checksum, run_id");
    layout_add_epoch(b, "started_at");
    layout_add_epoch(b, "finished_at");
    buf_addz(b, " FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY started_at, kind, name");
}

/* Only what tells of these files with this text: the rest is neither missing nor edited. */
static bool
scripts_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 6, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++)
        vec_each (const Migration, m, &h->files) {
            const Script *s = script_of(m);
            if (!str_is(db_cell(rows, i, 0), s->kind) || !str_is(db_cell(rows, i, 1), m->name) ||
                !str_is(db_cell(rows, i, 2), m->checksum) ||
                (s->again && !str_is(db_cell(rows, i, 3), s->run_id)))
                continue;
            *vec_add(a, &h->rows) = (LedgerRow){.id = m->name,
                                                .checksum = m->checksum,
                                                .name = m->name,
                                                .logs = "",
                                                .started_us = db_time_us(db_cell(rows, i, 4)),
                                                .finished_us = db_time_us(db_cell(rows, i, 5)),
                                                .steps = 1};
        }
    return true;
}

static bool
scripts_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

static void
scripts_add_where(Buf *b, const LedgerRow *row)
{
    const Script *s = script_of(row->migration);
    layout_add_where(b, "kind", s->kind);
    buf_addz(b, " AND ");
    layout_add_equal(b, "name", row->name);
    buf_addz(b, " AND ");
    layout_add_equal(b, "checksum", row->checksum);
    if (!s->again)
        return;
    buf_addz(b, " AND ");
    layout_add_equal(b, "run_id", s->run_id);
}

static void
scripts_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    const Script *s = script_of(row->migration);
    const char *values[] = {row->name, row->checksum, s->run_id};
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (kind, name, checksum, run_id, started_at, finished_at, tool_version) VALUES"
                " (pg_catalog.repeat(");
    sql_add_literal(b, str_of(s->kind));
    buf_addz(b, ", ");
    layout_add_one(b, &history_scripts, at, row);
    buf_addc(b, ')');
    for (size_t i = 0; i < COUNT(values); i++) {
        buf_addz(b, ", ");
        sql_add_literal(b, str_of(values[i]));
    }
    buf_addz(b, ", ");
    if (row->started_us)
        layout_add_time(b, row->started_us);
    else
        layout_add_now(b);
    buf_addz(b, ", ");
    layout_add_now(b);
    buf_addz(b, ", ");
    sql_add_literal(b, STR(ARAMID_VERSION));
    buf_addz(b, ") ON CONFLICT (kind, name) DO UPDATE SET checksum = EXCLUDED.checksum,"
                " run_id = EXCLUDED.run_id, started_at = EXCLUDED.started_at,"
                " finished_at = EXCLUDED.finished_at, applied_by = EXCLUDED.applied_by,"
                " tool_version = EXCLUDED.tool_version");
}

static const HistoryLayout history_scripts = {
    .name = "scripts",
    .ledger = {.tool = "Aramid",
               .schema = "aramid",
               .table = "scripts",
               .columns = "kind,name,checksum,run_id"},
    .is_beside = true,
    .checksum_matches = scripts_checksum_matches,
    .add_create = scripts_add_create,
    .add_select = scripts_add_select,
    .read_rows = scripts_read_rows,
    .add_applied = scripts_add_applied,
    .add_where = scripts_add_where,
};

/* ---- the Supabase CLI's table of seeds ------------------------------------------------------ */

/* As `supabase db push --include-seed` of 3.1.0 makes it. */
static void
seeds_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (path text NOT NULL PRIMARY KEY, hash text NOT NULL)");
}

static void
seeds_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT path, hash FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY path");
}

static bool
seeds_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 2, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++)
        vec_each (const Migration, m, &h->files)
            if (str_is(db_cell(rows, i, 0), m->name) && str_is(db_cell(rows, i, 1), m->checksum))
                *vec_add(a, &h->rows) =
                    layout_row(db_cell(rows, i, 0), db_cell(rows, i, 1), m->name);
    return true;
}

static void
seeds_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "path", row->name);
    buf_addz(b, " AND ");
    layout_add_equal(b, "hash", row->checksum);
}

static void
seeds_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (path, hash) VALUES (pg_catalog.repeat(");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", ");
    layout_add_one(b, &history_supabase_seeds, at, row);
    buf_addz(b, "), ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ") ON CONFLICT (path) DO UPDATE SET hash = EXCLUDED.hash");
}

static const HistoryLayout history_supabase_seeds = {
    .name = "supabase seeds",
    .ledger = {.tool = "Supabase",
               .schema = "supabase_migrations",
               .table = "seed_files",
               .columns = "path,hash"},
    .is_beside = true,
    .checksum_matches = scripts_checksum_matches,
    .add_create = seeds_add_create,
    .add_select = seeds_add_select,
    .read_rows = seeds_read_rows,
    .add_applied = seeds_add_applied,
    .add_where = seeds_add_where,
};
