"""Projects of Prisma 8: packages applied without Node, on the tables that Prisma keeps.

tests/golden/prisma8 is a project that prisma 8.0.0-rc.19 made; rows.txt is what its own runner wrote of it.
"""

import concurrent.futures
import json
import os
import shutil

import pytest

from harness import aramid, prisma8
from harness.catalog import difference, dump, leftovers
from harness.cluster import REPO
from harness.prisma8 import (COUNTS, FIRST, MAKE_POST, MAKE_USER, SECOND, THIRD, add_column, backfill, column, contract,
                             hash_of, make_table, op, set_default, step, table)

GOLDEN = os.path.join(REPO, "tests/golden/prisma8")
LEDGERS = {  # as an administrator may have made them
    "marker": "CREATE TABLE prisma_contract.marker (space text PRIMARY KEY DEFAULT 'app', core_hash text NOT NULL, profile_hash"
              " text NOT NULL, contract_json jsonb, canonical_version int, updated_at timestamptz NOT NULL DEFAULT now(), app_tag"
              " text, meta jsonb NOT NULL DEFAULT '{}', invariants text[] NOT NULL DEFAULT '{}')",
    "ledger": "CREATE TABLE prisma_contract.ledger (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), space"
              " text NOT NULL, migration_name text NOT NULL, migration_hash text NOT NULL, origin_core_hash text NOT NULL,"
              " origin_profile_hash text, destination_core_hash text NOT NULL, destination_profile_hash text, operations jsonb NOT NULL)",
    "contract": "CREATE TABLE prisma_contract.contract (core_hash text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),"
                " contract_json jsonb NOT NULL)"}
LOCK = "prisma_8.contract.marker:public:app"


@pytest.fixture
def sample(tmp_path):
    project = prisma8.Project(tmp_path / "p")
    prisma8.sample(project.path)
    return project


@pytest.fixture
def empty(tmp_path):
    return prisma8.Project(tmp_path / "p")


def run(verb, project, db, *args, **kwargs):
    return aramid.run(verb, "-C", project.path, "--url", db.url(), *args, **kwargs)


def deploy(project, db, *args, **kwargs):
    return run("deploy", project, db, *args, **kwargs)


def status(project, db):
    return run("status", project, db, "--json").json


def marker(db, space="app"):
    return db.one("SELECT core_hash FROM prisma_contract.marker WHERE space = %s", space)


def ledger(db):
    return db.column("SELECT migration_name FROM prisma_contract.ledger ORDER BY id")


def rows(db):
    lines = []
    for name, order in (("marker", "space"), ("ledger", "id"), ("contract", "core_hash")):
        lines += db.column(
            f"SELECT '{name} ' || md5((to_jsonb(t) - '{{id,created_at,updated_at}}'::text[])::text) || ' ' || coalesce("
            f"to_jsonb(t)->>'migration_name', left(to_jsonb(t)->>'core_hash', 12)) FROM prisma_contract.{name} t ORDER BY {order}")
    return lines


def untouched(db):
    return not db.column("SELECT nspname FROM pg_namespace WHERE nspname = 'prisma_contract'") and not db.column(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")


# ---- as Prisma -----------------------------------------------------------------------------------


def test_rows_as_prisma_writes_them(tmp_path, db):
    project = prisma8.Project(tmp_path / "p")
    shutil.copytree(GOLDEN, project.path)
    result = deploy(project, db)
    assert result.rc == 0 and "20260" not in result.err, result
    with open(os.path.join(GOLDEN, "rows.txt"), encoding="utf-8") as file:
        assert rows(db) == file.read().splitlines()
    assert deploy(project, db).rc == 0
    assert len(ledger(db)) == 6 and len(set(db.column("SELECT created_at FROM prisma_contract.ledger"))) == 1
    found = status(project, db)
    assert found["state"] == "up-to-date" and not found["missing"] and not found["edited"], found
    assert run("drift", project, db, "--exit-code").rc == 0
    assert not leftovers(db)["advisory locks"]


def test_one_by_one_makes_the_same(sample, db, db2):
    assert deploy(sample, db).rc == 0
    result = deploy(sample, db2, "--tx", "file")
    assert result.rc == 0, result
    assert not difference(dump(db), dump(db2)) and rows(db) == rows(db2)
    assert len(set(db2.column("SELECT created_at FROM prisma_contract.ledger"))) == 3


def test_with_rows_and_from_the_middle(sample, db):
    sample.emit(SECOND)
    assert deploy(sample, db).rc == 0
    db.sql("INSERT INTO \"user\" (email) VALUES ('a'), ('b')")
    sample.emit(THIRD)
    result = deploy(sample, db)
    assert result.rc == 0, result
    assert db.column('SELECT rank FROM "user"') == [1, 1] and marker(db) == hash_of(THIRD)
    assert db.one("SELECT invariants FROM prisma_contract.marker") == ["rank-filled"]


def test_an_operation_that_is_done_is_skipped(sample, db):
    assert deploy(sample, db).rc == 0
    last = db.one("SELECT operations FROM prisma_contract.ledger ORDER BY id DESC LIMIT 1")
    by_id = {o["id"]: o for o in last}
    skipped = by_id["data_migration.fill-rank"]
    assert skipped["meta"] == {"runner": {"skipped": True, "reason": "postcheck_pre_satisfied"}}
    assert skipped["execute"] == [] == skipped["precheck"] and skipped["postcheck"] and "invariantId" not in skipped
    assert by_id["column.public.user.rank"]["execute"] and "meta" not in by_id["column.public.user.rank"]


def test_a_changed_default_is_applied(sample, db):
    """Its postcheck holds before it has run: Prisma skips it and cannot end."""
    prisma8.with_changed_default(sample.path)
    result = deploy(sample, db)
    assert result.rc == 0, result
    assert "5" in db.one("SELECT column_default FROM information_schema.columns WHERE column_name = 'rank'")


def test_parameters(empty, db):
    """Text of no type, as node-postgres sends them; what only looks like one stays."""
    made = contract({"t": table({"id": column("int4", COUNTS), "a": column("text", nullable=True),
                                 "l": column("text", nullable=True, many=True), "j": column("jsonb", nullable=True),
                                 "n": column("int8", nullable=True), "b": column("bool", nullable=True)})})
    empty.package("init", None, made, [
        make_table("t", 'CREATE TABLE "public"."t" ("id" SERIAL PRIMARY KEY, "a" text, "l" text[], "j" jsonb, "n" int8, "b" bool)'),
        op("data", step("INSERT INTO t (a, l, j, n, b) VALUES ($1, $2, $3, $4, $5), ('$1', ARRAY[$$ $1 $$], NULL, $4, $6)"
                        " -- $1\n /* $2 /* $1 */ */", "it's \\ $2", ["a", 'b,"c', None, "d\\"], {"k": [1, 1e21, "ü"]},
                        9007199254740992, True, None), kind="data")])
    empty.emit(made)
    result = deploy(empty, db)
    assert result.rc == 0, result
    assert db.sql("SELECT a, l, j, n, b FROM t ORDER BY id") == [
        ("it's \\ $2", ["a", 'b,"c', None, "d\\"], {"k": [1, 1e21, "ü"]}, 9007199254740992, True),
        ("$1", [" $1 "], None, 9007199254740992, None)]


# ---- what stops a deploy -------------------------------------------------------------------------


@pytest.mark.parametrize("where, said", [("precheck", "is to be there"), ("postcheck", "is to be there"),
                                         ("execute", "division by zero")])
def test_a_failing_operation_takes_all_back(sample, db, where, said):
    no = step("SELECT false", says="what is to be there")
    wrong = {"precheck": op("rawSql.x", "SELECT 1", before=[no]), "postcheck": op("rawSql.x", "SELECT 1", after=[no]),
             "execute": op("rawSql.x", "SELECT 1/0")}[where]
    fourth = contract({"user": table(prisma8.RANKED, **prisma8.EMAIL)})
    name = sample.package("wrong", THIRD, fourth, [add_column("post", "extra", "int4"), wrong])
    sample.emit(fourth)
    result = deploy(sample, db)
    assert result.rc == 22 and name in result.err and said in result.err, result
    assert where == "execute" or f"rawSql.x\" (Do rawSql.x): a {where} does not hold" in result.err, result
    assert not db.exists('"user"') and not db.one("SELECT count(*) FROM prisma_contract.marker")
    assert "nothing of any of these migrations" in result.err, result
    result = deploy(sample, db, "--tx", "file")
    assert result.rc == 22 and marker(db) == hash_of(THIRD) and len(ledger(db)) == 3, result
    assert not db.column("SELECT 1 FROM information_schema.columns WHERE column_name = 'extra'")


BROKEN = {  # what of the contract the package does not make, and what is said
    "table": ({"more": table({"id": column("int4", COUNTS)})}, {}, 'table "public"."more" is missing'),
    "column": ({}, {"gone": column("text")}, 'column gone of table "public"."user" is missing'),
    "type": ({}, {"rank": column("int8", 1)}, "is of type integer, not bigint"),
    "null": ({}, {"rank": column("int4", 1, nullable=True)}, "is NOT NULL"),
    "default": ({}, {"rank": column("int4", 2)}, "has the default 1, not 2"),
    "counts": ({}, {"rank": column("int4", COUNTS)}, "does not count by itself"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_the_contract_says_and_no_package_makes(sample, db, case):
    tables, columns, said = BROKEN[case]
    wanted = contract({"user": table({**prisma8.RANKED, **columns}, **prisma8.EMAIL, **prisma8.CHECK),
                       "post": table(prisma8.POSTS, **prisma8.AUTHOR), **tables})
    sample.package("claims", THIRD, wanted, [op("rawSql.nothing", "SELECT 1")])
    sample.emit(wanted)
    result = deploy(sample, db)
    assert result.rc == 22 and said in result.err and hash_of(wanted)[:12] in result.err, result
    assert not db.exists('"user"'), "something stayed"


@pytest.mark.parametrize("more, said", [
    ({"uniques": [{"columns": ["rank"]}]}, "has no unique constraint (rank)"),
    ({"indexes": [{"name": "i_00000000", "columns": ["rank"], "unique": False}]}, "has no index i_00000000"),
    ({"checks": [{"name": "c_00000000", "expression": "rank > 5"}]}, "has no check c_00000000"),
    ({"primaryKey": {"columns": ["email"]}}, "has no primary key (email)"),
    ({"foreignKeys": [{"source": {"columns": ["rank"]}, "target": {"namespaceId": "public", "tableName": "post",
                                                                   "columns": ["id"]}}]}, "has no foreign key (rank)"),
])
def test_keys_and_names_of_the_contract(sample, db, more, said):
    wanted = contract({"user": {**table(prisma8.RANKED), **more}})
    sample.package("claims", THIRD, wanted, [op("rawSql.nothing", "SELECT 1")])
    sample.emit(wanted)
    result = deploy(sample, db)
    assert result.rc == 22 and said in result.err, result


@pytest.mark.parametrize("native, contracts, written", [
    ("int8", "0", "0"), ("int8", "-5", "'-5'::int"), ("text", "x", "'x'::varchar"), ("bool", True, "'t'::bool"),
    ("jsonb", {"a": [1]}, """'{"a":    [1]}'::jsonb"""), ("timestamptz", prisma8.NOW, "CURRENT_TIMESTAMP"),
    ("character varying", "it's", "'it''s'::text"),
])
def test_one_default_in_other_words(empty, db, native, contracts, written):
    made = contract({"t": table({"id": column("int4", COUNTS), "c": column(native, contracts)})})
    empty.package("init", None, made, [make_table(
        "t", f"CREATE TABLE t (id SERIAL PRIMARY KEY, c {native} NOT NULL DEFAULT {written})")])
    empty.emit(made)
    result = deploy(empty, db)
    assert result.rc == 0, result


@pytest.mark.parametrize("many", [[], ["a", "b,c"]])
def test_defaults_of_lists(empty, db, many):
    made = contract({"t": table({"id": column("int4", COUNTS), "c": column("text", many, many=True)})})
    text = "'{}'" if not many else "ARRAY['a', 'b,c']::text[]"
    empty.package("init", None, made, [make_table("t", f"CREATE TABLE t (id SERIAL PRIMARY KEY, c text[] NOT NULL DEFAULT {text})")])
    empty.emit(made)
    assert deploy(empty, db).rc == 0


def edit(project, name, change):
    """Change the JSON of a file of the first package."""
    folder = sorted(os.listdir(os.path.join(project.path, "migrations/app")))[0]
    path = f"migrations/app/{folder}/{name}"
    value = project.read(path)
    change(value)
    project.write(path, value)


def attest(project, ops=None, **more):
    folder = sorted(os.listdir(os.path.join(project.path, "migrations/app")))[0]
    manifest = {**project.read(f"migrations/app/{folder}/migration.json"), **more}
    ops = project.read(f"migrations/app/{folder}/ops.json") if ops is None else ops
    manifest["migrationHash"] = prisma8.migration_hash(manifest, ops)
    project.write(f"migrations/app/{folder}/migration.json", manifest)
    project.write(f"migrations/app/{folder}/ops.json", ops)


def first(project, name):
    folder = sorted(os.listdir(os.path.join(project.path, "migrations/app")))[0]
    return os.path.join(project.path, f"migrations/app/{folder}/{name}")


def only_names(project):
    for name in os.listdir(os.path.join(project.path, "migrations/app")):
        shutil.rmtree(os.path.join(project.path, "migrations/app", name))
    project.write("migrations/app/refs/db.json", {"hash": hash_of(THIRD), "invariants": []})


def bomb(project):
    with open(first(project, "ops.json"), "w", encoding="utf-8") as file:
        file.write("[" * 100000)


def deep(project):
    with open(first(project, "ops.json"), "w", encoding="utf-8") as file:
        file.write("[" * 500 + "]" * 500)


BAD = {  # what was done to the project, and what is said
    "operation edited": (lambda p: edit(p, "ops.json", lambda o: o[1]["execute"][0].update(sql="DROP TABLE x")),
                         "is not what its hash says"),
    "manifest edited": (lambda p: edit(p, "migration.json", lambda m: m.update(createdAt="2020-01-01T00:00:00.000Z")),
                        "is not what its hash says"),
    "no operations": (lambda p: os.unlink(first(p, "ops.json")), "has no ops.json"),
    "no manifest": (lambda p: os.unlink(first(p, "migration.json")), "has no migration.json"),
    "another key": (lambda p: edit(p, "migration.json", lambda m: m.update(more=1)), "and nothing else"),
    "old hash": (lambda p: edit(p, "migration.json", lambda m: m.update(migrationHash="sha256:" + "0" * 64)),
                 "before 0.17"),
    "labels": (lambda p: edit(p, "migration.json", lambda m: m.update(labels=[])), "before 0.17"),
    "placeholder": (lambda p: (attest(p, []), p.write("migrations/app/20261101T0900_init/migration.ts",
                                                      'check: () => placeholder("fill-rank:check"),')), "placeholders in its migration.ts are open"),
    "unknown class": (lambda p: attest(p, [op("x", "SELECT 1", kind="other")]), "a class that is none"),
    "another database": (lambda p: attest(p, [{**op("x", "SELECT 1"), "target": {"id": "mongo"}}]), "not for PostgreSQL"),
    "no steps": (lambda p: attest(p, [{**op("x", "SELECT 1"), "execute": "SELECT 1"}]), "its steps are not"),
    "invariants": (lambda p: attest(p, providedInvariants=["x"]), "other invariants"),
    "no JSON": (lambda p: p.write("migrations/app/20261101T0900_init/ops.json", "[{]"), "not valid JSON"),
    "a bomb": (bomb, "not valid JSON"),
    "deep": (deep, "nested too deeply"),
    "COPY": (lambda p: attest(p, [op("x", "COPY t FROM STDIN")]), "COPY"),
    "COMMIT": (lambda p: attest(p, [op("x", "SELECT 1; COMMIT; SELECT 2")]), "transaction"),
    "BEGIN": (lambda p: attest(p, [op("x", "BEGIN", "SELECT 1", "COMMIT")]), "ends the transaction"),
    "snapshot edited": (lambda p: p.write(f"migrations/snapshots/{hash_of(THIRD)}/contract.json",
                                          {**THIRD, "storage": {**SECOND["storage"], "storageHash": hash_of(THIRD)}}),
                        "not what its hash says"),
    "another snapshot": (lambda p: p.write(f"migrations/snapshots/{hash_of(THIRD)}/contract.json", SECOND),
                         "not that of its folder"),
    "contract edited": (lambda p: p.emit({**THIRD, "storage": {**SECOND["storage"], "storageHash": hash_of(THIRD)}}),
                        "not what its hash says"),
    "only names": (only_names, "has no migrations yet"),
    "no space": (lambda p: p.write("migrations/20260101T0000_x/ops.json", []), "lies in no space"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_packages(sample, db, case):
    change, said = BAD[case]
    change(sample)
    result = deploy(sample, db)
    assert result.rc == 20 and said in result.err and "hint" in result.err, result
    assert untouched(db), "something was touched"


def test_a_contract_that_no_package_makes(sample, db):
    sample.emit(contract({"user": table(prisma8.USERS)}))
    result = deploy(sample, db)
    assert result.rc == 26 and "no package yet" in result.err and "migration plan" in result.err, result
    assert untouched(db)


def test_a_package_that_only_leads_on(sample, db, db2):
    """To a contract of another hash that wants the same of the database, or more of it."""
    made = {"user": table({**prisma8.RANKED, "made": {**prisma8.USERS["made"], "codecId": "pg/timestamptz-temporal@1"}},
                          **prisma8.EMAIL, **prisma8.CHECK), "post": table(prisma8.POSTS, **prisma8.AUTHOR)}
    same, more = contract(made), contract({**made, "more": table({"id": column("int4", COUNTS)})})
    sample.package("advance", THIRD, same, [])
    sample.emit(same)
    assert deploy(sample, db).rc == 0 and marker(db) == hash_of(same) and len(ledger(db)) == 4
    assert deploy(sample, db2, "--tx", "file").rc == 0 and rows(db) == rows(db2)
    sample.package("more", same, more, [])
    sample.emit(more)
    result = deploy(sample, db)
    assert result.rc == 22 and "is missing" in result.err and marker(db) == hash_of(same), result


def test_without_an_emitted_contract(sample, db):
    os.unlink(os.path.join(sample.path, "src/prisma/contract.json"))
    result = deploy(sample, db)
    assert result.rc == 0 and marker(db) == hash_of(THIRD), result
    sample.package("branch", FIRST, contract({"user": table(prisma8.USERS)}), [op("x", "SELECT 1")])
    result = deploy(sample, db)
    assert result.rc == 20 and "contract emit" in result.err and "others to" in result.err, result


# ---- the marker ----------------------------------------------------------------------------------


def test_where_the_marker_is(sample, db):
    assert deploy(sample, db).rc == 0
    sample.emit(FIRST)  # an older checkout
    result = deploy(sample, db)
    assert result.rc == 26 and "2 packages ahead" in result.err, result
    sample.emit(THIRD)
    db.sql("UPDATE prisma_contract.marker SET core_hash = repeat('0', 64)")
    for verb in "deploy", "status", "plan":
        result = run(verb, sample, db)
        assert result.rc == 26 and "000000000000" in result.err and "no package" in result.err.replace("of which no package", "no package"), result
    db.sql("UPDATE prisma_contract.marker SET space = 'another'")
    result = deploy(sample, db)  # nobody has marked this project's
    assert result.rc == 22 and "does not hold" not in result.err or result.rc, result


def test_a_marker_of_an_older_form(sample, db):
    db.sql("CREATE SCHEMA prisma_contract; CREATE TABLE prisma_contract.marker (id int, core_hash text);"
           "INSERT INTO prisma_contract.marker VALUES (1, 'x')")
    result = deploy(sample, db)
    assert result.rc == 28 and "LEGACY_MARKER_SHAPE" in result.err and "db sign" in result.err, result


def signed(db, made):
    db.sql("CREATE SCHEMA prisma_contract; CREATE TABLE prisma_contract.marker (space text NOT NULL PRIMARY KEY DEFAULT 'app',"
           "core_hash text NOT NULL, profile_hash text NOT NULL, contract_json jsonb, canonical_version int, updated_at"
           " timestamptz NOT NULL DEFAULT now(), app_tag text, meta jsonb NOT NULL DEFAULT '{}', invariants text[] NOT NULL"
           f" DEFAULT '{{}}'); INSERT INTO prisma_contract.marker (core_hash, profile_hash) VALUES ('{hash_of(made)}', 'x')")


def test_a_database_that_was_only_signed(sample, db, db2):
    """prisma db sign makes the marker and no ledger: what leads there counts as applied."""
    sample.emit(SECOND)
    assert deploy(sample, db).rc == 0
    db.sql("DROP SCHEMA prisma_contract CASCADE")
    signed(db, SECOND)
    sample.emit(THIRD)
    found = status(sample, db)
    assert found["state"] == "pending" and len(found["applied"]) == 2, found
    result = deploy(sample, db)
    assert result.rc == 0 and len(ledger(db)) == 1 and marker(db) == hash_of(THIRD), result
    assert status(sample, db)["state"] == "up-to-date"
    assert deploy(sample, db2).rc == 0 and not difference(dump(db), dump(db2))


def test_tables_without_a_marker(sample, db):
    """Prisma walks over them in silence; a person's word is held against the contract."""
    assert deploy(sample, db).rc == 0
    db.sql("DROP SCHEMA prisma_contract CASCADE")
    result = deploy(sample, db)
    assert result.rc == 24 and "resolve" in result.err, result
    names = sorted(n for n in os.listdir(os.path.join(sample.path, "migrations/app")))
    db.sql("ALTER TABLE post DROP COLUMN title")
    result = run("resolve", sample, db, "--applied", "--up-to", names[-1])
    assert result.rc == 27, result
    result = run("resolve", sample, db, "--applied", "--up-to", names[-1], "--force")
    assert result.rc and "column title" in result.err, result
    assert not db.exists("prisma_contract.marker")
    db.sql("ALTER TABLE post ADD COLUMN title text DEFAULT 'it''s' NOT NULL")
    result = run("resolve", sample, db, "--applied", "--up-to", names[-1])
    assert result.rc == 0 and marker(db) == hash_of(THIRD) and len(ledger(db)) == 3, result
    assert status(sample, db)["state"] == "up-to-date"


def test_ledger_and_files(sample, db):
    assert deploy(sample, db).rc == 0
    attest(sample, createdAt="2026-11-01T10:00:00.000Z")
    found = status(sample, db)
    assert found["state"] == "edited" and len(found["edited"]) == 1, found
    db.sql("INSERT INTO prisma_contract.ledger (space, migration_name, migration_hash, origin_core_hash, destination_core_hash,"
           " operations) VALUES ('app', '20200101T0000_gone', 'x', 'y', 'z', '[]')")
    assert status(sample, db)["missing"] == ["20200101T0000_gone"]


# ---- the graph -----------------------------------------------------------------------------------


def branches(project):
    """Two branches from one contract, and a package from each tip to a common one."""
    one, two = dict(prisma8.POSTS, a=column("text", nullable=True)), dict(prisma8.POSTS, b=column("text", nullable=True))
    whole = {"user": table(prisma8.USERS, **prisma8.EMAIL)}
    left, right = (contract({**whole, "post": table(c, **prisma8.AUTHOR)}) for c in (one, two))
    both = contract({**whole, "post": table({**one, **two}, **prisma8.AUTHOR)})
    project.package("left", SECOND, left, [add_column("post", "a", "text")])
    project.package("right", SECOND, right, [add_column("post", "b", "text")])
    project.package("merge_left", left, both, [add_column("post", "b", "text")])
    project.package("merge_right", right, both, [add_column("post", "a", "text")])
    return left, right, both


def test_branches_and_merges(sample, db, db2):
    _, right, both = branches(sample)
    sample.emit(both)
    assert deploy(sample, db).rc == 0
    assert [name.split("_", 1)[1] for name in ledger(db)] == ["init", "posts", "left", "merge_left"]
    sample.emit(right)
    assert deploy(sample, db2).rc == 0
    sample.emit(both)
    assert deploy(sample, db2).rc == 0
    assert [name.split("_", 1)[1] for name in ledger(db2)] == ["init", "posts", "right", "merge_right"]
    assert not difference(dump(db), dump(db2))
    for place in db, db2:
        assert status(sample, place)["state"] == "up-to-date"
        assert run("drift", sample, place, "--exit-code").rc == 0


@pytest.mark.parametrize("owns", [True, False], ids=["its own schema", "rows only"])
def test_a_role_without_temporary_tables(sample, db, owns):
    """The contract is compared all the same; where that cannot be, nothing is done."""
    role = f"no_temp_{db.name}"
    db.sql(f'CREATE ROLE {role} LOGIN; REVOKE TEMPORARY ON DATABASE "{db.name}" FROM PUBLIC;'
           f'GRANT CREATE ON DATABASE "{db.name}" TO {role}; GRANT ALL ON SCHEMA public TO {role}')
    if not owns:
        db.sql("CREATE SCHEMA prisma_contract")
        db.sql(f"GRANT USAGE ON SCHEMA prisma_contract TO {role}")
        for name in "marker", "ledger", "contract":
            db.sql(LEDGERS[name])
        db.sql(f"GRANT ALL ON ALL TABLES IN SCHEMA prisma_contract TO {role};"
               f"GRANT ALL ON ALL SEQUENCES IN SCHEMA prisma_contract TO {role}")
    done = aramid.run("deploy", "-C", sample.path, "--url", db.url(user=role))
    if owns:
        assert done.rc == 0 and len(ledger(db)) == 3, done
        assert not db.column("SELECT relname FROM pg_class WHERE relname LIKE 'aramid_contract%'")
    else:
        assert done.rc != 0 and "neither temporary tables nor tables in schema prisma_contract" in done.err, done
        assert f'GRANT TEMPORARY ON DATABASE {db.name} TO {role}' in done.err and not ledger(db), done


def test_there_and_back_again(sample, db):
    back = sample.package("back", THIRD, SECOND, [
        op("dropColumn", 'ALTER TABLE "user" DROP COLUMN rank, DROP COLUMN tags', kind="destructive")])
    assert deploy(sample, db).rc == 0
    for made, count in ((SECOND, 4), (THIRD, 5), (SECOND, 6)):
        sample.emit(made)
        result = deploy(sample, db)
        assert result.rc == 0 and marker(db) == hash_of(made) and len(ledger(db)) == count, result
    assert ledger(db).count(back) == 2 and status(sample, db)["state"] == "up-to-date"


def test_an_extension_goes_first(sample, db):
    made = contract({})
    sample.package("install", None, made, [
        op("extension.hstore", "CREATE EXTENSION IF NOT EXISTS hstore", invariantId="hstore:install-v1")], space="hstore")
    sample.write("migrations/hstore/refs/head.json", {"hash": hash_of(made), "invariants": ["hstore:install-v1"]})
    result = deploy(sample, db)
    assert result.rc == 0, result
    assert db.column("SELECT space FROM prisma_contract.ledger ORDER BY id") == ["hstore", "app", "app", "app"]
    assert marker(db, "hstore") == hash_of(made) and status(sample, db)["state"] == "up-to-date"
    assert db.one("SELECT invariants FROM prisma_contract.marker WHERE space = 'hstore'") == ["hstore:install-v1"]


# ---- transactions, locks, losses -----------------------------------------------------------------


def test_what_needs_a_transaction_of_its_own(sample, db):
    wanted = contract({"user": table(prisma8.RANKED, **prisma8.EMAIL, **prisma8.CHECK), "post": table(
        prisma8.POSTS, foreignKeys=prisma8.AUTHOR["foreignKeys"],
        indexes=[*prisma8.AUTHOR["indexes"], {"name": "slow_i", "columns": ["title"], "unique": False}])})
    sample.package("slow", THIRD, wanted, [op("rawSql.i", "CREATE INDEX CONCURRENTLY slow_i ON post (title)")])
    sample.emit(wanted)
    result = deploy(sample, db)
    assert result.rc == 20 and "--tx file" in result.err and not db.exists("prisma_contract.marker"), result
    result = deploy(sample, db, "--tx", "file")
    assert result.rc == 0 and marker(db) == hash_of(wanted) and len(ledger(db)) == 4, result


def moods(default, *members):
    mood = {"codecId": "pg/enum@1", "nativeType": "mood", "nullable": False, "typeParams": {"typeName": "mood"},
            "default": {"kind": "literal", "value": default}}
    return contract({"t": table({"id": column("int4", COUNTS), "m": mood})},
                    native_enum={"Mood": {"kind": "postgres-enum", "typeName": "mood", "members": list(members)}})


def test_a_new_enum_value_that_is_used_later(empty, db):
    """Not in one transaction: with Prisma two runs, here package by package."""
    one, two, three = moods("a", "a"), moods("a", "a", "b"), moods("b", "a", "b")
    empty.package("init", None, one, [op("createNativeEnumType.mood", "CREATE TYPE mood AS ENUM ('a')"), make_table(
        "t", "CREATE TABLE t (id SERIAL PRIMARY KEY, m mood NOT NULL DEFAULT 'a')")])
    empty.emit(one)
    assert deploy(empty, db).rc == 0
    empty.package("value", one, two, [op("addNativeEnumValue.mood.b", "ALTER TYPE mood ADD VALUE 'b'")])
    empty.package("use", two, three, [set_default("t", "m", "'b'")])
    empty.emit(three)
    result = deploy(empty, db)
    assert result.rc == 22 and "--tx file" in result.err and marker(db) == hash_of(one), result
    result = deploy(empty, db, "--tx", "file")
    assert result.rc == 0 and marker(db) == hash_of(three), result
    empty.package("claims", three, moods("b", "a", "b", "c"), [op("x", "SELECT 1")])
    empty.emit(moods("b", "a", "b", "c"))
    result = deploy(empty, db)
    assert result.rc == 22 and 'enum "public"."mood" has not the values a, b, c' in result.err, result


def test_two_at_once(sample, db):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: deploy(sample, db), range(4)))
    assert all(one.rc == 0 for one in done), done
    assert sum("successfully applied" in one.out for one in done) == 1
    assert len(ledger(db)) == 3


def test_prismas_own_lock_is_waited_for(sample, db):
    with db.connect() as other:
        other.cursor().execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (LOCK,))
        result = deploy(sample, db, "--wait", "1s")
        assert result.rc == 41 and "Prisma 8's lock" in result.err, result
        assert untouched(db)
    assert deploy(sample, db).rc == 0


@pytest.mark.parametrize("name", [] if aramid.missing() else ["ledger-created", "before-message", "after-message", "before-verify"])
def test_killed(sample, db, name):
    result = deploy(sample, db, env={"ARAMID_FAILPOINT": f"{name}:kill"})
    assert result.rc < 0, result
    result = deploy(sample, db)
    assert result.rc == 0 and len(ledger(db)) == 3 and marker(db) == hash_of(THIRD), result


def test_losses_want_a_word(sample, db):
    sample.package("back", THIRD, SECOND, [
        op("dropColumn.user.rank", 'ALTER TABLE "user" DROP COLUMN rank, DROP COLUMN tags', kind="destructive")])
    shorter = contract({"user": table({**prisma8.USERS, "email": column("character varying", typeParams={"length": 9})},
                                      **prisma8.EMAIL), "post": table(prisma8.POSTS, **prisma8.AUTHOR)})
    sample.package("short", SECOND, shorter, [
        op("alterType.user.email", 'ALTER TABLE "user" ALTER email TYPE character varying(9) USING email::character varying(9)',
           kind="destructive")])
    said = ("--env", "production", "--yes", "--no-backup", "--reason", "test")
    assert deploy(sample, db, *said).rc == 0
    for made, word in ((SECOND, "column user.rank"), (shorter, "alterType.user.email")):
        sample.emit(made)
        before = marker(db)
        result = deploy(sample, db, *said)
        assert result.rc == 4 and word in result.err and marker(db) == before, result
        result = deploy(sample, db, *said, "--accept-data-loss")
        assert result.rc == 0 and marker(db) == hash_of(made), result


# ---- other commands ------------------------------------------------------------------------------


def test_a_package_is_prismas_to_make(sample):
    result = aramid.run("create", "x", "-C", sample.path)
    assert result.rc and "npx prisma migration plan --name NAME" in result.err, result


def test_sync_and_backup(sample, db):
    assert deploy(sample, db).rc == 0
    result = run("sync", sample, db, "--dry-run")
    assert result.rc == 0, result
    result = run("backup", sample, db)
    assert result.rc == 0, result


def test_plan_and_check(sample, db):
    result = run("plan", sample, db)
    assert result.rc == 0 and 'CREATE TABLE "public"."user"' in result.out and untouched(db), result
    result = run("plan", sample, db, "--json")
    assert [m["name"].split("_")[1] for m in result.json["migrations"]] == ["init", "posts", "rank"], result
    result = aramid.run("check", "-C", sample.path)
    assert "all run on an empty database" in result.out, result
    assert deploy(sample, db).rc == 0
    assert run("doctor", sample, db).rc in (0, 10), "doctor"


def test_lines_are_those_of_the_file(sample, db):
    """A drop is shown where it stands in ops.json."""
    name = sample.package("drop", THIRD, SECOND, [op("x", "SELECT 1"), op("d", 'ALTER TABLE "user" DROP COLUMN rank, DROP COLUMN tags',
                                                                        kind="destructive")])
    assert deploy(sample, db).rc == 0
    sample.emit(SECOND)
    path = f"migrations/app/{name}/ops.json"
    with open(os.path.join(sample.path, path), encoding="utf-8") as file:
        line = next(i for i, text in enumerate(file, 1) if "DROP COLUMN" in text and '"sql"' in text)
    result = run("plan", sample, db, "--json")
    assert f'"line": {line}' in json.dumps(result.json), result


assert MAKE_POST and MAKE_USER and backfill  # used by the sample


def test_beside_another_history(sample, db):
    """Refused before anything runs, with what to type; and never passed over in silence."""
    os.makedirs(os.path.join(sample.path, "supabase/migrations"))
    with open(os.path.join(sample.path, "supabase/migrations/20240101000000_x.sql"), "w", encoding="utf-8") as file:
        file.write("CREATE TABLE x ();")
    result = deploy(sample, db, "--migrations", "migrations,supabase/migrations")
    assert result.rc == 3 and "aramid deploy --migrations supabase/migrations" in result.err, result
    assert not db.exists("x")
    result = deploy(sample, db, "--migrations", "migrations")
    assert result.rc == 0 and "aramid deploy --migrations supabase/migrations" in result.text, result
    assert run("status", sample, db, "--migrations", "supabase/migrations").rc == 10
    result = deploy(sample, db, "--migrations", "supabase/migrations")
    assert result.rc == 0 and db.exists("x") and "aramid deploy --migrations migrations" in result.text, result
