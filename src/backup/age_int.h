/* Between the files of age's format: how keys are written, and what is computed with them. */
#pragma once

#include "backup/age.h"
#include "backup/crypto.h"

enum { AGE_TAG = 16, AGE_NONCE = 12, AGE_SALT = 16 };

typedef struct AgeBytes {
    const unsigned char *p;
    size_t n;
} AgeBytes;

/* Read 32 bytes behind the human-readable part `hrp`; all letters are of one case. */
bool age_bech32_read(Str s, const char *hrp, unsigned char out[AGE_KEY]);
void age_base64_add(Buf *b, const unsigned char *p, size_t n);
bool age_base64_read(Str s, unsigned char *out, size_t n); /* exactly `n` bytes */

/* false with what to say when libcrypto does not do what it can */
bool age_failed(Err *err);

/* HKDF-SHA-256 (RFC 5869), 32 bytes. */
bool age_hkdf(const CryptoApi *c, AgeBytes secret, AgeBytes salt, const char *info,
              unsigned char out[AGE_KEY]);

/* ChaCha20-Poly1305 of one piece: the tag is behind the encrypted bytes. `to` may be `from`. */
bool age_seal(const CryptoApi *c, bool encrypts, const unsigned char key[AGE_KEY],
              const unsigned char nonce[AGE_NONCE], AgeBytes from, unsigned char *to);

/* X25519: the public key of a secret one. */
bool age_public_of(const CryptoApi *c, const unsigned char secret[AGE_KEY],
                   unsigned char out[AGE_KEY]);

/* The key that wraps the file's key for one recipient. Fails for a public key that leads to zero, as
 * the format demands. */
bool age_wrap_key(const CryptoApi *c, const unsigned char secret[AGE_KEY],
                  const unsigned char peer[AGE_KEY], const unsigned char share[AGE_KEY],
                  const unsigned char recipient[AGE_KEY], unsigned char out[AGE_KEY]);

/* The nonce of a chunk: its number, and whether it is the last. */
void age_chunk_nonce(uint64_t number, bool last, unsigned char nonce[AGE_NONCE]);
bool age_header_mac(const CryptoApi *c, const unsigned char file_key[BACKUP_FILE_KEY], Str header,
                    unsigned char mac[AGE_KEY]);
