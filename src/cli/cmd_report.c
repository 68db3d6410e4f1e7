/* report: a page about a run that is over. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/fs.h"
#include "base/os.h"
#include "flow/told.h"

/* What the run's migrations changed; *why where it cannot be known. */
static const Diff *
find_change(CmdCall *call, const Config *c, const History *h, const char *dir, const char **why)
{
    Arena *a = call->arena;
    Story s;
    Err err;
    CatTexts names = {0};
    const Diff *changed = NULL;
    *why = "The project's folder has none of the run's migrations.";
    if (!cli_run_story(a, dir, &s, &err))
        return NULL;
    vec_each (const StoryMigration, m, &s.migrations)
        if (m->state == STORY_DONE)
            *vec_add(a, &names) = m->name;
    if (!names.n)
        *why = "No migration was applied.";
    const FlowInput in = cli_flow_input(call, c);
    if (names.n && !flow_change_of(a, &in, h, &names, &changed, &err))
        *why = str_fmt(a, "It is not known: %s", err.primary);
    return changed;
}

int
cmd_report(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    const char *dir, *path = cli_text(call, "output"), *why = NULL;
    History history = history_none();
    if (!cli_load_config(call, &config, &err) ||
        !flow_run_folder(call->arena, &config, cli_arg(call, 0), &dir, &err))
        return cli_fail(call, &err);
    bool has_files = config.migrations_dir && flow_history(call->arena, &config, &history, &err);
    CliRun run = {.call = call, .config = &config, .history = has_files ? &history : NULL};
    if (has_files && !cli_flag(call, "no-schema-changes"))
        run.changed = find_change(call, &config, &history, dir, &why);
    path = path ? path : fs_join(call->arena, dir, "report.html");
    if (!cli_run_page(&run, dir, path, why, &err))
        return cli_fail(call, &err);
    Buf out;
    buf_init(&out, call->arena);
    buf_fmt(&out, "%s\n", cli_shown_path(call->arena, path));
    cli_print(call, &out);
    return 0;
}
