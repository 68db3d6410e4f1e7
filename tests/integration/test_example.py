"""examples/shop: what a newcomer sees first must hold with Aramid and with Prisma."""

import json
import os
import shutil

import pytest

from harness import aramid, catalog
from harness.cluster import REPO
from harness.project import Project

SHOP = os.path.join(REPO, "examples", "shop")


@pytest.fixture
def shop(tmp_path):
    shutil.copytree(SHOP, tmp_path / "shop")
    project = Project(tmp_path / "shop", bare=True)
    assert len(project.names) >= 14
    return project


@pytest.mark.harness
@pytest.mark.parametrize("generation", [6, 7])
def test_schema_is_valid(oracle, shop, generation):
    path = os.path.join(shop.path, "prisma", "schema.prisma")
    if generation == 6:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        shop.write("prisma/schema.prisma", text.replace(
            'provider = "postgresql"\n', 'provider = "postgresql"\n  url = env("DATABASE_URL")\n'))
    done = oracle.engine("validate", path, generation=generation)
    assert done.rc == 0, done


@pytest.mark.harness
def test_prisma_deploys_it_and_the_schema_agrees(oracle, shop, db):
    done = oracle.deploy(shop, db.url())
    assert done.rc == 0, done
    done = oracle.engine("diff", "--from", f"url:{db.url()}", "--to",
                         f"schema:{shop.path}/prisma/schema.prisma", "--exit-code")
    assert done.rc == 0, done


def test_aramid_deploys_the_same(oracle, shop, db, db2):
    result = aramid.deploy(shop, db.url())
    assert result.rc == 0, result
    assert aramid.status(shop, db.url()).rc == 0
    assert oracle.deploy(shop, db2.url()).rc == 0
    assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []
    tables = ('"Category"', '"Product"', '"Order"', '"OrderItem"')
    ours, theirs = catalog.data(db, *tables), catalog.data(db2, *tables)
    del ours['"Product"'], theirs['"Product"']  # createdAt is the time of the deploy
    assert ours == theirs
    assert not any(catalog.leftovers(db).values())


@pytest.mark.harness
def test_scripts_of_package_json_are_commands(shop):
    with open(os.path.join(shop.path, "package.json"), encoding="utf-8") as f:
        scripts = json.load(f)["scripts"]
    assert {"db:status", "db:deploy", "db:deploy:prod"} <= set(scripts)


def test_scripts_are_known_to_aramid(shop):
    with open(os.path.join(shop.path, "package.json"), encoding="utf-8") as f:
        scripts = json.load(f)["scripts"]
    for line in scripts.values():
        if line.startswith("aramid "):
            command = [word for word in line.split()[1:] if not word.startswith("-")
                       and word != "production"]
            result = aramid.run("help", *command, cwd=shop.path)
            assert result.rc == 0, result
