#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backup/dump_read.h"

#include "base/vec.h"
#include "base/mem_int.h"

/* What the reader said, as one text: pieces of the same kind are put together. */
typedef struct Log {
    Arena *arena;
    Buf text;
    DumpEventKind last;
    VEC(DumpSum) sums;
} Log;

static bool
listen(void *arg, const DumpEvent *e, Err *err)
{
    Log *l = arg;
    (void)err;
    bool goes_on = l->text.n && e->kind == l->last && (e->kind == DUMP_SQL || e->kind == DUMP_ROWS);
    static const char *const names[] = {"sql", "meta", "copy", "rows", "end", "object"};
    if (!goes_on)
        buf_fmt(&l->text, "[%s]", names[e->kind]);
    buf_add(&l->text, e->kind == DUMP_COPY ? STR("") : e->text);
    if (e->kind == DUMP_COPY)
        buf_fmt(&l->text, STR_FMT "|" STR_FMT, STR_ARG(e->table), STR_ARG(e->columns));
    if (e->kind == DUMP_COPY_END) {
        buf_fmt(&l->text, STR_FMT "=%d/%d", STR_ARG(e->table), (int)e->rows, (int)e->bytes);
        *vec_add(l->arena, &l->sums) = e->sum;
    }
    if (e->kind == DUMP_LARGE_OBJECT)
        buf_fmt(&l->text, "%d:%d", (int)e->oid, (int)e->bytes);
    l->last = e->kind;
    return true;
}

/* Read `dump` in pieces of `size` bytes. */
static const char *
heard(Arena *a, Str dump, size_t size, DumpTotals *totals, DumpSum *first)
{
    Log l = {.arena = a};
    buf_init(&l.text, a);
    DumpReader *r = dump_reader_make(a, listen, &l);
    Err err;
    for (size_t i = 0; i < dump.n; i += size)
        assert_true(dump_read(r, str_slice(dump, i, dump.n - i > size ? i + size : dump.n), &err));
    assert_true(dump_read_end(r, totals, &err));
    if (first && l.sums.n)
        *first = l.sums.v[0];
    return l.text.p;
}

#define END "--\n-- PostgreSQL database dump complete\n--\n\n"

/* The same is heard however the bytes are cut. */
static void
check(const char *dump, const char *expected, bool whole)
{
    for (size_t size = 1; size < 200; size += size < 70 ? 1 : 29) {
        ARENA_LOCAL(a);
        DumpTotals t;
        assert_string_equal(heard(a, str_of(dump), size, &t, NULL), expected);
        assert_int_equal(t.whole, whole);
        assert_int_equal(t.bytes, strlen(dump));
    }
}

static void
test_tables(void **state)
{
    (void)state;
    check("SET x = 1;\n\nCOPY public.\"a b\" (id, \"n \"\"x\") FROM "
          "stdin;\n1\ta\n2\t\\\\.\n\\N\t\\.x\n"
          "\\.\n\n\nSELECT 1;\n" END "\\unrestrict abc\n\n",
          "[sql]SET x = 1;\n\n[copy]public.\"a b\"|id, \"n \"\"x\"[rows]1\ta\n2\t\\\\.\n\\N\t\\.x\n"
          "[end]public.\"a b\"=3/17[sql]\n\nSELECT 1;\n" END "[meta]\\unrestrict abc[sql]\n",
          true);
    /* No rows; no columns; a name with a line end. */
    check("COPY a.b (x) FROM stdin;\n\\.\nCOPY a.c  FROM stdin;\n\n\n\\.\nCOPY a.\"d\ne\" (f) FROM "
          "stdin;\n\\.\n" END,
          "[copy]a.b|x[end]a.b=0/0[copy]a.c|[rows]\n\n[end]a.c=2/2[copy]a.\"d\ne\"|f"
          "[end]a.\"d\ne\"=0/0[sql]" END,
          true);
}

static void
test_quotes_hide(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "AS $$\nCOPY a.b (x) FROM stdin;\n1\n\\.\n$$;\n",
        "AS $_$ $$ $_\nCOPY a.b (x) FROM stdin;\n$_$;\n",
        "AS $a1$$a$a1\nCOPY a.b (x) FROM stdin;\n$$a1$;\n",
        "'it''s\nCOPY a.b (x) FROM stdin;\n\\x';\n",
        "E'a\\'\nCOPY a.b (x) FROM stdin;\n';\n",
        "E'a''\\'\nCOPY a.b (x) FROM stdin;\n';\n",
        "\"a\nCOPY a.b (x) FROM stdin;\n\"\"b\";\n",
        "/* a /* b */\nCOPY a.b (x) FROM stdin;\n*/ SELECT a$b$ FROM c;\n",
        "SELECT x\nCOPY a.b (x) FROM stdin;\n",
        "SELECT $1, a-1 - b/c;\nCOPY a.b (x) FROM stdout;\n",
        "COPY a.b TO PROGRAM 'x';\nCOPYx FROM stdin;\n",
        "-- don't\nSELECT 1;\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ARENA_LOCAL(a);
        char *dump = str_fmt(a, "%s" END, bodies[i]);
        check(dump, str_fmt(a, "[sql]%s", dump), true);
    }
    /* A quote behind E that belongs to a longer word has no escapes. */
    check("SELECT nameE'a\\';\nCOPY a.b (x) FROM stdin;\n\\.\n" END,
          "[sql]SELECT nameE'a\\';\n[copy]a.b|x[end]a.b=0/0[sql]" END, true);
}

static void
test_whole(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char dump[] =
        "SET x = 1;\nCOPY a.b (x) FROM stdin;\n1\n\\.\nSELECT 'a';\n" END "\\unrestrict abc\n\n";
    size_t mark = (size_t)(strstr(dump, "complete\n") - dump) + 9;
    for (size_t n = 0; n < sizeof dump; n++) {
        DumpTotals t;
        heard(a, (Str){dump, n}, 7, &t, NULL);
        assert_int_equal(t.whole, n >= mark);
    }
    static const char *const bad[] = {
        END "SELECT 1;\n",
        END "SELECT",
        END "\0x",
        END "COPY a.b (x) FROM stdin;\n\\.\n",
        "SELECT '" END,
        "SELECT $$" END,
        "SELECT\n" END,
        "COPY a.b (x) FROM stdin;\n" END,
        "SELECT pg_catalog.lo_open('1', 131072);\n" END,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        DumpTotals t;
        Str text = i == 2 ? (Str){bad[i], sizeof END + 1} : str_of(bad[i]);
        heard(a, text, 11, &t, NULL);
        assert_false(t.whole);
    }
}

static void
test_sums(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DumpTotals t;
    DumpSum one = {0}, two = {0}, three = {0};
    heard(a, STR("COPY a (x) FROM stdin;\nfirst\nsecond\nthird\n\\.\n"), 1, &t, &one);
    heard(a, STR("COPY a (x) FROM stdin;\nthird\nfirst\nsecond\n\\.\n"), 100, &t, &two);
    assert_true(dump_sum_eq(one, two));
    heard(a, STR("COPY a (x) FROM stdin;\nfirst\nsecond\nthirD\n\\.\n"), 9, &t, &three);
    assert_false(dump_sum_eq(one, three));
    heard(a, STR("COPY a (x) FROM stdin;\nfirst\nsecond\n\\.\n"), 9, &t, &three);
    assert_false(dump_sum_eq(one, three));
    /* A row of 40 MB takes no memory. */
    DumpReader *r = dump_reader_make(a, NULL, NULL);
    Err err;
    char *block = arena_alloc(a, 65536);
    memset(block, 'x', 65536);
    assert_true(dump_read(r, STR("COPY a (x) FROM stdin;\n"), &err));
    size_t before = arena_bytes(a);
    for (int i = 0; i < 640; i++)
        assert_true(dump_read(r, (Str){block, 65536}, &err));
    assert_int_equal(arena_bytes(a), before);
    assert_true(dump_read(r, STR("\n\\.\n"), &err));
    assert_true(dump_read_end(r, &t, &err));
    assert_int_equal(t.rows, 1);
}

static void
test_large_objects(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const Str dump = STR(
        "SELECT pg_catalog.lo_create('16385');\n\nBEGIN;\n\n"
        "SELECT pg_catalog.lo_open('16385', 131072);\nSELECT pg_catalog.lowrite(0, '\\x6162');\n"
        "SELECT pg_catalog.lowrite(0, '\\x63');\nSELECT pg_catalog.lo_close(0);\n\n"
        "SELECT pg_catalog.lo_open('7', 131072);\nSELECT pg_catalog.lo_close(0);\n\nCOMMIT;\n" END);
    static const Str other = STR(
        "BEGIN;\nSELECT pg_catalog.lo_open('7', 131072);\nSELECT pg_catalog.lo_close(0);\n\n"
        "SELECT pg_catalog.lo_open('16385', 131072);\nSELECT pg_catalog.lowrite(0, '\\x616263');\n"
        "SELECT pg_catalog.lo_close(0);\nCOMMIT;\n" END);
    DumpTotals one, t;
    for (size_t size = 1; size < 90; size++) {
        const char *text = heard(a, dump, size, &t, NULL);
        assert_non_null(strstr(text, "[object]16385:3"));
        assert_non_null(strstr(text, "[object]7:0"));
        assert_true(t.whole);
        assert_int_equal(t.large_objects, 2);
        one = t;
    }
    heard(a, other, 50, &t, NULL);
    assert_true(dump_sum_eq(one.large_sum, t.large_sum)); /* however it is cut and ordered */
    heard(a,
          STR("SELECT pg_catalog.lo_open('16385', 131072);\nSELECT pg_catalog.lowrite(0, "
              "'\\x616264');\nSELECT pg_catalog.lo_close(0);\n"),
          50, &t, NULL);
    assert_false(dump_sum_eq(one.large_sum, t.large_sum));
}

static void
test_endless_meta(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DumpReader *r = dump_reader_make(a, NULL, NULL);
    Err err;
    char *block = arena_alloc(a, 70000);
    memset(block, 'x', 70000);
    assert_true(dump_read(r, STR("\\restrict "), &err));
    assert_false(dump_read(r, (Str){block, 70000}, &err));
    assert_int_equal(err.code, ERR_BACKUP_BROKEN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),        cmocka_unit_test(test_quotes_hide),
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_sums),
        cmocka_unit_test(test_large_objects), cmocka_unit_test(test_endless_meta),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("dump_read", tests, NULL, NULL);
}
