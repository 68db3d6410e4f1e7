/* deploy, and `migrate deploy` as Prisma spells it. */
#include "cli/commands.h"

#include "base/os.h"
#include "report/diag_text.h"
#include "report/migrations.h"
#include "report/progress.h"
#include "report/runlog.h"

#include <unistd.h>

typedef struct Deploy {
    CmdCall *call;
    const Config *config;
    Progress *progress;
    RunLog *log;
    const Target *target;
} Deploy;

static void
on_target(void *arg, const Target *t)
{
    Deploy *d = arg;
    d->target = t;
    if (t->embedded && t->cluster.created)
        cli_note(d->call, "made the embedded PostgreSQL %d of this project in %s\n", t->cluster.major,
                 t->cluster.data_dir);
}

/* One line from standard input; false at its end. */
static bool
read_answer(char *line, size_t size)
{
    if (!fgets(line, (int)size, stdin))
        return false;
    line[strcspn(line, "\r\n")] = 0;
    return true;
}

/* Keep the plan with the log, and ask a person where the environment wants it. */
static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    Deploy *d = arg;
    JsonWriter w;
    jw_init(&w, d->call->arena, true);
    jw_object(&w, NULL);
    report_plan_steps_json(&w, "migrations", plan, false); /* the files have the SQL */
    jw_end(&w);
    runlog_plan(d->log, buf_str(&w.out));
    if (!d->config->values[CFG_CONFIRM].number || cli_flag(d->call, "yes"))
        return true;
    const DbInfo *info = db_info(s->db);
    if (!d->call->term_err.is_tty || !isatty(STDIN_FILENO) || cli_flag(d->call, "json")) {
        err_set(err, ERR_CONFIRM, "environment \"%s\" asks for a confirmation before %zu migration%s "
                                  "applied", d->config->env_name, plan->migrations.n,
                plan->migrations.n == 1 ? " is" : "s are");
        err_detail(err, "target: database \"%s\" at %s", info->database, info->host);
        return err_hint(err, "look at: aramid plan; then confirm with: aramid deploy --yes");
    }
    progress_finish(d->progress);
    Buf b;
    buf_init(&b, d->call->arena);
    buf_fmt(&b, "\n%zu migration%s will be applied to database \"%s\" at %s (environment \"%s\"):\n",
            plan->migrations.n, plan->migrations.n == 1 ? "" : "s", info->database, info->host,
            d->config->env_name);
    vec_each(const MigrationPlan, mp, &plan->migrations) buf_fmt(&b, "  %s\n", mp->migration->name);
    buf_fmt(&b, "Type the name of the database to go on: ");
    fputs(b.p, d->call->err);
    fflush(d->call->err);
    char line[256];
    if (read_answer(line, sizeof line) && strcmp(line, info->database) == 0)
        return true;
    err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
    return err_hint(err, "aramid plan shows what would be done");
}

static int
finish(Deploy *d, const DeployResult *r, const Err *err)
{
    CmdCall *call = d->call;
    progress_finish(d->progress);
    const char *dir = runlog_dir(d->log);
    bool json = cli_flag(call, "json");
    if (err)
        runlog_error(d->log, err);
    if (json) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_deploy_json(&w, r, err, dir);
        cli_print(call, &w.out);
    }
    int status = 0;
    if (!err && !json) {
        Buf b;
        buf_init(&b, call->arena);
        report_deploy_text(&b, &call->term_out, r, dir ? cli_shown_path(call->arena, dir) : NULL);
        cli_print(call, &b);
    } else if (err) {
        Buf b;
        buf_init(&b, call->arena);
        diag_text_error(&b, &call->term_err, err);
        if (dir)
            buf_fmt(&b, "  log: %s\n", cli_shown_path(call->arena, dir));
        fputs(b.p, call->err);
        status = err_exit_status(err);
        if (err->code == ERR_INTERRUPTED && os_signal_pending())
            status = 128 + os_signal_pending();
    }
    runlog_close(d->log);
    return status;
}

int
cmd_deploy(CmdCall *call)
{
    if (cli_flag(call, "dry-run"))
        return cmd_plan(call);
    os_signals_catch();
    Config config;
    Err err;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const char *secrets[] = {config.values[CFG_URL].text, config.values[CFG_DIRECT_URL].text};
    Deploy d = {.call = call, .config = &config};
    char *run_id = runlog_id(call->arena);
    d.log = runlog_open(call->arena, config.project_dir, run_id, secrets, 2);
    d.progress = progress_open(call->arena, call->err, &call->term_err, cli_flag(call, "quiet"),
                               cli_flag(call, "verbose"));
    RunSink log_sink = runlog_sink(d.log);
    DeployInput in = {
        .base = {.config = &config, .self_exe = cli_self_exe(call)},
        .sink = progress_sink(d.progress, &log_sink),
        .run_id = run_id,
        .show_progress = !cli_flag(call, "quiet"),
        .create_database = config.values[CFG_CREATE_DB].number != 0,
        .approve = approve,
        .approve_arg = &d,
        .on_target = on_target,
        .on_target_arg = &d,
    };
    DeployResult result;
    bool ok = flow_deploy(call->arena, &in, &result, &err);
    return finish(&d, &result, ok ? NULL : &err);
}
