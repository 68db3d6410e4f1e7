/* Changes and notes of a comparison. */
#include "report/diff.h"

#include "report/drift.h"

static const char *const severity_names[] = {"loss", "fails", "notice"};
static const char *const op_names[] = {"create", "drop", "alter", "rename"};

static const char *
other_text(Arena *a, const CatOther *o)
{
    return o->schema ? str_fmt(a, "%s %s.%s", o->what, o->schema, o->name)
                     : str_fmt(a, "%s %s", o->what, o->name);
}

void
report_diff_notes(Buf *out, const Term *t, const DiffResult *r)
{
    Arena *a = out->arena;
    for (DiffSeverity s = DIFF_LOSS; s <= DIFF_NOTICE; s++)
        vec_each (Change *, c, &r->diff->changes)
            vec_each (const DiffNote, n, &(*c)->notes)
                if (n->severity == s)
                    report_line(out, t, s == DIFF_NOTICE ? TERM_MARK_ARROW : TERM_MARK_WARN,
                                s == DIFF_NOTICE ? TERM_DIM : TERM_YELLOW, render_note(a, n));
    vec_each (const CatRef, o, &r->sides[1].schema.unread_renames)
        report_line(
            out, t, TERM_MARK_WARN, TERM_YELLOW,
            str_fmt(a,
                    "The @renamed of %s is not understood; it is written /// @renamed(from: "
                    "\"old\")",
                    cat_ref_text(a, o)));
    vec_each (const CatOther, o, &r->others)
        report_line(out, t, TERM_MARK_ARROW, TERM_DIM,
                    str_fmt(a, "Not compared: %s", other_text(a, o)));
    int majors[2] = {r->sides[0].major, r->sides[1].major};
    for (int i = 0; i < 2; i++)
        if (r->sides[i].replay.catalog)
            report_replay_text(out, t, &r->sides[i].replay);
    if (majors[0] && majors[1] && majors[0] != majors[1])
        report_line(out, t, TERM_MARK_ARROW, TERM_DIM,
                    str_fmt(a,
                            "Compared across PostgreSQL %d and %d: expressions that they print "
                            "differently show up as differences",
                            majors[0], majors[1]));
}

void
report_diff_text(Buf *out, const Term *t, const DiffResult *r)
{
    buf_addz(out, str_printable(out->arena, r->summary, true));
    if (!str_ends(r->summary, STR("\n")))
        buf_addc(out, '\n');
    Buf notes;
    buf_init(&notes, out->arena);
    report_diff_notes(&notes, t, r);
    if (notes.n)
        buf_fmt(out, "\n%s", notes.p);
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
    jw_array(w, "notes");
    vec_each (const DiffNote, n, &c->notes) {
        jw_object(w, NULL);
        jw_strz(w, "severity", severity_names[n->severity]);
        jw_strz(w, "text", render_note(a, n));
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
    jw_bool(w, "ok", true);
    jw_bool(w, "equal", r->diff->changes.n == 0);
    side_json(w, "from", &r->sides[0]);
    side_json(w, "to", &r->sides[1]);
    jw_array(w, "steps");
    vec_each (const RenderStep, s, &steps)
        step_json(w, s);
    jw_end(w);
    jw_str(w, "script", r->script);
    report_others_json(w, r->others.v, r->others.n);
    jw_end(w);
}
