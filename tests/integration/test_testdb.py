"""aramid testdb: databases for tests, cloned from one that has the project's migrations and seeds."""

import concurrent.futures
import json
import os
import signal
import subprocess
import time

import psycopg2
import pytest

from harness import aramid
from harness.cluster import Database
from harness.project import Project
from harness.wait import until


@pytest.fixture
def shop(tmp_path):
    project = Project(tmp_path / "shop")
    project.add("users", "CREATE TABLE users (id serial PRIMARY KEY, mail text);")
    project.add("posts", "CREATE TABLE posts (id serial PRIMARY KEY, author int REFERENCES users);")
    yield project
    aramid.run("testdb", "drop", "--all", cwd=project.path)


def call(project, *args, **more):
    return aramid.run("testdb", *args, cwd=project.path, **more)


def urls(project, *args, **more):
    result = call(project, *args, **more)
    assert result.rc == 0, result
    return result.out.split()


def query(url, sql):
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def listed(server, kind=None):
    """Names of ours on a server, by kind."""
    rows = server.column("SELECT datname FROM pg_database WHERE datname LIKE 'aramid\\_test\\_%' ORDER BY 1")
    return [name for name in rows if kind is None or name[12] == kind]


def drop_all(place):
    quiet(place)
    for name in listed(place):
        place.sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def place(server):
    """A server of the user's, by one of its databases, with nothing of ours on it behind the test."""
    db = Database(server, "postgres")
    yield db
    drop_all(db)


def quiet(server):
    """Until nobody works behind an answer any more."""
    until(lambda: not server.column("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'aramid%'"))


def test_each_has_all_migrations_and_is_its_own(shop):
    first, second = urls(shop), urls(shop)
    assert first != second
    for url in first + second:
        assert query(url, "SELECT count(*) FROM posts") == [(0,)]
        assert query(url, "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL") == [(2,)]
    query(first[0], "INSERT INTO users VALUES (1, 'a')")
    assert query(second[0], "SELECT * FROM users") == []
    assert aramid.run("status", "--url", first[0], cwd=shop.path).rc == 0


def test_several_at_once_and_as_json(shop):
    lines = urls(shop, "--count", "5")
    assert len(set(lines)) == 5
    value = call(shop, "--count", "2", "--json").json
    assert value["madeTemplate"] is False and len({d["url"] for d in value["databases"]} | set(lines)) == 7, value


def test_many_who_ask_at_the_same_moment(shop, place):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda _: call(shop, "--url", place.url()), range(20)))
    assert [r.rc for r in results] == [0] * 20, [r for r in results if r.rc]
    assert len({r.out for r in results}) == 20
    assert len(listed(place, "t")) == 1 and len(listed(place, "c")) == 20
    assert sum("Making a template" in r.err for r in results) == 1
    assert all(query(r.out.strip(), "SELECT count(*) FROM posts") == [(0,)] for r in results)


def test_some_are_made_ready_behind_the_answer(shop, place):
    shop.write("aramid.yaml", "testdb:\n  pool: 3\n")
    urls(shop, "--url", place.url())
    until(lambda: len(listed(place, "p")) == 3)
    quiet(place)
    value = call(shop, "--url", place.url(), "--json").json
    assert value["databases"][0]["wasReady"] is True, value
    until(lambda: len(listed(place, "p")) == 3)


def test_a_new_migration_begins_with_the_template_before(shop, place):
    urls(shop, "--url", place.url(), "--no-seed")
    shop.add("tags", "CREATE TABLE tags (id int);")
    result = call(shop, "--url", place.url())
    assert result.rc == 0 and "1 migration behind one that has 2" in result.err, result
    assert query(result.out.strip(), "SELECT count(*) FROM tags") == [(0,)]
    assert query(result.out.strip(), "SELECT count(*) FROM _prisma_migrations") == [(3,)]
    shop.edit(shop.names[1], "CREATE TABLE posts (id int, author int, title text);")
    result = call(shop, "--url", place.url())
    assert result.rc == 0 and "behind" not in result.err, result
    assert query(result.out.strip(), "SELECT title FROM posts") == []


def test_seeds(shop, place):
    shop.write("prisma/seed.sql", "INSERT INTO users (mail) VALUES ('seed');")
    (url,), (bare,) = urls(shop, "--url", place.url()), urls(shop, "--url", place.url(), "--no-seed")
    assert query(url, "SELECT mail FROM users") == [("seed",)] and query(bare, "SELECT mail FROM users") == []
    shop.write("prisma/seed.sql", "INSERT INTO users (mail) VALUES ('other');")
    assert query(urls(shop, "--url", place.url())[0], "SELECT mail FROM users") == [("other",)]
    shop.write("prisma/seed.sql", "INSERT INTO users (mail) VALUES ('x'); SELECT 1/0;")
    result = call(shop, "--url", place.url())
    assert result.rc != 0 and not result.out and "seed.sql" in result.err, result
    quiet(place)
    assert listed(place, "b") == []


def test_a_migration_that_fails_leaves_nothing(shop, place):
    name = shop.add("bad", "CREATE TABLE c (i int);\nSELECT 1/0;")
    result = call(shop, "--url", place.url())
    assert result.rc != 0 and not result.out and name in result.err and "division by zero" in result.err, result
    assert listed(place) == []


def test_they_are_given_back(shop, place):
    (gone,), (kept,) = urls(shop, "--url", place.url(), "--ttl", "1ms"), urls(shop, "--url", place.url())
    quiet(place)
    owner = subprocess.Popen(["sleep", "600"])
    (owned,), (used,) = (urls(shop, "--url", place.url(), "--owner", str(owner.pid)) for _ in range(2))
    holder = psycopg2.connect(used)
    swept = aramid.run("testdb", "sweep", "--url", place.url(), cwd=shop.path)
    quiet(place)
    assert swept.rc == 0 and name_of(gone) not in listed(place) and name_of(owned) in listed(place), swept
    owner.kill()
    owner.wait()
    assert aramid.run("testdb", "sweep", "--url", place.url(), cwd=shop.path).rc == 0
    assert name_of(owned) not in listed(place)
    assert name_of(used) in listed(place), "somebody is connected to it"
    holder.close()
    until(lambda: aramid.run("testdb", "sweep", "--url", place.url(), cwd=shop.path).rc == 0
          and name_of(used) not in listed(place))
    assert name_of(kept) in listed(place)


def name_of(url):
    return url.split("?")[0].rsplit("/", 1)[1]


def test_drop(shop, place, db):
    first, second = (urls(shop, "--url", place.url())[0] for _ in range(2))
    quiet(place)
    for wrong in (db.url(), "postgres", "template1", "aramid_test_", "aramid_test_x_1_2"):
        result = aramid.run("testdb", "drop", "--url", place.url(), wrong, first, cwd=shop.path)
        assert result.rc == 2 and name_of(first) in listed(place), result
    assert aramid.run("testdb", "drop", "--url", place.url(), cwd=shop.path).rc == 2
    result = aramid.run("testdb", "drop", "--url", place.url(), first, name_of(second), cwd=shop.path)
    assert result.rc == 0 and listed(place, "c") == [], result
    assert aramid.run("testdb", "drop", "--url", place.url(), first, cwd=shop.path).rc == 0, "twice is no error"
    assert aramid.run("testdb", "drop", "--all", "--url", place.url(), cwd=shop.path).rc == 0
    assert listed(place) == [] and db.column("SELECT 1") == [1]


def test_all_of_it_goes(shop):
    (url,) = urls(shop)
    home = os.path.dirname(query(url, "SHOW data_directory")[0][0])
    result = aramid.run("testdb", "drop", "--all", cwd=shop.path)
    assert result.rc == 0 and not os.path.exists(home), result
    assert aramid.run("testdb", "drop", "--all", cwd=shop.path).rc == 0
    assert query(urls(shop)[0], "SELECT count(*) FROM posts") == [(0,)]


def test_list(shop, place):
    empty = aramid.run("testdb", "list", cwd=shop.path)
    assert empty.rc == 0 and "no databases" in empty.out and not os.path.exists(f"{shop.path}/.aramid/tests15"), empty
    (url,) = urls(shop, "--url", place.url())
    result = aramid.run("testdb", "list", "--url", place.url(), cwd=shop.path)
    assert name_of(url) in result.out and "template" in result.out, result
    value = aramid.run("testdb", "list", "--url", place.url(), "--json", cwd=shop.path).json
    assert {"taken", "template"} <= {d["kind"] for d in value["databases"]}, value


def test_production_is_refused(shop, place):
    result = call(shop, "--url", place.url(), "--env", "production")
    assert result.rc != 0 and "production" in result.err and listed(place) == [], result


def test_the_projects_own_database_is_never_meant(shop, place, db):
    """DATABASE_URL is what a deploy goes to."""
    (url,) = urls(shop, env={"DATABASE_URL": db.url()})
    assert "/tmp/" in url and listed(place) == [] and not db.exists("users")
    (url,) = urls(shop, env={"DATABASE_URL": db.url(), "ARAMID_TESTDB_URL": place.url()})
    assert name_of(url) in listed(place)


def test_a_role_that_may_make_none(shop, place):
    place.sql("CREATE ROLE plain LOGIN PASSWORD 'secret'")
    try:
        plain = place.url().replace("postgres@", "plain:secret@")
        result = call(shop, "--url", plain)
        assert result.rc != 0 and "CREATEDB" in result.err and "secret" not in result.text, result
        place.sql("ALTER ROLE plain CREATEDB")
        (url,) = urls(shop, "--url", plain)
        assert "plain:secret@" in url and query(url, "SELECT current_user") == [("plain",)]
    finally:
        drop_all(place)
        place.sql("DROP ROLE plain")


def test_settings_of_the_database_come_along(shop, place):
    shop.add("settings", """DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.name = ''shop, "x"''', current_database());
        EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$;""")
    (url,) = urls(shop, "--url", place.url())
    assert query(url, "SELECT current_setting('app.name'), current_setting('search_path')") == [
        ('shop, "x"', "public, pg_catalog")]


def test_killed_at_any_moment(shop, place):
    """Whatever a kill leaves, the next call works, and a sweep takes away what was begun."""
    shop.write("prisma/seed.sql", "INSERT INTO users (mail) SELECT 'm' FROM generate_series(1, 1000);")
    for step in range(12):
        process = subprocess.Popen([aramid.BINARY, "testdb", "--url", place.url()], cwd=shop.path, env=aramid.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(step * 0.04)
        process.send_signal(signal.SIGKILL)
        process.wait()
    quiet(place)
    (url,) = urls(shop, "--url", place.url())
    assert query(url, "SELECT count(*) FROM users") == [(1000,)]
    quiet(place)
    assert aramid.run("testdb", "sweep", "--url", place.url(), cwd=shop.path).rc == 0
    assert listed(place, "b") == [] and len(listed(place, "t")) == 2


def test_a_server_that_lost_its_machine_is_made_anew(shop):
    (first,) = urls(shop)
    folder = json.loads(aramid.run("db", "status", "--json", cwd=shop.path).out)["dataDir"]
    assert folder is None, "the project's own database is another one"
    home = os.path.dirname(query(first, "SHOW data_directory")[0][0])
    assert os.path.basename(home).startswith("tests")
    with open(f"{home}/data/postmaster.pid", encoding="utf-8") as f:
        pid = int(f.readline())
    os.kill(pid, signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{pid}"))
    with open(f"{home}/boot", "w", encoding="utf-8") as f:
        f.write("another")
    result = call(shop)
    assert result.rc == 0 and "Making a template" in result.err, result
    assert query(result.out.strip(), "SELECT count(*) FROM posts") == [(0,)]
