#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backup/backup_int.h"

#include "base/hash.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static BackupManifest
example(Arena *a)
{
    BackupManifest m = {.id = "20261121T022246Z",
                        .started_us = 1763691766000000,
                        .finished_us = 1763691767000000,
                        .order_us = 1763691768000000,
                        .is_neutral = true,
                        .dump_ms = 900,
                        .read_back_ms = 100,
                        .aramid = "0.1.0",
                        .tool = "pg_dump (PostgreSQL) 15.20",
                        .method = BACKUP_BY_PG_DUMP,
                        .format = BACKUP_ZSTD,
                        .environment = "production",
                        .host = "localhost:5432",
                        .database = "app",
                        .user = "me",
                        .server = "15.20",
                        .server_number = 150020,
                        .system_identifier = "7",
                        .wal_position = "0/1",
                        .reason = "deploy",
                        .data = {"db-backup-x.sql.zst", 12345, SHA},
                        .plain_bytes = 99999,
                        .large_objects = 2,
                        .large_sum = {1, 2}};
    *vec_add(a, &m.recipients) = "age1abc";
    *vec_add(a, &m.tables) =
        (BackupTable){"public.\"a \u20ac\"", "id, \"b\"", 3, 17, {UINT64_MAX, 0x0123456789abcdef}};
    *vec_add(a, &m.tables) = (BackupTable){"public.b", "", 0, 0, {0, 0}};
    return m;
}

static void
test_round_trip(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    BackupManifest m = example(a), r;
    Err err;
    Str text = backup_manifest_text(a, &m);
    assert_true(backup_manifest_parse(a, "x.json", text, &r, &err));
    assert_string_equal(r.id, m.id);
    assert_string_equal(r.data.name, m.data.name);
    assert_null(r.schema.name);
    assert_null(r.migration);
    assert_int_equal(r.format, BACKUP_ZSTD);
    assert_int_equal(r.tables.n, 2);
    assert_string_equal(r.tables.v[0].name, m.tables.v[0].name);
    assert_true(dump_sum_eq(r.tables.v[0].sum, m.tables.v[0].sum));
    assert_true(dump_sum_eq(r.large_sum, m.large_sum));
    assert_int_equal(backup_rows(&r), 3);
    assert_true(str_eq(backup_manifest_text(a, &r), text));
}

static void
test_every_change_is_noticed(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    BackupManifest m = example(a), r;
    Err err;
    Str text = backup_manifest_text(a, &m);
    for (size_t i = 0; i < text.n; i++) {
        ArenaMark mark = arena_mark(a);
        char *changed = str_dup(a, text);
        changed[i] ^= 1;
        assert_false(backup_manifest_parse(a, "x.json", (Str){changed, text.n}, &r, &err));
        assert_int_equal(err.code, ERR_BACKUP_BROKEN);
        assert_false(backup_manifest_parse(a, "x.json", (Str){text.p, i}, &r, &err));
        arena_reset(a, mark);
    }
    const char *more = str_fmt(a, STR_FMT "\n", STR_ARG(text));
    assert_false(backup_manifest_parse(a, "x.json", str_of(more), &r, &err));
}

/* Sealed anew, so that only what it says is judged. */
static bool
accepts(Arena *a, Str text, const char *from, const char *to)
{
    const char *seal = ",\n  \"manifest_sha256\"";
    char *body = str_dup(a, str_slice(text, 0, (size_t)(strstr(text.p, seal) - text.p)));
    char *at = strstr(body, from);
    assert_non_null(at);
    *at = 0;
    body = str_fmt(a, "%s%s%s", body, to, at + strlen(from));
    const char *sealed =
        str_fmt(a, "%s%s: \"%s\"\n}\n", body, seal, hash_sha256_hex(a, str_of(body)));
    BackupManifest r;
    Err err;
    return backup_manifest_parse(a, "x.json", str_of(sealed), &r, &err);
}

static void
test_nonsense(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    BackupManifest m = example(a);
    Str text = backup_manifest_text(a, &m);
    assert_true(accepts(a, text, "12345", "12346"));
    static const char *const bad[][2] = {
        {"db-backup-x.sql.zst", "../db-backup-x.sql.zst"},
        {"db-backup-x.sql.zst", "/etc/passwd"},
        {"db-backup-x.sql.zst", ".."},
        {"db-backup-x.sql.zst", ""},
        {"12345", "-1"},
        {"12345", "1e3"},
        {SHA, "0123"},
        {"ffffffff", "FFFFFFFF"},
        {"\"pg_dump\"", "\"magic\""},
        {"\"sql.zst\"", "\"tar\""},
        {"\"rows\": 3", "\"rows\": -3"},
        {"\"id\"", "\"ix\""},
        {"\"aramid_backup\": 1", "\"aramid_backup\": 2"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(accepts(a, text, bad[i][0], bad[i][1]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_change_is_noticed),
        cmocka_unit_test(test_nonsense),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
