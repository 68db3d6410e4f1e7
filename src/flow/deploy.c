/* aramid deploy: target, guard, drift, backup, and the run between them. */
#include "flow/backup.h"
#include "flow/guard.h"
#include "flow/lint.h"
#include "flow/look.h"
#include "flow/ready.h"
#include "flow/repeatable.h"
#include "flow/schema_file.h"
#include "flow/settle.h"
#include "flow/undo.h"
#include "flow/word.h"

#include "sqltext/sqltext.h"

/* CREATE DATABASE through a database that exists on every server. */
bool
flow_create_database(Arena *a, const FlowInput *in, const Target *t, const RunSink *sink, Err *err)
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
    Look looked; /* before the first change */
    BackupPolicy backup;
    bool is_told;     /* which scripts are gone */
    bool is_prepared; /* the first change may come */
} Deploying;

static void
tell_removed(Deploying *d, const Session *s)
{
    FindingList found;
    findings_init(&found, s->arena, &d->in->base.config->finding_rules);
    if (!d->is_told)
        flow_find_removed(s->arena, s, &d->ret->history, &found);
    d->is_told = true;
    vec_each (const Finding, f, &found.items)
        run_finding(&d->in->sink, f);
}

static bool
moves_rows(const History *h)
{
    vec_each (const Entry, e, &h->entries)
        if (e->moves)
            return true;
    return false;
}

/* The history of a squash changes before there is a plan to agree to. */
static bool
agrees_to_move(Deploying *d, Err *err)
{
    GateConsent consent;
    return flow_guard_consent(&d->guard, &consent, err) &&
           flow_guard_announce(&d->guard, &d->in->sink, err);
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
    tell_removed(d, s);
    return !moves_rows(&d->ret->history) || agrees_to_move(d, err);
}

static bool
accepts(const DeployInput *in, const PlanLoss *l)
{
    Str rest = in->accepts_loss_of ? str_of(in->accepts_loss_of) : (Str){0};
    while (rest.p)
        if (str_is(str_trim(str_cut(&rest, ',')), l->mp->migration->name))
            return true;
    return in->accepts_loss;
}

/* What is dropped in production is gone from it: --yes, which pipelines always say, does not do. */
static bool
agree_to_losses(Deploying *d, const Plan *plan, GateConsent consent, Err *err)
{
    enum { SHOWN_MAX = 8 };
    const GateFacts *f = &d->guard.facts;
    bool is_production = f->profile == PROFILE_PRODUCTION ||
                         (f->identity && strcmp(f->identity->profile, "production") == 0);
    const PlanLoss *first = NULL;
    size_t n = 0;
    vec_each (const PlanLoss, l, &plan->losses)
        if (!accepts(d->in, l)) {
            first = first ? first : l;
            n++;
        }
    if (!is_production || !n || consent == GATE_ASK) /* then the question names them */
        return true;
    err_set(err, ERR_CONFIRM, "what the migrations drop is gone from production afterwards");
    size_t shown = 0;
    vec_each (const PlanLoss, l, &plan->losses)
        if (!accepts(d->in, l) && shown++ < SHOWN_MAX)
            err_detail(err, "%s:%d: %s", l->mp->migration->path, l->line, l->what);
    if (n > SHOWN_MAX)
        err_detail(err, "and %zu more", n - SHOWN_MAX);
    err_detail(err, "nothing was changed");
    plan_place(first->mp, first->statement, err);
    err_hint(err, "look at: aramid plan; then add --accept-data-loss, beside --yes");
    return err_hint(err, "or, in a pipeline, ARAMID_ACCEPT_DATA_LOSS=%s",
                    str_shell(plan->findings.arena, first->mp->migration->name));
}

/* The way back is found before it is needed. That there is none stops nobody. */
static void
leave_way_back(const Deploying *d, const Session *s, const Plan *plan)
{
    if (history_versioned(&d->ret->history) > 1) /* a way back is that of one history */
        return;
    const DeployInput *in = d->in;
    Arena *a = s->arena;
    ReplayScripts before = {0};
    VEC(const Migration *) list = {0};
    Err why;
    Ways ways = {0};
    if (!in->on_way_back || in->base.config->profile != PROFILE_PRODUCTION)
        return;
    bool ok = true;
    vec_each (const Entry, e, &d->ret->history.entries)
        if (e->file && e->file->has_file && e->state == ENTRY_APPLIED)
            ok = ok && flow_add_script(a, e->file, &before, &why);
    vec_each (const MigrationPlan, mp, &plan->migrations)
        if (!mp->undoes)
            *vec_add(a, &list) = mp->migration;
    const WaysInput input = {.base = &in->base,
                             .history = &d->ret->history,
                             .compared = s,
                             .before = before.v,
                             .nbefore = before.n,
                             .list = list.v,
                             .n = list.n};
    if (!ok || !flow_ways(a, &input, &ways, &why)) {
        ways.list.n = 0;
        ways.why = why;
        for (size_t i = list.n; i-- > 0;)
            *vec_add(a, &ways.list) = (Way){.migration = list.v[i]};
    }
    in->on_way_back(in->on_way_back_arg, flow_ways_text(a, &ways, &d->ret->history, s));
    const char *place = in->sink.place ? in->sink.place(in->sink.arg) : NULL;
    in->sink.event(
        in->sink.arg,
        &(RunEvent){.kind = RUN_STAGE,
                    .ms = -1,
                    .text = str_fmt(a, "the way back of these migrations is in %s%srollback.sql",
                                    place ? str_printable(a, str_of(place), false) : "",
                                    place ? "/" : "")});
}

static bool
is_judged(const Config *c)
{
    if (c->profile != PROFILE_DEVELOPMENT || strcmp(c->values[CFG_REVIEW].text, "off") != 0)
        return true;
    for (int id = 0; id < FINDING_COUNT; id++)
        if (finding_info((FindingId)id)->area == AREA_LINT && c->finding_rules.to[id] == SEV_ERROR)
            return true;
    return false;
}

/* Before anybody is asked, and before anything is locked: what the migrations do, whether rows refuse them, and who
 * has read them.
 * In development only where the settings make an error of a rule. */
static bool
judge_pending(const Deploying *d, const Session *s, Err *err)
{
    const Config *c = d->in->base.config;
    const RunSink *sink = &d->in->sink;
    LintResult r = {0};
    findings_init(&r.findings, s->arena, &c->finding_rules);
    if (!is_judged(c))
        return true;
    if (!flow_lint_pending(s->arena, c, s, &d->ret->history, &r, err))
        return false;
    vec_each (const Finding, f, &r.findings.items)
        if (f->severity > SEV_NOTICE)
            run_finding(sink, f);
    return run_findings_pass(sink, err);
}

/* What the policy asks for: evidence, approvals, a window. */
static bool
is_ready(const Deploying *d, const Session *s, Err *err)
{
    const Config *c = d->in->base.config;
    GateItems items;
    size_t missing = 0;
    if (!flow_ready(s->arena, c, NULL, s, &d->ret->history, &items, err))
        return false;
    vec_each (const GateItem, i, &items) {
        missing += !i->ok;
        if (!i->ok && d->in->break_glass)
            run_find(&d->in->sink, FINDING_GATE_BROKEN, NULL, NULL, "%s: %s; by %s: %s", i->what,
                     i->why, flow_actor(s->arena), d->in->break_glass);
    }
    return !missing || d->in->break_glass || flow_refuse_unready(c, &items, err);
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    Deploying *d = arg;
    const DeployInput *in = d->in;
    GateConsent consent;
    if (!flow_guard_consent(&d->guard, &consent, err) || !is_ready(d, s, err) ||
        !agree_to_losses(d, plan, consent, err) || !judge_pending(d, s, err) ||
        !look_before(s->arena, &in->base, &in->sink, s, d->ret, &d->looked, err) ||
        (in->approve && !in->approve(in->approve_arg, s, plan, err)) ||
        (consent == GATE_ASK && in->ask && !in->ask(in->ask_arg, s, plan, err)))
        return false;
    leave_way_back(d, s, plan);
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

/* Of those that are pending; ends with NULL. */
static const char *const *
pending_names(Arena *a, const History *h)
{
    VEC(const char *) names = {0};
    vec_each (const Entry, e, &h->entries)
        if (e->state == ENTRY_PENDING)
            *vec_add(a, &names) = e->name;
    *vec_add(a, &names) = NULL;
    return names.v;
}

static bool
hooks_before(const Deploying *d, const Session *s, Err *err)
{
    const HookFacts facts = {.in = &d->in->base,
                             .sink = &d->in->sink,
                             .target = &d->ret->target,
                             .server = db_info(s->db),
                             .run_id = d->in->run_id,
                             .migrations = pending_names(s->arena, &d->ret->history)};
    return flow_hooks(s->arena, HOOK_BEFORE, &facts, err) ||
           (err->code == ERR_HOOK && err_detail(err, "nothing was changed"));
}

static bool
tell_begun(const Deploying *d, const Session *s, Err *err)
{
    Word w;
    flow_word_begin(s->arena, &d->in->base, WORD_STARTED, "deploy", &w);
    w.run_id = d->in->run_id;
    w.break_glass = d->in->break_glass;
    w.database = db_info(s->db)->database;
    for (const char *const *name = pending_names(s->arena, &d->ret->history); *name; name++)
        *vec_add(s->arena, &w.migrations) = (WordMigration){.name = *name};
    return flow_word(s->arena, &d->in->base, &d->in->sink, &w, err);
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
    d->ret->was_new = is_first ? !d->ret->history.applied : d->ret->was_new;
    if (is_first && !(hooks_before(d, s, err) && tell_begun(d, s, err)))
        return false;
    if (is_first && flow_settles(in->base.config))
        flow_settle_begin(s, in, pending_names(s->arena, &d->ret->history));
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

static bool
after(void *arg, const Session *s, Err *err)
{
    Deploying *d = arg;
    if (!look_after(s->arena, &d->in->base, &d->in->sink, s, d->ret, &d->looked, err))
        return false;
    flow_forget_scripts(s->arena, s, &d->ret->history);
    flow_schema_file(s->arena, &d->in->base, &d->ret->target, s, &d->in->sink,
                     d->ret->run.applied.n);
    return true;
}

static bool
deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    const Config *c = in->base.config;
    Deploying d = {.in = in, .ret = ret};
    /* Files first: what is wrong with them needs no server to be said. */
    if (!findings_pass(&c->findings, err) || !run_findings_pass(&in->sink, err) ||
        !look_at_schema(a, c, &in->sink, err) ||
        !flow_backup_policy(c, in->reason, &d.backup, err) ||
        !flow_history_remembered(a, c, &ret->history, err) ||
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
        .verb = "deploy",
        .run_id = in->run_id,
        .sink = in->sink,
        .calls = {.arg = &d, .guard = guard, .approve = approve, .before = before, .after = after},
        .one_by_one = d.backup.makes && d.backup.each,
        .keeps_runs = c->env_said || flow_settles(c),
        .outcome = flow_settles(c) ? "applied" : NULL,
        .consent = in->break_glass       ? str_fmt(a, "break-glass: %s", in->break_glass)
                   : d.guard.facts.agent ? d.guard.facts.agent_consent
                                         : NULL,
        .ask_first = asks,
        .show_progress = in->show_progress,
    };
    if (run_deploy(a, &run, &ret->run, err))
        return true;
    if (err->code == ERR_STALLED)
        flow_lint_safer(a, c, &ret->history, ret->run.failed, err);
    if (err->code != ERR_DB_MISSING || !in->create_database)
        return false;
    Err missing = *err;
    if (!flow_create_database(a, &in->base, &ret->target, &in->sink, err)) {
        if (err->code == ERR_DB_MISSING)
            *err = missing;
        return false;
    }
    return run_deploy(a, &run, &ret->run, err);
}

static void
tell_end(Arena *a, const DeployInput *in, const DeployResult *r, const Err *err)
{
    Word w;
    Err never;
    flow_word_begin(a, &in->base, WORD_DONE, "deploy", &w);
    flow_word_end(a, &w, &r->run, err);
    w.run_id = in->run_id;
    w.break_glass = in->break_glass;
    w.backup = r->backup_id;
    w.health = r->health_state;
    w.rolled_back = r->rolled_back;
    (void)!flow_word(a, &in->base, &in->sink, &w, &never);
}

/* The project is told of a failure; not of a question that was answered with no. */
static void
tell_failure(Arena *a, const DeployInput *in, const DeployResult *r, const Err *err)
{
    const HookFacts facts = {.in = &in->base,
                             .sink = &in->sink,
                             .target = &r->target,
                             .server = r->run.server.host ? &r->run.server : NULL,
                             .run_id = in->run_id,
                             .migrations = pending_names(a, &r->history),
                             .error = err};
    Err never;
    if (err->code == ERR_CONFIRM || err->code == ERR_USAGE || err->code == ERR_INTERRUPTED)
        return;
    (void)!flow_hooks(a, HOOK_FAILED, &facts, &never);
    tell_end(a, in, r, err);
}

bool
flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    *ret = (DeployResult){
        .config = in->base.config, .run_id = in->run_id, .findings = in->sink.findings};
    if (deploy(a, in, ret, err) && flow_settle(a, in, ret, err)) {
        if (ret->run.applied.n)
            tell_end(a, in, ret, NULL);
        return true;
    }
    tell_failure(a, in, ret, err);
    return false;
}
