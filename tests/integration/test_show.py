"""aramid show: one migration, its way back, and where it stands."""

from harness import aramid


def show(project, *args, db=None):
    return aramid.run("show", *args, cwd=project.path, env={"DATABASE_URL": db.url()} if db else {})


def made(project):
    project.add("init", 'CREATE TABLE "a" (i int, j text);')
    return project.add("more", 'ALTER TABLE a ADD COLUMN k int;\nALTER TABLE a ALTER COLUMN i TYPE bigint;')


def test_a_migration_and_its_derived_way_back(project, db):
    name = made(project)
    result = show(project, name, db=db)
    assert result.rc == 0, result
    for text in (name, "pending", "ADD COLUMN k int", "down: derived", 'DROP COLUMN "k"', "line 2: ALTER TABLE",
                 "a: ACCESS EXCLUSIVE, writes every row anew"):
        assert text in result.out, (text, result)
    assert aramid.deploy(project, db.url()).rc == 0
    assert "applied at 20" in show(project, name, db=db).out
    project.edit(name, "ALTER TABLE a ADD COLUMN k int;")
    assert "edited since" in show(project, name, db=db).out


def test_the_projects_own_way_back(project, db):
    name = made(project)
    project.write(f"prisma/migrations/{name}/down.sql", "ALTER TABLE a DROP COLUMN k; -- mine\n")
    result = show(project, "more", db=db)
    assert result.rc == 0 and f"down: prisma/migrations/{name}/down.sql" in result.out and "-- mine" in result.out, result


def test_one_that_cannot_be_undone(project, db):
    project.add("init", "-- aramid:irreversible rows are merged\nCREATE TABLE a (i int);")
    assert "There is no way back: rows are merged" in show(project, "init", db=db).out


def test_the_short_name(project, db):
    made(project)
    project.add("20240301000000_more", "SELECT 1;")
    two = show(project, "more", db=db)
    assert two.rc == 27 and "2 migrations have that name" in two.err and "20240301000000_more" in two.err, two
    missing = show(project, "mroe", db=db)
    assert missing.rc == 27, missing


def test_a_database_that_cannot_be_reached(project):
    made(project)
    result = aramid.run("show", "more", "--url", "postgresql://nobody@127.0.0.1:1/x", cwd=project.path)
    assert result.rc == 0 and "whether it is applied is not known" in result.out, result


def test_a_way_back_that_cannot_be_found(project, db):
    project.add("init", "CREATE TABLE a (i int);")
    project.add("broken", "ALTER TABLE missing ADD COLUMN k int;")
    result = show(project, "broken", db=db)
    assert result.rc == 0 and "No way back could be found" in result.out, result


def test_side_by_side_on_a_wide_terminal(project, db):
    made(project)
    terminal = aramid.Terminal("show", "more", cwd=project.path, env={"DATABASE_URL": db.url()}, columns=160)
    result = terminal.wait()
    line = next(x for x in result.text.splitlines() if "ADD COLUMN k int" in x)
    assert result.rc == 0 and "|" in line, result
    narrow = aramid.Terminal("show", "more", cwd=project.path, env={"DATABASE_URL": db.url()}, columns=70).wait()
    assert narrow.rc == 0 and "|" not in next(x for x in narrow.text.splitlines() if "ADD COLUMN k int" in x)
