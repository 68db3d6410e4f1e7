/* create --from-drift: the schema and the database's history follow the new migration. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "cli/run.h"

static bool
agreed(void *arg, const Session *s, Err *err)
{
    const CliRun *r = arg;
    const char *database = str_printable(r->call->arena, str_of(db_info(s->db)->database), false);
    return cli_confirm(
        r->call,
        str_fmt(r->call->arena, "Record the migration as applied in database \"%s\"?", database),
        "recording the migration", "aramid create NAME --from-drift --yes", err);
}

static bool
pull_schema(CmdCall *call, const Config *config, Err *err)
{
    PullResult r;
    PullInput in = {.base = cli_flow_input(call, config)};
    if (!config->schema_path)
        return true;
    if (!flow_pull(call->arena, &in, &r, err) || !findings_pass(&r.pull.findings, err))
        return false;
    if (r.changed && !flow_pull_write(call->arena, &r, err))
        return false;
    if (r.changed)
        cli_note(call, "%s follows the database.",
                 cli_shown_path(call->arena, config->schema_path));
    return true;
}

int
cmd_create_adopt(CmdCall *call, const Config *config, const char *migration, bool pulls)
{
    Err err;
    ResolveResult result;
    if (pulls && !pull_schema(call, config, &err)) {
        err_detail(
            &err,
            "the migration is written; its place in the history and the schema are left to do");
        err_hint(&err, "aramid resolve --applied %s, then aramid pull", migration);
        return cli_fail(call, &err);
    }
    CliRun run = cli_run_open(call, config);
    ResolveInput in = {.base = cli_flow_input(call, config),
                       .sink = run.sink,
                       .run_id = run.id,
                       .applied = migration,
                       .ask = agreed,
                       .ask_arg = &run};
    bool ok = flow_resolve(call->arena, &in, &result, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (ok)
        return 0;
    err_detail(&err, "the migration and the schema are written; only the history does not have it");
    err_hint(&err, "aramid resolve --applied %s", migration);
    return cli_fail(call, &err);
}
