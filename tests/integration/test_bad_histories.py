"""History tables and files that are not as their tool would have them, on each layout: nothing is applied, and the words
help whoever reads them; or it does no harm, and the deploy goes on."""

import os

import pytest

from harness.catalog import difference, dump
from harness.tools import Dbmate, Drizzle, Drizzle1, GraphileMigrate, NodePgMigrate, Plain, Supabase

ALL = [Drizzle, Drizzle1, Supabase, Dbmate, NodePgMigrate, GraphileMigrate, Plain]
LACKS = {"drizzle": "hash", "drizzle-1": "hash", "dbmate": "version", "node-pg-migrate": "run_on",
         "graphile-migrate": "hash", "sql": "checksum"}
MOVED = {"drizzle", "drizzle-1", "dbmate", "node-pg-migrate", "sql"}


@pytest.fixture(params=ALL, ids=lambda t: t.name)
def tool(request, tmp_path):
    return request.param(tmp_path / "project")


def place(tool):
    return tool.ledger.split(".")


def lacks_a_column(tool):
    return f"ALTER TABLE {tool.ledger} DROP COLUMN {LACKS[tool.name]} CASCADE" if tool.name in LACKS else "SELECT"


def must_have_more(tool):
    return f"ALTER TABLE {tool.ledger} ADD COLUMN must int NOT NULL DEFAULT 1; ALTER TABLE {tool.ledger} ALTER must DROP DEFAULT"


def has_more(tool):
    return f"ALTER TABLE {tool.ledger} ADD COLUMN note text DEFAULT 'x', ADD COLUMN must int NOT NULL DEFAULT 1"


def in_another_schema(tool):
    return f"CREATE SCHEMA elsewhere; ALTER TABLE {tool.ledger} SET SCHEMA elsewhere"


def with_other_case(tool):
    return f'ALTER TABLE {tool.ledger} RENAME TO "{place(tool)[1].title()}"'


def as_view(tool):
    schema, name = place(tool)
    return (f"ALTER TABLE {tool.ledger} RENAME TO real_one;"
            f"CREATE VIEW {tool.ledger} AS SELECT * FROM {schema}.real_one")


def as_view_of_no_table(tool):
    schema, name = place(tool)
    return (f"ALTER TABLE {tool.ledger} RENAME TO real_one;"
            f"CREATE VIEW {tool.ledger} AS SELECT DISTINCT * FROM {schema}.real_one")


@pytest.mark.parametrize("change, words", [
    (lacks_a_column, lambda t: ["does not have the columns of", f'"{LACKS[t.name]}"' if t.name != "drizzle-1" else "hash"]),
    (must_have_more, lambda t: ["refused the row", "give it a default", "nothing of this migration is in the database"]),
    (in_another_schema, lambda t: ["lies where nobody looks for it: elsewhere." + place(t)[1],
                                   "history_table: elsewhere." if t.name in MOVED else "give it its place and name back"]),
    (with_other_case, lambda t: [f"lies where nobody looks for it: {place(t)[0]}.{place(t)[1].title()}"]),
    (as_view_of_no_table, lambda t: ["nothing of this migration is in the database"]),
], ids=lambda p: p.__name__ if p.__name__ != "<lambda>" else "")
def test_a_table_that_cannot_be_used(tool, db, change, words):
    if change is lacks_a_column and tool.name not in LACKS:
        pytest.skip("its tool itself adds what is missing")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    db.sql(change(tool))
    tool.add(2, "two", "CREATE TABLE two (i int);")
    result = tool.deploy(db)
    assert result.rc in (24, 28), result
    for word in words(tool):
        assert word in result.err, (word, result)
    assert not db.exists("two")
    if change is in_another_schema:
        assert "--applied --up-to" not in result.err, result  # nothing was to be recorded


@pytest.mark.parametrize("change", [has_more, as_view], ids=lambda f: f.__name__)
def test_a_table_that_is_no_less_one(tool, db, change):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    db.sql(change(tool))
    tool.add(2, "two", "CREATE TABLE two (i int);")
    result = tool.deploy(db)
    assert result.rc == 0 and db.exists("two") and len(tool.rows(db)) == 2, result


@pytest.mark.parametrize("sql, words", [
    ("BEGIN;\nCREATE TABLE one (i int);", "is never committed"),
    ("CREATE TABLE one (i int);\nCOMMIT;", "COMMIT"),
    ("CREATE TABLE one (i int);\nSELECT 'x", "never"),
], ids=["begin", "commit", "quote"])
def test_a_text_that_is_half(tool, db, sql, words):
    tool.add(1, "one", sql)
    result = tool.deploy(db)
    if words == "COMMIT" and result.rc == 0:
        assert db.exists("one"), result  # a COMMIT that ends nothing
        return
    assert result.rc != 0 and not db.exists("one"), result


def test_a_row_without_its_file(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    empty = type(tool)(os.path.join(tool.path, "other"))
    empty.add(2, "two", "CREATE TABLE two (i int);")
    if tool.name == "graphile-migrate":
        return  # its files are a chain
    status = empty.aramid("status", db)
    assert status.rc == 14 and "missing from the migrations folder" in status.out and "aramid sync --dry-run" in status.out, status


@pytest.mark.parametrize("other", ["prisma", "dbmate"])
def test_both_layouts_in_one_folder(tool, db, other):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    if other == "prisma":
        tool.write("20240101000000_prisma/migration.sql", "CREATE TABLE p (i int);")
    else:
        tool.write("00_mate.sql", "-- migrate:up\nCREATE TABLE p (i int);\n-- migrate:down\n")
    result = tool.deploy(db)
    if tool.name == "drizzle-1" and other == "prisma" or tool.name == "dbmate" and other == "dbmate":
        assert result.rc == 0 and db.exists("p") and db.exists("one"), result  # of one form: the tool runs both
    elif result.rc == 0:  # one of the two is nobody's, and named
        assert "history-stray" in result.text and db.exists("p") != db.exists("one"), result
    else:
        assert result.rc == 20 and not db.exists("one") and not db.exists("p"), result


@pytest.mark.parametrize("mark", ["-- migrate:down", "--migrate:down", "-- +goose Down", "-- +migrate Down",
                                  "-- Down Migration"])
def test_a_way_back_in_plain_sql(tmp_path, db, mark):
    """It would be run at once: the table would be gone again."""
    tool = Plain(tmp_path / "project")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.add(2, "two", f"CREATE TABLE two (i int);\n{mark}\nDROP TABLE one;\n")
    result = tool.deploy(db)
    assert result.rc == 20 and "way back of another tool" in result.err and "history in aramid.yaml" in result.err, result
    assert not db.exists("one")


def rewrite(tool, name, change):
    path = os.path.join(tool.path, tool.folder, tool.file(name))
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(change(text))


def test_windows_line_ends(tool, db, db2):
    """The tool's own rows, where it is there to be asked."""
    if tool.name == "graphile-migrate":
        pytest.skip("its tool refuses a file with another hash")
    name = tool.add(1, "one", "CREATE TABLE one (i int);\nCREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\nSELECT 'x'\n$$;")
    rewrite(tool, name, lambda text: text.replace("\n", "\r\n"))
    result = tool.deploy(db)
    assert result.rc == 0 and db.exists("one"), result
    if not tool.missing():
        assert tool.apply(db2).rc == 0
        assert tool.rows(db) == tool.rows(db2) and not difference(dump(db), dump(db2))


def test_a_byte_order_mark(tool, db):
    """No part of the SQL, or an error that names it."""
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    rewrite(tool, name, lambda text: "\ufeff" + text)
    result = tool.deploy(db)
    if result.rc == 0:
        assert db.exists("one") and len(tool.rows(db)) == 1, result
    else:
        assert result.rc == 20 and "byte order mark" in result.err and not db.exists("one"), result


@pytest.mark.parametrize("kind", [Supabase, Dbmate, Plain], ids=lambda t: t.name)
def test_two_of_one_version(kind, tmp_path, db):
    """Supabase's CLI and dbmate run both, and fail at the second row, at each run."""
    tool = kind(tmp_path / "project")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.add(1, "two", "CREATE TABLE two (i int);")
    for verb in "status", "deploy":
        result = tool.aramid(verb, db)
        assert result.rc == 20 and "two migrations have the version" in result.err and not db.exists("one"), result


def test_journal_and_files_at_odds(tmp_path, db):
    """A file that the journal does not name is named; an entry without its file stops; one name or time twice, too."""
    tool = Drizzle(tmp_path / "project")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write("0009_stray.sql", "CREATE TABLE stray (i int);")
    result = tool.deploy(db)
    assert result.rc == 0 and "0009_stray.sql" in result.text and not db.exists("stray"), result
    tool.add(2, "two", "CREATE TABLE two (i int);", when=tool.when(1))
    result = tool.deploy(db)
    assert result.rc == 20 and "_journal.json" in result.err and not db.exists("two"), result
