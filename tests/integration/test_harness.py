"""The harness itself: a test that proves nothing is worse than none."""

import os
import subprocess

import pytest

from harness import catalog, samples, wait
from harness.cluster import MAJORS, REPO, bindir_of, client_tool
from harness.proxy import Proxy, cut, hang

pytestmark = pytest.mark.harness


def psql(url, *commands, timeout=wait.PATIENCE):
    argv = [client_tool("psql"), "-X", "-q", "-At", url]
    for command in commands:
        argv += ["-c", command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.parametrize("major", MAJORS)
def test_cluster_of_each_version(servers, major):
    if bindir_of(major) is None:
        pytest.skip(f"PostgreSQL {major} is not installed")
    assert servers.get(major).admin("SHOW server_version_num")[0][0].startswith(str(major))


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_samples_are_of_tests_that_are_there(name):
    path, _, function = name.partition("::")
    with open(os.path.join(REPO, path), encoding="utf-8") as text:
        assert f"\ndef {function}(" in text.read()


def test_server_survives_kill9(new_server):
    server = new_server()
    db = server.new_database()
    db.sql("CREATE TABLE t AS SELECT 1 AS i")
    server.kill9()
    server.start()
    assert db.one("SELECT i FROM t") == 1


@pytest.mark.parametrize("unix", [False, True])
def test_proxy_counts_the_trips_of_psql(server, db, unix):
    with Proxy(server, unix=unix) as proxy:
        done = psql(proxy.url(db), "SELECT 1", "SELECT 2; SELECT 3")
        assert done.stdout == "1\n2\n3\n"
        assert proxy.queries == ["SELECT 1", "SELECT 2; SELECT 3"]
        # start-up, two queries; the good-bye is not waited for. Over TCP the question for TLS, too.
        wait.until(lambda: proxy.stats.round_trips == (3 if unix else 4))
        assert proxy.stats.round_trips_ready == 2


@pytest.mark.parametrize("place, rows", [("before", 0), ("after", 1), ("reply", 1)])
def test_proxy_cuts_where_it_should(server, db, place, rows):
    db.sql("CREATE TABLE t (i int)")
    with Proxy(server) as proxy:
        fault = proxy.fault(cut(place, lambda m: m.body.startswith(b"INSERT")))
        assert psql(proxy.url(db), "INSERT INTO t VALUES (1)").returncode == 2
        assert fault.struck
    wait.until(lambda: not db.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'"
                                  " AND datname = current_database()"), "the end of the session")
    assert db.one("SELECT count(*) FROM t") == rows


def test_proxy_hangs_and_still_acknowledges(server, db):
    with Proxy(server) as proxy:
        proxy.fault(hang("reply", lambda m: m.type == "Q"))
        with pytest.raises(subprocess.TimeoutExpired):
            psql(proxy.url(db), "SELECT 1", timeout=1)


def test_proxy_splits_into_single_bytes(server, db):
    with Proxy(server, segment=1) as proxy:
        assert psql(proxy.url(db), "SELECT count(*) FROM pg_class").returncode == 0


def test_catalog_sees_differences(db, db2):
    script = """
        CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (i int PRIMARY KEY, e e DEFAULT 'a');
        CREATE VIEW v AS SELECT i FROM t; CREATE INDEX x ON t (e);
        CREATE TABLE _prisma_migrations (id text PRIMARY KEY);"""
    db.sql(script)
    db2.sql(script + "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE TABLE _prisma_other (i int);")
    found = catalog.difference(catalog.dump(db), catalog.dump(db2))
    assert any("rls=t" in line for line in found) and any("_prisma_other" in line for line in found)
    db.sql("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE TABLE _prisma_other (i int)")
    assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []


def test_catalog_forgets_the_version_marks_of_columns(db, db2):
    db.sql("CREATE TABLE t (i int, j int); ALTER TABLE t ALTER i TYPE bigint")
    db2.sql("CREATE TABLE t (i bigint, j int)")
    assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []


def test_oracle_deploys(oracle, project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert oracle.deploy(project, db.url()).rc == 0
    assert "up to date" in oracle.status(project, db.url()).text
    assert oracle.diagnose(project.migrations, db.url())["history"] is None
