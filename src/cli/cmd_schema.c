#include "cli/commands.h"
#include "cli/schema_input.h"
#include "psl/psl.h"

int
cmd_schema(CmdCall *call)
{
    Arena *a = call->arena;
    const char *path;
    PslSchema *schema;
    DiagList diags;
    Err err;
    diag_init(&diags, a);
    diags.max = SCHEMA_INPUT_MAX_DIAGS;
    if (!schema_input_path(call, &path, &err) || !psl_load(a, path, &schema, &diags, &err))
        return cli_fail(call, &err);
    if (schema->errors) {
        schema_input_print(call, call->err, &diags);
        return 1;
    }
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, a, true);
        psl_describe_json(a, &w, NULL, schema);
        cli_print(call, &w.out);
    } else {
        fputs(str_printable(a, psl_describe(a, schema), true), call->out);
    }
    return 0;
}
