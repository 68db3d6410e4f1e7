"""Clocks that go back or are wrong: the order never comes from the local clock."""

import shutil

import pytest

from harness import aramid, ledger

FAKETIME = shutil.which("faketime")
pytestmark = pytest.mark.skipif(FAKETIME is None, reason="faketime is not installed")


def at(shift, project, db, *args):
    """Deploy with a shifted wall clock; the monotonic clock is left alone, as on a real machine."""
    options = aramid.environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return aramid.run("deploy", "--url", db.url(), *args, cwd=project.path,
                      prefix=(FAKETIME, "-f", shift),
                      env={"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                           "ASAN_OPTIONS": options})


@pytest.mark.parametrize("shift", ["-1d", "+400d", "+15y"])
def test_clock_set_back_between_two_runs(project, db, shift):
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("second", "INSERT INTO witness VALUES ('second');")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("third", "INSERT INTO witness VALUES ('third');")
    result = at(shift, project, db)
    assert result.rc == 0, result
    project.add("fourth", "INSERT INTO witness VALUES ('fourth');")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)
    assert aramid.status(project, db.url()).rc == 0


def test_prisma_accepts_the_order(oracle, project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert at("+2d", project, db).rc == 0
    project.add("second", "CREATE TABLE b (i int);")
    assert at("-2d", project, db).rc == 0
    assert "up to date" in oracle.status(project, db.url()).text
    ledger.check(db, project)


def test_interrupted_run_is_finished_under_another_clock(project, db):
    project.add("init", "CREATE TABLE witness (part text);\nCREATE TABLE big (i int);")
    project.add("index", "INSERT INTO witness VALUES ('1');\nCREATE INDEX CONCURRENTLY big_i ON big (i);\n"
                "INSERT INTO witness VALUES ('2');")
    aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-intent:kill"})
    result = at("-1d", project, db)
    assert result.rc == 0, result
    ledger.check(db, project)
    assert ledger.witnesses(db) == {"1": 1, "2": 1}
