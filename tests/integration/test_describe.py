"""aramid describe: one table as it is, and the migrations that speak of it."""

import json

from harness import aramid

INIT = """
CREATE SCHEMA app;
CREATE TABLE teams (id serial PRIMARY KEY, "Name" text NOT NULL DEFAULT 'x');
COMMENT ON TABLE teams IS 'those who play';
CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE,
    mail varchar(80) UNIQUE, age int CHECK (age > 0));
CREATE INDEX people_young ON people (age DESC) WHERE age < 30;
CREATE VIEW grown AS SELECT mail FROM people WHERE age > 17;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER stamped BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON people FOR SELECT USING (mail = current_user);
GRANT SELECT (age) ON people TO PUBLIC;
CREATE TABLE app.teams (id int);
"""


def describe(project, db, *args):
    return aramid.run("describe", *args, "--url", db.url(), cwd=project.path)


def as_json(project, db, *args):
    result = describe(project, db, *args, "--json")
    assert result.rc == 0, result
    return json.loads(result.out)


def test_what_a_table_has(project, db):
    project.add("init", INIT)
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("INSERT INTO teams VALUES (DEFAULT); INSERT INTO people (team, mail, age) SELECT 1, i, i"
           " FROM generate_series(1, 50) i; ANALYZE people")
    result = describe(project, db, "people")
    assert result.rc == 0, result
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    for line in ('about 50 rows', 'id integer not null GENERATED ALWAYS AS IDENTITY', 'mail character varying(80) null',
                 'people_pkey PRIMARY KEY ("id")', 'people_mail_key UNIQUE ("mail")',
                 'people_young ("age" DESC) WHERE (age < 30)', 'people_age_check CHECK (age > 0)',
                 'people_team_fkey FOREIGN KEY ("team") REFERENCES "teams"("id") ON DELETE CASCADE',
                 'stamped CREATE TRIGGER stamped BEFORE UPDATE ON public.people',
                 'own FOR SELECT USING (', 'row-level security is on', 'PUBLIC SELECT (age)', 'view public.grown'):
        assert any(line in one for one in lines), (line, result)
    assert any("applied at 20" in one and one.endswith("CREATE POLICY (line 12)") for one in lines), result
    other = describe(project, db, "public.teams")
    assert "those who play" in other.out and "Referenced by" in other.out and "people_team_fkey" in other.out, other


def test_migrations_under_the_name_that_it_had_then(project, db):
    first = project.add("first", "CREATE TABLE old (i int);\nCREATE TABLE other (i int);")
    second = project.add("second", "ALTER TABLE old ADD COLUMN k int;\nCREATE INDEX old_i ON old (i);")
    third = project.add("third", "ALTER TABLE old RENAME TO new;\nCREATE TABLE old (z int);")
    fourth = project.add("fourth", "DROP INDEX old_i;\nINSERT INTO new VALUES (1);")
    assert aramid.deploy(project, db.url()).rc == 0
    pending = project.add("fifth", "ALTER TABLE new DROP COLUMN k;\nUPDATE other SET i = 1;")
    found = {m["name"]: m for m in as_json(project, db, "new")["migrations"]}
    assert list(found) == [first, second, third, fourth, pending], found
    assert [found[n]["was"] for n in (first, second, third, fourth)] == ["old", "old", "old", None]
    assert [found[n]["state"] for n in (first, pending)] == ["applied", "pending"]
    assert found[first]["statements"] == [{"line": 1, "kind": "CREATE TABLE"}]
    assert [s["kind"] for s in found[second]["statements"]] == ["ALTER TABLE", "CREATE INDEX"]
    assert found[third]["statements"][0]["line"] == 1 and len(found[third]["statements"]) == 1
    assert [s["kind"] for s in found[fourth]["statements"]] == ["DROP INDEX", "INSERT"]
    assert found[fourth]["appliedAt"] and not found[pending]["appliedAt"]
    assert [m["name"] for m in as_json(project, db, "old")["migrations"]] == [third]


def test_names(project, db):
    project.add("init", 'CREATE SCHEMA app; CREATE TABLE "Odd.Name" (i int); CREATE TABLE app."Odd.Name" (k int);'
                        "CREATE SCHEMA b; CREATE TABLE app.twice (i int); CREATE TABLE b.twice (i int);"
                        'CREATE TABLE app."Alone" (i int);')
    assert aramid.deploy(project, db.url()).rc == 0
    assert as_json(project, db, "Odd.Name")["schema"] == "public"
    assert as_json(project, db, 'app."Odd.Name"')["columns"][0]["name"] == "k"
    assert as_json(project, db, "alone")["name"] == "Alone"
    twice = describe(project, db, "twice")
    assert twice.rc == 27 and "2 schemas" in twice.err and "app.twice" in twice.err, twice
    near = describe(project, db, "Alon")
    assert near.rc == 27 and 'did you mean "app.Alone"' in near.err, near


def test_a_model_of_the_schema(project, db):
    project.write("prisma/schema.prisma", 'datasource db { provider = "postgresql" }\n'
                                          'model Person {\n  id Int @id\n  @@map("people")\n}\n')
    db.sql("CREATE TABLE people (id int PRIMARY KEY)")
    found = as_json(project, db, "Person")
    assert (found["model"], found["name"], found["migrations"]) == ("Person", "people", [])


def test_views_and_partitions(project, db):
    db.sql("CREATE TABLE days (d date, v int) PARTITION BY RANGE (d);"
           "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
           "INSERT INTO days SELECT '2020-05-05', i FROM generate_series(1, 7) i; ANALYZE days_1, days;"
           "CREATE MATERIALIZED VIEW sums AS SELECT d, sum(v) FROM days GROUP BY d; CREATE VIEW v AS SELECT 1 AS one")
    days = as_json(project, db, "days")
    assert (days["rowEstimate"], days["partitions"], days["partitionKey"]) == (7, 1, "RANGE (d)"), days
    assert days["usedBy"] == [{"kind": "materialized view", "schema": "public", "name": "sums"}]
    assert as_json(project, db, "days_1")["partitionOf"] == "days"
    sums = as_json(project, db, "sums")
    assert sums["kind"] == "materialized view" and "GROUP BY" in sums["query"] and sums["bytes"] > 0
    assert as_json(project, db, "v")["bytes"] is None


def test_a_role_that_may_only_connect(project, db, server):
    project.add("init", "CREATE TABLE secret (i int);")
    assert aramid.deploy(project, db.url()).rc == 0
    db.sql("DROP ROLE IF EXISTS onlooker; CREATE ROLE onlooker LOGIN")
    result = aramid.run("describe", "secret", "--url", db.url(user="onlooker"), cwd=project.path)
    db.sql("DROP ROLE onlooker")
    assert result.rc == 0 and "integer" in result.out and "history is not known" in result.out, result
    assert "CREATE TABLE (line 1)" in result.out, result


def test_nothing_of_the_database_reaches_the_terminal_as_it_is(project, db):
    db.sql("CREATE TABLE \"a\x1b[31m\" (\"c\x1b[2J\" text DEFAULT '\x1b[0m'); COMMENT ON TABLE \"a\x1b[31m\" IS '\x1b]0;x'")
    result = describe(project, db, "a\x1b[31m")
    assert result.rc == 0 and "\x1b" not in result.text, result


def test_no_database_yet(project):
    result = aramid.run("describe", "x", cwd=project.path)
    assert result.rc == 31 and "was not made yet" in result.err, result
