#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

#include <time.h>

Str
layout_digits(const char *name)
{
    return (Str){name, strspn(name, "0123456789")};
}

/* Days from 1970 to a day of the proleptic Gregorian calendar. */
static int64_t
days_to(int64_t year, int64_t month, int64_t day)
{
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year + day - 1 - 719468;
}

int64_t
layout_stamp_us(Str digits)
{
    static const size_t widths[] = {4, 2, 2, 2, 2, 2};
    long long v[6];
    if (digits.n != 14)
        return 0;
    const char *p = digits.p;
    for (size_t i = 0; i < 6; p += widths[i++])
        if (!str_to_int((Str){p, widths[i]}, 0, 9999, &v[i]))
            return 0;
    if (!v[1]) /* the month before */
        v[1] = 12, v[0]--;
    return ((days_to(v[0], v[1], v[2]) * 24 + v[3]) * 3600 + v[4] * 60 + v[5]) * 1000000;
}

bool
layout_check_name(Arena *a, const char *name, const char *what, size_t max, const char *shown,
                  Err *err)
{
    Str s = str_of(name);
    const char *why = NULL;
    if (max && s.n > max)
        why = str_fmt(a, "the name is longer than %zu bytes, which the history table cannot hold",
                      max);
    else if (str_utf8_invalid_at(s) != s.n)
        why = "the name is not valid UTF-8";
    else if (strcmp(str_printable(a, s, false), name) != 0)
        why = "the name holds control or invisible characters";
    if (!why)
        return true;
    err_set(err, ERR_MIGRATION_FILE, "the migration %s \"%s\" cannot be used: %s", what,
            str_printable(a, s, false), why);
    err_at(err, shown, 0, 0);
    return err_hint(err, "rename the %s, unless it was applied before", what);
}

void
layout_place(Arena *a, const char *dir, const char *shown, const char *file, Migration *m)
{
    m->path = fs_join(a, shown, file);
    m->source = fs_join(a, dir, file);
    m->checksum = "";
}

bool
layout_read(Arena *a, const char *dir, const char *file, History *h, Migration *m, Err *err)
{
    ARENA_LOCAL(scratch);
    layout_place(a, dir, h->dir, file, m);
    if (!history_read_known(a, scratch, h, m, err))
        return false;
    m->checksum = m->sha256;
    return true;
}

const char *
layout_checksum(Arena *a, Str text)
{
    ARENA_LOCAL(scratch);
    HashState *state = hash_sha256_begin(scratch);
    if (str_starts(text, STR(SQL_BOM)))
        text = str_slice(text, strlen(SQL_BOM), text.n);
    while (text.n) {
        const char *cr = memchr(text.p, '\r', text.n);
        size_t n = cr ? (size_t)(cr - text.p) : text.n;
        bool ends_line = n + 1 < text.n && text.p[n + 1] == '\n';
        hash_sha256_add(state, (Str){text.p, cr && !ends_line ? n + 1 : n});
        text = str_slice(text, cr ? n + 1 : n, text.n);
    }
    return hash_sha256_end(a, state);
}

void
layout_note_stray(History *h, const char *file, const char *why)
{
    if (str_starts(str_of(fs_basename(file)), STR("rollback_")))
        return; /* history_down reads it */
    if (h->options.takes_scripts && !strchr(file, '/') && str_ends(str_of(file), STR(".sql"))) {
        *vec_add(h->findings.arena, &h->scripts) = file;
        return;
    }
    finding_add(&h->findings, FINDING_HISTORY_STRAY_SQL, "%s", why)->object = file;
}

HistoryNew
layout_new(Arena *a, const History *h, const char *stamp, const char *slug)
{
    (void)h;
    const char *name = str_fmt(a, "%s_%s", stamp, slug);
    return (HistoryNew){str_fmt(a, "%s.sql", name), name, NULL};
}

char *
layout_stem(Arena *a, const char *file)
{
    Str s = str_of(file);
    return str_dup(a, (Str){s.p, s.n - (str_ends(s, STR(".sql")) ? 4 : 0)});
}

/* A squash that was killed before the last of the old ones was out of the folder. */
static bool
was_squashed(const Migration *all, const Migration *old, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "\"%s\" replaces \"%s\", which is in the folder, too",
            all->name, old->name);
    err_at(err, old->path, 0, 0);
    return err_hint(err, "take what it replaces out of the folder; git has it");
}

bool
layout_check_versions(Arena *a, const History *h, Err *err)
{
    Map seen;
    map_init(&seen, a);
    vec_each (Migration, m, &h->files) {
        const Migration *before = map_get(&seen, str_of(m->key));
        map_put(&seen, str_of(m->key), m);
        if (!before)
            continue;
        if (before->replaces.n || m->replaces.n)
            return was_squashed(m->replaces.n ? m : before, m->replaces.n ? before : m, err);
        err_set(err, ERR_MIGRATION_FILE, "two migrations have the version %s", m->key);
        err_detail(err, "\"%s\" and \"%s\": the history table holds each version once",
                   before->name, m->name);
        err_at(err, m->path, 0, 0);
        return err_hint(err, "give the one that was not applied anywhere another version");
    }
    return true;
}

const Migration *
layout_of_version(const History *h, Str version)
{
    vec_each (const Migration, m, &h->files)
        if (str_is(version, m->key))
            return m;
    return NULL;
}

const char *
layout_version(Arena *a, const char *name)
{
    return str_dup(a, layout_digits(name));
}

HistoryNew
layout_squashed(Arena *a, const Migration *last)
{
    const char *name = str_fmt(a, "%s_squashed", last->key);
    return (HistoryNew){str_fmt(a, "%s.sql", name), name, NULL};
}

static const MigrationReplaced *
replaced_of_version(const History *h, Str version)
{
    vec_each (const Migration, m, &h->files)
        vec_each (const MigrationReplaced, r, &m->replaces)
            if (str_is(version, r->key))
                return r;
    return NULL;
}

const char *
layout_row_name(const History *h, Str version, const char *said, Str checksum)
{
    const Migration *m = layout_of_version(h, version);
    const MigrationReplaced *r = replaced_of_version(h, version);
    if (!r || (m && !m->replaces.n))
        return m ? m->name : said;
    bool is_old = !m || (!said && !checksum.n) || (said && strcmp(said, r->name) == 0) ||
                  (checksum.n && str_is(checksum, r->checksum));
    return is_old ? r->name : m->name;
}

void
layout_add_table(Buf *b, const LedgerName *at)
{
    sql_add_name(b, at->schema, at->table);
}

void
layout_add_epoch(Buf *b, const char *column)
{
    buf_fmt(b, ", pg_catalog.encode(pg_catalog.timestamptz_send(%s), 'hex')", column);
}

/* '2026-11-21 02:22:46.123+00': Prisma writes milliseconds in UTC. */
void
layout_add_time(Buf *b, int64_t us)
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    buf_fmt(b, "'%04d-%02d-%02d %02d:%02d:%02d.%03d+00'::pg_catalog.timestamptz", tm.tm_year + 1900,
            tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
            (int)(us % 1000000 / 1000));
}

void
layout_add_now(Buf *b)
{
    buf_addz(b, "pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp())");
}

void
layout_add_equal(Buf *b, const char *column, const char *value)
{
    sql_add_ident(b, column);
    buf_addz(b, " OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(value));
}

void
layout_add_where(Buf *b, const char *column, const char *value)
{
    buf_addz(b, " WHERE ");
    layout_add_equal(b, column, value);
}

void
layout_add_removed(Buf *b, const LedgerName *at, const char *id)
{
    buf_addz(b, "DELETE FROM ");
    layout_add_table(b, at);
    layout_add_where(b, "id", id);
}

void
layout_add_removed_version(Buf *b, const LedgerName *at, const char *id)
{
    buf_addz(b, "DELETE FROM ");
    layout_add_table(b, at);
    layout_add_where(b, "version", id);
}

void
layout_add_once(Buf *b, const LedgerName *at, const char *column)
{
    buf_addz(b, "CREATE UNIQUE INDEX " HISTORY_ONCE " ON ");
    layout_add_table(b, at);
    buf_fmt(b, " (%s) WHERE %s OPERATOR(pg_catalog.=) ANY (ARRAY[", column, column);
}

void
layout_add_update(Buf *b, const LedgerName *at)
{
    buf_addz(b, "UPDATE ");
    layout_add_table(b, at);
    buf_addz(b, " SET ");
}

void
layout_add_from(Buf *b, const LedgerName *at, const char *columns)
{
    Buf name;
    buf_init(&name, b->arena);
    layout_add_table(&name, at);
    buf_addz(b, " FROM (SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_attribute a WHERE"
                " a.attrelid OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, buf_str(&name));
    buf_fmt(b,
            "::pg_catalog.regclass AND a.attname OPERATOR(pg_catalog.=) ANY"
            " ('{%s}'::pg_catalog.name[]) AND NOT a.attisdropped) c LEFT JOIN %s t ON true",
            columns, name.p);
}

LedgerRow
layout_row(Str id, Str checksum, const char *name)
{
    return (LedgerRow){.id = id.p,
                       .checksum = checksum.p ? checksum.p : "",
                       .name = name,
                       .logs = "",
                       .started_us = HISTORY_SOMETIME,
                       .finished_us = HISTORY_SOMETIME,
                       .steps = 1};
}

bool
layout_check_columns(const DbRows *rows, int want, Err *err)
{
    return rows->cols == want ||
           err_set(err, ERR_INTERNAL, "the ledger query gave %d columns", rows->cols);
}

bool
history_knows_edits(const HistoryLayout *l)
{
    return l->checksum_matches != layout_checksum_unknown;
}

bool
layout_checksum_unknown(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    (void)recorded;
    (void)m;
    return true;
}
