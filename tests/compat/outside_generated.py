#!/usr/bin/python3
"""What is not compared and stands on what changes: is the script refused where it could not run, or would take that along?

usage: tests/compat/outside_generated.py [options] [NAME...]

Schema `p` is compared, schema `o` is not; so are members of extensions. Each dependent in `o` meets each change of `p`.
Where the script is written it must run and leave everything outside as it was; where it is refused it must name what
is in the way, and running it all the same must fail or change something outside.

NAME...        only pairs whose name has one of these in it
--server N     major version of PostgreSQL, or several: 13,18 (default: the distribution's)
--sample N     only every N-th change
--show N       describe the first N failures (default: 5)

Exit status: 0 when all are right, 1 otherwise.
"""

import argparse
import os
import sys

import psycopg2

from roundtrip import EMPTY, Tool

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, bindir_of, default_bindir  # noqa: E402

BASE = """
CREATE SCHEMA p; CREATE SCHEMA o; SET search_path = p;
CREATE TYPE mood AS ENUM ('a', 'b', 'c');
CREATE DOMAIN dom AS int CHECK (VALUE <> 0);
CREATE TYPE comp AS (x int, y text);
CREATE SEQUENCE sq;
CREATE COLLATION col FROM "C";
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION sf(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE t (id int PRIMARY KEY, c int, u int UNIQUE, x int, s serial, n text);
CREATE UNIQUE INDEX t_x ON t (x);
CREATE TABLE row (a int);
CREATE TABLE part (id int, c int, k text) PARTITION BY RANGE (id);
CREATE TABLE w (id int, c int);
CREATE VIEW v AS SELECT id, c FROM w;
CREATE MATERIALIZED VIEW mv AS SELECT id, n FROM t;
"""

CHANGES = {
    "nothing much": "ALTER TABLE t ALTER c SET DEFAULT 3, ADD extra int; COMMENT ON VIEW v IS 'v'",
    "column gone": "ALTER TABLE t DROP COLUMN c",
    "column retyped": "ALTER TABLE t ALTER c TYPE bigint",
    "column to text": "ALTER TABLE t ALTER c TYPE text",
    "column generated": "ALTER TABLE t DROP c; ALTER TABLE t ADD c int GENERATED ALWAYS AS (id + 1) STORED",
    "column of a domain": "ALTER TABLE t ALTER c TYPE dom",
    "identifier retyped": "ALTER TABLE t ALTER u TYPE bigint",
    "identifier to text": "ALTER TABLE t ALTER u TYPE text",
    "serial gone": "ALTER TABLE t DROP COLUMN s",
    "serial to plain": "ALTER TABLE t ALTER s DROP DEFAULT; DROP SEQUENCE t_s_seq",
    "serial to identity": "ALTER TABLE t ALTER s DROP DEFAULT; DROP SEQUENCE t_s_seq; "
                          "ALTER TABLE t ALTER s ADD GENERATED ALWAYS AS IDENTITY",
    "primary key gone": "ALTER TABLE t DROP CONSTRAINT t_pkey",
    "primary key wider": "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, s)",
    "unique gone": "ALTER TABLE t DROP CONSTRAINT t_u_key",
    "unique index gone": "DROP INDEX t_x",
    "unique index partial": "DROP INDEX t_x; CREATE UNIQUE INDEX t_x ON t (x) WHERE x > 0",
    "table gone": "DROP TABLE t CASCADE",
    "row gone": "DROP TABLE row",
    "row with a default": "ALTER TABLE row ADD b int DEFAULT 7",
    "row retyped": "ALTER TABLE row ALTER a TYPE bigint",
    "parent's column gone": "ALTER TABLE part DROP COLUMN c",
    "parent's column retyped": "ALTER TABLE part ALTER c TYPE bigint",
    "parent gone": "DROP TABLE part",
    "parent no longer partitioned": "DROP TABLE part; CREATE TABLE part (id int, c int, k text)",
    "view's column gone": "DROP VIEW v; CREATE VIEW v AS SELECT id FROM w",
    "view's column more": "CREATE OR REPLACE VIEW v AS SELECT id, c, 1 AS one FROM w",
    "view remade": "DROP VIEW v; ALTER TABLE w ALTER c TYPE bigint; CREATE VIEW v AS SELECT id, c FROM w",
    "view gone": "DROP VIEW v",
    "materialized view gone": "DROP MATERIALIZED VIEW mv",
    "materialized view otherwise": "DROP MATERIALIZED VIEW mv; CREATE MATERIALIZED VIEW mv AS SELECT id, upper(n) AS n FROM t",
    "function gone": "DROP FUNCTION f",
    "function's argument": "DROP FUNCTION f; CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
    "function's body": "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 0'",
    "functions gone": "DROP FUNCTION sf; DROP FUNCTION tf",
    "sequence gone": "DROP SEQUENCE sq",
    "sequence otherwise": "ALTER SEQUENCE sq INCREMENT 2",
    "collation gone": "DROP COLLATION col",
    "enum value gone": "DROP TYPE mood; CREATE TYPE mood AS ENUM ('a', 'b')",
    "enum value more": "ALTER TYPE mood ADD VALUE 'd'",
    "enum gone": "DROP TYPE mood",
    "domain gone": "DROP DOMAIN dom",
    "domain retyped": "DROP DOMAIN dom; CREATE DOMAIN dom AS bigint CHECK (VALUE <> 0)",
    "domain's check": "ALTER DOMAIN dom DROP CONSTRAINT dom_check; ALTER DOMAIN dom ADD CONSTRAINT dom_check CHECK (VALUE <> 1)",
    "attribute more": "ALTER TYPE comp ADD ATTRIBUTE z int",
    "attribute gone": "ALTER TYPE comp DROP ATTRIBUTE y",
    "attribute retyped": "ALTER TYPE comp ALTER ATTRIBUTE x TYPE bigint",
    "attributes moved": "DROP TYPE comp; CREATE TYPE comp AS (y text, x int)",
    "composite gone": "DROP TYPE comp",
    "extension gone": "DROP EXTENSION citext",
}

IN_O = "CREATE TABLE o.h (id int, c int, other int); "
DEPENDENTS = {
    "view": "CREATE VIEW o.v AS SELECT id, c FROM p.t",
    "view of a row": "CREATE VIEW o.v AS SELECT t FROM p.t t",
    "view of the key": "CREATE VIEW o.v AS SELECT id, n, count(*) FROM p.t GROUP BY id",
    "view of a partitioned table": "CREATE VIEW o.v AS SELECT c FROM p.part",
    "view of a view": "CREATE VIEW o.v AS SELECT id, c FROM p.v",
    "view of a materialized view": "CREATE VIEW o.v AS SELECT n FROM p.mv",
    "view with a call": "CREATE VIEW o.v AS SELECT p.f(1) AS x",
    "view with a value": "CREATE VIEW o.v AS SELECT 'c'::p.mood AS m",
    "view with a domain": "CREATE VIEW o.v AS SELECT 5::p.dom AS m",
    "view with an attribute": "CREATE VIEW o.v AS SELECT (ROW(1, 'a')::p.comp).y AS m",
    "odd view": 'CREATE SCHEMA "O on p"; CREATE VIEW "O on p"."v on ""q""" AS SELECT c, x, s, u FROM p.t',
    "materialized view": "CREATE MATERIALIZED VIEW o.v AS SELECT c, u, x FROM p.t; CREATE INDEX ON o.v (c)",
    "sql function": "{14: CREATE FUNCTION o.fn() RETURNS bigint BEGIN ATOMIC SELECT max(c) FROM p.t; END}",
    "sql procedure": "{14: CREATE PROCEDURE o.fn() BEGIN ATOMIC DELETE FROM p.t WHERE u = 1; END}",
    "function taking a row": "CREATE FUNCTION o.fn(a p.row) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "function taking types": "CREATE FUNCTION o.fn(a p.mood, b p.dom, c p.comp[]) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "function returning rows": "CREATE FUNCTION o.fn() RETURNS SETOF p.t LANGUAGE sql AS 'SELECT * FROM p.t'",
    "default": IN_O + "ALTER TABLE o.h ALTER c SET DEFAULT p.f(3)",
    "expressions over types": IN_O + "ALTER TABLE o.h ALTER c SET DEFAULT (ROW(3, 'x')::p.comp).x, "
                              "ADD CHECK ((ROW(id, 'x')::p.comp).x > 0), ADD CHECK (id::p.dom > 0); "
                              "CREATE POLICY pol ON o.h USING ((ROW(id, 'x')::p.comp).x > 0)",
    "default of a sequence": IN_O + "ALTER TABLE o.h ALTER c SET DEFAULT nextval('p.sq')",
    "default of a serial": IN_O + "ALTER TABLE o.h ALTER c SET DEFAULT nextval('p.t_s_seq')",
    "generated column": IN_O + "ALTER TABLE o.h ADD g int GENERATED ALWAYS AS (p.f(id)) STORED",
    "check": IN_O + "ALTER TABLE o.h ADD CHECK (p.f(id) > 0)",
    "expression index": IN_O + "CREATE INDEX ON o.h (p.f(id))",
    "partition key": "CREATE TABLE o.h (id int) PARTITION BY RANGE (p.f(id))",
    "policy": IN_O + "CREATE POLICY pol ON o.h USING (EXISTS (SELECT FROM p.t WHERE t.c = h.id))",
    "policy with a call": IN_O + "CREATE POLICY pol ON o.h USING (p.f(id) = 1)",
    "trigger": IN_O + "CREATE TRIGGER tr BEFORE INSERT ON o.h FOR EACH ROW EXECUTE FUNCTION p.tf()",
    "trigger's condition": IN_O + "CREATE FUNCTION o.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
                           "CREATE TRIGGER tr BEFORE INSERT ON o.h FOR EACH ROW WHEN (p.f(NEW.id) > 0) EXECUTE FUNCTION o.tf()",
    "rule": IN_O + "CREATE RULE r AS ON INSERT TO o.h DO ALSO INSERT INTO p.t (id, c) VALUES (NEW.id, NEW.c)",
    "foreign key": IN_O + "ALTER TABLE o.h ADD CONSTRAINT k FOREIGN KEY (other) REFERENCES p.t",
    "foreign key to unique": IN_O + "ALTER TABLE o.h ADD FOREIGN KEY (other) REFERENCES p.t (u)",
    "foreign key to an index": IN_O + "ALTER TABLE o.h ADD FOREIGN KEY (other) REFERENCES p.t (x)",
    "partitioned foreign key": "CREATE TABLE o.h (id int REFERENCES p.t) PARTITION BY RANGE (id); "
                               "CREATE TABLE o.h1 PARTITION OF o.h FOR VALUES FROM (0) TO (9)",
    "columns of types": "CREATE TABLE o.h (a p.mood, b p.dom, c p.comp)",
    "columns of lists": "CREATE TABLE o.h (a p.mood[], b p.dom[], c p.comp[])",
    "column of rows": "CREATE TABLE o.h (a p.row)",
    "column of a collation": "CREATE TABLE o.h (a text COLLATE p.col)",
    "typed table": "CREATE TABLE o.h OF p.comp",
    "domain over types": "CREATE DOMAIN o.d AS p.mood; CREATE DOMAIN o.e AS p.dom CHECK (VALUE > 3); CREATE DOMAIN o.g AS text COLLATE p.col",
    "domain's check": "CREATE DOMAIN o.d AS int CONSTRAINT dc CHECK (p.f(VALUE) > 0)",
    "domain's default": "CREATE DOMAIN o.d AS int DEFAULT p.f(2)",
    "composite of types": "CREATE TYPE o.c AS (a p.mood, b p.dom, c p.comp, d p.row)",
    "range of a domain": "CREATE TYPE o.r AS RANGE (subtype = int, subtype_diff = o.sd)",
    "child": "CREATE TABLE o.h (more int) INHERITS (p.w)",
    "partition": "CREATE TABLE o.h PARTITION OF p.part FOR VALUES FROM (0) TO (9)",
    "view of a partition": "CREATE TABLE o.h PARTITION OF p.part FOR VALUES FROM (0) TO (9); CREATE VIEW o.v AS SELECT c FROM o.h",
    "view of a partition's partition": "CREATE TABLE o.h (k text, c int, id int) PARTITION BY LIST (id); "
                                       "ALTER TABLE p.part ATTACH PARTITION o.h DEFAULT; "
                                       "CREATE TABLE o.h1 PARTITION OF o.h DEFAULT; CREATE VIEW o.v AS SELECT c FROM o.h1",
    "statistics": "CREATE STATISTICS o.st (ndistinct) ON c, x FROM p.t",
    "aggregate": "CREATE AGGREGATE o.agg(int) (sfunc = p.sf, stype = int)",
    "operator": "CREATE OPERATOR o.### (leftarg = int, rightarg = int, function = p.sf)",
    "operator class": "CREATE OPERATOR CLASS o.oc FOR TYPE int USING btree AS FUNCTION 1 p.sf(int, int)",
    "an extension's view": "CREATE VIEW p.ev AS SELECT c FROM p.t; ALTER EXTENSION citext ADD VIEW p.ev",
    "an extension's table": "CREATE TABLE p.eh (m p.mood, d int DEFAULT p.f(1), id int REFERENCES p.t); "
                            "ALTER EXTENSION citext ADD TABLE p.eh",
    "an extension's function": "CREATE FUNCTION o.fn(a p.mood, b p.row) RETURNS int LANGUAGE sql AS 'SELECT 1'; "
                               "ALTER EXTENSION citext ADD FUNCTION o.fn",
    "column of an extension's type": "CREATE TABLE o.h (e public.citext)",
}
DEPENDENTS["range of a domain"] = "CREATE FUNCTION o.sd(a int, b int) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0'; " \
    "CREATE TYPE o.r AS RANGE (subtype = int, subtype_diff = o.sd); CREATE TABLE o.h (a o.r DEFAULT o.r(p.f(1), 5))"

# Only newer minor releases refuse these.
NEWER = {"attribute retyped < view with an attribute"}

# What is outside, in words: everything in schemas but p, members of extensions, and columns' types.
SNAPSHOT = """
SELECT i.type || ' ' || i.identity FROM (
  SELECT 'pg_class'::regclass AS class, oid AS id, 0 AS sub, relnamespace AS n FROM pg_class WHERE relkind <> 't'
  UNION ALL SELECT 'pg_proc'::regclass, oid, 0, pronamespace FROM pg_proc
  UNION ALL SELECT 'pg_type'::regclass, oid, 0, typnamespace FROM pg_type
  UNION ALL SELECT 'pg_operator'::regclass, oid, 0, oprnamespace FROM pg_operator
  UNION ALL SELECT 'pg_opclass'::regclass, oid, 0, opcnamespace FROM pg_opclass
  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 0, stxnamespace FROM pg_statistic_ext
  UNION ALL SELECT 'pg_rewrite'::regclass, x.oid, 0, relnamespace FROM pg_rewrite x JOIN pg_class c ON c.oid = ev_class
  UNION ALL SELECT 'pg_policy'::regclass, x.oid, 0, relnamespace FROM pg_policy x JOIN pg_class c ON c.oid = polrelid
  UNION ALL SELECT 'pg_attrdef'::regclass, x.oid, 0, relnamespace FROM pg_attrdef x JOIN pg_class c ON c.oid = adrelid
  UNION ALL SELECT 'pg_constraint'::regclass, x.oid, 0, connamespace FROM pg_constraint x
  UNION ALL SELECT 'pg_trigger'::regclass, x.oid, 0, relnamespace FROM pg_trigger x JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
) x CROSS JOIN LATERAL pg_identify_object(class, id, sub) i
WHERE n IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^o') OR EXISTS (SELECT FROM pg_depend d WHERE d.objid = x.id AND d.deptype = 'e')
UNION ALL SELECT format('%s.%s is a %s', relname, attname, format_type(atttypid, atttypmod)) FROM pg_attribute
  JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname ~ '^o' AND attnum > 0 AND NOT attisdropped
    AND NOT (attinhcount > 0 AND relkind IN ('r', 'p'))
"""


def statements(template, major):
    if template.startswith("{"):
        since, template = int(template[1:3]), template[5:-1]
        if major < since:
            return None
    return template


def make(db, text):
    db.sql('DROP EXTENSION IF EXISTS citext CASCADE; DROP SCHEMA IF EXISTS p, o, "O on p" CASCADE; '
           'CREATE EXTENSION citext; ' + BASE)
    db.sql(text)


def url(db):
    return db.url(tcp=False) + ("&" if "?" in db.url(tcp=False) else "?") + "schema=p"


def effect(db, script):
    """What the script does to what is outside: an error, what is gone or otherwise, or nothing."""
    connection = psycopg2.connect(db.url(tcp=False))
    try:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
            before = sorted(cursor.fetchall())
            cursor.execute("SET search_path = public")
            try:
                if script != EMPTY:
                    cursor.execute(script)
            except psycopg2.Error as error:
                return str(error).splitlines()[0]
            cursor.execute("RESET search_path")
            cursor.execute(SNAPSHOT)
            after = sorted(cursor.fetchall())
            lost = [x[0] for x in before if x not in after]
            return f"changed: {lost}" if lost else ""
    finally:
        connection.rollback()
        connection.close()


def judge(tool, name, db, catalog, target):
    """What is wrong with it, or None; and whether it is refused."""
    script = tool.ask("script", "exact", (catalog,), (target,))
    notes = tool.ask("notes", "exact", (catalog,), (target,))
    refused = [line for line in notes.splitlines() if "which is not compared" in line]
    done = effect(db, script)
    if refused and not done and name not in NEWER:
        return f"refused, but it runs: {refused[0]}\n{script}", True
    if done and not refused:
        return f"{done}\n{script}", False
    return None, bool(refused)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--server", default="")
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    args = parser.parse_args()
    bad = 0
    for major in args.server.split(","):
        tool = Tool()
        server = Server(bindir_of(int(major)) if major else default_bindir()).start()
        count = refusals = failures = 0
        try:
            db = server.new_database()
            targets = {}
            for change, text in list(CHANGES.items())[::args.sample]:
                make(db, "SET search_path = p, public; " + text)
                targets[change] = tool.ask("stored", url(db))
            for name, text in DEPENDENTS.items():
                text = statements(text, server.major)
                wanted = [change for change in targets
                          if not args.names or any(n in f"{change} < {name}" for n in args.names)]
                if not text or not wanted:
                    continue
                make(db, "SET search_path = public; " + text)
                catalog = tool.ask("stored", url(db))
                for change in wanted:
                    count += 1
                    wrong, refused = judge(tool, f"{change} < {name}", db, catalog, targets[change])
                    refusals += refused
                    if wrong:
                        failures += 1
                        if failures <= args.show:
                            print(f"- {change} < {name}\n    " + wrong.replace("\n", "\n    "), flush=True)
                        else:
                            print(f"- {change} < {name}: {wrong.splitlines()[0]}", flush=True)
            tool.close()
        finally:
            server.remove()
        print(f"PostgreSQL {server.version}: {count - failures} of {count} pairs are right, {refusals} of them refused", flush=True)
        bad += failures
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
