"""Somebody else builds an index on the table: never dropped, no deadlock, and a valid index at the end."""

import contextlib
import threading
import time

import pytest

from harness import aramid, ledger, wait

OWNER = "builders_owner"


@pytest.fixture
def table(project, db):
    """A table of a role that may not look into other roles' sessions."""
    db.sql(f"DO $$ BEGIN CREATE ROLE {OWNER} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
           f"GRANT ALL ON SCHEMA public TO {OWNER}; GRANT CREATE ON DATABASE {db.name} TO {OWNER}")
    project.add("init", "CREATE TABLE big (id int PRIMARY KEY, v text, w int);\n"
                "INSERT INTO big SELECT i, 'v' || i, 0 FROM generate_series(1, 1000) i;\n"
                "CREATE INDEX big_w ON big (w);\n")
    assert aramid.deploy(project, db.url(user=OWNER)).rc == 0
    return project


@contextlib.contextmanager
def building(db, statement):
    """A superuser builds until the block is left: an old snapshot holds the build back."""
    holder = db.connect()
    holder.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    holder.cursor().execute("SELECT count(*) FROM big")
    failed = []

    def build():
        try:
            db.sql(statement)
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    wait.until(lambda: db.exists(statement.split(" ON ")[0].split()[-1]), "the index that is being built")
    yield
    holder.close()
    thread.join()
    assert not failed, failed


def validity(db):
    return dict(db.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
                       "WHERE indrelid = 'big'::regclass"))


MIGRATIONS = {
    "same": "CREATE INDEX CONCURRENTLY IF NOT EXISTS theirs ON big (v);\n",
    "another": "CREATE INDEX CONCURRENTLY ours ON big (v);\n",
    "drop": "DROP INDEX CONCURRENTLY big_w;\n",
    "reindex": "REINDEX INDEX CONCURRENTLY big_w;\n",
}


@pytest.mark.parametrize("kind", MIGRATIONS)
def test_their_build_goes_on(table, db, kind):
    table.add("index", MIGRATIONS[kind])
    with building(db, "CREATE INDEX CONCURRENTLY theirs ON big (v)"):
        ours = aramid.start("deploy", "--url", db.url(user=OWNER), cwd=table.path)
        ours.wait_for("builds an index on the same table")
    result = ours.wait()
    assert result.rc == 0, result
    assert validity(db)["theirs"] and all(validity(db).values())
    ledger.check(db, table)
    ledger.clean(db)


def test_their_build_goes_on_while_ours_is_resumed(table, db):
    """The run was killed in its build, and now somebody else repairs by hand."""
    table.add("index", "CREATE INDEX CONCURRENTLY ours ON big (v);\n")
    aramid.deploy(table, db.url(user=OWNER), env={"ARAMID_FAILPOINT": "after-intent:kill"})
    with building(db, "CREATE INDEX CONCURRENTLY ours ON big (v)"):
        ours = aramid.start("deploy", "--url", db.url(user=OWNER), cwd=table.path)
        time.sleep(3)  # it is there, and must not be taken for the killed run's
    result = ours.wait()
    assert result.rc == 0, result
    assert validity(db)["ours"]
    ledger.check(db, table)
    ledger.clean(db)


def test_leftover_that_a_long_transaction_keeps(table, db):
    """An invalid index of the name is there, and an old transaction delays dropping it."""
    db.sql("CREATE INDEX ours ON big (v)")
    db.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ours'::regclass")
    table.add("index", "CREATE INDEX CONCURRENTLY ours ON big (v);\n")
    holder = db.connect()
    holder.autocommit = False
    holder.cursor().execute("UPDATE big SET w = 1 WHERE id = 1")
    timer = threading.Timer(3, holder.rollback)
    timer.start()
    result = aramid.deploy(table, db.url(user=OWNER))
    timer.join()
    holder.close()
    assert result.rc == 0 and "dropped the invalid index" in result.text, result
    assert validity(db)["ours"]
    ledger.check(db, table)
    ledger.clean(db)


def test_a_failed_build_does_not_wait_for_ever_to_clean_up(table, db):
    """A reader's open transaction keeps the remains: the build's own error is told, and who keeps them."""
    db.sql("UPDATE big SET v = 1")
    table.add("unique", "CREATE UNIQUE INDEX CONCURRENTLY ours ON big (v);\n")
    reader = db.connect()
    reader.autocommit = False
    reader.cursor().execute("SELECT 1 FROM big LIMIT 1")
    result = aramid.deploy(table, db.url(user=OWNER), "--lock-budget", "2s")
    assert result.rc == 22 and "could not create unique index" in result.err, result
    assert "run-leftover" in result.err and f"process {reader.info.backend_pid} " in result.err, result
    result = aramid.deploy(table, db.url(user=OWNER), "--lock-budget", "2s")
    assert result.rc == 42 and "stands in the way" in result.err and "holds table" in result.err, result
    reader.rollback()
    reader.close()
    db.sql("UPDATE big SET v = id")
    result = aramid.deploy(table, db.url(user=OWNER))
    assert result.rc == 0 and validity(db)["ours"], result
    ledger.check(db, table)
    ledger.clean(db)
