#!/usr/bin/python3
"""usage: tests/compat/tool_compare.py [--prelude FILE.sql] TOOL FOLDER...

Applies each real history of another tool (drizzle, drizzle-1, supabase, dbmate) twice on a cluster of its own: with
Aramid and with the tool. Catalogs and history tables must be equal, and each must call the other's database up to date;
then both again in turns, half of the history by each, in both orders. FILE runs in each database before (roles and
schemas of a platform). Exits with 1 when something differs.

ARAMID_BIN is the program (build/release/aramid), ARAMID_TEST_PG the server's major version.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import catalog, tools  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402


def place(tool, source, keep=None):
    """The history in the tool's folder; keep: only so many of its migrations."""
    target = os.path.join(tool.path, tool.folder)
    shutil.rmtree(target)
    shutil.copytree(source, target)
    journal = os.path.join(target, "meta", "_journal.json")
    if os.path.exists(journal):
        with open(journal, encoding="utf-8") as file:
            text = json.load(file)
        names = [entry["tag"] for entry in text["entries"]]
        with open(journal, "w", encoding="utf-8") as file:
            json.dump({**text, "entries": text["entries"][:keep]}, file)
    else:
        names = sorted(name for name in os.listdir(target) if name[:1].isdigit())
        for name in names[keep:] if keep is not None else []:
            path = os.path.join(target, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    return len(names)


def in_turns(server, tool, source, prelude):
    """Half by one, half by the other; for both orders, the database and what went wrong."""
    half = (place(tool, source) + 1) // 2
    for first, then in ((tool.deploy, tool.apply), (tool.apply, tool.deploy)):
        db = server.new_database()
        db.sql(prelude)
        place(tool, source, half)
        said = first(db)
        place(tool, source)
        said = said if said.rc else then(db)
        yield db, said


def compare(server, tool, source, prelude):
    """Lines about what is not equal."""
    place(tool, source)
    ours, theirs = server.new_database(), server.new_database()
    for db in ours, theirs:
        db.sql(prelude)
    said = tool.deploy(ours)
    if said.rc:
        return [f"aramid deploy: {said}"]
    done = tool.apply(theirs)
    if done.rc:
        return [f"{tool.package}: {done}"]
    expected, rows = catalog.dump(theirs), tool.rows(theirs)
    found = [f"catalog: {line}" for line in catalog.difference(catalog.dump(ours), expected)]
    print(f"{source}: {len(rows)} migrations, {len(expected)} lines of catalog")
    found += [f"rows: {line}" for line in catalog.difference(tool.rows(ours), rows)]
    for db in ours, theirs:
        status = tool.aramid("status", db, "--json").json
        if status["state"] != "up-to-date" or status["edited"] or status["missing"]:
            found.append(f"status: {status['state']}, edited {status['edited']}, missing {status['missing']}")
        for again in tool.deploy, tool.apply:
            said = again(db)
            if said.rc or tool.rows(db) != rows:
                found.append(f"not up to date: {said}")
    for db, said in in_turns(server, tool, source, prelude):
        if said.rc:
            found.append(f"in turns: {said}")
        elif tool.rows(db) != rows or catalog.dump(db) != expected:
            found.append("in turns: another catalog, or other rows")
    return found


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--prelude")
    args.add_argument("tool", choices=[t.name for t in tools.TOOLS])
    args.add_argument("folders", nargs="+")
    args = args.parse_args()
    kind = next(t for t in tools.TOOLS if t.name == args.tool)
    if kind.missing():
        sys.exit(f"{kind.package} is not installed: make test installs it")
    prelude = "SELECT 1"
    if args.prelude:
        with open(args.prelude, encoding="utf-8") as file:
            prelude = file.read()
    server = Server(default_bindir()).start()
    bad = 0
    try:
        for source in args.folders:
            with tempfile.TemporaryDirectory(prefix="aramid-tool-") as path:
                found = compare(server, kind(path), source, prelude)
            bad += bool(found)
            for line in found[:20]:
                print(f"  {line}")
    finally:
        server.remove()
    print(f"{len(args.folders) - bad} of {len(args.folders)} equal")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
