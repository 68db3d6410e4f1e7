"""aramid dev: the development database follows the schema, and keeps its rows."""

import json
import os
import shutil

import pytest

from harness import aramid
from harness.project import Project
from harness.tools import Dbmate, Drizzle, Drizzle1, Flyway, NodePgMigrate, Supabase

HEAD = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
USER = "model User {\n  id Int @id\n  name String\n%s}\n"


class Developing:
    """A project with a database, and dev in it."""

    def __init__(self, path, db):
        self.project = Project(path, bare=True)
        os.rmdir(self.project.migrations)
        self.db = db
        self.env = {"DATABASE_URL": db.url()}

    def schema(self, *lines, more=""):
        self.project.write("prisma/schema.prisma", HEAD + USER % "".join(f"  {line}\n" for line in lines) + more)

    def dev(self, *args, env=None, words=("dev",)):
        return aramid.run(*words, *args, cwd=self.project.path, env={**self.env, **(env or {})})

    def terminal(self, *args):
        return aramid.Terminal("dev", *args, cwd=self.project.path, env=self.env)

    def columns(self, table="User"):
        return [c for c, in self.db.sql("SELECT column_name FROM information_schema.columns WHERE table_name = %s "
                                        "ORDER BY ordinal_position", table)]

    def history(self):
        return [(name, checksum == self.project.checksum(name) if name in self.project.names else None)
                for name, checksum in self.db.sql("SELECT migration_name, checksum FROM _prisma_migrations "
                                                  "WHERE rolled_back_at IS NULL ORDER BY started_at")]


@pytest.fixture
def new(tmp_path, db):
    developing = Developing(tmp_path / "project", db)
    developing.schema()
    return developing


@pytest.fixture
def made(new):
    """Two migrations, and a row."""
    for name, lines in (("init users", ()), ("add bio", ("bio String?",))):
        new.schema(*lines)
        result = new.dev(name)
        assert result.rc == 0, result
    new.db.sql("INSERT INTO \"User\" VALUES (1, 'Ann', 'about Ann')")
    return new


def newest(made):
    return made.project.names[-1]


# ---- the usual way --------------------------------------------------------------------------------------


def test_a_database_that_is_not_there(new):
    url = new.db.url().replace(new.db.name, new.db.name + "_new")
    result = new.dev("init users", env={"DATABASE_URL": url})
    try:
        assert result.rc == 0 and "applied" in result.out and "in sync with prisma/schema.prisma" in result.out, result
    finally:
        new.db.sql(f'DROP DATABASE "{new.db.name}_new"')


def test_a_column_from_the_schema_to_the_database(made):
    assert made.columns() == ["id", "name", "bio"]
    made.schema("bio String?", "age Int?")
    result = made.dev("--name", "add age")
    assert result.rc == 0 and "_add_age/migration.sql" in result.out, result
    assert made.columns() == ["id", "name", "bio", "age"] and len(made.project.names) == 3
    assert all(same for _, same in made.history())
    again = made.dev()
    assert again.rc == 0 and "Already in sync" in again.out, again


def test_what_others_wrote_is_applied_first(made):
    made.project.add("29990101000000_by_a_colleague", 'ALTER TABLE "User" ADD COLUMN "theirs" TEXT;')
    made.schema("bio String?", "theirs String?")
    result = made.dev()
    assert result.rc == 0 and "by_a_colleague" in result.out and "theirs" in made.columns(), result
    assert made.dev("--json").json["applied"] == []


def test_json(made):
    made.schema("bio String?", "age Int?")
    result = made.dev("add age", "--json").json
    assert result["ok"] and result["created"] == newest(made) and result["applied"] == [newest(made)]
    assert '"age" INTEGER' in result["files"][0]["text"]


def test_prismas_words(made):
    made.schema("bio String?", "age Int?")
    only = made.dev("--name", "add_age", "--create-only", words=("migrate", "dev"))
    assert only.rc == 0 and "age" not in made.columns(), only
    result = made.dev(words=("migrate", "dev"))
    assert result.rc == 0 and "age" in made.columns(), result
    made.schema("bio String?", "age Int?", "broken")
    assert made.dev("--name", "x", words=("migrate", "dev")).rc == 1


def test_create_only_leaves_the_database(made):
    made.schema("bio String?", "age Int?")
    result = made.dev("add age", "--create-only")
    assert result.rc == 0 and "age" not in made.columns() and len(made.project.names) == 3, result


def test_without_a_name_nothing_is_written(made):
    made.schema("bio String?", "age Int?")
    result = made.dev()
    assert result.rc == 2 and "aramid dev add_user_bio" in result.err and "Added column `age`" in result.out, result
    assert len(made.project.names) == 2 and "age" not in made.columns()


def test_the_name_is_asked_for(made):
    made.schema("bio String?", "age Int?")
    terminal = made.terminal()
    terminal.read_until("Name of the migration")
    terminal.type("add age\n")
    terminal.read_until("in sync")
    assert terminal.wait().rc == 0 and "age" in made.columns()


def test_interrupted_at_the_question(made):
    made.schema("bio String?", "age Int?")
    terminal = made.terminal()
    terminal.read_until("Name of the migration")
    terminal.type("\x03")
    assert terminal.wait().rc == 130
    assert len(made.project.names) == 2 and "age" not in made.columns()


def test_the_generator_runs(made):
    made.project.write("package.json", "{}")
    made.project.write("prisma/schema.prisma", 'generator c {\n  provider = "prisma-client-js"\n}\n' + HEAD + USER % "  bio String?\n")
    missing = made.dev()
    assert missing.rc == 0 and "Not generated" in missing.out, missing
    made.project.write("node_modules/.bin/prisma", "#!/bin/sh\necho ran $1 > ran\n")
    os.chmod(os.path.join(made.project.path, "node_modules/.bin/prisma"), 0o755)
    assert made.dev("--skip-generate").rc == 0 and not os.path.exists(os.path.join(made.project.path, "ran"))
    result = made.dev()
    assert result.rc == 0 and "Generated" in result.out, result
    with open(os.path.join(made.project.path, "ran"), encoding="utf-8") as f:
        assert f.read() == "ran generate\n"


def test_a_new_database_is_seeded_once(new):
    new.project.write("prisma/seed.sql", "INSERT INTO \"User\" VALUES (7, 'seeded');")
    assert new.dev("init users", "--skip-seed").rc == 0
    assert new.db.sql('SELECT count(*) FROM "User"') == [(0,)]
    new.db.sql('DROP TABLE "User", _prisma_migrations')
    result = new.dev()
    assert result.rc == 0 and "seeded" in result.out and new.db.sql('SELECT id FROM "User"') == [(7,)], result
    assert new.dev().rc == 0 and new.db.sql('SELECT count(*) FROM "User"') == [(1,)]


def test_plain_sql_is_applied(tmp_path, db):
    folder = tmp_path / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20240101000000_first.sql").write_text("CREATE TABLE t (id int);")
    result = aramid.run("dev", "--migrations", "db/migrations", cwd=tmp_path, env={"DATABASE_URL": db.url()})
    assert result.rc == 0 and db.sql("SELECT count(*) FROM t") == [(0,)], result


# ---- rows -----------------------------------------------------------------------------------------------


def test_what_rows_do_not_fit_is_not_written(made):
    made.schema("bio String?", "age Int")
    result = made.dev("add age")
    assert result.rc == 4 and "without a default" in result.err and "--create-only" in result.err, result
    assert len(made.project.names) == 2 and "age" not in made.columns()


def test_losses_are_counted_and_want_a_word(made):
    made.schema()
    result = made.dev("drop bio")
    assert result.rc == 4 and "--accept-data-loss" in result.err and "1 " in result.err, result
    assert len(made.project.names) == 2 and "bio" in made.columns()
    assert made.dev("drop bio", "--accept-data-loss").rc == 0
    assert made.columns() == ["id", "name"]


def test_what_is_empty_is_dropped_without_a_word(made):
    made.db.sql('UPDATE "User" SET bio = NULL')
    made.schema()
    result = made.dev("drop bio")
    assert result.rc == 0 and made.columns() == ["id", "name"], result


def test_losses_are_asked_about(made):
    made.schema()
    terminal = made.terminal("drop bio")
    terminal.read_until("Create and apply it?")
    terminal.type("n\n")
    assert terminal.wait().rc == 4
    assert "bio" in made.columns() and len(made.project.names) == 2


# ---- where Prisma resets --------------------------------------------------------------------------------


def test_an_edited_migration_keeps_the_rows(made):
    made.project.edit(newest(made), 'ALTER TABLE "User" ADD COLUMN "bio" TEXT, ADD COLUMN "age" INTEGER;')
    made.schema("bio String?", "age Int?")
    result = made.dev()
    assert result.rc == 0 and "edited since" in result.out, result
    assert made.db.sql('SELECT * FROM "User"') == [(1, "Ann", "about Ann", None)]
    assert made.history() == [(name, True) for name in made.project.names]
    assert "Already in sync" in made.dev().out


def test_an_edit_that_changes_nothing(made):
    with open(made.project.file(newest(made)), "a", encoding="utf-8") as f:
        f.write("\n-- a remark\n")
    assert made.dev().rc == 0
    assert made.history() == [(name, True) for name in made.project.names]
    assert made.db.sql('SELECT * FROM "User"') == [(1, "Ann", "about Ann")]


def test_an_edit_that_loses_values_wants_a_word(made):
    made.project.edit(newest(made), 'ALTER TABLE "User" ADD COLUMN "story" TEXT;')
    made.schema("story String?")
    result = made.dev()
    assert result.rc == 4 and "--accept-data-loss" in result.err and "bio" in result.err, result
    assert made.columns() == ["id", "name", "bio"]
    assert made.dev("--accept-data-loss").rc == 0
    assert made.columns() == ["id", "name", "story"] and made.history() == [(n, True) for n in made.project.names]


def test_an_edited_one_that_is_not_the_newest(made):
    made.project.edit(made.project.names[0], 'CREATE TABLE "User" (id int primary key, name text not null, nick text);')
    made.schema("nick String?", "bio String?")
    assert made.dev().rc == 0
    assert sorted(made.columns()) == ["bio", "id", "name", "nick"]
    assert made.db.sql('SELECT name, bio FROM "User"') == [("Ann", "about Ann")]


def test_a_vanished_migration(made):
    made.db.sql('UPDATE "User" SET bio = NULL')
    shutil.rmtree(os.path.dirname(made.project.file(newest(made))))
    made.schema()
    result = made.dev()
    assert result.rc == 0 and "has no file any more" in result.out, result
    assert made.db.sql('SELECT * FROM "User"') == [(1, "Ann")]
    assert [name for name, _ in made.history()] == made.project.names


def test_a_vanished_migration_with_values(made):
    gone = newest(made)
    shutil.rmtree(os.path.dirname(made.project.file(gone)))
    made.schema()
    result = made.dev()
    assert result.rc == 4 and "--accept-data-loss" in result.err and "bio" in result.err, result
    assert gone in [name for name, _ in made.history()] and "bio" in made.columns()
    assert made.dev("--accept-data-loss").rc == 0
    assert made.columns() == ["id", "name"] and gone not in [name for name, _ in made.history()]


def test_drift_is_left_and_named(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    result = made.dev()
    assert result.rc == 0 and "by_hand" in result.out and "--drift keep" in result.err and "--drift undo" in result.err, result
    assert "by_hand" in made.columns() and made.db.sql('SELECT count(*) FROM "User"') == [(1,)]


def test_drift_is_undone(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    assert made.dev("--drift", "undo").rc == 0
    assert made.db.sql('SELECT * FROM "User"') == [(1, "Ann", "about Ann")]


def test_drift_with_values_is_undone_by_a_word_only(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int DEFAULT 7')
    result = made.dev("--drift", "undo")
    assert result.rc == 4 and "by_hand" in result.err and "--accept-data-loss" in result.err, result
    assert made.dev("--drift", "undo", "--accept-data-loss").rc == 0
    assert "by_hand" not in made.columns()


def test_drift_is_kept(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    result = made.dev("add by hand", "--drift", "keep")
    assert result.rc == 0 and len(made.project.names) == 3, result
    assert made.history() == [(name, True) for name in made.project.names]
    with open(os.path.join(made.project.path, "prisma/schema.prisma"), encoding="utf-8") as f:
        assert "by_hand" in f.read()
    assert "Already in sync" in made.dev().out


def test_kept_drift_leaves_the_schema_where_it_waits_itself(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    made.schema("bio String?", "by_hand Int?", "age Int?")
    result = made.dev("add by hand", "--drift", "keep")
    assert result.rc == 2 and len(made.project.names) == 3, result  # its own changes need a name of their own
    with open(os.path.join(made.project.path, "prisma/schema.prisma"), encoding="utf-8") as f:
        assert "age Int?" in f.read()
    assert made.dev("add age").rc == 0
    assert made.columns() == ["id", "name", "bio", "by_hand", "age"]


@pytest.mark.parametrize("key,columns", [("u", ["id", "name", "bio"]), ("l", ["id", "name", "bio", "by_hand"])])
def test_drift_is_asked_about(made, key, columns):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    terminal = made.terminal()
    terminal.read_until("[q]uit")
    terminal.type(key + "\n")
    assert terminal.wait().rc == 0
    assert made.columns() == columns


def test_quitting_at_the_question_changes_nothing(made):
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    terminal = made.terminal()
    terminal.read_until("[q]uit")
    terminal.type("q\n")
    assert terminal.wait().rc == 4 and "by_hand" in made.columns()


# ---- refused --------------------------------------------------------------------------------------------


def test_not_in_production(made):
    made.schema("bio String?", "age Int?")
    result = made.dev("add age", "--env", "production", env={"ARAMID_URL": made.db.url()})
    assert result.rc == 8 and "aramid create" in result.err and "age" not in made.columns(), result


def test_not_where_the_database_says_production(made):
    marked = aramid.run("identity", "set", "production", "--yes", "--url", made.db.url(), cwd=made.project.path,
                        env={"ARAMID_CONSENT": "production"})
    assert marked.rc == 0, marked
    made.schema("bio String?", "age Int?")
    result = made.dev("add age")
    assert result.rc in (8, 9) and "age" not in made.columns() and len(made.project.names) == 2, result


def test_a_schema_with_errors(made):
    made.schema("bio Sting?")
    result = made.dev("x")
    assert result.rc == 6 and len(made.project.names) == 2, result


def test_no_models(made):
    made.project.write("prisma/schema.prisma", HEAD)
    result = made.dev("x")
    assert result.rc == 6 and made.columns() == ["id", "name", "bio"], result


def test_a_history_that_does_not_replay(made):
    made.project.edit(newest(made), "ALTER TABLE nothing ADD COLUMN x int;")
    result = made.dev("x")
    assert result.rc == 29 and "nothing" in result.err and made.columns() == ["id", "name", "bio"], result


def test_a_call_that_was_killed_before_the_row_of_what_it_kept(made):
    """Its file is there, and the database has it already: the next call gives it its place."""
    made.db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    assert made.dev("taken over", "--drift", "keep", "--yes").rc == 0
    made.db.sql("DELETE FROM _prisma_migrations WHERE migration_name = %s", newest(made))
    result = made.dev()
    assert result.rc == 0 and "applied" not in result.out, result
    assert made.history() == [(n, True) for n in made.project.names] and made.columns()[-1] == "by_hand"


# ---- other tools' folders -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Drizzle, Drizzle1, Supabase, Dbmate, NodePgMigrate, Flyway], ids=lambda k: k.name)
def test_folders_without_a_schema(tmp_path, db, kind):
    """What is pending is applied; an edited newest one is made good, a vanished one taken back; rows stay."""
    tool = kind(tmp_path / "project")
    tool.add(1, "init", "CREATE TABLE t (i int PRIMARY KEY);\n")
    last = tool.add(2, "more", "ALTER TABLE t ADD COLUMN a text;\n")
    path = os.path.join(tool.path, tool.folder, tool.file(last))

    def dev(*args):
        return tool.aramid("dev", db, "--skip-seed", *args)

    def columns():
        return db.column("SELECT column_name FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position")

    drizzle = issubclass(kind, Drizzle)
    if not drizzle:
        first = dev()
        assert first.rc == 0 and "in sync with its migrations" in first.out, first
    else:
        assert tool.deploy(db).rc == 0  # its schema is drizzle-kit's
    db.sql("INSERT INTO t VALUES (1)")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("COLUMN a text", "COLUMN a text, ADD COLUMN b int"))
    result = dev(*[] if tool.knows_edits else ["--drift", "undo"])
    assert result.rc == (7 if drizzle else 0) and columns() == ["i", "a", "b"], result
    if not tool.knows_edits:
        db.sql("ALTER TABLE t DROP COLUMN b")
        left = dev()
        assert left.rc == 0 and "does not tell" in left.err and "is left there" in left.out, left
        assert dev("--drift", "undo").rc == 0
    os.remove(path)
    if kind is Drizzle:
        journal = os.path.join(tool.path, tool.folder, "meta/_journal.json")
        with open(journal, encoding="utf-8") as f:
            entries = json.load(f)
        entries["entries"].pop()
        with open(journal, "w", encoding="utf-8") as f:
            json.dump(entries, f)
    result = dev()
    assert result.rc == (7 if drizzle else 0) and columns() == ["i"] and db.one("SELECT i FROM t") == 1, result
    assert tool.aramid("status", db, "--json").json["missing"] == [] and len(tool.rows(db)) == 1


KIT = """#!/bin/sh
test -e drizzle/0001_gone.sql && { echo "No schema changes, nothing to migrate"; exit 0; }
echo 'ALTER TABLE t DROP COLUMN a;' > drizzle/0001_gone.sql
echo '{}' > drizzle/meta/0001_snapshot.json
sed -i 's/]}$/, {"idx": 1, "version": "7", "when": 1800000000000, "tag": "0001_gone", "breakpoints": true}]}/' drizzle/meta/_journal.json
"""


def test_what_drizzle_kit_writes_loses_nothing_without_a_word(tmp_path, db):
    """It names the migration where nobody does; one that loses values is taken back until somebody agrees."""
    tool = Drizzle(tmp_path / "project")
    tool.add(0, "init", "CREATE TABLE t (i int PRIMARY KEY, a text);\n")
    assert tool.deploy(db).rc == 0
    db.sql("INSERT INTO t VALUES (1, 'x')")
    kit = os.path.join(tool.path, "node_modules/.bin/drizzle-kit")
    os.makedirs(os.path.dirname(kit))
    for name, text in ((kit, KIT), (os.path.join(tool.path, "package.json"), '{"devDependencies": {"drizzle-kit": "0.31.0"}}')):
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    os.chmod(kit, 0o755)

    def folder():
        return sorted((at, name, os.path.getsize(os.path.join(at, name))) for at, _, names in os.walk(os.path.join(tool.path, "drizzle"))
                      for name in names)

    before = folder()
    refused = tool.aramid("dev", db)
    assert refused.rc == 4 and "--accept-data-loss" in refused.err and "no migration" not in refused.out, refused
    assert folder() == before and db.exists("t") and db.one("SELECT a FROM t") == "x"
    agreed = tool.aramid("dev", db, "--accept-data-loss")
    assert agreed.rc == 0 and "0001_gone" in agreed.out, agreed
    assert db.sql("SELECT * FROM t") == [(1,)] and len(tool.rows(db)) == 2
    assert tool.aramid("dev", db).rc == 0
    db.sql("ALTER TABLE t ADD COLUMN by_hand int")
    keep = tool.aramid("dev", db, "--drift", "keep")
    assert keep.rc == 2 and "drizzle-kit" in keep.err, keep
