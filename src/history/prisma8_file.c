/* Files of a Prisma 8 project, and what is said when one is not as Prisma 8 writes it. */
#include "base/fs.h"
#include "history/prisma8_int.h"

enum { FILE_MAX_BYTES = 64 * 1024 * 1024, HASH_DIGITS = 64 };

bool
p8_is_hash(const char *text)
{
    return text && strlen(text) == HASH_DIGITS && strspn(text, "0123456789abcdef") == HASH_DIGITS;
}

P8Place
p8_below(Arena *a, P8Place dir, const char *name)
{
    return (P8Place){fs_join(a, dir.path, name), fs_join(a, dir.shown, name)};
}

bool
p8_read_json(Arena *a, P8Place at, Str *ret_text, JsonTree *ret, Err *err)
{
    JtError wrong;
    Str text;
    if (!fs_read(a, at.path, FILE_MAX_BYTES, &text, err))
        return err_at(err, at.shown, 0, 0);
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    *ret_text = text;
    if (jt_parse(a, text, ret, &wrong))
        return true;
    err_set(err, ERR_MIGRATION_FILE, "the file is not valid JSON: %s",
            str_printable(a, str_of(wrong.why), false));
    err_at(err, at.shown, wrong.line, wrong.column);
    return err_hint(err, "restore it from version control");
}

bool
p8_fail(P8Place at, Err *err, const char *hint)
{
    err_at(err, at.shown, 0, 0);
    return err_hint(err, "%s", hint);
}

/* Forms that were before the release candidates of Prisma 8. */
bool
p8_refuse_old(P8Place at, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE,
            "the package has the form of Prisma Next before 0.17, which "
            "neither Prisma 8 nor Aramid reads");
    err_detail(err, "its hashes are written \"sha256:...\", or it keeps labels or hints");
    return p8_fail(at, err,
                   "bring the project to Prisma 8's form with Prisma's upgrade guide (it needs "
                   "Node), commit what it writes, and run this again");
}
