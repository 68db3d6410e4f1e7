#!/usr/bin/python3
"""Deploys over a slow network: how long they take, and how often they wait for an answer.

usage: bench/latency.py [--migrations DIR] [--count N] [--delays 0,5,25] [--rounds N] [--base OTHER_BUILD]

Each way of a connection takes so many milliseconds (a line that delays, not one that is narrow), twice of
which is a round trip. psql-batch sends each file as one message with the real psql. Rounds are interleaved;
ratios are between medians.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run as bench  # noqa: E402
from harness.cluster import Server, bindir_of, system_bindir  # noqa: E402
from harness.project import Project  # noqa: E402
from harness.proxy import Proxy  # noqa: E402


class Line:
    """Delays every byte in both directions, and keeps their order."""

    def __init__(self, server, delay_ms):
        self.server, self.delay = server, delay_ms / 1000
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)

    async def pump(self, reader, writer):
        loop, queue = asyncio.get_running_loop(), asyncio.Queue()

        async def deliver():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0, due - loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        task = loop.create_task(deliver())
        data = b"x"
        while data:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            queue.put_nowait((loop.time() + self.delay, data))
        await task

    async def connect(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        await asyncio.gather(self.pump(reader, up_writer), self.pump(up_reader, writer), return_exceptions=True)

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        self.end = asyncio.Event()
        listener = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        self.ready.set()
        await self.end.wait()
        listener.close()

    def __enter__(self):
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *exc):
        self.loop.call_soon_threadsafe(self.end.set)


def candidates_of(project, base):
    found = [bench.psql_batch(project), bench.ours(project)]
    if base:
        common = ["-C", project.path, "--url"]
        found.append(bench.Candidate("base", lambda url: [base, "deploy", *common, url]))
    return found


def measure(server, launcher, candidates, delay, rounds):
    """Milliseconds of each deploy, by candidate."""
    found = {c.name: [] for c in candidates}
    for number in range(rounds + 1):
        for candidate in candidates:
            db = server.new_database()
            server.admin("CHECKPOINT")
            with Line(server, delay) as line:
                url = db.url(port=line.port) if delay else db.url()
                result = launcher.measure(candidate.deploy(url), url, candidate)
            if number:
                found[candidate.name].append(result)
            db.drop()
    return found


def round_trips(server, launcher, candidate):
    db = server.new_database()
    with Proxy(server, record=False) as proxy:
        launcher.measure(candidate.deploy(proxy.url(db)), proxy.url(db), candidate)
        found = proxy.stats.round_trips_ready
    db.drop()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--migrations", help="folder of a real project's migrations")
    parser.add_argument("--count", type=int, default=420, help="migrations of the made history")
    parser.add_argument("--delays", default="0,5,25", help="milliseconds of one way")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--base", help="another build of aramid")
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="aramid-bench-", dir="/tmp")
    os.chmod(work, 0o755)
    project = Project(work)
    if args.migrations:
        bench.copied_history(project, args.migrations)
    else:
        bench.made_history(project, args.count)
    server = Server(system_bindir() or bindir_of(15), {"shared_buffers": "128MB", "autovacuum": "on"},
                    durable=True)
    launcher = bench.Launcher()
    try:
        server.start()
        candidates = candidates_of(project, args.base)
        count = len(project.names)
        print(f"{count} migrations, PostgreSQL {server.version}, {args.rounds} rounds, load {os.getloadavg()[0]:.1f}")
        trips = {c.name: round_trips(server, launcher, c) for c in candidates}
        print("round trips: " + ", ".join(f"{n} {t} ({t / count:.2f} a migration)" for n, t in trips.items()))
        print(f"{'round trip':>10}  " + "  ".join(f"{c.name:>28}" for c in candidates))
        for delay in (float(d) for d in args.delays.split(",")):
            found = measure(server, launcher, candidates, delay, args.rounds)
            floor = statistics.median(r["ms"] for r in found["psql-batch"])
            print(f"{2 * delay:7.0f} ms  " + "  ".join(
                f"{statistics.median(r['ms'] for r in runs):9.0f} ms x{statistics.median(r['ms'] for r in runs) / floor:5.2f}"
                f" cpu {statistics.median(r['cpu_ms'] for r in runs):5.0f}" for runs in found.values()), flush=True)
    finally:
        launcher.close()
        server.remove()
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
