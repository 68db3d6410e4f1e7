/* A command that changes something: its events on the terminal and in a folder of its own. */
#include "cli/run.h"

#include "base/fs.h"
#include "report/run_page.h"

#include <stdio.h>
#include <unistd.h>

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
    CliRun r = {.call = call, .config = config, .id = runlog_id(call->arena)};
    r.log = runlog_open(call->arena, config->project_dir, r.id, &call->secrets);
    r.progress = cli_progress(call, config);
    RunSink log = runlog_sink(r.log);
    r.sink = progress_sink(r.progress,
                           cli_flag(call, "dry-run") || cli_flag(call, "plan") ? NULL : &log);
    return r;
}

bool
cli_run_story(Arena *a, const char *dir, Story *ret, Err *err)
{
    static const char *const files[] = {"plan.json", "events.jsonl"};
    *ret = (Story){0};
    for (size_t i = 0; i < COUNT(files); i++) {
        ARENA_LOCAL(scratch); /* their texts go before the page is made */
        Str text;
        if (!fs_read(scratch, fs_join(scratch, dir, files[i]), 0, &text, err)) {
            if (i)
                return false;
            continue; /* a run that failed before it had a plan */
        }
        if (i)
            story_events(a, ret, text);
        else
            story_plan(a, ret, text);
    }
    return true;
}

bool
cli_run_page(const CliRun *r, const char *dir, const char *path, const char *no_diff, Err *err)
{
    ARENA_LOCAL(a);
    Story story;
    if (!cli_run_story(a, dir, &story, err))
        return false;
    Erd *erd = NULL;
    if (r->changed) {
        erd = erd_of_diff(a, r->changed);
        if (!erd_choose(erd, &(ErdChoice){0}, err))
            return false;
        erd_layout(erd);
    }
    const RunPage page = {.story = &story,
                          .history = r->history,
                          .erd = erd,
                          .no_erd = no_diff,
                          .secrets = &r->call->secrets};
    const char *part = str_fmt(a, "%s.part", path);
    unlink(part);
    FILE *file = fopen(part, "wxe");
    bool ok = file && report_run_page(file, &page);
    ok = file && fclose(file) == 0 && ok && rename(part, path) == 0;
    if (ok)
        return true;
    unlink(part);
    return err_set(err, ERR_IO, "cannot write %s",
                   str_printable(r->call->arena, str_of(path), false));
}

void
cli_run_close(CliRun *r, const Err *err)
{
    progress_finish(r->progress);
    if (err)
        runlog_error(r->log, err);
    else
        runlog_done(r->log);
    runlog_close(r->log);
    const char *dir = runlog_dir(r->log);
    Err ignored; /* only a comfort */
    if (!dir || !r->history || !r->config->values[CFG_RUNS_REPORT].number ||
        cli_run_page(
            r, dir, fs_join(r->call->arena, dir, "report.html"),
            "aramid report draws it: this run did not look at the schema before and after.",
            &ignored))
        return;
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
