/* squash. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/squash.h"

int
cmd_squash(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    SquashResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    bool looks = cli_flag(call, "dry-run");
    SquashInput in = {
        .base = cli_flow_input(call, &config), .to = cli_text(call, "to"), .only_looks = looks};
    if (!flow_squash(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_squash_json(&out.json, &r, !looks);
    else
        report_squash_text(&out.text, &call->term_out, &r, !looks);
    cli_answer_print(call, &out);
    return 0;
}
