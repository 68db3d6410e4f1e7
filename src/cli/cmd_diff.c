/* diff, and `migrate diff` as Prisma spells it. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "cli/schema_input.h"
#include "cli/sides.h"

#include "base/fs.h"
#include "base/os.h"
#include "report/diff.h"
#include "report/finding.h"

/* JSON or SQL: into the file of -o, or on standard output. */
static bool
put(const CmdCall *call, Str text, Err *err)
{
    const char *path = cli_text(call, "output");
    if (path)
        return fs_replace(path, text, err);
    cli_print_exactly(call, text);
    return true;
}

static bool
show(const CmdCall *call, const DiffResult *r, Err *err)
{
    Buf b;
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_diff_json(&w, r);
        return put(call, buf_str(&w.out), err);
    }
    buf_init(&b, call->arena);
    if (!cli_flag(call, "script")) {
        const char *path = cli_text(call, "output");
        report_diff_text(&b, path ? &(Term){0} : &call->term_out, r);
        if (path)
            return fs_replace(path, cli_hidden(call, &b), err);
        cli_print(call, &b);
        return true;
    }
    findings_text(&b, &call->term_err, &r->findings);
    cli_tell(call, &b);
    if (!flow_diff_can_run(call->arena, r->diff, err))
        return false;
    return put(call, r->script, err);
}

int
cmd_diff(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    DiffResult result;
    const char *prisma = cli_text(call, "prisma");
    DiffInput in = {
        .sides = {.base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
                  .prisma = prisma ? *prisma - '0' : 0},
        .prisma_compat = cli_flag(call, "prisma-compat"),
    };
    if (!cli_load_config(call, &config, &err) ||
        !cli_side(call, "from", &config, &in.sides.from, &err) ||
        !cli_side(call, "to", &config, &in.sides.to, &err))
        return cli_fail(call, &err);
    CatTexts renames = cli_renames(call);
    in.renames = renames.v;
    in.nrenames = renames.n;
    bool ok = flow_diff(call->arena, &in, &result, &err);
    if (result.diags.counts[SEV_ERROR])
        schema_input_print(call, call->err, &result.diags);
    if (!ok || !show(call, &result, &err))
        return cli_fail(call, &err);
    int status = cli_findings_status(call, &result.findings);
    return status ? status : cli_flag(call, "exit-code") && result.diff->changes.n ? 2 : 0;
}
