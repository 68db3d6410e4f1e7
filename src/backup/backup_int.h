/* Shared by the files of this room only. */
#pragma once

#include "backup/backup.h"

#include "backup/output.h"

/* What is asked of the server before a dump. */
typedef struct BackupFacts {
    const char *server; /* "15.20" */
    int server_number;
    const char *host, *database, *user;
    const char *system_identifier, *wal_position;
    const char *encoding; /* of the database */
    const char *options;  /* " -c name=value" for what pg_dump would print otherwise than we read */
    int64_t tables, bytes; /* estimates, for progress */
} BackupFacts;

/* Connect, ask, look whether all rows can be read, disconnect.
 * errors: ERR_DENIED with the grant; those of db_open and db_query */
MUST_CHECK bool backup_facts(Arena *a, const BackupRequest *r, BackupFacts *ret, Err *err);

/* A connection of a backup's own. */
MUST_CHECK bool backup_connect(Arena *a, const BackupRequest *r, const char *application,
                               bool in_haste, Db **ret, Err *err);

/* Run pg_dump; its output goes to `out`, through `reader` where that is not NULL (plain SQL). When
 * it fails or is stopped, its session is ended on the server, too. */
MUST_CHECK bool backup_pg_dump(Arena *a, const BackupRequest *r, const BackupFacts *facts,
                               const char *program, BackupFormat format, BackupOutput *out,
                               DumpReader *reader, Err *err);

/* Aramid's own dump, over a connection of its own, in the same way. */
MUST_CHECK bool backup_native(Arena *a, const BackupRequest *r, const BackupFacts *facts,
                              BackupOutput *out, DumpReader *reader, Err *err);

/* Run the user's command; *ret_id is what it printed. */
MUST_CHECK bool backup_command(Arena *a, const BackupRequest *r, const BackupFacts *facts,
                               const char *id, const char **ret_id, Err *err);

/* A manifest's text: what backup_manifest_read makes of a file; path for errors. */
MUST_CHECK bool backup_manifest_parse(Arena *a, const char *path, Str text, BackupManifest *ret,
                                      Err *err);
