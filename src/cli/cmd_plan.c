/* plan, and deploy --dry-run. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "cli/telling.h"
#include "report/migrations.h"

static void
tell_planned(CmdCall *call, const Config *config, const PlanResult *r)
{
    Word w;
    cli_word(call, config, WORD_PLANNED, r->server, &w);
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        *vec_add(call->arena, &w.migrations) = (WordMigration){.name = mp->migration->name};
    cli_word_send(call, config, &w);
}

int
cmd_plan(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    PlanResult result;
    if (!cli_load_config(call, &config, &err) ||
        !flow_plan(
            call->arena,
            &(FlowInput){.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
            &result, &err))
        return cli_fail(call, &err);
    cli_note_target(call, &config);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_plan_json(&out.json, &result);
    else
        report_plan_text(&out.text, &call->term_out, &result, true);
    cli_answer_print(call, &out);
    if (cli_given(call, "notify") && result.plan.migrations.n)
        tell_planned(call, &config, &result);
    return cli_findings_status(call, &result.findings);
}
