/* aramid doctor: which checks in which order, and what identity and history have to say. */
#include "flow/doctor.h"

#include "base/clock.h"
#include "flow/guard.h"

static const char *
hint_of(Arena *a, const Err *err)
{
    return err->hint[0] ? str_dupz(a, err->hint) : NULL;
}

/* An error may have several lines of detail; a finding stands in one. */
static const char *
one_line(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    for (Str rest = str_of(text); rest.p && *text;)
        buf_fmt(&b, "%s%s", b.n ? "; " : "", str_dup(a, str_cut(&rest, '\n')));
    return b.n ? b.p : "";
}

/* The pending migrations against the rights of the role. */
static void
look_at_plan(Arena *a, Doctor *d, Session *s, History *h)
{
    JournalVec journal = {0};
    Plan plan = {0};
    Err err;
    if (session_read(s, h, &journal, &err) && run_plan(a, s, h, &journal, &plan, &err)) {
        doctor_add(d, FINDING_REACH_PLAN, SEV_OK, NULL, NULL, "%d applied, %d pending", h->applied,
                   h->pending);
        doctor_privileges(d, s, &plan);
        return;
    }
    d->is_over = err.code == ERR_INTERRUPTED || !db_is_open(s->db);
    doctor_add(d, FINDING_REACH_PLAN, SEV_ERROR, err.at.path[0] ? str_dupz(a, err.at.path) : NULL,
               hint_of(a, &err), "a deploy would stop: %s%s%s", err.primary,
               err.detail[0] ? ": " : "", one_line(a, err.detail));
}

static void
look_at_migrations(Arena *a, Doctor *d, const History *h, const Err *err)
{
    if (err)
        doctor_add(d, FINDING_CONFIG_MIGRATIONS, SEV_WARNING,
                   err->at.path[0] ? str_dupz(a, err->at.path) : NULL, hint_of(a, err), "%s",
                   err->primary);
    else
        doctor_add(d, FINDING_CONFIG_MIGRATIONS, SEV_OK, h->dir, NULL, "%zu migration%s",
                   h->files.n, str_plural(h->files.n));
}

/* What the database says about itself, and whether a deploy from here would be let in. */
static void
look_at_mark(Arena *a, const DoctorInput *in, Doctor *d, const DoctorResult *r, Session *s)
{
    History nothing = history_none();
    JournalVec journal = {0};
    FlowGuard guard;
    Err err;
    if (d->is_over || !session_read(s, &nothing, &journal, &err))
        return; /* told with the way to the database */
    flow_guard_open(a, &in->base, GATE_CHANGES, "aramid deploy", &guard);
    bool ok = flow_guard_session(&guard, s, r->target.origin, &err);
    const Identity *i = run_identity(s);
    if (!ok)
        doctor_add(d, FINDING_IDENTITY_MARK, SEV_ERROR, NULL, hint_of(a, &err), "%s: %s",
                   err.primary, err.detail);
    else if (i)
        doctor_add(d, FINDING_IDENTITY_MARK, guard.target.found.text ? SEV_NOTICE : SEV_OK, NULL,
                   NULL, "it says that it is \"%s\", since %s (%s)%s%s",
                   str_printable(a, str_of(i->environment), false),
                   str_printable(a, str_of(i->made_at), false),
                   str_printable(a, str_of(i->made_with), false),
                   guard.target.found.text ? "; " : "",
                   guard.target.found.text ? guard.target.found.text : "");
    else
        doctor_add(d, FINDING_IDENTITY_MARK, SEV_NOTICE, NULL, NULL,
                   "it does not say yet which environment it is%s",
                   in->base.config->env_said ? ": the next deploy writes it down" : "");
}

/* A session on the target, if there is a way to it. */
static bool
open_target(Arena *a, const DoctorInput *in, Doctor *d, const History *h, DoctorResult *ret,
            Session *session)
{
    Err err;
    ret->has_target =
        flow_target(a, in->base.config, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, &err);
    if (!ret->has_target) {
        doctor_add(d, FINDING_REACH_TARGET, SEV_ERROR, NULL, hint_of(a, &err), "%s%s%s",
                   err.primary, err.detail[0] ? ": " : "", err.detail);
        return false;
    }
    const Target *t = &ret->target;
    if (t->absent) {
        doctor_add(d, FINDING_REACH_TARGET, SEV_NOTICE, NULL,
                   "aramid deploy makes it, or set DATABASE_URL",
                   "the embedded PostgreSQL of this project, which was not made yet");
        return false;
    }
    doctor_add(d, FINDING_REACH_TARGET, SEV_OK, NULL, NULL, "%s (%s)", t->shown, t->origin);
    SessionOptions o = flow_session(&in->base, t, h, "doctor", FLOW_READS);
    return doctor_reach(d, &o, t->embedded, session);
}

void
flow_doctor(Arena *a, const DoctorInput *in, DoctorResult *ret)
{
    int64_t began = clock_ms();
    unsigned all = (1u << DOCTOR_AREA_COUNT) - 1;
    Doctor d = {.arena = a,
                .config = in->base.config,
                .request = in->request,
                .problems = in->problems,
                .areas = in->areas ? in->areas : all,
                .tick = in->base.tick,
                .tick_arg = in->base.tick_arg};
    findings_init(&d.findings, a, &in->base.config->finding_rules);
    *ret = (DoctorResult){.config = in->base.config, .areas = d.areas};
    History h; /* the session looks for the ledger of the project's own tool */
    Err unread;
    bool has_history = flow_history(a, d.config, &h, &unread);
    if (!has_history)
        h = history_none();
    if (doctor_wants(&d, AREA_CONFIG)) {
        doctor_config(&d);
        look_at_migrations(a, &d, &h, has_history ? NULL : &unread);
    }
    unsigned local = 1u << AREA_CONFIG | 1u << AREA_TOOLS;
    Session s = {0};
    bool is_open = d.areas & ~local && open_target(a, in, &d, &h, ret, &s);
    if (is_open) {
        ret->server = db_info(s.db);
        if (doctor_wants(&d, AREA_REACH) && has_history)
            look_at_plan(a, &d, &s, &h);
        if (doctor_wants(&d, AREA_SERVER))
            doctor_server(&d, &s, ret->target.embedded ? ret->target.cluster.data_dir : NULL);
        if (doctor_wants(&d, AREA_LEDGERS))
            doctor_ledgers(&d, &s);
    }
    if (doctor_wants(&d, AREA_TOOLS))
        doctor_tools(&d, ret->server && !ret->server->is_shared ? ret->server->version : 0);
    if (doctor_wants(&d, AREA_IDENTITY))
        doctor_identity(&d, is_open ? &s : NULL);
    if (is_open && doctor_wants(&d, AREA_IDENTITY))
        look_at_mark(a, in, &d, ret, &s);
    ret->is_interrupted = d.tick && !d.tick(d.tick_arg, 0);
    if (is_open && d.is_over && !ret->is_interrupted)
        doctor_add(&d, FINDING_CHECK_FAILED, SEV_ERROR, NULL, "aramid doctor, once more",
                   "the connection broke: the rest of the server was not looked at");
    if (is_open)
        session_close(&s);
    ret->findings = d.findings;
    ret->ms = clock_ms() - began;
}
