"""Fixtures of the fault tests."""

import os
import random

import pytest

from harness.faults import Hard


@pytest.fixture
def dice():
    """Random numbers that can be repeated: the seed is printed when a test fails."""
    seed = int(os.environ.get("ARAMID_SEED") or random.SystemRandom().randrange(10**6))
    print(f"ARAMID_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def hard_history(project, db2):
    return Hard(project, db2)
