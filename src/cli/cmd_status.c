/* status, and `migrate status` as Prisma spells it. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/drift.h"
#include "report/migrations.h"

/* `prisma migrate status` calls edited and missing migrations up to date. */
static int
prisma_exit(StatusState state)
{
    return state == STATUS_UP_TO_DATE || state == STATUS_EDITED || state == STATUS_MISSING ? 0 : 1;
}

int
cmd_status(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    StatusResult result;
    DriftResult drift = {0};
    FlowInput in = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick};
    bool with_drift = cli_flag(call, "drift");
    if (!cli_load_config(call, &config, &err) || !flow_status(call->arena, &in, &result, &err) ||
        (with_drift && !flow_drift(call->arena, &in, &drift, &err)))
        return cli_fail(call, &err);
    cli_note_target(call, &config);
    int status = call->spec->prisma_status ? prisma_exit(result.state) : (int)result.state;
    if (!status && drift.has_drift)
        status = DRIFT_EXIT;
    int found = result.findings.counts[SEV_ERROR] ? err_info(ERR_FINDING)->exit_status : 0;
    if (!status)
        status = cli_findings_status(call, &result.findings);
    if (cli_flag(call, "html")) {
        Buf page;
        buf_init(&page, call->arena);
        report_status_page(&page, &result);
        cli_print(call, &page);
        return status;
    }
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_status_json(&out.json, &result, with_drift ? &drift : NULL,
                           result.state      ? (int)result.state
                           : drift.has_drift ? DRIFT_EXIT
                                             : found);
    else
        report_status_text(&out.text, &call->term_out, &result, cli_flag(call, "verbose"));
    if (drift.repair) {
        buf_addc(&out.text, '\n');
        report_drift_findings(&out.text, &call->term_out, &drift, false);
    }
    cli_answer_print(call, &out);
    return status;
}
