/* The validator: golden cases (tests/golden/psl/validate/NAME.prisma, NAME.txt), what it resolves,
 * and what it does with very large and broken schemas.
 *
 * A case may begin with "// prisma: 6". Run with ARAMID_BLESS=1 to write the expected texts. */
#include "base/fs.h"
#include "psl/psl_validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *golden_dir;

typedef struct Checked {
    PslSchema *schema;
    PslResolved *r;
    FindingList diags;
    Source source;
} Checked;

static Checked *
check(Arena *a, Str text, int prisma)
{
    Checked *c = arena_new(a, Checked);
    c->source = (Source){"schema.prisma", text};
    findings_init(&c->diags, a, NULL);
    c->schema = psl_parse(a, &c->source, 1, &c->diags);
    c->r = psl_validate(a, c->schema, &(PslValidateOpts){.prisma = prisma}, &c->diags);
    findings_sort(&c->diags);
    return c;
}

/* -- Golden cases -- */

static char *
render(Arena *a, const Checked *c)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < c->diags.items.n; i++) {
        const Finding *d = &c->diags.items.v[i];
        int line, column;
        str_line_col(c->source.text, d->off, &line, &column);
        buf_fmt(&b, "%d:%d %s %s: %s\n", line, column, severity_name(d->severity),
                finding_info(d->id)->name, d->text);
        if (d->note)
            buf_fmt(&b, "    note: %s\n", d->note);
        if (d->fix)
            buf_fmt(&b, "    hint: %s\n", d->fix);
    }
    return b.p;
}

static void
golden_case(Arena *a, const char *dir, Str name)
{
    Err err = {0};
    Str text, expected;
    int prisma = 0;
    const char *path = str_fmt(a, "%s/" STR_FMT, dir, STR_ARG(name));
    const char *expected_path = str_fmt(a, "%.*s.txt", (int)(strlen(path) - 7), path);
    assert_true(fs_read(a, path, 0, &text, &err));
    if (str_starts(text, STR("// prisma: ")))
        prisma = text.p[11] - '0';
    Checked *c = check(a, text, prisma);
    char *got = render(a, c);
    if (getenv("ARAMID_BLESS")) {
        assert_true(fs_write(expected_path, str_of(got), 0644, &err));
        return;
    }
    if (!fs_read(a, expected_path, 0, &expected, &err))
        fail_msg("%s: %s", path, err.primary);
    if (!str_eq(expected, str_of(got)))
        fail_msg("%s: expected\n" STR_FMT "got\n%s", path, STR_ARG(expected), got);
    /* Names that begin with "ok" are of valid schemas. */
    if (str_starts(name, STR("ok-")))
        assert_int_equal(c->r->errors + c->schema->errors, 0);
}

static void
golden(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FsEntryVec entries = {0};
    Err err = {0};
    size_t cases = 0;
    const char *dir = fs_join(a, golden_dir, "validate");
    assert_true(fs_list(a, dir, &entries, &err));
    vec_each (const FsEntry, entry, &entries) {
        if (!str_ends(str_of(entry->name), STR(".prisma")))
            continue;
        golden_case(a, dir, str_of(entry->name));
        cases++;
    }
    assert_true(cases > 50);
}

/* -- What is resolved -- */

static const char *const blog = "datasource db {\n"
                                "  provider = \"postgresql\"\n"
                                "  url = env(\"DATABASE_URL\")\n"
                                "  directUrl = \"postgresql://x\"\n"
                                "}\n"
                                "generator client {\n"
                                "  provider = \"prisma-client\"\n"
                                "  previewFeatures = [\"views\"]\n"
                                "}\n"
                                "model User {\n"
                                "  id Int @id @default(autoincrement())\n"
                                "  email String @unique @map(\"e_mail\") @db.VarChar(200)\n"
                                "  role Role @default(MEMBER)\n"
                                "  posts Post[]\n"
                                "  @@map(\"users\")\n"
                                "}\n"
                                "model Post {\n"
                                "  id String @id @default(uuid(7))\n"
                                "  userId Int? @map(\"user_id\")\n"
                                "  user User? @relation(fields: [userId], references: [id])\n"
                                "  tags Tag[]\n"
                                "  @@index([userId, id(sort: Desc)])\n"
                                "  @@unique([id, userId], name: \"both\", map: \"post_both\")\n"
                                "}\n"
                                "model Tag {\n"
                                "  name String @id\n"
                                "  posts Post[]\n"
                                "}\n"
                                "enum Role {\n"
                                "  MEMBER @map(\"member\")\n"
                                "  @@map(\"user_role\")\n"
                                "}\n";

static void
resolves_config(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const PslResolved *r = check(a, str_of(blog), 0)->r;
    assert_int_equal(r->errors, 0);
    const PslDatasource *ds = r->datasource;
    assert_true(ds->is_postgres);
    assert_int_equal(ds->relation_mode, PSL_FOREIGN_KEYS);
    assert_int_equal(ds->url.kind, PSL_URL_ENV);
    assert_true(str_is(ds->url.text, "DATABASE_URL"));
    assert_int_equal(ds->direct_url.kind, PSL_URL_TEXT);
    assert_int_equal(ds->shadow_url.kind, PSL_URL_NONE);
    assert_int_equal(r->ngenerators, 1);
    assert_true(psl_has_preview(r, "Views"));
    assert_false(psl_has_preview(r, "metrics"));
}

static void
resolves_fields(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const PslResolved *r = check(a, str_of(blog), 0)->r;
    const PslModel *user = psl_model(r, STR("User"));
    assert_true(str_is(user->table, "users"));
    const PslModelField *id = psl_model_field(user, STR("id"));
    assert_int_equal(id->dflt.kind, PSL_DEFAULT_AUTOINCREMENT);
    assert_ptr_equal(user->id->fields[0].field, id);
    assert_true(str_is(user->id->name, "users_pkey"));
    const PslModelField *email = psl_model_field(user, STR("email"));
    assert_true(str_is(email->column, "e_mail"));
    assert_int_equal(email->native, PSL_NATIVE_VARCHAR);
    assert_int_equal(email->native_args[0], 200);
    assert_true(str_is(user->keys.v[0]->name, "users_e_mail_key"));
    const PslModelField *role = psl_model_field(user, STR("role"));
    assert_int_equal(role->kind, PSL_FIELD_ENUM);
    assert_ptr_equal(role->enum_, psl_enum(r, STR("Role")));
    assert_true(str_is(role->enum_->db_name, "user_role"));
    assert_true(str_is(role->enum_->values[0].db_name, "member"));
    assert_null(psl_model(r, STR("Role")));
    assert_null(psl_model_field(user, STR("nope")));
}

static void
resolves_keys(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const PslResolved *r = check(a, str_of(blog), 0)->r;
    const PslModel *post = psl_model(r, STR("Post"));
    assert_int_equal(post->keys.n, 2);
    const PslKey *index = post->keys.v[0], *unique = post->keys.v[1];
    assert_int_equal(index->kind, PSL_KEY_INDEX);
    assert_true(str_is(index->name, "Post_user_id_id_idx"));
    assert_int_equal(index->fields[1].sort, PSL_SORT_DESC);
    assert_int_equal(unique->kind, PSL_KEY_UNIQUE);
    assert_true(str_is(unique->client_name, "both"));
    assert_true(str_is(unique->name, "post_both"));
    assert_true(unique->is_mapped);
}

static void
resolves_relations(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const PslResolved *r = check(a, str_of(blog), 0)->r;
    assert_int_equal(r->nrelations, 2);
    const PslModel *post = psl_model(r, STR("Post"));
    const PslRelation *written = psl_model_field(post, STR("user"))->relation;
    assert_int_equal(written->kind, PSL_ONE_TO_MANY);
    assert_ptr_equal(written->from, post);
    assert_ptr_equal(written->back, psl_model_field(psl_model(r, STR("User")), STR("posts")));
    assert_true(str_is(written->name, "PostToUser"));
    assert_true(str_is(written->constraint, "Post_user_id_fkey"));
    assert_int_equal(written->on_delete, PSL_SET_NULL);
    assert_int_equal(written->on_update, PSL_CASCADE);
    assert_true(str_is(written->references.v[0]->name, "id"));
    const PslRelation *tags = psl_model_field(post, STR("tags"))->relation;
    assert_int_equal(tags->kind, PSL_MANY_TO_MANY);
    assert_true(str_is(tags->constraint, "_PostToTag"));
    assert_ptr_equal(tags->from, post);
}

static void
cuts_long_names(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *long_name = "Aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff\xc3\xbc";
    Str text = str_of(str_fmt(a,
                              "datasource db {\n  provider = \"postgresql\"\n}\n"
                              "model %s {\n  id Int @id\n  x Int @unique\n}\n",
                              long_name));
    const PslResolved *r = check(a, text, 0)->r;
    const PslModel *m = psl_model(r, str_of(long_name));
    assert_int_equal(m->id->name.n, 63);
    assert_true(str_ends(m->id->name, STR("_pkey")));
    assert_true(str_ends(m->keys.v[0]->name, STR("\xc3\xbc_key")) ||
                str_ends(m->keys.v[0]->name, STR("f_key")));
    assert_int_equal(str_utf8_invalid_at(m->keys.v[0]->name), m->keys.v[0]->name.n);
}

static void
joins_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const Source files[] = {
        {"a.prisma", STR("model A {\n  id Int @id\n  bs B[]\n}\n")},
        {"b.prisma",
         STR("datasource x {\n  provider = \"postgresql\"\n}\nmodel B {\n  id Int @id\n"
             "  aId Int\n  a A @relation(fields: [aId], references: [id])\n  c C\n}\n")},
        {"c.prisma",
         STR("datasource y {\n  provider = \"postgresql\"\n}\nmodel A {\n  id Int @id\n}\n")},
    };
    FindingList diags;
    findings_init(&diags, a, NULL);
    const PslResolved *r = psl_validate(a, psl_parse(a, files, 3, &diags), NULL, &diags);
    findings_sort(&diags);
    assert_int_equal(r->errors, 2);
    assert_int_equal(diags.counts[SEV_WARNING], 1);
    /* Causes come first: a name that is taken before a type that is missing. */
    assert_int_equal(diags.items.v[0].id, FINDING_NAME_DUPLICATE);
    assert_ptr_equal(diags.items.v[0].source, &files[2]);
    assert_int_equal(diags.items.v[1].id, FINDING_TYPE_UNKNOWN);
    assert_ptr_equal(diags.items.v[1].source, &files[1]);
    assert_int_equal(diags.items.v[2].id, FINDING_DATASOURCE_SECOND);
    assert_true(str_is(r->datasource->name, "x"));
}

/* -- Large and broken schemas -- */

static void
takes_many_fields(void **state)
{
    (void)state;
    enum { FIELDS = 10000 };
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "datasource db {\n  provider = \"postgresql\"\n}\nmodel A {\n  id Int @id\n");
    for (int i = 0; i < FIELDS; i++)
        buf_fmt(&b, "  f%d Int @unique\n  r%d B? @relation(\"n%d\")\n", i, i, i);
    buf_addz(&b, "  @@index([");
    for (int i = 0; i < FIELDS; i++)
        buf_fmt(&b, "%sf%d", i ? ", " : "", i);
    buf_addz(&b, "])\n}\nmodel B {\n");
    for (int i = 0; i < FIELDS; i++)
        buf_fmt(&b,
                "  k%d Int @unique\n  a%d A @relation(\"n%d\", fields: [k%d], references: [f%d])\n",
                i, i, i, i, i);
    buf_addz(&b, "}\n");
    const Checked *c = check(a, buf_str(&b), 0);
    assert_int_equal(c->schema->errors, 0);
    assert_int_equal(c->r->errors, 0);
    assert_int_equal(c->r->nrelations, FIELDS);
}

static void
takes_many_models(void **state)
{
    (void)state;
    enum { MODELS = 3000 };
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "datasource db {\n  provider = \"postgresql\"\n  relationMode = \"prisma\"\n}\n");
    for (int i = 0; i < MODELS; i++)
        buf_fmt(&b,
                "model M%d {\n  id Int @id\n  next M%d @relation(\"r%d\", fields: [n], references: "
                "[id])\n  n Int\n  prev M%d[] @relation(\"r%d\")\n  bad Nope%d\n}\n",
                i, (i + 1) % MODELS, i, (i + MODELS - 1) % MODELS, (i + MODELS - 1) % MODELS, i);
    const Checked *c = check(a, buf_str(&b), 0);
    assert_int_equal(c->r->errors, MODELS);
    assert_true(c->diags.items.n <= 1000);
}

/* Any part of a schema may be missing. */
static void
takes_fragments(void **state)
{
    (void)state;
    Str text = str_of(blog);
    for (size_t from = 0; from < text.n; from += 7) {
        for (size_t n = 1; n < 60; n += 13) {
            ARENA_LOCAL(a);
            Buf b;
            buf_init(&b, a);
            buf_add(&b, str_slice(text, 0, from));
            if (from + n < text.n)
                buf_add(&b, str_slice(text, from + n, text.n));
            const Checked *c = check(a, buf_str(&b), (int)(from % 4 ? 4 + from % 4 : 0));
            assert_int_equal(c->r->errors + c->schema->errors, c->diags.counts[SEV_ERROR]);
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    golden_dir = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(resolves_config),
        cmocka_unit_test(resolves_fields),
        cmocka_unit_test(resolves_keys),
        cmocka_unit_test(resolves_relations),
        cmocka_unit_test(cuts_long_names),
        cmocka_unit_test(joins_files),
        cmocka_unit_test(takes_many_fields),
        cmocka_unit_test(takes_many_models),
        cmocka_unit_test(takes_fragments),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
