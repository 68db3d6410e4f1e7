/* aramid rollback: consent, the run, and its order. */
#include "flow/rollback_int.h"
#include "flow/word.h"

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

/* ---- consent ---------------------------------------------------------------------------------- */

/* What is gone is gone from development, too: --yes alone does not do. */
static bool
agree_to_losses(const Rolling *r, GateConsent consent, Err *err)
{
    enum { SHOWN_MAX = 12 };
    size_t n = r->ret->losses.n;
    if (!n || r->in->accepts_loss || consent == GATE_ASK) /* then the question names them */
        return true;
    ARENA_LOCAL(a);
    err_set(err, ERR_CONFIRM, "what the rollback drops is gone afterwards");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
        err_detail(err, "%s", str_printable(a, str_of(r->ret->losses.v[i].text), false));
    if (n > SHOWN_MAX)
        err_detail(err, "and %zu more", n - SHOWN_MAX);
    err_detail(err, "nothing was changed");
    return err_hint(err,
                    "look at: aramid rollback --plan; then add --accept-data-loss, beside --yes");
}

/* ---- the run ---------------------------------------------------------------------------------- */

static bool
guard(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err)
{
    Rolling *r = arg;
    if (!flow_guard_session(&r->guard, s, r->ret->target.origin, err))
        return false;
    flow_guard_shown(&r->guard, &r->ret->identity);
    if (r->guard.target.writes)
        *ret_mark = &r->guard.mark;
    return true;
}

static bool
consent(Rolling *r, GateConsent *ret, Err *err)
{
    GateFacts *f = &r->guard.facts;
    if (r->ret->losses.n && !r->in->accepts_loss && f->can_ask && !f->is_ci && !f->agent)
        f->confirms = true; /* somebody sits there: ask, in every environment */
    if (r->ret->losses.n && f->agent)
        f->act = GATE_DESTROYS;
    return flow_guard_consent(&r->guard, ret, err) && agree_to_losses(r, *ret, err);
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    (void)plan;
    Rolling *r = arg;
    const RollbackInput *in = r->in;
    GateConsent c;
    return consent(r, &c, err) && (c != GATE_ASK || !in->ask || in->ask(in->arg, s, r->ret, err)) &&
           flow_guard_announce(&r->guard, &in->sink, err);
}

static bool
before(void *arg, Session *s, const char *migration, Err *err)
{
    Rolling *r = arg;
    const RollbackInput *in = r->in;
    bool is_first = !migration && !r->is_prepared;
    const BackupJob job = {.in = &in->base,
                           .sink = &in->sink,
                           .target = &r->ret->target,
                           .session = s,
                           .history = &r->ret->history,
                           .run_id = in->run_id,
                           .run = &r->ret->run};
    if (is_first && r->backup.makes && !flow_backup_before(s->arena, &job, &r->ret->backup_id, err))
        return false;
    if (is_first && !r->backup.makes && (r->backup.reason || r->backup.off_origin))
        run_find(&in->sink, FINDING_BACKUP_NONE, NULL, NULL, "no backup is made: %s",
                 r->backup.reason ? r->backup.reason : r->backup.off_origin);
    r->is_prepared = true;
    return !is_first || in->base.config->profile == PROFILE_DEVELOPMENT ||
           flow_wait_for_dumps(s->arena, &in->base, &in->sink, s, err);
}

/* ---- all of it -------------------------------------------------------------------------------- */

static bool
add_undos(Arena *a, Rolling *r)
{
    const History *h = &r->ret->history;
    vec_each (const Entry, e, &h->entries) {
        RunUndo u = {.migration = e->file};
        if (!e->undo || !e->file)
            continue;
        run_undo_script(a, e->name, e->file->path, str_of(e->undo), &u.script);
        *vec_add(a, &r->undos) = u;
    }
    vec_each (const Way, w, &r->ret->ways.list) {
        RunUndo u = {.migration = r->failed ? r->failed->file : w->migration};
        run_undo_script(a, w->migration->name,
                        w->path ? w->path : str_fmt(a, "rollback of %s", w->migration->name),
                        w->script, &u.script);
        *vec_add(a, &r->undos) = u;
    }
    return r->undos.n > 0;
}

/* What there is to do, and whether it can be done; nothing is written. */
static bool
find_out(Arena *a, Rolling *r, Err *err)
{
    const RollbackInput *in = r->in;
    RollbackResult *ret = r->ret;
    Session s __attribute__((cleanup(close_session))) = {0};
    SessionOptions o = flow_session(&in->base, &ret->target, &ret->history, "rollback", FLOW_READS);
    JournalVec journal = {0};
    if (!session_open(a, &o, &s, err) || !session_read(&s, &ret->history, &journal, err) ||
        !flow_guard_session(&r->guard, &s, ret->target.origin, err) ||
        !(in->failed ? rollback_choose_failed(a, r, &s, &journal, err)
                     : rollback_choose(a, r, err)))
        return false;
    DbInfo *info = arena_new(a, DbInfo);
    *info = *db_info(s.db);
    ret->server = info;
    flow_guard_shown(&r->guard, &ret->identity);
    return rollback_prove(a, r, &s, err);
}

static bool
roll_back(Arena *a, const RollbackInput *in, RollbackResult *ret, Err *err)
{
    const Config *c = in->base.config;
    Rolling r = {.in = in, .ret = ret};
    if (!findings_pass(&c->findings, err) || !flow_backup_policy(c, in->reason, &r.backup, err) ||
        !flow_versions(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe,
                     in->only_plan ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    if (ret->target.absent) {
        err_set(err, ERR_NO_WAY_BACK, "there is no database yet: nothing is applied");
        return err_hint(err, "aramid deploy makes it");
    }
    flow_guard_open(a, &in->base, in->only_plan ? GATE_LOOKS : GATE_CHANGES, "aramid rollback",
                    &r.guard);
    if (!flow_guard_check(&r.guard, err) || !find_out(a, &r, err))
        return false;
    if (in->on_plan)
        in->on_plan(in->arg, ret);
    if (in->only_plan || !add_undos(a, &r))
        return true;
    GateConsent first;
    Err later;
    bool asks = consent(&r, &first, &later) && first == GATE_ASK;
    RunDeploy run = {
        .session = flow_session(&in->base, &ret->target, &ret->history, "rollback", FLOW_WRITES),
        .history = &ret->history,
        .verb = "rollback",
        .one_tx = r.failed != NULL, /* either it is gone, or as it was */
        .undos = r.undos.v,
        .undo_count = r.undos.n,
        .run_id = in->run_id,
        .sink = in->sink,
        .calls = {.arg = &r,
                  .guard = guard,
                  .approve = approve,
                  .before = before,
                  .after = rollback_look_after},
        .keeps_runs = c->env_said,
        .consent = r.guard.facts.agent ? r.guard.facts.agent_consent : NULL,
        .ask_first = asks,
        .show_progress = in->show_progress,
    };
    return run_deploy(a, &run, &ret->run, err);
}

/* Others are told of what was done, or begun; not of what was only looked at. */
static void
tell_end(Arena *a, const RollbackInput *in, const RollbackResult *r, const Err *err)
{
    Word w;
    Err never;
    bool stopped =
        err && (err->code == ERR_CONFIRM || err->code == ERR_USAGE || err->code == ERR_INTERRUPTED);
    if (in->only_plan || stopped || (!err && !r->run.applied.n))
        return;
    flow_word_begin(a, &in->base, WORD_DONE, "rollback", &w);
    flow_word_end(a, &w, &r->run, err);
    w.run_id = in->run_id;
    w.backup = r->backup_id;
    (void)!flow_word(a, &in->base, &in->sink, &w, &never);
}

bool
flow_rollback(Arena *a, const RollbackInput *in, RollbackResult *ret, Err *err)
{
    *ret = (RollbackResult){
        .config = in->base.config, .run_id = in->run_id, .findings = in->sink.findings};
    bool ok = roll_back(a, in, ret, err);
    tell_end(a, in, ret, ok ? NULL : err);
    return ok;
}
