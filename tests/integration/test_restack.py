"""aramid restack: this branch's migrations behind those that arrived earlier, unchanged and in their order."""

import json
import subprocess

import pytest

from harness import aramid
from harness.project import Project


def git(project, *args):
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *args], cwd=project.path, check=True,
                   capture_output=True)


@pytest.fixture
def branch(project):
    """Ours have times around that of one that arrived in main."""
    project.add("20240101000000_init", "CREATE TABLE a (i int);")
    project.add("20240303000000_theirs", "CREATE TABLE b (i int);")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "x")
    git(project, "checkout", "-qb", "feature")
    project.add("20240202000000_ours", "CREATE TABLE c (i int);")
    project.add("20240404000000_ours_too", "ALTER TABLE c ADD j int;")
    return project


def restack(project, *args):
    return aramid.run("restack", *args, cwd=project.path)


def test_ours_come_behind(branch):
    before = branch.names
    assert restack(branch, "--check").rc == 15 and restack(branch, "--dry-run").rc == 0 and branch.names == before
    branch.write("prisma/migrations/20240202000000_ours/down.sql", "-- down of 20240202000000_ours\nDROP TABLE c;")
    result = restack(branch)
    assert result.rc == 0, result
    assert [n[15:] for n in branch.names] == ["init", "theirs", "ours", "ours_too"], branch.names
    assert branch.names[:2] == ["20240101000000_init", "20240303000000_theirs"]
    with open(branch.file(branch.names[2]).replace("migration.sql", "down.sql"), encoding="utf-8") as file:
        assert file.read() == f"-- down of {branch.names[2]}\nDROP TABLE c;"
    assert restack(branch, "--check").rc == 0


def test_nothing_to_do(branch):
    git(branch, "add", "-A")
    git(branch, "commit", "-qm", "ours")
    assert restack(branch, "--check", "--base", "HEAD").rc == 0
    assert restack(branch, "--base", "nowhere").rc == 3


def test_what_a_database_has_stays(branch, db):
    assert aramid.deploy(branch, db.url()).rc == 0
    before = branch.names
    result = restack(branch, "--url", db.url())
    assert result.rc == 0 and branch.names == before, result
    branch.add("20240203000000_more", "SELECT 1;")
    assert restack(branch, "--url", db.url()).rc == 0
    assert set(before) < set(branch.names) and branch.names[-1].endswith("_more")


def test_without_git_and_database(project):
    project.add("20240101000000_init", "SELECT 1;")
    result = restack(project)
    assert result.rc == 3 and "--base" in result.err, result


@pytest.fixture
def two(tmp_path):
    """Prisma's and Supabase's: in each one of ours, before one of theirs in the other."""
    project = Project(tmp_path)
    project.write("aramid.yaml", "migrations: [prisma/migrations, supabase/migrations]\n")
    project.add("20240101000000_init", "CREATE TABLE a (i int);")
    project.write("supabase/migrations/20240505000000_theirs.sql", "CREATE TABLE b (i int);")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "x")
    git(project, "checkout", "-qb", "feature")
    project.add("20240202000000_ours", "CREATE TABLE c (i int);")
    project.write("supabase/migrations/20240203000000_rls.sql",
                  "-- aramid:after 20240101000000_init, 20240202000000_ours\nALTER TABLE c ENABLE ROW LEVEL SECURITY;\n")
    return project


def test_of_several_histories_in_one_order(two, db):
    """Each alone would turn the order of both around."""
    assert restack(two, "--check").rc == 15
    result = restack(two, "--json")
    assert result.rc == 0 and [m["from"] for m in result.json["moves"]] == ["20240202000000_ours", "20240203000000_rls"], result
    ours, rls = (m["to"] for m in result.json["moves"])
    with open(f"{two.path}/supabase/migrations/{rls}.sql", encoding="utf-8") as file:
        assert file.readline() == f"-- aramid:after 20240101000000_init, {ours}\n"
    done = aramid.run("deploy", "--url", db.url(), "--json", cwd=two.path)
    assert [m["name"] for m in done.json["applied"]] == ["20240101000000_init", "20240505000000_theirs", ours, rls], done
    assert restack(two, "--check").rc == 0


def test_what_only_its_tool_can_place(two):
    two.write("drizzle/0000_x.sql", "CREATE TABLE x (i int);")
    two.write("drizzle/meta/_journal.json", json.dumps({"version": "7", "dialect": "postgresql", "entries": [
        {"idx": 0, "version": "7", "when": 1700000000000, "tag": "0000_x", "breakpoints": True}]}))
    two.write("aramid.yaml", "migrations: [prisma/migrations, drizzle]\n")
    git(two, "rm", "-q", "--cached", "supabase/migrations/20240505000000_theirs.sql")
    result = restack(two)
    assert result.rc == 2 and "Drizzle" in result.err and "0000_x" in result.err, result
