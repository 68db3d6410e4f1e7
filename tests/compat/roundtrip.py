#!/usr/bin/python3
"""Run Aramid's scripts on a real server and see whether they lead where they should.

usage: tests/compat/roundtrip.py [options] [SOURCE...]

SOURCE is a .jsonl file of pairs of schemas or REPOSITORY:PATH, as for diff_compare.py. Without any,
tests/golden/diff is taken. Each script in default mode, forward and back, runs as one message on a
database that holds the old schema; reading the database afterwards must give the fingerprint of a
database that was made from the new schema alone.

--generated N  instead: N catalogs with all kinds of objects (catalogs.py), each made from empty and
               from the catalog before it; what stays to be done must be nothing, and pg_dump must
               agree (up to the server's version 15)
--seed TEXT    another series
--first N      begin with catalog number N of the series
--server N     major version of PostgreSQL (default: the distribution's)
--show N       describe the first N failures (default: 5)

Exit status: 0 when all lead there, 1 otherwise.
"""

import argparse
import contextlib
import difflib
import glob
import json
import os
import re
import subprocess
import sys

import psycopg2

import catalogs
from diff_compare import GOLDEN, REPO, adapt, pairs_of

sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, bindir_of, client_tool, default_bindir  # noqa: E402

PROGRAMS = [os.path.join(REPO, "build", kind, "tests/unit/render/live-script")
            for kind in ("debug", "release")]
EMPTY = "-- This is an empty migration."
DUMPED = 15  # pg_dump's own version
ADD_VALUE = re.compile(r"^ALTER TYPE .* ADD VALUE .*;$", re.M)

# What schemas of the golden cases take for given.
GIVEN = """
    CREATE EXTENSION pg_trgm;
    CREATE DOMAIN x AS int;
    CREATE FUNCTION a() RETURNS text LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION b() RETURNS text LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION y() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
CITEXT = "create-native-types"
# Whose target is not one state: dbgenerated() is any default; versions of citext that differ from
# server to server.
OPEN = ("alter-default-dbgen", "extension-alter", "extension-add")

# Everything that is not the system's and not an extension's, without making the database anew.
CLEAR = """
DO $$
DECLARE sql text;
BEGIN
  FOR sql IN
    SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', nspname) FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
    UNION ALL SELECT format('DROP FOREIGN DATA WRAPPER IF EXISTS %I CASCADE', fdwname) FROM pg_foreign_data_wrapper
  LOOP EXECUTE sql; END LOOP;
  LOOP
    SELECT format('DROP %s public.%I CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
        WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname) INTO sql FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND (relkind <> 'S' OR NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'i')) LIMIT 1;
    EXIT WHEN sql IS NULL;
    EXECUTE sql;
  END LOOP;
  FOR sql IN
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type
      WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'c')
  LOOP EXECUTE sql; END LOOP;
END $$
"""


class Failure(Exception):
    """What went wrong, in words."""


class Tool:
    """Aramid, through live-script."""

    def __init__(self):
        program = next(filter(os.path.exists, PROGRAMS))
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        """Words of a request; (text,) is the text of a schema, (bytes,) a stored catalog, None is nothing."""
        line, texts = [], []
        for word in words:
            if isinstance(word, tuple):
                stored = isinstance(word[0], bytes)
                texts.append(word[0] if stored else word[0].encode())
                word = f"{'stored' if stored else 'psl'}:{len(texts[-1])}"
            line.append(word or "-")
        self.process.stdin.write(" ".join(line).encode() + b"\n" + b"".join(texts))
        self.process.stdin.flush()
        size = self.process.stdout.readline()
        if not size:
            raise RuntimeError(f"live-script died with {self.process.wait()}")
        text = self.process.stdout.read(abs(int(size)))
        if size.startswith(b"-"):
            raise Failure(text.decode())
        return text if words[0] == "stored" else text.decode()

    def close(self):
        self.process.stdin.close()
        if self.process.wait():
            raise RuntimeError("live-script failed")


def url(db):
    return db.url(tcp=False)


def run(db, script):
    """As a deploy does: one message, or two where a new enum value has to be committed first."""
    if script == EMPTY:
        return
    try:
        try:
            db.sql(script)
        except psycopg2.errors.UnsafeNewEnumValueUsage:
            end = list(ADD_VALUE.finditer(script))[-1].end()
            db.sql(script[:end])
            db.sql(script[end:])
    except psycopg2.Error as error:
        raise Failure(f"{error}\n{script}") from None


def same(tool, made, wanted):
    """Equal, but for columns and constraints of a child that INHERIT leaves its own: no statement takes them away."""
    if tool.ask("fingerprint", url(made)) == tool.ask("fingerprint", url(wanted)):
        return True
    sides = [json.loads(tool.ask("catalog", url(x))) for x in (made, wanted)]
    own, required = set(), {}
    for side in sides:
        for table in side.get("tables", []):
            for part in table.get("columns", []) + table.get("constraints", []) if table.get("inherits") else []:
                name = (table["schema"], table["name"], part["name"])
                if side is sides[0] and not part.get("is_inherited"):
                    own.add(name)
                elif side is sides[1] and name in own:
                    part.pop("is_inherited", None)
                # Nor does one take away that a NOT NULL (18) was the child's own, under its name.
                if side is sides[0] and part.get("is_not_null_own"):
                    required[name] = part
                elif side is sides[1] and part.get("is_not_null_inherited") and name in required:
                    for key in ("is_not_null_own", "is_not_null_inherited", "not_null_name"):
                        part.pop(key, None)
                        required[name].pop(key, None)
            table.get("columns", []).sort(key=lambda column: column["name"])
    return sides[0] == sides[1]


def difference(tool, db, target, script):
    texts = []
    for found in (json.loads(tool.ask("catalog", url(x))) for x in (db, target)):
        for table in found.get("tables", []) + found.get("composites", []):
            table.get("columns", []).sort(key=lambda column: column["name"])
        texts.append(json.dumps(found, indent=1).splitlines())
    lines = difflib.unified_diff(texts[0], texts[1], "made", "wanted", lineterm="", n=4)
    return "\n".join(list(lines)[:80]) + "\n" + script


# -- Schemas ---------------------------------------------------------------------------------------

class Schemas:
    """Two databases; fingerprints of schemas that were made from empty."""

    def __init__(self, tool, server):
        self.tool = tool
        self.known = {}
        self.db, self.other = server.new_database(), server.new_database()
        self.holds = None

    def make(self, db, text, given):
        db.sql(CLEAR)
        db.sql(given)
        if text is not None:
            run(db, self.tool.ask("script", "prisma", None, (text,)))

    def fingerprint(self, text, given):
        if text not in self.known:
            self.make(self.other, text, given)
            self.known[text] = self.tool.ask("fingerprint", url(self.other))
        return self.known[text]

    def check(self, old, new, given):
        script = self.tool.ask("script", "prisma", (old,) if old is not None else None, (new,))
        wanted = self.fingerprint(new, given)
        if self.holds != old or old is None:  # otherwise where the last pair ended
            self.make(self.db, old, given)
        self.holds = None
        run(self.db, script)
        self.forget_containers(new, given)
        if self.tool.ask("fingerprint", url(self.db)) != wanted:
            self.make(self.other, new, given)
            raise Failure(difference(self.tool, self.db, self.other, script))
        self.holds = new

    def forget_containers(self, text, given):
        """Scripts for Prisma's schemas drop no schemas and extensions: others may be using them."""
        wanted = json.loads(self.tool.ask("catalog", (text,)))
        kept = {"public", "information_schema", "plpgsql"}
        kept |= set(re.findall(r"CREATE EXTENSION (\w+)", given))
        kept |= {x["name"] for kind in ("schemas", "extensions") for x in wanted.get(kind, [])}
        for kind, name in self.db.sql("SELECT 'EXTENSION', extname FROM pg_extension UNION ALL "
                                      "SELECT 'SCHEMA', nspname FROM pg_namespace "
                                      "WHERE nspname !~ '^pg_'"):
            if name not in kept:
                self.db.sql(f'DROP {kind} "{name}"')


def schema_pairs(sources):
    """(name, old, new), each history forward and then back."""
    for source in sources:
        pairs = [(name, *(text and adapt(text, 7) for text in texts))
                 for name, *texts in pairs_of([source])[0]]
        yield from pairs
        yield from ((f"back: {name}", new, old) for name, old, new in reversed(pairs)
                    if old is not None)


def is_valid(tool, text):
    if text is None:
        return True
    with contextlib.suppress(Failure):
        return bool(tool.ask("fingerprint", (text,)))
    return False


def check_schemas(tool, server, sources):
    schemas, valid = Schemas(tool, server), {}
    for name, old, new in schema_pairs(sources):
        case = name.removeprefix("back: ")
        given = GIVEN + ("CREATE EXTENSION citext" if case == CITEXT else "")
        if case in OPEN:
            continue
        for text in (old, new):
            if text not in valid:
                valid[text] = is_valid(tool, text)
        if valid[old] and valid[new]:
            yield name, lambda x=(old, new, given): schemas.check(*x)


# -- Made catalogs ---------------------------------------------------------------------------------

class Catalogs:
    """A database that goes through all the catalogs, one that holds the next, one made from it."""

    def __init__(self, tool, server, seed):
        self.tool, self.server, self.seed = tool, server, seed
        self.altered, self.target, self.made = (server.new_database() for _ in range(3))
        self.refused = self.statements = 0
        for role in catalogs.ROLES:
            if not server.admin("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                server.admin(f"CREATE ROLE {catalogs.q(role)}")

    def load(self, number):
        self.target.sql(CLEAR)
        connection = self.target.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            for sql in catalogs.catalog(self.seed, number, self.server.major):
                self.statements += 1
                try:
                    cursor.execute(sql)
                except psycopg2.Error as error:
                    self.refused += 1
                    if os.environ.get("ROUNDTRIP_REFUSED"):
                        print(f"refused: {sql}\n    {error}")

    def check(self, number):
        self.load(number)
        self.made.sql(CLEAR)
        if number % 100 == 0:  # a table has room for 1,600 columns in its life
            self.altered.sql(CLEAR)
        try:
            self.lead(self.made)
            self.lead(self.altered)
        except Failure:
            self.altered.sql(CLEAR)
            raise

    def lead(self, db):
        script = self.tool.ask("script", "exact", url(db), url(self.target))
        run(db, script)
        if not same(self.tool, db, self.target):
            raise Failure(difference(self.tool, db, self.target, script))
        rest = self.tool.ask("script", "exact", url(db), url(self.target))
        if rest != EMPTY:
            raise Failure(f"something is left to do:\n{rest}")
        if self.server.major <= DUMPED:
            dumps = [self.dump(x) for x in (db, self.target)]
            if dumps[0] != dumps[1]:
                raise Failure("pg_dump sees a difference\n" +
                              "\n".join(difflib.unified_diff(*dumps, "made", "wanted", n=0)) + script)

    def dump(self, db):
        """Its lines, sorted; columns may stand in another order, and with another comma."""
        dump = subprocess.run([client_tool("pg_dump"), "--schema-only", "-h", self.server.socket_dir,
                               "-p", str(self.server.port), "-U", "postgres", db.name],
                              check=True, capture_output=True, text=True).stdout
        lines = (line.rstrip(",") for line in dump.splitlines())
        return sorted(line for line in lines if line and not line.startswith(("--", "\\")))


def check_catalogs(cases, first, count):
    for number in range(first, first + count):
        yield f"catalog {number}", lambda number=number: cases.check(number)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("sources", nargs="*")
    parser.add_argument("--generated", type=int)
    parser.add_argument("--seed", default="aramid")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--server", type=int)
    parser.add_argument("--show", type=int, default=5)
    args = parser.parse_args()
    tool = Tool()
    server = Server(bindir_of(args.server) if args.server else default_bindir()).start()
    count, failures = 0, []
    try:
        sources = args.sources or sorted(glob.glob(os.path.join(GOLDEN, "*.jsonl")))
        cases = Catalogs(tool, server, args.seed) if args.generated else None
        for name, check in check_catalogs(cases, args.first, args.generated) if cases else \
                check_schemas(tool, server, sources):
            count += 1
            try:
                check()
            except Failure as failure:
                failures.append((name, failure))
                if len(failures) <= args.show:
                    print(f"- {name}\n    " + str(failure).replace("\n", "\n    "), flush=True)
        tool.close()
    finally:
        server.remove()
    if cases:
        print(f"{cases.statements} statements, {cases.refused} of them refused")
    print(f"PostgreSQL {server.version}: {count - len(failures)} of {count} lead to the target")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
