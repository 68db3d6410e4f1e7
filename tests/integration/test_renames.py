"""Renames that people wish for: done with all rows kept, or refused; never passed over."""

import pytest

from harness import aramid

HEAD = 'datasource db {\n  provider = "postgresql"\n}\n'
SCHEMAS = HEAD.replace("}", '  schemas = ["base", "tx"]\n}')


def models(text, head=HEAD):
    """"Name { field Type ; ... } Name { ... }" as a schema."""
    return head + "\n".join("model " + m.replace(";", "\n").replace("{", "{\n").replace("}", "\n}") for m in text.split("|"))


def diff(folder, *args):
    return aramid.run("diff", *args, cwd=str(folder))


def write(tmp_path, one, two, head=HEAD):
    (tmp_path / "one.prisma").write_text(models(one, head))
    (tmp_path / "two.prisma").write_text(models(two, head))


def lead(tmp_path, db, rows, *wishes):
    """Make the first schema, fill it, follow the script to the second; nothing is left to do then."""
    made = diff(tmp_path, "--from-empty", "--to-schema", "one.prisma", "--script")
    assert made.rc == 0, made
    db.sql(made.out)
    db.sql(rows)
    options = [word for wish in wishes for word in ("--rename", wish)]
    schemas = diff(tmp_path, "--from-schema", "one.prisma", "--to-schema", "two.prisma", "--script", *options)
    live = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--script", *options)
    assert schemas.rc == 0 and live.rc == 0, (schemas, live)
    for text in (schemas.out, live.out):
        assert "DROP TABLE" not in text and "DROP COLUMN" not in text, text
    db.sql("BEGIN;" + schemas.out + ";ROLLBACK")
    db.sql("BEGIN;" + live.out + ";COMMIT")
    after = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--exit-code")
    assert after.rc == 0, after
    return live.out


POSTS = "Post { id Int @id; name String; tags Tag[] } | Tag { id Int @id; name String; posts Post[] }"
LINKS = """INSERT INTO "Post" VALUES (1, 'p1'), (2, 'p2'); INSERT INTO "Tag" VALUES (1, 't1'), (2, 't2');
           INSERT INTO "_PostToTag" VALUES (1, 2)"""


@pytest.mark.parametrize("wishes", [("Tag:Label",), ("Tag:Label", "_PostToTag:_LabelToPost")])
def test_a_relations_table_follows_its_model(tmp_path, db, wishes):
    """The alphabet turns: Post has tag 2, whichever column says so."""
    write(tmp_path, POSTS, POSTS.replace("Tag", "Label").replace("tags", "labels"))
    lead(tmp_path, db, LINKS, *wishes)
    assert db.sql('SELECT p.name, l.name FROM "_LabelToPost" j JOIN "Label" l ON l.id = j."A" '
                  'JOIN "Post" p ON p.id = j."B"') == [("p1", "t2")]


KEYLESS = HEAD.replace("}", '  relationMode = "prisma"\n}')


@pytest.mark.parametrize("wishes", [("Tag:Label",), ("Tag:Label", "_PostToTag:_LabelToPost")])
def test_without_keys_the_names_tell(tmp_path, db, wishes):
    write(tmp_path, POSTS, POSTS.replace("Tag", "Label").replace("tags", "labels"), KEYLESS)
    lead(tmp_path, db, LINKS, *wishes)
    assert db.sql('SELECT p.name, l.name FROM "_LabelToPost" j JOIN "Label" l ON l.id = j."A" '
                  'JOIN "Post" p ON p.id = j."B"') == [("p1", "t2")]


def test_without_keys_a_model_that_is_only_called_otherwise(tmp_path, db):
    """Its table stays, and that of the relation is named after the models."""
    label = POSTS.replace("Tag", "Label").replace("posts Post[]", 'posts Post[]; @@map("Tag")')
    write(tmp_path, POSTS, label, KEYLESS)
    lead(tmp_path, db, LINKS, "_PostToTag:_LabelToPost")
    assert db.sql('SELECT "A", "B" FROM "_LabelToPost"') == [(2, 1)]


def named(text, name):
    return text.replace("[]", f'[] @relation("{name}")')


def test_without_keys_and_names_it_is_said(tmp_path, db):
    """Two schemas tell; a database does not, and asks for a person's word."""
    one, two = named(POSTS, "links"), named(POSTS.replace("Tag", "Label").replace("tags", "labels"), "links")
    write(tmp_path, one, two, KEYLESS)
    script = diff(tmp_path, "--from-schema", "one.prisma", "--to-schema", "two.prisma", "--script", "--rename", "Tag:Label")
    assert script.rc == 0 and script.out.count("RENAME COLUMN") == 3 and "diff-join-sides" not in script.err, script
    db.sql(diff(tmp_path, "--from-empty", "--to-schema", "one.prisma", "--script").out)
    live = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--script", "--rename", "Tag:Label")
    assert live.rc == 0 and "RENAME COLUMN" not in live.out and "diff-join-sides" in live.err, live
    live = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--script", "--rename", "Tag:Label",
                "--rename", "_links.A:B", "--rename", "_links.B:A")
    assert live.out.count("RENAME COLUMN") == 3 and "diff-join-sides" not in live.err, live
    db.sql(live.out)
    after = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--exit-code")
    assert after.rc == 0 and "diff-join-sides" not in after.text, after


def test_without_keys_a_kept_name_that_says_the_opposite(tmp_path, db):
    write(tmp_path, POSTS, named(POSTS.replace("Tag", "Label").replace("tags", "labels"), "PostToTag")
          .replace("posts Post[]", '@@map("Tag"); posts Post[]'), KEYLESS)
    db.sql(diff(tmp_path, "--from-empty", "--to-schema", "one.prisma", "--script").out)
    db.sql('ALTER TABLE "Tag" RENAME TO "Etikett"')
    (tmp_path / "two.prisma").write_text((tmp_path / "two.prisma").read_text().replace('"Tag"', '"Etikett"'))
    live = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma")
    assert "diff-join-sides" in live.text, live


def test_a_relations_table_keeps_its_sides(tmp_path, db):
    write(tmp_path, POSTS, POSTS.replace("Tag", "Word"))
    text = lead(tmp_path, db, LINKS, "Tag:Word")
    assert "RENAME COLUMN" not in text
    assert db.sql('SELECT "A", "B" FROM "_PostToWord"') == [(1, 2)]


def test_a_table_whose_sides_stand_the_other_way(tmp_path, db):
    """Made under other model names: the keys say what A and B are."""
    db.sql("""
        CREATE TABLE merch (id int PRIMARY KEY);
        CREATE TABLE sub_group (id int PRIMARY KEY);
        CREATE TABLE "_MerchToSubGroup" ("A" int NOT NULL, "B" int NOT NULL,
            CONSTRAINT "_MerchToSubGroup_AB_pkey" PRIMARY KEY ("A", "B"),
            CONSTRAINT "_MerchToSubGroup_A_fkey" FOREIGN KEY ("A") REFERENCES sub_group (id)
                ON DELETE CASCADE ON UPDATE CASCADE,
            CONSTRAINT "_MerchToSubGroup_B_fkey" FOREIGN KEY ("B") REFERENCES merch (id)
                ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE INDEX "_MerchToSubGroup_B_index" ON "_MerchToSubGroup" ("B");
        INSERT INTO merch VALUES (1), (2); INSERT INTO sub_group VALUES (1), (2);
        INSERT INTO "_MerchToSubGroup" VALUES (1, 2)""")
    (tmp_path / "s.prisma").write_text(models(
        'Merch { id Int @id; subs SubGroup[]; @@map("merch") } |'
        'SubGroup { id Int @id; merch Merch[]; @@map("sub_group") }'))
    result = diff(tmp_path, "--from-url", db.url(), "--to-schema", "s.prisma", "--script")
    assert result.rc == 0, result
    db.sql("BEGIN;" + result.out + ";COMMIT")
    assert db.sql('SELECT "A", "B" FROM "_MerchToSubGroup"') == [(2, 1)]  # merch 2, sub_group 1, as before
    assert diff(tmp_path, "--from-url", db.url(), "--to-schema", "s.prisma", "--exit-code").rc == 0


MAPPED = POSTS.replace("}", "; rows Pair[] }") + """ | Pair { A Int; B Int; by String?;
    post Post @relation(fields: [A], references: [id], onDelete: Cascade);
    tag Tag @relation(fields: [B], references: [id], onDelete: Cascade);
    @@id([A, B]); @@index([B], map: "_PostToTag_B_index"); @@map("_PostToTag") }"""


def test_a_model_mapped_onto_a_relations_table_is_one_table(tmp_path, db):
    write(tmp_path, POSTS, MAPPED)
    text = lead(tmp_path, db, LINKS)
    assert 'ADD COLUMN     "by" TEXT' in text
    assert db.sql('SELECT "A", "B", by FROM "_PostToTag"') == [(1, 2, None)]
    made = diff(tmp_path, "--from-empty", "--to-schema", "two.prisma", "--script")
    assert made.rc == 0 and made.out.count('CREATE TABLE "_PostToTag"') == 1, made


CHAIN = ("M { id Int @id; a String; b String }", "M { id Int @id; b String; c String }")
SWAP = ("M { id Int @id; a Int; b String }", "M { id Int @id; a String; b Int }")
TABLES = ('X { id Int @id @default(autoincrement()); v Int @unique; @@map("a") } |'
          'Y { id Int @id @default(autoincrement()); w String @unique; @@map("b") }')


@pytest.mark.parametrize("schemas, rows, wishes, question, answer", [
    (CHAIN, "INSERT INTO \"M\" VALUES (1, 'a', 'b')", ("M.b:c", "M.a:b"), 'SELECT b, c FROM "M"', ("a", "b")),
    (CHAIN, "INSERT INTO \"M\" VALUES (1, 'a', 'b')", ("M.a:b", "M.b:c"), 'SELECT b, c FROM "M"', ("a", "b")),
    (SWAP, "INSERT INTO \"M\" VALUES (1, 7, 'b')", ("M.a:b", "M.b:a"), 'SELECT a, b FROM "M"', ("b", 7)),
    ((TABLES, TABLES.replace('"a"', '"t"').replace('"b"', '"a"').replace('"t"', '"b"')),
     "INSERT INTO a (v) VALUES (7), (8); INSERT INTO b (w) VALUES ('b')", ("a:b", "b:a"),
     "SELECT max(v), (SELECT w FROM a) FROM b", (8, "b")),
    (("M { id Int @id; a String }", "N { id Int @id; b String }"), "INSERT INTO \"M\" VALUES (1, 'a')",
     ("M.a:b", "M:N"), 'SELECT b FROM "N"', ("a",)),
    (("M { id Int @id; a String }", "N { id Int @id; b String }"), "INSERT INTO \"M\" VALUES (1, 'a')",
     ("M:N", "N.a:N.b"), 'SELECT b FROM "N"', ("a",)),
])
def test_several_names_at_once(tmp_path, db, schemas, rows, wishes, question, answer):
    write(tmp_path, *schemas)
    lead(tmp_path, db, rows, *wishes)
    assert db.sql(question) == [answer]


OLD = 'Post { id Int @id @default(autoincrement()); e E; c Other[]; @@map("some_table"); @@schema("tx") } | ' \
      'Other { id Int @id; p Post @relation(fields: [pid], references: [id]); pid Int; @@schema("tx") }'
NEW = OLD.replace('"some_table"); @@schema("tx")', '"posts"); @@schema("base")')
ENUM = '\nenum E {\n  A\n  @@schema("tx")\n}\n'


@pytest.mark.parametrize("wish", ["tx.some_table:base.posts", "tx.some_table:posts", "some_table:base.posts",
                                  "tx.some_table", "some_table"])
def test_to_another_schema(tmp_path, db, wish):
    """Typed, or as an annotation; with what refers to it, and the sequence of its key."""
    write(tmp_path, OLD, NEW, SCHEMAS)
    for name in ("one", "two"):
        path = tmp_path / f"{name}.prisma"
        path.write_text(path.read_text() + ENUM)
    if ":" not in wish:
        path.write_text(path.read_text().replace("model Post", f'/// @renamed(from: "{wish}")\nmodel Post'))
    text = lead(tmp_path, db, """INSERT INTO tx.some_table (e) VALUES ('A'), ('A');
                INSERT INTO tx."Other" VALUES (1, 2)""", *([wish] if ":" in wish else []))
    assert 'SET SCHEMA "base"' in text
    assert db.one("INSERT INTO base.posts (e) VALUES ('A') RETURNING id") == 3
    again = diff(tmp_path, "--from-url", db.url(), "--to-schema", "two.prisma", "--exit-code")
    assert again.rc == 0, again  # the annotation may stay


@pytest.mark.parametrize("one, two, wishes, words", [
    ("User { id Int @id }", "Account { id Int @id }", ["User:Nothing"], "nothing is called so afterwards"),
    ("User { id Int @id }", "Account { id Int @id }", ["Usr:Account"], "nothing of that name"),
    (CHAIN[0], CHAIN[1], ["M.a:b"], "there is one of that name already"),
    ("User { id Int @id }", "User { id Int @id } | Account { id Int @id }", ["User:Account"], "afterwards, too"),
    ("User { id Int @id; a Int }", 'User { id Int @id; /// @renamed(from: "x") ; b Int }', [],
     "cannot be followed"),
    ("User { id Int @id; a Int }", 'User { id Int @id; /// @renamed("a") ; b Int }', [], "cannot be read"),
    ("User { id Int @id; a Int; b Int }", 'User { id Int @id; /// @renamed(a) ; b Int }', [], "cannot be read"),
    ("User { id Int @id; a Int }", 'Account { id Int @id; /// @renamed(a) ; b Int }', [], "cannot be read"),
    ("User { id Int @id }", 'Account { id Int @id } |X { id Int @id }', ["User:Account", "User:X"],
     "renamed to something else, too"),
])
def test_a_wish_that_cannot_be_done_is_an_error(tmp_path, one, two, wishes, words):
    write(tmp_path, one, two)
    options = [word for wish in wishes for word in ("--rename", wish)]
    result = diff(tmp_path, "--from-schema", "one.prisma", "--to-schema", "two.prisma", "--script", *options)
    assert result.rc == 2 and result.out == "" and words in result.err, result
    assert "hint" in result.err.lower() or "→" in result.err, result
