/* create, and `migrate dev --create-only` as Prisma spells it. */
#include "cli/cli_int.h"
#include "cli/commands.h"
#include "cli/creating.h"
#include "cli/schema_input.h"

#include "base/os.h"
#include "report/create.h"

/* ---- output ----------------------------------------------------------------------------------- */

static void
show_ahead(const Creation *c, bool on_err)
{
    const CmdCall *call = c->call;
    Buf b;
    buf_init(&b, call->arena);
    report_create_ahead(&b, on_err ? &call->term_err : &call->term_out, &c->result);
    (on_err ? cli_tell : cli_print)(call, &b);
}

static int
show_done(const Creation *c, bool written)
{
    const CmdCall *call = c->call;
    const CreateResult *r = &c->result;
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_create_json(&out.json, r, written);
    else if (written)
        report_create_done(&out.text, &call->term_out, r);
    if (out.is_json || written)
        cli_answer_print(call, &out);
    int status = cli_findings_status(call, &r->findings);
    return status                                                 ? status
           : r->is_same && !written && !call->spec->prisma_status ? CREATE_EXIT_SAME
                                                                  : 0;
}

static int
finish(Creation *c, const Config *config)
{
    Err err;
    const CmdCall *call = c->call;
    const CreateResult *r = &c->result;
    bool dry = cli_flag(call, "dry-run"), json = cli_flag(call, "json"),
         writes = r->files.n && !dry;
    if (!json)
        show_ahead(c, dry && r->files.n);
    if (dry && !json && r->files.n)
        cli_print_exactly(call, report_create_file(r));
    if (writes && (!findings_pass(&r->findings, &err) || !flow_create_write(call->arena, r, &err)))
        return cli_fail(call, &err);
    if (writes && r->kind == CREATE_DRIFT) {
        int status = cmd_create_adopt(c->call, config, r->name, true);
        if (status)
            return status;
    }
    return show_done(c, writes);
}

int
cmd_create(CmdCall *call)
{
    os_signals_catch();
    Err err;
    Config config;
    Creation *c = arena_new(call->arena, Creation);
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    creating_begin(c, call, &config);
    bool ok = creating_make(c, &err);
    if (c->result.diags.counts[SEV_ERROR])
        schema_input_print(call, call->err, &c->result.diags);
    return ok ? finish(c, &config) : cli_fail(call, &err);
}
