/* Passes: connect, lock, read, plan, execute, verify. Whatever breaks the connection or the lock
 * leads to a new pass, which reads the ledger first: that decides what had been done. */
#include "base/clock.h"
#include "base/os.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

const char *
run_event_name(RunEventKind kind)
{
    static const char *const names[] = {"connected", "waiting",  "locked",    "target",  "planned",
                                        "migration", "step",     "step-done", "applied", "progress",
                                        "blocked",   "retry",    "repaired",  "note",    "notice",
                                        "backup",    "verified", "failed"};
    return names[kind];
}

static void
emit(Run *r, RunEvent e)
{
    r->deploy->sink.event(r->deploy->sink.arg, &e);
}

void
run_emit(Run *r, RunEventKind kind, RunLevel level, const char *migration, const char *fmt, ...)
{
    ARENA_LOCAL(a);
    va_list ap;
    va_start(ap, fmt);
    emit(r, (RunEvent){.kind = kind,
                       .level = level,
                       .migration = migration,
                       .index = r->number,
                       .total = r->total,
                       .ms = -1,
                       .text = str_printable(a, str_of(str_vfmt(a, fmt, ap)), false)});
    va_end(ap);
}

void
run_emit_step(Run *r, RunEventKind kind, const MigrationPlan *mp, size_t step, int64_t ms)
{
    ARENA_LOCAL(a);
    const Step *s = &mp->steps.v[step];
    const SqlStmt *first = &mp->script.stmts.v[s->first];
    const char *text =
        s->count == 1 ? str_fmt(a, "%s%s%s", first->tag, s->why ? ": " : "", s->why ? s->why : "")
                      : str_fmt(a, "statements %zu to %zu in one transaction", s->first + 1,
                                s->first + s->count);
    emit(r, (RunEvent){.kind = kind,
                       .level = RUN_INFO,
                       .migration = mp->migration->name,
                       .index = r->number,
                       .total = r->total,
                       .step = (int)step + 1,
                       .steps = (int)mp->steps.n,
                       .ms = ms,
                       .text = text});
}

bool
run_tick(void *arg, int64_t elapsed_ms)
{
    Run *r = arg;
    int64_t limit = config_ms(r->deploy->config, CFG_RUN_TIMEOUT);
    if (os_signal_pending() || (limit && clock_ms() - r->started_ms > limit)) {
        r->stop_asked = true;
        return false;
    }
    return watch_tick(r, elapsed_ms);
}

struct Learned *
run_learned(Run *r, const char *name)
{
    if (!r->learned.arena)
        map_init(&r->learned, r->arena);
    struct Learned *l = map_get(&r->learned, str_of(name));
    if (!l) {
        l = arena_new(r->arena, struct Learned);
        map_put(&r->learned, str_of(name), l);
    }
    return l;
}

/* ---- refusals before anything is touched --------------------------------------------------- */

static bool
refuse_failed(Run *r, const History *h, Err *err)
{
    ARENA_LOCAL(a);
    const Entry *failed = NULL;
    vec_each (const Entry, e, &h->entries)
        if (e->state == ENTRY_FAILED && !failed)
            failed = e;
    err_set(err, ERR_HISTORY_FAILED,
            "the history holds %d failed migration%s; new ones are not applied before that is "
            "settled",
            h->failed, h->failed == 1 ? "" : "s");
    vec_each (const Entry, e, &h->entries) {
        if (e->state != ENTRY_FAILED)
            continue;
        err_detail(err, "\"%s\" was begun at %s by another tool and never finished",
                   str_printable(a, str_of(e->name), false), clock_iso(a, e->row->started_us));
        if (e->row->logs[0])
            err_detail(err, "its log: %s", str_printable(a, str_of(e->row->logs), true));
    }
    MigrationPlan mp;
    ProbeResult probe = {0};
    Err ignored;
    if (failed->file && plan_migration(r->arena, failed->file, &(PlanHints){0}, &mp, &ignored) &&
        run_probe(&r->session, r->arena, &mp.script, &probe, &ignored)) {
        err_detail(err, "of what \"%s\" makes, the database has %d and lacks %d:", failed->name,
                   probe.present, probe.absent);
        for (size_t i = 0; i < probe.lines.n && i < 12; i++)
            err_detail(err, "  %s", probe.lines.v[i]);
    }
    const char *name = str_shell(a, failed->name);
    if (probe.present && !probe.absent)
        err_hint(err,
                 "all of it is there, so it seems to have been applied: aramid resolve "
                 "--applied %s",
                 name);
    else if (probe.absent && !probe.present)
        err_hint(err,
                 "nothing of it is there, so it seems to have been rolled back: aramid resolve "
                 "--rolled-back %s",
                 name);
    else {
        err_hint(err, "if it was rolled back or undone by hand: aramid resolve --rolled-back %s",
                 name);
        err_hint(err, "if its changes are all in the database: aramid resolve --applied %s", name);
    }
    return false;
}

static bool
refuse_not_empty(const Session *s, Err *err)
{
    err_set(err, ERR_NOT_EMPTY, "the database has %d table%s but no migration history", s->tables,
            s->tables == 1 ? "" : "s");
    err_detail(err, "schema \"%s\" of database \"%s\" at %s", s->ledger_schema,
               db_info(s->db)->database, db_info(s->db)->host);
    err_hint(err,
             "if these migrations made it, record them as applied (a baseline): aramid resolve "
             "--applied --up-to NAME");
    return err_hint(err, "if it is another database than you meant, check the URL");
}

static bool
refuse_edited(const History *h, Err *err)
{
    const Entry *edited = NULL;
    vec_each (const Entry, e, &h->entries)
        if (e->edited && !edited)
            edited = e;
    err_set(err, ERR_DIVERGED, "migration \"%s\" was changed after it was applied", edited->name);
    err_at(err, edited->file->path, 0, 0);
    return err_hint(err, "restore the file as it was applied, and put the change into a new "
                         "migration (edited: warn in aramid.yaml only reports it)");
}

static bool
check_history(Run *r, const History *h, Err *err)
{
    const Session *s = &r->session;
    if (h->failed)
        return refuse_failed(r, h, err);
    if (!s->ledger_exists && s->tables && h->files.n)
        return refuse_not_empty(s, err);
    if (h->edited && strcmp(s->config->values[CFG_EDITED].text, "error") == 0)
        return refuse_edited(h, err);
    return true;
}

static bool
is_edited(const Entry *e)
{
    return e->edited;
}

static bool
is_late(const Entry *e)
{
    return e->out_of_order;
}

static bool
is_gone(const Entry *e)
{
    return !e->file;
}

/* One line for all entries of a kind: how many, and the first few names. */
static void
note_entries(Run *r, const History *h, bool (*wanted)(const Entry *), const char *what)
{
    ARENA_LOCAL(a);
    Buf names;
    buf_init(&names, a);
    int n = 0;
    vec_each (const Entry, e, &h->entries) {
        if (!wanted(e) || ++n > 3)
            continue;
        buf_addz(&names, n > 1 ? ", " : "");
        buf_addz(&names, str_printable(a, str_of(e->name), false));
    }
    if (n)
        run_emit(r, RUN_NOTE, RUN_WARN, NULL, "%d migration%s %s: %s%s", n, n == 1 ? "" : "s", what,
                 names.p, n > 3 ? ", ..." : "");
}

static void
note_oddities(Run *r, const History *h)
{
    if (r->told)
        return;
    r->told = true;
    r->report->pending_before = (int)r->plan.migrations.n;
    if (h->pending)
        vec_each (const char *const, w, &h->warnings)
            run_emit(r, RUN_NOTE, RUN_WARN, NULL, "%s", str_printable(r->arena, str_of(*w), false));
    note_entries(r, h, is_edited,
                 "changed after being applied (the change is not in the database)");
    note_entries(r, h, is_late, "older than what is applied already, to be applied now");
    note_entries(r, h, is_gone, "applied in the database but missing from the migrations folder");
}

/* ---- the plan ----------------------------------------------------------------------------- */

/* Where the journal says that a begun migration goes on. */
static bool
resume_hints(Run *r, const Entry *e, const MigrationPlan *mp, PlanHints *hints, Err *err)
{
    const JournalStep *last = NULL;
    vec_each (const JournalStep, j, &r->journal) {
        if (strcmp(j->ledger_id, e->row->id) != 0 || (last && j->next <= last->next))
            continue;
        last = j;
        if (j->next > mp->script.stmts.n ||
            strcmp(journal_prefix_hash(r->arena, mp, j->next), j->prefix_hash) != 0) {
            err_set(err, ERR_DIVERGED,
                    "migration \"%s\" was changed in a part that has already run", e->name);
            err_detail(err, "statements 1 to %zu were begun or committed by an interrupted run",
                       j->next);
            plan_place(mp, 0, err);
            return err_hint(err, "restore the file; statements behind that part may be corrected");
        }
        if (j->done) {
            hints->start = j->next;
            hints->chained = j->chained;
        } else /* begun outside of a transaction: again alone, after looking */
            *vec_add(r->arena, &hints->alone) = j->first;
    }
    return true;
}

static bool
plan_entry(Run *r, const Entry *e, Err *err)
{
    struct Learned *l = run_learned(r, e->name);
    PlanHints hints = l->hints;
    hints.start = 0;
    hints.chained = NULL;
    hints.fresh = r->deploy && r->session.is_fresh;
    MigrationPlan *mp = vec_add(r->arena, &r->plan.migrations);
    if (!plan_migration(r->arena, e->file, &hints, mp, err))
        return false;
    if (e->state != ENTRY_RESUMABLE)
        return true;
    mp->ledger_id = e->row->id;
    return resume_hints(r, e, mp, &hints, err) && plan_cut(r->arena, &hints, mp, err);
}

static bool
make_plan(Run *r, const History *h, Err *err)
{
    r->plan = (Plan){0};
    vec_each (const Entry, e, &h->entries) {
        if (e->state == ENTRY_RESUMABLE && !e->file) {
            err_set(err, ERR_DIVERGED, "migration \"%s\" is half applied, but its file is gone",
                    e->name);
            return err_hint(err, "restore the folder from version control and run: aramid deploy");
        }
        if ((e->state == ENTRY_RESUMABLE || (e->state == ENTRY_PENDING && e->file)) &&
            !plan_entry(r, e, err))
            return false;
    }
    plan_link(r->arena, &r->plan);
    return true;
}

/* Syntax that libpg_query does not know is shown to the server before anything runs: it parses a
 * whole message first, and the exception in front stops it from running. */
static bool
check_syntax(Run *r, Err *err)
{
    static const char guard[] = "DO $aramid$BEGIN RAISE EXCEPTION 'syntax is fine'; END$aramid$;\n";
    vec_each (MigrationPlan, mp, &r->plan.migrations) {
        if (!mp->script.has_opaque)
            continue;
        ARENA_LOCAL(a);
        Message m = {.user_off = strlen(guard), .user_len = mp->script.text.n};
        buf_init(&m.sql, a);
        buf_addz(&m.sql, guard);
        buf_add(&m.sql, mp->script.text);
        DbOutcome o;
        db_run(r->session.db, a, buf_str(&m.sql),
               &(DbRun){.timeout_ms = config_ms(r->session.config, CFG_OPERATION_TIMEOUT)}, &o);
        if (o.end == DB_LOST || o.cancelled)
            return db_outcome_err(&o, "the check of the syntax", err);
        if (strcmp(o.sqlstate, "P0001") == 0)
            continue;
        step_failed(r, mp, &m, &o, 0, err);
        return err_detail(err, "no migration of this run was begun");
    }
    return true;
}

bool
run_plan(Arena *a, const Session *s, const History *h, const JournalVec *journal, Plan *ret,
         Err *err)
{
    RunReport report = {0};
    Run r = {.arena = a, .session = *s, .journal = *journal, .report = &report};
    if (!check_history(&r, h, err) || !make_plan(&r, h, err) || (s->db && !check_syntax(&r, err)))
        return false;
    *ret = r.plan;
    return true;
}

/* One query: which relations that need strong locks exist as tables. */
static bool
find_existing(Run *r, Err *err)
{
    Buf b;
    buf_init(&b, r->arena);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, "SELECT w.s, w.n FROM (VALUES ");
    size_t n = 0;
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        vec_each (const Step, s, &mp->steps)
            vec_each (const StepLock, l, &s->locks) {
                if (!l->can_prelock || l->mode < SQL_LOCK_SHARE || !s->has_strong)
                    continue;
                buf_addz(&b, n++ ? ",(" : "(");
                sql_add_literal(&b, str_of(l->rel.schema));
                buf_addc(&b, ',');
                sql_add_literal(&b, str_of(l->rel.name));
                buf_addc(&b, ',');
                Buf name;
                buf_init(&name, r->arena);
                if (l->rel.schema[0])
                    sql_add_name(&name, l->rel.schema, l->rel.name);
                else
                    sql_add_ident(&name, l->rel.name);
                sql_add_literal(&b, buf_str(&name));
                buf_addc(&b, ')');
            }
    r->existing.n = 0;
    if (n == 0 || (!r->session.tables && !r->session.ledger_exists))
        return true;
    buf_addz(&b, ") AS w (s, n, q) JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=)"
                 " pg_catalog.to_regclass(w.q) WHERE c.relkind OPERATOR(pg_catalog.=) ANY"
                 " ('{r,p}'::pg_catalog.\"char\"[]) GROUP BY w.s, w.n");
    DbRowsVec results;
    if (!db_query(r->session.db, r->arena, buf_str(&b), &results, err)) {
        return err->code != ERR_CONNECTION_LOST && err->code != ERR_INTERRUPTED &&
               err->code !=
                   ERR_TIMEOUT; /* a name in a schema that is closed to us: no early locks */
    }
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(r->arena, &r->existing) = (SqlName){db_cell(rows, i, 0).p, db_cell(rows, i, 1).p};
    return true;
}

/* ---- executing ---------------------------------------------------------------------------- */

/* The row of this run; outcome NULL = it begins. */
static void
add_record(Run *r, Buf *b, const char *outcome)
{
    const RunDeploy *d = r->deploy;
    record_add(&r->session, b,
               &(RunRecord){.run_id = d->run_id,
                            .verb = "deploy",
                            .environment = d->config->env_name,
                            .started_us = r->started_us + db_info(r->session.db)->clock_offset_us,
                            .outcome = outcome,
                            .applied = (int)r->report->applied.n,
                            .consent = d->consent});
}

/* In one message: the ledger, and with `own` what is missing of our own tables and rows. */
static bool
make_tables(Run *r, unsigned tables, bool marks, Err *err)
{
    Session *s = &r->session;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(s, &b);
    if (!session_add_ledger(s, &b, err))
        return false;
    own_add_create(s, &b, tables);
    if (marks)
        identity_add_write(s, &b, r->mark);
    if (tables & 1u << OWN_RUNS)
        add_record(r, &b, NULL);
    return db_query(s->db, r->arena, buf_str(&b), NULL, err);
}

static bool
is_missing(const Session *s, OwnTable t)
{
    return !s->own[t].exists && own_can_be(s, t);
}

/* What must be there before the first migration. The ledger is needed; that our own tables cannot be
 * made stops nobody. */
static bool
prepare(Run *r, bool *ret_restart, Err *err)
{
    Session *s = &r->session;
    bool had_ledger = s->ledger_exists, marks = r->mark && own_can_be(s, OWN_IDENTITY);
    unsigned tables = (marks && is_missing(s, OWN_IDENTITY) ? 1u << OWN_IDENTITY : 0) |
                      (r->deploy->keeps_record && is_missing(s, OWN_RUNS) ? 1u << OWN_RUNS : 0);
    if (had_ledger && !tables && !marks)
        return true;
    /* Another run may have made them between our first look and the lock. */
    if (had_ledger && tables) {
        if (!session_refresh(s, err))
            return false;
        if ((tables & 1u << OWN_IDENTITY && s->own[OWN_IDENTITY].exists) ||
            (tables & 1u << OWN_RUNS && s->own[OWN_RUNS].exists)) {
            err_set(err, ERR_CONNECTION_LOST, "another run has just marked this database");
            *ret_restart = true;
            return true;
        }
    }
    const char *schema = s->ledger_schema; /* is set to one that is still to be made */
    bool ok = make_tables(r, tables, marks, err);
    if (!ok && (tables || marks) && err->sqlstate[0] && db_is_open(s->db)) {
        run_emit(r, RUN_NOTE, RUN_WARN, NULL,
                 "which environment this is could not be written down: %s", err->primary);
        tables = 0;
        marks = false;
        s->ledger_schema = schema;
        ok = had_ledger || make_tables(r, 0, false, err);
    }
    if (!ok)
        return err->code == ERR_DENIED
                   ? err_hint(err, "as the owner: GRANT CREATE ON SCHEMA \"%s\" TO \"%s\"",
                              s->ledger_schema, db_info(s->db)->user)
                   : false;
    s->ledger_exists = true;
    own_made(s, tables);
    if (!had_ledger)
        failpoint(r, FP_LEDGER_CREATED);
    if (marks) {
        failpoint(r, FP_IDENTITY_WRITTEN);
        run_emit(r, RUN_NOTE, RUN_INFO, NULL,
                 "this database is now marked as \"%s\" (aramid identity shows and changes it)",
                 r->mark->environment);
        r->mark = NULL;
    }
    return true;
}

/* A run that failed says so in its row, if it can. */
static void
record_failure(Run *r, const Err *why)
{
    Session *s = &r->session;
    if (!r->approved || !db_is_open(s->db) || !own_is_there(s, OWN_RUNS))
        return;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(s, &b);
    add_record(r, &b, why->code == ERR_INTERRUPTED ? "interrupted" : "failed");
    Err ignored;
    db_set_tick(s->db, NULL, NULL); /* also after a signal */
    if (!db_query(s->db, r->arena, buf_str(&b), NULL, &ignored))
        return;
}

static void
note_applied(Run *r, const char *name, int64_t ms, size_t steps, bool resumed)
{
    *vec_add(r->arena, &r->report->applied) =
        (RunDone){.name = name, .ms = ms, .steps = (int)steps, .resumed = resumed};
    emit(r, (RunEvent){.kind = RUN_APPLIED,
                       .level = RUN_OK,
                       .migration = name,
                       .index = r->number,
                       .total = r->total,
                       .ms = ms,
                       .text = "applied"});
}

static bool
run_before(Run *r, const char *migration, Err *err)
{
    const RunDeploy *d = r->deploy;
    return !d->before || d->before(d->before_arg, &r->session, migration, err);
}

static bool
execute_all(Run *r, bool *ret_restart, Err *err)
{
    *ret_restart = false;
    vec_each (MigrationPlan, mp, &r->plan.migrations) {
        r->number++;
        r->current = mp->migration->name;
        if (os_signal_pending()) {
            r->stop_asked = true;
            return err_set(err, ERR_INTERRUPTED, "the run was interrupted between two migrations");
        }
        if (!run_before(r, mp->migration->name, err))
            return false;
        run_emit(r, RUN_MIGRATION, RUN_INFO, mp->migration->name, "%s",
                 mp->resumes ? "going on where an interrupted run stopped" : "begins");
        vec_each (const char *const, n, &mp->notes)
            run_emit(r, RUN_NOTE, RUN_WARN, mp->migration->name, "%s", *n);
        r->current_started_ms = clock_ms();
        StepEnd end;
        if (!migration_run(r, mp, &end, err))
            return false;
        if (end == STEP_RESTART) {
            *ret_restart = true;
            return true;
        }
        note_applied(r, mp->migration->name, clock_ms() - r->current_started_ms, mp->steps.n,
                     mp->ledger_id != NULL);
        r->current = NULL;
    }
    return true;
}

static bool
execute(Run *r, bool *ret_restart, Err *err)
{
    bool ok = execute_all(r, ret_restart, err);
    if (!db_is_open(r->session.db))
        return ok; /* the next pass, or run, finds out */
    Err late;
    db_set_tick(r->session.db, NULL, NULL); /* also after a signal */
    bool recorded = run_flush_carry(r, &late);
    db_set_tick(r->session.db, run_tick, r);
    if (ok && !*ret_restart && !recorded) {
        *err = late;
        return false;
    }
    return ok;
}

/* The last look, and the end of the run's row with it. */
static bool
ask_state(Run *r, bool records, DbRowsVec *ret, size_t *ret_at, Err *err)
{
    Session *s = &r->session;
    Buf b;
    buf_init(&b, r->arena);
    *ret_at = (size_t)session_add_prefix(s, &b);
    session_add_history_queries(s, &b);
    if (records) {
        add_record(r, &b, "done");
        buf_addc(&b, ';');
    }
    buf_fmt(&b,
            "SELECT pg_catalog.quote_ident(n.nspname::pg_catalog.text)"
            " OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)"
            " pg_catalog.quote_ident(c.relname::pg_catalog.text) FROM pg_catalog.pg_index i"
            " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE NOT i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i'"
            " AND " BUILDER_ON " IS NULL",
            "i.indrelid");
    return db_query(s->db, r->arena, buf_str(&b), ret, err);
}

/* The ledger must hold every migration, no step may be open, and no index of this run be invalid. */
static bool
verify(Run *r, Err *err)
{
    Session *s = &r->session;
    History *h = r->deploy->history;
    failpoint(r, FP_BEFORE_VERIFY);
    DbRowsVec results;
    size_t at;
    bool records = own_is_there(s, OWN_RUNS);
    bool ok = ask_state(r, records, &results, &at, err);
    if (!ok && records && err->sqlstate[0] && db_is_open(s->db)) {
        run_emit(r, RUN_NOTE, RUN_WARN, NULL, "the end of this run could not be written down: %s",
                 err->primary);
        ok = ask_state(r, false, &results, &at, err);
    }
    if (!ok || !session_take_history(s, &results, at, h, &r->journal, err))
        return false;
    if (h->pending || h->resumable || h->failed) {
        err_set(err, ERR_VERIFY, "after the run %d migration%s not recorded as applied",
                h->pending + h->resumable + h->failed,
                h->pending + h->resumable + h->failed == 1 ? " is" : "s are");
        return err_hint(err, "look at: aramid status");
    }
    const DbRows *invalid = &results.v[results.n - 1];
    for (int i = 0; i < invalid->rows; i++)
        run_emit(r, RUN_NOTE, RUN_WARN, NULL,
                 "index %s is invalid: an interrupted build left it; REINDEX INDEX CONCURRENTLY or "
                 "drop it",
                 db_cell(invalid, i, 0).p);
    r->number = r->total = 0; /* it is about all of them */
    run_emit(r, RUN_VERIFIED, RUN_OK, NULL, "the history table holds %s%zu migration%s",
             h->files.n == 1 ? "" : "all ", h->files.n, h->files.n == 1 ? "" : "s");
    return true;
}

/* ---- passes ------------------------------------------------------------------------------- */

static void
fill_target(Run *r)
{
    const DbInfo *info = db_info(r->session.db);
    r->report->host = info->host;
    r->report->database = info->database;
    r->report->user = info->user;
    r->report->server_version = info->version;
}

/* What a broken connection left unknown, the ledger tells: the migration under way may have been
 * committed, and one that was done but not yet recorded is done again, quickly. */
static void
settle_unknown(Run *r)
{
    const Entry *e = r->current ? history_find(r->deploy->history, r->current) : NULL;
    if (e && e->state == ENTRY_APPLIED)
        note_applied(r, e->name, clock_ms() - r->current_started_ms, 1, false);
    r->current = NULL;
    if (r->report->applied.n && r->plan.migrations.n &&
        strcmp(r->report->applied.v[r->report->applied.n - 1].name,
               r->plan.migrations.v[0].migration->name) == 0)
        r->report->applied.n--;
}

static bool
ask_guard(Run *r, Err *err)
{
    const RunDeploy *d = r->deploy;
    r->mark = NULL;
    return !d->guard || d->guard(d->guard_arg, &r->session, &r->mark, err);
}

/* Ask about what there is to do as it looks without the locks. */
static bool
ask_first(Run *r, Err *err)
{
    const RunDeploy *d = r->deploy;
    Session *s = &r->session;
    if (!session_read(s, d->history, &r->journal, err) || !ask_guard(r, err) ||
        !check_history(r, d->history, err) || !make_plan(r, d->history, err))
        return false;
    if (r->plan.migrations.n) {
        note_oddities(r, d->history);
        if (!check_syntax(r, err) || !d->approve(d->approve_arg, s, &r->plan, err))
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
                "is pending now too, and nobody approved it",
                mp->migration->name);
        return err_hint(err, "look again: aramid deploy");
    }
    return true;
}

static bool
pass(Run *r, bool *ret_restart, Err *err)
{
    const RunDeploy *d = r->deploy;
    Session *s = &r->session;
    *ret_restart = false;
    SessionOptions o = {.config = d->config,
                        .url = d->url,
                        .url_origin = d->url_origin,
                        .layout = d->history->layout,
                        .verb = "deploy",
                        .tick = run_tick,
                        .tick_arg = r,
                        .writes = true};
    if (!session_open(r->arena, &o, s, err))
        return false;
    fill_target(r);
    failpoint(r, FP_CONNECTED);
    run_emit(r, RUN_CONNECTED, RUN_INFO, NULL,
             "PostgreSQL %d.%d at %s, database \"%s\", user \"%s\"",
             r->report->server_version / 10000, r->report->server_version % 10000, r->report->host,
             r->report->database, r->report->user);
    r->journal.n = 0;
    run_drop_carry(r);
    bool asks = d->approve && d->ask_first;
    if (asks && !r->approved && !ask_first(r, err))
        return false;
    if (!lock_and_read(s, d->history, &r->journal, &d->sink, err))
        return false;
    failpoint(r, FP_LOCKED);
    if (!ask_guard(r, err) || !check_history(r, d->history, err) || !make_plan(r, d->history, err))
        return false;
    settle_unknown(r);
    size_t n = r->plan.migrations.n;
    note_oddities(r, d->history);
    r->number = (int)r->report->applied.n;
    r->total = r->number + (int)n;
    if (n == 0)
        return !r->report->applied.n || verify(r, err);
    if (!check_syntax(r, err) || !find_existing(r, err))
        return false;
    if (asks ? !check_approved(r, err)
             : !r->approved && d->approve && !d->approve(d->approve_arg, s, &r->plan, err))
        return false;
    r->approved = true;
    run_emit(r, RUN_PLANNED, RUN_INFO, NULL, "%zu migration%s to apply", n, n == 1 ? "" : "s");
    bool ok = run_before(r, NULL, err) && prepare(r, ret_restart, err) &&
              (*ret_restart || (execute(r, ret_restart, err) && (*ret_restart || verify(r, err))));
    if (!ok)
        record_failure(r, err);
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
        err_detail(err, "it was at migration \"%s\"; %s, and the lock was released", r->current,
                   r->is_alone
                       ? "its statement outside of transactions was cancelled (the next run looks "
                         "what it left, and goes on)"
                       : "the open transaction was rolled back");
    err_detail(err, "state: %zu migration%s of this run %s applied", r->report->applied.n,
               r->report->applied.n == 1 ? "" : "s", r->report->applied.n == 1 ? "is" : "are");
    err_hint(err, "to go on: aramid deploy; to see where it stands: aramid status");
}

bool
run_deploy(Arena *a, const RunDeploy *deploy, RunReport *ret, Err *err)
{
    *ret = (RunReport){0};
    Run r = {.arena = a,
             .deploy = deploy,
             .report = ret,
             .started_ms = clock_ms(),
             .started_us = clock_wall_us()};
    int attempts = 0;
    bool ok;
    for (;;) {
        size_t before = ret->applied.n;
        bool again;
        ok = pass(&r, &again, err);
        session_close(&r.session);
        if (ok ? !again : !broken_connection(&r, err))
            break;
        ok = false;
        attempts = ret->applied.n > before ? 1 : attempts + 1;
        if (attempts > deploy->config->values[CFG_MAX_RETRIES].number + 1)
            break;
        ret->retries++;
        run_emit(&r, RUN_RETRY, RUN_WARN, r.current,
                 "%s; connecting again, the history table will tell what was done", err->primary);
        if (!db_pause(run_tick, &r,
                      db_backoff_ms(config_ms(deploy->config, CFG_RETRY_DELAY), 5000, attempts))) {
            err_set(err, ERR_INTERRUPTED, "the run was interrupted");
            break;
        }
    }
    db_close(r.observer);
    ret->ms = clock_ms() - r.started_ms;
    if (!ok && err->code == ERR_INTERRUPTED)
        tell_interrupted(&r, err);
    if (!ok && r.stop_asked && !os_signal_pending() && err->code == ERR_INTERRUPTED) {
        err_set(err, ERR_TIMEOUT, "the run took longer than timeouts.run allows and was stopped");
        err_hint(err, "what is not applied was rolled back; run the same command again");
    }
    return ok;
}
