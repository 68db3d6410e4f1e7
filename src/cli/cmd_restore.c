/* restore, and backup verify --drill. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/error.h"
#include "report/failure.h"
#include "report/restore.h"

/* A database is only replaced by somebody who types its name. */
static bool
approve(void *arg, const RestoreReport *r, Err *err)
{
    CliRun *x = arg;
    CmdCall *call = x->call;
    const char *typed = cli_text(call, "confirm");
    if (!r->replaces)
        return true;
    const char *name = str_printable(call->arena, str_of(r->database), false);
    if (typed && strcmp(typed, r->database) == 0)
        return true;
    if (typed) {
        err_set(err, ERR_CONFIRM, "--confirm says another name than the database's, \"%s\"", name);
        return err_hint(err,
                        "is it the right database? aramid restore --replace --dry-run shows it");
    }
    if (!cli_can_ask(call)) {
        err_set(err, ERR_CONFIRM, "database \"%s\" would be replaced, and nobody can be asked",
                name);
        return err_hint(err, "look at: aramid restore --replace --dry-run; then add: --confirm %s",
                        str_shell(call->arena, r->database));
    }
    progress_finish(x->progress);
    Buf b;
    buf_init(&b, call->arena);
    buf_addc(&b, '\n');
    report_restore_plan(&b, &call->term_err, r);
    buf_addz(&b, "Type the name of the database to go on: ");
    Str answer;
    if (!cli_ask(call, b.p, &answer, err))
        return false;
    if (str_is(answer, r->database))
        return true;
    return err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

typedef bool (*Flow)(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err);

/* The error, and what else a person looks at first. */
static int
fail(CmdCall *call, const RestoreReport *r, const Err *err)
{
    Failure failure;
    if (!failure_of_restore(call->arena, r, err, &failure))
        return cli_fail(call, err);
    Err shown = *err;
    cli_finish_error(call, &shown);
    if (failure.restore)
        failure.restore =
            str_dup(call->arena, cli_again(call->arena, call, str_of(failure.restore)));
    Buf b;
    buf_init(&b, call->arena);
    error_text(&b, &call->term_err, &shown);
    failure_text(&b, &call->term_err, &failure);
    Str text = cli_hidden(call, &b);
    fwrite(text.p, 1, text.n, call->err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        jw_object(&w, NULL);
        error_json(&w, "error", &shown);
        failure_json(&w, &failure);
        jw_end(&w);
        cli_print(call, &w.out);
    }
    return cli_status(call, &shown);
}

static int
run(CmdCall *call, Flow flow, void (*text)(Buf *, const Term *, const RestoreReport *))
{
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const char *into = cli_text(call, "into");
    url_add_secrets(call->arena, into, &call->secrets);
    CliRun x = cli_run_open(call, &config);
    RestoreInput in = {
        .base = {.config = &config,
                 .self_exe = cli_self_exe(call),
                 .tick = cli_tick,
                 .yes = true, /* the name that is typed is the answer: approve */
                 .can_ask = cli_can_ask(call)},
        .sink = x.sink,
        .run_id = x.id,
        .backup = cli_arg(call, 0),
        .name = cli_text(call, "name"),
        .into = into,
        .only = cli_text(call, "only-tables"),
        .replace = cli_flag(call, "replace"),
        .force = cli_flag(call, "force"),
        .no_owner = cli_flag(call, "no-owner"),
        .no_privileges = cli_flag(call, "no-privileges"),
        .dry_run = cli_flag(call, "dry-run"),
        .approve = approve,
        .approve_arg = &x,
    };
    RestoreReport result;
    bool ok = flow(call->arena, &in, &result, &err);
    cli_run_close(&x, ok ? NULL : &err);
    if (!ok)
        return fail(call, &result, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_restore_json(&out.json, &result);
    else
        text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return cli_findings_status(call, &result.findings);
}

int
cmd_restore(CmdCall *call)
{
    return run(call, flow_restore, report_restore_text);
}

int
cmd_drill(CmdCall *call)
{
    return run(call, flow_drill, report_drill_text);
}
