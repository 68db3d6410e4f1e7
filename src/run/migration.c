/* Migrations: one, step by step; or several of one step in one message. */
#include "base/clock.h"
#include "base/invariant.h"
#include "base/os.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "run/step.h"

/* Server's time in milliseconds, later than every row so far: clocks go back, and ties would leave
 * the order of rows to chance. */
static int64_t
next_started(Run *r)
{
    History *h = r->deploy->history;
    int64_t now = clock_wall_us() + db_info(r->session.db)->clock_offset_us;
    now -= now % 1000;
    int64_t floor = h->last_started_us - h->last_started_us % 1000 + 1000;
    h->last_started_us = now > floor ? now : floor;
    return h->last_started_us;
}

/* All statements of a resumed file have run: only the ledger is behind. */
static bool
finish_only(Run *r, const LedgerRow *row, Err *err)
{
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(&r->session, &b);
    if (!ledger_holds_begun(ledger_of(&r->session, row)) || row->is_undone) {
        journal_add_forget(&r->session, &b, row->id);
        buf_addc(&b, ';');
    }
    ledger_add_finished(&r->session, &b, row);
    buf_addc(&b, ';');
    ledger_add_proof(&r->session, &b, &(Kept){.row = row, .ledger = true, .finished = true});
    return session_query(&r->session, r->arena, buf_str(&b), NULL, err);
}

static const char *
new_id(Run *r, const Migration *m)
{
    const char *id = os_uuid(r->arena);
    bool is_script = r->session.ledgers.v[m->part].layout->is_beside;
    return is_script ? str_fmt(r->arena, JOURNAL_SCRIPT "%s", id) : id;
}

static LedgerRow
row_of(Run *r, const MigrationPlan *mp)
{
    const Migration *m = mp->undoes ? mp->undoes : mp->migration;
    if (mp->undoes)
        return (LedgerRow){.id = mp->ledger_id,
                           .checksum = mp->checksum,
                           .name = m->name,
                           .migration = m,
                           .part = m->part,
                           .is_undone = true,
                           .is_journals = mp->lacks_row};
    return (LedgerRow){.id = mp->ledger_id ? mp->ledger_id : new_id(r, m),
                       .checksum = m->checksum,
                       .name = m->name,
                       .migration = m,
                       .part = m->part,
                       .started_us = mp->ledger_id ? 0 : next_started(r)};
}

/* All pending migrations in one transaction. */
bool
migration_run_whole(Run *r, const MigrationPlan *whole, StepEnd *ret, Err *err)
{
    INVARIANT(r->session.has_own_lock && r->session.has_tool_lock,
              "a migration without the migration locks");
    INVARIANT(whole->steps.n == 1 && whole->parts.n > 1, "a whole that is none");
    ARENA_LOCAL(a);
    LedgerRow *rows = arena_array(a, LedgerRow, whole->parts.n);
    for (size_t i = 0; i < whole->parts.n; i++)
        rows[i] = row_of(r, whole->parts.v[i].of);
    r->lock_wait_started_ms = 0;
    Try t = {.run = r,
             .arena = a,
             .mp = whole,
             .step = &whole->steps.v[0],
             .row = rows,
             .more = rows + 1,
             .more_count = whole->parts.n - 1,
             .first = true,
             .last = true};
    size_t ended;
    *ret = STEP_ENDED;
    return tx_run(&t, 1, &ended, ret, err);
}

static bool
run_step(Try *t, StepEnd *ret, Err *err)
{
    size_t ended;
    switch (t->step->mode) {
    case STEP_ALONE:
        return alone_run(t, 1, &ended, ret, err);
    case STEP_BATCH:
        return batch_run(t, ret, err);
    case STEP_PROVE:
        return proof_run(t, ret, err);
    case STEP_TX:
    case STEP_OWN_TX:
        break;
    }
    return tx_run(t, 1, &ended, ret, err);
}

static bool
migration_run(Run *r, MigrationPlan *mp, StepEnd *ret, Err *err)
{
    INVARIANT(r->session.has_own_lock && r->session.has_tool_lock,
              "a migration without the migration locks");
    INVARIANT(!r->restart.why, "a migration in a pass that is to begin anew");
    Learned *l = run_learned(r, mp);
    LedgerRow row = row_of(r, mp);
    r->lock_wait_started_ms = 0;
    *ret = STEP_ENDED;
    if (mp->steps.n == 0)
        return finish_only(r, &row, err);
    for (size_t i = 0; i < mp->steps.n;) {
        ARENA_LOCAL(a);
        Try t = {.run = r,
                 .arena = a,
                 .mp = mp,
                 .step = &mp->steps.v[i],
                 .row = &row,
                 .first = i == 0 && !mp->resumes,
                 .last = i + 1 == mp->steps.n};
        StepMode mode = t.step->mode;
        bool is_one = mode == STEP_TX || mode == STEP_OWN_TX || mode == STEP_PROVE;
        bool tells = mp->steps.n > 1 || mp->resumes;
        r->is_alone = mode == STEP_ALONE;
        r->is_batch = mode == STEP_BATCH;
        if (!(t.first && t.last && is_one) && !run_ensure_journal(r, err))
            return false;
        if (tells)
            run_emit_step(r, RUN_STEP, mp, i, -1);
        int64_t started = clock_ms();
        if (!run_step(&t, ret, err))
            return false;
        if (*ret == STEP_RESTART)
            return true;
        if (*ret == STEP_AGAIN) {
            l->hints.start = t.step->first;
            l->hints.chained = t.step->chained;
            if (!plan_cut(r->arena, &l->hints, mp, err))
                return false;
            i = 0;
            continue;
        }
        if (tells)
            run_emit_step(r, RUN_STEP_DONE, mp, i, clock_ms() - started);
        i++;
    }
    return true;
}

/* ---- several together ----------------------------------------------------------------------- */

static bool
run_together(Run *r, MigrationPlan *mps, size_t n, size_t *ret_ended, StepEnd *ret, Err *err)
{
    ARENA_LOCAL(a);
    LedgerRow *rows = arena_array(a, LedgerRow, n);
    Try *tries = arena_array(a, Try, n);
    for (size_t i = 0; i < n; i++) {
        rows[i] = row_of(r, &mps[i]);
        tries[i] = (Try){.run = r,
                         .arena = a,
                         .mp = &mps[i],
                         .step = mps[i].steps.v,
                         .row = &rows[i],
                         .first = true,
                         .last = true};
    }
    if (mps->steps.v->mode == STEP_ALONE) {
        r->is_alone = true;
        return run_ensure_journal(r, err) && alone_run(tries, n, ret_ended, ret, err);
    }
    if (!tx_run(tries, n, ret_ended, ret, err))
        return false;
    MigrationPlan *next = &mps[*ret_ended];
    return *ret != STEP_AGAIN || plan_cut(r->arena, &run_learned(r, next)->hints, next, err);
}

bool
migrations_run(Run *r, MigrationPlan *mps, size_t n, size_t *ret_ended, StepEnd *ret, Err *err)
{
    applied_begin(r, mps);
    r->lock_wait_started_ms = 0;
    r->is_alone = r->is_batch = false;
    if (n > 1)
        return run_together(r, mps, n, ret_ended, ret, err);
    if (!migration_run(r, mps, ret, err))
        return false;
    *ret_ended = 1;
    if (*ret == STEP_RESTART)
        return true;
    applied_end(r, mps);
    r->flushed = r->report->applied.n;
    return true;
}
