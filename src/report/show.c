#include "report/show.h"

#include "base/clock.h"
#include "report/finding.h"
#include "report/migrations.h"

#include <string.h>

/* ---- the two scripts ------------------------------------------------------------------------ */

enum { WIDE = 100, GUTTER = 3 };

/* A line that fits into so many columns; the rest of a longer one is left in *rest. */
static Str
take_columns(Str *rest, size_t columns)
{
    size_t end = 0, n = 0;
    while (end < rest->n && n < columns && rest->p[end] != '\n') {
        size_t one = 1;
        while (end + one < rest->n && (rest->p[end + one] & 0xc0) == 0x80)
            one++;
        end += one;
        n++;
    }
    Str line = str_slice(*rest, 0, end);
    bool ends = end < rest->n && rest->p[end] == '\n';
    *rest = end + ends < rest->n ? str_slice(*rest, end + ends, rest->n) : (Str){0};
    return line;
}

static void
side_by_side(Buf *out, const Term *t, Str up, Str down)
{
    size_t half = ((size_t)t->width - GUTTER) / 2;
    Str left = str_of(str_printable(out->arena, up, true)),
        right = str_of(str_printable(out->arena, down, true));
    while (left.p || right.p) {
        Str x = left.p ? take_columns(&left, half) : STR(""),
            y = right.p ? take_columns(&right, half) : STR("");
        buf_add(out, x);
        for (size_t i = term_columns(x); i < half; i++)
            buf_addc(out, ' ');
        term_add(out, t, TERM_DIM, " | ");
        buf_add(out, y);
        buf_addc(out, '\n');
    }
}

static void
one_script(Buf *out, const Term *t, const char *title, Str text)
{
    term_add(out, t, TERM_BOLD, title);
    buf_fmt(out, "\n\n%s\n\n", str_printable(out->arena, text, true));
}

static const char *
way_title(Arena *a, const Way *w)
{
    return w->path ? str_fmt(a, "down: %s", str_printable(a, str_of(w->path), false))
                   : "down: derived (aramid rollback runs it)";
}

static void
add_scripts(Buf *out, const Term *t, const ShowResult *r)
{
    Arena *a = out->arena;
    Str up = str_trim(r->up), down = str_trim(r->way.script.p ? r->way.script : STR(""));
    const char *title = str_fmt(a, "up: %s", str_printable(a, str_of(r->migration->path), false));
    if (r->way.script.p && t->width >= WIDE) {
        side_by_side(out, t, str_of(title), str_of(way_title(a, &r->way)));
        buf_addc(out, '\n');
        side_by_side(out, t, up, down);
        buf_addc(out, '\n');
        return;
    }
    one_script(out, t, title, up);
    if (r->way.script.p)
        one_script(out, t, way_title(a, &r->way), down);
}

/* ---- what it does --------------------------------------------------------------------------- */

static const char *
work_of(Arena *a, const LintEffect *e)
{
    return str_fmt(a, "%s%s%s", e->rewrites ? ", writes every row anew" : "",
                   e->builds && !e->rewrites ? ", builds an index" : "",
                   e->scans && !e->rewrites ? ", reads every row" : "");
}

static void
add_effects(Buf *out, const Term *t, const ShowResult *r)
{
    Arena *a = out->arena;
    vec_each (const LintedStatement, s, &r->lint.statements) {
        buf_fmt(out, "line %d: %s", s->stmt.line, s->stmt.tag);
        if (!s->effects.n)
            term_add(out, t, TERM_DIM, "  no lock on what was there before");
        buf_addc(out, '\n');
        vec_each (const LintEffect, e, &s->effects) {
            buf_fmt(out, "    %s: ", str_printable(a, str_of(e->name), false));
            term_add(out, t, e->mode >= SQL_LOCK_SHARE ? TERM_YELLOW : TERM_DIM,
                     sql_lock_mode_name(e->mode));
            buf_fmt(out, "%s\n", work_of(a, e));
        }
    }
}

static void
add_state(Buf *out, const Term *t, const ShowResult *r)
{
    Arena *a = out->arena;
    if (r->is_asked) {
        buf_fmt(out, "%s%s%s%s", report_entry_state(r->state),
                r->applied_us > HISTORY_SOMETIME ? " at " : "",
                r->applied_us > HISTORY_SOMETIME ? clock_iso(a, r->applied_us) : "",
                r->edited ? ", and edited since" : "");
        if (r->target.shown)
            buf_fmt(out, " in %s", str_printable(a, str_of(r->target.shown), false));
        buf_addc(out, '\n');
    } else if (r->unasked)
        buf_fmt(out, "whether it is applied is not known: %s\n",
                str_printable(a, str_of(r->unasked), false));
    (void)t;
}

void
report_show_text(Buf *out, const Term *t, const ShowResult *r)
{
    Arena *a = out->arena;
    term_text(out, t, TERM_BOLD, str_of(r->migration->name));
    buf_addc(out, '\n');
    add_state(out, t, r);
    buf_addc(out, '\n');
    add_scripts(out, t, r);
    if (r->way.irreversible)
        buf_fmt(out, "There is no way back: %s\n\n",
                str_printable(a, str_of(r->way.irreversible), false));
    else if (!r->way.script.p && r->no_way)
        buf_fmt(out, "No way back could be found: %s\n\n",
                str_printable(a, str_of(r->no_way), false));
    vec_each (const WayRest, rest, &r->way.rest)
        buf_fmt(out, "down does not put back line %d: %s\n", rest->line,
                str_printable(a, str_of(rest->what), false));
    add_effects(out, t, r);
    if (r->lint.findings.items.n)
        buf_addc(out, '\n');
    findings_text(out, t, &r->lint.findings);
}

void
report_show_json(JsonWriter *w, const ShowResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "show");
    jw_strz(w, "name", r->migration->name);
    jw_strz(w, "path", r->migration->path);
    jw_strz(w, "state", r->is_asked ? report_entry_state(r->state) : NULL);
    jw_bool(w, "edited", r->edited);
    jw_strz(w, "appliedAt",
            r->applied_us > HISTORY_SOMETIME ? clock_iso(w->out.arena, r->applied_us) : NULL);
    jw_strz(w, "database", r->is_asked ? r->target.shown : NULL);
    jw_strz(w, "notAsked", r->unasked);
    jw_str(w, "up", r->up);
    jw_array(w, "statements");
    vec_each (const LintedStatement, s, &r->lint.statements) {
        jw_object(w, NULL);
        jw_int(w, "line", s->stmt.line);
        jw_strz(w, "kind", s->stmt.tag);
        jw_array(w, "effects");
        vec_each (const LintEffect, e, &s->effects) {
            jw_object(w, NULL);
            jw_strz(w, "schema", e->schema);
            jw_strz(w, "table", e->name);
            jw_strz(w, "lock", sql_lock_mode_name(e->mode));
            jw_bool(w, "scans", e->scans);
            jw_bool(w, "builds", e->builds);
            jw_bool(w, "rewrites", e->rewrites);
            jw_end(w);
        }
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    if (r->way.script.p)
        jw_str(w, "down", r->way.script);
    else
        jw_null(w, "down");
    jw_strz(w, "downPath", r->way.path);
    jw_strz(w, "irreversible", r->way.irreversible);
    jw_array(w, "notPutBack");
    vec_each (const WayRest, rest, &r->way.rest) {
        jw_object(w, NULL);
        jw_int(w, "line", rest->line);
        jw_strz(w, "what", rest->what);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &r->lint.findings);
    jw_end(w);
}
