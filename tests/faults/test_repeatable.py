"""kill -9 during a deploy with repeatable scripts, at every failpoint: the next deploy ends clean, and each script is
recorded as what the database has of it."""

import signal

import pytest

from harness import aramid, ledger

RARE = {"between-blocks", "batches-created", "before-batch", "after-batch", "after-batches", "before-proof",
        "lock-retry", "before-repair", "after-repair", "identity-written", "journal-created", "ledger-created",
        "before-intent", "after-intent", "after-statement", "after-finish"}
SCRIPT = "CREATE OR REPLACE FUNCTION f_{0}() RETURNS text LANGUAGE sql AS $$ SELECT '{1}' $$;\n"


def write(project, version):
    for name in "abc":
        project.write(f"prisma/sql/{name}.sql", SCRIPT.format(name, version))


def deploy(project, db, **env):
    return aramid.deploy(project, db.url(), env=env or None)


def whole(db, version):
    """Each function and its row are of one version, be it the old or the new one."""
    for name in "abc":
        row = db.one(f"SELECT script FROM aramid.repeatable WHERE name = 'prisma/sql/{name}.sql'")
        assert row == SCRIPT.format(name, db.one(f"SELECT f_{name}()")), name
        assert version is None or version in row


@pytest.mark.parametrize("name", [] if aramid.missing() else aramid.failpoints())
def test_at_each_failpoint(project, db, name):
    project.add("init", "CREATE TABLE t (i int);")
    write(project, "one")
    assert deploy(project, db).rc == 0
    for passage in range(1, 12):
        write(project, f"{passage}")
        project.add(f"more_{passage}", f"CREATE TABLE t_{passage} (i int);")
        result = deploy(project, db, ARAMID_FAILPOINT=f"{name}#{passage}:kill")
        if result.rc == 0:
            assert passage > 1 or name in RARE, f"{name} is not passed at all"
            whole(db, f"{passage}")
            break
        assert result.rc == -signal.SIGKILL, result
        whole(db, None)
        assert deploy(project, db).rc == 0
        whole(db, f"{passage}")
        ledger.check(db, project)
    ledger.clean(db)


def test_two_at_once_run_each_once(project, db):
    project.add("init", "CREATE TABLE runs (i int); INSERT INTO runs VALUES (0);")
    project.write("prisma/sql/count.sql",
                  "-- aramid:repeatable counts how often\nUPDATE runs SET i = i + 1;\nSELECT pg_sleep(0.2);\n")
    started = [aramid.start("deploy", "--url", db.url(), "--yes", cwd=project.path) for _ in range(3)]
    for process in started:
        assert process.wait().rc == 0
    assert db.one("SELECT i FROM runs") == 1
