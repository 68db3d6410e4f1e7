/* Internal to restore*.c and drill.c: one restore. */
#pragma once

#include "flow/database.h"

typedef struct Restore {
    Arena *arena;
    const RestoreInput *in;
    RestoreReport *ret;
    Err *err;
    BackupInputOptions input;
    Db *admin, *db;
    DatabaseFacts facts;
    Session old; /* on the database that is replaced: it holds the migration locks */
    int64_t old_writes;
    int64_t told_ms;
} Restore;

/* ---- the target (restore_target.c) ----------------------------------------------------------- */

const char *restoring_shown(Arena *a, const char *name);

MUST_CHECK bool restoring_target(Restore *r); /* what the command line names */
/* The server for a new database, which gets its name here. */
MUST_CHECK bool restoring_server(Restore *r);
/* --into: the database is there, and must be empty. */
MUST_CHECK bool restoring_database(Restore *r);
MUST_CHECK bool restoring_open(Restore *r, const char *name); /* NULL = the target's own */
MUST_CHECK bool restoring_guests(Restore *r);                 /* sessions of others end it */
MUST_CHECK bool restoring_lacks(Restore *r, Db *db);          /* extensions and roles */
bool restoring_wants(const Restore *r, const char *extension);
void restoring_versions(Restore *r, const DbInfo *info);
MUST_CHECK bool restoring_gate(Restore *r); /* whether it may be done from here */

/* Which backup; what it holds, read as a whole; its rows into r->db, compared (restore.c). */
MUST_CHECK bool restoring_backup(Restore *r);
MUST_CHECK bool restoring_survey(Restore *r);
MUST_CHECK bool restoring_run(Restore *r);
