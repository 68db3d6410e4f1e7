/* aramid format. */
#include "cli/commands.h"
#include "cli/schema_input.h"
#include "base/fs.h"
#include "psl/psl.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether somebody passes a schema: a pipe or a file, but neither a terminal nor /dev/null, which
 * is what pipelines give to programs that read nothing. */
static bool
has_input(void)
{
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 &&
           (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

static bool
read_input(Arena *a, Str *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    char chunk[65536];
    for (;;) {
        ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read standard input: %s", strerror(errno));
        if (n == 0)
            break;
        if (b.n + (size_t)n > PSL_MAX_TEXT)
            return err_set(err, ERR_IO, "standard input is too long for a schema");
        buf_add(&b, (Str){chunk, (size_t)n});
    }
    *ret = buf_str(&b);
    return true;
}

/* Print the syntax errors, or another failure; returns the exit status. */
static int
fail(const CmdCall *call, FindingList *diags, const Err *err)
{
    if (err->code != ERR_SCHEMA || diags->counts[SEV_ERROR] == 0)
        return cli_fail(call, err);
    schema_input_print(call, call->err, diags);
    cli_note(call, "a schema with syntax errors is not formatted");
    return 1;
}

static int
format_input(const CmdCall *call, Str text, bool only_check)
{
    Source in = {.path = "<stdin>", .text = text}, *out;
    FindingList diags;
    Err err;
    findings_init(&diags, call->arena, NULL);
    diags.max = SCHEMA_INPUT_MAX_DIAGS;
    if (!psl_reformat(call->arena, &in, 1, true, &out, &diags, &err))
        return fail(call, &diags, &err);
    if (!only_check)
        fwrite(out->text.p, 1, out->text.n, call->out);
    else if (!str_eq(in.text, out->text))
        fprintf(call->out, "%s\n", in.path);
    return only_check && !str_eq(in.text, out->text) ? 1 : 0;
}

static int
format_files(CmdCall *call, bool only_check)
{
    const char *path;
    Source *in, *out;
    size_t n, changed = 0;
    FindingList diags;
    Err err;
    findings_init(&diags, call->arena, NULL);
    diags.max = SCHEMA_INPUT_MAX_DIAGS;
    if (!schema_input_path(call, &path, &err) ||
        !psl_load_sources(call->arena, path, &in, &n, &err) ||
        !psl_reformat(call->arena, in, n, true, &out, &diags, &err))
        return fail(call, &diags, &err);
    for (size_t i = 0; i < n; i++) {
        if (str_eq(in[i].text, out[i].text))
            continue;
        changed++;
        if (!only_check && !fs_replace(in[i].path, out[i].text, &err))
            return cli_fail(call, &err);
        fprintf(call->out, "%s\n", str_printable(call->arena, str_of(in[i].path), false));
    }
    if (only_check && changed)
        cli_note(call, "not formatted: %zu of %zu file%s; `aramid format` does it", changed, n,
                 str_plural(n));
    else
        cli_note(call, changed ? "formatted" : "nothing to change");
    return only_check && changed ? 1 : 0;
}

int
cmd_format(CmdCall *call)
{
    bool only_check = cli_flag(call, "check");
    Str text = STR("");
    Err err;
    if (cli_given(call, "schema") || !has_input())
        return format_files(call, only_check);
    if (!read_input(call->arena, &text, &err))
        return cli_fail(call, &err);
    if (text.n)
        return format_input(call, text, only_check);
    /* A pipeline gives an empty pipe to every program: the check must not pass for that reason. */
    if (only_check)
        return format_files(call, only_check);
    cli_note(call, "standard input is empty; `aramid format --schema PATH` formats files");
    return 0;
}
