/* sync, fix, resolve --auto: the differences, their repairs after consent, and whether they are gone. */
#include "flow/reconcile.h"

#include "flow/backup.h"
#include "flow/guard.h"

typedef struct Mending {
    const ReconcileInput *in;
    ReconcileResult *ret;
    Session session;
    FlowGuard guard;
} Mending;

static void
tell(const Mending *m, RunLevel level, const char *name, const char *text)
{
    const RunSink *sink = &m->in->sink;
    sink->event(sink->arg,
                &(RunEvent){.kind = RUN_STAGE,
                            .level = level,
                            .ms = -1,
                            .migration = name,
                            .text = str_printable(m->session.arena, str_of(text), false)});
}

static const char *
about(const Difference *d)
{
    return d->name ? d->name : "the history table";
}

/* What is about to be done, before it is. */
static void
tell_plan(const Mending *m)
{
    vec_each (const Difference, d, &m->ret->differences)
        if (d->repair.kind)
            tell(m, RUN_INFO, about(d),
                 str_fmt(m->session.arena, "(%s): %s", difference_name(d->class), d->does));
}

static bool
same_repair(const RunRepair *x, const RunRepair *y)
{
    return x->kind == y->kind && x->part == y->part && cat_same_text(x->name, y->name) &&
           cat_same_text(x->row_id, y->row_id);
}

static size_t
repairs_of(Arena *a, const Differences *list, RunRepair **ret)
{
    size_t n = 0;
    *ret = arena_array(a, RunRepair, list->n + 1);
    vec_each (const Difference, d, list)
        if (d->repair.kind)
            (*ret)[n++] = d->repair;
    return n;
}

/* Under the lock exactly what was shown, and agreed to. */
static bool
is_as_shown(Arena *a, const Differences *shown, const Differences *now, Err *err)
{
    RunRepair *x, *y;
    size_t n = repairs_of(a, shown, &x);
    bool same = n == repairs_of(a, now, &y);
    for (size_t i = 0; same && i < n; i++)
        same = same_repair(&x[i], &y[i]);
    if (same)
        return true;
    err_set(err, ERR_VERIFY, "the history or the database changed while this command ran");
    err_detail(err, "nothing was changed by it");
    return err_hint(err, "run the same command again");
}

/* The ledger must say afterwards what it was made to say. */
static bool
is_mended(const History *h, const RunRepair *r)
{
    const Entry *e = r->name ? history_find(h, r->name) : NULL;
    size_t live = 0;
    vec_each (const LedgerRow, row, &h->rows) {
        if (row->part != r->part)
            continue;
        if (r->kind == RUN_REMOVE && strcmp(row->id, r->row_id) == 0)
            return false;
        live +=
            r->name && strcmp(row->name, r->name) == 0 && row->finished_us && !row->rolled_back_us;
    }
    switch (r->kind) {
    case RUN_RECORD:
        return e && e->state == ENTRY_APPLIED && !e->edited && live == 1;
    case RUN_CORRECT:
        return e && e->state == ENTRY_APPLIED && !e->edited && !e->row->lacks;
    case RUN_ROLL_BACK:
        return !e || (e->state != ENTRY_FAILED && e->state != ENTRY_RESUMABLE);
    case RUN_REMOVE:
        return live == 1 || !e || !e->file;
    case RUN_UPGRADE:
        return !history_part_of(h, r->part)->is_outdated;
    case RUN_REPAIR_NONE:
        break;
    }
    return true;
}

static bool
prove(Mending *m, const RunRepair *list, size_t n, Err *err)
{
    JournalVec journal = {0};
    History now = history_unread(m->session.arena, &m->ret->history);
    if (!session_refresh(&m->session, err) || !session_read(&m->session, &now, &journal, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_mended(&now, &list[i])) {
            err_set(err, ERR_VERIFY, "the history does not say afterwards what was written%s%s",
                    list[i].name ? " about " : "", list[i].name ? list[i].name : "");
            return err_hint(err,
                            "something else changes the table; look at: aramid status --verbose");
        }
    return true;
}

static bool
repair(Arena *a, Mending *m, Err *err)
{
    const ReconcileInput *in = m->in;
    ReconcileResult *r = m->ret, again = *r;
    JournalVec journal = {0};
    RunRepair *list;
    again.differences = (Differences){0};
    again.history = history_unread(a, &r->history);
    if (!session_refresh(&m->session, err) ||
        !lock_and_read(&m->session, &again.history, &journal, &in->sink, err) ||
        !flow_differences(a, in, &m->session, &again, err) ||
        !is_as_shown(a, &r->differences, &again.differences, err))
        return false;
    const BackupJob job = {.in = &in->base,
                           .sink = &in->sink,
                           .target = &r->target,
                           .session = &m->session,
                           .history = &again.history,
                           .run_id = in->run_id};
    size_t n = repairs_of(a, &again.differences, &list);
    if (!flow_backup_by_policy(a, &job, in->reason, &r->backup_id, err) ||
        !run_repair(&m->session, list, n, &again.history, err) || !prove(m, list, n, err))
        return false;
    r->repaired = true;
    vec_each (const Difference, d, &r->differences)
        if (d->repair.kind)
            tell(m, RUN_OK, about(d), str_fmt(a, "(%s): done", difference_name(d->class)));
    return true;
}

static void
write_down(Mending *m, bool ok)
{
    const ReconcileInput *in = m->in;
    VEC(const char *) names = {0};
    vec_each (const Difference, d, &m->ret->differences)
        if (ok && d->repair.kind && d->name)
            *vec_add(m->session.arena, &names) = d->name;
    int recorded = 0;
    vec_each (const Difference, d, &m->ret->differences)
        recorded += ok && d->repair.kind == RUN_RECORD;
    flow_record(&m->session, &in->sink,
                &(RunRow){.run_id = in->run_id,
                          .verb = in->verb,
                          .outcome = ok ? "done" : "failed",
                          .applied = recorded,
                          .names = names.v,
                          .name_count = names.n,
                          .backup_id = m->ret->backup_id,
                          .no_backup_reason = in->reason,
                          .consent = m->guard.facts.agent ? m->guard.facts.agent_consent : NULL});
}

/* Consent, then the repairs. */
static bool
go_on(Arena *a, Mending *m, Err *err)
{
    const ReconcileInput *in = m->in;
    GateConsent consent;
    if (!m->ret->repairs || in->dry_run)
        return true;
    tell_plan(m);
    if (!flow_guard_consent(&m->guard, &consent, err) ||
        (consent == GATE_ASK && in->ask &&
         !in->ask(in->ask_arg, &m->session, m->ret->repairs, err)) ||
        !flow_guard_announce(&m->guard, &in->sink, err))
        return false;
    bool ok = repair(a, m, err);
    write_down(m, ok);
    return ok;
}

static int
exit_status(const ReconcileResult *r)
{
    return r->left ? RECONCILE_EXIT_LEFT : r->pending ? (int)STATUS_PENDING : 0;
}

bool
flow_reconcile(Arena *a, const ReconcileInput *in, ReconcileResult *ret, Err *err)
{
    Mending m = {.in = in, .ret = ret};
    const Config *c = in->base.config;
    JournalVec journal = {0};
    const char *command = str_fmt(a, "aramid %s", in->verb);
    *ret = (ReconcileResult){
        .config = c, .verb = in->verb, .dry_run = in->dry_run, .findings = in->sink.findings};
    if (!flow_history(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent)
        return true;
    SessionOptions o = flow_session(&in->base, &ret->target, &ret->history, in->verb,
                                    in->dry_run ? FLOW_READS : FLOW_WRITES);
    flow_guard_open(a, &in->base, in->dry_run ? GATE_LOOKS : GATE_CHANGES, command, &m.guard);
    if (!flow_guard_check(&m.guard, err) || !session_open(a, &o, &m.session, err))
        return false;
    bool ok = session_read(&m.session, &ret->history, &journal, err) &&
              flow_guard_session(&m.guard, &m.session, ret->target.origin, err) &&
              flow_differences(a, in, &m.session, ret, err) && go_on(a, &m, err);
    if (ok)
        flow_guard_shown(&m.guard, &ret->identity);
    session_close(&m.session);
    ret->exit_status = exit_status(ret);
    return ok;
}
