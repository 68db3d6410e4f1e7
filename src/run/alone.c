/* Statements outside of transactions: an intent in the journal, the statement, and proof from the
 * catalog of whether it ran, so that an interrupted run goes on by itself. */
#include "run/alone.h"

#include "base/clock.h"
#include "base/invariant.h"
#include "base/os.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static const SqlStmt *
statement(const Try *t)
{
    return t->step->only;
}

/* ---- after the statement ------------------------------------------------------------------- */

/* A statement that the catalog proves may be recorded with the next message: until then it looks
 * interrupted, which harms nobody. */
static bool
finish(const Try *t, Err *err)
{
    step_finish(t, NULL);
    return is_provable(statement(t)) || run_flush_carry(t->run, err);
}

static void
add_forget(const Try *t, Buf *b, const char *logs)
{
    const Session *s = &t->run->session;
    const SessionLedger *l = ledger_of(s, t->row);
    if (t->first && ledger_holds_begun(l)) {
        ledger_add_forgotten(s, b, t->row);
        buf_addc(b, ';');
    }
    journal_add_forget(s, b, t->row->id);
    if (!t->first) {
        buf_fmt(b, " AND first_statement OPERATOR(pg_catalog.=) %zu", t->step->first);
        if (logs && ledger_holds_begun(l)) {
            buf_addc(b, ';');
            l->layout->add_logs(b, &l->at, t->row->id, str_of(logs));
        }
    }
    buf_addc(b, ';');
}

/* Nothing of the step is in the database, nor of those behind it: take the journal's rows of them away again,
 * and the ledger's where nothing of the migration is. logs: kept in a ledger's row that stays, or NULL. */
static bool
forget(const Try *t, const char *logs, Err *err)
{
    Run *r = t->run;
    Buf b;
    buf_init(&b, t->arena);
    session_add_prefix(&r->session, &b);
    run_add_carry(r, &b);
    for (const Try *x = t; x <= t + t->behind; x++)
        add_forget(x, &b, logs);
    if (!session_query(&r->session, t->arena, buf_str(&b), NULL, err))
        return false;
    run_drop_carry(r);
    return true;
}

/* Remove what the failed statement left: the journal knows what was there before it. */
static bool
clean_up(const Try *t, Err *err)
{
    Run *r = t->run;
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    if (s->kind != SQL_CREATE_INDEX && s->kind != SQL_REINDEX)
        return true;
    Buf before;
    buf_init(&before, a);
    buf_addz(&before, "c.oid OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.unnest("
                      "j.indexes_before) FROM ");
    own_add_table(&r->session, &before, OWN_JOURNAL);
    buf_addz(&before, " j WHERE j.ledger_id OPERATOR(pg_catalog.=) ");
    sql_add_literal(&before, str_of(t->row->id));
    buf_fmt(&before, " AND j.first_statement OPERATOR(pg_catalog.=) %zu)", t->step->first);
    return index_repair(r, a,
                        &(IndexRepair){.before = before.p,
                                       .where = index_left_by(a, s),
                                       .left_by = "this statement"},
                        err);
}

/* Let those through who wait for the lock; then a new pass, as they may change the history. */
static bool
let_through(const Try *t, DbPatience patience, Err *err)
{
    Run *r = t->run;
    if (!forget(t, NULL, err) || !lock_yield_to_tool(&r->session, &r->deploy->sink, err))
        return false;
    run_restart(r, patience, "another client waited for the migration lock; it was let through");
    return true;
}

/* It was cancelled because others waited. */
static bool
statement_stalled(const Try *t, const DbOutcome *o, Err *err)
{
    return clean_up(t, err) && forget(t, o->message, err) &&
           step_stalled(t->run, t->mp, NULL, o, t->step->first, err);
}

/* After an error of the statement itself. */
static bool
statement_failed(const Try *t, const DbOutcome *o, Err *err)
{
    Run *r = t->run;
    if (!clean_up(t, err))
        return false;
    bool may_have_committed = statement(t)->tx == SQL_TX_HIDDEN;
    if (db_retry_class(o->sqlstate) != DB_RETRY_NEVER && !may_have_committed &&
        run_try_again(r, DB_PATIENCE_ALONE)) {
        run_emit(r, RUN_RETRY, RUN_WARN, t->row->name, "%s (%s): trying again%s%s", o->message,
                 o->sqlstate, o->detail[0] ? ". " : "", o->detail);
        return let_through(t, DB_PATIENCE_ALONE, err);
    }
    Err ignored; /* the statement's error is the one to tell */
    bool forgotten = forget(t, o->message, &ignored);
    (void)forgotten;
    return step_failed(r, t->mp, NULL, o, t->step->first, err);
}

/* A signal or our deadline ended the build: remove its remains if that is quick. */
static void
clean_up_briefly(const Try *t)
{
    Err ignored;
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    Db *db = t->run->session.db;
    if (db_is_open(db) && t->behind && !forget(t + 1, NULL, &ignored))
        return;
    if (!db_is_open(db) || s->kind != SQL_CREATE_INDEX || !s->index.name[0])
        return;
    db_set_tick(db, NULL, NULL);
    IndexVec list = {0};
    bool clean = index_read(t->run, a, "false", index_where_named(a, s), &list, &ignored);
    vec_each (const IndexState, x, &list) {
        clean = clean && !x->builder;
        if (x->builder)
            continue;
        DbOutcome o;
        db_run(db, a, STR("SET lock_timeout='1s'"), &(DbRun){.timeout_ms = 2000}, &o);
        db_run(db, a, str_of(str_fmt(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", x->qualified)),
               &(DbRun){.timeout_ms = 3000}, &o);
        clean = clean && o.end == DB_DONE;
    }
    Try only = *t;
    only.behind = 0;
    if (clean && t->first)
        clean = forget(&only, NULL, &ignored);
}

/* ---- before it ----------------------------------------------------------------------------- */

static bool
unproven(const Try *t, Err *err)
{
    err_set(err, ERR_UNPROVEN,
            "a run was interrupted during %s of migration \"%s\", and nothing "
            "tells whether it had its effect",
            statement(t)->tag, t->mp->migration->name);
    plan_place(t->mp, t->step->first, err);
    const char *name = str_shell(t->arena, t->mp->migration->name);
    if (t->run->deploy->again)
        return err_hint(err,
                        "look at the data, then run what is left of it, or all of it again: "
                        "aramid %s --from-start",
                        t->run->deploy->again);
    if (t->last) /* else what stands behind it in the file would never run */
        err_hint(err,
                 "look at the data, then either record the migration as done: aramid resolve "
                 "--applied %s",
                 name);
    return err_hint(err,
                    "undo what is there and let it run from its beginning: aramid resolve "
                    "--rolled-back %s",
                    name);
}

static bool
set_timeouts(const Try *t, Err *err)
{
    Buf b;
    buf_init(&b, t->arena);
    session_add_user_prefix(&t->run->session, &b);
    alone_add_timeouts(t, &b);
    return db_query(t->run->session.db, t->arena, buf_str(&b), NULL, err);
}

/* An earlier run began it: only proof decides whether it is sent again. */
static bool
look_back(const Try *t, const JournalStep *begun, bool *ret_sends, Err *err)
{
    Proof proof;
    *ret_sends = false;
    if (!prove(t, begun, &proof, err))
        return false;
    if (proof == PROOF_NONE)
        return unproven(t, err);
    if (proof == PROOF_DONE)
        return finish(t, err);
    *ret_sends = true;
    return intent_forget_behind(t, begun, err) && set_timeouts(t, err);
}

static bool
clear_the_way(const Try *t, Err *err)
{
    Run *r = t->run;
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    bool is_named = s->kind == SQL_CREATE_INDEX && s->index.name[0];
    IndexRepair of_name = {.before = "false",
                           .where = is_named ? index_where_named(a, s) : "false",
                           .left_by = "an interrupted build",
                           .is_needed = true};
    return index_wait_for_builder(r, a, index_table(a, s), err) &&
           (!is_named || index_repair(r, a, &of_name, err)) && set_timeouts(t, err);
}

/* Write that it begins, and those behind it, and see who is in the way. */
static bool
announce(Try *t, bool *ret_sends, Err *err)
{
    Intent intent;
    failpoint(t->run, FP_BEFORE_INTENT);
    if (!intent_write(t, &intent, err))
        return false;
    failpoint(t->run, FP_AFTER_INTENT);
    *ret_sends = intent.has_lock && !intent.tool_waits;
    if (*ret_sends)
        return true;
    if (intent.has_lock)
        return let_through(t, DB_PATIENCE_YIELD, err);
    run_restart_lost_lock(t->run);
    return forget(t, NULL, err);
}

/* ---- the statement ------------------------------------------------------------------------- */

/* A CALL or DO that commits by itself must not be ended behind its first commit. Of its first transaction
 * we know the number: the next one of this session. */
static bool
next_transaction(const Try *t, const char **ret, Err *err)
{
    DbRowsVec results;
    if (!db_query(t->run->session.db, t->arena,
                  STR("SELECT l.virtualtransaction FROM pg_catalog.pg_locks l WHERE"
                      " l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.pid"
                      " OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"),
                  &results, err))
        return false;
    Str number = results.v[0].rows ? db_cell(&results.v[0], 0, 0) : STR("/0"), back = number;
    str_cut(&number, '/');
    long long n = 0;
    str_to_int(number, 0, INT64_MAX, &n);
    *ret = str_fmt(t->arena, "%.*s/%lld", (int)(back.n - number.n - 1), back.p, n + 1);
    return true;
}

/* How a statement is looked at while it runs; NULL = not. A concurrent one may wait for a client that
 * waits for us; code that commits by itself has no lock_timeout; after a lock timeout of one whose tables
 * are not known it is seen who is in the way. */
static bool
plan_watch(const Try *t, int tries, LockWatch *watch, LockWatch **ret, Err *err)
{
    Run *r = t->run;
    const SqlStmt *s = statement(t);
    *watch = (LockWatch){0};
    *ret = watch;
    if (s->tx == SQL_TX_HIDDEN) {
        watch->may_fire = true;
        return next_transaction(t, &watch->transaction, err);
    }
    watch->is_alone = watch->may_fire = s->is_concurrent && lock_has_tools(&r->session);
    if (!watch->is_alone && (s->is_concurrent || tries == 0 || t->step->locks.n))
        *ret = NULL;
    return true;
}

/* It had to wait for a lock, and nothing of it is there: wait until it is free. */
static bool
wait_for_lock(const Try *t, const LockWatch *watch, bool *ret_sends, Err *err)
{
    Run *r = t->run;
    *ret_sends = true;
    failpoint(r, FP_LOCK_RETRY);
    bool detaches = statement(t)->kind == SQL_DETACH_PARTITION;
    Proof proof = PROOF_NOT_DONE;
    if (detaches ? prove(t, NULL, &proof, err) && (proof == PROOF_DONE || alone_wait(t, watch, err))
                 : alone_wait(t, watch, err)) {
        *ret_sends = proof != PROOF_DONE;
        return *ret_sends ? set_timeouts(t, err) : finish(t, err);
    }
    Err ignored;
    if (!detaches && !forget(t, NULL, &ignored)) /* a detachment may be half done: it is resumed */
        return false;
    return false;
}

static bool
statement_done(const Try *t, Err *err)
{
    t->run->failures[DB_PATIENCE_ALONE] = 0;
    bool ok = finish(t, err);
    failpoint(t->run, FP_AFTER_FINISH);
    return ok;
}

static bool
send_statement(const Try *t, Err *err)
{
    Run *r = t->run;
    const SqlStmt *s = statement(t);
    Buf text;
    buf_init(&text, t->arena);
    if (!plan_add_text(&text, t->mp, s->off, s->off + s->len, err))
        return false;
    bool sends = true;
    for (int tries = 0; sends; tries++) {
        LockWatch watch, *looks;
        DbOutcome o;
        if (!plan_watch(t, tries, &watch, &looks, err))
            return false;
        int64_t sent_ms = clock_ms();
        if (!s->is_concurrent) /* such a one locks nobody out */
            stall_begin(r, s->tx != SQL_TX_HIDDEN);
        run_send(r, t->arena, buf_str(&text), looks, &o);
        stall_end(r);
        if (watch.fired && watch.is_alone && o.end == DB_FAILED) {
            memcpy(o.sqlstate, "40P01", sizeof o.sqlstate);
            o.message = str_fmt(
                t->arena, "a %s client waits for the lock of this run, and the statement for it",
                lock_layout(&r->session)->ledger.tool);
        }
        failpoint(r, FP_AFTER_STATEMENT);
        if (o.end == DB_DONE) { /* also when a stop came too late */
            *vec_add(r->arena, &r->times) =
                (RunTime){t->step->first, (clock_ms() - sent_ms) * 1000};
            return statement_done(t, err);
        }
        if (o.cancelled && r->stop_asked) {
            clean_up_briefly(t);
            return db_outcome_err(&o, s->tag, err);
        }
        if (o.end == DB_LOST) {
            run_restart(r, DB_PATIENCE_PASS, o.message);
            return true;
        }
        if (r->stall.fired && strcmp(o.sqlstate, "57014") == 0)
            return statement_stalled(t, &o, err);
        holders_name_sides(&r->session, t->arena, &o);
        bool waited = (db_retry_class(o.sqlstate) == DB_RETRY_LOCK && alone_lock_ms(t)) ||
                      (watch.fired && watch.transaction);
        if (!waited)
            return statement_failed(t, &o, err);
        if (!wait_for_lock(t, &watch, &sends, err))
            return false;
    }
    return true;
}

/* What was looked up so long ago is old: the next ones are announced anew, and those before them recorded. */
enum { STALE_MS = 3000 };

/* announced_ms: when those that came before it were announced, and it with them; 0 = it was not. */
static bool
run_one(Try *t, int64_t *announced_ms, Err *err)
{
    Run *r = t->run;
    INVARIANT(t->step->mode == STEP_ALONE && t->step->count == 1,
              "several statements outside of transactions at once");
    const JournalStep *begun = t->is_begun ? NULL : intent_find(r, t->row->id, t->step->first);
    bool sends = true, is_new = clock_ms() - *announced_ms >= STALE_MS;
    r->session.unclean = true; /* the timeouts that this leaves */
    if (begun) {
        INVARIANT(!t->behind, "an interrupted statement and others behind it");
        if (!look_back(t, begun, &sends, err))
            return false;
    } else {
        if (is_new && !announce(t, &sends, err))
            return false;
        *announced_ms = is_new ? clock_ms() : *announced_ms;
        if (sends && t->in_the_way && !clear_the_way(t, err))
            return false;
    }
    return !sends || send_statement(t, err);
}

bool
alone_run(Try *tries, size_t n, size_t *ret_ended, StepEnd *ret, Err *err)
{
    Run *r = tries->run;
    int64_t announced_ms = INT64_MIN / 2;
    *ret = STEP_ENDED;
    for (size_t i = 0; i < n; i++)
        tries[i].behind = n - 1 - i;
    for (size_t i = 0; i < n; i++) {
        *ret_ended = i;
        if (i && os_signal_pending()) /* the caller says so */
            return forget(&tries[i], NULL, err);
        if (!run_one(&tries[i], &announced_ms, err))
            return false;
        if (r->restart.why) {
            *ret = STEP_RESTART;
            r->one_by_one = r->one_by_one || n > 1;
            return true;
        }
        if (n == 1)
            break; /* the step, not yet the migration */
        applied_end(r, tries[i].mp);
        r->flushed = r->report->applied.n;
        if (i + 1 < n)
            applied_begin(r, tries[i + 1].mp);
    }
    *ret_ended = n;
    return true;
}
