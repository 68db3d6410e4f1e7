"""Changes in two steps (aramid expand-contract): beside code that writes the old and the new way at once."""

import contextlib
import json
import pathlib
import random
import threading

import pytest

from harness import aramid, ledger

TABLE = """\
CREATE TABLE "User" (id bigserial PRIMARY KEY, "name" text NOT NULL DEFAULT 'nobody', age text DEFAULT '0', bio text,
    "we""ird" json, old int NOT NULL, parent bigint REFERENCES "User" (id));
CREATE INDEX user_name ON "User" ("name" DESC, id);
CREATE UNIQUE INDEX user_name_id ON "User" (id, "name");
INSERT INTO "User" ("name", age, old, "we""ird") SELECT 'n ' || i, i % 90, i, '{"a": 1}' FROM generate_series(1, 2000) i;
CREATE VIEW adults AS SELECT bio FROM "User";
"""


def run(project, *args, url=None, **kwargs):
    return aramid.run(*args, *(["--url", url] if url else []), cwd=project.path, **kwargs)


def expand(project, *args):
    result = run(project, "expand-contract", *args)
    assert result.rc == 0, result
    return result


def prepare(project, db):
    project.add("init", TABLE)
    assert aramid.deploy(project, db.url()).rc == 0


def columns(db):
    return [name for name, in db.sql("SELECT attname FROM pg_attribute WHERE attrelid = '\"User\"'::regclass"
                                     " AND attnum > 0 AND NOT attisdropped ORDER BY attnum")]


def deploy(project, db):
    result = aramid.deploy(project, db.url())
    assert result.rc == 0, result
    ledger.check(db, project)


def state(project, db):
    result = run(project, "state", "--json", url=db.url())
    assert result.rc == 0, result
    return {c["name"]: c for c in json.loads(result.out)["changes"]}


class Writers(contextlib.ExitStack):
    """Sessions that write by statements of old and new code; an error of any ends the test."""

    def __init__(self, db, statements):
        super().__init__()
        self.db, self.over, self.errors, self.done = db, threading.Event(), [], 0
        for statement in statements:
            thread = threading.Thread(target=self._work, args=(statement,))
            thread.start()
            self.callback(thread.join)
        self.callback(self.over.set)

    def _work(self, statement):
        dice = random.Random(statement)
        with contextlib.closing(self.db.connect()) as conn, conn.cursor() as cursor:
            while not self.over.is_set() and not self.errors:
                try:
                    cursor.execute(statement, {"id": dice.randint(1, 2000), "n": str(dice.randint(0, 99))})
                    self.done += 1
                except Exception as error:  # noqa: BLE001
                    self.errors.append(error)


def test_rename_column(project, db):
    """Old code all the time, new code from the expansion on; nothing that either wrote is lost."""
    prepare(project, db)
    result = expand(project, "rename-column", "User.name", "full name")
    assert "expand-contract contract user_full_name" in result.out, result
    assert sum("index_" in name for name in project.names) == 2
    old = ['UPDATE "User" SET "name" = %(n)s WHERE id = %(id)s', 'INSERT INTO "User" ("name", old) VALUES (%(n)s, 1)',
           'UPDATE "User" SET bio = %(n)s WHERE id = %(id)s', 'INSERT INTO "User" (old) VALUES (2)']
    with Writers(db, old) as writers:
        deploy(project, db)
        assert state(project, db)["user_full_name"]["state"] == "expanded"
        new = ['UPDATE "User" SET "full name" = %(n)s WHERE id = %(id)s',
               'INSERT INTO "User" ("full name", old) VALUES (%(n)s, 3)']
        with Writers(db, new) as more:
            while more.done < 300 and not more.errors:
                more.over.wait(0.05)
        assert not more.errors
    assert not writers.errors
    assert db.one('SELECT count(*) FROM "User" WHERE "full name" IS DISTINCT FROM "name"') == 0
    db.sql('UPDATE "User" SET "full name" = \'new\' WHERE id = 1; UPDATE "User" SET "name" = \'old\' WHERE id = 2')
    assert db.sql('SELECT "name", "full name" FROM "User" WHERE id < 3 ORDER BY id') == [("new", "new"), ("old", "old")]
    rows = db.one('SELECT count(*) FROM "User"')
    assert db.one("SELECT attnotnull FROM pg_attribute WHERE attname = 'full name'")
    assert db.one("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%not_null_check'") == 0
    result = run(project, "status", url=db.url())
    assert "user_full_name" in result.out and "contract user_full_name" in result.out, result
    expand(project, "contract", "user_full_name")
    assert state(project, db)["user_full_name"]["state"] == "contracting"
    with Writers(db, new) as writers:
        deploy(project, db)
    assert not writers.errors
    after = state(project, db)["user_full_name"]
    assert after["state"] == "contracted" and after["newIsReady"] and not after["oldIsThere"]
    assert columns(db) == ["id", "age", "bio", 'we"ird', "old", "parent", "full name"]
    assert db.one('SELECT count(*) FROM "User"') >= rows
    assert db.one("SELECT count(*) FROM pg_proc WHERE proname LIKE 'aramid%'") == 0
    assert db.one('INSERT INTO "User" (old) VALUES (9) RETURNING "full name"') == "nobody"
    assert db.sql("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'user_name%' ORDER BY 1") == [
        ('CREATE INDEX "user_name_full name" ON public."User" USING btree ("full name" DESC, id)',),
        ('CREATE UNIQUE INDEX "user_name_id_full name" ON public."User" USING btree (id, "full name")',)]


def test_change_type(project, db):
    """'007' stays as old code wrote it while the new column has 7; what new code writes goes back."""
    prepare(project, db)
    db.sql("UPDATE \"User\" SET age = '007' WHERE id = 5")
    expand(project, "change-type", "User.age", "integer", "--as", "years")
    with Writers(db, ['UPDATE "User" SET age = %(n)s WHERE id = %(id)s AND id <> 5']) as writers:
        deploy(project, db)
    assert not writers.errors
    assert db.one('SELECT count(*) FROM "User" WHERE years IS DISTINCT FROM age::int') == 0
    assert db.sql('SELECT age, years FROM "User" WHERE id = 5') == [("007", 7)]
    db.sql('UPDATE "User" SET years = 8 WHERE id = 5')
    assert db.sql('SELECT age, years FROM "User" WHERE id = 5') == [("8", 8)]
    result = expand(project, "contract", "user_years")
    assert "default" in result.out, result
    deploy(project, db)
    assert "age" not in columns(db)


def test_a_value_that_does_not_fit(project, db):
    prepare(project, db)
    db.sql("UPDATE \"User\" SET age = 'old' WHERE id = 1500")
    expand(project, "change-type", "User.age", "integer")
    result = aramid.deploy(project, db.url())
    assert result.rc == 22 and "22P02" in result.err and "the batch was behind" in result.err, result
    assert state(project, db)["user_age_integer"]["state"] == "expanding"
    db.sql("UPDATE \"User\" SET age = '1' WHERE id = 1500")
    deploy(project, db)
    assert state(project, db)["user_age_integer"]["state"] == "expanded"


def test_split(project, db):
    prepare(project, db)
    expand(project, "split", "User.name", "--into", "first text = split_part(\"name\", ' ', 1)",
           "--into", "last text = split_part(\"name\", ' ', 2)", "--back", "first || ' ' || last")
    with Writers(db, ['UPDATE "User" SET "name" = \'old \' || %(n)s WHERE id = %(id)s']) as writers:
        deploy(project, db)
        with Writers(db, ['UPDATE "User" SET first = \'new\', last = %(n)s WHERE id = %(id)s']) as more:
            while more.done < 200 and not more.errors:
                more.over.wait(0.05)
    assert not writers.errors and not more.errors
    assert db.one("SELECT count(*) FROM \"User\" WHERE first || ' ' || last IS DISTINCT FROM \"name\"") == 0
    assert db.one("SELECT count(*) FROM \"User\" WHERE first = 'new'") > 0
    expand(project, "contract", "user_first")
    deploy(project, db)


def test_not_null(project, db):
    prepare(project, db)
    expand(project, "not-null", "User.bio", "--value", "'it''s ' || \"name\"")
    with Writers(db, ['INSERT INTO "User" (old, bio) VALUES (1, NULL)',
                      'UPDATE "User" SET bio = NULL WHERE id = %(id)s']) as writers:
        deploy(project, db)
        assert db.one('SELECT count(*) FROM "User" WHERE bio IS NULL') == 0
        expand(project, "contract", "user_bio")
    assert not writers.errors
    with Writers(db, ['UPDATE "User" SET bio = %(n)s WHERE id = %(id)s']) as writers:
        deploy(project, db)
    assert not writers.errors
    assert db.one("SELECT attnotnull FROM pg_attribute WHERE attrelid = '\"User\"'::regclass AND attname = 'bio'")
    assert db.one("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0
    assert db.one('SELECT bio FROM "User" WHERE id = 7').startswith(("it's", *"0123456789"))


def test_drop_column(project, db):
    prepare(project, db)
    expand(project, "drop-column", "User.old")
    deploy(project, db)
    db.sql('INSERT INTO "User" ("name") VALUES (\'new code\'); INSERT INTO "User" (old) VALUES (1)')
    expand(project, "contract", "user_old")
    deploy(project, db)
    assert "old" not in columns(db)


def test_a_directive_written_with_blanks(project, db):
    """As the grammar of directives allows it."""
    prepare(project, db)
    expand(project, "drop-column", "User.old")
    written = [f for f in pathlib.Path(project.migrations).rglob("migration.sql") if "-- aramid:expand" in f.read_text()]
    for file in written:
        file.write_text(file.read_text().replace("-- aramid:expand", "--  aramid: expand"))
    assert written and state(project, db)["user_old"]["state"] == "pending"


def test_rename_table(project, db):
    prepare(project, db)
    expand(project, "rename-table", "User", "people")
    statements = ['INSERT INTO "User" (old) VALUES (5)', 'UPDATE "User" SET bio = %(n)s WHERE id = %(id)s',
                  'INSERT INTO "User" (id, old) VALUES (%(id)s, 1) ON CONFLICT (id) DO UPDATE SET bio = %(n)s']
    with Writers(db, statements) as writers:
        deploy(project, db)
        with Writers(db, [s.replace('"User"', "people") for s in statements]) as more:
            while more.done < 200 and not more.errors:
                more.over.wait(0.05)
    assert not writers.errors and not more.errors
    assert db.one('SELECT count(*) FROM "User"') == db.one("SELECT count(*) FROM people") > 2000
    expand(project, "contract", "user_people")
    deploy(project, db)
    assert not db.exists('"User"')


def test_other_names_and_types(project, db):
    """A column whose type has no equality; names that need quoting."""
    prepare(project, db)
    expand(project, "rename-column", 'User."we""ird"', "da ta")
    deploy(project, db)
    db.sql('UPDATE "User" SET "da ta" = \'{"b": 2}\' WHERE id = 1')
    assert db.one('SELECT "we""ird"::text FROM "User" WHERE id = 1') == '{"b": 2}'
    expand(project, "contract", "user_da_ta")
    deploy(project, db)


REFUSED = [
    (["rename-column", "User.id", "key"], 6, 'sequence belongs to it'),
    (["rename-column", "User.parent", "father"], 6, "used by foreign key"),
    (["rename-column", "User.bio", "about"], 6, "used by view"),
    (["drop-column", "User.bio"], 6, "used by view"),
    (["rename-column", "User.nothing", "x"], 2, 'has no column "nothing"'),
    (["rename-column", "Nobody.x", "y"], 2, 'no table "Nobody"'),
    (["rename-column", "User.name"], 2, "new name is missing"),
    (["rename-column", "User.name", "age"], 2, 'has a column "age" already'),
    (["rename-column", "name", "x"], 2, "names no column"),
    (["rename-table", "User", "adults"], 2, 'there is a "adults" already'),
    (["change-type", "User.age", "nonsense"], None, "nonsense"),
    (["change-type", "User.age", "integer", "--using", "nothing(age)"], None, "nothing"),
    (["split", "User.name"], 2, "way back"),
    (["split", "User.name", "--into", "first", "--back", "first"], 2, "says no column"),
    (["not-null", "User.name"], 2, "NOT NULL already"),
    (["not-null", "User.bio"], 2, "nobody said what NULL becomes"),
    (["merge", "User.name"], 2, "is no kind of change"),
    (["contract", "nothing"], 2, 'no migration begins a change "nothing"'),
    (["drop-column", "User.age", "x"], 2, "one word too many"),
]


@pytest.mark.parametrize("args, status, words", REFUSED)
def test_refused(project, args, status, words):
    project.add("init", TABLE)
    before = project.names
    result = run(project, "expand-contract", *args)
    assert result.rc == status or (status is None and result.rc), result
    assert words in result.err, result
    assert project.names == before


def test_twice_dry_run_and_json(project):
    project.add("init", TABLE)
    before = project.names
    result = run(project, "expand-contract", "drop-column", "User.old", "--dry-run")
    assert result.rc == 0 and "DROP NOT NULL" in result.out and project.names == before, result
    result = run(project, "expand-contract", "drop-column", "User.old", "--json")
    value = json.loads(result.out)
    assert value["step"] == "expand" and value["name"] == "user_old" and len(value["files"]) == 1
    assert run(project, "expand-contract", "drop-column", "User.old").rc == 5
    expand(project, "contract", "user_old")
    result = run(project, "expand-contract", "contract", "user_old")
    assert result.rc == 5 and "written already" in result.err, result


@pytest.mark.parametrize("sql, words", [
    ("-- aramid:expand nonsense\nSELECT 1;", "tells of no change"),
    ("-- aramid:contract nothing\nSELECT 1;", "names no change that was begun before"),
])
def test_directives_that_say_nothing(project, db, sql, words):
    name = project.add("init", sql)
    result = run(project, "state", url=db.url())
    assert result.rc == 20 and words in result.err and f"{name}/migration.sql:1:11" in result.err, result


LAYOUTS = {"supabase": ("supabase/migrations", "{sql}"), "sql": ("migrations", "{sql}"),
           "dbmate": ("db/migrations", "-- migrate:up\n{sql}\n-- migrate:down\n")}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, db, layout):
    folder, text = LAYOUTS[layout]
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "20240101000001_init.sql").write_text(text.format(
        sql="CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL);\nINSERT INTO t SELECT i, i FROM generate_series(1, 99) i;"))
    for args in (("rename-column", "t.a", "b"), ("contract", "t_b")):
        result = aramid.run("expand-contract", *args, cwd=tmp_path)
        assert result.rc == 0, result
        result = aramid.run("deploy", "--url", db.url(), cwd=tmp_path)
        assert result.rc == 0, result
    assert db.one("SELECT sum(b::int) FROM t") == 99 * 50
    assert db.one("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'") == 0
    result = aramid.run("status", "--url", db.url(), cwd=tmp_path)
    assert result.rc == 0 and "Changes in two steps" not in result.out, result
