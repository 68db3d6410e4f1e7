/* verify. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/verify.h"

/* What hooks say; the rest stands in the answer. */
static void
on_event(void *arg, const RunEvent *e)
{
    const RunSink *to = arg;
    if (e->kind == RUN_OUTPUT || e->kind == RUN_FINDING)
        to->event(to->arg, e);
}

int
cmd_verify(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    VerifyResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const FlowInput in = cli_flow_input(call, &config);
    Progress *progress = cli_progress(call, &config);
    RunSink shown = progress_sink(progress, NULL);
    const RunSink sink = {.event = on_event, .arg = &shown, .findings = shown.findings};
    bool ok = flow_verify(call->arena, &in, &sink, &r, &err);
    progress_finish(progress);
    if (!ok) {
        cli_finish_error(call, &err);
        return cli_fail(call, &err);
    }
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_verify_json(&out.json, &r);
    else
        report_verify_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return r.exit_status;
}
