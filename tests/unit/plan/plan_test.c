/* Cutting migrations into steps, and what a plan knows about locks. */
#include "plan/plan.h"
#include "sqltext/sqltext_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static Migration *
migration(Arena *a, const char *text)
{
    Migration *m = arena_new(a, Migration);
    *m = (Migration){.name = "1_m",
                     .path = "migrations/1_m/migration.sql",
                     .has_file = true,
                     .text = str_of(text),
                     .checksum = "sum"};
    return m;
}

static void
plan_with(Arena *a, const char *text, const PlanHints *hints, MigrationPlan *ret)
{
    Err err;
    if (!plan_migration(a, migration(a, text), hints, ret, &err))
        fail_msg("%s: %s", text, err.primary);
}

/* "tx 0+2 | alone 2 | own 3+2 chained(ISOLATION ...)": mode, first statement, count. */
static char *
shape(Arena *a, const MigrationPlan *mp)
{
    static const char *const modes[] = {"tx", "own", "alone"};
    Buf b;
    buf_init(&b, a);
    vec_each (const Step, s, &mp->steps) {
        if (b.n)
            buf_addz(&b, " | ");
        buf_fmt(&b, "%s %zu+%zu", modes[s->mode], s->first, s->count);
        if (s->chained)
            buf_fmt(&b, " chained(%s)", s->chained);
    }
    return b.p;
}

static void
check(const char *text, const PlanHints *hints, const char *expected)
{
    ARENA_LOCAL(a);
    MigrationPlan mp;
    plan_with(a, text, hints, &mp);
    char *got = shape(a, &mp);
    if (strcmp(got, expected) != 0)
        fail_msg("%s\nexpected: %s\ngot:      %s", text, expected, got);
    size_t next = hints->start;
    vec_each (const Step, s, &mp.steps) {
        assert_int_equal(s->first, next);
        next += s->count;
        assert_true(s->mode != STEP_ALONE || (s->count == 1 && s->why));
    }
    assert_int_equal(next, mp.script.stmts.n); /* every statement is in one step */
}

static const PlanHints none;

static void
one_transaction(void **state)
{
    (void)state;
    check("CREATE TABLE a (i int); INSERT INTO a VALUES (1);\nCREATE INDEX x ON a (i)", &none,
          "tx 0+3");
    check("SELECT 1; -- the end", &none, "tx 0+1");
    check("", &none, "tx 0+0");
    check("-- only a comment\n/* and another */\n;;\n", &none, "tx 0+0");
    check("\xef\xbb\xbfSELECT 1", &none, "tx 0+1");
    check("SAVEPOINT a; ROLLBACK TO a; RELEASE a", &none, "tx 0+3");
    check("CALL p(); DO $$BEGIN COMMIT; END$$", &none, "tx 0+2");
    check("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3", &none,
          "tx 0+2");
}

static void
own_transactions(void **state)
{
    (void)state;
    check("BEGIN; SELECT 1; COMMIT", &none, "own 0+3");
    check("BEGIN; SELECT 1; COMMIT; SELECT 2", &none, "own 0+3 | tx 3+1");
    /* What stands before a BEGIN belongs to its transaction. */
    check("SELECT 0; BEGIN; SELECT 1; END; SELECT 2", &none, "own 0+4 | tx 4+1");
    check("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;", &none, "own 0+3 | own 3+3");
    check("START TRANSACTION; SELECT 1; COMMIT WORK", &none, "own 0+3");
    check("SELECT 1; COMMIT; SELECT 2", &none, "own 0+2 | tx 2+1");
    check("COMMIT; SELECT 2", &none, "own 0+1 | tx 1+1");
    check("BEGIN; BEGIN; SELECT 1; COMMIT", &none, "own 0+4"); /* a warning for the server only */
}

static void
begin_is_remembered(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    MigrationPlan mp;
    plan_with(a, "SELECT 0; BEGIN; SELECT 1; COMMIT; SELECT 2", &none, &mp);
    assert_int_equal(mp.steps.v[0].begin, 1);
    assert_true(mp.steps.v[1].begin == SIZE_MAX);
}

static void
chains(void **state)
{
    (void)state;
    check("BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT; SELECT 3", &none,
          "own 0+3 | own 3+2 chained() | tx 5+1");
    check("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT AND CHAIN; SELECT 2; "
          "COMMIT AND CHAIN; SELECT 3; COMMIT",
          &none,
          "own 0+3 | own 3+2 chained(ISOLATION LEVEL SERIALIZABLE) | "
          "own 5+2 chained(ISOLATION LEVEL SERIALIZABLE)");
    check(
        "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT AND CHAIN; "
        "SELECT 3; COMMIT",
        &none, "own 0+3 | own 3+3 | own 6+2 chained()");
}

/* An interrupted chain goes on in its isolation level to its end. */
static void
chains_resume(void **state)
{
    (void)state;
    const char *text = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT AND CHAIN; SELECT 2; "
                       "COMMIT AND CHAIN; SELECT 3; COMMIT";
    check(text, &(PlanHints){.start = 3, .chained = "ISOLATION LEVEL SERIALIZABLE"},
          "own 3+2 chained(ISOLATION LEVEL SERIALIZABLE) | "
          "own 5+2 chained(ISOLATION LEVEL SERIALIZABLE)");
    check(text, &(PlanHints){.start = 5, .chained = "ISOLATION LEVEL SERIALIZABLE"},
          "own 5+2 chained(ISOLATION LEVEL SERIALIZABLE)");
}

static void
outside_of_transactions(void **state)
{
    (void)state;
    check("CREATE INDEX CONCURRENTLY x ON a (i)", &none, "alone 0+1");
    check("CREATE INDEX CONCURRENTLY x ON a (i); SELECT 1; SELECT 2", &none, "alone 0+1 | tx 1+2");
    check("SELECT 1; CREATE INDEX CONCURRENTLY x ON a (i); SELECT 2", &none,
          "tx 0+1 | alone 1+1 | tx 2+1");
    check("SELECT 1; SELECT 2; create unique index concurrently on a (i);", &none,
          "tx 0+2 | alone 2+1");
    check("DROP INDEX CONCURRENTLY x; VACUUM a; REINDEX TABLE CONCURRENTLY a", &none,
          "alone 0+1 | alone 1+1 | alone 2+1");
    check("BEGIN; SELECT 1; COMMIT; CREATE INDEX CONCURRENTLY x ON a (i)", &none,
          "own 0+3 | alone 3+1");
    check("ALTER SYSTEM SET work_mem = '1MB'; CREATE DATABASE d; DROP TABLESPACE t", &none,
          "alone 0+1 | alone 1+1 | alone 2+1");
    check("ALTER TABLE p DETACH PARTITION c CONCURRENTLY; SELECT 1", &none, "alone 0+1 | tx 1+1");
    /* The words alone do not make it one. */
    check("SELECT 'CREATE INDEX CONCURRENTLY'; -- CREATE INDEX CONCURRENTLY\nSELECT 2", &none,
          "tx 0+2");
    check("DO $$BEGIN EXECUTE 'CREATE INDEX CONCURRENTLY x ON a (i)'; END$$", &none, "tx 0+1");
}

static void
refused(const char *text, const char *part, int line, int column, int statement)
{
    ARENA_LOCAL(a);
    MigrationPlan mp;
    Err err;
    if (plan_migration(a, migration(a, text), &none, &mp, &err))
        fail_msg("accepted: %s", text);
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
    if (!strstr(err.primary, part))
        fail_msg("%s: %s", text, err.primary);
    assert_string_equal(err.at.path, "migrations/1_m/migration.sql");
    assert_int_equal(err.at.line, line);
    assert_int_equal(err.at.column, column);
    assert_int_equal(err.statement, statement);
    assert_true(err.hint[0]);
}

static void
refusals(void **state)
{
    (void)state;
    refused("SELECT 1;\n  BEGIN;\nSELECT 2;", "never committed", 2, 3, 2);
    refused("BEGIN;\nSELECT 1;\nCOMMIT AND CHAIN;\nSELECT 2", "never committed", 3, 1, 3);
    refused("BEGIN;\nSELECT 1;\n ROLLBACK;", "rolls its own", 3, 2, 3);
    refused("SELECT 1; ABORT", "rolls its own", 1, 11, 2);
    refused("BEGIN; SELECT 1;\nPREPARE TRANSACTION 'x';", "two-phase", 2, 1, 3);
    refused("SELECT 1; COMMIT PREPARED 'x'", "two-phase", 1, 11, 2);
    refused("BEGIN;\n/* \xc3\xa4 */ CREATE INDEX CONCURRENTLY x ON a (i);\nCOMMIT", "own BEGIN", 2,
            9, 2);
    refused("BEGIN; VACUUM a; COMMIT", "own BEGIN", 1, 8, 2);
}

static void
missing_file(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Migration m = {.name = "1_m", .path = "migrations/1_m/migration.sql", .text = STR("")};
    MigrationPlan mp;
    Err err;
    assert_false(plan_migration(a, &m, &none, &mp, &err));
    assert_int_equal(err.code, ERR_MIGRATION_GONE);
    /* What no message can hold is not even looked at. */
    Migration huge = {.name = "h", .path = "h.sql", .has_file = true, .bytes = MIGRATION_MAX + 1};
    assert_false(plan_migration(a, &huge, &(PlanHints){0}, &mp, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
    assert_non_null(strstr(err.primary, "1 GB"));
    assert_string_equal(err.at.path, huge.path);
}

static PlanHints
hints(Arena *a, size_t start, int alone, int cut_after)
{
    PlanHints h = {.start = start};
    if (alone >= 0)
        *vec_add(a, &h.alone) = (size_t)alone;
    if (cut_after >= 0)
        *vec_add(a, &h.cut_after) = (size_t)cut_after;
    return h;
}

static void
hints_cut(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *call = "SELECT 0; CALL p(); SELECT 2";
    PlanHints h = hints(a, 0, 1, -1);
    check(call, &h, "tx 0+1 | alone 1+1 | tx 2+1");
    h = hints(a, 1, 1, -1);
    check(call, &h, "alone 1+1 | tx 2+1");
    h = hints(a, 2, 1, -1);
    check(call, &h, "tx 2+1");
    h = hints(a, 3, -1, -1);
    check(call, &h, "");

    const char *value = "ALTER TYPE t ADD VALUE 'x'; SELECT 'x'::t";
    h = hints(a, 0, -1, 0);
    check(value, &h, "tx 0+1 | tx 1+1");
    h = hints(a, 1, -1, 0);
    check(value, &h, "tx 1+1");
    /* Inside the file's own transaction nothing can be cut. */
    h = hints(a, 0, -1, 1);
    check("BEGIN; ALTER TYPE t ADD VALUE 'x'; SELECT 'x'::t; COMMIT", &h, "own 0+4");
    h = hints(a, 0, 1, -1);
    MigrationPlan mp;
    Err err;
    assert_false(plan_migration(a, migration(a, "BEGIN; CALL p(); COMMIT"), &h, &mp, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
}

static void
resuming_is_told(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    MigrationPlan mp;
    Err err;
    plan_with(a, "SELECT 0; CREATE INDEX CONCURRENTLY x ON a (i); SELECT 2", &none, &mp);
    assert_false(mp.resumes);
    assert_int_equal(mp.steps.n, 3);
    PlanHints h = hints(a, 1, -1, -1);
    assert_true(plan_cut(a, &h, &mp, &err));
    assert_true(mp.resumes);
    assert_int_equal(mp.done_statements, 1);
    assert_string_equal(shape(a, &mp), "alone 1+1 | tx 2+1");
    h = hints(a, 3, -1, -1);
    assert_true(plan_cut(a, &h, &mp, &err));
    assert_int_equal(mp.steps.n, 0);
    Plan plan = {0};
    *vec_add(a, &plan.migrations) = mp;
    plan_link(a, &plan);
    assert_int_equal(plan.statements, 0);
}

/* ---- locks -------------------------------------------------------------------------------- */

static const StepLock *
lock_of(const MigrationPlan *mp, size_t step, const char *name)
{
    vec_each (const StepLock, l, &mp->steps.v[step].locks)
        if (strcmp(l->rel.name, name) == 0)
            return l;
    return NULL;
}

static void
locks_are_merged(void **state)
{
    (void)state;
    if (!sql_parser_available())
        skip();
    ARENA_LOCAL(a);
    MigrationPlan mp;
    plan_with(a,
              "UPDATE t SET i = 1; CREATE INDEX ON t (i); ALTER TABLE t ADD c int; SELECT * FROM t;"
              "ALTER TABLE s.t ADD c int; SELECT * FROM only_read",
              &none, &mp);
    const Step *s = &mp.steps.v[0];
    int found = 0;
    vec_each (const StepLock, l, &s->locks)
        found += strcmp(l->rel.name, "t") == 0;
    assert_int_equal(found, 2); /* t and s.t */
    assert_int_equal(s->locks.v[0].mode, SQL_LOCK_ACCESS_EXCLUSIVE);
    assert_string_equal(s->locks.v[0].rel.schema, "");
    assert_true(s->locks.v[0].can_prelock);
    assert_true(s->has_strong && s->has_dml);

    plan_with(a, "INSERT INTO t VALUES (1)", &none, &mp);
    assert_false(mp.steps.v[0].has_strong);
    assert_true(mp.steps.v[0].has_dml);
    plan_with(a, "CREATE TABLE fresh (i int)", &none, &mp);
    assert_false(mp.steps.v[0].has_strong || mp.steps.v[0].has_dml);
    plan_with(a, "SET ROLE x", &none, &mp);
    assert_true(mp.steps.v[0].hides_session);
    plan_with(a, "DO $$BEGIN END$$", &none, &mp);
    assert_true(mp.steps.v[0].hides_session && mp.steps.v[0].has_dml);
    plan_with(a, "ALTER TABLE t ADD c int", &none, &mp);
    assert_false(mp.steps.v[0].hides_session);

    static const char *const hidden[] = {"DO $$BEGIN END$$",         "CALL p()",     "SELECT f()",
                                         "REASSIGN OWNED BY x TO y", "FROBNICATE t", "EXECUTE p"};
    static const char *const known[] = {"INSERT INTO t VALUES (1)",
                                        "ALTER TABLE t ADD c int",
                                        "CREATE TABLE fresh (i int)",
                                        "CREATE TYPE e AS ENUM ('a')",
                                        "SET ROLE x",
                                        "COMMENT ON TABLE t IS 'x'"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        plan_with(a, hidden[i], &none, &mp);
        assert_true(mp.steps.v[0].hides_locks && !mp.steps.v[0].has_strong);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        plan_with(a, known[i], &none, &mp);
        assert_false(mp.steps.v[0].hides_locks);
    }
}

/* What an earlier step or migration of the plan made or renamed is not locked in advance. */
static void
locks_know_what_is_new(void **state)
{
    (void)state;
    if (!sql_parser_available())
        skip();
    ARENA_LOCAL(a);
    static const char *const texts[] = {
        "CREATE TABLE made (i int); ALTER TABLE old RENAME TO renamed; ALTER TABLE same ADD a int",
        ("ALTER TABLE made ADD b int; ALTER TABLE renamed ADD b int; ALTER TABLE same ADD b int; "
         "DROP TABLE dropped; ALTER TABLE old ADD c int"),
        "ALTER TABLE dropped ADD c int; CREATE TABLE IF NOT EXISTS maybe (i int)",
        "ALTER TABLE maybe ADD c int",
        "ALTER TABLE same ADD d int; VACUUM; ALTER TABLE same ADD e int",
    };
    Plan plan = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        plan_with(a, texts[i], &none, vec_add(a, &plan.migrations));
    plan_link(a, &plan);
    const MigrationPlan *m = plan.migrations.v;
    assert_true(lock_of(&m[0], 0, "same")->can_prelock);
    assert_true(lock_of(&m[1], 0, "made")->is_new);
    assert_false(lock_of(&m[1], 0, "made")->can_prelock);
    assert_false(lock_of(&m[1], 0, "renamed")->can_prelock);
    assert_false(lock_of(&m[1], 0, "old")->can_prelock);
    assert_false(lock_of(&m[1], 0, "old")->is_new);
    assert_true(lock_of(&m[1], 0, "same")->can_prelock);
    assert_false(lock_of(&m[2], 0, "dropped")->can_prelock);
    assert_false(lock_of(&m[3], 0, "maybe")->can_prelock);
    assert_false(lock_of(&m[3], 0, "maybe")->is_new); /* it may have been there */
    assert_true(lock_of(&m[4], 0, "same")->can_prelock);
    assert_false(lock_of(&m[4], 2, "same")->can_prelock); /* behind another step of the file */
    assert_int_equal(plan.statements, 3 + 5 + 2 + 1 + 3);
}

static void
finds_mixed_files(void **state)
{
    (void)state;
    if (!sql_parser_available())
        skip();
    static const struct {
        const char *text;
        size_t found;
        int line;
    } cases[] = {
        {"ALTER TABLE t ADD c int;\n\nUPDATE t SET c = 1;\nUPDATE t SET c = 2", 1, 3},
        {"CREATE TABLE n (i int); INSERT INTO n VALUES (1)", 0, 0},
        {"UPDATE t SET c = 1", 0, 0},
        {"ALTER TABLE t ADD c int; CREATE INDEX CONCURRENTLY x ON t (c); SELECT 1", 0, 0},
        {"ALTER TABLE t ADD c int; COMMIT; UPDATE t SET c = 1", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Plan plan = {0};
        plan_with(a, cases[i].text, &none, vec_add(a, &plan.migrations));
        plan_link(a, &plan);
        if (plan.findings.items.n != cases[i].found)
            fail_msg("%s: %zu findings", cases[i].text, plan.findings.items.n);
        vec_each (const Finding, f, &plan.findings.items) {
            assert_int_equal(f->id, FINDING_PLAN_MIXED);
            assert_int_equal(f->line, cases[i].line);
        }
    }
}

/* A plan for an empty database needs no parse trees, and is cut in the same way. */
static void
fresh_databases(void **state)
{
    (void)state;
    PlanHints fresh = {.fresh = true};
    check("SELECT 1; CREATE INDEX CONCURRENTLY x ON a (i); BEGIN; SELECT 2; COMMIT", &fresh,
          "tx 0+1 | alone 1+1 | own 2+3");
    ARENA_LOCAL(a);
    MigrationPlan mp;
    plan_with(a, "CREATE INDEX CONCURRENTLY \"X\" ON s.a (i)", &fresh, &mp);
    const SqlStmt *s = &mp.script.forms.v[0];
    assert_int_equal(s->kind, SQL_CREATE_INDEX);
    assert_string_equal(s->index.name, "X");
    assert_string_equal(s->table.schema, "s");
    assert_string_equal(s->table.name, "a");
}

static void
places(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    MigrationPlan mp;
    plan_with(a, "SELECT 1;\n\n  SELECT 2", &none, &mp);
    Err err;
    err_set(&err, ERR_MIGRATION_FAILED, "x");
    plan_place(&mp, 1, &err);
    assert_int_equal(err.at.line, 3);
    assert_int_equal(err.at.column, 3);
    assert_int_equal(err.statement, 2);
    err_set(&err, ERR_MIGRATION_FAILED, "x");
    plan_place(&mp, 2, &err); /* behind the last: no place inside */
    assert_int_equal(err.at.line, 0);
    assert_string_equal(err.at.path, "migrations/1_m/migration.sql");
    assert_string_equal(plan_mode_name(STEP_TX), "transaction");
    assert_string_equal(plan_mode_name(STEP_OWN_TX), "own-transaction");
    assert_string_equal(plan_mode_name(STEP_ALONE), "alone");
    assert_string_equal(plan_mode_name(STEP_BATCH), "batch");
    assert_string_equal(plan_mode_name(STEP_PROVE), "prove");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_transaction),
        cmocka_unit_test(own_transactions),
        cmocka_unit_test(begin_is_remembered),
        cmocka_unit_test(chains),
        cmocka_unit_test(chains_resume),
        cmocka_unit_test(outside_of_transactions),
        cmocka_unit_test(refusals),
        cmocka_unit_test(missing_file),
        cmocka_unit_test(hints_cut),
        cmocka_unit_test(resuming_is_told),
        cmocka_unit_test(locks_are_merged),
        cmocka_unit_test(locks_know_what_is_new),
        cmocka_unit_test(finds_mixed_files),
        cmocka_unit_test(fresh_databases),
        cmocka_unit_test(places),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
