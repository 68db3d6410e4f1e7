/* Running the project's own generator: Prisma's, or drizzle-kit's. */
#pragma once

#include "flow/flow.h"

typedef enum GenerateTool { GENERATE_NONE, GENERATE_PRISMA, GENERATE_DRIZZLE } GenerateTool;

const char *generate_tool_name(GenerateTool tool); /* "prisma", "drizzle-kit"; NULL for none */

typedef struct GenerateInput {
    FlowInput base;
    GenerateTool tool;            /* GENERATE_NONE: what the project has */
    const char *folder;           /* where it is run; NULL = where the nearest package.json is */
    const char *const *arguments; /* more for the tool */
    size_t argument_count;
    const char *again; /* what to type when it is corrected; NULL = aramid generate */
    /* What it says, line by line as it comes, without passwords of the configuration. */
    void (*on_output)(void *arg, Str line);
    void *arg;
    bool is_colored; /* ask it for colours */
} GenerateInput;

typedef struct GenerateResult {
    GenerateTool tool;      /* GENERATE_NONE: the project has nothing to generate with */
    const char *folder;     /* where it is run */
    VEC(const char *) argv; /* ends with NULL */
    int status;             /* its exit status, 128 + signal */
    int64_t ms;
} GenerateResult;

/* Find the tool and how it is run, and run nothing. node_modules/.bin is looked for from the folder
 * of the schema upwards, as Node does; with Plug'n'Play, yarn runs it.
 * errors: ERR_TOOL: it is not installed, with the command that does it */
MUST_CHECK bool flow_generate_find(Arena *a, const GenerateInput *in, GenerateResult *ret,
                                   Err *err);

/* Find it and run it, then hooks.post_generate. It gets the process's environment and the variables of the .env files, but
 * none of Aramid's own (ARAMID_..., MIGRATION_...). errors: those of flow_generate_find, also when
 * there is nothing to generate with; ERR_GENERATE: it failed; ERR_TIMEOUT after timeouts.generate;
 * ERR_INTERRUPTED */
MUST_CHECK bool flow_generate(Arena *a, const GenerateInput *in, GenerateResult *ret, Err *err);
