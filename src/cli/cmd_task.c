/* task. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/task.h"

int
cmd_task(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    TasksResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    const TasksInput in = {.base = cli_flow_input(call, &config),
                           .sink = run.sink,
                           .run_id = run.id,
                           .name = cli_arg(call, 0),
                           .again = cli_flag(call, "again")};
    bool ok = flow_tasks(call->arena, &in, &r, &err);
    if (!ok)
        cli_finish_error(call, &err);
    CliEnd end = cli_run_end(&run, ok ? NULL : &err);
    if (end.out.is_json)
        report_task_json(&end.out.json, &r, ok ? NULL : &err, end.dir);
    else if (ok)
        report_task_text(&end.out.text, &call->term_out, &r);
    return cli_run_answer(&run, &end, ok ? NULL : &err);
}
