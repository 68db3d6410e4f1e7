/* Findings. */
#include "report/doctor.h"

#include "report/migrations.h"

int
report_doctor_exit(const DoctorResult *r)
{
    return r->counts[FINDING_ERROR] ? DOCTOR_EXIT : 0;
}

/* ---- text ------------------------------------------------------------------------------------ */

static const char *const titles[] = {
    [DOCTOR_CONFIG] = "Configuration", [DOCTOR_REACH] = "Way to the database",
    [DOCTOR_SERVER] = "Server",        [DOCTOR_LEDGERS] = "Migration histories",
    [DOCTOR_TOOLS] = "Tools",          [DOCTOR_IDENTITY] = "Identity",
};

static const struct {
    TermMark mark;
    TermStyle style;
} looks[] = {
    [FINDING_OK] = {TERM_MARK_OK, TERM_GREEN},
    [FINDING_INFO] = {TERM_MARK_ARROW, TERM_CYAN},
    [FINDING_WARNING] = {TERM_MARK_WARN, TERM_YELLOW},
    [FINDING_ERROR] = {TERM_MARK_FAIL, TERM_RED},
};

/* Broken where a terminal ends; whole for files and pipes. */
static void
add_words(Buf *out, const Term *t, const char *text, size_t at, size_t indent)
{
    const char *shown = str_printable(out->arena, str_of(text), false);
    if (t->is_tty)
        term_wrap(out, shown, at, indent, t->width ? (size_t)t->width : 80);
    else
        buf_addz(out, shown);
}

static void
add_finding(Buf *out, const Term *t, const Finding *f)
{
    Arena *a = out->arena;
    buf_addz(out, "  ");
    term_add(out, t, looks[f->level].style, term_mark(t, looks[f->level].mark));
    buf_addc(out, ' ');
    bool is_bad = f->level >= FINDING_WARNING;
    add_words(out, t,
              str_fmt(a, "%s%s%s%s", f->subject, f->subject[0] ? ": " : "", f->text,
                      is_bad ? str_fmt(a, " [%s]", doctor_finding_name(f->id)) : ""),
              5, 5);
    buf_addc(out, '\n');
    for (Str rest = str_of(f->fix); f->fix && rest.p;) {
        Str line = str_cut(&rest, '\n');
        buf_addz(out, "       ");
        term_begin(out, t, TERM_BOLD);
        add_words(out, t, str_dup(a, line), 7, 9);
        term_end(out, t, TERM_BOLD);
        buf_addc(out, '\n');
    }
}

static void
add_sum(Buf *out, const Term *t, const DoctorResult *r)
{
    int errors = r->counts[FINDING_ERROR], warnings = r->counts[FINDING_WARNING];
    FindingLevel worst = errors ? FINDING_ERROR : warnings ? FINDING_WARNING : FINDING_OK;
    term_add(out, t, looks[worst].style, term_mark(t, looks[worst].mark));
    if (errors || warnings)
        buf_fmt(out, " %d error%s, %d warning%s; %d checks are fine\n", errors,
                errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", r->counts[FINDING_OK]);
    else
        buf_fmt(out, " %d checks are fine\n", r->counts[FINDING_OK]);
    if (r->is_interrupted)
        buf_addz(out, "Interrupted: the last checks are missing.\n");
}

void
report_doctor_text(Buf *out, const Term *t, const DoctorResult *r, bool only_bad)
{
    for (int area = 0; area < DOCTOR_AREA_COUNT; area++) {
        bool has_title = false;
        vec_each (const Finding, f, &r->findings) {
            if ((int)f->area != area || (only_bad && f->level < FINDING_WARNING))
                continue;
            if (!has_title) {
                term_add(out, t, TERM_BOLD, titles[area]);
                buf_addc(out, '\n');
            }
            has_title = true;
            add_finding(out, t, f);
        }
        if (has_title)
            buf_addc(out, '\n');
    }
    add_sum(out, t, r);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
server_json(JsonWriter *w, const DbInfo *s)
{
    if (!s) {
        jw_null(w, "server");
        return;
    }
    jw_object(w, "server");
    jw_strz(w, "host", s->host);
    jw_strz(w, "database", s->database);
    jw_strz(w, "user", s->user);
    jw_int(w, "version", s->version);
    jw_bool(w, "standby", s->in_recovery);
    jw_strz(w, "tls", s->tls);
    jw_end(w);
}

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

void
report_doctor_json(JsonWriter *w, const DoctorResult *r, const Bundle *bundle)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "doctor");
    jw_bool(w, "ok", r->counts[FINDING_ERROR] == 0);
    jw_int(w, "exitStatus", report_doctor_exit(r));
    jw_strz(w, "environment", r->config->env_name);
    jw_array(w, "areas");
    for (int area = 0; area < DOCTOR_AREA_COUNT; area++)
        if (r->areas & 1u << area)
            jw_strz(w, NULL, doctor_area_name((DoctorArea)area));
    jw_end(w);
    if (r->has_target)
        report_target_json(w, &r->target);
    else
        jw_null(w, "target");
    server_json(w, r->server);
    jw_array(w, "findings");
    vec_each (const Finding, f, &r->findings) {
        jw_object(w, NULL);
        jw_strz(w, "id", doctor_finding_name(f->id));
        jw_strz(w, "area", doctor_area_name(f->area));
        jw_strz(w, "level", doctor_level_name(f->level));
        jw_strz(w, "subject", f->subject[0] ? f->subject : NULL);
        jw_strz(w, "message", f->text);
        jw_strz(w, "fix", f->fix);
        jw_end(w);
    }
    jw_end(w);
    jw_object(w, "counts");
    for (int level = 0; level < FINDING_LEVEL_COUNT; level++)
        jw_int(w, doctor_level_name((FindingLevel)level), r->counts[level]);
    jw_end(w);
    jw_bool(w, "interrupted", r->is_interrupted);
    jw_int(w, "ms", r->ms);
    bundle_json(w, bundle);
    jw_end(w);
}
