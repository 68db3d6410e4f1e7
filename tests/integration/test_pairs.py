"""One database becomes another: the script runs, and leads there, forwards and backwards."""

import pytest

from harness import aramid
from harness.becoming import become, both, diff  # noqa: F401


PARTED = ("CREATE TABLE m (k int NOT NULL, v int{0}) PARTITION BY RANGE (k);"
          "CREATE TABLE m1 PARTITION OF m{1} FOR VALUES FROM (0) TO (10);"
          "CREATE TABLE m2 PARTITION OF m{2} FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (k);"
          "CREATE TABLE m3 PARTITION OF m2{3} FOR VALUES FROM (10) TO (20);")
OWN = " (v NOT NULL)"
HEIRS = "CREATE TABLE base (id int{0}, a int); CREATE TABLE kid ({1}) INHERITS (base);" \
        "CREATE TABLE grandkid ({2}) INHERITS (kid);"


@pytest.mark.parametrize("old, new", both(
    ("one partition", PARTED.format(" NOT NULL", "", "", ""), PARTED.format("", "", OWN, "")),
    ("a partition's partition", PARTED.format(" NOT NULL", "", "", ""), PARTED.format("", "", "", OWN)),
    ("all partitions", PARTED.format(" NOT NULL", "", "", ""), PARTED.format("", OWN, OWN, "")),
    ("none", PARTED.format(" NOT NULL", "", "", ""), PARTED.format("", "", "", "")),
    ("always", PARTED.format(" NOT NULL", OWN, OWN, OWN), PARTED.format("", OWN, "", OWN)),
    ("merged", HEIRS.format(" NOT NULL", "id int NOT NULL", ""), HEIRS.format("", "id int NOT NULL", "")),
    ("merged below", HEIRS.format(" NOT NULL", "", "id int NOT NULL"), HEIRS.format("", "", "id int NOT NULL")),
    ("merged type", HEIRS.format("", "id int", "id int"), HEIRS.format("", "id int", "id int").replace(" int", " bigint")),
    ("merged both", HEIRS.format("", "id int", "").replace(" int", " bigint"), HEIRS.format(" NOT NULL", "id int", "")),
    ("merged new", HEIRS.format("", "id int, b int", ""), HEIRS.format(", b int", "id int, b int", "")),
    ("inherited", HEIRS.format(" NOT NULL", "b int", ""), HEIRS.format("", "b int", "")),
    ("let go", HEIRS.format(" NOT NULL", "", ""),
     "CREATE TABLE base (id int, a int); CREATE TABLE kid (id int NOT NULL, a int);"
     "CREATE TABLE grandkid () INHERITS (kid)"),
))
def test_children_keep_their_own_not_null(become, old, new):
    become(old, new)


CALLED = "CREATE FUNCTION f({0}) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';"
TRIGGER = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"


@pytest.mark.parametrize("made", [
    "CREATE TABLE t (id int PRIMARY KEY DEFAULT f(1), n text); ALTER TABLE t ADD COLUMN z int DEFAULT f(2)",
    "CREATE TABLE t (id int PRIMARY KEY, d int GENERATED ALWAYS AS (f(id)) STORED UNIQUE, n int DEFAULT f(3));"
    "CREATE INDEX i ON t (d); CREATE VIEW v AS SELECT d FROM t; CREATE TABLE u (d int REFERENCES t (d));"
    "COMMENT ON COLUMN t.d IS 'twice'; ALTER TABLE t ADD CHECK (d > 0)",
    "CREATE TABLE t (id int); " + TRIGGER +
    "CREATE TRIGGER tg BEFORE INSERT ON t FOR EACH ROW WHEN (f(NEW.id) > 9) EXECUTE FUNCTION tf()",
    "CREATE DOMAIN d AS int DEFAULT f(1) NOT NULL; CREATE TABLE t (x d, y d DEFAULT f(2))",
    "CREATE DOMAIN d AS int CHECK (f(VALUE) > 0); CREATE TABLE t (x d)",
    "CREATE TABLE t (x int DEFAULT f(1)); CREATE TABLE k (y int) INHERITS (t)",
    "CREATE TABLE t (x int DEFAULT f(1), y int) PARTITION BY RANGE (y);"
    "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)",
    "CREATE VIEW v AS SELECT 1 AS x; ALTER VIEW v ALTER COLUMN x SET DEFAULT f(1)",
    "CREATE TABLE t (x int CHECK (f(x) > 0)); CREATE INDEX i ON t (f(x)); CREATE VIEW v AS SELECT f(x) FROM t;"
    "CREATE POLICY p ON t USING (f(x) > 1)",
    "CREATE FUNCTION g(v int DEFAULT f(1)) RETURNS int LANGUAGE sql AS 'SELECT 1'",
], ids=["default", "generated", "trigger", "domain", "check", "inherited", "partitions", "view", "code", "argument"])
@pytest.mark.parametrize("old, new", both(
    ("named", CALLED.format("a int"), CALLED.format("b int")),
    ("result", CALLED.format("a int"), CALLED.format("a int").replace("RETURNS int", "RETURNS numeric")),
))
def test_what_calls_a_function_that_is_made_again(become, made, old, new):
    if "numeric" in old + new and ("VIEW" in made or "GENERATED" in made):
        made = made.replace("SELECT f(x)", "SELECT f(x) > 1 AS b")
    become(old + made, new + made)


@pytest.mark.parametrize("old, new", both(
    ("default", CALLED.format("a int") + "CREATE TABLE t (x int DEFAULT f(1), y int DEFAULT 5, z int DEFAULT f(1))",
     CALLED.format("b int") + "CREATE TABLE t (x int DEFAULT f(1) + 1, y int DEFAULT f(2), z int DEFAULT 7)"),
    ("column", CALLED.format("a int") + "CREATE TABLE t (x int DEFAULT f(1), y int)",
     CALLED.format("b int") + "CREATE TABLE t (y int)"),
    ("generated", CALLED.format("a int") + "CREATE TABLE t (x int, y int GENERATED ALWAYS AS (f(x)) STORED, z int)",
     CALLED.format("b int") + "CREATE TABLE t (x bigint, z int)"),
    ("expression", CALLED.format("a int") + "CREATE TABLE t (x int, y int GENERATED ALWAYS AS (f(x)) STORED)",
     CALLED.format("b int") + "CREATE TABLE t (x int, y int GENERATED ALWAYS AS (f(x) + 1) STORED)"),
    ("gone", CALLED.format("a int") + "CREATE TABLE t (x int DEFAULT f(1)); CREATE DOMAIN d AS int DEFAULT f(1)",
     "CREATE TABLE t (x int); CREATE DOMAIN d AS int"),
    ("domain", CALLED.format("a int") + "CREATE DOMAIN d AS int DEFAULT f(1)",
     CALLED.format("b int") + "CREATE DOMAIN d AS int DEFAULT f(1) + 1"),
))
def test_what_changes_with_the_function_that_it_calls(become, old, new):
    become(old, new)


GENERATED = "CREATE TABLE g (a int NOT NULL, y int GENERATED ALWAYS AS (a + {}) STORED {}, z int UNIQUE); {}"


@pytest.mark.parametrize("key, users", [
    ("UNIQUE", "CREATE TABLE c (y int REFERENCES g (y)); CREATE TABLE d (z int REFERENCES g (z))"),
    ("PRIMARY KEY", "CREATE TABLE c (y int REFERENCES g); CREATE TABLE d (y int REFERENCES g (y))"),
    ("", "CREATE UNIQUE INDEX u ON g (y); CREATE TABLE c (y int REFERENCES g (y))"),
    ("", "CREATE UNIQUE INDEX u ON g (a, y); CREATE TABLE c (y int, a int, FOREIGN KEY (a, y) REFERENCES g (a, y))"),
    ("UNIQUE", "ALTER TABLE g ADD FOREIGN KEY (z) REFERENCES g (y), ADD FOREIGN KEY (y) REFERENCES g (z)"),
    ("UNIQUE", "CREATE VIEW v AS SELECT y FROM g; CREATE INDEX i ON g (y) WHERE a > 1; COMMENT ON COLUMN g.y IS 'x'"),
])
@pytest.mark.parametrize("old, new", [("1", "2"), ("2", "1")])
def test_what_stands_on_a_generated_column(become, key, users, old, new):
    become(GENERATED.format(old, key, users), GENERATED.format(new, key, users))


ENUM = "CREATE TYPE st AS ENUM ({});"


@pytest.mark.parametrize("made, rows", [
    ("CREATE TABLE t (id int PRIMARY KEY, s st NOT NULL, g bool GENERATED ALWAYS AS (s = 'a') STORED);",
     "INSERT INTO t VALUES (1, 'a'), (2, 'b');"),
    ("CREATE TABLE t (id int, s st[] DEFAULT '{a}', g bool GENERATED ALWAYS AS (s[1] = 'a') STORED);"
     "CREATE INDEX i ON t (g); CREATE VIEW v AS SELECT g FROM t;", "INSERT INTO t VALUES (1, '{a,b}');"),
    ("CREATE TABLE t (id int, s st, g st GENERATED ALWAYS AS (s) STORED UNIQUE); CREATE TABLE c (g st REFERENCES t (g));",
     "INSERT INTO t VALUES (1, 'a'); INSERT INTO c VALUES ('a');"),
    ("CREATE TABLE t (id int, s st); CREATE FUNCTION f(x st) RETURNS int LANGUAGE sql AS 'SELECT 1';"
     "CREATE TABLE u (x int DEFAULT f('a'));", "INSERT INTO t VALUES (1, 'b');"),
], ids=["generated", "list", "same type", "function"])
@pytest.mark.parametrize("old, new", both(("less", ENUM.format("'a', 'b', 'c'"), ENUM.format("'b', 'a'"))))
def test_an_enum_made_anew(become, made, rows, old, new):
    db = become(old + made, new + made, rows)
    assert db.one("SELECT count(*) FROM t") > 0
    assert db.one("SELECT count(*) FROM pg_type WHERE typname = 'st_old'") == 0


@pytest.mark.parametrize("made", [
    "CREATE DOMAIN sd AS st CHECK (VALUE <> 'a') DEFAULT 'b';",
    "CREATE DOMAIN sd AS st; CREATE FUNCTION f(x sd) RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "CREATE TYPE pair AS (x st, n int); CREATE TABLE t (c pair, s st);",
    "CREATE TYPE pair AS (n int, x st[]); CREATE TABLE t (c pair[]);",
], ids=["domain", "function of a domain", "composite", "lists"])
@pytest.mark.parametrize("old, new", both(("less", ENUM.format("'a', 'b', 'c'"), ENUM.format("'b', 'a'"))))
def test_types_that_hold_an_enum_made_anew(become, made, old, new):
    db = become(old + made, new + made)
    assert db.one("SELECT count(*) FROM pg_type WHERE typname = 'st_old'") == 0


HELD = ("CREATE DOMAIN sd AS st CHECK (VALUE <> 'c') DEFAULT 'a'; CREATE TYPE pair AS (x st, d sd, l sd[]);"
        "CREATE TYPE whole AS (p pair, n int); CREATE DOMAIN plenty AS pair[];"
        "CREATE TABLE t (id int, d sd, l sd[], p pair, w whole, s plenty, e st DEFAULT 'b');"
        "CREATE VIEW v AS SELECT d, (p).x FROM t; CREATE INDEX i ON t (d) WHERE d::st <> 'a';"
        "CREATE FUNCTION f(sd, pair) RETURNS st LANGUAGE sql AS 'SELECT $1::st';"
        "COMMENT ON DOMAIN sd IS 'd'; COMMENT ON COLUMN pair.x IS 'x'; REVOKE USAGE ON TYPE pair FROM PUBLIC;")


@pytest.mark.parametrize("old, new", both(("less", ENUM.format("'a', 'b', 'c', 'z'"), ENUM.format("'c', 'b', 'a'"))))
def test_an_enum_that_other_types_hold(become, old, new):
    db = become(old + HELD, new + HELD, "INSERT INTO t SELECT 1, 'a', '{a,b}', p, ROW(p, 2)::whole, ARRAY[p], 'c'"
                " FROM (SELECT ROW('c', 'b', '{b}')::pair) AS x (p);")
    pair = '(c,b,{b})'
    assert db.sql("SELECT d, l::text, p::text, w::text, s::text, e FROM t") == [
        ("a", "{a,b}", pair, f'("{pair}",2)', '{"%s"}' % pair, "c")]
    assert db.one("SELECT count(*) FROM pg_type WHERE typname ~ '_old'") == 0


TYPED = "CREATE DOMAIN d AS {0} CHECK (VALUE::text <> '0'); CREATE DOMAIN dd AS d; CREATE TYPE c AS (x d, y dd[]);" \
        "CREATE TABLE t (x d DEFAULT 5, y dd[], z c); CREATE FUNCTION f(d) RETURNS int LANGUAGE sql AS 'SELECT 1';"


@pytest.mark.parametrize("old, new", both(
    ("wider", TYPED.format("int"), TYPED.format("bigint")),
    ("text", TYPED.format("int"), TYPED.format("text")),
    ("away", TYPED.format("int"), "CREATE TABLE t (x int DEFAULT 5, y int[], z int)"),
))
def test_the_type_of_a_domain(become, old, new):
    rows = "; INSERT INTO t (x, y) VALUES (7, '{8,9}');"
    assert become(old, new, rows).sql("SELECT x::text, y::text FROM t") == [("7", "{8,9}")]


@pytest.mark.parametrize("old, new", both(
    ("order", "CREATE TYPE pr AS (lo int, hi int);", "CREATE TYPE pr AS (hi int, lo int);"),
    ("three", "CREATE TYPE pr AS (a int, b text, c int);", "CREATE TYPE pr AS (a int, c int, b text);"),
    ("type", "CREATE TYPE pr AS (a text, b int);", "CREATE TYPE pr AS (a varchar(9), b int);"),
    ("more", "CREATE TYPE pr AS (a text, b int);", "CREATE TYPE pr AS (x int, a text, b int, c int);"),
    ("other", "CREATE TYPE pr AS (a text, b int, c int);", "CREATE TYPE pr AS (c bigint, d int, a text);"),
))
@pytest.mark.parametrize("used, values", [
    ("", []),
    ("CREATE FUNCTION w(p pr) RETURNS int LANGUAGE sql AS 'SELECT 1';", []),
    ("CREATE TABLE t (x pr); CREATE TABLE u (x pr[]);", ["{}::pr", "ARRAY[{}, NULL, ROW()]::pr[]"]),
    ("CREATE DOMAIN d AS pr; CREATE TYPE o AS (n int, p d, l pr[]); CREATE TABLE t (x d); CREATE TABLE u (x o[]);",
     ["{}::d", "ARRAY[ROW(1, {0}, ARRAY[{0}::pr])]::o[]"]),
    ("CREATE TABLE t (x pr, k int) PARTITION BY RANGE (k); CREATE TABLE t1 PARTITION OF t DEFAULT;"
     "CREATE TABLE p (x pr, k int); CREATE TABLE u (y int) INHERITS (p);", ["{}::pr, 1", "{}::pr, 1"]),
    ("CREATE TABLE t (x pr); CREATE TABLE u (x pr); CREATE MATERIALIZED VIEW m AS SELECT x FROM t;"
     "CREATE INDEX i ON t (((x).a)); CREATE VIEW v AS SELECT (x).a FROM t; ALTER TABLE u ADD CHECK ((x).a IS NOT NULL);",
     ["{}::pr", "{}::pr"]),
], ids=["unused", "function", "columns", "nested", "children", "code"])
def test_attributes_of_a_composite_type(become, old, new, used, values):
    comment = "COMMENT ON COLUMN pr.{} IS 'c'".format("hi" if "hi" in old else "a")
    if "hi" in old:
        used = used.replace(").a", ").hi")
    names = [x.split()[0] for x in old[old.index("(") + 1:old.rindex(")")].split(", ")]
    row = "ROW({})".format(", ".join(f"'{n}'" for n in range(1, len(names) + 1)))
    empty = "ROW({})".format(", ".join(["NULL"] * len(names)))
    rows = "".join(f"; INSERT INTO {t} VALUES ({v.replace('ROW()', empty).format(row)})" for t, v in zip("tu", values))
    db = become(old + used + comment, new + used + comment, rows)
    is_there = new[new.index("(") + 1:new.rindex(")")].split(", ")
    assert db.one("SELECT string_agg(attname || ' ' || replace(replace(format_type(atttypid, atttypmod), 'integer', 'int'),"
                  " 'character varying', 'varchar'), ', ' ORDER BY attnum) FROM pg_attribute"
                  " WHERE attrelid = 'pr'::regclass AND NOT attisdropped") == ", ".join(is_there)
    if values:
        kept = "(%s)" % ",".join(str(names.index(x.split()[0]) + 1) if x.split()[0] in names else "" for x in is_there)
        assert db.one("SELECT x::text FROM t") == kept
        assert kept in db.one("SELECT x::text FROM u")


def test_an_attribute_that_goes_is_announced(tmp_path, server):
    old, new = server.new_database(), server.new_database()
    old.sql("CREATE TYPE pr AS (a int, b text, c int); CREATE TABLE t (x pr); INSERT INTO t VALUES (ROW(1, 'x', 2))")
    new.sql("CREATE TYPE pr AS (c bigint, a int); CREATE TABLE t (x pr)")
    told = diff(tmp_path, old, new)
    assert told.rc == 0 and 'drop the column "b"' in told.out + told.err and '"a"' not in told.err, told
    old.drop()
    new.drop()


@pytest.mark.parametrize("old, new, row", [
    ("CREATE TYPE x AS (a int, b text);", "CREATE TYPE x AS (a int, b varchar(3));", "ROW(1, 'abcdef')"),
    ("CREATE TYPE x AS (a int, b varchar(9)[]);", "CREATE TYPE x AS (b char(3)[]);", "ROW(1, '{abcdef}')"),
    ("CREATE TYPE x AS (b varbit);", "CREATE TYPE x AS (a int, b varbit(2));", "ROW(B'10101')"),
    ("CREATE DOMAIN x AS text;", "CREATE DOMAIN x AS varchar(3);", "'abcdef'"),
    ("CREATE DOMAIN y AS text; CREATE TYPE x AS (b y[]);", "CREATE DOMAIN y AS varchar(3); CREATE TYPE x AS (b y[]);",
     "ROW(ARRAY['abcdef'])"),
])
@pytest.mark.parametrize("table, value", [("CREATE TABLE t (v x)", "{}::x"), ("CREATE TABLE t (v x[])", "ARRAY[{}::x]")])
def test_what_is_too_long_is_refused_and_not_cut(tmp_path, db, db2, old, new, row, table, value):
    """A cast cuts strings to their length without a word; an assignment does not."""
    db.sql(old + table + "; INSERT INTO t VALUES (" + value.format(row) + ")")
    db2.sql(new + table)
    before = db.one("SELECT v::text FROM t")
    script = diff(tmp_path, db, db2, "--script")
    assert script.rc == 0, script
    with pytest.raises(Exception, match="too long"):
        db.sql("BEGIN;" + script.out + ";COMMIT")
    assert db.one("SELECT v::text FROM t") == before
    db.sql("DELETE FROM t")
    db.sql("BEGIN;" + script.out + ";COMMIT")
    assert diff(tmp_path, db, db2, "--exit-code").rc == 0


KEY = "CREATE TABLE t (id int, a int NOT NULL, CONSTRAINT {} PRIMARY KEY ({})); COMMENT ON {} IS '{}'"


@pytest.mark.parametrize("old, new", both(
    ("said", "CREATE TABLE t (id int, a int NOT NULL, CONSTRAINT pk PRIMARY KEY (id))", KEY.format("pk", "id", "CONSTRAINT pk ON t", "x")),
    ("other", KEY.format("pk", "id", "CONSTRAINT pk ON t", "y"), KEY.format("pk", "id", "CONSTRAINT pk ON t", "x")),
    ("key", KEY.format("pk", "id, a", "CONSTRAINT pk ON t", "x"), KEY.format("pk", "id", "CONSTRAINT pk ON t", "x")),
    ("name", KEY.format("pk", "id", "CONSTRAINT pk ON t", "x"), KEY.format("p", "id", "CONSTRAINT p ON t", "y")),
    ("index", KEY.format("pk", "id", "INDEX pk", "x"), KEY.format("pk", "a", "INDEX pk", "y")),
    ("table", "CREATE TABLE z ()", KEY.format("pk", "id", "CONSTRAINT pk ON t", "x")),
    ("first", "CREATE TABLE t (id int NOT NULL, a int NOT NULL)", KEY.format("pk", "id", "CONSTRAINT pk ON t", "x")),
    ("partition", "CREATE TABLE m (id int, CONSTRAINT pk PRIMARY KEY (id)) PARTITION BY RANGE (id);"
     "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10)",
     "CREATE TABLE m (id int, CONSTRAINT pk PRIMARY KEY (id)) PARTITION BY RANGE (id);"
     "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);"
     "COMMENT ON CONSTRAINT pk ON m IS 'm'; COMMENT ON CONSTRAINT m1_pkey ON m1 IS 'm1'"),
))
def test_what_is_said_about_primary_keys(become, old, new):
    db = become(old, new)
    said = db.one("SELECT string_agg(coalesce(obj_description(oid, 'pg_constraint'), obj_description(conindid, 'pg_class')), ',')"
                  " FROM pg_constraint WHERE contype = 'p'")
    assert bool(said) == ("COMMENT" in new)


RARE_USERS = [
    "CREATE AGGREGATE sum2(int) (sfunc = sf, stype = int, initcond = '0')",
    "CREATE OPERATOR ### (leftarg = int, rightarg = int, function = sf)",
    "CREATE TYPE r AS RANGE (subtype = float8, subtype_diff = df)",
    "CREATE TYPE two AS (a int); CREATE CAST (int AS two) WITH FUNCTION cf(int)",
]


def with_function(db, user, argument):
    made = f"CREATE FUNCTION sf({argument} int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';" \
           f"CREATE FUNCTION df({argument} float8, float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';"
    cast = f"CREATE FUNCTION cf({argument} int) RETURNS two LANGUAGE sql AS 'SELECT ROW($1)::two';"
    first, _, then = user.partition(";")
    db.sql(made + (f"{first};{cast}{then}" if "CAST" in then else user))


@pytest.mark.parametrize("user", RARE_USERS)
def test_what_stands_on_a_function_is_made_again_with_it(tmp_path, server, user):
    old, new = server.new_database(), server.new_database()
    with_function(old, user, "")
    with_function(new, user, "a")
    script = diff(tmp_path, old, new, "--script")
    assert script.rc == 0, script
    old.sql(script.out)
    assert "empty migration" in diff(tmp_path, old, new, "--script").out
    old.drop()
    new.drop()


@pytest.mark.parametrize("used, name", [
    ("CREATE TABLE t (a r)", 'column "a"'),
    ("CREATE TABLE t (a r[])", 'column "a"'),
    ("CREATE DOMAIN d AS r", 'domain "public"."d"'),
    ("CREATE TYPE c AS (a r)", '"a"'),
])
def test_a_type_that_columns_use_is_not_dropped(tmp_path, server, used, name):
    old, new = server.new_database(), server.new_database()
    for db, argument in ((old, ""), (new, "a")):
        with_function(db, f"{RARE_USERS[2]};{used}", argument)
    refused = diff(tmp_path, old, new, "--script")
    assert refused.rc == 6 and refused.out == "" and name in refused.err, refused
    told = diff(tmp_path, old, new)
    assert told.rc == 0 and "PostgreSQL refuses" in told.out + told.err, told
    old.drop()
    new.drop()


PARTITIONED = "CREATE TABLE p (id {}, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);"
ROWS = "CREATE TABLE base (a {}); CREATE TABLE holder (id int, x base{});"
VIEW = "CREATE VIEW v AS SELECT 1{} AS a; CREATE TABLE h (x v);"
OF_TYPE = "CREATE TYPE c AS ({}a int, b int); CREATE TABLE t OF c;"


@pytest.mark.parametrize("old, new, why", [
    (PARTITIONED.format("int"), PARTITIONED.format("bigint"), "partitioned by it"),
    ("CREATE TABLE o (k int, id int) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF o DEFAULT PARTITION BY RANGE (id)",
     "CREATE TABLE o (k int, id bigint) PARTITION BY LIST (k); CREATE TABLE p PARTITION OF o DEFAULT PARTITION BY RANGE (id)",
     "partitioned by it"),
    (ROWS.format("int", ""), ROWS.format("bigint", ""), '"x"'),
    (ROWS.format("int", "[]"), ROWS.format("int, b int DEFAULT 5", "[]"), '"holder"'),
    (VIEW.format(""), VIEW.format("::bigint"), '"h"'),
    (OF_TYPE.format(""), OF_TYPE.format("z int, "), "order"),
])
def test_what_postgresql_refuses_is_refused_before(tmp_path, server, old, new, why):
    a, b = server.new_database(), server.new_database()
    a.sql(old)
    b.sql(new)
    refused = diff(tmp_path, a, b, "--script")
    assert refused.rc == 6 and refused.out == "" and why in refused.err, refused
    a.drop()
    b.drop()


@pytest.mark.parametrize("old, new", both(
    ("more", OF_TYPE.format(""), OF_TYPE.replace("b int", "b int, c text").format("")),
    ("retyped", OF_TYPE.format(""), OF_TYPE.replace("b int", "b bigint").format("")),
    ("held", OF_TYPE.format("") + "CREATE TABLE u (x c)", OF_TYPE.replace("b int", "b bigint").format("") + "CREATE TABLE u (x c)"),
    ("left", OF_TYPE.format(""), "CREATE TABLE t (a int, b int)"),
))
def test_tables_of_a_type(become, old, new):
    db = become(old, new, "; INSERT INTO t VALUES (1, 2)")
    assert db.one("SELECT b::int FROM t") == 2


SERIAL = "CREATE TABLE t (id serial, n int);"


@pytest.mark.parametrize("old, new", both(
    ("free", SERIAL, "CREATE SEQUENCE t_id_seq AS int; CREATE TABLE t (n int DEFAULT nextval('t_id_seq'))"),
    ("beside", SERIAL, "CREATE SEQUENCE t_id_seq AS int; CREATE TABLE t (n int DEFAULT nextval('t_id_seq'));"
     "ALTER SEQUENCE t_id_seq OWNED BY t.n"),
    ("elsewhere", SERIAL + "CREATE TABLE u (x int)", "CREATE SEQUENCE t_id_seq AS int; CREATE TABLE u (x int DEFAULT nextval('t_id_seq'));"
     "ALTER SEQUENCE t_id_seq OWNED BY u.x"),
    ("drawn", SERIAL + "CREATE TABLE u (x int DEFAULT nextval('t_id_seq'))", "CREATE TABLE t (id int, n int); CREATE TABLE u (x serial)"),
    ("identity", SERIAL + "CREATE VIEW v AS SELECT last_value FROM t_id_seq; CREATE TABLE u (x int DEFAULT nextval('t_id_seq'))",
     "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, n int); CREATE VIEW v AS SELECT last_value FROM t_id_seq;"
     "CREATE TABLE u (x int DEFAULT nextval('t_id_seq'))"),
))
def test_sequences_are_handed_over(become, old, new):
    db = become(old, new, "; SELECT setval('t_id_seq', 40)" if "t_id_seq" in old or "serial" in old and "t (id serial" in old else "")
    if "SEQUENCE t_id_seq" in new:
        assert db.one("SELECT last_value FROM t_id_seq") == 40


EVENTS = ("CREATE TABLE ev (id int, r text) PARTITION BY LIST (r); CREATE TABLE a PARTITION OF ev FOR VALUES IN ('a');"
          "CREATE TABLE b PARTITION OF ev FOR VALUES IN ('b') PARTITION BY RANGE (id); CREATE TABLE c PARTITION OF b DEFAULT;") + \
    TRIGGER + "CREATE TRIGGER aud AFTER INSERT{} ON ev FOR EACH ROW EXECUTE FUNCTION tf();"
OFF = "ALTER TABLE {} DISABLE TRIGGER aud;"


@pytest.mark.parametrize("old, new", both(
    ("one", EVENTS.format(""), EVENTS.format("") + OFF.format("a")),
    ("below", EVENTS.format(""), EVENTS.format("") + OFF.format("c") + "ALTER TABLE b ENABLE ALWAYS TRIGGER aud; ALTER TABLE c DISABLE TRIGGER aud"),
    ("between, with what is below", EVENTS.format(""), EVENTS.format("") + OFF.format("b")),
    ("between, but for one below", EVENTS.format("") + "ALTER TABLE c ENABLE ALWAYS TRIGGER aud",
     EVENTS.format("") + OFF.format("b") + "ALTER TABLE c ENABLE ALWAYS TRIGGER aud"),
    ("table's", EVENTS.format("") + OFF.format("a"), EVENTS.format("") + OFF.format("ev") + "ALTER TABLE a ENABLE REPLICA TRIGGER aud"),
    ("anew", EVENTS.format("") + OFF.format("a"), EVENTS.format(" OR UPDATE") + OFF.format("a")),
    ("made", "CREATE TABLE z ()", EVENTS.format("") + OFF.format("a")),
    ("detached", EVENTS.format("") + OFF.format("a"), EVENTS.format("") + "ALTER TABLE ev DETACH PARTITION a"),
))
def test_states_of_partitions_triggers(become, old, new):
    become(old, new)


PARTED = ("CREATE TABLE ev (id int) PARTITION BY RANGE (id); CREATE TABLE a PARTITION OF ev FOR VALUES FROM (1) TO (5) PARTITION BY RANGE (id);"
          "CREATE TABLE b PARTITION OF a FOR VALUES FROM (1) TO (2); CREATE TABLE c PARTITION OF a FOR VALUES FROM (2) TO (3);")
ALONE = "CREATE INDEX lone ON ONLY ev (id);"
PARTLY = PARTED + "CREATE INDEX a_i ON ONLY a (id); CREATE INDEX c_i ON c (id); ALTER INDEX a_i ATTACH PARTITION c_i;" + ALONE + \
    "ALTER INDEX lone ATTACH PARTITION a_i;"


@pytest.mark.parametrize("old, new", both(
    ("made", "CREATE TABLE z ()", PARTED + ALONE),
    ("made with parts", "CREATE TABLE z ()", PARTLY),
    ("added", PARTED, PARTED + ALONE),
    ("added with parts", PARTED, PARTLY),
    ("a partition joins", PARTLY + "ALTER TABLE ev DETACH PARTITION a", PARTLY),
    ("a partition is new", PARTLY + "DROP TABLE a", PARTLY),
))
def test_indexes_that_are_not_on_all_partitions(become, server, old, new):
    """They are made when the partitions are there, which would get them otherwise."""
    made = ("SELECT i.indexrelid::regclass::text, i.indisvalid, h.inhparent::regclass::text FROM pg_index i "
            "LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid WHERE i.indexrelid >= 16384 ORDER BY 1")
    db, wanted = become(old, new), server.new_database()
    wanted.sql(new)
    assert db.sql(made) == wanted.sql(made)
    wanted.drop()


@pytest.mark.parametrize("old, new", both(
    ("joins", "CREATE TABLE up (c int NOT NULL, CONSTRAINT k CHECK (c > 0)); CREATE TABLE t (id int)",
     "CREATE TABLE up (c int NOT NULL, CONSTRAINT k CHECK (c > 0)); CREATE TABLE t (id int) INHERITS (up)"),
    ("other", "CREATE TABLE up (c int); CREATE TABLE down (c int); CREATE TABLE t (id int) INHERITS (up)",
     "CREATE TABLE up (c bigint); CREATE TABLE down (c int); CREATE TABLE t (id int) INHERITS (down)"),
    ("own", "CREATE TABLE up (x int); CREATE TABLE t (id int) INHERITS (up)",
     "CREATE TABLE up (x int, c int DEFAULT 3); CREATE TABLE t (id int, c int DEFAULT 4) INHERITS (up)"),
))
def test_parents_come_and_go(become, old, new):
    become(old, new)


@pytest.mark.parametrize("old, new", both(
    ("type", "CREATE TABLE t (c int, CONSTRAINT k CHECK (c > 0)); CREATE TABLE u () INHERITS (t); COMMENT ON CONSTRAINT k ON u IS 'u'",
     "CREATE TABLE t (c bigint, CONSTRAINT k CHECK (c > 0)); CREATE TABLE u () INHERITS (t); COMMENT ON CONSTRAINT k ON u IS 'u'"),
))
def test_what_is_said_below_a_retyped_column(become, old, new):
    become(old, new)


HEIR = "CREATE TABLE up (c int{}); CREATE TABLE t (id int PRIMARY KEY) INHERITS (up);"
NAMED = HEIR + "CREATE UNIQUE INDEX ui ON t (id, c); ALTER TABLE t ALTER c SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX ui;"


@pytest.mark.parametrize("old, new", both(
    ("parent", NAMED.format(" NOT NULL"), NAMED.format("")),
    ("parent's parent", "CREATE TABLE top (c int{}); CREATE TABLE up () INHERITS (top);".format(" NOT NULL") +
     NAMED[len(HEIR):].replace("t ", "up ").replace("(id, ", "("),
     "CREATE TABLE top (c int); CREATE TABLE up () INHERITS (top);" + NAMED[len(HEIR):].replace("t ", "up ").replace("(id, ", "(")),
    ("given up", NAMED.format(" NOT NULL"), HEIR.format("") + "CREATE UNIQUE INDEX ui ON t (id, c); ALTER TABLE t REPLICA IDENTITY FULL;"),
    ("other", NAMED.format(" NOT NULL"), HEIR.format("") + "CREATE UNIQUE INDEX ui ON t (id, c); CREATE UNIQUE INDEX uj ON t (id);"
     "ALTER TABLE t REPLICA IDENTITY USING INDEX uj;"),
    ("alone", "CREATE TABLE t (c int NOT NULL UNIQUE, d int NOT NULL UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX t_c_key",
     "CREATE TABLE t (c int UNIQUE, d int NOT NULL UNIQUE); ALTER TABLE t REPLICA IDENTITY USING INDEX t_d_key"),
    ("partition", "CREATE TABLE m (k int, v int NOT NULL) PARTITION BY RANGE (k); CREATE TABLE m1 PARTITION OF m (k NOT NULL, v NOT NULL) DEFAULT;"
     "CREATE UNIQUE INDEX ui ON m1 (k, v); ALTER TABLE m1 REPLICA IDENTITY USING INDEX ui",
     "CREATE TABLE m (k int, v int) PARTITION BY RANGE (k); CREATE TABLE m1 PARTITION OF m (k NOT NULL, v NOT NULL) DEFAULT;"
     "CREATE UNIQUE INDEX ui ON m1 (k, v); ALTER TABLE m1 REPLICA IDENTITY USING INDEX ui"),
))
def test_what_tells_rows_apart_lets_go_of_its_columns(become, old, new):
    become(old, new)


@pytest.mark.parametrize("comment", ["", "; COMMENT ON CONSTRAINT k ON t IS 'kept'"])
def test_a_check_that_becomes_its_parents(become, comment):
    db = become("CREATE TABLE up (c int); CREATE TABLE t (CONSTRAINT k CHECK (c > 0)) INHERITS (up); COMMENT ON CONSTRAINT k ON t IS 'own'",
                "CREATE TABLE up (c int, CONSTRAINT k CHECK (c > 0)); CREATE TABLE t () INHERITS (up)" + comment)
    assert not db.one("SELECT conislocal FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'")


ROW_TYPE = "CREATE TYPE c AS (a {}, b text);"


@pytest.mark.parametrize("old, new", both(
    ("view", ROW_TYPE.format("int") + "CREATE VIEW u AS SELECT ROW(5, 'x')::c AS y", ROW_TYPE.format("bigint") + "CREATE VIEW u AS SELECT ROW(5, 'x')::c AS y"),
    ("domain", ROW_TYPE.format("int") + "CREATE DOMAIN u AS c DEFAULT ROW(5, 'x')::c", ROW_TYPE.format("bigint") + "CREATE DOMAIN u AS c DEFAULT ROW(5, 'x')::c"),
    ("check", ROW_TYPE.format("int") + "CREATE TABLE u (x int, CHECK ((ROW(x, 'x')::c).a > 0))",
     ROW_TYPE.format("bigint") + "CREATE TABLE u (x int, CHECK ((ROW(x, 'x')::c).a > 0))"),
    ("default", ROW_TYPE.format("int") + "CREATE TABLE u (x int DEFAULT (ROW(5, 'x')::c).a)",
     ROW_TYPE.format("bigint") + "CREATE TABLE u (x int DEFAULT (ROW(5, 'x')::c).a)"),
))
def test_expressions_that_make_rows_of_a_type(become, old, new):
    become(old, new)


@pytest.mark.parametrize("major", [13, 14, None])
def test_functions_of_generated_columns(tmp_path, servers, major):
    server, call = servers.get(major), "CREATE FUNCTION f({} int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';" \
        "CREATE TABLE u (x int, y int GENERATED ALWAYS AS (f(x)) STORED); CREATE VIEW v AS SELECT y FROM u"
    db, wanted = server.new_database(), server.new_database()
    db.sql(call.format("a"))
    wanted.sql(call.format("b"))
    db.sql("BEGIN;" + diff(tmp_path, db, wanted, "--script").out + ";COMMIT")
    assert diff(tmp_path, db, wanted, "--exit-code").rc == 0
    db.drop()
    wanted.drop()


@pytest.mark.parametrize("more", ["", ", (a + b)", "(ndistinct)"])
def test_columns_of_statistics_are_a_set(become, more):
    kinds, more = (more, "") if "nd" in more else ("", more)
    stats = f"CREATE STATISTICS s {kinds} ON a, b{more} FROM t"
    become("CREATE TABLE t (a int, b int);" + stats, "CREATE TABLE t (b int, a int);" + stats)
    become("CREATE TABLE t (b text, a int); CREATE STATISTICS s ON a, b FROM t", "CREATE TABLE t (b int, a int); CREATE STATISTICS s ON a, b FROM t")


TO_PARTS = ("CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
            "CREATE TABLE c (x int); ALTER TABLE c ADD CONSTRAINT cf FOREIGN KEY (x) REFERENCES p (id){};")


@pytest.mark.parametrize("old, new", both(
    ("by the script", TO_PARTS.format(" NOT VALID"), TO_PARTS.format("")),
    ("by hand", TO_PARTS.format(" NOT VALID") + "ALTER TABLE c VALIDATE CONSTRAINT cf;", TO_PARTS.format("")),
))
def test_validated_keys_to_partitions(become, old, new):
    """Up to 17 VALIDATE leaves the server's own keys to the partitions as they were."""
    become(old, new)


PARTED_FULL = ("CREATE TABLE r (id int PRIMARY KEY); CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
               "CREATE TABLE pt (a int NOT NULL, b int DEFAULT 3 REFERENCES r, c text, CONSTRAINT pc CHECK (a > 0), PRIMARY KEY (a)) "
               "PARTITION BY RANGE (a); CREATE INDEX pi ON pt (b); CREATE UNIQUE INDEX pu ON pt (a, c);"
               "CREATE TRIGGER tg BEFORE INSERT ON pt FOR EACH ROW EXECUTE FUNCTION tf();"
               "CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (1) TO (10) PARTITION BY RANGE (a);"
               "CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (1) TO (5);"
               "CREATE TABLE p2 PARTITION OF pt FOR VALUES FROM (10) TO (20);")


@pytest.mark.parametrize("old, new", both(
    ("a partition", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2"),
    ("with partitions", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p1"),
    ("below", PARTED_FULL, PARTED_FULL + "ALTER TABLE p1 DETACH PARTITION p11"),
    ("both", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p1; ALTER TABLE p1 DETACH PARTITION p11; "
     "ALTER TABLE pt DETACH PARTITION p2"),
    ("up", PARTED_FULL, PARTED_FULL + "ALTER TABLE p1 DETACH PARTITION p11; ALTER TABLE pt ATTACH PARTITION p11 FOR VALUES FROM (30) TO (40)"),
    ("bound", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2; ALTER TABLE pt ATTACH PARTITION p2 FOR VALUES FROM (20) TO (30)"),
    ("column", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2; ALTER TABLE p2 DROP c, ADD d int, ALTER b TYPE bigint"),
    ("columns", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2; ALTER TABLE pt ADD n int, DROP b"),
    ("parts", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2; ALTER TABLE p2 DROP CONSTRAINT p2_pkey, DROP CONSTRAINT pc;"
     "DROP INDEX p2_b_idx; ALTER TABLE p2 ALTER a DROP NOT NULL"),
    ("indexes", PARTED_FULL, PARTED_FULL + "DROP INDEX pi; ALTER TABLE pt DETACH PARTITION p1"),
    ("table", PARTED_FULL, PARTED_FULL + "ALTER TABLE pt DETACH PARTITION p2; DROP TABLE pt"),
    ("names", PARTED_FULL, PARTED_FULL + "ALTER TABLE p1 RENAME CONSTRAINT p1_pkey TO other; ALTER TABLE p11 RENAME CONSTRAINT p11_pkey TO more"),
    ("key", PARTED_FULL, PARTED_FULL.replace("PARTITION OF pt FOR VALUES FROM (10) TO (20)", "PARTITION OF pt FOR VALUES FROM (10) TO (20) "
     "PARTITION BY LIST (a); CREATE TABLE p21 PARTITION OF p2 FOR VALUES IN (11)") + "ALTER TABLE pt RENAME a TO aa"),
))
@pytest.mark.parametrize("major", [13, 15, 18])
def test_partitions_leave_and_join(tmp_path, servers, major, old, new):
    server = servers.get(major)
    db, wanted = server.new_database(), server.new_database()
    db.sql(old)
    wanted.sql(new)
    script = diff(tmp_path, db, wanted, "--script").out
    db.sql("BEGIN;" + script + ";COMMIT")
    after = diff(tmp_path, db, wanted, "--exit-code")
    assert after.rc == 0, (script, after)
    db.drop()
    wanted.drop()


@pytest.mark.parametrize("old, new", both(
    ("options", "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a", "CREATE MATERIALIZED VIEW v WITH (fillfactor = 60, toast.autovacuum_enabled = "
     "false) AS SELECT 1 AS a; ALTER MATERIALIZED VIEW v ALTER a SET STATISTICS 5; ALTER MATERIALIZED VIEW v ALTER a SET (n_distinct = 3)"),
    ("identity", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)", "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY); "
     "ALTER SEQUENCE t_id_seq RENAME TO other; ALTER SEQUENCE other INCREMENT 5"),
    ("multirange", "CREATE TYPE r AS RANGE (subtype = int, multirange_type_name = m)",
     "CREATE TYPE q AS RANGE (subtype = int, multirange_type_name = m)"),
    ("child's identity", "CREATE TABLE t (a int NOT NULL); CREATE TABLE c () INHERITS (t)",
     "CREATE TABLE t (a int NOT NULL); CREATE TABLE c () INHERITS (t); ALTER TABLE c ALTER a ADD GENERATED ALWAYS AS IDENTITY"),
))
def test_what_changes_beside_the_name(become, old, new):
    become(old, new)


HEIRS = "CREATE TABLE a (x int CHECK (x > 0)); CREATE TABLE b (x int); CREATE TABLE c (z int);"
TYPED = "CREATE TYPE row AS (a int, b int); CREATE TABLE t OF row ({});"
REFERS = TYPED.format("CONSTRAINT u UNIQUE (a)") + "ALTER TABLE t ADD CONSTRAINT {} FOREIGN KEY (b) REFERENCES t (a)"


@pytest.mark.parametrize("old, new", both(
    ("two", HEIRS + "CREATE TABLE h () INHERITS (a, b)", HEIRS + "CREATE TABLE h () INHERITS (b, a)"),
    ("of three", HEIRS + "CREATE TABLE h () INHERITS (a, b, c)", HEIRS + "CREATE TABLE h (x int, z int) INHERITS (c, a)"),
    ("left and joined", HEIRS + "CREATE TABLE h () INHERITS (a, c)", HEIRS + "CREATE TABLE h () INHERITS (a, c); ALTER TABLE h NO INHERIT a, INHERIT a"),
))
def test_parents_stand_in_their_order(become, server, old, new):
    """pg_dump lists them in it, and a child that is made anew has its columns in it."""
    parents = "SELECT inhparent::regclass::text FROM pg_inherits ORDER BY inhseqno"
    db, wanted = become(old, new), server.new_database()
    wanted.sql(new)
    assert db.sql(parents) == wanted.sql(parents)
    wanted.drop()


@pytest.mark.parametrize("old, new", both(
    *((kind.split()[0], TYPED.format(f"CONSTRAINT x {kind}"), TYPED.format(f"CONSTRAINT y {kind}"))
      for kind in ("CHECK (a > 0)", "PRIMARY KEY (a)", "UNIQUE (a)")),
    ("REFERENCES", REFERS.format("x"), REFERS.format("y")),
))
def test_constraints_of_typed_tables_get_other_names(become, old, new):
    """PostgreSQL renames none while the table is of its type."""
    become(old, new)


INDEXED = "CREATE TABLE t (a int, b int, c int); CREATE TABLE u (z int);"


def named(first, second, third):
    return INDEXED + f"CREATE INDEX {first} ON t (a); CREATE INDEX {second} ON t (b); CREATE INDEX {third} ON u (z)"


@pytest.mark.parametrize("old, new", both(
    ("in a chain", named("i0", "i1", "i2"), named("i1", "i2", "i3")),
    ("in a circle", named("i0", "i1", "i2"), named("i1", "i2", "i0")),
    ("keys", INDEXED + "ALTER TABLE t ADD CONSTRAINT i0 PRIMARY KEY (a); CREATE INDEX i1 ON t (b)",
     INDEXED + "ALTER TABLE t ADD CONSTRAINT i1 PRIMARY KEY (a); CREATE INDEX i2 ON t (b)"),
))
def test_indexes_take_one_anothers_names(become, old, new):
    become(old, new)


DOUBLED = " GENERATED ALWAYS AS (x * 2) STORED"
LEVELS = f"CREATE TABLE a (x int, g int{DOUBLED}); CREATE TABLE b () INHERITS (a); CREATE TABLE c () INHERITS (b); "
PARTS = (f"CREATE TABLE a (x int, g int{DOUBLED}) PARTITION BY LIST (x); CREATE TABLE b PARTITION OF a DEFAULT PARTITION BY LIST (x); "
         "CREATE TABLE c PARTITION OF b DEFAULT; ")


@pytest.mark.parametrize("old", [LEVELS, LEVELS + "CREATE TABLE d () INHERITS (c); ", PARTS])
def test_an_expression_goes_from_children_of_children(become, old):
    """PostgreSQL takes it from a table and its children only; the values stay."""
    db = become(old, old.replace(DOUBLED, ""), "INSERT INTO c VALUES (4)")
    assert db.sql("SELECT * FROM a") == [(4, 8)]


RANGE = "CREATE TYPE r AS RANGE (subtype = int, multirange_type_name = m); CREATE TABLE t (a r, b m[]);"


@pytest.mark.parametrize("old, new", both(
    ("multirange alone", RANGE, RANGE + "COMMENT ON TYPE m IS 'many'"),
    ("both", RANGE + "COMMENT ON TYPE r IS 'x'", RANGE + "COMMENT ON TYPE r IS 'one'; COMMENT ON TYPE m IS 'many'"),
    ("made", "SELECT 1", RANGE + "COMMENT ON TYPE m IS 'many'; COMMENT ON TYPE _r IS 'the list, which pg_dump leaves out'"),
))
def test_a_range_and_its_multirange_have_comments_of_their_own(become, server, old, new):
    said = "SELECT n, obj_description(to_regtype(n), 'pg_type') FROM unnest(ARRAY['r', 'm']) n ORDER BY 1"
    db, wanted = become(old, new), server.new_database()
    wanted.sql(new)
    assert db.sql(said) == wanted.sql(said)
    wanted.drop()


@pytest.mark.parametrize("fields, identity", [
    ("a Int @unique", ("i", "t_a_key", "t_a_key")),
    ("a BigInt @unique", ("i", "t_a_key", "t_a_key")),
    ('a Int @unique(map: "other")', ("i", "other", "other")),
    ('a Int\n  @@unique([a, b], map: "t_a_key")', ("i", "t_a_key", "t_a_key")),
    ('a Int\n  @@index([a], map: "t_a_key")', ("d", None, "t_a_key")),
    ("a Int? @unique", ("d", None, "t_a_key")),
    ("a Int", ("d", None, None)),
    ("", ("d", None, None)),
])
def test_a_schema_that_changes_the_index_of_replica_identity(tmp_path, server, fields, identity):
    """It has no words for that; what is there is let go, and comes back with its index."""
    db = server.new_database()
    db.sql("CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX t_a_key ON t (a);"
           "ALTER TABLE t REPLICA IDENTITY USING INDEX t_a_key; ALTER TABLE t CLUSTER ON t_a_key; INSERT INTO t VALUES (1, 1, 1)")
    (tmp_path / "s.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\nmodel t {\n  id Int @id\n  b Int\n  ' + fields + "\n}\n")
    script = aramid.run("diff", "--from-url", db.url(), "--to-schema", "s.prisma", "--script", cwd=tmp_path).out
    db.sql("BEGIN;" + script + ";COMMIT")
    of = "(SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = c.oid AND {})"
    found = db.sql(f"SELECT relreplident, {of.format('indisreplident')}, {of.format('indisclustered')} FROM pg_class c WHERE relname = 't'")
    assert found == [identity], script
    assert aramid.run("diff", "--from-url", db.url(), "--to-schema", "s.prisma", "--exit-code", cwd=tmp_path).rc == 0
    db.drop()


GROUPED = ("CREATE TABLE t (id {2}, k int NOT NULL, n text, CONSTRAINT {1} PRIMARY KEY {0}); CREATE TABLE w (x text);"
           "CREATE VIEW v AS SELECT id, n, count(*) FROM t GROUP BY id; CREATE MATERIALIZED VIEW m AS SELECT n FROM t GROUP BY id;"
           "CREATE UNIQUE INDEX mi ON m (n); CREATE RULE r AS ON DELETE TO w DO ALSO INSERT INTO w SELECT n FROM t GROUP BY id;"
           "CREATE POLICY p ON w USING (x IN (SELECT n FROM t GROUP BY id)); CREATE POLICY own ON t USING (n IN (SELECT n FROM t GROUP BY id));"
           "CREATE FUNCTION f() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT n FROM t GROUP BY id; END;"
           "CREATE RULE names AS ON INSERT TO w DO ALSO INSERT INTO t (k) VALUES (1) ON CONFLICT ON CONSTRAINT {1} DO NOTHING;"
           "COMMENT ON VIEW v IS 'v'; COMMENT ON POLICY own ON t IS 'p'; REVOKE EXECUTE ON FUNCTION f FROM PUBLIC; COMMENT ON FUNCTION f IS 'f';")
KEYED = GROUPED.format("(id)", "t_pkey", "int")


@pytest.mark.parametrize("old, new", both(
    ("includes", KEYED, GROUPED.format("(id) INCLUDE (k)", "t_pkey", "int")),
    ("called", KEYED, GROUPED.format("(id) INCLUDE (k)", "other", "int")),
    ("retyped", KEYED, GROUPED.format("(id)", "t_pkey", "bigint")),
    ("wider", KEYED, GROUPED.format("(id, k)", "t_pkey", "int").replace("BY id", "BY id, k")),
    ("gone", KEYED, "CREATE TABLE t (id int, k int NOT NULL, n text); CREATE TABLE w (x text)"),
    ("column gone", KEYED, "CREATE TABLE t (k int NOT NULL, n text); CREATE TABLE w (x text)"),
))
def test_queries_let_go_of_the_key_that_they_group_by(become, old, new):
    become(old, new)


PARTED_KEY = ("CREATE TABLE t (id int, k {}, n text, PRIMARY KEY (id) INCLUDE (k)) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t DEFAULT;"
              "CREATE VIEW v AS SELECT n FROM t1 GROUP BY id")


def test_queries_that_group_by_a_partitions_key(become):
    become(PARTED_KEY.format("int"), PARTED_KEY.format("bigint"))
    become(PARTED_KEY.format("int"), PARTED_KEY.format("int").replace(" INCLUDE (k)", ""))


def test_foreign_keys_to_a_partition_let_go_of_its_tables_key(become):
    old = PARTED_KEY.format("int") + "; CREATE TABLE u (x int REFERENCES t1)"
    become(old, old.replace(" INCLUDE (k)", ""))
    become(old.replace("PRIMARY KEY", "UNIQUE").replace("BY id", "BY id, n").replace("t1)", "t1 (id))"),
           old.replace("PRIMARY KEY", "UNIQUE").replace("BY id", "BY id, n").replace("t1)", "t1 (id))").replace(" INCLUDE (k)", ""))


CHECKED = "CREATE TABLE base (id int{0}); CREATE TABLE kid () INHERITS (base); CREATE TABLE grandkid () INHERITS (kid);"
TARGETS = "CREATE TABLE t (a int, b int); CREATE INDEX i ON t ((a + 1), b, (b - 1));"


@pytest.mark.parametrize("old, new", both(
    ("a check that children have, too",
     CHECKED.format(", CONSTRAINT x CHECK (id > 0)") + "ALTER TABLE kid ADD CONSTRAINT x CHECK (id > 0)",
     CHECKED.format(", CONSTRAINT y CHECK (id > 0)") + "ALTER TABLE kid ADD CONSTRAINT x CHECK (id > 0)"),
    ("a check that grandchildren have, too",
     CHECKED.format(", CONSTRAINT x CHECK (id > 0)") + "ALTER TABLE grandkid ADD CONSTRAINT x CHECK (id > 0)",
     CHECKED.format(", CONSTRAINT y CHECK (id > 0)") + "ALTER TABLE grandkid ADD CONSTRAINT x CHECK (id > 0)"),
    ("targets of an index", TARGETS + "ALTER INDEX i ALTER 1 SET STATISTICS 300, ALTER 3 SET STATISTICS 7",
     TARGETS + "ALTER INDEX i ALTER 3 SET STATISTICS 0"),
    ("targets of an index that is renamed", TARGETS + "ALTER INDEX i ALTER 1 SET STATISTICS 300",
     TARGETS.replace("INDEX i", "INDEX j") + "ALTER INDEX j ALTER 1 SET STATISTICS 301"),
    ("targets of a new index", "CREATE TABLE t (a int, b int)", TARGETS + "ALTER INDEX i ALTER 3 SET STATISTICS 300"),
    ("a sequence that belongs to nobody", "CREATE TABLE t (a int); CREATE SEQUENCE s OWNED BY t.a",
     "CREATE TABLE t (a int); CREATE SEQUENCE s"),
))
def test_parts_of_their_own(become, old, new):
    become(old, new)
