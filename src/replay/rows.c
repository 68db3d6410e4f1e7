/* What the tables and sequences of a private server hold: so that two ways there can be compared. */
#include "replay/replay_int.h"

#include "sqltext/sqltext.h"

static void
add_table(Buf *b, Str schema, Str table)
{
    ARENA_LOCAL(a);
    const char *s = str_dup(a, schema), *t = str_dup(a, table);
    buf_addz(b, b->n ? " UNION ALL SELECT " : "SELECT ");
    sql_add_literal(b, str_of(str_fmt(a, "%s.%s", s, t)));
    buf_addz(b,
             ", pg_catalog.count(*), pg_catalog.md5(COALESCE(pg_catalog.string_agg(h, '' ORDER BY h"
             " COLLATE pg_catalog.\"C\"), '')) FROM (SELECT pg_catalog.md5(t::pg_catalog.text) AS h"
             " FROM ");
    sql_add_name(b, s, t);
    buf_addz(b, " t) x");
}

/* Ordinary tables with their primary keys, as arrays of quoted columns. */
static bool
list_tables(ReplayServer *server, Arena *a, DbRows *ret, Err *err)
{
    DbRowsVec results;
    if (!replay_reset(server, err) ||
        !db_query(
            server->db, a,
            STR("SELECT n.nspname, c.relname, (SELECT pg_catalog.string_agg("
                "pg_catalog.format('t.%I', a.attname), ', ' ORDER BY a.attnum) FROM"
                " pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
                " AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary)"
                " FROM pg_catalog.pg_class c JOIN"
                " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS"
                " (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid ="
                " 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND"
                " d.deptype = 'e') ORDER BY 1, 2"),
            &results, err))
        return false;
    *ret = results.v[results.n - 1];
    return true;
}

bool
replay_server_rows(ReplayServer *server, Arena *a, ReplayRowsVec *ret, Err *err)
{
    DbRowsVec results;
    DbRows tables;
    Buf b;
    *ret = (ReplayRowsVec){0};
    if (!list_tables(server, a, &tables, err))
        return false;
    buf_init(&b, a);
    for (int i = 0; i < tables.rows; i++)
        add_table(&b, db_cell(&tables, i, 0), db_cell(&tables, i, 1));
    buf_addz(&b, b.n ? " UNION ALL " : "");
    buf_addz(&b,
             "SELECT schemaname || '.' || sequencename, 0, COALESCE(last_value::pg_catalog.text,"
             " '') FROM pg_catalog.pg_sequences ORDER BY 1");
    if (!db_query(server->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++) {
        long long n = 0;
        str_to_int(db_cell(rows, i, 1), 0, INT64_MAX, &n);
        *vec_add(a, ret) =
            (ReplayRows){.name = db_cell(rows, i, 0).p, .count = n, .hash = db_cell(rows, i, 2).p};
    }
    return true;
}

static void
add_columns(Buf *b, const DbRows *tables, int i)
{
    ARENA_LOCAL(a);
    Str key = db_cell(tables, i, 2);
    const char *schema = str_dup(a, db_cell(tables, i, 0)),
               *table = str_dup(a, db_cell(tables, i, 1));
    buf_addz(b, i ? " UNION ALL SELECT " : "SELECT ");
    sql_add_literal(b, str_of(schema));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(table));
    buf_addz(b, ", k, pg_catalog.count(*), pg_catalog.md5(pg_catalog.string_agg(h, '' ORDER BY h"
                " COLLATE pg_catalog.\"C\")) FROM (SELECT e.key AS k, pg_catalog.md5(");
    buf_fmt(b, "pg_catalog.jsonb_build_array(" STR_FMT "%se.value)::pg_catalog.text) AS h FROM ",
            STR_ARG(key.p ? key : STR("")), key.p ? ", " : "");
    sql_add_name(b, schema, table);
    buf_addz(b,
             " t CROSS JOIN LATERAL pg_catalog.jsonb_each(pg_catalog.to_jsonb(t)) e) x GROUP BY k");
}

bool
replay_server_columns(ReplayServer *server, Arena *a, ReplayColumnVec *ret, Err *err)
{
    DbRowsVec results;
    DbRows tables;
    Buf b;
    *ret = (ReplayColumnVec){0};
    if (!list_tables(server, a, &tables, err))
        return false;
    buf_init(&b, a);
    for (int i = 0; i < tables.rows; i++)
        add_columns(&b, &tables, i);
    if (!tables.rows)
        return true;
    if (!db_query(server->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++) {
        long long n = 0;
        str_to_int(db_cell(rows, i, 3), 0, INT64_MAX, &n);
        *vec_add(a, ret) = (ReplayColumn){.schema = db_cell(rows, i, 0).p,
                                          .table = db_cell(rows, i, 1).p,
                                          .column = db_cell(rows, i, 2).p,
                                          .hash = db_cell(rows, i, 4).p,
                                          .count = n};
    }
    return true;
}
