#!/usr/bin/python3
"""Compare Aramid's verdicts on schemas with those of the real Prisma engine.

usage: tests/compat/psl_compare.py [--sample N | --all | --mutants N] [options] [SCHEMA...]

SCHEMA is a .prisma file, a folder of them (each file on its own) or a .jsonl file with one
{"name": ..., "files": [[path, text], ...]} a line; without any, tests/golden/psl/validate is taken.

--sample N   compare the schemas and N mutants of them (default: 200)
--all        the schemas and 20,000 mutants
--mutants N  only N mutants
--prisma G   generation 6 or 7 (default: both)
--seed TEXT  another series of mutants; the same seed gives the same ones
--show N     describe the first N differences (default: 20)
--keep DIR   write every schema with a difference there
--verdict P  path of psl-verdict (default: that of build/debug or build/release)

A schema is adapted to the generation: 6 wants a url in the datasource, 7 refuses it. Mutants are
made of the schemas that are valid for the generation. First error: Aramid's first by place, the
first that Prisma prints. Exit status: 0 when every verdict is equal and, of the mutants, 98 % of
the first errors stand on the same line; 1 otherwise; 77 with a word when Prisma is not installed
(ARAMID_ORACLE, build/npm or build/oracle: a folder with node_modules).
"""

import argparse
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = os.path.join(REPO, "tests", "compat", "psl_oracle.mjs")
GOLDEN = os.path.join(REPO, "tests", "golden", "psl", "validate")
SAME_LINE = 0.98

# Prisma points at the head of the block, Aramid at the property that is wrong.
BETTER_PLACED = {"property-empty", "datasource-provider", "datasource-relation-mode"}
ERROR = re.compile(r"^error: (.*?)\n  -->  (.*?):(\d+)$", re.M | re.S)


# -- The two sides ---------------------------------------------------------------------------------

class Oracle:
    """The real engine."""

    def __init__(self, home, generation):
        self.process = subprocess.Popen(["node", SERVER, home, str(generation)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, files):
        """None when valid, else (file, line, text) of the errors, in the engine's order."""
        self.process.stdin.write(json.dumps(files).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer is None:
            return None
        names = [name for name, _ in files]
        errors = [(names.index(path), int(line), text)
                  for text, path, line in ERROR.findall(answer)]
        return errors or [(0, 0, answer)]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Verdict:
    """Aramid, through psl-verdict."""

    def __init__(self, program, generation):
        self.generation = generation
        self.program = program
        self._start()

    def _start(self):
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, files):
        texts = [text.encode() for _, text in files]
        head = " ".join(str(n) for n in [self.generation, len(texts), *map(len, texts)])
        self.process.stdin.write(head.encode() + b"\n" + b"".join(texts))
        self.process.stdin.flush()
        words = self.process.stdout.readline().decode().split()
        if not words:
            self.process.wait()
            raise RuntimeError(f"psl-verdict died with {self.process.returncode}")
        if words[0] == "valid":
            return None
        errors = [word.split(":") for word in words[1:]]
        return sorted((int(f), int(line), rule) for f, line, rule in errors)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# -- Schemas ---------------------------------------------------------------------------------------

URL = re.compile(r"^[ \t]*(url|directUrl|shadowDatabaseUrl)[ \t]*=.*\n", re.M)
DATASOURCE = re.compile(r"^(datasource[ \t]+\w+[ \t]*\{)[ \t]*\n((?:.*\n)*?)\}", re.M)
EXTERNAL = re.compile(r"provider\s*=\s*\"(?!postgres)\w+\"")


def adapt(text, generation):
    """The schema as that generation of Prisma would have it."""
    def block(match):
        head, body = match.group(1), match.group(2)
        if generation == 7:
            body = URL.sub("", body)
        elif not re.search(r"^[ \t]*url[ \t]*=", body, re.M):
            body += '  url = env("DATABASE_URL")\n'
        return f"{head}\n{body}}}"
    return DATASOURCE.sub(block, text)


def read(paths):
    """Yield (name, files) of every schema."""
    for path in paths:
        if path.endswith(".jsonl"):
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    case = json.loads(line)
                    yield case["name"], [tuple(f) for f in case["files"]]
            continue
        found = [path]
        if os.path.isdir(path):
            found = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path)
                           for name in names if name.endswith(".prisma"))
        for name in found:
            with open(name, encoding="utf-8", newline="") as text:
                yield os.path.relpath(name), [("schema.prisma", text.read())]


# -- Mutants ---------------------------------------------------------------------------------------

TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|@@?[\w.]+|[\w-]+|[^\w\s]')
WORDS = """id name email userId createdAt Int String Boolean DateTime Json Float BigInt Decimal
           Bytes User Post Cascade Restrict NoAction SetNull SetDefault Asc Desc Hash Gin Gist Brin BTree
           JsonbPathOps true false null map fields references onDelete onUpdate name type sort
           @id @unique @updatedAt @ignore @default @map @relation @db.Text @db.VarChar @db.Uuid
           @db.Timestamptz @db.JsonB @@id @@unique @@index @@map @@ignore @@schema
           0 1 2 7 10 1.5 -1 99999999999999999999 "" "x" "public" now uuid cuid ulid nanoid
           autoincrement dbgenerated ( ) [ ] { } ? ! : , = // ///""".split()
FUNCTIONS = ["now()", "uuid()", "uuid(7)", "cuid(2)", "ulid()", "nanoid(5)", "autoincrement()",
             'dbgenerated("x")', "true", "1", '"x"', "[]", "[1]", "A"]
ATTRIBUTES = ["@id", "@unique", "@updatedAt", "@ignore", "@default(now())", "@default(1)",
              '@map("x")', "@db.Text", "@db.VarChar(10)", "@relation(onDelete: Cascade)",
              '@relation("x")']


def tokens_of(line):
    return list(TOKEN.finditer(line))


def replace(line, token, text):
    return line[:token.start()] + text + line[token.end():]


def delete_line(_, lines, at):
    del lines[at]


def duplicate_line(_, lines, at):
    lines.insert(at, lines[at])


def swap_lines(rng, lines, at):
    other = rng.randrange(max(0, at - 8), min(len(lines), at + 8))
    lines[at], lines[other] = lines[other], lines[at]


def delete_token(rng, lines, at):
    found = tokens_of(lines[at])
    if found:
        lines[at] = replace(lines[at], rng.choice(found), "")


def duplicate_token(rng, lines, at):
    found = tokens_of(lines[at])
    if found:
        token = rng.choice(found)
        lines[at] = replace(lines[at], token, token.group() + rng.choice(["", " "]) + token.group())


def swap_tokens(rng, lines, at):
    found = tokens_of(lines[at])
    if len(found) > 1:
        first = rng.randrange(len(found) - 1)
        x, y = found[first], found[first + 1]
        line = lines[at]
        lines[at] = (line[:x.start()] + y.group() + line[x.end():y.start()] + x.group()
                     + line[y.end():])


def rename(rng, lines, at):
    """Change a word in one place or everywhere."""
    found = [t for t in tokens_of(lines[at]) if re.fullmatch(r"\w+", t.group())]
    if not found:
        return
    token = rng.choice(found)
    word = token.group()
    new = rng.choice([word + "x", word[:-1] or "x", word.capitalize(), word.lower(),
                      rng.choice(WORDS)])
    if rng.random() < 0.3:
        for i, line in enumerate(lines):
            lines[i] = re.sub(rf"\b{re.escape(word)}\b", lambda _: new, line)
    else:
        lines[at] = replace(lines[at], token, new)


def change_type(rng, lines, at):
    match = re.match(r"(\s+\w+\s+)([\w]+)((?:\[\]|\?)?)(.*)", lines[at], re.S)
    if not match:
        return
    kind = rng.randrange(3)
    name = rng.choice(WORDS[5:16]) if kind == 0 else match.group(2)
    arity = rng.choice(["", "?", "[]"]) if kind else match.group(3)
    lines[at] = match.group(1) + name + arity + match.group(4)


def change_argument(rng, lines, at):
    found = list(re.finditer(r"[(,\[]\s*((?:\w+:\s*)?)([^,()\[\]]+)", lines[at]))
    if found:
        match = rng.choice(found)
        span = match.span(2)
        lines[at] = lines[at][:span[0]] + rng.choice(WORDS + FUNCTIONS) + lines[at][span[1]:]


def drop_argument(rng, lines, at):
    found = list(re.finditer(r",\s*[^,()\[\]]+(\[[^\]]*\])?", lines[at]))
    if found:
        match = rng.choice(found)
        lines[at] = lines[at][:match.start()] + lines[at][match.end():]


def add_attribute(rng, lines, at):
    if re.match(r"\s+\w+\s+\w", lines[at]):
        lines[at] = lines[at].rstrip("\n") + " " + rng.choice(ATTRIBUTES) + "\n"


def replace_token(rng, lines, at):
    found = tokens_of(lines[at])
    if found:
        lines[at] = replace(lines[at], rng.choice(found), rng.choice(WORDS))


MUTATIONS = [delete_line, duplicate_line, swap_lines, delete_token, duplicate_token, swap_tokens,
             rename, rename, change_type, change_argument, change_argument, drop_argument,
             add_attribute, replace_token]


def mutant(schemas, seed, number):
    """Mutant `number` of a series: the same for the same schemas and seed."""
    rng = random.Random(f"{seed}:{number}")
    name, files = rng.choice(schemas)
    at = rng.randrange(len(files))
    text = files[at][1]
    for _ in range(50):
        lines = text.splitlines(keepends=True)
        if not lines:
            break
        how = rng.choice(MUTATIONS)
        how(rng, lines, rng.randrange(len(lines)))
        changed = "".join(lines)
        if changed != text:
            files = list(files)
            files[at] = (files[at][0], changed)
            return f"mutant {number} ({how.__name__}) of {name}", files
    return f"mutant {number} of {name}", files


# -- Comparison ------------------------------------------------------------------------------------

class Result:
    def __init__(self):
        self.total = self.equal = self.rejected = self.same_line = 0
        self.valid = []
        self.different = []
        self.other_line = []

    def add(self, name, files, theirs, ours):
        self.total += 1
        if (theirs is None) != (ours is None):
            self.different.append((name, files, theirs, ours))
            return
        self.equal += 1
        if theirs is None:
            self.valid.append((name, files))
            return
        self.rejected += 1
        if (theirs[0][1] == 0 or theirs[0][:2] == ours[0][:2]
                or ours[0][2] in BETTER_PLACED and theirs[0][1] < ours[0][1]):
            self.same_line += 1
        else:
            self.other_line.append((name, files, theirs, ours))

    def line_share(self):
        return self.same_line / self.rejected if self.rejected else 1.0

    def report(self, title, show):
        print(f"{title}: {self.equal} of {self.total} verdicts equal, first error on the same line "
              f"in {self.same_line} of {self.rejected} ({100 * self.line_share():.2f} %)")
        describe("verdict", self.different, show)
        describe("line", self.other_line, show)


def compare(home, program, generation, cases):
    """Ask both sides about every case."""
    oracle, verdict, result = Oracle(home, generation), Verdict(program, generation), Result()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for name, files in cases:
            files = [(path, adapt(text, generation)) for path, text in files]
            theirs = pool.submit(oracle.ask, files)
            ours = verdict.ask(files)
            result.add(name, files, theirs.result(), ours)
    oracle.close()
    verdict.close()
    return result


def describe(title, entries, show):
    for name, files, theirs, ours in entries[:show]:
        print(f"- {title}: {name}")
        print("    Prisma: " + ("valid" if theirs is None else
                                " | ".join(f"{f}:{n} {text[:150]}" for f, n, text in theirs[:3])))
        print("    Aramid: " + ("valid" if ours is None else
                                " ".join(f"{f}:{n}:{rule}" for f, n, rule in ours[:6])))
        for error in (theirs or [])[:1] + (ours or [])[:1]:
            lines = files[error[0]][1].split("\n")
            if 0 < error[1] <= len(lines):
                print(f"    line {error[1]}: {lines[error[1] - 1].strip()[:150]}")
    if len(entries) > show:
        print(f"- and {len(entries) - show} more")


def keep(folder, generation, entries):
    os.makedirs(folder, exist_ok=True)
    for number, (name, files, _, _) in enumerate(entries):
        for path, text in files:
            target = f"{generation}-{number:04}-{os.path.basename(path)}"
            with open(os.path.join(folder, target), "w", encoding="utf-8", newline="") as out:
                out.write(f"{text}\n// {name}\n")


def find_oracle():
    homes = [os.environ.get("ARAMID_ORACLE"), os.path.join(REPO, "build", "npm"),
             os.path.join(REPO, "build", "oracle")]
    for home in filter(None, homes):
        if os.path.isdir(os.path.join(home, "node_modules")) and shutil.which("node"):
            return home
    return None


def find_program(given):
    built = [os.path.join(REPO, "build", kind, "tests", "unit", "psl", "psl-verdict")
             for kind in ("debug", "release")]
    for path in [given] + built:
        if path and os.path.exists(path):
            return path
    sys.exit("psl_compare: psl-verdict is not built")


def options():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("schemas", nargs="*", default=[GOLDEN])
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--mutants", type=int)
    parser.add_argument("--prisma", type=int, choices=[6, 7])
    parser.add_argument("--seed", default="aramid")
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("--keep")
    parser.add_argument("--verdict")
    return parser.parse_args()


def main():
    args = options()
    home = find_oracle()
    if not home:
        print("psl_compare: skipped, Prisma's engine is not installed (tools/setup-npm)")
        return 77
    program = find_program(args.verdict)
    schemas = [case for case in read(args.schemas or [GOLDEN])
               if not any(EXTERNAL.search(DATASOURCE.search(text).group())
                          for _, text in case[1] if DATASOURCE.search(text))]
    count = args.mutants if args.mutants is not None else 20000 if args.all else args.sample
    good = True
    for generation in [args.prisma] if args.prisma else [7, 6]:
        plain = compare(home, program, generation, schemas)
        if args.mutants is None:
            plain.report(f"Prisma {generation}, schemas", args.show)
        mutants = compare(home, program, generation,
                          (mutant(plain.valid, args.seed, number)
                           for number in range(count if plain.valid else 0)))
        mutants.report(f"Prisma {generation}, mutants", args.show)
        good &= not plain.different and not mutants.different
        good &= mutants.line_share() >= SAME_LINE
        if args.keep:
            keep(args.keep, generation, plain.different + mutants.different + mutants.other_line)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
