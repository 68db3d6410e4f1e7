"""Made databases under odd settings, backed up and restored: a sample of what tests/compat/backup_compare.py does at length."""

import os
import sys

import pytest

from harness.cluster import REPO, bindir_of

sys.path.insert(0, os.path.join(REPO, "tests", "compat"))

import backup_compare  # noqa: E402


def test_what_comes_back_is_what_was_there():
    if not all(map(bindir_of, backup_compare.MAJORS)):
        pytest.skip(f"needs PostgreSQL {backup_compare.MAJORS}")
    campaign = backup_compare.Campaign("aramid")
    refused, sample = [], (1, 4, 9, 12, 15, 28, 54, 83)
    try:
        for number in sample:
            try:
                campaign.check(number)
            except backup_compare.Refused as why:
                refused.append(why)
            except backup_compare.Failure as failure:
                pytest.fail(str(failure))
    finally:
        campaign.close()
    assert len(refused) < len(sample) / 2, refused
