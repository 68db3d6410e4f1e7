/* Waiting politely: after a lock timeout nothing is asked for until those who were in the way are
 * gone, so that nobody queues behind us meanwhile. */
#include "base/clock.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

#include <stdio.h>

enum {
    GATE_AGE_MS = 100, /* shorter transactions end by themselves */
    TELL_MS = 5000,
};

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

/* Who holds one of the tables for longer than a moment; "" when nobody does. */
static bool
find_blocker(Run *r, const LockPlan *locks, char *ret, size_t size, Err *err)
{
    ret[0] = 0;
    if (!locks->tables.n)
        return true;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    add_query(r, &b, locks);
    DbRowsVec results;
    if (!db_query(r->session.db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    if (rows->rows)
        snprintf(ret, size, "%s", blocker_text(a, rows, 0));
    return true;
}

static void
tell_blocked(Run *r, const MigrationPlan *mp, const char *blocker)
{
    int64_t now = clock_ms();
    if (r->blocked_told_ms && now - r->blocked_told_ms < TELL_MS)
        return;
    r->blocked_told_ms = now;
    if (blocker[0])
        run_emit(r, RUN_BLOCKED, RUN_INFO, mp->migration->name, "waiting for a table lock: %s", blocker);
    else
        run_emit(r, RUN_BLOCKED, RUN_INFO, mp->migration->name,
                 "a lock was not free; trying again until it is");
}

bool
gate_wait(Run *r, const MigrationPlan *mp, const LockPlan *locks, int attempt, Err *err)
{
    int64_t budget = config_ms(r->session.config, CFG_LOCK_BUDGET);
    if (!r->lock_wait_started_ms)
        r->lock_wait_started_ms = clock_ms();
    char blocker[512], last[512] = "";
    for (int look = 0;; look++) {
        if (!find_blocker(r, locks, blocker, sizeof blocker, err))
            return false;
        if (blocker[0])
            memcpy(last, blocker, sizeof last);
        if (clock_ms() - r->lock_wait_started_ms > budget)
            return budget_spent(r, mp, last[0] ? last : NULL, err);
        if (!blocker[0] && look > 0)
            return true;
        tell_blocked(r, mp, blocker);
        /* Nobody to wait for by name (a row lock, a short transaction): only time helps, and each
         * try makes others wait a little, so the pauses grow. */
        int64_t pause = blocker[0] ? 50 + (look < 9 ? look : 9) * 20 : db_backoff_ms(100, 5000, attempt);
        if (!db_pause(run_tick, r, pause))
            return err_set(err, ERR_INTERRUPTED, "waiting for a table lock was interrupted");
        if (!blocker[0])
            return true;
    }
}
