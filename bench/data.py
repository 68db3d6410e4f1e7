#!/usr/bin/python3
"""How a data migration of many rows goes beside a site that works: exactly once, nobody waits, little memory.

usage: bench/data.py [--rows 10000000] [--kills 20] [--writers 4]

A table of rows, a migration that counts each row up in batches (-- aramid:batch) and proves it, and sessions that
change single rows at random and make new ones. The deploy is killed at random moments; the last one runs to its
end. What counts: the longest wait of a session's statement (beside it that of the same sessions alone: what the
machine itself makes them wait), that every row was changed once, and the most memory of the program. The server
keeps its default settings but for room in shared_buffers and max_wal_size.
Exit status 1 when the wait is over 60 ms, a row has another count, or memory is over 20 MB.
"""

import argparse
import contextlib
import os
import random
import sys
import tempfile
import threading
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/src/cli/aramid"))

from harness import aramid  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

WAIT_MS, MEMORY_MB = 60, 20
DATA = """\
-- aramid:batch
UPDATE t SET n = n + 1;
-- aramid:prove
SELECT id FROM t WHERE n <> 1 AND id <= {rows} LIMIT 10;
"""


class Site(contextlib.ExitStack):
    """Sessions that change random rows, and one that makes new ones; how long their statements took."""

    def __init__(self, db, rows, writers):
        super().__init__()
        self.db, self.rows, self.over, self.waits = db, rows, threading.Event(), []
        for i in range(writers):
            thread = threading.Thread(target=self._work, args=(i,))
            thread.start()
            self.callback(thread.join)
        self.callback(self.over.set)

    def _work(self, number):
        dice = random.Random(number)
        with contextlib.closing(self.db.connect()) as conn, conn.cursor() as cursor:
            while not self.over.wait(0.005):
                began = time.monotonic()
                if number:
                    cursor.execute("UPDATE t SET note = 'x' WHERE id = %s", (dice.randint(1, self.rows),))
                else:
                    cursor.execute("INSERT INTO t (n) VALUES (1)")
                self.waits.append((time.monotonic() - began) * 1000)

    def take(self):
        """The longest waits since the last call."""
        waits, self.waits = sorted(self.waits), []
        return waits[-1], waits[int(len(waits) * 0.999)], len(waits)


def memory_mb(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024
    return 0


def run(project, db, kills):
    """Deploys that are killed, then one to its end; the most memory."""
    dice, most = random.Random(4), 0
    while True:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        end = time.monotonic() + dice.uniform(0.2, 4) if kills else float("inf")
        while ours.running() and time.monotonic() < end:
            most = max(most, memory_mb(ours.pid))
            time.sleep(0.02)
        if not ours.running():
            result = ours.wait()
            assert result.rc == 0, result
            return most, kills
        ours.kill()
        kills -= 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--writers", type=int, default=4)
    options = parser.parse_args()
    server = Server(default_bindir(), {"shared_buffers": "1GB", "max_wal_size": "8GB"}).start()
    try:
        db = server.new_database()
        with tempfile.TemporaryDirectory(prefix="aramid-data-") as folder:
            project = Project(folder, {"init": "CREATE TABLE t (id bigserial PRIMARY KEY, n int NOT NULL DEFAULT 0,"
                                               " note text);\nINSERT INTO t (note) SELECT 'row ' || i FROM"
                                               f" generate_series(1, {options.rows}) i;\n"})
            assert aramid.deploy(project, db.url()).rc == 0
            db.sql("VACUUM ANALYZE t")
            db.sql("CHECKPOINT")
            project.add("data", DATA.format(rows=options.rows))
            with Site(db, options.rows, options.writers) as site:
                time.sleep(10)
                alone = site.take()
                began = time.monotonic()
                most, left = run(project, db, options.kills)
                seconds = time.monotonic() - began
                beside = site.take()
            wrong = db.one(f"SELECT count(*) FROM t WHERE n <> 1 AND id <= {options.rows}")
    finally:
        server.remove()
    print(f"{options.rows} rows in {seconds:.0f} s ({options.rows / seconds:.0f} a second), killed {options.kills - left}"
          f" times: {wrong} rows not changed once; {most:.1f} MB (limit {MEMORY_MB})")
    print(f"longest wait of {beside[2]} statements beside it: {beside[0]:.1f} ms (limit {WAIT_MS}), 99.9 %: {beside[1]:.1f}"
          f" ms; without it: {alone[0]:.1f} ms of {alone[2]}, 99.9 %: {alone[1]:.1f} ms")
    return 0 if not wrong and not left and beside[0] <= WAIT_MS and most <= MEMORY_MB else 1


if __name__ == "__main__":
    sys.exit(main())
