/* Watching a statement that takes long, from a second connection: how far it is, who blocks it,
 * whom it blocks, and whether the server still runs it at all. */
#include "base/clock.h"
#include "base/os.h"
#include "run/session_int.h"
#include "run/watch.h"

#include <stdio.h>

struct Watch {
    int64_t started_ms, next_ms;
    LockWatch *locks;
    int idle_looks;
};

enum { FIRST_LOOK_MS = 1000, EVERY_MS = 1000, IDLE_LOOKS_MAX = 5 };

void
watch_begin(Run *r, LockWatch *locks)
{
    int64_t now = clock_ms();
    r->watch = arena_new(r->arena, Watch);
    *r->watch = (Watch){.started_ms = now, .next_ms = now + FIRST_LOOK_MS, .locks = locks};
}

void
watch_end(Run *r)
{
    r->watch = NULL;
}

void
watch_next(Run *r)
{
    int64_t now = clock_ms();
    if (!r->watch)
        return;
    r->watch->started_ms = now;
    r->watch->next_ms = now + FIRST_LOOK_MS;
}

/* It may have met another server of a list or behind a name. */
static bool
observes_our_server(const Run *r)
{
    const DbInfo *info = db_info(r->session.db), *seen = db_info(r->observer);
    return !seen->in_recovery && strcmp(seen->started, info->started) == 0;
}

bool
watch_open(Run *r)
{
    if (r->no_observer)
        return false;
    if (r->observer && db_is_open(r->observer))
        return observes_our_server(r);
    const Config *c = r->deploy->session.config;
    DbOptions o = {
        .url = r->deploy->session.url,
        .url_origin = r->deploy->session.url_origin,
        .application = str_fmt(r->arena, "aramid/%s/watch", os_self_tag(r->arena)),
        .trace = c->trace,
        .connect_ms = 2000,
        .operation_ms = 2000,
        .retry_delay_ms = config_ms(c, CFG_RETRY_DELAY),
    };
    Err ignored; /* progress is a comfort: the run goes on without it */
    r->no_observer = !db_open(r->arena, &o, &r->observer, &ignored);
    return !r->no_observer && observes_our_server(r);
}

#define BLOCKER_OF(pid)                                                                            \
    "COALESCE((SELECT 'process ' || b.pid || ' (' || COALESCE(NULLIF(b.application_name, ''),"     \
    " b.usename, '?') || ', ' || COALESCE(b.state, '') || ')' FROM pg_stat_activity b"             \
    " WHERE b.pid = ANY (pg_blocking_pids(" pid ")) LIMIT 1),"                                     \
    " (SELECT 'a prepared transaction (one of ' || string_agg(quote_literal(x.gid), ', ') || ')'"  \
    " FROM pg_prepared_xacts x WHERE x.database = current_database()"                              \
    " AND 0 = ANY (pg_blocking_pids(" pid "))))"
#define STRONG " IN ('AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock')"

static const char look_query[] =
    "SET search_path='';"
    "SELECT a.state, a.wait_event_type, a.wait_event," BLOCKER_OF(
        "a.pid") ","
                 " (SELECT count(*) FROM pg_locks w JOIN pg_locks h ON h.pid = a.pid AND h.granted"
                 " AND w.relation = h.relation AND w.database = h.database WHERE NOT w.granted AND "
                 "w.pid <> a.pid"
                 " AND h.mode" STRONG "),"
                 " p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total"
                 " FROM pg_stat_activity a LEFT JOIN pg_stat_progress_create_index p ON p.pid = "
                 "a.pid"
                 " WHERE a.pid = %d";

static long long
number(const DbRows *rows, int col)
{
    long long v = 0;
    if (db_cell(rows, 0, col).p)
        str_to_int(db_cell(rows, 0, col), 0, INT64_MAX, &v);
    return v;
}

static void
tell(Run *r, Arena *a, const DbRows *rows, int64_t ms)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "running for %s", clock_duration(a, ms));
    if (db_cell(rows, 0, 5).p) {
        long long done = number(rows, 6), total = number(rows, 7);
        if (number(rows, 9) > 0)
            done = number(rows, 8), total = number(rows, 9);
        buf_fmt(&b, "; %s", str_printable(a, db_cell(rows, 0, 5), false));
        if (total > 0)
            buf_fmt(&b, " %lld %%", done * 100 / total);
    }
    if (db_cell(rows, 0, 3).p)
        buf_fmt(&b, "; waiting for %s", str_printable(a, db_cell(rows, 0, 3), false));
    if (number(rows, 4) > 0)
        buf_fmt(&b, "; %lld other session%s waiting for us", number(rows, 4),
                number(rows, 4) == 1 ? " is" : "s are");
    run_emit(r, RUN_PROGRESS, RUN_INFO, r->current, "%s", b.p);
}

/* A lock that we wait for, who has it, and whether others queue because of that. */
static const char locks_query[] =
    "SET search_path='';"
    "SELECT " BLOCKER_OF(
        "w.pid") ", (w.locktype = 'relation' AND w.mode" STRONG ") OR EXISTS"
                 " (SELECT 1 FROM pg_locks h JOIN pg_locks o ON o.relation = h.relation"
                 " AND o.database = h.database AND NOT o.granted AND o.pid <> h.pid"
                 " WHERE h.pid = w.pid AND h.granted AND h.mode" STRONG ")"
                 ", w.virtualtransaction FROM pg_locks w WHERE w.pid = %d AND NOT w.granted";

/* Who waits for the lock of the layout's tool, and we for them. */
static const char *
watch_query(const Run *r, Arena *a, const LockWatch *w)
{
    int pid = db_info(r->session.db)->backend_pid;
    if (!w->is_alone)
        return str_fmt(a, locks_query, pid);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "SET search_path='';SELECT NULL, true, NULL FROM pg_locks l JOIN pg_database d ON"
                 " d.oid = l.database WHERE d.datname = current_database() AND NOT l.granted AND ");
    lock_add_is_tools(&r->session, &b);
    buf_fmt(&b, " AND l.pid = ANY (pg_blocking_pids(%d))", pid);
    return b.p;
}

static bool
lock_watch_holds(Run *r, LockWatch *w)
{
    ARENA_LOCAL(a);
    DbRowsVec results;
    Err ignored;
    bool seen = db_query(r->observer, a, str_of(watch_query(r, a, w)), &results, &ignored);
    r->no_observer = r->no_observer || !seen;
    w->fired = !seen && !w->is_alone; /* who cannot look must not let others wait for long */
    if (seen && results.v[1].rows) {
        const DbRows *rows = &results.v[1];
        if (db_cell(rows, 0, 0).p) {
            Str rest = db_cell(rows, 0, 0);
            long long pid = 0;
            str_cut(&rest, ' '); /* "process 4711 (psql, idle)" */
            str_to_int(str_cut(&rest, ' '), 0, INT32_MAX, &pid);
            w->blocker_pid = (int)pid;
            snprintf(w->blocker, sizeof w->blocker, "%s",
                     str_printable(a, db_cell(rows, 0, 0), false));
        }
        w->fired = str_is(db_cell(rows, 0, 1), "t") &&
                   (!w->transaction || str_is(db_cell(rows, 0, 2), w->transaction));
    }
    w->fired = w->fired && w->may_fire;
    return !w->fired;
}

bool
watch_tick(Run *r, int64_t elapsed_ms)
{
    (void)elapsed_ms;
    Watch *w = r->watch;
    if (w && w->locks && watch_open(r) && !lock_watch_holds(r, w->locks))
        return false;
    int64_t now = clock_ms();
    if (!w || now < w->next_ms)
        return true;
    w->next_ms = now + EVERY_MS;
    if (!watch_open(r))
        return true;
    ARENA_LOCAL(a);
    const DbInfo *info = db_info(r->session.db);
    DbRowsVec results;
    Err ignored;
    if (!db_query(r->observer, a, str_of(str_fmt(a, look_query, info->backend_pid)), &results,
                  &ignored))
        return true;
    const DbRows *rows = &results.v[results.n - 1];
    if (rows->rows == 0 || str_is(db_cell(rows, 0, 0), "idle")) {
        /* The answer was sent, or the backend is gone, and nothing arrives here. */
        return ++w->idle_looks < IDLE_LOOKS_MAX;
    }
    w->idle_looks = 0;
    if (r->deploy->show_progress)
        tell(r, a, rows, now - w->started_ms);
    return true;
}
