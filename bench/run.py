#!/usr/bin/python3
"""Measures Aramid against the real psql, and against other tools where they are installed.

usage: bench/run.py [--migrations DIR] [--count N] [--rounds N] [--rivals a,b] [--json FILE]

The history is a real one (--migrations, a folder in Prisma's layout) or a made one of --count
migrations. The server is a cluster of its own with PostgreSQL's default settings, fsync on.

Every round runs every candidate once, in turn, so that a slow minute of the machine hits all of them
alike. Ratios are between minima. `psql-batch` sends each file as one message with the real psql and
keeps no history: the floor that a client can reach. Exits with 1 when a figure misses its target.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness import oracle  # noqa: E402
from harness.cluster import Server, bindir_of, client_tool, system_bindir  # noqa: E402
from harness.project import Project  # noqa: E402
from harness.proxy import Proxy  # noqa: E402

BINARY = os.environ.get("ARAMID_BIN") or os.path.join(REPO, "build/release/aramid")
PSQL = client_tool("psql")
ARGUMENT_LIMIT = 130000  # bytes that the kernel takes as one argument


# ---- histories ---------------------------------------------------------------------------------

def made_history(project, count):
    """A history like those of real projects: tables, keys, columns, indexes, enums, some data."""
    tables = 0
    for i in range(count):
        kind = i % 7
        if kind in (0, 3) or tables < 2:
            tables += 1
            sql = (f'-- CreateTable\nCREATE TABLE "T{tables}" (\n    "id" TEXT NOT NULL,\n'
                   '    "name" TEXT NOT NULL,\n    "parentId" TEXT,\n'
                   '    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,\n\n'
                   f'    CONSTRAINT "T{tables}_pkey" PRIMARY KEY ("id")\n);\n')
            if tables > 1:
                sql += (f'\n-- AddForeignKey\nALTER TABLE "T{tables}" ADD CONSTRAINT "T{tables}_parent_fkey" '
                        f'FOREIGN KEY ("parentId") REFERENCES "T{tables - 1}"("id") ON DELETE CASCADE;\n')
        elif kind == 1:
            sql = f'-- AlterTable\nALTER TABLE "T{tables}" ADD COLUMN "c{i}" INTEGER NOT NULL DEFAULT 0;\n'
        elif kind == 2:
            sql = f'-- CreateIndex\nCREATE INDEX "i{i}" ON "T{tables}"("name", "createdAt");\n'
        elif kind == 4:
            sql = f"-- CreateEnum\nCREATE TYPE \"E{i}\" AS ENUM ('A', 'B', 'C');\n"
        elif kind == 5:
            sql = (f'INSERT INTO "T1" ("id", "name") SELECT \'{i}-\' || g, \'n\' || g '
                   "FROM generate_series(1, 50) g;\n")
        else:
            sql = (f'CREATE INDEX CONCURRENTLY "i{i}" ON "T{tables}"("parentId");\n' if i % 2 else
                   f'BEGIN;\nALTER TABLE "T{tables}" ADD COLUMN "d{i}" TEXT;\nCOMMIT;\n')
        project.add(f"m{i:04}", sql)


def copied_history(project, folder):
    """The migrations of a real project; nothing else of it."""
    shutil.rmtree(project.migrations)
    shutil.copytree(folder, project.migrations)


def texts(project):
    found = []
    for name in project.names:
        with open(project.file(name), encoding="utf-8") as f:
            found.append((name, f.read()))
    return found


def dbmate_folder(project):
    folder = os.path.join(project.path, "dbmate")
    os.makedirs(folder)
    for i, (_, sql) in enumerate(texts(project)):
        alone = " transaction:false" if "CONCURRENTLY" in sql.upper() else ""
        with open(f"{folder}/{20200101000000 + i}_m.sql", "w", encoding="utf-8") as out:
            out.write(f"-- migrate:up{alone}\n{sql}\n\n-- migrate:down\n")
    return folder


# ---- candidates --------------------------------------------------------------------------------

class Candidate:
    """Argument vectors for the three jobs; None where a tool has no such job."""

    def __init__(self, name, deploy, status=None, no_op=None, cwd=None, env=None):
        self.name = name
        self.deploy, self.status, self.no_op = deploy, status, no_op
        self.cwd = cwd
        self.env = env


def psql_batch(project):
    arguments = []
    for name, sql in texts(project):
        if len(sql.encode()) > ARGUMENT_LIMIT:
            sys.exit(f"bench: {name} is too large for an argument of psql")
        arguments += ["-c", sql]
    base = [PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    return Candidate("psql-batch", lambda url: base + [url, *arguments],
                     status=lambda url: base + ["-At", url, "-c", "SELECT 1"])


def ours(project):
    common = ["-C", project.path, "--url"]
    def job(command):
        return lambda url: [BINARY, command, *common, url]
    return Candidate("aramid", job("deploy"), job("status"), job("deploy"))


def rivals(project, wanted):
    found = []
    if "prisma" in wanted and oracle.available():
        project.write("prisma.config.ts", oracle.CONFIG)
        os.symlink(oracle.NPM, os.path.join(project.path, "node_modules"))
        def prisma(command):
            return lambda url: [oracle.NODE, oracle.CLI, "migrate", command]
        found.append(Candidate("prisma", prisma("deploy"), prisma("status"), prisma("deploy"),
                               project.path, oracle.environment))
    if "dbmate" in wanted and shutil.which("dbmate"):
        folder = dbmate_folder(project)
        def dbmate(command):
            return lambda url: ["dbmate", "--url", url + "?sslmode=disable", "-d", folder,
                                "--no-dump-schema", command]
        found.append(Candidate("dbmate", dbmate("migrate"), dbmate("status"), dbmate("migrate")))
    return found


# ---- measuring ---------------------------------------------------------------------------------

def counters():
    with open("/proc/stat", encoding="ascii") as f:
        cpu = [int(x) for x in f.readline().split()[1:]]
    return sum(cpu) - cpu[3] - cpu[4], sum(cpu)


def wait_for_quiet(limit=3.0, window=0.1):
    """Let other work on this machine pass; give up after `limit` seconds."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        busy, total = counters()
        time.sleep(window)
        busy_now, total_now = counters()
        if (busy_now - busy) / max(1, total_now - total) < 0.1:
            return


class Launcher:
    """bench/spawn.py, which starts and measures the candidates."""

    def __init__(self):
        self.output = os.path.join(tempfile.mkdtemp(prefix="aramid-bench-"), "output")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.join(REPO, "bench", "spawn.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, argv, url, candidate):
        env = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "LANG": "C.UTF-8",
               "TERM": "dumb"}
        if argv[0] == PSQL:
            env["PGOPTIONS"] = "-c client_min_messages=warning"
        if candidate.env:
            env = candidate.env(DATABASE_URL=url)
        wait_for_quiet()
        self.process.stdin.write(json.dumps({
            "argv": argv, "env": env, "cwd": candidate.cwd or "/", "output": self.output}) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        if result["rc"] != 0:
            with open(self.output, encoding="utf-8", errors="replace") as said:
                raise RuntimeError(f"{candidate.name} failed with {result['rc']}:\n{said.read()[-1500:]}")
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(os.path.dirname(self.output))


JOBS = ("deploy", "no_op", "status")


def rounds(server, launcher, candidates, count):
    """Interleaved rounds; the first one only warms caches up."""
    results = {job: {} for job in JOBS}
    broken = set()
    for number in range(count + 1):
        for candidate in candidates:
            if candidate.name in broken:
                continue
            db = server.new_database()
            server.admin("CHECKPOINT")
            for job in JOBS:
                make = getattr(candidate, job)
                if make is None:
                    continue
                try:
                    result = launcher.measure(make(db.url()), db.url(), candidate)
                except RuntimeError as error:
                    if candidate.name in ("aramid", "psql-batch"):
                        raise
                    print(f"left out: {error}", file=sys.stderr)
                    broken.add(candidate.name)
                    break
                if number:
                    results[job].setdefault(candidate.name, []).append(result)
            db.drop()
        print(f"\rround {number} of {count}", end="", file=sys.stderr, flush=True)
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return results


def table(title, found, floor):
    if not found:
        return
    print(f"\n{title}\n{'':12} {'min ms':>9} {'median':>9} {'x floor':>8} {'cpu ms':>8} {'MiB':>7}")
    least = min(r["ms"] for r in found[floor])
    for name, runs in found.items():
        walls = [r["ms"] for r in runs]
        print(f"{name:12} {min(walls):9.1f} {statistics.median(walls):9.1f} {min(walls) / least:8.2f} "
              f"{min(r['cpu_ms'] for r in runs):8.1f} {max(r['mib'] for r in runs):7.1f}")


def round_trips(server, launcher, candidates):
    """Counted on the wire; they do not depend on the machine."""
    found = {}
    for candidate in candidates:
        db = server.new_database()
        found[candidate.name] = {}
        for job in JOBS:
            make = getattr(candidate, job)
            if make is None:
                continue
            with Proxy(server, record=False) as proxy:
                try:
                    launcher.measure(make(proxy.url(db)), proxy.url(db), candidate)
                except RuntimeError:
                    break
                found[candidate.name][job] = proxy.stats.round_trips_ready
        db.drop()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--migrations", help="folder of a real project's migrations")
    parser.add_argument("--count", type=int, default=420, help="migrations of the made history")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rivals", default="prisma,dbmate", help="measured where installed; '' = none")
    parser.add_argument("--json", help="write all single figures to this file")
    args = parser.parse_args()
    if not os.path.exists(BINARY):
        sys.exit(f"bench: no program at {BINARY}; run `make release`")
    work = tempfile.mkdtemp(prefix="aramid-bench-", dir="/tmp")
    os.chmod(work, 0o755)
    project = Project(work)
    if args.migrations:
        copied_history(project, args.migrations)
    else:
        made_history(project, args.count)
    count = len(project.names)
    server = Server(system_bindir() or bindir_of(15), {"shared_buffers": "128MB", "autovacuum": "on"},
                    durable=True)
    launcher = Launcher()
    try:
        server.start()
        candidates = [psql_batch(project), ours(project), *rivals(project, args.rivals.split(","))]
        print(f"{count} migrations, PostgreSQL {server.version}, {args.rounds} rounds")
        results = rounds(server, launcher, candidates, args.rounds)
        trips = round_trips(server, launcher, candidates)
    finally:
        launcher.close()
        server.remove()
        shutil.rmtree(work, ignore_errors=True)

    table("Deploy to an empty database (floor: psql-batch)", results["deploy"], "psql-batch")
    floor = results["status"]["psql-batch"]
    for job, title in (("no_op", "Deploy with nothing to do"), ("status", "Status")):
        shown = {"psql-batch": floor, **results[job]}
        table(f"{title} (floor: psql -c 'SELECT 1')", shown, "psql-batch")
    print("\nRound trips after authentication")
    for name, jobs in trips.items():
        print(f"{name:12} deploy {jobs.get('deploy', 0):6} ({jobs.get('deploy', 0) / count:.2f} a migration)   "
              + "   ".join(f"{job} {jobs[job]}" for job in ("no_op", "status") if job in jobs))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump({"migrations": count, "runs": results, "round_trips": trips}, out, indent=1)
    return verdict(count, results, trips)


def verdict(count, results, trips):
    """Each figure with its target; 1 when one is missed."""
    def least(job, name, key="ms"):
        return min(r[key] for r in results[job][name])
    select_1 = least("status", "psql-batch")
    figures = [
        ("deploy / psql-batch", least("deploy", "aramid") / least("deploy", "psql-batch"), 1.15),
        ("CPU of deploy / psql-batch", least("deploy", "aramid", "cpu_ms")
         / least("deploy", "psql-batch", "cpu_ms"), 1.0),
        ("peak memory, MiB", max(r["mib"] for r in results["deploy"]["aramid"]), 20),
        ("nothing to do / psql SELECT 1", least("no_op", "aramid") / select_1, 1.5),
        ("status / psql SELECT 1", least("status", "aramid") / select_1, 1.5),
        ("round trips for each migration", trips["aramid"]["deploy"] / count, 1.1),
        ("round trips of nothing to do", trips["aramid"]["no_op"], 5),
    ]
    print("\nFigure                              is   at most")
    missed = 0
    for name, value, target in figures:
        mark = "" if value <= target else "   missed"
        missed += bool(mark)
        print(f"{name:32} {value:6.2f}   {target}{mark}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
