"""What a run leaves in .aramid/runs: a log, events, the plan; no secrets; never a failure for it."""

import glob
import json
import os

import pytest

from harness import aramid


def files(project):
    found = {}
    for path in glob.glob(os.path.join(project.path, ".aramid", "runs", "*", "*")):
        with open(path, encoding="utf-8") as f:
            found[os.path.basename(path)] = f.read()
    return found


def test_log_events_and_plan(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    found = files(project)
    events = found["events.jsonl"]
    assert all(isinstance(json.loads(line), dict) for line in events.splitlines())
    assert name in events
    assert name in found["log.txt"] and name in found["plan.json"]


def test_files_are_private(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    for path in glob.glob(os.path.join(project.path, ".aramid", "runs", "*", "*")):
        assert os.stat(path).st_mode & 0o077 == 0, path


def test_no_secret_anywhere(project, db):
    """A canary password, in the URL, in the environment and in an error of the server."""
    db.sql("DROP ROLE IF EXISTS with_password")
    db.sql("CREATE ROLE with_password SUPERUSER LOGIN PASSWORD 'canary-pw'")
    project.add("init", "CREATE TABLE a (i int);")
    project.add("bad", "DO $$BEGIN RAISE WARNING 'canary-pw'; END$$;\n"
                "SELECT connect_as('canary-pw', 'host=x password=canary-pw');")
    url = db.url(user="with_password", password="canary-pw")
    result = aramid.run("deploy", cwd=project.path, env={"DATABASE_URL": url})
    assert result.rc == 22, result
    assert "canary-pw" not in result.text
    for file, text in files(project).items():
        assert "canary-pw" not in text, file
    result = aramid.run("deploy", "--json", cwd=project.path, env={"DATABASE_URL": url})
    assert "canary-pw" not in result.text
    plan = aramid.run("plan", cwd=project.path, env={"DATABASE_URL": url})
    assert plan.rc == 0 and "bad" in plan.text and "canary-pw" not in plan.text, plan
    db.sql("DROP OWNED BY with_password")
    db.sql("DROP ROLE with_password")


@pytest.mark.skipif(os.getuid() != 0, reason="changes the user")
def test_folder_that_cannot_be_written(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    for folder, _, names in os.walk(project.path):
        os.chmod(folder, 0o555)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)
    os.chmod(os.path.dirname(project.path), 0o755)
    # pytest's folders are 0700: the program starts as root and gives up its right to override.
    result = aramid.run("deploy", "--url", db.url(), cwd=project.path,
                        prefix=("setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"))
    assert result.rc == 0, result
    assert not os.path.exists(os.path.join(project.path, ".aramid"))
    assert db.exists("a")


def test_status_and_plan_leave_nothing(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.status(project, db.url()).rc == 10
    assert aramid.run("plan", "--url", db.url(), cwd=project.path).rc == 0
    assert not os.path.exists(os.path.join(project.path, ".aramid"))
