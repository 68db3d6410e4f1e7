"""Real output of --json against the schemas of docs/schema/."""

import contextlib
import json
import os
import re

import pytest

from harness import aramid, web
from harness.cluster import REPO

SCHEMAS = os.path.join(REPO, "docs", "schema")
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}
# What the validator below knows; a schema that uses anything else is an error of this file.
KEYWORDS = {"$schema", "$defs", "title", "description", "$ref", "type", "const", "enum", "anyOf",
            "properties", "required", "additionalProperties", "items", "pattern", "minLength",
            "minimum", "maximum"}


def load(name):
    with open(os.path.join(SCHEMAS, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def is_type(value, name):
    if name in ("integer", "number") and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[name])


def problems(value, schema, root, at="$"):
    """Where `value` does not keep to `schema`: a list of texts."""
    unknown = set(schema) - KEYWORDS
    assert not unknown, f"{at}: the validator does not know {unknown}"
    found = []
    if "$ref" in schema:
        found += problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, at)
    if "anyOf" in schema and all(problems(value, one, root, at) for one in schema["anyOf"]):
        found.append(f"{at}: none of anyOf holds for {value!r}")
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not one of {schema['enum']}")
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        return [*found, f"{at}: {value!r} is not {' or '.join(names)}"]
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{at}: {value!r} does not match {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{at}: is too short")
    if isinstance(value, int) and not isinstance(value, bool):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            found.append(f"{at}: {value} is out of bounds")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += problems(item, schema.get("items", {}), root, f"{at}[{i}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{at}: lacks {key}" for key in schema.get("required", []) if key not in value]
        for key, item in value.items():
            if key in known:
                found += problems(item, known[key], root, f"{at}.{key}")
            elif not schema.get("additionalProperties", True):
                found.append(f"{at}: has {key}, which no schema names")
    return found


def check(result, name):
    """The output is one JSON value that keeps to the schema; returns it."""
    assert result.out, result
    schema = load(name)
    value = json.loads(result.out)
    found = problems(value, schema, schema)
    assert not found, "\n".join([*found, repr(result)])
    return value


def call(project, url, *args, **kwargs):
    return aramid.run(*args, "--url", url, "--json", cwd=project.path, **kwargs)


# ---- the validator itself -----------------------------------------------------------------------

@pytest.mark.harness
@pytest.mark.parametrize("name", sorted(n.removesuffix(".json") for n in os.listdir(SCHEMAS)
                                        if n.endswith(".json")))
def test_schemas_are_consistent(name):
    """Every reference leads somewhere, all definitions are used, all names described."""
    schema = load(name)
    used = set()

    def walk(node, at):
        assert set(node) <= KEYWORDS, at
        if "$ref" in node:
            target = node["$ref"].removeprefix("#/$defs/")
            used.add(target)
            assert target in schema["$defs"], at
        if "properties" in node:
            assert sorted(node["required"]) == sorted(node["properties"]), at
            assert node["additionalProperties"] is False, at
        for key, child in node.get("properties", {}).items():
            walk(child, f"{at}.{key}")
        for child in node.get("anyOf", []):
            walk(child, f"{at}|")
        if "items" in node:
            walk(node["items"], f"{at}[]")

    walk(schema, name)
    for key, child in schema.get("$defs", {}).items():
        walk(child, key)
    assert used == set(schema.get("$defs", {}))


@pytest.mark.harness
def test_the_validator_sees_mistakes():
    schema = load("unlock")
    good = {"command": "unlock", "ok": True, "ended": None, "holders": [],
            "target": {"url": "u", "origin": "o", "embedded": False}}
    assert problems(good, schema, schema) == []
    holder = {"pid": 1, "who": "w", "since": None, "state": "s", "orphaned": False, "program": "gone"}
    assert problems({**good, "holders": [holder]}, schema, schema) == []
    without = {key: value for key, value in good.items() if key != "holders"}
    for bad in ({**good, "command": "x"}, {**good, "ok": 1}, {**good, "more": 1},
                {**good, "ended": "1"}, {**good, "ended": 0}, {**good, "ended": True},
                {**good, "holders": [{**holder, "pid": None}]}, {**good, "target": None},
                without, [], None):
        assert problems(bad, schema, schema), bad


# ---- deploy -------------------------------------------------------------------------------------

SEVERAL_STEPS = """
    CREATE TABLE "we""ird" (i int);
    CREATE INDEX CONCURRENTLY x ON "we""ird" (i);
    INSERT INTO "we""ird" VALUES (1);
"""


def test_deploy(project, db):
    project.add("init", SEVERAL_STEPS)
    project.add("empty", "")
    value = check(call(project, db.url(), "deploy"), "deploy")
    assert value["ok"] and len(value["applied"]) == 2 and value["applied"][0]["steps"] == 3
    assert os.path.isdir(value["log"])
    value = check(call(project, db.url(), "deploy"), "deploy")
    assert value["ok"] and value["applied"] == [] and value["log"] is None


def test_verify(project, db):
    project.add("init", SEVERAL_STEPS)
    value = check(call(project, db.url(), "verify"), "verify")
    assert not value["ok"] and value["exitStatus"] == 10 and value["drift"] is None, value
    project.write("aramid.yaml", "hooks: {smoke: exit 1}\n")
    value = check(call(project, db.url(), "deploy"), "deploy")
    assert value["healthState"] == "unwell" and not value["health"][-1]["ok"], value


def test_task(project, db):
    project.write("aramid.yaml", "tasks: {first: 'true', bad: 'exit 3'}\n")
    assert check(call(project, db.url(), "task", "first"), "task")["tasks"][0]["state"] == "run"
    assert check(call(project, db.url(), "task", "first"), "task")["tasks"][0]["state"] == "done-before"
    assert check(call(project, db.url(), "task", "bad"), "task")["error"]["code"] == "hook-failed"


def test_checklist_and_evidence(project, db):
    project.add("init", SEVERAL_STEPS)
    value = check(call(project, db.url(), "checklist"), "checklist")
    assert not value["ok"] and value["phase"] == "pre", value
    value = check(call(project, db.url(), "evidence", "add", "tests", "--ok", "--by", "ada"), "evidence")
    assert value["written"] == 1 and value["records"][0]["counts"], value


def test_what_a_webhook_is_sent(project, db):
    name = project.add("init", SEVERAL_STEPS)
    server, schema = web.Web(), load("word")
    project.write("aramid.yaml", json.dumps({"verify": "off", "notify": {
        "webhook": server.url(), "profiles": ["development"], "events": ["planned", "started", "done", "failed", "drift"]}}))
    call(project, db.url(), "plan", "--notify")
    call(project, db.url(), "deploy")
    db.sql('ALTER TABLE "we""ird" ADD COLUMN by_hand int')
    call(project, db.url(), "drift", "--notify")
    project.add("bad", "SELECT nowhere;")
    call(project, db.url(), "deploy")
    server.close()
    told = [request.json for request in server.requests]
    assert [word["event"] for word in told] == ["planned", "started", "done", "drift", "started", "failed"], told
    assert [problems(word, schema, schema) for word in told] == [[]] * 6, told
    assert told[0]["migrations"] == [{"name": name, "ms": None}] and told[5]["error"]["sqlstate"] == "42703", told


def test_rollback(project, db):
    project.add("init", "CREATE TABLE a (i int);\nCREATE TABLE b (i int);")
    project.add("more", "ALTER TABLE a ADD COLUMN x int;\nUPDATE b SET i = 1;")
    call(project, db.url(), "deploy")
    value = check(call(project, db.url(), "verify-rollback", "--all"), "verify-rollback")
    assert value["ok"] and value["migrations"][1]["notRestored"] == 1, value
    db.sql("INSERT INTO a VALUES (1, 2)")
    value = check(call(project, db.url(), "rollback", "--plan"), "rollback")
    assert value["ok"] and value["plan"] and value["losses"] and value["ways"][0]["notRestored"], value
    value = check(call(project, db.url(), "rollback"), "rollback")
    assert not value["ok"] and value["error"]["code"] == "no-way-back" and value["verified"] is None, value
    value = check(call(project, db.url(), "rollback", "--accept-data-loss", "--accept-unrestored"), "rollback")
    assert value["ok"] and len(value["rolledBack"]) == 1 and value["verified"] == "same", value


def test_execute(project, db):
    project.write("several.sql", "CREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY a_i ON a (i);")
    project.write("drop.sql", "DROP TABLE a;")
    value = check(call(project, db.url(), "execute", "several.sql"), "execute")
    assert value["ok"] and value["executed"] and len(value["scripts"][0]["steps"]) == 2, value
    db.sql("INSERT INTO a VALUES (1)")
    value = check(call(project, db.url(), "execute", "drop.sql", "--dry-run"), "execute")
    assert value["ok"] and value["plan"] and "1 row" in value["losses"][0]["text"], value
    value = check(call(project, db.url(), "execute", "drop.sql"), "execute")
    assert not value["ok"] and value["error"]["code"] == "not-confirmed" and not value["executed"], value


def test_testdb(project):
    try:
        for _ in range(2):
            value = check(aramid.run("testdb", "--json", cwd=project.path), "testdb")
        check(aramid.run("testdb", "list", "--json", cwd=project.path), "testdb-list")
        check(aramid.run("testdb", "drop", value["databases"][0]["url"], "--json", cwd=project.path), "testdb-drop")
        check(aramid.run("testdb", "sweep", "--json", cwd=project.path), "testdb-drop")
    finally:
        aramid.run("testdb", "drop", "--all", cwd=project.path)


def test_seed(project, db):
    value = check(call(project, db.url(), "seed"), "seed")
    assert value["ok"] and value["files"] == [] and value["seedCommand"] is None, value
    project.write("a.sql", "CREATE TABLE a (i int);")
    project.write("b.sql", "SELECT nowhere;")
    project.write("aramid.yaml", "seed_files: [a.sql, b.sql]\nseed: 'true'\n")
    value = check(call(project, db.url(), "seed", "--dry-run"), "seed")
    assert value["plan"] and [f["state"] for f in value["files"]] == ["pending"] * 2, value
    value = check(call(project, db.url(), "seed"), "seed")
    assert not value["ok"] and [f["state"] for f in value["files"]] == ["run", "not-run"], value
    project.write("b.sql", "SELECT 1;")
    value = check(call(project, db.url(), "seed"), "seed")
    assert value["ok"] and value["seedCommand"]["status"] == 0, value
    assert [f["state"] for f in value["files"]] == ["unchanged", "run"], value


def test_reset(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    call(project, db.url(), "deploy")
    db.sql("INSERT INTO a VALUES (1)")
    value = check(call(project, db.url(), "reset"), "reset")
    assert not value["ok"] and value["error"]["code"] == "not-confirmed" and value["losses"], value
    value = check(call(project, db.url(), "reset", "--dry-run"), "reset")
    assert value["ok"] and value["plan"] and not value["dropped"], value
    value = check(call(project, db.url(), "reset", "--force"), "reset")
    assert value["ok"] and value["dropped"] and value["applied"] == [name], value


def test_push(project, db):
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\nmodel A {\n  i Int @id\n  x Int?\n}\n')
    value = check(call(project, db.url(), "push", "--dry-run"), "push")
    assert value["ok"] and value["plan"] and not value["pushed"] and value["scripts"], value
    value = check(call(project, db.url(), "push"), "push")
    assert value["ok"] and value["pushed"] and not value["inSync"], value
    value = check(call(project, db.url(), "push"), "push")
    assert value["ok"] and value["inSync"] and value["log"] is None, value
    db.sql('INSERT INTO "A" VALUES (1, 2)')
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\nmodel A {\n  i Int @id\n}\n')
    value = check(call(project, db.url(), "push"), "push")
    assert not value["ok"] and value["losses"] and value["error"]["code"] == "not-confirmed", value


def test_deploy_that_fails(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    bad = project.add("bad", "SELECT 1;\nSELECT nowhere;")
    result = call(project, db.url(), "deploy")
    value = check(result, "deploy")
    assert not value["ok"] and value["failed"] == bad and len(value["applied"]) == 1
    assert value["error"]["sqlstate"] == "42703" and value["error"]["line"] == 2
    assert value["error"]["exitStatus"] == result.rc == 22


def test_deploy_that_does_not_begin(project, db):
    project.add("init", "SELECT 1")
    value = check(call(project, "postgresql://u:secret@127.0.0.1:1/x", "deploy"), "deploy")
    assert value["error"]["code"] == "unreachable" and value["server"] is None
    value = check(call(project, "mysql://u:secret@h/x", "deploy"), "deploy")
    assert value["error"]["code"] == "url-invalid" and value["target"]["url"] is None
    project.write("prisma/migrations/migration_lock.toml", 'provider = "mysql"\n')
    value = check(call(project, db.url(), "deploy"), "deploy")
    assert value["error"]["prisma"] == "P3019"
    assert "secret" not in json.dumps(value)
    result = call(project, db.url(), "deploy", "--env", "no-such-environment")
    assert check(result, "error")["error"]["exitStatus"] == result.rc == 3


def test_an_embedded_database_that_is_not_made_yet(project, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    for name in ("status", "plan", "unlock", "sync", "clean"):
        # A folder of its own: what other tests leave in the common one is none of this clean's business.
        value = check(aramid.run(name, "--json", cwd=project.path, env={"TMPDIR": tmp_path}), name)
        assert value["target"]["url"] is None and value["target"]["embedded"]


# ---- pull ---------------------------------------------------------------------------------------

def test_pull(project, db):
    db.sql("CREATE TABLE a (id int PRIMARY KEY, x int CHECK (x > 1)); CREATE TABLE b (i int)")
    value = check(call(project, db.url(), "pull", "--print"), "pull")
    assert value["changed"] and not value["written"] and "model a {" in value["files"][0]["text"]
    assert [w["id"] for w in value["warnings"]] == ["no-id", "check"]
    value = check(call(project, db.url(), "pull", "--yes"), "pull")
    assert value["written"] and value["files"][0]["text"] is None
    assert not check(call(project, db.url(), "pull"), "pull")["changed"]
    assert check(call(project, db.url() + "_x", "pull"), "error")["error"]["prisma"] == "P1003"


def test_create(tmp_path):
    (tmp_path / "prisma").mkdir()
    (tmp_path / "prisma" / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n}\nmodel A {\n  id Int @id\n}\n')
    for more in (["--dry-run"], []):
        value = check(aramid.run("create", "first one", "--json", *more, cwd=tmp_path), "create")
        assert value["written"] == (not more) and value["summary"] == "+1 table, locks: none"
    same = aramid.run("create", "second one", "--json", cwd=tmp_path)
    assert check(same, "create")["same"] and same.rc == 60
    assert check(aramid.run("create", "x!", "--empty", "--json", cwd=tmp_path), "create")["kind"] == "empty"
    assert check(aramid.run("create", "!", "--json", cwd=tmp_path), "error")["error"]["prisma"] == "P3010"


def test_dev(tmp_path, db):
    (tmp_path / "prisma").mkdir()
    schema = tmp_path / "prisma" / "schema.prisma"
    schema.write_text('datasource db {\n  provider = "postgresql"\n}\nmodel A {\n  id Int @id\n}\n')
    made = check(aramid.run("dev", "first one", "--json", "--url", db.url(), cwd=tmp_path), "dev")
    assert made["ok"] and made["new"] and made["applied"] == [made["created"]] and len(made["files"]) == 2
    same = check(aramid.run("dev", "--json", "--url", db.url(), cwd=tmp_path), "dev")
    assert same["ok"] and same["created"] is None and same["applied"] == []
    schema.write_text('datasource db {\n  provider = "postgresql"\n}\nmodel A {\n  id Int @id\n  b Int?\n}\n')
    unnamed = check(aramid.run("dev", "--json", "--url", db.url(), cwd=tmp_path), "dev")
    assert not unnamed["ok"] and unnamed["error"]["prisma"] == "P3010"


def test_describe(project, db):
    project.add("init", "CREATE TABLE a (i int PRIMARY KEY, j int CHECK (j > 0) REFERENCES a); CREATE INDEX k ON a (j);"
                        "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a; CREATE VIEW v AS TABLE a;"
                        "CREATE RULE r AS ON DELETE TO a DO INSTEAD NOTHING; GRANT SELECT ON a TO PUBLIC;"
                        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
                        "CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f();")
    assert aramid.deploy(project, db.url()).rc == 0
    value = check(call(project, db.url(), "describe", "a"), "describe")
    for key in ("columns", "constraints", "referencedBy", "indexes", "triggers", "rules", "policies", "privileges", "usedBy",
                "migrations"):
        assert value[key], (key, value)
    assert check(call(project, db.url(), "describe", "v"), "describe")["kind"] == "view"
    assert check(call(project, db.url(), "describe", "x"), "error")["error"]["code"] == "no-such-table"


def test_show(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("more", "ALTER TABLE a ALTER i TYPE bigint; UPDATE a SET i = 1;")
    value = check(call(project, db.url(), "show", "more"), "show")
    assert value["state"] == "pending" and value["statements"][0]["effects"][0]["rewrites"] and value["notPutBack"]
    assert check(call(project, db.url(), "show", "init", "--no-down"), "show")["down"] is None
    assert check(call(project, db.url(), "show", "nothing"), "error")["error"]["prisma"] == "P3017"


def test_expand_contract_and_state(project, db):
    project.add("init", "CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x', b text);\nCREATE INDEX ON t (a);")

    def expand(*args):
        return check(aramid.run("expand-contract", *args, "--json", cwd=project.path), "expand-contract")

    assert not expand("rename-column", "t.a", "c", "--dry-run")["written"]
    value = expand("change-type", "t.a", "varchar(9)", "--as", "c")
    assert value["name"] == "t_c" and len(value["files"]) == 2 and value["column"] == "a" and value["new"] == ["c"]
    assert check(call(project, db.url(), "state"), "state")["changes"][0]["state"] == "pending"
    assert call(project, db.url(), "deploy").rc == 0
    value = check(call(project, db.url(), "state"), "state")["changes"][0]
    assert value["state"] == "expanded" and value["newIsReady"] and value["oldIsThere"]
    assert check(call(project, db.url(), "status"), "status")["changes"] == [value]
    assert expand("contract", "t_c")["notes"]
    assert check(aramid.run("expand-contract", "contract", "x", "--json", cwd=project.path), "error")


def test_squash(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("more", "INSERT INTO a VALUES (1);")
    assert check(call(project, db.url(), "squash", "--dry-run"), "squash")["written"] is False
    assert check(call(project, db.url(), "squash"), "squash")["rows"] == 1


def test_restack(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    value = check(call(project, db.url(), "restack", "--check"), "restack")
    assert value["ok"] and value["moves"] == [] and value["ref"] is None


def test_lint(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.add("2_b", "ALTER TABLE a ALTER i TYPE bigint;\nSELECT FROM;")
    value = check(aramid.run("lint", "--json", cwd=project.path), "lint")
    assert value["ok"] and value["migrations"] == 2 and value["statements"][1]["effects"][0]["rewrites"]
    assert check(aramid.run("lint", "nope", "--json", cwd=project.path), "error")["error"]["prisma"] == "P3017"


def test_review(project):
    project.add("1_a", "SELECT 1;")
    value = check(aramid.run("review", "1_a", "--by", "Ann", "--json", cwd=project.path), "review")
    assert value["written"] == 1 and value["migrations"][0]["by"] == "Ann"


def test_stats_save(project, db):
    value = check(aramid.run("stats", "save", "--url", db.url(), "--json", cwd=project.path), "stats-save")
    assert value["path"] == "aramid.stats.json" and value["applied"] == 0
    assert check(aramid.run("lint", "--json", cwd=project.path), "lint")["sizesFrom"].startswith("aramid.stats.json of 2")


def test_explain(project, db):
    assert check(aramid.run("explain", "--json", cwd=project.path), "explain")["explained"]
    assert len(check(aramid.run("explain", "P3009", "--json", cwd=project.path), "explain")["explained"]) == 1
    assert check(aramid.run("explain", "no", "--json", cwd=project.path), "error")["error"]["code"] == "usage"


# ---- doctor -------------------------------------------------------------------------------------

def test_doctor(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    value = check(call(project, db.url(), "doctor", "--bundle"), "doctor")
    assert value["server"] and value["bundle"]["files"]
    value = check(call(project, "postgresql://u:secret99@127.0.0.1:1/x", "doctor"), "doctor")
    assert not value["ok"] and value["server"] is None and "secret99" not in json.dumps(value)
    result = call(project, "mysql://u:secret99@h/x", "doctor", "--env", "nowhere")
    assert check(result, "doctor")["exitStatus"] == result.rc == 19


def test_init(project, tmp_path):
    def init(*args, cwd=project.path):
        return aramid.run("init", *args, "--json", cwd=cwd)

    project.write("package.json", '{"scripts": {"db:migrate": "x", "db:status": "y"}}')
    value = check(init("--dry-run", "--profile", "deploy", "--only",
                       "npm,github,vercel,docker,k8s"), "init")
    assert not value["written"] and value["project"]["tool"] == "prisma"
    assert {s["state"] for s in value["scripts"]} >= {"kept", "added"}
    (tmp_path / "db" / "migrations").mkdir(parents=True)
    (tmp_path / "db" / "migrations" / "20250101000000_a.sql").write_text("-- migrate:up\nSELECT 1;\n")
    (tmp_path / "package.json").write_text("{}")
    value = check(init("--dry-run", "--profile", "deploy", "--only", "npm", cwd=tmp_path), "init")
    assert {s["state"] for s in value["scripts"]} == {"added", "leftOut"}
    value = check(init("--yes", "--only", "npm", "--profile", "deploy"), "init")
    assert value["written"] and value["parts"] == ["npm"]
    assert check(init("--profile", "x"), "error")["error"]["code"] == "usage"


def test_link(project):
    def link(*args):
        return check(aramid.run("link", *args, "--json", cwd=project.path), "link")

    assert link()["linked"] is None
    assert link("--project-ref", "abcdefghijklmnopqrst", "--env", "staging")["linked"]["changed"]
    assert link("--env", "staging")["environments"][0]["problem"] == "SUPABASE_DB_PASSWORD is not set"


# ---- plan ---------------------------------------------------------------------------------------

def test_plan(project, db):
    project.add("init", SEVERAL_STEPS)
    project.add("more", 'BEGIN;\nALTER TABLE "we""ird" ADD c int;\nCOMMIT;\nSELECT 1;')
    value = check(call(project, db.url(), "plan"), "plan")
    modes = [[s["mode"] for s in m["steps"]] for m in value["migrations"]]
    assert modes == [["transaction", "alone", "transaction"], ["own-transaction", "transaction"]]
    batches = project.add("batches", "CREATE TABLE b (i int PRIMARY KEY);\n-- aramid:batch key=i size=10\nDELETE FROM b;\n"
                                     "-- aramid:prove\nSELECT 1 FROM b;\n")
    value = check(call(project, db.url(), "plan"), "plan")
    assert [s["mode"] for s in value["migrations"][-1]["steps"]] == ["transaction", "batch", "prove"], batches
    assert value == check(call(project, db.url(), "deploy", "--dry-run"), "plan")
    assert call(project, db.url(), "deploy").rc == 0
    assert check(call(project, db.url(), "plan"), "plan")["migrations"] == []


def test_plan_that_fails(project, db):
    project.add("open", "BEGIN;\nSELECT 1;")
    result = call(project, db.url(), "plan")
    error = check(result, "error")["error"]
    assert error["code"] == "migration-file" and error["line"] == 1 and result.rc == 20


# ---- status -------------------------------------------------------------------------------------

def test_repeatable_scripts(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.write("prisma/sql/view.sql", "CREATE OR REPLACE VIEW v AS SELECT i FROM a;")
    assert check(call(project, db.url(), "plan"), "plan")["migrations"][1]["history"] == "repeatable"
    assert check(call(project, db.url(), "status"), "status")["pending"][1] == "prisma/sql/view.sql"
    check(call(project, db.url(), "deploy"), "deploy")
    os.remove(os.path.join(project.path, "prisma/sql/view.sql"))
    project.write("prisma/sql/more.sql", "CREATE OR REPLACE VIEW w AS SELECT i FROM a;")
    value = check(call(project, db.url(), "status"), "status")
    assert [h["name"] for h in value["histories"]] == ["prisma", "repeatable"]
    assert "script-removed" in [f["id"] for f in value["findings"]]


def test_status_in_every_state(project, db):
    def state():
        result = call(project, db.url(), "status")
        value = check(result, "status")
        assert value["exitStatus"] == result.rc
        return value["state"]

    assert state() == "up-to-date"
    first = project.add("init", "CREATE TABLE a (i int);")
    assert state() == "pending"
    db.sql("CREATE TABLE other (i int)")
    assert state() == "unmanaged"
    db.sql("DROP TABLE other")
    assert call(project, db.url(), "deploy").rc == 0
    assert state() == "up-to-date"
    project.add("0_early", "SELECT 1;")
    assert state() == "out-of-order"
    assert call(project, db.url(), "deploy").rc == 0
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, logs)"
           " VALUES ('g', '', E'gone \\x1b\\n\"', now(), E'a\\nlog')")
    assert state() == "missing"
    project.edit(first, "CREATE TABLE a (i bigint);")
    assert state() == "edited"
    project.add("later", "CREATE TABLE b (i int);\nCOMMIT;\nSELECT nowhere;")
    assert call(project, db.url(), "deploy").rc == 22
    assert state() == "resumable"
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name)"
           " VALUES ('f', '', 'failed')")
    assert state() == "failed"


def test_status_shows_a_run_under_way(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    with db.connect() as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(72707369)")
        value = check(call(project, db.url(), "status"), "status")
        assert [r["pid"] for r in value["runners"]] == [holder.info.backend_pid]


# ---- resolve and unlock -------------------------------------------------------------------------

def test_drift(project, db):
    project.add("init", "CREATE TABLE t (i int); GRANT SELECT ON t TO schema_tests_nobody;")
    db.sql("DROP ROLE IF EXISTS schema_tests_nobody; CREATE ROLE schema_tests_nobody")
    try:
        assert aramid.deploy(project, db.url()).rc == 0
        value = check(call(project, db.url(), "drift"), "drift")
        assert not value["drift"]["found"] and value["drift"]["replay"]["stubs"]
        db.sql(f"ALTER TABLE t ADD j int; ALTER DATABASE \"{db.name}\" SET work_mem = '5MB'")
        value = check(call(project, db.url(), "drift"), "drift")
        assert value["drift"]["found"] and value["drift"]["notCompared"]
        result = check(call(project, db.url(), "check"), "check")
        assert [part["outcome"] for part in result["parts"]] == ["ok", "ok", "failed", "ok", "failed", "ok"]
    finally:
        db.sql("DROP OWNED BY schema_tests_nobody; DROP ROLE schema_tests_nobody")


def test_check_of_what_is_broken(project, db):
    project.write("prisma/schema.prisma", "model X {}")
    project.add("init", "ALTER TABLE nowhere ADD i int")
    value = check(call(project, db.url(), "check"), "check")
    assert [part["outcome"] for part in value["parts"]] == ["failed", "failed", "skipped", "failed",
                                                            "ok", "skipped"]
    assert value["diagnostics"] and value["parity"] is None


def test_adopt(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    db.sql("CREATE TABLE a (i int); CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations"
           " (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)")
    for options in ["--dry-run"], []:
        value = check(call(project, db.url(), "adopt", "prisma", *options), "adopt")
        assert value["migrations"] == [name] and value["otherHistories"][0]["tool"] == "Drizzle"


def test_resolve(project, db):
    name = project.add("init", "CREATE TABLE a (i int);")
    error = check(call(project, db.url(), "resolve", "--rolled-back", name), "error")["error"]
    assert error["prisma"] == "P3011"
    error = check(call(project, db.url(), "resolve", "--applied", name), "error")["error"]
    assert error["code"] == "objects-disagree"
    value = check(call(project, db.url(), "resolve", "--applied", name, "--force"), "resolve")
    assert value["markedAs"] == "applied" and value["migrations"] == [name]
    db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name)"
           " VALUES ('f', '', '1_failed')")
    value = check(call(project, db.url(), "resolve", "--rolled-back", "1_failed"), "resolve")
    assert value["markedAs"] == "rolled-back"


def test_sync(project, db):
    for number in range(1, 5):
        project.add(f"{number}_n", f"CREATE TABLE n{number} (i int);")
    check(call(project, db.url(), "sync"), "sync")
    db.sql("CREATE TABLE n1 (i int); CREATE TABLE other (i int)")
    value = check(call(project, db.url(), "sync", "--dry-run"), "sync")
    assert value["dryRun"] and not value["repaired"] and value["repairs"] == 1, value
    value = check(call(project, db.url(), "sync"), "sync")
    assert value["repaired"] and value["left"] == 1 and value["exitStatus"] == 60, value
    for verb in (("fix",), ("resolve", "--auto"), ("resolve", "--auto", "3_n")):
        assert check(call(project, db.url(), *verb), "sync")["command"] == verb[0]


def test_clean(project, db, tmp_path):
    own = {"TMPDIR": tmp_path}  # what other tests leave in the common one may go while this one looks
    project.add("1_n", "CREATE TABLE n (i int);\nCREATE INDEX CONCURRENTLY n_i ON n (i);\nCREATE TABLE m (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    value = check(call(project, db.url(), "clean", "--dry-run", env=own), "clean")
    assert value["dryRun"] and [i["kind"] for i in value["items"] if i["kind"] == "journal"] == ["journal"], value
    value = check(call(project, db.url(), "clean", "--yes", env=own), "clean")
    assert value["removed"] and not value["stayed"], value


def test_generate_and_workflow(project, db):
    assert check(call(project, db.url(), "generate"), "generate")["error"]["code"] == "tool-missing"
    project.add("init", "CREATE TABLE a (i int);")
    value = check(call(project, db.url(), "workflow"), "workflow")
    results = {step["name"]: step["result"] for step in value["steps"]}
    assert problems(results["status"], load("status"), load("status")) == []
    assert problems(results["deploy"], load("deploy"), load("deploy")) == []
    assert problems(results["verify"], load("check"), load("check")) == []
    check(call(project, db.url(), "workflow", "--dry-run"), "workflow")


def test_identity(project, db):
    def identity(*args):
        return check(call(project, db.url(), "identity", *args), "identity")

    assert identity()["identity"] is None
    value = identity("set", "staging", "--name", "it's\nmine")
    assert value["changed"] and value["identity"]["name"] == "it's\nmine"
    assert check(call(project, db.url(), "status", "--env", "staging"), "status")["refused"] is None
    assert check(call(project, db.url(), "status"), "status")["refused"]
    assert not identity("set", "staging", "--name", "it's\nmine")["changed"]
    error = check(call(project, db.url(), "identity", "forget"), "error")["error"]
    assert error["code"] == "not-confirmed"
    assert identity("forget", "--yes")["before"] == "staging"


def test_unlock(project, db):
    assert check(call(project, db.url(), "unlock"), "unlock")["holders"] == []
    with contextlib.closing(db.connect()) as holder:
        holder.cursor().execute("SELECT pg_advisory_lock(72707369)")
        pid = holder.info.backend_pid
        value = check(call(project, db.url(), "unlock"), "unlock")
        assert [h["pid"] for h in value["holders"]] == [pid] and value["ended"] is None
        error = check(call(project, db.url(), "unlock", pid), "error")["error"]
        assert error["code"] == "not-confirmed"
        value = check(call(project, db.url(), "unlock", pid, "--yes"), "unlock")
        assert value["ended"] == pid
    error = check(call(project, db.url(), "unlock", "1", "--yes"), "error")["error"]
    assert error["code"] == "usage"


def test_unlock_sees_holders_of_other_roles(project, db):
    db.sql("CREATE ROLE looks_on LOGIN")
    try:
        with db.connect() as holder, holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(72707369)")
            result = call(project, db.url(user="looks_on"), "unlock")
            value = check(result, "unlock")
            assert [h["pid"] for h in value["holders"]] == [holder.info.backend_pid]
            text = aramid.run("unlock", "--url", db.url(user="looks_on"), cwd=project.path)
            assert "(null)" not in text.out, text
    finally:
        db.sql("DROP ROLE looks_on")


# ---- schema.prisma ------------------------------------------------------------------------------

BLOG = """
datasource db {
  provider = "postgresql"
}

/// People
model User {
  id    Int     @id @default(autoincrement())
  mail  String? @unique @map("e_mail") @db.VarChar(200)
  role  Role    @default(ADMIN)
  posts Post[]
  tags  Tag[]
  odd   Unsupported("box")?

  @@index([role, mail(sort: Desc, ops: raw("text_ops"))], type: BTree)
  @@map("users")
}

model Post {
  id     Int      @id
  userId Int
  user   User     @relation(fields: [userId], references: [id], onDelete: Cascade)
  at     DateTime @updatedAt
}

model Tag {
  id    Int    @id
  users User[]

  @@ignore
}

enum Role {
  ADMIN @map("admin")
}
"""


def of_schema(tmp_path, command, text):
    (tmp_path / "schema.prisma").write_text(text)
    return aramid.run(command, "--json", "--schema", "schema.prisma", cwd=str(tmp_path))


@pytest.mark.parametrize("text", [
    BLOG.replace("tags  Tag[]", "tags  Tag[] @ignore"), BLOG, "", "\ufeffmodel A {\n  id Int @id(\n}\n",
    "model A {\n  id Int @id\n  b B?\n  c C[] @relation(fields: [x])\n  t T\n}\nmodel B {}\ntype T {\n}\n"])
def test_validate_and_schema(tmp_path, text):
    result = of_schema(tmp_path, "validate", text)
    valid = check(result, "validate")
    assert valid["ok"] == (result.rc == 0) == (valid["errors"] == 0)
    result = of_schema(tmp_path, "schema", text)
    schema = check(result, "schema")
    assert schema["ok"] == valid["ok"] == (result.rc == 0)


def test_schema_tells_what_was_understood(tmp_path):
    value = check(of_schema(tmp_path, "schema", BLOG.replace("tags  Tag[]", "tags  Tag[] @ignore")),
                  "schema")
    assert value["ok"]
    user = value["models"][0]
    assert (user["table"], user["documentation"], user["line"]) == ("users", "People", 7)
    assert user["keys"][-1]["fields"][1] == {"name": "mail", "sort": "desc",
                                             "operatorClass": "text_ops"}
    assert [r["kind"] for r in value["relations"]] == ["one-to-many", "many-to-many"]
    assert value["relations"][0]["onDelete"] == "Cascade"
    assert value["relations"][1]["joinTable"] == "_TagToUser"


def test_diff(tmp_path, db):
    db.sql("CREATE TABLE users (id serial PRIMARY KEY, gone text); INSERT INTO users (gone) VALUES ('x');"
           " ALTER TABLE users ADD CONSTRAINT odd EXCLUDE USING btree ((id + 1) WITH =); ALTER INDEX odd ALTER COLUMN 1 SET STATISTICS 500")
    (tmp_path / "schema.prisma").write_text(BLOG.replace("tags  Tag[]", "tags  Tag[] @ignore"))
    args = ["--from-url", db.url(), "--to-schema", "schema.prisma"]
    value = check(aramid.run("diff", *args, "--json", cwd=str(tmp_path)), "diff")
    assert not value["equal"] and value["from"]["serverMajor"] == value["to"]["serverMajor"]
    assert {n["severity"] for s in value["steps"] for n in s["notes"]} >= {"loss"}
    value = check(aramid.run("diff", "--from-url", db.url(), "--to-empty", "--json",
                             cwd=str(tmp_path)), "diff")
    other = {"what": "statistics target of a constraint", "schema": "public", "name": "odd"}
    assert other in value["notCompared"]
    error = check(aramid.run("diff", "--from-empty", "--to-schema", "none.prisma", "--json",
                             cwd=str(tmp_path)), "error")["error"]
    assert error["code"] == "file"


# ---- backup -------------------------------------------------------------------------------------

def test_backup(project, db):
    db.sql("CREATE TABLE a (i int); INSERT INTO a VALUES (1)")
    value = check(call(project, db.url(), "backup"), "backup")
    made = value["backup"]["made"]
    assert made["rows"] == 1 and os.path.exists(made["data"]["path"])
    with open(value["backup"]["manifest"], encoding="utf-8") as file:
        schema = load("backup-manifest")
        assert problems(json.load(file), schema, schema) == []
    command = check(aramid.run("backup", "--json", cwd=project.path, env={
        "DATABASE_URL": db.url(), "ARAMID_BACKUP_COMMAND": "echo snap-1"}), "backup")
    assert command["backup"]["made"]["commandId"] == "snap-1"
    os.truncate(made["data"]["path"], 3)
    for name in ("list", "verify", "prune"):
        args = ("--all",) if name == "verify" else ()
        result = aramid.run("backup", name, *args, "--json", cwd=project.path)
        check(result, f"backup-{name}")
        assert result.rc == (51 if name == "verify" else 0)
    with open(value["backup"]["manifest"], "a", encoding="utf-8") as file:
        file.write("x")
    check(aramid.run("backup", "list", "--json", cwd=project.path), "backup-list")


# ---- restore ------------------------------------------------------------------------------------


def test_restore(project, db):
    project.add("1_one", "CREATE TABLE t (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    assert aramid.run("backup", "--url", db.url(), cwd=project.path).rc == 0
    value = check(call(project, db.url(), "restore", "--dry-run"), "restore")
    assert value["result"] == "planned" and value["made"] is None
    value = check(call(project, db.url(), "restore", "--replace", "--confirm", db.name), "restore")
    assert (value["database"], value["made"], value["compared"]) == (db.name, db.name, 2)
    db.server.admin(f'DROP DATABASE "{value["kept"]}"')
    value = check(aramid.run("backup", "verify", "--drill", "--json", cwd=project.path), "restore")
    assert value["result"] == "tried"
    assert check(call(project, db.url(), "restore", "no-such"), "error")["error"]["code"] == "backup"
