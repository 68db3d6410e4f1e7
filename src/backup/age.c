#include "backup/age.h"

#include "backup/crypto.h"

#include "base/fs.h"
#include "base/os.h"

#include <strings.h>

enum { TAG = 16, NONCE = 12, SALT = 16, COLUMNS = 64, HEADER_MAX = 64 * 1024 };

static const char hrp_public[] = "age", hrp_secret[] = "age-secret-key-";

/* ---- words: Bech32 (BIP 173) and Base64 without padding (RFC 4648) ----------------------------
 */

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

/* Read 32 bytes behind the human-readable part; all letters are of one case. */
static bool
bech32_read(Str s, const char *hrp, unsigned char out[AGE_KEY])
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

static void
base64_add(Buf *b, const unsigned char *p, size_t n)
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

/* Exactly `n` bytes. */
static bool
base64_read(Str s, unsigned char *out, size_t n)
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

/* ---- primitives ----------------------------------------------------------------------------- */

typedef struct Bytes {
    const unsigned char *p;
    size_t n;
} Bytes;

static bool
failed(Err *err)
{
    return err_set(err, ERR_INTERNAL, "libcrypto refused an operation of an encrypted backup");
}

static bool
hmac(const CryptoApi *c, Bytes key, Bytes text, unsigned char out[AGE_KEY])
{
    static const unsigned char none[1];
    unsigned n = AGE_KEY;
    return c->HMAC(c->EVP_sha256(), key.n ? key.p : none, (int)key.n, text.p, text.n, out, &n) !=
           NULL;
}

/* HKDF-SHA-256 (RFC 5869), 32 bytes. */
static bool
hkdf(const CryptoApi *c, Bytes secret, Bytes salt, const char *info, unsigned char out[AGE_KEY])
{
    unsigned char prk[AGE_KEY], text[64];
    size_t n = strlen(info);
    memcpy(text, info, n);
    text[n] = 1;
    bool ok =
        hmac(c, salt, secret, prk) && hmac(c, (Bytes){prk, AGE_KEY}, (Bytes){text, n + 1}, out);
    explicit_bzero(prk, sizeof prk);
    return ok;
}

/* ChaCha20-Poly1305 of one piece: the tag is behind the encrypted bytes. `to` may be `from`. */
static bool
seal(const CryptoApi *c, bool encrypts, const unsigned char key[AGE_KEY],
     const unsigned char nonce[NONCE], Bytes from, unsigned char *to)
{
    EVP_CIPHER_CTX *x = c->EVP_CIPHER_CTX_new();
    size_t n = encrypts ? from.n : from.n - TAG;
    int done = 0, rest = 0;
    unsigned char tag[TAG];
    if (!encrypts)
        memcpy(tag, from.p + n, TAG);
    bool ok = x &&
              c->EVP_CipherInit_ex(x, c->EVP_chacha20_poly1305(), NULL, key, nonce, encrypts) &&
              (encrypts || c->EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, TAG, tag)) &&
              c->EVP_CipherUpdate(x, to, &done, from.p, (int)n) &&
              c->EVP_CipherFinal_ex(x, to + done, &rest) &&
              (!encrypts || c->EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, TAG, to + n));
    c->EVP_CIPHER_CTX_free(x);
    return ok;
}

/* X25519: the public key of a secret one, and what both sides can compute. Fails for a public key
 * that leads to zero, as the format demands. */
static bool
public_of(const CryptoApi *c, const unsigned char secret[AGE_KEY], unsigned char out[AGE_KEY])
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

/* The key that wraps the file's key for one recipient. */
static bool
wrap_key(const CryptoApi *c, const unsigned char secret[AGE_KEY], const unsigned char peer[AGE_KEY],
         const unsigned char share[AGE_KEY], const unsigned char recipient[AGE_KEY],
         unsigned char out[AGE_KEY])
{
    unsigned char shared[AGE_KEY], salt[2 * AGE_KEY];
    memcpy(salt, share, AGE_KEY);
    memcpy(salt + AGE_KEY, recipient, AGE_KEY);
    bool ok = shared_of(c, secret, peer, shared) &&
              hkdf(c, (Bytes){shared, AGE_KEY}, (Bytes){salt, sizeof salt},
                   "age-encryption.org/v1/X25519", out);
    explicit_bzero(shared, sizeof shared);
    return ok;
}

/* The nonce of a chunk: its number, and whether it is the last. */
static void
chunk_nonce(uint64_t number, bool last, unsigned char nonce[NONCE])
{
    memset(nonce, 0, NONCE);
    for (int i = 0; i < 8; i++)
        nonce[10 - i] = (unsigned char)(number >> (8 * i));
    nonce[11] = last;
}

static bool
header_mac(const CryptoApi *c, const unsigned char file_key[BACKUP_FILE_KEY], Str header,
           unsigned char mac[AGE_KEY])
{
    unsigned char key[AGE_KEY];
    bool ok =
        hkdf(c, (Bytes){file_key, BACKUP_FILE_KEY}, (Bytes){0}, "header", key) &&
        hmac(c, (Bytes){key, AGE_KEY}, (Bytes){(const unsigned char *)header.p, header.n}, mac);
    explicit_bzero(key, sizeof key);
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------- */

struct AgeWriter {
    CryptoApi crypto;
    AgeSink sink;
    void *arg;
    unsigned char key[AGE_KEY];
    uint64_t number;
    size_t n;
    unsigned char chunk[AGE_CHUNK], sealed[AGE_CHUNK + TAG];
};

bool
age_check_recipient(const char *recipient, Err *err)
{
    unsigned char key[AGE_KEY];
    if (bech32_read(str_of(recipient), hrp_public, key))
        return true;
    err_set(err, ERR_CONFIG, "\"%.80s\" is no public key of age",
            strncasecmp(recipient, hrp_secret, strlen(hrp_secret)) == 0 ? "AGE-SECRET-KEY-..."
                                                                        : recipient);
    return err_hint(err, "backup.encrypt_to wants keys such as age1ql3z...; make a pair with: "
                         "age-keygen -o key.txt");
}

static bool
add_stanza(const CryptoApi *c, Buf *header, const char *recipient,
           const unsigned char file_key[BACKUP_FILE_KEY], Err *err)
{
    static const unsigned char nonce[NONCE];
    unsigned char peer[AGE_KEY], secret[AGE_KEY], share[AGE_KEY], key[AGE_KEY],
        body[BACKUP_FILE_KEY + TAG];
    if (!age_check_recipient(recipient, err) || !bech32_read(str_of(recipient), hrp_public, peer))
        return false;
    os_random(secret, sizeof secret);
    bool ok = public_of(c, secret, share) && wrap_key(c, secret, peer, share, peer, key) &&
              seal(c, true, key, nonce, (Bytes){file_key, BACKUP_FILE_KEY}, body);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(key, sizeof key);
    if (!ok) {
        err_set(err, ERR_CONFIG, "the public key \"%s\" cannot be used", recipient);
        return false;
    }
    buf_addz(header, "-> X25519 ");
    base64_add(header, share, AGE_KEY);
    buf_addc(header, '\n');
    base64_add(header, body, sizeof body); /* 43 characters: shorter than a full line */
    buf_addc(header, '\n');
    return true;
}

bool
age_writer_make(Arena *a, const char *const *recipients, size_t n, AgeSink sink, void *arg,
                unsigned char file_key[BACKUP_FILE_KEY], AgeWriter **ret, Err *err)
{
    AgeWriter *w = arena_new(a, AgeWriter);
    w->sink = sink;
    w->arg = arg;
    if (!crypto_load(&w->crypto, err))
        return false;
    os_random(file_key, BACKUP_FILE_KEY);
    Buf header;
    buf_init(&header, a);
    buf_addz(&header, AGE_MAGIC);
    for (size_t i = 0; i < n; i++)
        if (!add_stanza(&w->crypto, &header, recipients[i], file_key, err))
            return false;
    buf_addz(&header, "---");
    unsigned char mac[AGE_KEY], nonce[SALT];
    os_random(nonce, sizeof nonce);
    if (!header_mac(&w->crypto, file_key, buf_str(&header), mac) ||
        !hkdf(&w->crypto, (Bytes){file_key, BACKUP_FILE_KEY}, (Bytes){nonce, SALT}, "payload",
              w->key))
        return failed(err);
    buf_addc(&header, ' ');
    base64_add(&header, mac, AGE_KEY);
    buf_addc(&header, '\n');
    buf_add(&header, (Str){(const char *)nonce, SALT});
    *ret = w;
    return sink(arg, buf_str(&header), err);
}

static bool
write_chunk(AgeWriter *w, bool last, Err *err)
{
    unsigned char nonce[NONCE];
    chunk_nonce(w->number++, last, nonce);
    if (!seal(&w->crypto, true, w->key, nonce, (Bytes){w->chunk, w->n}, w->sealed))
        return failed(err);
    Str sealed = {(const char *)w->sealed, w->n + TAG};
    w->n = 0;
    return w->sink(w->arg, sealed, err);
}

bool
age_write(AgeWriter *w, Str bytes, Err *err)
{
    while (bytes.n) {
        if (w->n == AGE_CHUNK && !write_chunk(w, false, err)) /* more follows: not the last */
            return false;
        size_t room = AGE_CHUNK - w->n, n = bytes.n < room ? bytes.n : room;
        memcpy(w->chunk + w->n, bytes.p, n);
        w->n += n;
        bytes = str_slice(bytes, n, bytes.n);
    }
    return true;
}

bool
age_write_end(AgeWriter *w, Err *err)
{
    return write_chunk(w, true, err);
}

void
age_writer_free(AgeWriter *w)
{
    if (w)
        explicit_bzero(w, sizeof *w);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct AgeReader {
    Arena *arena;
    CryptoApi crypto;
    AgeSource source;
    void *arg;
    unsigned char file_key[BACKUP_FILE_KEY], key[AGE_KEY];
    uint64_t number;
    bool ended;
    Str rest; /* of the source's last piece */
    bool dry; /* the source has no more */
    size_t n;
    unsigned char sealed[AGE_CHUNK + TAG + 1]; /* one more tells whether a chunk is the last */
    unsigned char chunk[AGE_CHUNK];
};

static bool
damaged(const char *why, Err *err)
{
    return err_set(err, ERR_BACKUP_BROKEN, "the encrypted file is damaged: %s", why);
}

/* Make r->rest hold something, or the source is dry. */
static bool
refill(AgeReader *r, Err *err)
{
    while (!r->rest.n && !r->dry) {
        if (!r->source(r->arg, &r->rest, err))
            return false;
        r->dry = !r->rest.n;
    }
    return true;
}

static bool
read_line(AgeReader *r, Buf *header, Str *ret, Err *err)
{
    size_t from = header->n;
    for (;;) {
        if (!refill(r, err))
            return false;
        if (r->dry || header->n > HEADER_MAX)
            return damaged("its header does not end", err);
        const char *nl = memchr(r->rest.p, '\n', r->rest.n);
        size_t n = nl ? (size_t)(nl - r->rest.p) + 1 : r->rest.n;
        buf_add(header, str_slice(r->rest, 0, n));
        r->rest = str_slice(r->rest, n, r->rest.n);
        if (nl)
            break;
    }
    *ret = str_slice(buf_str(header), from, header->n - 1);
    return true;
}

typedef struct Identity {
    unsigned char secret[AGE_KEY], public[AGE_KEY];
} Identity;
typedef VEC(Identity) IdentityVec;

static bool
read_identities(AgeReader *r, const char *path, IdentityVec *list, Err *err)
{
    Str text;
    if (!fs_read(r->arena, path, HEADER_MAX, &text, err))
        return false;
    for (Str rest = text; rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (!line.n || line.p[0] == '#')
            continue;
        Identity *id = vec_add(r->arena, list);
        if (!bech32_read(line, hrp_secret, id->secret) ||
            !public_of(&r->crypto, id->secret, id->public)) {
            err_set(err, ERR_CONFIG, "\"%s\" is no file of age's secret keys", path);
            err_at(err, path, 0, 0);
            return err_hint(err, "it holds lines AGE-SECRET-KEY-1..., as age-keygen writes them; "
                                 "keys of other kinds are for the program age");
        }
    }
    union {
        const char *in;
        char *out;
    } wiped = {text.p};
    explicit_bzero(wiped.out, text.n);
    return true;
}

/* Try a stanza's key with all identities. */
static bool
unwrap(AgeReader *r, const IdentityVec *list, const unsigned char share[AGE_KEY],
       const unsigned char body[BACKUP_FILE_KEY + TAG])
{
    static const unsigned char nonce[NONCE];
    bool found = false;
    for (size_t i = 0; i < list->n && !found; i++) {
        unsigned char key[AGE_KEY];
        const Identity *id = &list->v[i];
        found =
            wrap_key(&r->crypto, id->secret, share, share, id->public, key) &&
            seal(&r->crypto, false, key, nonce, (Bytes){body, BACKUP_FILE_KEY + TAG}, r->file_key);
        explicit_bzero(key, sizeof key);
    }
    return found;
}

/* Read the stanzas up to the line of the MAC, which is left in *ret; its key is in r->file_key when
 * *ret_found. */
static bool
read_stanzas(AgeReader *r, const IdentityVec *list, Buf *header, Str *ret, bool *ret_found,
             Err *err)
{
    Str line, x25519 = STR("-> X25519 "), end = STR("--- ");
    if (!read_line(r, header, &line, err))
        return false;
    while (str_starts(line, STR("-> "))) {
        unsigned char share[AGE_KEY], body[BACKUP_FILE_KEY + TAG];
        bool ours = str_starts(line, x25519) &&
                    base64_read(str_slice(line, x25519.n, line.n), share, AGE_KEY);
        size_t lines = 0;
        do {
            if (!read_line(r, header, &line, err))
                return false;
            ours = ours && (lines++ > 0 || base64_read(line, body, sizeof body));
        } while (line.n == COLUMNS); /* a shorter line ends a stanza */
        if (ours && !*ret_found)
            *ret_found = unwrap(r, list, share, body);
        if (!read_line(r, header, &line, err))
            return false;
    }
    *ret = line;
    return str_starts(line, end) || damaged("its header is none of age's", err);
}

static bool
read_header(AgeReader *r, const char *identity, const unsigned char *file_key, Err *err)
{
    IdentityVec list = {0};
    if (identity && !file_key && !read_identities(r, identity, &list, err))
        return false;
    Buf header;
    buf_init(&header, r->arena);
    Str line;
    bool found = file_key != NULL;
    if (file_key)
        memcpy(r->file_key, file_key, BACKUP_FILE_KEY);
    bool ok =
        read_line(r, &header, &line, err) && read_stanzas(r, &list, &header, &line, &found, err);
    if (list.n)
        explicit_bzero(list.v, list.n * sizeof *list.v);
    if (!ok)
        return false;
    if (!found) {
        err_set(err, ERR_CONFIG,
                identity ? "none of the keys can open this encrypted backup"
                         : "this backup is encrypted, and no key was given");
        return err_hint(err, "name the file of the secret key: --identity key.txt, or the setting "
                             "backup.identity (ARAMID_BACKUP_IDENTITY)");
    }
    unsigned char mac[AGE_KEY], said[AGE_KEY];
    size_t covered = header.n - 1 - line.n + 3; /* up to and with "---" */
    if (!header_mac(&r->crypto, r->file_key, str_slice(buf_str(&header), 0, covered), mac))
        return failed(err);
    if (!base64_read(str_slice(line, 4, line.n), said, AGE_KEY) || memcmp(mac, said, AGE_KEY) != 0)
        return damaged("its header was changed", err);
    return true;
}

/* Collect up to `size` bytes in r->sealed. */
static bool
gather(AgeReader *r, size_t size, Err *err)
{
    while (r->n < size) {
        if (!refill(r, err))
            return false;
        if (r->dry)
            return true;
        size_t room = size - r->n, n = r->rest.n < room ? r->rest.n : room;
        memcpy(r->sealed + r->n, r->rest.p, n);
        r->n += n;
        r->rest = str_slice(r->rest, n, r->rest.n);
    }
    return true;
}

bool
age_reader_make(Arena *a, const char *identity, const unsigned char *file_key, AgeSource source,
                void *arg, AgeReader **ret, Err *err)
{
    AgeReader *r = arena_new(a, AgeReader);
    r->arena = a;
    r->source = source;
    r->arg = arg;
    if (!crypto_load(&r->crypto, err) || !read_header(r, identity, file_key, err) ||
        !gather(r, SALT, err))
        return false;
    if (r->n < SALT)
        return damaged("it is cut off", err);
    if (!hkdf(&r->crypto, (Bytes){r->file_key, BACKUP_FILE_KEY}, (Bytes){r->sealed, SALT},
              "payload", r->key))
        return failed(err);
    r->n = 0;
    *ret = r;
    return true;
}

bool
age_read(AgeReader *r, Str *ret, Err *err)
{
    *ret = STR("");
    if (r->ended)
        return true;
    if (!gather(r, sizeof r->sealed, err))
        return false;
    bool last = r->n <= AGE_CHUNK + TAG;
    size_t n = last ? r->n : AGE_CHUNK + TAG;
    unsigned char nonce[NONCE];
    chunk_nonce(r->number, last, nonce);
    if (n < TAG || (n == TAG && r->number > 0)) /* an empty chunk is only ever the first */
        return damaged("it is cut off", err);
    if (!seal(&r->crypto, false, r->key, nonce, (Bytes){r->sealed, n}, r->chunk))
        return damaged(last ? "it is cut off, or its end was changed" : "its contents were changed",
                       err);
    r->number++;
    r->ended = last;
    r->n -= n;
    r->sealed[0] = r->sealed[n];
    *ret = (Str){(const char *)r->chunk, n - TAG};
    return true;
}

void
age_reader_free(AgeReader *r)
{
    if (r)
        explicit_bzero(r, sizeof *r);
}
