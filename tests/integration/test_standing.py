"""What stands in the database on what pending migrations drop or retype: plan says it where the server would refuse."""

import contextlib

import psycopg2
import pytest

from harness import aramid
from harness.project import Project

BASE = """
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN dom AS int;
CREATE SEQUENCE sq;
CREATE TABLE t (id serial PRIMARY KEY, c int, v varchar(10), u int UNIQUE, e mood DEFAULT 'a', g int GENERATED ALWAYS AS (c + 1) STORED);
CREATE TABLE k (id int PRIMARY KEY, t_id int REFERENCES t);
CREATE VIEW mv AS SELECT id, c FROM t;
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE TABLE part (id int, c int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE SCHEMA s2; CREATE TABLE s2.x (id serial PRIMARY KEY, b int);
"""
# By hand, beside the migrations.
HAND = '''
CREATE SCHEMA o;
CREATE VIEW o.v AS SELECT c, v FROM public.t;
CREATE VIEW o."odd ""q""" AS SELECT id FROM public.mv;
CREATE TABLE o.h (m public.mood, d public.dom, n int DEFAULT nextval('public.sq'), q int CHECK (public.f(q) > 0), u int REFERENCES public.t (u));
CREATE POLICY pol ON o.h USING (EXISTS (SELECT FROM public.t WHERE t.e = h.m));
CREATE VIEW o.w AS SELECT c FROM public.part1;
CREATE INDEX hand ON public.t (c, v);
CREATE TABLE s2.hand (a int);
'''
# What stands there, or nothing: then the server takes it, too.
CASES = [
    ("ALTER TABLE t DROP COLUMN g; ALTER TABLE t DROP COLUMN c", "view o.v"),
    ("ALTER TABLE t ALTER COLUMN v TYPE varchar(20)", "view o.v"),
    ("DROP VIEW mv", 'view o."odd ""q"""'),
    ("DROP VIEW o.v; DROP VIEW mv CASCADE; ALTER TABLE t DROP COLUMN g, DROP COLUMN c", None),
    ("CREATE OR REPLACE VIEW o.v AS SELECT 1 AS c, v FROM t; ALTER TABLE t DROP COLUMN g", None),
    ("ALTER TABLE t RENAME TO tt; ALTER TABLE tt RENAME COLUMN u TO uu; ALTER TABLE tt DROP COLUMN uu", "table constraint"),
    ("ALTER TABLE o.h DROP COLUMN u; ALTER TABLE t DROP CONSTRAINT t_u_key", None),
    ("DROP TABLE k; DROP TABLE t", "view public.mv"),
    ("DROP TABLE k, t CASCADE; CREATE TABLE t (id int, c int); ALTER TABLE t DROP COLUMN c", None),
    ("ALTER TABLE part DROP COLUMN c", "view o.w"),
    ("DROP FUNCTION f(int)", "table constraint"),
    ("DROP SEQUENCE sq", "default value for o.h.n"),
    ("DROP SEQUENCE t_id_seq", "default value for public.t.id"),
    ("DROP DOMAIN dom", "table column o.h.d"),
    ("CREATE TYPE m2 AS ENUM ('a'); ALTER TABLE t ALTER e DROP DEFAULT; ALTER TABLE o.h DISABLE ROW LEVEL SECURITY; DROP POLICY pol ON o.h;"
     "ALTER TABLE t ALTER e TYPE m2 USING (e::text::m2); ALTER TYPE mood RENAME TO old; ALTER TYPE m2 RENAME TO mood; DROP TYPE old",
     "table column o.h.m"),
    ("DROP TABLE s2.x; DROP SCHEMA s2", "table s2.hand"),
    ("DROP TABLE s2.x, s2.hand; DROP SCHEMA s2", None),
    ("DROP INDEX hand; DROP POLICY pol ON o.h; ALTER TABLE t ALTER e TYPE text", None),
]


@pytest.fixture(scope="module")
def standing(servers, tmp_path_factory):
    database = servers.get().new_database()
    project = Project(tmp_path_factory.mktemp("standing"))
    project.add("1_base", BASE)
    assert aramid.deploy(project, database.url()).rc == 0
    database.sql(HAND)
    yield project, database
    database.drop()


def planned(project, db, sql, *args):
    project.add("2_x", sql + ";")
    plan = aramid.run("plan", "--json", "--url", db.url(), *args, cwd=project.path)
    return [(f["id"], f["severity"], f["message"]) for f in plan.json["findings"] if f["id"].startswith("preflight")]


def refusal(db, sql):
    with contextlib.closing(psycopg2.connect(db.url())) as conn, conn.cursor() as cursor:
        try:
            cursor.execute(sql)
        except psycopg2.Error as error:
            return error.pgcode
        finally:
            conn.rollback()
    return None


@pytest.mark.parametrize("sql, what", CASES)
def test_what_stands_there(standing, sql, what):
    project, db = standing
    told = [x for x in planned(project, db, sql) if x[0] == "preflight-stands-on"]
    assert refusal(db, sql) in (("2BP01", "0A000") if what else (None,))
    assert bool(told) == bool(what) and (not what or any(what in x[2] for x in told)), told
    assert all(x[1] == "error" for x in told)


def test_a_deploy_stops_before(standing):
    project, db = standing
    planned(project, db, "ALTER TABLE t ALTER COLUMN v TYPE varchar(20)")
    deploy = aramid.run("deploy", "--env", "production", "--url", db.url(), "--yes", "--no-backup", "--reason", "test", cwd=project.path)
    assert deploy.rc == 19 and "view o.v stands there" in deploy.err, deploy
    assert db.one("SELECT count(*) FROM _prisma_migrations") == 1


def test_cascade_is_told(standing):
    project, db = standing
    told = planned(project, db, "ALTER TABLE t DROP COLUMN c CASCADE")
    assert [x[:2] for x in told] == [("preflight-cascade", "warning")], told
    assert all(x in told[0][2] for x in ("view o.v", "view public.mv", 'view o."odd ""q"""', "public.t.g")), told


def test_code_may_have_let_go(standing):
    project, db = standing
    told = planned(project, db, "DO $$ BEGIN DROP VIEW IF EXISTS o.v; END $$; ALTER TABLE t ALTER COLUMN v TYPE varchar(20)")
    assert [x[:2] for x in told] == [("preflight-not-asked", "notice")] and "DO in line 1" in told[0][2], told
