#include "sqltext/sqltext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

typedef struct Case {
    const char *sql, *want;
} Case;

/* The first statement with "RANGE(alias)" put in; or the error with its place. */
static const char *
batch(Arena *a, const char *sql)
{
    SqlScript s;
    SqlDirectiveVec found;
    SqlBatch b;
    SqlStmt stmt;
    Err err;
    Buf out;
    assert_true(sql_split(a, "m.sql", str_of(sql), &s, &err));
    sql_classify(a, &s);
    buf_init(&out, a);
    if (!sql_directives(a, "m.sql", &s, &found, &err) ||
        !sql_batch(a, "m.sql", &s, &found.v[0], &b, &err))
        return str_fmt(a, "%d:%d %s", err.at.line, err.at.column, err.primary);
    sql_stmt(&s, found.v[0].statement, &stmt);
    buf_fmt(&out, "%s.%s ", b.table.schema, b.table.name);
    vec_each (const char *, key, &b.keys)
        buf_fmt(&out, "[%s]", *key);
    sql_add_batch(&out, str_slice(s.text, stmt.off, stmt.off + stmt.len), &b,
                  str_of(str_fmt(a, "RANGE(%s)", b.alias)));
    for (size_t i = 0; i < out.n; i++)
        out.p[i] = out.p[i] == '\n' ? ' ' : out.p[i];
    return out.p;
}

static void
check_cases(const Case *cases, size_t n, const char *directive)
{
    ARENA_LOCAL(a);
    for (size_t i = 0; i < n; i++) {
        const char *got = batch(a, str_fmt(a, "%s%s", directive, cases[i].sql));
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\n  got:  %s\n  want: %s", cases[i].sql, got, cases[i].want);
    }
}

static void
test_where_the_condition_goes(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"UPDATE t SET a = 1", ".t UPDATE t SET a = 1 WHERE RANGE(t) "},
        {"UPDATE ONLY s.\"T t\" * AS \"U\" SET a = 1 WHERE b -- all\n;",
         "s.T t UPDATE ONLY s.\"T t\" * AS \"U\" SET a = 1 WHERE ( b ) AND RANGE(U) "},
        {"UPDATE t x SET a = 1, b = ARRAY[1, id] WHERE b = 1 OR c = 2 RETURNING a",
         ".t UPDATE t x SET a = 1, b = ARRAY[1, id] WHERE ( b = 1 OR c = 2  ) AND RANGE(x) "
         "RETURNING a"},
        {"UPDATE t SET a = (SELECT 1 FROM u WHERE u.b = t.b) FROM v AS \"where\" RETURNING 1",
         ".t UPDATE t SET a = (SELECT 1 FROM u WHERE u.b = t.b) FROM v AS \"where\"  WHERE "
         "RANGE(t) "
         "RETURNING 1"},
        {"UPDATE t SET (a, b) = (SELECT 1, 2), c[1] = 3 WHERE true",
         ".t UPDATE t SET (a, b) = (SELECT 1, 2), c[1] = 3 WHERE ( true ) AND RANGE(t) "},
        {"DELETE FROM t USING v WHERE t.a = v.a",
         ".t DELETE FROM t USING v WHERE ( t.a = v.a ) AND RANGE(t) "},
        {"DELETE FROM ONLY (t)", ".t DELETE FROM ONLY (t) WHERE RANGE(t) "},
        {"WITH w AS (SELECT 1 WHERE true) DELETE FROM t WHERE a IN (SELECT * FROM w)",
         ".t WITH w AS (SELECT 1 WHERE true) DELETE FROM t WHERE ( a IN (SELECT * FROM w) ) AND "
         "RANGE(t) "},
        {"INSERT INTO u (a, b) SELECT a, t.limit AS where FROM s.t",
         "s.t INSERT INTO u (a, b) SELECT a, t.limit AS where FROM s.t WHERE RANGE(t) "},
        {"INSERT INTO u SELECT * FROM t JOIN v ON v.a = t.a WHERE t.b ON CONFLICT (a) DO UPDATE "
         "SET a = 1 "
         "WHERE u.a = 2",
         ".t INSERT INTO u SELECT * FROM t JOIN v ON v.a = t.a WHERE ( t.b  ) AND RANGE(t) ON "
         "CONFLICT "
         "(a) DO UPDATE SET a = 1 WHERE u.a = 2"},
        {"WITH w AS (SELECT 1) INSERT INTO u SELECT * FROM t AS x LEFT JOIN w ON true FOR UPDATE",
         ".t WITH w AS (SELECT 1) INSERT INTO u SELECT * FROM t AS x LEFT JOIN w ON true  WHERE "
         "RANGE(x) "
         "FOR UPDATE"},
    };
    check_cases(cases, COUNT(cases), "-- aramid:batch\n");
}

static void
test_refused(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"SELECT 1", "1:11 SELECT cannot run in batches"},
        {"CREATE TABLE t (a int)", "1:11 CREATE TABLE cannot run in batches"},
        {"INSERT INTO t VALUES (1)",
         "2:1 an INSERT runs in batches only where its rows come from a table"},
        {"INSERT INTO t SELECT 1",
         "2:1 the table that the rows of the INSERT come from cannot be read"},
        {"INSERT INTO t SELECT DISTINCT a FROM u",
         "2:22 the statement means something else when it runs in batches (DISTINCT)"},
        {"INSERT INTO t SELECT a FROM u\nLIMIT 5",
         "3:1 the statement means something else when it runs in batches (LIMIT)"},
        {"INSERT INTO t SELECT a, count(*) FROM u WHERE b GROUP BY a",
         "2:49 the statement means something else when it runs in batches (GROUP)"},
        {"INSERT INTO t SELECT a FROM u UNION ALL SELECT 1",
         "2:31 the statement means something else when it runs in batches (UNION)"},
        {"INSERT INTO t SELECT a FROM u RIGHT JOIN v ON true",
         "2:31 the statement means something else when it runs in batches (RIGHT)"},
        {"WITH w AS (DELETE FROM u RETURNING a) UPDATE t SET a = 1",
         "2:12 a WITH that changes rows cannot run in batches"},
        {"UPDATE t SET a = 1 WHERE CURRENT OF c", "2:26 WHERE CURRENT OF cannot run in batches"},
    };
    check_cases(cases, COUNT(cases), "-- aramid:batch\n");
}

static void
test_options(void **state)
{
    (void)state;
    static const Case cases[] = {
        {" key=id size=500 time=40ms table=t\nDELETE FROM t",
         ".t [id]DELETE FROM t WHERE RANGE(t) "},
        {" key=a,\"B b\"  table=\"S\".\"t\"\nDELETE FROM \"S\".t",
         "S.t [a][B b]DELETE FROM \"S\".t WHERE RANGE(t) "},
        {" size=0\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"size=0\""},
        {" key=\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"key=\""},
        {" key=a.b\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"key=a.b\""},
        {" by=id\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"by=id\""},
        {" users\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"users\""},
        {" time=soon\nDELETE FROM t", "1:11 the directive \"batch\" has no option \"time=soon\""},
        {" table=u\nDELETE FROM t",
         "1:11 the statement behind the directive is about the table \"t\", not \"u\""},
        {" key=id\nUPDATE t SET a = 1, \"id\" = 2",
         "1:11 the statement changes \"id\", the key of its batches"},
        {" key=id\nUPDATE t SET (a, id) = (1, 2)",
         "1:11 the statement changes \"id\", the key of its batches"},
        {"\n-- aramid:batch\nDELETE FROM t", "2:11 the directive \"batch\" is said twice"},
        {"\n-- aramid:prove\nDELETE FROM t",
         "2:11 the directives \"batch\" and \"prove\" are about the same statement"},
        {"\n", "1:11 no statement stands behind the directive \"batch\""},
    };
    check_cases(cases, COUNT(cases), "-- aramid:batch");
}

static void
test_inside_a_statement(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"DELETE\n-- aramid:batch\nFROM t",
         "2:11 the directive \"batch\" stands inside a statement"},
        {"SELECT 1; DELETE FROM t; -- aramid:prove\n",
         "1:36 no statement stands behind the directive \"prove\""},
    };
    check_cases(cases, COUNT(cases), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_the_condition_goes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_inside_a_statement),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
