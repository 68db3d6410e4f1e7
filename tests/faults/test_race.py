"""Many runners at once: each migration exactly once, all of them end well."""

import random
import threading
import time

import pytest

from harness import aramid, ledger, wait
from harness.faults import count
from harness.histories import plain
from harness.project import Project

RUNNERS = 10


def test_ten_deploys_together(hard_history, server):
    for _ in range(count(2, 30)):
        db = server.new_database()
        running = [hard_history.start(db) for _ in range(RUNNERS)]
        results = [one.wait() for one in running]
        assert [r.rc for r in results] == [0] * RUNNERS, [r for r in results if r.rc][0]
        hard_history.check(db)
        db.drop()


def test_rows_only(project, db):
    """Only inserts: nothing but the lock keeps them from running ten times."""
    project.add("init", "CREATE TABLE witness (part text);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("data", "INSERT INTO witness VALUES ('data');\nSELECT pg_sleep(1);")
    running = [aramid.start("deploy", "--url", db.url(), cwd=project.path) for _ in range(RUNNERS)]
    assert [one.wait().rc for one in running] == [0] * RUNNERS
    assert ledger.witnesses(db) == {"data": 1}
    ledger.check(db, project)


def test_waiting_runner_says_for_whom(project, db):
    project.add("slow", wait.HELD)
    with wait.held(db) as reached:
        first = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        second = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        second.wait_for("waiting for another migration run")
    result = second.wait()
    assert first.wait().rc == 0 and result.rc == 0, result
    assert f"process {first.pid}" in result.text, result


@pytest.mark.parametrize("ours_first", [True, False])
def test_together_with_prisma(oracle, tmp_path, server, ours_first):
    """`prisma migrate deploy` starts during ours, and ours during its."""
    dice = random.Random(7)
    for i in range(count(2, 30)):
        db = server.new_database()
        project = Project(tmp_path / f"p{i}")
        plain(project, 12)
        project.add("slow", "INSERT INTO witness VALUES ('slow');\nSELECT pg_sleep(0.5);")
        # Prisma needs more than a second to start.
        pause = dice.uniform(0, 1.5)
        if ours_first:
            theirs = oracle.start(project, db.url(), "migrate", "deploy")
            time.sleep(pause)
            ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        else:
            ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
            time.sleep(pause / 4)
            theirs = oracle.start(project, db.url(), "migrate", "deploy")
        result, done = ours.wait(), oracle.finish(theirs)
        assert result.rc == 0, result
        assert done.rc == 0, done
        ledger.check(db, project)
        ledger.clean(db)
        assert set(ledger.witnesses(db).values()) == {1}
        db.drop()


def test_prisma_during_an_index_build(oracle, project, db):
    """Prisma waits in a blocking lock while we build an index: no deadlock, no invalid index."""
    project.add("init", "CREATE TABLE big AS SELECT i, md5(i::text) AS t FROM generate_series(1, 200000) i;\n"
                "SELECT pg_sleep(1.5);\n")
    project.add("index", "CREATE INDEX CONCURRENTLY big_t ON big (t);")
    project.add("index2", "CREATE INDEX CONCURRENTLY big_i ON big (i);")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    theirs = oracle.start(project, db.url(), "migrate", "deploy")
    result, done = ours.wait(), oracle.finish(theirs)
    assert result.rc == 0, result
    assert done.rc == 0, done
    assert [r["migration_name"] for r in ledger.rows(db) if not r["rolled_back_at"]] == project.names
    ledger.clean(db)


def test_prisma_is_no_victim_of_a_deadlock(project, db):
    """It begins to wait just before the build waits for its snapshot: the server would end whoever
    waits for deadlock_timeout first."""
    db.sql(f'ALTER DATABASE "{db.name}" SET deadlock_timeout = \'5s\'')
    project.add("init", "CREATE TABLE big AS SELECT i FROM generate_series(1, 1000) i;")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("index", "CREATE INDEX CONCURRENTLY big_i ON big (i);")
    holder = db.connect()
    holder.autocommit = False
    holder.cursor().execute("UPDATE big SET i = 0 WHERE i = 1")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    wait.session_runs(db, "CREATE INDEX CONCURRENTLY")
    time.sleep(0.5)
    failed = []

    def prisma():
        try:
            db.sql("SELECT pg_advisory_lock(72707369)")
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    thread = threading.Thread(target=prisma)
    thread.start()
    time.sleep(0.3)
    holder.rollback()
    holder.close()
    thread.join()
    result = ours.wait()
    assert not failed, failed
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
