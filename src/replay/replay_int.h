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
 * script may be another one now (owned by `script`), statements kept their places. */
bool
stub_missing(Work *w, Arena *script, MigrationPlan *mp, size_t failed, const DbOutcome *o);

/* ---- stand_in.c ---------------------------------------------------------------------------- */

/* Statements that make what stands in for a platform's schema or an extension's objects; NULL = we
 * have none. */
const char *
stand_in_schema(Str name);
const char *
stand_in_extension(Str name);
