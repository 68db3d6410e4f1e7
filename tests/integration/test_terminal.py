"""On a terminal: questions, progress, colours, Ctrl-C."""

import pytest

from harness import aramid, ledger, wait


def terminal(project, *args, **kwargs):
    return aramid.Terminal(*args, cwd=project.path, **kwargs)


def test_production_asks_for_the_name(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    args = ("deploy", "--env", "production", "--url", db.url())
    ours = terminal(project, *args)
    ours.read_until("Type the name of the database")
    assert project.names[0] in ours.text and db.name in ours.text
    ours.type("something else\n")
    result = ours.wait()
    assert result.rc == 4 and not db.exists("a"), result
    ours = terminal(project, *args)
    ours.read_until("Type the name of the database")
    ours.type(db.name + "\n")
    result = ours.wait()
    assert result.rc == 0 and db.exists("a"), result


def test_question_can_be_left_with_ctrl_c(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    ours = terminal(project, "deploy", "--env", "production", "--url", db.url())
    ours.read_until("Type the name of the database")
    ours.type("\x03")
    result = ours.wait()
    assert result.rc == 130 and not db.exists("a"), result
    ledger.clean(db)


def test_nobody_answers_while_others_wait(project, db):
    """A question that is open keeps no other run waiting; what it was about may be done by then."""
    project.add("init", "CREATE TABLE a (i int);")
    ours = terminal(project, "deploy", "--env", "production", "--url", db.url())
    ours.read_until("Type the name of the database")
    result = aramid.deploy(project, db.url(), "--wait", "5s")
    assert result.rc == 0 and db.exists("a"), result
    ours.type(db.name + "\n")
    assert ours.wait().rc == 0
    ledger.check(db, project)


def test_what_became_pending_meanwhile_was_not_approved(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    later = project.add("later", "CREATE TABLE b (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("more", "CREATE TABLE c (i int);")
    ours = terminal(project, "deploy", "--env", "production", "--url", db.url())
    ours.read_until("Type the name of the database")
    db.sql(f"DELETE FROM _prisma_migrations WHERE migration_name = '{later}'")
    ours.type(db.name + "\n")
    result = ours.wait()
    assert result.rc == 4 and later in result.text and not db.exists("c"), result


def test_progress_of_an_index_build(project, db):
    """The server's own percentages, and who is in the way."""
    project.add("init", "CREATE TABLE big AS SELECT i FROM generate_series(1, 1000) i;")
    project.add("index", "CREATE INDEX CONCURRENTLY big_i ON big (i);")
    old_snapshot = db.connect()
    old_snapshot.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    old_snapshot.cursor().execute("SELECT 1")
    ours = terminal(project, "deploy", "--url", db.url())
    ours.read_until("waiting for old snapshots")
    ours.read_until(str(old_snapshot.info.backend_pid))
    old_snapshot.rollback()
    old_snapshot.close()
    result = ours.wait()
    assert result.rc == 0 and "\r" in result.text.replace("\r\n", ""), result


def test_ctrl_c(project, db):
    project.add("slow", "SELECT pg_sleep(30);")
    ours = terminal(project, "deploy", "--url", db.url())
    wait.session_runs(db, "pg_sleep")
    ours.type("\x03")
    result = ours.wait()
    assert result.rc == 130 and project.names[0] in result.text, result
    ledger.clean(db)


def test_no_color(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = terminal(project, "deploy", "--url", db.url(), env={"NO_COLOR": "1"}).wait()
    assert result.rc == 0 and "\x1b[3" not in result.text and "\x1b[1m" not in result.text, result


@pytest.mark.parametrize("args", [["status"], ["plan"], ["deploy", "--dry-run"], ["drift"], ["doctor"],
                                  ["init", "--dry-run", "--only", "docker,github"]])
def test_a_narrow_terminal_breaks_at_words(project, args):
    """No line is longer than the terminal, but for quoted SQL, files and words that are; no colours where none are."""
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    project.add("users", "CREATE TABLE users (id int);")
    result = aramid.Terminal(*args, cwd=project.path, columns=40, env={"NO_COLOR": "1"}).wait()
    wide = aramid.Terminal(*args, cwd=project.path, env={"NO_COLOR": "1"}).wait()
    assert "\033[" not in result.text, result.text
    text = result.text.replace("\r", "")
    text = text[text.index("\nFiles:"):] if args[0] == "init" else text
    for line in text.split("\n"):
        assert len(line) <= 40 or line.lstrip().startswith("|") or " " not in line.strip(), text
    assert set(text.split()) <= set(wide.text.split())
