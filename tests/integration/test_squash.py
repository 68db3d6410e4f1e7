"""`aramid squash`: many migrations become one, which makes the same; databases that have the many get its row, and
nothing is run there."""

import os
import shutil

import pytest

from harness import aramid, catalog
from harness.project import Project
from harness.tools import Dbmate, Drizzle, Flyway, Pairs, Plain, Supabase

ROLES = ("CREATE TABLE roles (id serial PRIMARY KEY, name text UNIQUE);\nINSERT INTO roles (name) VALUES ('admin'), ('guest');\n")


class Many(Project):
    def run(self, verb, db, *args):
        return aramid.run(verb, "--url", db.url(), *args, cwd=self.path)

    def squash(self, *args):
        return aramid.run("squash", *args, cwd=self.path)


@pytest.fixture
def many(tmp_path):
    project = Many(tmp_path / "project")
    project.add("init", "CREATE TABLE users (id int PRIMARY KEY, name text);\nCREATE INDEX CONCURRENTLY users_name ON users (name);\n")
    project.add("enum", "CREATE TYPE mood AS ENUM ('sad');\nALTER TYPE mood ADD VALUE 'ok';\n")
    project.add("column", "ALTER TABLE users ADD COLUMN m mood DEFAULT 'ok', ADD COLUMN old text;\n"
                "UPDATE users SET old = name;\nCREATE VIEW sad AS SELECT id FROM users WHERE m = 'sad';\n")
    project.add("rows", ROLES + "UPDATE roles SET name = 'visitor' WHERE name = 'guest';\n")
    project.add("drop", "ALTER TABLE users DROP COLUMN old;\n")
    return project


def rows(db):
    return db.column("SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1")


def test_one_that_makes_the_same(many, db, db2):
    names = many.names
    assert many.run("deploy", db, "--yes").rc == 0
    shown = many.squash("--to", names[3], "--dry-run", "--json").json
    assert shown["replaces"] == names[:4] and not shown["written"] and many.names == names
    result = many.squash("--to", names[3], "--json").json
    new = result["name"]
    assert many.names == [new, names[4]] and result["dataStatements"] == 3 and result["rows"] == 2, result
    assert os.path.isdir(os.path.join(many.path, result["kept"], names[0])), result
    # A new database runs the new one; one that has the many does not.
    assert many.run("deploy", db2, "--yes").rc == 0
    assert rows(db2) == [new, names[4]]
    before = catalog.dump(db)
    state = many.run("status", db, "--json").json
    assert state["state"] == "up-to-date" and state["missing"] == [], state
    assert many.run("plan", db, "--json").json["migrations"] == []
    assert many.run("drift", db, "--exit-code").rc == 0
    moved = many.run("deploy", db, "--yes")
    assert moved.rc == 0 and "4 rows" in moved.text, moved
    assert rows(db) == [new, names[4]] and catalog.dump(db) == before
    assert many.run("deploy", db, "--yes").rc == 0 and rows(db) == [new, names[4]]
    for one in (db, db2):
        assert one.column("SELECT name FROM roles ORDER BY 1") == ["admin", "visitor"]
        assert one.one("SELECT nextval('roles_id_seq')") == 3
        assert many.run("drift", one, "--exit-code").rc == 0
    later = many.add("later", "CREATE TABLE later (i int);")
    assert many.run("deploy", db, "--yes").rc == 0 and rows(db)[-1] == later


def test_prismas_engine_takes_the_ledger(oracle, many, db, db2):
    many.edit(many.names[0], "CREATE TABLE users (id int PRIMARY KEY, name text);\n")  # Prisma's engine cuts no file
    assert oracle.deploy(many, db.url()).rc == 0
    assert many.squash().rc == 0
    assert many.run("deploy", db, "--yes").rc == 0
    for one in (db, db2):  # moved, and new
        assert oracle.deploy(many, one.url()).rc == 0
        assert "up to date" in oracle.status(many, one.url()).text
        for generation in (6, 7):
            found = oracle.diagnose(many.migrations, one.url(), generation=generation)
            assert not found["editedMigrationNames"] and not found["failedMigrationNames"] and found["history"] is None
    assert catalog.dump(db) == catalog.dump(db2)


def test_a_database_that_has_a_part_is_refused(many, db):
    last = os.path.join(many.migrations, many.names[-1])
    aside = many.path + "-aside"
    shutil.move(last, aside)
    assert many.run("deploy", db, "--yes").rc == 0
    shutil.move(aside, last)
    names, before = many.names, rows(db)
    assert many.squash().rc == 0
    for verb in ("deploy", "plan"):
        result = many.run(verb, db, *(["--yes"] if verb == "deploy" else []))
        assert result.rc != 0 and "only 4 of the 5" in result.text and names[-1] in result.text, result
        assert "before the squash" in result.text
    assert rows(db) == before


def test_edited_ones_are_not_taken_for_it(many, db):
    assert many.run("deploy", db, "--yes").rc == 0
    many.edit(many.names[0], "CREATE TABLE users (id int PRIMARY KEY, name varchar(9));\nCREATE INDEX users_name ON users (name);\n")
    assert many.squash().rc == 0
    result = many.run("deploy", db, "--yes")
    assert result.rc != 0 and "another text" in result.text and len(rows(db)) == 5


def test_a_killed_squash_is_seen(many, db):
    names = many.names
    assert many.run("deploy", db, "--yes").rc == 0
    kept = many.squash("--json").json["kept"]
    shutil.copytree(os.path.join(many.path, kept, names[2]), os.path.join(many.migrations, names[2]))
    result = many.run("deploy", db, "--yes")
    assert result.rc != 0 and "in the folder, too" in result.text and rows(db) == names


def test_what_cannot_be_one(tmp_path, many):
    result = many.squash("--to", many.names[0])
    assert result.rc != 0 and "nothing to squash" in result.text
    result = many.squash("--to", "nothing")
    assert result.rc != 0 and "nothing" in result.text
    # Rows that the later schema cannot say any more.
    many.add("lost", "CREATE TABLE t (i int, j int);\nINSERT INTO t SELECT 1, 2;\nUPDATE t SET i = j;\n")
    many.add("gone", "ALTER TABLE t DROP COLUMN j;\n")
    names = many.names
    result = many.squash()
    assert result.rc != 0 and "--to" in result.text and many.names == names, result
    assert many.squash("--to", names[5]).rc == 0
    result = many.squash()
    assert result.rc != 0 and "squash itself" in result.text
    drizzle = Drizzle(tmp_path / "drizzle")
    for i in (1, 2):
        drizzle.add(i, "x", f"CREATE TABLE t{i} (i int);")
    result = aramid.run("squash", cwd=drizzle.path)
    assert result.rc != 0 and "not squashed" in result.text and "drizzle-kit" in result.text


def test_values_that_differ_at_each_run(many, db):
    many.add("random", "CREATE TABLE r (id uuid, at timestamptz);\nINSERT INTO r VALUES (gen_random_uuid(), now());\n")
    result = many.squash("--json")
    assert result.rc == 0 and result.json["varying"] == ["public.r"], result
    assert many.run("deploy", db, "--yes").rc == 0 and db.one("SELECT count(*) FROM r") == 1


@pytest.mark.parametrize("point", ["locked", "before-message", "after-message", "before-verify"])
def test_a_deploy_that_is_killed_around_the_move(many, db, point):
    assert many.run("deploy", db, "--yes").rc == 0
    assert many.squash().rc == 0
    many.add("z_later", "CREATE TABLE later (i int);")
    killed = aramid.run("deploy", "--yes", "--url", db.url(), cwd=many.path, env={"ARAMID_FAILPOINT": f"{point}:kill"})
    assert killed.rc < 0, killed
    assert many.run("deploy", db, "--yes").rc == 0
    assert rows(db) == many.names and many.run("drift", db, "--exit-code").rc == 0


@pytest.mark.parametrize("kind", [Supabase, Dbmate, Pairs, Flyway], ids=lambda k: k.name)
def test_ledgers_that_know_versions(tmp_path, db, db2, kind):
    """The new one has the version of the last: its tool has nothing pending, neither before nor behind the move."""
    tool = kind(tmp_path / "project")
    names = [tool.add(1, "init", ROLES), tool.add(2, "more", "ALTER TABLE roles ADD COLUMN x int;\nUPDATE roles SET x = id;\n"),
             tool.add(3, "end", "CREATE VIEW named AS SELECT name FROM roles WHERE x > 1;\n")]
    assert tool.deploy(db).rc == 0
    result = aramid.run("squash", "--json", cwd=tool.path)
    assert result.rc == 0 and result.json["replaces"] == names and result.json["dataStatements"] == 2, result
    new = result.json["name"]
    folder = os.path.join(tool.path, tool.folder)
    assert os.listdir(folder) == [os.path.basename(result.json["file"])], os.listdir(folder)
    before = catalog.dump(db)
    shown = tool.aramid("status", db, "--json").json
    assert shown["state"] == "up-to-date" and shown["missing"] == [] and shown["applied"] == [new], shown
    assert tool.deploy(db).rc == 0 and tool.deploy(db2).rc == 0
    assert [r[0] for r in tool.rows(db)] == [r[0] for r in tool.rows(db2)] and len(tool.rows(db)) == 1
    assert catalog.dump(db) == before == catalog.dump(db2)
    for one in (db, db2):
        assert one.sql("SELECT * FROM roles ORDER BY 1") == [(1, "admin", 1), (2, "guest", 2)]
        assert tool.aramid("drift", one, "--exit-code").rc == 0
        shown = tool.aramid("status", one, "--json").json
        assert shown["state"] == "up-to-date" and not shown["edited"], shown
    last = tool.add(4, "later", "CREATE TABLE later (i int);")
    if not tool.missing():
        outcome = tool.apply(db)
        assert outcome.rc == 0 and db.exists("later"), outcome
    assert tool.deploy(db).rc == 0 and tool.aramid("status", db, "--json").json["applied"] == [new, last]


@pytest.mark.parametrize("kind", [Dbmate, Plain], ids=lambda k: k.name)
def test_versions_of_which_a_part_is_applied(tmp_path, db, kind):
    tool = kind(tmp_path / "project")
    names = [tool.add(i, f"n{i}", f"CREATE TABLE t{i} (i int);\n") for i in (1, 2, 3)]
    last = os.path.join(tool.path, tool.folder, tool.file(names[-1]))
    os.rename(last, last + ".aside")
    assert tool.deploy(db).rc == 0
    os.rename(last + ".aside", last)
    kept = aramid.run("squash", "--json", cwd=tool.path).json["kept"]
    before = tool.rows(db)
    result = tool.deploy(db)
    assert result.rc != 0 and "only 2 of the 3" in result.text and names[-1] in result.text, result
    # The last one was applied, and one before it was not: its version alone would say that all were.
    row = {"dbmate": f"INSERT INTO {tool.ledger} VALUES ('20261129120003')",
           "sql": f"INSERT INTO {tool.ledger} SELECT '3', '003_n3', 'x', now(), now(), 'me', '1'"}[tool.name]
    db.sql(row)
    db.sql(f"DELETE FROM {tool.ledger} WHERE version IN ('1', '20261129120001')")
    result = tool.deploy(db)
    assert result.rc != 0 and "of the 3" in result.text, result
    assert len(tool.rows(db)) == len(before)
    shutil.copy(os.path.join(tool.path, kept, tool.file(names[0])), os.path.join(tool.path, tool.folder))
    result = tool.deploy(db)
    assert result.rc != 0 and "in the folder, too" in result.text, result


def test_what_a_platform_made_keeps_what_was_added(tmp_path, db):
    """Triggers and policies on tables of others are in no schema of ours: they stand there as they were written."""
    tool = Supabase(tmp_path / "project")
    tool.add(1, "a", "CREATE TABLE people (id uuid REFERENCES auth.users);\nCREATE FUNCTION public.made() RETURNS trigger LANGUAGE plpgsql AS"
             " 'begin insert into public.people values (new.id); return new; end';\n")
    tool.add(2, "b", "CREATE TRIGGER made AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.made();\n"
             "CREATE POLICY old ON storage.objects FOR SELECT USING (true);\n"
             "ALTER PUBLICATION supabase_realtime ADD TABLE people;\n")
    tool.add(3, "c", "DROP POLICY old ON storage.objects;\nCREATE POLICY own ON storage.objects FOR SELECT USING (auth.uid() = owner);\n"
             "INSERT INTO storage.buckets (id, name) VALUES ('a', 'a');\n")
    text = aramid.run("squash", "--dry-run", "--json", cwd=tool.path).json["sql"]
    assert "CREATE TRIGGER made AFTER INSERT ON auth.users" in text and "CREATE POLICY own ON storage.objects" in text
    assert "CREATE TABLE auth" not in text and "CREATE PUBLICATION" not in text and "OWNER" not in text, text
    assert "PUBLICATION" in text and "CREATE SCHEMA" not in text and "storage.buckets" in text, text
    # What cannot be said again is not lost in silence.
    tool.add(4, "d", "GRANT SELECT ON auth.users TO anon;\n")
    result = aramid.run("squash", cwd=tool.path)
    assert result.rc != 0 and "platform" in result.text and "users" in result.text, result


def test_the_one_who_deploys_owns_it(many, server, db):
    """No role of the private server is named."""
    assert many.squash().rc == 0
    db.sql("CREATE ROLE squash_app LOGIN; GRANT ALL ON SCHEMA public TO squash_app")
    try:
        result = aramid.run("deploy", "--yes", "--url", db.url(user="squash_app"), cwd=many.path)
        assert result.rc == 0, result
        assert db.one("SELECT tableowner FROM pg_tables WHERE tablename = 'users'") == "squash_app"
    finally:
        db.sql("DROP OWNED BY squash_app; DROP ROLE squash_app")
