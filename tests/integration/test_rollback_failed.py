"""aramid rollback --failed: what a migration left that did not end is undone, and its row goes."""

import os

from harness import aramid, ledger

FIRST = "CREATE TABLE users (id int PRIMARY KEY, mail text);"
PARTS = """CREATE TABLE posts (id int);
CREATE INDEX CONCURRENTLY users_mail ON users (mail);
ALTER TABLE users ADD COLUMN bio text;
CREATE UNIQUE INDEX CONCURRENTLY users_one ON users ((1));
ALTER TABLE posts ADD COLUMN late int;
"""


def back(project, db, *args):
    return aramid.run("rollback", "--failed", "--url", db.url(), *args, cwd=project.path)


def applied_first(project, db, sql=FIRST):
    name = project.add("first", sql)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO users VALUES (1, 'a'), (2, 'b')")
    return name


def failed_row(project, db, name, logs=None):
    """As Prisma's engine leaves it."""
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, applied_steps_count)"
           f" VALUES (gen_random_uuid(), '{project.checksum(name)}', '{name}', {repr(logs) if logs else 'NULL'}, 0)")


def is_as_before(project, db, first, name, *relations):
    for relation in relations:
        assert not db.exists(relation), relation
    assert db.column("SELECT mail FROM users ORDER BY id") == ["a", "b"]
    assert db.column("SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'bio'") == [0]
    assert [row["migration_name"] for row in ledger.rows(db)] == [first]
    assert db.column("SELECT count(*) FROM _aramid_journal" if db.exists("_aramid_journal")
                     else "SELECT count(*) FROM aramid.journal") == [0]


def test_an_interrupted_migration_of_several_steps(project, db):
    """The fourth statement fails on rows; the three before it are committed."""
    first = applied_first(project, db)
    name = project.add("second", PARTS)
    assert aramid.deploy(project, db.url()).rc != 0
    assert db.exists("posts") and db.exists("users_mail")
    refused = aramid.run("rollback", "--url", db.url(), cwd=project.path)
    assert refused.rc == 27 and "rollback --failed" in refused.err, refused
    plan = back(project, db, "--plan")
    assert plan.rc == 0 and 'DROP INDEX "public"."users_mail"' in plan.out and "INDEX CONCURRENTLY" not in plan.out, plan
    assert db.exists("posts") and 'DROP COLUMN "bio"' in plan.out, plan
    result = back(project, db, "--accept-data-loss", "--json")
    assert result.rc == 0 and result.json["proven"] and result.json["verified"] == "same", result
    assert [m["name"] for m in result.json["rolledBack"]] == [name]
    is_as_before(project, db, first, name, "posts", "users_mail", "users_one")
    project.edit(name, PARTS.replace("UNIQUE INDEX CONCURRENTLY users_one", "INDEX CONCURRENTLY users_one"))
    assert aramid.deploy(project, db.url()).rc == 0 and db.exists("users_one")
    ledger.check(db, project)


def test_a_tool_whose_table_has_no_row_of_it(project, db):
    """dbmate: what was begun is in the journal alone."""
    folder = "db/migrations"
    project.write(f"{folder}/20240101000000_first.sql", f"-- migrate:up\n{FIRST}\n-- migrate:down\nDROP TABLE users;\n")
    deploy = ("deploy", "--migrations", folder, "--url", db.url())
    assert aramid.run(*deploy, cwd=project.path).rc == 0
    db.sql("INSERT INTO users VALUES (1, 'a'), (2, 'b')")
    project.write(f"{folder}/20240102000000_second.sql", f"-- migrate:up transaction:false\n{PARTS}-- migrate:down\n")
    assert aramid.run(*deploy, cwd=project.path).rc != 0 and db.exists("posts")
    result = back(project, db, "--migrations", folder)
    assert result.rc == 0 and not db.exists("posts") and not db.exists("users_mail"), result
    assert db.column("SELECT version FROM schema_migrations") == ["20240101000000"]
    status = aramid.run("status", "--migrations", folder, "--url", db.url(), cwd=project.path)
    assert status.rc == 10 and "1 applied, 1 pending" in status.out, status
    db.sql("DELETE FROM users WHERE id = 2")
    assert aramid.run(*deploy, cwd=project.path).rc == 0 and db.exists("users_one")


def test_nothing_was_left(project, db, oracle):
    first = applied_first(project, db)
    name = project.add("second", "ALTER TABLE users ADD COLUMN bio text; SELECT 1/0;")
    assert oracle.deploy(project, db.url()).rc != 0
    result = back(project, db)
    assert result.rc == 0 and "what it was before" in result.text, result
    assert [row["migration_name"] for row in ledger.rows(db)] == [first]
    project.edit(name, "ALTER TABLE users ADD COLUMN bio text;")
    done = oracle.deploy(project, db.url())
    assert done.rc == 0 and ledger.applied(db) == [first, name], done


def test_an_invalid_index_of_prismas_engine(project, db, oracle):
    first = applied_first(project, db)
    name = project.add("second", "CREATE UNIQUE INDEX CONCURRENTLY users_one ON users ((1));")
    assert oracle.deploy(project, db.url()).rc != 0 and db.exists("users_one")
    plan = back(project, db, "--plan")
    assert plan.rc == 0 and 'DROP INDEX "public"."users_one"' in plan.out, plan
    result = back(project, db)
    assert result.rc == 0 and not db.exists("users_one"), result
    db.sql("DELETE FROM users WHERE id = 2")
    assert oracle.deploy(project, db.url()).rc == 0 and ledger.applied(db) == [first, name]


def test_what_its_own_commits_left(project, db):
    first = applied_first(project, db)
    name = project.add("second", "BEGIN;\nCREATE TABLE posts (id int);\nCOMMIT;\nBEGIN;\nUPDATE users SET mail = 'z';\n"
                                 "COMMIT;\nALTER TABLE posts ADD COLUMN k int;\nALTER TABLE nowhere ADD COLUMN k int;")
    failed_row(project, db, name, "it failed")
    db.sql("CREATE TABLE posts (id int)")
    result = back(project, db)
    assert result.rc == 27 and "UPDATE of users" in result.err and "--accept-unrestored" in result.err, result
    result = back(project, db, "--accept-unrestored", "--accept-data-loss")
    assert result.rc == 0, result
    assert not db.exists("posts") and [row["migration_name"] for row in ledger.rows(db)] == [first]


def test_what_others_changed_stays(project, db):
    applied_first(project, db)
    name = project.add("second", "CREATE TABLE posts (id int);")
    failed_row(project, db, name)
    db.sql("CREATE TABLE beside (i int); ALTER TABLE users ADD COLUMN hand int; CREATE TABLE posts (id int)")
    result = back(project, db, "--accept-data-loss")
    assert result.rc == 0 and not db.exists("posts") and db.exists("beside"), result
    assert db.column("SELECT count(hand) FROM users") == [0]


def test_what_no_beginning_makes_is_refused(project, db):
    applied_first(project, db)
    name = project.add("second", "CREATE TABLE posts (id int);\nCREATE TABLE more (i int);")
    failed_row(project, db, name, "it failed")
    db.sql("CREATE TABLE posts (id int)")
    result = back(project, db)
    assert result.rc == 27 and "nothing was changed" in result.err and "posts" in result.err, result
    assert "--rolled-back" in result.err and db.exists("posts") and len(ledger.rows(db)) == 2, result


def test_a_file_that_was_changed_since(project, db):
    applied_first(project, db)
    name = project.add("second", PARTS)
    assert aramid.deploy(project, db.url()).rc != 0
    project.edit(name, PARTS.replace("posts (id int)", "posts (id bigint)"))
    result = back(project, db)
    assert result.rc == 26 and "restore the file" in result.err and db.exists("posts"), result


def test_none_has_failed(project, db):
    applied_first(project, db)
    result = back(project, db)
    assert result.rc == 27 and "no migration has failed" in result.err, result
    both = back(project, db, "--steps", "2")
    assert both.rc == 2, both


def test_a_killed_one_is_still_there_or_gone(project, db):
    """One transaction: a kill leaves it as it was, and the next call ends it."""
    first = applied_first(project, db)
    name = project.add("second", PARTS)
    assert aramid.deploy(project, db.url()).rc != 0
    for point, rows in (("before-message", 2), ("after-message", 1)):
        killed = aramid.run("rollback", "--failed", "--accept-data-loss", "--url", db.url(), cwd=project.path,
                            env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert killed.rc < 0 and len(ledger.rows(db)) == rows, killed
        assert db.exists("posts") == (rows == 2), killed
    left = back(project, db)
    assert left.rc == 27 and "no migration has failed" in left.err, left
    is_as_before(project, db, first, name, "posts", "users_mail")
