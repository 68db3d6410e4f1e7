/* What the tests of src/run stand on. */
#include "tests.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "shadow/cluster.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct Cluster {
    Arena *arena;
    TempCluster *temp;
    Db *maintenance;
    int databases;
    char dir[64]; /* empty: no configuration file steers a test */
} Cluster;

static Db *
connect_to(Arena *a, const DbUrl *url)
{
    Err err;
    Db *db;
    DbOptions o = {.url = url,
                   .url_origin = "the test",
                   .application = "test",
                   .connect_ms = 900000,
                   .operation_ms = 900000};
    if (!db_open(a, &o, &db, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    return db;
}

int
cluster_start(void **state)
{
    Cluster *c = mem_alloc(sizeof *c);
    *c = (Cluster){.arena = arena_make(), .dir = "/tmp/aramid-run-XXXXXX"};
    Err err;
    if (!mkdtemp(c->dir) || !temp_cluster_open(c->arena, NULL, 0, NULL, &c->temp, &err)) {
        print_error("%s\n%s\n", err.primary, err.detail);
        return -1;
    }
    DbUrl *url = arena_new(c->arena, DbUrl);
    if (!url_parse(c->arena, temp_cluster_url(c->temp), "the test", url, &err))
        return -1;
    c->maintenance = connect_to(c->arena, url);
    *state = c;
    return 0;
}

int
cluster_end(void **state)
{
    Cluster *c = *state;
    if (c) {
        db_close(c->maintenance);
        temp_cluster_close(c->temp);
        rmdir(c->dir);
        arena_free(c->arena);
        mem_free(c);
    }
    return 0;
}

Db *
scene_connect(Scene *s)
{
    DbUrl *url = arena_new(s->arena, DbUrl);
    *url = s->url;
    url->user = "postgres";
    return connect_to(s->arena, url);
}

static void
on_event(void *arg, const RunEvent *e)
{
    Scene *s = arg;
    *vec_add(s->arena, &s->events) =
        (Event){e->kind, e->level, str_dupz(s->arena, e->migration), str_dupz(s->arena, e->text)};
    if (s->on_event)
        s->on_event(s, e);
}

RunSink
scene_sink(Scene *s)
{
    return (RunSink){.event = on_event, .arg = s};
}

Scene *
scene_open(void **state)
{
    Cluster *c = *state;
    Arena *a = arena_make();
    Scene *s = arena_new(a, Scene);
    s->arena = a;
    Err err;
    ConfigRequest request = {.start_dir = c->dir, .env_name = "development"};
    if (!config_load(a, &request, &s->config, &err))
        fail_msg("%s", err.primary);
    s->config.values[CFG_RETRY_DELAY].number = 10;
    s->config.values[CFG_WAIT_RUNNER].number = 2000;
    s->database = str_fmt(a, "t%d", ++c->databases);
    if (!url_parse(a, temp_cluster_url(c->temp), "the test", &s->url, &err))
        fail_msg("%s", err.primary);
    /* What a failed test left open would take the connections of the others. */
    static const char end_others[] =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <>"
        " pg_backend_pid() AND backend_type = 'client backend'";
    if (!db_query(c->maintenance, a, str_of(end_others), NULL, &err) ||
        !db_query(c->maintenance, a, str_of(str_fmt(a, "CREATE DATABASE %s", s->database)), NULL,
                  &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    s->url.database = s->database;
    s->history = history_none();
    s->admin = scene_connect(s);
    s->deploy = (RunDeploy){.session = {.config = &s->config,
                                        .url = &s->url,
                                        .url_origin = "the test",
                                        .history = &s->history,
                                        .verb = "deploy",
                                        .writes = true},
                            .history = &s->history,
                            .run_id = "test-run",
                            .verb = "deploy",
                            .sink = {.event = on_event, .arg = s}};
    s->run =
        (Run){.arena = a, .deploy = &s->deploy, .report = &s->report, .started_ms = clock_ms()};
    return s;
}

void
scene_close(Scene *s)
{
    session_close(&s->run.session);
    db_close(s->run.observer);
    db_close(s->admin);
    arena_free(s->arena);
}

const char *
scene_role(Scene *s, const char *words)
{
    const char *role = str_fmt(s->arena, "role_of_%s", s->database);
    scene_sql(s, str_fmt(s->arena, "CREATE ROLE %s LOGIN %s", role, words));
    s->url.user = role;
    return role;
}

void
scene_add(Scene *s, const char *name, const char *sql)
{
    *vec_add(s->arena, &s->history.files) = (Migration){
        .name = name,
        .path = str_fmt(s->arena, "migrations/%s/migration.sql", name),
        .has_file = true,
        .text = str_of(sql),
        .checksum = hash_sha256_hex(s->arena, str_of(sql)),
    };
    history_compare(s->arena, &s->history);
}

void
scene_sql(Scene *s, const char *sql)
{
    Err err;
    if (!db_query(s->admin, s->arena, str_of(sql), NULL, &err))
        fail_msg("%s\n%s: %s", sql, err.primary, err.detail);
}

const char *
scene_ask(Scene *s, const char *sql)
{
    Err err;
    DbRowsVec results;
    if (!db_query(s->admin, s->arena, str_of(sql), &results, &err))
        fail_msg("%s\n%s: %s", sql, err.primary, err.detail);
    const DbRows *r = &results.v[results.n - 1];
    return r->rows && db_cell(r, 0, 0).p ? db_cell(r, 0, 0).p : "";
}

bool
scene_deploy(Scene *s, Err *err)
{
    s->history.rows.n = 0;
    history_compare(s->arena, &s->history);
    s->events.n = 0;
    return run_deploy(s->arena, &s->deploy, &s->report, err);
}

void
scene_must_deploy(Scene *s)
{
    Err err;
    if (!scene_deploy(s, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
}

int
scene_saw(const Scene *s, RunEventKind kind, const char *part)
{
    int n = 0;
    vec_each (const Event, e, &s->events)
        n += e->kind == kind && strstr(e->text, part);
    return n;
}

void
scene_session(Scene *s, Session *ret)
{
    Err err;
    if (!session_open(s->arena, &s->deploy.session, ret, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
}

Run *
scene_run(Scene *s)
{
    scene_session(s, &s->run.session);
    return &s->run;
}

void
scene_plan(Scene *s, const char *sql, const PlanHints *hints, MigrationPlan *ret)
{
    Err err;
    Migration *m = arena_new(s->arena, Migration);
    *m = (Migration){.name = "1_m",
                     .path = "migrations/1_m/migration.sql",
                     .has_file = true,
                     .text = str_of(sql),
                     .checksum = hash_sha256_hex(s->arena, str_of(sql))};
    if (!plan_migration(s->arena, m, hints, ret, &err))
        fail_msg("%s: %s", sql, err.primary);
}
