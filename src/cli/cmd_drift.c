/* aramid drift. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "cli/telling.h"
#include "flow/diff.h"
#include "report/drift.h"

enum { EXIT_DRIFT = 2 };

int
cmd_drift(CmdCall *call)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    Err err;
    DriftResult r;
    if (!cli_load_config(call, &config, &err) ||
        !flow_drift(
            a, &(FlowInput){.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
            &r, &err))
        return cli_fail(call, &err);
    cli_note_target(call, &config);
    const char *script = cli_text(call, "script");
    Buf b;
    JsonWriter w;
    buf_init(&b, a);
    jw_init(&w, a, true);
    if (cli_flag(call, "json")) {
        report_drift_json(&w, &r);
        cli_print_exactly(call, buf_str(&w.out));
    } else if (!script) {
        report_drift_text(&b, &call->term_out, &r, !cli_flag(call, "quiet"));
        cli_print(call, &b);
    } else if (r.has_drift) {
        const Diff *d = strcmp(script, "adopt") == 0 ? r.adopt : r.repair;
        if (!flow_diff_can_run(a, d, &err))
            return cli_fail(call, &err);
        cli_print_exactly(call, report_drift_script(a, d));
    }
    if (r.has_drift && cli_flag(call, "notify")) {
        Word word;
        cli_word(call, &config, WORD_DRIFT, r.server, &word);
        cli_word_send(call, &config, &word);
    }
    int status = r.target.absent ? 0 : cli_findings_status(call, &r.findings);
    return status ? status : r.has_drift && cli_flag(call, "exit-code") ? EXIT_DRIFT : 0;
}
