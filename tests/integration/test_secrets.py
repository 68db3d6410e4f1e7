"""Values of variables that look secret: in no sink, and in no child that was not given them."""

import glob
import os

import pytest

from harness import aramid

ENV = """
NEXTAUTH_SECRET="canary-next-auth"
SUPABASE_SERVICE_ROLE_KEY=canary-service-role
STRIPE_SECRET_KEY=canary-stripe
githubToken='canary-github'
DB_PASS=canary-pass
REDIS_URL=redis://:canary-redis@cache:6379/0
SIGNING_KEY="-----BEGIN KEY-----
canaryfirstlineofthekey
canarysecondlineofthekey
-----END KEY-----"
NEXT_PUBLIC_ANON_KEY=visible-public-key
TOKEN_TTL=visible-ttl-text
"""
VALUES = ["canary-next-auth", "canary-service-role", "canary-stripe", "canary-github", "canary-pass", "canary-redis",
          "canaryfirstlineofthekey", "canarysecondlineofthekey"]


def everything(project, *results):
    texts = [r.text for r in results]
    for path in glob.glob(os.path.join(project.path, ".aramid", "runs", "*", "*")):
        with open(path, encoding="utf-8") as f:
            texts.append(f.read())
    return "\n".join(texts)


@pytest.mark.parametrize("where", [".env", ".env.local", "process"])
def test_in_no_sink(project, db, where, tmp_path):
    project.add("init", "CREATE TABLE a (i int);")
    env = {"ARAMID_TRACE": str(tmp_path / "trace")}
    if where == "process":
        env |= dict(zip(("NEXTAUTH_SECRET", "SUPABASE_SERVICE_ROLE_KEY", "A_TOKEN", "B_TOKEN", "C_PASSWORD", "D_KEY"),
                        VALUES))
    else:
        project.write(where, ENV)
    values = VALUES if where != "process" else VALUES[:6]
    assert aramid.run("deploy", "--url", db.url(), cwd=project.path, env=env).rc == 0
    for i, value in enumerate(values):
        text = value if value != "canaryfirstlineofthekey" else value + "\ncanarysecondlineofthekey"
        project.add(f"bad{i}", f"SELECT '{text}'::int, 'visible-public-key';")
        args = ("--url", db.url())
        results = [aramid.run("plan", *args, cwd=project.path, env=env),
                   aramid.run("plan", "--json", *args, cwd=project.path, env=env),
                   aramid.run("deploy", *args, cwd=project.path, env=env),
                   aramid.run("deploy", "--tx", "none", "--verbose", "--json", *args, cwd=project.path, env=env),
                   aramid.run("status", "--verbose", *args, cwd=project.path, env=env)]
        assert [r.rc for r in results] == [0, 0, 22, 22, 10], results
        texts = everything(project, *results) + str(db.sql("SELECT logs FROM _prisma_migrations"))
        with open(tmp_path / "trace", encoding="utf-8") as f:
            texts += f.read()
        assert value not in texts, (value, [r for r in results if value in r.text])
        assert "visible-public-key" in texts
        os.unlink(project.file(project.names[-1]))
        os.rmdir(os.path.dirname(project.file(f"{20240101000000 + project._count}_bad{i}")))


COMMAND = """
backup:
  command: |
    env > '{out}'
    {more}
    echo id-of-it
"""


@pytest.mark.parametrize("more, setting, given", [
    ("", "", []),
    (': "$NEON_API_KEY"', "", ["NEON_API_KEY"]),
    ("", "\n  command_env: [STRIPE_SECRET_KEY]", ["STRIPE_SECRET_KEY"]),
])
def test_kept_from_the_backup_command(project, db, tmp_path, more, setting, given):
    project.add("init", "CREATE TABLE a (i int);")
    out = tmp_path / "environment"
    project.write("aramid.yaml", COMMAND.format(out=out, more=more) + setting.lstrip("\n") + "\n")
    env = {"NEON_API_KEY": "canary-neon", "STRIPE_SECRET_KEY": "canary-stripe", "HARMLESS": "seen",
           "SUPABASE_SERVICE_ROLE_KEY": "canary-role"}
    result = aramid.run("backup", "--url", db.url(), cwd=project.path, env=env)
    assert result.rc == 0, result
    text = out.read_text()
    for name, value in env.items():
        assert (value in text) == (name in given or name == "HARMLESS"), (name, text)


def test_a_command_that_fails_for_want_of_one_is_explained(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.write("aramid.yaml", "backup:\n  command: exit 3\n")
    result = aramid.run("backup", "--url", db.url(), cwd=project.path, env={"AWS_SESSION_TOKEN": "canary-token"})
    assert result.rc == 50 and "AWS_SESSION_TOKEN" in result.err and "backup.command_env" in result.err, result
    assert "canary-token" not in result.text
