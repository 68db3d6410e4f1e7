/* aramid dev: what it looks at, and what settles a database that is not what its migrations make. */
#include "flow/dev.h"

#include "flow/endpoint.h"
#include "flow/evidence.h"
#include "flow/guard.h"
#include "flow/scripts.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

/* A question to the rows may take so long; then what is lost is told without a number. */
enum { QUESTION_MS = 5000 };

/* ---- looking -------------------------------------------------------------------------------- */

static bool
refuse_environment(const char *what, const char *name, Err *err)
{
    err_set(err, ERR_REFUSED, "%s \"%s\" is not for development", what, name);
    err_detail(err, "aramid dev changes what it finds; nothing was changed");
    err_hint(err, "to write a migration: aramid create NAME");
    return err_hint(err, "to apply it there: aramid deploy");
}

static bool
check_environment(const DevLook *l, Err *err)
{
    const Identity *i = l->session.db ? run_identity(&l->session) : NULL;
    if (l->config->profile != PROFILE_DEVELOPMENT)
        return refuse_environment("environment", l->config->env_name, err);
    return !i || strcmp(i->profile, "development") == 0 ||
           refuse_environment("this database is marked: its environment", i->environment, err);
}

static void
count_history(DevLook *l)
{
    vec_each (const Entry, e, &l->history.entries) {
        bool applied = e->state == ENTRY_APPLIED;
        l->edited += applied && e->file && e->edited;
        l->missing += applied && !e->file;
    }
}

bool
flow_dev_rows(Arena *a, const DevLook *l, Diff *d, CatTexts *ret_losses, const char **ret_unfit,
              Err *err)
{
    *ret_unfit = NULL;
    if (!l->session.db)
        return true;
    if (!introspect_answers(l->session.db, d, QUESTION_MS, err))
        return false;
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects) {
            bool counts = !e->is_answered || e->hits;
            if (counts && e->harm == DIFF_LOSS)
                *vec_add(a, ret_losses) = render_effect(a, e);
            if (e->is_answered && e->hits && e->harm == DIFF_FAILS && !*ret_unfit)
                *ret_unfit = render_effect(a, e);
        }
    return true;
}

static bool
look_for_drift(Arena *a, const FlowInput *in, DevLook *l, Err *err)
{
    DriftResult *d = arena_new(a, DriftResult);
    *d = (DriftResult){.config = l->config, .target = l->target, .history = l->history};
    IntrospectOptions next; /* for the comparison with the schema, which comes next */
    if (flow_schema_scope(a, l->config, &next))
        d->also = &next;
    bool ok = flow_drift_of(a, in, &l->session, d, err);
    d->also = NULL;
    if (!ok)
        return false;
    l->drift = d;
    return !d->has_drift || flow_dev_rows(a, l, d->repair, &l->losses, &l->unfit, err);
}

bool
flow_dev_look(Arena *a, const FlowInput *in, DevLook *ret, Err *err)
{
    const Config *c = in->config;
    JournalVec journal = {0};
    FlowGuard guard;
    *ret = (DevLook){.config = c};
    flow_guard_open(a, in, GATE_CHANGES, "aramid dev", &guard);
    if (!check_environment(ret, err) || !flow_history_begun(a, c, &ret->history, err) ||
        !flow_guard_check(&guard, err) ||
        !flow_target(a, c, in->self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    SessionOptions o = flow_session(in, &ret->target, &ret->history, "dev", FLOW_READS);
    if (!session_open(a, &o, &ret->session, err)) {
        ret->session.db = NULL;
        ret->is_new = err->code == ERR_DB_MISSING && c->values[CFG_CREATE_DB].number != 0;
        return ret->is_new;
    }
    bool ok = session_read(&ret->session, &ret->history, &journal, err) &&
              flow_guard_session(&guard, &ret->session, ret->target.origin, err) &&
              check_environment(ret, err);
    const History *h = &ret->history;
    count_history(ret);
    ret->is_new = ok && !h->applied && !h->failed && !h->resumable;
    if (ok && !ret->is_new && !h->failed && !h->resumable)
        ok = look_for_drift(a, in, ret, err);
    if (!ok)
        flow_dev_close(ret);
    return ok;
}

/* The database against what its migrations make when the pending ones, as they are now, are among them. */
static bool
with_pending(Arena *a, const FlowInput *in, DevLook *l, DriftResult *ret, Err *err)
{
    History h;
    JournalVec journal = {0};
    MigrationRefs pending = {0};
    if (!flow_history(a, l->config, &h, err) || !session_read(&l->session, &h, &journal, err))
        return false;
    vec_each (const Entry, e, &h.entries)
        if (e->file && e->state == ENTRY_PENDING)
            *vec_add(a, &pending) = e->file;
    *ret = (DriftResult){.config = l->config,
                         .target = l->target,
                         .history = flow_history_as(a, &h, &pending, ENTRY_APPLIED),
                         .only_applied = true};
    return flow_drift_of(a, in, &l->session, ret, err);
}

bool
flow_dev_pending(Arena *a, const FlowInput *in, DevLook *l, Diff **ret, Err *err)
{
    DriftResult then;
    *ret = NULL;
    if (!l->drift)
        return true;
    if (!with_pending(a, in, l, &then, err))
        return false;
    *ret = flow_drift_between(a, l->drift, &then);
    return true;
}

bool
flow_dev_record(Arena *a, const DevSettleInput *in, DevLook *l, bool *ret, Err *err)
{
    DriftResult then;
    *ret = false;
    if (!l->drift || !l->drift->has_drift || !l->history.pending || l->edited || l->missing)
        return true;
    /* Files that cannot be replayed are told where they are applied. */
    if (!with_pending(a, &in->base, l, &then, err))
        return err->code == ERR_REPLAY && db_is_open(l->session.db);
    vec_each (const Entry, e, &l->history.entries) {
        ReconcileResult done;
        const ReconcileInput record = {.base = in->base,
                                       .sink = in->sink,
                                       .run_id = in->run_id,
                                       .verb = "sync",
                                       .scope = RECONCILE_DECIDE,
                                       .only = e->name};
        if (then.has_drift || !e->file || e->state != ENTRY_PENDING)
            continue;
        if (!flow_reconcile(a, &record, &done, err))
            return false;
        *ret = true;
    }
    return true;
}

void
flow_dev_close(DevLook *l)
{
    if (l->session.db)
        session_close(&l->session);
    l->session.db = NULL;
}

const char *
flow_dev_count(Arena *a, const DevLook *l)
{
    Buf b;
    Err ignored;
    DbRowsVec results;
    long long rows, tables = 0;
    const Catalog *live = l->drift ? l->drift->live : NULL;
    if (!l->session.db || !live)
        return NULL;
    buf_init(&b, a);
    buf_fmt(&b, "SELECT pg_catalog.set_config('statement_timeout', '%d', true);SELECT 0",
            (int)QUESTION_MS);
    cat_each (CatRelation, t, &live->tables) {
        buf_addz(&b, " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM ONLY ");
        sql_add_name(&b, t->id.schema, t->id.name);
        buf_addc(&b, ')');
        tables++;
    }
    if (!db_query(l->session.db, a, buf_str(&b), &results, &ignored) || results.n < 2 ||
        !str_to_int(db_cell(&results.v[1], 0, 0), 0, INT64_MAX, &rows) || !rows)
        return NULL;
    return str_fmt(a, "%lld row%s in %lld table%s", rows, str_plural(rows), tables,
                   str_plural(tables));
}

/* ---- settling ------------------------------------------------------------------------------- */

typedef struct Settling {
    const DevSettleInput *in;
    const DevLook *look;
    FlowGuard guard;
} Settling;

static bool
guard(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err)
{
    Settling *w = arg;
    if (!flow_guard_session(&w->guard, s, w->look->target.origin, err))
        return false;
    if (w->guard.target.writes)
        *ret_mark = &w->guard.mark;
    return true;
}

static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    (void)s;
    (void)plan;
    Settling *w = arg;
    return flow_guard_announce(&w->guard, &w->in->sink, err);
}

static Str
repair_script(Arena *a, const DevLook *l)
{
    return l->drift->has_drift ? render_script(a, l->drift->repair, &(RenderOptions){.schema = ""})
                               : STR("");
}

/* They are newer than what stays, or nothing of it is used by them: the repair leads to a state without
 * them, all at once. */
static bool
undo_missing(Arena *a, Settling *w, Err *err)
{
    const DevLook *l = w->look;
    VEC(RunUndo) undos = {0};
    RunReport report;
    History h = history_unread(a, &l->history);
    for (size_t i = l->history.entries.n; i-- > 0;) {
        const Entry *e = &l->history.entries.v[i];
        if (e->file || e->state != ENTRY_APPLIED)
            continue;
        if (history_part_of(&h, e->part)->layout == &history_prisma8) {
            err_set(err, ERR_MIGRATION_GONE, "\"%s\" is applied and has no file any more", e->name);
            return err_hint(err, "only its file tells how Prisma 8 comes back: git has it");
        }
        Migration *m = arena_new(a, Migration);
        *m = (Migration){
            .name = e->name, .key = e->row->key ? e->row->key : e->row->id, .part = e->part};
        RunUndo u = {.migration = m};
        Str script = undos.n ? STR("") : repair_script(a, l);
        run_undo_script(a, e->name, str_fmt(a, "way back of %s", e->name), script, &u.script);
        *vec_add(a, &undos) = u;
    }
    const RunDeploy run = {
        .session = flow_session(&w->in->base, &l->target, &h, "dev", FLOW_WRITES),
        .history = &h,
        .verb = "dev",
        .undos = undos.v,
        .undo_count = undos.n,
        .run_id = w->in->run_id,
        .sink = w->in->sink,
        .calls = {.arg = w, .guard = guard, .approve = approve},
        .keeps_runs = l->config->env_said,
    };
    return run_deploy(a, &run, &report, err);
}

static bool
run_repair_script(Arena *a, const Settling *w, Err *err)
{
    const DevSettleInput *in = w->in;
    History scripts = scripts_new(a);
    ScriptsResult done;
    const Script s = {.kind = SCRIPT_EXECUTED, .run_id = in->run_id, .again = true};
    scripts_add_text(a, &scripts, &s, "undo of drift", repair_script(a, w->look));
    const ScriptsInput run = {.base = in->base,
                              .sink = in->sink,
                              .run_id = in->run_id,
                              .verb = "dev",
                              .again = in->again,
                              .from_start = true,
                              .accepts_loss = true};
    return flow_scripts(a, &run, &scripts, &done, err);
}

bool
flow_dev_settle(Arena *a, const DevSettleInput *in, const DevLook *look, Err *err)
{
    Settling w = {.in = in, .look = look};
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid dev", &w.guard);
    if (look->missing ? !undo_missing(a, &w, err)
                      : look->drift->has_drift && !run_repair_script(a, &w, err))
        return false;
    if (!look->edited)
        return true;
    ReconcileResult done;
    const ReconcileInput correct = {.base = in->base,
                                    .sink = in->sink,
                                    .run_id = in->run_id,
                                    .verb = "sync",
                                    .scope = RECONCILE_ALL};
    return flow_reconcile(a, &correct, &done, err);
}
