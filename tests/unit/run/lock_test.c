/* Sessions and locks. */
#include "tests.h"

#include "base/clock.h"
#include "sqltext/sqltext.h"

void
keys_are_what_pg_locks_shows(void **state)
{
    Scene *s = scene_open(state);
    scene_sql(s, "SELECT pg_advisory_lock(" LOCK_KEY_OWN ")");
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND"
                                     " pid = pg_backend_pid() AND classid = " LOCK_CLASS_OWN
                                     " AND objid = " LOCK_OBJ_OWN " AND objsubid = 1"),
                        "1");
    scene_sql(s, "SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(" LOCK_KEY_PRISMA ")");
    assert_string_equal(scene_ask(s, "SELECT classid || ' ' || objid FROM pg_locks WHERE locktype ="
                                     " 'advisory' AND pid = pg_backend_pid()"),
                        "0 " LOCK_KEY_PRISMA);
    assert_string_not_equal(LOCK_KEY_OWN, LOCK_KEY_MESSAGE);
    scene_close(s);
}

/* ---- sessions ----------------------------------------------------------------------------- */

void
session_finds_ledger(void **state)
{
    Scene *s = scene_open(state);
    Session ses;
    scene_session(s, &ses);
    assert_string_equal(ses.ledgers.v[0].at.schema, "public");
    assert_false(ses.ledger_exists || ses.own[OWN_JOURNAL].exists);
    Err err;
    assert_true(session_count_tables(&ses, &err));
    assert_int_equal(ses.tables, 0);
    assert_true(ses.is_fresh);
    assert_string_equal(ses.own[OWN_JOURNAL].schema, "aramid");
    scene_sql(
        s,
        "CREATE SCHEMA \"we\"\"ird\"; CREATE TABLE \"we\"\"ird\"._prisma_migrations (i int);"
        "CREATE TABLE \"we\"\"ird\".t (i int); CREATE TABLE a (i int); CREATE VIEW v AS SELECT 1");
    assert_true(session_refresh(&ses, &err) && session_count_tables(&ses, &err));
    assert_false(ses.ledger_exists || ses.is_fresh);
    assert_int_equal(ses.tables, 1);
    session_close(&ses);

    s->url.schema = "we\"ird"; /* as the URL's schema parameter */
    scene_session(s, &ses);
    assert_true(ses.ledger_exists);
    assert_string_equal(ses.ledgers.v[0].at.schema, "we\"ird");
    assert_true(session_count_tables(&ses, &err));
    assert_int_equal(ses.tables, 1); /* the ledger is none */
    session_close(&ses);
    s->url.schema = NULL;

    /* Or by the role's search_path, wherever in it the table lies. */
    scene_role(s, "SUPERUSER");
    scene_sql(
        s, str_fmt(s->arena, "ALTER ROLE %s SET search_path = public, \"we\"\"ird\"", s->url.user));
    scene_session(s, &ses);
    assert_true(ses.ledger_exists);
    assert_string_equal(ses.ledgers.v[0].at.schema, "we\"ird");
    session_close(&ses);
    scene_close(s);
}

void
session_without_schema(void **state)
{
    Scene *s = scene_open(state);
    scene_sql(s, "DROP SCHEMA public");
    Session ses;
    scene_session(s, &ses);
    assert_null(ses.ledgers.v[0].at.schema);
    assert_false(ses.ledger_exists);
    session_close(&ses);
    scene_add(s, "1_a", "SELECT 1");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.hint, "schema"));
    /* With a schema in the URL it is made, as Prisma does. */
    s->url.schema = "app";
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM app._prisma_migrations"), "1");
    scene_close(s);
}

/* ALTER ROLE ... SET role: the sessions of such a role may not look at their own activity. */
void
session_of_default_role(void **state)
{
    Scene *s = scene_open(state);
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena,
                         "CREATE ROLE %s_owner; GRANT %s_owner TO %s; ALTER ROLE %s SET role ="
                         " %s_owner; GRANT ALL ON SCHEMA public TO %s_owner;"
                         "GRANT ALL ON DATABASE %s TO %s_owner",
                         role, role, role, role, role, role, s->database, role));
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT tableowner FROM pg_tables WHERE tablename = 'a'"),
                        str_fmt(s->arena, "%s_owner", role));
    scene_close(s);
}

void
session_reads_in_read_only(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (i)");
    scene_must_deploy(s);
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena,
                         "ALTER ROLE %s SET default_transaction_read_only = on; GRANT USAGE ON"
                         " SCHEMA public TO %s; GRANT SELECT ON _prisma_migrations TO %s",
                         role, role, role));
    Err err;
    Session ses;
    SessionOptions o = s->deploy.session;
    o.writes = false;
    assert_true(session_open(s->arena, &o, &ses, &err));
    JournalVec journal = {0};
    if (!session_read(&ses, &s->history, &journal, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    assert_int_equal(s->history.applied, 2);
    session_close(&ses);
    o.writes = true;
    assert_false(session_open(s->arena, &o, &ses, &err));
    assert_int_equal(err.code, ERR_READ_ONLY);
    scene_close(s);
}

/* ---- locks -------------------------------------------------------------------------------- */

static bool
take(Scene *s, Session *ses, Err *err)
{
    JournalVec journal = {0};
    RunSink sink = scene_sink(s);
    return lock_and_read(ses, &s->history, &journal, &sink, err);
}

void
lock_excludes_others(void **state)
{
    Scene *s = scene_open(state);
    s->config.values[CFG_WAIT_RUNNER].number = 800; /* long enough to be told */
    /* A runner of another machine. */
    Db *other = scene_connect(s);
    Err err;
    assert_true(db_query(other, s->arena,
                         STR("SET application_name = 'aramid/ffffff/1/1/web-1/deploy';"
                             "SELECT pg_advisory_lock(" LOCK_KEY_OWN
                             "), pg_advisory_lock(" LOCK_KEY_PRISMA ")"),
                         NULL, &err));
    Session ses;
    scene_session(s, &ses);
    assert_false(take(s, &ses, &err));
    assert_int_equal(err.code, ERR_RUNNER_ACTIVE);
    assert_non_null(strstr(err.detail, "aramid deploy on web-1 (process 1)"));
    assert_true(scene_saw(s, RUN_WAITING, "web-1") >= 1);
    LockHolderVec list = {0};
    assert_true(lock_holders(&ses, s->arena, &list, &err));
    assert_int_equal(list.n, 1);
    assert_int_equal(list.v[0].pid, db_info(other)->backend_pid);
    assert_true(list.v[0].is_aramid && !list.v[0].orphaned && !list.v[0].is_tool_key);
    /* A number that was given to another process meanwhile is not ended. */
    LockHolder wrong = list.v[0];
    wrong.backend_start = "2001-01-01 00:00:00+00";
    bool ended;
    assert_true(lock_terminate(&ses, &wrong, &ended, &err));
    assert_false(ended);
    assert_true(lock_terminate(&ses, &list.v[0], &ended, &err));
    assert_true(ended);
    db_close(other);
    assert_true(take(s, &ses, &err));
    assert_true(ses.has_own_lock && ses.has_tool_lock);
    session_close(&ses);

    /* Prisma alone: only its own key. */
    other = scene_connect(s);
    assert_true(
        db_query(other, s->arena, STR("SELECT pg_advisory_lock(" LOCK_KEY_PRISMA ")"), NULL, &err));
    scene_session(s, &ses);
    assert_false(take(s, &ses, &err));
    assert_int_equal(err.code, ERR_RUNNER_ACTIVE);
    assert_true(lock_holders(&ses, s->arena, &list, &err));
    assert_int_equal(list.n, 1);
    assert_true(list.v[0].is_tool_key && !list.v[0].is_aramid);
    db_close(other);
    session_close(&ses);
    /* Locks of another database are nobody's business here. */
    DbUrl url = s->url;
    url.database = "postgres";
    DbOptions o = {.url = &url,
                   .url_origin = "x",
                   .application = "x",
                   .connect_ms = 900000,
                   .operation_ms = 900000};
    assert_true(db_open(s->arena, &o, &other, &err));
    assert_true(
        db_query(other, s->arena, STR("SELECT pg_advisory_lock(" LOCK_KEY_PRISMA ")"), NULL, &err));
    scene_session(s, &ses);
    assert_true(take(s, &ses, &err));
    session_close(&ses);
    db_close(other);
    scene_close(s);
}

/* Another run begins and ends between our first look and our lock. */
void
lock_reads_what_it_protects(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (i)");
    Session ses;
    scene_session(s, &ses);
    assert_false(ses.ledger_exists);
    scene_must_deploy(s);
    s->history.rows.n = 0;
    history_compare(s->arena, &s->history);
    Err err;
    if (!take(s, &ses, &err))
        fail_msg("%s", err.primary);
    bool exists = ses.ledger_exists;
    session_close(&ses);
    assert_true(exists);
    assert_int_equal(s->history.applied, 2);
    assert_int_equal(s->history.pending, 0);
    scene_close(s);
}

void
lock_holders_of_other_roles(void **state)
{
    Scene *s = scene_open(state);
    Db *other = scene_connect(s);
    Err err;
    assert_true(
        db_query(other, s->arena, STR("SELECT pg_advisory_lock(" LOCK_KEY_OWN ")"), NULL, &err));
    scene_role(s, "");
    Session ses;
    scene_session(s, &ses);
    LockHolderVec list = {0};
    assert_true(lock_holders(&ses, s->arena, &list, &err));
    session_close(&ses);
    db_close(other);
    assert_int_equal(list.n, 1);
    const LockHolder *h = &list.v[0];
    assert_non_null(h->who);
    assert_non_null(h->state);
    assert_non_null(h->query);
    assert_non_null(h->since); /* hidden from this role, but printed with %s */
    scene_close(s);
}

/* The link went dead, the server does not know it yet, and we are back: that backend is ours. */
void
lock_ends_own_lost_connection(void **state)
{
    Scene *s = scene_open(state);
    Session before, now;
    Err err;
    scene_session(s, &before);
    assert_true(take(s, &before, &err));
    scene_session(s, &now);
    bool ok = take(s, &now, &err);
    session_close(&before);
    session_close(&now);
    if (!ok)
        fail_msg("%s\n%s", err.primary, err.detail);
    scene_close(s);
}

void
lock_lets_prisma_through(void **state)
{
    Scene *s = scene_open(state);
    Session ses;
    Err err;
    RunSink sink = scene_sink(s);
    scene_session(s, &ses);
    assert_true(take(s, &ses, &err));
    assert_true(lock_yield_to_tool(&ses, &sink, &err)); /* nobody waits */
    assert_true(ses.has_own_lock && ses.has_tool_lock);
    assert_string_equal(scene_ask(s, str_fmt(s->arena,
                                             "SELECT count(*) FROM pg_locks WHERE locktype ="
                                             " 'advisory' AND pid = %d",
                                             db_info(ses.db)->backend_pid)),
                        "2");
    session_close(&ses);
    scene_close(s);
}
