/* graphile-migrate's layout: committed/<number>-name.sql with a chain of hashes, and a table of these.
 * Seen in runs of graphile-migrate 1.4.1, and in its code. */
#include "base/fs.h"
#include "base/hash.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* ---- the folder --------------------------------------------------------------------------- */

/* ^[0-9]+(-[-_a-zA-Z0-9]*)?\.sql$ */
static bool
is_committed(const FsEntry *e)
{
    Str digits = layout_digits(e->name);
    const char *rest = e->name + digits.n;
    if (e->kind != FS_FILE || !digits.n)
        return false;
    if (rest[0] == '-')
        rest += strspn(rest, "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return strcmp(rest, ".sql") == 0;
}

/* Where the committed files are: in the folder's own, or it is that one. */
static const char *
below(Arena *a, const char *dir)
{
    return fs_kind(fs_join(a, dir, "committed")) == FS_DIR ? "committed" : "";
}

typedef struct Head {
    Str previous, hash; /* p == NULL: the header is not there */
    bool allows_any;    /* AllowInvalidHash */
    Str body;
    const char *why;
} Head;

/* ^--! ([A-Z][a-zA-Z0-9_]*)(:(.*))?$ */
static bool
is_header(Str line, Str *ret_key, Str *ret_value)
{
    if (!str_starts(line, STR("--! ")) || line.n < 5 || line.p[4] < 'A' || line.p[4] > 'Z')
        return false;
    Str rest = str_slice(line, 4, line.n);
    *ret_key = str_cut(&rest, ':');
    *ret_value = rest.p ? str_trim(rest) : STR("");
    for (size_t i = 0; i < ret_key->n; i++)
        if (!strchr("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                    ret_key->p[i]))
            return false;
    return true;
}

static Head
read_head(Str text)
{
    Head h = {0};
    bool has_bom = str_starts(text, STR("\xef\xbb\xbf"));
    Str rest = str_slice(text, has_bom ? 3 : 0, text.n), key, value;
    for (;;) {
        Str next = rest;
        if (!rest.p || !is_header(str_cut(&next, '\n'), &key, &value))
            break;
        if (str_is(key, "Previous"))
            h.previous = value;
        else if (str_is(key, "Hash"))
            h.hash = value;
        else if (str_is(key, "AllowInvalidHash"))
            h.allows_any = true;
        rest = next;
    }
    h.body = rest.p ? str_trim(rest) : STR("");
    if (has_bom)
        h.why = "begins with a byte order mark (BOM), behind which graphile-migrate sees no header";
    else if (str_starts(text, STR("--! ")) && str_contains(text, STR("\r\n")))
        h.why = "has line ends of Windows (CRLF), behind which graphile-migrate sees no header";
    else if (!h.previous.n)
        h.why = "has no line \"--! Previous:\" at its top";
    else if (!h.hash.n)
        h.why = "has no line \"--! Hash:\" at its top";
    else if (rest.p && rest.n && rest.p[0] != '\n')
        h.why = "has no empty line behind the lines that begin with \"--!\"";
    return h;
}

static bool
graphile_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Str text;
    Err ignored;
    const char *at = fs_join(a, dir, below(a, dir));
    if (!fs_list(a, at, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list)
        if (is_committed(e) && fs_read(a, fs_join(a, at, e->name), 0, &text, &ignored))
            return read_head(text).previous.n > 0;
    return false;
}

/* "sha1:...": of the hash before, and the text. */
static const char *
hash_of(Arena *a, Str previous, Str body)
{
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, scratch);
    if (!str_is(previous, "-")) {
        buf_add(&b, previous);
        buf_addc(&b, '\n');
    }
    buf_add(&b, body);
    Str all = str_trim(buf_str(&b));
    return str_fmt(a, "sha1:%s",
                   hash_sha1_hex(a, str_of(str_fmt(scratch, "%.*s\n", (int)all.n, all.p))));
}

/* ---- what only graphile-migrate knows ------------------------------------------------------- */

/* Its configuration, whatever its form; "" = none is there. */
static Str
read_gmrc(Arena *a, const char *dir)
{
    static const char *const names[] = {".gmrc", ".gmrc.js", ".gmrc.cjs"};
    const char *place = fs_dirname(a, dir);
    for (int up = 0; up < 2; up++, place = fs_dirname(a, place))
        for (size_t i = 0; i < COUNT(names); i++) {
            Str text;
            Err ignored;
            if (fs_kind(fs_join(a, place, names[i])) == FS_FILE &&
                fs_read(a, fs_join(a, place, names[i]), 1 << 20, &text, &ignored))
                return text;
        }
    return STR("");
}

static bool
has_word(Str text, Str word)
{
    while (text.n >= word.n) {
        const char *p = memmem(text.p, text.n, word.p, word.n);
        if (!p)
            return false;
        size_t behind = (size_t)(p - text.p) + word.n;
        char next = behind < text.n ? text.p[behind] : ' ';
        bool goes_on = next == '_' || (next >= '0' && next <= '9') ||
                       ((next | 32) >= 'a' && (next | 32) <= 'z');
        if (!goes_on)
            return true;
        text = str_slice(text, behind, text.n);
    }
    return false;
}

/* The first placeholder in the text: its own two, and the ":NAME"s that its configuration quotes. */
static const char *
placeholder(Arena *a, Str gmrc, Str text)
{
    if (has_word(text, STR(":DATABASE_NAME")) || has_word(text, STR(":DATABASE_OWNER")))
        return "it has a placeholder (:DATABASE_NAME or :DATABASE_OWNER), which graphile-migrate "
               "puts "
               "a value in place of";
    for (size_t i = 0; i + 2 < gmrc.n; i++) {
        size_t n = 2;
        if (!strchr("\"'`", gmrc.p[i]) || gmrc.p[i + 1] != ':')
            continue;
        while (i + n < gmrc.n &&
               (gmrc.p[i + n] == '_' || (gmrc.p[i + n] >= 'A' && gmrc.p[i + n] <= 'Z') ||
                (gmrc.p[i + n] >= '0' && gmrc.p[i + n] <= '9')))
            n++;
        Str word = str_slice(gmrc, i + 1, i + n);
        if (word.n > 1 && has_word(text, word))
            return str_fmt(a,
                           "it has the placeholder %.*s, whose value only graphile-migrate knows",
                           (int)word.n, word.p);
    }
    return NULL;
}

/* Whether a line of it begins with the key, quoted or not. */
static bool
has_setting(Str gmrc, const char *key)
{
    for (Str rest = gmrc; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (line.n && strchr("\"'", line.p[0]))
            line = str_slice(line, 1, line.n);
        if (str_starts(line, str_of(key)))
            return true;
    }
    return false;
}

static bool
has_statements(Str text)
{
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (line.n && !str_starts(line, STR("--")))
            return true;
    }
    return false;
}

static void
graphile_look(Arena *a, const char *dir, History *h)
{
    Str gmrc = read_gmrc(a, dir), text;
    Err ignored;
    if (has_setting(gmrc, "beforeAllMigrations") || has_setting(gmrc, "afterAllMigrations"))
        finding_add(&h->findings, FINDING_HISTORY_ACTIONS,
                    "beforeAllMigrations and afterAllMigrations are not run by Aramid")
            ->object = ".gmrc";
    const char *current = fs_join(a, dir, "current.sql");
    if (fs_kind(current) == FS_FILE && fs_read(a, current, 1 << 20, &text, &ignored) &&
        has_statements(text))
        layout_note_stray(
            h, "current.sql",
            "it is what is worked on, and not committed: npx graphile-migrate commit");
}

/* ---- the list ----------------------------------------------------------------------------- */

static int
by_number(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    int d = str_cmp(layout_digits(a->name), layout_digits(b->name));
    return d ? d : strcmp(a->name, b->name);
}

static bool
take(Arena *a, History *h, Str gmrc, Migration *m, Err *err)
{
    ARENA_LOCAL(scratch);
    Str text;
    if (!history_read_file(a, scratch, h, m, &text, err))
        return false;
    Head head = read_head(text.p ? text : STR(""));
    if (head.why) {
        err_set(err, ERR_MIGRATION_FILE, "\"%s\" %s", fs_basename(m->path), head.why);
        err_at(err, m->path, 1, 1);
        return err_hint(err, "committed files are made by: npx graphile-migrate commit");
    }
    const char *own = hash_of(a, head.previous, head.body);
    bool holds = str_is(head.hash, own);
    m->key = str_dup(a, head.previous);
    m->checksum = head.allows_any ? str_dup(a, head.hash) : own;
    m->unfit_fix = "npx graphile-migrate migrate";
    m->unfit = placeholder(a, gmrc, head.body);
    if (!holds && !head.allows_any)
        m->unfit =
            str_fmt(a,
                    "its text has the hash %s, and its top says %.*s: it was changed after it "
                    "was committed",
                    own, (int)head.hash.n, head.hash.p);
    *vec_add(a, &h->files) = *m;
    return true;
}

/* Each names the hash of the one before. */
static bool
check_chain(const History *h, Err *err)
{
    for (size_t i = 0; i < h->files.n; i++) {
        const Migration *m = &h->files.v[i], *before = i ? m - 1 : NULL;
        if (before && str_eq(layout_digits(m->name), layout_digits(before->name))) {
            err_set(err, ERR_MIGRATION_FILE, "two migrations have the number of \"%s\"", m->name);
            err_detail(err, "the other one is \"%s\"", before->name);
            err_at(err, m->path, 1, 1);
            return err_hint(err,
                            "commit one of them again: npx graphile-migrate uncommit, then commit");
        }
        if (before ? !before->unfit && strcmp(m->key, before->checksum) != 0
                   : strcmp(m->key, "-") != 0) {
            err_set(err, ERR_MIGRATION_FILE, "\"%s\" does not follow \"%s\"", m->name,
                    before ? before->name : "the beginning");
            err_detail(err, "its \"--! Previous:\" is %s, and the hash before it is %s", m->key,
                       before ? before->checksum : "-");
            err_at(err, m->path, 1, 1);
            return err_hint(
                err, "is a file missing, or was one changed? restore it from version control");
        }
    }
    return true;
}

/* Beside the committed ones: what is worked on, and what its configuration runs at other times. */
static bool
note_beside(Arena *a, const char *dir, Str gmrc, History *h, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list)
        if (e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql")) &&
            strcmp(e->name, "current.sql") != 0 && !str_contains(gmrc, str_of(e->name)))
            layout_note_stray(h, e->name,
                              "it is not in the folder committed, so graphile-migrate passes over "
                              "it, and so does Aramid");
    return true;
}

static bool
graphile_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    FsEntryVec list;
    const char *under = below(a, dir);
    Str gmrc = read_gmrc(a, dir);
    if (!fs_list(a, fs_join(a, dir, under), &list, err) ||
        (*under && !note_beside(a, dir, gmrc, ret, err)))
        return false;
    vec_each (FsEntry, e, &list) {
        if (!is_committed(e)) {
            if (e->kind == FS_FILE && strcasestr(e->name, ".sql"))
                layout_note_stray(
                    ret, fs_join(a, under, e->name),
                    "its name is not <number>-name.sql, so graphile-migrate passes over "
                    "it, and so does Aramid");
            continue;
        }
        Migration m = {.name = layout_stem(a, e->name)};
        layout_place(a, dir, shown, fs_join(a, under, e->name), &m);
        if (!layout_check_name(a, e->name, "file", 0, shown, err) || !take(a, ret, gmrc, &m, err))
            return false;
    }
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_number);
    return check_chain(ret, err);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
graphile_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (hash text PRIMARY KEY, previous_hash text REFERENCES ");
    layout_add_table(b, at);
    buf_addz(b, ", filename text NOT NULL, date timestamptz NOT NULL DEFAULT pg_catalog.now());"
                "CREATE TABLE ");
    sql_add_name(b, at->schema, "current");
    buf_addz(b, " (filename text PRIMARY KEY DEFAULT 'current.sql', content text NOT NULL,"
                " date timestamptz NOT NULL DEFAULT pg_catalog.now())");
}

static void
graphile_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT filename, hash");
    layout_add_epoch(b, "date");
    buf_addz(b, " FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY date, filename");
}

/* The table has "000001.sql" for every name with this number. */
static const Migration *
of_filename(const History *h, Str filename)
{
    vec_each (const Migration, m, &h->files) {
        Str digits = layout_digits(m->name);
        if (str_starts(filename, digits) &&
            str_is(str_slice(filename, digits.n, filename.n), ".sql"))
            return m;
    }
    return NULL;
}

static bool
graphile_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 3, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        Str filename = db_cell(rows, i, 0), hash = db_cell(rows, i, 1);
        const Migration *m = of_filename(h, filename);
        LedgerRow row = layout_row(hash, hash, m ? m->name : layout_stem(a, filename.p));
        row.started_us = row.finished_us = db_time_us(db_cell(rows, i, 2));
        *vec_add(a, &h->rows) = row;
    }
    return true;
}

static bool
graphile_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

static const char *
filename_of(Buf *b, const Migration *m)
{
    Str digits = layout_digits(m->name);
    return str_fmt(b->arena, "%.*s.sql", (int)digits.n, digits.p);
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool once)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (hash, previous_hash, filename) VALUES (");
    buf_addz(b, once ? "pg_catalog.repeat(" : "");
    sql_add_literal(b, str_of(row->checksum));
    if (once) {
        buf_addz(b, ", ");
        layout_add_one(b, &history_graphile_migrate, at, row);
        buf_addc(b, ')');
    }
    buf_addz(b, ", ");
    if (strcmp(row->migration->key, "-") == 0)
        buf_addz(b, "NULL");
    else
        sql_add_literal(b, str_of(row->migration->key));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(filename_of(b, row->migration)));
    buf_addc(b, ')');
}

static void
graphile_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, true);
}

static void
graphile_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, false);
}

static void
graphile_add_written(Buf *b, const LedgerRow *row)
{
    layout_add_equal(b, "hash", row->checksum);
}

static void
graphile_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "filename", filename_of(b, row->migration));
}

const HistoryLayout history_graphile_migrate = {
    .name = "graphile-migrate",
    .ledger = {.tool = "graphile-migrate",
               .schema = "graphile_migrate",
               .table = "migrations",
               .columns = "hash,previous_hash,filename"},
    .lock_key = 4727445306447283,
    .new_command = "npx graphile-migrate commit",
    .recognise = graphile_recognise,
    .list = graphile_list,
    .look = graphile_look,
    .checksum_matches = graphile_checksum_matches,
    .add_create = graphile_add_create,
    .add_select = graphile_add_select,
    .read_rows = graphile_read_rows,
    .add_applied = graphile_add_applied,
    .add_resolved = graphile_add_resolved,
    .add_written = graphile_add_written,
    .add_where = graphile_add_where,
};
