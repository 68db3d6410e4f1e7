/* Encryption to public keys: the age v1 file format with X25519 recipients
 * (https://age-encryption.org/v1), as streams. Files are read and written by the program `age`, too.
 *
 * OpenSSL's libcrypto is loaded when a key is first used. Internal to backup/. */
#pragma once

#include "backup/input.h"

#define AGE_MAGIC "age-encryption.org/v1\n"
enum { AGE_CHUNK = 65536, AGE_KEY = 32 };

typedef struct AgeWriter AgeWriter;

/* Where the encrypted bytes go; they live until it returns. */
typedef struct AgeOut {
    bool (*put)(void *arg, Str bytes, Err *err);
    void *arg;
} AgeOut;

/* Check a public key ("age1..."), without loading anything. errors: ERR_CONFIG */
MUST_CHECK bool age_check_recipient(const char *recipient, Err *err);

/* Begin a file that each of the recipients can read: the header goes to the sink at once. The file's
 * key is put into `file_key`, so that who wrote it can read it back; wipe it afterwards.
 * errors: ERR_CONFIG (a key; no libcrypto); those of the sink */
MUST_CHECK bool age_writer_make(Arena *a, const char *const *recipients, size_t n, AgeOut out,
                                unsigned char file_key[BACKUP_FILE_KEY], AgeWriter **ret, Err *err);
MUST_CHECK bool age_write(AgeWriter *w, Str bytes, Err *err);
MUST_CHECK bool age_write_end(AgeWriter *w, Err *err);
void age_writer_free(AgeWriter *w); /* wipes the keys; NULL is fine */

typedef struct AgeReader AgeReader;

/* Where encrypted bytes come from; empty = the end. */
typedef bool (*AgeSource)(void *arg, Str *ret, Err *err);

/* Read the header. The key is `file_key`, or the first of the file `identity` that fits.
 * errors: ERR_CONFIG (no key, none fits), ERR_IO (identity), ERR_BACKUP_BROKEN, those of source */
MUST_CHECK bool age_reader_make(Arena *a, const char *identity, const unsigned char *file_key,
                                AgeSource source, void *arg, AgeReader **ret, Err *err);

/* The next bytes, at most AGE_CHUNK, authenticated; empty = the end.
 * errors: ERR_BACKUP_BROKEN (damaged, cut off), those of source */
MUST_CHECK bool age_read(AgeReader *r, Str *ret, Err *err);
void age_reader_free(AgeReader *r); /* wipes the keys; NULL is fine */
