/* Others who wait for what a statement of ours has locked while it works: a second connection looks who, how many
 * and for how long; it is counted, told, and the statement is cancelled where the settings allow no longer wait.
 * (Others who queue while we wait are looked after by locks.timeout.) */
#include "base/clock.h"
#include "run/session_int.h"
#include "run/watch.h"

#include <stdio.h>

enum {
    FIRST_LOOK_MS = 250, /* what is over before that costs no connection */
    EVERY_MS = 100,
    EVERY_LIMITED_MS = 50,
    NEAR_MS = 2,
    SHOWN = 3,
};

int64_t
stall_limit_ms(const Run *r)
{
    return config_ms(r->deploy->session.config, CFG_STALL);
}

/* A wait that locks.timeout would allow is none. */
static int64_t
worth_ms(const Run *r)
{
    int64_t ms = config_ms(r->deploy->session.config, CFG_LOCK_TIMEOUT);
    return ms ? ms : EVERY_MS;
}

static int64_t
at_most(int64_t ms, int64_t most)
{
    return ms < most ? ms : most;
}

void
stall_begin(Run *r, bool may_cancel)
{
    Stall *s = &r->stall;
    if (db_info(r->session.db)->is_shared)
        return;
    int64_t limit = stall_limit_ms(r), now = clock_ms();
    s->is_on = true;
    s->fired = false;
    s->may_cancel = may_cancel && limit;
    s->sent_ms = now;
    s->next_ms = now + (limit ? at_most(limit / 4, FIRST_LOOK_MS) : FIRST_LOOK_MS);
}

void
stall_end(Run *r)
{
    r->stall.is_on = false;
}

void
stall_tell_off(Run *r)
{
    if (r->told_no_stall || !stall_limit_ms(r))
        return;
    r->told_no_stall = true;
    run_find(&r->deploy->sink, FINDING_RUN_STALL_OFF, NULL, NULL,
             "whether others wait is not looked at, and stall not kept: %s",
             db_info(r->session.db)->is_shared ? "this server has one session for all"
                                               : "no second connection could be made");
}

/* Whom we keep waiting, for a table or a row, the longest first. When a wait began is known from 14 on; before
 * that, when the statement did that waits. What others run may be hidden from this role. */
#define WAITED "(EXTRACT(epoch FROM clock_timestamp() - %s) * 1000)::int8"
static const char waiters_query[] =
    "SET search_path='';"
    "SELECT %s, 'process ' || w.pid || ' (' || concat_ws(', ', NULLIF(a.application_name, ''),"
    " 'user ' || a.usename) || ') waits for ' || CASE WHEN w.relation IS NULL THEN 'a row'"
    " ELSE 'table ' || w.relation::regclass END || ': ' || CASE WHEN a.query IS NULL"
    " OR a.query = '<insufficient privilege>' THEN 'what it runs only members of"
    " pg_read_all_stats may see' ELSE left(a.query, 100) END,"
    " count(*) OVER ()"
    " FROM pg_locks w LEFT JOIN pg_stat_activity a ON a.pid = w.pid WHERE NOT w.granted"
    " AND w.locktype IN ('relation', 'tuple', 'transactionid') AND w.pid <> %d"
    " AND COALESCE(a.backend_type, '') <> 'autovacuum worker'"
    " AND %d = ANY (pg_blocking_pids(w.pid)) ORDER BY 1 DESC NULLS LAST LIMIT %d";

/* The longest present wait in milliseconds, -1 = nobody waits; kept where none was longer. */
static int64_t
look(Run *r, Arena *a)
{
    Stall *s = &r->stall;
    bool has_start = db_info(r->session.db)->version >= 140000;
    const char *since = has_start ? "COALESCE(w.waitstart, clock_timestamp())" : "a.query_start";
    int pid = db_info(r->session.db)->backend_pid;
    Buf b, who;
    buf_init(&b, a);
    buf_init(&who, a);
    buf_fmt(&b, waiters_query, str_fmt(a, WAITED, since), pid, pid, SHOWN);
    DbRowsVec results;
    Err ignored; /* the next look may see more */
    if (!db_query(r->observer, a, buf_str(&b), &results, &ignored))
        return -1;
    const DbRows *rows = &results.v[results.n - 1];
    long long waited = 0, n = 0;
    if (rows->rows == 0)
        return -1;
    if (db_cell(rows, 0, 0).p)
        str_to_int(db_cell(rows, 0, 0), 0, INT64_MAX, &waited);
    waited = at_most(waited, clock_ms() - s->sent_ms);
    str_to_int(db_cell(rows, 0, 2), 0, INT32_MAX, &n);
    s->sessions = n > s->sessions ? (int)n : s->sessions;
    if (waited < s->waited_ms)
        return waited;
    for (int i = 0; i < rows->rows; i++)
        buf_fmt(&who, "%s%s", i ? "\n" : "", str_printable(a, db_cell(rows, i, 1), false));
    if (n > rows->rows)
        buf_fmt(&who, "\nand %lld more", n - rows->rows);
    s->waited_ms = waited;
    snprintf(s->who, sizeof s->who, "%s", who.p);
    return waited;
}

static const char *
first_line(Arena *a, const char *who)
{
    return str_fmt(a, "%.*s", (int)strcspn(who, "\n"), who);
}

/* By the connection that looks: another one would have to be made first. */
static bool
cancel(Run *r, Arena *a)
{
    Err ignored; /* then it is cancelled as at a signal */
    return db_query(r->observer, a,
                    str_of(str_fmt(a, "SELECT pg_catalog.pg_cancel_backend(%d)",
                                   db_info(r->session.db)->backend_pid)),
                    NULL, &ignored);
}

bool
stall_tick(Run *r)
{
    Stall *s = &r->stall;
    int64_t now = clock_ms(), limit = stall_limit_ms(r);
    if (!s->is_on || s->fired || now < s->next_ms)
        return true;
    if (!watch_open(r)) {
        s->is_on = false;
        stall_tell_off(r);
        return true;
    }
    ARENA_LOCAL(a);
    int64_t waited = look(r, a), every = limit ? EVERY_LIMITED_MS : EVERY_MS;
    if (s->may_cancel && waited >= 0 && waited < limit)
        every = at_most(every, limit - waited > NEAR_MS ? limit - waited : NEAR_MS);
    s->next_ms = clock_ms() + every;
    s->fired = s->may_cancel && waited >= limit;
    bool is_cancelled = s->fired && cancel(r, a);
    /* First when it is worth a word, then whenever it has become twice as long. */
    if (waited >= worth_ms(r) && (s->fired || waited >= 2 * s->told_ms)) {
        s->told_ms = waited;
        run_emit(r, RUN_STALL, RUN_WARN, r->current, "%s for %s for what this has locked: %s%s",
                 s->sessions == 1 ? "1 session waits" : str_fmt(a, "%d sessions wait", s->sessions),
                 clock_duration(a, waited), first_line(a, s->who),
                 s->fired ? "; it is cancelled" : "");
    }
    return !s->fired || is_cancelled;
}

void
stall_note(Run *r, RunDone *done)
{
    const Stall *s = &r->stall;
    if (s->waited_ms < worth_ms(r))
        return;
    done->stalled_ms = s->waited_ms;
    done->stalled = s->sessions;
}

void
stall_tell(Run *r, const char *name)
{
    const Stall *s = &r->stall;
    if (s->waited_ms < worth_ms(r))
        return;
    ARENA_LOCAL(a);
    run_find(&r->deploy->sink, FINDING_RUN_STALLED, name,
             name ? str_fmt(a, "aramid lint %s; `stall: 500ms` would have rolled it back",
                            str_shell(a, name))
                  : NULL,
             "others waited for up to %s for what it had locked, %s at once: %s",
             clock_duration(a, s->waited_ms), str_count(a, s->sessions, "session"),
             first_line(a, s->who));
}
