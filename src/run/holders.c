/* Who holds tables: one query, and the words for its rows. */
#include "base/clock.h"
#include "run/session_int.h"

enum { HOLDERS_MAX = 50 };

void
holders_add_query(Buf *b, const char *wanted)
{
    buf_fmt(
        b,
        "SELECT COALESCE(a.pid, 0), COALESCE(a.application_name, ''),"
        " COALESCE(a.usename, ''), CASE WHEN a.pid IS NULL THEN 'a prepared transaction'"
        " ELSE COALESCE(a.state, 'state not visible') END,"
        " (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
        " a.xact_start) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8, c.relname,"
        " l.virtualtransaction, x.gid FROM pg_catalog.pg_locks l JOIN (%s) AS w (rel, modes)"
        " ON l.relation OPERATOR(pg_catalog.=) w.rel"
        " AND l.mode OPERATOR(pg_catalog.=) ANY (w.modes)"
        " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation"
        " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid"
        /* A prepared transaction's virtual transaction is "-1/" and its transaction, from 17 on. */
        " LEFT JOIN pg_catalog.pg_prepared_xacts x ON l.pid IS NULL AND"
        " (EXISTS (SELECT 1 FROM pg_catalog.pg_locks i WHERE i.pid IS NULL AND"
        " i.locktype OPERATOR(pg_catalog.=) 'transactionid' AND i.transactionid"
        " OPERATOR(pg_catalog.=) x.transaction AND i.virtualtransaction"
        " OPERATOR(pg_catalog.=) l.virtualtransaction))"
        " WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted"
        " AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
        " AND COALESCE(a.backend_type, '') OPERATOR(pg_catalog.<>) 'autovacuum worker'"
        " ORDER BY a.xact_start LIMIT %d",
        wanted, HOLDERS_MAX);
}

char *
holders_text(Arena *a, const DbRows *rows, int i)
{
    Str app = db_cell(rows, i, 1), age = db_cell(rows, i, 4), gid = db_cell(rows, i, 7);
    const char *table = str_printable(a, db_cell(rows, i, 5), false);
    long long ms = 0;
    bool aged = age.p && str_to_int(age, 0, INT64_MAX, &ms);
    if (str_is(db_cell(rows, i, 0), "0"))
        return str_fmt(a, "the prepared transaction %s%s%s holds table \"%s\"", gid.p ? "'" : "",
                       gid.p ? str_printable(a, gid, false) : "of somebody", gid.p ? "'" : "",
                       table);
    return str_fmt(a, "process %s (%s%suser %s, %s%s%s) holds table \"%s\"", db_cell(rows, i, 0).p,
                   str_printable(a, app, false), app.n ? ", " : "",
                   str_printable(a, db_cell(rows, i, 2), false),
                   str_printable(a, db_cell(rows, i, 3), false),
                   aged ? ", transaction open for " : "", aged ? clock_duration(a, ms) : "", table);
}
