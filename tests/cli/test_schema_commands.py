"""validate, format and schema as programs: places, exit statuses, streams, files.

The program is ARAMID_BIN, or build/debug/src/cli/aramid.
"""

import json
import os
import pathlib
import random
import re
import resource
import stat
import subprocess

import pytest

from harness import wait

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("ARAMID_BIN", str(ROOT / "build/debug/src/cli/aramid"))

if not os.path.exists(BIN):
    if "ARAMID_BIN" in os.environ:
        raise FileNotFoundError(BIN)
    pytest.skip("the program is not built", allow_module_level=True)

GOOD = """\
datasource db {
  provider = "postgresql"
}

model User {
  id    Int    @id
  email String @unique
}
"""
TYPO = GOOD + """
model Post {
  id     Int @id
  author Usr
}
"""
BROKEN = GOOD + "\nmodel Post {\n  id Int @id(\n}\n"


def aramid(*args, cwd, env=None, text=None):
    keep = {k: v for k, v in os.environ.items()
            if k in ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
    stdin = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    return subprocess.run([BIN, *args], capture_output=True, text=True, timeout=wait.PATIENCE, cwd=cwd,
                          env={**keep, "LANG": "C.UTF-8", **(env or {})}, **stdin)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "prisma").mkdir()
    (tmp_path / "prisma/schema.prisma").write_text(GOOD)
    return tmp_path


def test_valid_schema(project):
    run = aramid("validate", cwd=project)
    assert run.returncode == 0, run
    assert run.stdout == "prisma/schema.prisma is valid: 1 model, 0 enums, no errors\n"
    assert run.stderr == ""
    assert aramid("validate", "-q", cwd=project).stdout == ""
    assert aramid("validate", "-C", str(project), cwd="/").stdout == run.stdout


def test_error_has_place_line_and_caret(project):
    (project / "prisma/schema.prisma").write_text(TYPO)
    run = aramid("validate", cwd=project)
    assert run.returncode == 1
    lines = run.stdout.split("\n")
    assert lines[0].startswith("prisma/schema.prisma:12:10: error: ")
    assert lines[1] == "   12 |   author Usr"
    assert lines[2] == "      |          ^^^"
    assert "User" in run.stdout
    assert run.stdout.endswith("prisma/schema.prisma: 1 error\n")


def test_json(project):
    result = json.loads(aramid("validate", "--json", cwd=project).stdout)
    assert result["ok"] is True and result["diagnostics"] == []
    (project / "prisma/schema.prisma").write_text(TYPO)
    run = aramid("validate", "--json", cwd=project, env={"GITHUB_ACTIONS": "true"})
    assert run.returncode == 1
    result = json.loads(run.stdout)
    assert result["ok"] is False and result["errors"] == 1
    diagnostic = result["diagnostics"][0]
    assert (diagnostic["path"], diagnostic["line"], diagnostic["column"]) == (
        "prisma/schema.prisma", 12, 10)


def test_github_annotations(project):
    (project / "prisma/schema.prisma").write_text(TYPO)
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(project.parent)}
    run = aramid("validate", cwd=project, env=env)
    assert f"\n::error file={project.name}/prisma/schema.prisma,line=12,col=10,title=" in run.stdout
    assert "::error" not in aramid("validate", cwd=project).stdout


def test_a_list_as_a_foreign_key(project):
    """Prisma accepts it; no server does, unless both sides are lists, or nothing makes the key."""
    text = """
model Org {
  id    String   @id
  many  String[] @unique
  other Other?   @relation(fields: [many], references: [key])
}

model Other {
  id  Int @id
  key String @unique
  org Org?
}
"""
    path = project / "prisma/schema.prisma"
    for change, warned in ((("", ""), True), (("key String ", "key String[] "), False), (("many  String[]", "many  String"), False),
                           (('"postgresql"', '"postgresql"\n  relationMode = "prisma"'), False)):
        path.write_text((GOOD + text).replace(*change))
        run = aramid("validate", cwd=project)
        assert run.returncode == 0 and ("relation-list" in run.stderr + run.stdout) == warned, (change, run)


def test_generation(project):
    (project / "prisma/schema.prisma").write_text(
        GOOD.replace('"postgresql"\n', '"postgresql"\n  url      = env("DATABASE_URL")\n'))
    assert aramid("validate", cwd=project).returncode == 0
    assert aramid("validate", "--prisma", "6", cwd=project).returncode == 0
    assert aramid("validate", "--prisma", "7", cwd=project).returncode == 1


def test_no_schema(tmp_path):
    for command in ("validate", "format", "schema"):
        run = aramid(command, cwd=tmp_path)
        assert run.returncode == 3 and run.stdout == ""
        assert "no schema.prisma was found" in run.stderr
        assert f"aramid {command} --schema PATH" in run.stderr
        run = aramid(command, "--schema", "nowhere.prisma", cwd=tmp_path)
        assert run.returncode == 5 and "nowhere.prisma" in run.stderr


def test_folder_of_files(tmp_path):
    folder = tmp_path / "prisma/schema"
    folder.mkdir(parents=True)
    (folder / "a.prisma").write_text(GOOD)
    (folder / "b.prisma").write_text("model Post {\n  id Int @id\n  u  Usr\n}\n")
    run = aramid("validate", "--schema", "prisma/schema", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stdout.startswith("prisma/schema/b.prisma:3:6: error: ")


def test_format_rewrites_in_place(project):
    file = project / "prisma/schema.prisma"
    file.write_text(GOOD.replace("id    Int    @id", "id Int @id // key"))
    file.chmod(0o640)
    inode = os.stat(file).st_uid
    check = aramid("format", "--check", cwd=project)
    assert check.returncode == 1 and check.stdout == "prisma/schema.prisma\n"
    assert "// key" in file.read_text() and "id Int @id //" in file.read_text()
    run = aramid("format", cwd=project)
    assert run.returncode == 0 and run.stdout == "prisma/schema.prisma\n"
    assert "  id    Int    @id // key\n" in file.read_text()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o640 and os.stat(file).st_uid == inode
    again = aramid("format", cwd=project)
    assert again.returncode == 0 and again.stdout == ""
    assert aramid("format", "--check", cwd=project).returncode == 0
    assert [p.name for p in (project / "prisma").iterdir()] == ["schema.prisma"]


def test_format_keeps_links(project):
    file = project / "prisma/schema.prisma"
    file.rename(project / "real.prisma")
    file.symlink_to("../real.prisma")
    (project / "real.prisma").write_text(GOOD.replace("id    Int    @id", "id Int @id"))
    assert aramid("format", cwd=project).returncode == 0
    assert file.is_symlink()
    assert (project / "real.prisma").read_text() == GOOD


def test_format_of_standard_input(project):
    text = GOOD.replace("id    Int    @id", "id Int @id")
    run = aramid("format", cwd=project, text=text)
    assert run.returncode == 0 and run.stdout == GOOD and run.stderr == ""
    run = aramid("format", "--check", cwd=project, text=text)
    assert run.returncode == 1 and run.stdout == "<stdin>\n"
    run = aramid("format", "--check", cwd=project, text=GOOD)
    assert run.returncode == 0 and run.stdout == ""
    # An empty pipe is what pipelines give to programs that read nothing.
    run = aramid("format", cwd=project, text="")
    assert run.returncode == 0 and run.stdout == "" and "input is empty" in run.stderr
    (project / "prisma/schema.prisma").write_text(text)
    run = aramid("format", "--check", cwd=project, text="")
    assert run.returncode == 1 and run.stdout == "prisma/schema.prisma\n"
    (project / "prisma/schema.prisma").write_text(GOOD)
    # With --schema the input is left alone.
    run = aramid("format", "--check", "--schema", "prisma/schema.prisma", cwd=project, text=text)
    assert run.returncode == 0


def test_format_refuses_broken_text(project):
    (project / "prisma/schema.prisma").write_text(BROKEN)
    run = aramid("format", cwd=project)
    assert run.returncode == 1 and run.stdout == ""
    assert "prisma/schema.prisma:1" in run.stderr and "error:" in run.stderr
    assert (project / "prisma/schema.prisma").read_text() == BROKEN
    run = aramid("format", cwd=project, text=BROKEN)
    assert run.returncode == 1 and run.stdout == "" and "<stdin>:1" in run.stderr


def test_schema(project):
    run = aramid("schema", cwd=project)
    assert run.returncode == 0 and "User" in run.stdout and "email" in run.stdout
    assert "User" in json.dumps(json.loads(aramid("schema", "--json", cwd=project).stdout))
    (project / "prisma/schema.prisma").write_text(BROKEN)
    # Of a schema with errors: what could be understood, why not all, and an exit status.
    run = aramid("schema", cwd=project)
    assert run.returncode == 1 and "model User" in run.stdout
    assert run.stderr.startswith("prisma/schema.prisma:1") and "is missing" in run.stderr
    (project / "prisma/schema.prisma").write_text(TYPO)
    run = aramid("schema", "--json", cwd=project)
    assert run.returncode == 1 and json.loads(run.stdout)["ok"] is False
    assert "did you mean" in run.stderr


# -- Bad input: never a crash, a hang or an error without a place ----------------------------------

def nested(opening, closing):
    return b"model A {\n  id Int @id" + opening * 100000 + closing * 100000 + b"\n}\n"


BAD = {  # text, is it valid, can it be read
    "empty": (b"", True, True),
    "nul": (b"\0", False, False),
    "nul-inside": (b"model A {\n  id Int @id\0\n}\n", False, False),
    "binary": (random.Random(1).randbytes(1 << 20), False, False),
    "utf-16": (GOOD.encode("utf-16"), False, False),
    "not-utf-8": (b"model A {\n  id Int @id\n  n\xff\xfe String // \xc3\x28\n}\n", False, False),
    "bom": (b"\xef\xbb\xbf" + GOOD.encode(), True, True),
    "bom-and-cr": (b"\xef\xbb\xbfmodel A {\r", False, False),
    "cr": (GOOD.replace("\n", "\r").encode(), True, True),
    "bidi": (b"model \xe2\x80\xae {\n}\n", False, False),
    "one-word": (b"x" * 1000000, False, False),
    "brackets": (nested(b"(x: [", b"])"), False, False),
    "parentheses": (nested(b"(x", b")"), False, False),
    "objects": (nested(b"({a: ", b"})"), False, False),
    "only-braces": (b"{" * 100000, False, False),
    "only-brackets": (b"model A {\n  id Int @id(" + b"[" * 100000, False, False),
    "50-mb-line": (b"model A { " + b"x" * 50_000_000, False, False),
    "50-mb-comment": (GOOD.encode() + b"// " + b"x" * 50_000_000, True, True),
    "50-mb-default": (b"model A {\n  id Int @id @default(" + b"[" * 50_000_000, False, False),
    "10000-fields": (GOOD.encode() + b"model A {\n  id Int @id\n" + b"".join(
        b"  f%d String @unique @map(\"f_%d\")\n" % (i, i) for i in range(10000)) + b"}\n", True, True),
    "no-end": (GOOD.rstrip("}\n").encode(), False, False),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_texts(project, name):
    text, is_valid, is_readable = BAD[name]
    file = project / "prisma/schema.prisma"
    file.write_bytes(text)
    place = re.compile(r"prisma/schema\.prisma:\d+:\d+: (error|warning): ")
    for command in ("validate", "schema", "format"):
        run = aramid(command, cwd=project)
        bad = not (is_readable if command == "format" else is_valid)
        assert run.returncode == (1 if bad else 0), (command, run.returncode, run.stderr[:500])
        told = run.stdout if command == "validate" else run.stderr
        assert not bad or place.match(told), (command, told[:200])
        assert "\u202e" not in told and "\0" not in told
        assert max(len(line) for line in told.split("\n")) < 500
    assert is_readable or file.read_bytes() == text
    if is_readable:
        assert aramid("format", "--check", cwd=project).returncode == 0


def test_unreadable_files(tmp_path):
    file = tmp_path / "schema.prisma"
    file.write_text(GOOD)
    file.chmod(0)
    (tmp_path / "self.prisma").symlink_to("self.prisma")
    (tmp_path / "none.prisma").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.prisma")
    # Root may read everything but the unreadable memory of a process.
    unreadable = "/proc/self/mem" if os.geteuid() == 0 else "schema.prisma"
    for path in (unreadable, "self.prisma", "none.prisma", "pipe.prisma", "/dev/zero", "."):
        for command in ("validate", "format", "schema"):
            run = aramid(command, "--schema", path, cwd=tmp_path)
            assert run.returncode == 5 and run.stdout == "", (command, path, run)
            assert "\n  at:    " in run.stderr, run.stderr


def test_folders_with_cycles_of_links(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one.prisma").write_text(GOOD)
    (tmp_path / "a/b/up").symlink_to("../..")
    (tmp_path / "a/b/same").symlink_to(".")
    (tmp_path / "also").symlink_to("a")
    run = aramid("validate", "--schema", ".", cwd=tmp_path)
    assert run.returncode == 0 and run.stdout == ". is valid: 1 model, 0 enums, no errors\n"
    assert aramid("format", "--check", "--schema", ".", cwd=tmp_path).returncode == 0
    assert "model User" in aramid("schema", "--schema", ".", cwd=tmp_path).stdout


def test_very_many_errors(project):
    (project / "prisma/schema.prisma").write_text("model A {\n  id Int @id\n}\n" * 3000)
    run = aramid("validate", cwd=project)
    assert run.returncode == 1
    assert run.stdout.count(": error: ") == 1000
    assert "\nOnly 1000 of them are shown.\n" in run.stdout and "2999 errors\n" in run.stdout


def test_time_grows_with_the_text(tmp_path):
    """Processor time, small and large in turn. The sanitizers' share is part of it: tenfold text may
    take fifteenfold time, not a hundred."""
    def seconds(models):
        (tmp_path / "schema.prisma").write_text(
            "datasource db {\n  provider = \"postgresql\"\n}\n" + "".join(
                f"model M{i} {{\n  id Int @id\n  a{i} Int @unique\n  to M{(i + 1) % models} "
                f"@relation(\"r{i}\", fields: [a{i}], references: [id])\n"
                f"  of M{(i - 1) % models}? @relation(\"r{(i - 1) % models}\")\n}}\n"
                for i in range(models)))
        before = processor_time()
        assert aramid("validate", "--schema", "schema.prisma", cwd=tmp_path).returncode == 0
        return processor_time() - before

    def processor_time():
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    small, large = zip(*((seconds(800), seconds(8000)) for _ in range(2)))
    assert min(large) < 0.5 + 25 * min(small)
