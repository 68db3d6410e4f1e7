#include "backup/native_int.h"

#include "base/clock.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    OUT_BYTES = 256 * 1024,
    OBJECT_PIECE = 16384, /* of a large object in one statement, as pg_dump has it */
    OBJECT_BATCH = 128,   /* large objects in one message */
    OBJECT_ROUND = 64,    /* pieces of a longer one in one message */
    SEQUENCE_BATCH = 200,
    LOCK_WAIT_MS = 30000,
    LOCK_SLICE_MS = 1000,
};

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

/* A table whose rows are in the dump. */
typedef struct Data {
    const char *schema, *name;
    Str columns;   /* quoted, with commas; empty: none */
    Str condition; /* of a table of an extension: WHERE ...; p NULL = all rows */
} Data;

typedef VEC(Data) DataVec;

typedef struct Dumper {
    Arena *arena;
    Db *db;
    const NativeOptions *options;
    NativeDump *ret;
    Err *err;
    bool failed; /* err is filled */
    Buf out;
    DumpReader *reader;
    size_t number, count; /* of tables */
    const char *table;
    bool raw_text; /* the server converts nothing: SQL_ASCII, MULE_INTERNAL */
} Dumper;

/* ---- writing -------------------------------------------------------------------------------- */

static bool
take_event(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    Dumper *d = arg;
    if (e->kind == DUMP_COPY_END) {
        NativeTable *t = &d->ret->tables.v[d->ret->tables.n - 1];
        t->rows = e->rows;
        t->bytes = e->bytes;
        t->sum = e->sum;
    }
    return true;
}

static bool
hand_on(Dumper *d, Str bytes)
{
    d->failed = d->failed || !dump_read(d->reader, bytes, d->err) ||
                !d->options->write(d->options->write_arg, bytes, d->err);
    return !d->failed;
}

static bool
flush(Dumper *d)
{
    bool ok = !d->out.n || hand_on(d, buf_str(&d->out));
    buf_clear(&d->out);
    if (d->options->progress)
        d->options->progress(d->options->progress_arg, d->table, d->number, d->count,
                             dump_read_totals(d->reader)->bytes);
    return ok;
}

static bool
put(Dumper *d, Str text)
{
    if (d->out.n + text.n >= OUT_BYTES && !flush(d))
        return false;
    if (text.n >= OUT_BYTES)
        return hand_on(d, text);
    buf_add(&d->out, text);
    return !d->failed;
}

__attribute__((format(printf, 2, 3))) static bool
put_fmt(Dumper *d, const char *fmt, ...)
{
    ARENA_LOCAL(scratch);
    va_list ap;
    va_start(ap, fmt);
    Str text = str_of(str_vfmt(scratch, fmt, ap));
    va_end(ap);
    return put(d, text);
}

/* A comment that is one line whatever the names are. */
static bool
put_title(Dumper *d, const char *kind, const char *schema, const char *name)
{
    ARENA_LOCAL(scratch);
    return put_fmt(d, "--\n-- %s: %s%s%s\n--\n\n", kind,
                   schema ? str_printable(scratch, str_of(schema), false) : "", schema ? "." : "",
                   str_printable(scratch, str_of(name), false));
}

/* ---- asking --------------------------------------------------------------------------------- */

/* The last result of a message of own statements. */
static bool
ask(Dumper *d, Arena *a, Str sql, const DbRows **ret)
{
    DbOutcome o;
    db_run(d->db, a, sql, &(DbRun){0}, &o);
    if (o.end != DB_DONE)
        return db_outcome_err(&o, "reading the database for a dump", d->err);
    *ret = &o.results.v[o.results.n - 1];
    return true;
}

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
lock_failed(Dumper *d, const DbOutcome *o)
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
begin(Dumper *d)
{
    int64_t until = clock_ms() + (d->options->lock_ms ? d->options->lock_ms : LOCK_WAIT_MS);
    for (;;) {
        ARENA_LOCAL(scratch);
        const DbRows *tables;
        if (!ask(d, scratch, str_of(tables_sql), &tables))
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
    return strcmp(o->what, "database setting") != 0 && !native_is_other_dumped(o->what);
}

static bool
check_left_out(Dumper *d, const Catalog *c)
{
    vec_each (const CatOther, o, &c->others)
        if (is_left_out(o))
            *vec_add(d->arena, &d->ret->left_out) = *o;
    if (!d->ret->left_out.n || d->options->allow_left_out)
        return true;
    err_set(d->err, ERR_BACKUP, "Aramid's own dump would leave out %zu object%s",
            d->ret->left_out.n, d->ret->left_out.n == 1 ? "" : "s");
    vec_each (const CatOther, o, &d->ret->left_out) {
        ARENA_LOCAL(scratch);
        err_detail(d->err, "%s %s%s%s", o->what,
                   o->schema ? str_printable(scratch, str_of(o->schema), false) : "",
                   o->schema ? "." : "", str_printable(scratch, str_of(o->name), false));
    }
    return err_hint(d->err, "install a pg_dump that is not older than the server");
}

/* The schema of a new database: public, as initdb makes it. What everybody may do there by default
 * is named where it has changed since: it has to be taken back. */
static Catalog *
new_database(Arena *a, const char *owner, const Catalog *full)
{
    Catalog *c = catalog_new(a);
    CatSchema *public = catalog_add(c, CAT_SCHEMA, NULL, "public");
    public->owner = owner;
    const CatSchema *now = catalog_find(full, public->id);
    vec_each (const CatGrant, g, now ? &now->grants : &public->grants)
        if (!g->role)
            *vec_add(a, &public->grants) = (CatGrant){NULL, "default"};
    catalog_finish(c);
    return c;
}

static bool
is_kept(const Map *keys, const Catalog *c, const CatRelation *t)
{
    ARENA_LOCAL(scratch);
    for (; t; t = t->partition_of.name
                      ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
                      : NULL)
        if (map_has(keys, str_of(str_fmt(scratch, "%s%c%s", t->id.schema, 1, t->id.name))))
            return true;
    return false;
}

/* A table as it is while its rows come in. Checks stay: they are part of CREATE TABLE. */
static CatRelation *
bare_table(Arena *a, const CatRelation *t, bool keeps_key)
{
    CatRelation *bare = arena_new(a, CatRelation);
    *bare = *t;
    memset(&bare->constraints, 0, sizeof bare->constraints);
    memset(&bare->indexes, 0, sizeof bare->indexes);
    memset(&bare->triggers, 0, sizeof bare->triggers);
    memset(&bare->rules, 0, sizeof bare->rules);
    memset(&bare->policies, 0, sizeof bare->policies);
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_CHECK && !k->is_not_valid) || (keeps_key && k->type == CAT_PRIMARY_KEY))
            *vec_add(a, &bare->constraints) = k;
    memset(&bare->columns, 0, sizeof bare->columns);
    cat_each (CatColumn, k, &t->columns) {
        CatColumn *column = arena_new(a, CatColumn);
        *column = *k;
        if (k->is_not_null_unchecked) /* rows may have NULL */
            column->is_not_null = column->is_not_null_unchecked = false;
        *vec_add(a, &bare->columns) = column;
    }
    bare->is_rls = bare->is_rls_forced = false;
    bare->replica_index = bare->cluster_index = NULL;
    bare->replica_identity = 0;
    return bare;
}

/* The catalog without what comes behind the data. */
static Catalog *
before_data(Arena *a, const Catalog *full, const Map *keys)
{
    Catalog *c = catalog_new(a);
    Catalog copy = *full;
    copy.arena = a;
    copy.index = c->index;
    memset(&copy.objects, 0, sizeof copy.objects);
    memset(&copy.tables, 0, sizeof copy.tables);
    memset(&copy.views, 0, sizeof copy.views);
    *c = copy;
    cat_each (CatRelation, t, &full->tables)
        *vec_add(a, &c->tables) = bare_table(a, t, is_kept(keys, full, t));
    cat_each (CatRelation, v, &full->views)
        *vec_add(a, &c->views) = bare_table(a, v, false);
    catalog_finish(c);
    return c;
}

static bool
put_steps(Dumper *d, const Catalog *from, const Catalog *to)
{
    ARENA_LOCAL(a);
    DiffSide sides[] = {{.catalog = from}, {.catalog = to}};
    static const CatRules rules = {.ignore_versions = true};
    Diff *diff = diff_catalogs(a, &sides[0], &sides[1], &(DiffOptions){.rules = &rules});
    RenderSteps steps = render_steps(a, diff, &(RenderOptions){.schema = ""});
    vec_each (const RenderStep, step, &steps) {
        bool is_matview = step->change->op == CHANGE_CREATE && step->change->kind == CAT_MATVIEW;
        if (!put_fmt(d, "-- %s\n", step->title))
            return false;
        vec_each (const char *, text, &step->statements)
            if (!put_fmt(d, "%s%s;\n", *text,
                         is_matview && text == step->statements.v ? "\nWITH NO DATA" : "") ||
                !put(d, STR("\n")))
                return false;
    }
    return true;
}

/* ---- tables --------------------------------------------------------------------------------- */

static void
add_column(Buf *b, const char *name)
{
    if (b->n)
        buf_addz(b, ", ");
    sql_add_ident(b, name);
}

static void
add_tables(Dumper *d, const Catalog *c, DataVec *list)
{
    cat_each (CatRelation, t, &c->tables) {
        if (t->partition_key)
            continue; /* its rows are in its partitions */
        Buf columns;
        buf_init(&columns, d->arena);
        cat_each (CatColumn, k, &t->columns)
            if (!k->generated)
                add_column(&columns, k->id.sub);
        *vec_add(d->arena, list) =
            (Data){.schema = t->id.schema, .name = t->id.name, .columns = buf_finish(&columns)};
    }
}

/* Tables of extensions hold rows of the user's where the extension says so
 * (https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES).
 */
static bool
add_extension_tables(Dumper *d, DataVec *list, DataVec *sequences)
{
    const DbRows *rows;
    if (!ask(d, d->arena,
             STR("SELECT n.nspname, c.relname, c.relkind, u.cond, (SELECT pg_catalog.string_agg("
                 "pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM "
                 "pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND "
                 "a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND a.attgenerated "
                 "OPERATOR(pg_catalog.=) '') FROM pg_catalog.pg_extension e CROSS JOIN LATERAL "
                 "ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) "
                 "u(rel, "
                 "cond) JOIN "
                 "pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) u.rel JOIN "
                 "pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE "
                 "c.relkind OPERATOR(pg_catalog.=) ANY ('{r,S}'::pg_catalog.\"char\"[]) ORDER BY "
                 "n.nspname COLLATE \"C\", c.relname COLLATE \"C\""),
             &rows))
        return false;
    for (int i = 0; i < rows->rows; i++) {
        Str condition = str_trim(db_cell(rows, i, 3));
        *vec_add(d->arena, str_is(db_cell(rows, i, 2), "S") ? sequences : list) =
            (Data){.schema = db_cell(rows, i, 0).p,
                   .name = db_cell(rows, i, 1).p,
                   .columns = db_cell(rows, i, 4),
                   .condition = condition.n ? condition : (Str){0}};
    }
    return true;
}

static bool
take_row(void *arg, size_t result, Str row)
{
    (void)result;
    return put(arg, row);
}

static bool
copy_table(Dumper *d, const Data *t)
{
    ARENA_LOCAL(a);
    Buf name, sql;
    buf_init(&name, a);
    buf_init(&sql, a);
    sql_add_name(&name, t->schema, t->name);
    *vec_add(d->arena, &d->ret->tables) = (NativeTable){.schema = t->schema, .name = t->name};
    d->table = t->name;
    d->number++;
    if (!put_title(d, "Data for table", t->schema, t->name) ||
        !put_fmt(d, "COPY %s%s%s%s FROM stdin;\n", name.p, t->columns.n ? " (" : "",
                 str_dup(a, t->columns), t->columns.n ? ")" : ""))
        return false;
    buf_fmt(&sql, "COPY ");
    if (t->condition.p)
        buf_fmt(&sql, "(SELECT %s FROM ONLY %s %s)", str_dup(a, t->columns), name.p,
                str_dup(a, t->condition));
    else
        buf_fmt(&sql, "%s%s%s%s", name.p, t->columns.n ? " (" : "", str_dup(a, t->columns),
                t->columns.n ? ")" : "");
    buf_addz(&sql, " TO STDOUT");
    DbOutcome o;
    db_run(d->db, a, buf_str(&sql), &(DbRun){.copy_out = take_row, .copy_arg = d}, &o);
    if (d->failed)
        return false;
    if (o.end != DB_DONE) {
        const char *what = str_fmt(a, "copying table %s", str_printable(a, buf_str(&name), false));
        db_outcome_err(&o, what, d->err);
        if (strstr(o.message, "row-level security")) {
            d->err->code = ERR_BACKUP;
            err_hint(d->err, "a dump must see all rows: use a role with BYPASSRLS, or the owner of "
                             "the table where row-level security is not forced");
        }
        return false;
    }
    if (!put(d, STR("\\.\n\n\n")) || !flush(d))
        return false;
    /* What was written must be what the server says that it sent. */
    const NativeTable *done = &d->ret->tables.v[d->ret->tables.n - 1];
    const char *tag = o.results.v[0].tag;
    if (strcmp(tag, str_fmt(a, "COPY %" PRId64, done->rows)) != 0)
        return err_set(d->err, ERR_INTERNAL,
                       "table %s: %" PRId64 " rows were written, and the server "
                       "says %s",
                       str_printable(a, buf_str(&name), false), done->rows, tag);
    return true;
}

/* ---- sequences ------------------------------------------------------------------------------ */

static bool
put_sequences(Dumper *d, const DataVec *list)
{
    for (size_t i = 0; i < list->n; i += SEQUENCE_BATCH) {
        ARENA_LOCAL(a);
        size_t end = i + SEQUENCE_BATCH < list->n ? i + SEQUENCE_BATCH : list->n;
        Buf sql;
        buf_init(&sql, a);
        for (size_t k = i; k < end; k++) {
            buf_fmt(&sql, "%sSELECT %zu, last_value, is_called FROM ", k > i ? " UNION ALL " : "",
                    k);
            sql_add_name(&sql, list->v[k].schema, list->v[k].name);
        }
        const DbRows *rows;
        if (!ask(d, a, buf_str(&sql), &rows))
            return false;
        for (int r = 0; r < rows->rows; r++) {
            long long k = 0;
            str_to_int(db_cell(rows, r, 0), 0, (long long)list->n - 1, &k);
            Buf name, literal;
            buf_init(&name, a);
            buf_init(&literal, a);
            sql_add_name(&name, list->v[k].schema, list->v[k].name);
            sql_add_literal(&literal, buf_str(&name));
            if (!put_fmt(d, "SELECT pg_catalog.setval(%s, %s, %s);\n", literal.p,
                         db_cell(rows, r, 1).p,
                         str_is(db_cell(rows, r, 2), "t") ? "true" : "false"))
                return false;
        }
    }
    return put(d, STR("\n"));
}

/* ---- large objects -------------------------------------------------------------------------- */

/* oid, and the statements that make it what it is */
static bool
list_objects(Dumper *d, Arena *a, const DbRows **ret)
{
    return ask(
        d, a,
        STR("SELECT m.oid, pg_catalog.concat("
            "pg_catalog.format(E'ALTER LARGE OBJECT %s OWNER TO %I;\\n', m.oid, "
            "pg_catalog.pg_get_userbyid(m.lomowner)), CASE WHEN m.lomacl IS NOT NULL THEN "
            "pg_catalog.format(E'REVOKE ALL ON LARGE OBJECT %s FROM %I;\\n', m.oid, "
            "pg_catalog.pg_get_userbyid(m.lomowner)) END, (SELECT pg_catalog.string_agg("
            "pg_catalog.format(E'GRANT %s ON LARGE OBJECT %s TO %s%s;\\n', x.privilege_type, "
            "m.oid, CASE WHEN r.oid IS NULL THEN 'PUBLIC' ELSE "
            "pg_catalog.quote_ident(r.rolname) END, CASE WHEN x.is_grantable THEN "
            "' WITH GRANT OPTION' END), '' ORDER BY x.grantee, x.privilege_type) FROM "
            "pg_catalog.aclexplode(m.lomacl) x LEFT JOIN pg_catalog.pg_roles r ON r.oid "
            "OPERATOR(pg_catalog.=) x.grantee), (SELECT pg_catalog.format("
            "E'COMMENT ON LARGE OBJECT %s IS %L;\\n', m.oid, c.description) FROM "
            "pg_catalog.pg_description c WHERE c.classoid OPERATOR(pg_catalog.=) "
            "'pg_catalog.pg_largeobject'::pg_catalog.regclass AND c.objoid "
            "OPERATOR(pg_catalog.=) m.oid)) "
            "FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid"),
        ret);
}

/* One piece of an object, as hexadecimal digits. */
static bool
put_piece(Dumper *d, Str hex)
{
    return put(d, STR("SELECT pg_catalog.lowrite(0, '\\x")) && put(d, hex) && put(d, STR("');\n"));
}

/* The pieces of an object from piece number `from` on. */
static bool
put_long_object(Dumper *d, const char *oid)
{
    for (int64_t from = 1;; from += OBJECT_ROUND) {
        ARENA_LOCAL(a);
        const DbRows *rows;
        if (!ask(d, a,
                 str_of(str_fmt(a,
                                "SELECT pg_catalog.encode(pg_catalog.lo_get(%s, (i OPERATOR("
                                "pg_catalog.*) %d)::pg_catalog.int8, %d), 'hex') FROM "
                                "pg_catalog.generate_series(%" PRId64 "::pg_catalog.int8, %" PRId64
                                "::pg_catalog.int8) i ORDER BY i",
                                oid, OBJECT_PIECE, OBJECT_PIECE, from, from + OBJECT_ROUND - 1)),
                 &rows))
            return false;
        for (int i = 0; i < rows->rows; i++) {
            Str hex = db_cell(rows, i, 0);
            if (hex.n && !put_piece(d, hex))
                return false;
            if (hex.n < 2 * OBJECT_PIECE)
                return true;
        }
    }
}

static bool
put_objects(Dumper *d, const DbRows *list)
{
    if (!put_title(d, "Data", NULL, "large objects") || !put(d, STR("BEGIN;\n\n")))
        return false;
    for (int i = 0; i < list->rows; i += OBJECT_BATCH) {
        ARENA_LOCAL(a);
        int end = i + OBJECT_BATCH < list->rows ? i + OBJECT_BATCH : list->rows;
        Buf sql;
        buf_init(&sql, a);
        buf_addz(&sql, "SELECT pg_catalog.encode(pg_catalog.lo_get(x.oid, 0, ");
        buf_fmt(&sql, "%d), 'hex') FROM pg_catalog.unnest('{", OBJECT_PIECE);
        for (int k = i; k < end; k++)
            buf_fmt(&sql, "%s%s", k > i ? "," : "", db_cell(list, k, 0).p);
        buf_addz(&sql, "}'::pg_catalog.oid[]) WITH ORDINALITY x(oid, n) ORDER BY x.n");
        const DbRows *rows;
        if (!ask(d, a, buf_str(&sql), &rows))
            return false;
        for (int k = i; k < end; k++) {
            const char *oid = db_cell(list, k, 0).p;
            Str hex = db_cell(rows, k - i, 0);
            if (!put_fmt(d, "SELECT pg_catalog.lo_open('%s', 131072);\n", oid) ||
                (hex.n && !put_piece(d, hex)) ||
                (hex.n == 2 * OBJECT_PIECE && !put_long_object(d, oid)) ||
                !put(d, STR("SELECT pg_catalog.lo_close(0);\n\n")))
                return false;
        }
    }
    return put(d, STR("COMMIT;\n\n"));
}

static bool
put_object_heads(Dumper *d, const DbRows *list)
{
    for (int i = 0; i < list->rows; i++)
        if (!put_fmt(d, "SELECT pg_catalog.lo_create('%s');\n", db_cell(list, i, 0).p) ||
            !put(d, db_cell(list, i, 1)))
            return false;
    return put(d, STR("\n"));
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
read_facts(Dumper *d, Facts *ret)
{
    const DbRows *rows;
    if (!ask(d, d->arena, str_of(facts_sql), &rows))
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
put_refreshes(Dumper *d, const Catalog *c, const Facts *f)
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
        if (!put(d, buf_str(&b)))
            return false;
    }
    return true;
}

static bool
put_others(Dumper *d)
{
    ARENA_LOCAL(a);
    DbRowsVec results;
    if (!db_query(d->db, a, native_others_sql(a, db_info(d->db)->version / 10000), &results,
                  d->err))
        return false;
    vec_each (const DbRows, rows, &results)
        for (int i = 0; i < rows->rows; i++)
            if (!put(d, db_cell(rows, i, 0)) || !put(d, STR("\n")))
                return false;
    return true;
}

static bool
set_raw_text(Dumper *d)
{
    if (!d->raw_text)
        return true;
    ARENA_LOCAL(a);
    const DbRows *ignored;
    return ask(d, a, STR("SET LOCAL client_encoding = 'SQL_ASCII'; SELECT 1"), &ignored) &&
           put(d, STR("SET client_encoding = 'SQL_ASCII';\n\n"));
}

static bool
put_data(Dumper *d, const Catalog *c)
{
    DataVec tables = {0}, sequences = {0};
    add_tables(d, c, &tables);
    cat_each (CatSequence, s, &c->sequences)
        *vec_add(d->arena, &sequences) = (Data){.schema = s->id.schema, .name = s->id.name};
    if (!add_extension_tables(d, &tables, &sequences))
        return false;
    ARENA_LOCAL(scratch);
    const DbRows *objects;
    if (!list_objects(d, scratch, &objects) || !put_object_heads(d, objects) || !set_raw_text(d))
        return false;
    d->count = tables.n;
    vec_each (const Data, t, &tables)
        if (!copy_table(d, t))
            return false;
    d->table = NULL;
    return put_sequences(d, &sequences) && (!objects->rows || put_objects(d, objects));
}

static bool
dump(Dumper *d)
{
    Catalog *full;
    Facts facts;
    IntrospectOptions all = {.in_transaction = true};
    if (!introspect(d->arena, d->db, &all, &full, d->err) || !check_left_out(d, full) ||
        !read_facts(d, &facts))
        return false;
    const DbInfo *info = db_info(d->db);
    const Catalog *bare = before_data(d->arena, full, &facts.keys);
    return put_fmt(d,
                   "--\n-- PostgreSQL database dump\n--\n\n"
                   "-- Dumped from database version %d.%d\n-- Dumped by Aramid %s\n\n",
                   info->version / 10000, info->version % 10000, d->options->version) &&
           put(d, str_of(head)) && put_steps(d, new_database(d->arena, facts.owner, full), bare) &&
           put_data(d, full) &&
           (!d->raw_text || put(d, STR("SET client_encoding = 'UTF8';\n\n"))) &&
           put_steps(d, bare, full) && put_refreshes(d, full, &facts) && put_others(d) &&
           put(d, STR("--\n-- PostgreSQL database dump complete\n--\n\n")) && flush(d) &&
           dump_read_end(d->reader, &d->ret->totals, d->err);
}

bool
backup_native_dump(Arena *a, Db *db, const NativeOptions *options, NativeDump *ret, Err *err)
{
    *ret = (NativeDump){0};
    Dumper d = {.arena = a, .db = db, .options = options, .ret = ret, .err = err};
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
    Dumper d = {.arena = a, .db = db, .options = &options, .ret = &dump_of, .err = err};
    const DbRows *list;
    buf_init(&d.out, a);
    d.reader = dump_reader_make(a, take_event, &d);
    return list_objects(&d, a, &list) && put_objects(&d, list) && flush(&d) &&
           dump_read_end(d.reader, ret, err);
}
