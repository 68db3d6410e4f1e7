/* Drizzle's layout before 1.0: files named by meta/_journal.json, and a table that knows of each only
 * its hash and the journal's time. Seen in runs of drizzle-kit 0.31.11 with drizzle-orm 0.45.4. */
#include "base/fs.h"
#include "base/jr.h"
#include "base/map.h"
#include "history/drizzle_int.h"
#include "sqltext/sqltext.h"

#define JOURNAL "meta/_journal.json"
enum { JOURNAL_MAX = 16 << 20 };

/* ---- both generations ---------------------------------------------------------------------- */

static const char marker[] = "--> statement-breakpoint";

static bool
splits(Arena *a, Str text, const char *more)
{
    SqlScript script;
    Err ignored;
    return sql_split(a, "", str_of(str_fmt(a, "%.*s%s", (int)text.n, text.p, more)), &script,
                     &ignored);
}

/* Whether a marker behind `piece` ends a statement: not in a quote or comment that goes on (what is
 * wrong with the file as a whole is told where it is planned). */
static bool
ends_statement(Str whole, Str piece, Str rest_of_line)
{
    ARENA_LOCAL(scratch);
    bool in_line_comment = memchr(piece.p, '-', piece.n) && splits(scratch, piece, "'");
    if (in_line_comment)
        return str_trim(rest_of_line).n == 0;
    return splits(scratch, piece, "") || !splits(scratch, whole, "");
}

static bool
refuse_marker(const Migration *m, Str before, Err *err)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < before.n; i++) {
        column = before.p[i] == '\n' ? 1 : column + 1;
        line += before.p[i] == '\n';
    }
    err_set(err, ERR_MIGRATION_FILE, "\"%s\" stands inside of a statement", marker);
    err_at(err, m->path, line, column);
    err_detail(err, "Drizzle cuts the file there, too, and the server refuses the halves");
    return err_hint(err, "put it behind the statement's end");
}

bool
drizzle_cut(const Migration *m, char *text, size_t *n, Err *err)
{
    const size_t width = sizeof marker - 1;
    size_t from = 0;
    for (char *at; (at = memmem(text + from, *n - from, marker, width));) {
        size_t i = (size_t)(at - text);
        Str rest = {at + width, *n - i - width};
        if (!ends_statement((Str){text, *n}, (Str){text + from, i - from}, str_cut(&rest, '\n')))
            return refuse_marker(m, (Str){text, i}, err);
        memset(at, ' ', width);
        *at = ';';
        from = i + width;
    }
    return true;
}

const char *
drizzle_unknown(Arena *a, Str hash, Str when)
{
    return str_fmt(a, "%.*s of %s", (int)(hash.n < 12 ? hash.n : 12), hash.p ? hash.p : "",
                   when.p ? when.p : "no time");
}

bool
drizzle_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

/* ---- the folder --------------------------------------------------------------------------- */

static bool
drizzle_recognise(Arena *a, const char *dir)
{
    return fs_exists(fs_join(a, dir, JOURNAL));
}

typedef struct Journal {
    const char *dialect;
    VEC(const char *) tags;
    VEC(int64_t) whens;
} Journal;

static bool
read_journal(Arena *a, const char *dir, const char *shown, Journal *ret, Err *err)
{
    Str text;
    *ret = (Journal){0};
    if (!fs_read(a, fs_join(a, dir, JOURNAL), JOURNAL_MAX, &text, err))
        return false;
    JsonReader r;
    jr_init(&r, a, text);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        if (str_is(key, "dialect"))
            ret->dialect = jr_str(&r).p;
        else if (str_is(key, "entries"))
            for (jr_array(&r); jr_item(&r);) {
                const char *tag = NULL;
                int64_t when = -1;
                jr_object(&r);
                for (Str k; jr_key(&r, &k);)
                    if (str_is(k, "tag"))
                        tag = jr_str(&r).p;
                    else if (str_is(k, "when"))
                        when = jr_int(&r);
                *vec_add(a, &ret->tags) = tag;
                *vec_add(a, &ret->whens) = when;
            }
    if (jr_done(&r))
        return true;
    err_set(err, ERR_MIGRATION_FILE, "Drizzle's journal cannot be read: %s",
            r.why ? r.why : "it does not have the form of a journal");
    err_at(err, fs_join(a, shown, JOURNAL), r.line, r.column);
    return err_hint(err, "take it from version control; drizzle-kit check looks at it, too");
}

static bool
bad_entry(Arena *a, const char *shown, const char *tag, Err *err)
{
    err_at(err, fs_join(a, shown, JOURNAL), 0, 0);
    return err_hint(
        err, "give the entry \"%s\" another \"when\" or \"tag\", unless it was applied before",
        tag);
}

/* What the ledger tells entries apart by. */
static bool
check_entry(Arena *a, const Journal *j, size_t i, const char *shown, Err *err)
{
    const char *tag = j->tags.v[i];
    if (!tag || j->whens.v[i] < 0) {
        err_set(err, ERR_MIGRATION_FILE, "entry %zu of Drizzle's journal has no %s", i,
                tag ? "time (\"when\")" : "\"tag\"");
        return err_at(err, fs_join(a, shown, JOURNAL), 0, 0);
    }
    for (size_t k = 0; k < i; k++) {
        bool same_tag = strcmp(j->tags.v[k], tag) == 0;
        if (!same_tag && j->whens.v[k] != j->whens.v[i])
            continue;
        err_set(err, ERR_MIGRATION_FILE, "two entries of Drizzle's journal have the same %s",
                same_tag ? "tag" : "time");
        err_detail(err,
                   "\"%s\" and \"%s\" (entries %zu and %zu): the ledger tells them apart by it",
                   j->tags.v[k], tag, k, i);
        return bad_entry(a, shown, tag, err);
    }
    return true;
}

/* drizzle-kit applies what is newer than the newest applied one, and never looks back. */
static void
note_older(const Journal *j, History *h)
{
    int64_t newest = -1;
    for (size_t i = 0; i < j->tags.n; i++) {
        if (j->whens.v[i] < newest)
            finding_add(&h->findings, FINDING_HISTORY_DRIZZLE_OLDER,
                        "its \"when\" is older than that of an entry before it: where the other is "
                        "applied, drizzle-kit passes over this one for ever")
                ->object = j->tags.v[i];
        else
            newest = j->whens.v[i];
    }
}

static bool
drizzle_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    Journal j;
    FsEntryVec list;
    Map tags;
    map_init(&tags, a);
    if (!read_journal(a, dir, shown, &j, err) || !fs_list(a, dir, &list, err))
        return false;
    if (j.dialect && strcmp(j.dialect, "postgresql") != 0 && strcmp(j.dialect, "pg") != 0) {
        err_set(err, ERR_PROVIDER, "these migrations are for \"%s\", not for PostgreSQL",
                str_printable(a, str_of(j.dialect), false));
        return err_at(err, fs_join(a, shown, JOURNAL), 0, 0);
    }
    for (size_t i = 0; i < j.tags.n; i++) {
        const char *tag = j.tags.v[i];
        if (!check_entry(a, &j, i, shown, err) || !layout_check_name(a, tag, "file", 0, shown, err))
            return false;
        Migration *m = vec_add(a, &ret->files);
        m->name = tag;
        m->key = str_fmt(a, "%lld", (long long)j.whens.v[i]);
        m->when_us = j.whens.v[i] * 1000;
        if (strchr(tag, '/')) {
            err_set(err, ERR_MIGRATION_FILE, "the tag \"%s\" leads out of the folder", tag);
            return err_at(err, fs_join(a, shown, JOURNAL), 0, 0);
        }
        m->cut = drizzle_cut;
        if (!layout_read(a, dir, str_fmt(a, "%s.sql", tag), ret, m, err))
            return false;
        map_put(&tags, str_of(tag), a);
    }
    vec_each (FsEntry, e, &list)
        if (e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql")) &&
            !map_has(&tags, str_of(layout_stem(a, e->name))))
            layout_note_stray(ret, e->name,
                              "meta/_journal.json does not name it, so it is never "
                              "run");
    note_older(&j, ret);
    return true;
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
drizzle_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)");
}

static void
drizzle_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT id, hash, created_at FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY id");
}

/* Its time is what tells a row; one without by its hash. */
static const char *
name_of(Arena *a, const History *h, Str hash, Str when)
{
    vec_each (const Migration, m, &h->files)
        if (when.p ? str_is(when, m->key) : str_is(hash, m->checksum))
            return m->name;
    return drizzle_unknown(a, hash, when);
}

static bool
drizzle_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 3, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        Str hash = db_cell(rows, i, 1), when = db_cell(rows, i, 2);
        LedgerRow *row = vec_add(a, &h->rows);
        *row = layout_row(db_cell(rows, i, 0), hash, name_of(a, h, hash, when));
        row->key = when.p;
        if (!when.p)
            row->lacks = "its time (created_at): drizzle-kit takes it for the newest, and so runs "
                         "every migration again";
    }
    return true;
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool once)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (hash, created_at) VALUES (");
    sql_add_literal(b, str_of(row->checksum));
    buf_fmt(b, ", %s::pg_catalog.int8", row->migration->key);
    if (once) {
        buf_addz(b, " OPERATOR(pg_catalog.*) ");
        layout_add_one(b, &history_drizzle, at, row);
    }
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
    buf_fmt(b, ", created_at = %s::pg_catalog.int8", row->migration->key);
    layout_add_where(b, "id", id);
}

static void
drizzle_add_once(Buf *b, const LedgerName *at, const History *h)
{
    layout_add_once(b, at, "created_at");
    bool first = true;
    vec_each (const Entry, e, &h->entries) {
        if (!e->file || e->state == ENTRY_APPLIED)
            continue;
        buf_fmt(b, "%s%s", first ? "" : ",", e->file->key);
        first = false;
    }
    buf_addz(b, "]::pg_catalog.int8[])");
}

static void
drizzle_add_written(Buf *b, const LedgerRow *row)
{
    layout_add_equal(b, "hash", row->checksum);
}

static void
drizzle_add_where(Buf *b, const LedgerRow *row)
{
    buf_fmt(b, " WHERE created_at OPERATOR(pg_catalog.=) %s::pg_catalog.int8", row->migration->key);
}

const HistoryLayout history_drizzle = {
    .name = "drizzle",
    .ledger = {.tool = "Drizzle",
               .schema = "drizzle",
               .may_move = true,
               .table = "__drizzle_migrations",
               .columns = "id,hash,created_at"},
    .recognise = drizzle_recognise,
    .list = drizzle_list,
    .checksum_matches = drizzle_checksum_matches,
    .add_create = drizzle_add_create,
    .add_select = drizzle_add_select,
    .read_rows = drizzle_read_rows,
    .add_applied = drizzle_add_applied,
    .add_resolved = drizzle_add_resolved,
    .add_written = drizzle_add_written,
    .add_once = drizzle_add_once,
    .add_corrected = drizzle_add_corrected,
    .add_removed = layout_add_removed,
    .add_where = drizzle_add_where,
};
