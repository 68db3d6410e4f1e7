#include "flow/deployed.h"

#include "base/child.h"
#include "base/fs.h"
#include "base/os.h"
#include "flow/diff.h"
#include "lint/old_code.h"

#include <errno.h>
#include <stdlib.h>

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
    static const char script[] =
        "set -e; git -C \"$1\" archive --format=tar \"$2\" -- \"$3\" >\"$4.tar\"; "
        "tar -xf \"$4.tar\" -C \"$4\"; rm \"$4.tar\"";
    ChildResult done;
    const char *dir = fs_dirname(a, c->schema_path), *name = fs_basename(c->schema_path);
    const char *commit = str_fmt(a, "%s^{commit}", ref);
    const char *const known[] = {"git",  "-C", dir, "rev-parse", "--verify", "--end-of-options",
                                 commit, NULL};
    if (!child_run(a, known, NULL, 60000, &done, err)) {
        err->code = ERR_TOOL;
        return err_hint(err, "install git, or name a file: --deployed FILE");
    }
    if (done.status != 0)
        return no_such(a, ref, "", err);
    const char *id = str_dup(a, str_trim(done.out));
    const char *const argv[] = {"sh", "-c", script, "sh", dir, id, name, scratch, NULL};
    if (!child_run(a, argv, NULL, 60000, &done, err))
        return false;
    if (done.status != 0)
        return no_such(a, ref, str_dup(a, str_trim(done.out)), err);
    *ret = fs_join(a, scratch, name);
    return true;
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
    const char *base = os_env("TMPDIR"), *path = what;
    *ret = (DeployedResult){.shown = what};
    findings_init(&ret->findings, a, &c->finding_rules);
    if (fs_exists(what))
        return compare(a, in, what, migrations, ret, err);
    if (!c->schema_path)
        return err_set(err, ERR_NO_SCHEMA,
                       "there is no schema.prisma whose older state could be compared");
    char *scratch = fs_join(a, base && base[0] == '/' ? base : "/tmp", "aramid-deployed-XXXXXX");
    if (!mkdtemp(scratch))
        return err_set(err, ERR_IO, "cannot make a folder \"%s\": %s", scratch, strerror(errno));
    ret->shown = str_fmt(a, "%s:%s", what, fs_below(c->project_dir, c->schema_path));
    bool ok =
        check_out(a, c, what, scratch, &path, err) && compare(a, in, path, migrations, ret, err);
    Err ignored;
    bool is_gone = fs_remove(scratch, &ignored);
    (void)is_gone;
    return ok;
}
