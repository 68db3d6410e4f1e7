/* Between two batches: waiting for replicas that lag, and while many wait for locks. */
#include "run/batch.h"

#include "base/clock.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum {
    LOOK_EVERY_MS = 500,
    TELL_EVERY_MS = 5000,
    CROWD = 4, /* sessions that wait for locks */
    CROWD_WAIT_MS = 10000,
    HOLD_MS = 500,
};

bool
batch_interrupted(Err *err)
{
    return err_set(err, ERR_INTERRUPTED, "the run was interrupted");
}

void
batch_tell_blocked(Batches *b, const char *why)
{
    int64_t now = clock_ms();
    if (b->blocked_told_ms && now - b->blocked_told_ms < TELL_EVERY_MS)
        return;
    b->blocked_told_ms = now;
    run_emit(b->t->run, RUN_BLOCKED, RUN_INFO, b->t->mp->migration->name, "%s", why);
}

/* How far replicas are behind, and how many sessions wait for locks, not for a run to end. What the role may
 * not see counts for nothing. */
static const char look_query[] =
    "SELECT COALESCE(pg_catalog.max(pg_catalog.date_part('epoch', r.replay_lag)"
    " OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8, 0), pg_catalog.min(r.application_name) FROM"
    " pg_catalog.pg_stat_replication r WHERE r.replay_lsn OPERATOR(pg_catalog.<)"
    " pg_catalog.pg_current_wal_lsn();"
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datname"
    " OPERATOR(pg_catalog.=) pg_catalog.current_database() AND a.wait_event_type"
    " OPERATOR(pg_catalog.=) 'Lock' AND a.wait_event OPERATOR(pg_catalog.<>) 'advisory'";

static bool
look(Batches *b, int64_t *ret_lag_ms, int64_t *ret_waiting, Err *err)
{
    ARENA_LOCAL(a);
    Buf out;
    DbRowsVec results;
    long long lag = 0, waiting = 0;
    Session *s = &b->t->run->session;
    buf_init(&out, a);
    int before = session_add_prefix(s, &out);
    buf_addz(&out, look_query);
    if (!db_query(s->db, a, buf_str(&out), &results, err))
        return false;
    str_to_int(db_cell(&results.v[before], 0, 0), 0, INT64_MAX, &lag);
    str_to_int(db_cell(&results.v[before + 1], 0, 0), 0, INT64_MAX, &waiting);
    *ret_lag_ms = lag;
    *ret_waiting = waiting;
    return true;
}

/* Wait for replicas that lag (as long as the settings say) and for a crowd (for a moment). */
bool
batch_hold_back(Batches *b, Err *err)
{
    Run *r = b->t->run;
    const Config *c = r->session.config;
    int64_t most = config_ms(c, CFG_BATCH_LAG), since = clock_ms();
    if (since - b->looked_ms < LOOK_EVERY_MS)
        return true;
    for (;;) {
        ARENA_LOCAL(a);
        int64_t lag, waiting, now = clock_ms();
        if (!look(b, &lag, &waiting, err))
            return false;
        b->looked_ms = now;
        bool lags = most && lag > most, crowded = waiting >= CROWD && now - since < CROWD_WAIT_MS;
        if (!lags && !crowded)
            return true;
        if (lags && now - since > config_ms(c, CFG_BATCH_PATIENCE)) {
            err_set(err, ERR_LAG, "a replica was %s behind for longer than batch.patience",
                    clock_duration(a, lag));
            err_detail(err, "state: all batches up to now are committed; the next run goes on");
            return err_hint(err, "when the replica has caught up: aramid %s", run_verb(r));
        }
        batch_tell_blocked(
            b, lags ? str_fmt(a, "paused: a replica is %s behind (batch.lag: %s)",
                              clock_duration(a, lag), clock_duration(a, most))
                    : str_fmt(a, "paused: %lld sessions wait for locks", (long long)waiting));
        if (!db_pause(run_tick, r, HOLD_MS))
            return batch_interrupted(err);
    }
}
