"""`aramid check`: schema, migrations and database against each other, a status for each."""

import os
import re

import pytest

from harness import aramid

SCHEMA = """datasource db {
  provider = "postgresql"
}

enum Mood {
  SAD
  OK
}

model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  mood  Mood    @default(OK)
  posts Post[]
}

model Post {
  id     Int    @id @default(autoincrement())
  title  String @default("it's") @db.VarChar(100)
  user   User   @relation(fields: [userId], references: [id])
  userId Int
}
"""


@pytest.fixture
def app(project):
    """A project whose first migration is what its schema says."""
    project.write("prisma/schema.prisma", SCHEMA)
    made = aramid.run("diff", "--from-empty", "--to-schema", "prisma/schema.prisma", "--script",
                      cwd=project.path)
    assert made.rc == 0, made
    project.add("init", made.out)
    return project


def check(project, *args):
    return aramid.run("check", *args, cwd=project.path)


def outcomes(result):
    return {part["part"]: part["outcome"] for part in result.json["parts"]}


def test_files_only(app):
    result = check(app)
    assert result.rc == 0, result
    assert result.out.count("not checked") == 2
    assert outcomes(check(app, "--json")) == {"schema": "ok", "migrations": "ok", "parity": "ok",
                                              "history": "skipped", "drift": "skipped", "lint": "ok"}


def test_all_of_it(app, db):
    assert aramid.deploy(app, db.url()).rc == 0
    result = check(app, "--url", db.url())
    assert result.rc == 0, result
    assert "All migrations are up to date!" in result.out


def test_objects_beyond_prismas_language_are_no_difference(app):
    app.add("more", 'CREATE VIEW v AS SELECT 1 AS one; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS '
                    "'SELECT 1'; ALTER TABLE \"User\" ENABLE ROW LEVEL SECURITY;"
                    'CREATE INDEX half ON "User" (mood) WHERE id > 3;'
                    "ALTER TABLE \"User\" ADD CONSTRAINT email_is CHECK (email <> '')")
    assert check(app).rc == 0


def test_invalid_schema(app):
    app.write("prisma/schema.prisma", SCHEMA.replace("Mood    @default(OK)", "Mod"))
    result = check(app)
    assert result.rc == 6 and '"Mod"' in result.text, result
    said = check(app, "--json")
    assert said.rc == 6 and said.json["diagnostics"], said
    assert outcomes(said) == {"schema": "failed", "migrations": "ok", "parity": "skipped",
                              "history": "skipped", "drift": "skipped", "lint": "ok"}


def test_schema_ahead_of_the_migrations(app):
    app.write("prisma/schema.prisma", SCHEMA.replace("model Post {", "model Post {\n  extra Int?"))
    result = check(app)
    assert result.rc == 17 and "extra" in result.out and "aramid diff --from-migrations" in result.out
    said = check(app, "--json").json
    assert said["exitStatus"] == 17 and "ADD COLUMN" in said["parity"]["script"]


def test_migrations_ahead_of_the_schema(app):
    app.add("hotfix", 'CREATE TABLE "Extra" (id int PRIMARY KEY)')
    assert check(app).rc == 17


def test_migration_that_does_not_run(app):
    name = app.add("broken", "SELECT 1;\nALTER TABLE missing ADD x int;")
    result = check(app)
    assert result.rc == 29 and name in result.out and "migration.sql:2" in result.out, result
    said = check(app, "--json").json
    assert said["parts"][1]["error"]["code"] == "replay-failed"


def test_place_in_a_migration_is_pointed_at(app):
    app.add("broken", "CREATE TABLE x (id int;")
    lines = check(app).out.splitlines()
    at = next(i for i, line in enumerate(lines) if "CREATE TABLE x" in line)
    assert lines[at][lines[at + 1].index("^")] == ";", lines
    assert not any("extensions" in line for line in lines), "a syntax error is the file's own"


def test_syntax_that_the_server_is_too_old_for(app):
    """The version of the server that replays is named, and what to install."""
    app.add("newer", "CREATE TABLE n (a int, b int GENERATED NEVER AS (a) OTHERWISE);")
    result = check(app)
    assert result.rc == 29 and re.search(r"replayed on PostgreSQL \d\d", result.out), result
    assert "install it" in result.out and "--shadow-url" in result.out, result


def test_pending(app, db):
    assert aramid.deploy(app, db.url()).rc == 0
    app.add("next", "SELECT 1;")
    result = check(app, "--url", db.url())
    assert result.rc == 10 and "Pending migrations detected" in result.out, result


def test_edited(app, db):
    assert aramid.deploy(app, db.url()).rc == 0
    with open(app.file(app.names[0]), "a", encoding="utf-8") as f:
        f.write("\n-- a word\n")
    result = check(app, "--url", db.url())
    assert result.rc == 13 and "edited" in result.out, result


def test_drift(app, db):
    assert aramid.deploy(app, db.url()).rc == 0
    db.sql('CREATE INDEX by_hand ON "User" (mood)')
    result = check(app, "--url", db.url())
    assert result.rc == 18 and "not in sync with your migration history" in result.out, result
    assert "mood" in result.out


def test_first_failure_gives_the_status(app, db):
    assert aramid.deploy(app, db.url()).rc == 0
    db.sql("CREATE TABLE by_hand ()")
    app.write("prisma/schema.prisma", SCHEMA.replace("model Post {", "model Post {\n  extra Int?"))
    result = check(app, "--url", db.url(), "--json")
    assert result.rc == 17, result
    assert outcomes(result) == {"schema": "ok", "migrations": "ok", "parity": "failed",
                                "history": "ok", "drift": "failed", "lint": "ok"}


def test_unreachable_database(app):
    result = check(app, "--url", "postgresql://u@127.0.0.1:1/db")
    assert result.rc == 40 and "history" in result.out, result


def test_without_schema(project, db):
    """SQL only: the migrations are checked."""
    project.add("init", "CREATE TABLE t ()")
    os.unlink(os.path.join(project.path, "prisma", "schema.prisma"))
    assert aramid.run("deploy", "--migrations", "prisma/migrations", "--url", db.url(),
                      cwd=project.path).rc == 0
    result = check(project, "--migrations", "prisma/migrations", "--url", db.url())
    assert result.rc == 0 and "there is no schema.prisma" in result.out, result


def test_without_migrations(app):
    result = check(app, "--migrations", "nowhere")
    assert result.rc == 20 and "nowhere" in result.out, result
