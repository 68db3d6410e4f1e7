"""The table of findings: each row is raised somewhere, and nothing is raised that is not in it."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = re.findall(r'^FINDING\((\w+), (\w+), "([a-z0-9-]+)", (\w+), (\w+),',
                  (ROOT / "src/base/findings.def").read_text(), re.M)
IDS = {row[0] for row in ROWS}
# Words of finding.h that are no ids.
OTHERS = {"COUNT", "AS_IS", "OFF", "RULE_FREE", "RULE_KEEPS_ERRORS", "RULE_FIXED"}


def uses():
    """Every FINDING_ word of the sources, but for the room base/ itself."""
    found = {}
    for path in [*ROOT.glob("src/*/*.c"), *ROOT.glob("src/*/*.h")]:
        if path.parent.name != "base":
            for word in re.findall(r"\bFINDING_(\w+)", path.read_text()):
                found.setdefault(word, set()).add(path.name)
    return found


def test_the_table_is_read():
    text = (ROOT / "src/base/findings.def").read_text()
    assert len(ROWS) == text.count("\nFINDING(") > 150
    assert len({row[2] for row in ROWS}) == len(IDS) == len(ROWS)


def test_each_row_is_raised_and_nothing_else():
    raised = {word: files - {"stages.c"} for word, files in uses().items()}
    raised = {word for word, files in raised.items() if files} - OTHERS
    assert raised - IDS == set(), "raised, but not in base/findings.def"
    assert IDS - raised == set(), "in base/findings.def, but raised nowhere"


def test_findings_have_no_second_form():
    """No list of bare texts for people beside them."""
    for path in ROOT.glob("src/*/*.h"):
        assert not re.search(r"\b(Diag|DiagList)\b", path.read_text()), path


def test_every_row_is_documented():
    text = (ROOT / "docs/reference/findings.md").read_text()
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.M) == [row[2] for row in ROWS]
