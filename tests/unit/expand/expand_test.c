#include "expand/expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* A table with a key, a column that must not be empty, and one of another type. */
static Catalog *
people(Arena *a)
{
    Catalog *c = catalog_new(a);
    CatRelation *t = catalog_add(c, CAT_TABLE, "app", "My \"People\"");
    CatColumn *id = catalog_add_to(c, t, CAT_COLUMN, "id");
    id->type = catalog_type(a, STR("integer"));
    id->is_not_null = true;
    CatColumn *name = catalog_add_to(c, t, CAT_COLUMN, "Na\"me");
    name->type = catalog_type(a, STR("text"));
    name->is_not_null = true;
    CatColumn *data = catalog_add_to(c, t, CAT_COLUMN, "data");
    data->type = catalog_type(a, STR("json"));
    CatConstraint *key = catalog_add_to(c, t, CAT_CONSTRAINT, "people_pkey");
    key->type = CAT_PRIMARY_KEY;
    *vec_add(a, &key->columns) = "id";
    catalog_finish(c);
    return c;
}

static bool
has(Str text, const char *part)
{
    return str_contains(text, str_of(part));
}

static void
test_names_are_quoted(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    ExpandScript s;
    ExpandWish wish = {.kind = EXPAND_RENAME_COLUMN,
                       .schema = "app",
                       .target = "\"My \"\"People\"\"\".\"Na\"\"me\"",
                       .to = "full name"};
    assert_true(expand_write(a, people(a), &wish, &s, &err));
    assert_string_equal(s.change.name, "my_people_full_name");
    assert_true(has(s.sql,
                    "-- aramid:expand rename-column \"app\".\"My \"\"People\"\"\".\"Na\"\"me\" "
                    "\"full name\"\n"));
    assert_true(
        has(s.sql, "ALTER TABLE \"app\".\"My \"\"People\"\"\" ADD COLUMN \"full name\" text;"));
    assert_true(has(s.sql,
                    "-- aramid:batch\nUPDATE \"app\".\"My \"\"People\"\"\" SET \"full name\" = "
                    "\"Na\"\"me\""));
    assert_true(has(s.sql, "SELECT \"id\" FROM"));
    assert_true(has(s.sql, "IS NOT NULL) NOT VALID"));
    ExpandChange read;
    Str value = str_of(s.sql.p + strlen("-- aramid:expand "));
    assert_true(expand_read(a, str_cut(&value, '\n'), &read));
    assert_string_equal(read.column, "Na\"me");
    assert_string_equal(read.table, "My \"People\"");
    assert_string_equal(read.made.v[0], "full name");
    assert_string_equal(read.name, s.change.name);
}

static void
test_a_type_without_equality_is_compared_as_text(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    ExpandScript s;
    ExpandWish wish = {.kind = EXPAND_RENAME_COLUMN,
                       .schema = "app",
                       .target = "\"My \"\"People\"\"\".data",
                       .to = "info"};
    assert_true(expand_write(a, people(a), &wish, &s, &err));
    assert_true(has(s.sql, "(\"info\")::text IS DISTINCT FROM (\"data\")::text"));
    assert_false(has(s.sql, "NOT VALID"));
}

static void
test_heads_that_say_nothing(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    ExpandChange read;
    const char *bad[] = {"",
                         "rename-column",
                         "rename-column t.c",
                         "rename-column s.t.c",
                         "split s.t",
                         "merge s.t.c d",
                         "drop-column s.t.c d",
                         "rename-table s.t.c d",
                         "rename-table s.t",
                         "rename-column \"s.t.c d"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(expand_read(a, str_of(bad[i]), &read));
    assert_true(expand_read(a, STR("rename-table s.t  new"), &read));
    assert_string_equal(read.name, "t_new");
    assert_true(expand_read(a, STR("split s.t.c a \"b c\""), &read));
    assert_int_equal(read.made.n, 2);
}

static void
test_kinds(void **state)
{
    (void)state;
    for (int i = 0; i < EXPAND_KIND_COUNT; i++) {
        ExpandKind kind;
        assert_true(expand_kind_of(expand_kind_name((ExpandKind)i), &kind));
        assert_int_equal(kind, i);
    }
    ExpandKind kind;
    assert_false(expand_kind_of("contract", &kind));
    assert_string_equal(expand_state_name(EXPAND_EXPANDED), "expanded");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_quoted),
        cmocka_unit_test(test_a_type_without_equality_is_compared_as_text),
        cmocka_unit_test(test_heads_that_say_nothing),
        cmocka_unit_test(test_kinds),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
