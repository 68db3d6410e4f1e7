#!/usr/bin/python3
"""Everything that stands on something, and what happens to that: does the script run, and lead there?

usage: tests/compat/pairs_generated.py [options] [NAME...]

The pairs are the products of pair_cases.py: each depender with each change of what it stands on, there and back. Each
lies in a schema of its own; a database with many of them becomes one with their other sides by one script, in one
transaction, and again statement by statement. Then its catalog must be the one that was wanted, privileges, comments,
modes and owners included, nothing may be left to do, and rows must hold the values that they held.

NAME...        only pairs whose name has one of these in it
--server N     major version of PostgreSQL, or several: 13,18 (default: the distribution's)
--sample N     only N of them, spread over all
--batch N      so many in one script (default: 60)
--quick        in one transaction only
--show N       describe the first N failures (default: 5)
--list         names only

Refused pairs, where PostgreSQL can't, count as right when the same script really fails. Exit status: 0 when all lead
there, 1 otherwise.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys

import psycopg2

import pair_cases
from roundtrip import ADD_VALUE, EMPTY, Failure, Tool, difference, same, url

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))

from harness.cluster import Server, bindir_of, client_tool, default_bindir  # noqa: E402

ROLES = ["rt_reader", "rt_owner"]
CLEAR = """
DO $$
DECLARE sql text;
BEGIN
  FOR sql IN
    SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', nspname) FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    UNION ALL SELECT format('DROP PUBLICATION IF EXISTS %I', pubname) FROM pg_publication
  LOOP EXECUTE sql; END LOOP;
END $$
"""
TABLES = """
WITH RECURSIVE made (oid, of) AS (
  SELECT oid, oid FROM pg_type UNION
  SELECT made.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END FROM made JOIN pg_type t ON t.oid = made.of
    WHERE t.typtype = 'd' OR t.typcategory = 'A')
SELECT n.nspname, c.relname, (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND NOT EXISTS (SELECT FROM made JOIN pg_type t ON t.oid = made.of WHERE made.oid = a.atttypid AND t.typtype = 'c'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname ~ '^p[0-9]+'
"""


class Pair:
    """One product: two sides of a schema."""

    def __init__(self, number, reference, depender, back):
        name, _, before, after, old, new = reference[:6]
        self.name = f"{name} < {depender[0]}" + (" (back)" if back else "")
        template = depender[2]
        self.since = 13
        if template.startswith("{"):
            self.since, template = int(template[1:3]), template[4:]
        moved = after is not None and "@s_2" in after
        sides = [before + self.filled(template, old, "t"),
                 "" if after is None else after + self.filled(template, new, "@s_2.t" if moved else "t")]
        values = [old, new]
        if back:
            sides.reverse()
            values.reverse()
        self.schema = f"p{number}"
        self.old, self.new = (f"CREATE SCHEMA {self.schema}; SET search_path = {self.schema}; " +
                              side.replace("@s", self.schema) for side in sides)
        row_values = {**values[0], **(reference[6] if len(reference) > 6 else {})}
        self.rows = [self.filled(row, row_values, "t") for row in
                     pair_cases.NESTED.get(depender[0], pair_cases.ROWS[depender[1]])]
        self.rows = [row for row in self.rows if row and depender[0] not in pair_cases.NO_ROWS]

    @staticmethod
    def filled(text, words, relation):
        cond = words.get("@cond", "")
        for at, column in (("@cond@VALUE", "VALUE"), ("@cond@NEW", "NEW.x"), ("@cond@OLD", "old.x"), ("@cond", "x")):
            text = text.replace(at, cond.replace("@x", column)) if cond else text
        if "@cond" in words:
            text = text.replace("@int", words["@value"] + "::int")
        for key in ("@value", "@type", "@c", "@g", "@k"):
            if key in words:
                text = text.replace(key, words[key])
        lacks = re.search(r"@(?!s\b|s_|r\b)", text)
        return "" if lacks else text.replace("@r", relation)


def users_of(depender):
    return {"value": ("call",), "cond": ("call",), "type": ("type",), "column": ("column",), "key": ("key",)}[depender[1]]


def pairs():
    number = 0
    for reference in pair_cases.REFERENCES:
        for depender in pair_cases.DEPENDERS:
            if reference[1] in users_of(depender):
                for back in (False, True):
                    number += 1
                    yield Pair(number, reference, depender, back)


class Databases:
    """One that changes, one that is the target."""

    def __init__(self, tool, server):
        self.tool, self.server = tool, server
        self.db, self.target = server.new_database(), server.new_database()
        self.invalid = set()
        for role in ROLES:
            server.admin(f"CREATE ROLE {role}")

    def make(self, db, texts):
        """Those that this server takes; whoever it does not is no pair."""
        connection = db.connect()
        taken = []
        with contextlib.closing(connection), connection.cursor() as cursor:
            for pair, text in texts:
                try:
                    cursor.execute(text)
                    taken.append(pair)
                except psycopg2.Error:
                    self.invalid.add(pair.name)
        return taken

    def insert(self, batch):
        connection = self.db.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            for pair in batch:
                cursor.execute(f"SET search_path = {pair.schema}")
                for row in pair.rows:
                    with contextlib.suppress(psycopg2.Error):
                        cursor.execute(row)

    def values(self, wanted=None):
        """Rows of every table that both sides have, in the columns that both have."""
        columns = {(s, t): set(c or []) for s, t, c in self.db.sql(TABLES)}
        if wanted is None:
            other = {(s, t): set(c or []) for s, t, c in self.target.sql(TABLES)}
            wanted = {key: sorted(columns[key] & other[key]) for key in columns if key in other}
        found = {}
        connection = self.db.connect()
        with contextlib.closing(connection), connection.cursor() as cursor:
            for (schema, name), names in wanted.items():
                cursor.execute("SELECT {} FROM ONLY {}.{} ORDER BY 1".format(
                    ", ".join(f'"{n}"::text' for n in names) or "1", schema, name))
                found[schema, name] = cursor.fetchall()
        return wanted, found

    def clear(self):
        for db in (self.db, self.target):
            db.sql(CLEAR)

    def lead(self, batch, alone, count=None):
        """One script for a batch. Failure where it does not lead there."""
        self.clear()
        made = self.make(self.target, [(p, p.new) for p in batch])
        made = self.make(self.db, [(p, p.old) for p in made])
        if len(made) < len(batch):
            self.clear()
            self.make(self.target, [(p, p.new) for p in made])
            self.make(self.db, [(p, p.old) for p in made])
        self.insert(made)
        wanted, before = self.values()
        script = self.tool.ask("script", "exact", url(self.db), url(self.target))
        notes = self.tool.ask("notes", "exact", url(self.db), url(self.target))
        refused = [line for line in notes.splitlines() if "PostgreSQL refuses" in line]
        if refused and len(made) > 1:
            raise Failure("one is refused")
        try:
            self.run(script, alone)
        except Failure:
            if refused:
                return "refused: " + refused[0]
            raise
        if refused:
            raise Failure(f"refused, but it runs: {refused[0]}\n{script}")
        if not same(self.tool, self.db, self.target):
            raise Failure(difference(self.tool, self.db, self.target, script))
        rest = self.tool.ask("script", "exact", url(self.db), url(self.target))
        if rest != EMPTY:
            raise Failure(f"something is left to do:\n{rest}\nafter\n{script}")
        after = self.values(wanted)[1]
        lost = [key for key in before if before[key] != after[key] and not self.is_told(key, wanted, notes)]
        if lost:
            raise Failure(f"rows changed: {[(k, before[k], after[k]) for k in lost]}\n{script}")
        return ""

    @staticmethod
    def is_told(key, wanted, notes):
        """Of a table or a column that is dropped and made again a person was told."""
        said = [f"`{key[1]}`", f'"{key[1]}"'] + [f"`{c}`" for c in wanted[key]]
        return any(word in line and ("lost" in line or "drop" in line) for line in notes.splitlines() for word in said)

    def run(self, script, alone):
        if script == EMPTY:
            return
        if alone:
            done = subprocess.run([client_tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", self.db.url(tcp=False)],
                                  input=script, capture_output=True, text=True)
            if done.returncode:
                raise Failure(f"{done.stderr}\n{script}")
            return
        try:
            try:
                self.db.sql(script)
            except psycopg2.errors.UnsafeNewEnumValueUsage:
                end = list(ADD_VALUE.finditer(script))[-1].end()
                self.db.sql(script[:end])
                self.db.sql(script[end:])
        except psycopg2.Error as error:
            raise Failure(f"{error}\n{script}") from None


def check(databases, all_pairs, size, show, ways):
    failures, refused = {}, {}
    for alone in ways:
        for start in range(0, len(all_pairs), size):
            pending = [all_pairs[start:start + size]]
            while pending:
                batch = [p for p in pending.pop() if p.name not in databases.invalid]
                try:
                    said = databases.lead(batch, alone) if batch else ""
                    if said:
                        refused[batch[0].name] = said
                except (Failure, psycopg2.Error) as failure:
                    if len(batch) > 1:
                        middle = len(batch) // 2
                        pending += [batch[middle:], batch[:middle]]
                        continue
                    name = batch[0].name
                    if name not in failures and len(failures) < show:
                        print(f"- {name}{' (alone)' if alone else ''}\n    {batch[0].old}\n    => {batch[0].new}\n    "
                              + str(failure).replace("\n", "\n    "), flush=True)
                    failures[name] = failure
    return refused, failures


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--server", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--batch", type=int, default=60)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    chosen = [p for p in pairs() if not args.names or any(name in p.name for name in args.names)]
    if args.sample:
        chosen = chosen[::max(1, len(chosen) // args.sample)]
    if args.list:
        print("\n".join(p.name for p in chosen))
        return 0
    bad = 0
    for major in args.server.split(","):
        tool = Tool()
        server = Server(bindir_of(int(major)) if major else default_bindir()).start()
        try:
            databases = Databases(tool, server)
            these = [p for p in chosen if p.since <= server.major]
            refused, failures = check(databases, these, args.batch, args.show, (False,) if args.quick else (False, True))
            tool.close()
        finally:
            server.remove()
        valid = len(these) - len(databases.invalid)
        for name, failure in list(failures.items())[args.show:]:
            print(f"- {name}: {str(failure).splitlines()[0]}")
        print(f"PostgreSQL {server.version}: {valid - len(failures)} of {valid} pairs lead to the target, {len(refused)} of them are refused; "
              f"{len(databases.invalid)} products are no pair", flush=True)
        bad += len(failures)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
