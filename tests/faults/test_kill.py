"""kill -9 of the client: at every failpoint, at random moments, in the middle of every kind of step.

The next run starts at once, while the server may still work for the dead one; it always finishes.
"""

import contextlib
import signal
import time

import pytest

from harness import aramid, ledger, wait
from harness.faults import FULL, count

# Passed only when something else went wrong before.
RARE = {"lock-retry", "before-repair", "after-repair"}


def failpoints():
    return [] if aramid.missing() else aramid.failpoints()


def killed(result):
    return result.rc == -signal.SIGKILL


@pytest.mark.parametrize("name", failpoints())
def test_at_each_failpoint(hard_history, server, name):
    """At the first passage, then at the second, ... until the point is not reached any more."""
    for passage in range(1, 30 if FULL else 4):
        db = server.new_database()
        named = {"ARAMID_ENV": "test"} if name == "identity-written" else {}
        result = hard_history.run(db, env={"ARAMID_FAILPOINT": f"{name}#{passage}:kill", **named})
        if result.rc == 0:  # not passed so often
            assert passage > 1 or name in RARE, f"{name} is not passed at all"
            hard_history.check(db)
            db.drop()
            break
        assert killed(result), result
        hard_history.finish(db)
        db.drop()


@pytest.mark.parametrize("point", ["before-repair", "after-repair", "locked", "before-verify"])
def test_the_run_that_repairs_is_killed_too(project, db, point):
    """An invalid index is left first; then each run dies a little later."""
    project.add("init", "CREATE TABLE witness (part text);\nCREATE TABLE big (i int);\n"
                "INSERT INTO big VALUES (1), (1);\n")
    project.add("index", "INSERT INTO witness VALUES ('1');\nCREATE UNIQUE INDEX CONCURRENTLY big_i ON big (i);\n"
                "INSERT INTO witness VALUES ('2');\n")
    assert aramid.deploy(project, db.url()).rc == 22
    db.sql("DELETE FROM big WHERE ctid = (SELECT min(ctid) FROM big)")
    for _ in range(2):
        aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": f"{point}:kill"})
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
    assert ledger.witnesses(db) == {"1": 1, "2": 1}


def test_at_random_moments(hard_history, server, dice):
    for i in range(count(8, 200)):
        db = server.new_database()
        ours = hard_history.start(db)
        moment = dice.uniform(0, hard_history.seconds * 1.05)
        time.sleep(moment)
        ours.kill()
        found = len(ledger.rows(db)) if db.exists("_prisma_migrations") else 0
        print(f"kill {i} after {moment:.3f} s, {found} rows")
        hard_history.finish(db)
        db.drop()


PART_1, PART_2 = "INSERT INTO witness VALUES ('1');\n", "INSERT INTO witness VALUES ('2');\n"
STEPS = {  # name: statements, what runs in the middle
    "concurrently": (PART_1 + "CREATE INDEX CONCURRENTLY slow_i ON slow (i);\n" + PART_2, "CONCURRENTLY"),
    "unnamed": (PART_1 + "CREATE INDEX CONCURRENTLY ON slow (i);\n" + PART_2, "CONCURRENTLY"),
    "reindex": (PART_1 + "REINDEX INDEX CONCURRENTLY slow_pkey;\n" + PART_2, "CONCURRENTLY"),
    "drop": (PART_1 + "DROP INDEX CONCURRENTLY slow_old;\n" + PART_2, "CONCURRENTLY"),
    "segment": ("BEGIN;\n" + PART_1 + "COMMIT;\n" + wait.HELD + PART_2, "held_by_a_test"),
    "single": (PART_1 + wait.HELD + PART_2, "held_by_a_test"),
}


@pytest.mark.parametrize("kind", STEPS)
def test_inside_a_step(project, server, dice, kind):
    """The server is in the middle of a statement when its client dies, and the next run starts."""
    statements, fragment = STEPS[kind]
    project.add("init", "CREATE TABLE witness (part text);\nCREATE TABLE slow (i int PRIMARY KEY);\n"
                "CREATE INDEX slow_old ON slow (i);\nINSERT INTO slow SELECT generate_series(1, 1000);\n")
    base = server.new_database()
    assert aramid.deploy(project, base.url()).rc == 0
    ledger.clean(base)
    project.add("slow", statements)
    project.add("last", "INSERT INTO witness VALUES ('last');")
    for _ in range(count(1, 20)):
        db = server.new_database(template=base.name)
        # A lock on the table and an old snapshot hold every CONCURRENTLY back until they end.
        holder = db.connect()
        holder.set_session(isolation_level="REPEATABLE READ", autocommit=False)
        holder.cursor().execute("SELECT count(*) FROM slow")
        with contextlib.closing(holder), wait.held(db):
            first = aramid.start("deploy", "--url", db.url(), cwd=project.path)
            wait.session_runs(db, fragment)
            time.sleep(dice.uniform(0, 0.3))
            first.kill()
            second = aramid.start("deploy", "--url", db.url(), cwd=project.path)
            time.sleep(dice.uniform(0, 0.5))
        result = second.wait()
        assert result.rc == 0, result
        ledger.check(db, project)
        ledger.clean(db)
        assert ledger.witnesses(db) == {"1": 1, "2": 1, "last": 1}
        db.drop()
    base.drop()


def test_script_and_history_row_are_one(project, db):
    """Killed right after its message was answered: had the row been a second message, it would be
    missing now, and the script would run twice."""
    project.add("init", "CREATE TABLE witness (part text);\nINSERT INTO witness VALUES ('init');\n")
    assert killed(aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-message:kill"}))
    ledger.check(db, project)
    assert aramid.deploy(project, db.url()).rc == 0
    assert ledger.witnesses(db) == {"init": 1}


def test_prisma_after_a_kill(oracle, project, db):
    """Who goes back to Prisma after an accident finds nothing failed."""
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("slow", "INSERT INTO witness VALUES ('slow');\n" + wait.HELD)
    project.add("last", "INSERT INTO witness VALUES ('last');")
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        ours.kill()
    done = oracle.deploy(project, db.url())
    assert done.rc == 0, done
    assert aramid.status(project, db.url()).rc == 0
    assert ledger.witnesses(db) == {"slow": 1, "last": 1}
