"""A project of two histories in one database."""

import os

from . import aramid
from .catalog import leftovers
from .tools import Prisma, Supabase

HARD = """CREATE INDEX CONCURRENTLY witness_i ON witness (part);
INSERT INTO witness VALUES ('hard');
"""


class Both:
    """Prisma's tables and Supabase's policies, in the order of their numbers."""

    def __init__(self, path, other=Supabase, settings=""):
        self.path = str(path)
        self.prisma = Prisma(path)
        self.other = other(path)
        self.settings(f"migrations: [prisma/migrations, {self.other.folder}]\n{settings}")

    def settings(self, text):
        with open(os.path.join(self.path, "aramid.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def fill(self):
        return [self.prisma.add(1, "init", "CREATE TABLE witness (part text);\nINSERT INTO witness VALUES ('1');"),
                self.other.add(2, "policy", "ALTER TABLE witness ENABLE ROW LEVEL SECURITY;\n"
                               "CREATE POLICY p ON witness USING (true);\nINSERT INTO witness VALUES ('2');"),
                self.prisma.add(3, "hard", HARD),
                self.other.add(4, "hard_too", HARD.replace("witness_i", "witness_k").replace("'hard'", "'too'")),
                self.prisma.add(5, "more", "CREATE TABLE more (i int);"),
                self.other.add(6, "more_policy", "CREATE POLICY p ON more USING (true);")]

    def run(self, verb, db, *args, env=None):
        return aramid.run(verb, "--url", db.url(), *args, cwd=self.path, env=env)

    def deploy(self, db, *args, env=None):
        return self.run("deploy", db, "--yes", *args, env=env)

    def status(self, db):
        return self.run("status", db, "--json").json

    def check(self, db):
        assert db.column("SELECT part FROM witness ORDER BY 1") == ["1", "2", "hard", "too"]
        assert len(self.prisma.rows(db)) == 3 and len(self.other.rows(db)) == 3
        assert db.one("SELECT count(*) FROM aramid.journal WHERE NOT done") == 0
        assert not any(leftovers(db).values()), leftovers(db)
        status = self.status(db)
        assert status["state"] == "up-to-date", status
        assert [h["applied"] for h in status["histories"]] == [3, 3], status
