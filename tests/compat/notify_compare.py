#!/usr/bin/python3
"""usage: tests/compat/notify_compare.py

What Aramid sends of a run, read by the vendors' own packages from npm: Sentry's envelope by @sentry/core, Slack's
blocks against @slack/types by the TypeScript compiler, OTLP beside what OpenTelemetry's own serializer writes (the same
members with the same types), Prometheus' text by a parser of it. Ends with a line for each, and 0 when all accept.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness import aramid, web  # noqa: E402
from harness.cluster import Server, default_bindir  # noqa: E402
from harness.project import Project  # noqa: E402

PACKAGES = ["@sentry/core@10.78.0", "typescript@5.9.3", "@slack/types@2.22.0", "parse-prometheus-text-format@1.1.1",
            "@opentelemetry/otlp-transformer@0.223.1", "@opentelemetry/sdk-trace-base@2"]

CHECK = r"""
import { readFileSync } from "node:fs";
import { parseEnvelope } from "@sentry/core";
import parseText from "parse-prometheus-text-format";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const read = (name) => readFileSync(name, "utf8");
const bad = [];
const say = (what, ok, why = "") => { console.log(`${ok ? "ok" : "BAD"}  ${what}${why}`); if (!ok) bad.push(what); };

const [head, items] = parseEnvelope(read("sentry.txt"));
const event = items[0][1];
say("Sentry: envelope", items.length === 1 && items[0][0].type === "event" && head.event_id === event.event_id);
say("Sentry: event", event.exception.values[0].type === "migration-failed" && event.level === "error" &&
    /^[0-9a-f]{32}$/.test(event.event_id) && typeof event.timestamp === "number");

const families = parseText(read("aramid.prom"));
say("Prometheus: families", families.length >= 4 && families.every((f) => f.type === "GAUGE" && f.metrics.length), ` ${families.length}`);

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer("t", "1");
const parent = tracer.startSpan("parent", { attributes: { a: "b" } });
parent.setStatus({ code: 1 });
parent.end();
const official = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(exporter.getFinishedSpans())));
const ours = JSON.parse(read("traces.json"));
const shape = (v) => Array.isArray(v) ? "array" : v === null ? "null" : typeof v;
// Which members ours has beyond or unlike the official ones.
function unlike(a, b, at) {
    if (shape(a) !== shape(b)) return [`${at}: ${shape(a)} instead of ${shape(b)}`];
    if (Array.isArray(a)) return a.length && b.length ? a.flatMap((x, i) => unlike(x, b[0], `${at}[${i}]`)) : [];
    if (a && typeof a === "object")
        return Object.keys(a).flatMap((k) => k in b ? unlike(a[k], b[k], `${at}.${k}`)
            : ["parentSpanId", "message"].includes(k) && typeof a[k] === "string" ? [] : [`${at}.${k}: unknown`]);
    return [];
}
const differences = unlike(ours, official, "$");
say("OTLP: traces", differences.length === 0, differences.length ? ` ${differences.slice(0, 5).join("; ")}` : "");
process.exit(bad.length ? 1 : 0);
"""


def capture(folder):
    """The bodies of a deploy that goes well and one that fails, as files."""
    server, sink = Server(default_bindir()).start(), web.Web()
    database = server.new_database()
    project = Project(os.path.join(folder, "project"))
    project.add("init", "CREATE TABLE t (i text); INSERT INTO t VALUES ('x');\nCREATE INDEX ON t (i);")
    project.write("aramid.yaml", json.dumps({"verify": "off", "backup": {"enabled": False}, "contacts": ["A & B <c>"], "notify": {
        "slack": sink.url("/slack"), "sentry": sink.url("/7").replace("://", "://key@"), "otlp": sink.url("/otlp"),
        "metrics": os.path.join(folder, "aramid.prom"), "events": ["started", "done", "failed"]}}))

    def deploy():
        return aramid.run("deploy", "--env", "production", "--url", database.url(), "--yes", cwd=project.path).rc

    assert deploy() == 0
    good = os.path.join(folder, "good.prom")
    os.rename(os.path.join(folder, "aramid.prom"), good)
    project.add("bad", "SELECT 1 / (SELECT count(*) FROM t WHERE false);")
    assert deploy() == 22
    os.rename(good, os.path.join(folder, "aramid.prom"))
    sink.close()
    server.remove()
    blocks = [r.json for r in sink.requests if r.path == "/slack"]
    found = {"sentry.txt": next(r.body for r in sink.requests if "envelope" in r.path),
             "traces.json": next(r.body for r in sink.requests if r.path.endswith("/traces")),
             "slack.ts": 'import type { KnownBlock } from "@slack/types";\n'
                         f"export const messages: {{ text: string; blocks: KnownBlock[] }}[] = {json.dumps(blocks)};\n"}
    for name, text in found.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)


def main():
    with tempfile.TemporaryDirectory(prefix="aramid-notify-") as folder:
        capture(folder)
        with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as out:
            out.write('{"type": "module"}')
        with open(os.path.join(folder, "check.mjs"), "w", encoding="utf-8") as out:
            out.write(CHECK)
        npm = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES], cwd=folder, check=False)
        if npm.returncode:
            print("the packages cannot be had")
            return 77
        node = subprocess.run(["node", "check.mjs"], cwd=folder, check=False).returncode
        tsc = subprocess.run(["npx", "tsc", "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler", "--module",
                              "esnext", "slack.ts"], cwd=folder, check=False).returncode
        print(f"{'BAD' if tsc else 'ok'}  Slack: blocks by @slack/types")
        return 1 if node or tsc else 0


if __name__ == "__main__":
    sys.exit(main())
