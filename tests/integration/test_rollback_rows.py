"""aramid verify-rollback with rows: what a way back does to them."""

import pytest

from harness import aramid

USERS = "CREATE TABLE users (id serial PRIMARY KEY, mail text NOT NULL, age int);"
ROWS = "INSERT INTO users (mail, age) SELECT 'm' || i, i FROM generate_series(1, 20) i;"


def verify(project, *args):
    return aramid.run("verify-rollback", "--all", "--json", *args, cwd=project.path)


def one(result, name):
    (found,) = [m for m in result.json["migrations"] if m["name"] == name]
    return found


@pytest.fixture
def users(project):
    project.add("users", USERS)
    project.write("rows.sql", ROWS)
    return project


def test_rows_stay_behind_a_derived_way_back(users):
    name = users.add("wider", "ALTER TABLE users ALTER COLUMN age TYPE bigint;\nALTER TABLE users ADD COLUMN bio text;"
                              "CREATE INDEX i ON users (mail);")
    result = verify(users, "--seed", "rows.sql")
    assert result.rc == 0 and one(result, name)["seeded"] and one(result, name)["state"] == "leads-back", result
    assert not result.json["migrations"][0]["seeded"], "there is no table yet"
    assert result.json["notSeeded"] is None, result


def test_a_script_of_ones_own_that_takes_rows_along(users):
    name = users.add("flag", "ALTER TABLE users ADD COLUMN flag boolean;")
    users.write(f"prisma/migrations/{name}/down.sql", "DELETE FROM users WHERE age > 15;\nALTER TABLE users DROP COLUMN flag;")
    assert verify(users).rc == 0, "without rows nothing is seen"
    result = verify(users, "--seed", "rows.sql")
    found = one(result, name)
    assert result.rc == 27 and found["state"] == "rows-differ", result
    assert "public.users, column mail: 15 rows, were 20" in found["why"], found


def test_values_that_a_script_changes(users):
    name = users.add("lower", "ALTER TABLE users ADD COLUMN k int;")
    users.write(f"prisma/migrations/{name}/down.sql", "UPDATE users SET mail = 'x';\nALTER TABLE users DROP COLUMN k;")
    found = one(verify(users, "--seed", "rows.sql"), name)
    assert found["state"] == "rows-differ" and "with other values" in found["why"], found


def test_what_is_told_is_no_difference(users):
    """A dropped column comes back empty, an UPDATE stays: both are said."""
    gone = users.add("gone", "ALTER TABLE users DROP COLUMN age;")
    upper = users.add("upper", "UPDATE users SET mail = upper(mail);")
    result = verify(users, "--seed", "rows.sql")
    assert result.rc == 0, result
    assert one(result, gone)["seeded"] and one(result, upper)["notRestored"] == 1, result


def test_a_column_that_goes_and_comes_at_another_place(users):
    name = users.add("order", "ALTER TABLE users ADD COLUMN a int;")
    users.write(f"prisma/migrations/{name}/down.sql",
                "ALTER TABLE users DROP COLUMN a; ALTER TABLE users ADD COLUMN m text; UPDATE users SET m = mail;"
                "ALTER TABLE users DROP COLUMN mail; ALTER TABLE users RENAME m TO mail; ALTER TABLE users ALTER mail SET NOT NULL;")
    assert one(verify(users, "--seed", "rows.sql"), name)["state"] == "leads-back"


def test_a_migration_that_does_not_run_on_the_rows(users):
    strict = users.add("strict", "ALTER TABLE users ADD CONSTRAINT young CHECK (age < 10);")
    more = users.add("more", "ALTER TABLE users ADD COLUMN late int;")
    result = verify(users, "--seed", "rows.sql")
    assert result.rc == 0 and not one(result, strict)["seeded"], result
    assert strict in result.json["notSeeded"] and "young" in result.json["notSeeded"], result
    assert one(result, more)["state"] == "leads-back", result


def test_the_projects_own_seeds(users):
    users.write("aramid.yaml", "seed_files: rows.sql\n")
    name = users.add("more", "ALTER TABLE users ADD COLUMN late int;")
    result = verify(users)
    assert result.rc == 0 and one(result, name)["seeded"], result
    missing = verify(users, "--seed", "nowhere.sql")
    assert missing.rc != 0 and "nowhere.sql" in missing.text, missing
