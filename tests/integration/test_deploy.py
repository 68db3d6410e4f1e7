"""`aramid deploy`: what it does to database and history."""

import os
import re

import pytest

from harness import aramid, ledger
from harness.project import Project


def test_applies_all_and_then_nothing(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("more", "CREATE TABLE b (i int);\nINSERT INTO a VALUES (1);\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert all(name in result.text for name in project.names)
    ledger.check(db, project)
    ledger.clean(db)
    before = ledger.rows(db)
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert ledger.rows(db) == before and db.one("SELECT count(*) FROM a") == 1


def test_goes_on_where_the_history_ends(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("second", "CREATE TABLE b (i int);")
    project.add("third", "CREATE TABLE c (i int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)


def test_history_table_is_the_one_that_prisma_makes(oracle, project, db, db2):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    assert oracle.deploy(project, db2.url()).rc == 0
    columns = ("SELECT column_name, data_type, character_maximum_length, is_nullable, column_default "
               "FROM information_schema.columns WHERE table_name = '_prisma_migrations' "
               "ORDER BY ordinal_position")
    assert db.sql(columns) == db2.sql(columns)
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = '_prisma_migrations'"
    assert db.sql(indexes) == db2.sql(indexes)


def test_single_transaction_migrations_write_nothing_but_their_row(project, db):
    """No journal is made as long as nothing needs one."""
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    tables = db.column("SELECT format('%s.%s', schemaname, tablename) FROM pg_tables "
                       "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1")
    assert tables == ["public._prisma_migrations", "public.a"]


def test_error_in_the_middle_leaves_nothing_and_can_be_repaired(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    name = project.add("bad", "CREATE TABLE b (i int);\n\nINSERT INTO a\nVALUES ('x');\n")
    project.add("later", "CREATE TABLE c (i int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22, result
    assert re.search(rf"{name}/migration\.sql:[34]", result.text), result
    assert "22P02" in result.text and "invalid input syntax" in result.text
    assert ledger.applied(db) == project.names[:1]
    assert not db.exists("b") and not db.exists("c")
    assert aramid.status(project, db.url()).rc in (10, 11)
    project.edit(name, "CREATE TABLE b (i int);\nINSERT INTO a VALUES (1);\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)


def test_error_points_at_the_right_line_of_a_long_file(project, db):
    name = project.add("bad", "CREATE TABLE a (i int);\n" * 1 + "-- ü 漢字\n" * 40
                       + "INSERT INTO a SELECT 'ä', nowhere;\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22, result
    assert f"{name}/migration.sql:42:" in result.text and "42703" in result.text
    assert not db.exists("a")


def test_failure_tells_what_to_do(project, db):
    project.add("bad", "CREATE TABLE a (i int);\nSELECT 1/0;\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22, result
    text = result.text
    assert "22012" in text and "division by zero" in text  # SQLSTATE and the server's words
    assert "aramid deploy" in text  # the next command
    assert ".aramid/runs/" in text  # the log
    assert "nothing of this migration is in the database" in text


def test_a_drop_that_others_depend_on_has_a_hint_of_its_own(project, db):
    project.add("init", "CREATE TABLE a (i int, s text);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("CREATE VIEW by_hand AS SELECT s FROM a")
    project.add("gone", "ALTER TABLE a DROP COLUMN s;")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "view by_hand depends on column s" in result.err, result
    assert "what depends on it is dropped first" in result.err and "correct the file or the data" not in result.err, result


@pytest.mark.parametrize("sql, made", [
    ("CREATE TABLE x (i int)", "x"),
    ("CREATE TABLE x (i int);", "x"),
    ("CREATE TABLE x (i int);\n-- the end", "x"),
    ("CREATE TABLE x (i int) -- the end", "x"),
    ("CREATE TABLE x (i int); /* the end", None),
    ("CREATE TABLE x (i int); /* the /* nested */ end */", "x"),
    ("CREATE TABLE x (i int);;;  ;\n", "x"),
    ("\ufeffCREATE TABLE x (i int);\n", "x"),
    ("CREATE TABLE x (i int);\r\nCREATE TABLE y (i int);\r\n", "x"),
], ids=["no-semicolon", "plain", "comment-last", "comment-no-semicolon", "open-comment",
        "nested-comment", "empty-statements", "bom", "crlf"])
def test_ends_of_files(project, db, sql, made):
    """The history row must be written whatever the last line looks like."""
    project.add("init", sql.encode())
    result = aramid.deploy(project, db.url())
    if made is None:
        assert result.rc in (20, 21, 22), result
        assert not db.exists("x")
        return
    assert result.rc == 0, result
    assert db.exists(made)
    ledger.check(db, project)


def test_backslash_strings_run_or_are_refused(project, db):
    """What a quote ends depends on a setting; whatever is made of that, nothing is half done."""
    project.add("init", "CREATE TABLE w (i int);")
    project.add("old", "SET standard_conforming_strings = off;\nCREATE TABLE x (t text DEFAULT 'a\\'b');\n")
    result = aramid.deploy(project, db.url())
    assert result.rc in (0, 20), result
    assert db.exists("x") == (result.rc == 0)


def test_a_backslash_behind_a_set_is_refused_before_anything_runs(project, db):
    project.add("init", "CREATE TABLE w (t text);")
    project.add("old", "INSERT INTO w VALUES ('a\\b');\nSET standard_conforming_strings = off;\nINSERT INTO w VALUES ('x\\'), ('y');\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 20 and "old/migration.sql:3:" in result.err and "E'...'" in result.err, result
    assert not db.exists("w")


def test_a_setting_of_strings_does_not_reach_the_next_file(project, db):
    """The server reads a whole message by the setting that held when it came."""
    project.add("init", "CREATE TABLE w (t text);\nSET standard_conforming_strings = off;\n")
    project.add("next", "INSERT INTO w VALUES ('C:\\new');\nCREATE INDEX CONCURRENTLY w_t ON w (t);\n"
                "SET standard_conforming_strings = off;\nCREATE INDEX CONCURRENTLY w_u ON w (t);\nINSERT INTO w VALUES (E'C:\\\\new');\n")
    assert aramid.deploy(project, db.url()).rc == 0
    assert db.column("SELECT DISTINCT t FROM w") == ["C:\\new"]


@pytest.mark.parametrize("whose", ["DATABASE {db}", "ROLE old_strings"])
def test_backslashes_where_strings_escape(project, db, whose):
    db.sql("DO $$ BEGIN CREATE ROLE old_strings LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN END $$")
    db.sql(f"ALTER {whose.format(db=db.name)} SET standard_conforming_strings = off")
    url = db.url(user="old_strings")
    project.add("init", "CREATE TABLE w (t text);\nINSERT INTO w VALUES (E'a\\\\b'), ($$a\\b$$);\n")
    assert aramid.deploy(project, url).rc == 0
    assert db.column("SELECT DISTINCT t FROM w") == ["a\\b"]
    name = project.add("plain", "INSERT INTO w VALUES ('x\\'); COMMIT; INSERT INTO w VALUES (', 1');\n")
    for command in ("plan", "deploy"):
        result = aramid.run(command, "--url", url, cwd=project.path)
        assert result.rc == 20 and f"{name}/migration.sql:1:" in result.err and "standard_conforming_strings" in result.err, result
    db.sql("ALTER ROLE old_strings RESET ALL")


@pytest.mark.parametrize("sql", ["", "\n", "-- nothing\n", "/* nothing */", ";"])
def test_empty_files_are_applied(project, db, sql):
    project.add("nothing", sql)
    project.add("after", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


def test_names_and_strays(project, db):
    project.add("20240101000000_with space", "CREATE TABLE a (i int);")
    project.add("20240102000000_with.sql", "CREATE TABLE b (i int);")
    project.add("20240103000000_it's \"quoted\"", "CREATE TABLE c (i int);")
    project.add("20240104000000_größe", "CREATE TABLE d (i int);")
    project.write("prisma/migrations/README.md", "not a migration")
    project.write("prisma/migrations/20240102000000_with.sql/down.sql", "DROP TABLE b;")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert sorted(ledger.applied(db)) == project.names
    assert aramid.status(project, db.url()).rc == 0


def test_settings_do_not_leak_into_the_next_migration(project, db):
    db.sql("CREATE SCHEMA elsewhere")
    db.sql("DROP ROLE IF EXISTS deploy_other")
    db.sql("CREATE ROLE deploy_other; GRANT ALL ON SCHEMA elsewhere TO deploy_other")
    project.add("leaks", "SET search_path = elsewhere;\nSET statement_timeout = 1;\nRESET statement_timeout;\n"
                "SET ROLE deploy_other;\nCREATE TABLE in_elsewhere (i int);\n")
    project.add("next", "CREATE TABLE in_public (i int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert db.exists("elsewhere.in_elsewhere") and db.exists("public.in_public")
    assert db.one("SELECT tableowner FROM pg_tables WHERE tablename = 'in_public'") == "postgres"
    db.sql("DROP OWNED BY deploy_other; DROP ROLE deploy_other")


@pytest.mark.parametrize("sql", [
    "SELECT pg_advisory_unlock_all();", "DISCARD ALL;", "RESET ALL;", "SET SESSION AUTHORIZATION DEFAULT;",
    "SELECT set_config('search_path', 'nowhere', false);", "SET client_min_messages = error;",
    "SET client_encoding = 'LATIN1';", "SET default_transaction_read_only = on;",
    "SET idle_session_timeout = 100; SELECT pg_sleep(0.05);", "SET lock_timeout = 1;",
    "SET lc_messages = 'C'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';",
])
def test_scripts_that_disturb_the_session(project, db, server, sql):
    if "idle_session" in sql and server.major < 14:
        pytest.skip("idle_session_timeout is of version 14")
    project.add("first", "CREATE TABLE a (i int);\n" if "DISCARD" not in sql else "SELECT 1;\n")
    project.add("disturb", sql)
    project.add("last", "CREATE TABLE b (i int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)


def test_schema_parameter_of_the_url(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    url = db.url(schema="Shop")
    result = aramid.deploy(project, url)
    assert result.rc == 0, result
    assert db.exists('"Shop".a') and not db.exists("public.a")
    ledger.check(db, project, "Shop")
    assert aramid.status(project, url).rc == 0


def test_other_folders(project, db, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.run("deploy", "-C", project.path, "--url", db.url(), cwd="/")
    assert result.rc == 0, result
    other = Project(tmp_path / "other", {"init": "CREATE TABLE b (i int);"})
    db.sql("DROP TABLE a, _prisma_migrations")
    result = aramid.run("deploy", "--migrations", other.migrations, "--url", db.url(), cwd="/")
    assert result.rc == 0, result
    assert db.exists("b")


def test_reads_the_schema_beside_the_migrations(tmp_path, db):
    """db/schema.prisma with db/migrations, named in package.json."""
    project = Project(tmp_path / "p", bare=True)
    project.write("db/schema.prisma", 'datasource db {\n  provider = "postgresql"\n'
                  '  url = env("SHOP_URL")\n}\n')
    project.write("db/migrations/20240101000000_init/migration.sql", "CREATE TABLE a (i int);")
    project.write("package.json", '{"prisma": {"schema": "db/schema.prisma"}}')
    result = aramid.run("deploy", cwd=project.path, env={"SHOP_URL": db.url()})
    assert result.rc == 0, result
    assert db.exists("a")


def test_large_file(project, db):
    line = "INSERT INTO a VALUES (" + "1), (".join([""] * 200) + "1);\n"
    project.add("init", "CREATE TABLE a (i int);\n" + line * 5000)
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM a") == 1000000


@pytest.mark.full
def test_very_large_file(project, db):
    text = "INSERT INTO a VALUES ('" + "x" * 9970 + "');\n"
    project.add("init", "CREATE TABLE a (t text);\n" + text * 10000)
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM a") == 10000


def test_json(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0, result
    assert name in str(result.json)
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0 and name not in str(result.json.get("applied", "")), result
    project.add("bad", "SELEC 1;")
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 21, result
    assert "42601" in str(result.json)


def test_deferred_constraints_fail_at_commit(project, db):
    project.add("init", "CREATE TABLE a (i int PRIMARY KEY);\n"
                "CREATE TABLE b (i int REFERENCES a DEFERRABLE INITIALLY DEFERRED);")
    project.add("bad", "CREATE TABLE c (i int);\nINSERT INTO b VALUES (7);\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "23503" in result.text, result
    assert ledger.applied(db) == project.names[:1] and not db.exists("c")


def test_database_is_created_in_development_only(project, server):
    project.add("init", "CREATE TABLE a (i int);")
    url = server.url("made_by_deploy")
    result = aramid.deploy(project, url, "--no-create-database")
    assert result.rc == 31 and "made_by_deploy" in result.text, result
    result = aramid.deploy(project, url, "--env", "production", "--yes")
    assert result.rc == 31, result
    result = aramid.deploy(project, url, "--create-database")
    assert result.rc == 0, result
    server.admin("DROP DATABASE made_by_deploy")


def test_production_asks_first(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url(), "--env", "production")
    assert result.rc == 4 and "--yes" in result.text, result
    assert not db.exists("a") and not db.exists("_prisma_migrations")
    result = aramid.deploy(project, db.url(), "--env", "production", "--yes")
    assert result.rc == 0, result
    result = aramid.deploy(project, db.url(), "--env", "production")  # nothing to do, nothing to ask
    assert result.rc == 0, result


def test_two_environments_with_one_database(project, db):
    """Staging and production by mistake on the same database: said, and nothing is applied twice."""
    project.write(".env.staging", f"DATABASE_URL={db.url()}\n")
    project.write(".env.production", f"DATABASE_URL={db.url()}\n")
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.run("deploy", "--env", "staging", cwd=project.path)
    assert result.rc == 4 and 'environment "production" (.env.production:1)' in result.text, result
    assert not db.exists("a")
    assert aramid.run("deploy", "--env", "staging", "--yes", cwd=project.path).rc == 0
    result = aramid.run("deploy", "--env", "production", "--yes", cwd=project.path)
    assert result.rc == 9 and 'environment "staging" (.env.staging:1)' in result.text, result
    project.write("aramid.yaml", "environments:\n  production:\n    identity: staging\n")
    result = aramid.run("deploy", "--env", "production", "--yes", cwd=project.path)
    assert result.rc == 0 and 'environment "staging" (.env.staging:1)' in result.text, result
    os.unlink(os.path.join(project.path, "aramid.yaml"))
    ledger.check(db, project)
    # The same for a URL that was given by hand, and none for one that every environment shares.
    project.add("more", "CREATE TABLE b (i int);")
    result = aramid.run("deploy", "--url", db.url(), cwd=project.path)
    assert result.rc == 9 and "production" in result.text and not db.exists("b"), result
    os.unlink(os.path.join(project.path, ".env.staging"))
    os.rename(os.path.join(project.path, ".env.production"), os.path.join(project.path, ".env"))
    result = aramid.run("deploy", "--env", "staging", "--yes", cwd=project.path)
    assert result.rc == 0 and "also the database" not in result.text, result


def test_rows_of_other_runs_keep_their_order(project, db):
    """started_at increases although the last row is from a clock that was ahead."""
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("UPDATE _prisma_migrations SET started_at = now() + interval '1 hour', "
           "finished_at = now() + interval '1 hour'")
    project.add("second", "CREATE TABLE b (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    assert [r["migration_name"] for r in ledger.rows(db)] == project.names
