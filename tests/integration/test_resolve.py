"""`aramid resolve`: baselining and repairing the history by hand."""

import pytest

from harness import aramid, ledger


def resolve(project, db, *args):
    return aramid.run("resolve", *args, "--url", db.url(), cwd=project.path)


@pytest.fixture
def three(project):
    for name in ("one", "two", "three"):
        project.add(name, f"CREATE TABLE {name} (id int PRIMARY KEY);\nCREATE INDEX {name}_id ON {name} (id);")
    return project


def make(db, *names):
    for name in names:
        db.sql(f"CREATE TABLE {name} (id int PRIMARY KEY); CREATE INDEX {name}_id ON {name} (id)")


def test_baseline_up_to(three, db):
    make(db, "one", "two")
    result = aramid.deploy(three, db.url())
    assert result.rc == 24 and "P3005" in result.text and "resolve --applied" in result.text, result
    result = resolve(three, db, "--applied", "--up-to", three.names[1])
    assert result.rc == 0, result
    assert ledger.applied(db) == three.names[:2]
    result = aramid.deploy(three, db.url())
    assert result.rc == 0, result
    assert ledger.applied(db) == three.names and db.exists("three")


def test_baseline_as_prisma_records_it(oracle, three, db, db2):
    make(db, "one")
    make(db2, "one")
    assert resolve(three, db, "--applied", three.names[0]).rc == 0
    assert oracle.prisma(three, db2.url(), "migrate", "resolve", "--applied", three.names[0]).rc == 0
    ours, theirs = ledger.rows(db)[0], ledger.rows(db2)[0]
    for key in ("checksum", "migration_name", "logs", "rolled_back_at", "applied_steps_count"):
        assert ours[key] == theirs[key], key
    assert ours["started_at"] and ours["finished_at"]
    done = oracle.deploy(three, db.url())
    assert done.rc == 0 and three.names[2] in done.text, done


def test_probe_refuses_what_is_not_there(three, db):
    result = resolve(three, db, "--applied", three.names[0])
    assert result.rc == 27 and "one" in result.text and "--force" in result.text, result
    assert resolve(three, db, "--applied", three.names[0], "--force").rc == 0
    assert ledger.applied(db) == three.names[:1]


def test_already_applied(three, db):
    assert aramid.deploy(three, db.url()).rc == 0
    result = resolve(three, db, "--applied", three.names[0])
    assert result.rc == 27 and "P3008" in result.text, result


def test_unknown_name(three, db):
    result = resolve(three, db, "--applied", "20990101000000_nope")
    assert result.rc == 27 and "P3017" in result.text, result


@pytest.mark.parametrize("typed, meant", [
    ("usres", "20250101000000_users"), ("20250101000001_users", "20250101000000_users"), ("posts", "20250102000000_posts"),
    ("nope", None), ("x", None), ("", None)])
def test_only_what_is_near_is_meant(project, db, typed, meant):
    project.add("20250101000000_users", "CREATE TABLE u (i int);")
    project.add("20250102000000_posts", "CREATE TABLE p (i int);")
    result = aramid.run("resolve", "--applied", typed, "--url", db.url(), cwd=project.path)
    assert result.rc != 0 and ("did you mean" in result.err) == bool(meant) and (not meant or f'"{meant}"' in result.err), result



def test_rolled_back(oracle, project, db):
    project.add("init", "CREATE TABLE a (i int);")
    name = project.add("bad", "CREATE TABLE b (i int);\nSELECT 1/0;")
    assert oracle.deploy(project, db.url()).rc == 1
    project.edit(name, "CREATE TABLE b (i int);")
    result = resolve(project, db, "--rolled-back", name)
    assert result.rc == 0, result
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    rows = [r for r in ledger.rows(db) if r["migration_name"] == name]
    assert len(rows) == 2 and rows[0]["rolled_back_at"] and rows[1]["finished_at"]
    assert "up to date" in oracle.status(project, db.url()).text


def test_rolled_back_twice(oracle, project, db):
    name = project.add("bad", "SELECT 1/0;")
    assert oracle.deploy(project, db.url()).rc == 1
    assert resolve(project, db, "--rolled-back", name).rc == 0
    result = resolve(project, db, "--rolled-back", name)
    assert result.rc == 27 and "P3012" in result.text and "rolled back already" in result.err, result
    assert "aramid deploy" in result.err and "reverses" not in result.err, result


def test_rolled_back_needs_a_failed_one(three, db):
    assert aramid.deploy(three, db.url()).rc == 0
    result = resolve(three, db, "--rolled-back", three.names[0])
    assert result.rc == 27 and "P3012" in result.text, result
    result = resolve(three, db, "--rolled-back", "20990101000000_nope")
    assert result.rc == 27 and "P3011" in result.text, result


def test_failed_one_is_marked_applied(oracle, project, db):
    name = project.add("bad", "CREATE TABLE b (i int);\nSELECT 1/0;")
    assert oracle.deploy(project, db.url()).rc == 1
    db.sql("CREATE TABLE b (i int)")
    result = resolve(project, db, "--applied", name)
    assert result.rc == 0, result
    assert aramid.deploy(project, db.url()).rc == 0
    assert "up to date" in oracle.status(project, db.url()).text


@pytest.mark.parametrize("args", [[], ["--applied"], ["--rolled-back"],
                                  ["--applied", "a", "--rolled-back", "b"], ["--up-to", "a"]])
def test_wrong_flags(three, db, args):
    result = resolve(three, db, *args)
    assert result.rc == 2, result
    assert not db.exists("_prisma_migrations")


def test_prisma_spelling(oracle, three, db):
    make(db, "one")
    result = aramid.run("migrate", "resolve", "--applied", three.names[0], "--url", db.url(),
                        cwd=three.path)
    assert result.rc == 0 and "marked as applied" in result.text, result
    result = aramid.run("migrate", "resolve", "--applied", "nope", "--url", db.url(), cwd=three.path)
    assert result.rc == 1 and "P3017" in result.text, result


def test_schema_of_the_url_is_made(project, db):
    """As deploy makes it."""
    name = project.add("init", "SELECT 1;")
    result = aramid.run("resolve", "--applied", name, "--url", db.url() + "&schema=fresh"
                        if "?" in db.url() else db.url() + "?schema=fresh", cwd=project.path)
    assert result.rc == 0, result
    assert db.sql("SELECT migration_name FROM fresh._prisma_migrations") == [(name,)]


@pytest.mark.parametrize("flag", ["--applied", "--rolled-back"])
def test_journal_forgets_what_is_settled(project, db, flag):
    """A run that stopped between two steps, then a person decides."""
    project.add("init", "CREATE TABLE a (i int);")
    name = project.add("index", "CREATE INDEX CONCURRENTLY a_i ON a (i);\nCREATE TABLE b (i int);\nSELECT 1/0;")
    assert aramid.deploy(project, db.url()).rc == 22
    assert db.sql("SELECT count(*) FROM aramid.journal") != [(0,)]
    result = resolve(project, db, flag, name, *(["--force"] if flag == "--applied" else []))
    assert result.rc == 0, result
    assert db.sql("SELECT count(*) FROM aramid.journal") == [(0,)]
