/* status, and `migrate status` as Prisma spells it. */
#include "cli/commands.h"

#include "base/os.h"
#include "report/migrations.h"

/* `prisma migrate status` calls edited and missing migrations up to date. */
static int
prisma_exit(StatusState state)
{
    return state == STATUS_UP_TO_DATE || state == STATUS_EDITED || state == STATUS_MISSING ? 0 : 1;
}

int
cmd_status(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    StatusResult result;
    if (!cli_load_config(call, &config, &err) ||
        !flow_status(call->arena, &(FlowInput){.config = &config, .self_exe = cli_self_exe(call),
                                                  .tick = cli_tick},
                     &result, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_status_json(&w, &result);
        cli_print(call, &w.out);
    } else {
        Buf b;
        buf_init(&b, call->arena);
        report_status_text(&b, &call->term_out, &result, cli_flag(call, "verbose"));
        cli_print(call, &b);
    }
    return call->spec->prisma_status ? prisma_exit(result.state) : (int)result.state;
}
