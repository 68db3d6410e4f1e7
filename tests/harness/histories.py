"""Histories that are hard to interrupt without harm.

Each part of each migration that changes anything also writes its name into `witness`, which has no
key: a part that ran twice shows.
"""


def _w(part):
    return f"INSERT INTO witness VALUES ('{part}');\n"


def hard(project, rows=4000, pause=0.0):
    """All kinds of steps. `pause` seconds pass in some of them, for tests that must hit the middle."""
    nap = f"SELECT pg_sleep({pause});\n" if pause else ""
    project.add("init", "CREATE TABLE witness (part text NOT NULL);\n"
                "CREATE TABLE big (id int PRIMARY KEY, v text, w int);\n" + _w("init"))
    project.add("rows", "INSERT INTO big SELECT i, 'v' || i, i % 7 "
                f"FROM generate_series(1, {rows}) i;\n" + _w("rows") + nap)
    project.add("concurrently", "CREATE INDEX CONCURRENTLY big_v ON big (v);\n")
    project.add("ddl", "CREATE TABLE other (id serial PRIMARY KEY, big_id int REFERENCES big (id));\n"
                + _w("ddl") + nap + "ALTER TABLE big ADD COLUMN note text;\n-- a comment at the end")
    project.add("mixed", _w("mixed 1") + "CREATE TABLE mixed_a (i int);\n"
                "CREATE INDEX CONCURRENTLY big_w ON big (w);\n" + _w("mixed 2") + nap
                + "CREATE TABLE mixed_b (i int);\n")
    project.add("own_transactions", "BEGIN;\n" + _w("own 1") + "CREATE TABLE own_a (i int);\nCOMMIT;\n"
                + _w("own 2") + nap + "BEGIN;\n" + _w("own 3") + "CREATE TABLE own_b (i int);\nCOMMIT;\n"
                + "CREATE TABLE own_c (i int);\n")
    project.add("enum", "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE person (m mood);\n"
                + _w("enum"))
    project.add("enum_value", "ALTER TYPE mood ADD VALUE 'happy';\n"
                "INSERT INTO person VALUES ('happy');\n" + _w("enum value"))
    project.add("do", "DO $$\nBEGIN\n  FOR i IN 1..3 LOOP\n    EXECUTE format('CREATE TABLE do_%s (i int)', i);\n"
                "  END LOOP;\n  INSERT INTO witness VALUES ('do');\nEND;\n$$;\n")
    for i in range(1, 4):
        project.add(f"together_{i}", f"CREATE TABLE together_{i} (i int);\n")
    project.add("unnamed", "CREATE INDEX CONCURRENTLY ON big (note);\n")
    project.add("unique", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS big_id_v ON big (id, v);\n"
                + _w("unique"))
    project.add("drop", "DROP INDEX CONCURRENTLY big_w;\n")
    project.add("reindex", "REINDEX INDEX CONCURRENTLY big_v;\n" + _w("reindex"))
    project.add("settings", "SET search_path = pg_catalog;\nSET standard_conforming_strings = off;\n"
                "SET ROLE postgres;\nINSERT INTO public.witness VALUES ('settings');")
    project.add("batches", "-- aramid:batch size=700\nUPDATE big SET w = w + 100;\n-- aramid:prove\n"
                "SELECT id FROM big WHERE w NOT BETWEEN 100 AND 106;\n" + _w("batches"))
    project.add("last", "CREATE VIEW bigs AS SELECT count(*) AS n FROM big;\n" + _w("last") + nap)
    return project


HARD_WITNESSES = {part: 1 for part in (
    "init", "rows", "ddl", "mixed 1", "mixed 2", "own 1", "own 2", "own 3", "enum", "enum value", "do",
    "unique", "reindex", "settings", "batches", "last")}


def plain(project, count=20):
    """Many small single-transaction migrations."""
    project.add("init", "CREATE TABLE witness (part text NOT NULL);\n" + _w("init"))
    for i in range(1, count):
        project.add(f"m{i}", f"CREATE TABLE t_{i} (id int PRIMARY KEY, v text);\n" + _w(f"m{i}"))
    return project


def together(project, count=12):
    """Migrations that may stand in one message: a table each, which cannot be made twice, and what real ones
    do with the tables before them."""
    for i in range(1, count + 1):
        sql = f"-- made\nCREATE TABLE many_{i} (id int PRIMARY KEY, \"näme\" text, at timestamptz DEFAULT now());\n"
        if i > 1:
            sql += (f"ALTER TABLE many_{i - 1} ADD COLUMN next_id int REFERENCES many_{i} (id);\n"
                    f"CREATE INDEX many_{i}_i ON many_{i} (at);\n")
        if i % 4 == 0:
            sql += f"CREATE TYPE mood_{i} AS ENUM ('sad');\nALTER TABLE many_{i} ADD COLUMN mood mood_{i}; -- the end"
        if i % 5 == 0:
            sql += f"CREATE VIEW all_{i} AS SELECT * FROM many_{i};\nCOMMENT ON VIEW all_{i} IS 'it''s; a view'"
        project.add(f"many_{i}", sql)
    return project
