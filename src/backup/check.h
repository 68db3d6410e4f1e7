/* What is in a backup's file, and whether it is what the manifest says. It is read by restore_survey
 * (restore.h): what was read back when it was made is what a restore will read. */
#pragma once

#include "backup/input.h"

#include "base/map.h"

typedef struct BackupContents {
    BackupTableVec tables; /* in the order of the dump, each once */
    DumpTotals totals;
    const char *sha256; /* of the file */
    int64_t bytes;      /* of the file */
} BackupContents;

/* Told several times a second; may be NULL. */
typedef struct BackupProgress {
    bool reads_back;          /* else it is being written */
    int64_t bytes, all_bytes; /* all: 0 = not known; while writing an estimate */
    int64_t tables, all_tables;
} BackupProgress;
typedef void (*BackupTell)(void *arg, const BackupProgress *p);

/* Add rows to the table's entry, or make one. places: name -> number of the entry, from 1 */
void backup_add_table(Arena *a, BackupTableVec *tables, Map *places, const BackupTable *t);

/* Only the bytes of a file, without looking into it. */
MUST_CHECK bool backup_read_bytes(Arena *a, const BackupInputOptions *options, BackupFile *ret,
                                  Err *err);

/* Whether it is the file that a manifest names; and the error where it is not, always false. */
bool backup_same_file(const BackupFile *said, int64_t bytes, const char *sha256);
bool backup_file_changed(const BackupFile *file, Err *err);

/* Whether what was read is what the manifest says. errors: ERR_BACKUP_BROKEN, with every table that
 * differs */
MUST_CHECK bool backup_compare(const BackupManifest *m, const BackupContents *c, Err *err);
