/* What the files of a backup are called: made and recognised here. Internal to backup/. */
#pragma once

#include "base/err.h"
#include "base/str.h"

typedef enum BackupPart { BACKUP_DATA, BACKUP_SCHEMA, BACKUP_MANIFEST, BACKUP_PARTS } BackupPart;

#define BACKUP_MANIFEST_SUFFIX ".json"

typedef struct BackupStems {
    const char *id;
    const char *of[BACKUP_PARTS]; /* names without their suffixes */
} BackupStems;

/* Names that no file has yet: two backups in a second, or a minute with a pattern, get a number.
 * pattern  --name, or NULL
 * errors   ERR_USAGE (the pattern), ERR_BACKUP */
MUST_CHECK bool backup_name_choose(Arena *a, const char *pattern, const char *dir, int64_t wall_us,
                                   BackupStems *ret, Err *err);

/* Whether a file is called as such a part of a backup that nobody named. */
bool backup_name_is(BackupPart part, Str file);
