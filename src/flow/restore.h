/* Restore: a backup into a new database, beside the old one or in its place; and the drill. */
#pragma once

#include "backup/restore.h"
#include "backup/set.h"
#include "flow/flow.h"

/* A session of others on the database that would be replaced. */
typedef struct RestoreGuest {
    int pid;
    const char *user, *application, *from, *state;
} RestoreGuest;

typedef struct RestoreReport {
    const Config *config;
    Target target;
    const char *path;               /* of the backup's file */
    const BackupManifest *manifest; /* NULL: it has none */
    RestoreSurvey survey;
    RestoreChoice only; /* tables whose rows are restored; empty = all */
    bool replaces, into, dry_run, is_drill;
    const DbInfo *server;
    const char *database; /* that was, or would be, restored into */
    const char *made;     /* database that this run made and that is there now; NULL = none */
    /* of the database with the target's name */
    bool exists;
    int64_t old_bytes;
    int old_tables;
    const char *old_name; /* what it is called afterwards; NULL = unchanged */
    VEC(RestoreGuest) guests;
    FindingList findings; /* those of `run` with it */
    RestoreResult run;
    bool is_done; /* restored, compared and committed */
    /* the history in the restored database against the project's files */
    bool has_history;
    History history;
    int64_t ms;
} RestoreReport;

typedef struct RestoreInput {
    FlowInput base;
    const char *run_id; /* NULL: a drill */
    RunSink sink;
    const char *backup; /* id, name or path; NULL = the newest */
    const char *name;   /* of the new database; NULL = dated */
    const char *into;   /* URL of an empty database, or NULL */
    const char *only;   /* tables whose rows are wanted, with commas; with `into`: empty ones in a
                           database that is in use. NULL = all */
    bool replace;
    bool force; /* end the sessions of others */
    bool no_owner, no_privileges;
    bool dry_run;
    /* Asked when all is known and nothing was made; false with err (ERR_CONFIRM) stops. */
    bool (*approve)(void *arg, const RestoreReport *r, Err *err);
    void *approve_arg;
} RestoreInput;

/* Restore. Until the restored database is whole, read back and committed, nothing that was there is
 * touched; --replace then exchanges two names in one transaction and keeps the old database.
 *
 * errors  ERR_BACKUP, ERR_BACKUP_BROKEN: the backup; ERR_RESTORE: a role or an extension is missing,
 *         others are connected, the server refused something; ERR_DENIED: no new database may be made;
 *         ERR_CONFIRM; those of flow_target and db_open. ret->made then tells what is left: a whole
 *         copy whose name could not be exchanged, or nothing */
MUST_CHECK bool flow_restore(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err);

/* Restore a backup into a throwaway cluster of the same or a newer major version, where the roles
 * that it names are made first, compare, and throw all away. */
MUST_CHECK bool flow_drill(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err);
