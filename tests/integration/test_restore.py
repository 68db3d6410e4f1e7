"""Restore: what comes back is what was there; what was there stays until it has."""

import contextlib
import json
import os
import shutil
import subprocess

import psycopg2
import pytest

from harness import aramid, catalog, everything, pglite, wait
from harness.cluster import MAJORS, REPO, Database, client_tool, default_bindir, newer_pg_dump, system_bindir

PG_DUMP = 15  # the distribution's
NEWER = (17, 18)  # tools/setup-pg-dump
NATIVE_DUMP = os.path.join(REPO, "build/debug/tests/unit/backup/native-dump")


def restore(project, db, *args, **kwargs):
    return aramid.run("restore", "--url", db.url(), *args, cwd=project.path, **kwargs)


def backup(project, db, *args):
    result = aramid.run("backup", "--url", db.url(), "--json", *args, cwd=project.path)
    assert result.rc == 0, result
    return result


def databases(server):
    return {name for (name,) in server.admin("SELECT datname FROM pg_database")}


def made(server, before):
    """The one database that is new."""
    (name,) = databases(server) - before
    return Database(server, name)


def pg_dump(db, path, *args, program=None):
    subprocess.run([program or client_tool("pg_dump"), "-f", str(path), *args, db.url(tcp=False)], check=True, timeout=wait.PATIENCE)
    return str(path)


@pytest.fixture
def small(db):
    db.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) i;"
           "CREATE TABLE u (t_id int REFERENCES t)")
    return db


def columns(major):
    """How a dump of a server of this version can be made here."""
    return (["native"] + (["pg_dump", "custom"] if major <= PG_DUMP else [])
            + [f"{form} {newer}" for newer in NEWER if newer >= major for form in ("pg_dump", "custom")])


def tools_of(how):
    """The folder of a newer pg_dump; None is the distribution's."""
    if " " not in how:
        return None
    return newer_pg_dump(how.split()[1]) or pytest.skip(f"no {how} (tools/setup-pg-dump)")


@pytest.mark.parametrize("major,how", [(m, how) for m in MAJORS for how in columns(m)])
def test_the_same_database_again(servers, project, tmp_path, major, how):
    tools = tools_of(how)
    server = servers.get(major)
    original = everything.make(server.new_database())
    path = str(tmp_path / "dump")
    if how == "native":
        subprocess.run([NATIVE_DUMP, original.url(tcp=False), path], check=True, timeout=wait.PATIENCE)
    else:
        pg_dump(original, path, *{"pg_dump": [], "custom": ["-Fc"]}[how.split()[0]], program=tools and f"{tools}/pg_dump")
    before = databases(server)
    result = restore(project, original, path, "--json", env={"ARAMID_BACKUP_BIN": tools} if tools else None)
    assert result.rc == 0, result
    told = json.loads(result.out)
    assert told["notCompared"] == [] and told["comparedByCount"] == []
    name = told["database"]
    assert databases(server) - before == {name}
    copy = Database(server, name)
    # What everybody may do in schema public is told by pg_dump 15 against the defaults of 15.
    known = () if how == "native" or major >= PG_DUMP else ("schemas",)
    assert [line for line in everything.differences(original, copy) if not line.startswith(known or "\0")] == []
    copy.drop()
    original.drop()


DAILY = [(15, 17, "dump"), (15, 18, "sql"), (17, 18, "dump"), (18, 18, "sql")]


@pytest.mark.parametrize("major,newer,form", [
    pytest.param(m, newer, form, marks=[] if (m, newer, form) in DAILY else pytest.mark.full)
    for m in (15, 16, 17, 18) for newer in NEWER if newer >= m for form in ("sql", "dump")])
def test_backups_of_a_newer_pg_dump(servers, project, major, newer, form):
    """On the servers for which it is there, and on an older one, whose restores leave its settings out."""
    tools = newer_pg_dump(newer) or pytest.skip(f"no pg_dump {newer} (tools/setup-pg-dump)")
    env = {"ARAMID_BACKUP_BIN": tools, "ARAMID_PG_BINDIR": servers.get(major).bindir}
    db = everything.make(servers.get(major).new_database())
    result = aramid.run("backup", "--url", db.url(), "--method", "pg_dump", "--format", form, "--json", cwd=project.path, env=env)
    assert result.rc == 0 and result.json["backup"]["made"]["tool"].startswith(f"pg_dump (PostgreSQL) {newer}."), result
    for verify in (["--all"], ["--drill"]):
        result = aramid.run("backup", "verify", *verify, cwd=project.path, env=env)
        assert result.rc == 0, result
    before = databases(db.server)
    result = restore(project, db, "--json", env=env)
    assert result.rc == 0 and result.json["notCompared"] == [] and result.json["comparedByCount"] == [], result
    copy = made(db.server, before)
    assert everything.differences(db, copy) == []
    assert ("transaction_timeout" in result.out) == (major < 17)
    copy.drop()
    db.drop()


@pytest.mark.parametrize("form", ["sql", "sql.zst", "dump"])
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_every_form_of_our_backups(project, small, tmp_path, form, is_encrypted):
    args, restore_args = [], []
    if is_encrypted:
        if not shutil.which("age-keygen"):
            pytest.skip("age is not installed")
        key = str(tmp_path / "key.txt")
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        public = subprocess.run(["age-keygen", "-y", key], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        args, restore_args = ["--encrypt-to", public], ["--identity", key]
    backup(project, small, "--format", form, *args)
    before = databases(small.server)
    if is_encrypted:
        result = restore(project, small)
        assert result.rc == 3 and databases(small.server) == before, result
    result = restore(project, small, *restore_args)
    assert result.rc == 0 and "2 tables, 100 rows" in result.out, result
    copy = made(small.server, before)
    assert everything.differences(small, copy) == []
    copy.drop()


def test_our_own_dump_as_a_backup(project, small):
    backup(project, small, "--method", "native", "--format", "sql.zst")
    before = databases(small.server)
    assert restore(project, small).rc == 0
    copy = made(small.server, before)
    assert everything.differences(small, copy) == []
    copy.drop()


def test_a_dry_run_makes_nothing(project, small, tmp_path):
    path = pg_dump(small, tmp_path / "d.sql")
    result = aramid.run("restore", path, "--dry-run", cwd=project.path)  # the embedded server
    assert result.rc == 0 and "Nothing was changed" in result.out, result
    assert not os.path.exists(os.path.join(project.path, ".aramid"))


# ---- beside, in place, into ------------------------------------------------------------------


def test_beside_the_old_one(project, small, tmp_path):
    path = pg_dump(small, tmp_path / "d.sql")
    small.sql("DELETE FROM u; DELETE FROM t WHERE id > 50")
    before = databases(small.server)
    result = restore(project, small, path)
    assert result.rc == 0, result
    copy = made(small.server, before)
    assert copy.name.startswith(f"{small.name}_restored_") and copy.name in result.out
    assert (copy.one("SELECT count(*) FROM t"), small.one("SELECT count(*) FROM t")) == (100, 50)
    assert copy.one("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()") is None
    copy.drop()


@pytest.mark.parametrize("method", ["pg_dump", "native"])
def test_a_view_whose_query_fails_keeps_nothing_from_coming_back(project, small, method):
    """No dump has its rows, which were there while the query found others."""
    small.sql("CREATE MATERIALIZED VIEW m AS SELECT 1000 / (100 - count(*)) AS x FROM t WITH NO DATA;"
              "DELETE FROM t WHERE id = 1; REFRESH MATERIALIZED VIEW m; CREATE MATERIALIZED VIEW on_it AS SELECT x FROM m;"
              "INSERT INTO t VALUES (1, 'v1'); CREATE MATERIALIZED VIEW fine AS SELECT count(*) FROM t")
    backup(project, small, "--method", method)
    before = databases(small.server)
    result = restore(project, small, "--json")
    assert result.rc == 0, result
    found = [f for f in result.json["findings"] if f["id"] == "restore-unfilled"]
    assert [f["object"] for f in found] == ["m", "on_it"] and "division by zero" in str(found[0]), result
    copy = made(small.server, before)
    assert copy.one("SELECT count(*) FROM t") == 100 and copy.one("SELECT count FROM fine") == 100
    assert copy.column("SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated ORDER BY 1") == ["m", "on_it"]
    copy.drop()


def test_with_a_name(project, small, tmp_path):
    path = pg_dump(small, tmp_path / "d.sql")
    result = restore(project, small, path, "--name", 'odd "name"')
    assert result.rc == 0, result
    copy = Database(small.server, 'odd "name"')
    assert copy.one("SELECT count(*) FROM t") == 100
    result = restore(project, small, path, "--name", 'odd "name"')
    assert result.rc == 53 and "already" in result.err, result
    small.server.admin('DROP DATABASE "odd ""name"""')


def test_in_its_place(project, small, tmp_path):
    """The old one is kept; what belongs to the database itself goes with the name."""
    server, name = small.server, small.name
    server.admin(f"ALTER DATABASE {name} SET search_path = 'a b', public; ALTER DATABASE {name} SET work_mem = '5MB';"
                 f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; COMMENT ON DATABASE {name} IS 'ours';"
                 f"ALTER DATABASE {name} CONNECTION LIMIT 33; ALTER DATABASE {name} SET default_transaction_read_only = on;"
                 f"ALTER ROLE postgres IN DATABASE {name} SET maintenance_work_mem = '77MB'")
    facts = ("SELECT pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(datacl) x), datdba, "
             "shobj_description(d.oid, 'pg_database'), (SELECT array_agg(format('%s %s', setrole, setconfig) ORDER BY setrole) "
             "FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = '" + name + "'")
    original = server.admin(facts)
    path = pg_dump(small, tmp_path / "d.sql")
    small.sql("BEGIN READ WRITE; INSERT INTO t VALUES (1000, 'later'); COMMIT")
    before = databases(server)
    result = restore(project, small, path, "--replace")
    assert result.rc == 4 and f"--confirm {name}" in result.err, result
    result = restore(project, small, path, "--replace", "--confirm", "other")
    assert result.rc == 4, result
    result = restore(project, small, path, "--replace", "--dry-run")
    assert result.rc == 0 and f'"{name}"' in result.out, result
    assert databases(server) == before
    result = restore(project, small, path, "--replace", "--confirm", name)
    assert result.rc == 0, result
    kept = made(server, before)
    assert kept.name.startswith(f"{name}_before_") and kept.name in result.out
    assert (small.one("SELECT count(*) FROM t"), kept.one("SELECT count(*) FROM t")) == (100, 101)
    assert server.admin(facts) == original
    kept.drop()


def test_others_are_connected(project, small, tmp_path):
    path = pg_dump(small, tmp_path / "d.sql")
    before = databases(small.server)
    guest = small.connect()
    try:
        result = restore(project, small, path, "--replace", "--confirm", small.name)
        assert result.rc == 53 and "test" in result.err and "--force" in result.err, result
        assert databases(small.server) == before
        result = restore(project, small, path, "--replace", "--confirm", small.name, "--force")
        assert result.rc == 0, result
        with pytest.raises(Exception):
            guest.cursor().execute("SELECT 1")
    finally:
        guest.close()
    made(small.server, before).drop()


def test_into_an_empty_database(project, small, db2, tmp_path):
    path = pg_dump(small, tmp_path / "d.sql")
    before = databases(small.server)
    result = aramid.run("restore", path, "--into", db2.url(), cwd=project.path)
    assert result.rc == 0, result
    assert db2.one("SELECT count(*) FROM t") == 100 and databases(small.server) == before
    result = aramid.run("restore", path, "--into", db2.url(), cwd=project.path)
    assert result.rc == 24 and "public.t" in result.err, result


def test_who_may_not_make_databases(project, small, tmp_path):
    server = small.server
    server.admin("CREATE ROLE rest_limited LOGIN")
    path = pg_dump(small, tmp_path / "d.sql")
    result = aramid.run("restore", path, "--url", small.url(user="rest_limited"), cwd=project.path)
    assert result.rc == 33 and "--into" in result.err and "CREATEDB" in result.err, result
    server.admin(f"CREATE DATABASE rest_given OWNER rest_limited TEMPLATE template0")
    given = Database(server, "rest_given")
    result = aramid.run("restore", path, "--into", given.url(user="rest_limited"), cwd=project.path)
    assert result.rc == 53 and "--no-owner" in result.err, result
    assert given.column("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
    result = aramid.run("restore", path, "--into", given.url(user="rest_limited"), "--no-owner", "--no-privileges",
                        cwd=project.path)
    assert result.rc == 0, result
    assert given.one("SELECT relowner::regrole::text FROM pg_class WHERE relname = 't'") == "rest_limited"
    given.drop()
    server.admin("DROP ROLE rest_limited")


# ---- what is missing, what is odd ---------------------------------------------------------------


def test_missing_roles_are_named_first(project, new_server, tmp_path):
    server, other = new_server(), new_server()
    original = everything.make(server.new_database())
    path = pg_dump(original, tmp_path / "d.sql")
    before = databases(other)
    target = Database(other, "postgres")
    result = restore(project, target, path)
    assert result.rc == 53 and "rest_owner" in result.err and 'rest "odd"' in result.err, result
    assert databases(other) == before
    other.admin('CREATE ROLE "rest ""odd"""')  # a policy names it
    result = restore(project, target, path, "--no-owner", "--no-privileges")
    assert result.rc == 0, result
    copy = made(other, before)
    assert copy.one("SELECT count(*) FROM pg_class WHERE relowner::regrole::text <> 'postgres'") == 0


def test_missing_extensions_are_named_first(project, small, tmp_path):
    path = tmp_path / "d.sql"
    text = open(pg_dump(small, path), encoding="utf-8").read()
    path.write_text(text.replace("SET row_security = off;", "SET row_security = off;\nCREATE EXTENSION IF NOT EXISTS no_such_one;"))
    before = databases(small.server)
    result = restore(project, small, str(path))
    assert result.rc == 53 and "no_such_one" in result.err, result
    assert databases(small.server) == before


@pytest.mark.parametrize("line", ["\\connect other", "CREATE DATABASE x;", "CREATE ROLE x;", "\\! id", "ROLLBACK;"])
def test_what_no_restore_can_do(project, small, tmp_path, line):
    path = tmp_path / "d.sql"
    text = open(pg_dump(small, path), encoding="utf-8").read()
    path.write_text(text.replace("SET row_security = off;", f"SET row_security = off;\n{line}"))
    before = databases(small.server)
    result = restore(project, small, str(path))
    assert result.rc == 53 and line.strip(";") in result.err, result
    assert databases(small.server) == before


def test_settings_of_newer_servers(servers, project, tmp_path):
    db = servers.get(15).new_database()
    db.sql("CREATE TABLE t (i int)")
    path = tmp_path / "d.sql"
    text = open(pg_dump(db, path), encoding="utf-8").read()
    path.write_text(text.replace("SET row_security = off;", "SET row_security = off;\nSET transaction_timeout = 0;"))
    result = restore(project, db, str(path), "--name", "rest_setting")
    assert result.rc == 0 and "transaction_timeout" in result.out, result
    Database(db.server, "rest_setting").drop()
    db.drop()


def test_inserts_and_clean(project, small, tmp_path):
    before = databases(small.server)
    path = pg_dump(small, tmp_path / "d.sql", "--inserts", "--clean", "--if-exists")
    result = restore(project, small, path)
    assert result.rc == 0, result
    copy = made(small.server, before)
    assert everything.differences(small, copy) == []
    copy.drop()


def test_damaged_backups(project, small, tmp_path):
    before = databases(small.server)
    text = open(pg_dump(small, tmp_path / "d.sql"), "rb").read()
    custom = open(pg_dump(small, tmp_path / "d.dump", "-Fc"), "rb").read()
    for name, damaged in (("empty", b""), ("cut", text[:len(text) // 2]), ("tail", text[:-160]), ("noise", os.urandom(3000)),
                          ("custom", custom[:-30])):
        path = tmp_path / name
        path.write_bytes(damaged)
        result = restore(project, small, str(path))
        assert result.rc == 51, (name, result)
        assert databases(small.server) == before


@pytest.mark.parametrize("was,now", [(b"\tv77\n", b"\tv78\n"), (b"setval", b"setva1"), (b"-- Dumped", b"-- dumped"), (b"'v'", b"'w'")])
def test_manifest_decides(project, small, was, now):
    """What was changed in the file is seen before anything is made, also where it is no row."""
    small.sql("CREATE SEQUENCE s; ALTER TABLE t ALTER v SET DEFAULT 'v'")
    backup(project, small)
    (path,) = [os.path.join(project.path, "backups", f) for f in os.listdir(os.path.join(project.path, "backups"))
               if f.endswith(".sql")]
    with open(path, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        assert was in text
        file.write(text.replace(was, now))
    before = databases(small.server)
    result = restore(project, small)
    assert result.rc == 51, result
    assert databases(small.server) == before


def test_no_backup(project, small):
    result = restore(project, small)
    assert result.rc == 50, result
    result = restore(project, small, "no-such")
    assert result.rc == 50 and "no-such" in result.err, result


# ---- the history ---------------------------------------------------------------------------------


def test_the_ledger_is_where_it_belongs(project, db):
    project.add("1_one", "CREATE TABLE one (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    backup(project, db)
    project.add("2_two", "CREATE TABLE two (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    result = restore(project, db, "--replace", "--confirm", db.name)
    assert result.rc == 0 and "2_two" in result.out and "1_one" not in result.out, result
    status = aramid.status(project, db.url())
    assert status.rc == 10 and "2_two" in status.out, status
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.exists("two")


# ---- the drill -----------------------------------------------------------------------------------


def test_drill(project, db):
    everything.make(db)
    backup(project, db)
    before = databases(db.server)
    own = {"ARAMID_PG_BINDIR": default_bindir()}  # a private server of its version
    result = aramid.run("backup", "verify", "--drill", cwd=project.path, env=own)
    assert result.rc == 0 and "can be restored" in result.out, result
    assert databases(db.server) == before
    result = aramid.run("backup", "verify", "--drill", "--json", cwd=project.path, env=own)
    assert json.loads(result.out)["result"] == "tried", result


PRELOADED = {"pgaudit": "CREATE EXTENSION pgaudit", "pg_cron": "CREATE EXTENSION pg_cron; SELECT cron.schedule('* * * * *', 'SELECT 1')",
             "pglogical": "CREATE EXTENSION pglogical"}


@pytest.fixture
def preloaded(new_server):
    """A server that was started with the extension; only Debian's 15 has packages of them."""
    def make(extension):
        server = new_server(None, shared_preload_libraries=extension, **{"cron.database_name": "shop"})
        db = server.new_database("shop")
        db.sql(PRELOADED[extension] + "; CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        return db

    def has(extension):
        return os.path.exists(f"/usr/share/postgresql/15/extension/{extension}.control")

    return lambda extension: (make(extension) if has(extension) and default_bindir() == system_bindir(15)
                              else pytest.skip(f"{extension} is not installed for this server (tools/setup test)"))


@pytest.mark.parametrize("extension", sorted(PRELOADED))
def test_extensions_that_a_server_is_started_with(project, preloaded, server, extension):
    db = preloaded(extension)
    backup(project, db)
    result = aramid.run("backup", "verify", "--drill", cwd=project.path)
    assert result.rc == 0 and "can be restored" in result.out, result
    # On a server that was not, it is said before anything is made; also by a dry run.
    before = databases(server)
    for args in (["--dry-run"], []):
        result = restore(project, Database(server, "postgres"), "--name", "preloaded", *args)
        assert result.rc == 53 and extension in result.err and "shared_preload_libraries" in result.err, result
    assert databases(server) == before
    # pg_cron's can be made in the one database only that the server names.
    before = databases(db.server)
    for args in (["--dry-run"], []):
        result = restore(project, db, "--name", "beside", *args)
        if extension == "pg_cron":
            assert result.rc == 53 and "cron.database_name" in result.err and databases(db.server) == before, result
        else:
            assert result.rc == 0, result


def test_a_drill_that_cannot_tell_says_so(project, small, tmp_path):
    """No server of this machine has the library: that says nothing about the backup."""
    path = pg_dump(small, tmp_path / "d.sql")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("CREATE TABLE", "CREATE EXTENSION citus;\nCREATE TABLE", 1))
    result = aramid.run("backup", "verify", "--drill", path, cwd=project.path)
    assert result.rc == 38 and "cannot tell" in result.err and "citus" in result.err and "is whole" in result.err, result


def test_password_stays_secret(project, small, tmp_path):
    small.server.admin("CREATE ROLE with_password LOGIN SUPERUSER PASSWORD 'c4nary-p4ss'")
    path = pg_dump(small, tmp_path / "d.sql")
    url = small.url(user="with_password", password="c4nary-p4ss")
    for args in (("--url", url, "--dry-run"), ("--url", url, "--json", "--name", "rest_canary"),
                 ("--into", url.replace(small.name, "missing"))):
        result = aramid.run("restore", path, *args, cwd=project.path)
        assert "c4nary" not in result.out + result.err, result
    Database(small.server, "rest_canary").drop()
    small.server.admin("DROP ROLE with_password")


# ---- partitions, settings of sessions, encodings ----------------------------------------------


HASHED = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'fine');
CREATE TABLE ph (m mood, n int) PARTITION BY HASH (m);
CREATE TABLE ph0 PARTITION OF ph FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE ph1 PARTITION OF ph FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO ph SELECT m, i FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 5) i;
CREATE TABLE pr (d date, m mood, t text) PARTITION BY RANGE (d);
CREATE TABLE pr1 PARTITION OF pr FOR VALUES FROM ('2026-01-01') TO ('2026-07-01') PARTITION BY HASH (m);
CREATE TABLE pr1h (t text, d date, gone int, m mood);
ALTER TABLE pr1h DROP gone;
ALTER TABLE pr1 ATTACH PARTITION pr1h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE pr1g PARTITION OF pr1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE pr2 PARTITION OF pr DEFAULT;
INSERT INTO pr SELECT d, m, d || '' FROM unnest(ARRAY['2026-01-02', '2026-06-30', '2027-01-01', NULL]::date[]) d,
    unnest(enum_range(NULL::mood)) m;
"""
PARTITIONED = {"ph": 15, "pr": 12}


def contents(db, tables):
    def plain(row):  # bytes come as a memoryview, whose text is its address
        return str([bytes(v) if isinstance(v, memoryview) else v for v in row])
    return {t: sorted(map(plain, db.sql(f"SELECT * FROM {t}"))) for t in tables}


def backup_and_restore(project, db, *args):
    """What production's deploy trusts is what verify, the drill and restore read."""
    backup(project, db, *args)
    for verify in (["--all"], ["--drill"]):
        result = aramid.run("backup", "verify", *verify, cwd=project.path, env={"ARAMID_PG_BINDIR": db.server.bindir})
        assert result.rc == 0, result
    before = databases(db.server)
    result = restore(project, db, "--json")
    assert result.rc == 0, result
    assert result.json["notCompared"] == [] and result.json["comparedByCount"] == []
    return made(db.server, before)


@pytest.mark.parametrize("major,method", [(15, "pg_dump"), (15, "native"), (18, "native")])
def test_rows_come_in_through_the_root_of_partitions(servers, project, major, method):
    db = servers.get(major).new_database()
    db.sql(HASHED)
    copy = backup_and_restore(project, db, "--method", method)
    assert contents(copy, PARTITIONED) == contents(db, PARTITIONED)
    assert {t: len(rows) for t, rows in contents(copy, PARTITIONED).items()} == PARTITIONED
    leaves = ("ph0: ", "ph1: ", "pr1h: ", "pr1g: ")  # where a row goes is the server's affair
    assert [line for line in everything.differences(db, copy) if not line.startswith(leaves)] == []
    copy.drop()
    db.drop()


SETTINGS = ("bytea_output = 'escape'", "array_nulls = off", "client_encoding = 'LATIN1'", "quote_all_identifiers = on",
            "DateStyle = 'SQL, DMY'", "IntervalStyle = 'sql_standard'", "extra_float_digits = -15",
            "standard_conforming_strings = off", "TimeZone = 'Asia/Kolkata'", "transform_null_equals = on",
            "xmloption = 'document'", "default_transaction_isolation = 'serializable'")
VALUES = """
CREATE TABLE v (id int PRIMARY KEY, b bytea, a text[], n text, f float8, d date, i interval, at timestamptz, m money);
INSERT INTO v VALUES (1, '\\xdead005c27', ARRAY['NULL', NULL, 'x'], 'äöü €', 0.1 + 0.2, '2026-02-01', '-1 day -02:03:04',
    '2026-02-01 10:00+00', 12.5), (2, '\\x', '{}', E'a\\\\b\\'c', 'NaN', 'infinity', '1 year 2 mons', NULL, -3);
CREATE VIEW w AS SELECT id, d = '2026-02-01'::date AS today, '\\x00ff'::bytea AS x FROM v WHERE n <> E'q\\\\';
ALTER TABLE v ADD CHECK (d > '1999-12-31'::date);
"""


@pytest.mark.parametrize("by", ["role", "database"])
@pytest.mark.parametrize("major,method", [(15, "pg_dump"), (18, "native")])
def test_settings_of_role_and_database_change_no_value(servers, project, major, method, by):
    server = servers.get(major)
    db = server.new_database()
    server.admin("CREATE ROLE odd LOGIN SUPERUSER")
    db.sql(VALUES)
    for setting in SETTINGS:
        server.admin(f"ALTER {'ROLE odd' if by == 'role' else 'DATABASE ' + db.name} SET {setting}")
    expected = contents(db, ["v", "w"]) if by == "role" else None
    result = aramid.run("backup", "--url", db.url(user="odd"), "--method", method, cwd=project.path)
    assert result.rc == 0, result
    before = databases(server)
    result = aramid.run("restore", "--url", db.url(user="odd"), "--json", cwd=project.path)
    assert result.rc == 0 and result.json["compared"] == 1 and not result.json["comparedByCount"], result
    copy = made(server, before)
    server.admin(f"ALTER DATABASE {db.name} RESET ALL; ALTER DATABASE {copy.name} RESET ALL")
    assert contents(copy, ["v", "w"]) == (expected or contents(db, ["v", "w"]))
    assert [d for d in everything.differences(db, copy) if "odd" not in d] == []
    copy.drop()
    db.drop()
    server.admin("DROP ROLE odd")


@pytest.mark.parametrize("major,method", [(15, "pg_dump"), (15, "native"), (18, "native")])
def test_bytes_of_no_encoding(servers, project, major, method):
    server = servers.get(major)
    server.admin("CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    db = Database(server, "raw")
    db.sql("CREATE TABLE t (id int, v text)")
    with db.connect(options="-c client_encoding=SQL_ASCII") as conn, conn.cursor() as cursor:
        cursor.execute(b"INSERT INTO t VALUES (1, '\\344\\377'), (2, E'\\\\xfe\\\\x80'), (3, '\\303\\244')".decode("unicode_escape").encode("latin-1"))
    conn.close()
    asked = "SELECT id, encode(v::bytea, 'hex') FROM t ORDER BY 1"
    db.sql(r"DO $x$ BEGIN EXECUTE format('COMMENT ON TABLE t IS %L', E'\xff'); END $x$")
    if method == "native":
        result = aramid.run("backup", "--url", db.url(), "--method", method, cwd=project.path)
        assert result.rc == 50 and "no text of any encoding" in result.err, result
        db.sql("COMMENT ON TABLE t IS NULL")
    copy = backup_and_restore(project, db, "--method", method)
    assert copy.sql(asked) == db.sql(asked)
    copy.drop()
    db.drop()
    other = server.new_database()
    result = aramid.run("restore", "--into", other.url(), cwd=project.path)
    assert result.rc == 53 and "SQL_ASCII" in result.err and "TEMPLATE template0" in result.err, result
    other.drop()
    # Where there is nothing to take the encoding from.
    result = restore(project, Database(server, "postgres"), "--name", "raw")
    assert result.rc == 0, result
    assert db.sql(asked)[0] == (1, "e4ff") and db.one("SHOW server_encoding") == "SQL_ASCII"
    db.drop()


# ---- roles, timeouts, others -------------------------------------------------------------------


@pytest.fixture
def managed(server):
    """A role as hosting platforms give it: it may make databases, and that is all."""
    server.admin("CREATE ROLE app LOGIN CREATEDB; CREATE ROLE other")
    server.admin("CREATE DATABASE shop OWNER app TEMPLATE template0")
    db = Database(server, "shop")
    db.sql("ALTER DATABASE shop SET log_min_duration_statement = 500; ALTER DATABASE shop SET work_mem = '5MB';"
           "GRANT CONNECT ON DATABASE shop TO other")
    db.sql("CREATE SCHEMA own; CREATE TABLE own.t (id serial PRIMARY KEY, v text); CREATE TABLE p (id int REFERENCES own.t);"
           "INSERT INTO own.t (v) SELECT 'v' || i FROM generate_series(1, 50) i", user="app")
    yield db
    for name in databases(server):
        if name.startswith("shop"):
            server.admin(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.admin("DROP ROLE app; DROP ROLE other")


def app(project, db, command, *args):
    return aramid.run(command, "--url", db.url(user="app"), *args, cwd=project.path)


def test_createdb_and_ownership_suffice(project, managed):
    server = managed.server
    assert app(project, managed, "backup").rc == 0
    result = app(project, managed, "restore", "--name", "shop2")
    assert result.rc == 0 and "log_min_duration_statement" in result.text, result
    assert Database(server, "shop2").one("SELECT count(*) FROM own.t") == 50
    managed.sql("DELETE FROM own.t")
    result = app(project, managed, "restore", "--replace", "--confirm", "shop")
    assert result.rc == 0, result
    assert managed.one("SELECT count(*) FROM own.t") == 50
    assert managed.one("SELECT current_setting('work_mem')") == "5MB"
    assert server.admin("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'") == [("app",)]
    # Who may not give the name away is told before the work.
    server.admin("ALTER DATABASE shop OWNER TO postgres")
    before = databases(server)
    result = app(project, managed, "restore", "--replace", "--confirm", "shop", "--dry-run")
    assert result.rc == 33 and "postgres" in result.err and databases(server) == before, result


def test_timeouts_of_the_role_end_nothing(project, managed):
    server = managed.server
    managed.sql("INSERT INTO own.t (v) SELECT repeat('x', 500) FROM generate_series(1, 40000)")
    assert app(project, managed, "backup").rc == 0
    server.admin("ALTER ROLE app SET statement_timeout = '150ms'; ALTER ROLE app SET idle_in_transaction_session_timeout = '50ms';"
                 "ALTER ROLE app SET default_transaction_read_only = on; ALTER ROLE app SET lock_timeout = '50ms'")
    if server.major >= 14:
        server.admin("ALTER ROLE app SET idle_session_timeout = '50ms'")
    assert app(project, managed, "backup").rc == 0
    before = databases(server)
    result = app(project, managed, "restore", "--replace", "--confirm", "shop")
    assert result.rc == 0, result
    assert len(databases(server) - before) == 1 and managed.one("SELECT count(*) FROM own.t") == 40050


def test_a_prepared_transaction_is_found_before_the_work(project, small):
    backup(project, small)
    small.sql("BEGIN; INSERT INTO t VALUES (999); PREPARE TRANSACTION 'left over'")
    before = databases(small.server)
    for more in (["--dry-run"], ["--confirm", small.name], ["--confirm", small.name, "--force"]):
        result = restore(project, small, "--replace", *more)
        assert result.rc == 53 and "left over" in result.err and "ROLLBACK PREPARED" in result.err, result
    assert databases(small.server) == before
    small.sql("ROLLBACK PREPARED 'left over'")
    assert restore(project, small, "--replace", "--confirm", small.name).rc == 0


def begin_replacing(project, db, *args):
    """Returns when the locks are held and the new database is there."""
    before = databases(db.server)
    run = aramid.start("restore", "--url", db.url(), "--replace", "--confirm", db.name, *args, cwd=project.path)
    wait.until(lambda: any("restoring" in name for name in databases(db.server) - before) or not run.running())
    return run


@pytest.fixture
def replaced(project, db):
    project.add("first", "CREATE TABLE t (id int PRIMARY KEY, v text);")
    assert aramid.deploy(project, db.url(), "--yes").rc == 0
    db.sql("INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(1, 79000) i")
    backup(project, db, "--method", "native")
    return db


def test_what_is_written_meanwhile_is_told(project, replaced):
    run = begin_replacing(project, replaced)
    replaced.sql("INSERT INTO t VALUES (-1, 'written meanwhile')")
    result = run.wait()
    assert result.rc == 0 and "was written to while" in result.text and "(1 rows)" in result.text, result
    kept = next(n for n in databases(replaced.server) if n.startswith(f"{replaced.name}_before"))
    assert Database(replaced.server, kept).one("SELECT count(*) FROM t WHERE id = -1") == 1
    assert kept in result.text
    result = restore(project, replaced, "--replace", "--confirm", replaced.name)
    assert result.rc == 0 and "was written to" not in result.text, result


def test_a_deploy_waits_for_a_restore_and_goes_on_in_the_restored_one(project, replaced):
    run = begin_replacing(project, replaced)
    project.add("second", "CREATE TABLE later (id int);")
    deploy = aramid.start("deploy", "--url", replaced.url(), "--yes", cwd=project.path)
    restored, deployed = run.wait(), deploy.wait()
    assert restored.rc == 0, restored
    assert deployed.rc == 0, deployed
    assert replaced.exists("later") and replaced.one("SELECT count(*) FROM t") == 79000
    kept = next(n for n in databases(replaced.server) if n.startswith(f"{replaced.name}_before"))
    assert not Database(replaced.server, kept).exists("later") or "was written to" in restored.text


def test_a_restore_waits_for_a_deploy(project, replaced):
    with open(os.path.join(project.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write("timeouts:\n  runner: 1s\n")
    with replaced.connect() as conn, conn.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(72707369)")
        before = databases(replaced.server)
        result = restore(project, replaced, "--replace", "--confirm", replaced.name, "--force")
        assert result.rc == 41 and databases(replaced.server) == before, result
    conn.close()


# ---- PGlite ------------------------------------------------------------------------------------


@pytest.fixture
def shared():
    if not pglite.available():
        pytest.skip("pglite-socket is not installed")
    with pglite.started(20) as server, contextlib.closing(psycopg2.connect(server.url)) as conn:
        conn.autocommit = True
        yield server.url, conn.cursor()


def test_pglite_is_refused_before_anything_is_touched(project, small, tmp_path, shared):
    url, cursor = shared
    path = pg_dump(small, tmp_path / "d.sql")
    cursor.execute("CREATE TABLE live (id int); INSERT INTO live VALUES (1); SET work_mem = '7MB'")
    cursor.execute("SELECT name, setting FROM pg_settings ORDER BY 1")
    settings = cursor.fetchall()
    for args, rc in ((("backup",), 50), (("restore", path, "--name", "zz"), 53), (("restore", path), 53),
                     (("restore", path, "--replace", "--confirm", "postgres"), 53)):
        result = aramid.run(*args, "--url", url, cwd=project.path)
        assert result.rc == rc and "PGlite" in result.err, result
    result = aramid.run("restore", path, "--into", url, cwd=project.path)
    assert result.rc != 0, result
    cursor.execute("SELECT name, setting FROM pg_settings ORDER BY 1")
    assert cursor.fetchall() == settings
    cursor.execute("SELECT id FROM live")
    assert cursor.fetchall() == [(1,)]
    project.add("one", "CREATE TABLE one (id int);")
    assert aramid.run("status", "--url", url, cwd=project.path).rc in (10, 16)
    cursor.execute("SELECT name, setting FROM pg_settings ORDER BY 1")
    assert cursor.fetchall() == settings


# ---- rows of some tables -----------------------------------------------------------------------


SHOP = """
CREATE TABLE region (id int PRIMARY KEY, name text);
CREATE TABLE customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, region_id int NOT NULL REFERENCES region, boss int REFERENCES customer);
CREATE TABLE "Order" (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customer, total numeric(9, 2),
    twice numeric GENERATED ALWAYS AS (total * 2) STORED);
CREATE TABLE log (id bigserial PRIMARY KEY, what text);
CREATE TABLE a_event (order_id int REFERENCES "Order", at date) PARTITION BY RANGE (at);
CREATE TABLE a_event_25 PARTITION OF a_event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE a_event_26 PARTITION OF a_event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (what) VALUES (TG_TABLE_NAME); NEW.total := 0;
    RETURN NEW; END $$;
INSERT INTO region VALUES (1, 'north'), (2, 'south');
INSERT INTO customer (region_id, boss) SELECT 1 + i % 2, CASE WHEN i > 1 THEN i - 1 END FROM generate_series(1, 20) i;
INSERT INTO "Order" (customer_id, total) SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO a_event SELECT i, '2025-12-20'::date + i FROM generate_series(1, 20) i;
INSERT INTO log (what) SELECT 'x' FROM generate_series(1, 5);
CREATE TRIGGER noted BEFORE INSERT ON "Order" FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER off BEFORE INSERT ON "Order" FOR EACH ROW EXECUTE FUNCTION noted();
ALTER TABLE "Order" DISABLE TRIGGER off;
"""
NAMES = ("region", "customer", '"Order"', "log", "a_event", "a_event_25", "a_event_26")


@pytest.fixture(params=["pg_dump", "native"])
def shop(db, project, request):
    db.sql(SHOP)
    backup(project, db, "--method", request.param)
    return db


def counts(db):
    return {name: db.one(f"SELECT count(*) FROM {name}") for name in NAMES}


def test_rows_of_some_tables_in_a_new_database(project, shop):
    """The whole schema, their rows, and what their foreign keys need."""
    before = databases(shop.server)
    result = restore(project, shop, "--only-tables", "Order", "--dry-run")
    assert result.rc == 0 and "foreign key" in result.out and databases(shop.server) == before, result
    result = restore(project, shop, "--only-tables", '"Order"', "--json")
    assert result.rc == 0 and result.json["compared"] == 3 == len(result.json["onlyTables"]), result
    assert len(result.json["addedTables"]) == 2
    copy = made(shop.server, before)
    assert counts(copy) == {**counts(shop), "log": 0, "a_event": 0, "a_event_25": 0, "a_event_26": 0}
    assert contents(copy, ['"Order"', "customer"]) == contents(shop, ['"Order"', "customer"])
    assert catalog.difference(catalog.dump(shop), catalog.dump(copy)) == []
    copy.drop()
    # A partitioned table comes with its partitions, and with what its own keys need.
    result = restore(project, shop, "--only-tables", "public.a_event,log")
    assert result.rc == 0, result
    copy = made(shop.server, before)
    assert counts(copy) == counts(shop)
    copy.drop()


def test_rows_of_some_tables_in_the_live_database(project, shop):
    before = databases(shop.server)
    kept = {**contents(shop, NAMES)}

    def into(*args, rc=0):
        result = aramid.run("restore", "--into", shop.url(), *args, cwd=project.path)
        assert result.rc == rc and databases(shop.server) == before, result
        return result

    into(rc=24)  # as before: a whole backup wants an empty database
    assert '"Order"' in into("--only-tables", "Order", rc=24).err
    shop.sql('TRUNCATE "Order" CASCADE; TRUNCATE log; ALTER SEQUENCE "Order_id_seq" RESTART; INSERT INTO region VALUES (3, \'new\')')
    result = into("--only-tables", "Order,a_event")
    assert "rows restored into" in result.out and "customer" in result.out, result
    assert {**contents(shop, NAMES), "log": kept["log"], "region": kept["region"]} == kept
    assert shop.one("SELECT count(*) FROM log") == 0  # no trigger fired
    assert shop.column("SELECT tgenabled FROM pg_trigger WHERE tgrelid = '\"Order\"'::regclass AND NOT tgisinternal ORDER BY tgname") == ["O", "D"]
    assert shop.one("SELECT nextval('\"Order_id_seq\"')") == 21
    assert into("--only-tables", "Order", rc=24).err
    # All of it, also tables that refer to themselves and each other: the order is that of the keys.
    shop.sql("TRUNCATE region, customer, \"Order\", a_event, log")
    into("--only-tables", "a_event")
    assert {**contents(shop, NAMES), "log": kept["log"]} == kept
    # Nothing is kept when something cannot be.
    shop.sql("TRUNCATE a_event, \"Order\" CASCADE; DELETE FROM customer WHERE id = 20")
    result = into("--only-tables", "Order", rc=53)
    assert "foreign key" in result.err and shop.one('SELECT count(*) FROM "Order"') == 0, result
    shop.sql("DROP TABLE log")
    assert "does not have" in into("--only-tables", "log", rc=53).err


@pytest.mark.parametrize("names,words", [("nothing", "no table nothing"), ("Log", None), ("a.log", "no table a.log"), ("twin", "several tables"),
                                         ('b."twin"', None), (",", "names no table")])
def test_names_of_tables(project, small, names, words):
    small.sql("CREATE TABLE log (id int); CREATE SCHEMA b; CREATE TABLE b.twin (id int); CREATE TABLE public.twin (id int)")
    backup(project, small)
    before = databases(small.server)
    result = restore(project, small, "--only-tables", names)
    if words:
        assert result.rc == 53 and words in result.err and databases(small.server) == before, result
    else:
        assert result.rc == 0, result
        made(small.server, before).drop()
    result = restore(project, small, "--only-tables", "log", "--replace")
    assert result.rc == 2, result
