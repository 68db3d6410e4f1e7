"""Side by side with the real Prisma: each must find the other's database as its own."""

import pytest

from harness import aramid, catalog, ledger
from harness.project import Project


@pytest.fixture
def history(project):
    project.add("init", 'CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL);\n'
                        'CREATE UNIQUE INDEX "User_email_key" ON "User"("email");')
    project.add("role", "CREATE TYPE \"Role\" AS ENUM ('USER', 'ADMIN');\n"
                        'ALTER TABLE "User" ADD COLUMN "role" "Role" NOT NULL DEFAULT \'USER\';')
    project.add("alter_enum", "-- AlterEnum\nBEGIN;\nCREATE TYPE \"Role_new\" AS ENUM ('USER', 'STAFF');\n"
                'ALTER TABLE "User" ALTER COLUMN "role" DROP DEFAULT;\n'
                'ALTER TABLE "User" ALTER COLUMN "role" TYPE "Role_new" USING ("role"::text::"Role_new");\n'
                'ALTER TYPE "Role" RENAME TO "Role_old";\nALTER TYPE "Role_new" RENAME TO "Role";\n'
                'DROP TYPE "Role_old";\nALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT \'USER\';\nCOMMIT;\n')
    project.add("index", 'CREATE INDEX CONCURRENTLY "User_role_idx" ON "User"("role");')
    return project


def test_same_catalog(oracle, history, db, db2):
    assert aramid.deploy(history, db.url()).rc == 0
    assert oracle.deploy(history, db2.url()).rc == 0
    assert catalog.difference(catalog.dump(db), catalog.dump(db2)) == []


def test_prisma_calls_our_database_up_to_date(oracle, history, db):
    assert aramid.deploy(history, db.url()).rc == 0
    done = oracle.status(history, db.url())
    assert done.rc == 0 and "Database schema is up to date!" in done.text, done
    done = oracle.deploy(history, db.url())
    assert done.rc == 0 and "No pending migrations to apply." in done.text, done
    found = oracle.diagnose(history.migrations, db.url())
    assert not found["editedMigrationNames"] and not found["failedMigrationNames"]
    assert found["history"] is None
    assert oracle.diagnose(history.migrations, db.url(), generation=6)["history"] is None


def test_we_call_their_database_up_to_date(oracle, history, db):
    assert oracle.deploy(history, db.url()).rc == 0
    assert aramid.status(history, db.url()).rc == 0
    before = ledger.rows(db)
    assert aramid.deploy(history, db.url()).rc == 0
    assert ledger.rows(db) == before


def test_taking_turns(oracle, history, db):
    for i in range(6):
        history.add(f"turn{i}", f"CREATE TABLE turn{i} (i int);")
        if i % 2:
            assert oracle.deploy(history, db.url()).rc == 0
        else:
            result = aramid.deploy(history, db.url())
            assert result.rc == 0, result
    ledger.check(db, history)
    assert "up to date" in oracle.status(history, db.url()).text


def test_order_of_names_is_theirs(oracle, tmp_path, db, db2):
    """JavaScript's localeCompare: underscore, dot, digits, letters without case."""
    names = ["1_b", "1_B", "1_a", "1.a", "10_a", "2_a", "1_A", "1a", "1 a", "1-a"]
    project = Project(tmp_path / "p", {n: f'CREATE TABLE "t{i}" (i int);' for i, n in enumerate(names)})
    assert oracle.deploy(project, db.url()).rc == 0
    result = aramid.deploy(project, db2.url())
    assert result.rc == 0, result
    assert ledger.applied(db2) == ledger.applied(db)


def test_failed_row_is_explained_with_its_objects(oracle, project, db):
    """Applied by the server, but recorded as failed: the killed client of Prisma."""
    name = project.add("killed", "CREATE TABLE done (i int);\nCREATE TABLE done_too (i int);")
    assert oracle.deploy(project, db.url()).rc == 0
    db.sql("UPDATE _prisma_migrations SET finished_at = NULL, applied_steps_count = 0")
    result = aramid.deploy(project, db.url())
    assert result.rc == 23 and name in result.text, result
    assert "done_too" in result.text and f"resolve --applied {name}" in result.text, result
    assert aramid.run("resolve", "--applied", name, "--url", db.url(), cwd=project.path).rc == 0
    assert aramid.deploy(project, db.url()).rc == 0


def test_failure_of_ours_leaves_no_failed_row_for_prisma(oracle, project, db):
    name = project.add("bad", "CREATE TABLE b (i int);\nSELECT 1/0;")
    assert aramid.deploy(project, db.url()).rc == 22
    project.edit(name, "CREATE TABLE b (i int);")
    done = oracle.deploy(project, db.url())
    assert done.rc == 0, done
