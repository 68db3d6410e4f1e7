/* backup, backup list, backup verify, backup prune. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "report/backup.h"
#include "report/progress.h"
#include "report/runlog.h"

/* What all of them begin with. */
static bool
begin(CmdCall *call, Config *config, FlowInput *ret, Err *err)
{
    os_signals_catch();
    if (!cli_load_config(call, config, err))
        return false;
    *ret = (FlowInput){.config = config, .self_exe = cli_self_exe(call), .tick = cli_tick};
    return true;
}

static Progress *
open_progress(CmdCall *call, const Config *config)
{
    return progress_open(call->arena, call->err, &call->term_err, cli_flag(call, "quiet"),
                         cli_flag(call, "verbose"), &call->secrets, &config->finding_rules);
}

/* Print one of the two; the other stays empty. */
static void
print(CmdCall *call, const JsonWriter *w, const Buf *text)
{
    cli_print(call, cli_flag(call, "json") ? &w->out : text);
}

int
cmd_backup(CmdCall *call)
{
    Config config;
    Err err;
    BackupMake in = {.name = cli_text(call, "name")};
    if (!begin(call, &config, &in.base, &err))
        return cli_fail(call, &err);
    Progress *progress = open_progress(call, &config);
    in.sink = progress_sink(progress, NULL);
    BackupMade made;
    bool ok = flow_backup(call->arena, &in, &made, &err);
    progress_finish(progress);
    if (!ok)
        return cli_fail(call, &err);
    Buf b;
    JsonWriter w;
    buf_init(&b, call->arena);
    jw_init(&w, call->arena, true);
    report_backup_text(&b, &call->term_out, &made);
    report_backup_json(&w, &made);
    print(call, &w, &b);
    return 0;
}

int
cmd_backup_list(CmdCall *call)
{
    Config config;
    Err err;
    FlowInput in;
    BackupFolder folder;
    if (!begin(call, &config, &in, &err) ||
        !backup_folder_read(call->arena, config.values[CFG_BACKUP_DIR].text, &folder, &err))
        return cli_fail(call, &err);
    findings_apply(&folder.findings, &config.finding_rules);
    Buf b;
    JsonWriter w;
    buf_init(&b, call->arena);
    jw_init(&w, call->arena, true);
    int64_t now = clock_wall_us();
    report_backup_list_text(&b, &call->term_out, &folder, &config, now);
    report_backup_list_json(&w, &folder, now);
    print(call, &w, &b);
    return cli_findings_status(call, &folder.findings);
}

int
cmd_backup_verify(CmdCall *call)
{
    if (cli_flag(call, "drill"))
        return cmd_drill(call);
    Config config;
    Err err;
    BackupVerify in = {.name = cli_arg(call, 0), .all = cli_flag(call, "all")};
    if (!begin(call, &config, &in.base, &err))
        return cli_fail(call, &err);
    Progress *progress = open_progress(call, &config);
    in.sink = progress_sink(progress, NULL);
    BackupLooks looks;
    bool ok = flow_backup_verify(call->arena, &in, &looks, &err);
    progress_finish(progress);
    if (!ok)
        return cli_fail(call, &err);
    Buf b;
    JsonWriter w;
    buf_init(&b, call->arena);
    jw_init(&w, call->arena, true);
    report_backup_verify_text(&b, &call->term_out, &looks, &config);
    report_backup_verify_json(&w, &looks);
    print(call, &w, &b);
    vec_each (const BackupLook, l, &looks.looks)
        if (!l->ok)
            return err_exit_status(&l->why);
    return 0;
}

int
cmd_backup_prune(CmdCall *call)
{
    Config config;
    Err err;
    BackupPrune in = {.dry_run = cli_flag(call, "dry-run")};
    BackupPruned pruned;
    if (!begin(call, &config, &in.base, &err))
        return cli_fail(call, &err);
    in.days = config.values[CFG_BACKUP_DAYS].number;
    if (!flow_backup_prune(call->arena, &in, &pruned, &err))
        return cli_fail(call, &err);
    Buf b;
    JsonWriter w;
    buf_init(&b, call->arena);
    jw_init(&w, call->arena, true);
    report_backup_prune_text(&b, &call->term_out, &pruned, &config);
    report_backup_prune_json(&w, &pruned);
    print(call, &w, &b);
    return 0;
}
