/* Waiting politely: after a lock timeout nothing is asked for until those who were in the way are
 * gone, so that nobody queues behind us meanwhile. */
#include "base/clock.h"
#include "run/session_int.h"
#include "run/alone.h"
#include "run/watch.h"
#include "sqltext/sqltext.h"

enum {
    OLD_MS = 100, /* shorter transactions end by themselves */
    TELL_MS = 5000,
};

/* What one wait has seen. */
typedef struct Blockers {
    Arena *arena;
    const char *before;  /* " 3/17 4/2 ": transactions that held a table at the last look */
    const char *blocker; /* one of the present look that is older than a moment, or NULL */
} Blockers;

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
    Buf wanted;
    buf_init(&wanted, b->arena);
    session_add_user_prefix(&r->session, b);
    if (!locks->tables.n) { /* what it wants of whom was only seen from outside */
        holders_add_query(b,
                          str_fmt(b->arena,
                                  "SELECT h.relation, pg_catalog.array_agg(h.mode) FROM"
                                  " pg_catalog.pg_locks h WHERE h.pid OPERATOR(pg_catalog.=) %d"
                                  " AND h.granted AND h.locktype OPERATOR(pg_catalog.=) 'relation'"
                                  " GROUP BY h.relation",
                                  locks->blocker_pid));
        return;
    }
    buf_addz(&wanted, "VALUES ");
    for (size_t i = 0; i < locks->tables.n; i++) {
        const StepLock *t = locks->tables.v[i];
        Buf name;
        buf_init(&name, b->arena);
        if (t->rel.schema[0])
            sql_add_name(&name, t->rel.schema, t->rel.name);
        else
            sql_add_ident(&name, t->rel.name);
        buf_addz(&wanted, i ? ", (pg_catalog.to_regclass(" : "(pg_catalog.to_regclass(");
        sql_add_literal(&wanted, buf_str(&name));
        buf_fmt(&wanted, ")::pg_catalog.oid, '%s'::pg_catalog.text[])", conflicts_with(t->mode));
    }
    holders_add_query(b, wanted.p);
}

static bool
budget_spent(Run *r, const MigrationPlan *mp, const char *blocker, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_LOCK_BUDGET, "%s \"%s\" found its table locks taken for %s and gave up",
            run_noun(r), mp->migration->name,
            clock_duration(a, config_ms(r->session.config, CFG_LOCK_BUDGET)));
    err_at(err, mp->migration->path, 0, 0);
    if (blocker)
        err_detail(err, "%s", blocker);
    err_detail(err, "state: nothing of this transaction is in the database");
    r->report->failed = mp->migration->name;
    return err_hint(err,
                    "end the blocking transaction, or try again later: aramid %s "
                    "(--lock-budget 30min waits longer; others never wait longer than "
                    "--lock-timeout)",
                    run_verb(r));
}

/* A transaction that began a while ago, or that the last look saw too: a role may not see when the
 * sessions of others began. */
static bool
is_old(const Blockers *g, const DbRows *rows, int i, const char *id)
{
    long long ms = 0;
    Str age = db_cell(rows, i, 4);
    bool prepared = str_is(db_cell(rows, i, 0), "0");
    return prepared || (age.p && str_to_int(age, 0, INT64_MAX, &ms) && ms >= OLD_MS) ||
           strstr(g->before, id);
}

static bool
look(Run *r, Blockers *g, const LockPlan *locks, Err *err)
{
    g->blocker = NULL;
    if (!locks->tables.n && !locks->blocker_pid)
        return true;
    ARENA_LOCAL(a);
    Buf b, ids;
    buf_init(&b, a);
    buf_init(&ids, g->arena);
    add_query(r, &b, locks);
    DbRowsVec results;
    if (!db_query(r->session.db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++) {
        if (!locks->tables.n && !str_is(db_cell(rows, i, 0), str_fmt(a, "%d", locks->blocker_pid)))
            continue;
        const char *id = str_fmt(a, " %s ", db_cell(rows, i, 6).p);
        buf_addz(&ids, id);
        if (!g->blocker && is_old(g, rows, i, id))
            g->blocker = str_dupz(g->arena, holders_text(a, rows, i));
    }
    g->before = ids.p;
    return true;
}

/* Every few seconds, and when there is somebody to name for the first time. */
static void
tell_blocked(Run *r, const MigrationPlan *mp, const char *blocker)
{
    int64_t now = clock_ms();
    if (r->blocked_told_ms && now - r->blocked_told_ms < TELL_MS && (r->blocked_named || !blocker))
        return;
    r->blocked_told_ms = now;
    r->blocked_named = blocker;
    if (blocker)
        run_emit(r, RUN_BLOCKED, RUN_INFO, mp->migration->name, "waiting for a lock: %s", blocker);
    else
        run_emit(r, RUN_BLOCKED, RUN_INFO, mp->migration->name,
                 "a lock was not free; trying again until it is");
}

bool
blockers_wait(Run *r, const MigrationPlan *mp, const LockPlan *locks, const char *seen, Err *err)
{
    ARENA_LOCAL(a);
    Blockers g = {.arena = a, .before = ""};
    int attempt = ++r->failures[DB_PATIENCE_LOCK];
    int64_t budget = config_ms(r->session.config, CFG_LOCK_BUDGET);
    const char *last = seen[0] ? seen : NULL;
    if (!r->lock_wait_started_ms)
        r->lock_wait_started_ms = clock_ms();
    for (int n = 0;; n++) {
        if (!look(r, &g, locks, err))
            return false;
        if (g.blocker)
            last = g.blocker;
        if (clock_ms() - r->lock_wait_started_ms > budget)
            return budget_spent(r, mp, last, err);
        if (!g.blocker && n > 0)
            return true;
        if (last || attempt > 1)
            tell_blocked(r, mp, last);
        /* Nobody to wait for by name (a row lock, a short transaction): only time helps, and each
         * try makes others wait a little, so the pauses grow. */
        int64_t pause =
            g.blocker ? 50 + (n < 9 ? n : 9) * 20 : db_retry_ms(DB_PATIENCE_LOCK, 0, attempt);
        if (!db_pause(run_tick, r, pause < OLD_MS && !g.blocker ? OLD_MS : pause))
            return err_set(err, ERR_INTERRUPTED, "waiting for a table lock was interrupted");
    }
}

/* Autovacuum gives way to nobody who waits for less than deadlock_timeout. The mode that is asked for
 * here lets readers and writers through. */
static void
evict_autovacuum(const Try *t)
{
    ARENA_LOCAL(a);
    Db *db = t->run->session.db;
    Buf b;
    DbOutcome ignored; /* no right to, or not a table: then time must help */
    buf_init(&b, a);
    buf_fmt(&b, "SET LOCAL lock_timeout=%lld;", (long long)db_info(db)->deadlock_timeout_ms + 500);
    vec_each (const StepLock, l, &t->step->locks) {
        if (l->mode < SQL_LOCK_SHARE)
            continue;
        buf_addz(&b, "LOCK TABLE ONLY ");
        if (l->rel.schema[0])
            sql_add_name(&b, l->rel.schema, l->rel.name);
        else
            sql_add_ident(&b, l->rel.name);
        buf_addz(&b, " IN SHARE UPDATE EXCLUSIVE MODE;");
    }
    db_run(db, a, buf_str(&b),
           &(DbRun){.timeout_ms = config_ms(t->run->session.config, CFG_OPERATION_TIMEOUT)},
           &ignored);
}

bool
alone_wait(const Try *t, const LockWatch *seen, Err *err)
{
    LockPlan locks = {.blocker_pid = seen->blocker_pid};
    vec_each (const StepLock, l, &t->step->locks)
        *vec_add(t->arena, &locks.tables) = l;
    if (!blockers_wait(t->run, t->mp, &locks, seen->blocker, err))
        return false;
    if (locks.tables.n)
        evict_autovacuum(t);
    return true;
}
