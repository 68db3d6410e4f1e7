/* The embedded PostgreSQL of the project: db url, start, stop, remove, status, supervise. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "base/jw.h"
#include "base/os.h"
#include "flow/guard.h"

enum { STOP_TIMEOUT_MS = 20000 };

static bool
load_options(CmdCall *call, ClusterOptions *ret, Config *config, Err *err)
{
    os_signals_catch();
    if (!cli_load_config(call, config, err))
        return false;
    flow_cluster_options(config, cli_self_exe(call), ret);
    return true;
}

static void
add_json(const CmdCall *call, const ClusterInfo *info)
{
    JsonWriter w;
    jw_init(&w, call->arena, true);
    jw_object(&w, NULL);
    jw_bool(&w, "exists", info->data_dir != NULL);
    jw_bool(&w, "running", info->running);
    jw_bool(&w, "created", info->created);
    jw_bool(&w, "started", info->started);
    jw_strz(&w, "url", info->running ? flow_cluster_url(call->arena, info) : NULL);
    jw_strz(&w, "dataDir", info->data_dir);
    jw_strz(&w, "socketDir", info->socket_dir);
    jw_strz(&w, "log", info->log_path);
    if (info->data_dir)
        jw_int(&w, "major", info->major);
    else
        jw_null(&w, "major");
    if (info->running)
        jw_int(&w, "pid", info->postmaster_pid);
    else
        jw_null(&w, "pid");
    jw_end(&w);
    cli_print(call, &w.out);
}

/* Tell when the project's commands use another database than the one spoken of here. */
static void
note_other_database(const CmdCall *call, const Config *config)
{
    const ConfigValue *url = &config->values[CFG_URL];
    if (!url->text)
        url = &config->values[CFG_DIRECT_URL];
    if (!url->text)
        return;
    FindingList list;
    findings_init(&list, call->arena, &config->finding_rules);
    finding_add(&list, FINDING_CONFIG_NOT_EMBEDDED,
                "other commands use the URL from %s, not the embedded PostgreSQL", url->origin);
    vec_each (const Finding, f, &list.items)
        cli_tell_finding(call, f);
}

static bool
ensure(CmdCall *call, ClusterInfo *ret, Err *err)
{
    Config *config = arena_new(call->arena, Config);
    ClusterOptions options;
    if (!load_options(call, &options, config, err) ||
        !cluster_ensure(call->arena, &options, ret, err))
        return false;
    note_other_database(call, config);
    return true;
}

int
cmd_db_url(CmdCall *call)
{
    ClusterInfo info = {0};
    Err err;
    if (!ensure(call, &info, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json"))
        add_json(call, &info);
    else
        fprintf(call->out, "%s\n", flow_cluster_url(call->arena, &info));
    return 0;
}

int
cmd_db_start(CmdCall *call)
{
    ClusterInfo info = {0};
    Err err;
    if (!ensure(call, &info, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        add_json(call, &info);
        return 0;
    }
    fprintf(call->out, "PostgreSQL %d %s\n  %s\n", info.major,
            info.created   ? "made and started"
            : info.started ? "started"
                           : "is running already",
            flow_cluster_url(call->arena, &info));
    return 0;
}

int
cmd_db_stop(CmdCall *call)
{
    Config *config = arena_new(call->arena, Config);
    ClusterOptions options;
    bool was_running = false;
    Err err;
    if (!load_options(call, &options, config, &err) ||
        !cluster_stop(call->arena, &options, STOP_TIMEOUT_MS, &was_running, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        jw_object(&w, NULL);
        jw_bool(&w, "stopped", was_running);
        jw_end(&w);
        cli_print(call, &w.out);
    } else {
        fputs(was_running ? "stopped\n" : "it was not running\n", call->out);
    }
    return 0;
}

static bool
may_remove(const CmdCall *call, const Config *config, const ClusterInfo *info, Err *err)
{
    FlowInput in = cli_flow_input(call, config);
    FlowGuard guard;
    GateConsent consent;
    flow_guard_open(call->arena, &in, GATE_DESTROYS, "aramid db remove", &guard);
    return flow_guard_consent(&guard, &consent, err) &&
           (consent == GATE_AGREED ||
            cli_confirm(call, str_fmt(call->arena, "Delete %s with all its data?", info->data_dir),
                        "deleting the embedded database", "aramid db remove --yes", err));
}

int
cmd_db_remove(CmdCall *call)
{
    Arena *a = call->arena;
    Config *config = arena_new(a, Config);
    ClusterOptions options;
    ClusterInfo info = {0};
    bool removed = false;
    Err err;
    if (!load_options(call, &options, config, &err) || !cluster_inspect(a, &options, &info, &err) ||
        (info.data_dir && !may_remove(call, config, &info, &err)) ||
        !cluster_remove(a, &options, STOP_TIMEOUT_MS, &removed, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, a, true);
        jw_object(&w, NULL);
        jw_bool(&w, "removed", removed);
        jw_strz(&w, "dataDir", info.data_dir);
        jw_end(&w);
        cli_print(call, &w.out);
    } else if (removed) {
        fprintf(call->out, "deleted %s\n", str_printable(a, str_of(info.data_dir), false));
    } else {
        fputs("there is none\n", call->out);
    }
    return 0;
}

static void
show_status(const CmdCall *call, const ClusterInfo *info)
{
    Arena *a = call->arena;
    Buf out;
    buf_init(&out, a);
    if (!info->data_dir) {
        buf_addz(&out, "not made yet; `aramid db start` makes it\n");
    } else if (!info->running) {
        buf_fmt(&out, "PostgreSQL %d, stopped\n", info->major);
    } else {
        buf_fmt(&out, "PostgreSQL %d, running, process %ld\n", info->major, info->postmaster_pid);
        buf_fmt(&out, "  url   %s\n", flow_cluster_url(a, info));
    }
    if (info->data_dir)
        buf_fmt(&out, "  data  %s\n", str_printable(a, str_of(info->data_dir), false));
    if (info->log_path)
        buf_fmt(&out, "  log   %s\n", str_printable(a, str_of(info->log_path), false));
    cli_print(call, &out);
}

int
cmd_db_status(CmdCall *call)
{
    Config *config = arena_new(call->arena, Config);
    ClusterOptions options;
    ClusterInfo info = {0};
    Err err;
    if (!load_options(call, &options, config, &err) ||
        !cluster_inspect(call->arena, &options, &info, &err))
        return cli_fail(call, &err);
    if (cli_flag(call, "json"))
        add_json(call, &info);
    else
        show_status(call, &info);
    note_other_database(call, config);
    return info.running ? 0 : 1;
}

int
cmd_db_supervise(CmdCall *call)
{
    ClusterOptions options = {
        .project_dir = cli_text(call, "project"),
        .data_dir = cli_text(call, "data-dir"),
        .bindir = cli_text(call, "bindir"),
        .idle_ms = cli_number(call, "idle", 0),
        .self_exe = cli_self_exe(call),
    };
    return cluster_supervise(&options);
}
