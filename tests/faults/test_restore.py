"""A restore that is cut, killed, or meets a full disk: the database is the old one, or the whole new one.

Whatever happens, no database is ever half restored: under the old name are the old rows until the new
ones are there, and a database that a restore began has nothing in it, or everything.
"""

import signal
import subprocess
import time

import pytest

from harness import aramid, everything, wait
from harness.cluster import Database, client_tool, run_as_server
from harness.faults import count
from harness.proxy import Fault, Proxy

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, v text);
CREATE TABLE c (id serial UNIQUE, v text); CREATE INDEX ON b (v);
INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 400) i;
INSERT INTO b SELECT i, i, md5(i::text) FROM generate_series(1, 400) i;
INSERT INTO c (v) SELECT repeat('x', 900) FROM generate_series(1, 400) i;
SELECT lo_from_bytea(4711, '\\x00ff'); CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM b;
"""


def databases(server):
    return {name for (name,) in server.admin("SELECT datname FROM pg_database")}


class Case:
    """A database with rows, its backup, and later rows that a restore takes back."""

    def __init__(self, server, project, tmp_path, schema=SCHEMA):
        self.server, self.project = server, project
        self.db = server.new_database()
        self.db.sql(schema)
        self.path = str(tmp_path / "dump.sql")
        subprocess.run([client_tool("pg_dump"), "-f", self.path, self.db.url(tcp=False)], check=True, timeout=wait.PATIENCE)
        self.whole = self.state(self.db)
        self.db.sql("DELETE FROM c WHERE id > 5")
        self.old = self.state(self.db)
        self.before = databases(server)

    @staticmethod
    def state(db):
        """The database in one line; None when it is empty."""
        found = {k: v for k, v in everything.contents(db).items() if v and k != "schemas"}
        return repr(sorted(found.items())) if found else None

    def start(self, url=None):
        return aramid.start("restore", "--replace", "--confirm", self.db.name, "--url", url or self.db.url(), self.path,
                            cwd=self.project.path)

    def check(self, result=None):
        """Nothing is half restored; what restores have left is removed again."""
        wait.until(lambda: not self.server.admin("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'aramid%%'"),
                   "the end of its sessions")
        named = self.state(self.db)
        assert named in (self.old, self.whole)
        if result is not None and result.rc == 0:
            assert named == self.whole
        for name in databases(self.server) - self.before:
            state = self.state(Database(self.server, name))
            if "_before_" in name:
                assert (state, named) == (self.old, self.whole)
                # back to where we began
                self.server.admin(f'DROP DATABASE "{self.db.name}"')
                self.server.admin(f'ALTER DATABASE "{name}" RENAME TO "{self.db.name}"')
            else:
                assert state in (None, self.whole), name
                Database(self.server, name).drop()
        assert self.state(self.db) == self.old


@pytest.fixture
def case(server, project, tmp_path):
    made = Case(server, project, tmp_path)
    yield made
    made.db.drop()


def number_of_messages(case):
    with Proxy(case.server) as proxy:
        result = case.start(proxy.url(case.db)).wait()
        assert result.rc == 0, result
        case.check(result)
        return len(proxy.messages)


PLACES = ("before", "after", "reply", "partial")


def test_cut_at_any_message(case, dice):
    total = number_of_messages(case)
    for i in range(count(8, 200)):
        place, nth = PLACES[i % 4], dice.randint(2, total)
        with Proxy(case.server) as proxy:
            # For an answer to rows the proxy would wait: COPY has none before its end.
            rows = ("d", "c") if place in ("reply", "partial") else ()
            proxy.fault(Fault(place, dice.choice(["cut", "cut-client"]),
                              lambda m, rows=rows: m.type not in ("ssl", "cancel", *rows) and not (
                                  rows and b" FROM stdin" in m.body), nth=nth, keep=dice.randint(0, 30)))
            result = case.start(proxy.url(case.db)).wait()
        print(f"{place} at message {nth} of {total}: exit {result.rc}")
        assert result.rc in (0, 30, 40, 43, 53), result
        case.check(result)


# The answer to COPY only comes when its rows have ended: the proxy would wait for it.
@pytest.mark.parametrize("text,place", [(text, place) for text in (b"COMMIT", b"RENAME TO", b"CREATE DATABASE", b"COPY")
                                        for place in PLACES if text != b"COPY" or place in ("before", "after")])
def test_cut_where_it_matters(case, text, place):
    with Proxy(case.server) as proxy:
        proxy.fault(Fault(place, "cut", lambda m: m.type == "Q" and text in m.body, keep=9))
        result = case.start(proxy.url(case.db)).wait()
    assert result.rc in (40, 43, 53), result
    case.check(result)


def test_killed_at_any_time(case, dice):
    began = time.monotonic()
    result = case.start().wait()
    assert result.rc == 0, result
    seconds = time.monotonic() - began
    case.check(result)
    for _ in range(count(6, 100)):
        process = case.start()
        time.sleep(dice.uniform(0, seconds))
        process.kill()
        process.wait()
        case.check()


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_interrupted(case, dice, name):
    for _ in range(count(2, 30)):
        process = case.start()
        time.sleep(dice.uniform(0, 0.5))
        process.signal(getattr(signal, f"SIG{name}"))
        result = process.wait()
        assert result.rc in (0, 128 + getattr(signal, f"SIG{name}")), result
        before = databases(case.server) - case.before
        # It tidies up after itself.
        assert all("_before_" in name for name in before), (before, result)
        case.check(result)


MEGA = 1024 * 1024
LARGE = SCHEMA + "".join(f"""
CREATE TABLE large{i} (id int PRIMARY KEY, v text);
INSERT INTO large{i} SELECT i, md5(i::text) || repeat('x', 100) FROM generate_series(1, {35000 + 15000 * i}) i;
CREATE INDEX ON large{i} (v);""" for i in range(3))


def limit_files(server, size):
    run_as_server(["prlimit", "--pid", str(server.process.pid), f"--fsize={size}:unlimited"])


def test_disk_full(new_server, project, tmp_path, dice):
    """The server's files may not grow beyond some size: rows, indexes and sorts end there."""
    server = new_server()
    case = Case(server, project, tmp_path, LARGE)
    failed = 0
    for _ in range(count(4, 200)):
        limit = int(dice.uniform(4.1, 14) * MEGA)  # above the size of a file of WAL
        limit_files(server, limit)
        result = case.start().wait()
        limit_files(server, "unlimited")
        print(f"{limit / MEGA:.1f} MB: exit {result.rc}")
        assert result.rc in (0, 39, 53), result  # 39: CREATE DATABASE, which writes all that is open
        failed += result.rc != 0
        case.check(result)
    assert failed


def test_a_backup_that_ends_early(case, dice, tmp_path):
    with open(case.path, "rb") as file:
        whole = file.read()
    for _ in range(count(6, 200)):
        with open(case.path, "wb") as file:
            file.write(whole[:dice.randint(0, len(whole) - 200)])
        result = case.start().wait()
        assert result.rc == 51, result
        case.check()


def test_a_backup_that_is_changed_meanwhile(case, tmp_path):
    """Its second reading must be of what the first one saw."""
    with open(case.path, "rb") as file:
        whole = file.read()
    with Proxy(case.server) as proxy:
        def change():
            with open(case.path, "wb") as file:
                file.write(whole.replace(b"xxxx", b"yyyy"))
        seen = []

        def on(message):
            if message.type == "Q" and b"CREATE DATABASE" in message.body and not seen:
                seen.append(change())
            return False
        proxy.fault(Fault("before", "cut", on))
        result = case.start(proxy.url(case.db)).wait()
    assert result.rc == 51, result
    case.check(result)
