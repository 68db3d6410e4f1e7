/* backup, backup list, backup verify, backup prune. */
#include "cli/commands.h"
#include "cli/run.h"

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

int
cmd_backup(CmdCall *call)
{
    Config config;
    Err err;
    BackupMake in = {.name = cli_text(call, "name")};
    if (!begin(call, &config, &in.base, &err))
        return cli_fail(call, &err);
    CliRun run = cli_run_open(call, &config);
    in.sink = run.sink;
    BackupMade made;
    bool ok = flow_backup(call->arena, &in, &made, &err);
    cli_run_close(&run, ok ? NULL : &err);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_backup_json(&out.json, &made);
    else
        report_backup_text(&out.text, &call->term_out, &made);
    cli_answer_print(call, &out);
    return cli_findings_status(call, made.findings);
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
    int64_t now = clock_wall_us();
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_backup_list_json(&out.json, &folder, now);
    else
        report_backup_list_text(&out.text, &call->term_out, &folder, &config, now);
    cli_answer_print(call, &out);
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
    Progress *progress = cli_progress(call, &config);
    in.sink = progress_sink(progress, NULL);
    BackupLooks looks;
    bool ok = flow_backup_verify(call->arena, &in, &looks, &err);
    progress_finish(progress);
    if (!ok)
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_backup_verify_json(&out.json, &looks);
    else
        report_backup_verify_text(&out.text, &call->term_out, &looks, &config);
    cli_answer_print(call, &out);
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
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_backup_prune_json(&out.json, &pruned);
    else
        report_backup_prune_text(&out.text, &call->term_out, &pruned, &config);
    cli_answer_print(call, &out);
    return 0;
}
