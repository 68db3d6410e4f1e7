/* aramid validate. */
#include "cli/commands.h"
#include "cli/schema_input.h"
#include "base/os.h"
#include "psl/psl_validate.h"
#include "report/finding.h"

static void
print_json(const CmdCall *call, const char *path, const PslResolved *r, FindingList *diags)
{
    JsonWriter w;
    jw_init(&w, call->arena, true);
    findings_sort(diags);
    jw_object(&w, NULL);
    jw_strz(&w, "command", "validate");
    jw_bool(&w, "ok", diags->counts[SEV_ERROR] == 0);
    jw_strz(&w, "path", path);
    jw_int(&w, "files", (int64_t)r->schema->nfiles);
    jw_int(&w, "models", (int64_t)r->nmodels);
    jw_int(&w, "enums", (int64_t)r->nenums);
    jw_int(&w, "errors", (int64_t)diags->counts[SEV_ERROR]);
    jw_int(&w, "warnings", (int64_t)diags->counts[SEV_WARNING]);
    findings_json_of_schema(&w, "diagnostics", diags);
    jw_end(&w);
    cli_print(call, &w.out);
}

static void
print_text(const CmdCall *call, const char *path, const PslResolved *r, FindingList *diags)
{
    Arena *a = call->arena;
    const Term *term = &call->term_out;
    schema_input_print(call, call->out, diags);
    Buf text;
    buf_init(&text, a);
    const char *actions = os_env("GITHUB_ACTIONS");
    if (actions && strcmp(actions, "true") == 0)
        findings_github(&text, diags, os_env("GITHUB_WORKSPACE"));
    if (!cli_flag(call, "quiet")) {
        if (diags->counts[SEV_ERROR] + diags->counts[SEV_WARNING])
            buf_addc(&text, '\n');
        term_text(&text, term, TERM_BOLD, str_of(path));
        if (diags->counts[SEV_ERROR])
            buf_fmt(&text, ": %s\n", findings_counted(a, diags));
        else
            buf_fmt(&text, " is valid: %zu model%s, %zu enum%s, %s\n", r->nmodels,
                    str_plural(r->nmodels), r->nenums, str_plural(r->nenums),
                    findings_counted(a, diags));
    }
    cli_print(call, &text);
}

int
cmd_validate(CmdCall *call)
{
    const char *path;
    PslSchema *schema;
    FindingList diags;
    Err err;
    schema_input_findings(call, &diags);
    if (!schema_input_path(call, &path, &err) ||
        !psl_load(call->arena, path, &schema, &diags, &err))
        return cli_fail(call, &err);
    PslValidateOpts opts = {0};
    const char *generation = cli_text(call, "prisma");
    if (generation)
        opts.prisma = generation[0] - '0';
    const PslResolved *r = psl_validate(call->arena, schema, &opts, &diags);
    if (cli_flag(call, "json"))
        print_json(call, path, r, &diags);
    else
        print_text(call, path, r, &diags);
    return diags.counts[SEV_ERROR] ? 1 : 0;
}
