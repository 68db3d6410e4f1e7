/* Configuration: every value that steers Aramid, typed, with its origin.
 *
 * Of URLs, a variable that the project's own files name (aramid.yaml, prisma.config.*, the datasource)
 * is stronger than DATABASE_URL wherever both are set.
 *
 * Sources, strongest first: command line flag, process environment, .env.migration (only
 * MIGRATION_* and ARAMID_*), .env.<env>.local, .env.local, .env.<env>, .env (in the project's
 * folder, and for Prisma also beside the schema), aramid.yaml (section of the environment before
 * the general one), prisma.config.*, package.json "prisma", datasource of schema.prisma, default.
 * Files are read, never executed. */
#pragma once

#include "base/err.h"
#include "base/finding.h"
#include "base/vec.h"

typedef enum ConfigProfile {
    PROFILE_DEVELOPMENT,
    PROFILE_STAGING,
    PROFILE_PRODUCTION,
} ConfigProfile;

/* Every setting: CFG(id, type, key, env, default, secret, help). src/config/settings.def */
typedef enum ConfigKey {
#define CFG(id, type, key, env, dflt, secret, help) CFG_##id,
#include "config/settings.def"
#undef CFG
    CFG_COUNT
} ConfigKey;

typedef enum ConfigType {
    CFG_TYPE_TEXT,
    CFG_TYPE_PATH,
    CFG_TYPE_PATHS, /* with commas between them; in aramid.yaml also a sequence */
    CFG_TYPE_BOOL,
    CFG_TYPE_INT,
    CFG_TYPE_MS, /* a duration: "250ms", "30s", "5min", "2h"; a bare number is milliseconds */
    CFG_TYPE_URL,
    CFG_TYPE_FINDINGS, /* "id: off, id: error"; in aramid.yaml a mapping */
    CFG_TYPE_LIST,     /* texts with commas between them; in aramid.yaml also a sequence */
    CFG_TYPE_TASKS,    /* in aramid.yaml a mapping; a line "NAME WHEN COMMAND" for each */
    CFG_TYPE_LINES, /* texts that may have commas, one in each line; in aramid.yaml also a sequence */
} ConfigType;

typedef struct ConfigInfo {
    const char *id;  /* "LOCK_TIMEOUT" */
    const char *key; /* in aramid.yaml, dotted: "locks.timeout" */
    const char *env; /* environment variable, "" = none */
    const char *dflt;
    const char *help;
    ConfigType type;
    bool secret;
} ConfigInfo;

const ConfigInfo *config_info(ConfigKey key);

typedef struct ConfigValue {
    const char *text;   /* as it was written, expanded; a PATH is absolute; NULL = not set and no
                           default */
    const char *origin; /* for people: "flag --url", "environment variable DATABASE_URL",
                           ".env.local:3", "aramid.yaml:12", "default"; NULL = not set */
    int64_t number;     /* INT, MS, BOOL (0/1) */
} ConfigValue;

typedef VEC(const char *) SecretVec;

/* What the project tells dbmate, by flags in package.json, or variables where dbmate looks for them. */
typedef struct ConfigDbmate {
    VEC(const char *) dirs; /* absolute; empty = not said */
    const char *dirs_origin;
    const char *table;       /* "table" or "schema.table"; NULL = not said */
    const char *schema_file; /* absolute, there or not */
    bool no_dump;            /* it is not to be written */
} ConfigDbmate;

typedef struct Config {
    const char *project_dir; /* absolute: where aramid.yaml, package.json or the start folder is */
    const char *settings_path; /* aramid.yaml, absolute: where it is, or belongs */
    const char *env_name;      /* "production", "development", "preview", ... */
    const char *env_origin;    /* "flag --env", "environment variable NODE_ENV", "default" */
    ConfigProfile profile;
    ConfigValue values[CFG_COUNT];
    const char *schema_path;           /* schema.prisma or a folder, absolute, NULL = none found */
    const char *migrations_dir;        /* absolute; may not exist; of several the first */
    VEC(const char *) migrations_dirs; /* all of them */
    const char *migrations_origin;
    bool migrations_are_dbmates;  /* the folder is what dbmate was told */
    bool migrations_are_drizzles; /* the folder is what drizzle.config says */
    ConfigDbmate dbmate;
    const char *prisma_config; /* prisma.config.*, absolute, NULL = none */
    const char *provider;      /* of the schema's datasource: "postgresql"; NULL = not said */
    const char *empty_url;     /* variable that should name the database but is set to nothing, and
                                  no other URL counts; NULL = none */
    const char *empty_url_origin;
    /* "prisma.config.ts:4: datasource.url is computed (buildUrl())": the project names a database in
     * a way that cannot be read, and no other source does; NULL = it does not. */
    const char *unread_url;
    /* DATABASE_URL names another database than the variable that the project's files name, which is
     * used: where DATABASE_URL is from; NULL = no such thing. */
    const char *other_url_origin;
    const char *other_url;    /* as url_shown has it */
    const char *supabase_url; /* SUPABASE_URL, of the project's API; NULL = not set */
    const char *supabase_origin;
    VEC(const char *) url_variables;   /* that the project's files name for the URL */
    VEC(const char *) schemas;         /* of the datasource, as Prisma's multiSchema wants them */
    VEC(const char *) external_tables; /* prisma.config tables.external: "schema.name" */
    VEC(const char *) external_enums;  /* prisma.config enums.external */
    VEC(const char *) environments;    /* names that aramid.yaml defines */
    /* About where values come from: a computed value of prisma.config.*, an empty variable, a URL
     * that lost against another. They hold no values. */
    FindingList findings;
    FindingRules finding_rules; /* what aramid.yaml says about findings, of every room */
    VEC(const char *) files;    /* that were read, as shown, in that order */
    struct Trace *trace;        /* of whoever loads the configuration, for connections and children;
                                 NULL = none */
    const struct EnvSet *env;   /* the files' variables, for config_environment */
    SecretVec secrets;          /* see config_secrets */
    bool is_ci;                 /* CI is set to something true */
    bool env_named;             /* --env or ARAMID_ENV named the environment */
    bool env_said;              /* somebody did: not the default */
    bool url_is_own; /* the URL was given for this environment by name: PREVIEW_DATABASE_URL,
                        .env.preview, its section of aramid.yaml */
} Config;

/* A flag of the command line that sets a value. */
typedef struct ConfigFlag {
    ConfigKey key;
    const char *flag; /* "--url", for the origin */
    const char *value;
} ConfigFlag;

typedef VEC(Err) ConfigProblems;

typedef struct ConfigRequest {
    const char *start_dir;   /* -C, or "." */
    const char *env_name;    /* --env, or NULL */
    const char *config_path; /* --config: aramid.yaml or prisma.config.*, or NULL */
    const char *schema_path; /* --schema, or NULL */
    const ConfigFlag *flags;
    size_t flag_count;
    /* Not NULL: what would be an error is added here, and everything else is read all the same. Only
     * for looking: a value may then come from another place than it should. */
    ConfigProblems *problems;
} ConfigRequest;

/* Read everything and decide. Returns false with ERR_CONFIG and file:line for a malformed file,
 * an unknown key of aramid.yaml (nearest key as hint), a value of the wrong type, an --env that is
 * neither defined in aramid.yaml nor one of the known names (hint lists them). A missing URL is no
 * error here. Never prints; secrets stay inside.
 *
 * When --env or ARAMID_ENV names the environment, what is written for that environment is stronger
 * than what is written for none: <ENV>_DATABASE_URL comes before DATABASE_URL, and the section of
 * aramid.yaml before .env.local and .env. DIRECT_URL is only used when it is not weaker than the
 * URL that it replaces, so that it never leads to another database.
 * A DATABASE_URL that is set to nothing stops the search too: see empty_url.
 * A URL of aramid.yaml that refers to a variable which is not set keeps the reference: url_parse
 * then names the variable, and no weaker source is used instead. */
MUST_CHECK bool config_load(Arena *a, const ConfigRequest *request, Config *ret, Err *err);

/* Whether two names mean the same environment: "prod" and "production". */
bool config_same_environment(const char *a, const char *b);

/* The URL that commands connect to: a flag, else the direct URL, else the URL; NULL = none. */
const ConfigValue *config_target(const Config *c);

/* aramid.yaml with one more setting. */
typedef struct ConfigEdit {
    const char *shown; /* the file, as people see it */
    Str text;          /* the new one */
    bool is_new;       /* there is no file yet */
    bool is_same;      /* it says so already */
    int before;        /* the line of another value that goes; 0: there is none */
} ConfigEdit;

/* What aramid.yaml has to be for a setting of an environment; nothing is written. `value` must be a
 * text that needs no quotes in YAML, as a URL; what else is in the file stays as it is.
 * errors: those of reading it; ERR_CONFIG with what to write where it is not written line by line */
MUST_CHECK bool config_edit(Arena *a, const Config *c, const char *env, ConfigKey key,
                            const char *value, ConfigEdit *ret, Err *err);

/* Another environment of the project whose own URL leads to the same database. */
typedef struct ConfigTwin {
    const char *env_name;
    const char *origin; /* of its URL */
    ConfigProfile profile;
} ConfigTwin;

/* Look for one among the environments of aramid.yaml, those that have a .env.<name> file, and
 * production; the one with the strictest profile counts. `request` is that of `c`. A source that
 * holds for both tells nothing. false = none. cost: the files are read again for each candidate. */
bool config_find_twin(Arena *a, const ConfigRequest *request, const Config *c, ConfigTwin *ret);

/* Lists of texts. */
typedef VEC(const char *) ConfigList;

/* "NAME=value" of the process's environment and, where that does not have it, of the .env files that
 * were read: what a program of the project expects. Variables of Aramid's own are left out, and the
 * files' secrets (base/secret.h): who wants them reads the files. */
ConfigList config_environment(Arena *a, const Config *c);

/* The value of one variable, of the process or else of the .env files that were read, whatever it
 * holds; NULL = it is not set, or to nothing. */
const char *config_variable(Arena *a, const Config *c, const char *name);

/* Names of the variables of the process that look like secrets, ended by NULL. */
const char *const *config_secret_variables(Arena *a);

/* The items of a LIST, or of LINES. */
ConfigList config_list(Arena *a, const Config *c, ConfigKey key);

/* Text for `config show`: secrets masked, URLs without password and secret parameters; "" = not
 * set. */
const char *config_shown(Arena *a, const Config *c, ConfigKey key);

static inline int64_t
config_ms(const Config *c, ConfigKey key)
{
    return c->values[key].number;
}

/* ---- connection URLs ---------------------------------------------------------------------- */

typedef struct UrlHost {
    const char *host; /* name, address without brackets, or socket folder ("/...") */
    int port;
} UrlHost;

/* One libpq keyword; `value` is decoded. */
typedef struct UrlParam {
    const char *key, *value;
} UrlParam;

typedef struct DbUrl {
    VEC(UrlHost) hosts;          /* at least one */
    const char *user, *password; /* NULL = not said */
    const char *database;        /* "postgres" when not said, as Prisma has it */
    const char *schema;          /* Prisma's schema parameter, NULL = not said */
    VEC(UrlParam) params;        /* what libpq understands: sslmode, sslrootcert, options, ... */
    VEC(UrlParam) ignored;       /* Prisma's pool parameters and unknown ones */
    int connect_timeout_s;       /* -1 = not said */
    bool pgbouncer;              /* pgbouncer=true was said */
} DbUrl;

/* Parse postgres:// and postgresql:// URLs: percent escapes, several hosts, IPv6 in brackets,
 * sockets (host= parameter, or %2F host), Prisma's parameters (sslaccept, sslcert as root CA,
 * sslidentity is refused with a hint, schema, connection_limit, ...), jdbc:, prisma:// and mysql://
 * refused by name. White space and quotes around the URL are ignored. An "@" in the password may
 * stay unescaped, as for Prisma (the last one counts). `origin` is put into errors instead of the
 * text itself, which may be secret.
 * errors: ERR_URL with the position and what is wrong there. */
MUST_CHECK bool url_parse(Arena *a, const char *text, const char *origin, DbUrl *ret, Err *err);

/* The file with this machine's root certificates, NULL = none was found. */
const char *url_system_roots(void);

/* The reference of the project of Supabase that a URL leads to, by its direct or pooler host; n = 0:
 * none. */
Str url_supabase_ref(const DbUrl *url);

/* Whether two URLs name the same database by their words; nothing is looked up. */
bool url_same_database(const DbUrl *a, const DbUrl *b);

/* "postgresql://user@host:5432/db?schema=x": no password, no secret parameter; safe to print. */
char *url_shown(Arena *a, const DbUrl *url);

/* A URL's own text, password and all, with another database. */
char *url_with_database(Arena *a, const char *url, const char *database);

/* The same with its parameters, but secret ones: to be typed again. */
char *url_retyped(Arena *a, const DbUrl *url);

/* Remove passwords from any text that may quote a URL or a password=... pair (libpq's messages,
 * a user's SQL); also replaces each non-empty text of `secrets`. */
char *url_redact(Arena *a, Str text, const char *const *secrets, size_t count);

/* The same without known secrets and with a star for each hidden byte: for lines of source whose columns
 * are pointed at. */
char *url_mask(Arena *a, Str text);

/* Replace each non-empty text of `secrets` only, also where it is percent-encoded or quoted as in
 * SQL or JSON: what was valid JSON stays so. */
Str url_hide(Arena *a, Str text, const char *const *secrets, size_t count);

/* The texts of a configuration that nobody may see: URLs with a password, the passwords, and the values
 * of variables whose names say that they are secret (base/secret.h), of the .env files and of the
 * process; all where they are not so common that hiding them would garble every message. They are in
 * Config.secrets once it is loaded. */
void config_secrets(Arena *a, const Config *c, SecretVec *ret);
void url_add_secrets(Arena *a, const char *text, SecretVec *list); /* of one URL; NULL has none */
