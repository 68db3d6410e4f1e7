"""Histories of real projects, when ARAMID_CORPORA names folders of migrations (colon-separated).

After Aramid's deploy the catalog equals the one after Prisma's, and each calls the other's database
up to date.
"""

import os
import shutil

import pytest

from harness import aramid, catalog, ledger
from harness.project import Project

FOLDERS = [folder for folder in os.environ.get("ARAMID_CORPORA", "").split(":") if folder]

if FOLDERS:
    @pytest.fixture(params=FOLDERS)
    def real(request, tmp_path):
        project = Project(tmp_path / "real")
        shutil.rmtree(project.migrations)
        shutil.copytree(request.param, project.migrations)
        return project

    def test_same_as_prisma(oracle, real, db, db2):
        result = aramid.deploy(real, db.url())
        assert result.rc == 0, result
        done = oracle.deploy(real, db2.url())
        assert done.rc == 0, done
        assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []
        assert sorted(ledger.applied(db)) == real.names
        assert ledger.applied(db) == ledger.applied(db2)
        ledger.clean(db)
        for other in (db, db2):
            assert aramid.status(real, other.url()).rc == 0
            assert "up to date" in oracle.status(real, other.url()).text
            assert oracle.diagnose(real.migrations, other.url())["history"] is None

    def test_taking_over_in_the_middle(oracle, real, db, db2, tmp_path):
        """Half by Prisma, half by Aramid."""
        half = Project(tmp_path / "half")
        shutil.rmtree(half.migrations)
        shutil.copytree(real.migrations, half.migrations)
        for name in real.names[len(real.names) // 2:]:
            shutil.rmtree(os.path.join(half.migrations, name))
        assert oracle.deploy(half, db.url()).rc == 0
        result = aramid.deploy(real, db.url())
        assert result.rc == 0, result
        assert aramid.deploy(real, db2.url()).rc == 0
        assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []
        assert "up to date" in oracle.status(real, db.url()).text
