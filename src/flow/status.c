/* aramid status, plan and unlock: what a deploy would find, and who is in its way. */
#include "doctor/doctor.h"
#include "flow/ready.h"
#include "flow/expand.h"
#include "flow/guard.h"
#include "flow/lint.h"
#include "flow/repeatable.h"
#include "flow/look.h"
#include "flow/seed.h"

const char *
status_name(StatusState state)
{
    switch (state) {
    case STATUS_UP_TO_DATE:
        return "up-to-date";
    case STATUS_PENDING:
        return "pending";
    case STATUS_FAILED:
        return "failed";
    case STATUS_RESUMABLE:
        return "resumable";
    case STATUS_EDITED:
        return "edited";
    case STATUS_MISSING:
        return "missing";
    case STATUS_OUT_OF_ORDER:
        return "out-of-order";
    case STATUS_UNMANAGED:
        return "unmanaged";
    }
    return "unknown";
}

static StatusState
judge(const StatusResult *r)
{
    const History *h = &r->history;
    if (h->failed)
        return STATUS_FAILED;
    if (h->resumable)
        return STATUS_RESUMABLE;
    if ((!r->ledger_exists || !h->rows.n) && r->tables && !history_has_beside(h, &r->others))
        return STATUS_UNMANAGED;
    if (h->edited)
        return STATUS_EDITED;
    if (h->missing)
        return STATUS_MISSING;
    if (h->out_of_order)
        return STATUS_OUT_OF_ORDER;
    return h->pending ? STATUS_PENDING : STATUS_UP_TO_DATE;
}

static void
find(StatusResult *r)
{
    FindingList *l = &r->findings;
    vec_each (const Finding, f, &r->history.findings.items)
        finding_keep(l, f);
    if (r->wrong)
        finding_add(l, FINDING_IDENTITY_REFUSED, "a deploy would be refused: %s", r->wrong);
    if (r->state == STATUS_UNMANAGED)
        finding_add(l, FINDING_HISTORY_NONE, "the database has %d table%s but %s", r->tables,
                    str_plural(r->tables),
                    r->ledger_exists ? "its migration history is empty" : "no migration history")
            ->fix = r->others.n
                        ? "another tool has made them: see below; a deploy is refused"
                        : "if these migrations made it: aramid resolve --applied --up-to NAME";
    vec_each (const KnownTable, k, &r->others)
        finding_add(l, FINDING_LEDGER_SEVERAL,
                    "%s has a history here, too (%s.%s): neither knows what the other does",
                    k->as->tool, k->schema, k->table);
}

bool
flow_status(Arena *a, const FlowInput *in, StatusResult *ret, Err *err)
{
    *ret = (StatusResult){.config = in->config};
    findings_init(&ret->findings, a, &in->config->finding_rules);
    if (!flow_history_remembered(a, in->config, &ret->history, err) ||
        !flow_target(a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent) {
        ret->state = judge(ret);
        find(ret);
        return flow_find_changes(a, &ret->history, false, &ret->changes, err);
    }
    Session s;
    SessionOptions o = flow_session(in, &ret->target, &ret->history, "status", FLOW_READS);
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = session_read(&s, &ret->history, &ret->journal, err) &&
              (!s.ledger_exists || ret->history.rows.n || session_count_tables(&s, err)) &&
              session_other_histories(&s, &ret->others, err) &&
              run_read_rows(&s, &ret->runs, &ret->runs_hidden, err);
    if (ok)
        flow_find_removed(a, &s, &ret->history, &ret->findings);
    for (size_t i = 0; ok && i < history_parts(&ret->history); i++)
        if (history_part(&ret->history, i)->layout == &history_supabase)
            ok = flow_seed_find_changed(a, in->config, &s, &ret->findings, err);
    ret->ledger_exists = s.ledger_exists;
    ret->tables = s.tables;
    ret->server = db_info(s.db);
    FlowGuard guard;
    Err wrong;
    flow_guard_open(a, in, GATE_LOOKS, "aramid deploy", &guard);
    if (ok && (!flow_guard_session(&guard, &s, ret->target.origin, &wrong) ||
               !db_refuse_pooler(s.db, &wrong)))
        ret->wrong = str_dupz(a, wrong.primary);
    flow_identity_shown(&s, &ret->identity);
    /* Who is at it only matters when something is open. */
    if (ok && (ret->history.pending || ret->history.failed || ret->history.resumable))
        ok = lock_holders(&s, a, &ret->runners, err);
    session_close(&s);
    ret->state = judge(ret);
    find(ret);
    return ok && flow_find_changes(a, &ret->history, true, &ret->changes, err);
}

/* The GRANTs that the plan will need. A deploy finds them out by itself: it is not refused for them. */
static void
find_missing_grants(Arena *a, const FlowInput *in, Session *s, PlanResult *r)
{
    Doctor d = {.arena = a,
                .config = in->config,
                .areas = 1u << AREA_REACH,
                .tick = in->tick,
                .tick_arg = in->tick_arg};
    findings_init(&d.findings, a, &in->config->finding_rules);
    doctor_privileges(&d, s, &r->plan);
    vec_each (Finding, f, &d.findings.items) {
        if (f->severity <= SEV_NOTICE)
            continue;
        f->severity = SEV_WARNING;
        finding_keep(&r->findings, f);
    }
}

/* What is worth a word about the pending migrations, and about the rows that refuse them. */
static bool
find_judged(Arena *a, const Config *c, const Session *s, PlanResult *r, Err *err)
{
    LintResult l = {0};
    findings_init(&l.findings, a, NULL);
    if (!r->plan.migrations.n)
        return true;
    if (!flow_lint_pending(a, c, s, &r->history, &l, err))
        return false;
    vec_each (const Finding, f, &l.findings.items)
        if (f->severity > SEV_NOTICE || f->area != AREA_LINT)
            finding_keep(&r->findings, f);
    return true;
}

/* What the policy asks for, and is not there. */
static bool
find_unready(Arena *a, const Config *c, const Session *s, PlanResult *r, Err *err)
{
    GateItems items;
    if (!flow_ready(a, c, NULL, s, &r->history, &items, err))
        return false;
    vec_each (const GateItem, i, &items)
        if (!i->ok) {
            Finding *f = finding_add(&r->findings, FINDING_NOT_READY, "%s: %s", i->what, i->why);
            f->fix = i->fix;
        }
    return true;
}

bool
flow_plan(Arena *a, const FlowInput *in, PlanResult *ret, Err *err)
{
    *ret = (PlanResult){0};
    if (!look_at_schema(a, in->config, NULL, err) ||
        !flow_history(a, in->config, &ret->history, err) ||
        !flow_target(a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    flow_history_look(a, in->config, &ret->history);
    JournalVec journal = {0};
    Session s = {.arena = a, .config = in->config};
    findings_init(&ret->findings, a, &in->config->finding_rules);
    vec_each (const Finding, f, &in->config->findings.items)
        if (f->severity == SEV_ERROR) /* would end a deploy */
            finding_keep(&ret->findings, f);
    if (ret->target.absent) {
        bool ok = run_plan(a, &s, &ret->history, &journal, &ret->plan, err);
        run_find_ahead(&ret->history, &ret->plan, &ret->findings);
        return ok && find_judged(a, in->config, NULL, ret, err);
    }
    SessionOptions o = flow_session(in, &ret->target, &ret->history, "plan", FLOW_PLANS);
    if (!session_open(a, &o, &s, err))
        return false;
    FlowGuard guard;
    flow_guard_open(a, in, GATE_LOOKS, "aramid plan", &guard);
    bool ok = session_read(&s, &ret->history, &journal, err) &&
              flow_guard_session(&guard, &s, ret->target.origin, err) &&
              run_plan(a, &s, &ret->history, &journal, &ret->plan, err);
    run_find_ahead(&ret->history, &ret->plan, &ret->findings);
    if (ok)
        flow_find_removed(a, &s, &ret->history, &ret->findings);
    if (ok)
        find_missing_grants(a, in, &s, ret);
    ok =
        ok && find_judged(a, in->config, &s, ret, err) && find_unready(a, in->config, &s, ret, err);
    ret->ledger_exists = s.ledger_exists;
    ret->server = db_info(s.db);
    flow_identity_shown(&s, &ret->identity);
    session_close(&s);
    return ok;
}

static bool
no_such_holder(int pid, Err *err)
{
    err_set(err, ERR_USAGE, "server process %d holds no migration lock", pid);
    return err_hint(err, "aramid unlock shows those that do");
}

bool
flow_unlock(Arena *a, const UnlockInput *how, UnlockResult *ret, Err *err)
{
    const FlowInput *in = &how->base;
    int pid = how->pid;
    *ret = (UnlockResult){0};
    if (!flow_target(a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent)
        return !pid || no_such_holder(pid, err);
    Session s;
    History nothing = history_none();
    SessionOptions o = flow_session(in, &ret->target, &nothing, "unlock", FLOW_READS);
    o.only_reads = !pid;
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = lock_holders(&s, a, &ret->holders, err);
    const LockHolder *wanted = NULL;
    vec_each (const LockHolder, h, &ret->holders)
        if (pid && h->pid == pid)
            wanted = h;
    if (ok && pid && !wanted)
        ok = no_such_holder(pid, err);
    if (ok && wanted) {
        bool ended;
        ok = lock_terminate(&s, wanted, &ended, err);
        ret->ended_pid = ok && ended ? pid : 0;
        ret->ended = wanted;
        how->sink.event(how->sink.arg,
                        &(RunEvent){.kind = RUN_STAGE,
                                    .level = ret->ended_pid ? RUN_OK : RUN_WARN,
                                    .ms = -1,
                                    .text = str_fmt(a, "%s server process %d: %s",
                                                    ret->ended_pid ? "ended" : "could not end", pid,
                                                    wanted->who)});
        flow_record(&s, &how->sink,
                    &(RunRow){.run_id = how->run_id,
                              .verb = "unlock",
                              .outcome = ret->ended_pid ? "done" : "failed"});
    }
    session_close(&s);
    return ok;
}
