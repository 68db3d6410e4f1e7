/* aramid resolve: what the history should say about a migration. */
#include "flow/backup.h"
#include "flow/guard.h"
#include "flow/look.h"
#include "flow/rollback.h"
#include "render/render.h"

bool
flow_no_such_migration(const char *name, const History *h, Err *err)
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
        return err_hint(err, "give the whole name of the migration; did you mean \"%s\"?", nearest);
    return err_hint(err, "give the whole name of a migration in %s", h->dir);
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

typedef struct Chosen {
    const Migration **v;
    size_t n;
} Chosen;

static bool
is_listed(const Chosen *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i]->name, name) == 0)
            return true;
    return false;
}

/* A baseline says of the whole database that it is what these migrations make. */
static bool
check_catalog(Arena *a, const ResolveInput *in, Session *s, const History *h, const Chosen *list,
              ResolveResult *ret, Err *err)
{
    DriftResult d = {.config = in->base.config, .history = *h, .only_applied = true};
    d.history.entries.v = arena_array(a, Entry, h->entries.n + 1); /* not those of the caller */
    for (size_t i = 0; i < h->entries.n; i++) {
        Entry *to = &d.history.entries.v[i];
        *to = h->entries.v[i];
        if (is_listed(list, to->name))
            to->state = ENTRY_APPLIED;
    }
    if (!flow_drift_of(a, &in->base, s, &d, err)) {
        if (err->code == ERR_INTERRUPTED || !db_is_open(s->db))
            return false;
        run_find(&in->sink, FINDING_DRIFT_NOT_LOOKED, NULL, NULL,
                 "only what the last of these migrations makes was looked for, not the whole "
                 "database: %s",
                 err->primary);
        return check_objects(a, s, list->v[list->n - 1], ret, err);
    }
    ret->compared = true;
    size_t less = 0, more = 0;
    vec_each (Change *, c, &d.repair->changes) {
        bool is = look_is_more(*c);
        more += is;
        less += !is;
    }
    if (less) {
        err_set(err, ERR_PROBE,
                "the database is not what these %zu migrations make: %zu difference%s", list->n,
                d.adopt->changes.n, str_plural((int64_t)d.adopt->changes.n));
        err_detail(err, "as the database is, against the migrations:");
        err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, d.adopt)), true));
        return err_hint(err, "baseline up to the migration that the database really has, or record "
                             "it all the same with --force");
    }
    if (more)
        run_find(
            &in->sink, FINDING_DRIFT_FOUND, NULL, "aramid drift",
            "the database has more than these migrations make (%zu difference%s): what a later "
            "migration makes of it will fail there",
            more, str_plural((int64_t)more));
    return true;
}

static bool
applied_list(Arena *a, const ResolveInput *in, const History *h, const Migration ***ret, size_t *n,
             Err *err)
{
    const char *name = in->up_to ? in->up_to : in->applied;
    const Entry *wanted = history_find(h, name);
    if (!wanted || !wanted->file)
        return flow_no_such_migration(name, h, err);
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
back_up(Arena *a, const ResolveInput *in, Session *s, const History *h, ResolveResult *ret,
        Err *err)
{
    const BackupJob job = {.in = &in->base,
                           .sink = &in->sink,
                           .target = &ret->target,
                           .session = s,
                           .history = h,
                           .run_id = in->run_id};
    return flow_backup_by_policy(a, &job, in->reason, &ret->backup_id, err);
}

static bool
resolve_applied(Arena *a, const ResolveInput *in, Session *s, const History *h, ResolveResult *ret,
                Err *err)
{
    const Migration **list = NULL;
    size_t n = 0;
    if (!applied_list(a, in, h, &list, &n, err))
        return false;
    if (!in->force && n &&
        !(in->up_to ? check_catalog(a, in, s, h, &(Chosen){list, n}, ret, err)
                    : check_objects(a, s, list[n - 1], ret, err)))
        return false;
    if (n && (!back_up(a, in, s, h, ret, err) || !run_resolve_applied(s, list, n, h, err)))
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
            flow_no_such_migration(name, h, err);
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
    return back_up(a, in, s, h, ret, err) && run_resolve_rolled_back(s, name, h, err);
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
    bool may_change = ok;
    ok = ok && session_refresh(&s, err) && lock_and_read(&s, &h, &journal, &in->sink, err) &&
         (ret->applied ? resolve_applied(a, in, &s, &h, ret, err)
                       : resolve_rolled_back(a, in, &s, &h, ret, err));
    vec_each (const char *const, name, &ret->names)
        in->sink.event(in->sink.arg,
                       &(RunEvent){.kind = RUN_STAGE,
                                   .level = RUN_OK,
                                   .migration = *name,
                                   .ms = -1,
                                   .text = !ok            ? "was not recorded"
                                           : ret->applied ? "recorded as applied"
                                                          : "recorded as rolled back"});
    if (may_change)
        flow_record(&s, &in->sink,
                    &(RunRow){.run_id = in->run_id,
                              .verb = "resolve",
                              .outcome = ok ? "done" : "failed",
                              .applied = ok && ret->applied ? (int)ret->names.n : 0,
                              .names = ok ? ret->names.v : NULL,
                              .name_count = ok ? ret->names.n : 0,
                              .backup_id = ret->backup_id,
                              .no_backup_reason = in->reason,
                              .consent = guard.facts.agent ? guard.facts.agent_consent : NULL});
    session_close(&s);
    return ok;
}
