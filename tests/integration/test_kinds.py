"""Every kind of object (src/catalog/kinds.def) goes the whole way: read from a server, compared, written,
made and dropped by what was written, pulled. A failure names the place where a new kind is missing;
CONTRIBUTING.md, "Add an object kind", lists the same places. tests/unit/kinds does what needs no server."""

import json
import os
import re
import sys

import pytest

from harness import aramid
from harness.cluster import REPO

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
    "column": "ALTER TABLE t ADD x int",
    "index": "CREATE INDEX x ON t (note)",
    "constraint": "ALTER TABLE t ADD CONSTRAINT x CHECK (id > 0)",
    "trigger": "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()",
    "rule": "CREATE RULE x AS ON DELETE TO t DO INSTEAD NOTHING",
    "policy": "CREATE POLICY x ON t",
}
# Where a new kind is told: CONTRIBUTING.md lists the same.
PLACES = {
    "src/catalog/kinds.def": "its row",
    "src/catalog/catalog.h": "its struct, and the list that holds it",
    "src/catalog/fields.c": "its fields",
    "src/introspect/queries.c": "the query that reads it",
    "src/introspect/introspect_int.h": "the function of its rows",
    "src/introspect/rows_relations.c": "what a row becomes",
    "src/render/code.c": "its statements",
}
DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n'


def read(path):
    with open(os.path.join(REPO, path), encoding="utf-8") as file:
        return file.read()


ROW = re.compile(r'^(KIND|PART)\(\w+,\s*\w+,\s*\w+,\s*\w+,\s*"(\w+)",\s*"([^"]+)"', re.M)
KINDS = {name: (row == "PART", key) for row, key, name in ROW.findall(read("src/catalog/kinds.def"))}


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
        f"src/introspect (queries.c, introspect_int.h, rows*.c): {kind} is not read"
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
    assert len(PLACES) <= 8
    for path in PLACES:
        assert os.path.exists(os.path.join(REPO, path))
