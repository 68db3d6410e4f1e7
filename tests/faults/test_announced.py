"""Several statements outside of transactions, announced in one message: whatever ends the run, those that ran are
recorded, none that did not is believed to have run, and the next run goes on.
"""

import contextlib
import re
import signal
import time

import pytest

from harness import aramid, ledger, wait
from harness.faults import FULL, count
from harness.project import Project
from harness.proxy import Fault, Proxy

SIZE = 6  # statements that are announced together
TABLES = "CREATE TABLE big (id int PRIMARY KEY, v text, w int);\n" \
         "INSERT INTO big SELECT i, 'v' || i, 0 FROM generate_series(1, 300) i;\nCREATE INDEX big_old ON big (w);\n"
STATEMENTS = [
    "CREATE INDEX CONCURRENTLY big_1 ON big (v);",
    "CREATE INDEX CONCURRENTLY big_2 ON big (w);",
    "DROP INDEX CONCURRENTLY big_old;",
    "CREATE UNIQUE INDEX CONCURRENTLY big_4 ON big (v, w);",
    "DROP INDEX CONCURRENTLY IF EXISTS big_never;",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS big_6 ON big (lower(v));",
]
ALL = {"big_pkey", "big_1", "big_2", "big_4", "big_6"}


class History:
    """A table, six files that change its indexes and a last one in a transaction."""

    def __init__(self, project, statements=()):
        self.project = project
        project.add("init", TABLES)
        for i, sql in enumerate(statements or STATEMENTS):
            project.add(f"index_{i + 1}", sql + "\n")
        project.add("last", "CREATE TABLE behind (i int);")

    def start(self, db, url=None, **kwargs):
        return aramid.start("deploy", "--url", url or db.url(), cwd=self.project.path, **kwargs)

    def run(self, db, url=None, **kwargs):
        return self.start(db, url, **kwargs).wait()

    def finish(self, db, indexes=None):
        result = self.run(db)
        assert result.rc == 0, result
        ledger.check(db, self.project)
        ledger.clean(db)
        assert indexes_of(db) == (indexes or ALL)
        assert not db.sql("SELECT * FROM aramid.journal WHERE NOT done")


@pytest.fixture
def history(project):
    return History(project)


def indexes_of(db):
    found = db.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'big'::regclass")
    assert all(valid for _, valid in found), found
    return {name for name, _ in found}


def announced(proxy):
    """Of each message that says that statements begin: of how many."""
    found = [len(re.findall(rb"INSERT INTO \S*journal", m.body)) for m in proxy.messages]
    return [n for n in found if n]


# ---- what is sent ------------------------------------------------------------------------------

def test_one_announcement(history, server, db):
    with Proxy(server) as proxy:
        assert history.run(db, proxy.url(db)).rc == 0
        assert announced(proxy) == [SIZE]
    assert indexes_of(db) == ALL
    ledger.check(db, history.project)


@pytest.mark.parametrize("second", [
    "DROP INDEX CONCURRENTLY big_1;",
    "CREATE INDEX CONCURRENTLY ON big (w);",
    "REINDEX INDEX CONCURRENTLY big_old;",
    "-- aramid:lock_timeout 3s\nCREATE INDEX CONCURRENTLY big_2 ON big (w);",
    "CREATE INDEX CONCURRENTLY big_2 ON big (w);\nDROP INDEX CONCURRENTLY big_old;",
])
def test_what_is_announced_by_itself(tmp_path, server, db, second):
    history = History(Project(tmp_path / "p"), [STATEMENTS[0], second])
    with Proxy(server) as proxy:
        result = history.run(db, proxy.url(db))
        assert result.rc == 0, result
        assert announced(proxy)[:2] == [1, 1]
    ledger.check(db, history.project)


def test_how_many_is_a_setting(history, server, db):
    history.project.write("aramid.yaml", "message:\n  migrations: 4\n")
    with Proxy(server) as proxy:
        assert history.run(db, proxy.url(db)).rc == 0
        assert announced(proxy) == [4, 2]


# ---- errors ------------------------------------------------------------------------------------

@pytest.mark.parametrize("k", range(SIZE))
def test_error_in_each(tmp_path, db, k):
    """Those before it are applied; of those behind it nothing is left, and they may be edited."""
    history = History(Project(tmp_path / "p"))
    names = history.project.names
    history.project.edit(names[k + 1], "CREATE INDEX CONCURRENTLY bad ON big (nowhere);")
    result = history.run(db)
    assert result.rc == 22 and "nowhere" in result.text, result
    assert ledger.applied(db) == names[:k + 1] and len(ledger.rows(db)) == k + 1
    assert not db.sql("SELECT * FROM aramid.journal WHERE NOT done")
    for i in range(k, SIZE):
        history.project.edit(names[i + 1], STATEMENTS[i] + " -- edited")
    history.finish(db)


def test_a_drop_of_nothing_is_no_success(tmp_path, db):
    """An index that is not there proves a DROP only where it was there when that began."""
    history = History(Project(tmp_path / "p"), [STATEMENTS[0], "DROP INDEX CONCURRENTLY nothing;"])
    for failpoint in ("before-intent#2", "after-intent", "after-statement", "after-finish"):
        history.run(db, env={"ARAMID_FAILPOINT": f"{failpoint}:kill"})
        ledger.clean(db)
    result = history.run(db)
    assert result.rc == 22 and '"nothing" does not exist' in result.text, result
    assert ledger.applied(db) == history.project.names[:2]


# ---- kills, cuts, crashes ----------------------------------------------------------------------

PLACES = ["before-intent", "after-intent"] + [f"after-{what}#{k}" for k in range(1, SIZE + 1)
                                              for what in ("statement", "finish")]


@pytest.mark.parametrize("place", PLACES if FULL else PLACES[1:6:2] + PLACES[-1:])
def test_kill_at(history, db, place):
    assert history.run(db, env={"ARAMID_FAILPOINT": f"{place}:kill"}).rc == -signal.SIGKILL
    history.finish(db)


def test_what_was_not_sent_may_be_edited(history, db):
    """The first one did not run, so those that were announced with it were not sent: as if they had not been begun."""
    history.run(db, env={"ARAMID_FAILPOINT": "after-intent:kill"})
    assert db.one("SELECT count(*) FROM aramid.journal") == SIZE
    history.run(db, env={"ARAMID_FAILPOINT": "after-finish:kill"})
    assert db.one("SELECT count(*) FROM aramid.journal") == 1 and len(ledger.rows(db)) == 2
    history.project.edit(history.project.names[3], STATEMENTS[2] + " -- edited")
    history.finish(db)


def test_kill_at_random(tmp_path, server, dice):
    history = History(Project(tmp_path / "p"))
    for _ in range(count(6, 100)):
        db = server.new_database()
        ours = history.start(db)
        time.sleep(dice.uniform(0, 0.6))
        ours.kill()
        if dice.random() < 0.5:
            ours = history.start(db)
            time.sleep(dice.uniform(0, 0.4))
            ours.kill()
        history.finish(db)
        db.drop()


def test_kill_while_the_server_builds(tmp_path, server):
    """The server is inside the k-th when the client goes, and ends it or not."""
    for k in (1, 2, 4) if FULL else (2,):
        db = server.new_database()
        history = History(Project(tmp_path / f"p{k}"))
        with contextlib.closing(db.connect()) as reader:
            reader.set_session(isolation_level="REPEATABLE READ", autocommit=False)
            history.run(db, env={"ARAMID_FAILPOINT": f"after-finish#{k - 1}:kill"} if k > 1 else
                        {"ARAMID_FAILPOINT": "before-intent:kill"})
            reader.cursor().execute("SELECT count(*) FROM big")
            ours = history.start(db)
            wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_progress_create_index"), "a build")
            ours.kill()
            reader.rollback()
        history.finish(db)
        db.drop()


def test_cut_at_each(history, server, dice):
    for _ in range(count(6, 60)):
        db = server.new_database()
        with Proxy(server) as proxy:
            fault = proxy.fault(Fault(dice.choice(["before", "after", "reply"]), dice.choice(["cut", "cut-client"]),
                                      lambda m: b"CONCURRENTLY" in m.body or b"journal" in m.body,
                                      nth=dice.randint(1, 9)))
            result = history.run(db, proxy.url(db))
        assert result.rc in (0, 40, 43), result
        if result.rc == 0 and fault.struck:
            assert re.search(rf"\b{SIZE + 2} (in|migrations)", result.text), result
        history.finish(db)
        db.drop()


def test_crash_at_random(tmp_path, new_server, dice):
    server = new_server(durable=True)
    history = History(Project(tmp_path / "p"))
    for _ in range(count(1, 20)):
        db = server.new_database()
        ours = history.start(db)
        time.sleep(dice.uniform(0.05, 0.6))
        server.kill9()
        server.start()
        result = ours.wait()
        assert result.rc in (0, 40, 43, 44), result
        history.finish(db)
        db.drop()


def test_stop_between(history, db):
    """Ctrl-C while one waits: those behind it are as if they had not been announced."""
    with contextlib.closing(db.connect()) as reader:
        history.run(db, env={"ARAMID_FAILPOINT": "before-intent:kill"})
        reader.set_session(isolation_level="REPEATABLE READ", autocommit=False)
        reader.cursor().execute("SELECT count(*) FROM big")
        ours = history.start(db)
        wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_progress_create_index"), "a build")
        ours.process.send_signal(signal.SIGINT)
        result = ours.wait()
    assert result.rc in (43, 128 + signal.SIGINT), result
    names = history.project.names
    assert {r["migration_name"] for r in ledger.rows(db)} <= set(names[:2]), ledger.rows(db)
    history.project.edit(names[4], STATEMENTS[3] + " -- edited")
    history.finish(db)


# ---- others ------------------------------------------------------------------------------------

def test_ten_at_once(history, db):
    running = [history.start(db) for _ in range(10)]
    results = [one.wait() for one in running]
    assert [r.rc for r in results] == [0] * 10, [r for r in results if r.rc][0]
    ledger.check(db, history.project)
    assert indexes_of(db) == ALL
