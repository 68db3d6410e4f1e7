/* What the dump says about rows and sequences: COPY, setval. */
#include "backup/native_int.h"

#include "sqltext/sqltext.h"

#include <inttypes.h>

enum { SEQUENCE_BATCH = 200 };

static void
add_column(Buf *b, const char *name)
{
    if (b->n)
        buf_addz(b, ", ");
    sql_add_ident(b, name);
}

/* Which partition a row belongs to can depend on what is another on the next server: hashes of enums
 * and of collations, an operator class. */
static const CatRelation *
root_of(const Catalog *c, const CatRelation *t)
{
    for (const CatRelation *up = t; up;
         up = t->partition_of.name
                  ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
                  : NULL)
        t = up;
    return t;
}

static void
add_tables(NativeDumper *d, const Catalog *c, NativeRowsVec *list)
{
    cat_each (CatRelation, t, &c->tables) {
        if (t->partition_key)
            continue; /* its rows are in its partitions */
        const CatRelation *root = root_of(c, t);
        Buf columns;
        buf_init(&columns, d->arena);
        cat_each (CatColumn, k, &root->columns) /* one order for all of its partitions */
            if (!k->generated)
                add_column(&columns, k->id.sub);
        *vec_add(d->arena, list) = (NativeRows){.schema = t->id.schema,
                                                .name = t->id.name,
                                                .root_schema = root->id.schema,
                                                .root = root->id.name,
                                                .columns = buf_finish(&columns)};
    }
}

/* Tables of extensions hold rows of the user's where the extension says so
 * (https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-CONFIG-TABLES).
 */
static bool
add_extension_tables(NativeDumper *d, NativeRowsVec *list, NativeRowsVec *sequences)
{
    const DbRows *rows;
    if (!native_ask(
            d, d->arena,
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
            (NativeRows){.schema = db_cell(rows, i, 0).p,
                         .name = db_cell(rows, i, 1).p,
                         .root_schema = db_cell(rows, i, 0).p,
                         .root = db_cell(rows, i, 1).p,
                         .columns = db_cell(rows, i, 4),
                         .condition = condition.n ? condition : (Str){0}};
    }
    return true;
}

bool
native_list_rows(NativeDumper *d, const Catalog *c, NativeRowsVec *tables, NativeRowsVec *sequences)
{
    add_tables(d, c, tables);
    cat_each (CatSequence, s, &c->sequences)
        *vec_add(d->arena, sequences) = (NativeRows){.schema = s->id.schema, .name = s->id.name};
    return add_extension_tables(d, tables, sequences);
}

static bool
take_row(void *arg, size_t result, Str row)
{
    (void)result;
    return native_put(arg, row);
}

bool
native_copy_table(NativeDumper *d, const NativeRows *t)
{
    ARENA_LOCAL(a);
    Buf name, sql, into;
    buf_init(&name, a);
    buf_init(&sql, a);
    buf_init(&into, a);
    sql_add_name(&name, t->schema, t->name);
    sql_add_name(&into, t->root_schema, t->root);
    *vec_add(d->arena, &d->ret->tables) = (NativeTable){.schema = t->schema, .name = t->name};
    d->table = t->name;
    d->number++;
    if (!native_put_title(d, "Data for table", t->schema, t->name) ||
        !native_put_fmt(d, "COPY %s%s%s%s FROM stdin;\n", into.p, t->columns.n ? " (" : "",
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
    if (!native_put(d, STR("\\.\n\n\n")) || !native_flush(d))
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

bool
native_put_sequences(NativeDumper *d, const NativeRowsVec *list)
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
        if (!native_ask(d, a, buf_str(&sql), &rows))
            return false;
        for (int r = 0; r < rows->rows; r++) {
            long long k = 0;
            str_to_int(db_cell(rows, r, 0), 0, (long long)list->n - 1, &k);
            Buf name, literal;
            buf_init(&name, a);
            buf_init(&literal, a);
            sql_add_name(&name, list->v[k].schema, list->v[k].name);
            sql_add_literal(&literal, buf_str(&name));
            if (!native_put_fmt(d, "SELECT pg_catalog.setval(%s, %s, %s);\n", literal.p,
                                db_cell(rows, r, 1).p,
                                str_is(db_cell(rows, r, 2), "t") ? "true" : "false"))
                return false;
        }
    }
    return native_put(d, STR("\n"));
}
