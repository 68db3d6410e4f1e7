#!/usr/bin/python3
"""Aramid's own dump beside pg_dump, and restore beside psql: wall time and memory, paired.

usage: bench/restore.py [--mb N] [--runs N] [--server MAJOR]

Runs the programs of build/release (meson setup build/release --buildtype=release). Prints the median of
each and their ratio; the pairs are taken in turn, so that a busy machine is fair to both.
"""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, bindir_of, client_tool  # noqa: E402

NATIVE = os.path.join(REPO, "build/release/tests/unit/backup/native-dump")
ARAMID = os.path.join(REPO, "build/release/src/cli/aramid")

# A quarter each: short rows, rows with text, long values, values that are dear to print.
TABLES = """
CREATE TABLE narrow (id bigint PRIMARY KEY, a int, b int);
CREATE TABLE people (id bigserial PRIMARY KEY, name text NOT NULL, mail text UNIQUE, at timestamptz, ok boolean);
CREATE TABLE documents (id uuid PRIMARY KEY, body text);
CREATE TABLE figures (id int, x double precision, n numeric(20,6), j jsonb, d date, b bytea);
INSERT INTO narrow SELECT i, i % 1000, i % 7 FROM generate_series(1, {n} * 14000) i;
INSERT INTO people (name, mail, at, ok) SELECT md5(i::text), i || '@example.org', now() + i * interval '1 s', i % 2 = 0
    FROM generate_series(1, {n} * 2800) i;
INSERT INTO documents SELECT md5(i::text)::uuid, repeat(md5(i::text) || E'\\t"é\\n', 100) FROM generate_series(1, {n} * 65) i;
INSERT INTO figures SELECT i, random() * i, i / 7.0, jsonb_build_object('a', i, 'b', md5(i::text)), '2026-01-01'::date + i % 999,
    decode(md5(i::text), 'hex') FROM generate_series(1, {n} * 1700) i;
CREATE INDEX ON people (at);
"""


def timed(argv, **kwargs):
    """Seconds and the largest size in memory, in MB, of one program."""
    began, memory = time.monotonic(), 0
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kwargs) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError, TypeError), open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                memory = max(memory, int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]))
            time.sleep(0.01)
        said = process.stderr.read()
    if process.returncode:
        sys.exit(f"{argv}: {said.decode()}")
    return time.monotonic() - began, memory / 1024


def compare(title, runs, one, other):
    """Run both in turn; each is (name, function that gives seconds and MB)."""
    results = ([], [])
    for i in range(runs):
        for side in ((0, 1), (1, 0))[i % 2]:
            results[side].append((one, other)[side][1]())
    medians = [statistics.median(seconds for seconds, _ in side) for side in results]
    ratios = statistics.median(a[0] / b[0] for a, b in zip(*results))
    print(title)
    for (name, _), seconds, side in zip((one, other), medians, results):
        print(f"  {name:34} {seconds:7.2f} s   {max(mb for _, mb in side):5.0f} MB")
    print(f"  ratio {ratios:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("--mb", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--server", type=int, default=15)
    args = parser.parse_args()
    server = Server(bindir_of(args.server), {"shared_buffers": "256MB", "max_wal_size": "4GB"}).start()
    try:
        db = server.new_database("bench")
        db.sql(TABLES.format(n=args.mb))
        db.sql("VACUUM ANALYZE")
        url = db.url(tcp=False)
        folder = tempfile.mkdtemp(prefix="aramid-bench-")
        ours, theirs = (os.path.join(folder, name) for name in ("ours.sql", "theirs.sql"))
        compare(f"dump of {args.mb} MB, PostgreSQL {server.version}", args.runs,
                ("Aramid (schema and data)", lambda: timed([NATIVE, url, ours])),
                ("pg_dump --data-only", lambda: timed([client_tool("pg_dump"), "--data-only", "-f", theirs, url])))
        print(f"  {os.path.getsize(ours) / 1e6:.0f} MB written")
        subprocess.run([client_tool("pg_dump"), "-f", theirs, url], check=True)

        def psql():
            server.admin("DROP DATABASE IF EXISTS other")
            other = server.new_database("other")
            return timed([client_tool("psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", theirs,
                          other.url(tcp=False)])

        def restore():
            server.admin("DROP DATABASE IF EXISTS copy")
            return timed([ARAMID, "restore", theirs, "--url", url, "--name", "copy", "--quiet"], cwd=folder,
                         env={"PATH": os.environ["PATH"], "HOME": folder})
        compare("restore of it (Aramid: database made, rows read back and compared)", max(args.runs // 2, 1),
                ("aramid restore", restore), ("psql --single-transaction", psql))
        subprocess.run(["rm", "-rf", folder], check=True)
    finally:
        server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
