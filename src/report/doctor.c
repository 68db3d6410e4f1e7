/* Findings. */
#include "report/doctor.h"

#include "report/finding.h"
#include "report/migrations.h"

int
report_doctor_exit(const DoctorResult *r)
{
    return r->findings.counts[SEV_ERROR] ? DOCTOR_EXIT : 0;
}

/* ---- text ------------------------------------------------------------------------------------ */

static const char *const titles[] = {
    [AREA_CONFIG] = "Configuration", [AREA_REACH] = "Way to the database",
    [AREA_SERVER] = "Server",        [AREA_LEDGERS] = "Migration histories",
    [AREA_TOOLS] = "Tools",          [AREA_IDENTITY] = "Identity",
};

static void
add_sum(Buf *out, const Term *t, const DoctorResult *r)
{
    const FindingList *l = &r->findings;
    if (l->counts[SEV_ERROR])
        term_add(out, t, TERM_RED, term_mark(t, TERM_MARK_FAIL));
    else if (l->counts[SEV_WARNING])
        term_add(out, t, TERM_YELLOW, term_mark(t, TERM_MARK_WARN));
    else
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    size_t errors = l->counts[SEV_ERROR], warnings = l->counts[SEV_WARNING];
    if (errors || warnings)
        buf_fmt(out, " %zu error%s, %zu warning%s; %zu checks are fine\n", errors,
                str_plural(errors), warnings, str_plural(warnings), l->counts[SEV_OK]);
    else
        buf_fmt(out, " %zu checks are fine\n", l->counts[SEV_OK]);
    if (r->is_interrupted)
        buf_addz(out, "Interrupted: the last checks are missing.\n");
}

void
report_doctor_text(Buf *out, const Term *t, const DoctorResult *r, bool only_bad)
{
    for (int area = 0; area < DOCTOR_AREA_COUNT; area++) {
        bool has_title = false;
        vec_each (const Finding, f, &r->findings.items) {
            if ((int)f->area != area || (only_bad && f->severity < SEV_WARNING))
                continue;
            if (!has_title) {
                term_add(out, t, TERM_BOLD, titles[area]);
                buf_addc(out, '\n');
            }
            has_title = true;
            finding_text(out, t, f, 2);
        }
        if (has_title)
            buf_addc(out, '\n');
    }
    add_sum(out, t, r);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
bundle_json(JsonWriter *w, const Bundle *b)
{
    if (!b) {
        jw_null(w, "bundle");
        return;
    }
    jw_object(w, "bundle");
    jw_strz(w, "path", b->path);
    jw_array(w, "files");
    vec_each (const BundleFile, f, &b->files) {
        jw_object(w, NULL);
        jw_strz(w, "name", f->name);
        jw_strz(w, "what", f->what);
        jw_int(w, "bytes", (int64_t)f->bytes);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* Doctor's own word from before findings had one form. */
static const char *
level_name(Severity severity)
{
    return severity == SEV_NOTICE ? "info" : severity_name(severity);
}

void
report_doctor_json(JsonWriter *w, const DoctorResult *r, const Bundle *bundle)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "doctor");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_int(w, "exitStatus", report_doctor_exit(r));
    jw_strz(w, "environment", r->config->env_name);
    jw_array(w, "areas");
    for (int area = 0; area < DOCTOR_AREA_COUNT; area++)
        if (r->areas & 1u << area)
            jw_strz(w, NULL, finding_area_name((FindingArea)area));
    jw_end(w);
    if (r->has_target)
        report_target_json(w, &r->target);
    else
        jw_null(w, "target");
    report_server_json(w, r->server);
    jw_array(w, "findings");
    vec_each (const Finding, f, &r->findings.items) {
        jw_object(w, NULL);
        finding_json_members(w, f);
        jw_strz(w, "level", level_name(f->severity));
        jw_strz(w, "subject", f->path ? finding_place(w->out.arena, f) : f->object);
        jw_end(w);
    }
    jw_end(w);
    jw_object(w, "counts");
    for (Severity s = SEV_OK; s < SEV_COUNT; s++)
        jw_int(w, level_name(s), (int64_t)r->findings.counts[s]);
    jw_end(w);
    jw_bool(w, "interrupted", r->is_interrupted);
    jw_int(w, "ms", r->ms);
    bundle_json(w, bundle);
    jw_end(w);
}
