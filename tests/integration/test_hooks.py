"""Hooks around a deploy, health after it, and what becomes of the migrations; `aramid verify`."""

import json
import os
import signal

import pytest

from harness import aramid, catalog, wait, web


@pytest.fixture
def app(project, db):
    """A project with one applied migration, rows in its table, and one that is pending."""
    project.add("init", "CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1), (2);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("more", "CREATE TABLE more (i int); ALTER TABLE t ADD COLUMN note text;")
    return project


@pytest.fixture
def serve():
    made = []

    def make(*answers, **more):
        made.append(web.Web(*answers, **more))
        return made[-1]

    yield make
    for server in made:
        server.close()


def configure(project, **settings):
    """aramid.yaml of dotted keys; JSON is YAML."""
    tree = {}
    for key, value in settings.items():
        group, _, name = key.partition("__")
        tree.setdefault(group, {})[name] = value
    project.write("aramid.yaml", json.dumps(tree))


def has(db, table):
    return db.exists(table)


def deploy(app, db, *args, **more):
    return aramid.deploy(app, db.url(), *args, **more)


# ---- hooks ---------------------------------------------------------------------------------------


def test_hooks_run_in_their_order_with_few_variables(app, db):
    record = 'env >> seen; echo "[$ARAMID_HOOK|$ARAMID_MIGRATION_NAMES|$ARAMID_DATABASE]" >> order'
    configure(app, hooks__pre_migrate=[record, "sql/before.sql"], hooks__post_migrate=record,
              hooks__smoke=record, hooks__env=["GIVEN"])
    app.write("sql/before.sql", "CREATE TABLE made_by_hook (i int); INSERT INTO made_by_hook VALUES (1);")
    result = deploy(app, db, env={"GIVEN": "a, b", "KEPT_TOKEN": "canary-value"})
    assert result.rc == 0 and has(db, "more") and has(db, "made_by_hook"), result
    name = app.names[1]
    with open(os.path.join(app.path, "order"), encoding="utf-8") as lines:
        assert lines.read().splitlines() == [f"[{hook}|{name}|{db.name}]"
                                             for hook in ("pre_migrate", "post_migrate", "smoke")]
    with open(os.path.join(app.path, "seen"), encoding="utf-8") as lines:
        seen = lines.read()
    assert "GIVEN=a, b\n" in seen and "canary-value" not in seen and "DATABASE_URL" not in seen, seen
    assert deploy(app, db).rc == 0
    with open(os.path.join(app.path, "order"), encoding="utf-8") as lines:
        assert len(lines.read().splitlines()) == 3, "nothing was pending: no hook"


@pytest.mark.parametrize("hook, says", [
    ("exit 3", "exit status 3"),
    ("no-such-program-here", "exit status 127"),
    ("sql/broken.sql", "syntax error"),
    ("sql/absent.sql", "absent.sql"),
    ("http://127.0.0.1:1/x", "could not be asked"),
])
def test_nothing_is_changed_where_a_hook_before_fails(app, db, hook, says):
    configure(app, hooks__pre_migrate=hook, hooks__on_failure='printf %s "$ARAMID_ERROR" > told')
    app.write("sql/broken.sql", "CREATE TABLE x (i int); SELEC 1;")
    result = deploy(app, db)
    assert result.rc == 7 and says in result.err and "nothing was changed" in result.err, result
    assert not has(db, "more") and not has(db, "x")
    with open(os.path.join(app.path, "told"), encoding="utf-8") as told:
        assert told.read().startswith("hooks.pre_migrate failed: ")


def test_a_new_database_has_hooks_before_too(project, db):
    project.add("init", "CREATE TABLE t (i int);")
    configure(project, hooks__pre_migrate="exit 1")
    assert aramid.deploy(project, db.url()).rc == 7 and not has(db, "t")


def test_a_hook_that_never_ends_is_ended_with_what_it_started(app, db):
    configure(app, hooks__pre_migrate="sleep 1000 & echo $! > child; sleep 1000", hooks__timeout="1s")
    result = deploy(app, db)
    assert result.rc == 7 and "did not end within" in result.err and not has(db, "more"), result
    with open(os.path.join(app.path, "child"), encoding="utf-8") as pid:
        path = f"/proc/{pid.read().strip()}/stat"
    wait.until(lambda: not os.path.exists(path) or open(path, encoding="utf-8").read().split()[2] == "Z",
               "the hook's own child ends")


def test_what_a_hook_leaves_running_is_not_waited_for(app, db):
    configure(app, hooks__pre_migrate="sleep 1000 & echo $! > child; echo done")
    result = deploy(app, db)
    with open(os.path.join(app.path, "child"), encoding="utf-8") as pid:
        os.kill(int(pid.read()), signal.SIGKILL)
    assert result.rc == 0 and "pre_migrate: done" in result.err, result


def test_a_hook_that_says_much_is_cut_short(app, db):
    configure(app, hooks__pre_migrate="head -c 20000000 /dev/zero | tr '\\0' x; echo; yes no | head -1000000")
    result = deploy(app, db)
    assert result.rc == 0 and "left out" in result.err and len(result.text) < 400_000, result.rc


def test_what_a_hook_says_holds_no_password(app, db):
    configure(app, hooks__pre_migrate="echo $DATABASE_URL", hooks__env=["DATABASE_URL"])
    result = aramid.run("deploy", cwd=app.path, env={"DATABASE_URL": db.url(password="canary-password")})
    assert result.rc == 0 and "pre_migrate: ****" in result.err, result
    assert "canary-password" not in result.text, result
    for root, _, files in os.walk(os.path.join(app.path, ".aramid")):
        for name in files:
            with open(os.path.join(root, name), encoding="utf-8", errors="replace") as text:
                assert "canary-password" not in text.read(), name


def test_a_hook_before_cannot_wait_for_its_own_deploy(app, db):
    configure(app, hooks__pre_migrate=f"{aramid.BINARY} deploy --url '{db.url()}'")
    result = deploy(app, db)
    assert result.rc == 7 and "must not change the database" in result.err, result
    assert not has(db, "more")


def test_an_address_is_told_as_json(app, db, serve):
    server = serve(web.Answer(204, ""))
    configure(app, hooks__pre_migrate=f"POST {server.url('/go?token=canary')}")
    result = deploy(app, db)
    assert result.rc == 0 and "canary" not in result.text, result
    assert [r.method for r in server.requests] == ["POST"]
    assert server.requests[0].path == "/go?token=canary"
    told = server.requests[0].json
    assert told["hook"] == "pre_migrate" and told["migrations"] == [app.names[1]]


def test_ctrl_c_in_a_hook_changes_nothing(app, db):
    configure(app, hooks__pre_migrate="touch began; sleep 1000")
    run = aramid.start("deploy", "--url", db.url(), cwd=app.path)
    wait.until(lambda: os.path.exists(os.path.join(app.path, "began")), "the hook begins")
    run.signal(signal.SIGINT)
    assert run.wait().rc == 130 and not has(db, "more")


# ---- tasks ---------------------------------------------------------------------------------------

def test_tasks_run_behind_the_migrations_when_they_are_due(app, db):
    app.write("aramid.yaml", json.dumps({"tasks": {
        "init-config": "psql \"$DATABASE_URL\" -qc \"INSERT INTO t VALUES (10 + (SELECT count(*) FROM t), 'once')\"",
        "views": {"run": "sql/views.sql", "when": "changed"},
        "told": {"run": "echo told >> told", "when": "always"},
        "by-hand": {"run": "echo by hand >> told", "when": "called"}}}))
    app.write("sql/views.sql", "CREATE OR REPLACE VIEW v AS SELECT i FROM t;")
    assert deploy(app, db).rc == 0
    assert db.column("SELECT i FROM t WHERE note = 'once'") == [12] and has(db, "v")
    assert deploy(app, db).rc == 0, "nothing is pending, and once is done"
    assert db.column("SELECT i FROM t WHERE note = 'once'") == [12]
    app.write("sql/views.sql", "CREATE OR REPLACE VIEW v AS SELECT i, note FROM t;")
    assert deploy(app, db).rc == 0 and db.one("SELECT count(note) FROM v") == 1
    with open(os.path.join(app.path, "told"), encoding="utf-8") as told:
        assert told.read() == "told\n" * 3

    def task(*args):
        return aramid.run("task", *args, "--url", db.url(), cwd=app.path)
    before = task("init-config")
    assert before.rc == 0 and "was done in this database before" in before.out, before
    assert task("init-config", "--again").rc == 0 and db.one("SELECT count(*) FROM t WHERE note = 'once'") == 2
    assert task("by-hand").rc == 0 and task("by-hand").rc == 0
    nobody = task("nobody")
    assert nobody.rc == 2 and "init-config, views, told, by-hand" in nobody.err, nobody


def test_deploys_at_once_do_a_task_once(app, db):
    assert deploy(app, db).rc == 0
    app.write("aramid.yaml", json.dumps({"tasks": {"first": "sleep 0.5; echo ran >> ran"}}))
    runs = [aramid.start("deploy", "--url", db.url(), cwd=app.path) for _ in range(3)]
    assert [run.wait().rc for run in runs] == [0, 0, 0]
    with open(os.path.join(app.path, "ran"), encoding="utf-8") as ran:
        assert ran.read() == "ran\n"


def test_a_task_that_fails_is_not_done(app, db):
    app.write("aramid.yaml", json.dumps({"tasks": {"first": "test -f there"}}))
    result = deploy(app, db)
    assert result.rc == 28 and "task first failed" in result.err and has(db, "more"), result
    app.write("there", "")
    assert deploy(app, db).rc == 0
    os.unlink(os.path.join(app.path, "there"))
    assert deploy(app, db).rc == 0, "it is done"


@pytest.mark.parametrize("text, says", [
    ("tasks: [a]", "mapping of names"), ("tasks: {a: {run: x, when: never}}", "once, changed, always, called"),
    ("tasks: {a: {command: x}}", 'no "command"'), ("tasks: {a: {}}", "a task is a command"), ("tasks: {a: ''}", "a task is a command"),
    ("tasks: {a: x, a: y}", "set twice"),
])
def test_tasks_that_are_none(app, db, text, says):
    app.write("aramid.yaml", text + "\n")
    result = deploy(app, db)
    assert result.rc == 3 and says in result.err and "aramid.yaml:1" in result.err, result


# ---- health --------------------------------------------------------------------------------------


def test_an_address_that_recovers_is_asked_again(app, db, serve):
    server = serve(web.Answer(500), web.Answer(200, "starting"), web.Answer(200, "version 7, well"))
    configure(app, health__url=server.url("/health"), health__body="version 7", health__delay="10ms")
    result = deploy(app, db, "--json")
    assert result.rc == 0 and len(server.requests) == 3, result
    assert result.json["healthState"] == "well" and [h["ok"] for h in result.json["health"]] == [True, True]


@pytest.mark.parametrize("answers, says", [
    ([web.Answer(500)], "status 500 (asked 2 times)"),
    ([web.Answer(302, "", {"Location": "https://login.example/x?token=canary"})],
     "redirects are not followed: https://login.example/x"),
    ([web.Answer(200, "version 6")], 'does not hold "version 7"'),
    ([web.Answer(200, "version 7", wait=30)], "did not answer within"),
    ([web.Answer(200, "version 7" * 20, drip=1)], "did not answer within"),
    ([web.Answer(200, "version", cut=True)], "could not be asked"),
])
def test_an_unwell_application_fails_the_deploy(app, db, serve, answers, says):
    server = serve(*answers)
    configure(app, health__url=server.url("/?token=canary"), health__body=["version 7"], health__tries=2,
              health__delay="10ms", health__timeout="300ms")
    result = deploy(app, db)
    assert result.rc == 28 and says in result.err, result
    assert "canary" not in result.text and "stays" in result.err and has(db, "more"), result


def test_a_certificate_that_nobody_signed_is_not_well(app, db, serve, tmp_path):
    server = serve(certificate=web.certificate(tmp_path))
    configure(app, health__url=server.url(host="localhost"), health__tries=1)
    result = deploy(app, db)
    assert result.rc == 28 and "certificate" in result.err.lower() and not server.requests, result


def test_a_proxy_of_the_environment_is_asked(app, db, serve):
    proxy = serve(web.Answer(200, "by proxy"))
    configure(app, health__url="http://shop.example/health", health__body="by proxy", health__tries=1)
    result = deploy(app, db, env={"http_proxy": proxy.url()})
    assert result.rc == 0 and proxy.requests[0].path == "http://shop.example/health", result
    refused = aramid.run("verify", "--url", db.url(), cwd=app.path, env={"http_proxy": "http://127.0.0.1:1"})
    assert refused.rc == 28 and "could not be asked" in refused.text, refused


def test_queries_decide(app, db):
    configure(app, health__sql=["sql/a.sql", "sql/b.sql"])
    app.write("sql/a.sql", "SELECT i FROM t WHERE i < 0; SELECT count(*) = 2 FROM t;")
    app.write("sql/b.sql", "SELECT i, note FROM t ORDER BY i;")
    result = deploy(app, db)
    assert result.rc == 28 and "query 1 gives 2 rows: 1 NULL" in result.err, result
    app.write("sql/b.sql", "DELETE FROM t;")
    result = aramid.run("verify", "--url", db.url(), cwd=app.path)
    assert result.rc == 28 and "read-only" in result.text and db.one("SELECT count(*) FROM t") == 2, result


def test_a_connection_that_ends_in_a_query_is_not_well(app, db):
    configure(app, health__sql=["sql/a.sql", "sql/b.sql"])
    app.write("sql/a.sql", "SELECT pg_terminate_backend(pg_backend_pid());")
    app.write("sql/b.sql", "SELECT true;")
    result = deploy(app, db)
    assert result.rc == 28 and "sql/a.sql is not well" in result.err and "sql/b.sql is well" in result.err, result


def test_an_unwell_deploy_is_rolled_back_where_nothing_is_lost(app, db):
    before = catalog.dump(db)
    configure(app, hooks__smoke="exit 1", health__on_failure="rollback")
    result = deploy(app, db, "--json")
    assert result.rc == 28 and result.json["healthState"] == "rolled-back", result
    assert result.json["rolledBack"] == 1 and not has(db, "more")
    assert db.column("SELECT i FROM t ORDER BY i") == [1, 2]
    assert catalog.dump(db) == before
    configure(app, hooks__smoke="exit 0", health__on_failure="rollback")
    assert deploy(app, db).rc == 0 and has(db, "more")


def test_rows_that_came_meanwhile_are_not_rolled_back(app, db):
    configure(app, hooks__smoke="exit 1", hooks__post_migrate="sql/rows.sql", health__on_failure="rollback")
    app.write("sql/rows.sql", "INSERT INTO more VALUES (7);")
    result = deploy(app, db)
    assert result.rc == 28 and "could not be rolled back" in result.err, result
    assert db.column("SELECT i FROM more") == [7]


def test_continue_only_tells(app, db):
    configure(app, hooks__smoke="exit 1", health__on_failure="continue")
    result = deploy(app, db)
    assert result.rc == 0 and "run-unhealthy" in result.err and has(db, "more"), result


def test_a_deploy_that_is_killed_before_its_health_is_known_is_settled_by_the_next(app, db):
    configure(app, hooks__smoke="touch asked; sleep 1000", health__on_failure="rollback")
    run = aramid.start("deploy", "--url", db.url(), cwd=app.path)
    wait.until(lambda: os.path.exists(os.path.join(app.path, "asked")), "the smoke test begins")
    run.kill()
    assert has(db, "more")
    configure(app, hooks__smoke="exit 1", health__on_failure="rollback")
    result = deploy(app, db)
    assert result.rc == 28 and "rolled back" in result.err and not has(db, "more"), result
    assert db.column("SELECT i FROM t ORDER BY i") == [1, 2]


def test_what_was_generated_has_to_pass(project):
    project.write("package.json", "{}")
    prisma = project.write("node_modules/.bin/prisma", "#!/bin/sh\necho made\n")
    os.chmod(prisma, 0o755)
    configure(project, hooks__post_generate="echo checking types; exit 2")
    result = aramid.run("generate", cwd=project.path)
    assert result.rc == 7 and "checking types" in result.text and "exit status 2" in result.err, result


# ---- verify --------------------------------------------------------------------------------------


def test_verify_tells_what_is_not_as_it_should_be(app, db):
    def verify(*args):
        return aramid.run("verify", "--url", db.url(), *args, cwd=app.path)

    pending = verify()
    assert pending.rc == 10 and "pending" in pending.out, pending
    assert deploy(app, db).rc == 0
    well = verify("--json")
    assert well.rc == 0 and well.json["drift"] is False and well.json["history"] == "up-to-date", well
    db.sql("ALTER TABLE t ADD COLUMN by_hand int")
    drifted = verify()
    assert drifted.rc == 18 and "aramid drift" in drifted.out, drifted


def test_verify_works_for_a_role_that_may_make_no_table(app, db):
    assert deploy(app, db).rc == 0
    db.sql(f'CREATE ROLE verifies LOGIN; REVOKE TEMP ON DATABASE "{db.name}" FROM PUBLIC;'
           "GRANT SELECT ON ALL TABLES IN SCHEMA public TO verifies")
    result = aramid.run("verify", "--url", db.url("verifies"), cwd=app.path)
    db.sql("DROP OWNED BY verifies; DROP ROLE verifies")
    assert result.rc == 0 and "may make no temporary table" in result.out, result
