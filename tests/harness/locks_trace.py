"""What one statement does on a real server: locks (pg_locks), and the server's own messages of rewriting, checking and
building (client_min_messages = debug1, which also tells them of empty tables)."""

import re

STRONG = ["SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]
MESSAGES = {
    "rewrites": re.compile(r'rewriting table "(.*)"'),
    "scans": re.compile(r'verifying table "(.*)"'),
    "builds": re.compile(r'building index ".*" on table "(.*)"'),
}
LOCKS = """SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation IS NOT NULL
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
TABLES = """SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"""
KEYS = """SELECT conname, conrelid FROM pg_constraint WHERE contype = 'f'"""


def words(mode):
    """ShareRowExclusiveLock as lint writes it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def run(conn, sql, tables, alone, end="COMMIT"):
    """Run one statement; by old table (oid: name then): its strongest lock, and what the server says it did to it."""
    cursor = conn.cursor()
    del conn.notices[:]
    if not alone:
        cursor.execute("BEGIN")
    cursor.execute(sql)
    notices = list(conn.notices)
    locks, did = {}, {kind: set() for kind in MESSAGES}
    cursor.execute(LOCKS)
    for oid, mode in cursor.fetchall():
        mode, name = words(mode), tables.get(oid)
        if name and mode in STRONG and STRONG.index(mode) >= STRONG.index(locks.get(name, STRONG[0])):
            locks[name] = mode
    cursor.execute(KEYS)
    keys = {}
    for name, oid in cursor.fetchall():
        keys.setdefault(name, set()).add(tables.get(oid))
    if not alone:
        cursor.execute(end)
    bare = {}
    for name in tables.values():
        bare.setdefault(name.split(".", 1)[1], set()).add(name)
    for text in notices:
        for kind, pattern in MESSAGES.items():
            found = pattern.search(text)
            did[kind] |= bare.get(found.group(1), set()) if found else set()
        found = re.search(r'validating foreign key constraint "(.*)"', text)
        did["scans"] |= keys.get(found.group(1), set()) - {None} if found else set()
    first = sql.split()[0].upper()
    if first == "TRUNCATE":  # of no rows
        did["builds"] = set()
    elif first == "REFRESH":  # of this the server says nothing,
        did["rewrites"] = {t for t, mode in locks.items() if mode == "ACCESS EXCLUSIVE"}
    elif "DOMAIN" in sql.upper().split()[:2]:  # nor of this
        did["scans"] = {t for t, mode in locks.items() if mode == "SHARE"}
    for kind in ("scans", "builds"):
        did[kind] -= did["rewrites"]
    return None if alone else locks, did


def compare(claims, locks, did):
    """Words for each difference between the claims of a statement and the trace of it."""
    found = []
    claimed = {f"{e['schema']}.{e['table']}": e for e in claims}
    for table in sorted(set(locks or {}) | {t for t, e in claimed.items() if locks is not None and e["lock"] in STRONG}):
        said, true = claimed.get(table, {}).get("lock", "none"), locks.get(table, "none")
        if said != true:
            found.append(f"lock on {table}: {true}, claimed {said}")
    for kind, true in did.items():
        said = {t for t, e in claimed.items() if e[kind] and not (kind != "rewrites" and e["rewrites"])}
        for table in sorted(true ^ said):
            found.append(f"{kind} {table}: {'missed' if table in true else 'claimed only'}")
    return found
