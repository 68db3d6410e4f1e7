/* lint. */
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
    LintInput in = {.base = cli_flow_input(call, &config), .names = names.v, .nnames = names.n};
    if (!flow_lint(a, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json) {
        report_lint_json(&out.json, &r);
    } else if (cli_flag(call, "sarif")) {
        out.is_json = true;
        jw_init(&out.json, a, true);
        report_lint_sarif(&out.json, &r);
    } else {
        report_lint_text(&out.text, &call->term_out, &r, cli_flag(call, "all"));
        print_annotations(call, &r);
    }
    cli_answer_print(call, &out);
    return cli_findings_status(call, &r.findings);
}
