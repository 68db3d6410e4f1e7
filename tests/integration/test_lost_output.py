"""Output that cannot be written: what a command did is told all the same."""

import os
import shlex
import subprocess

import pytest

from harness import aramid
from harness.project import Project


@pytest.mark.parametrize("lost", [">/dev/full", "| head -0"], ids=["full disk", "reader gone"])
@pytest.mark.parametrize("json", [[], ["--json"]], ids=["text", "json"])
def test_lost_output_is_no_failed_change(db, tmp_path, lost, json):
    """What was done is told on the other stream, and the exit status is that of the work."""
    project = Project(tmp_path, {"one": "CREATE TABLE a (i int);"})

    def run(*argv):
        line = shlex.join([aramid.BINARY, *argv, "--quiet", "--url", db.url(), *json])
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {line} {lost}"], cwd=tmp_path, text=True,
                              env=aramid.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done
        return done.stderr

    assert project.names[0] in run("deploy") and db.exists("a")
    project.add("two", "CREATE TABLE b (i int);")
    assert project.names[1] in run("resolve", "--applied", project.names[1], "--force")
    name = f"lost_{os.getpid()}"
    run("backup")
    assert name in run("restore", "--name", name)
    db.server.admin(f"DROP DATABASE {name}")


@pytest.mark.parametrize("argv", [("status",), ("plan",)], ids=" ".join)
def test_lost_output_is_an_error_of_what_only_tells(tmp_path, argv):
    Project(tmp_path, {"one": "SELECT 1;"})
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([aramid.BINARY, *argv], cwd=tmp_path, env=aramid.environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode in (5, 10) and "cannot" in done.stderr, done
