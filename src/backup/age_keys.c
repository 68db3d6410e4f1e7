/* What the format makes of libcrypto's HMAC, X25519 and ChaCha20-Poly1305. */
#include "backup/age_int.h"

bool
age_failed(Err *err)
{
    return err_set(err, ERR_INTERNAL, "libcrypto refused an operation of an encrypted backup");
}

static bool
hmac(const CryptoApi *c, AgeBytes key, AgeBytes text, unsigned char out[AGE_KEY])
{
    static const unsigned char none[1];
    unsigned n = AGE_KEY;
    return c->HMAC(c->EVP_sha256(), key.n ? key.p : none, (int)key.n, text.p, text.n, out, &n) !=
           NULL;
}

bool
age_hkdf(const CryptoApi *c, AgeBytes secret, AgeBytes salt, const char *info,
         unsigned char out[AGE_KEY])
{
    unsigned char prk[AGE_KEY], text[64];
    size_t n = strlen(info);
    memcpy(text, info, n);
    text[n] = 1;
    bool ok = hmac(c, salt, secret, prk) &&
              hmac(c, (AgeBytes){prk, AGE_KEY}, (AgeBytes){text, n + 1}, out);
    explicit_bzero(prk, sizeof prk);
    return ok;
}

bool
age_seal(const CryptoApi *c, bool encrypts, const unsigned char key[AGE_KEY],
         const unsigned char nonce[AGE_NONCE], AgeBytes from, unsigned char *to)
{
    EVP_CIPHER_CTX *x = c->EVP_CIPHER_CTX_new();
    size_t n = encrypts ? from.n : from.n - AGE_TAG;
    int done = 0, rest = 0;
    unsigned char tag[AGE_TAG];
    if (!encrypts)
        memcpy(tag, from.p + n, AGE_TAG);
    bool ok = x &&
              c->EVP_CipherInit_ex(x, c->EVP_chacha20_poly1305(), NULL, key, nonce, encrypts) &&
              (encrypts || c->EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, AGE_TAG, tag)) &&
              c->EVP_CipherUpdate(x, to, &done, from.p, (int)n) &&
              c->EVP_CipherFinal_ex(x, to + done, &rest) &&
              (!encrypts || c->EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, AGE_TAG, to + n));
    c->EVP_CIPHER_CTX_free(x);
    return ok;
}

bool
age_public_of(const CryptoApi *c, const unsigned char secret[AGE_KEY], unsigned char out[AGE_KEY])
{
    size_t n = AGE_KEY;
    EVP_PKEY *k = c->EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AGE_KEY);
    bool ok = k && c->EVP_PKEY_get_raw_public_key(k, out, &n);
    c->EVP_PKEY_free(k);
    return ok;
}

static bool
shared_of(const CryptoApi *c, const unsigned char secret[AGE_KEY],
          const unsigned char public[AGE_KEY], unsigned char out[AGE_KEY])
{
    size_t n = AGE_KEY;
    EVP_PKEY *k = c->EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AGE_KEY),
             *peer = c->EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, AGE_KEY);
    EVP_PKEY_CTX *x = k && peer ? c->EVP_PKEY_CTX_new(k, NULL) : NULL;
    bool ok = x && c->EVP_PKEY_derive_init(x) > 0 && c->EVP_PKEY_derive_set_peer(x, peer) > 0 &&
              c->EVP_PKEY_derive(x, out, &n) > 0;
    c->EVP_PKEY_CTX_free(x);
    c->EVP_PKEY_free(k);
    c->EVP_PKEY_free(peer);
    return ok;
}

bool
age_wrap_key(const CryptoApi *c, const unsigned char secret[AGE_KEY],
             const unsigned char peer[AGE_KEY], const unsigned char share[AGE_KEY],
             const unsigned char recipient[AGE_KEY], unsigned char out[AGE_KEY])
{
    unsigned char shared[AGE_KEY], salt[2 * AGE_KEY];
    memcpy(salt, share, AGE_KEY);
    memcpy(salt + AGE_KEY, recipient, AGE_KEY);
    bool ok = shared_of(c, secret, peer, shared) &&
              age_hkdf(c, (AgeBytes){shared, AGE_KEY}, (AgeBytes){salt, sizeof salt},
                       "age-encryption.org/v1/X25519", out);
    explicit_bzero(shared, sizeof shared);
    return ok;
}

void
age_chunk_nonce(uint64_t number, bool last, unsigned char nonce[AGE_NONCE])
{
    memset(nonce, 0, AGE_NONCE);
    for (int i = 0; i < 8; i++)
        nonce[10 - i] = (unsigned char)(number >> (8 * i));
    nonce[11] = last;
}

bool
age_header_mac(const CryptoApi *c, const unsigned char file_key[BACKUP_FILE_KEY], Str header,
               unsigned char mac[AGE_KEY])
{
    unsigned char key[AGE_KEY];
    bool ok = age_hkdf(c, (AgeBytes){file_key, BACKUP_FILE_KEY}, (AgeBytes){0}, "header", key) &&
              hmac(c, (AgeBytes){key, AGE_KEY},
                   (AgeBytes){(const unsigned char *)header.p, header.n}, mac);
    explicit_bzero(key, sizeof key);
    return ok;
}
