#include "report/ready.h"

#include "report/migrations.h"

static void
add_item(Buf *out, const Term *t, const GateItem *i)
{
    term_add(out, t, i->ok ? TERM_GREEN : TERM_YELLOW,
             term_mark(t, i->ok ? TERM_MARK_OK : TERM_MARK_WARN));
    buf_addc(out, ' ');
    term_text(out, t, TERM_PLAIN, str_of(i->what));
    if (i->why) {
        buf_addz(out, ": ");
        term_text(out, t, TERM_PLAIN, str_of(i->why));
    }
    buf_addc(out, '\n');
    if (i->fix) {
        buf_addz(out, "    ");
        term_text(out, t, TERM_DIM, str_of(i->fix));
        buf_addc(out, '\n');
    }
}

void
report_checklist_text(Buf *out, const Term *t, const ChecklistResult *r)
{
    Arena *a = out->arena;
    buf_fmt(out, "Checklist %s for environment \"%s\": %s pending\n\n",
            checklist_phase_name(r->phase), str_printable(a, str_of(r->config->env_name), false),
            str_count(a, (int64_t)r->pending, "migration"));
    vec_each (const GateItem, i, &r->items)
        add_item(out, t, i);
    buf_fmt(out, "\n%zu of %zu are there.", r->items.n - r->missing, r->items.n);
    if (r->missing)
        buf_addz(out, " What a program cannot prove: aramid evidence add \"tick:WORDS\" --by NAME");
    buf_addc(out, '\n');
}

void
report_checklist_json(JsonWriter *w, const ChecklistResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "checklist");
    jw_bool(w, "ok", r->missing == 0);
    jw_strz(w, "phase", checklist_phase_name(r->phase));
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    jw_int(w, "pending", (int64_t)r->pending);
    jw_array(w, "items");
    vec_each (const GateItem, i, &r->items) {
        jw_object(w, NULL);
        jw_strz(w, "what", i->what);
        jw_bool(w, "ok", i->ok);
        jw_strz(w, "why", i->why);
        jw_strz(w, "fix", i->fix);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_evidence_text(Buf *out, const Term *t, const EvidenceResult *r)
{
    if (!r->records.n) {
        buf_fmt(out,
                "There is no evidence yet (%s).\n  aramid evidence add tests --file junit.xml\n",
                r->path);
        return;
    }
    if (r->written) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_fmt(out, " %s written to %s%s: it travels with the migrations\n",
                str_count(out->arena, (int64_t)r->written, "record"), r->path,
                r->is_signed ? ", signed" : "");
        return;
    }
    vec_each (const GateRecord, e, &r->records) {
        bool fits = e->counts && (e->subject || strcmp(e->checksum, r->folder) == 0 ||
                                  strcmp(e->kind, "drill") == 0);
        term_add(out, t, fits ? TERM_GREEN : TERM_YELLOW,
                 term_mark(t, fits ? TERM_MARK_OK : TERM_MARK_WARN));
        buf_addc(out, ' ');
        term_text(out, t, TERM_BOLD, str_of(e->kind));
        if (e->environment)
            term_text(out, t, TERM_PLAIN, str_of(str_fmt(out->arena, " in %s", e->environment)));
        if (e->subject)
            term_text(out, t, TERM_PLAIN, str_of(str_fmt(out->arena, ": %s", e->subject)));
        term_text(out, t, TERM_DIM,
                  str_of(str_fmt(out->arena, "  by %s at %s%s%s", e->by, e->at, e->note ? ": " : "",
                                 e->note ? e->note : "")));
        if (!fits)
            buf_addz(out,
                     e->counts ? "  (the migrations are others now)" : "  (not rightly signed)");
        buf_addc(out, '\n');
    }
}

void
report_evidence_json(JsonWriter *w, const EvidenceResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "evidence");
    jw_bool(w, "ok", true);
    jw_strz(w, "path", r->path);
    jw_strz(w, "folder", r->folder);
    jw_int(w, "written", (int64_t)r->written);
    jw_array(w, "records");
    vec_each (const GateRecord, e, &r->records) {
        jw_object(w, NULL);
        jw_strz(w, "kind", e->kind);
        jw_strz(w, "environment", e->environment);
        jw_strz(w, "migration", e->subject);
        jw_strz(w, "checksum", e->checksum);
        jw_strz(w, "by", e->by);
        jw_strz(w, "at", e->at);
        jw_strz(w, "note", e->note);
        jw_bool(w, "counts", e->counts);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
