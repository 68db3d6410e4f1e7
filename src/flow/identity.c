/* aramid identity: what a database says it is; writing it and taking it out. */
#include "flow/identity.h"

static bool
write_it(Session *s, const IdentityInput *in, const FlowGuard *g, Err *err)
{
    const GateFacts *f = &g->facts;
    if (in->action == IDENTITY_FORGET)
        return run_identity_forget(s, err);
    IdentityMark m = g->mark;
    m.environment = f->expected ? f->expected : f->environment;
    m.name = in->name;
    return run_identity_set(s, &m, err);
}

static bool
is_done(const IdentityInput *in, const FlowGuard *g)
{
    const Identity *i = g->facts.identity;
    if (in->action == IDENTITY_FORGET)
        return !i;
    return i && g->target.match == IDENTITY_SAME && g->facts.expected &&
           strcmp(i->environment, g->facts.expected) == 0 &&
           strcmp(i->name ? i->name : "", in->name ? in->name : "") == 0;
}

static bool
change(Arena *a, Session *s, const IdentityInput *in, History *h, IdentityResult *ret, Err *err)
{
    bool sets = in->action == IDENTITY_SET;
    FlowGuard g;
    GateConsent consent;
    JournalVec journal;
    flow_guard_open(
        a, &in->base, GATE_MARKS,
        sets ? str_fmt(a, "aramid identity set %s", str_shell(a, in->base.config->env_name))
             : "aramid identity forget",
        &g);
    if (!sets)
        g.facts.expected = NULL;
    if (!flow_guard_session(&g, s, ret->target.origin, err))
        return false;
    if (is_done(in, &g))
        return true;
    if (!flow_guard_consent(&g, &consent, err) ||
        (consent == GATE_ASK && in->ask && !in->ask(in->ask_arg, s, ret->before, err)))
        return false;
    if (!flow_guard_announce(&g, &in->sink, err))
        return false;
    ret->changed = true;
    bool ok = session_refresh(s, err) && lock_and_read(s, h, &journal, &in->sink, err) &&
              write_it(s, in, &g, err) && session_refresh(s, err);
    flow_record(s, &in->sink,
                &(RunRow){.run_id = in->run_id,
                          .verb = sets ? "identity set" : "identity forget",
                          .outcome = ok ? "done" : "failed",
                          .consent = g.facts.agent ? g.facts.agent_consent : NULL});
    return ok && session_read(s, h, &journal, err);
}

bool
flow_identity(Arena *a, const IdentityInput *in, IdentityResult *ret, Err *err)
{
    const Config *c = in->base.config;
    bool shows = in->action == IDENTITY_SHOW;
    *ret = (IdentityResult){.config = c, .action = in->action, .findings = in->sink.findings};
    if (!flow_target(a, c, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, err) ||
        (!shows && !flow_target_decided(c, ret->target.shown, err)))
        return false;
    if (ret->target.absent)
        return shows || (err_set(err, ERR_DB_MISSING,
                                 "the embedded database of this project was not made yet"),
                         err_hint(err, "aramid deploy makes it"));
    History h = history_none();
    JournalVec journal;
    Session s;
    SessionOptions o =
        flow_session(&in->base, &ret->target, &h, "identity", shows ? FLOW_READS : FLOW_WRITES);
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = session_read(&s, &h, &journal, err);
    if (ok && run_identity(&s)) {
        Identity *before = arena_new(a, Identity);
        *before = *run_identity(&s);
        ret->before = before;
    }
    ok = ok && (shows || change(a, &s, in, &h, ret, err));
    ret->server = db_info(s.db);
    ret->place = s.place;
    ret->schema = s.schema;
    if (ok)
        flow_identity_shown(&s, &ret->identity);
    for (size_t i = 0; ok && i < s.identities.n; i++)
        if (&s.identities.v[i] != run_identity(&s))
            *vec_add(a, &ret->others) = &s.identities.v[i];
    session_close(&s);
    return ok;
}
