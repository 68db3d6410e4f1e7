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

/* ---- what stands there ------------------------------------------------------------------------------- */

/* "view o.v, policy p on o.t and 3 more" */
static const char *
listed(Arena *a, const Standings *list)
{
    enum { SHOWN = 4 };
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < list->n && i < SHOWN; i++) {
        const Standing *s = &list->v[i];
        const char *comma = !i ? "" : i + 1 == list->n ? " and " : ", ";
        buf_fmt(&b, "%s%s %s", comma, str_printable(a, str_of(s->type), false),
                str_printable(a, str_of(s->identity), false));
    }
    if (list->n > SHOWN)
        buf_fmt(&b, " and %zu more", list->n - SHOWN);
    return b.p;
}

static const char *
gone_text(Arena *a, const StandName *n)
{
    Buf b;
    buf_init(&b, a);
    if (n->kind == STAND_COLUMN)
        buf_addz(&b, "column ");
    if (n->kind == STAND_PART)
        buf_addz(&b, "constraint ");
    if (n->kind == STAND_SCHEMA)
        buf_addz(&b, "schema ");
    if (*n->schema) {
        cat_add_ident(&b, n->schema);
        buf_addc(&b, '.');
    }
    cat_add_ident(&b, n->name);
    if (*n->sub) {
        buf_addc(&b, '.');
        cat_add_ident(&b, n->sub);
    }
    return str_printable(a, buf_str(&b), false);
}

static void
tell_standing(Arena *a, const LintRemoval *r, const Standings *list, FindingList *ret)
{
    const char *on = gone_text(a, &r->gone.what), *what = listed(a, list);
    if (r->gone.is_cascade)
        add(ret, FINDING_PREFLIGHT_CASCADE, &r->place,
            str_fmt(a, "%s: CASCADE takes along %s", on, what));
    else if (r->unsure)
        add(ret, FINDING_PREFLIGHT_NOT_ASKED, &r->place,
            str_fmt(a, "%s: %s %s there, and that may be in the way: %s", on, what,
                    list->n == 1 ? "stands" : "stand", str_printable(a, str_of(r->unsure), false)));
    else
        add(ret, FINDING_PREFLIGHT_STANDS_ON, &r->place,
            str_fmt(a, "%s: %s %s there, and the server refuses to %s", on, what,
                    list->n == 1 ? "stands" : "stand",
                    r->gone.is_retyped ? "change its type" : "drop it"));
}

/* A key of what an earlier CASCADE took. */
static Str
taken_key(Arena *a, const Standing *s)
{
    return str_of(str_fmt(a, "%s\1%s", s->type, s->identity));
}

bool
flow_preflight_standing(Arena *a, const Session *s, const Lint *lint, FindingList *ret, Err *err)
{
    int64_t timeout_ms = config_ms(s->config, CFG_PREFLIGHT_TIMEOUT);
    const LintRemovals *removals = lint_removals(lint);
    StandGones gone = {0};
    Standings all = {0};
    bool is_answered = true;
    Map taken;
    if (!timeout_ms)
        return true;
    vec_each (const LintRemoval, r, removals)
        *vec_add(a, &gone) = r->gone;
    if (!introspect_standing(a, s->db, &gone, timeout_ms, &all, &is_answered, err))
        return false;
    map_init(&taken, a);
    size_t at = 0;
    for (size_t i = 0; i < removals->n; i++) {
        const LintRemoval *r = &removals->v[i];
        Standings list = {0};
        for (; at < all.n && all.v[at].of == i; at++)
            if (!lint_lets_go(lint, r, &all.v[at]) && !map_has(&taken, taken_key(a, &all.v[at])))
                *vec_add(a, &list) = all.v[at];
        if (r->gone.is_cascade)
            vec_each (const Standing, one, &list)
                map_put(&taken, taken_key(a, one), &taken);
        if (list.n)
            tell_standing(a, r, &list, ret);
    }
    if (!is_answered)
        add(ret, FINDING_PREFLIGHT_NOT_ASKED, &removals->v[0].place,
            "what stands on what is dropped is not known: the time was over, or the server refused "
            "the query");
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
