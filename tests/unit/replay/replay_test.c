/* Starts real servers: a throwaway one for each replay. */
#include "base/fs.h"
#include "replay/replay_int.h"
#include "catalog/catalog_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
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
static Replay
replayed_with(Arena *a, const ReplayScript *scripts, size_t n, const char *cache)
{
    Err err;
    Replay r;
    must(replay_scripts(a, scripts, n, &(ReplayOptions){.cache_dir = cache}, &r, &err), &err);
    return r;
}

static Replay
replayed(Arena *a, const ReplayScript *scripts, size_t n)
{
    return replayed_with(a, scripts, n, NULL);
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

static bool
server_has_vector(void)
{
    ARENA_LOCAL(a);
    static const ReplayScript look = SCRIPT(
        "0", "DO $$BEGIN IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')"
             " THEN CREATE TABLE has_vector (); END IF; END$$");
    return catalog_relation(replayed(a, &look, 1).catalog, "public", "has_vector") != NULL;
}

static void
stands_in_for_extensions(void **state)
{
    (void)state;
    if (server_has_vector()) {
        print_message("# this server has extension vector: nothing stands in for it\n");
        skip(); /* jumps: nothing may be held */
    }
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

/* More locks in one transaction than a server has room for that is quick to start. */
static void
makes_room_for_locks(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const ReplayScript scripts[] = {
        SCRIPT("0", "CREATE TABLE t ();"),
        SCRIPT("1", "SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 60000) i;"),
    };
    Replay r = replayed(a, scripts, COUNT(scripts));
    assert_int_equal(r.catalog->tables.n, 1);
}

/* ---- the cache ----------------------------------------------------------------------------- */

static int
make_folder(void **state)
{
    char name[] = "/tmp/aramid-replay-XXXXXX";
    *state = mkdtemp(name) ? strdup(name) : NULL;
    return *state ? 0 : -1;
}

static int
remove_folder(void **state)
{
    Err err;
    bool ok = fs_remove(*state, &err);
    free(*state);
    return ok ? 0 : -1;
}

enum { MANY = 12 };

/* The first one needs a stub, the others make a table each. */
static void
make_scripts(Arena *a, ReplayScript *scripts, size_t n)
{
    scripts[0] =
        (ReplayScript){"0", NULL, STR("CREATE TABLE t (); GRANT SELECT ON t TO somebody;")};
    for (size_t i = 1; i < n; i++)
        scripts[i] = (ReplayScript){str_fmt(a, "%zu", i), NULL,
                                    str_of(str_fmt(a, "CREATE TABLE t%zu ();", i))};
}

static void
runs_only_what_is_new(void **state)
{
    ARENA_LOCAL(a);
    ReplayScript s[MANY + 1];
    make_scripts(a, s, MANY + 1);
    Replay first = replayed_with(a, s, MANY, *state);
    assert_int_equal(first.scripts_run, MANY);
    Replay again = replayed_with(a, s, MANY, *state);
    assert_true(again.is_cached);
    assert_int_equal(again.scripts_run, 0);
    assert_int_equal(again.version_num, first.version_num);
    assert_true(has_stub(&again, REPLAY_ROLE, "somebody"));
    assert_string_equal(catalog_json(a, again.catalog, NULL, false).p,
                        catalog_json(a, first.catalog, NULL, false).p);

    s[MANY].sql = STR("GRANT SELECT ON t1 TO somebody;"); /* the role is there */
    Replay more = replayed_with(a, s, MANY + 1, *state);
    assert_false(more.is_cached);
    assert_int_equal(more.scripts_run, 1);
    assert_int_equal(more.stubs.n, 1);
    assert_int_equal(more.catalog->tables.n, MANY);

    s[0].sql = STR("CREATE TABLE other ();"); /* an edited file spoils all behind it */
    assert_int_equal(replayed_with(a, s, MANY, *state).scripts_run, MANY);
}

static size_t
count_folders(Arena *a, const char *cache)
{
    Err err;
    FsEntryVec entries = {0};
    size_t n = 0;
    must(fs_list(a, fs_join(a, cache, "replay"), &entries, &err), &err);
    vec_each (const FsEntry, e, &entries)
        n += e->kind == FS_DIR;
    return n;
}

static void
goes_on_where_the_last_one_ended(void **state)
{
    ARENA_LOCAL(a);
    ReplayScript s[MANY + 4];
    make_scripts(a, s, MANY + 4);
    replayed_with(a, s, MANY, *state);
    assert_int_equal(count_folders(a, *state), 2);
    for (size_t n = MANY + 1; n <= MANY + 4; n++) {
        Replay r = replayed_with(a, s, n, *state);
        assert_int_equal(r.scripts_run, 1);
        assert_int_equal(r.catalog->tables.n, n);
        assert_true(has_stub(&r, REPLAY_ROLE, "somebody"));
        assert_int_equal(count_folders(a, *state), 2); /* it was moved */
    }
    /* What was edited behind the first one does not cost all of it. */
    s[MANY + 1].sql = STR("CREATE TABLE edited ();");
    Replay r = replayed_with(a, s, MANY + 2, *state);
    assert_int_equal(r.scripts_run, 2);
    assert_int_equal(r.catalog->tables.n, MANY + 2);
    assert_int_equal(replayed_with(a, s, MANY + 3, *state).scripts_run, 1);
}

enum { AT_ONCE = 6 };

/* How many scripts run: MANY, and one behind them unless it is NULL. */
static int
run_with(const char *cache, const char *last)
{
    ARENA_LOCAL(a);
    ReplayScript s[MANY + 1];
    make_scripts(a, s, MANY + 1);
    s[MANY].sql = str_of(last ? last : "");
    size_t n = last ? MANY + 1 : MANY;
    Replay r = replayed_with(a, s, n, cache);
    assert_int_equal(r.catalog->tables.n, n);
    return (int)r.scripts_run;
}

/* All of them find the same folder; one gets it. */
static void
several_go_on_at_once(void **state)
{
    static const char *const last[AT_ONCE] = {"CREATE TABLE u1 ();", "CREATE TABLE u2 ();",
                                              "CREATE TABLE u3 ();", "CREATE TABLE u4 ();",
                                              "CREATE TABLE u5 ();", "CREATE TABLE u6 ();"};
    pid_t pids[AT_ONCE];
    assert_int_equal(run_with(*state, NULL), MANY);
    for (int i = 0; i < AT_ONCE; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(run_with(*state, last[i]));
    }
    for (int i = 0; i < AT_ONCE; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
}

static void
options_are_part_of_the_key(void **state)
{
    ARENA_LOCAL(a);
    Err err;
    Replay r;
    static const ReplayScript script = SCRIPT("x", "CREATE TABLE t (); CREATE TABLE u ();");
    static const char *const except[] = {"public.u"};
    const IntrospectOptions some = {.except = except, .nexcept = 1};
    assert_int_equal(replayed_with(a, &script, 1, *state).catalog->tables.n, 2);
    const ReplayOptions o = {.cache_dir = *state, .introspect = &some};
    must(replay_scripts(a, &script, 1, &o, &r, &err), &err);
    assert_false(r.is_cached);
    assert_int_equal(r.catalog->tables.n, 1);
}

/* Every file of the cache but for the servers' own, cut short, then with other bytes in it. */
static void
damage(Arena *a, const char *dir, bool cut)
{
    Err err;
    FsEntryVec entries = {0};
    must(fs_list(a, dir, &entries, &err), &err);
    vec_each (const FsEntry, e, &entries) {
        Str text;
        const char *path = fs_join(a, dir, e->name);
        if (e->kind == FS_DIR && strcmp(e->name, "data") != 0)
            damage(a, path, cut);
        if (e->kind != FS_FILE)
            continue;
        must(fs_read(a, path, 0, &text, &err), &err);
        char *bytes = str_dup(a, text);
        bytes[text.n - 2] ^= 1;
        must(fs_write(path, (Str){bytes, cut ? text.n / 2 : text.n}, 0600, &err), &err);
    }
}

static void
does_without_what_is_damaged(void **state)
{
    ARENA_LOCAL(a);
    ReplayScript s[MANY];
    make_scripts(a, s, MANY);
    replayed_with(a, s, MANY, *state);
    for (int i = 0; i < 2; i++) {
        damage(a, fs_join(a, *state, "replay"), i == 0);
        Replay r = replayed_with(a, s, MANY, *state);
        assert_int_equal(r.scripts_run, MANY);
        assert_int_equal(r.catalog->tables.n, MANY);
    }
}

static void
does_without_a_folder(void **state)
{
    ARENA_LOCAL(a);
    Err err;
    ReplayScript s[MANY];
    make_scripts(a, s, MANY);
    const char *file = fs_join(a, *state, "file");
    must(fs_write(file, STR("x"), 0600, &err), &err);
    assert_int_equal(replayed_with(a, s, MANY, file).scripts_run, MANY);
    assert_int_equal(replayed_with(a, s, MANY, "/proc/none").scripts_run, MANY);
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
        cmocka_unit_test(makes_room_for_locks),
        cmocka_unit_test_setup_teardown(runs_only_what_is_new, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(goes_on_where_the_last_one_ended, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(several_go_on_at_once, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(options_are_part_of_the_key, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(does_without_what_is_damaged, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(does_without_a_folder, make_folder, remove_folder),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
