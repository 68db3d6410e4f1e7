/* Internal to init*.c: one run of `aramid init`. */
#pragma once

#include "config/config.h"
#include "flow/init.h"

enum { FILE_MAX = 1024 * 1024 };

typedef struct Init {
    Arena *a;
    const InitInput *in;
    InitResult *r;
    const char *prisma_config; /* below home, or NULL */
    const Config *settings;    /* of the project, after init_paths */
    const char
        *schema_dir;  /* of the place below home that holds the schema that is named, or NULL */
    const char *slug; /* "" or "-backend": tells workflows of one repository apart */
    const char *name; /* of the project, for images and jobs */
    const HistoryLayout *layout;         /* of the first folder of migrations; NULL = not known */
    bool package_says_schema;            /* "prisma" in package.json names it */
    bool github_deploys, vercel_deploys; /* to production */
    Err *err;
} Init;

/* What people edit after us is not ours any more. */
typedef enum Ownership {
    OWN_EDIT, /* an edit of a text that is the user's: it is shown and made */
    OWN_FILE, /* a file of ours: --force replaces it */
    OWN_YAML, /* never replaced */
} Ownership;

/* ---- tools (init_files.c) ------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) Finding *init_find(Init *s, FindingId id, const char *fmt,
                                                         ...);
const char *init_in_home(const Init *s, const char *name);
const char *init_in_root(const Init *s, const char *name);

/* Letters, digits and single dashes: "My App!" -> "my-app". */
const char *init_slug(Arena *a, const char *text);
/* In double quotes, as JSON and YAML read it. */
const char *init_quoted(const Init *s, const char *text);

MUST_CHECK bool init_read_file(Init *s, const char *path, bool *ret_there, Str *ret);
/* Decide about a file that is to have this text; `mode` of a new one. */
MUST_CHECK bool init_add_file(Init *s, const char *path, Str text, unsigned mode, Ownership own,
                              const char *why);

/* "aramid.yaml", or the name that is there. */
const char *init_settings_name(const Init *s);
/* The folder that holds both schema and migrations and nothing else of the project; NULL = none. */
const char *init_common_folder(const Init *s);
/* Whether a command line changes the database that DATABASE_URL names. */
bool init_runs_migrations(Str line);

/* Part of every profile: no name that means different things. */
bool init_is_prisma_name(const ProjectScript *script);
/* The text of a script, or the JSON that stands in its place; NULL = none. */
const char *init_script_today(Init *s, const ProjectJson *scripts, Str text, const char *name);
/* The profile whose meanings are those of package.json's scripts; NULL = they say too little. */
const ProjectProfile *init_nearest_profile(Init *s, const ProjectJson *scripts, Str text);

/* Tell of workflows of the project's own that deploy already. */
void init_warn_of_workflows(Init *s);

/* ---- parts, in the order in which they are asked --------------------------------------------- */

MUST_CHECK bool init_place(Init *s);    /* which folder */
MUST_CHECK bool init_paths(Init *s);    /* schema and migrations */
MUST_CHECK bool init_groups(Init *s);   /* what is set up */
MUST_CHECK bool init_branches(Init *s); /* which branch is which environment */
MUST_CHECK bool init_deployer(Init *s); /* GitHub or Vercel */
MUST_CHECK bool init_package(Init *s);
MUST_CHECK bool init_github(Init *s);
MUST_CHECK bool init_vercel(Init *s);
MUST_CHECK bool init_docker(Init *s);
MUST_CHECK bool init_k8s(Init *s);
void init_needs(Init *s); /* what has to be set, by the files above */
