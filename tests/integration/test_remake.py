"""What stands on something that changes is dropped and made again: with its owner, its privileges and its
comments, or the script is refused."""

import pytest

from harness import aramid

SCHEMA = """datasource db {
  provider = "postgresql"
}
model users {
  id     Int    @id @default(autoincrement())
  name   String @db.VarChar(50)
  org_id Int?
}
model w {
  id Int @id
  k  k?
}
enum k {
  A
  B
}
"""
MADE = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, org_id int);
CREATE TYPE k AS ENUM ('A', 'B', 'C');
CREATE TABLE w (id int PRIMARY KEY, k k);
CREATE VIEW uv AS SELECT id, name FROM users;
CREATE VIEW on_view AS SELECT * FROM uv;
CREATE MATERIALIZED VIEW um AS SELECT name FROM users;
CREATE INDEX umi ON um (name);
CREATE FUNCTION fa() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT name FROM users; END;
"""
ACCESS = """
GRANT SELECT ON uv TO {app};
GRANT UPDATE (name) ON uv TO {app};
GRANT INSERT ON on_view TO {app} WITH GRANT OPTION;
GRANT SELECT ON um TO {app};
REVOKE EXECUTE ON FUNCTION fa() FROM public;
GRANT EXECUTE ON FUNCTION fa() TO {app};
REVOKE USAGE ON TYPE k FROM public;
GRANT USAGE ON TYPE k TO {app};
COMMENT ON TYPE k IS 'kind';
COMMENT ON VIEW uv IS 'view';
"""
OWNERS = "ALTER VIEW uv OWNER TO {own}; ALTER FUNCTION fa() OWNER TO {own}; ALTER TYPE k OWNER TO {own};"
STATE = """
SELECT 'relation', relname, relowner::regrole::text, relacl::text, obj_description(oid, 'pg_class') FROM pg_class
 WHERE relname IN ('uv', 'on_view', 'um') UNION ALL
SELECT 'column', attname, NULL, attacl::text, NULL FROM pg_attribute
 WHERE attrelid = 'uv'::regclass AND attnum > 0 UNION ALL
SELECT 'function', proname, proowner::regrole::text, proacl::text, NULL FROM pg_proc WHERE proname = 'fa' UNION ALL
SELECT 'type', typname, typowner::regrole::text, typacl::text, obj_description(oid, 'pg_type') FROM pg_type
 WHERE typname = 'k' ORDER BY 1, 2"""


@pytest.fixture
def roles(db):
    names = {"app": f"{db.name}_app", "own": f"{db.name}_own"}
    for name in names.values():
        db.sql(f"CREATE ROLE {name}")
    yield names
    for name in names.values():
        db.sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def diff(folder, *args):
    result = aramid.run("diff", *args, "--script", cwd=str(folder))
    assert result.rc == 0, result
    return result.out


def test_access_stays_from_a_live_database(tmp_path, db, roles):
    (tmp_path / "schema.prisma").write_text(SCHEMA)
    db.sql(MADE + (ACCESS + OWNERS).format(**roles))
    before = db.sql(STATE)
    script = diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma")
    assert 'DROP VIEW "uv"' in script and "DROP FUNCTION" in script
    db.sql("BEGIN;" + script + ";COMMIT")
    assert db.sql(STATE) == before
    assert diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma").startswith("-- This is an empty")


def test_access_stays_between_migrations(tmp_path, db, roles):
    """Owners are those of whoever runs them."""
    for folder, sql in (("old", MADE), ("new", MADE.replace("name text", "name varchar(50)").replace(", 'C'", ""))):
        path = tmp_path / folder / "20240101000000_init"
        path.mkdir(parents=True)
        (path / "migration.sql").write_text(sql + ACCESS.format(**roles))
    db.sql(MADE + ACCESS.format(**roles))
    before = db.sql(STATE)
    script = diff(tmp_path, "--from-migrations", "old", "--to-migrations", "new")
    assert "OWNER TO" not in script
    db.sql("BEGIN;" + script + ";COMMIT")
    assert db.sql(STATE) == before
