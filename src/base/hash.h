/* SHA-256, and SHA-1 where another tool has it (OpenSSL's libcrypto, linked statically so that it costs no start-up time). */
#pragma once

#include "base/str.h"

typedef struct HashState HashState;

/* Lower-case hex digest (64 characters and NUL) of one text. */
char *hash_sha256_hex(Arena *a, Str text);

char *hash_sha1_hex(Arena *a, Str text); /* 40 characters and NUL */

/* HMAC-SHA-256 (RFC 2104) as hex. */
char *hash_hmac_hex(Arena *a, Str key, Str text);

/* The same over several pieces: begin, add..., end. The state lives in the arena. */
HashState *hash_sha256_begin(Arena *a);
void hash_sha256_add(HashState *h, Str text);
void hash_sha256_raw(HashState *h, unsigned char digest[32]);
char *hash_sha256_end(Arena *a, HashState *h); /* as hex */
