/* Starts real servers: a throwaway one for each replay. */
#include "replay/replay_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void
must(bool ok, const Err *err)
{
    if (!ok)
        fprintf(stderr, "# %s\n# %s\n# %s\n", err->primary, err->detail, err->hint);
    assert_true(ok);
}

#define SCRIPT(name, text)                                                                         \
    {                                                                                              \
        name, NULL, STR(text)                                                                      \
    }
#define COUNT(list) (sizeof(list) / sizeof *(list))

static Replay
replayed(Arena *a, const ReplayScript *scripts, size_t n)
{
    Err err;
    Replay r;
    must(replay_scripts(a, scripts, n, &(ReplayOptions){0}, &r, &err), &err);
    return r;
}

static Err
refused(Arena *a, const ReplayScript *scripts, size_t n)
{
    Err err;
    Replay r;
    assert_false(replay_scripts(a, scripts, n, &(ReplayOptions){0}, &r, &err));
    return err;
}

/* What a deploy does, too: other transactions, statements outside of any, enum values in use. */
static void
runs_as_a_deploy_would(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const ReplayScript scripts[] = {
        SCRIPT("1", "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id int, m mood);"),
        SCRIPT("2", "SET search_path = pg_catalog; SELECT 1 -- comment"),
        SCRIPT("3", "CREATE INDEX CONCURRENTLY i ON t (id);\nALTER TABLE t ADD b int;"),
        SCRIPT("4", "BEGIN; ALTER TABLE t ADD c int; COMMIT; ALTER TABLE t ADD d int;"),
        SCRIPT("5", "ALTER TYPE mood ADD VALUE 'z'; ALTER TABLE t ALTER m SET DEFAULT 'z';"),
        SCRIPT("6", ""),
    };
    Replay r = replayed(a, scripts, COUNT(scripts));
    assert_int_equal(r.scripts_run, 6);
    assert_true(r.major >= 13 && r.version_num / 10000 == r.major);
    const CatRelation *t = catalog_relation(r.catalog, "public", "t");
    assert_non_null(t);
    assert_int_equal(t->columns.n, 5);
    assert_int_equal(t->indexes.n, 1);
    assert_string_equal(catalog_column(t, "m")->default_expr, "'z'::public.mood");
}

static void
says_which_statement_failed(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const ReplayScript scripts[] = {
        SCRIPT("1_init", "CREATE TABLE t (id int);"),
        {"2_more", "m/2_more/migration.sql",
         STR("SELECT 1;\nALTER TABLE t\n  ADD FOREIGN KEY (id) "
             "REFERENCES missing (id);\n")},
    };
    Err err = refused(a, scripts, 2);
    assert_int_equal(err.code, ERR_REPLAY);
    assert_string_equal(err.sqlstate, "42P01");
    assert_string_equal(
        err.primary,
        "migration \"2_more\" cannot be replayed: relation \"missing\" does not exist");
    assert_string_equal(err.at.path, "m/2_more/migration.sql");
    assert_int_equal(err.at.line, 2);
    assert_int_equal(err.statement, 2);
    static const ReplayScript syntax = {"x", "x.sql", STR("SELECT 1;\nSELEC 2;")};
    err = refused(a, &syntax, 1);
    assert_string_equal(err.sqlstate, "42601");
    assert_int_equal(err.at.line, 2);
    assert_int_equal(err.statement, 2);
}

static bool
has_stub(const Replay *r, ReplayStubKind kind, const char *name)
{
    vec_each (const ReplayStub, s, &r->stubs)
        if (s->kind == kind && strcmp(s->name, name) == 0)
            return true;
    return false;
}

static void
puts_stubs_for_what_is_missing(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const ReplayScript scripts[] = {
        SCRIPT("1", "CREATE TABLE t (id uuid REFERENCES auth.users);"
                    "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
                    "CREATE POLICY own ON t TO authenticated USING (auth.uid() = id);"
                    "GRANT SELECT ON t TO anon, \"odd \"\"role\";"
                    "ALTER PUBLICATION supabase_realtime ADD TABLE t;"),
        SCRIPT("2", "SET ROLE app; CREATE TABLE u (id int);"),
    };
    Replay r = replayed(a, scripts, 2);
    assert_true(has_stub(&r, REPLAY_SCHEMA, "auth"));
    assert_true(has_stub(&r, REPLAY_ROLE, "authenticated"));
    assert_true(has_stub(&r, REPLAY_ROLE, "anon"));
    assert_true(has_stub(&r, REPLAY_ROLE, "odd \"role"));
    assert_true(has_stub(&r, REPLAY_ROLE, "app"));
    assert_true(has_stub(&r, REPLAY_PUBLICATION, "supabase_realtime"));
    assert_string_equal(catalog_relation(r.catalog, "public", "u")->owner, "app");
}

static void
stands_in_for_extensions(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const ReplayScript scripts[] = {
        SCRIPT("1",
               "CREATE TABLE before (id int);\nCREATE EXTENSION no_such_thing;\n"
               "CREATE EXTENSION IF NOT EXISTS \"vector\" WITH SCHEMA extensions VERSION '0.1';\n"
               "CREATE TABLE t (id int, e extensions.vector(3));"
               "CREATE INDEX i ON t USING hnsw (e extensions.vector_cosine_ops);"
               "COMMENT ON EXTENSION vector IS 'x'; ALTER EXTENSION vector UPDATE;"),
        SCRIPT("2", "CREATE EXTENSION IF NOT EXISTS no_such_thing; DROP EXTENSION no_such_thing;"),
    };
    Replay r = replayed(a, scripts, 2);
    assert_true(has_stub(&r, REPLAY_EXTENSION, "vector"));
    assert_true(has_stub(&r, REPLAY_EXTENSION, "no_such_thing"));
    const CatRelation *t = catalog_relation(r.catalog, "public", "t");
    assert_string_equal(catalog_column(t, "e")->type.text, "\"extensions\".\"vector\"(3)");
    assert_non_null(catalog_find(r.catalog, (CatRef){CAT_EXTENSION, NULL, "vector", NULL}));
    assert_null(catalog_find(r.catalog, (CatRef){CAT_EXTENSION, NULL, "no_such_thing", NULL}));
    assert_int_equal(r.catalog->functions.n, 0);
    assert_int_equal(r.catalog->others.n, 0);
}

/* Those that this server has files for are never used here. */
static void
stand_ins_are_valid(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const names[] = {"uuid-ossp", "pgcrypto", "citext", "vector"};
    ReplayScript scripts[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *sql = stand_in_extension(str_of(names[i]));
        scripts[i] = (ReplayScript){
            names[i], NULL,
            str_of(str_fmt(a, "CREATE SCHEMA s%zu; SET search_path = s%zu; %s;", i, i, sql))};
    }
    Replay r = replayed(a, scripts, COUNT(names));
    assert_int_equal(r.stubs.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_as_a_deploy_would),
        cmocka_unit_test(says_which_statement_failed),
        cmocka_unit_test(puts_stubs_for_what_is_missing),
        cmocka_unit_test(stands_in_for_extensions),
        cmocka_unit_test(stand_ins_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
