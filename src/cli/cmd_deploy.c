/* deploy, and `migrate deploy` as Prisma spells it. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/migrations.h"

static int
finish(CliRun *run, const DeployResult *r, const Err *err)
{
    CmdCall *call = run->call;
    const char *dir = runlog_dir(run->log);
    run->history = &r->history;
    run->changed = r->changed;
    cli_run_close(run, err);
    CliAnswer out = cli_answer(call);
    if (out.is_json) {
        Failure failure;
        bool is_told = err && cli_deploy_failure(run, r, err, &failure);
        report_deploy_json(&out.json, r, err, is_told ? &failure : NULL, dir);
    } else if (!err) {
        report_deploy_text(&out.text, &call->term_out, r,
                           dir ? cli_shown_path(call->arena, dir) : NULL);
    }
    if (out.is_json || !err)
        cli_answer_print(call, &out);
    return err ? cli_deploy_failed(run, r, err) : 0;
}

int
cmd_deploy(CmdCall *call)
{
    if (cli_flag(call, "dry-run"))
        return cmd_plan(call);
    os_signals_catch();
    Config config;
    Err err;
    DeployResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    bool ok = cli_deploy(&run, &config, &result, &err);
    return finish(&run, &result, ok ? NULL : &err);
}
