/* dev, and `migrate dev` as Prisma spells it: the development database follows the schema. */
#include "cli/commands.h"
#include "cli/creating.h"
#include "cli/run.h"
#include "cli/scripts.h"
#include "cli/watching.h"

#include "base/os.h"
#include "flow/seed.h"
#include "report/create.h"
#include "report/dev.h"

typedef struct Dev {
    CmdCall *call;
    Config config;
    Creation creation;
    DevLook look;
    DevReport report;
    GenerateResult generated;
    int status; /* of a part that has told why it failed; 0 = none has */
} Dev;

static void
show(const Dev *d, const Buf *text)
{
    (cli_flag(d->call, "json") ? cli_tell : cli_print)(d->call, text);
}

/* ---- the database against its migrations ------------------------------------------------------ */

typedef enum Choice { KEEP, UNDO, LEAVE } Choice;

static const char *
again(const Dev *d, const char *options)
{
    const CmdCall *call = d->call;
    const char *name = d->creation.in.name;
    return str_fmt(call->arena, "%s%s%s %s",
                   call->spec->prisma_status ? "aramid migrate dev" : "aramid dev",
                   !name                       ? ""
                   : call->spec->prisma_status ? " --name "
                                               : " ",
                   name ? str_shell(call->arena, name) : "", options);
}

/* What a reset would lose is said where it is offered, and it is the last thing that is. */
static void
hint_reset(const Dev *d, Err *err)
{
    const char *rows = flow_dev_count(d->call->arena, &d->look);
    err_hint(err, "last of all, a new database: aramid reset (it would lose %s)",
             rows ? rows : "all that is in this one");
}

static bool
refuse_unfit(const Dev *d, Err *err)
{
    err_set(err, ERR_CONFIRM, "the rows that are there do not fit what the migrations make");
    err_detail(err, "%s", str_printable(d->call->arena, str_of(d->look.unfit), false));
    err_detail(err, "nothing was changed");
    err_hint(err, "change these rows, then the same again; or go on beside it: %s",
             again(d, "--drift leave"));
    hint_reset(d, err);
    return false;
}

static bool
refuse_losses(const Dev *d, const CatTexts *losses, const char *what, Err *err)
{
    enum { SHOWN_MAX = 12 };
    Arena *a = d->call->arena;
    err_set(err, ERR_CONFIRM, "%s", what);
    for (size_t i = 0; i < losses->n && i < SHOWN_MAX; i++)
        err_detail(err, "%s", str_printable(a, str_of(losses->v[i]), false));
    if (losses->n > SHOWN_MAX)
        err_detail(err, "and %zu more", losses->n - SHOWN_MAX);
    err_detail(err, "nothing was changed");
    return err_hint(err, "if that is meant: %s", again(d, "--accept-data-loss"));
}

static void
add_losses(Buf *b, const CatTexts *losses)
{
    vec_each (const char *const, text, losses)
        buf_fmt(b, "%s\n  %s", text == losses->v ? "\nGone afterwards, with the data:" : "",
                str_printable(b->arena, str_of(*text), false));
}

static bool
ask_choice(const Dev *d, bool may_keep, Choice *ret, Err *err)
{
    Buf b;
    Str answer;
    buf_init(&b, d->call->arena);
    if (d->look.losses.n)
        buf_addz(&b, "Undoing it:");
    add_losses(&b, &d->look.losses);
    buf_fmt(&b, "%s%s[u]ndo it in the database, [l]eave it there, [q]uit: ",
            d->look.losses.n ? "\n" : "", may_keep ? "[k]eep it as a migration, " : "");
    for (;;) {
        if (!cli_ask(d->call, b.p, &answer, err))
            return false;
        char c = answer.n ? answer.p[0] : 0;
        if (c == 'q')
            return err_set(err, ERR_CONFIRM, "nothing was changed");
        if (c == 'u' || c == 'l' || (c == 'k' && may_keep)) {
            *ret = c == 'u' ? UNDO : c == 'l' ? LEAVE : KEEP;
            return true;
        }
    }
}

/* What is safe is done; what is not is asked, or named. */
static bool
choose(const Dev *d, Choice *ret, Err *err)
{
    const DevLook *l = &d->look;
    const CmdCall *call = d->call;
    bool is_folders = l->edited || l->missing, can_ask = cli_can_ask(call);
    const char *said = cli_text(call, "drift");
    if (said) {
        *ret = str_is(str_of(said), "keep") ? KEEP : str_is(str_of(said), "undo") ? UNDO : LEAVE;
        if (*ret == KEEP && is_folders) {
            err_set(err, ERR_USAGE,
                    "what edited or vanished migrations made is kept by their files");
            return err_hint(err, "bring the files back as they were applied: git log -- %s",
                            l->history.dir);
        }
    } else if (is_folders && !l->losses.n) {
        *ret = UNDO;
    } else if (can_ask) {
        return ask_choice(d, !is_folders && !history_is_drizzle(l->history.layout), ret, err);
    } else {
        *ret = is_folders ? UNDO : LEAVE;
    }
    if (*ret != UNDO)
        return true;
    if (l->unfit)
        return refuse_unfit(d, err);
    if (!l->losses.n || cli_flag(call, "accept-data-loss"))
        return true;
    return refuse_losses(d, &l->losses,
                         "making the database what its migrations make loses what is in it", err);
}

static bool
look(Dev *d, Err *err)
{
    const FlowInput in = cli_flow_input(d->call, &d->config);
    flow_dev_close(&d->look);
    return flow_dev_look(d->call->arena, &in, &d->look, err);
}

/* What an interrupted call has made without its place in the history. */
static bool
record(Dev *d, Err *err)
{
    bool any = false;
    if (!d->look.history.pending || !d->look.drift || !d->look.drift->has_drift)
        return true;
    CliRun run = cli_run_open(d->call, &d->config);
    const DevSettleInput in = {
        .base = cli_flow_input(d->call, &d->config), .sink = run.sink, .run_id = run.id};
    bool ok = flow_dev_record(d->call->arena, &in, &d->look, &any, err);
    if (!ok)
        cli_finish_error(d->call, err);
    cli_run_close(&run, ok ? NULL : err);
    d->report.kept = any;
    return ok && (!any || look(d, err));
}

static bool
undo(Dev *d, Err *err)
{
    CliRun run = cli_run_open(d->call, &d->config);
    const DevSettleInput in = {.base = cli_flow_input(d->call, &d->config),
                               .sink = run.sink,
                               .run_id = run.id,
                               .again = again(d, "--drift undo") + strlen("aramid ")};
    bool ok = flow_dev_settle(d->call->arena, &in, &d->look, err);
    if (!ok)
        cli_finish_error(d->call, err);
    cli_run_close(&run, ok ? NULL : err);
    d->report.settled = ok;
    return ok;
}

/* As a migration that the database has already. The schema follows it where it has nothing of its own
 * that waits for a migration. */
static bool
keep(Dev *d, Err *err)
{
    CmdCall *call = d->call;
    Creation *c = arena_new(call->arena, Creation);
    CreateResult pending;
    creating_begin(c, call, &d->config);
    if (history_is_drizzle(d->look.history.layout)) {
        err_set(err, ERR_USAGE,
                "drizzle-kit writes this project's migrations, from its schema alone");
        return err_hint(err, "put what was changed into the schema, or undo it: %s",
                        again(d, "--drift undo"));
    }
    c->in.name = NULL;
    if (!flow_create(call->arena, &c->in, &pending, err))
        return false;
    c->in.kind = CREATE_DRIFT;
    if (cli_given(call,
                  "drift")) { /* else the name that was given is meant for the schema's changes */
        c->in.name = d->creation.in.name;
        d->creation.in.name = NULL;
    }
    if ((!c->in.name && !creating_ask_name(c, err)) || !creating_make(c, err) ||
        !flow_create_write(call->arena, &c->result, err))
        return false;
    d->status = cmd_create_adopt(call, &d->config, c->result.name, pending.is_same);
    d->report.kept = d->status == 0;
    *vec_add(call->arena, &d->report.applied) = c->result.name;
    return d->status == 0;
}

static bool
settle(Dev *d, Err *err)
{
    Choice choice = LEAVE;
    const DevLook *l = &d->look;
    Buf b;
    if (!l->drift || (!l->drift->has_drift && !l->edited && !l->missing))
        return true;
    buf_init(&b, d->call->arena);
    report_dev_drift(&b, &d->call->term_out, l);
    show(d, &b);
    if (!choose(d, &choice, err))
        return false;
    if (choice == UNDO)
        return undo(d, err);
    if (choice == KEEP)
        return keep(d, err);
    cli_note(d->call, "It is left as it is. To keep it: %s; to undo it: %s",
             again(d, "--drift keep"), again(d, "--drift undo"));
    if (!history_knows_edits(l->history.layout))
        cli_note(d->call,
                 "Or a migration was edited, which the table of %s does not tell: the "
                 "latter makes the database what the files make now",
                 l->history.layout->ledger.tool);
    d->report.left = true;
    return true;
}

/* ---- migrations ------------------------------------------------------------------------------- */

static bool
deploy(Dev *d, Err *err)
{
    DeployResult r;
    CliRun run = cli_run_open(d->call, &d->config);
    bool ok = cli_deploy(&run, &d->config, &r, err);
    cli_run_close(&run, ok ? NULL : err);
    vec_each (const RunDone, done, &r.run.applied)
        if (!done->undone)
            *vec_add(d->call->arena, &d->report.applied) = done->name;
    if (!ok)
        d->status = cli_deploy_failed(&run, &r, err);
    return ok;
}

/* Whether migrations of this project can be made of a schema; where not, applying them was all. */
static bool
can_make(const Dev *d, const Err *err)
{
    return !((err->code == ERR_NO_SCHEMA && !d->config.schema_path && !d->creation.in.name) ||
             (err->code == ERR_USAGE && !d->look.history.layout->new_one));
}

static bool
refuse_impossible(const Dev *d, const char *why, Err *err)
{
    err_set(err, ERR_CONFIRM, "the migration cannot be applied to the rows that are there");
    err_detail(err, "%s", str_printable(d->call->arena, str_of(why), false));
    err_detail(err, "no migration was written");
    err_hint(err, "give the column a default, or make it optional first");
    return err_hint(err, "or write it and put what is needed for the rows into it: %s",
                    again(d, "--create-only"));
}

static bool
agree(Dev *d, Err *err)
{
    CatTexts losses = {0};
    const char *unfit;
    const CmdCall *call = d->call;
    const CreateResult *r = &d->creation.result;
    const FlowInput in = cli_flow_input(call, &d->config);
    Diff *diff = r->diff ? r->diff->diff : NULL;
    if (r->by_tool && !flow_dev_pending(call->arena, &in, &d->look, &diff, err))
        return false;
    if (!diff)
        return true;
    if (!flow_dev_rows(call->arena, &d->look, diff, &losses, &unfit, err))
        return false;
    if (unfit)
        return refuse_impossible(d, unfit, err);
    if (!losses.n || cli_flag(call, "accept-data-loss"))
        return true;
    if (!cli_can_ask(call))
        return refuse_losses(d, &losses, "the migration loses what is in the database", err);
    Buf b;
    buf_init(&b, call->arena);
    add_losses(&b, &losses);
    buf_addz(&b, "\nCreate and apply it?");
    return cli_confirm(call, b.p, "a migration that loses data", again(d, "--accept-data-loss"),
                       err);
}

/* What the migrations lack of the schema: written, and applied. */
static bool
make(Dev *d, Err *err)
{
    Buf b;
    CmdCall *call = d->call;
    Creation *c = &d->creation;
    const CreateResult *r = &c->result;
    buf_init(&b, call->arena);
    if (!creating_make(c, err)) {
        if (err->code == ERR_NAME && r->diff) {
            report_create_ahead(&b, &call->term_out, r);
            show(d, &b);
        }
        return !can_make(d, err);
    }
    d->report.made = r;
    if (r->is_same && !r->files.n)
        return true;
    report_create_ahead(&b, &call->term_out, r);
    show(d, &b);
    if (!findings_pass(&r->findings, err) || !agree(d, err)) {
        Err ignored;
        if (r->by_tool)
            (void)!flow_create_take_back(call->arena, r, &ignored);
        return false;
    }
    if (!flow_create_write(call->arena, r, err))
        return false;
    buf_clear(&b);
    report_dev_written(&b, &call->term_out, r);
    show(d, &b);
    return deploy(d, err);
}

/* ---- behind it -------------------------------------------------------------------------------- */

static bool
is_set(const char *variable)
{
    const char *value = os_env(variable);
    return value && value[0] && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

static void
on_output(void *arg, Str line)
{
    const CmdCall *call = arg;
    fwrite(line.p, 1, line.n, call->err);
    fflush(call->err);
}

static bool
generate(Dev *d, Err *err)
{
    CmdCall *call = d->call;
    GenerateInput in = {
        .base = cli_flow_input(call, &d->config), .on_output = on_output, .arg = call};
    bool skips = cli_flag(call, "skip-generate") || is_set("PRISMA_MIGRATE_SKIP_GENERATE");
    if (skips || history_is_drizzle(d->look.history.layout))
        return true;
    if (!flow_generate_find(call->arena, &in, &d->generated, err)) {
        d->report.not_generated = str_fmt(call->arena, "%s", err->primary);
        return err->code == ERR_TOOL;
    }
    if (d->generated.tool == GENERATE_NONE)
        return true;
    if (!flow_generate(call->arena, &in, &d->generated, err))
        return false;
    d->report.generated = &d->generated;
    return true;
}

static void
on_seed_output(void *arg, Str line)
{
    const CliRun *run = arg;
    on_output(run->call, line);
}

/* A database in which nothing was before. */
static bool
seed(Dev *d, Err *err)
{
    CmdCall *call = d->call;
    if (!d->look.is_new || cli_flag(call, "skip-seed") || is_set("PRISMA_MIGRATE_SKIP_SEED"))
        return true;
    CliRun run = cli_run_open(call, &d->config);
    SeedResult r;
    const SeedInput in = {.base = cli_flow_input(call, &d->config),
                          .sink = run.sink,
                          .run_id = run.id,
                          .show_progress = !cli_flag(call, "quiet"),
                          .ask = cli_ask_scripts,
                          .on_output = on_seed_output,
                          .arg = &run};
    bool ok = flow_seed(call->arena, &in, &r, err);
    if (!ok)
        cli_finish_error(call, err);
    cli_run_close(&run, ok ? NULL : err);
    size_t files = r.scripts.run.applied.n;
    if (r.command)
        d->report.seeded = r.command;
    else if (files)
        d->report.seeded = str_fmt(call->arena, "%zu file%s", files, str_plural((int64_t)files));
    return ok;
}

/* ---- all of it -------------------------------------------------------------------------------- */

static bool
has_pending(const DevLook *l)
{
    return l->is_new || l->history.pending || l->history.failed || l->history.resumable;
}

/* What was interrupted is brought to its end before anything is compared. */
static bool
bring_up(Dev *d, Err *err)
{
    if (!look(d, err))
        return false;
    bool is_new = d->look.is_new;
    if ((d->look.history.failed || d->look.history.resumable) && (!deploy(d, err) || !look(d, err)))
        return false;
    if (!record(d, err) || !settle(d, err))
        return false;
    bool has_files = d->look.history.files.n > 0;
    if (has_files && has_pending(&d->look) && (!deploy(d, err) || !look(d, err)))
        return false;
    d->look.is_new = is_new;
    return true;
}

static int
finish(Dev *d, const Err *err)
{
    CmdCall *call = d->call;
    CliAnswer out = cli_answer(call);
    flow_dev_close(&d->look);
    if (out.is_json)
        report_dev_json(&out.json, &d->report, err);
    else if (!err)
        report_dev_text(&out.text, &call->term_out, &d->report);
    if (out.is_json || !err)
        cli_answer_print(call, &out);
    if (!err)
        return cli_findings_status(call, &d->creation.result.findings);
    return d->status ? d->status : out.is_json ? cli_status(call, err) : cli_fail(call, err);
}

int
cmd_dev(CmdCall *call)
{
    if (cli_flag(call, "watch"))
        return watch_schema(call, cmd_create, cmd_dev);
    if (cli_flag(call, "create-only"))
        return cmd_create(call);
    os_signals_catch();
    Err err;
    Dev *d = arena_new(call->arena, Dev);
    d->call = call;
    d->report.look = &d->look;
    if (!cli_load_config(call, &d->config, &err))
        return cli_fail(call, &err);
    creating_begin(&d->creation, call, &d->config);
    d->creation.in.empty_too = false;
    bool ok = bring_up(d, &err) && make(d, &err) && generate(d, &err) && seed(d, &err);
    if (!ok && !d->status)
        cli_finish_error(call, &err);
    return finish(d, ok ? NULL : &err);
}
