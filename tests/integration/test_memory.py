"""How much memory large files take: a mechanism, not a time (bench/memory.py has the factors)."""

import json
import os
import subprocess
import sys

import pytest

from harness import aramid, wait
from harness.cluster import REPO
from harness.project import Project

TABLE = "CREATE TABLE t (id int, v text);\n"
LINE = "INSERT INTO t VALUES (1, 'some words of a row as people write them');\n"
LARGE = 30_000_000
FACTOR = 2.4


pytestmark = pytest.mark.long


def peak(project, *argv, expected=(0, 10)):  # 10: something is pending
    """Peak of a command in bytes, started from a small process (bench/spawn.py says why)."""
    output = os.path.join(project.path, "output")
    request = {"argv": [aramid.BINARY, *argv], "env": aramid.environment(ASAN_OPTIONS="quarantine_size_mb=0:exitcode=99"),
               "cwd": project.path, "output": output}
    done = subprocess.run([sys.executable, "-I", "-S", os.path.join(REPO, "bench/spawn.py")], input=json.dumps(request),
                          stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    with open(output, encoding="utf-8", errors="replace") as text:
        assert result["rc"] in expected, text.read()
    return result["mib"] * 2**20


@pytest.mark.parametrize("content", [
    pytest.param(f"INSERT INTO t VALUES (1, '{'x' * LARGE}');\n", id="one statement"),
    pytest.param(LINE * (LARGE // len(LINE)), id="small statements"),
    pytest.param("-- none of it is parsed here\nMERGE INTO t USING (VALUES " + "(1),\n" * (LARGE // 5) + "(2)) v (i)"
                 " ON false WHEN NOT MATCHED THEN INSERT VALUES (v.i)",
                 id="syntax that the server is asked about", marks=pytest.mark.full),
])
def test_a_large_file_is_in_memory_twice(db, tmp_path, content):
    """In the message, and in libpq's buffer; the control is the same deploy of a small file."""
    if "MERGE" in content and db.server.major < 15:
        pytest.skip("no MERGE there")
    project = Project(tmp_path, {"init": TABLE, "small": "SELECT 1;\n"})
    control = peak(project, "deploy", "--url", db.url())
    project.add("large", content)
    used = peak(project, "deploy", "--url", db.url()) - control
    assert used < FACTOR * len(content), f"{used / len(content):.2f} times the file"
    assert db.one("SELECT count(*) FROM t") > 0


def test_a_large_file_that_fails_is_read_again_without_its_message(db, tmp_path):
    content = "".join(f"INSERT INTO t VALUES ({i}, '{'x' * 1_000_000}');\n" for i in range(LARGE // 1_000_000))
    project = Project(tmp_path, {"init": TABLE, "small": "SELECT nowhere;\n"})
    control = peak(project, "deploy", "--url", db.url(), expected=[22])
    project.edit(project.names[1], content + "SELECT nowhere;\n")
    used = peak(project, "deploy", "--url", db.url(), expected=[22]) - control
    assert used < FACTOR * len(content), f"{used / len(content):.2f} times the file"


def test_many_files_are_not_all_kept(tmp_path):
    project = Project(tmp_path, {"init": TABLE})
    control = peak(project, "status")
    for i in range(10):
        project.add(f"large_{i}", LINE * 30_000)
    assert peak(project, "status") - control < 16_000_000


def test_a_file_that_no_server_takes_is_not_read(db, tmp_path):
    project = Project(tmp_path, {"init": TABLE, "huge": ""})
    with open(project.file(project.names[-1]), "wb") as out:
        out.truncate(1_100_000_000)
    control = peak(project, "status")
    assert control < 100_000_000
    for command in ("plan", "deploy"):
        result = aramid.run(command, "--url", db.url(), cwd=project.path)
        assert result.rc == 20 and "longest message that PostgreSQL takes (1 GB, its MaxAllocSize)" in result.err, result
    assert not db.exists("t")


def test_a_file_that_changes_under_a_run_is_not_sent(db, tmp_path):
    project = Project(tmp_path, {"init": TABLE, "large": LINE * 30_000})
    run = aramid.start("deploy", "--url", db.url(), cwd=project.path, env={"ARAMID_FAILPOINT": "locked:pause=3000"})
    wait.until(lambda: db.one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "the migration lock")
    project.edit(project.names[-1], "DROP TABLE t;\n")
    result = run.wait()
    assert result.rc == 20 and "was changed while this command ran" in result.err, result
    assert not db.exists("t")
