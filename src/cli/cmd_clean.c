/* clean. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/clean.h"

static bool
ask(void *arg, size_t n, Err *err)
{
    CliRun *r = arg;
    progress_finish(r->progress);
    return cli_confirm(r->call,
                       str_fmt(r->call->arena, "Remove %s?",
                               n == 1 ? "it" : str_fmt(r->call->arena, "all %zu", n)),
                       "removing what is left over",
                       "look first: aramid clean --dry-run; then: aramid clean --yes", err);
}

int
cmd_clean(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    CleanResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    CleanInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .dry_run = cli_flag(call, "dry-run"),
        .ask = ask,
        .ask_arg = &run,
    };
    bool ok = flow_clean(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_clean_json(&out.json, &result);
    else
        report_clean_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return 0;
}
