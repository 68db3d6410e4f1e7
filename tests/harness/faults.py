"""What the fault tests share: how much to break, and the hard history with its oracle."""

import os

from . import aramid, catalog, ledger
from .histories import HARD_WITNESSES, hard

FULL = os.environ.get("ARAMID_FAULTS") == "full"


def count(few, full):
    """How many random faults: a few by default, the figures of tests/faults/README.md in full."""
    if "ARAMID_FAULTS_COUNT" in os.environ:
        return int(os.environ["ARAMID_FAULTS_COUNT"])
    return full if FULL else few


class Hard:
    """The hard history, what an undisturbed deploy of it makes, and how long that takes."""

    def __init__(self, project, db, **kwargs):
        self.project = hard(project, **kwargs)
        result = aramid.deploy(self.project, db.url())
        assert result.rc == 0, result
        self.seconds = result.seconds
        self.catalog = catalog.dump(db)

    def start(self, db, url=None, **kwargs):
        return aramid.start("deploy", "--url", url or db.url(), cwd=self.project.path, **kwargs)

    def run(self, db, url=None, **kwargs):
        return self.start(db, url, **kwargs).wait()

    def check(self, db):
        """Right after a deploy that ended well."""
        ledger.check(db, self.project)
        ledger.clean(db)
        assert ledger.witnesses(db) == HARD_WITNESSES
        assert catalog.difference(self.catalog, catalog.dump(db)) == []

    def finish(self, db):
        """The next deploy finishes the job; nobody typed anything."""
        result = self.run(db)
        assert result.rc == 0, result
        self.check(db)
