"""aramid reset: a development database anew, and whose data it never touches."""

import os

import pytest

from harness import aramid, ledger

USERS = "CREATE TABLE users (id int PRIMARY KEY);\nCREATE TYPE mood AS ENUM ('a');\n"
POSTS = ("CREATE SCHEMA app;\nCREATE TABLE app.posts (id int PRIMARY KEY, u int REFERENCES users, m mood);\n"
         "CREATE VIEW app.v AS SELECT * FROM app.posts;\n"
         "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n")


def reset(project, db, *args, **more):
    return aramid.run("reset", "--url", db.url(), *args, cwd=project.path, **more)


@pytest.fixture
def app(project, db):
    project.names_ = project.add("users", USERS), project.add("posts", POSTS)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO users VALUES (1), (2); INSERT INTO app.posts VALUES (1, 1, 'a')")
    return project


def is_new(app, db):
    return (db.one("SELECT count(*) FROM users") == 0 and ledger.applied(db) == list(app.names_)
            and aramid.run("drift", "--exit-code", "--url", db.url(), cwd=app.path).rc == 0)


def test_everything_is_dropped_and_built_anew(app, db):
    app.write("prisma/seed.sql", "INSERT INTO users VALUES (7);")
    db.sql("CREATE TABLE by_hand (i int)")
    assert aramid.run("seed", "--url", db.url(), cwd=app.path).rc == 0
    result = reset(app, db, "--force")
    assert result.rc == 0 and "Database reset successful" in result.out, result
    assert all(name in result.out for name in (*app.names_, "prisma/seed.sql")), result
    assert db.column("SELECT id FROM users") == [7] and not db.exists("by_hand")
    assert db.sql("SELECT verb, outcome FROM aramid.runs WHERE verb = 'reset'") == [("reset", "done")]
    assert reset(app, db, "--force", "--skip-seed").rc == 0 and is_new(app, db)


def test_rows_are_counted_and_nothing_is_lost_without_a_word(app, db):
    result = reset(app, db)
    assert result.rc == 4 and "--force" in result.err, result
    assert db.one("SELECT count(*) FROM users") == 2
    result = reset(app, db, "--dry-run")
    assert result.rc == 0 and "users: 2 rows" in result.out and "posts: 1 row" in result.out, result
    assert db.one("SELECT count(*) FROM users") == 2


def test_on_a_terminal_the_name_of_the_database_is_asked(app, db):
    for answer, rc in ((db.name + "x", 4), (db.name, 0)):
        t = aramid.Terminal("reset", "--url", db.url(), cwd=app.path)
        t.read_until("Type the name of the database")
        assert "users: 2 rows" in t.text.replace('"', ""), t.text
        t.type(f"{answer}\n")
        result = t.wait()
        assert result.rc == rc, result
    assert is_new(app, db)


def test_ctrl_c_at_the_question_changes_nothing(app, db):
    t = aramid.Terminal("reset", "--url", db.url(), cwd=app.path)
    t.read_until("Type the name of the database")
    t.type("\x03")
    assert t.wait().rc == 130 and db.one("SELECT count(*) FROM users") == 2


def test_production_is_never_reset(app, db):
    for args in (["--env", "production"], ["--env", "production", "--force"]):
        result = reset(app, db, *args, env={"ARAMID_CONSENT": "production"})
        assert result.rc == 8 and "never for production" in result.err, result
    assert aramid.run("identity", "set", "production", "--env", "production", "--yes", "--url", db.url(),
                      cwd=app.path).rc == 0
    result = reset(app, db, "--force")
    assert result.rc in (8, 9) and db.one("SELECT count(*) FROM users") == 2, result


def test_staging_must_be_named(app, db):
    result = reset(app, db, "--env", "staging", "--force")
    assert result.rc == 8 and "ARAMID_CONSENT=staging" in result.err, result
    assert db.one("SELECT count(*) FROM users") == 2
    result = reset(app, db, "--env", "staging", "--force", env={"ARAMID_CONSENT": "staging"})
    assert result.rc == 0, result


def test_a_coding_agent_needs_a_persons_words(app, db):
    result = reset(app, db, "--force", env={"CLAUDECODE": "1"})
    assert result.rc == 8 and db.one("SELECT count(*) FROM users") == 2, result
    result = reset(app, db, "--force", env={"CLAUDECODE": "1",
                                            "PRISMA_USER_CONSENT_FOR_DANGEROUS_AI_ACTION": "yes, reset it"})
    assert result.rc == 0, result


def test_others_who_are_connected_are_named(app, db):
    with db.connect() as other, other.cursor() as c:
        c.execute("SET application_name = 'my web app'; COMMIT")
        result = reset(app, db, "--force")
        assert result.rc == 8 and "my web app" in result.err and "--ignore-connections" in result.err, result
        assert db.one("SELECT count(*) FROM users") == 2
        assert reset(app, db, "--force", "--ignore-connections").rc == 0
    assert is_new(app, db)


def test_what_is_not_the_projects_is_left_alone_and_named(app, db):
    db.sql("CREATE SCHEMA auth; CREATE TABLE auth.users (i int); INSERT INTO auth.users VALUES (1);"
           "CREATE SCHEMA other_app; CREATE TABLE other_app.t (i int);"
           "CREATE TABLE knex_migrations (id int, name text, batch int, migration_time timestamptz);"
           "CREATE TABLE keep_me (i int)")
    app.write("aramid.yaml", "ignore: [public.keep_me]\n")
    result = reset(app, db, "--force")
    assert result.rc == 0, result
    for text in ("schema auth", "knex_migrations", "keep_me"):
        assert text in result.out, (text, result)
    for table in ("auth.users", "other_app.t", "knex_migrations", "keep_me"):
        assert db.exists(table), table
    assert db.one("SELECT count(*) FROM auth.users") == 1


def test_a_drop_that_is_held_up_by_others_takes_nothing(app, db):
    db.sql("CREATE SCHEMA other_app; CREATE TABLE other_app.t (u int REFERENCES public.users)")
    result = reset(app, db, "--force")
    assert result.rc != 0 and "other_app" in result.err, result
    assert db.one("SELECT count(*) FROM users") == 2 and db.one("SELECT count(*) FROM app.posts") == 1


def test_a_migration_that_cannot_be_read_ends_it_before_anything_is_dropped(app, db):
    app.add("bad", "SELECT 'open")
    result = reset(app, db, "--force")
    assert result.rc != 0 and db.one("SELECT count(*) FROM users") == 2, result


def test_a_failed_history_is_gone_afterwards(app, db):
    bad = app.add("bad", "CREATE TABLE w (i int);\nCREATE INDEX CONCURRENTLY w_i ON w (i);\nSELECT nowhere;")
    assert aramid.deploy(app, db.url()).rc == 22 and db.one("SELECT count(*) FROM aramid.journal") > 0
    app.edit(bad, "CREATE TABLE w (i int);")
    result = reset(app, db, "--force")
    assert result.rc == 0 and db.exists("w") and db.one("SELECT count(*) FROM aramid.journal") == 0, result


def test_a_killed_reset_is_finished_by_the_next_one(app, db):
    for point in ("connected", "locked", "ledger-created", "before-message", "after-message", "before-verify",
                  "between-blocks"):
        if point == "ledger-created":
            db.sql("DROP TABLE aramid.scripts")
        result = reset(app, db, "--force", env={"ARAMID_FAILPOINT": f"{point}:kill"})
        assert result.rc != 0, (point, result)
        result = reset(app, db, "--force")
        assert result.rc == 0 and is_new(app, db), (point, result)
        db.sql("INSERT INTO users VALUES (1), (2); INSERT INTO app.posts VALUES (1, 1, 'a')")


def test_a_backup_by_policy_brings_all_back(app, db):
    app.write("aramid.yaml", "backup:\n  enabled: true\n")
    result = reset(app, db, "--force", "--json")
    assert result.rc == 0 and result.json["backup"] and result.json["applied"] == list(app.names_), result
    assert len(os.listdir(os.path.join(app.path, "backups"))) >= 1


@pytest.mark.parametrize("spelling", [["migrate", "reset"], ["reset"]])
def test_prismas_spelling(app, db, spelling):
    result = aramid.run(*spelling, "-f", "--skip-seed", "--skip-generate", "--url", db.url(), cwd=app.path)
    assert result.rc == 0 and is_new(app, db), result


def test_prismas_statuses(app, db):
    result = aramid.run("migrate", "reset", "--url", db.url(), cwd=app.path)
    assert result.rc == 1 and db.one("SELECT count(*) FROM users") == 2, result


def test_a_database_that_is_not_there_is_made(app, db):
    url = db.url().replace(db.name, f"{db.name}_new")
    result = aramid.run("reset", "--force", "--url", url, cwd=app.path)
    assert result.rc == 0 and "created database" in result.err, result


def test_the_embedded_server_is_reset_too(project):
    project.add("users", USERS)
    assert aramid.run("deploy", cwd=project.path).rc == 0
    result = aramid.run("reset", "--force", cwd=project.path)
    assert result.rc == 0 and "Database reset successful" in result.out, result
    aramid.run("db", "remove", "--yes", cwd=project.path)
