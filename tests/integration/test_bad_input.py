"""Wrong input: an own message with place and way out, before anything is touched."""

import os

import pytest

from harness import aramid, catalog
from harness.cluster import free_port
from harness.project import Project


@pytest.fixture
def simple(project):
    project.add("init", "CREATE TABLE a (i int);")
    return project


@pytest.mark.parametrize("url, word", [
    ("nonsense", "postgresql://"), ("http://localhost/db", "postgresql://"),
    ("mysql://root@localhost/db", "mysql"), ("postgresql://u:p@localhost:notaport/db", "port"),
    ("postgresql://u@[::1/db", "["), ("prisma://accelerate.example/?api_key=x", "prisma"),
    ("postgresql://u:%zz@localhost/db", "%"), ("jdbc:postgresql://localhost/db", "jdbc"), ("", "url"),
])
def test_wrong_url(simple, url, word):
    result = aramid.deploy(simple, url)
    assert result.rc in (2, 3), result
    assert word in result.text.lower() and "--url" in result.text, result


def test_wrong_url_names_its_origin(simple):
    simple.write(".env", "\nDATABASE_URL=mysql://secret:hunter2@localhost/db\n")
    result = aramid.run("deploy", cwd=simple.path)
    assert result.rc == 3 and ".env:2" in result.text and "hunter2" not in result.text, result


def test_wrong_password(simple, db):
    db.sql("DROP ROLE IF EXISTS with_password")
    db.sql("CREATE ROLE with_password LOGIN PASSWORD 'right'")
    result = aramid.deploy(simple, db.url(user="with_password", password="canary-42"))
    assert result.rc == 30 and "P1000" in result.text and "with_password" in result.text, result
    assert "canary-42" not in result.text
    db.sql("DROP ROLE with_password")


def test_missing_database(simple, server):
    result = aramid.deploy(simple, server.url("nowhere"), "--no-create-database")
    assert result.rc == 31 and "P1003" in result.text and "nowhere" in result.text, result


def test_nobody_listens(simple):
    result = aramid.deploy(simple, f"postgresql://u@127.0.0.1:{free_port()}/db", "--retries", "0")
    assert result.rc == 40 and "P1001" in result.text, result


def test_unknown_host(simple):
    result = aramid.deploy(simple, "postgresql://u@no-such-host.invalid/db", "--retries", "0")
    assert result.rc == 40 and "no-such-host.invalid" in result.text, result


def test_no_migrations_folder(tmp_path, db):
    result = aramid.run("deploy", "--url", db.url(), cwd=str(tmp_path))
    assert result.rc == 20 and "migrations" in result.text and "--migrations" in result.text, result
    result = aramid.run("deploy", "--url", db.url(), "--migrations", "nowhere", cwd=str(tmp_path))
    assert result.rc == 20 and "nowhere" in result.text, result


def test_unreadable_file(simple, db):
    name = simple.add("more", "CREATE TABLE b (i int);")
    user = {}
    if os.getuid() == 0:
        os.unlink(simple.file(name))
        os.mkdir(simple.file(name))  # root reads everything, but not a folder as a file
    else:
        os.chmod(simple.file(name), 0)
    result = aramid.deploy(simple, db.url(), **user)
    assert result.rc in (5, 20) and f"{name}/migration.sql" in result.text, result
    assert not db.exists("a")


@pytest.mark.parametrize("content, line", [
    (b"CREATE TABLE b (i int);\n-- \xff\xfe\n", 2), (b"SELECT 'a\x00b';\n", 1),
    ("CREATE TABLE b (i int);\n".encode("utf-16"), 1), (b"\xc3\x28", 1), (b"SELECT '\xed\xa0\x80';", 1),
])
def test_not_utf8(simple, db, content, line):
    name = simple.add("more", content)
    result = aramid.deploy(simple, db.url())
    assert result.rc == 20 and f"{name}/migration.sql:{line}" in result.text, result
    assert not db.exists("a")


def test_folder_without_file(simple, db):
    os.mkdir(os.path.join(simple.migrations, "20250101000000_empty"))
    result = aramid.deploy(simple, db.url())
    assert result.rc == 20 and "P3015" in result.text and "20250101000000_empty" in result.text, result


def test_folder_without_the_file_of_an_applied_one(simple, db):
    assert aramid.deploy(simple, db.url()).rc == 0
    name = simple.names[0]
    os.unlink(simple.file(name))
    result = aramid.status(simple, db.url())
    assert "missing" in result.text and name in result.text, result


def test_two_names_that_differ_in_case_only(simple, db):
    simple.add("20250101000000_Same", "CREATE TABLE b (i int);")
    simple.add("20250101000000_same", "CREATE TABLE c (i int);")
    result = aramid.deploy(simple, db.url())
    assert result.rc == 0 and "upper and lower case only" in result.text, result
    assert "upper and lower case only" not in aramid.status(simple, db.url()).text


def test_name_too_long(simple, db):
    simple.add("20250101000000_" + "x" * 230, "CREATE TABLE b (i int);")
    result = aramid.deploy(simple, db.url())
    assert result.rc in (0, 20), result


def test_link_that_leads_nowhere(simple, db):
    os.symlink("/nowhere", os.path.join(simple.migrations, "20250101000000_link"))
    assert aramid.deploy(simple, db.url()).rc in (0, 5, 20)


def test_fifo_does_not_hang(simple, db):
    name = simple.add("more", "SELECT 1;")
    os.unlink(simple.file(name))
    os.mkfifo(simple.file(name))
    result = aramid.deploy(simple, db.url())
    assert result.rc in (5, 20) and name in result.text, result


def test_other_provider(simple, db):
    simple.write("prisma/migrations/migration_lock.toml", 'provider = "mysql"\n')
    result = aramid.deploy(simple, db.url())
    assert result.rc == 20 and "P3019" in result.text and "mysql" in result.text, result


@pytest.mark.parametrize("tool, files", [
    ("no migration", {"schema.sql": "SELECT 1;"}),
])
def test_folder_of_another_tool(tmp_path, db, tool, files):
    folder = "migrations"
    project = Project(tmp_path / "p", bare=True)
    os.removedirs(project.migrations)
    for name, content in files.items():
        project.write(f"{folder}/{name}", content)
    result = aramid.run("deploy", "--url", db.url(), "--migrations", folder, cwd=project.path)
    assert result.rc == 20, result
    assert tool in result.text.lower(), result


def test_same_timestamp_and_letters_outside_ascii(simple, db):
    simple.add("20250101000000_b", "CREATE TABLE b (i int);")
    simple.add("20250101000000_\u00e4", "CREATE TABLE c (i int);")
    assert "outside ASCII" in aramid.status(simple, db.url()).text
    result = aramid.deploy(simple, db.url())
    assert result.rc == 0 and "outside ASCII" in result.text, result


def test_names_in_commands_are_quoted_for_a_shell(simple, db):
    name = "20250101000000_it's; touch x"
    simple.add(name, "CREATE TABLE b (i int);")
    assert aramid.deploy(simple, db.url()).rc == 0
    db.sql("UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = %s", name)
    quoted = "--applied '20250101000000_it'\\''s; touch x'"
    for result in (aramid.deploy(simple, db.url()), aramid.status(simple, db.url())):
        assert result.rc in (11, 23) and quoted in result.text, result


def test_edited_migration_is_told(simple, db):
    assert aramid.deploy(simple, db.url()).rc == 0
    simple.edit(simple.names[0], "CREATE TABLE a (i bigint);")
    simple.add("more", "CREATE TABLE b (i int);")
    result = aramid.deploy(simple, db.url())
    assert result.rc == 0 and simple.names[0] in result.text and db.exists("b"), result
    simple.write("aramid.yaml", "edited: error\n")
    result = aramid.deploy(simple, db.url())
    assert result.rc == 26 and simple.names[0] in result.text, result


def test_missing_migration_is_told(simple, db, tmp_path):
    name = simple.add("more", "CREATE TABLE b (i int);")
    assert aramid.deploy(simple, db.url()).rc == 0
    less = Project(tmp_path / "less", {simple.names[0]: "CREATE TABLE a (i int);"})
    result = aramid.deploy(less, db.url())
    assert name in result.text and result.rc in (0, 26), result


def test_table_that_already_exists(simple, db):
    db.sql("CREATE TABLE a (i int)")
    result = aramid.deploy(simple, db.url())
    assert result.rc == 24 and "resolve --applied" in result.text, result
    assert not db.exists("_prisma_migrations")


def test_role_without_rights(simple, db):
    db.sql("DROP ROLE IF EXISTS may_nothing")
    db.sql("CREATE ROLE may_nothing LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    result = aramid.deploy(simple, db.url(user="may_nothing"))
    assert result.rc in (22, 33) and "42501" in result.text or "GRANT" in result.text, result
    assert catalog.leftovers(db)["advisory locks"] == []
    db.sql("DROP ROLE may_nothing")


def test_role_without_connect(simple, db):
    db.sql("DROP ROLE IF EXISTS may_not_enter")
    db.sql(f'CREATE ROLE may_not_enter LOGIN; REVOKE CONNECT ON DATABASE "{db.name}" FROM PUBLIC')
    result = aramid.deploy(simple, db.url(user="may_not_enter"))
    assert result.rc == 33 and "may_not_enter" in result.text, result
    db.sql("DROP ROLE may_not_enter")


def test_read_only_database(simple, db):
    db.sql(f'ALTER DATABASE "{db.name}" SET default_transaction_read_only = on')
    result = aramid.deploy(simple, db.url())
    assert result.rc == 34 and "default_transaction_read_only" in result.text, result


def test_unknown_environment(simple, db):
    simple.write("aramid.yaml", f"environments:\n  live:\n    url: {db.url()}\n")
    result = aramid.run("deploy", "--env", "life", cwd=simple.path)
    assert result.rc == 3 and 'did you mean "live"' in result.text, result
    result = aramid.run("deploy", "--env", "prodution", cwd=simple.path)
    assert result.rc == 3 and 'did you mean "production"' in result.text, result


@pytest.mark.parametrize("text, place", [
    ("locks:\n  timeout: [1\n", "aramid.yaml:"), ("locks:\n  timeuot: 1s\n", "aramid.yaml:2"),
    ("url: x\nurl: y\n", "aramid.yaml:2"), ("locks:\n  timeout: soon\n", "aramid.yaml:2"),
    ("- a\n- b\n", "aramid.yaml:1"), ("\tlocks: 1\n", "aramid.yaml:1"),
])
def test_malformed_yaml(simple, db, text, place):
    simple.write("aramid.yaml", text)
    result = aramid.deploy(simple, db.url())
    assert result.rc == 3 and place in result.text, result
    assert not db.exists("a")


def test_misspelt_key_gets_the_nearest(simple, db):
    simple.write("aramid.yaml", "locks:\n  timeuot: 1s\n")
    assert "did you mean locks.timeout" in aramid.deploy(simple, db.url()).text
    simple.write("aramid.yaml", "lokcs:\n  timeout: 1s\n")
    assert "did you mean locks?" in aramid.deploy(simple, db.url()).text


@pytest.mark.parametrize("text, place", [
    ('A=1\nDATABASE_URL="postgresql://x\n', ".env:2"), ("A=1\n= x\n", ".env:2"), ("this is not a line\n", ".env:1"),
])
def test_malformed_env_file(simple, text, place):
    simple.write(".env", text)
    result = aramid.run("deploy", cwd=simple.path)
    assert result.rc == 3 and place in result.text and "hint:" in result.text, result


def test_unknown_flags_and_commands(simple):
    result = aramid.run("deploi", cwd=simple.path)
    assert result.rc == 2 and "deploy" in result.text, result
    result = aramid.run("deploy", "--jsn", cwd=simple.path)
    assert result.rc == 2 and "--json" in result.text, result
    result = aramid.run("deploy", "surplus", cwd=simple.path)
    assert result.rc == 2 and "surplus" in result.text, result
    result = aramid.run("deploy", "--lock-timeout", "soon", cwd=simple.path)
    assert result.rc == 2 and "soon" in result.text, result


def test_a_schema_that_the_role_may_not_make(project, db):
    """The hint can be followed: what does not exist cannot be granted on."""
    project.add("init", "CREATE TABLE a (i int);")
    role = f"{db.name}_plain"
    db.sql(f"CREATE ROLE {role} LOGIN")
    try:
        url = db.url(user=role) + "?schema=newone"
        result = aramid.deploy(project, url)
        assert result.rc == 33 and f'CREATE SCHEMA "newone" AUTHORIZATION "{role}"' in result.err, result
        db.sql(f'CREATE SCHEMA "newone" AUTHORIZATION "{role}"')
        assert aramid.deploy(project, url).rc == 0
    finally:
        db.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")
