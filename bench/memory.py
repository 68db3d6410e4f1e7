#!/usr/bin/python3
"""How much memory a deploy of a large file takes: its peak, and how often the file fits into it.

usage: bench/memory.py [--mb 60] [--only TEXT]

Files of one statement, of statements of 1 MB, and of many small ones are deployed, each into a database of
its own. The control is the same deploy of a file of a few bytes: what the program and its libraries take.
The factor is the peak by the size of the file; exit status 1 when one is over 2.5.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

LIMIT = 2.5
PROGRAM = os.environ.get("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))
TABLE = "CREATE TABLE t (id int, v text);\n"


def one(size):
    yield f"INSERT INTO t VALUES (1, '{'x' * size}');\n"


def of_1_mb(size):
    for i in range(size // 1_000_000):
        yield f"INSERT INTO t VALUES ({i}, '{'x' * 999_960}');\n"


def small(size):
    line = "INSERT INTO t VALUES (1, 'some words of a row as people write them');\n"
    yield line * (size // len(line))


def rows(size):
    line = "(1, 'some words of a row as people write them'),\n"
    yield "INSERT INTO t VALUES\n" + line * (size // len(line)) + "(2, 'last');\n"


def refused(size):
    yield from of_1_mb(size)
    yield "INSERT INTO t VALUES (1, nowhere);\n"


FORMS = {"one statement of one value": one, "one statement of many rows": rows, "statements of 1 MB": of_1_mb,
         "small statements": small, "the last statement fails": refused}
FAILS = 22  # exit status of a migration that the server refused


class Spawner:
    """Deploys, started from a small process (bench/spawn.py says why)."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-I", "-S", os.path.join(REPO, "bench/spawn.py")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def deploy(self, folder, db, status=0):
        output = os.path.join(folder, "output")
        self.process.stdin.write(json.dumps({
            "argv": [PROGRAM, "deploy", "--url", db.url()], "env": {"PATH": os.environ["PATH"], "HOME": folder},
            "cwd": folder, "output": output}) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        if result["rc"] != status:
            sys.exit(open(output, encoding="utf-8", errors="replace").read())
        return result


def measure(server, spawner, pieces, status=0):
    """Peak in MiB and the size of the file in MiB."""
    db = server.new_database()
    with tempfile.TemporaryDirectory(prefix="aramid-memory-") as folder:
        project = Project(folder, {"init": TABLE})
        spawner.deploy(folder, db)
        path = project.file(project.add("large", ""))
        with open(path, "w", encoding="ascii") as handle:
            handle.writelines(pieces)
        size = os.path.getsize(path) / 2**20
        result = spawner.deploy(folder, db, status)
    db.drop()
    return result["mib"], size, result["ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--mb", type=int, default=60, help="size of the files (default: 60)")
    parser.add_argument("--only", default="", help="forms with this text in their name")
    args = parser.parse_args()
    over = []
    server = Server(default_bindir()).start()
    try:
        spawner = Spawner()
        control, _, _ = measure(server, spawner, ["SELECT 1;\n"])
        print(f"{'a few bytes (control)':<32}{control:>8.1f} MiB")
        for name, make in FORMS.items():
            if args.only not in name:
                continue
            peak, size, ms = measure(server, spawner, make(args.mb * 1_000_000), FAILS * (make is refused))
            print(f"{name:<32}{peak:>8.1f} MiB of {size:.1f}: {peak / size:.2f} times"
                  f" ({(peak - control) / size:.2f} without the control), {ms / 1000:.1f} s", flush=True)
            if peak > LIMIT * size:
                over.append(name)
    finally:
        server.remove()
    if over:
        sys.exit(f"over {LIMIT} times: {', '.join(over)}")


if __name__ == "__main__":
    main()
