"""Which environment a database is: marks, wrong databases, real copies, faults in between."""

import contextlib
import os
import shutil
import subprocess

import pytest

from harness import aramid, ledger
from harness.catalog import leftovers
from harness.cluster import Server, client_tool, run_as_server
from harness.proxy import Proxy


def row(db, table="aramid.identity"):
    return db.sql(f"SELECT environment, profile, name FROM {table}")


def deploy(project, db, env=None, *args, **variables):
    more = ["--env", env] if env else []
    more += ["--yes"] if env == "staging" else []
    return aramid.run("deploy", "--url", db.url(), *more, *args, cwd=project.path, env=variables)


@pytest.fixture
def production(project, db):
    """A database that was deployed as production."""
    project.add("init", "CREATE TABLE a (i int); INSERT INTO a SELECT generate_series(1, 10);")
    result = deploy(project, db, "production", "--yes")
    assert result.rc == 0, result
    return db


@pytest.fixture
def other_server(server):
    """A cluster with an identifier of its own: those of the harness are copies of one."""
    made = Server(server.bindir)
    shutil.rmtree(made.data)
    run_as_server([os.path.join(made.bindir, "initdb"), "-D", made.data, "-N", "-U", "postgres",
                   "-A", "trust", "-E", "UTF8", "--no-locale"])
    made.start()
    yield made
    made.remove()


def dump_into(source, target):
    """pg_dump | psql: another way than CREATE DATABASE ... TEMPLATE to the same rows."""
    text = subprocess.run([client_tool("pg_dump"), source.url()], check=True, capture_output=True)
    done = subprocess.run([client_tool("psql"), "-qX", "-v", "ON_ERROR_STOP=1", target.url()],
                          input=text.stdout, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- marks --------------------------------------------------------------------------------------

def test_without_a_name_nothing_is_written(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db).rc == 0
    assert db.one("SELECT to_regnamespace('aramid') IS NULL")
    result = aramid.run("identity", "--url", db.url(), cwd=project.path)
    assert result.rc == 0 and "does not say which environment it is" in result.out, result


@pytest.mark.parametrize("variables, env", [({"ARAMID_ENV": "staging", "ARAMID_CONSENT": "staging"}, "staging"),
                                            ({"NODE_ENV": "development"}, "development"),
                                            ({"VERCEL_ENV": "production",
                                              "ARAMID_CONSENT": "production"}, "production")])
def test_the_first_deploy_marks(project, db, variables, env):
    project.add("init", "CREATE TABLE a (i int);")
    result = deploy(project, db, **variables)
    assert result.rc == 0 and f'marked as "{env}"' in result.err, result
    assert row(db) == [(env, env, None)]
    runs = db.sql("SELECT verb, environment, outcome, applied, os_user LIKE '%@%',"
                  " finished_at >= started_at FROM aramid.runs")
    assert runs == [("deploy", env, "done", 1, True, True)]
    again = deploy(project, db, **variables)
    assert again.rc == 0 and "marked" not in again.text, again
    assert db.one("SELECT count(*) FROM aramid.runs") == 1  # nothing was done
    assert ledger.rows(db) and not any(leftovers(db).values())


def test_it_is_printed_before_every_write_also_with_quiet(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = deploy(project, db, "staging", "--quiet")
    assert result.rc == 0 and result.err.count(f'changing database "{db.name}" at ') == 1, result
    assert 'environment "staging"' in result.err and 'user "postgres"' in result.err
    result = deploy(project, db, "staging", "--quiet")
    assert result.err == "", result
    project.add("more", "CREATE TABLE b (i int);")
    result = deploy(project, db, "staging", "--json")
    assert result.json["identity"]["environment"] == "staging", result
    assert result.json["identity"]["match"] == "same"


def test_prisma_sees_nothing_of_it(production, project, oracle):
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    pulled = oracle.prisma(project, production.url(), "db", "pull", "--print")
    assert "model a " in pulled.out, pulled
    assert "identity" not in pulled.out and "runs" not in pulled.out, pulled
    assert oracle.diagnose(project.migrations, production.url())["history"] is None
    assert oracle.status(project, production.url()).rc == 0
    project.add("more", "CREATE TABLE b (i int);")
    assert oracle.deploy(project, production.url()).rc == 0
    assert deploy(project, production, "production").rc == 0


def test_drift_and_pull_see_nothing_of_it(production, project):
    catalog = aramid.run("drift", "--env", "production", "--url", production.url(), cwd=project.path)
    assert catalog.rc == 0 and "aramid" not in catalog.out, catalog
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    pulled = aramid.run("pull", "--print", "--url", production.url(), cwd=project.path)
    assert pulled.rc == 0 and "model a" in pulled.out and "identity" not in pulled.out, pulled


def test_a_role_that_may_make_no_schema(project, db):
    db.sql("CREATE ROLE plain_identity LOGIN; GRANT ALL ON SCHEMA public TO plain_identity")
    try:
        project.add("init", "CREATE TABLE a (i int);")
        url = db.url(user="plain_identity")
        result = aramid.run("deploy", "--url", url, "--env", "staging", "--yes", cwd=project.path)
        assert result.rc == 0, result
        assert row(db, "public._aramid_identity") == [("staging", "staging", None)]
        assert aramid.run("deploy", "--url", url, cwd=project.path).rc == 9
        drift = aramid.run("drift", "--url", url, "--env", "staging", cwd=project.path)
        assert "_aramid" not in drift.text, drift
    finally:
        db.sql("DROP OWNED BY plain_identity; DROP ROLE plain_identity")


def test_round_trips_stay_few(project, server, db):
    """What a named environment costs: nothing on a new database and on a marked one; two messages
    once, where a history is marked for the first time."""

    def trips(*args):
        with Proxy(server) as proxy:
            result = aramid.run("deploy", "--url", proxy.url(db), *args, cwd=project.path)
            assert result.rc == 0, result
            return proxy.stats.round_trips_ready

    named = ("--env", "development")
    project.add("init", "CREATE TABLE a (i int);")
    first = trips()
    nothing = trips()
    project.add("second", "CREATE TABLE b (i int);")
    usual = trips()
    project.add("third", "CREATE TABLE c (i int);")
    assert trips(*named) == usual + 2
    project.add("fourth", "CREATE TABLE d (i int);")
    assert trips(*named) == usual and trips(*named) == nothing
    db.sql("DROP TABLE a, b, c, d, _prisma_migrations; DROP SCHEMA aramid CASCADE")
    assert trips(*named) == first  # all of them in one message


# ---- the wrong database -------------------------------------------------------------------------

def test_productions_url_in_a_developers_env(production, project):
    project.write(".env", f"DATABASE_URL={production.url()}\n")
    project.add("more", "CREATE TABLE b (i int);")
    result = aramid.run("deploy", cwd=project.path)
    assert result.rc == 9 and not production.exists("b"), result
    for part in ('is the database of "production", not of "development"', ".env:1", production.name,
                 "aramid deploy --env production"):
        assert part in result.err, result
    assert aramid.run("plan", cwd=project.path).rc == 9
    name = project.names[-1]
    result = aramid.run("resolve", "--applied", name, "--force", cwd=project.path)
    assert result.rc == 9 and len(ledger.rows(production)) == 1, result
    result = aramid.run("status", cwd=project.path)  # looking is no danger
    assert result.rc == 10 and "would be refused" in result.out and "Identity: production" in result.out
    result = aramid.run("migrate", "deploy", cwd=project.path)
    assert result.rc == 1 and "production" in result.err, result


def test_it_is_refused_also_when_there_is_nothing_to_do(production, project):
    assert deploy(project, production).rc == 9


def test_another_schema_of_the_same_database(production, project):
    """One database for several previews: each schema is somebody of its own."""
    url = production.url(schema="pr_12")
    result = aramid.run("deploy", "--url", url, "--env", "preview", cwd=project.path)
    assert result.rc == 0 and 'schema "public" of this database is environment "production"' in \
        result.err, result
    assert production.sql("SELECT schema, environment FROM aramid.identity ORDER BY 1") == \
        [("pr_12", "preview"), ("public", "production")]
    result = aramid.run("deploy", "--url", url, "--env", "preview", cwd=project.path,
                        env={"VERCEL_ENV": "preview"})
    assert result.rc == 8, result


# ---- real copies --------------------------------------------------------------------------------

def test_copies_must_be_renamed(production, project, server, other_server):
    """By template, by dump into the same server, by dump into another one."""
    template = server.new_database(template=production.name)
    dumped = server.new_database()
    elsewhere = other_server.new_database(production.name)
    dump_into(production, dumped)
    dump_into(production, elsewhere)
    project.add("more", "CREATE TABLE b (i int);")
    try:
        for copy in (template, dumped, elsewhere):
            for env in ("production", "staging", None):
                result = deploy(project, copy, env, "--yes")
                assert result.rc == 9 and 'copy of "production"' in result.err, result
                assert not copy.exists("b")
            shown = aramid.run("identity", "show", "--url", copy.url(), "--json", cwd=project.path)
            assert shown.json["identity"]["match"] == "copy", shown
            # A copy is named without a question: nothing is taken from anybody.
            result = aramid.run("identity", "set", "staging", "--name", "copy of Monday", "--url",
                                copy.url(), cwd=project.path)
            assert result.rc == 0 and row(copy) == [("staging", "staging", "copy of Monday")], result
            assert deploy(project, copy, "staging").rc == 0
            assert copy.exists("b") and not production.exists("b")
        assert deploy(project, production, "production", "--yes").rc == 0
    finally:
        template.drop()
        dumped.drop()


def test_a_promoted_standby_is_no_copy(project, new_server):
    primary = new_server()
    db = primary.new_database()
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db, "production", "--yes").rc == 0
    try:
        standby = primary.standby()
    except FileNotFoundError:
        pytest.skip("no pg_basebackup")
    with contextlib.closing(standby) if hasattr(standby, "close") else contextlib.nullcontext():
        try:
            primary.stop("immediate")
            standby.admin("SELECT pg_promote()")
            project.add("more", "CREATE TABLE b (i int);")
            moved = type(db)(standby, db.name)
            result = deploy(project, moved, "production", "--yes")
            assert result.rc == 0 and moved.exists("b"), result
            # But whoever means another environment is refused there, too.
            assert deploy(project, moved, "staging").rc == 9
        finally:
            standby.remove()


def test_renamed_and_restored_in_place(production, project, server):
    name = production.name
    server.admin(f'ALTER DATABASE "{name}" RENAME TO "{name}_old"')
    old = type(production)(server, f"{name}_old")
    again = server.new_database(name)
    try:
        project.add("more", "CREATE TABLE b (i int);")
        dump_into(old, again)
        result = deploy(project, again, "production", "--yes")  # restored under its name
        assert result.rc == 0 and "restored" in result.err, result
        assert again.one("SELECT database_oid = (SELECT oid FROM pg_database WHERE datname ="
                         " current_database()) FROM aramid.identity")
        result = deploy(project, old, "production", "--yes")  # the old one, renamed
        assert result.rc == 0 and "was called" in result.err, result
        assert old.one("SELECT database_name FROM aramid.identity") == f"{name}_old"
    finally:
        old.drop()


# ---- the command --------------------------------------------------------------------------------

def test_taking_productions_name_needs_consent(production, project):
    args = ("identity", "set", "staging", "--url", production.url())
    result = aramid.run(*args, cwd=project.path)
    assert result.rc == 4 and row(production) == [("production", "production", None)], result
    result = aramid.run(*args, "--yes", cwd=project.path, env={"CLAUDECODE": "1"})
    assert result.rc == 8 and "Claude Code" in result.err and row(production)[0][0] == "production"
    result = aramid.run("identity", "forget", "--url", production.url(), cwd=project.path)
    assert result.rc == 4, result
    result = aramid.run(*args, "--yes", cwd=project.path)
    assert result.rc == 0 and row(production) == [("staging", "staging", None)], result
    assert aramid.run("identity", "forget", "--yes", "--url", production.url(), cwd=project.path).rc == 0
    assert row(production) == []
    assert aramid.run("identity", "forget", "--url", production.url(), cwd=project.path).rc == 0


def test_set_of_what_nobody_knows(project, db):
    result = aramid.run("identity", "set", "prodution", "--url", db.url(), cwd=project.path)
    assert result.rc == 3 and "production" in result.err, result
    result = aramid.run("identity", "set", "staging", "--env", "production", "--url", db.url(),
                        cwd=project.path)
    assert result.rc == 2, result
    assert db.one("SELECT to_regnamespace('aramid') IS NULL")


# ---- previews, pipelines, agents ----------------------------------------------------------------

def test_previews_of_vercel(production, project, server):
    project.add("more", "CREATE TABLE b (i int);")
    vercel = {"VERCEL": "1", "CI": "1", "VERCEL_ENV": "preview", "NODE_ENV": "production"}
    result = deploy(project, production, None, "--yes", **vercel)
    assert result.rc == 8 and "preview build" in result.err and not production.exists("b"), result
    assert deploy(project, production, "production", "--yes", **vercel).rc == 8
    result = aramid.run("identity", "set", "preview", "--yes", "--url", production.url(),
                        cwd=project.path, env=vercel)
    assert result.rc == 8 and row(production)[0][0] == "production", result
    # Not marked yet, but with a history: it may be production.
    production.sql("DROP SCHEMA aramid CASCADE")
    result = deploy(project, production, None, "--yes", **vercel)
    assert result.rc == 8 and "nothing says that this database is not production" in result.err, result
    fresh = server.new_database()
    try:
        assert deploy(project, fresh, **vercel).rc == 0 and row(fresh)[0][0] == "preview"
    finally:
        fresh.drop()
    own = aramid.run("deploy", cwd=project.path, env={**vercel, "PREVIEW_DATABASE_URL": production.url()})
    assert own.rc == 0 and row(production)[0][0] == "preview", own


def test_branches(project, db):
    project.write("aramid.yaml", "environments:\n  production:\n    branches: [main]\n")
    project.add("init", "CREATE TABLE a (i int);")
    ci = {"CI": "true", "GITHUB_REF_NAME": "feature"}
    result = deploy(project, db, "production", "--yes", **ci)
    assert result.rc == 8 and 'branch "feature"' in result.err and not db.exists("a"), result
    assert deploy(project, db, "production", "--yes", CI="true", GITHUB_REF_NAME="main").rc == 0


def test_a_pipeline_needs_consent(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    result = deploy(project, db, "production", CI="true")
    assert result.rc == 4 and "ARAMID_CONSENT=production" in result.err and not db.exists("a"), result
    assert deploy(project, db, "production", CI="true", ARAMID_CONSENT="staging").rc == 4
    assert deploy(project, db, "production", CI="true", ARAMID_CONSENT="prod").rc == 0


@pytest.mark.parametrize("variable", ["CLAUDECODE", "CURSOR_AGENT", "CODEX_SANDBOX", "GEMINI_CLI"])
def test_coding_agents(project, db, variable):
    project.add("init", "CREATE TABLE a (i int);")
    agent = {variable: "1"}
    result = deploy(project, db, "production", "--yes", **agent)
    assert result.rc == 8 and not db.exists("a"), result
    assert "a person" in result.err and "PRISMA_USER_CONSENT_FOR_DANGEROUS_AI_ACTION" in result.err
    words = {"PRISMA_USER_CONSENT_FOR_DANGEROUS_AI_ACTION": "yes, deploy it's fine"}
    assert deploy(project, db, "production", "--yes", **agent, **words).rc == 0
    assert db.one("SELECT consent FROM aramid.runs") == "yes, deploy it's fine"
    assert deploy(project, db, "production", **agent).rc == 0  # nothing to do is no danger


# ---- faults -------------------------------------------------------------------------------------

@pytest.mark.parametrize("point", ["ledger-created", "identity-written", "before-message",
                                   "after-message", "before-verify"])
def test_killed_around_the_mark(project, db, point):
    """Whatever was written, the next run for the same environment goes on, for another one not."""
    project.add("init", "CREATE TABLE a (i int);")
    project.add("more", "CREATE TABLE b (i int);")
    assert deploy(project, db, "staging", ARAMID_FAILPOINT=f"{point}:kill").rc == -9
    assert row(db) == [("staging", "staging", None)]
    assert deploy(project, db, "development").rc == 9
    assert deploy(project, db, "staging").rc == 0
    ledger.check(db, project)
    assert not any(leftovers(db).values())


def test_killed_while_a_known_database_is_marked(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert deploy(project, db).rc == 0
    project.add("more", "CREATE TABLE b (i int);")
    assert deploy(project, db, "staging", ARAMID_FAILPOINT="identity-written:kill").rc == -9
    assert deploy(project, db, "staging").rc == 0
    outcomes = db.column("SELECT outcome FROM aramid.runs ORDER BY started_at")
    assert outcomes == ["running", "done"]
    ledger.check(db, project)


def test_two_first_deploys_at_once(project, db):
    project.add("init", "CREATE TABLE a (i int); SELECT pg_sleep(0.5);")
    first = aramid.start("deploy", "--url", db.url(), "--env", "staging", "--yes", cwd=project.path)
    second = aramid.start("deploy", "--url", db.url(), "--env", "qa", "--yes", cwd=project.path)
    results = sorted([first.wait().rc, second.wait().rc])
    assert results == [0, 9], results
    assert db.one("SELECT count(*) FROM aramid.identity") == 1
    ledger.check(db, project)


def test_tables_that_cannot_be_written_stop_nobody(project, db):
    """Schema aramid is somebody else's."""
    db.sql("CREATE ROLE plain_other LOGIN; GRANT ALL ON SCHEMA public TO plain_other")
    try:
        project.add("init", "CREATE TABLE a (i int);")
        assert deploy(project, db, "staging").rc == 0
        db.sql("GRANT ALL ON _prisma_migrations TO plain_other")
        project.add("more", "CREATE TABLE b (i int);")
        url = db.url(user="plain_other")
        result = aramid.run("deploy", "--url", url, "--env", "staging", "--yes", cwd=project.path)
        assert result.rc == 0 and db.exists("b"), result
        assert aramid.run("deploy", "--url", url, "--env", "production", "--yes",
                          cwd=project.path).rc == 9
    finally:
        db.sql("DROP OWNED BY plain_other; DROP ROLE plain_other")


def test_backups_and_their_absence_are_written_down(production, project, tmp_path):
    project.add("more", "CREATE TABLE b (i int);")
    result = deploy(project, production, "production", "--yes")
    assert result.rc == 0, result
    backup = production.one("SELECT backup_id FROM aramid.runs ORDER BY started_at DESC LIMIT 1")
    assert backup and any(backup in name for name in os.listdir(os.path.join(project.path, "backups")))
    project.add("again", "CREATE TABLE c (i int);")
    result = deploy(project, production, "production", "--yes", "--no-backup", "--reason", "it's \"tiny\"",
                    ARAMID_FAILPOINT="before-message:kill")
    assert result.rc == -9, result
    assert production.sql("SELECT no_backup_reason, outcome FROM aramid.runs"
                          " ORDER BY started_at DESC LIMIT 1") == [('it\'s "tiny"', "running")]


def test_an_agent_does_not_delete_the_embedded_database(project):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.run("deploy", cwd=project.path).rc == 0
    agent = {"CLAUDECODE": "1"}
    result = aramid.run("db", "remove", "--yes", cwd=project.path, env=agent)
    assert result.rc == 8 and "Claude Code" in result.err, result
    assert aramid.run("deploy", cwd=project.path, env=agent).rc == 0
    assert aramid.run("db", "remove", "--yes", cwd=project.path).rc == 0


# ---- restore and doctor -------------------------------------------------------------------------


def test_restore_asks_who_is_replaced(production, project):
    made = aramid.run("backup", "--env", "production", "--url", production.url(), cwd=project.path)
    assert made.rc == 0, made

    def replace(*args, **variables):
        return aramid.run("restore", "--replace", "--confirm", production.name, "--url", production.url(),
                          *args, cwd=project.path, env=variables)

    wrong = replace("--env", "staging")
    assert wrong.rc == 9 and '"production"' in wrong.err, wrong
    agent = replace("--env", "production", CLAUDECODE="1")
    assert agent.rc == 8 and "Claude Code" in agent.err, agent
    preview = replace("--env", "production", VERCEL="1", VERCEL_ENV="preview")
    assert preview.rc == 8 and "preview" in preview.err, preview
    assert production.one("SELECT count(*) FROM a") == 10
    production.sql("DELETE FROM a")
    done = replace("--env", "production")
    assert done.rc == 0, done
    assert production.one("SELECT count(*) FROM a") == 10


def test_doctor_knows_the_mark(production, project):
    def mark(env):
        result = aramid.run("doctor", "--only", "identity", "--json", "--env", env, "--url", production.url(),
                            cwd=project.path)
        return next(f for f in result.json["findings"] if f["id"] == "identity-mark")

    assert mark("production")["level"] == "ok" and '"production"' in mark("production")["message"]
    wrong = mark("staging")
    assert wrong["level"] == "error" and wrong["fix"], wrong
