/* The formatter: golden cases, properties, what it adds and what it refuses. */
#include "same.h"

#include "base/fs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *golden;

/* Every tests/golden/psl/format/<case>: in.prisma becomes out.prisma, which stays as it is.
 * ARAMID_BLESS=1 writes out.prisma anew. */
static void
golden_cases(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FsEntryVec cases;
    Err err = {0};
    const char *folder = fs_join(a, golden, "format");
    assert_true(fs_list(a, folder, &cases, &err));
    assert_true(cases.n > 0);
    vec_each (const FsEntry, entry, &cases) {
        const char *dir = fs_join(a, folder, entry->name);
        const char *out = fs_join(a, dir, "out.prisma");
        Source in = {fs_join(a, dir, "in.prisma"), {0}}, *ret = NULL, *again;
        Str expected;
        FindingList diags;
        findings_init(&diags, a, NULL);
        if (!fs_read(a, in.path, 0, &in.text, &err) ||
            !psl_reformat(a, &in, 1, true, &ret, &diags, &err))
            fail_msg("%s: %s", entry->name, err.primary);
        if (getenv("ARAMID_BLESS"))
            assert_true(fs_write(out, ret->text, 0644, &err));
        if (!fs_read(a, out, 0, &expected, &err))
            fail_msg("%s", err.primary);
        if (!str_eq(ret->text, expected))
            fail_msg("%s:\n%.*s", entry->name, STR_ARG(ret->text));
        assert_true(psl_reformat(a, ret, 1, true, &again, &diags, &err));
        if (!str_eq(ret->text, again->text))
            fail_msg("%s changes again:\n%.*s", entry->name, STR_ARG(again->text));
        const char *problem = tree_check_text(in.text, false);
        if (problem)
            fail_msg("%s: %s", entry->name, problem);
    }
}

static const char *
format(Arena *a, Str text)
{
    Source source = {"schema.prisma", text};
    FindingList diags;
    Str ret;
    Err err = {0};
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, &source, 1, &diags);
    return psl_format(a, &schema->files[0], &ret, &err) ? str_dup(a, ret)
                                                        : str_dupz(a, err.primary);
}

static void
small_texts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *in, *out;
    } table[] = {
        {"", "\n"},
        {"\n \n", "\n"},
        {"// x", "// x\n"},
        {"\n\n// x\n\n\n// y\n\n", "// x\n\n// y\n"},
        {"model A {\n}", "model A {\n}\n"},
        {"model A {\n\n}\n\n\n\nmodel B {\n}model C {\n}",
         "model A {\n}\n\nmodel B {\n}\n\nmodel C {\n}\n"},
        {"model A {\n  @@x\n\n  a Int\n}\n", "model A {\n  a Int\n\n  @@x\n}\n"},
        {"model A {\n  @@x\n}\n", "model A {\n\n  @@x\n}\n"},
        {"model A {\n  @@x\n\n  // c\n}\n", "model A {\n  // c\n\n  @@x\n}\n"},
        {"model A {\n  /// a\n\n  @@x\n  /// b\n  b Int\n}\n",
         "model A {\n  /// a\n\n  /// b\n  b Int\n\n  @@x\n}\n"},
        {"model A {\n  a Int @x(n:, m: {})\n}\n", "model A {\n  a Int @x(n: , m: {  })\n}\n"},
        {"model A {\n  a Int @b @db.C @map(\"x\") @id @a\n}\n",
         "model A {\n  a Int @id @map(\"x\") @b @db.C @a\n}\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_string_equal(format(a, str_of(table[i].in)), table[i].out);
        assert_null(tree_check_text(str_of(table[i].in), false));
    }
}

static void
unreadable_text_is_refused(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const broken[] = {
        "junk\n",          "model A {\n  a\n}\n", "model A {\n", "model A {\n  a Int @x(\n}\n",
        "model A\n{\n}\n", "// \xff\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_string_equal(format(a, str_of(broken[i])),
                            "\"schema.prisma\" cannot be formatted: it has syntax errors");
}

static void
one_wide_name_does_not_blow_up_the_file(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "model A {\n");
    for (int i = 0; i < 10000; i++)
        buf_addz(&b, "  a Int\n");
    buf_addn(&b, 'b', 100000);
    buf_addz(&b, " Int @id\n}\n");
    assert_true(strlen(format(a, buf_str(&b))) < 2 * b.n);
}

static void
inserts_go_to_their_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Source files[] = {
        {"a.prisma", STR("model Post {\n  id Int @id\n  user User\n}\n")},
        {"b.prisma", STR("enum E {\n  A\n}\n")},
        {"c.prisma", STR("model User {\n  id Int @id\n}\n")},
    };
    Source *ret;
    FindingList diags;
    Err err = {0};
    findings_init(&diags, a, NULL);
    assert_true(psl_reformat(a, files, 3, true, &ret, &diags, &err));
    assert_string_equal(str_dup(a, ret[0].text),
                        "model Post {\n  id     Int  @id\n"
                        "  user   User @relation(fields: [userId], references: [id])\n"
                        "  userId Int\n}\n");
    assert_string_equal(str_dup(a, ret[1].text), "enum E {\n  A\n}\n");
    assert_string_equal(str_dup(a, ret[2].text),
                        "model User {\n  id    Int    @id\n  posts Post[]\n}\n");
    assert_string_equal(ret[2].path, "c.prisma");
}

/* Nothing is added where the result would be worse than what is there. */
static void
nothing_is_added_to_odd_schemas(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const odd[] = {
        "model A {\n  id Int @id\n  b B @relation(\"x\",)\n}\nmodel B {\n  id Int @id\n}\n",
        "model A {\n  id Int @id\n  b B\n}\nmodel B {\n  id Int[] @id\n}\n",
        "model A {\n  id Int @id\n  b B\n}\nmodel B {\n  id Unsupported(\"x\") @id\n}\n",
        "model A {\n  id Int @id\n  b B\n  c C\n}\nmodel B {\n  id Int @id\n}\n",
        "model A {\n  id Int @id\n  b B\n}\nmodel B {\n  id Int @id\n}\nenum B {\n  X\n}\n",
        "model A {\n  id Int @id\n  b B\n}\nmodel B {\n  x Int\n  @@id([y])\n}\n",
        "model A {\n  id: Int @id\n  b B\n}\nmodel B {\n  id Int @id\n}\n",
        "type A {\n  b B\n}\nmodel B {\n  id Int @id\n}\n",
        "model A {\n  1d Int @id\n  as A[]\n}\n",
        "model A {\n  a-b Int @id\n  as A[]\n}\n",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        Source source = {"x", str_of(odd[i])};
        FindingList diags;
        PslInsertVec inserts;
        findings_init(&diags, a, NULL);
        psl_format_fixups(a, psl_parse(a, &source, 1, &diags), &inserts);
        if (inserts.n)
            fail_msg("%s: %s", odd[i], inserts.v[0].text);
    }
}

/* Names of opposite fields, as Prisma's inflector makes them. */
static void
plurals(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"Post", "posts"},
        {"Category", "categories"},
        {"Box", "boxes"},
        {"Status", "statuses"},
        {"Child", "children"},
        {"Person", "people"},
        {"Analysis", "analyses"},
        {"Index", "indices"},
        {"Key", "keys"},
        {"Journey", "journeys"},
        {"Leaf", "leaves"},
        {"Knife", "knives"},
        {"Hero", "heroes"},
        {"Photo", "photos"},
        {"Criterion", "criteria"},
        {"Datum", "data"},
        {"News", "news"},
        {"Sheep", "sheep"},
        {"Mouse", "mice"},
        {"Quiz", "quizzes"},
        {"Man", "men"},
        {"Human", "humans"},
        {"Bus", "buses"},
        {"Alias", "aliases"},
        {"Address", "addresses"},
        {"Matrix", "matrices"},
        {"Virus", "viri"},
        {"Equipment", "equipment"},
        {"UserStatus", "userStatuses"},
        {"Query2", "query2s"},
        {"HTTPServer", "httpservers"},
        {"API_Key", "apiKeys"},
        {"fooBAR", "fooBARs"},
        {"User2Post", "user2Posts"},
    };
    ARENA_LOCAL(a);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char *text = str_fmt(a,
                             "model Zz {\n  id Int @id\n}\nmodel %s {\n  id Int @id\n"
                             "  zz Zz @relation(fields: [zzId], references: [id])\n  zzId Int\n}\n",
                             table[i][0]);
        Source source = {"x", str_of(text)};
        FindingList diags;
        PslInsertVec inserts;
        findings_init(&diags, a, NULL);
        psl_format_fixups(a, psl_parse(a, &source, 1, &diags), &inserts);
        assert_int_equal(inserts.n, 1);
        assert_string_equal(inserts.v[0].text, str_fmt(a, "%s %s[]\n", table[i][1], table[i][0]));
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases),
        cmocka_unit_test(small_texts),
        cmocka_unit_test(unreadable_text_is_refused),
        cmocka_unit_test(one_wide_name_does_not_blow_up_the_file),
        cmocka_unit_test(inserts_go_to_their_files),
        cmocka_unit_test(nothing_is_added_to_odd_schemas),
        cmocka_unit_test(plurals),
    };
    golden = argc > 1 ? argv[1] : "tests/golden/psl";
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
