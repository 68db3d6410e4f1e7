/* An error of a migration: where, why, and what state it leaves. */
#include "base/clock.h"
#include "run/session_int.h"
#include "run/step.h"

static bool
is_batch(const MigrationPlan *mp, size_t statement)
{
    vec_each (const Step, s, &mp->steps)
        if (s->first == statement)
            return s->mode == STEP_BATCH;
    return false;
}

static const char *
state_text(Run *r, Arena *a, const MigrationPlan *mp, size_t done, bool may_have_committed)
{
    size_t before = r->report->applied.n;
    const char *earlier = before
                              ? str_fmt(a, "%zu %s%s before it %s applied; ", before, run_noun(r),
                                        str_plural(before), before == 1 ? "is" : "are")
                              : "";
    if (may_have_committed)
        return str_fmt(a,
                       "state: %sthe %zu statements of this %s before this one are "
                       "committed, and so is what it committed itself before the error",
                       earlier, done, run_noun(r));
    if (is_batch(mp, done))
        return str_fmt(
            a,
            "state: %sthe %zu statements of this %s before this one are committed, and so "
            "are this one's batches before the error; the next run goes on behind them",
            earlier, done, run_noun(r));
    if (done == 0)
        return str_fmt(a, "state: %snothing of this %s is in the database", earlier, run_noun(r));
    return str_fmt(a,
                   "state: %sstatements 1 to %zu of %zu of this %s are committed, the rest is not",
                   earlier, done, mp->statements, run_noun(r));
}

/* Whether all of a file are objects: only then may what is there stand for its having run. */
static bool
only_makes(const Run *r, const MigrationPlan *mp)
{
    if (strcmp(run_noun(r), "migration") != 0)
        return false;
    ARENA_LOCAL(a);
    SqlScript script;
    Err ignored;
    if (!plan_script(a, mp, false, &script, &ignored))
        return false;
    vec_each (const SqlStmt, s, &script.forms)
        if (s->tx == SQL_TX_ANY && !s->objects.n && s->kind != SQL_CREATE_INDEX)
            return false;
    return !mp->ledger_id;
}

static bool
is_hidden(const MigrationPlan *mp, size_t statement)
{
    vec_each (const Step, s, &mp->steps)
        if (s->first == statement && s->only)
            return s->only->tx == SQL_TX_HIDDEN;
    return false;
}

/* The one of several that are run as one. */
static const MigrationPlan *
failed_one(const MigrationPlan *mp, const Block *block, const DbOutcome *o)
{
    Err place = {0};
    const MigrationPlan *found = mp->parts.n ? mp->parts.v[0].of : mp;
    if (!mp->parts.n || !block)
        return found;
    bool is_placed = message_place(block, mp, o, &place);
    vec_each (const PlanPart, p, &mp->parts)
        if (is_placed && strcmp(p->of->migration->path, place.at.path) == 0)
            found = p->of;
    return found;
}

bool
step_failed(Run *r, const MigrationPlan *mp, const Block *block, const DbOutcome *o, size_t done,
            Err *err)
{
    ARENA_LOCAL(a);
    bool syntax = strcmp(o->sqlstate, "42601") == 0;
    const char *name = failed_one(mp, block, o)->migration->name;
    err_set(err, syntax ? ERR_SYNTAX : ERR_MIGRATION_FAILED, "%s \"%s\" failed: %s",
            mp->undoes ? "the way back of" : run_noun(r), name,
            str_printable(a, str_of(o->message), false));
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    bool placed = block ? message_place(block, mp, o, err) : true;
    if (!block)
        plan_place(mp, done, err);
    plan_quote_line(mp, err);
    if (!placed && strncmp(o->sqlstate, "23", 2) == 0)
        err_detail(err, "it was raised by the commit: a deferred constraint");
    db_outcome_details(a, o, err);
    bool may_have_committed = !block && is_hidden(mp, done);
    err_detail(err, "%s",
               mp->parts.n ? "state: nothing of any of these migrations is in the database "
                             "(tx: all)"
                           : state_text(r, a, mp, done, may_have_committed));
    r->report->failed = name;
    if (done || is_batch(mp, done))
        return err_hint(err,
                        "correct the file from statement %zu on, or the data, and run: aramid %s",
                        done + 1, run_verb(r));
    const char *exists[] = {"42P07", "42710", "42701", "42P06", "42723"};
    for (size_t i = 0; i < COUNT(exists) && only_makes(r, mp); i++)
        if (strcmp(o->sqlstate, exists[i]) == 0 && !mp->parts.n)
            err_hint(err,
                     "when this database already has what the migration makes, record it: "
                     "aramid resolve --applied %s",
                     str_shell(a, mp->migration->name));
    if (mp->parts.n && (strcmp(o->sqlstate, "55P04") == 0 || strcmp(o->sqlstate, "25001") == 0 ||
                        strcmp(o->sqlstate, "2D000") == 0))
        return err_hint(err,
                        "it cannot be in one transaction with the others: aramid deploy --tx file");
    if (strcmp(o->sqlstate, "2BP01") == 0)
        return err_hint(err,
                        "what depends on it is dropped first, and made again behind where it is "
                        "still wanted: write both into the file and run: aramid %s",
                        run_verb(r));
    return err_hint(err, "correct the file or the data and run: aramid %s", run_verb(r));
}

bool
step_stalled(Run *r, const MigrationPlan *mp, const Block *block, const DbOutcome *o, size_t done,
             Err *err)
{
    ARENA_LOCAL(a);
    const char *name = failed_one(mp, block, o)->migration->name;
    err_set(err, ERR_STALLED, "%s \"%s\" was stopped: others have waited for %s for what it locks",
            run_noun(r), name, clock_duration(a, r->stall.waited_ms));
    if (!block || !message_place(block, mp, o, err))
        plan_place(mp, done, err);
    plan_quote_line(mp, err);
    err_detail(err, "%s at once:", str_count(a, r->stall.sessions, "session"));
    err_detail(err, "%s", r->stall.who);
    err_detail(err, "%s",
               mp->parts.n ? "state: nothing of any of these migrations is in the database "
                             "(tx: all)"
                           : state_text(r, a, mp, done, false));
    r->report->failed = name;
    return err_hint(err,
                    "or let others wait for longer: aramid %s --stall 30s, at an hour when few do",
                    run_verb(r));
}

bool
step_not_recorded(Run *r, const MigrationPlan *mp, const DbOutcome *o, size_t done, Err *err)
{
    ARENA_LOCAL(a);
    bool kept_not = strcmp(o->sqlstate, "22012") == 0 && !o->context[0];
    const char *message = str_printable(a, str_of(o->message), false);
    if (kept_not)
        err_set(err, ERR_LEDGER, "the history does not keep the row of %s \"%s\"", run_noun(r),
                mp->migration->name);
    else
        err_set(err, ERR_LEDGER, "the history refused the row of %s \"%s\": %s", run_noun(r),
                mp->migration->name, message);
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    session_explain(&r->session, false, err);
    if (kept_not)
        err_detail(err, "it was looked at behind its writing, in the same transaction, and was not "
                        "there, or not as it was written");
    if (o->detail[0])
        err_detail(err, "detail: %s", str_printable(a, str_of(o->detail), true));
    if (o->context[0])
        err_detail(err, "context: %s", str_printable(a, str_of(o->context), true));
    err_detail(err, "%s", state_text(r, a, mp, done, false));
    r->report->failed = mp->migration->name;
    if (strcmp(o->sqlstate, "23502") == 0)
        err_hint(err, "the history table has a column that its tool does not write: give it a "
                      "default, or let it be NULL");
    return err_hint(err, "the file is not at fault; then run: aramid %s", run_verb(r));
}
