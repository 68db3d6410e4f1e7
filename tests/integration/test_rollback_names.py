"""aramid rollback of what was renamed: rows stay, whatever the migration calls them."""

import pytest

from harness import aramid

BEFORE = """
CREATE SCHEMA old;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE users (id serial PRIMARY KEY, mail text, name text, at mood DEFAULT 'ok', CHECK (length(mail) > 1));
CREATE INDEX users_mail ON users (lower(mail)) WHERE name IS NOT NULL;
CREATE TABLE "Post" (id int PRIMARY KEY, author int REFERENCES users);
CREATE TABLE old.plans (id serial, name text);
CREATE SEQUENCE numbers;
CREATE TABLE events (id int, region text) PARTITION BY LIST (region);
CREATE TABLE events_eu PARTITION OF events FOR VALUES IN ('eu');
"""
ROWS = """
INSERT INTO users (mail, name) SELECT 'mail' || i, 'name' || i FROM generate_series(1, 5) i;
INSERT INTO "Post" VALUES (1, 1);
INSERT INTO old.plans (name) VALUES ('free'), ('team');
SELECT setval('numbers', 41);
INSERT INTO events VALUES (7, 'eu');
"""
SEEN = """SELECT (SELECT array_agg(u.* ORDER BY id)::text FROM users u), (SELECT array_agg(p.*)::text FROM "Post" p),
    (SELECT array_agg(p.* ORDER BY id)::text FROM old.plans p), (SELECT last_value FROM numbers),
    (SELECT array_agg(e.*)::text FROM events e)"""

CASES = {
    "column": "ALTER TABLE users RENAME COLUMN mail TO email;",
    "column without the word": "ALTER TABLE public.users RENAME mail TO email;",
    "if there": "ALTER TABLE IF EXISTS users RENAME COLUMN mail TO email;\nALTER TABLE IF EXISTS nothing RENAME TO x;",
    "table": "ALTER TABLE users RENAME TO people;",
    "quoted": 'ALTER TABLE "Post" RENAME TO "BlogPost";\nALTER TABLE "BlogPost" RENAME COLUMN author TO "authorId";',
    "table and column": "ALTER TABLE users RENAME TO people;\nALTER TABLE people RENAME COLUMN mail TO email;",
    "column and table": "ALTER TABLE users RENAME COLUMN mail TO email;\nALTER TABLE users RENAME TO people;",
    "chain": "ALTER TABLE users RENAME mail TO m;\nALTER TABLE users RENAME TO u;\nALTER TABLE u RENAME m TO email;\n"
             "ALTER TABLE u RENAME TO people;",
    "swap": "ALTER TABLE users RENAME mail TO x;\nALTER TABLE users RENAME name TO mail;\nALTER TABLE users RENAME x TO name;",
    "tables exchanged": 'ALTER TABLE users RENAME TO x;\nALTER TABLE "Post" RENAME TO users;\nALTER TABLE x RENAME TO "Post";',
    "there and back": "ALTER TABLE users RENAME mail TO m;\nALTER TABLE users RENAME m TO mail;",
    "other schema": "CREATE SCHEMA app;\nALTER TABLE users SET SCHEMA app;",
    "other schema and name": "ALTER TABLE old.plans RENAME TO tiers;\nALTER TABLE old.tiers SET SCHEMA public;\n"
                             "ALTER TABLE tiers RENAME name TO title;",
    "schema": "ALTER SCHEMA old RENAME TO billing;",
    "path": "SET LOCAL search_path TO old;\nALTER TABLE plans RENAME name TO title;",
    "sequence": "ALTER SEQUENCE numbers RENAME TO counters;",
    "sequence as a table": "ALTER TABLE numbers RENAME TO counters;",
    "enum": "ALTER TYPE mood RENAME TO feeling;",
    "label": "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';",
    "enum and label": "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';\nALTER TYPE mood RENAME TO feeling;",
    "partitioned": "ALTER TABLE events RENAME region TO area;\nALTER TABLE events_eu RENAME TO events_europe;",
    "beside others": "ALTER TABLE users RENAME mail TO email;\nALTER TABLE users ADD COLUMN age int;\n"
                     "ALTER TABLE users ALTER email SET NOT NULL;\nCREATE TABLE more (id int);\n"
                     "CREATE INDEX more_mails ON users (email);",
    "constraint and index": "ALTER TABLE users RENAME CONSTRAINT users_pkey TO pk;\nALTER INDEX users_mail RENAME TO mails;\n"
                            "ALTER TABLE users RENAME mail TO email;",
}


def rollback(project, db, *args):
    return aramid.run("rollback", "--url", db.url(), *args, cwd=project.path)


@pytest.mark.parametrize("sql", CASES.values(), ids=CASES)
def test_rows_stay(project, db, sql):
    project.add("before", BEFORE)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(ROWS)
    seen = db.sql(SEEN)
    project.add("names", sql)
    assert aramid.deploy(project, db.url()).rc == 0
    result = rollback(project, db)  # nothing is lost, so nobody has to agree to a loss
    assert result.rc == 0 and "Lost" not in result.text, result
    assert db.sql(SEEN) == seen
    assert aramid.deploy(project, db.url()).rc == 0


LOST = {
    "made anew": ("ALTER TABLE users DROP COLUMN mail;\nALTER TABLE users ADD COLUMN mail text;\n"
                  "ALTER TABLE users RENAME mail TO email;", "UPDATE users SET email = 'new'"),
    "another table": ('CREATE TABLE people (id int, at timestamp);\nDROP TABLE "Post";\n'
                      'ALTER TABLE people RENAME TO "Post";', """INSERT INTO "Post" VALUES (1, '2026-01-01')"""),
    "renamed, dropped, made": ("ALTER TABLE users RENAME COLUMN name TO nick;\nALTER TABLE users DROP COLUMN nick;\n"
                               "ALTER TABLE users ADD COLUMN nick text;", "UPDATE users SET nick = 'new'"),
    "name taken": ("ALTER TABLE users RENAME TO users_old;\nCREATE TABLE users (id int, mail text);",
                   """DELETE FROM "Post"; INSERT INTO users VALUES (9, 'mail9')"""),
    "name of a column taken": ("ALTER TABLE users RENAME mail TO mail_old;\nALTER TABLE users ADD mail text;",
                               "UPDATE users SET mail = 'new'"),
}


@pytest.mark.parametrize("sql, rows", LOST.values(), ids=LOST)
def test_what_only_looks_renamed_is_said_to_be_lost(project, db, sql, rows):
    project.add("before", BEFORE)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(ROWS)
    name = project.add("lost", sql)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql(rows)
    assert "-- Lost:" in aramid.run("show", name, cwd=project.path).text
    assert rollback(project, db).rc == 4
    assert rollback(project, db, "--accept-data-loss").rc == 0


def test_own_scripts_are_read_for_what_they_rename(project, db):
    project.add("before", BEFORE)
    name = project.add("names", "ALTER TABLE users RENAME mail TO email;\nALTER TABLE users RENAME name TO nick;")
    project.write(f"prisma/migrations/{name}/down.sql", "ALTER TABLE users RENAME email TO mail;\nALTER TABLE users DROP COLUMN nick;\n"
                  "ALTER TABLE users ADD COLUMN name text;\n"
                  "CREATE INDEX users_mail ON users (lower(mail)) WHERE name IS NOT NULL;")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO users (email, nick) VALUES ('a1', 'b')")
    result = rollback(project, db)
    assert result.rc == 4 and "`nick`" in result.err and "`email`" not in result.err, result
    assert rollback(project, db, "--accept-data-loss").rc == 0
    assert db.sql("SELECT mail, name FROM users") == [("a1", None)]
