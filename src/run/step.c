/* One migration, step by step: steps inside transactions, and what an error means. */
#include "base/clock.h"
#include "base/os.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

#include <stdio.h>

/* ---- how to lock -------------------------------------------------------------------------- */

static bool
relation_exists(const Run *r, const StepLock *l)
{
    for (size_t i = 0; i < r->existing.n; i++)
        if (strcmp(r->existing.v[i].name, l->rel.name) == 0 &&
            strcmp(r->existing.v[i].schema, l->rel.schema) == 0)
            return true;
    return false;
}

/* Others queue behind a waiting lock request, so all waits for strong locks together stay within
 * CFG_LOCK_TIMEOUT: the opening LOCK TABLEs get 60 % of it, the script itself the rest. A script
 * that takes no strong lock may wait longer for rows: nobody queues behind it. One that hides what
 * it locks may do so when a try has shown that rows are what it waits for, under guard. */
static void
plan_locks(Run *r, Arena *a, const Step *step, const struct Learned *l, LockPlan *ret)
{
    const Config *c = r->session.config;
    int64_t base = config_ms(c, CFG_LOCK_TIMEOUT), row = config_ms(c, CFG_ROW_LOCK_TIMEOUT);
    *ret = (LockPlan){.evict_ms = db_info(r->session.db)->deadlock_timeout_ms + 500};
    if (!step->has_strong) {
        ret->guard = step->hides_locks && l->lock_failed && watch_open(r);
        ret->waits_for_rows = ret->guard && l->waits_for_rows;
        ret->rest_ms = step->hides_locks ? (ret->waits_for_rows ? row : base * 6 / 10)
                       : step->has_dml   ? row
                                         : base;
        return;
    }
    vec_each (const StepLock, s, &step->locks) {
        if (!l->no_prelock && s->can_prelock && s->mode >= SQL_LOCK_SHARE && relation_exists(r, s))
            *vec_add(a, &ret->tables) = s;
    }
    int64_t opening = base * 6 / 10, n = (int64_t)ret->tables.n;
    ret->table_ms = n ? opening / n : opening;
    ret->rest_ms = n ? base - opening : opening;
    if (ret->table_ms < 5)
        ret->table_ms = 5;
    if (ret->rest_ms < 5)
        ret->rest_ms = 5;
}

/* ---- what to record ----------------------------------------------------------------------- */

static void
add_record(StepWrite *w, Buf *b)
{
    if (w->record_statements++)
        buf_addc(b, ';');
}

static void
plan_record(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
            bool first, bool last, StepWrite *ret)
{
    const Session *s = &r->session;
    Buf b;
    buf_init(&b, a);
    *ret = (StepWrite){.guard_name = row->name};
    if (first && last) {
        add_record(ret, &b);
        s->layout->add_applied(&b, s->ledger_schema, row);
        ret->record = b.p;
        return;
    }
    if (first) {
        add_record(ret, &b);
        s->layout->add_begun(&b, s->ledger_schema, row);
    }
    size_t next = step->first + step->count;
    const Step *after = last ? NULL : step + 1;
    add_record(ret, &b);
    journal_add_insert(s, &b,
                       &(JournalEntry){.ledger_id = row->id,
                                       .name = row->name,
                                       .first = step->first,
                                       .next = next,
                                       .done = true,
                                       .prefix_hash = journal_prefix_hash(a, mp, next),
                                       .chained = after ? after->chained : NULL,
                                       .run_id = r->deploy->run_id});
    if (last) {
        add_record(ret, &b);
        s->layout->add_finished(&b, s->ledger_schema, row->id, row->checksum);
    }
    ret->record = b.p;
}

/* ---- errors ------------------------------------------------------------------------------- */

static const char *
state_text(Run *r, Arena *a, const MigrationPlan *mp, size_t done, bool may_have_committed)
{
    size_t before = r->report->applied.n;
    const char *earlier = before ? str_fmt(a, "%zu migration%s before it %s applied; ", before,
                                           before == 1 ? "" : "s", before == 1 ? "is" : "are")
                                 : "";
    if (may_have_committed)
        return str_fmt(a,
                       "state: %sthe %zu statements of this migration before this one are "
                       "committed, and so is what it committed itself before the error",
                       earlier, done);
    if (done == 0)
        return str_fmt(a, "state: %snothing of this migration is in the database", earlier);
    return str_fmt(a,
                   "state: %sstatements 1 to %zu of %zu of this migration are committed, the rest "
                   "is not",
                   earlier, done, mp->script.stmts.n);
}

bool
step_failed(Run *r, const MigrationPlan *mp, const Message *m, const DbOutcome *o, size_t done,
            Err *err)
{
    ARENA_LOCAL(a);
    bool syntax = strcmp(o->sqlstate, "42601") == 0;
    err_set(err, syntax ? ERR_SYNTAX : ERR_MIGRATION_FAILED, "migration \"%s\" failed: %s",
            mp->migration->name, str_printable(a, str_of(o->message), false));
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    bool placed = m ? message_place(m, mp, o, err) : true;
    if (!m)
        plan_place(mp, done, err);
    plan_quote_line(mp, err);
    if (!placed && strncmp(o->sqlstate, "23", 2) == 0)
        err_detail(err, "it was raised by the commit: a deferred constraint");
    if (o->detail[0])
        err_detail(err, "detail: %s", str_printable(a, str_of(o->detail), true));
    if (o->hint[0])
        err_detail(err, "server's hint: %s", str_printable(a, str_of(o->hint), true));
    if (o->context[0])
        err_detail(err, "context: %s", str_printable(a, str_of(o->context), true));
    bool may_have_committed = !m && mp->script.stmts.v[done].tx == SQL_TX_HIDDEN;
    err_detail(err, "%s", state_text(r, a, mp, done, may_have_committed));
    r->report->failed = mp->migration->name;
    if (done)
        return err_hint(err,
                        "correct the file from statement %zu on, or the data, and run: aramid "
                        "deploy",
                        done + 1);
    const char *exists[] = {"42P07", "42710", "42701", "42P06", "42723"};
    for (size_t i = 0; i < sizeof exists / sizeof *exists; i++)
        if (strcmp(o->sqlstate, exists[i]) == 0)
            err_hint(err,
                     "when this database already has what the migration makes, record it: "
                     "aramid resolve --applied %s",
                     str_shell(a, mp->migration->name));
    return err_hint(err, "correct the file or the data and run: aramid deploy");
}

/* ---- a step inside a transaction ---------------------------------------------------------- */

/* An error that another cut of the file avoids. Prisma would have stopped here. */
static bool
replan(Run *r, const MigrationPlan *mp, const Step *step, const Part *part, const DbOutcome *o)
{
    if (!part || part->kind != PART_USER ||
        !plan_learn(r->arena, mp, step, part->index, o->sqlstate,
                    &run_learned(r, mp->migration->name)->hints))
        return false;
    const SqlStmt *s = &mp->script.stmts.v[part->index];
    run_emit(r, RUN_NOTE, RUN_WARN, mp->migration->name,
             "line %d: the server refused %s in one transaction with the rest (%s); trying again "
             "with the file cut there. Prisma's engine would have failed here",
             s->line, s->tag, o->sqlstate);
    return true;
}

static void
on_notice(void *arg, const char *severity, const char *sqlstate, const char *text)
{
    Run *r = arg;
    bool warning = strcmp(severity, "WARNING") == 0;
    if (!warning && strcmp(severity, "NOTICE") != 0)
        return;
    /* "there is no transaction in progress" and the like come with the file's own BEGIN. */
    if (strcmp(sqlstate, "25001") == 0 || strcmp(sqlstate, "25P01") == 0)
        return;
    run_emit(r, RUN_NOTICE, warning ? RUN_WARN : RUN_INFO, r->current, "%s", text);
}

int
run_add_carry(const Run *r, Buf *b)
{
    if (!r->carry)
        return 0;
    buf_addz(b, r->carry);
    return r->carry_statements;
}

void
run_drop_carry(Run *r)
{
    r->carry = NULL;
}

bool
run_flush_carry(Run *r, Err *err)
{
    if (!r->carry)
        return true;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(&r->session, &b);
    run_add_carry(r, &b);
    if (!db_query(r->session.db, r->arena, buf_str(&b), NULL, err))
        return false;
    run_drop_carry(r);
    return true;
}

void
run_send(Run *r, Arena *a, Str sql, Guard *guard, DbOutcome *ret)
{
    watch_begin(r, guard);
    db_run(r->session.db, a, sql,
           &(DbRun){.discard_rows = true,
                    .notice = on_notice,
                    .notice_arg = r,
                    .tick_ms = guard && !guard->is_alone ? GUARD_EVERY_MS : 0},
           ret);
    watch_end(r);
}

/* A lock_timeout during a wait for somebody's transaction: the context then begins with the row
 * ("while updating tuple (0,7) in relation ...", in the server's language). */
static bool
waited_for_row(const DbOutcome *o)
{
    Str rest = str_of(o->context), line = str_cut(&rest, '\n');
    int block, item, end = 0;
    for (size_t i = 0; i < line.n && line.p[i] != '"'; i++) /* behind a quote: "numeric(10,2)" */
        if (line.p[i] == '(' && sscanf(line.p + i, "(%d,%d)%n", &block, &item, &end) == 2 && end)
            return true;
    return false;
}

static bool
recorded(const DbOutcome *o, const StepWrite *w, bool own_commit, Err *err)
{
    size_t last = o->results.n - (own_commit ? 1 : 0);
    for (int i = 0; i < w->record_statements; i++) {
        const char *tag = o->results.v[last - 1 - (size_t)i].tag;
        if (strcmp(tag, "INSERT 0 1") == 0 || strcmp(tag, "UPDATE 1") == 0)
            continue;
        err_set(err, ERR_VERIFY, "the history table did not take the migration's row (%s)", tag);
        return err_hint(err, "look for triggers or rules on _prisma_migrations");
    }
    return true;
}

static bool
restart(Err *err, ErrCode code, StepEnd *ret, const char *why)
{
    err_set(err, code, "%s", why);
    *ret = STEP_RESTART;
    return true;
}

/* What follows from a failed message: true = try the same again. */
static bool
handle_failure(Run *r, const MigrationPlan *mp, const Step *step, const Message *m,
               const LockPlan *locks, const Guard *guard, const DbOutcome *o, int *conflicts,
               int *lock_tries, StepEnd *ret, bool *ret_again, Err *err)
{
    struct Learned *l = run_learned(r, mp->migration->name);
    const Part *part = message_failed_part(m, o);
    PartKind kind = part ? part->kind : PART_RECORD;
    DbRetry retry = db_retry_class(o->sqlstate);
    *ret_again = false;
    if (kind == PART_GUARD_LOCK || kind == PART_GUARD_APPLIED ||
        (kind == PART_RECORD && strcmp(o->sqlstate, "22012") == 0))
        return restart(err, ERR_CONNECTION_LOST, ret,
                       "the lock of this run was lost: a script may have released it");
    if (kind == PART_PRELOCK && retry == DB_RETRY_NEVER) {
        l->no_prelock = true;
        *ret_again = true; /* no right to LOCK TABLE, or not a table: the script locks by itself */
        return true;
    }
    if (retry == DB_RETRY_LOCK || guard->fired) {
        failpoint(r, FP_LOCK_RETRY);
        l->lock_failed = true;
        l->waits_for_rows = l->waits_for_rows || waited_for_row(o);
        *ret_again = true;
        return gate_wait(r, mp, locks, guard->blocker, ++*lock_tries, err);
    }
    if (retry == DB_RETRY_CONFLICT &&
        ++*conflicts <= r->session.config->values[CFG_MAX_RETRIES].number) {
        run_emit(r, RUN_RETRY, RUN_WARN, mp->migration->name,
                 "%s (%s): the transaction was rolled back and is tried again", o->message,
                 o->sqlstate);
        *ret_again = true;
        return db_pause(run_tick, r,
                        db_backoff_ms(config_ms(r->session.config, CFG_RETRY_DELAY), 10000,
                                      *conflicts)) ||
               err_set(err, ERR_INTERRUPTED, "the run was interrupted");
    }
    if (replan(r, mp, step, part, o)) {
        *ret = STEP_AGAIN;
        return true;
    }
    return step_failed(r, mp, m, o, step->first, err);
}

static bool
tx_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row, bool first, bool last,
       StepEnd *ret, Err *err)
{
    int conflicts = 0, lock_tries = 0;
    for (;;) {
        ARENA_LOCAL(a);
        LockPlan locks;
        StepWrite write;
        Message m;
        DbOutcome o;
        plan_locks(r, a, step, run_learned(r, mp->migration->name), &locks);
        Guard guard = {.may_fire = locks.waits_for_rows};
        plan_record(r, a, mp, step, row, first, last, &write);
        message_step(r, a, mp, step, &locks, &write, &m);
        failpoint(r, FP_BEFORE_MESSAGE);
        r->session.unclean = r->session.unclean || step->hides_session;
        run_send(r, a, buf_str(&m.sql), locks.guard ? &guard : NULL, &o);
        failpoint(r, FP_AFTER_MESSAGE);
        if (o.end == DB_DONE) {
            r->session.unclean = step->hides_session;
            run_drop_carry(r);
            *ret = STEP_ENDED;
            return recorded(&o, &write, step->mode == STEP_OWN_TX, err);
        }
        if (o.cancelled && r->stop_asked)
            return db_outcome_err(&o, "the migration", err);
        if (o.end == DB_LOST)
            return restart(err, ERR_CONNECTION_LOST, ret, o.message);
        if (step->mode ==
            STEP_OWN_TX) { /* an error behind the file's BEGIN leaves its block open */
            DbOutcome rollback;
            db_run(r->session.db, a, STR("ROLLBACK"),
                   &(DbRun){.timeout_ms = config_ms(r->session.config, CFG_OPERATION_TIMEOUT)},
                   &rollback);
        }
        bool again;
        if (!handle_failure(r, mp, step, &m, &locks, &guard, &o, &conflicts, &lock_tries, ret,
                            &again, err))
            return false;
        if (!again)
            return true;
    }
}

/* ---- the whole migration ------------------------------------------------------------------ */

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
    r->session.layout->add_finished(&b, r->session.ledger_schema, row->id, row->checksum);
    return db_query(r->session.db, r->arena, buf_str(&b), NULL, err);
}

bool
migration_run(Run *r, MigrationPlan *mp, StepEnd *ret, Err *err)
{
    struct Learned *l = run_learned(r, mp->migration->name);
    LedgerRow row = {.id = mp->ledger_id ? mp->ledger_id : os_uuid(r->arena),
                     .checksum = mp->migration->checksum,
                     .name = mp->migration->name,
                     .started_us = mp->ledger_id ? 0 : next_started(r)};
    r->lock_wait_started_ms = 0;
    *ret = STEP_ENDED;
    if (mp->steps.n == 0)
        return finish_only(r, &row, err);
    for (size_t i = 0; i < mp->steps.n;) {
        const Step *step = &mp->steps.v[i];
        bool first = i == 0 && !mp->resumes, last = i + 1 == mp->steps.n;
        bool alone = r->is_alone = step->mode == STEP_ALONE;
        if (!(first && last && !alone) && !journal_ensure(r, err))
            return false;
        if (mp->steps.n > 1 || mp->resumes)
            run_emit_step(r, RUN_STEP, mp, i, -1);
        int64_t started = clock_ms();
        if (!(alone ? alone_run(r, mp, step, &row, first, last, ret, err)
                    : tx_run(r, mp, step, &row, first, last, ret, err)))
            return false;
        if (*ret == STEP_RESTART)
            return true;
        if (*ret == STEP_AGAIN) {
            l->hints.start = step->first;
            l->hints.chained = step->chained;
            if (!plan_cut(r->arena, &l->hints, mp, err))
                return false;
            i = 0;
            continue;
        }
        if (mp->steps.n > 1 || mp->resumes)
            run_emit_step(r, RUN_STEP_DONE, mp, i, clock_ms() - started);
        i++;
    }
    return true;
}
