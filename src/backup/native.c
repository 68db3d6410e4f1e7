#include "backup/native_int.h"

#include "base/clock.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LOCK_WAIT_MS = 30000, LOCK_SLICE_MS = 1000 };

/* lc_monetary C prints the stored number as it is, whatever the currency of the server. */
const char *const backup_native_settings = "SET LOCAL statement_timeout = 0;"
                                           "SET LOCAL lock_timeout = 0;"
                                           "SET LOCAL search_path = '';"
                                           "SET LOCAL DateStyle = 'ISO, MDY';"
                                           "SET LOCAL IntervalStyle = 'postgres';"
                                           "SET LOCAL TimeZone = 'UTC';"
                                           "SET LOCAL extra_float_digits = 1;"
                                           "SET LOCAL bytea_output = 'hex';"
                                           "SET LOCAL xmloption = 'content';"
                                           "SET LOCAL lc_monetary = 'C';"
                                           "SET LOCAL row_security = off;"
                                           "SET LOCAL synchronize_seqscans = off;";

static const char head[] = "SET statement_timeout = 0;\n"
                           "SET lock_timeout = 0;\n"
                           "SET idle_in_transaction_session_timeout = 0;\n"
                           "SET client_encoding = 'UTF8';\n"
                           "SET standard_conforming_strings = on;\n"
                           "SELECT pg_catalog.set_config('search_path', '', false);\n"
                           "SET check_function_bodies = false;\n"
                           "SET xmloption = content;\n"
                           "SET lc_monetary = 'C';\n"
                           "SET client_min_messages = warning;\n"
                           "SET row_security = off;\n\n";

static bool
take_event(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    NativeDumper *d = arg;
    if (e->kind == DUMP_COPY_END) {
        NativeTable *t = &d->ret->tables.v[d->ret->tables.n - 1];
        t->rows = e->rows;
        t->bytes = e->bytes;
        t->sum = e->sum;
    }
    return true;
}

/* ---- beginning ------------------------------------------------------------------------------ */

static const char tables_sql[] =
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
    "WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[]) AND "
    "c.relpersistence OPERATOR(pg_catalog.<>) 't' AND "
    "n.nspname OPERATOR(pg_catalog.<>) 'information_schema' AND NOT "
    "pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_') AND (NOT EXISTS (SELECT FROM "
    "pg_catalog.pg_depend x WHERE x.classid OPERATOR(pg_catalog.=) "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid OPERATOR(pg_catalog.=) c.oid AND "
    "x.deptype OPERATOR(pg_catalog.=) 'e') OR EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE "
    "c.oid OPERATOR(pg_catalog.=) ANY (e.extconfig))) "
    "ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

static Str
lock_message(Arena *a, const DbRows *tables, int64_t ms)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;SET LOCAL lock_timeout = %" PRId64 ";",
            ms);
    for (int i = 0; i < tables->rows; i++) {
        buf_addz(&b, i ? ", " : "LOCK TABLE ONLY ");
        if (i)
            buf_addz(&b, "ONLY ");
        sql_add_name(&b, db_cell(tables, i, 0).p, db_cell(tables, i, 1).p);
    }
    if (tables->rows)
        buf_addz(&b, " IN ACCESS SHARE MODE;");
    /* Settings take the snapshot no more than locks do: the next query does, with all locks held.
     */
    buf_addz(&b, backup_native_settings);
    buf_addz(&b, tables_sql);
    return buf_str(&b);
}

static bool
same_rows(const DbRows *x, const DbRows *y)
{
    for (int i = 0; x->rows == y->rows && i < x->rows * x->cols; i++)
        if (!str_eq(x->cells[i], y->cells[i]))
            return false;
    return x->rows == y->rows;
}

static bool
lock_failed(NativeDumper *d, const DbOutcome *o)
{
    db_outcome_err(o, "locking the tables for a dump", d->err);
    if (strcmp(o->sqlstate, "42501") == 0)
        return err_hint(d->err, "the role needs SELECT on every table: GRANT pg_read_all_data "
                                "(PostgreSQL 14 and newer), or dump as the owner");
    if (strcmp(o->sqlstate, "55P03") == 0) {
        d->err->code = ERR_LOCK_BUDGET;
        return err_hint(d->err, "somebody holds a table exclusively: see pg_stat_activity, and try "
                                "again when that has ended");
    }
    return false;
}

/* Begin the transaction with all tables locked. Tables may come and go between the list and the
 * locks: then the list is made again. */
static bool
begin(NativeDumper *d)
{
    int64_t until = clock_ms() + (d->options->lock_ms ? d->options->lock_ms : LOCK_WAIT_MS);
    for (;;) {
        ARENA_LOCAL(scratch);
        const DbRows *tables;
        if (!native_ask(d, scratch, str_of(tables_sql), &tables))
            return false;
        DbOutcome o;
        db_run(d->db, scratch, lock_message(scratch, tables, LOCK_SLICE_MS), &(DbRun){0}, &o);
        if (o.end == DB_DONE && same_rows(tables, &o.results.v[o.results.n - 1]))
            return true;
        bool is_gone = strcmp(o.sqlstate, "42P01") == 0 || strcmp(o.sqlstate, "3F000") == 0;
        bool is_held = strcmp(o.sqlstate, "55P03") == 0 || strcmp(o.sqlstate, "40P01") == 0;
        bool again = o.end == DB_DONE || ((is_gone || is_held) && !o.cancelled);
        if (!again || clock_ms() >= until)
            return o.end == DB_DONE ? err_set(d->err, ERR_SQL,
                                              "tables come and go while the dump wants to begin")
                                    : lock_failed(d, &o);
        if (!db_query(d->db, scratch, STR("ROLLBACK"), NULL, d->err))
            return false;
    }
}

/* ---- the schema ----------------------------------------------------------------------------- */

static bool
is_left_out(const CatOther *o)
{
    /* Settings belong to the database, as with pg_dump. */
    return strcmp(o->what, "database setting") != 0;
}

static bool
check_left_out(NativeDumper *d, const Catalog *c)
{
    vec_each (const CatOther, o, &c->others)
        if (is_left_out(o))
            *vec_add(d->arena, &d->ret->left_out) = *o;
    if (!d->ret->left_out.n || d->options->allow_left_out)
        return true;
    err_set(d->err, ERR_BACKUP, "Aramid's own dump would leave out %zu object%s",
            d->ret->left_out.n, str_plural(d->ret->left_out.n));
    vec_each (const CatOther, o, &d->ret->left_out) {
        ARENA_LOCAL(scratch);
        err_detail(d->err, "%s %s%s%s", o->what,
                   o->schema ? str_printable(scratch, str_of(o->schema), false) : "",
                   o->schema ? "." : "", str_printable(scratch, str_of(o->name), false));
    }
    return err_hint(d->err, "install a pg_dump that is not older than the server");
}

static bool
put_steps(NativeDumper *d, const Catalog *from, const Catalog *to)
{
    ARENA_LOCAL(a);
    DiffSide sides[] = {{.catalog = from}, {.catalog = to}};
    static const CatRules rules = {.ignore_versions = true};
    Diff *diff = diff_catalogs(a, &sides[0], &sides[1], &(DiffOptions){.rules = &rules});
    RenderSteps steps = render_steps(a, diff, &(RenderOptions){.schema = ""});
    vec_each (const RenderStep, step, &steps) {
        bool is_matview = step->change->op == CHANGE_CREATE && step->change->kind == CAT_MATVIEW;
        if (!native_put_fmt(d, "-- %s\n", step->title))
            return false;
        vec_each (const char *, text, &step->statements)
            if (!native_put_fmt(d, "%s%s;\n", *text,
                                is_matview && text == step->statements.v ? "\nWITH NO DATA" : "") ||
                !native_put(d, STR("\n")))
                return false;
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* What the catalog does not say: the owner of a new database's public schema, the encoding, tables
 * whose key a view stands on, materialized views without contents. */
static const char facts_sql[] =
    "SELECT 'owner', NULL, pg_catalog.pg_get_userbyid(10)::pg_catalog.text "
    "UNION ALL SELECT 'encoding', NULL, pg_catalog.current_setting('server_encoding') "
    "UNION ALL SELECT 'key', n.nspname::pg_catalog.text, c.relname::pg_catalog.text "
    "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint k ON k.oid "
    "OPERATOR(pg_catalog.=) d.refobjid JOIN pg_catalog.pg_class c ON c.oid "
    "OPERATOR(pg_catalog.=) k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid "
    "OPERATOR(pg_catalog.=) c.relnamespace WHERE d.refclassid OPERATOR(pg_catalog.=) "
    "'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.classid OPERATOR(pg_catalog.=) ANY "
    "(ARRAY['pg_catalog.pg_rewrite'::pg_catalog.regclass, "
    "'pg_catalog.pg_proc'::pg_catalog.regclass]::pg_catalog.oid[]) "
    "UNION ALL SELECT 'empty', n.nspname::pg_catalog.text, c.relname::pg_catalog.text "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) "
    "c.relnamespace WHERE c.relkind OPERATOR(pg_catalog.=) 'm' AND NOT c.relispopulated";

typedef struct Facts {
    const char *owner;
    Map keys, empty; /* "schema\1name" */
} Facts;

static bool
read_facts(NativeDumper *d, Facts *ret)
{
    const DbRows *rows;
    if (!native_ask(d, d->arena, str_of(facts_sql), &rows))
        return false;
    map_init(&ret->keys, d->arena);
    map_init(&ret->empty, d->arena);
    for (int i = 0; i < rows->rows; i++) {
        Str what = db_cell(rows, i, 0), schema = db_cell(rows, i, 1), name = db_cell(rows, i, 2);
        if (str_is(what, "owner"))
            ret->owner = db_info(d->db)->version >= 150000 ? "pg_database_owner" : name.p;
        else if (str_is(what, "encoding"))
            d->raw_text = str_is(name, "SQL_ASCII") || str_is(name, "MULE_INTERNAL");
        else
            map_put(str_is(what, "key") ? &ret->keys : &ret->empty,
                    str_of(str_fmt(d->arena, "%s%c%s", schema.p, 1, name.p)), ret);
    }
    return true;
}

static bool
put_refreshes(NativeDumper *d, const Catalog *c, const Facts *f)
{
    CatObjects order = catalog_order(d->arena, c, NULL);
    cat_each (CatObject, o, &order) {
        ARENA_LOCAL(a);
        if (o->id.kind != CAT_MATVIEW ||
            map_has(&f->empty, str_of(str_fmt(a, "%s%c%s", o->id.schema, 1, o->id.name))))
            continue;
        Buf b;
        buf_init(&b, a);
        buf_addz(&b, "REFRESH MATERIALIZED VIEW ");
        sql_add_name(&b, o->id.schema, o->id.name);
        buf_addz(&b, ";\n\n");
        if (!native_put(d, buf_str(&b)))
            return false;
    }
    return true;
}

static bool
put_privileges(NativeDumper *d)
{
    ARENA_LOCAL(a);
    DbRowsVec results;
    if (!db_query(d->db, a, native_privileges_sql(a), &results, d->err))
        return false;
    vec_each (const DbRows, rows, &results)
        for (int i = 0; i < rows->rows; i++)
            if (!native_put(d, db_cell(rows, i, 0)) || !native_put(d, STR("\n")))
                return false;
    return true;
}

static bool
set_raw_text(NativeDumper *d)
{
    if (!d->raw_text)
        return true;
    ARENA_LOCAL(a);
    const DbRows *ignored;
    return native_ask(d, a, STR("SET LOCAL client_encoding = 'SQL_ASCII'; SELECT 1"), &ignored) &&
           native_put(d, STR("SET client_encoding = 'SQL_ASCII';\n\n"));
}

static bool
put_data(NativeDumper *d, const Catalog *c)
{
    NativeRowsVec tables = {0}, sequences = {0};
    if (!native_list_rows(d, c, &tables, &sequences))
        return false;
    ARENA_LOCAL(scratch);
    const DbRows *objects;
    if (!native_list_objects(d, scratch, &objects) || !native_put_object_heads(d, objects) ||
        !set_raw_text(d))
        return false;
    d->count = tables.n;
    vec_each (const NativeRows, t, &tables)
        if (!native_copy_table(d, t))
            return false;
    d->table = NULL;
    return native_put_sequences(d, &sequences) &&
           (!objects->rows || native_put_objects(d, objects));
}

static bool
dump(NativeDumper *d)
{
    Catalog *full;
    Facts facts;
    IntrospectOptions all = {.in_transaction = true, .secrets = true};
    if (!introspect(d->arena, d->db, &all, &full, d->err))
        return native_no_text(d);
    if (!check_left_out(d, full) || !read_facts(d, &facts))
        return false;
    const DbInfo *info = db_info(d->db);
    const Catalog *quiet = native_before_end(d->arena, full);
    const Catalog *bare = native_before_data(d->arena, quiet, &facts.keys);
    return native_put_fmt(d,
                          "--\n-- PostgreSQL database dump\n--\n\n"
                          "-- Dumped from database version %d.%d\n-- Dumped by Aramid %s\n\n",
                          info->version / 10000, info->version % 10000, d->options->version) &&
           native_put(d, str_of(head)) &&
           put_steps(d, native_new_database(d->arena, facts.owner), bare) && put_data(d, full) &&
           (!d->raw_text || native_put(d, STR("SET client_encoding = 'UTF8';\n\n"))) &&
           put_steps(d, bare, quiet) && put_refreshes(d, full, &facts) && put_privileges(d) &&
           put_steps(d, quiet, full) &&
           native_put(d, STR("--\n-- PostgreSQL database dump complete\n--\n\n")) &&
           native_flush(d) && dump_read_end(d->reader, &d->ret->totals, d->err);
}

bool
backup_native_dump(Arena *a, Db *db, const NativeOptions *options, NativeDump *ret, Err *err)
{
    *ret = (NativeDump){0};
    NativeDumper d = {.arena = a, .db = db, .options = options, .ret = ret, .err = err};
    buf_init(&d.out, a);
    d.reader = dump_reader_make(a, take_event, &d);
    bool ok = begin(&d) && dump(&d);
    if (ok && !ret->totals.whole)
        ok = err_set(err, ERR_INTERNAL, "the dump that was written cannot be read back");
    ARENA_LOCAL(scratch);
    Err ignored;
    if (db_is_open(db))
        (void)!db_query(db, scratch, STR("ROLLBACK"), NULL, &ignored);
    return ok;
}

static bool
write_nowhere(void *arg, Str bytes, Err *err)
{
    (void)arg, (void)bytes, (void)err;
    return true;
}

bool
backup_native_objects(Arena *a, Db *db, DumpTotals *ret, Err *err)
{
    NativeDump dump_of = {0};
    const NativeOptions options = {.write = write_nowhere};
    NativeDumper d = {.arena = a, .db = db, .options = &options, .ret = &dump_of, .err = err};
    const DbRows *list;
    buf_init(&d.out, a);
    d.reader = dump_reader_make(a, take_event, &d);
    return native_list_objects(&d, a, &list) && native_put_objects(&d, list) && native_flush(&d) &&
           dump_read_end(d.reader, ret, err);
}
