/* Passes: connect, lock, read, plan, execute, verify. Whatever breaks the connection or the lock
 * leads to a new pass, which reads the ledger first: that decides what had been done. */
#include "base/clock.h"
#include "base/os.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "run/step.h"

/* ---- executing ---------------------------------------------------------------------------- */

static bool
run_before(Run *r, const char *migration, Err *err)
{
    const RunCalls *c = &r->deploy->calls;
    return !c->before || c->before(c->arg, &r->session, migration, err);
}

/* What comes before the first statement of some of the plan's migrations. */
static bool
before_each(Run *r, const MigrationPlan *mps, size_t n, Err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!run_before(r, mps[i].migration->name, err) ||
            !run_findings_pass(&r->deploy->sink, err))
            return false;
    return true;
}

/* All or none of them. */
static bool
execute_whole(Run *r, Err *err)
{
    const MigrationPlan *whole = r->plan.whole;
    StepEnd end;
    if (!before_each(r, r->plan.migrations.v, r->plan.migrations.n, err))
        return false;
    applied_begin_whole(r, whole);
    if (!migration_run_whole(r, whole, &end, err))
        return false;
    if (end != STEP_RESTART)
        applied_end_whole(r, whole);
    return true;
}

static bool
execute_all(Run *r, Err *err)
{
    if (r->plan.whole)
        return execute_whole(r, err);
    MigrationPlan *mps = r->plan.migrations.v;
    for (size_t i = 0, n = r->plan.migrations.n; i < n;) {
        size_t together = together_count(r, mps + i, n - i), ended;
        r->is_undo = mps[i].undoes != NULL;
        if (os_signal_pending()) {
            r->stop_asked = true;
            return err_set(err, ERR_INTERRUPTED, "the run was interrupted between two %ss",
                           run_noun(r));
        }
        if (!before_each(r, mps + i, together, err))
            return false;
        StepEnd end;
        if (!migrations_run(r, mps + i, together, &ended, &end, err))
            return false;
        if (end == STEP_RESTART)
            return true;
        i += ended;
    }
    return true;
}

static bool
execute(Run *r, Err *err)
{
    bool ok = execute_all(r, err);
    if (!db_is_open(r->session.db))
        return ok; /* the next pass, or run, finds out */
    Err late;
    db_set_tick(r->session.db, NULL, NULL); /* also after a signal */
    bool recorded = run_flush_carry(r, &late);
    db_set_tick(r->session.db, run_tick, r);
    if (ok && !r->restart.why && !recorded) {
        *err = late;
        return false;
    }
    return ok;
}

/* ---- passes ------------------------------------------------------------------------------- */

static void
fill_target(Run *r)
{
    const DbInfo *info = db_info(r->session.db);
    r->report->server = *info;
}

static bool
ask_guard(Run *r, Err *err)
{
    const RunCalls *c = &r->deploy->calls;
    r->mark = NULL;
    return !c->guard || c->guard(c->arg, &r->session, &r->mark, err);
}

/* Ask about what there is to do as it looks without the locks. */
static bool
ask_first(Run *r, Err *err)
{
    const RunDeploy *d = r->deploy;
    Session *s = &r->session;
    if (!session_read(s, d->history, &r->journal, err) || !ask_guard(r, err) ||
        !run_check_history(r, d->history, err) || !run_make_plan(r, d->history, err))
        return false;
    if (r->plan.migrations.n) {
        run_tell_ahead(r, d->history);
        if (!run_findings_pass(&d->sink, err) || !run_check_syntax(r, err) ||
            !run_check_batches(r, err) || !d->calls.approve(d->calls.arg, s, &r->plan, err))
            return false;
        r->approved = true;
    }
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        *vec_add(r->arena, &r->approved_names) = mp->migration->name;
    r->journal.n = 0;
    return session_refresh(s, err); /* the question may have stood for long */
}

/* Others may have deployed while the question stood: less to do is fine, more is not. */
static bool
check_approved(const Run *r, Err *err)
{
    vec_each (const MigrationPlan, mp, &r->plan.migrations) {
        bool known = false;
        vec_each (const char *const, name, &r->approved_names)
            known = known || strcmp(*name, mp->migration->name) == 0;
        if (known)
            continue;
        err_set(err, ERR_CONFIRM,
                "the history changed while the question stood: migration \"%s\" "
                "is %s now too, and nobody approved it",
                mp->migration->name, mp->undoes ? "to be rolled back" : "pending");
        return err_hint(err, "look again: aramid %s", run_verb(r));
    }
    return true;
}

static void
tell_history(Run *r, int64_t since_ms)
{
    const History *h = r->deploy->history;
    ARENA_LOCAL(a);
    if (r->approved || h->layout->is_beside) /* a later pass; no history */
        return;
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "the history agrees with the %zu file%s: %d applied, %zu %s", h->files.n,
            str_plural((int64_t)h->files.n), h->applied, r->plan.migrations.n,
            r->deploy->undo_count ? "to be rolled back" : "pending");
    const struct {
        int n;
        const char *what;
    } odd[] = {{h->edited, "edited"}, {h->missing, "missing"}, {h->out_of_order, "out of order"}};
    for (size_t i = 0; i < COUNT(odd); i++)
        if (odd[i].n)
            buf_fmt(&b, ", %d %s", odd[i].n, odd[i].what);
    buf_addz(&b, "; the migration lock is held");
    bool agrees = !h->edited && !h->missing;
    run_tell(r, (RunEvent){.kind = RUN_CHECKED,
                           .level = agrees ? RUN_OK : RUN_INFO,
                           .ms = clock_ms() - since_ms,
                           .text = agrees ? b.p : strstr(b.p, ": ") + 2});
}

/* What was squashed gets its row before all else: a run that is killed behind it finds one history. */
static bool
move_rows(Run *r, Err *err)
{
    const RunDeploy *d = r->deploy;
    size_t n;
    if (d->undo_count || !run_move_rows(&r->session, d->history, &n, err))
        return d->undo_count;
    if (!n)
        return true;
    run_emit(r, RUN_STAGE, RUN_OK, NULL,
             "%zu row%s of the history became that of the migration that replaces them", n,
             str_plural((int64_t)n));
    r->journal.n = 0;
    return session_read(&r->session, d->history, &r->journal, err);
}

static bool
verify(Run *r, Err *err)
{
    const RunCalls *c = &r->deploy->calls;
    bool ok = run_verify(r, err);
    race_release(r);
    return ok &&
           (!c->after || (session_clean(&r->session, err) && c->after(c->arg, &r->session, err)));
}

static bool
pass(Run *r, Err *err)
{
    const RunDeploy *d = r->deploy;
    Session *s = &r->session;
    r->restart = (Restart){0};
    SessionOptions o = d->session;
    o.tick = run_tick;
    o.tick_arg = r;
    o.sink = &d->sink;
    if (!session_open(r->arena, &o, s, err))
        return false;
    fill_target(r);
    failpoint(r, FP_CONNECTED);
    run_emit(r, RUN_CONNECTED, RUN_INFO, NULL, "%s at %s, database \"%s\", user \"%s\"",
             db_server_text(r->arena, &r->report->server), r->report->server.host,
             r->report->server.database, r->report->server.user);
    r->journal.n = 0;
    run_drop_carry(r);
    bool asks = d->calls.approve && d->ask_first;
    if (asks && !r->approved && !ask_first(r, err))
        return false;
    int64_t locked_ms = clock_ms();
    if (!lock_and_read(s, d->history, &r->journal, &d->sink, err))
        return false;
    failpoint(r, FP_LOCKED);
    if (!ask_guard(r, err) || !run_check_history(r, d->history, err) || !move_rows(r, err) ||
        !run_make_plan(r, d->history, err))
        return false;
    applied_settle(r);
    if (!applied_flush(r, err))
        return false;
    r->flushes_late = together_flushes_late(r);
    size_t n = r->plan.migrations.n;
    run_tell_ahead(r, d->history);
    if (!run_findings_pass(&d->sink, err))
        return false;
    r->number = (int)r->report->applied.n;
    r->total = r->number + (int)n;
    if (n == 0 && r->report->applied.n)
        return verify(r, err);
    if (n == 0) {
        race_look(r);
        return true;
    }
    tell_history(r, locked_ms);
    if (!run_check_syntax(r, err) || !run_check_batches(r, err) || !run_find_existing(r, err))
        return false;
    if (asks
            ? !check_approved(r, err)
            : !r->approved && d->calls.approve && !d->calls.approve(d->calls.arg, s, &r->plan, err))
        return false;
    r->approved = true;
    run_emit(r, RUN_PLANNED, RUN_INFO, NULL, "%zu %s%s to %s", n, run_noun(r), str_plural(n),
             d->undo_count ? "roll back"
             : d->again    ? "run"
                           : "apply");
    bool ok = run_before(r, NULL, err) && run_findings_pass(&d->sink, err) && run_prepare(r, err) &&
              (r->restart.why || race_guard(r, err)) && (r->restart.why || execute(r, err)) &&
              (r->restart.why || verify(r, err));
    if (!ok)
        run_write_failure(r, err);
    race_release(r);
    return ok;
}

/* Worth another pass: the connection, not the migration, is the trouble. */
static bool
broken_connection(const Run *r, const Err *err)
{
    return !r->stop_asked &&
           (err->code == ERR_CONNECTION_LOST ||
            /* Opening the first connection has had its own tries. */
            (r->approved && (err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT ||
                             err->code == ERR_SERVER_BUSY)));
}

/* The state that an interrupted run leaves. */
static void
tell_interrupted(const Run *r, Err *err)
{
    if (r->current)
        err_detail(err, "it was at %s \"%s\"; %s, and the lock was released", run_noun(r),
                   r->current,
                   r->is_batch ? "the open batch was rolled back, those before it are committed "
                                 "(the next run goes on behind them)"
                   : r->is_alone
                       ? "its statement outside of transactions was cancelled (the next run looks "
                         "what it left, and goes on)"
                       : "the open transaction was rolled back");
    err_detail(err, "state: %zu %s%s of this run %s applied", r->report->applied.n, run_noun(r),
               str_plural(r->report->applied.n), r->report->applied.n == 1 ? "is" : "are");
    err_hint(err, "to go on: aramid %s%s", run_verb(r),
             r->deploy->again ? "" : "; to see where it stands: aramid status");
}

/* The connection broke inside a message, and nobody could be asked since. */
static void
tell_doubt(const Run *r, Err *err)
{
    err_detail(
        err,
        "state: %zu %s%s of this run %s applied; whether %zu more are, which were sent in one "
        "message, the database could not be asked",
        r->report->applied.n, run_noun(r), str_plural(r->report->applied.n),
        r->report->applied.n == 1 ? "is" : "are", r->doubted.n + r->sent.n + (r->current != NULL));
}

/* The error that it is when no other pass may follow. */
static bool
restarted(const Run *r, Err *err)
{
    ErrCode code =
        r->restart.patience == DB_PATIENCE_PASS ? ERR_CONNECTION_LOST : ERR_RUNNER_ACTIVE;
    return err_set(err, code, "%s", r->restart.why);
}

bool
run_deploy(Arena *a, const RunDeploy *deploy, RunReport *ret, Err *err)
{
    *ret = (RunReport){0};
    Run r = {.arena = a,
             .deploy = deploy,
             .report = ret,
             .started_ms = clock_ms(),
             .started_us = clock_wall_us(),
             .times_statements = true};
    bool ok;
    for (;;) {
        size_t before = ret->applied.n;
        ok = pass(&r, err);
        session_close(&r.session);
        DbPatience patience = ok && r.restart.why ? r.restart.patience : DB_PATIENCE_PASS;
        if (ok && r.restart.why)
            ok = restarted(&r, err);
        else if (ok || !broken_connection(&r, err))
            break;
        if (ret->applied.n > before)
            r.failures[DB_PATIENCE_PASS] = r.failures[DB_PATIENCE_YIELD] = 0;
        /* A statement has counted its own failure. */
        if (patience != DB_PATIENCE_ALONE && !run_try_again(&r, patience))
            break;
        ret->retries++;
        run_emit(&r, RUN_RETRY, RUN_WARN, r.current,
                 "%s; connecting again, the history table will tell what was done", err->primary);
        if (!run_retry_pause(&r, patience, err))
            break;
    }
    if (!ok && r.doubted.n + r.sent.n)
        tell_doubt(&r, err);
    db_close(r.observer);
    ret->ms = clock_ms() - r.started_ms;
    if (!ok && err->code == ERR_INTERRUPTED) {
        if (r.stop_asked && !os_signal_pending())
            err_set(err, ERR_TIMEOUT,
                    "the run took longer than timeouts.run allows and was stopped");
        tell_interrupted(&r, err);
    }
    return ok;
}
