#!/usr/bin/python3
"""How long others wait while a migration wants a table that somebody reads.

usage: bench/locks.py [--rounds 5] [--reader 3]

In each round a transaction has read a table and stays open for some seconds, a migration wants to alter
the table, and pgbench clients read and write single rows: of that table, and of another one in the same
moments, as a control. First Aramid, then psql with the same statement. What counts is the longest wait on
the table above the longest on the control; exit status 1 when Aramid's median is over 120 ms.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid  # noqa: E402
from harness.cluster import Server, client_tool, default_bindir  # noqa: E402
from harness.load import Load  # noqa: E402
from harness.project import Project  # noqa: E402

LIMIT_MS = 120
ROWS = 1000
ALTER = "ALTER TABLE big ADD COLUMN extra int;\n"


def by_aramid(project, db):
    project.add("alter", ALTER)
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result


def by_psql(_, db):
    subprocess.run([client_tool("psql"), "-qX", "-d", db.url(tcp=False), "-c", ALTER], check=True)


def longest(server, migrate, seconds):
    """The longest wait on the table, and on the control, in milliseconds."""
    db = server.new_database()
    with tempfile.TemporaryDirectory(prefix="aramid-locks-") as folder, contextlib.ExitStack() as stack:
        project = Project(folder, {"init": "".join(
            f"CREATE TABLE {table} (id int PRIMARY KEY, v text);\n"
            f"INSERT INTO {table} SELECT i, 'v' || i FROM generate_series(1, {ROWS}) i;\n" for table in ("big", "control"))})
        assert aramid.deploy(project, db.url()).rc == 0
        db.sql("ANALYZE")
        reader = stack.enter_context(contextlib.closing(db.connect()))
        reader.autocommit = False
        reader.cursor().execute("SELECT count(*) FROM big")
        with Load(db, "control", ROWS) as control, Load(db, "big", ROWS) as load:
            timer = threading.Timer(seconds, reader.rollback)
            timer.start()
            migrate(project, db)
            timer.join()
    db.drop()
    return load.longest_ms, control.longest_ms


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reader", type=float, default=3, help="seconds (default: 3)")
    options = parser.parse_args()
    above = {}
    server = Server(default_bindir()).start()
    try:
        for number in range(options.rounds):
            for migrate in (by_aramid, by_psql):
                waited, control = longest(server, migrate, options.reader)
                above.setdefault(migrate, []).append(max(0.0, waited - control))
                print(f"round {number + 1}, {migrate.__name__[3:]}: {waited:.0f} ms, control {control:.0f} ms", flush=True)
    finally:
        server.remove()
    ours, theirs = (statistics.median(above[migrate]) for migrate in (by_aramid, by_psql))
    print(f"longest wait above the control's, median of {options.rounds}: aramid {ours:.0f} ms"
          f" (target {LIMIT_MS}), psql {theirs:.0f} ms")
    return 0 if ours <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
