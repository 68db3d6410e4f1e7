"""What the policy of an environment asks for before a deploy: evidence, approvals, a pipeline, windows."""

import datetime
import hashlib
import hmac
import json
import os
import random
import zoneinfo

import pytest

from harness import aramid
from harness.faults import FULL

GUARDED = ["tests", "rollback", "drill", "approval", "review", "pipeline", "staging", "tick:seen by a person"]


def configure(project, required=(), **more):
    project.write("aramid.yaml", json.dumps({
        "environments": {"staging": {"profile": "staging", "backup": {"enabled": False}},
                         "production": {"gate": {"requires": list(required)}, "backup": {"enabled": False}, "verify": "off",
                                        **more}}}))


def call(project, db, *args, env=None, at="production", **more):
    return aramid.run(*args, "--env", at, "--url", db.url(), cwd=project.path, env={"GITHUB_ACTOR": "ada", **(env or {})},
                      **more)


def deploy(project, db, *args, **more):
    return call(project, db, "deploy", "--yes", *args, **more)


@pytest.fixture
def app(project):
    project.add("init", "CREATE TABLE t (i int);")
    project.write(f"prisma/migrations/{project.names[0]}/down.sql", "DROP TABLE t;")
    return project


def test_production_waits_for_staging(app, db, db2):
    configure(app, ["staging"])
    name = app.names[0]
    refused = deploy(app, db)
    assert refused.rc == 8 and f"applied in staging: {name} is not known to be applied there" in refused.err, refused
    assert not db.exists("t") and "aramid evidence add applied --env staging --url URL" in refused.err.replace(" \n", "\n")
    nothing = call(app, db2, "evidence", "add", "applied", at="staging")
    assert nothing.rc == 8 and "nothing is applied" in nothing.err, nothing
    assert deploy(app, db2, at="staging").rc == 0
    assert call(app, db2, "evidence", "add", "applied", at="staging").rc == 0
    planned = call(app, db, "plan")
    assert "not-ready" not in planned.text, planned
    app.edit(name, "CREATE TABLE t (i int, j int);")
    edited = deploy(app, db)
    assert edited.rc == 8 and "was edited since it was applied there" in edited.err, edited
    planned = call(app, db, "plan")
    assert "not-ready" in planned.text and "applied in staging" in planned.text, planned
    app.edit(name, "CREATE TABLE t (i int);")
    assert deploy(app, db).rc == 0 and db.exists("t")
    assert deploy(app, db).rc == 0, "nothing is pending: nothing is asked for"


def test_evidence_that_is_not_signed_does_not_count_where_a_key_is(app, db, db2):
    configure(app, ["staging", "tests"])
    key = {"ARAMID_EVIDENCE_KEY": "canary-key-of-evidence"}
    assert deploy(app, db2, at="staging").rc == 0
    call(app, db2, "evidence", "add", "applied", at="staging")
    call(app, db2, "evidence", "add", "tests", "--ok", at="staging")
    refused = deploy(app, db, env=key)
    assert refused.rc == 8 and refused.err.count("not rightly signed") == 2, refused
    for args in (("applied",), ("tests", "--ok")):
        signed = call(app, db2, "evidence", "add", *args, at="staging", env=key)
        assert signed.rc == 0 and "signed" in signed.out and "canary" not in signed.text, signed
    path = os.path.join(app.path, "aramid.evidence.json")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    record = json.loads(good)["records"][0]
    fields = ["aramid evidence 1"] + [record[k] for k in ("kind", "environment", "migration", "checksum", "by", "at", "note")]
    text = "".join("-," if f is None else f"{len(f)}:{f}," for f in fields)
    assert record["signature"] == hmac.new(b"canary-key-of-evidence", text.encode(), hashlib.sha256).hexdigest()
    app.write("aramid.evidence.json", good.replace(record["at"], "2031-01-01T00:00:00.000Z"))
    assert deploy(app, db, env=key).rc == 8
    app.write("aramid.evidence.json", good)
    assert deploy(app, db, env=key).rc == 0


@pytest.mark.parametrize("text, says", [
    ("{", "is no file of evidence"), ("[]", "is no file of evidence"),
    ('{"format": "aramid evidence 1", "records": [{"kind": "tests"}]}', "record number 1 cannot be read"),
])
def test_a_file_that_is_no_evidence_stops(app, db, text, says):
    configure(app, ["tests"])
    app.write("aramid.evidence.json", text)
    result = deploy(app, db)
    assert result.rc == 3 and says in result.err and not db.exists("t"), result


def test_tests_are_what_their_report_says(app, db):
    configure(app, ["tests"])
    add = ("evidence", "add", "tests")
    assert call(app, db, *add).rc == 2
    app.write("none.xml", "<html/>")
    app.write("bad.xml", "<testsuite><testcase/><testcase><failure/></testcase></testsuite>")
    app.write("good.xml", "<testsuite><testcase/><testcase><skipped/></testcase></testsuite>")
    none, bad = call(app, db, *add, "--file", "none.xml"), call(app, db, *add, "--file", "bad.xml")
    assert none.rc == 8 and "holds no test case" in none.err, none
    assert bad.rc == 8 and "1 of 2 tests have failed" in bad.err and deploy(app, db).rc == 8, bad
    assert call(app, db, *add, "--file", "good.xml").rc == 0
    listed = call(app, db, "evidence", "--json").json
    assert listed["records"][0]["note"] == "2 tests, 1 skipped" and listed["records"][0]["by"] == "ada"
    assert deploy(app, db).rc == 0


def test_the_way_back_has_to_be_tried_for_the_files_as_they_are(app, db):
    configure(app, ["rollback"])
    add = ("evidence", "add", "rollback")
    without = call(app, db, *add)
    assert without.rc == 8 and "aramid verify-rollback --all" in without.err, without
    assert aramid.run("verify-rollback", "--all", cwd=app.path).rc == 0
    app.edit(app.names[0], "CREATE TABLE t (i int, k int);")
    other = call(app, db, *add)
    assert other.rc == 8 and "as it is" in other.err, other
    app.edit(app.names[0], "CREATE TABLE t (i int);")
    assert call(app, db, *add).rc == 0 and deploy(app, db).rc == 0


def test_approvals_are_of_different_people_and_not_of_who_deploys(app, db):
    configure(app, gate={"requires": ["approval"], "approvals": 2})
    for who in ("ada", "ben", "ben"):
        assert call(app, db, "evidence", "add", "approval", "--by", who).rc == 0
    refused = deploy(app, db)
    assert refused.rc == 8 and "1 of 2 are there, and who deploys does not count" in refused.err, refused
    assert call(app, db, "evidence", "add", "approval", "--by", "cleo").rc == 0
    assert deploy(app, db).rc == 0


def test_breaking_the_glass_is_loud(app, db):
    configure(app, ["staging", "pipeline"])
    result = deploy(app, db, "--break-glass", "the site is down")
    assert result.rc == 0 and db.exists("t") and result.err.count("gate-broken") == 2, result
    assert "the site is down" in result.err and "by ada" in result.err
    assert db.one("SELECT consent FROM aramid.runs") == "break-glass: the site is down"


def window(now, begins, ends):
    """From so many minutes behind now to so many."""
    first, last = (now + datetime.timedelta(minutes=m) for m in (begins, ends))
    return f"{first:%H:%M}-{last:%H:%M}"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_windows_are_of_their_time_zone(app, db, zone):
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    open_now, later = window(now, -120, 120), window(now, 180, 300)
    configure(app, windows={"allow": f"{later} {zone}"})
    closed = deploy(app, db)
    assert closed.rc == 8 and f"{now:%Y-%m-%d}"[:8] in closed.err and zone in closed.err, closed
    configure(app, windows={"allow": [f"{later} {zone}", f"{open_now} {zone}"], "deny": [f"{open_now} {zone}"]})
    assert deploy(app, db).rc == 8
    configure(app, windows={"allow": [f"{open_now} {zone}"], "deny": [f"{later} {zone}"]})
    assert deploy(app, db).rc == 0


@pytest.mark.parametrize("text", ["09:00-25:00", "sometimes", "09:00-17:00 Europe/Atlantis"])
def test_a_window_that_is_none_stops(app, db, text):
    configure(app, windows={"deny": text})
    result = deploy(app, db)
    assert result.rc == 3 and text.split()[-1] in result.err and not db.exists("t"), result


def test_the_checklist_says_what_is_missing_and_what_to_type(app, db):
    configure(app, ["staging", "approval"])
    result = call(app, db, "checklist", "--json")
    value = result.json
    assert result.rc == 8 and value["phase"] == "production" and value["pending"] == 1, result
    items = {item["what"]: item for item in value["items"]}
    assert items["the schema is valid"]["ok"] and not items["applied in staging"]["ok"]
    assert {"the tests have passed", "the way back was tried", "a backup was restored, to see that it can be",
            "health checks are configured", "approved by 1 person"} <= set(items)
    assert call(app, db, "evidence", "add", "tick:seen by a person", "--by", "ben").rc == 0
    configure(app, ["tick:seen by a person"])
    text = call(app, db, "checklist")
    assert "✅ seen by a person" in text.out and "What a program cannot prove" in text.out, text
    assert deploy(app, db).rc == 0
    after = call(app, db, "checklist", "--phase", "post")
    assert after.rc == 0 and "the history is complete" in after.out, after


# ---- generated situations -------------------------------------------------------------------------

def expected(required, records, key, folder, pending, people):
    """The table, written for itself: which words are missing."""
    def counts(r):
        return key is None or r["signed"] == key

    missing = set()
    for word in required:
        if word == "pipeline":
            ok = people["ci"]
        elif word == "review":
            ok = people["reviewed"]
        elif word == "staging":
            ok = any(counts(r) and r["kind"] == "applied" and r["environment"] == "staging" and
                     r["checksum"] == pending for r in records)
        elif word == "drill":
            ok = any(counts(r) and r["kind"] == "drill" and not r["old"] for r in records)
        elif word == "approval":
            who = {r["by"] for r in records if counts(r) and r["kind"] == "approval" and r["checksum"] == folder}
            ok = len(who - {people["actor"]}) >= people["approvals"]
        else:
            ok = any(counts(r) and r["kind"] == word and r["checksum"] == folder for r in records)
        if not ok:
            missing.add(word)
    return missing


def signature(record, key):
    fields = ["aramid evidence 1"] + [record[k] for k in ("kind", "environment", "migration", "checksum", "by", "at", "note")]
    text = "".join("-," if f is None else f"{len(f)}:{f}," for f in fields)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


SAYS = {"tests": "the tests have passed", "rollback": "the way back was tried", "drill": "a backup was restored",
        "approval": "approved by", "review": "each migration was read", "pipeline": "it runs in a pipeline",
        "staging": "applied in staging", "tick:seen by a person": "seen by a person"}


@pytest.mark.parametrize("seed", range(300 if FULL else 24))
def test_generated_policies_are_decided_as_the_table_says(app, db, seed):
    dice = random.Random(seed)
    name = app.names[0]
    checksum = app.checksum(name)
    folder = hashlib.sha256(f"{checksum} {name}\n".encode()).hexdigest()
    required = [w for w in GUARDED if dice.random() < 0.4]
    key = dice.choice([None, "the key", "the key"])
    people = {"actor": "ada", "ci": dice.random() < 0.5, "approvals": dice.randint(1, 2), "reviewed": dice.random() < 0.5}
    now = datetime.datetime.now(datetime.timezone.utc)
    records = []
    for _ in range(dice.randint(0, 14)):
        kind = dice.choice(["applied", "applied", "tests", "rollback", "drill", "approval", "approval", "tick:seen by a person"])
        old = dice.random() < 0.4
        applied = kind == "applied"
        record = {"kind": kind, "environment": dice.choice(["staging", "staging", "other"]) if applied else None,
                  "migration": name if applied else None,
                  "checksum": dice.choice([checksum if applied else folder] * 3 + ["0" * 64]),
                  "by": dice.choice(["ada", "ben", "cleo"]),
                  "at": (now - datetime.timedelta(days=31 if old else 29)).strftime("%Y-%m-%dT%H:%M:%S.000Z"), "note": None}
        signed = dice.choice([None, "the key", "the key", "another key"])
        record["signature"] = signature(record, signed) if signed else None
        records.append({**record, "old": old, "signed": signed})
    app.write("aramid.evidence.json", json.dumps({"format": "aramid evidence 1", "records": [
        {k: v for k, v in r.items() if k not in ("old", "signed")} for r in records]}))
    if people["reviewed"]:
        app.write("aramid.reviews.json", json.dumps({"format": "aramid reviews 1", "reviews": [
            {"migration": name, "checksum": checksum, "by": "ben", "at": "2026-11-30T00:00:00.000Z"}]}))
    configure(app, gate={"requires": required, "approvals": people["approvals"]})
    missing = expected(required, records, key, folder, checksum, people)
    env = {"ARAMID_EVIDENCE_KEY": key, "CI": "true" if people["ci"] else None}
    result = deploy(app, db, env=env)
    assert {w for w in required if f"{SAYS[w]}" in result.err} == missing, (required, records, people, result)
    assert result.rc == (8 if missing else 0) and db.exists("t") == (not missing), result
