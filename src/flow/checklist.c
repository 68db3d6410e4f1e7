#include "flow/checklist.h"

#include "flow/look.h"
#include "flow/verify.h"

const char *
checklist_phase_name(ChecklistPhase phase)
{
    static const char *const names[] = {"pre", "production", "post"};
    return names[phase];
}

static void
add(Arena *a, ChecklistResult *r, const char *what, bool ok, const char *why, const char *fix)
{
    *vec_add(a, &r->items) = (GateItem){
        .word = "", .what = what, .ok = ok, .why = ok ? NULL : why, .fix = ok ? NULL : fix};
}

static bool
is_among(const ConfigList *list, const char *word)
{
    vec_each (const char *const, w, list)
        if (strcmp(*w, word) == 0)
            return true;
    return false;
}

/* What records tell, by words of gate.requires: those of the phase first. */
static bool
add_records(Arena *a, const Config *c, const char *const *words, const Session *s, const History *h,
            ChecklistResult *r, Err *err)
{
    ConfigList list = {0}, required = config_list(a, c, CFG_GATE_REQUIRES);
    GateItems items;
    for (; *words; words++)
        *vec_add(a, &list) = *words;
    vec_each (const char *const, w, &required)
        if (!is_among(&list, *w))
            *vec_add(a, &list) = *w;
    if (!flow_ready(a, c, &list, s, h, &items, err))
        return false;
    vec_each (const GateItem, i, &items)
        *vec_add(a, &r->items) = *i;
    return true;
}

static bool
read_plan(Arena *a, const ChecklistInput *in, PlanResult *plan, Session *s, ChecklistResult *r,
          Err *err)
{
    JournalVec journal;
    if (!flow_plan(a, &in->base, plan, err))
        return false;
    r->target = plan->target;
    r->pending = plan->plan.migrations.n;
    if (plan->target.absent)
        return true;
    SessionOptions o =
        flow_session(&in->base, &plan->target, &plan->history, "checklist", FLOW_READS);
    return session_open(a, &o, s, err) && session_read(s, &plan->history, &journal, err);
}

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

static bool
before(Arena *a, const ChecklistInput *in, ChecklistResult *r, Err *err)
{
    static const char *const pre[] = {"tests", "rollback", "tick:type check", NULL};
    static const char *const production[] = {"tests", "rollback", "drill", NULL};
    const Config *c = in->base.config;
    Session s __attribute__((cleanup(close_session))) = {0};
    PlanResult plan;
    Err why;
    bool valid = look_at_schema(a, c, NULL, &why);
    add(a, r, "the schema is valid", valid, str_dupz(a, why.primary), "aramid validate");
    if (!valid)
        return true;
    if (!read_plan(a, in, &plan, &s, r, err))
        return false;
    size_t errors = 0;
    vec_each (const Finding, f, &plan.findings.items)
        errors += f->severity == SEV_ERROR;
    add(a, r, "nothing stands against the migrations", !errors,
        str_fmt(a, "%s would end the deploy", str_count(a, (int64_t)errors, "finding")),
        "aramid plan");
    if (in->phase == CHECKLIST_PRODUCTION) {
        bool backs_up = c->values[CFG_BACKUP].number != 0;
        add(a, r, "a backup is made first", backs_up, "backup.enabled is off here",
            "backup: { enabled: true } in aramid.yaml");
        add(a, r, "health checks are configured",
            c->values[CFG_HEALTH_URL].text || c->values[CFG_HEALTH_SQL].text,
            "nothing asks the application", "health: { url: ... } in aramid.yaml");
        add(a, r, "the team and its monitoring are told",
            c->values[CFG_NOTIFY_SLACK].text || c->values[CFG_NOTIFY_WEBHOOK].text ||
                c->values[CFG_NOTIFY_SENTRY].text,
            "nobody is named", "notify: { slack: ... } in aramid.yaml; then aramid plan --notify");
        add(a, r, "there is a window for changes",
            c->values[CFG_WINDOW_ALLOW].text || c->values[CFG_WINDOW_DENY].text,
            "any time is allowed", "windows: { allow: Mon-Fri 09:00-17:00 UTC } in aramid.yaml");
    }
    return add_records(a, c, in->phase == CHECKLIST_PRE ? pre : production, &s, &plan.history, r,
                       err);
}

static bool
after(Arena *a, const ChecklistInput *in, ChecklistResult *r, Err *err)
{
    VerifyResult v;
    if (!flow_verify(a, &in->base, &in->sink, &v, err))
        return false;
    r->target = v.status.target;
    r->pending = (size_t)v.status.history.pending;
    add(a, r, "the history is complete", v.status.state == STATUS_UP_TO_DATE,
        status_name(v.status.state), "aramid status");
    if (v.looked)
        add(a, r, "the database is what its migrations make", !v.drift.has_drift, "it differs",
            "aramid drift");
    vec_each (const HealthCheck, h, &v.health)
        add(a, r, str_fmt(a, "%s is well", h->what), h->ok, h->why, "aramid verify");
    return true;
}

bool
flow_checklist(Arena *a, const ChecklistInput *in, ChecklistResult *ret, Err *err)
{
    *ret = (ChecklistResult){.config = in->base.config, .phase = in->phase};
    if (!(in->phase == CHECKLIST_POST ? after(a, in, ret, err) : before(a, in, ret, err)))
        return false;
    vec_each (const GateItem, i, &ret->items)
        ret->missing += !i->ok;
    return true;
}
