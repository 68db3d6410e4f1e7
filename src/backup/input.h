/* A backup's file as one stream of plain SQL, whatever its form: plain, compressed (.zst), encrypted
 * (.age), or of pg_dump's custom format (through pg_restore). The form is told by the first bytes,
 * not by the name.
 *
 *     BackupInput *in;
 *     if (!backup_input_open(a, &options, &in, &err)) ...
 *     for (Str piece;;) {
 *         if (!backup_input_next(in, &piece, &err)) ...
 *         if (!piece.n) break;
 *     }
 *     backup_input_sha256(in); backup_input_close(in);
 *
 * The file is read once, from front to end: what was read is what the digest is of. A file that is
 * cut off or damaged where its form shows that is an error; a plain one is judged by DumpTotals.whole
 * and by the manifest. */
#pragma once

#include "base/trace.h"
#include "backup/manifest.h"

typedef struct BackupInput BackupInput;

enum { BACKUP_FILE_KEY = 16 };

typedef struct BackupInputOptions {
    const char *path;
    const char *identity; /* file with age's secret keys ("AGE-SECRET-KEY-1..."), or NULL */
    const unsigned char *file_key; /* instead: the key that the writer of this file kept, or NULL */
    const char *bindir;            /* folder of pg_restore; NULL = searched for, when needed */
    int64_t timeout_ms;            /* 0 = none */
    bool (*tick)(void *arg, int64_t elapsed_ms); /* false ends it (ERR_INTERRUPTED); may be NULL */
    void *tick_arg;
    Trace *trace; /* may be NULL */
} BackupInputOptions;

/* Open it. `options` must live as long as the input; memory and buffers come from the arena.
 * errors: ERR_IO; ERR_BACKUP_BROKEN (its form); ERR_CONFIG (encrypted, and no key fits);
 * ERR_NO_DUMP (custom format, and no pg_restore). */
MUST_CHECK bool backup_input_open(Arena *a, const BackupInputOptions *options, BackupInput **ret,
                                  Err *err);

/* The next bytes, which live until the next call; empty = the end, and all of the file was read.
 * errors: ERR_IO, ERR_BACKUP_BROKEN, ERR_TIMEOUT, ERR_INTERRUPTED. */
MUST_CHECK bool backup_input_next(BackupInput *in, Str *ret, Err *err);

bool backup_input_is_encrypted(const BackupInput *in);
BackupFormat backup_input_format(const BackupInput *in);

/* Bytes of the file: all, and those that were read so far. */
int64_t backup_input_size(const BackupInput *in);
int64_t backup_input_position(const BackupInput *in);

/* Hex digest of the file; only after its end was reached. */
const char *backup_input_sha256(BackupInput *in);

void backup_input_close(BackupInput *in); /* NULL is fine */
