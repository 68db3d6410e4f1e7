/* ci: all that is to be known of a pull request, in one command. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/fs.h"
#include "base/os.h"
#include "report/check.h"
#include "report/lint.h"

/* The branch that it goes into, as the pipeline says it; NULL: it does not. */
static const char *
base_of_pipeline(Arena *a)
{
    static const char *const variables[] = {"GITHUB_BASE_REF",
                                            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
                                            "BITBUCKET_PR_DESTINATION_BRANCH", "CHANGE_TARGET"};
    for (size_t i = 0; i < COUNT(variables); i++) {
        const char *name = os_env(variables[i]);
        if (name && *name)
            return str_fmt(a, "origin/%s", name);
    }
    return NULL;
}

static bool
is_github(void)
{
    const char *actions = os_env("GITHUB_ACTIONS");
    return actions && strcmp(actions, "true") == 0;
}

/* Steps behind this one print what they like: the runner hides it there, too. */
static void
mask_secrets(const CmdCall *call, const Config *config)
{
    for (size_t i = 0; is_github() && i < config->secrets.n; i++) {
        bool is_line = !strpbrk(config->secrets.v[i], "\r\n");
        if (is_line)
            fprintf(call->err, "::add-mask::%s\n", config->secrets.v[i]);
    }
}

static bool
write_to(const CmdCall *call, const char *option, const Buf *text, Err *err)
{
    const char *path = cli_text(call, option);
    return !path || fs_replace(path, cli_hidden(call, text), err);
}

static bool
write_files(const CmdCall *call, const CheckResult *r, Err *err)
{
    Buf comment;
    JsonWriter sarif, gitlab;
    buf_init(&comment, call->arena);
    jw_init(&sarif, call->arena, true);
    jw_init(&gitlab, call->arena, true);
    report_check_markdown(&comment, r);
    report_lint_sarif(&sarif, &r->lint);
    report_lint_gitlab(&gitlab, &r->lint);
    const char *summary = is_github() ? os_env("GITHUB_STEP_SUMMARY") : NULL;
    return write_to(call, "comment", &comment, err) && write_to(call, "sarif", &sarif.out, err) &&
           write_to(call, "gitlab", &gitlab.out, err) &&
           (!summary || fs_add(summary, cli_hidden(call, &comment), err));
}

static void
print(CmdCall *call, const CheckResult *r)
{
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_check_json(&out.json, r);
    else
        report_check_text(&out.text, &call->term_out, r);
    if (!out.is_json && is_github())
        findings_github(&out.text, &r->lint.findings, os_env("GITHUB_WORKSPACE"));
    cli_answer_print(call, &out);
}

int
cmd_ci(CmdCall *call)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    Err err;
    CheckResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    mask_secrets(call, &config);
    const char *base = cli_text(call, "base") ? cli_text(call, "base") : base_of_pipeline(a);
    const char *deployed = cli_text(call, "deployed");
    if (!base) {
        err_set(&err, ERR_USAGE, "which branch does it go into?");
        err_hint(&err, "aramid ci --base origin/main; pipelines of GitHub, GitLab, Bitbucket and "
                       "Jenkins say it themselves");
        return cli_fail(call, &err);
    }
    const CheckInput in = {
        .base = cli_flow_input(call, &config),
        .schema = config.schema_path ? cli_shown_path(a, config.schema_path) : NULL,
        .migrations = cli_shown_folders(a, &config),
        .with_database = cli_given(call, "url") || cli_given(call, "env"),
        .against = base,
        .deployed = deployed             ? deployed
                    : config.schema_path ? base
                                         : NULL,
        .rollback = !cli_flag(call, "no-rollback"),
        .only_new = true,
    };
    flow_check(a, &in, &r);
    if (!write_files(call, &r, &err))
        return cli_fail(call, &err);
    print(call, &r);
    return r.exit_status;
}
