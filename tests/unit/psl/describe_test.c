/* What `aramid schema` tells. */
#include "psl/psl_validate.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

static const char text[] = "datasource db {\n  provider = \"postgresql\"\n}\n"
                           "/// People\n"
                           "model User {\n"
                           "  id    Int     @id @default(autoincrement())\n"
                           "  mail  String? @unique @map(\"e_mail\") @db.VarChar(200)\n"
                           "  role  Role    @default(A)\n"
                           "  posts Post[]\n"
                           "  tags  Tag[]\n"
                           "  at    DateTime @updatedAt\n"
                           "  @@index([role, mail], type: BTree)\n"
                           "  @@map(\"users\")\n"
                           "}\n"
                           "model Post {\n"
                           "  id     Int  @id\n"
                           "  userId Int\n"
                           "  user   User @relation(fields: [userId], references: [id])\n"
                           "}\n"
                           "model Tag {\n"
                           "  id    Int    @id\n"
                           "  users User[]\n"
                           "}\n"
                           "enum Role {\n"
                           "  A @map(\"a\")\n"
                           "  B\n"
                           "}\n";

static const PslResolved *
resolve(Arena *a, const char *schema)
{
    Source *source = arena_new(a, Source);
    FindingList diags;
    findings_init(&diags, a, NULL);
    *source = (Source){"schema.prisma", str_of(schema)};
    return psl_validate(a, psl_parse(a, source, 1, &diags), NULL, &diags);
}

static const char *
json(Arena *a, const PslResolved *r)
{
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    psl_describe_json(&w, r);
    jw_end(&w);
    return w.out.p;
}

static void
as_text(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_string_equal(
        str_dup(a, psl_describe(a, resolve(a, text))),
        "3 models, 1 enum, 2 relations\n"
        "\n"
        "model User: table \"users\"\n"
        "  id     Int       id, default autoincrement()\n"
        "  mail   String?   column \"e_mail\", db.VarChar(200), unique\n"
        "  role   Role      default A\n"
        "  posts  Post[]    one-to-many with Post.user\n"
        "  tags   Tag[]     many-to-many with Tag.users through table \"_TagToUser\"\n"
        "  at     DateTime  set on every update\n"
        "  index (role, mail) named \"users_role_e_mail_idx\" using BTree\n"
        "\n"
        "model Post: table \"Post\"\n"
        "  id      Int   id\n"
        "  userId  Int\n"
        "  user    User  one-to-many with User.posts by userId -> id, on delete Restrict\n"
        "\n"
        "model Tag: table \"Tag\"\n"
        "  id     Int     id\n"
        "  users  User[]  many-to-many with User.tags through table \"_TagToUser\"\n"
        "\n"
        "enum Role: type \"Role\"\n"
        "  A  label \"a\"\n"
        "  B\n");
}

static void
as_json(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *got = json(a, resolve(a, text));
    static const char *const parts[] = {
        "{\"datasource\":{\"name\":\"db\",\"provider\":\"postgresql\"}",
        "\"name\":\"User\",\"kind\":\"model\",\"table\":\"users\",\"schema\":null,"
        "\"ignored\":false,\"documentation\":\"People\",\"path\":\"schema.prisma\",\"line\":5,",
        "{\"name\":\"mail\",\"kind\":\"scalar\",\"type\":\"String\",\"arity\":\"optional\","
        "\"column\":\"e_mail\",\"nativeType\":\"@db.VarChar(200)\",\"default\":null,"
        "\"updatedAt\":false,\"ignored\":false,\"documentation\":null}",
        "{\"kind\":\"id\",\"name\":\"users_pkey\",\"fields\":[{\"name\":\"id\",\"sort\":null,"
        "\"operatorClass\":null}],\"type\":null,\"where\":null}",
        "{\"name\":\"Role\",\"type\":\"Role\",\"schema\":null,\"documentation\":null,"
        "\"path\":\"schema.prisma\",\"line\":24,"
        "\"values\":[{\"name\":\"A\",\"label\":\"a\"},{\"name\":\"B\",\"label\":\"B\"}]}",
        "{\"name\":\"PostToUser\",\"kind\":\"one-to-many\","
        "\"from\":{\"model\":\"Post\",\"field\":\"user\"},"
        "\"to\":{\"model\":\"User\",\"field\":\"posts\"},\"constraint\":\"Post_userId_fkey\","
        "\"joinTable\":null,\"fields\":[\"userId\"],\"references\":[\"id\"],"
        "\"onDelete\":\"Restrict\",\"onUpdate\":\"Cascade\"}",
        "\"joinTable\":\"_TagToUser\",\"fields\":[],\"references\":[],"
        "\"onDelete\":null,\"onUpdate\":null}",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(got, parts[i]))
            fail_msg("%s\nis not in\n%s", parts[i], got);
    }
}

/* A schema that cannot be resolved is described as far as it is understood. */
static void
broken_schemas(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const broken[] = {
        "model A {\n  id Int @id\n  b Nope\n  c A\n}\n",
        "model A {\n  b B[]\n  @@id([x])\n  @@unique([])\n}\nmodel A {\n}\n",
        "enum E {\n}\nmodel M {\n  a\n  b E @default(X) @relation(fields: [q])\n",
        "type T {\n  a Int\n}\nview V {\n  t T\n  u Unsupported(\"x\")?\n}\njunk\n",
        "",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const PslResolved *r = resolve(a, broken[i]);
        assert_true(psl_describe(a, r).n > 0);
        assert_true(*json(a, r) == '{');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text),
        cmocka_unit_test(as_json),
        cmocka_unit_test(broken_schemas),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
