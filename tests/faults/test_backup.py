"""A backup that breaks: full disks, cut connections, killed programs, damaged files.

Never a file that verifies and is wrong, never a deploy that goes on without its backup.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from harness import aramid, wait
from harness.faults import count
from harness.proxy import Fault, Proxy

FORMATS = ("sql", "sql.zst", "dump")
PRODUCTION = ("--env", "production", "--yes")
ROWS = 3000


@pytest.fixture
def data(db):
    db.sql("CREATE TABLE a (id serial PRIMARY KEY, t text);"
           f"INSERT INTO a (t) SELECT md5(i::text) FROM generate_series(1, {ROWS}) i;"
           "CREATE TABLE b (id int); INSERT INTO b SELECT generate_series(1, 100);"
           "SELECT lo_from_bytea(0, convert_to(repeat('large', 9000), 'UTF8'))")
    return db


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
    return str(path)


def left(folder):
    """What is in the folder of the backups, hidden files too."""
    path = os.path.join(folder, "backups")
    with_dots = os.listdir(path) if os.path.exists(path) else []  # not made before it connects
    return sorted(name for name in with_dots if name != ".gitignore")


def sessions(db):
    return db.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                  " AND pid <> pg_backend_pid() AND application_name LIKE 'aramid/%'")


def nothing_left(folder, db):
    assert left(folder) == []
    wait.until(lambda: not sessions(db), "the end of the backup's sessions")


def size_of_backup(folder, db, *args):
    result = aramid.run("backup", *args, "--json", cwd=folder, env={"DATABASE_URL": db.url()})
    assert result.rc == 0, result
    size = result.json["backup"]["made"]["data"]["bytes"]
    shutil.rmtree(os.path.join(folder, "backups"))
    return size


# ---- the disk is full -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_disk_full(folder, data, form):
    """A limit on the size of files, from the first byte to nearly the last."""
    size = size_of_backup(folder, data, "--format", form)
    places = count(4, 66)
    for i in range(places):
        limit = 3 + i * (size * 9 // 10) // (places - 1)
        result = aramid.run("backup", "--format", form, cwd=folder, env={"DATABASE_URL": data.url()},
                            prefix=("prlimit", f"--fsize={limit}", "--"))
        assert result.rc == 5, (limit, result)
        assert limit < 4000 or "make room" in result.err  # what it says goes into a file, too
        nothing_left(folder, data)


def test_disk_full_while_the_manifest_is_written(folder, data):
    """Its dump was written and proven already."""
    data.sql("DROP TABLE a; DROP TABLE b; SELECT lo_unlink(oid) FROM pg_largeobject_metadata;"
             " DO $$BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE t%s (x int)', i);"
             " END LOOP; END$$")
    size = size_of_backup(folder, data, "--format", "sql.zst")
    result = aramid.run("backup", "--format", "sql.zst", cwd=folder, env={"DATABASE_URL": data.url()},
                        prefix=("prlimit", f"--fsize={size + 50}", "--"))
    assert result.rc == 5 and ".json" in result.err, result
    nothing_left(folder, data)


def test_a_folder_that_cannot_be_written(folder, data, tmp_path):
    env = {"DATABASE_URL": data.url()}
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", "/proc/backups", "/dev/null/x"):
        result = aramid.run("backup", "--dir", str(path), cwd=folder, env=env)
        assert result.rc == 5 and str(path).split("/")[1] in result.err, result


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a file system")
def test_a_small_disk(folder, data):
    path = os.path.join(folder, "backups")
    os.mkdir(path)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mount is not permitted")
    try:
        result = aramid.run("backup", cwd=folder, env={"DATABASE_URL": data.url()})
        assert result.rc == 5 and "make room" in result.err, result
        nothing_left(folder, data)
    finally:
        subprocess.run(["umount", path], check=True)


# ---- the connection is cut ------------------------------------------------------------------------


def test_cut_in_the_rows(folder, server, data, dice):
    size = size_of_backup(folder, data)
    for _ in range(count(4, 100)):
        with Proxy(server) as proxy:
            proxy.fault(Fault("partial", "cut", lambda m: m.type == "Q" and b"COPY public.a" in m.body,
                              keep=dice.randint(0, size // 2)))
            result = aramid.run("backup", cwd=folder, env={"DATABASE_URL": proxy.url(data)})
        assert result.rc == 50 and "pg_dump failed" in result.err, result
        nothing_left(folder, data)


def test_cut_anywhere(folder, server, data, dice):
    with Proxy(server) as proxy:
        assert aramid.run("backup", cwd=folder, env={"DATABASE_URL": proxy.url(data)}).rc == 0
        total = len(proxy.messages)
    shutil.rmtree(os.path.join(folder, "backups"))
    for i in range(count(4, 100)):
        with Proxy(server) as proxy:
            proxy.fault(Fault(("before", "after", "reply", "partial")[i % 4], "cut",
                              lambda m: True, nth=dice.randint(1, total), keep=dice.randint(0, 99)))
            result = aramid.run("backup", cwd=folder, env={"DATABASE_URL": proxy.url(data)})
        if result.rc == 0:
            assert aramid.run("backup", "verify", cwd=folder).rc == 0
            shutil.rmtree(os.path.join(folder, "backups"))
        else:
            nothing_left(folder, data)


def test_the_server_ends_the_dump(folder, data):
    data.sql(f"INSERT INTO a (t) SELECT repeat(md5(i::text), 100) FROM generate_series(1, 40000) i")
    run = aramid.start("backup", cwd=folder, env={"DATABASE_URL": data.url()})
    while run.running() and not data.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name LIKE 'aramid/%/dump' AND query LIKE 'COPY public.a %'"):
        time.sleep(0.005)
    result = run.wait()
    # The server's reason does not always reach pg_dump before its end; pg_dump's own words do.
    assert result.rc == 50, result
    assert "terminating connection" in result.err or "Command was: COPY public.a" in result.err, result
    nothing_left(folder, data)


# ---- somebody is killed ---------------------------------------------------------------------------


def slow_dump(path, how):
    """A pg_dump that writes half of a dump and then waits."""
    path.mkdir()
    (path / "pg_dump").write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 99.1"; exit 0; fi\n'
        f"echo 'COPY public.a (id) FROM stdin;'; echo 1; touch {path}/begun; {how}\n")
    (path / "pg_dump").chmod(0o755)
    return str(path)


@pytest.mark.parametrize("number,rc", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal(folder, data, tmp_path, number, rc):
    tools = slow_dump(tmp_path / "bin", "exec sleep 3600")
    run = aramid.start("backup", cwd=folder, env={"DATABASE_URL": data.url(), "ARAMID_BACKUP_BIN": tools})
    wait.until(lambda: os.path.exists(os.path.join(tools, "begun")))
    run.signal(number)
    result = run.wait()
    assert result.rc == rc, result
    nothing_left(folder, data)


def test_killed_while_it_dumps(folder, data, dice):
    """What a killed backup leaves is no backup, and goes with the next one."""
    data.sql("INSERT INTO a (t) SELECT repeat(md5(i::text), 100) FROM generate_series(1, 20000) i")
    for _ in range(count(4, 30)):
        run = aramid.start("backup", cwd=folder, env={"DATABASE_URL": data.url()})
        time.sleep(dice.uniform(0.05, 1.0))
        run.kill()
        wait.until(lambda: not sessions(data), "the end of the backup's sessions")
        result = aramid.run("backup", "list", "--json", cwd=folder)
        assert all(b["broken"] is None for b in result.json["backups"])
        assert aramid.run("backup", "verify", "--all", cwd=folder).rc == 0
    assert aramid.run("backup", cwd=folder, env={"DATABASE_URL": data.url()}).rc == 0
    assert not [name for name in left(folder) if name.startswith(".")]


def test_pg_dump_hangs(folder, data, tmp_path):
    tools = slow_dump(tmp_path / "bin", "exec sleep 3600")
    result = aramid.run("backup", "--timeout", "1s", cwd=folder,
                        env={"DATABASE_URL": data.url(), "ARAMID_BACKUP_BIN": tools})
    assert result.rc == 40, result
    nothing_left(folder, data)


# ---- damaged files --------------------------------------------------------------------------------


def verify(folder):
    return aramid.run("backup", "verify", "--all", cwd=folder)


@pytest.mark.parametrize("form", FORMATS)
def test_cut_and_flipped(folder, data, dice, form):
    assert aramid.run("backup", "--format", form, cwd=folder, env={"DATABASE_URL": data.url()}).rc == 0
    (name,) = [n for n in left(folder) if n.startswith("db-")]
    path = os.path.join(folder, "backups", name)
    with open(path, "rb") as file:
        whole = file.read()
    for i in range(count(6, 100)):
        at = dice.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[at] ^= 1 << dice.randrange(8)
        for damaged in (whole[:at], bytes(flipped)):
            with open(path, "wb") as file:
                file.write(damaged)
            result = verify(folder)
            assert result.rc == 51, (at, result)
    with open(path, "wb") as file:
        file.write(whole)
    assert verify(folder).rc == 0


def test_an_edited_manifest(folder, data):
    assert aramid.run("backup", cwd=folder, env={"DATABASE_URL": data.url()}).rc == 0
    (name,) = [n for n in left(folder) if n.endswith(".json")]
    path = os.path.join(folder, "backups", name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    other = json.loads(text)
    other["tables"][0]["rows"] += 1
    for edited in (text.replace(f'"rows": {ROWS}', f'"rows": {ROWS + 1}'),
                   json.dumps(other, indent=2), text[:-10], ""):
        with open(path, "w", encoding="utf-8") as file:
            file.write(edited)
        result = verify(folder)
        assert result.rc == 51 and "manifest" in result.out, result
    result = aramid.run("backup", "list", cwd=folder)
    assert result.rc == 0 and "broken" in result.out


# ---- and the deploy -------------------------------------------------------------------------------


def test_no_deploy_without_its_backup(project, server, db, dice):
    project.add("one", "CREATE TABLE one (id int); INSERT INTO one SELECT generate_series(1, 5000);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("two", "ALTER TABLE one ADD COLUMN x int;")
    added = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = 'x'"
    for i in range(count(4, 100)):
        if i % 2:
            result = aramid.deploy(project, db.url(), *PRODUCTION,
                                   prefix=("prlimit", f"--fsize={dice.randint(1, 20000)}", "--"))
            assert result.rc == 5, result
        else:
            with Proxy(server) as proxy:
                proxy.fault(Fault("partial", "cut", lambda m: m.type == "Q" and b"COPY public.one" in m.body,
                                  keep=dice.randint(0, 9999)))
                result = aramid.deploy(project, proxy.url(db), *PRODUCTION)
            assert result.rc == 50, result
        assert db.one(added) == 0 and left(project.path) == []
    assert aramid.deploy(project, db.url(), *PRODUCTION).rc == 0 and db.one(added) == 1
