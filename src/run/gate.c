/* Waiting politely: after a lock timeout nothing is asked for until those who were in the way are
 * gone, so that nobody queues behind us meanwhile. */
#include "base/clock.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

enum { GATE_AGE_MS = 100 }; /* shorter transactions end by themselves */

/* The modes that conflict with one, as pg_locks names them
 * (https://www.postgresql.org/docs/current/explicit-locking.html). */
static const char *
conflicts_with(SqlLockMode mode)
{
    switch (mode) {
    case SQL_LOCK_SHARE:
        return "{RowExclusiveLock,ShareUpdateExclusiveLock,ShareRowExclusiveLock,ExclusiveLock,"
               "AccessExclusiveLock}";
    case SQL_LOCK_SHARE_ROW_EXCLUSIVE:
        return "{RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,"
               "ExclusiveLock,AccessExclusiveLock}";
    case SQL_LOCK_EXCLUSIVE:
        return "{RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,"
               "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}";
    default:
        return "{AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,"
               "ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}";
    }
}

static void
add_query(Run *r, Buf *b, const LockPlan *locks)
{
    session_add_user_prefix(&r->session, b);
    buf_addz(b, "SELECT COALESCE(a.pid, 0), COALESCE(a.application_name, ''),"
                " COALESCE(a.usename, ''), COALESCE(a.state, 'a prepared transaction'),"
                " COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
                " a.xact_start)::pg_catalog.int8, 0), c.relname"
                " FROM pg_catalog.pg_locks l JOIN (VALUES ");
    for (size_t i = 0; i < locks->tables.n; i++) {
        const StepLock *t = locks->tables.v[i];
        Buf name;
        buf_init(&name, b->arena);
        if (t->rel.schema[0])
            sql_add_name(&name, t->rel.schema, t->rel.name);
        else
            sql_add_ident(&name, t->rel.name);
        buf_addz(b, i ? ", (pg_catalog.to_regclass(" : "(pg_catalog.to_regclass(");
        sql_add_literal(b, buf_str(&name));
        buf_fmt(b, ")::pg_catalog.oid, '%s'::pg_catalog.text[])", conflicts_with(t->mode));
    }
    buf_fmt(b, ") AS w (rel, modes) ON l.relation OPERATOR(pg_catalog.=) w.rel"
               " AND l.mode OPERATOR(pg_catalog.=) ANY (w.modes)"
               " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation"
               " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid"
               " WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted"
               " AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
               " AND COALESCE(a.backend_type, '') OPERATOR(pg_catalog.<>) 'autovacuum worker'"
               " AND (a.pid IS NULL OR a.xact_start OPERATOR(pg_catalog.<)"
               " (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
               " '%d ms'::pg_catalog.interval)) LIMIT 5", GATE_AGE_MS);
}

static char *
blocker_text(Arena *a, const DbRows *rows, int i)
{
    Str app = db_cell(rows, i, 1);
    long long s = 0;
    str_to_int(db_cell(rows, i, 4), 0, INT64_MAX, &s);
    return str_fmt(a, "process %s (%s%suser %s, %s, transaction open for %s) holds table \"%s\"",
                   db_cell(rows, i, 0).p, str_printable(a, app, false), app.n ? ", " : "",
                   str_printable(a, db_cell(rows, i, 2), false),
                   str_printable(a, db_cell(rows, i, 3), false), clock_duration(a, s * 1000),
                   str_printable(a, db_cell(rows, i, 5), false));
}

static bool
budget_spent(Run *r, const MigrationPlan *mp, const char *blocker, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_LOCK_BUDGET, "migration \"%s\" found its table locks taken for %s and gave up",
            mp->migration->name,
            clock_duration(a, config_ms(r->session.config, CFG_LOCK_BUDGET)));
    err_at(err, mp->migration->path, 0, 0);
    if (blocker)
        err_detail(err, "%s", blocker);
    err_detail(err, "state: nothing of this transaction is in the database");
    r->report->failed = mp->migration->name;
    return err_hint(err, "end the blocking transaction, or try again later: aramid deploy "
                         "(--lock-budget 30min waits longer; others never wait longer than "
                         "--lock-timeout)");
}

bool
gate_wait(Run *r, const MigrationPlan *mp, const LockPlan *locks, int attempt, Err *err)
{
    int64_t now = clock_ms(), budget = config_ms(r->session.config, CFG_LOCK_BUDGET);
    if (!r->lock_wait_started_ms)
        r->lock_wait_started_ms = now;
    char last[512] = "";
    int64_t tell_at = now;
    /* Without names to look at, only time helps. */
    int64_t pause = db_backoff_ms(100, 5000, attempt);
    for (int look = 0;; look++) {
        ARENA_LOCAL(a);
        bool blocked = false;
        if (locks->tables.n) {
            Buf b;
            buf_init(&b, a);
            add_query(r, &b, locks);
            DbRowsVec results;
            if (!db_query(r->session.db, a, buf_str(&b), &results, err))
                return false;
            const DbRows *rows = &results.v[results.n - 1];
            blocked = rows->rows > 0;
            if (blocked) {
                char *text = blocker_text(a, rows, 0);
                size_t n = strlen(text) < sizeof last - 1 ? strlen(text) : sizeof last - 1;
                memcpy(last, text, n);
                last[n] = 0;
            }
        }
        now = clock_ms();
        if (now - r->lock_wait_started_ms > budget)
            return budget_spent(r, mp, last[0] ? last : NULL, err);
        if (now >= tell_at && (blocked || look == 0)) {
            run_emit(r, RUN_BLOCKED, RUN_INFO, mp->migration->name,
                     blocked ? "waiting for a table lock: %s" : "a lock was not free%s; trying again",
                     blocked ? last : "");
            tell_at = now + 5000;
        }
        if (!blocked && look > 0)
            return true;
        if (!db_pause(run_tick, r, blocked || locks->tables.n ? 50 + (look < 9 ? look : 9) * 20 : pause))
            return err_set(err, ERR_INTERRUPTED, "waiting for a table lock was interrupted");
        if (!locks->tables.n || (!blocked && look == 0 && attempt < 3))
            return true;
    }
}
