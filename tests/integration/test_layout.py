"""A layout beside Prisma's, known to a program of the tests only (tests/unit/history/toy.c): its ledger lies in a schema
of its own, has no names and no row of a migration that was only begun, and its tool takes no lock. All commands go
through it, and interrupted runs resume."""

import contextlib
import os
import re
import signal

import pytest

from harness import aramid
from harness.cluster import REPO

PROGRAM = os.path.join(REPO, "build/debug/tests/unit/history/aramid-toy")
HARD = """CREATE TABLE witness (part text);
INSERT INTO witness VALUES ('1');
CREATE INDEX CONCURRENTLY witness_i ON witness (part);
INSERT INTO witness VALUES ('2');
CREATE UNIQUE INDEX CONCURRENTLY witness_u ON witness (part);
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    if not os.path.exists(PROGRAM):
        pytest.skip("the program with the layout is not built")
    monkeypatch.setattr(aramid, "BINARY", PROGRAM)
    return Toys(tmp_path)


class Toys:
    def __init__(self, path):
        self.path = str(path)
        os.makedirs(os.path.join(self.path, "toys"))
        self.journal = ""

    def add(self, when, name, sql):
        self.journal += f"{when} {name}\n"
        self.write(name + ".sql", sql)
        self.write("toy.journal", self.journal)

    def write(self, name, text):
        with open(os.path.join(self.path, "toys", name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, verb, db, *args, env=None):
        return aramid.run(verb, "--migrations", "toys", "--url", db.url(), *args, cwd=self.path, env=env)


def ledger(db, name="toy.toy_migrations"):
    return db.column(f"SELECT created_at FROM {name} ORDER BY id")


def test_a_deploy_and_what_is_said_of_it(toys, db):
    toys.add(2000, "users", "CREATE TABLE users (id int PRIMARY KEY);")
    toys.add(1000, "posts", "CREATE TABLE posts (id int REFERENCES users);")
    assert toys.run("status", db, "--json").json["pending"] == ["users", "posts"]
    assert "users" in toys.run("plan", db).out
    result = toys.run("deploy", db)
    assert result.rc == 0, result
    assert ledger(db) == [2000, 1000], "in the order of the journal"
    assert toys.run("deploy", db).rc == 0 and ledger(db) == [2000, 1000]
    status = toys.run("status", db, "--json").json
    assert status["state"] == "up-to-date" and status["applied"] == ["users", "posts"], status
    drift = toys.run("drift", db, "--exit-code")
    assert drift.rc == 0 and "No drift" in drift.out, drift
    doctor = toys.run("doctor", db, "--only", "ledgers", "--json").json
    assert any(f["message"] == "Toy's history: 2 rows" for f in doctor["findings"]), doctor
    toys.write("posts.sql", "CREATE TABLE posts (id bigint REFERENCES users);")
    assert "changed after being applied" in toys.run("deploy", db).text


def test_the_schema_of_the_ledger_is_only_the_ledgers(toys, db):
    """What is there already is counted where the migrations go, and the environment is that place's, too."""
    toys.add(1, "one", "CREATE TABLE one (i int);")
    db.sql("CREATE SCHEMA toy; CREATE TABLE legacy (i int)")
    result = toys.run("deploy", db)
    assert result.rc != 0 and 'schema "public"' in result.text and "1 table but no migration history" in result.text
    db.sql("DROP TABLE legacy; CREATE TABLE toy.other (i int)")
    assert toys.run("deploy", db, "--env", "staging", "--yes").rc == 0 and ledger(db) == [1]
    assert db.column("SELECT schema FROM aramid.identity") == ["public"]
    shown = toys.run("identity", db, "--env", "staging", "--json").json
    assert shown["identity"]["match"] == "same", shown


def test_a_project_may_name_its_ledger(toys, db):
    toys.journal = "ledger my book.keeping\n"
    toys.add(1, "one", "CREATE TABLE one (i int);")
    toys.add(2, "two", HARD)
    result = toys.run("deploy", db)
    assert result.rc == 0, result
    assert ledger(db, 'my."book.keeping"') == [1, 2] and not db.exists("toy.toy_migrations")
    assert toys.run("deploy", db).rc == 0
    drift = toys.run("drift", db, "--exit-code")
    assert drift.rc == 0 and "No drift" in drift.out, drift


def test_no_lock_but_ours(toys, db):
    """Who holds Prisma's key is not waited for, nor named: this tool takes no lock."""
    toys.add(1, "one", "CREATE TABLE one (i int);")
    toys.add(2, "two", HARD)
    toys.add(3, "keys", "CREATE TABLE keys AS SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'"
                        " AND pid = pg_backend_pid();")
    with contextlib.closing(db.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(72707369)")
        result = toys.run("deploy", db, "--wait", "1s")
        assert result.rc == 0, result
    assert ledger(db) == [1, 2, 3]
    assert 72707369 not in db.column("SELECT objid FROM keys")
    with contextlib.closing(db.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(107143888726372)")
        toys.add(4, "four", "SELECT 4;")
        result = toys.run("deploy", db, "--wait", "1s")
        assert result.rc != 0 and "another migration run" in result.text, result


def test_a_failure_leaves_no_row(toys, db):
    toys.add(1, "one", "CREATE TABLE one (i int);")
    toys.add(2, "two", "CREATE TABLE two (i int); SELECT 1/0;")
    result = toys.run("deploy", db)
    assert result.rc != 0 and "division by zero" in result.text, result
    assert ledger(db) == [1] and not db.exists("two")
    toys.write("two.sql", "CREATE TABLE two (i int);")
    assert toys.run("deploy", db).rc == 0 and ledger(db) == [1, 2]


def points():
    if aramid.missing():
        return []
    return ["connected", "locked", "ledger-created", "journal-created", "before-message", "after-message",
            "before-intent", "after-intent", "after-statement", "after-finish", "before-verify"]


@pytest.mark.parametrize("point", points())
def test_killed_anywhere_it_goes_on(toys, server, point):
    toys.add(1, "init", "CREATE TABLE before ();")
    toys.add(2, "hard", HARD)
    toys.add(3, "last", "INSERT INTO witness VALUES ('last');")
    for passage in range(1, 4):
        db = server.new_database()
        result = toys.run("deploy", db, env={"ARAMID_FAILPOINT": f"{point}#{passage}:kill"})
        if result.rc == 0:
            assert passage > 1, f"{point} is not passed at all"
        else:
            assert result.rc == -signal.SIGKILL, result
            result = toys.run("deploy", db)
            assert result.rc == 0, result
        assert ledger(db) == [1, 2, 3]
        assert db.column("SELECT part FROM witness ORDER BY 1") == ["1", "2", "last"]
        assert db.one("SELECT count(*) FROM aramid.journal") == 0, "steps go with the last one"
        assert toys.run("status", db).rc == 0
        db.drop()


def test_what_was_begun_is_known_from_the_journal(toys, db):
    toys.add(1, "hard", HARD)
    result = toys.run("deploy", db, env={"ARAMID_FAILPOINT": "after-intent#2:kill"})
    assert result.rc == -signal.SIGKILL, result
    assert ledger(db) == []
    status = toys.run("status", db, "--json").json
    assert status["resumable"] == ["hard"] and status["history"][0]["startedAt"], status
    toys.write("hard.sql", HARD.replace("'1'", "'one'"))
    result = toys.run("deploy", db)
    assert result.rc != 0 and "already run" in result.text, result
    # Recorded by a person, or by its own tool: then it is applied, whatever the journal says.
    db.sql("INSERT INTO toy.toy_migrations (hash, created_at) VALUES ('x', 1)")
    status = toys.run("status", db, "--json").json
    assert status["applied"] == ["hard"] and not status["resumable"], status


@pytest.mark.parametrize("how", ["--applied", "--rolled-back"])
def test_resolve(toys, db, how):
    toys.add(1, "hard", HARD)
    result = toys.run("deploy", db, env={"ARAMID_FAILPOINT": "after-intent#2:kill"})
    assert result.rc == -signal.SIGKILL, result
    result = toys.run("resolve", db, how, "hard", *(["--force"] if how == "--applied" else []))
    assert result.rc == 0, result
    assert ledger(db) == ([1] if how == "--applied" else [])
    assert db.one("SELECT count(*) FROM aramid.journal") == 0


def test_contributing_tells_how():
    """The example in CONTRIBUTING.md is this layout, word for word."""
    def words(path):
        with open(os.path.join(REPO, path), encoding="utf-8") as file:
            return file.read()

    text = words("CONTRIBUTING.md").partition("## Add a history layout")[2].partition("\n## ")[0]
    toy = " ".join((words("tests/unit/history/toy.c") + words("tests/unit/history/toy_layouts.c")).split())
    blocks = re.findall(r"^```c\n(.*?)^```", text, re.S | re.M)
    assert len(blocks) >= 2
    for block in blocks:
        for part in block.split("...\n"):
            assert " ".join(part.split()) in toy, part
    members = set(re.findall(r"\(\*(\w+)\)\(", words("src/history/history.h")))
    assert len(members) == 31
    for member in members:
        assert f"`{member}`" in text, f"{member} is not explained"
    for path in re.findall(r"`((?:src|tests|docs)/[\w./]+)`", text):
        assert os.path.exists(os.path.join(REPO, path)), path
