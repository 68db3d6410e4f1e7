"""link: which project of Supabase an environment is, as a line of aramid.yaml."""

import json
import os

import pytest

from harness import aramid

REF, OTHER = "abcdefghijklmnopqrst", "zyxwvutsrqponmlkjihg"
POOLER = "aws-1-eu-west-1.pooler.supabase.com"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "supabase/migrations").mkdir(parents=True)
    return tmp_path


def link(folder, *args, rc=0, **env):
    result = aramid.run("link", *args, cwd=folder, env=env)
    assert result.rc == rc, result
    return result


def settings(folder):
    return (folder / "aramid.yaml").read_text()


def test_two_environments_and_where_they_lead(folder):
    said = link(folder, "--project-ref", REF, "--env", "staging")
    assert "IPv6" in said.out and "SUPABASE_DB_PASSWORD is not set" in said.out
    link(folder, "--project-ref", OTHER, "--env", "production", "--pooler-host", POOLER,
         "--password-variable", "PROD_PASSWORD")
    assert settings(folder) == f"""environments:
  staging:
    direct_url: postgresql://postgres:${{SUPABASE_DB_PASSWORD}}@db.{REF}.supabase.co:5432/postgres
  production:
    direct_url: postgresql://postgres.{OTHER}:${{PROD_PASSWORD}}@{POOLER}:5432/postgres
"""
    shown = link(folder, "--json", SUPABASE_DB_PASSWORD="geheim")
    assert "geheim" not in shown.text
    staging, production = shown.json["environments"]
    assert (staging["projectRef"], staging["problem"]) == (REF, None)
    assert staging["url"] == f"postgresql://postgres@db.{REF}.supabase.co:5432/postgres"
    assert (production["projectRef"], production["problem"]) == (OTHER, "PROD_PASSWORD is not set")
    assert production["origin"] == "aramid.yaml:5"
    # There is no current link that a command without --env would follow.
    config = aramid.run("config", "show", "--json", cwd=folder, env={"SUPABASE_DB_PASSWORD": "geheim"}).json
    assert "supabase.co" not in json.dumps(config)


@pytest.mark.parametrize("password, meant", [("a/b#c?d@e:f", "a%2Fb%23c%3Fd%40e%3Af"), ("p%40ss", "p%40ss"),
                                             ("100%", "100%25"), ("plain", "plain")])
def test_a_password_may_hold_anything(folder, password, meant):
    (folder / "aramid.yaml").write_text("url: postgresql://me:${PW}@127.0.0.1:1/db\n")
    result = aramid.run("status", cwd=folder, env={"PW": password})
    assert "127.0.0.1:1" in result.err and "invalid" not in result.err, result
    assert password not in result.text or password == "plain"
    assert meant not in result.text or password == "plain"


def test_a_look_by_name(folder):
    link(folder, "--project-ref", REF, "--env", "staging")
    assert link(folder, "--show").out == link(folder).out
    assert "--show" in link(folder, "--show", "--project-ref", OTHER, "--env", "production", rc=2).err


def test_again_another_and_a_look(folder):
    link(folder, "--project-ref", REF, "--env", "staging")
    before = settings(folder)
    assert "as before" in link(folder, "--project-ref", REF, "--env", "staging").out
    refused = link(folder, "--project-ref", OTHER, "--env", "staging", rc=3)
    assert "aramid.yaml:3" in refused.err and "--replace" in refused.err
    assert "would be" in link(folder, "--project-ref", OTHER, "--env", "staging", "--replace", "--dry-run").out
    assert settings(folder) == before
    link(folder, "--project-ref", OTHER, "--env", "staging", "--replace")
    assert settings(folder) == before.replace(REF, OTHER)


def test_what_supabases_cli_has_kept(folder):
    (folder / "supabase/.temp").mkdir()
    (folder / "supabase/.temp/pooler-url").write_text(
        f"postgresql://postgres.{REF}:[YOUR-PASSWORD]@{POOLER}:5432/postgres")
    assert link(folder, "--project-ref", REF, "--env", "a", "--dry-run", "--json").json["linked"]["host"] == POOLER
    assert link(folder, "--project-ref", OTHER, "--env", "a", "--dry-run", "--json").json["linked"]["pooler"] is False
    assert not os.path.exists(folder / "aramid.yaml")


@pytest.mark.parametrize("text", [
    "# ours\nhistory: supabase # whose\nenvironments:\n    # the last\n    production:\n        confirm: true\n\nretries: 3\n",
    "environments:\r\n  staging:\r\n    confirm: true\r\n",
    "environments:\n  staging:\n",
    "environments:\nretries: 3",
    "retries: 3",
    "environments:\n  staging:\n    locks:\n      timeout: 50ms\n    retries: 2\n  qa:\n    direct_url: postgresql://h/d\n",
    "environments:\n  \"staging\":\n    direct_url: postgresql://old/db # why\n    retries: 2\n",
])
def test_nothing_else_changes(folder, text):
    (folder / "aramid.yaml").write_text(text, newline="")
    result = aramid.run("link", "--project-ref", REF, "--env", "staging", "--replace", cwd=folder)
    now = (folder / "aramid.yaml").read_bytes().decode()
    if result.rc:  # a name in quotes: a person is told what to write
        assert '"staging":' in text and now == text and "line by line" in result.err, result
        return
    kept = [line for line in text.split("\n") if line.strip() and "postgresql://old" not in line]
    assert [line for line in now.split("\n") if line in kept] == kept
    assert len([line for line in now.split("\n") if line.strip()]) <= len(kept) + 3
    assert ("\r\n" in now) == ("\r\n" in text)
    assert link(folder, "--env", "staging", "--json").json["environments"][0]["projectRef"] == REF


@pytest.mark.parametrize("args, why", [
    (["--project-ref", REF], "which environment"),
    (["--project-ref", "short", "--env", "a"], "no reference"),
    (["--project-ref", REF.upper(), "--env", "a"], "no reference"),
    (["--project-ref", REF, "--env", "a b"], "no name of an environment"),
    (["--project-ref", REF, "--env", "a", "--pooler-host", "evil.example"], "no host of Supabase's pooler"),
    (["--project-ref", REF, "--env", "a", "--password-variable", "1-x"], "no name of a variable"),
])
def test_bad_words(folder, args, why):
    result = aramid.run("link", *args, cwd=folder)
    assert result.rc == 2 and why in result.err, result
    assert not os.path.exists(folder / "aramid.yaml")


@pytest.mark.parametrize("text", ["environments: {staging: {confirm: true}}\n", "a: [\n"])
def test_a_file_that_a_person_must_change(folder, text):
    (folder / "aramid.yaml").write_text(text)
    refused = link(folder, "--project-ref", REF, "--env", "staging", rc=3)
    assert "aramid.yaml" in refused.err
    assert settings(folder) == text
