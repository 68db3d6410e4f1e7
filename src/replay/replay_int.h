/* What the files of this room share; no other room includes it. */
#pragma once

#include "plan/plan.h"
#include "replay/replay.h"

/* A replay under way. */
typedef struct Work {
    Arena *arena; /* of the result */
    const ReplayOptions *options;
    Db *db;
    bool is_private; /* a throwaway cluster: stubs may be made */
    Replay *ret;
} Work;

/* ---- run.c --------------------------------------------------------------------------------- */

/* Run one script. errors: as replay_scripts. */
MUST_CHECK bool
replay_run(Work *w, const ReplayScript *script, Err *err);

/* ---- stub.c -------------------------------------------------------------------------------- */

/* Make what statement number `failed` of the script did not find. True: try again; the text of the
 * script may have changed, statements kept their places. */
bool
stub_missing(Work *w, MigrationPlan *mp, size_t failed, const DbOutcome *o);
