/* review. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/review.h"

int
cmd_review(CmdCall *call)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    Err err;
    ReviewResult r;
    VEC(const char *) names = {0};
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    for (size_t i = 0; cli_arg(call, i); i++)
        *vec_add(a, &names) = cli_arg(call, i);
    const ReviewInput in = {.base = cli_flow_input(call, &config),
                            .names = names.v,
                            .nnames = names.n,
                            .by = cli_text(call, "by")};
    if (!flow_review(a, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_review_json(&out.json, &r);
    else
        report_review_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}
