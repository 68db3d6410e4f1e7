#!/usr/bin/python3
"""Histories of other tools: a deploy beside the tool's own run, each on a database of its own, in turn.

usage: bench/tools.py [--rounds 5] [--only NAME] [--ms 10]

180 migrations of Drizzle (by its migrator in a small Node program, which is what is fastest of it; statements
between breakpoints, as drizzle-kit writes them) and 280 of dbmate (neither side writes schema.sql): on this
machine, and over a line on which an answer takes --ms longer. Then both again with nothing to do, and
Supabase's CLI. Minima, their ratios, and Aramid's peak memory beside the targets; exit status 1 when one is
missed, 77 when the tools are not installed (tools/setup-npm).
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, default_bindir  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.tools import Dbmate, Drizzle, Supabase  # noqa: E402

PROGRAM = os.environ.get("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))
HISTORIES = {Drizzle: 180, Dbmate: 280, Supabase: 20}
LOCAL, FAR, NOTHING, MIB = 0.9, 0.25, 0.1, 20  # targets; the ratios are Aramid's time by the tool's


class Via:
    """A database as the tools are told of it: through a port."""

    def __init__(self, db, port):
        self.db, self.port = db, port

    def url(self):
        return self.db.url(port=self.port)


def fill(tool, count):
    between = "--> statement-breakpoint\n" if isinstance(tool, Drizzle) else "\n"
    for i in range(count):
        tool.add(i + 1, f"t{i}", between.join([f"CREATE TABLE t{i} (id int PRIMARY KEY, v text NOT NULL, o int);",
                                               f"ALTER TABLE t{i} ADD CONSTRAINT t{i}_o FOREIGN KEY (o) REFERENCES t{i} (id);",
                                               f"CREATE INDEX t{i}_v ON t{i} (v);"]))
    with open(os.path.join(tool.path, "aramid.yaml"), "w", encoding="ascii") as file:
        file.write("dump_schema: never\n")


def aramid(path, url):
    environment = {"PATH": os.environ["PATH"], "HOME": path}
    subprocess.run([PROGRAM, "deploy", "--yes", "--url", url], cwd=path, env=environment, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memory(path, url):
    """Aramid's peak in MiB, started from a small process (bench/spawn.py says why)."""
    request = {"argv": [PROGRAM, "deploy", "--yes", "--url", url], "env": {"PATH": os.environ["PATH"], "HOME": path},
               "cwd": path, "output": os.devnull}
    done = subprocess.run([sys.executable, "-I", "-S", os.path.join(REPO, "bench/spawn.py")], input=json.dumps(request),
                          stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["rc"] == 0
    return result["mib"]


def timed(work):
    began = time.perf_counter()
    done = work()
    assert done is None or done.rc == 0, done
    return time.perf_counter() - began


def race(server, tool, rounds, ms):
    """Minima of both: (with everything to do, with nothing), each (Aramid's, the tool's)."""
    all_of_it, nothing = [], []
    with Proxy(server, delay=ms / 2000, record=False) if ms else contextlib.nullcontext(server) as line:
        for _ in range(rounds):
            pair = []
            for work in (lambda db: aramid(tool.path, db.url()), tool.apply):
                db = server.new_database()
                via = Via(db, line.port)
                pair.append((timed(lambda w=work, v=via: w(v)), timed(lambda w=work, v=via: w(v))))
                db.drop()
            all_of_it.append([p[0] for p in pair])
            nothing.append([p[1] for p in pair])
    return tuple(tuple(min(column) for column in zip(*rows)) for rows in (all_of_it, nothing))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="tools with this in their name")
    parser.add_argument("--ms", type=float, default=10, help="how much longer an answer takes over the line (default: 10)")
    options = parser.parse_args()
    if any(tool.missing() for tool in HISTORIES):
        print("the tools are not installed: tools/setup-npm", file=sys.stderr)
        return 77
    missed = []

    def tell(what, ours, theirs, target):
        ratio = ours / theirs
        wanted = f" (target {target})" if target else ""
        print(f"{what:<44}{ours * 1000:>9.0f} ms{theirs * 1000:>9.0f} ms   {ratio:.2f}{wanted}", flush=True)
        if target and ratio > target:
            missed.append(what)

    server = Server(default_bindir()).start()
    try:
        print(f"{'':<44}{'aramid':>12}{'the tool':>12}   ratio")
        for kind, count in HISTORIES.items():
            if options.only not in kind.name:
                continue
            with tempfile.TemporaryDirectory(prefix="aramid-tools-") as folder:
                tool = kind(folder)
                fill(tool, count)
                whole, nothing = race(server, tool, options.rounds, 0)
                if kind is not Supabase:
                    tell(f"{count} migrations of {kind.name}", *whole, LOCAL)
                tell(f"nothing to do, {kind.name}", *nothing, NOTHING if kind is Supabase else None)
                if kind is not Supabase:
                    far, _ = race(server, tool, max(options.rounds // 2, 1), options.ms)
                    tell(f"{count} migrations of {kind.name}, {options.ms:g} ms away", *far, FAR)
                mib = memory(folder, server.new_database().url())
                print(f"{'peak memory, ' + kind.name:<44}{mib:>9.1f} MiB (target {MIB})", flush=True)
                if mib > MIB:
                    missed.append(f"memory, {kind.name}")
    finally:
        server.remove()
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
