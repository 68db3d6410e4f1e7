/* Running a program of the project. */
#pragma once

#include "flow/flow.h"

typedef struct FlowCommand {
    const FlowInput *in;
    const char *name;        /* for people: "prisma" */
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* ends with NULL */
    const char *folder;
    int64_t timeout_ms; /* 0 = none */
    /* What it says, line by line as it comes, without passwords of the configuration. */
    void (*on_output)(void *arg, Str line);
    void *arg;
} FlowCommand;

/* Run it to its end, with nothing to read. *ret_status: its exit status, or 128 + signal.
 * errors: ERR_TIMEOUT, ERR_INTERRUPTED (it is ended, with what it has started), ERR_IO */
MUST_CHECK bool flow_command(Arena *a, const FlowCommand *c, int *ret_status, Err *err);

/* "PATH=...": the programs of node_modules come first, as in a script of package.json. */
const char *flow_path(Arena *a, const char *folder);

/* "DATABASE_URL=...", "DIRECT_URL=..." and the variables that the project's files name: secrets. */
ConfigList flow_urls(Arena *a, const Config *c, const Target *t);

/* The folder at or above `dir` that has `name`; the search ends at the repository's root. NULL: none has. */
const char *flow_find_up(Arena *a, const char *dir, const char *name);
