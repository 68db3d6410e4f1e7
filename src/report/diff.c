/* Changes and findings of a comparison. */
#include "report/diff.h"

#include "report/drift.h"
#include "report/finding.h"

static const char *const harm_names[] = {"loss", "fails", "notice"};
static const char *const op_names[] = {"create", "drop", "alter", "rename"};

void
report_diff_text(Buf *out, const Term *t, const DiffResult *r)
{
    buf_addz(out, str_printable(out->arena, r->summary, true));
    if (!str_ends(r->summary, STR("\n")))
        buf_addc(out, '\n');
    if (r->findings.items.n)
        buf_addc(out, '\n');
    findings_text(out, t, &r->findings);
}

static void
side_json(JsonWriter *w, const char *key, const Side *s)
{
    static const char *const kinds[] = {"none", "empty", "schema", "migrations", "sql", "database"};
    jw_object(w, key);
    jw_strz(w, "kind", kinds[s->endpoint.kind]);
    jw_strz(w, "source", s->shown);
    if (s->major)
        jw_int(w, "serverMajor", s->major);
    else
        jw_null(w, "serverMajor");
    if (s->replay.catalog)
        report_replay_json(w, "replay", &s->replay);
    else
        jw_null(w, "replay");
    jw_array(w, "leftOut");
    vec_each (const char *, name, &s->left_out)
        jw_strz(w, NULL, *name);
    jw_end(w);
    jw_end(w);
}

static void
step_json(JsonWriter *w, const RenderStep *step)
{
    Arena *a = w->out.arena;
    const Change *c = step->change;
    const CatObject *object = c->to ? c->to : c->from;
    jw_object(w, NULL);
    jw_strz(w, "title", step->title);
    jw_strz(w, "operation", op_names[c->op]);
    jw_strz(w, "kind", cat_kind_name(c->kind));
    jw_strz(w, "object", cat_ref_text(a, &object->id));
    jw_array(w, "statements");
    vec_each (const char *const, s, &step->statements)
        jw_strz(w, NULL, *s);
    jw_end(w);
    jw_array(w, "notes"); /* before findings had one form */
    vec_each (const DiffEffect, e, &c->effects) {
        jw_object(w, NULL);
        jw_strz(w, "severity", harm_names[e->harm]);
        jw_strz(w, "text", render_effect(a, e));
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_diff_json(JsonWriter *w, const DiffResult *r)
{
    Arena *a = w->out.arena;
    RenderSteps steps = render_steps(a, r->diff, &(RenderOptions){.schema = r->schema});
    jw_object(w, NULL);
    jw_strz(w, "command", "diff");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_bool(w, "equal", r->diff->changes.n == 0);
    side_json(w, "from", &r->sides[0]);
    side_json(w, "to", &r->sides[1]);
    jw_array(w, "steps");
    vec_each (const RenderStep, s, &steps)
        step_json(w, s);
    jw_end(w);
    jw_str(w, "script", r->script);
    findings_json(w, "findings", &r->findings);
    report_others_json(w, r->others.v, r->others.n);
    jw_end(w);
}
