/* aramid help. */
#include "cli/commands.h"
#include "run/run.h"

static int
help_all(CmdCall *call, Buf *text)
{
    for (const CmdSpec *const *c = call->table->commands; *c; c++) {
        if (text->n)
            buf_addz(text, "\n\n");
        cli_help_command(text, &call->term_out, call->table, *c);
    }
    return 0;
}

static int
help_topic(CmdCall *call, Buf *text)
{
    Buf name;
    buf_init(&name, call->arena);
    vec_each (const char *, word, &call->args)
        buf_fmt(&name, "%s%s", name.n ? " " : "", *word);
    const CmdSpec *spec = cli_find_command(call->table, buf_str(&name));
    if (spec) {
        cli_help_command(text, &call->term_out, call->table, spec);
    } else if (cli_is_first_word(call->table, buf_str(&name))) {
        cli_help_word(text, &call->term_out, call->table, name.p);
    } else {
        Err err;
        if (!cli_unknown_command(call->arena, call->table, name.p, &err))
            return cli_fail(call, &err);
    }
    return 0;
}

/* One name a line. */
static void
help_failpoints(Buf *text)
{
    for (const char *const *name = run_failpoint_names(); *name; name++)
        buf_fmt(text, "%s\n", *name);
}

int
cmd_help(CmdCall *call)
{
    Buf text;
    buf_init(&text, call->arena);
    int status = 0;
    if (cli_flag(call, "json"))
        cli_help_json(&text, call->table);
    else if (cli_flag(call, "all"))
        status = help_all(call, &text);
    else if (cli_flag(call, "errors"))
        cli_help_errors(&text, &call->term_out);
    else if (cli_flag(call, "failpoints"))
        help_failpoints(&text);
    else if (call->args.n)
        status = help_topic(call, &text);
    else
        cli_help_program(&text, &call->term_out, call->table);
    cli_print(call, &text);
    return status;
}
