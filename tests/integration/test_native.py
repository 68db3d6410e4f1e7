"""Aramid's own dump: read by psql, it makes the same database again."""

import os
import subprocess

import pytest

from harness import everything
from harness.cluster import MAJORS, REPO, client_tool

TOOL = os.path.join(REPO, "build/debug/tests/unit/backup/native-dump")

pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason="the test tool is not built")


def native_dump(db, path, **kwargs):
    return subprocess.run([TOOL, db.url(tcp=False, **kwargs), str(path)], capture_output=True, text=True, check=False,
                          timeout=120)


def load(db, path):
    subprocess.run([client_tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(path),
                    db.url(tcp=False)], check=True, timeout=120)


@pytest.mark.parametrize("major", MAJORS)
def test_psql_makes_the_same_database(servers, major, tmp_path):
    server = servers.get(major)
    original, copy = everything.make(server.new_database()), server.new_database()
    result = native_dump(original, tmp_path / "dump.sql")
    assert (result.returncode, result.stderr) == (0, "")
    load(copy, tmp_path / "dump.sql")
    assert everything.differences(original, copy) == []
    result = native_dump(copy, tmp_path / "again.sql")
    assert result.returncode == 0, result
    assert (tmp_path / "again.sql").read_bytes() == (tmp_path / "dump.sql").read_bytes()
