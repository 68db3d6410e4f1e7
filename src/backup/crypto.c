#include "backup/crypto.h"

#include "base/library.h"

bool
crypto_load(CryptoApi *ret, Err *err)
{
    static const LibrarySymbol symbols[] = {
#define X(name) LIBRARY_SYMBOL(CryptoApi, name),
        CRYPTO_FUNCTIONS(X)
#undef X
    };
    static const Library crypto = {{"libcrypto.so.3"},
                                   "encrypted backups need OpenSSL, whose",
                                   "libssl3",
                                   symbols,
                                   COUNT(symbols)};
    return library_load(&crypto, ret, err);
}
