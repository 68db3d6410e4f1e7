/* Whole runs in this process: what the other tests cannot see from outside. */
#include "tests.h"

#include "base/clock.h"
#include "base/os.h"
#include "db/db_int.h"
#include "sqltext/sqltext_int.h"

void
deploy_applies_once(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b",
              "INSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY x ON a (i);\nSELECT 1");
    scene_must_deploy(s);
    assert_int_equal(s->report.applied.n, 2);
    assert_int_equal(s->report.pending_before, 2);
    assert_int_equal(s->report.applied.v[0].steps, 1);
    assert_int_equal(s->report.applied.v[1].steps, 3);
    assert_false(s->report.applied.v[1].resumed);
    assert_int_equal(s->history.applied, 2);
    assert_int_equal(scene_saw(s, RUN_APPLIED, ""), 2);
    assert_int_equal(scene_saw(s, RUN_VERIFIED, ""), 1);
    /* Rows as Prisma writes them; in order, with the times of a clock that only goes forward. */
    assert_string_equal(
        scene_ask(s, "SELECT count(*) FROM _prisma_migrations WHERE finished_at >= started_at"
                     " AND logs IS NULL AND applied_steps_count = 1 AND rolled_back_at IS"
                     " NULL AND length(checksum) = 64"),
        "2");
    assert_string_equal(scene_ask(s,
                                  "SELECT string_agg(migration_name, ',' ORDER BY started_at) FROM"
                                  " _prisma_migrations"),
                        "1_a,2_b");
    assert_string_equal(
        scene_ask(s, "SELECT bool_and(done AND finished_at IS NOT NULL) FROM aramid.journal"), "t");
    scene_must_deploy(s);
    assert_int_equal(s->report.applied.n, 0);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM a"), "1");
    scene_close(s);
}

void
deploy_resumes_after_failure(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a",
              "CREATE TABLE a (i int);\nCOMMIT;\nINSERT INTO a VALUES (1);\nCOMMIT;\n"
              "INSERT INTO missing VALUES (1);");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FAILED);
    assert_string_equal(err.sqlstate, "42P01");
    assert_int_equal(err.at.line, 5);
    assert_non_null(strstr(err.detail, "statements 1 to 4 of 5"));
    assert_non_null(strstr(err.hint, "statement 5"));
    assert_string_equal(s->report.failed, "1_a");
    assert_string_equal(
        scene_ask(s, "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL"), "1");
    scene_sql(s, "CREATE TABLE missing (i int)");
    scene_must_deploy(s);
    assert_int_equal(s->report.applied.n, 1);
    assert_true(s->report.applied.v[0].resumed);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM a"), "1");
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM missing"), "1");
    assert_string_equal(
        scene_ask(s, "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL"), "1");
    scene_close(s);
}

/* A procedure with a COMMIT inside: the server refuses it in our message, and it runs alone. */
void
deploy_replans_once(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a",
              "CREATE TABLE a (i int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN INSERT"
              " INTO a VALUES (1); COMMIT; END$$");
    scene_add(s, "2_b", "INSERT INTO a VALUES (0);\nCALL p();\nINSERT INTO a VALUES (2);");
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT string_agg(i::text, ',') FROM a"), "0,1,2");
    assert_true(scene_saw(s, RUN_FINDING, "Prisma's engine would have failed") >= 1);
    assert_int_equal(s->report.applied.n, 2);
    assert_false(s->report.applied.v[1].resumed); /* nothing was interrupted */
    assert_int_equal(s->report.applied.v[1].steps, 3);
    /* Also when a part of it is committed already. */
    scene_add(s, "3_c", "BEGIN; INSERT INTO a VALUES (3); COMMIT; CALL p();\nSELECT 1");
    scene_must_deploy(s);
    assert_false(s->report.applied.v[0].resumed);
    scene_close(s);
}

/* A procedure that commits is never run again by itself: what it committed would come twice. */
void
deploy_runs_procedures_once(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a",
              "CREATE TABLE a (i int); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN INSERT"
              " INTO a VALUES (1); COMMIT; RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END$$");
    scene_add(s, "2_b", "CALL p()");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_string_equal(err.sqlstate, "40001");
    assert_non_null(strstr(err.detail, "what it committed itself"));
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM a"), "1");
    scene_close(s);
}

/* The file's own BEGIN: an error leaves an aborted block behind, and the next try needs a clean
 * session. */
void
deploy_retries_own_transactions(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE SEQUENCE q; CREATE TABLE a (i int)");
    scene_add(
        s, "2_b",
        "BEGIN;\nINSERT INTO a VALUES (1);\nDO $$BEGIN IF nextval('q') < 3 THEN RAISE EXCEPTION"
        " 'again' USING ERRCODE = '40001'; END IF; END$$;\nCOMMIT;\n");
    scene_must_deploy(s);
    assert_int_equal(scene_saw(s, RUN_RETRY, "again"), 2);
    /* The same for a lock that is not free: one that LOCK TABLE cannot take first. */
    scene_add(
        s, "3_c",
        "BEGIN;\nINSERT INTO a VALUES (2);\nDO $$BEGIN IF nextval('q') < 6 THEN RAISE EXCEPTION"
        " 'not now' USING ERRCODE = '55P03'; END IF; END$$;\nCOMMIT;\n");
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT string_agg(i::text, ',') FROM a"), "1,2");
    scene_close(s);
}

static void
count_locks(Scene *s, const RunEvent *e)
{
    if (e->kind == RUN_APPLIED && strcmp(e->migration, "2_b") == 0)
        scene_sql(s,
                  "INSERT INTO side.seen SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                  "AND database"
                  " = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objid IN"
                  " (" LOCK_KEY_PRISMA ", " LOCK_OBJ_OWN ")");
}

/* A script lets the session's locks go; a statement outside of transactions must not run without.
 */
void
deploy_survives_lost_lock(void **state)
{
    Scene *s = scene_open(state);
    scene_sql(s, "CREATE SCHEMA side; CREATE TABLE side.seen (n int)");
    scene_add(s, "1_a", "CREATE TABLE a (i int); SELECT pg_advisory_unlock_all()");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (i)");
    s->on_event = count_locks;
    scene_must_deploy(s);
    assert_int_equal(s->report.applied.n, 2);
    assert_string_equal(scene_ask(s, "SELECT n FROM side.seen"), "2");
    scene_close(s);
}

/* Each file begins with the role's own settings, whatever the one before it set. */
void
deploy_survives_leaked_settings(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a",
              "CREATE TABLE a (t text); SET search_path = pg_catalog; SET ROLE pg_monitor;"
              "SET statement_timeout = '1h'; SET standard_conforming_strings = off");
    scene_add(s, "2_b",
              "INSERT INTO a VALUES (current_user || current_setting('statement_timeout') ||"
              " current_setting('standard_conforming_strings'))");
    scene_add(s, "3_c", "SET default_transaction_read_only = on");
    scene_add(s, "4_d", "INSERT INTO a VALUES ('4')");
    scene_add(s, "5_e", "SET default_transaction_isolation = 'serializable'");
    scene_add(s, "6_f", "INSERT INTO a VALUES (current_setting('transaction_isolation'))");
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT string_agg(t, ',') FROM a"),
                        "postgres0on,4,read committed");
    scene_close(s);
}

/* Prisma's key is one for each database. */
void
deploy_ignores_waiters_elsewhere(void **state)
{
    Scene *s = scene_open(state);
    DbUrl url = s->url;
    url.database = "postgres";
    DbOptions o = {.url = &url,
                   .url_origin = "x",
                   .application = "x",
                   .connect_ms = 900000,
                   .operation_ms = 900000};
    Db *holder = NULL, *waiter = NULL;
    Err err;
    assert_true(db_open(s->arena, &o, &holder, &err) && db_open(s->arena, &o, &waiter, &err));
    assert_true(db_query(holder, s->arena, STR("SELECT pg_advisory_lock(" LOCK_KEY_PRISMA ")"),
                         NULL, &err));
    assert_true(
        waiter->pq.PQsendQuery(waiter->conn, "SELECT pg_advisory_lock(" LOCK_KEY_PRISMA ")"));
    assert_int_equal(waiter->pq.PQflush(waiter->conn), 0);
    while (strcmp(scene_ask(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                               " AND NOT granted"),
                  "1") != 0)
        clock_sleep_ms(20);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (i)");
    bool ok = scene_deploy(s, &err);
    int retries = s->report.retries;
    db_close(holder);
    db_close(waiter);
    if (!ok)
        fail_msg("%s", err.primary);
    assert_int_equal(retries, 0);
    scene_close(s);
}

void
deploy_cleans_unnamed_index(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int); INSERT INTO a VALUES (1), (1)");
    scene_add(s, "2_b", "CREATE UNIQUE INDEX CONCURRENTLY named ON a (i)");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_string_equal(err.sqlstate, "23505");
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    /* And where the server picks the name. */
    s->history.files.v[1].text = STR("CREATE UNIQUE INDEX CONCURRENTLY ON a (i)");
    assert_false(scene_deploy(s, &err));
    assert_string_equal(err.sqlstate, "23505");
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    scene_close(s);
}

static PGcancel *
no_cancel(PGconn *conn)
{
    (void)conn;
    return NULL;
}

/* The stop comes while the server is about to finish: the index is there, and so must its row. */
void
deploy_keeps_what_a_late_stop_built(void **state)
{
    Scene *s = scene_open(state);
    scene_sql(
        s, "CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM"
           " pg_sleep(0.3); RETURN i; END$$");
    scene_add(s, "1_a", "CREATE TABLE a (i int); INSERT INTO a VALUES (1)");
    scene_must_deploy(s);
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (slow(i))");
    Run *r = scene_run(s);
    Err err;
    RunSink sink = scene_sink(s);
    assert_true(lock_and_read(&r->session, &s->history, &r->journal, &sink, &err));
    MigrationPlan mp;
    assert_true(plan_migration(s->arena, &s->history.files.v[1], &(PlanHints){0}, &mp, &err));
    db_set_tick(r->session.db, run_tick, r);
    r->session.db->pq.PQgetCancel = no_cancel; /* it comes too late to have an effect */
    s->config.values[CFG_RUN_TIMEOUT].number = 1;
    r->started_ms = clock_ms() - 1000; /* the run's time is over: as after a signal */
    StepEnd end;
    size_t ended;
    bool ok = migrations_run(r, &mp, 1, &ended, &end, &err);
    (void)ok;
    session_close(&r->session);
    assert_string_equal(
        scene_ask(s, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'x'::regclass"), "t");
    /* The next deploy finishes the job, whatever the stopped one said. */
    s->config.values[CFG_RUN_TIMEOUT].number = 0;
    scene_must_deploy(s);
    assert_string_equal(
        scene_ask(s, "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL"), "2");
    scene_close(s);
}

void
deploy_refuses_failed(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_must_deploy(s);
    scene_add(s, "2_b", "CREATE TABLE b (i int); CREATE TABLE c (i int)");
    scene_sql(s,
              "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('f', '',"
              " '2_b', E'ERROR: x\\n\\x1b[31mred')");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_HISTORY_FAILED);
    assert_null(strchr(err.detail, '\x1b'));
    if (sql_parser_available())
        assert_non_null(strstr(err.hint, "--rolled-back 2_b"));
    scene_sql(s, "CREATE TABLE b (i int); CREATE TABLE c (i int)");
    assert_false(scene_deploy(s, &err));
    if (sql_parser_available())
        assert_non_null(strstr(err.hint, "--applied 2_b"));
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM _prisma_migrations"), "2");
    scene_close(s);
}

void
deploy_reports_failure(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b", "SELECT 1;\n  DO $$BEGIN RAISE EXCEPTION E'\\x1b[2Jcleared'; END$$;");
    scene_add(s, "3_c", "CREATE TABLE c (i int)");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FAILED);
    assert_null(strchr(err.primary, '\x1b'));
    assert_int_equal(err.at.line, 2);
    assert_int_equal(err.at.column, 3);
    assert_int_equal(err.statement, 2);
    assert_int_equal(s->report.applied.n, 1);
    assert_string_equal(s->report.failed, "2_b");
    assert_non_null(
        strstr(err.detail, "1 migration before it is applied; nothing of this migration"));
    assert_string_equal(scene_ask(s, "SELECT to_regclass('c') IS NULL"), "t");
    /* A syntax error far behind: nothing of its file ran. */
    s->history.files.v[1].text = STR("CREATE TABLE b (i int);\nCREATE TABL x (i int);");
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_int_equal(err.at.line, 2);
    assert_string_equal(scene_ask(s, "SELECT to_regclass('b') IS NULL"), "t");
    /* What is there already points to a baseline. */
    s->history.files.v[1].text = STR("CREATE TABLE a (i int);");
    assert_false(scene_deploy(s, &err));
    assert_string_equal(err.sqlstate, "42P07");
    assert_non_null(strstr(err.hint, "resolve --applied 2_b"));
    scene_close(s);
}

void
event_names(void **state)
{
    (void)state;
    assert_string_equal(run_event_name(RUN_CONNECTED), "connected");
    assert_string_equal(run_event_name(RUN_FAILED), "failed");
    for (int k = RUN_CONNECTED; k <= RUN_FAILED; k++)
        for (int i = RUN_CONNECTED; i < k; i++)
            assert_string_not_equal(run_event_name((RunEventKind)k),
                                    run_event_name((RunEventKind)i));
}

/* Names and messages of a server pass through events to terminals. */
void
events_are_printable(void **state)
{
    Scene *s = scene_open(state);
    s->on_event = NULL;
    run_emit(&s->run, RUN_RETRY, RUN_WARN, NULL, "%s", "a\x1b]0;title\x07 b\nc");
    assert_string_equal(s->events.v[0].text, "a\\x1b]0;title\\x07 b\\x0ac");
    scene_close(s);
}

void
failpoint_names(void **state)
{
    (void)state;
    const char *const *names = run_failpoint_names();
    int n = 0;
    for (; names[n]; n++)
        assert_true(names[n][0]);
    assert_int_equal(n, FP_COUNT);
}
