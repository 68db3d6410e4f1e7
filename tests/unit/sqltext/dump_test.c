/* Statements from a stream, and what a restore must know of them. */
#include "sqltext/sqltext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The statements of `sql` with " | " between them, as a stream gives them that is cut at any byte. */
static const char *
stream(Arena *a, const char *sql)
{
    const char *first = NULL;
    for (size_t piece = 1; piece <= strlen(sql); piece++) {
        Buf out, text;
        buf_init(&out, a);
        buf_init(&text, a);
        size_t used = 0, off, len, end;
        for (size_t at = 0; at < strlen(sql); at += piece) {
            size_t n = strlen(sql) - at < piece ? strlen(sql) - at : piece;
            buf_add(&text, (Str){sql + at, n});
            bool is_last = at + n == strlen(sql);
            while (used < text.n && sql_next_statement(str_slice(buf_str(&text), used, text.n),
                                                       is_last, &off, &len, &end)) {
                buf_fmt(&out, "%s" STR_FMT, out.n ? " | " : "", (int)len, text.p + used + off);
                used += end;
            }
        }
        if (first && strcmp(first, out.p) != 0)
            fail_msg("%s\n  in pieces of %zu: %s\n  of one: %s", sql, piece, out.p, first);
        first = out.p;
    }
    return first;
}

static void
statements(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT 1; SELECT 2;", "SELECT 1 | SELECT 2"},
        {"-- c;\n;; /* ; */ a 'x;''y' ; b", "a 'x;''y' | b"},
        {"a $x$ ; $y$ ; $x$ ; b", "a $x$ ; $y$ ; $x$ | b"},
        {"a \"x;\"; CREATE RULE r AS DO (a; b); c;", "a \"x;\" | CREATE RULE r AS DO (a; b) | c"},
        {"CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; b;",
         "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END | b"},
        {"-- nothing\n", ""},
        {"a E'\\';' ; b", "a E'\\';' | b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        assert_string_equal(stream(a, cases[i][0]), cases[i][1]);
    }
}

static void
unclosed(void **state)
{
    (void)state;
    size_t off = 0, len = 0, end = 0;
    assert_false(sql_next_statement(STR("a 'b"), true, &off, &len, &end));
    assert_int_equal(len, 2);
    assert_false(sql_next_statement(STR("a"), false, &off, &len, &end));
}

static void
facts(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        SqlDumpKind kind;
        const char *name, *roles;
    } cases[] = {
        {"ALTER TABLE public.owner OWNER TO \"a b\"", SQL_DUMP_OWNER, "", "a b"},
        {"ALTER FUNCTION f(owner \"to\") OWNER TO x", SQL_DUMP_OWNER, "", "x"},
        {"ALTER TABLE t ADD CONSTRAINT owner CHECK (a)", SQL_DUMP_OTHER, "", ""},
        {"ALTER TABLE t OWNER TO CURRENT_USER", SQL_DUMP_OWNER, "", ""},
        {"ALTER DATABASE x SET a TO b", SQL_DUMP_DATABASE, "", ""},
        {"ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES TO b",
         SQL_DUMP_PRIVILEGES, "", "a b"},
        {"GRANT SELECT(a),INSERT ON TABLE \"to\" TO a,\"B\" WITH GRANT OPTION", SQL_DUMP_PRIVILEGES,
         "", "a B"},
        {"GRANT ALL ON SCHEMA public TO PUBLIC", SQL_DUMP_PRIVILEGES, "", ""},
        {"GRANT ALL ON SCHEMA public TO \"public\"", SQL_DUMP_PRIVILEGES, "", "public"},
        {"REVOKE ALL ON FUNCTION f(a text) FROM c", SQL_DUMP_PRIVILEGES, "", "c"},
        {"CREATE POLICY p ON t FOR SELECT TO a, b USING ((x = 'to'))", SQL_DUMP_POLICY, "", "a b"},
        {"CREATE POLICY p ON t USING ((SELECT 1) IN (1))", SQL_DUMP_POLICY, "", ""},
        {"CREATE SCHEMA \"x y\" AUTHORIZATION z", SQL_DUMP_SCHEMA, "x y", "z"},
        {"CREATE SCHEMA public", SQL_DUMP_SCHEMA, "public", ""},
        {"CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA public", SQL_DUMP_EXTENSION,
         "uuid-ossp", ""},
        {"COMMENT ON EXTENSION x IS 'y'", SQL_DUMP_EXTENSION_COMMENT, "", ""},
        {"SET transaction_timeout = 0", SQL_DUMP_SETTING, "transaction_timeout", ""},
        {"SET LOCAL a.b TO 1", SQL_DUMP_SETTING, "a.b", ""},
        {"SELECT pg_catalog.set_config('search_path', '', false)", SQL_DUMP_SETTING, "search_path",
         ""},
        {"SELECT pg_catalog.setval('s', 1)", SQL_DUMP_OTHER, "", ""},
        {"SET SESSION AUTHORIZATION 'who'", SQL_DUMP_OWNER, "", "who"},
        {"SET SESSION AUTHORIZATION DEFAULT", SQL_DUMP_OWNER, "", ""},
        {"BEGIN", SQL_DUMP_TRANSACTION, "", ""},
        {"ROLLBACK", SQL_DUMP_ROLLBACK, "", ""},
        {"CREATE DATABASE x", SQL_DUMP_DATABASE, "", ""},
        {"CREATE ROLE x", SQL_DUMP_ROLE, "", ""},
        {"CREATE USER MAPPING FOR x SERVER y", SQL_DUMP_OTHER, "", ""},
        {"ALTER TABLE ONLY public.a ADD CONSTRAINT \"references\" FOREIGN KEY (b) REFERENCES "
         "s.\"C\"(id)",
         SQL_DUMP_FOREIGN_KEY, "", ""},
        {"ALTER TABLE a ADD CONSTRAINT c CHECK ((x = 'references'))", SQL_DUMP_OTHER, "", ""},
        {"ALTER TABLE ONLY a ATTACH PARTITION b FOR VALUES IN (1)", SQL_DUMP_ATTACH, "", ""},
        {"REFRESH MATERIALIZED VIEW s.\"a b\"", SQL_DUMP_REFRESH, "a b", ""},
        {"CREATE TABLE t (a int)", SQL_DUMP_OTHER, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        SqlDumpStmt s = sql_dump_statement(a, str_of(cases[i].sql));
        Buf roles;
        buf_init(&roles, a);
        vec_each (const char *, role, &s.roles)
            buf_fmt(&roles, "%s%s", roles.n ? " " : "", *role);
        if (s.kind != cases[i].kind || strcmp(s.name, cases[i].name) != 0 ||
            strcmp(roles.p, cases[i].roles) != 0)
            fail_msg("%s: kind %d, name \"%s\", roles \"%s\"", cases[i].sql, s.kind, s.name,
                     roles.p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(statements), cmocka_unit_test(unclosed),
                                       cmocka_unit_test(facts)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
