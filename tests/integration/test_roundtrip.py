"""Scripts of the differ on real servers: they lead to the target, renames keep rows, and notes know
what rows would make a change fail. A sample of what tests/compat/roundtrip.py does at length."""

import os
import re
import sys

import pytest

from harness.cluster import REPO

sys.path.insert(0, os.path.join(REPO, "tests", "compat"))

import roundtrip  # noqa: E402

pytestmark = [pytest.mark.harness,
              pytest.mark.skipif(not any(map(os.path.exists, roundtrip.PROGRAMS)), reason="not built")]

DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n'


@pytest.fixture(scope="module")
def tool():
    program = roundtrip.Tool()
    yield program
    program.close()


def test_golden_schemas(tool, server):
    """Every seventh pair, forward and back."""
    golden = os.path.join(roundtrip.GOLDEN, "schemas.jsonl")
    for number, (name, check) in enumerate(roundtrip.check_schemas(tool, server, [golden])):
        if number % 7 == 0:
            try:
                check()
            except roundtrip.Failure as failure:
                pytest.fail(f"{name}: {failure}")


def test_made_catalogs(tool, server):
    cases = roundtrip.Catalogs(tool, server, "aramid")
    for number in range(6):
        try:
            cases.check(number)
        except roundtrip.Failure as failure:
            pytest.fail(f"catalog {number}: {failure}")


OLD = DATASOURCE + """
enum Role {
  USER
  ADMIN
}
model User {
  id    Int    @id @default(autoincrement())
  mail  String @unique
  role  Role   @default(ADMIN)
  posts Post[]
}
model Post {
  id       Int  @id
  authorId Int
  author   User @relation(fields: [authorId], references: [id])
  @@index([authorId])
}
"""
NEW = DATASOURCE + """
/// @renamed(from: "Role")
enum Rights {
  USER
  /// @renamed(from: "ADMIN")
  OWNER
}
/// Those who may log in.
/// @renamed(from: "User")
model Account {
  id    Int    @id @default(autoincrement())
  /// @renamed(from: "mail")
  email String @unique
  role  Rights @default(OWNER)
  posts Post[]
}
model Post {
  id        Int     @id
  /// @renamed(from: "authorId")
  accountId Int
  author    Account @relation(fields: [accountId], references: [id])
  @@index([accountId])
}
"""


def test_renames_keep_rows(tool, db, db2):
    roundtrip.run(db, tool.ask("script", "prisma", None, (OLD,)))
    db.sql("""INSERT INTO "User" (mail) VALUES ('a@b'); INSERT INTO "Post" VALUES (7, 1)""")
    for side in ((OLD,), roundtrip.url(db)):
        script = tool.ask("script", "prisma", side, (NEW,))
        assert "DROP" not in script and "CREATE" not in script
    roundtrip.run(db, script)
    assert db.sql('SELECT id, email, role FROM "Account"') == [(1, "a@b", "OWNER")]
    assert db.sql('SELECT * FROM "Post"') == [(7, 1)]
    roundtrip.run(db2, tool.ask("script", "prisma", None, (NEW,)))
    assert tool.ask("catalog", roundtrip.url(db)) == tool.ask("catalog", roundtrip.url(db2))
    # An annotation may stay.
    assert tool.ask("script", "prisma", (NEW,), (NEW,)) == roundtrip.EMPTY


LONG = "ü" * 30 + "abc"  # 63 bytes: nothing fits behind it

REPLACED = [
    # A domain cannot change what it is made of.
    ("""CREATE DOMAIN code AS text CHECK (VALUE <> ''); CREATE DOMAIN code_old AS int;
        CREATE TABLE t (id int, c code DEFAULT 'x', l code[]) PARTITION BY RANGE (id);
        CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9);
        CREATE TABLE u (c code NOT NULL, d code_old); CREATE INDEX ON t (c);
        CREATE FUNCTION f(code) RETURNS code LANGUAGE sql AS 'SELECT $1';
        CREATE VIEW v AS SELECT c, 'z'::code AS z FROM t;
        INSERT INTO t VALUES (1, 'a', '{b}'); INSERT INTO u VALUES ('c', 1)""",
     lambda s: s.replace("code AS text", "code AS varchar(9)"),
     "SELECT t.c, l, u.c FROM t, u", [("a", "{b}", "c")]),
    (f"""CREATE TYPE "{LONG}" AS ENUM ('a', 'b', 'c'); CREATE TABLE t (c "{LONG}");
        INSERT INTO t VALUES ('a')""",
     lambda s: s.replace(", 'c'", ""), "SELECT c FROM t", [("a",)]),
    # Truth values and numbers, which PostgreSQL casts when told.
    ("""CREATE TABLE t (b bool DEFAULT false, c bool[], i bigint, n smallint NOT NULL, d numeric);
        INSERT INTO t VALUES (true, '{f,t,NULL}', 0, 1, 2)""",
     lambda s: s.split("INSERT")[0].replace("b bool DEFAULT false", "b int DEFAULT 0").replace("c bool[]", "c bigint[]")
                .replace("i bigint", "i bool").replace("n smallint", "n bool"),
     "SELECT b, c, i, n FROM t", [(1, [0, 1, None], False, True)]),
    # Indexes of partitions have names of their own.
    ("""CREATE TYPE e AS ENUM ('a', 'b', 'c');
        CREATE TABLE t (id int, c text, e e) PARTITION BY RANGE (id);
        CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id);
        CREATE TABLE pp PARTITION OF p FOR VALUES FROM (0) TO (5);
        CREATE INDEX ON t (c); CREATE INDEX ON t (c DESC); CREATE INDEX ON t (e);
        CREATE INDEX ON t (id) WHERE c <> '';
        ALTER INDEX p_c_idx RENAME TO one; ALTER INDEX pp_c_idx1 RENAME TO two;
        ALTER INDEX pp_e_idx RENAME TO three; ALTER INDEX pp_id_idx RENAME TO four;
        INSERT INTO t VALUES (1, 'a', 'b')""",
     lambda s: s.replace("c text", "c varchar(9)").replace(", 'c')", ")").replace("two", "deux"),
     "SELECT c, e FROM t", [("a", "b")]),
    (f"""CREATE DOMAIN "{LONG}" AS text; CREATE TABLE t (c "{LONG}"); INSERT INTO t VALUES ('a')""",
     lambda s: s.replace("AS text", "AS varchar(3)"), "SELECT c FROM t", [("a",)]),
]


@pytest.mark.parametrize("before, change, rows, expected", REPLACED)
def test_types_in_use_are_replaced(tool, db, db2, before, change, rows, expected):
    db.sql(before)
    db2.sql(change(before))
    roundtrip.run(db, tool.ask("script", "exact", roundtrip.url(db), roundtrip.url(db2)))
    assert tool.ask("catalog", roundtrip.url(db)) == tool.ask("catalog", roundtrip.url(db2))
    assert db.sql(rows) == expected


def test_what_looks_like_a_rename_is_said(tool):
    plain = "\n".join(line for line in NEW.split("\n") if "@renamed" not in line)
    notes = tool.ask("notes", "prisma", (OLD,), (plain.replace("email", "mail"),))
    assert 'The column "authorId" of "public"."Post" goes and `accountId` comes' in notes


BEFORE = '''
CREATE TYPE color AS ENUM ('red', 'green', 'blue');
CREATE TABLE parent (id int PRIMARY KEY, code text);
CREATE TABLE t (id int PRIMARY KEY, a text, b text, n bigint, ref int, c color, u int, gone text, list int);
CREATE TABLE "Dropped ""t""" (x int);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
INSERT INTO parent VALUES (1, 'x');
INSERT INTO t SELECT i, CASE WHEN i > 2 THEN 'abc' END, 'not a number', 5000000000, i, 'blue', i / 2, 'v', 4
  FROM generate_series(1, 10) AS i;
INSERT INTO "Dropped ""t""" VALUES (1), (2)
'''
AFTER = """
CREATE TYPE color AS ENUM ('red', 'green');
CREATE TABLE parent (id int PRIMARY KEY, code text);
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int, n int, ref int REFERENCES parent (id),
  c color, u int UNIQUE, list int, required text NOT NULL, CONSTRAINT small CHECK (id < 8 AND b::text <> '%s'));
"""


def test_notes_ask_rows(tool, db, db2):
    db.sql(BEFORE)
    db2.sql(AFTER)
    before = tool.ask("catalog", roundtrip.url(db))
    notes = tool.ask("notes", "exact", roundtrip.url(db), roundtrip.url(db2)).splitlines()
    expected = [
        ("fails", "column `a` on table `t` required", "2 of 10 rows have NULL."),
        ("loss", "column `b`", "10 of 10 rows do not fit the new type."),
        ("loss", "column `n`", "10 of 10 rows do not fit the new type."),
        ("loss", "drop the column `gone`", "10 of 10 rows have a value in it."),
        ("fails", "required column `required`", "It has 10 rows."),
        ("fails", "foreign key `t_ref_fkey`", "9 of 10 rows refer to nothing."),
        ("fails", "columns `[u]`", "8 of 10 rows share their values with another row."),
        ("fails", "constraint `small`", "3 of 10 rows violate it."),
        ("fails", "values [blue] on the enum `color`", "10 rows use them."),
        ("loss", 'drop the `Dropped "t"` table', "It has 2 rows."),
        ("loss", "materialized view", "It has one row."),
    ]
    for severity, what, answer in expected:
        assert [note for note in notes if note.startswith(severity) and what in note
                and note.endswith(answer)], f"{what}: {notes}"
    assert tool.ask("catalog", roundtrip.url(db)) == before
    # Without rows nothing fails.
    db.sql('TRUNCATE t, parent, "Dropped ""t"""; REFRESH MATERIALIZED VIEW m WITH NO DATA')
    notes = tool.ask("notes", "exact", roundtrip.url(db), roundtrip.url(db2)).splitlines()
    assert not [note for note in notes if note.startswith("fails")]
    assert [note for note in notes if note.endswith("The table is empty.")]


def test_attributes_hold_values(tool, db, db2):
    db.sql("""CREATE TYPE used AS (a int, b text, c int); CREATE TYPE unused AS (a int, b text);
        CREATE TABLE t (id int, u used)""")
    db2.sql("""CREATE TYPE used AS (a int, b varchar(3)); CREATE TYPE unused AS (a int);
        CREATE TABLE t (id int, u used)""")
    notes = tool.ask("notes", "exact", roundtrip.url(db), roundtrip.url(db2)).splitlines()
    assert [note for note in notes if note.startswith("loss") and '"c"' in note]
    assert [note for note in notes if '`b`' in note and "used" in note and "cast from" in note]
    assert "unused" not in str(notes) and '"b"' not in "".join(n for n in notes if n.startswith("loss")), notes


def test_rows_that_may_not_be_read(tool, db, db2):
    db.sql(BEFORE)
    db2.sql(AFTER)
    name = db.name.replace("-", "_") + "_reader"
    db.sql(f'CREATE ROLE "{name}" LOGIN')
    try:
        where = db.url(name, tcp=False)
        notes = tool.ask("notes", "exact", where, roundtrip.url(db2))
        assert "required" in notes and not re.search(r"\d rows", notes)
    finally:
        db.sql(f'DROP ROLE "{name}"')
