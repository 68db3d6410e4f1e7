/* One deploy of a command: consent, plan and way back kept with its log. */
#include "cli/run.h"

#include "base/os.h"
#include "report/error.h"
#include "report/migrations.h"

typedef struct Deploying {
    const CliRun *run;
    const Config *config;
} Deploying;

static void
on_target(void *arg, const Target *t)
{
    const Deploying *d = arg;
    if (t->embedded && t->cluster.created)
        cli_note(d->run->call, "made the embedded PostgreSQL %d of this project in %s\n",
                 t->cluster.major, t->cluster.data_dir);
}

/* Two environments with one database: said before anything else. What is production for one of
 * them is production for both. */
static void
look_for_twin(const CliRun *run, Config *config)
{
    ConfigTwin twin;
    if (!cli_find_twin(run->call, config, &twin))
        return;
    bool stricter = twin.profile == PROFILE_PRODUCTION && config->profile != PROFILE_PRODUCTION;
    if (stricter) {
        ConfigValue *backup = &config->values[CFG_BACKUP];
        config->values[CFG_CONFIRM].number = 1;
        if (strcmp(backup->origin, "default") == 0)
            backup->number = 1;
    }
    run_find(&run->sink, FINDING_CONFIG_TWIN, NULL,
             "give each environment a database of its own, or one of them another ?schema=",
             "this is also the database of environment \"%s\" (%s)", twin.env_name, twin.origin);
}

/* Keep the plan with the log. */
static bool
approve(void *arg, const Session *s, const Plan *plan, Err *err)
{
    (void)s;
    (void)err;
    const Deploying *d = arg;
    ARENA_LOCAL(scratch);
    JsonWriter w;
    jw_init(&w, scratch, true);
    jw_object(&w, NULL);
    jw_strz(&w, "command", "deploy");
    jw_strz(&w, "environment", d->config->env_name);
    report_plan_steps_json(&w, "migrations", plan, NULL, false); /* the files have the SQL */
    jw_end(&w);
    runlog_plan(d->run->log, buf_str(&w.out));
    return true;
}

static void
on_way_back(void *arg, Str sql)
{
    const Deploying *d = arg;
    runlog_script(d->run->log, sql);
}

/* A question of its own: the name is typed by habit. */
static bool
ask_about_losses(const Deploying *d, const Plan *plan, Err *err)
{
    Str answer;
    if (!plan->losses.n || d->config->profile != PROFILE_PRODUCTION ||
        cli_flag(d->run->call, "accept-data-loss"))
        return true;
    if (!cli_ask(d->run->call, "Data will be gone. Type \"drop\" to go on: ", &answer, err))
        return false;
    return str_is(answer, "drop") ||
           err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

static bool
ask(void *arg, const Session *s, const Plan *plan, Err *err)
{
    const Deploying *d = arg;
    Arena *a = d->run->call->arena;
    const DbInfo *info = db_info(s->db);
    progress_finish(d->run->progress);
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "\n%zu migration%s will be applied to database \"%s\" at %s (environment \"%s\"):",
            plan->migrations.n, str_plural(plan->migrations.n),
            str_printable(a, str_of(info->database), false),
            str_printable(a, str_of(info->host), false),
            str_printable(a, str_of(d->config->env_name), false));
    vec_each (const MigrationPlan, mp, &plan->migrations)
        buf_fmt(&b, "\n  %s", str_printable(a, str_of(mp->migration->name), false));
    vec_each (const PlanLoss, l, &plan->losses)
        buf_fmt(&b, "%s\n  %s:%d: %s",
                l == plan->losses.v ? "\nGone afterwards, with the data:" : "",
                str_printable(a, str_of(l->mp->migration->path), false), l->line, l->what);
    return (cli_ask_name(d->run->call, b.p, info->database, err) &&
            ask_about_losses(d, plan, err)) ||
           err_hint(err, "aramid plan shows what would be done");
}

bool
cli_deploy(const CliRun *run, Config *config, DeployResult *ret, Err *err)
{
    CmdCall *call = run->call;
    Deploying d = {.run = run, .config = config};
    look_for_twin(run, config);
    const DeployInput in = {
        .base = cli_flow_input(call, config),
        .sink = run->sink,
        .run_id = run->id,
        .show_progress = !cli_flag(call, "quiet"),
        .create_database = config->values[CFG_CREATE_DB].number != 0,
        .approve = approve,
        .approve_arg = &d,
        .ask = ask,
        .ask_arg = &d,
        .reason = cli_text(call, "reason"),
        .break_glass = cli_text(call, "break-glass"),
        .accepts_loss = cli_flag(call, "accept-data-loss"),
        .accepts_loss_of = os_env("ARAMID_ACCEPT_DATA_LOSS"),
        .on_target = on_target,
        .on_target_arg = &d,
        .on_way_back = on_way_back,
        .on_way_back_arg = &d,
    };
    if (flow_deploy(call->arena, &in, ret, err))
        return true;
    cli_finish_error(call, err);
    return false;
}

bool
cli_deploy_failure(const CliRun *run, const DeployResult *r, const Err *err, Failure *ret)
{
    CmdCall *call = run->call;
    const char *dir = runlog_dir(run->log);
    bool is_told = failure_of_deploy(call->arena, r, err, ret);
    if (ret->restore)
        ret->restore = str_dup(call->arena, cli_again(call->arena, call, str_of(ret->restore)));
    ret->log = dir ? cli_shown_path(call->arena, dir) : NULL;
    return is_told;
}

int
cli_deploy_failed(const CliRun *run, const DeployResult *r, const Err *err)
{
    const CmdCall *call = run->call;
    Failure failure;
    Buf b;
    buf_init(&b, call->arena);
    (void)cli_deploy_failure(run, r, err, &failure);
    error_text(&b, &call->term_err, err);
    failure_text(&b, &call->term_err, &failure);
    Str shown = cli_hidden(call, &b);
    fwrite(shown.p, 1, shown.n, call->err);
    return cli_status(call, err);
}
