/* rollback: the newest migrations are undone. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/rollback.h"

static void
on_plan(void *arg, const RollbackResult *r)
{
    CliRun *run = arg;
    if (r->ways.list.n)
        runlog_script(run->log, report_rollback_script(run->call->arena, r));
}

static bool
ask(void *arg, const Session *s, const RollbackResult *r, Err *err)
{
    CliRun *run = arg;
    CmdCall *call = run->call;
    Arena *a = call->arena;
    const DbInfo *info = db_info(s->db);
    Str answer;
    progress_finish(run->progress);
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b,
            "\n%zu migration%s will be rolled back in database \"%s\" at %s (environment \"%s\"):",
            r->ways.list.n, str_plural((int64_t)r->ways.list.n),
            str_printable(a, str_of(info->database), false),
            str_printable(a, str_of(info->host), false),
            str_printable(a, str_of(r->config->env_name), false));
    vec_each (const Way, w, &r->ways.list)
        buf_fmt(&b, "\n  %s (%s)", str_printable(a, str_of(w->migration->name), false),
                w->path ? str_printable(a, str_of(w->path), false) : "derived");
    vec_each (const RollbackLoss, l, &r->losses)
        buf_fmt(&b, "%s\n  %s", l == r->losses.v ? "\nGone afterwards, with the data:" : "",
                str_printable(a, str_of(l->text), false));
    if (!cli_ask_name(call, b.p, info->database, err))
        return err_hint(err, "aramid rollback --plan shows what would be done");
    if (!r->losses.n || cli_flag(call, "accept-data-loss"))
        return true;
    if (!cli_ask(call, "Data will be gone. Type \"drop\" to go on: ", &answer, err))
        return false;
    return str_is(answer, "drop") ||
           err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

static int
finish(CliRun *run, const RollbackResult *r, const Err *err)
{
    CliEnd end = cli_run_end(run, err);
    if (end.out.is_json)
        report_rollback_json(&end.out.json, r, err, end.dir, end.is_plan);
    else if (!err && end.is_plan)
        report_rollback_plan(&end.out.text, &run->call->term_out, r);
    else if (!err)
        report_rollback_text(&end.out.text, &run->call->term_out, r, end.shown);
    return cli_run_answer(run, &end, err);
}

int
cmd_rollback(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    RollbackResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    RollbackInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .show_progress = !cli_flag(call, "quiet"),
        .to = cli_text(call, "to"),
        .steps = cli_number(call, "steps", 1),
        .failed = cli_flag(call, "failed"),
        .only_plan = cli_flag(call, "plan"),
        .accepts_loss = cli_flag(call, "accept-data-loss"),
        .accepts_rest = cli_flag(call, "accept-unrestored"),
        .reason = cli_text(call, "reason"),
        .on_plan = cli_flag(call, "plan") ? NULL : on_plan,
        .ask = ask,
        .arg = &run,
    };
    bool ok = flow_rollback(call->arena, &in, &result, &err);
    if (!ok)
        cli_finish_error(call, &err);
    return finish(&run, &result, ok ? NULL : &err);
}
