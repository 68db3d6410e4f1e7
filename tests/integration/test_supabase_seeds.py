"""Supabase's seeds: the files that its CLI would run, in the table that it keeps."""

import os

import pytest

from harness import aramid
from harness.tools import Supabase

ROWS = "SELECT path, hash FROM supabase_migrations.seed_files ORDER BY 1"


def make(path, config=None):
    tool = Supabase(path)
    tool.add(1, "init", "CREATE TABLE t (i int);")
    for name, number in (("seed.sql", 1), ("seeds/b.sql", 2), ("seeds/a.sql", 3)):
        tool.write(f"../{name}", f"-- one; two\nINSERT INTO t VALUES ({number});\nINSERT INTO t VALUES ({number + 10});\n")
    if config is not None:
        tool.write("../config.toml", config)
    return tool


def seed(tool, db, *args):
    return aramid.run("seed", "--url", db.url(), "--yes", *args, cwd=tool.path)


def rows(db):
    return db.column("SELECT i FROM t")


LISTED = '[db.seed]\nenabled = true # yes\nsql_paths = [\n  "./seeds/b.sql", # first\n  "./seeds/*.sql",\n]\n'


@pytest.mark.parametrize("config, expected", [
    (None, [1, 11]), ("", [1, 11]), ('[db.seed]\nenabled = true\n', [1, 11]), (LISTED, [2, 12, 3, 13]),
    ("[db.seed]\nenabled = false\n", [1, 11]), ("[db.seed]\nsql_paths = []\n", []),
], ids=["no file", "empty", "enabled", "listed", "off", "none"])
@pytest.mark.skipif(Supabase.missing(), reason="npm packages are not installed")
def test_the_same_as_the_cli(tmp_path, db, db2, config, expected):
    tool = make(tmp_path / "p", config)
    if not config:  # the CLI does nothing without one
        tool.write("../config.toml", 'project_id = "p"\n')
    outcome = tool.apply(db2, "--include-seed")
    assert outcome.rc == 0, outcome
    assert tool.deploy(db).rc == 0 and seed(tool, db).rc == 0
    assert rows(db) == expected == rows(db2)
    if expected:
        assert db.sql(ROWS) == db2.sql(ROWS)
    for one, other in ((db, tool.apply), (db2, lambda d, _: seed(tool, d))):  # neither runs them again
        assert other(one, "--include-seed").rc == 0 and rows(one) == expected
    assert tool.aramid("drift", db, "--exit-code").rc == 0


def test_a_changed_seed_is_told_and_runs_again(tmp_path, db):
    tool = make(tmp_path / "p", LISTED)
    assert tool.deploy(db).rc == 0
    assert "seed-changed" not in tool.aramid("status", db).text
    assert seed(tool, db).rc == 0
    before = db.sql(ROWS)
    tool.write("../seeds/a.sql", "INSERT INTO t VALUES (4);")
    told = tool.aramid("status", db, "--json")
    assert told.rc == 0, told
    assert [(f["id"], f["path"]) for f in told.json["findings"]] == [("seed-changed", "supabase/seeds/a.sql")], told
    plan = seed(tool, db, "--dry-run")
    assert plan.rc == 0 and "seeds/a.sql" in plan.text and db.sql(ROWS) == before, plan
    assert seed(tool, db).rc == 0
    assert rows(db) == [2, 12, 3, 13, 4] and db.sql(ROWS) != before
    assert "seed-changed" not in tool.aramid("status", db).text


def test_one_that_fails_leaves_nothing(tmp_path, db):
    tool = make(tmp_path / "p")
    assert tool.deploy(db).rc == 0
    tool.write("../seed.sql", "INSERT INTO t VALUES (1);\nSELECT 1/0;")
    result = seed(tool, db)
    assert result.rc != 0 and "supabase/seed.sql:2" in result.text and not rows(db), result
    assert not db.sql(ROWS)


def test_once_more_is_noted_beside(tmp_path, db):
    """Their table has no place for it: a run that was cut could not be told."""
    tool = make(tmp_path / "p")
    assert tool.deploy(db).rc == 0 and seed(tool, db).rc == 0
    assert seed(tool, db, "--again").rc == 0
    assert rows(db) == [1, 11, 1, 11] and len(db.sql(ROWS)) == 1
    assert db.column("SELECT name FROM aramid.scripts") == ["supabase/seed.sql"]


def test_other_seeds_are_a_setting(tmp_path, db):
    tool = make(tmp_path / "p")
    tool.write("../../aramid.yaml", "seed_files: [supabase/seeds/b.sql]\n")
    assert tool.deploy(db).rc == 0 and seed(tool, db).rc == 0
    assert rows(db) == [2, 12] and not db.exists("supabase_migrations.seed_files")
    assert os.path.exists(os.path.join(tool.path, "supabase/seed.sql"))
