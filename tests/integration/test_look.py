"""What a deploy looks at: the schema before, the database behind it, and what it says about it."""

import os
import subprocess

import pytest

from harness import aramid, ledger

OTHER = "CREATE TABLE IF NOT EXISTS users (id int PRIMARY KEY, name text NOT NULL);"


def deploy(project, db, env, *args, **variables):
    return aramid.run("deploy", "--url", db.url(), "--env", env, "--yes", "--no-backup", "--reason", "test",
                      *args, cwd=project.path, env=variables)


def event(result, text):
    return any(text in line for line in result.err.splitlines())


def test_schema_is_validated_before(project, db):
    project.add("init", "CREATE TABLE t (i int);")
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\nmodel A {\n  id Strin @id\n}\n')
    for command in ("plan", "deploy"):
        result = aramid.run(command, "--url", db.url(), cwd=project.path)
        assert result.rc == 6 and "schema.prisma:6" in result.err and "aramid validate" in result.err, result
    assert not db.exists("t") and not db.exists("_prisma_migrations")


@pytest.mark.parametrize("env", ["production", "staging"])
def test_if_not_exists_over_another_shape(project, db, env):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, env).rc == 0
    db.sql("CREATE TABLE users (id int)")
    project.add("users", OTHER)
    result = deploy(project, db, env)
    assert result.rc == 28, result
    assert "not what they make" in result.err and "users" in result.err and "IF NOT EXISTS" in result.err, result
    assert ledger.applied(db) == project.names
    assert db.sql("SELECT outcome FROM aramid.runs ORDER BY started_at DESC LIMIT 1") == [("failed",)]


def test_if_not_exists_is_told_in_development(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("CREATE TABLE users (id int)")
    project.add("users", OTHER)
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0 and result.json["verified"] == "differs", result
    assert [f["id"] for f in result.json["findings"]] == ["verify-differs"], result


@pytest.mark.parametrize("there, sql", [
    ("CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL)", OTHER),
    ("CREATE INDEX x ON a (i)", "CREATE INDEX IF NOT EXISTS x ON a (i);"),
    ("ALTER TABLE a ADD COLUMN c text", "ALTER TABLE a ADD COLUMN IF NOT EXISTS c text;"),
])
def test_if_not_exists_over_the_same_is_fine(project, db, there, sql):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production").rc == 0
    db.sql(there)
    project.add("more", sql)
    result = deploy(project, db, "production", "--json")
    assert result.rc == 0 and result.json["verified"] == "same", result


@pytest.mark.parametrize("there, sql", [
    ("CREATE INDEX x ON a (j)", "CREATE INDEX IF NOT EXISTS x ON a (i);"),
    ("ALTER TABLE a ADD COLUMN c int", "ALTER TABLE a ADD COLUMN IF NOT EXISTS c text;"),
    ("CREATE SEQUENCE s INCREMENT 5", "CREATE SEQUENCE IF NOT EXISTS s;"),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1 AS x", "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 2 AS x;"),
])
def test_if_not_exists_over_other_kinds(project, db, there, sql):
    project.add("init", "CREATE TABLE a (i int, j int);")
    assert deploy(project, db, "production").rc == 0
    db.sql(there)
    project.add("more", sql)
    result = deploy(project, db, "production", "--json")
    assert result.rc == 28 and result.json["verified"] == "differs", result


@pytest.mark.parametrize("by_hand, told", [
    ("ALTER TABLE a ADD COLUMN by_hand int; CREATE INDEX hot ON a (i)", "has more beside that"),
    ("ALTER TABLE a ALTER i TYPE bigint", "but for what was so before"),
])
def test_what_differed_before_is_no_error(project, db, by_hand, told):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production").rc == 0
    db.sql(by_hand)
    project.add("more", "CREATE TABLE b (i int);\nALTER TABLE a ADD COLUMN c int;")
    result = deploy(project, db, "production")
    assert result.rc == 0 and event(result, told), result
    assert "drift-found" in result.err


def test_a_wrong_table_is_seen_also_on_the_first_deploy(project, db):
    db.sql("CREATE SCHEMA other; CREATE TABLE other.t (i int)")
    project.add("init", "CREATE SCHEMA IF NOT EXISTS other;\nCREATE TABLE IF NOT EXISTS other.t (i int, j int);")
    result = deploy(project, db, "production")
    assert result.rc == 28, result


def test_policy(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.write("aramid.yaml", "verify: off\ndrift: off\n")
    assert deploy(project, db, "production", "--json").json["verified"] == "off"
    db.sql("CREATE TABLE users (id int)")
    project.add("users", OTHER)
    assert deploy(project, db, "production").rc == 0
    db.sql("CREATE TABLE more (id int)")
    project.add("more", "CREATE TABLE IF NOT EXISTS more (i int);")
    project.write("aramid.yaml", "verify: warn\ndrift: off\n")
    result = deploy(project, db, "production")
    assert result.rc == 0 and "verify-differs" in result.err, result


def test_without_a_server_it_is_said_once(project, db, tmp_path):
    """A container without PostgreSQL's programs."""
    project.add("init", "CREATE TABLE a (i int);")
    empty = {"PATH": str(tmp_path), "ARAMID_PG_BINDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    result = deploy(project, db, "production", **empty)
    assert result.rc == 0 and result.err.count("not-looked") == 1, result
    project.add("more", "CREATE TABLE b (i int);")
    result = deploy(project, db, "production", "--json", **empty)
    assert result.rc == 0 and result.err.count("not-looked") == 1, result
    assert result.json["verified"] == "not-looked"


def test_preflight_says_what_was_checked(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production").rc == 0
    project.add("more", "CREATE TABLE b (i int);")
    result = deploy(project, db, "production")
    lines = [line for line in result.err.splitlines() if "ms)" in line or " s)" in line]
    for words in ("schema.prisma is valid", "1 applied, 1 pending", "applied migration makes",
                  "the database is what all 2 migrations make"):
        assert any(words in line for line in lines), (words, result)
    log = os.path.join(project.path, result.out.split("Log: ")[1].strip(), "log.txt")
    with open(log, encoding="utf-8") as f:
        text = f.read()
    assert "schema.prisma is valid" in text and "1 applied, 1 pending" in text, text


def test_nothing_is_looked_at_where_nobody_wants_it(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.deploy(project, db.url(), "--json")
    assert result.rc == 0 and result.json["verified"] == "off", result
    assert "not-looked" not in result.err


# ---- consent ------------------------------------------------------------------------------------

@pytest.mark.parametrize("sql, what", [
    ("DROP TABLE a;", "table a"), ("ALTER TABLE a DROP COLUMN j;", "column a.j"), ("TRUNCATE a;", "table a"),
    ("ALTER TABLE a RENAME TO old;\nDROP TABLE old;", "table old"), ("DROP SCHEMA s CASCADE;", "schema s"),
    ("DROP TYPE mood CASCADE;", "CASCADE"),
])
def test_dropping_in_production_wants_consent_of_its_own(project, db, sql, what):
    project.add("init", "CREATE SCHEMA s; CREATE TYPE mood AS ENUM ('x'); CREATE TABLE a (i int, j int, m mood);")
    assert deploy(project, db, "production").rc == 0
    name = project.add("drop", sql)
    plan = aramid.run("plan", "--url", db.url(), "--env", "production", cwd=project.path)
    assert plan.rc == 0 and what in plan.out, plan
    result = deploy(project, db, "production")
    assert result.rc == 4 and what in result.err and "--accept-data-loss" in result.err, result
    assert f"{name}/migration.sql" in result.err and len(ledger.applied(db)) == 1
    assert deploy(project, db, "production", ARAMID_ACCEPT_DATA_LOSS="another").rc == 4
    result = deploy(project, db, "production", ARAMID_ACCEPT_DATA_LOSS=f"x, {name}")
    assert result.rc == 0, result


@pytest.mark.parametrize("env, sql", [
    ("staging", "DROP TABLE a;"), ("production", "CREATE TABLE b (i int); DROP TABLE b;"),
    ("production", "DROP INDEX x;"), ("production", "ALTER TABLE a ALTER i DROP NOT NULL;"),
])
def test_what_wants_none(project, db, env, sql):
    project.add("init", "CREATE TABLE a (i int NOT NULL); CREATE INDEX x ON a (i);")
    assert deploy(project, db, env).rc == 0
    project.add("drop", sql)
    assert deploy(project, db, env).rc == 0


def test_dropping_with_the_option(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production").rc == 0
    project.add("drop", "DROP TABLE a;")
    assert deploy(project, db, "production", "--accept-data-loss").rc == 0


def test_staging_asks(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    for env in ("staging", "uat"):
        result = aramid.run("deploy", "--env", env, "--url", db.url(), cwd=project.path)
        assert result.rc == 4 and "--yes" in result.err and not db.exists("a"), result
    assert aramid.run("deploy", "--env", "staging", "--yes", "--url", db.url(), cwd=project.path).rc == 0


def test_edited_history_in_a_pipeline_is_an_error(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.edit(name, "CREATE TABLE a (i bigint);")
    project.add("more", "CREATE TABLE b (i int);")
    result = aramid.run("deploy", "--url", db.url(), "--env", "ci", cwd=project.path, env={"CI": "true"})
    assert result.rc == 26 and name in result.err and not db.exists("b"), result
    assert aramid.deploy(project, db.url()).rc == 0


# ---- what is written down -----------------------------------------------------------------------

def runs(db):
    return db.sql("SELECT verb, outcome, tool_version IS NOT NULL, log, migrations FROM aramid.runs ORDER BY started_at")


def test_every_change_leaves_a_folder_and_a_row(project, db):
    first = project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production").rc == 0
    second = project.add("more", "CREATE TABLE b (i int);")
    db.sql("CREATE TABLE b (i int)")
    url = ["--url", db.url(), "--env", "production", "--yes"]
    result = aramid.run("resolve", "--applied", second, *url, cwd=project.path)
    assert result.rc == 0 and "backup" in result.err, result
    assert os.listdir(os.path.join(project.path, "backups"))
    result = aramid.run("identity", "set", "staging", "--url", db.url(), "--yes", cwd=project.path)
    assert result.rc == 0, result
    rows = runs(db)
    assert [(r[0], r[1], r[2]) for r in rows] == [("deploy", "done", True), ("resolve", "done", True),
                                                  ("identity set", "done", True)], rows
    assert rows[0][4] == [first] and rows[1][4] == [second]
    for row in rows:
        assert os.path.exists(os.path.join(row[3], "log.txt")), row
        assert os.path.exists(os.path.join(row[3], "events.jsonl")), row
    verbose = aramid.run("status", "--verbose", "--url", db.url(), "--env", "staging", cwd=project.path)
    assert verbose.rc == 0 and "aramid 0." in verbose.out and rows[0][3] in verbose.out, verbose
    assert "identity set by" in verbose.out and "resolve by" in verbose.out and "finished 20" in verbose.out
    value = aramid.run("status", "--json", "--url", db.url(), "--env", "staging", cwd=project.path).json
    assert [r["verb"] for r in value["runs"]] == ["deploy", "resolve", "identity set"]
    assert value["history"][0]["run"] == value["runs"][0]["run"]


def test_a_table_of_runs_of_an_older_version(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "staging").rc == 0
    db.sql("ALTER TABLE aramid.runs DROP COLUMN tool_version, DROP COLUMN log, DROP COLUMN migrations")
    db.sql("CREATE TABLE aramid.copy AS TABLE aramid.runs; DROP TABLE aramid.runs;"
           " ALTER TABLE aramid.copy RENAME TO runs; ALTER TABLE aramid.runs ADD PRIMARY KEY (run_id)")
    assert aramid.run("status", "--verbose", "--url", db.url(), "--env", "staging", cwd=project.path).rc == 0
    project.add("more", "CREATE TABLE b (i int);")
    result = deploy(project, db, "staging")
    assert result.rc == 0 and "not-marked" not in result.err and "not-recorded" not in result.err, result
    assert runs(db)[-1][:3] == ("deploy", "done", True)


def test_restore_leaves_a_row(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = aramid.run("deploy", "--url", db.url(), "--env", "production", "--yes", cwd=project.path)
    assert result.rc == 0, result
    assert aramid.run("backup", "--url", db.url(), "--env", "production", cwd=project.path).rc == 0
    result = aramid.run("restore", "--url", db.url(), "--env", "production", "--replace", "--confirm", db.name,
                        "--force", cwd=project.path)
    assert result.rc == 0, result
    last = runs(db)[-1]
    assert last[:3] == ("restore", "done", True) and os.path.exists(os.path.join(last[3], "log.txt")), last


# ---- baseline -----------------------------------------------------------------------------------

@pytest.fixture
def baseline(project, db):
    project.add("one", "CREATE TABLE one (id int PRIMARY KEY, name text NOT NULL);")
    project.add("two", "CREATE TABLE two (id int);")
    db.sql("CREATE TABLE one (id int PRIMARY KEY, name text NOT NULL); CREATE TABLE two (id int)")
    return project


def up_to(project, db, *args):
    return aramid.run("resolve", "--applied", "--up-to", project.names[1], "--url", db.url(), *args, cwd=project.path)


def test_baseline_compares_the_whole_catalog(baseline, db):
    result = up_to(baseline, db, "--json")
    assert result.rc == 0 and result.json["compared"], result


@pytest.mark.parametrize("sql", ["ALTER TABLE one ALTER name DROP NOT NULL", "ALTER TABLE one DROP COLUMN name",
                                 "ALTER TABLE one DROP CONSTRAINT one_pkey", "DROP TABLE one",
                                 "ALTER TABLE one ALTER id TYPE bigint"])
def test_baseline_sees_what_an_older_file_makes(baseline, db, sql):
    db.sql(sql)
    result = up_to(baseline, db)
    assert result.rc == 27 and "one" in result.err and "--force" in result.err, result
    assert not db.exists("_prisma_migrations")
    assert up_to(baseline, db, "--force").rc == 0


@pytest.mark.parametrize("sql", ["CREATE TABLE three (i int)", "ALTER TABLE one ADD COLUMN more int"])
def test_baseline_with_more(baseline, db, sql):
    db.sql(sql)
    result = up_to(baseline, db)
    assert result.rc == 0 and "has more than these" in result.err, result


# ---- others -------------------------------------------------------------------------------------

def test_privileges_count_between_migrations_and_database(project, db):
    reader, other = f"reader_{db.name}", f"other_{db.name}"
    db.sql(f"CREATE ROLE {reader}; CREATE ROLE {other}")
    try:
        project.add("init", f"CREATE TABLE a (i int);\nCREATE TABLE b (i int);\nGRANT SELECT ON a TO {reader};")
        assert aramid.deploy(project, db.url()).rc == 0

        def script():
            result = aramid.run("diff", "--from-migrations", "prisma/migrations", "--to-url", db.url(), "--script",
                                cwd=project.path)
            assert result.rc == 0, result
            return [line for line in result.out.splitlines() if line and not line.startswith("--")]
        assert script() == []
        db.sql(f"GRANT UPDATE ON a TO {other}; GRANT SELECT ON b TO {other}; REVOKE SELECT ON a FROM {reader}")
        lines = "\n".join(script())
        assert f'GRANT UPDATE ON' in lines and f'GRANT SELECT ON' in lines and "REVOKE" in lines, lines
        db.sql(f"REVOKE ALL ON a, b FROM {other}; GRANT SELECT ON a TO {reader};"
               f" ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {other}; CREATE TABLE c (i int)")
        project.add("c", "CREATE TABLE c (i int);")
        assert script() == []
    finally:
        db.sql(f"DROP OWNED BY {reader}, {other}; DROP ROLE {reader}, {other}")


@pytest.mark.parametrize("broken, rc", [("", 0), ("CREATE TABLE by_hand (i int)", 18)])
def test_check_of_the_migrations_only(project, db, broken, rc):
    project.add("init", "CREATE TABLE a (i int);")
    args = ("check", "--migrations", "--env", "development", "--url", db.url(), "--json")
    assert aramid.run(*args, cwd=project.path).rc == 10
    assert aramid.deploy(project, db.url()).rc == 0
    if broken:
        db.sql(broken)
    result = aramid.run(*args, cwd=project.path)
    assert result.rc == rc, result
    assert aramid.run("check", "--migrations", "prisma/migrations", cwd=project.path).rc == 17


def test_passwords_are_masked_in_actions(project, db):
    """Into the stream that GitHub's runner reads, never into a file."""
    project.add("init", "CREATE TABLE a (i int);")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1", "DATABASE_URL": db.url(password="canary-%25mask")}

    def said():
        done = subprocess.run([aramid.BINARY, "status"], cwd=project.path, env=aramid.environment(**env),
                              capture_output=True, text=True, check=False)
        return done.stderr + done.stdout
    assert "::add-mask::canary-%25mask" in said() or "::add-mask::canary-%2525mask" in said()
    assert "canary" not in aramid.run("status", cwd=project.path, env=env).text
    del env["GITHUB_RUN_ID"]
    assert "canary" not in said()


def test_variables_of_the_postgres_image(project, server, db, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    secret = tmp_path / "secret"
    secret.write_text(db.url() + "\n")
    result = aramid.run("status", cwd=project.path, env={"DATABASE_URL_FILE": str(secret)})
    assert result.rc == 10 and db.name in result.out, result
    env = {"POSTGRES_DB": db.name, "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "x", "POSTGRES_PORT": str(server.port)}
    result = aramid.run("status", cwd=project.path, env=env)
    assert result.rc == 10 and db.name in result.out, result


def test_unlock_says_whether_the_program_lives(project, db):
    project.add("init", "SELECT pg_sleep(8);")
    process = aramid.start("deploy", "--url", db.url(), cwd=project.path)
    try:
        process.wait_for("to apply")
        result = aramid.run("unlock", "--url", db.url(), cwd=project.path)
        assert result.rc == 0 and "its program runs on this machine" in result.out, result
        assert f"kill {process.pid}" in result.out and "To end one" not in result.out, result
        value = aramid.run("unlock", "--url", db.url(), "--json", cwd=project.path).json
        assert value["holders"][0]["program"] == "running"
        result = aramid.run("unlock", str(value["holders"][0]["pid"]), "--yes", "--url", db.url(), cwd=project.path)
        assert result.rc == 0 and "still runs" in result.out and f"kill {process.pid}" in result.out, result
    finally:
        process.kill()
