#!/usr/bin/env python3
"""What a backup costs beside pg_dump: wall time, with and without reading back, and memory.

    bench/backup.py [--gb 2] [--rounds 3] [--formats sql,sql.zst,dump] [--dir DIR]

Makes a database of about so many GB on a server of its own, dumps it with pg_dump into a file of the
same format (compressed by zstd where pg_dump is too old for that), then with `aramid backup`, in turn,
and prints minima and their ratios. "backup" is the time until the dump is on the disk, "all" with reading back,
as the program itself measures them; "wall" is the whole command. Everything is deleted afterwards.
Needs a release build in build/release.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, client_tool, default_bindir  # noqa: E402

BINARY = os.path.join(REPO, "build/release/src/cli/aramid")
ROW = 430  # bytes of a row in the dump, about


def fill(db, gb):
    """Rows as applications have them: numbers, times, JSON, text that compresses a little."""
    rows = int(gb * 1e9 / ROW / 4)
    for i in range(4):
        db.sql(f"CREATE UNLOGGED TABLE t{i} (id bigint, at timestamptz, email text, body text, j jsonb)")
        db.sql(f"INSERT INTO t{i} SELECT i, now() - i * interval '1 s', md5(i::text) || '@example.org',"
               " repeat(md5((i * 7)::text), 8), jsonb_build_object('a', i, 'b', md5((i * 3)::text))"
               f" FROM generate_series(1, {rows}) i")
    db.sql("VACUUM ANALYZE")


def measure(argv, **kwargs):
    """Seconds, processor seconds with children, and peak memory (kB) of the process itself."""
    began = time.monotonic()
    process = subprocess.Popen(argv, **kwargs)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, argv
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def by_pg_dump(db, path, form):
    tool = client_tool("pg_dump")
    if form == "sql.zst":
        return measure(["sh", "-c", f"{tool} -Fp -d '{db.url()}' | zstd -q -3 -T1 > {path} && sync {path}"])
    return measure([tool, "-Fc" if form == "dump" else "-Fp", "-f", path, "-d", db.url()])


def by_aramid(db, folder, form):
    result = os.path.join(folder, "result.json")
    with open(result, "w", encoding="utf-8") as out:
        seconds, cpu, memory = measure([BINARY, "backup", "--json", "--quiet", "--format", form, "--url", db.url()],
                                  cwd=folder, stdout=out)
    with open(result, encoding="utf-8") as file:
        made = json.load(file)["backup"]["made"]
    shutil.rmtree(os.path.join(folder, "backups"))
    return made["dumpMs"] / 1000, (made["dumpMs"] + made["readBackMs"]) / 1000, seconds, memory, made, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", default="sql,sql.zst,dump")
    parser.add_argument("--dir", default=tempfile.gettempdir())
    args = parser.parse_args()
    server = Server(default_bindir()).start()
    folder = tempfile.mkdtemp(prefix="aramid-bench-", dir=args.dir)
    try:
        db = server.new_database()
        fill(db, args.gb)
        path = os.path.join(folder, "pg_dump.out")
        print("format    pg_dump   backup  ratio      all  ratio     wall  ratio   memory     size", flush=True)
        for form in args.formats.split(","):
            base, ours = [], []
            for _ in range(args.rounds):
                base.append(by_pg_dump(db, path, form)[:2])
                os.unlink(path)
                ours.append(by_aramid(db, folder, form))
            b = min(t for t, _ in base)
            dump, both, wall = (min(o[i] for o in ours) for i in range(3))
            memory = max(o[3] for o in ours) / 1024
            size = ours[0][4]["data"]["bytes"] / 1e9
            print(f"{form:8} {b:7.2f} s {dump:6.2f} s {dump / b:6.2f} {both:6.2f} s {both / b:6.2f}"
                  f" {wall:6.2f} s {wall / b:6.2f} {memory:5.0f} MB {size:5.2f} GB"
                  f"  processor {min(c for _, c in base):5.2f} s, {min(o[5] for o in ours):5.2f} s", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        server.remove()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
