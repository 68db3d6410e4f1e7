/* verify-rollback: up, down and up again, on a private server. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "report/verify_rollback.h"

enum { NOT_BACK_EXIT = 27 };

/* Evidence of all that was tried; a project that cannot be written to is told. */
static void
keep_evidence(const CmdCall *call, const Config *c, const VerifyRollbackResult *r, const char *at)
{
    Arena *a = call->arena;
    Err err;
    JsonWriter w;
    jw_init(&w, a, true);
    report_verify_rollback_json(&w, r, at);
    const char *own = fs_join(a, c->project_dir, ".aramid");
    bool fresh = !fs_exists(own);
    const char *path = fs_join(a, own, "evidence/verify-rollback.json");
    bool ok = fs_mkdirs(fs_dirname(a, path), 0755, &err) &&
              (!fresh || fs_write(fs_join(a, own, ".gitignore"), STR("*\n"), 0644, &err)) &&
              fs_write(path, buf_str(&w.out), 0644, &err);
    if (ok)
        cli_note(call, "Evidence: %s\n", cli_shown_path(a, path));
    else
        cli_note(call, "The evidence could not be kept: %s\n", err.primary);
}

int
cmd_verify_rollback(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    VerifyRollbackResult result;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    VEC(const char *) names = {0};
    for (size_t i = 0; cli_arg(call, i); i++)
        *vec_add(call->arena, &names) = cli_arg(call, i);
    VEC(const char *) seeds = {0};
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "seed") == 0)
            *vec_add(call->arena, &seeds) = v->text;
    VerifyRollbackInput in = {.base = cli_flow_input(call, &config),
                              .names = names.v,
                              .nnames = names.n,
                              .all = cli_flag(call, "all"),
                              .seeds = seeds.v,
                              .nseeds = seeds.n};
    if (!flow_verify_rollback(call->arena, &in, &result, &err))
        return cli_fail(call, &err);
    const char *at = clock_iso(call->arena, clock_wall_us());
    if (result.proofs.n)
        keep_evidence(call, &config, &result, at);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_verify_rollback_json(&out.json, &result, at);
    else
        report_verify_rollback_text(&out.text, &call->term_out, &result);
    cli_answer_print(call, &out);
    return result.wrong ? NOT_BACK_EXIT : 0;
}
