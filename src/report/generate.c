/* What the generator did. */
#include "report/generate.h"

#include "base/clock.h"
#include "report/error.h"

char *
report_generate_line(Arena *a, const GenerateResult *r)
{
    Buf b;
    buf_init(&b, a);
    vec_each (const char *const, word, &r->argv)
        buf_fmt(&b, "%s%s", b.n ? " " : "", str_shell(a, *word));
    return str_printable(a, buf_str(&b), false);
}

void
report_generate_text(Buf *out, const Term *t, const GenerateResult *r)
{
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_fmt(out, " Generated with %s. (%s)\n", generate_tool_name(r->tool),
            clock_duration(out->arena, r->ms));
}

void
report_generate_json(JsonWriter *w, const GenerateResult *r, const Err *err)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "generate");
    jw_bool(w, "ok", err == NULL);
    jw_strz(w, "tool", generate_tool_name(r->tool));
    jw_strz(w, "folder", r->folder);
    jw_array(w, "commandLine");
    vec_each (const char *const, word, &r->argv)
        jw_strz(w, NULL, *word);
    jw_end(w);
    jw_int(w, "exitStatus", r->status);
    jw_int(w, "ms", r->ms);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
