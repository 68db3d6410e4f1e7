/* expand-contract, and state. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/expand.h"

/* What stands behind the kind: TARGET [NEW]. */
static bool
read_wish(const CmdCall *call, ExpandInput *in, Err *err)
{
    Arena *a = call->arena;
    const char *what = cli_arg(call, 0), *target = cli_arg(call, 1), *to = cli_arg(call, 2);
    bool is_contract = strcmp(what, "contract") == 0;
    if (!is_contract && !expand_kind_of(what, &in->wish.kind)) {
        err_set(err, ERR_USAGE, "\"%s\" is no kind of change",
                str_printable(a, str_of(what), false));
        return err_hint(
            err, "rename-column, rename-table, change-type, not-null, drop-column, split; or "
                 "contract NAME for the second step");
    }
    if (!target) {
        err_set(err, ERR_USAGE, "what is to be changed is missing");
        return err_hint(err, "aramid expand-contract %s %s", what,
                        is_contract ? "NAME (aramid state shows them)" : "TABLE.COLUMN");
    }
    bool takes = in->wish.kind == EXPAND_RENAME_COLUMN || in->wish.kind == EXPAND_RENAME_TABLE ||
                 in->wish.kind == EXPAND_CHANGE_TYPE;
    if (to && (is_contract || !takes))
        return err_set(err, ERR_USAGE, "\"%s\" is one word too many",
                       str_printable(a, str_of(to), false));
    if (is_contract)
        in->contract = target;
    in->wish.target = target;
    in->wish.to = to;
    in->wish.as = cli_text(call, "as");
    in->wish.using = cli_text(call, "using");
    in->wish.back = cli_text(call, "back");
    in->wish.value = cli_text(call, "value");
    VEC(const char *) into = {0};
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "into") == 0)
            *vec_add(a, &into) = v->text;
    in->wish.into = into.v;
    in->wish.ninto = into.n;
    return true;
}

int
cmd_expand_contract(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    ExpandResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    ExpandInput in = {.base = cli_flow_input(call, &config), .dry_run = cli_flag(call, "dry-run")};
    if (!read_wish(call, &in, &err) || !flow_expand(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_expand_json(&out.json, &r, !in.dry_run);
    else
        report_expand_text(&out.text, &call->term_out, &r, !in.dry_run);
    cli_answer_print(call, &out);
    return 0;
}

int
cmd_state(CmdCall *call)
{
    Config config;
    Err err;
    StatusResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    FlowInput in = cli_flow_input(call, &config);
    if (!flow_status(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_state_json(&out.json, &r);
    else if (r.changes.n)
        report_changes_text(&out.text, &call->term_out, &r.changes, true);
    else
        buf_addz(&out.text,
                 "No migration begins a change in two steps (aramid expand-contract).\n");
    cli_answer_print(call, &out);
    return 0;
}
