"""A core of the tests on every supported version of PostgreSQL.

Everything else runs on the distribution's version; ARAMID_TEST_PG=17 runs all of it on another.
"""

import pytest

from harness import aramid, ledger, wait
from harness.cluster import MAJORS
from harness.histories import HARD_WITNESSES, hard


@pytest.fixture(params=MAJORS)
def old_or_new(request, servers):
    db = servers.get(request.param).new_database()
    yield db
    db.drop()


def test_deploy_of_all_kinds_of_steps(project, old_or_new):
    hard(project)
    result = aramid.deploy(project, old_or_new.url())
    assert result.rc == 0, result
    ledger.check(old_or_new, project)
    ledger.clean(old_or_new)
    assert ledger.witnesses(old_or_new) == HARD_WITNESSES
    assert aramid.status(project, old_or_new.url()).rc == 0
    assert aramid.deploy(project, old_or_new.url()).rc == 0


def test_kill_in_the_middle_and_start_at_once(project, old_or_new):
    """On 13 the server does not notice that the client is gone; the next run ends the orphan."""
    hard(project, pause=0.7)
    for fragment in ("own 2", "big_w", "FUNCTION", "last"):
        ours = aramid.start("deploy", "--url", old_or_new.url(), cwd=project.path)
        wait.until(lambda: not ours.running() or old_or_new.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
            "state = 'active' AND strpos(query, %s) > 0 AND pid <> pg_backend_pid()", fragment))
        ours.kill()
    result = aramid.deploy(project, old_or_new.url())
    assert result.rc == 0, result
    ledger.check(old_or_new, project)
    ledger.clean(old_or_new)
    assert ledger.witnesses(old_or_new) == HARD_WITNESSES


def test_status_of_each_state(project, old_or_new):
    db = old_or_new
    name = project.add("init", "CREATE TABLE a (i int);")
    assert aramid.status(project, db.url()).rc == 10
    assert aramid.deploy(project, db.url()).rc == 0
    project.edit(name, "CREATE TABLE a (j int);")
    assert aramid.status(project, db.url()).rc == 13
    db.sql("UPDATE _prisma_migrations SET finished_at = NULL")
    assert aramid.status(project, db.url()).rc == 11


def test_prisma_agrees(oracle, project, old_or_new):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, old_or_new.url()).rc == 0
    assert "up to date" in oracle.status(project, old_or_new.url()).text
