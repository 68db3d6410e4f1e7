/* The journal, probing, and the ledger by a person's decision. */
#include "tests.h"

#include "sqltext/sqltext_int.h"

static const char *const nasty_names[] = {
    "we\"ird", "o'clock\\",     "$$; DROP TABLE x; --", "e'\\'", "\xc3\xa4\xf0\x9f\x98\x80",
    "%s%n",    "20240101_plain"};

static JournalEntry
entry(const char *name, bool done)
{
    return (JournalEntry){.ledger_id = name,
                          .name = name,
                          .first = 3,
                          .next = 4,
                          .done = done,
                          .prefix_hash = "0123",
                          .chained = done ? name : NULL,
                          .run_id = name};
}

void
journal_statements_parse_and_quote(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nasty_names / sizeof *nasty_names; i++)
        for (int which = 0; which < 6; which++) {
            ARENA_LOCAL(a);
            const char *name = nasty_names[i];
            Session s = {.arena = a, .own[OWN_JOURNAL] = {.schema = name, .table = name}};
            JournalEntry e = entry(name, which == 1);
            e.relation = which == 2 ? "1::pg_catalog.oid" : NULL;
            e.before = which == 2 ? "true" : NULL;
            Buf b, table;
            buf_init(&b, a);
            buf_init(&table, a);
            if (which < 3)
                journal_add_insert(&s, &b, &e);
            else if (which == 3)
                journal_add_done(&s, &b, name, 7);
            else if (which == 4)
                journal_add_forget(&s, &b, name);
            else
                journal_add_select(&s, &b);
            SqlScript script;
            Err err;
            if (!sql_split(a, "journal", buf_str(&b), &script, &err))
                fail_msg("%s: %s", err.primary, b.p);
            sql_classify(a, &script);
            assert_int_equal(script.stmts.n, 1);
            if (sql_parser_available() && script.has_opaque)
                fail_msg("does not parse: %s", b.p);
            sql_add_name(&table, name, name);
            assert_non_null(strstr(b.p, table.p));
        }
}

static void
send(Scene *s, Buf *b)
{
    Err err;
    if (!db_query(s->run.session.db, s->arena, buf_str(b), NULL, &err))
        fail_msg("%s %s\n%s", err.primary, err.detail, b->p);
    buf_clear(b);
}

static void
read_all(Scene *s, JournalVec *ret)
{
    Buf b;
    buf_init(&b, s->arena);
    journal_add_select(&s->run.session, &b);
    DbRowsVec results;
    Err err;
    assert_true(db_query(s->run.session.db, s->arena, buf_str(&b), &results, &err));
    ret->n = 0;
    assert_true(journal_read(s->arena, &results.v[0], ret, &err));
}

void
journal_round_trip(void **state)
{
    Scene *s = scene_open(state);
    Run *r = scene_run(s);
    Err err;
    assert_true(run_ensure_journal(r, &err));
    assert_true(r->session.own[OWN_JOURNAL].exists);
    assert_true(run_ensure_journal(r, &err));
    scene_sql(s, "CREATE TABLE t (i int PRIMARY KEY); CREATE INDEX x ON t (i)");
    Buf b;
    buf_init(&b, s->arena);
    for (size_t i = 0; i < sizeof nasty_names / sizeof *nasty_names; i++) {
        JournalEntry e = entry(nasty_names[i], true);
        journal_add_insert(&r->session, &b, &e);
        send(s, &b);
    }
    JournalVec list = {0};
    read_all(s, &list);
    assert_int_equal(list.n, sizeof nasty_names / sizeof *nasty_names);
    vec_each (const JournalStep, j, &list) {
        assert_string_equal(j->name, j->ledger_id);
        assert_string_equal(j->chained, j->name);
        assert_true(j->done && j->first == 3 && j->next == 4 && j->relation == 0);
        assert_null(j->indexes_before);
        journal_add_forget(&r->session, &b, j->ledger_id);
        send(s, &b);
    }
    read_all(s, &list);
    assert_int_equal(list.n, 0);

    /* An index step remembers the indexes that are there. */
    JournalEntry e = entry("id", false);
    e.relation = "pg_catalog.to_regclass('t')"; /* a name in the user's search_path */
    e.before = "i.indrelid = pg_catalog.to_regclass('t')";
    session_add_user_prefix(&r->session, &b);
    journal_add_insert(&r->session, &b, &e);
    send(s, &b);
    e.first = 4;
    e.relation = "pg_catalog.to_regclass('not_there')";
    e.before = "i.indrelid = pg_catalog.to_regclass('not_there')";
    journal_add_insert(&r->session, &b, &e);
    send(s, &b);
    read_all(s, &list);
    assert_int_equal(list.n, 2);
    assert_string_equal(str_fmt(s->arena, "%lld", (long long)list.v[0].relation),
                        scene_ask(s, "SELECT 't'::regclass::oid"));
    assert_string_equal(list.v[0].indexes_before,
                        scene_ask(s, "SELECT array_agg(indexrelid) FROM pg_index WHERE indrelid ="
                                     " 't'::regclass"));
    assert_int_equal(list.v[1].relation, 0);
    assert_false(list.v[0].done);
    journal_add_done(&r->session, &b, "id", 3);
    send(s, &b);
    read_all(s, &list);
    assert_true(list.v[0].done && !list.v[1].done);
    scene_close(s);
}

static void
run_two_steps(Scene *s)
{
    scene_add(s, "1_a", "CREATE TABLE a (i int)");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON a (i)");
    scene_must_deploy(s);
}

/* A DBA made the schema; the role may use it, but make none in the database. */
void
journal_in_a_given_schema(void **state)
{
    Scene *s = scene_open(state);
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena,
                         "CREATE SCHEMA aramid; GRANT USAGE, CREATE ON SCHEMA aramid TO %s;"
                         "GRANT USAGE, CREATE ON SCHEMA public TO %s",
                         role, role));
    run_two_steps(s);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM aramid.journal"), "1");
    scene_close(s);
}

void
journal_beside_the_ledger(void **state)
{
    Scene *s = scene_open(state);
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena, "GRANT USAGE, CREATE ON SCHEMA public TO %s", role));
    run_two_steps(s);
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM public._aramid_journal"), "1");
    assert_string_equal(scene_ask(s, "SELECT to_regnamespace('aramid') IS NULL"), "t");
    scene_close(s);
}

void
journal_nowhere(void **state)
{
    Scene *s = scene_open(state);
    scene_add(s, "1_a", "CREATE TABLE app.a (i int)");
    scene_add(s, "2_b", "CREATE INDEX CONCURRENTLY x ON app.a (i)");
    scene_sql(
        s, "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT"
           " NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text,"
           " rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),"
           " applied_steps_count int NOT NULL DEFAULT 0)");
    const char *role = scene_role(s, "");
    scene_sql(s, str_fmt(s->arena,
                         "REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT ALL ON"
                         " _prisma_migrations TO %s; CREATE SCHEMA app AUTHORIZATION %s",
                         role, role));
    Err err;
    assert_false(scene_deploy(s, &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.hint, "GRANT CREATE ON DATABASE"));
    assert_int_equal(s->report.applied.n, 1); /* the file of one step needs none */
    assert_string_equal(scene_ask(s, "SELECT count(*) FROM _prisma_migrations"), "1");
    scene_close(s);
}

/* ---- probing ------------------------------------------------------------------------------ */

static void
probe(Scene *s, const char *sql, int present, int absent)
{
    MigrationPlan mp;
    ProbeResult p;
    Err err;
    scene_plan(s, sql, &(PlanHints){0}, &mp);
    if (!run_probe(&s->run.session, s->arena, &mp, &p, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    if (p.present != present || p.absent != absent)
        fail_msg("%s: %d there, %d not", sql, p.present, p.absent);
    assert_int_equal(p.lines.n, present + absent);
}

void
probe_sees_objects(void **state)
{
    if (!sql_parser_available())
        skip();
    Scene *s = scene_open(state);
    scene_run(s);
    scene_sql(s, "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (i int CONSTRAINT c CHECK (i > "
                 "0), m mood);"
                 "CREATE INDEX x ON t (i); CREATE SCHEMA app; CREATE VIEW v AS SELECT 1;"
                 "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    probe(s, "CREATE TABLE t (i int)", 1, 0);
    probe(s, "CREATE TABLE none (i int)", 0, 1);
    probe(s, "CREATE TABLE app.t (i int)", 0, 1);
    probe(s, "DROP TABLE none; DROP TABLE t", 1, 1);
    probe(s, "ALTER TABLE t ADD COLUMN i int, ADD COLUMN j int", 1, 1);
    probe(s, "CREATE INDEX x ON t (i); CREATE INDEX y ON t (i)", 1, 1);
    probe(s, "ALTER TYPE mood ADD VALUE 'ok'; ALTER TYPE mood ADD VALUE 'bad'", 1, 1);
    probe(s, "CREATE VIEW v AS SELECT 1; CREATE SCHEMA app; CREATE SCHEMA other", 2, 1);
    probe(s, "ALTER TABLE none RENAME TO t", 2, 0);
    probe(s, "CREATE TABLE gone (i int); DROP TABLE gone", 1, 0); /* the later effect counts */
    probe(s, "INSERT INTO t VALUES (1); SELECT 1", 0, 0);
    scene_close(s);
}

void
probe_nasty_names(void **state)
{
    if (!sql_parser_available())
        skip();
    Scene *s = scene_open(state);
    scene_run(s);
    static const char sql[] = "CREATE TABLE \"o'clock\\\" (\"we\"\"ird\" int);"
                              "CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".\"c\"\"d\" (i int);"
                              "CREATE TYPE \"T'\" AS ENUM ('x''\\')";
    probe(s, sql, 0, 4);
    scene_sql(s, sql);
    probe(s, sql, 4, 0);
    probe(s, "ALTER TYPE \"T'\" ADD VALUE 'x''\\'; ALTER TABLE \"o'clock\\\" ADD \"we\"\"ird\" int",
          2, 0);
    MigrationPlan mp;
    ProbeResult p;
    Err err;
    scene_plan(s, "CREATE TABLE \"\x1b[31m\" (i int)", &(PlanHints){0}, &mp);
    assert_true(run_probe(&s->run.session, s->arena, &mp, &p, &err));
    assert_null(strchr(p.lines.v[0], '\x1b'));
    scene_close(s);
}

/* ---- resolve ------------------------------------------------------------------------------ */

void
resolve_writes_rows(void **state)
{
    Scene *s = scene_open(state);
    Run *r = scene_run(s);
    scene_add(s, "1_a", "SELECT 1");
    scene_add(s, "2_o'clock\\", "SELECT 2");
    const Migration *list[] = {&s->history.files.v[0], &s->history.files.v[1]};
    Err err;
    RunSink sink = scene_sink(s);
    assert_true(lock_and_read(&r->session, &s->history, &r->journal, &sink, &err));
    s->history.last_started_us = INT64_C(4102444800000000); /* a clock that was set back since */
    if (!run_resolve_applied(&r->session, list, 2, &s->history, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    assert_string_equal(
        scene_ask(s, "SELECT count(*) FROM _prisma_migrations WHERE finished_at = started_at"
                     " AND logs = '' AND applied_steps_count = 0 AND rolled_back_at IS NULL"
                     " AND id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]'"),
        "2");
    assert_string_equal(scene_ask(s,
                                  "SELECT string_agg(migration_name, ',' ORDER BY started_at) FROM"
                                  " _prisma_migrations"),
                        "1_a,2_o'clock\\");
    assert_string_equal(scene_ask(s, "SELECT min(started_at) > '2100-01-01 00:00:00Z' FROM"
                                     " _prisma_migrations"),
                        "t");
    /* Failed rows of that name are rolled back, all of them and no other. */
    scene_sql(
        s, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f1', '', '3_c'),"
           " ('f2', '', '3_c'), ('f3', '', '4_d')");
    assert_true(run_resolve_rolled_back(&r->session, "3_c", &s->history, &err));
    assert_string_equal(
        scene_ask(s, "SELECT string_agg(id, ',' ORDER BY id) FROM _prisma_migrations WHERE"
                     " rolled_back_at IS NOT NULL"),
        "f1,f2");
    scene_close(s);
}
