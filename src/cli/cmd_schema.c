/* aramid schema. */
#include "cli/commands.h"
#include "cli/schema_input.h"
#include "psl/psl_validate.h"

static void
print_json(const CmdCall *call, const char *path, const PslResolved *r, const FindingList *diags)
{
    JsonWriter w;
    jw_init(&w, call->arena, true);
    jw_object(&w, NULL);
    jw_strz(&w, "command", "schema");
    jw_bool(&w, "ok", diags->counts[SEV_ERROR] == 0);
    jw_strz(&w, "path", path);
    psl_describe_json(&w, r);
    jw_end(&w);
    cli_print(call, &w.out);
}

int
cmd_schema(CmdCall *call)
{
    Arena *a = call->arena;
    const char *path;
    PslSchema *schema;
    FindingList diags;
    Err err;
    findings_init(&diags, a, NULL);
    diags.max = SCHEMA_INPUT_MAX_DIAGS;
    if (!schema_input_path(call, &path, &err) || !psl_load(a, path, &schema, &diags, &err))
        return cli_fail(call, &err);
    const PslResolved *r = psl_validate(a, schema, NULL, &diags);
    if (cli_flag(call, "json"))
        print_json(call, path, r, &diags);
    else
        fputs(str_printable(a, psl_describe(a, r), true), call->out);
    if (diags.counts[SEV_ERROR] == 0)
        return 0;
    fflush(call->out);
    schema_input_print(call, call->err, &diags);
    cli_note(call, "a schema with errors: what could not be understood is missing");
    return 1;
}
