"""A transaction pooler (pgbouncer) shares server sessions: locks would leak, so it is refused."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import pytest

from harness import aramid, catalog, ledger, wait
from harness.cluster import SERVER_USER, free_port, give_to_server

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")


@contextlib.contextmanager
def pooled(server, mode):
    """Port of a pgbouncer before the server."""
    folder = tempfile.mkdtemp(prefix="aramid-pool-")
    port = free_port()
    config = os.path.join(folder, "pgbouncer.ini")
    with open(config, "w", encoding="ascii") as out:  # auth_type any takes the user from here
        out.write(f"[databases]\n* = user=postgres host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
                  f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
                  f"pool_mode = {mode}\nunix_socket_dir =\nlogfile = {folder}/log\n"
                  "ignore_startup_parameters = extra_float_digits,options\n")
    for path in (folder, config):
        give_to_server(path)
    process = subprocess.Popen([PGBOUNCER, config], stdin=subprocess.DEVNULL, cwd="/",
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **SERVER_USER)
    try:
        wait.until(lambda: os.path.exists(f"{folder}/log") and "listening on" in
                   open(f"{folder}/log", encoding="utf-8").read())
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


@contextlib.contextmanager
def pgpool(server):
    """Port of a pgpool-II before the server: it keeps sessions apart, and for the next client."""
    program = shutil.which("pgpool") or shutil.which("pgpool", path="/usr/sbin")
    if program is None:
        pytest.skip("pgpool-II is not installed (Debian's package pgpool2)")
    folder = tempfile.mkdtemp(prefix="aramid-pool-", dir="/tmp")
    port = free_port()
    config = os.path.join(folder, "pgpool.conf")
    with open(config, "w", encoding="ascii") as out:
        out.write("backend_clustering_mode = 'streaming_replication'\nlisten_addresses = '127.0.0.1'\n"
                  f"port = {port}\nsocket_dir = '{folder}'\npcp_socket_dir = '{folder}'\npcp_listen_addresses = ''\n"
                  f"pcp_port = {free_port()}\nbackend_hostname0 = '127.0.0.1'\nbackend_port0 = {server.port}\n"
                  "backend_flag0 = 'ALWAYS_PRIMARY|DISALLOW_TO_FAILOVER'\nenable_pool_hba = off\npool_passwd = ''\n"
                  f"num_init_children = 8\nload_balance_mode = off\npid_file_name = '{folder}/pid'\nlogdir = '{folder}'\n"
                  "sr_check_period = 0\n")
    for path in (folder, config):
        give_to_server(path)
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen([program, "-n", "-f", config], stdin=subprocess.DEVNULL, cwd="/", stdout=log, stderr=log,
                                   **SERVER_USER)
    try:
        wait.until(lambda: "successfully started" in open(f"{folder}/log", encoding="utf-8").read(), "pgpool")
        yield port
    finally:
        process.terminate()  # it ends its children
        process.wait()
        shutil.rmtree(folder)


def session_pool(server, which):
    return pgpool(server) if which == "pgpool" else pooled(server, "session")


@pytest.mark.parametrize("which", ["pgbouncer", "pgpool"])
def test_what_works_through_a_pool_of_sessions(project, server, db, which):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("index", "CREATE INDEX CONCURRENTLY a_i ON a (i);")
    project.add("steps", "INSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY a_j ON a (i);\nINSERT INTO a VALUES (2);")
    with session_pool(server, which) as port:
        url = db.url(port=port)
        assert aramid.status(project, url).rc == 10
        assert aramid.run("plan", "--url", url, cwd=project.path).rc == 0
        result = aramid.deploy(project, url)
        assert result.rc == 0, result
        ledger.check(db, project)
        for args in (("status",), ("deploy",), ("drift",), ("backup",), ("doctor",), ("unlock",)):
            result = aramid.run(*args, "--url", url, cwd=project.path)
            assert result.rc == 0, result
        before = set(db.server.admin("SELECT datname FROM pg_database"))
        for args in (("--name", "x_beside"), ("--replace", "--confirm", db.name), ("--dry-run",)):
            result = aramid.run("restore", *args, "--url", url, cwd=project.path)
            assert result.rc == 53 and "direct connection" in result.err, result
        assert set(db.server.admin("SELECT datname FROM pg_database")) == before
        wait.until(lambda: not catalog.leftovers(db)["advisory locks"])
    result = aramid.run("restore", "--name", f"{db.name}_beside", "--url", db.url(), cwd=project.path)
    assert result.rc == 0, result
    db.server.admin(f'DROP DATABASE "{db.name}_beside"')


def test_transaction_pooling_is_refused(project, server, db):
    project.add("init", "CREATE TABLE a (i int);")
    with pooled(server, "transaction") as port:
        result = aramid.deploy(project, db.url(port=port))
    assert result.rc == 35, result
    assert "pooler" in result.text and ("DIRECT_URL" in result.text or "direct" in result.text), result
    assert not db.exists("a") and not db.exists("_prisma_migrations")
    ledger.clean(db)


def test_statement_pooling_is_refused(project, server, db):
    project.add("init", "CREATE TABLE a (i int);")
    with pooled(server, "statement") as port:
        result = aramid.deploy(project, db.url(port=port))
    assert result.rc == 35, result
    assert not db.exists("a")


def test_session_pooling_works_or_is_refused(project, server, db):
    project.add("init", "CREATE TABLE a (i int);")
    with pooled(server, "session") as port:
        result = aramid.deploy(project, db.url(port=port))
        assert result.rc in (0, 35), result
        if result.rc == 0:
            ledger.check(db, project)
            wait.until(lambda: not catalog.leftovers(db)["advisory locks"])


def test_direct_url_is_taken_beside_a_pooled_one(project, server, db):
    project.add("init", "CREATE TABLE a (i int);")
    with pooled(server, "transaction") as port:
        result = aramid.run("deploy", cwd=project.path, env={
            "DATABASE_URL": db.url(port=port, pgbouncer="true"), "DIRECT_URL": db.url()})
    assert result.rc == 0, result
    ledger.check(db, project)


def test_status_through_a_pooler(project, server, db):
    """Reading needs no lock."""
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    with pooled(server, "transaction") as port:
        result = aramid.status(project, db.url(port=port))
    assert result.rc in (0, 35), result
    assert not catalog.leftovers(db)["advisory locks"]
