/* Backups: made, proven to be good, kept for a while (docs/backup.md).
 *
 * A dump is written under a temporary name, brought to the disk, read back whole, and only then
 * given its name; the manifest comes last. Whatever fails before leaves nothing that looks like a
 * backup. Nothing here prints, asks or locks: flow/ does. */
#pragma once

#include "backup/set.h"

#include "db/db.h"

typedef struct BackupRequest {
    const Config *config;
    const DbUrl *url;
    const char *url_origin;
    const char *name; /* pattern of --name, strftime's in UTC ("backup-%Y%m%d-%H%M"), or NULL */
    const char *reason, *run_id; /* for the manifest; run_id may be NULL */
    const char *migration;       /* newest applied one, or NULL */
    int64_t applied;
    int64_t clock_offset_us; /* server's clock minus ours: times are the server's */
    DbTick tick;             /* stops everything; may be NULL */
    void *tick_arg;
    BackupTell tell; /* may be NULL */
    void *tell_arg;
    void (*find)(void *arg, FindingId id, const char *text); /* may be NULL */
    void *find_arg;
} BackupRequest;

/* Make a backup and prove it. The session that asks for it may be open, but must hold no lock on
 * tables; all connections made here are closed again, also on the server.
 * errors  ERR_BACKUP (pg_dump failed, a command failed; what was dumped is not what was read back),
 *         ERR_DENIED (rows that the role cannot read; hint: the grant), ERR_NO_DUMP, ERR_IO (disk),
 *         ERR_CONFIG (a key, the name), ERR_LOCK_BUDGET (a table stays locked), ERR_TIMEOUT,
 *         ERR_INTERRUPTED, those of db_open
 * cost    the dump's time and a third of it again for reading back; below 32 MB of memory */
MUST_CHECK bool backup_create(Arena *a, const BackupRequest *r, BackupSet *ret, Err *err);

/* The schema alone, without owners and privileges, as pg_dump prints it.
 *
 * key     of its \restrict line, where pg_dump has that
 * errors  ERR_NO_DUMP; ERR_BACKUP with pg_dump's words; those of backup_create about connections
 * cost    the dump's time */
MUST_CHECK bool backup_schema_text(Arena *a, const BackupRequest *r, const char *key, Str *ret,
                                   Err *err);

/* Dumps of others in this database: a DDL statement would have to wait for them, and everybody else
 * behind it. */
typedef struct ForeignDump {
    int pid;
    const char *application, *user; /* "" = not visible to the role */
    int64_t seconds;                /* since it began, -1 = not visible */
} ForeignDump;
typedef VEC(ForeignDump) ForeignDumpVec;
MUST_CHECK bool backup_foreign_dumps(Db *db, Arena *a, ForeignDumpVec *ret, Err *err);
