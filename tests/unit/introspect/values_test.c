/* The parts of reading that need no server: patterns, arrays, access control lists, intro_queries.
 */
#include "introspect/introspect_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"auth", "auth", true},
        {"auth", "author", false},
        {"auth*", "author", true},
        {"*", "", true},
        {"", "", true},
        {"", "x", false},
        {"*.t", "a.b.t", true},
        {"*.t", "a.tt", false},
        {"a*b*c", "aXXbYbZc", true},
        {"a*b*c", "aXXbYbZ", false},
        {"**x", "x", true},
        {"supabase_*", "supabase", false},
        {"*._prisma_*", "x._prisma_migrations", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (introspect_matches(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s %s", cases[i].pattern, cases[i].text);
}

static void
arrays(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Strs s = intro_array(a, STR("{a,\"b,\\\"}\\\\\",NULL,\"NULL\",\"\",{x,y}}"));
    static const char *const expected[] = {"a", "b,\"}\\", NULL, "NULL", "", "x", "y"};
    assert_int_equal(s.n, 7);
    for (size_t i = 0; i < s.n; i++)
        assert_true(expected[i] ? s.v[i].p && str_is(s.v[i], expected[i]) : !s.v[i].p);
    assert_int_equal(intro_array(a, STR("{}")).n, 0);
    assert_int_equal(intro_array(a, (Str){0}).n, 0);
    assert_int_equal(intro_array(a, STR("{\"open")).n, 1);
    assert_int_equal(intro_array(a, STR("{\"\\")).n, 1);
}

static const char *
grants_text(Arena *a, CatGrants grants)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < grants.n; i++)
        buf_fmt(&b, "%s%s=%s", i ? " " : "", grants.v[i].role ? grants.v[i].role : "",
                grants.v[i].privileges);
    return b.p;
}

static void
access_lists(void **state)
{
    (void)state;
    static const struct {
        CatKind kind;
        const char *name;
        int major;
        const char *acl, *grants;
    } cases[] = {
        {CAT_TABLE, "t", 15, NULL, ""},
        {CAT_TABLE, "t", 15, "{}", "me="}, /* everything is gone, also from the owner */
        {CAT_TABLE, "t", 15, "{me=arwdDxt/me}", ""},
        {CAT_TABLE, "t", 17, "{me=arwdDxtm/me}", ""},
        {CAT_TABLE, "t", 17, "{me=arwdDxt/me}", "me=arwdDxt"},
        {CAT_TABLE, "t", 15, "{me=a*r*w*d*D*x*t*/me,=r/me}", "=r"},
        {CAT_TABLE, "t", 15, "{me=arwdDxt/me,you=r*w/me,you=a/he}", "you=ar*w"},
        {CAT_TABLE, "t", 15, "{me=arwdDxt/me,\"\\\"o\\\"\\\"=,dd\\\"=r/me\"}", "o\"=,dd=r"},
        {CAT_FUNCTION, "f", 15, "{me=X/me,=X/me}", ""},
        {CAT_FUNCTION, "f", 15, "{me=X/me}", "="},
        {CAT_FUNCTION, "f", 15, "{me=X/me,=X/me,you=X/me}", "you=X"},
        {CAT_ENUM, "e", 15, "{me=U/me,you=U/me}", "= you=U"},
        {CAT_SEQUENCE, "s", 15, "{me=rwU/me,you=U/me}", "you=U"},
        {CAT_COLUMN, "c", 15, "{me=r/me}", "me=r"},
        {CAT_SCHEMA, "app", 15, "{me=UC/me,=U/me}", "=U"},
        {CAT_SCHEMA, "public", 15, "{me=UC/me,=U/me}", ""},
        {CAT_SCHEMA, "public", 14, "{me=UC/me,=UC/me}", ""},
        {CAT_SCHEMA, "public", 14, "{me=UC/me,=U/me}", "=U"},
        {CAT_SCHEMA, "public", 15, "{me=UC/me}", "="},
        {CAT_SCHEMA, "public", 15, NULL, "="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Reading r = {.arena = a, .scratch = a, .major = cases[i].major};
        CatRef id = {cases[i].kind, NULL, cases[i].name, NULL};
        const char *owner = cases[i].kind == CAT_COLUMN ? NULL : "me";
        CatGrants grants =
            intro_acl(&r, &id, owner, cases[i].acl ? str_of(cases[i].acl) : (Str){0});
        /* In the order of catalog_finish. */
        for (size_t k = 1; k < grants.n; k++)
            for (size_t m = k;
                 m && (!grants.v[m].role || (grants.v[m - 1].role &&
                                             strcmp(grants.v[m].role, grants.v[m - 1].role) < 0));
                 m--) {
                CatGrant swap = grants.v[m];
                grants.v[m] = grants.v[m - 1];
                grants.v[m - 1] = swap;
            }
        if (strcmp(grants_text(a, grants), cases[i].grants) != 0)
            fail_msg("%s: %s", cases[i].acl, grants_text(a, grants));
    }
}

static void
braces(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Reading r = {.arena = a, .scratch = a, .major = 15};
    *vec_add(a, &r.schemas) = 2200;
    *vec_add(a, &r.schemas) = 16400;
    Buf b;
    buf_init(&b, a);
    intro_query_add(
        &b, &r,
        "x {=} 1 {16|new {=}|old {>=}} {15|new|old}{15||old} y {ns} {in a,b} {text p|f(p)}");
    assert_string_equal(b.p, "x OPERATOR(pg_catalog.=) 1 old OPERATOR(pg_catalog.>=) new y "
                             "OPERATOR(pg_catalog.=) ANY ('{2200,16400}'::pg_catalog.oid[]) "
                             "OPERATOR(pg_catalog.=) ANY ('{a,b}'::pg_catalog.\"char\"[]) "
                             "CASE WHEN p IS NOT NULL THEN COALESCE(f(p), '') END");
    /* Nothing is left over, and every operator is named with its schema. */
    for (int major = 13; major <= 18; major++)
        for (size_t i = 0; i < intro_nqueries; i++) {
            r.major = major;
            buf_clear(&b);
            if (intro_queries[i].sql)
                intro_query_add(&b, &r, intro_queries[i].sql);
            else
                intro_probe_add(&b, &r);
            assert_null(strstr(b.p, "{="));
            assert_null(strstr(b.p, "|"));
            for (const char *p = b.p; (p = strpbrk(p, "=<>")); p++)
                if (p[-1] != '.' && p[-1] != '<' && p[-1] != '>')
                    fail_msg("%.60s", p > b.p + 20 ? p - 20 : b.p);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(arrays),
        cmocka_unit_test(access_lists),
        cmocka_unit_test(braces),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
