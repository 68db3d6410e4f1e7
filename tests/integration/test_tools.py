"""Projects of Drizzle, Supabase and dbmate: Aramid and the tool itself, in turns, on the same history."""

import concurrent.futures
import json
import os
import signal
import subprocess

import pytest

from harness import aramid, wait
from harness.catalog import difference, dump, leftovers
from harness.cluster import NPM, default_bindir
from harness.proxy import Fault, Proxy
from harness.tools import (
    LAYOUTS, TOOLS, Dbmate, Drizzle, Drizzle1, Flyway, GraphileMigrate, NodePgMigrate, Pairs, Plain, Supabase)

HARD = """CREATE TABLE witness (part text);
INSERT INTO witness VALUES ('1');
CREATE INDEX CONCURRENTLY witness_i ON witness (part);
INSERT INTO witness VALUES ('2');
"""
BREAK = "--> statement-breakpoint\n"


def each(*tools):
    return pytest.mark.parametrize("tool", tools or TOOLS, indirect=True, ids=lambda t: t.name)


@pytest.fixture
def tool(request, tmp_path):
    return request.param(tmp_path / "project")


@pytest.fixture
def real(tool):
    if tool.missing():
        pytest.skip(f"{tool.package} is not installed")
    return tool


def history(tool):
    """Three migrations, with what tools differ in."""
    cut = BREAK if isinstance(tool, Drizzle) else ""
    return [
        tool.add(1, "init", f"-- first\ncreate table a (id serial primary key, t text default 'x;y');\n{cut}"
                            "create function f() returns int language sql as $$ select 1; $$;\n"),
        tool.add(2, "more", f"CREATE TABLE \"b\" (\"a\" integer REFERENCES \"a\");\n{cut}"
                            "INSERT INTO \"a\" (\"t\") VALUES ('it''s'), (E'back\\\\slash');\n-- the end\n"),
        tool.add(3, "last", "ALTER TABLE a ADD COLUMN n int NOT NULL DEFAULT 7"),
    ]


@each()
def test_the_same_as_the_tool_itself(real, db, db2):
    names = history(real)
    assert real.deploy(db).rc == 0
    outcome = real.apply(db2)
    assert outcome.rc == 0, outcome
    assert not difference(dump(db), dump(db2))
    assert real.rows(db) == real.rows(db2)
    for place in db, db2:
        status = real.aramid("status", place, "--json").json
        assert status["applied"] == names and status["state"] == "up-to-date" and not status["edited"], status
        drift = real.aramid("drift", place, "--exit-code")
        assert drift.rc == 0 and "No drift" in drift.out, drift
        before = real.rows(place)
        assert real.deploy(place).rc == 0
        outcome = real.apply(place)
        assert outcome.rc == 0 and real.rows(place) == before, outcome


@each()
@pytest.mark.parametrize("aramid_first", [True, False], ids=["aramid first", "tool first"])
def test_in_turns(real, db, db2, aramid_first):
    for number in range(1, 5):
        real.add(number, f"step{number}", f"CREATE TABLE t{number} (i int);")
        if (number % 2 == 1) == aramid_first:
            result = real.deploy(db)
        else:
            result = real.apply(db)
        assert result.rc == 0, result
    assert real.apply(db2).rc == 0
    assert real.rows(db) == real.rows(db2) and not difference(dump(db), dump(db2))
    assert real.aramid("status", db).rc == 0


@each(*LAYOUTS)
def test_a_failure_leaves_no_row(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    name = tool.add(2, "two", "CREATE TABLE two (i int);\nSELECT 1/0;")
    result = tool.deploy(db)
    assert result.rc != 0 and "division by zero" in result.text, result
    assert tool.file(name) in result.text and ":" in result.text, result
    assert len(tool.rows(db)) == 1 and not db.exists("two")
    tool.add(3, "three", "CREATE TABLE three (i int);")
    assert tool.deploy(db).rc != 0 and not db.exists("three")


@each(*LAYOUTS)
@pytest.mark.parametrize("point", ["locked", "ledger-created", "before-message", "after-message", "before-intent",
                                   "after-intent", "after-statement", "after-finish", "before-verify"])
def test_killed_anywhere_it_goes_on(tool, db, point):
    tool.add(1, "init", "CREATE TABLE before ();")
    tool.add(2, "hard", HARD)
    tool.add(3, "last", "INSERT INTO witness VALUES ('last');")
    result = tool.deploy(db, env={"ARAMID_FAILPOINT": f"{point}:kill"})
    assert result.rc == -signal.SIGKILL, result
    result = tool.deploy(db)
    assert result.rc == 0, result
    assert len(tool.rows(db)) == 3
    assert db.column("SELECT part FROM witness ORDER BY 1") == ["1", "2", "last"]
    assert db.one("SELECT count(*) FROM aramid.journal") == 0
    assert not any(leftovers(db).values()), leftovers(db)
    if not tool.missing():
        before = tool.rows(db)
        outcome = tool.apply(db)
        assert outcome.rc == 0 and tool.rows(db) == before, outcome


@each(*LAYOUTS)
def test_many_at_once(tool, db):
    for number in range(1, 6):
        tool.add(number, f"n{number}", f"CREATE TABLE n{number} (i int);\nSELECT pg_sleep(0.05);")
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: tool.deploy(db), range(10)))
    assert all(r.rc == 0 for r in results), results
    assert len(tool.rows(db)) == 5


@each()
def test_beside_the_tool_itself(real, db):
    """The tool takes no lock: its table takes one row only, and who comes second undoes its work."""
    real.add(1, "first", "CREATE TABLE witness (part text);")
    assert real.deploy(db).rc == 0
    real.add(2, "slow", "INSERT INTO witness VALUES ('once');\nSELECT pg_sleep(2);")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(real.apply, db)
        wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(2)%%'"
                                  " AND datname = current_database() AND pid <> pg_backend_pid()"))
        ours = real.deploy(db)
        theirs = theirs.result()
    # A tool that is slow between script and row is overtaken, and then fails at its row.
    assert theirs.rc == 0 or "duplicate key" in theirs.text or "already" in theirs.text, (ours, theirs)
    assert ours.rc == 0 and len(real.rows(db)) == 2, (ours, theirs)
    assert db.column("SELECT part FROM witness") == ["once"], (ours, theirs)
    again = real.deploy(db)
    assert again.rc == 0 and len(real.rows(db)) == 2, again


@each()
def test_the_tool_itself_beside_us(real, db):
    """The same, and the tool comes second: Drizzle's table has no key, so it gets one for the time of the run."""
    real.add(1, "first", "CREATE TABLE witness (part text);")
    assert real.deploy(db).rc == 0
    real.add(2, "slow", "INSERT INTO witness VALUES ('once');\nSELECT pg_sleep(2);")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours = pool.submit(real.deploy, db)
        wait.until(lambda: db.one("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(2)%%'"
                                  " AND datname = current_database() AND pid <> pg_backend_pid()"))
        theirs = real.apply(db)
        ours = ours.result()
    assert ours.rc == 0 and len(real.rows(db)) == 2, (ours, theirs)
    assert db.column("SELECT part FROM witness") == ["once"], (ours, theirs)
    assert not db.exists("drizzle.aramid_once")
    assert real.apply(db).rc == 0 and len(real.rows(db)) == 2


@each(Drizzle, Drizzle1)
def test_the_guard_goes_however_a_run_ends(tool, db):
    tool.add(1, "first", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    tool.add(2, "bad", "SELECT 1/0;")
    assert tool.deploy(db).rc == 22 and not db.exists("drizzle.aramid_once")
    tool.write(tool.file(tool.add(2, "bad", "SELECT 1;") if isinstance(tool, Drizzle1) else "0002_bad"), "SELECT 1;")
    assert tool.deploy(db, env={"ARAMID_FAILPOINT": "before-verify:kill"}).rc == -signal.SIGKILL
    assert db.exists("drizzle.aramid_once")
    assert tool.deploy(db).rc == 0 and not db.exists("drizzle.aramid_once")


@each(*LAYOUTS)
def test_edited_after_it_was_applied(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);\n\nCREATE TABLE two (i int);\n")
    assert tool.deploy(db).rc == 0
    with open(os.path.join(tool.path, tool.folder, tool.file(name)), encoding="utf-8") as file:
        text = file.read()
    tool.write(tool.file(name), text.replace("two (i int)", "two (i bigint)"))
    status = tool.aramid("status", db, "--json").json
    assert status["edited"] == ([name] if tool.knows_edits else []), status


@each(*LAYOUTS)
@pytest.mark.parametrize("how", ["--applied", "--rolled-back"])
def test_resolve(tool, db, how):
    name = tool.add(1, "hard", HARD)
    result = tool.deploy(db, env={"ARAMID_FAILPOINT": "after-intent:kill"})
    assert result.rc == -signal.SIGKILL, result
    result = tool.aramid("resolve", db, how, name, "--yes", *(["--force"] if how == "--applied" else []))
    assert result.rc == 0, result
    assert len(tool.rows(db)) == (1 if how == "--applied" else 0)
    status = tool.aramid("status", db, "--json").json
    assert (status["applied"], status["pending"]) == (([name], []) if how == "--applied" else ([], [name])), status


@each(*(tool for tool in LAYOUTS if tool is not GraphileMigrate))  # which has a chain of hashes
def test_rows_without_a_file_and_an_older_one(tool, db):
    one = tool.add(1, "one", "CREATE TABLE one (i int);")
    three = tool.add(3, "three", "CREATE TABLE three (i int);")
    assert tool.deploy(db).rc == 0
    two = tool.add(2, "two", "CREATE TABLE two (i int);")
    status = tool.aramid("status", db, "--json").json
    assert status["pending"] == [two] and status["applied"] == [one, three], status
    if not isinstance(tool, Drizzle) or tool.name == "drizzle-1":
        assert status["outOfOrder"] == [two], status
    assert tool.deploy(db).rc == 0 and db.exists("two") and len(tool.rows(db)) == 3
    os.unlink(os.path.join(tool.path, tool.folder, tool.file(one)))
    if tool.name == "drizzle-1":
        os.unlink(os.path.join(tool.path, tool.folder, one, "snapshot.json"))
    if tool.name != "drizzle":  # whose journal still names it
        status = tool.aramid("status", db, "--json").json
        assert len(status["missing"]) == 1, status


@each(*LAYOUTS)
def test_doctor_looks_where_the_tool_keeps_its_history(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    tool.add(2, "two", "CREATE TABLE two (i int);")
    doctor = tool.aramid("doctor", db)
    assert "1 applied, 1 pending" in doctor.text and "a deploy would stop" not in doctor.text, doctor


@each(*LAYOUTS)
def test_status_tells_no_time_that_nobody_knows(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    status = tool.aramid("status", db, "--verbose")
    assert "History:" in status.out and "1970" not in status.out, status


@each(Dbmate)
def test_dbmate_byte_order_mark_is_named(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write(tool.file(name), "\ufeff-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\n")
    result = tool.deploy(db)
    assert result.rc == 20 and "byte order mark" in result.err and not db.exists("one"), result


@pytest.fixture
def stranger(server, db):
    """The URL of a role that owns nothing and may make tables in public."""
    role = f"stranger_{db.name}"
    server.admin(f"CREATE ROLE {role} LOGIN")
    db.sql(f"GRANT ALL ON SCHEMA public TO {role}")
    yield role
    db.sql(f"DROP OWNED BY {role}")
    server.admin(f"DROP ROLE {role}")


@each(*LAYOUTS)
def test_another_owners_table_names_every_grant(tool, db, stranger):
    """What the hints say is enough."""
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    tool.add(2, "two", "CREATE TABLE two (i int);")
    for _ in range(2):
        result = aramid.run("deploy", "--url", db.url(user=stranger), cwd=tool.path)
        if result.rc == 0:
            break
        for line in result.err.splitlines():
            if "GRANT " in line:
                db.sql(line[line.index("GRANT "):])
    assert result.rc == 0 and len(tool.rows(db)) == 2, result


@each(Supabase, Drizzle1)
def test_an_older_table_of_another_owner(tool, db, stranger):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    tool.add(2, "two", "CREATE TABLE two (i int);")
    schema = tool.ledger.split(".", maxsplit=1)[0]
    db.sql(f"ALTER TABLE {tool.ledger} DROP COLUMN name; GRANT ALL ON SCHEMA {schema} TO {stranger};"
           f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {stranger}")
    result = aramid.run("deploy", "--url", db.url(user=stranger), cwd=tool.path)
    assert result.rc == 33 and f"as the owner of {tool.ledger}" in result.err and "GRANT CREATE" not in result.err, result
    assert not db.exists("two")


@each(*LAYOUTS)
@pytest.mark.parametrize("mode", ["all", "none"])
def test_the_hint_of_a_failure_keeps_the_transactions(tool, db, mode):
    """As it stands, it must not apply the half of what was to be applied as a whole."""
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.add(2, "two", "CREATE TABLE two (i int);\nSELECT 1/0;")
    result = tool.deploy(db, "--tx", mode)
    hint = next(line for line in result.err.splitlines() if "hint:" in line)
    assert result.rc == 22 and f"--tx {mode}" in hint, result
    assert "--tx" not in aramid.run("status", "--url", db.url(), cwd=tool.path).text


@each(*LAYOUTS)
def test_what_is_passed_over_is_told_with_nothing_pending(tool, db):
    """It may be the very file that somebody has just written and waits for."""
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    tool.write("forgotten.sql", "CREATE TABLE two (i int);")
    for verb in "plan", "deploy", "status":
        result = tool.aramid(verb, db)
        assert result.rc == 0 and "forgotten.sql" in result.text, result


@each(*LAYOUTS)
def test_a_persons_table_of_the_historys_name(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    schema = tool.ledger.split(".", maxsplit=1)[0]
    db.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {tool.ledger} (light int)")
    for verb in "status", "plan", "deploy":
        result = tool.aramid(verb, db)
        assert result.rc == 28 and "does not have the columns of" in result.text and tool.ledger in result.text, result
        assert "does not exist" in result.text and not db.exists("one"), result


# ---- Drizzle --------------------------------------------------------------------------------------


@each(Drizzle)
def test_drizzle_never_looks_back_but_aramid_does(real, db):
    real.add(1, "one", "CREATE TABLE one (i int);")
    assert real.apply(db).rc == 0
    older = real.add(2, "older", "CREATE TABLE older (i int);", when=real.when(0))
    outcome = real.apply(db)
    assert outcome.rc == 0 and not db.exists("older")
    plan = real.aramid("plan", db)
    assert "passes over" in plan.text and older in plan.text, plan
    assert real.deploy(db).rc == 0 and db.exists("older")
    assert real.apply(db).rc == 0 and len(real.rows(db)) == 2


@each(Drizzle)
def test_drizzle_journal_names_a_file_that_is_gone(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    os.unlink(os.path.join(tool.path, tool.folder, tool.file(name)))
    for verb in "plan", "deploy":
        result = tool.aramid(verb, db)
        assert result.rc == 20 and f'the file of migration "{name}" is missing' in result.text, result


@each(Drizzle)
def test_drizzle_breakpoints_are_statements_ends(tool, db):
    name = tool.add(1, "one", f"CREATE TABLE one (i int){BREAK}CREATE TABLE two (i int)")
    assert tool.deploy(db).rc == 0 and db.exists("two")
    tool.write(tool.file(name), f"SELECT '{BREAK}';")
    result = tool.deploy(db)
    assert result.rc != 0 and "drizzle/0001_one.sql:1:9" in result.text, result


@each(Drizzle1)
def test_drizzle_upgrade_of_the_table(real, db, db2, tmp_path):
    """From 0.x to 1.0: as its own migrator does it; rows that 0.x adds later are named, too."""
    old = Drizzle(tmp_path / "old")
    old.add(1, "init", "CREATE TABLE one (i int);", when=1795953601234)  # 2026-11-29 12:00:01.234
    old.add(2, "more", "CREATE TABLE two (i int);", when=1795953602999)
    for place in db, db2:
        assert old.apply(place).rc == 0
    real.add(1, "init", "CREATE TABLE one (i int);")
    real.add(2, "more", "CREATE TABLE two (i int);")
    real.add(3, "last", "CREATE TABLE three (i int);")
    status = real.aramid("status", db, "--json").json
    assert len(status["applied"]) == 2 and len(status["pending"]) == 1 and not status["missing"], status
    assert real.deploy(db).rc == 0
    outcome = real.apply(db2)
    assert outcome.rc == 0, outcome
    assert real.rows(db) == real.rows(db2) and not difference(dump(db), dump(db2))
    assert db.column("SELECT applied_at IS NULL FROM drizzle.__drizzle_migrations ORDER BY id") == [True, True, False]
    # A colleague with 0.x applies the next one: 1.0 would run it again.
    old.add(3, "last", "SELECT 1;", when=1795953603000)
    real.add(4, "again", "CREATE TABLE four (i int);")
    old.add(4, "again", "CREATE TABLE four (i int);", when=1795953604000)
    assert old.apply(db).rc == 0
    assert db.one("SELECT count(*) FROM drizzle.__drizzle_migrations WHERE name IS NULL") == 1
    assert real.deploy(db).rc == 0
    real.add(5, "five", "CREATE TABLE five (i int);")
    assert real.deploy(db).rc == 0
    assert db.one("SELECT count(*) FROM drizzle.__drizzle_migrations WHERE name IS NULL") == 0
    outcome = real.apply(db)
    assert outcome.rc == 0 and len(real.rows(db)) == 5, outcome


@each(Drizzle, Drizzle1)
def test_drizzle_other_schema_and_table(real, db):
    real.add(1, "one", "CREATE TABLE one (i int);")
    assert real.apply(db, "app log", "my.migrations").rc == 0
    with open(os.path.join(real.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write('history_table: "app log.my.migrations"\n')
    real.add(2, "two", "CREATE TABLE two (i int);")
    assert real.deploy(db).rc == 0
    assert db.one('SELECT count(*) FROM "app log"."my.migrations"') == 2 and not db.exists(real.ledger)
    assert real.apply(db, "app log", "my.migrations").rc == 0
    drift = real.aramid("drift", db, "--exit-code")
    assert drift.rc == 0 and "No drift" in drift.out, drift


@each(Drizzle)
def test_drizzle_rows_twice_and_without_time(tool, db):
    """What runs at the same moment, and hand-made rows, leave."""
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db).rc == 0
    db.sql(f"INSERT INTO {tool.ledger} (hash, created_at) SELECT hash, created_at FROM {tool.ledger};"
           f"INSERT INTO {tool.ledger} (hash, created_at) SELECT hash, NULL FROM {tool.ledger} LIMIT 1;"
           f"INSERT INTO {tool.ledger} (hash, created_at) VALUES ('abcdefabcdefabcdef', 5)")
    status = tool.aramid("status", db, "--json").json
    assert status["applied"] == [name, "abcdefabcdef of 5"] and status["missing"] == ["abcdefabcdef of 5"], status
    tool.add(2, "two", "CREATE TABLE two (i int);")
    assert tool.deploy(db).rc == 0


# ---- Supabase -------------------------------------------------------------------------------------


@each(Supabase)
def test_supabase_table_of_an_old_version(real, db):
    one = real.add(1, "one", "CREATE TABLE one (i int);")
    db.sql("CREATE SCHEMA supabase_migrations;"
           "CREATE TABLE supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY);"
           f"INSERT INTO supabase_migrations.schema_migrations VALUES ('{one.split('_')[0]}'); CREATE TABLE one (i int)")
    real.add(2, "two", "CREATE TABLE two (i int);")
    assert real.deploy(db).rc == 0
    assert [row[1] for row in real.rows(db)] == [None, "two"]
    assert real.apply(db).rc == 0


@each(Supabase)
def test_supabase_hosted_table_has_more_columns(real, db):
    db.sql("CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text NOT NULL"
           " PRIMARY KEY, statements text[], name text, created_by text, idempotency_key text UNIQUE, rollback text[])")
    real.add(1, "one", "CREATE TABLE one (i int);")
    assert real.deploy(db).rc == 0
    outcome = real.apply(db)
    assert outcome.rc == 0 and "up to date" in outcome.text, outcome


@each(Supabase)
def test_supabase_begin_without_commit(tool, db):
    """Its CLI reports success, and nothing is there."""
    tool.add(1, "one", "BEGIN;\nCREATE TABLE one (i int);\n")
    for verb in "plan", "deploy":
        result = tool.aramid(verb, db)
        assert result.rc != 0 and "_one.sql:1:1" in result.text and not db.exists("one"), result


@each(Supabase)
def test_supabase_names_passed_over_are_told(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write("20260101000000.sql", "CREATE TABLE never (i int);")
    result = tool.aramid("plan", db)
    assert "20260101000000.sql" in result.text and "passes over" in result.text, result


ODD_ENDS = [
    "-- Up migration\nCREATE TABLE one (i int);\n-- Down migration\n-- DROP TABLE one;\n",  # it stays Supabase's
    "SELECT 1;\n-- x;", "SELECT 1;\n-- x;;  \n", "SELECT 1;\n-- a;\n-- b;\n", "SELECT 1;\n;\n-- a;\n;", "SELECT 1;;\n;;",
    "SELECT 1; -- x;\nSELECT 2", "SELECT 1 /* ; */ ;;  ;", "-- only;", "-- only;\n\n;", "SELECT 1\n-- tail;\n;", "SELECT 1 -- c;",
    "SELECT 1; /* x /* ; */ ; */; SELECT 2;", "SELECT ';' ;\n--\n;\n", "\ufeffSELECT 1;\r\n-- x;\r\n", ";-- a\n;SELECT $$;$$;-- b",
]


@each(Supabase)
def test_supabase_statements_and_what_is_between(real, db, db2):
    for number, text in enumerate(ODD_ENDS, 1):
        real.add(number, "x", text)
    assert real.deploy(db).rc == 0
    outcome = real.apply(db2)
    assert outcome.rc == 0 and real.rows(db) == real.rows(db2), outcome


@each(Supabase)
def test_supabase_include_all(real, db, db2):
    """Its CLI refuses older files until it is told; here they are told and applied, in the order of its --include-all."""
    names = {}
    def add(number):
        names[number] = real.add(number, f"m{number}", f"INSERT INTO log (m) VALUES ({number});")
    names[0] = real.add(0, "log", "CREATE TABLE log (at serial, m int);")
    add(1)
    add(3)
    assert real.deploy(db).rc == 0 and real.apply(db2).rc == 0
    add(2)
    add(4)
    outcome = real.apply(db2)
    assert outcome.rc == 1 and "--include-all" in outcome.text, outcome
    settings = os.path.join(real.path, "aramid.yaml")
    with open(settings, "w", encoding="ascii") as file:
        file.write("findings:\n  history-late: error\n")
    result = real.deploy(db)
    assert result.rc != 0 and "[history-late]" in result.err and names[2] in result.err and len(real.rows(db)) == 3, result
    os.unlink(settings)
    result = real.deploy(db)
    assert result.rc == 0 and "[history-late]" in result.err, result
    assert real.apply(db2, "--include-all").rc == 0
    assert real.rows(db) == real.rows(db2)
    assert db.column("SELECT m FROM log ORDER BY at") == db2.column("SELECT m FROM log ORDER BY at") == [1, 3, 2, 4]


def repair(tool, db, *args):
    program = os.path.join(NPM, "@supabase/cli-linux-x64/bin/supabase")
    return subprocess.run([program, "migration", "repair", f"--remote={db.url()}", "--yes", *args], cwd=tool.path,
                          capture_output=True, text=True, timeout=wait.PATIENCE, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "DO_NOT_TRACK": "1", "HOME": tool.path})


@each(Supabase)
def test_supabase_repair_and_resolve_write_the_same(real, db, db2):
    """And what only the database has: its CLI stops, here it is told."""
    one = real.add(1, "one", "CREATE TABLE one (i int); -- x;")
    two = real.add(2, "two", "CREATE TABLE two (i int);\n")
    done = repair(real, db2, "--status", "applied", one.split("_")[0], two.split("_")[0])
    assert done.returncode == 0, done
    for name in one, two:
        result = real.aramid("resolve", db, "--applied", name, "--force", "--yes")
        assert result.rc == 0, result
    assert real.rows(db) == real.rows(db2)
    for place in db, db2:
        assert repair(real, place, "--status", "reverted", two.split("_")[0]).returncode == 0
        assert real.aramid("status", place, "--json").json["pending"] == [two]
    os.unlink(os.path.join(real.path, real.folder, real.file(one)))
    outcome = real.apply(db2)
    assert outcome.rc == 1 and "Remote migration versions not found" in outcome.text, outcome
    status = real.aramid("status", db, "--json").json
    assert status["missing"] == [one] and status["pending"] == [two], status
    result = real.deploy(db)
    assert result.rc == 0 and "[history-missing]" in result.err and db.exists("two"), result


# ---- dbmate ---------------------------------------------------------------------------------------


@each(Dbmate)
def test_dbmate_down_blocks_are_not_run(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write(tool.file(name), "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n")
    assert tool.deploy(db).rc == 0 and db.exists("one")


@each(*LAYOUTS)
def test_a_path_that_a_file_sets_leads_nobody_away(tool, db):
    tool.add(1, "one", "CREATE SCHEMA app;\nSET search_path TO app;\nCREATE TABLE inside (i int);")
    tool.add(2, "two", "CREATE TABLE outside (i int);")
    assert tool.deploy(db).rc == 0
    assert db.exists("app.inside") and db.exists("public.outside") and len(tool.rows(db)) == 2


@each(Dbmate)
def test_dbmate_other_table(real, db):
    real.add(1, "one", "CREATE TABLE one (i int);")
    assert real.apply(db, "--migrations-table", "Bar.my_mig").rc == 0
    real.add(2, "two", "CREATE TABLE two (i int);")
    result = real.deploy(db, env={"ARAMID_HISTORY_TABLE": "Bar.my_mig"})
    assert result.rc == 0, result
    assert db.one('SELECT count(*) FROM "Bar".my_mig') == 2 and not db.exists("public.schema_migrations")


def dbmate_alone(tool, db, *args, env=None):
    """Without the flags that its URL and folder come by."""
    program = os.path.join(NPM, "@dbmate/linux-x64/bin/dbmate")
    return subprocess.run([program, *args], cwd=tool.path, capture_output=True, text=True, timeout=wait.PATIENCE,
                          stdin=subprocess.DEVNULL, check=False, env={**os.environ, **(env or {})})


@each(Dbmate)
@pytest.mark.parametrize("where", ["env", "environment", "scripts"])
def test_dbmate_is_told_by_its_own_settings(real, db, db2, where):
    """Several folders in one order, another table, another variable: as dbmate reads them."""
    def put(folder, number, name):
        os.makedirs(os.path.join(real.path, folder), exist_ok=True)
        with open(os.path.join(real.path, folder, f"{number}_{name}.sql"), "w", encoding="utf-8") as file:
            file.write(f"-- migrate:up\nCREATE TABLE {name} (i int);\n-- migrate:down\nDROP TABLE {name};\n")

    put("sql/a", 1, "one")
    put("sql/b", 2, "two")
    put("sql/a", 3, "three")
    variables = {"DBMATE_MIGRATIONS_DIR": "sql/a,sql/b", "DBMATE_MIGRATIONS_TABLE": "app.log",
                 "DBMATE_NO_DUMP_SCHEMA": "true"}
    flags, env = [], {}
    if where == "env":
        real.write("../../.env", "".join(f"{name}={value}\n" for name, value in variables.items()))
    elif where == "environment":
        env = variables
    else:
        flags = ["-d", "sql/a", "-d", "sql/b", "--migrations-table", "app.log", "--no-dump-schema",
                 "--env", "APP_URL"]
        scripts = {"db:up": f"dbmate {' '.join(flags)} up", "db:wait": "echo && npx dbmate --migrations-dir='sql/a,sql/b'"
                   " --migrations-table=app.log -e APP_URL wait"}
        real.write("../../package.json", json.dumps({"scripts": scripts}))
    variable = "APP_URL" if where == "scripts" else "DATABASE_URL"
    done = dbmate_alone(real, db2, *flags, "up", env={**env, variable: db2.url() + "?sslmode=disable"})
    assert done.returncode == 0, done
    result = aramid.run("deploy", "--yes", cwd=real.path, env={**env, variable: db.url()})
    assert result.rc == 0, result
    assert db.sql("SELECT version FROM app.log ORDER BY 1") == db2.sql("SELECT version FROM app.log ORDER BY 1") == [
        ("1",), ("2",), ("3",)]
    assert not difference(dump(db), dump(db2))
    put("sql/b", 4, "four")
    assert aramid.run("deploy", "--yes", cwd=real.path, env={**env, variable: db.url()}).rc == 0
    done = dbmate_alone(real, db, *flags, "status", "--exit-code", env={**env, variable: db.url() + "?sslmode=disable"})
    assert done.returncode == 0 and "Pending: 0" in done.stdout, done
    put("sql/a", 4, "again")
    result = aramid.run("status", cwd=real.path, env={**env, variable: db.url()})
    assert result.rc == 20 and "two migrations have the version 4" in result.text, result


def schema_file(tool, name="db/schema.sql"):
    path = os.path.join(tool.path, name)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


RICH = """CREATE TYPE mood AS ENUM ('a', 'b''c');
CREATE TABLE a (id serial PRIMARY KEY, m mood DEFAULT 'a', n int CHECK (n > 0) UNIQUE);
CREATE VIEW v AS SELECT id FROM a;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT n FROM a $$;
COMMENT ON TABLE a IS 'all of it';
"""


@pytest.fixture
def clients():
    """The folder of the default server's client programs."""
    if not os.path.exists(os.path.join(default_bindir(), "pg_dump")):
        pytest.skip("there is no pg_dump")
    return default_bindir()


@each(Dbmate)
def test_dbmate_schema_file_is_its_own(real, db, db2, clients, tmp_path):
    other = Dbmate(tmp_path / "other")
    for tool in real, other:
        tool.add(1, "one", RICH)
    env = {"PATH": clients + os.pathsep + os.environ["PATH"]}
    done = dbmate_alone(other, db2, "up", env={**env, "DATABASE_URL": db2.url() + "?sslmode=disable"})
    assert done.returncode == 0 and schema_file(other), done
    with open(os.path.join(real.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write(f"backup:\n  bin: {clients}\n")
    result = real.deploy(db)
    assert result.rc == 0 and "wrote db/schema.sql" in result.text, result
    assert schema_file(real) == schema_file(other)
    result = real.deploy(db)
    assert "schema.sql" not in result.text, result


@each(Dbmate)
def test_dbmate_schema_file_without_pg_dump(tool, db, db2, clients):
    """Where dbmate says nothing, and leaves an old file or none."""
    tool.add(1, "one", RICH)
    with open(os.path.join(tool.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write(f"backup:\n  bin: {tool.path}\n")
    result = tool.deploy(db, env={"DBMATE_SCHEMA_FILE": "out/all.sql"})
    assert result.rc == 0 and "written from the catalog" in result.text, result
    loaded = subprocess.run([os.path.join(clients, "psql"), "-Xqv", "ON_ERROR_STOP=1", "-f", "out/all.sql", db2.url()],
                            cwd=tool.path, capture_output=True, text=True, timeout=wait.PATIENCE, check=False)
    assert loaded.returncode == 0, loaded
    assert not difference(dump(db2), [line for line in dump(db) if "aramid" not in line]) and tool.rows(db2) == tool.rows(db)


@each(Dbmate)
def test_dbmate_schema_file_only_where_it_is_wanted(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    assert tool.deploy(db, "--env", "staging").rc == 0 and not schema_file(tool)
    tool.add(2, "two", "CREATE TABLE two (i int);")
    assert tool.deploy(db, "--env", "staging", env={"DBMATE_NO_DUMP_SCHEMA": "true"}).rc == 0 and not schema_file(tool)
    with open(os.path.join(tool.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write("dump_schema: always\n")
    tool.add(4, "four", "CREATE TABLE four (i int);")
    result = tool.deploy(db, "--env", "staging")
    assert result.rc == 0 and "('20261129120004');" in schema_file(tool), result
    os.mkdir(os.path.join(tool.path, "taken"))
    tool.add(3, "three", "CREATE TABLE three (i int);")
    result = tool.deploy(db, "--env", "staging", env={"DBMATE_SCHEMA_FILE": "taken"})
    assert result.rc == 0 and "it was not written" in result.text and len(tool.rows(db)) == 4, result


@each(Dbmate)
def test_dbmate_settings_that_differ_are_a_question(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write("../../package.json", json.dumps({"scripts": {"a": "dbmate -d x up", "b": "dbmate -d y up"}}))
    result = tool.aramid("doctor", db)
    assert "different folders, tables or databases" in result.text, result
    tool.write("../../package.json", json.dumps({"scripts": {"a": "dbmate -d x -d db/migrations up"}}))
    result = tool.aramid("plan", db)
    assert result.rc == 20 and '"x"' in result.text, result


@each(*LAYOUTS)
def test_what_is_rolled_back_the_tool_applies_again(real, db):
    first = real.add(1, "one", "CREATE TABLE one (i int);")
    second = real.add(2, "two", "CREATE TABLE two (i int);")
    marks = {"dbmate": ("-- migrate:up", "-- migrate:down"),
             "node-pg-migrate": ("-- Up Migration", "-- Down Migration")}.get(real.name)
    for name, table in ((first, "one"), (second, "two")) if marks else ():
        real.write(real.file(name), f"{marks[0]}\nCREATE TABLE {table} (i int);\n{marks[1]}\nDROP TABLE {table};\n")
    assert real.deploy(db).rc == 0
    result = real.aramid("rollback", db)
    assert result.rc == 0 and not db.exists("two") and len(real.rows(db)) == 1, result
    assert real.aramid("status", db, "--json").json["applied"] == [first]
    outcome = real.apply(db)
    assert outcome.rc == 0 and db.exists("two") and len(real.rows(db)) == 2, outcome
    result = real.aramid("rollback", db, "--steps", "2")
    assert result.rc == 0 and not db.exists("one") and not real.rows(db), result


@each(Dbmate)
def test_dbmate_down_blocks_lead_back(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write(tool.file(name), "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\nSELECT 1/0;\n")
    assert tool.deploy(db).rc == 0
    result = tool.aramid("rollback", db)
    assert result.rc == 27 and f"{tool.file(name)}:5" in result.err and db.exists("one"), result
    tool.write(tool.file(name), "-- migrate:up\nCREATE TABLE one (i int);\n-- migrate:down\nDROP TABLE one;\n")
    result = tool.aramid("rollback", db, "--json")
    assert result.rc == 0 and not result.json["ways"][0]["derived"] and not db.exists("one"), result


@each(Pairs)
def test_the_other_file_of_a_pair_leads_back(tool, db):
    name = tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write(tool.file(name).replace(".up.sql", ".down.sql"), "DROP TABLE one;\n")
    assert tool.deploy(db).rc == 0
    result = tool.aramid("rollback", db, "--json")
    assert result.rc == 0 and result.json["ways"][0]["path"].endswith(".down.sql") and not db.exists("one"), result


# ---- settings -------------------------------------------------------------------------------------


def test_whose_folder_is_a_setting(db, tmp_path):
    tool = Supabase(tmp_path)
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write("meta/_journal.json", '{"dialect": "postgresql", "entries": []}')
    result = tool.deploy(db)
    assert result.rc != 0 and "history: supabase" in result.text and "history: drizzle" in result.text, result
    assert tool.deploy(db, env={"ARAMID_HISTORY": "supabase"}).rc == 0 and len(tool.rows(db)) == 1
    result = tool.deploy(db, env={"ARAMID_HISTORY": "rails"})
    assert result.rc != 0 and "one of prisma, drizzle-1, drizzle, supabase, dbmate, node-pg-migrate, graphile-migrate, prisma8, sql" in result.text, result
    result = tool.deploy(db, env={"ARAMID_HISTORY": "supabase", "ARAMID_HISTORY_TABLE": "a.b"})
    assert result.rc != 0 and "ARAMID_HISTORY_TABLE" in result.text and not db.exists("a.b"), result


def test_help_and_explain_know_it():
    assert "drizzle-kit" in aramid.run("explain", "history-drizzle-older").out


# ---- plain SQL --------------------------------------------------------------------------------------


@each(Plain, Pairs, Flyway)
def test_plain_a_row_tells_all(tool, db):
    names = history(tool)
    assert tool.deploy(db).rc == 0
    rows = db.sql("SELECT name, length(checksum), finished_at >= started_at, applied_by = current_user, tool_version"
                  " FROM _aramid_migrations ORDER BY version")
    version = aramid.run("--version").out.split()[1]
    assert rows == [(name, 64, True, True, version) for name in names]
    status = tool.aramid("status", db, "--json").json
    assert status["applied"] == names and not status["edited"], status
    drift = tool.aramid("drift", db, "--exit-code")
    assert drift.rc == 0 and "No drift" in drift.out, drift
    for verb in "check", "backup":
        result = tool.aramid(verb, db)
        assert result.rc == 0, result
    diff = aramid.run("diff", "--from-migrations", tool.folder, "--to-url", db.url(), "--exit-code", cwd=tool.path)
    assert diff.rc == 0, diff


@each(Plain)
def test_plain_line_ends_are_no_edit_and_a_name_may_change(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);\n")
    assert tool.deploy(db).rc == 0
    os.unlink(os.path.join(tool.path, tool.folder, "001_one.sql"))
    tool.write("1_other.sql", "\ufeffCREATE TABLE one (i int);\r\n")
    tool.write("2_bom.sql", "\ufeffCREATE TABLE two (i int);\r\n")
    status = tool.aramid("status", db, "--json").json
    assert status["applied"] == ["1_other"] and not status["edited"] and not status["missing"], status
    assert tool.deploy(db).rc == 0 and db.exists("two")


@each(Plain)
def test_plain_begin_without_commit(tool, db):
    tool.add(1, "one", "BEGIN;\nCREATE TABLE one (i int);\n")
    for verb in "plan", "deploy":
        result = tool.aramid(verb, db)
        assert result.rc != 0 and "001_one.sql:1:1" in result.text and not db.exists("one"), result


@each(Plain)
def test_plain_bad_names_are_told_before_anything_runs(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.write("01_twice.sql", "CREATE TABLE twice (i int);")
    result = tool.deploy(db)
    assert result.rc == 20 and "01_twice" in result.text and "001_one" in result.text and not db.exists("one"), result
    os.unlink(os.path.join(tool.path, tool.folder, "01_twice.sql"))
    tool.write("V2__two.sql", "CREATE TABLE two (i int);")
    result = tool.deploy(db)
    assert result.rc == 20 and "named in two ways" in result.text and not db.exists("one"), result


@each(Plain)
def test_plain_subfolders_on_request(tool, db):
    tool.add(2, "two", "CREATE TABLE two (i int);")
    tool.write("2023/1_one.sql", "CREATE TABLE one (i int);")
    plan = tool.aramid("plan", db)
    assert "2023/" in plan.text and "migrations_subfolders: true" in plan.text, plan
    with open(os.path.join(tool.path, "aramid.yaml"), "w", encoding="utf-8") as file:
        file.write("migrations_subfolders: true\n")
    assert tool.deploy(db).rc == 0
    assert db.column("SELECT name FROM _aramid_migrations ORDER BY started_at") == ["2023/1_one", "002_two"]


@each(Flyway)
def test_plain_placeholders_of_flyway_are_not_sent(tool, db):
    tool.add(1, "one", "CREATE TABLE one (i int);\nINSERT INTO one VALUES (${number});")
    result = tool.deploy(db)
    assert result.rc == 20 and "line 2 has a placeholder" in result.text and not db.exists("one"), result
    assert tool.aramid("resolve", db, "--applied", "V1__one", "--yes", "--force").rc == 0
    tool.add(2, "two", "CREATE TABLE two (i int);")
    assert tool.deploy(db).rc == 0


@each(Plain)
def test_plain_beside_a_schema_is_a_question(tool, db):
    """In a Prisma project nobody says that these files are migrations."""
    tool.add(1, "one", "CREATE TABLE one (i int);")
    with open(os.path.join(tool.path, "schema.prisma"), "w", encoding="utf-8") as file:
        file.write('datasource db {\n  provider = "postgresql"\n}\n')
    result = tool.deploy(db)
    assert result.rc == 20 and "history: sql" in result.text and not db.exists("one"), result
    assert tool.deploy(db, env={"ARAMID_HISTORY": "sql"}).rc == 0


@each(Plain)
@pytest.mark.parametrize("table", ["aramid.migrations", "app.log", "history"])
def test_plain_other_table(tool, db, table):
    tool.add(1, "one", "CREATE TABLE one (i int);")
    tool.add(2, "two", HARD)
    env = {"ARAMID_HISTORY_TABLE": table}
    assert tool.deploy(db, env=env).rc == 0
    assert db.one(f"SELECT count(*) FROM {table}") == 2 and not db.exists("_aramid_migrations")
    drift = tool.aramid("drift", db, "--exit-code", env=env)
    assert drift.rc == 0 and "No drift" in drift.out, drift


@each(Plain)
def test_plain_two_projects_in_one_database(tool, db, tmp_path):
    """Each in its schema: a history goes with its tables."""
    other = Plain(tmp_path / "other")
    db.sql("CREATE SCHEMA app")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    other.add(1, "one", "CREATE TABLE here (i int);")
    assert tool.deploy(db).rc == 0
    result = aramid.run("deploy", "--url", db.url() + "?schema=app", "--yes", cwd=other.path)
    assert result.rc == 0 and db.exists("app.here") and db.exists("app._aramid_migrations"), result


ADOPTED = {
    "golang-migrate": "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);"
                      "INSERT INTO schema_migrations VALUES (2, false)",
    "Flyway": "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50),"
              " description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL,"
              " checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(),"
              " execution_time int NOT NULL, success boolean NOT NULL)",
}


@pytest.mark.parametrize("kind, owner", [(Pairs, "golang-migrate"), (Flyway, "Flyway")])
def test_plain_taken_over_from_another_tool(db, tmp_path, kind, owner):
    tool = kind(tmp_path / "project")
    tool.add(1, "one", "CREATE TABLE one (i int);")
    two = tool.add(2, "two", "CREATE TABLE two (i int);")
    tool.add(3, "three", "CREATE TABLE three (i int);")
    db.sql("CREATE TABLE one (i int); CREATE TABLE two (i int);" + ADOPTED[owner])
    result = tool.deploy(db)
    assert result.rc != 0 and owner in result.text and not db.exists("three"), result
    result = tool.aramid("resolve", db, "--applied", "--up-to", two, "--yes")
    assert result.rc == 0, result
    assert tool.deploy(db).rc == 0 and db.exists("three") and len(tool.rows(db)) == 3


@each(*LAYOUTS)
@pytest.mark.parametrize("where", ["before", "after", "reply"])
def test_cut_where_the_row_is_written(tool, db, server, where):
    tool.add(1, "init", "CREATE TABLE before ();")
    tool.add(2, "hard", HARD)
    tool.add(3, "last", "INSERT INTO witness VALUES ('last');")
    table = tool.ledger.split(".")[-1].encode()
    with Proxy(server) as proxy:
        for nth in range(1, 4):
            proxy.fault(Fault(where, "cut", lambda m: b"INSERT" in m.body and table in m.body, nth=nth * 2))
        result = aramid.run("deploy", "--url", proxy.url(db), "--yes", cwd=tool.path)
    assert result.rc in (0, 40, 43), result
    result = tool.deploy(db)
    assert result.rc == 0 and len(tool.rows(db)) == 3, result
    assert db.column("SELECT part FROM witness ORDER BY 1") == ["1", "2", "last"]
    assert not any(leftovers(db).values()), leftovers(db)


# ---- node-pg-migrate, graphile-migrate --------------------------------------------------------------


@each(NodePgMigrate)
def test_node_pg_migrate_programs_are_its_own(real, db):
    one = real.add(1, "one", "CREATE TABLE one (i int);")
    real.write("1700000000050_two.js", 'exports.up = (pgm) => { pgm.createTable("two", { i: "int" }); };')
    three = real.add(99, "three", "CREATE TABLE three (i int);")
    status = real.aramid("status", db, "--json").json
    assert status["pending"] == [one, "1700000000050_two", three], status
    result = real.deploy(db)
    assert result.rc == 20 and "needs Node.js" in result.text and "npx node-pg-migrate up" in result.text, result
    assert not db.exists("one")
    outcome = real.apply(db, "2")
    assert outcome.rc == 0, outcome
    assert real.deploy(db).rc == 0 and db.exists("three")
    outcome = real.apply(db)
    assert outcome.rc == 0 and "No migrations to run" in outcome.text, outcome
    drift = real.aramid("drift", db)
    assert drift.rc == 20 and "needs Node.js" in drift.text, drift


@each(NodePgMigrate)
def test_node_pg_migrate_way_back_is_never_run(tool, db):
    tool.write("1_one.sql", "-- Up Migration\nCREATE TABLE one (i int);\n-- Down Migration\nDROP TABLE one;\n")
    tool.write("2_two.sql", "CREATE TABLE two (i int);\n-- Down Migration\nDROP TABLE one;\n")
    result = tool.deploy(db)
    assert result.rc == 20 and 'no "-- Up Migration"' in result.text and not db.exists("one"), result
    os.unlink(os.path.join(tool.path, tool.folder, "2_two.sql"))
    assert tool.deploy(db).rc == 0 and db.exists("one")


@each(NodePgMigrate)
def test_node_pg_migrate_an_older_one_stops_the_tool(real, db):
    """Its check of the order then fails for ever: a person decides."""
    real.add(1, "one", "CREATE TABLE one (i int);")
    real.add(3, "three", "CREATE TABLE three (i int);")
    assert real.apply(db).rc == 0
    two = real.add(2, "two", "CREATE TABLE two (i int);")
    plan = real.aramid("plan", db)
    assert "--no-check-order" in plan.text and two in plan.text, plan
    assert real.deploy(db).rc == 0 and db.exists("two")
    outcome = real.apply(db)
    assert outcome.rc == 1 and real.apply(db, "--no-check-order").rc == 0, outcome


@each(GraphileMigrate)
def test_graphile_migrate_hashes(real, db):
    one = real.add(1, "one", "CREATE TABLE one (i int);")
    two = real.add(2, "two", "CREATE TABLE two (i int);")
    path = real.write("committed/000002-two.sql", "")
    real.previous = "-"
    real.add(1, "one", "CREATE TABLE one (i int);")
    real.add(2, "two", "CREATE TABLE two (i int);")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    real.write(real.file(two), text.replace("two (i int)", "two (i bigint)"))
    result = real.deploy(db)
    assert result.rc == 20 and "was changed after it was committed" in result.text and not db.exists("one"), result
    assert real.apply(db).rc == 1
    real.write(real.file(two), text)
    assert real.deploy(db).rc == 0
    os.unlink(os.path.join(real.path, real.folder, real.file(one)))
    result = real.aramid("status", db)
    assert result.rc == 20 and "does not follow" in result.text, result
