"""Commands that errors tell to type: pasted as they stand they must lead to the same project, environment and database."""

import functools
import os
import re

import pytest

from harness import aramid

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
USER = "model User {\n  id Int @id\n  name String\n}\n"
USER_SQL = 'CREATE TABLE "User" (id int CONSTRAINT "User_pkey" PRIMARY KEY, name text NOT NULL);'


@functools.cache
def commands():
    """Of each command, Prisma's spellings included, the options of a call that it takes."""
    takes = {}
    for command in aramid.run("help", "--json").json["commands"]:
        text = aramid.run(*command["name"].split(), "--help").out
        takes[command["name"]] = {o for o in ("--directory", "--env", "--url", "--schema", "--config") if o in text}
    return takes


def told(text):
    """The commands in a text, each with what stands behind it in its line or quotes; what failed is said in prose, above the hint."""
    text = re.sub(r"^(error: .*(\n {9}.*)*|usage: .*)", "", text, flags=re.M | re.I)
    names = sorted(commands(), key=len, reverse=True)
    pattern = r"(?<![\w./-])aramid (" + "|".join(map(re.escape, names)) + r")(?![\w-])([^`\n]*)"
    return [(m[1], m[2]) for m in re.finditer(pattern, text)]


def is_named(option, value, rest):
    letter = "-C" if option == "--directory" else option
    said_otherwise = option == "--env" and "--env " in rest or f"{option} PATH" in rest
    return f"{letter} {value}" in rest or f"{option} {value}" in rest or said_otherwise


def lacks(text, options):
    """What commands in a text lack of the options of the call."""
    return [(command, option, rest) for command, rest in told(text) for option, value in options.items()
            if option in commands()[command] and not is_named(option, value, rest)]


def models(text):
    return lambda project, db: project.write("prisma/schema.prisma", HEAD + text)


def add(name, sql):
    return lambda project, db: project.add(name, sql)


def run(*args):
    def call(project, db):
        aramid.run(*args, "--url", db.url(), cwd=project.path)
    return call


def write(path, text):
    return lambda project, db: project.write(path, text)


def sql(text):
    return lambda project, db: db.sql(text)


def drop(path):
    return lambda project, db: os.unlink(os.path.join(project.path, path))


FIRST = (add("init", USER_SQL), models(USER))
FAILS = add("bad", "CREATE TABLE b (id int); SELECT 1/0;")
ALONE = add("alone", "CREATE TABLE c (id int); CREATE INDEX CONCURRENTLY ON c (id); SELECT 1/0;")
PRISMAS_FAILURE = sql("INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('x', 'y', '20300101000000_bad', now())")
DEPLOYED = (*FIRST, run("deploy"))

# What is there, the call, and whether the error must name a command.
SITUATIONS = {
    "pending": (FIRST, "status", True),
    "pending, Prisma": (FIRST, "migrate status", True),
    "planned": (FIRST, "plan", True),
    "failure": ((FAILS,), "deploy", False),
    "failure, Prisma": ((FAILS,), "migrate deploy", False),
    "failure outside of a transaction": ((ALONE,), "deploy", True),
    "failure outside of a transaction, Prisma": ((ALONE,), "migrate deploy", True),
    "status after it": ((ALONE, run("deploy")), "status", True),
    "status after it, Prisma": ((ALONE, run("deploy")), "migrate status", True),
    "out of order": ((add("20300101000000_new", "SELECT 1;"), run("deploy"), add("20200101000000_old", "SELECT 1;")), "deploy", False),
    "looks renamed, beside a script": ((*FIRST, models(USER.replace("name", "full"))),
                                       "diff --from-migrations prisma/migrations --to-schema prisma/schema.prisma --script", False),
    "failed row": ((*DEPLOYED, PRISMAS_FAILURE, add("20300101000000_bad", "SELECT 1;")), "deploy", True),
    "failed row, Prisma": ((*DEPLOYED, PRISMAS_FAILURE, add("20300101000000_bad", "SELECT 1;")), "migrate deploy", True),
    "not empty": ((*FIRST, sql("CREATE TABLE other (id int)")), "deploy", True),
    "not empty, Prisma": ((*FIRST, sql("CREATE TABLE other (id int)")), "migrate deploy", True),
    "edited": ((*DEPLOYED, write("prisma/migrations/20240101000001_init/migration.sql", USER_SQL + " ")), "status", True),
    "edited, in a pipeline": ((*DEPLOYED, write("prisma/migrations/20240101000001_init/migration.sql", USER_SQL + " "),
                               add("more", "SELECT 1;"), write("aramid.yaml", "edited: error\n")), "deploy", False),
    "missing": ((*DEPLOYED, drop("prisma/migrations/20240101000001_init/migration.sql")), "status", True),
    "drop": ((*DEPLOYED, add("drop", 'DROP TABLE "User";')), "deploy", False),
    "unknown name": (DEPLOYED, "resolve --applied 2_nothing", False),
    "not failed": (DEPLOYED, "resolve --rolled-back 20240101000001_init", False),
    "not failed, Prisma": (DEPLOYED, "migrate resolve --rolled-back 20240101000001_init", False),
    "applied already": (DEPLOYED, "resolve --applied 20240101000001_init", False),
    "nothing said": (DEPLOYED, "resolve", False),
    "nothing to roll back": (FIRST, "rollback --yes", False),
    "no way back": ((add("data", USER_SQL + " INSERT INTO \"User\" VALUES (1, 'a');"), run("deploy")), "rollback --yes", False),
    "history": (DEPLOYED, "push", True),
    "history, Prisma": (DEPLOYED, "db push", True),
    "losses": ((models(USER), run("push"), sql("INSERT INTO \"User\" VALUES (1, 'a')"),
                models(USER.replace("  name String\n", ""))), "push", True),
    "rename": ((*FIRST, models(USER.replace("name", "full"))), "create full", True),
    "rename, Prisma": ((*FIRST, models(USER.replace("name", "full"))), "migrate dev --name full", False),
    "nothing to create": (FIRST, "create more", False),
    "broken schema": ((models("model X {\n  id Nothing\n}\n"),), "create more", False),
    "broken schema, valid?": ((models("model X {\n  id Nothing\n}\n"),), "validate", False),
    "broken schema, pull": ((models("model X {\n  id Nothing\n}\n"),), "pull", False),
    "reset without a word": (DEPLOYED, "reset", False),
    "reset without a word, Prisma": (DEPLOYED, "migrate reset", False),
    "no backups": (DEPLOYED, "restore", True),
    "unknown backup": (DEPLOYED, "restore nothing", False),
    "list of none": (DEPLOYED, "backup list", False),
    "verify none": (DEPLOYED, "backup verify", False),
    "drift": ((*DEPLOYED, sql('ALTER TABLE "User" ADD more int')), "drift", False),
    "drift, dev": ((*DEPLOYED, sql('ALTER TABLE "User" DROP name')), "dev", False),
    "check": ((*FIRST, models(USER.replace("name", "full"))), "check", False),
    "no run": (FIRST, "unlock", False),
    "sync": ((*DEPLOYED, sql("UPDATE _prisma_migrations SET checksum = 'x'")), "sync", False),
    "fix": ((*DEPLOYED, sql("UPDATE _prisma_migrations SET checksum = 'x'")), "fix", False),
    "identity": (DEPLOYED, "identity", False),
    "identity forgotten": (DEPLOYED, "identity forget", False),
    "another database": ((*DEPLOYED, run("identity", "set", "production", "--yes")), "deploy", False),
    "doctor": (FIRST, "doctor", False),
    "no seed": (DEPLOYED, "seed", False),
    "no script": (DEPLOYED, "execute nothing.sql", False),
    "failing script": ((*DEPLOYED, write("s.sql", "SELECT 1/0;")), "execute s.sql", False),
    "losing script": ((*DEPLOYED, sql("INSERT INTO \"User\" VALUES (1, 'a')"), write("s.sql", 'DROP TABLE "User";')), "execute s.sql", True),
    "no clients": (FIRST, "generate", False),
    "shown": (FIRST, "show 20240101000001_init", False),
    "state": (FIRST, "state", False),
    "clean": (DEPLOYED, "clean", False),
    "adopted": (FIRST, "adopt", False),
    "lint": ((*DEPLOYED, add("drop", 'DROP TABLE "User";')), "lint", False),
    "squash": (DEPLOYED, "squash", False),
    "workflow": ((*FIRST, models(USER.replace("name", "full"))), "workflow", False),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_commands_carry_the_options_of_the_call(project, db, name):
    prepare, call, has_command = SITUATIONS[name]
    for step in prepare:
        step(project, db)
    parent, folder = os.path.split(project.path)
    options = {"--directory": folder, "--env": "staging", "--url": db.url(), "--schema": "prisma/schema.prisma"}
    typed = ["-C", folder, "--env", "staging"]
    takes = commands()[call if call in commands() else call.split()[0] if call.split()[0] in commands() else " ".join(call.split()[:2])]
    for option in ("--url", "--schema"):
        if option in takes:
            typed += [option, options[option]]
        else:
            del options[option]
    result = aramid.run(*call.split(), *typed, cwd=parent)
    assert not lacks(result.text, options), result
    if call.startswith("migrate ") and " --help" not in result.text:
        for command, _ in told(result.text):
            assert command.startswith("migrate ") or f"migrate {command}" not in commands(), result
    if has_command:
        assert told(result.text), result
    if call in ("status", "plan", "check", "drift", "doctor", "lint", "migrate status"):
        fixes = "\n".join(re.findall(r'"fix": ".*', aramid.run(*call.split(), *typed, "--json", cwd=parent).out))
        assert not lacks(fixes, options), fixes
