/* aramid push: what was changed. */
#include "report/push.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"
#include "report/scripts.h"

static const char in_sync[] = "The database is already in sync with the Prisma schema.\n";

void
report_push_plan(Buf *out, const Term *t, const PushResult *r)
{
    if (r->is_same) {
        buf_addz(out, in_sync);
        return;
    }
    report_scripts_plan(out, t, &r->scripts);
    vec_each (const char *const, text, &r->losses)
        buf_fmt(out, "%s  %s\n",
                text == r->losses.v ? "\nThere might be data loss when applying the changes:\n"
                                    : "",
                *text);
    buf_addz(out, "\nNothing was changed. To do it: aramid push\n");
}

void
report_push_text(Buf *out, const Term *t, const PushResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    if (r->reset.has_dropped)
        buf_addz(out, "The database was successfully reset.\n");
    if (r->is_same) {
        buf_addz(out, in_sync);
        return;
    }
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_fmt(out, " Your database is now in sync with your Prisma schema. (%s)\n",
            clock_duration(a, r->scripts.run.ms));
    const char *backup = r->reset.drop.backup_id ? r->reset.drop.backup_id : r->scripts.backup_id;
    if (backup)
        buf_fmt(out, "Backup: %s (aramid restore %s brings it back)\n", backup, backup);
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

void
report_push_json(JsonWriter *w, const PushResult *r, const Err *err, const char *log_dir,
                 bool is_plan)
{
    const ScriptsResult *s = &r->scripts;
    report_scripts_begin(w, "push", s, err, is_plan);
    jw_strz(w, "schema", r->schema_path);
    jw_bool(w, "reset", r->reset.has_dropped);
    jw_bool(w, "inSync", r->is_same);
    report_plan_steps_json(w, "scripts", &s->plan.plan, NULL, true);
    jw_array(w, "losses");
    vec_each (const char *const, text, &r->losses)
        jw_strz(w, NULL, *text);
    jw_end(w);
    jw_bool(w, "pushed", s->run.applied.n != 0);
    findings_json(w, "findings", s->findings);
    jw_strz(w, "backup", r->reset.drop.backup_id ? r->reset.drop.backup_id : s->backup_id);
    jw_int(w, "ms", s->run.ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
