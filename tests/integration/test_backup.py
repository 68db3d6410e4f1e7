"""`aramid backup` and the backup before a deploy, on real servers."""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

from harness import aramid, wait
from harness.cluster import client_tool

CANARY = "Zeisig-4711-geheim"
DATA = """
CREATE TABLE users (id serial PRIMARY KEY, name text, note text);
INSERT INTO users (name, note) SELECT 'n' || i, repeat('x', i % 50) || E'\\t\\\\.\\n' FROM generate_series(1, 5000) i;
CREATE TABLE "odd ""name" ("a b" int, c bytea);
INSERT INTO "odd ""name" VALUES (1, '\\x00ff'), (NULL, NULL);
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE p (k int) PARTITION BY RANGE (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
INSERT INTO p VALUES (1), (2);
CREATE FUNCTION trap() RETURNS void LANGUAGE plpgsql AS $$BEGIN
RAISE NOTICE '
COPY users (id) FROM stdin;
\\.
';
END$$;
SELECT lo_from_bytea(0, 'contents'), lo_from_bytea(0, '');
"""
ROWS = {"public.users": 5000, 'public."odd ""name"': 2, "public.nothing": 1, "public.p1": 2}
FORMATS = ("sql", "sql.zst", "dump")


@pytest.fixture
def data(db):
    db.sql(DATA)
    return db


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "app"
    path.mkdir()
    (path / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
    return str(path)


def backup(folder, db, *args, rc=0, **kwargs):
    env = {"DATABASE_URL": db.url(), **kwargs.pop("env", {})}
    result = aramid.run("backup", *args, cwd=folder, env=env, **kwargs)
    assert result.rc == rc, result
    return result


def files(folder):
    return sorted(e for e in os.listdir(os.path.join(folder, "backups")) if e != ".gitignore")


def manifests(folder):
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "backups", "*.json"))):
        with open(path, encoding="utf-8") as file:
            found.append(json.load(file))
    return sorted(found, key=lambda m: m["started_us"])


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@contextlib.contextmanager
def role(server, name, *options):
    server.admin(f"CREATE ROLE {name} LOGIN {' '.join(options)}")
    try:
        yield name
    finally:
        server.admin(f"DROP ROLE {name}")


# ---- making ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_a_backup_holds_everything(folder, data, form):
    made = backup(folder, data, "--format", form, "--json").json["backup"]
    (m,) = manifests(folder)
    stamp = m["id"]
    assert re.fullmatch(r"\d{8}T\d{6}Z", stamp)
    assert files(folder) == [f"backup-{stamp}.json", f"db-backup-{stamp}.{form}",
                             f"schema-backup-{stamp}.prisma"]
    assert {t["name"]: t["rows"] for t in m["tables"]} == ROWS
    assert m["large_objects"] == 2 and m["format"] == form and m["method"] == "pg_dump"
    dump = os.path.join(folder, "backups", m["data"]["name"])
    assert sha256(dump) == m["data"]["sha256"] == made["made"]["data"]["sha256"]
    assert sha256(os.path.join(folder, "schema.prisma")) == m["schema"]["sha256"]
    assert m["server"]["system_identifier"] == data.one(
        "SELECT system_identifier::text FROM pg_control_system()")
    for name in os.listdir(os.path.join(folder, "backups")):
        assert stat.S_IMODE(os.stat(os.path.join(folder, "backups", name)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.join(folder, "backups")).st_mode) == 0o700


def test_all_formats_hold_the_same(folder, data):
    for form in FORMATS:
        backup(folder, data, "--format", form)
    one, *others = [(m["tables"], m["large_objects_sum"]) for m in manifests(folder)]
    assert others == [one, one]
    assert aramid.run("backup", "verify", "--all", cwd=folder).rc == 0


@pytest.mark.parametrize("major", (13, 14))
def test_older_servers(servers, folder, major):
    db = servers.get(major).new_database()
    db.sql(DATA)
    backup(folder, db)
    (m,) = manifests(folder)
    assert {t["name"]: t["rows"] for t in m["tables"]} == ROWS
    db.drop()


def test_psql_restores_it(folder, server, data, db2):
    backup(folder, data)
    (m,) = manifests(folder)
    subprocess.run([client_tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f",
                    os.path.join(folder, "backups", m["data"]["name"]), db2.url()],
                   check=True, stdout=subprocess.DEVNULL)
    same = "SELECT count(*), md5(string_agg(u::text, ',' ORDER BY id)) FROM users u"
    assert db2.sql(same) == data.sql(same)


def test_names(folder, data):
    pattern = "nightly-%Y%m%d-%H%M"
    for _ in range(2):
        backup(folder, data, "--name", pattern)
    names = files(folder)
    assert len(names) == 6 and all(re.match(r"nightly-\d{8}-\d{4}(-2)?\.", n) for n in names), names
    for bad in ("../x", "a/b", ".hidden", "-x", "%q", "%", "x" * 101, "a b"):
        result = backup(folder, data, "--name", bad, rc=2)
        assert "--name 'backup-%Y%m%d-%H%M'" in result.err
    assert files(folder) == names


def test_a_folder_of_schemas_is_kept(tmp_path, data):
    schema = tmp_path / "app" / "schema"
    schema.mkdir(parents=True)
    (schema / "a.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
    (schema / "b.prisma").write_text("model B {\n  id Int @id\n}\n")
    backup(str(tmp_path / "app"), data, "--schema", "schema")
    (m,) = manifests(str(tmp_path / "app"))
    text = (tmp_path / "app" / "backups" / m["schema"]["name"]).read_text()
    assert "// ---- a.prisma\n" in text and "model B {" in text


def test_ignored_by_git_and_docker(tmp_path, data):
    folder = str(tmp_path)
    (tmp_path / ".gitignore").write_text("node_modules")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "package.json").write_text("{}")
    backup(folder, data)
    assert (tmp_path / ".gitignore").read_text() == "node_modules\n/backups/\n"
    assert (tmp_path / ".dockerignore").read_text() == "backups/\n"
    assert (tmp_path / "backups" / ".gitignore").read_text() == "*\n"
    (tmp_path / ".gitignore").write_text("")  # somebody wants it so
    backup(folder, data)
    assert (tmp_path / ".gitignore").read_text() == ""


def test_nothing_but_its_folder_is_touched(folder, data):
    backup(folder, data)
    assert sorted(os.listdir(folder)) == [".aramid", "backups", "schema.prisma"]
    assert os.listdir(os.path.join(folder, ".aramid", "runs"))


# ---- reading all rows -----------------------------------------------------------------------------


def test_row_level_security_is_refused(folder, server, data):
    data.sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    with role(server, "reader"):
        data.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
                 "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader")
        result = backup(folder, data, rc=33, env={"DATABASE_URL": data.url(user="reader")})
        data.sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM reader;"
                 "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM reader")
    assert "ALTER ROLE reader BYPASSRLS" in result.err and "public.users" in result.err
    assert files(folder) == []


def test_a_missing_grant_is_named(folder, server, data):
    data.sql("CREATE SCHEMA closed; CREATE TABLE closed.t (x int)")
    with role(server, "reader"):
        result = backup(folder, data, rc=33, env={"DATABASE_URL": data.url(user="reader")})
    assert "GRANT pg_read_all_data TO reader" in result.err, result
    assert 'public."odd ""name": no privilege SELECT' in result.err
    assert "closed.t: no privilege USAGE on its schema" in result.err


def test_a_locked_table_is_waited_for(folder, data):
    other = data.connect()
    cursor = other.cursor()
    cursor.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
    run = aramid.start("backup", cwd=folder, env={"DATABASE_URL": data.url()})
    run.wait_for("a table is locked by others")
    other.rollback()
    other.close()
    assert run.wait().rc == 0
    assert len(manifests(folder)) == 1


# ---- tools ----------------------------------------------------------------------------------------


def fake_tool(path, version, body="exit 1"):
    path.mkdir(exist_ok=True)
    (path / "pg_dump").write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) {version}"; exit 0; fi\n'
        f"{body}\n")
    (path / "pg_dump").chmod(0o755)
    return str(path)


@pytest.mark.parametrize("version", (None, "12.3", "14.9 (Debian 14.9-1)"))
def test_no_pg_dump_that_suffices(folder, tmp_path, data, version):
    tools = fake_tool(tmp_path / "bin", version) if version else str(tmp_path)
    result = backup(folder, data, "--method", "pg_dump", rc=52, env={"ARAMID_BACKUP_BIN": tools})
    assert "backup.bin" in result.err
    assert version is None or version.split()[0] in result.err
    assert files(folder) == []


def test_a_pg_dump_that_cannot_be_asked(folder, tmp_path, data):
    """Where this machine keeps it from running it is not "not found"; nor does its output get into ours."""
    tools = fake_tool(tmp_path / "bin", "99.1")
    (tmp_path / "bin" / "pg_dump").write_text("#!/bin/sh\necho no luck; exit 3\n")
    result = backup(folder, data, "--method", "pg_dump", rc=52, env={"ARAMID_BACKUP_BIN": tools})
    assert "could not be asked" in result.err and "status 3, no luck" in result.err, result
    for files_open in range(7, 14):
        result = aramid.start("backup", "--url", data.url(), "--method", "pg_dump", cwd=str(folder),
                              prefix=("prlimit", f"--nofile={files_open}", "--")).wait()
        assert result.out.startswith("✅") if result.rc == 0 else not result.out, result
        assert "no pg_dump was found" not in result.text, result
        assert result.rc == 0 or "oo many open files" in result.err or "libpq.so" in result.err, result


@pytest.mark.parametrize("body,words", [
    ("echo 'pg_dump: error: it is Monday' >&2; exit 3", "it is Monday"),
    ("echo '-- half'; kill -9 $$", "killed by signal 9"),
    ("echo 'SELECT 1;'", "the last line of a dump is missing"),
    ("echo 'COPY a (b) FROM stdin;'; echo 1", "the last line of a dump is missing"),
    ("exit 0", "the last line of a dump is missing"),
    ("cat /dev/zero | head -c 3000000; exit 0", "the last line of a dump is missing"),
])
def test_a_pg_dump_that_lies(folder, tmp_path, data, body, words):
    tools = fake_tool(tmp_path / "bin", "99.1", body)
    result = backup(folder, data, rc=50, env={"ARAMID_BACKUP_BIN": tools})
    assert words in result.err, result
    assert files(folder) == []


def test_the_wrapper_is_left_aside(folder, data):
    made = backup(folder, data, "--json").json["backup"]["made"]
    assert re.fullmatch(r"pg_dump \(PostgreSQL\) \d+\.\d+", made["tool"])


def test_inherited_variables_do_not_change_the_dump(folder, data):
    backup(folder, data, env={"PGOPTIONS": "-c row_security=on -c search_path=nowhere",
                              "PGCLIENTENCODING": "LATIN1", "PGHOST": "nowhere.invalid"})


def test_url_parameters_of_prisma(folder, data):
    url = data.url() + ("&" if "?" in data.url() else "?") + "schema=public&connection_limit=1&pgbouncer=false"
    backup(folder, data, env={"DATABASE_URL": url})


# ---- the password ---------------------------------------------------------------------------------


def test_the_password_is_seen_nowhere(folder, new_server, tmp_path):
    server = new_server(None, hba="host all canary 127.0.0.1/32 scram-sha-256\n")
    db = server.new_database()
    db.sql(f"CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{CANARY}'")
    db.sql(DATA)
    seen = tmp_path / "seen"
    real = client_tool("pg_dump")
    tools = fake_tool(tmp_path / "bin", "99.1",
                      f'tr "\\0" " " < /proc/$$/cmdline > {seen}; exec {real} "$@"')
    url = db.url(user="canary", password=CANARY)
    result = backup(folder, db, env={"DATABASE_URL": url, "ARAMID_BACKUP_BIN": tools})
    assert CANARY not in result.text and CANARY not in seen.read_text()
    assert "host=" in seen.read_text()
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                assert CANARY.encode() not in file.read(), name


# ---- by a command ---------------------------------------------------------------------------------


def test_a_command_makes_it(folder, data):
    env = {"ARAMID_BACKUP_COMMAND": 'echo "snap-$ARAMID_BACKUP_NAME-$PGDATABASE"; echo noise >&2'}
    made = backup(folder, data, "--json", env=env).json["backup"]["made"]
    assert made["method"] == "command" and re.fullmatch(r"snap-\w+-" + data.name, made["commandId"])
    result = aramid.run("backup", "verify", cwd=folder)
    assert result.rc == 0 and "made by a command" in result.out


@pytest.mark.parametrize("command,words", [
    ("echo broken >&2; exit 7", "broken"),
    ("true", "did not print an id"),
    ("echo a; echo b", "did not print an id"),
    ("no-such-program-here", "exit status 127"),
])
def test_a_command_that_fails(folder, data, command, words):
    result = backup(folder, data, rc=50, env={"ARAMID_BACKUP_COMMAND": command})
    assert words in result.err
    assert files(folder) == []


# ---- encryption -----------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path):
    if not shutil.which("age-keygen"):
        pytest.skip("age is not installed")
    path = str(tmp_path / "key.txt")
    subprocess.run(["age-keygen", "-o", path], check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(["age-keygen", "-y", path], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    return path, public


@pytest.mark.parametrize("form", FORMATS)
def test_age_can_read_what_is_encrypted(folder, data, key, form):
    path, public = key
    backup(folder, data, "--format", form, "--encrypt-to", public)
    (m,) = manifests(folder)
    name = os.path.join(folder, "backups", m["data"]["name"])
    assert name.endswith(f".{form}.age") and m["encrypted_to"] == [public]
    assert {t["name"]: t["rows"] for t in m["tables"]} == ROWS
    with open(name, "rb") as file:
        assert b"users" not in file.read()
    clear = subprocess.run(["age", "-d", "-i", path, name], check=True,
                           stdout=subprocess.PIPE).stdout
    if form == "sql.zst":
        clear = subprocess.run(["zstd", "-dc"], input=clear, check=True,
                               stdout=subprocess.PIPE).stdout
    if form != "dump":
        assert clear.count(b"\n") > 5000 and b"dump complete" in clear[-200:]
        assert len(clear) == m["plain_bytes"]
    assert "without the key" in aramid.run("backup", "verify", cwd=folder).out
    result = aramid.run("backup", "verify", "--identity", path, cwd=folder)
    assert result.rc == 0 and "5005 rows" in result.out, result


def test_what_age_encrypts_can_be_read(folder, data, key, tmp_path):
    path, public = key
    backup(folder, data, "--encrypt-to", f"{public}, age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
    assert aramid.run("backup", "verify", "--identity", path, cwd=folder).rc == 0
    other = str(tmp_path / "other.txt")
    subprocess.run(["age-keygen", "-o", other], check=True, stderr=subprocess.DEVNULL)
    result = aramid.run("backup", "verify", "--identity", other, cwd=folder)
    assert result.rc == 3 and "none of the keys" in result.err


def test_a_bad_key_is_refused_before_anything(folder, data):
    result = backup(folder, data, "--encrypt-to", "age1qqqq", rc=3)
    assert "age-keygen" in result.err and not os.path.exists(os.path.join(folder, "backups"))


# ---- list, verify, prune --------------------------------------------------------------------------


def test_list_tells_what_is_wrong(folder, data):
    assert "There is no backup" in aramid.run("backup", "list", cwd=folder).out
    for _ in range(3):
        backup(folder, data)
    one, two, _ = [m["data"]["name"] for m in manifests(folder)]
    os.unlink(os.path.join(folder, "backups", one))
    os.truncate(os.path.join(folder, "backups", two), 100)
    shutil.copy(os.path.join(folder, "backups", two),
                os.path.join(folder, "backups", "db-backup-x.sql"))
    result = aramid.run("backup", "list", cwd=folder)
    assert result.rc == 0 and f"{one} is missing" in result.out, result
    assert f"{two} has 100 bytes instead of" in result.out
    assert "db-backup-x.sql: it has no manifest" in result.out
    found = aramid.run("backup", "list", "--json", cwd=folder).json
    assert [b["broken"] is None for b in found["backups"]] == [True, False, False]
    result = aramid.run("backup", "verify", "--all", cwd=folder)
    assert result.rc == 51 and "2 of 3 backups cannot be relied on" in result.out
    assert aramid.run("backup", "verify", cwd=folder).rc == 0  # the newest one that is there
    assert aramid.run("backup", "verify", two, cwd=folder).rc == 51
    assert aramid.run("backup", "verify", "no-such", cwd=folder).rc == 50


def make_old(folder, manifest, days):
    """The same backup, made some days earlier."""
    path = os.path.join(folder, "backups", f"backup-{manifest['id']}.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    us = manifest["started_us"]
    text = text.replace(str(us), str(us - days * 86400 * 10**6))
    body = text[:text.index(',\n  "manifest_sha256"')]
    digest = hashlib.sha256(body.encode()).hexdigest()
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{body},\n  "manifest_sha256": "{digest}"\n}}\n')


def ids(folder):
    return [m["id"] for m in manifests(folder)]


def test_prune_keeps_the_newest_good_one(folder, data):
    for _ in range(4):
        backup(folder, data)
    all_ids = ids(folder)
    for m, days in zip(manifests(folder), (50, 40, 35, 31)):
        make_old(folder, m, days)
    newest = [m for m in manifests(folder)][3]["data"]["name"]
    path = os.path.join(folder, "backups", newest)
    with open(path, "r+b") as file:  # a good one only by its looks
        file.seek(1000)
        file.write(b"#")
    result = aramid.run("backup", "prune", "--dry-run", cwd=folder)
    assert result.rc == 0 and len(ids(folder)) == 4
    result = aramid.run("backup", "prune", cwd=folder)
    assert result.rc == 0 and ids(folder) == all_ids[2:], result
    assert aramid.run("backup", "prune", cwd=folder).rc == 0
    assert ids(folder) == all_ids[2:]  # nothing newer is good


def test_a_new_backup_removes_old_ones_of_its_database(folder, data, db2):
    backup(folder, data)
    backup(folder, db2)
    for m in manifests(folder):
        make_old(folder, m, 31)
    other = [m["id"] for m in manifests(folder) if m["server"]["database"] == db2.name]
    result = backup(folder, data)
    assert "Removed 1 backup older than 30 days" in result.out, result
    assert len(ids(folder)) == 2 and other[0] in ids(folder)
    for m in manifests(folder):
        make_old(folder, m, 31)
    with open(os.path.join(folder, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write("backup:\n  retention_days: 0\n")
    backup(folder, data)
    assert len(ids(folder)) == 3


def test_prune_leaves_other_files(folder, data):
    backup(folder, data)
    backup(folder, data)
    make_old(folder, manifests(folder)[0], 99)
    for name in ("notes.txt", "package.json", "db-backup-old.sql", "backup-bad.json"):
        with open(os.path.join(folder, "backups", name), "w", encoding="utf-8") as file:
            file.write("{}\n")
    aramid.run("backup", "prune", cwd=folder)
    names = files(folder)
    assert {"notes.txt", "package.json", "db-backup-old.sql", "backup-bad.json"} <= set(names)
    assert len(names) == 4 + 3


# ---- before a deploy ------------------------------------------------------------------------------

PRODUCTION = ("--env", "production", "--yes")


@pytest.fixture
def deployed(project, db):
    """A project whose first migration is applied and whose second is pending."""
    project.add("one", "CREATE TABLE one (id int); INSERT INTO one VALUES (1);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("two", "ALTER TABLE one ADD COLUMN x int;")
    return project


def column(db):
    return db.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = 'x'")


def test_production_backs_up_first(deployed, db):
    result = aramid.deploy(deployed, db.url(), *PRODUCTION, "--json")
    assert result.rc == 0 and column(db) == 1, result
    (m,) = manifests(deployed.path)
    assert m["reason"] == "deploy" and m["environment"] == "production"
    assert result.json["backup"] == m["id"] and m["run_id"] == result.json["run"]
    assert m["last_migration"].endswith("_one") and m["applied_migrations"] == 1
    rows = {t["name"]: (t["rows"], t["columns"]) for t in m["tables"]}
    assert rows["public.one"] == (1, "id")  # as it was before


def test_nothing_pending_means_no_backup(deployed, db):
    assert aramid.deploy(deployed, db.url(), *PRODUCTION).rc == 0
    assert aramid.deploy(deployed, db.url(), *PRODUCTION).rc == 0
    assert len(manifests(deployed.path)) == 1


def test_an_empty_database_needs_none(project, db):
    project.add("one", "CREATE TABLE one (id int)")
    result = aramid.deploy(project, db.url(), *PRODUCTION)
    assert result.rc == 0 and "nothing to back up" in result.text
    assert not os.path.exists(os.path.join(project.path, "backups"))


def test_development_backs_up_when_asked(deployed, db):
    assert aramid.deploy(deployed, db.url(), "--backup").rc == 0
    assert len(manifests(deployed.path)) == 1


def test_scope_migration(deployed, db):
    deployed.add("three", "ALTER TABLE one ADD COLUMN y int;")
    deployed.write("aramid.yaml", "backup:\n  enabled: true\n  scope: migration\n")
    assert aramid.deploy(deployed, db.url()).rc == 0
    found = [m["last_migration"].split("_", 1)[1] for m in manifests(deployed.path)]
    assert found == ["one", "two"]


def test_without_a_backup_nothing_is_changed(deployed, db, tmp_path):
    tools = fake_tool(tmp_path / "bin", "99.1", "exit 1")
    result = aramid.deploy(deployed, db.url(), *PRODUCTION, env={"ARAMID_BACKUP_BIN": tools})
    assert result.rc == 50 and column(db) == 0, result
    assert "nothing was changed" in result.err and "--no-backup --reason" in result.err
    assert files(deployed.path) == []


def test_no_backup_needs_a_reason(deployed, db):
    for args, env in ((("--no-backup",), {}), (("--no-backup", "--reason", " "), {}),
                      ((), {"ARAMID_BACKUP": "0"})):
        result = aramid.deploy(deployed, db.url(), *PRODUCTION, *args, env=env)
        assert result.rc == 4 and "--reason" in result.err and column(db) == 0, result
    result = aramid.deploy(deployed, db.url(), *PRODUCTION, "--no-backup", "--reason", "snapshot at noon")
    assert result.rc == 0 and column(db) == 1 and "no backup is made: snapshot at noon" in result.err
    (log,) = glob.glob(os.path.join(deployed.path, ".aramid", "runs", "*", "events.jsonl"))[-1:]
    assert any("snapshot at noon" in open(p, encoding="utf-8").read() for p in
               glob.glob(os.path.join(deployed.path, ".aramid", "runs", "*", "events.jsonl"))), log
    assert not os.path.exists(os.path.join(deployed.path, "backups"))


def test_a_file_of_the_project_may_switch_it_off(deployed, db):
    deployed.write("aramid.yaml", "environments:\n  production:\n    backup:\n      enabled: false\n")
    result = aramid.deploy(deployed, db.url(), *PRODUCTION)
    assert result.rc == 0 and "switched off by aramid.yaml:4" in result.err, result


def test_the_question_comes_before_the_backup(deployed, db):
    result = aramid.deploy(deployed, db.url(), "--env", "production")
    assert result.rc == 4 and not os.path.exists(os.path.join(deployed.path, "backups"))


def test_a_foreign_dump_is_waited_for(deployed, db):
    other = db.connect()
    cursor = other.cursor()
    cursor.execute("SET application_name = 'pg_dump'")
    cursor.execute("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE")
    run = aramid.start("deploy", *PRODUCTION, "--url", db.url(), cwd=deployed.path)
    run.wait_for("waiting for a dump that is running")
    assert column(db) == 0
    other.close()
    assert run.wait().rc == 0 and column(db) == 1


def test_the_deploy_holds_no_dump_open(deployed, db):
    """When the first change runs, no session of a dump is left."""
    deployed.add("look", """
        CREATE TABLE seen AS SELECT application_name FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE '%dump%';""")
    assert aramid.deploy(deployed, db.url(), *PRODUCTION).rc == 0
    assert db.column("SELECT * FROM seen") == []


def test_a_backup_waits_for_a_deploy(deployed, db):
    deployed.add("slow", wait.HELD + "ALTER TABLE one ADD COLUMN late int;")
    with wait.held(db) as reached:
        run = aramid.start("deploy", "--url", db.url(), cwd=deployed.path)
        reached()
        second = aramid.start("backup", "--url", db.url(), cwd=deployed.path)
        second.wait_for("waiting")
    assert second.wait().rc == 0 and run.wait().rc == 0
    (m,) = manifests(deployed.path)
    assert [t["columns"] for t in m["tables"] if t["name"] == "public.one"] == ["id, x, late"]


# ---- our own dump ---------------------------------------------------------------------------------


@pytest.mark.parametrize("major", (None, 16, 17, 18))
def test_native_where_no_pg_dump_suffices(servers, folder, tmp_path, major):
    db = servers.get(major).new_database()
    db.sql(DATA)
    env = {"PATH": "/usr/bin:/bin"} if major else {"ARAMID_BACKUP_BIN": str(tmp_path)}
    result = backup(folder, db, env=env)
    (m,) = manifests(folder)
    assert m["method"] == "native" and m["tool"].startswith("aramid "), m
    assert sorted(t["rows"] for t in m["tables"]) == sorted(ROWS.values())
    assert m["large_objects"] == 2
    assert "Aramid makes the dump itself" in result.err
    assert aramid.run("backup", "verify", cwd=folder).rc == 0
    db.drop()


# ---- what a failed deploy says -----------------------------------------------------------------------------


def test_a_failed_deploy_ends_with_what_to_look_at(deployed, db):
    """Log, backup, connection, statement; and the command that brings the backup back."""
    name = deployed.add("bad", "CREATE TABLE ok (i int);\n\nALTER TABLE one\n  ADD COLUMN x boolean DEFAULT 'maybe';")
    result = aramid.deploy(deployed, db.url(), *PRODUCTION)
    assert result.rc == 22, result
    (m,) = manifests(deployed.path)
    lines = [line.strip() for line in result.err.splitlines()[-5:]]
    assert lines[0].startswith("log:") and lines[0].split()[1].startswith(".aramid/runs/"), result
    assert lines[1].split() == f"backup: {m['id']}: made before the first change and read back as a whole".split(), result
    assert lines[2].startswith("connection: good: postgresql://") and db.name in lines[2], result
    assert lines[3].split() == "statement: ALTER TABLE one ...".split(), result
    assert re.fullmatch(rf"restore: +aramid restore --url \S+ --env production {m['id']}", lines[4]), result
    # What is typed as it stands there does it.
    db.sql("DROP TABLE one CASCADE")
    command = lines[4].split("aramid ", 1)[1].split()
    again = aramid.run(*command, "--name", "as_it_was", cwd=deployed.path)
    assert again.rc == 0, again
    db.server.admin("DROP DATABASE as_it_was")
    result = aramid.deploy(deployed, db.url(), *PRODUCTION, "--json")
    facts = result.json["failure"]
    assert facts["restore"].startswith("aramid restore ") and facts["statement"] == "ALTER TABLE one ...", result
    assert name == result.json["failed"]


def test_a_failed_restore_does_too(deployed, db):
    backup(deployed.path, db)
    (m,) = manifests(deployed.path)
    db.server.admin("CREATE DATABASE taken")
    result = aramid.run("restore", "--url", db.url(), "--name", "taken", cwd=deployed.path)
    db.server.admin("DROP DATABASE taken")
    assert result.rc == 53 and re.search(rf"backup: +{m['id']}: whole, as its manifest says\n +connection: good: postgres", result.err), result
    path = os.path.join(deployed.path, "backups", m["data"]["name"])
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"#")
    result = aramid.run("restore", "--url", db.url(), "--json", cwd=deployed.path)
    assert result.rc == 51 and result.json["failure"]["backup"] == f"{m['id']}: damaged", result
    assert result.json["failure"]["restore"].startswith("aramid backup list")


def test_a_deploy_that_fails_before_it_begins_says_no_more_than_why(deployed, db):
    result = aramid.deploy(deployed, db.url(), *PRODUCTION, env={"ARAMID_BACKUP_DIR": "/proc/nowhere"})
    assert result.rc and not re.search("connection:|restore:|statement:", result.err) and "log:" in result.err, result
