#!/usr/bin/python3
"""Measures `aramid validate`, `format --check`, `schema` and `diff` against the real `prisma`.

usage: bench/schema.py [--rounds N] [--rival-rounds N] [--json FILE] [SCHEMA]

SCHEMA is a real schema, valid for Prisma 7; without one, a made one of some 1,250 lines is taken.
Schemas of 1,000 to 100,000 lines, made of the same models under other names, show how time and
memory grow. Every figure is the least of its rounds and that of a whole process; memory below 9 MiB
is that of the process which starts it. `prisma` is the real command line (`tools/setup-npm`), left
out where it is not installed. Exits with 1 when a figure misses its target.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types

from run import BINARY, Launcher

from harness import oracle

BLOCK = re.compile(r"^(?:datasource|generator)\s.*?^\}\n", re.M | re.S)
DECLARED = re.compile(r"^(?:model|enum|view)\s+(\w+)", re.M)
USED = re.compile(r"^((?:model|enum|view)\s+|\s+\w+\s+)(\w+)", re.M)
HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
MODEL = """
/// What a customer of kind {n} owns
model Account{n} {{
  id          String    @id @default(cuid())
  createdAt   DateTime  @default(now()) @map("created_at")
  updatedAt   DateTime  @updatedAt @map("updated_at")
  email       String    @unique @db.VarChar(320)
  displayName String?   @map("display_name") // as it is shown
  balance     Decimal   @default(0) @db.Decimal(12, 2)
  settings    Json      @default("{{}}")
  state       State{n}  @default(ACTIVE)
  parentId    String?   @map("parent_id")
  parent      Account{n}?  @relation("Tree{n}", fields: [parentId], references: [id], onDelete: SetNull)
  children    Account{n}[] @relation("Tree{n}")
  orders      Order{n}[]

  @@index([state, createdAt(sort: Desc)])
  @@index([parentId])
  @@map("accounts_{n}")
}}

model Order{n} {{
  id        BigInt    @id @default(autoincrement())
  placedAt  DateTime  @default(now()) @db.Timestamptz(3)
  note      String?
  tags      String[]
  accountId String
  account   Account{n} @relation(fields: [accountId], references: [id], onDelete: Cascade)

  @@unique([accountId, placedAt])
  @@map("orders_{n}")
}}

enum State{n} {{
  ACTIVE
  CLOSED
  BANNED @map("banned")
}}
"""


def made():
    return HEAD + "".join(MODEL.format(n=n) for n in range(33))


def multiplied(text, lines):
    """The models of a schema under ever new names, until there are so many lines."""
    head = "".join(BLOCK.findall(text))
    body = BLOCK.sub("", text)
    names = set(DECLARED.findall(body))
    parts = [head]
    count = head.count("\n")
    while count < lines:
        i = len(parts)
        part = USED.sub(lambda m: m[1] + (f"{m[2]}_{i}" if m[2] in names else m[2]), body)  # noqa: B023
        part = re.sub(r'map: "([^"]+)"', rf'map: "{i}_\1"', part)
        part = re.sub(r'@@map\("([^"]+)"\)', rf'@@map("\1_{i}")', part)
        parts.append(part)
        count += part.count("\n")
    return "".join(parts)


class Bench:
    def __init__(self, rounds):
        self.work = tempfile.mkdtemp(prefix="aramid-bench-", dir="/tmp")
        self.launcher = Launcher()
        self.rounds = rounds

    def write(self, text):
        path = os.path.join(self.work, "schema.prisma")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        subprocess.run([BINARY, "format", "--schema", path], check=True, capture_output=True)
        return path

    def least(self, argv, env=None, rounds=None):
        """The smallest time and memory of the rounds."""
        candidate = types.SimpleNamespace(name=os.path.basename(argv[0]), cwd=self.work,
                                          env=lambda **_: env or {"PATH": os.environ["PATH"]})
        runs = [self.launcher.measure(argv, None, candidate) for _ in range(rounds or self.rounds)]
        return {key: min(r[key] for r in runs) for key in ("ms", "cpu_ms", "mib")}

    def close(self):
        self.launcher.close()
        shutil.rmtree(self.work, ignore_errors=True)


def libraries(argv):
    """How many shared libraries a command loads, the loader itself not counted."""
    trace = subprocess.run(argv, env={**os.environ, "LD_DEBUG": "libs"}, capture_output=True,
                           text=True, check=False).stderr
    return len({name for name in re.findall(r"calling init: (\S+)", trace) if "/ld-" not in name})


def compare(bench, path, rival_rounds):
    """Milliseconds of each command of both sides."""
    with open(path, encoding="utf-8") as schema, open(path + ".next", "w", encoding="utf-8") as out:
        out.write(re.sub(r"^(model \w+ {\n)", r"\1  added Int?\n", schema.read(), flags=re.M))
    here = ["--schema", path]
    sides = ["--from-schema", path, "--to-schema", path + ".next", "--script"]
    commands = {"validate": ["validate", *here], "format": ["format", "--check", *here],
                "schema": ["schema", *here], "diff": ["diff", *sides]}
    found = {name: {"aramid": bench.least([BINARY, *argv])} for name, argv in commands.items()}
    if not oracle.available():
        print("prisma is not installed (tools/setup-npm): no comparison")
        return found
    # Prisma 7 wants the project's configuration and finds its own modules from there.
    os.symlink(os.path.dirname(os.path.dirname(os.path.dirname(oracle.CLI))),
               os.path.join(bench.work, "node_modules"))
    with open(os.path.join(bench.work, "prisma.config.ts"), "w", encoding="utf-8") as config:
        config.write('export default { schema: "schema.prisma" };\n')
    commands["diff"].insert(0, "migrate")
    for name in ("validate", "format", "diff"):
        argv = [oracle.NODE, oracle.CLI, *commands[name]]
        found[name]["prisma"] = bench.least(argv, oracle.environment(), rival_rounds)
    return found


def growth(bench, text):
    found = []
    for lines in (1000, 3000, 10000, 30000, 100000):
        path = bench.write(multiplied(text, lines))
        size = os.path.getsize(path)
        run = bench.least([BINARY, "validate", "-q", "--schema", path], rounds=7)
        found.append({"lines": lines, "bytes": size, **run})
    return found


def print_tables(found, grown):
    print("\nCommand       aramid ms   MiB    prisma ms    MiB   times faster")
    for name, sides in found.items():
        line = f"{name:12} {sides['aramid']['ms']:10.2f} {sides['aramid']['mib']:5.1f}"
        if "prisma" in sides:
            line += (f" {sides['prisma']['ms']:12.1f} {sides['prisma']['mib']:6.0f}"
                     f" {sides['prisma']['ms'] / sides['aramid']['ms']:14.0f}")
        print(line)
    print("\n  Lines       bytes  validate ms   CPU ns a byte   MiB   times the file")
    for run in grown:
        print(f"{run['lines']:7} {run['bytes']:11} {run['ms']:12.2f} "
              f"{run['cpu_ms'] * 1e6 / run['bytes']:15.0f} {run['mib']:5.1f} "
              f"{run['mib'] * 2 ** 20 / run['bytes']:16.1f}")


def verdict(found, grown, loaded):
    """Each figure with its target; 1 when one is missed."""
    small, large = grown[-2], grown[-1]
    figures = [
        ("validate, ms", found["validate"]["aramid"]["ms"], 5.0),
        ("diff of two schemas, ms", found["diff"]["aramid"]["ms"], 10.0),
        ("shared libraries", loaded, 3),
        ("CPU time a byte, 100,000 / 30,000 lines",
         large["cpu_ms"] / large["bytes"] / (small["cpu_ms"] / small["bytes"]), 1.5),
        ("memory / file at 100,000 lines", large["mib"] * 2 ** 20 / large["bytes"], 20),
    ]
    if "prisma" in found["validate"]:
        figures.insert(1, ("validate / prisma validate",
                           found["validate"]["aramid"]["ms"] / found["validate"]["prisma"]["ms"], 0.01))
    print("\nFigure                                         is   at most")
    missed = 0
    for name, value, target in figures:
        mark = "" if value <= target else "   missed"
        missed += bool(mark)
        print(f"{name:40} {value:8.4g}   {target}{mark}")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("schema", nargs="?", help="a real schema for PostgreSQL")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--rival-rounds", type=int, default=5)
    parser.add_argument("--json", help="write the figures to this file")
    args = parser.parse_args()
    if not os.path.exists(BINARY):
        sys.exit(f"bench: no program at {BINARY}; run `make release`")
    text = made()
    if args.schema:
        with open(args.schema, encoding="utf-8") as source:
            text = source.read()
    # Prisma 7 has the URLs elsewhere.
    text = re.sub(r"^[ \t]*(url|directUrl|shadowDatabaseUrl)[ \t]*=.*\n", "", text, flags=re.M)
    bench = Bench(args.rounds)
    try:
        path = bench.write(text)
        with open(path, encoding="utf-8") as source:
            print(f"{args.schema or 'a made schema'}: {source.read().count(chr(10))} lines, "
                  f"{args.rounds} rounds")
        found = compare(bench, path, args.rival_rounds)
        loaded = libraries([BINARY, "validate", "-q", "--schema", path])
        grown = growth(bench, text)
    finally:
        bench.close()
    print_tables(found, grown)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump({"commands": found, "growth": grown, "libraries": loaded}, out, indent=1)
    return verdict(found, grown, loaded)


if __name__ == "__main__":
    sys.exit(main())
