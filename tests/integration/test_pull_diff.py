"""What `aramid pull` writes is what is there: `aramid diff` between the two is empty, however little
of the database Prisma's language can say; what it can say is still compared."""

import glob
import os
import re

import pytest

from harness import aramid
from harness.cluster import REPO
from harness.project import Project

GOLDEN = os.path.join(REPO, "tests", "golden", "pull")
CASES = sorted(os.path.basename(path) for path in glob.glob(os.path.join(GOLDEN, "*")))
EMPTY = 'datasource db {\n  provider = "postgresql"\n}\n'


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    project.write("prisma/schema.prisma", EMPTY)
    return project


def pull(project, db, *args):
    result = aramid.run("pull", "--url", db.url(), "--print", *args, cwd=project.path)
    assert result.rc == 0, result
    project.write("prisma/schema.prisma", result.out)
    return result.out


def diff(project, db, *args):
    return aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", *args,
                      cwd=project.path)


def assert_same(project, db):
    result = diff(project, db, "--script", "--exit-code")
    assert result.rc == 0, result


def beside(case, name, otherwise=""):
    path = os.path.join(GOLDEN, case, name)
    if not os.path.exists(path):
        return otherwise
    with open(path, encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("case", CASES)
def test_golden(case, db, project):
    since = re.match(r"-- since (\d+)", beside(case, "input.sql"))
    if since and db.server.major < int(since[1]):
        pytest.skip(f"needs PostgreSQL {since[1]}")
    if case == "odd-types":
        pytest.skip("names a type of a schema that is not pulled")
    db.sql(beside(case, "input.sql"))
    project.write("prisma/schema.prisma", beside(case, "previous.prisma", EMPTY))
    pull(project, db, *beside(case, "args").split())
    assert_same(project, db)


# Each with what the language has no words for.
UNSAID = {
    "now": "CREATE TABLE t (id int PRIMARY KEY, a timestamp(3) DEFAULT now(), b timestamptz DEFAULT"
           " CURRENT_TIMESTAMP, c date DEFAULT now(), d timetz DEFAULT now())",
    "precision": "CREATE TABLE t (id int PRIMARY KEY, a timestamp, b timestamptz, c time, d timetz,"
                 " e timestamp(6), f timestamptz(0)[], g timestamp[], h \"char\", i bpchar)",
    "literals": "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (id int PRIMARY KEY, a numeric"
                " DEFAULT 1000, b numeric DEFAULT '1000', c numeric(9,2) DEFAULT 1e3, d bigint"
                " DEFAULT '5', e float8 DEFAULT 1e10, f real DEFAULT '-1.50', g text DEFAULT"
                " 'x'::varchar, h varchar(3) DEFAULT 'x'::text, i text DEFAULT NULL::varchar,"
                " j smallint DEFAULT -3, k boolean DEFAULT 't', l mood DEFAULT 'sad'::text::mood,"
                " m money DEFAULT 5, n bigint[] DEFAULT '{1,-2}', o boolean[] DEFAULT '{t,f}',"
                " p text DEFAULT E'a\\nb\\\\'::varchar, q jsonb DEFAULT '{\"a\": 1}'::json)",
    "include": "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE); CREATE INDEX i ON t (a)"
               " INCLUDE (id); CREATE UNIQUE INDEX u ON t (a, id) INCLUDE (a)",
    "index order": "CREATE TABLE t (id int PRIMARY KEY, a int, b text); CREATE INDEX i ON t"
                   " (a NULLS FIRST); CREATE INDEX j ON t (a DESC NULLS LAST);"
                   ' CREATE INDEX k ON t (b COLLATE "C"); CREATE UNIQUE INDEX l ON t (b'
                   " text_pattern_ops); CREATE INDEX m ON t (a)",
    "storage": "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, a int) WITH (fillfactor=70);"
               " CREATE INDEX i ON t (a) WITH (fillfactor=50); ALTER TABLE t ADD UNIQUE (a)"
               " DEFERRABLE",
    "no columns": "CREATE TABLE t (); CREATE TABLE u (id int PRIMARY KEY)",
    "partitions": "CREATE TABLE t (id int, d date NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE"
                  " (d); CREATE TABLE t1 PARTITION OF t DEFAULT; CREATE INDEX i ON t (d)",
    "inheritance": "CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x');"
                   " CREATE TABLE u (b int UNIQUE NOT NULL) INHERITS (t)",
    "foreign keys": "CREATE TABLE t (id int PRIMARY KEY, big bigint UNIQUE);"
                    " CREATE TABLE u (id int PRIMARY KEY REFERENCES t (big), t_id int,"
                    " CONSTRAINT b FOREIGN KEY (t_id) REFERENCES t ON DELETE CASCADE,"
                    " CONSTRAINT a FOREIGN KEY (t_id) REFERENCES t ON DELETE CASCADE,"
                    " CONSTRAINT c FOREIGN KEY (t_id) REFERENCES t ON UPDATE CASCADE DEFERRABLE)",
    "join table": "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
                  ' CREATE TABLE "_aTob" ("A" int NOT NULL REFERENCES a ON DELETE CASCADE ON UPDATE'
                  ' CASCADE, "B" int NOT NULL REFERENCES b ON DELETE CASCADE ON UPDATE CASCADE);'
                  ' CREATE UNIQUE INDEX "_aTob_AB_unique" ON "_aTob" ("A", "B");'
                  ' CREATE INDEX "_aTob_B_index" ON "_aTob" ("B")',
    "generated": "CREATE TABLE t (id int PRIMARY KEY, a int GENERATED ALWAYS AS (id + 1) STORED,"
                 " b text GENERATED ALWAYS AS ('x') STORED NOT NULL)",
    "domains": "CREATE DOMAIN d AS varchar(9) DEFAULT 'q' CHECK (VALUE <> ''); CREATE DOMAIN e AS d"
               " NOT NULL; CREATE DOMAIN l AS int[]; CREATE TABLE t (id e PRIMARY KEY, a d DEFAULT"
               " 'x', b d[], c l)",
    "sequences": "CREATE SEQUENCE s START 7; CREATE SEQUENCE t_e_seq INCREMENT 3 CACHE 9; CREATE"
                 " TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 5) PRIMARY KEY, b bigint"
                 " GENERATED BY DEFAULT AS IDENTITY, c int NOT NULL DEFAULT nextval('s'), d bigint"
                 " DEFAULT nextval('s') + 1, e bigint NOT NULL DEFAULT nextval('t_e_seq'), f serial)",
    "own functions and types": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE"
                               " TYPE c AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY"
                               " DEFAULT f(), c c, ci c[])",
}


@pytest.mark.parametrize("kind", UNSAID)
def test_what_cannot_be_said_is_no_difference(kind, db, project):
    db.sql(UNSAID[kind])
    pull(project, db)
    assert_same(project, db)


def test_nulls_not_distinct(db, project):
    if db.server.major < 15:
        pytest.skip("needs PostgreSQL 15")
    db.sql("CREATE TABLE t (id int PRIMARY KEY, a int, b int UNIQUE NULLS NOT DISTINCT);"
           " CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT")
    pull(project, db)
    assert_same(project, db)


# A database, another one, and what has to be in the script between them.
SAID = {
    "default": ("a numeric DEFAULT '1000'", "a numeric DEFAULT 1001", "SET DEFAULT 1001"),
    "sign": ("a int DEFAULT -1", "a int DEFAULT 1", "SET DEFAULT 1"),
    "string": ("a text DEFAULT 'a'", "a text DEFAULT 'A'", "SET DEFAULT 'A'"),
    "number in a string": ("a text DEFAULT '1'", "a text DEFAULT '1.0'", "SET DEFAULT '1.0'"),
    "null": ("a text DEFAULT 'NULL'", "a text", "DROP DEFAULT"),
    "list": ("a int[] DEFAULT '{1,2}'", "a int[] DEFAULT '{1,3}'", "SET DEFAULT ARRAY"),
    "now": ("a timestamp(3) DEFAULT now()", "a timestamp(3)", "DROP DEFAULT"),
    "date": ("a date DEFAULT '2020-01-01'", "a date DEFAULT '2020-01-02'", "2020-01-02"),
    "serial": ("a serial", "a int NOT NULL", "DROP DEFAULT"),
    "wider serial": ("a serial", "a bigserial", "BIGINT"),
    "precision": ("a timestamp", "a timestamp(3)", "TIMESTAMP(3)"),
    "less precision": ("a timestamp(3)", "a timestamp", "TIMESTAMP(6)"),
    "type": ("a int", "a bigint", "BIGINT"),
    "domain": ("a d", "a varchar(10)", "VARCHAR(10)"),
    "sort order": ("a int); CREATE INDEX i ON t (a NULLS FIRST", "a int); CREATE INDEX i ON t (a DESC",
                   'CREATE INDEX "i" ON "t"("a" DESC)'),
    "columns": ("a int, b int); CREATE INDEX i ON t (a) INCLUDE (b",
                "a int, b int); CREATE INDEX i ON t (a, b", 'CREATE INDEX "i" ON "t"("a", "b")'),
    "unique": ("a int); CREATE INDEX i ON t (a", "a int); CREATE UNIQUE INDEX i ON t (a",
               'CREATE UNIQUE INDEX "i"'),
    "method": ("a int); CREATE INDEX i ON t USING hash (a", "a int); CREATE INDEX i ON t (a",
               'CREATE INDEX "i" ON "t"("a")'),
    "operator class": ("a jsonb); CREATE INDEX i ON t USING gin (a", "a jsonb); CREATE INDEX i ON t"
                       " USING gin (a jsonb_path_ops", "jsonb_path_ops"),
    "action": ("a int REFERENCES t", "a int REFERENCES t ON DELETE CASCADE", "ON DELETE CASCADE"),
    "action of two": ("a int REFERENCES t, FOREIGN KEY (a) REFERENCES t",
                      "a int REFERENCES t ON DELETE CASCADE", "ON DELETE CASCADE"),
    "no relation": ("a int REFERENCES t", "a int", "DROP CONSTRAINT"),
    "null or not": ("a int", "a int NOT NULL", "SET NOT NULL"),
    "no table": ("a int); CREATE TABLE u (id int PRIMARY KEY", "a int", 'DROP TABLE "u"'),
    "no column": ("a int GENERATED ALWAYS AS (id) STORED", "b int", 'DROP COLUMN "a"'),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_can_be_said_is_a_difference(kind, db, db2, project):
    before, after, told = SAID[kind]
    for database, column in ((db, before), (db2, after)):
        database.sql("CREATE DOMAIN d AS varchar(9); CREATE TABLE t (id int PRIMARY KEY, "
                     f"{column})")
    pull(project, db2)
    result = diff(project, db, "--script", "--exit-code")
    assert result.rc == 2 and told in result.out, result
    db.sql(result.out)
    assert_same(project, db)
