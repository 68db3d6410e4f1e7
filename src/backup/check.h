/* Reading backups back: that a file is whole, what is in it, and that it is what its manifest says.*/
#pragma once

#include "backup/input.h"

typedef struct BackupContents {
    BackupTableVec tables; /* in the order of the dump */
    DumpTotals totals;
    const char *sha256; /* of the file */
    int64_t bytes;      /* of the file */
    int64_t ms;
} BackupContents;

/* Told several times a second; may be NULL. */
typedef struct BackupProgress {
    bool reads_back;          /* else it is being written */
    int64_t bytes, all_bytes; /* all: 0 = not known; while writing an estimate */
    int64_t tables, all_tables;
} BackupProgress;
typedef void (*BackupTell)(void *arg, const BackupProgress *p);

/* Read all of a file. errors: those of input.h; ERR_BACKUP_BROKEN when it is not whole */
MUST_CHECK bool backup_read_back(Arena *a, const BackupInputOptions *options, BackupTell tell,
                                 void *tell_arg, BackupContents *ret, Err *err);

/* Only the bytes of a file, without looking into it. */
MUST_CHECK bool backup_read_bytes(Arena *a, const BackupInputOptions *options, BackupFile *ret,
                                  Err *err);

/* Whether what was read is what the manifest says. errors: ERR_BACKUP_BROKEN, with every table that
 * differs */
MUST_CHECK bool backup_compare(const BackupManifest *m, const BackupContents *c, Err *err);
