"""The table of findings: each row is raised somewhere, and nothing is raised that is not in it."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from harness import aramid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("ARAMID_BIN", str(ROOT / "build/debug/src/cli/aramid"))
ROWS = re.findall(r'^FINDING\((\w+), (\w+), "([a-z0-9-]+)", (\w+), (\w+),',
                  (ROOT / "src/base/findings.def").read_text(), re.M)
IDS = {row[0] for row in ROWS}
# Words of finding.h that are no ids.
OTHERS = {"COUNT", "AS_IS", "OFF", "RULE_FREE", "RULE_KEEPS_ERRORS", "RULE_NO_ERROR", "RULE_FIXED"}


def uses():
    """Every FINDING_ word of the sources, but for the table itself and what only words them."""
    found = {}
    for path in [*ROOT.glob("src/*/*.c"), *ROOT.glob("src/*/*.h")]:
        if path.parent.name not in ("base", "report", "render"):
            for word in re.findall(r"\bFINDING_(\w+)", path.read_text()):
                found.setdefault(word, set()).add(path.name)
    return found


def test_the_table_is_read():
    text = (ROOT / "src/base/findings.def").read_text()
    assert len(ROWS) == text.count("\nFINDING(") > 150
    assert len({row[2] for row in ROWS}) == len(IDS) == len(ROWS)


def test_each_row_is_raised_and_nothing_else():
    raised = {word: files - {"stages.c"} for word, files in uses().items()}
    raised = {word for word, files in raised.items() if files} - OTHERS
    assert raised - IDS == set(), "raised, but not in base/findings.def"
    assert IDS - raised == set(), "in base/findings.def, but raised nowhere"


def test_findings_have_no_second_form():
    """No list of bare texts for people beside them."""
    for path in ROOT.glob("src/*/*.h"):
        assert not re.search(r"\b(Diag|DiagList|ConfigNote|RUN_NOTE|PullWarning|DiffNote)\b|VEC\(const char \*\) "
                             r"(notes|warnings|hints)\b", path.read_text()), path


def test_every_row_is_documented():
    text = (ROOT / "docs/reference/findings.md").read_text()
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.M) == [row[2] for row in ROWS]


# ---- aramid explain ----------------------------------------------------------------------------

def explain(*args, cwd=None):
    return subprocess.run([BIN, "explain", *args], capture_output=True, text=True, timeout=60,
                          cwd=cwd or ROOT, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
                          stdin=subprocess.DEVNULL)


def explained(*args):
    run = explain(*args, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["explained"]


def test_a_finding_is_explained():
    run = explain("relation-index")
    assert run.returncode == 0 and run.stderr == ""
    assert run.stdout.startswith("relation-index: ") and "relation-index: off" in run.stdout
    assert "Settings change nothing" in " ".join(explain("type-unknown").stdout.split())
    found = explained("Relation-Index")
    assert [(e["kind"], e["id"], e["severity"], e["settings"]) for e in found] == [
        ("finding", "relation-index", "warning", "free")]


def test_an_error_is_explained():
    run = explain("migration-failed")
    assert "(P3018)" in run.stdout and "exit status 22" in run.stdout and run.returncode == 0
    assert [e["id"] for e in explained("P3009")] == ["history-failed"]
    assert [e["id"] for e in explained("p1002")] == ["timeout", "runner-active"]


@pytest.mark.parametrize("word, near", [
    ("relation-indx", "relation-index"), ("migration-faild", "migration-failed"),
    ("privileges", "reach-privileges"), ("P9999", "lists them all"), ("\x1b[2J", "lists them all")])
def test_an_unknown_name(word, near):
    run = explain(word)
    assert run.returncode == 2 and near in run.stderr and "\x1b" not in run.stderr, run
    assert run.stdout == ""


def test_everything_is_listed():
    run = explain()
    everything = explained()
    assert {e["id"] for e in everything if e["kind"] == "finding"} == {row[2] for row in ROWS}
    assert all(f"  {e['id']} " in run.stdout for e in everything)
    assert max(len(line) for line in run.stdout.split("\n")) <= 80


@pytest.mark.parametrize("row", {(row[1], row[4]): row for row in ROWS}.values(), ids=lambda row: row[2])
def test_one_of_each_area_and_rule_is_explained(row):
    text = " ".join(explain(row[2]).stdout.split())
    assert text.startswith(f"{row[2]}: ") and f"of the area {row[1].lower()}" in text
    assert (f"{row[2]}: off # or notice, warning" in text) == (row[4] != "FIXED")
    assert ("warning, error" in text) == (row[4] in ("FREE", "KEEPS_ERRORS"))


# ---- settings ----------------------------------------------------------------------------------

SCHEMA = """datasource db {
  provider     = "postgresql"
  relationMode = "prisma"
}

model A {
  id Int @id
  b  B[]
}

model B {
  id  Int @id
  a   A   @relation(fields: [aId], references: [id])
  aId Int
}
"""


@pytest.mark.parametrize("setting, status, severity", [
    ("{}", 0, "warning"), ("{relation-index: off}", 0, None), ("{relation-index: notice}", 0, "notice"),
    ("{relation-index: error}", 1, "error")])
def test_settings_silence_and_raise(tmp_path, setting, status, severity):
    (tmp_path / "schema.prisma").write_text(SCHEMA)
    (tmp_path / "aramid.yaml").write_text(f"findings: {setting}\n")
    for more in ([], ["--schema", "schema.prisma"]):
        run = subprocess.run([BIN, "validate", "--json", *more], capture_output=True, text=True,
                             timeout=60, cwd=tmp_path, env={"PATH": os.environ["PATH"]},
                             stdin=subprocess.DEVNULL)
        value = json.loads(run.stdout)
        assert run.returncode == status and value["ok"] == (status == 0), run
        assert [d["severity"] for d in value["diagnostics"]] == ([severity] if severity else [])


def test_an_unknown_finding_in_settings(tmp_path):
    (tmp_path / "aramid.yaml").write_text("findings: {relation-indx: off}\n")
    run = subprocess.run([BIN, "config", "show"], capture_output=True, text=True, timeout=60,
                         cwd=tmp_path, env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL)
    assert run.returncode == 3 and "did you mean relation-index" in run.stderr, run


# ---- a run --------------------------------------------------------------------------------------

MIXED = "ALTER TABLE a ADD b int;\nUPDATE a SET b = 1"


def told(project, db, setting, *words, **kwargs):
    """deploy (or another command) with these findings: in aramid.yaml; its JSON."""
    project.write("aramid.yaml", f"findings: {setting}\n")
    run = aramid.run(*(words or ("deploy",)), "--url", db.url(), "--json", cwd=project.path, **kwargs)
    return run, json.loads(run.out)


def ids(value, severity=None):
    return [f["id"] for f in value["findings"] if severity in (None, f["severity"])]


def test_an_error_stops_a_deploy_before_anything(project, db):
    project.add("20240101_a", "CREATE TABLE a (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("20240102_b", "CREATE TABLE b (i int)")
    project.add("20240103_mixed", MIXED)
    before = db.sql("SELECT * FROM _prisma_migrations")
    for command in ("plan", "deploy"):
        run, value = told(project, db, "{plan-mixed: error}", command)
        assert run.rc == 19 and not value["ok"], run
        assert ids(value, "error") == ["plan-mixed"], run
        found = value["findings"][0]
        assert (found["object"], found["line"]) == ("20240103_mixed", 2) and found["fix"], found
    assert value["error"]["code"] == "finding" and "plan-mixed" in value["error"]["detail"], value
    assert value["applied"] == [] and db.sql("SELECT * FROM _prisma_migrations") == before
    assert not db.exists("b")
    for command in ("plan", "deploy"):
        run, value = told(project, db, "{plan-mixed: off}", command)
        assert run.rc == 0 and value["findings"] == [], run
    assert len(value["applied"]) == 2


def test_an_error_about_the_history(project, db):
    project.add("20240102_b", "CREATE TABLE b (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("20240102_b", "CREATE TABLE b (j int)")
    project.add("20240101_late", "CREATE TABLE late (i int)")
    project.edit("no_stamp", "CREATE TABLE stamp (i int)")
    run, value = told(project, db, "{}", "plan")
    assert run.rc == 0 and ids(value) == ["history-no-timestamp", "history-edited", "history-late"]
    for name in ids(value):
        run, value = told(project, db, "{%s: error}" % name, "deploy")
        assert run.rc == 19 and ids(value, "error") == [name], run
        assert db.one("SELECT count(*) FROM _prisma_migrations") == 1
    run, value = told(project, db, "{history-late: off, history-edited: notice}", "deploy")
    assert run.rc == 0 and len(value["applied"]) == 2 and value["findings"] == [], run


def test_an_error_about_the_backup(project, db):
    project.add("20240101_a", "CREATE TABLE a (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("20240102_b", "CREATE TABLE b (i int)")
    words = ("deploy", "--env", "production", "--yes", "--no-backup", "--reason", "the provider's")
    run, value = told(project, db, "{backup-none: error}", *words)
    assert run.rc == 19 and ids(value, "error") == ["backup-none"], run
    assert not db.exists("b")
    run, value = told(project, db, "{}", *words)
    assert run.rc == 0 and ids(value, "warning") == ["backup-none"], run


def test_an_error_about_the_configuration(project, db):
    project.add("20240101_a", "CREATE TABLE a (i int)")
    for command in (("plan", "--env", "shop"), ("deploy", "--env", "shop", "--yes")):
        run, value = told(project, db, "{config-no-profile: error}\nenvironments: {shop: {}}", *command)
        assert run.rc == 19 and "config-no-profile" in run.out, run
    assert not db.exists("a")
    assert told(project, db, "{config-no-profile: notice}\nenvironments: {shop: {}}", "deploy", "--env", "shop", "--yes", "--no-backup",
                "--reason", "none")[0].rc == 0


def test_what_is_known_afterwards_becomes_no_error(project, db):
    project.add("20240101_a", "CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE a (m mood)")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("20240102_b", "ALTER TYPE mood ADD VALUE 'glad'; INSERT INTO a VALUES ('glad')")
    run, value = told(project, db, "{run-cut: error}")
    assert run.rc == 3 and "too late to stop a run" in value["error"]["message"], run
    assert db.one("SELECT count(*) FROM _prisma_migrations") == 1
    run, value = told(project, db, "{run-cut: warning}")
    assert run.rc == 0 and ids(value, "warning") == ["run-cut"], run
    assert "too late to stop" in " ".join(explain("run-cut").stdout.split())
    events = [json.loads(line) for line in (pathlib.Path(value["log"]) / "events.jsonl").open()]
    found = [e["finding"] for e in events if e["event"] == "finding"]
    assert found == value["findings"], events


def test_an_error_of_a_pull_writes_nothing(project, db):
    db.sql("CREATE TABLE a (i int); CREATE TABLE b (i int); CREATE TABLE c (i int PRIMARY KEY)")
    before = (pathlib.Path(project.path) / "prisma/schema.prisma").read_text()
    run, value = told(project, db, "{pull-no-id: error}", "pull", "--force", "--print")
    assert run.rc == 19 and not value["ok"], run
    assert [(f["id"], f["object"]) for f in value["findings"]] == [
        ("pull-no-id", '"a"'), ("pull-no-id", '"b"')]
    run, value = told(project, db, "{pull-no-id: error}", "pull", "--force")
    assert run.rc == 19 and value["error"]["code"] == "finding", run
    assert (pathlib.Path(project.path) / "prisma/schema.prisma").read_text() == before
    run, value = told(project, db, "{pull-no-id: off}", "pull", "--force")
    assert run.rc == 0 and value["findings"] == value["warnings"] == [] and value["written"], run


def test_an_error_of_init_writes_nothing(project):
    project.write("package.json", '{"scripts": {"build": "prisma migrate deploy && next build"}}')
    words = ("init", "--yes", "--json", "--only", "npm", "--profile", "deploy")
    for more in ((), ("--dry-run",)):
        project.write("aramid.yaml", "findings: {init-build: error}\n")
        run = aramid.run(*words, *more, cwd=project.path)
        value = json.loads(run.out)
        assert run.rc == 19, run
        assert more or value["error"]["code"] == "finding", run
    assert not value["ok"] and ids(value, "error") == ["init-build"] and value["notes"] == [value["findings"][0]["message"]]
    assert value["findings"][0]["path"] == "package.json"
    assert "db:deploy" not in (pathlib.Path(project.path) / "package.json").read_text()
    project.write("aramid.yaml", "findings: {init-build: off}\n")
    run = aramid.run(*words, cwd=project.path)
    value = json.loads(run.out)
    assert run.rc == 0 and value["written"] and value["findings"] == value["notes"] == [], run


def test_an_error_of_a_comparison(project, db):
    db.sql("CREATE TABLE a (id int PRIMARY KEY, gone text); INSERT INTO a VALUES (1, 'x')")
    project.write("to.sql", "CREATE TABLE a (id int PRIMARY KEY)")
    words = ("diff", "--from-url", db.url(), "--to-sql", "to.sql", "--json")
    for setting, status in (("off", 0), ("notice", 0), ("warning", 0), ("error", 19)):
        project.write("aramid.yaml", "findings: {diff-drop-column: %s}\n" % setting)
        run = aramid.run(*words, cwd=project.path)
        value = json.loads(run.out)
        assert run.rc == status and value["ok"] == (status == 0), run
        told_as = [(f["id"], f["severity"], f["object"]) for f in value["findings"]]
        assert told_as == ([] if setting == "off" else [
            ("diff-drop-column", setting, 'column "gone" of "public"."a"')]), run
        assert [n["severity"] for s in value["steps"] for n in s["notes"]] == ["loss"], run
    run = aramid.run(*words[:-1], "--script", "--exit-code", cwd=project.path)
    assert run.rc == 1 and "DROP COLUMN" in run.out and "[diff-drop-column]" in run.err, run


def test_an_error_fails_a_part_of_check(project, db):
    project.edit("no_stamp", "CREATE TABLE a (id int PRIMARY KEY)")
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\n'
                                          "model a {\n  id Int @id\n}\n")
    assert aramid.deploy(project, db.url()).rc == 0
    project.edit("no_stamp", "CREATE TABLE a (id int PRIMARY KEY) ")
    for setting, part, status in (("history-no-timestamp", "migrations", 19), ("history-edited", "history", 13)):
        project.write("aramid.yaml", "findings: {%s: error}\n" % setting)
        run = aramid.run("check", "--url", db.url(), "--json", cwd=project.path)
        value = json.loads(run.out)
        parts = {p["part"]: p for p in value["parts"]}
        assert run.rc == status and parts[part]["outcome"] == "failed", run
        assert ids(parts[part], "error") == [setting], run
        assert parts["parity"]["outcome"] == "ok" and parts["parity"]["findings"] == [], run
    run = aramid.run("check", "--url", db.url(), cwd=project.path)
    assert "[history-edited]" in run.out, run


def test_status_tells_findings(project, db):
    project.add("20240101_a", "CREATE TABLE a (i int)")
    db.sql("CREATE TABLE stray (i int); CREATE TABLE alembic_version (version_num text)")
    run, value = told(project, db, "{}", "status")
    assert run.rc == 16 and ids(value) == ["history-none", "ledger-several"], run
    run, value = told(project, db, "{history-none: off}", "status")
    assert run.rc == 3 and "neither silenced nor changed" in value["error"]["message"], run
    run, value = told(project, db, "{ledger-several: off}", "status")
    assert ids(value) == ["history-none"] and "another tool" in value["findings"][0]["fix"], run
    db.sql("DROP TABLE alembic_version")
    run = aramid.run("status", "--url", db.url(), cwd=project.path)
    assert "[history-none]" in run.out and "resolve --applied --up-to" in run.out, run


def test_an_error_of_a_restore_makes_nothing(project, db):
    db.sql("CREATE TABLE a (i int)")
    made = aramid.run("backup", "--url", db.url(), "--json", cwd=project.path)
    assert made.rc == 0, made
    folder = pathlib.Path(project.path) / "backups"
    dump = next(folder.glob("db-backup-*"))
    plain = pathlib.Path(project.path) / dump.name
    plain.write_bytes(dump.read_bytes())
    before = db.sql("SELECT datname FROM pg_database ORDER BY 1")
    for more, key in (("--dry-run", "findings"), ("--yes", "error")):
        run, value = told(project, db, "{restore-no-manifest: error}", "restore", str(plain), more)
        assert run.rc == 19 and key in value, run
        assert db.sql("SELECT datname FROM pg_database ORDER BY 1") == before
    run, value = told(project, db, "{restore-no-manifest: off}", "restore", str(plain), "--yes")
    assert run.rc == 0 and value["findings"] == value["notes"] == [], run
    # A file without a manifest among the backups.
    (folder / "db-backup-x.sql").write_text("--")
    project.write("aramid.yaml", "findings: {backup-stray: error}\n")
    run = aramid.run("backup", "list", "--json", cwd=project.path)
    value = json.loads(run.out)
    assert run.rc == 19 and value["withoutManifest"] == ["db-backup-x.sql"], run
    assert [f["path"] for f in value["findings"]] == ["db-backup-x.sql"]


def test_who_the_database_is(project, db, server):
    """Told before a change, by every command that makes one."""
    project.add("20240101_a", "CREATE TABLE a (i int)")
    assert told(project, db, "{}", "deploy", "--env", "staging", "--yes")[0].rc == 0
    new = type(db)(server, db.name + "_new")
    server.admin(f'ALTER DATABASE "{db.name}" RENAME TO "{new.name}"')
    try:
        project.add("20240102_b", "CREATE TABLE b (i int)")
        for words in (("deploy",), ("resolve", "--applied", "20240102_b", "--force")):
            run, value = told(project, new, "{identity-renamed: error}", *words, "--env", "staging", "--yes")
            assert run.rc == 19 and "identity-renamed" in value["error"]["detail"], run
            assert new.one("SELECT count(*) FROM _prisma_migrations") == 1 and not new.exists("b")
        run, value = told(project, new, "{}", "deploy", "--env", "staging", "--yes")
        assert run.rc == 0 and ids(value, "warning") == ["identity-renamed"], run
        run, value = told(project, new, "{}", "deploy", "--env", "staging", "--yes")
        assert run.rc == 0 and ids(value) == [], run
    finally:
        new.drop()


def test_drift_and_status_end_otherwise(project, db):
    project.add("20240101_a", "CREATE TABLE a (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    project.edit("20240101_a", "CREATE TABLE a (i int);")
    run, value = told(project, db, "{drift-files-edited: error}", "drift")
    assert run.rc == 19 and not value["ok"], run
    assert ids(value["drift"], "error") == ["drift-files-edited"], run
    project.edit("20240101_a", "CREATE TABLE a (i int)")
    project.edit("stamp", "CREATE TABLE b (i int)")
    assert aramid.deploy(project, db.url()).rc == 0
    run, value = told(project, db, "{history-no-timestamp: error}", "status")
    assert run.rc == value["exitStatus"] == 19, run
