/* resolve, and `migrate resolve` as Prisma spells it. */
#include "cli/commands.h"

#include "base/os.h"
#include "report/migrations.h"
#include "report/progress.h"

int
cmd_resolve(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    ResolveResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    if (config.values[CFG_CONFIRM].number && !cli_flag(call, "yes") && !call->spec->prisma_status) {
        err_set(&err, ERR_CONFIRM, "environment \"%s\" asks for a confirmation before its history is "
                                   "changed", config.env_name);
        err_hint(&err, "add --yes");
        return cli_fail(call, &err);
    }
    Progress *progress = progress_open(call->arena, call->err, &call->term_err,
                                       cli_flag(call, "quiet"), false, &call->secrets);
    ResolveInput in = {
        .base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
        .sink = progress_sink(progress, NULL),
        .applied = cli_text(call, "applied"),
        .up_to = cli_text(call, "up-to"),
        .rolled_back = cli_text(call, "rolled-back"),
        .force = cli_flag(call, "force"),
    };
    bool ok = flow_resolve(call->arena, &in, &result, &err);
    progress_finish(progress);
    if (!ok)
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_resolve_json(&w, &result);
        cli_print(call, &w.out);
    } else {
        Buf b;
        buf_init(&b, call->arena);
        report_resolve_text(&b, &call->term_out, &result);
        cli_print(call, &b);
    }
    return 0;
}
