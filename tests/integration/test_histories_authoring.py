"""Several histories in one project: new migrations, branches, and repairs."""

import os
import shutil
import subprocess

import pytest

from harness import aramid
from harness.both import Both
from harness.tools import Drizzle

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
USERS = "model users {\n  id Int @id\n  mail String\n}\n"
MORE = "  bio String?\n}\n"
TO = ["--to", "supabase/migrations"]


@pytest.fixture
def both(tmp_path):
    """Prisma's users, and of Supabase's a policy, a table, an index and a column, which schema.prisma lacks."""
    both = Both(tmp_path / "project")
    schema(both, USERS)
    both.prisma.add(1, "init", 'CREATE TABLE users (id int PRIMARY KEY, mail text NOT NULL);')
    both.other.add(2, "theirs", "ALTER TABLE users ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON users USING (true);\n"
                   "CREATE TYPE kind AS ENUM ('a');\nCREATE TABLE audit (id serial PRIMARY KEY, k kind);\n"
                   "CREATE INDEX users_mail ON users (mail);\nALTER TABLE users ADD COLUMN theirs int;\n"
                   "ALTER TABLE users ADD CONSTRAINT u UNIQUE (theirs);")
    return both


def schema(both, text):
    both.prisma.project.write("prisma/schema.prisma", HEAD + text)


def run(both, *args, env=None):
    return aramid.run(*args, cwd=both.path, env=env)


def names(both, folder):
    return sorted(n for n in os.listdir(os.path.join(both.path, folder)) if n[0].isdigit())


# ---- create ------------------------------------------------------------------------------------------


def test_the_schema_is_prismas(both, db):
    schema(both, USERS.replace("}\n", MORE))
    result = run(both, "create", "Add bio", "--json")
    assert result.rc == 0 and result.json["layout"] == "prisma", result
    (file,) = [f for f in result.json["files"] if f["path"].endswith("migration.sql")]
    assert file["path"].startswith("prisma/migrations/") and file["text"].endswith('"bio" TEXT;\n'), file
    assert "DROP" not in file["text"] and file["text"].count("ALTER TABLE") == 1, file
    left = {f["object"] for f in result.json["findings"] if f["id"] == "diff-other-history"}
    assert left == {'table "public"."audit"', 'enum "public"."kind"', 'index "public"."users_mail"',
                    'column "theirs" of "public"."users"', 'constraint "u" of "public"."users"'}, left
    assert both.deploy(db).rc == 0
    assert run(both, "create", "again").rc == 60
    check = run(both, "check", "--json")
    assert check.rc == 0 and [p["outcome"] for p in check.json["parts"] if p["part"] == "parity"] == ["ok"], check


def test_what_the_schema_names_counts(both):
    """After a pull the other history's table is in the schema: its columns are compared."""
    table = "model audit {\n  id Int @id @default(autoincrement())\n  k kind?\n}\nenum kind {\n  a\n}\n"
    schema(both, USERS + table)
    assert run(both, "create", "nothing").rc == 60
    schema(both, USERS + table.replace("k kind?", "k kind?\n  n Int?"))
    result = run(both, "create", "a_column", "--dry-run")
    assert result.rc == 0 and 'ALTER TABLE "audit" ADD COLUMN     "n" INTEGER;' in result.out, result


def test_a_table_that_the_schema_lost_is_dropped(both):
    schema(both, "model other {\n  id Int @id\n}\n")
    result = run(both, "create", "a_drop", "--dry-run", "--no-rename")
    assert result.rc == 0 and 'DROP TABLE "users"' in result.out and 'DROP TABLE "audit"' not in result.out, result


def test_it_comes_behind_both(both):
    both.other.write("20991231000000_far.sql", "SELECT 1;")
    schema(both, USERS.replace("}\n", MORE))
    result = run(both, "create", "bio", "--json")
    assert result.rc == 0 and result.json["name"] == "20991231000001_bio", result


def test_a_file_to_fill_in_needs_the_folder(both):
    before = names(both, "prisma/migrations"), names(both, "supabase/migrations")
    for kind in (["--empty"], ["--data"]):
        result = run(both, "create", "policies", *kind)
        assert result.rc == 2 and "aramid create policies --to supabase/migrations" in result.err, result
        assert "aramid create policies --to prisma/migrations" in result.err, result
    result = run(both, "create", "x", "--empty", "--to", "elsewhere")
    assert result.rc == 2 and "elsewhere" in result.err and "--to prisma/migrations" in result.err, result
    assert (names(both, "prisma/migrations"), names(both, "supabase/migrations")) == before
    result = run(both, "create", "policies", "--empty", *TO)
    assert result.rc == 0 and len(names(both, "supabase/migrations")) == 2, result
    assert names(both, "supabase/migrations")[1].endswith("_policies.sql"), result
    result = run(both, "create", "rows", "--data", "--to", os.path.join(both.path, "prisma/migrations"))
    assert result.rc == 0 and names(both, "prisma/migrations")[1].endswith("_rows"), result


def test_sql_is_the_others(both):
    """What declares all of the database goes to the folder that holds SQL."""
    both.prisma.project.write("all.sql", """CREATE TABLE users (id int PRIMARY KEY, mail text NOT NULL, theirs int);
        ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (true); CREATE TYPE kind AS ENUM ('a');
        CREATE TABLE audit (id serial PRIMARY KEY, k kind); CREATE INDEX users_mail ON users (mail);
        ALTER TABLE users ADD CONSTRAINT u UNIQUE (theirs); CREATE POLICY q ON users USING (false);""")
    result = run(both, "create", "second policy", "--to-sql", "all.sql", "--json")
    assert result.rc == 0 and result.json["layout"] == "supabase", result
    text = result.json["files"][0]["text"]
    assert text.count("CREATE POLICY") == 1 and "DROP" not in text and '"q"' in text, text


def test_by_hand_in_the_database(both, db):
    assert both.deploy(db).rc == 0
    db.sql("CREATE POLICY byhand ON audit USING (true)")
    assert both.run("create", db, "by_hand", "--from-drift", "--yes").rc == 2
    result = both.run("create", db, "by_hand", "--from-drift", "--yes", *TO)
    assert result.rc == 0, result
    assert names(both, "supabase/migrations")[1].endswith("by_hand.sql") and len(both.other.rows(db)) == 2
    assert both.run("drift", db, "--exit-code").rc == 0


def test_a_folder_that_is_not_there_yet(both):
    shutil.rmtree(os.path.join(both.path, "supabase"))
    result = run(both, "create", "policies", "--empty", *TO)
    assert result.rc == 0 and names(both, "supabase/migrations")[0].endswith("_policies.sql"), result
    assert run(both, "check").rc == 0


def test_prisma_spells_it(both):
    schema(both, USERS.replace("}\n", MORE))
    result = run(both, "migrate", "dev", "--create-only", "--name", "bio")
    assert result.rc == 0 and len(names(both, "prisma/migrations")) == 2, result


def test_prismas_own_needs_the_other(both):
    """Its files do not run alone: nothing can be told apart, and what goes is said."""
    both.prisma.add(3, "late", "ALTER TABLE audit ADD COLUMN n int;")
    result = run(both, "create", "x", "--dry-run", "--no-rename")
    assert result.rc == 0 and 'DROP TABLE "audit"' in result.out and "diff-drop-table" in result.text, result


# ---- branches ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_branches_of_both(both):
    def git(*args):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=both.path, check=True,
                       capture_output=True)

    def branches(*args):
        result = run(both, "check", "--against", *args, "--json")
        return result, next(p for p in result.json["parts"] if p["part"] == "branches")

    git("init", "-b", "main")
    git("add", "-A")
    git("commit", "-m", "one")
    git("checkout", "-b", "theirs")
    both.prisma.add(3, "their_column", "ALTER TABLE users ADD COLUMN n int;")
    both.other.add(4, "their_policy", "CREATE POLICY q ON users USING (n > 0);")
    git("add", "-A")
    git("commit", "-m", "two")
    shutil.copytree(both.path, both.path + "-theirs")
    git("checkout", "main")
    both.other.add(5, "mine", "CREATE POLICY r ON audit USING (true);")
    result, part = branches("theirs")
    assert part["outcome"] == "ok" and "2 of its own and 1 of these" in part["text"], result
    both.prisma.add(6, "rename", "ALTER TABLE users RENAME TO people;")
    result, part = branches("theirs")
    assert part["exitStatus"] == 61 and "does not exist" in str(part), result
    folders = ",".join(os.path.join(both.path + "-theirs", f) for f in ("prisma/migrations", "supabase/migrations"))
    result, part = branches(folders)
    assert part["exitStatus"] == 61 and "does not exist" in str(part), result
    result, part = branches(os.path.join(both.path + "-theirs", "prisma/migrations"))
    assert part["exitStatus"] == 2 and "one for each" in str(part["error"]), result


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_history_that_the_other_branch_has_not(both):
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-b", "main"], ["add", "prisma", "aramid.yaml"], ["commit", "-m", "one"]):
        subprocess.run([*git, *words], cwd=both.path, check=True, capture_output=True)
    result = run(both, "check", "--against", "main", "--json")
    part = next(p for p in result.json["parts"] if p["part"] == "branches")
    assert part["outcome"] == "ok" and "1 here, 0 there" in part["text"], result
    result = run(both, "check", "--against", "nowhere", "--json")
    assert result.rc == 2, result


# ---- repairs -----------------------------------------------------------------------------------------


def sync(both, db, *args, verb="sync"):
    result = both.run(verb, db, "--json", *(args or ["--yes"]))
    return result, [(d["class"], d["migration"], d["outcome"]) for d in result.json["differences"]]


def test_sync_finds_and_mends_in_both(both, db):
    schema(both, USERS)
    assert both.deploy(db).rc == 0
    pending = both.prisma.add(3, "three", "CREATE TABLE three (i int);")
    by_hand = both.other.add(4, "four", "CREATE TABLE four (i int);")
    db.sql("CREATE TABLE four (i int)")
    result, found = sync(both, db, "--dry-run")
    assert found == [("pending", pending, "deploy"), ("unrecorded", by_hand, "planned")], result
    result, found = sync(both, db)
    assert result.rc == 10 and ("unrecorded", by_hand, "repaired") in found, result
    assert len(both.other.rows(db)) == 2 and len(both.prisma.rows(db)) == 1
    assert both.deploy(db).rc == 0
    result, found = sync(both, db)
    assert result.rc == 0 and not found, result


def test_sync_tells_whose_row_it_is(both, db):
    assert both.deploy(db).rc == 0
    path = os.path.join(both.path, "prisma/migrations", names(both, "prisma/migrations")[0], "migration.sql")
    with open(path, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        file.write(text.replace(b";", b";\r\n"))
    os.rename(os.path.join(both.path, "supabase/migrations/20261129120002_theirs.sql"),
              os.path.join(both.path, "supabase/migrations/20261129120002_renamed.sql"))
    db.sql("UPDATE supabase_migrations.schema_migrations SET statements = '{}' WHERE false")
    result, found = sync(both, db)
    assert ("edited", "20261129120001_init", "repaired") in found, result
    assert both.run("status", db).rc in (0, 13)


def test_a_failed_row_of_one(both, db):
    assert both.deploy(db).rc == 0
    name = both.prisma.add(3, "three", "CREATE TABLE three (i int);")
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at)"
           " VALUES ('x', 'x', %s, 'ERROR', now())", name)
    result, found = sync(both, db, "--auto", verb="resolve")
    assert result.rc == 0 and found == [("failed", name, "repaired")], result
    assert both.deploy(db).rc == 0 and db.exists("three")


@pytest.mark.parametrize("verb", ["sync", "fix"])
def test_doubled_rows_of_the_second(tmp_path, db, verb):
    both = Both(tmp_path / "project", Drizzle)
    both.prisma.add(1, "init", "CREATE TABLE a (i int);")
    both.other.add(1, "d", "CREATE TABLE d ();", when=1795951201500)
    assert both.deploy(db).rc == 0
    db.sql("INSERT INTO drizzle.__drizzle_migrations (hash, created_at)"
           " SELECT hash, created_at FROM drizzle.__drizzle_migrations")
    result, found = sync(both, db, verb=verb)
    assert result.rc == 0 and found == [("doubled", "0001_d", "repaired")], result
    assert len(both.other.rows(db)) == 1 and len(both.prisma.rows(db)) == 1


def test_clean_of_both(both, db):
    assert both.deploy(db).rc == 0
    for name in ("prisma/migrations/20261129120009_empty",):
        os.makedirs(os.path.join(both.path, name))
    result = both.run("clean", db, "--yes")
    assert result.rc == 0 and "20261129120009_empty" in result.out, result
    assert names(both, "prisma/migrations") == ["20261129120001_init"]
    assert both.status(db)["state"] == "up-to-date"


# ---- rollback ----------------------------------------------------------------------------------------


def ledgers(both, db):
    return len(both.prisma.rows(db)), len(both.other.rows(db))


def test_rollback_goes_newest_first_over_all(both, db):
    """Each takes its own row; what one history made for the other goes before it."""
    more = both.prisma.add(3, "more", "CREATE TABLE more (i int);")
    policy = both.other.add(4, "more_policy", "CREATE POLICY p ON more USING (true);")
    assert both.deploy(db).rc == 0 and ledgers(both, db) == (2, 2)
    plan = both.run("rollback", db, "--steps", "2", "--plan", "--json")
    assert plan.rc == 0 and [w["name"] for w in plan.json["ways"]] == [policy, more], plan
    assert plan.json["proven"], plan
    one = both.run("rollback", db, "--json")
    assert one.rc == 0 and [m["name"] for m in one.json["rolledBack"]] == [policy], one
    assert one.json["verified"] == "same" and ledgers(both, db) == (2, 1)
    two = both.run("rollback", db, "--steps", "2", "--json", "--accept-data-loss")
    assert two.rc == 0 and ledgers(both, db) == (1, 0) and not db.exists("audit") and not db.exists("more"), two
    assert both.deploy(db).rc == 0 and ledgers(both, db) == (2, 2)
    assert run(both, "drift", "--exit-code", "--url", db.url()).rc == 0
    back = both.run("rollback", db, "--to", both.prisma.rows(db)[0], "--accept-data-loss")
    assert back.rc == 0 and ledgers(both, db) == (1, 0), back


def test_a_rollback_over_several_histories_that_was_killed(both, db):
    both.prisma.add(3, "more", "CREATE INDEX CONCURRENTLY more_a ON users (mail);\nCREATE INDEX CONCURRENTLY more_b ON users (id);")
    both.other.add(4, "others", "CREATE INDEX CONCURRENTLY more_c ON users (mail);\nCREATE INDEX CONCURRENTLY more_d ON users (id);")
    assert both.deploy(db).rc == 0
    kept = both.status(db)["applied"][1]
    for point in ("after-intent", "after-statement", "after-finish", "after-message"):
        both.run("rollback", db, "--to", kept, env={"ARAMID_FAILPOINT": f"{point}:kill"})
    assert both.run("rollback", db, "--to", kept).rc == 0
    assert ledgers(both, db) == (1, 1) and not any(db.exists(f"more_{c}") for c in "abcd")
    assert both.deploy(db).rc == 0 and all(db.exists(f"more_{c}") for c in "abcd")
    assert run(both, "drift", "--exit-code", "--url", db.url()).rc == 0


def test_a_failed_one_of_several_histories(both, db):
    assert both.deploy(db).rc == 0
    both.other.add(4, "broken", "CREATE INDEX CONCURRENTLY more_c ON users (mail);\nALTER TABLE nowhere ADD COLUMN k int;")
    assert both.deploy(db).rc != 0 and db.exists("more_c")
    result = both.run("rollback", db, "--failed")
    assert result.rc == 0 and not db.exists("more_c") and ledgers(both, db) == (1, 1), result


def test_verify_rollback_of_several_histories(both):
    more = both.prisma.add(3, "more", "CREATE TABLE more (i int);")
    both.other.add(4, "more_policy", "CREATE POLICY p ON more USING (true);")
    result = run(both, "verify-rollback", "--all", "--json")
    assert result.rc == 0 and len(result.json["migrations"]) == 4, result
    assert more in [m["name"] for m in result.json["migrations"]]
