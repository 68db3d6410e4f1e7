/* workflow: the commands of a release one after the other, each as if it had been typed. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/clock.h"
#include "base/os.h"
#include "flow/create.h"
#include "flow/generate.h"
#include "report/workflow.h"

#include <stdlib.h>

typedef struct Workflow {
    CmdCall *call;
    Config config;
    bool is_dry;
    WorkflowReport report;
} Workflow;

static int
verify(CmdCall *call)
{
    return cmd_check_with(call, true);
}

/* The one that was made. */
static int
show_newest(CmdCall *call)
{
    Err err;
    Config config;
    History h;
    if (!cli_load_config(call, &config, &err) || !flow_history(call->arena, &config, &h, &err))
        return cli_fail(call, &err);
    call->args.v[0] = h.files.v[h.files.n - 1].name;
    return cmd_show(call);
}

static const struct {
    const char *name;
    int (*run)(CmdCall *call);
    bool is_named; /* it gets the migration's name */
} steps[] = {
    [WORKFLOW_VALIDATE] = {"validate", cmd_validate, false},
    [WORKFLOW_CREATE] = {"create", cmd_create, true},
    [WORKFLOW_SHOW] = {"show", show_newest, true},
    [WORKFLOW_STATUS] = {"status", cmd_status, false},
    [WORKFLOW_DEPLOY] = {"deploy", cmd_deploy, false},
    [WORKFLOW_GENERATE] = {"generate", cmd_generate, false},
    [WORKFLOW_VERIFY] = {"verify", verify, false},
};

static bool
is_skipped(const CmdCall *call, const char *name)
{
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "skip") == 0 && strcmp(v->text, name) == 0)
            return true;
    return false;
}

/* Whether the project can be generated at all; where it can and the tool is missing, the step says
 * so. */
static bool
has_generator(const Workflow *w)
{
    GenerateInput in = {.base = cli_flow_input(w->call, &w->config)};
    GenerateResult r;
    Err err;
    return !flow_generate_find(w->call->arena, &in, &r, &err) || r.tool != GENERATE_NONE;
}

/* Why a step is not run, NULL = it is. */
static const char *
reason_to_skip(const Workflow *w, WorkflowStep step)
{
    if (is_skipped(w->call, steps[step].name))
        return "--skip";
    if (step == WORKFLOW_VALIDATE && !w->config.schema_path)
        return "the project has no schema.prisma";
    if (step == WORKFLOW_GENERATE && !has_generator(w))
        return "the project has no generator";
    if (step == WORKFLOW_SHOW && (w->is_dry || w->report.parts[WORKFLOW_CREATE].status))
        return w->is_dry ? "nothing was written" : "there was nothing to create";
    if (step == WORKFLOW_VERIFY && w->is_dry)
        return "nothing was changed";
    return NULL;
}

/* A status that the next step may go on from: what is pending or interrupted it finishes, and what
 * was edited is its policy's. */
static bool
is_fine(WorkflowStep step, int status)
{
    if (step == WORKFLOW_CREATE && status == CREATE_EXIT_SAME)
        return true;
    switch (step == WORKFLOW_STATUS ? status : 0) {
    case STATUS_PENDING:
    case STATUS_RESUMABLE:
    case STATUS_EDITED:
    case STATUS_MISSING:
    case STATUS_OUT_OF_ORDER:
        return true;
    default:
        return status == 0;
    }
}

/* Run one command; with --json what it prints is kept. */
static int
run_step(Workflow *w, WorkflowStep step, Str *ret_json)
{
    CmdCall *call = w->call;
    FILE *out = call->out;
    char *text = NULL;
    size_t n = 0;
    bool json = cli_flag(call, "json");
    if (json)
        call->out = open_memstream(&text, &n);
    if (!call->out)
        abort();
    size_t args = call->args.n;
    call->args.n = steps[step].is_named ? args : 0;
    int status = steps[step].run(call);
    call->args.n = args;
    if (json) {
        fclose(call->out);
        *ret_json = str_copy(call->arena, (Str){text, n});
        free(text);
    }
    fflush(out);
    call->out = out;
    return status;
}

static void
show_heading(const Workflow *w, WorkflowStep step)
{
    const CmdCall *call = w->call;
    if (cli_flag(call, "json") || cli_flag(call, "quiet"))
        return;
    Buf b;
    buf_init(&b, call->arena);
    report_workflow_heading(&b, &call->term_out, &w->report, step);
    cli_print(call, &b);
    fflush(call->out);
}

static void
run_all(Workflow *w)
{
    for (int i = 0; i < WORKFLOW_STEP_COUNT; i++) {
        WorkflowPart *part = &w->report.parts[i];
        part->name = steps[i].name;
        if (!steps[i].is_named || w->call->args.n)
            part->outcome = WORKFLOW_NOT_RUN;
    }
    for (int i = 0; i < WORKFLOW_STEP_COUNT; i++) {
        WorkflowPart *part = &w->report.parts[i];
        if (w->report.failed || part->outcome == WORKFLOW_OFF)
            continue;
        part->reason = reason_to_skip(w, (WorkflowStep)i);
        show_heading(w, (WorkflowStep)i);
        part->outcome = WORKFLOW_SKIPPED;
        if (part->reason)
            continue;
        int64_t started = clock_ms();
        part->status = run_step(w, (WorkflowStep)i, &part->json);
        part->ms = clock_ms() - started;
        if (os_signal_pending() && part->status < 128)
            part->status = 128 + os_signal_pending();
        bool fine = is_fine((WorkflowStep)i, part->status);
        part->outcome = fine ? WORKFLOW_DONE : WORKFLOW_FAILED;
        if (!fine) {
            w->report.failed = part;
            w->report.exit_status = part->status;
        }
    }
}

int
cmd_workflow(CmdCall *call)
{
    os_signals_catch();
    Workflow *w = arena_new(call->arena, Workflow);
    *w = (Workflow){.call = call, .is_dry = cli_flag(call, "dry-run")};
    w->report.is_dry = w->is_dry;
    Err err;
    if (!cli_load_config(call, &w->config, &err))
        return cli_fail(call, &err);
    run_all(w);
    Buf b;
    buf_init(&b, call->arena);
    if (cli_flag(call, "json")) {
        JsonWriter json;
        jw_init(&json, call->arena, true);
        report_workflow_json(&json, &w->report);
        cli_print(call, &json.out);
    } else {
        report_workflow_text(&b, &call->term_out, &w->report);
        cli_print(call, &b);
    }
    return w->report.exit_status;
}
