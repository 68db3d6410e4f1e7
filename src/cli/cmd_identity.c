/* identity show, set, forget. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/identity.h"

static bool
ask(void *arg, const Session *s, const Identity *before, Err *err)
{
    CliRun *k = arg;
    Arena *a = k->call->arena;
    const DbInfo *info = db_info(s->db);
    progress_finish(k->progress);
    return cli_ask_name(
        k->call,
        str_fmt(a,
                "\nDatabase \"%s\" at %s says that it is \"%s\", and nothing shows that "
                "it is a copy.\nAfterwards it will no longer be protected as \"%s\".",
                str_printable(a, str_of(info->database), false),
                str_printable(a, str_of(info->host), false),
                str_printable(a, str_of(before->environment), false),
                str_printable(a, str_of(before->environment), false)),
        info->database, err);
}

static int
run(CmdCall *call, IdentityAction action)
{
    os_signals_catch();
    Config config;
    Err err;
    const char *env = cli_text(call, "env"),
               *wanted = action == IDENTITY_SET ? cli_arg(call, 0) : NULL;
    if (wanted && env && !config_same_environment(env, wanted)) {
        err_set(&err, ERR_USAGE, "--env names \"%s\", but the database is to be marked as \"%s\"",
                str_printable(call->arena, str_of(env), false),
                str_printable(call->arena, str_of(wanted), false));
        err_hint(&err, "leave --env out; --url names the database where it is another one");
        return cli_fail(call, &err);
    }
    if (!(wanted ? cli_load_config_for(call, wanted, &config, &err)
                 : cli_load_config(call, &config, &err)))
        return cli_fail(call, &err);
    CliRun of = cli_run_open(call, &config);
    IdentityInput in = {
        .base = cli_flow_input(call, &config),
        .action = action,
        .name = action == IDENTITY_SET ? cli_text(call, "name") : NULL,
        .sink = of.sink,
        .run_id = of.id,
        .ask = ask,
        .ask_arg = &of,
    };
    IdentityResult r;
    bool ok = flow_identity(call->arena, &in, &r, &err);
    cli_run_close(&of, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_identity_json(&out.json, &r);
    else
        report_identity_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}

int
cmd_identity_show(CmdCall *call)
{
    return run(call, IDENTITY_SHOW);
}

int
cmd_identity_set(CmdCall *call)
{
    return run(call, IDENTITY_SET);
}

int
cmd_identity_forget(CmdCall *call)
{
    return run(call, IDENTITY_FORGET);
}
