/* Backups as use cases: made under the migration lock, listed, verified, pruned; and the one before
 * a deploy. */
#pragma once

#include "backup/backup.h"
#include "flow/flow.h"

typedef struct BackupMake {
    FlowInput base;
    RunSink sink;
    const char *name; /* pattern of --name, or NULL */
} BackupMake;

typedef struct BackupMade {
    const Config *config;
    Target target;
    BackupSet set;
    BackupSetVec pruned;
    const FindingList *findings; /* of the input's sink; or NULL */
} BackupMade;

/* Make one now: waits for a run that is under way, so that nothing changes beneath it, then removes
 * what is too old. errors: those of flow_target, session_open, lock_and_read, backup_create */
MUST_CHECK bool flow_backup(Arena *a, const BackupMake *in, BackupMade *ret, Err *err);

/* One that was looked at. */
typedef struct BackupLook {
    BackupSet set;
    bool ok;
    bool deep; /* the dump was read, not only its bytes: false for encrypted ones without a key */
    Err why;   /* unless ok */
} BackupLook;

typedef struct BackupLooks {
    const char *dir;
    VEC(BackupLook) looks;
} BackupLooks;

typedef struct BackupVerify {
    FlowInput base;
    RunSink sink;
    const char *name; /* NULL = the newest */
    bool all;
} BackupVerify;

/* Read them back, against their manifests. That one is broken is no error here: its look tells.
 * errors: ERR_BACKUP (no such one), ERR_IO, ERR_INTERRUPTED, ERR_CONFIG (a key) */
MUST_CHECK bool flow_backup_verify(Arena *a, const BackupVerify *in, BackupLooks *ret, Err *err);

typedef struct BackupPrune {
    FlowInput base;
    int64_t days;
    bool dry_run; /* only say what would go */
} BackupPrune;

typedef struct BackupPruned {
    const char *dir;
    int64_t days;
    size_t kept;
    BackupSetVec removed; /* or that would be */
    bool dry_run;
} BackupPruned;

/* Remove what is older than `days`. errors: ERR_IO, ERR_INTERRUPTED */
MUST_CHECK bool flow_backup_prune(Arena *a, const BackupPrune *in, BackupPruned *ret, Err *err);

/* ---- before a deploy ------------------------------------------------------------------------ */

/* What a deploy does about backups. */
typedef struct BackupPolicy {
    bool makes;             /* else none */
    bool each;              /* before every migration, not once */
    const char *reason;     /* of --reason, or NULL */
    const char *off_origin; /* what switched it off in production, NULL = nothing did */
} BackupPolicy;

/* Read it from the configuration. errors: ERR_CONFIRM: in production the command line or a variable
 * switched it off and no reason was given */
MUST_CHECK bool flow_backup_policy(const Config *c, const char *reason, BackupPolicy *ret,
                                   Err *err);

/* A backup that is to be made while the locks are held. */
typedef struct BackupJob {
    const FlowInput *in;
    const RunSink *sink;
    const Target *target;
    const Session *session; /* that holds the locks */
    const History *history;
    const char *name;     /* pattern of --name, or NULL */
    const char *run_id;   /* of the deploy that it is for, or NULL */
    const RunReport *run; /* and what that has applied since the history was read */
} BackupJob;

/* Make the one before a deploy. ret_id: of the backup. errors: those of backup_create */
MUST_CHECK bool flow_backup_before(Arena *a, const BackupJob *job, const char **ret_id, Err *err);

/* The one before the history is corrected, by the policy of deploys; there is nothing to keep in a
 * database without tables. reason: of --reason, or NULL. *ret_id stays where none is made. */
MUST_CHECK bool flow_backup_by_policy(Arena *a, const BackupJob *job, const char *reason,
                                      const char **ret_id, Err *err);

/* Wait for dumps of others, up to locks.budget, and say so: DDL would wait for them too, in short
 * attempts. errors: ERR_INTERRUPTED, those of db_query */
MUST_CHECK bool flow_wait_for_dumps(Arena *a, const FlowInput *in, const RunSink *sink, Session *s,
                                    Err *err);
