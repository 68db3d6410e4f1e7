#!/usr/bin/python3
"""usage: tests/compat/history_compare.py FOLDER...

Deploys each real history (a folder in Prisma's layout) twice on a cluster of its own: with Aramid and
with Prisma's engine. The catalogs and the history tables must be equal, and each tool must call the
other's database up to date. Exits with 1 when something differs.

ARAMID_BIN is the program (build/release/aramid), ARAMID_TEST_PG the server's major version.
"""

import os
import shutil
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid, catalog, oracle  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

LEDGER = ("SELECT migration_name, checksum, applied_steps_count, logs IS NULL, rolled_back_at IS NULL, "
          "finished_at IS NOT NULL FROM _prisma_migrations ORDER BY started_at")


def compare(server, folder):
    """Lines about what is not equal."""
    with tempfile.TemporaryDirectory(prefix="aramid-history-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        project = Project(path)
        shutil.rmtree(project.migrations)
        shutil.copytree(folder, project.migrations)
        ours, theirs = server.new_database(), server.new_database()
        said = aramid.deploy(project, ours.url())
        if said.rc:
            return [f"aramid deploy: {said}"]
        done = oracle.finish(oracle.start(project, theirs.url(), "migrate", "deploy"), 900)
        if done.rc:
            return [f"prisma migrate deploy: {done}"]
        found = [f"catalog: {line}" for line in catalog.difference(catalog.dump(ours), catalog.dump(theirs))]
        rows = ours.sql(LEDGER)
        print(f"{folder}: {len(rows)} migrations, {len(catalog.dump(ours))} lines of catalog")
        if rows != theirs.sql(LEDGER):
            found.append("the history tables differ")
        for verb in ("status", "deploy"):
            mine = aramid.run(verb, "--url", theirs.url(), cwd=project.path)
            other = oracle.prisma(project, ours.url(), "migrate", verb)
            if mine.rc:
                found.append(f"aramid {verb} on Prisma's: {mine}")
            if other.rc or not any(words in other.text for words in ("up to date", "No pending")):
                found.append(f"prisma migrate {verb} on Aramid's: {other}")
        return found


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    if not oracle.available():
        print("Prisma is not installed (tools/setup-npm)", file=sys.stderr)
        return 2
    server = Server(default_bindir())
    server.start()
    try:
        found = [line for folder in sys.argv[1:] for line in compare(server, folder)]
    finally:
        server.remove()
    print("\n".join(found) or "all equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
