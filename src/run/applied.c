/* Telling and noting what begins and what is applied. */
#include "base/clock.h"
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

static RunDone *
note(Run *r, const char *name, int64_t ms, size_t steps, bool resumed)
{
    RunDone *done = vec_add(r->arena, &r->report->applied);
    *done = (RunDone){
        .name = name, .ms = ms, .steps = (int)steps, .resumed = resumed, .undone = r->is_undo};
    stall_note(r, done);
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

void
applied_begin(Run *r, const MigrationPlan *mp)
{
    if (r->current && strcmp(r->current, mp->migration->name) == 0)
        return; /* with others before it, and now by itself */
    r->number++;
    r->current = mp->migration->name;
    r->is_undo = mp->undoes != NULL;
    r->current_started_ms = clock_ms();
    r->times.n = 0;
    r->stall = (Stall){.is_on = r->stall.is_on,
                       .may_cancel = r->stall.may_cancel,
                       .sent_ms = r->stall.sent_ms,
                       .next_ms = r->stall.next_ms};
    run_emit(r, RUN_MIGRATION, RUN_INFO, mp->migration->name, "%s",
             mp->resumes  ? "going on where an interrupted run stopped"
             : mp->undoes ? "is rolled back"
                          : "begins");
}

void
applied_end(Run *r, const MigrationPlan *mp)
{
    note_times(r, mp, mp,
               note(r, mp->migration->name, clock_ms() - r->current_started_ms, mp->steps.n,
                    mp->undoes ? mp->resumes : mp->ledger_id != NULL));
    stall_tell(r, mp->migration->name);
    r->current = NULL;
}

void
applied_begin_whole(Run *r, const MigrationPlan *whole)
{
    r->current = whole->migration->name;
    r->whole = whole;
    r->current_started_ms = clock_ms();
    r->times.n = 0;
    r->stall = (Stall){0};
    run_emit(r, RUN_MIGRATION, RUN_INFO, NULL, "%zu migrations in one transaction: begins",
             whole->parts.n);
}

/* How long each took is the sum of its statements. */
void
applied_end_whole(Run *r, const MigrationPlan *whole)
{
    int64_t ms = clock_ms() - r->current_started_ms;
    vec_each (const PlanPart, p, &whole->parts) {
        r->number++;
        RunDone *done = note(r, p->of->migration->name, ms, 1, false);
        note_times(r, whole, p->of, done);
        done->ms = done->statements.n ? sum_ms(done) : ms;
    }
    stall_tell(r, NULL);
    r->current = NULL;
    r->whole = NULL;
}

void
applied_doubt(Run *r)
{
    RunReport *report = r->report;
    for (size_t i = r->flushed; i < report->applied.n; i++)
        *vec_add(r->arena, &r->doubted) = report->applied.v[i];
    report->applied.n = r->flushed;
}

static const Entry *
find_done(const Run *r, const char *name)
{
    const Entry *e = history_find(r->deploy->history, name);
    return e && e->state == (r->is_undo ? ENTRY_PENDING : ENTRY_APPLIED) ? e : NULL;
}

static void
settle_doubted(Run *r)
{
    vec_each (const RunDone, d, &r->doubted) {
        if (find_done(r, d->name))
            *vec_add(r->arena, &r->report->applied) = *d;
        else
            run_emit(r, RUN_RETRY, RUN_WARN, d->name,
                     "the server went down before its commit was on disk: it is applied again");
    }
}

static bool
is_planned(const Run *r, const char *name)
{
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        if (strcmp(mp->migration->name, name) == 0)
            return true;
    return false;
}

/* The migration under way may have been committed, so may those that were sent with it, and those that were
 * done but not yet recorded are done again, quickly. */
void
applied_settle(Run *r)
{
    int64_t ms = clock_ms() - r->current_started_ms;
    settle_doubted(r);
    const Entry *e = r->current ? find_done(r, r->current) : NULL;
    if (e && r->whole)
        vec_each (const PlanPart, p, &r->whole->parts)
            note(r, p->of->migration->name, ms, 1, false);
    else if (e)
        note(r, e->name, ms, 1, false);
    vec_each (const char *const, name, &r->sent)
        if (find_done(r, *name))
            note(r, *name, ms, 1, false);
    r->doubted.n = r->sent.n = 0;
    r->current = NULL;
    r->whole = NULL;
    while (r->report->applied.n &&
           is_planned(r, r->report->applied.v[r->report->applied.n - 1].name))
        r->report->applied.n--;
    r->flushed = r->flushed < r->report->applied.n ? r->flushed : r->report->applied.n;
}

bool
applied_flush(Run *r, Err *err)
{
    if (r->flushed >= r->report->applied.n)
        return true;
    /* A transaction that has something to write down waits for the disk, and for all before it. */
    if (!db_query(r->session.db, r->arena,
                  STR("SELECT pg_catalog.pg_logical_emit_message(true, 'aramid', '')"), NULL, err))
        return false;
    r->flushed = r->report->applied.n;
    return true;
}
