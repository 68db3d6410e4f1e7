/* Steps inside transactions: locks, record, the message of one or of several, and what an error means. */
#include "base/clock.h"
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

#include <stdio.h>

/* ---- how to lock -------------------------------------------------------------------------- */

/* Others queue behind a waiting lock request, so all waits for strong locks together stay within
 * CFG_LOCK_TIMEOUT: the opening LOCK TABLEs get 60 % of it, the script itself the rest. A script
 * that takes no strong lock may wait longer for rows: nobody queues behind it. One that hides what
 * it locks may do so when a try has shown that rows are what it waits for, watched. */
static void
plan_locks(const Try *t, Arena *a, const Learned *l, LockPlan *ret)
{
    Run *r = t->run;
    const Step *step = t->step;
    const Config *c = r->session.config;
    int64_t base = config_ms(c, CFG_LOCK_TIMEOUT), row = config_ms(c, CFG_ROW_LOCK_TIMEOUT);
    int64_t own = plan_lock_timeout_ms(t->mp);
    if (own >= 0)
        base = row = own;
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
        if (!l->no_prelock && s->can_prelock && s->mode >= SQL_LOCK_SHARE &&
            run_relation_exists(r, s))
            *vec_add(a, &ret->tables) = s;
    }
    int64_t opening = base * 6 / 10, n = (int64_t)ret->tables.n;
    ret->table_ms = n ? opening / n : opening;
    ret->rest_ms = n ? base - opening : opening;
    if (base && ret->table_ms < 5) /* 0 = no limit, which a file may want */
        ret->table_ms = 5;
    if (base && ret->rest_ms < 5)
        ret->rest_ms = 5;
}

/* ---- what to record ----------------------------------------------------------------------- */

bool
step_record(const Try *t, Arena *a, StepWrite *ret, Err *err)
{
    const Session *s = &t->run->session;
    const LedgerRow *row = t->row;
    const SessionLedger *l = ledger_of(s, row);
    Buf b, proof;
    buf_init(&b, a);
    buf_init(&proof, a);
    bool whole = t->first && t->last, begins = t->first && ledger_holds_begun(l);
    bool forgets = t->last && (!ledger_holds_begun(l) || row->is_undone);
    /* What the journal has of its being applied means nothing any more. */
    bool forgets_old = t->first && row->is_undone && own_is_there(s, OWN_JOURNAL);
    size_t next = t->step->first + t->step->count;
    Kept kept = {.row = row,
                 .ledger = t->last || begins,
                 .finished = t->last,
                 .journal = !whole && !forgets,
                 .done = true,
                 .first = t->step->first,
                 .next = next};
    *ret = (StepWrite){.locks = &t->locks, .is_flushed = true, .pending = row};
    if (forgets_old) {
        journal_add_forget(s, &b, row->id);
        buf_addc(&b, ';');
        ret->record_statements++;
    }
    if (whole)
        ledger_add_whole(s, &b, row);
    for (size_t i = 0; i < t->more_count; i++) {
        buf_addc(&b, ';');
        const SessionLedger *of = ledger_of(s, &t->more[i]);
        of->layout->add_applied(&b, &of->at, &t->more[i]);
        ret->record_statements++;
    }
    if (!whole && begins)
        ledger_add_begun(s, &b, row);
    if (whole || begins) {
        buf_addc(&b, ';');
        ret->record_statements++;
    }
    if (!whole) {
        const Step *after = t->last ? NULL : t->step + 1;
        const char *prefix;
        if (!journal_prefix_hash(a, t->mp, next, &prefix, err))
            return false;
        if (forgets)
            journal_add_forget(s, &b, row->id);
        else
            journal_add_insert(s, &b,
                               &(JournalEntry){.ledger_id = row->id,
                                               .name = row->name,
                                               .first = t->step->first,
                                               .next = next,
                                               .done = true,
                                               .prefix_hash = prefix,
                                               .chained = after ? after->chained : NULL,
                                               .undo = journal_undo(t),
                                               .run_id = t->run->deploy->run_id});
        buf_addc(&b, ';');
        ret->record_statements++;
    }
    if (!whole && t->last) {
        ledger_add_finished(s, &b, row);
        buf_addc(&b, ';');
        ret->record_statements++;
    }
    const LedgerRow *end = t->more_count ? &t->more[t->more_count - 1] : row;
    if (t->last && ledger_of(s, end)->layout->add_promise) {
        Buf promise;
        buf_init(&promise, a);
        ledger_of(s, end)->layout->add_promise(&promise, end);
        ret->promise = promise.n ? promise.p : NULL;
    }
    ledger_add_proof(s, &proof, &kept);
    ret->proofs = 1 + (int)t->more_count;
    for (size_t i = 0; i < t->more_count; i++) {
        kept.row = &t->more[i];
        buf_addc(&proof, ';');
        ledger_add_proof(s, &proof, &kept);
    }
    ret->record = b.p;
    ret->proof = proof.p;
    return true;
}

/* ---- a step inside a transaction ---------------------------------------------------------- */

/* An error that another cut of the file avoids. Prisma would have stopped here. */
static bool
replan(const Try *t, const Part *part, const DbOutcome *o)
{
    Run *r = t->run;
    const char *name = t->mp->migration->name;
    if (part->kind != PART_USER || t->mp->parts.n || r->deploy->one_tx ||
        !plan_learn(r->arena, t->mp, t->step, part->index, o->sqlstate,
                    &run_learned(r, t->mp)->hints))
        return false;
    ARENA_LOCAL(a);
    SqlScript script;
    SqlStmt stmt = {.tag = "a statement"};
    Err ignored; /* only its place and words are missing then */
    const SqlStmt *s = plan_script(a, t->mp, true, &script, &ignored)
                           ? sql_stmt(&script, part->index, &stmt)
                           : &stmt;
    run_find(&r->deploy->sink, FINDING_RUN_CUT, name, NULL,
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

/* The table's own key, or the one that it has for the time of a run; no index of somebody else's. */
static bool
is_key(const DbOutcome *o)
{
    ARENA_LOCAL(a);
    return strcmp(o->constraint, HISTORY_ONCE) == 0 ||
           strcmp(o->constraint, str_fmt(a, "%s_pkey", o->table)) == 0;
}

/* A check has found the lock gone, or the migration applied since it was found pending; so has the ledger's
 * own INSERT, or its key where both came at once, and no function on the ledger. Where a message is refused as
 * a whole, its first statement is none that has run. */
static bool
is_overtaken(const Part *part, const DbOutcome *o)
{
    bool divides = strcmp(o->sqlstate, "22012") == 0;
    if (part->kind == PART_CHECK_LOCK || part->kind == PART_CHECK_PENDING)
        return divides;
    bool is_twice = divides || (strcmp(o->sqlstate, "23505") == 0 && is_key(o));
    return part->kind == PART_RECORD && is_twice && !o->context[0];
}

/* Of a migration whose earlier steps are committed the ledger has a row: `status` finds there why it
 * does not end. Where somebody's trigger would make more of that, the row stays as it is. */
static void
keep_logs(const Try *t, const DbOutcome *o)
{
    Session *s = &t->run->session;
    const SessionLedger *l = ledger_of(s, t->row);
    if (t->first || !ledger_holds_begun(l))
        return;
    ARENA_LOCAL(a);
    Buf b;
    Err ignored; /* the statement's error is the one to tell */
    buf_init(&b, a);
    session_add_prefix(s, &b);
    buf_addz(&b, "SET CONSTRAINTS ALL IMMEDIATE;"); /* nothing comes behind the look */
    l->layout->add_logs(&b, &l->at, t->row->id, str_of(o->message));
    buf_addc(&b, ';');
    ledger_add_proof(s, &b, &(Kept){.row = t->row, .ledger = true});
    bool kept = db_query(s->db, a, buf_str(&b), NULL, &ignored);
    (void)kept;
}

typedef enum Next {
    NEXT_SAME,    /* try the same again */
    NEXT_RESTART, /* a new pass */
    NEXT_CUT,     /* cut the file differently */
} Next;

/* What follows from a failed message. */
static bool
handle_failure(Try *t, const DbOutcome *o, Next *ret, Err *err)
{
    Run *r = t->run;
    const char *name = t->mp->migration->name;
    Learned *l = run_learned(r, t->mp);
    Part failed = {.kind = PART_SETTLE}; /* the commit itself */
    const Part *part = &failed;
    message_failed_part(&t->block, o, &failed);
    PartKind kind = failed.kind;
    DbRetry retry = db_retry_class(o->sqlstate);
    *ret = NEXT_SAME;
    bool ours = kind == PART_RECORD || kind == PART_PROOF;
    if (r->stall.fired && strcmp(o->sqlstate, "57014") == 0) {
        keep_logs(t, o);
        return step_stalled(r, t->mp, &t->block, o, t->step->first, err);
    }
    if (is_overtaken(part, o)) {
        run_restart_lost_lock(r);
        *ret = NEXT_RESTART;
        return true;
    }
    if (kind == PART_PRELOCK && retry == DB_RETRY_NEVER) {
        l->no_prelock =
            true; /* no right to LOCK TABLE, or not a table: the script locks by itself */
        return true;
    }
    if (ours && retry == DB_RETRY_LOCK)
        return session_wait_for_tables(&r->session, &r->lock_wait_started_ms, err);
    if (retry == DB_RETRY_LOCK || t->watch.fired) {
        failpoint(r, FP_LOCK_RETRY);
        l->lock_failed = true;
        l->waits_for_rows = l->waits_for_rows || waited_for_row(o);
        return blockers_wait(r, t->mp, &t->locks, t->watch.blocker, err);
    }
    if (retry == DB_RETRY_CONFLICT && run_try_again(r, DB_PATIENCE_CONFLICT)) {
        run_emit(r, RUN_RETRY, RUN_WARN, name,
                 "%s (%s): the transaction was rolled back and is tried again%s%s", o->message,
                 o->sqlstate, o->detail[0] ? ". " : "", o->detail);
        return run_retry_pause(r, DB_PATIENCE_CONFLICT, err);
    }
    if (replan(t, part, o)) {
        *ret = NEXT_CUT;
        return true;
    }
    keep_logs(t, o);
    return ours ? step_not_recorded(r, t->mp, o, t->step->first, err)
                : step_failed(r, t->mp, &t->block, o, t->step->first, err);
}

/* Behind an error in a block that began in words it stays open; and what blocks before it have committed
 * must be on disk before anything is told. */
static void
leave(Run *r, Arena *a, bool is_open)
{
    Err ignored; /* the connection broke: then nothing is known to be on disk */
    if (!db_is_open(r->session.db))
        return;
    db_set_tick(r->session.db, NULL, NULL); /* also after a signal */
    bool ok = (!is_open || db_query(r->session.db, a, STR("ROLLBACK"), NULL, &ignored)) &&
              applied_flush(r, &ignored);
    (void)ok;
    db_set_tick(r->session.db, run_tick, r);
}

/* A message that is under way. */
typedef struct Sending {
    Run *run;
    Try *tries;
    size_t n, ended; /* blocks; those that are committed */
    size_t times;    /* in r->times when the present one began */
    BlockTimes clock;
} Sending;

static void
end_block(Sending *s)
{
    Run *r = s->run;
    const Try *t = &s->tries[s->ended++];
    r->session.unclean = t->step->hides_session;
    run_drop_carry(r); /* it was in the first one */
    if (s->n == 1)
        return; /* the step, not yet the migration */
    applied_end(r, t->mp);
    if (!r->flushes_late)
        r->flushed = r->report->applied.n;
    failpoint(r, FP_BETWEEN_BLOCKS);
    s->times = 0;
    s->clock.last_us = 0;
    if (s->ended < s->n) {
        applied_begin(r, s->tries[s->ended].mp);
        watch_next(r);
    }
}

static void
on_statement(void *arg, int completed)
{
    Sending *s = arg;
    while (s->ended + 1 < s->n && (size_t)completed >= s->tries[s->ended].block.end)
        end_block(s);
}

static bool
write_message(Run *r, Arena *a, Try *tries, size_t n, Message *m, Err *err)
{
    bool unclean = r->session.unclean, ok = true;
    Carry carry = r->carry;
    for (size_t i = 0; i < n && ok; i++) {
        Try *t = &tries[i];
        StepWrite write;
        plan_locks(t, a, run_learned(r, t->mp), &t->locks);
        t->watch = (LockWatch){.may_fire = t->locks.waits_for_rows};
        ok = step_record(t, a, &write, err);
        write.is_flushed = i + 1 == n || !r->flushes_late;
        ok = ok && message_add(r, t->mp, t->step, &write, m, &t->block, err);
        r->session.unclean = t->step->hides_session; /* as it will be behind it */
        r->carry = (Carry){0};
    }
    r->session.unclean = unclean;
    r->carry = carry;
    return ok;
}

/* Whether something of it may lock what was there before, for as long as it works. */
static bool
may_hold(const Try *tries, size_t n)
{
    bool may = false;
    for (size_t i = 0; i < n; i++)
        may = may || tries[i].step->has_strong || tries[i].step->hides_locks ||
              tries[i].step->has_dml;
    return may;
}

/* A server that refuses a message as a whole has run nothing of it: a syntax error that only it knows. */
static bool
is_refused(const Sending *s, const DbOutcome *o)
{
    return s->n > 1 && o->completed == 0;
}

bool
tx_run(Try *tries, size_t n, size_t *ret_ended, StepEnd *ret, Err *err)
{
    Run *r = tries->run;
    r->failures[DB_PATIENCE_CONFLICT] = r->failures[DB_PATIENCE_LOCK] = 0;
    *ret_ended = 0;
    for (;;) {
        ARENA_LOCAL(a); /* of one message */
        ARENA_LOCAL(text);
        ArenaMark no_text = arena_mark(text);
        Message m;
        DbOutcome o;
        message_begin(&m, a, text, n > 1);
        if (!write_message(r, a, tries, n, &m, err))
            return false;
        failpoint(r, FP_BEFORE_MESSAGE);
        r->session.unclean = r->session.unclean || tries->step->hides_session;
        Sending s = {.run = r, .tries = tries, .n = n, .times = r->times.n};
        s.clock = (BlockTimes){.to = &r->times, .arena = r->arena};
        MessageCalls calls = {&s.clock, n > 1 ? on_statement : NULL, &s};
        if (may_hold(tries, n))
            stall_begin(r, true);
        message_send(r, a, &m, tries->locks.is_watched ? &tries->watch : NULL, &calls, &o);
        stall_end(r);
        failpoint(r, FP_AFTER_MESSAGE);
        if (o.end == DB_DONE) {
            while (s.ended < n)
                end_block(&s);
            r->flushed = r->report->applied.n;
            *ret_ended = n;
            *ret = STEP_ENDED;
            return true;
        }
        *ret_ended = s.ended;
        r->times.n = s.times; /* it is tried again, or it failed */
        r->one_by_one = r->one_by_one || n > 1;
        Try *t = &tries[s.ended];
        Next next = NEXT_RESTART;
        if (o.end == DB_LOST && !(o.cancelled && r->stop_asked)) {
            for (size_t i = s.ended + 1; i < n; i++)
                *vec_add(r->arena, &r->sent) = tries[i].mp->migration->name;
            applied_doubt(r);
            run_restart(r, DB_PATIENCE_PASS, o.message);
        } else {
            message_drop_text(&m, &t->block, &o);
            arena_reset(text, no_text);
            leave(r, a, n > 1 || t->step->mode == STEP_OWN_TX);
            holders_name_sides(&r->session, a, &o);
            if (o.cancelled && r->stop_asked)
                return db_outcome_err(&o, str_fmt(a, "the %s", run_noun(r)), err);
            next = NEXT_SAME;
            if (!is_refused(&s, &o) && !handle_failure(t, &o, &next, err))
                return false;
        }
        if (next != NEXT_SAME || n > 1) {
            *ret = next == NEXT_RESTART ? STEP_RESTART : STEP_AGAIN;
            return true;
        }
    }
}
