"""Every wait is polite: DDL and maintenance commands behind somebody who reads, and others come through.

A transaction has read each table and stays; others read and write all the time. While a migration waits,
they must come through again and again before the transaction ends: without a limit none of them would.
bench/polite.py measures the same in milliseconds.
"""

import contextlib
import random
import threading

import pytest

from harness import aramid, ledger, wait
from harness.cluster import default_bindir, run_as_server
from harness.faults import FULL
from harness.forms import READS, SETUP, WRITES, forms

MAJOR = int(run_as_server([f"{default_bindir()}/postgres", "--version"]).stdout.split()[2].split(".")[0]) if default_bindir() else 15
ALL = forms(MAJOR)
ALWAYS = ["VACUUM FULL big;\n", "CLUSTER big USING big_w;\n", "REINDEX SCHEMA public;\n", "VACUUM FULL;\n",
          "ALTER TABLE big CLUSTER ON big_w; CLUSTER;\n", "DO $$ BEGIN LOCK TABLE big; COMMIT; END $$;\n",
          "REFRESH MATERIALIZED VIEW mv;\n", "REINDEX TABLE CONCURRENTLY big;\n"]
DETACH = [form for form in ALL if "CONCURRENTLY" in form and "DETACH" in form]
CASES = ALL if FULL else ALWAYS + DETACH + random.Random(1).sample(ALL, 6)


def test_there_are_enough():
    assert len(forms(13)) >= 150


class Site:
    """Sessions that read and write all the time, and how often each came through."""

    def __init__(self, db):
        self.db, self.over = db, threading.Event()
        self.times = [0] * len(READS + WRITES)
        self.failed = []
        self.threads = [threading.Thread(target=self._work, args=(i, s)) for i, s in enumerate(READS + WRITES)]

    def _work(self, i, statement):
        with contextlib.closing(self.db.connect()) as conn, conn.cursor() as cursor:
            while not self.over.wait(0.01):
                with contextlib.suppress(Exception):  # the table may be changed, or gone
                    cursor.execute(statement)
                self.times[i] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def came_through(self, since):
        return all(now >= then + 15 for now, then in zip(self.times, since))


def waits(db):
    """Whether the migration waits for a lock of a table right now."""
    return db.one("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted"
                  " AND a.datname = current_database() AND a.application_name LIKE 'aramid/%%deploy'")


@contextlib.contextmanager
def reader(db):
    with contextlib.closing(db.connect()) as conn:
        conn.autocommit = False
        for statement in READS:
            conn.cursor().execute(statement)
        yield conn


def let_others_come(db, site, ours):
    """Until the migration waited, and then everybody came through all the same."""
    wait.until(lambda: not ours.running() or waits(db) or "waiting" in ours.said(), "the migration's turn", 0.01)
    if ours.running():
        since = list(site.times)
        wait.until(lambda: not ours.running() or site.came_through(since), "others coming through")


@pytest.fixture
def tables(project, db):
    project.add("init", SETUP)
    assert aramid.deploy(project, db.url()).rc == 0
    return project


@pytest.mark.parametrize("form", CASES, ids=lambda form: form.strip()[:60])
def test_others_come_through(tables, db, form):
    tables.add("form", form)
    with Site(db) as site:
        with reader(db):
            ours = aramid.start("deploy", "--url", db.url(), cwd=tables.path)
            let_others_come(db, site, ours)
        done = ours.wait()
    assert done.rc == 0, done
    ledger.check(db, tables)
    ledger.clean(db)


@pytest.mark.parametrize("form", ["VACUUM FULL big;\n", "REINDEX SCHEMA public;\n", "CLUSTER big USING big_w;\n", *DETACH])
def test_others_come_through_when_it_is_resumed(tables, db, form):
    tables.add("form", form)
    with Site(db) as site:
        with reader(db):
            first = aramid.start("deploy", "--url", db.url(), cwd=tables.path, env={"ARAMID_FAILPOINT": "lock-retry:kill"})
            assert first.wait().rc == -9
            ours = aramid.start("deploy", "--url", db.url(), cwd=tables.path)
            let_others_come(db, site, ours)
        done = ours.wait()
    assert done.rc == 0, done
    ledger.check(db, tables)
    ledger.clean(db)
