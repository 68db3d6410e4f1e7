/* The Supabase CLI's layout: <version>_<name>.sql in supabase/migrations, and a table that keeps the
 * statements of each. Seen in runs of supabase 3.1.0, whose rules for names are these. */
#include "base/fs.h"
#include "base/hash.h"
#include "history/layout_int.h"
#include "sqltext/lex.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* ---- the folder --------------------------------------------------------------------------- */

static bool
supabase_recognise(Arena *a, const char *dir)
{
    const char *parent = fs_dirname(a, dir);
    FsEntryVec list;
    Err ignored;
    if (strcmp(fs_basename(parent), "supabase") != 0 || !fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list)
        if (e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql")))
            return true;
    return !list.n || fs_exists(fs_join(a, parent, "config.toml"));
}

/* Why the CLI passes over a file; NULL: it is a migration. */
static const char *
why_not(const char *name)
{
    Str digits = layout_digits(name);
    if (!digits.n || name[digits.n] != '_' || !str_ends(str_of(name), STR(".sql")))
        return "its name is not <timestamp>_name.sql, so Supabase's CLI passes over it, and so "
               "does Aramid";
    if (digits.n == 14 && strcmp(name + 14, "_init.sql") == 0 &&
        str_cmp(digits, STR("20211209000000")) < 0)
        return "Supabase's CLI takes an _init.sql before 2021-12-09 for a dump of its own and "
               "passes over it, and so does Aramid; give it another name to apply it";
    return NULL;
}

/* The text without what separates statements: it is the same however they were cut. */
static char *
fingerprint(Arena *a, Arena *scratch, Str text)
{
    Buf b;
    buf_init(&b, scratch);
    size_t from = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    for (size_t i = from; i < text.n; i++)
        if (!strchr(" \t\n\r\f\v;", text.p[i]) || !text.p[i])
            buf_addc(&b, text.p[i]);
    return hash_sha256_hex(a, buf_str(&b));
}

static int
by_version(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    int d = strcmp(a->key, b->key);
    return d ? d : strcmp(a->name, b->name);
}

static bool
supabase_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *why = e->kind == FS_FILE ? why_not(e->name) : NULL;
        if (why && strcasestr(e->name, ".sql"))
            layout_note_stray(ret, e->name, why);
        if (e->kind != FS_FILE || why)
            continue;
        if (!layout_check_name(a, e->name, "file", 0, shown, err))
            return false;
        Migration *m = vec_add(a, &ret->files);
        m->name = layout_stem(a, e->name);
        m->key = str_dup(a, layout_digits(e->name));
        layout_place(a, dir, shown, e->name, m);
        ARENA_LOCAL(scratch);
        Str text;
        if (!history_read_file(a, scratch, ret, m, &text, err))
            return false;
        m->checksum = text.p ? fingerprint(a, scratch, text) : "";
    }
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_version);
    return layout_check_versions(a, ret, err);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
supabase_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (version text NOT NULL PRIMARY KEY, statements text[], name text)");
}

/* As text, as fingerprint has it. The first row may be of no migration: it tells whether the table
 * has the columns that older versions of the CLI did not make. */
static void
supabase_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT t.version, pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->>) 'name',"
                " (SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
                "pg_catalog.regexp_replace(pg_catalog.string_agg(s.line, '' ORDER BY s.i),"
                " E'[ \\\\t\\\\n\\\\r\\\\f\\\\v;]+', '', 'g'), 'UTF8')), 'hex') FROM"
                " pg_catalog.jsonb_array_elements_text(CASE pg_catalog.jsonb_typeof("
                "pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->) 'statements') WHEN 'array' THEN"
                " pg_catalog.to_jsonb(t) OPERATOR(pg_catalog.->) 'statements' END)"
                " WITH ORDINALITY s(line, i)), c.n");
    layout_add_from(b, at, "statements,name");
    buf_addz(b, " ORDER BY t.version");
}

static bool
supabase_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 4, err))
        return false;
    h->rows.n = 0;
    h->is_outdated = rows->rows && !str_is(db_cell(rows, 0, 3), "2");
    for (int i = 0; i < rows->rows; i++) {
        Str version = db_cell(rows, i, 0), name = db_cell(rows, i, 1), hash = db_cell(rows, i, 2);
        if (!version.p)
            continue; /* an empty ledger */
        const char *said = name.n ? str_fmt(a, "%s_%s", version.p, name.p) : NULL;
        const char *own = layout_row_name(h, version, said, hash);
        *vec_add(a, &h->rows) = layout_row(version, hash, own ? own : version.p);
    }
    return true;
}

/* Rows of old versions have no statements. */
static bool
supabase_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return !*recorded || strcmp(recorded, m->checksum) == 0;
}

static void
supabase_add_upgrade(Buf *b, const LedgerName *at, const History *h)
{
    (void)h;
    buf_addz(b, "ALTER TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " ADD COLUMN IF NOT EXISTS statements text[], ADD COLUMN IF NOT EXISTS name text;");
}

/* What lies behind the version in the file's name. */
static const char *
own_name(const LedgerRow *row)
{
    return row->name + strlen(row->migration->key) + 1;
}

/* As the CLI has it: the semicolons at its end go, then outer white space, and it is nothing when nothing is left. */
static void
add_statement(Buf *b, Str one)
{
    while (one.n && one.p[one.n - 1] == ';')
        one.n--;
    one = str_trim(one);
    if (!one.n)
        return;
    if (b->p[b->n - 1] != '[')
        buf_addc(b, ',');
    sql_add_literal(b, one);
}

/* What stands between statements is comments and semicolons, each of which ends a piece, too. Where the piece
 * begins that is not at its end at `to`. */
static size_t
add_comments(Buf *b, Str text, size_t from, size_t to)
{
    SqlTok tok;
    SqlLexer lex = {.text = str_slice(text, 0, to), .pos = from};
    for (sql_lex_next(&lex, &tok); tok.kind == SQL_TOK_CHAR; sql_lex_next(&lex, &tok)) {
        add_statement(b, str_slice(text, from, tok.off + 1));
        from = tok.off + 1;
    }
    return from;
}

/* Comments go with the statement that follows, those at the end by themselves. NULL, which is never taken for
 * kept, when the file cannot be read again. */
static void
add_statements(Buf *b, const Migration *m)
{
    ARENA_LOCAL(scratch);
    Err ignored;
    Str text;
    SqlScript script;
    if (!migration_text(scratch, m, &text, &ignored) ||
        !sql_split(scratch, m->path, text, &script, &ignored)) {
        buf_addz(b, "NULL");
        return;
    }
    buf_addz(b, "ARRAY[");
    size_t from = 0;
    vec_each (const SqlSpan, s, &script.stmts) {
        from = add_comments(b, script.text, from, s->off);
        add_statement(b, str_slice(script.text, from, s->end));
        from = s->end;
    }
    from = add_comments(b, script.text, from, script.text.n);
    add_statement(b, str_slice(script.text, from, script.text.n));
    buf_addz(b, "]::pg_catalog.text[]");
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool once)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (version, name, statements) VALUES (");
    sql_add_literal(b, str_of(row->migration->key));
    buf_addz(b, ", ");
    if (once) {
        buf_addz(b, "pg_catalog.repeat(");
        sql_add_literal(b, str_of(own_name(row)));
        buf_addz(b, ", ");
        layout_add_one(b, &history_supabase, at, row);
        buf_addz(b, "), ");
    } else {
        sql_add_literal(b, str_of(own_name(row)));
        buf_addz(b, ", ");
    }
    add_statements(b, row->migration);
    buf_addc(b, ')');
}

static void
supabase_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, true);
}

static void
supabase_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, false);
}

static void
supabase_add_corrected(Buf *b, const LedgerName *at, const char *id, const LedgerRow *row)
{
    layout_add_update(b, at);
    buf_addz(b, "version = ");
    sql_add_literal(b, str_of(row->migration->key));
    buf_addz(b, ", name = ");
    sql_add_literal(b, str_of(own_name(row)));
    buf_addz(b, ", statements = ");
    add_statements(b, row->migration);
    layout_add_where(b, "version", id);
}

static void
supabase_add_written(Buf *b, const LedgerRow *row)
{
    layout_add_equal(b, "name", own_name(row));
    buf_addz(b, " AND statements IS NOT NULL");
}

static void
supabase_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "version", row->migration->key);
}

const HistoryLayout history_supabase = {
    .name = "supabase",
    .ledger = {.tool = "Supabase",
               .schema = "supabase_migrations",
               .table = "schema_migrations",
               .columns = "version"},
    .recognise = supabase_recognise,
    .list = supabase_list,
    .new_one = layout_new,
    .squashed = layout_squashed,
    .version = layout_version,
    .checksum_matches = supabase_checksum_matches,
    .add_create = supabase_add_create,
    .add_select = supabase_add_select,
    .read_rows = supabase_read_rows,
    .add_upgrade = supabase_add_upgrade,
    .add_applied = supabase_add_applied,
    .add_resolved = supabase_add_resolved,
    .add_written = supabase_add_written,
    .add_corrected = supabase_add_corrected,
    .add_removed = layout_add_removed_version,
    .add_where = supabase_add_where,
};
