"""One database becomes another by the script of diff: for tests of pairs."""

import pytest

from . import aramid


def diff(folder, db, wanted, *args):
    return aramid.run("diff", "--from-url", db.url(), "--to-url", wanted.url(), *args, cwd=str(folder))


@pytest.fixture
def become(tmp_path, server):
    """Makes one of two databases the other; the first is handed back for a look at its rows."""
    made = []

    def run(old, new, rows=""):
        db, wanted = server.new_database(), server.new_database()
        made.extend([db, wanted])
        db.sql(old + rows)
        wanted.sql(new)
        script = diff(tmp_path, db, wanted, "--script")
        assert script.rc == 0, script
        db.sql("BEGIN;" + script.out + ";COMMIT")
        after = diff(tmp_path, db, wanted, "--exit-code")
        assert after.rc == 0, (script.out, after)
        return db

    yield run
    for db in made:
        db.drop()


def both(*pairs):
    return [pytest.param(*turn, id=f"{pair[0]}-{way}") for pair in pairs
            for way, turn in (("there", (pair[1], pair[2])), ("back", (pair[2], pair[1])))]
