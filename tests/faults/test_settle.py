"""A deploy that is not well is rolled back, also when it is killed at any moment of that."""

import json
import random
import time

import pytest

from harness import aramid, catalog
from harness.faults import count


@pytest.fixture
def app(project, db):
    project.add("init", "CREATE TABLE t (i int PRIMARY KEY, note text); INSERT INTO t SELECT g FROM generate_series(1, 50) g;")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("columns", "ALTER TABLE t ADD COLUMN more int; CREATE TABLE u (i int);")
    project.add("index", "CREATE INDEX CONCURRENTLY t_note ON t (note);")
    project.add("view", "CREATE VIEW v AS SELECT i FROM t;")
    project.write("aramid.yaml", json.dumps({"hooks": {"smoke": "exit 1"}, "health": {"on_failure": "rollback"}}))
    return project


@pytest.fixture(scope="module")
def length():
    """How long one takes here, for the moments of the kills; learned from the first."""
    return []


@pytest.mark.parametrize("seed", range(count(6, 100)))
def test_killed_at_any_moment_the_database_is_as_it_was(app, db, seed, length):
    before, rows = catalog.dump(db), catalog.data(db, "t")
    if not length:
        began = time.monotonic()
        assert aramid.deploy(app, db.url()).rc == 28
        length.append(time.monotonic() - began)
        assert catalog.dump(db) == before
    run = aramid.start("deploy", "--url", db.url(), cwd=app.path)
    time.sleep(random.Random(seed).random() * length[0])
    run.kill()
    result = aramid.deploy(app, db.url())
    assert result.rc == 28 and "rolled back" in result.err, result
    assert catalog.dump(db) == before and catalog.data(db, "t") == rows, result
    assert not any(catalog.leftovers(db).values()), result
