/* Internal to aramid rollback: what is asked for, what is proven, what is done. */
#pragma once

#include "flow/backup.h"
#include "flow/guard.h"
#include "flow/look.h"
#include "flow/rollback.h"

typedef struct Rolling {
    const RollbackInput *in;
    RollbackResult *ret;
    FlowGuard guard;
    BackupPolicy backup;
    VEC(const Migration *) chosen; /* oldest first; of one that failed what of it has run */
    ReplayScripts before;          /* what stays applied */
    const Entry *failed;           /* the one that did not end, and goes; or NULL */
    CatTexts invalid; /* statements for the indexes that it left, which no replay makes */
    VEC(RunUndo) undos;
    Look looked;
    bool is_prepared;
} Rolling;

/* rollback_choose.c: fill `chosen` and `before` from a history that was read.
 * errors: ERR_NO_WAY_BACK, ERR_DIVERGED, ERR_NO_SUCH_MIGRATION, ERR_NOT_APPLIED, ERR_HISTORY_FAILED */
MUST_CHECK bool rollback_choose(Arena *a, Rolling *r, Err *err);

/* Whether those that were chosen are of a history that can be rolled back, are as they were applied, and are the
 * newest. errors: ERR_NO_WAY_BACK, ERR_DIVERGED */
MUST_CHECK bool rollback_check(const Rolling *r, Err *err);

/* rollback_failed.c: the same of the migration that did not end, with `failed`, `invalid` and `looked`: how far
 * it came is found by comparing the database with replays of its beginnings.
 * errors: ERR_NOT_FAILED, ERR_NO_WAY_BACK, those of flow_drift_of */
MUST_CHECK bool rollback_choose_failed(Arena *a, Rolling *r, const Session *s,
                                       const JournalVec *journal, Err *err);

/* rollback_prove.c: find the ways back, try them on a private server, and count what goes with them.
 * errors: ERR_NO_WAY_BACK, those of flow_ways */
MUST_CHECK bool rollback_prove(Arena *a, Rolling *r, const Session *s, Err *err);
/* Whether nothing differs afterwards but what differed before. errors: ERR_VERIFY; what ends the run */
MUST_CHECK bool rollback_look_after(void *rolling, const Session *s, Err *err);
