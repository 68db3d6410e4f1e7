"""Aramid's own dump: read by psql, it makes the same database again."""

import contextlib
import os
import subprocess
import threading

import pytest

from harness import everything, wait
from harness.cluster import MAJORS, REPO, client_tool

TOOL = os.path.join(REPO, "build/debug/tests/unit/backup/native-dump")

pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason="the test tool is not built")


def native_dump(db, path, **kwargs):
    return subprocess.run([TOOL, db.url(tcp=False, **kwargs), str(path)], capture_output=True, text=True, check=False,
                          timeout=wait.PATIENCE)


def load(db, path):
    subprocess.run([client_tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(path),
                    db.url(tcp=False)], check=True, timeout=wait.PATIENCE)


@pytest.mark.parametrize("major", MAJORS)
def test_psql_makes_the_same_database(servers, major, tmp_path):
    server = servers.get(major)
    original, copy = everything.make(server.new_database()), server.new_database()
    result = native_dump(original, tmp_path / "dump.sql")
    assert (result.returncode, result.stderr) == (0, "")
    load(copy, tmp_path / "dump.sql")
    assert everything.differences(original, copy) == []
    result = native_dump(copy, tmp_path / "again.sql")
    assert result.returncode == 0, result
    assert (tmp_path / "again.sql").read_bytes() == (tmp_path / "dump.sql").read_bytes()


def test_rows_that_a_policy_hides(db, tmp_path):
    """No dump is better than one that lacks rows."""
    db.sql("CREATE ROLE native_reader LOGIN; CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2);"
           "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (i = 1); GRANT SELECT ON t TO native_reader")
    try:
        result = native_dump(db, tmp_path / "dump.sql", user="native_reader")
        assert result.returncode == 1 and "row-level security" in result.stderr and "BYPASSRLS" in result.stderr, result
        db.sql("REVOKE SELECT ON t FROM native_reader")
        result = native_dump(db, tmp_path / "dump.sql", user="native_reader")
        assert result.returncode == 1 and "pg_read_all_data" in result.stderr, result
    finally:
        db.sql("DROP OWNED BY native_reader; DROP ROLE native_reader")


def test_what_is_left_out_is_named(db, tmp_path):
    db.sql("CREATE SUBSCRIPTION sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)")
    try:
        result = native_dump(db, tmp_path / "dump.sql")
        assert result.returncode == 0 and "subscription .sub" in result.stderr, result
    finally:
        db.sql("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        db.sql("DROP SUBSCRIPTION sub")


def test_rows_in_tables_of_extensions(db, tmp_path):
    """Those that the extension calls the user's."""
    db.sql("CREATE EXTENSION pg_trgm; CREATE TABLE settings (id int, v text); CREATE TABLE own (id int);"
           "ALTER EXTENSION pg_trgm ADD TABLE settings; ALTER EXTENSION pg_trgm ADD TABLE own;"
           "UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], extcondition = ARRAY['WHERE id > 5'] "
           "WHERE extname = 'pg_trgm'; INSERT INTO settings VALUES (1, 'theirs'), (9, 'ours'); INSERT INTO own VALUES (77)")
    assert native_dump(db, tmp_path / "dump.sql").returncode == 0
    text = (tmp_path / "dump.sql").read_text()
    assert 'COPY "public"."settings" ("id", "v") FROM stdin;\n9\tours\n\\.' in text.replace("(id, v)", '("id", "v")')
    assert '"own"' not in text


# What tables, types and their checks call comes first, also where it takes the type that calls it.
CALLED = r"""
CREATE FUNCTION zz_code(v text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$SELECT v ~ '^[A-Z]{3}$'$$;
CREATE DOMAIN code AS text CONSTRAINT code_ok CHECK (zz_code(VALUE));
CREATE TYPE cc AS (c code);
CREATE FUNCTION takes_cc(cc) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER DOMAIN code ADD CONSTRAINT loop CHECK (takes_cc(NULL::cc));
COMMENT ON CONSTRAINT loop ON DOMAIN code IS 'x';
CREATE DOMAIN code2 AS code CHECK (zz_code(VALUE)) DEFAULT 'ABC';
CREATE TYPE _p AS (a int, b int);
CREATE FUNCTION okpair(_p[]) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE DOMAIN pairs AS _p[] CHECK (okpair(VALUE));
CREATE TABLE t (id int PRIMARY KEY, c code, p pairs, CHECK (zz_code(c)), d text DEFAULT zz_code('x')::text,
    g bool GENERATED ALWAYS AS (zz_code(c)) STORED);
CREATE FUNCTION takes_t(t) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE t ADD CONSTRAINT of_row CHECK (takes_t(t.*));
CREATE FUNCTION zz_key(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE pt (a int, b int) PARTITION BY RANGE (zz_key(a));
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (1) TO (10) PARTITION BY HASH (zz_key(b));
CREATE TABLE pt11 PARTITION OF pt1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO pt VALUES (1, 2), (3, 4);
INSERT INTO t VALUES (1, 'ABC');
"""


@pytest.mark.parametrize("major", [15, 18])
def test_functions_come_before_what_calls_them(servers, major, tmp_path):
    server = servers.get(major)
    original, copy = server.new_database(), server.new_database()
    original.sql(CALLED)
    assert native_dump(original, tmp_path / "dump.sql").returncode == 0
    load(copy, tmp_path / "dump.sql")
    assert everything.differences(original, copy) == []
    checks = ("SELECT conname, pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint') FROM pg_constraint "
              "WHERE contypid <> 0 AND connamespace = 'public'::regnamespace ORDER BY 1")
    assert copy.sql(checks) == original.sql(checks) and len(copy.sql(checks)) == 4


# NOT NULL is a constraint since 18: it has a name, a comment, and may be of one table only.
NOT_NULL = """
CREATE TABLE nn (id int PRIMARY KEY, a int CONSTRAINT a_must NOT NULL, c int, b int, CONSTRAINT c_must NOT NULL c);
ALTER TABLE nn ADD CONSTRAINT b_must NOT NULL b NOT VALID;
ALTER TABLE nn RENAME COLUMN a TO a2;
COMMENT ON CONSTRAINT b_must ON nn IS 'why''s';
COMMENT ON CONSTRAINT c_must ON nn IS 'c';
COMMENT ON CONSTRAINT nn_id_not_null ON nn IS 'i';
CREATE TABLE base (x int CONSTRAINT base_nn NOT NULL NO INHERIT);
CREATE TABLE kid (y int) INHERITS (base);
INSERT INTO base VALUES (1);
INSERT INTO kid VALUES (NULL, 2);
CREATE TABLE kid2 (x int CONSTRAINT own_x NOT NULL, z int NOT NULL) INHERITS (base);
CREATE TABLE kid3 () INHERITS (base);
ALTER TABLE kid3 ADD CONSTRAINT k3 NOT NULL x;
CREATE TABLE m (k int NOT NULL, s serial, i int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (5);
CREATE TABLE m2 (k int NOT NULL, s int NOT NULL, i int NOT NULL);
ALTER TABLE m ATTACH PARTITION m2 FOR VALUES FROM (5) TO (9);
CREATE TABLE p_nv (q int, r int NOT NULL);
CREATE TABLE c_nv () INHERITS (p_nv);
INSERT INTO c_nv VALUES (NULL, 1);
ALTER TABLE p_nv ADD CONSTRAINT qn NOT NULL q NOT VALID;
CREATE TABLE p_lo (q int, r int NOT NULL);
CREATE TABLE c_lo () INHERITS (p_lo);
ALTER TABLE c_lo ADD CONSTRAINT q_lo NOT NULL q NOT VALID;
CREATE TABLE ser (a serial CONSTRAINT ser_named NOT NULL, b bigserial);
ALTER TABLE ser RENAME TO ser2;
INSERT INTO m (k) VALUES (1), (6);
ALTER TABLE m RENAME COLUMN k TO kk;
"""


def test_what_not_null_is_since_18(servers, tmp_path):
    server = servers.get(18)
    original, copy = server.new_database(), server.new_database()
    original.sql(NOT_NULL)
    assert native_dump(original, tmp_path / "dump.sql").returncode == 0
    load(copy, tmp_path / "dump.sql")
    assert everything.differences(original, copy) == []
    asked = ("SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated, conislocal, coninhcount, "
             "obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE contype = 'n' AND conrelid <> 0 ORDER BY 1, 2")
    assert [row for row in original.sql(asked) if row not in copy.sql(asked)] == []
    assert len(copy.sql(asked)) == len(original.sql(asked)) > 20
    copy.sql("ALTER TABLE nn VALIDATE CONSTRAINT b_must; ALTER TABLE nn DROP CONSTRAINT a_must")


def test_privileges_on_what_extensions_have(db, db2, tmp_path):
    """Those that differ from what CREATE EXTENSION leaves."""
    db.sql("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; CREATE EXTENSION pg_trgm; CREATE EXTENSION pg_stat_statements;"
           "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC; CREATE EXTENSION citext; CREATE ROLE ext_reader;"
           "REVOKE EXECUTE ON FUNCTION pg_stat_statements_reset FROM PUBLIC; REVOKE ALL ON pg_stat_statements FROM PUBLIC;"
           "GRANT SELECT ON pg_stat_statements TO ext_reader WITH GRANT OPTION; GRANT EXECUTE ON FUNCTION similarity(text, text) TO ext_reader;"
           "REVOKE USAGE ON TYPE citext FROM PUBLIC")
    asked = """SELECT x.name, array(SELECT a::text FROM aclexplode(x.acl) a ORDER BY 1) FROM (
        SELECT oid::regprocedure::text AS name, coalesce(proacl, acldefault('f', proowner)) AS acl, oid FROM pg_proc
        UNION ALL SELECT oid::regclass::text, coalesce(relacl, acldefault('r', relowner)), oid FROM pg_class
        UNION ALL SELECT oid::regtype::text, coalesce(typacl, acldefault('T', typowner)), oid FROM pg_type) x
        WHERE EXISTS (SELECT FROM pg_depend d WHERE d.objid = x.oid AND d.deptype = 'e') ORDER BY 1"""
    assert native_dump(db, tmp_path / "dump.sql").returncode == 0
    load(db2, tmp_path / "dump.sql")
    assert db2.sql(asked) == db.sql(asked) and len(db.sql(asked)) > 80
    db.sql("DROP OWNED BY ext_reader")
    db2.sql("DROP OWNED BY ext_reader; DROP ROLE ext_reader")


def test_another_encoding(server, tmp_path):
    server.admin("CREATE DATABASE native_latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    server.admin("CREATE DATABASE native_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        for name, value in (("native_latin", "'h\u00e9'"), ("native_ascii", "convert_from('\\x68e9ff', 'SQL_ASCII')")):
            db = type(server.new_database())(server, name)
            db.sql(f"CREATE TABLE t (v text); INSERT INTO t VALUES ({value})")
            assert native_dump(db, tmp_path / "dump.sql").returncode == 0
            want = db.one("SELECT encode(v::bytea, 'hex') FROM t")
            db.sql("DROP TABLE t")
            load(db, tmp_path / "dump.sql")
            assert db.one("SELECT encode(v::bytea, 'hex') FROM t") == want
    finally:
        server.admin("DROP DATABASE native_latin")
        server.admin("DROP DATABASE native_ascii")


def test_while_tables_change(server, tmp_path):
    """Tables come, go and change their shape: each dump is of one moment, and whole."""
    db, copy, stop = server.new_database(), server.new_database(), threading.Event()
    db.sql("CREATE TABLE stays (i int); CREATE TABLE a (x int, y int); INSERT INTO a VALUES (1, 2)")

    def change():
        with contextlib.closing(db.connect()) as connection, connection.cursor() as cursor:
            for i in range(1500):  # a table has 1600 columns, dropped ones too
                if stop.is_set():
                    return
                cursor.execute(f"CREATE TABLE new{i} (i int); ALTER TABLE a ADD COLUMN z{i} int; "
                               f'DROP TABLE IF EXISTS "new{i - 3}"; ALTER TABLE a DROP COLUMN IF EXISTS "z{i - 2}"')
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(6):
            result = native_dump(db, tmp_path / "dump.sql")
            assert result.returncode == 0, result
            copy.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            load(copy, tmp_path / "dump.sql")
            assert copy.one("SELECT count(*) FROM a") == 1
    finally:
        stop.set()
        thread.join()
        db.drop()
        copy.drop()
