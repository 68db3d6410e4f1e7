#include "backup/restore_int.h"

#include "backup/native.h"

#include <inttypes.h>

enum { MESSAGE_BYTES = 64 * 1024, MESSAGE_STATEMENTS = 200 };

typedef struct Restore {
    Arena *arena;
    Db *db;
    const RestoreSurvey *survey;
    const RestoreOptions *options;
    RestoreResult *ret;
    Err *err;
    RestoreStream *stream;
    Map wanted;            /* names of tables whose rows are restored, where not all are */
    RestoreTables *tables; /* that are there and take them; NULL: the backup makes its own */
    Map settings;          /* that the server knows */
    bool is_superuser;

    Buf message; /* statements that wait to be sent together */
    VEC(size_t) starts;

    const DumpEvent *copy; /* whose rows come in */
    size_t number;
    bool failed; /* reading the rows: err is filled */
    bool rows_ended;
} Restore;

static void
unknown_setting(Restore *r, const char *name)
{
    const char *shown = str_printable(r->arena, str_of(name), false);
    vec_each (const Finding, f, &r->ret->findings.items)
        if (strcmp(f->object, shown) == 0)
            return;
    finding_add(&r->ret->findings, FINDING_RESTORE_SETTING,
                "this setting of the backup is not known to the server and was left out")
        ->object = shown;
}

static void
tell(Restore *r)
{
    if (!r->options->progress)
        return;
    BackupInput *in = restore_input(r->stream);
    ARENA_LOCAL(scratch);
    RestoreProgress p = {.table = r->copy ? str_dup(scratch, r->copy->table) : NULL,
                         .number = r->number,
                         .count = r->survey->tables.n,
                         .bytes = backup_input_position(in),
                         .all_bytes = backup_input_size(in)};
    r->options->progress(r->options->progress_arg, &p);
}

/* ---- sending -------------------------------------------------------------------------------- */

static const char *
advice(const DbOutcome *o)
{
    if (strcmp(o->sqlstate, "42501") == 0)
        return "restore as a role that may do this, or leave owners and privileges out: --no-owner "
               "--no-privileges";
    if (strcmp(o->sqlstate, "53100") == 0)
        return "the server's disk is full: a restore needs the space of the data and its indexes "
               "once more, beside what is there";
    if (strcmp(o->sqlstate, "0A000") == 0 || strcmp(o->sqlstate, "42601") == 0)
        return "was the backup made on a newer PostgreSQL? It can be restored on that version and "
               "newer ones";
    return NULL;
}

/* What the server refused, as a person looks for it. */
static bool
refused(Restore *r, const DbOutcome *o, Str statement)
{
    ARENA_LOCAL(scratch);
    Err *err = r->err;
    if (o->cancelled || o->end == DB_LOST)
        return db_outcome_err(o, "the restore", err);
    Str line = str_cut(&statement, '\n');
    err_set(err, ERR_RESTORE, "the backup was not restored: %s",
            str_printable(scratch, str_of(o->message), false));
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    if (o->detail[0])
        err_detail(err, "%s", str_printable(scratch, str_of(o->detail), true));
    if (o->context[0])
        err_detail(err, "%s", str_printable(scratch, str_of(o->context), true));
    err_detail(err, "at: %s",
               str_printable(scratch, str_slice(line, 0, line.n < 300 ? line.n : 300), false));
    if (o->hint[0])
        err_hint(err, "%s", str_printable(scratch, str_of(o->hint), true));
    const char *more = advice(o);
    return more ? err_hint(err, "%s", more) : false;
}

static bool
flush(Restore *r)
{
    if (!r->starts.n)
        return true;
    ARENA_LOCAL(scratch);
    DbOutcome o;
    db_run(r->db, scratch, buf_str(&r->message), &(DbRun){.discard_rows = true}, &o);
    size_t done = (size_t)o.completed < r->starts.n ? (size_t)o.completed : r->starts.n - 1;
    Str text = str_slice(buf_str(&r->message), r->starts.v[done], r->message.n);
    bool ok = o.end == DB_DONE || refused(r, &o, text);
    r->ret->statements += ok ? (int64_t)r->starts.n : 0;
    r->starts.n = 0;
    buf_clear(&r->message);
    tell(r);
    return ok;
}

static bool
add(Restore *r, Str statement)
{
    if (r->message.n && r->message.n + statement.n > MESSAGE_BYTES && !flush(r))
        return false;
    *vec_add(r->arena, &r->starts) = r->message.n;
    buf_add(&r->message, statement);
    buf_addz(&r->message, ";\n");
    return r->starts.n < MESSAGE_STATEMENTS || flush(r);
}

/* What fails for want of the server's means, not for what the query finds. */
static bool
is_of_the_server(const DbOutcome *o)
{
    return o->end != DB_FAILED || o->cancelled || strncmp(o->sqlstate, "53", 2) == 0 ||
           strncmp(o->sqlstate, "57", 2) == 0 || strncmp(o->sqlstate, "58", 2) == 0 ||
           strncmp(o->sqlstate, "XX", 2) == 0;
}

/* No dump has the rows of a materialized view, which may be older than its tables: what its query finds
 * now, or that it finds an error, is no fault of the backup. */
static bool
refresh(Restore *r, Str statement, const char *name)
{
    ARENA_LOCAL(scratch);
    DbOutcome o;
    if (!flush(r) || !db_query(r->db, scratch, STR("SAVEPOINT aramid"), NULL, r->err))
        return false;
    /* pg_dump switches policies off for its rows; a view's owner may be under some. */
    Buf sql;
    buf_init(&sql, scratch);
    buf_addz(&sql, "SET LOCAL row_security = on;");
    buf_add(&sql, statement);
    db_run(r->db, scratch, buf_str(&sql), &(DbRun){.discard_rows = true}, &o);
    if (o.end == DB_DONE) {
        r->ret->statements++;
        return db_query(r->db, scratch, STR("SET LOCAL row_security = off; RELEASE aramid"), NULL,
                        r->err);
    }
    if (is_of_the_server(&o))
        return refused(r, &o, statement);
    finding_add(&r->ret->findings, FINDING_RESTORE_UNFILLED,
                "materialized view \"%s\" is restored and stays without rows: %s",
                str_printable(scratch, str_of(name), false),
                str_printable(scratch, str_of(o.message), false))
        ->object = str_printable(r->arena, str_of(name), false);
    return db_query(r->db, scratch, STR("ROLLBACK TO aramid; RELEASE aramid"), NULL, r->err);
}

/* ---- statements ----------------------------------------------------------------------------- */

static bool
is_known(const Restore *r, const char *setting)
{
    /* What SET knows beside settings: SET TIME ZONE, SET XML OPTION, ... */
    static const char *const words[] = {"names",           "time",        "xml",
                                        "schema",          "constraints", "transaction",
                                        "characteristics", "role",        "seed"};
    ARENA_LOCAL(scratch);
    char *lower = str_dupz(scratch, setting);
    for (char *p = lower; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(lower, words[i]) == 0)
            return true;
    return strchr(setting, '.') || map_has(&r->settings, str_of(lower));
}

static bool
take_statement(Restore *r, Str text)
{
    ARENA_LOCAL(scratch);
    SqlDumpStmt s = sql_dump_statement(scratch, text);
    if (r->tables && s.kind != SQL_DUMP_SETTING)
        return true; /* they are there */
    switch (s.kind) {
    case SQL_DUMP_TRANSACTION:
        return true; /* all of it is one */
    case SQL_DUMP_SETTING:
        if (!is_known(r, s.name)) {
            unknown_setting(r, s.name);
            return true;
        }
        /* What follows must be read under it. */
        return flush(r) && add(r, text) && flush(r);
    case SQL_DUMP_OWNER:
        if (r->options->no_owner)
            return true;
        break;
    case SQL_DUMP_PRIVILEGES:
        if (r->options->no_privileges)
            return true;
        break;
    case SQL_DUMP_REFRESH:
        return refresh(r, text, s.name);
    case SQL_DUMP_EXTENSION_COMMENT:
        if (!r->is_superuser) /* an extension brings its own; only its owner may say it again */
            return true;
        break;
    case SQL_DUMP_SCHEMA:
        if (strcmp(s.name, "public") == 0)
            return true; /* every new database has it */
        if (r->options->no_owner && s.roles.n) {
            Buf b;
            buf_init(&b, scratch);
            buf_addz(&b, "CREATE SCHEMA ");
            sql_add_ident(&b, s.name);
            return add(r, buf_str(&b));
        }
        break;
    default:
        break;
    }
    return add(r, text);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static bool
give_rows(void *arg, Str *ret)
{
    Restore *r = arg;
    RestoreItem item;
    if (!restore_next(r->stream, &item, r->err)) {
        r->failed = true;
        return false;
    }
    tell(r);
    r->rows_ended = item.kind == RESTORE_COPY_END;
    *ret = r->rows_ended ? (Str){0} : item.text;
    if (r->rows_ended)
        r->ret->rows += item.copy->rows;
    return true;
}

static bool
skip_rows(Restore *r)
{
    RestoreItem item = {.kind = RESTORE_COPY};
    while (item.kind != RESTORE_COPY_END) {
        if (!restore_next(r->stream, &item, r->err))
            return false;
        tell(r);
    }
    return true;
}

static bool
take_copy(Restore *r, const RestoreItem *item)
{
    ARENA_LOCAL(scratch);
    DumpEvent copy = *item->copy;
    copy.table = str_copy(scratch, copy.table);
    copy.columns = str_copy(scratch, copy.columns);
    Str statement = str_copy(scratch, item->text);
    if (!flush(r))
        return false;
    const char *into = r->tables ? restore_tables_copy(r->tables, scratch, &copy) : NULL;
    if (r->tables ? !into : r->options->only && !map_has(&r->wanted, copy.table))
        return skip_rows(r);
    if (into)
        statement = str_of(into);
    r->copy = &copy;
    r->number++;
    r->rows_ended = false;
    DbOutcome o;
    db_run(r->db, scratch, statement, &(DbRun){.copy_in = give_rows, .copy_arg = r}, &o);
    r->copy = NULL;
    if (r->failed)
        return false;
    if (o.end != DB_DONE)
        return refused(r, &o, statement);
    r->ret->statements++;
    return r->rows_ended ||
           err_set(r->err, ERR_INTERNAL, "the server did not ask for the rows of a COPY");
}

static bool
take_items(Restore *r)
{
    for (;;) {
        RestoreItem item;
        if (!restore_next(r->stream, &item, r->err))
            return false;
        switch (item.kind) {
        case RESTORE_STATEMENT:
            if (!take_statement(r, item.text))
                return false;
            break;
        case RESTORE_COPY:
            if (!take_copy(r, &item))
                return false;
            break;
        case RESTORE_END:
            return flush(r);
        case RESTORE_META: /* the survey has looked at them */
        case RESTORE_ROWS:
        case RESTORE_COPY_END:
            break;
        }
    }
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool
begin(Restore *r)
{
    DbRowsVec rows;
    if (!db_query(r->db, r->arena,
                  STR("BEGIN READ WRITE;"
                      "SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings;"
                      "SELECT pg_catalog.current_setting('is_superuser');"
                      "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                      /* what texts mean must not hang on whose session it is */
                      "SET LOCAL array_nulls = on; SET LOCAL transform_null_equals = off;"
                      "SET LOCAL default_tablespace = ''"),
                  &rows, r->err))
        return false;
    map_init(&r->settings, r->arena);
    for (int i = 0; i < rows.v[1].rows; i++)
        map_put(&r->settings, db_cell(&rows.v[1], i, 0), r);
    r->is_superuser = str_is(db_cell(&rows.v[2], 0, 0), "on");
    return !r->survey->is_neutral ||
           db_query(r->db, r->arena, STR("SET LOCAL lc_monetary = 'C'"), NULL, r->err);
}

/* What the rows are compared with: those that were wanted. */
static RestoreSurvey
narrowed(Restore *r)
{
    RestoreSurvey s = *r->survey;
    r->ret->tables = s.tables.n;
    if (!r->options->only)
        return s;
    BackupTableVec wanted = {0};
    vec_each (const BackupTable, t, &r->survey->tables)
        if (map_has(&r->wanted, str_of(t->name)))
            *vec_add(r->arena, &wanted) = *t;
    s.tables = r->tables ? restore_tables_filled(r->tables, r->arena) : wanted;
    s.totals.large_objects = r->tables ? 0 : s.totals.large_objects;
    r->ret->tables = s.tables.n;
    return s;
}

static bool
compare(Restore *r)
{
    if (r->tables && !restore_tables_move(r->tables, r->err))
        return false;
    const RestoreSurvey s = narrowed(r);
    return restore_compare(r->arena, r->db, &s, r->options, r->ret, r->err);
}

static bool
open_tables(Restore *r)
{
    const RestoreChoice *only = r->options->only;
    map_init(&r->wanted, r->arena);
    if (!only)
        return true;
    vec_each (const char *, name, &only->tables)
        map_put(&r->wanted, str_of(*name), r);
    return !r->options->into_tables ||
           restore_tables_open(r->arena, r->db, r->survey, only, r->ret, &r->tables, r->err);
}

static bool
same_file(Restore *r)
{
    if (strcmp(backup_input_sha256(restore_input(r->stream)), r->survey->sha256) == 0)
        return true;
    err_set(r->err, ERR_BACKUP_BROKEN, "the backup was changed while it was restored");
    return err_hint(r->err, "nothing was kept; try again when nobody writes to it");
}

static bool
commit(Restore *r)
{
    ARENA_LOCAL(scratch);
    DbOutcome o;
    db_run(r->db, scratch, STR("COMMIT"), &(DbRun){0}, &o);
    if (o.end != DB_DONE)
        return refused(r, &o, STR("COMMIT"));
    return strcmp(o.results.v[0].tag, "COMMIT") == 0 ||
           err_set(r->err, ERR_RESTORE,
                   "the server took the restore back instead of committing it");
}

bool
restore_run(Arena *a, Db *db, const RestoreSurvey *survey, const RestoreOptions *options,
            RestoreResult *ret, Err *err)
{
    *ret = (RestoreResult){0};
    findings_init(&ret->findings, a, options->rules);
    ARENA_LOCAL(scratch);
    RESTORE_STREAM_LOCAL stream = NULL;
    if (!restore_stream_open(scratch, options->input, &stream, err))
        return false;
    Restore r = {.arena = a,
                 .db = db,
                 .survey = survey,
                 .options = options,
                 .ret = ret,
                 .err = err,
                 .stream = stream};
    buf_init(&r.message, scratch);
    bool ok = begin(&r) && open_tables(&r) && take_items(&r) && same_file(&r) && compare(&r) &&
              commit(&r);
    Err ignored;
    if (!ok && db_is_open(db))
        (void)!db_query(db, scratch, STR("ROLLBACK"), NULL, &ignored);
    return ok;
}
