"""aramid rollback: own scripts and derived ones, what goes with them, and the ledgers afterwards."""

import os

import pytest

from harness import aramid, ledger

USERS = """CREATE TABLE users (id int PRIMARY KEY, mail text NOT NULL);
CREATE INDEX users_mail ON users (mail);
"""
POSTS = """CREATE TABLE posts (id int PRIMARY KEY, users int NOT NULL REFERENCES users);
ALTER TABLE users ADD COLUMN bio text;
"""


def rollback(project, db, *args, **more):
    return aramid.run("rollback", "--url", db.url(), *args, cwd=project.path, **more)


def two(project, db):
    names = project.add("users", USERS), project.add("posts", POSTS)
    assert aramid.deploy(project, db.url()).rc == 0
    return names


def test_the_newest_migration_is_undone_by_a_derived_script(project, db):
    users, posts = two(project, db)
    plan = rollback(project, db, "--plan")
    assert plan.rc == 0 and 'DROP TABLE "public"."posts"' in plan.out and f"-- down of {posts}" in plan.out, plan
    assert db.exists("posts") and db.exists("users")
    result = rollback(project, db)
    assert result.rc == 0, result
    assert not db.exists("posts") and db.exists("users")
    assert ledger.applied(db) == [users]
    assert "what it was before" in result.text
    again = aramid.deploy(project, db.url())
    assert again.rc == 0 and db.exists("posts") and ledger.applied(db) == [users, posts], again
    assert aramid.run("drift", "--exit-code", "--url", db.url(), cwd=project.path).rc == 0


def test_rows_that_would_go_are_counted_and_need_a_word(project, db):
    two(project, db)
    db.sql("INSERT INTO users VALUES (1, 'a', 'long life'), (2, 'b', NULL); INSERT INTO posts VALUES (1, 1)")
    for args in ([], ["--yes"]):
        result = rollback(project, db, *args)
        assert result.rc == 4 and "posts" in result.err and "bio" in result.err, result
        assert "1 of 2 rows" in result.err and "--accept-data-loss" in result.err, result
        assert db.column("SELECT bio FROM users ORDER BY id") == ["long life", None]
    result = rollback(project, db, "--accept-data-loss")
    assert result.rc == 0 and db.column("SELECT mail FROM users ORDER BY id") == ["a", "b"], result


def test_back_to_a_migration_takes_all_newer_ones(project, db):
    users, posts = two(project, db)
    last = project.add("more", "ALTER TABLE posts ADD COLUMN title text;")
    assert aramid.deploy(project, db.url()).rc == 0
    result = rollback(project, db, "--to", users, "--json")
    assert result.rc == 0, result
    assert [m["name"] for m in result.json["rolledBack"]] == [last, posts]
    assert ledger.applied(db) == [users] and result.json["verified"] == "same" and result.json["proven"]


def test_own_scripts_are_used_where_there_are_some(project, db):
    users, posts = two(project, db)
    project.write(f"prisma/migrations/{posts}/down.sql", f"-- down of {posts}\nDROP TABLE posts;\nALTER TABLE users DROP COLUMN bio;\n"
                  "UPDATE users SET mail = mail || '!';\n")
    db.sql("INSERT INTO users VALUES (1, 'a')")
    result = rollback(project, db)
    assert result.rc == 0 and db.column("SELECT mail FROM users") == ["a!"], result


def test_an_own_script_that_does_not_lead_back_is_refused(project, db):
    _, posts = two(project, db)
    project.write(f"prisma/migrations/{posts}/down.sql", "DROP TABLE posts;\n")
    result = rollback(project, db)
    assert result.rc == 27 and "bio" in result.err and "down.sql" in result.err and db.exists("posts"), result
    project.write(f"prisma/migrations/{posts}/down.sql", "DROP TABLE nothing;\n")
    result = rollback(project, db)
    assert result.rc == 27 and "nothing" in result.err and db.exists("posts"), result


def test_irreversible_by_its_own_word(project, db):
    two(project, db)
    project.add("gone", "-- aramid:irreversible the old values were never kept\nALTER TABLE users DROP COLUMN bio;")
    assert aramid.deploy(project, db.url()).rc == 0
    result = rollback(project, db)
    assert result.rc == 27 and "the old values were never kept" in result.err, result


def test_changed_rows_are_not_put_back_in_silence(project, db):
    two(project, db)
    db.sql("INSERT INTO users VALUES (1, 'a')")
    project.add("data", "UPDATE users SET mail = upper(mail);\nCREATE TABLE seeds (i int);\nINSERT INTO seeds VALUES (1);")
    assert aramid.deploy(project, db.url()).rc == 0
    result = rollback(project, db, "--accept-data-loss")
    assert result.rc == 27 and "UPDATE of users" in result.err and "seeds" not in result.err, result
    assert "--accept-unrestored" in result.err
    result = rollback(project, db, "--accept-data-loss", "--accept-unrestored")
    assert result.rc == 0 and not db.exists("seeds") and db.column("SELECT mail FROM users") == ["A"], result


def test_rows_that_do_not_fit_what_was_before(project, db):
    two(project, db)
    project.add("looser", "ALTER TABLE users ALTER COLUMN mail DROP NOT NULL;")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO users VALUES (1, NULL)")
    result = rollback(project, db)
    assert result.rc == 27 and "mail" in result.err and "NULL" in result.err, result


def test_indexes_that_were_built_without_blocking_go_so_too(project, db):
    two(project, db)
    name = project.add("index", "CREATE INDEX CONCURRENTLY posts_users ON posts (users);\n"
                       "CREATE INDEX CONCURRENTLY posts_id ON posts (id);\nALTER TABLE posts ADD COLUMN x int;")
    assert aramid.deploy(project, db.url()).rc == 0
    result = rollback(project, db, "--json")
    assert result.rc == 0 and "DROP INDEX CONCURRENTLY" in result.json["ways"][0]["sql"], result
    assert result.json["rolledBack"][0]["steps"] > 1 and name not in ledger.applied(db)
    assert not db.exists("posts_users") and aramid.deploy(project, db.url()).rc == 0 and db.exists("posts_users")


def test_drift_of_before_is_neither_undone_nor_an_error(project, db):
    two(project, db)
    db.sql("CREATE TABLE by_hand (i int); ALTER TABLE users ADD COLUMN by_hand int")
    result = rollback(project, db)
    assert result.rc == 0 and db.exists("by_hand") and "made beside them" in result.text, result


def test_what_cannot_be_asked_for(project, db):
    users, posts = two(project, db)
    result = rollback(project, db, "--steps", "3")
    assert result.rc == 27 and "2 migrations are applied" in result.err, result
    assert rollback(project, db, "--steps", "0").rc == 2
    assert rollback(project, db, "--to", users, "--steps", "1").rc == 2
    assert ledger.applied(db) == [users, posts]
    assert rollback(project, db, "--steps", "2").rc == 0 and ledger.applied(db) == []
    result = rollback(project, db)
    assert result.rc == 27 and "0 migrations" in result.err, result


def test_prismas_engine_takes_it_for_pending_and_applies_it_again(oracle, project, db):
    users, posts = two(project, db)
    assert rollback(project, db).rc == 0
    assert posts in oracle.status(project, db.url()).text
    done = oracle.deploy(project, db.url())
    assert done.rc == 0 and ledger.applied(db) == [users, posts] and db.exists("posts"), done
    assert rollback(project, db, "--steps", "2").rc == 0 and ledger.applied(db) == [], "also what the engine applied"
    assert oracle.deploy(project, db.url()).rc == 0 and ledger.applied(db) == [users, posts]


def test_prismas_engine_stops_at_one_that_was_interrupted(oracle, project, db):
    project.add("users", USERS)
    name = project.add("index", "CREATE INDEX CONCURRENTLY a ON users (id);\nCREATE INDEX CONCURRENTLY b ON users (id);")
    assert aramid.deploy(project, db.url()).rc == 0
    rollback(project, db, env={"ARAMID_FAILPOINT": "after-statement:kill"})
    done = oracle.deploy(project, db.url())
    assert done.rc != 0 and name in done.text and "failed" in done.text, done
    status = aramid.run("status", "--url", db.url(), cwd=project.path)
    assert status.rc == 12 and name in status.out and "A rollback was interrupted" in status.out, status
    assert rollback(project, db).rc == 0 and name not in ledger.applied(db)
    assert aramid.deploy(project, db.url()).rc == 0 and name in ledger.applied(db)


def test_a_deploy_to_production_leaves_the_way_back(project, db):
    two(project, db)
    name = project.add("more", "ALTER TABLE posts ADD COLUMN title text;")
    last = project.add("gone", "-- aramid:irreversible never kept\nALTER TABLE posts DROP COLUMN title;")
    result = aramid.deploy(project, db.url(), "--env", "production", "--yes", "--no-backup", "--reason", "test",
                           "--accept-data-loss", "--json")
    assert result.rc == 0, result
    with open(os.path.join(result.json["log"], "rollback.sql"), encoding="utf-8") as file:
        sql = file.read()
    assert f"-- down of {name}" in sql and 'DROP COLUMN "title"' in sql and "_prisma_migrations" in sql, sql
    assert f"-- down of {last}\n-- There is none: never kept" in sql and sql.index(last) < sql.index(name)


def test_ways_back_are_proven_before_they_are_needed(project, db):
    users, posts = two(project, db)
    bad = project.add("bad", "ALTER TABLE posts ADD COLUMN title text;")
    word = project.add("word", "-- aramid:irreversible never kept\nALTER TABLE posts DROP COLUMN title;")
    project.write(f"prisma/migrations/{bad}/down.sql", "SELECT 1;")

    def verify(*args):
        return aramid.run("verify-rollback", "--url", db.url(), "--json", *args, cwd=project.path)

    result = verify()
    assert result.rc == 27 and [(m["name"], m["state"]) for m in result.json["migrations"]] == [
        (bad, "differs"), (word, "irreversible")], result
    assert "title" in result.json["migrations"][0]["why"]
    project.write(f"prisma/migrations/{bad}/down.sql", "ALTER TABLE posts DROP COLUMN title;")
    result = verify("--all")
    assert result.rc == 0 and [m["state"] for m in result.json["migrations"]] == [
        "leads-back", "leads-back", "leads-back", "irreversible"], result
    assert os.path.exists(os.path.join(project.path, ".aramid/evidence/verify-rollback.json"))
    assert [m["name"] for m in verify(posts).json["migrations"]] == [posts]
    assert ledger.applied(db) == [users, posts]


def test_rows_that_stay_keep_it_from_being_applied_again(project, db):
    project.add("users", USERS)
    name = project.add("data", "INSERT INTO users VALUES (1, 'a');")
    result = aramid.run("verify-rollback", "--all", cwd=project.path)
    assert result.rc == 27 and f"{name}: rows-stay" in result.out and "duplicate key" in result.out, result
    project.write(f"prisma/migrations/{name}/down.sql", "DELETE FROM users WHERE id = 1;")
    assert aramid.run("verify-rollback", name, cwd=project.path).rc == 0


def test_a_person_is_asked_with_the_numbers(project, db):
    two(project, db)
    db.sql("INSERT INTO users VALUES (1, 'a', 'x')")
    for answer, gone in ((["no"], False), (None, False), (["{db}", "drop"], True)):
        person = aramid.Terminal("rollback", "--url", db.url(), cwd=project.path)
        person.read_until("1 of 1 rows")
        for word in answer or ():
            person.type(word.format(db=db.name) + "\n")
        if answer is None:
            person.type("\x03")
        person.read_until(None)
        assert db.exists("posts") is not gone, person.text
