/* execute, and `db execute` as Prisma spells it: a script, run by the protocol of a deploy. */
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/scripts.h"

#include "base/fs.h"
#include "base/os.h"
#include "report/scripts.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static const char from_input[] = "standard input";

/* Ctrl-C ends it, also at a terminal. */
static bool
read_input(Arena *a, Str *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    char chunk[65536];
    for (;;) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        while (!os_signal_pending() && poll(&in, 1, 100) <= 0)
            ;
        if (os_signal_pending())
            return err_set(err, ERR_INTERRUPTED,
                           "interrupted while the script was read; nothing was changed");
        ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read standard input: %s", strerror(errno));
        if (n == 0)
            break;
        if (b.n + (size_t)n > MIGRATION_MAX)
            return err_set(err, ERR_IO, "standard input is too long for a script");
        buf_add(&b, (Str){chunk, (size_t)n});
    }
    *ret = buf_str(&b);
    return true;
}

/* Which script; *ret_again: how to type the command. */
static bool
choose(const CmdCall *call, const char **ret_path, const char **ret_again, Err *err)
{
    const char *option = cli_text(call, "file"), *arg = cli_arg(call, 0);
    bool input = cli_flag(call, "stdin");
    const char *name = call->spec->prisma_status ? "db execute" : "execute";
    *ret_path = option ? option : arg;
    if ((option != NULL) + (arg != NULL) + input != 1) {
        err_set(err, ERR_USAGE,
                *ret_path ? "one script is run: a file, or standard input, not both"
                          : "which script? give a file, or --stdin");
        return err_hint(err, "aramid %s --file fix.sql", name);
    }
    *ret_again =
        input ? str_fmt(call->arena, "%s --stdin", name)
              : str_fmt(call->arena, "%s --file %s", name, str_shell(call->arena, *ret_path));
    return true;
}

static bool
read_script(const CmdCall *call, const char *path, const char *run_id, History *ret, Err *err)
{
    Arena *a = call->arena;
    const Script s = {.kind = SCRIPT_EXECUTED, .run_id = run_id, .again = true};
    Str text;
    *ret = scripts_new(a);
    if (path)
        return scripts_add_file(a, ret, &s, path, path, err) ||
               err_hint(err, "paths are relative to %s",
                        cli_given(call, "directory") ? "the folder of -C" : "this folder");
    if (!read_input(a, &text, err))
        return false;
    scripts_add_text(a, ret, &s, from_input, text);
    return true;
}

static int
finish(CliRun *run, const ScriptsResult *r, const char *again, const Err *err)
{
    CliEnd end = cli_run_end(run, err);
    if (end.out.is_json)
        report_execute_json(&end.out.json, r, err, end.dir, end.is_plan);
    else if (!err && end.is_plan)
        report_execute_plan(&end.out.text, &run->call->term_out, r, again);
    else if (!err)
        report_execute_text(&end.out.text, &run->call->term_out, r, end.shown);
    return cli_run_answer(run, &end, err);
}

int
cmd_execute(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    const char *path, *again;
    History scripts;
    ScriptsResult result;
    if (!choose(call, &path, &again, &err) || !cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    if (!read_script(call, path, run.id, &scripts, &err)) {
        cli_run_close(&run, NULL);
        return cli_fail(call, &err);
    }
    const char *tx = config.values[CFG_TX].text;
    ScriptsInput in = {
        .base = cli_flow_input(call, &config),
        .sink = run.sink,
        .run_id = run.id,
        .show_progress = !cli_flag(call, "quiet"),
        .verb = "execute",
        .again = again,
        .one_tx = tx && strcmp(tx, "all") == 0,
        .many_tx_hint = "--tx file cuts it into several, with a journal",
        .from_start = cli_flag(call, "from-start"),
        .only_plan = cli_flag(call, "dry-run"),
        .accepts_loss = cli_flag(call, "accept-data-loss"),
        .reason = cli_text(call, "reason"),
        .on_plan = cli_keep_scripts,
        .ask = cli_ask_scripts,
        .arg = &run,
    };
    bool ok = flow_scripts(call->arena, &in, &scripts, &result, &err);
    if (!ok)
        cli_finish_error(call, &err);
    return finish(&run, &result, again, ok ? NULL : &err);
}
