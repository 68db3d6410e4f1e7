"""`plan` and `status`: READ ONLY, without locks, without a trace in a session that others use next."""

import json

import psycopg2
import pytest

from harness import aramid
from harness.pooler import pooled


@pytest.fixture
def pending(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("more", "ALTER TABLE a ADD COLUMN c int;\nCREATE SCHEMA s;")
    return project


@pytest.mark.parametrize("command", ["plan", "status"])
def test_every_message_is_read_only(pending, db, tmp_path, command):
    trace = tmp_path / "trace"
    aramid.run(command, "--url", db.url(), cwd=pending.path, env={"ARAMID_TRACE": str(trace)})
    sent = [json.loads(line) for line in trace.read_text().splitlines()]
    sent = [e["sql"] for e in sent if e["event"] == "sent"]
    assert len(sent) > 1
    for sql in sent[1:]:
        assert "READ ONLY" in sql or sql.startswith("SELECT pg_catalog.current_schemas"), sql
    assert not any("advisory_lock(" in sql for sql in sent)


def test_plan_says_which_grants_the_deploy_needs(pending, db):
    name = "planner_" + db.name
    db.sql(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON _prisma_migrations TO {name}")
    try:
        result = aramid.run("plan", "--url", db.url(user=name), cwd=pending.path)
        assert result.rc == 0 and f'GRANT "postgres" TO "{name}"' in result.out, result
        assert f'GRANT CREATE ON DATABASE ... TO "{name}"' in result.out and "reach-privileges" in result.out
    finally:
        db.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_through_a_transaction_pooler(pending, server, db):
    names = ("client_connection_check_interval", "idle_in_transaction_session_timeout", "statement_timeout",
             "search_path", "lock_timeout", "default_transaction_read_only")
    query = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    before = db.sql(query)
    with pooled(server, "transaction") as port:
        url = db.url(port=port)
        plan = aramid.run("plan", "--url", url, cwd=pending.path)
        status = aramid.run("status", "--url", url, cwd=pending.path)
        status_json = aramid.run("status", "--url", url, "--json", cwd=pending.path).json
        deploy = aramid.run("deploy", "--url", url, cwd=pending.path)
        assert deploy.rc == 35 and plan.rc == 35, plan
        assert status.rc == 10 and "transaction pooler" in status.text, status
        assert "transaction pooler" in status_json["refused"]
        conn = psycopg2.connect(url)
        cursor = conn.cursor()
        cursor.execute(query)
        assert cursor.fetchall() == before
        conn.close()
