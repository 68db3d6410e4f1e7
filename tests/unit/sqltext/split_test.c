#include "sqltext/sqltext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* The statements of `sql`, joined by " | "; the error's place and text when it is refused. */
static const char *
split(Arena *a, const char *sql)
{
    SqlScript s;
    Err err;
    if (!sql_split(a, "m.sql", str_of(sql), &s, &err))
        return str_fmt(a, "%d:%d %s", err.at.line, err.at.column, err.primary);
    Buf b;
    buf_init(&b, a);
    vec_each (SqlSpan, st, &s.stmts) {
        if (b.n)
            buf_addz(&b, " | ");
        buf_add(&b, str_slice(s.text, st->off, st->off + st->len));
    }
    return b.p;
}

typedef struct Case {
    const char *sql, *want;
} Case;

static void
check_cases(const Case *cases, size_t n)
{
    ARENA_LOCAL(a);
    for (size_t i = 0; i < n; i++) {
        const char *got = split(a, cases[i].sql);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\n  got:  %s\n  want: %s", cases[i].sql, got, cases[i].want);
    }
}

#define CHECK(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

static void
plain(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"", ""},
        {" \n;;; -- x\n ;", ""},
        {"SELECT 1", "SELECT 1"},
        {"SELECT 1;SELECT 2", "SELECT 1 | SELECT 2"},
        {"a;\r\nb\r;c", "a | b | c"},
        {"SELECT 1 -- last; comment", "SELECT 1"},
        {"SELECT 1; -- a;\n/* b; */ SELECT /* c; */ 2 /* d */;", "SELECT 1 | SELECT /* c; */ 2"},
        {"/* a /* b; */ c; */ x;y", "x | y"},
        {"x --a\ry;z", "x --a\ry | z"}, /* a lone CR ends a comment */
        {"a - - b; c", "a - - b | c"},
        {"a */*;*/ b; c", "a */*;*/ b | c"},
        {"\xef\xbb\xbfSELECT 1;x", "SELECT 1 | x"},
        {"SELECT '\xc3\xa4;\xf0\x9f\x98\x80'; x", "SELECT '\xc3\xa4;\xf0\x9f\x98\x80' | x"},
        {"SELECT a[1:2]; x", "SELECT a[1:2] | x"},
    };
    CHECK(cases);
}

static void
quotes(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"'a;''b;';c", "'a;''b;' | c"},
        {"'a\\'; b", "'a\\' | b"},
        {"E'a\\';'; b", "E'a\\';' | b"},
        {"e'\\\\'; b", "e'\\\\' | b"},
        {"E'a''\\';'; b", "E'a''\\';' | b"},
        {"name'a\\'; b", "name'a\\' | b"},
        {"e 'a\\'; b", "e 'a\\' | b"},
        {"E'a' -- x\n '\\';' ; b", "E'a' -- x\n '\\';' | b"}, /* one string in two parts */
        {"E'a' '\\' ; b", "E'a' '\\' | b"},                   /* two strings */
        {"U&'\\';b", "U&'\\' | b"},
        {"u&\"a;\"\"\";b", "u&\"a;\"\"\" | b"},
        {"B'1;'; x'f;'; N'\\';b", "B'1;' | x'f;' | N'\\' | b"},
        {"\"a;\"\"b\";c", "\"a;\"\"b\" | c"},
        {"$$a;$$;b", "$$a;$$ | b"},
        {"$a$;$$;$b$;$a$;c", "$a$;$$;$b$;$a$ | c"},
        {"$\xc3\xa4_1$;$\xc3\xa4_1$;c", "$\xc3\xa4_1$;$\xc3\xa4_1$ | c"},
        {"a$b$;c$b$;d", "a$b$ | c$b$ | d"}, /* inside of an identifier */
        {"$1;$2$;", "$1 | $2$"},
        {"$1$a$;$a$;b", "$1$a$;$a$ | b"},
        {"$a;$ b;", "$a | $ b"},
        {"1$x$;$x$;b", "1$x$;$x$ | b"},
        {"'a;", "1:1 unterminated quoted string"},
        {"x;\n  E'\\'", "2:3 unterminated quoted string"},
        {"x\n\xc3\xa4 \"a;", "2:3 unterminated quoted identifier"},
        {"a; $q$ $Q$", "1:4 unterminated dollar-quoted string"},
        {"a /* /* */", "1:3 unterminated comment"},
    };
    CHECK(cases);
}

static void
nesting(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); x",
         "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2) | x"},
        {"a); b", "a) | b"},
        {"(a; (b;) c;", "(a; (b;) c;"},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; x",
         "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END | x"},
        {"create or replace procedure p() begin atomic select case when a then b end; end; x",
         "create or replace procedure p() begin atomic select case when a then b end; end | x"},
        {"CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; "
         "SELECT 1 AS end; SELECT t.end, t.case; END; x",
         "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; "
         "SELECT 1 AS end; SELECT t.end, t.case; END | x"},
        {"CREATE FUNCTION f(begin int) AS 'a'; x", "CREATE FUNCTION f(begin int) AS 'a' | x"},
        {"CREATE FUNCTION begin() AS 'a'; x", "CREATE FUNCTION begin() AS 'a' | x"},
        {"BEGIN; a; END; b", "BEGIN | a | END | b"},
        {"BEGIN ATOMIC; a", "BEGIN ATOMIC | a"},
        {"CREATE TABLE begin (atomic int); b", "CREATE TABLE begin (atomic int) | b"},
        {"DO $$ BEGIN a; END $$; b", "DO $$ BEGIN a; END $$ | b"},
    };
    CHECK(cases);
}

static void
refused(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"a;\n\\connect x", "2:1 \"\\connect\" is a command of psql, not SQL"},
        {"\\restrict abc\nSELECT 1;", "1:1 \"\\restrict\" is a command of psql, not SQL"},
        {"SELECT 1 \\gexec", "1:10 \"\\gexec\" is a command of psql, not SQL"},
        {"x;\nCOPY t (a, b) FROM stdin;\n1\t2\n\\.\n",
         "2:1 COPY ... FROM STDIN cannot be part of a migration"},
        {"copy t from /* x */ STDOUT", "1:1 COPY ... FROM STDIN cannot be part of a migration"},
        {"COPY t FROM '/a'; COPY (SELECT 1 FROM stdin) TO STDOUT; COPY \"from\" TO 'x'",
         "COPY t FROM '/a' | COPY (SELECT 1 FROM stdin) TO STDOUT | COPY \"from\" TO 'x'"},
        {"SELECT * FROM stdin", "SELECT * FROM stdin"},
        {"a\nb\xff", "2:2 file is not valid UTF-8"},
        {"\xff\xfeS", "1:1 file is UTF-16, not UTF-8"},
        {"\xfe\xff", "1:1 file is UTF-16, not UTF-8"},
    };
    CHECK(cases);
    ARENA_LOCAL(a);
    SqlScript s;
    Err err;
    assert_false(sql_split(a, "m.sql", STR("a;\n \0b"), &s, &err));
    assert_string_equal(err.primary, "file holds a NUL byte");
    assert_int_equal(err.at.line, 2);
    assert_int_equal(err.at.column, 2);
    assert_false(sql_split(a, NULL, STR("\xff\xfe"), &s, &err));
    assert_false(sql_split(a, "m.sql", STR("\\restrict x"), &s, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
    assert_string_equal(err.at.path, "m.sql");
    assert_string_equal(err.hint, "Remove the line: pg_dump writes it for psql only.");
}

static void
places(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    SqlScript s;
    Err err;
    Str text = STR("\xef\xbb\xbf-- c\r\nfirst ;\r \xc3\xa4, second\n\n  third /* x */");
    assert_true(sql_split(a, "m.sql", text, &s, &err));
    assert_int_equal(s.bom, 3);
    assert_int_equal(s.text.n, text.n - 3);
    assert_int_equal(s.stmts.n, 2);
    const SqlSpan *one = &s.stmts.v[0], *two = &s.stmts.v[1];
    assert_int_equal(one->line, 2);
    assert_int_equal(one->column, 1);
    assert_int_equal(one->off, 6);
    assert_int_equal(one->len, 5);
    assert_int_equal(one->end, 13);
    assert_int_equal(two->line, 3);
    assert_int_equal(two->column, 2);
    assert_int_equal(two->end, s.text.n);
    assert_true(
        str_is(str_slice(s.text, two->off, two->off + two->len), "\xc3\xa4, second\n\n  third"));
    assert_false(s.has_opaque);
}

/* Big inputs of the shapes that make careless splitters slow or deep. */
static void
big_inputs(void **state)
{
    (void)state;
    enum { N = 100000 };
    static const struct {
        const char *head, *repeat, *middle, *tail;
        size_t stmts;
    } shapes[] = {
        {"SELECT ", "(", "1", ")", 1},
        {"", "/*", "x", "*/", 0},
        {"", "a;", "", "", N},
        {"", "\n;", "", "--\n", 0},
        {"SELECT ", "E'a'\n", "", "", 1},
        {"SELECT ", "$a ", "", "$b$$b$,", 1},
        {"CREATE FUNCTION f() BEGIN ATOMIC ", "CASE ", "", "END ", 1},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ARENA_LOCAL(a);
        Buf b;
        buf_init(&b, a);
        buf_addz(&b, shapes[i].head);
        for (int k = 0; k < N; k++)
            buf_addz(&b, shapes[i].repeat);
        buf_addz(&b, shapes[i].middle);
        for (int k = 0; k < N; k++)
            buf_addz(&b, shapes[i].tail);
        SqlScript s;
        Err err;
        assert_true(sql_split(a, "m.sql", buf_str(&b), &s, &err));
        assert_int_equal(s.stmts.n, shapes[i].stmts);
    }
}

static void
quoting(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    sql_add_ident(&b, "a\"B; \xc3\xa4");
    buf_addc(&b, ' ');
    sql_add_name(&b, "s", "t");
    buf_addc(&b, ' ');
    sql_add_name(&b, "", "t");
    buf_addc(&b, ' ');
    sql_add_name(&b, NULL, "");
    assert_string_equal(b.p, "\"a\"\"B; \xc3\xa4\" \"s\".\"t\" \"t\" \"\"");
    buf_clear(&b);
    sql_add_literal(&b, STR("it's"));
    buf_addc(&b, ',');
    sql_add_literal(&b, STR("\\' x"));
    buf_addc(&b, ',');
    sql_add_literal(&b, STR(""));
    assert_string_equal(b.p, "'it''s', E'\\\\'' x',''");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),   cmocka_unit_test(quotes), cmocka_unit_test(nesting),
        cmocka_unit_test(refused), cmocka_unit_test(places), cmocka_unit_test(big_inputs),
        cmocka_unit_test(quoting),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
