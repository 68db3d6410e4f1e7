"""Repeatable scripts: views, functions and policies in files that are changed in place, and run again when they were."""

import os

import pytest

from harness import aramid
from harness.project import Project

TABLE = "CREATE TABLE users (id int PRIMARY KEY, name text, active bool NOT NULL DEFAULT true);"
VIEW = "CREATE OR REPLACE VIEW active_users AS SELECT id FROM users WHERE active;\n"
WIDER = "CREATE OR REPLACE VIEW active_users AS SELECT id, name FROM users WHERE active;\n"
COUNT = """CREATE OR REPLACE FUNCTION count_active() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM active_users
$$;
"""
QUERY = "-- @param {Int} $1:id\nSELECT id, name FROM users WHERE id = $1;\n"


class Scripts(Project):
    def script(self, name, sql):
        return self.write(f"prisma/sql/{name}", sql)

    def remove(self, name):
        os.remove(os.path.join(self.path, "prisma/sql", name))

    def run(self, verb, db, *args, env=None):
        return aramid.run(verb, "--url", db.url(), *args, cwd=self.path, env=env)

    def deploy(self, db, *args):
        result = self.run("deploy", db, "--yes", *args)
        assert result.rc == 0, result
        return result

    def settings(self, text):
        self.write("aramid.yaml", text)

    def plan(self, db):
        return [m["name"] for m in self.run("plan", db, "--json").json["migrations"]]


@pytest.fixture
def project(tmp_path):
    return Scripts(tmp_path / "project", {"init": TABLE})


def recorded(db):
    return db.column("SELECT name FROM aramid.repeatable ORDER BY applied_at, name")


def test_applied_when_changed_behind_all_migrations(project, db):
    # By name the function stands first; it needs the view.
    project.script("a_count.sql", COUNT)
    project.script("b_view.sql", VIEW)
    names = ["prisma/sql/b_view.sql", "prisma/sql/a_count.sql"]
    assert project.plan(db) == project.names + names
    project.deploy(db)
    assert recorded(db) == names and db.one("SELECT count_active()") == 0
    assert project.plan(db) == []
    again = project.deploy(db)
    assert "up to date" in again.text.lower() or "nothing" in again.text.lower(), again
    project.script("b_view.sql", WIDER)
    late = project.add("late", "ALTER TABLE users ADD COLUMN age int;")
    status = project.run("status", db, "--json").json
    assert status["pending"] == [late, "prisma/sql/b_view.sql"], status
    project.deploy(db)
    assert db.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 'active_users'::regclass AND attnum > 0") == 2
    assert recorded(db) == ["prisma/sql/a_count.sql", "prisma/sql/b_view.sql"]
    assert db.one("SELECT count(*) FROM _prisma_migrations") == 2, "scripts are no rows of Prisma's"
    assert "No drift" in project.run("drift", db).out


def test_what_they_make_is_no_drift_and_what_was_changed_by_hand_is(project, db):
    project.script("view.sql", VIEW)
    project.deploy(db)
    assert project.run("drift", db, "--exit-code").rc == 0
    project.script("view.sql", WIDER)
    assert project.run("drift", db, "--exit-code").rc == 0, "the file is newer than what was applied: no drift"
    db.sql("CREATE OR REPLACE VIEW active_users AS SELECT id FROM users WHERE NOT active")
    drift = project.run("drift", db, "--exit-code")
    assert drift.rc != 0 and "active_users" in drift.text
    project.deploy(db)
    assert project.run("drift", db, "--exit-code").rc == 0


def test_a_removed_one_is_told_and_drops_nothing(project, db):
    project.script("view.sql", VIEW)
    project.script("more.sql", COUNT)
    project.deploy(db)
    project.remove("more.sql")
    status = project.run("status", db)
    assert status.rc == 0 and "the repeatable script is gone" in status.text and "more.sql" in status.text, status
    assert project.run("status", db, "--json").json["state"] == "up-to-date"
    assert project.run("drift", db, "--exit-code").rc == 0, "what it made is known"
    deployed = project.deploy(db)
    assert "script-removed" in deployed.text and "DROP FUNCTION IF EXISTS" in status.text, deployed
    assert db.one("SELECT count_active()") == 0
    project.add("drop", "DROP FUNCTION IF EXISTS count_active();")
    project.deploy(db)
    assert project.run("drift", db, "--exit-code").rc == 0
    assert "script is gone" not in project.run("status", db).text
    project.script("more.sql", COUNT)
    assert project.plan(db) == ["prisma/sql/more.sql"], "back again, it is run again"


@pytest.mark.parametrize("name, sql, why", [
    ("users_by_id.sql", QUERY, "it is a query"),
    ("one.sql", "SELECT 1;", "it is a query"),
    ("insert.sql", "INSERT INTO users VALUES ($1) RETURNING id;", "it is a query"),
    ("delete.sql", "DELETE FROM users;", "cannot be run again"),
    ("table.sql", "CREATE TABLE IF NOT EXISTS t (i int);", "cannot be run again"),
    ("once.sql", VIEW + "CREATE VIEW w AS SELECT 1 AS i;", "cannot be run again"),
    ("rows.sql", "INSERT INTO users VALUES (1); INSERT INTO users VALUES (2);", "cannot be run again"),
    ("drops.sql", "DROP TABLE IF EXISTS users CASCADE;", "cannot be run again"),
    ("do.sql", "DO $$ BEGIN CREATE TABLE u (); END $$;", "cannot be run again"),
    ("column.sql", "ALTER TABLE users ADD COLUMN IF NOT EXISTS x int;", "cannot be run again"),
    ("trigger.sql", "CREATE TRIGGER t BEFORE UPDATE ON users EXECUTE FUNCTION f();", "cannot be run again"),
])
def test_what_is_no_script_is_named_and_not_run(project, db, name, sql, why):
    project.script(name, sql)
    assert project.plan(db) == project.names
    result = project.run("status", db, "--verbose")
    assert why in result.text and name in result.text, result
    project.deploy(db)
    assert project.run("status", db, "--json").json["pending"] == []


REPEATABLE = [
    "DROP TRIGGER IF EXISTS t ON users; CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();",
    "DROP POLICY IF EXISTS p ON public.users;\nCREATE POLICY p ON public.users USING (active);",
    "ALTER TABLE users ENABLE ROW LEVEL SECURITY;\nALTER TABLE users FORCE ROW LEVEL SECURITY;",
    "DROP MATERIALIZED VIEW IF EXISTS m; CREATE MATERIALIZED VIEW m AS SELECT id FROM users;\nCREATE INDEX m_i ON m (id);",
    "GRANT SELECT ON users TO PUBLIC; COMMENT ON TABLE users IS 'people';",
    "CREATE SCHEMA IF NOT EXISTS app;\nCREATE OR REPLACE VIEW app.v AS SELECT 1 AS i;",
    "DROP FUNCTION IF EXISTS g(int); CREATE FUNCTION g(i int) RETURNS int LANGUAGE sql AS 'SELECT $1';",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN INSERT INTO users VALUES (1, $1); END$$;",
    "DROP RULE IF EXISTS r ON users; CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;",
    "ALTER FUNCTION f() SET search_path = app, public; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;",
    "-- aramid:repeatable it looks first\nDO $$ BEGIN CREATE TABLE IF NOT EXISTS looked (i int); END $$;",
]


def test_what_may_be_run_again(project, db):
    project.add("function", "CREATE SCHEMA app; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;")
    for i, sql in enumerate(REPEATABLE):
        project.script(f"{i:02}.sql", sql)
    project.deploy(db)
    assert len(recorded(db)) == len(REPEATABLE)
    for i, sql in enumerate(REPEATABLE):
        project.script(f"{i:02}.sql", sql + "\n-- changed\n")
    project.deploy(db)
    assert project.run("drift", db, "--exit-code").rc == 0


def test_what_stands_on_a_dropped_view_is_made_again_with_it(project, db):
    base = "DROP VIEW IF EXISTS base CASCADE;\nCREATE VIEW base AS SELECT {} FROM users;\n"
    project.script("z_base.sql", base.format("id, name"))
    project.script("a_top.sql", "CREATE OR REPLACE VIEW top AS SELECT id FROM base;\n")
    project.script("other.sql", VIEW)
    project.deploy(db)
    project.script("z_base.sql", base.format("id"))
    assert project.plan(db) == ["prisma/sql/z_base.sql", "prisma/sql/a_top.sql"]
    project.deploy(db)
    assert db.one("SELECT count(*) FROM top") == 0


def test_directives_order_and_a_circle_is_told(project, db):
    for name in "abc":
        project.script(f"{name}.sql", f"CREATE OR REPLACE VIEW v_{name} AS SELECT 1 AS i;\n")
    project.script("a.sql", "-- aramid:after c.sql\nCREATE OR REPLACE VIEW v_a AS SELECT 1 AS i;\n")
    assert project.plan(db)[1:] == [f"prisma/sql/{n}.sql" for n in "bca"]
    project.script("c.sql", "-- aramid:after a.sql\nCREATE OR REPLACE VIEW v_c AS SELECT 1 AS i;\n")
    result = project.run("plan", db)
    assert result.rc != 0 and "circle" in result.text
    project.script("c.sql", "-- aramid:after nothing.sql\nCREATE OR REPLACE VIEW v_c AS SELECT 1 AS i;\n")
    result = project.run("deploy", db, "--yes")
    assert result.rc != 0 and "nothing.sql" in result.text and db.one("SELECT to_regclass('users')") is None


def test_a_failing_one_leaves_nothing_and_is_tried_again(project, db):
    project.script("view.sql", VIEW)
    project.script("zz.sql", "CREATE OR REPLACE VIEW half AS SELECT 1 AS i;\nCREATE OR REPLACE VIEW bad AS SELECT x FROM users;\n")
    result = project.run("deploy", db, "--yes")
    assert result.rc != 0 and "prisma/sql/zz.sql:2" in result.text, result
    assert recorded(db) == ["prisma/sql/view.sql"] and db.one("SELECT to_regclass('half')") is None
    project.script("zz.sql", "CREATE OR REPLACE VIEW half AS SELECT 1 AS i;\n")
    project.deploy(db)
    assert recorded(db) == ["prisma/sql/view.sql", "prisma/sql/zz.sql"]


def test_flat_files_only_where_the_settings_say_so(project, db):
    project.write("prisma/migrations/views.sql", VIEW)
    project.write("prisma/migrations/notes.sql", "DELETE FROM users;")
    result = project.deploy(db)
    assert result.text.count("history-stray-sql") == 2 and "repeatable: [prisma/migrations]" in result.text, result
    assert db.one("SELECT to_regclass('active_users')") is None
    project.settings("repeatable: [prisma/migrations]\n")
    assert project.plan(db) == ["prisma/migrations/views.sql"]
    result = project.deploy(db)
    assert "script-not-repeatable" in result.text and "notes.sql" in result.text
    assert recorded(db) == ["prisma/migrations/views.sql"]


def test_places_and_none(project, db):
    project.script("view.sql", VIEW)
    project.write("db/functions/deep/count.sql", COUNT)
    project.settings("repeatable: off\n")
    assert project.plan(db) == project.names
    project.settings("repeatable: [prisma/sql/view.sql, db/functions]\n")
    assert project.plan(db)[1:] == ["prisma/sql/view.sql", "db/functions/deep/count.sql"]
    project.settings("repeatable: [nowhere]\n")
    result = project.run("plan", db)
    assert result.rc != 0 and "nowhere" in result.text and "repeatable" in result.text


def test_flyways_repeatable_migrations(tmp_path, db):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "V1__users.sql").write_text(TABLE)
    (folder / "R__seed.sql").write_text("INSERT INTO users VALUES (1, 'a') ON CONFLICT DO NOTHING;")
    (folder / "R__view.sql").write_text(VIEW)

    def run(verb, *args):
        return aramid.run(verb, "--url", db.url(), *args, cwd=str(tmp_path))
    assert run("deploy", "--yes").rc == 0
    assert recorded(db) == ["migrations/R__seed.sql", "migrations/R__view.sql"]
    (folder / "R__seed.sql").write_text("INSERT INTO users VALUES (2, 'b') ON CONFLICT DO NOTHING;")
    (folder / "V2__age.sql").write_text("ALTER TABLE users ADD COLUMN age int;")
    assert [m["name"] for m in run("plan", "--json").json["migrations"]] == ["V2__age", "migrations/R__seed.sql"]
    assert run("deploy", "--yes").rc == 0 and db.one("SELECT count(*) FROM users") == 2
