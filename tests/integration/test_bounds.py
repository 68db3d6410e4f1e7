"""Bounds of a run: memory, logs; and who holds the lock."""

import os
import subprocess

import pytest

from harness import aramid

NO_MEMORY = "allocator_may_return_null=1:max_allocation_size_mb=20:exitcode=99"


def test_out_of_memory_has_a_word_and_a_status(project, db):
    """No abort, no core: nothing is done, and the next run goes on."""
    if "debug" not in aramid.BINARY:
        pytest.skip("only the sanitizer's allocator has a limit that a test can set")
    project.add("big", "CREATE TABLE t (x text);\nINSERT INTO t VALUES ('" + "x" * 30_000_000 + "');\n")
    run = subprocess.run([aramid.BINARY, "deploy", "--url", db.url()], cwd=project.path, check=False, text=True,
                         env=aramid.environment(ASAN_OPTIONS=NO_MEMORY), capture_output=True)
    assert run.returncode == 45 and "out of memory" in run.stderr and "nothing is half done" in run.stderr, run
    assert not db.exists("t")
    assert aramid.deploy(project, db.url()).rc == 0


def test_notices_do_not_fill_the_disk(project, db):
    project.add("loud", "DO $$ BEGIN FOR i IN 1..60000 LOOP RAISE NOTICE '%', repeat('n', 400); END LOOP; END $$;\n")
    assert aramid.deploy(project, db.url()).rc == 0
    runs = os.path.join(project.path, ".aramid", "runs")
    folder = os.path.join(runs, os.listdir(runs)[0])
    assert sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) < 24 * 1024 * 1024
    with open(os.path.join(folder, "log.txt"), encoding="utf-8") as log:
        text = log.read()
    assert text.count("no longer written down") == 1 and "applied" in text


def test_a_circle_of_links_is_no_missing_file(project, db):
    name = project.add("init", "SELECT 1;\n")
    os.unlink(project.file(name))
    os.symlink("migration.sql", project.file(name))
    run = aramid.deploy(project, db.url())
    assert "delete the folder" not in run.err and run.rc == 5, run


def test_a_build_behind_a_prepared_transaction_says_so(project, db):
    project.add("init", "CREATE TABLE t (x int);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'w {db.name}'")
    try:
        project.add("build", "CREATE INDEX CONCURRENTLY i ON t (x);\n")
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        ours.wait_for(f"waiting for a prepared transaction (one of 'w {db.name}'")
    finally:
        db.sql(f"COMMIT PREPARED 'w {db.name}'")
    assert ours.wait().rc == 0


@pytest.mark.parametrize("key", ["72707369", "107143888726372"])
def test_a_prepared_transaction_is_named_as_the_holder(project, db, key):
    project.add("init", "SELECT 1;\n")
    db.sql(f"BEGIN; SELECT pg_advisory_xact_lock({key}); PREPARE TRANSACTION 'p''2 {db.name}'")
    name = f"'p''2 {db.name}'"
    try:
        unlock = aramid.run("unlock", "--url", db.url(), cwd=project.path)
        assert unlock.rc == 0 and f"the prepared transaction {name}" in unlock.out and f"ROLLBACK PREPARED {name}" in unlock.out, unlock
        status = aramid.status(project, db.url())
        assert f"held by the prepared transaction {name}" in status.out, status
        doctor = aramid.run("doctor", "--url", db.url(), cwd=project.path)
        assert "nobody holds the migration lock" not in doctor.text and f"ROLLBACK PREPARED {name}" in doctor.text, doctor
        run = aramid.deploy(project, db.url(), "--wait", "1s")
        assert run.rc == 41 and name in run.err, run
    finally:
        db.sql(f"ROLLBACK PREPARED {name}")
    assert aramid.deploy(project, db.url()).rc == 0
