/* SHA-256 at once and piece by piece; SHA-1 where another tool has it. */
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

static char *
as_hex(Arena *a, const unsigned char *digest, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    return out;
}

char *
hash_sha256_end(Arena *a, HashState *h)
{
    unsigned char digest[32];
    SHA256_Final(digest, &h->ctx);
    return as_hex(a, digest, sizeof digest);
}

char *
hash_sha256_hex(Arena *a, Str text)
{
    HashState h;
    SHA256_Init(&h.ctx);
    SHA256_Update(&h.ctx, text.p, text.n);
    return hash_sha256_end(a, &h);
}

char *
hash_sha1_hex(Arena *a, Str text)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA_CTX ctx;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, text.p, text.n);
    SHA1_Final(digest, &ctx);
    return as_hex(a, digest, sizeof digest);
}

/* By hand: OpenSSL's own pulls in the provider machinery, too. */
char *
hash_hmac_hex(Arena *a, Str key, Str text)
{
    enum { BLOCK = 64 };
    unsigned char block[BLOCK] = {0}, pad[BLOCK], digest[32];
    SHA256_CTX c;
    if (key.n > BLOCK) {
        SHA256_Init(&c);
        SHA256_Update(&c, key.p, key.n);
        SHA256_Final(block, &c);
    } else
        memcpy(block, key.p, key.n);
    for (int outer = 0; outer < 2; outer++) {
        for (size_t i = 0; i < BLOCK; i++)
            pad[i] = block[i] ^ (outer ? 0x5c : 0x36);
        SHA256_Init(&c);
        SHA256_Update(&c, pad, BLOCK);
        if (outer)
            SHA256_Update(&c, digest, sizeof digest);
        else
            SHA256_Update(&c, text.p, text.n);
        SHA256_Final(digest, &c);
    }
    return as_hex(a, digest, sizeof digest);
}
