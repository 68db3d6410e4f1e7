"""Clocks that go back or are wrong: the order never comes from the local clock."""

import glob
import hashlib
import json
import os
import shutil

import pytest

from harness import aramid, ledger

FAKETIME = shutil.which("faketime")
pytestmark = pytest.mark.skipif(FAKETIME is None, reason="faketime is not installed")


def at(shift, project, db, *args):
    """Deploy with a shifted wall clock; the monotonic clock is left alone, as on a real machine."""
    return run_at(shift, project, "deploy", "--url", db.url(), *args)


def run_at(shift, project, *args):
    options = aramid.environment()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return aramid.run(*args, cwd=project.path,
                      prefix=(FAKETIME, "-f", shift),
                      env={"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                           "ASAN_OPTIONS": options})


@pytest.mark.parametrize("shift", ["-1d", "+400d", "+15y"])
def test_clock_set_back_between_two_runs(project, db, shift):
    project.add("init", "CREATE TABLE witness (part text);")
    project.add("second", "INSERT INTO witness VALUES ('second');")
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("third", "INSERT INTO witness VALUES ('third');")
    result = at(shift, project, db)
    assert result.rc == 0, result
    project.add("fourth", "INSERT INTO witness VALUES ('fourth');")
    assert aramid.deploy(project, db.url()).rc == 0
    ledger.check(db, project)
    assert aramid.status(project, db.url()).rc == 0


def test_prisma_accepts_the_order(oracle, project, db):
    project.add("init", "CREATE TABLE a (i int);")
    assert at("+2d", project, db).rc == 0
    project.add("second", "CREATE TABLE b (i int);")
    assert at("-2d", project, db).rc == 0
    assert "up to date" in oracle.status(project, db.url()).text
    ledger.check(db, project)


def test_interrupted_run_is_finished_under_another_clock(project, db):
    project.add("init", "CREATE TABLE witness (part text);\nCREATE TABLE big (i int);")
    project.add("index", "INSERT INTO witness VALUES ('1');\nCREATE INDEX CONCURRENTLY big_i ON big (i);\n"
                "INSERT INTO witness VALUES ('2');")
    aramid.deploy(project, db.url(), env={"ARAMID_FAILPOINT": "after-intent:kill"})
    result = at("-1d", project, db)
    assert result.rc == 0, result
    ledger.check(db, project)
    assert ledger.witnesses(db) == {"1": 1, "2": 1}


# ---- backups --------------------------------------------------------------------------------------


def manifests(project):
    """The manifests, the oldest first."""
    found = []
    for path in glob.glob(os.path.join(project.path, "backups", "*.json")):
        with open(path, encoding="utf-8") as file:
            found.append(json.load(file))
    return sorted(found, key=lambda m: m.get("order_us", 0))


def backup(project, db, *args, shift=None):
    args = ("backup", "--url", db.url(), *args)
    result = run_at(shift, project, *args) if shift else aramid.run(*args, cwd=project.path)
    assert result.rc == 0, result
    return result


def server_us(db):
    return db.one("SELECT (extract(epoch FROM now()) * 1000000)::int8")


@pytest.mark.parametrize("shift", ["+40d", "+15y", "-40d", "-58y"])
def test_a_jump_of_the_clock_deletes_no_backup(project, db, shift):
    project.add("init", "CREATE TABLE t (id int);")
    assert aramid.deploy(project, db.url()).rc == 0
    for _ in range(3):
        backup(project, db, "--env", "production")
    good = [m["id"] for m in manifests(project)]
    project.add("second", "INSERT INTO t VALUES (1);")
    result = at(shift, project, db, "--env", "production", "--yes")
    assert result.rc == 0, result
    found = manifests(project)
    assert [m["id"] for m in found[:3]] == good and len(found) == 4
    assert "the clock of this machine is" in result.err and "days" in result.err, result
    # Its time is the server's, so it is neither the newest for ever nor the oldest.
    assert abs(found[3]["started_us"] - server_us(db)) < 900 * 10**6
    backup(project, db, "--env", "production")
    newest = manifests(project)[-1]
    result = aramid.run("restore", "--dry-run", "--json", "--url", db.url(), cwd=project.path)
    assert result.json["backup"]["id"] == newest["id"] not in [m["id"] for m in found], result
    assert aramid.run("backup", "verify", "--all", cwd=project.path).rc == 0


@pytest.mark.parametrize("shift", ["+40d", "-40d"])
def test_prune_asks_the_server_what_time_it_is(project, db, shift):
    project.add("init", "CREATE TABLE t (id int);")
    for _ in range(3):
        backup(project, db)
    result = run_at(shift, project, "backup", "prune", "--url", db.url())
    assert result.rc == 54 and "40 days" in result.err, result
    assert len(manifests(project)) == 3
    assert aramid.run("backup", "prune", "--url", db.url(), cwd=project.path).rc == 0


def remake(project, manifest, **changes):
    """The manifest with other values, sealed again."""
    path = os.path.join(project.path, "backups", f"backup-{manifest['id']}.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for key, value in changes.items():
        text = text.replace(f'"{key}": {manifest[key]}', f'"{key}": {value}' if value else '"x": 0')
    body = text[:text.index(',\n  "manifest_sha256"')]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{body},\n  "manifest_sha256": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n')


def test_a_backup_of_the_future(project, db):
    """Both clocks were wrong when it was made: what is made later is newer all the same."""
    project.add("init", "CREATE TABLE t (id int);")
    for _ in range(2):
        backup(project, db)
    old, ahead = manifests(project)
    future = server_us(db) + 4000 * 86400 * 10**6
    remake(project, ahead, started_us=future, finished_us=future, order_us=None)
    remake(project, old, started_us=old["started_us"] - 99 * 86400 * 10**6)
    result = backup(project, db)
    newest = manifests(project)[-1]
    assert newest["id"] not in (old["id"], ahead["id"]) and newest["order_us"] > future
    assert f'backup "{ahead["id"]}" was made at' in result.err and len(manifests(project)) == 3, result
    result = aramid.run("restore", "--dry-run", "--json", "--url", db.url(), cwd=project.path)
    assert result.json["backup"]["id"] == newest["id"], result
    assert "days in the future" in aramid.run("backup", "list", cwd=project.path).out
    assert aramid.run("backup", "prune", cwd=project.path).rc == 54
    for path in glob.glob(os.path.join(project.path, "backups", f"*backup-{ahead['id']}.*")):
        os.unlink(path)
    assert aramid.run("backup", "prune", cwd=project.path).rc == 0
    assert [m["id"] for m in manifests(project)] == [newest["id"]]
