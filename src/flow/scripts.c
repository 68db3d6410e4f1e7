/* Scripts beside the migrations: what they would do and lose, consent, backup, the run. */
#include "flow/scripts.h"

#include "flow/backup.h"
#include "flow/guard.h"

typedef struct Scripting {
    const ScriptsInput *in;
    ScriptsResult *ret;
    FlowGuard guard;
    BackupPolicy backup;
    bool is_prepared, has_agreed;
} Scripting;

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

static bool
has_profile(const GateFacts *f, ConfigProfile profile, const char *name)
{
    return f->profile == profile || (f->identity && strcmp(f->identity->profile, name) == 0);
}

static bool
is_production(const GateFacts *f)
{
    return has_profile(f, PROFILE_PRODUCTION, "production");
}

bool
flow_refuse_production(const GateFacts *f, Err *err)
{
    if (!is_production(f) && !f->other)
        return true;
    err_set(err, ERR_REFUSED, "%s is never for production, and no flag changes that", f->command);
    if (f->is_known)
        err_detail(err, "database \"%s\" at %s%s", f->database, f->host,
                   f->other      ? ": another schema of it is production"
                   : f->identity ? " is marked as production"
                                 : "");
    err_detail(err, "nothing was changed");
    return err_hint(err, "check the URL and --env; a copy that is no production any more: aramid "
                         "identity set NAME");
}

/* ---- what there is to do ------------------------------------------------------------------------ */

static bool
check_one_tx(const Scripting *w, Err *err)
{
    const ScriptsInput *in = w->in;
    vec_each (const MigrationPlan, mp, &w->ret->plan.plan.migrations)
        if (in->one_tx && !plan_check_one_tx(mp, err))
            return in->many_tx_hint ? err_hint(err, "%s", in->many_tx_hint) : false;
    return true;
}

static bool
check_care(const Scripting *w, Err *err)
{
    return w->in->care < SCRIPTS_RESET || flow_refuse_production(&w->guard.facts, err);
}

/* Nothing is written. */
static bool
find_out(Arena *a, Scripting *w, Err *err)
{
    ScriptsResult *ret = w->ret;
    PlanResult *p = &ret->plan;
    Session s __attribute__((cleanup(close_session))) = {.arena = a, .config = ret->config};
    SessionOptions o =
        flow_session(&w->in->base, &ret->target, &ret->history, w->in->verb, FLOW_PLANS);
    JournalVec journal = {0};
    p->target = ret->target;
    findings_init(&p->findings, a, &ret->config->finding_rules);
    if (ret->target.absent)
        return run_plan(a, &s, &ret->history, &journal, &p->plan, err) && check_one_tx(w, err);
    if (!session_open(a, &o, &s, err) || !session_read(&s, &ret->history, &journal, err) ||
        !flow_guard_session(&w->guard, &s, ret->target.origin, err) || !check_care(w, err) ||
        !run_plan(a, &s, &ret->history, &journal, &p->plan, err) || !check_one_tx(w, err) ||
        !run_count_losses(&s, a, &p->plan, &ret->losses, err))
        return false;
    DbInfo *info = arena_new(a, DbInfo);
    *info = *db_info(s.db);
    ret->server = p->server = info;
    p->history = ret->history;
    run_find_ahead(&ret->history, &p->plan, &p->findings);
    flow_guard_shown(&w->guard, &ret->identity);
    p->identity = ret->identity;
    return true;
}

/* ---- consent ------------------------------------------------------------------------------------ */

static bool
add_losses(const Scripting *w, Err *err)
{
    enum { SHOWN_MAX = 12 };
    size_t shown = 0;
    vec_each (const PlanLoss, l, &w->ret->losses)
        if (shown++ < SHOWN_MAX)
            err_detail(err, "%s:%d: %s", l->mp->migration->path, l->line, l->what);
    if (shown > SHOWN_MAX)
        err_detail(err, "and %zu more", shown - SHOWN_MAX);
    return err_detail(err, "nothing was changed");
}

/* What is gone is gone from development, too: --yes alone does not do. */
static bool
agree_to_losses(const Scripting *w, GateConsent consent, Err *err)
{
    const PlanLosses *losses = &w->ret->losses;
    if (!losses->n || w->in->accepts_loss || consent == GATE_ASK) /* then the question names them */
        return true;
    err_set(err, ERR_CONFIRM, "what the script drops is gone afterwards");
    add_losses(w, err);
    plan_place(losses->v->mp, losses->v->statement, err);
    return err_hint(err, "look at: aramid %s --dry-run; then add --accept-data-loss, beside --yes",
                    w->in->again);
}

static bool
refuse_reset(const Scripting *w, Err *err)
{
    err_set(err, ERR_CONFIRM, "all data of database \"%s\" would be lost", w->guard.facts.database);
    add_losses(w, err);
    return err_hint(err, "look at: aramid %s --dry-run; then: aramid %s --force", w->in->again,
                    w->in->again);
}

static bool
needs_name(const Scripting *w)
{
    const GateFacts *f = &w->guard.facts;
    return w->in->care == SCRIPTS_SEED    ? is_production(f)
           : w->in->care >= SCRIPTS_RESET ? has_profile(f, PROFILE_STAGING, "staging")
                                          : false;
}

/* What a pipeline says to everything is no word about this environment. */
static bool
check_named(const Scripting *w, Err *err)
{
    const GateFacts *f = &w->guard.facts;
    bool is_asked = f->can_ask && !f->is_ci && !f->agent && !f->yes;
    bool is_refused = f->agent && !f->agent_consent; /* by the gate */
    if (!needs_name(w) || f->said_by_name || is_asked || is_refused)
        return true;
    err_set(err, ERR_REFUSED, "%s is for development: environment \"%s\" must be named for it",
            f->command, f->environment);
    err_detail(err, "database \"%s\" at %s", f->database, f->host);
    err_detail(err, "nothing was changed");
    return err_hint(err, "on a terminal, without --yes; or ARAMID_CONSENT=%s %s", f->environment,
                    f->command);
}

static bool
consent(Scripting *w, GateConsent *ret, Err *err)
{
    GateFacts *f = &w->guard.facts;
    if (needs_name(w))
        f->confirms = true;
    if (w->ret->losses.n && !w->in->accepts_loss && f->can_ask && !f->is_ci && !f->agent)
        f->confirms = true; /* somebody sits there: ask, in every environment */
    if ((w->ret->losses.n || w->in->loses) && f->agent)
        f->act = GATE_DESTROYS;
    if (!check_named(w, err))
        return false;
    if (!flow_guard_consent(&w->guard, ret, err))
        return w->in->care == SCRIPTS_RESET && err->code == ERR_CONFIRM ? refuse_reset(w, err)
                                                                        : false;
    return agree_to_losses(w, *ret, err);
}

/* ---- the run ------------------------------------------------------------------------------------ */

static bool
guard(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err)
{
    Scripting *w = arg;
    if (!flow_guard_session(&w->guard, s, w->ret->target.origin, err) || !check_care(w, err))
        return false;
    flow_guard_shown(&w->guard, &w->ret->identity);
    if (w->guard.target.writes)
        *ret_mark = &w->guard.mark;
    return true;
}

static bool
agree(Scripting *w, Err *err)
{
    const ScriptsInput *in = w->in;
    GateConsent c;
    w->has_agreed = true;
    return consent(w, &c, err) && (c != GATE_ASK || !in->ask || in->ask(in->arg, w->ret, err)) &&
           flow_guard_announce(&w->guard, &in->sink, err);
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    (void)s;
    (void)plan;
    return agree(arg, err);
}

/* What is applied, for the backup's manifest; nothing where there are no migrations. */
static void
read_history(Arena *a, const Scripting *w, History *ret)
{
    const FlowInput *in = &w->in->base;
    Session s __attribute__((cleanup(close_session))) = {0};
    JournalVec journal = {0};
    Err ignored;
    *ret = history_none();
    History h;
    if (!flow_history(a, in->config, &h, &ignored))
        return;
    SessionOptions o = flow_session(in, &w->ret->target, &h, w->in->verb, FLOW_READS);
    if (session_open(a, &o, &s, &ignored) && session_read(&s, &h, &journal, &ignored))
        *ret = h;
}

static bool
back_up(Scripting *w, Session *s, Err *err)
{
    const ScriptsInput *in = w->in;
    const BackupPolicy *p = &w->backup;
    History applied;
    if (!p->makes) {
        if (p->reason || p->off_origin)
            run_find(&in->sink, FINDING_BACKUP_NONE, NULL, NULL, "no backup is made: %s",
                     p->reason ? p->reason : p->off_origin);
        return true;
    }
    if (!s->ledger_exists && s->is_fresh)
        return true; /* nothing is in it */
    read_history(s->arena, w, &applied);
    return flow_backup_before(s->arena,
                              &(BackupJob){.in = &in->base,
                                           .sink = &in->sink,
                                           .target = &w->ret->target,
                                           .session = s,
                                           .history = &applied,
                                           .run_id = in->run_id,
                                           .run = NULL},
                              &w->ret->backup_id, err);
}

static bool
before(void *arg, Session *s, const char *migration, Err *err)
{
    Scripting *w = arg;
    const FlowInput *base = &w->in->base;
    if (migration || w->is_prepared)
        return true;
    w->is_prepared = true;
    return back_up(w, s, err) && (base->config->profile == PROFILE_DEVELOPMENT ||
                                  flow_wait_for_dumps(s->arena, base, &w->in->sink, s, err));
}

bool
flow_scripts(Arena *a, const ScriptsInput *in, const History *scripts, ScriptsResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (ScriptsResult){.config = c,
                           .history = *scripts,
                           .run_id = in->run_id,
                           .more = in->more,
                           .findings = in->sink.findings};
    Scripting w = {.in = in, .ret = ret};
    if (!findings_pass(&c->findings, err) || !flow_backup_policy(c, in->reason, &w.backup, err) ||
        !flow_target(a, c, in->base.self_exe,
                     in->only_plan ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    flow_guard_open(a, &in->base,
                    in->only_plan               ? GATE_LOOKS
                    : in->care == SCRIPTS_RESET ? GATE_DESTROYS
                                                : GATE_CHANGES,
                    str_fmt(a, "aramid %s", in->again), &w.guard);
    if (!flow_guard_check(&w.guard, err) || !find_out(a, &w, err))
        return false;
    if (in->on_plan)
        in->on_plan(in->arg, ret);
    if (in->only_plan)
        return true;
    GateConsent first;
    Err later;
    bool asks = consent(&w, &first, &later) && first == GATE_ASK;
    RunDeploy run = {
        .session = flow_session(&in->base, &ret->target, &ret->history, in->verb, FLOW_WRITES),
        .history = &ret->history,
        .verb = in->verb,
        .run_id = in->run_id,
        .sink = in->sink,
        .calls = {.arg = &w, .guard = guard, .approve = approve, .before = before},
        .keeps_runs = true,
        .consent = w.guard.facts.agent ? w.guard.facts.agent_consent : NULL,
        .ask_first = asks,
        .show_progress = in->show_progress,
        .again = in->again,
        .one_tx = in->one_tx,
        .many_tx_hint = in->many_tx_hint,
        .from_start = in->from_start,
    };
    return run_deploy(a, &run, &ret->run, err) && (!in->more || w.has_agreed || agree(&w, err));
}

void
flow_scripts_record(Arena *a, const ScriptsInput *in, const ScriptsResult *r, const char *what,
                    const Err *failed)
{
    Session s __attribute__((cleanup(close_session))) = {0};
    FlowInput base = in->base;
    base.tick = NULL; /* also after a signal */
    SessionOptions o = flow_session(&base, &r->target, &r->history, in->verb, FLOW_WRITES);
    VEC(const char *) names = {0};
    Err why;
    vec_each (const RunDone, d, &r->run.applied)
        *vec_add(a, &names) = d->name;
    *vec_add(a, &names) = what;
    const RunRow row = {.run_id = in->run_id,
                        .verb = in->verb,
                        .environment = r->config->env_name,
                        .outcome = !failed                           ? "done"
                                   : failed->code == ERR_INTERRUPTED ? "interrupted"
                                                                     : "failed",
                        .applied = (int)r->run.applied.n,
                        .log = in->sink.place ? in->sink.place(in->sink.arg) : NULL,
                        .names = names.v,
                        .name_count = names.n};
    if (!session_open(a, &o, &s, &why) || !run_write_row(&s, &row, &why))
        run_find(&in->sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
                 "this run could not be written down in the database: %s", why.primary);
}
