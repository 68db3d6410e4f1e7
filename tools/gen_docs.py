#!/usr/bin/env python3
"""Make the reference documents, the manual page, the completion scripts and the pictures.

Everything comes from the tables of the program itself (`aramid help --json`):

    tools/gen_docs.py build/debug/src/cli/aramid            write the files
    tools/gen_docs.py --check build/debug/src/cli/aramid    exit 1 when a file differs

Without an argument the program of build/debug or build/release is asked.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
MADE_BY = "Made by tools/gen_docs.py from the tables in src/; do not edit."

GROUPS = [
    (0, 0, "Done, or there was nothing to do."),
    (1, 1, "The answer is no: not valid, not formatted, not running. With Prisma's spellings: any "
           "failure."),
    (2, 9, "The call: command line, configuration, confirmation, files, schema."),
    (10, 19, "States and findings: what was looked at is not as it should be."),
    (20, 29, "Migrations and their history."),
    (30, 39, "The database; trying again will not help."),
    (40, 49, "Temporary; trying again may help."),
    (70, 70, "A defect of Aramid."),
    (128, 255, "128 + n: ended by signal n (130 is Ctrl+C)."),
]


# ---- Markdown ------------------------------------------------------------------------------------

def md_cell(text):
    return str(text if text is not None else "").replace("|", "\\|").replace("\n", " ")


def md_code(text):
    return f"`{md_cell(text)}`" if text else ""


def md_table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def option_forms(option):
    """-C, --directory DIR"""
    name = option["name"]
    if option["negatable"]:
        name = "--[no-]" + name[2:]
    if option["value"]:
        name += " " + option["value"]
    return f"{option['letter']}, {name}" if option["letter"] else name


def option_help(option):
    text = option["help"]
    notes = []
    if option["setting"]:
        notes.append(f"setting `{option['setting']}`")
    if option["env"]:
        plural = "variables" if "," in option["env"] else "variable"
        notes.append(plural + " " + ", ".join(f"`{e.strip()}`" for e in option["env"].split(",")))
    if option["default"] is not None:
        notes.append(f"default `{option['default']}`")
    if option["repeatable"]:
        notes.append("may be given more than once")
    return text + (" (" + ", ".join(notes) + ")" if notes else "")


def md_options(options):
    rows = [(md_code(option_forms(o)), md_cell(option_help(o)))
            for o in options if not o["hidden"]]
    return md_table(("option", "meaning"), rows)


def anchor(name):
    return "aramid-" + name.replace(" ", "-")


def md_commands(t):
    commands = [c for c in t["commands"] if not c["hidden"]]
    out = [f"# Commands\n\n<!-- {MADE_BY} -->\n"]
    rows = [(f"[`aramid {c['name']}`](#{anchor(c['name'])})", c["class"], md_cell(c["summary"]))
            for c in commands]
    out.append(md_table(("command", "class", "what it does"), rows))
    out.append("The class says what a command may do: *information* looks at nothing but the "
               "program itself; *reads only*\nchanges neither files nor databases; *writes files* "
               "may change files of the project; *changes the database*\nmay do so, and asks first "
               "where the environment's profile is production.\n")
    out.append("## General options\n\nThey may stand before or after the command.\n")
    out.append(md_options(t["globalOptions"]))
    for c in commands:
        out.append(f"## aramid {c['name']}\n\n{c['summary'].capitalize()}. *{c['class']}*\n")
        out.append(f"```\n{c['usage']}\n```\n")
        out.append("\n".join(textwrap.fill(p, 100, break_on_hyphens=False)
                             if p else "" for p in c["description"].split("\n")) + "\n")
        if c["arguments"]:
            out.append(md_table(("argument", "meaning"),
                                [(md_code(a["name"]), md_cell(a["help"]))
                                 for a in c["arguments"]]))
        if c["options"]:
            out.append(md_options(c["options"]))
        if c["examples"]:
            width = max(len(e["line"]) for e in c["examples"])
            lines = [f"{e['line']:{width}}   # {e['help']}" for e in c["examples"]]
            out.append("```sh\n" + "\n".join(lines) + "\n```\n")
        if c["prismaExitStatus"]:
            out.append("Exit status: 0 when done, 1 for anything else, as Prisma has it.\n")
        elif c["exitStatuses"]:
            out.append(md_table(("exit status", "meaning"),
                                [(str(e["status"]), md_cell(e["meaning"]))
                                 for e in [{"status": 0, "meaning": "done"}]
                                 + c["exitStatuses"]]))
    out.append("Exit statuses of failures: [errors.md](errors.md).\n")
    return "\n".join(out)


def md_errors(t):
    out = [f"# Exit statuses and errors\n\n<!-- {MADE_BY} -->\n"]
    rows = [(str(a) if a == b else f"{a}-{b}", text) for a, b, text in GROUPS]
    out.append(md_table(("exit status", "meaning"), rows))
    out.append("Numbers and names are never given a second meaning. `aramid help --errors` prints "
               "this table, `aramid explain` one\nof them, and with `--json` a "
               "failing command prints the name as `error.code`.\n")
    errors = sorted(t["errors"], key=lambda e: e["exitStatus"])
    out.append(md_table(("exit status", "name", "Prisma", "meaning", "when it comes, what to do"),
                        [(str(e["exitStatus"]), md_code(e["name"]), e["prisma"] or "",
                          md_cell(e["meaning"]), md_cell(e["help"])) for e in errors]))
    out.append("## States\n\nSome commands also answer a question with their exit status:\n")
    rows = [(str(e["status"]), md_code("aramid " + c["name"]), md_cell(e["meaning"]))
            for c in t["commands"] for e in c["exitStatuses"]]
    out.append(md_table(("exit status", "command", "meaning"), rows))
    out.append("`aramid migrate deploy`, `status` and `resolve` keep to Prisma's own statuses: 0, "
               "or 1 for anything else.\n")
    return "\n".join(out)


def md_findings(t):
    titles = {"config": "Configuration", "reach": "Way to the database", "server": "Server",
              "ledgers": "Histories of migration tools", "tools": "Programs",
              "identity": "Which database it is", "schema": "schema.prisma",
              "drift": "Drift", "backup": "Backups and restores",
              "history": "Folder of migrations and ledger", "plan": "Pending migrations",
              "run": "Runs", "comparison": "Comparisons", "pull": "Pull", "init": "Init", "lint": "Lint"}
    rules = {"free": "", "keeps errors": "errors stay", "no error": "no error", "fixed": "fixed"}
    out = [f"# Findings\n\n<!-- {MADE_BY} -->\n"]
    out.append("What commands tell beside errors: in text behind the message as `[id]`, in JSON as "
               "objects with `id`, `area`, `severity`,\n`object`, `message`, `note`, `fix` and the "
               "place (`path`, `line`, `column`, `endLine`, `endColumn`).\n")
    out.append("`aramid explain ID` prints the same. In aramid.yaml a finding is silenced or "
               "made another severity, for all environments\nor for one:\n\n"
               "```yaml\nfindings:\n  relation-index: off\nenvironments:\n  production:\n"
               "    findings:\n      server-dump: error\n```\n\nWhat is `ok` always stays. "
               "A finding that is an error makes `validate` (1), `doctor` and `plan` (19) fail, and ends a "
               "deploy\nbefore it changes anything (19).\n")
    out.append("The severity is the one where nothing else is said: most checks are `ok` where all "
               "is well, and a warning or an error\nwhere it is not. The last column says what "
               "settings may do: nothing (*fixed*), all but silence an error (*errors stay*),\n"
               "all but make an error of it, because it is known only when something was done already "
               "(*no error*), else everything.\n")
    for area in dict.fromkeys(f["area"] for f in t["findings"]):
        out.append(f"## {titles[area]}\n")
        rows = [(md_code(f["id"]), f["severity"], md_cell(f["meaning"]), md_cell(f["help"]),
                 rules[f["rule"]]) for f in t["findings"] if f["area"] == area]
        out.append(md_table(("finding", "severity", "meaning", "when it comes, what to do",
                             "settings"), rows))
    return "\n".join(out)


def md_settings(t):
    flags = {}
    for c in [{"name": None, "options": t["globalOptions"]}] + t["commands"]:
        for o in c["options"]:
            if o["setting"]:
                flags.setdefault(o["setting"], o["name"])
    out = [f"# Settings\n\n<!-- {MADE_BY} -->\n"]
    out.append("A setting comes from the first of these that has it: the option, the environment "
               "variable (of the process, then of\nthe .env files), `aramid.yaml`, the files of "
               "Prisma, the default. `aramid config show` tells for each where its value\ncomes "
               "from.\n")
    rows = [(md_code(s["key"]), s["type"], md_code(s["env"]), md_code(flags.get(s["key"])),
             md_code(s["default"]), md_cell(s["help"]) + (" (secret)" if s["secret"] else ""))
            for s in t["settings"]]
    out.append(md_table(("key in aramid.yaml", "type", "variable", "option", "default", "meaning"),
                        rows))
    out.append("Durations are written as `250ms`, `30s`, `5min` or `2h`; a bare number is "
               "milliseconds. A dotted key is nested in the\nfile:\n\n"
               "```yaml\nlocks:\n  timeout: 100ms\n```\n")
    out.append("`findings` is a mapping too: [findings.md](findings.md).\n")
    return "\n".join(out)


# ---- manual page ---------------------------------------------------------------------------------

def roff(text):
    out = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in out.split("\n"))


def roff_options(options):
    out = []
    for o in options:
        if not o["hidden"]:
            out += [".TP", ".B " + roff(option_forms(o)), roff(option_help(o).replace("`", ""))]
    return out


def man_page(t):
    commands = [c for c in t["commands"] if not c["hidden"]]
    out = [f'.\\" {MADE_BY}', f'.TH ARAMID 1 "" "aramid {t["version"]}" "Aramid"',
           ".SH NAME", "aramid \\- safe migrations for PostgreSQL",
           ".SH SYNOPSIS", ".B aramid", ".I COMMAND", "[options]", ".SH COMMANDS"]
    for c in commands:
        out += [f".SS {roff(c['usage'])}", f".I {roff(c['class'])}", ".PP"]
        for i, paragraph in enumerate(c["description"].split("\n\n")):
            out += ([".PP"] if i else []) + [roff(paragraph.replace("`", ""))]
        for a in c["arguments"]:
            out += [".TP", ".I " + roff(a["name"]), roff(a["help"])]
        out += roff_options(c["options"])
        for e in c["exitStatuses"]:
            out += [".TP", f"exit status {e['status']}", roff(e["meaning"].replace("`", ""))]
        if c["examples"]:
            out += [".PP", "Examples:"]
            for e in c["examples"]:
                out += [".PP", ".RS 4", ".B " + roff(e["line"]), ".br",
                        roff(e["help"].replace("`", "")), ".RE"]
    out += [".SH GENERAL OPTIONS"] + roff_options(t["globalOptions"])
    out += [".SH EXIT STATUS"]
    for a, b, text in GROUPS:
        out += [".TP", str(a) if a == b else f"{a}\\-{b}", roff(text.replace("`", ""))]
    out += [".PP", "aramid help \\-\\-errors prints the whole table.", ".SH FILES",
            ".TP", ".I aramid.yaml", "settings of the project",
            ".TP", ".I .aramid/", "reports of runs, and the embedded database"]
    return "\n".join(out) + "\n"


# ---- completion ----------------------------------------------------------------------------------

def option_words(options):
    words = []
    for o in options:
        if o["hidden"]:
            continue
        words.append(o["name"])
        if o["negatable"]:
            words.append("--no-" + o["name"][2:])
    return words


def all_options(t):
    """Every visible option of the program once, global ones first."""
    seen = {}
    for c in [{"options": t["globalOptions"]}] + t["commands"]:
        for o in c["options"]:
            if not o["hidden"] and not c.get("hidden"):
                seen.setdefault(o["name"], o)
    return list(seen.values())


def patterns(options):
    return "|".join(p for o in options for p in (o["letter"], o["name"]) if p)


def completion_bash(t):
    commands = [c for c in t["commands"] if not c["hidden"]]
    firsts = list(dict.fromkeys(c["name"].split()[0] for c in commands))
    seconds = {}
    for c in commands:
        if " " in c["name"]:
            seconds.setdefault(c["name"].split()[0], []).append(c["name"].split()[1])
    options = all_options(t)
    out = [f"# bash completion for aramid. {MADE_BY}", "_aramid() {",
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
           "    local words='' command='' i",
           "    COMPREPLY=()",
           "    case $prev in"]
    for o in options:
        if o["type"] == "choice":
            words = " ".join(o["choices"])
            out.append(f"    {patterns([o])}) COMPREPLY=($(compgen -W '{words}' -- "
                       '"$cur")); return ;;')
    out.append(f"    {patterns(o for o in options if o['type'] == 'path')}) "
               'COMPREPLY=($(compgen -f -- "$cur")); return ;;')
    plain = [o for o in options if o["type"] in ("text", "url", "number", "duration")]
    out.append(f"    {patterns(plain)}) return ;;")
    out += ["    esac", "    for ((i = 1; i < COMP_CWORD; i++)); do",
            "        case ${COMP_WORDS[i]} in",
            f"        {patterns(o for o in options if o['value'])}) ((i++)) ;;",
            "        -*) ;;",
            '        *) command="${command:+$command }${COMP_WORDS[i]}" ;;',
            "        esac", "    done", "    case $command in",
            f"    '') words='{' '.join(firsts)}' ;;",
            f"    help) words='{' '.join(firsts)}' ;;"]
    for first, rest in seconds.items():
        out.append(f"    '{first}'|'help {first}') words='{' '.join(rest)}' ;;")
    for c in commands:
        words = option_words(c["options"])
        if words and c["name"] != "help":
            out.append(f"    '{c['name']}') words='{' '.join(words)}' ;;")
    help_words = next(option_words(c["options"]) for c in commands if c["name"] == "help")
    out += ["    esac",
            f'    [[ $command == help ]] && words+=\' {" ".join(help_words)}\'',
            f"    words+=' {' '.join(option_words(t['globalOptions']))}'",
            '    COMPREPLY=($(compgen -W "$words" -- "$cur"))', "}",
            "complete -F _aramid aramid"]
    return "\n".join(out) + "\n"


def first_words(commands):
    """{"deploy": its summary, "db": what its commands are about}"""
    words = {}
    for c in commands:
        first = c["name"].split()[0]
        alone = sum(x["name"].split()[0] == first for x in commands) == 1
        words.setdefault(first, c["summary"] if alone else c["group"])
    return words


def zsh_text(text):
    for c in "\\[]:'":
        text = text.replace(c, {"'": "'\\''"}.get(c, "\\" + c))
    return text


def zsh_option(o):
    action = {"path": ":path:_files", "choice": f":value:({' '.join(o['choices'])})",
              "flag": ""}.get(o["type"], f":{(o['value'] or '').lower()}:")
    names = [o["name"]] + (["--no-" + o["name"][2:]] if o["negatable"] else [])
    specs = []
    for name in names + ([o["letter"]] if o["letter"] else []):
        specs.append(f"'{name}[{zsh_text(o['help'])}]{action}'")
    return specs


def completion_zsh(t):
    commands = [c for c in t["commands"] if not c["hidden"]]
    with_value = patterns(o for o in all_options(t) if o["value"])
    out = ["#compdef aramid", f"# zsh completion for aramid. {MADE_BY}", "_aramid() {",
           "    local -a general commands special", "    local command='' word skip=''",
           "    general=("]
    out += [f"        {spec}" for o in t["globalOptions"] for spec in zsh_option(o)]
    out += ["    )", "    commands=("]
    firsts = first_words(commands)
    out += [f"        '{name}:{zsh_text(text)}'" for name, text in firsts.items()]
    out += ["    )", "    for word in ${words[2,CURRENT-1]}; do",
            "        if [[ -n $skip ]]; then", "            skip=''",
            f"        elif [[ $word == ({with_value}) ]]; then", "            skip=1",
            "        elif [[ $word != -* ]]; then",
            '            command="${command:+$command }$word"', "        fi", "    done",
            "    case $command in",
            "    ''|help) _describe -t commands command commands ;;"]
    for first in [f for f in firsts if any(c["name"].startswith(f + " ") for c in commands)]:
        rest = [c for c in commands if c["name"].startswith(first + " ")]
        items = " ".join(f"'{c['name'].split()[1]}:{zsh_text(c['summary'])}'" for c in rest)
        out.append(f"    '{first}'|'help {first}') special=({items}); "
                   "_describe -t commands command special ;;")
    out += ["    esac", "    special=()", "    case $command in"]
    for c in commands:
        specs = [spec for o in c["options"] if not o["hidden"] for spec in zsh_option(o)]
        if specs:
            out.append(f"    '{c['name']}'*) special=({' '.join(specs)}) ;;")
    out += ["    esac", '    _arguments -S "${general[@]}" "${special[@]}" "*: :"', "}",
            '_aramid "$@"']
    return "\n".join(out) + "\n"


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_option(o, condition):
    lines = []
    for name in [o["name"]] + (["--no-" + o["name"][2:]] if o["negatable"] else []):
        line = f"complete -c aramid{condition} -l {name[2:]}"
        if o["letter"]:
            line += f" -s {o['letter'][1:]}"
        if o["type"] == "choice":
            line += f" -x -a '{' '.join(o['choices'])}'"
        elif o["type"] == "path":
            line += " -r -F"
        elif o["type"] != "flag":
            line += " -x"
        lines.append(line + " -d " + fish_text(o["help"]))
    return lines


def completion_fish(t):
    commands = [c for c in t["commands"] if not c["hidden"]]
    firsts = first_words(commands)
    out = [f"# fish completion for aramid. {MADE_BY}", "complete -c aramid -f"]
    none = f" -n 'not __fish_seen_subcommand_from {' '.join(firsts)}'"
    for c in commands:
        words = c["name"].split()
        if len(words) == 1:
            out.append(f"complete -c aramid{none} -a {words[0]} -d {fish_text(c['summary'])}")
            condition = f" -n '__fish_seen_subcommand_from {words[0]}'"
        else:
            if next(x for x in commands if x["name"].split()[0] == words[0]) is c:
                out.append(f"complete -c aramid{none} -a {words[0]} "
                           f"-d {fish_text(firsts[words[0]])}")
            inside = f"__fish_seen_subcommand_from {words[0]}"
            siblings = " ".join(x["name"].split()[1] for x in commands
                                if x["name"].startswith(words[0] + " "))
            out.append(f"complete -c aramid -n '{inside}; and not __fish_seen_subcommand_from "
                       f"{siblings}' -a {words[1]} -d {fish_text(c['summary'])}")
            condition = f" -n '{inside}; and __fish_seen_subcommand_from {words[1]}'"
        for o in c["options"]:
            if not o["hidden"]:
                out += fish_option(o, condition)
    for o in t["globalOptions"]:
        out += fish_option(o, "")
    return "\n".join(out) + "\n"


# ---- files ---------------------------------------------------------------------------------------

FILES = {
    "docs/reference/commands.md": md_commands,
    "docs/reference/errors.md": md_errors,
    "docs/reference/findings.md": md_findings,
    "docs/reference/settings.md": md_settings,
    "packaging/man/aramid.1": man_page,
    "packaging/completion/aramid.bash": completion_bash,
    "packaging/completion/aramid.zsh": completion_zsh,
    "packaging/completion/aramid.fish": completion_fish,
}


# What the picture of a difference leads from: the example as it was before it had these.
BEFORE = [
    ("  tags        String[]\n", ""),
    ("  reviews     Review[]\n", ""), ("  reviews   Review[]\n", ""),
    ("  stock       Int             @default(0)\n", "  stock       String\n"),
]


def pictures(program):
    """Diagrams that the program draws of examples/shop."""
    schema = ROOT / "examples/shop/prisma/schema.prisma"

    def draw(*args):
        return subprocess.run([program, "erd", *args], check=True, capture_output=True, cwd=ROOT,
                              text=True).stdout

    before = schema.read_text()
    for text, instead in BEFORE:
        assert text in before, text
        before = before.replace(text, instead)
    before = re.sub(r"model Review \{.*?\n\}\n", "", before, flags=re.S)
    with tempfile.TemporaryDirectory() as folder:
        old = pathlib.Path(folder) / "before.prisma"
        old.write_text(before)
        difference = draw("--from-schema", str(old), "--to-schema", str(schema)).replace(
            str(old), "before.prisma").replace(str(ROOT) + "/", "")
    return {"docs/images/shop.svg": draw("--to-schema", "examples/shop/prisma/schema.prisma"),
            "docs/images/shop-difference.svg": difference}


def make(program):
    """All files that the program makes: {path: text}."""
    run = subprocess.run([program, "help", "--json"], check=True, capture_output=True)
    tables = json.loads(run.stdout)
    return {path: function(tables) for path, function in FILES.items()} | pictures(program)


def main(argv):
    check = "--check" in argv
    rest = [a for a in argv if a != "--check"]
    found = rest or [str(p) for p in (ROOT / "build/debug/src/cli/aramid",
                                      ROOT / "build/release/aramid") if p.exists()]
    if not found:
        sys.exit("gen_docs.py: no program was found; name one")
    stale = []
    for path, text in make(found[0]).items():
        file = ROOT / path
        if file.exists() and file.read_text() == text:
            continue
        stale.append(path)
        if not check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    for path in stale:
        print(("differs: " if check else "written: ") + path)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
