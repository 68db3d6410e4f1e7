/* erd: a schema, or what two differ in, as a diagram. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "cli/schema_input.h"
#include "cli/sides.h"

#include "base/fs.h"
#include "base/os.h"
#include "flow/erd.h"
#include "report/erd.h"

typedef enum Format { SVG, MERMAID, HTML } Format;

/* What is drawn where --to-... names nothing. */
static bool
choose(CmdCall *call, const Config *c, Endpoint *ret, Err *err)
{
    bool is_database = cli_flag(call, "database") || cli_given(call, "url");
    if (ret->kind != ENDPOINT_NONE)
        return true;
    if (is_database)
        *ret = (Endpoint){.kind = ENDPOINT_DATABASE, .config = c, .origin = "flag --database"};
    else if (c->schema_path && !cli_flag(call, "history"))
        *ret = (Endpoint){.kind = ENDPOINT_SCHEMA, .path = c->schema_path};
    else if (c->migrations_dir)
        *ret = (Endpoint){.kind = ENDPOINT_MIGRATIONS, .path = c->migrations_dir};
    else {
        err_set(err, ERR_CONFIG,
                "there is neither a schema.prisma nor a folder of migrations here");
        return err_hint(
            err, "aramid erd --database draws the database; --to-sql FILE what a file makes");
    }
    return true;
}

static Format
format_of(const CmdCall *call)
{
    static const struct {
        const char *end;
        Format format;
    } ends[] = {
        {"html", HTML}, {".htm", HTML}, {"mermaid", MERMAID}, {".mmd", MERMAID}, {".md", MERMAID}};
    const char *name = cli_text(call, "format");
    name = name ? name : cli_text(call, "output");
    for (size_t i = 0; name && i < COUNT(ends); i++)
        if (str_ends(str_of(name), str_of(ends[i].end)))
            return ends[i].format;
    return SVG;
}

static ErdShow
show_of(const CmdCall *call)
{
    const char *what = cli_text(call, "show");
    return !what || what[0] == 'c' ? ERD_COLUMNS : what[0] == 'k' ? ERD_KEYS : ERD_NAMES;
}

static void
draw(Buf *out, const CmdCall *call, const ErdResult *r)
{
    Format format = format_of(call);
    const char *path = cli_text(call, "output");
    bool is_markdown = path && str_ends(str_of(path), STR(".md"));
    if (format != MERMAID)
        erd_layout(r->erd);
    if (format == SVG)
        report_erd_svg(out, r->erd, r->title);
    else if (format == HTML)
        report_erd_html(out, r->erd, r->title);
    else {
        buf_addz(out, is_markdown ? "```mermaid\n" : "");
        report_erd_mermaid(out, r->erd);
        buf_addz(out, is_markdown ? "```\n" : "");
    }
}

int
cmd_erd(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    ErdResult result = {0};
    const char *path = cli_text(call, "output");
    ErdInput in = {
        .diff = {.sides = {.base = {.config = &config,
                                    .self_exe = cli_self_exe(call),
                                    .tick = cli_tick}}},
        .choice = {.show = show_of(call),
                   .around = cli_text(call, "around"),
                   .depth = (int)cli_number(call, "depth", 1),
                   .all = cli_flag(call, "all")},
    };
    SidesInput *sides = &in.diff.sides;
    CatTexts renames = cli_renames(call);
    in.diff.renames = renames.v;
    in.diff.nrenames = renames.n;
    if (!cli_load_config(call, &config, &err) ||
        !cli_side(call, "from", &config, &sides->from, &err) ||
        !cli_side(call, "to", &config, &sides->to, &err) ||
        !choose(call, &config, &sides->to, &err))
        return cli_fail(call, &err);
    bool ok = flow_erd(call->arena, &in, &result, &err);
    if (result.diags.counts[SEV_ERROR])
        schema_input_print(call, call->err, &result.diags);
    if (!ok)
        return cli_fail(call, &err);
    Buf out;
    buf_init(&out, call->arena);
    draw(&out, call, &result);
    if (path && !fs_replace(path, buf_str(&out), &err))
        return cli_fail(call, &err);
    if (path)
        cli_note(call, "drew %s in %s\n",
                 str_count(call->arena, (int64_t)result.erd->boxes.n,
                           result.erd->is_difference ? "object" : "table"),
                 cli_shown_path(call->arena, path));
    else
        cli_print_exactly(call, buf_str(&out));
    return 0;
}
