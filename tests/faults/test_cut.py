"""The connection is cut: before a message, after it, in its answer; also where it commits.

One run often finishes by itself: it connects again and the history tells what committed. Whatever
the first run did, the next one, started at once, finishes.
"""

import time

import pytest

from harness import aramid, ledger, wait
from harness.faults import count
from harness.proxy import Fault, Proxy


def broken_run(history, server, db, fault, **kwargs):
    with Proxy(server, **kwargs) as proxy:
        proxy.fault(fault)
        result = history.run(db, proxy.url(db))
    return result


def number_of_messages(history, server):
    db = server.new_database()
    with Proxy(server) as proxy:
        assert history.run(db, proxy.url(db)).rc == 0
        total = sum(m.type == "Q" for m in proxy.messages)
    db.drop()
    return total


PLACES = ("before", "after", "reply", "partial")


def test_at_random_messages(hard_history, server, dice):
    total = number_of_messages(hard_history, server)
    for i in range(count(8, 50)):
        db = server.new_database()
        place, nth = PLACES[i % 4], dice.randint(1, total)
        action = dice.choice(["cut", "cut-client"])
        result = broken_run(hard_history, server, db, Fault(
            place, action, lambda m: m.type == "Q", nth=nth, keep=dice.randint(0, 30)))
        print(f"{place} {action} at message {nth} of {total}: exit {result.rc}")
        assert result.rc in (0, 40, 43), result
        hard_history.finish(db)
        db.drop()


@pytest.mark.parametrize("place", PLACES)
def test_at_the_message_that_commits(hard_history, server, place):
    """Each message that writes the history, in turn."""
    db = server.new_database()
    with Proxy(server) as proxy:
        for nth in range(1, 4):
            proxy.fault(Fault(place, "cut", lambda m: b"INSERT" in m.body and b"_prisma_migrations" in m.body,
                              nth=nth * 3, keep=7))
        result = hard_history.run(db, proxy.url(db))
    assert result.rc in (0, 40, 43), result
    hard_history.finish(db)
    db.drop()


@pytest.mark.parametrize("place", ["before", "reply"])
def test_commit_of_the_files_own_transaction(project, server, db, place):
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("own", "BEGIN;\nINSERT INTO witness VALUES ('1');\nCOMMIT;\nBEGIN;\n"
                "INSERT INTO witness VALUES ('2');\nCOMMIT;\n")
    with Proxy(server) as proxy:
        fault = proxy.fault(Fault(place, "cut", lambda m: b"witness" in m.body and b"COMMIT" in m.body))
        result = aramid.deploy(project, proxy.url(db))
        assert fault.struck
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
    assert ledger.witnesses(db) == {"1": 1, "2": 1}


def test_one_run_survives_several_cuts(hard_history, server, db):
    """Connections that break again and again, but not faster than the run gets on."""
    with Proxy(server) as proxy:
        for i, place in enumerate(("reply", "before")):
            proxy.fault(Fault(place, "cut", lambda m: b"_prisma_migrations" in m.body
                              and b"INSERT" in m.body, nth=4 * (i + 1)))
        result = hard_history.run(db, proxy.url(db))
    assert result.rc == 0, result
    hard_history.check(db)


def test_connections_that_are_refused_at_first(hard_history, server, db):
    with Proxy(server) as proxy:
        proxy.refuse = 2
        result = hard_history.run(db, proxy.url(db))
    assert result.rc == 0, result
    hard_history.check(db)


def test_client_that_lost_its_power(project, db, server):
    """Nobody tells the server that its client is gone: the backend works on and keeps its locks."""
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("slow", "INSERT INTO witness VALUES ('slow');\n" + wait.HELD)
    with Proxy(server) as proxy:
        proxy.keep_server_side = True
        with wait.held(db) as reached:
            first = aramid.start("deploy", "--url", proxy.url(db), cwd=project.path)
            reached()
            first.kill()
            second = aramid.start("deploy", "--url", db.url(), cwd=project.path)
            time.sleep(1)  # the backend works on, and the second run looks for the lock
        result = second.wait()
    assert result.rc == 0, result
    ledger.check(db, project)
    ledger.clean(db)
    assert ledger.witnesses(db) == {"slow": 1}


def test_lost_answer_of_the_last_commit_is_reported_as_applied(project, server, db):
    project.add("single", "CREATE TABLE single (i int);")
    with Proxy(server) as proxy:
        fault = proxy.fault(Fault("reply", "cut", lambda m: b"CREATE TABLE single" in m.body, keep=0))
        result = aramid.deploy(project, proxy.url(db), "--json")
        assert fault.struck
    assert result.rc == 0, result
    assert [m["name"] for m in result.json["applied"]] == project.names, result
    ledger.check(db, project)
