"""aramid create: the next migration, written as a whole or not at all."""

import os
import re
import subprocess
import tempfile

import pytest

from harness import aramid, catalog
from harness.cluster import NPM
from harness.oracle import NODE
from harness.project import Project

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
USER = "model User {\n  id Int @id\n  name String\n}\n"


@pytest.fixture
def made(tmp_path):
    """A project whose only migration makes its schema."""
    project = Project(tmp_path, bare=True)
    os.rmdir(project.migrations)
    project.write("prisma/schema.prisma", HEAD + USER)
    first = create(project, "init tables")
    assert first.rc == 0, first
    return project


def create(project, *args, **kwargs):
    return aramid.run("create", *args, cwd=project.path, **kwargs)


def schema(project, text):
    project.write("prisma/schema.prisma", HEAD + text)


def newest(project, name="migration.sql"):
    folder = sorted(os.listdir(project.migrations))
    with open(os.path.join(project.migrations, [f for f in folder if f[0].isdigit()][-1], name), encoding="utf-8") as f:
        return f.read()


def files(project):
    return sorted(os.path.relpath(os.path.join(at, f), project.path) for at, _, names in os.walk(project.path)
                  for f in names)


def body(text):
    """What stands below our own lines."""
    return text.split("\n\n", 1)[1] if re.match(r"-- .*, locks: ", text) else text


def test_the_first_one(made):
    assert re.fullmatch(r"\d{14}_init_tables", made.names[0])
    assert newest(made) == ('-- +1 table, locks: none\n\n-- CreateTable\nCREATE TABLE "User" (\n    "id" INTEGER NOT NULL,\n'
                            '    "name" TEXT NOT NULL,\n\n    CONSTRAINT "User_pkey" PRIMARY KEY ("id")\n);\n')
    with open(os.path.join(made.migrations, "migration_lock.toml"), encoding="utf-8") as f:
        assert 'provider = "postgresql"' in f.read()
    assert [f for f in files(made) if "aramid" in f] == []
    again = create(made, "second")
    assert again.rc == 60 and "Nothing to create" in again.out, again
    assert len(made.names) == 1


def test_what_is_lost_stands_in_three_places(made):
    schema(made, "model User {\n  id Int @id\n}\n")
    result = create(made, "drop_name")
    assert result.rc == 0 and "All the data in the column will be lost" in result.out, result
    text = newest(made)
    assert text.startswith("-- -1 column (data), locks: User ACCESS EXCLUSIVE\n\n/*\n  Warnings:\n\n"
                           "  - You are about to drop the column `name` on the `User` table."), text
    check = aramid.run("check", cwd=made.path)
    assert check.rc == 0 and "history-summary" not in check.text, check


def test_dry_run_writes_nothing(made):
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    before = files(made)
    result = create(made, "posts", "--dry-run")
    assert result.rc == 0 and files(made) == before
    assert result.out.startswith("-- +1 table, locks: none\n\n-- CreateTable\n"), result
    assert create(made, "posts").rc == 0 and newest(made) == result.out


def test_a_stale_summary_is_found(made):
    name = made.names[0]
    with open(made.file(name), "a", encoding="utf-8") as f:
        f.write('CREATE INDEX "i" ON "User"("name");\n')
    schema(made, "model User {\n  id Int @id\n  name String\n\n  @@index([name], map: \"i\")\n}\n")
    check = aramid.run("check", "--json", cwd=made.path)
    found = [f for part in check.json["parts"] for f in part["findings"] if f["id"] == "history-summary"]
    assert len(found) == 1 and "-- +1 table, +1 index, locks: none" in found[0]["fix"], check
    with open(made.file(name), encoding="utf-8") as f:
        text = f.read()
    made.edit(name, text.replace("-- +1 table, locks: none", "-- +1 table, +1 index, locks: none"))
    assert "history-summary" not in aramid.run("check", cwd=made.path).text


@pytest.mark.parametrize("name,slug", [
    ("addUserBio", "add_user_bio"), ("Add user's bio!", "add_users_bio"), ("HTMLParser2", "html_parser2"),
    ("a/b\\c", "a_b_c"), ("tables & things", "tables_and_things"), ("Größe ändern", "groesse_aendern"),
    ("  spaced  out  ", "spaced_out"), ("_x_", "x"), ("v2", "v2"), ("x" * 200, "x" * 200)])
def test_names(tmp_path, name, slug):
    project = Project(tmp_path)
    result = create(project, name, "--empty")
    assert result.rc == 0 and project.names[0][15:] == slug, result


@pytest.mark.parametrize("name", ["", "   ", "!!!", "migration", "Update", "test_2", "2026", "x" * 201, "миграция", "fix"])
def test_names_that_are_refused(tmp_path, name):
    project = Project(tmp_path)
    result = create(project, name, "--empty")
    assert result.rc == 2 and "cannot be the name of a migration" in result.err, result
    assert project.names == []


def test_words_that_say_nothing_are_a_setting(tmp_path):
    project = Project(tmp_path)
    project.write("aramid.yaml", "create:\n  refused: [thing]\n")
    assert create(project, "thing", "--empty").rc == 2
    assert create(project, "update", "--empty").rc == 0


def test_without_a_name(tmp_path):
    project = Project(tmp_path)
    result = create(project, "--empty")
    assert result.rc == 2 and "aramid create add_user_bio" in result.err and "interactive" not in result.text, result


def test_a_name_is_asked_for(made):
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    terminal = aramid.Terminal("create", cwd=made.path)
    terminal.read_until("Name of the migration")
    terminal.type("test\n")
    terminal.read_until("does not say what is changed")
    terminal.type("add posts\n")
    result = terminal.wait()
    assert result.rc == 0 and made.names[1].endswith("_add_posts"), result


RENAMED = USER.replace("name", "fullName")


def test_what_looks_renamed_is_an_error(made):
    schema(made, RENAMED)
    before = files(made)
    result = create(made, "full_name")
    assert result.rc == 4 and files(made) == before, result
    for words in ("--rename User.name:fullName", '@renamed(from: "name")', "--no-rename"):
        assert words in result.err, result
    assert create(made, "full_name", "--rename", "User.name:fullName").rc == 0
    assert 'RENAME COLUMN "name" TO "fullName"' in newest(made) and "DROP" not in newest(made)
    assert aramid.run("check", cwd=made.path).rc == 0


def test_what_looks_renamed_and_is_not(made):
    schema(made, RENAMED)
    assert create(made, "full_name", "--no-rename").rc == 0
    assert 'DROP COLUMN "name"' in newest(made)


def test_an_annotation_says_it(made):
    schema(made, RENAMED.replace("  fullName", '  /// @renamed(from: "name")\n  fullName'))
    assert create(made, "full_name").rc == 0
    assert 'RENAME COLUMN "name" TO "fullName"' in newest(made)


def test_an_annotation_that_cannot_be_read_drops_nothing(made):
    schema(made, RENAMED.replace("  fullName", '  /// @renamed("name")\n  fullName'))
    before = files(made)
    result = create(made, "full_name", "--no-rename")
    assert result.rc == 2 and '@renamed(from: "old")' in result.err and files(made) == before, result


@pytest.mark.parametrize("target", ["model Person {\n  id Int @id\n  name String\n}\n", "two"])
def test_neighbours_that_look_renamed(made, target):
    if target == "two":
        target = "model User {\n  id Int @id\n  first String\n  last String\n}\n"
    schema(made, target)
    result = create(made, "other")
    assert result.rc == 4, result
    if "first" in target:
        assert "--rename User.name:first" in result.err and "--rename User.name:last" in result.err
    else:
        assert "--rename User:Person" in result.err


def test_a_rename_is_asked_on_a_terminal(made):
    schema(made, "model User {\n  id Int @id\n  first String\n  last String\n}\n")
    terminal = aramid.Terminal("create", "split names", cwd=made.path)
    terminal.read_until("Number: ")
    terminal.type("x\n")
    terminal.read_until("Number: ")
    terminal.type("1\n")
    result = terminal.wait()
    assert result.rc == 0, result
    assert 'RENAME COLUMN "name" TO "first"' in newest(made) and 'ADD COLUMN     "last"' in newest(made)


def test_ctrl_c_at_a_question_leaves_nothing(made):
    schema(made, RENAMED)
    before = files(made)
    terminal = aramid.Terminal("create", "full_name", cwd=made.path)
    terminal.read_until("[y/n]")
    terminal.type("\x03")
    assert terminal.wait().rc == 130 and files(made) == before


def test_a_wish_that_cannot_be_is_an_error(made):
    schema(made, RENAMED)
    result = create(made, "full_name", "--rename", "User.nope:fullName")
    assert result.rc == 2 and len(made.names) == 1, result


def test_errors_of_the_schema_have_a_place(made):
    schema(made, "model User {\n  id Int @id\n  name Strin\n}\n")
    result = create(made, "broken")
    assert result.rc == 6 and re.search(r"prisma/schema.prisma:6:8: ", result.err), result


def test_a_schema_that_lost_its_models(made):
    schema(made, "")
    result = create(made, "gone")
    assert result.rc == 6 and "has no models" in result.err and len(made.names) == 1, result


def test_a_history_that_does_not_run(made):
    made.add("broken", "ALTER TABLE nowhere ADD x int;")
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    made.names.sort()
    result = create(made, "posts")
    assert result.rc == 29 and "_broken" in result.err and "nowhere" in result.err, result


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user")
def test_a_project_that_cannot_be_written():
    with tempfile.TemporaryDirectory(prefix="aramid-create-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        project = Project(folder)
        before = files(project)
        result = create(project, "anything_else", "--empty", user={"user": 65534, "group": 65534})
        assert result.rc == 5 and "nothing was written" in result.err, result
        assert files(project) == before


def test_ours_is_behind_one_of_the_future(made):
    made.add("29991231235959_far", "SELECT 1;")
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    result = create(made, "posts")
    assert result.rc == 0 and made.names[-1] == "30000101000000_posts", result


def test_one_that_would_stand_in_front_is_refused(made):
    made.write("prisma/migrations/init_again/migration.sql", "SELECT 1;")
    result = create(made, "anything_else", "--empty")
    assert result.rc == 5 and '"init_again"' in result.err, result


def test_two_at_once(made):
    """Each is whole, or says that the other came in between; never two from one base."""
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    running = [aramid.start("create", f"posts {i}", cwd=made.path) for i in range(4)]
    results = [p.wait() for p in running]
    assert sorted({r.rc for r in results}) in ([0], [0, 5], [0, 60], [0, 5, 60]), results
    assert sum(r.rc == 0 for r in results) == 1 and len(made.names) == 2, results
    assert [f for f in files(made) if ".aramid" in f] == []


def test_data_and_author_and_ticket(made):
    subprocess.run(["git", "init", "-q"], cwd=made.path, check=True)
    subprocess.run(["git", "config", "user.name", "Ada L."], cwd=made.path, check=True)
    result = create(made, "fill_bios", "--data", "--author", "--ticket", "ABC-1\nDROP TABLE x;")
    assert result.rc == 0, result
    text = newest(made)
    assert text.startswith("-- Author: Ada L.\n-- Ticket: ABC-1\\x0aDROP TABLE x;\n\n-- Changes rows"), text
    assert aramid.run("check", cwd=made.path).rc == 0


def test_row_level_security(made):
    schema(made, USER + 'model Post {\n  id Int @id\n\n  @@map("po\\"st")\n}\n')
    assert create(made, "posts", "--rls").rc == 0
    assert 'ALTER TABLE "po""st" ENABLE ROW LEVEL SECURITY;' in newest(made)
    assert '"User" ENABLE' not in newest(made)
    assert aramid.run("check", cwd=made.path).rc == 0


def test_the_way_back(made, db):
    assert aramid.deploy(made, db.url()).rc == 0
    before = catalog.dump(db)
    schema(made, "model User {\n  id Int @id\n  mail String? @unique\n}\nenum E { A B }\n".replace("{ A B }", "{\n A\n B\n}"))
    assert create(made, "mail", "--no-rename").rc == 0
    down = newest(made, "down.sql")
    assert down.startswith(f"-- down of {made.names[-1]}\n-- lossy: "), down
    assert aramid.deploy(made, db.url()).rc == 0
    db.sql(down)
    assert [line for line in catalog.difference(before, catalog.dump(db)) if "_prisma_migrations" not in line] == []


def test_the_way_back_keeps_what_was_renamed(made, db):
    schema(made, USER + "enum Mood {\n  SAD\n  OK\n}\n")
    assert create(made, "mood").rc == 0 and aramid.deploy(made, db.url()).rc == 0
    db.sql("""INSERT INTO "User" VALUES (1, 'ada')""")
    schema(made, 'model Person {\n  id Int @id\n  called String\n  @@map("people")\n}\nenum Feeling {\n  SAD\n  FINE\n}\n')
    result = create(made, "names", *(f"--rename={r}" for r in ("User:people", "User.name:called", "Mood:Feeling", "Mood.OK:FINE")))
    assert result.rc == 0 and "lossy" not in newest(made, "down.sql"), result
    assert aramid.deploy(made, db.url()).rc == 0
    assert aramid.run("rollback", "--url", db.url(), cwd=made.path).rc == 0
    assert db.sql('SELECT * FROM "User"') == [(1, "ada")]


def test_without_the_way_back(made):
    schema(made, USER + "model A {\n  id Int @id\n}\n")
    assert create(made, "a", "--no-down").rc == 0 and not [f for f in files(made) if made.names[-1] in f and "down" in f]
    made.write("aramid.yaml", "create:\n  down: false\n")
    schema(made, USER + "model A {\n  id Int @id\n}\nmodel B {\n  id Int @id\n}\n")
    assert create(made, "b").rc == 0 and not [f for f in files(made) if made.names[-1] in f and "down" in f]


def test_rows_that_are_changed_by_hand_are_not_forgotten(made, db):
    """A way back that nobody has looked at says nothing about rows."""
    assert aramid.deploy(made, db.url()).rc == 0
    db.sql("""INSERT INTO "User" VALUES (1, 'ada')""")
    schema(made, USER + "model A {\n  id Int @id\n}\n")
    assert create(made, "a").rc == 0
    with open(made.file(made.names[-1]), "a", encoding="utf-8") as f:
        f.write("""UPDATE "User" SET name = upper(name);\n""")
    assert aramid.deploy(made, db.url()).rc == 0
    refused = aramid.run("rollback", "--url", db.url(), cwd=made.path)
    assert refused.rc == 27 and "UPDATE of User" in refused.err and "--accept-unrestored" in refused.err, refused
    with open(os.path.join(made.migrations, made.names[-1], "down.sql"), "a", encoding="utf-8") as f:
        f.write("""UPDATE "User" SET name = lower(name);\n""")
    assert aramid.run("rollback", "--url", db.url(), cwd=made.path).rc == 0
    assert db.sql('SELECT * FROM "User"') == [(1, "ada")]


def test_prismas_words(made):
    schema(made, USER + "model Post {\n  id Int @id\n}\n")
    result = aramid.run("migrate", "dev", "--create-only", "--name", "add posts", cwd=made.path)
    assert result.rc == 0 and made.names[-1].endswith("_add_posts"), result
    empty = aramid.run("migrate", "dev", "--create-only", "-n", "nothing", cwd=made.path)
    assert empty.rc == 0 and body(newest(made)) == "-- This is an empty migration.", empty


def test_findings_may_stop_it(made):
    made.write("aramid.yaml", "findings:\n  diff-drop-column: error\n")
    schema(made, "model User {\n  id Int @id\n}\n")
    result = create(made, "drop_name")
    assert result.rc == 19 and len(made.names) == 1, result


def test_what_is_only_printed_otherwise_is_no_change(made):
    """Defaults, predicates and foreign types, as a server and as a schema say them."""
    schema(made, """generator client {
  provider        = "prisma-client"
  previewFeatures = ["partialIndexes"]
}
model User {
  id Int @id
  name String @default(dbgenerated("concat('a','b')"))
  at DateTime @default(dbgenerated("now() + interval '1 day'"))
  price Decimal @default(1.50) @db.Decimal(10, 2)
  day DateTime @default("2020-01-01T00:00:00Z") @db.Date
  tags String[] @default(["a", "b,c"])
  vector Unsupported("tsvector")?
  raw Json @default("{\\"a\\": 1}")
  bits String @default("101") @db.VarBit(4)

  @@index([name], where: raw("name > 'a' AND id<5"))
}
""")
    result = create(made, "many defaults")
    assert result.rc == 0, result
    assert "DEFAULT concat('a','b')" in newest(made) and "::jsonb" not in newest(made), newest(made)
    again = create(made, "nothing more")
    assert again.rc == 60, again
    text = open(os.path.join(made.path, "prisma/schema.prisma"), encoding="utf-8").read()
    made.write("prisma/schema.prisma", text.replace("id<5", "id<6"))
    changed = create(made, "other predicate")
    assert changed.rc == 0 and "id<6" in newest(made) and "ALTER" not in body(newest(made)), newest(made)
    assert aramid.run("check", cwd=made.path).rc == 0


def test_what_was_done_by_hand_is_taken_over(made, db):
    assert aramid.deploy(made, db.url()).rc == 0
    nothing = create(made, "nothing_done", "--from-drift", "--url", db.url(), "--yes")
    assert nothing.rc == 60, nothing
    db.sql('ALTER TABLE "User" ADD COLUMN "bio" text; CREATE INDEX by_bio ON "User" ("bio");')
    result = create(made, "take bio over", "--from-drift", "--url", db.url(), "--yes")
    assert result.rc == 0 and made.names[-1].endswith("_take_bio_over"), result
    assert newest(made).startswith("-- +1 column, +1 index, locks: User ACCESS EXCLUSIVE\n"), newest(made)
    with open(os.path.join(made.path, "prisma/schema.prisma"), encoding="utf-8") as f:
        text = f.read()
    assert "bio" in text and "by_bio" in text, text
    assert aramid.status(made, db.url()).rc == 0
    check = aramid.run("check", "--url", db.url(), cwd=made.path)
    assert check.rc == 0, check


def test_drift_behind_pending_migrations_is_refused(made, db):
    result = create(made, "take over", "--from-drift", "--url", db.url(), "--yes")
    assert result.rc == 26 and "aramid deploy" in result.err and len(made.names) == 1, result


def test_prisma_and_aramid_deploy_it_alike(oracle, made, db, db2):
    schema(made, RENAMED + "enum Role {\n  A\n  B\n}\nmodel Post {\n  id Int @id @default(autoincrement())\n"
           '  role Role @default(A)\n  tags String[] @default(["x"])\n  user User @relation(fields: [uid], references: [id])\n'
           "  uid Int\n}\n")
    text = open(os.path.join(made.path, "prisma/schema.prisma"), encoding="utf-8").read()
    made.write("prisma/schema.prisma", text.replace("fullName String\n", "fullName String\n  posts Post[]\n"))
    assert create(made, "posts", "--rename", "User.name:fullName").rc == 0
    assert oracle.deploy(made, db.url()).rc == 0 and aramid.deploy(made, db2.url()).rc == 0
    assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []
    assert aramid.run("check", "--url", db.url(), cwd=made.path).rc == 0


# ---- other layouts -------------------------------------------------------------------------------

def write(folder, path, text, mode=0o644):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(full, mode)


def last(folder):
    names = sorted(os.listdir(folder))
    with open(os.path.join(folder, names[-1]), encoding="utf-8") as f:
        return names[-1], f.read()


def test_supabase(tmp_path):
    write(tmp_path, "supabase/config.toml", '[db]\nport = 1 # schema_paths = ["x"]\n\n[db.migrations]\nenabled = true\n'
          'schema_paths = [\n  "./schemas/b.sql", # first\n  "./schemas/*.sql",\n]\n')
    write(tmp_path, "supabase/schemas/a.sql", "CREATE POLICY own ON t USING (owner = auth.uid());")
    write(tmp_path, "supabase/schemas/b.sql", "CREATE TABLE t (id int, owner uuid); ALTER TABLE t ENABLE ROW LEVEL SECURITY;")
    assert aramid.run("create", "todos", cwd=tmp_path).rc == 0
    name, text = last(tmp_path / "supabase" / "migrations")
    assert re.fullmatch(r"\d{14}_todos.sql", name) and 'CREATE POLICY "own"' in text, text
    assert text.startswith("-- +1 table, +1 policy, locks: none\n\n")
    assert aramid.run("create", "again", cwd=tmp_path).rc == 60
    assert aramid.run("create", "again", "--down", cwd=tmp_path).rc == 2


def test_dbmate(tmp_path):
    write(tmp_path, "db/migrations/20240101000000_init.sql", "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n")
    write(tmp_path, "want.sql", "CREATE TABLE a (id int, b text);")
    assert aramid.run("create", "add b", "--to-sql", "want.sql", cwd=tmp_path).rc == 0
    _, text = last(tmp_path / "db" / "migrations")
    assert text == ('-- +1 column, locks: a ACCESS EXCLUSIVE\n\n-- migrate:up\n-- AlterTable\nALTER TABLE "a" ADD COLUMN     "b" TEXT;\n\n'
                    '-- migrate:down\n-- lossy: column "b" of "public"."a": what was written there since is lost\n'
                    '-- AlterTable\nALTER TABLE "a" DROP COLUMN "b";\n'), text
    assert aramid.run("create", "add c", "--to-sql", "want.sql", cwd=tmp_path).rc == 60
    nothing = aramid.run("create", "add c", cwd=tmp_path)
    assert nothing.rc == 6 and "--to-sql" in nothing.err, nothing


@pytest.mark.parametrize("before,after", [("0009_init.up.sql", "0010_new_one.up.sql"), ("V1.9__init.sql", "V1.10__new_one.sql"),
                                          ("099_init.sql", "100_new_one.sql")])
def test_plain_folders_go_on_as_they_began(tmp_path, before, after):
    write(tmp_path, f"migrations/{before}", "CREATE TABLE a (id int);")
    write(tmp_path, "aramid.yaml", "schema_sql: want\n")
    write(tmp_path, "want/1.sql", "CREATE TABLE a (id int);")
    write(tmp_path, "want/2/x.sql", "CREATE INDEX i ON a (id);")
    assert aramid.run("create", "new one", cwd=tmp_path).rc == 0
    assert after in os.listdir(tmp_path / "migrations")
    assert aramid.run("create", "more", cwd=tmp_path).rc == 60


KIT = """#!/bin/sh
echo "kit $*"
case $1 in generate) ;; *) exit 9 ;; esac
%s
"""


@pytest.fixture
def drizzle(tmp_path):
    write(tmp_path, "package.json", '{"devDependencies": {"drizzle-kit": "0.31.0"}}')
    write(tmp_path, "drizzle.config.ts", 'export default { dialect: "postgresql", out: "./drizzle" }')
    write(tmp_path, "drizzle/0000_init.sql", "CREATE TABLE a (id int);")
    write(tmp_path, "drizzle/meta/_journal.json", '{"version": "7", "dialect": "postgresql", "entries": [{"idx": 0, '
          '"version": "7", "when": 1700000000000, "tag": "0000_init", "breakpoints": true}]}')
    return tmp_path


def test_drizzle_kit_writes(drizzle):
    write(drizzle, "node_modules/.bin/drizzle-kit", KIT % 'echo "ALTER TABLE a ADD b int;" > drizzle/0001_$3.sql', 0o755)
    result = aramid.run("create", "Add b", "--json", cwd=drizzle)
    assert result.rc == 0 and result.json["name"] == "0001_add_b" and result.json["written"], result
    assert "kit generate --name add_b" in result.err
    write(drizzle, "node_modules/.bin/drizzle-kit", KIT % 'echo "No schema changes, nothing to migrate"', 0o755)
    assert aramid.run("create", "Add c", cwd=drizzle).rc == 60
    assert aramid.run("create", "Add c", "--dry-run", cwd=drizzle).rc == 2


def test_drizzle_kit_that_wanted_to_ask(drizzle):
    write(drizzle, "node_modules/.bin/drizzle-kit", KIT % 'echo "Error: Interactive prompts require a TTY terminal"', 0o755)
    result = aramid.run("create", "Add b", cwd=drizzle)
    assert result.rc == 7 and "npx drizzle-kit generate --name add_b" in result.err, result


# ---- the real drizzle-kit -----------------------------------------------------------------------

KITS = {"drizzle": ("drizzle-kit", "drizzle-orm"), "drizzle-1": ("../drizzle-1/node_modules/drizzle-kit", "drizzle-orm-1")}
TABLE = """import { pgTable, integer, text } from "drizzle-orm/pg-core";
export const a = pgTable("a", { id: integer("id").primaryKey(), %s });
"""
CONFIG = 'import { defineConfig } from "drizzle-kit";\nexport default defineConfig({ dialect: "postgresql", ' \
         'schema: "./schema.ts", %s });\n'


def kit_project(path, layout, config="", name="drizzle.config.ts"):
    """A project with its kit, and no migrations yet."""
    kit, orm = (os.path.join(NPM, package) for package in KITS[layout])
    if not NODE or not os.path.exists(kit):
        pytest.skip("drizzle-kit is not installed")
    os.makedirs(path / "node_modules/.bin")
    os.symlink(kit, path / "node_modules/drizzle-kit")
    os.symlink(orm, path / "node_modules/drizzle-orm")
    os.symlink(os.path.join(kit, "bin.cjs"), path / "node_modules/.bin/drizzle-kit")
    write(path, "package.json", '{"type": "module", "devDependencies": {"drizzle-kit": "*"}}')
    write(path, name, CONFIG % config)
    write(path, "schema.ts", TABLE % 'name: text("name")')


@pytest.mark.parametrize("layout", KITS)
def test_the_real_drizzle_kit(tmp_path, db, layout):
    """Its files, applied; nothing to write; a rename that it would ask about; a file to fill in."""
    kit_project(tmp_path, layout, 'out: "./drizzle"')
    made = aramid.run("create", "First one", "--json", cwd=tmp_path)
    assert made.rc == 0 and made.json["layout"] == layout and made.json["written"], made
    assert made.json["name"].endswith("_first_one") and "CREATE TABLE" in made.json["files"][0]["text"], made
    same = aramid.run("create", "again", "--json", cwd=tmp_path)
    assert same.rc == 60 and same.json["same"] and not same.json["files"], same
    before = sorted(os.listdir(tmp_path / "drizzle"))
    write(tmp_path, "schema.ts", TABLE % 'title: text("title")')
    asked = aramid.run("create", "the title", cwd=tmp_path)
    assert asked.rc == 7 and "asks whether something was renamed" in asked.err, asked
    assert "npx drizzle-kit generate --name the_title" in asked.err
    assert sorted(os.listdir(tmp_path / "drizzle")) == before
    write(tmp_path, "schema.ts", TABLE % 'name: text("name"), n: integer("n")')
    assert aramid.run("create", "add n", cwd=tmp_path).rc == 0
    custom = aramid.run("create", "by hand", "--empty", "--json", cwd=tmp_path)
    assert custom.rc == 0 and "Custom SQL migration file" in custom.json["files"][0]["text"], custom
    with open(tmp_path / custom.json["files"][0]["path"], "a", encoding="utf-8") as file:
        file.write("\nINSERT INTO a VALUES (1, 'x', 2);\n")
    done = aramid.run("deploy", "--yes", "--url", db.url(), cwd=tmp_path)
    assert done.rc == 0 and db.sql("SELECT * FROM a") == [(1, "x", 2)], done
    kit = subprocess.run(["node_modules/.bin/drizzle-kit", "check"], cwd=tmp_path, capture_output=True, text=True,
                         check=False, stdin=subprocess.DEVNULL)
    assert kit.returncode == 0, kit


@pytest.mark.parametrize("layout", KITS)
def test_a_schema_that_drizzle_kit_cannot_read(tmp_path, layout):
    kit_project(tmp_path, layout)
    """Where 0.x ends with status 0, too."""
    write(tmp_path, "schema.ts", "this is no TypeScript")
    done = aramid.run("create", "first", cwd=tmp_path)
    assert done.rc == 7 and "aramid create first" in done.err and not list(tmp_path.rglob("*.sql")), done


@pytest.mark.parametrize("layout", KITS)
@pytest.mark.parametrize("name, scripts", [("drizzle.config.ts", ""), ("drizzle-local.config.ts", ""),
                                           ("conf/db.ts", "drizzle-kit generate --config=conf/db.ts")])
def test_where_drizzle_is_configured(tmp_path, db, layout, name, scripts):
    """In a package of the repository, by another name, or where a script says: its folder, and its table."""
    app = tmp_path / "packages/db"
    kit_project(app, layout, 'out: "./src/history", migrations: { schema: "ledgers", table: "mine" }', name)
    if scripts:
        write(app, "package.json", '{"type": "module", "scripts": {"g": "cross-env A=1 %s"}}' % scripts)
    write(tmp_path, "package.json", "{}")
    write(tmp_path, "aramid.yaml", "migrations: packages/db/src/history\n")
    made = aramid.run("create", "first one", "--json", cwd=tmp_path)
    assert made.rc == 0 and made.json["files"][0]["path"].startswith("packages/db/src/history/"), made
    done = aramid.run("deploy", "--yes", "--url", db.url(), cwd=tmp_path)
    assert done.rc == 0 and db.one("SELECT count(*) FROM ledgers.mine") == 1, done
    # There, without a word of ours.
    status = aramid.run("status", "--url", db.url(), cwd=app)
    assert status.rc == 0 and "up to date" in status.out, status


def test_a_table_that_drizzle_config_computes(tmp_path, db):
    """The wrong table would have every migration run again."""
    write(tmp_path, "drizzle.config.ts", "export default { dialect: 'postgresql', migrations: { table: T } }")
    write(tmp_path, "drizzle/0000_init.sql", "CREATE TABLE a (id int);")
    write(tmp_path, "drizzle/meta/_journal.json", '{"version": "7", "dialect": "postgresql", "entries": [{"idx": 0, '
          '"version": "7", "when": 1700000000000, "tag": "0000_init", "breakpoints": true}]}')
    for verb in "status", "deploy":
        done = aramid.run(verb, "--url", db.url(), cwd=tmp_path)
        assert done.rc == 3 and "drizzle.config.ts" in done.err and "history_table: schema.table" in done.err, done
    assert not db.exists("a")
    write(tmp_path, "aramid.yaml", "history_table: public.mine\n")
    assert aramid.run("deploy", "--url", db.url(), cwd=tmp_path).rc == 0
    assert db.one("SELECT count(*) FROM public.mine") == 1


def test_what_prisma_would_write(made):
    schema(made, USER.replace("name String", "name Int"))
    assert create(made, "name_is_number", "--dry-run").out.rstrip().endswith(
        'ALTER TABLE "User" ALTER COLUMN "name" SET DATA TYPE INTEGER USING ("name"::text::INTEGER);')
    assert create(made, "name_is_number", "--prisma-compat", "--dry-run").out.rstrip().endswith(
        'ALTER TABLE "User" DROP COLUMN "name",\nADD COLUMN     "name" INTEGER NOT NULL;')
