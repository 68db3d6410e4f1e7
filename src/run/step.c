/* A step inside a transaction: its locks, its record, its one message, and what an error means. */
#include "run/session_int.h"
#include "run/step.h"
#include "run/watch.h"
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
 * it locks may do so when a try has shown that rows are what it waits for, watched. */
static void
plan_locks(Run *r, Arena *a, const Step *step, const Learned *l, LockPlan *ret)
{
    const Config *c = r->session.config;
    int64_t base = config_ms(c, CFG_LOCK_TIMEOUT), row = config_ms(c, CFG_ROW_LOCK_TIMEOUT);
    *ret = (LockPlan){.evict_ms = db_info(r->session.db)->deadlock_timeout_ms + 500};
    if (!step->has_strong) {
        ret->is_watched = step->hides_locks && l->lock_failed && watch_open(r);
        ret->waits_for_rows = ret->is_watched && l->waits_for_rows;
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
    *ret = (StepWrite){.pending_name = row->name};
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
               const LockPlan *locks, const LockWatch *watch, const DbOutcome *o, int *conflicts,
               int *lock_tries, StepEnd *ret, bool *ret_again, Err *err)
{
    Learned *l = run_learned(r, mp->migration->name);
    const Part *part = message_failed_part(m, o);
    PartKind kind = part ? part->kind : PART_RECORD;
    DbRetry retry = db_retry_class(o->sqlstate);
    *ret_again = false;
    if (kind == PART_CHECK_LOCK || kind == PART_CHECK_PENDING ||
        (kind == PART_RECORD && strcmp(o->sqlstate, "22012") == 0))
        return restart(err, ERR_CONNECTION_LOST, ret,
                       "the lock of this run was lost: a script may have released it");
    if (kind == PART_PRELOCK && retry == DB_RETRY_NEVER) {
        l->no_prelock = true;
        *ret_again = true; /* no right to LOCK TABLE, or not a table: the script locks by itself */
        return true;
    }
    if (retry == DB_RETRY_LOCK || watch->fired) {
        failpoint(r, FP_LOCK_RETRY);
        l->lock_failed = true;
        l->waits_for_rows = l->waits_for_rows || waited_for_row(o);
        *ret_again = true;
        return blockers_wait(r, mp, locks, watch->blocker, ++*lock_tries, err);
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

bool
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
        LockWatch watch = {.may_fire = locks.waits_for_rows};
        plan_record(r, a, mp, step, row, first, last, &write);
        message_step(r, a, mp, step, &locks, &write, &m);
        failpoint(r, FP_BEFORE_MESSAGE);
        r->session.unclean = r->session.unclean || step->hides_session;
        run_send(r, a, buf_str(&m.sql), locks.is_watched ? &watch : NULL, &o);
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
        if (!handle_failure(r, mp, step, &m, &locks, &watch, &o, &conflicts, &lock_tries, ret,
                            &again, err))
            return false;
        if (!again)
            return true;
    }
}

/* ---- the whole migration ------------------------------------------------------------------ */
