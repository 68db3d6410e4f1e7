/* unlock: show who holds the migration lock, and end one of them by number. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/migrations.h"

/* Ending somebody's run deserves a question. */
static bool
confirm(const CmdCall *call, int pid, Err *err)
{
    Arena *a = call->arena;
    return cli_confirm(
        call, str_fmt(a, "End server process %d? What it has not committed is rolled back.", pid),
        str_fmt(a, "ending server process %d", pid), str_fmt(a, "aramid unlock %d --yes", pid),
        err);
}

int
cmd_unlock(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    UnlockResult result;
    long long pid = 0;
    const char *arg = cli_arg(call, 0);
    if (arg && !str_to_int(str_of(arg), 1, INT32_MAX, &pid)) {
        err_set(&err, ERR_USAGE, "\"%s\" is not the number of a server process",
                str_printable(call->arena, str_of(arg), false));
        return cli_fail(call, &err);
    }
    if (!cli_load_config(call, &config, &err) || (pid && !confirm(call, (int)pid, &err)))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    UnlockInput in = {
        .base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
        .sink = run.sink,
        .run_id = run.id,
        .pid = (int)pid,
    };
    bool ok = flow_unlock(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_unlock_json(&out.json, &result);
    else
        report_unlock_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return 0;
}
