"""Migrations that are more than one transaction: own commits, CONCURRENTLY, enum values, CALL."""

import threading

import pytest

from harness import aramid, ledger, wait
from harness.histories import HARD_WITNESSES, hard


def deploys(project, db, *args):
    result = aramid.deploy(project, db.url(), *args)
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
    return result


@pytest.fixture
def table(project, db):
    project.add("init", "CREATE TABLE big (id int PRIMARY KEY, v text);\n"
                "INSERT INTO big SELECT i, 'v' || i % 100 FROM generate_series(1, 2000) i;\n")
    return "big"


def test_all_kinds_in_one_history(project, db):
    hard(project)
    deploys(project, db)
    assert ledger.witnesses(db) == HARD_WITNESSES
    assert aramid.status(project, db.url()).rc == 0


@pytest.mark.parametrize("sql", [
    "CREATE INDEX CONCURRENTLY big_v ON big (v);",
    "CREATE INDEX CONCURRENTLY big_v ON big (v)",
    "create table other (i int);\ncreate index concurrently big_v on big (v);\ninsert into other values (1);",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS big_v ON big (v);\nCREATE TABLE other (i int);",
    "/* BEGIN; */ CREATE UNIQUE INDEX CONCURRENTLY big_v ON big (v, id); -- COMMIT;",
])
def test_concurrently(project, db, table, sql):
    project.add("index", sql)
    deploys(project, db)
    assert db.exists("big_v")


@pytest.mark.parametrize("sql, row", [
    ("BEGIN;\nINSERT INTO big VALUES (-1, 'a');\nCOMMIT;\nINSERT INTO big VALUES (-2, 'b');", -2),
    ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE;\nINSERT INTO big VALUES (-1, 'a');\n"
     "END;\nINSERT INTO big VALUES (-2, 'b');", -2),
    ("INSERT INTO big VALUES (-1, 'a');\nBEGIN;\nINSERT INTO big VALUES (-2, 'b');\nEND;", -2),
    ("BEGIN;\nINSERT INTO big VALUES (-1, 'a');\nCOMMIT AND CHAIN;\nINSERT INTO big VALUES (-2, 'b');\n"
     "COMMIT;", -2),
    ("BEGIN;\nSAVEPOINT s;\nINSERT INTO big VALUES (-1, 'a');\nRELEASE s;\nCOMMIT;", -1),
    ("BEGIN;COMMIT;BEGIN;INSERT INTO big VALUES (-1, 'a');COMMIT", -1),
])
def test_own_transactions(project, db, table, sql, row):
    project.add("own", sql)
    deploys(project, db)
    assert db.one("SELECT count(*) FROM big WHERE id = %s", row) == 1


def test_error_in_a_later_segment_is_finished_after_repair(project, db, table):
    name = project.add("own", "BEGIN;\nCREATE TABLE first_part (i int);\nCOMMIT;\n"
                       "CREATE TABLE second_part (i int);\nINSERT INTO second_part VALUES ('x');\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and f"{name}/migration.sql:5" in result.text, result
    assert db.exists("first_part") and not db.exists("second_part")
    assert aramid.status(project, db.url()).rc in (11, 12)
    project.edit(name, "BEGIN;\nCREATE TABLE first_part (i int);\nCOMMIT;\n"
                 "CREATE TABLE second_part (i int);\nINSERT INTO second_part VALUES (1);\n")
    deploys(project, db)
    assert db.one("SELECT count(*) FROM second_part") == 1


def test_prisma_does_not_run_a_half_done_migration(oracle, project, db, table):
    name = project.add("own", "BEGIN;\nCREATE TABLE first_part (i int);\nCOMMIT;\nSELECT 1/0;\n")
    assert aramid.deploy(project, db.url()).rc == 22
    done = oracle.deploy(project, db.url())
    assert done.rc == 1 and "P3009" in done.text and name in done.text, done


def test_enum_value_is_used_in_the_same_file(project, db, table):
    project.add("enum", "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE p (m mood);")
    project.add("value", "ALTER TYPE mood ADD VALUE 'happy';\nINSERT INTO p VALUES ('happy');\n"
                "ALTER TABLE p ALTER m SET DEFAULT 'happy';")
    result = deploys(project, db)
    assert db.one("SELECT count(*) FROM p") == 1
    assert "Prisma" in result.text, "says that Prisma would have failed here"


def test_enum_value_is_used_by_a_function(project, db, table):
    """55P04 that no parser can see."""
    project.add("enum", "CREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE p (m mood);\n"
                "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS "
                "$$BEGIN EXECUTE 'INSERT INTO p VALUES (''happy'')'; END$$;")
    project.add("value", "ALTER TYPE mood ADD VALUE 'happy';\nSELECT f();\n")
    deploys(project, db)
    assert db.one("SELECT count(*) FROM p") == 1


def test_procedure_that_commits(project, db, table):
    project.add("procedure", "CREATE TABLE done (i int);\n"
                "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN\n  FOR i IN 1..3 LOOP\n"
                "    INSERT INTO done VALUES (i);\n    COMMIT;\n  END LOOP;\nEND$$;")
    project.add("call", "CREATE TABLE before_call (i int);\nCALL p();\nCREATE TABLE after_call (i int);\n")
    deploys(project, db)
    assert db.one("SELECT count(*) FROM done") == 3
    assert db.exists("before_call") and db.exists("after_call")


@pytest.mark.parametrize("sql", [
    "VACUUM big;", "VACUUM (ANALYZE) big;\nCREATE TABLE x (i int);", "REINDEX TABLE CONCURRENTLY big;",
    "CREATE TABLE x (i int);\nREINDEX INDEX CONCURRENTLY big_pkey;", "CLUSTER big USING big_pkey;",
    "ALTER SYSTEM RESET work_mem;",
])
def test_other_statements_outside_transactions(project, db, table, sql):
    project.add("outside", sql)
    deploys(project, db)


def test_drop_index_concurrently(project, db, table):
    project.add("index", "CREATE INDEX big_v ON big (v);")
    project.add("drop", "DROP INDEX CONCURRENTLY big_v;\nCREATE TABLE x (i int);")
    deploys(project, db)
    assert not db.exists("big_v")


def test_detach_concurrently(project, db, server, table):
    if server.major < 14:
        pytest.skip("DETACH CONCURRENTLY is of version 14")
    project.add("parts", "CREATE TABLE parent (i int) PARTITION BY RANGE (i);\n"
                "CREATE TABLE part PARTITION OF parent FOR VALUES FROM (1) TO (10);")
    project.add("detach", "ALTER TABLE parent DETACH PARTITION part CONCURRENTLY;\nDROP TABLE part;")
    deploys(project, db)
    assert not db.exists("part")


def test_invalid_index_of_an_earlier_try_is_rebuilt(project, db, table):
    """A duplicate makes the build fail and leaves an invalid index; the next deploy repairs that."""
    project.add("double", "INSERT INTO big VALUES (100001, 'same'), (100002, 'same');")
    project.add("index", "CREATE UNIQUE INDEX CONCURRENTLY big_same ON big (v) WHERE id > 100000;")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "23505" in result.text, result
    db.sql("DELETE FROM big WHERE id = 100002")
    deploys(project, db)
    assert db.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_same'::regclass")


def test_if_not_exists_does_not_hide_an_invalid_index(project, db, table):
    db.sql("CREATE TABLE big (id int PRIMARY KEY, v text)")
    db.sql("INSERT INTO big VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(Exception, match="could not create unique index"):
        db.sql("CREATE UNIQUE INDEX CONCURRENTLY big_v ON big (v)")
    db.sql("DELETE FROM big WHERE id = 2")
    project.edit(project.names[0], "CREATE TABLE IF NOT EXISTS big (id int);\n")
    project.add("index", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS big_v ON big (v);")
    assert aramid.run("resolve", "--applied", project.names[0], "--url", db.url(),
                      cwd=project.path).rc == 0
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert ledger.applied(db) == project.names
    assert db.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_v'::regclass")


@pytest.mark.parametrize("sql, line, word", [
    ("CREATE TABLE a (i int);\nROLLBACK;\n", 2, "rollback"),
    ("BEGIN;\nCREATE TABLE a (i int);\n", 1, "commit"),
    ("BEGIN;\nCREATE TABLE a (i int);\nPREPARE TRANSACTION 'x';\n", 3, "prepared"),
    ("CREATE TABLE a (i int);\nCOPY a FROM stdin;\n1\n\\.\n", 2, "copy"),
    ("CREATE TABLE a (i int);\n\\connect other\n", 2, "\\"),
    ("BEGIN;\nCREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY ON a (i);\nCOMMIT;\n", 3, "commit"),
])
def test_refused_before_anything_runs(project, db, sql, line, word):
    project.add("good", "CREATE TABLE good (i int);")
    name = project.add("refused", sql)
    result = aramid.deploy(project, db.url())
    assert result.rc == 20, result
    assert f"{name}/migration.sql:{line}" in result.text and word in result.text.lower(), result
    assert not db.exists("good"), "something ran before the whole history was looked at"


def test_newer_syntax_is_left_to_the_server(project, servers):
    """libpg_query knows the grammar of 15; version 18 takes this."""
    server = servers.get(18)
    db = server.new_database()
    project.add("new", "CREATE TABLE a (i int, j int GENERATED ALWAYS AS (i * 2) VIRTUAL);\n"
                "CREATE TABLE b (i int);\n")
    project.add("more", "ALTER TABLE a ADD CONSTRAINT c CHECK (i > 0) NOT ENFORCED;")
    deploys(project, db)
    db.drop()


def test_syntax_error_in_the_last_statement_of_the_tenth(project, db):
    for i in range(9):
        project.add(f"m{i}", f"CREATE TABLE t{i} (i int);")
    name = project.add("tenth", "CREATE TABLE t10 (i int);\n\nCREATE TABEL t11 (i int);\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 21, result
    assert f"{name}/migration.sql:3:8" in result.text, result
    assert not db.exists("t0") and not db.exists("_prisma_migrations"), "something was touched"


def test_waiter_of_prisma_does_not_deadlock_an_index_build(project, db, table):
    """Another client waits in a blocking pg_advisory_lock(72707369) while an index is built."""
    project.add("slow", wait.HELD)
    project.add("index", "CREATE INDEX CONCURRENTLY big_v ON big (v);")
    waiter = threading.Thread(target=db.sql, args=("SELECT pg_advisory_lock(72707369)",))
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        waiter.start()
        wait.session_runs(db, "pg_advisory_lock(72707369)")
    waiter.join()  # it is let through
    result = ours.wait()
    assert result.rc == 0, result
    assert db.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_v'::regclass")
    ledger.check(db, project)


def test_status_tells_why_a_later_step_does_not_end(project, db):
    name = project.add("steps", "CREATE TABLE la (i int PRIMARY KEY);\nCREATE INDEX CONCURRENTLY la_i ON la (i);\n"
                       "INSERT INTO la VALUES (1), (1);\n")
    assert aramid.deploy(project, db.url()).rc == 22
    result = aramid.status(project, db.url())
    assert result.rc == 12 and f"{name}  (an error stopped it: duplicate key value" in result.out, result
    project.edit(name, "CREATE TABLE la (i int PRIMARY KEY);\nCREATE INDEX CONCURRENTLY la_i ON la (i);\nINSERT INTO la VALUES (1);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.one("SELECT logs FROM _prisma_migrations WHERE migration_name = %s", name) is None
