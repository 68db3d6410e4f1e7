/* Schemas in Prisma's language as catalogs. */
#include "bridge/bridge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define DATASOURCE "datasource db {\n  provider = \"postgresql\"\n}\n"

static Bridge
read(Arena *a, const char *text)
{
    Source *source = arena_new(a, Source);
    FindingList diags;
    *source = (Source){"schema.prisma", str_of(text)};
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, source, 1, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = 7}, &diags);
    assert_int_equal(schema->errors + r->errors, 0);
    return bridge_catalog(a, r, NULL);
}

static const CatColumn *
column(const Bridge *b, const char *table, const char *name)
{
    const CatColumn *c = catalog_find(b->catalog, (CatRef){CAT_COLUMN, "public", table, name});
    assert_non_null(c);
    return c;
}

static void
types_and_defaults(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Bridge b = read(a, DATASOURCE "enum E {\n  A @map(\"it's\")\n}\n"
                                  "model T {\n"
                                  "  id BigInt @id @default(autoincrement())\n"
                                  "  s String @default(\"it's\")\n"
                                  "  v String? @db.VarChar(10)\n"
                                  "  d Decimal @default(1.50)\n"
                                  "  l Int[] @default([1, 2])\n"
                                  "  e E @default(A)\n"
                                  "  b Bytes @default(\"aGk=\")\n"
                                  "  n DateTime @default(now())\n"
                                  "  u String @default(uuid())\n"
                                  "  g String @default(dbgenerated())\n"
                                  "}\n");
    static const struct {
        const char *name, *type, *expr;
        bool is_not_null;
    } expected[] = {
        {"id", "bigint", "nextval('public.\"T_id_seq\"'::regclass)", true},
        {"s", "text", "'it''s'", true},
        {"v", "character varying(10)", NULL, false},
        {"d", "numeric(65,30)", "1.50", true},
        {"l", "integer[]", "ARRAY[1, 2]::INTEGER[]", false},
        {"e", "\"public\".\"E\"", "'it''s'", true},
        {"b", "bytea", "'\\x6869'", true},
        {"n", "timestamp(3) without time zone", "CURRENT_TIMESTAMP", true},
        {"u", "text", NULL, true},
        {"g", "text", NULL, true},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const CatColumn *c = column(&b, "T", expected[i].name);
        assert_string_equal(c->type.text, expected[i].type);
        if (expected[i].expr)
            assert_string_equal(c->default_expr, expected[i].expr);
        else
            assert_null(c->default_expr);
        assert_int_equal(c->is_not_null, expected[i].is_not_null);
    }
    assert_int_equal(b.client_default.n, 1);
    assert_string_equal(b.client_default.v[0].sub, "u");
    assert_int_equal(b.any_default.n, 1);
    assert_string_equal(b.any_default.v[0].sub, "g");
}

static void
relations(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Bridge b = read(a, DATASOURCE "model User {\n  id Int @id\n  posts Post[]\n  tags Tag[]\n}\n"
                                  "model Post {\n  id Int @id\n  userId Int?\n"
                                  "  user User? @relation(fields: [userId], references: [id])\n}\n"
                                  "model Tag {\n  id String @id\n  users User[]\n}\n");
    const CatConstraint *fk =
        catalog_find(b.catalog, (CatRef){CAT_CONSTRAINT, "public", "Post", "Post_userId_fkey"});
    assert_non_null(fk);
    assert_int_equal(fk->on_delete, CAT_SET_NULL);
    assert_int_equal(fk->on_update, CAT_CASCADE);
    assert_string_equal(column(&b, "_TagToUser", "A")->type.text, "text");
    assert_string_equal(column(&b, "_TagToUser", "B")->type.text, "integer");
    assert_non_null(
        catalog_find(b.catalog, (CatRef){CAT_INDEX, "public", "_TagToUser_B_index", NULL}));
}

static void
renames(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Bridge b =
        read(a, DATASOURCE "/// words @renamed( from : \"old \\\"E\" ) more\n"
                           "enum E {\n  /// @renamed(from: \"X\")\n  A\n}\n"
                           "/// @renamed(from: \"Old\")\n"
                           "model T {\n  /// @renamed(from: \"key\")\n  id Int @id @map(\"i\")\n"
                           "  /// @renamed from key\n  e E\n  /// @renamed(from: \"\")\n"
                           "  f Int\n}\n");
    static const CatFormer expected[] = {
        {{CAT_ENUM, "public", "E", NULL}, "old \"E"},
        {{CAT_ENUM, "public", "E", "A"}, "X"},
        {{CAT_TABLE, "public", "T", NULL}, "Old"},
        {{CAT_COLUMN, "public", "T", "i"}, "key"},
    };
    assert_int_equal(b.former.n, 4);
    for (size_t i = 0; i < 4; i++) {
        size_t found = 0;
        vec_each (const CatFormer, f, &b.former)
            found +=
                cat_ref_cmp(&f->now, &expected[i].now) == 0 && strcmp(f->was, expected[i].was) == 0;
        assert_int_equal(found, 1);
    }
    assert_int_equal(b.unread_renames.n, 2);
    assert_string_equal(b.unread_renames.v[0].sub, "e");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_defaults),
        cmocka_unit_test(relations),
        cmocka_unit_test(renames),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
