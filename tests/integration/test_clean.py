"""`aramid clean`: what is proven to be left over goes, and nothing else."""

import os
import signal
import time

import pytest

from harness import aramid, ledger
from harness.tools import Drizzle

OLD = time.time() - 40 * 24 * 3600
INDEX = """CREATE TABLE witness (part text);
INSERT INTO witness VALUES ('1'), ('1');
CREATE UNIQUE INDEX CONCURRENTLY w_i ON witness (part);
"""


def clean(project, db, *args):
    return aramid.run("clean", "--url", db.url(), *args, cwd=project.path)


def items(result):
    """Temporary servers may be other tests'."""
    return [(i["kind"], i["name"], i["removed"]) for i in result.json["items"] if i["kind"] != "cluster"]


def invalid(db):
    return db.column("SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT indisvalid ORDER BY 1")


def test_nothing_left(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    assert not items(clean(project, db, "--json", "--yes"))


def test_it_asks(project, db):
    project.add("init", "CREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY a_i ON a (i);\nCREATE TABLE b (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    result = clean(project, db)
    assert result.rc == 4 and "--dry-run" in result.err and "journal" in result.err, result
    assert db.one("SELECT count(*) FROM aramid.journal") > 0
    result = clean(project, db, "--dry-run")
    assert result.rc == 0 and "nothing was changed" in result.out, result
    assert db.one("SELECT count(*) FROM aramid.journal") > 0
    assert clean(project, db, "--yes").rc == 0
    assert db.one("SELECT count(*) FROM aramid.journal") == 0
    assert aramid.deploy(project, db.url()).rc == 0 and aramid.run("status", "--url", db.url(), cwd=project.path).rc == 0


@pytest.mark.parametrize("kind", ["prisma", "drizzle"])
def test_index_of_an_interrupted_build(project, db, tmp_path, kind):
    tool = Drizzle(tmp_path / "tool") if kind == "drizzle" else project
    tool.add(*([1] if kind == "drizzle" else []), "init", INDEX)
    result = aramid.run("deploy", "--url", db.url(), cwd=tool.path, env={"ARAMID_FAILPOINT": "after-intent:kill"})
    assert result.rc == -signal.SIGKILL, result
    for name in ("w_i", "stranger"):
        with pytest.raises(Exception):
            db.sql(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON witness (part)")
    assert invalid(db) == ["stranger", "w_i"]
    result = clean(tool, db, "--json", "--yes")
    assert items(result) == [("index", "public.w_i", True)], result
    assert invalid(db) == ["stranger"] and db.one("SELECT count(*) FROM aramid.journal") > 0
    db.sql("DELETE FROM witness")
    assert aramid.run("deploy", "--url", db.url(), cwd=tool.path).rc == 0
    assert not [n for n in invalid(db) if n == "w_i"]


def test_steps_of_another_history_stay(project, db, tmp_path):
    tool = Drizzle(tmp_path / "tool")
    tool.add(1, "init", INDEX)
    result = tool.deploy(db, env={"ARAMID_FAILPOINT": "after-intent:kill"})
    assert result.rc == -signal.SIGKILL, result
    before = db.sql("SELECT * FROM aramid.journal")
    project.add("init", "CREATE TABLE a (i int);")
    assert not items(clean(project, db, "--json", "--yes"))
    assert db.sql("SELECT * FROM aramid.journal") == before


def test_empty_folders(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    gone = project.add("gone", "CREATE TABLE b (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    os.remove(project.file(gone))
    empty = os.path.join(project.migrations, "20240301000000_empty")
    other = os.path.join(project.migrations, "20240302000000_other")
    for path in (empty, other):
        os.mkdir(path)
    with open(os.path.join(other, "notes.md"), "w", encoding="utf-8") as file:
        file.write("mine")
    result = clean(project, db, "--json", "--yes")
    assert [i[0] for i in items(result)] == ["folder"] and "empty" in items(result)[0][1], result
    assert not os.path.exists(empty) and os.path.exists(other) and os.path.exists(os.path.dirname(project.file(gone)))
    assert ledger.applied(db) == [name, gone]


def test_logs_of_old_runs(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    runs = os.path.join(project.path, ".aramid/runs")
    for number in range(12):
        path = os.path.join(runs, f"20200101-0000{number:02}-abcdef")
        os.mkdir(path)
        with open(os.path.join(path, "events.jsonl"), "w", encoding="utf-8"):
            pass
        os.utime(path, (OLD, OLD))
    mine = os.path.join(runs, "20190101-mine")
    os.mkdir(mine)
    os.utime(mine, (OLD, OLD))
    before = len(os.listdir(runs))
    result = clean(project, db, "--json", "--yes")
    gone = [i[1] for i in items(result)]
    assert gone and all(n.startswith(".aramid/runs/20200101-0000") for n in gone), result
    assert os.path.exists(mine) and not os.path.exists(os.path.join(runs, "20200101-000000-abcdef"))
    assert before - len(gone) <= len(os.listdir(runs)) <= before + 1
    project.write("aramid.yaml", "runs:\n  retention_days: 0\n")
    assert not items(clean(project, db, "--json", "--yes"))


def test_without_a_database(project):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.run("clean", "--json", "--yes", cwd=project.path)
    assert result.rc == 0 and not items(result), result
