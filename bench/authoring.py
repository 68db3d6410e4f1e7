#!/usr/bin/python3
"""Measures the daily circle of a developer beside Prisma's, as whole processes: a new column, created and applied.

usage: bench/authoring.py --prisma-folder FOLDER [--program PROGRAM] [--rounds N] [--no-prisma]

FOLDER holds schema.prisma and migrations of a real project; a copy of it is used. Each round adds a column to the
schema for each command in turn: `create` (what the migrations make is known), `create` behind it (the history is
one longer), `dev --skip-generate` and, where it is installed, Prisma's `migrate dev`, whose shadow database lies on
the same server. Medians, and Prisma's as a multiple of them.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness import oracle  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402


class Circle:
    def __init__(self, folder, url):
        self.path = tempfile.mkdtemp(prefix="aramid-authoring-")
        self.env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "LANG": "C.UTF-8", "DATABASE_URL": url}
        shutil.copytree(folder, os.path.join(self.path, "prisma"))
        self.columns = 0
        self._edit(lambda text: re.sub(r"^\s*(url|directUrl|shadowDatabaseUrl|previewFeatures)\s*=.*\n", "", text, flags=re.M))

    def _edit(self, change):
        path = os.path.join(self.path, "prisma", "schema.prisma")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(change(text))

    def add_column(self):
        self.columns += 1
        self._edit(lambda text: re.sub(r"(^model \w+ \{\n)", rf"\1  benchColumn{self.columns} String?\n", text, count=1, flags=re.M))
        return f"bench_column_{self.columns}"

    def run(self, argv, env=None):
        began = time.monotonic()
        done = subprocess.run(argv, cwd=self.path, env=env or self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return (time.monotonic() - began) * 1000


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--prisma-folder", required=True)
    arguments.add_argument("--program", default=os.path.join(REPO, "build/release/src/cli/aramid"))
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--no-prisma", action="store_true")
    args = arguments.parse_args()
    server = Server(default_bindir()).start()
    times = {}
    try:
        circle = Circle(args.prisma_folder, server.new_database().url())
        with_prisma = not args.no_prisma and oracle.available()
        if with_prisma:
            with open(os.path.join(circle.path, "prisma.config.ts"), "w", encoding="utf-8") as f:
                f.write(oracle.CONFIG)
            os.symlink(oracle.NPM, os.path.join(circle.path, "node_modules"))
        aramid = [args.program]
        print(f"first dev, all migrations: {circle.run(aramid + ['dev', '--skip-generate', '--skip-seed']):.0f} ms", flush=True)
        for _ in range(args.rounds):
            for what, argv in (("create", aramid + ["create"]), ("next create", aramid + ["create"]),
                               ("dev", aramid + ["dev", "--skip-generate"])):
                if what == "dev":
                    circle.run(aramid + ["dev", "--skip-generate"])  # what create made is applied, and known
                name = circle.add_column()
                times.setdefault(what, []).append(circle.run(argv + [name]))
            if with_prisma:
                name = circle.add_column()
                times.setdefault("prisma migrate dev", []).append(
                    circle.run([oracle.NODE, oracle.CLI, "migrate", "dev", "--name", name],
                               {**oracle.environment(), "DATABASE_URL": circle.env["DATABASE_URL"]}))
        prisma = statistics.median(times["prisma migrate dev"]) if with_prisma else None
        for what, list_ in times.items():
            median = statistics.median(list_)
            print(f"{what:20} {median:8.0f} ms ({min(list_):.0f} to {max(list_):.0f})" + (f"  prisma / it: {prisma / median:.1f}" if prisma else ""))
        shutil.rmtree(circle.path)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
