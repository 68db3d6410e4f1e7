"""aramid docs: the project's own runbook."""

import json
import os
import re

from harness import aramid


def docs(project, *args):
    return aramid.run("docs", *args, cwd=project.path)


def read(project, name):
    with open(os.path.join(project.path, "docs", name), encoding="utf-8") as text:
        return text.read()


def test_it_says_what_holds_here(project):
    project.add("init", "CREATE TABLE t (i int);")
    project.write("aramid.yaml", json.dumps({"contacts": ["DBA | on call"], "environments": {
        "staging": {"profile": "staging"},
        "production": {"gate": {"requires": ["staging", "tests", "tick:seen"]}, "windows": {"deny": "02:00-05:00 UTC"},
                       "health": {"url": "https://shop.example/health?token=canary-token"}}}}))
    assert docs(project).rc == 0
    pipeline, guide = read(project, "MIGRATION_PIPELINE.md"), read(project, "DEPLOYMENT_GUIDE.md")
    assert "aramid evidence add applied --env staging" in pipeline and "`02:00-05:00 UTC`" in pipeline
    assert "aramid deploy --env production" in guide and "DBA | on call" in guide
    assert "canary" not in pipeline + guide
    # Every command in them is one that there is.
    for line in sorted(set(re.findall(r"aramid ([a-z][a-z -]*[a-z])", pipeline + guide))):
        words = line.split(" --")[0].split()
        assert any(aramid.run("help", *words[:n]).rc == 0 for n in (2, 1)), line
    assert docs(project, "--check").rc == 0
    project.add("more", "SELECT 1;")
    assert docs(project, "--check").rc == 0, "a migration more is no change of the runbook"


def test_files_of_others_are_not_replaced(project):
    project.add("init", "CREATE TABLE t (i int);")
    project.write("docs/DEPLOYMENT_GUIDE.md", "ours\n")
    refused = docs(project)
    assert refused.rc == 5 and "--force" in refused.err and read(project, "DEPLOYMENT_GUIDE.md") == "ours\n", refused
    assert not os.path.exists(os.path.join(project.path, "docs/MIGRATION_PIPELINE.md"))
    assert docs(project, "--to", "elsewhere").rc == 0 and os.path.exists(os.path.join(project.path, "elsewhere/DEPLOYMENT_GUIDE.md"))
    assert docs(project, "--force").rc == 0 and "# Deploying" in read(project, "DEPLOYMENT_GUIDE.md")
    project.write("aramid.yaml", "contacts: somebody\n")
    stale = docs(project, "--check")
    assert stale.rc == 1 and "is not as it should be" in stale.out, stale
    before = read(project, "MIGRATION_PIPELINE.md")
    assert docs(project).rc == 0 and "somebody" in read(project, "DEPLOYMENT_GUIDE.md")
    assert read(project, "MIGRATION_PIPELINE.md") == before
