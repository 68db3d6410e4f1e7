#!/usr/bin/python3
"""Measures scripts and comparisons of live databases against another build of Aramid, as whole processes.

usage: bench/diff.py --base PROGRAM [--program PROGRAM] [--tables N] [--rounds N]

PROGRAM is a release build's src/cli/aramid; of another commit:
    git worktree add /tmp/base COMMIT && cd /tmp/base && meson setup build/release --buildtype=release -Dtests=false && ninja -C build/release
The database is made: tables as applications have them, keys and indexes, enums. Every round runs both programs in
turn and changes their order; the factors are of sums of processor time (user and system) and of medians of time.
Exits with 1 when a factor of processor time is above 1.0 by more than its spread.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, default_bindir  # noqa: E402

TABLE = """
CREATE TYPE e{0} AS ENUM ('A', 'B', 'C');
CREATE TABLE t{0} (id text PRIMARY KEY, name varchar(191) NOT NULL, email text, kind e{0} NOT NULL DEFAULT 'A',
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp(3) NOT NULL,
  amount numeric(10,2) DEFAULT 0, flag boolean NOT NULL DEFAULT true, doc jsonb, tags text[], parent_id text);
CREATE INDEX t{0}_name_idx ON t{0} (name);
CREATE UNIQUE INDEX t{0}_email_key ON t{0} (email);
CREATE INDEX t{0}_parent_id_created_at_idx ON t{0} (parent_id, created_at DESC);
ALTER TABLE t{0} ADD CONSTRAINT t{0}_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES t{1} (id) ON DELETE CASCADE;
"""


def run(argv):
    """Seconds, and seconds of the processor, of one process."""
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"LANG": "C.UTF-8", "HOME": "/tmp", "PATH": os.environ["PATH"]})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(argv)} failed")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def measure(name, programs, arguments, rounds):
    """Ratios of each pair; a line with their medians."""
    ratios, times = [], []
    for i in range(rounds):
        found = {}
        for program in (programs if i % 2 else programs[::-1]):
            found[program] = run([program, "diff", *arguments])
        now, base = (found[x] for x in programs)
        ratios.append(now[1] / base[1])
        times.append(now[0] / base[0])
    quarters = statistics.quantiles(ratios, n=4)
    median = statistics.median(ratios)
    print(f"{name:28} processor {median:5.3f} ({quarters[0]:.3f} to {quarters[2]:.3f})   time {statistics.median(times):5.3f}", flush=True)
    return quarters[0] <= 1.0


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--base", required=True)
    arguments.add_argument("--program", default=os.path.join(REPO, "build/release/src/cli/aramid"))
    arguments.add_argument("--tables", type=int, default=60)
    arguments.add_argument("--rounds", type=int, default=40)
    args = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = Server(default_bindir()).start()
    try:
        full, empty = server.new_database(), server.new_database()
        other, extended = server.new_database(), server.new_database()
        for db in (full, other, extended):
            db.sql("".join(TABLE.format(i, i // 2) for i in range(args.tables)))
        other.sql("ALTER TABLE t1 ADD COLUMN more int; DROP TABLE t%d" % (args.tables - 1))
        # What an extension's members and another schema stand on is read, too.
        extended.sql("CREATE EXTENSION citext; CREATE SCHEMA beside; CREATE VIEW beside.v AS SELECT id FROM t1")
        programs = [args.program, args.base]
        cases = {"from empty, script": ("--from-empty", "--to-url", full.url(tcp=False), "--script"),
                 "one of several schemas": ("--from-empty", "--to-url", extended.url(tcp=False) + "&schema=public", "--script"),
                 "two databases": ("--from-url", full.url(tcp=False), "--to-url", other.url(tcp=False)),
                 "two empty ones": ("--from-url", empty.url(tcp=False), "--to-url", empty.url(tcp=False))}
        holds = [measure(name, programs, case, args.rounds) for name, case in cases.items()]
        return int(not all(holds))
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
