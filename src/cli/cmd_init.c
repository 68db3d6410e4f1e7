/* aramid init. */
#include "cli/cli_int.h"
#include "cli/commands.h"

#include "base/os.h"
#include "report/init.h"

static bool
has_command(const void *arg, const char *name)
{
    const CmdCall *call = arg;
    return cli_find_command(call->table, str_of(name)) != NULL;
}

/* "npm,github" */
static bool
read_parts(const CmdCall *call, InitInput *in, Err *err)
{
    const char *only = cli_text(call, "only");
    in->chosen = only != NULL;
    for (Str rest = str_of(only); only && rest.p;) {
        Str word = str_trim(str_cut(&rest, ','));
        int part = 0;
        while (part < INIT_GROUP_COUNT && !str_is(word, flow_init_group_name((InitGroup)part)))
            part++;
        if (part == INIT_GROUP_COUNT) {
            err_set(err, ERR_USAGE, "--only: there is no part %s", cli_quotable(call->arena, word));
            return err_hint(err, "parts: npm, github, vercel, docker, k8s");
        }
        in->groups[part] = true;
    }
    return true;
}

static bool
is_word(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("._-/", c)))
            return false;
    }
    return s.n > 0 && s.n <= 100 && s.p[0] != '-';
}

/* "main=production", as often as it was given. */
static bool
read_branches(const CmdCall *call, InitInput *in, Err *err)
{
    ProjectBranchVec list = {0};
    vec_each (const OptValue, v, &call->options) {
        if (strcmp(v->spec->name, "branch") != 0)
            continue;
        Str env = str_of(v->text), branch = str_cut(&env, '=');
        if (!env.p || !is_word(branch) || !is_word(env) || memchr(env.p, '/', env.n)) {
            err_set(err, ERR_USAGE, "--branch: %s is not BRANCH=ENVIRONMENT",
                    cli_quotable(call->arena, str_of(v->text)));
            return err_hint(err, "for example --branch main=production --branch dev=development");
        }
        vec_each (const ProjectBranch, other, &list) {
            if (str_is(env, other->env) || str_is(branch, other->name))
                return err_set(err, ERR_USAGE,
                               "--branch: each branch and each environment can be named once");
        }
        *vec_add(call->arena, &list) =
            (ProjectBranch){str_dup(call->arena, branch), str_dup(call->arena, env)};
    }
    in->branches = list.v;
    in->branch_count = list.n;
    return true;
}

static void
show(const CmdCall *call, const Buf *b)
{
    Buf lines;
    buf_init(&lines, call->arena);
    term_break(&lines, &call->term_out, buf_str(b));
    if (!cli_flag(call, "json"))
        fputs(lines.p, call->out);
}

/* The meanings of the names, chosen by a person. */
static bool
ask_profile(const CmdCall *call, const InitResult *r, const char **ret, Err *err)
{
    Buf b;
    buf_init(&b, call->arena);
    report_init_profiles(&b, &call->term_out, r);
    show(call, &b);
    fflush(call->out);
    if (!cli_can_ask(call)) {
        err_set(err, ERR_CONFIRM, "the names of scripts in package.json need a profile");
        for (const ProjectProfile *const *p = project_profiles(); *p; p++)
            err_hint(err, "aramid init --profile %s: %s", (*p)->name, (*p)->summary);
        return err_hint(err, "or leave package.json alone: --only with other parts");
    }
    const char *fallback = r->suggested ? r->suggested->name : NULL;
    for (;;) {
        Str answer;
        const char *question =
            fallback ? str_fmt(call->arena, "\nProfile [%s]: ", fallback) : "\nProfile: ";
        if (!cli_ask(call, question, &answer, err))
            return false;
        *ret = answer.n ? str_dup(call->arena, answer) : fallback;
        if (*ret && project_profile(*ret))
            return true;
        cli_note(call, "workflow, deploy, create, develop or prisma; Ctrl-C ends without a change");
    }
}

static bool
approve(const CmdCall *call, const InitResult *r, Err *err)
{
    Buf b;
    buf_init(&b, call->arena);
    report_init_difference(&b, &call->term_out, r);
    if (!cli_flag(call, "json"))
        fputs(b.p, call->out); /* lines of files stay whole */
    buf_init(&b, call->arena);
    report_init_text(&b, &call->term_out, r);
    show(call, &b);
    fflush(call->out);
    if (!r->changes || cli_flag(call, "dry-run"))
        return true;
    if (!findings_pass(&r->findings, err))
        return false;
    return cli_confirm(
        call, str_fmt(call->arena, "\nWrite %zu file%s?", r->changes, str_plural(r->changes)),
        "writing files into the project", "look at: aramid init --dry-run; then: aramid init --yes",
        err);
}

static int
finish(const CmdCall *call, const InitResult *r, bool written)
{
    if (cli_flag(call, "json")) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        report_init_json(&w, r, written);
        cli_print(call, &w.out);
    } else if (written) {
        Buf b;
        buf_init(&b, call->arena);
        buf_addc(&b, '\n');
        term_add(&b, &call->term_out, TERM_GREEN, term_mark(&call->term_out, TERM_MARK_OK));
        buf_fmt(&b, " %zu file%s written. Look at them (git diff) and commit them.\n", r->changes,
                str_plural(r->changes));
        cli_print(call, &b);
    }
    return cli_findings_status(call, &r->findings);
}

int
cmd_init(CmdCall *call)
{
    os_signals_catch();
    Err err;
    InitResult r;
    InitInput in = {
        .start_dir = ".",
        .schema = cli_text(call, "schema"),
        .migrations = cli_text(call, "migrations"),
        .config_path = cli_text(call, "config"),
        .profile = cli_text(call, "profile"),
        .force = cli_flag(call, "force"),
        .beside = cli_flag(call, "beside"),
        .has_command = has_command,
        .arg = call,
        .tick = cli_tick,
    };
    if (!read_parts(call, &in, &err) || !read_branches(call, &in, &err) ||
        !flow_init(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    Buf b;
    buf_init(&b, call->arena);
    report_init_project(&b, &call->term_out, &r);
    buf_addc(&b, '\n');
    show(call, &b);
    if (r.wants_profile &&
        (!ask_profile(call, &r, &in.profile, &err) || !flow_init(call->arena, &in, &r, &err)))
        return cli_fail(call, &err);
    bool writes = r.changes && !cli_flag(call, "dry-run");
    if (!approve(call, &r, &err) || (writes && !flow_init_write(call->arena, &in, &r, &err)))
        return cli_fail(call, &err);
    return finish(call, &r, writes);
}
