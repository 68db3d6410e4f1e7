"""Whatever lies on the history table or on Aramid's own: a migration and its row come both or neither.

A generator makes surroundings: triggers that swallow, change, double, move and refuse rows at each event
and moment, rules, row-level security, views, partitions, columns, constraints, owners, event triggers,
publications. In each of them a migration of one transaction and one of several steps is deployed twice by
the role that the surrounding is for; then it is taken away, and the next deploy must end it.
"""

import contextlib
import dataclasses

import pytest

from harness import aramid
from harness.faults import FULL

LEDGER, JOURNAL = "public._prisma_migrations", "aramid.journal"
OWNER, OTHER = "attack_owner", "attack_other"
KINDS = {
    "plain": "INSERT INTO m VALUES (1);\n",
    "steps": "INSERT INTO m VALUES (1);\nCREATE INDEX CONCURRENTLY m_x ON m (x);\nINSERT INTO m VALUES (2);\n",
}


@dataclasses.dataclass
class Surrounding:
    """What lies on a table; how it goes away; who deploys; what a refusal must name ("" = nothing)."""

    setup: str
    undo: str
    names: str
    role: str = OWNER
    table: str = LEDGER


def _trigger(table, event, moment, body, name="mischief", level="ROW", constraint=""):
    function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
    kind = "CONSTRAINT TRIGGER" if constraint else "TRIGGER"
    return Surrounding(f"{function} CREATE {kind} {name} {moment} {event} ON {table} {constraint} FOR EACH {level} "
                       f"EXECUTE FUNCTION {name}();", f"DROP FUNCTION {name}() CASCADE", name, table=table)


def _triggers(table, key):
    """Each way in which a trigger can come between a statement and its row."""
    by_key = f"DELETE FROM {table} t WHERE t.{key} = NEW.{key};"
    for event in ("INSERT", "UPDATE", "INSERT OR UPDATE"):
        tag = event.replace(" ", "").lower()
        yield f"swallow-{tag}", _trigger(table, event, "BEFORE", "RETURN NULL;")
        yield f"refuse-{tag}", _trigger(table, event, "BEFORE", "RAISE EXCEPTION 'no rows today';")
        yield f"divide-{tag}", _trigger(table, event, "BEFORE", "PERFORM 1 / 0; RETURN NEW;")
        yield f"remove-{tag}", _trigger(table, event, "AFTER", by_key + " RETURN NULL;")
        yield f"deferred-{tag}", _trigger(table, event, "AFTER", by_key + " RETURN NULL;",
                                          constraint="DEFERRABLE INITIALLY DEFERRED")
        yield f"statement-{tag}", _trigger(table, event, "AFTER", f"DELETE FROM {table} WHERE {key} <> ''; RETURN NULL;",
                                           level="STATEMENT")


def _ledger_surroundings():
    for name, found in _triggers(LEDGER, "id"):
        yield name, found
    change = {"rename": "NEW.migration_name := 'x' || NEW.migration_name;", "unfinish": "NEW.finished_at := NULL;",
              "sum": "NEW.checksum := 'x';", "id": "NEW.id := 'x';", "roll-back": "NEW.rolled_back_at := now();"}
    for name, body in change.items():
        yield f"change-{name}", _trigger(LEDGER, "INSERT", "BEFORE", body + " RETURN NEW;")
    yield "double", _trigger(LEDGER, "INSERT", "AFTER", "IF pg_trigger_depth() = 1 THEN "
                             f"INSERT INTO {LEDGER} (id, checksum, migration_name, finished_at) VALUES "
                             "('double', NEW.checksum, NEW.migration_name, now()); END IF; RETURN NULL;")
    for event, action in (("insert", "NOTHING"), ("update", "NOTHING"),
                          ("insert", "INSERT INTO public.elsewhere VALUES (NEW.migration_name)")):
        yield f"rule-{event}-{action.split()[0].lower()}", Surrounding(
            f"CREATE TABLE elsewhere (n text); CREATE RULE mischief AS ON {event} TO {LEDGER} DO INSTEAD {action}",
            f"DROP RULE mischief ON {LEDGER}; DROP TABLE elsewhere", "mischief")
    rls = f"ALTER TABLE {LEDGER} ENABLE ROW LEVEL SECURITY;"
    off = f"ALTER TABLE {LEDGER} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"
    policies = {"none": "", "insert": f"CREATE POLICY mischief ON {LEDGER} FOR INSERT WITH CHECK (true);",
                "hides": f"CREATE POLICY mischief ON {LEDGER} USING (false) WITH CHECK (true);",
                "hides-new": f"CREATE POLICY mischief ON {LEDGER} USING (finished_at < now() - interval '1 s') WITH CHECK (true);",
                "restricts": f"CREATE POLICY mischief ON {LEDGER} USING (true); CREATE POLICY mischief2 ON {LEDGER}"
                             " AS RESTRICTIVE FOR SELECT USING (migration_name LIKE '%init');",
                "of-others": f"CREATE POLICY mischief ON {LEDGER} TO postgres USING (true);",
                "shows-and-takes": f"CREATE POLICY mischief ON {LEDGER} FOR SELECT USING (true);"
                                   f"CREATE POLICY mischief2 ON {LEDGER} FOR INSERT WITH CHECK (true);",
                "refuses": f"CREATE POLICY mischief ON {LEDGER} USING (true) WITH CHECK (false);"}
    for name, policy in policies.items():
        gone = f"DROP POLICY IF EXISTS mischief ON {LEDGER}; DROP POLICY IF EXISTS mischief2 ON {LEDGER}; {off}"
        yield f"rls-{name}", Surrounding(rls + policy, gone, "row-level security", OTHER)
        yield f"rls-force-{name}", Surrounding(f"{rls} ALTER TABLE {LEDGER} FORCE ROW LEVEL SECURITY; {policy}", gone,
                                               "row-level security")
    open_policies = {"all": f"CREATE POLICY mischief ON {LEDGER} USING (true);",
                     "role": f"CREATE POLICY mischief ON {LEDGER} TO {OTHER}, {OWNER} USING (true) WITH CHECK (true);",
                     "restrictive": f"CREATE POLICY mischief ON {LEDGER} USING (true); CREATE POLICY mischief2 ON {LEDGER}"
                                    " AS RESTRICTIVE USING (true);"}
    for name, policy in open_policies.items():  # nothing is hidden from this role
        gone = f"DROP POLICY mischief ON {LEDGER}; DROP POLICY IF EXISTS mischief2 ON {LEDGER}; {off}"
        yield f"rls-open-{name}", Surrounding(rls + policy, gone, "", OTHER)
        yield f"rls-force-open-{name}", Surrounding(f"{rls} ALTER TABLE {LEDGER} FORCE ROW LEVEL SECURITY; {policy}", gone, "")
    moved = f"ALTER TABLE {LEDGER} RENAME TO pm_real;"
    view = f"{moved} CREATE VIEW {LEDGER} AS SELECT * FROM public.pm_real"
    back = f"DROP VIEW {LEDGER} CASCADE; ALTER TABLE public.pm_real RENAME TO _prisma_migrations"
    given = f"; ALTER VIEW {LEDGER} OWNER TO {OWNER}"
    yield "view", Surrounding(view + given, back, "")
    yield "view-hides", Surrounding(f"{view} WHERE started_at < '2000-01-01' OR migration_name LIKE '%init'{given}", back, "view")
    yield "view-instead", Surrounding(
        f"{view}{given}; CREATE FUNCTION mischief() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        f"CREATE TRIGGER mischief INSTEAD OF INSERT OR UPDATE ON {LEDGER} FOR EACH ROW EXECUTE FUNCTION mischief()",
        back + "; DROP FUNCTION mischief()", "mischief")
    yield "view-rule", Surrounding(f"{view}{given}; CREATE RULE mischief AS ON INSERT TO {LEDGER} DO INSTEAD NOTHING", back, "mischief")
    yield "partitioned", Surrounding(
        f"{moved} CREATE TABLE {LEDGER} (LIKE public.pm_real) PARTITION BY LIST (migration_name);"
        f"ALTER TABLE {LEDGER} OWNER TO {OWNER}; CREATE TABLE public.pm_old PARTITION OF {LEDGER}"
        f" FOR VALUES IN ('20240101000001_init'); INSERT INTO {LEDGER} SELECT * FROM public.pm_real",
        f"DROP TABLE {LEDGER} CASCADE; ALTER TABLE public.pm_real RENAME TO _prisma_migrations", "partition")
    yield "column-required", Surrounding(f"ALTER TABLE {LEDGER} ADD COLUMN team text; UPDATE {LEDGER} SET team = 'a';"
                                         f"ALTER TABLE {LEDGER} ALTER COLUMN team SET NOT NULL",
                                         f"ALTER TABLE {LEDGER} DROP COLUMN team", "team")
    yield "column-renamed", Surrounding(f"ALTER TABLE {LEDGER} RENAME COLUMN applied_steps_count TO steps",
                                        f"ALTER TABLE {LEDGER} RENAME COLUMN steps TO applied_steps_count",
                                        "applied_steps_count")
    yield "column-generated", Surrounding(
        f"ALTER TABLE {LEDGER} DROP COLUMN applied_steps_count; ALTER TABLE {LEDGER} ADD COLUMN"
        " applied_steps_count int GENERATED ALWAYS AS (1) STORED",
        f"ALTER TABLE {LEDGER} DROP COLUMN applied_steps_count; ALTER TABLE {LEDGER} ADD COLUMN"
        " applied_steps_count int NOT NULL DEFAULT 0; UPDATE _prisma_migrations SET applied_steps_count = 1",
        "applied_steps_count")
    yield "check", Surrounding(f"ALTER TABLE {LEDGER} ADD CONSTRAINT mischief CHECK (migration_name LIKE '%init')",
                               f"ALTER TABLE {LEDGER} DROP CONSTRAINT mischief", "mischief")
    yield "unique", Surrounding(f"CREATE UNIQUE INDEX mischief ON {LEDGER} ((1))", "DROP INDEX mischief", "mischief")
    yield "no-insert", Surrounding(f"REVOKE INSERT ON {LEDGER} FROM {OTHER}", f"GRANT INSERT ON {LEDGER} TO {OTHER}",
                                   "_prisma_migrations", OTHER)
    yield "no-update", Surrounding(f"REVOKE UPDATE ON {LEDGER} FROM {OTHER}", f"GRANT UPDATE ON {LEDGER} TO {OTHER}",
                                   "_prisma_migrations", OTHER)
    audit = _trigger(LEDGER, "INSERT OR UPDATE OR DELETE", "AFTER", "INSERT INTO public.audit VALUES (TG_OP); RETURN NULL;")
    yield "audit", Surrounding(f"CREATE TABLE audit (op text); ALTER TABLE audit OWNER TO {OWNER};" + audit.setup,
                               audit.undo, "")
    yield "child", Surrounding(f"CREATE TABLE child () INHERITS ({LEDGER}); ALTER TABLE child OWNER TO {OWNER}", "DROP TABLE child", "")


def _journal_surroundings():
    for name, found in _triggers(JOURNAL, "ledger_id"):
        if "statement" not in name:
            yield f"journal-{name}", found
    off = f"ALTER TABLE {JOURNAL} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"
    rls = f"ALTER TABLE {JOURNAL} ENABLE ROW LEVEL SECURITY;"
    yield "journal-rls", Surrounding(rls, off, "row-level security", OTHER, JOURNAL)
    yield "journal-rls-force", Surrounding(f"{rls} ALTER TABLE {JOURNAL} FORCE ROW LEVEL SECURITY", off,
                                           "row-level security", OWNER, JOURNAL)
    yield "journal-other-role", Surrounding(f"REVOKE ALL ON {JOURNAL} FROM {OTHER}",
                                            f"GRANT ALL ON {JOURNAL} TO {OTHER}", "GRANT", OTHER, JOURNAL)
    yield "journal-rule", Surrounding(f"CREATE RULE mischief AS ON INSERT TO {JOURNAL} DO INSTEAD NOTHING",
                                      f"DROP RULE mischief ON {JOURNAL}", "mischief", OWNER, JOURNAL)


SURROUNDINGS = dict(_ledger_surroundings()) | dict(_journal_surroundings())
CASES = [(name, kind) for i, name in enumerate(SURROUNDINGS) for kind in KINDS
         if FULL or kind == "plain" or i % 4 == 0 or "update" in name or SURROUNDINGS[name].table == JOURNAL]


def test_there_are_enough():
    assert len(SURROUNDINGS) >= 40


@pytest.fixture
def deployed(project, db):
    """A database of a role of its own, with a history and a journal, and another role that may all."""
    for role in (OWNER, OTHER):
        db.sql(f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
               f"GRANT ALL ON SCHEMA public TO {role}; GRANT CREATE ON DATABASE {db.name} TO {role}")
    db.sql("ALTER DEFAULT PRIVILEGES FOR ROLE attack_owner GRANT ALL ON TABLES TO attack_other")
    project.add("init", "CREATE TABLE m (x int);\nCREATE INDEX CONCURRENTLY m_i ON m (x);\n")
    assert aramid.deploy(project, db.url(user=OWNER)).rc == 0
    db.sql(f"GRANT USAGE ON SCHEMA aramid TO {OTHER}; GRANT ALL ON ALL TABLES IN SCHEMA aramid TO {OTHER};"
           f"GRANT {OWNER} TO {OTHER}; REVOKE {OWNER} FROM {OTHER}")
    yield project
    with contextlib.suppress(Exception):
        db.sql(f"DROP OWNED BY {OWNER}, {OTHER}")


def _state(db, name):
    """How often the parts ran, and how many rows say that it was begun or done."""
    ran = dict(db.sql("SELECT x, count(*) FROM m GROUP BY x"))
    rows = db.one("SELECT count(*) FROM _prisma_migrations WHERE migration_name = %s AND rolled_back_at IS NULL", name)
    steps = db.one("SELECT count(*) FROM aramid.journal WHERE migration_name = %s AND done", name)
    return ran, rows, steps


@pytest.mark.parametrize("name,kind", CASES, ids=lambda part: part)
def test_both_or_neither(deployed, db, name, kind):
    found = SURROUNDINGS[name]
    db.sql(f"ALTER TABLE m OWNER TO {found.role}; {found.setup}")
    migration = deployed.add("next", KINDS[kind])
    for _ in range(2):
        run = aramid.deploy(deployed, db.url(user=found.role))
        ran, rows, steps = _state(db, migration)
        if run.rc == 0:
            assert ran == ({1: 1} if kind == "plain" else {1: 1, 2: 1}) and rows == 1, (ran, rows, run.out)
            continue
        assert max(ran.values(), default=0) <= 1, (ran, run.err)
        assert not ran or (kind == "steps" and rows == 1 and steps), (ran, rows, steps, run.err)
        assert found.names and found.names in run.err, run.err
        assert "correct the file" not in run.err and "applied" not in run.out.split("state:")[0], (run.out, run.err)
    assert run.rc == 0 or found.names
    db.sql(found.undo)
    last = aramid.deploy(deployed, db.url(user=found.role))
    ran, rows, _ = _state(db, migration)
    assert last.rc == 0, last.err
    assert ran == ({1: 1} if kind == "plain" else {1: 1, 2: 1}) and rows == 1, (ran, rows)


# ---- who may only look ---------------------------------------------------------------------------

@pytest.mark.parametrize("table", [LEDGER, JOURNAL])
def test_status_never_reports_what_it_may_not_see(deployed, db, table):
    db.sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    run = aramid.status(deployed, db.url(user=OTHER))
    assert run.rc == 28, run
    assert table in run.err and "row-level security" in run.err and "DISABLE ROW LEVEL SECURITY" in run.err, run.err
    assert aramid.status(deployed, db.url(user=OWNER)).rc == 0


def test_status_of_a_role_that_sees_all_rows(deployed, db):
    db.sql(f"ALTER TABLE {LEDGER} ENABLE ROW LEVEL SECURITY; CREATE POLICY look ON {LEDGER} FOR SELECT USING (true)")
    assert aramid.status(deployed, db.url(user=OTHER)).rc == 0
    db.sql(f"CREATE POLICY less ON {LEDGER} AS RESTRICTIVE FOR SELECT USING (migration_name <> 'x')")
    assert aramid.status(deployed, db.url(user=OTHER)).rc == 28


# ---- locked by others ----------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "SHARE"])
@pytest.mark.parametrize("table", [LEDGER, JOURNAL])
def test_a_locked_table_is_waited_for_by_name(deployed, db, table, mode):
    name = deployed.add("next", KINDS["steps"])
    with contextlib.closing(db.connect()) as holder:
        holder.autocommit = False
        holder.cursor().execute(f"LOCK TABLE {table} IN {mode} MODE")
        run = aramid.deploy(deployed, db.url(user=OWNER), "--lock-budget", "1s")
        assert run.rc == 42 and f"process {holder.info.backend_pid}" in run.err, run
        started = aramid.start("deploy", "--url", db.url(user=OWNER), cwd=deployed.path)
        started.wait_for("waiting for a lock: process")
        holder.rollback()
        done = started.wait()
    assert done.rc == 0, done
    assert _state(db, name)[0] == {1: 1, 2: 1}


def test_status_of_a_locked_ledger_is_temporary(deployed, db):
    with contextlib.closing(db.connect()) as holder:
        holder.autocommit = False
        holder.cursor().execute(f"LOCK TABLE {LEDGER} IN ACCESS EXCLUSIVE MODE")
        run = aramid.status(deployed, db.url(user=OWNER))
        assert run.rc == 42 and f"process {holder.info.backend_pid}" in run.err, run


# ---- our own tables cannot be made as always -------------------------------------------------------

FORBID = ("CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not here'; END $$;"
          "CREATE EVENT TRIGGER mischief ON ddl_command_start WHEN TAG IN ({}) EXECUTE FUNCTION forbid()")


def test_an_event_trigger_against_schemas_puts_the_journal_beside(project, db):
    project.add("init", "CREATE TABLE m (x int);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(FORBID.format("'CREATE SCHEMA'"))
    project.add("next", KINDS["steps"])
    run = aramid.deploy(project, db.url())
    assert run.rc == 0, run
    assert db.exists("public._aramid_journal") and not db.exists(JOURNAL)
    project.add("later", KINDS["steps"].replace("m_x", "m_y"))
    assert aramid.deploy(project, db.url()).rc == 0


def test_an_event_trigger_against_tables_is_named(project, db):
    project.add("init", "CREATE TABLE m (x int);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(FORBID.format("'CREATE SCHEMA', 'CREATE TABLE'"))
    project.add("next", KINDS["steps"])
    run = aramid.deploy(project, db.url())
    assert run.rc == 39 and "event trigger mischief" in run.err and not db.sql("SELECT FROM m"), run


def test_another_role_is_refused_before_anything_runs(deployed, db):
    db.sql(f"REVOKE INSERT ON {JOURNAL} FROM {OTHER}; ALTER TABLE m OWNER TO {OTHER}")
    deployed.add("first", "INSERT INTO m VALUES (0);\n")
    deployed.add("next", KINDS["steps"])
    run = aramid.deploy(deployed, db.url(user=OTHER))
    assert run.rc == 33 and 'GRANT SELECT, INSERT, UPDATE, DELETE ON "aramid"."journal"' in run.err, run
    assert not db.sql("SELECT FROM m")


def test_own_tables_never_stop_a_subscriber(project, new_server):
    """A publication FOR ALL TABLES with a subscriber that lacks them: they are not made, and said how."""
    server = new_server(wal_level="logical", max_replication_slots="4")
    db = server.new_database()
    project.add("init", "CREATE TABLE m (x int);\n")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("CREATE PUBLICATION everything FOR ALL TABLES")
    db.sql("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
    project.add("plain", KINDS["plain"])
    run = aramid.deploy(project, db.url(), "--env", "production", "--no-backup", "--reason", "a test", "--yes")
    assert run.rc == 0 and 'publication "everything"' in run.text, run
    assert db.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'aramid'") == 0
    project.add("next", KINDS["steps"].replace("(1)", "(3)"))
    run = aramid.deploy(project, db.url())
    assert run.rc == 33 and "on each subscriber" in run.err, run
    by_hand = next(line for line in run.err.splitlines() if "CREATE SCHEMA aramid" in line).strip()
    db.sql(by_hand)
    assert aramid.deploy(project, db.url()).rc == 0
