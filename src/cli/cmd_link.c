/* link: which project of Supabase an environment is. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "report/link.h"

#include <string.h>

/* The environments of aramid.yaml, and the one that is meant now; one that cannot be read with its
 * reason. */
static int
show(CmdCall *call, const Config *general)
{
    LinkShownVec list = {0};
    VEC(const char *) names = {0};
    const char *asked = cli_text(call, "env");
    for (size_t i = 0; i < general->environments.n; i++)
        if (!asked || config_same_environment(asked, general->environments.v[i]))
            *vec_add(call->arena, &names) = general->environments.v[i];
    if (!names.n)
        *vec_add(call->arena, &names) = asked;
    vec_each (const char *const, name, &names) {
        Config config;
        Err err;
        bool ok = *name ? cli_load_config_for(call, *name, &config, &err)
                        : cli_load_config(call, &config, &err);
        if (!ok && !*name)
            return cli_fail(call, &err);
        LinkShown one = ok ? flow_link_show(call->arena, &config) : (LinkShown){.env = *name};
        if (!ok)
            one.problem = str_dup(call->arena, str_of(err.primary));
        if (ok && !one.url && !one.problem && !asked && !general->environments.n)
            continue;
        *vec_add(call->arena, &list) = one;
    }
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_links_json(&out.json, &list);
    else
        report_links_text(&out.text, &call->term_out, &list);
    cli_answer_print(call, &out);
    return 0;
}

static bool
has_password(CmdCall *call, const LinkInput *in)
{
    Config config;
    DbUrl url;
    Err ignored;
    if (!cli_load_config_for(call, in->env, &config, &ignored))
        return false;
    const ConfigValue *v = &config.values[CFG_DIRECT_URL];
    return v->text && url_parse(call->arena, v->text, v->origin, &url, &ignored) && url.password &&
           *url.password && !strchr(v->text, '{');
}

int
cmd_link(CmdCall *call)
{
    Config config;
    ConfigRequest request;
    ConfigProblems problems = {0}; /* the environment may be one that is defined by this */
    Err err;
    const char *variable = cli_text(call, "password-variable");
    if (!cli_load_config_to_look(call, &request, &problems, &config, &err))
        return cli_fail(call, &err);
    LinkInput in = {
        .config = &config,
        .env = cli_text(call, "env"),
        .project_ref = cli_text(call, "project-ref"),
        .pooler = cli_text(call, "pooler-host"),
        .password_variable = variable ? variable : "SUPABASE_DB_PASSWORD",
        .replace = cli_flag(call, "replace"),
    };
    if (!in.project_ref)
        return show(call, &config);
    if (!in.env) {
        err_set(&err, ERR_USAGE, "which environment is project %s?",
                cli_quotable(call->arena, str_of(in.project_ref)));
        err_hint(&err, "aramid link --project-ref REF --env staging");
        return cli_fail(call, &err);
    }
    LinkResult r;
    bool dry_run = cli_flag(call, "dry-run");
    if (!flow_link(call->arena, &in, &r, &err) || (!dry_run && !flow_link_write(&r, &err)))
        return cli_fail(call, &err);
    bool password_set = !dry_run && has_password(call, &in);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_link_json(&out.json, &r, dry_run, password_set);
    else
        report_link_text(&out.text, &call->term_out, &r, dry_run, password_set);
    cli_answer_print(call, &out);
    return 0;
}
