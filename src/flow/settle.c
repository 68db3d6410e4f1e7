#include "flow/settle.h"

#include "flow/rollback.h"
#include "flow/tasks.h"

bool
flow_settles(const Config *c)
{
    return flow_has_health(c) || flow_has_tasks(c);
}

static bool
reacts(const Config *c, const char *how)
{
    return strcmp(c->values[CFG_HEALTH_REACT].text, how) == 0;
}

/* ---- the row of the run -------------------------------------------------------------------- */

/* What the parts share. */
typedef struct Settling {
    const DeployInput *in;
    DeployResult *ret;
    Session session; /* of what is known and recorded in the database */
    ConfigList names;
} Settling;

static void
settling_close(Settling *k)
{
    if (k->session.db)
        session_close(&k->session);
}

void
flow_settle_begin(Session *s, const DeployInput *in, const char *const *names)
{
    Err why;
    RunRow row = {.run_id = in->run_id,
                  .verb = "deploy",
                  .environment = in->base.config->env_name,
                  .names = names};
    while (names[row.name_count])
        row.name_count++;
    if (!run_write_row(s, &row, &why))
        run_find(&in->sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
                 "what this run is about to apply could not be written down in the database: %s",
                 why.primary);
}

/* Whether a deploy's row tells that its end is not known to be a good or an answered one. */
static bool
is_open(const RunShown *row)
{
    static const char *const words[] = {"running", "applied", "failed", "interrupted"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(row->outcome, words[i]) == 0)
            return true;
    return false;
}

/* The newest deploys up to the first that was settled, as the names of their migrations. */
static void
add_open(Arena *a, const RunShownVec *rows, ConfigList *ret)
{
    for (size_t i = rows->n; i-- > 0;) {
        const RunShown *row = &rows->v[i];
        if (strcmp(row->verb, "deploy") != 0)
            continue;
        if (!is_open(row))
            return;
        for (Str rest = str_of(row->names ? row->names : ""); rest.p && rest.n;) {
            Str name = str_trim(str_cut(&rest, '\n'));
            if (name.n)
                *vec_add(a, ret) = str_dup(a, name);
        }
    }
}

static bool
is_among(const ConfigList *list, const char *name)
{
    vec_each (const char *const, n, list)
        if (strcmp(*n, name) == 0)
            return true;
    return false;
}

/* Those of them that are applied now, in the history's order, each once. */
static bool
find_unsettled(Arena *a, Settling *k, Err *err)
{
    const DeployInput *in = k->in;
    DeployResult *r = k->ret;
    SessionOptions o = flow_session(&in->base, &r->target, &r->history, "deploy", FLOW_WRITES);
    ConfigList open = {0};
    RunShownVec rows = {0};
    JournalVec journal;
    bool hidden;
    vec_each (const RunDone, done, &r->run.applied)
        *vec_add(a, &open) = done->name;
    if (!session_open(a, &o, &k->session, err) ||
        !session_read(&k->session, &r->history, &journal, err) ||
        !run_read_rows(&k->session, &rows, &hidden, err))
        return false;
    add_open(a, &rows, &open);
    vec_each (const Entry, e, &r->history.entries)
        if (e->state == ENTRY_APPLIED && is_among(&open, e->name))
            *vec_add(a, &k->names) = e->name;
    return true;
}

/* How it ended. That it cannot be written is told. */
static void
record(Settling *k, const char *outcome)
{
    flow_record(&k->session, &k->in->sink,
                &(RunRow){.run_id = k->in->run_id,
                          .verb = "deploy",
                          .outcome = outcome,
                          .applied = (int)k->names.n,
                          .names = k->names.v,
                          .name_count = k->names.n});
}

/* ---- the answer ---------------------------------------------------------------------------- */

static bool
roll_back(Arena *a, const DeployInput *in, size_t count, DeployResult *ret, Err *err)
{
    RollbackResult back;
    RollbackInput undo = {.base = in->base,
                          .sink = in->sink,
                          .run_id = str_fmt(a, "%s-undo", in->run_id),
                          .show_progress = in->show_progress,
                          .steps = (int64_t)count,
                          .reason = in->reason};
    /* Agreed to by the setting; what would lose rows is not. */
    undo.base.yes = true;
    undo.base.can_ask = false;
    if (!flow_rollback(a, &undo, &back, err))
        return false;
    ret->rolled_back = back.run.applied.n;
    return true;
}

static bool
unwell(Arena *a, Settling *k, Err *err)
{
    const DeployInput *in = k->in;
    const Config *c = in->base.config;
    size_t count = k->names.n;
    const char *n = str_count(a, (int64_t)count, "migration");
    k->ret->health_state = "unwell";
    if (reacts(c, "continue")) {
        run_find(&in->sink, FINDING_RUN_UNHEALTHY, NULL, "aramid verify looks again", "%s",
                 err->primary);
        record(k, "done");
        return true;
    }
    if (!reacts(c, "rollback")) {
        record(k, "unwell");
        err_detail(err, "the %s of this deploy %s applied and stay%s", n, count == 1 ? "is" : "are",
                   count == 1 ? "s" : "");
        err_hint(err,
                 "aramid verify looks again; aramid rollback --steps %zu --plan shows the way back",
                 count);
        return false;
    }
    Err why;
    if (roll_back(a, in, count, k->ret, &why)) {
        k->ret->health_state = "rolled-back";
        record(k, "rolled-back");
        err_detail(err, "the %s of this deploy %s rolled back: the database is as it was before", n,
                   count == 1 ? "was" : "were");
        return false;
    }
    if (why.code == ERR_INTERRUPTED) { /* the next deploy goes on */
        *err = why;
        return false;
    }
    record(k, "unwell");
    err_detail(err, "the %s of this deploy could not be rolled back and stay%s: %s", n,
               count == 1 ? "s" : "", why.primary);
    if (why.detail[0])
        err_detail(err, "%s", why.detail);
    return err_hint(err, "aramid rollback --steps %zu --plan shows what would be lost", count);
}

static bool
run_tasks(Arena *a, Settling *k, Err *err)
{
    const DeployInput *in = k->in;
    TasksResult done = {.config = in->base.config, .target = k->ret->target};
    const TasksInput tasks = {.base = in->base, .sink = in->sink, .run_id = in->run_id};
    return !flow_has_tasks(in->base.config) || flow_tasks_due(a, &tasks, &k->session, &done, err);
}

static bool
settle(Arena *a, Settling *k, Err *err)
{
    const DeployInput *in = k->in;
    DeployResult *ret = k->ret;
    const char **list = arena_array(a, const char *, k->names.n + 1);
    for (size_t i = 0; i < k->names.n; i++)
        list[i] = k->names.v[i];
    const HookFacts facts = {.in = &in->base,
                             .sink = &in->sink,
                             .target = &ret->target,
                             .server = ret->run.server.host ? &ret->run.server : NULL,
                             .run_id = in->run_id,
                             .migrations = list};
    if (flow_hooks(a, HOOK_AFTER, &facts, err) && run_tasks(a, k, err) &&
        flow_health(a, &facts, &ret->health, err)) {
        ret->health_state = "well";
        record(k, "done");
        return true;
    }
    if (err->code == ERR_INTERRUPTED)
        return false;
    if (err->code != ERR_HEALTH) { /* a hook, a task, or a file that is not there */
        Err was = *err;
        err_set(err, ERR_HEALTH, "%s", was.primary);
        if (was.detail[0])
            err_detail(err, "%s", was.detail);
        if (was.hint[0])
            err_hint(err, "%s", was.hint);
    }
    return unwell(a, k, err);
}

bool
flow_settle(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    __attribute__((cleanup(settling_close))) Settling k = {.in = in, .ret = ret};
    return !flow_settles(in->base.config) ||
           (find_unsettled(a, &k, err) && (k.names.n ? settle(a, &k, err) : run_tasks(a, &k, err)));
}
