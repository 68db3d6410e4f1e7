"""Waiting for something to become true."""

import time


def until(condition, timeout=20, step=0.03, what="the condition"):
    """Poll until condition() is true; its value. AssertionError after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true in {timeout} s"
        time.sleep(step)


def session_runs(db, fragment, timeout=20):
    """Wait until another session of the database runs a statement that holds a text; its pid."""
    return until(lambda: db.one(
        "SELECT min(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
        "state = 'active' AND strpos(query, %s) > 0 AND pid <> pg_backend_pid()", fragment),
        timeout, what=f"a statement with {fragment!r}")
