/* The gate as tables of cases: who asks, what the database says, what follows. */
#include "gate/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const IdentityPlace here = {.system = "7100", .database = "app", .oid = "16384"};

/* ---- copies ---------------------------------------------------------------------------------- */

static void
copies(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        IdentityPlace was, now;
        IdentityMatch match;
    } cases[] = {
        {"itself",
         {"7100", "app", "16384", NULL, NULL},
         {"7100", "app", "16384", NULL, NULL},
         IDENTITY_SAME},
        {"a promoted standby under another address",
         {"7100", "app", "16384", NULL, "u@db1.example.com:5432"},
         {"7100", "app", "16384", NULL, "u@db2.example.com:5432"},
         IDENTITY_SAME},
        {"ALTER DATABASE RENAME",
         {"7100", "app", "16384", NULL, NULL},
         {"7100", "app2", "16384", NULL, NULL},
         IDENTITY_RENAMED},
        {"CREATE DATABASE TEMPLATE",
         {"7100", "app", "16384", NULL, NULL},
         {"7100", "copy", "16999", NULL, NULL},
         IDENTITY_COPY},
        {"dropped and restored under its name",
         {"7100", "app", "16384", NULL, NULL},
         {"7100", "app", "16999", NULL, NULL},
         IDENTITY_MOVED},
        {"a dump restored elsewhere",
         {"7100", "app", "16384", NULL, NULL},
         {"7200", "app", "16384", NULL, NULL},
         IDENTITY_COPY},
        {"a dump restored under another public address",
         {"7100", "app", "16384", NULL, "u@db.example.com:5432"},
         {"7200", "app", "16384", NULL, "u@staging.example.com:5432"},
         IDENTITY_COPY},
        {"pg_upgrade, or a switch to a new server, under the same public address",
         {"7100", "app", "16384", NULL, "u@db.example.com:5432"},
         {"7200", "app", "16385", NULL, "u@db.example.com:5432"},
         IDENTITY_MOVED},
        {"another project behind the same pooler",
         {"7100", "postgres", "5", NULL, "postgres.abc@x.pooler.supabase.com:5432"},
         {"7200", "postgres", "5", NULL, "postgres.xyz@x.pooler.supabase.com:5432"},
         IDENTITY_COPY},
        {"a branch of Neon",
         {"7100", "app", "16384", "br-main", NULL},
         {"7100", "app", "16384", "br-pr-12", NULL},
         IDENTITY_COPY},
        {"the same branch of Neon, restored",
         {"7100", "app", "16384", "br-main", NULL},
         {"7100", "app", "16384", "br-main", NULL},
         IDENTITY_SAME},
        {"a server that does not tell its identifier",
         {"7100", "app", "16384", NULL, NULL},
         {NULL, "app", "16999", NULL, NULL},
         IDENTITY_SAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        IdentityMatch match = identity_match(&cases[i].was, &cases[i].now);
        if (match != cases[i].match)
            fail_msg("%s: %s", cases[i].what, identity_match_name(match));
    }
}

/* ---- the right database ---------------------------------------------------------------------- */

typedef struct Marked {
    const char *environment, *profile;
    bool copied; /* its place is another server */
} Marked;

static const Marked none = {0}, production = {"production", "production", false},
                    copy = {"production", "production", true},
                    staging = {"staging", "staging", false},
                    development = {"development", "development", false},
                    dev_copy = {"development", "development", true},
                    test_db = {"test", "development", false};

typedef struct Case {
    const char *what;
    const char *environment; /* NULL = nobody named one: development */
    ConfigProfile profile;
    const Marked *marked;
    const char *vercel;
    ErrCode code;     /* ERR_NONE = may go on */
    const char *part; /* of the error's texts, or NULL */
    bool writes;
    bool has_history, url_is_own, said_by_name, yes;
    const char *expected; /* NULL = the environment, "off" = anything */
    const char *branch;
} Case;

static void
fill(const Case *c, GateFacts *f, Identity *id)
{
    static const IdentityPlace elsewhere = {.system = "9900", .database = "app", .oid = "16384"};
    *id = (Identity){.schema = "public",
                     .environment = c->marked->environment,
                     .profile = c->marked->profile,
                     .made_at = "2026-11-21 02:22:46Z",
                     .made_by = "app",
                     .made_with = "aramid deploy",
                     .place = c->marked->copied ? elsewhere : here};
    const char *env = c->environment ? c->environment : "development";
    static const char *const branches[] = {"main", "release"};
    *f = (GateFacts){
        .act = GATE_CHANGES,
        .command = "aramid deploy",
        .environment = env,
        .environment_origin = c->environment ? "flag --env" : "default",
        .profile = c->profile,
        .is_said = c->environment != NULL,
        .expected = !c->expected                      ? env
                    : strcmp(c->expected, "off") == 0 ? NULL
                                                      : c->expected,
        .vercel = c->vercel,
        .branch = c->branch,
        .branches = branches,
        .branch_count = c->branch ? 2 : 0,
        .yes = c->yes,
        .said_by_name = c->said_by_name,
        .url_is_own = c->url_is_own,
        .origin = ".env:3",
        .is_known = true,
        .host = "db.example.com:5432",
        .database = "app",
        .user = "app",
        .identity = c->marked->environment ? id : NULL,
        .place = here,
        .has_history = c->has_history,
    };
}

static void
targets(void **state)
{
    (void)state;
    static const Case cases[] = {
        {.what = "first deploy, no name",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .has_history = true},
        {.what = "first deploy, a name",
         .environment = "staging",
         .profile = PROFILE_STAGING,
         .marked = &none,
         .writes = true},
        {.what = "the same again",
         .environment = "staging",
         .profile = PROFILE_STAGING,
         .marked = &staging},
        {.what = "another spelling",
         .environment = "prod",
         .profile = PROFILE_PRODUCTION,
         .marked = &production},
        {.what = "production's URL in a developer's .env",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .code = ERR_IDENTITY,
         .part = "is the database of \"production\", not of \"development\""},
        {.what = "the hint names the environment",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .code = ERR_IDENTITY,
         .part = "aramid deploy --env production"},
        {.what = "the database is named",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .code = ERR_IDENTITY,
         .part = "database \"app\" at db.example.com:5432, user \"app\"; the URL is from .env:3"},
        {.what = "development by name",
         .environment = "development",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &staging,
         .code = ERR_IDENTITY,
         .part = "staging"},
        {.what = "production leads to development's",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &development,
         .code = ERR_IDENTITY,
         .part = "development"},
        {.what = "no name, a database for tests",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &test_db},
        {.what = "a name, a database for tests",
         .environment = "development",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &test_db,
         .code = ERR_IDENTITY},
        {.what = "a copy of production for staging",
         .environment = "staging",
         .profile = PROFILE_STAGING,
         .marked = &copy,
         .code = ERR_IDENTITY,
         .part = "aramid identity set staging"},
        {.what = "a copy of production, as production",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &copy,
         .code = ERR_IDENTITY,
         .part = "copy of \"production\""},
        {.what = "a copy of production on a laptop",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &copy,
         .code = ERR_IDENTITY,
         .part = "copy"},
        {.what = "a copy of a development database",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &dev_copy},
        {.what = "and by name",
         .environment = "dev",
         .profile = PROFILE_DEVELOPMENT,
         .marked = &dev_copy,
         .writes = true},
        {.what = "one database for two",
         .environment = "staging",
         .profile = PROFILE_STAGING,
         .marked = &production,
         .expected = "production"},
        {.what = "anything",
         .environment = "staging",
         .profile = PROFILE_STAGING,
         .marked = &production,
         .expected = "off"},
        {.what = "preview, production's database",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &production,
         .vercel = "preview",
         .code = ERR_REFUSED,
         .part = "preview build of Vercel"},
        {.what = "also with --yes and consent",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &production,
         .vercel = "preview",
         .code = ERR_REFUSED,
         .yes = true,
         .said_by_name = true,
         .url_is_own = true},
        {.what = "also where anything is right",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &production,
         .vercel = "preview",
         .code = ERR_REFUSED,
         .expected = "off"},
        {.what = "preview as production",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .vercel = "preview",
         .code = ERR_REFUSED},
        {.what = "preview, unmarked with a history",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &none,
         .vercel = "preview",
         .code = ERR_REFUSED,
         .part = "PREVIEW_DATABASE_URL",
         .has_history = true,
         .yes = true},
        {.what = "preview, unmarked and new",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &none,
         .vercel = "preview",
         .writes = true},
        {.what = "preview, its own URL",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &none,
         .vercel = "preview",
         .writes = true,
         .has_history = true,
         .url_is_own = true},
        {.what = "preview, consent",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &none,
         .vercel = "preview",
         .writes = true,
         .has_history = true,
         .said_by_name = true},
        {.what = "preview, a copy of production",
         .environment = "preview",
         .profile = PROFILE_STAGING,
         .marked = &copy,
         .vercel = "preview",
         .code = ERR_IDENTITY,
         .part = "aramid identity set preview"},
        {.what = "production build",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &production,
         .vercel = "production"},
        {.what = "a branch that may",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &production,
         .branch = "main"},
        {.what = "a branch that may not",
         .environment = "production",
         .profile = PROFILE_PRODUCTION,
         .marked = &production,
         .code = ERR_REFUSED,
         .part = "from branch \"feature\"",
         .branch = "feature"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        const Case *c = &cases[i];
        GateFacts f;
        Identity id;
        GateTarget t;
        Err err = {0};
        fill(c, &f, &id);
        bool ok = gate_target(a, &f, &t, &err);
        if (ok != (c->code == ERR_NONE) || (!ok && err.code != c->code))
            fail_msg("%s: %s", c->what, ok ? "allowed" : err.primary);
        if (ok && t.writes != c->writes)
            fail_msg("%s: writes is %d", c->what, t.writes);
        if (c->part && !strstr(err.primary, c->part) && !strstr(err.detail, c->part) &&
            !strstr(err.hint, c->part))
            fail_msg("%s: not found: %s\n%s\n%s\n%s", c->what, c->part, err.primary, err.detail,
                     err.hint);
        /* Looking is refused for nothing but the wrong database. */
        f.act = GATE_LOOKS;
        if (c->code == ERR_REFUSED && !gate_target(a, &f, &t, &err))
            assert_int_equal(err.code, ERR_IDENTITY);
        /* What a marking must not do, nothing else may. */
        f.act = GATE_MARKS;
        if (!gate_target(a, &f, &t, &err))
            assert_int_equal(err.code, ERR_REFUSED);
    }
}

static void
another_schema_is_production(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Identity other = {.schema = "public",
                      .environment = "production",
                      .profile = "production",
                      .made_at = "",
                      .made_by = "",
                      .made_with = ""};
    GateFacts f = {.environment = "staging",
                   .environment_origin = "flag --env",
                   .expected = "staging",
                   .profile = PROFILE_STAGING,
                   .is_said = true,
                   .is_known = true,
                   .host = "h",
                   .database = "d",
                   .user = "u",
                   .other = &other,
                   .place = here,
                   .act = GATE_CHANGES};
    GateTarget t;
    Err err;
    assert_true(gate_target(a, &f, &t, &err));
    assert_int_equal(t.found.id, FINDING_IDENTITY_BESIDE);
    assert_non_null(strstr(t.found.text, "production"));
    f.vercel = "preview";
    assert_false(gate_target(a, &f, &t, &err));
    assert_int_equal(err.code, ERR_REFUSED);
}

/* ---- consent --------------------------------------------------------------------------------- */

static void
consents(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        GateAct act;
        ConfigProfile profile;
        const Marked *marked;
        bool confirms, yes, said, can_ask, is_ci;
        const char *agent, *words;
        ErrCode code;
        GateConsent consent;
    } cases[] = {
        {.what = "development",
         .act = GATE_CHANGES,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .consent = GATE_AGREED},
        {.what = "production, a person",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true,
         .can_ask = true,
         .consent = GATE_ASK},
        {.what = "production, --yes",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true,
         .yes = true},
        {.what = "production, nobody there",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true,
         .code = ERR_CONFIRM},
        {.what = "production, pipeline with a terminal",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true,
         .can_ask = true,
         .is_ci = true,
         .code = ERR_CONFIRM},
        {.what = "production, pipeline, ARAMID_CONSENT",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true,
         .said = true,
         .is_ci = true},
        {.what = "production, no question wanted",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none},
        {.what = "destroys, pipeline",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .is_ci = true,
         .code = ERR_CONFIRM},
        {.what = "destroys, consent to changes",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .is_ci = true,
         .said = true,
         .code = ERR_CONFIRM},
        {.what = "destroys, --yes",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .is_ci = true,
         .yes = true},
        {.what = "destroys, a person",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .can_ask = true,
         .consent = GATE_ASK},
        {.what = "agent, development",
         .act = GATE_CHANGES,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .agent = "Claude Code"},
        {.what = "agent, production",
         .act = GATE_CHANGES,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .yes = true,
         .agent = "Claude Code",
         .code = ERR_REFUSED},
        {.what = "agent, the database is production",
         .act = GATE_CHANGES,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .yes = true,
         .agent = "Cursor",
         .code = ERR_REFUSED},
        {.what = "agent, destroys",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .yes = true,
         .agent = "Cursor",
         .code = ERR_REFUSED},
        {.what = "agent, destroys, a person's words",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .yes = true,
         .agent = "Cursor",
         .words = "yes, do it"},
        {.what = "agent, a person's words are not --yes",
         .act = GATE_DESTROYS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &none,
         .agent = "Cursor",
         .words = "yes, do it",
         .can_ask = true,
         .code = ERR_CONFIRM},
        {.what = "mark what is unmarked",
         .act = GATE_MARKS,
         .profile = PROFILE_PRODUCTION,
         .marked = &none,
         .confirms = true},
        {.what = "mark a copy", .act = GATE_MARKS, .profile = PROFILE_DEVELOPMENT, .marked = &copy},
        {.what = "take production's name",
         .act = GATE_MARKS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .code = ERR_CONFIRM},
        {.what = "take it, --yes",
         .act = GATE_MARKS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .yes = true},
        {.what = "take it, agent",
         .act = GATE_MARKS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .yes = true,
         .agent = "Cursor",
         .code = ERR_REFUSED},
        {.what = "take it, a person",
         .act = GATE_MARKS,
         .profile = PROFILE_DEVELOPMENT,
         .marked = &production,
         .can_ask = true,
         .consent = GATE_ASK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        GateFacts f;
        Identity id;
        fill(&(Case){.environment = cases[i].profile == PROFILE_PRODUCTION ? "production" : "dev",
                     .profile = cases[i].profile,
                     .marked = cases[i].marked},
             &f, &id);
        f.act = cases[i].act;
        f.confirms = cases[i].confirms;
        f.yes = cases[i].yes;
        f.said_by_name = cases[i].said;
        f.can_ask = cases[i].can_ask;
        f.is_ci = cases[i].is_ci;
        f.agent = cases[i].agent;
        f.agent_consent = cases[i].words;
        GateConsent consent;
        Err err = {0};
        bool ok = gate_consent(a, &f, &consent, &err);
        if (ok != (cases[i].code == ERR_NONE) || (!ok && err.code != cases[i].code))
            fail_msg("%s: %s", cases[i].what, ok ? "agreed" : err.primary);
        if (ok)
            assert_int_equal(consent, cases[i].consent);
        else
            assert_true(err.hint[0] != 0);
    }
}

/* ---- agents ---------------------------------------------------------------------------------- */

static const char *set_name, *set_value;

static const char *
get(const char *name)
{
    return set_name && strcmp(name, set_name) == 0 ? set_value : NULL;
}

static void
agents(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *agent;
    } cases[] = {
        {"CLAUDECODE", "1", "Claude Code"},
        {"CLAUDECODE", "", NULL},
        {"CODEX_SANDBOX", "seatbelt", "Codex CLI"},
        {"CODEX_THREAD_ID", "x", "Codex CLI"},
        {"CURSOR_AGENT", "1", "Cursor"},
        {"CURSOR_TRACE_ID", "1", NULL},
        {"GEMINI_CLI", "1", "Gemini CLI"},
        {"OR_APP_NAME", "Aider", "Aider"},
        {"OR_APP_NAME", "Other", NULL},
        {"AGENT", "goose", "Goose"},
        {"AGENT", "new", "a coding agent"},
        {"AI_AGENT", "1", "a coding agent"},
        {"REPLIT_SESSION", "agent-7", "Replit Agent"},
        {"REPLIT_SESSION", "user", NULL},
        {"COPILOT_CLI", "1", "GitHub Copilot CLI"},
        {"PATH", "/bin", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_name = cases[i].name;
        set_value = cases[i].value;
        const char *agent = gate_agent(get);
        if (!cases[i].agent ? agent != NULL : !agent || strcmp(agent, cases[i].agent) != 0)
            fail_msg("%s=%s: %s", set_name, set_value, agent ? agent : "none");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(targets),
        cmocka_unit_test(another_schema_is_production),
        cmocka_unit_test(consents),
        cmocka_unit_test(agents),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
