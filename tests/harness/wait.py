"""Waiting for something to become true, and migrations that wait for the test.

No test is judged by the clock: the machine may be as busy as it likes.
"""

import contextlib
import time

PATIENCE = 900  # seconds; what takes longer hangs


def until(condition, what="the condition", step=0.03):
    """Poll until condition() is true; its value. AssertionError when it never comes true."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what() if callable(what) else what} did not come true in {PATIENCE} s"
        time.sleep(step)


def session_runs(db, fragment):
    """Wait until another session of the database runs a statement that holds a text; its pid."""
    return until(lambda: db.one(
        "SELECT min(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
        "state = 'active' AND strpos(query, %s) > 0 AND pid <> pg_backend_pid()", fragment),
        f"a statement with {fragment!r}")


HELD = "SELECT held_by_a_test();\n"


@contextlib.contextmanager
def held(db):
    """A migration's statement HELD runs until the block is left, and ends at once afterwards.

        project.add("slow", HELD)
        with held(db) as reached:
            ...start a deploy...
            pid = reached()     # it runs the statement
    """
    with contextlib.closing(db.connect()) as holder:
        # In pg_catalog nobody takes it for a part of the schema.
        holder.cursor().execute("""
            CREATE OR REPLACE FUNCTION pg_catalog.held_by_a_test() RETURNS void LANGUAGE plpgsql AS $$
            BEGIN
                WHILE NOT pg_try_advisory_lock_shared(4711) LOOP PERFORM pg_sleep(0.01); END LOOP;
                PERFORM pg_advisory_unlock_shared(4711);
            END $$;
            SELECT pg_advisory_lock(4711)""")
        yield lambda: session_runs(db, "held_by_a_test()")
