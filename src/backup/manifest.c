#include "backup/backup_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/jr.h"
#include "base/jw.h"

enum { VERSION = 1, HEX = 64, MANIFEST_MAX = 256 * 1024 * 1024 };

/* How a manifest begins, and ends: `SEAL`, the digest of all bytes before it, `SEAL_END`. */
#define HEAD "{\n  \"aramid_backup\": "
#define SEAL ",\n  \"manifest_sha256\": \""
#define SEAL_END "\"\n}\n"

static const char *const methods[BACKUP_METHOD_COUNT] = {"pg_dump", "native", "command"};
static const char *const formats[BACKUP_FORMAT_COUNT] = {"sql", "sql.zst", "dump"};

const char *
backup_method_name(BackupMethod m)
{
    return methods[m];
}

const char *
backup_format_name(BackupFormat f)
{
    return formats[f];
}

/* The value with this name, or the COUNT. */
static BackupMethod
method_of(Str name)
{
    int i = 0;
    while (i < BACKUP_METHOD_COUNT && !str_is(name, methods[i]))
        i++;
    return (BackupMethod)i;
}

BackupFormat
backup_format_of(Str name)
{
    int i = 0;
    while (i < BACKUP_FORMAT_COUNT && !str_is(name, formats[i]))
        i++;
    return (BackupFormat)i;
}

int64_t
backup_rows(const BackupManifest *m)
{
    int64_t n = 0;
    vec_each (const BackupTable, t, &m->tables)
        n += t->rows;
    return n;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void
write_sum(JsonWriter *w, const char *key, DumpSum sum)
{
    char hex[33];
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        hex[15 - i] = digits[sum.high >> (4 * i) & 15];
        hex[31 - i] = digits[sum.low >> (4 * i) & 15];
    }
    jw_str(w, key, (Str){hex, 32});
}

static void
write_file(JsonWriter *w, const char *key, const BackupFile *f)
{
    if (!f->name) {
        jw_null(w, key);
        return;
    }
    jw_object(w, key);
    jw_strz(w, "name", f->name);
    jw_int(w, "bytes", f->bytes);
    jw_strz(w, "sha256", f->sha256);
    jw_end(w);
}

static void
write_time(JsonWriter *w, const char *key, int64_t us)
{
    jw_strz(w, key, clock_iso(w->out.arena, us));
}

const char *
backup_name_text(Arena *a, const char *name)
{
    Str rest = str_of(name);
    size_t bad = str_utf8_invalid_at(rest);
    if (bad == rest.n)
        return name;
    Buf b;
    buf_init(&b, a);
    for (; rest.n; bad = str_utf8_invalid_at(rest)) {
        buf_add(&b, str_slice(rest, 0, bad));
        if (bad < rest.n)
            buf_fmt(&b, "\\x%02X", (unsigned char)rest.p[bad]);
        rest = str_slice(rest, bad < rest.n ? bad + 1 : bad, rest.n);
    }
    return buf_finish(&b).p;
}

Str
backup_manifest_text(Arena *a, const BackupManifest *m)
{
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_int(&w, "aramid_backup", VERSION);
    jw_strz(&w, "id", m->id);
    write_time(&w, "started", m->started_us);
    jw_int(&w, "started_us", m->started_us);
    write_time(&w, "finished", m->finished_us);
    jw_int(&w, "finished_us", m->finished_us);
    jw_int(&w, "order_us", m->order_us);
    jw_int(&w, "dump_ms", m->dump_ms);
    jw_int(&w, "read_back_ms", m->read_back_ms);
    jw_strz(&w, "aramid", m->aramid);
    jw_strz(&w, "tool", m->tool);
    jw_strz(&w, "method", methods[m->method]);
    jw_strz(&w, "format", formats[m->format]);
    jw_strz(&w, "command_id", m->command_id);
    jw_strz(&w, "environment", m->environment);
    jw_object(&w, "server");
    jw_strz(&w, "host", m->host);
    jw_strz(&w, "database", m->database);
    jw_strz(&w, "user", m->user);
    jw_strz(&w, "version", m->server);
    jw_int(&w, "version_number", m->server_number);
    jw_strz(&w, "system_identifier", m->system_identifier);
    jw_strz(&w, "wal_position", m->wal_position);
    jw_end(&w);
    jw_strz(&w, "reason", m->reason);
    jw_strz(&w, "run_id", m->run_id);
    jw_strz(&w, "last_migration", m->migration);
    jw_int(&w, "applied_migrations", m->applied);
    jw_bool(&w, "neutral_values", m->is_neutral);
    jw_array(&w, "encrypted_to");
    vec_each (const char *const, r, &m->recipients)
        jw_strz(&w, NULL, *r);
    jw_end(&w);
    write_file(&w, "data", &m->data);
    write_file(&w, "schema", &m->schema);
    jw_int(&w, "plain_bytes", m->plain_bytes);
    jw_int(&w, "large_objects", m->large_objects);
    write_sum(&w, "large_objects_sum", m->large_sum);
    jw_array(&w, "tables");
    vec_each (const BackupTable, t, &m->tables) {
        jw_object(&w, NULL);
        jw_strz(&w, "name", backup_name_text(a, t->name));
        jw_strz(&w, "columns", backup_name_text(a, t->columns));
        jw_int(&w, "rows", t->rows);
        jw_int(&w, "bytes", t->bytes);
        write_sum(&w, "sum", t->sum);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    Str text = str_trim(buf_str(&w.out)); /* without the last "\n}" */
    text = str_trim(str_slice(text, 0, text.n - 1));
    Buf b;
    buf_init(&b, a);
    buf_add(&b, text);
    const char *hex = hash_sha256_hex(a, text);
    buf_fmt(&b, SEAL "%s" SEAL_END, hex);
    return buf_str(&b);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool
broken(const char *path, const char *why, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_BACKUP_BROKEN, "the manifest \"%s\" cannot be trusted: %s",
            str_printable(a, str_of(fs_basename(path)), false), why);
    return err_at(err, path, 0, 0);
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_hex(Str s, size_t n)
{
    bool ok = s.n == n;
    for (size_t i = 0; ok && i < n; i++)
        ok = hex_digit(s.p[i]) >= 0;
    return ok;
}

/* A name that stays in the folder and is not hidden: prune removes what a manifest names. */
static bool
is_plain_name(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/');
}

static const char *
text_or_null(JsonReader *r)
{
    return jr_null(r) ? NULL : jr_str(r).p;
}

static int64_t
count(JsonReader *r)
{
    int64_t n = jr_int(r);
    r->is_bad |= n < 0;
    return n;
}

static DumpSum
read_sum(JsonReader *r)
{
    DumpSum sum = {0};
    Str hex = jr_str(r);
    if (!is_hex(hex, 32)) {
        r->is_bad = true;
        return sum;
    }
    for (size_t i = 0; i < 16; i++) {
        sum.high = sum.high << 4 | (uint64_t)hex_digit(hex.p[i]);
        sum.low = sum.low << 4 | (uint64_t)hex_digit(hex.p[i + 16]);
    }
    return sum;
}

static void
read_file(JsonReader *r, BackupFile *f)
{
    if (jr_null(r))
        return;
    jr_object(r);
    for (Str key; jr_key(r, &key);) {
        if (str_is(key, "name"))
            f->name = jr_str(r).p;
        else if (str_is(key, "bytes"))
            f->bytes = count(r);
        else if (str_is(key, "sha256"))
            f->sha256 = jr_str(r).p;
        else
            jr_skip(r);
    }
    r->is_bad |=
        !f->name || !is_plain_name(f->name) || !f->sha256 || !is_hex(str_of(f->sha256), HEX);
}

static void
read_server(JsonReader *r, BackupManifest *m)
{
    jr_object(r);
    for (Str key; jr_key(r, &key);) {
        if (str_is(key, "host"))
            m->host = text_or_null(r);
        else if (str_is(key, "database"))
            m->database = text_or_null(r);
        else if (str_is(key, "user"))
            m->user = text_or_null(r);
        else if (str_is(key, "version"))
            m->server = text_or_null(r);
        else if (str_is(key, "version_number"))
            m->server_number = (int)count(r);
        else if (str_is(key, "system_identifier"))
            m->system_identifier = text_or_null(r);
        else if (str_is(key, "wal_position"))
            m->wal_position = text_or_null(r);
        else
            jr_skip(r);
    }
}

static void
read_tables(JsonReader *r, BackupTableVec *list)
{
    for (jr_array(r); jr_item(r);) {
        BackupTable t = {0};
        jr_object(r);
        for (Str key; jr_key(r, &key);) {
            if (str_is(key, "name"))
                t.name = jr_str(r).p;
            else if (str_is(key, "columns"))
                t.columns = jr_str(r).p;
            else if (str_is(key, "rows"))
                t.rows = count(r);
            else if (str_is(key, "bytes"))
                t.bytes = count(r);
            else if (str_is(key, "sum"))
                t.sum = read_sum(r);
            else
                jr_skip(r);
        }
        r->is_bad |= !t.name || !t.columns;
        *vec_add(r->arena, list) = t;
    }
}

static void
read_times(JsonReader *r, Str key, BackupManifest *m)
{
    if (str_is(key, "started_us"))
        m->started_us = jr_int(r);
    else if (str_is(key, "finished_us"))
        m->finished_us = jr_int(r);
    else if (str_is(key, "order_us"))
        m->order_us = jr_int(r);
    else if (str_is(key, "dump_ms"))
        m->dump_ms = count(r);
    else if (str_is(key, "read_back_ms"))
        m->read_back_ms = count(r);
    else
        jr_skip(r);
}

static void
read_origin(JsonReader *r, Str key, BackupManifest *m)
{
    if (str_is(key, "aramid"))
        m->aramid = text_or_null(r);
    else if (str_is(key, "tool"))
        m->tool = text_or_null(r);
    else if (str_is(key, "method"))
        m->method = method_of(jr_str(r));
    else if (str_is(key, "format"))
        m->format = backup_format_of(jr_str(r));
    else if (str_is(key, "command_id"))
        m->command_id = text_or_null(r);
    else if (str_is(key, "environment"))
        m->environment = text_or_null(r);
    else if (str_is(key, "reason"))
        m->reason = text_or_null(r);
    else if (str_is(key, "run_id"))
        m->run_id = text_or_null(r);
    else if (str_is(key, "last_migration"))
        m->migration = text_or_null(r);
    else if (str_is(key, "applied_migrations"))
        m->applied = count(r);
    else
        read_times(r, key, m);
}

static void
read_member(JsonReader *r, Str key, BackupManifest *m)
{
    if (str_is(key, "id"))
        m->id = jr_str(r).p;
    else if (str_is(key, "server"))
        read_server(r, m);
    else if (str_is(key, "neutral_values"))
        m->is_neutral = jr_bool(r);
    else if (str_is(key, "encrypted_to"))
        for (jr_array(r); jr_item(r);)
            *vec_add(r->arena, &m->recipients) = jr_str(r).p;
    else if (str_is(key, "data"))
        read_file(r, &m->data);
    else if (str_is(key, "schema"))
        read_file(r, &m->schema);
    else if (str_is(key, "plain_bytes"))
        m->plain_bytes = count(r);
    else if (str_is(key, "large_objects"))
        m->large_objects = count(r);
    else if (str_is(key, "large_objects_sum"))
        m->large_sum = read_sum(r);
    else if (str_is(key, "tables"))
        read_tables(r, &m->tables);
    else
        read_origin(r, key, m);
}

/* What every manifest says. */
static bool
is_filled(const BackupManifest *m)
{
    return m->id && m->started_us && m->aramid && m->tool && m->environment && m->host &&
           m->database && m->user && m->server && m->system_identifier && m->wal_position &&
           m->reason && m->method < BACKUP_METHOD_COUNT && m->format < BACKUP_FORMAT_COUNT &&
           (m->method == BACKUP_BY_COMMAND ? m->command_id != NULL : m->data.name != NULL);
}

bool
backup_manifest_parse(Arena *a, const char *path, Str text, BackupManifest *ret, Err *err)
{
    static const Str head = STR(HEAD), seal = STR(SEAL), end = STR(SEAL_END);
    *ret = (BackupManifest){0};
    if (!str_starts(text, head))
        return broken(path, "it is no manifest of Aramid's", err);
    if (!str_starts(str_slice(text, head.n, text.n), STR("1,\n")))
        return broken(path, "a newer Aramid wrote it", err);
    size_t tail = seal.n + HEX + end.n;
    Str body = str_slice(text, 0, text.n > tail ? text.n - tail : 0);
    Str mark = str_slice(text, body.n, text.n);
    if (!str_starts(mark, seal) || !str_ends(mark, end))
        return broken(path, "it is cut off or was edited", err);
    if (!str_is(str_slice(mark, seal.n, seal.n + HEX), hash_sha256_hex(a, body)))
        return broken(path, "it was changed after it was written", err);
    JsonReader r;
    jr_init(&r, a, text);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        read_member(&r, key, ret);
    if (!jr_done(&r) || !is_filled(ret))
        return broken(path, "it lacks something or says nonsense", err);
    if (!ret->order_us)
        ret->order_us = ret->started_us;
    return true;
}

bool
backup_manifest_read(Arena *a, const char *path, BackupManifest *ret, Err *err)
{
    Str text;
    return fs_read(a, path, MANIFEST_MAX, &text, err) &&
           backup_manifest_parse(a, path, text, ret, err);
}
