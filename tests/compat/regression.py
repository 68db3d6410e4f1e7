#!/usr/bin/python3
"""PostgreSQL's own regression database as a judge: made by its tests, with odd objects of every kind.

usage: tests/compat/regression.py [--server N] [--keep FOLDER] [--changes FIRST-LAST [--only-changes]]

Needs what tools/setup-regression builds. The database is read, and must come back whole:

- a script from empty runs without an error, and pg_dump sees the same statements of both databases;
- a script back to empty runs without an error and leaves nothing;
- Aramid's own dump, restored, is the same to pg_dump, rows included;
- pull writes a schema.prisma that is valid;
- a copy with a hundred random changes (changes.py; --changes: their seeds, a copy for each) is led back:
  the script runs without an error, pg_dump sees the same statements and Aramid no difference. The copy has no
  rows, so that nothing fails for them.

EXCEPTIONS names what is known to differ, each with its reason.

Exit status: 0 all of it holds, 1 otherwise, 77 nothing was built.
"""

import argparse
import collections
import contextlib
import os
import re
import subprocess
import sys
import tempfile

import psycopg2

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))

import changes  # noqa: E402
from harness import aramid  # noqa: E402
from harness.cluster import SERVER_USER, Server  # noqa: E402

BUILT = os.path.join(REPO, "build", "regression")
MAJORS = (15, 17, 18)
SKIP = 77
NATIVE = os.path.join(REPO, "build", "debug", "tests", "unit", "backup", "native-dump")
# Lines of a statement that only pg_dump itself writes.
NOISE = re.compile(r"^(SET |SELECT pg_catalog.set_config|\\)")
# What differs, as a pattern, and why.
EXCEPTIONS = {
    r"TABLE \w+\.(gtestxx_4|test_type_diff2_c[12]) \(": "children's columns stand in their parent's order; order does not count",
    r"public\.identity_dump_(un)?logged ALTER COLUMN a ADD GENERATED": "an identity's sequence is as permanent as its table",
    r"ON TABLE pg_catalog\.": "privileges on the system's own tables are the server's",
    r"public\.datdba_only (OWNER|FROM)": "owners do not count between databases",
    r"invalid_check_con_child|inh_check_constraint": "a valid check of a child below one of its parent that is not",
    r"\bconstr_(child3?|parent2)\b": "a child that is made below a NOT NULL that is not valid has it valid (18)",
    r"idxpart_1_id_data_excl|idx_excl_part_1_a_b_excl": "our own dump leaves the name of a partition's exclusion constraint to the server (17, 18)",
}


# What no script can undo, as the refusal says it, and why.
IMPOSSIBLE = {
    r"base type .* PostgreSQL refuses that: column": "a base type goes with its functions, and columns hold its values",
}


def tool(server, name, *args, **kwargs):
    return subprocess.run([os.path.join(server.bindir, name), "-h", server.socket_dir, "-p", str(server.port),
                           "-U", "postgres", *args], capture_output=True, text=True, errors="replace", check=False, **kwargs)


def build(major):
    return os.path.join(BUILT, str(major))


def run_tests(server):
    """PostgreSQL's tests, which leave the database `regression`."""
    where = os.path.join(build(server.major), "source", "src", "test", "regress")
    for folder in ("results", "testtablespace", "."):
        path = os.path.join(where, folder)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
    env = {**os.environ, "PGHOST": server.socket_dir, "PGPORT": str(server.port), "PGUSER": "postgres"}
    made = subprocess.run(["make", "-s", "-C", where, "installcheck-parallel"], env=env, capture_output=True, text=True, check=False)
    if not server.admin("SELECT 1 FROM pg_database WHERE datname = 'regression'"):
        sys.exit(f"PostgreSQL's tests did not run:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
    return re.findall(r"(?:# )?(?:All )?\d+ (?:of \d+ )?tests (?:passed|failed)\.?", made.stdout)


def sorted_options(match):
    return "WITH (" + ", ".join(sorted(match[1].split(", "))) + ")"


def in_order(block):
    """A table's columns and constraints in the order of their names; names of NOT NULL that the server gave are all alike."""
    block = re.sub(r"CONSTRAINT \w+_not_null\d* (?=NOT NULL)", "", block)
    head, bracket, rest = block.strip().partition("(\n")
    body, end, tail = rest.partition("\n)")
    if not bracket or not end or not re.match(r"CREATE (UNLOGGED |FOREIGN )?TABLE ", head):
        return block
    return head + bracket + "\n".join(sorted(line.rstrip(",") for line in body.split("\n"))) + end + tail


def statements(server, database, *options, place=str):
    """What pg_dump says of a database's schema, as a bag of statements; options in one order."""
    dump = tool(server, "pg_dump", "-s", *options, database)
    if dump.returncode:
        sys.exit(f"pg_dump: {dump.stderr}")
    text = "\n".join(line for line in dump.stdout.splitlines() if not line.startswith(("--", "\\")))
    blocks = (re.sub(r"\s+", " ", place(block)).strip() for block in re.split(r";\n(?=\n|[A-Z])", text))
    blocks = (re.sub(r"\bWITH \(([^()]*)\)", sorted_options, block) for block in blocks)
    return collections.Counter(block.rstrip(";") for block in blocks if block and not NOISE.match(block))


def logical(server, database):
    """The same without what does not count between databases: owners, the order of columns, given names of NOT NULL, and whether a column
    that a parent has was the child's own before, which ALTER TABLE ... NO INHERIT makes it for good."""
    server.admin('DROP DATABASE IF EXISTS "seen"')
    server.admin(f'CREATE DATABASE "seen" TEMPLATE "{database}"')
    with contextlib.closing(server.connect("seen")) as connection, connection.cursor() as cursor:
        cursor.execute("SET allow_system_table_mods = on; UPDATE pg_attribute SET attislocal = true WHERE attinhcount > 0; "
                       "UPDATE pg_constraint SET conislocal = true WHERE coninhcount > 0 AND conparentid = 0")
    database = "seen"
    return statements(server, database, "-O", place=in_order)


def by_name(columns, line):
    """A row's values in the order of their columns' names."""
    return "\t".join(value for _, value in sorted(zip(columns, line.split("\t"))))


def rows(server, database):
    """Its rows, each COPY in one order of lines and columns, and its sequences."""
    dump = tool(server, "pg_dump", "-a", database)
    if dump.returncode:
        sys.exit(f"pg_dump: {dump.stderr}")
    found = collections.Counter()
    for block in re.split(r"^(?=COPY |SELECT pg_catalog.setval)", dump.stdout, flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        match = re.match(r"COPY (.*) \((.*)\) FROM stdin;", head)
        if match:
            columns = match[2].split(", ")
            lines = sorted(by_name(columns, line) for line in ("\n" + body).partition("\n\\.")[0][1:].split("\n"))
            head = f"COPY {match[1]} ({', '.join(sorted(columns))})\n" + "\n".join(lines)
        found[head] += 1
    return found


def load(server, database, path):
    """Run a script statement by statement; the errors."""
    server.admin(f'DROP DATABASE IF EXISTS "{database}"')
    server.admin(f'CREATE DATABASE "{database}" TEMPLATE template0')
    return run(server, database, path)


def run(server, database, path):
    done = tool(server, "psql", "-Xqd", database, "-v", "ON_ERROR_STOP=0", "-f", path, stdin=subprocess.DEVNULL)
    return [line for line in done.stderr.splitlines() if "ERROR:" in line]


def differences(server, database, what=statements):
    want, have = (what(server, x) for x in ("regression", database))
    return [f"- {x}" for x in (want - have)] + [f"+ {x}" for x in (have - want)]


def url(server, database):
    return server.url(database, tcp=False)


class Judge:
    def __init__(self, server, folder):
        self.server, self.folder, self.failed = server, folder, 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def say(self, what, found):
        unknown = [x for x in found if not any(re.search(p, x) for p in EXCEPTIONS)]
        self.failed += bool(unknown)
        print(f"{what}: {'holds' if not unknown else f'{len(unknown)} differences'}"
              + (f" ({len(found) - len(unknown)} known ones)" if len(found) > len(unknown) else ""), flush=True)
        with open(self.path(re.sub(r"\W+", "-", what) + ".txt"), "w", encoding="utf-8") as out:
            out.write("\n".join(unknown) + "\n")
        for line in unknown[:12]:
            print(f"    {line[:300]}")

    def new(self, name):
        self.server.admin(f'DROP DATABASE IF EXISTS "{name}"')
        self.server.admin(f'CREATE DATABASE "{name}" TEMPLATE template0')

    def script(self, name, *args):
        done = aramid.run("diff", *args, "--script", cwd=self.folder)
        if done.rc == 6 and all(any(re.search(p, line) for p in IMPOSSIBLE)
                                for line in done.err.splitlines() if "[diff-stands-on]" in line or "[diff-impossible]" in line):
            print(f"{name}: refused, and it is impossible", flush=True)
            return None
        if done.rc not in (0, 2):
            self.say(name, [f"exit {done.rc}: {done.err[:2000]}"])
            return None
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(done.out)
        return self.path(name)

    def from_empty(self):
        # Privileges count between two databases.
        self.new("nothing")
        script = self.script("from-empty.sql", "--from-url", url(self.server, "nothing"), "--to-url", url(self.server, "regression"))
        if script:
            self.say("script from empty", load(self.server, "made", script))
            self.say("pg_dump of what it made", differences(self.server, "made"))

    def to_empty(self):
        script = self.script("to-empty.sql", "--from-url", url(self.server, "made"), "--to-url", url(self.server, "nothing"))
        if script:
            self.say("script to empty", run(self.server, "made", script))
            left = statements(self.server, "made") - statements(self.server, "nothing")
            self.say("what is left", list(left))

    def own_dump(self):
        dump = self.path("own.sql")
        done = subprocess.run([NATIVE, url(self.server, "regression"), dump], capture_output=True, text=True, check=False)
        self.say("own dump", [x for x in done.stderr.splitlines() if x] or ([f"exit {done.returncode}"] if done.returncode else []))
        if not done.returncode:
            self.say("own dump restored", load(self.server, "restored", dump))
            self.say("pg_dump of what was restored", differences(self.server, "restored"))
            self.say("its rows", differences(self.server, "restored", rows))

    def pull(self):
        with open(self.path("schema.prisma"), "w", encoding="utf-8") as out:
            out.write('datasource db {\n  provider = "postgresql"\n}\n')
        done = aramid.run("pull", "--url", url(self.server, "regression"), "--yes", cwd=self.folder)
        self.say("pull", [] if done.rc == 0 else [f"exit {done.rc}: {done.err[:1000]}"])
        done = aramid.run("validate", cwd=self.folder)
        self.say("validate", [] if done.rc == 0 else [f"exit {done.rc}: {done.err[:1000]}"])


    def led_back(self, seed):
        self.server.admin('DROP DATABASE IF EXISTS "changed"')
        self.server.admin('CREATE DATABASE "changed" TEMPLATE "regression"')
        done = change(self.server, "changed", seed)
        with open(self.path(f"changes-{seed}.sql"), "w", encoding="utf-8") as out:
            out.writelines(f"{sql};\n" for sql in done)
        what = f"{len(done)} changes of seed {seed}"
        script = self.script(f"back-{seed}.sql", "--from-url", url(self.server, "changed"), "--to-url", url(self.server, "regression"))
        if script:
            self.say(f"{what}: script", run(self.server, "changed", script))
            self.say(f"{what}: pg_dump", differences(self.server, "changed", logical))
            done = aramid.run("diff", "--from-url", url(self.server, "changed"), "--to-url", url(self.server, "regression"),
                              "--exit-code", cwd=self.folder)
            self.say(f"{what}: what is left", [] if done.rc == 0 else done.out.splitlines())


def change(server, database, seed):
    """Random changes, in a database without rows."""
    with contextlib.closing(server.connect(database)) as connection, connection.cursor() as cursor:
        for role in changes.ROLES:
            with contextlib.suppress(psycopg2.errors.DuplicateObject):
                cursor.execute(f"CREATE ROLE {role}")
        cursor.execute("SET session_replication_role = replica; SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE "
                       "relkind IN ('r', 'p') AND oid >= 16384")
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]}; RESET session_replication_role")
        return changes.change(connection, seed)


def judge(major, folder, args):
    server = Server(os.path.join(build(major), "bin"), settings={"max_connections": "60", "wal_level": "logical"}).start()
    try:
        print(f"PostgreSQL {server.version}: {' '.join(run_tests(server))}", flush=True)
        one = Judge(server, folder)
        if not args.only_changes:
            one.from_empty()
            one.to_empty()
            one.own_dump()
            one.pull()
        first, _, last = args.changes.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            one.led_back(seed)
        return one.failed
    finally:
        server.remove()


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("--server", type=int)
    parser.add_argument("--keep")
    parser.add_argument("--changes", default="1-3")
    parser.add_argument("--only-changes", action="store_true")
    args = parser.parse_args()
    majors = [x for x in ([args.server] if args.server else MAJORS) if os.path.exists(os.path.join(build(x), ".installed"))]
    if not majors:
        print("tools/setup-regression has built nothing")
        return SKIP
    failed = 0
    for major in majors:
        with tempfile.TemporaryDirectory(prefix="aramid-regression-") as folder:
            failed += judge(major, args.keep or folder, args)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
