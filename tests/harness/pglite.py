"""PGlite behind its socket server: one session for all clients, as in `prisma dev`."""

import contextlib
import os
import shutil
import subprocess

import psycopg2

from . import wait
from .cluster import NPM, free_port

SCRIPT = os.path.join(NPM, "@electric-sql", "pglite-socket", "dist", "scripts", "server.js")


def available():
    return os.path.exists(SCRIPT) and shutil.which("node") is not None


def _connected(url):
    with contextlib.suppress(psycopg2.OperationalError):
        return psycopg2.connect(url)
    return None


DEV = os.path.join(NPM, "@prisma", "dev", "dist", "index.js")
NODE = os.environ.get("ARAMID_TEST_NODE", "node")
START = """const { startPrismaDevServer } = await import(process.argv[1]);
const { database } = await startPrismaDevServer({ name: "tests", persistenceMode: "stateless" });
console.log("at " + database.connectionString);
setInterval(() => {}, 1000);
"""


def has_prisma_dev():
    """It needs SQLite in Node, which has it since 22.5; ARAMID_TEST_NODE names another one than that on the path."""
    if not os.path.exists(DEV) or not shutil.which(NODE):
        return False
    found = subprocess.run([NODE, "-e", "require('node:sqlite')"], capture_output=True, check=False)
    return found.returncode == 0


class PGlite:
    def __init__(self, port, database="postgres"):
        self.plain_url = f"postgresql://postgres:postgres@127.0.0.1:{port}/{database}"
        self.url = f"{self.plain_url}?sslmode=disable"

    def sql(self, query):
        """On a connection that is closed again: there may be room for one only."""
        conn = wait.until(lambda: _connected(self.url), "a connection", 0.1)
        conn.autocommit = True
        with contextlib.closing(conn), conn.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []

    def one(self, query):
        return self.sql(query)[0][0]

    def settings(self):
        return dict(self.sql("SELECT name, setting FROM pg_settings"))


@contextlib.contextmanager
def started(connections):
    port = free_port()
    with subprocess.Popen(["node", SCRIPT, "-m", str(connections), "-p", str(port), "-d", "memory://"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        server = PGlite(port)
        try:
            wait.until(lambda: _connected(server.url), "PGlite", 0.3).close()
            yield server
        finally:
            process.kill()


@contextlib.contextmanager
def prisma_dev(folder):
    """The real `prisma dev`, with nothing kept."""
    with subprocess.Popen([NODE, "--input-type=module", "-e", START, f"file://{DEV}"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)}) as process:
        try:
            line = next((x for x in process.stdout if x.startswith("at ")), "")
            yield PGlite(int(line.rpartition(":")[2].partition("/")[0]), "template1")
        finally:
            process.kill()
