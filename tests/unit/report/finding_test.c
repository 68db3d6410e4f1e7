#include "report/error.h"
#include "report/finding.h"

#include <setjmp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static const Term plain = {.width = 80};

static Finding *
add_at(FindingList *list, Severity severity, const Source *s, size_t off, size_t len,
       const char *text)
{
    Finding *f = finding_addz(list, FINDING_TYPE_UNKNOWN, severity, text);
    f->source = s;
    f->off = off;
    f->len = len;
    return f;
}

static Finding *
add(FindingList *list, const Source *s, Severity severity, const char *needle, const char *message)
{
    const char *hit = memmem(s->text.p, s->text.n, needle, strlen(needle));
    assert_non_null(hit);
    return add_at(list, severity, s, (size_t)(hit - s->text.p), strlen(needle), message);
}

static const char *
text_of(Arena *a, FindingList *list, const Term *term)
{
    Buf b;
    buf_init(&b, a);
    findings_sort(list);
    findings_text(&b, term, list);
    return b.p;
}

static void
text_has_place_line_and_caret(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source s = {"prisma/schema.prisma", STR("model A {\n  b Usr\n}\n")};
    FindingList list;
    findings_init(&list, a, NULL);
    Finding *d = add(&list, &s, SEV_ERROR, "Usr", "unknown type \"Usr\"");
    d->note = "one\ntwo";
    d->fix = "did you mean \"User\"?";
    add(&list, &s, SEV_WARNING, "model", "odd");
    assert_string_equal(text_of(a, &list, &plain),
                        "prisma/schema.prisma:1:1: warning: odd [type-unknown]\n"
                        "    1 | model A {\n"
                        "      | ^^^^^\n"
                        "prisma/schema.prisma:2:5: error: unknown type \"Usr\" [type-unknown]\n"
                        "    2 |   b Usr\n"
                        "      |     ^^^\n"
                        "      = note: one\n"
                        "              two\n"
                        "      = hint: did you mean \"User\"?\n");
    assert_string_equal(findings_counted(a, &list), "1 error and 1 warning");
}

static void
caret_stands_under_wide_and_tabbed_text(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source s = {"s", STR("\t名é x\r\n")};
    FindingList list;
    findings_init(&list, a, NULL);
    add(&list, &s, SEV_ERROR, "x", "m");
    /* Tab = 4 columns, 名 = 2, é = 1, space = 1. */
    assert_string_equal(text_of(a, &list, &plain), "s:1:5: error: m [type-unknown]\n"
                                                   "    1 |     名é x\n"
                                                   "      |         ^\n");
}

static void
odd_places(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source s = {"s\033[31m", STR("a\n\xff\x01z")};
    FindingList list;
    findings_init(&list, a, NULL);
    add_at(&list, SEV_ERROR, &s, s.text.n, 0, "at the end");
    add_at(&list, SEV_ERROR, &s, 9999, 5, "behind the end");
    add_at(&list, SEV_ERROR, &s, 0, 9999, "over several lines");
    add_at(&list, SEV_NOTICE, NULL, 0, 0, "no file \033[1m");
    const char *text = text_of(a, &list, &plain);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "-> no file \\x1b[1m\n"));
    assert_non_null(strstr(text, "s\\x1b[31m:1:1: error: over several lines [type-unknown]\n"
                                 "    1 | a\n      | ^\n"));
    assert_non_null(strstr(text, ":2:4: error: at the end [type-unknown]\n"
                                 "    2 | \\xff\\x01z\n      |          ^\n"));
    assert_non_null(strstr(text, ":2:4: error: behind the end"));
    Source empty = {"e", STR("")};
    FindingList one;
    findings_init(&one, a, NULL);
    add_at(&one, SEV_ERROR, &empty, 0, 0, "m");
    assert_string_equal(text_of(a, &one, &plain),
                        "e:1:1: error: m [type-unknown]\n    1 | \n      | ^\n");
}

/* 5 MB in one line and 20,000 findings in it: linear, and short lines of output. */
static void
long_lines_are_cut(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    size_t n = 5u << 20;
    char *big = arena_alloc(a, n + 1);
    memset(big, 'x', n);
    Source s = {"s", {big, n}};
    FindingList list;
    findings_init(&list, a, NULL);
    for (size_t i = 0; i < 20000; i++)
        add_at(&list, SEV_ERROR, &s, i * 250, 3, "m");
    clock_t start = clock(); /* of this process: others may be busy */
    const char *text = text_of(a, &list, &plain);
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    for (Str rest = str_of(text); rest.p;)
        assert_true(str_cut(&rest, '\n').n <= 80);
    assert_non_null(strstr(text, "s:1:251: error: m [type-unknown]\n    1 | ...xxxx"));
}

static void
colours_and_unicode(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Term term = {.color = true, .unicode = true, .width = 80};
    Source s = {"s", STR("ab")};
    FindingList list;
    findings_init(&list, a, NULL);
    add(&list, &s, SEV_ERROR, "b", "m");
    assert_string_equal(
        text_of(a, &list, &term),
        "\033[1ms\033[0m:1:2: \033[1;31merror:\033[0m m \033[2m[type-unknown]\033[0m\n"
        "\033[34m    1 |\033[0m a\033[1;31mb\033[0m\n"
        "\033[34m      |\033[0m  \033[1;31m^\033[0m\n");
    assert_string_equal(term_mark(&term, TERM_MARK_OK), "✅");
    assert_string_equal(term_mark(&plain, TERM_MARK_OK), "ok");
}

static void
json_and_github(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source s = {"dir,a/s.prisma", STR("one\ntwo: 100%\n")};
    FindingList list;
    findings_init(&list, a, NULL);
    Finding *d = add(&list, &s, SEV_ERROR, "two", "bad: 100%\n");
    d->fix = "h";
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    findings_json_of_schema(&w, "diagnostics", &list);
    jw_end(&w);
    assert_string_equal(w.out.p,
                        "{\"diagnostics\":[{\"id\":\"type-unknown\",\"area\":\"schema\","
                        "\"severity\":\"error\",\"object\":null,"
                        "\"message\":\"bad: 100%\\n\",\"note\":null,\"fix\":\"h\","
                        "\"path\":\"dir,a/s.prisma\",\"line\":2,\"column\":1,\"endLine\":2,"
                        "\"endColumn\":4,\"hint\":\"h\",\"offset\":4,\"length\":3}]}");
    Buf b;
    buf_init(&b, a);
    findings_github(&b, &list, NULL);
    assert_string_equal(b.p, "::error file=dir%2Ca/s.prisma,line=2,col=1,title=type-unknown::"
                             "bad: 100%25%0A%0Ah\n");
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    *strrchr(here, '/') = 0;
    buf_clear(&b);
    findings_github(&b, &list, here);
    assert_null(strstr(b.p, here));
    assert_non_null(strstr(b.p, "/dir%2Ca/s.prisma,"));
    d->fix = "\x1b[2J";
    buf_clear(&b);
    findings_github(&b, &list, NULL);
    assert_null(strchr(b.p, '\x1b'));
}

static void
errors(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    err_set(&err, ERR_MIGRATION_FAILED, "migration \"x\033\" failed");
    err_detail(&err, "relation \"t\" does not exist");
    err_detail(&err, "second line");
    err_hint(&err, "aramid status");
    err_at(&err, "m/migration.sql", 3, 7);
    err.statement = 2;
    memcpy(err.sqlstate, "42P01", 6);
    Buf b;
    buf_init(&b, a);
    error_text(&b, &plain, &err);
    assert_string_equal(b.p, "error: migration \"x\\x1b\" failed (P3018)\n"
                             "  at:    m/migration.sql:3:7 (statement 2)\n"
                             "  code:  SQLSTATE 42P01\n"
                             "         relation \"t\" does not exist\n"
                             "         second line\n"
                             "  hint:  aramid status\n");
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    error_json(&w, "error", &err);
    jw_end(&w);
    assert_string_equal(w.out.p, "{\"error\":{\"code\":\"migration-failed\",\"exitStatus\":22,"
                                 "\"prisma\":\"P3018\",\"sqlstate\":\"42P01\","
                                 "\"message\":\"migration \\\"x\\u001b\\\" failed\","
                                 "\"detail\":\"relation \\\"t\\\" does not exist\\nsecond line\","
                                 "\"hint\":\"aramid status\",\"path\":\"m/migration.sql\","
                                 "\"line\":3,\"column\":7,\"statement\":2}}");
}

static void
environment_decides(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    unsetenv("NO_COLOR");
    unsetenv("FORCE_COLOR");
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", "C.UTF-8", 1);
    setenv("COLUMNS", "123", 1);
    Term t = term_detect(fds[1], TERM_AUTO);
    assert_false(t.is_tty || t.color);
    assert_true(t.unicode);
    assert_int_equal(t.width, 123);
    setenv("LC_ALL", "C", 1);
    setenv("FORCE_COLOR", "1", 1);
    t = term_detect(fds[1], TERM_AUTO);
    assert_true(t.color);
    assert_false(t.unicode);
    assert_false(term_detect(fds[1], TERM_NEVER).color);
    setenv("FORCE_COLOR", "0", 1);
    assert_false(term_detect(fds[1], TERM_AUTO).color);
    assert_true(term_detect(fds[1], TERM_ALWAYS).color);
    close(fds[0]);
    close(fds[1]);
}

static void
wrapping(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    term_wrap(&b, "aaa bbb ccc\n\nd averylongword", 4, 2, 11);
    assert_string_equal(b.p, "aaa bbb\n  ccc\n\n  d\n  averylongword");
    assert_int_equal(term_columns(STR("a\xcc\x81名\xff")), 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_place_line_and_caret),
        cmocka_unit_test(caret_stands_under_wide_and_tabbed_text),
        cmocka_unit_test(odd_places),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(colours_and_unicode),
        cmocka_unit_test(json_and_github),
        cmocka_unit_test(errors),
        cmocka_unit_test(environment_decides),
        cmocka_unit_test(wrapping),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
