#include "backup/restore_int.h"

#include "backup/native.h"

#include <inttypes.h>

typedef struct Compare {
    Arena *arena;
    Db *db;
    const RestoreSurvey *survey;
    const RestoreOptions *options;
    RestoreResult *ret;
    Err *err;
    /* of the table that is read */
    DumpReader *reader;
    int64_t rows;
    DumpSum sum;
} Compare;

static bool
take_event(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    Compare *c = arg;
    if (e->kind == DUMP_COPY_END) {
        c->rows = e->rows;
        c->sum = e->sum;
    }
    return true;
}

static bool
take_row(void *arg, size_t result, Str row)
{
    (void)result;
    Compare *c = arg;
    return dump_read(c->reader, row, c->err);
}

/* How the rows of a table are asked for: its name alone, or a query, where it is partitioned (then
 * without the partitions whose rows stand under their own names) or an extension keeps rows of its
 * own in it. */
static bool
read_sources(Compare *c, Arena *a, Map *ret)
{
    Buf sql;
    buf_init(&sql, a);
    buf_addz(&sql, "WITH x AS MATERIALIZED (SELECT t.name, c.oid, c.relkind, c.relispartition "
                   "FROM pg_catalog.unnest(ARRAY[");
    vec_each (const BackupTable, t, &c->survey->tables) {
        buf_addz(&sql, t == c->survey->tables.v ? "" : ",");
        sql_add_literal(&sql, str_of(t->name));
    }
    buf_addz(&sql,
             "]::pg_catalog.text[]) t(name) JOIN pg_catalog.pg_class c ON c.oid "
             "OPERATOR(pg_catalog.=) t.name::pg_catalog.regclass::pg_catalog.oid), own AS "
             "(SELECT pg_catalog.array_agg(oid)::pg_catalog.text AS oids FROM x WHERE "
             "relispartition AND relkind OPERATOR(pg_catalog.=) 'r') SELECT x.name, x.relkind, "
             "CASE WHEN x.relkind OPERATOR(pg_catalog.=) 'p' THEN (SELECT pg_catalog.format("
             "'WHERE tableoid OPERATOR(pg_catalog.<>) ALL (%L::pg_catalog.oid[])', own.oids) FROM "
             "own WHERE own.oids IS NOT NULL) ELSE (SELECT u.cond FROM pg_catalog.pg_extension e "
             "CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), "
             "pg_catalog.unnest(e.extcondition)) u(rel, cond) WHERE u.rel OPERATOR(pg_catalog.=) "
             "x.oid) END FROM x");
    DbRowsVec rows;
    if (!db_query(c->db, a, buf_str(&sql), &rows, c->err))
        return false;
    map_init(ret, a);
    for (int i = 0; i < rows.v[0].rows; i++) {
        Str condition = str_trim(db_cell(&rows.v[0], i, 2));
        bool is_partitioned = str_is(db_cell(&rows.v[0], i, 1), "p");
        if (is_partitioned || condition.n)
            map_put(ret, db_cell(&rows.v[0], i, 0),
                    str_fmt(a, "%s%s", is_partitioned ? "" : "ONLY", str_dup(a, condition)));
    }
    return true;
}

static Str
copy_sql(Arena *a, const BackupTable *t, const char *source)
{
    Buf b;
    buf_init(&b, a);
    bool only = source && strncmp(source, "ONLY", 4) == 0;
    if (source)
        buf_fmt(&b, "COPY (SELECT %s FROM %s%s %s) TO STDOUT", t->columns, only ? "ONLY " : "",
                t->name, only ? source + 4 : source);
    else
        buf_fmt(&b, "COPY %s%s%s%s TO STDOUT", t->name, t->columns[0] ? " (" : "", t->columns,
                t->columns[0] ? ")" : "");
    return buf_str(&b);
}

typedef enum Verdict { SAME, OTHER_VALUES, OTHER_ROWS, UNREADABLE, BROKEN } Verdict;

static Verdict
read_table(Compare *c, const BackupTable *t, const char *source)
{
    ARENA_LOCAL(a);
    DbOutcome o;
    c->rows = -1;
    c->reader = dump_reader_make(a, take_event, c);
    if (!dump_read(c->reader, STR("COPY x FROM stdin;\n"), c->err))
        return BROKEN;
    db_run(c->db, a, STR("SAVEPOINT aramid"), &(DbRun){0}, &o);
    if (o.end == DB_DONE)
        db_run(c->db, a, copy_sql(a, t, source), &(DbRun){.copy_out = take_row, .copy_arg = c}, &o);
    if (o.end == DB_FAILED && !o.cancelled && strcmp(o.sqlstate, "42501") == 0)
        return db_query(c->db, a, STR("ROLLBACK TO aramid"), NULL, c->err) ? UNREADABLE : BROKEN;
    if (o.end != DB_DONE) {
        db_outcome_err(&o, "reading the restored rows back", c->err);
        return BROKEN;
    }
    if (!dump_read(c->reader, STR("\\.\n"), c->err))
        return BROKEN;
    return c->rows != t->rows ? OTHER_ROWS : dump_sum_eq(c->sum, t->sum) ? SAME : OTHER_VALUES;
}

static bool
set(Compare *c, const char *sql)
{
    ARENA_LOCAL(a);
    return db_query(c->db, a, str_of(sql), NULL, c->err);
}

/* pg_dump prints points in time and money as the session that it had would, which a dump does not
 * tell: the server's own settings are tried where ours give other text. */
static bool
compare_table(Compare *c, const BackupTable *t, const char *source)
{
    /* Another major version may print another text for the same value. */
    bool is_exact = c->survey->is_exact && c->survey->major == db_info(c->db)->version / 10000;
    Verdict v = read_table(c, t, source);
    if (v == OTHER_VALUES && !c->survey->is_neutral) {
        if (!set(c, "SET LOCAL bytea_output = 'escape'"))
            return false;
        v = read_table(c, t, source);
        if (!set(c, "SET LOCAL bytea_output = 'hex'"))
            return false;
    }
    if (v == OTHER_VALUES && !is_exact) {
        if (!set(c, "SET LOCAL TimeZone = DEFAULT; SET LOCAL lc_monetary = DEFAULT"))
            return false;
        v = read_table(c, t, source);
        if (!set(c, "SET LOCAL TimeZone = 'UTC'"))
            return false;
    }
    ARENA_LOCAL(scratch);
    const char *name = str_printable(scratch, str_of(t->name), false);
    switch (v) {
    case SAME:
        c->ret->compared++;
        return true;
    case UNREADABLE:
        *vec_add(c->arena, &c->ret->not_compared) = str_dupz(c->arena, name);
        return true;
    case OTHER_VALUES:
        if (!is_exact) {
            *vec_add(c->arena, &c->ret->by_count) = str_dupz(c->arena, name);
            return true;
        }
        err_set(c->err, ERR_RESTORE, "rows of table %s are not what the backup holds", name);
        err_detail(c->err, "%" PRId64 " rows, as in the backup, but other values", c->rows);
        return err_hint(c->err, "nothing was kept. Please report this");
    case OTHER_ROWS:
        err_set(c->err, ERR_RESTORE, "table %s has %" PRId64 " rows, and the backup %" PRId64, name,
                c->rows, t->rows);
        return err_hint(c->err,
                        "nothing was kept. Does a trigger or a rule of the backup change rows?");
    case BROKEN:
        break;
    }
    return false;
}

static bool
compare_objects(Compare *c)
{
    const DumpTotals *want = &c->survey->totals;
    ARENA_LOCAL(a);
    DumpTotals there;
    if (!want->large_objects)
        return true;
    if (!set(c, "SAVEPOINT aramid"))
        return false;
    if (!backup_native_objects(a, c->db, &there, c->err)) {
        if (c->err->code != ERR_DENIED)
            return false;
        *vec_add(c->arena, &c->ret->not_compared) = "large objects";
        return set(c, "ROLLBACK TO aramid");
    }
    if (there.large_objects == want->large_objects && dump_sum_eq(there.large_sum, want->large_sum))
        return true;
    err_set(c->err, ERR_RESTORE, "large objects are not what the backup holds");
    err_detail(c->err, "%" PRId64 " are there, %" PRId64 " in the backup", there.large_objects,
               want->large_objects);
    return err_hint(c->err, "nothing was kept. Please report this");
}

bool
restore_compare(Arena *a, Db *db, const RestoreSurvey *survey, const RestoreOptions *options,
                RestoreResult *ret, Err *err)
{
    Compare c = {
        .arena = a, .db = db, .survey = survey, .options = options, .ret = ret, .err = err};
    ARENA_LOCAL(scratch);
    Map sources;
    Buf begin;
    buf_init(&begin, scratch);
    buf_addz(&begin, "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL client_encoding = ");
    sql_add_literal(&begin, str_of(survey->encoding ? survey->encoding : "UTF8"));
    buf_fmt(&begin, ";%s", backup_native_settings);
    if (!set(&c, begin.p) || (!survey->is_neutral && !set(&c, "SET LOCAL lc_monetary = DEFAULT")) ||
        !read_sources(&c, scratch, &sources))
        return false;
    vec_each (const BackupTable, t, &survey->tables) {
        RestoreProgress p = {.table = t->name,
                             .compares = true,
                             .number = (size_t)(t - survey->tables.v) + 1,
                             .count = survey->tables.n};
        if (options->progress)
            options->progress(options->progress_arg, &p);
        if (!compare_table(&c, t, map_get(&sources, str_of(t->name))))
            return false;
    }
    return compare_objects(&c);
}
