"""Connections: servers that are late, full, read-only, half dead; what is said about each."""

import socket
import threading
import time

import pytest

from harness import aramid, catalog, ledger, wait
from harness.cluster import free_port
from harness.proxy import Proxy, hang


@pytest.fixture
def simple(project):
    project.add("init", "CREATE TABLE a (i int);")
    return project


def test_unix_socket(simple, db):
    result = aramid.deploy(simple, db.url(tcp=False))
    assert result.rc == 0, result


def test_several_hosts(simple, db):
    url = f"postgresql://postgres@127.0.0.1:{free_port()},127.0.0.1:{db.server.port}/{db.name}"
    result = aramid.deploy(simple, url)
    assert result.rc == 0, result


def test_prisma_parameters_are_understood(simple, db):
    result = aramid.deploy(simple, db.url(connection_limit=1, pool_timeout=5, connect_timeout=5,
                                          statement_cache_size=0, sslmode="prefer"))
    assert result.rc == 0, result


def test_single_byte_segments(simple, server, db):
    with Proxy(server, segment=1) as proxy:
        result = aramid.deploy(simple, proxy.url(db))
        assert result.rc == 0, result
    ledger.check(db, simple)


def test_slow_network(simple, server, db):
    with Proxy(server, delay=0.05) as proxy:
        assert aramid.deploy(simple, proxy.url(db)).rc == 0


def test_waits_for_a_server_that_starts(simple, new_server):
    server = new_server()
    db = server.new_database()
    server.stop()
    ours = aramid.start("deploy", "--url", db.url(), cwd=simple.path)
    time.sleep(1.5)
    server.spawn()
    result = ours.wait()
    assert result.rc == 0, result


def test_too_many_connections(simple, new_server):
    server = new_server(max_connections="5", superuser_reserved_connections="0", max_wal_senders="0")
    db = server.new_database()
    held = [server.connect(db.name) for _ in range(5)]
    ours = aramid.start("deploy", "--url", db.url(), cwd=simple.path)
    time.sleep(1)
    assert ours.running(), ours.wait()
    for connection in held:
        connection.close()
    result = ours.wait()
    assert result.rc == 0, result


def test_too_many_connections_for_good(simple, new_server):
    server = new_server(max_connections="5", superuser_reserved_connections="0", max_wal_senders="0")
    db = server.new_database()
    simple.write("aramid.yaml", "timeouts:\n  server: 1s\nretries: 1\n")
    held = [server.connect(db.name) for _ in range(5)]
    result = aramid.deploy(simple, db.url())
    assert result.rc == 44 and "connection" in result.text, result
    for connection in held:
        connection.close()


def test_standby(simple, new_server):
    server = new_server()
    db = server.new_database()
    try:
        standby = server.standby()
    except FileNotFoundError:
        pytest.skip("no pg_basebackup for this version")
    try:
        url = standby.url(db.name)
        result = aramid.deploy(simple, url)
        assert result.rc == 34 and "standby" in result.text.lower(), result
        result = aramid.run("status", "--url", url, cwd=simple.path)
        assert result.rc == 10, result
    finally:
        standby.remove()


def test_server_that_accepts_and_never_speaks(simple):
    simple.write("aramid.yaml", "timeouts:\n  connect: 1s\n  server: 2s\nretries: 1\n")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        result = aramid.deploy(simple, f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/db")
    assert result.rc == 40 and ("P1002" in result.text or "P1001" in result.text), result


def test_something_else_answers(simple):
    with socket.socket() as web:
        web.bind(("127.0.0.1", 0))
        web.listen(5)

        def answer():
            while True:
                try:
                    client, _ = web.accept()
                except OSError:
                    return
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                client.close()

        threading.Thread(target=answer, daemon=True).start()
        result = aramid.deploy(simple, f"postgresql://u@127.0.0.1:{web.getsockname()[1]}/db",
                               "--retries", "0")
        assert result.rc in (32, 36, 40), result


@pytest.mark.parametrize("place", ["before", "reply"])
def test_half_open_link_ends(simple, server, db, place):
    """A link that acknowledges and forwards nothing: libpq alone would wait for ever."""
    simple.write("aramid.yaml", "timeouts:\n  operation: 2s\nretries: 0\n")
    with Proxy(server) as proxy:
        fault = proxy.fault(hang(place, lambda m: m.type == "Q", nth=2))
        result = aramid.deploy(simple, proxy.url(db))
        assert fault.struck
        assert result.rc in (40, 43), result


def test_half_open_during_a_migration(project, server, db):
    """Only the server can say that the statement still runs; a second connection asks it."""
    project.add("slow", "CREATE TABLE a (i int);\nSELECT pg_sleep(1);")
    with Proxy(server) as proxy:
        fault = proxy.fault(hang("reply", lambda m: b"pg_sleep" in m.body))
        result = aramid.deploy(project, proxy.url(db))
        assert fault.struck
        if result.rc != 0:
            assert result.rc in (40, 43), result
            assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)
    ledger.clean(db)


def test_tls_is_refused_by_the_server(simple, db):
    result = aramid.deploy(simple, db.url(sslmode="require"), "--retries", "0")
    assert result.rc == 32 and "TLS" in result.text or "SSL" in result.text, result


def test_role_that_may_only_use_its_schema(project, db):
    """No CREATE on the database, no superuser: single-transaction migrations work."""
    db.sql("DROP ROLE IF EXISTS app_owner")
    db.sql("CREATE ROLE app_owner LOGIN; CREATE SCHEMA app AUTHORIZATION app_owner")
    project.add("init", "CREATE TABLE a (i int);")
    project.add("index", "INSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY a_i ON a (i);\n")
    result = aramid.deploy(project, db.url(user="app_owner", schema="app"))
    assert result.rc == 0, result
    ledger.check(db, project, "app")
    assert not catalog.leftovers(db)["invalid indexes"]
    db.sql("DROP OWNED BY app_owner; DROP ROLE app_owner")


def test_backend_terminated_in_the_middle(project, server, db):
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("slow", "INSERT INTO witness VALUES ('slow');\n" + wait.HELD)
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        db.sql("SELECT pg_terminate_backend(%s)", reached())
    result = ours.wait()
    assert result.rc == 0, result
    ledger.check(db, project)
    assert ledger.witnesses(db) == {"slow": 1}
