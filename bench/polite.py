#!/usr/bin/python3
"""How long a site waits behind each form of DDL and maintenance that itself waits for a reader.

usage: bench/polite.py [--reader 6] [--batch 4] [--only TEXT] [--resumed | --both] [--versions 13,18]

For each form (tests/harness/forms.py) a transaction has read every table and stays open for some seconds,
the migration is deployed, and sessions read and write single rows all the time. What counts is the longest
of their waits while the reader was there. Some forms are tried at a time, each in a database of its own,
beside one with a reader and sessions and no migration: the control, whose longest wait is the machine's and
is taken off. Exit status 1 when what is left of one is over 120 ms. --resumed: the first deploy is killed
when it has waited, and the second one counts. All that is promised, on a quiet machine, in one command:

    bench/polite.py --both --versions 13,18
"""

import argparse
import concurrent.futures
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
from harness.cluster import Server, bindir_of, default_bindir  # noqa: E402
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


def kill_one(db, folder):
    """A deploy that is killed: when it has waited for a lock, or inside a statement that waits by itself."""
    ours = aramid.start("deploy", "--url", db.url(), cwd=folder, env={"ARAMID_FAILPOINT": "lock-retry:kill"})
    end = time.monotonic() + 2
    while ours.running() and time.monotonic() < end:
        time.sleep(0.02)
    ours.kill()


def longest(server, form, seconds, resumed):
    """The longest wait of a site behind a form; form None: behind nobody but the reader."""
    db = server.new_database()
    with tempfile.TemporaryDirectory(prefix="aramid-polite-") as folder, contextlib.closing(db.connect()) as reader:
        project = Project(folder, {"init": SETUP})
        assert aramid.deploy(project, db.url()).rc == 0
        if form:
            project.add("form", form)
        reader.autocommit = False
        for statement in READS:
            reader.cursor().execute(statement)
        with Site(db) as site:
            if resumed and form:
                kill_one(db, folder)
            ours = aramid.start("deploy", "--url", db.url(), cwd=folder) if form else None
            end = time.monotonic() + seconds
            while (ours is None or ours.running()) and time.monotonic() < end:
                time.sleep(0.02)
            site.counts = False  # how long a lock that was granted is held is another question
            reader.rollback()
            result = ours.wait() if ours else None
        assert result is None or result.rc == 0, result
    db.drop()
    return site.longest_ms


def batches(server, options, resumed):
    """(wait, control, form) of each form."""
    wanted = [form for form in forms(server.major) if options.only in form]
    with concurrent.futures.ThreadPoolExecutor(options.batch + 1) as pool:
        for i in range(0, len(wanted), options.batch):
            batch = wanted[i:i + options.batch]
            waits = list(pool.map(lambda form: longest(server, form, options.reader, resumed), [None, *batch]))
            yield from ((waited, waits[0], form.strip()) for waited, form in zip(waits[1:], batch))


def figure(bindir, options, resumed):
    """Print one version's figures; whether they hold."""
    server = Server(bindir).start()
    found = []
    try:
        for waited, control, form in batches(server, options, resumed):
            found.append((waited - control, waited, control, form))
            print(f"{waited:7.0f} ms  control {control:5.0f} ms  {form[:90]}", flush=True)
    finally:
        server.remove()
    if not found:
        return True
    _, waited, control, form = max(found)
    over = [form for left, *_, form in found if left > LIMIT_MS]
    print(f"PostgreSQL {server.major}, {'resumed' if resumed else 'first run'}: {len(found)} forms, worst {waited:.0f} ms"
          f" (control {control:.0f} ms, target {LIMIT_MS}): {form}; over it: {len(over)}")
    return not over


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--reader", type=float, default=6, help="seconds (default: 6)")
    parser.add_argument("--batch", type=int, default=4, help="forms at a time (default: 4)")
    parser.add_argument("--only", default="", help="forms that hold a text")
    parser.add_argument("--resumed", action="store_true", help="count the deploy after a killed one")
    parser.add_argument("--both", action="store_true", help="first the first deploy, then the resumed one")
    parser.add_argument("--versions", default="", help="PostgreSQL's, with commas (default: the distribution's)")
    options = parser.parse_args()
    bindirs = [bindir_of(int(v)) for v in options.versions.split(",") if v] or [default_bindir()]
    good = True
    for bindir in filter(None, bindirs):
        for resumed in (False, True) if options.both else (options.resumed,):
            good = figure(bindir, options, resumed) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
