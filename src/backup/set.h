/* The backups in a folder: a set is a manifest with the files that it names. */
#pragma once

#include "base/finding.h"
#include "backup/check.h"

typedef struct BackupSet {
    const char *path;        /* of the manifest */
    const char *id;          /* of the manifest, or its file's name when it cannot be read */
    const char *broken;      /* why it is none (manifest, a missing file, a wrong size), or NULL */
    BackupManifest manifest; /* empty when it cannot be read */
    int64_t bytes;           /* of its files */
} BackupSet;
typedef VEC(BackupSet) BackupSetVec;

typedef struct BackupFolder {
    const char *dir;
    BackupSetVec sets;    /* newest first */
    FindingList findings; /* files that look like a backup's but have no manifest; not judged yet */
} BackupFolder;

/* What is in a folder; one that is not there is empty. Sizes are looked at, contents not.
 * errors: ERR_IO */
MUST_CHECK bool backup_folder_read(Arena *a, const char *dir, BackupFolder *ret, Err *err);

/* The set that `name` means: an id, a file's name or a path. NULL name = the newest one that is not
 * broken. errors: ERR_BACKUP (no such one; those that are there are named) */
MUST_CHECK bool backup_find(Arena *a, const char *dir, const char *name, BackupSet *ret, Err *err);

/* Path of a set's file. */
const char *backup_path(Arena *a, const BackupSet *set, const BackupFile *file);

/* Read everything back, against SHA-256, row counts and checksums of the manifest. An encrypted dump
 * without a key is only compared by its bytes (*ret_deep false).
 * options  identity, bindir, tick; the path is the set's
 * errors   ERR_BACKUP_BROKEN, those of restore_survey */
MUST_CHECK bool backup_verify(Arena *a, const BackupSet *set, const BackupInputOptions *options,
                              BackupTell tell, void *tell_arg, bool *ret_deep, Err *err);

/* What time it is, by two clocks. */
typedef struct BackupClock {
    int64_t now_us;    /* by the server's clock, or ours where there is no server to ask */
    int64_t offset_us; /* server's clock minus ours */
} BackupClock;

typedef struct BackupAge {
    BackupClock clock;
    int64_t days;
    const char *fresh; /* id of one that is known to be good, or NULL */
} BackupAge;

/* Choose what is older than that many days: never the newest good one of an environment's database,
 * which is read to be sure. Sets that are broken stay, but for
 * those whose dump is gone.
 * errors  ERR_CLOCK: the two clocks, or a clock and a backup, are more than a day apart, so that no
 *         age can be told; those of backup_verify that are not about a backup */
MUST_CHECK bool backup_choose_old(Arena *a, const BackupFolder *f, const BackupAge *age,
                                  const BackupInputOptions *options, BackupSetVec *ret, Err *err);

/* Whether both are of the same database in the same environment. */
bool backup_same_database(const BackupSet *a, const BackupSet *b);

/* Remove a set: its files, the manifest last. errors: ERR_IO */
MUST_CHECK bool backup_remove(Arena *a, const BackupSet *set, Err *err);

/* Remove hidden parts of files that killed processes left in the folder. */
void backup_sweep(Arena *a, const char *dir);

/* Make the folder (0700) with a .gitignore inside. When it is new and lies in the project, ignore it
 * there too: in .gitignore where there is one or a repository, in .dockerignore where there is one or
 * a Dockerfile.
 * ret_ignored  what was changed there, shown path, or NULL
 * errors: ERR_IO */
typedef VEC(const char *) BackupNames;
MUST_CHECK bool backup_folder_make(Arena *a, const char *dir, const char *project,
                                   BackupNames *ret_ignored, Err *err);
