/* The use cases on a server: targets, states, resolve, unlock, plan. */
#include "base/fs.h"
#include "flow/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define MIGRATIONS "prisma/migrations"

typedef struct Fixture {
    Arena *arena;
    TempCluster *cluster;
    int databases;
} Fixture;

/* A project in a folder of its own, and a database name that nobody uses. */
typedef struct Project {
    Arena *arena;
    char dir[64];
    const char *url;
    Config config;
    Db *db; /* superuser's connection, or NULL while there is no database */
} Project;

static int
start(void **state)
{
    Fixture *f = mem_alloc(sizeof *f);
    *f = (Fixture){.arena = arena_make()};
    Err err;
    if (!temp_cluster_open(f->arena, NULL, 0, NULL, &f->cluster, &err)) {
        print_error("%s\n%s\n", err.primary, err.detail);
        return -1;
    }
    *state = f;
    return 0;
}

static int
stop(void **state)
{
    Fixture *f = *state;
    if (f) {
        temp_cluster_close(f->cluster);
        arena_free(f->arena);
        mem_free(f);
    }
    return 0;
}

static void
put(const Project *p, const char *path, const char *text)
{
    Err err;
    const char *whole = fs_join(p->arena, p->dir, path);
    assert_true(fs_mkdirs(fs_dirname(p->arena, whole), 0700, &err));
    assert_true(fs_write(whole, str_of(text), 0600, &err));
}

static void
add(const Project *p, const char *name, const char *sql)
{
    put(p, str_fmt(p->arena, MIGRATIONS "/%s/migration.sql", name), sql);
}

static void
load(Project *p, const char *env, const ConfigFlag *flags, size_t n)
{
    Err err;
    ConfigRequest request = {.start_dir = p->dir, .env_name = env, .flags = flags, .flag_count = n};
    if (!config_load(p->arena, &request, &p->config, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    p->config.values[CFG_WAIT_RUNNER].number = 1000;
}

static Db *
connect(Arena *a, const char *text)
{
    DbUrl *url = arena_new(a, DbUrl);
    Db *db = NULL;
    Err err;
    DbOptions o = {.url = url,
                   .url_origin = "the test",
                   .application = "test",
                   .connect_ms = 900000,
                   .operation_ms = 900000};
    if (!url_parse(a, text, "the test", url, &err) || !db_open(a, &o, &db, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    return db;
}

static void
sql(Project *p, const char *text)
{
    Err err;
    if (!db_query(p->db, p->arena, str_of(text), NULL, &err))
        fail_msg("%s\n%s: %s", text, err.primary, err.detail);
}

static const char *
ask(Project *p, const char *text)
{
    Err err;
    DbRowsVec results;
    if (!db_query(p->db, p->arena, str_of(text), &results, &err))
        fail_msg("%s\n%s: %s", text, err.primary, err.detail);
    const DbRows *r = &results.v[results.n - 1];
    return r->rows && db_cell(r, 0, 0).p ? db_cell(r, 0, 0).p : "";
}

static Project *
project_open(void **state, bool with_database)
{
    Fixture *f = *state;
    Arena *a = arena_make();
    Project *p = arena_new(a, Project);
    *p = (Project){.arena = a, .dir = "/tmp/aramid-flow-XXXXXX"};
    assert_non_null(mkdtemp(p->dir));
    put(p, "prisma/schema.prisma", "datasource db {\n  provider = \"postgresql\"\n}\n");
    put(p, MIGRATIONS "/migration_lock.toml", "provider = \"postgresql\"\n");
    const char *admin = temp_cluster_url(f->cluster);
    const char *query = strchr(admin, '?');
    assert_non_null(query);
    const char *name = str_fmt(a, "flow%d", ++f->databases);
    p->url = str_fmt(a, "postgresql://postgres@/%s%s", name, query);
    ConfigFlag url = {.key = CFG_URL, .flag = "--url", .value = p->url};
    load(p, "development", &url, 1);
    if (with_database) {
        p->db = connect(a, admin);
        sql(p, str_fmt(a, "CREATE DATABASE %s", name));
        db_close(p->db);
        p->db = connect(a, p->url);
    }
    return p;
}

static void
project_close(Project *p)
{
    Err err;
    db_close(p->db);
    assert_true(fs_remove(p->dir, &err));
    arena_free(p->arena);
}

static void
on_event(void *arg, const RunEvent *e)
{
    (void)arg;
    assert_true(e->text && e->text[0]);
}

static FlowInput
input(const Project *p)
{
    return (FlowInput){.config = &p->config, .self_exe = "/nonexistent"};
}

static bool
deploy(Project *p, bool create, Err *err)
{
    DeployInput in = {
        .base = input(p), .sink = {.event = on_event}, .run_id = "run", .create_database = create};
    DeployResult r;
    return flow_deploy(p->arena, &in, &r, err);
}

static void
must_deploy(Project *p)
{
    Err err;
    if (!deploy(p, false, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
}

/* ---- targets ------------------------------------------------------------------------------ */

static void
target_is_chosen(void **state)
{
    Project *p = project_open(state, false);
    Err err;
    Target t;
    FlowInput in = input(p);
    assert_true(flow_target(p->arena, in.config, in.self_exe, FLOW_MAKES_CLUSTER, &t, &err));
    assert_string_equal(t.origin, "flag --url");
    assert_false(t.embedded);

    ConfigFlag bad = {.key = CFG_URL, .flag = "--url", .value = "mysql://u:secret@h/db"};
    load(p, "development", &bad, 1);
    assert_false(flow_target(p->arena, &p->config, in.self_exe, FLOW_MAKES_CLUSTER, &t, &err));
    assert_int_equal(err.code, ERR_URL);
    assert_null(strstr(err.primary, "secret"));

    /* Files: DIRECT_URL beside the URL wins, a flag wins over both. */
    put(p, ".env",
        "DATABASE_URL=postgresql://u:pw@pooled:6543/db\nDIRECT_URL=postgresql://u:pw@direct/db\n");
    load(p, "development", NULL, 0);
    if (!getenv("DATABASE_URL") && !getenv("DIRECT_URL")) {
        assert_true(flow_target(p->arena, &p->config, in.self_exe, FLOW_MAKES_CLUSTER, &t, &err));
        assert_string_equal(t.url.hosts.v[0].host, "direct");
        assert_null(strstr(t.shown, "pw"));
    }
    ConfigFlag flag = {.key = CFG_URL, .flag = "--url", .value = "postgresql://u@flagged/db"};
    load(p, "development", &flag, 1);
    assert_true(flow_target(p->arena, &p->config, in.self_exe, FLOW_MAKES_CLUSTER, &t, &err));
    assert_string_equal(t.url.hosts.v[0].host, "flagged");

    /* Production never falls back to the embedded server. */
    put(p, ".env", "");
    load(p, "production", NULL, 0);
    p->config.values[CFG_URL].text = p->config.values[CFG_DIRECT_URL].text = NULL;
    assert_false(flow_target(p->arena, &p->config, in.self_exe, FLOW_MAKES_CLUSTER, &t, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.hint, "DATABASE_URL"));
    project_close(p);
}

static void
history_is_shown_from_the_project(void **state)
{
    Project *p = project_open(state, false);
    add(p, "1_a", "SELECT 1");
    History h;
    Err err;
    assert_true(flow_history(p->arena, &p->config, &h, &err));
    assert_string_equal(h.dir, MIGRATIONS);
    assert_string_equal(h.files.v[0].path, MIGRATIONS "/1_a/migration.sql");
    project_close(p);
}

/* ---- status ------------------------------------------------------------------------------- */

static void
status_is(Project *p, StatusState expected)
{
    StatusResult r;
    Err err;
    FlowInput in = input(p);
    if (!flow_status(p->arena, &in, &r, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    if (r.state != expected)
        fail_msg("%s instead of %s", status_name(r.state), status_name(expected));
}

static void
status_has_a_state_for_everything(void **state)
{
    Project *p = project_open(state, true);
    status_is(p, STATUS_UP_TO_DATE); /* no files, no tables */
    add(p, "2_b", "CREATE TABLE b (i int)");
    status_is(p, STATUS_PENDING);
    sql(p, "CREATE TABLE old (i int)");
    status_is(p, STATUS_UNMANAGED);
    sql(p, "DROP TABLE old");
    must_deploy(p);
    status_is(p, STATUS_UP_TO_DATE);
    add(p, "1_a", "SELECT 1");
    status_is(p, STATUS_OUT_OF_ORDER);
    must_deploy(p);
    add(p, "3_c", "CREATE TABLE c (i int)");
    status_is(p, STATUS_PENDING);
    sql(p, "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES "
           "('g', '',"
           " '0_gone', now())");
    status_is(p, STATUS_MISSING);
    add(p, "2_b", "CREATE TABLE b (i bigint)");
    status_is(p, STATUS_EDITED);
    sql(p, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f', '', '3_c')");
    status_is(p, STATUS_FAILED);
    sql(p,
        "CREATE SCHEMA IF NOT EXISTS aramid; CREATE TABLE aramid.journal AS SELECT 'f'::text AS "
        "ledger_id, "
        "'3_c'::text"
        " AS migration_name, 0 AS first_statement, 1 AS next_statement, false AS done, ''::text AS"
        " prefix_hash, NULL::text AS chained, NULL::oid AS relation, NULL::oid[] AS "
        "indexes_before, now() AS started_at, ''::text AS run_id");
    status_is(p, STATUS_RESUMABLE);
    assert_string_equal(status_name(STATUS_OUT_OF_ORDER), "out-of-order");
    project_close(p);
}

static void
plan_and_status_write_nothing(void **state)
{
    Project *p = project_open(state, true);
    add(p, "1_a", "CREATE TABLE a (i int)");
    add(p, "2_b", "MERGE INTO a USING a AS x ON false WHEN NOT MATCHED BY SOURCE THEN DELETE");
    FlowInput in = input(p);
    PlanResult r;
    Err err;
    bool ok = flow_plan(p->arena, &in, &r, &err);
    if (!ok) /* syntax of 17, which an older server refuses before anything runs */
        assert_int_equal(err.code, ERR_SYNTAX);
    else
        assert_int_equal(r.plan.migrations.n, 2);
    status_is(p, STATUS_PENDING);
    assert_string_equal(ask(p, "SELECT count(*) FROM pg_class WHERE oid >= 16384"), "0");
    assert_string_equal(ask(p, "SELECT count(*) FROM pg_namespace WHERE oid >= 16384"), "0");
    add(p, "2_b", "SELECT 1; SELCT 2");
    assert_false(flow_plan(p->arena, &in, &r, &err));
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_string_equal(err.at.path, MIGRATIONS "/2_b/migration.sql");
    project_close(p);
}

/* ---- deploy ------------------------------------------------------------------------------- */

static bool
say_no(void *arg, const Session *s, const Plan *plan, Err *err)
{
    (void)s;
    *(size_t *)arg = plan->migrations.n;
    return err_set(err, ERR_CONFIRM, "no");
}

static void
deploy_asks_before_it_writes(void **state)
{
    Project *p = project_open(state, true);
    add(p, "1_a", "CREATE TABLE a (i int)");
    size_t asked = 0;
    DeployInput in = {.base = input(p),
                      .sink = {.event = on_event},
                      .run_id = "run",
                      .approve = say_no,
                      .approve_arg = &asked};
    DeployResult r;
    Err err;
    assert_false(flow_deploy(p->arena, &in, &r, &err));
    assert_int_equal(err.code, ERR_CONFIRM);
    assert_int_equal(asked, 1);
    assert_string_equal(ask(p, "SELECT count(*) FROM pg_class WHERE oid >= 16384"), "0");
    must_deploy(p);
    asked = 0;
    assert_true(flow_deploy(p->arena, &in, &r, &err)); /* nothing to do: nobody is asked */
    assert_int_equal(asked, 0);
    project_close(p);
}

static void
deploy_makes_the_database(void **state)
{
    Project *p = project_open(state, false);
    add(p, "1_a", "CREATE TABLE a (i int)");
    Err err;
    assert_false(deploy(p, false, &err));
    assert_int_equal(err.code, ERR_DB_MISSING);
    if (!deploy(p, true, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    p->db = connect(p->arena, p->url);
    assert_string_equal(ask(p, "SELECT count(*) FROM _prisma_migrations"), "1");
    project_close(p);
}

static void
deploy_baseline_is_needed(void **state)
{
    Project *p = project_open(state, true);
    add(p, "1_a", "CREATE TABLE a (i int)");
    sql(p, "CREATE TABLE a (i int)");
    Err err;
    assert_false(deploy(p, false, &err));
    assert_int_equal(err.code, ERR_NOT_EMPTY);
    assert_non_null(strstr(err.hint, "--applied --up-to"));
    project_close(p);
}

/* ---- resolve ------------------------------------------------------------------------------ */

static bool
resolve(Project *p, ResolveInput in, ResolveResult *ret, Err *err)
{
    in.base = input(p);
    in.sink = (RunSink){.event = on_event};
    return flow_resolve(p->arena, &in, ret, err);
}

static void
resolve_refuses(Project *p, ResolveInput in, ErrCode code, const char *hint)
{
    ResolveResult r;
    Err err = {0};
    if (resolve(p, in, &r, &err))
        fail_msg("accepted; expected %s", err_info(code)->name);
    if (err.code != code || !strstr(err.hint, hint))
        fail_msg("%s: %s\n%s", err_info(err.code)->name, err.primary, err.hint);
}

static void
resolve_follows_prisma(void **state)
{
    Project *p = project_open(state, true);
    ResolveResult r;
    Err err;
    add(p, "20240101_init", "CREATE TABLE a (i int)");
    must_deploy(p);
    add(p, "20240102_more", "CREATE TABLE b (i int)");
    resolve_refuses(p, (ResolveInput){.applied = "20240102_mroe"}, ERR_NO_SUCH_MIGRATION,
                    "20240102_more");
    resolve_refuses(p, (ResolveInput){.applied = "init"}, ERR_NO_SUCH_MIGRATION, "20240101_init");
    resolve_refuses(p, (ResolveInput){.rolled_back = "20240109_nope"}, ERR_NOT_APPLIED,
                    "whole name");
    resolve_refuses(p, (ResolveInput){.applied = "20240101_init"}, ERR_ALREADY_APPLIED, "");
    resolve_refuses(p, (ResolveInput){.rolled_back = "20240101_init"}, ERR_NOT_FAILED, "");
    resolve_refuses(p, (ResolveInput){.rolled_back = "20240102_more"}, ERR_NOT_APPLIED, "deploy");
    /* It looks for what the file makes before it believes. */
    resolve_refuses(p, (ResolveInput){.applied = "20240102_more"}, ERR_PROBE, "--force");
    assert_string_equal(ask(p, "SELECT count(*) FROM _prisma_migrations"), "1");
    sql(p, "CREATE TABLE b (i int)");
    if (!resolve(p, (ResolveInput){.applied = "20240102_more"}, &r, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    assert_int_equal(r.names.n, 1);
    assert_int_equal(r.probe.present, 1);
    status_is(p, STATUS_UP_TO_DATE);

    /* A failed one: as rolled back it runs again, as applied it does not. */
    add(p, "20240103_bad", "CREATE TABLE c (i int)");
    sql(p, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f', '', "
           "'20240103_bad')");
    status_is(p, STATUS_FAILED);
    assert_true(resolve(p, (ResolveInput){.rolled_back = "20240103_bad"}, &r, &err));
    status_is(p, STATUS_PENDING);
    must_deploy(p);
    assert_string_equal(
        ask(p, "SELECT count(*) FROM _prisma_migrations WHERE migration_name = '20240103_bad'"),
        "2");
    add(p, "20240104_bad", "CREATE TABLE d (i int)");
    sql(p, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f4', '', "
           "'20240104_bad')");
    assert_true(resolve(p, (ResolveInput){.applied = "20240104_bad", .force = true}, &r, &err));
    assert_string_equal(
        ask(p, "SELECT rolled_back_at IS NOT NULL FROM _prisma_migrations WHERE id = 'f4'"), "t");
    status_is(p, STATUS_UP_TO_DATE);
    project_close(p);
}

static void
resolve_baselines(void **state)
{
    Project *p = project_open(state, true);
    ResolveResult r;
    Err err;
    add(p, "1_a", "CREATE TABLE a (i int)");
    add(p, "2_b", "ALTER TABLE a RENAME TO b");
    add(p, "3_c", "CREATE TABLE c (i int)");
    sql(p, "CREATE TABLE b (i int)");
    resolve_refuses(p, (ResolveInput){.up_to = "3_c"}, ERR_PROBE, "--force");
    assert_string_equal(ask(p, "SELECT to_regclass('_prisma_migrations') IS NULL"), "t");
    if (!resolve(p, (ResolveInput){.up_to = "2_b"}, &r, &err)) /* the last one counts */
        fail_msg("%s\n%s", err.primary, err.detail);
    assert_int_equal(r.names.n, 2);
    status_is(p, STATUS_PENDING);
    must_deploy(p);
    status_is(p, STATUS_UP_TO_DATE);
    assert_true(resolve(p, (ResolveInput){.up_to = "3_c"}, &r, &err)); /* all are applied already */
    assert_int_equal(r.names.n, 0);
    project_close(p);
}

/* ---- unlock ------------------------------------------------------------------------------- */

static void
unlock_lists_and_ends(void **state)
{
    Project *p = project_open(state, true);
    UnlockInput in = {.base = input(p), .sink = {.event = on_event}};
    UnlockResult r;
    Err err;
    assert_true(flow_unlock(p->arena, &in, &r, &err));
    assert_int_equal(r.holders.n, 0);
    Db *holder = connect(p->arena, p->url);
    assert_true(db_query(holder, p->arena, STR("SELECT pg_advisory_lock(72707369)"), NULL, &err));
    int pid = db_info(holder)->backend_pid;
    assert_true(flow_unlock(p->arena, &in, &r, &err));
    assert_int_equal(r.holders.n, 1);
    assert_int_equal(r.holders.v[0].pid, pid);
    assert_int_equal(r.ended_pid, 0);
    /* Only holders of the lock are ended, nobody else. */
    in.pid = db_info(p->db)->backend_pid;
    assert_false(flow_unlock(p->arena, &in, &r, &err));
    assert_int_equal(err.code, ERR_USAGE);
    sql(p, "SELECT 1");
    in.pid = pid;
    assert_true(flow_unlock(p->arena, &in, &r, &err));
    assert_int_equal(r.ended_pid, pid);
    assert_false(db_query(holder, p->arena, STR("SELECT 1"), NULL, &err));
    db_close(holder);
    project_close(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(target_is_chosen),
        cmocka_unit_test(history_is_shown_from_the_project),
        cmocka_unit_test(status_has_a_state_for_everything),
        cmocka_unit_test(plan_and_status_write_nothing),
        cmocka_unit_test(deploy_asks_before_it_writes),
        cmocka_unit_test(deploy_makes_the_database),
        cmocka_unit_test(deploy_baseline_is_needed),
        cmocka_unit_test(resolve_follows_prisma),
        cmocka_unit_test(resolve_baselines),
        cmocka_unit_test(unlock_lists_and_ends),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("flow", tests, start, stop);
}
