/* resolve, and `migrate resolve` as Prisma spells it. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/migrations.h"

static bool
ask(void *arg, const Session *s, Err *err)
{
    CliRun *r = arg;
    Arena *a = r->call->arena;
    const DbInfo *info = db_info(s->db);
    progress_finish(r->progress);
    return cli_ask_name(r->call,
                        str_fmt(a,
                                "\nThe migration history of database \"%s\" at %s will be changed.",
                                str_printable(a, str_of(info->database), false),
                                str_printable(a, str_of(info->host), false)),
                        info->database, err);
}

int
cmd_resolve(CmdCall *call)
{
    if (cli_given(call, "auto"))
        return cmd_decide(call);
    os_signals_catch();
    Config config;
    Err err;
    ResolveResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    ResolveInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .reason = cli_text(call, "reason"),
        .applied = cli_text(call, "applied"),
        .up_to = cli_text(call, "up-to"),
        .history = cli_text(call, "history"),
        .rolled_back = cli_text(call, "rolled-back"),
        .force = cli_flag(call, "force"),
        .never_asks = call->spec->prisma_status,
        .ask = ask,
        .ask_arg = &run,
    };
    bool ok = flow_resolve(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_resolve_json(&out.json, &result);
    else
        report_resolve_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return 0;
}
