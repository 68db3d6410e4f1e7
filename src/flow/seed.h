/* aramid seed: first rows, from SQL files and from the project's own command. */
#pragma once

#include "flow/scripts.h"

/* Tell seeds of the Supabase CLI whose text is another one than its table says. Only reads; nothing where the
 * project has none. errors: those of db_query, ERR_IO */
MUST_CHECK bool flow_seed_find_changed(Arena *a, const Config *c, Session *s, FindingList *ret,
                                       Err *err);

/* A text that changes with what a seed would run: files with their texts, the command, and files that it names. What these
 * read themselves is not known. NULL: nothing. errors: those of reading the files */
MUST_CHECK bool flow_seed_sum(Arena *a, const Config *c, const char **ret, Err *err);
/* The project's files, for who runs them elsewhere; none where there are none. errors: those of flow_seed about them */
MUST_CHECK bool flow_seed_files(Arena *a, const Config *c, MigrationVec *ret, Err *err);

typedef struct SeedInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool show_progress;
    bool again;                   /* files that were run with this text before, too */
    bool only_plan;               /* find out and tell; nothing is changed */
    bool accepts_loss;            /* of rows and values that the files drop */
    const char *reason;           /* why there is to be no backup, or NULL */
    const char *const *arguments; /* more for the command */
    size_t argument_count;
    /* As in ScriptsInput. */
    void (*on_plan)(void *arg, const ScriptsResult *r);
    bool (*ask)(void *arg, const ScriptsResult *r, Err *err);
    /* Told before the command begins; then what it says, without passwords of the configuration. */
    void (*on_command)(void *arg, const char *line);
    void (*on_output)(void *arg, Str line);
    void *arg;
} SeedInput;

typedef struct SeedResult {
    ScriptsResult scripts; /* the files, in their order */
    const char *command;   /* as it is configured, with the arguments; NULL = none is */
    const char *origin;    /* where */
    const char *folder;    /* in which it is run */
    bool has_run;          /* the command */
    int status;            /* its exit status, 128 + signal */
    int64_t ms;            /* of it */
} SeedResult;

/* Run the files that were not run with this text yet, each in one transaction together with its row in
 * aramid.scripts; then the command, in the project's folder, without a shell, with the database's URL in
 * DATABASE_URL and in the variables that the project's files name. Nothing where the project has neither.
 * errors: ERR_SEED: the command failed or cannot be run; ERR_REFUSED: production was not named; those of
 * flow_scripts. On false the result tells how far it came. */
MUST_CHECK bool flow_seed(Arena *a, const SeedInput *in, SeedResult *ret, Err *err);
