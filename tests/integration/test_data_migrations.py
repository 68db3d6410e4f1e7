"""Statements that run in batches (-- aramid:batch) and proofs (-- aramid:prove): bad input, plans, layouts."""

import json
import os

import pytest

from harness import aramid, ledger
from harness.wait import until

TABLE = ("CREATE TABLE t (id int PRIMARY KEY, a int, b text NOT NULL DEFAULT '', v int NOT NULL DEFAULT 0);\n"
         "INSERT INTO t (id) SELECT generate_series(1, 500);\n"
         "CREATE TABLE bare (a int); CREATE INDEX ON bare (a);\n"
         "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);\n"
         "CREATE VIEW shown AS SELECT * FROM t;\n")


def prepare(project, db, sql):
    project.add("init", TABLE)
    assert aramid.deploy(project, db.url()).rc == 0
    return project.add("data", sql)


REFUSED = [
    ("-- aramid:batch\nUPDATE bare SET a = 1;", "1:11", ["\"bare\" cannot be changed in batches", "no primary key"]),
    ("CREATE TABLE new (i int);\n  -- aramid:batch key=a\nUPDATE bare SET a = a;", "2:13", ["the key of its batches"]),
    ("-- aramid:batch key=a\nDELETE FROM bare;", "1:11", ['"a" of the key may be NULL']),
    ("-- aramid:batch key=b\nDELETE FROM t;", "1:11", ['no index gives its rows in the order of ("b")',
                                                       "CREATE INDEX CONCURRENTLY ON public.t"]),
    ("-- aramid:batch key=nothing\nDELETE FROM t;", "1:11", ['it has no column "nothing"']),
    ("-- aramid:batch\nDELETE FROM nowhere;", "1:11", ["there is no such table"]),
    ("-- aramid:batch\nDELETE FROM shown;", "1:11", ["it is no table"]),
    ("-- aramid:batch\nDELETE FROM parent;", "1:11", ["other tables inherit from it"]),
    ("-- aramid:batch\nUPDATE t SET id = id + 1000;", "1:11", ['changes "id"']),
    ("-- aramid:batch\nINSERT INTO bare SELECT count(*) FROM t;", "1:11", ["are sums over many"]),
    ("-- aramid:batch\nINSERT INTO bare SELECT rank() OVER () FROM t;", "1:11", ["are sums over many"]),
    ("-- aramid:batch\nSELECT 1;", "1:11", ["SELECT cannot run in batches"]),
    ("BEGIN;\n-- aramid:batch\nDELETE FROM t;\nCOMMIT;", "3:1", ["inside the file's own BEGIN"]),
    ("-- aramid:prove\nDELETE FROM t RETURNING 1;", "2:1", ["a proof is a query that changes nothing"]),
    ("-- aramid:prove it\nSELECT 1;", "1:11", ["nothing stands behind"]),
]


@pytest.mark.parametrize("sql, place, words", REFUSED)
def test_refused_before_anything_is_touched(project, db, sql, place, words):
    name = prepare(project, db, "CREATE TABLE witness (i int);\n")
    told = project.add("told", sql)
    for command in ("plan", "deploy"):
        result = aramid.run(command, "--url", db.url(), cwd=project.path)
        assert result.rc == 20 and f"{told}/migration.sql:{place}" in result.err, result
        assert all(word in result.err for word in words), result
    assert not db.exists("witness") and name not in ledger.applied(db)


def test_a_table_that_the_run_makes(project, db):
    """Its key is looked for when it is there."""
    project.add("init", TABLE)
    name = project.add("data", "CREATE TABLE made (id int PRIMARY KEY, n int);\n"
                               "INSERT INTO made SELECT id, 0 FROM t;\n-- aramid:batch size=7\nUPDATE made SET n = 1;\n"
                               "-- aramid:prove\nSELECT * FROM made WHERE n <> 1;\nCREATE TABLE bad (i int);\n"
                               "INSERT INTO bad VALUES (1);\n-- aramid:batch\nDELETE FROM bad;\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 20 and f"{name}/migration.sql:9:11" in result.err and "no primary key" in result.err, result
    assert db.one("SELECT count(*) FROM made WHERE n = 1") == 500 and db.one("SELECT count(*) FROM bad") == 1
    db.sql("ALTER TABLE bad ADD PRIMARY KEY (i)")
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.one("SELECT count(*) FROM bad") == 0


@pytest.mark.parametrize("proof, holds", [
    ("SELECT 1 WHERE false", True), ("SELECT true", True), ("SELECT count(*) = 500 FROM t -- all of them", True),
    ("WITH x AS (SELECT 1) SELECT * FROM x WHERE false ORDER BY 1", True), ("SELECT false", False),
    ("SELECT NULL::bool", False), ("SELECT 't'::text, 1", False), ("SELECT true FROM t", False), ("SELECT id FROM t", False),
])
def test_proofs(project, db, proof, holds):
    name = prepare(project, db, f"-- aramid:prove\n{proof};\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == (0 if holds else 22), result
    assert (name in ledger.applied(db)) is holds
    if not holds:
        assert "does not hold" in result.err and "migration.sql:2:1" in result.err, result
        assert db.sql("SELECT 1 FROM _prisma_migrations WHERE migration_name = '" + name + "'") == []


def test_a_proof_changes_nothing(project, db):
    prepare(project, db, "CREATE FUNCTION sly() RETURNS SETOF int LANGUAGE plpgsql AS"
                         " $$BEGIN DELETE FROM t; END$$;\n-- aramid:prove\nSELECT sly();\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "25006" in result.err, result
    assert db.one("SELECT count(*) FROM t") == 500


def test_plan_shows_them(project, db):
    prepare(project, db, "ALTER TABLE t ADD COLUMN n int;\n-- aramid:batch key=id size=50\nUPDATE t SET n = id;\n"
                         "-- aramid:prove\nSELECT id FROM t WHERE n IS NULL;\n")
    result = aramid.run("plan", "--url", db.url(), cwd=project.path)
    assert "many transactions; resumable (in batches)" in result.out and "(a proof)" in result.out, result
    result = aramid.run("plan", "--json", "--url", db.url(), cwd=project.path)
    steps = json.loads(result.out)["migrations"][0]["steps"]
    assert [s["mode"] for s in steps] == ["transaction", "batch", "prove"]
    assert steps[1]["batch"] == {"table": "t", "schema": None, "key": ["id"], "size": 50, "timeMs": None}
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.one("SELECT count(*) FROM t WHERE n = id") == 500


def test_tx_all_and_none(project, db):
    name = prepare(project, db, "-- aramid:batch\nUPDATE t SET a = 1;\n")
    project.add("more", "CREATE TABLE more (i int);")
    result = aramid.run("deploy", "--tx", "all", "--url", db.url(), cwd=project.path)
    assert result.rc == 20 and "runs in batches" in result.err and f"{name}/migration.sql:2:1" in result.err, result
    result = aramid.run("deploy", "--tx", "none", "--url", db.url(), cwd=project.path)
    assert result.rc == 0 and db.one("SELECT count(*) FROM t WHERE a = 1") == 500, result


def test_limits_of_the_file(project, db):
    prepare(project, db, "-- aramid:timeout 200ms\n-- aramid:batch size=10\n"
                         "UPDATE t SET a = 1 FROM pg_sleep(0.3) WHERE id = 495;\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "57014" in result.err, result


def test_a_row_that_takes_longer_than_a_batch_may(project, db):
    """The limit of a batch is for its size: of one row it is none."""
    prepare(project, db, "-- aramid:batch size=4 time=10ms\nUPDATE t SET a = 1 FROM pg_sleep(0.1) WHERE id = 499;\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0 and db.one("SELECT a FROM t WHERE id = 499") == 1, result


def test_an_empty_table_and_a_role_that_may_little(project, db):
    prepare(project, db, "DELETE FROM t;\n-- aramid:batch\nUPDATE t SET a = 1;\n-- aramid:batch\nDELETE FROM bare;\n")
    db.sql("ALTER TABLE bare ADD COLUMN id int PRIMARY KEY")
    assert aramid.deploy(project, db.url()).rc == 0
    assert not db.one("SELECT has_table_privilege('pg_read_all_stats', 'aramid.batches', 'SELECT')")


def test_rolled_back_and_resolved(project, db):
    """A way back may run in batches, too; and what was begun can be given up."""
    name = prepare(project, db, "-- aramid:batch size=50\nUPDATE t SET a = 1;\n")
    with open(os.path.join(project.migrations, name, "down.sql"), "w", encoding="utf-8") as out:
        out.write("-- aramid:batch size=50\nUPDATE t SET a = NULL;\n-- aramid:prove\nSELECT 1 FROM t WHERE a = 1;\n")
    result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-batch#2:kill"})
    assert aramid.run("resolve", "--rolled-back", name, "--url", db.url(), cwd=project.path).rc == 0, result
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.one("SELECT count(*) FROM t WHERE a = 1") == 500
    result = aramid.run("rollback", "--yes", "--url", db.url(), cwd=project.path,
                        env={"ARAMID_FAILPOINT": "after-batch#3:kill"})
    assert 0 < db.one("SELECT count(*) FROM t WHERE a = 1") < 500, result
    result = aramid.run("rollback", "--yes", "--url", db.url(), cwd=project.path)
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM t WHERE a = 1") == 0 and name not in ledger.applied(db)
    assert aramid.deploy(project, db.url()).rc == 0


LAYOUTS = {
    "supabase": ("supabase/migrations/2024010100000{n}_m.sql", "{sql}"),
    "dbmate": ("db/migrations/2024010100000{n}_m.sql", "-- migrate:up\n{sql}\n-- migrate:down\n"),
    "sql": ("migrations/000{n}_m.sql", "{sql}"),
}


@pytest.mark.parametrize("layout", [*LAYOUTS, "drizzle"])
def test_layouts(tmp_path, db, layout):
    """The same in each tool's folder and history; all of Drizzle's other migrations run as a whole."""
    sqls = [TABLE, "-- aramid:batch size=90\nUPDATE t SET v = v + 1;\n-- aramid:prove\nSELECT 1 FROM t WHERE v <> 1;\n"]
    if layout == "drizzle":
        os.makedirs(tmp_path / "drizzle/meta")
        entries = []
        for i, sql in enumerate(sqls):
            (tmp_path / f"drizzle/000{i}_m.sql").write_text(sql)
            entries.append({"idx": i, "version": "7", "when": 1700000000000 + i, "tag": f"000{i}_m", "breakpoints": True})
        (tmp_path / "drizzle/meta/_journal.json").write_text(
            json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}))
    else:
        path, text = LAYOUTS[layout]
        for i, sql in enumerate(sqls):
            file = tmp_path / path.format(n=i)
            os.makedirs(file.parent, exist_ok=True)
            file.write_text(text.format(sql=sql))
    result = aramid.run("deploy", "--url", db.url(), cwd=tmp_path, env={"ARAMID_FAILPOINT": "after-batch#3:kill"})
    assert result.rc == -9 and 0 < db.one("SELECT count(*) FROM t WHERE v = 1") < 500, result
    result = aramid.run("deploy", "--url", db.url(), cwd=tmp_path)
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM t WHERE v = 1") == 500
    result = aramid.run("status", "--url", db.url(), cwd=tmp_path)
    assert result.rc == 0, result


def test_triggers_and_deferred_constraints(project, db):
    prepare(project, db, "-- aramid:batch size=100\nUPDATE t SET a = id;\n")
    db.sql("CREATE TABLE log (id int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
           " $$BEGIN INSERT INTO public.log VALUES (NEW.id); IF NEW.id = 333 AND current_setting('x.ok', true) IS NULL"
           " THEN RAISE 'not that one'; END IF; SET search_path = 'nowhere'; RETURN NULL; END$$;"
           "CREATE CONSTRAINT TRIGGER n AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "not that one" in result.err and "migration.sql:2:1" in result.err, result
    db.sql(f'ALTER DATABASE "{db.name}" SET x.ok = 1')
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert db.sql("SELECT count(*), count(DISTINCT id) FROM log") == [(500, 500)]


@pytest.fixture
def replicated(new_server):
    """A server with a standby that has stopped replaying for some seconds."""
    server = new_server()
    try:
        standby = server.standby()
    except FileNotFoundError:
        pytest.skip("no pg_basebackup for this version")
    db = server.new_database()
    yield db, standby
    standby.remove()


def fall_behind(db, standby, seconds):
    standby.admin("SELECT pg_wal_replay_pause()")
    db.sql("CREATE TABLE noise (i int)")
    until(lambda: db.sql("INSERT INTO noise VALUES (1)") or db.one(
        "SELECT max(extract(epoch FROM replay_lag)) > %s FROM pg_stat_replication", seconds), step=0.2)


def test_a_replica_that_lags_is_waited_for(project, replicated):
    db, standby = replicated
    prepare(project, db, "-- aramid:batch size=50\nUPDATE t SET v = v + 1;")
    project.write("aramid.yaml", "batch:\n  lag: 500ms\n")
    fall_behind(db, standby, 1)
    running = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    running.wait_for("paused: a replica is")
    assert db.one("SELECT count(*) FROM t WHERE v = 0") > 0
    standby.admin("SELECT pg_wal_replay_resume()")
    result = running.wait()
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM t WHERE v = 1") == 500


def test_one_that_does_not_come_back_ends_the_run(project, replicated):
    db, standby = replicated
    prepare(project, db, "-- aramid:batch size=50\nUPDATE t SET v = v + 1;")
    project.write("aramid.yaml", "batch:\n  lag: 500ms\n  patience: 1s\n")
    fall_behind(db, standby, 1)
    result = aramid.deploy(project, db.url())
    assert result.rc != 0 and "behind for longer than batch.patience" in result.err, result
    project.write("aramid.yaml", "batch:\n  lag: 0\n")  # nobody looks
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.one("SELECT count(*) FROM t WHERE v = 1") == 500
