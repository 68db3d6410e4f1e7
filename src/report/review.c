#include "report/review.h"

void
report_review_text(Buf *out, const Term *t, const ReviewResult *r)
{
    size_t missing = 0;
    vec_each (const ReviewShown, s, &r->migrations) {
        missing += s->missing != NULL;
        if (r->written && !s->is_new)
            continue;
        term_add(out, t, s->missing ? TERM_YELLOW : TERM_GREEN,
                 term_mark(t, s->missing ? TERM_MARK_WARN : TERM_MARK_OK));
        buf_addc(out, ' ');
        term_text(out, t, TERM_BOLD, str_of(s->name));
        buf_addz(out, ": ");
        if (s->missing) {
            term_text(out, t, TERM_PLAIN, str_of(s->missing));
        } else {
            buf_addz(out, "reviewed by ");
            term_text(out, t, TERM_PLAIN, str_of(s->record->by));
            buf_addz(out, " at ");
            term_text(out, t, TERM_PLAIN, str_of(s->record->at));
        }
        buf_addc(out, '\n');
    }
    if (r->written)
        buf_fmt(out, "  written to %s: commit it with the migration\n", r->path);
    else if (missing)
        buf_fmt(out, "  who has read one: aramid review NAME\n");
}

void
report_review_json(JsonWriter *w, const ReviewResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "review");
    jw_bool(w, "ok", true);
    jw_strz(w, "path", r->path);
    jw_int(w, "written", (int64_t)r->written);
    jw_array(w, "migrations");
    vec_each (const ReviewShown, s, &r->migrations) {
        jw_object(w, NULL);
        jw_strz(w, "name", s->name);
        jw_bool(w, "reviewed", !s->missing);
        jw_strz(w, "missing", s->missing);
        jw_strz(w, "by", s->record ? s->record->by : NULL);
        jw_strz(w, "at", s->record ? s->record->at : NULL);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
