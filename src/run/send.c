/* Sending a user's statements, watched. */
#include "run/watch.h"

static void
on_notice(void *arg, const char *severity, const char *sqlstate, const char *text)
{
    Run *r = arg;
    bool warning = strcmp(severity, "WARNING") == 0;
    if (!warning && strcmp(severity, "NOTICE") != 0)
        return;
    /* "there is no transaction in progress" and the like come with the file's own BEGIN. */
    if (strcmp(sqlstate, "25001") == 0 || strcmp(sqlstate, "25P01") == 0)
        return;
    run_emit(r, RUN_NOTICE, warning ? RUN_WARN : RUN_INFO, r->current, "%s", text);
}

void
run_send(Run *r, Arena *a, Str sql, LockWatch *locks, DbOutcome *ret)
{
    watch_begin(r, locks);
    db_run(r->session.db, a, sql,
           &(DbRun){.discard_rows = true,
                    .notice = on_notice,
                    .notice_arg = r,
                    .tick_ms = locks && !locks->is_alone ? LOCK_WATCH_EVERY_MS : 0},
           ret);
    watch_end(r);
}
