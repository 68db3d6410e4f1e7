#!/usr/bin/python3
"""Compare `aramid pull` with `db pull` of the real Prisma engine.

usage: tests/compat/pull_compare.py [options] [SOURCE...]

SOURCE is a case of tests/golden/pull (a folder with input.sql, and perhaps previous.prisma), or a
folder of migrations in Prisma's layout, which is deployed first; schema.prisma beside that is the
schema that is there already. FOLDER=REPOSITORY:PATH pulls over every version of a schema.prisma in a
git history instead: the result must be valid, stay as it is when pulled again, and be no other
database than the schema that is pulled anew. REPOSITORY:PATH does so with --pairs N databases, each
made of a version and pulled over another one or over a mutant; over the version that it was made of
nothing may change. Without any source, all golden cases are taken.

Each database is pulled anew and, where there is a schema, over it. Told are the differences to
Prisma's text (over a schema: without comments, order and layout, which Prisma does not keep), and it is an error when Prisma calls the result invalid, when a second pull changes
anything, or when the script that makes the schema on an empty database does not lead to the same
schema again (--no-remake leaves that out). Where the two databases differ as far as Prisma's language
goes, in the eyes of Aramid's differ, that is told, too.

--count N    of the versions take N at random
--pairs N    number of such databases (default: 20)
--prisma G   generation 6 or 7 (default: 7)
--show N     lines of each difference (default: 40)

Exit status: 0 when there is no error, differences or not; 1 otherwise; 77 with a word when Prisma is
not installed.
"""

import argparse
import difflib
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

from diff_compare import Script, adapt, find_program, versions_of
from psl_compare import Case, REPO, find_oracle, mutant

sys.path.insert(0, os.path.join(REPO, "tests"))

from harness import aramid  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

GOLDEN = os.path.join(REPO, "tests", "golden", "pull")
SERVER = os.path.join(REPO, "tests", "compat", "pull_oracle.mjs")
TOOLS = os.path.join(REPO, "build", "debug", "tests", "unit")
# What a schema alone does not make again, and why.
NOT_REMADE = {
    "constraints-18": "a column that was generated",
    "domains": "a domain is its base type",
    "migtable": "the differ leaves tables of these names alone",
    "odd-types": "types and schemas that Prisma does not make",
    "serials": "a sequence of its own; a column that was generated",
    "types": "composite types",
    "views": "views",
}
EMPTY = 'datasource db {\n  provider = "postgresql"\n}\n'


class Oracle:
    def __init__(self, home, generation):
        self.process = subprocess.Popen(["node", SERVER, home], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        env=dict(os.environ, ORACLE_PRISMA=str(generation)))

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def pull(url, previous, *args):
    """The text that aramid would write, or what it said."""
    with tempfile.TemporaryDirectory(prefix="aramid-pull-") as folder:
        os.mkdir(os.path.join(folder, "prisma"))
        with open(os.path.join(folder, "prisma", "schema.prisma"), "w", encoding="utf-8") as file:
            file.write(previous)
        done = aramid.run("pull", "--print", "--url", url, *args, cwd=folder)
    return done.out if done.rc == 0 else f"ERROR {done.err}"


def config_of(text):
    """The generators and the datasource of a schema."""
    return "\n\n".join(re.findall(r"^(?:generator|datasource) \w+ \{.*?^\}", text, re.M | re.S)) + "\n"


def squeezed(line):
    """A line without its layout, and with previewFeatures in Prisma's order."""
    line = re.sub(r"\s+", " ", line).strip()
    if line.startswith("previewFeatures"):
        line = "previewFeatures = " + ", ".join(sorted(re.findall(r'"\w+"', line)))
    return line


def bare(text):
    """What a schema says, without comments, order of lines and layout."""
    blocks, current = {}, None
    for line in text.split("\n"):
        line = squeezed(re.sub(r"\s//.*", "", line))
        if line.startswith("//"):
            continue
        if line.endswith("{"):
            current = blocks.setdefault(line, [])
        elif line == "}":
            current = None
        elif line and current is not None:
            current.append(line)
    return [line for head in sorted(blocks) for line in [head, *sorted(blocks[head])]]


def changed(before, after, names):
    return [line for line in difflib.unified_diff(before, after, *names, lineterm="", n=0)
            if not line.startswith("@@")]


def without_comments(text):
    return [line for line in text.split("\n") if not line.lstrip().startswith("///")]


class Comparison:
    def __init__(self, args, oracle, script, server):
        self.args, self.oracle, self.script, self.server = args, oracle, script, server
        self.equal, self.different, self.errors, self.invalid = 0, 0, [], 0
        self.remade, self.remade_differ = 0, 0
        self.versions, self.refused = 0, 0

    def error(self, name, text):
        self.errors.append(f"{name}: {text}")

    def one(self, name, db, previous, force):
        flags = ["--force"] if force else []
        ours = pull(db.url(), previous, *flags)
        theirs = self.oracle.ask(url=db.url(), files=[["schema.prisma", previous]], force=force)
        if "error" in theirs:
            print(f"- {name}: Prisma: {theirs['error'][:200]}")
            return ours
        their_text = theirs["files"][0][1]
        self.invalid += not theirs["valid"]
        view = bare if not force else lambda text: [squeezed(line) for line in text.split("\n")]
        lines = changed(view(their_text), view(ours), ("Prisma", "Aramid"))[2:]
        self.equal += not lines
        self.different += bool(lines)
        if lines:
            print(f"- {name}{'' if theirs['valid'] else ' (what Prisma writes is not valid)'}")
            print("\n".join("    " + line[:160] for line in lines[:self.args.show]))
        if ours.startswith("ERROR"):
            self.error(name, ours)
            return ours
        verdict = self.oracle.ask(validate=[["schema.prisma", ours]])
        if not verdict["ok"]:
            self.error(name, f"Prisma refuses it: {verdict['message'][:600]}")
        again = pull(db.url(), ours)
        if again != ours:
            lines = changed(ours.split("\n"), again.split("\n"), ("first", "second"))
            self.error(name, "a second pull changes it\n" + "\n".join(lines[:20]))
        return ours

    def remake(self, name, db, text):
        """What the schema makes of nothing has the same schema."""
        sql = self.script.ask(None, adapt(text, self.args.prisma), "default")
        if sql is None:  # Prisma 6 has no partial indexes
            if self.args.prisma == 7:
                self.error(name, "diff-script refuses the schema")
            return
        made = self.server.new_database()
        extensions = db.sql("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
        try:
            for (extension,) in extensions:
                made.sql(f'CREATE EXTENSION IF NOT EXISTS "{extension}"')
            made.sql(sql)
        except Exception as failure:  # pylint: disable=broad-except
            self.error(name, f"its script fails: {str(failure)[:300]}")
            return
        self.remade += 1
        again = pull(made.url(), config_of(text), "--force")
        text = re.sub(r"// model .*\n// }\n+", "", text) # tables without columns are not made
        lines = changed(without_comments(text), without_comments(again), ("pulled", "made again"))
        if lines:
            self.error(name, "not the same when made again\n" + "\n".join(lines[:self.args.show]))
        left = self.catalog_difference(db, made)
        if left:
            self.remade_differ += 1
            lines = [line for line in left.split("\n") if line and not line.startswith("--")]
            print(f"- {name}: the differ, between the database and one made of the schema")
            print("\n".join("    " + line for line in lines[:self.args.show]))
        made.drop()

    def catalog_difference(self, db, made):
        """What the differ has to do to the one to make it the other."""
        with tempfile.TemporaryDirectory(prefix="aramid-pull-") as folder:
            paths = []
            for number, database in enumerate((db, made)):
                paths.append(os.path.join(folder, f"{number}.json"))
                with open(paths[-1], "wb") as file:
                    subprocess.run([os.path.join(TOOLS, "introspect", "dump-catalog"), "-p", "-s", "public",
                                    database.url()], stdout=file, check=True)
            done = subprocess.run([os.path.join(TOOLS, "render", "catalog-diff"), *paths], text=True,
                                  stdout=subprocess.PIPE, check=False)
            assert done.returncode in (0, 1), "catalog-diff failed"
            return done.stdout

    def over_version(self, name, db, previous, fresh):
        ours = pull(db.url(), previous)
        if "has errors" in ours:
            self.refused += 1
            return
        self.versions += 1
        if ours.startswith("ERROR"):
            self.error(name, ours)
            return
        verdict = self.oracle.ask(validate=[["schema.prisma", ours]])
        if not verdict["ok"]:
            self.error(name, f"Prisma refuses it: {verdict['message'][:600]}")
        lines = changed(ours.split("\n"), pull(db.url(), ours).split("\n"), ("first", "second"))
        if lines:
            self.error(name, "a second pull changes it\n" + "\n".join(lines[:20]))
        script = self.script.ask(fresh, ours, "compat") or "refused"
        if "empty migration" not in script:
            self.error(name, f"not what is pulled anew:\n{script[:1500]}")

    def history(self, folder, source):
        db = self.server.new_database()
        deploy(db, folder)
        versions = versions_of(source)
        if self.args.count:
            versions = random.Random("aramid").sample(versions, min(self.args.count, len(versions)))
        fresh = {}
        for name, text in versions:
            previous = adapt(text, self.args.prisma)
            config = config_of(previous)
            if config not in fresh:
                fresh[config] = pull(db.url(), config, "--force")
            self.over_version(name, db, previous, fresh[config])
        db.drop()

    def pair(self, made_of, over, name):
        """Whether there was something to do."""
        sql = self.script.ask(None, made_of, "default")
        if sql is None or self.script.ask(None, over, "default") is None:
            return False
        db = self.server.new_database()
        db.sql("CREATE EXTENSION citext; CREATE EXTENSION pg_trgm")
        db.sql(sql)
        self.over_version(name, db, over, pull(db.url(), config_of(over), "--force"))
        lines = changed(made_of.split("\n"), pull(db.url(), made_of).split("\n"), ("was", "is"))
        if lines:
            self.error(name, "changed over its own schema\n" + "\n".join(lines[:20]))
        db.drop()
        return True

    def pairs(self, source):
        versions = [adapt(text, self.args.prisma) for _, text in versions_of(source)]
        rng, number, done = random.Random("aramid"), 0, 0
        while done < self.args.pairs:
            number += 1
            made_of, over = rng.choice(versions), rng.choice(versions)
            if number % 2:
                case = Case("", [("schema.prisma", made_of)])
                over = mutant([case], "pull", number).files[0][1]
            done += self.pair(made_of, over, f"pair {number} of {os.path.basename(source)}")

    def case(self, name, db, previous):
        config = adapt(config_of(previous) if previous else EMPTY, self.args.prisma)
        fresh = self.one(f"{name} (new)", db, config, True)
        if previous and previous.strip() != config.strip():
            self.one(f"{name} (over)", db, previous, False)
        if not self.args.no_remake and name not in NOT_REMADE and not fresh.startswith("ERROR"):
            self.remake(name, db, fresh)


def deploy(db, folder):
    with tempfile.TemporaryDirectory(prefix="aramid-pull-", dir="/tmp") as path:
        project = Project(path)
        shutil.rmtree(project.migrations)
        shutil.copytree(folder, project.migrations)
        done = aramid.deploy(project, db.url())
        assert done.rc == 0, done


def options():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--prisma", type=int, choices=[6, 7], default=7)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--show", type=int, default=40)
    parser.add_argument("--no-remake", action="store_true")
    return parser.parse_args()


def main():
    args = options()
    home = find_oracle()
    if not home:
        print("pull_compare: skipped, Prisma's engine is not installed (tools/setup-npm)")
        return 77
    server = Server(default_bindir()).start()
    work = Comparison(args, Oracle(home, args.prisma), Script(find_program(None), args.prisma), server)
    try:
        for source in args.sources or sorted(glob.glob(os.path.join(GOLDEN, "*"))):
            if "=" in source:
                work.history(*source.split("=", 1))
                continue
            if ":" in source:
                work.pairs(source)
                continue
            path = os.path.join(source, "input.sql")
            since = re.match(r"-- since (\d+)", read(path)) if os.path.exists(path) else None
            if since and server.major < int(since[1]):
                print(f"- {os.path.basename(source)}: skipped, it needs PostgreSQL {since[1]}")
                continue
            db = server.new_database()
            name, previous = os.path.basename(source.rstrip("/")), ""
            if os.path.exists(os.path.join(source, "input.sql")):
                db.sql(read(os.path.join(source, "input.sql")))
                beside = os.path.join(source, "previous.prisma")
            else:
                deploy(db, source)
                beside = os.path.join(os.path.dirname(source.rstrip("/")), "schema.prisma")
            if os.path.exists(beside):
                previous = adapt(read(beside), args.prisma)
            work.case(name, db, previous)
            db.drop()
    finally:
        server.remove()
    if work.versions:
        print(f"{work.versions} versions pulled over, {work.refused} with errors of their own")
    print(f"Prisma {args.prisma}: {work.equal} texts equal, {work.different} different; "
          f"{work.invalid} of Prisma's are not valid; {work.remade} made again, "
          f"{work.remade_differ} with differences; {len(work.errors)} errors")
    print("\n".join(work.errors))
    return 1 if work.errors else 0


if __name__ == "__main__":
    sys.exit(main())
