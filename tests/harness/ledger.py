"""What the history in a database says, and the oracle that every fault test ends with."""

from . import catalog, wait

COLUMNS = ("id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at",
           "applied_steps_count")


def rows(db, schema="public"):
    """Rows of _prisma_migrations in their order, as dictionaries."""
    found = db.sql(f'SELECT {", ".join(COLUMNS)} FROM "{schema}"._prisma_migrations '
                   "ORDER BY started_at, migration_name")
    return [dict(zip(COLUMNS, row)) for row in found]


def applied(db, schema="public"):
    """Names of the migrations that count as applied, in order."""
    return [row["migration_name"] for row in rows(db, schema)
            if row["finished_at"] and not row["rolled_back_at"]]


def check(db, project, schema="public"):
    """Every migration of the project exactly once, with the right checksum, in order."""
    found = rows(db, schema)
    assert [r["migration_name"] for r in found] == project.names, found
    for row in found:
        assert row["finished_at"] and not row["rolled_back_at"] and len(row["id"]) == 36, row
        assert row["checksum"] == project.checksum(row["migration_name"]), row
        assert row["applied_steps_count"] == 1 and not row["logs"], row
    started = [r["started_at"] for r in found]
    assert started == sorted(set(started)), f"started_at does not increase strictly: {started}"


def clean(db):
    """No invalid index, no session of ours, no advisory lock. Sessions end a moment after us."""
    wait.until(lambda: not any(catalog.leftovers(db).values()), lambda: f"nothing left behind ({catalog.leftovers(db)})")


def witnesses(db):
    """How often each part of each migration ran."""
    return dict(db.sql("SELECT part, count(*) FROM witness GROUP BY part ORDER BY part"))
