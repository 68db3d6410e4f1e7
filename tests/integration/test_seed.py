"""aramid seed: SQL files once for each text, and the project's own command."""

import json
import os
import signal

import pytest

from harness import aramid, wait


def seed(project, db, *args, **more):
    return aramid.run("seed", "--url", db.url(), *args, cwd=project.path, **more)


@pytest.fixture
def app(project, db):
    """A project whose database has a table."""
    project.add("init", "CREATE TABLE t (i int PRIMARY KEY);")
    assert aramid.deploy(project, db.url()).rc == 0
    return project


def rows(db):
    return db.column("SELECT i FROM t ORDER BY i")


def command(project, name, text, **more):
    """A seed command of package.json that is a program of the project."""
    path = project.write(f"node_modules/.bin/{name}", f"#!/bin/sh\n{text}\n")
    os.chmod(path or os.path.join(project.path, f"node_modules/.bin/{name}"), 0o755)
    project.write("package.json", json.dumps({"prisma": {"seed": more.get("line", name)}}))


def test_a_file_runs_once_and_again_when_it_was_changed(app, db):
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (1);")
    assert seed(app, db).rc == 0 and rows(db) == [1]
    again = seed(app, db)
    assert again.rc == 0 and "seeded before" in again.out and rows(db) == [1], again
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (2);")
    assert seed(app, db).rc == 0 and rows(db) == [1, 2]
    app.write("prisma/seed.sql", "INSERT INTO t SELECT max(i) + 1 FROM t;")
    assert seed(app, db).rc == 0 and seed(app, db, "--again").rc == 0 and rows(db) == [1, 2, 3, 4]
    assert db.column("SELECT kind || ' ' || name FROM aramid.scripts") == ["seed prisma/seed.sql"]
    assert db.column("SELECT DISTINCT verb FROM aramid.runs WHERE verb <> 'deploy'") == ["seed"]
    assert aramid.deploy(app, db.url()).rc == 0 and aramid.status(app, db.url()).rc == 0


def test_files_run_in_their_order_each_whole(app, db):
    app.write("aramid.yaml", "seed_files: [seeds/b.sql, 'seeds/*.sql']\n")
    app.write("seeds/a.sql", "INSERT INTO t SELECT count(*) + 10 FROM t;")
    app.write("seeds/b.sql", "INSERT INTO t VALUES (1);")
    app.write("seeds/c.sql", "INSERT INTO t VALUES (5);\n\n  INSERT INTO t VALUES (5);")
    result = seed(app, db)
    assert result.rc == 22 and "seeds/c.sql:3" in result.err and "23505" in result.err, result
    assert "nothing of this script is in the database" in result.err and rows(db) == [1, 11], result
    app.write("seeds/c.sql", "INSERT INTO t VALUES (5);")
    result = seed(app, db, "--json")
    assert [f["state"] for f in result.json["files"]] == ["unchanged", "unchanged", "run"], result
    assert rows(db) == [1, 5, 11]


def test_files_may_be_those_of_an_environment(app, db):
    app.write("aramid.yaml", "seed_files: a.sql\nenvironments:\n  staging:\n    seed_files: [b.sql]\n")
    app.write("a.sql", "INSERT INTO t VALUES (1)")
    app.write("b.sql", "INSERT INTO t VALUES (2)")
    assert seed(app, db, "--env", "staging", "--yes").rc == 0 and rows(db) == [2]


@pytest.mark.parametrize("setting, words", [("[no.sql]", "there is no file"), ("['no/*.sql']", "no file is like")])
def test_files_that_are_not_there_are_an_error(app, db, setting, words):
    app.write("aramid.yaml", f"seed_files: {setting}\n")
    result = seed(app, db)
    assert result.rc not in (0, 70) and words in result.err, result


def test_a_seed_is_one_transaction(app, db):
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (1);\nCREATE INDEX CONCURRENTLY x ON t (i);")
    for args in ([], ["--dry-run"]):
        result = seed(app, db, *args)
        assert result.rc != 0 and "prisma/seed.sql:2" in result.err and "aramid execute" in result.err, result
        assert rows(db) == []


def test_dry_run_changes_nothing(app, db):
    command(app, "fill", "echo no > ran")
    app.write("aramid.yaml", "seed_files: a.sql\n")
    app.write("a.sql", "INSERT INTO t VALUES (1)")
    result = seed(app, db, "--dry-run")
    assert result.rc == 0 and "a.sql" in result.out and "fill" in result.out and rows(db) == [], result
    assert not os.path.exists(os.path.join(app.path, "ran"))


def test_the_projects_command_gets_the_database_and_no_shell(app, db):
    command(app, "fill", 'echo "url=$DATABASE_URL own=$ARAMID_ENV secret=$MY_TOKEN"; printf "<%s>" "$@"; echo',
            line='fill --options {"module":"CommonJS"} $HOME')
    app.write(".env", "MY_TOKEN=abcdef\n")
    result = seed(app, db, "--", "--count", "3 4", env={"ARAMID_ENV": "development"})
    assert result.rc == 0 and 'Running seed command `fill' in result.out, result
    assert 'seed command has been executed' in result.out, result
    assert f"url={db.url()} own= secret=\n" in result.out, result
    assert '<--options><{"module":"CommonJS"}><$HOME><--count><3 4>' in result.out, result
    assert db.sql("SELECT verb, outcome FROM aramid.runs ORDER BY started_at")[-1] == ("seed", "done")


def test_variables_that_the_project_names_lead_to_the_same_database(app, db):
    app.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n  url = env("MY_URL")\n}\n')
    command(app, "fill", 'echo "my=$MY_URL direct=$DIRECT_URL"')
    result = seed(app, db, env={"MY_URL": "postgresql://other/x", "DIRECT_URL": "postgresql://other/y"})
    assert result.rc == 0 and f"my={db.url()} direct={db.url()}" in result.out, result


def test_a_command_that_fails_is_a_failure(app, db):
    command(app, "fill", "echo so far; echo why >&2; exit 3")
    result = seed(app, db)
    assert result.rc == 7 and "exit status 3" in result.err and "so far" in result.out and "why" in result.out, result
    assert db.column("SELECT outcome FROM aramid.runs WHERE verb = 'seed'") == ["failed"]
    result = aramid.run("db", "seed", "--url", db.url(), cwd=app.path)
    assert result.rc == 1, result


@pytest.mark.parametrize("line, words", [
    ("fill && fill", "no shell reads it"), ("no_such_program_here x", "installed"), (" ", ""),
])
def test_commands_that_cannot_be_run(app, db, line, words):
    command(app, "fill", "echo ran > ran", line=line)
    result = seed(app, db)
    assert (result.rc == 7 and words in result.err) or line == " ", result
    assert not os.path.exists(os.path.join(app.path, "ran"))


def test_a_command_that_calls_itself_ends(app, db):
    command(app, "fill", f'"{aramid.BINARY}" seed')
    result = seed(app, db)
    assert result.rc == 7 and "runs aramid seed again" in result.text, result


def test_nothing_to_seed_with_is_told_and_no_failure(app, db):
    for words in (["seed"], ["db", "seed"], ["seed", "--dry-run"]):
        result = aramid.run(*words, "--url", db.url(), cwd=app.path)
        assert result.rc == 0 and "nothing to seed with" in result.out and "seed_files" in result.out, result


def test_production_must_be_named(app, db):
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (1);")
    for args in ([], ["--yes"]):
        result = seed(app, db, "--env", "production", *args)
        assert result.rc == 8 and rows(db) == [] and "ARAMID_CONSENT" in result.err, result
    result = seed(app, db, "--env", "production", "--no-backup", "--reason", "test",
                  env={"ARAMID_CONSENT": "production"})
    assert result.rc == 0 and rows(db) == [1], result


def test_a_command_needs_the_same_consent(app, db):
    command(app, "fill", "echo ran > ran")
    result = seed(app, db, "--env", "production", "--yes")
    assert result.rc == 8 and not os.path.exists(os.path.join(app.path, "ran")), result


def test_a_database_of_production_is_not_seeded_from_development(app, db):
    assert aramid.deploy(app, db.url(), "--env", "production", "--yes", "--no-backup", "--reason", "x").rc == 0
    assert aramid.run("identity", "set", "production", "--env", "production", "--yes", "--url", db.url(),
                      cwd=app.path).rc == 0
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (1);")
    result = seed(app, db)
    assert result.rc in (8, 9) and rows(db) == [], result


def test_rows_that_a_seed_empties_need_a_word(app, db):
    db.sql("INSERT INTO t VALUES (7)")
    app.write("prisma/seed.sql", "TRUNCATE t;\nINSERT INTO t VALUES (1);")
    result = seed(app, db)
    assert result.rc == 4 and "1 row" in result.err and rows(db) == [7], result
    assert seed(app, db, "--accept-data-loss").rc == 0 and rows(db) == [1]


def test_ctrl_c_ends_the_command_with_what_it_started(app, db):
    command(app, "fill", "echo begun; sleep 600 & wait")
    run = aramid.start("seed", "--url", db.url(), cwd=app.path)
    run.wait_for("begun")
    run.signal(signal.SIGINT)
    result = run.wait()
    assert result.rc == 130 and "stays" in result.err, result
    assert db.column("SELECT outcome FROM aramid.runs WHERE verb = 'seed'") == ["interrupted"]


def test_a_killed_seed_is_whole_or_not_there(app, db):
    app.write("prisma/seed.sql", "INSERT INTO t SELECT coalesce(max(i), 0) + 1 FROM t;")
    for point in ("connected", "locked", "ledger-created", "before-message", "after-message", "before-verify"):
        seed(app, db, env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert len(rows(db)) in (0, 1), point
        assert seed(app, db).rc == 0 and rows(db) == [1], point
        db.sql("TRUNCATE t; DROP TABLE IF EXISTS aramid.scripts")


def test_on_a_terminal_the_name_of_the_database_is_asked(app, db):
    app.write("prisma/seed.sql", "INSERT INTO t VALUES (1);")
    t = aramid.Terminal("seed", "--url", db.url(), "--env", "production", "--no-backup", "--reason", "x", cwd=app.path)
    t.read_until("Type the name of the database")
    assert "prisma/seed.sql is run" in t.text
    t.type(f"{db.name}\n")
    result = t.wait()
    assert result.rc == 0 and rows(db) == [1], result
