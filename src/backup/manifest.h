/* The manifest of a backup: what it is of, which files belong to it, and what must be in them.
 *
 * A backup is its manifest: it is written last, so files without one are no backup. It lies beside
 * the files that it names and ends with the SHA-256 of all that stands before, so that a manifest
 * that was edited or cut is noticed (who means to forge one can). Its form: docs/backup.md and
 * docs/schema/backup-manifest.json. */
#pragma once

#include "backup/dump_read.h"

#include "base/vec.h"

typedef enum BackupMethod {
    BACKUP_BY_PG_DUMP,
    BACKUP_BY_NATIVE,  /* Aramid's own dump */
    BACKUP_BY_COMMAND, /* the user's: there is an id instead of a file */
    BACKUP_METHOD_COUNT,
} BackupMethod;

typedef enum BackupFormat {
    BACKUP_SQL,    /* plain SQL */
    BACKUP_ZSTD,   /* the same, compressed */
    BACKUP_CUSTOM, /* pg_dump -Fc, for pg_restore */
    BACKUP_FORMAT_COUNT,
} BackupFormat;

const char *backup_method_name(BackupMethod m); /* "pg_dump", "native", "command" */
const char *backup_format_name(BackupFormat f); /* "sql", "sql.zst", "dump": also the suffix */

/* The value with this name, or the COUNT. */
BackupFormat backup_format_of(Str name);

typedef struct BackupFile {
    const char *name; /* without a folder; NULL = none */
    int64_t bytes;
    const char *sha256; /* of the file as it is on disk; 64 hex digits */
} BackupFile;

typedef struct BackupTable {
    const char *name;    /* as quoted in the dump: public."User" */
    const char *columns; /* as in the dump, "" = none */
    int64_t rows, bytes; /* bytes in COPY's text format */
    DumpSum sum;
} BackupTable;
typedef VEC(BackupTable) BackupTableVec;

typedef struct BackupManifest {
    const char *id;                  /* "20261121T022246Z", or what --name made */
    int64_t started_us, finished_us; /* by the server's clock */
    int64_t order_us;                /* of two backups in a folder the later one has the larger:
                                        started_us, but above those that were there, whatever a
                                        clock said */
    int64_t dump_ms, read_back_ms;
    const char *aramid; /* version that made it */
    const char *tool;   /* "pg_dump (PostgreSQL) 15.20", the command, "aramid 0.1.0" */
    BackupMethod method;
    BackupFormat format;
    const char *command_id; /* what the user's command printed; NULL unless by command */
    const char *environment;

    const char *host, *database, *user;
    const char *server;            /* "15.20" */
    int server_number;             /* 150020 */
    const char *system_identifier; /* "" = the role may not see it */
    const char *wal_position;      /* "0/1A2B3C", before the dump; "" = not to be had */

    const char *reason;    /* "deploy" or "asked for" */
    const char *run_id;    /* of the deploy, or NULL */
    const char *migration; /* the newest applied one, NULL = none or no history */
    int64_t applied;       /* migrations that were applied */

    bool is_neutral; /* values are printed as no setting of a role or server would have them */
    VEC(const char *) recipients; /* age keys; none = not encrypted */
    BackupFile data, schema;
    int64_t plain_bytes; /* as plain SQL */
    BackupTableVec tables;
    int64_t large_objects;
    DumpSum large_sum;
} BackupManifest;

/* Sum of all tables. */
int64_t backup_rows(const BackupManifest *m);

/* A name as a manifest has it, which is UTF-8: bytes of no encoding as "\xE4". */
const char *backup_name_text(Arena *a, const char *name);

/* As JSON, in the arena. */
Str backup_manifest_text(Arena *a, const BackupManifest *m);

/* Read one. Names of files are plain names, numbers are in range, everything needed is there.
 * errors  ERR_BACKUP_BROKEN: edited, cut, no manifest, of a newer Aramid, ERR_IO */
MUST_CHECK bool backup_manifest_read(Arena *a, const char *path, BackupManifest *ret, Err *err);
