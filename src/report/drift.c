/* What a live database has otherwise. */
#include "report/drift.h"

#include "report/finding.h"
#include "render/render.h"
#include "report/migrations.h"

enum { SHOWN_OTHERS = 20 };

void
report_line(Buf *out, const Term *t, TermMark mark, TermStyle style, const char *text)
{
    term_add(out, t, style, term_mark(t, mark));
    buf_addc(out, ' ');
    term_text(out, t, TERM_PLAIN, str_of(text));
    buf_addc(out, '\n');
}

void
report_others_json(JsonWriter *w, const CatOther *others, size_t n)
{
    jw_array(w, "notCompared");
    for (size_t i = 0; i < n; i++) {
        jw_object(w, NULL);
        jw_strz(w, "what", others[i].what);
        jw_strz(w, "schema", others[i].schema);
        jw_strz(w, "name", others[i].name);
        jw_end(w);
    }
    jw_end(w);
}

/* Text of several lines from outside, each behind two spaces. */
static void
add_block(Buf *out, const Term *t, TermStyle style, Str text)
{
    for (Str rest = str_trim(text); rest.p;) {
        Str line = str_cut(&rest, '\n');
        buf_addz(out, line.n ? "  " : "");
        term_text(out, t, style, line);
        buf_addc(out, '\n');
    }
}

Str
report_drift_script(Arena *a, const Diff *d)
{
    Buf b;
    buf_init(&b, a);
    buf_add(&b, render_warnings(a, d, true));
    buf_add(&b, render_script(a, d, NULL));
    return buf_str(&b);
}

static void
add_not_compared(Buf *out, const Term *t, const DriftResult *r)
{
    Arena *a = out->arena;
    if (r->not_compared.n)
        buf_addz(out, "\nNot compared, look at them yourself:\n");
    size_t n = r->not_compared.n < SHOWN_OTHERS ? r->not_compared.n : SHOWN_OTHERS;
    for (size_t i = 0; i < n; i++) {
        const CatOther *o = &r->not_compared.v[i];
        const char *text = str_fmt(a, "  %s %s%s%s\n", o->what, o->schema ? o->schema : "",
                                   o->schema ? "." : "", o->name);
        term_text(out, t, TERM_PLAIN, str_slice(str_of(text), 0, strlen(text) - 1));
        buf_addc(out, '\n');
    }
    if (r->not_compared.n > n)
        buf_fmt(out, "  and %zu more\n", r->not_compared.n - n);
    if (r->left_out.n)
        buf_addz(out, "\nLeft to platforms and tools: schema");
    for (size_t i = 0; i < r->left_out.n; i++) {
        buf_addz(out, i ? ", " : r->left_out.n > 1 ? "s " : " ");
        term_text(out, t, TERM_PLAIN, str_of(r->left_out.v[i]));
    }
    if (r->left_out.n)
        buf_addc(out, '\n');
}

static void
add_scripts(Buf *out, const Term *t, const DriftResult *r)
{
    Arena *a = out->arena;
    buf_addz(out, "\nTo undo it in the database:\n");
    add_block(out, t, TERM_DIM, report_drift_script(a, r->repair));
    buf_addz(out,
             "\nTo keep it: a migration that makes it elsewhere, too. Here it is recorded with "
             "aramid resolve --applied NAME\n");
    add_block(out, t, TERM_DIM, report_drift_script(a, r->adopt));
}

void
report_drift_findings(Buf *out, const Term *t, const DriftResult *r, bool with_sql)
{
    Arena *a = out->arena;
    findings_text(out, t, &r->findings);
    if (r->has_drift) {
        report_line(out, t, TERM_MARK_FAIL, TERM_RED,
                    "Your database schema is not in sync with your migration history.");
        buf_addz(out, "What was done to the database beside the migrations:\n\n");
        add_block(out, t, TERM_PLAIN, render_summary(a, r->adopt));
        if (with_sql)
            add_scripts(out, t, r);
    } else
        report_line(out, t, TERM_MARK_OK, TERM_GREEN,
                    "No drift: the database is what its migrations make.");
    add_not_compared(out, t, r);
}

void
report_drift_text(Buf *out, const Term *t, const DriftResult *r, bool with_sql)
{
    buf_addz(out, "Database: ");
    report_target_text(out, t, &r->target);
    if (r->target.absent) {
        buf_addz(out, "\nIt was not made yet: there is nothing to compare.\n");
        return;
    }
    buf_fmt(out, "\n%zu applied migration%s, replayed on PostgreSQL %d%s\n\n", r->migrations,
            str_plural(r->migrations), r->replay.major,
            r->replay.is_cached ? " (from the cache)" : "");
    report_drift_findings(out, t, r, with_sql);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void
columns_json(JsonWriter *w, const Change *c)
{
    static const char *const names[] = {"added", "removed", "changed", "remade"};
    static const ColumnOp ops[] = {COLUMN_ADD, COLUMN_DROP, COLUMN_ALTER, COLUMN_RECREATE};
    jw_array(w, "columns");
    vec_each (const ColumnChange, k, &c->columns) {
        jw_object(w, NULL);
        for (size_t i = 0; i < COUNT(ops); i++)
            if (k->op == ops[i])
                jw_strz(w, "change", names[i]);
        jw_strz(w, "name", (k->to ? k->to : k->from)->id.sub);
        jw_end(w);
    }
    jw_end(w);
}

void
report_changes_json(JsonWriter *w, const char *key, const Diff *d)
{
    static const char *const names[] = {"added", "removed", "changed", "renamed"};
    jw_array(w, key);
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        const CatObject *o = c->to ? c->to : c->from;
        jw_object(w, NULL);
        jw_strz(w, "change", names[c->op]);
        jw_strz(w, "kind", cat_kind_name(c->kind));
        jw_strz(w, "object", cat_ref_text(w->out.arena, &o->id));
        jw_array(w, "fields");
        vec_each (const char *, f, &c->fields)
            jw_strz(w, NULL, *f);
        jw_end(w);
        columns_json(w, c);
        jw_end(w);
    }
    jw_end(w);
}

void
report_replay_json(JsonWriter *w, const char *key, const Replay *r)
{
    jw_object(w, key);
    jw_int(w, "version", r->version_num);
    jw_bool(w, "otherMajor", r->is_other_major);
    jw_bool(w, "cached", r->is_cached);
    jw_int(w, "run", (int64_t)r->scripts_run);
    jw_array(w, "stubs");
    vec_each (const ReplayStub, s, &r->stubs) {
        jw_object(w, NULL);
        jw_strz(w, "kind", replay_stub_name(s->kind));
        jw_strz(w, "name", s->name);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_drift_member(JsonWriter *w, const char *key, const DriftResult *r)
{
    Arena *a = w->out.arena;
    if (!r->repair) {
        jw_null(w, key);
        return;
    }
    jw_object(w, key);
    jw_bool(w, "found", r->has_drift);
    jw_int(w, "migrations", (int64_t)r->migrations);
    report_replay_json(w, "replay", &r->replay);
    report_changes_json(w, "changes", r->adopt);
    jw_strz(w, "summary", r->has_drift ? render_summary(a, r->adopt).p : NULL);
    jw_strz(w, "repair", r->has_drift ? report_drift_script(a, r->repair).p : NULL);
    jw_strz(w, "adopt", r->has_drift ? report_drift_script(a, r->adopt).p : NULL);
    report_others_json(w, r->not_compared.v, r->not_compared.n);
    jw_array(w, "leftOut");
    vec_each (const char *, s, &r->left_out)
        jw_strz(w, NULL, *s);
    jw_end(w);
    findings_json_texts(w, "notes", &r->findings);
    findings_json(w, "findings", &r->findings);
    jw_end(w);
}

void
report_drift_json(JsonWriter *w, const DriftResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "drift");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_drift_member(w, "drift", r);
    jw_end(w);
}
