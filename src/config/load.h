/* The steps of config_load; nobody outside this folder includes it. */
#pragma once

#include "config_int.h"

typedef struct Loader {
    Arena *a;
    const ConfigRequest *request;
    Config *c;
    Err *err;
    AramidYaml yaml;
    PrismaConfig prisma;
    const char *package_schema, *package_seed;
    DbmateFlags dbmate; /* of package.json's scripts */
    PrismaDatasource datasource;
    EnvSet env;
    size_t yaml_section_at; /* the section of the environment is stronger than this layer */
    const char *names[4];   /* of the environment: the one in use, then its other spellings */
    size_t name_count;
    bool env_named;            /* by --env or ARAMID_ENV */
    bool is_node_production;   /* the name came from NODE_ENV and means production */
    ConfigProfile env_profile; /* what the name of the environment stands for */
    bool env_profile_known;
    bool file_failed; /* a secret's file cannot be read: *err says which */
} Loader;

/* A value and where it is from. */
typedef struct Found {
    const char *text; /* NULL = nothing found */
    const char *origin;
    const char *base; /* folder that a relative path starts from */
    const char *path; /* for errors: file, or NULL */
    int line, column;
    size_t rank;     /* smaller = stronger */
    bool of_section; /* from the section of the environment in aramid.yaml */
    bool from_flag;
    bool of_every; /* from a .env file that holds for every environment */
    bool is_own;   /* said for this environment by name: its variable or its .env file */
    bool is_named; /* by a variable that the project's own files name, other than our own ones */
    bool names_general;         /* DATABASE_URL is one of the alternatives there */
    bool is_decided;            /* aramid.yaml says it: no other tool's variable is meant */
    const char *variable;       /* that the text is the whole value of; or NULL */
    const struct Found *beside; /* what schema.prisma says beside prisma.config.*; or NULL */
    const char *empty; /* name of a URL's variable that is set to nothing; `origin` and `rank` are
                          its own when there is no text */
} Found;

/* Add a finding about a file and line, or none (NULL, 0); the same text only once. */
__attribute__((format(printf, 5, 6))) void
config_load_note(Loader *l, FindingId id, const char *path, int line, const char *fmt, ...);

/* After a failed step: whether reading goes on (ConfigRequest.problems). */
bool config_load_forgive(Loader *l);

/* Remember that the project's files name a database in a way that cannot be read: without another
 * source no command may guess one. `why` names the key, never a value. */
void config_load_unread(Loader *l, const char *path, int line, const char *why);

/* load_files.c: find and read the files, in the order in which they depend on each other. */
MUST_CHECK bool config_load_yaml(Loader *l);
void config_load_package_json(Loader *l);
MUST_CHECK bool config_load_prisma_config(Loader *l);
MUST_CHECK bool config_load_env_base(Loader *l); /* process, .env.migration, .env.local, .env */
MUST_CHECK bool config_load_env_of_environment(Loader *l); /* puts .env.<name> between them */
MUST_CHECK bool config_load_schema(Loader *l);     /* schema path, its .env, its datasource */
MUST_CHECK bool config_load_migrations(Loader *l); /* folder of the migrations */

/* dbmate.c: what the project tells dbmate. */
void config_load_dbmate(Loader *l);

/* load_environment.c: which environment it is and what it stands for. */
const char *config_load_known_name(size_t i); /* that needs no definition; NULL behind the last */
MUST_CHECK bool config_load_environment(Loader *l);
MUST_CHECK bool config_load_profile(Loader *l);

/* load_values.c: the strongest value of a setting, without its default; and what the project's files
 * alone say (the general part of aramid.yaml, Prisma's, package.json), where something stronger did
 * not end the search before them. ret_in_files may be NULL. */
MUST_CHECK bool config_load_find(Loader *l, ConfigKey key, Found *ret, Found *ret_in_files);
MUST_CHECK bool config_load_set(Loader *l, ConfigKey key, const Found *found);
const char *config_load_absolute(Loader *l, const char *text, const char *base); /* of a path */
MUST_CHECK bool config_load_values(Loader *l);
void config_load_findings(Loader *l); /* what aramid.yaml makes of findings */

/* load_url.c */
MUST_CHECK bool config_load_urls(Loader *l);
