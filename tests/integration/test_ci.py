"""The code that runs now against what the migrations make, records of reviews, and `aramid ci`."""

import json
import os
import subprocess

import pytest

from harness import aramid

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
SCHEMA = HEAD + """
enum Role {
  USER
  ADMIN
}
model User {
  id    Int     @id @default(autoincrement())
  email String
  name  String?
  bio   String?
  role  Role    @default(USER)
  at    DateTime @default(now())
  posts Post[]
}
model Post {
  id     Int    @id @default(autoincrement())
  title  String @db.VarChar(20)
  userId Int
  tag    Int?
  user   User   @relation(fields: [userId], references: [id])
}
"""


@pytest.fixture
def app(project):
    """A project whose migrations make what its schema says."""
    project.write("prisma/schema.prisma", SCHEMA)
    made = aramid.run("create", "init", cwd=project.path)
    assert made.rc == 0, made
    return project


def part(result, name):
    return next(p for p in result.json["parts"] if p["part"] == name)


def told(result, name="old-code"):
    return sorted((f["id"].removeprefix("old-code-"), f["severity"]) for f in part(result, name)["findings"])


@pytest.mark.parametrize("sql, found", [
    ('CREATE TABLE "New" (id int); ALTER TABLE "User" ADD COLUMN extra text, ADD COLUMN more int NOT NULL DEFAULT 1;', []),
    ('ALTER TABLE "Post" ALTER COLUMN title TYPE varchar(40); CREATE INDEX x ON "Post" (tag);', []),
    ('CREATE UNIQUE INDEX x ON "Post" (tag) WHERE tag > 3; CREATE VIEW v AS SELECT 1;', []),
    ('DROP TABLE "Post";', [("table-gone", "error")]),
    ('ALTER TABLE "Post" RENAME TO "Article"; CREATE VIEW "Post" AS SELECT * FROM "Article";', []),
    ('ALTER TABLE "User" DROP COLUMN bio;', [("column-gone", "error")]),
    ('ALTER TABLE "User" RENAME COLUMN bio TO about;', [("column-gone", "error")]),
    ('ALTER TABLE "User" ALTER COLUMN bio TYPE int USING 1;', [("type-changed", "error")]),
    ('ALTER TABLE "Post" ALTER COLUMN title TYPE varchar(5);', [("type-changed", "error")]),
    ('ALTER TABLE "Post" ALTER COLUMN tag SET NOT NULL;', [("not-null", "error")]),
    ('ALTER TABLE "Post" ADD COLUMN must int NOT NULL;', [("not-null", "error")]),
    ('ALTER TABLE "User" ALTER COLUMN at DROP DEFAULT;', [("default-gone", "error")]),
    ('ALTER TABLE "User" ALTER COLUMN email DROP NOT NULL;', [("null", "warning")]),
    ("""ALTER TYPE "Role" ADD VALUE 'GUEST';""", [("enum-unknown", "notice")]),
    ("""ALTER TYPE "Role" RENAME VALUE 'ADMIN' TO 'BOSS';""", [("enum-gone", "error"), ("enum-unknown", "notice")]),
    ('CREATE UNIQUE INDEX x ON "User" (email);', [("unique", "warning")]),
    ('ALTER TABLE "User" ADD CONSTRAINT x UNIQUE (email);', [("unique", "warning")]),
    ('ALTER TABLE "Post" ADD CONSTRAINT x FOREIGN KEY (tag) REFERENCES "User";', [("foreign-key", "warning")]),
])
def test_code_that_runs_now(app, sql, found):
    app.write("old.prisma", SCHEMA)
    app.add("99991231235959_next", sql)
    result = aramid.run("check", "--deployed", "old.prisma", "--json", cwd=app.path)
    assert told(result) == found, result
    is_error = any(severity == "error" for _, severity in found)
    assert part(result, "old-code")["outcome"] == ("failed" if is_error else "ok")


def test_the_same_schema_is_fine(app):
    text = aramid.run("check", "--deployed", "prisma/schema.prisma", cwd=app.path)
    assert text.rc == 0 and "can go on" in text.out and "old-code" not in aramid.run("check", cwd=app.path).out, text


def test_settings_decide(app):
    app.write("old.prisma", SCHEMA)
    app.add("99991231235959_next", 'ALTER TABLE "User" DROP COLUMN bio;')
    app.write("aramid.yaml", "findings:\n  old-code-column-gone: warning\n")
    result = aramid.run("check", "--deployed", "old.prisma", "--json", cwd=app.path)
    assert part(result, "old-code")["outcome"] == "ok" and told(result) == [("column-gone", "warning")], result


def git(app, *args):
    subprocess.run(["git", "-c", "user.name=Ann", "-c", "user.email=a@b", *args], cwd=app.path, check=True, capture_output=True)


@pytest.fixture
def branched(app):
    git(app, "init", "-q", "-b", "main")
    git(app, "config", "user.name", "Ann")
    git(app, "add", "-A")
    git(app, "commit", "-qm", "x")
    return app


def test_what_git_knows(branched):
    branched.add("99991231235959_next", 'ALTER TABLE "User" DROP COLUMN bio;')
    result = aramid.run("check", "--deployed", "main", "--json", cwd=branched.path)
    assert told(result) == [("column-gone", "error")] and "main:prisma/schema.prisma" in part(result, "old-code")["text"] \
        + json.dumps(part(result, "old-code")), result
    for what in ("nowhere", "--output=x"):
        result = aramid.run("check", f"--deployed={what}", "--json", cwd=branched.path)
        assert part(result, "old-code")["exitStatus"] == 2 and not os.path.exists(os.path.join(branched.path, "x")), result


# ---- reviews ------------------------------------------------------------------------------------------------

REQUIRED = "environments:\n  production:\n    review: required\n"
DEPLOY = ["deploy", "--env", "production", "--yes", "--no-backup", "--reason", "test", "--url"]


def test_a_review_is_wanted(project, db):
    project.add("1_a", "CREATE TABLE a (i int);")
    project.write("aramid.yaml", REQUIRED)
    refused = aramid.run(*DEPLOY, db.url(), cwd=project.path)
    assert refused.rc == 19 and "nobody has reviewed it" in refused.err and not db.exists("a"), refused
    plan = aramid.run("plan", "--env", "production", "--json", "--url", db.url(), cwd=project.path)
    assert [f["id"] for f in plan.json["findings"]] == ["review-missing"], plan
    done = aramid.run("review", "1_a", "--by", "Ann", cwd=project.path)
    assert done.rc == 0 and "aramid.reviews.json" in done.out, done
    project.add("1_a", "CREATE TABLE a (i int, j int);")
    edited = aramid.run(*DEPLOY, db.url(), cwd=project.path)
    assert edited.rc == 19 and "it was edited since Ann reviewed it" in edited.err, edited
    assert aramid.run("review", "1_a", "--by", "Bob", cwd=project.path).rc == 0
    assert aramid.run(*DEPLOY, db.url(), cwd=project.path).rc == 0 and db.exists("a")
    shown = aramid.run("review", "--json", cwd=project.path).json["migrations"]
    assert [(m["name"], m["reviewed"], m["by"]) for m in shown] == [("1_a", True, "Bob")]


def test_a_review_that_cannot_be(project):
    project.add("1_a", "CREATE TABLE a (i int);")
    assert aramid.run("review", "2_b", "--by", "Ann", cwd=project.path).rc == 27
    nobody = aramid.run("review", "1_a", cwd=project.path, env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"})
    assert nobody.rc == 2 and "--by" in nobody.err, nobody
    for wrong in ("[", "{}", '{"format": "aramid reviews 1", "reviews": [{}]}'):
        project.write("aramid.reviews.json", wrong)
        assert aramid.run("review", "1_a", "--by", "Ann", cwd=project.path).rc == 3


# ---- ci -----------------------------------------------------------------------------------------------------

def ci(app, *args, **env):
    return aramid.run("ci", "--json", "--base", "main", *args, cwd=app.path, env=env)


def test_nothing_new(branched):
    result = ci(branched)
    assert result.rc == 0 and part(result, "lint")["outcome"] == "skipped", result


def test_all_in_one(branched):
    branched.write("prisma/schema.prisma", SCHEMA.replace("email String", "email String @unique").replace("  bio   String?\n", ""))
    assert aramid.run("create", "shorter", "--no-rename", cwd=branched.path).rc == 0
    result = ci(branched, "--comment", "c.md", "--sarif", "s.json", "--gitlab", "g.json")
    assert result.rc == 19, result
    assert {p["part"]: p["outcome"] for p in result.json["parts"]} == {
        "schema": "ok", "migrations": "ok", "parity": "ok", "history": "skipped", "drift": "skipped", "lint": "ok",
        "old-code": "failed", "rollback": "ok", "branches": "ok"}, result
    comment = open(os.path.join(branched.path, "c.md")).read()
    assert "## Migrations: not ready" in comment and "`old-code-column-gone`" in comment and "`drop-column`" in comment, comment
    assert "`create-index-blocking`" in comment and "CONCURRENTLY" in comment
    sarif = json.load(open(os.path.join(branched.path, "s.json")))["runs"][0]["results"]
    assert {r["ruleId"] for r in sarif} >= {"drop-column", "create-index-blocking"}
    assert len(json.load(open(os.path.join(branched.path, "g.json")))) == len(sarif)


def test_pipelines_say_the_base(branched):
    git(branched, "update-ref", "refs/remotes/origin/main", "HEAD")
    said = aramid.run("ci", cwd=branched.path, env={"GITHUB_BASE_REF": "main"})
    assert said.rc == 0, said
    nobody = aramid.run("ci", cwd=branched.path)
    assert nobody.rc == 2 and "--base" in nobody.err, nobody


def test_secrets_are_masked(branched):
    url = "postgresql://u:geheim123@localhost:1/x"
    result = ci(branched, GITHUB_ACTIONS="true", DATABASE_URL=url)
    assert "::add-mask::geheim123" in result.err and "geheim123" not in result.out, result
    assert "add-mask" not in ci(branched, DATABASE_URL=url).err
