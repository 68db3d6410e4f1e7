/* testdb, and its list, drop and sweep. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/clock.h"
#include "base/os.h"
#include "report/testdb.h"

#include <fcntl.h>
#include <unistd.h>

static void
on_making(void *arg, size_t migrations, size_t known)
{
    CmdCall *call = arg;
    Buf b;
    buf_init(&b, call->arena);
    if (known)
        buf_fmt(&b, "Making a template: %zu migration%s behind one that has %zu\n",
                migrations - known, str_plural((int64_t)(migrations - known)), known);
    else
        buf_fmt(&b, "Making a template: %zu migration%s\n", migrations,
                str_plural((int64_t)migrations));
    cli_tell(call, &b);
}

static void
on_output(void *arg, Str line)
{
    Buf b;
    buf_init(&b, ((CmdCall *)arg)->arena);
    buf_add(&b, line);
    cli_tell(arg, &b);
}

static bool
begin(CmdCall *call, Config *config, TestDbInput *ret, Err *err)
{
    os_signals_catch();
    if (!cli_load_config(call, config, err))
        return false;
    const ConfigValue *url =
        cli_given(call, "url") ? config_target(config) : &config->values[CFG_TESTDB_URL];
    *ret = (TestDbInput){.base = cli_flow_input(call, config),
                         .url = url ? url->text : NULL,
                         .url_origin = url ? url->origin : NULL,
                         .on_making = on_making,
                         .on_output = on_output,
                         .arg = call};
    return true;
}

/* What the answer need not wait for. Nobody hears it: the next call finds what it could not do. */
static void
refill_behind(const TestDbInput *in, const char *hash)
{
    if (fork() != 0)
        return;
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    ARENA_LOCAL(a);
    TestDbInput quiet = *in;
    Err ignored;
    quiet.on_making = NULL;
    (void)!flow_testdb_refill(a, &quiet, hash, &ignored);
    _exit(0);
}

int
cmd_testdb(CmdCall *call)
{
    Config config;
    Err err;
    TestDbInput in;
    TestDbResult r;
    if (!begin(call, &config, &in, &err))
        return cli_fail(call, &err);
    in.seeds = !cli_flag(call, "no-seed");
    in.count = (int)cli_number(call, "count", 1);
    in.ttl_ms = config_ms(&config, CFG_TESTDB_TTL);
    in.owner = (long)cli_number(call, "owner", 0);
    if (!flow_testdb_take(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_testdb_taken_json(&out.json, &r);
    else
        report_testdb_urls(&out.text, &r);
    /* The password is asked for: it is the way to the database. */
    cli_print_exactly(call, buf_str(out.is_json ? &out.json.out : &out.text));
    fflush(call->out);
    refill_behind(&in, r.hash);
    return 0;
}

int
cmd_testdb_list(CmdCall *call)
{
    Config config;
    Err err;
    TestDbInput in;
    TestDbResult r;
    if (!begin(call, &config, &in, &err) || !flow_testdb_list(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_testdb_list_json(&out.json, &r);
    else
        report_testdb_list(&out.text, &call->term_out, &r, clock_wall_us());
    cli_answer_print(call, &out);
    return 0;
}

static int
dropped(CmdCall *call, const TestDbResult *r)
{
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_testdb_dropped_json(&out.json, r, call->spec->name);
    else
        report_testdb_dropped(&out.text, &call->term_out, r);
    cli_answer_print(call, &out);
    return 0;
}

int
cmd_testdb_drop(CmdCall *call)
{
    Config config;
    Err err;
    TestDbInput in;
    TestDbResult r;
    if (!call->args.n && !cli_flag(call, "all")) {
        err_set(&err, ERR_USAGE, "which database is to be dropped?");
        err_hint(&err, "name it, or its URL; all of them, templates too: aramid testdb drop --all");
        return cli_fail(call, &err);
    }
    if (!begin(call, &config, &in, &err) ||
        !flow_testdb_drop(call->arena, &in, (const char *const *)call->args.v, call->args.n, &r,
                          &err))
        return cli_fail(call, &err);
    return dropped(call, &r);
}

int
cmd_testdb_sweep(CmdCall *call)
{
    Config config;
    Err err;
    TestDbInput in;
    TestDbResult r;
    if (!begin(call, &config, &in, &err) || !flow_testdb_sweep(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    return dropped(call, &r);
}
