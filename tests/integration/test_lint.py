"""`aramid lint`: what it says of a statement is what a server does, and what it does not say is nothing."""

import json

import pytest

from harness import aramid
from harness.locks_trace import TABLES, compare, run

BEFORE = """CREATE TABLE p (id int PRIMARY KEY, code text, v10 varchar(10), txt text, n numeric(10,2), ts timestamp(3), big int,
  maybe text, j jsonb, CONSTRAINT p_code_key UNIQUE (code));
CREATE TABLE ch (id int PRIMARY KEY, p_id int REFERENCES p, note text NOT NULL DEFAULT '', q int, CHECK (q IS NOT NULL AND q > 0));
CREATE TABLE bare (id int, name text);
CREATE TABLE pt (k int) PARTITION BY RANGE (k);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
CREATE TABLE part (k int);
CREATE INDEX bare_part ON bare (name) WHERE id > 0;
CREATE UNIQUE INDEX bare_id ON bare (id);
CREATE INDEX p_txt ON p (txt);
CREATE TYPE color AS ENUM ('red');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE dom (d positive);
CREATE FUNCTION steady() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION unsteady() RETURNS int LANGUAGE sql AS 'SELECT random()::int';
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS id;
CREATE VIEW vw AS SELECT 1 AS id;
ALTER TABLE ch ADD CONSTRAINT later CHECK (id > 0) NOT VALID;
"""

# Statement, and the rules that are told of it; a ! in front: only with --all.
CASES = [
    ("CREATE INDEX i ON p (txt)", ["create-index-blocking", "!duplicate-index"]),
    ("CREATE UNIQUE INDEX i ON p (txt, n)", ["create-index-blocking"]),
    ("CREATE INDEX i ON p (lower(txt))", ["create-index-blocking"]),
    ("CREATE INDEX IF NOT EXISTS p_txt ON p (txt)", ["create-index-blocking", "!if-exists-noop-still-locks"]),
    ("DROP INDEX p_txt", ["!drop-index-blocking"]),
    ("REINDEX TABLE p", ["reindex-blocking"]),
    ("ALTER TABLE bare ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p", ["add-fk-validating"]),
    ("ALTER TABLE bare ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES p NOT VALID", []),
    ("ALTER TABLE bare ADD COLUMN x int REFERENCES p", ["!fk-without-index"]),
    ("CREATE TABLE n (id int REFERENCES p)", ["!fk-locks-existing-parent"]),
    ("CREATE TABLE n (id int PRIMARY KEY, x int UNIQUE, y int CHECK (y > 0))", []),
    ("ALTER TABLE p ADD CONSTRAINT c CHECK (big > 0)", ["add-check-validating"]),
    ("ALTER TABLE p ADD CONSTRAINT c CHECK (big > 0) NOT VALID", []),
    ("ALTER TABLE p ADD COLUMN x int CHECK (x > 0)", ["add-check-validating"]),
    ("ALTER TABLE ch VALIDATE CONSTRAINT later", []),
    ("ALTER TABLE p ALTER COLUMN maybe SET NOT NULL", ["set-not-null-scan"]),
    ("ALTER TABLE ch ALTER COLUMN q SET NOT NULL", []),
    ("ALTER TABLE ch ALTER COLUMN note SET NOT NULL", []),
    ("ALTER TABLE p ADD CONSTRAINT u UNIQUE (txt)", ["add-unique-constraint"]),
    ("ALTER TABLE bare ADD CONSTRAINT u UNIQUE USING INDEX bare_id", []),
    ("ALTER TABLE bare ADD PRIMARY KEY (id)", ["add-primary-key"]),
    ("ALTER TABLE bare ADD PRIMARY KEY USING INDEX bare_id", ["add-primary-key"]),
    ("ALTER TABLE p ADD COLUMN x int", []),
    ("ALTER TABLE p ADD COLUMN x int NOT NULL DEFAULT 7", []),
    ("ALTER TABLE p ADD COLUMN x timestamptz NOT NULL DEFAULT now()", []),
    ("ALTER TABLE p ADD COLUMN x timestamptz DEFAULT CURRENT_TIMESTAMP", []),
    ("ALTER TABLE p ADD COLUMN x text[] DEFAULT ARRAY[]::text[]", []),
    ("ALTER TABLE p ADD COLUMN x int DEFAULT steady()", []),
    ("ALTER TABLE p ADD COLUMN x int DEFAULT unsteady()", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x uuid DEFAULT gen_random_uuid()", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x timestamptz DEFAULT clock_timestamp()", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x serial", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x bigint GENERATED ALWAYS AS IDENTITY", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x int GENERATED ALWAYS AS (big * 2) STORED", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x positive", ["add-column-rewrite"]),
    ("ALTER TABLE p ADD COLUMN x int NOT NULL", ["add-column-required"]),
    ("ALTER TABLE p ALTER COLUMN v10 TYPE varchar(20)", []),
    ("ALTER TABLE p ALTER COLUMN v10 TYPE text", []),
    ("ALTER TABLE p ALTER COLUMN v10 TYPE varchar(5)", ["change-type-rewrite"]),
    ("ALTER TABLE p ALTER COLUMN txt TYPE varchar", []),
    ("ALTER TABLE p ALTER COLUMN txt TYPE varchar(20)", ["change-type-rewrite"]),
    ("ALTER TABLE p ALTER COLUMN n TYPE numeric(12,2)", []),
    ("ALTER TABLE p ALTER COLUMN n TYPE numeric", []),
    ("ALTER TABLE p ALTER COLUMN n TYPE numeric(12,3)", ["change-type-rewrite"]),
    ("ALTER TABLE p ALTER COLUMN ts TYPE timestamp(6)", []),
    ("ALTER TABLE p ALTER COLUMN ts TYPE timestamp(0)", ["change-type-rewrite"]),
    ("ALTER TABLE p ALTER COLUMN ts TYPE timestamptz(3)", ["change-type-rewrite"]),
    ("ALTER TABLE p ALTER COLUMN ts TYPE timestamptz", []),
    ("ALTER TABLE p ALTER COLUMN big TYPE bigint", ["change-type-rewrite"]),
    ("ALTER TABLE ch ALTER COLUMN p_id TYPE bigint", ["change-type-rewrite"]),
    ("ALTER TABLE bare ALTER COLUMN name TYPE varchar", ["change-type-rebuilds-index"]),
    ("ALTER TABLE p ALTER COLUMN maybe TYPE color USING maybe::color", ["change-type-rewrite"]),
    ("ALTER TABLE p DROP COLUMN txt", ["drop-column"]),
    ("ALTER TABLE ch DROP COLUMN p_id", ["drop-column", "!drop-locks-parent"]),
    ("ALTER TABLE ch DROP CONSTRAINT ch_p_id_fkey", ["!drop-locks-parent"]),
    ("DROP TABLE ch CASCADE", ["drop-table", "cascade"]),
    ("DROP TABLE bare CASCADE", ["drop-table", "cascade"]),
    ("DROP TABLE p CASCADE", ["drop-table", "cascade"]),
    ("TRUNCATE bare", ["truncate"]),
    ("TRUNCATE p CASCADE", ["truncate"]),
    ("ALTER TABLE bare RENAME COLUMN name TO title", ["rename-column"]),
    ("ALTER TABLE bare RENAME TO naked", ["rename-table"]),
    ("ALTER TABLE bare SET UNLOGGED", ["rewrite-table"]),
    ("CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (10) TO (20)", []),
    ("ALTER TABLE pt ATTACH PARTITION part FOR VALUES FROM (30) TO (40)", ["attach-partition-scan"]),
    ("ALTER TABLE pt DETACH PARTITION pt1", []),
    ("REFRESH MATERIALIZED VIEW mv", ["refresh-matview"]),
    ("ALTER DOMAIN positive ADD CHECK (VALUE < 9)", ["domain-constraint"]),
    ("ALTER DOMAIN positive ADD CHECK (VALUE < 9) NOT VALID", []),
    ("UPDATE bare SET name = ''", ["dml-without-where"]),
    ("DELETE FROM bare WHERE id = 1", ["!dml-unbatched"]),
    ("INSERT INTO bare VALUES (1)", []),
    ("INSERT INTO bare SELECT id FROM p", ["!dml-unbatched"]),
    ("ALTER TYPE color ADD VALUE 'blue'", ["!enum-value-unknown-to-old-code"]),
    ("ALTER TYPE color RENAME VALUE 'red' TO 'green'", ["rename-enum-value"]),
    ("ALTER TABLE p ENABLE ROW LEVEL SECURITY", []),
    ("ALTER TABLE p DISABLE ROW LEVEL SECURITY", ["rls-disabled"]),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", ["security-definer-without-search-path"]),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'", []),
    ("CREATE TABLE n (x json)", ["!json-column"]),
    ("ALTER TABLE ch ALTER COLUMN note DROP NOT NULL", ["!drop-not-null"]),
    ("ALTER TABLE ch ALTER COLUMN note DROP DEFAULT", ["!drop-default"]),
    ("CREATE OR REPLACE VIEW vw AS SELECT 2 AS id", []),
    ("DROP VIEW vw", []),
    ("CREATE TRIGGER t BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", []),
    ("COMMENT ON TABLE p IS 'x'", []),
    ("DO $$ BEGIN END $$", ["!opaque-statement"]),
    (f'CREATE TABLE n ("{"x" * 64}" int)', ["identifier-too-long"]),
]


@pytest.fixture(scope="module")
def linted(tmp_path_factory):
    """Every case as the last migration of a project of its own: (rules, what it claims)."""
    root = tmp_path_factory.mktemp("lint")
    found = {}
    for i, (sql, _) in enumerate(CASES):
        folder = root / str(i) / "prisma" / "migrations"
        for name, text in (("1_before", BEFORE), ("2_case", sql + ";")):
            (folder / name).mkdir(parents=True)
            (folder / name / "migration.sql").write_text(text)
        result = aramid.run("lint", "2_case", "--json", cwd=root / str(i))
        assert result.rc == 0, result
        found[sql] = result.json
    return found


@pytest.mark.parametrize("sql, rules", CASES)
def test_what_is_said(linted, sql, rules):
    told = [("!" if f["severity"] == "notice" else "") + f["id"] for f in linted[sql]["findings"]]
    assert sorted(told) == sorted(rules)


def test_claims_are_true(linted, db):
    """Each statement on a server, in a transaction that is rolled back."""
    db.sql(BEFORE)
    conn = db.connect()
    conn.autocommit = True
    cursor = conn.cursor()
    cursor.execute("SET client_min_messages = debug1; SET timezone = 'UTC'")
    cursor.execute(TABLES)
    tables = dict(cursor.fetchall())
    wrong = []
    for sql, _ in CASES:
        if conn.server_version < 140000 and "DETACH" in sql:
            continue  # weaker there
        locks, did = run(conn, sql, tables, False, "ROLLBACK")
        differs = compare(linted[sql]["statements"][0]["effects"], locks, did)
        if differs:
            wrong.append(f"{sql}: {'; '.join(differs)}")
    conn.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sql, constraint", [
    ("ALTER TABLE bare ADD CONSTRAINT \"The Key\" FOREIGN KEY (id) REFERENCES p", "The Key"),
    ("ALTER TABLE ONLY bare ADD FOREIGN KEY (id) REFERENCES p ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", "bare_id_fkey"),
    ("ALTER TABLE p ADD CONSTRAINT c CHECK (big > 0)", "c"),
])
def test_the_safer_way_makes_the_same(db, db2, tmp_path, sql, constraint):
    """What the hint says runs, statement by statement, and the constraint is as it would have been."""
    for name, text in (("1_before", BEFORE), ("2_case", sql + ";")):
        (tmp_path / "prisma" / "migrations" / name).mkdir(parents=True)
        (tmp_path / "prisma" / "migrations" / name / "migration.sql").write_text(text)
    result = aramid.run("lint", "2_case", "--json", cwd=tmp_path)
    [fix] = [f["fix"] for f in result.json["findings"] if f["id"].endswith("-validating")]
    made = []
    for database, statements in ((db, [sql]), (db2, fix.split("; and in a migration behind it: "))):
        database.sql(BEFORE)
        for statement in statements:
            database.sql(statement)
        made.append(database.sql("SELECT pg_get_constraintdef(oid), convalidated, condeferred FROM pg_constraint"
                                 " WHERE conname = %s", constraint))
    assert made[0] == made[1] and len(made[0]) == 1 and len(statements) == 2, made


TYPES = [("varchar(10)", "varchar(20)"), ("varchar(10)", "varchar(5)"), ("varchar(20)", "text"), ("varchar(20)", "varchar"),
         ("text", "varchar"), ("text", "varchar(20)"), ("numeric(10,2)", "numeric(12,2)"), ("numeric(10,2)", "numeric(12,3)"),
         ("numeric(10,2)", "numeric"), ("numeric", "numeric(10,2)"), ("numeric(10,2)", "numeric(9,2)"),
         ("timestamp", "timestamptz"), ("timestamptz", "timestamp"), ("timestamptz(3)", "timestamptz(6)"),
         ("timestamptz(6)", "timestamptz(3)"), ("timestamp(3)", "timestamp"), ("timestamp", "timestamp(6)"),
         ("timestamp(3)", "timestamptz(6)"), ("timestamp(6)", "timestamptz(3)"), ("time(3)", "time"), ("time(3)", "time(6)"),
         ("time", "timetz"), ("int", "bigint"), ("int", "smallint"), ("int", "oid"), ("oid", "int"), ("int", "text"),
         ("int", "numeric"), ("bigint", "int"), ("char(5)", "text"), ("char(5)", "varchar(5)"), ("char(5)", "char(9)"),
         ("inet", "cidr"), ("cidr", "inet"), ("varbit(4)", "varbit(8)"), ("varbit(4)", "varbit"), ("varbit(8)", "varbit(4)"),
         ("interval(3)", "interval"), ("interval", "interval(6)"), ("interval(3)", "interval(6)"), ("interval(6)", "interval(2)"),
         ("real", "double precision"), ("json", "jsonb"), ("jsonb", "json"), ("jsonb", "text"), ("uuid", "text"),
         ("date", "timestamp"), ("text[]", "varchar[]"), ("varchar(3)[]", "varchar(5)[]"), ("int[]", "bigint[]"),
         ("boolean", "text"), ("bytea", "bytea"), ("money", "numeric"), ("xml", "text"), ("\"char\"", "text"), ("name", "text"),
         ("bit(4)", "varbit"), ("varbit", "bit(4)"), ("regclass", "oid"), ("double precision", "real")]


def test_type_changes(project, db):
    """Which keep the rows, with a plain index on the column, where the type has one."""
    before, change, ran = [], [], []
    for i, (was, now) in enumerate(TYPES):
        indexed = was not in ("json", "xml", "jsonb") and now not in ("json", "xml")
        before.append(f"CREATE TABLE t{i} (c {was});" + (f" CREATE INDEX t{i}_c ON t{i} (c);" if indexed else ""))
        change.append(f"ALTER TABLE t{i} ALTER COLUMN c TYPE {now};")
    project.add("1_before", "\n".join(before))
    project.add("2_change", "\n".join(change))
    result = aramid.run("lint", "2_change", "--json", cwd=project.path)
    assert result.rc == 0, result
    db.sql("\n".join(before))
    conn = db.connect()
    conn.autocommit = True
    cursor = conn.cursor()
    cursor.execute("SET client_min_messages = debug1; SET timezone = 'UTC'")
    cursor.execute(TABLES)
    tables, wrong = dict(cursor.fetchall()), []
    for pair, sql, said in zip(TYPES, change, result.json["statements"], strict=True):
        try:
            locks, did = run(conn, sql, tables, False, "ROLLBACK")
        except Exception:  # needs USING
            cursor.execute("ROLLBACK")
            continue
        ran.append(pair)
        differs = compare(said["effects"], locks, did)
        wrong += [f"{pair}: {'; '.join(differs)}"] if differs else []
    conn.close()
    assert not wrong and len(ran) > 45, "\n".join(wrong)


def lint(project, *args, **kwargs):
    return aramid.run("lint", *args, cwd=project.path, **kwargs)


def test_text_groups_and_counts(project):
    project.add("1_a", "CREATE TABLE a (i int, j int); CREATE TABLE b (i int);")
    project.add("2_b", "CREATE INDEX x ON a (i);\nCREATE INDEX y ON b (i);\nALTER TABLE a ALTER COLUMN j DROP NOT NULL;\n")
    result = lint(project)
    assert result.rc == 0 and result.out.count("[create-index-blocking]") == 1, result
    assert "the same in line 2" in result.out and "CREATE INDEX CONCURRENTLY x ON a (i)" in result.out
    assert "5 statements in 2 migrations: 1 warning" in result.out, result


def test_batches_and_proofs_end_transactions(project):
    """Nothing is held while they run, nor behind them: what expand-contract writes is judged by that."""
    project.add("init", "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL);")
    assert aramid.run("expand-contract", "rename-column", "t.a", "b", cwd=project.path).rc == 0
    result = aramid.run("lint", cwd=project.path)
    assert result.rc == 0 and "warning:" not in result.out, result
    project.add("99991231235959_plain", "UPDATE t SET a = 1;")
    result = aramid.run("lint", cwd=project.path)
    assert "dml-without-where" in result.out and result.out.count("dml-without-where") == 1, result


def test_ignored_with_a_reason(project):
    project.add("1_a", "CREATE TABLE a (i int); CREATE TABLE b (i int);")
    project.add("2_b", "CREATE INDEX x ON a (i);\n-- aramid:ignore create-index-blocking b is empty\nCREATE INDEX y ON b (i);\n"
                       "CREATE INDEX z ON b (i, i);\n")
    found = [(f["line"], f["id"]) for f in lint(project, "--json").json["findings"] if f["severity"] == "warning"]
    assert found == [(1, "create-index-blocking"), (4, "create-index-blocking")]
    project.add("2_b", "-- aramid:ignore create-index-blocking small tables\nCREATE INDEX x ON a (i);\nCREATE INDEX y ON b (i);\n")
    assert "nothing that hurts" in lint(project).out


@pytest.mark.parametrize("comment, words", [
    ("-- aramid:ignore create-index-blocking", "wants a reason"), ("-- aramid:ignore", "no rule"),
    ("-- aramid:ignore drop-columns because", "no rule \"drop-columns\""), ("-- aramid:ignore config-url because", "no rule")])
def test_an_ignore_that_is_wrong(project, db, comment, words):
    project.add("1_a", f"CREATE TABLE a (i int);\n{comment}\nDROP TABLE IF EXISTS b;")
    for result in (lint(project), aramid.deploy(project, db.url())):
        assert result.rc != 0 and words in result.err and "migration.sql:2:" in result.err, result
    assert not db.exists("a")


def test_settings_make_errors(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.add("2_b", "DROP TABLE a;")
    project.write("aramid.yaml", "findings:\n  drop-table: error\n")
    result = lint(project)
    assert result.rc == 19 and "error:" in result.out, result


def test_not_valid_and_validated_at_once(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    text = "ALTER TABLE a ADD CONSTRAINT c CHECK (i > 0) NOT VALID;\n{}ALTER TABLE a VALIDATE CONSTRAINT c;"
    project.add("2_b", text.format(""))
    assert "not-valid-and-validate-same-tx" in lint(project).out
    project.add("2_b", "BEGIN;\n" + text.format("COMMIT;\nBEGIN;\n") + "\nCOMMIT;")
    assert "not-valid-and-validate-same-tx" not in lint(project).out


def test_batches_are_no_news(project):
    project.add("1_a", "CREATE TABLE a (i int PRIMARY KEY, j int);")
    project.add("2_b", "-- aramid:batch\nUPDATE a SET j = 1;\nUPDATE a SET j = 2;")
    found = [(f["line"], f["id"]) for f in lint(project, "2_b", "--json").json["findings"]]
    assert found == [(3, "dml-without-where")]


def test_names_follow_renames(project):
    project.add("1_a", "CREATE TABLE a (i int, k text NOT NULL); CREATE INDEX a_i ON a (i);")
    project.add("2_b", "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME COLUMN k TO l; ALTER INDEX a_i RENAME TO b_i;")
    project.add("3_c", "ALTER TABLE b ALTER COLUMN l DROP NOT NULL;\nDROP INDEX b_i;\nDROP TABLE b;")
    found = [f["id"] for f in lint(project, "3_c", "--json").json["findings"]]
    assert found == ["drop-not-null", "drop-index-blocking", "drop-table"]


def test_unknown_migration(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    result = lint(project, "1_b")
    assert result.rc != 0 and 'did you mean "1_a"' in result.err, result


def test_a_file_that_cannot_be_read(project):
    project.add("1_a", "CREATE TABLE a (i int);\nSELECT 'open;")
    result = lint(project)
    assert result.rc != 0 and "migration.sql:2:" in result.err, result


def test_sarif(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.add("2_b", "\n/* all */ DROP TABLE a;")
    log = json.loads(lint(project, "--sarif").out)
    (found,) = log["runs"][0]["results"]
    assert log["version"] == "2.1.0" and found["ruleId"] == "drop-table" and found["level"] == "warning"
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("2_b/migration.sql") and place["region"] == {"startLine": 2, "startColumn": 11}
    assert {r["id"] for r in log["runs"][0]["tool"]["driver"]["rules"]} >= {"drop-table", "create-index-blocking"}


def test_annotations(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.add("2_b", "DROP TABLE a;")
    result = lint(project, env={"GITHUB_ACTIONS": "true"})
    assert "::warning file=" in result.out and "line=1" in result.out, result


def test_supabase_tables_without_row_security(tmp_path):
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20250101000000_a.sql").write_text("CREATE TABLE a (i int);\nCREATE TABLE b (i int);\n"
                                                 "ALTER TABLE b ENABLE ROW LEVEL SECURITY;\nCREATE SCHEMA own; CREATE TABLE own.c (i int);")
    found = aramid.run("lint", "--json", cwd=tmp_path).json["findings"]
    assert [f["id"] for f in found] == ["public-table-without-rls"] and "table a " in found[0]["message"]


def test_gitlab(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.add("2_b", "DROP TABLE a;")
    first, = json.loads(lint(project, "--gitlab").out)
    assert first["check_name"] == "drop-table" and first["severity"] == "major"
    assert first["location"]["lines"] == {"begin": 1} and first["location"]["path"].endswith("2_b/migration.sql")
    project.add("2_b", "\n\n\n-- later\nDROP TABLE a;")
    moved, = json.loads(lint(project, "--gitlab").out)
    assert moved["location"]["lines"] == {"begin": 5} and moved["fingerprint"] == first["fingerprint"]


def test_a_comment_in_markdown(project):
    project.add("1_a", 'CREATE TABLE "a|b</td>" (i int);')
    project.add("2_b", 'CREATE INDEX x ON "a|b</td>" (i);')
    text = lint(project, "--markdown").out
    assert "### Migrations: 1 warning" in text and "CONCURRENTLY" in text and "| SHARE | builds an index |" in text, text
    row = next(line for line in text.splitlines() if line.startswith("| ⚠️"))
    assert row.count("|") == 5 and "</td>" not in row, row
    project.add("2_b", "SELECT 1;")
    assert "nothing that hurts" in lint(project, "--markdown").out


def test_types_that_are_swapped_again(project):
    """A type by the name of the one that the column has had before."""
    swap = ("CREATE TYPE new AS ENUM ({}); ALTER TABLE t ALTER COLUMN e TYPE new USING e::text::new;"
            "ALTER TYPE e RENAME TO old; ALTER TYPE new RENAME TO e; DROP TYPE old;")
    project.add("1_a", "CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (e e);")
    project.add("2_b", swap.format("'a', 'b'"))
    project.add("3_c", swap.format("'a'"))
    assert [f["id"] for f in lint(project, "3_c", "--json").json["findings"]] == ["change-type-rewrite"]


def test_columns_that_code_has_made(project):
    project.add("1_a", "CREATE TABLE t (i int);")
    project.add("2_b", "DO $$ BEGIN ALTER TABLE t ADD COLUMN c int; END $$;")
    project.add("3_c", "ALTER TABLE t ALTER COLUMN c SET NOT NULL;")
    effect, = lint(project, "3_c", "--json").json["statements"][0]["effects"]
    assert effect["scans"], effect
