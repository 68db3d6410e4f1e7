#include "flow/git.h"

#include "base/child.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <stdlib.h>

enum { PATIENCE_MS = 60000 };

const char *
git_user(Arena *a)
{
    const char *const argv[] = {"git", "config", "user.name", NULL};
    enum { MS = 2000 };
    ChildResult r;
    Err ignored;
    if (!child_run(a, argv, NULL, MS, &r, &ignored) || r.status)
        return NULL;
    Str name = str_trim(r.out);
    return name.n ? str_printable(a, name, false) : NULL;
}

bool
git_scratch(Arena *a, const char *what, const char **ret, Err *err)
{
    const char *base = os_env("TMPDIR");
    char *made =
        fs_join(a, base && base[0] == '/' ? base : "/tmp", str_fmt(a, "aramid-%s-XXXXXX", what));
    *ret = mkdtemp(made);
    return *ret || err_set(err, ERR_IO, "cannot make a folder \"%s\": %s", made, strerror(errno));
}

/* *ret: what it has printed. */
static bool
run(Arena *a, const char *const *argv, bool *ret_ok, const char **ret, Err *err)
{
    ChildResult done;
    if (!child_run(a, argv, NULL, PATIENCE_MS, &done, err)) {
        err->code = ERR_TOOL;
        return false;
    }
    *ret_ok = done.status == 0;
    *ret = str_dup(a, str_trim(done.out));
    return true;
}

bool
git_export(Arena *a, const GitFiles *f, const char **ret_said, Err *err)
{
    static const char script[] =
        "set -e; if test \"$5\" && ! git -C \"$1\" rev-parse -q --verify \"$2:./\" >/dev/null; "
        "then exit 0; fi; git -C \"$1\" archive --format=tar \"$2\" -- \"$3\" >\"$4.tar\"; "
        "tar -xf \"$4.tar\" -C \"$4\"; rm \"$4.tar\"";
    const char *said, *commit = str_fmt(a, "%s^{commit}", f->ref);
    const char *const known[] = {"git",  "-C", f->dir, "rev-parse", "--verify", "--end-of-options",
                                 commit, NULL};
    bool ok;
    *ret_said = NULL;
    if (!run(a, known, &ok, &said, err))
        return false;
    if (ok) {
        const char *const argv[] = {
            "sh", "-c", script, "sh", f->dir, said, f->name, f->to, f->may_be_missing ? "1" : "",
            NULL};
        if (!run(a, argv, &ok, &said, err))
            return false;
    }
    *ret_said = ok ? NULL : said;
    return true;
}
