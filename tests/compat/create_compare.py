#!/usr/bin/python3
"""usage: tests/compat/create_compare.py [--deploy] [NAME...]

For each pair of schemas of tests/golden/diff: `aramid create` writes the migration to the first and the one from
there to the second. Below our own lines its SQL (--prisma-compat) must be what Prisma's engine wrote, but for what a database
prints in another order or way; --deploy also applies both with Prisma's engine and with Aramid: the catalogs must be
equal, and `aramid check` must find nothing. Exits with 1 when something differs.

ARAMID_BIN is the program (build/release/src/cli/aramid).
"""

import difflib
import json
import os
import re
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/src/cli/aramid"))

from harness import aramid, catalog, oracle  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

GOLDEN = os.path.join(REPO, "tests", "golden", "diff", "schemas.jsonl")


def bare(text):
    """Without our first lines and the comment of warnings."""
    if re.match(r"-- [^\n]*, locks: ", text):
        text = text.split("\n\n", 1)[1]
    return re.sub(r"\A/\*\n  Warnings:.*?\n\*/\n", "", text, flags=re.S).strip()


def create(project, schema, name):
    project.write("prisma/schema.prisma", schema)
    return aramid.run("create", name, "--no-rename", "--prisma-compat", cwd=project.path)


def compare(pair, server):
    """What differs: lines; None where a schema is refused."""
    with tempfile.TemporaryDirectory(prefix="aramid-create-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        project = Project(path, bare=True)
        os.rmdir(project.migrations)
        if not (pair["from_schema"] and pair["to_schema"]):
            return None
        first = create(project, pair["from_schema"], "to the first")
        if first.rc not in (0, 60):
            return None if first.rc == 6 else [repr(first)]
        second = create(project, pair["to_schema"], "to the second")
        if second.rc not in (0, 60):
            return None if second.rc == 6 else [repr(second)]
        ours = ""
        if second.rc == 0:
            with open(project.file(project.names[-1]), encoding="utf-8") as file:
                ours = bare(file.read())
        theirs = "" if "empty migration" in pair["sql"] else pair["sql"].strip()
        found = list(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "prisma", "aramid", lineterm=""))
        return found + (deploy(project, server) if server and project.names else [])


def deploy(project, server):
    ours, theirs = server.new_database(), server.new_database()
    said = aramid.deploy(project, ours.url())
    done = oracle.deploy(project, theirs.url())
    if said.rc or done.rc:
        return [repr(said), repr(done)]
    found = catalog.difference(catalog.dump(ours), catalog.dump(theirs))
    check = aramid.run("check", cwd=project.path)
    return found + ([repr(check)] if check.rc else [])


def main():
    words = sys.argv[1:]
    server = None
    if "--deploy" in words:
        words.remove("--deploy")
        server = Server(default_bindir()).start()
    with open(GOLDEN, encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    equal, refused, differ = 0, 0, []
    try:
        for pair in pairs:
            if words and pair["name"] not in words:
                continue
            found = compare(pair, server)
            refused += found is None
            equal += found == []
            if found:
                differ.append(pair["name"])
                print("\n".join([f"=== {pair['name']}", *found]), flush=True)
    finally:
        if server:
            server.remove()
    print(f"{equal} equal, {len(differ)} differ, {refused} refused: {' '.join(differ)}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
