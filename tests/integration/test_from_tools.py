"""The pages "coming from a tool": every command of theirs is run, in their order, on a project of that tool."""

import glob
import os
import re
import shlex

import pytest

from harness import aramid, oracle
from harness.cluster import REPO
from harness.project import Project
from harness.tools import Dbmate, Drizzle, Flyway, GraphileMigrate, NodePgMigrate, Supabase

PAGES = {"drizzle": Drizzle, "supabase": Supabase, "dbmate": Dbmate, "node-pg-migrate": NodePgMigrate,
         "graphile-migrate": GraphileMigrate, "plain-sql": Flyway, "prisma": None}
THEIRS = ("npx prisma migrate deploy", "npx drizzle-kit migrate", "supabase db push", "dbmate up", "dbmate status",
          "npx node-pg-migrate up", "npx graphile-migrate migrate")


def page(name):
    with open(os.path.join(REPO, "docs/from", f"{name}.md"), encoding="utf-8") as file:
        return file.read()


def commands(text, heading):
    """Those that stand in blocks below a heading."""
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line.split(" #")[0].strip() for line in re.findall(r"^    (.*)$", part, re.M)]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_page(name, db, tmp_path):
    text, kind = page(name), PAGES[name]
    tool = kind(tmp_path / "project") if kind else Project(tmp_path / "project")
    path = tool.path
    add = tool.add if kind else (lambda number, title, sql: tool.add(f"2026112912000{number}_{title}", sql))
    add(1, "one", "CREATE TABLE one (i int);")
    add(2, "two", "CREATE TABLE two (i int);")
    if name == "plain-sql":
        db.sql("CREATE TABLE one (i int); CREATE TABLE two (i int)")
    elif kind and not kind.missing():
        assert tool.apply(db).rc == 0
    add(3, "three", "CREATE TABLE three (i int);")
    first = commands(text, "The first deploy")
    assert "aramid deploy" in first
    if name == "plain-sql":
        assert first.pop(0) == "aramid deploy"  # of a new database
    for line in first:
        words = shlex.split(line)
        assert words[0] == "aramid", line
        result = aramid.run(*words[1:], cwd=path, env={"DATABASE_URL": db.url()})
        assert result.rc == 0 or (words[1] == "status" and result.rc == 10), result
    assert db.exists("three")
    for line in commands(text, "How to go back"):
        assert line in THEIRS, line
        if kind and not kind.missing() and not line.endswith("status"):
            before = tool.rows(db)
            outcome = tool.apply(db)
            assert outcome.rc == 0 and tool.rows(db) == before, outcome
        elif not kind and oracle.available():
            outcome = oracle.deploy(tool, db.url())
            assert outcome.rc == 0 and "No pending" in outcome.text, outcome


def test_every_page_is_linked():
    names = {os.path.basename(path).removesuffix(".md") for path in glob.glob(os.path.join(REPO, "docs/from/*.md"))}
    assert names == set(PAGES)
    for place, prefix in ("README.md", "docs/from/"), ("docs/tools.md", "from/"):
        with open(os.path.join(REPO, place), encoding="utf-8") as file:
            text = file.read()
        for name in names:
            assert f"({prefix}{name}.md)" in text, (place, name)


def test_links_lead_somewhere():
    for name in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page(name)):
            assert os.path.exists(os.path.join(REPO, "docs/from", target)), target
