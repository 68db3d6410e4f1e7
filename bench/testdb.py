#!/usr/bin/python3
"""A database for a test: `aramid testdb` beside what pgtestdb does, CREATE DATABASE ... TEMPLATE by a driver.

usage: bench/testdb.py [--migrations DIR] [--count N] [--rounds N]

Both on one server without durability, in turn. Aramid's is a whole process, from the pool and without it; the driver's a
connection, the statement and its end in a process that is there already, as pgtestdb stands inside the test.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import psycopg2  # noqa: E402

import run as bench  # noqa: E402
from harness.cluster import Server, bindir_of, system_bindir  # noqa: E402
from harness.project import Project  # noqa: E402


def timed(call):
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--migrations", help="folder of a real project's migrations")
    parser.add_argument("--count", type=int, default=420, help="migrations of the made history")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="aramid-bench-", dir="/tmp")
    os.chmod(work, 0o755)
    project = Project(work)
    if args.migrations:
        bench.copied_history(project, args.migrations)
    else:
        bench.made_history(project, args.count)
    server = Server(system_bindir() or bindir_of(15), {"fsync": "off"})
    names = iter(range(1000000))
    try:
        server.start()
        url = server.new_database().url()

        def ours(*options):
            subprocess.run([bench.BINARY, "testdb", "-C", work, "--url", url, *options], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def driver(template):
            connection = psycopg2.connect(url)
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE theirs_{next(names)} TEMPLATE \"{template}\"")
            connection.close()

        first = timed(ours)
        connection = psycopg2.connect(url)
        cursor = connection.cursor()
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ '^aramid_test_t_'")
        template = cursor.fetchone()[0]
        connection.close()
        found = {"testdb from the pool": [], "CREATE DATABASE by a driver": [], "testdb --count 20, each": []}
        for _ in range(args.rounds):
            time.sleep(1)  # the call before refills the pool behind its answer
            found["testdb from the pool"].append(timed(ours))
            found["CREATE DATABASE by a driver"].append(timed(lambda: driver(template)))
        for _ in range(max(1, args.rounds // 5)):
            found["testdb --count 20, each"].append(timed(lambda: ours("--count", "20")) / 20)
        print(f"{len(project.names)} migrations, PostgreSQL {server.version}, {args.rounds} rounds, "
              f"load {os.getloadavg()[0]:.1f}; the first call: {first:.0f} ms")
        for name, ms in found.items():
            print(f"{name:30} median {statistics.median(ms):7.1f} ms   fastest {min(ms):7.1f} ms")
    finally:
        server.remove()
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
