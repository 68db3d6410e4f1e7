"""Deploys of every tool's layout: cut, the server crashes, ten at once. Killed at every failpoint they are in
tests/integration/test_tools.py.

Oracle: the next deploy, without a word, ends with the rows, the catalog and the witnesses of an undisturbed one.
"""

import time

import pytest

from harness import aramid, catalog, prisma8
from harness.faults import count
from harness.proxy import Fault, Proxy
from harness.tools import LAYOUTS

PARTS = ["1", "2", "last"]
HARD = """CREATE TABLE witness (part text);
INSERT INTO witness VALUES ('1');
CREATE INDEX CONCURRENTLY witness_i ON witness (part);
INSERT INTO witness VALUES ('2');
"""


class Layout:
    """A project of a layout, with a migration that is cut into several steps where the layout allows it."""

    def __init__(self, kind, path, db):
        self.kind = kind
        if kind == "prisma8":
            self.table = b"ledger"
            self.project = prisma8.Project(path)
            prisma8.sample(self.project.path)
        else:
            self.table = kind.ledger.rpartition(".")[2].encode()
            self.project = kind(path)
            self.project.add(1, "init", "CREATE TABLE before (i int);")
            self.project.add(2, "hard", HARD)
            self.project.add(3, "last", "INSERT INTO witness VALUES ('last');")
        done = self.run(db)
        assert done.rc == 0, done
        self.seconds, self.catalog, self.rows = done.seconds, catalog.dump(db), self.rows_of(db)

    def start(self, db, url=None):
        return aramid.start("deploy", "--yes", "--url", url or db.url(), cwd=self.project.path)

    def run(self, db, url=None):
        return self.start(db, url).wait()

    def rows_of(self, db):
        if self.kind == "prisma8":
            return db.sql("SELECT space, core_hash FROM prisma_contract.marker") + db.sql(
                "SELECT migration_name, destination_core_hash, operations FROM prisma_contract.ledger ORDER BY id")
        return [row[1:] if self.kind.name == "node-pg-migrate" else row for row in self.project.rows(db)]  # a serial

    def finish(self, db):
        done = self.run(db)
        assert done.rc == 0, done
        self.check(db)

    def check(self, db):
        assert self.rows_of(db) == self.rows
        assert catalog.difference(self.catalog, catalog.dump(db)) == []
        assert not any(catalog.leftovers(db).values()), catalog.leftovers(db)
        if self.kind != "prisma8":
            assert db.column("SELECT part FROM witness ORDER BY 1") == PARTS


@pytest.fixture(params=[*LAYOUTS, "prisma8"], ids=lambda kind: kind if isinstance(kind, str) else kind.name)
def layout(request, tmp_path, db):
    return Layout(request.param, tmp_path / "p", db)


def test_cut_at_random_messages(layout, server, dice):
    db = server.new_database()
    with Proxy(server) as proxy:
        assert layout.run(db, proxy.url(db)).rc == 0
        total = sum(m.type == "Q" for m in proxy.messages)
    db.drop()
    for i in range(count(4, 40)):
        db = server.new_database()
        place, nth = ("before", "after", "reply", "partial")[i % 4], dice.randint(1, total)
        with Proxy(server) as proxy:
            proxy.fault(Fault(place, dice.choice(["cut", "cut-client"]), lambda m: m.type == "Q", nth=nth,
                              keep=dice.randint(0, 30)))
            done = layout.run(db, proxy.url(db))
        print(f"{place} at message {nth} of {total}: exit {done.rc}")
        assert done.rc in (0, 40, 43), done
        layout.finish(db)
        db.drop()


@pytest.mark.parametrize("place", ["before", "after", "reply", "partial"])
def test_cut_where_the_row_is_written(layout, server, place):
    """Applied or not: only the answer says it, and that is lost."""
    db = server.new_database()
    with Proxy(server) as proxy:
        fault = proxy.fault(Fault(place, "cut", lambda m: b"INSERT INTO" in m.body and layout.table in m.body, keep=7))
        done = layout.run(db, proxy.url(db))
        assert fault.struck and done.rc in (0, 40, 43), done
    layout.finish(db)
    db.drop()


@pytest.mark.parametrize("how", ["kill9", "immediate"])
def test_the_server_crashes(layout, new_server, dice, how):
    server = new_server(durable=True)
    for _ in range(count(1, 10)):
        db = server.new_database()
        ours = layout.start(db)
        time.sleep(dice.uniform(0.02, layout.seconds))
        if how == "kill9":
            server.kill9()
        else:
            server.stop(how)
        server.start()
        done = ours.wait()
        assert done.rc in (0, 40, 43, 44), done
        layout.finish(db)


def test_ten_at_once(layout, server):
    for _ in range(count(1, 10)):
        db = server.new_database()
        running = [layout.start(db) for _ in range(10)]
        results = [one.wait() for one in running]
        assert [r.rc for r in results] == [0] * 10, [r for r in results if r.rc][0]
        layout.check(db)
        db.drop()
