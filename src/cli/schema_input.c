/* Which schema a command of the language works on. */
#include "cli/schema_input.h"

#include "base/fs.h"
#include "report/finding.h"

bool
schema_input_path(CmdCall *call, const char **ret, Err *err)
{
    *ret = cli_text(call, "schema");
    if (*ret)
        return true;
    Config *c = arena_new(call->arena, Config);
    if (!cli_load_config(call, c, err))
        return false;
    if (!c->schema_path) {
        err_set(err, ERR_CONFIG, "no schema.prisma was found");
        err_detail(err,
                   "looked in %s, where prisma.config.*, package.json and aramid.yaml say, "
                   "and at schema.prisma, prisma/schema.prisma and prisma/schema/",
                   c->project_dir);
        return err_hint(err, "aramid %s --schema PATH", call->spec->name);
    }
    *ret = cli_shown_path(call->arena, c->schema_path);
    return true;
}

void
schema_input_findings(CmdCall *call, FindingList *ret)
{
    Config *c = arena_new(call->arena, Config);
    Err err;
    bool is_read = cli_load_config(call, c, &err);
    if (!is_read && cli_text(call, "schema") && fs_exists(cli_text(call, "schema")))
        cli_note(call, "the setting \"findings\" is not known: %s", err.primary);
    findings_init(ret, call->arena, is_read ? &c->finding_rules : NULL);
    ret->max = SCHEMA_INPUT_MAX_DIAGS;
}

void
schema_input_print(const CmdCall *call, FILE *stream, FindingList *diags)
{
    Buf text;
    buf_init(&text, call->arena);
    findings_sort(diags);
    findings_text(&text, stream == call->out ? &call->term_out : &call->term_err, diags);
    if (diags->counts[SEV_ERROR] + diags->counts[SEV_WARNING] > diags->items.n)
        buf_fmt(&text, "Only %zu of them are shown.\n", diags->items.n);
    fwrite(text.p, 1, text.n, stream);
}
