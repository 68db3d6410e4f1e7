/* Tools that take no lock and whose table takes a row twice (Drizzle): while a run has something to apply, a
 * unique index on the rows to come makes it the same race as with a table that has a key. Who comes second
 * fails at its row, and its work is undone with it.
 *
 * The index goes when nobody can still be on the way to such a row: the tool reads the table, begins,
 * runs the file and inserts. So it stays until all transactions that were open behind our last one are over,
 * and until nobody stands between that reading and its BEGIN. */
#include "base/clock.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum { LEAVE_AFTER_MS = 5000, LOOK_EVERY_MS = 50 };

static bool
is_needed_by(const SessionLedger *l)
{
    return l->layout->add_once && l->exists;
}

static bool
is_needed(const Run *r)
{
    const Session *s = &r->session;
    bool any = false;
    vec_each (const SessionLedger, l, &s->ledgers)
        any = any || is_needed_by(l);
    return any && s->has_own_lock && db_is_open(s->db);
}

/* Each with its semicolon. */
static void
add_drops(const Session *s, Buf *b)
{
    vec_each (const SessionLedger, l, &s->ledgers) {
        if (!is_needed_by(l))
            continue;
        buf_addz(b, "DROP INDEX IF EXISTS ");
        sql_add_name(b, l->at.schema, HISTORY_ONCE);
        buf_addc(b, ';');
    }
}

static bool
tell_unguarded(Run *r, const SessionLedger *l, const char *why, Err *err)
{
    run_find(&r->deploy->sink, FINDING_RUN_UNGUARDED, NULL,
             "let no other tool deploy to this database at the same time",
             "%s takes no lock, and a run of it at the same time may apply a migration twice: %s",
             l->layout->ledger.tool, why);
    return run_findings_pass(&r->deploy->sink, err);
}

/* Two tables of one schema cannot both have an index of that name. */
static bool
has_index_of_another(const Session *s, const SessionLedger *l)
{
    for (const SessionLedger *k = s->ledgers.v; k < l; k++)
        if (is_needed_by(k) && strcmp(k->at.schema, l->at.schema) == 0)
            return true;
    return false;
}

static bool
guard(Run *r, const SessionLedger *l, const History *h, Err *err)
{
    Session *s = &r->session;
    Buf b;
    if (has_index_of_another(s, l))
        return tell_unguarded(r, l, "a second history in the same schema", err);
    buf_init(&b, r->arena);
    session_add_prefix(s, &b);
    buf_addz(&b, "DROP INDEX IF EXISTS ");
    sql_add_name(&b, l->at.schema, HISTORY_ONCE);
    buf_addc(&b, ';');
    l->layout->add_once(&b, &l->at, h);
    if (session_make(s, buf_str(&b), NULL, err)) {
        r->is_guarded = true;
        return true;
    }
    if (err->code == ERR_INTERRUPTED || err->code == ERR_LOCK_BUDGET || !db_is_open(s->db))
        return false;
    return tell_unguarded(r, l, str_dupz(r->arena, err->primary), err);
}

bool
race_guard(Run *r, Err *err)
{
    Session *s = &r->session;
    if (r->deploy->undo_count)
        return true;
    r->is_guarded = false;
    for (size_t i = 0; i < s->ledgers.n && is_needed(r); i++)
        if (is_needed_by(&s->ledgers.v[i]) &&
            !guard(r, &s->ledgers.v[i], history_part_of(r->deploy->history, i), err))
            return false;
    return true;
}

/* Transactions of others, each with its number; and who has just read the table. */
static bool
read_others(Session *s, Arena *a, DbRows *ret, Err *err)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    buf_addz(&b, "SELECT l.virtualtransaction FROM pg_catalog.pg_locks l JOIN"
                 " pg_catalog.pg_stat_activity x ON x.pid OPERATOR(pg_catalog.=) l.pid WHERE"
                 " l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.granted AND x.datname"
                 " OPERATOR(pg_catalog.=) pg_catalog.current_database() AND l.pid"
                 " OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()"
                 " UNION ALL SELECT 'idle' FROM pg_catalog.pg_stat_activity x WHERE x.datname"
                 " OPERATOR(pg_catalog.=) pg_catalog.current_database() AND x.pid"
                 " OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND x.state"
                 " OPERATOR(pg_catalog.=) 'idle' AND (false");
    vec_each (const SessionLedger, l, &s->ledgers) {
        if (!is_needed_by(l))
            continue;
        buf_addz(&b, " OR pg_catalog.strpos(x.query, ");
        sql_add_literal(&b, str_of(l->at.table));
        buf_addz(&b, ") OPERATOR(pg_catalog.>) 0");
    }
    buf_addz(&b, ") AND x.state_change OPERATOR(pg_catalog.>)"
                 " (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
                 " '2 s'::pg_catalog.interval)");
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    *ret = results.v[results.n - 1];
    return true;
}

static bool
is_in(const DbRows *rows, Str number)
{
    for (int i = 0; i < rows->rows; i++)
        if (str_eq(db_cell(rows, i, 0), number))
            return true;
    return false;
}

/* ret_over: all that were there when it was first asked. */
static bool
wait_for_others(Run *r, bool *ret_over, Err *err)
{
    Session *s = &r->session;
    DbRows first, now;
    *ret_over = false;
    if (!read_others(s, r->arena, &first, err))
        return false;
    int64_t until = clock_ms() + LEAVE_AFTER_MS;
    for (now = first; clock_ms() < until;) {
        bool any = false;
        for (int i = 0; i < first.rows; i++)
            any = any || is_in(&now, db_cell(&first, i, 0));
        *ret_over = !any;
        if (!any)
            return true;
        if (!db_pause(s->tick, s->tick_arg, LOOK_EVERY_MS))
            return err_set(err, ERR_INTERRUPTED, "the run was interrupted");
        if (!read_others(s, r->arena, &now, err))
            return false;
    }
    return true;
}

void
race_look(Run *r)
{
    vec_each (const SessionLedger, l, &r->session.ledgers)
        r->is_guarded = r->is_guarded || l->has_once;
    race_release(r);
}

void
race_release(Run *r)
{
    Session *s = &r->session;
    bool over;
    Err ignored; /* the next run takes it away */
    if (!r->is_guarded || !is_needed(r))
        return;
    Buf b;
    buf_init(&b, r->arena);
    if (!wait_for_others(r, &over, &ignored) || !over)
        return;
    session_add_prefix(s, &b);
    add_drops(s, &b);
    r->is_guarded = !db_query(s->db, r->arena, buf_str(&b), NULL, &ignored);
}
