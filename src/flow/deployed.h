/* The code that runs now, by its schema.prisma: can it go on with what the migrations make? */
#pragma once

#include "flow/flow.h"

typedef struct DeployedResult {
    const char *shown; /* whose schema it is, for people: "origin/main:prisma/schema.prisma" */
    FindingList findings;
} DeployedResult;

/* Compare that schema with what all migrations make, on a private server.
 *
 * what        a schema file or folder; or what git knows in the project's repository: a branch, a tag, a commit, whose
 *             schema it is
 * migrations  their folder, as shown to people
 * errors      ERR_USAGE: there is neither; ERR_NO_SCHEMA: the project has no schema.prisma; those of flow_diff */
MUST_CHECK bool flow_deployed(Arena *a, const FlowInput *in, const char *what,
                              const char *migrations, DeployedResult *ret, Err *err);
