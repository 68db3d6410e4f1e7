/* describe: one table or view. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/describe.h"

int
cmd_describe(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    DescribeResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const DescribeInput in = {.base = cli_flow_input(call, &config), .name = cli_arg(call, 0)};
    if (!flow_describe(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_describe_json(&out.json, &r);
    else
        report_describe_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}
