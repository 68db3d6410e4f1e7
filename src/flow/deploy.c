/* aramid deploy: target, guard, drift, backup, and the run between them. */
#include "flow/backup.h"
#include "flow/drift.h"
#include "flow/guard.h"

#include "render/render.h"
#include "sqltext/sqltext.h"

/* CREATE DATABASE through a database that exists on every server. */
static bool
create_database(Arena *a, const FlowInput *in, const Target *t, const RunSink *sink, Err *err)
{
    static const char *const others[] = {"postgres", "template1", "defaultdb"};
    const char *name = t->url.database ? t->url.database : "postgres";
    Buf sql;
    buf_init(&sql, a);
    buf_addz(&sql, "CREATE DATABASE ");
    sql_add_ident(&sql, name);
    for (size_t i = 0; i < COUNT(others); i++) {
        DbUrl url = t->url;
        url.database = others[i];
        DbOptions o = flow_connection(in, &url, t->origin, "aramid");
        Db *db = NULL;
        if (!db_open(a, &o, &db, err)) {
            if (err->code == ERR_DB_MISSING || err->code == ERR_DENIED)
                continue;
            return false;
        }
        bool ok = db_query(db, a, buf_str(&sql), NULL, err);
        db_close(db);
        if (!ok && strcmp(err->sqlstate, "42P04") != 0 && strcmp(err->sqlstate, "23505") != 0)
            return err_hint(err, "as a superuser: CREATE DATABASE ... OWNER ...");
        RunEvent e = {
            .kind = RUN_STAGE,
            .level = RUN_OK,
            .ms = -1,
            .text = str_fmt(a, "created database \"%s\"", str_printable(a, str_of(name), false))};
        sink->event(sink->arg, &e);
        return true;
    }
    return false;
}

/* ---- drift and consent ----------------------------------------------------------------------------------- */

/* What the calls of a deploy share. */
typedef struct Deploying {
    const DeployInput *in;
    DeployResult *ret;
    FlowGuard guard;
    bool has_looked; /* for drift */
    BackupPolicy backup;
    bool is_prepared; /* the first change may come */
} Deploying;

/* Only drift that was found ends a deploy: where it cannot be looked for, that is said. */
static bool
look_for_drift(Arena *a, Deploying *d, const Session *s, Err *err)
{
    const Config *c = d->in->base.config;
    const RunSink *sink = &d->in->sink;
    const char *policy = c->values[CFG_DRIFT].text;
    if (!policy)
        policy = c->profile == PROFILE_PRODUCTION ? "warn" : "off";
    if (d->has_looked || strcmp(policy, "off") == 0 || !d->ret->history.applied)
        return true;
    d->has_looked = true;
    Err reason;
    DriftResult r = {.config = c, .history = d->ret->history};
    if (!flow_drift_of(a, &d->in->base, s, &r, &reason)) {
        if (reason.code == ERR_INTERRUPTED || !db_is_open(s->db)) {
            *err = reason;
            return false;
        }
        run_find(sink, FINDING_DRIFT_NOT_LOOKED, NULL, NULL,
                 "not looked for changes beside the migrations: %s", reason.primary);
        return run_findings_pass(sink, err);
    }
    if (!r.has_drift)
        return true;
    if (strcmp(policy, "refuse") == 0) {
        err_set(err, ERR_DRIFT, "the database was changed beside its migrations: %zu difference%s",
                r.adopt->changes.n, str_plural(r.adopt->changes.n));
        err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, r.adopt)), true));
        return err_hint(err, "aramid drift shows the SQL that undoes or keeps them; the setting "
                             "\"drift\" decides what a deploy does about it");
    }
    run_find(sink, FINDING_DRIFT_FOUND, NULL, "aramid drift",
             "the database was changed beside its migrations (%zu difference%s)",
             r.adopt->changes.n, str_plural(r.adopt->changes.n));
    return run_findings_pass(sink, err);
}

static bool
guard(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err)
{
    Deploying *d = arg;
    if (!flow_guard_session(&d->guard, s, d->ret->target.origin, err))
        return false;
    flow_guard_shown(&d->guard, &d->ret->identity);
    if (d->guard.target.writes)
        *ret_mark = &d->guard.mark;
    return true;
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    Deploying *d = arg;
    const DeployInput *in = d->in;
    GateConsent consent;
    if (!flow_guard_consent(&d->guard, &consent, err) || !look_for_drift(s->arena, d, s, err) ||
        (in->approve && !in->approve(in->approve_arg, s, plan, err)) ||
        (consent == GATE_ASK && in->ask && !in->ask(in->ask_arg, s, plan, err)))
        return false;
    return flow_guard_announce(&d->guard, &in->sink, err);
}

/* ---- backup -------------------------------------------------------------------------------- */

/* That there is none is said where there should be one. */
static void
tell_no_backup(const Deploying *d)
{
    const BackupPolicy *p = &d->backup;
    const RunSink *sink = &d->in->sink;
    if (p->reason)
        run_find(sink, FINDING_BACKUP_NONE, NULL, NULL, "no backup is made: %s", p->reason);
    else if (p->off_origin)
        run_find(sink, FINDING_BACKUP_NONE, NULL, NULL, "no backup is made: switched off by %s",
                 p->off_origin);
}

/* The backup, or why there is none, is written down before the first change: who asks for it asks
 * after something went wrong. */
static bool
write_down(Session *s, const Deploying *d, bool due, bool is_first, Err *err)
{
    const Config *c = d->in->base.config;
    RunRow r = {.run_id = d->in->run_id,
                .verb = "deploy",
                .environment = c->env_name,
                .backup_id = due ? d->ret->backup_id : NULL,
                .no_backup_reason = is_first ? d->backup.reason : NULL};
    if (!(r.backup_id && c->env_said) && !r.no_backup_reason)
        return true;
    if (run_write_row(s, &r, err))
        return true;
    if (!db_is_open(s->db) || err->code == ERR_INTERRUPTED)
        return false;
    run_find(&d->in->sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
             "this run could not be written down in the database: %s", err->primary);
    return true;
}

/* Under the locks, with nothing changed yet: the dump is over before the first change, and dumps of
 * others are waited for. */
static bool
before(void *arg, Session *s, const char *migration, Err *err)
{
    Deploying *d = arg;
    const DeployInput *in = d->in;
    const BackupPolicy *p = &d->backup;
    bool is_first = !migration && !d->is_prepared;
    if (is_first && !s->ledger_exists && s->is_fresh) {
        if (p->makes && !p->each)
            in->sink.event(
                in->sink.arg,
                &(RunEvent){.kind = RUN_STAGE,
                            .ms = -1,
                            .text = "the database is empty: there is nothing to back up"});
        d->backup.makes = p->makes && p->each;
        d->is_prepared = true;
        return true;
    }
    if (is_first && !p->makes)
        tell_no_backup(d);
    bool due = p->makes && (p->each ? migration != NULL : is_first);
    const BackupJob job = {.in = &in->base,
                           .sink = &in->sink,
                           .target = &d->ret->target,
                           .session = s,
                           .history = &d->ret->history,
                           .run_id = in->run_id,
                           .run = &d->ret->run};
    if (due && !flow_backup_before(s->arena, &job, &d->ret->backup_id, err))
        return false;
    if (!write_down(s, d, due, is_first, err))
        return false;
    if ((due || is_first) && in->base.config->profile != PROFILE_DEVELOPMENT &&
        !flow_wait_for_dumps(s->arena, &in->base, &in->sink, s, err))
        return false;
    d->is_prepared = true;
    return true;
}

bool
flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (DeployResult){.config = c, .run_id = in->run_id, .findings = in->sink.findings};
    Deploying d = {.in = in, .ret = ret};
    /* Files first: what is wrong with them needs no server to be said. */
    if (!findings_pass(&c->findings, err) || !run_findings_pass(&in->sink, err) ||
        !flow_backup_policy(c, in->reason, &d.backup, err) ||
        !flow_history(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    if (in->on_target)
        in->on_target(in->on_target_arg, &ret->target);
    GateConsent consent;
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid deploy", &d.guard);
    if (!flow_guard_check(&d.guard, err))
        return false;
    /* Who is asked is asked before the locks are taken. A refusal comes only when there is something
     * to change. */
    Err later;
    bool asks = flow_guard_consent(&d.guard, &consent, &later) && consent == GATE_ASK;
    RunDeploy run = {
        .session = flow_session(&in->base, &ret->target, &ret->history, "deploy", FLOW_WRITES),
        .history = &ret->history,
        .run_id = in->run_id,
        .sink = in->sink,
        .calls = {.arg = &d, .guard = guard, .approve = approve, .before = before},
        .keeps_runs = c->env_said,
        .consent = d.guard.facts.agent ? d.guard.facts.agent_consent : NULL,
        .ask_first = asks,
        .show_progress = in->show_progress,
    };
    if (run_deploy(a, &run, &ret->run, err))
        return true;
    if (err->code != ERR_DB_MISSING || !in->create_database)
        return false;
    Err missing = *err;
    if (!create_database(a, &in->base, &ret->target, &in->sink, err)) {
        if (err->code == ERR_DB_MISSING)
            *err = missing;
        return false;
    }
    return run_deploy(a, &run, &ret->run, err);
}
