/* Aramid's own tables: who the database is, and the runs. */
#include "tests.h"

#include "sqltext/sqltext.h"

static void
read_again(Scene *s, Session *ses)
{
    JournalVec journal;
    Err err;
    if (!session_refresh(ses, &err) || !session_read(ses, &s->history, &journal, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
}

void
identity_round_trip(void **state)
{
    static const char *const names[] = {"production", "we\"ird", "o'clock\\",
                                        "$$; DROP TABLE x; --"};
    Scene *s = scene_open(state);
    Session ses;
    Err err;
    scene_session(s, &ses);
    read_again(s, &ses);
    assert_null(run_identity(&ses));
    assert_true(run_identity_forget(&ses, &err)); /* there is nothing */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        IdentityMark m = {names[i], "staging", i ? names[i] : NULL, "a test"};
        if (!run_identity_set(&ses, &m, &err))
            fail_msg("%s\n%s", err.primary, err.detail);
        read_again(s, &ses);
        const Identity *id = run_identity(&ses);
        assert_non_null(id);
        assert_int_equal(ses.identities.n, 1);
        assert_string_equal(id->schema, "public");
        assert_string_equal(id->environment, names[i]);
        assert_string_equal(id->profile, "staging");
        assert_string_equal(id->name ? id->name : "production", names[i]);
        assert_string_equal(id->made_by, "postgres");
        assert_string_equal(id->made_with, "a test");
        assert_string_equal(id->place.system,
                            scene_ask(s, "SELECT system_identifier FROM pg_control_system()"));
        assert_string_equal(id->place.oid,
                            scene_ask(s, "SELECT oid FROM pg_database WHERE datname ="
                                         " current_database()"));
        assert_string_equal(id->place.database, s->database);
        assert_string_equal(id->place.oid, ses.place.oid);
        assert_null(id->place.branch);
        assert_null(id->place.address); /* a socket */
    }
    assert_true(run_identity_forget(&ses, &err));
    read_again(s, &ses);
    assert_null(run_identity(&ses));
    session_close(&ses);
    scene_close(s);
}

/* A server that keeps its identifier to itself, and a role that sees the table but may not write.
 */
void
identity_of_poor_roles(void **state)
{
    Scene *s = scene_open(state);
    Session ses;
    Err err;
    scene_session(s, &ses);
    assert_true(
        run_identity_set(&ses, &(IdentityMark){"production", "production", NULL, "x"}, &err));
    session_close(&ses);
    scene_role(s, "");
    scene_sql(s, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    scene_session(s, &ses);
    read_again(s, &ses);
    assert_null(ses.place.system);
    assert_non_null(run_identity(&ses));
    assert_false(own_can_be(&ses, OWN_IDENTITY));
    assert_false(run_identity_set(&ses, &(IdentityMark){"test", "development", NULL, "x"}, &err));
    assert_int_equal(err.code, ERR_DENIED);
    session_close(&ses);
    scene_sql(s, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC");
    scene_close(s);
}

void
identity_beside_the_ledger(void **state)
{
    Scene *s = scene_open(state);
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena, "GRANT USAGE, CREATE ON SCHEMA public TO %s", role));
    Session ses;
    Err err;
    scene_session(s, &ses);
    assert_true(run_identity_set(&ses, &(IdentityMark){"test", "development", NULL, "x"}, &err));
    read_again(s, &ses);
    assert_string_equal(run_identity(&ses)->environment, "test");
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM public._aramid_identity"), "1");
    assert_int_equal(ses.tables, 0); /* it is none of the user's */
    assert_true(ses.is_fresh);
    session_close(&ses);
    scene_close(s);
}

void
record_is_completed(void **state)
{
    Scene *s = scene_open(state);
    Session ses;
    Err err;
    scene_session(s, &ses);
    RunRow r = {.run_id = "one",
                .verb = "deploy",
                .environment = "production",
                .backup_id = "db-backup-o'clock"};
    assert_true(run_write_row(&ses, &r, &err));
    assert_string_equal(scene_ask(s, "SELECT outcome FROM aramid.runs WHERE finished_at IS NULL"),
                        "running");
    r = (RunRow){.run_id = "one",
                 .verb = "deploy",
                 .environment = "production",
                 .outcome = "done",
                 .applied = 3,
                 .consent = "yes; do it"};
    assert_true(run_write_row(&ses, &r, &err));
    assert_string_equal(
        scene_ask(s, "SELECT concat_ws('|', verb, outcome, applied, backup_id, consent,"
                     " no_backup_reason) FROM aramid.runs WHERE finished_at >="
                     " started_at AND os_user LIKE '%@%' AND db_user = 'postgres'"),
        "deploy|done|3|db-backup-o'clock|yes; do it");
    session_close(&ses);
    scene_close(s);
}

/* Nothing is made for a run without a name of its environment; with one, all in the first message.
 */
void
deploy_keeps_a_record(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_must_deploy(s);
    assert_string_equal(scene_ask(s, "SELECT to_regnamespace('aramid') IS NULL"), "t");
    s->deploy.keeps_runs = true;
    scene_must_deploy(s); /* nothing to do */
    assert_string_equal(scene_ask(s, "SELECT to_regnamespace('aramid') IS NULL"), "t");
    scene_add(s, "2_b", "CREATE TABLE b (i int)");
    scene_must_deploy(s);
    static const char row[] = "SELECT run_id || outcome || applied FROM aramid.runs";
    assert_string_equal(scene_ask(s, row), "test-rundone1");
    s->deploy.keeps_runs = false; /* the table is there */
    s->deploy.run_id = "second";
    scene_sql(s, "DELETE FROM aramid.runs");
    scene_add(s, "3_c", "CREATE TABLE c (i int)");
    scene_add(s, "4_d", "SELECT 1/0");
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_string_equal(scene_ask(s, row), "secondfailed1");
    scene_close(s);
}
