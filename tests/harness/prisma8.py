"""Packages and contracts as Prisma 8 writes them (rc.13), made without it.

The hashes are computed here by themselves, so that Aramid's are held against a second reading of the rules.
"""

import hashlib
import json
import os
import tempfile

PROFILE = "3916f444a8a17ad749191acf9e08dad97d1a327b88c2f1d45d12f240296aa8b2"


def _units(text):
    return text.encode("utf-16-be", "surrogatepass")


def _sorted(value):
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=_units)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _canonical(value, indent=None):
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, separators=separators, ensure_ascii=False, indent=indent)


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def migration_hash(manifest, ops):
    rest = {key: value for key, value in manifest.items() if key != "migrationHash"}
    return _sha256(_canonical([_sha256(_canonical(_sorted(part))) for part in (rest, ops)]))


def _stays(path):
    count = len(path)
    if path[-1] == "nullable" or path == ["storage", "namespaces"]:
        return True
    if count < 4 or path[1] != "namespaces" or path[3] != "entries":
        return False
    if count == 4 or path[4] == "table" and count <= 6:
        return True
    return path[4] == "table" and (
        count == 7 and path[6] in ("uniques", "indexes", "foreignKeys") or
        count == 8 and path[6:] == ["indexes", "unique"] or
        count >= 10 and path[6] == "columns" and path[8:10] == ["default", "value"])


def _omit(value, path):
    if isinstance(value, list):
        return [_omit(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _omit(item, path + [key]) for key, item in value.items()
            if not (key in ("onDelete", "onUpdate") and item == "noAction") and
            not ((item is False or item in ([], {})) and not _stays(path + [key]))}


def storage_hash(contract):
    storage = {key: value for key, value in contract["storage"].items() if key != "storageHash"}
    storage["namespaces"] = {name: {key: value for key, value in space.items() if key != "kind"}
                             for name, space in storage["namespaces"].items()}
    storage = _omit(storage, ["storage"])
    for space in storage["namespaces"].values():
        for table in space["entries"].get("table", {}).values():
            for key in ("checks", "indexes", "uniques"):
                if key in table:
                    table[key].sort(key=lambda one: _units(one.get("name", "")))
    frame = {"schemaVersion": "1", "targetFamily": "sql", "target": "postgres", "profileHash": "", "roots": {},
             "domain": {"namespaces": {}}, "storage": _sorted(storage), "capabilities": {}, "extensions": {}, "meta": {}}
    return _sha256(_canonical(frame, 2))


# ---- contracts ----------------------------------------------------------------------------------

CODECS = {"int4": "pg/int4@1", "int8": "pg/int8@1", "text": "pg/text@1", "timestamptz": "pg/timestamptz-string@1",
          "character varying": "sql/varchar@1", "jsonb": "pg/jsonb@1", "bool": "pg/bool@1"}


def column(native, default=None, nullable=False, **more):
    made = {"codecId": CODECS[native], "nativeType": native, "nullable": nullable, **more}
    if isinstance(default, dict) and "kind" in default:
        made["default"] = default
    elif default is not None:
        made["default"] = {"kind": "literal", "value": default}
    return made


COUNTS = {"kind": "function", "expression": "autoincrement()"}
NOW = {"kind": "function", "expression": "now()"}


def table(columns, key="id", **more):
    return {"columns": columns, "primaryKey": {"columns": [key]}, "uniques": [], "indexes": [], "foreignKeys": [], **more}


def contract(tables, **more):
    made = {"schemaVersion": "1", "targetFamily": "sql", "target": "postgres", "profileHash": PROFILE,
            "roots": {}, "domain": {"namespaces": {"public": {"models": {}}}},
            "storage": {"namespaces": {"public": {"entries": {"table": tables, **more}, "id": "public",
                                                  "kind": "postgres-schema"}}},
            "capabilities": {}, "extensions": {}, "meta": {}}
    made["storage"]["storageHash"] = storage_hash(made)
    return made


def hash_of(made):
    return made and made["storage"]["storageHash"]


# ---- operations ---------------------------------------------------------------------------------


def step(sql, *params, says=None):
    return {"description": says or sql.split("\n", maxsplit=1)[0][:60], "sql": sql, "params": list(params)}


def op(name, *execute, before=(), after=(), kind="additive", **more):
    return {"id": name, "label": f"Do {name}", "operationClass": kind, "target": {"id": "postgres"},
            "precheck": list(before), "execute": [step(e) if isinstance(e, str) else e for e in execute],
            "postcheck": list(after), **more}


def make_table(name, sql):
    there = 'SELECT (to_regclass($1)) IS {} NULL AS "result"'
    return op(f"table.{name}", sql, before=[step(there.format(""), f'"public"."{name}"', says=f'ensure "{name}" is not there')],
              after=[step(there.format("NOT"), f'"public"."{name}"', says=f'verify "{name}" exists')])


HAS_COLUMN = ('SELECT {}EXISTS (SELECT 1 AS "one" FROM "information_schema"."columns" WHERE ("table_schema" = $1 AND '
              '"table_name" = $2 AND "column_name" = $3)) AS "result"')


def add_column(relation, name, words):
    params = ("public", relation, name)
    return op(f"column.public.{relation}.{name}", f'ALTER TABLE "public"."{relation}" ADD COLUMN "{name}" {words}',
              before=[step(HAS_COLUMN.format("NOT "), *params, says=f'ensure column "{name}" is missing')],
              after=[step(HAS_COLUMN.format(""), *params, says=f'verify column "{name}" exists')])


def set_default(relation, name, words):
    """Prisma skips it where there is a default already, and then cannot end its run."""
    sql = ('SELECT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 AND '
           'column_name = $3 AND column_default IS NOT NULL) AS "result"')
    return op(f"setDefault.{relation}.{name}", f'ALTER TABLE "public"."{relation}" ALTER COLUMN "{name}" SET DEFAULT {words}',
              after=[step(sql, "public", relation, name)])


def backfill(relation, name, value):
    left = f'EXISTS (SELECT 1 FROM "public"."{relation}" WHERE "{name}" IS NULL LIMIT 1) AS ok'
    return op(f"data_migration.fill-{name}", step(f'UPDATE "public"."{relation}" SET "{name}" = $1 WHERE "{name}" IS NULL', value),
              before=[step(f"SELECT {left}")], after=[step(f"SELECT NOT {left}")], kind="data", invariantId=f"{name}-filled")


class Project:
    """migrations/app, snapshots and the emitted contract of a project."""

    def __init__(self, path):
        self.path = str(path)
        self.count = 0

    def write(self, name, value):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))
        return path

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as file:
            return json.load(file)

    def package(self, name, before, after, ops, space="app", **more):
        """Contracts before (None: the empty database) and after; the name of the folder."""
        self.count += 1
        folder = f"202611{self.count:02d}T0900_{name}"
        manifest = {"from": hash_of(before), "to": hash_of(after),
                    "providedInvariants": sorted(o["invariantId"] for o in ops if "invariantId" in o),
                    "createdAt": f"2026-11-{self.count:02d}T09:00:00.000Z", **more}
        manifest["migrationHash"] = migration_hash(manifest, ops)
        self.write(f"migrations/{space}/{folder}/migration.json", manifest)
        self.write(f"migrations/{space}/{folder}/ops.json", ops)
        self.write(f"migrations/snapshots/{hash_of(after)}/contract.json", _canonical(_sorted(after)))
        return folder

    def emit(self, made):
        self.write("src/prisma/contract.json", made)


# ---- a sample -----------------------------------------------------------------------------------

USERS = {"id": column("int4", COUNTS), "email": column("character varying", typeParams={"length": 200}),
         "made": column("timestamptz", NOW)}
POSTS = {"id": column("int4", COUNTS), "author": column("int4"), "title": column("text", "it's")}
EMAIL = {"uniques": [{"columns": ["email"]}]}
AUTHOR = {"foreignKeys": [{"source": {"namespaceId": "public", "tableName": "post", "columns": ["author"]},
                           "target": {"namespaceId": "public", "tableName": "user", "columns": ["id"]},
                           "onDelete": "cascade"}],
          "indexes": [{"name": "post_author_idx_0a1b2c3d", "prefix": "post_author_idx", "columns": ["author"],
                       "unique": False}]}
CHECK = {"checks": [{"name": "rank_0a1b2c3d", "prefix": "rank", "expression": "rank > 0"}]}
RANKED = {**USERS, "rank": column("int4", 1), "tags": column("text", nullable=True, many=True)}

FIRST = contract({"user": table(USERS, **EMAIL)})
SECOND = contract({"user": table(USERS, **EMAIL), "post": table(POSTS, **AUTHOR)})
THIRD = contract({"user": table(RANKED, **EMAIL, **CHECK), "post": table(POSTS, **AUTHOR)})

MAKE_USER = make_table("user", 'CREATE TABLE "public"."user" (\n  "id" SERIAL NOT NULL,\n  "email" character varying(200) NOT'
                       ' NULL,\n  "made" timestamptz DEFAULT (now()) NOT NULL,\n  PRIMARY KEY ("id")\n)')
MAKE_POST = make_table("post", 'CREATE TABLE "public"."post" (\n  "id" SERIAL NOT NULL,\n  "author" int4 NOT NULL,\n  "title"'
                       " text DEFAULT 'it''s' NOT NULL,\n  PRIMARY KEY (\"id\")\n)")


def sample(path):
    """Three packages, one with data and checks; the folder. All of it Prisma can apply, too."""
    p = Project(path)
    p.package("init", None, FIRST, [
        op("schema.public", 'CREATE SCHEMA IF NOT EXISTS "public"'), MAKE_USER,
        op("unique.user.user_email_key", 'ALTER TABLE "public"."user" ADD CONSTRAINT "user_email_key" UNIQUE ("email")')])
    p.package("posts", FIRST, SECOND, [
        MAKE_POST,
        op("index.post.author", 'CREATE INDEX "post_author_idx_0a1b2c3d" ON "public"."post" ("author")'),
        op("foreignKey.post.author", 'ALTER TABLE "public"."post" ADD CONSTRAINT "post_author_fkey" FOREIGN KEY ("author")'
           ' REFERENCES "public"."user" ("id") ON DELETE CASCADE')])
    p.package("rank", SECOND, THIRD, [
        add_column("user", "rank", "int4 DEFAULT 1"), backfill("user", "rank", 7), add_column("user", "tags", "text[]"),
        op("alterNullability.setNotNull.user.rank", 'ALTER TABLE "public"."user" ALTER COLUMN "rank" SET NOT NULL',
           kind="destructive"),
        op("checkConstraint.user.rank_0a1b2c3d",
           'ALTER TABLE "public"."user" ADD CONSTRAINT "rank_0a1b2c3d" CHECK (rank > 0)')])
    p.emit(THIRD)
    return p.path


FOURTH = contract({"user": table({**RANKED, "rank": column("int4", 5)}, **EMAIL, **CHECK), "post": table(POSTS, **AUTHOR)})


def with_changed_default(path):
    """The sample, and a package that changes a default."""
    p = Project(sample(path))
    p.count = 3
    p.package("default", THIRD, FOURTH, [set_default("user", "rank", "5")])
    p.emit(FOURTH)
    return p.path


def files():
    """The sample as texts by their paths."""
    with tempfile.TemporaryDirectory() as scratch:
        root = sample(os.path.join(scratch, "p"))
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, root)] = file.read()
        return found
