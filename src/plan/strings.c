/* Backslashes in plain strings, where standard_conforming_strings is off. The server reads the whole of
 * a message by the setting that held when it came, whatever the message itself sets; statements are cut
 * by the setting on. Where both would not read the same, nothing is sent. */
#include "plan/plan.h"

static const char hint[] = "write such strings as E'...' with each backslash doubled, or without "
                           "backslashes: both are read alike everywhere";

bool
plan_check_strings(const MigrationPlan *mp, Err *err)
{
    ARENA_LOCAL(a);
    SqlScript script;
    size_t off;
    if (!plan_script(a, mp, true, &script, err))
        return false;
    if (!sql_find_backslash(script.text, 0, &off))
        return true;
    int line, column;
    str_line_col(script.text, off, &line, &column);
    err_set(err, ERR_MIGRATION_FILE,
            "standard_conforming_strings is off for this role or database, and the file has a "
            "backslash in a plain string: it would escape the next character");
    err_at(err, mp->migration->path, line, column);
    return err_hint(err,
                    "%s; or turn the setting on: ALTER ROLE ... RESET "
                    "standard_conforming_strings",
                    hint);
}

static bool
turns_off(const SqlScript *script, const SqlSpan *at)
{
    Str text = str_slice(script->text, at->off, at->off + at->len);
    return script->forms.v[at->form].kind == SQL_SET &&
           str_icontains(text, STR("standard_conforming_strings")) &&
           (str_icontains(text, STR("off")) || str_icontains(text, STR("false")) ||
            str_icontains(text, STR("no")) || str_icontains(text, STR("0")));
}

bool
plan_check_set_strings(const MigrationPlan *mp, const SqlScript *script, Err *err)
{
    vec_each (const SqlSpan, at, &script->stmts) {
        size_t off;
        if (!turns_off(script, at) || !sql_find_backslash(script->text, at->end, &off))
            continue;
        int line, column;
        str_line_col(script->text, off, &line, &column);
        err_set(err, ERR_MIGRATION_FILE,
                "a backslash in a plain string behind SET standard_conforming_strings = off");
        err_at(err, mp->migration->path, line, column);
        err_detail(err,
                   "the SET of line %u comes too late for it: the server reads a whole file "
                   "by the setting that held before",
                   at->line);
        return err_hint(err, "%s", hint);
    }
    return true;
}
