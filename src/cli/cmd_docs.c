/* docs: the project's runbook. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/clock.h"
#include "base/fs.h"
#include "report/runbook.h"

typedef struct Writing {
    CmdCall *call;
    const char *dir;
    CliAnswer out;
    size_t written;
    bool is_check;
} Writing;

static bool
is_ours(Str text)
{
    return str_starts(text, str_of(report_runbook_mark));
}

typedef struct Page {
    const char *name;
    Str text, before;
    bool is_there;
} Page;

/* Before any of them is written. */
static bool
look_at(const Writing *w, Page *p, Err *err)
{
    const char *path = fs_join(w->call->arena, w->dir, p->name);
    if (!fs_read_if_there(w->call->arena, path, &p->is_there, &p->before, err))
        return false;
    if (!p->is_there || is_ours(p->before) || cli_flag(w->call, "force"))
        return true;
    err_set(err, ERR_EXISTS, "%s is not of `aramid docs`", cli_shown_path(w->call->arena, path));
    return err_hint(err, "another folder: aramid docs --to DIR; or --force, which replaces it");
}

static bool
write_page(Writing *w, const Page *p, Err *err)
{
    const char *path = fs_join(w->call->arena, w->dir, p->name);
    bool differs = !p->is_there || report_runbook_differs(p->before, p->text);
    w->written += differs;
    buf_fmt(&w->out.text, "%s %s\n", cli_shown_path(w->call->arena, path),
            !differs      ? "is as it should be"
            : w->is_check ? "is not as it should be"
                          : "written");
    return !differs || w->is_check ||
           (fs_mkdirs(w->dir, 0755, err) && fs_replace(path, p->text, err));
}

/* Of production, staging and the project's own environments; the one of this call first. */
static bool
load_all(CmdCall *call, const Config *own, RunbookInput *in, Err *err)
{
    Arena *a = call->arena;
    VEC(Config) list = {0};
    VEC(const char *) names = {0};
    vec_each (const char *const, name, &own->environments)
        *vec_add(a, &names) = *name;
    if (!names.n) {
        *vec_add(a, &names) = "staging";
        *vec_add(a, &names) = "production";
    }
    *vec_add(a, &list) = *own;
    vec_each (const char *const, name, &names) {
        Config one;
        if (config_same_environment(*name, own->env_name))
            continue;
        if (!cli_load_config_for(call, *name, &one, err))
            return false;
        *vec_add(a, &list) = one;
    }
    in->configs = list.v;
    in->count = list.n;
    return true;
}

int
cmd_docs(CmdCall *call)
{
    Arena *a = call->arena;
    Config config;
    Err err;
    History history;
    RunbookInput in = {.history = &history,
                       .date = str_dup(a, str_slice(str_of(clock_iso(a, clock_wall_us())), 0, 10))};
    Buf pipeline, guide;
    buf_init(&pipeline, a);
    buf_init(&guide, a);
    if (!cli_load_config(call, &config, &err) || !flow_history(a, &config, &history, &err) ||
        !load_all(call, &config, &in, &err))
        return cli_fail(call, &err);
    const char *to = cli_text(call, "to");
    Writing w = {.call = call,
                 .dir = to ? to : fs_join(a, config.project_dir, "docs"),
                 .out = cli_answer(call),
                 .is_check = cli_flag(call, "check")};
    report_runbook_pipeline(&pipeline, &in);
    report_runbook_guide(&guide, &in);
    Page pages[] = {{.name = "MIGRATION_PIPELINE.md", .text = cli_hidden(call, &pipeline)},
                    {.name = "DEPLOYMENT_GUIDE.md", .text = cli_hidden(call, &guide)}};
    if (!look_at(&w, &pages[0], &err) || !look_at(&w, &pages[1], &err) ||
        !write_page(&w, &pages[0], &err) || !write_page(&w, &pages[1], &err))
        return cli_fail(call, &err);
    cli_answer_print(call, &w.out);
    return w.is_check && w.written ? 1 : 0;
}
