/* reset, and `migrate reset` as Prisma spells it. */
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/scripts.h"

#include "base/os.h"
#include "report/reset.h"

/* The name of the database is the word for all of it. */
static bool
ask(void *arg, const ScriptsResult *r, Err *err)
{
    CliRun *run = arg;
    CmdCall *call = run->call;
    Arena *a = call->arena;
    Buf b;
    progress_finish(run->progress);
    buf_init(&b, a);
    buf_fmt(&b, "\nAll data of database \"%s\" at %s (environment \"%s\") will be lost:",
            str_printable(a, str_of(r->server->database), false),
            str_printable(a, str_of(r->server->host), false),
            str_printable(a, str_of(r->config->env_name), false));
    vec_each (const PlanLoss, l, &r->losses)
        buf_fmt(&b, "\n  %s", str_printable(a, str_of(l->what), false));
    if (!r->losses.n)
        buf_addz(&b, "\n  its tables hold no rows");
    return cli_ask_name(call, b.p, r->server->database, err) ||
           err_hint(err, "--dry-run shows what would be done");
}

static int
finish(CliRun *run, const ResetResult *r, const Err *err)
{
    CliEnd end = cli_run_end(run, err);
    if (end.out.is_json)
        report_reset_json(&end.out.json, r, err, end.dir, end.is_plan);
    else if (!err && end.is_plan)
        report_reset_plan(&end.out.text, &run->call->term_out, r);
    else if (!err)
        report_reset_text(&end.out.text, &run->call->term_out, r, end.shown);
    return cli_run_answer(run, &end, err);
}

int
cmd_reset(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    bool force = cli_flag(call, "force");
    ResetInput in = {
        .base = cli_flow_input(call, &config),
        .command = "reset",
        .sink = run.sink,
        .run_id = run.id,
        .show_progress = !cli_flag(call, "quiet"),
        .create_database = config.values[CFG_CREATE_DB].number != 0,
        .force = force,
        .ignores_connections = cli_flag(call, "ignore-connections"),
        .only_plan = cli_flag(call, "dry-run"),
        .seeds = !cli_flag(call, "skip-seed"),
        .reason = cli_text(call, "reason"),
        .on_plan = cli_keep_scripts,
        .ask = ask,
        .on_command = cli_tell_command,
        .on_output = cli_pass_output,
        .arg = &run,
    };
    in.base.yes = force; /* --yes is what pipelines say to everything */
    ResetResult result;
    bool ok = flow_reset(call->arena, &in, &result, &err);
    if (ok && !in.only_plan)
        ok = cli_generate_after(&run, &config, &err);
    if (!ok)
        cli_finish_error(call, &err);
    return finish(&run, &result, ok ? NULL : &err);
}
