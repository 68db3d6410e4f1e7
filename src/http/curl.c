#include "http/curl.h"

#include "base/library.h"

/* Debian has two builds of one interface, which differ in their TLS library. */
bool
curl_load(CurlApi *ret, Err *err)
{
    static const LibrarySymbol symbols[] = {
#define X(name) LIBRARY_SYMBOL(CurlApi, name),
        CURL_FUNCTIONS(X)
#undef X
    };
    static const Library curl = {{"libcurl.so.4", "libcurl-gnutls.so.4"},
                                 "the library for HTTP,",
                                 "libcurl4",
                                 symbols,
                                 COUNT(symbols)};
    return library_load(&curl, ret, err);
}
