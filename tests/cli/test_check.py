"""tools/check finds what it is there for: planted in objects and texts made here."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load():
    loader = importlib.machinery.SourceFileLoader("check", os.path.join(REPO, "tools", "check"))
    spec = importlib.util.spec_from_loader("check", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


check = load()


def build(folder, files):
    """Compile each text and return the objects as check sees them."""
    commands = []
    for source, text in files.items():
        path = folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        output = source.replace("/", "_") + ".o"
        subprocess.run(["cc", "-c", "-o", output, source], cwd=folder, check=True)
        commands.append({"directory": str(folder), "file": source, "output": output})
    return commands


def objects(monkeypatch, folder, files):
    monkeypatch.setattr(check, "REPO", str(folder))
    return check.objects_of(build(folder, files), "src/")


LOW = "int low_a(void);\nint low_a(void) { return 1; }\n"
HIGH = "int low_a(void);\nint high(void);\nint high(void) { return low_a(); }\n"


def test_arrows_that_run_up(tmp_path, monkeypatch):
    graph = check.arrows(objects(monkeypatch, tmp_path, {"src/low/a.c": LOW, "src/high/b.c": HIGH}))
    assert check.up_arrows(graph, ["low", "high"]) == []
    assert check.up_arrows(graph, ["high", "low"]) == ["src/high/b.c uses low_a of src/low/a.c"]


def test_circles(tmp_path, monkeypatch):
    def calls(own, other):
        return f"int {other}(int);\nint {own}(int);\nint {own}(int n) {{ return {other}(n); }}\n"

    files = {"src/room/a.c": calls("a", "b"), "src/room/b.c": calls("b", "c"),
             "src/room/c.c": calls("c", "a"), "src/room/d.c": calls("d", "a"),
             "src/else/e.c": calls("e", "f"), "src/room/f.c": calls("f", "e")}
    graph = check.arrows(objects(monkeypatch, tmp_path, files))
    assert check.circles(graph) == [["src/room/a.c", "src/room/b.c", "src/room/c.c"]]


def test_externs_without_a_user(tmp_path, monkeypatch):
    found = objects(monkeypatch, tmp_path, {"src/low/a.c": LOW + "int dead(void) { return 2; }\n",
                                            "src/high/b.c": HIGH})
    test = check.Object("tests/t.c", set(), {"high"}, set())
    assert check.lonely(found, [test], {"low": {"high"}}) == (["src/low/a.c: dead"], ["src/high/b.c: high"])
    assert check.lonely(found, [test], {"high": {"high", "dead"}}) == (["src/low/a.c: dead"], [])


def test_variables_and_functions_of_libc(tmp_path, monkeypatch):
    text = """#include <stdio.h>
        static int count;
        static const char *const words[] = {"a", "b"};
        int print(int n);
        int print(int n) { static int last; printf("%s", words[n]); return count++ + (last = n); }
        """
    [found] = objects(monkeypatch, tmp_path, {"src/plan/a.c": text})
    assert {name.split(".")[0] for name in found.variables} == {"count", "last"}
    assert check.foreign_functions([found]) == ["src/plan/a.c: printf"]
    assert check.foreign_functions([found._replace(source="src/report/a.c")]) == []


def test_headers_in_one_room():
    sources = {"src/db/a.c": "#include <libpq-fe.h>\n#include <sys/stat.h>\n",
               "src/run/b.c": "#include <libpq-fe.h>\n#include <curl/curl.h>\n#include <stdio.h>\n"}
    assert check.foreign_headers(sources) == [
        "src/run/b.c: <curl/curl.h> belongs to http/", "src/run/b.c: <libpq-fe.h> belongs to db/"]


def test_functions_and_their_parameters():
    text = """static int
none(void)
{
    return 1;
}

MUST_CHECK static const char *
many(int a, void (*b)(int, int), int c, int d,
     int e, int f, int g, const char *h)
{
    if (a) {
        b(c, d);
    }
    return h;
}
"""
    assert check.functions_of(text) == [("none", 2, 3, 0), ("many", 8, 6, 8)]


def test_too_many_are_refused(capsys, monkeypatch):
    monkeypatch.setattr(check, "LIMITS", {"circles": 1})
    assert check.print_figures([("circles", ["a"])])
    assert not check.print_figures([("circles", ["a", "b"])])
    assert "circles                                         2      1  too many" in (
        capsys.readouterr().out)


def test_rooms_are_those_of_the_build():
    """What the figures are counted over is the program, in the order of docs/architecture.md."""
    with open(os.path.join(check.BUILD, "compile_commands.json"), encoding="utf-8") as f:
        commands = json.load(f)
    built = {check.room_of(check.source_of(c)) for c in commands
             if check.source_of(c).startswith("src/")}
    assert built == set(check.rooms_of_architecture())
