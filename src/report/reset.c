/* aramid reset: what was dropped, applied and seeded. */
#include "report/reset.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"
#include "report/scripts.h"
#include "report/seed.h"

static void
add_left(Buf *out, const ResetResult *r)
{
    if (r->left_alone.n)
        buf_addz(out, "Left alone:\n");
    vec_each (const char *const, text, &r->left_alone)
        buf_fmt(out, "  %s\n", str_printable(out->arena, str_of(*text), false));
}

void
report_reset_plan(Buf *out, const Term *t, const ResetResult *r)
{
    if (r->drop.plan.plan.migrations.n)
        report_scripts_plan(out, t, &r->drop);
    else
        buf_addz(out, "There is nothing to drop.\n");
    add_left(out, r);
    buf_fmt(out, "\nThen %zu migration%s would be applied. Nothing was changed.\n", r->migrations,
            str_plural((int64_t)r->migrations));
}

void
report_reset_text(Buf *out, const Term *t, const ResetResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addz(out, " Database reset successful\n\n");
    if (r->deploy.run.applied.n)
        buf_addz(out, "The following migration(s) have been applied:\n\n");
    vec_each (const RunDone, d, &r->deploy.run.applied) {
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(d->name));
        term_add(out, t, TERM_DIM, str_fmt(a, "  %s\n", clock_duration(a, d->ms)));
    }
    vec_each (const RunDone, d, &r->seed.scripts.run.applied) {
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(d->name));
        term_add(out, t, TERM_DIM, str_fmt(a, "  %s\n", clock_duration(a, d->ms)));
    }
    if (r->seed.has_run)
        buf_addz(out, "The seed command has been executed.\n");
    add_left(out, r);
    if (r->drop.backup_id)
        buf_fmt(out, "Backup: %s (aramid restore %s brings it back)\n", r->drop.backup_id,
                r->drop.backup_id);
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

static void
names_json(JsonWriter *w, const char *key, const RunReport *run)
{
    jw_array(w, key);
    for (size_t i = 0; i < run->applied.n; i++)
        jw_strz(w, NULL, run->applied.v[i].name);
    jw_end(w);
}

void
report_reset_json(JsonWriter *w, const ResetResult *r, const Err *err, const char *log_dir,
                  bool is_plan)
{
    const ScriptsResult *s = &r->drop;
    report_scripts_begin(w, "reset", s, err, is_plan);
    report_plan_steps_json(w, "scripts", &s->plan.plan, NULL, true);
    report_losses_json(w, &s->losses);
    jw_array(w, "leftAlone");
    vec_each (const char *const, text, &r->left_alone)
        jw_strz(w, NULL, *text);
    jw_end(w);
    jw_bool(w, "dropped", r->has_dropped);
    names_json(w, "applied", &r->deploy.run);
    names_json(w, "seeded", &r->seed.scripts.run);
    jw_bool(w, "seedCommandRun", r->seed.has_run);
    findings_json(w, "findings", s->findings);
    jw_strz(w, "backup", s->backup_id);
    jw_int(w, "ms", s->run.ms + r->deploy.run.ms + r->seed.scripts.run.ms + r->seed.ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
