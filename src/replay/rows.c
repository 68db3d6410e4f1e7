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

bool
replay_server_rows(ReplayServer *server, Arena *a, ReplayRowsVec *ret, Err *err)
{
    DbRowsVec results;
    Buf b;
    *ret = (ReplayRowsVec){0};
    if (!replay_reset(server, err) ||
        !db_query(
            server->db, a,
            STR("SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN"
                " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS"
                " (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid ="
                " 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND"
                " d.deptype = 'e') ORDER BY 1, 2"),
            &results, err))
        return false;
    const DbRows *tables = &results.v[results.n - 1];
    buf_init(&b, a);
    for (int i = 0; i < tables->rows; i++)
        add_table(&b, db_cell(tables, i, 0), db_cell(tables, i, 1));
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
