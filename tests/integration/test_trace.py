"""ARAMID_TRACE: what a trace tells, and what it must not."""

import json
import os
import stat

from harness import aramid

CANARY = "c4n4ry-Of-The-Trace"


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def traced(path, run, *args, **kwargs):
    result = run(*args, env={**kwargs.pop("env", {}), "ARAMID_TRACE": str(path)}, **kwargs)
    return result, lines(path) if path.exists() else []


def test_a_deploy_can_be_read(project, db, tmp_path):
    project.add("init", "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1), (2);")
    project.add("bad", "CREATE TABLE b (i int);\nSELECT * FROM nowhere;")
    path = tmp_path / "trace"
    result, trace = traced(path, aramid.deploy, project, db.url())
    assert result.rc == 22, result
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {line["pid"] for line in trace} == {trace[0]["pid"]}
    assert [line["time"] for line in trace] == sorted(line["time"] for line in trace)

    first = trace[0]
    assert first["event"] == "connected" and first["database"] == db.name
    assert first["connection"] == 1 and first["version"] >= 130000 and first["backend"] > 0
    assert trace[-1] == {**trace[-1], "event": "closed", "connection": 1}

    own = [line for line in trace if line["connection"] == 1]
    sent = [line for line in own if line["event"] == "sent"]
    answered = [line for line in own if line["event"] == "answered"]
    assert [line["message"] for line in sent] == list(range(1, len(sent) + 1))
    assert [line["message"] for line in answered] == list(range(1, len(sent) + 1))
    for line in answered:  # each message is answered before the next one is sent
        at = own.index(line)
        assert own[at - 1]["event"] == "sent" and own[at - 1]["message"] == line["message"]

    good = next(line for line in sent if "CREATE TABLE a" in line["sql"])
    bad = next(line for line in sent if "FROM nowhere" in line["sql"])
    assert sent.index(good) < sent.index(bad) and "_prisma_migrations" in good["sql"]
    answer = answered[sent.index(good)]
    assert answer["end"] == "done" and answer["ms"] >= 0
    assert "CREATE TABLE" in answer["tags"] and "INSERT 0 2" in answer["tags"]
    answer = answered[sent.index(bad)]
    assert answer["end"] == "failed" and answer["sqlstate"] == "42P01" and "nowhere" in answer["error"]


def test_it_is_appended_to_and_narrowed(project, db, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    path = tmp_path / "trace"
    path.write_text('{"event":"older","pid":1}\n')
    path.chmod(0o644)
    result, trace = traced(path, aramid.deploy, project, db.url())
    assert result.rc == 0, result
    assert trace[0]["event"] == "older" and len(trace) > 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_cannot_be_written_is_said_before_anything(project, db, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in (".", "nowhere/trace", "pipe", "link"):
        result, _ = traced(tmp_path / "none", lambda *args, env, **kwargs: aramid.deploy(
            *args, env={"ARAMID_TRACE": str(tmp_path / name)}, **kwargs), project, db.url())
        assert result.rc == 5 and "cannot write a trace" in result.err, result
        assert "ARAMID_TRACE" in result.err
    assert not db.exists("a") and not (tmp_path / "target").exists()


def test_no_password_is_in_it(project, db, server, tmp_path):
    server.admin(f"CREATE ROLE trace_canary LOGIN SUPERUSER PASSWORD '{CANARY}-1'")
    try:
        project.add("roles", f"""
            CREATE ROLE trace_one PASSWORD '{CANARY}-2';
            ALTER ROLE trace_one WITH ENCRYPTED PASSWORD E'{CANARY}-3';
            ALTER USER trace_one PASSWORD $${CANARY}-4$$;
            CREATE FOREIGN DATA WRAPPER trace_wrapper;
            CREATE SERVER trace_server FOREIGN DATA WRAPPER trace_wrapper;
            CREATE USER MAPPING FOR trace_one SERVER trace_server
                OPTIONS (user 'x', password '{CANARY}-5');
            ALTER USER MAPPING FOR trace_one SERVER trace_server OPTIONS (SET password '{CANARY}-6');
            CREATE SUBSCRIPTION trace_subscription
                CONNECTION 'host=nowhere.invalid dbname=x user=y password={CANARY}-7'
                PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false);
            ALTER SUBSCRIPTION trace_subscription
                CONNECTION 'postgresql://y:{CANARY}-8@nowhere.invalid/x';
            DROP SUBSCRIPTION trace_subscription;
            SELECT 'postgresql://z:{CANARY}-9@nowhere.invalid/x';
            DROP USER MAPPING FOR trace_one SERVER trace_server;
            DROP ROLE trace_one;
            """)
        path = tmp_path / "trace"
        url = db.url("trace_canary", f"{CANARY}-1")
        result, trace = traced(path, aramid.deploy, project, url)
        assert result.rc == 0, result
        text = path.read_text()
        assert CANARY not in text
        assert "ALTER USER MAPPING FOR trace_one" in text
        assert [line["user"] for line in trace if line["event"] == "connected"][0] == "trace_canary"
        bad = db.url("trace_canary", f"{CANARY}-0", port=1)
        result, trace = traced(path, aramid.status, project, bad)
        assert trace[-1]["event"] == "not-connected" and CANARY not in path.read_text()
    finally:
        db.sql("DROP OWNED BY trace_canary")
        server.admin("DROP ROLE trace_canary")


def test_rows_of_copy_are_counted_and_programs_named(project, db, tmp_path):
    db.sql(f"CREATE TABLE a (t text); INSERT INTO a SELECT '{CANARY}' FROM generate_series(1, 100)")
    path = tmp_path / "trace"
    env = {"DATABASE_URL": db.url()}
    result, trace = traced(path, aramid.run, "backup", "--method", "native",
                           cwd=project.path, env=env)
    assert result.rc == 0, result
    assert CANARY not in path.read_text()
    assert any(line.get("copiedOut", 0) == 100 * (len(CANARY) + 1) for line in trace)

    result, trace = traced(path, aramid.run, "backup", cwd=project.path, env={
        **env, "ARAMID_BACKUP_COMMAND": f"export PGPASSWORD={CANARY}; echo snapshot-1; exit 0"})
    assert result.rc == 0, result
    started = [line for line in trace if line["event"] == "program-started"]
    ended = [line for line in trace if line["event"] == "program-ended"]
    assert started[-1]["argv"][:2] == ["/bin/sh", "-c"]
    assert ended[-1]["status"] == 0 and ended[-1]["program"] == started[-1]["program"]
    assert CANARY not in path.read_text()
