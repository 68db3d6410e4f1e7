/* aramid rollback: the ways back, the proof that they lead there, and what goes with them. */
#include "flow/rollback_int.h"

#include "flow/endpoint.h"
#include "introspect/introspect.h"
#include "render/render.h"

/* A question to the rows may take so long; then what is lost is told without a number. */
enum { QUESTION_MS = 5000 };

static WaysInput
ways_input(const Rolling *r, const Session *s)
{
    return (WaysInput){.base = &r->in->base,
                       .history = &r->ret->history,
                       .compared = s,
                       .before = r->before.v,
                       .nbefore = r->before.n,
                       .list = r->chosen.v,
                       .n = r->chosen.n,
                       .is_part = r->failed != NULL};
}

static bool
check_irreversible(const Ways *ways, Err *err)
{
    vec_each (const Way, w, &ways->list) {
        if (!w->irreversible)
            continue;
        err_set(err, ERR_NO_WAY_BACK, "migration \"%s\" says that it cannot be rolled back: %s",
                w->migration->name, w->irreversible);
        err_at(err, w->migration->path, 0, 0);
        err_detail(err, "nothing was changed");
        return err_hint(err,
                        "undo what is needed with a new migration, or bring a backup back: aramid "
                        "restore");
    }
    return true;
}

static bool
check_rest(const Rolling *r, Err *err)
{
    enum { SHOWN_MAX = 8 };
    size_t n = 0;
    const Way *first = NULL;
    vec_each (const Way, w, &r->ret->ways.list)
        vec_each (const WayRest, rest, &w->rest) {
            first = first ? first : w;
            if (n++ == 0 && !r->in->accepts_rest)
                err_set(err, ERR_NO_WAY_BACK,
                        "rows that the migrations changed cannot be put back as they were");
            if (!r->in->accepts_rest && n <= SHOWN_MAX)
                err_detail(err, "%s:%d: %s", w->migration->path, rest->line, rest->what);
            if (r->in->accepts_rest)
                run_find(&r->in->sink, FINDING_ROLLBACK_ROWS_STAY, w->migration->name, NULL,
                         "line %d: %s: the rows stay as it left them", rest->line, rest->what);
        }
    if (!n || r->in->accepts_rest)
        return run_findings_pass(&r->in->sink, err);
    if (n > SHOWN_MAX)
        err_detail(err, "and %zu more", n - SHOWN_MAX);
    err_detail(err, "nothing was changed");
    err_hint(err,
             "write what puts them back into down.sql beside %s; else rows that stay may keep the "
             "migration from being applied again",
             first->migration->path);
    return err_hint(err, "or leave the rows as they are: --accept-unrestored");
}

static bool
refuse_difference(Arena *a, const Rolling *r, const Diff *rest, Err *err)
{
    const Way *own = NULL;
    vec_each (const Way, w, &r->ret->ways.list)
        own = own || !w->path ? own : w;
    err_set(err, ERR_NO_WAY_BACK,
            "the way back does not lead to what was there before: %zu difference%s",
            rest->changes.n, str_plural((int64_t)rest->changes.n));
    err_detail(err, "as it would be, against what it was:");
    err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, rest)), true));
    err_detail(err, "it was tried on a private server; the database was not touched");
    if (own)
        err_at(err, own->path, 0, 0);
    return err_hint(err, own ? "correct the script, or take it away: Aramid then derives one"
                             : "write the way back yourself: down.sql beside the migration");
}

static bool
prove(Arena *a, Rolling *r, const Session *s, Err *err)
{
    Diff *rest;
    const WaysInput in = ways_input(r, s);
    if (!r->ret->ways.after) {
        run_find(&r->in->sink, FINDING_ROLLBACK_UNPROVEN, NULL, NULL,
                 "whether the scripts lead back was not tried: %s", r->ret->ways.why.primary);
        return run_findings_pass(&r->in->sink, err);
    }
    if (!flow_ways_lead_back(a, &in, &r->ret->ways, &rest, err))
        return false;
    r->ret->is_proven = !rest;
    return !rest || refuse_difference(a, r, rest, err);
}

/* ---- what goes with them ---------------------------------------------------------------------- */

static bool
refuse_rows(Arena *a, const DiffEffect *e, Err *err)
{
    err_set(err, ERR_NO_WAY_BACK, "the rows that are there now do not fit what was before");
    err_detail(err, "%s", str_printable(a, str_of(render_effect(a, e)), false));
    err_detail(err, "nothing was changed");
    return err_hint(err, "change the rows first, or write down.sql beside the migration that does");
}

static bool
count_losses(Arena *a, Rolling *r, const Session *s, Err *err)
{
    const Ways *ways = &r->ret->ways;
    bool own = false;
    vec_each (const Way, w, &ways->list)
        own = own || w->path;
    Diff *d;
    if (!flow_ways_total(a, ways, &d, err))
        return false;
    if (!d || !introspect_answers(s->db, d, QUESTION_MS, err))
        return !d;
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects) {
            if (e->harm == DIFF_FAILS && e->is_answered && e->hits && !own && !r->in->only_plan)
                return refuse_rows(a, e, err);
            if (e->harm == DIFF_LOSS)
                *vec_add(a, &r->ret->losses) = (RollbackLoss){render_effect(a, e), e->is_answered};
        }
    return true;
}

/* ---- the database ----------------------------------------------------------------------------- */

static bool
look(Arena *a, const Rolling *r, const Session *s, Look *ret, Err *err)
{
    DriftResult d = {.config = r->in->base.config, .history = r->ret->history};
    if (!flow_drift_of(a, &r->in->base, s, &d, err)) {
        if (err->code == ERR_INTERRUPTED || !db_is_open(s->db))
            return false;
        ret->is_in_vain = true;
        run_find(&r->in->sink, FINDING_VERIFY_NOT_LOOKED, NULL, NULL,
                 "whether the database is what it was before was not looked at: %s", err->primary);
        return run_findings_pass(&r->in->sink, err);
    }
    ret->is_done = true;
    look_take(a, d.repair, true, ret);
    return true;
}

bool
rollback_look_after(void *rolling, const Session *s, Err *err)
{
    Rolling *r = rolling;
    Look now = {0};
    r->ret->verified = "not-looked";
    if (!r->looked.is_done)
        return true;
    if (!look(s->arena, r, s, &now, err) || now.is_in_vain)
        return now.is_in_vain;
    size_t n = look_new(&now, &r->looked);
    r->ret->verified = n ? "differs" : "same";
    if (!n) {
        r->in->sink.event(
            r->in->sink.arg,
            &(RunEvent){.kind = RUN_CHECKED,
                        .level = RUN_OK,
                        .ms = -1,
                        .text =
                            r->looked.differences.n
                                ? "the database is what it was before these migrations, with the "
                                  "changes made beside them"
                                : "the database is what it was before these migrations"});
        return true;
    }
    err_set(err, ERR_VERIFY,
            "the migrations are rolled back, but the database is not what it was before");
    vec_each (const char *const, text, &now.differences)
        err_detail(err, "%s", str_printable(s->arena, str_of(*text), false));
    return err_hint(err, "aramid drift shows the SQL that undoes or keeps the differences");
}

/* ---- all of it -------------------------------------------------------------------------------- */

/* What a migration that did not end has left invalid: no replay has it, so it is not among what was tried. */
static void
add_invalid(Arena *a, Rolling *r)
{
    if (!r->invalid.n)
        return;
    Buf b;
    Way *w = &r->ret->ways.list.v[0];
    buf_init(&b, a);
    vec_each (const char *const, sql, &r->invalid)
        buf_fmt(&b, "%s;\n", *sql);
    buf_add(&b, w->script);
    w->script = buf_str(&b);
}

bool
rollback_prove(Arena *a, Rolling *r, const Session *s, Err *err)
{
    const WaysInput ways = ways_input(r, s);
    if (!r->chosen.n)
        return true;
    if (!flow_ways(a, &ways, &r->ret->ways, err) || !check_irreversible(&r->ret->ways, err) ||
        !prove(a, r, s, err) || !count_losses(a, r, s, err) ||
        (!r->in->only_plan && !check_rest(r, err)))
        return false;
    add_invalid(a, r);
    return r->in->only_plan || r->failed || look(a, r, s, &r->looked, err);
}
