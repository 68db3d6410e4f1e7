"""Figures that do not depend on the machine: round trips on the wire, peak memory."""

import pytest

from harness import aramid
from harness.histories import plain
from harness.proxy import Proxy

MIGRATIONS = 60


@pytest.fixture
def history(project):
    return plain(project, MIGRATIONS)


def trips(project, server, db, *args):
    with Proxy(server) as proxy:
        result = aramid.run(*args, "--url", proxy.url(db), cwd=project.path)
        return result, proxy.stats


@pytest.mark.parametrize("unix", [False, True])
def test_round_trips_of_a_deploy(history, server, db, unix):
    """At most 1.1 for each migration, everything before and after included beyond a constant."""
    with Proxy(server, unix=unix) as proxy:
        result = aramid.deploy(history, proxy.url(db))
        assert result.rc == 0, result
        few = proxy.stats.round_trips_ready
        assert proxy.stats.connections <= 2
    for i in range(MIGRATIONS):
        history.add(f"more{i}", f"CREATE TABLE more{i} (i int);")
    with Proxy(server, unix=unix) as proxy:
        assert aramid.deploy(history, proxy.url(db)).rc == 0
        more = proxy.stats.round_trips_ready
    assert few <= MIGRATIONS * 1.1 + 8, f"{few} round trips for {MIGRATIONS} migrations"
    assert more <= MIGRATIONS * 1.1 + 6, f"{more} round trips for {MIGRATIONS} migrations"


def test_round_trips_of_nothing_to_do(history, server, db):
    assert aramid.deploy(history, db.url()).rc == 0
    result, stats = trips(history, server, db, "deploy")
    assert result.rc == 0 and stats.round_trips_ready <= 5, stats.round_trips_ready
    assert stats.connections == 1


def test_round_trips_of_status(history, server, db):
    assert aramid.deploy(history, db.url()).rc == 0
    result, stats = trips(history, server, db, "status")
    assert result.rc == 0 and stats.round_trips_ready <= 5, stats.round_trips_ready
    assert stats.to_client < 30000, f"{stats.to_client} bytes for {MIGRATIONS} rows"
