"""`aramid sync`, `fix` and `resolve --auto`: what differs, what proves it, and what is repaired."""

import os
import shutil

import pytest

from harness import aramid, ledger
from harness.tools import Dbmate, Drizzle, Drizzle1, Supabase


def run(project, db, *args):
    return aramid.run(*args, "--url", db.url(), cwd=project.path)


def classes(result):
    return [(d["class"], d["migration"], d["outcome"]) for d in result.json["differences"]]


def fail(db, project, name):
    """A row as Prisma's engine leaves it when a migration fails."""
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, started_at)"
           " VALUES (gen_random_uuid()::text, %s, %s, 'ERROR', now())", project.checksum(name), name)


@pytest.fixture
def two(project, db):
    """One that is applied, one that failed."""
    project.add("init", "CREATE TABLE a (i int PRIMARY KEY, t text);")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("more", "ALTER TABLE a ADD COLUMN n int;\nCREATE TABLE b (i int);\nCREATE INDEX b_i ON b (i);")
    fail(db, project, name)
    return name


def test_nothing_of_it_is_there(project, db, two):
    result = run(project, db, "resolve", "--auto", "--dry-run", "--json")
    assert result.rc == 0, result
    (d,) = result.json["differences"]
    assert (d["class"], d["verdict"], d["repair"], d["outcome"]) == ("failed", "not-applied", "roll-back", "planned")
    assert len(d["missing"]) == 3 and not d["there"], d
    assert not ledger.rows(db)[-1]["rolled_back_at"]
    result = run(project, db, "resolve", "--auto")
    assert result.rc == 0 and "rolled back" in result.out, result
    assert aramid.deploy(project, db.url()).rc == 0 and db.exists("b")


def test_all_of_it_is_there(project, db, two):
    db.sql("ALTER TABLE a ADD COLUMN n int; CREATE TABLE b (i int); CREATE INDEX b_i ON b (i)")
    db.sql("CREATE TABLE drift (i int); ALTER TABLE a ADD COLUMN other int")  # of others: none of its effect
    result = run(project, db, "resolve", "--auto", two, "--env", "development")
    assert result.rc == 0, result
    assert ledger.applied(db) == project.names
    assert run(project, db, "status").rc == 0
    assert db.sql("SELECT verb, outcome, applied FROM aramid.runs") == [("resolve", "done", 1)]


def test_some_of_it_is_there(project, db, two):
    db.sql("CREATE TABLE b (i int)")
    before = ledger.rows(db)
    result = run(project, db, "resolve", "--auto", two)
    assert result.rc == 60, result
    for words in ('missing: alter table "public"."a": column n', 'there:   create table "public"."b"', "--applied", "--rolled-back"):
        assert words in result.out, (words, result)
    assert ledger.rows(db) == before
    result = run(project, db, "sync", "--json")
    assert result.rc == 60 and classes(result)[0] == ("failed", two, "left"), result


def test_a_column_that_somebody_changed_since(project, db):
    project.add("init", "CREATE TABLE a (i int, s varchar(10));")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("wider", "ALTER TABLE a ALTER COLUMN s TYPE varchar(20);")
    fail(db, project, name)
    db.sql("ALTER TABLE a ALTER COLUMN s TYPE text")
    result = run(project, db, "resolve", "--auto", "--json")
    assert result.rc == 60 and result.json["differences"][0]["verdict"] == "untold", result


def test_rows_leave_no_trace(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("data", "INSERT INTO a VALUES (1);")
    fail(db, project, name)
    result = run(project, db, "resolve", "--auto")
    assert result.rc == 60 and "only rows" in result.out and "--rolled-back" in result.out, result


def test_a_file_that_commits_on_its_way(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("data", "BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;\nCREATE TABLE b (i int);")
    fail(db, project, name)
    result = run(project, db, "resolve", "--auto", "--json")
    assert result.rc == 60 and result.json["differences"][0]["verdict"] == "untold", result


def test_a_file_that_does_not_run_anywhere(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    name = project.add("bad", "CREATE TABLE b (i int);\nALTER TABLE nowhere ADD COLUMN i int;")
    fail(db, project, name)
    result = run(project, db, "resolve", "--auto", "--json", "--dry-run")
    assert result.json["differences"][0]["verdict"] == "not-applied", result
    db.sql("CREATE TABLE b (i int)")
    result = run(project, db, "resolve", "--auto", "--json")
    (d,) = result.json["differences"]
    assert result.rc == 60 and d["verdict"] == "partly" and "statement 2" in d["text"], result


def test_later_ones_that_need_it(project, db):
    """An older one that was run by hand and never recorded."""
    project.add("init", "CREATE TABLE a (i int);")
    lost = project.add("lost", "CREATE TABLE b (i int, gone int);")
    project.add("later", "ALTER TABLE b DROP COLUMN gone;")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("DELETE FROM _prisma_migrations WHERE migration_name = %s", lost)
    result = run(project, db, "sync", "--json")
    assert result.rc == 0 and classes(result) == [("unrecorded", lost, "repaired")], result
    assert run(project, db, "status").rc == 0


def test_unknown_name_and_nothing_failed(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    result = run(project, db, "resolve", "--auto")
    assert result.rc == 0 and "nothing to decide" in result.out, result
    assert run(project, db, "resolve", "--auto", "nope").rc == 27
    assert run(project, db, "resolve", "--auto", name, "--force").rc == 2
    assert run(project, db, "resolve", "--dry-run", "--applied", name).rc == 2


def test_a_baseline_by_itself(project, db):
    for name in ("one", "two", "three"):
        project.add(name, f"CREATE TABLE {name} (id int PRIMARY KEY);")
    db.sql("CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY)")
    result = run(project, db, "sync", "--json")
    assert result.rc == 10, result
    assert classes(result) == [("unrecorded", project.names[0], "repaired"), ("unrecorded", project.names[1], "repaired"),
                               ("pending", project.names[2], "deploy")]
    assert ledger.applied(db) == project.names[:2]
    assert aramid.deploy(project, db.url()).rc == 0
    result = run(project, db, "sync")
    assert result.rc == 0 and "agree" in result.out, result


def test_nothing_there_and_nothing_to_do(project, db):
    project.add("one", "CREATE TABLE one (id int);")
    result = run(project, db, "sync", "--json")
    assert result.rc == 10 and classes(result) == [("pending", project.names[0], "deploy")], result
    assert not db.exists("_prisma_migrations")


def test_rows_in_a_file_are_left_to_a_person(project, db):
    project.add("init", "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1);")
    db.sql("CREATE TABLE a (i int)")
    result = run(project, db, "sync", "--json")
    assert result.rc == 60 and classes(result) == [("unrecorded", project.names[0], "left")], result
    assert "--applied" in result.json["differences"][0]["next"]


def test_edited_renamed_missing(project, db):
    for name in ("one", "two", "three", "four"):
        project.add(name, f"CREATE TABLE {name} (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    names = project.names
    project.edit(names[1], "CREATE TABLE two (id int, more int);")
    renamed = names[2] + "_renamed"
    os.rename(os.path.dirname(project.file(names[2])), os.path.dirname(project.file(renamed)))
    shutil.rmtree(os.path.dirname(project.file(names[3])))
    result = run(project, db, "sync", "--json", "--dry-run")
    found = {d["migration"]: (d["class"], d["outcome"]) for d in result.json["differences"]}
    assert result.rc == 60, result
    assert found[renamed] == ("renamed", "planned") and found[None] == ("drift", "left"), found
    assert found[names[1]] == ("edited", "left") and found[names[3]] == ("missing", "left"), found


def test_an_edit_without_effect(project, db):
    name = project.add("one", "CREATE TABLE one (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.edit(name, "-- a word about it\nCREATE TABLE one (id int);")
    result = run(project, db, "sync", "--json")
    assert result.rc == 0 and classes(result) == [("edited", name, "repaired")], result
    assert run(project, db, "status").rc == 0
    project.edit(name, "CREATE TABLE one (id int);\nINSERT INTO one VALUES (1);")
    assert run(project, db, "sync").rc == 60
    assert run(project, db, "fix").rc == 60


def test_a_row_that_failed_beside_one_that_did_not(project, db):
    name = project.add("one", "CREATE TABLE one (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    fail(db, project, name)
    assert run(project, db, "status").rc == 11
    result = run(project, db, "fix", "--json")
    assert result.rc == 0 and result.json["differences"][0]["repair"] == "roll-back", result
    assert run(project, db, "status").rc == 0


def test_doubled_rows(project, db):
    name = project.add("one", "CREATE TABLE one (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO _prisma_migrations SELECT gen_random_uuid()::text, checksum, finished_at, migration_name, logs,"
           " rolled_back_at, started_at + interval '1 s', applied_steps_count FROM _prisma_migrations")
    result = run(project, db, "fix", "--json")
    assert result.rc == 0 and classes(result) == [("doubled", name, "repaired")], result
    assert len(ledger.rows(db)) == 1
    assert run(project, db, "fix").rc == 0


def test_production_asks(project, db, two):
    result = aramid.run("sync", "--url", db.url(), "--env", "production", cwd=project.path)
    assert result.rc in (4, 8), result
    assert not ledger.rows(db)[-1]["rolled_back_at"]
    result = aramid.run("sync", "--url", db.url(), "--env", "production", "--dry-run", cwd=project.path)
    assert result.rc == 0 and "repair" in result.out, result


def test_a_table_that_does_not_keep_what_is_written(project, db, two):
    db.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
           "CREATE TRIGGER no BEFORE UPDATE ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION no()")
    result = run(project, db, "sync")
    assert result.rc == 28, result
    assert not ledger.rows(db)[-1]["rolled_back_at"]


# ---- ledgers of other tools: what was repaired, the tool itself finds nothing to do about ------------------------


@pytest.fixture
def tool(request, tmp_path):
    return request.param(tmp_path / "project")


def each(*tools):
    return pytest.mark.parametrize("tool", tools, indirect=True, ids=lambda t: t.name)


def nothing_to_do(tool, db):
    """For the tool and for us."""
    assert tool.aramid("status", db).rc == 0
    assert tool.aramid("sync", db).rc == 0
    if not tool.missing():
        before = tool.rows(db)
        outcome = tool.apply(db)
        assert outcome.rc == 0 and tool.rows(db) == before, outcome


def witness(tool, db):
    """Two migrations that say how often they ran."""
    names = [tool.add(1, "init", "CREATE TABLE witness (part text);"), tool.add(2, "two", "CREATE TABLE two (i int);")]
    tool.add(3, "three", "CREATE TABLE three (i int);")
    assert tool.deploy(db).rc == 0
    return names


@each(Drizzle, Drizzle1)
def test_drizzle_rows_of_a_race(tool, db):
    names = witness(tool, db)
    copied = tool.columns.replace(" ", "")
    db.sql(f"INSERT INTO {tool.ledger} ({copied}) SELECT {copied} FROM {tool.ledger}")
    result = tool.aramid("fix", db, "--json", "--dry-run")
    assert result.rc == 0 and [d["outcome"] for d in result.json["differences"]] == ["planned"] * 3, result
    assert len(tool.rows(db)) == 6
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 0 and result.json["repaired"], result
    assert classes(result)[0] == ("doubled", names[0], "repaired") and len(tool.rows(db)) == 3
    assert "ran twice" in result.json["differences"][0]["next"] or "run twice" in result.json["differences"][0]["next"]
    nothing_to_do(tool, db)


@each(Drizzle)
def test_drizzle_row_without_time(tool, db):
    """drizzle-kit 0.x takes it for the newest row and runs everything again."""
    names = witness(tool, db)
    db.sql(f"UPDATE {tool.ledger} SET created_at = NULL WHERE id = 2")
    if not tool.missing():
        assert tool.apply(db).rc != 0  # "already exists"
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 0 and classes(result) == [("incomplete", names[1], "repaired")], result
    nothing_to_do(tool, db)
    db.sql(f"INSERT INTO {tool.ledger} (hash, created_at) VALUES ('what nobody has', NULL)")
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 60 and classes(result)[0][2] == "left", result


@each(Drizzle1)
def test_drizzle_row_that_an_older_runner_added(tool, db):
    """drizzle-kit 1.0 would run its migration again."""
    names = witness(tool, db)
    db.sql(f"UPDATE {tool.ledger} SET name = NULL WHERE id = 2")
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 0 and classes(result) == [("incomplete", names[1], "repaired")], result
    nothing_to_do(tool, db)


@each(Drizzle1)
def test_drizzle_table_of_an_older_version(tool, db):
    witness(tool, db)
    db.sql(f"ALTER TABLE {tool.ledger} DROP COLUMN name, DROP COLUMN applied_at")
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 0 and classes(result) == [("outdated", None, "repaired")], result
    nothing_to_do(tool, db)


@each(Drizzle, Drizzle1)
@pytest.mark.parametrize("recorded", [lambda sql: sql.replace("\n", "\r\n"), lambda sql: sql + "\n", lambda sql: "\ufeff" + sql],
                         ids=["crlf", "end", "bom"])
def test_hash_of_other_line_ends(tool, db, recorded):
    name = tool.add(1, "init", "CREATE TABLE a (i int);\nCREATE TABLE b (i int);")
    assert tool.deploy(db).rc == 0
    db.sql(f"UPDATE {tool.ledger} SET hash = encode(sha256(convert_to(%s, 'UTF8')), 'hex')",
           recorded("CREATE TABLE a (i int);\nCREATE TABLE b (i int);"))
    assert tool.aramid("status", db).rc == 13
    result = tool.aramid("fix", db, "--json")
    assert result.rc == 0 and classes(result) == [("edited", name, "repaired")], result
    nothing_to_do(tool, db)


@each(Drizzle, Drizzle1, Supabase)
def test_renamed(tool, db):
    """Another time or name, the same contents: the tool would run it again."""
    witness(tool, db)
    old, new = tool.file(tool.add(4, "last", "CREATE TABLE last (i int);")), "20261129120009_other"
    assert tool.deploy(db).rc == 0
    folder = os.path.join(tool.path, tool.folder)
    if isinstance(tool, Drizzle1):
        os.rename(os.path.dirname(os.path.join(folder, old)), os.path.join(folder, new))
    elif isinstance(tool, Supabase):
        os.rename(os.path.join(folder, old), os.path.join(folder, f"{new}.sql"))
    else:
        path = os.path.join(folder, "meta/_journal.json")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        tool.write("meta/_journal.json", text.replace(str(tool.when(4)), str(tool.when(9))))
    result = tool.aramid("sync", db, "--json")
    assert result.rc == 0 and [c[0] for c in classes(result)] == ["renamed"], result
    nothing_to_do(tool, db)


@each(Drizzle, Drizzle1, Supabase, Dbmate)
def test_a_lost_row(tool, db):
    names = witness(tool, db)
    column, value = {"drizzle": ("created_at", 1700000002000)}.get(tool.name, ("name" if tool.name == "drizzle-1" else
                                                                             "version", names[1]))
    db.sql(f"DELETE FROM {tool.ledger} WHERE {column} = %s", value if column != "version" else names[1].split("_")[0])
    result = tool.aramid("sync", db, "--json")
    assert result.rc == 0 and classes(result) == [("unrecorded", names[1], "repaired")], result
    nothing_to_do(tool, db)
