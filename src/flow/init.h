/* Setting up a project: which files get which text. Nothing is written before flow_init_write. */
#pragma once

#include "base/finding.h"
#include "db/db.h"
#include "project/project.h"

typedef enum InitGroup {
    INIT_NPM,
    INIT_GITHUB,
    INIT_VERCEL,
    INIT_DOCKER,
    INIT_K8S,
    INIT_GROUP_COUNT,
} InitGroup;

const char *flow_init_group_name(InitGroup group); /* "npm", as --only takes it */

typedef enum InitAction {
    INIT_CREATE,
    INIT_CHANGE,
    INIT_SAME,
    INIT_KEEP, /* it is there with another text, and stays as it is */
} InitAction;

typedef struct InitFile {
    const char *path;  /* absolute */
    const char *shown; /* below the folder where the command was started */
    const char *why;
    InitAction action;
    bool was_there;
    Str before, after; /* INIT_KEEP: `after` is what would have been written */
    unsigned mode;     /* of a new file */
} InitFile;

typedef enum InitScriptState {
    INIT_SCRIPT_ADDED,
    INIT_SCRIPT_SAME,
    INIT_SCRIPT_REPLACED,
    INIT_SCRIPT_KEPT,     /* it is there and does something else */
    INIT_SCRIPT_LEFT_OUT, /* this version of Aramid cannot do it */
} InitScriptState;

typedef struct InitScript {
    const char *name, *line;
    const char *today; /* what stands there, NULL = nothing */
    InitScriptState state;
    const char *command; /* INIT_SCRIPT_LEFT_OUT: the command that is missing, or NULL: */
    const char *lacks;   /* what the project does not have for it */
} InitScript;

typedef struct InitToday {
    const char *name, *line;
} InitToday;

/* What a person sets elsewhere before a file works. */
typedef struct InitNeed {
    const char *where; /* "GitHub: Settings, ..." */
    const char *kind;  /* secret, variable, image or install */
    const char *name, *why;
} InitNeed;

typedef struct InitInput {
    const char *start_dir;
    const char *schema, *migrations, *config_path; /* --schema, ...; or NULL */
    const char *profile;           /* --profile; NULL = what package.json has already */
    bool groups[INIT_GROUP_COUNT]; /* --only */
    bool chosen;                   /* --only was given; else what the project uses */
    const ProjectBranch *branches; /* --branch; none = those that are there */
    size_t branch_count;
    bool force;  /* replace scripts and files of ours that say something else */
    bool beside; /* write what is kept under another name */
    bool (*has_command)(const void *arg, const char *name); /* of this version of Aramid */
    const void *arg;
    DbTick tick;
} InitInput;

typedef struct InitResult {
    Project project;
    ProjectPlace place;
    const char *home;                /* absolute: folder of aramid.yaml and the scripts */
    const char *schema, *migrations; /* below `home`, or absolute; NULL = none */
    VEC(const char *) more;          /* as `migrations`: folders with histories of their own */
    const ProjectProfile *profile;   /* NULL = not known or not needed */
    const ProjectProfile *suggested; /* by what package.json has; or NULL */
    bool deploys;                    /* its migrations are of a layout that Aramid works with */
    bool wants_profile;              /* it must be chosen first: package.json was left alone */
    bool groups[INIT_GROUP_COUNT];
    ProjectBranchVec branches;
    VEC(InitFile) files;
    VEC(InitToday) today;    /* scripts of package.json before */
    VEC(InitScript) scripts; /* of package.json, in the order of the profile */
    VEC(InitNeed) needs;     /* those of one place follow each other */
    FindingList findings;    /* without passwords; places are below `home` or the repository */
    size_t changes;          /* files that are created or changed */
} InitResult;

/* Look at the project and decide what to write.
 * errors: ERR_CONFIG (no schema and no migrations; several of them, all named; Prisma 8 without a migration; a
 * package.json that cannot be changed, with its line; those of config_load), ERR_USAGE (unknown
 * profile), ERR_IO. Texts of `ret` may hold what files of the project hold. */
MUST_CHECK bool flow_init(Arena *a, const InitInput *in, InitResult *ret, Err *err);

/* Write the files: all, or none when one cannot be written. Runs at the same time wait for each
 * other; a file that another one brought to the same text counts as written.
 * errors: ERR_IO (with the file), ERR_INTERRUPTED, ERR_RUNNER_ACTIVE after ten seconds. */
MUST_CHECK bool flow_init_write(Arena *a, const InitInput *in, const InitResult *r, Err *err);
