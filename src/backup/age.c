#include "backup/age.h"

#include "backup/age_int.h"

#include "base/fs.h"
#include "base/os.h"

#include <strings.h>

enum { COLUMNS = 64, HEADER_MAX = 64 * 1024 };

static const char hrp_public[] = "age", hrp_secret[] = "age-secret-key-";

/* ---- writing -------------------------------------------------------------------------------- */

struct AgeWriter {
    CryptoApi crypto;
    AgeOut out;
    unsigned char key[AGE_KEY];
    uint64_t number;
    size_t n;
    unsigned char chunk[AGE_CHUNK], sealed[AGE_CHUNK + AGE_TAG];
};

bool
age_check_recipient(const char *recipient, Err *err)
{
    unsigned char key[AGE_KEY];
    if (age_bech32_read(str_of(recipient), hrp_public, key))
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
    static const unsigned char nonce[AGE_NONCE];
    unsigned char peer[AGE_KEY], secret[AGE_KEY], share[AGE_KEY], key[AGE_KEY],
        body[BACKUP_FILE_KEY + AGE_TAG];
    if (!age_check_recipient(recipient, err) ||
        !age_bech32_read(str_of(recipient), hrp_public, peer))
        return false;
    os_random(secret, sizeof secret);
    bool ok = age_public_of(c, secret, share) && age_wrap_key(c, secret, peer, share, peer, key) &&
              age_seal(c, true, key, nonce, (AgeBytes){file_key, BACKUP_FILE_KEY}, body);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(key, sizeof key);
    if (!ok) {
        err_set(err, ERR_CONFIG, "the public key \"%s\" cannot be used", recipient);
        return false;
    }
    buf_addz(header, "-> X25519 ");
    age_base64_add(header, share, AGE_KEY);
    buf_addc(header, '\n');
    age_base64_add(header, body, sizeof body); /* 43 characters: shorter than a full line */
    buf_addc(header, '\n');
    return true;
}

bool
age_writer_make(Arena *a, const char *const *recipients, size_t n, AgeOut out,
                unsigned char file_key[BACKUP_FILE_KEY], AgeWriter **ret, Err *err)
{
    AgeWriter *w = arena_new(a, AgeWriter);
    w->out = out;
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
    unsigned char mac[AGE_KEY], nonce[AGE_SALT];
    os_random(nonce, sizeof nonce);
    if (!age_header_mac(&w->crypto, file_key, buf_str(&header), mac) ||
        !age_hkdf(&w->crypto, (AgeBytes){file_key, BACKUP_FILE_KEY}, (AgeBytes){nonce, AGE_SALT},
                  "payload", w->key))
        return age_failed(err);
    buf_addc(&header, ' ');
    age_base64_add(&header, mac, AGE_KEY);
    buf_addc(&header, '\n');
    buf_add(&header, (Str){(const char *)nonce, AGE_SALT});
    *ret = w;
    return out.put(out.arg, buf_str(&header), err);
}

static bool
write_chunk(AgeWriter *w, bool last, Err *err)
{
    unsigned char nonce[AGE_NONCE];
    age_chunk_nonce(w->number++, last, nonce);
    if (!age_seal(&w->crypto, true, w->key, nonce, (AgeBytes){w->chunk, w->n}, w->sealed))
        return age_failed(err);
    Str sealed = {(const char *)w->sealed, w->n + AGE_TAG};
    w->n = 0;
    return w->out.put(w->out.arg, sealed, err);
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
    unsigned char sealed[AGE_CHUNK + AGE_TAG + 1]; /* one more tells whether a chunk is the last */
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
        if (!age_bech32_read(line, hrp_secret, id->secret) ||
            !age_public_of(&r->crypto, id->secret, id->public)) {
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
       const unsigned char body[BACKUP_FILE_KEY + AGE_TAG])
{
    static const unsigned char nonce[AGE_NONCE];
    bool found = false;
    for (size_t i = 0; i < list->n && !found; i++) {
        unsigned char key[AGE_KEY];
        const Identity *id = &list->v[i];
        found = age_wrap_key(&r->crypto, id->secret, share, share, id->public, key) &&
                age_seal(&r->crypto, false, key, nonce, (AgeBytes){body, BACKUP_FILE_KEY + AGE_TAG},
                         r->file_key);
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
        unsigned char share[AGE_KEY], body[BACKUP_FILE_KEY + AGE_TAG];
        bool ours = str_starts(line, x25519) &&
                    age_base64_read(str_slice(line, x25519.n, line.n), share, AGE_KEY);
        size_t lines = 0;
        do {
            if (!read_line(r, header, &line, err))
                return false;
            ours = ours && (lines++ > 0 || age_base64_read(line, body, sizeof body));
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
    if (!age_header_mac(&r->crypto, r->file_key, str_slice(buf_str(&header), 0, covered), mac))
        return age_failed(err);
    if (!age_base64_read(str_slice(line, 4, line.n), said, AGE_KEY) ||
        memcmp(mac, said, AGE_KEY) != 0)
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
        !gather(r, AGE_SALT, err))
        return false;
    if (r->n < AGE_SALT)
        return damaged("it is cut off", err);
    if (!age_hkdf(&r->crypto, (AgeBytes){r->file_key, BACKUP_FILE_KEY},
                  (AgeBytes){r->sealed, AGE_SALT}, "payload", r->key))
        return age_failed(err);
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
    bool last = r->n <= AGE_CHUNK + AGE_TAG;
    size_t n = last ? r->n : AGE_CHUNK + AGE_TAG;
    unsigned char nonce[AGE_NONCE];
    age_chunk_nonce(r->number, last, nonce);
    if (n < AGE_TAG || (n == AGE_TAG && r->number > 0)) /* an empty chunk is only ever the first */
        return damaged("it is cut off", err);
    if (!age_seal(&r->crypto, false, r->key, nonce, (AgeBytes){r->sealed, n}, r->chunk))
        return damaged(last ? "it is cut off, or its end was changed" : "its contents were changed",
                       err);
    r->number++;
    r->ended = last;
    r->n -= n;
    r->sealed[0] = r->sealed[n];
    *ret = (Str){(const char *)r->chunk, n - AGE_TAG};
    return true;
}

void
age_reader_free(AgeReader *r)
{
    if (r)
        explicit_bzero(r, sizeof *r);
}
