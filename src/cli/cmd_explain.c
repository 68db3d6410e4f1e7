#include "cli/commands.h"
#include "cli/cli_int.h"

#include "report/explain.h"

/* The names that are like the word, of errors and findings. */
static bool
unknown(Arena *a, const char *word, Err *err)
{
    err_set(err, ERR_USAGE, "there is no error or finding %s", cli_quotable(a, str_of(word)));
    CliNearest near = cli_nearest_begin(str_of(word));
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++)
        cli_nearest_try(&near, err_info((ErrCode)code)->name);
    if (near.best)
        err_hint(err, "did you mean the error %s?", near.best);
    err_hint(err, "findings: %s", finding_nearest(a, str_of(word)));
    return err_hint(err, "`aramid explain` lists them all");
}

int
cmd_explain(CmdCall *call)
{
    Err err;
    const char *word = cli_arg(call, 0);
    ExplainedVec list = explain_find(call->arena, word);
    if (!list.n) {
        unknown(call->arena, word, &err);
        return cli_fail(call, &err);
    }
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        explain_json(&out.json, &list);
    else
        explain_text(&out.text, &call->term_out, &list);
    cli_answer_print(call, &out);
    return 0;
}
