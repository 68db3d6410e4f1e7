"""Replaying migrations: on a private server, and in a database that the user names (--shadow-url)."""

import contextlib
import glob
import os
import pwd
import shutil
import tempfile

import pytest

from harness import aramid, catalog, wait
from harness.cluster import MAJORS, bindir_of, children_of
from harness.project import Project

EVERYTHING = """
CREATE SCHEMA app;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, m mood, p positive);
CREATE TABLE app.posts (id int GENERATED ALWAYS AS IDENTITY, author int REFERENCES users (id));
CREATE INDEX CONCURRENTLY by_email ON users (email);
CREATE VIEW v AS SELECT * FROM users;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM v;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE AGGREGATE total (int) (sfunc = int4pl, stype = int);
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE TYPE span AS RANGE (subtype = int);
CREATE SEQUENCE free;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
"""


def drift(project, db, *args):
    return aramid.run("drift", "--url", db.url(), *args, cwd=project.path)


@pytest.fixture
def deployed(project, db):
    project.add("init", EVERYTHING)
    assert aramid.deploy(project, db.url()).rc == 0
    return project


def state(db):
    rows = db.sql("SELECT extname FROM pg_extension UNION ALL SELECT defaclacl::text FROM pg_default_acl"
                  " UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
                  " UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                  " UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace"
                  " UNION ALL SELECT collname FROM pg_collation WHERE collnamespace = 'public'::regnamespace"
                  " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    return sorted(row[0] for row in rows)


def test_shadow_is_left_as_it_was(deployed, db, db2, server):
    """Also extensions and default privileges that were there before."""
    if not server.admin("SELECT 1 FROM pg_roles WHERE rolname = 'replay_other'"):
        server.admin("CREATE ROLE replay_other")
    db2.sql("CREATE EXTENSION pg_trgm; ALTER DEFAULT PRIVILEGES FOR ROLE replay_other GRANT SELECT ON "
            "SEQUENCES TO PUBLIC")
    before = state(db2)
    for _ in range(2):
        result = drift(deployed, db, "--shadow-url", db2.url())
        assert result.rc == 0 and "No drift" in result.out, result
        assert state(db2) == before


def test_shadow_is_emptied_after_a_failure(deployed, db, db2):
    deployed.add("broken", "CREATE TABLE half (); SELECT 1 / 0;")
    before = state(db2)
    result = aramid.run("check", "--shadow-url", db2.url(), cwd=deployed.path)
    assert result.rc == 29 and "division by zero" in result.out, result
    assert state(db2) == before


@pytest.mark.parametrize("what", ["CREATE TABLE mine ()", "CREATE SCHEMA mine", "CREATE TYPE mine AS ENUM ()",
                                  "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                                  "CREATE SCHEMA aramid_shadow", "CREATE PUBLICATION mine",
                                  "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER mine FOREIGN DATA WRAPPER w",
                                  "CREATE TEXT SEARCH CONFIGURATION mine (COPY = english)",
                                  "CREATE COLLATION mine (provider = icu, locale = 'de')"])
def test_shadow_that_is_not_empty_is_refused(deployed, db, db2, what):
    db2.sql(what)
    before = catalog.dump(db2)
    result = drift(deployed, db, "--shadow-url", db2.url())
    assert result.rc == 38 and "not empty" in result.err, result
    assert catalog.dump(db2) == before


def test_shadow_of_an_interrupted_replay_is_used(deployed, db, db2):
    """Killed in the middle: the mark is there, and half of the objects."""
    deployed.add("slow", "CREATE TABLE half (); COMMIT; SELECT pg_sleep(3600);")
    process = aramid.start("check", "--shadow-url", db2.url(), cwd=deployed.path)
    wait.until(lambda: db2.exists("half"))
    process.kill()
    assert db2.exists("users")
    deployed.edit(deployed.names[-1], "SELECT 1")
    result = aramid.run("check", "--shadow-url", db2.url(), "--json", cwd=deployed.path)
    assert result.json["parts"][1]["outcome"] == "ok", result
    assert not db2.exists("users") and "aramid_shadow" not in state(db2)


def test_shadow_must_not_be_the_target(deployed, db):
    result = drift(deployed, db, "--shadow-url", db.url())
    assert result.rc == 38 and "the one that is looked at" in result.err, result


def test_shadow_must_not_be_the_target_in_other_words(project, db):
    """An empty target would be used, and emptied while somebody fills it."""
    other = db.url(host="localhost")
    for args in (("drift", "--url", db.url()),
                 ("diff", "--from-migrations", "prisma/migrations", "--to-url", db.url())):
        result = aramid.run(*args, "--shadow-url", other, cwd=project.path)
        assert result.rc == 38 and "the one that is looked at" in result.err, result


def test_shadow_that_cannot_be_reached_or_written(deployed, db, db2):
    result = drift(deployed, db, "--shadow-url", "postgresql://u:secret@127.0.0.1:1/x")
    assert result.rc == 40 and "--shadow-url" in result.err and "secret" not in result.text, result
    db2.sql(f'ALTER DATABASE "{db2.name}" SET default_transaction_read_only = on')
    result = drift(deployed, db, "--shadow-url", db2.url())
    assert result.rc == 38 and "only be read" in result.err, result


def test_search_path_of_a_database_is_no_sql(project, db):
    """A database's owner can store any text there, and the private server is run as superuser."""
    project.add("init", "DO $$ BEGIN IF to_regnamespace('injected') IS NOT NULL THEN RAISE 'it is there';"
                        " END IF; END $$;")
    db.sql("SELECT set_config('search_path', 'public;CREATE/**/SCHEMA/**/injected', false);"
           f'ALTER DATABASE "{db.name}" SET search_path FROM CURRENT')
    result = aramid.run("diff", "--from-migrations", "prisma/migrations", "--to-url", db.url(), cwd=project.path)
    assert result.rc == 0, result


def test_shadow_by_two_at_once(deployed, db, db2):
    running = [aramid.start("drift", "--url", db.url(), "--shadow-url", db2.url(), cwd=deployed.path)
               for _ in range(2)]
    for process in running:
        result = process.wait()
        assert result.rc == 0 and "No drift" in result.out, result


def test_shadow_without_the_roles(project, db, db2, server):
    """On a server that is not ours nothing is made beside the database."""
    project.add("init", "CREATE TABLE t (); GRANT SELECT ON t TO replay_no_such_role;")
    result = aramid.run("check", "--shadow-url", db2.url(), cwd=project.path)
    assert result.rc == 29 and "replay_no_such_role" in result.out, result
    assert not server.admin("SELECT 1 FROM pg_roles WHERE rolname = 'replay_no_such_role'")


def test_prismas_setting(deployed, db, db2):
    """shadowDatabaseUrl of prisma.config.ts."""
    db2.sql("CREATE TABLE mine ()")
    deployed.write("prisma.config.ts", """import { defineConfig } from "prisma/config";
export default defineConfig({ schema: "prisma/schema.prisma",
  datasource: { url: process.env.DATABASE_URL, shadowDatabaseUrl: process.env.SHADOW_DATABASE_URL } });
""")
    result = aramid.run("drift", cwd=deployed.path,
                        env={"DATABASE_URL": db.url(), "SHADOW_DATABASE_URL": db2.url()})
    assert result.rc == 38 and "SHADOW_DATABASE_URL" in result.err, result


PLATFORM = """
CREATE EXTENSION no_such_thing;
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA extensions;
CREATE TABLE t (id uuid REFERENCES auth.users, e extensions.vector(3));
CREATE INDEX i ON t USING hnsw (e extensions.vector_cosine_ops);
CREATE POLICY own ON t TO authenticated USING (auth.uid() = id AND storage.foldername('x') IS NULL);
SELECT cron.schedule('x', '* * * * *', 'SELECT 1');
SELECT id FROM realtime.messages;
SELECT * FROM vault.decrypted_secrets;
SELECT * FROM neon_auth.users_sync;
ALTER PUBLICATION supabase_realtime ADD TABLE t;
CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION supabase_functions.http_request('a');
"""


@pytest.mark.parametrize("major", MAJORS)
def test_stubs_in_every_version(tmp_path, servers, major):
    bindir = bindir_of(major)
    if not bindir:
        pytest.skip(f"PostgreSQL {major} is not installed")
    project = Project(tmp_path / "platform", {"init": PLATFORM})
    result = aramid.run("check", "--json", cwd=project.path, env={"ARAMID_PG_BINDIR": bindir})
    part = result.json["parts"][1]
    assert part["outcome"] == "ok" and f"PostgreSQL {major}" in part["text"], result
    for stub in ('extension "no_such_thing"', 'schema "auth"', 'role "authenticated"',
                 'publication "supabase_realtime"'):
        assert stub in part["text"]
    is_there = servers.get(major).admin("SELECT FROM pg_available_extensions WHERE name = 'vector'")
    assert ('extension "vector"' in part["text"]) == (not is_there)


def titles_below(pid):
    """How the descendants of a process call themselves: servers say what they do."""
    for child in children_of(pid):
        with contextlib.suppress(OSError), open(f"/proc/{child}/cmdline", encoding="utf-8") as title:
            yield title.read().rstrip("\0 ")
        yield from titles_below(child)


def test_signal_ends_a_replay(tmp_path, db):
    project = Project(tmp_path / "slow", {"slow": "SELECT pg_sleep(3600);"})
    process = aramid.start("check", cwd=project.path)
    wait.until(lambda: any(title.endswith("SELECT") for title in titles_below(process.pid)), "the replay")
    process.signal(2)
    result = process.wait()
    assert result.rc == 130, result


@pytest.fixture
def home():
    """The home of an ordinary user, and who that is: root has one cache for all."""
    path = tempfile.mkdtemp(prefix="aramid-home-")
    who = None
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    yield path, who
    shutil.rmtree(path)


def test_damaged_template_is_replaced(home):
    path, who = home
    project = Project(os.path.join(path, "shop"), {"init": "CREATE TABLE t ();"})

    def check():
        shutil.rmtree(os.path.join(path, ".cache/aramid/replay"), ignore_errors=True)
        return aramid.run("check", "--json", cwd=project.path, env={"HOME": path}, user=who)

    try:
        assert check().json["parts"][1]["outcome"] == "ok"
    except PermissionError:
        pytest.skip("the program lies where other users cannot reach it")
    control = os.path.join(path, ".cache/aramid/pg*/data/global/pg_control")
    for file in glob.glob(control):
        os.truncate(file, 100)
    for _ in range(2):
        result = check()
        assert result.json["parts"][1]["outcome"] == "ok", result
    assert [os.path.getsize(file) for file in glob.glob(control)] == [8192]


def test_extensions_that_supabase_has_beforehand(project):
    """Without a database to look at, too; and versions that are not here are left out."""
    project.add("init", "CREATE TABLE t (id uuid DEFAULT extensions.uuid_generate_v4(), b bytea DEFAULT extensions.gen_random_bytes(3));")
    project.add("next", "CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools VERSION '1.99';"
                "ALTER EXTENSION citext UPDATE TO '1.99'; CREATE TABLE u (c tools.citext);")
    result = aramid.run("diff", "--from-empty", "--to-migrations", project.migrations, "--script", cwd=project.path)
    assert result.rc == 0 and "uuid_generate_v4" in result.out and "citext" in result.out, result


CALLS = "CREATE TABLE t (id uuid DEFAULT uuid_generate_v4(), b bytea DEFAULT gen_random_bytes(3))"


@pytest.mark.parametrize("files", [
    {"supabase/migrations/20240101000000_a.sql": CALLS},
    {"supabase/migrations/20240101000000_a.sql": f'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA extensions; {CALLS}'},
    {"prisma/migrations/1_a/migration.sql": f'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions"; {CALLS}'},
])
def test_supabase_has_its_extensions_on_the_path(tmp_path, files):
    """Also where there is no database to ask: whose history it is, or what it refers to, says so."""
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    folder = next(iter(files)).rsplit("migrations", 1)[0] + "migrations"
    result = aramid.run("diff", "--from-empty", "--to-migrations", folder, "--script", cwd=str(tmp_path))
    assert result.rc == 0 and "extensions.uuid_generate_v4()" in result.out and "extensions.gen_random_bytes(3)" in result.out, result


def test_a_function_that_nobody_has_is_missed(project):
    project.add("init", CALLS)
    result = aramid.run("diff", "--from-empty", "--to-migrations", project.migrations, "--script", cwd=project.path)
    assert result.rc != 0 and "uuid_generate_v4() does not exist" in result.text, result


def test_extensions_that_an_administrator_put_elsewhere(project, db):
    db.sql("CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools")
    db.sql(f'ALTER DATABASE "{db.name}" SET search_path = "$user", public, tools')
    project.add("init", "CREATE TABLE t (c citext);")
    assert aramid.deploy(project, db.url()).rc == 0
    result = aramid.run("drift", "--url", db.url(), cwd=project.path)
    assert result.rc == 0 and "cannot be replayed" not in result.text, result


def test_a_library_that_a_server_is_started_with(server, project):
    """The private server is started with it, also on the data that a replay kept."""
    if not server.admin("SELECT 1 FROM pg_available_extensions WHERE name IN ('pglogical', 'pgaudit') HAVING count(*) = 2"):
        pytest.skip("pglogical and pgaudit are not installed")
    project.add("node", "CREATE EXTENSION pglogical; SELECT pglogical.create_node(node_name := 'n', dsn := 'host=x');")
    project.add("audit", "CREATE EXTENSION pgaudit; CREATE TABLE t (id int);")
    for i in range(8):
        project.add(f"more{i}", f"CREATE TABLE t{i} (id int);")
    result = aramid.run("check", cwd=project.path)
    assert "all run on an empty database" in result.out and "stub" not in result.text, result
    project.add("again", "SELECT pglogical.create_replication_set('s');")
    result = aramid.run("check", cwd=project.path)
    assert "all run on an empty database" in result.out and "stub" not in result.text, result


def test_a_library_that_no_server_here_starts_with(project):
    """The error shows the file's own text, and says what to do."""
    sql = "DO $$BEGIN RAISE 'unheard must be loaded via shared_preload_libraries' USING ERRCODE = '55000'; END$$;"
    project.add("node", sql)
    result = aramid.run("check", cwd=project.path)
    assert result.rc == 29 and sql in result.text and "shared_preload_libraries" in result.text, result
    assert "--shadow-url" in result.text and "resolve" not in result.text, result


def test_a_transaction_of_thousands_is_replayed_in_pieces(project):
    """The last piece uses what an ALTER of it has added; and an error has its place."""
    many = "".join(f"CREATE DOMAIN d{i} AS int;\n" for i in range(2100))
    project.add("many", "CREATE TYPE e AS ENUM ('a');\n" + many + "ALTER TYPE e ADD VALUE 'b';\n"
                "CREATE TABLE last (e e DEFAULT 'b');\n")
    result = aramid.run("diff", "--from-empty", "--to-migrations", project.path + "/prisma/migrations", "--script",
                        cwd=project.path)
    assert result.rc in (0, 2), result
    assert result.out.count("CREATE DOMAIN") == 2100 and "DEFAULT 'b'" in result.out
    project.add("wrong", many.replace("DOMAIN d", "DOMAIN w") + "CREATE DOMAIN w7 AS int;\n")
    result = aramid.run("diff", "--from-empty", "--to-migrations", project.path + "/prisma/migrations", cwd=project.path)
    assert "wrong/migration.sql:2101:1" in result.text, result
