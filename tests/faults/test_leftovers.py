"""Clean-up touches only its own, and never stops a deploy for good.

Statements outside of transactions that are killed, cancelled or copied to another database in the middle,
mostly by an ordinary role, beside invalid indexes of strangers. What the next deploy does ends well, or
says one command that is true.
"""

import contextlib
import os
import random
import signal
import time

import pytest

from harness import aramid, ledger, wait
from harness.cluster import client_tool
from harness.faults import FULL

ROLE = "leftover_role"
COUNT = int(os.environ.get("ARAMID_FAULTS_COUNT") or (300 if FULL else 6))
TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text, b int);\nINSERT INTO t SELECT i, 'a', i FROM generate_series(1, 2000) i;\n" \
        "CREATE INDEX ib ON t (b);\n"
PARTS = "CREATE TABLE pt (id int NOT NULL) PARTITION BY RANGE (id);\n" + "".join(
    f"CREATE TABLE pt{i} PARTITION OF pt FOR VALUES FROM ({i}00) TO ({i + 1}00);\n" for i in range(3))


@pytest.fixture
def owned(project, db):
    """A database of an ordinary role."""
    db.sql(f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
           f"ALTER SCHEMA public OWNER TO {ROLE}; GRANT CREATE ON DATABASE {db.name} TO {ROLE}")
    project.add("init", TABLE + PARTS)
    assert aramid.deploy(project, db.url(user=ROLE)).rc == 0
    yield project
    with contextlib.suppress(Exception):
        db.sql(f"ALTER SCHEMA public OWNER TO postgres; DROP OWNED BY {ROLE} CASCADE")


@contextlib.contextmanager
def holding(db, statement):
    with contextlib.closing(db.connect()) as conn:
        conn.autocommit = False
        conn.cursor().execute(statement)
        yield conn


def invalid(db):
    return db.column("SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                     " WHERE NOT i.indisvalid ORDER BY 1")


def own_backend(db):
    return db.one("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                  " AND application_name LIKE 'aramid/%%deploy'")


# ---- kills --------------------------------------------------------------------------------------

KILLED = {
    "reindex-table": ("REINDEX TABLE CONCURRENTLY t;\n", "SELECT id FROM t WHERE id = 1 FOR UPDATE"),
    "reindex-schema": ("REINDEX SCHEMA CONCURRENTLY public;\n", "SELECT id FROM t WHERE id = 1 FOR UPDATE"),
    "detach": ("ALTER TABLE pt DETACH PARTITION pt1 CONCURRENTLY;\n", "SELECT * FROM pt"),
}


def server_dies_too(db, pid):
    if pid:
        db.sql("SELECT pg_terminate_backend(%s)", pid)


@pytest.mark.parametrize("kind", KILLED)
@pytest.mark.parametrize("number", range(COUNT))
def test_killed(owned, db, kind, number):
    if kind == "detach" and db.server.major < 14:
        pytest.skip("DETACH CONCURRENTLY is of 14")
    dice = random.Random(number * 1000 + int(os.environ.get("ARAMID_SEED") or 7))
    statement, held = KILLED[kind]
    owned.add("killed", statement)
    with contextlib.ExitStack() as holders:
        if dice.random() < 0.7:
            holders.enter_context(holding(db, held))
        ours = aramid.start("deploy", "--url", db.url(user=ROLE), cwd=owned.path)
        time.sleep(dice.random() * 0.6)  # any moment is one to die in
        pid = own_backend(db) if dice.random() < 0.6 else None
        if dice.random() < 0.7:
            ours.kill()
        elif ours.running():
            ours.process.send_signal(signal.SIGINT)
        server_dies_too(db, pid)
        holders.close()
        ours.wait()
    for _ in range(2):
        run = aramid.deploy(owned, db.url(user=ROLE))
        assert run.rc == 0, run
    ledger.check(db, owned)
    assert all("pg_toast" in name for name in invalid(db)), invalid(db)
    assert kind != "detach" or not db.one("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'pt1'::regclass")


# ---- whose it is ---------------------------------------------------------------------------------

def interrupted(project, db, statement, held="UPDATE t SET b = b WHERE id = 1", user="postgres"):
    """Deploy a statement, and kill client and server process while it waits. An index build waits for
    writers; a row that is only locked holds up a REINDEX."""
    project.add("interrupted", statement)
    with holding(db, held):
        ours = aramid.start("deploy", "--url", db.url(user=user), cwd=project.path)
        wait.until(lambda: db.one("SELECT count(*) FROM pg_locks WHERE NOT granted"), "the statement's wait")
        pid = own_backend(db)
        ours.kill()
        db.sql("SELECT pg_terminate_backend(%s)", pid)
        wait.until(lambda: not db.one("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid), "its end")


STRANGERS = """
CREATE SCHEMA other; CREATE TABLE other.big (a int); INSERT INTO other.big VALUES (1), (1);
CREATE TABLE other.pt (a int) PARTITION BY LIST (a); CREATE TABLE other.pt1 PARTITION OF other.pt FOR VALUES IN (1);
CREATE INDEX pt_a_ccold ON ONLY other.pt (a);
"""


@pytest.mark.parametrize("user", ["postgres", ROLE])
@pytest.mark.parametrize("statement", ["REINDEX INDEX CONCURRENTLY ib;\n", "REINDEX TABLE CONCURRENTLY t;\n",
                                       "REINDEX SCHEMA CONCURRENTLY public;\n", "CREATE INDEX CONCURRENTLY n ON t (a);\n"])
def test_strangers_stay(owned, db, statement, user):
    db.sql(STRANGERS)
    with contextlib.suppress(Exception):
        db.sql("CREATE UNIQUE INDEX CONCURRENTLY big_a_ccnew ON other.big (a)")
    before = invalid(db)
    assert before == ["big_a_ccnew", "pt_a_ccold"]
    interrupted(owned, db, statement, user=user)
    assert len(invalid(db)) > 2
    run = aramid.deploy(owned, db.url(user=user))
    assert run.rc == 0, run
    assert [name for name in invalid(db) if "pg_toast" not in name] == before
    assert aramid.deploy(owned, db.url(user=user)).rc == 0


def test_toast_of_an_ordinary_role_is_told_and_passed(owned, db):
    interrupted(owned, db, "REINDEX TABLE CONCURRENTLY t;\n", user=ROLE)
    assert any("pg_toast" in name for name in invalid(db))
    run = aramid.deploy(owned, db.url(user=ROLE))
    assert run.rc == 0 and "as a superuser: DROP INDEX pg_toast." in run.text, run
    ledger.check(db, owned)


def test_an_own_failed_build_is_not_told_as_anothers(owned, db):
    db.sql("INSERT INTO t VALUES (0, 'a', 1)")
    owned.add("unique", "CREATE UNIQUE INDEX CONCURRENTLY u ON t (b);\n")
    run = aramid.deploy(owned, db.url(user=ROLE))
    assert run.rc == 22 and "this statement had left" in run.text and "interrupted" not in run.text, run


# ---- copies ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("index", ["n ON t (a)", "ON t (a)", "IF NOT EXISTS n ON t (a)"])
def test_a_build_goes_on_in_a_copy(owned, db, db2, index):
    """Built and not recorded; then dump and restore, where all numbers are others."""
    name = owned.add("build", f"CREATE INDEX CONCURRENTLY {index};\nINSERT INTO t VALUES (-1, 'x', -1);\n")
    ours = aramid.run("deploy", "--url", db.url(), cwd=owned.path, env={"ARAMID_FAILPOINT": "after-statement:kill"})
    assert ours.rc == -9
    db2.sql("CREATE TABLE filler (x int); CREATE INDEX ON filler (x); CREATE INDEX ON filler ((x + 1))")
    dump = f"{client_tool('pg_dump')} -Fp '{db.url(tcp=False)}' | {client_tool('psql')} -qX -v ON_ERROR_STOP=0 '{db2.url(tcp=False)}'"
    assert os.system(f"({dump}) >/dev/null 2>&1") == 0
    run = aramid.deploy(owned, db2.url())
    assert run.rc == 0, run
    assert db2.one("SELECT count(*) FROM t WHERE id = -1") == 1
    assert db2.one("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND indisvalid") >= 3
    assert name in ledger.applied(db2)


def test_hints_never_skip_statements(owned, db):
    """A file that does more than make objects is never to be recorded as done because one is there."""
    db.sql("CREATE TABLE there (i int)")
    owned.add("more", "CREATE TABLE there (i int);\nINSERT INTO there VALUES (1);\n")
    run = aramid.deploy(owned, db.url())
    assert run.rc == 22 and "--applied" not in run.text, run
