/* restack. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/restack.h"

int
cmd_restack(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    RestackResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    bool check = cli_flag(call, "check"), looks = check || cli_flag(call, "dry-run");
    RestackInput in = {
        .base = cli_flow_input(call, &config), .ref = cli_text(call, "base"), .only_looks = looks};
    if (!flow_restack(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_restack_json(&out.json, &r, !looks);
    else
        report_restack_text(&out.text, &call->term_out, &r, !looks);
    cli_answer_print(call, &out);
    return check && r.moves.n ? RESTACK_EXIT_EARLY : 0;
}
