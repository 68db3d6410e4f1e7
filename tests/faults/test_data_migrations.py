"""Statements that run in batches (-- aramid:batch): each row exactly once, whenever the client is killed."""

import contextlib
import signal
import threading
import time

import pytest

from harness import aramid, ledger
from harness.faults import FULL, count

ROWS = 3000
POINTS = ["batches-created", "before-intent", "after-intent", "before-batch", "after-batch", "after-batches",
          "before-proof", "before-verify"]
COUNTER = "-- aramid:batch size=100\nUPDATE t SET n = n + 1;\n"
PROOF = "-- aramid:prove\nSELECT id FROM t WHERE n <> 1;\n"


def prepare(project, db, key="id int PRIMARY KEY", value="i", sql=COUNTER + PROOF):
    """A table with rows, and a migration that changes each of them in batches."""
    project.add("init", f"CREATE TABLE t ({key}, n int NOT NULL DEFAULT 0, note text);\n"
                        f"INSERT INTO t SELECT {value} FROM generate_series(1, {ROWS}) i;\n")
    assert aramid.deploy(project, db.url()).rc == 0
    return project.add("data", sql)


def finish(project, db, name):
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert ledger.applied(db)[-1] == name
    ledger.check(db, project)
    assert db.one("SELECT count(*) FROM aramid.batches") == 0
    return result


def counts(db):
    return dict(db.sql("SELECT n, count(*) FROM t GROUP BY n"))


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_point(project, server, point):
    db = server.new_database()
    name = prepare(project, db)
    for passage in (1, 2, 7) if not FULL else range(1, 20):
        result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": f"{point}#{passage}:kill"})
        assert result.rc in (0, -signal.SIGKILL), result
        if result.rc == 0:
            assert passage > 1, f"{point} is not passed at all"
            break
    finish(project, db, name)
    assert counts(db) == {1: ROWS}
    db.drop()


def test_killed_at_random_moments(project, server, dice):
    """With a session that changes rows and makes new ones all the time."""
    prepare(project, server.new_database(), sql=COUNTER + PROOF.replace("n <> 1", f"n <> 1 AND id <= {ROWS}"))
    name = project.names[-1]
    for _ in range(count(2, 20)):
        db = server.new_database()
        result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "before-intent:kill"})
        assert result.rc == -signal.SIGKILL, result
        over = threading.Event()

        def work(db=db, over=over):
            with contextlib.closing(db.connect()) as conn, conn.cursor() as cursor:
                i = 0
                while not over.is_set():
                    i += 7
                    cursor.execute("UPDATE t SET note = 'seen' WHERE id = %s", (i % ROWS + 1,))
                    cursor.execute("INSERT INTO t (id, n) VALUES (%s, 1)", (ROWS + i,))

        writer = threading.Thread(target=work)
        writer.start()
        try:
            for _ in range(count(5, 20)):
                ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
                time.sleep(dice.uniform(0.05, 0.5))
                ours.kill()
            finish(project, db, name)
        finally:
            over.set()
            writer.join()
        assert db.sql(f"SELECT n, count(*) FROM t WHERE id <= {ROWS} GROUP BY n") == [(1, ROWS)]
        db.drop()


KEYS = {  # name: the column with its rows, and how the rows come
    "gaps": ("id bigint PRIMARY KEY", "i * 1000003::bigint - 77"),
    "uuid": ("id uuid PRIMARY KEY", "md5(i::text)::uuid"),
    "text": ('id text PRIMARY KEY COLLATE "C"', "'k''\\' || i || ' ö'"),
    "text_of_a_language": ("id text PRIMARY KEY", "CASE i % 3 WHEN 0 THEN 'Ä' WHEN 1 THEN 'a' ELSE 'A' END || i"),
    "numeric": ("id numeric PRIMARY KEY", "i / 7.0"),
    "timestamp": ("id timestamptz PRIMARY KEY", "'2020-01-01'::timestamptz + i * interval '1.000001 s'"),
    "enum_and_int": ("a mood NOT NULL, id int NOT NULL, PRIMARY KEY (a, id)",
                     "CASE i % 3 WHEN 0 THEN 'sad' WHEN 1 THEN 'ok' ELSE 'happy' END::mood, i / 3"),
    "three": ('"A b" text NOT NULL, id int NOT NULL, c uuid NOT NULL, PRIMARY KEY (id, "A b", c)',
              "'x' || i % 5, i % 50, md5(i::text)::uuid"),
    "unique": ("id int NOT NULL UNIQUE, other int", "i, 0"),
    "descending": ("id int NOT NULL", "i"),
    "many_of_one": ("id int NOT NULL", "i % 40"),
    "partitioned": ("id int PRIMARY KEY", "i"),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(project, db, name):
    key, value = KEYS[name]
    makes = f"CREATE TABLE t ({key}, n int NOT NULL DEFAULT 0)"
    if name == "partitioned":
        makes += " PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (999);" \
                 " CREATE TABLE t2 PARTITION OF t DEFAULT"
    project.add("init", f"CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');\n{makes};\n"
                        f"INSERT INTO t SELECT {value} FROM generate_series(1, {ROWS}) i;\n"
                        + ("CREATE INDEX ON t (id DESC);" if name in ("descending", "many_of_one") else ""))
    assert aramid.deploy(project, db.url()).rc == 0
    said = " key=id" if name in ("descending", "many_of_one") else ""
    project.add("data", f"-- aramid:batch size=101{said}\nUPDATE t AS u SET n = u.n + 1 WHERE n < 9 OR n = 10 -- all\n;\n"
                        "-- aramid:prove\nSELECT count(*) = 0 FROM t WHERE n <> 1\n")
    result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-batch#3:kill"})
    assert result.rc == -signal.SIGKILL, result
    assert 0 < db.one("SELECT count(*) FROM t WHERE n = 1") < ROWS
    finish(project, db, project.names[-1])
    assert counts(db) == {1: ROWS}


def test_delete_and_insert(project, db):
    """Rows that are copied, then deleted; schema before, between and behind, with a concurrent index."""
    name = prepare(project, db, sql="""\
        CREATE TABLE copy (id int, n int);
        -- aramid:batch table=t key=id size=200 time=50ms
        WITH seven AS (SELECT 7 AS s) INSERT INTO copy (id, n)
        SELECT t.id, t.n + s FROM t CROSS JOIN seven WHERE t.id % 2 = 0 OR false ON CONFLICT DO NOTHING RETURNING id;
        CREATE INDEX CONCURRENTLY copy_id ON copy (id);
        -- aramid:batch
        DELETE FROM t WHERE id % 2 = 0;
        -- aramid:prove
        SELECT * FROM t WHERE id % 2 = 0;
        ALTER TABLE copy ADD PRIMARY KEY (id);
        """)
    for point in ("after-batch#2", "after-batch#3", "after-batches#1", "after-statement#1", "before-proof#1"):
        result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert result.rc == -signal.SIGKILL, result
    finish(project, db, name)
    assert db.sql("SELECT count(*), count(DISTINCT id), min(n), max(n) FROM copy") == [(ROWS // 2, ROWS // 2, 7, 7)]
    assert db.one("SELECT count(*) FROM t") == ROWS - ROWS // 2


def test_rows_that_come_later_are_not_its(project, db):
    """As with one statement: what is there when it begins is changed."""
    prepare(project, db)
    result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-batch#2:kill"})
    assert result.rc == -signal.SIGKILL, result
    db.sql(f"INSERT INTO t SELECT i, 1 FROM generate_series({ROWS + 1}, {ROWS + 500}) i")
    finish(project, db, project.names[-1])
    assert counts(db) == {1: ROWS + 500}


def test_a_row_whose_key_moves_is_found_by_the_proof(project, db):
    sql = "-- aramid:batch size=100\nUPDATE t SET note = 'x' WHERE note IS NULL;\n" \
          "-- aramid:prove\nSELECT id FROM t WHERE note IS NULL;\n"
    name = prepare(project, db, sql=sql)
    result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-batch#5:kill"})
    assert result.rc == -signal.SIGKILL, result
    db.sql(f"UPDATE t SET id = -1 WHERE id = {ROWS - 5}")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "a proof" not in result.err and "it gives: -1" in result.err, result
    assert "migration.sql:4:1" in result.err, result
    assert not db.one(f"SELECT finished_at FROM _prisma_migrations WHERE migration_name = '{name}'")
    # What stands before the proof is done; a statement in front of the proof puts right what is left.
    project.edit(name, sql.replace("-- aramid:prove", "UPDATE t SET note = 'y' WHERE id = -1;\n-- aramid:prove"))
    finish(project, db, name)
    assert dict(db.sql("SELECT note, count(*) FROM t GROUP BY note")) == {"x": ROWS - 1, "y": 1}


def test_an_error_in_a_batch(project, db):
    """What came before it stays; the statement may be corrected for the rest, which the next run goes on with."""
    name = prepare(project, db, sql="-- aramid:batch size=100\nUPDATE t SET n = 1 + 0 * (1 / (id - 1500));\n" + PROOF)
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "22012" in result.err and "the batch was behind (" in result.err, result
    assert "so are this one's batches before the error" in result.err, result
    done = db.one("SELECT count(*) FROM t WHERE n = 1")
    assert 0 < done < 1500
    project.edit(name, COUNTER + PROOF)
    finish(project, db, name)
    assert counts(db) == {1: ROWS}


@pytest.mark.parametrize("sql, said", [
    ("UPDATE t SET n = n + 1;\n", "was changed in a part that has already run"),
    ("-- aramid:batch key=note\nUPDATE t SET n = n + 1;\n", "no index gives its rows"),
    ("-- aramid:batch key=n\nUPDATE t SET note = '';\n", "the table or the key"),
])
def test_what_may_not_be_changed_in_between(project, db, sql, said):
    name = prepare(project, db)
    db.sql("CREATE INDEX ON t (n); ALTER TABLE t ALTER note SET NOT NULL, ALTER note SET DEFAULT ''"
           if "note IS NULL" in sql else "CREATE INDEX ON t (n); UPDATE t SET note = ''")
    db.sql("ALTER TABLE t ALTER note SET NOT NULL")
    result = aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-batch#5:kill"})
    assert result.rc == -signal.SIGKILL, result
    project.edit(name, sql + PROOF)
    before = counts(db)
    result = aramid.deploy(project, db.url())
    assert result.rc in (20, 26) and said in result.err, result
    assert counts(db) == before


def test_a_row_that_somebody_holds_is_waited_for_without_locks(project, db):
    """Nobody else waits for our rows meanwhile."""
    prepare(project, db)
    with contextlib.closing(db.connect()) as other:
        other.autocommit = False
        other.cursor().execute("UPDATE t SET note = 'held' WHERE id = 1234")
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        waits, end = 0, time.monotonic() + 3
        while time.monotonic() < end:
            waits = max(waits, db.one("SELECT count(*) FROM t WHERE n = 1"))
            with contextlib.closing(db.connect()) as conn:
                conn.cursor().execute("SET statement_timeout = '1s'")
                conn.cursor().execute("UPDATE t SET note = 'passed' WHERE id = 1233")
        assert ours.running() and 1000 < waits < 1300
        other.commit()
        result = ours.wait()
    assert result.rc == 0, result
    assert counts(db) == {1: ROWS}


def test_two_runs_at_once(project, server):
    db = server.new_database()
    prepare(project, db)
    ours = [aramid.start("deploy", "--url", db.url(), cwd=project.path) for _ in range(3)]
    for one in ours:
        assert one.wait().rc == 0
    assert counts(db) == {1: ROWS}
    db.drop()
