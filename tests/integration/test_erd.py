"""aramid erd: what a file, a database or a difference looks like as a diagram, whatever its names are."""

import xml.etree.ElementTree as ET

import pytest

from harness import aramid

# Names that try to leave their place, in each of the forms.
HOSTILE = ['a"><script>alert(1)</script>', "]]></style><x>", "t' onload='x", "two\nlines", "\u202egnp.exe", '#quot;{}|"',
           "50%&amp;", "x" * 63, "\u65e5\u672c\u8a9e"]
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "rect", "path", "text", "g"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def hostile(db):
    for i, name in enumerate(HOSTILE):
        other = quoted(HOSTILE[i - 1]) if i else None
        db.sql(f"CREATE TABLE {quoted(name)} ({quoted(name)} int PRIMARY KEY, more text"
               + (f", up int REFERENCES {other}" if i else "") + ")")
        db.sql(f"COMMENT ON TABLE {quoted(name)} IS '</title><script>'")
    return db


def texts(root):
    return ["".join(e.itertext()) for e in root.iter(SVG + "text")]


def test_names_stay_text(hostile, tmp_path):
    args = ("erd", "--to-url", hostile.url())
    svg = aramid.run(*args, cwd=tmp_path)
    assert svg.rc == 0, svg.text
    root = ET.fromstring(svg.out)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= ELEMENTS
    assert not [a for e in root.iter() for a in e.attrib if a.startswith("on") or "href" in a]
    assert HOSTILE[0] in texts(root) and "\u65e5\u672c\u8a9e" in texts(root)
    assert "\u202e" not in svg.out and "\\u{202e}" in svg.out
    page = aramid.run(*args, "--format", "html", cwd=tmp_path).out
    assert "<script" not in page and "default-src 'none'" in page
    mermaid = aramid.run(*args, "--format", "mermaid", cwd=tmp_path).out
    assert mermaid.startswith("erDiagram\n") and "<script" not in mermaid
    names = [line.split('["')[1] for line in mermaid.splitlines() if '["' in line]
    assert len(names) == len(HOSTILE) - 1 and all(n.count('"') == 1 and n.endswith('"] {') for n in names)


def test_forms_and_choices(project, db):
    head = 'datasource db {\n provider = "postgresql"\n}\nmodel Far {\n id Int @id\n}\n'
    old = project.write("old.prisma", head + "model A {\n id Int @id\n b String\n}\n")
    new = project.write("prisma/schema.prisma", head + "model A {\n id Int @id\n b Int\n c C[]\n}\n"
                        "model C {\n id Int @id\n aId Int\n a A @relation(fields: [aId], references: [id])\n}\n")
    run = lambda *args: aramid.run("erd", *args, cwd=project.path)  # noqa: E731
    assert run("-o", "x.html").rc == 0 and run("-o", "x.svg").rc == 0 and run("-o", "x.md").rc == 0
    assert open(f"{project.path}/x.md").read().startswith("```mermaid\nerDiagram\n")
    assert open(f"{project.path}/x.svg").read() == run().out  # the same again
    assert "Far" in run().out and "Far" not in run("--around", "C").out
    assert ">aId<" in run().out and ">aId<" not in run("--show", "names").out
    refused = run("--around", "Nothing")
    assert refused.rc == 2 and "there is no table Nothing" in refused.err
    assert run("--depth", "2").rc == 2
    difference = run("--from-schema", old, "--to-schema", new)
    assert "text → integer" in difference.out and "+ new" in difference.out and "Far" not in difference.out
    assert "Far" in run("--from-schema", old, "--to-schema", new, "--all").out
    db.sql("CREATE TABLE live (id int PRIMARY KEY)")
    assert ">live<" in run("--url", db.url()).out
    broken = project.write("broken.prisma", "model A {")
    assert run("--to-schema", broken).rc == 6
