/* The end of a deploy. */
#include "report/migrations.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/verify.h"

const char *
report_migrations_found(Arena *a, const History *h)
{
    const char *dir = str_printable(a, str_of(h->dir), false);
    if (h->files.n == 0)
        return str_fmt(a, "No migration found in %s", dir);
    return str_fmt(a, "%zu migration%s found in %s", h->files.n, str_plural(h->files.n), dir);
}

void
report_deploy_text(Buf *out, const Term *t, const DeployResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    buf_fmt(out, "%s\n\n", report_migrations_found(a, &r->history));
    if (r->run.applied.n == 0) {
        buf_addz(out, "No pending migrations to apply.\n");
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, " All migrations are up to date!\n");
        return;
    }
    buf_addz(out, "The following migration(s) have been applied:\n\n");
    vec_each (const RunDone, d, &r->run.applied) {
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(d->name));
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "  %s%s%s%s", clock_duration(a, d->ms),
                         d->steps > 1 ? str_fmt(a, ", %d steps", d->steps) : "",
                         d->resumed ? ", resumed" : "",
                         d->undone ? ": its rollback, which was interrupted" : ""));
        buf_addc(out, '\n');
    }
    buf_addc(out, '\n');
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addz(out, " All migrations have been successfully applied.");
    buf_fmt(out, " (%zu in %s)\n", r->run.applied.n, clock_duration(a, r->run.ms));
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

void
report_deploy_json(JsonWriter *w, const DeployResult *r, const Err *err, const Failure *failure,
                   const char *log_dir)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "deploy");
    jw_bool(w, "ok", err == NULL);
    jw_strz(w, "run", r->run_id);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_server_json(w, r->run.server.host ? &r->run.server : NULL);
    report_identity_member(w, &r->identity);
    jw_int(w, "migrations", (int64_t)r->history.files.n);
    jw_int(w, "pendingBefore", r->run.pending_before);
    jw_array(w, "applied");
    vec_each (const RunDone, d, &r->run.applied) {
        if (d->undone) /* a rollback that was interrupted, finished first */
            continue;
        jw_object(w, NULL);
        jw_strz(w, "name", d->name);
        jw_int(w, "ms", d->ms);
        jw_int(w, "steps", d->steps);
        jw_bool(w, "resumed", d->resumed);
        jw_int(w, "stalledMs", d->stalled_ms);
        jw_int(w, "stalledSessions", d->stalled);
        jw_array(w, "statements");
        vec_each (const RunStatement, s, &d->statements) {
            jw_object(w, NULL);
            jw_int(w, "statement", s->number);
            jw_int(w, "line", s->line);
            jw_strz(w, "kind", s->tag);
            jw_raw(w, "ms",
                   str_of(str_fmt(w->out.arena, "%lld.%03lld", (long long)(s->us / 1000),
                                  (long long)(s->us % 1000))));
            jw_end(w);
        }
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", r->findings);
    jw_strz(w, "backup", r->backup_id);
    jw_strz(w, "verified", r->verified);
    health_json(w, &r->health);
    jw_strz(w, "healthState", r->health_state);
    jw_int(w, "rolledBack", (int64_t)r->rolled_back);
    jw_strz(w, "failed", r->run.failed);
    jw_int(w, "retries", r->run.retries);
    jw_int(w, "ms", r->run.ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    failure_json(w, failure);
    jw_end(w);
}

void
report_resolve_text(Buf *out, const Term *t, const ResolveResult *r)
{
    if (r->names.n == 0)
        buf_addz(out, "Nothing to record: all of these are applied already.\n");
    vec_each (const char *const, name, &r->names) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, " Migration ");
        term_text(out, t, TERM_PLAIN, str_of(*name));
        buf_fmt(out, " marked as %s.\n", r->applied ? "applied" : "rolled back");
    }
    if (r->compared)
        buf_addz(out, "Compared the whole database: it is what these migrations make.\n");
    if (r->backup_id)
        buf_fmt(out, "Backup: %s\n", r->backup_id);
    if (r->probe.present)
        buf_fmt(out, "Looked for what the last one makes: all %d objects are as they should be.\n",
                r->probe.present);
}

void
report_resolve_json(JsonWriter *w, const ResolveResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "resolve");
    jw_bool(w, "ok", true);
    report_target_json(w, &r->target);
    report_identity_member(w, &r->identity);
    jw_strz(w, "backup", r->backup_id);
    jw_bool(w, "compared", r->compared);
    jw_strz(w, "markedAs", r->applied ? "applied" : "rolled-back");
    jw_array(w, "migrations");
    vec_each (const char *const, name, &r->names)
        jw_strz(w, NULL, *name);
    jw_end(w);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}

static void
add_holder(Buf *out, const Term *t, const LockHolder *h)
{
    Arena *a = out->arena;
    buf_addz(out, "  ");
    term_add(out, t, TERM_BOLD, h->prepared ? "-" : str_fmt(a, "%d", h->pid));
    buf_fmt(out, "  %s\n        since %s (%s), %s", str_printable(a, str_of(h->who), false),
            str_printable(a, str_of(h->since), false), clock_duration(a, h->seconds * 1000),
            str_printable(a, str_of(h->state), false));
    if (h->is_aramid || h->orphaned) {
        buf_addz(out, "\n        ");
        term_add(
            out, t, h->orphaned ? TERM_YELLOW : TERM_PLAIN,
            h->orphaned ? "its program on this machine is gone: an orphan"
            : h->alive == OS_ALIVE
                ? str_fmt(a, "its program runs on this machine (process %s): it is at work",
                          h->client_pid)
                : str_fmt(a, "whether its program still runs cannot be seen from here: look on %s",
                          h->client_host));
    }
    if (h->query[0]) {
        Str q = str_of(h->query);
        bool cut = q.n > 100;
        if (cut)
            q.n = 100;
        buf_addz(out, "\n        ");
        term_text(out, t, TERM_DIM, q);
        if (cut)
            buf_addz(out, "...");
    }
    buf_addc(out, '\n');
}

/* A run that loses its connection makes another one. */
static void
add_after_end(Buf *out, const LockHolder *h)
{
    if (!h || !h->is_aramid || h->orphaned)
        return;
    if (h->alive == OS_ALIVE)
        buf_fmt(out,
                "Its program still runs (process %s): it connects again and goes on. To stop it: "
                "kill %s\n",
                h->client_pid, h->client_pid);
    else
        buf_fmt(out, "If its program still runs on %s, it connects again and goes on.\n",
                h->client_host);
}

void
report_unlock_text(Buf *out, const Term *t, const UnlockResult *r)
{
    if (r->ended_pid) {
        buf_fmt(out, "Ended server process %d; what it had not committed is rolled back.\n",
                r->ended_pid);
        add_after_end(out, r->ended);
        return;
    }
    if (r->holders.n == 0) {
        buf_addz(out, "Nobody holds the migration lock.\n");
        return;
    }
    buf_addz(out, "The migration lock is held by:\n\n");
    vec_each (const LockHolder, h, &r->holders)
        add_holder(out, t, h);
    const LockHolder *first = r->holders.v;
    if (first->prepared)
        buf_fmt(out, "\nTo end it: COMMIT PREPARED %s or ROLLBACK PREPARED %s\n", first->prepared,
                first->prepared);
    else if (first->is_aramid && !first->orphaned && first->alive == OS_ALIVE)
        buf_fmt(
            out,
            "\nIt is waited for, or stopped by: kill %s (it rolls back, and lets the lock go)\n",
            first->client_pid);
    else
        buf_fmt(out, "\nTo end one: aramid unlock %d\n", first->pid);
}

void
report_unlock_json(JsonWriter *w, const UnlockResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "unlock");
    jw_bool(w, "ok", true);
    report_target_json(w, &r->target);
    jw_array(w, "holders");
    vec_each (const LockHolder, h, &r->holders) {
        jw_object(w, NULL);
        jw_int(w, "pid", h->pid);
        jw_strz(w, "who", h->who);
        jw_strz(w, "since", h->since);
        jw_strz(w, "state", h->state);
        jw_bool(w, "orphaned", h->orphaned);
        jw_strz(w, "program",
                !h->is_aramid          ? NULL
                : h->alive == OS_ALIVE ? "running"
                : h->alive == OS_DEAD  ? "gone"
                                       : "not-seen");
        jw_end(w);
    }
    jw_end(w);
    if (r->ended_pid)
        jw_int(w, "ended", r->ended_pid);
    else
        jw_null(w, "ended");
    jw_end(w);
}
