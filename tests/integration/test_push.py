"""aramid push: schema.prisma into a development database, beside the real Prisma CLI."""

import os
import shutil

import pytest

from harness import aramid, oracle

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n\n'
USER = "model User {\n  id   Int    @id @default(autoincrement())\n  mail String @unique\n  bio  String?\n}\n"
POST = ("enum Mood {\n  GOOD\n  BAD\n}\n\nmodel Post {\n  id     Int    @id\n  mood   Mood   @default(GOOD)\n"
        "  tags   String[]\n  userId Int\n  user   User   @relation(fields: [userId], references: [id])\n"
        "  @@index([userId, mood])\n}\n")


@pytest.fixture
def app(project):
    shutil.rmtree(os.path.join(project.path, "prisma", "migrations"), ignore_errors=True)
    return project


def schema(app, text):
    app.write("prisma/schema.prisma", HEAD + text)


def push(app, db, *args, **more):
    return aramid.run("push", "--url", db.url(), *args, cwd=app.path, **more)


def test_the_database_follows_the_schema(app, db):
    schema(app, USER)
    result = push(app, db)
    assert result.rc == 0 and "now in sync with your Prisma schema" in result.out and db.exists('"User"'), result
    result = push(app, db)
    assert result.rc == 0 and "already in sync" in result.out, result
    schema(app, USER.replace("bio  String?\n", "bio  String?\n  posts Post[]\n") + POST)
    assert push(app, db).rc == 0 and db.exists('"Post"')
    assert not db.exists("_prisma_migrations")
    assert db.column("SELECT outcome FROM aramid.runs WHERE verb = 'push'") == ["done", "done"]


def test_losses_are_counted_and_need_a_word(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    schema(app, USER.replace("  bio  String?\n", ""))
    assert push(app, db, "--dry-run").rc == 0
    db.sql("INSERT INTO \"User\" (mail, bio) VALUES ('a', 'life'), ('b', NULL)")
    for args in ([], ["--yes"]):
        result = push(app, db, *args)
        assert result.rc == 4 and "bio" in result.err and "1 of 2 rows" in result.err, result
        assert db.column('SELECT bio FROM "User" ORDER BY id') == ["life", None]
    assert push(app, db, "--accept-data-loss").rc == 0
    assert db.column('SELECT mail FROM "User" ORDER BY id') == ["a", "b"]


def test_a_rename_that_cannot_be_read_drops_nothing(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    schema(app, USER.replace("  bio ", "  /// @renamed bio\n  life"))
    result = push(app, db, "--accept-data-loss")
    assert result.rc == 2 and "@renamed of" in result.err, result
    assert db.column("SELECT attname FROM pg_attribute WHERE attname = 'bio'") == ["bio"]


def test_a_column_without_values_goes_without_a_word(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    db.sql("INSERT INTO \"User\" (mail) VALUES ('a')")
    schema(app, USER.replace("  bio  String?\n", ""))
    assert push(app, db).rc == 0


def test_what_rows_do_not_allow_is_said_before(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    db.sql("INSERT INTO \"User\" (mail) VALUES ('a')")
    schema(app, USER.replace("bio  String?", "bio  String?\n  age  Int"))
    for args in ([], ["--accept-data-loss"]):
        result = push(app, db, *args)
        assert result.rc == 6 and "age" in result.err and "--force-reset" in result.err, result
    result = push(app, db, "--force-reset")
    assert result.rc == 0 and "successfully reset" in result.out and db.one('SELECT count(*) FROM "User"') == 0, result


def test_a_rename_keeps_its_values(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    db.sql("INSERT INTO \"User\" (mail, bio) VALUES ('a', 'life')")
    schema(app, USER.replace("bio ", "life"))
    result = push(app, db, "--rename", "User.bio:life")
    assert result.rc == 0 and db.column('SELECT life FROM "User"') == ["life"], result


def test_a_database_with_a_history_is_refused(app, db):
    app.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(app, db.url()).rc == 0
    schema(app, USER)
    result = push(app, db)
    assert result.rc == 8 and "_prisma_migrations" in result.err and "aramid create" in result.err, result
    assert db.exists("a")
    result = push(app, db, "--ignore-history", "--accept-data-loss")
    assert result.rc == 0 and db.exists('"User"') and not db.exists("a") and db.exists("_prisma_migrations"), result


def test_other_tools_tables_are_never_dropped(app, db):
    db.sql("CREATE TABLE knex_migrations (id int, name text, batch int, migration_time timestamptz);"
           "CREATE TABLE knex_migrations_lock (index int, is_locked int);"
           "CREATE SCHEMA auth; CREATE TABLE auth.users (i int)")
    schema(app, USER)
    assert push(app, db).rc == 8
    assert push(app, db, "--ignore-history", "--accept-data-loss").rc == 0
    assert push(app, db, "--ignore-history", "--force-reset").rc == 0
    assert db.exists("knex_migrations") and db.exists("knex_migrations_lock") and db.exists("auth.users")


def test_production_is_never_pushed_to_and_staging_must_be_named(app, db):
    schema(app, USER)
    result = push(app, db, "--env", "production", "--yes", env={"ARAMID_CONSENT": "production"})
    assert result.rc == 8 and "never for production" in result.err, result
    assert push(app, db, "--env", "staging", "--yes").rc == 8 and not db.exists('"User"')
    assert push(app, db, "--env", "staging", "--yes", env={"ARAMID_CONSENT": "staging"}).rc == 0


def test_a_coding_agent_loses_nothing_by_itself(app, db):
    schema(app, USER)
    assert push(app, db, env={"CLAUDECODE": "1"}).rc == 0
    db.sql("INSERT INTO \"User\" (mail, bio) VALUES ('a', 'life')")
    schema(app, USER.replace("  bio  String?\n", ""))
    for args in (["--accept-data-loss"], ["--force-reset"]):
        result = push(app, db, *args, env={"CLAUDECODE": "1"})
        assert result.rc == 8 and db.column('SELECT bio FROM "User"') == ["life"], result


@pytest.mark.parametrize("text, rc, words", [("model X {", None, ""), (None, 6, "no schema.prisma")])
def test_a_schema_that_cannot_be_read(app, db, text, rc, words):
    if text:
        schema(app, text)
    else:
        os.remove(os.path.join(app.path, "prisma", "schema.prisma"))
    result = push(app, db)
    assert result.rc not in (0, 70) and (rc is None or result.rc == rc) and words in result.err, result


def test_a_killed_push_is_whole_or_not_there(app, db):
    schema(app, USER)
    for point in ("connected", "locked", "before-message", "after-message", "before-verify"):
        push(app, db, env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert push(app, db).rc == 0 and "already in sync" in push(app, db).out, point
        db.sql('DROP TABLE "User"')


def test_ctrl_c_at_the_question(app, db):
    schema(app, USER)
    assert push(app, db).rc == 0
    db.sql("INSERT INTO \"User\" (mail, bio) VALUES ('a', 'life')")
    schema(app, USER.replace("  bio  String?\n", ""))
    t = aramid.Terminal("push", "--url", db.url(), cwd=app.path)
    t.read_until('Type "drop"')
    t.type("\x03")
    assert t.wait().rc == 130 and db.column('SELECT bio FROM "User"') == ["life"]


# ---- beside Prisma's own command ----------------------------------------------------------------

@pytest.mark.skipif(not oracle.available(), reason="needs Prisma")
def test_catalogs_and_statuses_are_prismas(app, server):
    """The same steps by both; catalogs are compared after each, statuses too."""
    both = USER.replace("bio  String?\n", "bio  String?\n  posts Post[]\n") + POST
    steps = [(USER, [], None), (USER, [], None), (both, [], "INSERT INTO \"User\" (mail, bio) VALUES ('a', 'b')"),
             (both.replace("  bio  String?\n", ""), [], None),
             (both.replace("  bio  String?\n", ""), ["--accept-data-loss"], None),
             (both.replace("  bio  String?\n", "  age Int\n"), ["--accept-data-loss"], None),
             (both.replace("  bio  String?\n", "  age Int\n"), ["--force-reset"], None),
             (both.replace("  BAD\n", "  UGLY\n").replace("  bio  String?\n", "  age Int\n"), ["--accept-data-loss"], None)]
    ours, theirs = server.new_database(), server.new_database()
    for number, (text, args, sql) in enumerate(steps):
        schema(app, text)
        theirs_is = oracle.prisma(app, theirs.url(), "db", "push", *args)
        result = aramid.run("db", "push", "--skip-generate", "--url", ours.url(), *args, cwd=app.path)
        assert result.rc == theirs_is.rc, (number, result, theirs_is)
        diff = aramid.run("diff", "--from-url", ours.url(), "--to-url", theirs.url(), "--exit-code", cwd=app.path)
        # Prisma's reset makes the schema public anew, without the privileges that it had.
        kept = number >= 6 and diff.out.split("\n", 1)[1:] == ['[*] Changed the schema "public"\n  [*] Changed grants\n']
        assert diff.rc == 0 or kept, (number, diff)
        for db in (ours, theirs):
            if sql:
                db.sql(sql)
    ours.drop()
    theirs.drop()
