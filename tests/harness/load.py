"""Readers and writers on a table while something else happens, and how long each had to wait."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .cluster import client_tool
from .wait import PATIENCE


class Load:
    """pgbench clients that read and write single rows of a table with columns id and v.

        with Load(db, "big", rows=1000) as load:
            ...
        load.longest_ms
    """

    def __init__(self, db, table, rows, clients=4, rate=150):
        self.db = db
        self.folder = tempfile.mkdtemp(prefix="aramid-load-")
        self.latencies = []
        self.process = None
        read = self._script("read.sql", f"\\set i random(1, {rows})\nSELECT v FROM {table} WHERE id = :i;\n")
        write = self._script("write.sql", f"\\set i random(1, {rows})\n"
                             f"UPDATE {table} SET v = 'w' WHERE id = :i;\n")
        self.argv = [client_tool("pgbench"), "-n", "-f", f"{read}@4", "-f", f"{write}@1",
                     "-c", str(clients), "-j", "2", "-R", str(rate), "-l",
                     "--log-prefix", os.path.join(self.folder, "log"), "-h", db.server.socket_dir,
                     "-p", str(db.server.port), "-U", "postgres", "-T", "600", db.name]

    def _script(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        return path

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)
        time.sleep(0.5)
        assert self.process.poll() is None, self.process.stderr.read()
        return self

    def __exit__(self, *exc):
        time.sleep(0.3)
        # The end of its time: it finishes what runs and writes its logs out.
        self.process.send_signal(signal.SIGALRM)
        self.process.wait(timeout=PATIENCE)
        self.process.stderr.close()
        for name in os.listdir(self.folder):
            if re.match(r"log\.\d+", name):
                with open(os.path.join(self.folder, name), encoding="ascii") as log:
                    rows = [line.split() for line in log]
                # client, transaction, microseconds, script, seconds, microseconds, schedule lag
                self.latencies += [int(row[2]) - int(row[6]) for row in rows if len(row) > 6]
        shutil.rmtree(self.folder)

    @property
    def longest_ms(self):
        return max(self.latencies) / 1000 if self.latencies else 0.0


def waiting_for(db, locktype):
    """How many sessions of the database wait for a lock of this kind."""
    return db.one("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted"
                  " AND a.datname = current_database() AND l.locktype = %s", locktype)
