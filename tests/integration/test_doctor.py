"""aramid doctor: each finding with the situation really made, and the rest told all the same."""

import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
import tarfile
import threading
import time

import psycopg2
import pytest

from harness import aramid, wait
from harness.cluster import free_port, give_to_server
from harness.pooler import pooled

ERRORS = 19


def doctor(project, url=None, *args, **kwargs):
    """The findings as a list of (id, level, subject, message, fix), and the whole value."""
    where = ["--url", url] if url else []
    result = aramid.run("doctor", "--json", *where, *args, cwd=project.path, **kwargs)
    value = result.json
    assert result.rc == value["exitStatus"] == (0 if value["ok"] else ERRORS), result
    return value


def of(value, name, level=None):
    return [f for f in value["findings"] if f["id"] == name and level in (None, f["level"])]


def one(value, name, level=None):
    found = of(value, name, level)
    assert len(found) == 1, (name, level, value["findings"])
    return found[0]


def bad(value):
    return [f for f in value["findings"] if f["level"] in ("warning", "error")]


@pytest.fixture
def simple(project):
    project.add("init", "CREATE TABLE a (i int);")
    return project


# ---- a project that is well --------------------------------------------------------------------

@pytest.mark.parametrize("major", [None, 13, 18])
def test_nothing_is_wrong(simple, servers, major):
    server = servers.get(major)
    db = server.new_database()
    try:
        assert aramid.deploy(simple, db.url()).rc == 0
        value = doctor(simple, db.url())
        # The tests' servers run without fsync and autovacuum, some are old releases.
        others = [f for f in bad(value) if f["id"] not in ("server-release", "tool-pg-dump")
                  and f["subject"] not in ("fsync", "autovacuum")]
        assert others == [], others
        assert one(value, "ledger-found")["message"] == "Prisma's history: 1 row"
        assert one(value, "server-version")["message"].startswith(f"PostgreSQL {server.major}.")
        assert one(value, "reach-login")["level"] == "ok"
        assert value["server"]["database"] == db.name and value["target"]["origin"] == "flag --url"
        assert re.search(r"server \d{19}", one(value, "identity-database")["message"])
        text = aramid.run("doctor", "--url", db.url(), cwd=simple.path)
        assert text.rc == 0 and "checks are fine" in text.out and text.err == "", text
    finally:
        db.drop()


def test_nothing_is_changed(simple, db):
    before = db.sql("SELECT count(*) FROM pg_class")
    doctor(simple, db.url())
    assert db.sql("SELECT count(*) FROM pg_class") == before
    assert sorted(os.listdir(simple.path)) == ["prisma"]


def test_without_a_database(simple):
    value = doctor(simple)
    assert value["server"] is None and value["ok"]
    assert "not made yet" in one(value, "reach-target")["message"]
    assert of(value, "tool-pg-dump") and of(value, "config-files")


def test_without_a_database_in_production(simple):
    value = doctor(simple, None, "--env", "production")
    assert "no database URL is set" in one(value, "reach-target", "error")["message"]
    assert value["target"] is None and of(value, "tool-psql")


def test_only_one_area(simple, db):
    value = doctor(simple, db.url(), "--only", "server")
    assert {f["area"] for f in value["findings"]} == {"server"} and value["areas"] == ["server"]
    value = doctor(simple, db.url(), "--only", "tools")
    assert {f["area"] for f in value["findings"]} == {"tools"} and value["server"] is None
    # What is in the way is told, whatever was asked for.
    value = doctor(simple, f"postgresql://u@127.0.0.1:{free_port()}/db", "--only", "ledgers")
    assert [f["id"] for f in value["findings"]] == ["reach-tcp"] and not value["ok"]
    result = aramid.run("doctor", "--only", "nothing", cwd=simple.path)
    assert result.rc == 2 and "reach" in result.err, result


def test_quiet_tells_what_is_wrong_only(simple, new_server):
    db = new_server(autovacuum="off", fsync="on").new_database()
    result = aramid.run("doctor", "--url", db.url(), "--quiet", cwd=simple.path)
    assert "autovacuum" in result.out and "nobody holds" not in result.out, result


# ---- configuration -----------------------------------------------------------------------------

def test_broken_files_leave_the_rest(simple, db):
    simple.write("aramid.yaml", "lokcs:\n  timeout: 1s\n")
    simple.write(".env", "A='not closed\n")
    value = doctor(simple, db.url())
    broken = of(value, "config-broken", "error")
    assert {f["subject"].split(":")[0] for f in broken} == {"aramid.yaml", ".env"}, broken
    assert of(value, "server-version") and of(value, "tool-psql")
    value = doctor(simple, db.url(), env={"ARAMID_ENV": "prodution"})
    assert any('"prodution"' in f["message"] for f in of(value, "config-broken"))


def test_values_that_do_not_count(simple, db):
    simple.write(".env", f"DATABASE_URL={db.url()}\n")
    value = doctor(simple, None, env={"DATABASE_URL": db.url() + "?application_name=x",
                                      "MIGRATION_TIMEOUT": "soon"})
    assert "MIGRATION_TIMEOUT" in one(value, "config-broken")["message"]
    assert one(value, "config-url")["message"].endswith("from environment variable DATABASE_URL")
    simple.write(".env", "DIRECT_URL=postgresql://other/db\n")
    value = doctor(simple, None, env={"DATABASE_URL": db.url()})
    assert "(.env:1) is not used" in one(value, "config-unused", "warning")["message"]


def test_shadow_is_the_target(simple, db):
    value = doctor(simple, db.url(), env={"SHADOW_DATABASE_URL": db.url() + "?connect_timeout=3"})
    assert one(value, "config-shadow-is-target", "error")["subject"] == \
        "environment variable SHADOW_DATABASE_URL"


def test_production_in_the_developers_environment(simple, db):
    simple.write(".env", f"DATABASE_URL={db.url()}\n")
    simple.write(".env.production", f"DATABASE_URL={db.url()}\n")
    assert one(doctor(simple), "config-twin", "error")["subject"] == "production"


@pytest.mark.parametrize("url", ["postgresql://u@ep-x-pooler.eu.aws.neon.tech/db",
                                 "postgresql://u@aws-0-eu.pooler.supabase.com:6543/postgres",
                                 "postgresql://u@127.0.0.1:6432/db?pgbouncer=true"])
def test_pooler_without_a_direct_url(simple, url):
    value = doctor(simple, url, "--only", "config")
    assert one(value, "config-pooler", "error")["fix"]


def test_two_projects_of_supabase(simple):
    simple.write(".env", "SUPABASE_URL=https://abcdef.supabase.co\n")
    direct = "postgresql://postgres@db.{}.supabase.co:5432/postgres"
    pooler = "postgresql://postgres.{}@aws-0-eu.pooler.supabase.com:5432/postgres"
    for url in (direct, pooler):
        value = doctor(simple, url.format("abcdef"), "--only", "config")
        assert one(value, "config-supabase")["level"] == "ok"
        value = doctor(simple, url.format("other"), "--only", "config")
        assert one(value, "config-supabase", "warning")["subject"] == ".env:1"
    assert not of(doctor(simple, "postgresql://localhost/x", "--only", "config"), "config-supabase")


def git(project, *args):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
                   cwd=project.path, check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_secrets_and_git(simple):
    git(simple, "init", "-q")
    simple.write(".env", "PORT=1\n")
    simple.write(".env.example", "DATABASE_URL=postgresql://u:hunter22@db.real.io/x\n")
    simple.write("backups/b.sql", "x")
    value = doctor(simple, None, "--only", "config")
    found = {f["subject"] for f in of(value, "config-not-ignored", "warning")}
    assert found == {".env", "backups"}
    simple.write(".gitignore", ".env\n/backups/\n")
    simple.write("docker-compose.yml", "a: 1\nb: postgres://u:postgres@localhost/x\n"
                 "c: postgres://u:${P}@db.real.io/x\nurl: \"postgres://u:hunter22@db.real.io/x\"\n")
    git(simple, "add", "-A")
    git(simple, "commit", "-qm", "x")
    value = doctor(simple, None, "--only", "config")
    assert not of(value, "config-not-ignored")
    found = one(value, "config-secret-committed", "error")
    assert found["subject"] == "docker-compose.yml:4" and "db.real.io" in found["message"]
    assert "hunter22" not in str(value)
    git(simple, "add", "-f", "backups/b.sql")
    value = doctor(simple, None, "--only", "config")
    assert "backups/b.sql" in [f["subject"] for f in of(value, "config-secret-committed")]


def test_docker_and_backups(simple):
    simple.write("Dockerfile", "FROM scratch\n")
    simple.write(".env", "A=1\n")
    path = simple.write("backups/b.sql", "x")
    os.chmod(os.path.dirname(path), 0o755)
    os.chmod(path, 0o644)
    value = doctor(simple, None, "--only", "config")
    assert {f["subject"] for f in of(value, "config-not-ignored")} == {".env", "backups"}
    assert [f["fix"] for f in of(value, "config-backups", "warning")] == ["chmod 700 backups",
                                                                          "chmod 600 backups/*"]
    simple.write(".dockerignore", "**/.env*\nbackups/\n")
    os.chmod(os.path.dirname(path), 0o700)
    os.chmod(path, 0o600)
    value = doctor(simple, None, "--only", "config")
    assert not of(value, "config-not-ignored") and not of(value, "config-backups")


# ---- the way -----------------------------------------------------------------------------------

def test_unknown_host(simple):
    value = doctor(simple, "postgresql://u@no-such-host.invalid/db")
    assert one(value, "reach-name", "error")["subject"] == "no-such-host.invalid"
    assert of(value, "tool-psql") and not of(value, "reach-login")


def test_refused_port(simple):
    value = doctor(simple, f"postgresql://u@127.0.0.1:{free_port()}/db")
    assert "refused" in one(value, "reach-tcp", "error")["message"]


def test_second_host_answers(simple, db):
    url = f"postgresql://postgres@127.0.0.1:{free_port()},127.0.0.1:{db.server.port}/{db.name}"
    value = doctor(simple, url)
    assert [f["level"] for f in of(value, "reach-tcp")] == ["info", "ok"]
    assert of(value, "reach-login", "ok")


def test_packets_are_swallowed(simple):
    """A listen queue that is full drops what comes, as a firewall does."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        value = doctor(simple, f"postgresql://u@127.0.0.1:{full.getsockname()[1]}/db")
        assert "no answer" in one(value, "reach-tcp", "error")["message"]


def test_accepts_and_never_speaks(simple):
    simple.write("aramid.yaml", "timeouts:\n  connect: 1s\n")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        value = doctor(simple, f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/db")
    assert of(value, "reach-tcp", "ok") and of(value, "reach-login", "error")


def test_missing_socket(simple, tmp_path):
    value = doctor(simple, f"postgresql://u@/db?host={tmp_path}")
    assert one(value, "reach-tcp", "error")["message"] == "there is no such socket"


def test_wrong_password_and_missing_database(simple, new_server):
    server = new_server()
    server.admin("CREATE ROLE with_password LOGIN PASSWORD 'right-one'")
    value = doctor(simple, server.url(user="with_password", password="wrong-one"))
    found = one(value, "reach-login", "error")
    assert "password" in found["message"] and "wrong-one" not in str(value)
    value = doctor(simple, server.url("nowhere"))
    assert '"nowhere"' in one(value, "reach-login", "error")["message"]
    value = doctor(simple, server.url(user="with_password", password="right-one"))
    assert "with a password" in one(value, "reach-login", "ok")["message"]
    assert "right-one" not in str(value)


@pytest.fixture
def certificate(tmp_path):
    key, crt = tmp_path / "server.key", tmp_path / "server.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", crt, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    folder = tmp_path / "for-server"
    folder.mkdir()
    for path in (key, crt):
        shutil.copy(path, folder)
    return folder, crt


def test_tls(simple, new_server, certificate):
    folder, crt = certificate
    for path in (folder / "server.key", folder / "server.crt"):
        os.chmod(path, 0o600)
    server = new_server()
    server.stop()
    for name in ("server.key", "server.crt"):
        target = os.path.join(server.data, name)
        shutil.copy(folder / name, target)
        os.chmod(target, 0o600)
        give_to_server(target)
    server.settings = {**server.settings, "ssl": "on"}
    server.start()
    value = doctor(simple, server.url(sslmode="require"))
    assert "TLSv1.3" in one(value, "reach-tls", "ok")["message"]
    assert "would not pass" in one(value, "reach-certificate", "warning")["message"]
    value = doctor(simple, server.url(host="localhost", sslmode="verify-full", sslrootcert=str(crt)))
    assert "sslmode=verify-full" in one(value, "reach-certificate", "ok")["message"]
    # libpq checks as soon as it has a root certificate; the name is checked by verify-full only.
    value = doctor(simple, server.url(host="localhost", sslmode="require", sslrootcert=str(crt)))
    assert "would pass" in one(value, "reach-certificate", "warning")["message"]
    value = doctor(simple, server.url(sslmode="verify-full", sslrootcert=os.devnull))
    assert not value["ok"] and (of(value, "reach-tls", "error") or of(value, "config-url", "error"))


def test_tls_that_the_server_does_not_have(simple, db):
    value = doctor(simple, db.url(sslmode="require"))
    assert "TLS off" in one(value, "reach-tls", "error")["fix"]


def test_standby(simple, new_server):
    server = new_server()
    try:
        standby = server.standby()
    except FileNotFoundError:
        pytest.skip("no pg_basebackup for this version")
    try:
        value = doctor(simple, standby.url())
        assert "standby" in one(value, "reach-read-only", "error")["message"]
        assert not of(value, "check-failed"), value["findings"]
        value = doctor(simple, server.url())
        assert one(value, "server-replication", "ok")["message"].startswith("streaming")
    finally:
        standby.remove()


def test_pooler(simple, server, db):
    with pooled(server, "transaction") as port:
        value = doctor(simple, db.url(port=port))
        assert "transaction pooler" in one(value, "reach-pooler", "error")["message"]
    with pooled(server, "session") as port:
        value = doctor(simple, db.url(port=port))
        assert "keeps sessions apart" in one(value, "reach-pooler", "ok")["message"]
    assert one(doctor(simple, db.url()), "reach-pooler")["message"] == "a direct connection"


def test_privileges_of_the_pending_plan(project, server, db):
    name = f"doctor_{os.getpid()}"
    project.add("init", "SELECT 1")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql('CREATE SCHEMA app; CREATE TABLE app."Old" (i int PRIMARY KEY); CREATE TABLE "In" (i int);'
           f" CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA app TO {name};"
           f" REVOKE ALL ON SCHEMA public FROM public; GRANT USAGE ON SCHEMA public TO {name};"
           f" GRANT SELECT ON _prisma_migrations TO {name}")
    project.add("all", """
        ALTER TABLE app."Old" ADD COLUMN c int;
        CREATE TABLE "New" (i int REFERENCES app."Old");
        INSERT INTO "In" VALUES (1);
        CREATE SCHEMA another;
        CREATE EXTENSION no_such_extension;
        ALTER TABLE nowhere ADD COLUMN c int;
        CREATE TRIGGER t AFTER INSERT ON "In" EXECUTE FUNCTION x();
    """)
    try:
        value = doctor(project, db.url(user=name))
        found = {(f["subject"], f["message"].split(" of migration")[0])
                 for f in of(value, "reach-privileges", "error")}
        assert found == {
            ("app.Old", 'belongs to role "postgres": ALTER TABLE'),
            ("app.Old", "the role has no REFERENCES on it: CREATE TABLE"),
            ("public", "in this schema the role may create nothing: CREATE TABLE"),
            ("In", "the role has no INSERT on it: INSERT"),
            ("In", "the role has no TRIGGER on it: CREATE TRIGGER"),
            ("another", "the role may create no schema in this database: CREATE SCHEMA"),
            ("no_such_extension", "the server does not have this extension: CREATE EXTENSION")}, found
        assert of(value, "server-not-visible", "info")
        assert not of(value, "check-failed"), value["findings"]
        value = doctor(project, db.url())
        assert {f["subject"] for f in of(value, "reach-privileges", "error")} == {"no_such_extension"}
        db.sql(f"REVOKE USAGE ON SCHEMA app FROM {name}")
        found = of(doctor(project, db.url(user=name)), "reach-privileges", "error")
        assert f'GRANT USAGE ON SCHEMA "app" TO "{name}"' in \
            [f["fix"] for f in found if f["subject"] == "app"][0]
    finally:
        db.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_plan_that_cannot_be(simple, db):
    db.sql("CREATE TABLE other (i int)")
    value = doctor(simple, db.url())
    assert "a deploy would stop" in one(value, "reach-plan", "error")["message"]
    assert one(value, "reach-plan")["fix"]


# ---- the server --------------------------------------------------------------------------------

def test_settings(simple, new_server):
    server = new_server(full_page_writes="off", fsync="on", autovacuum="on",
                        synchronous_commit="off")
    db = server.new_database()
    name = "doctor_settings"
    db.sql(f"CREATE ROLE {name} LOGIN; ALTER ROLE {name} SET statement_timeout = '5s';"
           f" ALTER ROLE {name} IN DATABASE {db.name} SET default_transaction_read_only = on;"
           f" ALTER DATABASE {db.name} SET lock_timeout = '2s'")
    value = doctor(simple, db.url(user=name))
    found = {f["subject"]: f for f in of(value, "server-setting")}
    assert found["full_page_writes"]["level"] == "warning"
    assert found["synchronous_commit"]["level"] == "info"
    assert "of role doctor_settings" in found["statement_timeout"]["message"]
    assert "of database" in found["lock_timeout"]["message"]
    assert found["default_transaction_read_only"]["level"] in ("warning", "error")
    assert of(value, "reach-read-only", "error")
    value = doctor(simple, db.url(), "--env", "production")
    assert {f["subject"]: f for f in of(value, "server-setting")}["full_page_writes"]["level"] == "error"


def test_connections_are_few(simple, new_server):
    server = new_server(max_connections="8", superuser_reserved_connections="0", max_wal_senders="0")
    db = server.new_database()
    db.sql(f"CREATE ROLE limited LOGIN CONNECTION LIMIT 4; ALTER DATABASE {db.name} CONNECTION LIMIT 5")
    with contextlib.ExitStack() as held:
        for _ in range(2):
            held.enter_context(contextlib.closing(db.connect()))
        value = doctor(simple, db.url(user="limited"))
        found = {f["subject"]: f["level"] for f in of(value, "server-connections")}
        assert set(found) == {"server", "database", "role"} and found["database"] == "error"


def test_sessions(simple, db):
    """Ages are real, so only what counts from the first second on is looked for."""
    with contextlib.closing(psycopg2.connect(host=db.server.socket_dir, port=db.server.port,
                                             user="postgres", dbname=db.name,
                                             application_name="pg_dump")) as dump:
        dump.cursor().execute("SELECT 1")
        value = doctor(simple, db.url())
        found = one(value, "server-dump", "warning")
        assert f"process {dump.info.backend_pid}" in found["subject"]


@pytest.mark.long
def test_long_and_idle_transactions(simple, db):
    """Times of sessions are the server's: there is no way around the minute."""
    with contextlib.closing(db.connect()) as idle:
        idle.autocommit = False
        idle.cursor().execute("SELECT 1")
        time.sleep(61)
        value = doctor(simple, db.url())
        found = one(value, "server-idle-in-transaction", "warning")
        assert str(idle.info.backend_pid) in found["fix"]


def test_prepared_transaction(simple, db):
    with contextlib.closing(db.connect()) as conn:
        conn.autocommit = True
        conn.cursor().execute("BEGIN; CREATE TABLE p (i int); PREPARE TRANSACTION 'it''s'")
    try:
        found = one(doctor(simple, db.url()), "server-prepared", "warning")
        assert found["subject"] == "it's" and "ROLLBACK PREPARED 'it''s'" in found["fix"]
    finally:
        db.sql("ROLLBACK PREPARED 'it''s'")


def test_invalid_index_and_unvalidated_constraint(simple, db):
    db.sql('CREATE TABLE "Te st" (i int); INSERT INTO "Te st" VALUES (1), (1);'
           ' CREATE TABLE other (i int PRIMARY KEY); ALTER TABLE "Te st" ADD CONSTRAINT fk'
           ' FOREIGN KEY (i) REFERENCES other NOT VALID')
    with pytest.raises(psycopg2.errors.UniqueViolation):
        db.sql('CREATE UNIQUE INDEX CONCURRENTLY "I""x" ON "Te st" (i)')
    value = doctor(simple, db.url())
    found = one(value, "server-invalid-index", "error")
    assert found["subject"] == 'public."I""x"'
    assert found["fix"] == 'REINDEX INDEX CONCURRENTLY public."I""x"'
    found = one(value, "server-unvalidated", "warning")
    assert found["subject"] == 'fk on public."Te st"'
    statement = found["fix"].split(" (")[0]
    db.sql('INSERT INTO other VALUES (1); ' + statement + '; DELETE FROM "Te st" WHERE ctid IN'
           ' (SELECT ctid FROM "Te st" LIMIT 1)')
    db.sql('REINDEX INDEX CONCURRENTLY public."I""x"')
    value = doctor(simple, db.url())
    assert not of(value, "server-invalid-index", "error")
    assert not of(value, "server-unvalidated", "warning")


def test_index_that_is_being_built(simple, db):
    db.sql("CREATE TABLE b (i int)")
    with contextlib.closing(db.connect()) as reader:
        reader.autocommit = False
        reader.cursor().execute("LOCK TABLE b IN ROW EXCLUSIVE MODE")

        def build():
            with contextlib.suppress(psycopg2.Error):
                db.sql("CREATE INDEX CONCURRENTLY bi ON b (i)")

        thread = threading.Thread(target=build)
        thread.start()
        wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_progress_create_index") == 1)
        wait.until(lambda: db.exists("bi"))
        assert one(doctor(simple, db.url()), "server-invalid-index")["level"] == "info"
        reader.rollback()
        thread.join()


@pytest.mark.parametrize("major", [None, 13, 17])
def test_sequences(simple, servers, major):
    server = servers.get(major)
    db = server.new_database()
    try:
        db.sql('CREATE TABLE s (id serial, small smallserial, big bigserial, plain int);'
               " CREATE SEQUENCE feeds; ALTER TABLE s ALTER plain SET DEFAULT nextval('feeds');"
               " CREATE SEQUENCE short MAXVALUE 100; CREATE SEQUENCE cycles MAXVALUE 10 CYCLE;"
               " CREATE SEQUENCE down INCREMENT -1 MINVALUE -100 MAXVALUE -1;"
               " SELECT setval('s_id_seq', 2000000000), setval('s_small_seq', 10),"
               " setval('feeds', 1800000000), setval('short', 80), setval('cycles', 10),"
               " setval('down', -99), setval('s_big_seq', 5000000000)")
        value = doctor(simple, db.url())
        found = {f["subject"]: f for f in of(value, "server-sequence")}
        assert set(found) == {"public.s_id_seq", "public.feeds", "public.short", "public.down"}
        assert found["public.s_id_seq"]["level"] == "error"
        assert found["public.feeds"]["level"] == "warning"
        assert "public.s.plain" in found["public.feeds"]["fix"]
        assert "93 % used" in found["public.s_id_seq"]["message"]
    finally:
        db.drop()


def test_replication_slot(simple, new_server):
    server = new_server(wal_level="replica")
    db = server.new_database()
    db.sql("SELECT pg_create_physical_replication_slot('nobody', true); CREATE PUBLICATION p")
    value = doctor(simple, db.url())
    found = one(value, "server-slot", "warning")
    assert found["subject"] == "nobody" and "pg_drop_replication_slot('nobody')" in found["fix"]
    assert [f["subject"] for f in of(value, "server-setting", "warning") if "publi" in f["message"]] \
        == ["wal_level"]


def test_migration_lock(simple, db):
    with contextlib.closing(db.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(72707369)")
        found = one(doctor(simple, db.url()), "server-migration-lock", "warning")
        assert "aramid unlock" in found["fix"] and found["fix"].endswith(f" {holder.info.backend_pid}")


def test_a_role_that_may_see_little(simple, db):
    name = f"doctor_blind_{os.getpid()}"
    db.sql(f"CREATE ROLE {name} LOGIN; CREATE SEQUENCE hidden; CREATE TABLE _prisma_migrations"
           " (id text, checksum text, finished_at timestamptz, migration_name text, logs text,"
           " rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)")
    try:
        value = doctor(simple, db.url(user=name))
        hidden = of(value, "server-not-visible", "info")
        assert {f["subject"] for f in hidden} == {None, "sequences"}
        assert "GRANT SELECT" in one(value, "ledger-not-visible", "warning")["fix"]
        assert not of(value, "check-failed"), value["findings"]
    finally:
        db.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_names_that_play_tricks(simple, db):
    db.sql("CREATE TABLE e (i int); ALTER TABLE e ADD CONSTRAINT \"\x1b[31mred\nline\" CHECK (i > 0)"
           " NOT VALID")
    result = aramid.run("doctor", "--url", db.url(), cwd=simple.path)
    assert "\x1b[31m" not in result.out and "\\x1b" in result.out, result


def test_a_connection_that_breaks(simple, server, db):
    from harness.proxy import Proxy, cut  # pylint: disable=import-outside-toplevel
    with Proxy(server) as proxy:
        proxy.fault(cut("before", lambda m: m.type == "Q" and b"pg_database_size" in m.body))
        value = doctor(simple, proxy.url(db))
    assert of(value, "server-version") and of(value, "check-failed", "error")
    assert of(value, "tool-psql") and of(value, "identity-database")


# ---- histories ---------------------------------------------------------------------------------

def test_histories_of_several_tools(simple, db):
    assert aramid.deploy(simple, db.url()).rc == 0
    db.sql("CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial, hash text,"
           " created_at bigint); CREATE SCHEMA supabase_migrations; CREATE TABLE"
           " supabase_migrations.schema_migrations (version text); CREATE TABLE schema_migrations"
           " (version bigint, dirty boolean); INSERT INTO schema_migrations VALUES (1, true);"
           " CREATE TABLE migrations (i int)")
    value = doctor(simple, db.url())
    found = {f["subject"]: f["message"] for f in of(value, "ledger-found", "ok")}
    assert set(found) == {"public._prisma_migrations", "drizzle.__drizzle_migrations",
                          "supabase_migrations.schema_migrations"}
    failed = one(value, "ledger-failed", "error")
    assert failed["message"].startswith("golang-migrate's history: 1 row, 1 of them")
    assert one(value, "ledger-several", "warning")["message"].startswith("4 tools")


def test_failed_migration_of_prisma(simple, db):
    assert aramid.deploy(simple, db.url()).rc == 0
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f', '', 'failed')")
    value = doctor(simple, db.url())
    assert "aramid status" in one(value, "ledger-failed", "error")["fix"]
    assert of(value, "reach-plan", "error")


# ---- tools -------------------------------------------------------------------------------------

def test_tools(simple, servers, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.1'"), ("node", "echo v20.1.0"),
                       ("psql", "sleep 20")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    simple.write("package.json", "{}")
    simple.write("yarn.lock", "")
    simple.write("package-lock.json", "{}")
    simple.write("node_modules/prisma/package.json", '{"name": "prisma", "version": "8.0.0-rc.1"}')
    simple.write("node_modules/drizzle-kit/package.json", "{broken")
    url = servers.get(18).url()
    value = doctor(simple, url, env={"PATH": f"{folder}:/usr/bin:/bin"})
    if not os.path.exists("/usr/lib/postgresql/18/bin/pg_dump"):
        found = one(value, "tool-pg-dump", "info")
        assert "no pg_dump is new enough" in found["message"] and "9.6.1" in found["message"]
        simple.write("aramid.yaml", "backup:\n  method: pg_dump\n")
        plain = {"PATH": "/usr/bin:/bin"}
        assert one(doctor(simple, url, "--only", "tools", env=plain), "tool-pg-dump", "ok")
        assert one(doctor(simple, url, env=plain), "tool-pg-dump", "error")["fix"]
    found = {f["subject"]: f for f in of(value, "tool-node")}
    assert found["node"]["message"].startswith("20.1.0")
    assert "yarn" in found["package manager"]["message"]
    found = {f["subject"]: f for f in of(value, "tool-project")}
    assert found["prisma"]["level"] == "warning" and "8.0.0-rc.1" in found["prisma"]["message"]
    assert "not known" in found["drizzle-kit"]["message"]


# ---- the archive -------------------------------------------------------------------------------

def members(path):
    with tarfile.open(path) as archive:
        return {m.name: (m, archive.extractfile(m).read().decode()) for m in archive.getmembers()}


def test_bundle(simple, db):
    simple.add("bad", "CREATE TABLE b (mail text UNIQUE);\nINSERT INTO b VALUES ('eve@x.io'), ('eve@x.io');")
    assert aramid.deploy(simple, db.url()).rc == 22
    path = os.path.join(simple.path, "support.tar")
    result = aramid.run("doctor", "--url", db.url(), "--bundle", "support.tar", cwd=simple.path,
                        env={"SLACK_TOKEN": "xoxb-123", "NODE_ENV": "development"})
    assert result.rc == ERRORS or result.rc == 0, result
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    held = members(path)
    runs = [name for name in held if name.startswith("runs/")]
    assert set(held) - set(runs) == {"doctor.json", "doctor.txt", "status.txt", "config.txt",
                                     "environment.txt", "versions.txt"} and len(runs) == 1
    for name, (info, text) in held.items():
        assert name in result.out and info.isreg() and info.mode == 0o600
        assert "eve@x.io" not in text and "xoxb" not in text, name
    assert '"sqlstate":"23505"' in held[runs[0]][1] and "INSERT" not in held[runs[0]][1]
    assert "NODE_ENV=development" in held["environment.txt"][1]
    again = aramid.run("doctor", "--url", db.url(), "--bundle", "support.tar", cwd=simple.path)
    assert again.rc == 5 and "there already" in again.err, again
    assert not [n for n in os.listdir(simple.path) if n.startswith("support.tar") and n != "support.tar"]


def test_bundle_of_what_is_broken(simple):
    simple.write("aramid.yaml", "nonsense: 1\n")
    value = doctor(simple, "postgresql://u@no-such-host.invalid/db", "--bundle")
    name = value["bundle"]["path"]
    assert re.fullmatch(r"aramid-doctor-\d{8}T\d{6}Z\.tar", name)
    held = members(os.path.join(simple.path, name))
    assert [f["name"] for f in value["bundle"]["files"]] == list(held)
    assert "no database was reached" in held["status.txt"][1]
    result = aramid.run("doctor", "file.tar", cwd=simple.path)
    assert result.rc == 2, result


def test_bundle_that_cannot_be_written(simple, db):
    result = aramid.run("doctor", "--url", db.url(), "--bundle", "no/such/folder.tar", cwd=simple.path)
    assert result.rc == 5, result


def test_interrupted(simple):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        process = aramid.start("doctor", "--url", f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/db",
                               cwd=simple.path)
        connection, _ = silent.accept()
        process.signal(2)
        result = process.wait()
        connection.close()
    assert result.rc == 130 and "Interrupted" in result.out, result
