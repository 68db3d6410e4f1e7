"""generate and workflow: the project's own tools as children, and a release step by step."""

import json
import os
import shutil
import signal
import stat

import pytest

from harness import aramid, ledger, wait

CANARY = "CANARYpassword"


def tool(project, script, name="prisma", folder="."):
    """A program in node_modules/.bin that stands for the project's."""
    path = os.path.join(project.path, folder, "node_modules", ".bin", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write("#!/bin/sh\n" + script)
    os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def app(project, tmp_path):
    """A project with a valid schema, its migration, a package.json, and a node of no use in PATH."""
    project.write("package.json", '{"devDependencies": {"prisma": "7.10.1"}}')
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\n'
                                          'model a {\n  id Int @id\n}\n')
    project.add("init", 'CREATE TABLE "a" ("id" INTEGER NOT NULL, CONSTRAINT "a_pkey" PRIMARY KEY ("id"));')
    os.makedirs(tmp_path / "bin", exist_ok=True)
    node = tmp_path / "bin" / "node"
    node.write_text("#!/bin/sh\nexit 0\n")
    node.chmod(0o755)
    project.bin = f"{tmp_path}/bin:/usr/bin:/bin"
    return project


def run(app, *args, **variables):
    return aramid.run(*args, cwd=app.path, env={"PATH": app.bin, **variables})


# ---- generate -----------------------------------------------------------------------------------

def test_environment_and_arguments(app):
    tool(app, 'echo "args $*"; pwd; env | sort')
    app.write(".env", f"DATABASE_URL=postgres://u:{CANARY}@h/db\nPLAIN=${{BASE}}/x\nBASE=file\nMINE=file\n"
                      "ARAMID_KEY=never\n")
    result = run(app, "generate", "--", "--no-engine", "x y", MINE="process", ARAMID_ENV="staging")
    assert result.rc == 0 and result.err == "", result
    lines = result.out.splitlines()
    assert lines[0] == f"args generate --schema {app.path}/prisma/schema.prisma --no-engine x y"
    assert lines[1] == str(app.path)
    assert "PLAIN=file/x" in lines and "MINE=process" in lines and "BASE=file" in lines
    assert not [line for line in lines if line.startswith(("ARAMID_", "MIGRATION_"))]
    # It has the URL, but the password is not passed on.
    assert any(line.startswith("DATABASE_URL=") for line in lines) and CANARY not in result.text


def test_the_tool_of_a_workspace_above(app):
    """packages/db with the schema, node_modules at the root of the repository."""
    tool(app, "echo above")
    os.makedirs(os.path.join(app.path, ".git"))
    app.write("packages/db/package.json", '{"name": "db"}')
    app.write("packages/db/prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    result = aramid.run("generate", cwd=os.path.join(app.path, "packages/db"), env={"PATH": app.bin})
    assert result.rc == 0 and "above" in result.out, result
    # Not from outside of the repository.
    os.makedirs(os.path.join(app.path, "packages/db/.git"))
    result = aramid.run("generate", cwd=os.path.join(app.path, "packages/db"), env={"PATH": app.bin})
    assert result.rc == 7, result


@pytest.mark.parametrize("lock, listed, hint", [
    (None, True, "npm install"), ("pnpm-lock.yaml", True, "pnpm install"),
    ("yarn.lock", False, "yarn add -D prisma"), (None, False, "npm install --save-dev prisma"),
    ("bun.lock", False, "bun add --dev prisma")])
def test_a_missing_tool_is_explained(app, lock, listed, hint):
    if lock:
        app.write(lock, "")
    if not listed:
        app.write("package.json", "{}")
    result = run(app, "generate")
    assert result.rc == 7 and "prisma is not installed" in result.err and hint in result.err, result


def test_no_node(app):
    tool(app, "exit 1")
    result = aramid.run("generate", cwd=app.path, env={"PATH": "/nonexistent"})
    assert result.rc == 7 and "Node" in result.err, result


def test_drizzle(app):
    shutil.rmtree(os.path.join(app.path, "prisma"))
    app.write("drizzle.config.ts", "export default {}")
    app.write("package.json", '{"devDependencies": {"drizzle-kit": "0.31.0"}}')
    tool(app, 'echo "kit $*"', name="drizzle-kit")
    result = run(app, "generate")
    assert result.rc == 0 and "kit generate" in result.out, result


def test_nothing_to_generate(tmp_path):
    result = aramid.run("generate", cwd=tmp_path)
    assert result.rc == 7 and "nothing to generate" in result.err, result


@pytest.mark.parametrize("script, text", [("exit 3", "exit status 3"), ("kill -9 $$", "signal 9")])
def test_a_failing_tool(app, script, text):
    tool(app, f"echo before; {script}")
    result = run(app, "generate")
    assert result.rc == 7 and "before" in result.out and text in result.err, result
    value = json.loads(run(app, "generate", "--json").out)
    assert value["error"]["code"] == "generate-failed" and value["exitStatus"] in (3, 137)


def test_deadline_ends_the_whole_tree(app, tmp_path):
    pid = tmp_path / "pid"
    tool(app, f"sleep 3600 & echo $! > {pid}; wait")
    app.write("aramid.yaml", "timeouts:\n  generate: 3s\n")
    result = run(app, "generate")
    assert result.rc == 40 and "timeouts.generate" in result.err, result
    wait.until(lambda: not os.path.exists(f"/proc/{pid.read_text().strip()}"))


def test_a_signal_ends_the_whole_tree(app, tmp_path):
    pid = tmp_path / "pid"
    tool(app, f"sleep 3600 & echo $! > {pid}; echo begun; wait")
    process = aramid.start("generate", cwd=app.path, env={"PATH": app.bin})
    wait.until(lambda: pid.exists() and pid.read_text().strip())
    process.signal(signal.SIGTERM)
    assert process.wait().rc == 143
    wait.until(lambda: not os.path.exists(f"/proc/{pid.read_text().strip()}"))


def test_output_comes_as_it_is_written(app):
    tool(app, "echo first; sleep 3600; echo last")
    process = aramid.start("generate", cwd=app.path, env={"PATH": app.bin})
    process.wait_for("first")
    process.signal(signal.SIGINT)
    assert process.wait().rc == 130


def test_the_real_prisma(app, oracle):
    from harness import cluster

    app.write("prisma/schema.prisma", 'generator client {\n  provider = "prisma-client"\n'
                                      '  output = "../generated"\n}\n' +
              open(os.path.join(app.path, "prisma/schema.prisma"), encoding="utf-8").read())
    app.write("prisma.config.ts", 'import { defineConfig, env } from "prisma/config";\n'
                                  'export default defineConfig({ schema: "prisma/schema.prisma",'
                                  ' datasource: { url: env("DATABASE_URL") } });\n')
    app.write(".env", "DATABASE_URL=postgresql://u:p@h/db\n")  # only there: Prisma 7 reads no .env
    os.symlink(cluster.NPM, os.path.join(app.path, "node_modules"))
    result = aramid.run("generate", cwd=app.path, env=oracle.environment())
    assert result.rc == 0 and "Generated Prisma Client" in result.text, result
    assert os.path.exists(os.path.join(app.path, "generated", "client.ts"))


# ---- workflow -----------------------------------------------------------------------------------

def outcomes(result):
    return {step["name"]: step["outcome"] for step in result.json["steps"]}


def test_a_whole_release(app, db):
    tool(app, "echo generated > made")
    result = run(app, "workflow", "--url", db.url())
    assert result.rc == 0 and "All steps are done" in result.out, result
    for i, name in enumerate(("validate", "status", "deploy", "generate", "verify")):
        assert f"{i + 1}/5 {name}" in result.out
    assert db.exists("a") and os.path.exists(os.path.join(app.path, "made"))
    ledger.check(db, app)
    again = run(app, "workflow", "--url", db.url(), "--json")
    assert set(outcomes(again).values()) == {"done"} and again.json["ok"], again
    assert again.json["steps"][2]["result"]["applied"] == []


def test_it_stops_at_the_first_failure_and_goes_on(app, db):
    tool(app, "exit 1")
    result = run(app, "workflow", "--url", db.url())
    assert result.rc == 7 and "Stopped at generate" in result.out, result
    assert "Done: validate, status, deploy." in result.out and "Not run: verify." in result.out
    assert "the same command again" in result.out
    tool(app, "exit 0")
    assert run(app, "workflow", "--url", db.url()).rc == 0
    app.write("prisma/schema.prisma", "model {")
    result = run(app, "workflow", "--url", db.url(), "--json")
    assert result.rc == 1 and outcomes(result)["validate"] == "failed", result
    assert outcomes(result)["deploy"] == "not-run"


def test_a_schema_without_its_migration_is_told(app, db):
    tool(app, "exit 0")
    app.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\n'
                                      'model a {\n  id Int @id\n  more Int?\n}\n')
    result = run(app, "workflow", "--url", db.url())
    assert result.rc == 17 and "Stopped at verify" in result.out, result


@pytest.mark.parametrize("what, rc", [("failed", 11), ("unmanaged", 16)])
def test_what_a_deploy_cannot_mend_stops_it_before(app, db, what, rc):
    tool(app, "exit 0")
    if what == "failed":
        assert aramid.deploy(app, db.url()).rc == 0
        db.sql("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('f', '', 'x')")
    else:
        db.sql("CREATE TABLE other (i int)")
    result = run(app, "workflow", "--url", db.url(), "--json")
    assert result.rc == rc and outcomes(result)["status"] == "failed", result
    assert outcomes(result)["deploy"] == "not-run"


def test_dry_run_changes_nothing(app, db):
    tool(app, "echo ran > made")
    result = run(app, "workflow", "--url", db.url(), "--dry-run")
    assert result.rc == 0 and "nothing was changed" in result.out, result
    assert "node_modules/.bin/prisma generate" in result.out and "CREATE TABLE" in result.out
    assert not db.exists("a") and not os.path.exists(os.path.join(app.path, "made"))
    assert outcomes(run(app, "workflow", "--url", db.url(), "--dry-run", "--json"))["verify"] == "skipped"


def test_skip(app, db):
    result = run(app, "workflow", "--url", db.url(), "--skip", "generate", "--skip", "validate", "--json")
    assert result.rc == 0, result
    assert outcomes(result) == {"validate": "skipped", "status": "done", "deploy": "done",
                                "generate": "skipped", "verify": "done"}
    assert run(app, "workflow", "--skip", "nonsense").rc == 2


def test_production_needs_consent_and_agents_a_person(app, db):
    tool(app, "exit 0")
    args = ("workflow", "--url", db.url(), "--env", "production")
    result = run(app, *args)
    assert result.rc == 4 and "Stopped at deploy" in result.out and not db.exists("a"), result
    assert run(app, *args, "--yes", CLAUDECODE="1").rc == 8
    assert run(app, *args, "--yes").rc == 0


def test_killed_in_the_middle_the_same_command_goes_on(app, db):
    tool(app, "exit 0")
    app.add("more", "CREATE TABLE b (i int);")
    args = ("workflow", "--url", db.url(), "--skip", "verify")
    assert run(app, *args, ARAMID_FAILPOINT="after-message:kill").rc == -9
    result = run(app, *args)
    assert result.rc == 0, result
    ledger.check(db, app)


# ---- with a migration to make -------------------------------------------------------------------


def test_a_name_makes_and_shows_the_migration(app, db):
    tool(app, "exit 0")
    app.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n\n'
                                      "model a {\n  id Int @id\n  bio String?\n}\n")
    dry = run(app, "workflow", "add bio", "--dry-run", DATABASE_URL=db.url())
    assert dry.rc == 0 and "2/7 create" in dry.out and "3/7 show (left out: nothing was written)" in dry.out, dry
    assert len(app.names) == 1
    result = run(app, "workflow", "add bio", DATABASE_URL=db.url())
    assert result.rc == 0 and "add_bio/migration.sql" in result.out and "add_bio/down.sql" in result.out, result
    assert len(app.names) == 2 and db.sql("SELECT bio FROM a") == []
    again = run(app, "workflow", "add bio", "--json", DATABASE_URL=db.url())
    assert again.rc == 0 and [s["name"] for s in again.json["steps"]] == ["validate", "create", "show", "status", "deploy", "generate",
                                                                          "verify"], again
    assert [s["outcome"] for s in again.json["steps"]][:3] == ["done", "done", "skipped"] and len(app.names) == 2
