"""aramid dev --watch: what a saved schema would do is shown; a name that is typed does it."""

import os
import signal

import pytest

from harness import aramid
from harness.project import Project

HEAD = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'


class Watched:
    def __init__(self, path, db):
        self.project = Project(path, bare=True)
        os.rmdir(self.project.migrations)
        self.db, self.env = db, {"DATABASE_URL": db.url()}
        self.save("name String")
        result = aramid.run("dev", "init users", cwd=self.project.path, env=self.env)
        assert result.rc == 0, result

    def save(self, *lines):
        """As editors do it: beside it, then in its place."""
        text = HEAD + "model User {\n  id Int @id\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
        path = self.project.write("prisma/schema.prisma~", text)
        os.replace(path, path[:-1])

    def start(self, *args):
        terminal = aramid.Terminal("dev", "--watch", *args, cwd=self.project.path, env=self.env)
        terminal.read_until("q to stop")
        return terminal

    def columns(self):
        return self.db.column("SELECT column_name FROM information_schema.columns WHERE table_name = 'User' "
                              "ORDER BY ordinal_position")


@pytest.fixture
def watched(tmp_path, db):
    return Watched(tmp_path / "project", db)


def fresh(terminal, fragment):
    terminal.text = ""
    return lambda: terminal.read_until(fragment)


def test_shown_when_saved_and_applied_by_a_name(watched):
    terminal = watched.start()
    assert "Nothing to create" in terminal.text
    shown = fresh(terminal, "q to stop:")
    watched.save("name String", "age Int?")
    shown()
    assert 'ADD COLUMN     "age" INTEGER' in terminal.text and watched.columns() == ["id", "name"], terminal.text
    assert len(watched.project.names) == 1
    applied = fresh(terminal, "q to stop")
    terminal.type("add age\n")
    terminal.read_until("in sync")
    applied()
    assert watched.columns() == ["id", "name", "age"] and watched.project.names[-1].endswith("_add_age")
    terminal.type("q\n")
    assert terminal.wait().rc == 0


def test_errors_are_shown_and_it_goes_on(watched):
    terminal = watched.start()
    told = fresh(terminal, "q to stop")
    watched.save("name Strin")
    told()
    assert "Strin" in terminal.text and "schema.prisma" in terminal.text
    told = fresh(terminal, "q to stop")
    watched.save("full String")
    told()
    assert "is it a rename" in terminal.text, terminal.text
    asked = fresh(terminal, "keeps what it holds?")
    terminal.type("full name\n")
    asked()
    terminal.type("y\n")
    terminal.read_until("in sync")
    assert watched.columns() == ["id", "full"]
    terminal.type("q\n")
    assert terminal.wait().rc == 0


def test_ctrl_c_leaves_nothing(watched):
    terminal = watched.start()
    shown = fresh(terminal, "q to stop:")
    watched.save("name String", "age Int?")
    shown()
    terminal.type("\x03")
    result = terminal.wait()
    assert result.rc == 128 + signal.SIGINT and "stopped" in result.text, result
    assert watched.columns() == ["id", "name"] and len(watched.project.names) == 1


def test_a_folder_of_schemas(tmp_path, db):
    watched = Watched(tmp_path / "project", db)
    watched.project.write("prisma/schema/base.prisma", HEAD + "model User {\n  id Int @id\n  name String\n}\n")
    os.remove(f"{watched.project.path}/prisma/schema.prisma")
    terminal = watched.start("--schema", "prisma/schema")
    shown = fresh(terminal, "q to stop:")
    watched.project.write("prisma/schema/more.prisma", "model More {\n  id Int @id\n}\n")
    shown()
    assert 'CREATE TABLE "More"' in terminal.text
    terminal.type("q\n")
    assert terminal.wait().rc == 0


def test_without_a_terminal(watched):
    result = aramid.run("dev", "--watch", cwd=watched.project.path, env=watched.env)
    assert result.rc == 2 and "terminal" in result.err and "aramid dev NAME" in result.err, result
    for other in ("--json", "--create-only"):
        assert aramid.run("dev", "--watch", other, cwd=watched.project.path, env=watched.env).rc == 2
