#!/usr/bin/python3
"""How exactly `stall: 500ms` is kept: how long a reader waits for a migration that holds its table.

usage: bench/stall.py [--rounds 200] [--limit 500]

In each round a migration locks a table and works on, and a reader comes at a random moment. Exit status 1 unless
each waits at most 100 ms longer than the limit, and at least the limit.
"""

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

WITHIN_MS = 100
LOCKED = ("SELECT EXISTS (SELECT FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'"
          " AND relation = to_regclass('big'))")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--limit", type=int, default=500, help="milliseconds (default: 500)")
    options = parser.parse_args()
    server = Server(default_bindir()).start()
    waits = []
    try:
        db = server.new_database()
        with tempfile.TemporaryDirectory(prefix="aramid-stall-") as folder, contextlib.closing(db.connect()) as reader:
            project = Project(folder, {"init": "CREATE TABLE big (id int PRIMARY KEY);\n"})
            assert aramid.deploy(project, db.url()).rc == 0
            project.add("works", "ALTER TABLE big ADD COLUMN extra int;\nSELECT pg_sleep(600);\n")
            cursor = reader.cursor()
            for _ in range(options.rounds):
                ours = aramid.start("deploy", "--url", db.url(), "--stall", f"{options.limit}ms", cwd=project.path)
                while True:
                    cursor.execute(LOCKED)
                    if cursor.fetchone()[0]:
                        break
                    time.sleep(0.005)
                time.sleep(random.uniform(0, 1))
                began = time.monotonic()
                cursor.execute("SELECT count(*) FROM big")
                waits.append((time.monotonic() - began) * 1000)
                result = ours.wait()
                assert result.rc == 22, result
    finally:
        server.remove()
    kept = sum(options.limit - 1 <= wait <= options.limit + WITHIN_MS for wait in waits)
    waits.sort()
    print(f"stall of {options.limit} ms: kept within {WITHIN_MS} ms {kept} of {len(waits)};"
          f" shortest {waits[0]:.0f} ms, median {waits[len(waits) // 2]:.0f} ms, longest {waits[-1]:.0f} ms")
    return 0 if kept == len(waits) else 1


if __name__ == "__main__":
    sys.exit(main())
