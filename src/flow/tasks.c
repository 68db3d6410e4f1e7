#include "flow/tasks.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "flow/guard.h"

enum { SQL_MAX = 16 * 1024 * 1024, POLL_MS = 100 };

typedef struct Task {
    const char *name, *when, *text;
    const char *mark; /* in aramid.runs: its name, and the sum of its text */
} Task;
typedef VEC(Task) Tasks;

bool
flow_has_tasks(const Config *c)
{
    return c->values[CFG_TASKS].text != NULL;
}

/* A .sql file changes with what it holds. */
static const char *
sum_of(Arena *a, const Config *c, const char *text)
{
    Err ignored;
    Str file = {"", 0};
    HashState *h = hash_sha256_begin(a);
    hash_sha256_add(h, str_of(text));
    if (str_ends(str_of(text), STR(".sql")) && !strpbrk(text, " \t") &&
        fs_read(a, fs_join(a, c->project_dir, text), SQL_MAX, &file, &ignored))
        hash_sha256_add(h, file);
    return hash_sha256_end(a, h);
}

static Tasks
read_tasks(Arena *a, const Config *c)
{
    Tasks list = {0};
    ConfigList lines = config_list(a, c, CFG_TASKS);
    vec_each (const char *const, line, &lines) {
        Str rest = str_of(*line);
        Str name = str_cut(&rest, ' '), when = str_cut(&rest, ' ');
        Task t = {str_dup(a, name), str_dup(a, when), str_dup(a, rest), NULL};
        t.mark = str_fmt(a, "task %s %.16s", t.name, sum_of(a, c, t.text));
        *vec_add(a, &list) = t;
    }
    return list;
}

bool
flow_has_task(Arena *a, const Config *c, const char *name)
{
    const Tasks list = read_tasks(a, c);
    vec_each (const Task, t, &list)
        if (strcmp(t->name, name) == 0)
            return true;
    return false;
}

static bool
no_such_task(Arena *a, const Tasks *list, const char *name, Err *err)
{
    Buf names;
    buf_init(&names, a);
    vec_each (const Task, t, list)
        buf_fmt(&names, "%s%s", names.n ? ", " : "", t->name);
    err_set(err, ERR_USAGE, "there is no task \"%s\"", str_printable(a, str_of(name), false));
    return names.n ? err_hint(err, "there are: %s", names.p)
                   : err_hint(err, "tasks: { %s: COMMAND } in aramid.yaml makes one",
                              str_printable(a, str_of(name), false));
}

/* By the rows of runs that ended well. */
static bool
was_done(Arena *a, const RunShownVec *rows, const Task *t)
{
    bool by_text = strcmp(t->when, "changed") == 0;
    const char *mark = by_text ? str_fmt(a, "\n%s\n", t->mark) : str_fmt(a, "\ntask %s ", t->name);
    vec_each (const RunShown, r, rows)
        if (strcmp(r->verb, "task") == 0 && strcmp(r->outcome, "done") == 0 && r->names &&
            strstr(r->names, mark))
            return true;
    return false;
}

static bool
is_due(Arena *a, const TasksInput *in, const RunShownVec *rows, const Task *t)
{
    bool always = strcmp(t->when, "always") == 0 || (in->name && strcmp(t->when, "called") == 0);
    return always || in->again || !was_done(a, rows, t);
}

static bool
run_task(Arena *a, const TasksInput *in, Session *s, const Task *t, TasksResult *r, Err *err)
{
    TaskShown *shown = &r->tasks.v[r->tasks.n - 1];
    const HookFacts facts = {.in = &in->base,
                             .sink = &in->sink,
                             .target = &r->target,
                             .server = db_info(s->db),
                             .run_id = in->run_id};
    int64_t began = clock_ms();
    bool ok = flow_hook(a, t->name, t->text, &facts, err);
    shown->ms = clock_ms() - began;
    shown->state = TASK_RUN;
    const char *names[] = {t->mark};
    RunRow row = {.run_id = str_fmt(a, "%s-%s", in->run_id, t->name),
                  .verb = "task",
                  .environment = in->base.config->env_name,
                  .outcome = ok ? "done" : "failed",
                  .names = names,
                  .name_count = 1};
    Err why;
    if (!run_write_row(s, &row, &why))
        run_find(&in->sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
                 "that task %s has run could not be written down in the database: %s", t->name,
                 why.primary);
    return ok;
}

static bool
is_wanted(const TasksInput *in, const Task *t)
{
    return in->name ? strcmp(t->name, in->name) == 0 : strcmp(t->when, "called") != 0;
}

/* Two deploys at once must not both find a task undone. The lock ends with the session. */
static bool
alone(Session *s, const TasksInput *in, Err *err)
{
    const Str sql = STR("SELECT pg_catalog.pg_try_advisory_lock(727073691505)");
    int64_t deadline = clock_ms() + config_ms(in->base.config, CFG_WAIT_RUNNER);
    for (;;) {
        ARENA_LOCAL(scratch);
        DbRowsVec results = {0};
        if (!db_query(s->db, scratch, sql, &results, err))
            return false;
        if (str_is(db_cell(&results.v[0], 0, 0), "t"))
            return true;
        if (clock_ms() > deadline)
            return err_set(err, ERR_RUNNER_ACTIVE, "another run has been at the tasks for long");
        if (!db_pause(in->base.tick, in->base.tick_arg, POLL_MS))
            return err_set(err, ERR_INTERRUPTED, "interrupted while another run is at the tasks");
    }
}

bool
flow_tasks_due(Arena *a, const TasksInput *in, Session *s, TasksResult *r, Err *err)
{
    const Config *c = in->base.config;
    const Tasks list = read_tasks(a, c);
    RunShownVec rows = {0};
    bool hidden, is_known = false, due = false;
    if (!run_read_rows(s, &rows, &hidden, err))
        return false;
    vec_each (const Task, t, &list)
        due = due || (is_wanted(in, t) && is_due(a, in, &rows, t));
    if (due) { /* who had the lock before may have done them, and made the table */
        rows = (RunShownVec){0};
        if (!alone(s, in, err) || !session_refresh(s, err) ||
            !run_read_rows(s, &rows, &hidden, err))
            return false;
    }
    vec_each (const Task, t, &list) {
        if (!is_wanted(in, t))
            continue;
        is_known = true;
        *vec_add(a, &r->tasks) =
            (TaskShown){.name = t->name,
                        .when = t->when,
                        .command = url_redact(a, str_of(t->text), c->secrets.v, c->secrets.n),
                        .state = TASK_NOT_REACHED};
        if (!is_due(a, in, &rows, t))
            r->tasks.v[r->tasks.n - 1].state = TASK_DONE_BEFORE;
        else if (!run_task(a, in, s, t, r, err))
            return false;
    }
    return !in->name || is_known || no_such_task(a, &list, in->name, err);
}

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

bool
flow_tasks(Arena *a, const TasksInput *in, TasksResult *ret, Err *err)
{
    const Config *c = in->base.config;
    const Tasks list = read_tasks(a, c);
    History h = history_none();
    JournalVec journal;
    FlowGuard guard;
    GateConsent consent;
    Session s __attribute__((cleanup(close_session))) = {0};
    *ret = (TasksResult){.config = c};
    if (in->name && !list.n)
        return no_such_task(a, &list, in->name, err);
    if (!flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid task", &guard);
    SessionOptions o = flow_session(&in->base, &ret->target, &h, "task", FLOW_WRITES);
    return flow_guard_check(&guard, err) && session_open(a, &o, &s, err) &&
           session_read(&s, &h, &journal, err) &&
           flow_guard_session(&guard, &s, ret->target.origin, err) &&
           (!in->name || flow_guard_consent(&guard, &consent, err)) &&
           flow_tasks_due(a, in, &s, ret, err);
}
