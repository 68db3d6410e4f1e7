"""Several histories in one database: one deploy, one order, each migration in the table of its tool."""

import concurrent.futures
import glob
import os
import signal

import pytest

from harness import aramid
from harness.both import Both
from harness.tools import Dbmate, Drizzle, Drizzle1, Supabase

@pytest.fixture
def both(tmp_path):
    return Both(tmp_path / "project")


@pytest.mark.parametrize("other", [Supabase, Drizzle, Drizzle1, Dbmate], ids=lambda t: t.name)
def test_one_order_and_two_tables(tmp_path, db, other):
    both = Both(tmp_path / "project", other)
    if other is Drizzle:  # its times are those of its journal
        names = [both.prisma.add(n, f"p{n}", f"CREATE TABLE p{n} ();") for n in (1, 2)]
        names.append(both.other.add(1, "d", "CREATE TABLE d ();", when=1795951201500))
        assert both.deploy(db).rc == 0
        assert len(both.prisma.rows(db)) == 2 and len(both.other.rows(db)) == 1
        return
    names = both.fill()
    plan = both.run("plan", db, "--json").json
    assert [m["name"] for m in plan["migrations"]] == names
    assert [m["history"] for m in plan["migrations"]] == ["prisma", other.name] * 3
    result = both.deploy(db)
    assert result.rc == 0, result
    both.check(db)
    assert both.status(db)["applied"] == names
    drift = both.run("drift", db, "--exit-code")
    assert drift.rc == 0, drift
    check = both.run("check", db)
    assert check.rc == 0, check
    text = both.run("status", db).out
    assert "Prisma    prisma/migrations: 3 applied" in text and f"{both.other.folder}: 3 applied" in text
    # Each tool finds nothing to do.
    before = both.prisma.rows(db), both.other.rows(db)
    if not both.prisma.missing():
        outcome = both.prisma.apply(db)
        assert outcome.rc == 0 and "No pending migrations" in outcome.text, outcome
    if not both.other.missing():
        outcome = both.other.apply(db)
        assert outcome.rc == 0, outcome
    assert (both.prisma.rows(db), both.other.rows(db)) == before
    again = both.deploy(db)
    assert again.rc == 0 and "up to date" in again.out, again


@pytest.mark.parametrize("point", ["locked", "ledger-created", "before-message", "after-message", "before-intent",
                                   "after-intent", "after-statement", "after-finish", "before-verify"])
@pytest.mark.parametrize("passage", [1, 2])
def test_killed_anywhere_it_goes_on(both, db, point, passage):
    both.fill()
    result = both.deploy(db, env={"ARAMID_FAILPOINT": f"{point}#{passage}:kill"})
    assert result.rc in (0, -signal.SIGKILL), result
    result = both.deploy(db)
    assert result.rc == 0, result
    both.check(db)


def test_ten_at_once(both, db):
    both.fill()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: both.deploy(db), range(10)))
    assert all(r.rc == 0 for r in results), results
    both.check(db)


def test_all_in_one_transaction(both, db):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    both.other.add(2, "two", "CREATE TABLE two ();")
    both.prisma.add(3, "bad", "SELECT 1/0;")
    assert both.deploy(db, "--tx", "all").rc != 0 and not db.exists("one")
    both.prisma.add(3, "bad", "SELECT 1;")
    assert both.deploy(db, "--tx", "all").rc == 0
    assert len(both.prisma.rows(db)) == 2 and len(both.other.rows(db)) == 1


def test_a_failure_in_one_leaves_the_other_plain(both, db):
    first = both.prisma.add(1, "one", "CREATE TABLE one (i int);")
    bad = both.other.add(2, "two", "CREATE TABLE two (i int);\nSELECT 1/0;")
    last = both.prisma.add(3, "three", "CREATE TABLE three (i int);")
    result = both.deploy(db)
    assert result.rc == 22 and f"supabase/migrations/{bad}.sql:2" in result.text, result
    status = both.status(db)
    assert (status["applied"], status["pending"]) == ([first], [bad, last]), status
    assert not db.exists("two") and not db.exists("three")
    both.other.add(2, "two", "CREATE TABLE two (i int);")
    assert both.deploy(db).rc == 0
    assert both.status(db)["state"] == "up-to-date"


# ---- order ------------------------------------------------------------------------------------------


def pending(both, db):
    return both.status(db)["pending"]


def test_after(both, db):
    early = both.other.add(1, "early", "-- aramid:after 20261129120003_table\nCREATE POLICY p ON t USING (true);")
    table = both.prisma.add(3, "table", "CREATE TABLE t ();")
    second = both.other.add(2, "second", "SELECT 2;")
    assert pending(both, db) == [table, early, second]  # the order of its own tool stays
    assert both.deploy(db).rc == 0
    assert both.status(db)["applied"] == [table, early, second]
    assert both.run("drift", db, "--exit-code").rc == 0


def test_after_nothing(both, db):
    both.prisma.add(1, "one", "-- aramid:after 20261129120009_gone\nCREATE TABLE one ();")
    result = both.deploy(db)
    assert result.rc != 0 and "20261129120009_gone" in result.text and "history-after" in result.text, result
    assert not db.exists("one")
    both.settings("migrations: [prisma/migrations, supabase/migrations]\nfindings:\n  history-after: warning\n")
    assert both.deploy(db).rc == 0
    quiet = both.deploy(db)  # settled where it was applied
    assert quiet.rc == 0 and "history-after" not in quiet.text, quiet


@pytest.mark.parametrize("own", [False, True], ids=["across", "own tool"])
def test_a_circle(both, db, own):
    if own:
        both.prisma.add(1, "one", "-- aramid:after 20261129120002_two\nSELECT 1;")
        both.prisma.add(2, "two", "SELECT 2;")
    else:
        both.prisma.add(1, "one", "-- aramid:after 20261129120002_two\nSELECT 1;")
        both.other.add(2, "two", "-- aramid:after 20261129120001_one\nSELECT 2;")
    result = both.deploy(db)
    assert result.rc != 0 and "goes in a circle" in result.text and "20261129120002_two" in result.text, result
    assert db.one("SELECT count(*) FROM pg_class WHERE relname IN ('_prisma_migrations', 'schema_migrations')") == 0


def test_the_same_time(both, db):
    two = both.other.add(1, "two", "CREATE TABLE two ();")
    one = both.prisma.add(1, "one", "CREATE TABLE one ();")
    assert pending(both, db) == [one, two]
    result = both.deploy(db)
    assert result.rc == 0 and "history-between" in result.text, result
    assert "history-between" not in both.deploy(db).text
    both.settings("migrations: [supabase/migrations, prisma/migrations]\n")
    assert both.status(db)["applied"] == [two, one]


def test_without_a_time(both, db):
    first = both.prisma.project.write("prisma/migrations/0_init/migration.sql", "CREATE TABLE a ();")
    both.prisma.add(2, "two", "CREATE TABLE b ();")
    assert "history-between" not in both.deploy(db).text
    os.rename(os.path.dirname(first), os.path.join(os.path.dirname(os.path.dirname(first)), "z_last"))
    result = both.run("plan", db)
    assert "its name tells no time" in result.text, result


def test_the_other_tool_was_ahead(both, db):
    """Prisma itself has applied a later file: the earlier one of the other history is late, and told."""
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    assert both.deploy(db).rc == 0
    late = both.other.add(2, "late", "CREATE TABLE late ();")
    both.prisma.add(3, "three", "CREATE TABLE three ();")
    other = Both(both.path)
    other.settings("migrations: prisma/migrations\n")
    assert other.deploy(db).rc == 0
    both.settings("migrations: [prisma/migrations, supabase/migrations]\nfindings: {history-no-ledger: warning}\n")
    status = both.status(db)
    assert status["outOfOrder"] == [late], status
    result = both.deploy(db)
    assert result.rc == 0 and "history-late" in result.text, result


# ---- what is in the database already -----------------------------------------------------------------


def test_a_table_that_is_missing(both, db):
    """What one history has applied is newer: nobody knows whether the other's ran without a table."""
    policy = both.other.add(1, "policy", "CREATE TABLE notes (t text);")
    new = both.other.add(4, "new", "CREATE TABLE new ();")
    both.prisma.add(2, "one", "CREATE TABLE one ();")
    both.settings("migrations: prisma/migrations\n")
    assert both.deploy(db).rc == 0
    db.sql("CREATE TABLE notes (t text)")
    both.settings("migrations: [prisma/migrations, supabase/migrations]\n")
    result = both.deploy(db)
    assert result.rc != 0 and "history-no-ledger" in result.text, result
    assert f"--history supabase --applied --up-to {policy}" in result.text, result
    assert not db.exists("new") and not both.status(db)["histories"][1]["exists"]
    result = both.run("resolve", db, "--history", "supabase", "--applied", "--up-to", policy, "--yes")
    assert result.rc == 0, result
    assert both.deploy(db).rc == 0
    assert both.status(db)["applied"] == [policy, "20261129120002_one", new]


def test_a_new_history_needs_nothing(both, db):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    assert both.deploy(db).rc == 0
    assert both.status(db)["histories"][1]["exists"] is False
    both.other.add(2, "two", "CREATE TABLE two ();")
    assert both.deploy(db).rc == 0
    assert both.status(db)["histories"][1]["exists"] is True


def test_baseline_of_both(both, db):
    names = [both.prisma.add(1, "one", "CREATE TABLE one ();"),
             both.other.add(2, "two", "CREATE TABLE two ();"),
             both.prisma.add(3, "three", "CREATE TABLE three ();")]
    db.sql("CREATE TABLE one (); CREATE TABLE two ();")
    result = both.deploy(db)
    assert result.rc != 0 and "no migration history" in result.text, result
    result = both.run("resolve", db, "--applied", "--up-to", names[2], "--yes")
    assert result.rc != 0 and "three" in result.text, result
    result = both.run("resolve", db, "--applied", "--up-to", names[1], "--yes")
    assert result.rc == 0, result
    assert (both.prisma.rows(db), len(both.other.rows(db))) == ([names[0]], 1)
    assert both.deploy(db).rc == 0
    result = both.run("resolve", db, "--history", "dbmate", "--applied", "--up-to", names[2], "--yes")
    assert result.rc != 0 and "--history supabase" in result.text, result


def test_resolve_by_name(both, db):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    two = both.other.add(2, "two", "CREATE TABLE two ();")
    db.sql("CREATE TABLE two ();")
    result = both.run("resolve", db, "--applied", two, "--yes")
    assert result.rc == 0, result
    assert len(both.other.rows(db)) == 1 and not db.exists("_prisma_migrations")


def test_one_table_may_not_be_read(both, db, server):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    both.other.add(2, "two", "CREATE TABLE two ();")
    assert both.deploy(db).rc == 0
    db.sql("CREATE ROLE half_reader LOGIN; GRANT SELECT ON _prisma_migrations TO half_reader;")
    try:
        url = db.url().replace("postgresql://", "postgresql://half_reader@", 1) if "@" not in db.url() else \
            "postgresql://half_reader@" + db.url().split("@", 1)[1]
        result = aramid.run("status", "--url", url, cwd=both.path)
        assert result.rc != 0 and "supabase_migrations" in result.text, result
    finally:
        db.sql("DROP OWNED BY half_reader; DROP ROLE half_reader")


def test_drift_and_diff_know_both(both, db, db2):
    both.fill()
    assert both.deploy(db).rc == 0
    db.sql("DROP POLICY p ON more")
    drift = both.run("drift", db, "--exit-code")
    assert drift.rc != 0 and "policy" in drift.text.lower(), drift
    diff = aramid.run("diff", "--from-migrations", "prisma/migrations,supabase/migrations", "--to-url", db.url(),
                      "--exit-code", cwd=both.path)
    assert diff.rc == 2 and "more" in diff.out, diff
    only = aramid.run("diff", "--from-empty", "--to-migrations", "supabase/migrations", cwd=both.path)
    assert only.rc != 0, only  # its policies need Prisma's tables


# ---- settings -----------------------------------------------------------------------------------------


def test_an_empty_folder(both, db):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    os.makedirs(os.path.join(both.path, "db/migrations"))
    both.settings("migrations: [prisma/migrations, db/migrations]\n")
    result = both.deploy(db)
    assert result.rc != 0 and "history: [prisma, dbmate]" in result.text, result
    both.settings("migrations: [prisma/migrations, db/migrations]\nhistory: [prisma, dbmate]\n")
    assert both.deploy(db).rc == 0
    assert not db.exists("schema_migrations")


@pytest.mark.parametrize("settings, words", [
    ("migrations: [prisma/migrations, ./prisma/../prisma/migrations]", "the same folder"),
    ("migrations: [prisma/migrations, prisma/second]", "share the history table"),
    ("migrations: [prisma/migrations, supabase/gone]", "supabase/gone"),
    ("migrations: [prisma/migrations, supabase/migrations]\nhistory: [prisma]", "1 item for 2 folders"),
    ("migrations: [prisma/migrations, supabase/migrations]\nhistory: [prisma, rails]", "rails"),
    ("migrations: [prisma/migrations, supabase/migrations]\nhistory_table: ['-', other.table]", "Supabase"),
])
def test_settings_that_cannot_be(both, db, settings, words):
    both.fill()
    both.prisma.project.write("prisma/second/20261129120009_x/migration.sql", "SELECT 1;")
    both.settings(settings + "\n")
    result = both.deploy(db)
    assert result.rc != 0 and words in result.text, result
    assert not db.exists("witness")


def test_settings_that_can_be(both, db):
    both.fill()
    both.settings("history: [prisma, supabase]\nhistory_table: ['-', '-']\n")
    result = both.deploy(db, "--migrations", "prisma/migrations,supabase/migrations")
    assert result.rc == 0, result
    status = both.run("status", db, "--migrations", "prisma/migrations, supabase/migrations")
    assert status.rc == 0, status


def test_two_of_one_tool(tmp_path, db):
    """Two folders of Drizzle, each with a table of its own."""
    one, two = Drizzle(tmp_path / "project"), Drizzle(tmp_path / "project" / "second")
    one.add(1, "a", "CREATE TABLE a ();")
    two.add(2, "b", "CREATE TABLE b ();")
    settings = "migrations: [drizzle, second/drizzle]\nhistory_table: ['-', drizzle.second]\n"
    with open(tmp_path / "project" / "aramid.yaml", "w", encoding="utf-8") as file:
        file.write(settings)
    result = one.deploy(db)
    assert result.rc == 0, result
    assert db.one("SELECT count(*) FROM drizzle.__drizzle_migrations") == 1
    assert db.one("SELECT count(*) FROM drizzle.second") == 1
    drift = one.aramid("drift", db, "--exit-code")
    assert drift.rc == 0, drift


def test_one_name_in_both(both, db):
    both.prisma.add(1, "init", "CREATE TABLE one ();")
    both.other.add(1, "init", "CREATE TABLE one ();")
    result = both.deploy(db)
    assert result.rc != 0 and "two histories have a migration" in result.text, result
    assert not db.exists("one")


def test_a_second_folder_is_told(both, db):
    both.prisma.add(1, "one", "CREATE TABLE one ();")
    both.other.add(2, "two", "CREATE TABLE two ();")
    os.unlink(os.path.join(both.path, "aramid.yaml"))
    for verb in "status", "plan", "deploy":
        result = both.run(verb, db, *(["--yes"] if verb == "deploy" else []))
        assert "history-other-folder" in result.text, result
        assert "migrations: [prisma/migrations, supabase/migrations]" in result.text, result
    assert db.exists("one") and not db.exists("two")
    both.settings("findings: {history-other-folder: off}\n")
    assert "supabase" not in both.deploy(db).text


def test_doctor_and_backup(both, db):
    both.fill()
    assert both.deploy(db).rc == 0
    doctor = both.run("doctor", db, "--json").json
    several = [f for f in doctor["findings"] if f["id"] == "ledger-several"]
    assert [f["severity"] for f in several] == ["ok"], several
    status = both.status(db)
    assert not [f for f in status["findings"] if f["id"] == "ledger-several"], status
    backup = both.run("backup", db, "--json")
    assert backup.rc == 0 and '"applied_migrations": 6' in open(glob.glob(both.path + "/backups/*.json")[0]).read(), backup
