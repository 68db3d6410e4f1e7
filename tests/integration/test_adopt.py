"""aramid adopt: the history of another tool made from what is in the database, with nothing run."""

import os
import shutil

import pytest

from harness import aramid
from harness.tools import Dbmate, Drizzle, Drizzle1, Plain, Prisma, Supabase

STEPS = ["CREATE TABLE users (id int PRIMARY KEY, t text DEFAULT 'x');\nINSERT INTO users VALUES (1, 'kept');",
         "CREATE TABLE posts (id int PRIMARY KEY, u int REFERENCES users (id));",
         "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;"]


ALL = [Prisma, Drizzle, Drizzle1, Supabase, Dbmate, Plain]
PAIRS = [(old, new) for old in ALL for new in ALL if old.folder != new.folder]


def run(path, verb, db, *args):
    return aramid.run(*verb.split(), "--url", db.url(), *args, cwd=path)


def fill(tool, steps):
    return [tool.add(number, f"step{number}", sql) for number, sql in enumerate(steps, 1)]


def kept(db):
    return db.column("SELECT id || t FROM users"), db.column("SELECT id FROM posts")


@pytest.mark.parametrize("old, new", PAIRS, ids=lambda t: t.name)
def test_each_pair(tmp_path, db, old, new):
    path = tmp_path / "project"
    old, new = old(path), new(path)
    fill(old, STEPS)
    result = run(path, "deploy", db, "--yes", "--migrations", old.folder)
    assert result.rc == 0, result
    names = fill(new, STEPS)
    rows = kept(db)
    adopt = f"adopt {new.name}"
    dry = run(path, adopt, db, "--dry-run", "--json", "--migrations", new.folder)
    assert dry.rc == 0 and dry.json["migrations"] == names and dry.json["dryRun"], dry
    assert not run(path, "status", db, "--json", "--migrations", new.folder).json["applied"]
    result = run(path, adopt, db, "--json", "--yes", "--migrations", new.folder)
    assert result.rc == 0 and result.json["migrations"] == names and result.json["compared"], result
    others = result.json["otherHistories"]
    assert [o["table"] for o in others] == [old.ledger.split(".")[-1]], result
    assert kept(db) == rows
    # The old folder and the old table are not needed any more.
    shutil.rmtree(os.path.join(path, old.folder))
    db.sql(others[0]["drop"])
    status = run(path, "status", db, "--json", "--migrations", new.folder).json
    assert (status["state"], status["applied"]) == ("up-to-date", names), status
    assert not status["edited"] and not status["otherHistories"], status
    if not new.missing():
        outcome = new.apply(db)
        assert outcome.rc == 0, outcome
    again = run(path, "deploy", db, "--yes", "--migrations", new.folder)
    assert again.rc == 0 and "up to date" in again.out, again
    assert kept(db) == rows


@pytest.fixture
def moved(tmp_path, db):
    """A database of Supabase, whose project gets Prisma's folder."""
    path = tmp_path / "project"
    old, new = Supabase(path), Prisma(path)
    fill(old, STEPS)
    assert run(path, "deploy", db, "--yes", "--migrations", old.folder).rc == 0
    return path, old, new


def test_one_baseline_of_many(moved, db):
    path, _, new = moved
    new.project.write("prisma/migrations/0_init/migration.sql", "\n".join(STEPS))
    result = run(path, "adopt prisma", db, "--yes")
    assert result.rc == 0 and "0_init" in result.out, result
    assert "supabase_migrations.schema_migrations" in result.text and "DROP TABLE" in result.text, result
    last = new.add(9, "later", "ALTER TABLE posts ADD COLUMN t text;")
    result = run(path, "deploy", db, "--yes", "--migrations", new.folder)
    assert result.rc == 0 and last in result.out, result


@pytest.mark.parametrize("steps, words", [
    (STEPS[:2], "unction"),
    (STEPS + ["CREATE TABLE more (i int);"], "more"),
    ([STEPS[0].replace("'x'", "'y'"), *STEPS[1:]], "users"),
], ids=["less", "more", "other"])
def test_what_differs_is_shown(moved, db, steps, words):
    path, _, new = moved
    names = fill(new, steps)
    for args in (["--dry-run"], ["--yes"]):
        result = run(path, "adopt prisma", db, *args)
        assert result.rc != 0 and words in result.text and "--up-to" in result.text, result
        assert not db.exists("_prisma_migrations")
    result = run(path, "adopt prisma", db, "--yes", "--force")
    assert result.rc == 0 and new.rows(db) == names, result


def test_up_to(moved, db):
    path, _, new = moved
    names = fill(new, STEPS + ["CREATE TABLE more (i int);"])
    result = run(path, "adopt prisma", db, "--yes", "--up-to", names[2])
    assert result.rc == 0 and new.rows(db) == names[:3], result
    assert run(path, "deploy", db, "--yes", "--migrations", new.folder).rc == 0
    assert db.exists("more")


def test_twice(moved, db):
    path, _, new = moved
    fill(new, STEPS)
    assert run(path, "adopt prisma", db, "--yes").rc == 0
    again = run(path, "adopt prisma", db, "--yes")
    assert again.rc == 0 and "Nothing to record" in again.out, again
    assert len(new.rows(db)) == 3


def test_where_it_cannot_be(moved, db, db2):
    path, _, new = moved
    result = run(path, "adopt prisma", db, "--yes")
    assert result.rc == 20 and "--migrations DIR" in result.text, result
    fill(new, STEPS)
    assert "is no tool" in run(path, "adopt rails", db, "--yes").text
    assert "argument" in run(path, "adopt", db).text
    result = run(path, "adopt drizzle", db, "--migrations", new.folder, "--yes")
    assert result.rc == 20, result
    result = run(path, "adopt prisma", db2, "--yes")
    assert result.rc != 0 and "empty" in result.text and "aramid deploy" in result.text, result
    assert not db2.exists("_prisma_migrations") and not db.exists("_prisma_migrations")
    result = run(path, "adopt prisma", db, "--up-to", "20261129120009_gone", "--yes")
    assert result.rc != 0 and "could not be found" in result.text, result


def test_production_wants_consent_and_a_backup(moved, db):
    path, _, new = moved
    fill(new, STEPS)
    result = run(path, "adopt prisma", db, "--env", "production")
    assert result.rc != 0 and not db.exists("_prisma_migrations"), result
    result = run(path, "adopt prisma", db, "--env", "production", "--yes", "--json")
    assert result.rc == 0 and result.json["backup"], result
    assert len(new.rows(db)) == 3
    assert db.one("SELECT verb FROM aramid.runs ORDER BY started_at DESC LIMIT 1") == "adopt"


def test_a_database_without_any_history(tmp_path, db):
    """What was pushed, not migrated."""
    path = tmp_path / "project"
    new = Dbmate(path)
    names = fill(new, STEPS)
    db.sql("\n".join(STEPS))
    result = run(path, "adopt dbmate", db, "--yes", "--json")
    assert result.rc == 0 and result.json["migrations"] == names and not result.json["otherHistories"], result
