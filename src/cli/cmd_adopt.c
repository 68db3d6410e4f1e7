/* adopt: from one tool's history to another's. */
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
                                "\nDatabase \"%s\" at %s will get the migration history of %s; its "
                                "tables stay as they are.",
                                str_printable(a, str_of(info->database), false),
                                str_printable(a, str_of(info->host), false), cli_arg(r->call, 0)),
                        info->database, err);
}

int
cmd_adopt(CmdCall *call)
{
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
        .adopts = cli_arg(call, 0),
        .up_to = cli_text(call, "up-to"),
        .force = cli_flag(call, "force"),
        .dry_run = cli_flag(call, "dry-run"),
        .ask = ask,
        .ask_arg = &run,
    };
    bool ok = flow_resolve(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_adopt_json(&out.json, &result);
    else
        report_adopt_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return 0;
}
