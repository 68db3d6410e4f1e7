#!/usr/bin/python3
"""Compare Aramid with the real Prisma engine: is a schema valid, where is its first error, how is it
formatted.

usage: tests/compat/psl_compare.py [--sample N | --all | --mutants N] [options] [SCHEMA...]

SCHEMA is one of these; without any, tests/golden/psl/validate is taken:
  a .prisma file, or a folder of them (each file on its own)
  a git repository or REPOSITORY:FOLDER: every version of every .prisma file of its history
  a .jsonl file: {"name": ..., "files": [[path, text], ...]} a line; where "v5", "v6", "v7" say what
  that Prisma printed (or PATH:LINE of its first error, or OK), it is not asked but believed; 5 and
  6 may have been given other texts, "files_v5_v6"

--sample N   compare the schemas and N mutants of them (default: 200)
--all        the schemas and 20,000 mutants
--mutants N  only N mutants
--prisma G   generation 5, 6 or 7 (default: all; for 5 there are only answers in .jsonl files)
--seed TEXT  another series of mutants; the same seed gives the same ones
--show N     describe the first N differences (default: 20)
--keep DIR   write every schema with a difference there
--verdict P  path of psl-verdict (default: that of build/debug or build/release)

A schema is adapted to the generation: 6 wants a url in the datasource, 7 refuses it; schemas for
other databases are left out. Mutants are made of the schemas that are valid for the generation,
and only schemas, not mutants, are formatted. First error: the first that each side prints. Exit
status: 0 when every verdict and every formatted text is equal (or corrected: src/psl/README.md)
and 98 % of the first errors stand on the same line; 1 otherwise; 77 with a word when Prisma is not installed
(ARAMID_ORACLE, build/npm or build/oracle: a folder with node_modules).
"""

import argparse
import concurrent.futures
import difflib
import io
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
# Text behind a brace that opens or closes a block.
BESIDE_BRACE = re.compile(r"^(?:[ \t]*\w+[ \t]+\w+[ \t]*\{|[ \t]*\})[ \t]*[^\s]", re.M)
PLACE = re.compile(r"(.*):(\d+)")
ERROR = re.compile(r"^error: (.*?)\n  -->  (.*?):(\d+)$", re.M | re.S)


# -- The two sides ---------------------------------------------------------------------------------

class Oracle:
    """The real engine."""

    def __init__(self, home, generation):
        self.command = ["node", SERVER, home, str(generation)]
        self.process = None

    def _ask(self, **request):
        if not self.process:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def validate(self, files):
        """None when valid, else (file, line, text) of the errors, in the engine's order."""
        return errors_of(self._ask(files=files), files)

    def formatted(self, files):
        """The texts, or None when they are not valid: then `prisma format` does not write them."""
        answer = self._ask(files=files, format=True)
        return None if self.validate(answer) else [text for _, text in answer]

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def errors_of(answer, files):
    """What the engine printed, as (file, line, text)."""
    if answer is None or answer == "OK":
        return None
    names = [name for name, _ in files]
    place = PLACE.fullmatch(answer)
    if place:
        return [(names.index(place.group(1)), int(place.group(2)), "")]
    errors = [(names.index(path), int(line), text) for text, path, line in ERROR.findall(answer)]
    return errors or [(0, 0, answer)]


class Aramid:
    """Our side, through psl-verdict."""

    def __init__(self, program, generation):
        self.generation = generation
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _ask(self, what, files):
        texts = [text.encode() for _, text in files]
        head = " ".join(str(n) for n in [what, len(texts), *map(len, texts)])
        self.process.stdin.write(head.encode() + b"\n" + b"".join(texts))
        self.process.stdin.flush()
        words = self.process.stdout.readline().decode().split()
        if not words:
            self.process.wait()
            raise RuntimeError(f"psl-verdict died with {self.process.returncode}")
        return words

    def validate(self, files):
        """None when valid, else (file, line, id) of the errors, in the order that users see."""
        words = self._ask(self.generation, files)
        if words[0] == "valid":
            return None
        errors = [word.split(":") for word in words[1:]]
        return [(int(f), int(line), rule) for f, line, rule in errors]

    def format(self, files):
        """The texts, or None when they cannot be read."""
        words = self._ask("format", files)
        if words[0] != "formatted":
            return None
        return [self.process.stdout.read(int(n)).decode() for n in words[1:]]

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
            body += '  url      = env("DATABASE_URL")\n'
        return f"{head}\n{body}}}"
    return DATASOURCE.sub(block, text)


class Case:
    """One schema; `recorded` is what each generation of Prisma printed, where that is known."""

    def __init__(self, name, files, recorded=None):
        self.name = name
        self.files = files
        self.recorded = recorded or {}

    def for_generation(self, generation):
        if generation in self.recorded:
            files, answer = self.recorded[generation]
            return Case(self.name, files, {generation: answer})
        return Case(self.name, [(path, adapt(text, generation)) for path, text in self.files])

    def is_foreign(self):
        blocks = [DATASOURCE.search(text) for _, text in self.files]
        return any(EXTERNAL.search(block.group()) for block in blocks if block)


def read(paths):
    for path in paths:
        folder = path.partition(":")[0]
        if path.endswith(".jsonl"):
            yield from read_lines(path)
        elif os.path.exists(os.path.join(folder, ".git")) or folder.endswith(".git") or \
                os.path.exists(os.path.join(folder, "objects")):
            yield from read_history(folder, path.partition(":")[2])
        else:
            yield from read_files(path)


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            files = [tuple(f) for f in case["files"]]
            older = [(path, adapt(text, 6)) for path, text in files]
            older = [tuple(f) for f in case.get("files_v5_v6", older)]
            yield Case(case["name"], files,
                       {generation: (files if generation == 7 else older, case[f"v{generation}"])
                        for generation in (5, 6, 7) if f"v{generation}" in case})


def read_files(path):
    found = [path]
    if os.path.isdir(path):
        found = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path)
                       for name in names if name.endswith(".prisma"))
    for name in found:
        with open(name, encoding="utf-8", newline="") as text:
            yield Case(os.path.relpath(name), [("schema.prisma", text.read())])


def read_history(repository, folder):
    """Every version, each once, oldest first."""
    def git(*args, **options):
        return subprocess.run(["git", "-C", repository, *args], check=True, capture_output=True,
                              **options).stdout
    log = git("log", "--all", "--reverse", "--format=", "--raw", "--no-abbrev", "--no-renames",
              "--", os.path.join(folder, "*.prisma"))
    versions = {}
    for line in log.decode().splitlines():
        words, _, path = line.partition("\t")
        mode, blob = words.split()[1], words.split()[3]
        if mode.startswith("100"):
            versions.setdefault(blob, path)
    answers = io.BytesIO(git("cat-file", "--batch", input="\n".join(versions).encode()))
    for blob, path in versions.items():
        head = answers.readline().split()
        if head[1] == b"missing":
            continue
        text = answers.read(int(head[2]) + 1)[:-1]
        try:
            yield Case(f"{path} {blob[:10]}", [("schema.prisma", text.decode())])
        except UnicodeDecodeError:
            pass


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
    case = rng.choice(schemas)
    name, files = case.name, case.files
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
            return Case(f"mutant {number} ({how.__name__}) of {name}", files)
    return Case(f"mutant {number} of {name}", files)


# -- Comparison ------------------------------------------------------------------------------------

def is_corrected(files, theirs, ours):
    """Is this what src/psl/README.md lists: texts beside braces, columns of names in any script?"""
    return all(x == y or BESIDE_BRACE.search(text)
               or not text.isascii() and x.replace(" ", "") == y.replace(" ", "")
               for (_, text), x, y in zip(files, theirs, ours))


class Result:
    def __init__(self):
        self.total = self.equal = self.rejected = self.same_line = 0
        self.formatted = self.same_format = self.corrected = 0
        self.valid = []
        self.different = []
        self.other_line = []
        self.other_format = []

    def add(self, case, theirs, ours):
        self.total += 1
        if (theirs is None) != (ours is None):
            self.different.append((case, theirs, ours))
            return
        self.equal += 1
        if theirs is None:
            self.valid.append(case)
            return
        self.rejected += 1
        if (theirs[0][1] == 0 or theirs[0][:2] == ours[0][:2]
                or ours[0][2] in BETTER_PLACED and theirs[0][1] < ours[0][1]):
            self.same_line += 1
        else:
            self.other_line.append((case, theirs, ours))

    def add_format(self, case, theirs, ours):
        if theirs is None:
            return
        self.formatted += 1
        if theirs == ours:
            self.same_format += 1
        elif ours and is_corrected(case.files, theirs, ours):
            self.corrected += 1
        else:
            self.other_format.append((case, theirs, ours))

    def line_share(self):
        return self.same_line / self.rejected if self.rejected else 1.0

    def report(self, title, show):
        print(f"{title}: {self.equal} of {self.total} verdicts equal, first error on the same line "
              f"in {self.same_line} of {self.rejected} ({100 * self.line_share():.2f} %)")
        if self.formatted:
            print(f"{title}: {self.same_format} of {self.formatted} formatted texts equal, "
                  f"{self.corrected} corrected")
        describe("verdict", self.different, show)
        describe("line", self.other_line, show)
        describe_formats(self.other_format, show)


def compare(home, program, generation, cases, formats):
    """Ask both sides about every case."""
    oracle, aramid, result = Oracle(home, generation), Aramid(program, generation), Result()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for case in cases:
            case = case.for_generation(generation)
            known = generation in case.recorded
            if not known and generation == 5:
                continue
            theirs = None if known else pool.submit(oracle.validate, case.files)
            ours = aramid.validate(case.files)
            result.add(case, errors_of(case.recorded[generation], case.files) if known
                       else theirs.result(), ours)
            if formats and generation != 5:
                theirs = pool.submit(oracle.formatted, case.files)
                ours = aramid.format(case.files)
                result.add_format(case, theirs.result(), ours)
    oracle.close()
    aramid.close()
    return result


def describe(title, entries, show):
    for case, theirs, ours in entries[:show]:
        print(f"- {title}: {case.name}")
        print("    Prisma: " + ("valid" if theirs is None else
                                " | ".join(f"{f}:{n} {text[:150]}" for f, n, text in theirs[:3])))
        print("    Aramid: " + ("valid" if ours is None else
                                " ".join(f"{f}:{n}:{rule}" for f, n, rule in ours[:6])))
        for error in (theirs or [])[:1] + (ours or [])[:1]:
            lines = case.files[error[0]][1].split("\n")
            if 0 < error[1] <= len(lines):
                print(f"    line {error[1]}: {lines[error[1] - 1].strip()[:150]}")
    if len(entries) > show:
        print(f"- and {len(entries) - show} more")


def describe_formats(entries, show):
    for case, theirs, ours in entries[:show]:
        print(f"- format: {case.name}")
        for before, after in zip(theirs, ours or [""] * len(theirs)):
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "Prisma", "Aramid",
                                         lineterm="", n=1)
            for line in list(lines)[:20]:
                print(f"    {line}")
    if len(entries) > show:
        print(f"- and {len(entries) - show} more")


def keep(folder, generation, entries):
    os.makedirs(folder, exist_ok=True)
    for number, (case, _, _) in enumerate(entries):
        for path, text in case.files:
            target = f"{generation}-{number:04}-{os.path.basename(path)}"
            with open(os.path.join(folder, target), "w", encoding="utf-8", newline="") as out:
                out.write(f"{text}\n// {case.name}\n")


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
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("schemas", nargs="*")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--mutants", type=int)
    parser.add_argument("--prisma", type=int, choices=[5, 6, 7])
    parser.add_argument("--seed", default="aramid")
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("--keep")
    parser.add_argument("--verdict")
    return parser.parse_args()


def main():
    args = options()
    home = find_oracle()
    program = find_program(args.verdict)
    schemas = [case for case in read(args.schemas or [GOLDEN])
               if case.recorded or not case.is_foreign()]
    count = args.mutants if args.mutants is not None else 20000 if args.all else args.sample
    if not home and (count or not all(case.recorded for case in schemas)):
        print("psl_compare: skipped, Prisma's engine is not installed (tools/setup-npm)")
        return 77
    good = True
    for generation in [args.prisma] if args.prisma else [7, 6, 5]:
        plain = compare(home, program, generation, schemas, home and args.mutants is None)
        if plain.total and args.mutants is None:
            plain.report(f"Prisma {generation}, schemas", args.show)
        mutants = compare(home, program, generation,
                          (mutant(plain.valid, args.seed, number)
                           for number in range(count if plain.valid and generation != 5 else 0)),
                          False)
        if mutants.total:
            mutants.report(f"Prisma {generation}, mutants", args.show)
        good &= not plain.different and not mutants.different and not plain.other_format
        good &= plain.line_share() >= SAME_LINE and mutants.line_share() >= SAME_LINE
        if args.keep:
            keep(args.keep, generation, plain.different + plain.other_line + plain.other_format
                 + mutants.different + mutants.other_line)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
