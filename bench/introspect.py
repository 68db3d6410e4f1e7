#!/usr/bin/python3
"""Measures reading a large schema against pg_dump --schema-only, as whole processes.

usage: bench/introspect.py [--tables N] [--rounds N] [--tool FILE]

The tool is tests/unit/introspect/dump-catalog of a release build:
    meson setup build/bench --buildtype=release && ninja -C build/bench tests/unit/introspect/dump-catalog
Each table has 10 columns, 3 indexes beside its primary key, and 2 foreign keys. Every round runs both,
in turn; the ratio is between minima. Exits with 1 when it is above 0.5 or memory above 100 MB.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, client_tool, default_bindir  # noqa: E402

TABLE = """
CREATE TABLE t{0} (id serial PRIMARY KEY, name varchar(191) NOT NULL, email text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at timestamp(3) NOT NULL,
  amount numeric(10,2) DEFAULT 0, flag boolean NOT NULL DEFAULT true, doc jsonb, parent_id int, other_id int);
CREATE INDEX t{0}_name ON t{0} (name);
CREATE UNIQUE INDEX t{0}_email ON t{0} (email, created_at DESC);
CREATE INDEX t{0}_part ON t{0} (parent_id) WHERE flag;
ALTER TABLE t{0} ADD FOREIGN KEY (parent_id) REFERENCES t{1} (id) ON DELETE CASCADE,
  ADD FOREIGN KEY (other_id) REFERENCES t{2} (id);
"""


def run(argv):
    """Seconds and peak megabytes of one process."""
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env={"LANG": "C.UTF-8"})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{argv[0]} failed")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--tables", type=int, default=3000)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--tool",
                           default=os.path.join(REPO, "build/bench/tests/unit/introspect/dump-catalog"))
    args = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = Server(default_bindir()).start()
    try:
        db = server.new_database("large")
        for first in range(0, args.tables, 100):
            db.sql("".join(TABLE.format(i, i // 2, i // 3)
                           for i in range(first, min(first + 100, args.tables))))
        db.sql("VACUUM ANALYZE")
        candidates = {
            "pg_dump": [client_tool("pg_dump"), "--schema-only", "-f", "/dev/null", "-h",
                        server.socket_dir, "-p", str(server.port), "-U", "postgres", db.name],
            "introspect": [args.tool, "-f", db.url(tcp=False)],
        }
        best = {name: (float("inf"), 0) for name in candidates}
        for _ in range(args.rounds):
            for name, argv in candidates.items():
                seconds, megabytes = run(argv)
                best[name] = (min(best[name][0], seconds), max(best[name][1], megabytes))
        for name, (seconds, megabytes) in best.items():
            print(f"{name:12} {seconds:7.3f} s {megabytes:7.1f} MB")
        ratio = best["introspect"][0] / best["pg_dump"][0]
        print(f"ratio        {ratio:7.2f}   (PostgreSQL {server.version}, {args.tables} tables)")
        return int(ratio > 0.5 or best["introspect"][1] > 100)
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
