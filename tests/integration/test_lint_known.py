"""`aramid lint` with what is known of a database: its sizes, its rows; and of findings: a baseline."""

import json
import os

import pytest

from harness import aramid

SCHEMA = "CREATE TABLE small (id int PRIMARY KEY, a text, b text); CREATE TABLE large (id int PRIMARY KEY, a text, b text);"
ROWS = ("INSERT INTO small SELECT i, 'x' || i FROM generate_series(1, 20) i;"
        "INSERT INTO large SELECT i, 'x' || i FROM generate_series(1, 30000) i; ANALYZE small, large;")


def found(result, severity=None):
    return [(f["object"], f["id"]) for f in result.json["findings"] if severity in (None, f["severity"])]


@pytest.fixture
def deployed(project, db):
    project.add("1_init", SCHEMA)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(ROWS)
    return project


def lint(project, *args):
    return aramid.run("lint", "--json", *args, cwd=project.path)


def test_small_tables_are_notices(deployed, db):
    deployed.add("2_index", "CREATE INDEX s ON small (a);\nCREATE INDEX l ON large (a);")
    assert found(lint(deployed), "warning") == [("2_index", "create-index-blocking")] * 2
    asked = lint(deployed, "--url", db.url())
    assert found(asked, "warning") == [("2_index", "create-index-blocking")] and asked.json["onlyPending"]
    assert found(asked, "notice") == [("2_index", "create-index-blocking")] and asked.json["migrations"] == 1
    large, = [f for f in asked.json["findings"] if f["severity"] == "warning"]
    assert large["line"] == 2 and "table large: about 30000 rows" in large["note"], large
    # A rule of the settings raises what is usual, not what is harmless here.
    deployed.write("aramid.yaml", "findings:\n  create-index-blocking: error\n")
    asked = lint(deployed, "--url", db.url())
    assert found(asked, "error") == found(asked, "notice") == [("2_index", "create-index-blocking")] and asked.rc == 19
    deployed.write("aramid.yaml", "lint:\n  small_rows: 40000\n")
    assert not found(lint(deployed, "--url", db.url()), "warning")


def test_a_file_tells_the_same(deployed, db):
    saved = aramid.run("stats", "save", "--url", db.url(), cwd=deployed.path)
    assert saved.rc == 0 and "aramid.stats.json" in saved.out, saved
    text = open(os.path.join(deployed.path, "aramid.stats.json")).read()
    stats = json.loads(text)
    tables = {t["name"]: t for t in stats["tables"] if t["schema"] == "public"}
    assert stats["applied"] == ["1_init"] and tables["large"]["rows"] == 30000 and tables["small"]["rows"] == 20
    assert ["b", 1, 0, 0] in tables["large"]["columns"], tables["large"]
    assert "x17" not in text  # no values
    deployed.add("2_index", "CREATE INDEX s ON small (a);\nCREATE INDEX l ON large (a);")
    without = lint(deployed)
    assert found(without, "warning") == [("2_index", "create-index-blocking")] and without.json["migrations"] == 1
    os.rename(os.path.join(deployed.path, "aramid.stats.json"), os.path.join(deployed.path, "other.json"))
    assert len(found(lint(deployed), "warning")) == 2
    assert found(lint(deployed, "--stats", "other.json")) == found(without)


@pytest.mark.parametrize("text, words", [("{", "other.json:1"), ("{}", "no file of statistics"),
                                         ('{"format": "aramid statistics 9", "tables": []}', "another version"),
                                         ('{"format": "aramid statistics 1", "tables": [{}]}', "table number 1")])
def test_a_file_that_is_none(deployed, text, words):
    deployed.write("other.json", text)
    result = lint(deployed, "--stats", "other.json")
    assert result.rc == 3 and words in result.err, result


def test_pending_tables_are_new(deployed, db):
    """Migrations of one release: nobody waits for a table that the first of them makes."""
    deployed.add("2_new", "CREATE TABLE fresh (id int, big int REFERENCES large);")
    deployed.add("3_more", "CREATE INDEX f ON fresh (id);\nALTER TABLE fresh ALTER COLUMN id SET NOT NULL;")
    assert ("3_more", "create-index-blocking") in found(lint(deployed), "warning")
    assert not found(lint(deployed, "--url", db.url()), "warning")


def test_partitions_are_added_up(project, db):
    db.sql("CREATE TABLE p (k int) PARTITION BY RANGE (k); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100) PARTITION"
           " BY RANGE (k); CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (50); CREATE TABLE p2 PARTITION OF p DEFAULT;"
           "INSERT INTO p SELECT i FROM generate_series(1, 49) i; INSERT INTO p SELECT 200 FROM generate_series(1, 7); ANALYZE;")
    assert aramid.run("stats", "save", "s.json", "--url", db.url(), cwd=project.path).rc == 0
    stats = json.load(open(os.path.join(project.path, "s.json")))
    assert {t["name"]: t["rows"] for t in stats["tables"]} == {"p": 56, "p1": 49, "p11": 49, "p2": 7}


def test_a_locked_table_is_not_waited_for(deployed, db):
    conn = db.connect()
    conn.cursor().execute("BEGIN; LOCK TABLE large IN ACCESS EXCLUSIVE MODE")
    deployed.add("2_index", "CREATE INDEX l ON large (a);")
    try:
        result = aramid.run("stats", "save", "s.json", "--url", db.url(), cwd=deployed.path)
        assert result.rc == 0, result
    finally:
        conn.close()
    stats = json.load(open(os.path.join(deployed.path, "s.json")))
    assert next(t for t in stats["tables"] if t["name"] == "large")["rows"] == 30000


# ---- the baseline -------------------------------------------------------------------------------------------

OLD = "DROP TABLE small;\nCREATE INDEX l ON large (a);"


def test_a_baseline(deployed):
    deployed.add("2_old", OLD)
    assert len(found(lint(deployed), "warning")) == 2
    written = lint(deployed, "--write-baseline")
    assert written.rc == 0 and written.json["known"] == 2, written
    known = lint(deployed)
    assert not found(known, "warning") and known.json["known"] == 2 and known.json["baseline"] == "aramid.baseline.json"
    assert len(found(lint(deployed, "--no-baseline"), "warning")) == 2
    deployed.add("3_new", "ALTER TABLE large DROP COLUMN b;")
    assert found(lint(deployed), "warning") == [("3_new", "drop-column")]


def test_an_entry_that_nothing_matches(deployed):
    deployed.add("2_old", OLD)
    assert lint(deployed, "--write-baseline").rc == 0
    deployed.add("2_old", OLD + "\nDROP INDEX l;")  # edited: all of it is told again
    told = lint(deployed)
    assert sorted(i for _, i in found(told, "warning")) == ["create-index-blocking", "drop-table"] + ["lint-baseline"] * 2
    deployed.write("aramid.yaml", "findings:\n  lint-baseline: error\n")
    assert lint(deployed).rc == 19
    assert lint(deployed, "--write-baseline").rc == 0 and lint(deployed).rc == 0
    path = os.path.join(deployed.path, "aramid.baseline.json")
    baseline = json.load(open(path))
    baseline["migrations"][0]["rules"]["drop-table"] = 2
    json.dump(baseline, open(path, "w"))
    told = lint(deployed)
    assert found(told, "error") == [("2_old", "lint-baseline")] and "fewer were found" in told.out, told
    baseline["migrations"][0]["rules"] = {"drop-table": 0, "drop-column": 1, "no-such": 1}
    json.dump(baseline, open(path, "w"))
    told = lint(deployed)
    assert ("2_old", "drop-table") in found(told, "warning") and len(found(told, "error")) == 3, told
    for wrong in ("[", "{}", '{"format": "aramid baseline 1", "migrations": [{}]}'):
        open(path, "w").write(wrong)
        assert lint(deployed).rc == 3 and "is no baseline" in lint(deployed).err


# ---- rows ---------------------------------------------------------------------------------------------------

REFUSED = [
    ("ALTER TABLE large ALTER COLUMN b SET NOT NULL", "30000 of 30000 rows have NULL"),
    ("ALTER TABLE small ADD COLUMN c int NOT NULL", "20 rows"),
    ("CREATE UNIQUE INDEX u ON twins (v)", "2 of 3 rows share their values"),
    ("CREATE UNIQUE INDEX CONCURRENTLY u ON twins (v)", "2 of 3 rows share their values"),
    ("CREATE UNIQUE INDEX u ON twins (v) WHERE w = 'a' -- the short ones", "2 of 3 rows share their values"),
    ("CREATE UNIQUE INDEX ON public.twins USING btree (lower(w) text_pattern_ops DESC, v) WITH (fillfactor = 70) WHERE (v > 0)",
     "2 of 3 rows share their values"),
    ("ALTER TABLE twins ADD CONSTRAINT u UNIQUE (v, w)", "2 of 3 rows share their values"),
    ("ALTER TABLE twins ADD PRIMARY KEY (v)", "2 of 3 rows share their values"),
    ("ALTER TABLE twins ADD CONSTRAINT c CHECK (v > ((1)))", "2 of 3 rows violate it"),
    ("ALTER TABLE twins ADD CHECK (v > 1)", "2 of 3 rows violate it"),
    ("ALTER TABLE twins VALIDATE CONSTRAINT later", "1 of 3 rows violate it"),
    ("ALTER TABLE twins ADD CONSTRAINT f FOREIGN KEY (v) REFERENCES small", "1 of 3 rows refer to nothing"),
    ("ALTER TABLE twins ADD CONSTRAINT f FOREIGN KEY (v) REFERENCES small (id)", "1 of 3 rows refer to nothing"),
    ("ALTER TABLE twins ALTER COLUMN v TYPE smallint", "1 of 3 rows do not fit"),
    ("ALTER TABLE twins ALTER COLUMN w TYPE varchar(1)", "1 of 3 rows do not fit"),
    ("ALTER TABLE twins ALTER COLUMN w TYPE int USING w::int", "3 of 3 rows do not fit"),
    ("CREATE TYPE e AS ENUM ('a', 'b'); ALTER TABLE twins ALTER COLUMN w TYPE e USING (w::text::e)", "1 of 3 rows do not fit"),
]
TWINS = ("CREATE TABLE twins (v int, w text, x int UNIQUE);"
         "ALTER TABLE twins ADD CONSTRAINT later CHECK (v < 40000) NOT VALID;")


@pytest.fixture
def twins(project, db):
    project.add("1_init", SCHEMA)
    project.add("2_twins", TWINS)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(ROWS + "ALTER TABLE twins DROP CONSTRAINT later; INSERT INTO twins VALUES (1, 'a'), (1, 'a'), (50000, 'long');"
           "ALTER TABLE twins ADD CONSTRAINT later CHECK (v < 40000) NOT VALID")
    return project


@pytest.mark.parametrize("sql, words", REFUSED)
def test_rows_that_refuse(twins, db, sql, words):
    twins.add("3_refused", "-- a comment\n" + sql + ";")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    told = [f for f in plan.json["findings"] if f["id"] == "preflight-rows"]
    assert len(told) == 1 and words in told[0]["message"] and told[0]["severity"] == "error", plan
    # The server says so, too; and in production nothing is begun.
    deploy = aramid.run("deploy", "--env", "production", "--url", db.url(), "--yes", "--no-backup", "--reason", "test",
                        cwd=twins.path)
    assert deploy.rc == 19 and words in deploy.err, deploy
    assert aramid.run("deploy", "--url", db.url(), cwd=twins.path).rc == 22


def test_rows_that_do_not(twins, db):
    db.sql("DELETE FROM twins; INSERT INTO twins VALUES (2, 'a'); UPDATE large SET b = a")
    twins.add("3_fine", ";\n".join(sql for sql, _ in REFUSED if "CONCURRENTLY" not in sql and "ADD COLUMN" not in sql
                                   and "USING w::int" not in sql and "varchar" not in sql and " f FOREIGN KEY (v) REFERENCES small ("
                                   not in sql and "TYPE" not in sql and "PRIMARY" not in sql and "INDEX u" not in sql) + ";")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    assert "preflight-rows" not in [f["id"] for f in plan.json["findings"]], plan
    deploy = aramid.run("deploy", "--url", db.url(), cwd=twins.path)
    assert deploy.rc == 0, deploy


@pytest.mark.parametrize("before, why", [
    ("UPDATE twins SET v = v + 1", "UPDATE in line 1 of 3_x comes before"),
    ("DELETE FROM twins", "DELETE in line 1 of 3_x comes before"),
    ("DO $$ BEGIN DELETE FROM twins; END $$", "DO in line 1 of 3_x may change anything before"),
    ("ALTER TABLE twins RENAME TO pair; ALTER TABLE pair RENAME TO twins", "a new name in line 1"),
])
def test_what_cannot_be_asked(twins, db, before, why):
    twins.add("3_x", before + ";")
    twins.add("4_y", "CREATE UNIQUE INDEX u ON twins (v);")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    told = [(f["severity"], f["message"]) for f in plan.json["findings"] if f["id"].startswith("preflight")]
    assert len(told) == 1 and told[0][0] == "notice" and why in told[0][1], told


def test_unique_with_a_condition_that_holds(twins, db):
    twins.add("3_x", "CREATE UNIQUE INDEX ON twins (v) WHERE w <> 'a'; CREATE UNIQUE INDEX ON twins (v) NULLS NOT DISTINCT WHERE v > 1;"
              "CREATE UNIQUE INDEX ON twins ((w || 'x, )'), (v)) WHERE (v <> 1);")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    assert not [f for f in plan.json["findings"] if f["id"].startswith("preflight")], plan
    assert aramid.run("deploy", "--url", db.url(), cwd=twins.path).rc == 0


def test_new_columns_are_not_asked(twins, db):
    twins.add("3_x", "ALTER TABLE twins ADD COLUMN n int DEFAULT 3 CHECK (n > 0), ADD COLUMN u int UNIQUE REFERENCES small;"
              "ALTER TABLE twins ALTER COLUMN n SET NOT NULL;")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    assert not [f for f in plan.json["findings"] if f["id"].startswith("preflight")], plan
    assert aramid.run("deploy", "--url", db.url(), cwd=twins.path).rc == 0


def test_statistics_say_what_is_likely(twins, db):
    db.sql("INSERT INTO twins SELECT i / 2 FROM generate_series(10, 5000) i; ANALYZE")
    assert aramid.run("stats", "save", "--url", db.url(), cwd=twins.path).rc == 0
    twins.add("3_x", "ALTER TABLE large ALTER COLUMN b SET NOT NULL;\nCREATE UNIQUE INDEX u ON twins (v);\n"
                     "CREATE UNIQUE INDEX l ON large (a);\n")
    told = [f for f in lint(twins).json["findings"] if f["id"] == "preflight-likely"]
    assert [f["line"] for f in told] == [1, 2] and "100 %" in told[0]["message"], told


def test_the_time_is_bounded(twins, db):
    twins.add("3_x", "ALTER TABLE large ALTER COLUMN b SET NOT NULL;")
    conn = db.connect()
    conn.cursor().execute("BEGIN; LOCK TABLE large IN ACCESS EXCLUSIVE MODE")
    twins.write("aramid.yaml", "preflight:\n  timeout: 300ms\n")
    try:
        plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    finally:
        conn.close()
    told = [f for f in plan.json["findings"] if f["id"].startswith("preflight")]
    assert [f["id"] for f in told] == ["preflight-not-asked"] and "the time was over" in told[0]["message"], plan
    twins.write("aramid.yaml", "preflight:\n  timeout: 0\n")
    plan = aramid.run("plan", "--json", "--url", db.url(), cwd=twins.path)
    assert not [f for f in plan.json["findings"] if f["id"].startswith("preflight")]


# ---- deploy -------------------------------------------------------------------------------------------------

def test_settings_stop_a_deploy(deployed, db):
    """Which rules, in which environment."""
    deployed.write("aramid.yaml", "environments:\n  staging:\n    profile: staging\n    confirm: false\n"
                   "    findings:\n      create-index-blocking: error\n")
    deployed.add("2_index", "CREATE INDEX l ON large (a);")
    deploy = aramid.run("deploy", "--env", "staging", "--url", db.url(), cwd=deployed.path)
    assert deploy.rc == 19 and "create-index-blocking" in deploy.err and not db.exists("l"), deploy
    deployed.add("2_index", "CREATE INDEX s ON small (a);")
    deploy = aramid.run("deploy", "--env", "staging", "--url", db.url(), cwd=deployed.path)
    assert deploy.rc == 0 and "create-index-blocking" not in deploy.err, deploy


def test_production_is_told(deployed, db):
    deployed.add("2_index", "CREATE INDEX l ON large (a);")
    deploy = aramid.run("deploy", "--env", "production", "--url", db.url(), "--yes", "--no-backup", "--reason", "test",
                        cwd=deployed.path)
    assert deploy.rc == 0 and "who writes to table large waits" in deploy.err and "about 30000 rows" in deploy.err, deploy
