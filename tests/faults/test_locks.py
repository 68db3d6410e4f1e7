"""Polite locks: a migration that has to wait never makes others wait for long.

A transaction has read the table and stays, the migration wants a strong lock, and readers and writers
come all the time. The transaction stays until they have come through again and again while the migration
was waiting: without a limit none of them would. How long the limit is stands in what is sent; what they
wait in milliseconds is measured by bench/locks.py.
"""

import contextlib
import re
import threading
import time

import pytest

from harness import aramid, ledger, wait
from harness.proxy import Proxy

LIMIT_MS = 100  # locks.timeout
ROWS = 1000
MIGRATIONS = {
    "add-column": "ALTER TABLE big ADD COLUMN extra int;\n",
    "several-strong": "ALTER TABLE big ADD COLUMN extra int;\nCREATE INDEX big_v2 ON big (v);\n"
                      "ALTER TABLE big ALTER COLUMN extra SET DEFAULT 1;\n",
    "foreign-key": "CREATE TABLE child (id int PRIMARY KEY, big_id int REFERENCES big (id));\n",
    "own-transaction": "BEGIN;\nALTER TABLE big ADD COLUMN extra int;\nCOMMIT;\n"
                       "BEGIN;\nALTER TABLE big DROP COLUMN extra;\nCOMMIT;\n",
    "rename": "ALTER TABLE big RENAME COLUMN w TO renamed;\n",
    "hidden-in-do": "DO $$ BEGIN\n  ALTER TABLE big ADD COLUMN extra int;\n"
                    "EXCEPTION WHEN duplicate_column THEN NULL;\nEND $$;\n",
    "hidden-in-function": "CREATE FUNCTION change() RETURNS void LANGUAGE sql AS "
                          "'ALTER TABLE big ADD COLUMN extra int';\nSELECT change();\n",
    "hidden-in-procedure": "CREATE PROCEDURE change() LANGUAGE sql AS "
                           "'ALTER TABLE big ADD COLUMN extra int';\nCALL change();\n",
}


@pytest.fixture
def table(project, db):
    project.add("init", "CREATE TABLE big (id int PRIMARY KEY, v text, w int);\n"
                f"INSERT INTO big SELECT i, 'v' || i, 0 FROM generate_series(1, {ROWS}) i;\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("ANALYZE big")
    return project


@contextlib.contextmanager
def transaction(db, statement="SELECT count(*) FROM big"):
    """A transaction that has done something and stays open until the block is left; its pid."""
    with contextlib.closing(db.connect()) as conn:
        conn.autocommit = False
        conn.cursor().execute(statement)
        yield conn.info.backend_pid


class Others:
    """Sessions that read and write single rows all the time, and how often each came through."""

    STATEMENTS = ("SELECT v FROM big WHERE id = %s", "UPDATE big SET v = 'w' WHERE id = %s")

    def __init__(self, db):
        self.db = db
        self.times = [0] * len(self.STATEMENTS)
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(i,)) for i in range(len(self.times))]

    def _work(self, i):
        with contextlib.closing(self.db.connect()) as conn, conn.cursor() as cursor:
            while not self.over.wait(0.005):
                cursor.execute(self.STATEMENTS[i], (self.times[i] % ROWS + 1,))
                self.times[i] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        for thread in self.threads:
            thread.join()


def waits_sent(proxy):
    """For each time that the migration was sent: how long it may wait in strong locks, in milliseconds."""
    found = []
    for text in proxy.queries:
        limit = total = 0
        rest = None  # of the script itself; behind it the ledger's own limit is set
        for statement in re.split(r";\s*", text):
            if said := re.fullmatch(r"SET LOCAL lock_timeout=(\d+)", statement):
                limit = int(said[1])
            elif statement.startswith("LOCK TABLE") and "SHARE UPDATE EXCLUSIVE" not in statement:
                total += limit
            elif rest is None and (said := re.search(r"set_config\('lock_timeout', '(\d+)', true\)", statement)):
                rest = int(said[1])
        if limit or rest:
            found.append(total + (limit if rest is None else rest))
    return found


def looks(proxy):
    """How often it was asked who holds the tables, which makes nobody wait."""
    return sum("pg_catalog.pg_locks l JOIN (VALUES" in text for text in proxy.queries)


def waits(db):
    """Whether the migration is waiting for a lock right now."""
    return db.one("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted"
                  " AND a.datname = current_database() AND a.application_name LIKE 'aramid/%%'")


def deploy_behind(statements, project, db, turns=2, seconds=0):
    """Deploy while transactions hold a table or a row, until others have come through all the same.

    What was sent meanwhile, and whether the migration had to wait.
    """
    before = ledger.applied(db)
    with Proxy(db.server) as proxy, Others(db) as others, contextlib.ExitStack() as holders:
        for statement in statements:
            holders.enter_context(transaction(db, statement))
        ours = aramid.start("deploy", "--url", proxy.url(db), cwd=project.path)
        wait.until(lambda: not ours.running() or len(waits_sent(proxy)) + looks(proxy) >= turns or waits(db),
                   "the migration's turn")
        times = list(others.times)
        wait.until(lambda: not ours.running() or all(now >= then + 30 for now, then in zip(others.times, times)),
                   "others coming through")
        time.sleep(seconds)
        waited = ledger.applied(db) == before
        sent = waits_sent(proxy)
        holders.close()
        result = ours.wait()
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
    return sent, waited


READ = "SELECT count(*) FROM big"


@pytest.mark.parametrize("kind", MIGRATIONS)
def test_long_reader(table, db, kind):
    table.add("alter", MIGRATIONS[kind])
    sent, waited = deploy_behind([READ], table, db, 3 if "hidden" in kind else 2)
    assert waited or kind == "foreign-key"  # SHARE ROW EXCLUSIVE goes together with readers
    assert 0 < max(sent) <= LIMIT_MS
    if "hidden" not in kind and kind != "foreign-key":
        assert len(sent) == 1, "it was asked for again while the reader was there"


@pytest.mark.full
def test_reader_of_a_minute(table, db):
    table.add("alter", MIGRATIONS["add-column"])
    sent, waited = deploy_behind([READ], table, db, seconds=60)
    assert waited and len(sent) == 1 and sent[0] <= LIMIT_MS


@pytest.mark.parametrize("kind", ["add-column", "hidden-in-do"])
def test_says_who_blocks(table, db, kind):
    table.add("alter", MIGRATIONS[kind])
    with transaction(db) as pid:
        ours = aramid.start("deploy", "--url", db.url(), cwd=table.path)
        ours.wait_for(f"process {pid} ")
    result = ours.wait()
    assert result.rc == 0, result


def test_names_blockers_that_it_may_not_look_into(table, db):
    """A role sees no state and no times of other roles' sessions, but who holds the table."""
    db.sql("CREATE ROLE locks_owner LOGIN; GRANT ALL ON SCHEMA public TO locks_owner;"
           "ALTER TABLE big OWNER TO locks_owner; ALTER TABLE _prisma_migrations OWNER TO locks_owner")
    table.add("alter", MIGRATIONS["add-column"])
    with transaction(db) as pid:
        ours = aramid.start("deploy", "--url", db.url(user="locks_owner"), cwd=table.path)
        ours.wait_for(f"process {pid} ")
    result = ours.wait()
    assert result.rc == 0, result


def test_budget_ends(table, db):
    table.add("alter", MIGRATIONS["add-column"])
    with transaction(db):
        result = aramid.deploy(table, db.url(), "--lock-budget", "2s")
    assert result.rc == 42, result
    assert ledger.applied(db) == table.names[:1]
    ledger.clean(db)
    assert aramid.deploy(table, db.url()).rc == 0


ROW = ROWS + 1  # that the others do not ask for
ROW_WAITS = {
    "plain": f"UPDATE big SET w = 1 WHERE id = {ROW};\n",
    "hidden": f"DO $$ BEGIN UPDATE big SET w = 1 WHERE id = {ROW}; END $$;\n",
    # The row first, long waited for; then the table.
    "hidden-both": f"DO $$ BEGIN UPDATE big SET w = 1 WHERE id = {ROW};\n"
                   "ALTER TABLE big ADD COLUMN extra int; END $$;\n",
    # Whoever waits for the table must not wait until we have the row.
    "hidden-other": "DO $$ BEGIN ALTER TABLE big ADD COLUMN extra int;\n"
                    f"UPDATE other SET w = 1 WHERE id = {ROW}; END $$;\n",
    "known-other": "ALTER TABLE big ADD COLUMN extra int;\n"
                   f"UPDATE other SET w = 1 WHERE id = {ROW};\n",
}


@pytest.mark.parametrize("kind", ROW_WAITS)
def test_row_lock_is_waited_for(table, db, kind):
    """A short lock_timeout must not break a data migration that waits for a row."""
    db.sql(f"INSERT INTO big VALUES ({ROW}); CREATE TABLE other AS SELECT * FROM big")
    table.add("data", ROW_WAITS[kind])
    held = "other" if kind.endswith("other") else "big"
    holders = [f"UPDATE {held} SET w = 2 WHERE id = {ROW}"] + [READ] * (kind == "hidden-both")
    _, waited = deploy_behind(holders, table, db, 4 if kind.endswith("other") else 2)
    assert waited
    assert db.one(f"SELECT w FROM {held} WHERE id = {ROW}") == 1


def test_autovacuum(project, new_server):
    """A vacuum that autovacuum began gives way to the migration, and nobody waits for that."""
    server = new_server(autovacuum="on", autovacuum_naptime="1s", autovacuum_vacuum_cost_delay="100ms",
                        autovacuum_vacuum_cost_limit="1", vacuum_cost_page_dirty="20")
    db = server.new_database()
    project.add("init", "CREATE TABLE big (id int PRIMARY KEY, v text, w int) WITH (fillfactor = 20);\n"
                "ALTER TABLE big SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50);\n"
                "INSERT INTO big SELECT i, repeat('v', 100), 0 FROM generate_series(1, 20000) i;\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("UPDATE big SET w = 1 WHERE id % 2 = 0")
    project.add("alter", MIGRATIONS["add-column"])
    wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'big'::regclass"),
               "an autovacuum of the table")
    sent, _ = deploy_behind([], project, db)
    assert max(sent) <= LIMIT_MS
    assert "canceling autovacuum task" in server.log()


def test_plain_migrations_do_not_wait(table, db):
    """Without a reader the lock is there at once."""
    table.add("alter", MIGRATIONS["add-column"])
    with Proxy(db.server) as proxy:
        assert aramid.deploy(table, proxy.url(db)).rc == 0
    assert len(waits_sent(proxy)) == 1 and not looks(proxy)
