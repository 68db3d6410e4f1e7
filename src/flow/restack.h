/* aramid restack: migrations of a branch get a place behind those that arrived earlier. */
#pragma once

#include "flow/flow.h"

typedef struct RestackInput {
    FlowInput base;
    const char *ref; /* of git, that has what arrived earlier; NULL = the main branch */
    bool only_looks;
} RestackInput;

typedef struct RestackMove {
    const Migration *of;
    const char *from, *to;           /* names of migrations */
    const char *from_path, *to_path; /* of the file or folder that is renamed */
} RestackMove;

typedef struct RestackResult {
    History history;
    const char *ref;        /* that was looked at; NULL = none */
    const char *database;   /* whose history was looked at; NULL = none */
    const char *newest;     /* that arrived; NULL = none did */
    VEC(RestackMove) moves; /* in order; none where all is well */
} RestackResult;

/* Beside the statuses of errors, with only_looks: some come too early. As `status` has it. */
enum { RESTACK_EXIT_EARLY = STATUS_OUT_OF_ORDER };

/* Find the migrations that neither `ref` nor the database has, and give all of them later names, in their
 * order, where one comes before another one's that arrived; of several histories in the one order of all.
 * Directives "after" among them follow. The newest is renamed first, so that an interrupted
 * call leaves them in their order, and the same call again ends it.
 * errors: ERR_USAGE: a layout has no such names; ERR_CONFIG: no such ref; those of flow_history; ERR_IO */
MUST_CHECK bool flow_restack(Arena *a, const RestackInput *in, RestackResult *ret, Err *err);
