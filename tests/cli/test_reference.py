"""The command line explains itself, and the documents say what the program says.

The program is ARAMID_BIN, or build/debug/src/cli/aramid.
"""

import importlib.util
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from harness import wait

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("ARAMID_BIN", str(ROOT / "build/debug/src/cli/aramid"))

if not os.path.exists(BIN):
    if "ARAMID_BIN" in os.environ:
        raise FileNotFoundError(BIN)
    pytest.skip("the program is not built", allow_module_level=True)


def aramid(*args, cwd=None, env=None, stdin=subprocess.DEVNULL):
    keep = {k: v for k, v in os.environ.items()
            if k in ("PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
    return subprocess.run([BIN, *args], capture_output=True, text=True, timeout=wait.PATIENCE, cwd=cwd,
                          env={**keep, "LANG": "C.UTF-8", **(env or {})}, stdin=stdin)


TABLES = json.loads(aramid("help", "--json").stdout)
COMMANDS = [c["name"] for c in TABLES["commands"]]
GEN_DOCS = importlib.util.spec_from_file_location("gen_docs", ROOT / "tools/gen_docs.py")


def generated():
    module = importlib.util.module_from_spec(GEN_DOCS)
    GEN_DOCS.loader.exec_module(module)
    return module.make(BIN)


@pytest.mark.parametrize("path", [
    "docs/reference/commands.md", "docs/reference/errors.md", "docs/reference/findings.md",
    "docs/reference/settings.md",
    "packaging/man/aramid.1", "packaging/completion/aramid.bash",
    "packaging/completion/aramid.zsh", "packaging/completion/aramid.fish",
    "docs/images/shop.svg", "docs/images/shop-difference.svg"])
def test_files_are_what_the_generator_makes(path):
    files = generated()
    assert path in files
    assert (ROOT / path).read_text() == files[path], "run tools/gen_docs.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command(name):
    words = name.split()
    long = aramid(*words, "--help")
    assert long.returncode == 0
    assert long.stderr == ""
    assert f"Usage: aramid {name}" in long.stdout
    assert aramid(*words, "-h").stdout == long.stdout
    assert aramid("help", *words).stdout == long.stdout
    assert aramid("-h", *words).stdout == long.stdout
    for line in long.stdout.split("\n"):
        assert len(line) <= 80, line
        assert line == line.rstrip()
    command = next(c for c in TABLES["commands"] if c["name"] == name)
    for option in command["options"]:
        if not option["hidden"]:
            assert option["name"].lstrip("-") in long.stdout


def test_help_of_the_program():
    whole = aramid("help")
    assert whole.returncode == 0 and whole.stderr == ""
    assert aramid("--help").stdout == whole.stdout == aramid("-h").stdout
    assert max(len(line) for line in whole.stdout.split("\n")) <= 80
    for command in TABLES["commands"]:
        assert (f"  {command['name']} " in whole.stdout) != command["hidden"]


def test_nothing_is_an_error_on_standard_error():
    for args in ((), ("db",), ("migrate",)):
        run = aramid(*args)
        assert run.returncode == 2
        assert run.stdout == ""
        assert "Usage: aramid" in run.stderr


@pytest.mark.parametrize("word", ["db", "migrate", "config"])
def test_help_of_first_words(word):
    run = aramid("help", word)
    assert run.returncode == 0 and run.stderr == ""
    assert aramid(word, "--help").stdout == run.stdout
    for name in COMMANDS:
        if name.startswith(word + " ") and name != "db supervise":
            assert name in run.stdout
    assert "supervise" not in run.stdout


def test_help_topics():
    everything = aramid("help", "--all")
    assert everything.returncode == 0 and everything.stderr == ""
    for name in COMMANDS:
        assert f"Usage: aramid {name}" in everything.stdout
    errors = aramid("help", "--errors").stdout
    for error in TABLES["errors"]:
        assert error["name"] in errors
    assert max(len(line) for line in errors.split("\n")) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option(name):
    command = next(c for c in TABLES["commands"] if c["name"] == name)
    run = aramid(*name.split(), "--bogus-option")
    assert run.returncode == (1 if command["prismaExitStatus"] else 2)
    assert run.stdout == ""
    assert 'unknown option "--bogus-option"' in run.stderr
    assert f"aramid help {name}" in run.stderr


def test_nearest_spelling():
    assert "did you mean `aramid deploy`?" in aramid("deplyo").stderr
    for words in ("studio",):
        answer = aramid(*words.split())
        assert answer.returncode == 2 and "did you mean" not in answer.stderr, answer.stderr
        assert f"no command `aramid {words}`; nothing was done" in answer.stderr, answer.stderr
    assert "did you mean --dry-run?" in aramid("deploy", "--dryrun").stderr
    assert "did you mean `aramid db start`?" in aramid("db", "strat").stderr
    for words in (("deplyo",), ("deploy", "--dryrun"), ("db", "strat")):
        run = aramid(*words)
        assert run.returncode == 2 and run.stdout == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_nearest_option(name):
    """Two letters in the wrong order: of the command's first option, and of one that all have."""
    command = next(c for c in TABLES["commands"] if c["name"] == name)
    options = [o["name"].removeprefix("--") for o in command["options"] if not o["hidden"]]
    for option in [o for o in options if len(o) > 2 and o[1] != o[2]][:1] + ["json"]:
        swapped = "--" + option[0] + option[2] + option[1] + option[3:]
        assert f"did you mean --{option}?" in aramid(*name.split(), swapped).stderr, swapped


def test_version():
    assert aramid("--version").stdout == f"aramid {TABLES['version']}\n"
    assert aramid("-V").stdout == aramid("version").stdout == aramid("--version").stdout
    assert json.loads(aramid("version", "--json").stdout)["version"] == TABLES["version"]


def test_json_errors_are_json(tmp_path):
    run = aramid("config", "show", "--env", "no-such-environment", "--json", cwd=tmp_path)
    assert run.returncode == 3
    assert json.loads(run.stdout)["error"]["code"] == "config"
    assert run.stderr.startswith("error: ")
    for words in (["deploy", "--json", "--nope"], ["deploy", "--nope", "--json"], ["nope", "--json"],
                  ["resolve", "--json"], ["status", "--json", "--url", ""]):
        run = aramid(*words, cwd=tmp_path)
        assert run.returncode == 2 and run.stderr.startswith("error: "), words
        error = json.loads(run.stdout)["error"]
        assert error["code"] == "usage" and error["exitStatus"] == 2, words
    assert not aramid("deploy", "--nope", cwd=tmp_path).stdout


def test_password_leaves_the_process_list(tmp_path):
    """The URL's password is overwritten in argv before the command does anything."""
    reader, writer = os.pipe()
    # A full pipe as standard output holds the process while /proc is read.
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 65536)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    process = subprocess.Popen([BIN, "config", "show", "--url",
                                "postgresql://me:pw-canary@127.0.0.1:1/d?password=pw-canary"],
                               stdout=writer, stderr=subprocess.DEVNULL, cwd=tmp_path)
    os.close(writer)
    try:
        text = wait.until(lambda: b"****" in (read := pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes())
                          and read, "an overwritten password", 0.01)
        assert b"--url" in text and b"127.0.0.1:1/d" in text
        assert b"pw-canary" not in text
    finally:
        output = b""
        while chunk := os.read(reader, 65536):
            output += chunk
        os.close(reader)
        process.wait(timeout=wait.PATIENCE)
    assert b"pw-canary" not in output
    assert b"127.0.0.1" in output


def test_broken_standard_output():
    run = subprocess.run(f"{shlex.quote(BIN)} help --all | head -1", shell=True,
                         capture_output=True, text=True, executable="/bin/bash")
    assert run.stdout.startswith("aramid ") and run.stderr == ""
    run = subprocess.run(f"set -o pipefail; {shlex.quote(BIN)} help --all | true", shell=True,
                         capture_output=True, text=True, executable="/bin/bash")
    assert run.returncode == 0 and run.stderr == ""
    run = subprocess.run(f"{shlex.quote(BIN)} help --all >/dev/full", shell=True,
                         capture_output=True, text=True)
    assert run.returncode == 5 and "cannot write to standard output" in run.stderr
    run = subprocess.run(f"{shlex.quote(BIN)} help >&- 2>&-", shell=True)
    assert run.returncode == 0


def test_colours():
    assert "\033[" not in aramid("help").stdout
    assert "\033[" in aramid("help", "--color", "always").stdout
    assert "\033[" in aramid("help", env={"FORCE_COLOR": "1"}).stdout
    assert "\033[" in aramid("help", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\033[" not in aramid("help", "--color=never", env={"FORCE_COLOR": "1"}).stdout


def test_examples_parse():
    """The examples use commands and options that exist; --help runs nothing."""
    for command in TABLES["commands"]:
        for example in command["examples"]:
            line = example["line"].split("<")[0]
            start = line.index("aramid ")
            words = shlex.split(line[start:].rstrip(')"'))[1:]
            run = aramid(*words, "--help")
            assert run.returncode == 0, example
            known = {o["name"] for o in command["options"] + TABLES["globalOptions"]}
            for word in words[:words.index("--") if "--" in words else None]:
                if word.startswith("--"):
                    assert word.split("=")[0] in known, example


def typed_lines():
    """(place, words) of every `aramid ...` that the documents show: code blocks, tables and prose."""
    for path in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", *sorted((ROOT / "src").glob("*/README.md"))]:
        for number, text in enumerate(path.read_text().split("\n"), 1):
            is_block = re.match(r"(    |\t)|\S*\s*(\$ )?aramid ", text) and "`" not in text
            shown = [text] if is_block else re.findall(r"`([^`]*)`", text)
            for piece in (part for whole in shown for part in re.split(r"&&|\|\|", whole)):
                for found in re.finditer(r"(?:^|(?<=[\s(\"'=/$]))aramid ((?:[a-z-]|$).*)", piece):
                    # A line of the documents ends where the explanation beside it begins.
                    line = re.split(r"   |  +#|\s[|&;>#]|[;)]|\.\.\.|…| -- ", found[1])[0]
                    words = re.findall(r"\"[^\"]*\"|'[^']*'|\S+", line)
                    yield f"{path.relative_to(ROOT)}:{number}", [w.strip("\"'[]{},.:") for w in words]


def test_documents_name_commands_and_options_that_exist():
    """Every option after a command is one of that command, also after a comma and in brackets. Commands that
    do not exist are only those that are answered with what to type instead."""
    by_name = {tuple(c["name"].split()): c for c in TABLES["commands"]}
    wrong, seen = [], 0
    for place, words in typed_lines():
        command = next((by_name[tuple(words[:n])] for n in (3, 2, 1) if tuple(words[:n]) in by_name), None)
        options = TABLES["globalOptions"] + (command["options"] if command else [])
        known = {"-h", "-V", "--help", "--version"} | {
            name for o in options for name in (o["name"], o["letter"], *o["otherNames"],
                                               "--no-" + o["name"][2:] if o["negatable"] else None)}
        seen += 1
        first_words = {name[0] for name in by_name if len(name) > 1}
        if command is None and not words[0].startswith("-") and words[0] not in first_words:
            answer = aramid(words[0]).stderr
            if "nothing was done" not in answer or "did you mean" in answer:
                wrong.append((place, " ".join(words), words[0]))
        wrong += [(place, " ".join(words), word) for word in words
                  if re.fullmatch(r"--?[A-Za-z][\w-]*(=.*)?", word) and word.split("=")[0] not in known]
    assert seen > 150 and not wrong, wrong


def test_completion_scripts():
    script = ROOT / "packaging/completion/aramid.bash"

    def complete(*words):
        line = " ".join(shlex.quote(w) for w in words)
        run = subprocess.run(
            ["bash", "-c", f"source {shlex.quote(str(script))}; COMP_WORDS=({line}); "
                           f"COMP_CWORD={len(words) - 1}; _aramid; echo \"${{COMPREPLY[*]}}\""],
            capture_output=True, text=True, check=True)
        assert run.stderr == ""
        return run.stdout.split()

    assert complete("aramid", "dep") == ["deploy"]
    assert complete("aramid", "db", "st") == ["start", "stop", "status"]
    assert complete("aramid", "--env", "x", "deploy", "--dry") == ["--dry-run"]
    assert complete("aramid", "deploy", "--color", "a") == ["auto", "always"]
    assert "supervise" not in complete("aramid", "db", "")
    for shell, name in (("zsh", "aramid.zsh"), ("fish", "aramid.fish")):
        if shutil.which(shell):
            subprocess.run([shell, "-n", str(ROOT / "packaging/completion" / name)], check=True)


def test_manual_page():
    if not shutil.which("groff"):
        pytest.skip("no groff")
    run = subprocess.run(["groff", "-man", "-Tascii", "-ww", str(ROOT / "packaging/man/aramid.1")],
                         capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == ""
    assert "aramid deploy" in run.stdout
