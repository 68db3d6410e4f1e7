/* dbmate's layout: flat .sql files with a block for each direction, and a table of versions. Seen in
 * runs of dbmate 2.36.0, whose rules for names and markers are these. */
#include "base/fs.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* ---- the folder --------------------------------------------------------------------------- */

#define BOM "\xef\xbb\xbf"

/* ^\d+.*\.sql$ */
static bool
is_migration(const FsEntry *e)
{
    return e->kind == FS_FILE && layout_digits(e->name).n && str_ends(str_of(e->name), STR(".sql"));
}

/* ^--\s*migrate:WORD(\s*$|\s+\S+) */
static bool
is_marker(Str line, const char *word)
{
    size_t i = 2;
    if (!str_starts(line, STR("--")))
        return false;
    while (i < line.n && strchr(" \t\r\f\v", line.p[i]))
        i++;
    Str rest = {line.p + i, line.n - i}, mark = str_of(word);
    return str_starts(rest, mark) && (rest.n == mark.n || strchr(" \t\r\f\v", rest.p[mark.n]));
}

static bool
dbmate_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Str text;
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list) {
        if (!is_migration(e) || !fs_read(a, fs_join(a, dir, e->name), 0, &text, &ignored))
            continue;
        size_t bom = str_starts(text, STR(BOM)) ? sizeof BOM - 1 : 0; /* told by cut_down */
        for (Str rest = {text.p + bom, text.n - bom}; rest.p;)
            if (is_marker(str_cut(&rest, '\n'), "migrate:up"))
                return true;
        return false;
    }
    return false;
}

typedef struct Blocks {
    size_t up_end; /* where the first block for the way back begins */
    const char *why;
    int line;
} Blocks;

static Blocks
wrong(const char *why, int line)
{
    return (Blocks){.why = why, .line = line};
}

static Blocks
find_blocks(Str text)
{
    size_t at = 0, down_at = 0;
    int line = 1, up = 0, down = 0;
    if (str_starts(text, STR(BOM)))
        return wrong("begins with a byte order mark (BOM), behind which dbmate does not see "
                     "\"-- migrate:up\"; save it as UTF-8 without one",
                     1);
    for (Str rest = text; rest.p; line++) {
        at = (size_t)(rest.p - text.p);
        Str one = str_cut(&rest, '\n'), bare = str_trim(one);
        bool is_up = is_marker(one, "migrate:up"), is_down = is_marker(one, "migrate:down");
        if (is_up && ++up > 1)
            return wrong(
                "has two \"-- migrate:up\" blocks: dbmate takes them for two migrations of "
                "one version",
                line);
        if (is_down && !up)
            return wrong("has a \"-- migrate:down\" block before \"-- migrate:up\"", line);
        if (is_down && ++down > 1)
            return wrong("has two \"-- migrate:down\" blocks", line);
        if (is_down)
            down_at = at;
        if (!up && bare.n && !str_starts(bare, STR("--")))
            return wrong("has statements before \"-- migrate:up\", which dbmate refuses", line);
    }
    if (!up)
        return wrong("has no block \"-- migrate:up\"", 1);
    if (!down)
        return wrong("has no block \"-- migrate:down\", which dbmate wants to see", line - 1);
    return (Blocks){.up_end = down_at};
}

static bool
is_well_formed(const Migration *m, const Blocks *b, Err *err)
{
    if (!b->why)
        return true;
    err_set(err, ERR_MIGRATION_FILE, "\"%s\" %s", fs_basename(m->path), b->why);
    err_at(err, m->path, b->line, 1);
    return err_hint(err, "a file has one line \"-- migrate:up\", its statements, one line "
                         "\"-- migrate:down\", and the way back");
}

/* Migration.cut: the block that is run. What stands before it are comments. */
static bool
cut_down(const Migration *m, char *text, size_t *n, Err *err)
{
    Blocks b = find_blocks((Str){text, *n});
    *n = b.up_end;
    return is_well_formed(m, &b, err);
}

static bool
dbmate_cut_up(const Migration *m, Str text, Str *ret, int *ret_line, Err *err)
{
    int column;
    Blocks b = find_blocks(text);
    if (!is_well_formed(m, &b, err))
        return false;
    *ret = str_slice(text, b.up_end, text.n);
    str_line_col(text, b.up_end, ret_line, &column);
    return true;
}

/* Over all folders by the names of the files. */
static int
by_file(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    int d = strcmp(fs_basename(a->path), fs_basename(b->path));
    return d ? d : strcmp(a->path, b->path);
}

static bool
list_folder(Arena *a, const HistoryFolder *f, History *ret, Err *err)
{
    FsEntryVec list;
    const char *first = ret->dir;
    if (!fs_list(a, f->dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        if (!is_migration(e)) {
            if (e->kind == FS_FILE && strcasestr(e->name, ".sql"))
                layout_note_stray(ret, e->name,
                                  "its name does not begin with a version and end with .sql, so "
                                  "dbmate passes over it, and so does Aramid");
            continue;
        }
        if (!layout_check_name(a, e->name, "file", 0, f->shown, err))
            return false;
        Migration *m = vec_add(a, &ret->files);
        m->name = layout_stem(a, e->name);
        m->key = str_dup(a, layout_digits(e->name));
        m->cut = cut_down;
        ret->dir = f->shown;
        bool ok = layout_read(a, f->dir, e->name, ret, m, err);
        ret->dir = first;
        if (!ok)
            return false;
    }
    return true;
}

static bool
dbmate_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    HistoryFolder first = {dir, shown};
    if (!list_folder(a, &first, ret, err))
        return false;
    vec_each (const HistoryFolder, f, &ret->options.more) {
        if (fs_kind(f->dir) == FS_DIR) {
            if (!list_folder(a, f, ret, err))
                return false;
            continue;
        }
        err_set(err, ERR_NO_MIGRATIONS, "there is no migrations folder \"%s\"", f->shown);
        err_at(err, f->shown, 0, 0);
        return err_hint(err, "it is one of those that dbmate was told: DBMATE_MIGRATIONS_DIR, or "
                             "--migrations-dir in package.json");
    }
    Str rest = str_of(ret->options.dbmate_table ? ret->options.dbmate_table : ""), schema;
    if (rest.n && memchr(rest.p, '.', rest.n)) {
        schema = str_cut(&rest, '.');
        ret->ledger.schema = str_dup(a, schema);
    }
    if (rest.n)
        ret->ledger.table = str_dup(a, rest);
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_file);
    return layout_check_versions(a, ret, err);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
dbmate_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (version character varying PRIMARY KEY)");
}

static void
dbmate_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT version FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY version");
}

static bool
has_row(const DbRows *rows, const char *version)
{
    for (int i = 0; i < rows->rows; i++)
        if (str_is(db_cell(rows, i, 0), version))
            return true;
    return false;
}

/* The row of a squash has the version of the last one that it stands for, and nothing else: it is its own where
 * no other of those has one. */
static bool
is_squashs_own(const DbRows *rows, const Migration *m)
{
    vec_each (const MigrationReplaced, r, &m->replaces)
        if (strcmp(r->key, m->key) != 0 && has_row(rows, r->key))
            return false;
    return true;
}

static bool
dbmate_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    (void)a;
    if (!layout_check_columns(rows, 1, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        Str version = db_cell(rows, i, 0);
        const Migration *m = layout_of_version(h, version);
        const char *name =
            m && is_squashs_own(rows, m) ? m->name : layout_row_name(h, version, NULL, STR(""));
        *vec_add(a, &h->rows) = layout_row(version, STR(""), name ? name : version.p);
    }
    return true;
}

static void
dbmate_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (version) VALUES (");
    sql_add_literal(b, str_of(row->migration->key));
    buf_addc(b, ')');
}

static void
dbmate_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (version) VALUES (pg_catalog.repeat(");
    sql_add_literal(b, str_of(row->migration->key));
    buf_addz(b, ", ");
    layout_add_one(b, &history_dbmate, at, row);
    buf_addz(b, "))");
}

/* As `dbmate new` has it; comments may stand in front. */
static void
dbmate_add_both(Buf *b, Str head, Str up, Str down)
{
    buf_add(b, head);
    buf_addz(b, "-- migrate:up\n");
    buf_add(b, up);
    if (up.n && up.p[up.n - 1] != '\n')
        buf_addc(b, '\n');
    buf_addz(b, "\n-- migrate:down\n");
    buf_add(b, down);
}

static void
dbmate_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "version", row->migration->key);
}

const HistoryLayout history_dbmate = {
    .name = "dbmate",
    .ledger = {.tool = "dbmate or Rails",
               .may_move = true,
               .table = "schema_migrations",
               .columns = "version",
               .has_only_these = true},
    .dumps_schema = true,
    .recognise = dbmate_recognise,
    .list = dbmate_list,
    .new_one = layout_new,
    .squashed = layout_squashed,
    .version = layout_version,
    .add_both = dbmate_add_both,
    .cut_up = dbmate_cut_up,
    .checksum_matches = layout_checksum_unknown,
    .add_create = dbmate_add_create,
    .add_select = dbmate_add_select,
    .read_rows = dbmate_read_rows,
    .add_applied = dbmate_add_applied,
    .add_resolved = dbmate_add_resolved,
    .add_removed = layout_add_removed_version,
    .add_where = dbmate_add_where,
};
