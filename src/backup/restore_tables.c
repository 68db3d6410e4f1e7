/* Rows into tables that are there: through temporary tables, for a dump's order is not that of foreign
 * keys. All of it in the restore's transaction. */
#include "backup/restore_int.h"

#include <inttypes.h>

typedef struct Taken {
    const BackupTable *table;
    const char *name; /* as sql_dump_name has it */
    bool is_moved;
} Taken;

struct RestoreTables {
    Arena *arena;
    Db *db;
    const RestoreSurvey *survey;
    VEC(Taken) places;
    RestoreTexts triggers; /* statements that switch them on again, as they were */
};

static bool
has(const RestoreTexts *list, const char *name)
{
    vec_each (const char *, text, list)
        if (strcmp(*text, name) == 0)
            return true;
    return false;
}

static bool
run(RestoreTables *t, const char *sql, DbRowsVec *ret, Err *err)
{
    DbOutcome o;
    db_run(t->db, t->arena, str_of(sql), &(DbRun){0}, &o);
    if (ret)
        *ret = o.results;
    if (o.end == DB_DONE)
        return true;
    db_outcome_err(&o, "restoring rows into tables", err);
    if (o.end == DB_FAILED && !o.cancelled && strcmp(o.sqlstate, "55P03") != 0)
        err->code = ERR_RESTORE;
    return false;
}

/* All of them must be there; views and foreign tables take no rows back. */
static bool
check_there(RestoreTables *t, const RestoreTexts *names, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    buf_addz(&b, "SELECT t.name FROM pg_catalog.unnest(ARRAY[");
    vec_each (const char *, name, names) {
        buf_addz(&b, name == names->v ? "" : ",");
        sql_add_literal(&b, str_of(*name));
    }
    buf_addz(&b, "]::pg_catalog.text[]) t(name) LEFT JOIN pg_catalog.pg_class c ON c.oid "
                 "OPERATOR(pg_catalog.=) pg_catalog.to_regclass(t.name) AND c.relkind "
                 "OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[]) WHERE c.oid IS NULL");
    DbRowsVec rows;
    if (!run(t, b.p, &rows, err))
        return false;
    if (!rows.v[0].rows)
        return true;
    err_set(err, ERR_RESTORE, "the database does not have every table whose rows are wanted");
    for (int i = 0; i < rows.v[0].rows; i++)
        err_detail(err, "%s", str_printable(t->arena, db_cell(&rows.v[0], i, 0), false));
    return err_hint(err, "restore beside it, with a database of its own (without --into), and take "
                         "the table from there; or let a migration make it, empty");
}

/* Nobody writes to them from now on; those that nobody named keep the rows that they have. */
static bool
take(RestoreTables *t, const RestoreChoice *only, RestoreResult *ret, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    buf_addz(&b, "SET LOCAL lock_timeout = '5s'; SET LOCAL row_security = off; LOCK TABLE ");
    vec_each (const char *, name, &only->tables)
        buf_fmt(&b, "%s%s", name == only->tables.v ? "" : ", ", *name);
    buf_addz(&b, " IN SHARE ROW EXCLUSIVE MODE; SET LOCAL lock_timeout = 0");
    vec_each (const char *, name, &only->tables)
        buf_fmt(&b, "; SELECT EXISTS (SELECT FROM %s)", *name);
    DbRowsVec rows;
    if (!run(t, b.p, &rows, err))
        return false;
    *err = (Err){0};
    for (size_t i = 0; i < only->tables.n; i++) {
        const char *name = only->tables.v[i];
        const DbRows *answer = &rows.v[rows.n - only->tables.n + i];
        bool is_empty = str_is(db_cell(answer, 0, 0), "f");
        vec_each (const BackupTable, table, &t->survey->tables)
            if (is_empty && strcmp(table->name, name) == 0)
                *vec_add(t->arena, &t->places) =
                    (Taken){table, sql_dump_name(t->arena, str_of(name)), false};
        const char *shown = str_printable(t->arena, str_of(name), false);
        if (is_empty)
            continue;
        if (has(&only->added, name)) {
            *vec_add(t->arena, &ret->kept) = shown;
            continue;
        }
        if (!err->code)
            err_set(err, ERR_NOT_EMPTY, "a table whose rows would be restored is not empty");
        err_detail(err, "%s", shown);
    }
    return !err->code || err_hint(err, "a restore adds to no rows and takes none away: empty the "
                                       "table first, or restore beside the database");
}

/* Triggers of users saw these rows once; they are switched off, each, and on again as they were. */
static bool
stop_triggers(RestoreTables *t, Err *err)
{
    Buf b, off;
    buf_init(&b, t->arena);
    buf_init(&off, t->arena);
    buf_addz(&b, "SELECT pg_catalog.format('ALTER TABLE %s ', x.name), "
                 "pg_catalog.format('TRIGGER %I;', g.tgname), g.tgenabled FROM "
                 "pg_catalog.unnest(ARRAY[");
    vec_each (const Taken, p, &t->places) {
        buf_addz(&b, p == t->places.v ? "" : ",");
        sql_add_literal(&b, str_of(p->name));
    }
    buf_addz(&b, "]::pg_catalog.text[]) x(name) JOIN pg_catalog.pg_trigger g ON g.tgrelid "
                 "OPERATOR(pg_catalog.=) x.name::pg_catalog.regclass WHERE NOT g.tgisinternal AND "
                 "g.tgenabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::pg_catalog.\"char\"[])");
    DbRowsVec rows;
    if (!t->places.n)
        return true;
    if (!run(t, b.p, &rows, err))
        return false;
    for (int i = 0; i < rows.v[0].rows; i++) {
        const char *table = db_cell(&rows.v[0], i, 0).p, *name = db_cell(&rows.v[0], i, 1).p;
        const char *how = str_is(db_cell(&rows.v[0], i, 2), "A") ? "ENABLE ALWAYS " : "ENABLE ";
        buf_fmt(&off, "%sDISABLE %s", table, name);
        *vec_add(t->arena, &t->triggers) = str_fmt(t->arena, "%s%s%s", table, how, name);
    }
    return !off.n || run(t, off.p, NULL, err);
}

static bool
make_temporary(RestoreTables *t, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    vec_each (const Taken, p, &t->places)
        buf_fmt(
            &b,
            "CREATE TEMP TABLE aramid_rows_%zu ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA;",
            (size_t)(p - t->places.v), p->table->columns, p->name);
    return !b.n || run(t, b.p, NULL, err);
}

bool
restore_tables_open(Arena *a, Db *db, const RestoreSurvey *survey, const RestoreChoice *only,
                    RestoreResult *result, RestoreTables **ret, Err *err)
{
    RestoreTables *t = arena_new(a, RestoreTables);
    *t = (RestoreTables){.arena = a, .db = db, .survey = survey};
    *ret = t;
    return check_there(t, &only->tables, err) && take(t, only, result, err) &&
           stop_triggers(t, err) && make_temporary(t, err);
}

const char *
restore_tables_copy(const RestoreTables *t, Arena *a, const DumpEvent *copy)
{
    vec_each (const Taken, p, &t->places) {
        if (!str_is(copy->table, p->table->name))
            continue;
        const char *columns = str_dup(a, copy->columns);
        return str_fmt(a, "COPY pg_temp.aramid_rows_%zu%s%s%s FROM stdin",
                       (size_t)(p - t->places.v), copy->columns.n ? " (" : "", columns,
                       copy->columns.n ? ")" : "");
    }
    return NULL;
}

/* Whether all that its foreign keys refer to is there. A loop is for deferrable keys to solve. */
static bool
is_ready(const RestoreTables *t, const char *name)
{
    vec_each (const RestoreLink, link, &t->survey->links) {
        if (strcmp(link->from, name) != 0)
            continue;
        if (link->is_partition && !is_ready(t, link->to))
            return false;
        vec_each (const Taken, p, &t->places)
            if (!link->is_partition && !p->is_moved && strcmp(link->to, p->name) == 0 &&
                strcmp(p->name, name) != 0)
                return false;
    }
    return true;
}

static void
add_move(RestoreTables *t, Buf *b, Taken *p)
{
    bool has_columns = p->table->columns[0];
    buf_fmt(b,
            "INSERT INTO %s%s%s%s OVERRIDING SYSTEM VALUE SELECT %s FROM pg_temp.aramid_rows_%zu;",
            p->name, has_columns ? " (" : "", p->table->columns, has_columns ? ")" : "",
            p->table->columns, (size_t)(p - t->places.v));
    p->is_moved = true;
}

/* Behind what was restored, never back. */
static bool
move_sequences(RestoreTables *t, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    buf_addz(
        &b,
        "SELECT pg_catalog.format('SELECT pg_catalog.setval(%L, x.v) FROM (SELECT "
        "pg_catalog.%s(%I) "
        "AS v FROM %s) x, %s s WHERE x.v IS NOT NULL AND (x.v OPERATOR(pg_catalog.%s) s.last_value "
        "OR "
        "NOT s.is_called AND x.v OPERATOR(pg_catalog.=) s.last_value);', "
        "c.oid::pg_catalog.regclass, "
        "CASE WHEN q.seqincrement OPERATOR(pg_catalog.>) 0 THEN 'max' ELSE 'min' END, a.attname, "
        "x.name, c.oid::pg_catalog.regclass, CASE WHEN q.seqincrement OPERATOR(pg_catalog.>) 0 "
        "THEN "
        "'>' ELSE '<' END) FROM pg_catalog.unnest(ARRAY[");
    vec_each (const Taken, p, &t->places) {
        buf_addz(&b, p == t->places.v ? "" : ",");
        sql_add_literal(&b, str_of(p->name));
    }
    buf_addz(
        &b,
        "]::pg_catalog.text[]) x(name) JOIN pg_catalog.pg_depend d ON d.refclassid "
        "OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid "
        "OPERATOR(pg_catalog.=) x.name::pg_catalog.regclass AND d.refobjsubid "
        "OPERATOR(pg_catalog.>) 0 AND d.deptype OPERATOR(pg_catalog.=) ANY "
        "('{a,i}'::pg_catalog.\"char\"[]) AND d.classid OPERATOR(pg_catalog.=) "
        "'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_sequence q ON q.seqrelid "
        "OPERATOR(pg_catalog.=) d.objid JOIN pg_catalog.pg_class c ON c.oid "
        "OPERATOR(pg_catalog.=) d.objid JOIN pg_catalog.pg_attribute a ON a.attrelid "
        "OPERATOR(pg_catalog.=) d.refobjid AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid");
    DbRowsVec rows;
    if (!t->places.n)
        return true;
    if (!run(t, b.p, &rows, err))
        return false;
    for (int i = 0; i < rows.v[0].rows; i++)
        if (!run(t, db_cell(&rows.v[0], i, 0).p, NULL, err))
            return false;
    return true;
}

bool
restore_tables_move(RestoreTables *t, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    buf_addz(&b, "SET CONSTRAINTS ALL DEFERRED;");
    for (size_t left = t->places.n; left;) {
        size_t before = left;
        vec_each (Taken, p, &t->places)
            if (!p->is_moved && is_ready(t, p->name)) {
                add_move(t, &b, p);
                left--;
            }
        for (size_t i = 0; left == before && i < t->places.n; i++)
            if (!t->places.v[i].is_moved) { /* a loop: somewhere it has to begin */
                add_move(t, &b, &t->places.v[i]);
                left--;
                break;
            }
    }
    buf_addz(&b, "SET CONSTRAINTS ALL IMMEDIATE;");
    vec_each (const char *, text, &t->triggers)
        buf_addz(&b, *text);
    return run(t, b.p, NULL, err) && move_sequences(t, err);
}

BackupTableVec
restore_tables_filled(const RestoreTables *t, Arena *a)
{
    BackupTableVec list = {0};
    vec_each (const Taken, p, &t->places)
        *vec_add(a, &list) = *p->table;
    return list;
}
