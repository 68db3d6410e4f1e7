"""Every kind of object (src/catalog/kinds.def) goes the whole way: read from a server, compared, written,
made and dropped by what was written, pulled. A failure names the place where a new kind is missing;
CONTRIBUTING.md, "Add an object kind", lists the same places. tests/unit/kinds does what needs no server."""

import json
import os
import re
import subprocess
import sys

import pytest

from harness import aramid
from harness.cluster import REPO, client_tool

sys.path.insert(0, os.path.join(REPO, "tests", "compat"))

import roundtrip  # noqa: E402

pytestmark = [pytest.mark.harness,
              pytest.mark.skipif(not any(map(os.path.exists, roundtrip.PROGRAMS)), reason="not built")]

GROUND = """
CREATE TABLE t (id int PRIMARY KEY, note text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""
# One object of the kind on top of that.
EXAMPLES = {
    "schema": "CREATE SCHEMA more",
    "extension": "CREATE EXTENSION citext",
    "enum": "CREATE TYPE x AS ENUM ('one')",
    "domain": "CREATE DOMAIN x AS int",
    "composite type": "CREATE TYPE x AS (a int)",
    "sequence": "CREATE SEQUENCE x",
    "function": "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "table": "CREATE TABLE x (id int PRIMARY KEY)",
    "view": "CREATE VIEW x AS SELECT id FROM t",
    "materialized view": "CREATE MATERIALIZED VIEW x AS SELECT id FROM t",
    "collation": "CREATE COLLATION x (provider = libc, locale = 'C')",
    "shell type": "CREATE TYPE x",
    "base type": """CREATE TYPE x;
        CREATE FUNCTION x_in(cstring) RETURNS x LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
        CREATE FUNCTION x_out(x) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
        CREATE TYPE x (INPUT = x_in, OUTPUT = x_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '7')""",
    "range type": "CREATE TYPE x AS RANGE (subtype = float8, subtype_diff = float8mi)",
    "language": "CREATE TRUSTED LANGUAGE x HANDLER plpgsql_call_handler",
    "aggregate": "CREATE AGGREGATE x(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')",
    "operator": "CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int, COMMUTATOR = ===)",
    "operator family": "CREATE OPERATOR FAMILY x USING btree",
    "operator class": """CREATE OPERATOR FAMILY y USING btree;
        CREATE OPERATOR CLASS x FOR TYPE int USING btree FAMILY y AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
        OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)""",
    "member of an operator family": """CREATE OPERATOR FAMILY y USING btree;
        ALTER OPERATOR FAMILY y USING btree ADD OPERATOR 1 < (int, int)""",
    "cast": "CREATE CAST (text AS point) WITH INOUT AS ASSIGNMENT",
    "conversion": "CREATE CONVERSION x FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    "transform": "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
    "access method": "CREATE ACCESS METHOD x TYPE INDEX HANDLER bthandler",
    "text search parser": "CREATE TEXT SEARCH PARSER x (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, "
                          "LEXTYPES = prsd_lextype, HEADLINE = prsd_headline)",
    "text search template": "CREATE TEXT SEARCH TEMPLATE x (INIT = dsimple_init, LEXIZE = dsimple_lexize)",
    "text search dictionary": "CREATE TEXT SEARCH DICTIONARY x (TEMPLATE = simple, STOPWORDS = english)",
    "text search configuration": "CREATE TEXT SEARCH CONFIGURATION x (PARSER = \"default\")",
    "text search mapping": """CREATE TEXT SEARCH CONFIGURATION x (PARSER = "default");
        ALTER TEXT SEARCH CONFIGURATION x ADD MAPPING FOR asciiword WITH english_stem, simple""",
    "foreign-data wrapper": "CREATE FOREIGN DATA WRAPPER x OPTIONS (debug 'true')",
    "foreign server": "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER x TYPE 'a' VERSION 'b' FOREIGN DATA WRAPPER w OPTIONS (host 'h')",
    "user mapping": """CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS ("user" 'me')""",
    "foreign table": """CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE FOREIGN TABLE x (a int NOT NULL, b text OPTIONS (name 'c') DEFAULT 'd', CHECK (a > 0)) SERVER s OPTIONS (file 'x')""",
    "statistics object": "CREATE STATISTICS x (ndistinct) ON id, note FROM t",
    "publication": "CREATE PUBLICATION x WITH (publish = 'insert')",
    "member of a publication": "CREATE PUBLICATION x FOR TABLE t",
    "default privileges": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    "event trigger": """CREATE FUNCTION say() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER x ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION say()""",
    "column": "ALTER TABLE t ADD x int",
    "index": "CREATE INDEX x ON t (note)",
    "constraint": "ALTER TABLE t ADD CONSTRAINT x CHECK (id > 0)",
    "trigger": "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()",
    "rule": "CREATE RULE x AS ON DELETE TO t DO INSTEAD NOTHING",
    "policy": "CREATE POLICY x ON t",
}
# Where a new kind of the usual shape is told: CONTRIBUTING.md lists the same.
PLACES = {
    "src/catalog/kinds.def": "its row",
    "src/introspect/defined.c": "the query that reads it",
}
DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n'


def read(path):
    with open(os.path.join(REPO, path), encoding="utf-8") as file:
        return file.read()


ROW = re.compile(r'^(KIND|PART|DEFINED)\(\w+,(?:\s*\w+,\s*\w+,\s*\w+,)?\s*"(\w+)",\s*"([^"]+)"', re.M)
KINDS = {name: (row == "PART", key) for row, key, name in ROW.findall(read("src/catalog/kinds.def"))}
# name -> key, words of SQL
RARE = {name: (key, sql) for key, name, sql in re.findall(
    r'^DEFINED\(\w+,\s*"(\w+)",\s*"([^"]+)",\s*"\w+",\s*"([^"]+)"', read("src/catalog/kinds.def"), re.M)}
NATIVE = os.path.join(REPO, "build", "debug", "tests", "unit", "backup", "native-dump")


@pytest.fixture(scope="module")
def tool():
    program = roundtrip.Tool()
    yield program
    program.close()


@pytest.fixture
def databases(server):
    made = [server.new_database() for _ in range(2)]
    for db in made:
        db.sql(GROUND)
    yield made
    for db in made:
        db.drop()


def number_of(tool, db, kind):
    is_part, key = KINDS[kind]
    catalog = json.loads(tool.ask("catalog", roundtrip.url(db)))
    where = catalog.get("tables", []) if is_part else [catalog]
    return sum(len(x.get(key, [])) for x in where)


def lead(tool, db, target, kind, done):
    """Make `db` what `target` is."""
    script = tool.ask("script", "exact", roundtrip.url(db), roundtrip.url(target))
    assert script != roundtrip.EMPTY, f"{kind} is not {done}: tests/unit/kinds says by whom"
    assert "\n;" not in script, script
    roundtrip.run(db, script)
    prints = [tool.ask("fingerprint", roundtrip.url(x)) for x in (db, target)]
    assert prints[0] == prints[1], f"src/render: {kind} is not {done} by\n{script}"


def test_every_kind_has_an_example():
    assert list(KINDS) == list(EXAMPLES), "an example for each row of src/catalog/kinds.def, in its order"


@pytest.mark.parametrize("kind", EXAMPLES)
def test_whole_way(tool, databases, tmp_path, kind):
    plain, full = databases
    before = number_of(tool, plain, kind)
    full.sql(EXAMPLES[kind])
    assert number_of(tool, full, kind) == before + 1, \
        f"src/introspect (defined.c, or queries.c and rows*.c): {kind} is not read"
    empty = plain.server.new_database()
    try:
        empty.sql(GROUND)
        lead(tool, plain, full, kind, "created")
        lead(tool, plain, empty, kind, "dropped")
    finally:
        empty.drop()
    (tmp_path / "schema.prisma").write_text(DATASOURCE)
    pulled = aramid.run("pull", "--url", full.url(), "--yes", cwd=str(tmp_path))
    assert pulled.rc == 0, f"src/bridge: {kind} cannot be pulled: {pulled.err}"
    schema = (tmp_path / "schema.prisma").read_text()
    rest = tool.ask("script", "prisma", roundtrip.url(full), (schema,))
    assert rest == roundtrip.EMPTY, f"src/bridge, src/diff: {kind} is pulled, and then changed:\n{rest}"


def test_places_are_told():
    section = read("CONTRIBUTING.md").split("## Add an object kind\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\d+\. `(src/[^`]+)`", section, re.M))
    assert told == set(PLACES)
    for path in PLACES:
        assert os.path.exists(os.path.join(REPO, path))


# ---- rare kinds: what any object may have, and Aramid's own dump ------------------------------------

NO_COMMENT = ("member of an operator family", "text search mapping", "user mapping", "member of a publication",
              "default privileges", "shell type")
NO_OWNER = (*NO_COMMENT, "cast", "transform", "access method", "text search parser", "text search template")
# What is granted, and on what in the words of GRANT.
GRANTED = {"base type": "USAGE ON TYPE", "range type": "USAGE ON TYPE", "language": "USAGE ON LANGUAGE",
           "foreign-data wrapper": "USAGE ON FOREIGN DATA WRAPPER", "foreign server": "USAGE ON FOREIGN SERVER",
           "foreign table": "SELECT ON TABLE", "aggregate": "EXECUTE ON FUNCTION"}


@pytest.fixture(params=(13, 15, 18))
def pair(request, servers):
    server = servers.get(request.param)
    for role in ("kinds_owner", "kinds_reader"):
        if not server.admin("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            server.admin(f"CREATE ROLE {role} SUPERUSER")
    made = [server.new_database() for _ in range(2)]
    for db in made:
        db.sql(GROUND)
    yield made
    for db in made:
        db.drop()


def say(tool, db, kind):
    """Comment, owner and privileges of the kind's objects."""
    key, sql = RARE[kind]
    for found in json.loads(tool.ask("catalog", roundtrip.url(db)))[key]:
        at = found["address"]
        if kind not in NO_COMMENT:
            db.sql(f"COMMENT ON {sql} {at} IS 'it''s'")
        if kind in GRANTED:
            db.sql(f"GRANT {GRANTED[kind]} {at} TO kinds_reader WITH GRANT OPTION")
            db.sql(f"REVOKE ALL {GRANTED[kind][GRANTED[kind].index('ON'):]} {at} FROM PUBLIC")
        if kind not in NO_OWNER:
            db.sql(f"ALTER {sql} {at} OWNER TO kinds_owner")


@pytest.mark.parametrize("kind", RARE)
def test_attributes_and_dump(tool, pair, tmp_path, kind):
    plain, full = pair
    for db in pair:
        db.sql(EXAMPLES[kind])
    say(tool, full, kind)
    if kind not in NO_COMMENT:
        lead(tool, plain, full, kind, "altered")
    again = plain.server.new_database()
    try:
        done = subprocess.run([NATIVE, full.url(), str(tmp_path / "own.sql")], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        loaded = subprocess.run([client_tool("psql"), "-Xqd", again.url(), "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "own.sql")],
                                capture_output=True, text=True, check=False)
        assert loaded.returncode == 0, loaded.stderr
        prints = [tool.ask("fingerprint", roundtrip.url(x)) for x in (again, full)]
        assert prints[0] == prints[1], f"{kind} is not restored from\n{(tmp_path / 'own.sql').read_text()}"
    finally:
        again.drop()


def descriptions(db):
    return db.sql("SELECT COALESCE(c.relname, k.conname), d.classoid::regclass::text, d.description FROM pg_description d "
                  "LEFT JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass "
                  "LEFT JOIN pg_constraint k ON k.oid = d.objoid AND d.classoid = 'pg_constraint'::regclass "
                  "WHERE d.objoid >= 16384 ORDER BY 1, 2")


@pytest.mark.parametrize("key", ["PRIMARY KEY", "UNIQUE", "EXCLUDE USING gist (d WITH &&)"])
@pytest.mark.parametrize("partitioned", [False, True])
def test_a_key_and_its_index_have_comments_of_their_own(tool, databases, key, partitioned):
    if partitioned and key.startswith("EXCLUDE"):
        pytest.skip("PostgreSQL has no such constraint before 17")
    plain, full = databases
    empty = plain.server.new_database()
    columns = "" if key.startswith("EXCLUDE") else " (a)"
    table = (f"CREATE TABLE x (a int NOT NULL, d daterange, CONSTRAINT k {key}{columns})"
             + (" PARTITION BY RANGE (a); CREATE TABLE x1 PARTITION OF x FOR VALUES FROM (0) TO (9)" if partitioned else ""))
    for db in databases:
        db.sql(table)
    full.sql("COMMENT ON CONSTRAINT k ON x IS 'the key'; COMMENT ON INDEX k IS 'its index'")
    if partitioned:
        full.sql(f"COMMENT ON INDEX x1_{'pkey' if key == 'PRIMARY KEY' else 'a_key'} IS 'that of the partition'")
    before = descriptions(plain)
    for db in (plain, empty):
        lead(tool, db, full, key, "commented")
        assert descriptions(db) == descriptions(full)
    for db, comment in ((full, "NULL"), (full, "'another'")):
        db.sql(f"COMMENT ON INDEX k IS {comment}")
        lead(tool, plain, full, key, "commented")
        assert descriptions(plain) == descriptions(full)
    full.sql("COMMENT ON CONSTRAINT k ON x IS NULL; COMMENT ON INDEX k IS NULL")
    if partitioned:
        full.sql(f"COMMENT ON INDEX x1_{'pkey' if key == 'PRIMARY KEY' else 'a_key'} IS NULL")
    lead(tool, plain, full, key, "commented")
    assert descriptions(plain) == before
    empty.drop()


RIGHTS = {
    "usual": "SELECT 1",
    "all": "GRANT ALL ON SCHEMA public TO PUBLIC",
    "more": "GRANT ALL ON SCHEMA public TO PUBLIC; REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    "none": "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "made": "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
}


def rights(db):
    return [db.sql(f"SELECT EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'public' AND a.grantee = 0 "
                     f"AND a.privilege_type = '{x}')")[0][0] for x in ("USAGE", "CREATE")]


def test_what_everybody_may_do_in_public(tool, server):
    """What initdb gives there is no object's default: it is taken and given back."""
    for was in RIGHTS:
        for then in RIGHTS:
            x, y = server.new_database(), server.new_database()
            x.sql(RIGHTS[was])
            y.sql(RIGHTS[then])
            if rights(x) != rights(y):
                lead(tool, x, y, "schema", "granted")
            assert rights(x) == rights(y), f"from {was} to {then}"
            x.drop()
            y.drop()
    x, y = server.new_database(), server.new_database()
    x.sql("DROP SCHEMA public")
    lead(tool, x, y, "schema", "made")
    assert rights(x) == rights(y)
    x.drop()
    y.drop()


def test_a_member_needs_what_its_publication_says_now(tool, server):
    """A condition on a partitioned table wants publish_via_partition_root."""
    made = [server.new_database() for _ in range(2)]
    for db in made:
        db.sql("CREATE TABLE x (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    made[0].sql("CREATE TABLE a (); CREATE TABLE b (); "
                "CREATE PUBLICATION p FOR TABLE x WITH (publish_via_partition_root = false)")
    made[1].sql("CREATE PUBLICATION p FOR TABLE x WHERE (id > 0) WITH (publish_via_partition_root = true)")
    lead(tool, *made, "publication", "altered")
    made[1].sql("ALTER PUBLICATION p SET TABLE x; ALTER PUBLICATION p SET (publish_via_partition_root = false)")
    lead(tool, *made, "publication", "altered")
    for db in made:
        db.drop()
