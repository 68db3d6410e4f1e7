"""`aramid pull`: schema.prisma from a database.

tests/golden/pull holds cases: input.sql, perhaps previous.prisma (the schema that is there) and args;
expected.prisma and warnings.txt are what comes out. ARAMID_BLESS=1 writes them anew. The comparison
with Prisma's engine is tests/compat/pull_compare.py.
"""

import glob
import os
import re
import stat
import subprocess
import sys

import pytest

from harness import aramid, wait
from harness.cluster import REPO
from harness.project import Project

GOLDEN = os.path.join(REPO, "tests", "golden", "pull")
CASES = sorted(os.path.basename(path) for path in glob.glob(os.path.join(GOLDEN, "*")))
EMPTY = 'datasource db {\n  provider = "postgresql"\n}\n'
SHOP = """
CREATE TABLE customer (id serial PRIMARY KEY, email text NOT NULL UNIQUE, name text);
CREATE TABLE "order" (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customer);
"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def schema_of(project):
    return read(os.path.join(project.path, "prisma/schema.prisma"))


def pull(project, db, *args, **kwargs):
    return aramid.run("pull", "--url", db.url(), *args, cwd=project.path, **kwargs)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def beside(case, name, otherwise=""):
    path = os.path.join(GOLDEN, case, name)
    return read(path) if os.path.exists(path) else otherwise


@pytest.mark.parametrize("case", CASES)
def test_golden(case, db, project):
    since = re.match(r"-- since (\d+)", beside(case, "input.sql"))
    if since and db.server.major < int(since[1]):
        pytest.skip(f"needs PostgreSQL {since[1]}")
    db.sql(beside(case, "input.sql"))
    project.write("prisma/schema.prisma", beside(case, "previous.prisma", EMPTY))
    result = pull(project, db, "--print", *beside(case, "args").split())
    assert result.rc == 0, result
    for name, text in (("expected.prisma", result.out), ("warnings.txt", result.err)):
        if "ARAMID_BLESS" in os.environ:
            path = os.path.join(GOLDEN, case, name)
            if text:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            elif os.path.exists(path):
                os.unlink(path)
        assert text == beside(case, name)
    # Written down, it is what is there: valid, and nothing is left to do.
    project.write("prisma/schema.prisma", result.out)
    assert aramid.run("validate", cwd=project.path).rc == 0
    again = pull(project, db, "--print")
    assert (again.rc, again.out) == (0, result.out), again


def test_only_prisma_s_answers_differ_on_purpose():
    """The golden cases beside Prisma's engine: all valid for it, and stable."""
    done = subprocess.run([sys.executable, os.path.join(REPO, "tests/compat/pull_compare.py")],
                          capture_output=True, text=True, check=False, timeout=wait.PATIENCE)
    if done.returncode == 77:
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


# -- The command -----------------------------------------------------------------------------------

def test_shows_the_difference_and_writes_after_a_yes(db, project):
    db.sql(SHOP)
    path = os.path.join(project.path, "prisma/schema.prisma")
    os.chmod(path, 0o640)
    result = pull(project, db, "--yes")
    assert result.rc == 0, result
    assert "@@ -1,3 +1,16 @@\n" in result.out and "+model customer {\n" in result.out
    assert "Introspected 2 models and wrote them into prisma/schema.prisma" in result.out
    assert "model order {" in schema_of(project)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert sorted(os.listdir(os.path.dirname(path))) == ["migrations", "schema.prisma"]
    again = pull(project, db)
    assert again.rc == 0 and "already says what is in the database: 2 models" in again.out


def test_asks_nobody_where_nobody_is(db, project):
    db.sql(SHOP)
    result = pull(project, db)
    assert result.rc == 4 and "aramid pull --yes" in result.err, result
    assert schema_of(project) == EMPTY


def test_asks_on_a_terminal(db, project):
    db.sql(SHOP)
    for answer, rc in (("n\n", 4), ("y\n", 0)):
        terminal = aramid.Terminal("pull", "--url", db.url(), cwd=project.path)
        terminal.read_until("Write 1 file?")
        assert "\x1b[32m+model customer {\x1b[0m" in terminal.text
        terminal.type(answer)
        result = terminal.wait()
        assert result.rc == rc, result
        assert (schema_of(project) == EMPTY) == (rc != 0)


def test_a_renamed_model_keeps_its_fields_of_a_many_to_many_relation(db, project):
    """And it is said that A and B do not follow the alphabet any more, which Prisma Client goes by."""
    db.sql("""CREATE TABLE "Invoice" (id int PRIMARY KEY); CREATE TABLE firm (id int PRIMARY KEY);
        CREATE TABLE "_InvoiceToFirm" ("A" int NOT NULL REFERENCES "Invoice" ON DELETE CASCADE ON UPDATE CASCADE,
            "B" int NOT NULL REFERENCES firm ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "_InvoiceToFirm_AB_pkey" PRIMARY KEY ("A", "B"));
        CREATE INDEX "_InvoiceToFirm_B_index" ON "_InvoiceToFirm" ("B");""")
    for name, crossed in (("Kompany", False), ("Company", True)):
        text = (EMPTY + 'model Invoice {\n  id    Int       @id\n  firms NAME[] @relation("InvoiceToFirm")\n}\n\n'
                'model NAME {\n  id       Int       @id\n  invoices Invoice[] @relation("InvoiceToFirm")\n\n  @@map("firm")\n}\n'
                ).replace("NAME", name)
        project.write("prisma/schema.prisma", text)
        result = pull(project, db, "--yes")
        assert result.rc == 0 and schema_of(project) == text, result
        assert ("pull-join-sides" in result.text) == crossed and "pull-removed" not in result.text, result
    anew = pull(project, db, "--print", "--force")
    assert "pull-join-sides" not in anew.text, anew
    script = aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", "--script", cwd=project.path)
    db.sql(script.out)
    result = pull(project, db, "--yes")
    assert result.rc == 0 and "pull-join-sides" not in result.text and schema_of(project) == text, result


def test_prisma_s_spelling_asks_nobody(db, project):
    db.sql(SHOP)
    result = aramid.run("db", "pull", "--url", db.url(), cwd=project.path)
    assert result.rc == 0 and "model customer {" in schema_of(project), result


def test_print_writes_nothing(db, project):
    db.sql(SHOP + "CREATE TABLE loose (a int);")
    result = pull(project, db, "--print")
    assert result.rc == 0 and result.out.startswith(EMPTY)
    assert "The following models were ignored" in result.err
    assert schema_of(project) == EMPTY


def test_force_begins_anew(db, project):
    db.sql(SHOP)
    project.write("prisma/schema.prisma", "// mine\n" + EMPTY + "\n/// gone\nmodel Customer {\n"
                  "  id Int @id\n  x Nothing\n  @@map(\"customer\")\n}\n")
    broken = pull(project, db, "--yes")
    assert broken.rc == 6 and "schema.prisma:9:5" in broken.err and "--force" in broken.err, broken
    result = pull(project, db, "--force")
    assert result.rc == 0, result
    assert "model customer {" in schema_of(project) and "gone" not in schema_of(project)
    assert schema_of(project).startswith("// mine\n" + EMPTY)


def test_an_empty_database(db, project):
    result = pull(project, db, "--yes")
    assert result.rc == 31 and "(P4001)" in result.err, result
    assert aramid.run("db", "pull", "--url", db.url(), cwd=project.path).rc == 1
    assert schema_of(project) == EMPTY


def test_the_schemas_that_were_looked_into_are_named(db, project):
    result = pull(project, db, "--schemas", "one,two")
    assert result.rc == 31 and "schema one, two of" in result.err, result


def test_without_a_schema_one_is_made(db, tmp_path):
    db.sql(SHOP)
    result = aramid.run("pull", "--url", db.url(), cwd=str(tmp_path))
    assert result.rc == 0 and "--- /dev/null" in result.out, result
    text = read(tmp_path / "prisma/schema.prisma")
    assert text.startswith("generator client {") and "model customer {" in text


def test_a_schema_without_datasource_gets_one(db, tmp_path):
    db.sql(SHOP)
    (tmp_path / "schema.prisma").write_text("// nothing yet\n")
    result = aramid.run("pull", "--url", db.url(), "--yes", cwd=str(tmp_path))
    text = read(tmp_path / "schema.prisma")
    assert result.rc == 0 and "datasource db {" in text and "// nothing yet" in text, result
    assert aramid.run("validate", cwd=str(tmp_path)).rc == 0


def test_each_block_stays_in_its_file(db, tmp_path):
    db.sql("CREATE TYPE kind AS ENUM ('a'); CREATE TABLE x1 (id int PRIMARY KEY, k kind);"
           "CREATE TABLE x2 (id int PRIMARY KEY, x1_id int REFERENCES x1);"
           "CREATE TABLE y1 (id int PRIMARY KEY)")
    folder = tmp_path / "prisma" / "schema"
    (folder / "models").mkdir(parents=True)
    (folder / "main.prisma").write_text(EMPTY)
    (folder / "models" / "x.prisma").write_text(
        "model First {\n  id Int @id\n\n  @@map(\"x1\")\n}\n\nmodel x2 {\n  id Int @id\n}\n")
    (folder / "models" / "y.prisma").write_text("// y\nmodel y1 {\n  id Int @id\n}\n")
    (folder / "models" / "gone.prisma").write_text("model gone {\n  id Int @id\n}\n")
    result = aramid.run("pull", "--url", db.url(), "--yes", "--schema", str(folder), cwd=str(tmp_path))
    assert result.rc == 0, result
    assert read(folder / "main.prisma") == EMPTY
    assert read(folder / "models" / "y.prisma") == "// y\nmodel y1 {\n  id Int @id\n}\n"
    assert read(folder / "models" / "gone.prisma") == ""
    assert read(folder / "models" / "x.prisma") == (
        'model First {\n  id Int   @id\n  k  kind?\n  x2 x2[]\n\n  @@map("x1")\n}\n\n'
        "model x2 {\n  id    Int    @id\n  x1_id Int?\n"
        "  x1    First? @relation(fields: [x1_id], references: [id], onDelete: NoAction, onUpdate: "
        "NoAction)\n}\n\nenum kind {\n  a\n}\n")
    assert 'model "gone"' in result.err


def test_line_ends_stay(db, project):
    db.sql(SHOP)
    old = EMPTY + "\n// mine\nmodel customer {\n  id    Int @id @default(autoincrement())\n}\n"
    path = project.write("prisma/schema.prisma", old.replace("\n", "\r\n"))
    assert pull(project, db, "--yes").rc == 0
    with open(path, "rb") as file:
        text = file.read()
    assert text.count(b"\n") == text.count(b"\r\n") > 15 and b"// mine\r\nmodel customer" in text
    assert "already says" in pull(project, db).out


def test_managed_schemas_are_left_alone_unless_named(db, project):
    db.sql("CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY);"
           "CREATE TABLE profile (id uuid PRIMARY KEY REFERENCES auth.users)")
    result = pull(project, db, "--print")
    assert result.rc == 0 and "users" not in result.out
    assert '"auth"."users": the table is not in the schema' in result.err
    both = pull(project, db, "--yes", "--schemas", "public,auth")
    assert both.rc == 0 and 'schemas  = ["public", "auth"]' in schema_of(project), both
    assert "model users {" in schema_of(project) and '@@schema("auth")' in schema_of(project)
    assert "already says" in pull(project, db).out


def test_a_role_that_may_not_read_the_rows(db, project):
    db.sql(SHOP)
    db.server.admin("DROP ROLE IF EXISTS pull_stranger")
    db.server.admin("CREATE ROLE pull_stranger LOGIN")
    result = aramid.run("pull", "--print", "--url", db.url("pull_stranger"), cwd=project.path)
    assert result.rc == 0 and "model customer {" in result.out, result
    assert db.sql("SELECT 1 FROM pg_stat_user_tables WHERE n_tup_ins > 0") == []


def test_a_failure_leaves_the_file_alone(db, project):
    db.sql(SHOP)
    for url in ("postgresql://postgres@127.0.0.1:1/x", db.url() + "_not_there"):
        result = aramid.run("pull", "--yes", "--url", url, cwd=project.path)
        assert result.rc in (31, 40) and schema_of(project) == EMPTY, result


def test_json(db, project):
    db.sql(SHOP + "CREATE TABLE loose (a int);")
    result = pull(project, db, "--json", "--yes")
    assert result.rc == 0, result
    assert result.json["written"] and result.json["models"] == 3
    assert [w["id"] for w in result.json["warnings"]] == ["no-id"]
    assert pull(project, db, "--json", "--print").json["files"][0]["text"] == schema_of(project)


def test_the_password_may_be_a_word_of_the_schema(db, project):
    db.sql(SHOP)
    url = db.url(password="Int")
    result = aramid.run("pull", "--print", "--url", url, cwd=project.path)
    assert result.rc == 0 and "customer_id Int\n" in result.out, result
    assert aramid.run("pull", "--yes", "--url", url, cwd=project.path).rc == 0
    assert schema_of(project) == result.out
    project.write("prisma/schema.prisma", EMPTY.replace("}", '  url = "postgresql://u:pw@h/d"\n}'))
    result = aramid.run("pull", "--yes", "--url", url, cwd=project.path)
    assert result.rc == 0 and "pw" not in result.text and "u:pw@h" in schema_of(project), result


def test_names_reach_no_terminal_unfiltered(db, project):
    db.sql('CREATE TABLE "\x1b[31mred\u202e" ("a\x1b[0m" int)')
    result = pull(project, db, "--yes")
    assert result.rc == 0 and "\x1b" not in result.text and "\u202e" not in result.text, result
    assert aramid.run("validate", cwd=project.path).rc == 0
    assert "already says" in pull(project, db).out


def test_many_tables(server, project):
    """5,000 tables: nothing grows with the square."""
    db = server.new_database()
    db.sql("""DO $$ BEGIN FOR i IN 1..5000 LOOP
        EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a text NOT NULL UNIQUE, b int, c timestamp,
                        parent int %s)', i, CASE WHEN i > 1 THEN 'REFERENCES t' || i - 1 END);
        IF i % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$""")
    result = pull(project, db, "--yes")
    assert result.rc == 0 and "Introspected 5000 models" in result.out, result.err
    again = pull(project, db)
    assert "already says" in again.out, again.err
    db.drop()


def test_what_prisma_made_of_the_example(db, project):
    """The shop example: its schema says all that is in its database; comments are added."""
    example = os.path.join(REPO, "examples", "shop")
    result = aramid.run("deploy", "--url", db.url(), "--migrations",
                        os.path.join(example, "prisma/migrations"), cwd=project.path)
    assert result.rc == 0, result
    text = read(os.path.join(example, "prisma/schema.prisma"))
    project.write("prisma/schema.prisma", text)
    result = pull(project, db, "--print")
    assert result.rc == 0 and re.sub(r"^///.*\n", "", result.out, flags=re.M) == text, result


def test_an_embedded_database_that_was_not_made_yet(project):
    result = aramid.run("pull", "--print", cwd=project.path)
    assert result.rc == 31 and "was not made yet" in result.err and "null" not in result.err, result


GIN = ("int", "bigint", "smallint", "real", "double precision", "numeric", "money", "oid", "date", "time", "timetz",
       "timestamp", "timestamptz", "text", "varchar(9)", "char(3)", "bytea", "bit(3)", "varbit(3)", "inet", "uuid",
       "boolean", "kind", "interval", "macaddr", '"char"', "jsonb", "int[]", "kind[]")
GIST = tuple(t for t in GIN if t not in ("jsonb", "int[]", "kind[]", "boolean", '"char"'))


def test_indexes_over_types_that_an_extension_indexes(db, project):
    """btree_gin's and btree_gist's classes go without saying in PostgreSQL, and not in Prisma's language."""
    db.sql("CREATE EXTENSION btree_gin; CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm; "
           "CREATE TYPE kind AS ENUM ('a', 'b')")
    for method, types in (("gin", GIN), ("gist", GIST)):
        columns = ", ".join(f"c{i} {t} NOT NULL" for i, t in enumerate(types))
        db.sql(f"CREATE TABLE {method} (id int PRIMARY KEY, {columns})")
        for i in range(len(types)):
            db.sql(f"CREATE INDEX {method}_{i} ON {method} USING {method} (c{i})")
    db.sql("CREATE INDEX many ON gin USING gin (c22, c27)")
    db.sql("CREATE INDEX trgm ON gist USING gist (c0, c13 gist_trgm_ops(siglen=64))")
    result = pull(project, db, "--force")
    assert result.rc == 0, result
    text = schema_of(project)
    assert '@@index([c22(ops: raw("enum_ops")), c27], map: "many", type: Gin)' in text, text
    assert '@@index([c0(ops: raw("gist_int4_ops"))], map: "gist_0", type: Gist)' in text, text
    assert aramid.run("validate", cwd=project.path).rc == 0
    equal = aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", "--exit-code",
                       cwd=project.path)
    assert equal.rc == 0, equal
    assert pull(project, db, "--force").rc == 0 and schema_of(project) == text


def test_one_index_that_no_schema_can_say(db, project):
    """It is left out and told; the rest is there, and nothing drops it later."""
    db.sql("CREATE TABLE doc (id int PRIMARY KEY, title text NOT NULL, n int);"
           "CREATE INDEX doc_title ON doc (title, title text_pattern_ops);"
           "CREATE UNIQUE INDEX doc_twice ON doc (title, n, title varchar_pattern_ops);"
           "CREATE INDEX doc_n ON doc (n)")
    result = pull(project, db, "--yes")
    assert result.rc == 0, result
    text = schema_of(project)
    assert '@@index([n], map: "doc_n")' in text and "doc_t" not in text, text
    assert 'index: "doc_title"' in result.text or '"doc_title"' in result.text, result
    assert '"doc_twice"' in result.text and "whose language cannot say them" in result.text, result
    assert aramid.run("validate", cwd=project.path).rc == 0
    equal = aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", "--exit-code", cwd=project.path)
    assert equal.rc == 0, equal
    db.sql("ALTER TABLE doc ADD more int")
    assert pull(project, db, "--yes").rc == 0 and "more" in schema_of(project)


def test_rare_kinds_are_told_kind_by_kind(db, project):
    db.sql("CREATE TABLE t (id int PRIMARY KEY, a text)")
    result = pull(project, db, "--json", "--yes")
    assert result.rc == 0 and not result.json["warnings"], result
    db.sql("CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int); CREATE AGGREGATE many(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');"
           "CREATE PUBLICATION p FOR TABLE t; CREATE STATISTICS s ON id, a FROM t;"
           "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple);"
           "DO $$ BEGIN FOR i IN 1..12 LOOP EXECUTE format('CREATE COLLATION l%s FROM \"C\"', i); END LOOP; END $$")
    result = pull(project, db, "--json", "--yes")
    assert result.rc == 0 and [w["id"] for w in result.json["warnings"]] == ["other-kind"], result
    items = result.json["warnings"][0]["items"]
    assert [x.split(" (")[0] for x in items] == ["collation", "aggregate", "text search configuration", "statistics object", "publication"]
    assert "aggregate (2): public.many(*), public.total(integer)" in items, items
    assert items[0].startswith("collation (12): public.l1, ") and items[0].endswith(" and 2 more"), items
    assert "words for them" in pull(project, db, "--yes").text


def test_an_index_that_the_schema_had_and_cannot_say_any_more(db, project):
    db.sql("CREATE TABLE doc (id int PRIMARY KEY, title text NOT NULL); CREATE INDEX doc_title ON doc (title)")
    assert pull(project, db, "--yes").rc == 0
    assert 'map: "doc_title"' in schema_of(project)
    db.sql("DROP INDEX doc_title; CREATE INDEX doc_title ON doc (title, title text_pattern_ops)")
    result = pull(project, db, "--yes")
    assert result.rc == 0 and "doc_title" not in schema_of(project) and '"doc_title"' in result.text, result


def test_what_came_with_18_is_left_alone_afterwards(servers, project):
    """Keys WITHOUT OVERLAPS are no keys to Prisma: neither dropped by a diff nor made by it."""
    server = servers.get(18)
    db = server.new_database()
    db.sql(read(os.path.join(GOLDEN, "constraints-18", "input.sql")))
    env = {"ARAMID_PG_BINDIR": server.bindir}
    for _ in range(2):
        assert pull(project, db, "--yes").rc == 0
        result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", "--script", cwd=project.path, env=env)
        assert result.rc == 0 and "empty migration" in result.out, result
    # Who has it in words keeps it.
    project.write("prisma/schema.prisma", schema_of(project).replace("  n      Int?\n\n  @@ignore", "  n      Int?\n\n  @@id([room, during])\n  @@ignore"))
    result = aramid.run("diff", "--from-url", db.url(), "--to-schema", "prisma/schema.prisma", "--script", cwd=project.path, env=env)
    assert result.rc == 0 and "empty migration" in result.out, result
    db.drop()
