#!/usr/bin/python3
"""How long a site waits behind each form of DDL and maintenance that itself waits for a reader.

usage: bench/polite.py [--reader 6] [--only TEXT] [--resumed]

For each form (tests/harness/forms.py) a transaction has read every table and stays open for some seconds,
the migration is deployed, and sessions read and write single rows all the time. What counts is the longest
of their waits while the reader was there; exit status 1 when one is over 120 ms. --resumed: the first
deploy is killed when it has waited once, and the second one counts.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.forms import READS, SETUP, WRITES, forms  # noqa: E402
from harness.project import Project  # noqa: E402

LIMIT_MS = 120


class Site(contextlib.ExitStack):
    """Sessions that read and write; the longest of their waits up to now, in milliseconds."""

    def __init__(self, db):
        super().__init__()
        self.db, self.over, self.counts, self.longest_ms = db, threading.Event(), True, 0.0
        self.threads = [threading.Thread(target=self._work, args=(s,)) for s in READS + WRITES]
        for thread in self.threads:
            thread.start()
            self.callback(thread.join)
        self.callback(self.over.set)

    def _work(self, statement):
        with contextlib.closing(self.db.connect()) as conn, conn.cursor() as cursor:
            while not self.over.wait(0.005):
                began = time.monotonic()
                with contextlib.suppress(Exception):
                    cursor.execute(statement)
                if self.counts:
                    self.longest_ms = max(self.longest_ms, (time.monotonic() - began) * 1000)


def longest(server, form, seconds, resumed):
    db = server.new_database()
    with tempfile.TemporaryDirectory(prefix="aramid-polite-") as folder, contextlib.closing(db.connect()) as reader:
        project = Project(folder, {"init": SETUP})
        assert aramid.deploy(project, db.url()).rc == 0
        project.add("form", form)
        reader.autocommit = False
        for statement in READS:
            reader.cursor().execute(statement)
        with Site(db) as site:
            if resumed:
                aramid.run("deploy", "--url", db.url(), cwd=folder, env={"ARAMID_FAILPOINT": "lock-retry:kill"})
            ours = aramid.start("deploy", "--url", db.url(), cwd=folder)
            end = time.monotonic() + seconds
            while ours.running() and time.monotonic() < end:
                time.sleep(0.02)
            site.counts = False  # how long a lock that was granted is held is another question
            reader.rollback()
            result = ours.wait()
        assert result.rc == 0, result
    db.drop()
    return site.longest_ms


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--reader", type=float, default=6, help="seconds (default: 6)")
    parser.add_argument("--only", default="", help="forms that hold a text")
    parser.add_argument("--resumed", action="store_true", help="count the deploy after a killed one")
    options = parser.parse_args()
    server = Server(default_bindir()).start()
    worst = []
    try:
        for form in forms(server.major):
            if options.only in form:
                waited = longest(server, form, options.reader, options.resumed)
                worst.append((waited, form.strip()))
                print(f"{waited:7.0f} ms  {form.strip()[:100]}", flush=True)
    finally:
        server.remove()
    over = [form for waited, form in worst if waited > LIMIT_MS]
    print(f"{len(worst)} forms, longest wait {max(worst)[0]:.0f} ms (target {LIMIT_MS}): {max(worst)[1]}; over it: {len(over)}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
