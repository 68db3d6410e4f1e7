/* aramid squash: the migrations up to one become a single one, proven to make the same. */
#pragma once

#include "flow/flow.h"
#include "replay/replay.h"

typedef struct SquashInput {
    FlowInput base;
    const char *to; /* the last one that goes into it; NULL: the newest */
    bool only_looks;
} SquashInput;

typedef struct SquashResult {
    History history;
    size_t count;             /* so many of its files, from the first */
    const char *name, *shown; /* of the new one; its file for people */
    const char *source;       /* and its real path */
    const char *kept;         /* folder to which the old ones went, for people */
    Str text;
    size_t data;               /* statements that change rows and were kept */
    size_t platform;           /* those on what a platform made */
    size_t left_out;           /* and those that leave nothing of what they do */
    int64_t rows;              /* that the old ones leave in a new database */
    VEC(const char *) varying; /* tables whose values are others at each run (now(), random) */
} SquashResult;

/* Replays the old ones, writes what they make as one script, replays that, and compares catalogs, rows and
 * sequences; only then is a file touched: the new migration is written first, the old ones are moved out of the
 * folder one by one.
 *
 * errors  ERR_USAGE (another tool's layout, several histories, fewer than two, one that is a squash itself),
 *         ERR_VERIFY (no script of the statements makes the same: which differs), those of replay_with and ERR_IO */
MUST_CHECK bool flow_squash(Arena *a, const SquashInput *in, SquashResult *ret, Err *err);
