/* Writing a backup's file: compressed and encrypted as asked, under a temporary name until it is
 * proven, then under its own. What is not published is removed; a killed process leaves only a
 * hidden ".part" file, which backup_sweep removes. Internal to backup/. */
#pragma once

#include "backup/age.h"

typedef struct BackupOutput BackupOutput;

/* Begin a new file, mode 0600.
 * path        its later name; must not be there yet
 * packs       compress (zstd)
 * recipients  age keys; n 0 = not encrypted
 * errors: ERR_IO, ERR_CONFIG (a key) */
MUST_CHECK bool backup_output_open(Arena *a, const char *path, bool packs,
                                   const char *const *recipients, size_t n, BackupOutput **ret,
                                   Err *err);

/* Write on. errors: ERR_IO (a full disk) */
MUST_CHECK bool backup_output_write(BackupOutput *o, Str bytes, Err *err);

/* All was written: the bytes are on the disk (fsync). `ret` gets name, size and digest of what was
 * written; the file still has its temporary name, under which it can be read back. */
MUST_CHECK bool backup_output_end(BackupOutput *o, BackupFile *ret, Err *err);

/* Give it its own name, durably. Never replaces a file. */
MUST_CHECK bool backup_output_publish(BackupOutput *o, Err *err);

const char *backup_output_temporary(const BackupOutput *o);
const unsigned char *backup_output_key(const BackupOutput *o); /* NULL = not encrypted */

/* Removes what was not published; NULL is fine. */
void backup_output_cleanup(BackupOutput **o);
#define BACKUP_OUTPUT_LOCAL __attribute__((cleanup(backup_output_cleanup))) BackupOutput *
