#include "report/dev.h"

#include "render/render.h"
#include "report/create.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/generate.h"
#include "report/migrations.h"

static void
add_done(Buf *out, const Term *t)
{
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addc(out, ' ');
}

void
report_dev_drift(Buf *out, const Term *t, const DevLook *l)
{
    Arena *a = out->arena;
    if (l->edited || l->missing) {
        buf_addz(out, "The folder is not what was applied:\n");
        vec_each (const Entry, e, &l->history.entries)
            if (e->state == ENTRY_APPLIED && (!e->file || e->edited)) {
                buf_addz(out, "  ");
                term_text(out, t, TERM_PLAIN, str_of(e->name));
                buf_fmt(out, "  %s\n", e->file ? "edited since" : "has no file any more");
            }
    }
    if (!l->drift->has_drift)
        return;
    bool is_folders = l->edited || l->missing;
    buf_addz(out, is_folders ? "What the database lacks to be what the files make now:\n\n"
                             : "The database has what its migrations do not make:\n\n");
    buf_addz(
        out,
        str_printable(
            a, str_trim(render_summary(a, is_folders ? l->drift->repair : l->drift->adopt)), true));
    buf_addz(out, "\n\n");
}

void
report_dev_written(Buf *out, const Term *t, const CreateResult *r)
{
    vec_each (const CreateFile, f, &r->files) {
        add_done(out, t);
        term_text(out, t, TERM_BOLD, str_of(f->shown));
        buf_addc(out, '\n');
    }
}

void
report_dev_text(Buf *out, const Term *t, const DevReport *r)
{
    Arena *a = out->arena;
    const char *schema =
        r->made && r->made->from ? str_printable(a, str_of(r->made->from), false) : NULL;
    vec_each (const char *, name, &r->applied) {
        add_done(out, t);
        buf_addz(out, "applied ");
        term_text(out, t, TERM_BOLD, str_of(*name));
        buf_addc(out, '\n');
    }
    if (r->generated)
        report_generate_text(out, t, r->generated);
    if (r->not_generated)
        buf_fmt(out, "Not generated: %s\n", str_printable(a, str_of(r->not_generated), false));
    if (r->seeded) {
        add_done(out, t);
        buf_fmt(out, "seeded: %s\n", str_printable(a, str_of(r->seeded), false));
    }
    add_done(out, t);
    if (r->left)
        buf_addz(out, "All migrations are applied; what was changed beside them is left there.\n");
    else if (r->applied.n || r->settled || r->kept)
        buf_fmt(out, "The database is in sync with %s.\n", schema ? schema : "its migrations");
    else if (schema)
        buf_fmt(out, "Already in sync: nothing to apply, and nothing to migrate in %s.\n", schema);
    else
        buf_addz(out, "Already in sync: nothing to apply.\n");
}

void
report_dev_json(JsonWriter *w, const DevReport *r, const Err *err)
{
    const DevLook *l = r->look;
    jw_object(w, NULL);
    jw_strz(w, "command", "dev");
    jw_bool(w, "ok", err == NULL);
    report_target_json(w, &l->target);
    jw_bool(w, "new", l->is_new);
    jw_bool(w, "drift", l->drift && l->drift->has_drift);
    jw_int(w, "edited", (int64_t)l->edited);
    jw_int(w, "missing", (int64_t)l->missing);
    jw_strz(w, "drifted", r->settled ? "undone" : r->kept ? "kept" : r->left ? "left" : NULL);
    jw_array(w, "applied");
    vec_each (const char *, name, &r->applied)
        jw_strz(w, NULL, *name);
    jw_end(w);
    jw_strz(w, "created", r->made && r->made->files.n ? r->made->name : NULL);
    jw_array(w, "files");
    if (r->made)
        vec_each (const CreateFile, f, &r->made->files) {
            jw_object(w, NULL);
            jw_strz(w, "path", f->shown);
            jw_str(w, "text", f->text);
            jw_end(w);
        }
    jw_end(w);
    if (r->made)
        findings_json(w, "findings", &r->made->findings);
    else {
        jw_array(w, "findings");
        jw_end(w);
    }
    jw_strz(w, "generated", r->generated ? generate_tool_name(r->generated->tool) : NULL);
    jw_strz(w, "seeded", r->seeded);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
