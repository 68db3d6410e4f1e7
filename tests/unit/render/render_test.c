/* SQL of changes: hostile names, texts of notes. */
#include "render/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static Catalog *
begin(Arena *a)
{
    Catalog *c = catalog_new(a);
    catalog_add(c, CAT_SCHEMA, NULL, "public");
    return c;
}

static Str
script(Arena *a, Catalog *x, Catalog *y, const DiffOptions *options)
{
    catalog_finish(x);
    catalog_finish(y);
    return render_script(
        a, diff_catalogs(a, &(DiffSide){.catalog = x}, &(DiffSide){.catalog = y}, options), NULL);
}

static Catalog *
hostile(Arena *a)
{
    Catalog *c = begin(a);
    CatEnum *e = catalog_add(c, CAT_ENUM, "public", "e\"; DROP");
    *vec_add(a, &e->labels) = "it's";
    CatRelation *t = catalog_add(c, CAT_TABLE, "public", "t\"; DROP TABLE x; --");
    CatColumn *k = catalog_add_to(c, t, CAT_COLUMN, "c\"d");
    k->type = catalog_type_named(a, "public", "e\"; DROP", false);
    t->comment = "it's \\ x";
    CatIndex *i = catalog_add_to(c, t, CAT_INDEX, "i\"j");
    vec_add(a, &i->keys)->column = "c\"d";
    return c;
}

static void
names_are_quoted(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Str sql = script(a, begin(a), hostile(a), NULL);
    static const char *const expected[] = {
        "CREATE TYPE \"e\"\"; DROP\" AS ENUM ('it''s');\n",
        "CREATE TABLE \"t\"\"; DROP TABLE x; --\" (\n    \"c\"\"d\" \"e\"\"; DROP\"\n);\n",
        "COMMENT ON TABLE \"t\"\"; DROP TABLE x; --\" IS E'it''s \\\\ x';\n",
        "CREATE INDEX \"i\"\"j\" ON \"t\"\"; DROP TABLE x; --\"(\"c\"\"d\");\n",
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(sql.p, expected[i]))
            fail_msg("%s\n%s", expected[i], sql.p);
    sql = script(a, hostile(a), begin(a), NULL);
    assert_non_null(strstr(sql.p, "DROP TABLE \"t\"\"; DROP TABLE x; --\";\n"));
    assert_non_null(strstr(sql.p, "DROP TYPE \"e\"\"; DROP\";\n"));
}

static void
other_schemas_are_named(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = begin(a);
    catalog_add(c, CAT_SCHEMA, NULL, "app");
    CatRelation *t = catalog_add(c, CAT_TABLE, "app", "t");
    ((CatColumn *)catalog_add_to(c, t, CAT_COLUMN, "x"))->type = catalog_type(a, STR("text"));
    Str sql = script(a, begin(a), c, NULL);
    assert_non_null(strstr(sql.p, "CREATE TABLE \"app\".\"t\" (\n    \"x\" TEXT\n);\n"));
    assert_string_equal(script(a, begin(a), begin(a), NULL).p, "-- This is an empty migration.");
}

static Catalog *
with_default(Arena *a, const char *type, const char *expr)
{
    Catalog *c = begin(a);
    CatRelation *t = catalog_add(c, CAT_TABLE, "public", "t");
    CatColumn *k = catalog_add_to(c, t, CAT_COLUMN, "x");
    k->type = catalog_type(a, str_of(type));
    k->default_expr = expr;
    return c;
}

/* A default is a cast of its own: it goes, and comes back. */
static void
defaults_around_a_type(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Str sql = script(a, with_default(a, "text", "'1'"), with_default(a, "integer", "1"), NULL);
    assert_string_equal(sql.p, "-- AlterTable\n"
                               "ALTER TABLE \"t\" ALTER COLUMN \"x\" DROP DEFAULT,\n"
                               "ALTER COLUMN \"x\" SET DATA TYPE INTEGER USING "
                               "(\"x\"::text::INTEGER),\n"
                               "ALTER COLUMN \"x\" SET DEFAULT 1;\n");
    sql = script(a, with_default(a, "jsonb", "'{}'"), with_default(a, "json", "'{}'"), NULL);
    assert_non_null(strstr(sql.p, "SET DEFAULT '{}'"));
}

static void
answers(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DiffEffect n = {.id = FINDING_DIFF_MADE_REQUIRED, .at = {CAT_COLUMN, "public", "t", "c"}};
    static const char plain[] = "Made the column `c` on table `t` required. This step will fail if "
                                "there are existing NULL values in that column.";
    assert_string_equal(render_effect(a, &n), plain);
    static const struct {
        int64_t rows, hits;
        const char *words;
    } cases[] = {
        {0, 0, "The table is empty."},
        {120, 3, "3 of 120 rows have NULL."},
        {DIFF_ROWS_MAX, DIFF_ROWS_MAX, "100000 or more of 100000 or more rows have NULL."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        diff_answer(&n, cases[i].rows, cases[i].hits);
        assert_string_equal(render_effect(a, &n), str_fmt(a, "%s %s", plain, cases[i].words));
    }
    DiffEffect e = {.id = FINDING_DIFF_ENUM_VALUES_REMOVED, .at = {CAT_ENUM, "public", "e", NULL}};
    diff_answer(&e, 0, 0);
    assert_non_null(strstr(render_effect(a, &e), "No row uses them."));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(other_schemas_are_named),
        cmocka_unit_test(defaults_around_a_type),
        cmocka_unit_test(answers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
