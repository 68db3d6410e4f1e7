/* What was done by scripts beside the migrations. */
#include "report/scripts.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

static void
add_losses(Buf *out, const Term *t, const ScriptsResult *r)
{
    Arena *a = out->arena;
    if (r->losses.n)
        term_add(out, t, TERM_YELLOW, "Gone afterwards, with the data:\n");
    vec_each (const PlanLoss, l, &r->losses)
        buf_fmt(out, "  %s:%d: %s\n", str_printable(a, str_of(l->mp->migration->path), false),
                l->line, str_printable(a, str_of(l->what), false));
}

void
report_scripts_plan(Buf *out, const Term *t, const ScriptsResult *r)
{
    report_plan_steps_text(out, t, &r->plan, true);
    if (r->losses.n)
        buf_addc(out, '\n');
    add_losses(out, t, r);
    findings_text(out, t, &r->plan.findings);
}

void
report_execute_plan(Buf *out, const Term *t, const ScriptsResult *r, const char *again)
{
    report_scripts_plan(out, t, r);
    buf_fmt(out, "\nNothing was changed. To run it: aramid %s\n", again);
}

void
report_execute_text(Buf *out, const Term *t, const ScriptsResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    size_t statements = 0;
    vec_each (const MigrationPlan, mp, &r->plan.plan.migrations)
        statements += mp->statements;
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_fmt(out, " Script executed successfully. (%zu statement%s in %s)\n", statements,
            str_plural((int64_t)statements), clock_duration(a, r->run.ms));
    if (r->backup_id)
        buf_fmt(out, "Backup: %s (aramid restore %s brings it back)\n", r->backup_id, r->backup_id);
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

void
report_scripts_begin(JsonWriter *w, const char *command, const ScriptsResult *r, const Err *err,
                     bool is_plan)
{
    jw_object(w, NULL);
    jw_strz(w, "command", command);
    jw_bool(w, "ok", err == NULL);
    jw_bool(w, "plan", is_plan);
    jw_strz(w, "run", r->run_id);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_server_json(w, r->run.server.host ? &r->run.server : r->server);
    report_identity_member(w, &r->identity);
}

void
report_losses_json(JsonWriter *w, const PlanLosses *losses)
{
    jw_array(w, "losses");
    vec_each (const PlanLoss, l, losses) {
        jw_object(w, NULL);
        jw_strz(w, "path", l->mp->migration->path);
        jw_int(w, "line", l->line);
        jw_strz(w, "text", l->what);
        jw_end(w);
    }
    jw_end(w);
}

void
report_execute_json(JsonWriter *w, const ScriptsResult *r, const Err *err, const char *log_dir,
                    bool is_plan)
{
    report_scripts_begin(w, "execute", r, err, is_plan);
    report_plan_steps_json(w, "scripts", &r->plan.plan, NULL, true);
    report_losses_json(w, &r->losses);
    bool done = r->run.applied.n != 0;
    jw_bool(w, "executed", done);
    jw_bool(w, "resumed", done && r->run.applied.v[0].resumed);
    findings_json(w, "findings", is_plan ? &r->plan.findings : r->findings);
    jw_strz(w, "backup", r->backup_id);
    jw_int(w, "retries", r->run.retries);
    jw_int(w, "ms", r->run.ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
