/* seed, and `db seed` as Prisma spells it. */
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/scripts.h"

#include "base/os.h"
#include "report/seed.h"

static int
finish(CliRun *run, const SeedResult *r, const Err *err)
{
    CliEnd end = cli_run_end(run, err);
    if (end.out.is_json)
        report_seed_json(&end.out.json, r, err, end.dir, end.is_plan);
    else if (!err && end.is_plan)
        report_seed_plan(&end.out.text, &run->call->term_out, r);
    else if (!err)
        report_seed_text(&end.out.text, &run->call->term_out, r, end.shown);
    return cli_run_answer(run, &end, err);
}

int
cmd_seed(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    SeedInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .show_progress = !cli_flag(call, "quiet"),
        .again = cli_flag(call, "again"),
        .only_plan = cli_flag(call, "dry-run"),
        .accepts_loss = cli_flag(call, "accept-data-loss"),
        .reason = cli_text(call, "reason"),
        .arguments = call->args.v,
        .argument_count = call->args.n,
        .on_plan = cli_keep_scripts,
        .ask = cli_ask_scripts,
        .on_command = cli_tell_command,
        .on_output = cli_pass_output,
        .arg = &run,
    };
    SeedResult result;
    bool ok = flow_seed(call->arena, &in, &result, &err);
    if (!ok)
        cli_finish_error(call, &err);
    return finish(&run, &result, ok ? NULL : &err);
}
