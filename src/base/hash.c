/* SHA-256 at once and piece by piece. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the EVP interface would pull in the provider machinery */
#include "base/hash.h"

#include <openssl/sha.h>

struct HashState {
    SHA256_CTX ctx;
};

HashState *
hash_sha256_begin(Arena *a)
{
    HashState *h = arena_new(a, HashState);
    SHA256_Init(&h->ctx);
    return h;
}

void
hash_sha256_add(HashState *h, Str text)
{
    SHA256_Update(&h->ctx, text.p, text.n);
}

void
hash_sha256_raw(HashState *h, unsigned char digest[32])
{
    SHA256_Final(digest, &h->ctx);
}

char *
hash_sha256_end(Arena *a, HashState *h)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[32];
    SHA256_Final(digest, &h->ctx);
    char *out = arena_alloc(a, 65);
    for (int i = 0; i < 32; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    return out;
}

char *
hash_sha256_hex(Arena *a, Str text)
{
    HashState h;
    SHA256_Init(&h.ctx);
    SHA256_Update(&h.ctx, text.p, text.n);
    return hash_sha256_end(a, &h);
}
