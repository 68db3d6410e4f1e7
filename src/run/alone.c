/* Statements outside of transactions: an intent in the journal, the statement, and proof from the
 * catalog of whether it ran, so that an interrupted run goes on by itself. */
#include "run/alone.h"
#include "run/session_int.h"
#include "run/step.h"
#include "run/watch.h"
#include "sqltext/sqltext.h"

static bool
unproven(const MigrationPlan *mp, const Step *step, Err *err)
{
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    err_set(err, ERR_UNPROVEN,
            "a run was interrupted during %s of migration \"%s\", and nothing "
            "tells whether it had its effect",
            s->tag, mp->migration->name);
    plan_place(mp, step->first, err);
    ARENA_LOCAL(a);
    const char *name = str_shell(a, mp->migration->name);
    err_hint(err,
             "look at the data, then either record the migration as done: aramid resolve "
             "--applied %s",
             name);
    return err_hint(err,
                    "or undo what is there and let it run from its beginning: aramid resolve "
                    "--rolled-back %s",
                    name);
}

/* A statement that the catalog proves may be recorded with the next message: until then it looks
 * interrupted, which harms nobody. */
static bool
finish(Run *r, const SqlStmt *s, const Step *step, const LedgerRow *row, bool last, Err *err)
{
    const Session *ses = &r->session;
    Buf b;
    buf_init(&b, r->arena);
    journal_add_done(ses, &b, row->id, step->first);
    buf_addc(&b, ';');
    if (last) {
        ses->layout->add_finished(&b, ses->ledger_schema, row->id, row->checksum);
        buf_addc(&b, ';');
    }
    r->carry = b.p;
    r->carry_statements = last ? 2 : 1;
    return is_provable(s) || run_flush_carry(r, err);
}

/* Nothing of the migration has happened: take its rows away again. */
static bool
forget(Run *r, Arena *a, const LedgerRow *row, Err *err)
{
    const Session *s = &r->session;
    Buf b;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    s->layout->add_forgotten(&b, s->ledger_schema, row->id);
    buf_addc(&b, ';');
    journal_add_forget(s, &b, row->id);
    return db_query(r->session.db, a, buf_str(&b), NULL, err);
}

/* Only the journal's row of this step. */
static bool
forget_step(Run *r, Arena *a, const Step *step, const LedgerRow *row, const char *logs, Err *err)
{
    const Session *s = &r->session;
    Buf b;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    journal_add_forget(s, &b, row->id);
    buf_fmt(&b, " AND first_statement OPERATOR(pg_catalog.=) %zu", step->first);
    if (logs) {
        buf_addc(&b, ';');
        s->layout->add_logs(&b, s->ledger_schema, row->id, str_of(logs));
    }
    return db_query(r->session.db, a, buf_str(&b), NULL, err);
}

/* Remove what the failed statement left. */
static bool
clean_up(Run *r, Arena *a, const SqlStmt *s, const Step *step, const LedgerRow *row, Err *err)
{
    if (s->kind == SQL_CREATE_INDEX) {
        Buf j;
        buf_init(&j, a);
        buf_addz(&j, " FROM ");
        own_add_table(&r->session, &j, OWN_JOURNAL);
        buf_addz(&j, " j WHERE j.ledger_id OPERATOR(pg_catalog.=) ");
        sql_add_literal(&j, str_of(row->id));
        buf_fmt(&j, " AND j.first_statement OPERATOR(pg_catalog.=) %zu", step->first);
        return index_repair(
            r, a,
            str_fmt(a,
                    "c.oid OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.unnest("
                    "j.indexes_before)%s)",
                    j.p),
            str_fmt(a, "i.indrelid OPERATOR(pg_catalog.=) (SELECT j.relation%s)", j.p), err);
    }
    if (s->kind == SQL_REINDEX)
        return index_repair(r, a, "false", INDEX_REINDEX_LEFTOVER, err);
    return true;
}

static bool
yield_and_restart(Run *r, Arena *a, const Step *step, const LedgerRow *row, bool first,
                  StepEnd *ret, Err *err)
{
    if (!(first ? forget(r, a, row, err) : forget_step(r, a, step, row, NULL, err)))
        return false;
    if (!lock_yield_to_prisma(&r->session, &r->deploy->sink, err))
        return false;
    err_set(err, ERR_RUNNER_ACTIVE,
            "another client waited for the migration lock; it was let through");
    *ret = STEP_RESTART;
    return true;
}

/* After an error of the statement itself. */
static bool
statement_failed(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
                 bool first, const DbOutcome *o, StepEnd *ret, Err *err)
{
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    if (!clean_up(r, a, s, step, row, err))
        return false;
    DbRetry retry = db_retry_class(o->sqlstate);
    Learned *l = run_learned(r, mp->migration->name);
    bool may_have_committed = s->tx == SQL_TX_HIDDEN;
    if (retry != DB_RETRY_NEVER && !may_have_committed &&
        ++l->alone_tries <= 2 + r->session.config->values[CFG_MAX_RETRIES].number) {
        run_emit(r, RUN_RETRY, RUN_WARN, row->name, "%s (%s): trying again", o->message,
                 o->sqlstate);
        return yield_and_restart(r, a, step, row, first, ret, err);
    }
    Err ignored; /* the statement's error is the one to tell */
    bool cleaned =
        first ? forget(r, a, row, &ignored) : forget_step(r, a, step, row, o->message, &ignored);
    (void)cleaned;
    return step_failed(r, mp, NULL, o, step->first, err);
}

/* A signal or our deadline ended the build: remove its remains if that is quick. */
static void
clean_up_briefly(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
                 bool first)
{
    Err ignored;
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    if (!db_is_open(r->session.db) || s->kind != SQL_CREATE_INDEX || !s->index.name[0])
        return;
    db_set_tick(r->session.db, NULL, NULL);
    IndexVec list = {0};
    bool clean = index_read(r, a, "false", index_where_named(a, s), &list, &ignored);
    vec_each (const IndexState, x, &list) {
        clean = clean && !x->builder;
        if (x->builder)
            continue;
        DbOutcome o;
        db_run(r->session.db, a, STR("SET lock_timeout='1s'"), &(DbRun){.timeout_ms = 2000}, &o);
        db_run(r->session.db, a,
               str_of(str_fmt(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", x->qualified)),
               &(DbRun){.timeout_ms = 3000}, &o);
        clean = clean && o.end == DB_DONE;
    }
    if (clean && first)
        clean = forget(r, a, row, &ignored);
}

bool
alone_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row, bool first, bool last,
          StepEnd *ret, Err *err)
{
    ARENA_LOCAL(a);
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    const JournalStep *begun = intent_find(r, row->id, step->first);
    r->session.unclean = true; /* the timeouts that this leaves */
    *ret = STEP_ENDED;
    if (begun) {
        Proof proof;
        if (!prove(r, a, s, begun, &proof, err))
            return false;
        if (proof == PROOF_NONE)
            return unproven(mp, step, err);
        if (proof == PROOF_DONE)
            return finish(r, s, step, row, last, err);
        Buf b;
        buf_init(&b, a);
        session_add_user_prefix(&r->session, &b);
        buf_addz(&b, "SET lock_timeout=0;SET statement_timeout=0");
        if (!db_query(r->session.db, a, buf_str(&b), NULL, err))
            return false;
    } else {
        Intent intent;
        failpoint(r, FP_BEFORE_INTENT);
        if (!intent_write(r, a, mp, step, row, first, &intent, err))
            return false;
        failpoint(r, FP_AFTER_INTENT);
        if (!intent.has_lock) {
            if (!(first ? forget(r, a, row, err) : forget_step(r, a, step, row, NULL, err)))
                return false;
            err_set(err, ERR_CONNECTION_LOST,
                    "the lock of this run was lost: a script may have released it");
            *ret = STEP_RESTART;
            return true;
        }
        if (intent.prisma_waits)
            return yield_and_restart(r, a, step, row, first, ret, err);
        if (intent.in_the_way) {
            Buf b;
            buf_init(&b, a);
            session_add_user_prefix(&r->session, &b);
            buf_addz(&b, "SET lock_timeout=0;SET statement_timeout=0");
            if (!index_wait_for_builder(r, a, intent_table(a, s), err) ||
                (s->kind == SQL_CREATE_INDEX && s->index.name[0] &&
                 !index_repair(r, a, "false", index_where_named(a, s), err)) ||
                !db_query(r->session.db, a, buf_str(&b), NULL, err))
                return false;
        }
    }
    DbOutcome o;
    const char *text = str_dup(a, str_slice(mp->script.text, s->off, s->off + s->len));
    LockWatch watch = {.is_alone = true, .may_fire = true};
    run_send(r, a, str_of(text), s->is_concurrent ? &watch : NULL, &o);
    if (watch.fired && o.end == DB_FAILED) {
        memcpy(o.sqlstate, "40P01", sizeof o.sqlstate);
        o.message = "a Prisma client waits for the lock of this run, and the statement for it";
    }
    failpoint(r, FP_AFTER_STATEMENT);
    if (o.end == DB_DONE) { /* also when a stop came too late */
        bool ok = finish(r, s, step, row, last, err);
        failpoint(r, FP_AFTER_FINISH);
        return ok;
    }
    if (o.cancelled && r->stop_asked) {
        clean_up_briefly(r, a, mp, step, row, first);
        return db_outcome_err(&o, s->tag, err);
    }
    if (o.end == DB_LOST) {
        err_set(err, ERR_CONNECTION_LOST, "%s", o.message);
        *ret = STEP_RESTART;
        return true;
    }
    return statement_failed(r, a, mp, step, row, first, &o, ret, err);
}
