/* A project as its people set it up: what is there (detect), which files get which text (edit,
 * templates), and the names that its people type (profiles). Reads files, writes none. */
#pragma once

#include "base/err.h"
#include "base/finding.h"
#include "base/vec.h"
#include "history/history.h"

/* ---- what is there (detect.c) -------------------------------------------------------------- */

/* Who makes the migrations, in the order in which they are looked for. */
typedef enum ProjectTool {
    PROJECT_NONE,
    PROJECT_PRISMA_NEXT, /* Prisma 8 and later: packages; without `migrations` it has none yet */
    PROJECT_PRISMA,      /* Prisma 2 to 7 */
    PROJECT_DRIZZLE,
    PROJECT_SUPABASE,
    PROJECT_DBMATE,
    PROJECT_NODE_PG_MIGRATE,
    PROJECT_GRAPHILE_MIGRATE,
    PROJECT_SQL, /* a folder of .sql files */
    PROJECT_TOOL_COUNT,
} ProjectTool;

const char *project_tool_name(ProjectTool tool); /* "Prisma", for people */
const char *project_tool_id(ProjectTool tool);   /* "prisma", for programs */
/* Whose a folder is that a layout of history/ recognises. */
ProjectTool project_tool_of(const HistoryLayout *layout);

typedef enum ProjectPlatform {
    PROJECT_GITHUB,
    PROJECT_VERCEL,
    PROJECT_DOCKER,
    PROJECT_K8S,
    PROJECT_PLATFORM_COUNT,
} ProjectPlatform;

const char *project_platform_name(ProjectPlatform platform); /* "github" */

/* A folder with a schema or migrations. */
typedef struct ProjectPlace {
    const char *dir; /* below the folder where the search began; "" = that one */
    ProjectTool tool;
    const char *evidence; /* below `dir`: the file or folder that tells */
    const char *version;  /* of the tool, as package.json asks for it; or NULL */
    bool has_package;     /* it has a package.json */
    const char
        *migrations; /* below `dir`: their folder, there or not; NULL = beside a schema.prisma */
    const char *history_table; /* another one than the tool's own; or NULL */
    const char *unread;        /* the key of drizzle.config.* that a program makes; or NULL */
    const char *unfit;         /* why Aramid cannot deploy these migrations; NULL = it can */
} ProjectPlace;

typedef struct ProjectBranch {
    const char *name, *env;
} ProjectBranch;

typedef VEC(ProjectBranch) ProjectBranchVec;

typedef struct Project {
    const char *start;            /* absolute: where the search began */
    const char *root;             /* absolute: the repository, else `start` */
    bool has_package;             /* `start` has a package.json */
    VEC(ProjectPlace) places;     /* `start` alone when it is one, else those below it, by name */
    const char *manager;          /* npm, pnpm, yarn or bun */
    const char *manager_evidence; /* "pnpm-lock.yaml", "packageManager"; or NULL */
    const char *platforms[PROJECT_PLATFORM_COUNT]; /* what tells; NULL = not used */
    ProjectBranchVec branches; /* that are there, and which environment each is deployed to */
} Project;

/* Look at the folder `start` and, when it holds neither schema nor migrations, below it: at the
 * workspaces of package.json and pnpm-workspace.yaml, and at the folders with usual names (backend,
 * packages/..., apps/...). Nothing is run; files that cannot be read tell nothing.
 * errors: ERR_CONFIG when there is no such folder. cost: some hundred looks at the file system. */
MUST_CHECK bool project_detect(Arena *a, const char *start, Project *ret, Err *err);

/* ---- changes of texts (json.c, edit.c) ----------------------------------------------------- */

typedef enum ProjectJsonKind {
    PROJECT_JSON_NULL,
    PROJECT_JSON_BOOL,
    PROJECT_JSON_NUMBER,
    PROJECT_JSON_TEXT,
    PROJECT_JSON_ARRAY,
    PROJECT_JSON_OBJECT,
} ProjectJsonKind;

typedef struct ProjectJson ProjectJson;

/* A value and where it stands: bytes `from` to `to` of the text. */
struct ProjectJson {
    ProjectJsonKind kind;
    size_t from, to;
    Str text;                        /* PROJECT_JSON_TEXT: decoded */
    Str key;                         /* of a member: decoded */
    size_t key_from, key_to;         /* of a member: with its quotes */
    const ProjectJson *first, *last; /* members or elements */
    const ProjectJson *next;         /* the one beside this */
};

/* Read JSON with the place of everything, strictly as RFC 8259 has it; a byte order mark is skipped.
 * errors: ERR_CONFIG at path:line:column: comments (by name), what is no JSON, a key that an object
 * has twice, more than 200 levels. `ret` points into `text`. */
MUST_CHECK bool project_json_parse(Arena *a, const char *path, Str text, const ProjectJson **ret,
                                   Err *err);

/* The member of an object; NULL when there is none, or `object` is NULL or no object. */
const ProjectJson *project_json_get(const ProjectJson *object, const char *key);

/* The decoded text of a member that is one, else NULL. */
const char *project_json_text(Arena *a, const ProjectJson *object, const char *key);

/* Set the text `value` of a member and change nothing else: indentation, line ends, byte order
 * mark, the order of keys and the end of the file stay. A new member comes last.
 *
 * object   key of the root's member that is meant, made when missing; NULL = the root itself
 * errors   those of project_json_parse; ERR_CONFIG when the root or `object` is no object */
MUST_CHECK bool project_json_set(Arena *a, const Source *file, const char *object, const char *key,
                                 const char *value, Str *ret, Err *err);

/* Add the entries that an ignore file does not have yet, under a heading, with the file's own line
 * ends; returns `text` itself when it has all. */
Str project_ignore(Arena *a, Str text, const char *heading, const char *const *entries);

/* ---- files that are made (templates.c; the texts are in templates/) ------------------------- */

typedef struct ProjectVar {
    const char *name; /* "PROJECT": stands as @PROJECT@ in the template */
    const char *value;
} ProjectVar;

/* A template with its placeholders filled in; each of them must be given (assertion). */
Str project_template(Arena *a, const char *name, const ProjectVar *vars, size_t count);

/* ---- names that people type (profiles.c) ---------------------------------------------------- */

typedef enum ProjectNeed {
    PROJECT_NEEDS_NOTHING,
    PROJECT_NEEDS_HISTORY,   /* migrations that Aramid can deploy */
    PROJECT_NEEDS_SCHEMA,    /* schema.prisma */
    PROJECT_NEEDS_GENERATOR, /* Prisma's or drizzle-kit's */
    PROJECT_NEEDS_TASK,      /* the one that the line names, in aramid.yaml */
} ProjectNeed;

typedef struct ProjectScript {
    const char *name;    /* "db:migrate" */
    const char *line;    /* "aramid deploy" */
    const char *command; /* of Aramid, that it needs: "deploy" */
    ProjectNeed need;    /* of the project, for the command to work */
} ProjectScript;

/* Guides and teams use the same names for different things, so that the meanings of one of them
 * must be chosen (REQUIREMENTS F1). */
typedef struct ProjectProfile {
    const char *name;             /* "deploy": what db:migrate does */
    const char *summary;          /* one line */
    const ProjectScript *scripts; /* ends with name NULL */
} ProjectProfile;

/* The one with this name, or NULL. */
const ProjectProfile *project_profile(const char *name);

/* All of them, ends with NULL. */
const ProjectProfile *const *project_profiles(void);

/* What `name` means in a profile: its line, or NULL. */
const ProjectScript *project_profile_script(const ProjectProfile *profile, const char *name);
