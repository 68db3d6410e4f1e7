/* aramid resolve: what the history should say about a migration. */
#include "flow/guard.h"

static bool
no_such(const char *name, const History *h, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_NO_SUCH_MIGRATION, "the migration \"%s\" could not be found",
            str_printable(a, str_of(name), false));
    const char *nearest = NULL;
    size_t best = 64;
    vec_each (const Entry, e, &h->entries) {
        size_t d = str_distance(str_of(e->name), str_of(name), 40);
        if (str_contains(str_of(e->name), str_of(name)))
            d = 0;
        if (d < best && d <= 40)
            best = d, nearest = e->name;
    }
    if (nearest)
        return err_hint(err, "give the whole name of the folder; did you mean \"%s\"?", nearest);
    return err_hint(err, "give the whole name of its folder in %s", h->dir);
}

static bool
has_finished_row(const History *h, const char *name)
{
    vec_each (const LedgerRow, r, &h->rows)
        if (strcmp(r->name, name) == 0 && r->finished_us)
            return true;
    return false;
}

/* What the file would have made must be there. */
static bool
check_objects(Arena *a, Session *s, const Migration *m, ResolveResult *ret, Err *err)
{
    MigrationPlan mp;
    Err unreadable; /* a file that cannot be planned cannot be probed either */
    if (!plan_migration(a, m, &(PlanHints){0}, &mp, &unreadable))
        return true;
    if (!run_probe(s, a, &mp, &ret->probe, err))
        return false;
    if (ret->probe.absent == 0)
        return true;
    err_set(err, ERR_PROBE, "the database does not look as if migration \"%s\" had been applied",
            m->name);
    err_at(err, m->path, 0, 0);
    size_t shown = 0;
    vec_each (const char *const, line, &ret->probe.lines) {
        if (strstr(*line, "would have been") && shown++ < 12)
            err_detail(err, "%s", *line);
    }
    return err_hint(err, "apply it: aramid deploy; or, if a later migration changed these objects, "
                         "record it all the same with --force");
}

static bool
applied_list(Arena *a, const ResolveInput *in, const History *h, const Migration ***ret, size_t *n,
             Err *err)
{
    const char *name = in->up_to ? in->up_to : in->applied;
    const Entry *wanted = history_find(h, name);
    if (!wanted || !wanted->file)
        return no_such(name, h, err);
    VEC(const Migration *) list = {0};
    if (!in->up_to) {
        if (has_finished_row(h, name)) {
            err_set(err, ERR_ALREADY_APPLIED,
                    "the migration \"%s\" is already recorded as applied in "
                    "the database",
                    name);
            return err_hint(err, "there is nothing to do for it; see: aramid status --verbose");
        }
        *vec_add(a, &list) = wanted->file;
    } else {
        vec_each (const Entry, e, &h->entries) {
            if (e->file && !has_finished_row(h, e->name))
                *vec_add(a, &list) = e->file;
            if (e == wanted)
                break;
        }
    }
    vec_each (const Migration *, m, &list) {
        if (!(*m)->has_file)
            return migration_gone(*m, err);
    }
    *ret = list.v;
    *n = list.n;
    return true;
}

static bool
resolve_applied(Arena *a, const ResolveInput *in, Session *s, const History *h, ResolveResult *ret,
                Err *err)
{
    const Migration **list = NULL;
    size_t n = 0;
    if (!applied_list(a, in, h, &list, &n, err))
        return false;
    /* In a baseline later migrations may have changed what earlier ones made: the last one counts. */
    if (!in->force && n && !check_objects(a, s, list[n - 1], ret, err))
        return false;
    if (n && !run_resolve_applied(s, list, n, h, err))
        return false;
    for (size_t i = 0; i < n; i++)
        *vec_add(a, &ret->names) = list[i]->name;
    return true;
}

static bool
resolve_rolled_back(Arena *a, const ResolveInput *in, Session *s, const History *h,
                    ResolveResult *ret, Err *err)
{
    const char *name = in->rolled_back;
    bool known = false, failed = false, applied = false;
    vec_each (const LedgerRow, r, &h->rows) {
        if (strcmp(r->name, name) != 0)
            continue;
        known = true;
        failed = failed || (!r->finished_us && !r->rolled_back_us);
        applied = applied || (r->finished_us && !r->rolled_back_us);
    }
    if (!known) {
        const Entry *e = history_find(h, name);
        if (!e) { /* Prisma asks the history table only, so that its code is another one here */
            no_such(name, h, err);
            err->code = ERR_NOT_APPLIED;
            return false;
        }
        err_set(err, ERR_NOT_APPLIED,
                "migration \"%s\" cannot be rolled back because it was never "
                "applied to the database",
                name);
        return err_hint(err, "it runs with the next: aramid deploy");
    }
    if (!failed) {
        err_set(err, ERR_NOT_FAILED,
                "migration \"%s\" cannot be rolled back because it is not in a "
                "failed state",
                name);
        if (!applied) {
            err_detail(err, "it is marked as rolled back already");
            return err_hint(err, "it runs with the next: aramid deploy");
        }
        return err_hint(err, "to undo an applied migration, write a new one that reverses it");
    }
    *vec_add(a, &ret->names) = name;
    return run_resolve_rolled_back(s, name, h, err);
}

bool
flow_resolve(Arena *a, const ResolveInput *in, ResolveResult *ret, Err *err)
{
    *ret = (ResolveResult){.applied = in->rolled_back == NULL, .findings = in->sink.findings};
    const Config *c = in->base.config;
    History h;
    if (!flow_history(a, c, &h, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    Session s;
    SessionOptions o = flow_session(&in->base, &ret->target, &h, "resolve", FLOW_WRITES);
    FlowGuard guard;
    GateConsent consent;
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid resolve", &guard);
    guard.facts.confirms = guard.facts.confirms && !in->never_asks;
    if (!flow_guard_check(&guard, err) || !session_open(a, &o, &s, err))
        return false;
    JournalVec journal = {0};
    bool ok = session_read(&s, &h, &journal, err) &&
              flow_guard_session(&guard, &s, ret->target.origin, err) &&
              flow_guard_consent(&guard, &consent, err) &&
              (consent == GATE_AGREED || !in->ask || in->ask(in->ask_arg, &s, err)) &&
              flow_guard_announce(&guard, &in->sink, err);
    if (ok)
        flow_guard_shown(&guard, &ret->identity);
    ok = ok && session_refresh(&s, err) && lock_and_read(&s, &h, &journal, &in->sink, err) &&
         (ret->applied ? resolve_applied(a, in, &s, &h, ret, err)
                       : resolve_rolled_back(a, in, &s, &h, ret, err));
    session_close(&s);
    return ok;
}
