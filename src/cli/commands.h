/* The functions behind the commands, one file each (cmd_<name>.c). Each returns the exit status. */
#pragma once

#include "cli/cli.h"

int cmd_deploy(CmdCall *call);
int cmd_check(CmdCall *call);
int cmd_check_with(CmdCall *call, bool with_database); /* even where no option names one */
int cmd_workflow(CmdCall *call);
int cmd_drift(CmdCall *call);
int cmd_plan(CmdCall *call);
int cmd_status(CmdCall *call);
int cmd_resolve(CmdCall *call);
int cmd_sync(CmdCall *call);
int cmd_fix(CmdCall *call);
int cmd_clean(CmdCall *call);
int cmd_decide(CmdCall *call); /* resolve --auto */
int cmd_seed(CmdCall *call);
int cmd_push(CmdCall *call);
int cmd_report(CmdCall *call);
int cmd_reset(CmdCall *call);
int cmd_execute(CmdCall *call);
int cmd_rollback(CmdCall *call);
int cmd_verify_rollback(CmdCall *call);
int cmd_adopt(CmdCall *call);
int cmd_unlock(CmdCall *call);
int cmd_identity_show(CmdCall *call);
int cmd_identity_set(CmdCall *call);
int cmd_identity_forget(CmdCall *call);

int cmd_backup(CmdCall *call);
int cmd_backup_list(CmdCall *call);
int cmd_backup_verify(CmdCall *call);
int cmd_backup_prune(CmdCall *call);
int cmd_restore(CmdCall *call);
int cmd_drill(CmdCall *call); /* backup verify --drill */

int cmd_validate(CmdCall *call);
int cmd_format(CmdCall *call);
int cmd_schema(CmdCall *call);
int cmd_create(CmdCall *call);
/* The other half of create --from-drift: the schema takes over what the database has (pulls), and its history
 * records the migration. */
int cmd_create_adopt(CmdCall *call, const Config *config, const char *migration, bool pulls);
int cmd_dev(CmdCall *call);
int cmd_show(CmdCall *call);
int cmd_describe(CmdCall *call);
int cmd_expand_contract(CmdCall *call);
int cmd_state(CmdCall *call);
int cmd_restack(CmdCall *call);
int cmd_lint(CmdCall *call);
int cmd_stats_save(CmdCall *call);
int cmd_review(CmdCall *call);
int cmd_ci(CmdCall *call);
int cmd_squash(CmdCall *call);
int cmd_diff(CmdCall *call);
int cmd_erd(CmdCall *call);
int cmd_pull(CmdCall *call);

int cmd_testdb(CmdCall *call);
int cmd_testdb_list(CmdCall *call);
int cmd_testdb_drop(CmdCall *call);
int cmd_testdb_sweep(CmdCall *call);
int cmd_db_url(CmdCall *call);
int cmd_db_start(CmdCall *call);
int cmd_db_stop(CmdCall *call);
int cmd_db_remove(CmdCall *call);
int cmd_db_status(CmdCall *call);
int cmd_db_supervise(CmdCall *call);

int cmd_generate(CmdCall *call);
int cmd_doctor(CmdCall *call);
int cmd_explain(CmdCall *call);
int cmd_init(CmdCall *call);
int cmd_link(CmdCall *call);
int cmd_config_show(CmdCall *call);
int cmd_help(CmdCall *call);
int cmd_checklist(CmdCall *call);
int cmd_evidence(CmdCall *call);
int cmd_evidence_add(CmdCall *call);
int cmd_docs(CmdCall *call);
int cmd_task(CmdCall *call);
int cmd_verify(CmdCall *call);
int cmd_version(CmdCall *call);
