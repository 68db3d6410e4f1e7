/* OpenSSL's libcrypto, loaded when a key is first used: linked statically its ciphers would make the
 * program twice as large. Internal to backup/. */
#pragma once

#include "base/err.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define CRYPTO_FUNCTIONS(X)                                                                        \
    X(EVP_PKEY_new_raw_private_key)                                                                \
    X(EVP_PKEY_new_raw_public_key)                                                                 \
    X(EVP_PKEY_get_raw_public_key)                                                                 \
    X(EVP_PKEY_free)                                                                               \
    X(EVP_PKEY_CTX_new)                                                                            \
    X(EVP_PKEY_CTX_free)                                                                           \
    X(EVP_PKEY_derive_init)                                                                        \
    X(EVP_PKEY_derive_set_peer)                                                                    \
    X(EVP_PKEY_derive)                                                                             \
    X(EVP_CIPHER_CTX_new)                                                                          \
    X(EVP_CIPHER_CTX_free)                                                                         \
    X(EVP_CIPHER_CTX_ctrl)                                                                         \
    X(EVP_CipherInit_ex)                                                                           \
    X(EVP_CipherUpdate)                                                                            \
    X(EVP_CipherFinal_ex)                                                                          \
    X(EVP_chacha20_poly1305)                                                                       \
    X(EVP_sha256)                                                                                  \
    X(HMAC)

typedef struct CryptoApi {
#define X(name) __typeof__(&name) name;
    CRYPTO_FUNCTIONS(X)
#undef X
} CryptoApi;

/* Fill the table; the library stays loaded until the process ends. errors: ERR_CONFIG */
MUST_CHECK bool crypto_load(CryptoApi *ret, Err *err);
