/* Plain SQL folders, for which no tool keeps a history: <version>_name.sql, Flyway's V<version>__name.sql
 * and golang-migrate's pairs <version>_name.up.sql and .down.sql; the table is Aramid's own. It lies where
 * the tables of the migrations lie, so that it is dropped, dumped and restored together with them. */
#include "base/fs.h"
#include "base/map.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

enum { DEEPEST = 16 };

/* ---- names -------------------------------------------------------------------------------- */

typedef enum Form { FORM_NUMBER, FORM_PAIR, FORM_FLYWAY, FORM_COUNT } Form;

static const char *const form_names[] = {"<version>_name.sql", "<version>_name.up.sql",
                                         "V<version>__name.sql"};
_Static_assert(COUNT(form_names) == FORM_COUNT, "a name for each");

typedef struct Name {
    Form form;
    Str version;           /* as written */
    bool is_down, repeats; /* R__name.sql: whenever it changes */
    const char *why;       /* it is no migration; NULL: it is one */
} Name;

/* "1", "1.2", "20240101"; with `bars` also "1_2", as Flyway has it, up to its "__". */
static Str
version_at(const char *p, bool bars)
{
    size_t n = 0, more;
    while ((more = strspn(p + n, "0123456789"))) {
        n += more;
        bool goes_on = p[n] == '.' || (bars && p[n] == '_');
        if (!goes_on || !strspn(p + n + 1, "0123456789"))
            break;
        n++;
    }
    return (Str){p, n};
}

static Name
flyway_name(const char *name)
{
    Name n = {
        .form = FORM_FLYWAY, .is_down = name[0] == 'U', .version = version_at(name + 1, true)};
    if (name[0] != 'R' && (!n.version.n || strncmp(name + 1 + n.version.n, "__", 2) != 0))
        n.why = "its name is not V<version>__name.sql: numbers with dots or underscores between "
                "them, two underscores, a name";
    else if (name[0] == 'R')
        n.repeats = true;
    else if (name[0] == 'B')
        n.why = "it is one of Flyway's baselines, in place of the migrations up to its version; "
                "Aramid runs the migrations";
    return n;
}

static bool
is_callback(const char *name)
{
    Str s = str_of(name);
    return str_starts(s, STR("before")) || str_starts(s, STR("after"));
}

static Name
read_name(const char *name)
{
    Str s = str_of(name), version = version_at(name, false);
    bool flyway = strchr("VURB", name[0]) && (strchr("0123456789", name[1]) || strstr(name, "__"));
    if (!str_ends(s, STR(".sql")))
        return (Name){.why = "its name does not end with .sql"};
    if (flyway)
        return flyway_name(name);
    Str rest = {name + version.n, s.n - version.n};
    bool up = str_ends(rest, STR(".up.sql")), down = str_ends(rest, STR(".down.sql"));
    Name n = {.form = up || down ? FORM_PAIR : FORM_NUMBER, .version = version, .is_down = down};
    if (name[0] == 'v' && strchr("0123456789", name[1]))
        n.why = "versions of Flyway's form begin with a capital V";
    else if (!version.n)
        n.why = is_callback(name) ? "it is one of Flyway's callbacks, which Aramid does not run"
                                  : "its name does not begin with a version";
    else if (!strchr("_-.", rest.p[0]))
        n.why = "behind the version in its name stands neither \"_\" nor \"-\"";
    return n;
}

/* What the ledger knows it by: "V1_02_0" and "1.2" are one version, as Flyway has it. */
static const char *
version_key(Arena *a, Str version)
{
    Buf b;
    buf_init(&b, a);
    size_t end = 0; /* behind the last part that is not 0, and the first */
    while (version.n) {
        Str part = {version.p, strspn(version.p, "0123456789")};
        part.n = part.n < version.n ? part.n : version.n;
        version = str_slice(version, part.n < version.n ? part.n + 1 : part.n, version.n);
        while (part.n > 1 && part.p[0] == '0')
            part = str_slice(part, 1, part.n);
        buf_addz(&b, b.n ? "." : "");
        buf_add(&b, part);
        if (!end || !str_is(part, "0"))
            end = b.n;
    }
    return str_dup(a, str_slice(buf_str(&b), 0, end));
}

/* HistoryLayout.version: behind the folders that it may lie in. */
static const char *
plain_version(Arena *a, const char *name)
{
    const char *own = fs_basename(name);
    return version_key(a, own[0] == 'V' ? version_at(own + 1, true) : version_at(own, false));
}

/* Beside the last one, in its form. */
static HistoryNew
plain_squashed(Arena *a, const Migration *last)
{
    const char *file = fs_basename(last->path), *folder = fs_dirname(a, last->name);
    bool flyway = file[0] == 'V', pair = str_ends(str_of(file), STR(".up.sql"));
    Str version = version_at(file + flyway, flyway);
    const char *name = str_fmt(a, "%s%.*s%ssquashed", flyway ? "V" : "", (int)version.n, version.p,
                               flyway ? "__" : "_");
    return (HistoryNew){str_fmt(a, "%s%s.sql", name, pair ? ".up" : ""),
                        strchr(last->name, '/') ? fs_join(a, folder, name) : name, NULL};
}

/* By the numbers of their versions, however long. */
static int
by_version(const void *pa, const void *pb)
{
    const Migration *a = pa, *b = pb;
    Str x = str_of(a->key), y = str_of(b->key);
    while (x.p && y.p) {
        Str i = str_cut(&x, '.'), j = str_cut(&y, '.');
        int d = i.n != j.n ? (i.n > j.n) - (i.n < j.n) : str_cmp(i, j);
        if (d)
            return d;
    }
    return x.p || y.p ? (x.p ? 1 : -1) : strcmp(a->path, b->path);
}

/* ---- the folder --------------------------------------------------------------------------- */

static bool
plain_recognise(Arena *a, const char *dir)
{
    FsEntryVec list;
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list) {
        Name n = read_name(e->name);
        if (e->kind == FS_FILE && !n.why && !n.repeats)
            return true;
    }
    return false;
}

typedef struct Walk {
    Arena *a;
    const char *dir;
    History *h;
    const char *first[FORM_COUNT]; /* a file of each form */
} Walk;

/* Flyway puts values in place of ${name}; sent as they are they would be wrong, mostly in silence. */
static const char *
placeholder(Arena *a, Str text)
{
    int line, col;
    const char *p = text.p ? memmem(text.p, text.n, "${", 2) : NULL;
    if (!p)
        return NULL;
    str_line_col(text, (size_t)(p - text.p), &line, &col);
    return str_fmt(a, "line %d has a placeholder (${...}), whose value only Flyway knows", line);
}

/* A file of dbmate, goose, sql-migrate or node-pg-migrate has the way back behind a mark, and plain SQL would
 * run that, too. */
static const char *
way_back(Arena *a, Str text)
{
    static const char *const marks[] = {"migrate:down", "+goose down", "+migrate down",
                                        "down migration"};
    int n = 0;
    for (Str rest = text; rest.p; n++) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (!str_starts(line, STR("--")))
            continue;
        line = str_trim(str_slice(line, 2, line.n));
        for (size_t i = 0; i < COUNT(marks); i++)
            if (line.n >= strlen(marks[i]) &&
                str_ieq((Str){line.p, strlen(marks[i])}, str_of(marks[i])))
                return str_fmt(a,
                               "behind line %d (\"-- %s\") is the way back of another tool's file, "
                               "which plain SQL would run, too; name the tool (history in "
                               "aramid.yaml), or take that part out",
                               n + 1, marks[i]);
    }
    return NULL;
}

static bool
take(Walk *w, const char *file, const Name *n, Err *err)
{
    ARENA_LOCAL(scratch);
    History *h = w->h;
    Str text, stem = str_of(file);
    stem.n -= strlen(n->form != FORM_PAIR ? ".sql" : n->is_down ? ".down.sql" : ".up.sql");
    Migration m = {.name = str_dup(w->a, stem), .key = version_key(w->a, n->version)};
    if (!layout_check_name(w->a, file, "file", 0, h->dir, err))
        return false;
    layout_place(w->a, w->dir, h->dir, file, &m);
    if (n->is_down) {
        *vec_add(w->a, &h->downs) = m;
        return true;
    }
    if (!history_read_file(w->a, scratch, h, &m, &text, err))
        return false;
    m.checksum = text.p ? layout_checksum(w->a, text) : "";
    m.unfit = n->form == FORM_FLYWAY ? placeholder(w->a, text) : NULL;
    m.unfit = m.unfit ? m.unfit : way_back(w->a, text);
    *vec_add(w->a, &h->files) = m;
    if (!w->first[n->form])
        w->first[n->form] = m.path;
    return true;
}

/* Whether some file in or below a folder could be meant. */
static bool
has_sql(Arena *a, const char *dir, int depth)
{
    FsEntryVec list;
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *path = fs_join(a, dir, e->name);
        if (e->kind == FS_FILE
                ? strcasestr(e->name, ".sql") != NULL
                : e->kind == FS_DIR && !e->is_link && depth && has_sql(a, path, depth - 1))
            return true;
    }
    return false;
}

/* Why a folder's files are passed over; NULL: they are read. */
static const char *
why_not_below(const Walk *w, const FsEntry *e, int depth)
{
    if (!w->h->options.subfolders)
        return "it is a subfolder, whose files are passed over; \"migrations_subfolders: true\" in "
               "aramid.yaml takes them";
    if (e->is_link)
        return "it is a link to a folder, which is not followed";
    if (e->name[0] == '.')
        return "it is hidden, so its files are passed over";
    return depth ? NULL : "it lies too deep";
}

static bool
walk(Walk *w, const char *below, int depth, Err *err)
{
    FsEntryVec list;
    if (!fs_list(w->a, fs_join(w->a, w->dir, below), &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *file = fs_join(w->a, below, e->name);
        if (e->kind == FS_DIR) {
            const char *why = why_not_below(w, e, depth);
            if (!why && !walk(w, file, depth - 1, err))
                return false;
            if (why && has_sql(w->a, fs_join(w->a, w->dir, file), DEEPEST))
                layout_note_stray(w->h, str_fmt(w->a, "%s/", file), why);
            continue;
        }
        Name n = read_name(e->name);
        if (n.repeats && e->kind == FS_FILE)
            *vec_add(w->a, &w->h->scripts) = file;
        else if (n.why && strcasestr(e->name, ".sql"))
            layout_note_stray(w->h, file, n.why);
        else if (!n.why && e->kind != FS_FILE)
            layout_note_stray(w->h, file, "it is no file that can be read");
        else if (!n.why && !take(w, file, &n, err))
            return false;
    }
    return true;
}

/* A folder's names are of one form: who writes another one is mostly elsewhere in thought, and each tool
 * passes over the other's. */
static bool
check_forms(const Walk *w, Err *err)
{
    int a = -1;
    for (int f = 0; f < FORM_COUNT; f++) {
        if (!w->first[f])
            continue;
        if (a < 0) {
            a = f;
            continue;
        }
        err_set(err, ERR_MIGRATION_FILE, "the migrations are named in two ways");
        err_detail(err, "\"%s\" is %s, \"%s\" is %s", w->first[a], form_names[a], w->first[f],
                   form_names[f]);
        err_at(err, w->first[f], 0, 0);
        return err_hint(err, "rename one of them; a migration is known by its version, so that one "
                             "that was applied may be renamed, too");
    }
    return true;
}

static void
note_lonely_downs(Walk *w)
{
    vec_each (const Migration, d, &w->h->downs)
        if (!layout_of_version(w->h, str_of(d->key)))
            layout_note_stray(
                w->h, fs_below(w->h->dir, d->path),
                "it is the way back of a migration, and there is none of its version");
}

static bool
plain_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    (void)shown;
    Walk w = {.a = a, .dir = dir, .h = ret};
    if (!walk(&w, "", DEEPEST, err) || !check_forms(&w, err))
        return false;
    if (ret->files.n)
        qsort(ret->files.v, ret->files.n, sizeof(Migration), by_version);
    note_lonely_downs(&w);
    return layout_check_versions(a, ret, err);
}

/* ---- the ledger --------------------------------------------------------------------------- */

static void
plain_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    layout_add_table(b, at);
    buf_addz(b, " (version text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
                " started_at timestamptz NOT NULL, finished_at timestamptz NOT NULL,"
                " applied_by text NOT NULL DEFAULT CURRENT_USER, tool_version text NOT NULL)");
}

static void
plain_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT version, name, checksum");
    layout_add_epoch(b, "started_at");
    layout_add_epoch(b, "finished_at");
    buf_addz(b, " FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY started_at, version");
}

static bool
plain_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 5, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        Str version = db_cell(rows, i, 0);
        Str checksum = db_cell(rows, i, 2);
        *vec_add(a, &h->rows) = (LedgerRow){
            .id = version.p,
            .checksum = checksum.p,
            .name = layout_row_name(h, version, db_cell(rows, i, 1).p, checksum),
            .logs = "",
            .started_us = db_time_us(db_cell(rows, i, 3)),
            .finished_us = db_time_us(db_cell(rows, i, 4)),
            .steps = 1,
        };
    }
    return true;
}

static bool
plain_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

static void
add_row(Buf *b, const LedgerName *at, const LedgerRow *row, bool ran)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (version, name, checksum, started_at, finished_at, tool_version) VALUES (");
    if (ran)
        buf_addz(b, "pg_catalog.repeat(");
    sql_add_literal(b, str_of(row->migration->key));
    if (ran) {
        buf_addz(b, ", ");
        layout_add_one(b, &history_plain, at, row);
        buf_addc(b, ')');
    }
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ", ");
    if (row->started_us)
        layout_add_time(b, row->started_us);
    else
        layout_add_now(b);
    if (ran) {
        buf_addz(b, ", GREATEST(");
        layout_add_now(b);
        buf_addz(b, ", ");
    } else
        buf_addz(b, ", ");
    if (row->started_us)
        layout_add_time(b, row->started_us);
    else
        layout_add_now(b);
    buf_addz(b, ran ? "), " : ", ");
    sql_add_literal(b, STR(ARAMID_VERSION));
    buf_addc(b, ')');
}

static void
plain_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, true);
}

static void
plain_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_row(b, at, row, false);
}

static void
plain_add_corrected(Buf *b, const LedgerName *at, const char *id, const LedgerRow *row)
{
    layout_add_update(b, at);
    buf_addz(b, "version = ");
    sql_add_literal(b, str_of(row->migration->key));
    buf_addz(b, ", name = ");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", checksum = ");
    sql_add_literal(b, str_of(row->checksum));
    layout_add_where(b, "version", id);
}

static void
plain_add_written(Buf *b, const LedgerRow *row)
{
    layout_add_equal(b, "checksum", row->checksum);
}

static void
plain_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "version", row->migration->key);
}

const HistoryLayout history_plain = {
    .name = "sql",
    .ledger = {.tool = "Aramid",
               .may_move = true,
               .table = "_aramid_migrations",
               .columns = "version,name,checksum,started_at,finished_at,applied_by,tool_version"},
    .yields = true,
    .recognise = plain_recognise,
    .list = plain_list,
    .new_one = plain_new,
    .squashed = plain_squashed,
    .version = plain_version,
    .checksum_matches = plain_checksum_matches,
    .add_create = plain_add_create,
    .add_select = plain_add_select,
    .read_rows = plain_read_rows,
    .add_applied = plain_add_applied,
    .add_resolved = plain_add_resolved,
    .add_written = plain_add_written,
    .add_corrected = plain_add_corrected,
    .add_removed = layout_add_removed_version,
    .add_where = plain_add_where,
};
