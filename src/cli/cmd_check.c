/* aramid check. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "cli/schema_input.h"

#include "base/os.h"
#include "cli/telling.h"
#include "report/check.h"

static bool
only_migrations(const CmdCall *call)
{
    return cli_given(call, "migrations") && !cli_text(call, "migrations");
}

int
cmd_check(CmdCall *call)
{
    return cmd_check_with(call, cli_given(call, "url") || cli_given(call, "env") ||
                                    only_migrations(call));
}

const char *
cli_shown_folders(Arena *a, const Config *c)
{
    Buf b;
    buf_init(&b, a);
    vec_each (const char *const, dir, &c->migrations_dirs)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", cli_shown_path(a, *dir));
    return b.p;
}

int
cmd_check_with(CmdCall *call, bool with_database)
{
    os_signals_catch();
    Arena *a = call->arena;
    Config config;
    Err err;
    CheckResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    if (with_database)
        cli_note_target(call, &config);
    CheckInput in = {
        .base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
        .schema = config.schema_path ? cli_shown_path(a, config.schema_path) : NULL,
        .migrations = cli_shown_folders(a, &config),
        .with_database = with_database,
        .against = cli_text(call, "against"),
        .deployed = cli_text(call, "deployed"),
        .only_migrations = only_migrations(call),
    };
    flow_check(a, &in, &r);
    if (with_database && r.drift.has_drift && cli_flag(call, "notify")) {
        Word word;
        cli_word(call, &config, WORD_DRIFT, r.drift.server, &word);
        cli_word_send(call, &config, &word);
    }
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, a, true);
        report_check_json(&w, &r);
        cli_print(call, &w.out);
        return r.exit_status;
    }
    if (r.parity.diags.counts[SEV_ERROR])
        schema_input_print(call, call->err, &r.parity.diags);
    Buf b;
    buf_init(&b, a);
    report_check_text(&b, &call->term_out, &r);
    cli_print(call, &b);
    return r.exit_status;
}
