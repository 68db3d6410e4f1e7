#!/usr/bin/python3
"""Back up and restore made databases: what comes back is what was there, or the backup was refused.

usage: tests/compat/backup_compare.py [options]

Each case is a database with objects of all kinds (catalogs.py), rows that are hard to carry, some of
the pieces below, in some encoding, under settings of its role or database that change how values are
printed; backed up by pg_dump (as old as the server, or newer) or by Aramid's own dump, in some form;
then restored beside it. Rows, sequences, large objects and catalogs must be the same, and pg_dump must
see no difference, where one is new enough.

--count N      number of cases (default: 500)
--first N      begin with case number N of the series
--seed TEXT    another series
--server N     only this major version of PostgreSQL (default: 15 and 18 in turn)
--show N       describe the first N failures (default: 5)

Exit status: 0 when all come back or are refused, 1 otherwise.
"""

import argparse
import collections
import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile

import psycopg2

import catalogs

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness import aramid, everything, wait  # noqa: E402
from harness.cluster import Database, Server, bindir_of, client_tool, newer_pg_dump  # noqa: E402

MAJORS = (15, 18)
ROLE = "bc_dumper"
ENCODINGS = ["UTF8"] * 6 + ["LATIN1", "LATIN9", "EUC_JP", "SQL_ASCII", "SQL_ASCII", "WIN1252"]
SETTINGS = (
    "bytea_output = 'escape'", "array_nulls = off", "quote_all_identifiers = on", "DateStyle = 'SQL, DMY'", "DateStyle = 'German'",
    "DateStyle = 'Postgres, YMD'", "IntervalStyle = 'sql_standard'", "IntervalStyle = 'iso_8601'", "extra_float_digits = -15",
    "extra_float_digits = 3", "standard_conforming_strings = off", "TimeZone = 'Asia/Kolkata'", "transform_null_equals = on",
    "xmloption = 'document'", "default_transaction_isolation = 'serializable'", "search_path = app, pg_temp", "search_path = ''",
    "client_encoding = 'LATIN1'", "client_encoding = 'SQL_ASCII'", "client_min_messages = 'debug1'", "row_security = off",
    "default_table_access_method = 'heap'", "default_tablespace = ''", "check_function_bodies = off", "escape_string_warning = off",
    "default_toast_compression = 'pglz'", "session_replication_role = 'replica'", "statement_timeout = '30s'", "lock_timeout = '5s'",
    "idle_in_transaction_session_timeout = '1s'", "default_transaction_read_only = on", "backslash_quote = off",
    "timezone_abbreviations = 'Australia'", "synchronize_seqscans = off", "enable_seqscan = off", "plpgsql.extra_errors = 'all'",
    "vacuum_freeze_min_age = 5", "default_with_oids = off", "default_statistics_target = 7", "createrole_self_grant = ''",
    "transaction_timeout = '30s'", "role = 'rt_owner'")

# Statements that a server may refuse (encodings, versions): then the database goes without them.
PIECES = {
    "hash by enum": """CREATE TYPE bc_mood AS ENUM ('sad', 'ok', 'fine');
        CREATE TABLE bc_ph (m bc_mood, n int) PARTITION BY HASH (m);
        CREATE TABLE bc_ph0 PARTITION OF bc_ph FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE bc_ph1 (n int, gone int, m bc_mood);
        ALTER TABLE bc_ph1 DROP gone;
        ALTER TABLE bc_ph ATTACH PARTITION bc_ph1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO bc_ph SELECT m, i FROM unnest(enum_range(NULL::bc_mood)) m, generate_series(1, 9) i""",
    "hash by text under hash": """CREATE TABLE bc_pt (t text, m int) PARTITION BY LIST (m);
        CREATE TABLE bc_pt1 PARTITION OF bc_pt FOR VALUES IN (1, 2) PARTITION BY HASH (t);
        CREATE TABLE bc_pt1a PARTITION OF bc_pt1 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE bc_pt1b PARTITION OF bc_pt1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE bc_pt1c PARTITION OF bc_pt1 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        CREATE TABLE bc_ptd PARTITION OF bc_pt DEFAULT;
        CREATE INDEX ON bc_pt (t);
        INSERT INTO bc_pt SELECT md5(i::text), i % 4 FROM generate_series(1, 40) i""",
    "partitions with identity and generated": """CREATE TABLE bc_pi (id int GENERATED ALWAYS AS IDENTITY, k int,
            g int GENERATED ALWAYS AS (k * 2) STORED) PARTITION BY RANGE (k);
        CREATE TABLE bc_pi1 PARTITION OF bc_pi FOR VALUES FROM (0) TO (10);
        CREATE TABLE bc_pi2 PARTITION OF bc_pi FOR VALUES FROM (10) TO (20);
        INSERT INTO bc_pi (k) SELECT i % 20 FROM generate_series(1, 30) i""",
    "partition by a function": """CREATE FUNCTION zz_bc_key(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 3';
        CREATE TABLE bc_pf (a int) PARTITION BY LIST (zz_bc_key(a));
        CREATE TABLE bc_pf1 PARTITION OF bc_pf FOR VALUES IN (0, 1); CREATE TABLE bc_pf2 PARTITION OF bc_pf DEFAULT;
        INSERT INTO bc_pf SELECT generate_series(1, 9)""",
    "domains with functions": """CREATE FUNCTION zz_bc_code(v text) RETURNS bool LANGUAGE sql IMMUTABLE AS
            $$SELECT v ~ '^[A-Z]{3}$'$$;
        CREATE DOMAIN bc_code AS text CHECK (zz_bc_code(VALUE)) DEFAULT 'ABC';
        CREATE DOMAIN bc_codes AS bc_code[] CHECK (array_length(VALUE, 1) < 9);
        CREATE TYPE bc_pair AS (a bc_code, b int);
        CREATE FUNCTION zz_bc_ok(bc_pair[]) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS NOT NULL';
        CREATE DOMAIN bc_pairs AS bc_pair[] CONSTRAINT "odd name's" CHECK (zz_bc_ok(VALUE)) NOT NULL;
        CREATE TABLE bc_dom (c bc_code, cs bc_codes, p bc_pairs DEFAULT '{}', CHECK (zz_bc_code(c)));
        ALTER DOMAIN bc_code ADD CONSTRAINT later CHECK (VALUE <> 'XYZ') NOT VALID;
        INSERT INTO bc_dom VALUES (DEFAULT, '{ABC,DEF}', ARRAY[('ABC', 1)::bc_pair]), (NULL, NULL, '{}')""",
    "values": """CREATE TABLE bc_v (id int PRIMARY KEY, b bytea, a text[], n text, f float8, r real, d date, i interval,
            at timestamptz, ts timestamp, m money, x xml, h bytea[], rs tstzrange, fa float8[]);
        INSERT INTO bc_v VALUES (1, '\\xdead005c27', ARRAY['NULL', NULL, 'x', '', '{,}'], 'x', 0.1::float8 + 0.2, 1e-45, '2026-02-01',
            '-1 day -02:03:04', '2026-02-01 10:00+00', '0044-03-15 BC', 12.5, '<a/>', ARRAY['\\x005c'::bytea, NULL],
            '[2026-01-01 00:00+00,)', ARRAY[0.1::float8, 'NaN', NULL]),
            (2, '\\x', '{}', E'a\\\\b\\'c\\n\\t\\r\\\\.', 'NaN', '-0', 'infinity', '1 year 2 mons', NULL, '-infinity', -3, 'x<b/>y', '{}',
            'empty', '{}');
        CREATE VIEW bc_w AS SELECT id, d = '2026-02-01'::date AS today, '\\x00ff'::bytea AS x, '1 mon 2 days'::interval AS i FROM bc_v
            WHERE n <> E'q\\\\' AND f > 0.30000000000000004;
        ALTER TABLE bc_v ADD CHECK (d > '1999-12-31'::date), ADD CHECK (at < '2030-01-01 00:00+05:30'), ADD CHECK (n <> E'\\\\');
        CREATE INDEX ON bc_v (id) WHERE ts > '2026-03-04 05:06:07'""",
    "accents": "CREATE TABLE \"bc_é\" (\"ü\" text); INSERT INTO \"bc_é\" VALUES ('äöüß'), ('é'); COMMENT ON TABLE \"bc_é\" IS 'ñ'",
    "beyond latin": "CREATE TABLE \"bc_日本\" (\"列\" text DEFAULT '値'); INSERT INTO \"bc_日本\" VALUES ('日本語'), (DEFAULT)",
    "odd bytes": r"CREATE TABLE bc_raw (id int, v text); INSERT INTO bc_raw VALUES (1, E'\xe4\xff'), (2, E'\xfe\x80\\'), (3, E'\xc3\xa4')",
    "odd names": r"""DO $x$ BEGIN EXECUTE format('CREATE TABLE %I (id int, %I text)', E'bc_\xe4', E'c\xff');
        EXECUTE format('INSERT INTO %I VALUES (1, %L)', E'bc_\xe4', E'\xe4');
        EXECUTE format('COMMENT ON TABLE %I IS %L', E'bc_\xe4', E'\xff'); END $x$""",
    "large objects": """SELECT lo_from_bytea(81001, decode(repeat('00ff5c27', 3000), 'hex')), lo_from_bytea(81002, '');
        COMMENT ON LARGE OBJECT 81001 IS 'it''s'; GRANT SELECT ON LARGE OBJECT 81002 TO PUBLIC;
        CREATE TABLE bc_lo (o oid); INSERT INTO bc_lo VALUES (81001)""",
    "sequences": """CREATE SEQUENCE bc_s INCREMENT -3 MAXVALUE 50 MINVALUE -50 START 7 CYCLE CACHE 4; SELECT nextval('bc_s');
        CREATE SEQUENCE bc_s2 AS smallint; SELECT setval('bc_s2', 32767, true); CREATE SEQUENCE bc_s3; SELECT setval('bc_s3', 9, false);
        CREATE UNLOGGED TABLE bc_u (id bigserial PRIMARY KEY, other serial); INSERT INTO bc_u DEFAULT VALUES;
        ALTER SEQUENCE bc_u_other_seq OWNED BY NONE; ALTER SEQUENCE bc_u_id_seq RENAME TO "bc ""seq"" "; """,
    "generated": """CREATE TABLE bc_g (a int, b int GENERATED ALWAYS AS (a + 1) STORED, t text GENERATED ALWAYS AS ('x' || a::text) STORED);
        INSERT INTO bc_g VALUES (1), (NULL); CREATE TABLE bc_g2 (LIKE bc_g INCLUDING ALL); INSERT INTO bc_g2 VALUES (7)""",
    "virtual": """CREATE TABLE bc_vi (a int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT ne CHECK (a > 5) NOT ENFORCED);
        INSERT INTO bc_vi VALUES (1), (9);
        CREATE TABLE bc_nn (a int CONSTRAINT must NOT NULL, b int, c int CONSTRAINT here NOT NULL NO INHERIT);
        ALTER TABLE bc_nn ADD CONSTRAINT later NOT NULL b NOT VALID; CREATE TABLE bc_nk (d int) INHERITS (bc_nn);
        INSERT INTO bc_nk VALUES (1, 2, NULL, 3); COMMENT ON CONSTRAINT must ON bc_nn IS 'why'""",
    "inheritance": """CREATE TABLE bc_base (a int DEFAULT 1, b text NOT NULL, CHECK (a > 0)); CREATE TABLE bc_d1 (c int) INHERITS (bc_base);
        CREATE TABLE bc_d2 (b text DEFAULT 'own', a int) INHERITS (bc_d1); ALTER TABLE bc_d2 ALTER a SET DEFAULT 2;
        INSERT INTO bc_base VALUES (1, 'x'); INSERT INTO bc_d1 VALUES (2, 'y', 3); INSERT INTO bc_d2 (b) VALUES ('z')""",
    "circular keys": """CREATE TABLE bc_k1 (id int PRIMARY KEY, o int); CREATE TABLE bc_k2 (id int PRIMARY KEY, o int REFERENCES bc_k1);
        INSERT INTO bc_k1 VALUES (1, 1); INSERT INTO bc_k2 VALUES (1, 1);
        ALTER TABLE bc_k1 ADD FOREIGN KEY (o) REFERENCES bc_k2 DEFERRABLE INITIALLY DEFERRED; INSERT INTO bc_k1 VALUES (2, NULL);
        ALTER TABLE bc_k2 ADD CONSTRAINT un CHECK (id < 0) NOT VALID; CREATE TABLE bc_self (id int PRIMARY KEY, up int REFERENCES bc_self);
        INSERT INTO bc_self VALUES (1, 2), (2, NULL)""",
    "triggers on rows": """CREATE FUNCTION bc_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := coalesce(NEW.n, 0) + 1; RETURN NEW;
        END $$; CREATE TABLE bc_tr (id int, n int); INSERT INTO bc_tr VALUES (1, 5), (2, NULL);
        CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON bc_tr FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION bc_touch();
        ALTER TABLE bc_tr ENABLE ALWAYS TRIGGER touch; CREATE RULE bc_r AS ON INSERT TO bc_tr WHERE NEW.id > 99 DO INSTEAD NOTHING""",
    "row security": """CREATE TABLE bc_rls (id int, who name); INSERT INTO bc_rls VALUES (1, 'a'), (2, 'b');
        ALTER TABLE bc_rls ENABLE ROW LEVEL SECURITY; ALTER TABLE bc_rls FORCE ROW LEVEL SECURITY;
        CREATE POLICY p ON bc_rls USING (who = current_user); CREATE POLICY q ON bc_rls FOR INSERT TO rt_reader WITH CHECK (id > 1)""",
    "materialized views": """CREATE TABLE bc_m (i int); INSERT INTO bc_m SELECT generate_series(1, 9);
        CREATE MATERIALIZED VIEW bc_z AS SELECT sum(i) AS s FROM bc_m; CREATE MATERIALIZED VIEW bc_a AS SELECT s * 2 AS d FROM bc_z;
        CREATE UNIQUE INDEX ON bc_a (d); CREATE MATERIALIZED VIEW bc_none AS SELECT * FROM bc_a WITH NO DATA;
        CREATE RECURSIVE VIEW bc_rec (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM bc_rec WHERE n < 5""",
    "default privileges": """ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO rt_reader;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; CREATE TABLE bc_dp (id int);
        GRANT INSERT (id) ON bc_dp TO rt_reader WITH GRANT OPTION; REVOKE ALL ON bc_dp FROM CURRENT_USER""",
    "publications": """CREATE TABLE bc_pub (id int PRIMARY KEY, v text); CREATE PUBLICATION bc_p FOR TABLE bc_pub WITH (publish = 'insert');
        CREATE PUBLICATION bc_all FOR ALL TABLES; ALTER TABLE bc_pub REPLICA IDENTITY FULL""",
    "statistics": """CREATE TABLE bc_st (a int, b int); INSERT INTO bc_st SELECT i % 3, i % 3 FROM generate_series(1, 30) i;
        CREATE STATISTICS bc_stat (dependencies) ON a, b FROM bc_st; ALTER TABLE bc_st ALTER a SET STATISTICS 77; ANALYZE bc_st""",
    "event trigger": """CREATE FUNCTION bc_evt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF tg_tag = 'DROP VIEW' THEN
        RAISE EXCEPTION 'no'; END IF; END $$; CREATE EVENT TRIGGER bc_e ON ddl_command_start EXECUTE FUNCTION bc_evt()""",
    "atomic functions": """CREATE TABLE bc_at (id int PRIMARY KEY, v text); INSERT INTO bc_at VALUES (1, 'a');
        CREATE FUNCTION bc_rows() RETURNS SETOF bc_at LANGUAGE sql BEGIN ATOMIC SELECT id, v FROM bc_at GROUP BY id; END;
        CREATE VIEW bc_va AS SELECT * FROM bc_rows(); CREATE PROCEDURE bc_pr(INOUT a int) LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END""",
    "aggregate": "CREATE AGGREGATE bc_total(int) (sfunc = int4pl, stype = int)",
    "range type": "CREATE TYPE bc_span AS RANGE (subtype = float8, subtype_diff = float8mi); CREATE TABLE bc_sp (s bc_span)",
    "collation": "CREATE COLLATION bc_c (locale = 'C'); CREATE TABLE bc_co (t text COLLATE bc_c)",
    "no columns": "CREATE TABLE bc_nc (); INSERT INTO bc_nc SELECT FROM generate_series(1, 3); CREATE TABLE bc_og (a int GENERATED ALWAYS AS (5) STORED); INSERT INTO bc_og DEFAULT VALUES",
    "long rows": "CREATE TABLE bc_long (t text, j jsonb); INSERT INTO bc_long SELECT repeat(md5(i::text) || E'\\t\\\\', 9000), jsonb_build_object('k', repeat('v', 70000)) FROM generate_series(1, 4) i",
    "dropped columns": "CREATE TABLE bc_dc (a int, b int, c text); ALTER TABLE bc_dc DROP b, ADD d int DEFAULT 5, ALTER c TYPE varchar(9); INSERT INTO bc_dc VALUES (1, 'x')",
    "without overlaps": """CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE TABLE bc_wo (r int, d daterange, PRIMARY KEY (r, d WITHOUT OVERLAPS));
        INSERT INTO bc_wo VALUES (1, '[2026-01-01,2026-02-01)')""",
    "prepared names": "CREATE TABLE \"bc ; -- \\ $$ '\" (\"a\tb\" int, \"COPY x FROM stdin;\" text DEFAULT '$tag$'); INSERT INTO \"bc ; -- \\ $$ '\" VALUES (1, E'\\\\.')",
    "owned by others": """CREATE SCHEMA bc_own AUTHORIZATION rt_owner; CREATE TABLE bc_own.t (id serial PRIMARY KEY); ALTER TABLE bc_own.t OWNER TO rt_owner;
        INSERT INTO bc_own.t DEFAULT VALUES; CREATE VIEW bc_own.v AS SELECT * FROM bc_own.t; ALTER VIEW bc_own.v OWNER TO rt_reader; GRANT ALL ON bc_own.t TO rt_reader""",
}
EXTENSIONS = {
    "citext": "CREATE TABLE bc_ci (v citext UNIQUE); INSERT INTO bc_ci VALUES ('AbC')",
    "hstore": "CREATE TABLE bc_hs (v hstore); INSERT INTO bc_hs VALUES ('a=>NULL, \"b c\"=>\"d\\\\e\"')",
    "ltree": "CREATE TABLE bc_lt (v ltree); INSERT INTO bc_lt VALUES ('a.b.c'); CREATE INDEX ON bc_lt USING gist (v)",
    "pg_trgm": "CREATE TABLE bc_tg (v text); INSERT INTO bc_tg VALUES ('abc'); CREATE INDEX ON bc_tg USING gin (v gin_trgm_ops)",
    "intarray": "CREATE TABLE bc_ia (v int[]); INSERT INTO bc_ia VALUES ('{1,2}'); CREATE INDEX ON bc_ia USING gist (v gist__int_ops)",
    "cube": "CREATE TABLE bc_cu (v cube); INSERT INTO bc_cu VALUES ('(1.1,2),(3,4)')",
    "isn": "CREATE TABLE bc_is (v isbn); INSERT INTO bc_is VALUES ('978-0-393-04002-9')",
    "seg": "CREATE TABLE bc_sg (v seg); INSERT INTO bc_sg VALUES ('1.10 .. 2'), ('<5')",
    "pgcrypto": "CREATE TABLE bc_pc (v uuid DEFAULT gen_random_uuid(), d text DEFAULT md5('x'))",
    "unaccent": "CREATE FUNCTION bc_un(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'",
    "tablefunc": "", "fuzzystrmatch": "", "pg_stat_statements": "", "btree_gin": "", "uuid-ossp": "", "earthdistance": "",
    "postgres_fdw": "CREATE SERVER bc_srv FOREIGN DATA WRAPPER postgres_fdw",
}
VALUES = {
    "text": ["x", "", "it's", "a\\b\tc\nd", "NULL", "\\."], "character varying": ["v", "\\N"], "character": ["c"], "integer": ["1", "-7"],
    "bigint": ["9223372036854775807"], "smallint": ["3"], "numeric": ["1.50", "NaN"], "boolean": ["t"], "double precision": ["0.1", "-0", "Infinity"],
    "real": ["1e-45"], "bytea": ["\\x00ff5c"], "date": ["2026-02-03", "infinity"], "timestamp without time zone": ["2026-02-03 04:05:06.7"],
    "timestamp with time zone": ["2026-02-03 04:05:06.7+02"], "interval": ["-1 day 02:03", "1 year"], "json": ['{"a" : "\\\\"}'], "jsonb": ["[null]"],
    "uuid": ["00112233-4455-6677-8899-aabbccddeeff"], "money": ["3"], "xml": ["<a/>"], "inet": ["::1/64"], "text[]": ['{NULL,"NULL",""}'],
    "integer[]": ["{1,NULL}", "[0:1]={5,6}"], "int4range": ["[1,5)"], "time without time zone": ["24:00"], "point": ["(1,NaN)"], "tsvector": ["a:1"],
}


class Failure(Exception):
    """What went wrong, in words."""


class Refused(Exception):
    """No backup was made, in Aramid's words."""


def execute(db, statements):
    with contextlib.closing(db.connect()) as connection, connection.cursor() as cursor:
        for sql in statements:
            with contextlib.suppress(psycopg2.Error, UnicodeError):
                cursor.execute(sql)


def fill(db, dice):
    """Rows for the tables of catalogs.py, where checks and keys let them in."""
    tables = db.sql("SELECT c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum), array_agg(format_type(a.atttypid, NULL) "
                    "ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 "
                    "AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a' AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, "
                    "'information_schema'::regnamespace) GROUP BY c.oid ORDER BY c.oid")
    statements = []
    for table, columns, types in tables:
        for _ in range(4):
            values = [f"E{psycopg2.extensions.adapt(dice.choice(VALUES[t])).getquoted().decode().lstrip('E')}" if t in VALUES and dice.random() < 0.8
                      else "DEFAULT" for t in types]
            statements.append(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(values)})")
        statements.append(f"INSERT INTO {table} DEFAULT VALUES")
    execute(db, statements)


def refresh(db):
    """A dump has no rows of materialized views: what they hold is what they would hold anew."""
    for name in db.column("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND relispopulated ORDER BY oid"):
        try:
            db.sql(f"REFRESH MATERIALIZED VIEW {name}")
        except psycopg2.errors.UndefinedTable:  # went with another
            pass
        except psycopg2.Error:
            db.sql(f"DROP MATERIALIZED VIEW {name} CASCADE")


class Campaign:
    """A server of each version, and the cases on them."""

    def __init__(self, seed, major=None):
        self.seed, self.majors = seed, (major,) if major else MAJORS
        self.servers = {}
        self.refused = collections.Counter()
        self.ways = collections.Counter()

    def server(self, major):
        if major not in self.servers:
            server = Server(bindir_of(major)).start()
            server.admin(f"CREATE ROLE {ROLE} LOGIN SUPERUSER")
            for role in catalogs.ROLES:
                server.admin(f"CREATE ROLE {catalogs.q(role)}")
            self.servers[major] = server
        return self.servers[major]

    def close(self):
        for server in self.servers.values():
            server.remove()

    def ways_of(self, major):
        """(method, folder of pg_dump)"""
        ways = [("native", None), ("native", None)]
        if major <= 15:
            ways.append(("pg_dump", None))
        return ways + [("pg_dump", newer_pg_dump(n)) for n in (17, 18) if n >= major and newer_pg_dump(n)]

    def make(self, dice, number, server, encoding):
        name = f"bc{number}"
        server.admin(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
        db = Database(server, name)
        statements = catalogs.catalog(self.seed, number, server.major) if dice.random() < 0.7 else []
        # Default privileges first would change what the others have.
        names = dice.sample(sorted(PIECES), dice.randrange(3, 12))
        if dice.random() < 0.5:  # what our own dump refuses makes no more cases than needed
            names = [n for n in names if n not in ("aggregate", "range type", "collation")]
        extensions = dice.sample(sorted(EXTENSIONS), dice.choice((0, 0, 1, 3)))
        if encoding == "SQL_ASCII" and dice.random() < 0.8:
            names = [n for n in names if n != "odd bytes"] + ["odd bytes"]
        execute(db, statements)
        if statements:
            fill(db, dice)
        for extension in extensions:
            execute(db, [f'CREATE EXTENSION IF NOT EXISTS "{extension}" CASCADE', EXTENSIONS[extension] or "SELECT 1"])
        for piece in names:
            execute(db, [PIECES[piece]])  # one message: all of it, or nothing
        refresh(db)
        return db, names + extensions

    def settings(self, dice, db):
        chosen = dice.sample(SETTINGS, dice.randrange(0, 7))
        where = dice.choice((f"DATABASE {db.name}", f"ROLE {ROLE} IN DATABASE {db.name}"))
        for setting in chosen:
            with contextlib.suppress(psycopg2.Error):  # of other versions
                db.server.admin(f"ALTER {where} SET {setting}")
        return [where.split()[0].lower(), *chosen]

    def check(self, number):
        dice = random.Random(f"{self.seed}:{number}")
        major = self.majors[number % len(self.majors)]
        server = self.server(major)
        method, tools = dice.choice(self.ways_of(major))
        form = dice.choice(("sql", "sql.zst", "dump") if method == "pg_dump" else ("sql", "sql.zst"))
        encoding = dice.choice(ENCODINGS)
        db, pieces = self.make(dice, number, server, encoding)
        settings = self.settings(dice, db)
        case = f"case {number}: PostgreSQL {major}, {encoding}, {method} {tools or ''} {form}, {pieces}, settings of {settings}"
        self.ways[f"{major} {method}{' ' + tools.split('/')[-2] if tools else ''}"] += 1
        copy = Database(server, f"bc{number}_copy")
        try:
            with tempfile.TemporaryDirectory() as folder:
                self.carry(db, copy, method, form, {"ARAMID_BACKUP_BIN": tools} if tools else {}, folder)
            with as_is(encoding):
                self.compare(db, copy)
        except Failure as failure:
            raise Failure(f"{case}\n{failure}") from None
        finally:
            copy.drop()
            db.drop()

    def carry(self, db, copy, method, form, env, folder):
        url = db.url(user=ROLE)
        result = aramid.run("backup", "--url", url, "--method", method, "--format", form, cwd=folder, env=env)
        if result.rc:
            words = [line for line in result.err.splitlines() if line.startswith(("error:", "  "))][:2]
            self.refused[re.sub(r"\d+", "N", f"{result.rc} {' '.join(words)}")] += 1
            raise Refused(result)
        result = aramid.run("restore", "--url", url, "--name", copy.name, "--json", cwd=folder, env=env)
        if result.rc:
            raise Failure(result)
        if result.json["notCompared"] or (result.json["comparedByCount"]):
            raise Failure(f"not compared: {result.json['notCompared']}, {result.json['comparedByCount']}")
        for each in (db, copy):
            each.server.admin(f"ALTER DATABASE {each.name} RESET ALL")

    def compare(self, db, copy):
        # Where the rows of an enum's hashes go is the server's affair; privileges have no order, pg_dump tells them.
        besides = ("bc_ph0: ", "bc_ph1: ", "schemas: ", "- privilege: ", "+ privilege: ")
        lines = [line for line in everything.differences(db, copy) if not line.startswith(besides)]
        texts = collections.Counter("".join(sorted(line[2:])) for line in lines if "policy: " in line)
        lines = [line for line in lines if texts["".join(sorted(line[2:]))] != 2]  # roles in another order
        if lines:
            raise Failure("\n".join(lines)[:1500])
        program = newer_pg_dump(18) or (client_tool("pg_dump") if db.server.major <= 15 else None)
        if program:
            dumps = [subprocess.run([os.path.join(program, "pg_dump") if os.path.isdir(program) else program, "--schema-only", x.url(tcp=False)],
                                    check=True, stdout=subprocess.PIPE, timeout=wait.PATIENCE).stdout.splitlines() for x in (db, copy)]
            mine, other = ([line for line in dump if line and not line.startswith((b"--", b"\\"))] for dump in dumps)
            if sorted(mine) != sorted(other):
                raise Failure("pg_dump sees a difference\n" + "\n".join(
                    [f"- {line}" for line in mine if line not in other] + [f"+ {line}" for line in other if line not in mine])[:1500])


@contextlib.contextmanager
def as_is(encoding):
    """Texts of databases without an encoding are read byte by byte."""
    if encoding == "SQL_ASCII":
        os.environ["PGCLIENTENCODING"] = "LATIN1"
    try:
        yield
    finally:
        os.environ.pop("PGCLIENTENCODING", None)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", default="aramid")
    parser.add_argument("--server", type=int)
    parser.add_argument("--show", type=int, default=5)
    args = parser.parse_args()
    campaign = Campaign(args.seed, args.server)
    failures = refused = 0
    try:
        for number in range(args.first, args.first + args.count):
            try:
                campaign.check(number)
            except Refused:
                refused += 1
            except Failure as failure:
                failures += 1
                if failures <= args.show:
                    print(f"{failure}\n", flush=True)
    finally:
        campaign.close()
    print(f"{args.count} databases: {args.count - refused - failures} came back, {refused} refused, {failures} failed")
    for kind, counter in (("by", campaign.ways), ("refused:", campaign.refused)):
        for what, n in counter.most_common():
            print(f"    {kind} {what}: {n}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
