"""The migrators of other tools, and projects in their layouts: each writes files as the tool has them, applies them
with the real tool, and reads its history table."""

import hashlib
import json
import os
import subprocess

from . import aramid
from .cluster import NPM
from .oracle import HOME, NODE, Outcome, available, deploy
from .project import Project
from .wait import PATIENCE


class Tool:
    """A project of one tool in a folder. Migrations have a number, a name and SQL."""

    name = ""  # of Aramid's layout
    package = ""
    folder = ""
    ledger = ""
    columns = ""  # of the ledger that tell which migration it is
    knows_edits = True

    def __init__(self, path):
        self.path = str(path)
        os.makedirs(os.path.join(self.path, self.folder), exist_ok=True)

    @classmethod
    def missing(cls):
        return not NODE or not os.path.exists(os.path.join(NPM, cls.package))

    def write(self, name, text):
        path = os.path.join(self.path, self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def add(self, number, name, sql):
        """Write a migration; returns the name that Aramid gives it."""
        raise NotImplementedError

    def apply(self, db):
        """Everything pending, by the tool itself."""
        raise NotImplementedError

    def node(self, *args, env=None):
        done = subprocess.run([NODE, *args], cwd=self.path, capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False, env={**os.environ, "NO_COLOR": "1", **(env or {})})
        return Outcome(done)

    def aramid(self, verb, db, *args, env=None):
        return aramid.run(verb, "--url", db.url(), *args, cwd=self.path, env=env)

    def deploy(self, db, *args, env=None):
        return self.aramid("deploy", db, "--yes", *args, env=env)

    def rows(self, db):
        """What the ledger knows, in the order in which it was written where it has one."""
        return db.sql(f"SELECT {self.columns} FROM {self.ledger} ORDER BY 1")


class Drizzle(Tool):
    name = "drizzle"
    package = "drizzle-orm"
    folder = "drizzle"
    ledger = "drizzle.__drizzle_migrations"
    columns = "created_at, hash"
    has_names = False

    def when(self, number):
        return 1700000000000 + number * 1000

    def add(self, number, name, sql, when=None):
        tag = f"{number:04}_{name}"
        self.write(f"{tag}.sql", sql)
        path = os.path.join(self.path, self.folder, "meta", "_journal.json")
        entries = []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                entries = json.load(file)["entries"]
        entries.append({"idx": len(entries), "version": "7", "when": when or self.when(number), "tag": tag,
                        "breakpoints": True})
        self.write("meta/_journal.json", json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}))
        return tag

    def file(self, name):
        return f"{name}.sql"

    def apply(self, db, *args):
        return self.node(os.path.join(HOME, "drizzle.mjs"), self.package, os.path.join(self.path, self.folder),
                         db.url(), *args)


class Drizzle1(Drizzle):
    name = "drizzle-1"
    package = "drizzle-orm-1"
    columns = "name, created_at, hash"

    def add(self, number, name, sql, when=None):
        folder = f"202611291200{number:02}_{name}"
        self.write(f"{folder}/migration.sql", sql)
        self.write(f"{folder}/snapshot.json", '{"version": "9", "dialect": "postgres"}')
        return folder

    def file(self, name):
        return f"{name}/migration.sql"


class Supabase(Tool):
    name = "supabase"
    package = "supabase"
    folder = "supabase/migrations"
    ledger = "supabase_migrations.schema_migrations"
    columns = "version, name, statements"

    def add(self, number, name, sql):
        version = f"202611291200{number:02}"
        self.write(f"{version}_{name}.sql", sql)
        return f"{version}_{name}"

    def file(self, name):
        return f"{name}.sql"

    def apply(self, db, *args):
        program = os.path.join(NPM, "@supabase/cli-linux-x64/bin/supabase")
        done = subprocess.run([program, "db", "push", f"--remote={db.url()}", "--yes", *args], cwd=self.path,
                              capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False,
                              env={**os.environ, "NO_COLOR": "1", "DO_NOT_TRACK": "1", "HOME": self.path})
        return Outcome(done)


class Dbmate(Tool):
    name = "dbmate"
    package = "dbmate"
    folder = "db/migrations"
    ledger = "public.schema_migrations"
    columns = "version"
    knows_edits = False

    def add(self, number, name, sql):
        version = f"202611291200{number:02}"
        self.write(f"{version}_{name}.sql", f"-- migrate:up\n{sql}\n\n-- migrate:down\nSELECT 1;\n")
        return f"{version}_{name}"

    def file(self, name):
        return f"{name}.sql"

    def apply(self, db, *args):
        program = os.path.join(NPM, "@dbmate/linux-x64/bin/dbmate")
        done = subprocess.run([program, "--url", db.url() + "?sslmode=disable", "--no-dump-schema", *args, "up"],
                              cwd=self.path, capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, check=False)
        return Outcome(done)


class NodePgMigrate(Tool):
    """Its SQL files."""

    name = "node-pg-migrate"
    package = "node-pg-migrate"
    folder = "migrations"
    ledger = "public.pgmigrations"
    columns = "id, name"
    knows_edits = False

    def add(self, number, name, sql):
        full = f"17000000000{number:02}_{name}"
        self.write(f"{full}.sql", f"-- Up Migration\n{sql}\n\n-- Down Migration\nSELECT 1/0;\n")
        return full

    def file(self, name):
        return f"{name}.sql"

    def apply(self, db, *args):
        return self.node(os.path.join(NPM, "node-pg-migrate/bin/node-pg-migrate.js"), "up", *args,
                         env={"DATABASE_URL": db.url()})


class GraphileMigrate(Tool):
    name = "graphile-migrate"
    package = "graphile-migrate"
    folder = "migrations"
    ledger = "graphile_migrate.migrations"
    columns = "filename, hash, previous_hash"

    def __init__(self, path):
        super().__init__(path)
        self.previous = "-"
        with open(os.path.join(self.path, ".gmrc"), "w", encoding="utf-8") as file:
            file.write('{"afterReset": ["ignored.sql"]}')

    def add(self, number, name, sql):
        """As its commit writes it."""
        chained = ("" if self.previous == "-" else self.previous) + "\n" + sql.strip()
        own = "sha1:" + hashlib.sha1((chained.strip() + "\n").encode()).hexdigest()
        self.write(f"committed/{number:06}-{name}.sql",
                   f"--! Previous: {self.previous}\n--! Hash: {own}\n\n{sql.strip()}\n")
        self.previous = own
        return f"{number:06}-{name}"

    def file(self, name):
        return f"committed/{name}.sql"

    def apply(self, db, *args):
        return self.node(os.path.join(NPM, "graphile-migrate/dist/cli.js"), "migrate", *args,
                         env={"DATABASE_URL": db.url(), "SHADOW_DATABASE_URL": db.url() + "_shadow",
                              "ROOT_DATABASE_URL": db.url().rpartition("/")[0] + "/postgres"})


class Plain(Tool):
    """Files of SQL, for which no tool keeps a history."""

    name = "sql"
    folder = "migrations"
    ledger = "public._aramid_migrations"
    columns = "version, name, checksum"
    form = "{:03}_{}.sql"
    end = ".sql"

    @classmethod
    def missing(cls):
        return True

    def add(self, number, name, sql):
        file = self.form.format(number, name)
        self.write(file, sql)
        return file.removesuffix(self.end)

    def file(self, name):
        return name + self.end


class Pairs(Plain):
    name = "sql pairs"
    form = "{}_{}.up.sql"
    end = ".up.sql"

    def add(self, number, name, sql):
        self.write(f"{number}_{name}.down.sql", "SELECT 1/0;")
        return super().add(number, name, sql)


class Flyway(Plain):
    name = "sql flyway"
    form = "V{}__{}.sql"


class Prisma(Tool):
    name = "prisma"
    folder = "prisma/migrations"
    ledger = "_prisma_migrations"

    def __init__(self, path):
        super().__init__(path)
        self.project = Project(path, bare=True)

    @classmethod
    def missing(cls):
        return not available()

    def add(self, number, name, sql):
        folder = f"202611291200{number:02}_{name}"
        self.write(f"{folder}/migration.sql", sql)
        return folder

    def apply(self, db):
        self.project.write("prisma/schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n')
        return deploy(self.project, db.url())

    def rows(self, db):
        return db.column(f"SELECT migration_name FROM {self.ledger} WHERE finished_at IS NOT NULL ORDER BY started_at") \
            if db.exists(self.ledger) else []


TOOLS = [Drizzle, Drizzle1, Supabase, Dbmate, NodePgMigrate, GraphileMigrate]
LAYOUTS = TOOLS + [Plain, Pairs, Flyway]
