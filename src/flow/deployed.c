#include "flow/deployed.h"

#include "base/fs.h"
#include "flow/diff.h"
#include "flow/git.h"
#include "lint/old_code.h"

static bool
no_such(Arena *a, const char *what, const char *said, Err *err)
{
    err_set(err, ERR_USAGE, "\"%s\" is neither a schema nor something that git knows here",
            str_printable(a, str_of(what), false));
    if (*said)
        err_detail(err, "%s", str_printable(a, str_of(said), true));
    return err_hint(
        err, "name a file, or a branch, tag or commit whose schema.prisma it is (git fetch brings "
             "origin/main)");
}

/* The schema as git has it there, in a folder of our own. */
static bool
check_out(Arena *a, const Config *c, const char *ref, const char *scratch, const char **ret,
          Err *err)
{
    const char *said, *name = fs_basename(c->schema_path);
    const GitFiles files = {
        .dir = fs_dirname(a, c->schema_path), .ref = ref, .name = name, .to = scratch};
    *ret = fs_join(a, scratch, name);
    if (!git_export(a, &files, &said, err))
        return err_hint(err, "install git, or name a file: --deployed FILE");
    return !said || no_such(a, ref, said, err);
}

static bool
compare(Arena *a, const FlowInput *in, const char *path, const char *migrations,
        DeployedResult *ret, Err *err)
{
    DiffResult d;
    const DiffInput input = {.sides = {.base = *in,
                                       .from = {.kind = ENDPOINT_SCHEMA, .path = path},
                                       .to = {.kind = ENDPOINT_MIGRATIONS, .path = migrations}}};
    if (!flow_diff(a, &input, &d, err))
        return err_hint(err, "it is about the schema of the code that runs now: %s", ret->shown);
    lint_old_code(a, d.sides[0].catalog, d.sides[1].catalog, &ret->findings);
    return true;
}

bool
flow_deployed(Arena *a, const FlowInput *in, const char *what, const char *migrations,
              DeployedResult *ret, Err *err)
{
    const Config *c = in->config;
    const char *path = what, *scratch;
    *ret = (DeployedResult){.shown = what};
    findings_init(&ret->findings, a, &c->finding_rules);
    if (fs_exists(what))
        return compare(a, in, what, migrations, ret, err);
    if (!c->schema_path)
        return err_set(err, ERR_NO_SCHEMA,
                       "there is no schema.prisma whose older state could be compared");
    if (!git_scratch(a, "deployed", &scratch, err))
        return false;
    ret->shown = str_fmt(a, "%s:%s", what, fs_below(c->project_dir, c->schema_path));
    bool ok =
        check_out(a, c, what, scratch, &path, err) && compare(a, in, path, migrations, ret, err);
    Err ignored;
    bool is_gone = fs_remove(scratch, &ignored);
    (void)is_gone;
    return ok;
}
