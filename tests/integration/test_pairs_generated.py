"""A sample of what stands on what (tests/compat/pairs_generated.py); `make prove` runs all of it."""

import os
import subprocess
import sys

import pytest

from harness.cluster import bindir_of

COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")


@pytest.mark.parametrize("major", [15, 18])
def test_a_sample_of_pairs(major):
    if not bindir_of(major):
        pytest.skip(f"no PostgreSQL {major}")
    done = subprocess.run([sys.executable, os.path.join(COMPAT, "pairs_generated.py"), "--server", str(major), "--sample", "60",
                           "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
