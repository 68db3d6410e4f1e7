"""The server crashes or is restarted in the middle of a deploy."""

import time

import pytest

from harness import aramid, ledger, wait
from harness.faults import Hard, count


@pytest.fixture
def own(new_server, project):
    """A server that may be broken, with fsync, and the hard history measured on it."""
    server = new_server(durable=True)
    return server, Hard(project, server.new_database())


@pytest.mark.parametrize("how", ["kill9", "immediate", "fast"])
def test_the_same_run_survives(own, dice, how):
    """Back within the budget: the run reconnects, finds out what committed, and finishes."""
    server, history = own
    for _ in range(count(1, 17)):
        db = server.new_database()
        ours = history.start(db)
        time.sleep(dice.uniform(0.05, history.seconds))
        if how == "kill9":
            server.kill9()
        else:
            server.stop(how)
        server.start()
        result = ours.wait()
        print(how, result.rc, result.seconds)
        assert result.rc in (0, 40, 43, 44), result
        history.finish(db)
        db.drop()


def test_server_that_does_not_come_back(project, new_server):
    """Ends within its budget, says so, and the next run finishes."""
    server = new_server(durable=True)
    db = server.new_database()
    project.write("aramid.yaml", "timeouts:\n  server: 2s\nretries: 1\n")
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("slow", "INSERT INTO witness VALUES ('slow');\nSELECT pg_sleep(3600);")
    ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    wait.session_runs(db, "pg_sleep")
    server.stop("immediate")
    result = ours.wait()
    assert result.rc in (40, 43, 44), result
    server.start()
    project.edit(project.names[1], "INSERT INTO witness VALUES ('slow');")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)
    ledger.clean(db)
    assert ledger.witnesses(db) == {"slow": 1}
