"""PGlite and `prisma dev`: one session behind all connections, locks that exclude nobody."""

import fcntl
import hashlib

import pytest

from harness import aramid, pglite
from harness.project import Project

pytestmark = pytest.mark.skipif(not pglite.available(), reason="pglite-socket is not installed (tools/setup-npm)")
SCHEMA = """datasource db {
  provider = "postgresql"
}

model User {
  id    Int    @id
  email String
  posts Post[]
}

model Post {
  id     Int  @id
  user   User @relation(fields: [userId], references: [id])
  userId Int

  @@index([userId])
}
"""
MIGRATIONS = {
    "user": 'CREATE TABLE "User" ("id" INTEGER NOT NULL, "email" TEXT NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));',
    "post": 'CREATE TABLE "Post" ("id" INTEGER NOT NULL, "userId" INTEGER NOT NULL, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"));'
            'ALTER TABLE "Post" ADD CONSTRAINT "Post_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") '
            "ON DELETE RESTRICT ON UPDATE CASCADE;",
    "index": 'CREATE INDEX CONCURRENTLY "Post_userId_idx" ON "Post"("userId");',
}


@pytest.fixture(scope="module", params=[1, 20])
def server(request):
    with pglite.started(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def shared():
    with pglite.started(20) as found:
        yield found


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path, MIGRATIONS)
    made.write("prisma/schema.prisma", SCHEMA)
    return made


def clear(server):
    server.sql('DROP TABLE IF EXISTS "Post", "User", _prisma_migrations; DROP SCHEMA IF EXISTS aramid CASCADE')


def run(project, server, *args, url=None, **kwargs):
    return aramid.run(*args, "--url", url or server.url, cwd=project.path, **kwargs)


def test_what_is_safe_works_and_leaves_the_session_alone(project, server):
    clear(server)
    before = server.settings()
    for args, rc, text in ((("status",), 10, "PGlite"), (("plan",), 0, "PGlite"), (("deploy",), 0, "successfully"),
                           (("status",), 0, "up to date"), (("deploy",), 0, "up to date"), (("drift",), 0, "No drift"),
                           (("check",), 0, "what its migrations make"), (("pull", "--print"), 0, "model Post"),
                           (("doctor",), 0, "PGlite"), (("unlock",), 0, "")):
        result = run(project, server, *args)
        assert result.rc == rc and text in result.text, result
        assert server.settings() == before, args
    compared = aramid.run("diff", "--from-url", server.url, "--to-schema", "prisma/schema.prisma", "--exit-code", cwd=project.path)
    assert compared.rc == 0, compared
    assert server.one("SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL") == 3
    for args, rc in ((("backup",), 50), (("restore", "--name", "x"), 53)):
        result = run(project, server, *args)
        assert result.rc == rc or "no backup" in result.text, result
    project.add("more", "CREATE TABLE more (id int);")
    result = run(project, server, "deploy", "--backup")
    assert result.rc == 50 and "PGlite" in result.err and not server.one("SELECT to_regclass('more') IS NOT NULL"), result


@pytest.mark.skipif(not pglite.has_prisma_dev(), reason="`prisma dev` needs Node 22.5 or newer (ARAMID_TEST_NODE)")
def test_prisma_dev_itself(project, tmp_path):
    """With its triggers on every table, in a database called template1."""
    with pglite.prisma_dev(tmp_path / "home") as server:
        for args, rc, text in ((("status",), 10, "PGlite"), (("plan",), 0, "PGlite"), (("deploy",), 0, "successfully"),
                               (("status",), 0, "up to date"), (("deploy",), 0, "up to date"), (("drift",), 0, "No drift"),
                               (("check",), 0, "what its migrations make"), (("pull", "--print"), 0, "model Post"),
                               (("backup",), 50, "PGlite")):
            result = run(project, server, *args)
            assert result.rc == rc and text in result.text, result
        compared = aramid.run("diff", "--from-url", server.url, "--to-schema", "prisma/schema.prisma", "--exit-code", cwd=project.path)
        assert compared.rc == 0, compared
        assert server.one("SELECT count(*) FROM pg_trigger WHERE tgname = 'prisma_dev_wal_capture'") > 0
        assert server.one('INSERT INTO "User" VALUES (1, \'a\') RETURNING id') == 1


def test_a_url_without_a_word_about_tls(project, shared):
    """The question for TLS is never answered there."""
    result = run(project, shared, "status", url=shared.plain_url)
    assert result.rc in (0, 10) and "PGlite" in result.out, result
    result = run(project, shared, "status", url=shared.plain_url + "?sslmode=prefer&connect_timeout=1")
    assert result.rc == 40 and "sslmode=disable" in result.err, result


def test_nobody_looks_who_waits(project, shared):
    clear(shared)
    result = run(project, shared, "deploy", "--stall", "500ms")
    assert result.rc == 0 and "one session for all [run-stall-off]" in result.err, result


def test_hints_keep_the_url_s_parameters(project, shared):
    clear(shared)
    result = run(project, shared, "status", url=shared.url + "&connect_timeout=9")
    assert "sslmode=disable&connect_timeout=9" in result.out and ":postgres@" not in result.out, result


@pytest.mark.parametrize("apart", [False, True])
def test_two_at_once(project, shared, tmp_path, apart):
    """On one machine a file is the lock. Between two nothing can be: what the other has applied is not done again."""
    if apart:
        project.edit(project.names[2], 'CREATE INDEX "Post_userId_idx" ON "Post"("userId");')
    folders = [tmp_path / name for name in (("one", "two") if apart else ("one", "one"))]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for _ in range(3):
        clear(shared)
        runs = [aramid.start("deploy", "--url", shared.url, cwd=project.path, env={"TMPDIR": str(folder)}) for folder in folders]
        results = [one.wait() for one in runs]
        assert 0 in [result.rc for result in results] and (apart or results[0].rc == results[1].rc), results
        assert run(project, shared, "deploy").rc == 0, results
        assert shared.one("SELECT string_agg(applied_steps_count::text || (finished_at IS NOT NULL), ',') "
                          "FROM _prisma_migrations") == "1true,1true,1true"


def test_a_run_that_waits_names_what_it_waits_for(project, shared, tmp_path):
    clear(shared)
    system = shared.one("SELECT system_identifier::text FROM pg_control_system()")
    path = tmp_path / f"aramid-pglite-{hashlib.sha256(system.encode()).hexdigest()[:16]}.lock"
    with open(path, "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = run(project, shared, "deploy", "--wait", "1s", env={"TMPDIR": str(tmp_path)})
        assert result.rc == 41 and str(path) in result.err and "waiting for another migration run" in result.text, result
    assert run(project, shared, "deploy", env={"TMPDIR": str(tmp_path)}).rc == 0
