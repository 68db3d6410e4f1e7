"""What stands on what changes and lies in a schema that is not compared, or belongs to an extension: the script is
refused, and says what is in the way and what to type."""

import os
import subprocess
import sys

import pytest

from harness import aramid

COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
SCHEMA = """datasource db {
  provider = "postgresql"
}
model t {
  id Int    @id
  n  String%s
}
"""
MADE = 'CREATE TABLE t (id int PRIMARY KEY, n text NOT NULL, c int); CREATE SCHEMA "Other";'


def diff(folder, db, *args):
    return aramid.run("diff", "--from-url", db.url(), "--to-schema", "schema.prisma", *args, cwd=str(folder))


def test_a_sample_of_pairs():
    """tests/compat/outside_generated.py; `make prove` runs all of it."""
    done = subprocess.run([sys.executable, os.path.join(COMPAT, "outside_generated.py"), "--sample", "12"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("sql, column, name, remedy", [
    ('CREATE VIEW "Other".v AS SELECT c FROM t', "", 'view "Other".v', 'DROP VIEW "Other".v;'),
    ('CREATE VIEW "Other".v AS SELECT n FROM t', " @db.VarChar(9)", 'view "Other".v', 'DROP VIEW "Other".v;'),
    ('CREATE TABLE "Other".h (id int REFERENCES t); ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE, ADD PRIMARY KEY (id, c);'
     'CREATE UNIQUE INDEX t_c ON t (c); ALTER TABLE "Other".h ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES t (c)', "",
     'foreign key k on "Other".h', 'ALTER TABLE "Other".h DROP CONSTRAINT k;'),
    ("CREATE EXTENSION citext; CREATE VIEW ev AS SELECT c FROM t; ALTER EXTENSION citext ADD VIEW ev", "",
     'view public.ev of the extension "citext"', "DROP VIEW public.ev;"),
    ('ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (c); CREATE VIEW "Other".v AS SELECT n FROM t GROUP BY c', "", 'view "Other".v',
     'DROP VIEW "Other".v;'),
    ('ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id) INCLUDE (n); CREATE TABLE "Other".w (x int);'
     'CREATE RULE r AS ON INSERT TO "Other".w DO ALSO INSERT INTO t (c) VALUES (1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING', " @db.VarChar(9)",
     'rule r on "Other".w', 'DROP RULE r ON "Other".w;'),
])
def test_it_says_what_to_type(tmp_path, db, sql, column, name, remedy):
    (tmp_path / "schema.prisma").write_text(SCHEMA % column)
    db.sql(MADE + sql)
    result = diff(tmp_path, db, "--script")
    assert result.rc == 6 and result.out == "" and name in result.err and remedy in result.err, result
    told = diff(tmp_path, db)
    assert told.rc == 0 and name in told.out and "not compared" in told.out, told


def test_what_leaves_it_alone_is_written(tmp_path, db):
    (tmp_path / "schema.prisma").write_text(SCHEMA % "\n  c  Int @default(3)\n  more Int?")
    db.sql(MADE + 'CREATE VIEW "Other".v AS SELECT n, c FROM t')
    result = diff(tmp_path, db, "--script")
    assert result.rc == 0 and "DEFAULT 3" in result.out and "Other" not in result.out + result.err, result


def test_drift_is_not_mended_over_it(tmp_path, db, project):
    project.add("init", "CREATE TABLE t (id int PRIMARY KEY);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("ALTER TABLE t ADD c int; CREATE SCHEMA auth; CREATE VIEW auth.v AS SELECT c FROM t")
    result = aramid.run("drift", "--script", "repair", "--url", db.url(), cwd=project.path)
    assert result.rc == 6 and result.out == "" and "DROP VIEW auth.v;" in result.err, result
    adopted = aramid.run("drift", "--script", "adopt", "--url", db.url(), cwd=project.path)
    assert adopted.rc == 0 and "ADD COLUMN" in adopted.out, adopted
