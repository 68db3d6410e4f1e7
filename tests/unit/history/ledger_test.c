/* Checksums, comparing files with the ledger, and the ledger's SQL. */
#include "base/hash.h"
#include "sqltext/sqltext_int.h"
#include "tests.h"

#include <stdlib.h>

enum { S = 1000000 };

static Migration
migration(Arena *a, const char *name, const char *text)
{
    return (Migration){.name = name,
                       .path = name,
                       .has_file = true,
                       .text = str_of(text),
                       .checksum = hash_sha256_hex(a, str_of(text))};
}

static bool
matches(const char *file, const char *recorded)
{
    ARENA_LOCAL(a);
    Migration m = migration(a, "m", file);
    return history_prisma.checksum_matches(a, recorded, &m);
}

/* The hash as the old Prisma wrote it: "%x" for each byte. */
static char *
unpadded(Arena *a, const char *text)
{
    const char *hex = hash_sha256_hex(a, str_of(text));
    Buf b;
    buf_init(&b, a);
    for (; *hex; hex += 2) {
        char two[3] = {hex[0], hex[1], 0};
        buf_fmt(&b, "%lx", strtoul(two, NULL, 16));
    }
    return b.p;
}

void
checksums(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *lf = "SELECT 1;\nSELECT 2;\n", *crlf = "SELECT 1;\r\nSELECT 2;\r\n",
               *mixed = "SELECT 1;\r\nSELECT 2;\n";
    const char *files[] = {lf, crlf, mixed};
    for (size_t i = 0; i < 3; i++) {
        assert_true(matches(files[i], hash_sha256_hex(a, str_of(lf))));
        assert_true(matches(files[i], hash_sha256_hex(a, str_of(crlf))));
        assert_true(matches(files[i], hash_sha256_hex(a, str_of(files[i]))));
        assert_true(matches(files[i], unpadded(a, files[i])));
    }
    /* Mixed line ends are found again only in the same file. */
    assert_false(matches(lf, hash_sha256_hex(a, str_of(mixed))));
    assert_false(matches(lf, hash_sha256_hex(a, STR("SELECT 1;\nSELECT 2;"))));
    assert_false(matches(lf, hash_sha256_hex(a, STR("SELECT 1;\n\nSELECT 2;\n"))));
    assert_false(matches(lf, ""));
    assert_false(matches(lf, "manually inserted"));
    /* sha256 of this begins with 0x00, which became "0". */
    const char *zero = NULL;
    for (int i = 0; !zero; i++) {
        const char *text = str_fmt(a, "SELECT %d;\n", i);
        if (strncmp(hash_sha256_hex(a, str_of(text)), "00", 2) == 0)
            zero = text;
    }
    assert_int_equal(unpadded(a, zero)[0], '0');
    assert_true(strlen(unpadded(a, zero)) < 64);
    assert_true(matches(zero, unpadded(a, zero)));
    assert_false(matches(lf, unpadded(a, zero)));
    assert_true(matches("", hash_sha256_hex(a, STR(""))));
}

/* ---- comparing ---------------------------------------------------------------------------- */

typedef struct Row {
    const char *name;
    int started, finished, rolled_back; /* seconds, 0 = NULL */
    bool other_checksum;
} Row;

static void
compare(Arena *a, const char *const *files, const Row *rows, size_t n, History *h)
{
    *h = history_none();
    for (; *files; files++)
        *vec_add(a, &h->files) = migration(a, *files, *files);
    for (size_t i = 0; i < n; i++)
        *vec_add(a, &h->rows) = (LedgerRow){
            .id = str_fmt(a, "id-%zu", i),
            .checksum = rows[i].other_checksum ? "0123" : hash_sha256_hex(a, str_of(rows[i].name)),
            .name = rows[i].name,
            .logs = "",
            .started_us = (int64_t)rows[i].started * S,
            .finished_us = (int64_t)rows[i].finished * S,
            .rolled_back_us = (int64_t)rows[i].rolled_back * S,
        };
    history_compare(a, h);
}

static const Entry *
entry(const History *h, const char *name)
{
    const Entry *e = history_find(h, name);
    assert_non_null(e);
    return e;
}

void
compare_states(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    History h;
    const char *const files[] = {"1", "2", "3", "4", "5", "6", NULL};
    const Row rows[] = {
        {"1", 10, 11, 0, false}, /* applied */
        {"2", 12, 13, 0, true},  /* edited */
        {"3", 14, 0, 0, false},  /* failed */
        {"4", 15, 0, 16, false}, /* rolled back: pending again */
        {"0gone", 17, 18, 0, false},
        {"0gone-failed", 19, 0, 0, false},
        {"0gone-rolled-back", 20, 0, 21, false},
        {"6", 22, 23, 0, false},
    };
    compare(a, files, rows, sizeof rows / sizeof *rows, &h);
    assert_int_equal(entry(&h, "1")->state, ENTRY_APPLIED);
    assert_false(entry(&h, "1")->edited);
    assert_int_equal(entry(&h, "2")->state, ENTRY_APPLIED);
    assert_true(entry(&h, "2")->edited);
    assert_int_equal(entry(&h, "3")->state, ENTRY_FAILED);
    assert_int_equal(entry(&h, "4")->state, ENTRY_PENDING);
    assert_true(entry(&h, "4")->out_of_order);
    assert_int_equal(entry(&h, "5")->state, ENTRY_PENDING);
    assert_true(entry(&h, "5")->out_of_order);
    assert_null(entry(&h, "5")->row);
    assert_false(entry(&h, "6")->out_of_order);
    assert_int_equal(entry(&h, "0gone")->state, ENTRY_APPLIED);
    assert_null(entry(&h, "0gone")->file);
    assert_int_equal(entry(&h, "0gone-failed")->state, ENTRY_FAILED);
    assert_null(history_find(&h, "0gone-rolled-back"));
    /* Files first and in order. */
    assert_string_equal(h.entries.v[0].name, "1");
    assert_string_equal(h.entries.v[5].name, "6");
    assert_int_equal(h.entries.n, 8);
}

void
compare_several_rows(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const struct {
        Row rows[4];
        size_t n;
        EntryState state;
        int decides;
    } cases[] = {
        {{{"m", 1, 0, 2, false}, {"m", 3, 4, 0, false}}, 2, ENTRY_APPLIED, 1},
        {{{"m", 1, 0, 2, false}, {"m", 3, 0, 4, false}}, 2, ENTRY_PENDING, 1},
        {{{"m", 1, 0, 2, false}, {"m", 3, 0, 0, false}}, 2, ENTRY_FAILED, 1},
        /* Any failed row stops Prisma, also beside an applied one. */
        {{{"m", 1, 0, 0, false}, {"m", 3, 4, 0, false}}, 2, ENTRY_FAILED, 0},
        {{{"m", 1, 2, 0, false}, {"m", 3, 0, 0, false}}, 2, ENTRY_FAILED, 1},
        /* Applied, then rolled back by hand, then applied again. */
        {{{"m", 1, 2, 3, false}, {"m", 4, 5, 0, false}}, 2, ENTRY_APPLIED, 1},
        {{{"m", 1, 2, 0, false}, {"m", 3, 4, 5, false}}, 2, ENTRY_APPLIED, 0},
        {{{"m", 1, 2, 3, false}}, 1, ENTRY_PENDING, 0},
        /* The newest of two applied rows has the checksum that counts. */
        {{{"m", 1, 2, 0, true}, {"m", 3, 4, 0, false}}, 2, ENTRY_APPLIED, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        History h;
        const char *const files[] = {"m", NULL};
        compare(a, files, cases[i].rows, cases[i].n, &h);
        assert_int_equal(h.entries.n, 1);
        if (h.entries.v[0].state != cases[i].state)
            fail_msg("case %zu: state %d", i, h.entries.v[0].state);
        assert_string_equal(h.entries.v[0].row->id, str_fmt(a, "id-%d", cases[i].decides));
        assert_false(h.entries.v[0].edited);
    }
}

void
compare_counts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    History h;
    const char *const files[] = {"1", "2", "3", "4", NULL};
    const Row rows[] = {{"1", 1, 2, 0, false},
                        {"3", 3, 4, 0, true},
                        {"gone", 5, 6, 0, false},
                        {"failed", 9, 0, 0, false},
                        {"2", 7, 0, 8, false}};
    compare(a, files, rows, 5, &h);
    assert_int_equal(h.applied, 3);
    assert_int_equal(h.pending, 2);
    assert_int_equal(h.failed, 1);
    assert_int_equal(h.resumable, 0);
    assert_int_equal(h.edited, 1);
    assert_int_equal(h.missing, 1);
    assert_int_equal(h.out_of_order, 1);
    assert_int_equal(h.last_applied_us, 6 * S);
    assert_int_equal(h.last_started_us, 9 * S);

    compare(a, files, NULL, 0, &h);
    assert_int_equal(h.pending, 4);
    assert_int_equal(h.applied + h.failed + h.missing + h.out_of_order, 0);
    assert_int_equal(h.last_applied_us, 0);
}

void
compare_after_new_rows(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    History h;
    const char *const files[] = {"1", "2", NULL};
    const Row rows[] = {{"1", 1, 2, 0, false}};
    compare(a, files, rows, 1, &h);
    assert_int_equal(h.pending, 1);
    *vec_add(a, &h.rows) = (LedgerRow){.id = "x",
                                       .name = "2",
                                       .logs = "",
                                       .started_us = 3 * S,
                                       .finished_us = 4 * S,
                                       .checksum = h.files.v[1].checksum};
    history_compare(a, &h);
    assert_int_equal(h.entries.n, 2);
    assert_int_equal(h.pending, 0);
    assert_int_equal(h.applied, 2);
}

/* ---- reading rows ------------------------------------------------------------------------- */

void
rows_are_read(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const Str null = {NULL, 0};
    const Str cells[] = {
        STR("id1"),
        STR("sum1"),
        STR("20240101_a"),
        null,
        STR("0002ca62d404fbc0"),
        STR("0002ca62d4125bc0"),
        null,
        STR("1"),
        STR("id2"),
        STR("sum2"),
        STR("20240102_b"),
        STR("ERROR: x"),
        STR("0002ca62d4219e00"),
        null,
        STR("0002ca62d430e040"),
        STR("0"),
    };
    History h = {0};
    Err err;
    assert_true(
        history_prisma.read_rows(a, &(DbRows){.rows = 2, .cols = 8, .cells = cells}, &h, &err));
    LedgerRowVec rows = h.rows;
    assert_int_equal(rows.n, 2);
    assert_string_equal(rows.v[0].logs, "");
    assert_int_equal(rows.v[0].started_us, 1732160566123456);
    assert_int_equal(rows.v[0].finished_us, 1732160567000000);
    assert_int_equal(rows.v[0].rolled_back_us, 0);
    assert_int_equal(rows.v[0].steps, 1);
    assert_string_equal(rows.v[1].logs, "ERROR: x");
    assert_int_equal(rows.v[1].finished_us, 0);
    assert_int_equal(rows.v[1].rolled_back_us, 1732160569000000);
    assert_false(
        history_prisma.read_rows(a, &(DbRows){.rows = 0, .cols = 7, .cells = cells}, &h, &err));
    assert_int_equal(err.code, ERR_INTERNAL);
}

/* ---- SQL ---------------------------------------------------------------------------------- */

static const char *const nasty_names[] = {
    "we\"ird",
    "o'clock\\",
    "$$; DROP TABLE x; --",
    "e'\\'",
    "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80",
    "%s%n",
    "/* open",
    "-- end",
    "'",
    "\\",
    "\"",
    " ",
    "20240101_plain",
};

static void
build(const HistoryLayout *l, int which, Buf *b, const char *name)
{
    LedgerRow row = {
        .id = name, .checksum = name, .name = name, .started_us = INT64_C(1732160566123456)};
    const LedgerName at = {name, "_prisma_migrations", false};
    switch (which) {
    case 0:
        l->add_create(b, &at);
        break;
    case 1:
        l->add_select(b, &at);
        break;
    case 2:
        l->add_applied(b, &at, &row);
        break;
    case 3:
        l->add_begun(b, &at, &row);
        break;
    case 4:
        l->add_finished(b, &at, name, name);
        break;
    case 5:
        l->add_logs(b, &at, name, str_of(name));
        break;
    case 6:
        l->add_forgotten(b, &at, name);
        break;
    case 7:
        l->add_rolled_back(b, &at, name);
        break;
    case 8:
        l->add_resolved(b, &at, &row);
        break;
    case 9:
        history_add_is_kept(b, l, &at, &row, true);
        break;
    default:
        history_add_is_applied(b, l, &at, &row);
    }
}

/* Each text is one statement that PostgreSQL's grammar accepts, on the ledger in that schema. */
void
statements_parse_and_quote(void **state)
{
    (void)state;
    static const SqlKind kinds[] = {SQL_CREATE_TABLE, SQL_SELECT, SQL_INSERT, SQL_INSERT,
                                    SQL_UPDATE,       SQL_UPDATE, SQL_DELETE, SQL_UPDATE,
                                    SQL_INSERT,       SQL_SELECT, SQL_SELECT};
    for (size_t i = 0; i < sizeof nasty_names / sizeof *nasty_names; i++)
        for (int which = 0; which < 11; which++) {
            ARENA_LOCAL(a);
            Buf b, table;
            buf_init(&b, a);
            buf_init(&table, a);
            build(&history_prisma, which, &b, nasty_names[i]);
            SqlScript script;
            Err err;
            if (!sql_split(a, "ledger", buf_str(&b), &script, &err))
                fail_msg("%s: %s", err.primary, b.p);
            sql_classify(a, &script);
            assert_int_equal(script.stmts.n, 1);
            if (sql_parser_available() && script.has_opaque)
                fail_msg("does not parse: %s", b.p);
            assert_int_equal(script.forms.v[0].kind, kinds[which]);
            assert_int_equal(script.stmts.v[0].len, b.n);
            sql_add_name(&table, nasty_names[i], "_prisma_migrations");
            assert_non_null(strstr(b.p, table.p));
            /* A name in a value is a literal. */
            Buf literal;
            buf_init(&literal, a);
            sql_add_literal(&literal, str_of(nasty_names[i]));
            if (which >= 2)
                assert_non_null(strstr(b.p, literal.p));
        }
}

static char *
resolved_at(Arena *a, int64_t us)
{
    Buf b;
    buf_init(&b, a);
    history_prisma.add_resolved(
        &b, &(LedgerName){"public", "_prisma_migrations", false},
        &(LedgerRow){.id = "i", .checksum = "c", .name = "n", .started_us = us});
    return b.p;
}

void
statements_times(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_non_null(
        strstr(resolved_at(a, INT64_C(1732160566123456)), "'2024-11-21 03:42:46.123+00'"));
    assert_non_null(
        strstr(resolved_at(a, INT64_C(1709164799999999)), "'2024-02-28 23:59:59.999+00'"));
    assert_non_null(
        strstr(resolved_at(a, INT64_C(1709164800000000)), "'2024-02-29 00:00:00.000+00'"));
    /* As Prisma leaves it: both times are the same, logs '' and no step. */
    char *sql = resolved_at(a, INT64_C(1732160566000000)), *first = strstr(sql, "'2024-");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "'2024-11-21 03:42:46.000+00'"));
    assert_non_null(strstr(sql, ", '', "));
    /* Names of functions and operators do not depend on the search_path. */
    Buf b;
    buf_init(&b, a);
    const LedgerName at = {"s", "_prisma_migrations", false};
    history_prisma.add_select(&b, &at);
    history_prisma.add_finished(&b, &at, "id", "sum");
    history_add_is_applied(&b, &history_prisma, &at, &(LedgerRow){.name = "n"});
    assert_null(strstr(b.p, " = 'n'"));
    assert_null(strstr(b.p, " now()"));
}
