"""The setting `retries` counts the tries after the first one, whatever it is that is tried again."""

import socket
import threading

import pytest

from harness import aramid

# A sequence does not roll back: it counts the tries.
SETUP = """CREATE SEQUENCE tries;
CREATE TABLE rows AS SELECT 1 AS i;
CREATE FUNCTION always_fails(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
$$BEGIN PERFORM nextval('public.tries'); RAISE EXCEPTION 'x' USING ERRCODE='40001'; END$$;"""

FAILS = {
    "a deadlock in a transaction":
        "DO $$BEGIN PERFORM nextval('public.tries'); RAISE EXCEPTION 'x' USING ERRCODE='40P01'; END$$;",
    "a serialization failure outside of transactions":
        "CREATE INDEX CONCURRENTLY i ON rows (always_fails(i));",
    "a connection that is lost":
        "SELECT nextval('tries'); SELECT pg_terminate_backend(pg_backend_pid());",
}


@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("what", FAILS)
def test_tries_of_a_migration(project, db, what, retries):
    project.write("aramid.yaml", "retry_delay: 5ms\n")
    project.add("init", SETUP)
    assert aramid.deploy(project, db.url()).rc == 0
    project.add("fails", FAILS[what])
    result = aramid.deploy(project, db.url(), "--retries", str(retries))
    assert result.rc != 0, result
    assert db.one("SELECT last_value FROM tries") == 1 + retries, result


@pytest.mark.parametrize("retries", [0, 3])
def test_tries_of_connecting(project, retries):
    """Whoever answers hangs up: a server that cannot be reached."""
    project.write("aramid.yaml", "retry_delay: 5ms\n")
    project.add("init", "SELECT 1;")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = []

        def answer():
            while True:
                try:
                    link, _ = listener.accept()
                except OSError:
                    return
                seen.append(link)
                link.close()
        threading.Thread(target=answer, daemon=True).start()
        port = listener.getsockname()[1]
        url = f"postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable"
        result = aramid.deploy(project, url, "--retries", str(retries))
        assert result.rc != 0
        assert len(seen) == 1 + retries, result
