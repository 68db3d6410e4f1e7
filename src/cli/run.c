/* A command that changes something: its events on the terminal and in a folder of its own. */
#include "cli/run.h"

static const char *
with_options(const void *arg, Arena *a, const char *text)
{
    return strstr(text, "aramid ") ? str_dup(a, cli_again(a, arg, str_of(text))) : text;
}

Progress *
cli_progress(CmdCall *call, const Config *config)
{
    Progress *p = progress_open(call->arena, call->err, &call->term_err, cli_flag(call, "quiet"),
                                cli_flag(call, "verbose"), &call->secrets, &config->finding_rules);
    progress_words(p, (ProgressWords){with_options, call});
    return p;
}

CliRun
cli_run_open(CmdCall *call, const Config *config)
{
    CliRun r = {.call = call, .id = runlog_id(call->arena)};
    r.log = runlog_open(call->arena, config->project_dir, r.id, &call->secrets);
    r.progress = cli_progress(call, config);
    RunSink log = runlog_sink(r.log);
    r.sink = progress_sink(r.progress,
                           cli_flag(call, "dry-run") || cli_flag(call, "plan") ? NULL : &log);
    return r;
}

void
cli_run_close(CliRun *r, const Err *err)
{
    progress_finish(r->progress);
    if (err)
        runlog_error(r->log, err);
    runlog_close(r->log);
}

CliEnd
cli_run_end(CliRun *r, const Err *err)
{
    CmdCall *call = r->call;
    const char *dir = runlog_dir(r->log);
    cli_run_close(r, err);
    return (CliEnd){.out = cli_answer(call),
                    .is_plan = cli_flag(call, "dry-run") || cli_flag(call, "plan"),
                    .dir = dir,
                    .shown = dir ? cli_shown_path(call->arena, dir) : NULL};
}

int
cli_run_answer(CliRun *r, CliEnd *end, const Err *err)
{
    CmdCall *call = r->call;
    if (err && !end->out.is_json)
        return cli_fail(call, err);
    cli_answer_print(call, &end->out);
    return err ? cli_status(call, err) : 0;
}
