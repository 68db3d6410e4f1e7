/* Making a migration: what the command line says, and what a person is asked. */
#include "cli/creating.h"

#include "cli/cli_int.h"

/* What a person types in front of a name. */
static const char *
words_of(const CmdCall *call)
{
    return call->spec->prisma_status ? "aramid migrate dev --name"
                                     : str_fmt(call->arena, "aramid %s", call->spec->name);
}

/* ---- what a person is asked ------------------------------------------------------------------- */

bool
creating_ask_name(Creation *c, Err *err)
{
    const CmdCall *call = c->call;
    if (!cli_can_ask(call)) {
        err_set(err, ERR_NAME, "the new migration needs a name");
        return err_hint(err, "say in a few words what it changes: %s add_user_bio", words_of(call));
    }
    for (;;) {
        Str answer;
        if (!cli_ask(call, "Name of the migration (what does it change?): ", &answer, err))
            return false;
        c->in.name = str_dup(call->arena, answer);
        if (flow_create_named(call->arena, &c->in, err))
            return true;
        cli_note(call, "%s", err->primary);
    }
}

/* Which of these names it has now; NULL in *ret: it is dropped. */
static bool
ask_guess(const CmdCall *call, const CreateGuess *g, const char **ret, Err *err)
{
    Arena *a = call->arena;
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "\n%s goes", cat_ref_text(a, &g->was));
    if (g->now.n == 1)
        buf_fmt(&b, " and \"%s\" comes.\nWas it renamed, and keeps what it holds? [y/n] ",
                g->now.v[0]);
    else {
        buf_addz(&b, ". Was it renamed?\n");
        for (size_t i = 0; i < g->now.n; i++)
            buf_fmt(&b, "  %zu  it is \"%s\" now, and keeps what it holds\n", i + 1, g->now.v[i]);
        buf_addz(&b, "  0  no: it is dropped, with what it holds\nNumber: ");
    }
    for (;;) {
        Str answer;
        long long n = -1;
        if (!cli_ask(call, b.p, &answer, err))
            return false;
        if (g->now.n == 1 && (str_ieq(answer, STR("y")) || str_ieq(answer, STR("yes"))))
            n = 1;
        else if (g->now.n == 1 && (str_ieq(answer, STR("n")) || str_ieq(answer, STR("no"))))
            n = 0;
        else if (g->now.n == 1 || !str_to_int(answer, 0, (long long)g->now.n, &n))
            continue;
        *ret = n ? g->wishes.v[n - 1] : NULL;
        return true;
    }
}

bool
creating_make(Creation *c, Err *err)
{
    Arena *a = c->call->arena;
    for (;;) {
        c->in.renames = c->renames.v;
        c->in.nrenames = c->renames.n;
        c->in.dropped = &c->dropped;
        if (!flow_create(a, &c->in, &c->result, err))
            return false;
        const CreateResult *r = &c->result;
        if (r->guesses.n) {
            /* One at a time: what a table was called decides about its columns. */
            const char *wish;
            if (!ask_guess(c->call, &r->guesses.v[0], &wish, err))
                return false;
            if (wish)
                *vec_add(a, &c->renames) = wish;
            else
                *vec_add(a, &c->dropped) = r->guesses.v[0].was;
        } else if (r->is_same || c->in.name || r->by_tool) {
            return true;
        } else if (!creating_ask_name(c, err)) {
            return false;
        }
    }
}

/* Of a tool that writes the migration: beside the result. */
static void
on_output(void *arg, Str line)
{
    const CmdCall *call = arg;
    FILE *to = cli_flag(call, "json") ? call->err : call->out;
    fwrite(line.p, 1, line.n, to);
    fflush(to);
}

static CreateKind
kind_of(const CmdCall *call)
{
    return cli_flag(call, "empty")        ? CREATE_EMPTY
           : cli_flag(call, "data")       ? CREATE_DATA
           : cli_flag(call, "from-drift") ? CREATE_DRIFT
                                          : CREATE_CHANGES;
}

void
creating_begin(Creation *c, CmdCall *call, const Config *config)
{
    bool is_prisma = call->spec->prisma_status;
    const char *arg = cli_arg(call, 0);
    *c = (Creation){.call = call};
    c->in = (CreateInput){
        .command = words_of(call),
        .base = cli_flow_input(call, config),
        .kind = kind_of(call),
        .name = arg ? arg : cli_text(call, "name"),
        .unnamed = true,
        .any_name = is_prisma,
        .empty_too = is_prisma,
        .folder = cli_text(call, "to"),
        .sql = cli_text(call, "to-sql"),
        .no_renames = cli_flag(call, "no-rename"),
        .prisma_compat = cli_flag(call, "prisma-compat"),
        .rls = cli_flag(call, "rls"),
        .down = cli_given(call, "down") ? cli_flag(call, "down")
                                        : config->values[CFG_CREATE_DOWN].number != 0,
        .needs_down = cli_flag(call, "down"),
        .author = cli_given(call, "author") ? cli_flag(call, "author")
                                            : config->values[CFG_CREATE_AUTHOR].number != 0,
        .ticket = cli_text(call, "ticket"),
        .dry_run = cli_flag(call, "dry-run"),
        .on_output = on_output,
        .on_output_arg = call,
    };
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "rename") == 0)
            *vec_add(call->arena, &c->renames) = v->text;
}
