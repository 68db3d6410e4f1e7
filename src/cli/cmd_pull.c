/* pull, and `db pull` as Prisma spells it. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/migrations.h"

static void
print_findings(const CmdCall *call, const PullResult *r)
{
    Buf b;
    buf_init(&b, call->arena);
    report_pull_findings(&b, &call->term_err, r);
    if (b.n)
        cli_note(call, "%s", b.p);
}

/* Paths as a person in this folder would type them. */
static void
shorten_paths(const CmdCall *call, PullResult *r)
{
    r->schema_path = cli_shown_path(call->arena, r->schema_path);
    for (size_t i = 0; i < r->pull.nfiles; i++)
        r->pull.files[i].path = cli_shown_path(call->arena, r->pull.files[i].path);
}

/* Show what would change, and ask where somebody can be asked. */
static bool
approve(const CmdCall *call, const PullResult *r, Err *err)
{
    Buf b;
    buf_init(&b, call->arena);
    report_pull_difference(&b, &call->term_out, r);
    if (!cli_flag(call, "json"))
        fputs(url_redact(call->arena, buf_str(&b), NULL, 0), call->out);
    if (cli_flag(call, "force") || call->spec->prisma_status || r->is_new)
        return true;
    return cli_confirm(
        call, str_fmt(call->arena, "Write %zu file%s?", r->changed, str_plural(r->changed)),
        "overwriting the schema", "aramid pull --yes", err);
}

static void
print_result(const CmdCall *call, const PullResult *r, bool written)
{
    Buf b;
    buf_init(&b, call->arena);
    report_pull_text(&b, &call->term_out, r, written);
    cli_print(call, &b);
}

/* A schema goes out as it is, since words of a password may be names in it, but for whole URLs. */
static void
print_schema_text(const CmdCall *call, const Buf *text)
{
    SecretVec urls = {0};
    vec_each (const char *const, s, &call->secrets)
        if (strstr(*s, "://"))
            *vec_add(call->arena, &urls) = *s;
    Str shown = url_hide(call->arena, buf_str(text), urls.v, urls.n);
    if (!str_eq(shown, buf_str(text)))
        cli_note(call, "The URL of the datasource is not printed: it holds a password.");
    cli_print_exactly(call, shown);
}

static void
print_json(const CmdCall *call, const PullResult *r, bool written)
{
    bool with_text = cli_flag(call, "print");
    JsonWriter w;
    jw_init(&w, call->arena, true);
    report_pull_json(&w, r, written, with_text);
    if (with_text)
        print_schema_text(call, &w.out);
    else
        cli_print(call, &w.out);
}

static void
print_schema(const CmdCall *call, const PullResult *r)
{
    Buf b;
    buf_init(&b, call->arena);
    report_pull_schema(&b, r);
    print_schema_text(call, &b);
}

int
cmd_pull(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    PullResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    PullInput in = {
        .base = {.config = &config, .self_exe = cli_self_exe(call), .tick = cli_tick},
        .schemas = cli_text(call, "schemas"),
        .force = cli_flag(call, "force"),
    };
    if (!flow_pull(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    shorten_paths(call, &r);
    bool prints = cli_flag(call, "print"), writes = r.changed && !prints;
    int status = cli_findings_status(call, &r.pull.findings);
    if (writes && !findings_pass(&r.pull.findings, &err)) {
        if (!cli_flag(call, "json"))
            print_findings(call, &r);
        return cli_fail(call, &err);
    }
    if (writes && (!approve(call, &r, &err) || !flow_pull_write(call->arena, &r, &err)))
        return cli_fail(call, &err);
    if (cli_flag(call, "json")) {
        print_json(call, &r, writes);
        return status;
    }
    if (prints)
        print_schema(call, &r);
    print_findings(call, &r);
    if (!prints)
        print_result(call, &r, writes);
    return status;
}
