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

/* ---- both sides of a deadlock ---------------------------------------------------------------------------- */

enum { RELATION_MIN = 16384 }; /* smaller ones are the catalog's */

static const char *
number_name(const DbRows *rows, const char *number)
{
    for (int i = 0; i < rows->rows; i++)
        if (str_is(db_cell(rows, i, 0), number))
            return db_cell(rows, i, 1).p;
    return NULL;
}

/* "Process 71 waits for ShareLock on transaction 9; blocked by process 72.", whatever the server's language: a
 * line's first and last number are processes, those between them may be relations. */
static void
add_sides(Buf *out, Str line, const DbRows *processes, const DbRows *relations)
{
    size_t last = line.n;
    while (last > 0 && !(line.p[last - 1] >= '0' && line.p[last - 1] <= '9'))
        last--;
    bool is_first = true;
    for (size_t i = 0; i < line.n;) {
        size_t from = i;
        while (i < line.n && line.p[i] >= '0' && line.p[i] <= '9')
            i++;
        if (i == from) {
            buf_addc(out, line.p[i++]);
            continue;
        }
        const char *number = str_fmt(out->arena, "%.*s", (int)(i - from), line.p + from);
        buf_addz(out, number);
        const char *name = number_name(is_first || i == last ? processes : relations, number);
        if (name)
            buf_fmt(out, " (%s)", str_printable(out->arena, str_of(name), false));
        is_first = false;
    }
}

void
holders_name_sides(Session *s, Arena *a, DbOutcome *o)
{
    if (strcmp(o->sqlstate, "40P01") != 0 || !o->detail[0] || !db_is_open(s->db))
        return;
    Buf b, numbers, text;
    buf_init(&b, a);
    buf_init(&numbers, a);
    buf_init(&text, a);
    for (const char *p = o->detail; *p; p++) {
        bool is_digit = *p >= '0' && *p <= '9';
        if (is_digit || (numbers.n && numbers.p[numbers.n - 1] != ','))
            buf_addc(&numbers, is_digit ? *p : ',');
    }
    while (numbers.n && numbers.p[numbers.n - 1] == ',')
        numbers.n--;
    session_add_prefix(s, &b);
    buf_fmt(&b,
            "SELECT a.pid, CASE WHEN a.pid = pg_backend_pid() THEN 'this run' ELSE"
            " concat_ws(', ', NULLIF(a.application_name, ''), 'user ' || a.usename, a.state,"
            " left(a.query, 100)) END FROM pg_stat_activity a"
            " WHERE a.pid = ANY ('{%.*s}'::bigint[]);"
            "SELECT c.oid::bigint, 'table ' || c.oid::regclass FROM pg_class c"
            " WHERE c.oid::bigint = ANY ('{%.*s}'::bigint[]) AND c.oid >= %d",
            (int)numbers.n, numbers.p, (int)numbers.n, numbers.p, RELATION_MIN);
    DbRowsVec results;
    Err ignored; /* then the numbers must do */
    if (!db_query(s->db, a, buf_str(&b), &results, &ignored))
        return;
    Str rest = str_of(o->detail);
    while (rest.n) {
        buf_addz(&text, text.n ? " " : "");
        add_sides(&text, str_cut(&rest, '\n'), &results.v[results.n - 2],
                  &results.v[results.n - 1]);
    }
    o->detail = text.p;
}
