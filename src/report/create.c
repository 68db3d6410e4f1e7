/* A new migration. */
#include "report/create.h"

#include "report/finding.h"

void
report_create_ahead(Buf *out, const Term *t, const CreateResult *r)
{
    if (r->is_same) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_fmt(out, " Nothing to create: the migrations make what %s says.\n",
                r->from ? str_printable(out->arena, str_of(r->from), false) : "the database");
        return;
    }
    if (r->diff)
        term_text(out, t, TERM_PLAIN, STR(""));
    if (r->diff)
        buf_addz(out, str_printable(out->arena, r->diff->summary, true));
    if (r->diff && !str_ends(r->diff->summary, STR("\n")))
        buf_addc(out, '\n');
    if (r->findings.items.n && r->diff)
        buf_addc(out, '\n');
    findings_text(out, t, &r->findings);
    if (r->summary) {
        buf_addc(out, '\n');
        term_text(out, t, TERM_DIM, str_of(r->summary + 3));
        buf_addc(out, '\n');
    }
}

void
report_create_done(Buf *out, const Term *t, const CreateResult *r)
{
    vec_each (const CreateFile, f, &r->files) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addc(out, ' ');
        term_text(out, t, TERM_BOLD, str_of(f->shown));
        buf_addc(out, '\n');
    }
    if (r->kind == CREATE_EMPTY || r->kind == CREATE_DATA)
        buf_addz(out, "  Write its statements, then: aramid check\n");
    else if (r->kind == CREATE_CHANGES)
        buf_addz(out, "  Look at it, change what you like, then: aramid deploy\n");
}

Str
report_create_file(const CreateResult *r)
{
    return r->files.n ? r->files.v[0].text : STR("");
}

void
report_create_json(JsonWriter *w, const CreateResult *r, bool written)
{
    static const char *const kinds[] = {"changes", "empty", "data", "drift"};
    jw_object(w, NULL);
    jw_strz(w, "command", "create");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_strz(w, "layout", r->history.layout->name);
    jw_strz(w, "kind", kinds[r->kind]);
    jw_strz(w, "from", r->from);
    jw_bool(w, "same", r->is_same);
    jw_bool(w, "written", written);
    jw_strz(w, "name", r->files.n ? r->name : NULL);
    jw_strz(w, "summary", r->summary ? r->summary + 3 : NULL);
    jw_array(w, "files");
    vec_each (const CreateFile, f, &r->files) {
        jw_object(w, NULL);
        jw_strz(w, "path", f->shown);
        jw_str(w, "text", f->text);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &r->findings);
    jw_end(w);
}
