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
    Buf b;
    JsonWriter w;
    buf_init(&b, call->arena);
    jw_init(&w, call->arena, true);
    if (cli_flag(call, "json"))
        report_config_json(&w, c);
    else
        report_config_text(&b, &call->term_out, c);
    cli_print(call, cli_flag(call, "json") ? &w.out : &b);
    return 0;
}
