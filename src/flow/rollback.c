/* aramid rollback: which migrations, their ways back, what goes with them, consent, the run, and proof. */
#include "flow/rollback.h"

#include "flow/backup.h"
#include "flow/endpoint.h"
#include "flow/guard.h"
#include "flow/look.h"
#include "introspect/introspect.h"
#include "render/render.h"

/* A question to the rows may take so long; then what is lost is told without a number. */
enum { QUESTION_MS = 5000 };

typedef struct Rolling {
    const RollbackInput *in;
    RollbackResult *ret;
    FlowGuard guard;
    BackupPolicy backup;
    VEC(const Migration *) chosen; /* oldest first */
    ReplayScripts before;          /* what stays applied */
    VEC(RunUndo) undos;
    Look looked;
    bool is_prepared;
} Rolling;

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

/* ---- which ------------------------------------------------------------------------------------ */

static bool
refuse_newer(const Entry *e, Err *err)
{
    err_set(err, ERR_NO_WAY_BACK,
            "the newest migration in the database, \"%s\", is not in the folder", e->name);
    err_detail(err,
               "migrations are rolled back newest first, as newer ones may use what older ones "
               "made");
    return err_hint(err,
                    "check out the version of the project that has it, and run the command there");
}

/* One that only the database knows and that may be newer than those that are to go. */
static bool
check_unknown(const Rolling *r, const Migration *oldest, Err *err)
{
    const History *h = &r->ret->history;
    const Entry *from = history_find(h, oldest->name);
    vec_each (const Entry, e, &h->entries) {
        if (e->file || e->state == ENTRY_PENDING || e->undo)
            continue;
        bool has_times = e->row->started_us > HISTORY_SOMETIME && from->row &&
                         from->row->started_us > HISTORY_SOMETIME;
        if (has_times ? e->row->started_us > from->row->started_us
                      : history_name_cmp(e->name, oldest->name) > 0)
            return refuse_newer(e, err);
    }
    return true;
}

static bool
check_chosen(const Rolling *r, Err *err)
{
    vec_each (const Migration *const, m, &r->chosen) {
        const Entry *e = history_find(&r->ret->history, (*m)->name);
        const HistoryLayout *l = history_part_of(&r->ret->history, (*m)->part)->layout;
        if (!l->add_where) {
            err_set(err, ERR_NO_WAY_BACK, "migrations of %s are not rolled back by Aramid",
                    l->ledger.tool);
            return err_hint(err, "go on with a migration that reverses \"%s\"", e->name);
        }
        if (!e->edited)
            continue;
        err_set(err, ERR_DIVERGED, "migration \"%s\" was changed after it was applied", e->name);
        err_detail(err, "what it really made is not known, so no way back can be proven");
        err_at(err, e->file->path, 0, 0);
        return err_hint(err,
                        "restore the file as it was applied; aramid status --verbose tells when");
    }
    return !r->chosen.n || check_unknown(r, r->chosen.v[0], err);
}

/* The entry that stays, as an index; SIZE_MAX: none does. errors: it is not known, or not applied */
static bool
find_last_kept(const Rolling *r, size_t applied, size_t *ret, Err *err)
{
    const RollbackInput *in = r->in;
    const History *h = &r->ret->history;
    *ret = SIZE_MAX;
    if (in->to) {
        const Entry *e = history_find(h, in->to);
        if (!e || !e->file)
            return flow_no_such_migration(in->to, h, err);
        if (e->state != ENTRY_APPLIED || e->undo) {
            err_set(err, ERR_NOT_APPLIED,
                    "migration \"%s\" is not applied: there is no way back to it", in->to);
            return err_hint(err, "name one that is: aramid status --verbose");
        }
        *ret = (size_t)(e - h->entries.v);
        return true;
    }
    int64_t steps = in->steps - r->ret->finishes;
    if (steps > (int64_t)applied) {
        err_set(err, ERR_NO_WAY_BACK, "%zu migration%s %s applied: %lld cannot be rolled back",
                applied, str_plural((int64_t)applied), applied == 1 ? "is" : "are",
                (long long)in->steps);
        return err_hint(err, "aramid status --verbose lists them");
    }
    for (size_t i = h->files.n; i-- > 0;) {
        if (h->entries.v[i].state != ENTRY_APPLIED || h->entries.v[i].undo)
            continue;
        if (steps-- > 0)
            continue;
        *ret = i;
        return true;
    }
    return true;
}

static bool
refuse_unfinished(const Entry *e, Err *err)
{
    bool ours = e->state == ENTRY_RESUMABLE;
    err_set(err, ours ? ERR_NO_WAY_BACK : ERR_HISTORY_FAILED,
            ours ? "migration \"%s\" is half applied: its run was interrupted"
                 : "migration \"%s\" has failed and was never settled",
            e->name);
    return ours ? err_hint(err, "finish it first: aramid deploy; then: aramid rollback")
                : err_hint(err, "aramid status tells what of it is there, and how to settle it");
}

static bool
choose(Arena *a, Rolling *r, Err *err)
{
    const History *h = &r->ret->history;
    size_t applied = 0, kept;
    vec_each (const Entry, e, &h->entries) {
        r->ret->finishes = r->ret->finishes || e->undo;
        applied += e->file && e->state == ENTRY_APPLIED && !e->undo;
        if ((e->state == ENTRY_FAILED || e->state == ENTRY_RESUMABLE) && !e->undo)
            return refuse_unfinished(e, err);
    }
    if (!find_last_kept(r, applied, &kept, err))
        return false;
    for (size_t i = 0; i < h->files.n; i++) {
        const Entry *e = &h->entries.v[i];
        if (e->state != ENTRY_APPLIED || e->undo)
            continue;
        if (kept == SIZE_MAX || i > kept)
            *vec_add(a, &r->chosen) = e->file;
        else if (!flow_add_script(a, e->file, &r->before, err))
            return false;
    }
    return check_chosen(r, err);
}

static WaysInput
ways_input(const Rolling *r, const Session *s)
{
    return (WaysInput){.base = &r->in->base,
                       .history = &r->ret->history,
                       .compared = s,
                       .before = r->before.v,
                       .nbefore = r->before.n,
                       .list = r->chosen.v,
                       .n = r->chosen.n};
}

static bool
check_irreversible(const Ways *ways, Err *err)
{
    vec_each (const Way, w, &ways->list) {
        if (!w->irreversible)
            continue;
        err_set(err, ERR_NO_WAY_BACK, "migration \"%s\" says that it cannot be rolled back: %s",
                w->migration->name, w->irreversible);
        err_at(err, w->migration->path, 0, 0);
        err_detail(err, "nothing was changed");
        return err_hint(err,
                        "undo what is needed with a new migration, or bring a backup back: aramid "
                        "restore");
    }
    return true;
}

static bool
check_rest(const Rolling *r, Err *err)
{
    enum { SHOWN_MAX = 8 };
    size_t n = 0;
    const Way *first = NULL;
    vec_each (const Way, w, &r->ret->ways.list)
        vec_each (const WayRest, rest, &w->rest) {
            first = first ? first : w;
            if (n++ == 0 && !r->in->accepts_rest)
                err_set(err, ERR_NO_WAY_BACK,
                        "rows that the migrations changed cannot be put back as they were");
            if (!r->in->accepts_rest && n <= SHOWN_MAX)
                err_detail(err, "%s:%d: %s", w->migration->path, rest->line, rest->what);
            if (r->in->accepts_rest)
                run_find(&r->in->sink, FINDING_ROLLBACK_ROWS_STAY, w->migration->name, NULL,
                         "line %d: %s: the rows stay as it left them", rest->line, rest->what);
        }
    if (!n || r->in->accepts_rest)
        return run_findings_pass(&r->in->sink, err);
    if (n > SHOWN_MAX)
        err_detail(err, "and %zu more", n - SHOWN_MAX);
    err_detail(err, "nothing was changed");
    err_hint(err,
             "write what puts them back into down.sql beside %s; else rows that stay may keep the "
             "migration from being applied again",
             first->migration->path);
    return err_hint(err, "or leave the rows as they are: --accept-unrestored");
}

static bool
refuse_difference(Arena *a, const Rolling *r, const Diff *rest, Err *err)
{
    const Way *own = NULL;
    vec_each (const Way, w, &r->ret->ways.list)
        own = own || !w->path ? own : w;
    err_set(err, ERR_NO_WAY_BACK,
            "the way back does not lead to what was there before: %zu difference%s",
            rest->changes.n, str_plural((int64_t)rest->changes.n));
    err_detail(err, "as it would be, against what it was:");
    err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, rest)), true));
    err_detail(err, "it was tried on a private server; the database was not touched");
    if (own)
        err_at(err, own->path, 0, 0);
    return err_hint(err, own ? "correct the script, or take it away: Aramid then derives one"
                             : "write the way back yourself: down.sql beside the migration");
}

static bool
prove(Arena *a, Rolling *r, const Session *s, Err *err)
{
    Diff *rest;
    const WaysInput in = ways_input(r, s);
    if (!r->ret->ways.after) {
        run_find(&r->in->sink, FINDING_ROLLBACK_UNPROVEN, NULL, NULL,
                 "whether the scripts lead back was not tried: %s", r->ret->ways.why.primary);
        return run_findings_pass(&r->in->sink, err);
    }
    if (!flow_ways_lead_back(a, &in, &r->ret->ways, &rest, err))
        return false;
    r->ret->is_proven = !rest;
    return !rest || refuse_difference(a, r, rest, err);
}

/* ---- what goes with them ---------------------------------------------------------------------- */

static bool
refuse_rows(Arena *a, const DiffEffect *e, Err *err)
{
    err_set(err, ERR_NO_WAY_BACK, "the rows that are there now do not fit what was before");
    err_detail(err, "%s", str_printable(a, str_of(render_effect(a, e)), false));
    err_detail(err, "nothing was changed");
    return err_hint(err, "change the rows first, or write down.sql beside the migration that does");
}

static bool
count_losses(Arena *a, Rolling *r, const Session *s, Err *err)
{
    const Ways *ways = &r->ret->ways;
    bool own = false;
    vec_each (const Way, w, &ways->list)
        own = own || w->path;
    Diff *d;
    if (!flow_ways_total(a, ways, &d, err))
        return false;
    if (!d || !introspect_answers(s->db, d, QUESTION_MS, err))
        return !d;
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects) {
            if (e->harm == DIFF_FAILS && e->is_answered && e->hits && !own && !r->in->only_plan)
                return refuse_rows(a, e, err);
            if (e->harm == DIFF_LOSS)
                *vec_add(a, &r->ret->losses) = (RollbackLoss){render_effect(a, e), e->is_answered};
        }
    return true;
}

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

static bool
look(Arena *a, const Rolling *r, const Session *s, Look *ret, Err *err)
{
    DriftResult d = {.config = r->in->base.config, .history = r->ret->history};
    if (!flow_drift_of(a, &r->in->base, s, &d, err)) {
        if (err->code == ERR_INTERRUPTED || !db_is_open(s->db))
            return false;
        ret->is_in_vain = true;
        run_find(&r->in->sink, FINDING_VERIFY_NOT_LOOKED, NULL, NULL,
                 "whether the database is what it was before was not looked at: %s", err->primary);
        return run_findings_pass(&r->in->sink, err);
    }
    ret->is_done = true;
    look_take(a, d.repair, true, ret);
    return true;
}

static bool
after(void *arg, const Session *s, Err *err)
{
    Rolling *r = arg;
    Look now = {0};
    r->ret->verified = "not-looked";
    if (!r->looked.is_done)
        return true;
    if (!look(s->arena, r, s, &now, err) || now.is_in_vain)
        return now.is_in_vain;
    size_t n = look_new(&now, &r->looked);
    r->ret->verified = n ? "differs" : "same";
    if (!n) {
        r->in->sink.event(
            r->in->sink.arg,
            &(RunEvent){.kind = RUN_CHECKED,
                        .level = RUN_OK,
                        .ms = -1,
                        .text =
                            r->looked.differences.n
                                ? "the database is what it was before these migrations, with the "
                                  "changes made beside them"
                                : "the database is what it was before these migrations"});
        return true;
    }
    err_set(err, ERR_VERIFY,
            "the migrations are rolled back, but the database is not what it was before");
    vec_each (const char *const, text, &now.differences)
        err_detail(err, "%s", str_printable(s->arena, str_of(*text), false));
    return err_hint(err, "aramid drift shows the SQL that undoes or keeps the differences");
}

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
        RunUndo u = {.migration = w->migration};
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
        !flow_guard_session(&r->guard, &s, ret->target.origin, err) || !choose(a, r, err))
        return false;
    DbInfo *info = arena_new(a, DbInfo);
    *info = *db_info(s.db);
    ret->server = info;
    flow_guard_shown(&r->guard, &ret->identity);
    const WaysInput ways = ways_input(r, &s);
    return !r->chosen.n ||
           (flow_ways(a, &ways, &ret->ways, err) && check_irreversible(&ret->ways, err) &&
            prove(a, r, &s, err) && count_losses(a, r, &s, err) &&
            (in->only_plan || (check_rest(r, err) && look(a, r, &s, &r->looked, err))));
}

bool
flow_rollback(Arena *a, const RollbackInput *in, RollbackResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (RollbackResult){.config = c, .run_id = in->run_id, .findings = in->sink.findings};
    Rolling r = {.in = in, .ret = ret};
    if (!findings_pass(&c->findings, err) || !flow_backup_policy(c, in->reason, &r.backup, err) ||
        !flow_versions(a, c, &ret->history, err) || !flow_history_is_one(&ret->history, err) ||
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
        .undos = r.undos.v,
        .undo_count = r.undos.n,
        .run_id = in->run_id,
        .sink = in->sink,
        .calls = {.arg = &r, .guard = guard, .approve = approve, .before = before, .after = after},
        .keeps_runs = c->env_said,
        .consent = r.guard.facts.agent ? r.guard.facts.agent_consent : NULL,
        .ask_first = asks,
        .show_progress = in->show_progress,
    };
    return run_deploy(a, &run, &ret->run, err);
}
