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
    db.sql("CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int); CREATE TYPE span AS RANGE (subtype = int)")
    result = native_dump(db, tmp_path / "dump.sql")
    assert result.returncode == 0 and "aggregate public.total" in result.stderr and "span" in result.stderr, result


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
