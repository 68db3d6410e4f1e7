/* Before the first migration: the ledger, our own tables, and the mark of the environment. */
#include "base/invariant.h"
#include "run/pass.h"
#include "run/session_int.h"

/* In one message: the ledgers, and with `own` what is missing of our own tables and rows. */
static bool
make_tables(Run *r, unsigned ledgers, unsigned tables, bool marks, Err *err)
{
    Session *s = &r->session;
    Buf b;
    DbRowsVec results;
    buf_init(&b, r->arena);
    session_add_prefix(s, &b);
    if (!session_add_ledgers(s, &b, r->deploy->history, ledgers, err))
        return false;
    own_add_create(s, &b, tables);
    if (tables & 1u << OWN_RUNS)
        run_add_row(r, &b, NULL);
    if (tables & 1u << OWN_RUNS)
        buf_addc(&b, ';');
    if (marks)
        identity_add_write(s, &b, r->mark);
    if (!session_make(s, buf_str(&b), &results, err))
        return false;
    if (marks && strcmp(results.v[results.n - 1].tag, "INSERT 0 1") != 0) {
        err_set(err, ERR_LEDGER, "the mark was not kept");
        return session_explain(s, false, err);
    }
    return true;
}

static const char no_journal[] =
    "a migration needs several transactions, and there is no place for "
    "the journal that makes it resumable";

/* Whether a migration of the plan writes it, as far as can be seen before. */
static bool
needs_journal(const Run *r)
{
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        if (mp->resumes || (mp->steps.n && !plan_is_one_message(mp)))
            return true;
    return false;
}

static const char no_scripts[] = "there is no place for the table that remembers which repeatable "
                                 "scripts have run";

static bool
needs_scripts(const Run *r)
{
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        if (r->session.ledgers.v[mp->migration->part].layout->repeats)
            return true;
    return false;
}

static bool
is_missing(const Session *s, OwnTable t)
{
    return own_is_behind(s, t) && own_can_be(s, t);
}

/* before: where the ledgers were, before one was to be made. */
static bool
hint_denied(const Session *s, const LedgerName *before, unsigned ledgers, Err *err)
{
    const DbInfo *info = db_info(s->db);
    for (size_t i = 0; i < s->ledgers.n; i++) {
        const SessionLedger *l = &s->ledgers.v[i];
        if (!(ledgers & 1u << i))
            continue;
        if (l->exists)
            err_hint(err,
                     "the history table has the form of an older version of %s, and only its "
                     "owner may bring it up to date: run aramid deploy once as the owner of "
                     "%s.%s",
                     l->layout->ledger.tool, l->at.schema, l->at.table);
        else if (before[i].schema)
            err_hint(err, "as the owner: GRANT CREATE ON SCHEMA \"%s\" TO \"%s\"", l->at.schema,
                     info->user);
        else
            err_hint(err,
                     "schema \"%s\" does not exist; as the owner of the database: CREATE SCHEMA "
                     "\"%s\" AUTHORIZATION \"%s\", or GRANT CREATE ON DATABASE \"%s\" TO \"%s\"",
                     l->at.schema, l->at.schema, info->user, info->database, info->user);
    }
    return false;
}

/* The ledgers that the plan will write. */
static unsigned
needed_ledgers(const Run *r)
{
    unsigned parts = 0;
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        parts |= 1u << mp->migration->part;
    return session_ledgers_behind(&r->session, r->deploy->history, parts);
}

/* Another runner has made the ledger since we looked, without our locks: another tool that takes none, or
 * one on a server where they exclude nobody. What it does is read by the next pass. */
static bool
was_made_meanwhile(Run *r, const Err *err)
{
    Err unread;
    unsigned before = needed_ledgers(r);
    if (strcmp(err->sqlstate, "42P07") != 0 || !db_is_open(r->session.db) ||
        !session_refresh(&r->session, &unread) || needed_ledgers(r) == before)
        return false;
    run_restart(r, DB_PATIENCE_YIELD, "another run has just made the history table");
    return true;
}

/* Steps of what is begun anew: the journal would take them for those of this run. */
static bool
drop_stale(Run *r, Err *err)
{
    if (!r->stale.n)
        return true;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(&r->session, &b);
    vec_each (const LedgerRow *const, row, &r->stale) {
        journal_add_forget(&r->session, &b, (*row)->id);
        buf_addc(&b, ';');
        run_find(
            &r->deploy->sink, FINDING_SCRIPT_ANEW, (*row)->name, NULL,
            "an interrupted run has done a part of it; now it is run from its first statement%s",
            r->deploy->from_start ? "" : ", as the file was changed in that part");
    }
    return session_query(&r->session, r->arena, buf_str(&b), NULL, err);
}

/* What must be there before the first migration. The ledger is needed; that our own tables cannot be
 * made stops nobody. */
bool
run_prepare(Run *r, Err *err)
{
    Session *s = &r->session;
    INVARIANT(s->has_own_lock && s->has_tool_lock, "tables made without the migration locks");
    /* Before the first change, not in the middle. */
    if (needs_journal(r) && s->own[OWN_JOURNAL].exists && !own_is_there(s, OWN_JOURNAL))
        return own_refuse(s, OWN_JOURNAL, no_journal, err);
    if (!drop_stale(r, err))
        return false;
    if (s->sent_by && ((r->mark && !s->own[OWN_IDENTITY].exists) ||
                       (r->deploy->keeps_runs && !s->own[OWN_RUNS].exists)))
        run_find(&r->deploy->sink, FINDING_RUN_UNSENT, NULL, NULL,
                 "environment and run are not written down in the database: publication \"%s\" "
                 "would send "
                 "these tables to subscribers, which lack them",
                 s->sent_by);
    bool marks = r->mark && own_can_be(s, OWN_IDENTITY);
    unsigned ledgers = needed_ledgers(r);
    bool scripts = needs_scripts(r);
    if (scripts && !own_can_be(s, OWN_REPEATABLE))
        return own_refuse(s, OWN_REPEATABLE, no_scripts, err);
    unsigned tables = (scripts && is_missing(s, OWN_REPEATABLE) ? 1u << OWN_REPEATABLE : 0) |
                      (marks && is_missing(s, OWN_IDENTITY) ? 1u << OWN_IDENTITY : 0) |
                      (r->deploy->keeps_runs && is_missing(s, OWN_RUNS) ? 1u << OWN_RUNS : 0);
    if (!ledgers && !tables && !marks)
        return true;
    /* Another run may have made them between our first look and the lock. */
    if (s->ledger_exists && tables) {
        if (!session_refresh(s, err))
            return false;
        if ((tables & 1u << OWN_IDENTITY && !own_is_behind(s, OWN_IDENTITY)) ||
            (tables & 1u << OWN_RUNS && !own_is_behind(s, OWN_RUNS))) {
            run_restart(r, DB_PATIENCE_YIELD, "another run has just marked this database");
            return true;
        }
    }
    /* The schema is set to one that is still to be made. */
    LedgerName *before = arena_array(r->arena, LedgerName, s->ledgers.n);
    for (size_t i = 0; i < s->ledgers.n; i++)
        before[i] = s->ledgers.v[i].at;
    bool ok = make_tables(r, ledgers, tables, marks, err);
    if (!ok && ledgers && was_made_meanwhile(r, err))
        return true;
    ok = ok || (own_fall_back(s, tables, err) && make_tables(r, ledgers, tables, marks, err));
    bool may_lack = tables & ~(1u << OWN_REPEATABLE) || marks;
    if (!ok && may_lack && err->sqlstate[0] && db_is_open(s->db)) {
        run_find(&r->deploy->sink, FINDING_RUN_NOT_MARKED, NULL, NULL,
                 "which environment this is could not be written down: %s", err->primary);
        tables &= 1u << OWN_REPEATABLE;
        marks = false;
        for (size_t i = 0; i < s->ledgers.n; i++)
            s->ledgers.v[i].at = before[i];
        ok = (!ledgers && !tables) || make_tables(r, ledgers, tables, false, err);
    }
    if (!ok)
        return err->code == ERR_DENIED ? hint_denied(s, before, ledgers, err) : false;
    session_ledgers_made(s, r->deploy->history, ledgers);
    own_made(s, tables);
    if (ledgers)
        failpoint(r, FP_LEDGER_CREATED);
    if (marks) {
        failpoint(r, FP_IDENTITY_WRITTEN);
        run_emit(r, RUN_STAGE, RUN_INFO, NULL,
                 "this database is now marked as \"%s\" (aramid identity shows and changes it)",
                 r->mark->environment);
        r->mark = NULL;
    }
    return true;
}

static bool
make_own(Run *r, OwnTable t, Err *err)
{
    Session *s = &r->session;
    do {
        Buf b;
        buf_init(&b, r->arena);
        session_add_prefix(s, &b);
        own_add_create(s, &b, 1u << t);
        if (session_make(s, buf_str(&b), NULL, err)) {
            own_made(s, 1u << t);
            return true;
        }
    } while (own_fall_back(s, 1u << t, err));
    return false;
}

bool
run_ensure_batches(Run *r, Err *err)
{
    Session *s = &r->session;
    if (own_is_there(s, OWN_BATCHES))
        return true;
    if (s->own[OWN_BATCHES].exists || !own_can_be(s, OWN_BATCHES))
        return own_refuse(s, OWN_BATCHES,
                          "a migration runs in batches, and there is no place for the table that "
                          "says how far they have come",
                          err);
    if (!make_own(r, OWN_BATCHES, err))
        return false;
    failpoint(r, FP_BATCHES_CREATED);
    return true;
}

bool
run_ensure_journal(Run *r, Err *err)
{
    Session *s = &r->session;
    /* One of an older version does for all but rollbacks. */
    bool is_enough = !s->own[OWN_JOURNAL].is_old || !r->is_undo;
    if (s->own[OWN_JOURNAL].exists && (is_enough || !s->own[OWN_JOURNAL].may_alter))
        return (own_is_there(s, OWN_JOURNAL) && is_enough) ||
               own_refuse(s, OWN_JOURNAL, no_journal, err);
    if (!own_can_be(s, OWN_JOURNAL))
        return own_refuse(s, OWN_JOURNAL, no_journal, err);
    if (!make_own(r, OWN_JOURNAL, err))
        return false;
    failpoint(r, FP_JOURNAL_CREATED);
    return true;
}
