/* generate: run the project's own generator. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/error.h"
#include "report/generate.h"

/* With --json the tool's words go beside the result. */
static void
on_output(void *arg, Str line)
{
    const CmdCall *call = arg;
    FILE *to = cli_flag(call, "json") ? call->err : call->out;
    fwrite(line.p, 1, line.n, to);
    fflush(to);
}

static int
finish(CmdCall *call, const GenerateResult *r, Err *err)
{
    Buf b;
    buf_init(&b, call->arena);
    if (err)
        cli_finish_error(call, err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_generate_json(&w, r, err);
        cli_print(call, &w.out);
    } else if (!err && !cli_flag(call, "quiet")) {
        report_generate_text(&b, &call->term_out, r);
        cli_print(call, &b);
    }
    if (!err)
        return 0;
    buf_clear(&b);
    error_text(&b, &call->term_err, err);
    fputs(b.p, call->err);
    return cli_status(call, err);
}

int
cmd_generate(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    GenerateInput in = {
        .base = cli_flow_input(call, &config),
        .arguments = call->args.v,
        .argument_count = call->args.n,
        .on_output = on_output,
        .arg = call,
        .is_colored = call->term_out.color && !cli_flag(call, "json"),
    };
    GenerateResult r;
    if (cli_flag(call, "dry-run")) {
        if (!flow_generate_find(call->arena, &in, &r, &err))
            return cli_fail(call, &err);
        if (cli_flag(call, "json"))
            return finish(call, &r, NULL);
        fprintf(call->out, "%s\n",
                r.tool ? report_generate_line(call->arena, &r) : "nothing to generate");
        return 0;
    }
    bool ok = flow_generate(call->arena, &in, &r, &err);
    return finish(call, &r, ok ? NULL : &err);
}
