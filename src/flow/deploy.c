#include "flow/flow.h"

#include "sqltext/sqltext.h"

/* CREATE DATABASE through a database that exists on every server. */
static bool
create_database(Arena *a, const FlowInput *in, const Target *t, const RunSink *sink, Err *err)
{
    static const char *const others[] = {"postgres", "template1", "defaultdb"};
    const char *name = t->url.database ? t->url.database : "postgres";
    Buf sql;
    buf_init(&sql, a);
    buf_addz(&sql, "CREATE DATABASE ");
    sql_add_ident(&sql, name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        DbUrl url = t->url;
        url.database = others[i];
        DbOptions o = {.url = &url, .url_origin = t->origin, .application = "aramid",
                       .connect_ms = config_ms(in->config, CFG_CONNECT_TIMEOUT),
                       .operation_ms = config_ms(in->config, CFG_OPERATION_TIMEOUT),
                       .tick = in->tick, .tick_arg = in->tick_arg};
        Db *db = NULL;
        if (!db_open(a, &o, &db, err)) {
            if (err->code == ERR_DB_MISSING || err->code == ERR_DENIED)
                continue;
            return false;
        }
        bool ok = db_query(db, a, buf_str(&sql), NULL, err);
        db_close(db);
        if (!ok && strcmp(err->sqlstate, "42P04") != 0 && strcmp(err->sqlstate, "23505") != 0)
            return err_hint(err, "as a superuser: CREATE DATABASE ... OWNER ...");
        RunEvent e = {.kind = RUN_NOTE, .level = RUN_OK, .ms = -1,
                      .text = str_fmt(a, "created database \"%s\"", str_printable(a, str_of(name), false))};
        sink->event(sink->arg, &e);
        return true;
    }
    return false;
}

bool
flow_deploy(Arena *a, const DeployInput *in, DeployResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (DeployResult){.config = c, .run_id = in->run_id};
    /* Files first: what is wrong with them needs no server to be said. */
    if (!flow_history(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_CLUSTER, &ret->target, err))
        return false;
    if (in->on_target)
        in->on_target(in->on_target_arg, &ret->target);
    RunDeploy d = {
        .config = c,
        .url = &ret->target.url,
        .url_origin = ret->target.origin,
        .history = &ret->history,
        .run_id = in->run_id,
        .sink = in->sink,
        .approve = in->approve,
        .approve_arg = in->approve_arg,
        .ask_first = in->ask_first,
        .show_progress = in->show_progress,
    };
    if (run_deploy(a, &d, &ret->run, err))
        return true;
    if (err->code != ERR_DB_MISSING || !in->create_database)
        return false;
    Err missing = *err;
    if (!create_database(a, &in->base, &ret->target, &in->sink, err)) {
        if (err->code == ERR_DB_MISSING)
            *err = missing;
        return false;
    }
    return run_deploy(a, &d, &ret->run, err);
}
