"""What the team and its tools are told of a run, by a real HTTP server that plays them."""

import json
import os
import re

import pytest

from harness import aramid, web

ENVIRONMENT = {"GITHUB_SHA": "0123abcd", "GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "shop/web",
               "GITHUB_RUN_ID": "77"}


@pytest.fixture
def tools():
    server = web.Web(web.Answer(200, "ok"))
    yield server
    server.close()


def configure(project, server, **more):
    settings = {"slack": server.url("/slack/canary-slack"), "webhook": server.url("/hook"),
                "sentry": server.url("/7").replace("://", "://canary-key@"), "otlp": server.url("/otlp"),
                "metrics": "aramid.prom", "channel": "#engineering", "events": ["started", "done", "failed"]}
    settings.update(more.pop("notify", {}))
    project.write("aramid.yaml", json.dumps({"notify": settings, "contacts": ["DBA on call, +1 555 0100"],
                                             "verify": "off", "backup": {"enabled": False}, **more}))


def production(project, db, *args, **env):
    return aramid.run("deploy", "--env", "production", "--url", db.url(), "--yes", *args,
                      cwd=project.path, env={**ENVIRONMENT, **env})


def by_path(server):
    found = {}
    for request in server.requests:
        found.setdefault(request.path.split("?")[0], []).append(request)
    return found


def test_everybody_is_told_of_a_deploy(project, db, tools):
    name = project.add("init", "CREATE TABLE t (i int);\nCREATE INDEX ON t (i);")
    configure(project, tools)
    result = production(project, db, GITHUB_STEP_SUMMARY=os.path.join(project.path, "summary.md"))
    assert result.rc == 0 and "canary" not in result.text, result
    told = by_path(tools)
    assert [r.json["event"] for r in told["/hook"]] == ["started", "done"]
    word = told["/hook"][1].json
    assert word["environment"] == "production" and word["database"] == db.name and word["release"] == "0123abcd"
    assert word["link"] == "https://git.example/shop/web/actions/runs/77"
    assert [m["name"] for m in word["migrations"]] == [name] and word["error"] is None
    slack = told["/slack/canary-slack"]
    assert len(slack) == 2 and slack[1].json["text"].startswith("#engineering: deploy of production is done: 1 migration")
    assert all(len(block["text"]["text"]) <= 3000 for request in slack for block in request.json["blocks"])
    [traces], [metrics] = told["/otlp/v1/traces"], told["/otlp/v1/metrics"]
    [scope] = traces.json["resourceSpans"][0]["scopeSpans"]
    run, migration, table, index = scope["spans"]
    assert [s["name"] for s in (run, migration, table, index)] == [
        "aramid deploy", f"migration {name}", "CREATE TABLE", "CREATE INDEX"]
    assert migration["parentSpanId"] == run["spanId"] and table["parentSpanId"] == migration["spanId"]
    assert len({s["spanId"] for s in scope["spans"]}) == 4 and "parentSpanId" not in run
    for span in scope["spans"]:
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"]) and re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
    names = {m["name"] for m in metrics.json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]}
    assert names == {"aramid.run.success", "aramid.run.duration", "aramid.run.migrations"}
    with open(os.path.join(project.path, "aramid.prom"), encoding="utf-8") as text:
        lines = text.read()
    assert lines.endswith("\n") and f'aramid_last_run_success{{environment="production",database="{db.name}"}} 1' in lines
    with open(os.path.join(project.path, "summary.md"), encoding="utf-8") as text:
        assert text.read().startswith("### ✅ deploy of production is done")
    assert "/api/7/envelope/" not in told, "nothing failed"
    count = len(tools.requests)
    assert production(project, db).rc == 0 and len(tools.requests) == count, "nothing was done: nobody is told"


def test_a_failure_is_told_without_data(project, db, tools):
    project.add("init", "CREATE TABLE t (mail text); INSERT INTO t VALUES ('canary@example.com');")
    name = project.add("cast", "ALTER TABLE t ALTER mail TYPE int USING mail::int;")
    configure(project, tools)
    result = production(project, db)
    assert result.rc == 22 and "DBA on call" in result.err, result
    told = by_path(tools)
    everything = "".join(r.body for r in tools.requests)
    assert "canary" not in everything and db.url() not in everything, everything
    head, item, event = told["/api/7/envelope/"][0].body.rstrip("\n").split("\n")
    assert told["/api/7/envelope/"][0].headers["X-Sentry-Auth"].startswith(
        "Sentry sentry_version=7, sentry_key=canary-key, sentry_client=aramid/")
    event = json.loads(event)
    assert json.loads(head)["event_id"] == event["event_id"] and json.loads(item)["type"] == "event"
    assert event["tags"]["migration"] == name and event["tags"]["sqlstate"] == "22P02"
    assert event["level"] == "error" and event["environment"] == "production" and event["release"] == "0123abcd"
    word = [r.json for r in told["/hook"]][-1]
    assert word["event"] == "failed" and word["error"]["name"] == "migration-failed"
    assert word["error"]["at"].endswith("migration.sql:1") and word["error"]["migration"] == name
    assert "DBA on call" in told["/slack/canary-slack"][-1].body
    spans = told["/otlp/v1/traces"][-1].json["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans[0]["status"]["code"] == 2


@pytest.mark.parametrize("answers, says", [
    ([web.Answer(500)], "status 500"),
    ([web.Answer(403)], "status 403"),
    ([web.Answer(200, wait=30)], "did not answer within"),
    ([web.Answer(302, "", {"Location": "https://elsewhere.example/"})], "status 302"),
])
def test_nobody_who_does_not_listen_stops_a_deploy(project, db, answers, says):
    project.add("init", "CREATE TABLE t (i int);")
    server = web.Web(*answers)
    configure(project, server, notify={"timeout": "200ms", "sentry": None, "otlp": None, "metrics": "/proc/x.prom"})
    result = production(project, db)
    server.close()
    assert result.rc == 0 and db.exists("t"), result
    assert "word-unsent" in result.err and says in result.err and "canary" not in result.text, result
    assert "/proc/x.prom was not told" in result.err


def test_one_that_is_busy_is_asked_again_once(project, db):
    project.add("init", "CREATE TABLE t (i int);")
    server = web.Web(web.Answer(429, "", {"Retry-After": "1"}), web.Answer(200))
    configure(project, server, notify={"webhook": None, "sentry": None, "otlp": None, "events": "done"})
    result = production(project, db)
    server.close()
    assert result.rc == 0 and len(server.requests) == 2 and "word-unsent" not in result.err, result


def test_a_deploy_that_has_to_be_told_waits_for_that(project, db):
    project.add("init", "CREATE TABLE t (i int);")
    server = web.Web(web.Answer(404))
    configure(project, server, notify={"required": True, "events": "failed"})
    result = production(project, db)
    server.close()
    assert result.rc == 7 and "notify.required" in result.err and not db.exists("t"), result


def test_nobody_is_told_of_development(project, db, tools):
    project.add("init", "CREATE TABLE t (i int);")
    configure(project, tools)
    assert aramid.deploy(project, db.url(), env=ENVIRONMENT).rc == 0 and not tools.requests


def test_a_trace_goes_on_where_the_pipeline_began_it(project, db, tools):
    project.add("init", "CREATE TABLE t (i int);")
    configure(project, tools)
    result = production(project, db, TRACEPARENT="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                        OTEL_EXPORTER_OTLP_HEADERS="x-team=shop%20web,authorization=Bearer%20canary")
    assert result.rc == 0 and "canary" not in result.text, result
    request = by_path(tools)["/otlp/v1/traces"][0]
    run = request.json["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert run["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736" and run["parentSpanId"] == "00f067aa0ba902b7"
    assert request.headers["x-team"] == "shop web" and request.headers["authorization"] == "Bearer canary"


def test_a_rollback_is_told(project, db, tools):
    project.add("init", "CREATE TABLE t (i int);")
    configure(project, tools)
    assert production(project, db).rc == 0
    result = aramid.run("rollback", "--env", "production", "--url", db.url(), "--yes",
                        "--accept-data-loss", cwd=project.path, env=ENVIRONMENT)
    assert result.rc == 0, result
    assert [(r.json["command"], r.json["event"]) for r in by_path(tools)["/hook"]] == [
        ("deploy", "started"), ("deploy", "done"), ("rollback", "done")]
