"""`aramid plan` shows what a deploy would do and never writes."""

import pytest

from harness import aramid, catalog
from harness.histories import hard


def plan(project, db, *args):
    return aramid.run("plan", "--url", db.url(), *args, cwd=project.path)


def test_shows_steps_modes_and_locks(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("more", "ALTER TABLE a ADD COLUMN j int;")
    index = project.add("index", "CREATE INDEX CONCURRENTLY a_j ON a (j);")
    result = plan(project, db)
    assert result.rc == 0, result
    assert name in result.text and index in result.text
    assert "ALTER TABLE a ADD COLUMN j int" in result.text
    assert "ACCESS EXCLUSIVE" in result.text and "CONCURRENTLY" in result.text
    assert "transaction" in result.text
    assert not db.exists("a_j")


def test_never_writes(project, db):
    hard(project)
    before = catalog.dump(db)
    assert plan(project, db).rc == 0
    assert plan(project, db, "--json").rc == 0
    assert aramid.deploy(project, db.url(), "--dry-run").rc == 0
    assert catalog.dump(db) == before and not db.exists("_prisma_migrations")


def test_same_as_dry_run(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert plan(project, db).out == aramid.deploy(project, db.url(), "--dry-run").out


def test_json(project, db):
    name = project.add("index", "CREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY a_i ON a (i);\n")
    result = plan(project, db, "--json")
    assert result.rc == 0, result
    text = str(result.json)
    assert name in text and "alone" in text and "transaction" in text


def test_nothing_to_do(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    result = plan(project, db)
    assert result.rc == 0 and "No pending migrations" in result.text, result


def test_works_with_a_read_only_session(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    db.sql(f'ALTER DATABASE "{db.name}" SET default_transaction_read_only = on')
    assert plan(project, db).rc == 0


@pytest.mark.parametrize("sql", ["BEGIN;\nSELECT 1;", "COPY a FROM stdin;\n1\n\\.\n"])
def test_refuses_what_deploy_refuses(project, db, sql):
    name = project.add("bad", sql)
    result = plan(project, db)
    assert result.rc == 20 and f"{name}/migration.sql:1" in result.text, result
