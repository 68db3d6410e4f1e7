/* sync, fix, and resolve --auto: parts of one flow. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/reconcile.h"

static bool
ask(void *arg, const Session *s, size_t repairs, Err *err)
{
    CliRun *r = arg;
    Arena *a = r->call->arena;
    const DbInfo *info = db_info(s->db);
    progress_finish(r->progress);
    return cli_ask_name(
        r->call,
        str_fmt(a,
                "\n%zu repair%s of the migration history of database \"%s\" at %s, as said above. "
                "Tables of yours are not touched.",
                repairs, str_plural((int64_t)repairs),
                str_printable(a, str_of(info->database), false),
                str_printable(a, str_of(info->host), false)),
        info->database, err);
}

static int
reconcile(CmdCall *call, ReconcileScope scope, const char *verb)
{
    os_signals_catch();
    Config config;
    Err err;
    ReconcileResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    ReconcileInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .verb = verb,
        .reason = cli_text(call, "reason"),
        .scope = scope,
        .only = cli_text(call, "auto"),
        .dry_run = cli_flag(call, "dry-run"),
        .ask = ask,
        .ask_arg = &run,
    };
    bool ok = flow_reconcile(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_reconcile_json(&out.json, &result);
    else
        report_reconcile_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return result.exit_status;
}

int
cmd_sync(CmdCall *call)
{
    return reconcile(call, RECONCILE_ALL, "sync");
}

int
cmd_fix(CmdCall *call)
{
    return reconcile(call, RECONCILE_LEDGER, "fix");
}

int
cmd_decide(CmdCall *call)
{
    return reconcile(call, RECONCILE_DECIDE, "resolve");
}
