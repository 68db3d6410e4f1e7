/* Keys and bytes as words: Bech32 (BIP 173), Base64 without padding (RFC 4648). */
#include "backup/age_int.h"

#include <strings.h>

static uint32_t
bech32_step(uint32_t c, unsigned value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    unsigned top = c >> 25;
    c = (c & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        c ^= top >> i & 1 ? generator[i] : 0;
    return c;
}

static char
lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool
age_bech32_read(Str s, const char *hrp, unsigned char out[AGE_KEY])
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    size_t h = strlen(hrp), n = 0;
    bool has_upper = false, has_lower = false;
    for (size_t i = 0; i < s.n; i++) {
        has_upper |= s.p[i] >= 'A' && s.p[i] <= 'Z';
        has_lower |= s.p[i] >= 'a' && s.p[i] <= 'z';
    }
    if (s.n != h + 1 + 52 + 6 || s.p[h] != '1' || (has_upper && has_lower) ||
        strncasecmp(s.p, hrp, h) != 0)
        return false;
    uint32_t check = 1, bits = 0;
    unsigned acc = 0;
    for (size_t i = 0; i < h; i++)
        check = bech32_step(check, (unsigned)hrp[i] >> 5);
    check = bech32_step(check, 0);
    for (size_t i = 0; i < h; i++)
        check = bech32_step(check, hrp[i] & 31);
    for (size_t i = h + 1; i < s.n; i++) {
        const char *at = strchr(alphabet, lower(s.p[i]));
        if (!at || !*at)
            return false;
        unsigned value = (unsigned)(at - alphabet);
        check = bech32_step(check, value);
        if (i >= s.n - 6)
            continue;
        acc = (acc << 5 | value) & 0xfff;
        bits += 5;
        if (bits >= 8 && n < AGE_KEY) {
            bits -= 8;
            out[n++] = (unsigned char)(acc >> bits);
        }
    }
    return check == 1 && n == AGE_KEY && (acc & ((1U << bits) - 1)) == 0;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
age_base64_add(Buf *b, const unsigned char *p, size_t n)
{
    unsigned acc = 0;
    int bits = 0;
    for (size_t i = 0; i < n; i++) {
        acc = (acc << 8 | p[i]) & 0xffff;
        for (bits += 8; bits >= 6;)
            buf_addc(b, base64[acc >> (bits -= 6) & 63]);
    }
    if (bits)
        buf_addc(b, base64[acc << (6 - bits) & 63]);
}

bool
age_base64_read(Str s, unsigned char *out, size_t n)
{
    unsigned acc = 0;
    int bits = 0;
    size_t done = 0;
    if (s.n != (n * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(base64, s.p[i]) : NULL;
        if (!at)
            return false;
        acc = (acc << 6 | (unsigned)(at - base64)) & 0xffff;
        bits += 6;
        if (bits >= 8)
            out[done++] = (unsigned char)(acc >> (bits -= 8));
    }
    return done == n && (acc & ((1U << bits) - 1)) == 0;
}
