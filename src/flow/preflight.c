#include "flow/preflight.h"

#include "introspect/introspect.h"
#include "render/render.h"

#include <string.h>

static void
add(FindingList *ret, FindingId id, const Finding *place, const char *text)
{
    const FindingInfo *info = finding_info(id);
    Finding f = *place;
    f.id = id;
    f.area = info->area;
    f.severity = info->severity;
    f.text = text;
    finding_keep(ret, &f);
}

static const char *
shown(Arena *a, const DiffEffect *e)
{
    return str_printable(a, str_of(cat_ref_text(a, &e->at)), false);
}

/* What it is about, in few words. */
static const char *
needs(const DiffEffect *e)
{
    switch (e->id) {
    case FINDING_DIFF_MADE_REQUIRED:
        return "NOT NULL";
    case FINDING_DIFF_ADD_REQUIRED:
        return "NOT NULL without a default";
    case FINDING_DIFF_UNIQUE:
        return "UNIQUE";
    case FINDING_DIFF_FOREIGN_KEY_ROWS:
        return "the foreign key";
    case FINDING_DIFF_CHECK_ROWS:
        return "the check";
    default:
        return "the new type";
    }
}

static void
tell_answer(Arena *a, const LintQuestion *q, FindingList *ret)
{
    const DiffEffect *e = &q->effect;
    if (!e->is_answered) {
        add(ret, FINDING_PREFLIGHT_NOT_ASKED, &q->place,
            str_fmt(
                a,
                "%s: whether rows refuse %s is not known: the time was over, or it may not be read",
                shown(a, e), needs(e)));
        return;
    }
    if (!e->hits)
        return;
    Str said = str_of(render_answer(a, e));
    said.n -= str_ends(said, STR("."));
    add(ret, FINDING_PREFLIGHT_ROWS, &q->place,
        str_fmt(a, "%s: " STR_FMT ", and %s refuses that", shown(a, e), STR_ARG(said), needs(e)));
}

bool
flow_preflight(Arena *a, const Session *s, const LintQuestions *questions, FindingList *ret,
               Err *err)
{
    DiffQuestions list = {0};
    int64_t timeout_ms = config_ms(s->config, CFG_PREFLIGHT_TIMEOUT);
    if (!timeout_ms)
        return true;
    vec_each (LintQuestion, q, questions)
        if (q->sql.n)
            *vec_add(a, &list) = (DiffQuestion){&q->effect, q->sql};
    if (!introspect_ask(s->db, &list, timeout_ms, err))
        return false;
    vec_each (const LintQuestion, q, questions) {
        if (q->sql.n)
            tell_answer(a, q, ret);
        else
            add(ret, FINDING_PREFLIGHT_NOT_ASKED, &q->place,
                str_fmt(a, "%s: whether rows refuse %s cannot be asked: %s", shown(a, &q->effect),
                        needs(&q->effect), str_printable(a, str_of(q->why_not), false)));
    }
    return true;
}

/* ---- statistics ---------------------------------------------------------------------------------- */

static const StatColumn *
column_of(const StatTable *t, const char *name)
{
    for (size_t i = 0; t && i < t->columns.n; i++)
        if (strcmp(t->columns.v[i].name, name) == 0)
            return &t->columns.v[i];
    return NULL;
}

/* How many rows share their value with another one, at least: values are fewer than rows. */
static const char *
alike(Arena *a, const StatTable *t, const StatColumn *c)
{
    double filled = (double)t->rows * (1 - c->nulls);
    double distinct = c->distinct < 0 ? -c->distinct * (double)t->rows : c->distinct;
    if (filled < 2 || distinct >= filled * 0.99) /* an estimate: what is nearly all may be all */
        return NULL;
    return str_fmt(a, "about %.0f values in %.0f rows", distinct, filled);
}

static const char *
likely(Arena *a, const Stats *stats, const DiffEffect *e)
{
    const StatTable *t = stats_table(stats, e->at.schema, e->at.name);
    const StatColumn *c = NULL;
    if (!t || !t->bytes)
        return NULL;
    switch (e->id) {
    case FINDING_DIFF_ADD_REQUIRED:
        return str_fmt(a, "the table has %s", stats_size_text(a, t));
    case FINDING_DIFF_MADE_REQUIRED:
        c = column_of(t, e->at.sub);
        return c && c->nulls > 0 ? str_fmt(a, "about %.3g %% of the rows have NULL", c->nulls * 100)
                                 : NULL;
    case FINDING_DIFF_UNIQUE:
        c = e->names.n == 1 ? column_of(t, e->names.v[0]) : NULL;
        return c ? alike(a, t, c) : NULL;
    default:
        return NULL;
    }
}

void
flow_preflight_guess(Arena *a, const Stats *stats, const LintQuestions *questions, FindingList *ret)
{
    vec_each (const LintQuestion, q, questions) {
        const char *why = q->sql.n ? likely(a, stats, &q->effect) : NULL;
        if (why)
            add(ret, FINDING_PREFLIGHT_LIKELY, &q->place,
                str_fmt(a, "%s: %s, and %s refuses that", shown(a, &q->effect), why,
                        needs(&q->effect)));
    }
}
