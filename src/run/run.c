/* Passes: connect, lock, read, plan, execute, verify. Whatever breaks the connection or the lock
 * leads to a new pass, which reads the ledger first: that decides what had been done. */
#include "base/clock.h"
#include "base/os.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "run/step.h"

/* ---- executing ---------------------------------------------------------------------------- */

static RunDone *
note_applied(Run *r, const char *name, int64_t ms, size_t steps, bool resumed)
{
    RunDone *done = vec_add(r->arena, &r->report->applied);
    *done = (RunDone){
        .name = name, .ms = ms, .steps = (int)steps, .resumed = resumed, .undone = r->is_undo};
    run_tell(r, (RunEvent){.kind = RUN_APPLIED,
                           .level = RUN_OK,
                           .migration = name,
                           .index = r->number,
                           .total = r->total,
                           .ms = ms,
                           .text = r->is_undo         ? "rolled back"
                                   : r->deploy->again ? "done"
                                                      : "applied"});
    return done;
}

/* Of a text that is not kept only those are known that are steps. */
static const SqlStmt *
statement_of(const MigrationPlan *mp, size_t i, SqlStmt *ret)
{
    if (mp->script.text.p)
        return sql_stmt(&mp->script, i, ret);
    vec_each (const Step, s, &mp->steps)
        if (s->first == i && s->only)
            return s->only;
    return NULL;
}

/* The times of the statements of `mp` (or of `of`, a part of it), for the report and the log. */
static void
note_times(Run *r, const MigrationPlan *mp, const MigrationPlan *of, RunDone *done)
{
    vec_each (const RunTime, t, &r->times) {
        size_t i;
        const MigrationPlan *owner = plan_of_statement(mp, t->statement, &i);
        SqlStmt stmt;
        if (owner != of || i >= of->statements)
            continue;
        const SqlStmt *s = statement_of(of, i, &stmt);
        if (!s)
            continue;
        *vec_add(r->arena, &done->statements) =
            (RunStatement){.number = (int)i + 1, .line = s->line, .tag = s->tag, .us = t->us};
    }
    vec_each (const RunStatement, s, &done->statements) {
        ARENA_LOCAL(a);
        run_tell(r, (RunEvent){.kind = RUN_STATEMENT,
                               .migration = done->name,
                               .ms = s->us / 1000,
                               .text = str_fmt(a, "line %d: %s", s->line, s->tag)});
    }
}

static int64_t
sum_ms(const RunDone *done)
{
    int64_t us = 0;
    vec_each (const RunStatement, s, &done->statements)
        us += s->us;
    return us / 1000;
}

static bool
run_before(Run *r, const char *migration, Err *err)
{
    const RunCalls *c = &r->deploy->calls;
    return !c->before || c->before(c->arg, &r->session, migration, err);
}

/* All or none of them. How long each took is the sum of its statements. */
static bool
execute_whole(Run *r, Err *err)
{
    const MigrationPlan *whole = r->plan.whole;
    r->current = whole->migration->name;
    r->whole = whole;
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        if (!run_before(r, mp->migration->name, err) || !run_findings_pass(&r->deploy->sink, err))
            return false;
    run_emit(r, RUN_MIGRATION, RUN_INFO, NULL, "%zu migrations in one transaction: begins",
             whole->parts.n);
    r->current_started_ms = clock_ms();
    r->times.n = 0;
    StepEnd end;
    if (!migration_run_whole(r, whole, &end, err))
        return false;
    if (end == STEP_RESTART)
        return true;
    int64_t ms = clock_ms() - r->current_started_ms;
    vec_each (const MigrationPlan, mp, &r->plan.migrations) {
        r->number++;
        RunDone *done = note_applied(r, mp->migration->name, ms, 1, false);
        note_times(r, whole, mp, done);
        done->ms = done->statements.n ? sum_ms(done) : ms;
    }
    r->current = NULL;
    r->whole = NULL;
    return true;
}

static bool
execute_all(Run *r, Err *err)
{
    if (r->plan.whole)
        return execute_whole(r, err);
    vec_each (MigrationPlan, mp, &r->plan.migrations) {
        r->number++;
        r->current = mp->migration->name;
        r->is_undo = mp->undoes != NULL;
        if (os_signal_pending()) {
            r->stop_asked = true;
            return err_set(err, ERR_INTERRUPTED, "the run was interrupted between two %ss",
                           run_noun(r));
        }
        if (!run_before(r, mp->migration->name, err) || !run_findings_pass(&r->deploy->sink, err))
            return false;
        run_emit(r, RUN_MIGRATION, RUN_INFO, mp->migration->name, "%s",
                 mp->resumes  ? "going on where an interrupted run stopped"
                 : mp->undoes ? "is rolled back"
                              : "begins");
        r->current_started_ms = clock_ms();
        r->times.n = 0;
        StepEnd end;
        if (!migration_run(r, mp, &end, err))
            return false;
        if (end == STEP_RESTART)
            return true;
        note_times(r, mp, mp,
                   note_applied(r, mp->migration->name, clock_ms() - r->current_started_ms,
                                mp->steps.n, mp->undoes ? mp->resumes : mp->ledger_id != NULL));
        r->current = NULL;
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

/* What a broken connection left unknown, the ledger tells: the migration under way may have been
 * committed, and one that was done but not yet recorded is done again, quickly. */
static void
settle_unknown(Run *r)
{
    const Entry *e = r->current ? history_find(r->deploy->history, r->current) : NULL;
    bool is_done = e && e->state == (r->is_undo ? ENTRY_PENDING : ENTRY_APPLIED);
    if (is_done && r->whole)
        vec_each (const PlanPart, p, &r->whole->parts)
            note_applied(r, p->of->migration->name, clock_ms() - r->current_started_ms, 1, false);
    else if (is_done)
        note_applied(r, e->name, clock_ms() - r->current_started_ms, 1, false);
    r->current = NULL;
    r->whole = NULL;
    if (r->report->applied.n && r->plan.migrations.n &&
        strcmp(r->report->applied.v[r->report->applied.n - 1].name,
               r->plan.migrations.v[0].migration->name) == 0)
        r->report->applied.n--;
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
    settle_unknown(r);
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
