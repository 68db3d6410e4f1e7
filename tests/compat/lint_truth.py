#!/usr/bin/python3
"""usage: tests/compat/lint_truth.py [--server 13,15,18] [--show N] FOLDER...

What `aramid lint` claims of each statement of real histories (folders in Prisma's layout) against what a server does: each
statement is run, and what it locks of the tables that were there before its file (pg_locks), what it rewrites, checks and
builds (the server's own messages at client_min_messages = debug1) is compared with the claims. Prints how many statements
agree; exits with 1 below 99.5 of 100, or where a rewrite or a check was not claimed.

ARAMID_BIN is the program (build/release/aramid). The histories are fetched by whoever runs this, and never committed.
"""

import argparse
import collections
import os
import re
import shutil
import sys
import tempfile

import psycopg2

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid, cluster, wait  # noqa: E402
from harness.locks_trace import TABLES, compare, run  # noqa: E402
from harness.project import Project  # noqa: E402

WANTED = 0.995
def follow(folder, server):
    """Each statement of a history: (place, differences)."""
    with tempfile.TemporaryDirectory(prefix="aramid-truth-", dir="/tmp") as path:
        project = Project(path)
        shutil.rmtree(project.migrations)
        shutil.copytree(folder, project.migrations)
        result = aramid.run("lint", "--json", cwd=project.path)
        assert result.rc == 0, result
        statements = result.json["statements"]
        texts = {p: open(os.path.join(project.path, p), "rb").read().removeprefix(b"\xef\xbb\xbf")
                 for p in {s["path"] for s in statements}}
    conn = server.new_database().connect()
    conn.autocommit = True
    cursor = conn.cursor()
    cursor.execute("SET client_min_messages = debug1")
    migration, old, out = None, {}, []
    for s in statements:
        if s["migration"] != migration:
            migration = s["migration"]
            cursor.execute(TABLES)
            old = {row[0] for row in cursor.fetchall()}
        sql = texts[s["path"]][s["offset"]:s["offset"] + s["length"]].decode()
        if s["tag"].split()[0] in ("BEGIN", "COMMIT", "START", "END"):
            continue
        cursor.execute(TABLES)
        tables = {oid: name for oid, name in cursor.fetchall() if oid in old}
        try:
            locks, did = run(conn, sql, tables, "CONCURRENTLY" in s["tag"])
        except psycopg2.Error as error:
            cursor.execute("ROLLBACK")
            out.append((s, [f"not run: {str(error).splitlines()[0]}"]))
            continue
        out.append((s, compare(s["effects"], locks, did)))
    conn.close()
    return out


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", 1)[0].removeprefix("usage: "))
    parser.add_argument("--server", default="15")
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("folders", nargs="+")
    args = parser.parse_args()
    wait.PATIENCE = 600
    bad = False
    for major in args.server.split(","):
        server = cluster.Server(cluster.bindir_of(major))
        server.start()
        try:
            for folder in args.folders:
                seen = follow(folder, server)
                ran = [(s, d) for s, d in seen if not (d and d[0].startswith("not run"))]
                wrong = [(s, d) for s, d in ran if d]
                missed = [s for s, d in wrong if any("missed" in w and ("rewrites" in w or "scans" in w) for w in d)]
                print(f"{major}: {folder}: {len(ran) - len(wrong)} of {len(ran)} agree, {len(missed)} missed, "
                      f"{len(seen) - len(ran)} not run")
                for s, d in [*wrong, *[x for x in seen if x[1] and x[1][0].startswith("not run")]][:args.show]:
                    print(f"  {s['path']}:{s['line']}: {s['tag']}: {'; '.join(d)}")
                kinds = collections.Counter(re.sub(r"(\S+ \S+) \S+:", r"\1", w).split(":")[0] for s, d in wrong for w in d)
                print(f"  {dict(kinds)}" if kinds else "  no difference")
                bad = bad or missed or len(ran) - len(wrong) < WANTED * len(ran)
        finally:
            server.remove()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
