/* aramid resolve and adopt: what the history should say about migrations. */
#include "base/fs.h"
#include "flow/adopt.h"
#include "flow/backup.h"
#include "flow/guard.h"
#include "flow/look.h"
#include "flow/rollback.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

/* How far a typed word is from a migration's name, with its version or without; SIZE_MAX = not meant. */
static size_t
how_far(Str name, Str typed)
{
    if (typed.n && str_contains(name, typed))
        return 0;
    size_t most = typed.n / 3, best = SIZE_MAX;
    size_t version = 0;
    while (version < name.n && strchr("0123456789_", name.p[version]))
        version++;
    Str forms[] = {name, str_slice(name, version, name.n)};
    for (size_t i = 0; i < 2; i++) {
        size_t d = str_distance(forms[i], typed, most);
        if (d <= most && d < best)
            best = d;
    }
    return best;
}

bool
flow_no_such_migration(const char *name, const History *h, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_NO_SUCH_MIGRATION, "the migration \"%s\" could not be found",
            str_printable(a, str_of(name), false));
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    vec_each (const Entry, e, &h->entries) {
        size_t d = how_far(str_of(e->name), str_of(name));
        if (d < best)
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
        if (in->adopts)
            return err_hint(err, "without this comparison nothing proves that the migrations made "
                                 "this database; --force records them all the same");
        run_find(&in->sink, FINDING_DRIFT_NOT_LOOKED, NULL, NULL,
                 "only what the last of these migrations makes was looked for, not the whole "
                 "database: %s",
                 err->primary);
        return check_objects(a, s, list->v[list->n - 1], ret, err);
    }
    ret->compared = true;
    size_t less = 0, more = 0, n = d.adopt->changes.n;
    vec_each (Change *, c, &d.repair->changes) {
        bool is = look_is_more(*c);
        more += is;
        less += !is;
    }
    if (less || (more && in->adopts)) {
        err_set(err, ERR_PROBE, "the database is not what %s make%s: %zu difference%s",
                list->n == 1 ? "this migration" : str_fmt(a, "these %zu migrations", list->n),
                list->n == 1 ? "s" : "", n, str_plural((int64_t)n));
        err_detail(err, "as the database is, against the migrations:");
        err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, d.adopt)), true));
        if (in->adopts)
            err_hint(err,
                     "put what is missing into the new folder (aramid diff --from-migrations %s "
                     "--to-config-datasource --script shows it), or adopt only what the "
                     "database has: --up-to NAME",
                     str_shell(a, h->dir));
        return err_hint(err, in->adopts ? "to record it all the same: --force"
                                        : "baseline up to the migration that the database really "
                                          "has, or record it all the same with --force");
    }
    if (more)
        run_find(
            &in->sink, FINDING_DRIFT_FOUND, NULL, "aramid drift",
            "the database has more than these migrations make (%zu difference%s): what a later "
            "migration makes of it will fail there",
            more, str_plural((int64_t)more));
    return true;
}

/* The part of a history that was asked for by its name; *ret NULL: all of it. */
static bool
find_part(const ResolveInput *in, const History *h, const History **ret, Err *err)
{
    *ret = NULL;
    for (size_t i = 0; in->history && i < history_parts(h); i++)
        if (strcmp(history_part_of(h, i)->layout->name, in->history) == 0)
            *ret = history_part_of(h, i);
    if (!in->history || *ret)
        return true;
    err_set(err, ERR_USAGE, "this project has no history of \"%s\"", in->history);
    for (size_t i = 0; i < history_parts(h); i++)
        err_hint(err, "--history %s: %s", history_part_of(h, i)->layout->name,
                 history_part_of(h, i)->dir);
    return false;
}

static bool
applied_list(Arena *a, const ResolveInput *in, const History *h, const Migration ***ret, size_t *n,
             Err *err)
{
    const char *name = in->up_to ? in->up_to : in->applied;
    const Entry *wanted = history_find(h, name);
    const History *part;
    if (!find_part(in, h, &part, err))
        return false;
    if (!wanted || !wanted->file ||
        (part && strcmp(history_part_of(h, wanted->part)->dir, part->dir) != 0))
        return flow_no_such_migration(name, part ? part : h, err);
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
            bool is_asked = !part || e->part == wanted->part;
            if (is_asked && e->file && !has_finished_row(h, e->name))
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

/* ---- adopting ------------------------------------------------------------------------------ */

static bool
open_adopted(Arena *a, const ResolveInput *in, ResolveResult *ret, History *h, Err *err)
{
    History configured;
    Err unread; /* the settings may still lead to the old folder, which may be gone */
    if (!flow_adopted(a, in->base.config, in->adopts, h, err))
        return false;
    ret->tool = h->layout->name;
    ret->dir = h->dir;
    ret->is_configured = flow_versions(a, in->base.config, &configured, &unread);
    bool leads = false;
    for (size_t i = 0; ret->is_configured && i < history_parts(&configured); i++) {
        const History *p = history_part_of(&configured, i);
        leads = leads || (p->layout == h->layout && fs_same(p->source, h->source));
    }
    ret->is_configured = leads;
    if (h->files.n)
        return true;
    err_set(err, ERR_NO_MIGRATIONS, "\"%s\" holds no migration", h->dir);
    return err_hint(err, "make one that makes the database as it is (a baseline)");
}

/* What the database has of other tools; one that nothing was ever done to has nothing to be adopted. */
static bool
find_old(Arena *a, const ResolveInput *in, Session *s, ResolveResult *ret, Err *err)
{
    if (!s->ledger_exists && s->is_fresh) {
        err_set(err, ERR_NOT_APPLIED, "the database is empty: there is nothing to adopt");
        return err_hint(err, "aramid deploy --migrations %s makes it", str_shell(a, ret->dir));
    }
    if (!session_other_histories(s, &ret->others, err))
        return false;
    vec_each (const KnownTable, k, &ret->others) {
        Buf name;
        buf_init(&name, a);
        sql_add_name(&name, k->schema, k->table);
        run_find(&in->sink, FINDING_ADOPT_OLD, str_fmt(a, "%s.%s", k->schema, k->table),
                 str_fmt(a, "when no environment needs it any more: DROP TABLE %s", name.p),
                 "the history of %s stays as it is", k->as->tool);
    }
    return true;
}

/* Look only: what would be recorded, or why it would not. */
static bool
look_only(Arena *a, const ResolveInput *in, Session *s, const History *h, ResolveResult *ret,
          Err *err)
{
    const Migration **list = NULL;
    size_t n = 0;
    if (!applied_list(a, in, h, &list, &n, err) ||
        (n && !in->force && !check_catalog(a, in, s, h, &(Chosen){list, n}, ret, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        *vec_add(a, &ret->names) = list[i]->name;
    return true;
}

static bool
adopt_dry(Arena *a, const ResolveInput *in, History *h, ResolveResult *ret, Err *err)
{
    Session s;
    SessionOptions o = flow_session(&in->base, &ret->target, h, "adopt", FLOW_PLANS);
    JournalVec journal = {0};
    FlowGuard guard;
    flow_guard_open(a, &in->base, GATE_LOOKS, "aramid adopt", &guard);
    if (!session_open(a, &o, &s, err))
        return false;
    ret->dry_run = true;
    bool ok = session_read(&s, h, &journal, err) &&
              flow_guard_session(&guard, &s, ret->target.origin, err) &&
              find_old(a, in, &s, ret, err) && look_only(a, in, &s, h, ret, err);
    flow_identity_shown(&s, &ret->identity);
    session_close(&s);
    return ok;
}

/* ---- resolve ------------------------------------------------------------------------------- */

bool
flow_resolve(Arena *a, const ResolveInput *how, ResolveResult *ret, Err *err)
{
    ResolveInput *in = &(ResolveInput){0};
    *in = *how;
    *ret = (ResolveResult){.applied = in->rolled_back == NULL, .findings = in->sink.findings};
    const Config *c = in->base.config;
    const char *verb = in->adopts ? "adopt" : "resolve";
    History h;
    if (!(in->adopts ? open_adopted(a, in, ret, &h, err) : flow_versions(a, c, &h, err)) ||
        !flow_target(a, c, in->base.self_exe, in->dry_run ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER,
                     &ret->target, err))
        return false;
    if (in->adopts && !in->up_to)
        in->up_to = h.files.v[h.files.n - 1].name;
    if (in->dry_run && ret->target.absent)
        return err_set(err, ERR_DB_MISSING, "there is no database yet: there is nothing to adopt");
    if (in->dry_run)
        return adopt_dry(a, in, &h, ret, err);
    Session s;
    SessionOptions o = flow_session(&in->base, &ret->target, &h, verb, FLOW_WRITES);
    FlowGuard guard;
    GateConsent consent;
    flow_guard_open(a, &in->base, GATE_CHANGES, str_fmt(a, "aramid %s", verb), &guard);
    guard.facts.confirms = guard.facts.confirms && !in->never_asks;
    if (!flow_guard_check(&guard, err) || !session_open(a, &o, &s, err))
        return false;
    JournalVec journal = {0};
    bool ok = session_read(&s, &h, &journal, err) &&
              flow_guard_session(&guard, &s, ret->target.origin, err) &&
              (!in->adopts || find_old(a, in, &s, ret, err)) &&
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
                              .verb = verb,
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
