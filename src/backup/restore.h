/* Restoring: a backup of any form as one stream of plain SQL into an empty database.
 *
 * First the whole backup is read once (restore_survey): what is damaged, or would fail for want of a
 * role or an extension, is known before anything is made. Then it is read again and sent, all in one
 * transaction (restore_run), and before that commits every table is read back and compared with what
 * the backup holds. So there is no half restored database: it is empty, or whole. */
#pragma once

#include "backup/check.h"
#include "base/finding.h"
#include "db/db.h"

typedef VEC(const char *) RestoreTexts;

/* What one table needs of another, both as sql_dump_name has them: a foreign key refers to `to`; rows
 * of a partition are rows of `to`. */
typedef struct RestoreLink {
    const char *from, *to;
    bool is_partition;
} RestoreLink;

/* What a backup holds. */
typedef struct RestoreSurvey {
    BackupFormat format;
    bool is_encrypted, is_native;
    bool is_exact;        /* it is known under which settings its values were printed */
    bool is_neutral;      /* they were ours: no role's and no server's */
    const char *encoding; /* of its rows; NULL = not said */
    int64_t file_bytes;
    const char *sha256;
    const char *server; /* version of the database that was dumped: "15.18"; NULL = not said */
    int major;          /* of it; 0 = not said */
    DumpTotals totals;
    BackupTableVec tables; /* that the dump has rows of, in its order; each once */
    RestoreTexts owners;   /* roles that own something, sorted as all of these */
    RestoreTexts grantees; /* roles of privileges */
    RestoreTexts others;   /* roles of policies */
    RestoreTexts extensions;
    VEC(RestoreLink) links;
} RestoreSurvey;

/* Tables whose rows are wanted, as the survey has their names and in its order. */
typedef struct RestoreChoice {
    RestoreTexts tables;
    RestoreTexts added; /* those of them that foreign keys of the others need */
} RestoreChoice;

/* names    with commas between them, as people write them: orders, "User", app.orders
 * errors   ERR_RESTORE: the backup has no such table, or several; its rows stand under another name */
MUST_CHECK bool restore_choose(Arena *a, const RestoreSurvey *s, const char *names,
                               RestoreChoice *ret, Err *err);

/* The encoding of a server that converts nothing: what comes from one has no other to go to. */
bool restore_is_raw(const RestoreSurvey *s);

/* Read a backup and see what it is.
 *
 * a         owns the result
 * input     as for backup_input_open
 * manifest  of the backup, whose digest and contents it must have; NULL = there is none: then the
 *           file's own signs of an early end count
 * tell      for progress; may be NULL
 * errors    ERR_BACKUP_BROKEN; ERR_RESTORE: what no restore can do (it changes databases or roles, is
 *           for psql only); those of backup_input_open and _next
 * cost      the file is read, and decrypted, decompressed, once; memory below 4 MB */
MUST_CHECK bool restore_survey(Arena *a, const BackupInputOptions *input,
                               const BackupManifest *manifest, BackupTell tell, void *tell_arg,
                               RestoreSurvey *ret, Err *err);

/* What a server lacks of what the backup names. */
typedef struct RestoreLacks {
    RestoreTexts roles;
    RestoreTexts extensions;
} RestoreLacks;

MUST_CHECK bool restore_lacks(Arena *a, Db *db, const RestoreSurvey *s, bool no_owner,
                              bool no_privileges, RestoreLacks *ret, Err *err);

typedef struct RestoreProgress {
    const char *table; /* whose rows come in, are compared, or NULL */
    bool compares;
    size_t number, count;     /* of tables */
    int64_t bytes, all_bytes; /* of the backup's file; 0 while comparing */
} RestoreProgress;

typedef struct RestoreOptions {
    const BackupInputOptions *input;
    bool no_owner, no_privileges;
    const RestoreChoice *only; /* rows of these tables; NULL = all */
    /* With `only`: into tables that are there and empty, instead of an empty database. Rows that a
     * foreign key needs stay as they are where there are some; triggers of users do not fire;
     * sequences of the tables go behind the restored rows, never back. */
    bool into_tables;
    const FindingRules *rules;                             /* may be NULL */
    void (*progress)(void *arg, const RestoreProgress *p); /* may be NULL */
    void *progress_arg;
} RestoreOptions;

typedef struct RestoreResult {
    int64_t statements, rows;
    RestoreTexts kept;         /* tables that foreign keys need and that had rows */
    size_t tables;             /* whose rows were restored */
    size_t compared;           /* tables whose rows were read back and are the same */
    RestoreTexts by_count;     /* tables that could only be compared by the number of rows */
    RestoreTexts not_compared; /* tables that this role cannot read back */
    FindingList findings;      /* what was left out or done otherwise */
} RestoreResult;

/* Restore into the database of `db`, which must be empty and outside of a transaction, and compare.
 *
 * survey  of the same file: if it was changed since, nothing is committed
 * errors  ERR_NOT_EMPTY: `into_tables`, and one has rows;
 *         ERR_RESTORE: the server refused a statement (which one, why); rows differ afterwards;
 *         ERR_BACKUP_BROKEN; ERR_CONNECTION_LOST, also where it is not known whether the transaction
 *         was committed; those of the input. Nothing is left then, but for that last case.
 * cost    the backup is read once more, every table twice; memory below 8 MB beside the longest
 *         statement that is not COPY */
MUST_CHECK bool restore_run(Arena *a, Db *db, const RestoreSurvey *survey,
                            const RestoreOptions *options, RestoreResult *ret, Err *err);

/* Whether there is nothing of a user's in a database; *ret_found names something that is there.
 * errors: those of db_query */
MUST_CHECK bool restore_is_empty(Arena *a, Db *db, const char **ret_found, Err *err);
