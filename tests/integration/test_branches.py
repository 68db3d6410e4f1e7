"""`aramid check --against`: the migrations of two branches in both orders."""

import os
import shutil
import subprocess

import pytest

from harness import aramid
from harness.project import Project
from harness.tools import Drizzle, Supabase


@pytest.fixture
def branches(project, tmp_path):
    """Two folders that begin with the same migration."""
    os.remove(os.path.join(project.path, "prisma/schema.prisma"))
    project.add("init", "CREATE TABLE a (i int PRIMARY KEY, s varchar(10));\nCREATE TYPE e AS ENUM ('x');")
    other = Project(tmp_path / "other")
    shutil.rmtree(other.migrations)
    shutil.copytree(project.migrations, other.migrations)
    return project, other


def check(project, against, *args):
    result = aramid.run("check", "--migrations", project.migrations, "--against", against, "--json", *args, cwd=project.path)
    return result, next(p for p in result.json["parts"] if p["part"] == "branches")


MINE, THEIRS = "20240201000000_mine", "20240301000000_theirs"


@pytest.mark.parametrize("mine, theirs", [
    ("CREATE TABLE b (i int);", "CREATE TABLE c (i int);"),
    ("ALTER TABLE a ADD COLUMN n int;", "ALTER TABLE a ADD COLUMN m int;"),
    ("CREATE INDEX a_s ON a (s);", "COMMENT ON TABLE a IS 'x';"),
], ids=["tables", "columns", "index"])
def test_they_go_together(branches, mine, theirs):
    project, other = branches
    project.add(MINE, mine)
    other.add(THEIRS, theirs)
    result, part = check(project, other.migrations)
    assert part["outcome"] == "ok" and "1 of its own and 1 of these" in part["text"], result


@pytest.mark.parametrize("mine, theirs, words", [
    ("ALTER TABLE a ALTER COLUMN s TYPE varchar(20);", "ALTER TABLE a ALTER COLUMN s TYPE varchar(30);", 'table "public"."a"'),
    ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
     "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';", "f"),
    ("CREATE TABLE IF NOT EXISTS b (i int);", "CREATE TABLE IF NOT EXISTS b (i int, n int);", '"b"'),
    ("ALTER TYPE e ADD VALUE 'y';", "ALTER TYPE e ADD VALUE 'z';", '"e"'),
    ("ALTER TABLE a RENAME TO b;", "ALTER TABLE a ADD COLUMN n int;", "does not exist"),
    ("CREATE TABLE b (i int);", "CREATE TABLE b (i int);", "already exists"),
    ("DROP TABLE a;", "CREATE VIEW v AS SELECT i FROM a;", "does not exist"),
], ids=["type", "function", "if not exists", "enum", "renamed", "twice", "dropped"])
def test_they_do_not(branches, mine, theirs, words):
    project, other = branches
    project.add(MINE, mine)
    other.add(THEIRS, theirs)
    result, part = check(project, other.migrations)
    assert result.rc == 61 and part["exitStatus"] == 61, result
    finding = part["findings"][0]
    assert finding["id"] == "branch-conflict" and words in f'{finding["object"]} {finding["message"]}', part
    assert MINE in finding["path"] or THEIRS in finding["path"], part
    text = aramid.run("check", "--migrations", project.migrations, "--against", other.migrations, cwd=project.path)
    assert text.rc == 61 and "conflict" in text.out and "rebase" in text.out, text


def test_the_same_name_with_other_texts(branches):
    project, other = branches
    project.edit(project.names[0], "CREATE TABLE a (i int);")
    other.add(THEIRS, "CREATE TABLE c (i int);")
    result, part = check(project, other.migrations)
    assert result.rc == 61 and part["findings"][0]["object"] == project.names[0], result


def test_one_side_only(branches):
    project, other = branches
    other.add(THEIRS, "CREATE TABLE c (i int);")
    result, part = check(project, other.migrations)
    assert part["outcome"] == "ok" and "only one of the two" in part["text"], result


def test_one_that_is_broken_by_itself(branches):
    project, other = branches
    project.add(MINE, "CREATE TABLE b (i int);")
    other.add(THEIRS, "SELECT nothing;")
    result, part = check(project, other.migrations)
    assert part["outcome"] == "failed" and part["exitStatus"] == 29 and THEIRS in str(part["error"]), part


@pytest.mark.parametrize("kind", [Drizzle, Supabase], ids=lambda t: t.name)
def test_other_layouts(tmp_path, kind):
    mine, theirs = kind(tmp_path / "mine"), kind(tmp_path / "theirs")
    for side, number in ((mine, 2), (theirs, 3)):
        side.add(1, "init", "CREATE TABLE a (i int);")
        side.add(number, f"step{number}", "ALTER TABLE a ADD COLUMN n int;")
    folder = os.path.join(theirs.path, theirs.folder)
    result = aramid.run("check", "--against", folder, "--json", cwd=mine.path)
    assert result.rc == 61, result
    same = kind(tmp_path / "same")
    same.add(1, "init", "CREATE TABLE a (i int);")
    same.add(2, "other", "CREATE TABLE b (i int);")
    result = aramid.run("check", "--against", os.path.join(same.path, same.folder), "--json", cwd=mine.path)
    if kind is Supabase:
        assert result.rc == 61 and "same version" in result.out, result


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_branch_of_git(project):
    def git(*args):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=project.path, check=True,
                       capture_output=True)

    os.remove(os.path.join(project.path, "prisma/schema.prisma"))
    project.add("init", "CREATE TABLE a (i int);")
    git("init", "-b", "main")
    git("add", "-A")
    git("commit", "-m", "one")
    git("checkout", "-b", "theirs")
    project.add(THEIRS, "ALTER TABLE a ADD COLUMN n int;")
    git("add", "-A")
    git("commit", "-m", "two")
    git("checkout", "main")
    project.add(MINE, "ALTER TABLE a ADD COLUMN n text;")
    before = set(os.listdir(os.environ.get("TMPDIR", "/tmp")))
    result, part = check(project, "theirs")
    assert result.rc == 61 and "theirs:" in part["text"], result
    assert not {n for n in set(os.listdir(os.environ.get("TMPDIR", "/tmp"))) - before if n.startswith("aramid-branch")}
    for wrong in ("nowhere", "--output=/tmp/x", "main:prisma", ""):
        result = aramid.run("check", "--against", wrong, "--json", cwd=project.path)
        assert result.rc == 2, (wrong, result)
    result, part = check(project, "main")
    assert part["outcome"] == "ok", result
