"""Random changes to whatever a database has, of every kind that ALTER, CREATE, DROP, GRANT and COMMENT know.

change(connection, seed, wanted) makes them, each in a transaction of its own, and returns those that the server
took. The same seed on the same database makes the same ones.
"""

import random

import psycopg2

ROLES = ("changer_a", "changer_b")
TYPES = ("integer", "bigint", "smallint", "text", "varchar(77)", "numeric(9,3)", "timestamptz", "date", "boolean", "jsonb",
         "uuid", "text[]", "inet", "double precision")
OWN = "NOT pg_catalog.starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema'"
# (what follows COMMENT ON and DROP, as pg_identify_object says it) -> the words of the statement
WORDS = {"statistics object": "STATISTICS", "composite type": "TYPE", "table constraint": "CONSTRAINT",
         "domain constraint": None, "default value": None, "default acl": None, "table column": None, "toast table": None,
         "publication relation": None, "publication namespace": None, "user mapping": None, "role": None, "database": None,
         "tablespace": None, "operator of access method": None, "function of access method": None, "large object": None,
         "foreign-data wrapper": "FOREIGN DATA WRAPPER", "index column": None, "view column": None,
         "foreign table column": None, "composite type column": None, "materialized view column": None}
NO_COMMENT = ("user mapping",)

ALL = """SELECT pg_catalog.lower(i.type), i.identity FROM (
  SELECT 'pg_class'::regclass c, o.oid o FROM pg_class o JOIN pg_namespace n ON n.oid = relnamespace WHERE {own} AND relkind <> 't'
  UNION ALL SELECT 'pg_proc'::regclass, o.oid FROM pg_proc o JOIN pg_namespace n ON n.oid = pronamespace WHERE {own}
  UNION ALL SELECT 'pg_type'::regclass, o.oid FROM pg_type o JOIN pg_namespace n ON n.oid = typnamespace WHERE {own} AND typrelid = 0 AND typcategory <> 'A'
  UNION ALL SELECT 'pg_constraint'::regclass, o.oid FROM pg_constraint o JOIN pg_namespace n ON n.oid = connamespace WHERE {own}
  UNION ALL SELECT 'pg_trigger'::regclass, o.oid FROM pg_trigger o WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_rewrite'::regclass, o.oid FROM pg_rewrite o WHERE o.oid >= 16384 AND rulename <> '_RETURN'
  UNION ALL SELECT 'pg_policy'::regclass, o.oid FROM pg_policy o
  UNION ALL SELECT 'pg_operator'::regclass, o.oid FROM pg_operator o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_opclass'::regclass, o.oid FROM pg_opclass o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_opfamily'::regclass, o.oid FROM pg_opfamily o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_cast'::regclass, o.oid FROM pg_cast o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_collation'::regclass, o.oid FROM pg_collation o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_conversion'::regclass, o.oid FROM pg_conversion o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_language'::regclass, o.oid FROM pg_language o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_namespace'::regclass, o.oid FROM pg_namespace o WHERE o.oid >= 16384 AND nspname !~ '^pg_'
  UNION ALL SELECT 'pg_am'::regclass, o.oid FROM pg_am o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_config'::regclass, o.oid FROM pg_ts_config o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_dict'::regclass, o.oid FROM pg_ts_dict o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_parser'::regclass, o.oid FROM pg_ts_parser o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_ts_template'::regclass, o.oid FROM pg_ts_template o WHERE o.oid >= 16384
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, o.oid FROM pg_foreign_data_wrapper o
  UNION ALL SELECT 'pg_foreign_server'::regclass, o.oid FROM pg_foreign_server o
  UNION ALL SELECT 'pg_publication'::regclass, o.oid FROM pg_publication o
  UNION ALL SELECT 'pg_event_trigger'::regclass, o.oid FROM pg_event_trigger o
  UNION ALL SELECT 'pg_statistic_ext'::regclass, o.oid FROM pg_statistic_ext o
  UNION ALL SELECT 'pg_transform'::regclass, o.oid FROM pg_transform o
) x, LATERAL pg_identify_object(x.c, x.o, 0) i
""".replace("{own}", OWN)

RELATIONS = ("SELECT c.oid::regclass::text, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT "
             "a.attisdropped ORDER BY a.attnum LIMIT 1), n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
             f"{OWN} AND c.relkind IN ({{}})")
COLUMNS = ("SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), "
           "(SELECT quote_ident(b.attname) FROM pg_attribute b WHERE b.attrelid = c.oid AND b.attnum > 0 AND NOT b.attisdropped "
           "ORDER BY b.attnum DESC LIMIT 1) FROM pg_class c JOIN pg_namespace n "
           "ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND "
           f"{OWN} AND c.relkind IN ({{}})")
ON_TABLE = ("SELECT c.oid::regclass::text, quote_ident(x.{name}) FROM {catalog} x JOIN pg_class c ON c.oid = x.{table} "
            "WHERE c.oid >= 16384 AND {where}")
NAMED = "SELECT {}quote_ident(x.{}) FROM {} x {} WHERE x.oid >= 16384"


def in_schema(name, space, catalog):
    return NAMED.format("quote_ident(n.nspname) || '.' || ", name, catalog, f"JOIN pg_namespace n ON n.oid = x.{space}")


def types(letter):
    return (f"SELECT t.oid::regtype::text, (SELECT quote_literal(e.enumlabel) FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY "
            f"e.enumsortorder LIMIT 1) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {OWN} AND t.typtype = '{letter}'")


# (how often, what there is, statements). {0}, {1}, ... are the columns of a row; {new} a new name, {type}, {role}, {schema}.
RULES = (
    (14, ALL, ("DROP",)),
    (6, ALL, ("COMMENT",)),
    (14, RELATIONS.format("'r','p'"), (
        "ALTER TABLE {0} RENAME TO {new}", "ALTER TABLE {0} ADD {new} {type}", "ALTER TABLE {0} ADD {new} {type} NOT NULL",
        "ALTER TABLE {0} ADD {new} int DEFAULT 5 CHECK ({new} > 0)", "ALTER TABLE {0} ADD {new} serial",
        "ALTER TABLE {0} ADD {new} int GENERATED ALWAYS AS IDENTITY", "ALTER TABLE {0} ADD {new} text COLLATE \"C\" UNIQUE",
        "ALTER TABLE {0} ADD {new} text GENERATED ALWAYS AS ('x') STORED",
        "ALTER TABLE {0} SET (fillfactor = 70)", "ALTER TABLE {0} SET (autovacuum_enabled = false, toast.autovacuum_enabled = false)",
        "ALTER TABLE {0} RESET (fillfactor, autovacuum_enabled)", "GRANT SELECT, UPDATE ON {0} TO {role}",
        "GRANT INSERT ON {0} TO {role} WITH GRANT OPTION", "REVOKE ALL ON {0} FROM PUBLIC, {role}", "ALTER TABLE {0} OWNER TO {role}",
        "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY", "ALTER TABLE {0} DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE {0} FORCE ROW LEVEL SECURITY", "ALTER TABLE {0} REPLICA IDENTITY FULL", "ALTER TABLE {0} REPLICA IDENTITY NOTHING",
        "ALTER TABLE {0} REPLICA IDENTITY DEFAULT", "ALTER TABLE {0} SET SCHEMA {schema}", "ALTER TABLE {0} SET UNLOGGED",
        "ALTER TABLE {0} SET LOGGED", "ALTER TABLE {0} SET WITHOUT CLUSTER", "ALTER TABLE {0} DISABLE TRIGGER USER",
        "ALTER TABLE {0} ADD CHECK (true) NOT VALID", "ALTER TABLE {0} ADD CONSTRAINT {new} CHECK (1 > 0) NO INHERIT",
        "CREATE TABLE {schema}.{new} (LIKE {0} INCLUDING ALL)", "CREATE TABLE {schema}.{new} (extra int) INHERITS ({0})",
        "CREATE VIEW {schema}.{new} AS SELECT * FROM {0}", "CREATE MATERIALIZED VIEW {schema}.{new} AS SELECT * FROM {0}",
        "CREATE RULE {new} AS ON DELETE TO {0} DO INSTEAD NOTHING", "CREATE POLICY {new} ON {0} FOR SELECT TO {role} USING (true)",
        "CREATE TRIGGER {new} BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE FUNCTION {schema}.{new}(x {0}) RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP TABLE {0} CASCADE",
        "CREATE FUNCTION {schema}.{new}() RETURNS SETOF {0} LANGUAGE sql AS 'SELECT * FROM {0}'")),
    (20, COLUMNS.format("'r','p'"), (
        "ALTER TABLE {0} DROP {1}", "ALTER TABLE {0} DROP {1}", "ALTER TABLE {0} DROP {1} CASCADE", "ALTER TABLE {0} RENAME {1} TO {new}",
        "ALTER TABLE {0} ALTER {1} TYPE text", "ALTER TABLE {0} ALTER {1} TYPE bigint", "ALTER TABLE {0} ALTER {1} TYPE {type} USING NULL",
        "ALTER TABLE {0} ALTER {1} TYPE text COLLATE \"C\"",
        "ALTER TABLE {0} ALTER {1} SET DEFAULT NULL", "ALTER TABLE {0} ALTER {1} SET DEFAULT '1'", "ALTER TABLE {0} ALTER {1} DROP DEFAULT",
        "ALTER TABLE {0} ALTER {1} SET NOT NULL", "ALTER TABLE {0} ALTER {1} DROP NOT NULL", "ALTER TABLE {0} ALTER {1} SET STATISTICS 77",
        "ALTER TABLE {0} ALTER {1} SET STORAGE EXTERNAL", "ALTER TABLE {0} ALTER {1} SET (n_distinct = 5)",
        "ALTER TABLE {0} ALTER {1} SET COMPRESSION pglz", "ALTER TABLE {0} ALTER {1} ADD GENERATED BY DEFAULT AS IDENTITY",
        "ALTER TABLE {0} ALTER {1} DROP IDENTITY", "ALTER TABLE {0} ALTER {1} DROP EXPRESSION", "COMMENT ON COLUMN {0}.{1} IS 'changed'",
        "GRANT SELECT ({1}), UPDATE ({1}) ON {0} TO {role}", "CREATE INDEX {new} ON {0} ({1})", "CREATE INDEX {new} ON {0} ({1} DESC, {3})",
        "CREATE UNIQUE INDEX {new} ON {0} ({1}) WHERE {1} IS NOT NULL", "ALTER TABLE {0} ADD UNIQUE ({1})",
        "ALTER TABLE {0} ADD PRIMARY KEY ({1})", "CREATE INDEX {new} ON {0} (({1} IS NULL))", "CREATE INDEX {new} ON {0} USING hash ({1})",
        "CREATE STATISTICS {schema}.{new} (ndistinct) ON {1}, {3} FROM {0}", "ALTER TABLE {0} ADD CONSTRAINT {new} CHECK ({1} IS NOT NULL)",
        "CREATE VIEW {schema}.{new} AS SELECT {1} AS one FROM {0}",
        "CREATE TABLE {schema}.{new} (part {2}) PARTITION BY LIST (part)")),
    (3, "SELECT a.attrelid::regclass::text, quote_ident(a.attname), k.conrelid::regclass::text, quote_ident(b.attname) FROM "
        "pg_constraint k JOIN pg_attribute b ON b.attrelid = k.conrelid AND b.attnum = k.conkey[1] JOIN pg_attribute a ON a.atttypid = "
        "b.atttypid AND a.attnum > 0 JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r','p') AND c.oid >= 16384 WHERE k.contype "
        "IN ('p','u') AND cardinality(k.conkey) = 1 AND k.conrelid >= 16384", (
        "ALTER TABLE {0} ADD FOREIGN KEY ({1}) REFERENCES {2} ({3})", "ALTER TABLE {0} ADD CONSTRAINT {new} FOREIGN KEY ({1}) REFERENCES "
        "{2} ({3}) ON DELETE SET NULL NOT VALID", "ALTER TABLE {0} ADD FOREIGN KEY ({1}) REFERENCES {2} ({3}) DEFERRABLE INITIALLY DEFERRED")),
    (3, "SELECT h.inhrelid::regclass::text, h.inhparent::regclass::text FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid WHERE "
        "c.relkind IN ('r','p')", ("ALTER TABLE {1} DETACH PARTITION {0}", "ALTER TABLE {0} NO INHERIT {1}")),
    (6, ON_TABLE.format(name="conname", catalog="pg_constraint", table="conrelid", where="true"), (
        "ALTER TABLE {0} DROP CONSTRAINT {1}", "ALTER TABLE {0} DROP CONSTRAINT {1} CASCADE", "ALTER TABLE {0} RENAME CONSTRAINT {1} TO {new}",
        "ALTER TABLE {0} VALIDATE CONSTRAINT {1}", "ALTER TABLE {0} ALTER CONSTRAINT {1} DEFERRABLE",
        "ALTER TABLE {0} CLUSTER ON {1}", "ALTER TABLE {0} REPLICA IDENTITY USING INDEX {1}")),
    (4, "SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, quote_ident(c.relname) FROM pg_index i JOIN pg_class c ON c.oid = "
        "i.indexrelid WHERE c.oid >= 16384 AND c.relnamespace <> 99", (
        "DROP INDEX {0}", "ALTER INDEX {0} RENAME TO {new}", "ALTER INDEX {0} SET (fillfactor = 50)", "ALTER TABLE {1} CLUSTER ON {2}",
        "ALTER TABLE {1} REPLICA IDENTITY USING INDEX {2}", "ALTER INDEX {0} ALTER COLUMN 1 SET STATISTICS 99")),
    (3, ON_TABLE.format(name="tgname", catalog="pg_trigger", table="tgrelid", where="NOT tgisinternal"), (
        "DROP TRIGGER {1} ON {0}", "ALTER TRIGGER {1} ON {0} RENAME TO {new}", "ALTER TABLE {0} DISABLE TRIGGER {1}",
        "ALTER TABLE {0} ENABLE ALWAYS TRIGGER {1}")),
    (3, ON_TABLE.format(name="rulename", catalog="pg_rewrite", table="ev_class", where="rulename <> '_RETURN'"), (
        "DROP RULE {1} ON {0}", "ALTER RULE {1} ON {0} RENAME TO {new}", "ALTER TABLE {0} DISABLE RULE {1}",
        "ALTER TABLE {0} ENABLE REPLICA RULE {1}")),
    (2, ON_TABLE.format(name="polname", catalog="pg_policy", table="polrelid", where="true"), (
        "DROP POLICY {1} ON {0}", "ALTER POLICY {1} ON {0} RENAME TO {new}", "ALTER POLICY {1} ON {0} TO {role}",
        "ALTER POLICY {1} ON {0} USING (false)")),
    (5, RELATIONS.format("'v'"), (
        "DROP VIEW {0}", "DROP VIEW {0} CASCADE", "ALTER VIEW {0} RENAME TO {new}", "ALTER VIEW {0} SET (security_barrier = true)",
        "ALTER VIEW {0} SET SCHEMA {schema}", "ALTER VIEW {0} OWNER TO {role}", "GRANT SELECT ON {0} TO {role}",
        "ALTER VIEW {0} RENAME \"{1}\" TO {new}", "ALTER VIEW {0} ALTER \"{1}\" SET DEFAULT NULL",
        "CREATE VIEW {schema}.{new} AS SELECT * FROM {0}", "CREATE RULE {new} AS ON UPDATE TO {0} DO INSTEAD NOTHING",
        "COMMENT ON COLUMN {0}.\"{1}\" IS 'seen'")),
    (3, RELATIONS.format("'m'"), (
        "DROP MATERIALIZED VIEW {0}", "ALTER MATERIALIZED VIEW {0} RENAME TO {new}", "CREATE INDEX {new} ON {0} (\"{1}\")",
        "ALTER MATERIALIZED VIEW {0} SET (fillfactor = 60)", "ALTER MATERIALIZED VIEW {0} SET SCHEMA {schema}",
        "ALTER MATERIALIZED VIEW {0} ALTER \"{1}\" SET STATISTICS 55")),
    (4, RELATIONS.format("'S'"), (
        "DROP SEQUENCE {0}", "ALTER SEQUENCE {0} RENAME TO {new}", "ALTER SEQUENCE {0} INCREMENT BY 7", "ALTER SEQUENCE {0} CYCLE",
        "ALTER SEQUENCE {0} OWNED BY NONE", "ALTER SEQUENCE {0} AS bigint", "ALTER SEQUENCE {0} MAXVALUE 30000 CACHE 5",
        "ALTER SEQUENCE {0} SET UNLOGGED", "GRANT USAGE ON SEQUENCE {0} TO {role}")),
    (8, f"SELECT p.oid::regprocedure::text, p.oid::regproc::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OWN}", (
        "DROP ROUTINE {0}", "DROP ROUTINE {0}", "ALTER ROUTINE {0} RENAME TO {new}", "ALTER ROUTINE {0} SET SCHEMA {schema}",
        "ALTER FUNCTION {0} VOLATILE", "ALTER FUNCTION {0} IMMUTABLE", "ALTER FUNCTION {0} STRICT", "ALTER FUNCTION {0} COST 77",
        "ALTER ROUTINE {0} SET work_mem = '5MB'", "ALTER ROUTINE {0} SECURITY DEFINER", "ALTER FUNCTION {0} PARALLEL SAFE",
        "REVOKE EXECUTE ON ROUTINE {0} FROM PUBLIC", "GRANT EXECUTE ON ROUTINE {0} TO {role}", "ALTER ROUTINE {0} OWNER TO {role}",
        "DROP ROUTINE {0} CASCADE")),
    (4, "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = "
        f"p.pronamespace WHERE l.lanname = 'plpgsql' AND {OWN}", ("BODY",)),
    (4, types("e"), (
        "ALTER TYPE {0} ADD VALUE 'added'", "ALTER TYPE {0} ADD VALUE 'before' BEFORE {1}", "ALTER TYPE {0} RENAME VALUE {1} TO 'renamed'",
        "ALTER TYPE {0} RENAME TO {new}", "ALTER TYPE {0} SET SCHEMA {schema}", "GRANT USAGE ON TYPE {0} TO {role}", "DROP TYPE {0} CASCADE")),
    (4, types("d"), (
        "ALTER DOMAIN {0} SET DEFAULT NULL", "ALTER DOMAIN {0} DROP DEFAULT", "ALTER DOMAIN {0} SET NOT NULL", "ALTER DOMAIN {0} DROP NOT NULL",
        "ALTER DOMAIN {0} ADD CONSTRAINT {new} CHECK (VALUE IS NOT NULL) NOT VALID", "ALTER DOMAIN {0} RENAME TO {new}",
        "ALTER DOMAIN {0} SET SCHEMA {schema}", "REVOKE USAGE ON TYPE {0} FROM PUBLIC", "DROP DOMAIN {0}", "DROP DOMAIN {0} CASCADE",
        "CREATE DOMAIN {schema}.{new} AS {0} CHECK (VALUE IS NOT NULL)")),
    (1, "SELECT k.contypid::regtype::text, quote_ident(k.conname) FROM pg_constraint k WHERE k.contypid >= 16384",
     ("ALTER DOMAIN {0} DROP CONSTRAINT {1}", "ALTER DOMAIN {0} RENAME CONSTRAINT {1} TO {new}")),
    (4, COLUMNS.format("'c'"), (
        "ALTER TYPE {0} ADD ATTRIBUTE {new} {type}", "ALTER TYPE {0} DROP ATTRIBUTE {1}", "ALTER TYPE {0} RENAME ATTRIBUTE {1} TO {new}",
        "ALTER TYPE {0} ALTER ATTRIBUTE {1} TYPE text", "ALTER TYPE {0} RENAME TO {new}", "DROP TYPE {0}", "CREATE TABLE {schema}.{new} OF {0}",
        "COMMENT ON COLUMN {0}.{1} IS 'part'")),
    (2, "SELECT t.oid::regtype::text FROM pg_type t WHERE t.oid >= 16384 AND t.typtype IN ('r','b') AND t.typcategory <> 'A'", (
        "ALTER TYPE {0} RENAME TO {new}", "ALTER TYPE {0} SET SCHEMA {schema}", "REVOKE USAGE ON TYPE {0} FROM PUBLIC", "DROP TYPE {0}",
        "ALTER TYPE {0} SET (storage = main)", "CREATE TABLE {schema}.{new} (a {0}, b {0}[])")),
    (2, "SELECT x.oid::regoperator::text FROM pg_operator x WHERE x.oid >= 16384", (
        "DROP OPERATOR {0}", "ALTER OPERATOR {0} SET (RESTRICT = NONE)", "ALTER OPERATOR {0} SET SCHEMA {schema}",
        "ALTER OPERATOR {0} OWNER TO {role}")),
    (1, "SELECT quote_ident(n.nspname) || '.' || quote_ident(x.opcname) || ' USING ' || a.amname FROM pg_opclass x JOIN pg_am a ON a.oid = "
        "x.opcmethod JOIN pg_namespace n ON n.oid = x.opcnamespace WHERE x.oid >= 16384", (
        "DROP OPERATOR CLASS {0}", "ALTER OPERATOR CLASS {0} RENAME TO {new}", "ALTER OPERATOR CLASS {0} SET SCHEMA {schema}")),
    (1, "SELECT quote_ident(n.nspname) || '.' || quote_ident(x.opfname) || ' USING ' || a.amname FROM pg_opfamily x JOIN pg_am a ON a.oid = "
        "x.opfmethod JOIN pg_namespace n ON n.oid = x.opfnamespace WHERE x.oid >= 16384", (
        "DROP OPERATOR FAMILY {0}", "DROP OPERATOR FAMILY {0} CASCADE", "ALTER OPERATOR FAMILY {0} RENAME TO {new}",
        "ALTER OPERATOR FAMILY {0} SET SCHEMA {schema}")),
    (2, in_schema("cfgname", "cfgnamespace", "pg_ts_config"), (
        "DROP TEXT SEARCH CONFIGURATION {0}", "ALTER TEXT SEARCH CONFIGURATION {0} RENAME TO {new}",
        "ALTER TEXT SEARCH CONFIGURATION {0} ADD MAPPING FOR host WITH simple", "ALTER TEXT SEARCH CONFIGURATION {0} DROP MAPPING FOR word",
        "ALTER TEXT SEARCH CONFIGURATION {0} ALTER MAPPING FOR word, asciiword WITH simple")),
    (2, in_schema("dictname", "dictnamespace", "pg_ts_dict"), (
        "DROP TEXT SEARCH DICTIONARY {0}", "DROP TEXT SEARCH DICTIONARY {0} CASCADE", "ALTER TEXT SEARCH DICTIONARY {0} RENAME TO {new}",
        "ALTER TEXT SEARCH DICTIONARY {0} SET SCHEMA {schema}")),
    (2, in_schema("stxname", "stxnamespace", "pg_statistic_ext"), (
        "DROP STATISTICS {0}", "ALTER STATISTICS {0} RENAME TO {new}", "ALTER STATISTICS {0} SET STATISTICS 33",
        "ALTER STATISTICS {0} SET SCHEMA {schema}")),
    (1, in_schema("collname", "collnamespace", "pg_collation"), (
        "DROP COLLATION {0}", "ALTER COLLATION {0} RENAME TO {new}", "ALTER TABLE public.onek ADD {new} text COLLATE {0}")),
    (1, in_schema("conname", "connamespace", "pg_conversion"), ("DROP CONVERSION {0}", "ALTER CONVERSION {0} RENAME TO {new}")),
    (2, NAMED.format("", "pubname", "pg_publication", ""), (
        "DROP PUBLICATION {0}", "ALTER PUBLICATION {0} RENAME TO {new}", "ALTER PUBLICATION {0} SET (publish = 'insert')",
        "ALTER PUBLICATION {0} ADD TABLE public.tenk1", "ALTER PUBLICATION {0} SET TABLE public.onek",
        "ALTER PUBLICATION {0} SET (publish_via_partition_root = true)")),
    (2, NAMED.format("", "srvname", "pg_foreign_server", ""), (
        "DROP SERVER {0}", "ALTER SERVER {0} RENAME TO {new}", "ALTER SERVER {0} VERSION '9'",
        "CREATE FOREIGN TABLE {schema}.{new} (a int, b text) SERVER {0}", "CREATE USER MAPPING FOR {role} SERVER {0}",
        "GRANT USAGE ON FOREIGN SERVER {0} TO {role}")),
    (1, NAMED.format("", "fdwname", "pg_foreign_data_wrapper", ""), (
        "DROP FOREIGN DATA WRAPPER {0}", "ALTER FOREIGN DATA WRAPPER {0} RENAME TO {new}", "ALTER FOREIGN DATA WRAPPER {0} OPTIONS (ADD mine 'x')",
        "CREATE SERVER {new} FOREIGN DATA WRAPPER {0}")),
    (2, COLUMNS.format("'f'"), (
        "DROP FOREIGN TABLE {0}", "ALTER FOREIGN TABLE {0} ADD {new} {type}", "ALTER FOREIGN TABLE {0} DROP {1}",
        "ALTER FOREIGN TABLE {0} RENAME TO {new}", "GRANT SELECT ON {0} TO {role}", "ALTER FOREIGN TABLE {0} ALTER {1} SET NOT NULL")),
    (2, NAMED.format("", "evtname", "pg_event_trigger", ""), (
        "DROP EVENT TRIGGER {0}", "ALTER EVENT TRIGGER {0} DISABLE", "ALTER EVENT TRIGGER {0} RENAME TO {new}")),
    (3, "SELECT quote_ident(nspname) FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_'", (
        "ALTER SCHEMA {0} RENAME TO {new}", "GRANT USAGE ON SCHEMA {0} TO {role}", "DROP SCHEMA {0}", "DROP SCHEMA {0} CASCADE",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA {0} GRANT SELECT ON TABLES TO {role}", "ALTER SCHEMA {0} OWNER TO {role}")),
    (8, "SELECT 1", (
        "CREATE SCHEMA {new}", "CREATE TABLE {schema}.{new} (id serial PRIMARY KEY, a {type}, b text DEFAULT 'x' NOT NULL)",
        "CREATE TABLE {schema}.{new} (a int, b int) PARTITION BY RANGE (a)", "CREATE TYPE {schema}.{new} AS ENUM ('a', 'b')",
        "CREATE TYPE {schema}.{new} AS (x int, y text)", "CREATE TYPE {schema}.{new} AS RANGE (subtype = integer)",
        "CREATE DOMAIN {schema}.{new} AS text CHECK (VALUE <> '') DEFAULT 'd'", "CREATE SEQUENCE {schema}.{new} INCREMENT 3 START 9",
        "CREATE FUNCTION {schema}.{new}(a int, b int DEFAULT 3) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b'",
        "CREATE PROCEDURE {schema}.{new}(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END'",
        "CREATE AGGREGATE {schema}.{new} (int) (sfunc = int4pl, stype = int, initcond = '0')",
        "CREATE OPERATOR {schema}.<+> (leftarg = date, rightarg = date, function = date_eq)",
        "CREATE COLLATION {schema}.{new} (provider = libc, locale = 'C')", "CREATE PUBLICATION {new} FOR TABLE public.onek",
        "CREATE PUBLICATION {new} FOR ALL TABLES", "CREATE TEXT SEARCH CONFIGURATION {schema}.{new} (COPY = pg_catalog.simple)",
        "CREATE TEXT SEARCH DICTIONARY {schema}.{new} (TEMPLATE = pg_catalog.simple)", "CREATE FOREIGN DATA WRAPPER {new}",
        "CREATE VIEW {schema}.{new} AS SELECT 1 AS one", "CREATE CONVERSION {schema}.{new} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role}",
        "CREATE OPERATOR FAMILY {schema}.{new} USING btree", "CREATE CAST (integer AS inet) WITHOUT FUNCTION",
        "CREATE OPERATOR CLASS {schema}.{new} FOR TYPE integer USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, "
        "OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)", "CREATE ACCESS METHOD {new} TYPE TABLE HANDLER heap_tableam_handler")),
)


def statement(rng, template, row, number, schemas):
    if template in ("DROP", "COMMENT"):
        kind, identity = row
        words = WORDS.get(kind, kind.upper())
        if not words:
            return None
        return f"DROP {words} {identity}" if template == "DROP" else f"COMMENT ON {words} {identity} IS 'changed {number}'"
    if template == "BODY":
        head, begin, body = row[0].partition("BEGIN") if "BEGIN" in row[0] else row[0].partition("begin")
        return f"{head}{begin} PERFORM {number};{body}" if begin else None
    values = {"new": f"zz{number}", "type": rng.choice(TYPES), "role": rng.choice(ROLES), "schema": rng.choice(schemas)}
    return template.format(*row, **values)


def change(connection, seed, wanted=100):
    rng = random.Random(seed)
    done = []
    with connection.cursor() as cursor:
        def ask(sql):
            cursor.execute(sql)
            return sorted(cursor.fetchall(), key=str)

        cursor.execute("SET search_path = ''; SET client_min_messages = error; SET lock_timeout = '2s'; SET statement_timeout = '20s'")
        for number in range(wanted * 30):
            if len(done) == wanted:
                break
            _, query, templates = rng.choices(RULES, [weight for weight, _, _ in RULES])[0]
            schemas = [x[0] for x in ask(f"SELECT quote_ident(nspname) FROM pg_namespace n WHERE {OWN}")]
            rows = ask(query)
            if not rows:
                continue
            of = rng.choice(sorted({row[0] for row in rows}, key=str))  # a table first, then a column
            row = rng.choice([row for row in rows if row[0] == of])
            sql = statement(rng, rng.choice(templates), row, number, schemas)
            if not sql or "public.onek" in sql and sql.startswith("DROP"):
                continue
            try:
                cursor.execute(sql)
                done.append(sql)
            except psycopg2.Error:
                pass
    return done
