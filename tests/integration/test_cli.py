"""The command line: help from the tables, exit statuses, signals, what goes to which stream."""

import os
import signal
import socket

import pytest

from harness import aramid, ledger, wait
from harness.cluster import children_of


def commands():
    if aramid.missing():
        return []
    found = aramid.run("help", "--json").json
    return [c["name"] for c in found["commands"] if not c.get("hidden")]


def test_help_of_every_command():
    names = commands()
    assert {"deploy", "status", "plan", "resolve", "unlock", "db url", "config show"} <= set(names)
    overview = aramid.run("help").out
    for name in names:
        words = name.split()
        by_help, by_flag = aramid.run("help", *words), aramid.run(*words, "--help")
        assert by_help.rc == by_flag.rc == 0, name
        assert by_help.out == by_flag.out and not by_help.err, name
        assert max(map(len, by_help.out.splitlines())) <= 100, name
        if not name.startswith("migrate "):
            assert name.split()[0] in overview


def test_version_and_no_arguments():
    result = aramid.run("--version")
    assert result.rc == 0 and "aramid" in result.out.lower(), result
    result = aramid.run()
    assert result.rc == 2 and "deploy" in result.text, result


def test_errors_go_to_stderr(project):
    result = aramid.run("deploy", "--nope", cwd=project.path)
    assert result.rc == 2 and result.err and not result.out, result


def test_table_of_exit_statuses():
    result = aramid.run("help", "--errors")
    assert result.rc == 0 and "P3009" in result.out and "23" in result.out, result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_rolls_back_and_says_the_state(project, db, number):
    project.add("init", "CREATE TABLE witness (part text);")
    name = project.add("slow", "INSERT INTO witness VALUES ('slow');\nSELECT pg_sleep(3600);")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    wait.session_runs(db, "pg_sleep")
    ours.signal(number)
    result = ours.wait()
    assert result.rc == 128 + number, result
    assert name in result.text
    ledger.clean(db)
    assert ledger.applied(db) == project.names[:1] and not ledger.witnesses(db)
    project.edit(name, "INSERT INTO witness VALUES ('slow');")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_every_command_that_waits(project, db, number):
    """128 + n, and the same in JSON."""
    name = project.add("init", "CREATE TABLE a (i int);")
    other = db.connect()
    other.cursor().execute("SELECT pg_advisory_lock(107143888726372)")
    ours = aramid.start("resolve", "--applied", name, "--url", db.url(), "--json", cwd=project.path)
    ours.wait_for("waiting")
    ours.signal(number)
    result = ours.wait()
    assert result.rc == 128 + number == result.json["error"]["exitStatus"], result
    other.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/db?connect_timeout=3600"
        for command in ("deploy", "status", "plan", "unlock"):
            ours = aramid.start(command, "--url", url, cwd=project.path)
            connection, _ = silent.accept()
            connection.recv(1)
            ours.signal(number)
            assert ours.wait().rc == 128 + number, command
            connection.close()


def test_signal_during_an_index_build_resumes(project, db):
    project.add("init", "CREATE TABLE big (i int);")
    project.add("index", "CREATE TABLE half (i int);\nCREATE INDEX CONCURRENTLY big_i ON big (i);\n"
                "CREATE TABLE rest (i int);")
    old_snapshot = db.connect()
    old_snapshot.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    old_snapshot.cursor().execute("SELECT 1")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    wait.session_runs(db, "CONCURRENTLY")  # waits for the old snapshot
    ours.signal(signal.SIGTERM)
    result = ours.wait()
    assert result.rc == 143, result
    assert "outside of transactions was cancelled" in result.text, result
    old_snapshot.rollback()
    old_snapshot.close()
    assert aramid.status(project, db.url()).rc == 12
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)


def test_as_pid_1(project, db):
    """In a container without an init: signals work and the exit status arrives."""
    if os.getuid() != 0:
        pytest.skip("needs a pid namespace")
    project.add("slow", "SELECT pg_sleep(3600);")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path,
                        prefix=("unshare", "--pid", "--fork", "--kill-child"))
    wait.session_runs(db, "pg_sleep")
    for pid in children_of(ours.pid):
        os.kill(pid, signal.SIGTERM)
    result = ours.wait()
    assert result.rc == 143, result
    ledger.clean(db)


def test_shows_progress_as_plain_lines(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url())
    assert "\x1b[" not in result.text and "\r" not in result.text
    assert "✅" in result.text and "Z" in result.text, result


def test_quiet(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url(), "--quiet")
    assert result.rc == 0 and len(result.err.splitlines()) == 0, result


def test_other_runner_is_named(project, db):
    project.add("slow", wait.HELD)
    with wait.held(db) as reached:
        first = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        result = aramid.deploy(project, db.url(), "--wait", "500ms")
        assert result.rc == 41 and str(first.pid) in result.text, result
        result = aramid.run("unlock", "--url", db.url(), cwd=project.path)
        assert result.rc == 0 and str(first.pid) in result.text, result
    assert first.wait().rc == 0
    ledger.check(db, project)


def test_unlock_ends_an_orphan(project, db):
    """The client is gone, its backend still works."""
    project.add("init", "CREATE TABLE a (i int);")
    orphan = db.connect()
    orphan.cursor().execute("SELECT pg_advisory_lock(72707369)")
    pid = orphan.info.backend_pid
    result = aramid.run("unlock", "--url", db.url(), cwd=project.path)
    assert result.rc == 0 and str(pid) in result.text, result
    result = aramid.run("unlock", str(pid), "--yes", "--url", db.url(), cwd=project.path)
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == 0
    assert aramid.deploy(project, db.url()).rc == 0


def test_unlock_ends_only_runners(project, db):
    bystander = db.connect()
    pid = bystander.info.backend_pid
    result = aramid.run("unlock", str(pid), "--yes", "--url", db.url(), cwd=project.path)
    assert result.rc != 0, result
    assert db.one("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == 1
    bystander.close()
