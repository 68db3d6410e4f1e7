"""What stands on what: for each kind of thing that something may stand on, its changes; for each kind of thing that
may stand on it, a small template. pairs_generated.py runs their products.

A reference is SQL with the changes that can happen to it; it offers ways to be used:

  type    a type that columns may have, and @value, a constant of it
  call    @cond, a condition over the integer column @x; @value, an integer
  column  column @c of table t, an integer; t has also id and k
  key     a key @k of table t over id or more; queries may group by @g, and not name the other columns n and k

In templates: @s schema of the pair, @type @value @cond @x @c @g @k @r (t, or what comes after it).
"""

TRIGGER = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "

# -- references: (name, way, before, after, what the templates fill in before, and after) ---------------------------
# `after` None: gone, with all that stands on it; where the templates lack a word afterwards only what stands on it goes.


def call(argument="a int", result="int", body="SELECT $1 * 2", name="f"):
    return f"CREATE FUNCTION {name}({argument}) RETURNS {result} LANGUAGE sql IMMUTABLE AS '{body}'; " \
           f"COMMENT ON FUNCTION {name} IS 'called'; REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC; " \
           f"GRANT EXECUTE ON FUNCTION {name} TO rt_reader; "


def calls(name="f"):
    return {"@cond": f"{name}(@x) > 0", "@value": f"{name}(1)"}


def enum(labels, name="e"):
    return f"CREATE TYPE {name} AS ENUM ({', '.join(map(repr, labels))}); COMMENT ON TYPE {name} IS 'kinds'; " \
           f"REVOKE USAGE ON TYPE {name} FROM PUBLIC; GRANT USAGE ON TYPE {name} TO rt_reader; "


def domain(base="int", check="VALUE <> 0", name="d", more=""):
    return f"CREATE DOMAIN {name} AS {base} CONSTRAINT ok CHECK ({check}){more}; COMMENT ON DOMAIN {name} IS 'a domain'; " \
           f"COMMENT ON CONSTRAINT ok ON DOMAIN {name} IS 'k'; ALTER DOMAIN {name} OWNER TO rt_owner; "


def composite(attributes, name="c"):
    first = attributes.split()[0]
    return f"CREATE TYPE {name} AS ({attributes}); COMMENT ON COLUMN {name}.{first} IS 'first'; " \
           f"GRANT USAGE ON TYPE {name} TO rt_reader; "


def typed(name, value):
    return {"@type": name, "@value": f"({value})::{name}"}


TABLE = "CREATE TABLE t (id int PRIMARY KEY, k int, other text DEFAULT 'o'@d); COMMENT ON TABLE t IS 'a table'; " \
        "GRANT SELECT ON t TO rt_reader; "


def table(column, name="c", more=""):
    return TABLE.replace("@d", ", " + column) + \
        f"COMMENT ON COLUMN t.{name} IS 'a column'; GRANT UPDATE ({name}) ON t TO rt_reader; " + more


T = {"@c": "c"}
GENERATED = "c int GENERATED ALWAYS AS (id * {}) STORED"
HEIR = "CREATE TABLE up (c {}); CREATE TABLE t (id int PRIMARY KEY, k int, other text DEFAULT 'o') INHERITS (up); "
PARTED = "CREATE TABLE t (id int, c {}, k int, other text) PARTITION BY {} (id); " \
         "CREATE TABLE t1 PARTITION OF t FOR VALUES {}; "

def keyed(key, columns="id int, k int, n text", more=""):
    return f"CREATE TABLE t ({columns}{', ' + key if key else ''}){more}; GRANT SELECT, INSERT ON t TO rt_reader; "


def grouped(columns="id", key="t_pkey"):
    return {"@g": columns, "@k": key}


ID = "PRIMARY KEY (id)"
PARTS = "CREATE TABLE {0} (id int, k int, n text{1}) PARTITION BY RANGE (id); CREATE TABLE {2} PARTITION OF {0} DEFAULT; "

REFERENCES = [
    ("function argument", "call", call(), call("b int"), calls(), calls()),
    ("function result", "call", call(), call(result="numeric"), calls(), calls()),
    ("function default", "call", call("a int, b int DEFAULT 1"), call("a int, b int"),
     {"@cond": "f(@x, 1) > 0", "@value": "f(1, 1)"}, {"@cond": "f(@x, 1) > 0", "@value": "f(1, 1)"}),
    ("function body", "call", call(), call(body="SELECT $1 * 3"), calls(), calls()),
    ("function renamed", "call", call(), call(name="g"), calls(), calls("g")),
    ("function gone", "call", call(), None, calls(), {}),
    ("function of new type", "call", call(), call("a bigint"), calls(), {"@cond": "f((@x)::bigint) > 0", "@value": "f(1::bigint)"}),
    ("enum value removed", "type", enum("ab"), enum("a"), typed("e", "'a'"), typed("e", "'a'")),
    ("enum values moved", "type", enum("abc"), enum("cba"), typed("e", "'a'"), typed("e", "'a'")),
    ("enum value added", "type", enum("ab"), enum("axb"), typed("e", "'a'"), typed("e", "'a'")),
    ("enum value used", "type", enum("ab"), enum("abx"), typed("e", "'a'"), typed("e", "'x'"), {"@value": "'a'::e"}),
    ("enum renamed", "type", enum("ab"), enum("ab", "e2"), typed("e", "'a'"), typed("e2", "'a'")),
    ("enum gone", "type", enum("ab"), None, typed("e", "'a'"), {}),
    ("enum to text", "type", enum("ab"), "", typed("e", "'a'"), {"@type": "text", "@value": "'a'"}),
    ("domain retyped", "type", domain(), domain("bigint"), typed("d", "5"), typed("d", "5")),
    ("domain to text", "type", domain(), domain("text", "VALUE <> '0'"), typed("d", "5"), typed("d", "'5'")),
    ("domain check", "type", domain(), domain(check="VALUE <> 1"), typed("d", "5"), typed("d", "5")),
    ("domain default", "type", domain(), domain(more=" DEFAULT 7"), typed("d", "5"), typed("d", "5")),
    ("domain renamed", "type", domain(), domain(name="d2"), typed("d", "5"), typed("d2", "5")),
    ("domain to its type", "type", domain(), "", typed("d", "5"), {"@type": "int", "@value": "5"}),
    ("domain gone", "type", domain(), None, typed("d", "5"), {}),
    ("attribute first", "type", composite("a int, b text"), composite("z int, a int, b text"),
     typed("c", "ROW(5, 'x')"), typed("c", "ROW(NULL, 5, 'x')")),
    ("attribute last", "type", composite("a int, b text"), composite("a int, b text, z int"),
     typed("c", "ROW(5, 'x')"), typed("c", "ROW(5, 'x', NULL)")),
    ("attributes moved", "type", composite("a int, b text"), composite("b text, a int"),
     typed("c", "ROW(5, 'x')"), typed("c", "ROW('x', 5)")),
    ("attribute retyped", "type", composite("a int, b text"), composite("a bigint, b text"),
     typed("c", "ROW(5, 'x')"), typed("c", "ROW(5, 'x')")),
    ("attribute gone", "type", composite("a int, b text, g int"), composite("a int, b text"),
     typed("c", "ROW(5, 'x', 1)"), typed("c", "ROW(5, 'x')")),
    ("attribute of enum", "type", enum("ab") + composite("a int, b e"), enum("a") + composite("a int, b e"),
     typed("c", "ROW(5, 'a')"), typed("c", "ROW(5, 'a')")),
    ("composite gone", "type", composite("a int, b text"), None, typed("c", "ROW(5, 'x')"), {}),
    ("column retyped", "column", table("c int"), table("c bigint"), T, T),
    ("column narrowed", "column", table("c bigint NOT NULL"), table("c int"), T, T),
    ("column required", "column", table("c int"), table("c int NOT NULL DEFAULT 3"), T, T),
    ("column of a domain", "column", table("c int"), "CREATE DOMAIN d AS int; " + table("c d"), T, T),
    ("column generated", "column", table("c int"), table(GENERATED.format(2)), T, T),
    ("column generated anew", "column", table(GENERATED.format(2)), table(GENERATED.format(3)), T, T),
    ("column identity", "column", table("c int NOT NULL"), table("c int GENERATED BY DEFAULT AS IDENTITY"), T, T),
    ("column serial", "column", table("c int NOT NULL"), table("c serial"), T, T),
    ("column renamed", "column", table("c int"), table("c2 int", "c2"), T, {"@c": "c2"}),
    ("column gone", "column", table("c int"), TABLE.replace("@d", ""), T, {}),
    ("column inherited retyped", "column", HEIR.format("int"), HEIR.format("bigint"), T, T),
    ("column inherited default", "column", HEIR.format("int"), HEIR.format("int NOT NULL DEFAULT 4"), T, T),
    ("column disinherited", "column", HEIR.format("int"), table("c int"), T, T),
    ("column of partitions retyped", "column", PARTED.format("int", "RANGE", "FROM (0) TO (9)"),
     PARTED.format("bigint", "RANGE", "FROM (0) TO (9)"), T, T),
    ("partition bound", "column", PARTED.format("int", "RANGE", "FROM (0) TO (9)"),
     PARTED.format("int", "RANGE", "FROM (0) TO (99)"), T, T),
    ("partition strategy", "column", PARTED.format("int", "RANGE", "FROM (0) TO (9)"),
     PARTED.format("int", "LIST", "IN (1)"), T, T),
    ("table gone", "column", table("c int"), None, T, {}),
    ("table moved", "column", table("c int"), "CREATE SCHEMA @s_2; SET search_path = @s_2, @s; " + table("c int"), T, T),
    ("key includes", "key", keyed(ID), keyed(ID + " INCLUDE (n)"), grouped(), grouped()),
    ("key deferrable", "key", keyed(ID), keyed(ID + " DEFERRABLE"), grouped(), {"@g": "id"}),
    ("key called", "key", keyed(ID), keyed("CONSTRAINT other " + ID), grouped(), grouped(key="other")),
    ("key called and made again", "key", keyed(ID), keyed(f"CONSTRAINT other {ID} INCLUDE (k)"), grouped(), grouped(key="other")),
    ("key turned", "key", keyed("PRIMARY KEY (id, k)"), keyed("PRIMARY KEY (k, id)"), grouped("id, k"), grouped("id, k")),
    ("key wider", "key", keyed(ID), keyed("PRIMARY KEY (id, k)"), grouped(), grouped("id, k")),
    ("key elsewhere", "key", keyed(ID), keyed("CONSTRAINT t_pkey PRIMARY KEY (k)"), grouped(), grouped("k")),
    ("key retyped", "key", keyed(ID), keyed(ID, "id bigint, k int, n text"), grouped(), grouped()),
    ("key longer", "key", keyed(ID, "id varchar(9), k int, n text"), keyed(ID, "id varchar(99), k int, n text"), grouped(), grouped()),
    ("key with a retyped column", "key", keyed(ID + " INCLUDE (k)"), keyed(ID + " INCLUDE (k)", "id int, k bigint, n text"), grouped(), grouped()),
    ("key with a column made again", "key", keyed(ID + " INCLUDE (k)", "id int, k int GENERATED ALWAYS AS (1) STORED, n text"),
     keyed(ID + " INCLUDE (k)", "id int, k int GENERATED ALWAYS AS (2) STORED, n text"), grouped(), grouped()),
    ("key of an enum", "key", enum("ab") + keyed(ID, "id e, k int, n text"), enum("b") + keyed(ID, "id e, k int, n text"), grouped(), grouped()),
    ("key unique", "key", keyed(ID), keyed("CONSTRAINT t_pkey UNIQUE (id)"), grouped(), {"@g": "id, n, k", "@k": "t_pkey"}),
    ("key not needed", "key", keyed(ID), keyed(""), grouped(), {"@g": "id, n, k"}),
    ("key gone", "key", keyed(ID), keyed(""), grouped(), {}),
    ("key's column gone", "key", keyed(ID), keyed("", "k int, n text"), grouped(), {}),
    ("key's table gone", "key", keyed(ID), None, grouped(), {}),
    ("key's table unlogged", "key", keyed(ID), keyed(ID).replace("TABLE t", "UNLOGGED TABLE t", 1), grouped(), grouped()),
    ("unique key includes", "key", keyed("CONSTRAINT uk UNIQUE (id)"), keyed("CONSTRAINT uk UNIQUE (id) INCLUDE (n)"),
     grouped("id, n, k", "uk"), grouped("id, n, k", "uk")),
    ("unique key retyped", "key", keyed("CONSTRAINT uk UNIQUE (id)"), keyed("CONSTRAINT uk UNIQUE (id)", "id bigint, k int, n text"),
     grouped("id, n, k", "uk"), grouped("id, n, k", "uk")),
    ("exclusion made again", "key", keyed("CONSTRAINT uk EXCLUDE (id WITH =) WHERE (k > 0)"),
     keyed("CONSTRAINT uk EXCLUDE (id WITH =) WHERE (k > 1)"), grouped("id, n, k", "uk"), grouped("id, n, k", "uk")),
    ("exclusion retyped", "key", keyed("CONSTRAINT uk EXCLUDE (id WITH =) WHERE (k > 0)"),
     keyed("CONSTRAINT uk EXCLUDE (id WITH =) WHERE (k > 0)", "id int, k bigint, n text"), grouped("id, n, k", "uk"), grouped("id, n, k", "uk")),
    ("key of partitions", "key", PARTS.format("t", ", " + ID, "p"), PARTS.format("t", f", {ID} INCLUDE (k)", "p"), grouped(), grouped()),
    ("key of partitions retyped", "key", PARTS.format("t", f", {ID} INCLUDE (k)", "p"),
     PARTS.format("t", f", {ID} INCLUDE (k)", "p").replace("k int", "k bigint"), grouped(), grouped()),
    ("key of partitions gone", "key", PARTS.format("t", ", " + ID, "p"), PARTS.format("t", "", "p"), grouped(), {}),
    ("a partition's key", "key", PARTS.format("p", ", " + ID, "t"), PARTS.format("p", f", {ID} INCLUDE (k)", "t"), grouped(), grouped()),
    ("a partition's key retyped", "key", PARTS.format("p", f", {ID} INCLUDE (k)", "t"),
     PARTS.format("p", f", {ID} INCLUDE (k)", "t").replace("k int", "k bigint"), grouped(), grouped()),
    ("a partition's unique key", "key", PARTS.format("p", ", UNIQUE (id)", "t"), PARTS.format("p", ", UNIQUE (id) INCLUDE (k)", "t"),
     grouped("id, n, k", "t_id_key"), grouped("id, n, k", "t_id_k_key")),
    ("a partition's key gone", "key", PARTS.format("p", ", " + ID, "t"), PARTS.format("p", "", "t"), grouped(), {}),
    ("a partition's own key", "key", PARTS.format("p", "", "t") + "ALTER TABLE t ADD " + ID,
     PARTS.format("p", "", "t") + f"ALTER TABLE t ADD {ID} INCLUDE (n)", grouped(), grouped()),
]

# -- what stands on it: (name, way, template) -----------------------------------------------------------------------

NOTES = "COMMENT ON {0} IS 'stands on it'; "
VIEW_NOTES = "COMMENT ON {0} u IS 'stands on it'; GRANT SELECT ON u TO rt_reader; ALTER {0} u OWNER TO rt_owner; "

DEPENDERS = [
    # calls: a function's, in expressions
    ("column default", "value", "CREATE TABLE u (x int DEFAULT @int, y int); COMMENT ON COLUMN u.x IS 'x'; "),
    ("column default inherited", "value", "CREATE TABLE u (x int DEFAULT @int); CREATE TABLE v () INHERITS (u); "
     "CREATE TABLE w (x int DEFAULT @int) INHERITS (u); "),
    ("column default of partitions", "value", "CREATE TABLE u (x int, y int DEFAULT @int) PARTITION BY RANGE (x); "
     "CREATE TABLE v PARTITION OF u DEFAULT; "),
    ("domain default", "value", "CREATE DOMAIN u AS int DEFAULT @int; COMMENT ON DOMAIN u IS 'u'; CREATE TABLE v (x u); "),
    ("view default", "value", "CREATE VIEW u AS SELECT 1 AS x; ALTER VIEW u ALTER x SET DEFAULT @int; "),
    ("argument default", "value", "CREATE FUNCTION u(x int DEFAULT @int) RETURNS int LANGUAGE sql AS 'SELECT $1'; " + NOTES.format("FUNCTION u")),
    ("generated column", "cond", "CREATE TABLE u (x int, y bool GENERATED ALWAYS AS (@cond) STORED); CREATE INDEX ui ON u (y); "
     "CREATE VIEW v AS SELECT y FROM u; COMMENT ON COLUMN u.y IS 'y'; GRANT SELECT (y) ON u TO rt_reader; "
     "ALTER TABLE u ALTER y SET STATISTICS 50; "),
    ("check", "cond", "CREATE TABLE u (x int CONSTRAINT uk CHECK (@cond)); " + NOTES.format("CONSTRAINT uk ON u")),
    ("check not valid", "cond", "CREATE TABLE u (x int); ALTER TABLE u ADD CONSTRAINT uk CHECK (@cond) NOT VALID; "),
    ("check inherited", "cond", "CREATE TABLE u (x int CONSTRAINT uk CHECK (@cond)); CREATE TABLE v () INHERITS (u); "
     + NOTES.format("CONSTRAINT uk ON v")),
    ("check of partitions", "cond", "CREATE TABLE u (x int CONSTRAINT uk CHECK (@cond)) PARTITION BY RANGE (x); "
     "CREATE TABLE v PARTITION OF u DEFAULT; "),
    ("domain check", "cond", "CREATE DOMAIN u AS int CONSTRAINT uk CHECK (@cond@VALUE); CREATE TABLE v (x u); "
     + NOTES.format("CONSTRAINT uk ON DOMAIN u")),
    ("expression index", "cond", "CREATE TABLE u (x int); CREATE INDEX ui ON u ((@cond)); " + NOTES.format("INDEX ui")),
    ("partial index", "cond", "CREATE TABLE u (x int); CREATE UNIQUE INDEX ui ON u (x) WHERE @cond; "),
    ("index of partitions", "cond", "CREATE TABLE u (x int, y int) PARTITION BY RANGE (y); CREATE TABLE v PARTITION OF u DEFAULT; "
     "CREATE INDEX ui ON u ((@cond)); "),
    ("exclusion", "cond", "CREATE TABLE u (x int, CONSTRAINT ue EXCLUDE USING btree (x WITH =) WHERE (@cond)); "
     + NOTES.format("CONSTRAINT ue ON u")),
    ("trigger condition", "cond", TRIGGER + "CREATE TABLE u (x int); CREATE TRIGGER ut BEFORE INSERT ON u FOR EACH ROW WHEN (@cond@NEW) "
     "EXECUTE FUNCTION tf(); ALTER TABLE u DISABLE TRIGGER ut; " + NOTES.format("TRIGGER ut ON u")),
    ("policy", "cond", "CREATE TABLE u (x int); CREATE POLICY up ON u TO rt_reader USING (@cond) WITH CHECK (@cond); "
     "ALTER TABLE u ENABLE ROW LEVEL SECURITY; " + NOTES.format("POLICY up ON u")),
    ("rule", "cond", "CREATE TABLE u (x int); CREATE RULE ur AS ON DELETE TO u WHERE @cond@OLD DO INSTEAD NOTHING; "
     "ALTER TABLE u ENABLE ALWAYS RULE ur; " + NOTES.format("RULE ur ON u")),
    ("view of calls", "cond", "CREATE TABLE v (x int); CREATE VIEW u AS SELECT x, @cond AS y FROM v; " + VIEW_NOTES.format("VIEW") +
     "CREATE VIEW w WITH (security_barrier) AS SELECT y FROM u; "),
    ("matview of calls", "cond", "CREATE TABLE v (x int); CREATE MATERIALIZED VIEW u AS SELECT x, @cond AS y FROM v; "
     "CREATE UNIQUE INDEX ui ON u (x); ALTER MATERIALIZED VIEW u CLUSTER ON ui; " + VIEW_NOTES.format("MATERIALIZED VIEW")),
    ("partition key", "cond", "CREATE TABLE u (x int) PARTITION BY RANGE ((@cond)); CREATE TABLE v PARTITION OF u DEFAULT; "),
    ("SQL body", "cond", "{14}CREATE TABLE v (x int); CREATE FUNCTION u(n int) RETURNS bool LANGUAGE sql RETURN (SELECT @cond FROM v LIMIT 1); "
     + NOTES.format("FUNCTION u")),
    # types
    ("column", "type", "CREATE TABLE u (id int, x @type DEFAULT @value NOT NULL, y @type[]); COMMENT ON COLUMN u.x IS 'x'; "
     "GRANT SELECT (x) ON u TO rt_reader; "),
    ("column stored otherwise", "type", "CREATE TABLE u (x @type[]); ALTER TABLE u ALTER x SET STATISTICS 70, ALTER x SET (n_distinct = 5), "
     "ALTER x SET STORAGE EXTERNAL; "),
    ("column inherited", "type", "CREATE TABLE u (x @type); CREATE TABLE v (y int) INHERITS (u); CREATE TABLE w (x @type) INHERITS (u); "),
    ("column of partitions", "type", "CREATE TABLE u (x @type, y int) PARTITION BY RANGE (y); CREATE TABLE v PARTITION OF u DEFAULT; "),
    ("domain over it", "type", "CREATE DOMAIN u AS @type; CREATE DOMAIN v AS u DEFAULT @value; CREATE TABLE w (x u, y v[]); "
     + NOTES.format("DOMAIN u")),
    ("unused domain over it", "type", "CREATE DOMAIN u AS @type DEFAULT @value; "),
    ("domain over its list", "type", "CREATE DOMAIN u AS @type[]; CREATE TABLE w (x u); "),
    ("attribute", "type", "CREATE TYPE u AS (n int, x @type, y @type[]); COMMENT ON COLUMN u.x IS 'x'; CREATE TABLE v (z u, l u[]); "),
    ("unused attribute", "type", "CREATE TYPE u AS (n int, x @type); "),
    ("attribute of an attribute", "type", "CREATE TYPE u AS (x @type); CREATE TYPE v AS (y u); CREATE TABLE w (z v); "),
    ("key", "type", "CREATE TABLE u (x @type PRIMARY KEY, y @type UNIQUE); " + NOTES.format("CONSTRAINT u_pkey ON u")),
    ("foreign key", "type", "CREATE TABLE u (x @type PRIMARY KEY); CREATE TABLE v (y @type CONSTRAINT vf REFERENCES u ON DELETE CASCADE); "
     + NOTES.format("CONSTRAINT vf ON v")),
    ("index", "type", "CREATE TABLE u (x @type, y int); CREATE INDEX ui ON u (x DESC, y); CREATE INDEX up ON u (y) WHERE x = @value; "
     + NOTES.format("INDEX ui")),
    ("check of the type", "type", "CREATE TABLE u (x @type CONSTRAINT uk CHECK (x = @value OR NOT x IS NULL)); "),
    ("generated of the type", "type", "CREATE TABLE u (x @type, y bool GENERATED ALWAYS AS (x IS NOT NULL) STORED); "),
    ("argument", "type", "CREATE FUNCTION u(x @type, y @type[] DEFAULT ARRAY[@value]) RETURNS int LANGUAGE sql AS 'SELECT 1'; "
     "ALTER FUNCTION u OWNER TO rt_owner; " + NOTES.format("FUNCTION u")),
    ("result", "type", "CREATE FUNCTION u() RETURNS TABLE (x @type) LANGUAGE plpgsql AS 'BEGIN RETURN; END'; "
     "GRANT EXECUTE ON FUNCTION u TO rt_reader; "),
    ("procedure", "type", "CREATE PROCEDURE u(x @type) LANGUAGE plpgsql AS 'BEGIN NULL; END'; " + NOTES.format("PROCEDURE u")),
    ("view of the type", "type", "CREATE TABLE v (x @type); CREATE VIEW u AS SELECT x, @value AS y FROM v; " + VIEW_NOTES.format("VIEW")),
    ("view of its values", "type", "CREATE VIEW u AS SELECT @value AS y; " + VIEW_NOTES.format("VIEW")),
    ("matview of the type", "type", "CREATE TABLE v (x @type); CREATE MATERIALIZED VIEW u AS SELECT x FROM v; CREATE INDEX ui ON u (x); "
     + VIEW_NOTES.format("MATERIALIZED VIEW")),
    ("policy of the type", "type", "CREATE TABLE u (x @type); CREATE POLICY up ON u USING (x = @value); "),
    ("trigger of the type", "type", TRIGGER + "CREATE TABLE u (x @type); CREATE TRIGGER ut AFTER UPDATE OF x ON u FOR EACH ROW "
     "WHEN (NEW.x = @value) EXECUTE FUNCTION tf(); ALTER TABLE u ENABLE ALWAYS TRIGGER ut; "),
    ("rule of the type", "type", "CREATE TABLE u (x @type); CREATE RULE ur AS ON DELETE TO u WHERE old.x = @value DO INSTEAD NOTHING; "),
    ("row type", "type", "CREATE TABLE u (x @type); CREATE FUNCTION v(u) RETURNS int LANGUAGE sql AS 'SELECT 1'; "),
    ("row of rows", "type", "CREATE TABLE u (x @type); CREATE TABLE v (y u); "),
    ("typed table", "type", "CREATE TYPE u AS (n int, x @type); CREATE TABLE v OF u (n NOT NULL); "),
    ("partition of its value", "type", "CREATE TABLE u (x @type) PARTITION BY LIST (x); CREATE TABLE v PARTITION OF u FOR VALUES IN (@value); "),
    ("aggregate", "type", "CREATE FUNCTION us(int, @type) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'; "
     "CREATE AGGREGATE u(@type) (sfunc = us, stype = int, initcond = '0'); " + NOTES.format("AGGREGATE u(@type)")),
    ("operator", "type", "CREATE FUNCTION us(@type, int) RETURNS int LANGUAGE sql AS 'SELECT $2'; "
     "CREATE OPERATOR ### (leftarg = @type, rightarg = int, function = us); CREATE VIEW v AS SELECT @value OPERATOR(@s.###) 1 AS x; "),
    ("range over it", "type", "CREATE TYPE u AS RANGE (subtype = @type); CREATE FUNCTION v(u) RETURNS int LANGUAGE sql AS 'SELECT 1'; "),
    ("cast", "type", "CREATE FUNCTION us(@type) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE CAST (@type AS int) WITH FUNCTION us(@type); "),
    # columns
    ("statistics", "column", "CREATE STATISTICS u (ndistinct, mcv) ON @c, k FROM @r; ALTER STATISTICS u SET STATISTICS 50; "
     + NOTES.format("STATISTICS u")),
    ("statistics of an expression", "column", "{14}CREATE STATISTICS u ON (@c + 1), k FROM @r; "),
    ("publication", "column", "CREATE PUBLICATION @s_pub FOR TABLE @r WITH (publish = 'insert'); " + NOTES.format("PUBLICATION @s_pub")),
    ("publication of columns", "column", "{15}CREATE PUBLICATION @s_pub FOR TABLE @r (id, @c); "),
    ("publication of rows", "column", "{15}CREATE PUBLICATION @s_pub FOR TABLE @r WHERE (@c > 0) WITH (publish = 'insert'); "),
    ("index on the column", "column", "CREATE INDEX ui ON t (@c, k); " + NOTES.format("INDEX ui")),
    ("unique index", "column", "CREATE UNIQUE INDEX ui ON t (id, @c); ALTER TABLE t ALTER @c SET NOT NULL; ALTER TABLE t REPLICA IDENTITY USING INDEX ui; "),
    ("clustered index", "column", "CREATE INDEX ui ON t (@c); ALTER TABLE t CLUSTER ON ui; "),
    ("index that includes it", "column", "CREATE INDEX ui ON t (id) INCLUDE (@c); "),
    ("expression index on it", "column", "CREATE INDEX ui ON t ((@c + 1)) WHERE @c > 0; " + NOTES.format("INDEX ui")),
    ("unique key", "column", "ALTER TABLE t ADD CONSTRAINT uk UNIQUE (id, @c); " + NOTES.format("CONSTRAINT uk ON t")),
    ("exclusion on it", "column", "ALTER TABLE t ADD CONSTRAINT uk EXCLUDE (@c WITH =); "),
    ("referred to", "column", "ALTER TABLE t ADD CONSTRAINT uk UNIQUE (@c); CREATE TABLE u (x int CONSTRAINT uf REFERENCES t (@c) DEFERRABLE); "
     + NOTES.format("CONSTRAINT uf ON u")),
    ("referring", "column", "CREATE TABLE u (x int PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT uf FOREIGN KEY (@c) REFERENCES u; "
     + NOTES.format("CONSTRAINT uf ON t")),
    ("referring to itself", "column", "ALTER TABLE t ADD CONSTRAINT uk UNIQUE (@c), ADD CONSTRAINT uf FOREIGN KEY (k) REFERENCES t (@c); "),
    ("check on it", "column", "ALTER TABLE t ADD CONSTRAINT uk CHECK (@c > 0); " + NOTES.format("CONSTRAINT uk ON t")),
    ("check on it not valid", "column", "ALTER TABLE t ADD CONSTRAINT uk CHECK (@c > k) NO INHERIT NOT VALID; "),
    ("generated from it", "column", "ALTER TABLE t ADD y int GENERATED ALWAYS AS (k + @c) STORED; CREATE INDEX ui ON t (y); COMMENT ON COLUMN t.y IS 'y'; "),
    ("view of it", "column", "CREATE VIEW u AS SELECT id, @c AS x FROM @r; " + VIEW_NOTES.format("VIEW")),
    ("view of a view of it", "column", "CREATE VIEW w AS SELECT id, @c AS x FROM @r; CREATE VIEW u AS SELECT x FROM w; " + VIEW_NOTES.format("VIEW")
     + "ALTER VIEW u ALTER x SET DEFAULT 4; COMMENT ON COLUMN u.x IS 'x'; "),
    ("view of all", "column", "CREATE VIEW u AS SELECT * FROM @r; " + VIEW_NOTES.format("VIEW")),
    ("matview of it", "column", "CREATE MATERIALIZED VIEW u AS SELECT id, @c AS x FROM @r; CREATE UNIQUE INDEX ui ON u (id); "
     + VIEW_NOTES.format("MATERIALIZED VIEW")),
    ("policy on it", "column", "CREATE POLICY up ON t FOR SELECT USING (@c > 0); ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; "
     + NOTES.format("POLICY up ON t")),
    ("policy elsewhere", "column", "CREATE TABLE u (x int); CREATE POLICY up ON u USING (x IN (SELECT @c FROM @r)); "),
    ("trigger of it", "column", TRIGGER + "CREATE TRIGGER ut BEFORE UPDATE OF @c ON t FOR EACH ROW EXECUTE FUNCTION tf(); "
     "ALTER TABLE t ENABLE REPLICA TRIGGER ut; " + NOTES.format("TRIGGER ut ON t")),
    ("trigger when", "column", TRIGGER + "CREATE TRIGGER ut AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.@c IS DISTINCT FROM NEW.@c) EXECUTE FUNCTION tf(); "),
    ("trigger beside it", "column", TRIGGER + "CREATE TRIGGER ut AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf(); ALTER TABLE t DISABLE TRIGGER ut; "),
    ("rule on it", "column", "CREATE RULE ur AS ON DELETE TO t WHERE old.@c > 3 DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE ur; "
     + NOTES.format("RULE ur ON t")),
    ("rule elsewhere", "column", "CREATE TABLE u (x int); CREATE RULE ur AS ON INSERT TO u DO ALSO UPDATE @r SET @c = 1; "),
    ("row type of it", "column", "CREATE FUNCTION u(@r) RETURNS int LANGUAGE sql AS 'SELECT 1'; " + NOTES.format("FUNCTION u")),
    ("column of its rows", "column", "CREATE TABLE u (x @r, y @r[]); "),
    ("set of its rows", "column", "CREATE FUNCTION u() RETURNS SETOF @r LANGUAGE plpgsql AS 'BEGIN RETURN; END'; ALTER FUNCTION u OWNER TO rt_owner; "),
    ("SQL body over it", "column", "{14}CREATE FUNCTION u() RETURNS bigint LANGUAGE sql RETURN (SELECT sum(@c) FROM @r); " + NOTES.format("FUNCTION u")),
    ("child", "column", "CREATE TABLE u (y int) INHERITS (t); COMMENT ON COLUMN u.@c IS 'of a child'; "),
    ("child that has it too", "column", "CREATE TABLE u (@c int DEFAULT 9) INHERITS (t); "),
    ("sequence", "column", "CREATE SEQUENCE u START 3; ALTER SEQUENCE u OWNED BY t.@c; COMMENT ON SEQUENCE u IS 'owned'; "),
    ("drawn from", "column", "CREATE SEQUENCE u; ALTER TABLE t ALTER @c SET DEFAULT nextval('u'); "),
    ("default of it", "column", "ALTER TABLE t ALTER @c SET DEFAULT 5; "),
    ("storage", "column", "ALTER TABLE t ALTER @c SET STATISTICS 90, ALTER @c SET (n_distinct = -0.5); "),
    ("primary key with it", "column", "ALTER TABLE t ADD CONSTRAINT uf FOREIGN KEY (k) REFERENCES t; ALTER TABLE t DROP CONSTRAINT uf; "
     "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT pk PRIMARY KEY (id) INCLUDE (@c), ADD CONSTRAINT uf FOREIGN KEY (k) REFERENCES t; "),
    ("owner", "column", "ALTER TABLE t OWNER TO rt_owner; REVOKE DELETE ON t FROM rt_owner; "),
    # keys: queries that group by one, or name one
    ("view that groups", "key", "CREATE VIEW u AS SELECT @g, n || 'x' AS x, k, count(*) FROM t GROUP BY @g; " + VIEW_NOTES.format("VIEW")
     + "GRANT SELECT (x) ON u TO rt_reader; COMMENT ON COLUMN u.x IS 'x'; ALTER VIEW u ALTER x SET DEFAULT 'd'; "
     "CREATE VIEW v WITH (security_barrier) AS SELECT x FROM u; "),
    ("view that may be replaced", "key", "CREATE VIEW u AS SELECT max(id::text) AS x FROM t GROUP BY @g HAVING n > '' OR k > 0; "
     + VIEW_NOTES.format("VIEW")),
    ("view with triggers", "key", TRIGGER + "CREATE VIEW u AS SELECT n AS x, count(*) AS y FROM t GROUP BY @g, n; CREATE TRIGGER ut INSTEAD OF "
     "UPDATE ON u FOR EACH ROW EXECUTE FUNCTION tf(); CREATE RULE ur AS ON INSERT TO u DO INSTEAD NOTHING; " + NOTES.format("TRIGGER ut ON u")),
    ("matview that groups", "key", "CREATE MATERIALIZED VIEW u AS SELECT n AS x, k AS y FROM t GROUP BY @g; CREATE UNIQUE INDEX ui ON u (x); "
     "CREATE INDEX uj ON u ((y + 1)); ALTER MATERIALIZED VIEW u CLUSTER ON ui; " + VIEW_NOTES.format("MATERIALIZED VIEW") + NOTES.format("INDEX ui")),
    ("rule that groups", "key", "CREATE TABLE u (x text); CREATE RULE ur AS ON DELETE TO u DO ALSO INSERT INTO u SELECT n FROM t GROUP BY @g "
     "HAVING k > 0; ALTER TABLE u DISABLE RULE ur; " + NOTES.format("RULE ur ON u")),
    ("policy that groups", "key", "CREATE TABLE u (x text); CREATE POLICY up ON u TO rt_reader USING (x IN (SELECT n FROM t GROUP BY @g HAVING k > 0)); "
     "ALTER TABLE u ENABLE ROW LEVEL SECURITY; " + NOTES.format("POLICY up ON u")),
    ("policy of the table that groups", "key", "CREATE POLICY up ON t USING (n IN (SELECT n FROM t GROUP BY @g HAVING k > 0)); "
     + NOTES.format("POLICY up ON t")),
    ("body that groups", "key", "{14}CREATE FUNCTION u() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER BEGIN ATOMIC SELECT n FROM t "
     "GROUP BY @g HAVING k > 0; END; REVOKE EXECUTE ON FUNCTION u FROM PUBLIC; GRANT EXECUTE ON FUNCTION u TO rt_reader; "
     "ALTER FUNCTION u OWNER TO rt_owner; CREATE VIEW v AS SELECT * FROM u() AS x; " + NOTES.format("FUNCTION u")),
    ("default of a body that groups", "key", "{14}CREATE FUNCTION u() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT n FROM t GROUP BY @g HAVING k > 0; "
     "END; CREATE TABLE a (x text DEFAULT u()); "),
    ("procedure that groups", "key", "{14}CREATE PROCEDURE u() LANGUAGE sql BEGIN ATOMIC DELETE FROM t WHERE n IN (SELECT n FROM t GROUP BY @g HAVING k > 0); "
     "END; " + NOTES.format("PROCEDURE u")),
    ("rule that names the key", "key", "CREATE TABLE u (x int); CREATE RULE ur AS ON INSERT TO u DO ALSO INSERT INTO t (n) VALUES ('r') "
     "ON CONFLICT ON CONSTRAINT @k DO NOTHING; " + NOTES.format("RULE ur ON u")),
    ("body that names the key", "key", "{14}CREATE FUNCTION u() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO t (n) VALUES ('r') "
     "ON CONFLICT ON CONSTRAINT @k DO NOTHING; END; " + NOTES.format("FUNCTION u")),
    ("reference to the key", "key", "CREATE TABLE u (x int, CONSTRAINT uf FOREIGN KEY (x) REFERENCES t (id)); CREATE VIEW v AS SELECT t.n AS x FROM t JOIN u "
     "ON u.x = t.id GROUP BY t.id; "),
]

NESTED = {
    "attribute": ["INSERT INTO v VALUES (ROW(1, @value, ARRAY[@value]), NULL)"],
    "attribute of an attribute": ["INSERT INTO w VALUES (ROW(ROW(@value)))"],
    "domain over its list": ["INSERT INTO w VALUES (ARRAY[@value])"],
}
# A row of it could not stay.
NO_ROWS = {"partition of its value", "unique index", "referring"}
# Rows for the tables that may have them, by the way of use; what a pair refuses is left out.
PLAIN = ["INSERT INTO u VALUES (1)", "INSERT INTO v VALUES (1)"]
ROWS = {
    "value": PLAIN,
    "cond": PLAIN,
    "type": ["INSERT INTO u (x) VALUES (@value)", "INSERT INTO v (x) VALUES (@value)", "INSERT INTO v (y) VALUES (@value)",
             "INSERT INTO w (x) VALUES (@value)"],
    "column": ["INSERT INTO t (id, @c) VALUES (1, 1)", "INSERT INTO t (id) SELECT 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = '@c' AND attgenerated <> ''"],
    "key": ["INSERT INTO t (id, k, n) VALUES (1, 1, 'r')", "INSERT INTO t (id, k, n) VALUES (2, 2, 's')", "INSERT INTO t (id, k, n) VALUES ('b', 3, 'q')"],
}
