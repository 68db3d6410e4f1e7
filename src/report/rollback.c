/* The end of a rollback, or what it would do. */
#include "report/rollback.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

Str
report_rollback_script(Arena *a, const RollbackResult *r)
{
    return flow_ways_text(a, &r->ways, &r->history, NULL);
}

static void
add_losses(Buf *out, const Term *t, const RollbackResult *r)
{
    Arena *a = out->arena;
    if (r->losses.n)
        term_add(out, t, TERM_YELLOW, "Gone afterwards, with the data:\n");
    vec_each (const RollbackLoss, l, &r->losses)
        buf_fmt(out, "  %s\n", str_printable(a, str_of(l->text), false));
}

void
report_rollback_plan(Buf *out, const Term *t, const RollbackResult *r)
{
    if (r->finishes)
        buf_addz(out, "-- A rollback was interrupted: it is finished first.\n");
    if (!r->ways.list.n) {
        if (!r->finishes)
            buf_addz(out, "-- Nothing to roll back.\n");
        return;
    }
    Arena *a = out->arena;
    vec_each (const RollbackLoss, l, &r->losses)
        buf_fmt(out, "-- Gone afterwards: %s\n", str_printable(a, str_of(l->text), false));
    buf_addz(out, str_printable(a, report_rollback_script(a, r), true));
    (void)t;
}

void
report_rollback_text(Buf *out, const Term *t, const RollbackResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    if (!r->run.applied.n) {
        buf_addz(out, "Nothing to roll back.\n");
        return;
    }
    buf_addz(out, "The following migration(s) have been rolled back:\n\n");
    vec_each (const RunDone, d, &r->run.applied) {
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(d->name));
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "  %s%s%s\n", clock_duration(a, d->ms),
                         d->steps > 1 ? str_fmt(a, ", %d steps", d->steps) : "",
                         d->resumed ? ", resumed" : ""));
    }
    buf_addc(out, '\n');
    add_losses(out, t, r);
    if (r->backup_id)
        buf_fmt(out, "Backup: %s (aramid restore %s brings it back)\n", r->backup_id, r->backup_id);
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_fmt(out, " %s\n",
            r->verified && strcmp(r->verified, "same") == 0
                ? "The database is what it was before. To apply again: aramid deploy"
                : "To apply again: aramid deploy");
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

static void
ways_json(JsonWriter *w, const RollbackResult *r)
{
    jw_array(w, "ways");
    vec_each (const Way, way, &r->ways.list) {
        jw_object(w, NULL);
        jw_strz(w, "name", way->migration->name);
        jw_bool(w, "derived", !way->path);
        jw_strz(w, "path", way->path);
        jw_str(w, "sql", way->script);
        jw_array(w, "notRestored");
        vec_each (const WayRest, rest, &way->rest) {
            jw_object(w, NULL);
            jw_int(w, "line", rest->line);
            jw_strz(w, "what", rest->what);
            jw_end(w);
        }
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "losses");
    vec_each (const RollbackLoss, l, &r->losses) {
        jw_object(w, NULL);
        jw_strz(w, "text", l->text);
        jw_bool(w, "counted", l->is_counted);
        jw_end(w);
    }
    jw_end(w);
}

void
report_rollback_json(JsonWriter *w, const RollbackResult *r, const Err *err, const char *log_dir,
                     bool is_plan)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "rollback");
    jw_bool(w, "ok", err == NULL);
    jw_bool(w, "plan", is_plan);
    jw_strz(w, "run", r->run_id);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_server_json(w, r->run.server.host ? &r->run.server : r->server);
    report_identity_member(w, &r->identity);
    jw_bool(w, "finishes", r->finishes);
    jw_bool(w, "proven", r->is_proven);
    ways_json(w, r);
    jw_array(w, "rolledBack");
    vec_each (const RunDone, d, &r->run.applied) {
        jw_object(w, NULL);
        jw_strz(w, "name", d->name);
        jw_int(w, "ms", d->ms);
        jw_int(w, "steps", d->steps);
        jw_bool(w, "resumed", d->resumed);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", r->findings);
    jw_strz(w, "backup", r->backup_id);
    jw_strz(w, "verified", r->verified);
    jw_strz(w, "failed", r->run.failed);
    jw_int(w, "retries", r->run.retries);
    jw_int(w, "ms", r->run.ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
