"""What a migration's text says about its running (-- aramid:...), and --tx."""

import contextlib

import pytest

from harness import aramid, ledger


@contextlib.contextmanager
def blocking(db, sql):
    """Somebody's transaction that stays open."""
    with contextlib.closing(db.connect()) as other:
        other.autocommit = False
        other.cursor().execute(sql)
        yield
        other.rollback()


def last(project, sql):
    project.add("init", "CREATE TABLE t (i int);")
    return project.add("told", sql)


@pytest.mark.parametrize("text, place, words", [
    ("-- aramid:timout 10min\nSELECT 1;", "1:11", ["aramid:timout", 'did you mean "aramid:timeout"']),
    ("-- first\n--aramid: lock-timeout 1s\nSELECT 1;", "2:11", ['did you mean "aramid:lock_timeout"']),
    ("SELECT 1;\n\n  -- ARAMID:skip\nSELECT 2;", "3:13", ["unknown directive", "timeout, lock_timeout, tx"]),
    ("-- aramid:\nSELECT 1;", "1:11", ["unknown directive"]),
    ("-- aramid:timeout\nSELECT 1;", "1:11", ["wants a duration"]),
    ("-- aramid:timeout soon\nSELECT 1;", "1:11", ["wants a duration", "soon"]),
    ("-- aramid:tx all\nSELECT 1;", "1:11", ['cannot be "all"', "file, none"]),
    ("-- aramid:timeout 1s\n-- aramid:timeout 2s\nSELECT 1;", "2:11", ["twice"]),
    ("SELECT 1; -- aramid:timeout 1s\nSELECT 2;", "1:21", ["behind its first statement", "head"]),
    ("SELECT\n-- aramid:timeout 1s\n2;", "2:11", ["behind its first statement"]),
    ("SELECT 1;\n-- aramid:tx none", "2:11", ["behind its first statement"]),
])
def test_a_directive_that_is_not_understood_is_an_error(project, db, text, place, words):
    name = last(project, text)
    for command in ("plan", "deploy"):
        result = aramid.run(command, "--url", db.url(), cwd=project.path)
        assert result.rc == 20 and f"{name}/migration.sql:{place}" in result.err, result
        assert all(word in result.err for word in words), result
    assert not db.exists("t")


@pytest.mark.parametrize("text", [
    "SELECT '-- aramid:nothing';", "SELECT $$\n-- aramid:nothing\n$$;", "/* -- aramid:nothing */ SELECT 1;",
    "-- the aramid: of old\nSELECT 1;", "-- aramid deploys this\nSELECT 1;", 'SELECT 1 AS "-- aramid:x";',
])
def test_other_texts_are_none(project, db, text):
    last(project, text)
    assert aramid.deploy(project, db.url()).rc == 0


def test_timeout_of_a_file(project, db):
    last(project, "-- a comment before\n-- aramid:timeout 150ms\r\nALTER TABLE t ADD COLUMN a int;\n"
                  "SELECT pg_sleep(5);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "57014" in result.err, result
    assert db.columns("SELECT 1") and db.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass"
                                             " AND attname = 'a'") == 0


def test_timeout_is_stronger_than_the_setting(project, db):
    name = last(project, "-- aramid:timeout 1min\nINSERT INTO t SELECT 1 FROM pg_sleep(0.5);")
    env = {"MIGRATION_DB_TIMEOUT": "100"}
    result = aramid.run("deploy", "--url", db.url(), cwd=project.path, env=env)
    assert result.rc == 0, result
    project.add("other", "INSERT INTO t SELECT 1 FROM pg_sleep(0.5);")
    result = aramid.run("deploy", "--url", db.url(), cwd=project.path, env=env)
    assert result.rc == 22 and "57014" in result.err, result
    assert ledger.applied(db)[-1] == name


def test_timeout_of_a_statement_outside_of_transactions(project, db):
    project.add("init", "CREATE TABLE t (i int); INSERT INTO t VALUES (1);\n"
                "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(0.7)';")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("told", "-- aramid:timeout 100ms\nCREATE INDEX CONCURRENTLY x ON t (slow(i));")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "57014" in result.err and not db.exists("x"), result
    project.edit(name, "CREATE INDEX CONCURRENTLY x ON t (slow(i));")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


def test_lock_timeout_of_a_file(project, db):
    """The row lock of a data change is waited for as the file says."""
    project.add("init", "CREATE TABLE t (i int); INSERT INTO t VALUES (1);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("told", "-- aramid:lock_timeout 80ms\nUPDATE t SET i = 2;")
    with blocking(db, "UPDATE t SET i = 3"):
        result = aramid.deploy(project, db.url(), "--lock-budget", "500ms")
        assert result.rc == 42, result
    assert aramid.deploy(project, db.url()).rc == 0


def test_tx_none_of_a_file(project, db):
    """Each statement by itself: what was done stays, and the next run goes on behind it."""
    last(project, "-- aramid:tx none\nCREATE TABLE a (i int);\nINSERT INTO a VALUES (1);\n"
                  "INSERT INTO a VALUES (1 / (SELECT count(*) FROM t));\nINSERT INTO a VALUES (3);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "statements 1 to 2 of 4 of this migration are committed" in result.err, result
    assert db.column("SELECT i FROM a") == [1]
    assert aramid.status(project, db.url()).rc == 12
    db.sql("INSERT INTO t VALUES (1)")
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0 and result.json["applied"][0]["resumed"], result
    assert db.column("SELECT i FROM a ORDER BY 1") == [1, 1, 3]
    ledger.check(db, project)
    ledger.clean(db)


def test_tx_none_and_settings(project, db):
    name = last(project, "-- aramid:tx none\nSET search_path = pg_catalog;\nCREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 20 and f"{name}/migration.sql:2:1" in result.err, result


def test_tx_none_of_a_run(project, db):
    project.add("init", "CREATE TABLE t (i int);\nCREATE TABLE u (i int);\nSELECT 1/0;")
    project.add("whole", "-- aramid:tx file\nCREATE TABLE v (i int);\nSELECT 1/0;")
    assert aramid.deploy(project, db.url(), "--tx", "none").rc == 22
    assert db.exists("t") and db.exists("u")
    project.edit(project.names[0], "CREATE TABLE t (i int);\nCREATE TABLE u (i int);\nSELECT 1;")
    assert aramid.deploy(project, db.url(), "--tx", "none").rc == 22
    assert not db.exists("v") and ledger.applied(db) == project.names[:1]


def test_tx_all(project, db):
    project.add("a", "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1) -- no semicolon")
    project.add("b", "-- nothing but this")
    project.add("c", "ALTER TABLE a ADD COLUMN c int;\n\nSELECT no_such();")
    result = aramid.deploy(project, db.url(), "--tx", "all")
    assert result.rc == 22 and f"{project.names[2]}/migration.sql:3:8" in result.err, result
    assert f'migration "{project.names[2]}" failed' in result.err and "nothing of any" in result.err, result
    assert not db.exists("a") and ledger.applied(db) == []
    project.edit(project.names[2], "ALTER TABLE a ADD COLUMN c int;\n\nSELECT 1;")
    result = aramid.deploy(project, db.url(), "--tx", "all", "--json")
    assert result.rc == 0 and [m["name"] for m in result.json["applied"]] == project.names, result
    ledger.check(db, project)
    assert db.one("SELECT count(DISTINCT xmin::text) FROM _prisma_migrations") == 1
    assert [s["line"] for s in result.json["applied"][2]["statements"]] == [1, 3], result


@pytest.mark.parametrize("sql, why, place", [
    ("SELECT 1;\nCREATE INDEX CONCURRENTLY x ON a (i);", "cannot run in a transaction", "2:1"),
    ("BEGIN;\nSELECT 1;\nCOMMIT;", "transactions of its own", "1:1"),
    ("-- aramid:tx none\nSELECT 1;", "says itself", ""),
    ("SELECT 1;\nSET search_path = x;", "changes a setting", "2:1"),
])
def test_tx_all_is_refused_with_the_reason(project, db, sql, why, place):
    project.add("a", "CREATE TABLE a (i int);")
    name = project.add("b", sql)
    project.add("c", "SELECT 1;")
    for command in ("plan", "deploy"):
        env = {} if command == "deploy" else {}
        args = ["--tx", "all"] if command == "deploy" else ["--dry-run", "--tx", "all"]
        result = aramid.run("deploy", "--url", db.url(), *args, cwd=project.path, env=env)
        assert result.rc == 20 and why in result.err and "--tx file" in result.err, result
        assert f"{name}/migration.sql" + (f":{place}" if place else "") in result.err, result
    assert not db.exists("a")


def test_tx_all_and_new_enum_values(project, db):
    project.add("init", "CREATE TYPE e AS ENUM ('a');")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("value", "ALTER TYPE e ADD VALUE 'b';")
    project.add("use", "CREATE TABLE t (e e DEFAULT 'b'); INSERT INTO t VALUES ('b');")
    result = aramid.deploy(project, db.url(), "--tx", "all")
    assert result.rc == 22 and "--tx file" in result.err and not db.exists("t"), result
    assert aramid.deploy(project, db.url()).rc == 0


def test_tx_all_is_killed(project, db):
    for i in range(5):
        project.add(f"m{i}", f"CREATE TABLE t{i} (i int);")
    for point in ("before-message", "after-message"):
        result = aramid.run("deploy", "--url", db.url(), "--tx", "all", cwd=project.path,
                            env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert result.rc == -9
        assert len(ledger.applied(db)) == (0 if point == "before-message" else 5)
    assert aramid.deploy(project, db.url(), "--tx", "all").rc == 0
    ledger.check(db, project)


def test_time_of_each_statement(project, db):
    name = project.add("init", "CREATE TABLE t (i int);\nSELECT pg_sleep(0.2);\n\nINSERT INTO t VALUES (1);"
                               "CREATE TABLE one (i int) -- end")
    project.add("alone", "SELECT 1;\nCREATE INDEX CONCURRENTLY x ON t (i);")
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0, result
    first, second = result.json["applied"]
    assert [(s["statement"], s["line"], s["kind"]) for s in first["statements"]] == [
        (1, 1, "CREATE TABLE"), (2, 2, "SELECT"), (3, 4, "INSERT"), (4, 4, "CREATE TABLE")], result
    assert first["statements"][1]["ms"] >= 200 and first["name"] == name
    assert [s["kind"] for s in second["statements"]] == ["SELECT", "CREATE INDEX CONCURRENTLY"]


def test_place_of_an_error_behind_timed_statements(project, db):
    name = project.add("init", "CREATE TABLE t (i int);\nSELECT 1;\n  SELECT nothing_like_it;\nSELECT 2;")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and f"{name}/migration.sql:3:10" in result.err, result
