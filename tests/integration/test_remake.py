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


USERS = "CREATE TABLE users (id serial PRIMARY KEY, name varchar(50) NOT NULL, org_id int);"
WITHOUT = SCHEMA[:SCHEMA.index("  org_id")] + "}\n"


@pytest.mark.parametrize("sql, name", [
    ("CREATE VIEW uv AS SELECT id, org_id FROM users", "uv"),
    ("CREATE MATERIALIZED VIEW uv AS SELECT org_id FROM users", "uv"),
    ("CREATE VIEW a AS SELECT id, org_id FROM users; CREATE VIEW uv AS SELECT id FROM a", "uv"),
    ("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p1 ON users USING (org_id = 1)", "p1"),
    ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
     "CREATE TRIGGER t1 BEFORE UPDATE OF org_id ON users FOR EACH ROW EXECUTE FUNCTION f()", "t1"),
    ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
     "CREATE TRIGGER t1 BEFORE UPDATE ON users FOR EACH ROW WHEN (new.org_id > 1) EXECUTE FUNCTION f()", "t1"),
    ("CREATE RULE r1 AS ON UPDATE TO users WHERE new.org_id = 1 DO INSTEAD NOTHING", "r1"),
    ("CREATE FUNCTION g() RETURNS SETOF int LANGUAGE sql BEGIN ATOMIC SELECT org_id FROM users; END", "g"),
])
def test_what_cannot_come_back_refuses_the_script(tmp_path, db, sql, name):
    """As PostgreSQL refuses DROP COLUMN: nobody said what it should be without the column."""
    (tmp_path / "schema.prisma").write_text(WITHOUT)
    db.sql(USERS + sql)
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", "--script", cwd=str(tmp_path))
    assert result.rc == 6 and result.out == "" and f'"{name}"' in result.err and "made again" not in result.err, result
    told = aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", cwd=str(tmp_path))
    assert told.rc == 0 and "uses what is dropped" in told.out, told


@pytest.mark.parametrize("sql, name", [
    ("CREATE INDEX lower_i ON users ((org_id + 1))", "lower_i"),
    ("CREATE INDEX partial_i ON users (name) WHERE org_id > 0", "partial_i"),
    ("CREATE INDEX key_i ON users (org_id) WHERE name <> ''", "key_i"),
    ("ALTER TABLE users ADD CONSTRAINT positive CHECK (org_id > 0)", "positive"),
])
def test_what_goes_with_its_column_is_said(tmp_path, db, sql, name):
    (tmp_path / "schema.prisma").write_text(WITHOUT)
    db.sql(USERS + sql)
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", "--script", cwd=str(tmp_path))
    assert result.rc == 0 and f'"{name}"' in result.err and "goes, too" in result.err, result
    db.sql("BEGIN;" + result.out + ";COMMIT")
    assert diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma").startswith("-- This is an empty")


@pytest.mark.parametrize("sql, name", [
    ("CREATE DOMAIN kd AS k CHECK (value <> 'B'); CREATE TABLE x (d kd)", "kd"),
    ("CREATE TYPE pair AS (a int, k k); CREATE TABLE x (d pair)", "pair"),
])
def test_a_type_that_stays_keeps_its_enum(tmp_path, db, sql, name):
    (tmp_path / "schema.prisma").write_text(SCHEMA)
    db.sql(MADE + sql)
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", "--script", cwd=str(tmp_path))
    assert result.rc == 6 and f'"{name}"' in result.err, result


LINK = """datasource db {
  provider = "postgresql"
}
model Link {
  id   Int     @id
  slug String? @unique
  gone Boolean @default(false)
}
"""
LINKED = 'CREATE TABLE "Link" (id int, slug text, gone boolean NOT NULL DEFAULT false, ' \
         'CONSTRAINT "Link_pkey" PRIMARY KEY (id));'


@pytest.mark.parametrize("index, stays", [
    ('CREATE UNIQUE INDEX "Link_slug_key" ON "Link" (slug) WHERE gone = false', True),
    ('CREATE UNIQUE INDEX "Link_slug_key" ON "Link" (lower(slug))', True),
    ('CREATE UNIQUE INDEX "Link_slug_key" ON "Link" (slug, (gone::text)) WHERE id > 0', True),
    ('CREATE UNIQUE INDEX "Link_slug_key" ON "Link" (id) WHERE gone', False),
    ('CREATE INDEX "Link_slug_key" ON "Link" (slug) WHERE gone', False),
    ('CREATE UNIQUE INDEX "Link_slug_key" ON "Link" ((gone::text))', False),
])
def test_an_index_under_the_schemas_name(tmp_path, db, index, stays):
    """It is what the schema means, said more narrowly, or it makes room."""
    (tmp_path / "schema.prisma").write_text(LINK)
    db.sql(LINKED + index)
    script = diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma")
    assert script.startswith("-- This is an empty") == stays, script
    db.sql("BEGIN;" + script + ";COMMIT")
    assert diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma").startswith("-- This is an empty")


def test_what_is_of_a_dropped_table_goes_with_it(tmp_path, db):
    (tmp_path / "schema.prisma").write_text(SCHEMA[:SCHEMA.index("model users")] + "model x {\n  id Int @id\n}\n")
    db.sql("CREATE TABLE x (id int PRIMARY KEY);" + USERS + "CREATE POLICY p1 ON users USING (org_id = 1);"
           "CREATE INDEX i ON users ((org_id + 1)); CREATE RULE r1 AS ON UPDATE TO users DO INSTEAD NOTHING;")
    db.sql(diff(tmp_path, "--from-url", db.url(), "--to-schema", "schema.prisma"))
    assert not db.exists("users")
    db.sql(USERS + "CREATE VIEW uv AS SELECT name FROM users")
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", "--script", cwd=str(tmp_path))
    assert result.rc == 6 and '"uv"' in result.err, result


KEYED = """datasource db {
  provider = "postgresql"
}
model t {
  id %s
  k  Int
  n  String
%s}
"""


@pytest.mark.parametrize("id_type, key, is_written", [
    ("BigInt @id", "", True),
    ("Int", "  @@id([id, k])\n", False),
    ("Int", "  @@id([k])\n", False),
    ("Int @unique", "", False),
])
def test_what_groups_by_a_key(tmp_path, db, id_type, key, is_written):
    """It comes back with a key that it can group by; with another one the script could not run."""
    (tmp_path / "s.prisma").write_text(KEYED % (id_type, key))
    db.sql("CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, n text NOT NULL); INSERT INTO t VALUES (1, 1, 'a');"
           "CREATE VIEW v AS SELECT n FROM t GROUP BY id; COMMENT ON VIEW v IS 'kept'")
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "s.prisma", "--script", cwd=str(tmp_path))
    if not is_written:
        assert result.rc == 6 and result.out == "" and '"v"' in result.err, result
        return
    db.sql("BEGIN;" + result.out + ";COMMIT")
    assert db.sql("SELECT n, obj_description('v'::regclass) FROM v") == [("a", "kept")]
