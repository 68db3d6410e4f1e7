"""Several migrations in one message, each a transaction of its own: whatever ends the message, those before
that place are applied and recorded, those behind it are not in the database, and the next run goes on.
"""

import contextlib
import re
import signal
import time

import pytest

from harness import aramid, catalog, ledger, wait
from harness.faults import FULL, count
from harness.histories import together
from harness.project import Project
from harness.proxy import Fault, Proxy
from faults.test_pooler import PGBOUNCER, pooled

ROW = b"INSERT INTO"
SIZE = 12


class Many:
    """The history, and the schema that an undisturbed deploy of it makes."""

    def __init__(self, project, db):
        self.project = together(project, SIZE)
        result = self.run(db)
        assert result.rc == 0, result
        self.seconds = result.seconds
        self.catalog = catalog.dump(db)

    def start(self, db, url=None, **kwargs):
        return aramid.start("deploy", "--url", url or db.url(), cwd=self.project.path, **kwargs)

    def run(self, db, url=None, **kwargs):
        return self.start(db, url, **kwargs).wait()

    def finish(self, db):
        result = self.run(db)
        assert result.rc == 0, result
        ledger.check(db, self.project)
        ledger.clean(db)
        assert catalog.difference(self.catalog, catalog.dump(db)) == []


@pytest.fixture(scope="module")
def many(servers, tmp_path_factory):
    db = servers.get().new_database()
    yield Many(Project(tmp_path_factory.mktemp("many") / "project"), db)
    db.drop()


def rows_in(message):
    """Migrations whose rows a message writes."""
    return len(re.findall(rb"INSERT INTO \S*_prisma_migrations", message.body))


def applied(db):
    return len(ledger.applied(db)) if db.exists("_prisma_migrations") else 0


def effects(db):
    """Tables of the history that are there: as many as rows in the ledger."""
    return db.one("SELECT count(*) FROM pg_class WHERE relname ~ '^many_[0-9]+$' AND relkind = 'r'")


# ---- what is sent ------------------------------------------------------------------------------

def test_one_message(many, server, db):
    with Proxy(server) as proxy:
        result = many.run(db, proxy.url(db))
        sent = [rows_in(m) for m in proxy.messages if rows_in(m)]
    assert result.rc == 0, result
    assert sent == [SIZE], sent
    ledger.check(db, many.project)
    assert result.out.count("many_") == SIZE, result
    assert "lexemes" not in result.text, result


def test_how_many_is_a_setting(tmp_path, server, db):
    project = together(Project(tmp_path / "p"), SIZE)
    project.write("aramid.yaml", "message:\n  migrations: 5\n")
    with Proxy(server) as proxy:
        assert aramid.deploy(project, proxy.url(db)).rc == 0
        assert [rows_in(m) for m in proxy.messages if rows_in(m)] == [5, 5, 2]
    ledger.check(db, project)


@pytest.mark.parametrize("sql", [
    "CREATE INDEX CONCURRENTLY x_i ON many_1 (id);",
    "BEGIN;\nCREATE TABLE x (i int);\nCOMMIT;\nCREATE TABLE y (i int);",
    "SET search_path = public;\nCREATE TABLE x (i int);",
    "DO $$BEGIN EXECUTE 'CREATE TABLE x (i int)'; END$$;",
    "-- aramid:lock_timeout 3s\nCREATE TABLE x (i int);",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE x (i int);",
])
def test_what_goes_alone(project, server, db, sql):
    together(project, 3)
    project.add("alone", sql)
    for i in (7, 8):
        project.add(f"many_{i}", f"CREATE TABLE many_{i} (id int);")
    with Proxy(server) as proxy:
        result = aramid.deploy(project, proxy.url(db))
        sent = [rows_in(m) for m in proxy.messages if rows_in(m)]
    assert result.rc == 0, result
    assert max(sent) == 3 and sent[-1] == 2 and all(n == 1 for n in sent[1:-1]), sent
    ledger.check(db, project)


def test_changes_of_rows_come_first(project, server, db):
    """All transactions of a message have one now()."""
    project.add("a", "CREATE TABLE stamp (part text, at timestamptz DEFAULT now());")
    project.add("b", "INSERT INTO stamp VALUES ('b');")
    project.add("c", "CREATE TABLE c (i int);")
    project.add("d", "INSERT INTO stamp SELECT 'd' FROM stamp WHERE at < now();")
    with Proxy(server) as proxy:
        assert aramid.deploy(project, proxy.url(db)).rc == 0
        assert [rows_in(m) for m in proxy.messages if rows_in(m)] == [1, 2, 1]
    assert db.sql("SELECT part FROM stamp ORDER BY at") == [("b",), ("d",)]


def test_tables_of_others_are_asked_for_politely(project, server, db):
    """A table that was there before the run is locked by a message of its own."""
    project.add("a", "CREATE TABLE old (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("b", "CREATE TABLE b (i int);")
    project.add("c", "CREATE TABLE c (i int);")
    project.add("d", "ALTER TABLE old ADD COLUMN d int;")
    project.add("e", "ALTER TABLE b ADD COLUMN e int;")
    project.add("f", "ALTER TABLE c ADD COLUMN f int;")
    with Proxy(server) as proxy:
        assert aramid.deploy(project, proxy.url(db)).rc == 0
        assert [rows_in(m) for m in proxy.messages if rows_in(m)] == [2, 1, 2]


def test_own_transaction_of_a_file(project, server, db):
    """One that is the whole file is a transaction like any other."""
    together(project, 2)
    project.add("own", "BEGIN;\nCREATE TABLE own (i int);\nCOMMIT;\n")
    project.add("many_9", "CREATE TABLE many_9 (id int);")
    with Proxy(server) as proxy:
        assert aramid.deploy(project, proxy.url(db)).rc == 0
        assert [rows_in(m) for m in proxy.messages if rows_in(m)] == [4]
    ledger.check(db, project)


# ---- errors ------------------------------------------------------------------------------------

@pytest.mark.parametrize("k", range(SIZE))
def test_error_in_each(tmp_path, db, k):
    project = together(Project(tmp_path / "p"), SIZE)
    name = project.names[k]
    with open(project.file(name), encoding="utf-8") as f:
        good = f.read()
    project.edit(name, "-- ä, ö\n\nCREATE TABLE twice (i int);\n  CREATE TABLE twice (j nowhere);\n" + good)
    result = aramid.deploy(project, db.url())
    assert result.rc == 22, result
    assert f"{name}/migration.sql:4:25" in result.text, result
    assert k == 0 or f"{k} migration{'s' if k > 1 else ''} before it" in result.text, result
    assert applied(db) == k and effects(db) == k
    project.edit(name, good)
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


def test_error_without_a_position(project, db):
    together(project, 4)
    project.add("bad", "CREATE TABLE a (i int);\n\nCREATE TABLE a (i int);")
    project.add("many_5", "CREATE TABLE many_5 (id int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "bad/migration.sql:3:1" in result.text, result
    assert applied(db) == 4 and not db.exists("a") and not db.exists("many_5")


def test_syntax_that_only_the_server_refuses(tmp_path, new_server):
    """Syntax of a later version: the server reads a message as a whole before it runs any of it."""
    server = new_server(13)
    db = server.new_database()
    project = together(Project(tmp_path / "p"), 9)
    project.add("later", "CREATE TABLE later (i int);\n-- 14\n"
                "CREATE TABLE later_still (t text COMPRESSION pglz);")
    project.add("many_10", "CREATE TABLE many_10 (id int);")
    with Proxy(server) as proxy:
        result = aramid.deploy(project, proxy.url(db))
        sent = [rows_in(m) for m in proxy.messages if rows_in(m)]
    assert result.rc == 21 and "later/migration.sql:3:34" in result.text, result
    assert sent == [11] + [1] * 10, sent
    assert applied(db) == 9 and effects(db) == 9
    db.drop()


def test_deferred_constraint(project, db):
    """What is deferred is the file's own error, wherever the file stands."""
    project.add("a", "CREATE TABLE many_1 (id int);")
    project.add("b", "CREATE TABLE d (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);")
    project.add("c", "CREATE TABLE many_3 (id int);")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and '"' + project.names[1] + '" failed' in result.text, result
    assert applied(db) == 1 and not db.exists("d")


def test_commit_that_fails(project, db):
    """A deferred trigger that the look at deferred constraints does not reach: made behind it."""
    project.add("a", "CREATE TABLE many_1 (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.migration_name ~ 'many_4' "
           "THEN RAISE 'late'; END IF; RETURN NULL; END$$")
    db.sql("CREATE CONSTRAINT TRIGGER late AFTER INSERT ON _prisma_migrations INITIALLY DEFERRED FOR EACH ROW "
           "EXECUTE FUNCTION late()")
    for i in range(2, 7):
        project.add(f"many_{i}", f"CREATE TABLE many_{i} (id int);")
    result = aramid.deploy(project, db.url())
    assert result.rc and "late" in result.text, result
    assert applied(db) == 3 and effects(db) == 3
    db.sql("DROP TRIGGER late ON _prisma_migrations")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


def test_wait_for_a_lock(many, db):
    """Somebody is about to make the same table: no lock within its time, so the rest goes one by one."""
    with contextlib.closing(db.connect()) as other:
        other.set_session(autocommit=False)
        other.cursor().execute("CREATE TABLE many_6 (i int)")
        ours = many.start(db)
        wait.until(lambda: applied(db) == 5, "five are applied")
        ours.wait_for("lock")
        other.rollback()
    result = ours.wait()
    assert result.rc == 0, result
    ledger.check(db, many.project)


# ---- what is told ------------------------------------------------------------------------------

def slow(project, after):
    """The fourth of seven runs until the test lets go."""
    together(project, 3)
    project.add("slow", "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS v FROM held_by_a_test();")
    for i in range(after):
        project.add(f"many_{i + 7}", f"CREATE TABLE many_{i + 7} (id int);")
    return project


def test_progress_is_live(project, db):
    """What is committed is told while the message goes on."""
    slow(project, 3)
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        ours.wait_for("many_3")
        assert "many_7" not in ours.said()
        assert applied(db) == 3
    result = ours.wait()
    assert result.rc == 0, result
    ledger.check(db, project)


def test_notices_belong_to_their_file(project, db):
    together(project, 3)
    project.add("again", "CREATE TABLE IF NOT EXISTS many_1 (id int);")
    project.add("many_9", "CREATE TABLE many_9 (id int);")
    result = aramid.deploy(project, db.url(), "--verbose")
    assert result.rc == 0, result
    assert re.search(r'again.*"many_1" already exists', result.text), result
    assert "lexemes" not in result.text, result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_in_the_middle(project, db, number):
    slow(project, 3)
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        reached()
        ours.wait_for("many_3")  # the server shows the whole message as soon as it is at work on it
        ours.process.send_signal(number)
        result = ours.wait()
    assert result.rc in (43, 128 + number), result
    assert "3 migrations of this run are applied" in result.text and "slow" in result.text, result
    assert applied(db) == 3 and not db.exists("many_7")
    project.edit(project.names[3], "CREATE TABLE slow (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)


# ---- kills, cuts, crashes ----------------------------------------------------------------------

@pytest.mark.parametrize("passage", range(1, SIZE + 1) if FULL else (1, 5, SIZE))
def test_kill_between(many, db, passage):
    result = many.run(db, env={"ARAMID_FAILPOINT": f"between-blocks#{passage}:kill"})
    assert result.rc == -signal.SIGKILL, result
    many.finish(db)


def test_kill_at_random(many, server, dice):
    for _ in range(count(6, 276)):
        db = server.new_database()
        ours = many.start(db)
        time.sleep(dice.uniform(0, many.seconds))
        ours.kill()
        many.finish(db)
        db.drop()


def test_kill_in_each(tmp_path, server):
    """The server is inside the k-th file when the client goes, and goes on with those behind it."""
    for k in range(SIZE) if FULL else (0, 4, SIZE - 1):
        db = server.new_database()
        project = together(Project(tmp_path / f"p{k}"), SIZE)
        name = project.names[k]
        with open(project.file(name), encoding="utf-8") as f:
            text = f.read()
        project.edit(name, text + f"\n;CREATE MATERIALIZED VIEW held_{k} AS SELECT 1 AS v FROM held_by_a_test();\n")
        with wait.held(db) as reached:
            ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
            reached()
            ours.kill()
            next_one = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        assert next_one.wait().rc == 0
        ledger.check(db, project)
        ledger.clean(db)
        db.drop()


def test_cut_at_bytes_of_the_answer(many, server, dice):
    """The client has heard of some, and of no more."""
    for _ in range(count(8, 97)):
        db = server.new_database()
        with Proxy(server) as proxy:
            fault = proxy.fault(Fault("partial", dice.choice(["cut", "cut-client"]), lambda m: rows_in(m) > 1,
                                      keep=dice.randint(0, 9000)))
            result = many.run(db, proxy.url(db))
            assert fault.struck
        assert result.rc in (0, 40, 43), result
        if result.rc == 0:
            assert f"({SIZE} in" in result.text or f"{SIZE} migrations" in result.text, result
        many.finish(db)
        db.drop()


@pytest.mark.parametrize("place", ["before", "after", "reply"])
def test_cut_at_the_message(many, server, db, place):
    with Proxy(server) as proxy:
        proxy.fault(Fault(place, "cut", lambda m: rows_in(m) > 1))
        result = many.run(db, proxy.url(db))
    assert result.rc in (0, 40, 43), result
    many.finish(db)


def test_cut_in_the_middle_counts_all(project, server, db):
    """Those that were told, the one under way and those behind it: the report has each of them once."""
    slow(project, 3)
    with Proxy(server) as proxy:
        with wait.held(db) as reached:
            ours = aramid.start("deploy", "--url", proxy.url(db), cwd=project.path)
            reached()
            ours.wait_for("many_3")
            for connection in list(proxy.live):
                connection.close(connection.client)
                connection.close(connection.server)
        result = ours.wait()
    assert result.rc == 0, result
    ledger.check(db, project)
    assert re.search(r"\b7 (in|migrations)", result.text), result


@pytest.mark.parametrize("how", ["kill9", "immediate"])
def test_crash_after_commits_that_did_not_wait(tmp_path, new_server, how):
    """Nothing writes what was committed to the disk before the server goes down: it is gone, together with
    its rows, and is applied again."""
    server = new_server(durable=True, wal_writer_delay="10s", wal_writer_flush_after="1GB", bgwriter_delay="10s")
    for _ in range(count(1, 17)):
        db = server.new_database()
        project = slow(Project(tmp_path / f"{db.name}"), 3)
        db.sql("CREATE FUNCTION pg_catalog.held_by_a_test() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(30)'")
        server.admin("CHECKPOINT")
        ours = aramid.start("deploy", "--url", db.url(), cwd=project.path)
        ours.wait_for("many_3")
        if how == "kill9":
            server.kill9()
        else:
            server.stop(how)
        server.start()
        db.sql("CREATE OR REPLACE FUNCTION pg_catalog.held_by_a_test() RETURNS void LANGUAGE sql AS 'SELECT'")
        lost = 3 - applied(db)
        print("lost", lost)
        result = ours.wait()
        assert result.rc in (0, 40, 43, 44), result
        assert aramid.deploy(project, db.url()).rc == 0
        ledger.check(db, project)
        db.drop()


def test_crash_at_random(tmp_path, new_server, dice):
    server = new_server(durable=True)
    history = Many(Project(tmp_path / "p"), server.new_database())
    for _ in range(count(1, 16)):
        db = server.new_database()
        ours = history.start(db)
        time.sleep(dice.uniform(0.05, history.seconds))
        server.kill9()
        server.start()
        result = ours.wait()
        assert result.rc in (0, 40, 43, 44), result
        history.finish(db)
        db.drop()


# ---- others ------------------------------------------------------------------------------------

def test_ten_at_once(many, server):
    for _ in range(count(1, 10)):
        db = server.new_database()
        running = [many.start(db) for _ in range(10)]
        results = [one.wait() for one in running]
        assert [r.rc for r in results] == [0] * 10, [r for r in results if r.rc][0]
        ledger.check(db, many.project)
        db.drop()


@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")
def test_pool_of_sessions(many, server, db):
    with pooled(server, "session") as port:
        result = many.run(db, db.url(port=port))
    assert result.rc == 0, result
    ledger.check(db, many.project)


# ---- the disk ----------------------------------------------------------------------------------

def flushed(proxy):
    """Of the message of many: how many of its transactions do not wait for the disk."""
    return [len(re.findall(rb"synchronous_commit", m.body)) for m in proxy.messages if rows_in(m) > 1]


def test_only_the_last_waits(many, server, db):
    with Proxy(server) as proxy:
        assert many.run(db, proxy.url(db)).rc == 0
        assert flushed(proxy) == [SIZE - 1]


def test_each_waits_where_that_is_set(tmp_path, server, db):
    project = together(Project(tmp_path / "p"), SIZE)
    project.write("aramid.yaml", "flush: each\n")
    with Proxy(server) as proxy:
        assert aramid.deploy(project, proxy.url(db)).rc == 0
        assert flushed(proxy) == [0]


def test_each_waits_for_standbys(many, new_server):
    """Where a commit may wait for another server it does."""
    server = new_server()
    server.admin("ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'")
    server.admin("ALTER SYSTEM SET synchronous_commit = 'local'")
    server.admin("SELECT pg_reload_conf()")
    db = server.new_database()
    with Proxy(server) as proxy:
        assert many.run(db, proxy.url(db)).rc == 0
        assert flushed(proxy) == [0]


def test_error_comes_after_a_flush(project, server, db):
    """By an ordinary role, too."""
    together(project, 5)
    project.add("bad", "CREATE TABLE a (i nowhere);")
    db.sql("CREATE ROLE plain_role LOGIN")
    db.sql(f'ALTER DATABASE "{db.name}" OWNER TO plain_role')
    db.sql("GRANT ALL ON SCHEMA public TO plain_role")
    try:
        with Proxy(server) as proxy:
            result = aramid.deploy(project, proxy.url(db, user="plain_role"))
            behind = [m.text for m in proxy.messages if m.type == "Q"]
        assert result.rc == 22, result
        many = next(i for i, text in enumerate(behind) if text.count("_prisma_migrations") > 5)
        assert any("pg_logical_emit_message" in text for text in behind[many:]), behind[many:]
        assert "state: 5 migrations before it" in result.text, result
    finally:
        db.sql("REASSIGN OWNED BY plain_role TO postgres")
        db.sql("DROP OWNED BY plain_role")
        db.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres')
        db.sql("DROP ROLE plain_role")
