/* The facts for the gate, and its verdict during a command. */
#include "flow/guard.h"
#include "flow/hooks.h"

#include "base/fs.h"
#include "base/os.h"

/* As the services name the branch that is built: Vercel, GitHub (a pull request's own), GitLab. */
static const char *
pipeline_branch(void)
{
    static const char *const names[] = {"VERCEL_GIT_COMMIT_REF", "GITHUB_HEAD_REF",
                                        "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = os_env(names[i]);
        if (value && value[0])
            return value;
    }
    return NULL;
}

static const char *
non_empty(const char *text)
{
    return text && text[0] ? text : NULL;
}

static const char *
find_agent(void)
{
    const char *agent = gate_agent(os_env);
    return !agent && fs_exists("/opt/.devin") ? "Devin"
                                              : agent; /* the one that is told by a file */
}

void
flow_guard_open(Arena *a, const FlowInput *in, GateAct act, const char *command, FlowGuard *ret)
{
    const Config *c = in->config;
    const char *wanted = c->values[CFG_IDENTITY].text, *named = non_empty(os_env("ARAMID_CONSENT"));
    ConfigList branches = config_list(a, c, CFG_BRANCHES);
    const ConfigValue *url = config_target(c);
    *ret = (FlowGuard){.arena = a, .in = in};
    ret->facts = (GateFacts){
        .act = act,
        .command = command,
        .environment = c->env_name,
        .environment_origin = c->env_origin,
        .profile = c->profile,
        .is_said = c->env_said,
        .expected = !wanted                      ? c->env_name
                    : strcmp(wanted, "off") == 0 ? NULL
                                                 : wanted,
        .vercel = non_empty(os_env("VERCEL_ENV")),
        .branch = pipeline_branch(),
        .branches = branches.v,
        .branch_count = branches.n,
        .agent = find_agent(),
        .agent_consent = non_empty(os_env(GATE_AGENT_CONSENT)),
        .is_ci = c->is_ci,
        .can_ask = in->can_ask,
        .confirms = c->values[CFG_CONFIRM].number != 0,
        .yes = in->yes,
        .said_by_name = named && config_same_environment(named, c->env_name),
        .url_is_own = c->url_is_own,
        .origin = url ? url->origin : NULL,
    };
    ret->mark = (IdentityMark){.environment = ret->facts.expected,
                               .profile = c->values[CFG_PROFILE].text,
                               .made_with = command};
}

bool
flow_guard_check(FlowGuard *g, Err *err)
{
    return (g->facts.act == GATE_LOOKS || flow_hooks_outside(err)) &&
           gate_target(g->arena, &g->facts, &g->target, err);
}

static const Identity *
production_elsewhere(const Session *s)
{
    vec_each (const Identity, i, &s->identities)
        if (i != run_identity(s) && strcmp(i->profile, "production") == 0)
            return i;
    return NULL;
}

bool
flow_guard_session(FlowGuard *g, const Session *s, const char *origin, Err *err)
{
    GateFacts *f = &g->facts;
    const DbInfo *info = db_info(s->db);
    f->is_known = true;
    f->origin = origin;
    f->host = info->host;
    f->database = info->database;
    f->user = info->user;
    f->identity = run_identity(s);
    f->other = production_elsewhere(s);
    f->place = s->place;
    f->has_history = s->ledger_exists || s->tables;
    if (f->identity)
        g->mark.name = f->identity->name; /* a refreshed mark keeps it */
    return flow_guard_check(g, err);
}

bool
flow_guard_consent(FlowGuard *g, GateConsent *ret, Err *err)
{
    return gate_consent(g->arena, &g->facts, ret, err);
}

bool
flow_guard_announce(const FlowGuard *g, const RunSink *sink, Err *err)
{
    const GateFacts *f = &g->facts;
    Arena *a = g->arena;
    IdentityShown shown;
    flow_guard_shown(g, &shown);
    const char *who =
        shown.environment
            ? str_fmt(a, "environment \"%s\"%s%s%s", shown.environment, shown.name ? " (" : "",
                      shown.name ? shown.name : "", shown.name ? ")" : "")
            : "not marked with an environment";
    RunEvent e = {
        .kind = RUN_TARGET, .ms = -1, .level = shown.environment || f->is_said ? RUN_OK : RUN_INFO};
    e.text = str_printable(a,
                           str_of(str_fmt(a, "changing database \"%s\" at %s as user \"%s\": %s%s",
                                          f->database, f->host, f->user, who,
                                          g->target.writes && !f->identity ? ", marked now" : "")),
                           false);
    sink->event(sink->arg, &e);
    if (g->target.found.text)
        run_finding(sink, &g->target.found);
    return run_findings_pass(sink, err);
}

static void
fill_shown(const Identity *i, IdentityMatch match, IdentityShown *ret)
{
    *ret = (IdentityShown){0};
    if (!i)
        return;
    *ret = (IdentityShown){.environment = i->environment,
                           .name = i->name,
                           .made_at = i->made_at,
                           .made_by = i->made_by,
                           .made_with = i->made_with,
                           .match = identity_match_name(match)};
}

void
flow_guard_shown(const FlowGuard *g, IdentityShown *ret)
{
    fill_shown(g->facts.identity, g->target.match, ret);
    if (!g->facts.identity && g->target.writes)
        *ret = (IdentityShown){.environment = g->mark.environment,
                               .made_with = g->mark.made_with,
                               .match = identity_match_name(IDENTITY_SAME)};
}

void
flow_identity_shown(const Session *s, IdentityShown *ret)
{
    const Identity *i = run_identity(s);
    fill_shown(i, i ? identity_match(&i->place, &s->place) : IDENTITY_SAME, ret);
}
