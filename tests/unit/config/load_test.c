#include "tests.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const variables[] = {
    "ARAMID_ENV",
    "NODE_ENV",
    "VERCEL_ENV",
    "VERCEL_TARGET_ENV",
    "ARAMID_PROFILE",
    "DATABASE_URL",
    "DIRECT_URL",
    "SHADOW_DATABASE_URL",
    "DEV_DATABASE_URL",
    "DEVELOPMENT_DATABASE_URL",
    "PROD_DATABASE_URL",
    "PROD_DIRECT_URL",
    "PRODUCTION_DATABASE_URL",
    "STAGING_DATABASE_URL",
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_PASSWORD_FILE",
    "POSTGRES_DB",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "MIGRATION_TIMEOUT",
    "CI",
    "MIGRATION_DB_TIMEOUT",
    "MIGRATION_MAX_RETRIES",
    "ARAMID_MIGRATIONS",
    "MY_URL",
    "ARAMID_PG_DATA",
    "ARAMID_PG_BINDIR",
};

/* A project in a folder of its own, with an environment that holds none of our variables. */
typedef struct Project {
    Arena *a;
    char dir[64];
    Config c;
    Err err;
} Project;

static void
open_project(Project *p, Arena *a)
{
    *p = (Project){.a = a};
    memcpy(p->dir, "/tmp/aramid-config-XXXXXX", 26);
    assert_non_null(mkdtemp(p->dir));
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

static void
close_project(Project *p)
{
    Err err;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    assert_true(fs_remove(p->dir, &err));
}

#define PROJECT(p)                                                                                 \
    ARENA_LOCAL(a);                                                                                \
    __attribute__((cleanup(close_project))) Project p;                                             \
    open_project(&p, a)

static void
put(Project *p, const char *name, const char *text)
{
    Err err = {0};
    const char *path = fs_join(p->a, p->dir, name);
    if (!fs_mkdirs(fs_dirname(p->a, path), 0755, &err) || !fs_write(path, str_of(text), 0644, &err))
        fail_msg("%s", err.primary);
}

static bool
try_load(Project *p, const ConfigRequest *request)
{
    ConfigRequest r = request ? *request : (ConfigRequest){0};
    r.start_dir = p->dir;
    p->err = (Err){0};
    return config_load(p->a, &r, &p->c, &p->err);
}

static void
load(Project *p, const ConfigRequest *request)
{
    if (!try_load(p, request))
        fail_msg("%s %s (%s:%d)", p->err.primary, p->err.detail, p->err.at.path, p->err.at.line);
}

static void
load_env(Project *p, const char *env)
{
    load(p, &(ConfigRequest){.env_name = env});
}

static const char *
text(const Project *p, ConfigKey key)
{
    return p->c.values[key].text ? p->c.values[key].text : "(none)";
}

static const char *
origin(const Project *p, ConfigKey key)
{
    return p->c.values[key].origin ? p->c.values[key].origin : "(none)";
}

static void
assert_value(const Project *p, ConfigKey key, const char *expected, const char *from)
{
    assert_string_equal(text(p, key), expected);
    assert_string_equal(origin(p, key), from);
}

static const char *
inside(const Project *p, const char *name)
{
    return fs_join(p->a, p->dir, name);
}

static bool
has_note(const Project *p, const char *part)
{
    for (size_t i = 0; i < p->c.findings.items.n; i++)
        if (strstr(p->c.findings.items.v[i].text, part))
            return true;
    return false;
}

void
load_findings(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "aramid.yaml",
        "findings:\n  relation-index: off\n  server-dump: error\n  config-no-profile: off\n"
        "environments:\n  odd:\n    findings:\n      server-dump: notice\n");
    load_env(&p, "odd");
    const FindingRules *r = &p.c.finding_rules;
    assert_int_equal(r->to[FINDING_RELATION_INDEX], FINDING_OFF);
    assert_int_equal(r->to[FINDING_SERVER_DUMP], SEV_NOTICE);
    assert_int_equal(r->to[FINDING_SERVER_SLOT], FINDING_AS_IS);
    assert_int_equal(p.c.findings.items.n, 0); /* odd has no profile: silenced */
    assert_value(&p, CFG_FINDINGS,
                 "relation-index: off, server-dump: error, config-no-profile: off, "
                 "server-dump: notice",
                 "aramid.yaml:8");
}

void
load_empty(void **state)
{
    (void)state;
    PROJECT(p);
    load(&p, NULL);
    assert_string_equal(p.c.project_dir, p.dir);
    assert_string_equal(p.c.env_name, "development");
    assert_string_equal(p.c.env_origin, "default");
    assert_int_equal(p.c.profile, PROFILE_DEVELOPMENT);
    assert_value(&p, CFG_URL, "(none)", "(none)");
    assert_value(&p, CFG_LOCK_TIMEOUT, "100ms", "default");
    assert_int_equal(config_ms(&p.c, CFG_LOCK_TIMEOUT), 100);
    assert_int_equal(config_ms(&p.c, CFG_CONFIRM), 0);
    assert_int_equal(config_ms(&p.c, CFG_CREATE_DB), 1);
    assert_null(p.c.schema_path);
    assert_string_equal(p.c.migrations_dir, inside(&p, "prisma/migrations"));
    assert_string_equal(config_shown(a, &p.c, CFG_URL), "");
    assert_int_equal(p.c.findings.items.n, 0);
    assert_false(p.c.is_ci);
    setenv("CI", "true", 1);
    load(&p, NULL);
    assert_true(p.c.is_ci);
    assert_false(config_load(a, &(ConfigRequest){.start_dir = "/none/at/all"}, &p.c, &p.err));
    assert_int_equal(p.err.code, ERR_CONFIG);
}

void
load_precedence(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "prisma/schema.prisma",
        "datasource db {\n provider = \"postgresql\"\n url = \"postgres://schema/\"\n}\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://schema/", "prisma/schema.prisma:3");
    assert_string_equal(p.c.provider, "postgresql");
    put(&p, "prisma.config.ts", "export default {\n datasource: { url: 'postgres://config/' } }");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://config/", "prisma.config.ts:2");
    put(&p, "aramid.yaml",
        "url: postgres://yaml/\nretries: 7\n"
        "environments:\n  dev:\n    retries: 8\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://yaml/", "aramid.yaml:1");
    assert_value(&p, CFG_MAX_RETRIES, "8", "aramid.yaml:5");
    assert_string_equal(p.c.env_name, "dev");
    put(&p, "aramid.yaml",
        "url: postgres://yaml/\nenvironments:\n  development:\n"
        "    url: postgres://section/\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://section/", "aramid.yaml:4");
    put(&p, ".env", "X=1\nDATABASE_URL=postgres://dotenv/\nMIGRATION_MAX_RETRIES=4\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://dotenv/", ".env:2");
    assert_value(&p, CFG_MAX_RETRIES, "4", ".env:3");
    put(&p, ".env.migration", "MIGRATION_MAX_RETRIES=5\nDATABASE_URL=postgres://never/\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://dotenv/", ".env:2");
    assert_value(&p, CFG_MAX_RETRIES, "5", ".env.migration:1");
    setenv("DATABASE_URL", "postgres://process/", 1);
    setenv("MIGRATION_TIMEOUT", "30000", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://process/", "environment variable DATABASE_URL");
    assert_int_equal(config_ms(&p.c, CFG_OPERATION_TIMEOUT), 30000);
    setenv("DIRECT_URL", "postgres://direct/", 1);
    ConfigFlag flag = {CFG_URL, "--url", "postgres://flag/"};
    load(&p, &(ConfigRequest){.flags = &flag, .flag_count = 1});
    assert_value(&p, CFG_URL, "postgres://flag/", "flag --url");
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    assert_true(has_note(&p, "direct URL"));
}

void
load_env_order(void **state)
{
    (void)state;
    PROJECT(p);
    static const char *const files[] = {"prisma/.env", ".env", ".env.production", ".env.local",
                                        ".env.production.local"};
    put(&p, "prisma/schema.prisma", "datasource db {\n url = env(\"DATABASE_URL\")\n}\n");
    for (size_t i = 0; i < 5; i++) {
        put(&p, files[i], str_fmt(a, "\nDATABASE_URL=postgres://h%zu/\n", i));
        load_env(&p, "production");
        assert_string_equal(text(&p, CFG_URL), str_fmt(a, "postgres://h%zu/", i));
        assert_string_equal(origin(&p, CFG_URL), str_fmt(a, "%s:2", files[i]));
    }
    load(&p, NULL); /* development does not see the files of production */
    assert_value(&p, CFG_URL, "postgres://h3/", ".env.local:2");
    put(&p, ".env.local", "HOST=local\n");
    put(&p, ".env", "DATABASE_URL=postgres://$HOST/${NAME:-db}\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://local/db", ".env:1");
}

void
load_environment_names(void **state)
{
    (void)state;
    PROJECT(p);
    static const struct {
        const char *name, *used;
        ConfigProfile profile;
    } cases[] = {
        {"production", "production", PROFILE_PRODUCTION},
        {"prod", "prod", PROFILE_PRODUCTION},
        {"PROD", "prod", PROFILE_PRODUCTION},
        {"live", "live", PROFILE_PRODUCTION},
        {"staging", "staging", PROFILE_STAGING},
        {"preview", "preview", PROFILE_STAGING},
        {"dev", "dev", PROFILE_DEVELOPMENT},
        {"test", "test", PROFILE_DEVELOPMENT},
        {"local", "local", PROFILE_DEVELOPMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load_env(&p, cases[i].name);
        assert_string_equal(p.c.env_name, cases[i].used);
        assert_string_equal(p.c.env_origin, "flag --env");
        assert_int_equal(p.c.profile, cases[i].profile);
    }
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "development");
    assert_false(p.c.env_said);
    setenv("VERCEL_ENV", "preview", 1);
    setenv("NODE_ENV", "production", 1);
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "preview");
    assert_string_equal(p.c.env_origin, "environment variable VERCEL_ENV");
    assert_int_equal(p.c.profile, PROFILE_STAGING);
    assert_true(p.c.env_said && !p.c.env_named);
    setenv("VERCEL_TARGET_ENV", "nobody-knows", 1);
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "preview");
    setenv("VERCEL_TARGET_ENV", "staging", 1);
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "staging");
    unsetenv("VERCEL_ENV");
    unsetenv("VERCEL_TARGET_ENV");
    unsetenv("NODE_ENV");
    put(&p, ".env", "NODE_ENV=production\n");
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "production");
    assert_string_equal(p.c.env_origin, ".env:1");
    setenv("NODE_ENV", "test", 1);
    load(&p, NULL);
    assert_string_equal(p.c.env_origin, "environment variable NODE_ENV");
    assert_string_equal(p.c.env_name, "test");
    setenv("ARAMID_ENV", "staging", 1);
    load(&p, NULL);
    assert_string_equal(p.c.env_name, "staging");
    assert_false(try_load(&p, &(ConfigRequest){.env_name = "prodution"}));
    assert_int_equal(p.err.code, ERR_CONFIG);
    assert_non_null(strstr(p.err.hint, "production"));
    put(&p, "aramid.yaml",
        "environments:\n  production: {}\n  eu-1: {profile: staging}\n  us: {}\n");
    load_env(&p, "prod"); /* the same environment under its other name */
    assert_string_equal(p.c.env_name, "production");
    assert_int_equal(p.c.environments.n, 3);
    load_env(&p, "eu-1");
    assert_int_equal(p.c.profile, PROFILE_STAGING);
    assert_value(&p, CFG_PROFILE, "staging", "aramid.yaml:3");
    load_env(&p, "us"); /* nobody said what it is: closed */
    assert_int_equal(p.c.profile, PROFILE_PRODUCTION);
    assert_true(has_note(&p, "environments.us.profile"));
    assert_false(try_load(&p, &(ConfigRequest){.env_name = "../x"}));
    assert_false(try_load(&p, &(ConfigRequest){.env_name = "eu-2"}));
    assert_non_null(strstr(p.err.hint, "eu-1"));
}

void
load_profiles(void **state)
{
    (void)state;
    PROJECT(p);
    setenv("ARAMID_PROFILE", "staging", 1);
    load(&p, NULL);
    assert_int_equal(p.c.profile, PROFILE_STAGING);
    assert_value(&p, CFG_PROFILE, "staging", "environment variable ARAMID_PROFILE");
    setenv("ARAMID_PROFILE", "development", 1);
    setenv("NODE_ENV", "production", 1);
    put(&p, "aramid.yaml", "environments:\n  production: {profile: development}\n");
    load(&p, NULL);
    assert_int_equal(p.c.profile, PROFILE_PRODUCTION);
    assert_int_equal(config_ms(&p.c, CFG_CONFIRM), 1);
    assert_int_equal(config_ms(&p.c, CFG_CREATE_DB), 0);
    assert_true(has_note(&p, "is not used"));
    ConfigFlag flag = {CFG_PROFILE, "--profile", "development"};
    load(&p, &(ConfigRequest){.flags = &flag, .flag_count = 1});
    assert_int_equal(p.c.profile, PROFILE_PRODUCTION);
    unsetenv("ARAMID_PROFILE");
    load_env(&p, "production"); /* its own section may say so */
    assert_int_equal(p.c.profile, PROFILE_DEVELOPMENT);
    setenv("ARAMID_PROFILE", "production", 1);
    load_env(&p, "dev");
    assert_int_equal(p.c.profile, PROFILE_PRODUCTION);
    setenv("ARAMID_PROFILE", "prod", 1);
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.detail, "ARAMID_PROFILE"));
}

/* What is written for the named environment wins over what is written for none. */
void
load_named_environment(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, ".env",
        "DATABASE_URL=postgres://general/\nDIRECT_URL=postgres://general-direct/\n"
        "PROD_DATABASE_URL=postgres://prod/\nSTAGING_DATABASE_URL=postgres://st/\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://general/", ".env:1");
    assert_value(&p, CFG_DIRECT_URL, "postgres://general-direct/", ".env:2");
    load_env(&p, "production");
    assert_value(&p, CFG_URL, "postgres://prod/", ".env:3 (PROD_DATABASE_URL)");
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    assert_true(has_note(&p, "DATABASE_URL (.env:1) is not used"));
    load_env(&p, "staging");
    assert_string_equal(text(&p, CFG_URL), "postgres://st/");
    load_env(&p, "preview"); /* has no URL of its own */
    assert_value(&p, CFG_URL, "postgres://general/", ".env:1");
    assert_true(has_note(&p, "every environment"));
    setenv("DATABASE_URL", "postgres://process/", 1);
    load_env(&p, "prod");
    assert_string_equal(text(&p, CFG_URL), "postgres://prod/");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://process/");
    setenv("PRODUCTION_DATABASE_URL", "postgres://prod-process/", 1);
    load_env(&p, "prod");
    assert_value(&p, CFG_URL, "postgres://prod-process/",
                 "environment variable PRODUCTION_DATABASE_URL");
    unsetenv("PRODUCTION_DATABASE_URL");
    unsetenv("DATABASE_URL");
    put(&p, ".env", "DATABASE_URL=postgres://general/\nDIRECT_URL=postgres://general-direct/\n");
    put(&p, "aramid.yaml",
        "environments:\n  production:\n    url: postgres://section/\n"
        "  development:\n    url: postgres://section-dev/\n");
    load_env(&p, "production");
    assert_value(&p, CFG_URL, "postgres://section/", "aramid.yaml:3");
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://general/", ".env:1");
    put(&p, ".env.production.local", "DATABASE_URL=postgres://own-file/\n");
    load_env(&p, "production");
    assert_string_equal(text(&p, CFG_URL), "postgres://own-file/");
    /* a DEV_ variable must not be paired with the direct URL of another database */
    put(&p, ".env", "DEV_DATABASE_URL=postgres://dev/\nDIRECT_URL=postgres://other/\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://dev/");
    assert_string_equal(text(&p, CFG_DIRECT_URL), "(none)");
}

void
load_direct_url(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, ".env",
        "DIRECT_URL=postgres://direct/\nDATABASE_URL=postgres://pool/\n"
        "SHADOW_DATABASE_URL=postgres://shadow/\n");
    load(&p, NULL);
    assert_value(&p, CFG_DIRECT_URL, "postgres://direct/", ".env:1");
    assert_value(&p, CFG_SHADOW_URL, "postgres://shadow/", ".env:3");
    setenv("DATABASE_URL", "postgres://other/", 1);
    load(&p, NULL);
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    setenv("DIRECT_URL", "postgres://other-direct/", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_DIRECT_URL), "postgres://other-direct/");
    unsetenv("DATABASE_URL");
    unsetenv("DIRECT_URL");
    put(&p, ".env", "MY_URL=postgres://my/\nMY_DIRECT=postgres://my-direct/\n");
    put(&p, "prisma/schema.prisma",
        "datasource db {\n url = env(\"MY_URL\")\n"
        " directUrl = env(\"MY_DIRECT\")\n}\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://my/", ".env:1 (MY_URL, named by prisma/schema.prisma)");
    assert_string_equal(text(&p, CFG_DIRECT_URL), "postgres://my-direct/");
    setenv("MY_URL", "postgres://process/", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://process/",
                 "environment variable MY_URL (named by prisma/schema.prisma)");
    setenv("DATABASE_URL", "postgres://unnamed/", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://process/");
    assert_true(has_note(&p, "DATABASE_URL (environment variable DATABASE_URL) is not used"));
}

/* What the project's own files name is meant; DATABASE_URL may be another tool's. */
void
load_named_url(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "prisma/schema.prisma", "datasource db {\n url = env(\"SHOP_URL\")\n}\n");
    put(&p, ".env",
        "SHOP_URL=postgres://h/shop\nDATABASE_URL=postgres://h/other\n"
        "DIRECT_URL=postgres://h/other\n");
    setenv("DATABASE_URL", "postgres://h/process", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://h/shop",
                 ".env:1 (SHOP_URL, named by prisma/schema.prisma)");
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    assert_string_equal(p.c.other_url_origin, "environment variable DATABASE_URL");
    assert_string_equal(p.c.other_url, "postgresql://h:5432/process");
    /* The same database: nothing to decide, and a direct URL to it is of use. */
    unsetenv("DATABASE_URL");
    put(&p, ".env",
        "SHOP_URL=postgres://u@ep-x-pooler.eu.neon.tech/shop\n"
        "DATABASE_URL=postgres://u@ep-x.eu.neon.tech/shop?schema=public\n"
        "DIRECT_URL=postgres://u@ep-x.eu.neon.tech:5432/shop\n");
    load(&p, NULL);
    assert_null(p.c.other_url);
    assert_string_equal(text(&p, CFG_DIRECT_URL), "postgres://u@ep-x.eu.neon.tech:5432/shop");
    /* Decided: by a flag, by aramid.yaml, by the name of the environment, by the file itself. */
    put(&p, ".env", "SHOP_URL=postgres://h/shop\nDATABASE_URL=postgres://h/other\n");
    ConfigFlag flag = {CFG_URL, "--url", "postgres://h/flag"};
    load(&p, &(ConfigRequest){.flags = &flag, .flag_count = 1});
    assert_null(p.c.other_url);
    put(&p, "aramid.yaml", "url: ${DATABASE_URL}\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://h/other", "aramid.yaml:1");
    assert_null(p.c.other_url);
    put(&p, "aramid.yaml", "{}\n");
    setenv("DEVELOPMENT_DATABASE_URL", "postgres://h/own", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/own");
    assert_null(p.c.other_url);
    unsetenv("DEVELOPMENT_DATABASE_URL");
    put(&p, "prisma.config.ts", "export default { datasource: { url: env('DATABASE_URL') } }");
    load(&p, NULL);
    assert_string_equal(p.c.other_url_origin, ".env:1 (SHOP_URL, named by prisma/schema.prisma)");
    put(&p, "prisma/schema.prisma", "datasource db {\n}\n");
    put(&p, "prisma.config.ts",
        "export default { datasource: { url: process.env.P_URL || env('DATABASE_URL') } }");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/other");
    setenv("P_URL", "postgres://h/preview", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/preview");
    assert_null(p.c.other_url);
    unsetenv("P_URL");
    /* Prisma would use what the schema spells out. */
    put(&p, "prisma.config.ts", "export default {}");
    put(&p, "prisma/schema.prisma", "datasource db {\n url = \"postgres://h/literal\"\n}\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/other");
    assert_string_equal(p.c.other_url_origin, "prisma/schema.prisma:2");
    /* A named variable that is set to nothing is no reason to take another one. */
    put(&p, "prisma/schema.prisma", "datasource db {\n url = env(\"SHOP_URL\")\n}\n");
    put(&p, ".env", "SHOP_URL=\nDATABASE_URL=postgres://h/other\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "(none)");
    assert_string_equal(p.c.empty_url, "SHOP_URL");
}

/* A URL that cannot be read never becomes another database. */
void
load_unread_url(void **state)
{
    (void)state;
    PROJECT(p);
    setenv("PGHOST", "/run/postgresql", 1);
    setenv("POSTGRES_HOST", "h", 1);
    static const struct {
        const char *config, *why;
    } cases[] = {
        {"export default { datasource: { url: buildUrl() } }",
         "prisma.config.ts:1: datasource.url is computed (buildUrl())"},
        {"export default { datasource: { url: `postgres://h/${process.env.NAME}` } }",
         "prisma.config.ts:1: datasource.url needs the variable NAME, which is not set"},
        {"export default { datasource: make() }",
         "prisma.config.ts:1: datasource.url is computed (an expression)"},
        {"export default defineConfig({ ...base() })",
         "prisma.config.ts:1: datasource.url is computed (\"...\" of something else)"},
        {"export default load",
         "prisma.config.ts: exports no object that can be read without running it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(&p, "prisma.config.ts", cases[i].config);
        load(&p, NULL);
        assert_string_equal(text(&p, CFG_URL), "(none)");
        assert_string_equal(p.c.unread_url, cases[i].why);
    }
    put(&p, "prisma.config.ts", "export default {}");
    put(&p, "schema.prisma", "datasource db {\n  url \"postgres://h/d\"\n}\n");
    load(&p, NULL);
    assert_string_equal(p.c.unread_url,
                        "schema.prisma:2: this line of the datasource cannot be read");
    setenv("DATABASE_URL", "postgres://h/said", 1);
    load(&p, NULL);
    assert_null(p.c.unread_url);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/said");
    unsetenv("DATABASE_URL");
    put(&p, "prisma.config.ts",
        "export default { datasource: { url: `postgres://${process.env.U}:"
        "${encodeURIComponent(process.env.PW)}@h/${process.env.D ?? 'd'}` } }");
    put(&p, ".env", "U=me\nPW=p@:/w\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://me:p%40%3A%2Fw@h/d", "prisma.config.ts:1, with U, PW");
    assert_null(p.c.unread_url);
    unsetenv("PGHOST");
    unsetenv("POSTGRES_HOST");
}

/* Secrets as files, and the .env files of a package in a monorepo. */
void
load_url_elsewhere(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "secret", "postgres://u:p@h/file\n");
    setenv("DATABASE_URL_FILE", "secret", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://u:p@h/file", "environment variable DATABASE_URL_FILE");
    setenv("DATABASE_URL", "postgres://h/said", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/said");
    unsetenv("DATABASE_URL");
    setenv("DATABASE_URL_FILE", "gone", 1);
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.detail, "DATABASE_URL_FILE"));
    unsetenv("DATABASE_URL_FILE");
    put(&p, "aramid.yaml", "schema: apps/web/prisma/schema.prisma\n");
    put(&p, "apps/web/package.json", "{}");
    put(&p, "apps/web/prisma/schema.prisma", "datasource db {\n url = env(\"DATABASE_URL\")\n}\n");
    put(&p, "apps/web/.env", "DATABASE_URL=postgres://h/web\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://h/web");
    put(&p, ".env", "DATABASE_URL=postgres://h/root\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://h/root", ".env:1");
}

void
load_prisma_files(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "package.json",
        "{\"prisma\": {\"schema\": \"a/s.prisma\", \"seed\": \"tsx seed.ts\"}}");
    put(&p, "a/s.prisma", "datasource db {\n schemas = [\"x\", \"y\"]\n}\n");
    load(&p, NULL);
    assert_value(&p, CFG_SCHEMA, inside(&p, "a/s.prisma"), "package.json \"prisma\"");
    assert_string_equal(p.c.schema_path, inside(&p, "a/s.prisma"));
    assert_string_equal(p.c.migrations_dir, inside(&p, "a/migrations"));
    assert_string_equal(p.c.migrations_origin, "beside a/s.prisma");
    assert_value(&p, CFG_SEED, "tsx seed.ts", "package.json \"prisma\"");
    assert_int_equal(p.c.schemas.n, 2);
    put(&p, "b/s.prisma", "model X { id Int @id }\n");
    put(&p, ".config/prisma.ts",
        "import 'dotenv/config'\nexport default defineConfig({\n  schema: '../b/s.prisma',\n"
        "  migrations: { path: path.join('..', 'db', 'm'), seed: 'seed 2' },\n"
        "  datasource: { url: env('MY_URL') ?? makeUrl('x') },\n"
        "  tables: { external: ['auth.users'] }, enums: { external: ['auth.kind'] } })\n");
    load(&p, NULL);
    assert_value(&p, CFG_SCHEMA, inside(&p, "b/s.prisma"), ".config/prisma.ts:3");
    assert_value(&p, CFG_MIGRATIONS, inside(&p, "db/m"), ".config/prisma.ts:4");
    assert_value(&p, CFG_SEED, "seed 2", ".config/prisma.ts:4");
    assert_value(&p, CFG_URL, "(none)", "(none)");
    assert_true(has_note(&p, "datasource.url is computed (makeUrl())"));
    assert_int_equal(p.c.findings.items.v[p.c.findings.items.n - 1].line, 5);
    assert_string_equal(p.c.external_tables.v[0], "auth.users");
    assert_string_equal(p.c.external_enums.v[0], "auth.kind");
    assert_string_equal(p.c.prisma_config, inside(&p, ".config/prisma.ts"));
    put(&p, ".env", "MY_URL=postgres://my/\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://my/", ".env:1 (MY_URL, named by .config/prisma.ts)");
    put(&p, "prisma7.config.js", "export default load()\n");
    load(&p, NULL);
    assert_string_equal(p.c.prisma_config, inside(&p, "prisma7.config.js"));
    assert_true(has_note(&p, "exports no object"));
    load(&p, &(ConfigRequest){.config_path = ".config/prisma.ts"});
    assert_string_equal(text(&p, CFG_SCHEMA), inside(&p, "b/s.prisma"));
    put(&p, "package.json", "{\"prisma\": \n");
    load(&p, NULL);
    assert_true(has_note(&p, "package.json is not valid JSON"));
    put(&p, "sub/x.env", "MY_URL=postgres://sub/\n");
    put(&p, ".env", "");
    put(&p, "prisma7.config.js",
        "require('dotenv').config({ path: 'sub/x.env' })\n"
        "export default { datasource: { url: process.env.MY_URL! } }\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://sub/");
}

void
load_schema_places(void **state)
{
    (void)state;
    static const struct {
        const char *file, *schema, *migrations;
    } cases[] = {
        {"schema.prisma", "schema.prisma", "migrations"},
        {"prisma/schema.prisma", "prisma/schema.prisma", "prisma/migrations"},
        {"prisma/schema/user.prisma", "prisma/schema", "prisma/migrations"},
        {"prisma/schema/a/b/user.prisma", "prisma/schema", "prisma/migrations"},
        {"db/schema.prisma", "db/schema.prisma", "db/migrations"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PROJECT(p);
        put(&p, cases[i].file, "model X { id Int @id }\n");
        load(&p, NULL);
        assert_string_equal(p.c.schema_path, inside(&p, cases[i].schema));
        assert_string_equal(p.c.migrations_dir, inside(&p, cases[i].migrations));
    }
    PROJECT(p);
    put(&p, "models/a.prisma", "datasource db {\n url = \"postgres://folder/\"\n}\n");
    load(&p, &(ConfigRequest){.schema_path = "models"});
    assert_string_equal(text(&p, CFG_URL), "postgres://folder/");
    assert_string_equal(origin(&p, CFG_URL), "models/a.prisma:2");
    assert_string_equal(p.c.migrations_dir, inside(&p, "models/migrations"));
    assert_value(&p, CFG_SCHEMA, inside(&p, "models"), "flag --schema");
    put(&p, "migrations/x/migration.sql", "");
    load(&p, &(ConfigRequest){.schema_path = "models"});
    assert_string_equal(p.c.migrations_dir, inside(&p, "migrations"));
    assert_false(try_load(&p, &(ConfigRequest){.schema_path = "none.prisma"}));
    assert_non_null(strstr(p.err.primary, "no schema found at \"none.prisma\""));
    ConfigFlag flag = {CFG_MIGRATIONS, "--migrations", "./m/../n"};
    load(&p, &(ConfigRequest){.flags = &flag, .flag_count = 1});
    assert_string_equal(p.c.migrations_dir, inside(&p, "n"));
    assert_string_equal(p.c.migrations_origin, "flag --migrations");
    put(&p, "aramid.yaml", "schema: gone/schema.prisma\n");
    load(&p, NULL); /* an image for deploys may hold the migrations only */
    assert_null(p.c.schema_path);
    assert_true(has_note(&p, "does not exist"));
    assert_string_equal(p.c.migrations_dir, inside(&p, "gone/migrations"));
    put(&p, "aramid.yaml", "{}\n");
    put(&p, "supabase/migrations/1_x.sql", "");
    load(&p, NULL);
    assert_string_equal(p.c.migrations_dir, inside(&p, "supabase/migrations"));
    put(&p, "db/migrations/1_x.sql", "");
    load(&p, NULL);
    assert_string_equal(p.c.migrations_dir, inside(&p, "db/migrations"));
}

void
load_from_parts(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, ".env", "POSTGRES_DB=app\nPOSTGRES_PASSWORD=p@s/s\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgresql://postgres:p%40s%2Fs@/app?host=localhost",
                 ".env:1 (POSTGRES_DB) and the variables beside it; POSTGRES_HOST is not set");
    put(&p, ".env", "POSTGRES_PASSWORD=p@s/s\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "(none)", "(none)");
    put(&p, ".env", "POSTGRES_DB=app\nPOSTGRES_PASSWORD=p@s/s\n");
    setenv("POSTGRES_HOST", "db", 1);
    setenv("POSTGRES_PORT", "5433", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL),
                        "postgresql://postgres:p%40s%2Fs@/app?host=db&port=5433");
    assert_string_equal(origin(&p, CFG_URL),
                        "environment variable POSTGRES_HOST and the variables beside it");
    assert_string_equal(config_shown(a, &p.c, CFG_URL), "postgresql://postgres@db:5433/app");
    put(&p, "secret", "from file\n");
    put(&p, ".env", "POSTGRES_PASSWORD_FILE=secret\nPOSTGRES_USER=u\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgresql://u:from%20file@/u?host=db&port=5433");
    put(&p, ".env", "POSTGRES_PASSWORD_FILE=gone\n");
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.detail, "POSTGRES_PASSWORD_FILE"));
    put(&p, ".env", "DATABASE_URL=postgres://url/\n");
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "postgres://url/");
    put(&p, ".env", "");
    unsetenv("POSTGRES_HOST");
    setenv("PGUSER", "me", 1);
    load(&p, NULL);
    assert_string_equal(text(&p, CFG_URL), "(none)");
    setenv("PGHOST", "/run/postgresql", 1);
    load(&p, NULL);
    DbUrl u;
    assert_true(url_parse(a, text(&p, CFG_URL), "", &u, &p.err));
    assert_string_equal(u.hosts.v[0].host, "/run/postgresql");
    assert_string_equal(u.user, "me");
    assert_string_equal(u.database, "me");
}

void
load_errors(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, ".env", "A=1\nwhat\n");
    assert_false(try_load(&p, NULL));
    assert_string_equal(p.err.at.path, ".env");
    assert_int_equal(p.err.at.line, 2);
    put(&p, ".env", "MIGRATION_TIMEOUT=soon\n");
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.primary, "timeouts.operation"));
    assert_non_null(strstr(p.err.detail, ".env:1"));
    put(&p, ".env", "");
    put(&p, "aramid.yml", "retries: 2\n");
    load(&p, NULL);
    assert_value(&p, CFG_MAX_RETRIES, "2", "aramid.yml:1");
    put(&p, "aramid.yaml", "locks:\n  timeout: ${LOCK_X}\n");
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.primary, "both"));
    Err err;
    assert_true(fs_remove(inside(&p, "aramid.yml"), &err));
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.primary, "LOCK_X"));
    assert_int_equal(p.err.at.line, 2);
    put(&p, ".env", "LOCK_X=5 apples\n");
    assert_false(try_load(&p, NULL));
    assert_non_null(strstr(p.err.primary, "duration"));
    assert_int_equal(p.err.at.line, 2);
    put(&p, ".env", "LOCK_X=5s\n");
    load(&p, NULL);
    assert_int_equal(config_ms(&p.c, CFG_LOCK_TIMEOUT), 5000);
    assert_false(try_load(&p, &(ConfigRequest){.config_path = "gone.yaml"}));
    assert_non_null(strstr(p.err.primary, "config file not found at \"gone.yaml\""));
    assert_false(try_load(&p, &(ConfigRequest){.config_path = "x.json"}));
    put(&p, "conf/my.yaml", "migrations: m\n");
    load(&p, &(ConfigRequest){.config_path = "conf/my.yaml"});
    assert_value(&p, CFG_MIGRATIONS, inside(&p, "conf/m"), "conf/my.yaml:1");
}

void
load_empty_url(void **state)
{
    (void)state;
    PROJECT(p);
    setenv("DATABASE_URL", "", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "(none)", "(none)");
    assert_true(has_note(&p, "DATABASE_URL is empty"));
    assert_string_equal(p.c.empty_url, "DATABASE_URL");
    assert_string_equal(p.c.empty_url_origin, "environment variable DATABASE_URL");
    /* It does not lead to a weaker one, but a direct URL beside it is used. */
    put(&p, ".env", "DATABASE_URL=postgres://x/\nDIRECT_URL=postgres://d/\n");
    load(&p, NULL);
    assert_value(&p, CFG_URL, "(none)", "(none)");
    assert_value(&p, CFG_DIRECT_URL, "(none)", "(none)");
    assert_string_equal(p.c.empty_url, "DATABASE_URL");
    setenv("DIRECT_URL", "postgres://d/", 1);
    load(&p, NULL);
    assert_value(&p, CFG_DIRECT_URL, "postgres://d/", "environment variable DIRECT_URL");
    assert_null(p.c.empty_url);
    /* An empty direct URL is no reason to refuse a URL, but it is when there is none. */
    setenv("DIRECT_URL", "", 1);
    setenv("DATABASE_URL", "postgres://y/", 1);
    load(&p, NULL);
    assert_value(&p, CFG_URL, "postgres://y/", "environment variable DATABASE_URL");
    assert_null(p.c.empty_url);
    unsetenv("DATABASE_URL");
    put(&p, ".env", "");
    load(&p, NULL);
    assert_string_equal(p.c.empty_url, "DIRECT_URL");
    /* The variable that the schema names. */
    unsetenv("DIRECT_URL");
    put(&p, ".env", "\nDB=\n");
    put(&p, "prisma/schema.prisma",
        "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DB\")\n}\n");
    load(&p, NULL);
    assert_string_equal(p.c.empty_url, "DB");
    assert_string_equal(p.c.empty_url_origin, ".env:2");
}

void
load_yaml_password(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "aramid.yaml", "url: postgres://me:${PW}@h/d\n");
    setenv("PW", "a/b@c?#%41:%", 1);
    load_env(&p, "production");
    assert_value(&p, CFG_URL, "postgres://me:a%2Fb%40c%3F%23%41%3A%25@h/d", "aramid.yaml:1");
    unsetenv("PW");
}

/* A reference that leads nowhere must not lead to a weaker URL. */
void
load_yaml_url(void **state)
{
    (void)state;
    PROJECT(p);
    put(&p, "prisma/schema.prisma", "datasource db {\n url = \"postgres://dev/\"\n}\n");
    put(&p, "aramid.yaml", "environments:\n  production:\n    url: ${MY_URL}\n");
    for (int round = 0; round < 2; round++) {
        DbUrl u;
        Err err;
        load_env(&p, "production");
        assert_value(&p, CFG_URL, "${MY_URL}", "aramid.yaml:3");
        assert_false(url_parse(a, text(&p, CFG_URL), origin(&p, CFG_URL), &u, &err));
        assert_non_null(strstr(err.hint, "MY_URL"));
        assert_non_null(strstr(err.detail, "aramid.yaml:3"));
        assert_string_equal(config_shown(a, &p.c, CFG_URL), "****");
        setenv("MY_URL", "", 1);
    }
    setenv("MY_URL", "postgres://u:p@my/", 1);
    load_env(&p, "production");
    assert_value(&p, CFG_URL, "postgres://u:p@my/", "aramid.yaml:3");
    assert_string_equal(config_shown(a, &p.c, CFG_URL), "postgresql://u@my:5432/postgres");
}

/* No secret in anything that may be printed. */
void
load_secrets_stay(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {".env", "DATABASE_URL=postgres://u:CANARY@h/db\nDIRECT_URL=CANARY\nX=\"CANARY\n"},
        {".env", "DATABASE_URL=postgres://u:CANARY@h/db\nDIRECT_URL=postgres://CANARY\nCANARY\n"},
        {".env", "DATABASE_URL=postgres://u:CAN/ARY@h/db\nDIRECT_URL='postgres://u:CANARY@h/'\n"
                 "SHADOW_DATABASE_URL=CANARY\n"},
        {".env", "MIGRATION_TIMEOUT=CANARY\n"},
        {".env", "NODE_ENV=CANARY/postgres://u:CANARY@h\n"},
        {".env", "ARAMID_PROFILE=CANARY\n"},
        {"aramid.yaml", "url: postgres://u:CANARY@h/db\nretries: CANARY\n"},
        {"aramid.yaml", "postgres://u:CANARY@h/db\n"},
        {"aramid.yaml", "postgres://u:CANARY@h/db: x\n"},
        {"aramid.yaml", "url: \"postgres://u:CANARY@h/db\n"},
        {"aramid.yaml", "url: postgres://u:CANARY@h/db\nurl: [CANARY\n"},
        {"aramid.yaml", "url: postgres://u:CANARY@h/db\nseed: psql postgres://u:CANARY@h/\n"},
        {"prisma.config.ts", "export default { datasource: { url: 'postgres://u:CANARY@' + h } }"},
        {"prisma.config.ts", "export default { datasource: { url: `postgres://CANARY${h}` } }"},
        {"prisma.config.ts", "export default { datasource: { url: 'postgres://u:CANARY@h' } }"},
        {"prisma/schema.prisma", "datasource db {\nurl = \"postgres://u:CANARY@h/db\"\n}"},
        {"package.json", "{\"prisma\": \"CANARY\n"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        PROJECT(p);
        put(&p, files[i][0], files[i][1]);
        bool ok = try_load(&p, NULL);
        assert_null(strstr(p.err.primary, "CANARY"));
        assert_null(strstr(p.err.detail, "CANARY"));
        assert_null(strstr(p.err.hint, "CANARY"));
        assert_null(strstr(p.err.at.path, "CANARY"));
        for (size_t n = 0; n < p.c.findings.items.n; n++)
            assert_null(strstr(p.c.findings.items.v[n].text, "CANARY"));
        for (int k = 0; ok && k < CFG_COUNT; k++) {
            const char *value = p.c.values[k].text;
            assert_null(strstr(config_shown(a, &p.c, (ConfigKey)k), "CANARY"));
            assert_null(strstr(origin(&p, (ConfigKey)k), "CANARY"));
            DbUrl u;
            if (!value || config_info((ConfigKey)k)->type != CFG_TYPE_URL ||
                url_parse(a, value, "x", &u, &p.err))
                continue;
            assert_null(strstr(p.err.primary, "CANARY"));
            assert_null(strstr(p.err.detail, "CANARY"));
            assert_null(strstr(p.err.hint, "CANARY"));
        }
    }
}

/* Environments that lead to one database, each by a URL of its own. */
void
load_twins(void **state)
{
    (void)state;
    PROJECT(p);
    ConfigTwin twin;
    const ConfigRequest staging = {.start_dir = p.dir, .env_name = "staging"};
    put(&p, ".env.staging", "DATABASE_URL=postgres://a:x@h/db\n");
    put(&p, ".env.production", "DATABASE_URL=postgres://b:y@H:5432/db?sslmode=require\n");
    load(&p, &staging);
    assert_true(config_find_twin(p.a, &staging, &p.c, &twin));
    assert_string_equal(twin.env_name, "production");
    assert_string_equal(twin.origin, ".env.production:1");
    assert_int_equal(twin.profile, PROFILE_PRODUCTION);
    /* Another database, schema, port or host is another place. */
    static const char *const others[] = {"h/db2", "h/db?schema=x", "h:5433/db", "g/db", "h,g/db"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(&p, ".env.production", str_fmt(p.a, "DATABASE_URL=postgres://%s\n", others[i]));
        assert_false(config_find_twin(p.a, &staging, &p.c, &twin));
    }
    /* One source for both says nothing; a flag is compared with what is written. */
    put(&p, ".env.production", "");
    put(&p, ".env.staging", "");
    put(&p, ".env", "DATABASE_URL=postgres://h/db\n");
    load(&p, &staging);
    assert_false(config_find_twin(p.a, &staging, &p.c, &twin));
    const ConfigFlag flag = {.key = CFG_URL, .flag = "--url", .value = "postgres://h/db"};
    const ConfigRequest by_flag = {.start_dir = p.dir, .flags = &flag, .flag_count = 1};
    put(&p, ".env.production", "DATABASE_URL=postgres://h/db\n");
    load(&p, &by_flag);
    assert_true(config_find_twin(p.a, &by_flag, &p.c, &twin));
    assert_string_equal(twin.env_name, "production");
}

/* Each mistake is told, and everything else is read all the same. */
void
load_to_look(void **state)
{
    (void)state;
    PROJECT(p);
    ConfigProblems problems = {0};
    put(&p, "aramid.yaml", "retries: many\nlocks:\n  timeout: 7s\n");
    put(&p, ".env", "A='open\n");
    put(&p, ".env.local", "DATABASE_URL=postgres://h/db\n");
    setenv("MIGRATION_TIMEOUT", "soon", 1);
    setenv("ARAMID_ENV", "../x", 1);
    assert_false(try_load(&p, NULL));
    load(&p, &(ConfigRequest){.problems = &problems});
    assert_value(&p, CFG_URL, "postgres://h/db", ".env.local:1");
    assert_value(&p, CFG_OPERATION_TIMEOUT, "30s", "default");
    assert_string_equal(p.c.env_name, "production");
    assert_int_equal(p.c.profile, PROFILE_PRODUCTION);
    assert_non_null(p.c.migrations_dir);
    static const char *const places[] = {"aramid.yaml", ".env"};
    bool seen[2] = {false, false}, value = false, environment = false;
    vec_each (const Err, e, &problems) {
        for (int i = 0; i < 2; i++)
            seen[i] |= strcmp(e->at.path, places[i]) == 0;
        value |= strstr(e->detail, "MIGRATION_TIMEOUT") != NULL;
        environment |= strstr(e->primary, "environment") != NULL;
    }
    assert_true(seen[0] && seen[1] && value && environment);
    assert_int_equal(p.c.files.n, 3);
    assert_string_equal(p.c.files.v[0], "aramid.yaml");
}
