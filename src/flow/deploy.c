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
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        DbUrl url = t->url;
        url.database = others[i];
        DbOptions o = {.url = &url,
                       .url_origin = t->origin,
                       .application = "aramid",
                       .trace = in->config->trace,
                       .connect_ms = config_ms(in->config, CFG_CONNECT_TIMEOUT),
                       .operation_ms = config_ms(in->config, CFG_OPERATION_TIMEOUT),
                       .tick = in->tick,
                       .tick_arg = in->tick_arg};
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
            .kind = RUN_NOTE,
            .level = RUN_OK,
            .ms = -1,
            .text = str_fmt(a, "created database \"%s\"", str_printable(a, str_of(name), false))};
        sink->event(sink->arg, &e);
        return true;
    }
    return false;
}

/* ---- drift and the gate --------------------------------------------------------------------------------- */

typedef struct Gate {
    const DeployInput *in;
    DeployResult *ret;
    FlowGuard guard;
    bool is_done; /* drift was looked for */
    BackupPolicy backup;
    bool is_prepared;
} Gate;

static void
tell(const DeployInput *in, RunLevel level, const char *text)
{
    RunEvent e = {.kind = RUN_NOTE, .level = level, .ms = -1, .text = text};
    in->sink.event(in->sink.arg, &e);
}

static void
note(const DeployInput *in, const char *text)
{
    tell(in, RUN_WARN, text);
}

/* Only drift that was found ends a deploy: where it cannot be looked for, that is said. */
static bool
look_for_drift(Arena *a, Gate *g, const Session *s, Err *err)
{
    const Config *c = g->in->base.config;
    const char *policy = c->values[CFG_DRIFT].text;
    if (!policy)
        policy = c->profile == PROFILE_PRODUCTION ? "warn" : "off";
    if (g->is_done || strcmp(policy, "off") == 0 || !g->ret->history.applied)
        return true;
    g->is_done = true;
    Err reason;
    DriftResult r = {.config = c, .history = g->ret->history};
    if (!flow_drift_of(a, &g->in->base, s, &r, &reason)) {
        if (reason.code == ERR_INTERRUPTED || !db_is_open(s->db)) {
            *err = reason;
            return false;
        }
        note(g->in, str_fmt(a, "not looked for changes beside the migrations: %s", reason.primary));
        return true;
    }
    if (!r.has_drift)
        return true;
    if (strcmp(policy, "refuse") == 0) {
        err_set(err, ERR_DRIFT, "the database was changed beside its migrations: %zu difference%s",
                r.adopt->changes.n, r.adopt->changes.n == 1 ? "" : "s");
        err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, r.adopt)), true));
        return err_hint(err, "aramid drift shows the SQL that undoes or keeps them; the setting "
                             "\"drift\" decides what a deploy does about it");
    }
    note(g->in, str_fmt(a,
                        "the database was changed beside its migrations (%zu difference%s): "
                        "aramid drift",
                        r.adopt->changes.n, r.adopt->changes.n == 1 ? "" : "s"));
    return true;
}

static bool
guard(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err)
{
    Gate *g = arg;
    if (!flow_guard_session(&g->guard, s, g->ret->target.origin, err))
        return false;
    flow_guard_shown(&g->guard, &g->ret->identity);
    if (g->guard.target.writes)
        *ret_mark = &g->guard.mark;
    return true;
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    Gate *g = arg;
    const DeployInput *in = g->in;
    GateConsent consent;
    if (!flow_guard_consent(&g->guard, &consent, err) || !look_for_drift(s->arena, g, s, err) ||
        (in->approve && !in->approve(in->approve_arg, s, plan, err)) ||
        (consent == GATE_ASK && in->ask && !in->ask(in->ask_arg, s, plan, err)))
        return false;
    flow_guard_announce(&g->guard, &in->sink);
    return true;
}

/* ---- backup -------------------------------------------------------------------------------- */

/* That there is none is said where there should be one. */
static void
tell_no_backup(Arena *a, const Gate *g)
{
    const BackupPolicy *p = &g->backup;
    if (p->reason)
        note(g->in,
             str_fmt(a, "no backup is made: %s", str_printable(a, str_of(p->reason), false)));
    else if (p->off_origin)
        note(g->in, str_fmt(a, "no backup is made: switched off by %s", p->off_origin));
}

/* The backup, or why there is none, is written down before the first change: who asks for it asks
 * after something went wrong. */
static bool
record(Session *s, const Gate *g, bool due, bool is_first, Err *err)
{
    const Config *c = g->in->base.config;
    RunRow r = {.run_id = g->in->run_id,
                .verb = "deploy",
                .environment = c->env_name,
                .backup_id = due ? g->ret->backup_id : NULL,
                .no_backup_reason = is_first ? g->backup.reason : NULL};
    if (!(r.backup_id && c->env_said) && !r.no_backup_reason)
        return true;
    if (run_write_row(s, &r, err))
        return true;
    if (!db_is_open(s->db) || err->code == ERR_INTERRUPTED)
        return false;
    note(g->in,
         str_fmt(s->arena, "this run could not be written down in the database: %s", err->primary));
    return true;
}

/* Under the locks, with nothing changed yet: the dump is over before the first change, and dumps of
 * others are waited for. */
static bool
before(void *arg, Session *s, const char *migration, Err *err)
{
    Gate *g = arg;
    const DeployInput *in = g->in;
    const BackupPolicy *p = &g->backup;
    bool is_first = !migration && !g->is_prepared;
    if (is_first && !s->ledger_exists && s->is_fresh) {
        if (p->makes && !p->each)
            tell(in, RUN_INFO, "the database is empty: there is nothing to back up");
        g->backup.makes = p->makes && p->each;
        g->is_prepared = true;
        return true;
    }
    if (is_first && !p->makes)
        tell_no_backup(s->arena, g);
    bool due = p->makes && (p->each ? migration != NULL : is_first);
    if (due && !flow_backup_before(s->arena, &in->base, &in->sink, &g->ret->target, in->run_id,
                                   &g->ret->history, &g->ret->run, &g->ret->backup_id, err))
        return false;
    if (!record(s, g, due, is_first, err))
        return false;
    if ((due || is_first) && in->base.config->profile != PROFILE_DEVELOPMENT &&
        !flow_wait_for_dumps(s->arena, &in->base, &in->sink, s, err))
        return false;
    g->is_prepared = true;
    return true;
}

bool
flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (DeployResult){.config = c, .run_id = in->run_id};
    Gate gate = {.in = in, .ret = ret};
    /* Files first: what is wrong with them needs no server to be said. */
    if (!flow_backup_policy(c, in->reason, &gate.backup, err) ||
        !flow_history(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    if (in->on_target)
        in->on_target(in->on_target_arg, &ret->target);
    GateConsent consent;
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid deploy", &gate.guard);
    if (!flow_guard_check(&gate.guard, err))
        return false;
    /* Who is asked is asked before the locks are taken. A refusal comes only when there is something
     * to change. */
    Err later;
    bool asks = flow_guard_consent(&gate.guard, &consent, &later) && consent == GATE_ASK;
    RunDeploy d = {
        .config = c,
        .url = &ret->target.url,
        .url_origin = ret->target.origin,
        .history = &ret->history,
        .run_id = in->run_id,
        .sink = in->sink,
        .guard = guard,
        .guard_arg = &gate,
        .keeps_runs = c->env_said,
        .consent = gate.guard.facts.agent ? gate.guard.facts.agent_consent : NULL,
        .approve = approve,
        .approve_arg = &gate,
        .before = before,
        .before_arg = &gate,
        .ask_first = asks,
        .show_progress = in->show_progress,
    };
    if (run_deploy(a, &d, &ret->run, err))
        return true;
    if (err->code != ERR_DB_MISSING || !in->create_database)
        return false;
    Err missing = *err;
    if (!create_database(a, &in->base, &ret->target, &in->sink, err)) {
        if (err->code == ERR_DB_MISSING)
            *err = missing;
        return false;
    }
    return run_deploy(a, &d, &ret->run, err);
}
