"""Pages about runs: what is in them, whatever happened; and how they do in a browser."""

import glob
import html.parser
import json
import os
import shutil

import pytest

from harness import aramid, browser

HOSTILE = "<script>alert('x')</script>&\"\u202e"


def runs(project):
    return sorted(glob.glob(os.path.join(project.path, ".aramid", "runs", "*")),  # ids know seconds only
                  key=lambda folder: os.stat(os.path.join(folder, "log.txt")).st_mtime_ns)


def page_of(project):
    with open(os.path.join(runs(project)[-1], "report.html"), encoding="utf-8") as file:
        return file.read()


class Elements(html.parser.HTMLParser):
    """What is markup in a page."""

    def __init__(self, text):
        super().__init__()
        self.names, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes += [(tag, *a) for a in attrs]


def assert_harmless(text):
    """No script, nothing from outside, no style but the one that its policy knows."""
    e = Elements(text)
    assert not e.names & {"script", "iframe", "object", "embed", "form", "img", "link", "base"}, e.names
    assert not [a for a in e.attributes if a[1].startswith("on") or a[1] in ("src", "style", "xlink:href")]
    assert all(a[2].startswith("#") for a in e.attributes if a[1] == "href")
    assert "default-src 'none'; style-src 'sha256-" in text and "\u202e" not in text


@pytest.fixture
def failed(project, db):
    """A run of which one migration is applied and the next one fails, with names that try to leave their place."""
    project.add("init", 'CREATE TABLE "User" (id int PRIMARY KEY, "<b>" text);')
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("more", 'ALTER TABLE "User" ADD COLUMN note text;\nCREATE INDEX "</pre>i" ON "User" (note);')
    project.add("bad", "CREATE TABLE t (i int); -- {0}\nSELECT * FROM \"{1}\";".format(HOSTILE, HOSTILE.replace('"', '""')))
    assert aramid.deploy(project, db.url()).rc == 22
    return project


def test_a_deploy_leaves_its_page(failed):
    text = page_of(failed)
    assert_harmless(text)
    assert "✗ failed" in text and "1 of 2" in text and "What to do next" in text
    assert "&lt;/pre&gt;i" in text and "ACCESS EXCLUSIVE" in text and ":2</code>" in text
    assert oct(os.stat(os.path.join(runs(failed)[-1], "report.html")).st_mode & 0o777) == "0o600"
    first = open(os.path.join(runs(failed)[0], "report.html"), encoding="utf-8").read()
    assert "✓ done" in first and "What to do next" not in first


def test_made_later_with_what_changed(failed):
    told = aramid.run("report", cwd=failed.path)
    assert told.rc == 0 and told.out.strip().endswith("report.html"), told
    text = page_of(failed)
    assert_harmless(text)
    assert "~ changed" in text and ">note<" in text and "+ new" not in text.split("<svg")[0]
    first = os.path.basename(runs(failed)[0])
    assert aramid.run("report", first[:-3], "-o", "x.html", "--no-schema-changes", cwd=failed.path).rc == 0
    assert "✓ done" in open(os.path.join(failed.path, "x.html"), encoding="utf-8").read()
    refused = aramid.run("report", "1999", cwd=failed.path)
    assert refused.rc == 2 and "there is no run 1999" in refused.err
    assert aramid.run("report", "-o", "no/such/folder.html", "--no-schema-changes", cwd=failed.path).rc == 5
    # A file that is another one by now is not passed off as what ran.
    for path in glob.glob(os.path.join(failed.path, "prisma/migrations/*_more/migration.sql")):
        open(path, "a", encoding="utf-8").write("-- edited")
    assert aramid.run("report", "--no-schema-changes", cwd=failed.path).rc == 0
    assert "The file has changed since" in page_of(failed)


def test_of_a_run_that_was_killed(failed):
    events = os.path.join(runs(failed)[-1], "events.jsonl")
    lines = open(events, encoding="utf-8").read().splitlines()
    with open(events, "w", encoding="utf-8") as out:
        out.write("\n".join([*lines[:-1], "[]", '{"time":"now","event":7}', "null", lines[-1][:40]]))
    os.remove(os.path.join(runs(failed)[-1], "plan.json"))
    assert aramid.run("report", "--no-schema-changes", cwd=failed.path).rc == 0
    text = page_of(failed)
    assert_harmless(text)
    assert "did not end" in text and "4 lines of the run's files could not be read" in text


def test_switched_off_and_no_place(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.write("aramid.yaml", "runs:\n  report: false\n")
    assert aramid.deploy(project, db.url()).rc == 0
    assert not glob.glob(os.path.join(project.path, ".aramid/runs/*/report.html"))
    assert len(glob.glob(os.path.join(project.path, ".aramid/runs/*/events.jsonl"))) == 1


def test_forecasts_where_there_are_some(failed):
    plan = os.path.join(runs(failed)[-1], "plan.json")
    with open(plan, encoding="utf-8") as file:
        tree = json.load(file)
    for migration in tree["migrations"]:
        migration["forecastMs"] = 1500
        migration["steps"][0]["sql"][0]["forecastMs"] = 700
    with open(plan, "w", encoding="utf-8") as file:
        json.dump(tree, file)
    assert aramid.run("report", "--no-schema-changes", cwd=failed.path).rc == 0
    text = page_of(failed)
    assert "forecast 1.5 s" in text and "Forecast for the migrations" in text and "700 ms" in text


def test_status_as_a_page(failed, db):
    told = aramid.run("status", "--html", "--url", db.url(), cwd=failed.path)
    assert told.rc == 10, told
    assert_harmless(told.out)
    assert "! pending" in told.out and told.out.count("<tr>") >= 3
    assert aramid.run("status", "--html", "--json", cwd=failed.path).rc == 2


# ---- in a browser --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def chromium():
    if not browser.CHROMIUM:
        pytest.skip("there is no chromium; tools/setup test installs it")
    opened = browser.Browser()
    yield opened
    opened.close()


@pytest.mark.skipif(not os.path.exists(browser.AXE), reason="axe-core is not installed: tools/setup-npm")
def test_in_chromium(failed, db, chromium, tmp_path):
    assert aramid.run("report", cwd=failed.path).rc == 0
    status = aramid.run("status", "--html", "--url", db.url(), cwd=failed.path).out
    assert aramid.run("erd", "--to-url", db.url(), "-o", "erd.html", cwd=failed.path).rc == 0
    assert aramid.run("erd", "--to-url", db.url(), "-o", "erd.svg", cwd=failed.path).rc == 0
    failed.write("status.html", status)
    shutil.copy(os.path.join(runs(failed)[-1], "report.html"), os.path.join(failed.path, "report.html"))
    for name in ("report.html", "status.html", "erd.html"):
        path = os.path.join(failed.path, name)
        for width, scheme in ((390, "dark"), (1280, "light"), (1280, "dark"), (390, "light")):
            page = chromium.page(width, scheme).open(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.violations() == [], (name, width, scheme)
            assert [r for r in page.requests if not r.startswith("file://" + failed.path)] == []
            assert page.said == [], "its own policy refuses nothing that is in it"
            shot = page.screenshot()
            assert shot.startswith(b"\x89PNG")
            with open(tmp_path / f"{name}-{width}-{scheme}.png", "wb") as out:
                out.write(shot)
        assert page.pdf().startswith(b"%PDF")
    dark, light = (chromium.page(1280, s).open(os.path.join(failed.path, "erd.svg")).evaluate(
        "getComputedStyle(document.querySelector('.b')).fill") for s in ("dark", "light"))
    assert dark != light
    page = chromium.page().open(os.path.join(failed.path, "report.html"))
    assert page.evaluate("document.title") == f"Deploy of {db.name}"
    assert "alert" in page.evaluate("document.querySelector('details[open] pre').textContent")
