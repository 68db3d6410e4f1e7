/* push, and `db push` as Prisma spells it. */
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/schema_input.h"
#include "cli/scripts.h"

#include "base/os.h"
#include "report/push.h"

static bool
ask_losses(void *arg, const PushResult *r, Err *err)
{
    CliRun *run = arg;
    Buf b;
    Str answer;
    progress_finish(run->progress);
    buf_init(&b, run->call->arena);
    buf_addz(&b, "\nThere might be data loss when applying the changes:\n");
    vec_each (const char *const, text, &r->losses)
        buf_fmt(&b, "  %s\n", *text);
    buf_addz(&b, "Data will be gone. Type \"drop\" to go on: ");
    if (!cli_ask(run->call, b.p, &answer, err))
        return false;
    return str_is(answer, "drop") ||
           err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

static int
finish(CliRun *run, PushResult *r, const Err *err)
{
    CliEnd end = cli_run_end(run, err);
    if (err && err->code == ERR_SCHEMA && !end.out.is_json)
        schema_input_print(run->call, run->call->err, &r->diff.diags);
    if (end.out.is_json)
        report_push_json(&end.out.json, r, err, end.dir, end.is_plan);
    else if (!err && end.is_plan)
        report_push_plan(&end.out.text, &run->call->term_out, r);
    else if (!err)
        report_push_text(&end.out.text, &run->call->term_out, r, end.shown);
    return cli_run_answer(run, &end, err);
}

int
cmd_push(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    VEC(const char *) renames = {0};
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "rename") == 0)
            *vec_add(call->arena, &renames) = v->text;
    PushInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .show_progress = !cli_flag(call, "quiet"),
        .create_database = config.values[CFG_CREATE_DB].number != 0,
        .accepts_loss = cli_flag(call, "accept-data-loss"),
        .force_reset = cli_flag(call, "force-reset"),
        .ignores_connections = cli_flag(call, "ignore-connections"),
        .ignores_history = cli_flag(call, "ignore-history"),
        .only_plan = cli_flag(call, "dry-run"),
        .renames = renames.v,
        .nrenames = renames.n,
        .reason = cli_text(call, "reason"),
        .on_plan = cli_keep_scripts,
        .ask = cli_ask_scripts,
        .ask_losses = ask_losses,
        .arg = &run,
    };
    PushResult result;
    bool ok = flow_push(call->arena, &in, &result, &err);
    if (ok && !in.only_plan)
        ok = cli_generate_after(&run, &config, &err);
    if (!ok)
        cli_finish_error(call, &err);
    return finish(&run, &result, ok ? NULL : &err);
}
