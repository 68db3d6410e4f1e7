"""Others who wait for what a migration has locked: counted, told, and by policy the migration is cancelled.

What works for long works until it is cancelled, or until the test has seen what it wants. How exactly the
limit is kept is measured by bench/stall.py.
"""

import contextlib
import json
import os
import threading

import pytest

from harness import aramid, ledger, wait
from harness.load import waiting_for

SETUP = ("CREATE TABLE big (id int PRIMARY KEY, v text);\nINSERT INTO big VALUES (1, 'a');\n"
         "CREATE FUNCTION gate(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS\n"
         "'BEGIN WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = ''advisory'' AND objid = 7 AND granted)\n"
         " LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN $1; END';\n")
# Each works for as long as the test holds the gate, and locks readers out.
FORMS = {
    "transaction": "ALTER TABLE big ADD COLUMN w int;\nSELECT gate(1);\n",
    "several-steps": "CREATE INDEX CONCURRENTLY big_v ON big (v);\nALTER TABLE big ADD COLUMN w int;\nSELECT gate(1);\n",
    "own-transaction": "BEGIN;\nALTER TABLE big ADD COLUMN w int;\nSELECT gate(1);\nCOMMIT;\n",
    "check": "ALTER TABLE big ADD CONSTRAINT big_id CHECK (gate(id) = id);\n",
    "alone": "VACUUM FULL big;\n",
}


@pytest.fixture
def table(project, db):
    project.add("init", SETUP)
    project.add("slow", "CREATE INDEX big_slow ON big (gate(id));\n")
    assert aramid.deploy(project, db.url()).rc == 0
    return project


@contextlib.contextmanager
def gate(db):
    """While it is shut, what calls gate() waits."""
    with contextlib.closing(db.connect()) as conn:
        conn.cursor().execute("SELECT pg_advisory_lock(7)")
        yield


@contextlib.contextmanager
def reader(db, statement="SELECT v FROM big"):
    """A session that reads as soon as the table is locked."""
    def read():
        wait.until(lambda: db.one("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'"
                                  " AND relation = to_regclass('big'))"), "the lock", 0.01)
        with contextlib.closing(db.connect()) as conn:
            conn.cursor().execute(statement)
    thread = threading.Thread(target=read)
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize("form", FORMS)
def test_is_cancelled(table, db, form):
    table.add("form", FORMS[form])
    with gate(db), reader(db):
        result = aramid.deploy(table, db.url(), "--stall", "300ms")
    assert result.rc == 22, result
    assert "was stopped: others have waited for" in result.err
    assert "(test, user postgres) waits for table public.big: SELECT v FROM big" in result.err
    assert "state: " in result.err and "hint:" in result.err
    if form == "check":
        assert "safer, for line 1: ALTER TABLE big ADD CONSTRAINT big_id CHECK (gate(id) = id) NOT VALID; and" in result.err
    assert not db.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 'big'::regclass AND attname = 'w'")
    again = aramid.deploy(table, db.url())
    assert again.rc == 0, again
    ledger.check(db, table)
    ledger.clean(db)


def test_is_told(table, db):
    """Without a limit it goes on; terminal, events, log and result say who waited."""
    table.add("form", FORMS["transaction"])
    with contextlib.ExitStack() as stack:
        shut = stack.enter_context(contextlib.ExitStack())
        shut.enter_context(gate(db))
        stack.enter_context(reader(db))
        ours = aramid.start("deploy", "--json", "--url", db.url(), cwd=table.path)
        ours.wait_for("1 session waits for ")
        shut.close()
    result = ours.wait()
    assert result.rc == 0 and "[run-stalled]" in result.err, result
    done = result.json["applied"][0]
    assert done["stalledSessions"] == 1 and done["stalledMs"] >= 100
    with open(os.path.join(table.path, result.json["log"], "events.jsonl"), encoding="utf-8") as log:
        assert "stall" in {json.loads(line)["event"] for line in log}


def test_a_deadlock_names_both_sides(project, db):
    project.add("init", "CREATE TABLE a (i int);\nCREATE TABLE b (i int);\nINSERT INTO a VALUES (1);\n"
                        "INSERT INTO b VALUES (1);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("both", "UPDATE a SET i = 2;\nUPDATE b SET i = 2;\n")
    with contextlib.closing(db.connect()) as other:
        other.autocommit = False
        other.cursor().execute("SET deadlock_timeout = '1h'; UPDATE b SET i = 3")  # it is never the one that is ended
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        wait.until(lambda: waiting_for(db, "transactionid"), "the migration's turn", 0.01)
        other.cursor().execute("UPDATE a SET i = 3")
        other.commit()
        result = ours.wait()
    assert result.rc == 0, result
    assert "(this run) waits for ShareLock" in result.err and "(test, user postgres, " in result.err
