#!/usr/bin/python3
"""Compare Aramid's scripts from one schema to another with those of the real Prisma engine.

usage: tests/compat/diff_compare.py [options] [SOURCE...]

SOURCE is a .jsonl file with {"name": ..., "from_schema": ..., "to_schema": ...} a line, or
REPOSITORY:PATH, a schema.prisma in the history of a git repository: every two consecutive versions,
and the first and last one from and to nothing. Without any, tests/golden/diff is taken.

--random N   N random pairs of all versions as well
--prisma G   generation 6 or 7 (default: 7)
--forward    only forward (default: both directions)
--mutants N  N pairs of a schema and a change of it (those of psl_compare.py that stay valid)
--summary    compare what is told to people, not the scripts
--show N     describe the first N differences (default: 5)
--script P   path of diff-script (default: that of build/debug or build/release)

A schema is adapted to the generation: 6 wants a url in the datasource, 7 refuses it; features that
7 no longer knows are left out, and the primary key of a view is only unique. Exit status: 0 when all
are equal, 1 otherwise; 77 with a word when Prisma is not installed (ARAMID_ORACLE,
build/npm: a folder with node_modules and lib).
"""

import argparse
import concurrent.futures
import difflib
import glob
import json
import os
import random
import re
import subprocess
import sys

from psl_compare import REPO, Case, adapt as adapt_url, find_oracle, mutant

SERVER = os.path.join(REPO, "tests", "compat", "diff_oracle.mjs")
GOLDEN = os.path.join(REPO, "tests", "golden", "diff")


FEATURES = re.compile(r"^([ \t]*previewFeatures[ \t]*=[ \t]*)\[([^\]]*)\]", re.M)
KNOWN = {"fullTextSearchPostgres", "nativeDistinct", "partialIndexes", "postgresqlExtensions",
         "relationJoins", "strictUndefinedChecks", "typedSql", "views"}


# Since Prisma 6 views have no primary key; they make nothing in a database.
VIEW = re.compile(r"^view \w+ \{$.*?^\}$", re.M | re.S)
VIEW_ID = re.compile(r"(?<!@)@id\b")


def adapt(text, generation):
    """The schema as that generation of Prisma would have it."""
    def features(match):
        kept = [f for f in re.findall(r"\w+", match.group(2)) if f in KNOWN]
        return match.group(1) + "[" + ", ".join(f'"{f}"' for f in kept) + "]"
    text = VIEW.sub(lambda match: VIEW_ID.sub("@unique", match.group()), text)
    return FEATURES.sub(features, adapt_url(text, generation))


class Oracle:
    """The real engine."""

    def __init__(self, home, generation):
        environment = dict(os.environ, ORACLE_PRISMA=str(generation))
        self.process = subprocess.Popen(["node", SERVER, home], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, old, new, script):
        """The text, or None when a schema is refused."""
        request = json.dumps({"from": old, "to": new, "script": script})
        self.process.stdin.write(request.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return None if isinstance(answer, dict) else answer


class Script:
    """Aramid, through diff-script."""

    def __init__(self, program, generation):
        self.generation = generation
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, old, new, mode):
        sides = [None if text is None else text.encode() for text in (old, new)]
        sizes = " ".join("-1" if text is None else str(len(text)) for text in sides)
        self.process.stdin.write(f"{mode} {self.generation} {sizes}\n".encode())
        for text in sides:
            self.process.stdin.write(text or b"")
        self.process.stdin.flush()
        size = self.process.stdout.readline()
        if not size:
            raise RuntimeError(f"diff-script died with {self.process.wait()}")
        return None if int(size) < 0 else self.process.stdout.read(int(size)).decode()


# -- Schemas ---------------------------------------------------------------------------------------

def versions_of(source):
    """Texts of a file in a git history, the oldest first; those that are not there are left out."""
    repository, path = source.rsplit(":", 1)
    git = ["git", "-C", repository]
    commits = subprocess.run(git + ["log", "--format=%H", "--reverse", "HEAD", "--", path],
                             capture_output=True, text=True, check=True).stdout.split()
    found = []
    for commit in commits:
        shown = subprocess.run(git + ["show", f"{commit}:{path}"], capture_output=True)
        text = shown.stdout.decode()
        if shown.returncode == 0 and (not found or found[-1][1] != text):
            found.append((f"{os.path.basename(path)}@{commit[:9]}", text))
    return found


def pairs_of(sources):
    """Pairs (name, old, new), and all single versions."""
    pairs, versions = [], []
    for source in sources:
        if not source.endswith(".jsonl"):
            found = versions_of(source)
            versions += found
            pairs += [(f"{x[0]}..{y[0]}", x[1], y[1]) for x, y in zip(found, found[1:])]
            if found:
                pairs += [(f"empty..{name}", None, text) for name, text in (found[0], found[-1])]
            continue
        with open(source, encoding="utf-8") as lines:
            for line in lines:
                case = json.loads(line)
                if case.get("to_schema") and "from_sql" not in case:
                    pairs.append((case["name"], case.get("from_schema") or None, case["to_schema"]))
                    versions.append((case["name"], case["to_schema"]))
    return pairs, versions


def mutants(versions, count):
    schemas = [(name, [("schema.prisma", text)]) for name, text in versions]
    for number in range(count if schemas else 0):
        rng = random.Random(f"diff:{number}")
        name, files = rng.choice(schemas)
        changed = mutant([Case(name, files)], "diff", number)
        yield f"mutant {number} of {name}", files[0][1], changed.files[0][1]


# -- Comparison ------------------------------------------------------------------------------------

def describe(name, theirs, ours):
    print(f"- {name}")
    lines = list(difflib.unified_diff((theirs or "REFUSED").split("\n"),
                                      (ours or "REFUSED").split("\n"), "Prisma", "Aramid",
                                      lineterm="", n=1))
    print("\n".join("    " + line[:200] for line in lines[:30]))


def compare(oracle, script, pairs, args):
    equal, empty, refused, different = 0, 0, 0, []
    mode = "summary" if args.summary else "compat"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for name, old, new in pairs:
            sides = [None if text is None else adapt(text, args.prisma) for text in (old, new)]
            future = pool.submit(oracle.ask, sides[0], sides[1], not args.summary)
            ours = script.ask(sides[0], sides[1], mode)
            theirs = future.result()
            if theirs is None and ours is None:
                refused += 1
            elif (theirs or "").rstrip("\n") == (ours or "").rstrip("\n") and theirs and ours:
                equal += 1
                empty += "empty migration" in ours
            else:
                different.append((name, theirs, ours))
    return equal, empty, refused, different


def options():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--mutants", type=int, default=0)
    parser.add_argument("--prisma", type=int, choices=[6, 7], default=7)
    parser.add_argument("--forward", action="store_true")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--script")
    return parser.parse_args()


def find_program(given):
    built = [os.path.join(REPO, "build", kind, "tests", "unit", "render", "diff-script")
             for kind in ("debug", "release")]
    for path in [given] + built:
        if path and os.path.exists(path):
            return path
    sys.exit("diff_compare: diff-script is not built")


def main():
    args = options()
    home = find_oracle()
    if not home or not os.path.exists(os.path.join(home, "lib", "engine.mjs")):
        print("diff_compare: skipped, Prisma's engine is not installed (tools/setup-npm)")
        return 77
    oracle = Oracle(home, args.prisma)
    script = Script(find_program(args.script), args.prisma)
    pairs, versions = pairs_of(args.sources or sorted(glob.glob(os.path.join(GOLDEN, "*.jsonl"))))
    rng = random.Random("aramid")
    for _ in range(args.random):
        x, y = rng.sample(versions, 2)
        pairs.append((f"{x[0]}..{y[0]}", x[1], y[1]))
    pairs += mutants(versions, args.mutants)
    if not args.forward:
        pairs += [(f"back: {name}", new, old) for name, old, new in pairs if old is not None]
    equal, empty, refused, different = compare(oracle, script, pairs, args)
    print(f"Prisma {args.prisma}: {equal} of {len(pairs) - refused} scripts equal ({empty} of them "
          f"empty), {refused} pairs with a schema that both refuse")
    for difference in different[:args.show]:
        describe(*difference)
    return 0 if not different else 1


if __name__ == "__main__":
    sys.exit(main())
