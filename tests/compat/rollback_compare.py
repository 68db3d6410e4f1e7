#!/usr/bin/python3
"""usage: tests/compat/rollback_compare.py FOLDER...

Each migration of each real history (a folder in Prisma's layout) up, down by the script that Aramid derives, and up again,
on a private server. Prints how many lead back to an equal catalog, and why the others do not. Exits with 1 where fewer than
99 of 100 lead back (also where rows that stay keep the migration from being applied again).

ARAMID_BIN is the program (build/release/aramid). The histories are fetched by whoever runs this, and never committed.
"""

import collections
import os
import shutil
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid, wait  # noqa: E402
from harness.project import Project  # noqa: E402

WANTED = 0.99


def compare(folder):
    """All migrations of a history, and those that do not lead back."""
    with tempfile.TemporaryDirectory(prefix="aramid-rollback-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        project = Project(path)
        shutil.rmtree(project.migrations)
        shutil.copytree(folder, project.migrations)
        found = aramid.run("verify-rollback", "--all", "--json", cwd=project.path)
        assert found.rc in (0, 27), found
        return found.json["migrations"]


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    wait.PATIENCE = 3600
    good = total = 0
    for folder in sys.argv[1:]:
        proofs = compare(folder)
        states = collections.Counter(p["state"] for p in proofs)
        print(f"{folder}: {len(proofs)} migrations, {dict(states)}")
        for p in proofs:
            total += 1
            good += p["state"] in ("leads-back", "irreversible", "rows-stay")
            if p["state"] != "leads-back":
                print(f"  {p['name']}: {p['state']}: {p['why'].splitlines()[0]}")
    print(f"{good} of {total} lead back to an equal catalog ({100 * good / total:.1f} %)")
    return 0 if good >= WANTED * total else 1


if __name__ == "__main__":
    sys.exit(main())
