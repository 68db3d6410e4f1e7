"""`aramid diff`: every endpoint, what it prints, its exit statuses."""

import os

import pytest

from harness import aramid

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
ONE = HEAD + """
model User {
  id      Int      @id @default(autoincrement())
  mail    String   @unique
  tags    String[] @default(["a b", "c"])
  created DateTime @default(now())
  role    Role     @default(USER)
}

enum Role {
  USER
  ADMIN
}
"""
TWO = ONE.replace("mail    String   @unique", "mail    String?\n  name    String")
TITLES = ("DropIndex", "AlterTable")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "one.prisma").write_text(ONE)
    (tmp_path / "two.prisma").write_text(TWO)
    return tmp_path


def diff(folder, *args, **kwargs):
    return aramid.run("diff", *args, cwd=str(folder), **kwargs)


def script(folder, *args):
    result = diff(folder, *args, "--script")
    assert result.rc == 0, result
    return result.out


def test_two_schemas_need_no_server(files):
    """Nor a configuration: there are no server binaries to be found, and no home folder."""
    result = diff(files, "--from-schema", "one.prisma", "--to-schema", "two.prisma", "--script",
                  env={"ARAMID_EMBEDDED_BIN": "/nowhere", "HOME": "/nowhere"})
    assert result.rc == 0 and [f"-- {t}" in result.out for t in TITLES] == [True, True], result
    assert 'ADD COLUMN     "name" TEXT NOT NULL' in result.out
    assert "required column `name`" in result.err and "required column" not in result.out


def test_summary_and_exit_code(files):
    same = ["--from-schema", "one.prisma", "--to-schema", "one.prisma"]
    other = ["--from-schema", "one.prisma", "--to-schema", "two.prisma"]
    result = diff(files, *same)
    assert (result.rc, result.out) == (0, "No difference detected.\n"), result
    assert diff(files, *same, "--exit-code").rc == 0
    assert diff(files, *other).rc == 0
    result = diff(files, *other, "--exit-code")
    assert result.rc == 2 and "[+] Added column `name`" in result.out, result
    assert diff(files, "--from-schema", "none", "--to-empty").rc == 5
    assert diff(files, "--from-schema", "none", "--to-empty", "--exit-code").rc == 1
    assert diff(files, *other, "--exit-code", "--no-such").rc == 1
    result = aramid.run("migrate", "diff", *other, "--exit-code", cwd=str(files))
    assert result.rc == 2, result
    assert aramid.run("migrate", "diff", "--from-schema", "none", "--to-empty",
                      cwd=str(files)).rc == 1


def test_every_endpoint_tells_the_same(files, project, db):
    sql = script(files, "--from-empty", "--to-schema", "one.prisma")
    (files / "one.sql").write_text(sql)
    project.add("init", sql)
    assert aramid.deploy(project, db.url()).rc == 0
    (files / "p.prisma").write_text(ONE.replace('"postgresql"',
                                                '"postgresql"\n  url = env("THE_URL")'))
    (files / ".env").write_text(f"THE_URL={db.url()}\n")
    ways = {
        "schema": ["schema", "one.prisma"], "datamodel": ["schema-datamodel", "one.prisma"],
        "sql": ["sql", "one.sql"], "migrations": ["migrations", project.migrations],
        "url": ["url", db.url()], "datasource": ["schema-datasource", "p.prisma"],
    }
    for name, (kind, value) in ways.items():
        result = diff(files, f"--from-{kind}", value, "--to-schema", "one.prisma", "--exit-code")
        assert result.rc == 0, (name, result)
        result = diff(files, "--from-schema", "one.prisma", f"--to-{kind}", value, "--exit-code")
        assert result.rc == 0, (name, result)
        forward = script(files, f"--from-{kind}", value, "--to-schema", "two.prisma")
        assert 'DROP INDEX "User_mail_key"' in forward and 'ADD COLUMN     "name"' in forward, name
        assert "tags" not in forward and "role" not in forward, name
    result = diff(files, "--from-config-datasource", "--to-migrations", project.migrations,
                  "--exit-code", env={"DATABASE_URL": db.url()})
    assert result.rc == 0, result


def test_what_prisma_cannot_say_is_left_alone(files, db):
    db.sql(script(files, "--from-empty", "--to-schema", "one.prisma"))
    db.sql('CREATE UNIQUE INDEX partial ON "User" (mail) WHERE id > 5;'
           ' CREATE INDEX lower_mail ON "User" (lower(mail));'
           ' ALTER TABLE "User" ENABLE ROW LEVEL SECURITY;'
           " CREATE VIEW v AS SELECT 1 AS one; CREATE SCHEMA other; CREATE TABLE other.t (i int);"
           ' ALTER TABLE "User" ADD CHECK (id > 0)')
    assert diff(files, "--from-url", db.url(), "--to-schema", "one.prisma", "--exit-code").rc == 0
    result = diff(files, "--from-url", db.url(), "--to-empty", "--script")
    assert 'DROP TABLE "User"' in result.out and 'DROP SCHEMA "other"' in result.out, result
    assert '"public";' not in result.out and "made again" not in result.err


def test_the_script_of_a_database_builds_it_again(files, db, db2):
    db.sql("CREATE EXTENSION IF NOT EXISTS citext; CREATE TYPE mood AS ENUM ('sad', 'glad');"
           " CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, c citext,"
           " CHECK (id > 0)); CREATE TABLE b (id int PRIMARY KEY REFERENCES a);"
           " CREATE VIEW v AS SELECT a.id FROM a JOIN b USING (id);"
           " ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a USING (id > 1);"
           " COMMENT ON TABLE a IS 'it''s'")
    text = script(files, "--from-empty", "--to-url", db.url())
    db2.sql(text)
    result = diff(files, "--from-url", db.url(), "--to-url", db2.url(), "--exit-code")
    assert result.rc == 0, result
    db2.sql("DROP POLICY p ON a")
    result = diff(files, "--from-url", db2.url(), "--to-url", db.url(), "--script")
    assert 'CREATE POLICY "p"' in result.out, result


def test_the_password_may_be_a_name(files, db, project):
    """A script with **** in the place of names would be another script."""
    db.sql("CREATE TABLE long_password (id int)")
    url = db.url(password="long_password")
    for args in (("diff", "--from-empty", "--to-url", url, "--script"),
                 ("diff", "--from-empty", "--to-url", url, "--json"),
                 ("drift", "--url", url, "--script", "adopt")):
        result = aramid.run(*args, cwd=project.path)
        assert "long_password" in result.out and "****" not in result.out.replace(":****@", ""), result
        assert ":long_password" not in result.text
    diff(files, "--from-empty", "--to-url", url, "--script", "-o", "out.sql")
    assert "CREATE TABLE \"long_password\"" in (files / "out.sql").read_text()


def test_a_url_in_the_place_of_a_path_is_no_secret_told(files):
    for option in ("--from-sql", "--from-schema", "--from-migrations"):
        for more in ((), ("--json",)):
            result = diff(files, option, "postgresql://u:hidden_word@h/x", "--to-empty", *more)
            assert result.rc in (5, 20) and "hidden_word" not in result.text, result


def test_output_file_keeps_its_mode(files):
    path = files / "out.sql"
    path.write_text("old")
    os.chmod(path, 0o640)
    args = ["--from-empty", "--to-schema", "one.prisma", "--script"]
    result = diff(files, *args, "-o", "out.sql")
    assert result.rc == 0 and result.out == "", result
    assert path.read_text() == script(files, *args) and path.stat().st_mode & 0o777 == 0o640
    assert diff(files, *args, "-o", "new.sql").rc == 0
    assert (files / "new.sql").stat().st_mode & 0o777 == 0o644
    os.mkfifo(files / "pipe")
    with open(os.open(files / "pipe", os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8") as pipe:
        assert diff(files, *args, "-o", "pipe").rc == 0
        assert pipe.read() == path.read_text() and (files / "pipe").is_fifo()
    result = diff(files, *args, "-o", "nowhere/new.sql")
    assert result.rc == 5 and "nowhere" in result.err, result


def test_compat_gives_prismas_text(files, oracle):
    """Also where a server printed one side."""
    (files / "one.sql").write_text(script(files, "--from-empty", "--to-schema", "one.prisma"))
    ours = script(files, "--from-schema", "one.prisma", "--to-schema", "two.prisma", "--prisma-compat")
    theirs = oracle.engine("diff", "--from", f"schema:{files}/one.prisma", "--to",
                           f"schema:{files}/two.prisma", "--script")
    assert theirs.rc == 0 and ours == theirs.out, theirs
    assert ours == script(files, "--from-sql", "one.sql", "--to-schema", "two.prisma",
                          "--prisma-compat")


def test_renames(files, db):
    db.sql(script(files, "--from-empty", "--to-schema", "one.prisma"))
    db.sql('INSERT INTO "User" (mail) VALUES (\'a@b\')')
    (files / "renamed.prisma").write_text(
        ONE.replace("model User {", '/// @renamed(from: "User")\nmodel Account {')
        .replace("mail    String ", "email   String "))
    args = ["--from-url", db.url(), "--to-schema", "renamed.prisma"]
    without = diff(files, *args, "--script")
    assert 'DROP COLUMN "mail"' in without.out and "looks like a rename" in without.err, without
    text = script(files, *args, "--rename", "User.mail:email")
    assert "DROP" not in text and 'RENAME TO "Account"' in text, text
    db.sql(text)
    assert db.one('SELECT email FROM "Account"') == "a@b"
    assert diff(files, *args, "--exit-code").rc == 0
    result = diff(files, "--from-schema", "one.prisma", "--to-schema", "renamed.prisma", "--rename", "User.x:y")
    assert result.rc == 2 and "User.x" in result.err, result
    (files / "odd.prisma").write_text(ONE.replace("model User {", "/// @renamed(User)\nmodel Account {"))
    result = diff(files, "--from-schema", "one.prisma", "--to-schema", "odd.prisma")
    assert result.rc == 2 and '@renamed(from: "old")' in result.err, result
    (files / "odd.prisma").write_text(ONE.replace("model User {", "/// @renamed(User)\nmodel User {"))
    result = diff(files, "--from-schema", "one.prisma", "--to-schema", "odd.prisma")
    assert result.rc == 0 and '@renamed(from: "old")' in result.out, result  # nothing goes


def test_rows_are_asked(files, db):
    db.sql(script(files, "--from-empty", "--to-schema", "two.prisma"))
    args = ["--from-url", db.url(), "--to-schema", "one.prisma"]
    assert "all 0 rows" in diff(files, *args).out or "empty" in diff(files, *args).out
    db.sql('INSERT INTO "User" (mail, name) VALUES (NULL, \'x\'), (NULL, \'y\'), (\'m\', \'z\')')
    result = diff(files, *args)
    assert "2 of 3 rows" in result.out, result


@pytest.mark.parametrize("args, rc, words", [
    ([], 2, "--from-schema"),
    (["--from-empty"], 2, "--to-schema"),
    (["--from-empty", "--from-sql", "x", "--to-empty"], 2, "exclude each other"),
    (["--from-migrations", "none", "--to-empty"], 20, "none"),
    (["--from-sql", "none.sql", "--to-empty"], 5, "none.sql"),
    (["--from-url", "mysql://u:secret@h/d", "--to-empty"], 3, "mysql"),
    (["--from-url", "postgresql://u:secret@127.0.0.1:1/d", "--to-empty"], 40, "127.0.0.1"),
    (["--from-schema", "broken.prisma", "--to-schema", "broken.prisma"], 6, "broken.prisma:5:"),
])
def test_bad_input(files, args, rc, words):
    (files / "broken.prisma").write_text(HEAD + "\nmodel A {\n}\n")
    result = diff(files, *args)
    assert result.rc == rc and words in result.err, result
    assert "secret" not in result.text and result.out == ""


def test_sql_that_fails_names_its_place(files):
    (files / "bad.sql").write_text("CREATE TABLE a (i int);\nCREATE TABLE b (i nowhere);\n")
    result = diff(files, "--from-sql", "bad.sql", "--to-empty")
    assert result.rc == 29 and "bad.sql:2" in result.err and "nowhere" in result.err, result


# ---- extensions and types in schemas that schema.prisma does not tell about ---------------------

ELSEWHERE = {
    "unused": ("CREATE SCHEMA tools; CREATE EXTENSION pgcrypto SCHEMA tools", "n Int?", "n int"),
    "citext": ("CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools", "n String? @db.Citext", "n tools.citext"),
    "platform": ("CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions",
                 "n String? @db.Citext", "n extensions.citext"),
    "qualified": ("CREATE SCHEMA tools; CREATE EXTENSION hstore SCHEMA tools",
                  'n Unsupported("tools.hstore")?', "n tools.hstore"),
    "enum": ("CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('a', 'b')",
             'n Unsupported("other.kind")?', "n other.kind"),
    "enum as Prisma's pull has it": ("CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('a', 'b')",
                                     'n Unsupported("kind")?', "n other.kind"),
    "composite of a domain": ("CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('a', 'b');"
                              " CREATE DOMAIN other.plus AS int CHECK (value > 0);"
                              " CREATE TYPE other.pair AS (x other.plus, k other.kind)",
                              'n Unsupported("other.pair")?', "n other.pair"),
    "composite here": ("CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('a', 'b');"
                       " CREATE DOMAIN plus AS int; CREATE TYPE pair AS (x plus, k other.kind)",
                       'n Unsupported("pair")?', "n pair"),
    "function": ("CREATE SCHEMA other; CREATE FUNCTION other.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                 'n Int? @default(dbgenerated("other.one()"))', "n int DEFAULT other.one()"),
}


@pytest.mark.parametrize("case", sorted(ELSEWHERE))
def test_what_lies_in_other_schemas_is_taken_for_given(project, db, case):
    made, field, column = ELSEWHERE[case]
    project.add("init", f"{made};\nCREATE TABLE acc (id int PRIMARY KEY, {column});\n")
    project.write("prisma/schema.prisma", HEAD + "model acc {\n  id Int @id\n  " + field + "\n}\n")
    assert aramid.deploy(project, db.url()).rc == 0
    for side in (["migrations", project.migrations], ["url", db.url()]):
        for args in ([f"--from-{side[0]}", side[1], "--to-schema", "prisma/schema.prisma"],
                     ["--from-schema", "prisma/schema.prisma", f"--to-{side[0]}", side[1]]):
            result = diff(project.path, *args, "--exit-code")
            assert (result.rc, result.out) == (0, "No difference detected.\n"), (args, result)
    result = aramid.run("check", cwd=project.path)
    assert result.rc == 0, result
    (open(os.path.join(project.path, "prisma/schema.prisma"), "a")).write("model more {\n  id Int @id\n}\n")
    forward = script(project.path, "--from-url", db.url(), "--to-schema", "prisma/schema.prisma")
    assert 'CREATE TABLE "more"' in forward and "acc" not in forward and "DROP" not in forward, forward


def test_extensions_that_the_schema_places(project, db):
    """With a pinned version that no server has, too."""
    head = HEAD.replace('"postgresql"\n', '"postgresql"\n  extensions = [citext(schema: "tools")]\n')
    project.add("init", "CREATE SCHEMA tools;\nCREATE EXTENSION citext SCHEMA tools;\n"
                "CREATE TABLE acc (id int PRIMARY KEY, n tools.citext);\n")
    text = ('generator client {\n  provider = "prisma-client-js"\n  previewFeatures = ["postgresqlExtensions"]\n}\n' + head
            + "model acc {\n  id Int @id\n  n String? @db.Citext\n}\n")
    project.write("prisma/schema.prisma", text)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(f'ALTER DATABASE "{db.name}" SET search_path = "$user", public, tools')
    for end in (["--from-migrations", project.migrations], ["--from-url", db.url()]):
        result = diff(project.path, *end, "--to-schema", "prisma/schema.prisma", "--exit-code")
        assert (result.rc, result.out) == (0, "No difference detected.\n"), result
    project.write("prisma/schema.prisma", text.replace('"tools")', '"tools", version: "1.99")'))
    result = diff(project.path, "--from-migrations", project.migrations, "--to-schema", "prisma/schema.prisma")
    assert result.rc == 0 and "cannot be replayed" not in result.err, result


@pytest.mark.parametrize("before, after, hits", [
    ("timestamp(3)", "@db.Timestamptz(3)", 1), ("timestamptz(3)", "@db.Timestamp(3)", 1), ("date", "@db.Timestamptz", 1),
    ("timestamptz", "@db.Date", None), ("time", "@db.Timetz", None), ("timestamp(3)", "@db.Timestamp(6)", None)])
def test_times_that_the_zone_of_a_session_moves(project, db, before, after, hits):
    """Prisma's statement stays; what it does to the values is said, and with which zone."""
    head = 'datasource db {\n  provider = "postgresql"\n}\n'
    db.sql(f"CREATE TABLE t (id int PRIMARY KEY, at {before})")
    db.sql(f"INSERT INTO t VALUES (1, {'localtime' if before == 'time' else 'now()'}), (2, NULL)")
    project.write("s.prisma", head + f"model t {{\n  id Int @id\n  at DateTime? {after}\n}}\n")
    zoned = ("timestamp(6)" not in after.lower())
    for zone, moved in (("America/New_York", hits), ("UTC", 0 if hits else None)):
        db.sql(f"ALTER DATABASE \"{db.name}\" SET timezone = '{zone}'")
        result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "s.prisma", "--script", cwd=project.path)
        assert result.rc == 0 and ("converted by the TimeZone" in result.err) == zoned, result
        assert "AT TIME ZONE" not in result.out and (not zoned or "SET LOCAL timezone" in result.err), result
        if moved is not None:
            assert f"TimeZone is {zone}: {moved} of 2 rows move" in result.err, result


def test_partitions_of_two_databases_count(files, db, db2):
    """Without migrations nobody says that they are made at run time: a missing one is made, one too many goes."""
    db.sql("CREATE TABLE ev (at int) PARTITION BY RANGE (at); CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (1) TO (9)")
    db2.sql("CREATE TABLE ev (at int) PARTITION BY RANGE (at)")
    assert 'ATTACH PARTITION "ev_1"' in script(files, "--from-url", db2.url(), "--to-url", db.url())
    text = script(files, "--from-url", db.url(), "--to-url", db2.url())
    assert 'DROP TABLE "ev_1"' in text
