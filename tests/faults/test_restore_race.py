"""restore --replace beside a deploy and a site that writes, in any order: no word is lost.

Whatever was committed while the restore ran and is not in the live database afterwards was told, and is
in the database that was put away.
"""

import contextlib
import threading
import time

import psycopg2
import pytest

from harness import aramid, ledger, wait
from harness.cluster import Database
from harness.faults import count
from harness.project import Project

ROWS = 6000
MIGRATIONS = (("second", "CREATE TABLE m2 (id int); INSERT INTO m2 VALUES (1);"),
              ("third", "CREATE INDEX CONCURRENTLY t_v ON t (v);"),
              ("fourth", "CREATE TABLE m4 (id int); INSERT INTO m4 VALUES (1);"))


def databases(server):
    return {name for (name,) in server.admin("SELECT datname FROM pg_database")}


class Site(threading.Thread):
    """Writes a row after another, each committed by itself, and connects again when it must."""

    def __init__(self, db, wait_s, rows, pause_s):
        super().__init__()
        self.db, self.wait_s, self.rows, self.pause_s = db, wait_s, rows, pause_s
        self.acknowledged = []  # (id, when it was known to be committed)

    def run(self):
        time.sleep(self.wait_s)
        connection = None
        for i in range(1, self.rows + 1):
            try:
                connection = connection or self.db.connect()
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO t VALUES (%s, 'site')", (-i,))
                self.acknowledged.append((-i, time.monotonic()))
            except psycopg2.Error:  # the session was ended; or the table is not there for a moment
                if connection:
                    connection.close()
                connection = None
            if self.pause_s > 0.02 and connection and i % 3 == 0:  # a site that connects for each request
                connection.close()
                connection = None
            time.sleep(self.pause_s)
        if connection:
            connection.close()


def later(seconds, start):
    """Calls start after some time; the list holds what it returned."""
    held = []
    thread = threading.Thread(target=lambda: (time.sleep(seconds), held.append(start())))
    thread.start()
    return thread, held


class Race:
    """One interleaving, in a database of its own."""

    def __init__(self, server, project, dice):
        self.server, self.project, self.dice = server, project, dice
        self.db = server.new_database()
        self.before = databases(server)

    def run(self):
        dice, url = self.dice, self.db.url()
        force = ["--force"] if dice.random() < 0.6 else []
        site = Site(self.db, dice.uniform(0, 2), dice.randrange(1, 60), dice.choice((0, 0.01, 0.05)))
        deploy, deploys = later(dice.uniform(0, 2.5), lambda: aramid.start("deploy", "--url", url, "--yes", "--json", cwd=self.project.path))
        time.sleep(dice.uniform(0, 0.6))
        site.start()
        time.sleep(dice.uniform(0, 1))
        restore = aramid.start("restore", "--url", url, "--replace", "--confirm", self.db.name, *force, cwd=self.project.path)
        wait.until(lambda: "made database" in restore.said() or not restore.running(), "the new database", 0.01)
        mark = time.monotonic()  # from here on the locks are held and writes are counted
        restored = restore.wait()
        site.join()
        deploy.join()
        return site, deploys[0].wait(), restored, mark

    def check(self):
        site, deployed, restored, mark = self.run()
        said = f"{restored}\n{deployed}\nsite: {[(i, round(at - mark, 3)) for i, at in site.acknowledged]}"
        live = set(self.db.column("SELECT id FROM t WHERE id < 0"))
        lost = [i for i, at in site.acknowledged if i not in live]
        kept = [name for name in databases(self.server) - self.before if f"{self.db.name}_before" in name]
        if restored.rc:
            assert restored.rc in (41, 53) and not kept and not lost, said
        else:
            assert len(kept) == 1 and self.db.one("SELECT count(*) FROM t WHERE id > 0") == ROWS, said
            silent = [i for i, at in site.acknowledged if i in lost and at > mark]
            old = set(Database(self.server, kept[0]).column("SELECT id FROM t WHERE id < 0"))
            assert set(lost) <= old, said
            assert not silent or ("was written to while" in restored.text and kept[0] in restored.text), said
        # What a deploy called applied is there, or the restore has called it pending; what is left goes on by itself.
        applied = [m["name"] for m in deployed.json["applied"]]
        there = self.db.column("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL")
        missing = [name for name in applied if name not in there]
        assert all(name in restored.out for name in missing), f"{missing}\n{said}"
        assert deployed.rc in (0, 40, 41, 43), said
        result = aramid.deploy(self.project, self.db.url(), "--yes")
        assert result.rc == 0, f"{result}\n{said}"
        ledger.clean(self.db)
        assert (self.db.one("SELECT count(*) FROM m2"), self.db.one("SELECT count(*) FROM m4")) == (1, 1), said
        return "refused" if restored.rc else "told" if "was written to while" in restored.text else "silent"

    def close(self):
        for name in databases(self.server) - self.before:
            Database(self.server, name).drop()
        self.db.drop()


@pytest.mark.long
def test_restore_deploy_and_a_site_in_any_order(server, tmp_path, dice):
    ends = []
    for number in range(count(6, 200)):
        project = Project(tmp_path / str(number))
        project.add("first", "CREATE TABLE t (id int PRIMARY KEY, v text);")
        race = Race(server, project, dice)
        assert aramid.deploy(project, race.db.url(), "--yes").rc == 0
        race.db.sql(f"INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(1, {ROWS}) i")
        result = aramid.run("backup", "--url", race.db.url(), "--method", "native", cwd=project.path)
        assert result.rc == 0, result
        for name, sql in MIGRATIONS:
            project.add(name, sql)
        try:
            ends.append(race.check())
        except AssertionError:
            print(f"interleaving {number}: {ends}")
            raise
        race.close()
    print(ends)


def test_several_in_the_same_second(server, project, db):
    """Each into a database of its own."""
    db.sql("CREATE TABLE t (id int)")
    assert aramid.run("backup", "--url", db.url(), cwd=project.path).rc == 0
    before = databases(server)
    running = [aramid.start("restore", "--url", db.url(), "--json", cwd=project.path) for _ in range(4)]
    results = [run.wait() for run in running]
    assert [r.rc for r in results] == [0] * 4, results
    new = databases(server) - before
    assert {r.json["database"] for r in results} == new and len(new) == 4
    for name in new:
        Database(server, name).drop()


def rows_of(db):
    with contextlib.suppress(psycopg2.OperationalError):
        return db.one("SELECT count(*) FROM t WHERE id > 0")
    return None


@contextlib.contextmanager
def managed(server):
    """A role as hosting platforms give it, and its database."""
    server.admin("CREATE ROLE kill_app LOGIN CREATEDB")
    server.admin("CREATE DATABASE kill_shop OWNER kill_app TEMPLATE template0")
    yield Database(server, "kill_shop")
    for name in databases(server):
        if name.startswith("kill_shop"):
            Database(server, name).drop()
    server.admin("DROP ROLE kill_app")


def test_killed_as_an_ordinary_role_the_next_one_ends_well(server, project, dice):
    """Each kill at a random moment; the next command ends with 0, or says one true command that does."""
    with managed(server) as db:
        db.sql(f"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(1, {ROWS}) i",
               user="kill_app")
        url = db.url(user="kill_app")
        assert aramid.run("backup", "--url", url, "--method", "native", cwd=project.path).rc == 0
        db.sql("INSERT INTO t VALUES (-1, 'since')")
        args = ("restore", "--url", url, "--replace", "--confirm", db.name)
        began = time.monotonic()
        assert aramid.run(*args, cwd=project.path).rc == 0
        seconds = time.monotonic() - began
        for _ in range(count(5, 300)):
            process = aramid.start(*args, cwd=project.path)
            time.sleep(dice.uniform(0, seconds))
            process.kill()
            # The name leads to the old rows or to the restored ones, but for the moment in which it changes.
            assert wait.until(lambda: rows_of(db), "the database") == ROWS
            at_once = dice.random() < 0.5
            if not at_once:
                wait.until(lambda: not server.admin("SELECT 1 FROM pg_stat_activity WHERE usename = 'kill_app'"), "the end of its sessions")
            result = aramid.run(*args, cwd=project.path)
            assert result.rc == 0, result
            assert db.one("SELECT count(*) FROM t") == ROWS
            left = [name for name in databases(server) if name.startswith("kill_shop_restoring")]
            assert len(left) <= 1, left
            assert at_once or all(f'DROP DATABASE "{name}"' in result.text for name in left), (left, result)
            for name in databases(server):
                if name.startswith("kill_shop_"):
                    Database(server, name).drop()
