#include "gate/ready.h"

static const char *
shown(Arena *a, const char *text)
{
    return str_printable(a, str_of(text), false);
}

static bool
is(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The newest record of a kind about the folder as it is. *ret_other: one about another state of it. */
static const GateRecord *
about_folder(const GateReadyFacts *f, const char *kind, const GateRecord **ret_other)
{
    const GateRecord *found = NULL;
    *ret_other = NULL;
    vec_each (const GateRecord, r, f->records) {
        if (!is(r->kind, kind))
            continue;
        bool fits = r->counts && is(r->checksum, f->folder);
        if (fits && (!found || strcmp(found->at, r->at) < 0))
            found = r;
        if (!fits)
            *ret_other = r;
    }
    return found;
}

static const char *
not_there(Arena *a, const GateReadyFacts *f, const GateRecord *other)
{
    if (!other)
        return "there is no evidence of it";
    return !other->counts ? str_fmt(a, "the evidence by %s of %s is not rightly signed",
                                    shown(a, other->by), shown(a, other->at))
           : !is(other->checksum, f->folder)
               ? str_fmt(a, "the evidence by %s of %s is about other migrations",
                         shown(a, other->by), shown(a, other->at))
               : "there is no evidence of it";
}

static void
ask_folder(Arena *a, const GateReadyFacts *f, const char *kind, GateItem *item)
{
    const GateRecord *other;
    item->ok = about_folder(f, kind, &other) != NULL;
    item->why = item->ok ? NULL : not_there(a, f, other);
    item->fix = str_fmt(a, "aramid evidence add %s", kind);
}

/* ---- applied elsewhere --------------------------------------------------------------------- */

static const char *
missing_in(Arena *a, const GateReadyFacts *f, const char *environment, const GatePending *p)
{
    const char *why = str_fmt(a, "%s is not known to be applied there", shown(a, p->name));
    vec_each (const GateRecord, r, f->records) {
        if (!is(r->kind, "applied") || !is(r->environment, environment) || !is(r->subject, p->name))
            continue;
        if (!r->counts)
            why = str_fmt(a, "the evidence that %s was applied there is not rightly signed",
                          shown(a, p->name));
        else if (!is(r->checksum, p->checksum))
            why = str_fmt(a, "%s was edited since it was applied there", shown(a, p->name));
        else
            return NULL;
    }
    return why;
}

static void
ask_environment(Arena *a, const GateReadyFacts *f, const char *environment, GateItem *item)
{
    item->what = str_fmt(a, "applied in %s", shown(a, environment));
    item->fix = str_fmt(a, "deploy there, then: aramid evidence add applied --env %s",
                        str_shell(a, environment));
    item->ok = true;
    vec_each (const GatePending, p, &f->pending) {
        const char *why = missing_in(a, f, environment, p);
        if (why && item->ok) {
            item->ok = false;
            item->why = why;
        }
    }
}

/* ---- people -------------------------------------------------------------------------------- */

static void
ask_approvals(Arena *a, const GateReadyFacts *f, GateItem *item)
{
    int n = 0;
    const GateRecord *other = NULL;
    bool own = false;
    for (size_t i = 0; i < f->records->n; i++) {
        const GateRecord *r = &f->records->v[i];
        if (!is(r->kind, "approval"))
            continue;
        if (!r->counts || !is(r->checksum, f->folder)) {
            other = r;
            continue;
        }
        if (is(r->by, f->actor)) {
            own = true;
            continue;
        }
        bool again = false; /* by the same person, about the same */
        for (size_t k = 0; k < i; k++) {
            const GateRecord *e = &f->records->v[k];
            again |= is(e->kind, "approval") && e->counts && is(e->checksum, f->folder) &&
                     is(e->by, r->by);
        }
        n += !again;
    }
    item->what = str_fmt(a, "approved by %s", str_count(a, f->approvals, "person"));
    item->ok = n >= f->approvals;
    item->fix = "aramid evidence add approval";
    if (!item->ok)
        item->why = n     ? str_fmt(a, "%d of %d are there%s", n, f->approvals,
                                own ? ", and who deploys does not count" : "")
                    : own ? "only who deploys has approved, which does not count"
                          : not_there(a, f, other);
}

static void
ask_reviews(Arena *a, const GateReadyFacts *f, GateItem *item)
{
    item->what = "each migration was read by somebody";
    item->ok = true;
    item->fix = "aramid review NAME";
    vec_each (const GatePending, p, &f->pending) {
        const char *why = gate_review_missing(a, f->reviews, p->name, p->checksum);
        if (why && item->ok) {
            item->ok = false;
            item->why = str_fmt(a, "%s: %s", shown(a, p->name), why);
        }
    }
}

static void
ask_drill(Arena *a, const GateReadyFacts *f, GateItem *item)
{
    const GateRecord *newest = NULL;
    vec_each (const GateRecord, r, f->records)
        if (is(r->kind, "drill") && r->counts && (!newest || strcmp(newest->at, r->at) < 0))
            newest = r;
    item->ok = newest && (!f->newest_drill || strcmp(newest->at, f->newest_drill) >= 0);
    item->fix = "aramid restore --drill; then aramid evidence add drill";
    item->why = item->ok ? NULL
                : newest ? str_fmt(a, "the last time was %s", shown(a, newest->at))
                         : "there is no evidence of it";
}

static void
ask(Arena *a, const GateReadyFacts *f, const char *word, GateItem *item)
{
    *item = (GateItem){.word = word, .what = word};
    if (is(word, "tests")) {
        item->what = "the tests have passed";
        ask_folder(a, f, word, item);
    } else if (is(word, "rollback")) {
        item->what = "the way back was tried";
        ask_folder(a, f, word, item);
    } else if (is(word, "rehearsal")) {
        item->what = "the migrations were rehearsed";
        ask_folder(a, f, word, item);
    } else if (str_starts(str_of(word), STR("tick:"))) {
        item->what = word + sizeof "tick:" - 1;
        ask_folder(a, f, word, item);
    } else if (is(word, "drill")) {
        item->what = "a backup was restored, to see that it can be";
        ask_drill(a, f, item);
    } else if (is(word, "approval"))
        ask_approvals(a, f, item);
    else if (is(word, "review"))
        ask_reviews(a, f, item);
    else if (is(word, "pipeline")) {
        item->what = "it runs in a pipeline";
        item->ok = f->is_pipeline;
        item->why = item->ok ? NULL : "CI is not set: a person runs it";
    } else
        ask_environment(a, f, word, item);
    if (item->ok)
        item->fix = NULL;
}

void
gate_ready(Arena *a, const GateReadyFacts *f, GateItems *ret)
{
    *ret = (GateItems){0};
    if (!f->pending.n)
        return;
    for (size_t i = 0; i < f->required_count; i++)
        ask(a, f, f->required[i], vec_add(a, ret));
    if (!f->allow.n && !f->deny.n)
        return;
    const char *closed = gate_window_closed(a, &f->allow, &f->deny, &f->times);
    *vec_add(a, ret) = (GateItem){
        .word = "window", .what = "it is a time for changes", .ok = !closed, .why = closed};
}
