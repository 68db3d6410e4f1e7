"""Reading a live schema into the catalog (src/introspect), on every version of PostgreSQL.

tests/golden/catalog holds SQL and the catalog that it makes; ARAMID_BLESS=1 writes the catalogs anew.
The tool that reads is tests/unit/introspect/dump.c.
"""

import glob
import json
import os
import re
import subprocess
import threading
import time

import pytest

from harness import aramid, wait
from harness.cluster import MAJORS, REPO, client_tool

TOOL = os.path.join(REPO, "build/debug/tests/unit/introspect/dump-catalog")
GOLDEN = os.path.join(REPO, "tests/golden/catalog")
ROLES = ("catalog_owner", "catalog_reader", 'catalog "odd" role')

pytestmark = [pytest.mark.harness,
              pytest.mark.skipif(not os.path.exists(TOOL), reason=f"no tool at {TOOL}")]


def tool(db, *options, user="postgres"):
    result = subprocess.run([TOOL, *options, db.url(user)], env=aramid.environment(), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=wait.PATIENCE)
    assert result.returncode == 0, result.stderr
    return result.stdout


def catalog(db, *options, **kwargs):
    return json.loads(tool(db, *options, **kwargs))


def fingerprint(db, *options, **kwargs):
    return tool(db, "-f", *options, **kwargs).strip()


def make_roles(server):
    for role in ROLES:
        name = role.replace('"', '""')
        if not server.admin("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            server.admin(f'CREATE ROLE "{name}" LOGIN')


@pytest.fixture(params=MAJORS)
def any_server(request, servers):
    server = servers.get(request.param)
    make_roles(server)
    return server


@pytest.fixture
def any_db(any_server):
    db = any_server.new_database()
    yield db
    db.drop()


def load(db, name):
    with open(os.path.join(GOLDEN, name + ".sql"), encoding="utf-8") as source:
        db.sql(source.read())


def since(name):
    return int(name[6:]) if name.startswith("since_") else 13


FILES = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(GOLDEN, "*.sql")))


# Ranges have a second type on newer servers only.
MULTIRANGE_14 = re.compile(r'\s*"multirange": \[[^]]*\],')
# What NOT NULL says on newer servers only.
NOT_NULL_18 = re.compile(r',\s*"(not_null_name|is_not_null_inherited|is_not_null_own)": ("[^"]*"|true)')


@pytest.mark.parametrize("name", FILES)
def test_golden(any_db, name):
    if any_db.server.major < since(name):
        pytest.skip(f"needs PostgreSQL {since(name)}")
    load(any_db, name)
    found = tool(any_db, "-s", "app")
    path = os.path.join(GOLDEN, name + ".json")
    if os.environ.get("ARAMID_BLESS"):
        with open(path, "w", encoding="utf-8") as out:
            out.write(found)
    with open(path, encoding="utf-8") as expected:
        expected = expected.read()
    if since(name) < 18 <= any_db.server.major:
        found = NOT_NULL_18.sub("", found)
    if any_db.server.major < 14:
        expected = MULTIRANGE_14.sub("", expected)
    assert found == expected


def test_golden_on_the_system_server(db):
    """Releases since November 2026 keep pg_attver in the options of columns: never seen."""
    make_roles(db.server)
    load(db, "every_kind")
    with open(os.path.join(GOLDEN, "every_kind.json"), encoding="utf-8") as expected:
        assert tool(db, "-s", "app") == expected.read()


def test_new_databases_are_equal(servers):
    """Of every version, but for the owner of "public"."""
    made = [servers.get(major).new_database() for major in MAJORS]
    try:
        assert len({fingerprint(db, "-o") for db in made}) == 1
        for db in made:
            found = catalog(db)
            assert [s["name"] for s in found.pop("schemas")] == ["public"]
            assert list(found) == ["format"]
    finally:
        for db in made:
            db.drop()


@pytest.mark.parametrize("major", [13, 14, 15])
def test_restored_copy_is_equal(servers, major):
    """pg_dump --schema-only into another database; pg_dump is of version 15."""
    server = servers.get(major)
    make_roles(server)
    one, two = server.new_database(), server.new_database()
    try:
        for name in FILES:
            if since(name) <= major:
                load(one, name)
                where = ["-h", server.socket_dir, "-p", str(server.port), "-U", "postgres"]
                dump = subprocess.run([client_tool("pg_dump"), "--schema-only", *where, one.name],
                                      check=True, stdout=subprocess.PIPE).stdout
                subprocess.run([client_tool("psql"), "-qX", "-v", "ON_ERROR_STOP=1", *where, "-d",
                                two.name], check=True, input=dump, stdout=subprocess.DEVNULL)
                assert tool(one) == tool(two)
                assert fingerprint(one) == fingerprint(two)
                for db in (one, two):
                    db.sql("DROP SCHEMA IF EXISTS app, other CASCADE")
    finally:
        one.drop()
        two.drop()


# Each changes the schema that the ones before left.
EDITS = """
CREATE SCHEMA extra
ALTER SCHEMA extra OWNER TO catalog_owner
COMMENT ON SCHEMA extra IS 'x'
GRANT CREATE ON SCHEMA app TO catalog_reader
ALTER TYPE app.role ADD VALUE 'LAST'
ALTER TYPE app.role RENAME VALUE 'LAST' TO 'LATEST'
ALTER TYPE app.role OWNER TO catalog_owner
ALTER DOMAIN app.email DROP NOT NULL
ALTER DOMAIN app.email SET DEFAULT 'z@z'
ALTER DOMAIN app.email DROP CONSTRAINT has_at
ALTER DOMAIN app.email VALIDATE CONSTRAINT is_short
DROP TABLE app.typed
ALTER TYPE app.pair ADD ATTRIBUTE c int
ALTER TYPE app.pair RENAME ATTRIBUTE c TO d CASCADE
CREATE SEQUENCE app.up
ALTER SEQUENCE app.up INCREMENT 3
ALTER SEQUENCE app.up CACHE 7
ALTER SEQUENCE app.up OWNED BY app.base.a
ALTER TABLE app.users ALTER id SET GENERATED ALWAYS
ALTER TABLE app.users ALTER id SET INCREMENT 10
CREATE OR REPLACE FUNCTION app.twice(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'
ALTER FUNCTION app.twice(text) VOLATILE
ALTER FUNCTION app.twice(text) SET work_mem = '1MB'
GRANT EXECUTE ON FUNCTION app.twice(text) TO PUBLIC
DROP PROCEDURE app.work(int)
CREATE TABLE app.more (a int)
ALTER TABLE app.more RENAME TO most
ALTER TABLE app.most SET UNLOGGED
ALTER TABLE app.most SET (fillfactor = 50)
ALTER TABLE app.most OWNER TO catalog_reader
ALTER TABLE app.most ADD b text
ALTER TABLE app.most SET (toast.autovacuum_enabled = on)
ALTER TABLE app.most ALTER b SET NOT NULL
ALTER TABLE app.most ALTER b SET DEFAULT 'x'
ALTER TABLE app.most ALTER b TYPE varchar(5)
ALTER TABLE app.most ALTER b TYPE varchar(6)
ALTER TABLE app.most ALTER b TYPE varchar(6) COLLATE "C"
ALTER TABLE app.most ALTER b SET STORAGE PLAIN
ALTER TABLE app.most ALTER b SET STATISTICS 7
ALTER TABLE app.most ALTER b SET (n_distinct = 3)
ALTER TABLE app.most ALTER a SET NOT NULL
ALTER TABLE app.most ALTER a ADD GENERATED ALWAYS AS IDENTITY
ALTER TABLE app.most ADD c int[]
ALTER TABLE app.most DROP c
ALTER TABLE app.users ALTER double_name DROP EXPRESSION
COMMENT ON COLUMN app.most.a IS 'one'
GRANT UPDATE (a) ON app.most TO PUBLIC
GRANT DELETE ON app.most TO catalog_owner
ALTER TABLE app.most ADD CONSTRAINT k PRIMARY KEY (a)
ALTER TABLE app.most RENAME CONSTRAINT k TO l
ALTER TABLE app.most ADD CONSTRAINT u UNIQUE (b)
ALTER TABLE app.most DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (b) INCLUDE (a)
ALTER INDEX app.u SET (fillfactor = 55)
ALTER TABLE app.most ADD CONSTRAINT c CHECK (a > 0)
ALTER TABLE app.most DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 1)
ALTER TABLE app.users VALIDATE CONSTRAINT later
ALTER TABLE app.users ALTER CONSTRAINT users_manager_fkey INITIALLY DEFERRED
ALTER TABLE app.bookings DROP CONSTRAINT to_other, ADD CONSTRAINT to_other FOREIGN KEY (x, y) REFERENCES other.target (a, b)
ALTER TABLE app.bookings DROP CONSTRAINT no_overlap, ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&)
CREATE INDEX more_idx ON app.most (b)
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (b DESC)
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (b DESC NULLS LAST)
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (b varchar_pattern_ops)
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (b COLLATE "POSIX")
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (lower(b))
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most (lower(b)) WHERE a > 3
DROP INDEX app.more_idx; CREATE UNIQUE INDEX more_idx ON app.most (lower(b)) WHERE a > 3
DROP INDEX app.more_idx; CREATE INDEX more_idx ON app.most USING hash (b)
SET allow_system_table_mods = on; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.more_idx'::regclass
ALTER TABLE app.users SET WITHOUT CLUSTER
ALTER TABLE app.users REPLICA IDENTITY NOTHING
ALTER TABLE app.events DETACH PARTITION app.events_2024
ALTER TABLE app.events ATTACH PARTITION app.events_2024 FOR VALUES FROM ('2024-01-01') TO ('2024-07-01')
ALTER TABLE app.child NO INHERIT app.base2
ALTER TABLE app.child INHERIT app.base2
CREATE OR REPLACE VIEW app.names AS SELECT u.id, u.name FROM app.users u, app.base b
ALTER VIEW app.names SET (security_barrier)
ALTER VIEW app.names ALTER name DROP DEFAULT
DROP MATERIALIZED VIEW app.counted
CREATE VIEW app.counted AS SELECT 1 AS n
DROP VIEW app.counted; CREATE MATERIALIZED VIEW app.counted AS SELECT 1 AS n
ALTER TABLE app.users ENABLE TRIGGER touch
ALTER TABLE app.users ENABLE REPLICA TRIGGER touch
ALTER TRIGGER touch ON app.users RENAME TO touched
DROP TRIGGER checked ON app.users
CREATE TRIGGER checked BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()
ALTER RULE quiet ON app.scratch RENAME TO quieter
ALTER TABLE app.scratch DISABLE RULE quieter
ALTER TABLE app.users DISABLE ROW LEVEL SECURITY
ALTER TABLE app.users FORCE ROW LEVEL SECURITY
ALTER POLICY own ON app.users USING (true)
ALTER POLICY own ON app.users TO PUBLIC
ALTER POLICY everyone ON app.users RENAME TO all_of_us
COMMENT ON POLICY own ON app.users IS NULL
CREATE EXTENSION citext SCHEMA app
ALTER EXTENSION citext SET SCHEMA extra
DROP EXTENSION citext
"""


@pytest.mark.parametrize("any_server", [MAJORS[0], MAJORS[-1]], indirect=True)
def test_every_edit_is_seen(any_server, any_db):
    load(any_db, "every_kind")
    before = fingerprint(any_db)
    unseen = []
    for edit in EDITS.strip().splitlines():
        any_db.sql(edit)
        after = fingerprint(any_db)
        if after == before:
            unseen.append(edit)
        before = after
    assert unseen == []


def test_what_does_not_count(db):
    """Rows, statistics, positions of sequences, sessions; dropped columns leave no trace."""
    make_roles(db.server)
    load(db, "every_kind")
    before = tool(db)
    db.sql("INSERT INTO app.base VALUES (1, 'x'); SELECT nextval('app.down'); ANALYZE app.base;"
           "ALTER TABLE app.base ADD gone int; ALTER TABLE app.base DROP gone;"
           "CREATE TEMP TABLE base (x int); REINDEX TABLE app.users; REFRESH MATERIALIZED VIEW app.counted")
    db.sql("VACUUM FULL app.base")
    assert tool(db) == before


def test_settings_of_the_session_do_not_matter(db):
    make_roles(db.server)
    load(db, "every_kind")
    before = catalog(db)
    for setting in ("search_path = app, public", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'",
                    "quote_all_identifiers = on", "extra_float_digits = -10", "bytea_output = 'escape'",
                    "TimeZone = 'Asia/Tokyo'", "standard_conforming_strings = off",
                    "default_transaction_isolation = 'serializable'"):
        db.sql(f'ALTER DATABASE "{db.name}" SET {setting}')
    after = catalog(db)
    # They are themselves among what is not compared.
    assert len([o for o in after["others"] if o[0] == "database setting"]) == 9
    del after["others"]
    assert after == before


def test_any_role_reads_everything(any_db):
    load(any_db, "every_kind")
    any_db.sql(f'REVOKE ALL ON SCHEMA app, other, public FROM PUBLIC, catalog_reader;'
               f'GRANT CONNECT ON DATABASE "{any_db.name}" TO PUBLIC')
    assert tool(any_db, user="catalog_reader") == tool(any_db)


def test_members_of_extensions_are_left_to_them(any_db):
    any_db.sql("CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext;"
               "CREATE TABLE t (h ext.hstore, c citext UNIQUE)")
    found = catalog(any_db)
    assert [(e["name"], e["in_schema"]) for e in found["extensions"]] == [("citext", "public"),
                                                                          ("hstore", "ext")]
    assert "functions" not in found and "others" not in found
    assert [c["type"] for c in found["tables"][0]["columns"]] == ['"ext"."hstore"', '"public"."citext"']
    # What is made beside the members is not theirs.
    any_db.sql("CREATE FUNCTION ext.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert [f["name"] for f in catalog(any_db)["functions"]] == ["mine"]


def test_schemas_and_tables_of_others_are_left_out(db):
    db.sql("CREATE SCHEMA auth; CREATE TABLE auth.users (id int, org int, PRIMARY KEY (org, id));"
           "CREATE SCHEMA supabase_x; CREATE TABLE supabase_x.t (a int);"
           "CREATE TABLE _prisma_migrations (id serial PRIMARY KEY);"
           "CREATE TABLE mine (a int, b int, FOREIGN KEY (a, b) REFERENCES auth.users (id, org),"
           " c int REFERENCES _prisma_migrations); CREATE AGGREGATE auth.agg(int) (SFUNC = int4pl, STYPE = int)")
    found = catalog(db, "-x", "auth", "-x", "supabase_*", "-x", "*._prisma_migrations")
    assert [s["name"] for s in found["schemas"]] == ["public"]
    assert [t["name"] for t in found["tables"]] == ["mine"]
    assert "sequences" not in found and "others" not in found
    keys = [(k["ref_table"], k["ref_columns"]) for k in found["tables"][0]["constraints"]]
    assert keys == [(["auth", "users"], ["id", "org"]), (["public", "_prisma_migrations"], ["id"])]
    only = catalog(db, "-s", "supa*")
    assert [t["schema"] for t in only["tables"]] == ["supabase_x"]


def test_other_kinds_are_named(any_db):
    any_db.sql("""
        CREATE TABLE t (a int, b int); CREATE INDEX i ON t ((a + b)); ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree ((a + b) WITH =);
        ALTER INDEX x ALTER COLUMN 1 SET STATISTICS 300;
        CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false);
    """)
    try:
        assert {o[0] for o in catalog(any_db)["others"]} == {"statistics target of a constraint", "subscription"}
    finally:
        any_db.sql("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        any_db.sql("DROP SUBSCRIPTION sub")


def test_secrets_in_options_are_not_read(any_db):
    any_db.sql("""
        CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w
            OPTIONS (host 'h', uri 'mongodb://me:s3cret@h', conn 'host=h password=s3cret');
        CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'me', "passWord" 's3cret', secret_access_key 's3cret');
        CREATE FOREIGN TABLE ft (a int OPTIONS (name 'x', token 's3cret'), b int OPTIONS (password 's3cret')) SERVER s
            OPTIONS (api_key 's3cret', file 'f')
    """)
    assert "s3cret" not in tool(any_db)
    found = catalog(any_db)
    assert found["foreign_servers"][0]["options"] == ["host 'h'"]
    assert sorted(found["foreign_servers"][0]["secrets"]) == ["conn", "uri"]
    assert found["user_mappings"][0]["options"] == ["\"user\" 'me'"]
    assert sorted(found["user_mappings"][0]["secrets"]) == ["passWord", "secret_access_key"]
    assert sorted(found["foreign_tables"][0]["secrets"]) == ["a.token", "api_key", "b.password"]
    assert "a integer OPTIONS (name 'x')," in found["foreign_tables"][0]["definition"]
    assert "b integer\n" in found["foreign_tables"][0]["definition"]


def test_while_others_change_the_schema(db):
    """The server prints definitions as of now: objects that vanish in between are no error."""
    stop = threading.Event()

    def churn(number):
        while not stop.is_set():
            db.sql(f"CREATE TABLE c{number} (a int DEFAULT 1 CHECK (a > 0), b text GENERATED ALWAYS AS ('x') STORED);"
                   f"CREATE INDEX ON c{number} (lower(b)) WHERE a > 1;"
                   f"CREATE VIEW v{number} AS SELECT * FROM c{number};"
                   f"CREATE FUNCTION f{number}() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            time.sleep(0.02)
            db.sql(f"DROP VIEW v{number}; DROP TABLE c{number}; DROP FUNCTION f{number}")

    threads = [threading.Thread(target=churn, args=(n,)) for n in range(3)]
    whole = 0
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            result = subprocess.run([TOOL, db.url()], env=aramid.environment(), text=True, capture_output=True, check=False)
            if result.returncode:  # on a slow machine each try may meet a change
                assert "try again when nobody changes the schema" in result.stderr
                continue
            whole += 1
            for view in json.loads(result.stdout).get("views", []):
                assert view["columns"]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert whole and "tables" not in catalog(db)
