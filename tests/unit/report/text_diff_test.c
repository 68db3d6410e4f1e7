/* The difference of two texts: what it looks like, and that it leads from the one to the other. */
#include "report/text_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const Term plain;

static const char *
diff(Arena *a, const char *before, const char *after)
{
    Buf b;
    buf_init(&b, a);
    text_diff(&b, &plain, "x", str_of(before), str_of(after));
    return b.p;
}

static void
test_texts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_string_equal(diff(a, "", ""), "");
    assert_string_equal(diff(a, "a\n", "a\n"), "");
    assert_string_equal(diff(a, "", "a\nb\n"), "--- /dev/null\n+++ x\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_string_equal(diff(a, "a\n", ""), "--- x\n+++ x\n@@ -1 +0,0 @@\n-a\n");
    assert_string_equal(diff(a, "a", "a\n"),
                        "--- x\n+++ x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    assert_string_equal(diff(a, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n"),
                        "--- x\n+++ x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
    assert_string_equal(diff(a, "a\x1b[m\n", ""), "--- x\n+++ x\n@@ -1 +0,0 @@\n-a\\x1b[m\n");
}

/* A number of a hunk's head: "-3,2" is 3 and 2, "-3" is 3 and 1. */
static const char *
read_range(const char *p, size_t *ret_from, size_t *ret_n)
{
    char *end;
    *ret_from = strtoul(p + 1, &end, 10);
    *ret_n = *end == ',' ? strtoul(end + 1, &end, 10) : 1;
    *ret_from -= *ret_n ? 1 : 0;
    return end + 1;
}

/* What `patch` does. Every line is one letter. */
static void
check(Arena *a, const char *before, const char *after)
{
    const char *p = diff(a, before, after);
    Buf made;
    buf_init(&made, a);
    size_t at = 0;
    if (!*p) {
        assert_string_equal(before, after);
        return;
    }
    p = strstr(p, "@@");
    while (p && *p) {
        size_t from, n, to, m;
        p = read_range(read_range(p + 3, &from, &n), &to, &m);
        p += 3;
        buf_add(&made, (Str){before + 2 * at, 2 * (from - at)});
        assert_int_equal(made.n, 2 * to);
        at = from;
        for (; *p && *p != '@'; p += 3) {
            assert_int_equal(p[2], '\n');
            if (*p != '+')
                assert_int_equal(p[1], before[2 * at++]);
            if (*p != '-')
                buf_add(&made, (Str){p + 1, 2});
        }
        assert_int_equal(at, from + n);
        assert_int_equal(made.n, 2 * (to + m));
    }
    buf_addz(&made, before + 2 * at);
    assert_string_equal(made.p, after);
}

static void
test_leads_from_one_to_the_other(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 3000; i++) {
        ARENA_LOCAL(a);
        const char *texts[2];
        for (int k = 0; k < 2; k++) {
            Buf b;
            buf_init(&b, a);
            for (int n = rand() % 40; n > 0; n--)
                buf_fmt(&b, "%c\n", 'a' + rand() % (1 + i % 5));
            texts[k] = b.p;
        }
        check(a, texts[0], texts[1]);
    }
}

static void
test_large_texts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf x, y;
    buf_init(&x, a);
    buf_init(&y, a);
    for (int i = 0; i < 20000; i++) {
        buf_addz(&x, i % 2 ? "a\n" : "b\n");
        buf_addz(&y, i % 3 ? "a\n" : "c\n");
    }
    check(a, x.p, y.p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_leads_from_one_to_the_other),
        cmocka_unit_test(test_large_texts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
