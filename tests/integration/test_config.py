"""Where values come from, what wins, and that secrets stay hidden."""

import json
import os
import re
import shutil
import tempfile

import pytest

from harness import aramid, wait
from harness.project import Project


def shown(project, *args, **env):
    result = aramid.run("config", "show", *args, cwd=project.path, env=env)
    assert result.rc == 0, result
    return result.text


def url_of(text):
    return re.search(r"postgresql://\S*/(\w+)", text)[1]


@pytest.fixture
def layered(project):
    """A URL in every place; the name of its database tells which one won."""
    project.add("init", "SELECT 1;")
    project.write("aramid.yaml", "url: postgresql://u@h/from_yaml\n")
    project.write(".env", "DATABASE_URL=postgresql://u@h/from_env\n")
    project.write(".env.staging", "DATABASE_URL=postgresql://u@h/from_env_staging\n")
    project.write(".env.local", "DATABASE_URL=postgresql://u@h/from_env_local\n")
    project.write(".env.staging.local", "DATABASE_URL=postgresql://u@h/from_env_staging_local\n")
    return project


def test_precedence(layered):
    url = "postgresql://u@h/"
    assert url_of(shown(layered, "--env", "staging", "--url", url + "from_flag",
                        DATABASE_URL=url + "from_process")) == "from_flag"
    assert url_of(shown(layered, "--env", "staging", DATABASE_URL=url + "from_process")) == "from_process"
    for file, name in ((".env.staging.local", "from_env_staging_local"), (".env.local", "from_env_local"),
                       (".env.staging", "from_env_staging"), (".env", "from_env"),
                       ("aramid.yaml", "from_yaml")):
        text = shown(layered, "--env", "staging")
        assert url_of(text) == name and file in text
        os.unlink(os.path.join(layered.path, file))


def test_environment_of_the_process(layered):
    assert url_of(shown(layered, ARAMID_ENV="staging")) == "from_env_staging_local"
    assert url_of(shown(layered, NODE_ENV="staging")) == "from_env_staging_local"
    assert url_of(shown(layered, ARAMID_ENV="staging", NODE_ENV="production")) == "from_env_staging_local"


@pytest.mark.parametrize("line, value", [
    ("DATABASE_URL=postgresql://u@h/plain", "plain"),
    ("export DATABASE_URL='postgresql://u@h/single'", "single"),
    ('DATABASE_URL="postgresql://u@h/double"  # comment', "double"),
    ("  DATABASE_URL = postgresql://u@h/spaces  # comment", "spaces"),
    ("NAME=inner\nDATABASE_URL=\"postgresql://u@h/${NAME}\"", "inner"),
    ("DATABASE_URL=`postgresql://u@h/backtick`", "backtick"),
    ("\ufeffDATABASE_URL=postgresql://u@h/bom\r\n", "bom"),
])
def test_dotenv_syntax(project, line, value):
    project.write(".env", line + "\n")
    assert url_of(shown(project)) == value


def test_dotenv_runs_nothing(project, tmp_path):
    project.write(".env", f'DATABASE_URL="postgresql://u@h/$(touch {tmp_path}/ran)"\nA=`touch {tmp_path}/ran`\n')
    aramid.run("config", "show", cwd=project.path)
    assert not (tmp_path / "ran").exists()


def test_env_migration_takes_only_its_own_keys(project):
    project.write(".env.migration", "MIGRATION_TIMEOUT=12345\nMIGRATION_MAX_RETRIES=7\n"
                  "DATABASE_URL=postgresql://u@h/never\n")
    text = shown(project)
    assert "/never" not in text and ".env.migration" in text
    assert re.search(r"12345|12\.345", text)


def test_environments_of_aramid_yaml(project):
    project.write("aramid.yaml", "url: postgresql://u@h/general\nlocks:\n  timeout: 50ms\n"
                  "environments:\n  live:\n    profile: production\n    url: postgresql://u@h/live\n")
    assert url_of(shown(project)) == "general"
    text = shown(project, "--env", "live")
    assert url_of(text) == "live" and "production" in text


@pytest.mark.parametrize("config", [
    'export default defineConfig({ datasource: { url: env("SHOP_URL") } });',
    "export default { datasource: { url: process.env.SHOP_URL } } satisfies PrismaConfig;",
    'module.exports = { /* a comment */ "datasource": { url: process.env["SHOP_URL"]! }, };',
])
def test_prisma_config(project, config):
    project.write("prisma.config.ts", "import 'dotenv/config';\nimport { defineConfig, env } from \"prisma/config\";\n"
                  + config)
    assert url_of(shown(project, SHOP_URL="postgresql://u@h/shop")) == "shop"


def test_prisma_config_names_the_migrations(project):
    project.write("prisma.config.ts", 'export default { schema: "a/b.prisma", migrations: { path: "a/steps" } };')
    project.write("a/b.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
    assert "a/steps" in shown(project)


def test_datasource_of_schema_and_direct_url(project):
    project.write("prisma/schema.prisma", 'datasource db {\n  provider  = "postgresql"\n'
                  '  url       = env("POOLED_URL")\n  directUrl = env("STRAIGHT_URL")\n}\n')
    text = shown(project, POOLED_URL="postgresql://u@h/pooled", STRAIGHT_URL="postgresql://u@h/straight")
    assert "/straight" in text and "schema.prisma" in text


def test_secrets_are_masked(project):
    text = shown(project, "--url", "postgresql://user:canary-1@h/db?password=canary-2")
    assert "canary" not in text and "user@h" in text
    # What cannot be parsed is not shown at all.
    assert "canary" not in shown(project, "--url", "postgresql://user:canary-3@h/db?sslpassword=canary-4")
    project.write("aramid.yaml", "url: postgresql://user:canary-4@h/db\n")
    assert "canary" not in shown(project) and "canary" not in shown(project, "--json")


def test_json_names_origins(project):
    project.write(".env.local", "DATABASE_URL=postgresql://u@h/x\n")
    result = aramid.run("config", "show", "--json", cwd=project.path)
    assert result.rc == 0 and ".env.local:1" in str(result.json), result


def test_password_is_not_in_the_process_list(project, db):
    """argv is overwritten and libpq gets keywords."""
    project.add("slow", wait.HELD)
    with wait.held(db) as reached:
        ours = aramid.start("deploy", "--url", db.url(password="canary-5"), cwd=project.path)
        reached()
        with open(f"/proc/{ours.pid}/cmdline", encoding="utf-8") as f:
            assert "canary-5" not in f.read()
    assert ours.wait().rc == 0


@pytest.fixture
def reachable(tmp_path_factory):
    """A project that has no URL, with folders that the embedded server's user can reach."""
    path = tempfile.mkdtemp(prefix="aramid-config-")
    os.chmod(path, 0o755)
    project = Project(path, {"init": "CREATE TABLE a (i int);"})
    yield project
    aramid.run("db", "stop", cwd=path)
    shutil.rmtree(path, ignore_errors=True)


def left_behind(project):
    return [name for name in os.listdir(project.path) if name.startswith(".aramid")]


@pytest.mark.parametrize("env, args, words", [
    ({"DATABASE_URL": ""}, (), ["DATABASE_URL", "environment variable", "env -u DATABASE_URL"]),
    ({"DATABASE_URL": " \n"}, (), ["DATABASE_URL", "empty"]),
    ({"DIRECT_URL": ""}, (), ["DIRECT_URL", "empty"]),
    ({"STAGING_DATABASE_URL": ""}, ("--env", "staging"), ["STAGING_DATABASE_URL", "empty"]),
    ({}, ("--url", ""), ["--url", "empty"]),
    ({}, ("--env", "staging"), ["staging", "DATABASE_URL"]),
    ({}, ("--env", "production", "--yes"), ["production", "DATABASE_URL"]),
    ({"CI": "true"}, (), ["pipeline", "--env ci"]),
])
@pytest.mark.parametrize("command", ["deploy", "plan", "status"])
def test_a_missing_secret_is_no_success(reachable, command, env, args, words):
    """A deploy to the private database must not look like one to production."""
    if command != "deploy":
        args = tuple(a for a in args if a != "--yes")
    result = aramid.run(command, *args, cwd=reachable.path, env=env)
    assert result.rc in (2, 3), result
    for word in words:
        assert word in result.err, result
    assert not left_behind(reachable)


def test_empty_variable_does_not_lead_to_a_weaker_url(project):
    project.write(".env", "\nDATABASE_URL=postgresql://u@127.0.0.1:1/db\n")
    result = aramid.run("status", cwd=project.path, env={"DATABASE_URL": ""})
    assert result.rc == 3 and "environment variable DATABASE_URL" in result.err, result
    project.write(".env.local", "\nDATABASE_URL=\n")
    result = aramid.run("status", cwd=project.path)
    assert result.rc == 3 and ".env.local:2" in result.err, result


@pytest.mark.parametrize("config, words", [
    ("url: buildUrl()", ["prisma.config.ts:2", "buildUrl()"]),
    ("url: `postgresql://${process.env.DB_USER}@h/${process.env.DB_NAME}`", ["DB_NAME", "not set"]),
])
@pytest.mark.parametrize("command", ["deploy", "status", "plan", "drift"])
def test_a_computed_url_is_no_other_database(reachable, db, command, config, words):
    """Neither the embedded PostgreSQL nor libpq's variables stand for what cannot be read."""
    reachable.write("prisma.config.ts", "export default defineConfig({ datasource: {\n" + config + " } })\n")
    env = {"PGHOST": db.server.socket_dir, "PGPORT": str(db.server.port), "PGUSER": "postgres", "DB_USER": "u"}
    result = aramid.run(command, cwd=reachable.path, env=env)
    assert result.rc == 3 and "DATABASE_URL" in result.err, result
    for word in words:
        assert word in result.err, result
    assert not left_behind(reachable)


def test_a_template_is_read(project, db):
    url = re.match(r"postgresql://([^@/]*)@([^/]*)/(\w+)", db.url())
    project.add("init", "CREATE TABLE a (id int);")
    project.write("prisma.config.ts", "import 'dotenv/config'\nexport default defineConfig({ datasource: {\n"
                  "url: `postgresql://${process.env.WHO}@" + url[2] + "/${process.env.NAME}` } })\n")
    project.write(".env", f"WHO={url[1]}\nNAME={url[3]}\n")
    result = aramid.run("deploy", cwd=project.path)
    assert result.rc == 0 and db.exists("a"), result
    assert "prisma.config.ts:3, with WHO, NAME" in shown(project)


def test_the_projects_own_variable_is_meant(project, db):
    """A general DATABASE_URL may be another tool's; where it leads elsewhere, a deploy asks."""
    project.add("init", "CREATE TABLE a (id int);")
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n  url = env("SHOP_URL")\n}\n')
    project.write(".env", f"SHOP_URL={db.url()}\nDATABASE_URL=postgresql://u@127.0.0.1:1/other\n")
    result = aramid.run("status", cwd=project.path)
    assert result.rc == 10 and "1 pending" in result.out, result
    assert "names another database" in result.err and "SHOP_URL" in result.err, result
    result = aramid.run("deploy", cwd=project.path)
    assert result.rc == 3 and "two sources name different databases" in result.err, result
    for word in ("SHOP_URL", "DATABASE_URL", ".env:1", ".env:2", "/other", "aramid.yaml", "nothing was changed"):
        assert word in result.err, result
    project.write("aramid.yaml", "url: ${SHOP_URL}\n")
    result = aramid.run("deploy", cwd=project.path)
    assert result.rc == 0 and db.exists("a"), result
    assert "another database" not in aramid.run("status", cwd=project.path).err


def test_a_url_and_a_file_of_one(project, db):
    """DATABASE_URL beside a DATABASE_URL_FILE that leads elsewhere: which one is meant?"""
    project.add("init", "CREATE TABLE a (id int);")
    project.write("secret", "postgresql://u@127.0.0.1:1/other\n")
    env = {"DATABASE_URL": db.url(), "DATABASE_URL_FILE": "secret"}
    result = aramid.run("deploy", cwd=project.path, env=env)
    assert result.rc == 3 and "two sources name different databases" in result.err and "DATABASE_URL_FILE" in result.err, result
    assert not db.exists("a")
    project.write("secret", db.url() + "\n")
    assert aramid.run("deploy", cwd=project.path, env=env).rc == 0 and db.exists("a")


SCHEMA_OF_SHOP = 'datasource db {\n  provider = "postgresql"\n  url = env("SHOP_URL")\n}\n'
PRISMA_CONFIG = """import { defineConfig, env } from "prisma/config";
export default defineConfig({ schema: "prisma/schema.prisma", datasource: { url: %s } });
"""


@pytest.mark.parametrize("path, text", [
    ("prisma/schema.prisma", SCHEMA_OF_SHOP),
    ("prisma.config.ts", PRISMA_CONFIG % "process.env.SHOP_URL"),
    ("prisma.config.ts", PRISMA_CONFIG % 'process.env.URL_OF_SHOP ?? env("SHOP_URL")'),
    ("aramid.yaml", "url: ${SHOP_URL}\n"),
    ("aramid.yaml", "environments:\n  staging:\n    url: ${SHOP_URL}\n"),
])
def test_a_file_of_the_projects_own_variable(project, db, path, text):
    """Docker's secrets, whichever variable it is; one that is set as well and leads elsewhere is not passed over."""
    project.add("init", "CREATE TABLE a (id int);")
    project.write(path, text)
    project.write("secret", db.url() + "\n")
    env = {"SHOP_URL_FILE": "secret"} | ({"ARAMID_ENV": "staging"} if "staging" in text else {})
    assert db.name in aramid.run("status", cwd=project.path, env=env).out
    result = aramid.run("status", cwd=project.path, env=env | {"SHOP_URL_FILE": "none"})
    assert result.rc == 5 and "SHOP_URL_FILE points there" in result.err, result
    if "yaml" not in path:
        result = aramid.run("deploy", cwd=project.path, env=env | {"SHOP_URL": "postgresql://u@127.0.0.1:1/other"})
        assert result.rc == 3 and "SHOP_URL_FILE" in result.err and not db.exists("a"), result
    project.write(".env", "SHOP_URL=postgresql://u@127.0.0.1:1/weaker\n")
    assert db.name in aramid.run("status", cwd=project.path, env=env).out


def test_a_file_of_a_part(project, server, db):
    project.add("init", "CREATE TABLE a (id int);")
    project.write("prisma.config.ts", PRISMA_CONFIG % f"`postgresql://postgres:${{process.env.DB_PASSWORD}}@127.0.0.1:{server.port}/{db.name}`")
    project.write("secret", "x\n")
    result = aramid.run("status", cwd=project.path, env={"DB_PASSWORD_FILE": "secret"})
    assert result.rc == 10 and db.name in result.out, result


def test_prismas_two_files_name_different_databases(project, db):
    project.add("init", "CREATE TABLE a (id int);")
    project.write("prisma/schema.prisma", SCHEMA_OF_SHOP)
    project.write("prisma.config.ts", PRISMA_CONFIG % 'env("APP_URL")')
    env = {"APP_URL": db.url(), "SHOP_URL": "postgresql://u@127.0.0.1:1/other"}
    result = aramid.run("deploy", cwd=project.path, env=env)
    assert result.rc == 3 and "two sources name different databases" in result.err and not db.exists("a"), result
    for word in ("APP_URL", "SHOP_URL", "prisma/schema.prisma"):
        assert word in result.err, result
    project.write("prisma.config.ts", PRISMA_CONFIG % 'env("DATABASE_URL")')
    result = aramid.run("deploy", cwd=project.path, env=env | {"DATABASE_URL": db.url()})
    assert result.rc == 3 and not db.exists("a"), result
    # The pooler's URL in the schema, and the direct one in both.
    project.write("prisma.config.ts", PRISMA_CONFIG % 'env("APP_URL")')
    project.write("prisma/schema.prisma", SCHEMA_OF_SHOP.replace("  url", '  directUrl = env("APP_URL")\n  url'))
    assert aramid.run("plan", cwd=project.path, env=env).rc == 0
    project.write("prisma/schema.prisma", SCHEMA_OF_SHOP)
    for env in ({"APP_URL": db.url()}, {"APP_URL": db.url(), "SHOP_URL": db.url()}):
        assert aramid.run("deploy", cwd=project.path, env=env).rc == 0 and db.exists("a")


@pytest.mark.parametrize("args", [
    ["deploy", "--env", "production"], ["diff", "--from-empty", "--to-schema-datasource", "prisma/schema.prisma"],
])
def test_a_hint_names_the_projects_own_variable(project, args):
    project.add("init", "CREATE TABLE a (id int);")
    project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n  url = env("SHOP_URL")\n}\n')
    result = aramid.run(*args, cwd=project.path)
    assert "set SHOP_URL, or give" in result.err and "set DATABASE_URL" not in result.err, result


def test_a_fall_back_is_no_statement_about_production(project, db):
    """DATABASE_URL and DEV_DATABASE_URL alike do not turn development into production."""
    project.add("init", "CREATE TABLE a (id int);")
    project.write(".env", f"DATABASE_URL={db.url()}\nDEV_DATABASE_URL={db.url()}\n")
    result = aramid.run("deploy", "--env", "development", cwd=project.path)
    assert result.rc == 0 and "production" not in result.text, result
    # Said for production by name it is one.
    project.write(".env", f"PROD_DATABASE_URL={db.url()}\nDEV_DATABASE_URL={db.url()}\n")
    project.add("more", "CREATE TABLE b (id int);")
    result = aramid.run("deploy", "--env", "development", cwd=project.path)
    assert result.rc == 4 and "production" in result.err, result


def test_the_embedded_servers_url_starts_it(reachable):
    """An application needs it in .env; there it means the same server."""
    assert aramid.run("deploy", cwd=reachable.path).rc == 0
    url = aramid.run("db", "url", cwd=reachable.path).out.strip()
    reachable.write(".env", f"DATABASE_URL={url}\n")
    assert aramid.run("db", "stop", cwd=reachable.path).rc == 0
    result = aramid.run("status", cwd=reachable.path)
    assert result.rc == 0 and "up to date" in result.text, result


def test_no_database_is_no_empty_one(reachable):
    result = aramid.run("diff", "--from-config-datasource", "--to-migrations", "prisma/migrations",
                        cwd=reachable.path)
    assert result.rc != 0 and "DATABASE_URL" in result.err, result
    assert not left_behind(reachable)


def test_embedded_on_purpose(reachable):
    assert aramid.run("deploy", "--env", "ci", cwd=reachable.path, env={"CI": "true"}).rc == 0
    url = aramid.run("db", "url", cwd=reachable.path, env={"CI": "true"}).out.strip()
    result = aramid.run("status", "--url", url, cwd=reachable.path, env={"CI": "true"})
    assert result.rc == 0, result


def test_reading_commands_make_nothing(reachable):
    result = aramid.run("status", cwd=reachable.path)
    assert result.rc == 10 and "not made yet" in result.out and "1 pending" in result.out, result
    result = aramid.run("status", "--json", cwd=reachable.path)
    assert result.json["state"] == "pending" and result.json["server"] is None, result
    assert result.json["target"]["embedded"] and result.json["target"]["url"] is None
    result = aramid.run("plan", cwd=reachable.path)
    assert result.rc == 0 and "CREATE TABLE a" in result.out and "not made yet" in result.out, result
    result = aramid.run("plan", "--json", cwd=reachable.path)
    assert result.json["serverVersion"] is None and len(result.json["migrations"]) == 1, result
    assert aramid.run("unlock", cwd=reachable.path).rc == 0
    assert not left_behind(reachable)
    # A stopped one is there, and is started to be looked at.
    assert aramid.run("deploy", cwd=reachable.path).rc == 0
    assert aramid.run("db", "stop", cwd=reachable.path).rc == 0
    assert aramid.run("status", cwd=reachable.path).rc == 0


def test_hints_repeat_the_options_of_the_call(project, db):
    """They are pasted as they stand: without --url or --env they would mean another database."""
    project.add("init", "CREATE TABLE a (id int);")
    url = db.url()
    result = aramid.run("status", "--url", url, "--env", "staging", cwd=project.path)
    assert f"To apply: aramid deploy --url {url} --env staging" in result.out, result
    assert "aramid plan --url" in result.out
    result = aramid.run("deploy", "--env", "production", "--url", url, "--no-backup", cwd=project.path)
    assert f"--env production --url {url}" in result.err and "aramid deploy --no-backup --reason" in result.err, result
    # Prisma's words stay Prisma's.
    result = aramid.run("migrate", "deploy", cwd=project.path, env={"NODE_ENV": "production", "DATABASE_URL": url})
    assert result.rc == 1 and "aramid migrate deploy --yes" in result.err, result
    # -C is said as it was typed, also in JSON; the password never is.
    parent, name = os.path.split(project.path)
    secret = url.replace("postgres@", "postgres:canary-pw@")
    result = aramid.run("deploy", "-C", name, "--url", secret, "--env", "production", "--json", cwd=parent)
    hint = json.loads(result.out)["error"]["hint"]
    assert f" -C {name} --url" in str(hint) and "canary" not in result.text, result
