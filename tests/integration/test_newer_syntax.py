"""What the parser's grammar (PostgreSQL 15's) does not know stays opaque: the server that knows it runs it."""

import pytest

from harness import aramid, ledger

MIGRATIONS = [
    "CREATE EXTENSION btree_gist; CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL);"
    "CREATE TABLE v2 (a int, b int GENERATED ALWAYS AS (a * 2));",
    "CREATE TABLE wo (k int, d tsrange, PRIMARY KEY (k, d WITHOUT OVERLAPS));"
    "CREATE TABLE pe (k int, d tsrange, FOREIGN KEY (k, PERIOD d) REFERENCES wo (k, PERIOD d));",
    "CREATE TABLE par (id int PRIMARY KEY); CREATE TABLE ne (p int REFERENCES par NOT ENFORCED, q int CHECK (q > 0) NOT ENFORCED);"
    "ALTER TABLE ne ADD CONSTRAINT nefk FOREIGN KEY (q) REFERENCES par NOT ENFORCED;"
    "ALTER TABLE ne ALTER CONSTRAINT nefk ENFORCED; ALTER TABLE ne ALTER CONSTRAINT nefk NOT ENFORCED;",
    "CREATE TABLE nn (a int, b int, CONSTRAINT nnb NOT NULL b); ALTER TABLE nn ADD CONSTRAINT nna NOT NULL a NOT VALID;"
    "ALTER TABLE nn VALIDATE CONSTRAINT nna; CREATE TABLE nni (a int NOT NULL NO INHERIT);"
    "ALTER TABLE nni ALTER CONSTRAINT nni_a_not_null INHERIT;",
    "CREATE TABLE m (a int, b int); INSERT INTO m VALUES (1, 2); MERGE INTO m USING (VALUES (1, 5)) s(a, b) ON m.a = s.a"
    " WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING merge_action(), m.*;",
    "CREATE VIEW jt AS SELECT * FROM JSON_TABLE('[{\"a\":1}]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a'));"
    "SELECT JSON_OBJECT('a' VALUE 1); SELECT '{}' IS JSON;",
    "ALTER TABLE v ALTER COLUMN b SET EXPRESSION AS (a * 3); UPDATE m SET b = 1 RETURNING WITH (OLD AS o, NEW AS n) o.b, n.b;",
    "ALTER TABLE m ALTER COLUMN a SET STATISTICS DEFAULT; ALTER TABLE m SET ACCESS METHOD DEFAULT;"
    "CREATE TABLE st (a text STORAGE EXTERNAL); ALTER TABLE st ALTER a SET STORAGE DEFAULT;",
    "INSERT INTO m VALUES (0x1F, 1_000); INSERT INTO m VALUES (0b11, 0o17);"
    "CREATE TABLE lit (a int DEFAULT 1_000_000, b text DEFAULT 'x; y');",
    "SELECT * FROM (SELECT 1);",
    "REINDEX DATABASE;",
    "CREATE STATISTICS ON a, b FROM m;",
    "CREATE TABLE tz (t timestamptz DEFAULT (now() AT LOCAL));",
    "INSERT INTO m VALUES (0xFF, 2); CREATE INDEX CONCURRENTLY m_a ON m (a); INSERT INTO m VALUES (1_0, 3);",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS lit_a ON lit (a) WHERE a > 1_000;",
]


@pytest.mark.long
def test_planned_applied_and_replayed(servers, project):
    server = servers.get(18)
    db = server.new_database()
    for i, sql in enumerate(MIGRATIONS):
        project.add(f"m{i}", sql)
    env = {"ARAMID_PG_BINDIR": server.bindir}
    plan = aramid.run("plan", "--url", db.url(), cwd=project.path)
    assert plan.rc == 0 and f"would apply {len(MIGRATIONS)} migrations" in plan.out, plan
    assert plan.out.count("outside of a transaction") == 3, plan
    result = aramid.deploy(project, db.url(), env=env)
    assert result.rc == 0, result
    ledger.check(db, project)
    assert sorted(db.column("SELECT a FROM m")) == [1, 3, 10, 31, 255] and db.exists("m_a") and db.exists("lit_a")
    drift = aramid.run("drift", "--url", db.url(), cwd=project.path, env=env)
    assert drift.rc == 0 and "No drift" in drift.out, drift
    db.drop()
