/* The one message of a step: its text, what its statements are, and the way back from an error. */
#include "tests.h"

#include "sqltext/sqltext.h"

static const PlanHints none;

/* A message of one block. */
typedef struct Sent {
    Message message;
    Block block;
} Sent;

static void
add(Scene *s, const MigrationPlan *mp, size_t step, const StepWrite *w, Sent *ret)
{
    Err err;
    message_begin(&ret->message, s->arena, s->arena, false);
    if (!message_add(&s->run, mp, &mp->steps.v[step], w, &ret->message, &ret->block, &err))
        fail_msg("%s", err.primary);
}

static void
build(Scene *s, const MigrationPlan *mp, size_t step, const LockPlan *locks, const char *check,
      Sent *ret)
{
    static const LockPlan no_locks = {.table_ms = 60, .evict_ms = 1500, .rest_ms = 40};
    LedgerRow row = {.name = check};
    StepWrite w = {.is_flushed = true,
                   .record = "SELECT 'record 1';SELECT 'record 2';",
                   .record_statements = 2,
                   .proof = "SELECT 'proof'",
                   .pending = check ? &row : NULL};
    w.locks = locks ? locks : &no_locks;
    add(s, mp, step, &w, ret);
}

/* A ledger for the checks to look at. */
static Run *
with_ledger(Scene *s)
{
    scene_sql(s, "CREATE TABLE _prisma_migrations (id text, migration_name text, rolled_back_at"
                 " timestamptz, finished_at timestamptz)");
    return scene_run(s);
}

static const char *const nasty_files[] = {
    "CREATE TABLE a (i int)",
    "CREATE TABLE a (i int);",
    "CREATE TABLE a (i int); -- the end",
    "CREATE TABLE a (i int) -- no semicolon, a comment",
    "CREATE TABLE a (i int) /* a comment */",
    "\xef\xbb\xbf"
    "CREATE TABLE a (i int);",
    "CREATE TABLE a (i int);\r\nINSERT INTO a VALUES (1);\r\n-- end\r\n",
    "-- head\n\n;;CREATE TABLE a (i int);;\n;SELECT 1;;",
    "",
    "-- only a comment",
    "/* only a comment */ ;",
    "SELECT ';'; SELECT $$;$$; SELECT $a$ ; $b$ $a$; SELECT E'\\';'; SELECT U&'\\003b', \";\" FROM "
    "(VALUES (1)) AS x (\";\")",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT f()",
    "CREATE TABLE a (i int); CREATE RULE r AS ON INSERT TO a DO INSTEAD (UPDATE a SET i = 1; "
    "DELETE FROM a);"
    "INSERT INTO a VALUES (1); SELECT 3",
    "SET LOCAL search_path = pg_catalog; SET standard_conforming_strings = off; SELECT 'a'';b'",
    "SET ROLE pg_monitor; SET lock_timeout = 1; RESET ALL",
    "DO $$BEGIN EXECUTE 'SET ROLE pg_monitor'; END$$",
    "EXPLAIN SELECT 1; SHOW work_mem; VALUES (1); TABLE pg_class; COPY (SELECT 1) TO STDOUT; "
    "SELECT 2",
    "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p; DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE "
    "c",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1",
    "BEGIN; CREATE TABLE a (i int); COMMIT",
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT -- c",
    "COMMIT",
};

static PartKind
failed_kind(const Sent *m, const DbOutcome *o)
{
    Part part = {.kind = PART_SETTLE};
    message_failed_part(&m->block, o, &part);
    return part.kind;
}

static size_t
statements(const Sent *m)
{
    size_t n = 0;
    vec_each (const Part, p, &m->block.parts)
        n += p->count;
    return n;
}

/* Where the statements of the message are, each part's is: the user's own ones are unchanged. */
void
message_parts_match(void **state)
{
    Scene *s = scene_open(state);
    with_ledger(s);
    for (size_t i = 0; i < sizeof nasty_files / sizeof *nasty_files; i++) {
        MigrationPlan mp;
        Sent m;
        scene_plan(s, nasty_files[i], &none, &mp);
        build(s, &mp, 0, NULL, "1_m", &m);
        SqlScript script;
        Err err;
        if (!sql_split(s->arena, "message", buf_str(&m.message.sql), &script, &err))
            fail_msg("%s\n%s", err.primary, m.message.sql.p);
        if (script.stmts.n != statements(&m))
            fail_msg("%zu statements, %zu in parts: %s", script.stmts.n, statements(&m),
                     m.message.sql.p);
        size_t next_user = 0;
        for (size_t k = 0; k < script.stmts.n; k++) {
            const SqlSpan *st = &script.stmts.v[k];
            Str text = str_slice(script.text, st->off, st->off + st->len);
            Part part;
            assert_true(message_failed_part(&m.block, &(DbOutcome){.completed = (int)k}, &part));
            if (part.kind == PART_USER) {
                assert_int_equal(part.index, next_user++);
                const SqlSpan *own = &mp.script.stmts.v[part.index];
                assert_true(str_eq(text, str_slice(mp.script.text, own->off, own->off + own->len)));
            } else if (part.kind == PART_SETTING) {
                assert_true(str_starts(text, STR("SET")) || str_starts(text, STR("RESET")) ||
                            str_starts(text, STR("SELECT pg_catalog.set_config(")));
            }
        }
        assert_int_equal(next_user, mp.script.stmts.n);
        assert_true(m.message.sql.n == strlen(m.message.sql.p));
        /* The file's bytes stand in it as they are. */
        assert_true(str_eq(
            str_slice(buf_str(&m.message.sql), m.block.user_off,
                      m.block.user_off + m.block.user_len),
            str_slice(mp.script.text, m.block.file_off, m.block.file_off + m.block.user_len)));
    }
    scene_close(s);
}

/* The server gives one result for each part, and the records are the last ones before a COMMIT. */
void
message_runs_as_planned(void **state)
{
    Scene *s = scene_open(state);
    Run *r = with_ledger(s);
    for (size_t i = 0; i < sizeof nasty_files / sizeof *nasty_files; i++) {
        MigrationPlan mp;
        Sent m;
        DbOutcome o;
        if (db_info(s->admin)->version < 140000 && strstr(nasty_files[i], "ATOMIC"))
            continue;
        scene_plan(s, nasty_files[i], &none, &mp);
        build(s, &mp, 0, NULL, "1_m", &m);
        run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
        if (o.end != DB_DONE)
            fail_msg("%s\n%s", o.message, m.message.sql.p);
        if ((size_t)o.completed != statements(&m) || o.results.n != statements(&m))
            fail_msg("%d results for %zu statements: %s", o.completed, statements(&m),
                     m.message.sql.p);
        scene_sql(s, "DROP TABLE IF EXISTS a; DROP FUNCTION IF EXISTS f");
    }
    scene_close(s);
}

void
message_texts(void **state)
{
    Scene *s = scene_open(state);
    with_ledger(s);
    MigrationPlan mp;
    Sent m;
    scene_plan(s, "CREATE TABLE a (i int)", &none, &mp);
    build(s, &mp, 0, NULL, NULL, &m);
    assert_true(str_starts(buf_str(&m.message.sql), STR("SELECT 1 OPERATOR("))); /* all is clean */
    s->run.session.unclean = true;
    scene_plan(s, "-- head\nSELECT 1 -- tail", &none, &mp);
    build(s, &mp, 0, NULL, NULL, &m);
    /* The newline keeps the comment from swallowing the record. */
    assert_non_null(
        strstr(m.message.sql.p, ";-- head\nSELECT 1 -- tail\n;\nSET CONSTRAINTS ALL IMMEDIATE;"));
    assert_true(str_starts(buf_str(&m.message.sql),
                           STR("RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;")));
    assert_null(strstr(m.message.sql.p, "BEGIN"));
    assert_true(str_ends(buf_str(&m.message.sql),
                         STR("SELECT 'record 1';SELECT 'record 2';SELECT 'proof'")));
    /* What may have changed the role is taken back before the record. */
    scene_plan(s, "SET ROLE x", &none, &mp);
    build(s, &mp, 0, NULL, NULL, &m);
    char *reset = strstr(m.message.sql.p, ";RESET ROLE;RESET SESSION AUTHORIZATION;RESET default"),
         *record = strstr(m.message.sql.p, "SELECT 'record 1'");
    assert_true(reset && record && reset < record);
    /* Prisma's ?schema= is the whole search_path. */
    s->run.session.url_schema = "we\"ird";
    build(s, &mp, 0, NULL, NULL, &m);
    assert_non_null(strstr(m.message.sql.p, "SET search_path=\"we\"\"ird\";"));
    s->run.session.url_schema = NULL;
    scene_close(s);
}

void
message_own_commit(void **state)
{
    Scene *s = scene_open(state);
    Run *r = with_ledger(s);
    MigrationPlan mp;
    Sent m;
    DbOutcome o;
    scene_plan(s, "CREATE TABLE a (i int); BEGIN; INSERT INTO a VALUES (1); COMMIT; SELECT 2",
               &none, &mp);
    assert_int_equal(mp.steps.n, 2);
    build(s, &mp, 0, NULL, NULL, &m);
    assert_true(str_ends(buf_str(&m.message.sql), STR("SELECT 'proof';COMMIT")));
    const Part *last = &m.block.parts.v[m.block.parts.n - 1];
    assert_int_equal(last->kind, PART_USER);
    assert_int_equal(last->index, 3);
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(o.end, DB_DONE);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM a"), "1");
    /* The second step begins behind the COMMIT. */
    build(s, &mp, 1, NULL, NULL, &m);
    assert_null(strstr(m.message.sql.p, "CREATE TABLE"));
    assert_non_null(strstr(m.message.sql.p, "SELECT 2\n;\n"));
    scene_close(s);
}

void
message_chained(void **state)
{
    Scene *s = scene_open(state);
    Run *r = with_ledger(s);
    MigrationPlan mp;
    Sent m;
    DbOutcome o;
    scene_sql(s, "CREATE TABLE lvl (t text)");
    scene_plan(s,
               "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; "
               "COMMIT AND CHAIN; INSERT INTO lvl SELECT current_setting('transaction_isolation'); "
               "COMMIT;",
               &none, &mp);
    for (size_t i = 0; i < mp.steps.n; i++) {
        build(s, &mp, i, NULL, NULL, &m);
        run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
        if (o.end != DB_DONE)
            fail_msg("%s\n%s", o.message, m.message.sql.p);
        assert_int_equal(o.completed, statements(&m));
    }
    assert_string_equal(scene_ask(s, "SELECT t FROM lvl"), "repeatable read");
    scene_close(s);
}

void
message_checks_and_isolation(void **state)
{
    Scene *s = scene_open(state);
    with_ledger(s);
    MigrationPlan mp;
    Sent m;
    scene_plan(s, "SELECT 1", &none, &mp);
    build(s, &mp, 0, NULL, "o'clock\\", &m);
    char *check = strstr(m.message.sql.p, "pg_try_advisory_xact_lock(" LOCK_KEY_MESSAGE ")");
    assert_true(check && (size_t)(check - m.message.sql.p) < m.block.user_off);
    assert_non_null(strstr(m.message.sql.p, "E'o''clock\\\\'"));
    /* A level of isolation can only be set before the first query. */
    static const char *const levels[] = {
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT",
        "begin transaction isolation level repeatable read; COMMIT"};
    for (size_t i = 0; i < 3; i++) {
        scene_plan(s, levels[i], &none, &mp);
        build(s, &mp, 0, NULL, "1_m", &m);
        check = strstr(m.message.sql.p, "pg_try_advisory_xact_lock");
        char *record = strstr(m.message.sql.p, "SELECT 'record 1'");
        assert_true(check &&
                    (size_t)(check - m.message.sql.p) >= m.block.user_off + m.block.user_len &&
                    check < record);
    }
    scene_close(s);
}

void
message_locks(void **state)
{
    Scene *s = scene_open(state);
    with_ledger(s);
    MigrationPlan mp;
    Sent m;
    LockPlan locks = {.table_ms = 60, .evict_ms = 1500, .rest_ms = 40};
    StepLock one = {{"", "we\"ird"}, SQL_LOCK_ACCESS_EXCLUSIVE, true, false};
    StepLock two = {{"o'clock", "Two"}, SQL_LOCK_SHARE_ROW_EXCLUSIVE, true, false};
    *vec_add(s->arena, &locks.tables) = &one;
    *vec_add(s->arena, &locks.tables) = &two;
    scene_plan(s, "SELECT 1", &none, &mp);
    build(s, &mp, 0, &locks, NULL, &m);
    static const char expected[] =
        "SET LOCAL lock_timeout=1500;"
        "LOCK TABLE ONLY \"we\"\"ird\" IN SHARE UPDATE EXCLUSIVE MODE;"
        "LOCK TABLE ONLY \"o'clock\".\"Two\" IN SHARE UPDATE EXCLUSIVE MODE;"
        "SET LOCAL lock_timeout=60;"
        "LOCK TABLE ONLY \"we\"\"ird\" IN ACCESS EXCLUSIVE MODE;"
        "LOCK TABLE ONLY \"o'clock\".\"Two\" IN SHARE ROW EXCLUSIVE MODE;"
        "SELECT ";
    assert_non_null(strstr(m.message.sql.p, expected));
    assert_non_null(strstr(m.message.sql.p, ", pg_catalog.set_config('lock_timeout', '40', true)"));
    int prelocks = 0;
    vec_each (const Part, p, &m.block.parts)
        prelocks += p->kind == PART_PRELOCK;
    assert_int_equal(prelocks, 4);
    scene_close(s);
}

void
message_checks_hold(void **state)
{
    Scene *s = scene_open(state);
    Run *r = with_ledger(s);
    MigrationPlan mp;
    Sent m;
    DbOutcome o;
    scene_plan(s, "CREATE TABLE a (i int); SELECT 1", &none, &mp);
    build(s, &mp, 0, NULL, "1_m", &m);
    /* Another runner is inside a message. */
    scene_sql(s, "SELECT pg_advisory_lock(" LOCK_KEY_MESSAGE ")");
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(o.end, DB_FAILED);
    assert_int_equal(failed_kind(&m, &o), PART_CHECK_LOCK);
    scene_sql(s, "SELECT pg_advisory_unlock_all()");
    /* Somebody applied it meanwhile. */
    scene_sql(s, "INSERT INTO _prisma_migrations VALUES ('x', '1_m', NULL, now())");
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(failed_kind(&m, &o), PART_CHECK_PENDING);
    assert_string_equal(scene_ask(s, "SELECT to_regclass('a') IS NULL"), "t");
    scene_sql(s, "UPDATE _prisma_migrations SET rolled_back_at = now()");
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(o.end, DB_DONE);
    /* A script may have let the session's lock go. */
    r->session.unclean = true;
    build(s, &mp, 0, NULL, "1_m", &m);
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(failed_kind(&m, &o), PART_CHECK_LOCK);
    scene_close(s);
}

/* ---- places ------------------------------------------------------------------------------- */

static void
place(Scene *s, const char *sql, const char *sqlstate, int line, int column, int statement)
{
    MigrationPlan mp;
    Sent m;
    DbOutcome o;
    scene_plan(s, sql, &none, &mp);
    build(s, &mp, 0, NULL, "1_m", &m);
    run_send(&s->run, s->arena, buf_str(&m.message.sql), false, &o);
    assert_int_equal(o.end, DB_FAILED);
    DbOutcome rollback; /* a failed BEGIN of the file's own leaves its block open */
    db_run(s->run.session.db, s->arena, STR("ROLLBACK"), &(DbRun){0}, &rollback);
    if (strcmp(o.sqlstate, sqlstate) != 0)
        fail_msg("%s: %s %s", sql, o.sqlstate, o.message);
    Err err;
    err_set(&err, ERR_MIGRATION_FAILED, "x");
    message_drop_text(&m.message, &m.block, &o);
    assert_true(message_place(&m.block, &mp, &o, &err));
    assert_string_equal(err.at.path, "migrations/1_m/migration.sql");
    if (err.at.line != line || err.at.column != column || err.statement != statement)
        fail_msg("%s: at %d:%d, statement %d", sql, err.at.line, err.at.column, err.statement);
}

void
message_places(void **state)
{
    Scene *s = scene_open(state);
    with_ledger(s);
    place(s, "SELCT 1", "42601", 1, 1, 1);
    place(s, "-- head\nSELECT 1;\n  SELCT 2", "42601", 3, 3, 2);
    place(s, "SELECT '日本語 äöü😀'; SELECT nowhere", "42703", 1, 27, 2);
    place(s, "\xef\xbb\xbfSELECT nowhere", "42703", 1, 8, 1);
    place(s, "/* ä */\r\nSELECT 1;\r\n\r\nSELECT 'ö',\r\n  nowhere;\r\n", "42703", 5, 3, 2);
    /* Without a position of the server: where the statement begins. */
    place(s, "SELECT 1;\n\n  SELECT 1/0;\nSELECT 3", "22012", 3, 3, 2);
    place(s, "CREATE TABLE a (i int);\nCREATE TABLE a (i int);", "42P07", 2, 1, 2);
    place(s, "BEGIN;\nSELECT 1;\nSELECT 1/0; COMMIT", "22012", 3, 1, 3);
    /* A constraint that is looked at by the file's own COMMIT. */
    place(s,
          "BEGIN; CREATE TABLE a (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
          "INSERT INTO a VALUES (1), (1);\n  COMMIT;",
          "23505", 3, 3, 4);
    scene_close(s);
}

void
message_places_outside(void **state)
{
    Scene *s = scene_open(state);
    Run *r = with_ledger(s);
    MigrationPlan mp;
    Sent m;
    DbOutcome o;
    Err err;
    scene_plan(s,
               "CREATE TABLE a (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
               "INSERT INTO a VALUES (1), (1)",
               &none, &mp);
    build(s, &mp, 0, NULL, NULL, &m);
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_string_equal(o.sqlstate, "23505"); /* behind the file's last statement */
    assert_int_equal(failed_kind(&m, &o), PART_SETTLE);
    err_set(&err, ERR_MIGRATION_FAILED, "x");
    message_drop_text(&m.message, &m.block, &o);
    assert_false(message_place(&m.block, &mp, &o, &err));
    assert_int_equal(err.at.line, 0);
    assert_string_equal(err.at.path, "migrations/1_m/migration.sql");
    /* An error in our own part has no place in the file. */
    StepWrite w = {.is_flushed = true,
                   .locks = &(LockPlan){.rest_ms = 0},
                   .record = "SELECT nowhere;",
                   .record_statements = 1,
                   .proof = "SELECT 1"};
    scene_plan(s, "SELECT 1", &none, &mp);
    add(s, &mp, 0, &w, &m);
    run_send(r, s->arena, buf_str(&m.message.sql), false, &o);
    assert_string_equal(o.sqlstate, "42703");
    assert_int_equal(failed_kind(&m, &o), PART_RECORD);
    message_drop_text(&m.message, &m.block, &o);
    assert_false(message_place(&m.block, &mp, &o, &err));
    scene_close(s);
}
