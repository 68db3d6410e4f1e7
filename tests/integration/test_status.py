"""`aramid status`: each state, its exit status, and that it only reads."""

import pytest

from harness import aramid, catalog, wait
from harness.project import Project


@pytest.fixture
def two(project):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("second", "CREATE TABLE b (i int);")
    return project


def test_up_to_date(two, db):
    assert aramid.deploy(two, db.url()).rc == 0
    result = aramid.status(two, db.url())
    assert result.rc == 0, result
    assert "up to date" in result.text
    assert db.name in result.text, "names the database"


def test_pending(two, db):
    result = aramid.status(two, db.url())
    assert result.rc == 10, result
    assert all(name in result.text for name in two.names) and "aramid deploy" in result.text


def test_edited(two, db):
    assert aramid.deploy(two, db.url()).rc == 0
    two.edit(two.names[0], "CREATE TABLE a (i int, j int);")
    result = aramid.status(two, db.url())
    assert result.rc == 13 and two.names[0] in result.text, result


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_ends_are_no_edit(project, db, ending):
    name = project.add("init", "CREATE TABLE a (i int);\nCREATE TABLE b (i int);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    with open(project.file(name), "rb") as f:
        text = f.read()
    project.write(f"prisma/migrations/{name}/migration.sql", text.replace(b"\n", ending.encode()))
    assert aramid.status(project, db.url()).rc == 0


def test_old_checksum_bug_is_no_edit(project, db):
    """Prisma 2 wrote hex digits without leading zeros."""
    name = next(project.add(f"m{i}", f"SELECT {i};") for i in range(100))
    assert aramid.deploy(project, db.url()).rc == 0
    digest = bytes.fromhex(project.checksum(name))
    db.sql("UPDATE _prisma_migrations SET checksum = %s WHERE migration_name = %s",
           "".join(f"{byte:x}" for byte in digest), name)
    assert aramid.status(project, db.url()).rc == 0


def test_missing_locally(two, db, tmp_path):
    assert aramid.deploy(two, db.url()).rc == 0
    less = Project(tmp_path / "less", {two.names[0]: "CREATE TABLE a (i int);"})
    result = aramid.status(less, db.url())
    assert result.rc == 14 and two.names[1] in result.text, result


def test_out_of_order(two, db):
    assert aramid.deploy(two, db.url()).rc == 0
    name = two.add("20230101000000_older", "CREATE TABLE c (i int);")
    result = aramid.status(two, db.url())
    assert result.rc == 15 and name in result.text, result


def test_no_history(two, db):
    db.sql("CREATE TABLE already (i int)")
    result = aramid.status(two, db.url())
    assert result.rc == 16, result
    assert "resolve --applied" in result.text, "says how to baseline"


def test_an_emptied_history(two, db):
    """Its tables are there: what is pending would fail on them."""
    assert aramid.deploy(two, db.url()).rc == 0
    db.sql("TRUNCATE _prisma_migrations")
    result = aramid.status(two, db.url())
    assert result.rc == 16 and "its migration history is empty" in result.text and "resolve --applied --up-to" in result.text, result


def test_failed_row_of_prisma(oracle, project, db):
    project.add("init", "CREATE TABLE a (i int);")
    name = project.add("bad", "CREATE TABLE b (i int);\nSELECT 1/0;")
    assert oracle.deploy(project, db.url()).rc == 1
    result = aramid.status(project, db.url())
    assert result.rc == 11 and name in result.text, result
    result = aramid.deploy(project, db.url())
    assert result.rc == 23 and "P3009" in result.text and name in result.text, result
    assert "resolve --rolled-back" in result.text, result


def test_reads_only(two, db):
    before = catalog.dump(db)
    with_counters = db.one("SELECT pg_current_wal_insert_lsn()")
    assert aramid.status(two, db.url()).rc == 10
    assert aramid.status(two, db.url(), "--verbose").rc == 10
    assert catalog.dump(db) == before and not db.exists("_prisma_migrations")
    assert not db.column("SELECT nspname FROM pg_namespace WHERE nspname ~ 'aramid'")
    assert with_counters is not None


def test_missing_schema_is_not_created(two, db):
    result = aramid.status(two, db.url(schema="nowhere"))
    assert result.rc == 10, result
    assert db.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'nowhere'") == 0


def test_read_only_role(two, db):
    assert aramid.deploy(two, db.url()).rc == 0
    db.sql("DROP ROLE IF EXISTS looks_only")
    db.sql("CREATE ROLE looks_only LOGIN; GRANT SELECT ON _prisma_migrations TO looks_only")
    result = aramid.status(two, db.url(user="looks_only"))
    assert result.rc == 0, result
    db.sql("REVOKE ALL ON _prisma_migrations FROM looks_only; DROP ROLE looks_only")


def test_verbose_lists_the_history(two, db):
    assert aramid.deploy(two, db.url()).rc == 0
    result = aramid.status(two, db.url(), "--verbose")
    assert result.rc == 0 and all(name in result.text for name in two.names), result
    assert "UTC" in result.text or "Z" in result.text


def test_json(two, db):
    result = aramid.status(two, db.url(), "--json")
    assert result.rc == 10 and all(name in str(result.json) for name in two.names), result
    assert aramid.deploy(two, db.url()).rc == 0
    result = aramid.status(two, db.url(), "--json")
    assert result.rc == 0 and result.json, result


def test_prisma_spelling(two, db):
    result = aramid.run("migrate", "status", "--url", db.url(), cwd=two.path)
    assert result.rc == 1 and "have not yet been applied" in result.text, result
    result = aramid.run("migrate", "deploy", "--url", db.url(), cwd=two.path)
    assert result.rc == 0, result
    assert "All migrations have been successfully applied." in result.text
    result = aramid.run("migrate", "status", "--url", db.url(), cwd=two.path)
    assert result.rc == 0 and "Database schema is up to date!" in result.text, result
    result = aramid.run("migrate", "deploy", "--url", db.url(), cwd=two.path)
    assert result.rc == 0 and "No pending migrations to apply." in result.text, result


def test_shows_a_run_that_is_under_way(project, db):
    project.add("slow", wait.HELD)
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        result = aramid.status(project, db.url())
    assert result.rc == 10 and "under way" in result.text and str(ours.pid) in result.text, result
    assert ours.wait().rc == 0
