#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "project/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOM "\xef\xbb\xbf"

/* ---- JSON ----------------------------------------------------------------------------------- */

static const char *
set(Arena *a, const char *text, const char *object, const char *key, const char *value)
{
    Str after;
    Err err = {0};
    if (!project_json_set(a, &(Source){"package.json", str_of(text)}, object, key, value, &after,
                          &err))
        return str_fmt(a, "%d:%d %s", err.at.line, err.at.column, err.primary);
    return str_dup(a, after);
}

static void
set_keeps_the_layout(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"{\n  \"scripts\": {\n    \"a\": \"b\"\n  }\n}\n",
         "{\n  \"scripts\": {\n    \"a\": \"b\",\n    \"k\": \"v\"\n  }\n}\n"},
        /* tabs, CR LF, byte order mark, no final line end */
        {BOM "{\r\n\t\"scripts\" : {\r\n\t\t\"a\" : \"b\"\r\n\t},\r\n\t\"z\": 1\r\n}",
         BOM "{\r\n\t\"scripts\" : {\r\n\t\t\"a\" : \"b\",\r\n\t\t\"k\" : "
             "\"v\"\r\n\t},\r\n\t\"z\": 1\r\n}"},
        {"{\"scripts\":{\"a\":\"b\"}}", "{\"scripts\":{\"a\":\"b\",\"k\":\"v\"}}"},
        {"{ \"scripts\": { \"a\": \"b\" } }", "{ \"scripts\": { \"a\": \"b\", \"k\": \"v\" } }"},
        {"{\n    \"scripts\": {}\n}\n", "{\n    \"scripts\": {\n        \"k\": \"v\"\n    }\n}\n"},
        {"{\n\t\"name\": \"x\"\n}\n",
         "{\n\t\"name\": \"x\",\n\t\"scripts\": {\n\t\t\"k\": \"v\"\n\t}\n}\n"},
        {"{}", "{\n  \"scripts\": {\n    \"k\": \"v\"\n  }\n}"},
        {"{}\r\n", "{\r\n  \"scripts\": {\r\n    \"k\": \"v\"\r\n  }\r\n}\r\n"},
        /* what is there is replaced in its place, in the same order; equal text stays */
        {"{\"scripts\":{\"k\":\"old\",\"z\":\"\"}}", "{\"scripts\":{\"k\":\"v\",\"z\":\"\"}}"},
        {"{\"scripts\":{\"k\":{\"deep\":[1]} }}", "{\"scripts\":{\"k\":\"v\" }}"},
        {"{\"scripts\":{\"k\":\"\\u0076\"}}", "{\"scripts\":{\"k\":\"\\u0076\"}}"},
        /* only the outermost member of that name */
        {"{\"x\":{\"scripts\":{}},\"scripts\":{\"scripts\":\"s\"}}",
         "{\"x\":{\"scripts\":{}},\"scripts\":{\"scripts\":\"s\",\"k\":\"v\"}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(set(a, cases[i].before, "scripts", "k", "v"), cases[i].after);
        assert_string_equal(set(a, cases[i].after, "scripts", "k", "v"), cases[i].after);
    }
    assert_string_equal(set(a, "{\n  \"a\": 1\n}\n", NULL, "b", "x \"y\" \\ \t"),
                        "{\n  \"a\": 1,\n  \"b\": \"x \\\"y\\\" \\\\ \\t\"\n}\n");
}

static void
set_refuses(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"{\n  // note\n  \"a\": 1\n}", "2:3 package.json: comments are no JSON"},
        {"{\"a\": 1} /* end */", "1:10 package.json: comments"},
        {"{\"a\": 1,}", "1:9 package.json: not JSON: \"}\" where a key"},
        {"{\"a\": [1,]}", "1:10 package.json: not JSON: \"]\" where a value"},
        {"{\n\"a\": 1,\n\"a\": 2}", "3:1 package.json: the key \"a\" stands there twice"},
        {"{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "1:16 package.json: the key \"b\""},
        {"", "1:1 package.json: the file ends where a value"},
        {"{\"a\": 1", "1:8 package.json: the file ends where a comma"},
        {"{'a': 1}", "1:2 package.json: not JSON: \"'\""},
        {"{\"a\": 01}", "1:7 package.json: not JSON: a number"},
        {"{\"a\": 1.}", "1:7 package.json: not JSON: a number"},
        {"{\"a\": nul}", "1:7 package.json: not JSON: \"n\""},
        {"{\"a\": \"x\ny\"}", "1:7 package.json: not JSON: a string that does not end"},
        {"{\"a\": \"\\x\"}", "1:8 package.json: not JSON: an escape"},
        {"{\"a\": \"\\u12g4\"}", "1:8 package.json: not JSON: an escape"},
        {"{\"a\": \"\x01\"}", "1:8 package.json: not JSON: a control character"},
        {"{\"a\": \"\xff\"}", "1:8 package.json: not text in UTF-8"},
        {"{} {}", "1:4 package.json: not JSON: \"{\" where the end of the file"},
        {"[]", "1:1 package.json: the file is not an object"},
        {"{\"scripts\": []}", "1:13 package.json: scripts is not an object"},
        {"{\"scripts\": \"x\"}", "1:13 package.json: scripts is not an object"},
        {"{\"a\": \x1b[31m}", "1:7 package.json: not JSON: byte \\x1b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = set(a, cases[i].text, "scripts", "k", "v");
        if (strncmp(said, cases[i].what, strlen(cases[i].what)) != 0)
            fail_msg("%s\nsaid:   %s\nwanted: %s", cases[i].text, said, cases[i].what);
    }
    Buf deep;
    buf_init(&deep, a);
    buf_addn(&deep, '[', 100000);
    assert_non_null(strstr(set(a, deep.p, "scripts", "k", "v"), "more than 200 levels"));
}

static void
text_is_decoded(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const ProjectJson *root;
    Err err = {0};
    Str text =
        STR("{\"a\\n\": \"\\u00e9\\ud83d\\ude00\\ud83d.\\/\", \"n\": [true, null, -1.5e+3]}");
    assert_true(project_json_parse(a, "x", text, &root, &err));
    assert_string_equal(project_json_text(a, root, "a\n"),
                        "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd./");
    const ProjectJson *n = project_json_get(root, "n");
    assert_int_equal(n->kind, PROJECT_JSON_ARRAY);
    assert_int_equal(n->first->next->next->kind, PROJECT_JSON_NUMBER);
    assert_null(n->first->next->next->next);
    assert_null(project_json_text(a, root, "n"));
    assert_null(project_json_get(n, "x"));
}

/* Whatever stands there, the reader ends without a fault; what it accepts it can change. */
static void
damaged_texts(void **state)
{
    (void)state;
    static const char good[] =
        "{\"name\": \"x\\u00e9\", \"n\": [1, -2.5e3, true, null, {\"a\": {}}],\n"
        "\t\"scripts\": {\"a\": \"b\\\"c\", \"d\": \"\"}}\n";
    static const char odd[] = "{}[]\",:/\\ \n\x00\xff"
                              "0-tn";
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (size_t o = 0; o < sizeof odd; o++) {
            ARENA_LOCAL(a);
            Err err = {0};
            Str after, twice, cut = {good, at};
            const ProjectJson *root;
            char *text = str_dup(a, (Str){good, sizeof good - 1});
            text[at] = odd[o];
            assert_int_equal(project_json_parse(a, "x", cut, &root, &err), at == sizeof good - 2);
            if (!project_json_set(a, &(Source){"x", (Str){text, sizeof good - 1}}, "scripts", "k",
                                  "v", &after, &err))
                continue;
            assert_true(
                project_json_set(a, &(Source){"x", after}, "scripts", "k", "v", &twice, &err));
            assert_true(str_eq(after, twice));
        }
}

/* ---- ignore files --------------------------------------------------------------------------- */

static const char *
ignore(Arena *a, const char *text)
{
    static const char *const entries[] = {"backups/", ".aramid/", NULL};
    return str_dup(a, project_ignore(a, str_of(text), "Aramid", entries));
}

static void
ignore_entries(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    assert_string_equal(ignore(a, ""), "# Aramid\nbackups/\n.aramid/\n");
    assert_string_equal(ignore(a, "x"), "x\n\n# Aramid\nbackups/\n.aramid/\n");
    assert_string_equal(ignore(a, "x\r\n"), "x\r\n\r\n# Aramid\r\nbackups/\r\n.aramid/\r\n");
    assert_string_equal(ignore(a, "/backups\n"), "/backups\n\n# Aramid\n.aramid/\n");
    const char *all[] = {"backups/\n.aramid/\n", "/backups\r\n**/.aramid",
                         "  backups \n.aramid\nx\n"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_string_equal(ignore(a, all[i]), all[i]);
    const char *none[] = {"#backups/\n", "backups2\n", "my/backups\n", "!backups/\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_non_null(strstr(ignore(a, none[i]), "\nbackups/\n"));
    const char *once = ignore(a, "a\n");
    assert_string_equal(ignore(a, once), once);
}

/* ---- templates and profiles ----------------------------------------------------------------- */

static void
templates_are_filled_in(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const ProjectVar vars[] = {{"RUN", "pnpm run"}, {"DEPLOYER", "vercel"}};
    Str text = project_template(a, "vercel-build.sh", vars, COUNT(vars));
    assert_true(str_starts(text, STR("#!/bin/sh\n")));
    assert_true(str_contains(text, STR("exec pnpm run build\n")));
    assert_false(str_contains(text, STR("@RUN@")));
    /* the "@" of an e-mail address or an action is no placeholder */
    Str plain = project_template(a, "get-aramid.sh", NULL, 0);
    assert_true(plain.n > 500 && str_ends(plain, STR("\n")));
}

static void
profiles_are_whole(void **state)
{
    (void)state;
    size_t count = 0;
    for (const ProjectProfile *const *p = project_profiles(); *p; p++, count++) {
        assert_ptr_equal(project_profile((*p)->name), *p);
        for (const ProjectScript *s = (*p)->scripts; s->name; s++) {
            assert_ptr_equal(project_profile_script(*p, s->name), s); /* none twice */
            assert_true(strncmp(s->line, "aramid ", 7) == 0);
            assert_true(strncmp(s->line + 7, s->command, strlen(s->command)) == 0);
        }
    }
    assert_int_equal(count, 5);
    assert_null(project_profile("guess"));
    /* the clash that profiles are there for */
    static const struct {
        const char *profile, *name, *line;
    } meanings[] = {
        {"deploy", "db:migrate", "aramid deploy"},
        {"create", "db:migrate", "aramid create"},
        {"develop", "db:migrate", "aramid deploy --env development"},
        {"workflow", "db:deploy", "aramid deploy"},
        {"workflow", "db:create", "aramid create"},
        {"workflow", "db:migrate:dev", "aramid dev"},
        {"create", "db:push", "aramid push"},
        {"develop", "db:reset", "aramid reset"},
        {"workflow", "db:execute", "aramid execute"},
        {"deploy", "db:seed", "aramid seed"},
        {"deploy", "db:rollback", "aramid rollback"},
        {"prisma", "prisma:migrate:dev", "aramid dev"},
        {"create", "db:deploy", "aramid deploy --env development"},
        {"create", "db:deploy:prod", "aramid deploy --env production"},
        {"develop", "db:migrate:production", "aramid deploy --env production"},
        {"prisma", "prisma:migrate:deploy", "aramid deploy"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        assert_string_equal(
            project_profile_script(project_profile(meanings[i].profile), meanings[i].name)->line,
            meanings[i].line);
}

/* ---- detection ------------------------------------------------------------------------------ */

typedef struct Tree {
    Arena *a;
    char dir[64];
} Tree;

static void
tree_begin(Tree *t, Arena *a)
{
    t->a = a;
    snprintf(t->dir, sizeof t->dir, "/tmp/aramid-project-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
}

static void
tree_write(const Tree *t, const char *name, const char *text)
{
    Err err = {0};
    const char *path = fs_join(t->a, t->dir, name);
    assert_true(fs_mkdirs(fs_dirname(t->a, path), 0755, &err));
    assert_true(fs_write(path, str_of(text), 0644, &err));
}

static const char *
places(const Tree *t)
{
    Project p;
    Err err = {0};
    Buf b;
    buf_init(&b, t->a);
    assert_true(project_detect(t->a, t->dir, &p, &err));
    vec_each (const ProjectPlace, place, &p.places)
        buf_fmt(&b, "%s%s:%s(%s)", b.n ? " " : "", place->dir, project_tool_id(place->tool),
                place->evidence);
    return b.p;
}

static void
tree_end(Tree *t)
{
    Err err = {0};
    assert_true(fs_remove(t->dir, &err));
}

static void
tools_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *files[4], *wanted;
    } cases[] = {
        {{"prisma/schema.prisma"}, ":prisma(prisma/schema.prisma)"},
        {{"schema.prisma"}, ":prisma(schema.prisma)"},
        {{"prisma/schema/user.prisma"}, ":prisma(prisma/schema)"},
        {{"prisma.config.ts"}, ":prisma(prisma.config.ts)"},
        {{"migrations/app/20260101_x/ops.json", "prisma/schema.prisma"},
         ":prisma8(migrations/app/20260101_x/ops.json)"},
        {{"migrations/app/refs/db.json", "prisma/schema.prisma"}, ":prisma8(migrations/app/refs)"},
        {{"src/prisma/contract.prisma", "prisma.config.ts"},
         ":prisma8(src/prisma/contract.prisma)"},
        {{"migrations/app/refs/db.json", "prisma/schema.prisma",
          "prisma/migrations/1/migration.sql"},
         ":prisma(prisma/schema.prisma)"},
        {{"drizzle.config.ts"}, ":drizzle(drizzle.config.ts)"},
        {{"drizzle/meta/_journal.json"}, ":drizzle(drizzle/meta/_journal.json)"},
        {{"supabase/config.toml"}, ":supabase(supabase/config.toml)"},
        {{"supabase/migrations/1_x.sql"}, ":supabase(supabase/migrations)"},
        {{"supabase/config.toml", "prisma/schema.prisma"}, ":prisma(prisma/schema.prisma)"},
        {{"migrations/001.sql"}, ":sql(migrations)"},
        {{"backend/prisma/schema.prisma"}, "backend:prisma(prisma/schema.prisma)"},
        {{"packages/b/schema.prisma", "packages/a/prisma/schema.prisma",
          "apps/c/drizzle.config.ts"},
         "apps/c:drizzle(drizzle.config.ts) packages/a:prisma(prisma/schema.prisma) "
         "packages/b:prisma(schema.prisma)"},
        {{"node_modules/x/prisma/schema.prisma", "apps/node_modules/y/schema.prisma"}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Tree t;
        tree_begin(&t, a);
        for (size_t f = 0; f < 4 && cases[i].files[f]; f++)
            tree_write(&t, cases[i].files[f], "x");
        assert_string_equal(places(&t), cases[i].wanted);
        tree_end(&t);
    }
}

static void
contents_tell_too(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Tree t;
    tree_begin(&t, a);
    tree_write(&t, "db/migrations/1_x.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n");
    assert_string_equal(places(&t), ":dbmate(db/migrations)");
    tree_write(&t, "db/migrations/1_x.sql", "SELECT 1;\n");
    assert_string_equal(places(&t), ":sql(db/migrations)");
    tree_write(&t, "libs/data/models.prisma", "x");
    tree_write(&t, "package.json", "{\"prisma\": {\"schema\": \"libs/data/models.prisma\"}}");
    assert_string_equal(places(&t), ":prisma(libs/data/models.prisma)");
    tree_write(&t, "package.json", "{\"devDependencies\": {\"prisma\": \"^8.0.0-rc.1\"}}");
    assert_string_equal(places(&t), ":prisma8(package.json)");
    tree_end(&t);
}

static void
workspaces(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Tree t;
    tree_begin(&t, a);
    tree_write(&t, "modules/one/schema.prisma", "x");
    tree_write(&t, "deep/two/three/schema.prisma", "x");
    assert_string_equal(places(&t), "");
    tree_write(&t, "package.json", "{\"workspaces\": [\"./modules/*\"]}");
    assert_string_equal(places(&t), "modules/one:prisma(schema.prisma)");
    tree_write(&t, "package.json",
               "{\"workspaces\": {\"packages\": [\"modules/one/\", \"/etc\", \"../x\"]}}");
    assert_string_equal(places(&t), "modules/one:prisma(schema.prisma)");
    tree_write(&t, "package.json", "{}");
    tree_write(
        &t, "pnpm-workspace.yaml",
        "# all\npackages:\n  - \"deep/**\" # x\n  - '!modules/*'\ncatalog:\n  - modules/*\n");
    assert_string_equal(places(&t), "deep/two/three:prisma(schema.prisma)");
    tree_end(&t);
}

static const char *
branches(const Tree *t)
{
    Project p;
    Err err = {0};
    Buf b;
    buf_init(&b, t->a);
    assert_true(project_detect(t->a, t->dir, &p, &err));
    vec_each (const ProjectBranch, it, &p.branches)
        buf_fmt(&b, "%s%s=%s", b.n ? " " : "", it->name, it->env);
    return b.p;
}

static void
branches_and_platforms(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Tree t;
    Project p;
    Err err = {0};
    tree_begin(&t, a);
    assert_string_equal(branches(&t), "main=production");
    tree_write(&t, ".git/HEAD", "ref: refs/heads/master\n");
    assert_string_equal(branches(&t), "master=production");
    tree_write(&t, ".git/refs/heads/develop", "0\n");
    assert_string_equal(branches(&t), "master=production develop=development");
    tree_write(&t, ".git/packed-refs",
               "0 refs/remotes/origin/trunk\n0 refs/remotes/origin/production\n");
    tree_write(&t, ".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/trunk\n");
    assert_string_equal(branches(&t), "trunk=staging production=production develop=development");
    tree_write(&t, ".git/config", "[remote \"origin\"]\n\turl = git@github.com:a/b.git\n");
    tree_write(&t, "sub/package.json", "{\"packageManager\": \"pnpm@9.1.0\"}");
    tree_write(&t, "vercel.json", "{}");
    tree_write(&t, "yarn.lock", "");
    assert_true(project_detect(a, t.dir, &p, &err));
    assert_string_equal(p.manager, "yarn");
    assert_string_equal(p.platforms[PROJECT_GITHUB], ".git/config");
    assert_string_equal(p.platforms[PROJECT_VERCEL], "vercel.json");
    assert_null(p.platforms[PROJECT_DOCKER]);
    assert_true(project_detect(a, fs_join(a, t.dir, "sub"), &p, &err));
    assert_string_equal(p.manager, "pnpm");
    assert_string_equal(p.root, t.dir);
    assert_false(project_detect(a, fs_join(a, t.dir, "none"), &p, &err));
    tree_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_keeps_the_layout),   cmocka_unit_test(set_refuses),
        cmocka_unit_test(text_is_decoded),        cmocka_unit_test(damaged_texts),
        cmocka_unit_test(ignore_entries),         cmocka_unit_test(templates_are_filled_in),
        cmocka_unit_test(profiles_are_whole),     cmocka_unit_test(tools_are_told_apart),
        cmocka_unit_test(contents_tell_too),      cmocka_unit_test(workspaces),
        cmocka_unit_test(branches_and_platforms),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("project", tests, NULL, NULL);
}
