/* Asking before scripts are run, and keeping their plan. */
#include "cli/scripts.h"

#include "flow/generate.h"
#include "report/migrations.h"

void
cli_keep_scripts(void *arg, const ScriptsResult *r)
{
    CliRun *run = arg;
    JsonWriter w;
    if (cli_flag(run->call, "dry-run"))
        return;
    jw_init(&w, run->call->arena, true);
    jw_object(&w, NULL);
    report_plan_steps_json(&w, "scripts", &r->plan.plan, NULL, true);
    jw_end(&w);
    runlog_plan(run->log, buf_str(&w.out));
}

bool
cli_ask_scripts(void *arg, const ScriptsResult *r, Err *err)
{
    CliRun *run = arg;
    CmdCall *call = run->call;
    Arena *a = call->arena;
    Str answer;
    progress_finish(run->progress);
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "\nThis will be done to database \"%s\" at %s (environment \"%s\"):",
            str_printable(a, str_of(r->server->database), false),
            str_printable(a, str_of(r->server->host), false),
            str_printable(a, str_of(r->config->env_name), false));
    vec_each (const MigrationPlan, mp, &r->plan.plan.migrations)
        buf_fmt(&b, "\n  %s is run", str_printable(a, str_of(mp->migration->path), false));
    if (r->more)
        buf_fmt(&b, "\n  %s", str_printable(a, str_of(r->more), false));
    vec_each (const PlanLoss, l, &r->losses)
        buf_fmt(&b, "%s\n  %s:%d: %s", l == r->losses.v ? "\nGone afterwards, with the data:" : "",
                str_printable(a, str_of(l->mp->migration->path), false), l->line,
                str_printable(a, str_of(l->what), false));
    if (!cli_ask_name(call, b.p, r->server->database, err))
        return err_hint(err, "--dry-run shows what would be done");
    if (!r->losses.n || cli_flag(call, "accept-data-loss"))
        return true;
    if (!cli_ask(call, "Data will be gone. Type \"drop\" to go on: ", &answer, err))
        return false;
    return str_is(answer, "drop") ||
           err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

/* With --json the command's words go beside the result. */
static FILE *
beside(const CmdCall *call)
{
    return cli_flag(call, "json") ? call->err : call->out;
}

void
cli_tell_command(void *arg, const char *line)
{
    CliRun *run = arg;
    Arena *a = run->call->arena;
    progress_finish(run->progress);
    if (cli_flag(run->call, "quiet"))
        return;
    fprintf(beside(run->call), "Running seed command `%s` ...\n",
            str_printable(a, str_of(line), false));
    fflush(beside(run->call));
}

void
cli_pass_output(void *arg, Str line)
{
    CliRun *run = arg;
    fwrite(line.p, 1, line.n, beside(run->call));
    fflush(beside(run->call));
}

bool
cli_generate_after(CliRun *run, const Config *config, Err *err)
{
    const CmdCall *call = run->call;
    GenerateResult r;
    const GenerateInput in = {.base = cli_flow_input(call, config),
                              .on_output = cli_pass_output,
                              .arg = run,
                              .is_colored = call->term_out.color && !cli_flag(call, "json")};
    if (cli_flag(call, "skip-generate") || !flow_generate_find(call->arena, &in, &r, err))
        return cli_flag(call, "skip-generate");
    if (!r.tool)
        return true;
    progress_finish(run->progress);
    return flow_generate(call->arena, &in, &r, err) ||
           err_detail(err, "the database is as it should be; only this is missing");
}
