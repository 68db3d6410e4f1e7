/* show: one migration. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/show.h"

int
cmd_show(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    ShowResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const ShowInput in = {.base = cli_flow_input(call, &config),
                          .name = cli_arg(call, 0),
                          .no_down = cli_given(call, "down") && !cli_flag(call, "down")};
    if (!flow_show(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_show_json(&out.json, &r);
    else
        report_show_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}
