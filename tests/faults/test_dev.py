"""`aramid dev` is killed while it makes a database what its migrations make: the next call finishes, rows are kept."""

import os
import shutil
import signal

import pytest

from harness import aramid
from harness.project import Project

FULL = os.environ.get("ARAMID_FAULTS") == "full"
USUAL = ["locked", "before-message", "after-message", "before-repair", "after-repair", "before-verify"]
HEAD = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\nmodel t {\n  i Int @id\n  a String?\n'


class Developed:
    def __init__(self, path, server):
        self.project = Project(path, bare=True)
        self.first = self.project.add("first", "CREATE TABLE t (i int PRIMARY KEY, a text);\n")
        self.last = self.project.add("last", "ALTER TABLE t ADD COLUMN b int;\n")
        self.db = server.new_database()
        self.schema("b Int?")
        assert self.dev(self.db).rc == 0
        self.db.sql("INSERT INTO t VALUES (1, 'kept')")

    def schema(self, line):
        self.project.write("prisma/schema.prisma", HEAD + f"  {line}\n}}\n")

    def dev(self, db, *args, env=None):
        return aramid.run("dev", "--skip-generate", "--skip-seed", "--url", db.url(), *args, cwd=self.project.path, env=env)


def edited(made):
    made.project.edit(made.last, "ALTER TABLE t ADD COLUMN c int, ADD COLUMN d text;\n")
    made.schema("c Int?\n  d String?")
    return ["i", "a", "c", "d"]


def vanished(made):
    shutil.rmtree(os.path.dirname(made.project.file(made.last)))
    made.schema("")
    return ["i", "a"]


@pytest.mark.parametrize("change", [edited, vanished], ids=lambda c: c.__name__)
def test_killed_while_it_settles(tmp_path, server, change):
    passed = 0
    for name in [] if aramid.missing() else [p for p in aramid.failpoints() if FULL or p in USUAL]:
        for passage in range(1, 30 if FULL else 3):
            path = tmp_path / f"{name}{passage}"
            made = Developed(path, server)
            columns = change(made)
            killed = made.dev(made.db, env={"ARAMID_FAILPOINT": f"{name}#{passage}:kill"})
            if killed.rc == 0:
                made.db.drop()
                break
            assert killed.rc == -signal.SIGKILL, killed
            passed += 1
            again = made.dev(made.db)
            assert again.rc == 0, (name, passage, again)
            now = [c for c, in made.db.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position")]
            assert now == columns, (name, passage, now)
            assert made.db.sql("SELECT i, a FROM t") == [(1, "kept")]
            shown = aramid.run("check", "--url", made.db.url(), cwd=made.project.path)
            assert "has no file" not in shown.text and "edited" not in shown.text, shown
            assert made.db.column("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1") == made.project.names
            assert aramid.run("drift", "--exit-code", "--url", made.db.url(), cwd=made.project.path).rc == 0
            made.db.drop()
    assert passed > 2 or aramid.missing()
