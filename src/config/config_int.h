/* The readers behind config_load; nobody outside this folder includes it. */
#pragma once

#include "base/jr.h"
#include "config/config.h"

/* Files larger than this are refused: none of them is. */
enum { CONFIG_FILE_MAX = 1024 * 1024 };

/* ---- .env files (dotenv.c) ------------------------------------------------------------------- */

typedef enum EnvQuote {
    ENV_BARE,   /* no quotes: $NAME and ${NAME} are replaced, \$ is a dollar sign */
    ENV_DOUBLE, /* "...": the same, and \n \r \t \\ \" */
    ENV_RAW,    /* '...' or `...`: nothing is replaced */
} EnvQuote;

typedef struct EnvVar {
    const char *key;
    Str raw; /* between the quotes, before anything is replaced; points into the text */
    EnvQuote quote;
    int line;
} EnvVar;

typedef VEC(EnvVar) EnvVarVec;

/* Parse a .env file. Nothing is executed and no variable replaced here.
 * errors: ERR_CONFIG with path and line: a line that is not KEY=VALUE, a quote that is not closed,
 * not a text; values are never quoted. */
MUST_CHECK bool config_dotenv_parse(Arena *a, const char *path, Str text, EnvVarVec *ret, Err *err);

/* ---- variables of the environment and of .env files (env.c) ---------------------------------- */

typedef struct EnvLayer {
    const char *path;    /* as shown: ".env.local"; NULL = the process's environment */
    bool of_environment; /* .env.<name>: belongs to one environment */
    EnvVarVec vars;
} EnvLayer;

typedef struct EnvHit {
    const char *value;
    const char *origin; /* "environment variable X", ".env:3" */
    size_t layer;
} EnvHit;

/* Strongest first; the first layer is the process's environment. */
typedef struct EnvSet {
    VEC(EnvLayer) layers;
    /* Where it is set: NAME may stand in a file that NAME_FILE points to (Docker's secrets). Puts what
     * the file of `hit` holds into hit->value; false: it cannot be read, and `arg` knows why. */
    bool (*read_file)(void *arg, const char *name, EnvHit *hit);
    void *arg;
} EnvSet;

/* Find a variable in one layer, replacing what it refers to; an empty value counts as set. */
bool config_env_find_in(Arena *a, const EnvSet *set, size_t layer, const char *name, EnvHit *ret);

/* Find a variable that is set and not empty in the strongest layer that has it. */
bool config_env_find(Arena *a, const EnvSet *set, const char *name, EnvHit *ret);

/* Replace ${NAME}, ${NAME:-default} and (unless braces_only) $NAME. What is not set stays as it is
 * written, so that a "$" in a password survives; *ret_missing names the first ${NAME} not set. */
char *config_env_expand(Arena *a, const EnvSet *set, Str text, bool braces_only,
                        const char **ret_missing);
/* The same for a URL. Where its password is one variable (":${NAME}@"), it may hold what would end it
 * otherwise. */
const char *config_env_expand_url(Arena *a, const EnvSet *set, const char *text,
                                  const char **ret_missing);

/* ---- values (value.c) ------------------------------------------------------------------------ */

/* Check `text` for a key and compute *number. Returns NULL, or what is wrong with it ("is not a
 * duration ..."); the text itself is never quoted. */
const char *config_value_check(ConfigKey key, const char *text, int64_t *number);

/* The key of a dotted name; CFG_COUNT = none. */
ConfigKey config_value_key_of(Str dotted);

/* FINDING_OFF for "off", the severity for "notice", "warning", "error"; FINDING_AS_IS for another
 * word. */
signed char config_value_severity(Str word);

/* development, staging, production; false when `text` is none of them. */
bool config_value_profile_of(const char *text, ConfigProfile *ret);

/* ---- aramid.yaml (yaml.c) -------------------------------------------------------------------- */

typedef struct YamlSetting {
    const char *env; /* section of environments, NULL = the general part */
    ConfigKey key;
    const char *text;
    int line, column;
} YamlSetting;

typedef struct AramidYaml {
    const char *path; /* as shown, NULL = there is none */
    const char *dir;
    VEC(YamlSetting) settings;
    VEC(const char *) environments;
} AramidYaml;

/* Parse aramid.yaml; ret->path and ret->dir are left alone.
 * errors: ERR_CONFIG with path, line and column: syntax, unknown or repeated key, wrong type. */
MUST_CHECK bool config_yaml_parse(Arena *a, const char *path, Str text, AramidYaml *ret, Err *err);

/* ---- values of other tools' files ------------------------------------------------------------ */

typedef struct FileAlt {
    bool is_env;
    const char *text;             /* literal text or name of a variable; NULL = `parts` */
    const struct FilePart *parts; /* put together, they are the value: a template, "a" + b */
    size_t part_count;
} FileAlt;

typedef VEC(FileAlt) FileAlts;

/* A part of a value: the first of its alternatives that is set. */
typedef struct FilePart {
    FileAlts alts;
    bool encoded; /* encodeURIComponent(...) */
} FilePart;

/* A value that is known without running code: the first of its alternatives that is set. */
typedef struct FileValue {
    const char *key; /* dotted: "datasource.url" */
    FileAlts alts;
    VEC(const char *) list; /* elements of an array of texts */
    const char *computed;   /* not NULL: what cannot be known without running it */
    int line;
} FileValue;

/* The parts of prisma.config.* that have a meaning here (prisma_config.c). */
typedef struct PrismaConfig {
    const char *path; /* as shown, NULL = there is none */
    const char *dir;  /* relative paths start here */
    bool has_object;  /* the exported object was found */
    VEC(FileValue) values;
    VEC(const char *) dotenv_paths; /* dotenv.config({ path: "..." }) */
} PrismaConfig;

/* Read a prisma.config.* without running it. Never fails: what is not understood is a value with
 * `computed` set. ret->path and ret->dir are inputs; `cwd` is what process.cwd() would give. */
void config_prisma_parse(Arena *a, Str text, const char *cwd, PrismaConfig *ret);

/* The datasource block of a schema (prisma_schema.c); keys "provider", "url", "directUrl",
 * "shadowDatabaseUrl", "schemas". Returns false when the text has no such block. */
typedef struct PrismaDatasource {
    const char *path; /* as shown */
    VEC(FileValue) values;
    int bad_line; /* of something in it that cannot be read; 0 = all can */
} PrismaDatasource;

bool config_schema_parse(Arena *a, Str text, PrismaDatasource *ret);

/* Flags of dbmate's commands (dbmate.c). */
typedef struct DbmateFlags {
    VEC(const char *) dirs;
    const char *table, *schema_file, *env; /* NULL = not given */
    bool no_dump;
} DbmateFlags;

/* Those in the scripts of package.json. False when its commands name several databases, folders or
 * tables, or such that a shell fills in: then none of them is taken. */
bool config_dbmate_scripts(Arena *a, Str package, DbmateFlags *ret);

/* Begin to read package.json at the keys of its object; false: it is none, and nothing is left to read. */
bool config_package_open(Arena *a, Str text, JsonReader *ret);

/* package.json (package_json.c): "prisma": {"schema", "seed"}; NULL = not there. Returns false when
 * the text is not JSON; *ret_line then says where. */
bool config_package_parse(Arena *a, Str text, const char **ret_schema, const char **ret_seed,
                          int *ret_line);
