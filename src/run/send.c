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
    if (strcmp(sqlstate, "25001") == 0 || strcmp(sqlstate, "25P01") == 0 || message_is_notice(text))
        return;
    /* What IF NOT EXISTS found may be another one. Schemas and extensions have no shape to differ in. */
    if (!warning && (strcmp(sqlstate, "42P07") == 0 || strcmp(sqlstate, "42701") == 0))
        r->report->skipped++;
    run_emit(r, RUN_NOTICE, warning ? RUN_WARN : RUN_INFO, r->current, "%s", text);
}

static DbRun
watched(Run *r, const LockWatch *locks)
{
    bool is_limited = r->stall.is_on && stall_limit_ms(r);
    return (DbRun){.discard_rows = true,
                   .notice = on_notice,
                   .notice_arg = r,
                   .tick_ms = is_limited                  ? STALL_WATCH_EVERY_MS
                              : locks && !locks->is_alone ? LOCK_WATCH_EVERY_MS
                                                          : 0};
}

void
run_send(Run *r, Arena *a, Str sql, LockWatch *locks, DbOutcome *ret)
{
    DbRun how = watched(r, locks);
    watch_begin(r, locks);
    db_run(r->session.db, a, sql, &how, ret);
    watch_end(r);
}

void
run_send_rows(Run *r, Arena *a, Str sql, DbRow row, void *row_arg, DbOutcome *ret)
{
    DbRun how = watched(r, NULL);
    how.row = row;
    how.row_arg = row_arg;
    watch_begin(r, NULL);
    db_run(r->session.db, a, sql, &how, ret);
    watch_end(r);
}

void
message_send(Run *r, Arena *a, const Message *m, LockWatch *locks, const MessageCalls *calls,
             DbOutcome *ret)
{
    DbRun how = watched(r, locks);
    how.row = message_take_row;
    how.row_arg = calls->times;
    how.step = calls->step;
    how.step_arg = calls->arg;
    watch_begin(r, locks);
    db_run(r->session.db, a, buf_str(&m->sql), &how, ret);
    watch_end(r);
}
