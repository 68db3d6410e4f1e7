/* A statement in batches: each is one transaction with one range of the key and the note of how far it has
 * come, so that every row is changed once, whenever the run is killed. Between them nothing is locked. */
#include "run/batch.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "run/alone.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum {
    SIZE_FIRST = 1000,
    PAUSE_MIN_MS = 10, /* else as long as the batch took: half of the time is the others' */
    TELL_EVERY_MS = 1000,
    TELL_LOG_MS = 30000, /* where nobody watches */
};

static void
tell_progress(Batches *b)
{
    Run *r = b->t->run;
    int64_t now = clock_ms(), ms = now - b->began_ms;
    if (now - b->told_ms < (r->deploy->show_progress ? TELL_EVERY_MS : TELL_LOG_MS) || ms < 1)
        return;
    b->told_ms = now;
    ARENA_LOCAL(a);
    Buf out;
    buf_init(&out, a);
    int64_t rate = (b->rows - b->began_rows) * 1000 / ms, all = b->key.rows;
    buf_fmt(&out, "%s: %lld rows", b->what->table.name, (long long)b->rows);
    if (all > b->rows)
        buf_fmt(&out, " of about %lld (%lld %%)", (long long)all, (long long)(b->rows * 100 / all));
    buf_fmt(&out, ", %lld a second", (long long)rate);
    if (all > b->rows && rate > 0)
        buf_fmt(&out, ", about %s left", clock_duration(a, (all - b->rows) * 1000 / rate));
    buf_fmt(&out, "; batches of %lld", (long long)b->size);
    run_emit(r, RUN_PROGRESS, RUN_INFO, b->t->mp->migration->name, "%s", out.p);
}

/* ---- one of them --------------------------------------------------------------------------------- */

#define WAITING_MARK "aramid waiting "

typedef struct BatchMessage {
    Buf sql;
    int checked, stated; /* statements before the check of the lock, and before its own */
} BatchMessage;

static int64_t
target_ms(const Batches *b)
{
    return b->what->ms ? b->what->ms : config_ms(b->t->run->session.config, CFG_BATCH_TIME);
}

static int64_t
timeout_ms(const Batches *b)
{
    int64_t own = plan_timeout_ms(b->t->mp);
    if (own >= 0)
        return own;
    return b->no_timeout ? config_ms(b->t->run->session.config, CFG_STATEMENT_TIMEOUT)
                         : target_ms(b) * 2;
}

static int64_t
lock_ms(const Batches *b)
{
    int64_t own = plan_lock_timeout_ms(b->t->mp);
    return own >= 0 ? own : target_ms(b);
}

/* The note comes first: who has lost the lock meanwhile fails there, before a row is changed. What it says
 * is on disk with the rows, or neither is. */
static void
write_message(const Batches *b, Arena *a, BatchMessage *m)
{
    const Session *s = &b->t->run->session;
    Buf *out = &m->sql;
    buf_init(out, a);
    int n = session_add_user_prefix(s, out);
    buf_addz(out, "SET LOCAL synchronous_commit=off;SET LOCAL statement_timeout='5s';SET LOCAL "
                  "lock_timeout='5s';"
                  "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN "
                  "pg_catalog.pg_try_advisory_xact_lock(" LOCK_KEY_MESSAGE ")");
    if (s->unclean) {
        buf_addz(out, " AND ");
        lock_add_is_held(out);
    }
    buf_addz(out, " THEN 1 ELSE 0 END;");
    m->checked = n + 3;
    session_add_row_security(s, out);
    buf_addz(out, "WITH b AS (UPDATE ");
    own_add_table(s, out, OWN_BATCHES);
    buf_addz(out, " SET reached = ");
    batch_add_array(b, out, b->next);
    buf_fmt(out, ", rows = %lld, size = %lld, changed_at = pg_catalog.clock_timestamp()",
            (long long)(b->rows + (b->is_final ? 0 : b->size)), (long long)b->size);
    batch_add_where(b, out);
    buf_addz(out, " AND reached IS NOT DISTINCT FROM ");
    batch_add_array(b, out, b->last);
    buf_addz(out, " RETURNING reached) SELECT 1 OPERATOR(pg_catalog./) CASE WHEN (SELECT"
                  " pg_catalog.count(*) FROM b WHERE b.reached OPERATOR(pg_catalog.=) ");
    batch_add_array(b, out, b->next);
    buf_addz(out,
             ") OPERATOR(pg_catalog.=) 1 THEN 1 ELSE 0 END;SET LOCAL row_security TO DEFAULT;");
    buf_fmt(out, "SET LOCAL statement_timeout=%lld;SET LOCAL lock_timeout=%lld;",
            (long long)timeout_ms(b), (long long)lock_ms(b));
    m->stated = n + 9;
    Buf range;
    buf_init(&range, a);
    batch_add_range(b, &range, b->what->alias, b->last, b->next);
    sql_add_batch(out, b->statement, b->what, buf_str(&range));
    buf_addz(out,
             "\n;\nSET CONSTRAINTS ALL IMMEDIATE;"
             "SELECT '" WAITING_MARK "' OPERATOR(pg_catalog.||) pg_catalog.count(*)"
             "::pg_catalog.text FROM pg_catalog.pg_locks w WHERE NOT w.granted AND"
             " w.transactionid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id_if_assigned()"
             "::pg_catalog.xid");
}

static void
take_waiting(void *arg, size_t result, const Str *cells)
{
    Batches *b = arg;
    Str mark = STR(WAITING_MARK);
    (void)result;
    if (cells[0].p && str_starts(cells[0], mark))
        str_to_int(str_slice(cells[0], mark.n, cells[0].n), 0, INT32_MAX, &b->waiting);
}

/* It follows from how long the last one took; while others wait for its rows, it is to take the half. */
static void
adapt(Batches *b, int64_t took_ms)
{
    int64_t target = b->waiting ? target_ms(b) / 2 : target_ms(b), took = took_ms ? took_ms : 1;
    int64_t size = b->size * target / took;
    size = size > b->size * 3 / 2 ? b->size * 3 / 2 + 1 : size < b->size / 2 ? b->size / 2 : size;
    b->size = size < 1 ? 1 : size > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : size;
}

/* It is committed. */
static void
advance(Batches *b, int64_t took_ms)
{
    b->rows += b->is_final ? 0 : b->size;
    b->last = b->next;
    Arena *older = b->old;
    b->old = b->memory;
    b->memory = older;
    arena_reset(b->memory, (ArenaMark){0});
    b->failures = 0;
    b->t->run->failures[DB_PATIENCE_CONFLICT] = 0;
    adapt(b, took_ms);
}

/* Too long, or in somebody's way, or he in ours: taken back, and tried again with less. */
static bool
try_less(Batches *b, const DbOutcome *o, Err *err)
{
    Run *r = b->t->run;
    ARENA_LOCAL(a);
    bool timed_out = strcmp(o->sqlstate, "57014") == 0;
    b->no_timeout = b->no_timeout || (timed_out && b->size == 1);
    b->size = b->size > 1 ? b->size / 2 : 1;
    b->failures++;
    if (timed_out)
        return db_pause(run_tick, r, PAUSE_MIN_MS) || batch_interrupted(err);
    if (b->failures == 1)
        b->blocked_since_ms = clock_ms();
    int64_t waited = clock_ms() - b->blocked_since_ms,
            most = config_ms(r->session.config, CFG_ROW_LOCK_TIMEOUT);
    if (most && waited > most) {
        err_set(err, ERR_LOCK_BUDGET, "rows of \"%s\" were not free within locks.row_timeout",
                b->what->table.name);
        err_detail(err, "a batch waits only for a moment, and was tried for %s",
                   clock_duration(a, waited));
        err_detail(err, "state: all batches before it are committed; the next run goes on");
        plan_place(b->t->mp, b->t->step->first, err);
        return err_hint(err, "end the transaction that holds them, then: aramid %s", run_verb(r));
    }
    if (b->failures > 3)
        batch_tell_blocked(b, str_fmt(a, "rows of \"%s\" are locked by others; trying again",
                                      b->what->table.name));
    return db_pause(run_tick, r, db_retry_ms(DB_PATIENCE_LOCK, 0, b->failures)) ||
           batch_interrupted(err);
}

static bool
failed(Batches *b, const BatchMessage *m, const DbOutcome *o, Err *err)
{
    Run *r = b->t->run;
    bool is_zero = strcmp(o->sqlstate, "22012") == 0;
    DbRetry retry = db_retry_class(o->sqlstate);
    /* Another run is inside a message, or has moved the note. */
    if (is_zero && (o->completed == m->checked || o->completed == m->checked + 2)) {
        run_restart_lost_lock(r);
        return true;
    }
    if (o->completed < m->stated) {
        if (retry == DB_RETRY_LOCK)
            return session_wait_for_tables(&r->session, &r->lock_wait_started_ms, err);
        return step_not_recorded(r, b->t->mp, o, b->t->step->first, err);
    }
    if (retry != DB_RETRY_NEVER || (strcmp(o->sqlstate, "57014") == 0 && timeout_ms(b) &&
                                    !b->no_timeout && plan_timeout_ms(b->t->mp) < 0))
        return try_less(b, o, err);
    step_failed(r, b->t->mp, NULL, o, b->t->step->first, err);
    ARENA_LOCAL(a);
    return err_detail(err, "the batch was behind (%s), up to (%s)", batch_place_text(b, a, b->last),
                      batch_place_text(b, a, b->next));
}

/* Send the batch up to b->next. */
static bool
send_one(Batches *b, Err *err)
{
    Run *r = b->t->run;
    ARENA_LOCAL(a);
    BatchMessage m = {0};
    DbOutcome o;
    write_message(b, a, &m);
    failpoint(r, FP_BEFORE_BATCH);
    b->waiting = 0;
    int64_t sent_ms = clock_ms();
    run_send_rows(r, a, buf_str(&m.sql), take_waiting, b, &o);
    int64_t took_ms = clock_ms() - sent_ms;
    failpoint(r, FP_AFTER_BATCH);
    if (o.end == DB_DONE) {
        advance(b, took_ms);
        int64_t pause = took_ms > PAUSE_MIN_MS ? took_ms : PAUSE_MIN_MS;
        return b->is_final || db_pause(run_tick, r, pause) || batch_interrupted(err);
    }
    if (o.cancelled && r->stop_asked)
        return db_outcome_err(&o, "a batch", err);
    if (o.end == DB_LOST) {
        run_restart(r, DB_PATIENCE_PASS, o.message);
        return true;
    }
    return failed(b, &m, &o, err);
}

/* ---- all of them --------------------------------------------------------------------------------- */

static bool
finish(Batches *b, Err *err)
{
    const Try *t = b->t;
    JournalEntry closed = {
        .ledger_id = t->row->id, .first = t->step->first, .next = t->step->first + 1};
    if (!journal_prefix_hash(b->arena, t->mp, closed.next, &closed.prefix_hash, err))
        return false;
    failpoint(t->run, FP_AFTER_BATCHES);
    step_finish(t, &closed);
    return run_flush_carry(t->run, err);
}

static bool
work(Batches *b, Err *err)
{
    Run *r = b->t->run;
    while (!batch_is_reached(b) && !r->restart.why) {
        arena_reset(b->memory, (ArenaMark){0});
        if (!batch_hold_back(b, err) || !batch_find_next(b, err) || !send_one(b, err))
            return false;
        tell_progress(b);
    }
    return r->restart.why || finish(b, err);
}

bool
batch_run(Try *t, StepEnd *ret, Err *err)
{
    Run *r = t->run;
    ARENA_LOCAL(even);
    ARENA_LOCAL(odd);
    Buf text;
    const SqlStmt *s = t->step->only;
    INVARIANT(t->step->mode == STEP_BATCH && t->step->batch, "a batch without its key");
    Batches b = {.t = t,
                 .arena = t->arena,
                 .what = t->step->batch,
                 .memory = even,
                 .old = odd,
                 .size = t->step->batch->size ? t->step->batch->size : SIZE_FIRST,
                 .began_ms = clock_ms(),
                 .told_ms = clock_ms()};
    buf_init(&text, t->arena);
    if (!run_flush_carry(r, err) || !run_ensure_batches(r, err) ||
        !plan_add_text(&text, t->mp, s->off, s->off + s->len, err) ||
        !batch_key(r, t->arena, t->mp, t->step, &b.key, err))
        return false;
    b.statement = buf_str(&text);
    if (!b.key.relation) {
        err_set(err, ERR_NO_KEY, "there is no table \"%s\"", b.what->table.name);
        plan_place(t->mp, t->step->first, err);
        return false;
    }
    r->session.unclean = true; /* triggers are code */
    const JournalStep *begun = intent_find(r, t->row->id, t->step->first);
    if (!(begun ? batch_resume(&b, err) : batch_begin(&b, err)) || !work(&b, err))
        return false;
    *ret = r->restart.why ? STEP_RESTART : STEP_ENDED;
    return true;
}
