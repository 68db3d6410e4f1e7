"""Fixtures for all tests that need a server."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import place  # noqa: E402

place.choose()  # before anything asks tempfile

from harness import aramid, oracle as oracle_module, samples  # noqa: E402
from harness.cluster import Server, bindir_of, default_bindir  # noqa: E402
from harness.faults import FULL  # noqa: E402
from harness.project import Project  # noqa: E402

def pytest_configure(config):
    config.addinivalue_line("markers", "harness: checks the harness itself, needs no program")
    config.addinivalue_line("markers", "full: only with ARAMID_FAULTS=full")
    config.addinivalue_line("markers", "long: takes long by itself, so it begins first")


def pytest_collection_modifyitems(items):
    if samples.WANTED:
        items[:] = samples.kept(items)
    # Marks, not keywords: those are also the names of the folders that the clone lies in.
    items.sort(key=lambda item: not item.get_closest_marker("long"))  # nobody waits for them in the end
    without_program = pytest.mark.skip(reason=f"no program at {aramid.BINARY}")
    too_long = pytest.mark.skip(reason="only with ARAMID_FAULTS=full")
    for item in items:
        if aramid.missing() and not item.get_closest_marker("harness"):
            item.add_marker(without_program)
        if item.get_closest_marker("full") and not FULL:
            item.add_marker(too_long)


class Servers:
    """One cluster of each version, started when first asked for."""

    def __init__(self):
        self.running = {}

    def get(self, major=None):
        """The server of a major version; None: the default one."""
        if major not in self.running:
            bindir = bindir_of(major) if major else default_bindir()
            if bindir is None:
                pytest.skip(f"PostgreSQL {major or ''} is not installed")
            self.running[major] = Server(bindir).start()
        return self.running[major]


@pytest.fixture(scope="session")
def servers():
    found = Servers()
    yield found
    for server in found.running.values():
        server.remove()


@pytest.fixture
def server(servers):
    return servers.get()


@pytest.fixture
def db(server):
    """A fresh database."""
    database = server.new_database()
    yield database
    database.drop()


@pytest.fixture
def db2(server):
    """A second fresh database, to compare with."""
    database = server.new_database()
    yield database
    database.drop()


@pytest.fixture
def new_server():
    """Makes servers of the test's own, which it may break: new_server(major, setting=value)."""
    made = []

    def make(major=None, durable=False, hba="", **settings):
        bindir = bindir_of(major) if major else default_bindir()
        if bindir is None:
            pytest.skip(f"PostgreSQL {major or ''} is not installed")
        made.append(Server(bindir, settings, hba, durable).start())
        return made[-1]

    yield make
    for server in made:
        server.remove()


@pytest.fixture
def project(tmp_path):
    """An empty project with a Prisma layout."""
    return Project(tmp_path / "project")


@pytest.fixture
def oracle():
    """The real Prisma; skips where node or its packages are missing."""
    if not oracle_module.available():
        pytest.skip("Prisma's engine is not installed (tools/setup-npm)")
    return oracle_module
