"""kill -9 during a rollback, at every failpoint and at random moments: the next call, a rollback or a deploy, ends
clean, and each statement of a way back has run once or not at all."""

import os
import signal
import time

import pytest

from harness import aramid, catalog, ledger
from harness.faults import FULL, count

RARE = {"between-blocks", "batches-created", "before-batch", "after-batch", "after-batches", "before-proof",
        "lock-retry", "before-repair", "after-repair", "ledger-created", "identity-written", "journal-created"}
INIT = "CREATE TABLE witness (part text);\nCREATE TABLE t (i int);\nINSERT INTO t SELECT generate_series(1, 100);\n"
UP = "ALTER TABLE t ADD COLUMN c int;\nCREATE INDEX CONCURRENTLY i1 ON t (i);\nCREATE INDEX CONCURRENTLY i2 ON t (c);\n"
DOWN = ("INSERT INTO witness VALUES ('1');\nDROP INDEX CONCURRENTLY i1;\nINSERT INTO witness VALUES ('2');\n"
        "DROP INDEX CONCURRENTLY i2;\nALTER TABLE t DROP COLUMN c;\nINSERT INTO witness VALUES ('3');\n")
LAST = "CREATE INDEX CONCURRENTLY i3 ON t (c);\nALTER TABLE t ADD COLUMN d int;\nCREATE TABLE u (i int);\n"


class Flat:
    """A project of another layout, with the same migrations."""

    def __init__(self, path, layout):
        self.path = str(path)
        files = {"1_init": (INIT, None), "2_hard": (UP, DOWN), "3_last": (LAST, None)}
        self.names = list(files)
        os.makedirs(os.path.join(self.path, "migrations"))
        for name, (up, down) in files.items():
            if layout == "dbmate":
                self.write(f"{name}.sql", f"-- migrate:up\n{up}\n-- migrate:down\n{down or ''}")
            else:
                self.write(f"{name}.up.sql", up)
                if down:
                    self.write(f"{name}.down.sql", down)

    def write(self, name, text):
        with open(os.path.join(self.path, "migrations", name), "w", encoding="utf-8") as out:
            out.write(text)


class Rolled:
    """The history with three migrations, a database that has them, and what either end looks like."""

    def __init__(self, layout, project, path, server):
        self.server = server
        if layout == "prisma":
            self.project = project
            names = [project.add("init", INIT), project.add("hard", UP), project.add("last", LAST)]
            project.write(f"prisma/migrations/{names[1]}/down.sql", DOWN)
        else:
            self.project = Flat(path / layout, layout)
            names = self.project.names
        self.layout, self.first = layout, names[0]
        self.db = server.new_database()
        self.run(self.db, "deploy")
        ledger.clean(self.db)
        self.full = catalog.dump(self.db)
        db = self.copy()
        began = time.monotonic()
        self.run(db, "rollback")
        self.seconds = time.monotonic() - began
        self.bare = catalog.dump(db)
        db.drop()

    def copy(self):
        return self.server.new_database(template=self.db.name)

    def start(self, db, verb, **more):
        args = ["--to", self.first] if verb == "rollback" else []
        folder = [] if self.layout == "prisma" else ["--migrations", "migrations"]
        return aramid.start(verb, "--url", db.url(), *args, *folder, cwd=self.project.path, **more)

    def run(self, db, verb, **more):
        result = self.start(db, verb, **more).wait()
        assert more or result.rc == 0, result
        return result

    def finish(self, db, verb):
        self.run(db, verb)
        ledger.clean(db)
        wanted = self.bare if verb == "rollback" else self.full
        assert catalog.difference(wanted, catalog.dump(db)) == []
        seen = ledger.witnesses(db)
        assert seen in ([{"1": 1, "2": 1, "3": 1}] if verb == "rollback" else [{}, {"1": 1, "2": 1, "3": 1}]), seen
        status = aramid.run("status", "--url", db.url(), "--json", *(
            [] if self.layout == "prisma" else ["--migrations", "migrations"]), cwd=self.project.path)
        assert status.rc == (10 if verb == "rollback" else 0), status


@pytest.fixture(params=["prisma", "dbmate", "sql"])
def rolled(request, project, tmp_path, server):
    found = Rolled(request.param, project, tmp_path, server)
    yield found
    found.db.drop()


def points():
    return [] if aramid.missing() else [p for p in aramid.failpoints() if FULL or p not in RARE]


def test_at_each_failpoint(rolled):
    for name in points():
        for passage in range(1, 30 if FULL else 3):
            verb = ("rollback", "deploy")[(passage + len(name)) % 2]
            db = rolled.copy()
            result = rolled.run(db, "rollback", env={"ARAMID_FAILPOINT": f"{name}#{passage}:kill"})
            if result.rc == 0:
                assert passage > 1 or name in RARE, f"{name} is not passed at all"
                db.drop()
                break
            assert result.rc == -signal.SIGKILL, result
            print(name, passage, verb)
            rolled.finish(db, verb)
            db.drop()


def test_clean_leaves_a_rollback_that_goes_on(rolled):
    db = rolled.copy()
    result = rolled.run(db, "rollback", env={"ARAMID_FAILPOINT": "after-statement#2:kill"})
    assert result.rc == -signal.SIGKILL, result
    folder = [] if rolled.layout == "prisma" else ["--migrations", "migrations"]
    aramid.run("clean", "--yes", "--url", db.url(), *folder, cwd=rolled.project.path)
    rolled.finish(db, "rollback")
    db.drop()


def test_at_random_moments(rolled, dice):
    for i in range(count(3, 100)):
        verb = dice.choice(["rollback", "deploy"])
        db = rolled.copy()
        ours = rolled.start(db, "rollback")
        moment = dice.uniform(0, rolled.seconds * 1.05)
        time.sleep(moment)
        ours.kill()
        print(f"kill {i} after {moment:.3f} s, then {verb}")
        rolled.finish(db, verb)
        db.drop()
