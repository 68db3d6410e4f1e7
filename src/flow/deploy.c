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
        DbOptions o = {.url = &url, .url_origin = t->origin, .application = "aramid",
                       .connect_ms = config_ms(in->config, CFG_CONNECT_TIMEOUT),
                       .operation_ms = config_ms(in->config, CFG_OPERATION_TIMEOUT),
                       .tick = in->tick, .tick_arg = in->tick_arg};
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
        RunEvent e = {.kind = RUN_NOTE, .level = RUN_OK, .ms = -1,
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
} Gate;

static void
note(const DeployInput *in, const char *text)
{
    RunEvent e = {.kind = RUN_NOTE, .level = RUN_WARN, .ms = -1, .text = text};
    in->sink.event(in->sink.arg, &e);
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
    note(g->in, str_fmt(a, "the database was changed beside its migrations (%zu difference%s): "
                           "aramid drift", r.adopt->changes.n, r.adopt->changes.n == 1 ? "" : "s"));
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

bool
flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (DeployResult){.config = c, .run_id = in->run_id};
    /* Files first: what is wrong with them needs no server to be said. */
    if (!flow_history(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    if (in->on_target)
        in->on_target(in->on_target_arg, &ret->target);
    Gate gate = {.in = in, .ret = ret};
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
        .keeps_record = c->env_said,
        .consent = gate.guard.facts.agent ? gate.guard.facts.agent_consent : NULL,
        .approve = approve,
        .approve_arg = &gate,
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
