"""aramid execute: a script beside the migrations, with the protocol of a deploy."""

import os
import signal
import subprocess

import pytest

from harness import aramid, wait


def execute(project, db, *args, **more):
    return aramid.run("execute", "--url", db.url(), *args, cwd=project.path, **more)


def scripts(db):
    return db.sql("SELECT kind, name, run_id FROM aramid.scripts ORDER BY kind, name")


def test_a_script_runs_each_time_and_is_recorded(project, db):
    project.write("fix.sql", "CREATE TABLE IF NOT EXISTS t (i int);\nINSERT INTO t VALUES (1);\n")
    for times in (1, 2):
        result = execute(project, db, "fix.sql")
        assert result.rc == 0 and "executed successfully" in result.out and "2 statements" in result.out, result
        assert db.one("SELECT count(*) FROM t") == times
    assert db.column("SELECT kind || ' ' || name FROM aramid.scripts") == ["execute fix.sql"]
    runs = db.sql("SELECT run_id, verb, outcome, log FROM aramid.runs ORDER BY started_at")
    assert [r[1:3] for r in runs] == [("execute", "done")] * 2, runs
    assert runs[1][0] == scripts(db)[0][2] and os.path.isdir(runs[1][3]), runs
    assert not db.exists("_prisma_migrations")


def test_the_script_may_come_from_standard_input(project, db):
    for name in ("execute", "db execute"):
        run = aramid.start(*name.split(), "--stdin", "--url", db.url(), cwd=project.path, stdin=subprocess.PIPE)
        run.process.stdin.write(b"CREATE TABLE IF NOT EXISTS s (i int); INSERT INTO s VALUES (1)")
        run.process.stdin.close()
        result = run.wait()
        assert result.rc == 0 and "Script executed successfully." in result.out, result
    assert db.one("SELECT count(*) FROM s") == 2


@pytest.mark.parametrize("args, words", [
    ([], "which script"), (["a.sql", "--stdin"], "not both"), (["--file", "a.sql", "--stdin"], "--stdin"),
    (["a.sql", "b.sql"], "b.sql"), (["nope.sql"], "there is no file"), (["."], ""),
])
def test_what_is_typed_wrongly_changes_nothing(project, db, args, words):
    project.write("a.sql", "CREATE TABLE t (i int)")
    result = execute(project, db, *args)
    assert result.rc not in (0, 70) and words in result.err and not db.exists("t"), result


def test_prismas_spelling_has_prismas_statuses(project, db):
    project.write("bad.sql", "SELECT 1;\nSELECT nowhere;")
    result = aramid.run("db", "execute", "--file", "bad.sql", "--url", db.url(), cwd=project.path)
    assert result.rc == 1 and "bad.sql:2:8" in result.err and "42703" in result.err, result
    result = aramid.run("db", "execute", "--url", db.url(), cwd=project.path)
    assert result.rc == 1 and "--stdin" in result.err, result


def test_an_error_names_its_place_and_leaves_nothing(project, db):
    project.write("bad.sql", "CREATE TABLE t (i int);\nINSERT INTO t VALUES (1);\n  INSERT INTO t VALUES ('x');\n")
    result = execute(project, db, "bad.sql")
    assert result.rc == 22 and "bad.sql:3:" in result.err and "22P02" in result.err, result
    assert "nothing of this script is in the database" in result.err and "aramid execute --file bad.sql" in result.err
    assert "migration" not in result.err, result
    assert not db.exists("t") and db.one("SELECT outcome FROM aramid.runs") == "failed"
    project.write("bad.sql", "CREATE TABL t;")
    result = execute(project, db, "bad.sql")
    assert result.rc != 0 and "bad.sql:1:8" in result.err, result


def test_loss_is_counted_and_needs_a_word(project, db):
    db.sql("CREATE TABLE full_one (i int, note text); INSERT INTO full_one VALUES (1, 'a'), (2, NULL);"
           "CREATE TABLE empty_one (i int)")
    project.write("harmless.sql", "DROP TABLE empty_one; DROP TABLE IF EXISTS never;\nDROP SCHEMA IF EXISTS nowhere")
    assert execute(project, db, "harmless.sql").rc == 0
    project.write("drop.sql", "ALTER TABLE full_one DROP COLUMN note;\nDROP TABLE full_one;")
    for args in ([], ["--yes"]):
        result = execute(project, db, "drop.sql", *args)
        assert result.rc == 4 and "2 rows" in result.err and "1 value" in result.err, result
        assert "--accept-data-loss" in result.err and "drop.sql:1" in result.err, result
        assert db.one("SELECT count(*) FROM full_one") == 2
    assert execute(project, db, "drop.sql", "--accept-data-loss").rc == 0
    assert not db.exists("full_one")


def test_where_names_may_lead_elsewhere_nothing_is_counted(project, db):
    db.sql("CREATE SCHEMA other; CREATE TABLE other.t (i int); INSERT INTO other.t VALUES (1); CREATE TABLE t (i int)")
    project.write("drop.sql", "SET search_path = other;\nDROP TABLE t;")
    result = execute(project, db, "drop.sql")
    assert result.rc == 4 and "table t" in result.err and " row" not in result.err, result
    project.write("drop.sql", "DROP TABLE t;")
    assert execute(project, db, "drop.sql").rc == 0 and db.exists("other.t")


def test_dry_run_shows_and_changes_nothing(project, db):
    db.sql("CREATE TABLE full_one (i int); INSERT INTO full_one VALUES (1)")
    project.write("drop.sql", "DROP TABLE full_one;")
    result = execute(project, db, "drop.sql", "--dry-run")
    assert result.rc == 0 and "ACCESS EXCLUSIVE" in result.out.upper().replace("_", " "), result
    assert "1 row" in result.out and "DROP TABLE full_one" in result.out and "aramid execute" in result.out, result
    assert db.exists("full_one") and not db.one("SELECT to_regnamespace('aramid')")
    assert not os.path.exists(os.path.join(project.path, ".aramid", "runs"))


SEVERAL = "CREATE TABLE t (i int);\nCREATE INDEX CONCURRENTLY t_i ON t (i);\nINSERT INTO t VALUES (%s);\n"


def test_what_cannot_be_one_transaction_is_several_steps(project, db):
    project.write("several.sql", SEVERAL % 1)
    result = execute(project, db, "several.sql", "--tx", "all")
    assert result.rc != 0 and "several.sql:2" in result.err and "--tx file" in result.err and not db.exists("t"), result
    result = execute(project, db, "several.sql", "--tx", "all", "--dry-run")
    assert result.rc != 0 and "several.sql:2" in result.err, result
    assert execute(project, db, "several.sql").rc == 0
    assert db.exists("t_i") and db.one("SELECT count(*) FROM aramid.journal") == 0


def test_the_next_call_goes_on_where_one_failed(project, db):
    project.write("several.sql", SEVERAL % "1 / 0")
    result = execute(project, db, "several.sql")
    assert result.rc == 22 and "statements 1 to 2 of 3 of this script are committed" in result.err, result
    project.write("several.sql", SEVERAL % "7")
    result = execute(project, db, "several.sql", "--json")
    assert result.rc == 0 and result.json["resumed"], result
    assert db.column("SELECT i FROM t") == [7] and db.one("SELECT count(*) FROM aramid.journal") == 0


def test_a_script_whose_beginning_was_changed_is_another_one(project, db):
    project.write("several.sql", SEVERAL % "1 / 0")
    assert execute(project, db, "several.sql").rc == 22
    project.write("several.sql", "DROP INDEX t_i;\nINSERT INTO t VALUES (3);\n")
    result = execute(project, db, "several.sql")
    assert result.rc == 0 and "from its first statement" in result.err, result
    assert db.column("SELECT i FROM t") == [3] and db.one("SELECT count(*) FROM aramid.journal") == 0


def test_it_can_be_asked_to_begin_again(project, db):
    project.write("several.sql", "CREATE TABLE IF NOT EXISTS t (i int);\nINSERT INTO t VALUES (1);\n"
                  "CREATE INDEX CONCURRENTLY t_i ON t (i);\nSELECT 1 / (SELECT count(*) - 1 FROM t);")
    assert execute(project, db, "several.sql").rc == 22
    db.sql("DROP INDEX t_i")
    result = execute(project, db, "several.sql", "--from-start")
    assert result.rc == 0 and db.one("SELECT count(*) FROM t") == 2, result


def test_a_half_done_script_is_in_nobodys_way(project, db):
    """Ledgers that keep no begun migrations must not take its steps for theirs, nor the other way round."""
    project.write("db/migrations/20240101000000_one.sql", "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\n")
    project.write("aramid.yaml", "migrations: db/migrations\n")
    assert aramid.deploy(project, db.url()).rc == 0
    project.write("several.sql", SEVERAL % "1 / 0")
    assert execute(project, db, "several.sql").rc == 22
    project.write("db/migrations/20240101000001_more.sql", "-- migrate:up\nCREATE TABLE more (i int);\n-- migrate:down\n")
    result = aramid.deploy(project, db.url())
    assert result.rc == 0 and db.exists("more"), result
    project.write("db/migrations/20240101000002_two.sql", "-- migrate:up transaction:false\nCREATE TABLE two (i int);\n"
                  "CREATE INDEX CONCURRENTLY two_i ON two (i);\nSELECT 1 / 0;\n-- migrate:down\n")
    assert aramid.deploy(project, db.url()).rc == 22
    project.write("several.sql", SEVERAL % "4")
    result = execute(project, db, "several.sql")
    assert result.rc == 0 and db.column("SELECT i FROM t") == [4], result
    assert db.one("SELECT count(*) FROM aramid.journal") > 0


def test_production_asks_and_makes_a_backup_first(project, db):
    db.sql("CREATE TABLE t (i int)")
    project.write("fix.sql", "INSERT INTO t VALUES (1)")
    result = execute(project, db, "fix.sql", "--env", "production")
    assert result.rc == 4 and "--yes" in result.err and db.one("SELECT count(*) FROM t") == 0, result
    result = execute(project, db, "fix.sql", "--env", "production", "--yes", "--json")
    assert result.rc == 0 and result.json["backup"], result
    assert db.one("SELECT count(*) FROM t") == 1


def test_a_coding_agent_does_not_drop_by_itself(project, db):
    db.sql("CREATE TABLE t (i int); INSERT INTO t VALUES (1)")
    project.write("drop.sql", "DROP TABLE t")
    result = execute(project, db, "drop.sql", "--accept-data-loss", "--yes", env={"CLAUDECODE": "1"})
    assert result.rc == 8 and db.exists("t"), result


def test_a_busy_table_is_waited_for(project, db):
    db.sql("CREATE TABLE t (i int)")
    project.write("add.sql", "ALTER TABLE t ADD COLUMN j int;")
    with db.connect() as other:
        with other.cursor() as c:
            c.execute("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
            result = execute(project, db, "add.sql", "--lock-timeout", "100ms", "--lock-budget", "700ms")
        assert result.rc != 0 and 'script "add.sql" found its table locks taken' in result.err, result
        assert "aramid execute --file add.sql" in result.err, result
        other.rollback()
    assert execute(project, db, "add.sql").rc == 0


def test_ctrl_c_leaves_nothing_and_says_so(project, db):
    project.write("slow.sql", "CREATE TABLE t (i int);\nSELECT pg_sleep(600);")
    run = aramid.start("execute", "--url", db.url(), "slow.sql", cwd=project.path)
    wait.session_runs(db, "pg_sleep(600)")
    run.signal(signal.SIGINT)
    result = run.wait()
    assert result.rc == 130 and "rolled back" in result.err and "aramid execute --file slow.sql" in result.err, result
    assert not db.exists("t")


def test_a_read_only_database_and_none_at_all(project, db):
    project.write("a.sql", "SELECT 1")
    db.sql(f'ALTER DATABASE "{db.name}" SET default_transaction_read_only = on')
    result = execute(project, db, "a.sql")
    assert result.rc == 34 and "accepts no writes" in result.err, result
    result = aramid.run("execute", "a.sql", "--url", db.url().replace(db.name, "no_such_database"), cwd=project.path)
    assert result.rc != 0 and "no_such_database" in result.err, result


def test_a_killed_script_is_whole_or_not_there(project, db):
    project.write("several.sql", "CREATE TABLE IF NOT EXISTS t (i int);\nINSERT INTO t VALUES (1);\n"
                  "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_i ON t (i);\nINSERT INTO t VALUES (2);\n")
    for point in ("connected", "locked", "before-message", "after-message", "after-statement", "before-verify"):
        execute(project, db, "several.sql", env={"ARAMID_FAILPOINT": f"{point}:kill"})
        result = execute(project, db, "several.sql")
        assert result.rc == 0, (point, result)
        rows = db.column("SELECT i FROM t ORDER BY i")
        assert rows in ([1, 2], [1, 1, 2, 2]) and db.exists("t_i"), (point, rows)
        assert db.one("SELECT count(*) FROM aramid.journal") == 0, point
        db.sql("DROP TABLE t")
