/* aramid config show. */
#include "cli/commands.h"

#include "report/config.h"

int
cmd_config_show(CmdCall *call)
{
    Config *c = arena_new(call->arena, Config);
    Err err;
    if (!cli_load_config(call, c, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_config_json(&out.json, c);
    else
        report_config_text(&out.text, &call->term_out, c);
    cli_answer_print(call, &out);
    return 0;
}
