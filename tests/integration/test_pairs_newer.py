"""What only newer servers have becomes what was wanted, forwards and backwards."""

import pytest

from harness import aramid
from harness.becoming import become, both  # noqa: F401


@pytest.fixture(scope="session")
def server(servers):
    return servers.get(18)


NOT_NULL = """
    SELECT pg_describe_object('pg_constraint'::regclass, oid, 0), convalidated, connoinherit, coninhcount, obj_description(oid, 'pg_constraint')
    FROM pg_constraint WHERE contype = 'n' AND connamespace = 'public'::regnamespace ORDER BY 1
"""
TABLE = "CREATE TABLE t (id int, n int{});"
CHILD = TABLE + "CREATE TABLE u () INHERITS (t);"
OWN = "ALTER TABLE u ADD CONSTRAINT theirs NOT NULL n; ALTER TABLE t ADD CONSTRAINT ours NOT NULL n;"
GRANDCHILD = CHILD.format("") + "CREATE TABLE v () INHERITS (u); ALTER TABLE v ADD CONSTRAINT last NOT NULL n;" + OWN
TWO_PARENTS = ("CREATE TABLE t (n int CONSTRAINT ours NOT NULL); CREATE TABLE s (n int CONSTRAINT yours NOT NULL);"
               "CREATE TABLE u (n int CONSTRAINT theirs NOT NULL) INHERITS (t, s)")
TYPED = "CREATE TYPE row AS (a int, b int); CREATE TABLE t OF row (a {})"
UNCHECKED = TABLE.format("") + "ALTER TABLE t ADD CONSTRAINT {} NOT NULL n NOT VALID;"

VALID_BELOW = CHILD.format("") + "ALTER TABLE t ADD CONSTRAINT a NOT NULL n NOT VALID; ALTER TABLE u VALIDATE CONSTRAINT a"
PARTITION = "CREATE TABLE m (k int, v int) PARTITION BY RANGE (k); CREATE TABLE m1 PARTITION OF m DEFAULT;"


@pytest.mark.parametrize("old, new", both(
    ("validated", UNCHECKED.format("t_n_not_null"), TABLE.format(" NOT NULL")),
    ("named", TABLE.format(" NOT NULL"), TABLE.format(" CONSTRAINT must NOT NULL")),
    ("renamed", TABLE.format(" CONSTRAINT a NOT NULL"), TABLE.format(" CONSTRAINT b NOT NULL")),
    ("kept from children", TABLE.format(" NOT NULL"), TABLE.format(" NOT NULL NO INHERIT")),
    ("all at once", UNCHECKED.format("a"), TABLE.format(" CONSTRAINT b NOT NULL NO INHERIT")),
    ("parent", TABLE.format(" NOT NULL") + "CREATE TABLE u () INHERITS (t)", TABLE.format(" CONSTRAINT b NOT NULL") + "CREATE TABLE u () INHERITS (t)"),
    ("parent alone", TABLE.format(" NOT NULL") + "CREATE TABLE u () INHERITS (t)",
     TABLE.format(" NOT NULL NO INHERIT") + "CREATE TABLE u () INHERITS (t)"),
    ("own beside", TABLE.format(" NOT NULL") + "CREATE TABLE u (n int NOT NULL) INHERITS (t)",
     TABLE.format(" NOT NULL NO INHERIT") + "CREATE TABLE u (n int NOT NULL) INHERITS (t)"),
    ("comment", TABLE.format(" NOT NULL"), TABLE.format(" NOT NULL") + "COMMENT ON CONSTRAINT t_n_not_null ON t IS 'why'"),
    ("partitions", "CREATE TABLE m (k int, v int NOT NULL) PARTITION BY RANGE (k); CREATE TABLE m1 PARTITION OF m DEFAULT",
     "CREATE TABLE m (k int, v int CONSTRAINT must NOT NULL) PARTITION BY RANGE (k); CREATE TABLE m1 PARTITION OF m DEFAULT"),
    ("key", "CREATE TABLE t (n int PRIMARY KEY)", "CREATE TABLE t (n int CONSTRAINT must NOT NULL PRIMARY KEY)"),
    ("child's comment", CHILD.format(" NOT NULL"), CHILD.format(" NOT NULL") + "COMMENT ON CONSTRAINT t_n_not_null ON u IS 'why'"),
    ("child's own", CHILD.format(""), CHILD.format("") + OWN),
    ("child's own name", CHILD.format(" NOT NULL"), CHILD.format("") + OWN),
    ("both named otherwise", CHILD.format("") + OWN, CHILD.format("") + OWN.replace("theirs", "more").replace("ours", "less")),
    ("both alike", TABLE.format(" CONSTRAINT a NOT NULL") + "CREATE TABLE u (n int CONSTRAINT a NOT NULL) INHERITS (t)",
     TABLE.format(" CONSTRAINT b NOT NULL") + "CREATE TABLE u (n int CONSTRAINT b NOT NULL) INHERITS (t)"),
    ("child's alone", CHILD.format("") + OWN, CHILD.format("") + "ALTER TABLE u ADD CONSTRAINT other NOT NULL n"),
    ("not valid above", CHILD.format("") + OWN.replace("n;", "n NOT VALID;"), UNCHECKED.format("a") + "CREATE TABLE u () INHERITS (t)"),
    ("valid below", CHILD.format(" NOT NULL"), VALID_BELOW),
    ("valid below, of none", CHILD.format(""), VALID_BELOW),
    ("valid below, in a partition", PARTITION + "ALTER TABLE m ADD CONSTRAINT a NOT NULL v",
     PARTITION + "ALTER TABLE m1 ADD CONSTRAINT a NOT NULL v; ALTER TABLE m ADD CONSTRAINT a NOT NULL v NOT VALID"),
    ("grandchild", GRANDCHILD, GRANDCHILD.replace("theirs", "more").replace("ours", "less").replace("last", "least")),
    ("family made", "SELECT 1", GRANDCHILD),
    ("two parents", TWO_PARENTS, TWO_PARENTS.replace("theirs", "more").replace("ours", "less")),
    ("domain", "CREATE DOMAIN d AS int", "CREATE DOMAIN d AS int CONSTRAINT must NOT NULL"),
    ("domain named", "CREATE DOMAIN d AS int NOT NULL", "CREATE DOMAIN d AS int CONSTRAINT must NOT NULL; COMMENT ON CONSTRAINT must ON DOMAIN d IS 'why'"),
    ("domain made", "SELECT 1", "CREATE DOMAIN d AS int CONSTRAINT must NOT NULL; COMMENT ON CONSTRAINT must ON DOMAIN d IS 'why'"),
    ("typed", TYPED.format("NOT NULL"), TYPED.format("WITH OPTIONS CONSTRAINT must NOT NULL")),
    ("typed made", "SELECT 1", TYPED.format("WITH OPTIONS CONSTRAINT must NOT NULL")),
))
def test_not_null_as_a_constraint(become, server, old, new):
    db, wanted = become(old, new), server.new_database()
    wanted.sql(new)
    assert db.sql(NOT_NULL) == wanted.sql(NOT_NULL)
    wanted.drop()


PRIMARY = "CREATE TABLE t (n int CONSTRAINT {} NOT NULL PRIMARY KEY, z int); CREATE TABLE u (n int CONSTRAINT {} NOT NULL) INHERITS (t);"


@pytest.mark.parametrize("old, new", both(
    ("renamed", PRIMARY.format("a", "b"), PRIMARY.format("c", "d")),
    ("added", "CREATE TABLE t (n int, z int); CREATE TABLE u (n int) INHERITS (t)", PRIMARY.format("a", "b")),
    ("new column", "CREATE TABLE t (z int); CREATE TABLE u (n int CONSTRAINT b NOT NULL) INHERITS (t)", PRIMARY.format("a", "b")),
))
def test_names_of_children_stay_under_a_primary_key(become, old, new):
    """It is its children's, too: no statement gives theirs another name."""
    become(old, new)


def test_names_that_the_server_gave_are_all_alike(become):
    """They follow from what the table was called when its column became NOT NULL."""
    become("CREATE TABLE s (n int NOT NULL); ALTER TABLE s RENAME TO t;", "CREATE TABLE t (n int NOT NULL)")


GENERATED = "CREATE TABLE t (id int, n int{});"
VIRTUAL = GENERATED.format(" GENERATED ALWAYS AS (id * {}) VIRTUAL")


@pytest.mark.parametrize("old, new", both(
    ("expression", VIRTUAL.format(2), VIRTUAL.format(3)),
    ("under a view", VIRTUAL.format(2) + "CREATE VIEW v AS SELECT n FROM t", VIRTUAL.format(3) + "CREATE VIEW v AS SELECT n FROM t"),
    ("parent", VIRTUAL.format(2) + "CREATE TABLE u () INHERITS (t)", VIRTUAL.format(3) + "CREATE TABLE u () INHERITS (t)"),
    ("child", VIRTUAL.format(2) + "CREATE TABLE u (n int GENERATED ALWAYS AS (id * 7) VIRTUAL) INHERITS (t)",
     VIRTUAL.format(2) + "CREATE TABLE u (n int GENERATED ALWAYS AS (id * 8) VIRTUAL) INHERITS (t)"),
    ("source retyped", VIRTUAL.format(2), VIRTUAL.format(2).replace("id int", "id bigint")),
    ("type and expression", VIRTUAL.format(2), VIRTUAL.format(3).replace("n int", "n bigint")),
    ("stored", VIRTUAL.format(2), VIRTUAL.format(2).replace("VIRTUAL", "STORED")),
    ("plain", VIRTUAL.format(2), GENERATED.format("")),
    ("new source", VIRTUAL.format(2), VIRTUAL.format("2 + z").replace("n int", "z int, n int")),
    ("check", VIRTUAL.format(2) + "ALTER TABLE t ADD CHECK (n > 0)", VIRTUAL.format(3) + "ALTER TABLE t ADD CHECK (n > 0)"),
    ("not null", VIRTUAL.format(2), VIRTUAL.format(3).replace("VIRTUAL", "VIRTUAL NOT NULL")),
    ("function", "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE TABLE t (id int, n int)",
     "CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE TABLE t (id int, n int)"),
))
def test_virtual_columns(become, old, new):
    become(old, new)


def test_a_virtual_column_is_not_made_again(become):
    db = become(VIRTUAL.format(2) + "GRANT SELECT (n) ON t TO PUBLIC;", VIRTUAL.format(3) + "GRANT SELECT (n) ON t TO PUBLIC;", "INSERT INTO t VALUES (5)")
    assert db.one("SELECT n FROM t") == 15
    assert db.one("SELECT attnum FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'n'") == 2


ROOMS = "CREATE TABLE r (id int4range, during tsrange{});"
KEY = ROOMS.format(", CONSTRAINT rk PRIMARY KEY (id, during WITHOUT OVERLAPS)")
BOOKED = KEY + "CREATE TABLE b (room int4range, during tsrange{});"
PERIOD = ", CONSTRAINT bf FOREIGN KEY (room, PERIOD during) REFERENCES r (id, PERIOD during)"


@pytest.mark.parametrize("old, new", both(
    ("key", ROOMS.format(""), KEY),
    ("unique", ROOMS.format(""), ROOMS.format(", CONSTRAINT ru UNIQUE (id, during WITHOUT OVERLAPS)")),
    ("plain key", ROOMS.format(", CONSTRAINT rk PRIMARY KEY (id, during)"), KEY),
    ("key renamed", KEY, KEY.replace("rk", "rk2")),
    ("foreign key", BOOKED.format(""), BOOKED.format(PERIOD)),
    ("both", ROOMS.format("") + "CREATE TABLE b (room int4range, during tsrange);", BOOKED.format(PERIOD)),
    ("foreign key renamed", BOOKED.format(PERIOD), BOOKED.format(PERIOD.replace("bf", "bf2"))),
    ("not enforced", BOOKED.format(PERIOD), BOOKED.format(PERIOD + " NOT ENFORCED")),
    ("retyped", BOOKED.format(PERIOD), BOOKED.format(PERIOD).replace("int4range", "int8range")),
    ("made", "CREATE TABLE z ()", BOOKED.format(PERIOD)),
    ("deferrable", BOOKED.format(PERIOD), BOOKED.format(PERIOD + " DEFERRABLE INITIALLY DEFERRED")),
))
def test_keys_over_time(become, old, new):
    become(old, new)


PARTED = ("CREATE EXTENSION btree_gist; CREATE TABLE part (a int, d daterange, PRIMARY KEY (a, d WITHOUT OVERLAPS)) PARTITION BY LIST (a);"
          "CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1) PARTITION BY RANGE (a); CREATE TABLE part11 PARTITION OF part1 DEFAULT;")


@pytest.mark.parametrize("old, new", both(
    ("made", "SELECT 1", PARTED),
    ("named", "SELECT 1", PARTED + "ALTER TABLE part11 RENAME CONSTRAINT part11_pkey TO other"),
    ("excluding", "SELECT 1", "CREATE TABLE p (a int4range, EXCLUDE USING gist (a WITH =)) PARTITION BY RANGE (a); CREATE TABLE q PARTITION OF p DEFAULT;"
     "ALTER TABLE q RENAME CONSTRAINT q_a_excl TO mine"),
    ("attached", PARTED + "ALTER TABLE part1 DETACH PARTITION part11", PARTED),
))
def test_keys_over_time_of_partitions(become, old, new):
    """PostgreSQL takes over no key that excludes: the partition gets it when it is attached."""
    become(old, new)


def test_a_generated_column_over_one_that_comes(become):
    """The child has it itself, too, and what it is made of comes from the parent."""
    become("CREATE TABLE p (k int); CREATE TABLE c () INHERITS (p)",
           "CREATE TABLE p (k int, a int, b int GENERATED ALWAYS AS (a * 2)); CREATE TABLE c (b int GENERATED ALWAYS AS (a * 22)) INHERITS (p)")


def test_a_schema_knows_nothing_of_periods(tmp_path, server):
    db = server.new_database()
    db.sql("CREATE EXTENSION btree_gist; CREATE TABLE b (r int, d daterange, PRIMARY KEY (r, d WITHOUT OVERLAPS));"
           "CREATE TABLE s (id int PRIMARY KEY, r int, d daterange, FOREIGN KEY (r, PERIOD d) REFERENCES b (r, PERIOD d))")
    (tmp_path / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\n')
    assert aramid.run("pull", "--url", db.url(), "--yes", cwd=tmp_path).rc == 0
    for way in (("--from-url", db.url(), "--to-schema"), ("--to-url", db.url(), "--from-schema")):
        result = aramid.run("diff", *way, "schema.prisma", "--exit-code", cwd=tmp_path, env={"ARAMID_PG_BINDIR": server.bindir})
        assert result.rc == 0, result
    db.drop()


RANGE = "CREATE SCHEMA s; CREATE TYPE r AS RANGE (subtype = int);"


@pytest.mark.parametrize("old, new", both(
    ("renamed", RANGE + "ALTER TYPE r RENAME TO q", RANGE),
    ("renamed beside one", RANGE + "ALTER TYPE r RENAME TO q", RANGE.replace("TYPE r", "TYPE q")),
    ("moved", RANGE + "ALTER TYPE r SET SCHEMA s", RANGE),
    ("moved, or made there", RANGE + "ALTER TYPE r SET SCHEMA s", RANGE.replace("TYPE r", "TYPE s.r")),
    ("its multirange renamed", RANGE + "ALTER TYPE r_multirange RENAME TO more", RANGE),
))
def test_a_range_keeps_the_name_of_its_multirange(become, server, old, new):
    """Where the range is renamed or goes to another schema; two ranges cannot have it."""
    made = "SELECT rngtypid::regtype::text, rngmultitypid::regtype::text FROM pg_range WHERE rngtypid >= 16384"
    db, wanted = become(old, new), server.new_database()
    wanted.sql(new)
    assert db.sql(made) == wanted.sql(made)
    wanted.drop()
