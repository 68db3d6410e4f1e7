/* lint, stats save. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/lint.h"

static void
print_annotations(const CmdCall *call, const LintResult *r)
{
    const char *actions = os_env("GITHUB_ACTIONS");
    Buf text;
    buf_init(&text, call->arena);
    if (actions && strcmp(actions, "true") == 0)
        findings_github(&text, &r->findings, os_env("GITHUB_WORKSPACE"));
    cli_print(call, &text);
}

int
cmd_lint(CmdCall *call)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    Err err;
    LintResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    VEC(const char *) names = {0};
    for (size_t i = 0; cli_arg(call, i); i++)
        *vec_add(a, &names) = cli_arg(call, i);
    LintInput in = {.base = cli_flow_input(call, &config),
                    .names = names.v,
                    .nnames = names.n,
                    .with_database = cli_given(call, "url") || cli_given(call, "env"),
                    .stats = cli_text(call, "stats"),
                    .baseline = cli_text(call, "baseline"),
                    .no_baseline = cli_flag(call, "no-baseline"),
                    .writes_baseline = cli_flag(call, "write-baseline")};
    if (in.with_database && in.stats) {
        err_set(&err, ERR_USAGE, "--stats is for where no database is asked");
        return cli_fail(call, &err);
    }
    if (in.with_database)
        cli_note_target(call, &config);
    if (!flow_lint(a, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json) {
        report_lint_json(&out.json, &r);
    } else if (cli_flag(call, "sarif") || cli_flag(call, "gitlab")) {
        out.is_json = true;
        jw_init(&out.json, a, true);
        (cli_flag(call, "sarif") ? report_lint_sarif : report_lint_gitlab)(&out.json, &r);
    } else if (cli_flag(call, "markdown")) {
        report_lint_markdown(&out.text, &r);
    } else {
        report_lint_text(&out.text, &call->term_out, &r, cli_flag(call, "all"));
        print_annotations(call, &r);
    }
    cli_answer_print(call, &out);
    return in.writes_baseline ? 0 : cli_findings_status(call, &r.findings);
}

int
cmd_stats_save(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    StatsResult r;
    FlowInput in;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    cli_note_target(call, &config);
    in = cli_flow_input(call, &config);
    if (!flow_stats_save(call->arena, &in, cli_arg(call, 0), &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_stats_json(&out.json, &r);
    else
        report_stats_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}
