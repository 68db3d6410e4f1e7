"""Fixtures of the fault tests."""

import os
import random

import pytest

from harness.faults import Hard
from harness.project import Project


@pytest.fixture
def dice():
    """Random numbers that can be repeated: the seed is printed when a test fails."""
    seed = int(os.environ.get("ARAMID_SEED") or random.SystemRandom().randrange(10**6))
    print(f"ARAMID_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def hard_history(servers, tmp_path_factory):
    """Only read: one undisturbed deploy for all tests."""
    db = servers.get().new_database()
    yield Hard(Project(tmp_path_factory.mktemp("hard") / "project"), db)
    db.drop()
